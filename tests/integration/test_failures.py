"""What goes wrong on migration night: exit status, one readable paragraph, a remedy, no password."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support.orasim import PASSWORD, Orasim
from support.postgres import Postgres
from support.process import free_port
from support.proxy import Proxy
from support.wherry import Task, selection, wherry

BIG_ROWS = 200_000
FAILED, REFUSED, TABLES_IN_ERROR = 1, 2, 3
READER = "READER"
ONCE_MORE = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"},
             "ErrorBehavior": {"RecoverableErrorCount": 1, "RecoverableErrorInterval": 1}}


def assert_failed(test, run, statuses, *words):
    """Exit status; one paragraph on stderr that holds all `words`, and no trace of a crash."""
    test.assertIn(run.status, statuses, run.describe())
    text = run.stderr.strip()
    test.assertTrue(text, "nothing on stderr")
    test.assertNotIn("\n\n", text, f"more than one paragraph:\n{text}")
    for word in words:
        test.assertIn(word.lower(), text.lower(), text)
    test.assertNotIn("terminate called", text)


class Requests(unittest.TestCase):
    """Flags that make no sense; needs no server."""

    def test_nonsense_flags(self):
        for arguments, words in [
                (["run", "--no-such-flag"], ["--no-such-flag"]),
                (["run", "--migration-type", "full-load"], ["--source"]),
                (["run", "--migration-type", "sideways"], ["--migration-type"]),
                (["no-such-command"], ["subcommand"]),
                (["run", "--source", "oracle://a@b/c", "--target", "nosuch://b/c",
                  "--migration-type", "full-load"], ["nosuch"]),
                (["run", "--source", "not a url", "--target", "postgresql://a@b/c",
                  "--migration-type", "full-load"], ["url"])]:
            with self.subTest(arguments=arguments):
                assert_failed(self, wherry(*arguments), [REFUSED], *words)


class Failures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = cls.start_sim()
        cls.addClassCleanup(lambda: cls.sim.close())
        cls.postgres = Postgres()
        cls.addClassCleanup(lambda: cls.postgres.close())
        cls.databases = 0

    @classmethod
    def start_sim(cls):
        sim = Orasim()
        sim.execute(
            "create table big (id number(9) primary key, name varchar2(200), d date)",
            "insert into big select level, rpad('row ' || level, 150, 'x'), date '2020-01-01' "
            f"from dual connect by level <= {BIG_ROWS}",
            "create table small (id number(9) primary key, s varchar2(20))",
            "insert into small values (1, 'one')")
        return sim

    def new_database(self):
        type(self).databases += 1
        name = f"fail{self.databases}"
        self.postgres.create_database(name)
        return name

    def task(self, source, target, *rules, settings=None):
        task = Task(source, target, list(rules) or [selection("APP")], settings)
        self.addCleanup(task.close)
        return task

    def assert_failed(self, run, status, *words):
        assert_failed(self, run, [status], *words)

    def rows_at_target(self, database, table="BIG"):
        exists = self.postgres.query(
            database, "select to_regclass(%s) is not null", [f'"APP"."{table}"'])[0][0]
        if not exists:
            return 0
        return self.postgres.query(database, f'select count(*) from "APP"."{table}"')[0][0]

    # --- the wrong address or the wrong word

    def test_wrong_source_password(self):
        run = self.task(self.sim.url(), self.postgres.url("postgres")).run(
            source_password="not-The-Word-7")
        self.assert_failed(run, FAILED, "ORA-01017", "WHERRY_SOURCE_PASSWORD")

    def test_wrong_target_password(self):
        run = self.task(self.sim.url(), self.postgres.url("postgres")).run(
            target_password="not-The-Word-8")
        self.assert_failed(run, FAILED, "password", "WHERRY_TARGET_PASSWORD")

    def test_unknown_service(self):
        run = self.task(self.sim.url(service="NOWHERE"), self.postgres.url("postgres")).run()
        assert_failed(self, run, [FAILED, REFUSED], "ORA-12514", "NOWHERE")

    def test_no_listener(self):
        port = free_port()
        run = self.task(f"oracle://APP@127.0.0.1:{port}/SIMPDB1",
                        self.postgres.url("postgres")).run()
        self.assert_failed(run, FAILED, str(port), "refused")

    def test_no_server_at_the_target(self):
        port = free_port()
        run = self.task(self.sim.url(), f"postgresql://wherry@127.0.0.1:{port}/postgres").run()
        self.assert_failed(run, FAILED, str(port), "refused")

    def test_unknown_database(self):
        run = self.task(self.sim.url(), self.postgres.url("no_such_db")).run()
        assert_failed(self, run, [FAILED, REFUSED], "no_such_db")

    def test_unknown_host(self):
        run = self.task("oracle://APP@no-such-host.invalid:1521/X",
                        self.postgres.url("postgres")).run()
        self.assert_failed(run, FAILED, "no-such-host.invalid")

    # --- requests that make no sense

    def test_a_rule_that_nobody_understands_is_refused_with_its_id(self):
        rule = {"rule-type": "selection", "rule-id": "4711", "rule-name": "x",
                "rule-action": "include",
                "object-locator": {"schema-name": "%", "table-name": "%", "table-type": "synonym"}}
        run = self.task(self.sim.url(), self.postgres.url("postgres"), selection("APP"), rule).run()
        self.assert_failed(run, REFUSED, "4711", "table-type 'synonym' does not exist")

    def test_mappings_that_are_no_json(self):
        task = self.task(self.sim.url(), self.postgres.url("postgres"))
        pathlib.Path(task.mappings).write_text('{"rules": [')
        self.assert_failed(task.run(), REFUSED, task.mappings)

    def test_no_table_matches(self):
        run = self.task(self.sim.url(), self.postgres.url("postgres"), selection("NOBODY")).run()
        self.assertIn(run.status, (FAILED, REFUSED), run.describe())
        self.assertIn("selection", run.stderr.lower(), run.describe())

    # --- privileges

    def test_missing_privilege_at_the_source(self):
        self.reader()
        self.sim.execute(f"revoke create session from {READER}")
        run = self.task(self.sim.url(READER), self.postgres.url(self.new_database())).run()
        self.assert_failed(run, FAILED, "ORA-01045", "grant create session")

    def reader(self, *grants):
        """A user of the source that may log in and has these grants."""
        self.sim.execute(f'create user {READER} identified by "{PASSWORD}"',
                         f"grant create session to {READER}",
                         *[f"grant {grant} to {READER}" for grant in grants])
        self.addCleanup(self.sim.execute, f"drop user {READER}")

    def test_a_source_user_that_may_not_learn_the_scn(self):
        self.reader("select, flashback on small")
        run = self.task(self.sim.url(READER), self.postgres.url(self.new_database())).run()
        self.assert_failed(run, FAILED, "grant select on sys.v_$database to reader",
                           "grant execute on sys.dbms_flashback to reader")

    def test_a_source_user_that_lacks_select_on_one_table(self):
        self.reader("select on v_$database", "select, flashback on big", "insert on small")
        database = self.new_database()
        run = self.task(self.sim.url(READER), self.postgres.url(database)).run()
        self.assert_failed(run, TABLES_IN_ERROR, "APP.SMALL", "ORA-01031",
                           'grant select, flashback on "APP"."SMALL" to reader')
        self.assertEqual(self.rows_at_target(database), BIG_ROWS)

    def test_a_source_user_that_lacks_flashback(self):
        self.reader("execute on dbms_flashback", "select on small")
        database = self.new_database()
        run = self.task(self.sim.url(READER), self.postgres.url(database)).run()
        self.assert_failed(run, TABLES_IN_ERROR, "APP.SMALL", "ORA-01031",
                           'grant select, flashback on "APP"."SMALL" to reader')
        self.sim.execute(f"grant flashback on small to {READER}")
        run = self.task(self.sim.url(READER), self.postgres.url(database)).run()
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.rows_at_target(database, "SMALL"), 1)

    def test_a_source_user_that_sees_no_table(self):
        self.reader("execute on dbms_flashback")
        run = self.task(self.sim.url(READER), self.postgres.url(self.new_database())).run()
        self.assertIn(run.status, (FAILED, REFUSED), run.describe())
        self.assertIn("grant it select", run.stderr.lower(), run.describe())

    def test_missing_privilege_at_the_target(self):
        database = self.new_database()
        self.postgres.execute(
            database, "create role guest login password 'guest-Secret-3'",
            f'revoke create on database "{database}" from public')
        run = self.task(self.sim.url(), self.postgres.url(database, "guest")).run(
            target_password="guest-Secret-3")
        self.assert_failed(run, FAILED, "permission denied", f'grant create on database "{database}"')

    def test_missing_privileges_on_target_tables_are_named_before_anything_is_changed(self):
        database = self.new_database()
        self.postgres.execute(
            database, "create role loader login password 'guest-Secret-3'", 'create schema "APP"',
            'create table "APP"."SMALL" ("ID" numeric, "S" text)',
            'insert into "APP"."SMALL" values (7, \'kept\')',
            'grant usage on schema "APP" to loader', 'grant insert on "APP"."SMALL" to loader')
        rules = [selection("APP", "SMALL")]
        for mode, grant in [
                ("DROP_AND_CREATE", 'grant create on schema "APP"'),
                ("TRUNCATE_BEFORE_LOAD", 'grant insert, truncate on table "APP"."SMALL"')]:
            task = self.task(self.sim.url(), self.postgres.url(database, "loader"), *rules,
                             settings={"FullLoadSettings": {"TargetTablePrepMode": mode}})
            run = task.run(target_password="guest-Secret-3")
            self.assert_failed(run, FAILED, "permission denied", grant)
        self.assertEqual(self.rows_at_target(database, "SMALL"), 1)
        task = self.task(self.sim.url(), self.postgres.url(database, "loader"), *rules,
                         settings={"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}})
        run = task.run(target_password="guest-Secret-3")
        self.assertEqual(run.status, 0, run.describe())
        self.assertIn('grant create on schema "public" to loader', run.log_file.read_text())
        self.assertEqual(self.rows_at_target(database, "SMALL"), 2)
        task = self.task(self.sim.url(), self.postgres.url(database, "loader"), *rules, settings={
            "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"},
            "ControlTablesSettings": {"StatusTableEnabled": True}})
        run = task.run(target_password="guest-Secret-3")
        self.assert_failed(run, FAILED, "control tables", "ControlSchema",
                           'grant create on schema "public" to loader')

    # --- tables that others work with

    def test_a_locked_target_table_is_in_error_and_the_others_go_on(self):
        database = self.new_database()
        self.postgres.execute(database, 'create schema "APP"',
                              'create table "APP"."SMALL" ("ID" numeric, "S" text)')
        holder = self.postgres.connect(database)
        self.addCleanup(holder.close)
        holder.cursor().execute('begin; lock table "APP"."SMALL"')
        run = self.task(self.sim.url(), self.postgres.url(database) + "?lock_timeout=1").run()
        self.assert_failed(run, TABLES_IN_ERROR, "APP.SMALL", "lock",
                           f"process {holder.get_backend_pid()}")
        self.assertEqual(self.rows_at_target(database), BIG_ROWS)

    def run_while_small_changes(self, *statements):
        """SMALL is changed at the source after the load has begun and before its turn."""
        sim = self.start_sim()
        self.addCleanup(sim.close)
        proxy = Proxy(sim.host, sim.port, hold_after_bytes=4_000_000)
        self.addCleanup(proxy.close)
        database = self.new_database()
        run = self.task(f"oracle://APP@127.0.0.1:{proxy.port}/SIMPDB1",
                        self.postgres.url(database),
                        settings={"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE",
                                                       "MaxFullLoadSubTasks": 1}}).start()
        self.assertTrue(proxy.reached.wait(60), "the load did not get going")
        sim.execute(*statements)
        proxy.release()
        run.finish(60)
        return run, database

    def test_a_source_table_that_is_made_anew_during_the_load(self):
        """ORA-01466: what was there at the load's SCN is gone, so the table is read as it is now."""
        run, database = self.run_while_small_changes(
            "drop table small", "create table small (id number(9) primary key, s varchar2(20))",
            "insert into small values (5, 'five')", "insert into small values (6, 'six')")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.rows_at_target(database), BIG_ROWS)
        self.assertEqual(self.rows_at_target(database, "SMALL"), 2)

    def test_a_source_table_that_is_dropped_during_the_load(self):
        run, database = self.run_while_small_changes("drop table small")
        self.assert_failed(run, TABLES_IN_ERROR, "APP.SMALL", "ORA-00942")
        self.assertEqual(self.rows_at_target(database), BIG_ROWS)

    def test_undo_that_is_gone(self):
        run, database = self.run_while_small_changes(
            "insert into small values (2, 'two')", "commit",
            "alter system set undo_retention = 0")
        self.assertEqual(run.status, 0, run.describe())
        self.assertIn("ORA-01555", run.log_file.read_text())
        self.assertEqual(self.rows_at_target(database), BIG_ROWS)
        self.assertEqual(self.rows_at_target(database, "SMALL"), 2)

    # --- data that does not fit, and the log

    def test_the_operator_sees_the_row_and_the_log_does_not(self):
        self.sim.execute(
            "create table secrets (code varchar2(40) primary key, note varchar2(60))",
            "insert into secrets values ('Key-Of-Row-1', 'Value-Of-Row-1')")
        self.addCleanup(self.sim.execute, "drop table secrets")
        for definition, existing, words in [
                ('"CODE" varchar(40) primary key, "NOTE" text',
                 "('Key-Of-Row-1', 'other')", ["duplicate", "Key-Of-Row-1"]),
                ('"CODE" text, "NOTE" varchar(5)', None, ["Key-Of-Row-1", "NOTE"]),
                ('"CODE" text, "NOTE" text check (length("NOTE") < 3)', None, ["check"]),
                ('"CODE" text, "NOTE" text, "MORE" text not null', None, ["MORE"])]:
            with self.subTest(definition=definition):
                database = self.new_database()
                self.postgres.execute(database, 'create schema "APP"',
                                      f'create table "APP"."SECRETS" ({definition})')
                if existing:
                    self.postgres.execute(database,
                                          f'insert into "APP"."SECRETS" values {existing}')
                task = self.task(self.sim.url(), self.postgres.url(database),
                                 selection("APP", "SECRETS"),
                                 settings={"FullLoadSettings": {
                                     "TargetTablePrepMode": "DO_NOTHING"}})
                run = task.run("--log-level", "trace")
                self.assert_failed(run, TABLES_IN_ERROR, "APP.SECRETS", *words)
                log = run.log_file.read_text()
                self.assertIn("APP.SECRETS", log)
                self.assertNotIn("Value-Of-Row-1", log)

    # --- servers that die, disks that fill

    def test_killed_source(self):
        sim = self.start_sim()
        self.addCleanup(sim.close)
        proxy = Proxy(sim.host, sim.port, hold_after_bytes=4_000_000)
        self.addCleanup(proxy.close)
        database = self.new_database()
        run = self.task(f"oracle://APP@127.0.0.1:{proxy.port}/SIMPDB1",
                        self.postgres.url(database), selection("APP", "BIG"),
                        settings=ONCE_MORE).start()
        self.assertTrue(proxy.reached.wait(60), "the load did not get going")
        sim.crash()
        proxy.release()
        self.assert_failed(run.finish(60), FAILED, "BIG")
        self.assertEqual(self.rows_at_target(database), 0, "a part of the table was left")

    def test_killed_target(self):
        postgres = Postgres()
        self.addCleanup(postgres.close)
        proxy = Proxy("127.0.0.1", postgres.port, hold_after_bytes=4_000_000, count="client")
        self.addCleanup(proxy.close)
        run = self.task(self.sim.url(), f"postgresql://{postgres.user}@127.0.0.1:{proxy.port}"
                                        "/postgres", selection("APP", "BIG"),
                        settings=ONCE_MORE).start()
        self.assertTrue(proxy.reached.wait(60), "the load did not get going")
        postgres.crash()
        proxy.release()
        self.assert_failed(run.finish(60), FAILED, "BIG")
        postgres.start()
        exists = postgres.query("postgres", """select to_regclass('"APP"."BIG"') is not null""")
        if exists[0][0]:
            self.assertEqual(postgres.query("postgres", 'select count(*) from "APP"."BIG"'), [(0,)])

    def test_full_disk_at_the_target(self):
        directory = self.small_disk("96m")
        postgres = Postgres(directory)
        self.addCleanup(postgres.close)
        free = os.statvfs(directory)
        self.assertGreater(free.f_bavail * free.f_frsize, 5_000_000, "the cluster fills the disk")
        # What is left must not hold the 200,000 rows of 150 characters.
        with open(directory / "ballast", "wb") as ballast:
            ballast.write(b"x" * max(0, free.f_bavail * free.f_frsize - 20_000_000))
        run = self.task(self.sim.url(), postgres.url("postgres"), selection("APP", "BIG")).run()
        self.assert_failed(run, FAILED, "BIG", "space")

    def small_disk(self, size):
        """A directory on a file system of its own."""
        if os.geteuid() != 0:
            self.skipTest("only root can mount the small file system that this test fills")
        directory = pathlib.Path(tempfile.mkdtemp(prefix="wherry-full-"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory],
                                 stderr=subprocess.PIPE, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", directory], check=False)
        return directory

    def test_no_room_for_large_values_in_the_state_directory(self):
        self.sim.execute("create table docs (id number(9) primary key, body clob)")
        self.addCleanup(self.sim.execute, "drop table docs")
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("insert into docs values (1, :1)", ["x" * 3_000_000])
            connection.commit()
        task = self.task(self.sim.url(), self.postgres.url(self.new_database()),
                         selection("APP", "DOCS"))
        task.state = self.small_disk("1m") / "state"
        self.assert_failed(task.run(), FAILED, "APP.DOCS", "space", str(task.state))

    def test_no_room_for_the_state_itself(self):
        task = self.task(self.sim.url(), self.postgres.url(self.new_database()),
                         selection("APP", "SMALL"))
        disk = self.small_disk("64k")
        task.state = disk / "state"
        task.state.mkdir()
        with contextlib.suppress(OSError), open(disk / "ballast", "wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)
        self.assert_failed(task.run(), FAILED, "space", str(task.state))

    def test_a_state_directory_that_is_none(self):
        task = self.task(self.sim.url(), self.postgres.url("postgres"))
        task.state = pathlib.Path("/proc/version/state")
        self.assert_failed(task.run(), REFUSED, "/proc/version/state", "--state")

    def test_stop_by_signal_leaves_no_half_table(self):
        proxy = Proxy(self.sim.host, self.sim.port, hold_after_bytes=4_000_000)
        self.addCleanup(proxy.close)
        database = self.new_database()
        run = self.task(f"oracle://APP@127.0.0.1:{proxy.port}/SIMPDB1",
                        self.postgres.url(database), selection("APP", "BIG")).start()
        self.assertTrue(proxy.reached.wait(60), "the load did not get going")
        run.child.signal(15)
        run.finish(20)
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.rows_at_target(database), 0)


if __name__ == "__main__":
    unittest.main()
