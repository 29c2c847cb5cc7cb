"""`wherry plan`: what it says of each shape of rules (tests/golden/plans), as text and as JSON.

WHERRY_UPDATE_GOLDEN=1 writes what is printed now; the difference is for a person to read.
"""
import json
import os
import pathlib
import unittest

from support.case import LoadCase
from support.paths import ROOT
from support.postgres import PASSWORD
from support.wherry import Task, selection, wherry

PLANS = pathlib.Path(ROOT) / "tests" / "golden" / "plans"
CLEAN, REFUSED, WARNED = 0, 2, 3
SETTINGS = {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}}


class Plans(LoadCase):
    FILL = (
        "create user shop identified by shop quota unlimited on users",
        "create table shop.customers (customer_id number(9) constraint customers_key primary key, "
        "name varchar2(40) not null, first_name nvarchar2(20), card_number varchar2(19), "
        "card_limit number(9,2), born date, photo blob, letter clob, since timestamp(9), "
        "seen timestamp(6) with time zone, code char(4), shout varchar2(40) generated always as (upper(name)) virtual)",
        "create table shop.orders (order_id number(12) constraint orders_key primary key, "
        "customer_id number(9), amount number, status varchar2(10), placed date, ratio binary_double)",
        "create table shop.events (happened timestamp(3) not null, kind varchar2(10) not null, "
        "body varchar2(4000), span interval day(3) to second(2), token raw(16))",
        "create view shop.buyers as select c.name, to_clob(min(o.status)) story, sum(o.amount) spent, count(*) orders, "
        "max(o.placed) latest, 'buyer' kind from shop.customers c "
        "join shop.orders o on o.customer_id = c.customer_id group by c.name order by 3",
        "create table shop.tmp_gone (a number(4))", "create table shop.tmp_kept (a number(4) primary key)",
        "insert into shop.orders select level, level, level * 1.5, 'new', date '2026-01-01', level "
        "from dual connect by level <= 1000",
        "begin dbms_stats.gather_schema_stats('SHOP'); end;")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.create_database("plans")

    def task(self, rules, settings=None):
        task = Task(self.sim.url() + "?ExposeViews=true", self.postgres.url("plans"), rules, settings or SETTINGS)
        self.addCleanup(task.close)
        return task

    def plan(self, rules, *more, settings=None):
        return wherry("plan", *self.task(rules, settings).flags(), *more)

    def test_every_shape_of_rules(self):
        files = sorted(PLANS.glob("*.json"))
        self.assertGreater(len(files), 15)
        for file in files:
            with self.subTest(file.stem):
                run = self.plan(json.loads(file.read_text(encoding="utf-8"))["rules"])
                said = f"exit status {run.status}\n{run.stdout}{run.stderr}"
                golden = file.with_suffix(".txt")
                if os.environ.get("WHERRY_UPDATE_GOLDEN"):
                    golden.write_text(said, encoding="utf-8")
                self.assertEqual(said, golden.read_text(encoding="utf-8"))

    def test_json_has_what_the_text_has(self):
        run = self.plan([selection("SHOP", "CUSTOMERS")], "--format", "json")
        self.assertEqual(run.status, WARNED, run.describe())
        plan = json.loads(run.stdout)
        table, = plan["tables"]
        self.assertEqual(table["action"], "drop and create")
        self.assertEqual(table["rules"], [1])
        self.assertEqual(table["key"], "primary key (CUSTOMER_ID)")
        columns = {column["source"]: column for column in table["columns"]}
        self.assertEqual(columns["CARD_LIMIT"]["target_type"], "numeric(9,2)")
        self.assertIn("exact", columns["CARD_LIMIT"]["reason"])
        self.assertEqual([(column["source"], column["reason"]) for column in table["left_out"]],
                         [("SHOUT", "is generated")])
        self.assertEqual([(warning["code"], warning["rank"]) for warning in table["warnings"]],
                         [("plan.generated_column", "note")])
        self.assertEqual(plan["totals"]["tables"], 1)

    def test_what_is_on_the_target_decides(self):
        self.postgres.execute("plans", "drop schema if exists there cascade", "create schema there",
                              "create table there.\"ORDERS\" (\"ORDER_ID\" bigint primary key, "
                              "\"CUSTOMER_ID\" integer, \"AMOUNT\" numeric, \"STATUS\" text, "
                              "\"PLACED\" date, \"RATIO\" real)")
        rules = [selection("SHOP", "ORDERS"),
                 {"rule-type": "transformation", "rule-id": "2", "rule-name": "2",
                  "rule-target": "schema", "rule-action": "rename", "value": "there",
                  "object-locator": {"schema-name": "SHOP"}}]
        for mode, action in [("DO_NOTHING", "append"), ("TRUNCATE_BEFORE_LOAD", "truncate"),
                             ("DROP_AND_CREATE", "drop and create")]:
            run = self.plan(rules, "--format", "json",
                            settings={"FullLoadSettings": {"TargetTablePrepMode": mode}})
            self.assertEqual(run.status, CLEAN, run.describe())
            table, = json.loads(run.stdout)["tables"]
            self.assertEqual(table["action"], action)
            placed = next(c for c in table["columns"] if c["source"] == "PLACED")
            has_own = mode != "DROP_AND_CREATE"
            self.assertEqual(placed["target_type"], "date" if has_own else "timestamp(0)")
            self.assertEqual("own table" in placed["reason"], has_own)
        self.assertEqual(self.postgres.query("plans", 'select count(*) from there."ORDERS"'), [(0,)])

    def test_a_sample_shows_what_would_be_refused(self):
        self.sim.execute(
            "create table shop.odd (id number(9) primary key, amount number, word varchar2(20), "
            "letter clob, zero varchar2(5))",
            "insert into shop.odd select level, decode(level, 7, 1234567.125, 8, -0.0625, level), "
            "decode(level, 9, 'twelve letters', 'short'), rpad('x', level * 100, 'y'), "
            "decode(mod(level, 2), 0, 'a' || chr(0) || 'b') from dual connect by level <= 40")
        self.addCleanup(self.sim.execute, "drop table shop.odd purge")
        self.postgres.execute("plans", "drop schema if exists strict cascade", "create schema strict",
                              "create table strict.\"ODD\" (\"ID\" integer primary key, \"AMOUNT\" "
                              "numeric(8,2), \"WORD\" varchar(10), \"LETTER\" text, \"ZERO\" "
                              "varchar(5) not null)")
        rules = [selection("SHOP", "ODD"),
                 {"rule-type": "transformation", "rule-id": "2", "rule-name": "2",
                  "rule-target": "schema", "rule-action": "rename", "value": "strict",
                  "object-locator": {"schema-name": "SHOP"}}]
        keep = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}}
        run = self.plan(rules, "--sample", "--format", "json", settings=keep)
        self.assertEqual(run.status, WARNED, run.describe())
        table, = json.loads(run.stdout)["tables"]
        self.assertEqual((table["sampled_rows"], table["is_sampled_whole"]), (40, True))
        seen = {column["source"]: column["sample"] for column in table["columns"]}
        self.assertEqual((seen["AMOUNT"]["most_digits"], seen["AMOUNT"]["most_scale"]), (7, 4))
        self.assertEqual(seen["WORD"]["most_characters"], 14)
        self.assertEqual(seen["LETTER"]["most_bytes"], 4000)
        self.assertEqual([size["count"] for size in seen["LETTER"]["sizes"]], [10, 30, 0, 0, 0, 0, 0])
        self.assertEqual(seen["ZERO"]["nulls"], 20)
        refused = {name: {one["reason"]: (one["count"], one["keys"]) for one in
                          sample.get("refused", [])} for name, sample in seen.items()}
        self.assertEqual([count for count, _ in refused["AMOUNT"].values()], [1, 1])
        self.assertIn((1, ["ID=9"]), refused["WORD"].values())
        self.assertEqual(refused["ZERO"]["NULL in a column that is NOT NULL"][0], 20)
        self.assertEqual({warning["code"] for warning in table["warnings"]}, {"plan.values_refused"})
        self.sim.execute("create view shop.broken as select id / (id - 7) as q from shop.odd")
        self.addCleanup(self.sim.execute, "drop view shop.broken")
        broken = selection("SHOP", "BROKEN", 3)
        broken["object-locator"]["table-type"] = "view"
        task = self.task([*rules, broken], keep)
        run = wherry("plan", *task.flags(), "--sample", "--format", "json")
        self.assertEqual(run.status, WARNED, run.describe())
        tables = {each["source"]["table"]: each for each in json.loads(run.stdout)["tables"]}
        self.assertEqual(tables["ODD"]["sampled_rows"], 40)
        self.assertIn("ORA-01476", "".join(warning["text"] for warning in tables["BROKEN"]["warnings"]
                                           if warning["code"] == "plan.no_sample"))
        few = self.plan(rules, "--sample", "8", settings=keep)
        self.assertIn("8 rows looked at", few.stdout)
        self.assertNotIn("all there are", few.stdout)

    def test_tables_lie_where_rules_want_them(self):
        """The first task's tables are the second one's source."""
        def rules(source_schema, target_schema, wanted):
            return [selection(source_schema, "ORDERS"), *(
                {"rule-type": "transformation", "rule-id": str(i), "rule-name": str(i), "rule-target": target,
                 "rule-action": "rename", "value": name, "object-locator": {"schema-name": source_schema, **locator}}
                for i, (target, locator, name) in enumerate([("schema", {}, target_schema), *wanted], 2))]
        places = ("select coalesce(t.spcname, '') from pg_class c left join pg_tablespace t on t.oid = c.reltablespace "
                  "where c.relnamespace = %s::regnamespace order by c.relkind desc")
        self.postgres.execute("plans", "set allow_in_place_tablespaces = on",
                              "create tablespace \"Fast\" location ''", "create tablespace keys location ''")
        first = self.task(rules("SHOP", "first", [
            ("table-tablespace", {"table-tablespace-name": "USERS"}, "Fast"),
            ("index-tablespace", {"index-tablespace-name": "USERS"}, "keys")]))
        planned = wherry("plan", *first.flags())
        self.assertIn("tablespace Fast, key in tablespace keys", planned.stdout)
        run = first.run()
        self.assertEqual(run.status, CLEAN, run.describe())
        self.assertEqual(self.postgres.query("plans", places, ("first",)), [("Fast",), ("keys",)])
        second = self.task(rules("first", "second", [
            ("table-tablespace", {"table-tablespace-name": "Fast"}, "keys"),
            ("index-tablespace", {"index-tablespace-name": "%"}, "nowhere")]))
        second.source = self.postgres.url("plans")
        run = second.run(source_password=PASSWORD)
        self.assertEqual(run.status, CLEAN, run.describe())
        self.assertEqual(self.postgres.query("plans", places, ("second",)), [("keys",), ("",)])
        log = (second.directory / "wherry.log").read_text(encoding="utf-8")
        self.assertIn("the target has no tablespace nowhere", log)

    def test_refusals_are_errors_and_listed(self):
        run = self.plan([selection("SHOP", "ORDERS"),
                         {"rule-type": "transformation", "rule-id": "2", "rule-name": "2",
                          "rule-target": "column", "rule-action": "add-column", "value": "X",
                          "expression": "$NOPE", "data-type": {"type": "string", "length": 5},
                          "object-locator": {"schema-name": "SHOP", "table-name": "ORDERS"}}],
                        "--format", "json")
        self.assertEqual(run.status, REFUSED, run.describe())
        refused, = json.loads(run.stdout)["refused"]
        self.assertEqual((refused["code"], refused["source"]["table"]),
                         ("plan.bad_expression", "ORDERS"))
        self.assertIn("NOPE", run.stderr)


if __name__ == "__main__":
    unittest.main()
