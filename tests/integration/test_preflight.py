"""`wherry check` with databases: assessments, and grants that are just enough."""
import contextlib
import json
import re
import unittest

from support.case import LoadCase
from support.orasim import PASSWORD as ORACLE_PASSWORD
from support.orasim import Orasim
from support.paths import ROOT
from support.postgres import PASSWORD, Postgres
from support.wherry import Task, selection, wherry

REFERENCE = ROOT / "docs" / "reference" / "preflight.md"
PASSED, FAILED, WARNED = 0, 2, 3
SETTINGS = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}}
LOW_PASSWORD = "low-Secret-9"


def assessments(run):
    report = json.loads(run.stdout)["preflight"]
    return report, {(each["side"], each["name"]): each for each in report["assessments"]}


class Assessing:
    """For a test that has task(rules, settings)."""

    def check(self, task, *more, **passwords):
        run = wherry("check", *task.flags(), "--format", "json", *more, **passwords)
        report, by_name = assessments(run)
        return run, report, by_name

    def assert_found(self, by_name, side, name, status, object_=None, remedy=None):
        self.assertIn((side, name), by_name)
        found = by_name[side, name]
        self.assertEqual(found["status"], status, found)
        if object_ is not None:
            objects = [finding.get("object") for finding in found["findings"]]
            self.assertIn(object_, objects, found)
        if remedy is not None:
            remedies = [finding.get("remedy", "") for finding in found["findings"]]
            self.assertTrue(any(remedy in each for each in remedies), found)


class OracleAssessments(Assessing, LoadCase):
    FILL = (
        "create table customers (id number(9) primary key, name varchar2(40), "
        "shout varchar2(40) generated always as (upper(name)) virtual, hidden number invisible)",
        "create table orders (id number(12) primary key, customer number(9) "
        "constraint orders_of references customers, status varchar2(9) "
        "constraint known_status check (status in ('new', 'paid')))",
        "create table notes (at date, body clob)",
        "create index by_name on customers (upper(name))",
        "create index by_status on orders (status)",
        "create global temporary table scratch (a number)")

    def task(self, rules=None, settings=None):
        task = Task(self.sim.url(), self.postgres.url(self.new_database()),
                    rules or [selection("APP")], settings or SETTINGS)
        self.addCleanup(task.close)
        return task

    def test_what_oracle_lacks_for_changes_and_what_does_not_move(self):
        run, report, found = self.check(self.task())
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertEqual(report["status"], "failed")
        self.assertIn("Oracle Database", report["source"])
        self.assertIn("PostgreSQL", report["target"])
        self.assert_found(found, "source", "oracle-supplemental-db-level", "failed",
                          remedy="alter database add supplemental log data")
        self.assert_found(found, "source", "oracle-check-archivelog-mode", "passed")
        self.assert_found(found, "source", "oracle-check-idle-time", "passed")
        self.assert_found(found, "source", "oracle-validate-cdb", "passed")
        self.assert_found(found, "source", "wherry-check-force-logging", "warning",
                          remedy="alter database force logging")
        self.assert_found(found, "source", "oracle-validate-virtual-columns", "warning",
                          "APP.CUSTOMERS.SHOUT")
        self.assert_found(found, "source", "oracle-validate-invisible-columns", "warning",
                          "APP.CUSTOMERS.HIDDEN")
        self.assert_found(found, "source", "oracle-validate-function-based-indexes", "warning",
                          "APP.CUSTOMERS")
        self.assert_found(found, "source", "oracle-validate-global-temporary-tables", "warning",
                          "APP.SCRATCH")
        secondary = found["source", "all-check-secondary-constraints"]
        self.assertEqual({finding["text"] for finding in secondary["findings"]},
                         {"foreign key ORDERS_OF", "check KNOWN_STATUS", "index BY_STATUS"})
        self.assert_found(found, "task", "table-with-no-primary-key-or-unique-constraint", "warning",
                          "APP.NOTES")
        self.assert_found(found, "task",
                          "table-with-lob-but-without-primary-key-or-unique-constraint", "warning",
                          "APP.NOTES")
        self.assert_found(found, "source", "oracle-check-asm", "skipped")

    def test_the_reference_has_every_assessment(self):
        source = self.postgres.url(self.new_database())
        names = set()
        for url, password in ((self.sim.url(), ORACLE_PASSWORD), (source, PASSWORD)):
            run = wherry("check", "--source", url, "--target", self.postgres.url(self.new_database()),
                         "--format", "json", source_password=password)
            names |= {name for _, name in assessments(run)[1]}
        written = set(re.findall(r"^\| `([a-z0-9-]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.M))
        self.assertEqual(names, written - {"passed", "warning", "failed", "skipped", "error"})

    def test_logging_of_tables_is_asked_for_by_their_keys(self):
        with contextlib.closing(Orasim()) as sim:
            sim.execute("alter database add supplemental log data", "create table a (x number primary key)",
                        "create table b (x number)", "create table c (x number primary key)",
                        "alter table c add supplemental log data (primary key) columns")
            task = Task(sim.url(), self.postgres.url(self.new_database()), [selection("APP")], SETTINGS)
            self.addCleanup(task.close)
            run, _, found = self.check(task)
            self.assertEqual(run.status, FAILED, run.describe())
            self.assert_found(found, "source", "oracle-supplemental-db-level", "passed")
            keyed = found["source", "oracle-validate-supplemental-logging-for-pk"]
            self.assertEqual([(each["object"], "primary key" in each["remedy"].lower())
                              for each in keyed["findings"]], [("APP.A", True)])
            self.assert_found(found, "source", "oracle-validate-supplemental-logging-all-columns",
                              "failed", "APP.B", "(all) columns")
            sim.execute("alter table a add supplemental log data (primary key) columns",
                        "alter table b add supplemental log data (all) columns")
            run, _, found = self.check(task)
            self.assertEqual(run.status, WARNED, run.describe())
            self.assert_found(found, "source", "oracle-validate-supplemental-logging-for-pk", "passed")

    def test_a_load_alone_needs_no_redo(self):
        _, _, found = self.check(self.task(), "--migration-type", "full-load")
        self.assert_found(found, "source", "oracle-check-archivelog-mode", "skipped")
        self.assertNotIn(("source", "oracle-supplemental-db-level"), found)

    def test_what_the_target_has_in_the_way(self):
        task = self.task()
        database = task.target.rsplit("/", 1)[1]
        self.postgres.execute(
            database, 'create schema "APP"',
            'create table "APP"."CUSTOMERS" ("ID" integer primary key, "NAME" text)',
            'create index by_name on "APP"."CUSTOMERS" ("NAME")',
            'create table "APP"."ORDERS" ("ID" bigint, "CUSTOMER" integer references "APP"."CUSTOMERS", "STATUS" text)',
            "create function f() returns trigger language plpgsql as 'begin return new; end'",
            'create trigger t after insert on "APP"."ORDERS" for each row execute function f()',
            f"create role plain login password '{LOW_PASSWORD}'",
            f"grant connect on database {database} to plain", 'grant usage on schema "APP" to plain')
        self.addCleanup(lambda: self.postgres.execute(database, "drop owned by plain", "drop role plain"))
        task.target = self.postgres.url(database, "plain")
        run, _, found = self.check(task, target_password=LOW_PASSWORD)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assert_found(found, "target", "oracle-check-secondary-indexes", "warning", "APP.CUSTOMERS")
        self.assert_found(found, "target", "oracle-target-foreign-key-constraints-check", "warning",
                          "APP.ORDERS", "wherry scripts")
        self.assert_found(found, "target", "oracle-target-triggers-are-enabled", "warning", "APP.ORDERS")
        self.assert_found(found, "target", "postgres-check-session-replication-role", "warning")
        self.assert_found(found, "target", "oracle-validate-permissions-on-target", "failed",
                          remedy="grant create on schema")
        self.assert_found(found, "target", "wherry-check-control-schema", "failed",
                          remedy="grant usage, create on schema public to plain")
        self.assert_found(found, "target", "wherry-check-target-truncate", "passed")
        self.assert_found(found, "target", "target-table-has-unique-key-or-primary-key-for-cdc",
                          "warning", "APP.ORDERS")

    def test_an_end_alone_and_one_that_is_not_there(self):
        run = wherry("check", "--source", self.sim.url())
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertIn("oracle-supplemental-db-level (source)", run.stdout)
        self.assertNotIn("(target)", run.stdout)
        target = self.postgres.url(self.new_database())
        run = wherry("check", "--target", target)
        self.assertEqual(run.status, PASSED, run.describe())
        self.assertNotIn("(source)", run.stdout)
        task = self.task()
        task.source = "oracle://app@127.0.0.1:1/NONE"
        run, _, found = self.check(task)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assert_found(found, "source", "wherry-check-connection", "failed")
        self.assert_found(found, "target", "wherry-check-connection", "passed")

    def test_files_that_are_wrong_come_before_any_server(self):
        task = self.task([{"rule-type": "selecton"}])
        run = wherry("check", *task.flags())
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertIn("selection was probably meant", run.stderr)
        self.assertNotIn("(target)", run.stdout)


class PostgresAssessments(Assessing, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres()
        cls.addClassCleanup(cls.server.close)

    def task(self, name, *statements):
        for database in (name, name + "_target"):
            self.server.create_database(database)
        self.server.execute(name, "create schema app", *statements)
        task = Task(self.server.url(name), self.server.url(name + "_target"), [selection("app")], SETTINGS)
        self.addCleanup(task.close)
        return task

    def assess(self, task, *more):
        return self.check(task, *more, source_password=PASSWORD)

    def test_what_postgres_lacks_for_changes_and_what_does_not_move(self):
        task = self.task(
            "wrong", "create table app.keyless (a int)", "create unlogged table app.fast (a int primary key)",
            "create table app.twin (a int primary key)", 'create table app."Twin" (a int primary key)',
            "create table app.parent (a int primary key, b int unique check (b > 0))",
            "create table app.child (a int primary key references app.parent)",
            "create materialized view app.seen as select a from app.parent")
        run, _, found = self.assess(task)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assert_found(found, "source", "postgres-check-wallevel", "passed")
        self.assert_found(found, "source", "postgres-check-pk", "failed", "app.keyless",
                          "alter table app.keyless replica identity full")
        self.assert_found(found, "source", "wherry-check-unlogged-tables", "failed", "app.fast",
                          "alter table app.fast set logged")
        self.assert_found(found, "source", "postgres-check-similar-table-name", "warning", "app.Twin")
        self.assert_found(found, "source", "postgres-check-materialized-views", "warning", "app.seen")
        secondary = found["source", "all-check-secondary-constraints"]
        self.assertEqual({(each["object"], each["text"]) for each in secondary["findings"]},
                         {("app.parent", "check parent_b_check; index parent_b_key"),
                          ("app.child", "foreign key child_a_fkey")})
        self.assert_found(found, "source", "postgres-check-pglogical", "skipped")

    def test_a_transaction_that_is_prepared_holds_the_start_up(self):
        self.server.execute("postgres", "alter system set max_prepared_transactions = 5")
        self.server.shut_down()
        self.server.start()
        task = self.task("held", "create table app.t (a int primary key)")
        with contextlib.closing(self.server.connect("held")) as session:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute("begin")
                cursor.execute("insert into app.t values (1)")
                cursor.execute("prepare transaction 'forgotten'")
        run, _, found = self.assess(task)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assert_found(found, "source", "postgres-check-preparedtxn", "failed",
                          remedy="commit prepared 'forgotten'")
        self.server.execute("held", "rollback prepared 'forgotten'")
        run, report, _ = self.assess(task)
        self.assertEqual((run.status, report["status"]), (PASSED, "passed"), run.describe())

    def test_settings_of_the_server_that_end_a_task_early(self):
        task = self.task("short", "create table app.t (a int primary key)")
        settings = {"wal_sender_timeout": ("5s", "postgres-check-walsenderstimeout"),
                    "max_slot_wal_keep_size": ("'64MB'", "postgres-check-maxslot-wal-keep-size"),
                    "logical_decoding_work_mem": ("'1MB'", "postgres-check-for-logical-decoding-work-mem")}
        for name, (value, _) in settings.items():
            self.server.execute("postgres", f"alter system set {name} = {value!r}" if value == "5s"
                                else f"alter system set {name} = {value}")
        self.addCleanup(lambda: self.server.execute("postgres", "alter system reset all",
                                                    "select pg_reload_conf()"))
        self.server.execute("postgres", "select pg_reload_conf()")
        run, _, found = self.assess(task)
        self.assertEqual(run.status, WARNED, run.describe())
        for name, (_, assessment) in settings.items():
            self.assert_found(found, "source", assessment, "warning", remedy=name)

    def test_rows_that_a_policy_hides_are_an_error(self):
        task = self.task("hidden", "create table app.t (a int primary key)", "insert into app.t values (1), (2)",
                         "alter table app.t enable row level security",
                         "create policy few on app.t using (a = 1)",
                         f"create role narrow login password '{LOW_PASSWORD}'",
                         "grant usage on schema app to narrow", "grant select on app.t to narrow")
        task.source = self.server.url("hidden", "narrow")
        run, _, found = self.check(task, "--migration-type", "full-load", source_password=LOW_PASSWORD)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assert_found(found, "source", "wherry-check-row-security", "failed", "app.t",
                          "alter role narrow bypassrls")
        run = task.run(source_password=LOW_PASSWORD)
        self.assertEqual(run.status, WARNED, run.describe())
        self.assertIn("row-level security", run.stderr)


class Grants(unittest.TestCase):
    """Users with these privileges alone run the task that they were printed for."""

    @classmethod
    def setUpClass(cls):
        cls.source, cls.target = Postgres(), Postgres()
        for server in (cls.source, cls.target):
            cls.addClassCleanup(server.close)

    @staticmethod
    def statements(run, side):
        return [each for each in json.loads(run.stdout)["grants"][side] if not each.startswith("--")]

    def grants(self, task, *more, **passwords):
        run = wherry("check", *task.flags(), "--grants", "--format", "json", "--source-grantee", "reader",
                     "--target-grantee", "writer", "--migration-type", task.migration_type, *more, **passwords)
        self.assertEqual(run.status, 0, run.describe())
        return run

    def target_database(self, name):
        self.target.create_database(name)
        self.target.execute(name, "revoke create on schema public from public",
                            "revoke all on database " + name + " from public",
                            f"create role writer login password '{LOW_PASSWORD}'")
        self.addCleanup(lambda: self.target.execute(name, "drop owned by writer", "drop role writer"))

    def new_reader(self, database):
        self.source.execute(database, f"create role reader login password '{LOW_PASSWORD}'")
        self.addCleanup(lambda: self.source.execute(database, "drop owned by reader", "drop role reader"))

    def assert_runs(self, task, *more):
        """Refused before the grants, and whole after them."""
        passwords = {"source_password": LOW_PASSWORD, "target_password": LOW_PASSWORD}
        before = task.run(*more, **passwords)
        self.assertNotEqual(before.status, 0, before.describe())
        yield
        run = task.run(*more, "--start", "start-replication", **passwords)
        self.assertEqual(run.status, 0, run.describe())
        checked = task.validate(*more[2:], **passwords)
        self.assertEqual(checked.status, 0, checked.describe())

    def as_users(self, task, source, target):
        task.source, task.target = source, target
        self.addCleanup(task.close)

    def test_oracle_load_and_changes_in_batches(self):
        sim = Orasim()
        self.addCleanup(sim.close)
        sim.execute("alter database add supplemental log data",
                    "create user shop identified by shop quota unlimited on users",
                    "create table shop.orders (id number(9) primary key, note varchar2(20), body clob)",
                    "alter table shop.orders add supplemental log data (primary key) columns",
                    "insert into shop.orders select level, 'n' || level, rpad('x', 5000, 'x') from dual connect by level <= 50",
                    f'create user reader identified by "{LOW_PASSWORD}"')
        self.target_database("oracle_grants")
        task = Task(sim.url(), self.target.url("oracle_grants"), [selection("SHOP")],
                    {**SETTINGS, "TargetMetadata": {"BatchApplyEnabled": True}})
        task.migration_type = "full-load-and-cdc"
        scripts = self.grants(task)
        self.as_users(task, sim.url("reader"), self.target.url("oracle_grants", "writer"))
        granting = self.assert_runs(task, "--stop-when", "caught-up")
        next(granting)
        sim.execute(*self.statements(scripts, "source"))
        self.target.execute("oracle_grants", *self.statements(scripts, "target"))
        next(granting, None)
        sim.execute("update shop.orders set note = 'changed' where id < 10", "delete from shop.orders where id = 20",
                    "insert into shop.orders values (1000, 'new', empty_clob())")
        run = task.run("--stop-when", "caught-up", source_password=LOW_PASSWORD, target_password=LOW_PASSWORD)
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.target.query("oracle_grants", """select count(*), count(*) filter (where "NOTE" = 'changed')
            from "SHOP"."ORDERS" """), [(50, 9)])

    def test_oracle_with_logging_that_the_task_adds(self):
        sim = Orasim()
        self.addCleanup(sim.close)
        sim.execute("create user shop identified by shop quota unlimited on users",
                    "create table shop.orders (id number(9) primary key, note varchar2(20))",
                    "insert into shop.orders values (1, 'x')", f'create user reader identified by "{LOW_PASSWORD}"')
        self.target_database("logging_grants")
        task = Task(sim.url() + "?AddSupplementalLogging=true", self.target.url("logging_grants"),
                    [selection("SHOP")], SETTINGS)
        task.migration_type = "full-load-and-cdc"
        scripts = self.grants(task)
        self.as_users(task, sim.url("reader") + "?AddSupplementalLogging=true",
                      self.target.url("logging_grants", "writer"))
        granting = self.assert_runs(task, "--stop-when", "caught-up")
        next(granting)
        sim.execute(*self.statements(scripts, "source"))
        self.target.execute("logging_grants", *self.statements(scripts, "target"))
        next(granting, None)

    def test_oracle_load_alone(self):
        sim = Orasim()
        self.addCleanup(sim.close)
        sim.execute("create user shop identified by shop quota unlimited on users",
                    "create table shop.orders (id number(9) primary key, note varchar2(20))",
                    "insert into shop.orders values (1, 'x')", f'create user reader identified by "{LOW_PASSWORD}"')
        self.target_database("load_grants")
        task = Task(sim.url(), self.target.url("load_grants"), [selection("SHOP")], SETTINGS)
        scripts = self.grants(task)
        self.assertFalse([each for each in self.statements(scripts, "source") if "logmnr" in each])
        self.as_users(task, sim.url("reader"), self.target.url("load_grants", "writer"))
        granting = self.assert_runs(task)
        next(granting)
        sim.execute(*self.statements(scripts, "source"))
        self.target.execute("load_grants", *self.statements(scripts, "target"))
        next(granting, None)

    def test_tables_of_others_are_emptied_or_made_anew(self):
        self.source.create_database("modes")
        self.source.execute("modes", "create schema app", "create table app.t (id int primary key, v text)",
                            "insert into app.t select i, 'v' || i from generate_series(1, 20) i")
        self.new_reader("modes")
        self.target_database("modes")
        self.target.execute("modes", "create schema app")
        for mode in ("TRUNCATE_BEFORE_LOAD", "DROP_AND_CREATE"):
            with self.subTest(mode):
                self.target.execute("modes", "drop table if exists app.t", "create table app.t (id int primary key, v text)",
                                    "insert into app.t values (99, 'old')")
                task = Task(self.source.url("modes"), self.target.url("modes"), [selection("app")],
                            {"FullLoadSettings": {"TargetTablePrepMode": mode}})
                scripts = self.grants(task, source_password=PASSWORD)
                self.as_users(task, self.source.url("modes", "reader"), self.target.url("modes", "writer"))
                granting = self.assert_runs(task)
                next(granting)
                self.source.execute("modes", *self.statements(scripts, "source"))
                self.target.execute("modes", *self.statements(scripts, "target"))
                next(granting, None)
                self.assertEqual(self.target.query("modes", "select count(*), max(id) from app.t"), [(20, 20)])

    def test_postgres_into_tables_that_are_there(self):
        self.source.create_database("pg_grants")
        self.source.execute("pg_grants", "create role keeper", "create schema app authorization keeper",
                            "set role keeper", "create table app.parent (id int primary key)",
                            "create table app.child (id int primary key, parent int references app.parent)",
                            "insert into app.parent values (1), (2)", "insert into app.child values (1, 2)",
                            "reset role")
        self.new_reader("pg_grants")
        self.target_database("pg_grants")
        self.target.execute("pg_grants", "create schema app", "create table app.parent (id int primary key)",
                            "create table app.child (id int primary key, parent int references app.parent)")
        task = Task(self.source.url("pg_grants"), self.target.url("pg_grants"), [selection("app")],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"},
                     "TargetMetadata": {"ParallelApplyThreads": 2}})
        task.migration_type = "full-load-and-cdc"
        scripts = self.grants(task, source_password=PASSWORD)
        self.as_users(task, self.source.url("pg_grants", "reader"), self.target.url("pg_grants", "writer"))
        granting = self.assert_runs(task, "--stop-when", "caught-up")
        next(granting)
        self.source.execute("pg_grants", *self.statements(scripts, "source"))
        self.target.execute("pg_grants", *self.statements(scripts, "target"))
        next(granting, None)
        self.source.execute("pg_grants", "insert into app.child values (2, 1)", "delete from app.child where id = 1")
        run = task.run("--stop-when", "caught-up", source_password=LOW_PASSWORD, target_password=LOW_PASSWORD)
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.target.query("pg_grants", "select * from app.child"), [(2, 1)])
        forgotten = wherry("forget", *task.flags(), "--yes", source_password=LOW_PASSWORD, target_password=LOW_PASSWORD)
        self.assertEqual(forgotten.status, 0, forgotten.describe())


if __name__ == "__main__":
    unittest.main()
