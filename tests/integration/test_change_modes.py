"""DDL that is not followed, batch apply, lanes: each ends with equal tables on both sides."""
import random
import threading
import unittest

from support.change_case import DONE, ChangeCase
from support.paths import LONG

BATCH = {"TargetMetadata": {"BatchApplyEnabled": True},
         "ChangeProcessingTuning": {"BatchApplyTimeoutMin": 0, "BatchApplyTimeoutMax": 1}}


def lanes(count):
    return {"TargetMetadata": {"ParallelApplyThreads": count}}


def ddl_policy(**policy):
    return {"ChangeProcessingDdlHandlingPolicy": policy}


class Ddl(ChangeCase):
    def setUp(self):
        super().setUp()
        self.at_source(
            "create table app.items (id integer primary key, name text, price numeric(10,2), "
            "weight integer)",
            "insert into app.items select i, 'item ' || i, i * 1.25, i % 7 "
            "from generate_series(1, 500) i",
            "create table app.doomed (id integer primary key, word text)",
            "insert into app.doomed select i, 'w' || i from generate_series(1, 50) i",
            "create table app.emptied (id integer primary key, word text)",
            "insert into app.emptied select i, 'w' || i from generate_series(1, 50) i")

    def test_each_policy_can_be_off(self):
        self.leave_out_ddl({})

    def test_each_policy_can_be_off_in_batches(self):
        self.leave_out_ddl(BATCH)

    def leave_out_ddl(self, settings):
        task = self.task({**settings, **ddl_policy(HandleSourceTableDropped=False,
                                                   HandleSourceTableTruncated=False,
                                                   HandleSourceTableAltered=False)})
        run = self.follow(task)
        before = self.columns(self.target)
        self.at_source("truncate app.emptied", "insert into app.emptied values (1001, 'after')",
                       "drop table app.doomed",
                       "alter table app.items add column stock integer default 7",
                       "update app.items set stock = 8, price = 9 where id = 5",
                       "alter table app.items drop column name",
                       "insert into app.items (id, price) values (1001, 3)")
        self.catch_up(run)
        self.assertEqual(self.columns(self.target), before)
        self.assertEqual(self.target.query(
            self.name, "select count(*), count(*) filter (where id = 1001) from app.emptied"),
            [(51, 1)])
        self.assertEqual(self.target.query(self.name, "select count(*) from app.doomed"), [(50,)])
        self.assertEqual(self.target.query(
            self.name, "select id, name, price from app.items where id in (5, 1001) order by id"),
            [(5, "item 5", 9), (1001, None, 3)])
        self.stop(run)
        self.assert_no_exceptions()


class Start(ChangeCase):
    def test_changes_alone_begin_at_a_position_or_a_time(self):
        self.at_target("create schema app", "create table app.marker (id integer primary key)",
                       "create table app.items (id integer primary key)")
        self.at_source("create table app.items (id integer primary key)",
                       "create publication old for all tables",
                       "select pg_create_logical_replication_slot('by_lsn', 'pgoutput')",
                       "select pg_create_logical_replication_slot('by_time', 'pgoutput')",
                       "insert into app.items values (1)")
        places = self.source.query(self.name, "select pg_current_wal_insert_lsn()::text, "
                                   "to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")[0]
        self.at_source("insert into app.items values (2)", "insert into app.items values (3)")
        for slot, place in zip(("by_lsn", "by_time"), places):
            with self.subTest(place):
                self.at_target("truncate app.items", "insert into app.items values (1)")
                task = self.task(migration_type="cdc")
                task.source += f"?SlotName={slot}&PublicationName=old"
                # Row 1 would be a conflict.
                self.run_until(task, "caught-up", DONE, "--start-position", place)
                self.assert_equal()
                self.assert_no_exceptions()


class Batch(ChangeCase):
    TABLES = (
        "create table app.numbers (k integer primary key, word text)",
        "insert into app.numbers select i, 'n' || i from generate_series(1, 300) i",
        "create table app.pairs (id integer primary key, code text unique, n integer)",
        "insert into app.pairs select i, 'c' || i, 0 from generate_series(1, 300) i",
        "create table app.heap (a integer, b text)",
        "alter table app.heap replica identity full",
        "insert into app.heap select i % 10, 'same' from generate_series(1, 100) i",
        "create table app.parents (id integer primary key, word text)",
        "create table app.children (id integer primary key, parent integer references app.parents "
        "on update cascade on delete cascade, word text)",
        "insert into app.parents select i, 'p' || i from generate_series(1, 40) i",
        "insert into app.children select i, i % 40 + 1, 'c' || i from generate_series(1, 200) i")
    KEYS = ("update app.numbers set k = k + 1000",
            "update app.numbers set k = k - 999 where k % 3 = 0",
            # One statement must not meet itself: a unique key that is checked at once allows it
            # only from the far end.
            "do $$ begin for i in reverse 1300..1002 loop update app.numbers set k = k + 1, "
            "word = word || '.' where k = i; end loop; end $$",
            # Two rows change places, in one transaction and over a place that is free.
            "do $$ begin update app.pairs set id = -1, code = '-' where id = 1; "
            "update app.pairs set id = 1, code = 'c1x' where id = 2; "
            "update app.pairs set id = 2, code = 'c2' where id = -1; end $$",
            "do $$ begin update app.pairs set code = 'free' where id = 10; "
            "update app.pairs set code = 'c10' where id = 11; "
            "update app.pairs set code = 'c11' where id = 10; end $$",
            "update app.pairs set n = n + 1 where id <= 20",
            "update app.pairs set id = id + 500 where id > 250",
            "delete from app.pairs where id = 30", "insert into app.pairs values (30, 'c30', 5)",
            "delete from app.heap where ctid in (select ctid from app.heap where a = 3 limit 4)",
            "insert into app.heap values (3, 'same'), (3, 'same'), (null, null)",
            "update app.heap set b = 'other' where ctid in (select ctid from app.heap where a = 5 "
            "limit 3)",
            "update app.parents set id = id + 100 where id <= 10",
            "delete from app.parents where id between 20 and 25",
            "insert into app.parents values (20, 'again')",
            "insert into app.children values (1000, 20, 'new')",
            "update app.children set parent = 101 where id = 1000")

    def setUp(self):
        super().setUp()
        self.at_source(*self.TABLES)

    def write_keys(self, task):
        run = self.follow(task)
        for _ in range(2):
            self.at_source(*self.KEYS[:1], "update app.numbers set k = k - 1000")
        self.at_source(*self.KEYS)
        self.catch_up(run)
        self.assert_equal()
        self.stop(run)
        # All of it in one window.
        self.at_source("update app.pairs set id = -id where id < 200", *self.KEYS[5:6],
                       "update app.pairs set id = -id where id < 0",
                       "update app.numbers set k = k + 5000",
                       "update app.numbers set k = k - 5000, word = 'back'",
                       "delete from app.heap where b = 'same' and a = 1",
                       "insert into app.heap values (1, 'same')", "truncate app.children",
                       "insert into app.children values (1, 101, 'only')")
        self.run_until(task, "caught-up")
        self.assert_equal()
        self.assert_no_exceptions()

    def test_keys_that_move_in_batches(self):
        self.write_keys(self.task(BATCH))

    @unittest.skipUnless(LONG, "for the long form")
    def test_keys_that_move_in_transactions(self):
        self.write_keys(self.task())

    @unittest.skipUnless(LONG, "for the long form")
    def test_keys_that_move_in_lanes(self):
        self.write_keys(self.task(lanes(4)))

    def test_enforced_foreign_keys(self):
        """A target of its own tables, whose user may not be a replica."""
        self.at_target("create schema app", "create table app.marker (id integer primary key)",
                       *(statement for statement in self.TABLES if "insert into" not in statement))
        self.at_target("do $$ begin if not exists (select from pg_roles where rolname = 'plain') "
                       "then create role plain login password 'wherry-test'; end if; end $$",
                       "grant all on schema app, public to plain",
                       "grant all on all tables in schema app to plain",
                       f"grant create, temporary on database {self.name} to plain",
                       "alter table app.children drop constraint children_parent_fkey")
        for settings in (BATCH, lanes(4)) if LONG else (BATCH,):
            task = self.task({"FullLoadSettings": {
                "TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD",
                "StopTaskCachedChangesApplied": True}, **settings})
            task.target = self.target.url(self.name, user="plain")
            self.run_until(task, "never")
            self.at_target("alter table app.children add constraint children_parent_fkey foreign "
                           "key (parent) references app.parents on update cascade "
                           "on delete cascade")
            run = self.follow(task)
            self.at_source("update app.parents set id = id + 100 where id <= 10",
                           "delete from app.parents where id between 20 and 25",
                           "insert into app.parents values (20, 'again')",
                           "insert into app.children values (1000, 20, 'new')",
                           "update app.children set parent = 101 where id = 1000",
                           "delete from app.children where id < 20")
            self.catch_up(run)
            self.assert_equal()
            self.stop(run)
            self.assert_no_exceptions()
            self.at_target("alter table app.children drop constraint children_parent_fkey")
            self.at_source("truncate app.parents, app.children",
                           "insert into app.parents select i, 'p' || i "
                           "from generate_series(1, 40) i",
                           "insert into app.children select i, i % 40 + 1, 'c' || i "
                           "from generate_series(1, 200) i")


class Writers:
    """Many sessions that write to the tables of Modes until they are stopped."""

    def __init__(self, case, count):
        self._case = case
        self._stop = threading.Event()
        self.failures = []
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True)
                         for i in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        chooser = random.Random(number + 1)
        connection = self._case.source.connect(self._case.name)
        connection.autocommit = False
        try:
            while not self._stop.is_set():
                try:
                    with connection.cursor() as cursor:
                        for _ in range(chooser.randint(1, 6)):
                            cursor.execute(self._statement(chooser))
                    if chooser.random() < 0.1:
                        connection.rollback()
                    else:
                        connection.commit()
                except Exception as failure:  # another session was in the way
                    connection.rollback()
                    if getattr(failure, "pgcode", None) not in ("23505", "40P01", "23503"):
                        self.failures.append(failure)
                        return
        finally:
            connection.close()

    @staticmethod
    def _statement(chooser):
        k = chooser.randint(1, 120)
        other = chooser.randint(1, 120)
        return chooser.choice((
            f"update app.pairs set n = n + 1 where id = {k}",
            f"update app.pairs set id = {other}, code = 'c{other}' where id = {k}",
            f"delete from app.pairs where id = {k}",
            f"insert into app.pairs values ({k}, 'c{k}', 0)",
            f"update app.numbers set k = {other} where k = {k}",
            f"insert into app.numbers values ({k}, 'x')",
            f"delete from app.numbers where k = {k}",
            f"insert into app.heap values ({k % 5}, 'same')",
            f"delete from app.heap where ctid = any (array(select ctid from app.heap where "
            f"a = {k % 5} limit 1))",
            f"insert into app.children values ({1000 + k}, {other % 40 + 1}, 'w')",
            f"delete from app.children where id = {1000 + k}",
            f"update app.parents set word = word || '.' where id = {k % 40 + 1}"))

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._case.assertEqual(self.failures, [])


class Modes(ChangeCase):
    def test_lanes_and_modes_change_from_run_to_run(self):
        self.at_source(*Batch.TABLES)
        modes = [lanes(1), lanes(8), BATCH, lanes(2), lanes(8), {}] * 4 if LONG else [
            lanes(8), BATCH, lanes(2)]
        task = self.task(modes[0])
        self.run_until(task, "caught-up")
        writers = Writers(self, 4)
        try:
            for number, mode in enumerate(modes):
                self.set_up_anew(task, mode)
                run = self.follow(task)
                self.catch_up(run)
                # Every other run is killed, with transactions above the watermark.
                if number % 2 == 0:
                    run.child.kill()
                else:
                    self.stop(run)
        finally:
            writers.stop()
        self.run_until(task, "caught-up")
        self.assert_equal()
        self.assert_no_exceptions()


if __name__ == "__main__":
    unittest.main()
