"""Names that are legal and odd, from the rules to the target: in a load and in the changes behind it."""
import json
import re
import unittest

from support.change_case import ChangeCase
from support.oracle_case import LOGGED, OracleCase
from support.postgres import PASSWORD
from support.wherry import selection, wherry

REFUSED, TABLES_IN_ERROR = 2, 3
MOST_LOGGED_BYTES = 30  # of a name, by LogMiner
# Legal in both engines; the last are the longest that a PostgreSQL target takes.
NAMES = ("two  spaces ", " before", "it's", "a.b", "per%cent", "un_der", "back\\slash", "brac[ket", "set[a-z]",
         "ünïcödé", "cafe\u0301", "café", "日本語", "row🚣boat", "Case", "case", "CASE", "select", "TABLE",
         "user", "semi;colon--", "/* no */", "$1", ":bind", "{json}", "100", "é" * 31 + "x", "x" * 63)
# PostgreSQL's alone: Oracle has no names with a quotation mark.
QUOTED = ('quo"te', '"', '""two"', "new\nline", "tab\t")
DECOYS = ("perXXcent", "unXder", "bracXket", "seta")
# Oracle's alone, and what a rule makes of them.
LONG = {"N" * 128: "short", "ü" * 64: "kürzer", "long_%[ " * 16: "len_gth%"}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def pattern(name):
    """As a rule writes a name that is meant as it is."""
    return re.sub(r"([%_\[])", r"[\1]", name)


def transformation(rule_id, target, action, schema, table=None, column=None, **more):
    locator = {"schema-name": schema, "table-name": table, "column-name": column}
    return {"rule-type": "transformation", "rule-id": str(rule_id), "rule-name": str(rule_id),
            "rule-target": target, "rule-action": action, **more,
            "object-locator": {key: value for key, value in locator.items() if value is not None}}


def columns_of(name):
    """The key bears the table's own name."""
    return [name, "Value", "value", "gr\u00f6\u00dfe in %"]


class Moved:
    """A name at the source, where it is there and on the target."""

    def __init__(self, source, target, columns, target_columns):
        self.source, self.target = source, target
        self.columns, self.target_columns = columns, target_columns

    def select(self, at_target):
        schema, table = self.target if at_target else self.source
        columns = self.target_columns if at_target else self.columns
        return (f"select {', '.join(map(quoted, columns))} from {quoted(schema)}.{quoted(table)} "
                "order by 1")


def statements(moved, rows, text):
    """What is written while changes are followed: every kind, and a key that changes."""
    table = f"{quoted(moved.source[0])}.{quoted(moved.source[1])}"
    key, first, second, third = map(quoted, moved.columns)
    return [f"insert into {table} values ({rows + 1}, 'new', {text}, 5)",
            f"update {table} set {first} = 'changed', {third} = -1 where {key} = 2",
            f"update {table} set {key} = 100 where {key} = 3",
            f"delete from {table} where {key} = 1"]


class PostgresNames(ChangeCase):
    is_batched = False
    SCHEMA, TARGET = 'Ödd "schema" 100%_', 'the "tärget"'

    def test_every_name_survives_the_load_and_the_changes(self):
        names = NAMES + QUOTED
        schema = quoted(self.SCHEMA)
        self.at_source(f"create schema {schema}")
        for name in (*names, *DECOYS):
            key, first, second, third = map(quoted, columns_of(name))
            table = f"{schema}.{quoted(name)}"
            self.at_source(f"create table {table} ({key} integer primary key, {first} text, "
                           f"{second} text, {third} numeric)",
                           f"insert into {table} select n, 'of ' || n, '%_''\"', n / 4.0 "
                           "from generate_series(1, 5) n")
        # A key of a rule's is found in whole rows alone.
        self.at_source(f'alter table {schema}."a.b" replica identity full')
        rules = [selection("app", "marker", 1),
                 *(selection(pattern(self.SCHEMA), pattern(name), 10 + n)
                   for n, name in enumerate(names)),
                 transformation(100, "schema", "rename", pattern(self.SCHEMA), value=self.TARGET),
                 transformation(101, "table", "rename", pattern(self.SCHEMA), pattern('quo"te'),
                                value="un'quo\"ted%"),
                 transformation(102, "table", "add-prefix", pattern(self.SCHEMA), "it's",
                                value='p"_'),
                 transformation(103, "column", "rename", pattern(self.SCHEMA), pattern("per%cent"),
                                pattern("per%cent"), value='k"ey'),
                 transformation(104, "table", "define-primary-key", pattern(self.SCHEMA), "a.b",
                                **{"primary-key-def": {"name": "key of \"a.b\"", "columns": ["a.b"]}}),
                 {"rule-type": "table-settings", "rule-id": "105", "rule-name": "105",
                  "object-locator": {"schema-name": pattern(self.SCHEMA),
                                     "table-name": pattern("per%cent")},
                  "parallel-load": {"type": "ranges", "columns": ["per%cent"],
                                    "boundaries": [["2"], ["4"]]}}]
        filtered = next(rule for rule in rules if rule["object-locator"]["table-name"] ==
                        pattern("set[a-z]"))
        filtered["filters"] = [{"filter-type": "source", "column-name": "set[a-z]",
                                "filter-conditions": [{"filter-operator": "gte", "value": "0"}]}]
        renamed = {'quo"te': "un'quo\"ted%", "it's": "p\"_it's"}
        moved = []
        for name in names:
            columns = columns_of(name)
            target = ['k"ey', *columns[1:]] if name == "per%cent" else columns
            moved.append(Moved((self.SCHEMA, name), (self.TARGET, renamed.get(name, name)), columns,
                               target))
        task = self.task({"TargetMetadata": {"BatchApplyEnabled": self.is_batched}})
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": rules}, file)
        run = self.follow(task)
        for each in moved:
            self.at_source(*statements(each, 5, "'\"%_''\\'"))
        self.catch_up(run)
        self.stop(run)
        self.assertEqual({name for name, in self.target.query(
            self.name, "select relname::text from pg_class where relkind = 'r' and "
                       "relnamespace = (select oid from pg_namespace where nspname = %s)",
            [self.TARGET])}, {each.target[1] for each in moved})
        for each in moved:
            with self.subTest(each.source[1]):
                rows = self.source.query(self.name, each.select(False))
                self.assertEqual([row[0] for row in rows], [2, 4, 5, 6, 100])
                self.assertEqual(self.target.query(self.name, each.select(True)), rows)
        checked = task.validate(source_password=PASSWORD)
        self.assertEqual(checked.status, 0, checked.stdout[:3000])
        self.assertEqual(self.target.query(self.name, "select pg_get_constraintdef(oid) from "
                                           "pg_constraint where conname = 'key of \"a.b\"'"),
                         [('PRIMARY KEY ("a.b")',)])

    def test_names_that_differ_in_case_alone_come_into_one_only_with_a_warning(self):
        self.at_source(*(f'create table app."{name}" (id integer primary key)'
                         for name in ("Case", "CASE", "case")))
        self.at_source('insert into app."Case" values (1)', 'insert into app."CASE" values (2)',
                       'insert into app."case" values (3)')
        task = self.task(migration_type="full-load")
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": [selection("app", "[cC]%"), transformation(
                2, "table", "convert-lowercase", "app", "%")]}, file)
        planned = wherry("plan", *task.flags(), "--format", "json", source_password=PASSWORD)
        for table in json.loads(planned.stdout)["tables"]:
            warning, = table["warnings"]
            self.assertEqual(warning["code"], "plan.shared_target")
            for name in ("app.Case", "app.CASE", "app.case"):
                self.assertIn(name, warning["text"])
        self.assertEqual(self.start(task).finish(60).status, 0)
        self.assertEqual(self.target.query(self.name, "select id from app.case order by 1"),
                         [(1,), (2,), (3,)])

    def test_keys_whose_names_would_be_the_same_get_others(self):
        stem = "k" * 57
        names = (stem + "-one", stem + "-two", stem + "_pkey", "t", "t_pkey")
        for n, name in enumerate(names):
            self.at_source(f'create table app."{name}" (id integer constraint own_{n} primary key)',
                           f'insert into app."{name}" values (7)')
        self.at_source("create table app.alone (id integer primary key)")
        # What the plan does not know of.
        self.at_target("create schema app", "create table app.alone_pkey (a integer)")
        task = self.task(migration_type="full-load")
        run = self.start(task).finish(60)
        self.assertEqual(run.status, 0, run.describe())
        keys = dict(self.target.query(
            self.name, "select conrelid::regclass::text, conname::text from pg_constraint "
                       "where contype = 'p' and connamespace = 'app'::regnamespace"))
        self.assertEqual(len(keys), len(names) + 2, keys)
        self.assertEqual(keys["app.t"], "t_pkey1")
        self.assertEqual(keys["app.t_pkey"], "t_pkey_pkey")
        self.assertEqual(len(set(keys.values())), len(keys))


class PostgresNamesInBatches(PostgresNames):
    is_batched = True

    test_names_that_differ_in_case_alone_come_into_one_only_with_a_warning = None
    test_keys_whose_names_would_be_the_same_get_others = None


class OracleNames(OracleCase):
    OWNER, TARGET, SECRET = "Ünï Owner's", "its töwn", "Owner-Secret-1"

    def orasim_flags(self):
        return ("--emulate", "19")

    def at_source(self, *statements):
        """The driver takes a : inside quotation marks for a bind."""
        super().at_source(*(
            "begin execute immediate replace('" + statement.replace("'", "''").replace(":", "~") +
            "', '~', chr(58)); end;" if ":" in statement else statement for statement in statements))

    def create(self, name):
        key, first, second, third = map(quoted, columns_of(name))
        table = f"{quoted(self.OWNER)}.{quoted(name)}"
        self.at_source(f"create table {table} ({key} number(9) primary key, {first} varchar2(40), "
                       f"{second} varchar2(40), {third} number)",
                       f"insert into {table} select level, 'of ' || level, '%_''\"', level / 4 "
                       "from dual connect by level <= 5",
                       LOGGED.format(table, "primary key"))

    def rules(self, names):
        owner = pattern(self.OWNER)
        out = [selection("APP", "MARKER", 1),
               transformation(2, "schema", "rename", owner, value=self.TARGET),
               transformation(3, "schema", "convert-lowercase", "APP"),
               transformation(4, "table", "convert-lowercase", "APP", "%"),
               transformation(5, "column", "convert-lowercase", "APP", "%", "%")]
        out += [selection(owner, pattern(name), 10 + n) for n, name in enumerate(names)]
        for n, (name, short) in enumerate(LONG.items()):
            out.append(transformation(100 + 2 * n, "table", "rename", owner, pattern(name), value=short))
            out.append(transformation(101 + 2 * n, "column", "rename", owner, pattern(name),
                                      pattern(name), value=short))
        return out

    def moved(self, names):
        return [Moved((self.OWNER, name), (self.TARGET, LONG.get(name, name)), columns_of(name),
                      [LONG.get(name, name), *columns_of(name)[1:]]) for name in names]

    def create_all(self, names):
        self.at_source(f"create user {quoted(self.OWNER)} identified by \"{self.SECRET}\" "
                       "quota unlimited on users")
        for name in (*names, *DECOYS):
            self.create(name)

    def assert_moved(self, task, names, keys):
        self.assertEqual({name for name, in self.target.query(
            self.name, "select relname::text from pg_class where relkind = 'r' and "
                       "relnamespace = (select oid from pg_namespace where nspname = %s)",
            [self.TARGET])}, {LONG.get(name, name) for name in names})
        for each in self.moved(names):
            with self.subTest(each.source[1]):
                if ":" not in each.source[1]:  # see at_source(); they all have the same rows
                    expected = [(int(row[0]), row[1], row[2], float(row[3]))
                                for row in self.sim.query(each.select(False))]
                self.assertEqual([row[0] for row in expected], keys)
                self.assertEqual([(int(row[0]), row[1], row[2], float(row[3])) for row in
                                  self.target.query(self.name, each.select(True))], expected)
        self.assertEqual(task.validate().status, 0)

    def test_every_name_survives_the_load(self):
        names = (*NAMES, *LONG)
        self.create_all(names)
        task = self.task(rules=self.rules(names), migration_type="full-load")
        run = self.start(task).finish(120)
        self.assertEqual(run.status, 0, run.describe())
        self.assert_moved(task, names, [1, 2, 3, 4, 5])

    def test_every_name_that_logminer_tells_survives_the_changes(self):
        names = [name for name in NAMES if len(name.encode()) <= MOST_LOGGED_BYTES]
        self.assertGreater(len(names), len(NAMES) - 3)
        self.create_all(names)
        task = self.task(rules=self.rules(names))
        run = self.follow(task)
        for each in self.moved(names):
            self.at_source(*statements(each, 5, "'\"%_''\\'"))
        self.catch_up(run)
        self.stop(run)
        self.assert_moved(task, names, [2, 4, 5, 6, 100])
        self.assert_same(task)

    def test_names_that_would_be_cut_to_one_are_told_all_at_once(self):
        stem = "é" * 31 + "x"
        names = (stem + "-one", stem + "-two", stem, "y" * 64, "fine")
        self.create_all(names)
        self.at_source(f'create table "{self.OWNER}".cols (id number(9) primary key, '
                       f'"{stem}1" date, "{stem}2" date, "{"z" * 70}" date)')
        task = self.task(rules=[selection(self.OWNER)], migration_type="full-load")
        planned = wherry("plan", *task.flags(), "--format", "json")
        self.assertEqual(planned.status, REFUSED, planned.describe())
        refused = {each["source"]["table"]: each for each in json.loads(planned.stdout)["refused"]}
        self.assertEqual({name: each["code"] for name, each in refused.items()},
                         {stem + "-one": "plan.cut_names_collide",
                          stem + "-two": "plan.cut_names_collide", "y" * 64: "plan.bad_name",
                          "COLS": "plan.cut_names_collide"})
        for name, other in (("-one", "-two"), ("-two", "-one")):
            message = refused[stem + name]["message"]
            for part in (f"{self.OWNER}.{stem}{other}", f"{self.OWNER}.{stem},"):
                self.assertIn(part, message + ",")
            self.assertIn(f"would be cut to {stem},", message)
            self.assertIn("67 bytes", message)
            self.assertIn("63 bytes", message)
            self.assertIn("rules", refused[stem + name]["hint"])
        for part in (f"column {stem}1 ", f"column {stem}2 ", "column " + "z" * 70 + " "):
            self.assertIn(part, refused["COLS"]["message"])
        run = self.start(task).finish(60)
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        self.assertEqual({name for name, in self.target.query(
            self.name, "select relname::text from pg_class where relkind = 'r' and relnamespace = "
                       "(select oid from pg_namespace where nspname = %s)", [self.OWNER])},
            {stem, "fine", *DECOYS})


if __name__ == "__main__":
    unittest.main()
