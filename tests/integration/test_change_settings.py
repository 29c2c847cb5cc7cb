"""Settings of ongoing replication, what a task counts, and how it is forgotten."""
import contextlib
import json
import signal
import threading
import time
import unittest

from support.change_case import DONE, FAILED, ChangeCase
from support.postgres import PASSWORD, Postgres
from support.wherry import wherry

REFUSED = 2


class Counted(ChangeCase):
    def setUp(self):
        super().setUp()
        self.at_source("create table app.items (id integer primary key, word text)",
                       "insert into app.items select i, 'w' || i from generate_series(1, 100) i")

    @staticmethod
    def counts(run):
        return {table["table"]: (table["captured"], table["applied"])
                for table in run.events[-1]["changes"]}

    def wait_for_statistics(self, task, run, inserts):
        """Until the task has written down that it has applied so many."""
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                with open(task.state / "statistics.json", encoding="utf-8") as file:
                    tables = {t["table"]: t["applied"][0] for t in json.load(file)["tables"]}
                if tables.get("items") == inserts:
                    return
            self.assertTrue(run.child.is_running(), run.child.output_tail())
            self.assertLess(time.monotonic(), end, run.child.output_tail())
            time.sleep(0.02)

    def test_what_is_counted_survives_a_stop_and_a_kill(self):
        task = self.task()
        run = self.follow(task)
        self.at_source("insert into app.items select i, 'new' from generate_series(101, 130) i",
                       "update app.items set word = 'changed' where id <= 7",
                       "delete from app.items where id in (8, 9)")
        self.catch_up(run)
        first = {"inserts": 30, "updates": 7, "deletes": 2, "ddls": 0}
        self.assertEqual(self.counts(self.stop(run))["items"], (first, first))
        run = self.follow(task)
        self.at_source("insert into app.items select i, 'new' from generate_series(131, 140) i")
        self.wait_for_statistics(task, run, 40)
        run.child.kill()
        self.at_source("truncate app.items", "insert into app.items values (1, 'one')")
        run = self.run_until(task, "caught-up")
        last = {"inserts": 41, "updates": 7, "deletes": 2, "ddls": 1}
        self.assertEqual(self.counts(run)["items"], (last, last))
        told = [event for event in run.events if event["event"] == "cdc"][-1]
        self.assertEqual(set(told["stage_seconds"]), {"read", "decode", "assemble", "conflict",
                                                      "lane", "apply", "commit"})
        for stage in ("read", "decode", "assemble", "apply"):
            self.assertGreater(told["stage_seconds"][stage], 0, stage)
        self.assertIn(told["limiting_stage"], told["stage_seconds"])

    def test_small_transactions_share_one_of_the_target_with_little_memory_too(self):
        task = self.task({"TargetMetadata": {"ParallelApplyThreads": 4},
                          "ChangeProcessingTuning": {"MemoryLimitTotal": 4}})
        self.run_until(task, "caught-up")
        self.at_source("do $$ begin for i in 1..2000 loop insert into app.items values (1000 + i, "
                       "repeat('x', 50)); commit; end loop; end $$")
        run = self.run_until(task, "caught-up")
        told = [event for event in run.events if event["event"] == "cdc"][-1]
        self.assertGreaterEqual(told["transactions"], 2000)
        self.assertLess(told["commits"], 500)
        self.assert_equal()


class Forgotten(ChangeCase):
    SETTINGS = {"ControlTablesSettings": {"StatusTableEnabled": True, "HistoryTableEnabled": True}}

    def forget(self, task, *more, password=PASSWORD):
        return wherry("forget", *task.flags(), *more, source_password=password)

    def left(self):
        at_source = self.source.query(
            self.name, "select count(*) from pg_replication_slots where database = "
            "current_database() union all select count(*) from pg_publication union all "
            "select count(*) from pg_event_trigger")
        at_target = self.target.query(
            self.name, "select count(*) from wherry_checkpoint union all "
            "select count(*) from awsdms_status")
        return [count for (count,) in at_source + at_target]

    def test_nothing_is_left_of_a_task_but_its_tables(self):
        task = self.task(self.SETTINGS)
        run = self.follow(task)
        refused = self.forget(task, "--yes")
        self.assertEqual(refused.status, REFUSED, refused.describe())
        self.assertIn("Stop it first", refused.stderr)
        self.stop(run)
        unasked = self.forget(task)
        self.assertEqual(unasked.status, REFUSED, unasked.describe())
        self.assertIn("--yes", unasked.stderr)
        self.assertTrue(all(self.left()), self.left())
        # What cannot be removed is named, and is removed the next time.
        denied = self.forget(task, "--yes", password="no-such-password")
        self.assertEqual(denied.status, FAILED, denied.describe())
        self.assertIn("not removed: what the stream", denied.stdout)
        self.assertIn("pg_drop_replication_slot('wherry_", denied.stderr)
        self.assertIn("not removed: the state directory", denied.stdout)
        slots, publications, triggers, checkpoints, status = self.left()
        self.assertTrue(slots and publications and triggers and status, self.left())
        self.assertEqual(checkpoints, 0)
        done = self.forget(task, "--yes", "--control-rows")
        self.assertEqual(done.status, DONE, done.describe())
        self.assertEqual(self.left(), [0] * 5)
        self.assertFalse(task.state.exists())
        self.assert_equal()
        again = self.forget(task, "--yes")
        self.assertEqual(again.status, REFUSED, again.describe())
        self.assertFalse(task.state.exists())


class Characters(ChangeCase):
    # The euro sign becomes E, and what Latin-1 has not becomes ?.
    SETTINGS = {"CharacterSetSettings": {
        "CharacterReplacements": [{"SourceCharacterCodePoint": "20AC",
                                   "TargetCharacterCodePoint": "45"}],
        "CharacterSetSupport": {"CharacterSet": "ISO-8859-1",
                                "ReplaceWithCharacterCodePoint": "3F"}}}

    def test_characters_are_replaced_in_changes_as_in_the_load(self):
        self.at_source("create table app.words (code varchar(10) primary key, word varchar(40), "
                       "n integer)",
                       "insert into app.words values ('a€', '1 €', 1), ('b€', '2 €', 2), "
                       "('c€', '3 ж é', 3)")
        task = self.task(self.SETTINGS)
        run = self.follow(task)
        self.at_source("insert into app.words values ('d€', '4 € ж', 4)",
                       "update app.words set word = '5 €' where code = 'a€'",
                       "delete from app.words where code = 'b€'",
                       "update app.words set code = 'z€' where code = 'c€'")
        self.catch_up(run)
        expected = [("aE", "5 E", 1), ("dE", "4 E ?", 4), ("zE", "3 ? é", 3)]
        rows = "select code, word, n from app.words order by code"
        self.assertEqual(self.target.query(self.name, rows), expected)
        compared = task.validate("--progress", "json", source_password=PASSWORD)
        self.assertEqual(compared.status, DONE, compared.describe())
        self.stop(run)
        # What was planned earlier heeds them, too; and a new definition.
        self.at_source("update app.words set n = 40 where code = 'd€'",
                       "alter table app.words add column more varchar(5)",
                       "insert into app.words values ('e€', '€', 5, '€')")
        self.run_until(task, "caught-up")
        self.assertEqual(self.target.query(self.name, f"{rows.replace('n from', 'n, more from')}"),
                         [("aE", "5 E", 1, None), ("dE", "4 E ?", 40, None), ("eE", "E", 5, "E"),
                          ("zE", "3 ? é", 3, None)])
        self.assert_no_exceptions()


class Pace:
    """Writes log at a steady pace, a megabyte at a time."""

    def __init__(self, server, database):
        self._stop = threading.Event()
        self._server, self._database = server, database
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with contextlib.closing(self._server.connect(self._database)) as connection:
            with connection.cursor() as cursor:
                while not self._stop.wait(0.25):
                    cursor.execute("select pg_logical_emit_message(false, 'pace', "
                                   "repeat('x', 1000000))")

    def stop(self):
        self._stop.set()
        self._thread.join(30)


class LostLog(ChangeCase):
    """A server of its own: it throws log away that is needed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = Postgres()
        cls.addClassCleanup(cls.source.close)
        cls.source.execute("postgres", "alter system set max_slot_wal_keep_size = '48MB'",
                           "alter system set checkpoint_timeout = '1h'", "select pg_reload_conf()")

    def test_the_loss_of_the_log_is_foretold_and_then_said(self):
        task = self.task()
        run = self.follow(task)
        with contextlib.closing(self.source.connect(self.name)) as open_connection:
            open_connection.autocommit = False
            with open_connection.cursor() as cursor:
                cursor.execute("insert into app.marker values (1000)")
                pace = Pace(self.source, self.name)
                self.addCleanup(pace.stop)
                told = self.wait_for_forecast(run)
                pace.stop()
            # At this pace, and no other: 4 MB a second less what the writing took.
            speed = told["source_bytes_until_lost"] / told["source_log_lost_in_seconds"]
            self.assertGreater(speed, 1_000_000, told)
            self.assertLess(speed, 6_000_000, told)
            self.assertIn("about to throw away log", (task.directory / "wherry.log").read_text())
            self.at_source(*["select pg_logical_emit_message(false, 'x', repeat('x', 60000000))"] * 2,
                           "checkpoint")
        run.finish(120)
        self.assertEqual(run.status, FAILED, run.describe())
        self.assertIn("reload-target", run.stderr)

    def wait_for_forecast(self, run):
        found = []

        def is_told(line):
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("event") == "cdc" and event.get("source_log_lost_in_seconds"):
                found.append(event)
            return bool(found)

        run.child.wait_for_line(is_told, 60)
        return found[0]


if __name__ == "__main__":
    unittest.main()
