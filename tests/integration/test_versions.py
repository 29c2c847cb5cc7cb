"""Ongoing replication between versions of PostgreSQL: every type through the log, and every kind of
table. The servers say whether the rows are the same. WHERRY_SEED repeats a run."""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from support.paths import BUILD, LONG
from support.postgres import PASSWORD, Postgres
from support.postgres_values import TYPES, Values, columns
from support.wherry import Task, selection

DONE = 0
ROWS = 25
MIDDLE = 15
SETTINGS = {"FullLoadSettings": {"TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD"},
            "ErrorBehavior": {"RecoverableErrorInterval": 1}}
BATCH = {**SETTINGS, "TargetMetadata": {"BatchApplyEnabled": True}}
ROOT, LEAF = "root", "leaf"
# Both sides have these; the others are made by the load.
SHARED = (
    "create table app.counters (id bigint generated always as identity primary key, n integer, "
    "twice integer generated always as (n * 2) stored, pad text)",
    "create table app.by_index (a integer not null unique, v text, pad text)",
    "create table app.parts (id integer primary key, v text) partition by range (id)",
    "create table app.parts_low partition of app.parts for values from (0) to (100)",
    "create table app.parts_high partition of app.parts for values from (100) to (200)",
)
FILL = (
    "create table app.tree (id integer primary key, v text) partition by range (id)",
    "create table app.tree_low partition of app.tree for values from (0) to (100)",
    "create table app.tree_high partition of app.tree for values from (100) to (200)",
    "alter table app.by_index replica identity using index by_index_a_key",
    "insert into app.counters (n, pad) select i, repeat(md5(i::text), 300) "
    "from generate_series(1, 50) i",
    "insert into app.by_index select i, 'v' || i, repeat(md5(i::text), 300) "
    "from generate_series(1, 50) i",
    "create table app.twins (a integer, b text)",
    "alter table app.twins replica identity full",
    "insert into app.twins select i / 3, 'b' from generate_series(0, 29) i",
    "insert into app.tree select i, 'leaf' from generate_series(0, 199) i",
    "insert into app.parts select i, 'p' from generate_series(20, 120) i",
)
CHANGES = (
    "insert into app.counters (n) select i from generate_series(51, 60) i",
    "update app.counters set n = -n where id % 3 = 0",
    "delete from app.counters where id % 7 = 0",
    "update app.by_index set v = v || '+' where a % 2 = 0",
    "update app.by_index set a = a + 1000 where a % 5 = 0",
    "update app.by_index set a = a - 500 where a > 1000",
    "delete from app.by_index where a % 11 = 0",
    "insert into app.twins values (1, 'b'), (1, 'b'), (null, 'b')",
    "delete from app.twins where ctid in (select ctid from app.twins where a = 2 limit 1)",
    "update app.twins set b = 'c' where ctid in (select ctid from app.twins where a = 1 limit 2)",
    "update app.tree set id = id + 100 where id in (1, 3) and not exists (select from app.tree t "
    "where t.id = tree.id + 100)",
    "update app.tree set v = 'new leaf' where id % 2 = 0",
    "delete from app.tree where id % 9 = 0",
    "begin; savepoint s; delete from app.twins; rollback to s; insert into app.twins values (7, 'x'); "
    "commit",
    "insert into app.parts select i, 'p' from generate_series(60, 140) i on conflict do nothing",
    "update app.parts set id = id + 60 where id between 50 and 70 and id % 2 = 1 and "
    "not exists (select from app.parts p where p.id = parts.id + 60)",
    "update app.parts set v = v || '!' where id % 3 = 0",
    "delete from app.parts where id % 4 = 0",
)


def trees():
    """Version -> a server of it: all of them, or the oldest and the newest."""
    found = {int(tree.name): tree for tree in (BUILD / "peers" / "postgres").glob("[0-9]*")}
    kept = sorted(found) if LONG else sorted({min(found), max(found)} if found else ())
    return {version: found[version] for version in kept}


class Versions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trees = trees()
        if len(cls.trees) < 2:
            raise unittest.SkipTest("peer postgres is missing: scripts/install_peers.sh")
        cls.servers = {}
        cls.pairs = 0
        cls.seed = int(os.environ.get("WHERRY_SEED") or random.randrange(10 ** 9))

    def server(self, version):
        if version not in self.servers:
            self.servers[version] = Postgres(tree=self.trees[version])
            self.addClassCleanup(self.servers[version].close)
        return self.servers[version]

    def prepare(self, source_version, target_version):
        type(self).pairs += 1
        self.name = f"d{self.pairs}"
        self.source, self.target = self.server(source_version), self.server(target_version)
        self.chooser = random.Random(self.seed + self.pairs)
        for server in (self.source, self.target):
            server.create_database(self.name)
            server.execute(self.name, "create schema app", *TYPES, *SHARED)
        self.source.execute(self.name, *FILL)
        plain, foreign = columns(Values(self.chooser), min(source_version, target_version))
        foreign.pop("acl")  # NULLs alone of it are not applied yet
        self.kinds = {"kinds": plain, "foreign_kinds": foreign, "whole": plain}
        for table, kinds in self.kinds.items():
            self.create(table, kinds)

    def create(self, table, kinds):
        names = ", ".join(f'"{name}" {kind}' for name, (kind, _) in kinds.items())
        key = "" if table == "whole" else " primary key"
        self.source.execute(self.name, f"create table app.{table} (no integer{key}, {names}, "
                            "pad text)",
                            f"alter table app.{table} alter pad set storage external")
        if not key:
            self.source.execute(self.name, f"alter table app.{table} replica identity full")
        with contextlib.closing(self.source.connect(self.name)) as connection:
            for number in range(ROWS):
                self.insert(connection, table, number)

    def value(self, kind, make):
        return None if kind != "app.label" and self.chooser.random() < 0.1 else make()

    def insert(self, connection, table, number):
        kinds = self.kinds[table]
        slots = ", ".join(f"%s::text::{kind}" for kind, _ in kinds.values())
        values = [self.value(kind, make) for kind, make in kinds.values()]
        with connection.cursor() as cursor:
            cursor.execute(f"insert into app.{table} values (%s, {slots}, %s)",
                           [number, *values, "ä" * self.chooser.choice([0, 10, 9000])])

    def update(self, connection, table, number):
        """Some columns of a row; the others stay, the large value too."""
        kinds = self.kinds[table]
        chosen = self.chooser.sample(sorted(kinds), min(4, len(kinds)))
        sets = ", ".join(f'"{name}" = %s::text::{kinds[name][0]}' for name in chosen)
        with connection.cursor() as cursor:
            cursor.execute(f"update app.{table} set {sets} where no = %s",
                           [*(self.value(*kinds[name]) for name in chosen), number])

    def change(self, first):
        """Rows from `first` on come, earlier ones change and go."""
        with contextlib.closing(self.source.connect(self.name)) as connection:
            for table in self.kinds:
                for number in range(first, first + ROWS):
                    self.insert(connection, table, number)
                for number in range(first - MIDDLE, first + MIDDLE):
                    self.update(connection, table, number)
                with connection.cursor() as cursor:
                    cursor.execute(f"delete from app.{table} where mod(no, 6) = 0 and no > %s",
                                   [first - ROWS])
                    cursor.execute(f"update app.{table} set no = -no where no % 10 = 7")
        self.source.execute(self.name, *CHANGES)

    def assert_equal_rows(self, partitioned):
        trees = ["tree_low", "tree_high"] if partitioned == LEAF else ["tree"]
        for table in [*self.kinds, "counters", "by_index", "twins", "parts", *trees]:
            with self.subTest(table=table, seed=self.seed):
                query = f"select t::text from app.{table} t order by 1"
                there = self.source.query(self.name, query)
                here = self.target.query(self.name, query)
                self.assertEqual(len(here), len(there))
                self.assertEqual(here, there)

    def wait_for_ongoing(self, run):
        run.child.wait_for_line(lambda line: line.startswith("{") and
                                json.loads(line).get("phase") == "ongoing replication", 120)

    def follow(self, source_version, target_version, settings, partitioned):
        self.prepare(source_version, target_version)
        source = f"{self.source.url(self.name)}?PartitionedTables={partitioned}"
        task = Task(source, self.target.url(self.name), [selection("app")], settings)
        self.addCleanup(task.close)
        task.migration_type = "full-load-and-cdc"
        run = task.start(source_password=PASSWORD)
        self.wait_for_ongoing(run)
        self.change(ROWS)
        run.child.signal(signal.SIGKILL)
        run.finish(60)
        self.change(2 * ROWS)
        run = task.start("--stop-when", "caught-up", source_password=PASSWORD).finish(180)
        self.assertEqual(run.status, DONE, run.describe())
        self.assert_equal_rows(partitioned)
        self.assertEqual(self.target.query(
            self.name, 'select "STATEMENT" from awsdms_apply_exceptions'), [])


@unittest.skipUnless(LONG, "make test-long runs it")
class Server(unittest.TestCase):
    """What needs a server of its own, of the newest version."""

    def setUp(self):
        found = trees()
        if not found or max(found) < 17:
            self.skipTest("peer postgres is missing: scripts/install_peers.sh")
        self.tree = found[max(found)]
        self.source = Postgres(tree=self.tree)
        self.addCleanup(self.source.close)
        self.target = Postgres()
        self.addCleanup(self.target.close)
        for server in (self.source, self.target):
            server.create_database("app")
        self.source.execute("app", "create schema app",
                            "create table app.t (id integer primary key, v text)",
                            "insert into app.t select i, 'v' from generate_series(1, 100) i")

    def task(self, source=None):
        task = Task(source or self.source.url("app"), self.target.url("app"), [selection("app")])
        task.migration_type = "full-load-and-cdc"
        self.addCleanup(task.close)
        return task

    def run_until_caught_up(self, task):
        run = task.start("--stop-when", "caught-up", source_password=PASSWORD).finish(120)
        self.assertEqual(run.status, DONE, run.describe())

    def assert_equal_rows(self):
        rows = "select t::text from app.t t order by 1"
        self.assertEqual(self.target.query("app", rows), self.source.query("app", rows))

    def wait_for(self, server, database, query):
        """Until a query that asks whether something is so says yes."""
        end = time.monotonic() + 60
        while server.query(database, query) != [(True,)]:
            self.assertLess(time.monotonic(), end, query)

    def test_a_task_goes_on_at_a_standby_that_has_its_slot(self):
        standby_slot = "select pg_create_physical_replication_slot('standby', true)"
        self.source.execute("postgres", standby_slot)
        standby = self.copy_of_source()
        task = self.task(f"{self.source.url('app').removesuffix('/app')},127.0.0.1:{standby.port}/app"
                         "?target_session_attrs=read-write")
        self.run_until_caught_up(task)
        self.source.execute("app", "insert into app.t values (1001, 'primary')")
        self.run_until_caught_up(task)
        replayed = self.source.query("app", "select pg_current_wal_lsn()::text")[0][0]
        self.wait_for(standby, "postgres", f"select pg_last_wal_replay_lsn() >= '{replayed}'")
        end = time.monotonic() + 60
        while standby.query("app", "select count(*) from pg_replication_slots where synced and "
                            "not temporary") != [(1,)]:
            self.assertLess(time.monotonic(), end, "the slot is not synchronized")
            standby.execute("app", "select pg_sync_replication_slots()")
            # What the slot needs moves on with the next snapshot of running transactions.
            self.source.execute("app", "update app.t set v = v || '.' where id < 5",
                                "select pg_log_standby_snapshot()")
            self.run_until_caught_up(task)
        self.source.execute("app", "insert into app.t values (1002, 'not seen before')")
        written = self.source.query("app", "select pg_current_wal_lsn()::text")[0][0]
        self.wait_for(standby, "postgres", f"select pg_last_wal_replay_lsn() >= '{written}'")
        self.source.crash()
        standby.execute("postgres", "select pg_promote()")
        standby.execute("app", "insert into app.t values (1003, 'standby')")
        self.source = standby
        self.run_until_caught_up(task)
        self.assert_equal_rows()

    def copy_of_source(self):
        """A streaming standby of the source."""
        self.source.crash()
        directory = pathlib.Path(tempfile.mkdtemp(prefix="wherry-pg-"))
        directory.chmod(0o755)
        subprocess.run(["cp", "-a", self.source.directory / "pgdata", directory], check=True)
        shutil.chown(directory, "postgres" if os.getuid() == 0 else None)
        self.source.start()
        data = directory / "pgdata"
        (data / "standby.signal").touch()
        (data / "postmaster.pid").unlink(missing_ok=True)
        with open(data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"primary_conninfo = 'host=127.0.0.1 port={self.source.port} "
                       f"user={self.source.user} password={PASSWORD} dbname=postgres'\n"
                       "primary_slot_name = 'standby'\nhot_standby_feedback = on\n"
                       f"unix_socket_directories = '{directory}'\n")
        standby = Postgres(directory, tree=self.tree)
        self.addCleanup(standby.close)
        return standby


def add_pair(source_version, target_version, settings, partitioned):
    def test(self):
        self.follow(source_version, target_version, settings, partitioned)
    how = "in_batches" if settings is BATCH else "in_transactions"
    setattr(Versions, f"test_{source_version}_to_{target_version}_{how}", test)


def add_pairs(versions):
    """The oldest and the newest with each other and with all others; in the short form the newest is
    the source."""
    for source in versions:
        for target in versions:
            if source == target or not {source, target} & {versions[0], versions[-1]}:
                continue
            if not LONG and source < target:
                continue
            # Before 13 a partitioned table is published by its leaves only.
            add_pair(source, target, SETTINGS, LEAF if source < 13 else ROOT)
            if LONG:
                add_pair(source, target, BATCH, LEAF)


add_pairs(list(trees()))


if __name__ == "__main__":
    unittest.main()
