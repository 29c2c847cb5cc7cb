"""Keys of the task settings whose effect only a whole program between servers shows: each with two
values or more, and what is seen of each. The other keys: src/control/settings_*behaviour_test.cpp, which
also fails when a key is neither there nor in CASES."""
import dataclasses
import json
import re
import time
import unittest

import oracledb

from support.change_case import ChangeCase
from support.oracle_case import OracleCase
from support.orasim import SERVICE, Orasim
from support.postgres import PASSWORD
from support.proxy import Proxy
from support.wherry import Task, lowercase, selection, wherry

CREATE = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}}
KEEP = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}}
FULL_LOBS = {**CREATE, "TargetMetadata": {"FullLobMode": True}}


@dataclasses.dataclass(frozen=True)
class Case:
    path: str
    observe: str  # the method that runs a task with the settings, and says what is seen
    values: tuple  # (value, seen), two of which are seen to differ
    company: dict = dataclasses.field(default_factory=dict)  # what is sent besides

    def settings(self, value):
        out = json.loads(json.dumps(self.company))
        _, section, key = self.path.split("/")
        out.setdefault(section, {})[key] = value
        return out


HISTORY = {"ControlTablesSettings": {"HistoryTableEnabled": True}}
EXCEPTIONS = "public.awsdms_apply_exceptions"

CASES = [
    Case("/TargetMetadata/LobChunkSize", "requests_for_a_large_object",
         ((64, "many"), (8192, "few")), FULL_LOBS),
    Case("/TargetMetadata/InlineLobMaxSize", "requests_for_small_objects",
         ((8, "many"), (64, "few")), FULL_LOBS),
    Case("/TargetMetadata/TaskRecoveryTableEnabled", "txn_state_tables", ((False, 0), (True, 1))),
    Case("/FullLoadSettings/TransactionConsistencyTimeout", "wait_for_a_transaction",
         ((0, "fails at once"), (2, "waits")), CREATE),
    Case("/ControlTablesSettings/ControlSchema", "control_tables",
         (("", EXCEPTIONS), ("ctl", "ctl.awsdms_apply_exceptions")), CREATE),
    Case("/ControlTablesSettings/HistoryTableEnabled", "control_tables",
         ((False, EXCEPTIONS), (True, f"{EXCEPTIONS} public.awsdms_history")), CREATE),
    Case("/ControlTablesSettings/SuspendedTablesTableEnabled", "control_tables",
         ((False, EXCEPTIONS), (True, f"{EXCEPTIONS} public.awsdms_suspended_tables")), CREATE),
    Case("/ControlTablesSettings/StatusTableEnabled", "control_tables",
         ((False, EXCEPTIONS), (True, f"{EXCEPTIONS} public.awsdms_status")), CREATE),
    Case("/ControlTablesSettings/HistoryTimeslotInMinutes", "history_slots",
         ((5, 5), (7, 7)), HISTORY),
    Case("/ControlTablesSettings/historyTimeslotInMinutes", "history_slots",
         ((5, 5), (7, 7)), HISTORY),
    Case("/ChangeProcessingTuning/StatementCacheSize", "statements_given_back",
         ((50, "none"), (1, "some"))),
    Case("/ChangeProcessingDdlHandlingPolicy/HandleSourceTableDropped", "dropped_table",
         ((True, "gone"), (False, "there"))),
    Case("/ErrorBehavior/DataTruncationErrorPolicy", "values_too_long",
         (("LOG_ERROR", "status 3, 2 rows, 3 in the log"),
          ("IGNORE_RECORD", "status 3, 2 rows, 0 in the log"),
          ("SUSPEND_TABLE", "status 3, 0 rows, 0 in the log"),
          ("STOP_TASK", "status 1, 0 rows, 0 in the log")), KEEP),
]


def add_tests(names):
    """To a class, a test for each case that one of its methods observes."""
    def add(cls):
        for case in CASES:
            if case.observe not in names:
                continue

            def test(self, case=case):
                seen = []
                for value, expected in case.values:
                    self.begin()
                    seen.append(getattr(self, case.observe)(case.settings(value)))
                    self.assertEqual(seen[-1], expected, f"{case.path} {value}")
                self.assertGreater(len(set(seen)), 1, case.path)

            setattr(cls, "test" + case.path.replace("/", "_"), test)
        return cls
    return add


@add_tests({"control_tables", "history_slots", "values_too_long"})
class Loaded(ChangeCase):
    """From PostgreSQL."""

    def setUp(self):
        pass

    def begin(self):
        super().setUp()

    def load(self, settings):
        task = Task(self.source.url(self.name), self.target.url(self.name), [selection("app")],
                    settings)
        self.addCleanup(task.close)
        return task.run(source_password=PASSWORD)

    def control_tables(self, settings):
        run = self.load(settings)
        self.assertEqual(run.status, 0, run.describe())
        return " ".join(name for name, in self.target.query(
            self.name, "select table_schema || '.' || table_name from information_schema.tables "
            "where table_name like 'awsdms%' order by 1"))

    def history_slots(self, settings):
        run = self.load(settings)
        self.assertEqual(run.status, 0, run.describe())
        return self.target.query(self.name, "select timeslot_duration from awsdms_history")[0][0]

    def values_too_long(self, settings):
        self.at_source("create table app.words (id integer primary key, word text)",
                       "insert into app.words select i, repeat('x', i) from generate_series(1, 5) i")
        self.at_target("create schema app",
                       "create table app.words (id integer primary key, word varchar(2))")
        run = self.load(settings)
        rows = self.target.query(self.name, "select count(*) from app.words")[0][0]
        lines = run.log_file.read_text().count("a row is left out")
        return f"status {run.status}, {rows} rows, {lines} in the log"

    def test_what_means_nothing_is_told_by_plan_and_run(self):
        self.begin()
        sent = {**CREATE, "TTSettings": {"EnableTT": True},
                "TargetMetadata": {"FullLobMode": True, "LobChunkSize": 64},
                "ChangeProcessingTuning": {"CommitTimeout": 9}}
        run = self.load(sent)
        self.assertEqual(run.status, 0, run.describe())
        log = run.log_file.read_text()
        task = Task(self.source.url(self.name), self.target.url(self.name), [selection("app")], sent)
        self.addCleanup(task.close)
        planned = wherry("plan", "--migration-type", "full-load", "--format", "json", *task.flags(),
                         source_password=PASSWORD)
        told = json.loads(planned.stdout)["without_effect"]
        for path in ("/TTSettings/EnableTT", "/TargetMetadata/LobChunkSize",
                     "/ChangeProcessingTuning/CommitTimeout"):
            line, = (each for each in told if each.startswith(path + ": "))
            self.assertIn(f"a task setting has no effect  (setting: {line})", log)
        self.assertEqual(len(told), 3, told)


@add_tests({"txn_state_tables", "statements_given_back", "dropped_table"})
class Followed(ChangeCase):
    """From PostgreSQL, with changes."""

    def setUp(self):
        pass

    def begin(self):
        super().setUp()
        self.at_source("create table app.items (id integer primary key)")

    def txn_state_tables(self, settings):
        self.run_until(self.task(settings), "caught-up")
        return self.target.query(self.name, "select count(*) from information_schema.tables "
                                 "where table_name = 'awsdms_txn_state'")[0][0]

    def statements_given_back(self, settings):
        self.target.execute("postgres", f"alter database {self.name} set log_statement = 'all'",
                            f"alter database {self.name} set log_min_messages = 'log'")
        log = self.target.directory / "pgdata" / "server.log"
        before = log.stat().st_size
        run = self.follow(self.task(settings))
        for i in range(3):
            self.at_source(f"insert into app.items values ({i})")
            self.catch_up(run)  # a statement of another table
        self.stop(run)
        with log.open("rb") as file:
            file.seek(before)
            mine = file.read()
        self.assertIn(b"wherry_checkpoint", mine)
        return "some" if re.search(rb"deallocate wherry_\d", mine) else "none"

    def dropped_table(self, settings):
        run = self.follow(self.task(settings))
        self.at_source("drop table app.items")
        self.catch_up(run)
        self.stop(run)
        there, = self.target.query(self.name, "select to_regclass('app.items') is not null")[0]
        return "there" if there else "gone"


@add_tests({"requests_for_a_large_object", "requests_for_small_objects"})
class LargeObjects(ChangeCase):
    """From Oracle: what the program asks for goes through a proxy that counts it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sim = Orasim()
        cls.addClassCleanup(cls.sim.close)

    def setUp(self):
        pass

    def begin(self):
        super().setUp()

    def fill(self, table, count, size):
        if self.sim.query(f"select 1 from user_tables where table_name = '{table}'"):
            return
        self.sim.execute(f"create table {table} (id number(9) primary key, reel blob)")
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.setinputsizes(None, oracledb.DB_TYPE_BLOB)
            for i in range(count):
                cursor.execute(f"insert into {table} values (:1, :2)", [i, b"r" * size])
            connection.commit()

    def bytes_sent(self, table, settings):
        proxy = Proxy(self.sim.host, self.sim.port)
        self.addCleanup(proxy.close)
        task = Task(f"oracle://APP@127.0.0.1:{proxy.port}/{SERVICE}", self.target.url(self.name),
                    [selection("APP", table), lowercase("schema", 7)], settings)
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        return proxy.forwarded["client"]

    def requests_for_a_large_object(self, settings):
        self.fill("FILMS", 1, 8_000_000)
        sent = self.bytes_sent("FILMS", settings)  # some 14,000 besides those for the value
        return "many" if sent > 20_000 else "few"

    def requests_for_small_objects(self, settings):
        self.fill("CLIPS", 200, 20_000)
        sent = self.bytes_sent("CLIPS", settings)
        return "many" if sent > 20_000 else "few"


@add_tests({"wait_for_a_transaction"})
class OpenTransactions(OracleCase):
    """From Oracle, with changes."""

    def setUp(self):
        pass

    def begin(self):
        super().setUp()

    def wait_for_a_transaction(self, settings):
        self.at_source('alter system set "_orasim_hide_start_scns" = true')
        with self.sim.connect() as early:
            early.cursor().execute("update accounts set owner = 'early' where id = 1")
            begun = time.monotonic()
            run = self.start(self.task(settings)).finish(120)
            spent = time.monotonic() - begun
        self.assertIn("oracle.transactions_open", run.stderr, run.describe())
        # What is left of the time when the wait begins, in whole seconds.
        seconds = int(re.search(r"has not within (\d+) s", run.stderr).group(1))
        self.assertGreaterEqual(spent, seconds)
        return "waits" if seconds > 0 else "fails at once"


class Table(unittest.TestCase):
    def test_each_case_has_its_test(self):
        observers = {cls: dir(cls) for cls in (Loaded, Followed, LargeObjects, OpenTransactions)}
        for case in CASES:
            name = "test" + case.path.replace("/", "_")
            self.assertEqual(sum(name in names for names in observers.values()), 1, case.path)


if __name__ == "__main__":
    unittest.main()
