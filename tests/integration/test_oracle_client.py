"""The Oracle client as a library: its examples run, and random values come out of one simulator the
same through Wherry and through python-oracledb.

The seed is printed; WHERRY_SEED=N repeats a run. What python-oracledb cannot hold is compared as the
database prints it: years before 1, nanoseconds, intervals of months.
"""
import datetime
import decimal
import hashlib
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

import oracledb

from support.documents import REGIONS, late_families
from support.orasim import PASSWORD, USER, Orasim
from support.paths import BUILD, LONG
from support.values import families, make_rows

SEED = int(os.environ.get("WHERRY_SEED", "20260101"))
DRIVER = tuple(int(part) for part in oracledb.__version__.split(".")[:2])
# Releases of python-oracledb that brought a type.
HAS_JSON, HAS_BFILE = DRIVER >= (1, 3), DRIVER >= (2, 3)
ROWS = 10_000 if LONG else 100
LOB_ROWS = 300 if LONG else 20


# Runs a program and prints its peak of memory last. A process counts its parent's memory until it
# is another program, so the parent is to be small.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def moment_text(value):
    """As Wherry prints it: as many decimals as there are."""
    text = value.strftime("%m-%d %H:%M:%S")
    fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
    return f"{value.year:04}-{text}{fraction}"


def interval_text(value):
    sign = "-" if value < datetime.timedelta(0) else "+"
    value = abs(value)
    clock = f"{value.seconds // 3600:02}:{value.seconds // 60 % 60:02}:{value.seconds % 60:02}"
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    return f"{sign}{value.days} {clock}{fraction}"


def exact(text):
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def plain(value):
    """A JSON value whose numbers compare however they are kept."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return decimal.Decimal(repr(value))
    return value


def numbers_of(vector):
    """A vector as nested lists, from text, an array or a driver's own object."""
    if isinstance(vector, str):
        return json.loads(vector)
    if hasattr(vector, "indices"):
        return [vector.num_dimensions, [i + 1 for i in vector.indices], list(vector.values)]
    return list(vector)


def same_vector(ours, theirs):
    return struct_of(numbers_of(ours)) == struct_of(numbers_of(theirs))


def struct_of(item):
    """Floats of either width that print alike are one value."""
    if isinstance(item, list):
        return [struct_of(part) for part in item]
    return struct.pack("<f", item) if abs(item) < 3.4028235e38 else item


def agree(ours, theirs, kind):
    """Whether the text of Wherry and the object of python-oracledb are one value."""
    if kind == "JSON" and ours is not None and not (theirs is None and not HAS_JSON):
        return exact(ours) == (plain(theirs) if HAS_JSON else exact(theirs))
    if ours is None or theirs is None:
        return ours is theirs
    if kind == "VECTOR":
        return same_vector(ours, theirs)
    if kind == "BOOLEAN":
        return ours == ("true" if theirs else "false")
    if isinstance(theirs, float):
        if math.isnan(theirs):
            return ours == "NaN"
        if kind == "BINARY_FLOAT":
            return struct.pack("<f", float(ours)) == struct.pack("<f", theirs)
        return float(ours) == theirs
    if isinstance(theirs, (int, decimal.Decimal)):
        return decimal.Decimal(ours) == theirs
    if isinstance(theirs, bytes):
        return ours == theirs.hex()
    if isinstance(theirs, datetime.datetime):
        # python-oracledb gives zoned moments as local time, without the zone.
        zone_bytes = 7 if "TIME ZONE" in kind else 0
        return ours[:len(ours) - zone_bytes] == moment_text(theirs)
    if isinstance(theirs, datetime.timedelta):
        return ours == interval_text(theirs)
    return ours == theirs


def whole(value):
    if not isinstance(value, oracledb.LOB):
        return value
    if value.type == oracledb.DB_TYPE_BFILE:
        return "/".join(value.getfilename())
    return value.read()


class OracleClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}", flush=True)
        cls.sim = Orasim("--emulate", "23ai")
        cls.addClassCleanup(cls.sim.close)

    def example(self, name, *arguments, **options):
        environment = dict(os.environ, ORACLE_PASSWORD=PASSWORD)
        return subprocess.run([BUILD / name, self.sim.dsn, USER, *arguments], env=environment,
                              capture_output=True, timeout=300, check=False, **options)

    def dump(self, sql):
        done = self.example("dump_query", sql)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        # Not splitlines(): a value may hold U+2028, and JSON does not escape it.
        lines = done.stdout.decode().split("\n")[:-1]
        return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]

    def fill(self, table, columns, count):
        declared = ", ".join(f"{c.name} {c.declared}" for c in columns)
        binds = ", ".join(c.through.format(f":{n + 2}") for n, c in enumerate(columns))
        rows = make_rows(columns, count, SEED)
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("alter session set time_zone = '+00:00'")
            cursor.execute(f"create table {table} (id number(9) primary key, {declared})")
            cursor.setinputsizes(None, *(c.driver_type for c in columns))
            data = [[n] + [bound for bound, _ in row] for n, row in enumerate(rows)]
            step = 5 if table in ("LOBS", "LONGS", "LONG_RAWS") else 100
            for start in range(0, len(data), step):
                cursor.executemany(f"insert into {table} values (:1, {binds})",
                                   data[start:start + step])
            connection.commit()

    def compare(self, sql, sql_for_driver=None):
        described, ours = self.dump(sql)
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("alter session set time_zone = '+00:00'")
            cursor.arraysize = 20
            rows = cursor.execute(sql_for_driver or sql)
            theirs = [[whole(v) for v in row] for row in rows]
        self.assertEqual(len(ours), len(theirs))
        for mine, other in zip(ours, theirs):
            for column, a, b in zip(described, mine, other):
                if not agree(a, b, column["type"]):
                    self.fail(f"{column['name']} of row {mine[0]}: Wherry {a!r:.300}, "
                              f"python-oracledb {b!r:.300}")

    def family(self, name, count=ROWS):
        columns, _ = (families(LONG) | late_families(LONG))[name]
        self.fill(name.upper(), columns, count)
        return [c.name for c in columns]

    def check(self, name, count=ROWS):
        names = self.family(name, count)
        self.compare(f"select id, {', '.join(names)}, rowid from {name} order by id")

    def check_printed(self, name, pictures):
        """Compares with the text the database makes of the value."""
        names = self.family(name)
        for column in names:
            sql = f"select id, {column}, {pictures(column)} from {name} order by id"
            for row_id, value, printed in self.dump(sql)[1]:
                self.assertEqual(value, printed, f"{column} of row {row_id}")

    def test_numbers(self):
        before = oracledb.defaults.fetch_decimals
        self.addCleanup(setattr, oracledb.defaults, "fetch_decimals", before)
        oracledb.defaults.fetch_decimals = True
        self.check("numbers")

    def test_texts(self):
        self.check("texts")

    def test_bytes(self):
        self.check("bytes")

    def test_floats(self):
        self.check("floats")

    def test_lobs(self):
        self.check("lobs", LOB_ROWS)

    def test_moments_of_the_common_era(self):
        chooser = random.Random(SEED)
        rows = []
        for n in range(ROWS):
            value = datetime.datetime(chooser.randint(1, 9998), chooser.randint(1, 12),
                                      chooser.randint(1, 28), chooser.randint(0, 23),
                                      chooser.randint(0, 59), chooser.randint(0, 59),
                                      chooser.choice([0, 999_999, chooser.randint(0, 999_999)]))
            span = datetime.timedelta(chooser.randint(-9999, 9999), chooser.randint(0, 86_399),
                                      chooser.randint(0, 999_999))
            hour = chooser.randint(-12, 13)
            zone = f"{'-' if hour < 0 else '+'}{abs(hour):02}:{chooser.choice([0, 30, 45]):02}"
            rows.append((n, value, value, value, zone, value, span))
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("create table moments (id number, d date, t timestamp, "
                           "z timestamp with time zone, l timestamp with local time zone, "
                           "s interval day(5) to second)")
            cursor.execute("alter session set time_zone = '+00:00'")
            stamp = oracledb.DB_TYPE_TIMESTAMP
            cursor.setinputsizes(None, stamp, stamp, stamp, None, stamp,
                                 oracledb.DB_TYPE_INTERVAL_DS)
            cursor.executemany("insert into moments values (:1, :2, :3, from_tz(:4, :5), :6, :7)",
                               rows)
            connection.commit()
        self.compare("select * from moments order by id")

    def test_moments_of_every_era(self):
        def printed(column):
            day = f"to_char({column}, 'YYYY-MM-DD HH24:MI:SS')"
            if column in ("D", "T0"):
                fraction = "''"
            else:
                places = {"T3": 3, "T9": 9}.get(column, 6)
                fraction = f"rtrim(rtrim(to_char({column}, '.FF{places}'), '0'), '.')"
            era = f"case when to_char({column}, 'SYYYY') like '-%' then ' BC' end"
            return f"nvl2({column}, {day} || {fraction} || {era}, null)"

        self.check_printed("dates", printed)

    def test_json(self):
        if HAS_JSON:
            self.check("documents")
            return
        names = self.family("documents")
        texts = ", ".join(f"json_serialize({name} returning clob)" for name in names)
        self.compare(f"select id, {', '.join(names)} from documents order by id",
                     f"select id, {texts} from documents order by id")

    def test_booleans(self):
        self.check("booleans")

    def test_vectors(self):
        self.check("vectors")

    def test_xml(self):
        self.check("pages")

    def test_long(self):
        self.check("longs", LOB_ROWS)

    def test_long_raw(self):
        self.check("long_raws", LOB_ROWS)

    def test_urowids(self):
        self.check("urowids")

    def test_strings_of_32_kilobytes(self):
        self.check("wide", LOB_ROWS)

    def test_intervals_of_months(self):
        # Oracle pads the years, Wherry does not.
        self.check_printed("months", lambda column:
                           f"regexp_replace(to_char({column}), '^([+-])0*([0-9]+-)', '\\1\\2')")

    def test_named_time_zones(self):
        """python-oracledb refuses them, so the database prints both the time and the offset."""
        chooser = random.Random(SEED)
        with self.sim.connect() as connection, connection.cursor() as cursor:
            cursor.execute("create table regions (id number, z timestamp with time zone)")
            rows = []
            for n in range(ROWS):
                moment = datetime.datetime(chooser.randint(1975, 2100), chooser.randint(1, 12),
                                           chooser.randint(1, 28), chooser.randint(0, 23),
                                           chooser.randint(0, 59), chooser.randint(0, 59),
                                           chooser.choice([0, chooser.randint(0, 999_999)]))
                rows.append((n, moment, chooser.choice(REGIONS)))
            cursor.setinputsizes(None, oracledb.DB_TYPE_TIMESTAMP, None)
            cursor.executemany("insert into regions values (:1, from_tz(:2, 'Etc/UTC') at time zone "
                               ":3)", rows)
            connection.commit()
        printed = ("to_char(z, 'YYYY-MM-DD HH24:MI:SS') || "
                   "rtrim(rtrim(to_char(z, '.FF6'), '0'), '.') || to_char(z, ' TZH:TZM')")
        for row_id, value, text in self.dump(f"select id, z, {printed} from regions")[1]:
            self.assertEqual(value, text, f"row {row_id}")

    def test_files(self):
        directory = tempfile.mkdtemp()
        content = random.Random(SEED).randbytes(100_000)
        with open(os.path.join(directory, "photo"), "wb") as file:
            file.write(content)
        self.sim.execute(f"create or replace directory files as '{directory}'",
                         "create table photos (id number, f bfile)",
                         "insert into photos values (1, bfilename('FILES', 'photo'))",
                         "insert into photos values (2, null)")
        self.assertEqual(self.dump("select id, f from photos order by id")[1],
                         [["1", "FILES/photo"], ["2", None]])
        if not HAS_BFILE:
            return
        self.compare("select id, f from photos order by id")
        with self.sim.connect() as connection, connection.cursor() as cursor:
            file, = cursor.execute("select f from photos where id = 1").fetchone()
            # 26.1.0 of the driver gives back nothing at all.
            self.assertIn(file.fileexists(), (True, None))
            self.assertEqual(file.size(), len(content))
            self.assertEqual(file.read(), content)
            self.assertEqual(file.read(99_999, 10), content[99_998:])

    def drop_stored_files(self):
        tables = self.sim.query("select count(*) from user_tables where table_name = 'STORED_FILES'")
        if tables[0][0]:
            self.sim.execute("drop table stored_files")

    def test_store_file_gives_back_what_it_got(self):
        content = random.Random(SEED).randbytes(3_000_000)
        self.drop_stored_files()
        done = self.example("store_file", "a file", input=content)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(done.stdout, content)
        told = done.stderr.decode()
        self.assertIn("1 row stored", told)
        self.assertIn("row 1: ORA-00001", told)
        self.assertIn("3000000 bytes", told)

    def test_a_large_lob_takes_little_memory(self):
        self.drop_stored_files()
        size = 100_000_000 if LONG else 20_000_000
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as back:
            chooser, digest = random.Random(SEED), hashlib.sha256()
            for _ in range(size // 1_000_000):
                piece = chooser.randbytes(1_000_000)
                digest.update(piece)
                source.write(piece)
            source.seek(0)
            command = [sys.executable, "-S", "-E", "-c", MEASURE, BUILD / "store_file",
                       self.sim.dsn, USER, "large"]
            done = subprocess.run(command, stdin=source, stdout=back, stderr=subprocess.PIPE,
                                  env=dict(os.environ, ORACLE_PASSWORD=PASSWORD), timeout=600,
                                  check=True)
            peak_kib = int(done.stderr.split()[-1])
            back.seek(0)
            self.assertEqual(hashlib.file_digest(back, "sha256").digest(), digest.digest())
            self.assertLess(peak_kib, 16 * 1024)

    def test_errors_are_told(self):
        done = self.example("dump_query", "select * from not_there")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ORA-00942", done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
