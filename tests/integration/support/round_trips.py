"""Generated values through a whole migration: what a driver wrote is compared with what is in PostgreSQL."""
import decimal
import json
import math
import os
import struct
import unittest

import oracledb

from support.documents import late_families
from support.orasim import Orasim
from support.paths import LONG
from support.postgres import Postgres
from support.values import families, make_rows
from support.wherry import Task, selection

SEED = int(os.environ.get("WHERRY_SEED", "20240229"))


def same(expected, found):
    if expected is None or found is None:
        return expected is found
    if isinstance(expected, float):
        return (math.isnan(expected) and math.isnan(found)) or expected == found
    if isinstance(expected, decimal.Decimal):
        return expected == decimal.Decimal(found)
    if isinstance(expected, bytes):
        return expected == bytes(found)
    return expected == found


def vector_of(text):
    """Floats as binary32 where they fit: both sides print them in their own way."""
    def narrowed(item):
        if isinstance(item, list):
            return [narrowed(part) for part in item]
        return struct.pack("<f", item) if abs(item) < 3.4028235e38 else item
    return narrowed(json.loads(text))


# Columns that PostgreSQL keeps as text, though not as the text that was bound.
READERS = {"documents": json.loads, "vectors": vector_of}


def shown(value):
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}… ({len(text)} characters)"


class RoundTrips(unittest.TestCase):
    """Values come by a load; with BY_CHANGES as inserted and as updated while a task follows."""

    EMULATE = "19"
    BY_CHANGES = False

    @classmethod
    def setUpClass(cls):
        if cls is RoundTrips:
            raise unittest.SkipTest("what its subclasses share")
        print(f"seed {SEED}", flush=True)
        cls.sim = Orasim("--emulate", cls.EMULATE)
        cls.addClassCleanup(cls.sim.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)

    def fill(self, table, columns, rows):
        binds = ", ".join(c.through.format(f":{n + 2}") for n, c in enumerate(columns))
        self.write(table, f"insert into {table} values (:1, {binds})",
                   [None, *(c.driver_type for c in columns)],
                   [[n] + [bound for bound, _ in row] for n, row in enumerate(rows)])

    def change(self, table, columns, rows):
        """Gives each row, which has another's values, its own."""
        sets = ", ".join(f"{c.name} = {c.through.format(f':{n + 1}')}"
                         for n, c in enumerate(columns))
        self.write(table, f"update {table} set {sets} where id = :{len(columns) + 1}",
                   [*(c.driver_type for c in columns), None],
                   [[bound for bound, _ in row] + [n] for n, row in enumerate(rows)])

    def write(self, table, statement, types, data):
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("alter session set time_zone = '+00:00'")
            cursor.setinputsizes(*types)
            step = 5 if table in ("LOBS", "LONGS", "LONG_RAWS") else 100
            for start in range(0, len(data), step):
                cursor.executemany(statement, data[start:start + step])
            connection.commit()

    def read(self, database, table, columns, rows):
        """Moments and intervals as PostgreSQL prints them, all else as psycopg2 gives it."""
        def item(column, expected):
            cast = {str: "::text", float: "::float8"}.get(type(expected), "")
            if table.lower() in READERS:
                cast = "::text"
            return f'"{column.name}"{cast}'
        samples = [next((row[i][1] for row in rows if row[i][1] is not None), None)
                   for i in range(len(columns))]
        items = ", ".join(item(c, s) for c, s in zip(columns, samples))
        with self.postgres.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute("set timezone to 'UTC'")
            cursor.execute(f'select "ID", {items} from "APP"."{table}" order by "ID"')
            return cursor.fetchall()

    def follow(self, task, table, columns, rows):
        self.sim.execute("alter database add supplemental log data",
                         f"alter table {table} add supplemental log data (all) columns")
        task.migration_type = "full-load-and-cdc"
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        self.fill(table, columns, rows[1:] + rows[:1])
        self.change(table, columns, rows)
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())

    def round_trip(self, name):
        columns, count = (families(LONG) | late_families(LONG))[name]
        table = name.upper()
        rows = make_rows(columns, count, SEED)
        declared = ", ".join(f"{c.name} {c.declared}" for c in columns)
        self.sim.execute(f"create table {table} (id number(9) primary key, {declared})")
        self.postgres.create_database(name)
        task = Task(self.sim.url(), self.postgres.url(name), [selection("APP", table)])
        self.addCleanup(task.close)
        if self.BY_CHANGES:
            self.follow(task, table, columns, rows)
        else:
            self.fill(table, columns, rows)
            run = task.run()
            self.assertEqual(run.status, 0, run.describe())
        loaded = self.read(name, table, columns, rows)
        self.assertEqual([row[0] for row in loaded], list(range(len(rows))))
        wrong = []
        for (key, *found), row in zip(loaded, rows):
            for column, value, (bound, expected) in zip(columns, found, row):
                if column.name == "LTZ" and expected is not None:
                    head, _, _ = expected.partition(" BC")
                    expected = head + "+00" + (" BC" if expected.endswith(" BC") else "")
                if name in READERS and value is not None:
                    value = READERS[name](value)
                    expected = READERS[name](json.dumps(expected)) if bound is not None else None
                if not same(expected, value):
                    wrong.append(f"{table} {key} {column.name} {column.declared}: "
                                 f"bound {shown(bound)}, expected {shown(expected)}, "
                                 f"found {shown(value)}")
        self.assertEqual(wrong[:10], [], f"{len(wrong)} values differ, seed {SEED}")
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())
