"""Schemas as wide as they come: thousands of tables, a thousand columns, names of every kind, and
Oracle's own sample schema SH with its partitions."""
import time
import unittest

from support.orasim import Orasim
from support.paths import LONG
from support.postgres import Postgres
from support.wherry import Task, selection, wherry

MANY_TABLES = 2_000 if LONG else 300
MANY_COLUMNS = 1_000
ODD_NAMES = ["MixedCase", "lower", "with space", "a.dot", "per%cent", "under_score", "dash-ed",
             "select", "TABLE", "user", "'quoted'", "back\\slash", "semi;colon", "comma,",
             "Ünïcödé", "名前", "emoji😀", "(paren)", "$dollar", "#hash", "1digit", " leading",
             "trailing ", "tab\tinside", "A" * 63, "ü" * 31]


def quoted(name):
    return '"' + name + '"'


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.databases = 0

    def setUp(self):
        self.sim = Orasim()
        self.addCleanup(self.sim.close)

    def new_database(self):
        type(self).databases += 1
        name = f"schemas{self.databases}"
        self.postgres.create_database(name)
        return name

    def loaded(self, rules=None, settings=None):
        """A task whose load has ended well, and its database."""
        database = self.new_database()
        task = Task(self.sim.url(), self.postgres.url(database), rules or [selection("APP")],
                    settings)
        self.addCleanup(task.close)
        run = task.run(deadline_secs=600)
        self.assertEqual(run.status, 0, run.describe())
        return task, database, run

    def assert_equal(self, task):
        checked = task.validate(deadline_secs=600)
        self.assertEqual(checked.status, 0, checked.describe())

    def test_many_tables(self):
        with self.sim.connect() as connection, connection.cursor() as cursor:
            for number in range(MANY_TABLES):
                cursor.execute(f"create table t{number:04} (id number(9) primary key, "
                               "name varchar2(30))")
                cursor.execute(f"insert into t{number:04} select level, 'row ' || level from dual "
                               f"where mod({number}, 4) > 0 connect by level <= {number % 4}")
            connection.commit()
        task, database, run = self.loaded()
        tables = run.events[-1]["tables"]
        self.assertEqual(len(tables), MANY_TABLES)
        for table in tables:
            self.assertEqual(table["rows"], int(table["table"][1:]) % 4, table)
        self.assertEqual(self.postgres.query(
            database, "select count(*) from pg_class c join pg_namespace n on n.oid = "
                      "c.relnamespace where relkind = 'r' and nspname = 'APP'"), [(MANY_TABLES,)])
        self.assert_equal(task)
        started = time.monotonic()
        planned = wherry("plan", *task.flags())
        self.assertEqual(planned.status, 0, planned.describe())
        self.assertLess(time.monotonic() - started, 60)

    def test_a_thousand_columns(self):
        columns = ", ".join(f"c{i} varchar2(4000)" for i in range(MANY_COLUMNS - 1))
        self.sim.execute(f"create table wide (id number(9) primary key, {columns})")
        with self.sim.connect() as connection, connection.cursor() as cursor:
            names = ", ".join(f"c{i}" for i in range(MANY_COLUMNS - 1))
            for row in range(20):
                values = ", ".join(f"rpad('{row}-{i}', 3000, 'x')" if (row + i) % 50 == 0
                                   else f"'{i % 10}'" if (row + i) % 3 == 0 else "null"
                                   for i in range(MANY_COLUMNS - 1))
                cursor.execute(f"insert into wide (id, {names}) values ({row}, {values})")
            connection.commit()
        task, _, _ = self.loaded()
        self.assert_equal(task)

    def test_names_of_every_kind(self):
        statements = []
        for number, name in enumerate(ODD_NAMES):
            other = ODD_NAMES[(number + 1) % len(ODD_NAMES)]
            statements += [
                f"create table {quoted(name)} ({quoted(other)} number(9) primary key, "
                f"{quoted('v' + name[:60])} varchar2(20))",
                f"insert into {quoted(name)} values ({number}, 'value')"]
        self.sim.execute(*statements)
        task, _, run = self.loaded()
        self.assertEqual({t["table"] for t in run.events[-1]["tables"]}, set(ODD_NAMES))
        self.assert_equal(task)

    def test_names_longer_than_postgresql_takes_are_refused_and_the_others_loaded(self):
        self.sim.execute(f'create table "{"L" * 128}" (id number(9))',
                         "create table short (id number(9))", "insert into short values (1)")
        database = self.new_database()
        task = Task(self.sim.url(), self.postgres.url(database), [selection("APP")])
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, 3, run.describe())
        self.assertIn("128 bytes", run.stderr)
        self.assertEqual(self.postgres.query(database, 'select count(*) from "APP"."SHORT"'),
                         [(1,)])

    def test_partitions_by_rule(self):
        self.sim.execute(
            "create table parts (id number(9) primary key, d date) partition by range (d) ("
            "partition p1 values less than (date '2020-01-01'),"
            "partition p2 values less than (date '2021-01-01'),"
            "partition p3 values less than (maxvalue))",
            "insert into parts select level, date '2019-01-01' + mod(level, 1500) from dual "
            "connect by level <= 3000",
            "insert into parts select 3000 + level, null from dual connect by level <= 5")
        counts = dict(self.sim.query(
            "select 1, count(*) from parts partition (p1) union all "
            "select 2, count(*) from parts partition (p2)"))

        def rule(parallel_load):
            return [selection("APP"),
                    {"rule-type": "table-settings", "rule-id": "9", "rule-name": "9",
                     "object-locator": {"schema-name": "APP", "table-name": "PARTS"},
                     "parallel-load": parallel_load}]

        for parallel_load, chunks, rows in [
                ({"type": "partitions-auto"}, 3, 3005),
                ({"type": "partitions-list", "partitions": ["P1", "P2"]}, 2,
                 counts[1] + counts[2]),
                ({"type": "ranges", "columns": ["ID"], "boundaries": [["1000"], ["2500"]]}, 3,
                 3005),
                # One more for the rows without a day.
                ({"type": "ranges", "columns": ["D", "ID"],
                  "boundaries": [["01-JAN-20", "500"]]}, 3, 3005),
                ({"type": "ranges", "columns": ["ID", "D"],
                  "boundaries": [["1000", "01-JAN-20"], ["3003", "01-JAN-20"]]}, 4, 3005),
                ({"type": "none"}, 1, 3005)]:
            with self.subTest(parallel_load=parallel_load):
                task, database, run = self.loaded(rule(parallel_load))
                table = run.events[-1]["tables"][0]
                self.assertEqual((table["chunks"], table["rows"]), (chunks, rows))
                self.assertEqual(self.postgres.query(
                    database, 'select count(*), count(distinct "ID") from "APP"."PARTS"'),
                    [(rows, rows)])
                self.assert_equal(task)
                log = run.log_file.read_text()
                self.assertEqual("partitions: P3" in log, "partitions" in parallel_load, log)


if __name__ == "__main__":
    unittest.main()
