"""Full loads from PostgreSQL to PostgreSQL: every type as it is, and what becomes of a bad row."""
import unittest

from support.postgres import PASSWORD, Postgres
from support.wherry import Task, selection

DONE, FAILED, TABLES_IN_ERROR = 0, 1, 3
KEEP = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}}

TYPES = (
    "create type app.mood as enum ('sad', 'it''s \"ok\"')",
    "create domain app.posint as integer check (value > 0)",
    "create type app.pair as (a integer, m app.mood)",
    "create type app.span as range (subtype = float8)",
    "create extension hstore schema app",
    "create extension citext schema app",
)
# A column each, with some of its values; NULL comes on its own.
COLUMNS = {
    "bool": ("boolean", "true"), "i2": ("smallint", "-32768"), "i4": ("integer", "2147483647"),
    "i8": ("bigint", "-9223372036854775808"), "f4": ("real", "'-Infinity'"),
    "f8": ("float8", "0.1"), "nan": ("float8", "'NaN'"),
    "num": ("numeric", "123456789012345678901234567890.000100"), "num_nan": ("numeric", "'NaN'"),
    "price": ("numeric(10,2)", "-1.50"), "cash": ("money", "12.34"),
    "label": ("text", "'tab\there, nl\nthere, \\ and \"'"), "code": ("varchar(20)", "'ä€🚣'"),
    "fixed": ("char(5)", "'ab'"), "letter": ('"char"', "'x'"), "handle": ("name", "'n'"),
    "raw": ("bytea", r"'\x00ff5c0a'"), "day": ("date", "'infinity'"),
    "past": ("date", "'4713-01-01 BC'"), "ts": ("timestamp", "'-infinity'"),
    "tz": ("timestamptz(3)", "'2024-02-29 23:59:59.999+05:30'"), "hour": ("time", "'24:00'"),
    "hourz": ("timetz", "'12:00:00+15:59'"),
    "span": ("interval", "'1 year -2 days 03:04:05.000006'"), "id": ("uuid", "gen_random_uuid()"),
    "doc": ("json", "'{\"a\":  1, \"a\": 2}'"), "docb": ("jsonb", "'{\"z\": [1.0, null]}'"),
    "path": ("jsonpath", "'$.a[*] ? (@ > 1)'"), "page": ("xml", "'<a>é</a>'"),
    "ip": ("inet", "'10.0.0.1/8'"), "net": ("cidr", "'2001:db8::/32'"),
    "mac": ("macaddr", "'08:00:2b:01:02:03'"), "mac8": ("macaddr8", "'08:00:2b:01:02:03:04:05'"),
    "bits": ("bit(5)", "b'10101'"), "vbits": ("bit varying", "b'1'"),
    "pt": ("point", "'(1.5,-2)'"), "ln": ("line", "'{1,2,3}'"), "seg": ("lseg", "'[(0,0),(1,1)]'"),
    "bx": ("box", "'(1,1),(0,0)'"), "pth": ("path", "'[(0,0),(1,1)]'"),
    "poly": ("polygon", "'((0,0),(1,1),(1,0))'"), "circ": ("circle", "'<(0,0),2>'"),
    "tsv": ("tsvector", "'fat:2A cat:3'"),
    "ir": ("int4range", "'[1,5)'"), "nr": ("numrange", "'(,1.5]'"), "tr": ("tstzrange", "'empty'"),
    "mr": ("int4multirange", "'{[1,2),[5,9)}'"), "arr": ("integer[]", "'[0:1][1:2]={{1,2},{3,NULL}}'"),
    "tarr": ("text[]", "array['a,b', null, 'c\"d', '']"), "lsn": ("pg_lsn", "'16/B374D848'"),
    "snap": ("pg_snapshot", "'10:20:10,14'"), "own_enum": ("app.mood", "'it''s \"ok\"'"),
    "own_domain": ("app.posint", "7"), "own_range": ("app.span", "'[0.5,1.5)'"),
    "hs": ("app.hstore", "'a=>1, \"b c\"=>NULL'"), "ci": ("app.citext", "'MiXed'"),
}
# The binary form of these names types by numbers of one database.
FOREIGN_COLUMNS = {
    "moods": ("app.mood[]", "array['sad', 'it''s \"ok\"']::app.mood[]"),
    "pair": ("app.pair", "row(1, 'sad')::app.pair"),
    "no_query": ("tsquery", "''"), "queries": ("tsquery[]", "array['']::tsquery[]"),
    "cls": ("regclass", "'pg_catalog.pg_class'::regclass"),
    "acl": ("aclitem", "'=r/wherry'::aclitem"),
    "tail": ("text", "'tab\there, nl\nthere, \\ and \\N'"),
}


def create(table, columns):
    return [f"create table app.{table} (no integer primary key, " +
            ", ".join(f'"{name}" {kind}' for name, (kind, _) in columns.items()) + ")",
            f"insert into app.{table} values (1" +
            "".join(f", {value}" for _, value in columns.values()) + ")",
            f"insert into app.{table} (no) values (2)"]


class PostgresSource(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.pairs = 0

    def setUp(self):
        type(self).pairs += 1
        self.source, self.target = f"s{self.pairs}", f"t{self.pairs}"
        for database in (self.source, self.target):
            self.postgres.create_database(database)
            self.postgres.execute(database, "create schema app")

    def both(self, *statements):
        for database in (self.source, self.target):
            self.postgres.execute(database, *statements)

    def task(self, settings=None, rules=None):
        task = Task(self.postgres.url(self.source), self.postgres.url(self.target),
                    rules or [selection("app")], settings)
        self.addCleanup(task.close)
        return task

    def run_task(self, task, status=DONE):
        run = task.run(source_password=PASSWORD)
        self.assertEqual(run.status, status, run.describe())
        return run

    def assert_equal_rows(self, table, columns="t::text"):
        query = f"select {columns} from app.{table} t order by 1"
        self.assertEqual(self.postgres.query(self.target, query),
                         self.postgres.query(self.source, query))

    def columns_of(self, database, table):
        return self.postgres.query(
            database, "select attname, format_type(atttypid, atttypmod), attnotnull "
            "from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum",
            (f"app.{table}",))

    def test_every_type_arrives_as_it_is_in_tables_made_by_the_load(self):
        self.both(*TYPES)
        self.postgres.execute(self.source, *create("kinds", COLUMNS),
                              *create("foreign_kinds", FOREIGN_COLUMNS))
        task = self.task()
        self.run_task(task)
        for table in ("kinds", "foreign_kinds"):
            self.assertEqual(self.columns_of(self.target, table),
                             self.columns_of(self.source, table))
            self.assert_equal_rows(table)
        compared = task.validate(source_password=PASSWORD)
        self.assertEqual(compared.status, DONE, compared.describe())

    def test_a_type_that_the_target_lacks_is_named_before_anything_is_made(self):
        self.postgres.execute(self.source, TYPES[0], "create table app.moody (m app.mood)",
                              "create table app.plain (id integer primary key)")
        run = self.run_task(self.task(), TABLES_IN_ERROR)
        self.assertIn("the target has no type app.mood", run.stderr)
        self.assertIn("app.moody", run.stderr)
        self.assertEqual(self.postgres.query(
            self.target, "select relname from pg_class where relnamespace = 'app'::regnamespace "
            "and relkind = 'r'"), [("plain",)])

    def test_keys_of_text_and_own_types_order_a_comparison(self):
        self.both(*TYPES)
        self.postgres.execute(
            self.source, "create table app.words (w text, m app.mood, ip inet, v timestamptz, "
            "primary key (w, m, ip))",
            "insert into app.words select chr(60 + i % 60), 'sad', ('10.0.0.' || i)::inet, now() "
            "from generate_series(1, 200) i")
        task = self.task()
        self.run_task(task)
        self.postgres.execute(self.target, "update app.words set v = 'infinity' "
                              "where ip = '10.0.0.7'", "delete from app.words where ip = '10.0.0.8'")
        compared = task.validate(source_password=PASSWORD)
        self.assertEqual(compared.status, TABLES_IN_ERROR, compared.describe())
        self.assertIn("RECORD_DIFF app.words [w='C', m='sad', ip='10.0.0.7'] v: source '",
                      compared.stdout)
        self.assertIn("MISSING_TARGET app.words [w='D', m='sad', ip='10.0.0.8']",
                      compared.stdout)

    def test_existing_columns_of_other_types_are_converted_or_refused(self):
        self.postgres.execute(self.source, "create table app.a (id integer primary key, "
                              "span interval, ok boolean, label text)",
                              "insert into app.a values (1, '1 day', true, 'x')",
                              "create table app.b (id integer primary key, span interval)")
        self.postgres.execute(self.target, "create table app.a (id bigint primary key, span text, "
                              "ok boolean, label varchar(10))",
                              "create table app.b (id integer primary key, span integer)")
        run = self.run_task(self.task(KEEP), TABLES_IN_ERROR)
        self.assertEqual(self.postgres.query(self.target, "select * from app.a"),
                         [(1, "1 day", True, "x")])
        self.assertIn("have no form in a column of type integer", run.stderr)

    def test_one_bad_row_costs_only_itself(self):
        self.postgres.execute(
            self.source, "create table app.rows (id integer primary key, n integer, t text)",
            "insert into app.rows select i, i, E'tab\\there' from generate_series(1, 5000) i",
            "update app.rows set n = -1 where id in (17, 4711)")
        self.postgres.execute(self.target, "create table app.rows (id integer primary key, "
                              "n integer check (n > 0), t text)")
        run = self.run_task(self.task(KEEP), TABLES_IN_ERROR)
        self.assertEqual(self.postgres.query(self.target, "select count(*), sum(id) from app.rows"),
                         [(4998, 5000 * 5001 // 2 - 17 - 4711)])
        statements = [row[0] for row in self.postgres.query(
            self.target, 'select "STATEMENT" from public.awsdms_apply_exceptions order by 1')]
        self.assertEqual(statements, [
            f"INSERT INTO \"app\".\"rows\" (\"id\", \"n\", \"t\") VALUES ('{i}', '-1', 'tab\there')"
            for i in (17, 4711)], run.describe())

    def test_rows_that_a_policy_hides_are_not_lost_without_a_word(self):
        self.postgres.execute(
            self.source, "create table app.secret (id integer primary key)",
            "insert into app.secret values (1), (2)",
            "alter table app.secret enable row level security",
            "create policy one_row on app.secret using (id = 1)",
            "create role guest login password 'wherry-test'",
            "grant usage on schema app to guest", "grant select on app.secret to guest")
        self.addCleanup(self.postgres.execute, self.source,
                        "drop owned by guest", "drop role guest")
        task = Task(self.postgres.url(self.source, "guest"), self.postgres.url(self.target),
                    [selection("app")])
        self.addCleanup(task.close)
        run = self.run_task(task, TABLES_IN_ERROR)
        self.assertIn("row-level security", run.stderr)

    def test_inherited_and_partitioned_rows_come_once(self):
        self.postgres.execute(
            self.source, "create table app.parent (id integer primary key)",
            "create table app.child (extra text) inherits (app.parent)",
            "insert into app.parent values (1)", "insert into app.child values (2, 'x')",
            "create table app.parts (id integer primary key, v text) partition by range (id)",
            "create table app.parts_low partition of app.parts for values from (0) to (100)",
            "create table app.parts_high partition of app.parts default",
            "insert into app.parts select i, 'v' from generate_series(1, 200) i")
        task = self.task()
        self.run_task(task)
        counts = [self.postgres.query(self.target, f"select count(*) from app.{table}")[0][0]
                  for table in ("parent", "child", "parts")]
        self.assertEqual(counts, [1, 1, 200])


if __name__ == "__main__":
    unittest.main()
