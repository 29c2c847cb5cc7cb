"""Oracle's sample schema SH: partitioned tables, loaded in pieces and compared. Two of its data files
are not published with it; their rows are made up here."""
import csv
import datetime
import decimal
import random
import re
import unittest

from support.orasim import Orasim
from support.paths import LONG, shared
from support.postgres import Postgres
from support.sqlplus import statements
from support.wherry import Task, lowercase, selection

PASSWORD = "source-Secret-1"
CUSTOMERS = 20_000 if LONG else 2_000
SALES = 900_000 if LONG else 60_000
BATCH = 10_000
SEED = 20230801


class SalesHistory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = shared("data", "oracle-samples", "sales_history")
        cls.sim = Orasim(users=[("SH", PASSWORD)])
        cls.addClassCleanup(cls.sim.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        with cls.sim.connect("SH", PASSWORD) as connection:
            cls.fill(connection)

    @classmethod
    def fill(cls, connection):
        script = (cls.folder / "sh_populate.sql").read_text(encoding="utf-8")
        # SQLcl's own LOAD commands stand for the files below.
        before, after = re.split(r"(?m)^SET LOAD .*$", script)
        after = re.sub(r"(?m)^LOAD .*$", "", after)
        cls.send(connection, (cls.folder / "sh_create.sql").read_text(encoding="utf-8"))
        cls.send(connection, before)
        for table in ("costs", "promotions", "times", "supplementary_demographics"):
            cls.load_file(connection, table)
        cls.make_customers(connection)
        cls.make_sales(connection)
        connection.commit()
        cls.send(connection, after)

    @staticmethod
    def send(connection, text):
        with connection.cursor() as cursor:
            for number, statement in enumerate(statements(text), 1):
                if "_mv" in statement.lower():
                    continue  # materialized views, which are not loaded
                try:
                    cursor.execute(statement)
                except Exception as error:
                    raise AssertionError(f"statement {number}: {error}\n{statement[:300]}") from error

    @staticmethod
    def types(cursor, table):
        cursor.execute("select column_name, data_type from user_tab_columns where table_name = :1",
                       [table.upper()])
        return dict(cursor.fetchall())

    @classmethod
    def insert(cls, cursor, table, names, rows):
        binds = ", ".join(f":{i}" for i in range(1, len(names) + 1))
        sql = f"insert into {table} ({', '.join(names)}) values ({binds})"
        for start in range(0, len(rows), BATCH):
            cursor.executemany(sql, rows[start:start + BATCH])

    @classmethod
    def load_file(cls, connection, table):
        def value(text, kind):
            if text == "":
                return None
            if kind == "DATE":
                return datetime.datetime.strptime(text, "%Y-%m-%d")
            return decimal.Decimal(text) if kind == "NUMBER" else text

        with connection.cursor() as cursor, \
                open(cls.folder / f"{table}.csv", newline="", encoding="utf-8") as file:
            types = cls.types(cursor, table)
            reader = csv.reader(file)
            names = next(reader)
            rows = [[value(text, types[name]) for name, text in zip(names, row)] for row in reader]
            cls.insert(cursor, table, names, rows)

    @classmethod
    def make_customers(cls, connection):
        chooser = random.Random(SEED)
        with connection.cursor() as cursor:
            countries = [row[0] for row in cursor.execute("select country_id from countries")]
            columns = cursor.execute(
                "select column_name, data_type, nullable from user_tab_columns "
                "where table_name = 'CUSTOMERS' order by column_id").fetchall()

            def value(name, kind, number):
                if name == "CUST_ID":
                    return number
                if name == "COUNTRY_ID":
                    return chooser.choice(countries)
                if kind == "DATE":
                    return datetime.datetime(2019, 1, 1)
                if kind == "NUMBER":
                    return chooser.randint(1, 999)
                return chooser.choice("MF")

            rows = [[value(name, kind, number) for name, kind, _ in columns]
                    for number in range(1, CUSTOMERS + 1)]
            cls.insert(cursor, "customers", [name for name, _, _ in columns], rows)

    @classmethod
    def make_sales(cls, connection):
        chooser = random.Random(SEED)
        with connection.cursor() as cursor:
            products = [row[0] for row in cursor.execute("select prod_id from products")]
            channels = [row[0] for row in cursor.execute("select channel_id from channels")]
            promotions = [row[0] for row in cursor.execute("select promo_id from promotions")]
            first = datetime.datetime(2019, 1, 1)
            rows = [(chooser.choice(products), chooser.randint(1, CUSTOMERS),
                     first + datetime.timedelta(days=chooser.randint(0, 1460)),
                     chooser.choice(channels), chooser.choice(promotions), 1,
                     decimal.Decimal(chooser.randint(100, 99999)) / 100) for _ in range(SALES)]
            cls.insert(cursor, "sales", ["prod_id", "cust_id", "time_id", "channel_id", "promo_id",
                                         "quantity_sold", "amount_sold"], rows)

    def test_loaded_in_pieces_and_equal(self):
        self.postgres.create_database("sh")
        task = Task(self.sim.url("SH"), self.postgres.url("sh"),
                    [selection("SH"), lowercase("schema", 2), lowercase("table", 3),
                     {"rule-type": "table-settings", "rule-id": "4", "rule-name": "4",
                      "object-locator": {"schema-name": "SH", "table-name": "SALES"},
                      "parallel-load": {"type": "partitions-auto"}}])
        self.addCleanup(task.close)
        run = task.run(source_password=PASSWORD)
        self.assertEqual(run.status, 0, run.describe())
        tables = {t["table"]: t for t in run.events[-1]["tables"]}
        self.assertEqual(tables["SALES"]["chunks"], 15)
        self.assertEqual(tables["SALES"]["rows"], SALES)
        self.assertEqual(tables["COSTS"]["rows"], 82_112)
        for name, table in tables.items():
            [(count,)] = self.sim.query(f"select count(*) from {name}", "SH", PASSWORD)
            self.assertEqual(table["rows"], count, name)
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())


if __name__ == "__main__":
    unittest.main()
