"""What tests of ongoing replication share: two servers, a database each a test, and comparing them."""
import json
import time
import unittest

from support.followed_task import FollowedTask
from support.postgres import PASSWORD, Postgres
from support.wherry import Task, selection

DONE, FAILED, TABLES_IN_ERROR = 0, 1, 3
ONGOING = "ongoing replication"
SETTINGS = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"},
            "ErrorBehavior": {"RecoverableErrorInterval": 1},
            "ControlTablesSettings": {"StatusTableEnabled": True,
                                      "SuspendedTablesTableEnabled": True}}
# A table of schema app: its columns, and what they are.
COLUMNS = """
select c.relname, array_agg(a.attname::text order by a.attname),
       array_agg(format_type(a.atttypid, a.atttypmod) order by a.attname)
  from pg_class c join pg_attribute a on a.attrelid = c.oid
 where c.relnamespace = 'app'::regnamespace and c.relkind = 'r' and a.attnum > 0
   and not a.attisdropped
 group by c.relname order by c.relname"""


class ChangeCase(FollowedTask, unittest.TestCase):
    """All classes of a module share the servers."""

    servers = []
    pairs = 0
    source_options = ""  # of the source's URL

    @classmethod
    def setUpClass(cls):
        if not ChangeCase.servers:
            unittest.addModuleCleanup(ChangeCase.servers.clear)
            for _ in range(2):
                ChangeCase.servers.append(server := Postgres())
                unittest.addModuleCleanup(server.close)
        cls.source, cls.target = ChangeCase.servers

    def setUp(self):
        ChangeCase.pairs += 1
        self.name = f"d{ChangeCase.pairs}"
        for server in (self.source, self.target):
            server.create_database(self.name)
        self.addCleanup(self.drop_slots)
        self.at_source("create schema app", "create table app.marker (id integer primary key)")
        self.markers = 0

    def at_source(self, *statements):
        self.source.execute(self.name, *statements)

    def at_target(self, *statements):
        self.target.execute(self.name, *statements)

    def task(self, more=None, migration_type="full-load-and-cdc"):
        settings = {**SETTINGS, **(more or {})}
        task = Task(self.source.url(self.name) + self.source_options, self.target.url(self.name), [selection("app")],
                    settings)
        task.migration_type = migration_type
        self.addCleanup(task.close)
        return task

    @staticmethod
    def set_up_anew(task, more):
        """The same task with other settings."""
        with open(task.settings, "w", encoding="utf-8") as file:
            json.dump({**SETTINGS, **more}, file)

    def drop_slots(self):
        """What a task leaves at the source would keep its log; a walsender needs a moment to end."""
        end = time.monotonic() + 30
        left = "select count(*) from pg_replication_slots where database = current_database()"
        while self.source.query(self.name, left) != [(0,)]:
            self.assertLess(time.monotonic(), end, "a slot is still in use")
            self.at_source("select pg_drop_replication_slot(slot_name) from pg_replication_slots "
                           "where database = current_database() and not active")

    @staticmethod
    def start(task, *more, **environment):
        return task.start(*more, source_password=PASSWORD, environment=environment)

    def follow(self, task, *more):
        """Runs the task until it follows the source."""
        run = self.start(task, *more)
        self.addCleanup(run.child.kill)
        self.wait_for_phase(run, ONGOING)
        return run

    @staticmethod
    def wait_for_phase(run, phase, deadline_secs=120):
        run.child.wait_for_line(
            lambda line: line.startswith("{") and json.loads(line).get("phase") == phase,
            deadline_secs)

    def run_until(self, task, stop_when, status=DONE, *more):
        run = self.start(task, "--stop-when", stop_when, *more).finish(180)
        self.assertEqual(run.status, status, run.describe())
        return run

    def catch_up(self, run, deadline_secs=60):
        """Until the target has all that was committed at the source before the call."""
        self.markers += 1
        self.at_source(f"insert into app.marker values ({self.markers})")
        self.wait_until(run, f"select id from app.marker where id = {self.markers}",
                        [(self.markers,)], deadline_secs)

    def columns(self, server):
        return {table: (columns, types)
                for table, columns, types in server.query(self.name, COLUMNS)}

    def contents(self, server, table, columns):
        names = ", ".join(f'"{column}"' for column in columns)
        return server.query(self.name, f'select row({names})::text from app."{table}" order by 1')

    def assert_equal(self, besides=()):
        """All tables of both sides: columns, types, rows."""
        there = self.columns(self.source)
        here = self.columns(self.target)
        for table in besides:
            there.pop(table, None)
            here.pop(table, None)
        self.assertEqual(here, there)
        for table, (columns, _) in there.items():
            self.assertEqual(self.contents(self.target, table, columns),
                             self.contents(self.source, table, columns), table)

    def assert_no_exceptions(self):
        self.assertEqual(self.target.query(
            self.name, "select * from awsdms_apply_exceptions"), [])
