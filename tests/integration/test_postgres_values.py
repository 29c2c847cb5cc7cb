"""Random values of every type of PostgreSQL's, loaded from one server into another: the servers say
whether they are the same. WHERRY_SEED repeats a run."""
import os
import random
import unittest

from support.postgres import PASSWORD, Postgres
from support.postgres_values import TYPES, Values, columns
from support.wherry import Task, selection

DONE = 0
ROWS = 200
# Types with a form that the targets of other sources have too.
TAKEN_APART = ("bool", "i2", "i4", "i8", "f4", "f8", "num", "price", "txt", "code", "fixed", "raw", "day",
               "hour", "ts", "tz", "span", "id", "doc", "docb", "page", "own_enum", "own_domain", "ci")
TRUNCATE = {"FullLoadSettings": {"TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD"}}


class PostgresValues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.seed = int(os.environ.get("WHERRY_SEED") or random.randrange(10 ** 9))
        version = cls.postgres.query("postgres", "show server_version_num")[0][0]
        plain, foreign = columns(Values(random.Random(cls.seed)), int(version) // 10000)
        cls.postgres.create_database("source")
        cls.postgres.execute("source", "create schema app", *TYPES)
        cls.tables = {"kinds": plain, "foreign_kinds": foreign}
        for table, kinds in cls.tables.items():
            cls.fill(table, kinds)

    @classmethod
    def fill(cls, table, kinds):
        names = ", ".join(f'"{name}" {kind}' for name, (kind, _) in kinds.items())
        cls.postgres.execute("source", f"create table app.{table} (no integer primary key, {names})")
        chance = random.Random(cls.seed)
        slots = ", ".join(f"%s::text::{kind}" for kind, _ in kinds.values())
        with cls.postgres.connect("source") as connection, connection.cursor() as cursor:
            for number in range(ROWS):
                values = [None if kind != "app.label" and chance.random() < 0.1 else make()
                          for kind, make in kinds.values()]
                cursor.execute(f"insert into app.{table} values (%s, {slots})", [number, *values])
        connection.close()

    def setUp(self):
        self.target = f"target_{self._testMethodName}"
        self.postgres.create_database(self.target)
        self.postgres.execute(self.target, "create schema app", *TYPES)

    def run_task(self, settings=None, rules=None):
        task = Task(self.postgres.url("source"), self.postgres.url(self.target),
                    rules or [selection("app")], settings)
        self.addCleanup(task.close)
        run = task.run(source_password=PASSWORD)
        self.assertEqual(run.status, DONE, f"WHERRY_SEED={self.seed}\n{run.describe()}")
        return task

    def assert_equal_columns(self, table, kinds, without_scale=()):
        for name in kinds:
            rows = [self.postgres.query(database,
                                        f'select no, "{name}"::text from app.{table} order by no')
                    for database in ("source", self.target)]
            if name in without_scale:
                rows = [[(no, text.rstrip("0").rstrip(".") if text and "." in text else text)
                         for no, text in some] for some in rows]
            self.assertEqual(*rows, f"column {name}, WHERRY_SEED={self.seed}")

    def test_values_come_as_they_are(self):
        task = self.run_task()
        for table, kinds in self.tables.items():
            self.assert_equal_columns(table, kinds)
        compared = task.validate(source_password=PASSWORD)
        self.assertEqual(compared.status, DONE, f"WHERRY_SEED={self.seed}\n{compared.describe()}")

    def test_values_that_are_taken_apart_come_as_they_are(self):
        """The key has another type on the target, so that no row passes unparsed. Times that other
        engines have not become others then, and zeros at the end of a numeric without limits are
        lost (docs/type-deviations.md)."""
        kinds = {name: self.tables["kinds"][name] for name in TAKEN_APART}
        columns_sql = ", ".join(f'"{name}" {kind}' for name, (kind, _) in kinds.items())
        self.postgres.execute(
            "source", f"create table app.apart (no integer primary key, {columns_sql})",
            "insert into app.apart select no, " + ", ".join(f'"{name}"' for name in kinds) +
            " from app.kinds",
            *[f'update app.apart set "{name}" = \'2000-02-29\' where "{name}" '
              "not between '0001-01-02' and '9999-12-30'" for name in ("day", "ts", "tz")])
        self.addCleanup(self.postgres.execute, "source", "drop table app.apart")
        self.postgres.execute(self.target,
                              f"create table app.apart (no bigint primary key, {columns_sql})")
        self.run_task(TRUNCATE, [selection("app", "apart")])
        self.assert_equal_columns("apart", kinds, without_scale=("num",))


if __name__ == "__main__":
    unittest.main()
