"""Killed, stopped and cut at any point: a resumed load neither loses nor doubles a row."""
import os
import random
import signal
import unittest

from support.case import LoadCase
from support.paths import LONG
from support.proxy import Proxy
from support.wherry import Task, selection

BIG_ROWS = 25_000
SMALL_ROWS = 500
SEED = int(os.environ.get("WHERRY_SEED", "20241031"))
MODES = ("DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD", "DO_NOTHING")


class Resume(LoadCase):
    FILL = (
        "create table big (id number(9) primary key, name varchar2(200), d date)",
        "insert into big select level, rpad('row ' || level, 150, 'x'), date '2020-01-01' "
        f"from dual connect by level <= {BIG_ROWS}",
        "create table small (id number(9) primary key, s varchar2(20), t clob)",
        "insert into small select level, 'one', 'text ' || level from dual "
        f"connect by level <= {SMALL_ROWS}",
        "create table keyless (a number(9), b varchar2(20))",
        "insert into keyless select mod(level, 10), 'twin' from dual connect by level <= 700")

    def task(self, source_port, target_port, database, mode, subtasks=1):
        task = Task(f"oracle://APP@127.0.0.1:{source_port}/SIMPDB1",
                    f"postgresql://{self.postgres.user}@127.0.0.1:{target_port}/{database}",
                    [selection("APP")],
                    {"FullLoadSettings": {"TargetTablePrepMode": mode,
                                          "MaxFullLoadSubTasks": subtasks}})
        self.addCleanup(task.close)
        return task

    def create_target(self, database):
        self.postgres.execute(
            database, 'create schema "APP"',
            'create table "APP"."BIG" ("ID" numeric, "NAME" text, "D" timestamp)',
            'create table "APP"."SMALL" ("ID" numeric, "S" text, "T" text)',
            'create table "APP"."KEYLESS" ("A" numeric, "B" text)')

    def assert_complete(self, task, database):
        for table, rows in [("BIG", BIG_ROWS), ("SMALL", SMALL_ROWS), ("KEYLESS", 700)]:
            self.assertEqual(
                self.postgres.query(database, f'select count(*) from "APP"."{table}"'), [(rows,)],
                table)
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())

    def interrupted_run(self, number, mode, exists):
        """Stops a run by a signal in the middle of BIG; the task and its database."""
        proxy = Proxy(self.sim.host, self.sim.port, hold_after_bytes=1_500_000)
        self.addCleanup(proxy.close)
        database = self.new_database()
        if exists:
            self.create_target(database)
        task = self.task(proxy.port, self.postgres.port, database, mode)
        run = task.start()
        self.assertTrue(proxy.reached.wait(60), "the load did not get going")
        run.child.signal(number)
        run.finish(30)
        self.assertEqual(run.status, -number if number == signal.SIGKILL else 0, run.describe())
        proxy.release()
        return task, database

    def test_killed_in_a_table(self):
        for mode in MODES:
            for exists in (False, True):
                with self.subTest(mode=mode, target_existed=exists):
                    task, database = self.interrupted_run(signal.SIGKILL, mode, exists)
                    run = task.run()
                    self.assertEqual(run.status, 0, run.describe())
                    self.assert_complete(task, database)

    def test_stopped_by_ctrl_c_and_started_again(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                task, database = self.interrupted_run(signal.SIGINT, mode, exists=False)
                run = task.run()
                self.assertEqual(run.status, 0, run.describe())
                self.assert_complete(task, database)

    def test_changes_made_in_the_pause_are_not_loaded(self):
        task, database = self.interrupted_run(signal.SIGTERM, "DROP_AND_CREATE", exists=False)
        self.sim.execute("insert into small values (999999, 'later', null)")
        self.addCleanup(self.sim.execute, "delete from small where id = 999999")
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        self.assert_complete(task, database)

    def test_finished_tables_stay_and_are_told(self):
        database = self.new_database()
        task = self.task(self.sim.port, self.postgres.port, database, "DROP_AND_CREATE")
        self.assertEqual(task.run().status, 0)
        self.postgres.execute(database, 'delete from "APP"."SMALL" where "ID" = 1')
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        tables = run.events[-1]["tables"]
        self.assertEqual({t["table"]: t["rows"] for t in tables},
                         {"BIG": BIG_ROWS, "SMALL": SMALL_ROWS, "KEYLESS": 700})
        self.assertTrue(all(t["loaded_before"] for t in tables))
        self.assertEqual(task.validate().status, 3)
        run = task.run("--start", "reload-target")
        self.assertEqual(run.status, 0, run.describe())
        self.assert_complete(task, database)

    def test_start_types_are_checked(self):
        database = self.new_database()
        task = self.task(self.sim.port, self.postgres.port, database, "DROP_AND_CREATE")
        run = task.run("--start", "resume-processing")
        self.assertEqual(run.status, 2, run.describe())
        self.assertIn("start-replication", run.stderr)
        self.assertEqual(task.run("--start", "start-replication").status, 0)
        run = task.run("--start", "start-replication")
        self.assertEqual(run.status, 2, run.describe())
        self.assertIn("reload-target", run.stderr)

    def test_cut_at_any_byte(self):
        """Whatever the outcome of the run that is cut, in the end each row is there once."""
        chooser = random.Random(SEED)
        source = Proxy(self.sim.host, self.sim.port)
        self.addCleanup(source.close)
        target = Proxy("127.0.0.1", self.postgres.port)
        self.addCleanup(target.close)
        for number in range(60 if LONG else 12):
            proxy = chooser.choice([source, target])
            side = chooser.choice(["server", "client"])
            size = chooser.choice([chooser.randint(0, 300), chooser.randint(0, 20_000),
                                   chooser.randint(0, 4_000_000)])
            mode = chooser.choice(MODES)
            what = (f"seed {SEED}, cut {number}: {mode}, byte {size} from the {side} of the "
                    + ("source" if proxy is source else "target"))
            with self.subTest(what):
                database = self.new_database()
                task = self.task(source.port, target.port, database, mode, subtasks=3)
                proxy.cut_after(size, side)
                run = task.run(deadline_secs=90)
                self.assertIn(run.status, (0, 1), run.describe())
                if run.status == 1:
                    run = task.run(deadline_secs=90)
                self.assertEqual(run.status, 0, f"{what}\n{run.describe()}")
                proxy.cut_after(None)
                self.assert_complete(task, database)


if __name__ == "__main__":
    unittest.main()
