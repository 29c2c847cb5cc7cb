"""Large tables in segments: killed, cut and starved of undo inside a table, and nothing is lost,
doubled or loaded twice."""
import json
import os
import random
import signal
import tempfile
import unittest

import oracledb

from support.case import LoadCase
from support.orasim import PASSWORD, Orasim
from support.paths import LONG
from support.postgres import Postgres
from support.proxy import Proxy
from support.wherry import Task, selection

BIG_ROWS = 30_000
SMALL_ROWS = 400
SEED = int(os.environ.get("WHERRY_SEED", "20241031"))
MODES = ("DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD", "DO_NOTHING")
# Passed in this order in the life of a load.
FAILPOINTS = ["task.begun", "load.planned", "load.started", "load.prepared", "load.write",
              "load.before_commit", "load.after_commit", "load.all_rows", "load.before_key",
              "load.after_key", "task.loaded"]


class Segments(LoadCase):
    FILL = (
        "create table big (id number(9) primary key, name varchar2(300), d date)",
        "insert into big select level, rpad('row ' || level, 250, 'x'), date '2020-01-01' "
        f"from dual connect by level <= {BIG_ROWS}",
        "create table small (id number(9) primary key, s varchar2(20), t clob)",
        "insert into small select level, 'one', 'text ' || level from dual "
        f"connect by level <= {SMALL_ROWS}")

    def task(self, database, mode="DROP_AND_CREATE", subtasks=4, source_port=None,
             target_port=None, source_user="APP", **settings):
        task = Task(f"oracle://{source_user}@127.0.0.1:{source_port or self.sim.port}/SIMPDB1",
                    f"postgresql://{self.postgres.user}@127.0.0.1:"
                    f"{target_port or self.postgres.port}/{database}",
                    [selection("APP")],
                    {"FullLoadSettings": {"TargetTablePrepMode": mode,
                                          "MaxFullLoadSubTasks": subtasks},
                     "WherrySettings": {"SegmentSizeMB": 1, "SplitAfterSeconds": 0},
                     "ErrorBehavior": {"RecoverableErrorInterval": 0,
                                       "RecoverableErrorThrottling": False,
                                       "RecoverableErrorCount": 50}, **settings})
        self.addCleanup(task.close)
        return task

    def create_target(self, database, *more):
        self.postgres.execute(
            database, 'create schema "APP"',
            'create table "APP"."BIG" ("ID" numeric, "NAME" text, "D" timestamp)',
            'create table "APP"."SMALL" ("ID" numeric, "S" text, "T" text)', *more)

    def count(self, database, table):
        return self.postgres.query(database, f'select count(*) from "APP"."{table}"')[0][0]

    def ledger(self, database):
        """What is durable: {(table, chunk): rows}."""
        if not self.postgres.query(
                database, "select to_regclass('public.wherry_load_progress') is not null")[0][0]:
            return {}
        return {(table, chunk): rows for table, chunk, rows in self.postgres.query(
            database, "select source_table, chunk, row_count from public.wherry_load_progress "
                      "where attempt > 0")}

    def transactions(self, database):
        """Rows of BIG by the transaction that wrote them."""
        if not self.postgres.query(
                database, """select to_regclass('"APP"."BIG"') is not null""")[0][0]:
            return {}
        return dict(self.postgres.query(
            database, 'select xmin::text, count(*) from "APP"."BIG" group by 1'))

    def assert_complete(self, task, database, big=BIG_ROWS, small=SMALL_ROWS):
        self.assertEqual(self.count(database, "BIG"), big)
        self.assertEqual(self.count(database, "SMALL"), small)
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())
        self.assertEqual(self.postgres.query(
            database, "select to_regclass('public.wherry_load_progress') is null"), [(True,)],
            "the ledger of a finished load")

    def table(self, run, name):
        return next(t for t in run.events[-1]["tables"] if t["table"] == name)

    # --- pieces

    def test_a_large_table_is_loaded_in_pieces_by_several_sessions(self):
        database = self.new_database()
        task = self.task(database)
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        big = self.table(run, "BIG")
        self.assertGreaterEqual(big["chunks"], 7)
        self.assertEqual(big["chunks_done"], big["chunks"])
        self.assertGreaterEqual(len(self.transactions(database)), 4)
        self.assert_complete(task, database)

    def test_an_ordinary_account_reads_in_pieces_too(self):
        """Nobody shows it DBA_EXTENTS, and it has no rights but on the tables."""
        self.sim.execute(f'create user low identified by "{PASSWORD}"',
                         "grant create session to low", "grant select, flashback on big to low",
                         "grant select, flashback on small to low",
                         "grant execute on sys.dbms_flashback to low")
        self.addCleanup(self.sim.execute, "drop user low")
        with self.assertRaises(oracledb.DatabaseError):
            self.sim.query("select 1 from dba_extents", "LOW", PASSWORD)
        database = self.new_database()
        task = self.task(database, source_user="LOW")
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        self.assertGreaterEqual(self.table(run, "BIG")["chunks"], 7)
        rows = [count for _, count in self.transactions(database).items()]
        self.assertGreaterEqual(len(rows), 4)
        self.assertLess(max(rows), BIG_ROWS / 2)
        self.assert_complete(task, database)

    # --- killed

    def killed_run(self, task, failpoint, count):
        os.environ["WHERRY_FAILPOINT"] = f"{failpoint}:{count}"
        try:
            run = task.run()
        finally:
            del os.environ["WHERRY_FAILPOINT"]
        return run

    def test_killed_at_every_milestone(self):
        chooser = random.Random(SEED)
        number = 0
        for failpoint in FAILPOINTS:
            counts = [1] if failpoint.startswith("task") else [1, 2]
            if failpoint.startswith(("load.write", "load.before_commit", "load.after_commit")):
                counts = [1, 3, 6]
            for count in counts:
                modes = [(mode, exists) for mode in MODES for exists in (False, True)]
                for mode, exists in modes if LONG else [modes[number % len(modes)]]:
                    number += 1
                    what = f"{failpoint}:{count}, {mode}, target existed: {exists}"
                    with self.subTest(what):
                        self.kill_and_resume(failpoint, count, mode, exists,
                                             chooser.choice([1, 4]))

    def kill_and_resume(self, failpoint, count, mode, exists, subtasks):
        database = self.new_database()
        keeps = exists and mode == "DO_NOTHING"
        if exists:
            self.create_target(database)
        task = self.task(database, mode, subtasks)
        run = self.killed_run(task, failpoint, count)
        self.assertEqual(run.status, -signal.SIGKILL, run.describe())
        before, rows_before = self.ledger(database), self.transactions(database)
        self.assertEqual(sum(rows for (table, _), rows in before.items() if table == "BIG"),
                         sum(rows_before.values()))
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        after = self.transactions(database)
        if before:
            # What was durable was not loaded again.
            self.assertEqual({x: after.get(x) for x in rows_before}, rows_before)
        self.assertEqual(self.count(database, "BIG"), BIG_ROWS)
        keys = self.postgres.query(
            database, "select count(*) from pg_constraint where contype = 'p' and "
                      """conrelid = '"APP"."BIG"'::regclass""")[0][0]
        self.assertEqual(keys, 0 if keeps or (exists and mode != "DROP_AND_CREATE") else 1)
        self.assert_complete(task, database)

    def test_rows_of_others_stay_and_none_of_ours_is_doubled(self):
        database = self.new_database()
        self.create_target(database, 'insert into "APP"."BIG" values (-1, \'theirs\', null)')
        task = self.task(database, "DO_NOTHING")
        # The sessions beside the killed one commit as well, so the last kill must not ask for many of
        # the ten segments.
        for count in (2, 1, 1):
            run = self.killed_run(task, "load.after_commit", count)
            self.assertEqual(run.status, -signal.SIGKILL, run.describe())
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.count(database, "BIG"), BIG_ROWS + 1)
        self.postgres.execute(database, 'delete from "APP"."BIG" where "ID" = -1')
        self.assert_complete(task, database)

    # --- cut

    def test_cut_while_the_run_still_connects_and_plans(self):
        chooser = random.Random(SEED)
        for number in range(20 if LONG else 4):
            source = Proxy(self.sim.host, self.sim.port)
            self.addCleanup(source.close)
            target = Proxy("127.0.0.1", self.postgres.port)
            self.addCleanup(target.close)
            database = self.new_database()
            task = self.task(database, source_port=source.port, target_port=target.port)
            with self.subTest(f"seed {SEED}, number {number}"):
                source.trouble(chooser, 4, {"server": 20_000, "client": 8_000})
                target.trouble(chooser, 4, {"server": 20_000, "client": 8_000})
                run = task.run(deadline_secs=120)
                self.assertEqual(run.status, 0, run.describe())
                self.assertGreater(source.cuts + target.cuts, 0)
                events = [event["event"] for event in run.events]
                self.assertIn("reconnecting", events)
                self.assertIn("reconnected", events)
                for proxy in (source, target):
                    proxy.trouble(chooser, 0, {})
                self.assert_complete(task, database)

    def test_cut_again_and_again_within_one_run(self):
        chooser = random.Random(SEED)
        for number in range(20 if LONG else 4):
            source = Proxy(self.sim.host, self.sim.port)
            self.addCleanup(source.close)
            target = Proxy("127.0.0.1", self.postgres.port)
            self.addCleanup(target.close)
            database = self.new_database()
            task = self.task(database, chooser.choice(MODES), source_port=source.port,
                             target_port=target.port,
                             WherrySettings={"SegmentSizeMB": 1, "SplitAfterSeconds": 0,
                                             "MaxReadMBPerSecond": 4})
            with self.subTest(f"seed {SEED}, number {number}"):
                run = task.start()
                run.child.wait_for_line(lambda line: '"full load"' in line, 60)
                source.trouble(chooser, 6, {"server": 1_500_000, "client": 20_000})
                target.trouble(chooser, 6, {"server": 5_000, "client": 1_500_000})
                run.finish(120)
                self.assertEqual(run.status, 0, run.describe())
                for proxy in (source, target):
                    proxy.trouble(chooser, 0, {})
                self.assertGreater(source.cuts + source.stalls + target.cuts + target.stalls, 0)
                self.assert_complete(task, database)

    def test_a_source_that_comes_back_is_read_on(self):
        self.restarted("source")

    def test_a_target_that_comes_back_is_written_on(self):
        self.restarted("target")

    def test_cancelled_backends_are_survived(self):
        """Somebody ends statements at the target, an administrator or a time limit."""
        database = self.new_database()
        task = self.task(database, WherrySettings={"SegmentSizeMB": 1, "MaxReadMBPerSecond": 4})
        run = task.start()
        run.child.wait_for_line(lambda line: '"full load"' in line, 60)
        cancelled = 0
        while cancelled < 5 and run.child.is_running():
            cancelled += self.postgres.query(
                database, "select count(*) filter (where pg_cancel_backend(pid)) from "
                "pg_stat_activity where pid <> pg_backend_pid() and state = 'active' "
                "and datname = current_database() and query ilike '%copy%from stdin%'")[0][0]
        run.finish(120)
        self.assertGreater(cancelled, 0)
        self.assertEqual(run.status, 0, run.describe())
        self.assertIn("reconnecting", [event["event"] for event in run.events])
        self.assert_complete(task, database)

    def restarted(self, side):
        directory = tempfile.TemporaryDirectory(prefix="orasim-restart-")
        self.addCleanup(directory.cleanup)
        sim = Orasim("--data", directory.name)
        self.addCleanup(lambda: sim.close())
        postgres = Postgres()
        self.addCleanup(postgres.close)
        sim.execute("create table big (id number(9) primary key, name varchar2(300))",
                    "insert into big select level, rpad('row ' || level, 250, 'x') "
                    f"from dual connect by level <= {BIG_ROWS}")
        proxy = Proxy(sim.host, sim.port, hold_after_bytes=4_000_000)
        self.addCleanup(proxy.close)
        target = Proxy("127.0.0.1", postgres.port)
        self.addCleanup(target.close)
        task = Task(f"oracle://APP@127.0.0.1:{proxy.port}/SIMPDB1",
                    f"postgresql://{postgres.user}@127.0.0.1:{target.port}/postgres",
                    [selection("APP")],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"},
                     "WherrySettings": {"SegmentSizeMB": 1, "SplitAfterSeconds": 0},
                     "ErrorBehavior": {"RecoverableErrorInterval": 1,
                                       "RecoverableErrorThrottling": False}})
        self.addCleanup(task.close)
        run = task.start()
        self.assertTrue(proxy.reached.wait(60), "the load did not get going")
        if side == "source":
            sim.crash()
        else:
            postgres.crash()
        proxy.release()
        run.child.wait_for_line(lambda line: '"reconnecting"' in line, 60)
        if side == "source":
            sim = Orasim("--data", directory.name, listen=f"127.0.0.1:{sim.port}", users=())
        else:
            postgres.start()
            target.redirect(postgres.port)
        run.finish(120)
        self.assertEqual(run.status, 0, run.describe())
        told = [event for event in run.events if event["event"] == "reconnecting"]
        self.assertIn(side, {event["side"] for event in told})
        self.assertEqual(postgres.query("postgres", 'select count(*) from "APP"."BIG"'),
                         [(BIG_ROWS,)])
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())

    # --- the view

    def test_undo_that_is_gone_in_the_middle_of_a_table(self):
        """The table is read again at a newer point of its own, also by the validation."""
        for mode, exists in [("DROP_AND_CREATE", False), ("DO_NOTHING", True)]:
            with self.subTest(mode=mode):
                sim = Orasim()
                self.addCleanup(sim.close)
                sim.execute(
                    "create table big (id number(9) primary key, name varchar2(300), d date)",
                    "insert into big select level, rpad('row ' || level, 250, 'x'), null "
                    f"from dual connect by level <= {BIG_ROWS}",
                    "create table small (id number(9) primary key, s varchar2(20), t clob)",
                    "insert into small values (1, 'one', 'text')")
                proxy = Proxy(sim.host, sim.port, hold_after_bytes=4_000_000)
                self.addCleanup(proxy.close)
                database = self.new_database()
                if exists:
                    self.create_target(database)
                task = self.task(database, mode, source_port=proxy.port)
                run = task.start()
                self.assertTrue(proxy.reached.wait(60), "the load did not get going")
                sim.execute("update big set name = 'changed ' || id where mod(id, 2) = 0",
                            "insert into big values (0, 'new', null)", "commit",
                            "alter system set undo_retention = 0")
                proxy.release()
                run.finish(120)
                self.assertEqual(run.status, 0, run.describe())
                self.assertEqual(self.count(database, "BIG"), BIG_ROWS + 1)
                sim.execute("insert into big values (-5, 'after the load', null)")
                # SMALL stays at the load's point, which is gone for good here.
                checked = task.validate()
                self.assertIn("APP.BIG: Validated, 30,001 rows compared, 0 differences",
                              checked.stdout, checked.describe())

    # --- limits

    def test_reading_is_held_to_a_rate(self):
        database = self.new_database()
        task = self.task(database, WherrySettings={"MaxReadMBPerSecond": 2,
                                                   "MaxSourceConnections": 1})
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        big = self.table(run, "BIG")
        self.assertGreater(big["elapsed_seconds"], big["bytes"] / 2 / 1024 / 1024 * 0.8)
        self.assert_complete(task, database)

    def test_the_state_says_what_was_cut(self):
        database = self.new_database()
        task = self.task(database)
        run = self.killed_run(task, "load.after_commit", 2)
        self.assertEqual(run.status, -signal.SIGKILL, run.describe())
        lines = [json.loads(line) for line in
                 (task.state / "task.journal").read_text().splitlines()]
        started = next(line for line in lines if line["table"] == "BIG")
        self.assertEqual(started["phase"], "started")
        self.assertGreaterEqual(len(started["chunks"]), 7)
        self.assertGreaterEqual(len(self.ledger(database)), 1)


if __name__ == "__main__":
    unittest.main()
