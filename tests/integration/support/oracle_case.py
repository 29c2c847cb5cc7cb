"""What tests of ongoing replication from Oracle share: a simulator each test, writers, comparing."""
import contextlib
import json
import random
import threading
import time
import unittest

import oracledb

from support.followed_task import FollowedTask
from support.orasim import USER, Orasim
from support.postgres import Postgres
from support.wherry import Task, lowercase, selection

DONE, FAILED, REFUSED, TABLES_IN_ERROR = 0, 1, 2, 3
ONGOING = "ongoing replication"
SETTINGS = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"},
            "ErrorBehavior": {"RecoverableErrorInterval": 1}}
RULES = [selection(USER), lowercase("schema", 2), lowercase("table", 3), lowercase("column", 4)]
ACCOUNTS, BALANCE = 100, 1000
LOGGED = "alter table {} add supplemental log data ({}) columns"
FILL = (
    "alter database add supplemental log data",
    "create table accounts (id number(9) primary key, owner varchar2(40), balance number(12,2))",
    f"insert into accounts select level, 'owner ' || level, {BALANCE} from dual "
    f"connect by level <= {ACCOUNTS}",
    "create table transfers (id number primary key, payer number(9), payee number(9), "
    "amount number(8,2), at timestamp(6))",
    "create sequence transfer_ids",
    "create table notes (name varchar2(60) primary key, body clob, data blob, changed date)",
    "insert into notes select 'note ' || level, rpad('x', mod(level, 50), 'x'), null, "
    "date '2024-02-29' + level from dual connect by level <= 100",
    "create table logs (who varchar2(20), n number, price binary_double)",
    "create table marker (id number primary key)",
    *(LOGGED.format(table, "primary key") for table in ("accounts", "transfers", "notes",
                                                        "marker")),
    LOGGED.format("logs", "all"))


class Writer:
    """Moves money, and writes to every table, until it is stopped; switches logs now and then."""

    def __init__(self, sim, seed):
        self._stop = threading.Event()
        self.chooser = random.Random(seed + 1)  # for whoever watches
        self._chooser = random.Random(seed)
        self._connection = sim.connect()
        self.transactions = 0
        self._last, self._since = 0, time.monotonic()
        self.failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._stop.wait(0.005):
                with self._connection.cursor() as cursor:
                    self._write(cursor)
                if self._chooser.randint(0, 9) == 0:
                    self._connection.rollback()
                else:
                    self._connection.commit()
                self.transactions += 1
        except Exception as failure:  # shown by stop()
            self.failure = failure

    def _write(self, cursor):
        chooser = self._chooser
        payer, payee = chooser.sample(range(1, ACCOUNTS + 1), 2)
        if payer > payee:
            payer, payee = payee, payer  # no deadlocks
        amount = chooser.randint(1, 50)
        cursor.execute("update accounts set balance = balance - :1 where id = :2", (amount, payer))
        cursor.execute("update accounts set balance = balance + :1 where id = :2", (amount, payee))
        cursor.execute("insert into transfers values (transfer_ids.nextval, :1, :2, :3, "
                       "systimestamp)", (payer, payee, amount))
        kind = chooser.randint(0, 11)
        note = f"note {chooser.randint(1, 100)}"
        if kind == 0:
            cursor.execute("delete from transfers where mod(id, 7) = :1",
                           (chooser.randint(0, 6),))
        elif kind == 1:
            cursor.execute("update notes set body = :1, changed = sysdate where name = :2",
                           ("it's " * chooser.choice((1, 100, 3000)), note))
        elif kind == 2:
            cursor.execute("update notes set data = :1 where name = :2",
                           (bytes(range(256)) * chooser.choice((1, 4, 40)), note))
        elif kind == 3:
            with contextlib.suppress(oracledb.IntegrityError):  # a statement that fails
                cursor.execute("update notes set name = name || '+' where name = :1", (note,))
        elif kind == 4:
            cursor.execute("insert into logs values (:1, :2, :3)",
                           (f"w{amount % 3}", chooser.choice((None, 1, 2.5)), amount / 7))
        elif kind == 5:
            cursor.execute("update logs set price = price + 1 where who = :1 and rownum < 3",
                           (f"w{amount % 3}",))
        elif kind == 6:
            cursor.execute("delete from logs where who = :1 and rownum < 2", (f"w{amount % 3}",))
        elif kind == 7:
            cursor.execute("savepoint a")
            cursor.execute("insert into logs values ('gone', 1, 1)")
            cursor.execute("update accounts set owner = owner || '!' where id = :1", (payer,))
            cursor.execute("rollback to savepoint a")
        elif kind == 8:
            cursor.execute("delete from notes where name = :1", (note,))
            cursor.execute("insert into notes values (:1, :2, :3, null)",
                           (note, "new" * chooser.choice((0, 1, 2000)), b"\x01"))
        elif kind == 9:
            with self._connection.cursor() as other:
                other.execute("update accounts set owner = owner || null where id = :1", (payee,))

    def is_short_of(self, transactions):
        """Whether it has not done so many yet; a writer that stands still is a failure."""
        if self.transactions != self._last:
            self._last, self._since = self.transactions, time.monotonic()
        if time.monotonic() - self._since > 60:
            raise AssertionError(f"the writer stands still after {self.transactions} transactions")
        return self.transactions < transactions and not self.failure

    def stop(self):
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join(30)
            self._connection.close()
        if self.failure:
            raise self.failure
        return self.transactions


class OracleCase(FollowedTask, unittest.TestCase):
    """The target's server is the module's, with a database a test."""

    targets = []
    count = 0
    fill = FILL

    @classmethod
    def setUpClass(cls):
        if not OracleCase.targets:
            unittest.addModuleCleanup(OracleCase.targets.clear)
            OracleCase.targets.append(server := Postgres())
            unittest.addModuleCleanup(server.close)
        cls.target = OracleCase.targets[0]

    def setUp(self):
        OracleCase.count += 1
        self.name = f"d{OracleCase.count}"
        self.target.create_database(self.name)
        self.sim = Orasim(*self.orasim_flags())
        self.addCleanup(lambda: self.sim.close())
        self.at_source(*self.fill)
        self.markers = 0

    def orasim_flags(self):
        return ()

    def at_source(self, *statements):
        self.sim.execute(*statements)

    def task(self, more=None, migration_type="full-load-and-cdc", options="", rules=None):
        task = Task(self.sim.url() + options, self.target.url(self.name), rules or RULES,
                    {**SETTINGS, **(more or {})})
        task.migration_type = migration_type
        self.addCleanup(task.close)
        return task

    def start(self, task, *more, **environment):
        run = task.start(*more, environment=environment)
        self.addCleanup(run.child.kill)
        return run

    def follow(self, task, *more):
        """Runs the task until it follows the source."""
        run = self.start(task, *more)
        run.child.wait_for_line(
            lambda line: line.startswith("{") and json.loads(line).get("phase") == ONGOING, 120)
        return run

    def run_until(self, task, stop_when, status=DONE, *more):
        run = self.start(task, "--stop-when", stop_when, *more).finish(180)
        log = task.directory / "wherry.log"
        errors = [line for line in log.read_text().splitlines() if "]E:" in line]
        self.assertEqual(run.status, status, f"{run.describe()}\n" + "\n".join(errors[-10:]))
        return run

    def catch_up(self, run, deadline_secs=60):
        """Until the target has all that was committed at the source before the call."""
        self.markers += 1
        self.at_source(f"insert into marker (id) values ({self.markers})")
        self.wait_until(run, f"select id::int from app.marker where id = {self.markers}",
                        [(self.markers,)], deadline_secs)

    def assert_same(self, task):
        """All rows of all tables, compared by `wherry validate`."""
        validated = task.validate()
        self.assertEqual(validated.status, DONE, validated.describe())
        self.assertEqual(self.target.query(
            self.name, "select * from awsdms_apply_exceptions"), [])
