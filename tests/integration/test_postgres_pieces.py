"""Loads from PostgreSQL in pieces: row addresses and partitions on one snapshot, parallel-load rules,
columns that the server fills, and what becomes of a load that is killed."""
import contextlib
import os
import threading
import unittest

from support.postgres import PASSWORD, Postgres
from support.wherry import Task, selection

DONE, TABLES_IN_ERROR = 0, 3
IN_PIECES = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE", "MaxFullLoadSubTasks": 4},
             "WherrySettings": {"SegmentSizeMB": 1, "WholeTableMB": 0, "SplitAfterSeconds": 0}}
TRUNCATE = {"FullLoadSettings": {"TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD"}}
PARTS = ("create table app.parts (id integer, region text, note text) partition by list (region)",
         "create table app.north partition of app.parts for values in ('n')",
         "create table app.others partition of app.parts default partition by range (id)",
         "create table app.others_low partition of app.others for values from (minvalue) to (3000)",
         "create table app.others_high partition of app.others for values from (3000) to (maxvalue)",
         "insert into app.parts select i, case i % 3 when 0 then 'n' when 1 then 's' end, "
         "repeat('x', 700) from generate_series(1, 6000) i")


def parallel_load(table, **rule):
    return {"rule-type": "table-settings", "rule-id": "7", "rule-name": "7",
            "object-locator": {"schema-name": "app", "table-name": table}, "parallel-load": rule}


class PostgresPieces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        version = cls.postgres.query("postgres", "show server_version_num")[0][0]
        cls.version = int(version) // 10000
        cls.pairs = 0

    def setUp(self):
        type(self).pairs += 1
        self.source, self.target = f"s{self.pairs}", f"t{self.pairs}"
        for database in (self.source, self.target):
            self.postgres.create_database(database)
            self.postgres.execute(database, "create schema app")

    def task(self, settings=None, rules=None, user=None):
        task = Task(self.postgres.url(self.source, user), self.postgres.url(self.target),
                    rules or [selection("app")], settings or IN_PIECES)
        self.addCleanup(task.close)
        return task

    def run_task(self, task, status=DONE):
        run = task.run(source_password=PASSWORD)
        self.assertEqual(run.status, status, run.describe())
        return run

    def chunks(self, run, table):
        return next(t for t in run.events[-1]["tables"] if t["table"] == table)["chunks"]

    def rows(self, database, table):
        return self.postgres.query(database, f"select t::text from app.{table} t order by 1")

    def assert_equal_rows(self, table):
        self.assertEqual(self.rows(self.target, table), self.rows(self.source, table))

    def frozen_pages(self, table):
        """Pages of which all rows are known to be visible to everybody; FREEZE leaves them so."""
        self.postgres.execute(self.target, "create extension if not exists pg_visibility")
        return self.postgres.query(
            self.target, f"select all_visible, all_frozen from pg_visibility_map_summary('app.{table}')")[0]

    # --- row addresses

    def test_readers_of_one_snapshot_see_the_same_moment(self):
        """While the table is read its rows are moved about, removed and added to."""
        self.postgres.execute(
            self.source, "create table app.busy (id integer primary key, note text)",
            "insert into app.busy select i, repeat('x', 900) from generate_series(1, 12000) i",
            "create table app.count as select 0 as busy")
        stop = threading.Event()
        failures = []

        def disturb():
            try:
                with contextlib.closing(self.postgres.connect(self.source)) as connection, \
                        connection.cursor() as cursor:
                    step = 0
                    while not stop.is_set():
                        step += 1
                        cursor.execute(
                            "begin; update app.busy set note = note || %s where id %% 97 = %s; "
                            "insert into app.busy values (%s, 'new'), (%s, 'new'); "
                            "delete from app.busy where id = %s; "
                            "update app.count set busy = busy + 1; commit",
                            [str(step), step % 97, 20000 + 2 * step, 20001 + 2 * step, step])
            except Exception as problem:  # pylint: disable=broad-except
                failures.append(problem)

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            run = self.run_task(self.task())
        finally:
            stop.set()
            thread.join()
        self.assertEqual(failures, [])
        if self.version >= 14:
            self.assertGreater(self.chunks(run, "busy"), 4)
        # Each transaction adds two rows and takes one away; the counter says how many there were.
        (steps,), = self.postgres.query(self.target, "select busy from app.count")
        (count, removed, added), = self.postgres.query(
            self.target, "select count(*), 12000 - count(*) filter (where id <= 12000), "
            "count(*) filter (where id > 20000) from app.busy")
        self.assertEqual((count, removed, added), (12000 + steps, steps, 2 * steps))

    def test_a_table_in_one_piece_is_written_frozen(self):
        self.postgres.execute(
            self.source, "create table app.middle (id integer primary key, note text)",
            "insert into app.middle select i, repeat('x', 900) from generate_series(1, 12000) i")
        settings = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"},
                    "WherrySettings": {"SegmentSizeMB": 1}}
        run = self.run_task(self.task(settings))
        self.assertEqual(self.chunks(run, "middle"), 1)
        self.assert_equal_rows("middle")
        visible, frozen = self.frozen_pages("middle")
        # Before version 14 FREEZE does not mark the pages.
        if self.version >= 14:
            self.assertGreater(visible, 1000)
            self.assertEqual(frozen, visible)

    # --- partitions

    def test_partitions_are_read_beside_each_other_into_one_table(self):
        self.postgres.execute(self.source, *PARTS)
        task = self.task()
        run = self.run_task(task)
        self.assertGreaterEqual(self.chunks(run, "parts"), 3)
        self.assert_equal_rows("parts")
        compared = task.validate(source_password=PASSWORD)
        self.assertEqual(compared.status, DONE, compared.describe())

    def test_partitions_of_the_target_take_rows_of_those_of_the_source(self):
        self.postgres.execute(self.source, *PARTS)
        self.postgres.execute(self.target, PARTS[0].replace("list (region)", "hash (id)"),
                              *[f"create table app.h{i} partition of app.parts "
                                f"for values with (modulus 3, remainder {i})" for i in range(3)])
        run = self.run_task(self.task({**IN_PIECES, **TRUNCATE}))
        self.assertGreaterEqual(self.chunks(run, "parts"), 3)
        self.assert_equal_rows("parts")

    def test_partitions_that_the_user_may_not_read_are_read_with_their_table(self):
        self.postgres.execute(self.source, *PARTS, "create role reader login password 'wherry-test'",
                              "grant usage on schema app to reader",
                              "grant select on app.parts to reader")
        self.addCleanup(self.postgres.execute, self.source,
                        "drop owned by reader", "drop role reader")
        run = self.run_task(self.task(user="reader", rules=[selection("app", "parts")]))
        self.assertEqual(self.chunks(run, "parts"), 1)
        self.assert_equal_rows("parts")

    def test_a_rule_cuts_by_partitions(self):
        self.postgres.execute(self.source, *PARTS)
        for kind, chunks in (("partitions-auto", 2), ("subpartitions-auto", 3), ("none", 1)):
            with self.subTest(kind):
                run = self.run_task(self.task(
                    rules=[selection("app"), parallel_load("parts", type=kind)]))
                self.assertEqual(self.chunks(run, "parts"), chunks)
                self.assert_equal_rows("parts")

    def test_a_rule_that_lists_partitions_loads_these_alone(self):
        self.postgres.execute(self.source, *PARTS)
        task = self.task(rules=[selection("app"), parallel_load(
            "parts", type="partitions-list", partitions=["north", "others_high"])])
        run = self.run_task(task)
        self.assertEqual(self.chunks(run, "parts"), 2)
        self.assertEqual(self.rows(self.target, "parts"), self.postgres.query(
            self.source, "select t::text from app.parts t where region = 'n' or id >= 3000 order by 1"))
        compared = task.validate(source_password=PASSWORD)
        self.assertEqual(compared.status, DONE, compared.describe())
        run = self.run_task(self.task(rules=[selection("app"), parallel_load(
            "parts", type="partitions-list", partitions=["south"])]), TABLES_IN_ERROR)
        self.assertIn("postgres.unknown_partition", run.stderr + run.stdout)

    def test_a_rule_of_ranges_loses_no_row(self):
        self.postgres.execute(
            self.source, "create table app.pairs (a integer, b varchar(9), c text)",
            "insert into app.pairs select i % 9, nullif(chr(97 + i % 7), 'c'), 'x' "
            "from generate_series(1, 2000) i",
            "insert into app.pairs select null, 'm', 'y' from generate_series(1, 5)")
        run = self.run_task(self.task(rules=[selection("app"), parallel_load(
            "pairs", type="ranges", columns=["a", "b"],
            boundaries=[["2", "d"], ["5", "a"], ["5", "f"]])]))
        self.assertEqual(self.chunks(run, "pairs"), 5)  # the last one of NULLs
        self.assert_equal_rows("pairs")

    # --- columns that the server fills

    def test_generated_columns_are_computed_and_identities_kept(self):
        table = ("create table app.filled (id bigint generated always as identity primary key, n integer, "
                 "twice bigint generated always as (n * 2) stored, s serial, d integer "
                 "generated by default as identity (start with 100))")
        self.postgres.execute(self.source, table,
                              "insert into app.filled (n) select i from generate_series(1, 50) i",
                              "delete from app.filled where n % 3 = 0")
        for settings, existing in ((None, None), (TRUNCATE, table)):
            with self.subTest(existing=existing is not None):
                self.postgres.execute(self.target, "drop table if exists app.filled")
                if existing:
                    self.postgres.execute(self.target, existing)
                self.run_task(self.task(settings))
                columns = "id, n, s, d" + (", twice" if existing else "")
                query = f"select {columns} from app.filled order by id"
                self.assertEqual(self.postgres.query(self.target, query),
                                 self.postgres.query(self.source, query))

    # --- killed

    def test_a_killed_load_is_finished_by_the_next_run(self):
        """The snapshot has ended with the first run, so what was not whole is read again."""
        self.postgres.execute(
            self.source, "create table app.big (id integer primary key, note text)",
            "insert into app.big select i, repeat('x', 900) from generate_series(1, 8000) i",
            "create table app.small as select i as id from generate_series(1, 100) i")
        for failpoint in ("load.before_commit:3", "load.after_commit:4", "load.before_key:1"):
            with self.subTest(failpoint):
                task = self.task()
                os.environ["WHERRY_FAILPOINT"] = failpoint
                try:
                    task.run(source_password=PASSWORD)
                finally:
                    del os.environ["WHERRY_FAILPOINT"]
                self.postgres.execute(self.source, "update app.big set note = 'y' where id = 1",
                                      "insert into app.big select max(id) + 1, 'z' from app.big")
                self.run_task(task)
                for table in ("big", "small"):
                    self.assert_equal_rows(table)


if __name__ == "__main__":
    unittest.main()
