"""Wherry's client against seerdb's server, whose protocol code is its own: log-in, describe, rows,
LOBs, errors, and a whole migration.

The server relays to orasim through seerdb's client, so that there is Oracle's SQL behind it. It takes
a client that offers native encryption for SQL*Plus unless that calls itself by seerdb's own version
number, and then waits for another log-in: it is not offered here. Nor does it give the beginning of
a LOB with its row when a define asks for it, or a LOB as LONG: LOBs are read by locator here, and no
table with LOB columns is migrated.
"""
import json
import os
import subprocess
import unittest

from support import peers, wherry
from support.paths import BUILD
from support.postgres import Postgres
from support.process import Child, free_port

PLAIN = "?encryption_client=rejected&crypto_checksum_client=rejected"
KINDS = ("id number(5) primary key", "n number", "p number(9,2)", "v varchar2(40)", "c char(5)",
         "nv nvarchar2(20)", "r raw(20)", "d date", "t timestamp(6)",
         "z timestamp(6) with time zone", "y interval year to month", "s interval day to second",
         "f binary_float", "b binary_double")
VALUES = ("1", "12345678901234567890.5", "-1.25", "'é日😀'", "'ab'", "n'éñ'", "hextoraw('00ff')",
          "date '2024-02-29'", "timestamp '2024-02-29 23:59:59.123456'",
          "timestamp '2024-02-29 23:59:59.123456 +02:30'", "interval '1-2' year to month",
          "interval '3 04:05:06.789' day to second", "1.5", "-2.5")
TEXTS = ["1", "12345678901234567890.5", "-1.25", "é日😀", "ab   ", "éñ", "00ff",
         "2024-02-29 00:00:00", "2024-02-29 23:59:59.123456", "2024-02-29 23:59:59.123456 +02:30",
         "+1-02", "+3 04:05:06.789", "1.5", "-2.5"]


class Case(unittest.TestCase):
    GENERATION = "19c"

    @classmethod
    def setUpClass(cls):
        packages = peers.python_packages("seerdb")
        cls.behind = peers.Server("--emulate", cls.GENERATION)
        cls.addClassCleanup(cls.behind.close)
        cls.port = free_port()
        env = {**os.environ, "PYTHONPATH": str(packages),
               "MIRROR_USERS": f"{peers.USER}:{peers.PASSWORD}"}
        cls.server = Child(["/usr/bin/python3", "-m", "seerdb.server", "--port", str(cls.port),
                            "passthrough", f"{cls.behind.address}/{peers.SERVICE}"], env=env)
        cls.addClassCleanup(cls.server.kill)
        cls.server.wait_for_line(lambda line: "listening" in line, 60, errors_too=True)
        cls.prepare()

    @classmethod
    def prepare(cls):
        statements = [
            f"create table kinds ({', '.join(KINDS)})",
            f"insert into kinds values ({', '.join(VALUES)})",
            "insert into kinds (id) values (2)",
            "create table many (n number primary key, v varchar2(50), same varchar2(10))",
            "insert into many select level, 'row ' || level, 'same' from dual"
            " connect by level <= 2500",
        ]
        import oracledb
        with oracledb.connect(user=peers.USER, password=peers.PASSWORD,
                              dsn=f"{cls.behind.address}/{peers.SERVICE}") as connection:
            for statement in statements:
                connection.cursor().execute(statement)
            connection.commit()

    def dump(self, sql, password=peers.PASSWORD):
        return subprocess.run(
            [BUILD / "dump_query", f"127.0.0.1:{self.port}/{peers.SERVICE}{PLAIN}", peers.USER, sql],
            env={**os.environ, "ORACLE_PASSWORD": password}, capture_output=True, text=True,
            timeout=60)

    def rows(self, sql):
        done = self.dump(sql)
        self.assertEqual(0, done.returncode, done.stderr)
        head, *rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [column["type"] for column in head], rows


class Queries(Case):
    def test_every_scalar_type(self):
        types, rows = self.rows("select * from kinds order by id")
        self.assertEqual(["NUMBER", "NUMBER", "NUMBER", "VARCHAR2", "CHAR", "VARCHAR2", "RAW",
                          "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
                          "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND", "BINARY_FLOAT",
                          "BINARY_DOUBLE"], types)
        self.assertEqual([TEXTS, ["2"] + [None] * 13], rows)

    def test_rows_of_many_fetches(self):
        _, rows = self.rows("select * from many order by n")
        self.assertEqual([[str(n), f"row {n}", "same"] for n in range(1, 2501)], rows)

    def test_no_rows(self):
        self.assertEqual([], self.rows("select * from many where n < 0")[1])

    def test_row_ids(self):
        _, rows = self.rows("select rowid, n from many where n < 4 order by n")
        for rowid, n in rows:
            self.assertEqual([[n]], self.rows(f"select n from many where rowid = '{rowid}'")[1])

    def test_errors(self):
        done = self.dump("select * from nosuch")
        self.assertEqual(1, done.returncode)
        self.assertIn("ORA-00942", done.stderr)
        self.assertIn("position 14", done.stderr)

    def test_statements_binds_and_lobs(self):
        """Arrays with errors among them, OUT binds, RETURNING, a BLOB written and read in pieces."""
        content = os.urandom(100_000)
        done = subprocess.run(
            [BUILD / "store_file", f"127.0.0.1:{self.port}/{peers.SERVICE}{PLAIN}", peers.USER,
             f"file of {self.id()}"],
            env={**os.environ, "ORACLE_PASSWORD": peers.PASSWORD}, input=content,
            capture_output=True, timeout=60)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(content, done.stdout)
        self.assertIn(b"ORA-00001", done.stderr)

    def test_wrong_password(self):
        done = self.dump("select 1 from dual", password="wrong")
        self.assertEqual(1, done.returncode)
        self.assertIn("ORA-01017", done.stderr)


class OldQueries(Queries):
    GENERATION = "12.2"


class NewQueries(Queries):
    GENERATION = "23ai"


class Migration(Case):
    """What `wherry run` asks of a source: dictionary, binds, a fixed SCN, chunks."""

    def test_full_load(self):
        target = Postgres()
        self.addCleanup(target.close)
        target.create_database("copy")
        task = wherry.Task(f"oracle://{peers.USER}@127.0.0.1:{self.port}/{peers.SERVICE}{PLAIN}",
                           target.url("copy"), [wherry.selection(peers.USER.upper(), "%")])
        done = task.run(source_password=peers.PASSWORD)
        self.assertEqual(0, done.status, done.describe())
        self.assertEqual([(2500, 3126250)], target.query(
            "copy", f'select count(*), sum("N")::bigint from "{peers.USER.upper()}"."MANY"'))
        self.assertEqual([("é日😀",), (None,)], target.query(
            "copy", f'select "V" from "{peers.USER.upper()}"."KINDS" order by "ID"'))


def load_tests(_loader, tests, _pattern):
    try:
        peers.python_packages("seerdb")
    except (unittest.SkipTest, AssertionError) as error:
        return unittest.TestSuite([peers.MissingPeer("seerdb", error)])
    return tests
