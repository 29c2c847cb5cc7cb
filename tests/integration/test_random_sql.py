"""Random SQL through python-oracledb against the simulator, compared with a model in Python.

The seed is printed; WHERRY_SEED=N repeats a run. Each statement goes to the simulator and to the
model; rows, row counts and ORA- numbers must agree. A second session must see committed rows only.
"""
import copy
import os
import random
import re
import unittest

import oracledb

from support.expressions import D, Expression, Generator, combine, literal, round_away
from support.orasim import Orasim
from support.paths import LONG

SEEDS = [int(os.environ["WHERRY_SEED"])] if "WHERRY_SEED" in os.environ else [11, 12, 13]
STEPS = 4000 if LONG else 400

# Kinds of columns and how they are declared; `limit`: what may be stored.
COLUMNS = {
    "id": ("n", "NUMBER(9) NOT NULL PRIMARY KEY"),
    "a": ("n", "NUMBER(10,2)"),
    "b": ("n", "NUMBER(6)"),
    "s": ("s", "VARCHAR2(12 CHAR)"),
    "r": ("s", "VARCHAR2(8 CHAR) DEFAULT 'none' NOT NULL"),
    "d": ("d", "DATE"),
}
TABLES = ["t1", "t2", "t3"]
UNIQUE_VIOLATED, NULL_INSERTED, NULL_UPDATED = 1, 1400, 1407
NUMBER_TOO_LARGE, TEXT_TOO_LONG = 1438, 12899


def store(column, value, null_code, errors):
    """The value as the column keeps it; adds to `errors` when it does not fit."""
    if value is None:
        if column in ("id", "r"):
            errors.add(null_code)
        return None
    if column in ("id", "a", "b"):
        digits, scale = {"id": (9, 0), "a": (10, 2), "b": (6, 0)}[column]
        value = round_away(value, scale)
        if abs(value) >= D(10) ** (digits - scale):
            errors.add(NUMBER_TOO_LARGE)
    elif column in ("s", "r") and len(value) > (8 if column == "r" else 12):
        errors.add(TEXT_TOO_LONG)
    return value


class Failed(Exception):
    """What the model expects the server to refuse, with any of these codes."""

    def __init__(self, codes):
        super().__init__(f"one of ORA-{sorted(codes)}")
        self.codes = codes


class Model:
    def __init__(self):
        self.tables = {name: [] for name in TABLES}
        self.committed = copy.deepcopy(self.tables)
        self.savepoints = {}

    def insert(self, table, rows):
        errors, stored = set(), []
        known = {row["id"] for row in self.tables[table]}
        for row in rows:
            kept = {c: store(c, row[c], NULL_INSERTED, errors) for c in COLUMNS}
            if kept["id"] is not None and kept["id"] in known:
                errors.add(UNIQUE_VIOLATED)
            known.add(kept["id"])
            stored.append(kept)
        if errors:
            raise Failed(errors)
        self.tables[table].extend(stored)
        return len(stored)

    def update(self, table, condition, changes):
        errors, pending = set(), []
        for row in self.tables[table]:
            seen = qualify(table, row)
            if condition.value(seen) is True:
                pending.append((row, {c: store(c, e.value(seen), NULL_UPDATED, errors)
                                      for c, e in changes.items()}))
        if errors:
            raise Failed(errors)
        for row, values in pending:
            row.update(values)
        return len(pending)

    def merge(self, table, source, column, change, new):
        errors, changed, made = set(), [], []
        known = {row["id"]: row for row in self.tables[table]}
        for row in source:
            if row["s.id"] in known:
                changed.append((known[row["s.id"]],
                                store(column, change.value(row), NULL_UPDATED, errors)))
            else:
                made.append({c: store(c, e.value(row), NULL_INSERTED, errors)
                             for c, e in new.items()})
        if errors:
            raise Failed(errors)
        for row, value in changed:
            row[column] = value
        self.tables[table].extend(made)
        return len(changed) + len(made)

    def delete(self, table, condition):
        kept = [r for r in self.tables[table] if condition.value(qualify(table, r)) is not True]
        count = len(self.tables[table]) - len(kept)
        self.tables[table] = kept
        return count

    def commit(self):
        self.committed = copy.deepcopy(self.tables)
        self.savepoints = {}

    def rollback(self):
        self.tables = copy.deepcopy(self.committed)
        self.savepoints = {}

    def save(self, name):
        self.savepoints[name] = copy.deepcopy(self.tables)

    def back_to(self, name):
        self.tables = copy.deepcopy(self.savepoints[name])


def qualify(alias, row):
    return {f"{alias}.{column}": value for column, value in row.items()}


def columns_of(*aliases):
    kinds = {"n": [], "s": [], "d": []}
    for alias in aliases:
        for column, (kind, _) in COLUMNS.items():
            kinds[kind].append(f"{alias}.{column}")
    return kinds


def order_key(value, descending, nulls_first):
    """Sorts like ORDER BY; for descending order the comparison of values is turned round."""
    if value is None:
        return (0 if nulls_first else 2, 0)
    return (1, Reversed(value) if descending else value)


class Reversed:
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return other.value < self.value

    def __eq__(self, other):
        return other.value == self.value


def normal(value):
    if value == "":
        return None
    return value.normalize() + 0 if isinstance(value, D) else value


def normal_rows(rows):
    return [tuple(normal(v) for v in row) for row in rows]


def as_bag(rows):
    return sorted(rows, key=lambda row: [(v is None, str(v)) for v in row])


class Statements:
    """Makes statements; each is (sql, binds, what the model says)."""

    def __init__(self, chooser, model):
        self.random = chooser
        self.model = model
        self.next_id = 1
        self.binds = {}

    def bind(self, value):
        """Every third literal travels as a bind."""
        if value is None or self.random.random() < 0.67:
            return None
        name = f"p{len(self.binds)}"
        self.binds[name] = value
        return f":{name}"

    def generator(self, *aliases):
        return Generator(self.random, columns_of(*aliases), self.bind)

    def make(self, form):
        """A form's result and the binds that its text names; parts that it left out had others."""
        self.binds = {}
        made = form()
        named = set(re.findall(r":(p\d+)", made[0]))
        return made, {name: value for name, value in self.binds.items() if name in named}

    # --- changes: return (sql, callable on the model giving the row count)

    def new_row(self, generator):
        row = {}
        for column, (kind, _) in COLUMNS.items():
            row[column] = None if self.random.random() < 0.15 else generator.pick_value(kind)
        row["r"] = row["r"] or "r"
        row["id"] = D(self.next_id)
        self.next_id += 1
        chance = self.random.random()
        if chance < 0.04:
            row["id"] = D(self.random.randint(1, self.next_id))
        elif chance < 0.06:
            row["id"] = None
        elif chance < 0.08:
            row["r"] = None
        elif chance < 0.1:
            row["s"] = "far too long a text"
        elif chance < 0.12:
            row["b"] = D(1234567)
        return row

    def insert(self):
        table = self.random.choice(TABLES)
        row = self.new_row(self.generator())
        values = ", ".join(self.bind(row[c]) or literal(row[c]) for c in COLUMNS)
        return (f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({values})",
                lambda: self.model.insert(table, [row]))

    def insert_select(self):
        table, source = self.random.sample(TABLES, 2)
        generator = self.generator(source)
        condition = generator.condition(1)
        shift = self.next_id + 100
        values = {c: generator.value(kind, 1) for c, (kind, _) in COLUMNS.items()}
        values["id"] = Expression(f"{source}.id + {shift}",
                                  lambda row: row[f"{source}.id"] + shift)
        values["r"] = Expression(f"{source}.r", lambda row: row[f"{source}.r"])
        limit = self.random.randint(1, 6)
        sql = (f"INSERT INTO {table} ({', '.join(COLUMNS)}) SELECT "
               f"{', '.join(e.text for e in values.values())} FROM {source} "
               f"WHERE {source}.id IN (SELECT id FROM (SELECT id FROM {source} ORDER BY id) "
               f"WHERE ROWNUM <= {limit}) AND {condition.text}")

        def apply():
            first = sorted(self.model.tables[source], key=lambda r: r["id"])[:limit]
            rows = [qualify(source, r) for r in first]
            rows = [r for r in rows if condition.value(r) is True]
            made = [{c: e.value(r) for c, e in values.items()} for r in rows]
            self.next_id = max([self.next_id] + [int(m["id"]) + 1 for m in made])
            return self.model.insert(table, made)
        return sql, apply

    def update(self):
        table = self.random.choice(TABLES)
        generator = self.generator(table)
        names = self.random.sample(["a", "b", "s", "r", "d"], self.random.randint(1, 3))
        changes = {name: generator.value(COLUMNS[name][0], 2) for name in names}
        condition = generator.condition(2)
        sql = (f"UPDATE {table} SET "
               f"{', '.join(f'{name} = {e.text}' for name, e in changes.items())} "
               f"WHERE {condition.text}")
        return sql, lambda: self.model.update(table, condition, changes)

    def merge(self):
        table, source = self.random.sample(TABLES, 2)
        generator = self.generator("s")
        name = self.random.choice(["a", "b", "s", "r", "d"])
        change = generator.value(COLUMNS[name][0], 1)
        new = {c: generator.value(kind, 1) for c, (kind, _) in COLUMNS.items()}
        new["id"] = Expression("s.id", lambda row: row["s.id"])
        new["r"] = Expression("s.r", lambda row: row["s.r"])
        sql = (f"MERGE INTO {table} t USING {source} s ON (t.id = s.id) "
               f"WHEN MATCHED THEN UPDATE SET t.{name} = {change.text} "
               f"WHEN NOT MATCHED THEN INSERT ({', '.join(COLUMNS)}) "
               f"VALUES ({', '.join(e.text for e in new.values())})")

        def apply():
            return self.model.merge(table, [qualify("s", r) for r in self.model.tables[source]],
                                    name, change, new)
        return sql, apply

    def delete(self):
        table = self.random.choice(TABLES)
        generator = self.generator(table)
        rare = combine("({} AND MOD(" + table + ".id, 3) = 0)",
                       lambda c: c, generator.condition(1))
        condition = Expression(rare.text, lambda row: rare.value(row) is True
                               and row[f"{table}.id"] % 3 == 0)
        return f"DELETE FROM {table} WHERE {condition.text}", \
            lambda: self.model.delete(table, condition)

    # --- queries: return (sql, expected rows, whether their order counts)

    def rows_of(self, table, alias):
        return [qualify(alias, row) for row in self.model.tables[table]]

    def simple_query(self):
        table = self.random.choice(TABLES)
        generator = self.generator("x")
        items = [generator.value(generator.kind(), 2) for _ in range(self.random.randint(1, 4))]
        condition = generator.condition(2)
        order = generator.value(generator.kind(), 1)
        if re.fullmatch(r"[\d.]+", order.text):  # a number means an item of the list
            order.text += " + 0"
        descending = self.random.random() < 0.5
        nulls_first = descending
        words = " DESC" if descending else ""
        if self.random.random() < 0.3:
            nulls_first = self.random.random() < 0.5
            words += " NULLS FIRST" if nulls_first else " NULLS LAST"
        sql = (f"SELECT {', '.join(f'{e.text} c{i}' for i, e in enumerate(items))} FROM {table} x "
               f"WHERE {condition.text} ORDER BY {order.text}{words}, x.id")
        rows = [r for r in self.rows_of(table, "x") if condition.value(r) is True]
        rows.sort(key=lambda r: r["x.id"])
        rows.sort(key=lambda r: order_key(order.value(r), descending, nulls_first))
        return sql, [tuple(e.value(r) for e in items) for r in rows], True

    def top_rows(self):
        table = self.random.choice(TABLES)
        generator = self.generator("x")
        condition = generator.condition(1)
        limit = self.random.randint(0, 5)
        sql = (f"SELECT q.id, q.s, ROWNUM FROM (SELECT x.id, x.s FROM {table} x "
               f"WHERE {condition.text} ORDER BY x.id DESC) q WHERE ROWNUM <= {limit}")
        rows = [r for r in self.rows_of(table, "x") if condition.value(r) is True]
        rows.sort(key=lambda r: -r["x.id"])
        return sql, [(r["x.id"], r["x.s"], D(n + 1)) for n, r in enumerate(rows[:limit])], True

    def join(self):
        left, right = self.random.sample(TABLES, 2)
        column = self.random.choice(["b", "s", "r", "d"])
        style = self.random.choice(["inner", "left", "comma", "plus", "right", "full"])
        generator = self.generator("x", "y")
        items = [generator.value(generator.kind(), 1) for _ in range(3)]
        condition = generator.condition(1)
        selected = ", ".join(f"{e.text} c{i}" for i, e in enumerate(items))
        on = f"x.{column} = y.{column}"
        sql = {
            "inner": f"SELECT {selected} FROM {left} x JOIN {right} y ON {on} "
                     f"WHERE {condition.text}",
            "left": f"SELECT {selected} FROM {left} x LEFT JOIN {right} y ON {on} "
                    f"WHERE {condition.text}",
            "right": f"SELECT {selected} FROM {left} x RIGHT JOIN {right} y ON {on} "
                     f"WHERE {condition.text}",
            "full": f"SELECT {selected} FROM {left} x FULL OUTER JOIN {right} y ON {on} "
                    f"WHERE {condition.text}",
            "comma": f"SELECT {selected} FROM {left} x, {right} y WHERE {on} "
                     f"AND {condition.text}",
            "plus": f"SELECT {selected} FROM {left} x, {right} y WHERE {on}(+) "
                    f"AND {condition.text}",
        }[style]
        rows = self.joined(self.rows_of(left, "x"), self.rows_of(right, "y"), column,
                           keeps_left=style in ("left", "plus", "full"),
                           keeps_right=style in ("right", "full"))
        rows = [r for r in rows if condition.value(r) is True]
        return sql, [tuple(e.value(r) for e in items) for r in rows], False

    @staticmethod
    def joined(left, right, column, keeps_left, keeps_right):
        no_left, no_right = ({f"{alias}.{c}": None for c in COLUMNS} for alias in "xy")
        rows, matched = [], set()
        for a in left:
            matches = [n for n, b in enumerate(right)
                       if a[f"x.{column}"] is not None and a[f"x.{column}"] == b[f"y.{column}"]]
            matched.update(matches)
            rows += [{**a, **right[n]} for n in matches]
            if not matches and keeps_left:
                rows.append({**a, **no_right})
        if keeps_right:
            rows += [{**no_left, **b} for n, b in enumerate(right) if n not in matched]
        return rows

    def set_operation(self):
        left, right = self.random.sample(TABLES, 2)
        first, second = self.generator("x"), self.generator("y")
        kinds = [first.kind(), first.kind()]
        a, b = ([g.value(kind, 1) for kind in kinds] for g in (first, second))
        word = self.random.choice(["UNION", "MINUS", "INTERSECT"])
        sql = (f"SELECT {a[0].text} c0, {a[1].text} c1 FROM {left} x {word} "
               f"SELECT {b[0].text}, {b[1].text} FROM {right} y")
        rows = [{tuple(normal(e.value(r)) for e in items) for r in self.rows_of(table, alias)}
                for items, table, alias in ((a, left, "x"), (b, right, "y"))]
        return sql, list({"UNION": set.union, "MINUS": set.difference,
                          "INTERSECT": set.intersection}[word](*rows)), False

    def rollup(self):
        table = self.random.choice(TABLES)
        number = self.generator("x").value("n", 1)
        sql = (f"SELECT x.r, x.b, GROUPING_ID(x.r, x.b), COUNT(*), SUM({number.text}) "
               f"FROM {table} x GROUP BY ROLLUP (x.r, x.b)")
        groups = {}
        for row in self.rows_of(table, "x"):
            r, b = row["x.r"], row["x.b"]
            for key in ((r, b, D(0)), (r, None, D(1)), (None, None, D(3))):
                groups.setdefault(key, []).append(number.value(row))
        result = []
        for key, values in groups.items():
            numbers = [v for v in values if v is not None]
            result.append(key + (D(len(values)), sum(numbers) if numbers else None))
        return sql, result, False

    def analytic(self):
        table = self.random.choice(TABLES)
        generator = self.generator("x")
        number, column = generator.value("n", 1), self.random.choice(["x.b", "x.r", "x.s"])
        back = self.random.randint(0, 2)
        over = f"OVER (PARTITION BY {column} ORDER BY x.id"
        sql = (f"SELECT x.id, ROW_NUMBER() {over}), LAG({number.text}) {over}), "
               f"SUM({number.text}) {over}), COUNT({number.text}) {over} "
               f"ROWS BETWEEN {back} PRECEDING AND 1 FOLLOWING) FROM {table} x")
        parts, result = {}, []
        for row in sorted(self.rows_of(table, "x"), key=lambda r: r["x.id"]):
            parts.setdefault(row[column], []).append(row)
        for part in parts.values():
            values = [number.value(row) for row in part]
            for n, row in enumerate(part):
                so_far = [v for v in values[:n + 1] if v is not None]
                near = [v for v in values[max(0, n - back):n + 2] if v is not None]
                result.append((row["x.id"], D(n + 1), values[n - 1] if n else None,
                               sum(so_far) if so_far else None, D(len(near))))
        return sql, result, False

    def page(self):
        table = self.random.choice(TABLES)
        generator = self.generator("x")
        item, condition = generator.value(generator.kind(), 1), generator.condition(1)
        skip, take = self.random.randint(0, 4), self.random.randint(0, 5)
        sql = (f"SELECT x.id, {item.text} c FROM {table} x WHERE {condition.text} ORDER BY x.id "
               f"OFFSET {skip} ROWS FETCH NEXT {take} ROWS ONLY")
        rows = [r for r in self.rows_of(table, "x") if condition.value(r) is True]
        rows.sort(key=lambda r: r["x.id"])
        return sql, [(r["x.id"], item.value(r)) for r in rows[skip:skip + take]], True

    def aggregate(self):
        table = self.random.choice(TABLES)
        generator = self.generator("x")
        grouped = self.random.random() < 0.6
        number, any_value = generator.value("n", 1), generator.value(generator.kind(), 1)
        condition = generator.condition(1)
        column = self.random.choice(["x.b", "x.s", "x.r", "x.d"])
        least = self.random.randint(0, 2)
        items = ["COUNT(*)", f"COUNT({any_value.text})", f"SUM({number.text})",
                 f"MIN({any_value.text})", f"MAX({number.text})",
                 f"ROUND(AVG({number.text}), 3)", f"COUNT(DISTINCT {any_value.text})"]
        sql = f"SELECT {column + ', ' if grouped else ''}{', '.join(items)} FROM {table} x " \
              f"WHERE {condition.text}"
        if grouped:
            sql += f" GROUP BY {column} HAVING COUNT(*) > {least} ORDER BY {column}"
        rows = [r for r in self.rows_of(table, "x") if condition.value(r) is True]
        groups = {} if grouped else {None: []}
        for row in rows:
            groups.setdefault(row[column] if grouped else None, []).append(row)
        result = []
        for key in sorted(groups, key=lambda v: order_key(v, False, False)):
            group = groups[key]
            if grouped and len(group) <= least:
                continue
            numbers = [v for v in (number.value(r) for r in group) if v is not None]
            values = [v for v in (any_value.value(r) for r in group) if v is not None]
            result.append((key,) * grouped + (
                D(len(group)), D(len(values)), sum(numbers) if numbers else None,
                min(values, default=None), max(numbers, default=None),
                round_away(sum(numbers) / len(numbers), 3) if numbers else None,
                D(len(set(values)))))
        return sql, result, True

    def distinct(self):
        table = self.random.choice(TABLES)
        generator = self.generator("x")
        items = [generator.value(generator.kind(), 1) for _ in range(2)]
        sql = f"SELECT DISTINCT {items[0].text} c0, {items[1].text} c1 FROM {table} x"
        rows = {tuple(normal(e.value(r)) for e in items) for r in self.rows_of(table, "x")}
        return sql, list(rows), False

    def exists(self):
        outer, inner = self.random.sample(TABLES, 2)
        column = self.random.choice(["b", "s", "r"])
        negated = self.random.random() < 0.5
        generator = self.generator("y")
        condition = generator.condition(1)
        sql = (f"SELECT x.id FROM {outer} x WHERE {'NOT ' if negated else ''}EXISTS "
               f"(SELECT 1 FROM {inner} y WHERE y.{column} = x.{column} AND {condition.text}) "
               f"ORDER BY x.id")
        wanted = {r[f"y.{column}"] for r in self.rows_of(inner, "y")
                  if condition.value(r) is True} - {None}
        ids = sorted(r["x.id"] for r in self.rows_of(outer, "x")
                     if (r[f"x.{column}"] in wanted) != negated)
        return sql, [(i,) for i in ids], True

    def in_subquery(self):
        """NOT IN over a set with a NULL is never true."""
        outer, inner = self.random.sample(TABLES, 2)
        negated = self.random.random() < 0.5
        generator = self.generator("y")
        condition = generator.condition(1)
        sql = (f"SELECT x.id FROM {outer} x WHERE x.b {'NOT ' if negated else ''}IN "
               f"(SELECT y.b FROM {inner} y WHERE {condition.text}) ORDER BY x.id")
        found = [r["y.b"] for r in self.rows_of(inner, "y") if condition.value(r) is True]

        def is_in(value):
            if not found:
                return False
            if value is None:
                return None
            if value in found:
                return True
            return None if None in found else False
        ids = sorted(r["x.id"] for r in self.rows_of(outer, "x")
                     if is_in(r["x.b"]) is (not negated))
        return sql, [(i,) for i in ids], True

    def union_all(self):
        left, right = self.random.sample(TABLES, 2)
        sql = f"SELECT id, s FROM {left} UNION ALL SELECT b, r FROM {right}"
        return sql, [(r["id"], r["s"]) for r in self.model.tables[left]] + \
            [(r["b"], r["r"]) for r in self.model.tables[right]], False


class RandomSql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        oracledb.defaults.fetch_decimals = True
        cls.sim = Orasim()
        cls.addClassCleanup(cls.sim.close)

    def tables_in(self, connection):
        with connection.cursor() as cursor:
            return {table: as_bag(normal_rows(cursor.execute(
                f"SELECT {', '.join(COLUMNS)} FROM {table}").fetchall())) for table in TABLES}

    def model_tables(self, tables):
        return {name: as_bag(normal_rows(tuple(row[c] for c in COLUMNS) for row in rows))
                for name, rows in tables.items()}

    def change(self, connection, statements):
        form = statements.random.choices(
            [statements.insert, statements.insert_select, statements.update, statements.merge,
             statements.delete], [5, 2, 3, 1, 1])[0]
        (sql, apply), binds = statements.make(form)
        try:
            expected, refused = apply(), set()
        except Failed as failure:
            expected, refused = None, failure.codes
        where = f"{sql}\nbinds {binds}"
        with connection.cursor() as cursor:
            try:
                cursor.execute(sql, binds)
            except oracledb.Error as error:
                self.assertIn(error.args[0].code, refused, f"{error}\n{where}")
                return
            self.assertFalse(refused, f"ORA-{sorted(refused)} expected\n{where}")
            self.assertEqual(cursor.rowcount, expected, where)

    def query(self, connection, statements):
        form = statements.random.choice(
            [statements.simple_query, statements.simple_query, statements.top_rows,
             statements.join, statements.join, statements.aggregate, statements.distinct,
             statements.exists, statements.in_subquery, statements.union_all,
             statements.set_operation, statements.rollup, statements.analytic, statements.page])
        (sql, expected, ordered), binds = statements.make(form)
        where = f"{sql}\nbinds {binds}"
        with connection.cursor() as cursor:
            cursor.arraysize = statements.random.choice([1, 2, 100])
            cursor.prefetchrows = statements.random.choice([0, 1, 2, 50])
            try:
                found = normal_rows(cursor.execute(sql, binds).fetchall())
            except oracledb.Error as error:
                self.fail(f"{error}\n{where}")
        expected = normal_rows(expected)
        if not ordered:
            found, expected = as_bag(found), as_bag(expected)
        self.assertEqual(found, expected, where)

    def transaction_step(self, connection, model, chooser):
        kind = chooser.choice(["commit", "rollback", "savepoint", "savepoint", "back", "back"])
        with connection.cursor() as cursor:
            if kind == "commit":
                connection.commit()
                model.commit()
            elif kind == "rollback":
                connection.rollback()
                model.rollback()
            elif kind == "savepoint":
                name = chooser.choice(["sp1", "sp2"])
                cursor.execute(f"SAVEPOINT {name}")
                model.save(name)
            elif model.savepoints:
                # Going back forgets the savepoints made later; the model keeps only this one.
                name = chooser.choice(sorted(model.savepoints))
                cursor.execute(f"ROLLBACK TO SAVEPOINT {name}")
                model.back_to(name)
                model.savepoints = {name: model.savepoints[name]}

    def run_seed(self, seed):
        print(f"seed {seed}", flush=True)
        chooser = random.Random(seed)
        model = Model()
        statements = Statements(chooser, model)
        with self.sim.connect() as connection, self.sim.connect() as observer:
            with connection.cursor() as cursor:
                columns = ", ".join(f"{c} {d}" for c, (_, d) in COLUMNS.items())
                for table in TABLES:
                    cursor.execute(f"CREATE TABLE {table} ({columns})")
            try:
                for step in range(STEPS):
                    roll = chooser.random()
                    if roll < 0.45:
                        self.change(connection, statements)
                    elif roll < 0.9:
                        self.query(connection, statements)
                    else:
                        self.transaction_step(connection, model, chooser)
                    if step % 20 == 0:
                        self.assertEqual(self.tables_in(connection),
                                         self.model_tables(model.tables), f"seed {seed}")
                        self.assertEqual(self.tables_in(observer),
                                         self.model_tables(model.committed),
                                         f"seed {seed}: committed rows")
            finally:
                connection.rollback()
                with connection.cursor() as cursor:
                    for table in TABLES:
                        cursor.execute(f"DROP TABLE {table} PURGE")

    def test_fixed_seeds(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.run_seed(seed)

    @unittest.skipUnless(LONG, "a new seed each time belongs to make test-long")
    def test_new_seed(self):
        self.run_seed(random.SystemRandom().randrange(1 << 32))


if __name__ == "__main__":
    unittest.main()
