"""Ongoing replication from Oracle (the simulator) to PostgreSQL: loads under writes, transactions
that were open, stops, kills, DDL, logs that go."""
import contextlib
import os
import pathlib
import re
import signal
import unittest

from support.oracle_case import (ACCOUNTS, BALANCE, DONE, FAILED, LOGGED, REFUSED,
                                 TABLES_IN_ERROR, OracleCase, Writer)
from support.paths import LONG
from support.wherry import wherry

# Those of tools/orasim/store/habits.h that are on.
HABITS = ("private_strands", "partial_xids", "undo_rows", "placeholder_row_ids", "session_formats",
          "cut_anywhere", "overwritten_logs", "newest_names")
SEED = int(os.environ.get("WHERRY_SEED", "20251130"))


class OracleChanges(OracleCase):
    def write(self):
        writer = Writer(self.sim, SEED + OracleCase.count)
        self.addCleanup(writer.stop)
        return writer

    def count_money(self, times):
        with contextlib.closing(self.target.connect(self.name)) as connection:
            with connection.cursor() as cursor:
                for _ in range(times):
                    cursor.execute("select sum(balance), count(*) from app.accounts")
                    self.assertEqual(cursor.fetchone(), (ACCOUNTS * BALANCE, ACCOUNTS))

    def test_a_load_under_writes_is_followed_until_it_is_stopped(self):
        writer = self.write()
        task = self.task()
        run = self.follow(task)
        before = writer.transactions
        while writer.is_short_of(before + 300):
            self.count_money(5)
            if writer.transactions % 40 == 0:
                self.at_source("alter system switch logfile")
        self.stop(run)
        writer.stop()
        self.run_until(task, "caught-up")
        self.assert_same(task)

    def test_killed_at_any_moment_nothing_is_lost_or_done_twice(self):
        writer = self.write()
        task = self.task()
        for point in ("task.prepared", "task.begun", "load.started", "load.all_rows"):
            run = self.start(task, WHERRY_FAILPOINT=point)
            run.child.wait(120)
        chooser = writer.chooser
        for _ in range(40 if LONG else 8):
            run = self.follow(task)
            before = writer.transactions
            pause = chooser.randint(0, 60)
            while writer.is_short_of(before + pause):
                self.count_money(1)
            if chooser.randint(0, 1):
                self.at_source("alter system switch logfile")
            run.child.kill()
        writer.stop()
        self.run_until(task, "caught-up")
        self.count_money(1)
        self.assert_same(task)

    def test_transactions_that_are_open_when_the_load_begins_come_whole(self):
        with self.sim.connect() as early, self.sim.connect() as small:
            cursor, other = early.cursor(), small.cursor()
            cursor.execute("insert into logs values ('early', 1, 1.5)")
            cursor.execute("update accounts set owner = 'early' where id = 1")
            other.execute("update accounts set owner = 'undone' where id = 2")
            self.at_source("alter system switch logfile")
            task = self.task()
            run = self.follow(task)
            self.catch_up(run)
            # It is killed before any of them has ended, and reads them again.
            run.child.kill()
            cursor.execute("update accounts set owner = owner || ' bird' where id = 1")
            run = self.follow(task)
            cursor.execute("insert into logs values ('late', 2, 2.5)")
            early.commit()
            small.rollback()
            self.catch_up(run)
            self.assertEqual(self.target.query(
                self.name, "select owner from app.accounts where id < 3 order by id"),
                [("early bird",), ("owner 2",)])
            self.stop(run)
        self.assert_same(task)

    def test_a_transaction_without_a_known_beginning_must_end_first(self):
        self.at_source('alter system set "_orasim_hide_start_scns" = true')
        with self.sim.connect() as early:
            cursor = early.cursor()
            cursor.execute("update accounts set owner = 'early' where id = 1")
            task = self.task({"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE",
                                                   "TransactionConsistencyTimeout": 1}})
            run = self.start(task).finish(120)
            self.assertEqual(run.status, FAILED, run.describe())
            self.assertIn("oracle.transactions_open", run.stderr)
            self.assertRegex(run.stderr, r"transaction \d+\.\d+\.\d+ \(SID \d+, serial \d+, user APP")
            early.commit()
        self.run_until(task, "caught-up")
        self.assert_same(task)

    def test_a_log_that_an_open_transaction_needs_is_gone(self):
        with self.sim.connect() as early:
            cursor = early.cursor()
            cursor.execute("update accounts set owner = 'early' where id = 1")
            for _ in range(4):
                self.at_source("update accounts set balance = balance where id = 2",
                               "alter system switch logfile")
            (sequence,), = self.sim.query("select min(sequence#) from v$archived_log "
                                          "where deleted = 'NO'")
            for number in range(sequence, sequence + 2):
                self.at_source(f'alter system set "_orasim_delete_archived_log" = {number}')
            run = self.start(self.task()).finish(120)
            self.assertEqual(run.status, REFUSED, run.describe())
            self.assertIn("oracle.transaction_too_old", run.stderr)
            self.assertRegex(run.stderr, r"transaction \d+\.\d+\.\d+ \(SID \d+")
            self.assertRegex(run.stderr, r"sequence \d+ of thread 1|SCN \d+ of thread 1")
            early.rollback()

    def test_tables_without_supplemental_logging(self):
        self.at_source("create table bare (id number primary key, v varchar2(10))",
                       "insert into bare values (1, 'one')",
                       "create table heap (a number, b varchar2(10))",
                       "insert into heap values (1, 'one')")
        task = self.task()
        plan = wherry("plan", *task.flags(), "--migration-type", "full-load-and-cdc")
        self.assertEqual(plan.status, REFUSED, plan.describe())
        self.assertIn("alter database force logging", plan.stdout)
        for said in (plan, self.run_until(task, "caught-up", TABLES_IN_ERROR)):
            self.assertIn('alter table "APP"."BARE" add supplemental log data (primary key) '
                          "columns", said.stderr)
            self.assertIn('alter table "APP"."HEAP" add supplemental log data (all) columns',
                          said.stderr)
        task = self.task(options="?AddSupplementalLogging=true")
        run = self.follow(task, "--start", "reload-target")
        self.at_source("update bare set v = 'two'", "update heap set b = 'two'",
                       "insert into heap values (2, null)")
        self.catch_up(run)
        self.stop(run)
        self.assertEqual(self.target.query(self.name, "select b from app.heap order by a"),
                         [("two",), (None,)])
        self.assert_same(task)

    def test_definitions_that_change_are_followed(self):
        task = self.task()
        run = self.follow(task)
        self.at_source("update accounts set owner = 'before' where id = 1",
                       "alter table accounts add (mail varchar2(30), rating number(3) default 7)",
                       "update accounts set mail = 'a@b' where id = 1",
                       "insert into transfers (id, payer) values (100001, 1)",
                       "truncate table transfers",
                       "insert into transfers (id, payer) values (100002, 2)",
                       "alter table notes drop column changed",
                       "insert into notes (name, body) values ('after', 'text')",
                       "drop table logs")
        self.catch_up(run)
        self.stop(run)
        self.assertEqual(self.target.query(
            self.name, "select owner, mail, rating from app.accounts where id <= 2 order by id"),
            [("before", "a@b", 7), ("owner 2", None, 7)])
        self.assertEqual(self.target.query(self.name, "select id::int from app.transfers"),
                         [(100002,)])
        self.assertEqual(self.target.query(
            self.name, "select to_regclass('app.logs')::text"), [(None,)])
        self.assert_same(task)

    def test_rows_of_before_a_statement_that_came_while_the_task_was_stopped(self):
        self.make_triple()
        task = self.task()
        self.run_until(task, "caught-up")
        self.at_source("update accounts set owner = 'it''s', balance = 1.5 where id = 1",
                       "delete from accounts where id = 3",
                       "insert into transfers values (1, 2, 3, -4.5, timestamp '2024-02-29 "
                       "12:00:00.123456')",
                       # As many columns as before, and others.
                       "alter table accounts drop column owner",
                       "alter table accounts add (mail varchar2(30))",
                       "alter table transfers drop column amount",
                       "update triple set a = 'a2' where id = 0", "alter table triple drop column v",
                       "update triple set b = 'b2' where id = 0",
                       "update accounts set mail = 'a@b' where id = 2",
                       "insert into transfers (id, payer) values (2, 1)")
        run = self.follow(task)
        self.catch_up(run)
        run.child.kill()
        self.run_until(task, "caught-up")
        self.assertEqual(self.target.query(
            self.name, "select id::int, balance::float, mail from app.accounts where id < 5 "
            "order by id"), [(1, 1.5, None), (2, BALANCE, "a@b"), (4, BALANCE, None)])
        self.assertEqual(self.triple(), [(0, "a2", "b2")])
        self.assert_same(task)

    def test_rows_between_two_statements_that_came_while_the_task_was_stopped(self):
        task = self.task()
        self.run_until(task, "caught-up")
        self.at_source("alter table transfers add (a varchar2(10))",
                       "insert into transfers (id, a) values (1, 'one')",
                       "alter table transfers drop column payee",
                       "alter table transfers add (b number)",
                       "insert into transfers (id, a, b) values (2, 'two', 2)",
                       "update accounts set owner = 'on' where id = 1")
        # What the table was between them the texts of the statements say.
        self.run_until(task, "caught-up")
        self.assertEqual(self.target.query(
            self.name, "select id::int, a, b::int from app.transfers order by id"),
            [(1, "one", None), (2, "two", 2)])
        self.assert_same(task)

    def test_open_transactions_and_what_the_source_keeps_are_told(self):
        for _ in range(2):
            self.at_source("alter system switch logfile",
                           "update accounts set balance = balance where id = 9")
        task = self.task()
        run = self.follow(task)
        with self.sim.connect() as early, early.cursor() as cursor:
            cursor.execute("update accounts set owner = 'early' where id <= 3")
            self.at_source("alter system switch logfile")
            event = self.wait_for_event(run, lambda event: event.get("open_transactions"))
            oldest = event["open_transactions"][0]
            self.assertEqual(oldest["changes"], 3)
            self.assertRegex(oldest["session"], r"^SID \d+, serial \d+, user APP$")
            self.assertRegex(oldest["transaction"], r"^\d+\.\d+\.\d+$")
            self.assertLess(oldest["open_seconds"], 60)
            self.assertNotIn("source_bytes_until_lost", event)
            # The database deletes logs, and comes near to what the transaction needs.
            for _ in range(3):
                self.at_source("update accounts set balance = balance where id = 9",
                               "alter system switch logfile")
            (sequence,), = self.sim.query("select min(sequence#) from v$archived_log "
                                          "where deleted = 'NO'")
            self.at_source(f'alter system set "_orasim_delete_archived_log" = {sequence}')
            self.wait_for_event(run, lambda event: "source_bytes_until_lost" in event
                                and event["source_kept_bytes"] > 0)
            early.commit()
        self.catch_up(run)
        self.wait_for_event(run, lambda event: not event.get("open_transactions"))
        self.stop(run)
        log = (task.directory / "wherry.log").read_text()
        self.assertIn("the source is about to throw away log that the task still needs", log)
        self.assert_same(task)
    def make_triple(self):
        """A table of texts, whose values would not be seen to stand in each other's columns."""
        self.at_source("create table triple (id number(9) primary key, v varchar2(20), "
                       "a varchar2(20), b varchar2(20))", LOGGED.format("triple", "primary key"),
                       "insert into triple values (0, 'v', 'a', 'b')")

    def triple(self):
        return self.target.query(self.name, "select * from app.triple order by id")

    def test_a_column_that_is_added_while_the_task_is_stopped_is_followed(self):
        self.make_triple()
        task = self.task()
        self.stop(self.follow(task))
        self.at_source("alter table triple add (c varchar2(20) default 'old')",
                       "insert into triple values (1, 'v', 'a', 'b', 'new')")
        self.run_until(task, "caught-up")
        self.assertEqual(self.triple(), [(0, "v", "a", "b", "old"), (1, "v", "a", "b", "new")])
        self.assert_same(task)

    def test_rows_between_two_statements_that_are_met_late_are_not_misread(self):
        self.make_triple()
        task = self.task()
        run = self.follow(task)
        self.catch_up(run)
        run.child.signal(signal.SIGSTOP)
        self.at_source("alter table triple add (c varchar2(20))",
                       "update triple set a = 'a2' where id = 0", "alter table triple drop column v")
        run.child.signal(signal.SIGCONT)
        self.catch_up(run)
        self.stop(run)
        self.assertEqual(self.triple(), [(0, "a2", "b", None)])
        self.assert_same(task)

    def test_rows_of_a_definition_that_nobody_knows_are_not_misread(self):
        """The dictionary has another column of that name by the time."""
        self.make_triple()
        task = self.task()
        self.run_until(task, "caught-up")
        self.at_source("alter table triple add (c number)",
                       "update triple set c = 7, a = 'a2' where id = 0",
                       "alter table triple drop column c", "alter table triple add (c varchar2(20))",
                       "update accounts set owner = 'on' where id = 1")
        self.run_until(task, "caught-up", TABLES_IN_ERROR)
        log = (task.directory / "wherry.log").read_text()
        self.assertIn("definition that was changed before the task read it (table APP.TRIPLE)", log)
        self.assertEqual(self.target.query(
            self.name, "select owner from app.accounts where id = 1"), [("on",)])

    def test_a_large_transaction_stays_within_the_memory(self):
        rows = 1_000_000 if LONG else 100_000
        task = self.task({"ChangeProcessingTuning": {"MemoryLimitTotal": 64}})
        run = self.follow(task)
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("insert into logs select 'row ' || level, level, level / 7 from dual "
                           f"connect by level <= {rows}")
            cursor.execute("savepoint a")
            cursor.execute("update logs set n = -n where n <= 20000")
            cursor.execute("rollback to savepoint a")
            connection.commit()
        self.catch_up(run, 300)
        status = pathlib.Path(f"/proc/{run.child.pid}/status").read_text()
        peak_kib = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
        self.stop(run)
        self.assertLess(peak_kib, 300 * 1024)
        self.assertEqual(self.target.query(
            self.name, "select count(*), sum(n)::bigint from app.logs"),
            [(rows, rows * (rows + 1) // 2)])
        self.assert_same(task)

    def test_a_table_that_is_made_meanwhile_is_loaded_and_followed(self):
        task = self.task(options="?AddSupplementalLogging=true")
        run = self.follow(task)
        self.at_source("create table later (id number(9) primary key, v varchar2(20))",
                       "insert into later select level, 'row ' || level from dual "
                       "connect by level <= 100")
        self.wait_until(run, "select to_regclass('app.later')::text", [("app.later",)])
        self.wait_until(run, "select count(*) from app.later", [(100,)])
        self.at_source("update later set v = 'changed' where id <= 10",
                       "insert into later values (101, 'new')")
        self.wait_until(run, "select count(*), count(*) filter (where v = 'changed') "
                        "from app.later", [(101, 10)])
        run.child.kill()
        self.at_source("delete from later where id = 1")
        self.run_until(task, "caught-up")
        self.assert_same(task)

    def test_a_table_that_is_renamed_is_given_up_in_words(self):
        task = self.task()
        run = self.follow(task)
        self.at_source("alter table logs rename to diary",
                       "update accounts set owner = 'on' where id = 1")
        self.catch_up(run)
        self.stop(run)
        log = (task.directory / "wherry.log").read_text()
        self.assertIn("renamed, which is not followed (table APP.LOGS)", log)
        self.run_until(task, "caught-up", TABLES_IN_ERROR)

    def test_logs_without_a_row_lie_behind_the_last_one(self):
        task = self.task()
        self.run_until(task, "caught-up")
        self.at_source("update accounts set owner = 'before' where id = 1")
        self.run_until(task, "caught-up")
        run = self.follow(task)
        for _ in range(6):
            self.at_source("alter system switch logfile")
        self.stop(run)
        self.run_until(task, "caught-up")
        self.at_source("update accounts set owner = 'after' where id = 1")
        self.run_until(task, "caught-up")
        self.assert_same(task)

    def test_a_log_that_goes_while_the_task_is_stopped_is_named(self):
        task = self.task()
        self.run_until(task, "caught-up")
        self.at_source("update accounts set owner = 'unseen' where id = 1",
                       "alter system switch logfile")
        (sequence,), = self.sim.query("select max(sequence#) from v$archived_log")
        for _ in range(4):
            self.at_source("update accounts set balance = balance where id = 2",
                           "alter system switch logfile")
        self.at_source(f'alter system set "_orasim_delete_archived_log" = {sequence}')
        run = self.start(task).finish(120)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertIn("oracle.log_missing", run.stderr)
        self.assertIn(f"sequence {sequence} of thread 1", run.stderr)
        self.run_until(task, "caught-up", DONE, "--start", "reload-target")
        self.assert_same(task)

    def test_each_adverse_habit_of_the_simulator_off_and_on_alone(self):
        def switch(state, *habits):
            self.at_source(*(f'alter system set "_orasim_{habit}" = {state}' for habit in habits))

        self.at_source('alter system set "_orasim_log_bytes" = 65536')
        writer = self.write()
        task = self.task()
        run = self.follow(task)

        def write(habit, state):
            with self.subTest(habit=habit, state=state):
                before = writer.transactions
                while writer.is_short_of(before + 25):
                    self.count_money(1)
                self.catch_up(run)

        for habit in HABITS:
            switch("false", habit)
            write(habit, "off")
            switch("true", habit)
        switch("false", *HABITS)
        for habit in HABITS:
            switch("true", habit)
            write(habit, "on")
            switch("false", habit)
        writer.stop()
        self.catch_up(run)
        self.stop(run)
        self.assert_same(task)

    def test_changes_alone_from_an_scn(self):
        task = self.task()
        self.run_until(task, "caught-up")
        (scn,), = self.sim.query("select to_char(current_scn) from v$database")
        self.at_source("update accounts set owner = 'since' where id = 1")
        follower = self.task({"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}}, "cdc")
        self.run_until(follower, "caught-up", DONE, "--start-position", scn)
        self.assert_same(follower)


class HiddenRows(OracleCase):
    """JSON columns, of which LogMiner shows no row."""

    def orasim_flags(self):
        return ("--emulate", "23ai")

    def test_rows_that_logminer_does_not_show_are_read_from_the_table(self):
        self.at_source("create table docs (id number primary key, doc json, note varchar2(20))",
                       LOGGED.format("docs", "all"),
                       """insert into docs values (1, '{"a": 1}', 'one')""")
        task = self.task()
        run = self.follow(task)
        self.at_source("""insert into docs values (2, '{"b": [2]}', 'two')""",
                       "update docs set note = 'changed' where id = 1")
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("savepoint a")
            cursor.execute("insert into docs values (3, null, 'gone')")
            cursor.execute("rollback to savepoint a")
            cursor.execute("insert into docs values (4, null, 'four')")
            connection.commit()
        self.catch_up(run)
        self.stop(run)
        self.assertEqual(self.target.query(
            self.name, "select id::int, note from app.docs order by id"),
            [(1, "changed"), (2, "two"), (4, "four")])
        self.assert_same(task)

    def test_a_row_that_cannot_be_told_gives_up_its_table_alone(self):
        self.at_source("create table docs (id number primary key, doc json)",
                       LOGGED.format("docs", "all"), "insert into docs values (1, null)")
        task = self.task()
        run = self.follow(task)
        self.at_source("delete from docs", "update accounts set owner = 'on' where id = 1")
        self.catch_up(run)
        self.stop(run)
        self.run_until(task, "caught-up", TABLES_IN_ERROR)
        self.assertIn("apply.rows_unknown", (task.directory / "wherry.log").read_text())
        self.assertEqual(self.target.query(
            self.name, "select owner from app.accounts where id = 1"), [("on",)])
        # Once it is loaded again its changes come again, in the same run.
        run = self.follow(task)
        self.at_source("insert into docs values (2, null)", "delete from docs where id = 2")
        self.catch_up(run)
        self.assertEqual(wherry("reload", "--table", "APP.DOCS", "--state", str(task.state)).status,
                         DONE)
        self.at_source("insert into docs values (3, null)")
        self.wait_until(run, "select id::int from app.docs", [(3,)])
        self.stop(run)


if __name__ == "__main__":
    unittest.main()
