"""Selection and transformation rules end to end: which tables arrive, and under which names."""
import unittest

from support.orasim import PASSWORD, Orasim
from support.postgres import Postgres
from support.wherry import Task, lowercase, selection, wherry

TABLES = ("ORDERS", "ORDER_ITEMS", "ORDERXITEMS", "TMP_ONE", "TMPX", "100%_SURE", "EMPTY_ONE")
LONG_NAME = "N" * 128


def rule(target, action, rule_id, locator=None, **more):
    everything = {"schema-name": "%", "table-name": "%", "column-name": "%"}
    kinds = {"schema": 1, "table": 2, "column": 3}[target]
    located = dict(list(everything.items())[:kinds]) | (locator or {})
    return {"rule-type": "transformation", "rule-id": rule_id, "rule-name": f"r{rule_id}",
            "rule-target": target, "rule-action": action, "object-locator": located, **more}


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Orasim(users=[("APP", PASSWORD), ("OTHER", PASSWORD)])
        cls.addClassCleanup(cls.sim.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.databases = 0
        for table in TABLES:
            cls.sim.execute(f'create table "{table}" (id number(9) primary key, name varchar2(20))')
            if table != "EMPTY_ONE":
                cls.sim.execute(f"""insert into "{table}" values (1, 'of {table}')""")
        cls.sim.execute("create table ref (id number(9), name varchar2(20))",
                        "insert into ref values (1, 'other')", user="OTHER")

    def run_task(self, rules, mode="DROP_AND_CREATE", source=None):
        type(self).databases += 1
        self.database = f"rules{self.databases}"
        self.postgres.create_database(self.database)
        task = Task(source or self.sim.url(), self.postgres.url(self.database), rules,
                    {"FullLoadSettings": {"TargetTablePrepMode": mode}})
        self.addCleanup(task.close)
        return task, task.run()

    def loaded(self, rules):
        """Names of the target's tables, after a run and a comparison that went well."""
        task, run = self.run_task(rules)
        self.assertEqual(run.status, 0, run.describe())
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())
        return {f"{schema}.{table}" for schema, table in self.postgres.query(
            self.database, "select schemaname, tablename from pg_tables "
                           "where schemaname not in ('pg_catalog', 'information_schema') "
                           "and tablename !~ '^(awsdms|wherry)_'")}

    def columns(self, schema, table):
        return [name for name, in self.postgres.query(
            self.database, "select column_name from information_schema.columns where "
                           "table_schema = %s and table_name = %s order by ordinal_position",
            [schema, table])]

    # --- selection

    def test_wildcards(self):
        for pattern, expected in [
                ("ORDER%", {"ORDERS", "ORDER_ITEMS", "ORDERXITEMS"}),
                ("ORDER_ITEMS", {"ORDER_ITEMS", "ORDERXITEMS"}),
                ("ORDER[_]ITEMS", {"ORDER_ITEMS"}),
                ("TMP[_]%", {"TMP_ONE"}),
                ("100[%]%", {"100%_SURE"}),
                ("[O-P]RDERS", {"ORDERS"}),
                ("%", set(TABLES))]:
            with self.subTest(pattern=pattern):
                self.assertEqual(self.loaded([selection("APP", pattern)]),
                                 {f"APP.{name}" for name in expected})

    def test_exclusion_wins_and_explicit_is_literal(self):
        rules = [selection("APP", "TMP%", 1, "exclude"), selection("APP", "%", 2),
                 selection("APP", "ORDER[_]%", 3, "exclude"),
                 selection("OTHER", "REF", 4, "explicit"),
                 selection("APP", "TMPX", 5, "explicit")]
        self.assertEqual(self.loaded(rules), {"APP.ORDERS", "APP.ORDERXITEMS", "APP.100%_SURE",
                                              "APP.EMPTY_ONE", "APP.TMPX", "OTHER.REF"})

    def test_matching_is_case_sensitive(self):
        _, run = self.run_task([selection("app", "%")])
        self.assertEqual(run.status, 2, run.describe())
        self.assertIn("case-sensitive", run.stderr)

    # --- names

    def test_each_action_on_each_target(self):
        orders = {"schema-name": "APP", "table-name": "ORDERS"}
        cases = [
            ("rename", {"value": "new"}, "new", "new", "new"),
            ("convert-lowercase", {}, "app", "orders", "name"),
            ("convert-uppercase", {}, "APP", "ORDERS", "NAME"),
            ("add-prefix", {"value": "p_"}, "p_APP", "p_ORDERS", "p_NAME"),
            ("add-suffix", {"value": "_s"}, "APP_s", "ORDERS_s", "NAME_s"),
            ("remove-prefix", {"value": "OR"}, "APP", "DERS", "NAME"),
            ("remove-suffix", {"value": "ME"}, "APP", "ORDERS", "NA"),
            ("replace-prefix", {"old-value": "A", "value": "Z"}, "ZPP", "ORDERS", "NAME"),
            ("replace-suffix", {"old-value": "S", "value": "X"}, "APP", "ORDERX", "NAME")]
        for action, more, schema, table, column in cases:
            with self.subTest(action=action):
                rules = [selection("APP", "ORDERS"),
                         rule("schema", action, 2, {"schema-name": "APP"}, **more),
                         rule("table", action, 3, orders, **more),
                         rule("column", action, 4, {**orders, "column-name": "NAME"}, **more)]
                self.assertEqual(self.loaded(rules), {f"{schema}.{table}"})
                self.assertEqual(self.columns(schema, table), ["ID", column])

    def test_the_lowest_id_wins_wherever_it_stands(self):
        rules = [rule("table", "add-prefix", 30, value="late_"), lowercase("table", 20),
                 selection("APP", "ORDERS")]
        self.assertEqual(self.loaded(rules), {"APP.orders"})

    def test_collisions_are_refused(self):
        _, run = self.run_task([selection("APP", "ORDER%S"),
                                rule("column", "rename", 2, value="same")])
        self.assertEqual(run.status, 2, run.describe())
        for word in ("ID", "NAME", "same"):
            self.assertIn(word, run.stderr)

    def test_what_is_not_carried_out_is_refused_with_its_rule_id(self):
        base = {"rule-id": "77", "rule-name": "x"}
        locator = {"schema-name": "APP", "table-name": "ORDERS"}
        for bad in [
                {"rule-type": "validation", "object-locator": locator},
                {"rule-type": "selection", "rule-action": "Include", "object-locator": locator},
                {"rule-type": "transformation", "rule-target": "column",
                 "rule-action": "add-column", "object-locator": locator},
                {"rule-type": "transformation", "rule-target": "table",
                 "rule-action": "define-primary-key", "object-locator": locator},
                {"rule-type": "transformation", "rule-target": "table", "rule-action": "rename",
                 "object-locator": locator}]:
            with self.subTest(rule=bad):
                _, run = self.run_task([selection("APP", "%"), {**bad, **base}])
                self.assertEqual(run.status, 2, run.describe())
                self.assertIn("ruleId = 77", run.stderr)
                self.assertEqual(len(run.stderr.strip().splitlines()), 1, run.stderr)

    def test_columns_are_removed_and_included(self):
        self.sim.execute("create table wide (id number(9) primary key, a number(9), b varchar2(9), "
                         "old_one date, old_two date)", "insert into wide values (1, 2, 'x', null, null)")
        self.addCleanup(self.sim.execute, "drop table wide")
        wide = {"schema-name": "APP", "table-name": "WIDE"}
        for rules, expected in [
                ([rule("column", "remove-column", 2, {**wide, "column-name": "OLD%"})],
                 ["ID", "A", "B"]),
                ([rule("column", "include-column", 2, {**wide, "column-name": "B"}),
                  rule("column", "include-column", 3, {**wide, "column-name": "ID"}),
                  lowercase("column", 4)], ["id", "b"])]:
            with self.subTest(expected):
                self.loaded([selection("APP", "WIDE"), *rules])
                self.assertEqual(self.columns("APP", "WIDE"), expected)

    def test_a_key_is_defined(self):
        self.sim.execute("create table keyed (id number(9) primary key, a number(9), b varchar2(9))",
                         "insert into keyed values (1, 2, 'x')", "insert into keyed values (2, 2, 'y')")
        self.addCleanup(self.sim.execute, "drop table keyed")
        keyed = {"schema-name": "APP", "table-name": "KEYED"}
        key = rule("table", "define-primary-key", 2, keyed, **{"primary-key-def": {
            "name": "ours", "origin": "primary-key", "columns": ["b", "a"]}})
        removed = rule("column", "remove-column", 3, {**keyed, "column-name": "ID"})
        self.loaded([selection("APP", "KEYED"), key, removed, lowercase("column", 4)])
        self.assertEqual(self.postgres.query(
            self.database, "select conname, pg_get_constraintdef(oid) from pg_constraint "
                           "where contype = 'p' and conrelid = '\"APP\".\"KEYED\"'::regclass"),
            [("ours", "PRIMARY KEY (b, a)")])
        wrong = {**key, "primary-key-def": {"columns": ["B"]}}
        _, run = self.run_task([selection("APP", "KEYED"), wrong, lowercase("column", 4)])
        self.assertEqual(run.status, 3, run.describe())
        self.assertIn("plan.bad_key", run.stderr)

    def test_odd_names_arrive_as_they_are(self):
        names = ['Mixed Case', "it's", "a.b", "ünïcödé", "select"]
        for name in names:
            self.sim.execute(f'create table "{name}" ("{name}" number(9) primary key, "x y" date)',
                             f'insert into "{name}" values (5, date \'2024-02-29\')')
            self.addCleanup(self.sim.execute, f'drop table "{name}"')
        tables = self.loaded([selection("APP", name, n, "explicit")
                              for n, name in enumerate(names, 1)])
        self.assertEqual(tables, {f"APP.{name}" for name in names})

    def test_a_name_postgres_would_cut_is_refused_and_the_others_load(self):
        self.sim.execute(f"create table {LONG_NAME} (id number(9) primary key)")
        self.addCleanup(self.sim.execute, f"drop table {LONG_NAME}")
        rules = [selection("APP", "N%", 1), selection("APP", "ORDERS", 2)]
        task, run = self.run_task(rules)
        self.assertEqual(run.status, 3, run.describe())
        self.assertIn(f"APP.{LONG_NAME}", run.stderr)
        self.assertIn("63", run.stderr)
        self.assertEqual(self.columns("APP", "ORDERS"), ["ID", "NAME"])
        plan = wherry("plan", *task.flags())
        self.assertEqual(plan.status, 2, plan.describe())
        self.assertIn(LONG_NAME, plan.stderr)
        short = rule("table", "rename", 3, {"schema-name": "APP", "table-name": LONG_NAME},
                     value="short")
        self.assertEqual(self.loaded([*rules, short]), {"APP.ORDERS", "APP.short"})

    # --- what is in the tables

    def test_keyless_and_empty_tables(self):
        self.sim.execute("create table twins (a number(3), b varchar2(10), c clob)",
                         "insert into twins select mod(level, 3), 'x', 'long' from dual "
                         "connect by level <= 300")
        self.addCleanup(self.sim.execute, "drop table twins")
        self.assertEqual(self.loaded([selection("APP", "TWINS"), selection("APP", "EMPTY_ONE", 2)]),
                         {"APP.TWINS", "APP.EMPTY_ONE"})
        self.assertEqual(self.postgres.query(self.database, 'select count(*) from "APP"."TWINS"'),
                         [(300,)])

    def test_prepare_modes(self):
        for mode, rows, kept in [("DROP_AND_CREATE", 1, False), ("TRUNCATE_BEFORE_LOAD", 1, True),
                                 ("DO_NOTHING", 2, True)]:
            with self.subTest(mode=mode):
                database = f"prep_{mode.lower()}"
                self.postgres.create_database(database)
                self.postgres.execute(
                    database, 'create schema "APP"',
                    'create table "APP"."ORDERS" ("ID" numeric, "NAME" text, extra text)',
                    """insert into "APP"."ORDERS" values (99, 'old')""")
                task = Task(self.sim.url(), self.postgres.url(database),
                            [selection("APP", "ORDERS")],
                            {"FullLoadSettings": {"TargetTablePrepMode": mode}})
                self.addCleanup(task.close)
                run = task.run()
                self.assertEqual(run.status, 0, run.describe())
                self.assertEqual(self.postgres.query(database,
                                                     'select count(*) from "APP"."ORDERS"'),
                                 [(rows,)])
                self.database = database
                self.assertEqual("extra" in self.columns("APP", "ORDERS"), kept)


if __name__ == "__main__":
    unittest.main()
