"""Oracle's own sample schemas, unchanged, through Oracle's own driver, Wherry and PostgreSQL."""
import unittest

import oracledb

from support import compare
from support.orasim import Orasim
from support.paths import shared
from support.postgres import Postgres
from support.sqlplus import statements
from support.wherry import Task, lowercase, selection

PASSWORD = "source-Secret-1"
SCRIPTS = {
    "HR": ("human_resources", ["hr_create.sql", "hr_populate.sql", "hr_code.sql"]),
    "CO": ("customer_orders", ["co_create.sql", "co_populate.sql"]),
}
# Number of rows that the scripts insert, counted in the scripts.
HR_ROWS = {"REGIONS": 5, "COUNTRIES": 25, "LOCATIONS": 23, "DEPARTMENTS": 27, "JOBS": 19,
           "EMPLOYEES": 107, "JOB_HISTORY": 10}


def send(connection, path):
    """Sends a script statement by statement; the message of an error names the statement."""
    with connection.cursor() as cursor:
        for number, statement in enumerate(statements(path.read_text(encoding="utf-8")), 1):
            try:
                cursor.execute(statement)
            except oracledb.Error as error:
                raise AssertionError(
                    f"{path.name}, statement {number}: {error}\n{statement[:300]}") from error


class Samples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folders = {user: shared("data", "oracle-samples", folder)
                   for user, (folder, _) in SCRIPTS.items()}
        cls.sim = Orasim(users=[(user, PASSWORD) for user in SCRIPTS])
        cls.addClassCleanup(cls.sim.close)
        for user, (_, names) in SCRIPTS.items():
            with cls.sim.connect(user, PASSWORD) as connection:
                for name in names:
                    send(connection, folders[user] / name)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)

    def migrate(self, schema, database):
        """Runs the walkthrough's two lower-case rules beside a selection rule, then validates."""
        self.postgres.create_database(database)
        task = Task(self.sim.url(schema), self.postgres.url(database),
                    [selection(schema), lowercase("schema", 2), lowercase("table", 3)])
        self.addCleanup(task.close)
        run = task.run(source_password=PASSWORD)
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(run.events[-1]["event"], "end", run.describe())
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())
        return run

    def assert_migrated(self, schema, database):
        with self.sim.connect(schema, PASSWORD) as connection:
            tables = compare.oracle_tables(connection)
            for table in tables:
                names, rows = compare.oracle_rows(connection, table)
                loaded = compare.postgres_rows(self.postgres, database, schema.lower(),
                                               table.lower(), names)
                compare.assert_same_rows(self, rows, loaded, f"{schema}.{table}")
        return tables

    def test_hr(self):
        run = self.migrate("HR", "hr")
        self.assertEqual(set(self.assert_migrated("HR", "hr")), set(HR_ROWS))
        for table, count in HR_ROWS.items():
            [(found,)] = self.postgres.query("hr", f"select count(*) from hr.{table.lower()}")
            self.assertEqual(found, count, table)
        king = self.postgres.query("hr", 'select "LAST_NAME", "SALARY", "MANAGER_ID" '
                                         'from hr.employees where "EMPLOYEE_ID" = 100')
        self.assertEqual([tuple(str(v) for v in row) for row in king], [("King", "24000.00", "None")])
        tables = {(t["target_schema"] if "target_schema" in t else t.get("schema"))
                  for t in run.events[-1]["tables"]}
        self.assertEqual(len(run.events[-1]["tables"]), len(HR_ROWS), tables)

    def test_co(self):
        self.migrate("CO", "co")
        self.assertIn("ORDER_ITEMS", self.assert_migrated("CO", "co"))

    def test_keys_and_not_null_are_created(self):
        self.migrate("HR", "keys")
        keys = self.postgres.query("keys", """
            select c.relname, array_agg(a.attname::text order by k.n)
              from pg_index i
              join pg_class c on c.oid = i.indrelid
              join pg_namespace s on s.oid = c.relnamespace and s.nspname = 'hr'
              cross join unnest(i.indkey) with ordinality k(attnum, n)
              join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
             where i.indisprimary group by 1""")
        self.assertEqual(dict(keys), {
            "regions": ["REGION_ID"], "countries": ["COUNTRY_ID"], "locations": ["LOCATION_ID"],
            "departments": ["DEPARTMENT_ID"], "jobs": ["JOB_ID"], "employees": ["EMPLOYEE_ID"],
            "job_history": ["EMPLOYEE_ID", "START_DATE"]})
        not_null = self.postgres.query("keys", """
            select column_name from information_schema.columns
             where table_schema = 'hr' and table_name = 'employees' and is_nullable = 'NO'""")
        self.assertEqual({name for name, in not_null},
                         {"EMPLOYEE_ID", "LAST_NAME", "EMAIL", "HIRE_DATE", "JOB_ID"})


if __name__ == "__main__":
    unittest.main()
