"""Changes of databases that are more than one instance with one log: containers, mined at the root
and from within, redo threads that come and go, another incarnation."""
import unittest
from urllib.parse import quote

from support.oracle_case import FAILED, REFUSED, RULES, SETTINGS, OracleCase, Writer
from support.orasim import PASSWORD, SERVICE
from support.wherry import Task

ROOT_SERVICE = "SIMCDB"
COMMON_USER = "C##WHERRY"


class Databases(OracleCase):
    def write_until(self, writers, transactions):
        ends = [writer.transactions + transactions // len(writers) for writer in writers]
        while any(writer.is_short_of(end) for writer, end in zip(writers, ends)):
            self.target.query(self.name, "select 1")


class Threads(Databases):
    """A transaction is written by the instance that its session is at."""

    def writers(self, count):
        out = [Writer(self.sim, 100 * OracleCase.count + number) for number in range(count)]
        for writer in out:
            self.addCleanup(writer.stop)
        return out

    def threads_with_redo(self):
        return [thread for thread, in self.sim.query(
            "select distinct thread# from v$archived_log order by 1")]

    def test_commits_of_two_threads_come_in_their_order(self):
        self.at_source("alter database enable public thread 2")
        writers = self.writers(3)
        task = self.task()
        run = self.follow(task)
        for _ in range(6):
            self.write_until(writers, 60)
            self.at_source("alter system archive log current")
        for writer in writers:
            writer.stop()
        self.catch_up(run)
        self.stop(run)
        self.assertEqual(self.threads_with_redo(), [1, 2])
        self.assert_same(task)

    def test_a_task_that_is_killed_goes_on_in_all_threads(self):
        self.at_source("alter database enable public thread 2",
                       'alter system set "_orasim_log_bytes" = 65536')
        writers = self.writers(3)
        task = self.task()
        for _ in range(6):
            run = self.follow(task)
            self.write_until(writers, 40)
            run.child.kill()
        for writer in writers:
            writer.stop()
        self.run_until(task, "caught-up")
        self.assert_same(task)

    def test_threads_that_come_and_go(self):
        task = self.task()
        run = self.follow(task)
        for _ in range(2):
            self.at_source("alter database enable public thread 2")
            writers = self.writers(2)
            self.write_until(writers, 40)
            for writer in writers:
                writer.stop()
            self.at_source("alter database disable thread 2",
                           "update accounts set owner = 'alone' where id = 1",
                           "alter system switch logfile")
        self.catch_up(run)
        run.child.kill()
        # What the thread that is gone has written is not needed any more.
        for sequence, in self.sim.query(
                "select sequence# from v$archived_log where thread# = 2 and deleted = 'NO'"):
            self.at_source(
                f"""alter system set "_orasim_delete_archived_log" = '2:{sequence}'""")
        self.at_source("update accounts set owner = 'on' where id = 2")
        self.run_until(task, "caught-up")
        self.assert_same(task)

    def test_a_log_of_the_other_thread_that_is_gone_is_named(self):
        self.at_source("alter database enable public thread 2")
        task = self.task()
        self.run_until(task, "caught-up")
        writers = self.writers(2)
        self.write_until(writers, 10)
        for writer in writers:
            writer.stop()
        (sequence,), = self.sim.query("select sequence# from v$log where thread# = 2 "
                                      "and status = 'CURRENT'")
        for _ in range(4):
            self.at_source("alter system archive log current")
        self.at_source(f"""alter system set "_orasim_delete_archived_log" = '2:{sequence}'""")
        run = self.start(task).finish(120)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertIn("oracle.log_missing", run.stderr)
        self.assertIn(f"sequence {sequence} of thread 2", run.stderr)

    def test_another_incarnation_demands_a_reload(self):
        task = self.task()
        self.run_until(task, "caught-up")
        self.at_source('alter system set "_orasim_reset_logs" = true',
                       "update accounts set owner = 'after' where id = 1")
        run = self.start(task).finish(120)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertIn("oracle.other_incarnation", run.stderr)
        self.run_until(task, "caught-up", 0, "--start", "reload-target")
        self.assert_same(task)


class Containers(Databases):
    def orasim_flags(self):
        return ("--root-service", ROOT_SERVICE, "--user", f"{COMMON_USER}/{PASSWORD}")

    def root_task(self, options=f"?PluggableDatabase={SERVICE.lower()}"):
        task = Task(self.sim.url(quote(COMMON_USER), ROOT_SERVICE) + options,
                    self.target.url(self.name), RULES, SETTINGS)
        task.migration_type = "full-load-and-cdc"
        self.addCleanup(task.close)
        return task

    def change_everything(self, run, task):
        writer = Writer(self.sim, 7)
        self.addCleanup(writer.stop)
        self.write_until([writer], 100)
        self.at_source("alter system switch logfile",
                       "insert into marker values (0)",
                       "alter table marker add (note varchar2(20))",
                       "update marker set note = 'a@b'")
        self.write_until([writer], 100)
        writer.stop()
        self.catch_up(run)
        self.stop(run)
        self.assert_same(task)

    def test_mined_from_within_the_pluggable_database(self):
        task = self.task()
        self.change_everything(self.follow(task), task)

    def test_mined_at_the_root_beside_a_neighbour_with_the_same_transactions(self):
        task = self.root_task()
        self.change_everything(self.follow(task), task)

    def test_the_root_alone_has_no_tables(self):
        run = self.start(self.root_task("")).finish(60)
        self.assertEqual(run.status, REFUSED, run.describe())
        self.assertIn("PluggableDatabase=", run.stderr)
        run = self.start(self.root_task("?PluggableDatabase=other")).finish(60)
        self.assertEqual(run.status, REFUSED, run.describe())
        self.assertIn("ORA-65011", run.stderr)


class OldContainers(Databases):
    def orasim_flags(self):
        return ("--root-service", ROOT_SERVICE, "--emulate", "12.2")

    def test_releases_that_cannot_mine_from_within_say_so(self):
        run = self.start(self.task()).finish(60)
        self.assertEqual(run.status, REFUSED, run.describe())
        self.assertIn("oracle.pdb_not_minable", run.stderr)
        self.assertIn(f"PluggableDatabase={SERVICE}", run.stderr)


if __name__ == "__main__":
    unittest.main()
