"""Views as sources: what rules take, what a full load makes of them, and that changes leave them out."""
import json
import signal
import unittest

from support.case import LoadCase
from support.change_case import ChangeCase
from support.oracle_case import OracleCase
from support.postgres import PASSWORD, Postgres
from support.wherry import Task, lowercase, selection, wherry

DONE, REFUSED, WARNED, TABLES_IN_ERROR = 0, 2, 3, 3
EXPOSED = "?ExposeViews=true"
SETTINGS = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}}


def views(schema, name="%", rule_id=1, action="include", table_type="view", **more):
    rule = selection(schema, name, rule_id, action) | more
    rule["object-locator"]["table-type"] = table_type
    return rule


def settings_of(schema, name, rule_id, **parallel_load):
    return {"rule-type": "table-settings", "rule-id": str(rule_id), "rule-name": str(rule_id),
            "object-locator": {"schema-name": schema, "table-name": name},
            "parallel-load": parallel_load}


def codes(plan):
    return {warning["code"] for table in [plan, *plan["tables"]] for warning in table["warnings"]}


class OracleViews(LoadCase):
    FILL = (
        "create table dept (id number(4) primary key, name varchar2(20) not null)",
        "create table emp (id number(9) primary key, dept number(4), salary number, "
        "born date, letter clob, photo blob, code char(6))",
        "insert into dept select level, 'dept ' || level from dual connect by level <= 5",
        "insert into emp select level, mod(level, 5) + 1, level / 7, date '2000-01-01' + level, "
        "rpad('x', level * 10, 'y'), hextoraw(rpad('0', mod(level, 50) * 2, 'A')), 'c' || level "
        "from dual connect by level <= 1000",
        "create view staff as select e.id, d.name department, e.salary * 12 yearly, e.born, "
        "e.letter, e.photo, e.code, upper(d.name) || '!' shout, null nothing, 'fixed' fixed, "
        "count(*) over (partition by d.id) colleagues "
        "from emp e join dept d on d.id = e.dept order by e.salary desc",
        "create view totals (department, heads, paid) as "
        "select dept, count(*), sum(salary) from emp group by dept",
        "create view \"Odd View\" as select id \"The Id\", name from dept where id > 2",
        "create table gone (id number(9))",
        "create view broken as select id from gone",
        "drop table gone purge",
        "create or replace force view never as select id from nowhere",
        "begin dbms_stats.gather_schema_stats('APP'); end;")

    def setUp(self):
        self.database = self.new_database()

    def task(self, *rules, options=EXPOSED, settings=None):
        task = Task(self.sim.url() + options, self.postgres.url(self.database), list(rules),
                    settings or SETTINGS)
        self.addCleanup(task.close)
        return task

    def plan(self, *rules, options=EXPOSED, status=WARNED):
        run = wherry("plan", *self.task(*rules, options=options).flags(), "--format", "json")
        self.assertEqual(run.status, status, run.describe())
        return json.loads(run.stdout)

    def load(self, *rules, status=DONE, options=EXPOSED):
        task = self.task(*rules, options=options)
        run = task.run()
        self.assertEqual(run.status, status, run.describe())
        return task, run

    def target(self, sql):
        return self.postgres.query(self.database, sql)

    def planned(self, *rules):
        return {table["source"]["table"] for table in self.plan(*rules)["tables"]}

    def test_a_view_becomes_a_table_with_all_its_values(self):
        task, _ = self.load(views("APP", "STAFF"), lowercase("table", 2), lowercase("schema", 3),
                            lowercase("column", 4))
        self.assertEqual(self.target("select relkind from pg_class where relname = 'staff'"), [("r",)])
        self.assertEqual(self.target("select count(*), count(distinct id), count(nothing), "
                                     "min(fixed), min(colleagues), max(colleagues) from app.staff"),
                         [(1000, 1000, 0, "fixed", 200, 200)])
        expected = self.sim.query("select id, department, yearly, born, to_char(letter), "
                                  "rawtohex(photo), rtrim(code), shout from staff where id <= 200 "
                                  "order by id")
        found = self.target("select id, department, yearly, born, letter, "
                            "upper(encode(photo, 'hex')), code, shout from app.staff "
                            "where id <= 200 order by id")
        as_text = [tuple("" if value is None else f"{float(value):.10g}" if i == 2 else str(value)
                         for i, value in enumerate(row)) for row in expected]
        self.assertEqual([tuple("" if value is None else f"{float(value):.10g}" if i == 2
                                else str(value) for i, value in enumerate(row)) for row in found],
                         as_text)
        types = dict(self.target("select a.attname::text, format_type(a.atttypid, a.atttypmod) "
                                 "from pg_attribute a where attrelid = 'app.staff'::regclass "
                                 "and attnum > 0"))
        self.assertEqual((types["yearly"], types["letter"], types["photo"], types["department"]),
                         ("numeric", "text", "bytea", "character varying(20)"))
        self.assertEqual(self.target("select count(*) from pg_attribute where attnotnull and "
                                     "attnum > 0 and attrelid = 'app.staff'::regclass"), [(0,)])
        self.assertEqual(self.target("select count(*) from pg_constraint where conrelid = "
                                     "'app.staff'::regclass"), [(0,)])
        checked = task.validate()
        self.assertEqual(checked.status, DONE, checked.describe())
        self.assertIn("Not compared: a view", checked.stdout)
        told = task.validate("--progress", "json")
        self.assertEqual([(table["table"], table["state"]) for table in told.events[-1]["tables"]],
                         [("STAFF", "Not enabled")])

    def test_what_the_rules_take(self):
        everything = {"EMP", "DEPT"}
        all_views = {"STAFF", "TOTALS", "Odd View", "BROKEN"}
        for rules, expected in [
                ([selection("APP")], everything),
                ([views("APP", "%")], all_views),
                ([views("APP", "%", table_type="all")], everything | all_views),
                ([views("APP", "%", table_type="all"), selection("APP", "%", 2, "exclude")], all_views),
                ([views("APP", "%", table_type="all"), views("APP", "%", 2, "exclude")], everything),
                ([views("APP", "%", table_type="all"),
                  views("APP", "[A-S]%", 2, "exclude", "all")], {"TOTALS"}),
                ([selection("APP", "DEPT"), views("APP", "Odd View", 2, "explicit")],
                 {"DEPT", "Odd View"}),
                ([views("APP", "%", table_type="all"), views("APP", "%", 2, "exclude", "all"),
                  views("APP", "TOTALS", 3, "explicit")], {"TOTALS"})]:
            with self.subTest(rules):
                run = wherry("plan", *self.task(*rules).flags(), "--format", "json")
                self.assertEqual({table["source"]["table"] for table in
                                  json.loads(run.stdout)["tables"]}, expected, run.describe())

    def test_without_the_endpoint_setting_the_plan_says_what_is_missing(self):
        plan = self.plan(views("APP", "%", table_type="all"), options="")
        self.assertEqual({table["source"]["table"] for table in plan["tables"]}, {"EMP", "DEPT"})
        warning, = plan["warnings"]
        self.assertEqual((warning["code"], warning["rank"]), ("plan.views_not_exposed", "loss"))
        for part in ("ExposeViews=true", "APP.STAFF", "APP.Odd View"):
            self.assertIn(part, warning["text"])
        _, run = self.load(views("APP", "STAFF"), options="", status=REFUSED)
        self.assertIn("ExposeViews=true", run.stderr)
        for written in ("?exposeViews=Y", "?ExposeViews=true"):
            self.plan(views("APP", "STAFF"), options=written)
        wrong = wherry("plan", *self.task(views("APP", "STAFF"), options="?ExposeViews=7").flags())
        self.assertEqual(wrong.status, REFUSED, wrong.describe())
        self.assertIn("ExposeViews", wrong.stderr)

    def test_a_rule_that_names_a_view_and_takes_tables_is_told(self):
        plan = self.plan(selection("APP", "DEPT"), selection("APP", "STAFF", 2))
        warning, = plan["warnings"]
        self.assertEqual(warning["code"], "plan.view_not_selected")
        for part in ("rule-id 2", "APP.STAFF", "table-type"):
            self.assertIn(part, warning["text"])

    def test_invalid_views_are_in_error_and_the_others_load(self):
        _, run = self.load(views("APP", "%"), status=TABLES_IN_ERROR)
        self.assertIn("ORA-04063", run.stderr)
        self.assertIn("BROKEN", run.stderr)
        self.assertIn("plan.no_columns", run.stderr)
        self.assertIn("NEVER", run.stderr)
        self.assertEqual(self.target('select count(*) from "APP"."STAFF"'), [(1000,)])
        self.assertEqual(self.target('select "DEPARTMENT", "HEADS", round("PAID") from "APP"."TOTALS" '
                                     "order by 1"),
                         [(int(a), int(b), round(c)) for a, b, c in self.sim.query(
                             "select department, heads, round(paid) from totals order by 1")])
        self.assertEqual(self.target('select "The Id", "NAME" from "APP"."Odd View" order by 1'),
                         [(n, f"dept {n}") for n in (3, 4, 5)])

    def test_rules_work_on_views(self):
        filtered = views("APP", "STAFF", filters=[{
            "filter-type": "source", "column-name": "ID",
            "filter-conditions": [{"filter-operator": "ste", "value": "100"}]}])
        key = {"rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "table",
               "rule-action": "define-primary-key",
               "object-locator": {"schema-name": "APP", "table-name": "STAFF"},
               "primary-key-def": {"columns": ["ID"]}}
        added = {"rule-type": "transformation", "rule-id": "3", "rule-name": "3",
                 "rule-target": "column", "rule-action": "add-column", "value": "TWICE",
                 "expression": "$ID * 2", "data-type": {"type": "int8"},
                 "object-locator": {"schema-name": "APP", "table-name": "STAFF"}}
        self.load(filtered, key, added)
        self.assertEqual(self.target('select count(*), max("ID"), sum("TWICE") from "APP"."STAFF"'),
                         [(100, 100, 10100)])
        self.assertEqual(self.target("select pg_get_constraintdef(oid) from pg_constraint where "
                                     "conrelid = '\"APP\".\"STAFF\"'::regclass"),
                         [('PRIMARY KEY ("ID")',)])

    def test_a_view_is_cut_by_ranges_only(self):
        ranges = settings_of("APP", "STAFF", 2, type="ranges", columns=["ID"],
                             boundaries=[["100"], ["700"]])
        _, run = self.load(views("APP", "STAFF"), ranges)
        table, = run.events[-1]["tables"]
        self.assertGreaterEqual(table["chunks"], 3)
        self.assertEqual(self.target('select count(*), count(distinct "ID") from "APP"."STAFF"'),
                         [(1000, 1000)])
        auto = settings_of("APP", "STAFF", 2, type="partitions-auto")
        self.assertIn("plan.view_not_cut", codes(self.plan(views("APP", "STAFF"), auto)))
        _, run = self.load(views("APP", "STAFF"), auto)
        self.assertEqual(run.events[-1]["tables"][0]["chunks"], 1)
        listed = settings_of("APP", "STAFF", 2, type="partitions-list", partitions=["P1"])
        plan = self.plan(views("APP", "STAFF"), listed, status=REFUSED)
        self.assertEqual([refused["code"] for refused in plan["refused"]],
                         ["plan.view_has_no_partitions"])

    def test_an_interrupted_load_goes_on_behind_the_last_range_or_begins_the_view_again(self):
        ranges = settings_of("APP", "STAFF", 2, type="ranges", columns=["ID"],
                             boundaries=[["100"], ["700"]])
        for more, point in (([ranges], "load.after_commit:1"), ([], "load.before_commit:1"),
                            ([], "load.after_commit:1")):
            with self.subTest(point, ranges=bool(more)):
                self.database = self.new_database()
                task = self.task(views("APP", "STAFF"), *more)
                died = task.start(environment={"WHERRY_FAILPOINT": point}).finish(60)
                self.assertEqual(died.status, -signal.SIGKILL, died.describe())
                run = task.run()
                self.assertEqual(run.status, DONE, run.describe())
                self.assertEqual(self.target('select count(*), count(distinct "ID") from '
                                             '"APP"."STAFF"'), [(1000, 1000)])

    def test_a_view_is_read_as_of_the_moment_of_the_load(self):
        with self.sim.connect() as connection, connection.cursor() as cursor:
            before, = cursor.execute("select current_scn from v$database").fetchone()
            cursor.execute("update emp set salary = 0")
            connection.commit()
            paid = f"select sum(paid) from totals as of scn {before}"
            self.assertGreater(cursor.execute(paid).fetchone()[0], 0)
            self.assertEqual(cursor.execute("select sum(paid) from totals").fetchone()[0], 0)
            cursor.execute("update emp set salary = id / 7")
            connection.commit()


class PostgresViews(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        for database in ("source", "other"):
            cls.postgres.create_database(database)
        cls.postgres.execute("other", "create table remote (id integer primary key, word text)",
                             "insert into remote select n, 'far ' || n from generate_series(1, 50) n")
        cls.postgres.execute(
            "source", "create schema app", "create extension postgres_fdw",
            "create type app.mood as enum ('sad', 'ok')",
            "create table app.emp (id integer primary key, name text not null, mood app.mood, "
            "pay numeric(9,2))",
            "insert into app.emp select n, repeat('x', n), (array['sad', 'ok']::app.mood[])[n % 2 + 1],"
            " n / 3.0 from generate_series(1, 500) n",
            "create view app.staff as select id, upper(name) as name, mood, pay * 12 as yearly, "
            "array[id, id + 1] as pair, row_number() over (order by pay desc) as place from app.emp "
            "order by pay",
            'create view app."odd ""view""" as select 1 as "a b"',
            "create materialized view app.summary as select mood, count(*) as heads from app.emp "
            "group by mood",
            "create unique index on app.summary (mood)",
            "create materialized view app.unfilled as select 1 as one with no data",
            "create server far foreign data wrapper postgres_fdw options "
            f"(host '127.0.0.1', port '{cls.postgres.port}', dbname 'other')",
            f"create user mapping for current_user server far options (user '{cls.postgres.user}', "
            f"password '{PASSWORD}')",
            "create foreign table app.far (id integer, word text) server far "
            "options (schema_name 'public', table_name 'remote')",
            "create table app.inner_table (id integer)",
            "create function app.fails() returns integer language plpgsql as $$ begin "
            "raise 'no such luck'; end $$",
            "create view app.failing as select app.fails() as id")
        cls.databases = 0

    def setUp(self):
        type(self).databases += 1
        self.database = f"target{self.databases}"
        self.postgres.create_database(self.database)
        self.postgres.execute(self.database, "create schema app",
                              "create type app.mood as enum ('sad', 'ok')")

    def task(self, *rules):
        task = Task(self.postgres.url("source"), self.postgres.url(self.database), list(rules),
                    SETTINGS)
        self.addCleanup(task.close)
        return task

    def load(self, *rules, status=DONE):
        task = self.task(*rules)
        run = task.run(source_password=PASSWORD)
        self.assertEqual(run.status, status, run.describe())
        return task, run

    def target(self, sql):
        return self.postgres.query(self.database, sql)

    def plan(self, *rules):
        run = wherry("plan", *self.task(*rules).flags(), "--format", "json", source_password=PASSWORD)
        return json.loads(run.stdout)

    def test_views_need_no_setting_and_become_tables(self):
        for wanted in ("staff", 'odd "view"', "summary"):
            task, run = self.load(views("app", wanted.replace("_", "[_]"), action="explicit"))
            quoted = wanted.replace('"', '""')
            self.assertEqual(self.target(f"select relkind from pg_class where oid = "
                                         f"'app.\"{quoted}\"'::regclass"), [("r",)], run.describe())
            same = f'select * from app."{quoted}" order by 1'
            self.assertEqual(self.target(same), self.postgres.query("source", same))
            self.assertEqual(self.target("select count(*) from pg_index i join pg_class c "
                                         "on c.oid = i.indrelid where c.relnamespace = "
                                         "'app'::regnamespace"), [(0,)])
            checked = task.validate(source_password=PASSWORD)
            self.assertEqual(checked.status, DONE, checked.describe())
            self.assertIn("Not compared: a view", checked.stdout)

    def test_what_the_rules_take(self):
        tables = {"emp", "far", "inner_table"}
        all_views = {"staff", 'odd "view"', "summary", "unfilled", "failing"}
        for rules, expected in [
                ([selection("app")], tables), ([views("app")], all_views),
                ([views("app", table_type="all")], tables | all_views),
                ([views("app", table_type="all"), selection("app", "%", 2, "exclude")], all_views),
                ([views("app", table_type="all"), views("app", "s%", 2, "exclude"),
                  selection("app", "%a%", 3, "exclude")], (tables | all_views) - {
                      "staff", "summary", "far", "inner_table"})]:
            with self.subTest(rules):
                self.assertEqual({table["source"]["table"] for table in self.plan(*rules)["tables"]},
                                 expected)

    def test_kinds_are_shown_and_a_foreign_table_is_told(self):
        plan = self.plan(views("app", table_type="all"))
        kinds = {table["source"]["table"]: table.get("source_kind") for table in plan["tables"]}
        self.assertEqual((kinds["emp"], kinds["staff"], kinds["summary"], kinds["far"]),
                         (None, "view", "materialized view", "foreign table"))
        far = next(table for table in plan["tables"] if table["source"]["table"] == "far")
        self.assertIn("plan.foreign_table", {warning["code"] for warning in far["warnings"]})
        self.load(selection("app", "far"))
        self.assertEqual(self.target("select count(*), max(word) from app.far"), [(50, "far 9")])

    def test_what_fails_is_in_error_and_the_others_load(self):
        _, run = self.load(views("app"), status=TABLES_IN_ERROR)
        self.assertIn("no such luck", run.stderr)
        self.assertIn("app.unfilled", run.stderr)
        self.assertIn("refresh materialized view", run.stderr.lower())
        self.assertEqual(self.target("select count(*) from app.staff"), [(500,)])

    def test_ranges_cut_a_view_and_partitions_do_not(self):
        _, run = self.load(views("app", "staff"), settings_of(
            "app", "staff", 2, type="ranges", columns=["id"], boundaries=[["100"], ["400"]]))
        self.assertGreaterEqual(run.events[-1]["tables"][0]["chunks"], 3)
        self.assertEqual(self.target("select count(*), count(distinct id) from app.staff"),
                         [(500, 500)])
        auto = settings_of("app", "staff", 2, type="partitions-auto")
        self.assertIn("plan.view_not_cut", codes(self.plan(views("app", "staff"), auto)))

    def test_a_view_that_may_not_be_read(self):
        self.postgres.execute("source", f"create role reader login password '{PASSWORD}'",
                              "grant usage on schema app to reader",
                              "grant select on app.emp to reader")
        task = Task(self.postgres.url("source", "reader"), self.postgres.url(self.database),
                    [views("app", "staff"), selection("app", "emp", 2)], SETTINGS)
        self.addCleanup(task.close)
        run = task.run(source_password=PASSWORD)
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        self.assertIn("42501", run.stderr)
        self.assertIn("staff", run.stderr)
        self.assertEqual(self.target("select count(*) from app.emp"), [(500,)])


class PostgresChanges(ChangeCase):
    def test_a_task_with_changes_carries_tables_and_says_so(self):
        self.at_source("create table app.t (id integer primary key)", "insert into app.t values (1)",
                       "create view app.v as select id from app.t",
                       "create materialized view app.m as select id from app.t")
        for migration_type in ("full-load-and-cdc", "cdc"):
            task = self.task(migration_type=migration_type)
            with open(task.mappings, "w", encoding="utf-8") as file:
                json.dump({"rules": [views("app", table_type="all")]}, file)
            planned = wherry("plan", *task.flags(), "--migration-type", migration_type, "--format",
                             "json", source_password=PASSWORD)
            self.assertEqual(planned.status, WARNED, planned.describe())
            plan = json.loads(planned.stdout)
            self.assertEqual({table["source"]["table"] for table in plan["tables"]}, {"t", "marker"})
            warning, = [each for each in plan["warnings"]
                        if each["code"] == "plan.view_without_changes"]
            self.assertIn("app.v", warning["text"])
            self.assertIn("app.m", warning["text"])
            if migration_type == "cdc":
                continue
            run = self.follow(task)
            self.at_source("insert into app.t values (2)", "create view app.later as select 1 as a")
            self.catch_up(run)
            self.stop(run)
            self.assertIn("plan.view_without_changes", (task.directory / "wherry.log").read_text())
            self.assertEqual(self.target.query(self.name, "select relname::text from pg_class where "
                                               "relnamespace = 'app'::regnamespace and relkind <> 'i' "
                                               "order by 1"), [("marker",), ("t",)])
            checked = task.validate(source_password=PASSWORD)
            self.assertEqual(checked.status, DONE, checked.describe())

    def test_views_alone_are_no_task_with_changes(self):
        self.at_source("create view app.v as select 1 as a")
        task = self.task()
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": [views("app")]}, file)
        run = self.start(task).finish(60)
        self.assertEqual(run.status, REFUSED, run.describe())
        self.assertIn("app.v", run.stderr)
        self.assertIn("full-load", run.stderr)


class OracleChanges(OracleCase):
    def test_a_task_with_changes_carries_tables_and_says_so(self):
        self.at_source("create view rich as select id from accounts where balance > 10")
        rules = [views("APP", table_type="all"), *(lowercase(what, n) for n, what in
                                                   enumerate(("schema", "table", "column"), 2))]
        task = self.task(options=EXPOSED, rules=rules)
        planned = wherry("plan", *task.flags(), "--migration-type", "full-load-and-cdc", "--format",
                         "json")
        warning, = [each for each in json.loads(planned.stdout)["warnings"]
                    if each["code"] == "plan.view_without_changes"]
        self.assertIn("APP.RICH", warning["text"])
        run = self.follow(task)
        self.catch_up(run)
        self.stop(run)
        self.assertIn("plan.view_without_changes", (task.directory / "wherry.log").read_text())
        self.assertEqual(self.target.query(self.name, "select count(*) from pg_class where "
                                           "relname = 'rich'"), [(0,)])


if __name__ == "__main__":
    unittest.main()
