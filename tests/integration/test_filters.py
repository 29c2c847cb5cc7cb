"""Source filters of selection rules: which rows are loaded, and which changes follow."""
import json
import unittest

from support.case import LoadCase
from support.change_case import DONE, TABLES_IN_ERROR, ChangeCase
from support.postgres import PASSWORD
from support.wherry import Task, wherry

ROWS = 60


def condition(operator, *values):
    if operator in ("between", "notbetween"):
        return {"filter-operator": operator, "start-value": values[0], "end-value": values[1]}
    return {"filter-operator": operator, **({"value": values[0]} if values else {})}


def filtered(schema, table, *filters, rule_id=1):
    """`filters`: (column, condition…)."""
    return {"rule-type": "selection", "rule-id": rule_id, "rule-name": f"f{rule_id}",
            "rule-action": "include",
            "object-locator": {"schema-name": schema, "table-name": table},
            "filters": [{"filter-type": "source", "column-name": column,
                         "filter-conditions": list(conditions)} for column, *conditions in filters]}


# Filters of the table below, and what they mean in words of the source's own.
CASES = [
    ([("N", condition("ste", "10"))], "n <= 10"),
    ([("N", condition("lte", 10))], "n <= 10"),
    ([("N", condition("gte", "55.5"))], "n >= 55.5"),
    ([("N", condition("eq", "7"))], "n = 7"),
    ([("N", condition("noteq", "7"))], "n <> 7"),
    ([("N", condition("between", "10", "20"))], "n >= 10 and n <= 20"),
    ([("N", condition("notbetween", "10", "20"))], "n < 10 or n > 20"),
    ([("N", condition("null"))], "n is null"),
    ([("N", condition("notnull"))], "n is not null"),
    ([("N", condition("ste", "5"), condition("between", "20", "25"), condition("gte", "58"))],
     "n <= 5 or n >= 20 and n <= 25 or n >= 58"),
    ([("N", condition("null"), condition("eq", "5"))], "n is null or n = 5"),
    ([("N", condition("null"), condition("noteq", "5"))], "1 = 0"),
    ([("N", condition("gte", "9"), condition("noteq", "12"))], "n >= 9 and n <> 12"),
    ([("N", condition("gte", "9")), ("WORD", condition("eq", "it's"))], "n >= 9 and word = 'it''s'"),
    ([("WORD", condition("gte", "b"))], "word >= 'b'"),
    ([("PADDED", condition("eq", "p1"))], "padded = 'p1'"),
    ([("DAY", condition("between", "2026-01-10", "2026-01-20 12:00:00"))],
     "day >= timestamp '2026-01-10 00:00:00' and day <= timestamp '2026-01-20 12:00:00'"),
    ([("MOMENT", condition("lte", "2026-01-05 00:00:00.500"))],
     "moment <= timestamp '2026-01-05 00:00:00.5'"),
    ([("REAL8", condition("gte", "0.5"))], "real8 >= 0.5"),
]


class LoadedFromOracle(LoadCase):
    FILL = ("create table t (id number(9) primary key, n number(9,2), word varchar2(20), "
            "padded char(5), day date, moment timestamp(3), real8 binary_double, large clob)",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.create_database("filters")
        with cls.sim.connect() as session, session.cursor() as cursor:
            for i in range(1, ROWS + 1):
                null = i % 10 == 0
                cursor.execute(
                    "insert into t values (:1, :2, :3, :4, date '2026-01-01' + :5, "
                    "timestamp '2026-01-01 00:00:00' + numtodsinterval(:6, 'SECOND'), :7, :8)",
                    (i, None if null else i, "it's" if i % 3 == 0 else chr(97 + i % 4),
                     f"p{i % 3}", i / 2, i * 21600.5, i / 40, "x" * i))
            session.commit()

    def load(self, *filters):
        task = Task(self.sim.url(), self.postgres.url("filters"), [filtered("APP", "T", *filters)],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}})
        self.addCleanup(task.close)
        return task, task.run()

    def test_every_operator_on_every_type(self):
        for filters, words in CASES:
            with self.subTest(words):
                task, run = self.load(*filters)
                self.assertEqual(run.status, 0, run.describe())
                wanted = [int(row[0]) for row in
                          self.sim.query(f"select id from t where {words} order by id")]
                found = [row[0] for row in self.postgres.query(
                    "filters", 'select "ID"::int from "APP"."T" order by 1')]
                self.assertEqual(found, wanted)
                checked = task.validate()
                self.assertEqual(checked.status, 0, checked.describe())

    def test_a_column_that_is_not_moved_may_decide(self):
        removed = {"rule-type": "transformation", "rule-id": 2, "rule-name": "2",
                   "rule-target": "column", "rule-action": "remove-column",
                   "object-locator": {"schema-name": "APP", "table-name": "T", "column-name": "N"}}
        task = Task(self.sim.url(), self.postgres.url("filters"),
                    [filtered("APP", "T", ("N", condition("lte", "3"))), removed])
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.postgres.query("filters", 'select "ID"::int from "APP"."T" order by 1'),
                         [(1,), (2,), (3,)])
        self.assertEqual(self.postgres.query(
            "filters", "select 1 from information_schema.columns where table_name = 'T' "
                       "and column_name = 'N'"), [])

    def test_filters_in_ranges(self):
        """Each segment has the filter as well."""
        settings = {"rule-type": "table-settings", "rule-id": 2, "rule-name": "2",
                    "object-locator": {"schema-name": "APP", "table-name": "T"},
                    "parallel-load": {"type": "ranges", "columns": ["PADDED", "ID"],
                                      "boundaries": [["p0", "20"], ["p1", "40"]]}}
        task = Task(self.sim.url(), self.postgres.url("filters"),
                    [filtered("APP", "T", ("N", condition("notbetween", "10", "50"))), settings],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}})
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        wanted = self.sim.query("select count(*) from t where n < 10 or n > 50")[0][0]
        self.assertEqual(self.postgres.query("filters", 'select count(*) from "APP"."T"'),
                         [(wanted,)])

    def test_what_cannot_be_a_filter_is_refused(self):
        for filters, words in [
                ([("NOPE", condition("eq", "1"))], ["NOPE", "does not exist"]),
                ([("LARGE", condition("eq", "x"))], ["LARGE", "large object"]),
                ([("N", condition("eq", "ten"))], ["'ten'", "decimal"]),
                ([("DAY", condition("gte", "2026-02-30"))], ["2026-02-30"]),
                ([("WORD", condition("eq", ""))], ["''"])]:
            with self.subTest(filters):
                _, run = self.load(*filters)
                self.assertNotEqual(run.status, 0)
                for word in words:
                    self.assertIn(word, run.stderr)


class FollowedFromOracle(LoadCase):
    FILL = ("alter database add supplemental log data",
            "create table o (id number(9) primary key, region varchar2(9), amount number(9,2))",
            "alter table o add supplemental log data (primary key) columns")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.create_database("followed")

    def test_rows_come_in_and_go_out(self):
        sim = self.sim
        sim.execute("delete from o", "insert into o select level, decode(mod(level, 2), 0, 'EU', "
                    "'US'), level from dual connect by level <= 20")
        rules = [filtered("APP", "O", ("REGION", condition("eq", "EU")))]
        refused = self.follow(self.task(sim.url(), rules))
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        self.assertIn('alter table "APP"."O" add supplemental log data (all) columns',
                      refused.stderr)

        task = self.task(sim.url() + "?AddSupplementalLogging=true", rules)
        self.assertEqual(self.follow(task).status, 0)
        self.assertEqual(self.at_target(), self.at_source())
        sim.execute("insert into o values (101, 'EU', 1)", "insert into o values (102, 'US', 1)",
                    "insert into o values (103, null, 1)",
                    "update o set amount = amount + 1 where id <= 10",          # within and outside
                    "update o set region = 'US' where id = 2",                   # out
                    "update o set region = 'EU', amount = 7 where id = 3",       # in
                    "update o set id = id + 1000 where id in (4, 5)",            # keys, in and out
                    "update o set id = 2006, region = 'US' where id = 6",        # key, and out
                    "update o set id = 2007, region = 'EU' where id = 7",        # key, and in
                    "update o set region = null where id = 8",
                    "delete from o where id in (9, 10)")
        run = self.follow(task)
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.at_target(), self.at_source())
        self.assertEqual(self.postgres.query(
            "followed", "select count(*) from public.awsdms_apply_exceptions"), [(0,)])

    def task(self, source, rules):
        task = Task(source, self.postgres.url("followed"), rules)
        task.migration_type = "full-load-and-cdc"
        self.addCleanup(task.close)
        return task

    @staticmethod
    def follow(task):
        return task.run("--stop-when", "caught-up")

    def at_source(self):
        return [(int(i), float(a)) for i, a in self.sim.query(
            "select id, amount from o where region = 'EU' order by id")]

    def at_target(self):
        return [(int(i), float(a)) for i, a in self.postgres.query(
            "followed", 'select "ID", "AMOUNT" from "APP"."O" order by 1')]


class FromPostgres(ChangeCase):
    RULE = filtered("app", "o", ("region", condition("eq", "EU"), condition("gte", "Z")))
    TAKEN = "region = 'EU' or region collate \"C\" >= 'Z'"

    def setUp(self):
        super().setUp()
        self.at_source(
            "create table app.o (id integer primary key, region text, amount numeric, body text)",
            "insert into app.o select i, case when i % 2 = 0 then 'EU' else 'US' end, i, "
            "repeat(md5(i::text), 200) from generate_series(1, 20) i")

    def filtered_task(self):
        task = self.task()
        rules = [self.RULE, {**filtered("app", "marker", rule_id=2), "filters": []}]
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": rules}, file)
        return task

    def rows(self, server, where="true"):
        return server.query(self.name, f"select id, region, amount, md5(body) from app.o "
                                       f"where {where} order by 1")

    def assert_equal_sides(self):
        self.assertEqual(self.rows(self.target), self.rows(self.source, self.TAKEN))

    def test_the_log_must_have_what_decides(self):
        refused = self.start(self.filtered_task(), "--stop-when", "caught-up").finish(60)
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        self.assertIn('alter table "app"."o" replica identity full', refused.stderr)

    def test_rows_come_in_and_go_out(self):
        self.at_source("alter table app.o replica identity full")
        task = self.filtered_task()
        run = self.follow(task)
        self.assert_equal_sides()
        self.at_source(
            "insert into app.o values (101, 'EU', 1, 'x'), (102, 'US', 1, 'y'), (103, null, 1, 'z'), "
            "(104, 'Zürich', 1, 'z')",
            "update app.o set amount = amount + 1 where id <= 10",     # within and outside
            "update app.o set region = 'US' where id = 2",              # out
            "update app.o set region = 'EU', amount = 7 where id = 3",  # in, its large value untouched
            "update app.o set id = id + 1000 where id in (4, 5)",       # keys, in and out
            "update app.o set id = 2006, region = 'US' where id = 6",
            "update app.o set id = 2007, region = 'EU' where id = 7",
            "update app.o set region = null where id = 8",
            "delete from app.o where id in (9, 10)",
            "begin; update app.o set region = 'EU' where id = 11; "
            "update app.o set amount = 0 where id = 11; update app.o set region = 'US' where id = 11; "
            "update app.o set region = 'EU' where id = 11; commit")
        self.catch_up(run)
        self.assert_equal_sides()
        self.assert_no_exceptions()
        self.stop(run)
        self.at_source("update app.o set region = 'EU' where id between 12 and 15")
        self.run_until(task, "caught-up")
        self.assert_equal_sides()
        checked = task.validate(source_password=PASSWORD)
        self.assertEqual(checked.status, 0, checked.describe())

    def test_rows_are_known_by_another_key(self):
        self.at_source("create table app.k (id integer primary key, a integer not null, "
                       "b text not null, c text)",
                       "insert into app.k select i, i % 3, 'b' || i, 'c' from generate_series(1, 9) i")
        table = {"schema-name": "app", "table-name": "k"}
        rules = [{**filtered("app", "%"), "filters": []},
                 {"rule-type": "transformation", "rule-id": 2, "rule-name": "2", "rule-target": "table",
                  "rule-action": "define-primary-key", "object-locator": table,
                  "primary-key-def": {"name": "ours", "columns": ["a", "b"]}},
                 {"rule-type": "transformation", "rule-id": 3, "rule-name": "3", "rule-target": "column",
                  "rule-action": "remove-column", "object-locator": {**table, "column-name": "id"}}]
        task = self.task()
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": rules}, file)
        refused = self.start(task, "--stop-when", "caught-up").finish(60)
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        self.assertIn('alter table "app"."k" replica identity full', refused.stderr)
        self.at_source("alter table app.k replica identity full")
        run = self.follow(task, "--start", "reload-target")
        self.at_source("update app.k set c = 'new' where id = 1", "update app.k set b = 'other' where id = 2",
                       "update app.k set id = 100 where id = 3", "delete from app.k where id = 4",
                       "insert into app.k values (10, 1, 'b10', null)")
        self.catch_up(run)
        columns = "select a, b, c from app.k order by 1, 2"
        self.assertEqual(self.target.query(self.name, columns), self.source.query(self.name, columns))
        self.assert_no_exceptions()
        self.stop(run)

    def test_batches_and_lanes_agree(self):
        self.at_source("alter table app.o replica identity full")
        for settings in ({"BatchApplyEnabled": True}, {"ParallelApplyThreads": 4}):
            with self.subTest(settings):
                task = self.filtered_task()
                self.set_up_anew(task, {"TargetMetadata": settings})
                self.run_until(task, "caught-up", DONE, "--start", "reload-target")
                self.at_source("update app.o set region = case when region = 'EU' then 'US' else 'EU' "
                               "end where id % 3 = 0", "update app.o set amount = amount + id",
                               "delete from app.o where id % 7 = 0")
                self.run_until(task, "caught-up")
                self.assert_equal_sides()
                wherry("forget", "--yes", *map(str, task.flags()), source_password=PASSWORD)


if __name__ == "__main__":
    unittest.main()
