"""Several tables of the source that come into one of the target."""
import json
import unittest

from support.case import LoadCase
from support.change_case import TABLES_IN_ERROR, ChangeCase
from support.postgres import PASSWORD
from support.wherry import Task, selection, wherry

ROWS = 3000


def renamed(rule_id, schema, table, value):
    return {"rule-type": "transformation", "rule-id": str(rule_id), "rule-name": str(rule_id),
            "rule-target": "table", "rule-action": "rename", "value": value,
            "object-locator": {"schema-name": schema, "table-name": table}}


class Loaded(LoadCase):
    FILL = tuple(f"create table sales_{year} (id number(9) primary key, amount number(9,2), "
                 "note varchar2(200))" for year in (2024, 2025, 2026)) + tuple(
        f"insert into sales_{year} select {year} * 10000 + level, level, rpad('x', 200, 'y') "
        f"from dual connect by level <= {ROWS}" for year in (2024, 2025, 2026)) + (
        "create table sales_odd (id number(9) primary key, amount varchar2(9), note varchar2(200))",)
    RULES = [selection("APP", "SALES[_]20%"), renamed(2, "APP", "SALES%", "SALES")]

    def task(self, database, rules=None, mode="DROP_AND_CREATE", **settings):
        task = Task(self.sim.url(), self.postgres.url(database), rules or self.RULES,
                    {"FullLoadSettings": {"TargetTablePrepMode": mode, **settings}})
        self.addCleanup(task.close)
        return task

    def assert_whole(self, database):
        counts = self.postgres.query(database, 'select "ID" / 10000, count(*), sum("AMOUNT") '
                                               'from "APP"."SALES" group by 1 order by 1')
        total = ROWS * (ROWS + 1) // 2
        self.assertEqual(counts, [(year, ROWS, total) for year in (2024, 2025, 2026)])
        self.assertEqual(self.postgres.query(
            database, "select count(*) from pg_constraint where contype = 'p' and "
                      "conrelid = '\"APP\".\"SALES\"'::regclass"), [(1,)])

    def test_all_come_together_in_every_mode(self):
        database = self.new_database()
        for mode in ("DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD", "DROP_AND_CREATE"):
            for workers in (1, 8):
                with self.subTest(mode, workers=workers):
                    run = self.task(database, mode=mode, MaxFullLoadSubTasks=workers).run()
                    self.assertEqual(run.status, 0, run.describe())
                    self.assert_whole(database)

    def test_the_plan_warns_and_the_comparison_says_that_it_cannot(self):
        task = self.task(self.new_database())
        planned = wherry("plan", "--format", "json", *task.flags())
        self.assertEqual(planned.status, 3, planned.describe())
        for table in json.loads(planned.stdout)["tables"]:
            self.assertEqual([warning["code"] for warning in table["warnings"]],
                             ["plan.shared_target"])
        self.assertEqual(task.run().status, 0)
        checked = task.validate()
        self.assertEqual(checked.status, 3, checked.describe())
        self.assertIn("validate.shared_target", checked.stderr)

    def test_tables_that_differ_are_refused(self):
        database = self.new_database()
        run = self.task(database, [selection("APP", "SALES%"), self.RULES[1]]).run()
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        self.assertIn("plan.shared_target_differs", run.stderr)
        self.assertIn("SALES_ODD", run.stderr)
        self.assert_whole(database)

    def test_a_killed_load_goes_on_and_doubles_nothing(self):
        for failpoint in ("load.prepared", "load.planned", "load.all_rows", "load.before_key",
                          "load.after_key"):
            with self.subTest(failpoint):
                database = self.new_database()
                task = self.task(database, MaxFullLoadSubTasks=2)
                run = task.start(environment={"WHERRY_FAILPOINT": failpoint})
                run.finish()
                run = task.run()
                self.assertEqual(run.status, 0, run.describe())
                self.assert_whole(database)


class Followed(ChangeCase):
    def test_changes_of_all_come_and_ddl_of_one_does_not(self):
        self.at_source(*[f"create table app.{name} (id integer primary key, v text)"
                         for name in ("a", "b")],
                       "insert into app.a values (1, 'one'), (2, 'two')",
                       "insert into app.b values (11, 'eleven'), (12, 'twelve')")
        task = self.task()
        rules = [selection("app"), renamed(2, "app", "a", "both"), renamed(3, "app", "b", "both")]
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": rules}, file)
        run = self.follow(task)
        self.at_source("update app.a set v = 'ONE' where id = 1", "delete from app.b where id = 12",
                       "insert into app.a values (3, 'three')", "insert into app.b values (13, 'x')",
                       "update app.b set id = 14 where id = 13")
        self.catch_up(run)
        rows = [(1, "ONE"), (2, "two"), (3, "three"), (11, "eleven"), (14, "x")]
        both = "select id, v from app.both order by 1"
        self.assertEqual(self.target.query(self.name, both), rows)
        self.at_source("truncate app.b", "insert into app.a values (4, 'four')")
        self.catch_up(run)
        self.assertEqual(self.target.query(self.name, both), [*rows[:3], (4, "four"), *rows[3:]])
        self.stop(run)
        refused = wherry("reload", "--table", "app.a", "--state", str(task.state))
        self.assertEqual(refused.status, 2, refused.describe())
        self.assertIn("reload.shared_target", refused.stderr)
        self.at_source("insert into app.a values (5, 'five')")
        ended = self.start(task, "--stop-when", "caught-up").finish(60)
        self.assertEqual(ended.status, TABLES_IN_ERROR, ended.describe())
        self.assertEqual(self.target.query(self.name, "select v from app.both where id = 5"),
                         [("five",)])
        checked = task.validate(source_password=PASSWORD)
        self.assertIn("validate.shared_target", checked.stderr)


if __name__ == "__main__":
    unittest.main()
