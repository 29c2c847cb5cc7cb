"""Tables that exist on the target, rows it refuses, control tables, LOB limits, scripts: end to end."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from support.orasim import Orasim
from support.postgres import PASSWORD, Postgres
from support.wherry import Task, lowercase, selection, wherry

DONE, FAILED, REFUSED, TABLES_IN_ERROR = 0, 1, 2, 3
KEEP = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}}
TRUNCATE = {"FullLoadSettings": {"TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD"}}


class Target(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Orasim()
        cls.addClassCleanup(lambda: cls.sim.close())
        cls.postgres = Postgres()
        cls.addClassCleanup(lambda: cls.postgres.close())
        cls.databases = 0
        cls.sim.execute(
            "create table items (id number(9) primary key, code varchar2(20), price number, "
            "made date, active char(1), story clob)",
            *[f"insert into items values ({i}, 'C{i}', {i}.5, date '2024-01-{i:02}', "
              f"'{'Y' if i % 2 else 'N'}', '{'s' * i}')" for i in range(1, 21)], "commit")

    def setUp(self):
        type(self).databases += 1
        self.database = f"target_{self.databases}"
        self.postgres.create_database(self.database)

    def task(self, settings, *rules):
        task = Task(self.sim.url(), self.postgres.url(self.database),
                    [selection("APP", "ITEMS"), *rules], settings)
        self.addCleanup(task.close)
        return task

    def sql(self, *statements):
        self.postgres.execute(self.database, *statements)

    def one(self, query):
        return self.postgres.query(self.database, query)[0][0]

    def test_existing_columns_decide_and_the_comparison_knows(self):
        self.sql("create schema app",
                 "create table app.items (story jsonb, active boolean, made date, price float8, "
                 "code varchar(30), id bigint primary key, added timestamptz default now())")
        self.sim.execute("update items set story = '{\"n\": ' || id || '.0}'", "commit")
        self.addCleanup(self.sim.execute, "update items set story = rpad('s', id, 's')", "commit")
        task = self.task(TRUNCATE)
        run = task.run()
        self.assertEqual(run.status, DONE, run.describe())
        self.assertEqual(self.one("select count(*) from app.items where active and "
                                  "(story->>'n')::numeric = id and price = id + 0.5"), 10)
        compared = task.validate()
        self.assertEqual(compared.status, DONE, compared.describe())
        self.sql("update app.items set active = not active where id = 3")
        compared = task.validate()
        self.assertEqual(compared.status, TABLES_IN_ERROR, compared.describe())
        self.assertIn("ACTIVE", compared.stdout + compared.stderr)

    def test_a_table_that_cannot_take_the_rows_is_not_touched(self):
        self.sql("create schema app", "create table app.items (id bytea, code text, price numeric, "
                 "made timestamp, active text, story text)", "insert into app.items (code) values "
                 "('kept')")
        run = self.task(TRUNCATE).run()
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        for words in ("bytea", "NUMBER(9)", "column id"):
            self.assertIn(words, run.stderr)
        self.assertEqual(self.one("select code from app.items"), "kept")

    def test_rows_that_do_not_fit_are_recorded_and_the_rest_is_loaded(self):
        self.sql("create schema app", "create table app.items (id integer primary key, code "
                 "varchar(2), price numeric, made date check (made <> '2024-01-05'), active text, "
                 "story text)")
        task = self.task(KEEP)
        run = task.run()
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        # C10…C20 are too long, 5 January is forbidden.
        self.assertEqual(self.one("select count(*) from app.items"), 8)
        self.assertEqual(self.one("select count(*) from awsdms_apply_exceptions where "
                                  "\"TABLE_NAME\" = 'items'"), 12)
        table = run.events[-1]["tables"][0]
        self.assertEqual((table["rows"], table["refused_rows"], table["state"]),
                         (8, 12, "Table completed"))
        log = run.log_file.read_text()
        self.assertIn("id=15", log)
        self.assertNotIn("C15", log)
        self.assertIn("12 rows", run.stderr)

    def test_policies_suspend_the_table_and_the_control_tables_say_so(self):
        self.sql("create schema app", "create table app.items (id integer primary key, code "
                 "varchar(2), price numeric, made date, active text, story text)")
        settings = {**KEEP, "ErrorBehavior": {"DataTruncationErrorPolicy": "SUSPEND_TABLE"},
                    "ControlTablesSettings": {
                        "ControlSchema": "ctl", "SuspendedTablesTableEnabled": True,
                        "StatusTableEnabled": True, "HistoryTableEnabled": True}}
        run = self.task(settings).run()
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        self.assertIn("app.items", run.stderr)
        self.assertIn("DataTruncationErrorPolicy", run.stderr)
        self.assertEqual(self.one("select count(*) from app.items"), 0)
        self.assertEqual(self.postgres.query(
            self.database, "select table_owner, table_name, suspend_reason from "
            "ctl.awsdms_suspended_tables"), [("app", "items", "postgres.value_too_long")])
        self.assertEqual(self.one("select task_status from ctl.awsdms_status"), "NOT RUNNING")
        self.assertEqual(self.one("select timeslot_type from ctl.awsdms_history"), "FULL LOAD")
        settings["ErrorBehavior"]["DataTruncationErrorPolicy"] = "IGNORE_RECORD"
        settings["ErrorBehavior"]["DataErrorPolicy"] = "IGNORE_RECORD"
        run = self.task(settings).run()
        self.assertEqual(run.status, DONE, run.describe())
        self.assertEqual(self.one("select count(*) from app.items"), 9)
        settings["ErrorBehavior"]["DataTruncationErrorPolicy"] = "STOP_TASK"
        self.sql("truncate app.items")
        run = self.task(settings).run()
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertIn("DataTruncationErrorPolicy", run.stderr)

    def test_lobs_are_cut_or_left_out_when_asked(self):
        self.sim.execute("update items set story = rpad('s', 3000, 's') where id in (3, 4)",
                         "commit")
        self.addCleanup(self.sim.execute, "update items set story = rpad('s', id, 's')", "commit")
        create = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}}
        limited = self.task({**create, "TargetMetadata": {
            "SupportLobs": True, "LimitedSizeLobMode": True, "LobMaxSize": 1}},
            lowercase("schema", 7), lowercase("table", 8), lowercase("column", 9))
        run = limited.run()
        self.assertEqual(run.status, DONE, run.describe())
        self.assertEqual(self.one("select string_agg(length(story)::text, ' ' order by id) from "
                                  "app.items where id in (2, 3, 4)"), "2 1024 1024")
        self.assertEqual(run.events[-1]["tables"][0]["truncated_values"], 2)
        self.assertIn("The value of column 'STORY' in table 'APP.ITEMS' was truncated to length "
                      "1024", run.log_file.read_text())
        self.assertEqual(limited.validate().status, DONE)
        whole = {"rule-type": "table-settings", "rule-id": "10", "rule-name": "10",
                 "object-locator": {"schema-name": "APP", "table-name": "ITEMS"},
                 "lob-settings": {"mode": "unlimited"}}
        run = self.task({**create, "TargetMetadata": {
            "SupportLobs": True, "LimitedSizeLobMode": True, "LobMaxSize": 1}},
            lowercase("schema", 7), lowercase("table", 8), lowercase("column", 9), whole).run()
        self.assertEqual(run.status, DONE, run.describe())
        self.assertEqual(self.one("select max(length(story)) from app.items"), 3000)
        run = self.task({**create, "TargetMetadata": {"SupportLobs": False}},
                        lowercase("schema", 7), lowercase("table", 8), lowercase("column", 9)).run()
        self.assertEqual(run.status, DONE, run.describe())
        self.assertEqual(self.one("select count(*) from information_schema.columns where "
                                  "table_schema = 'app' and table_name = 'items'"), 5)

    def test_scripts_take_away_and_bring_back(self):
        self.sql("create schema app", "create table app.p (id integer primary key, u text unique)",
                 "create table app.c (p integer references app.p, u text references app.p (u))",
                 "create index on app.c (p)")
        with tempfile.TemporaryDirectory() as directory:
            done = wherry("scripts", "--target", self.postgres.url(self.database), "--output",
                          directory, "--schema", "app")
            self.assertEqual(done.status, DONE, done.describe())

            def dump():
                text = subprocess.run(
                    ["pg_dump", "-s", self.postgres.url(self.database)], check=True, text=True,
                    stdout=subprocess.PIPE, env={**os.environ, "PGPASSWORD": PASSWORD}
                ).stdout
                # Newer versions fence the text with a word that is made up each time.
                return re.sub(r"(?m)^\\(un)?restrict .*\n", "", text)

            before = dump()
            self.sql(pathlib.Path(directory, "disable.sql").read_text())
            self.assertNotEqual(dump(), before)
            self.sql(pathlib.Path(directory, "enable.sql").read_text())
            self.assertEqual(dump(), before)


if __name__ == "__main__":
    unittest.main()
