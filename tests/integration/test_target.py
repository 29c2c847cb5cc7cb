"""Tables that exist on the target, rows it refuses, control tables, LOB limits, scripts: end to end."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import oracledb

from support.orasim import SERVICE, Orasim
from support.postgres import PASSWORD, Postgres
from support.proxy import Proxy
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

    def test_of_a_lob_that_is_cut_only_the_beginning_is_fetched(self):
        size, rows = 3_000_000, 4
        self.sim.execute("create table films (id number(9) primary key, plot clob, reel blob)")
        self.addCleanup(self.sim.execute, "drop table films")
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.setinputsizes(None, oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB)
            for i in range(rows):
                cursor.execute("insert into films values (:1, :2, :3)",
                               [i, "\u20ac" * size, b"r" * size])
            cursor.execute("insert into films values (:1, :2, :3)", [rows, "short", None])
            connection.commit()
        proxy = Proxy(self.sim.host, self.sim.port)
        self.addCleanup(proxy.close)
        task = Task(f"oracle://APP@127.0.0.1:{proxy.port}/{SERVICE}",
                    self.postgres.url(self.database),
                    [selection("APP", "FILMS"), lowercase("schema", 7), lowercase("table", 8),
                     lowercase("column", 9),
                     {"rule-type": "table-settings", "rule-id": "10", "rule-name": "10",
                      "object-locator": {"schema-name": "APP", "table-name": "FILMS"},
                      "lob-settings": {"mode": "limited", "bulk-max-size": "20"}}],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"},
                     "TargetMetadata": {"SupportLobs": True, "FullLobMode": True,
                                        "LobChunkSize": 64}})
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, DONE, run.describe())
        self.assertLess(proxy.forwarded["server"], rows * 200_000)
        self.assertEqual(self.postgres.query(
            self.database, "select distinct octet_length(plot), octet_length(reel) from app.films "
            f"where id < {rows}"), [(20480 // 3 * 3, 20480)])
        table = run.events[-1]["tables"][0]
        self.assertEqual((table["rows"], table["truncated_values"]), (rows + 1, 2 * rows))
        log = run.log_file.read_text()
        for words in ("truncated to length 20480", "ID=3", f"characters: {size}", f"bytes: {size}"):
            self.assertIn(words, log)
        before = proxy.forwarded["server"]
        compared = task.validate()
        self.assertEqual(compared.status, DONE, compared.describe())
        self.assertLess(proxy.forwarded["server"] - before, rows * 200_000)

    def test_characters_are_replaced_in_text_and_not_in_lobs(self):
        def unistr(text):
            return "unistr('" + "".join(f"\\{ord(c):04x}" for c in text) + "')"

        names = ["b\0b", "caf\u00e9 \u65e5", "plain", "euro \u20ac"]
        self.sim.execute("create table letters (id number(9) primary key, name varchar2(40), "
                         "story clob)",
                         *[f"insert into letters values ({i}, {unistr(name)}, 'b')"
                           for i, name in enumerate(names)], "commit")
        self.addCleanup(self.sim.execute, "drop table letters")
        create = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}}
        rules = [lowercase("schema", 7), lowercase("table", 8), lowercase("column", 9)]

        def loaded(characters):
            task = Task(self.sim.url(), self.postgres.url(self.database),
                        [selection("APP", "LETTERS"), *rules],
                        {**create, **({"CharacterSetSettings": characters} if characters else {})})
            self.addCleanup(task.close)
            run = task.run()
            self.assertEqual(run.status, DONE, run.describe())
            compared = task.validate()
            self.assertEqual(compared.status, DONE, compared.describe())
            return run, [text for text, in self.postgres.query(
                self.database, "select name || '|' || story from app.letters order by id")]

        run, texts = loaded(None)
        self.assertEqual(texts[0], "b b|b")
        self.assertIn("U+0000 were replaced", run.log_file.read_text())
        run, texts = loaded({"CharacterReplacements": [
            {"SourceCharacterCodePoint": 62, "TargetCharacterCodePoint": 61},
            {"SourceCharacterCodePoint": 0, "TargetCharacterCodePoint": "2d"}],
            "CharacterSetSupport": {"CharacterSet": "ISO-8859-1",
                                    "ReplaceWithCharacterCodePoint": "3F"}})
        self.assertEqual(texts, ["a-a|b", "caf\u00e9 ?|b", "plain|b", "euro ?|b"])
        self.assertNotIn("U+0000", run.log_file.read_text())

    def test_a_table_in_error_keeps_what_is_loaded_and_the_next_run_goes_on(self):
        self.sim.execute("create table big (id number(9) primary key, name varchar2(300))",
                         "insert into big select level, rpad('row ' || level, 250, 'x') from dual "
                         "connect by level <= 20000")
        self.addCleanup(self.sim.execute, "drop table big")
        self.sql("create schema app", "create table app.big (id integer primary key, name text "
                 "constraint short check (id <> 19000 or name is null))")
        task = Task(self.sim.url(), self.postgres.url(self.database),
                    [selection("APP", "BIG"), lowercase("schema", 7), lowercase("table", 8),
                     lowercase("column", 9)],
                    {"FullLoadSettings": {"TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD",
                                          "MaxFullLoadSubTasks": 1},
                     "WherrySettings": {"SegmentSizeMB": 1},
                     "ErrorBehavior": {"DataErrorPolicy": "SUSPEND_TABLE"},
                     "ControlTablesSettings": {"SuspendedTablesTableEnabled": True}})
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        self.assertIn("postgres.check_violated", run.stdout + run.stderr)
        before = dict(self.postgres.query(
            self.database, "select xmin::text, count(*) from app.big group by 1"))
        self.assertGreaterEqual(len(before), 1)
        self.assertLess(sum(before.values()), 20000)
        self.assertEqual(self.one("select sum(row_count) from wherry_load_progress"),
                         sum(before.values()))
        self.assertEqual(self.one("select count(*) from awsdms_suspended_tables"), 1)
        self.assertEqual(task.validate().status, TABLES_IN_ERROR)
        self.sql("alter table app.big drop constraint short")
        run = task.run()
        self.assertEqual(run.status, DONE, run.describe())
        after = dict(self.postgres.query(
            self.database, "select xmin::text, count(*) from app.big group by 1"))
        self.assertEqual({x: after.get(x) for x in before}, before)
        self.assertEqual(self.one("select count(*) from app.big"), 20000)
        self.assertEqual(self.one("select count(*) from awsdms_suspended_tables"), 0)
        compared = task.validate()
        self.assertEqual(compared.status, DONE, compared.describe())

    def test_a_foreign_key_hinders_until_the_script_has_taken_it_away(self):
        for mode in ("TRUNCATE_BEFORE_LOAD", "DROP_AND_CREATE"):
            with self.subTest(mode):
                self.sql("drop schema if exists app cascade", "create schema app",
                         "create table app.items (id bigint primary key, code text, price numeric, "
                         "made timestamp, active text, story text)",
                         "insert into app.items (id) values (1)",
                         "create table app.lines (item bigint constraint lines_items_fk references "
                         "app.items)", "insert into app.lines values (1)")
                task = Task(self.sim.url(), self.postgres.url(self.database),
                            [selection("APP", "ITEMS"), lowercase("schema", 7),
                             lowercase("table", 8), lowercase("column", 9)],
                            {"FullLoadSettings": {"TargetTablePrepMode": mode}})
                self.addCleanup(task.close)
                run = task.run()
                self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
                self.assertIn("lines_items_fk", run.stderr)
                self.assertEqual(self.one("select count(*) from app.items"), 1)
                with tempfile.TemporaryDirectory() as directory:
                    done = wherry("scripts", "--target", self.postgres.url(self.database),
                                  "--output", directory, "--schema", "app")
                    self.assertEqual(done.status, DONE, done.describe())
                    self.sql(pathlib.Path(directory, "disable.sql").read_text())
                    run = task.run()
                    self.assertEqual(run.status, DONE, run.describe())
                    self.sql(pathlib.Path(directory, "enable.sql").read_text())
                self.assertEqual(self.one("select count(*) from app.items"), 20)
                self.assertEqual(self.one("select count(*) from pg_constraint where contype = 'f' "
                                          "and conname = 'lines_items_fk'"), 1)

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
