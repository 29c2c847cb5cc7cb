"""`wherry validate` of tasks with changes: while they run, under writes, and when they are stopped."""
import contextlib
import json
import random
import signal
import threading
import time
import unittest

from support.change_case import DONE, FAILED, ChangeCase
from support.paths import LONG
from support.postgres import PASSWORD
from support.wherry import wherry

DIFFERENT = 3
ROWS, CHANGED_ROWS = 20000, 1000
FILL = (
    "create table app.hot (id integer primary key, n bigint, note text)",
    "insert into app.hot select i, 0, 'note ' || i from generate_series(1, 3) i",
    "create table app.big (id integer primary key, pad text, at timestamptz default now())",
    f"insert into app.big select i, repeat(md5(i::text), 3) from generate_series(1, {ROWS}) i",
    "create table app.log (who text, what jsonb, at timestamptz default now())",
    "alter table app.log replica identity full",
    "insert into app.log select 'w' || i % 7, jsonb_build_object('n', i % 5) "
    "from generate_series(1, 500) i")


class Writer:
    """Writes to all tables until it is stopped: to the same row, to few, to one without a key."""

    def __init__(self, server, database, seed):
        self._stop = threading.Event()
        self._chooser = random.Random(seed)
        self._connection = server.connect(database)
        self._connection.autocommit = False
        self._seed = seed
        self.transactions = 0
        self.failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            # Every transaction has a conflict once the target is spoilt: no faster than that is done.
            while not self._stop.wait(0.02):
                with self._connection.cursor() as cursor:
                    self._write(cursor)
                self._connection.commit()
                self.transactions += 1
        except Exception as failure:  # shown by stop()
            self.failure = failure

    def _write(self, cursor):
        number = self._chooser.randint(1, CHANGED_ROWS)
        cursor.execute("update app.hot set n = -n where id = 2")  # back and forth
        cursor.execute("update app.hot set n = n + 1 where id = 1")
        cursor.execute("update app.big set pad = reverse(pad), at = now() where id = %s", (number,))
        cursor.execute("insert into app.log values (%s, %s)",
                       (f"w{self._seed}", json.dumps({"n": number % 3})))
        if number % 4 == 0:
            cursor.execute("delete from app.big where id = %s", (number,))
            cursor.execute("insert into app.big values (%s, 'again')", (number,))
            cursor.execute("delete from app.log where ctid in (select ctid from app.log "
                           "where who = %s limit 2)", (f"w{self._seed}",))

    def wait_for(self, more):
        end, wanted = time.monotonic() + 60, self.transactions + more
        while self.transactions < wanted:
            if self.failure:
                raise self.failure
            if time.monotonic() > end:
                raise AssertionError("the source takes no changes")
            time.sleep(0.01)

    def stop(self):
        self._stop.set()
        self._thread.join(30)
        self._connection.close()
        if self.failure:
            raise self.failure


class ValidateChanges(ChangeCase):
    def setUp(self):
        super().setUp()
        self.at_source(*FILL)
        # What is cut again and again is tried again soon.
        self.steady = self.task({"ErrorBehavior": {"RecoverableErrorInterval": 1,
                                                   "RecoverableErrorThrottling": False}})

    def write(self, writers):
        out = [Writer(self.source, self.name, seed) for seed in range(writers)]
        for writer in out:
            self.addCleanup(writer.stop)
        return out

    def begin(self):
        """The task follows its source until the test is over."""
        run = self.follow(self.steady)
        self.addCleanup(self.end, run)
        return run

    @staticmethod
    def end(run):
        if not hasattr(run, "status"):
            run.child.signal(signal.SIGTERM)
            run.finish(60)

    def run_until_caught_up(self):
        self.run_until(self.steady, "caught-up")

    def validate(self, status, *more):
        # Writers without a pause may be faster than the apply: it says so, before the test's patience
        # ends.
        run = self.steady.validate("--progress", "json", *(more or ("--wait", "200")),
                                   source_password=PASSWORD)
        self.assertEqual(run.status, status, run.describe())
        return run

    def differences(self, run):
        return {(e["type"], e["table"], e["key"], e.get("column"))
                for e in run.events if e["event"] == "difference"}

    def assert_one_slot_is_left(self):
        slots = ("select count(*) from pg_replication_slots where database = current_database() "
                 "and not temporary")
        self.assertEqual(self.source.query(self.name, slots), [(1,)])

    @unittest.skipUnless(LONG, "takes minutes: --long")
    def test_under_writes_nothing_is_reported_but_what_is_wrong(self):
        writers = self.write(2)
        run = self.begin()
        for _ in range(3):
            found = self.validate(DONE)
            self.assertEqual(self.differences(found), set())
            states = {t["table"]: t["state"] for t in found.events[-1]["tables"]}
            self.assertEqual(states, dict.fromkeys(("hot", "big", "log", "marker"),
                                                   "Validated"))
            for writer in writers:
                writer.wait_for(20)
        self.at_target(
            "delete from app.hot where id = 1",  # changed by every transaction
            "update app.hot set note = 'spoilt' where id = 3",
            "delete from app.big where id = 15000",
            "insert into app.big values (-5, 'extra')",
            "update app.big set pad = 'spoilt', at = at + interval '1 second' where id = 17000",
            "insert into app.log values ('nobody', '{\"n\": 9}', '2020-01-01Z')")
        expected = {("MISSING_TARGET", "hot", "id=1", None),
                    ("RECORD_DIFF", "hot", "id=3", "note"),
                    ("MISSING_TARGET", "big", "id=15000", None),
                    ("MISSING_SOURCE", "big", "id=-5", None),
                    ("RECORD_DIFF", "big", "id=17000", "pad"),
                    ("RECORD_DIFF", "big", "id=17000", "at")}
        for _ in range(2):
            found = self.differences(self.validate(DIFFERENT))
            keyless = {f for f in found if f[1] == "log"}
            self.assertEqual(found - keyless, expected)
            self.assertEqual([kind for kind, *_ in keyless], ["MISSING_SOURCE"])
        self.end(run)
        self.assertEqual(run.status, DONE, run.describe())
        self.assertEqual(run.events[-1]["stop_reason"], "Stop Reason NORMAL")

    def test_a_stopped_task_is_compared_as_far_as_it_is_where_the_source_is(self):
        self.run_until_caught_up()
        self.validate(DONE)
        self.at_source("update app.hot set n = 5")
        self.at_target("update app.big set pad = 'spoilt' where id = 7")
        spoilt = {("RECORD_DIFF", "big", "id=7", "pad")}
        found = self.validate(DIFFERENT)
        self.assertEqual(self.differences(found), spoilt)
        codes = {t["table"]: t.get("error", {}).get("code") for t in found.events[-1]["tables"]}
        self.assertEqual(codes, {"hot": "validate.behind", "big": None, "log": None,
                                 "marker": None})
        self.run_until_caught_up()
        self.assertEqual(self.differences(self.validate(DIFFERENT)), spoilt)
        self.assert_one_slot_is_left()

    def test_a_transaction_that_stays_open_is_waited_for_and_holds_nobody_up(self):
        self.begin()
        with contextlib.closing(self.source.connect(self.name)) as connection:
            connection.autocommit = False
            with connection.cursor() as cursor:
                cursor.execute("insert into app.hot values (100, 1, 'open')")
                run = self.validate(FAILED, "--wait", "2")
                self.assertIn("transactions that were open at the source", run.stderr)
                self.at_source("insert into app.hot values (101, 1, 'short')")
                end = time.monotonic() + 60
                arrived = "select count(*) from app.hot where id = 101"
                while self.target.query(self.name, arrived) != [(1,)]:
                    self.assertLess(time.monotonic(), end, "the task has not gone on")
                    time.sleep(0.01)
            connection.commit()
        self.assertEqual(self.differences(self.validate(DONE)), set())

    @unittest.skipUnless(LONG, "takes a minute: --long")
    def test_a_table_is_loaded_again_under_writes_and_faults(self):
        writers = self.write(2)
        self.run_until_caught_up()
        self.at_target("delete from app.big where id % 3 = 0",
                       "update app.log set who = 'spoilt'")
        asked = wherry("reload", "--state", str(self.steady.state), "--table", "app.big",
                       "--table", "app.log")
        self.assertEqual(asked.status, DONE, asked.describe())
        for point in ("reload.loaded", "reload.before_join"):
            run = self.start(self.steady, WHERRY_FAILPOINT=point).finish(60)
            self.assertEqual(run.status, -signal.SIGKILL, run.describe())
        self.begin()
        end = time.monotonic() + 120
        cuts_left = 5  # a load that is cut begins again
        while True:
            found = self.steady.validate("--progress", "json", source_password=PASSWORD)
            self.assertEqual(self.differences(found), set(), found.describe())
            if found.status == DONE:
                break
            self.assertLess(time.monotonic(), end, found.describe())
            for server in (self.source, self.target) if cuts_left > 0 else ():
                server.execute("postgres", "select pg_terminate_backend(pid) from pg_stat_activity "
                               f"where datname = '{self.name}' and application_name like 'wherry%'")
            cuts_left -= 1
        for writer in writers:
            writer.wait_for(20)
        self.assertEqual(self.differences(self.validate(DONE)), set())


if __name__ == "__main__":
    unittest.main()
