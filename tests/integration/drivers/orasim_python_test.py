"""orasim seen by python-oracledb in thin mode, unmodified: Debian's python3-oracledb, and
run by another interpreter the newest from PyPI.

Every server is started here, on a free port: $ORASIM, else build/orasim.
"""
import datetime
import decimal
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import oracledb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.paths import BUILD  # noqa: E402
from support.process import Child  # noqa: E402

ORASIM = os.environ.get("ORASIM", str(BUILD / "orasim"))
SERVICE = "DRVTEST"
USER, PASSWORD = "drv", "Pass word-1"


class Server:
    """One orasim on a free port."""

    def __init__(self, *arguments):
        self.process = Child([ORASIM, "--listen", "127.0.0.1:0", "--service", SERVICE,
                              "--user", f"{USER}/{PASSWORD}", *arguments])
        ready = self.process.wait_for_line(lambda line: line.startswith("ready "), 60)
        self.port = int(ready.rsplit(":", 1)[1])

    def connect(self, user=USER, password=PASSWORD, **more):
        more.setdefault("dsn", f"127.0.0.1:{self.port}/{SERVICE}")
        return oracledb.connect(user=user, password=password, **more)

    def close(self):
        self.process.terminate()


class Case(unittest.TestCase):
    """Tests against one server with the class's ARGUMENTS."""

    ARGUMENTS = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.ARGUMENTS)
        cls.addClassCleanup(cls.server.close)

    def connect(self, **more):
        connection = self.server.connect(**more)
        self.addCleanup(self.close_quietly, connection)
        return connection

    @staticmethod
    def close_quietly(connection):
        try:
            connection.close()
        except oracledb.Error:
            pass  # the test has ended it already

    def assert_ora(self, code, call, *arguments, **more):
        with self.assertRaises(oracledb.DatabaseError) as caught:
            call(*arguments, **more)
        self.assertIn(f"ORA-{code:05}", str(caught.exception))
        return caught.exception.args[0]

    def table(self, connection, name, columns):
        cursor = connection.cursor()
        cursor.execute(f"create table {name} ({columns})")
        self.addCleanup(self.drop, connection, name)
        return cursor

    def drop(self, connection, name):
        self.close_quietly(connection)  # its transaction would keep the table busy
        with self.server.connect() as connection:
            connection.cursor().execute(f"drop table {name}")


class LogIn(Case):
    ARGUMENTS = ("--user", "gate/Gate-1", "--proxy", f"gate/{USER}")

    def test_server_version_and_ping(self):
        connection = self.connect()
        self.assertTrue(connection.version.startswith("19."))
        connection.ping()

    def test_wrong_password(self):
        self.assert_ora(1017, self.server.connect, password="wrong")

    def test_unknown_user(self):
        self.assert_ora(1017, self.server.connect, user="nobody")

    def test_unknown_service(self):
        with self.assertRaises(oracledb.DatabaseError) as caught:
            self.server.connect(dsn=f"127.0.0.1:{self.server.port}/NOSUCH")
        self.assertIn("12514", str(caught.exception))

    def test_unknown_sid(self):
        with self.assertRaises(oracledb.DatabaseError) as caught:
            self.server.connect(dsn=oracledb.makedsn("127.0.0.1", self.server.port, sid="NOSUCH"))
        self.assertIn("12505", str(caught.exception))

    def test_connect_data_in_a_packet_of_its_own(self):
        filler = "x" * 400
        dsn = (f"(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={self.server.port}))"
               f"(CONNECT_DATA=(SERVICE_NAME={SERVICE})(INSTANCE_NAME={filler})))")
        self.connect(dsn=dsn).ping()

    def test_change_of_password(self):
        connection = self.connect()
        self.assert_ora(1017, connection.changepassword, "wrong", "other")
        connection = self.connect()
        connection.changepassword(PASSWORD, "Other-2")
        self.assert_ora(1017, self.server.connect)
        self.connect(password="Other-2").changepassword("Other-2", PASSWORD)
        self.connect()

    def test_new_password_at_log_in(self):
        self.connect(newpassword="Other-3").ping()
        self.assert_ora(1017, self.server.connect)
        self.connect(password="Other-3", newpassword=PASSWORD)
        self.connect().ping()

    def test_proxy_becomes_the_user_it_stands_for(self):
        connection = self.connect(user=f"gate[{USER}]", password="Gate-1")
        self.assertEqual(connection.cursor().execute("select user from dual").fetchone(),
                         (USER.upper(),))
        self.assert_ora(28150, self.server.connect, user=f"{USER}[gate]")

    def test_many_sessions_at_once(self):
        sessions = [self.connect() for _ in range(20)]
        for number, session in enumerate(sessions):
            row = session.cursor().execute("select :1 from dual", [number]).fetchone()
            self.assertEqual(int(row[0]), number)


class Queries(Case):
    def test_one_row(self):
        cursor = self.connect().cursor()
        cursor.execute("select 1 from dual")
        self.assertEqual(cursor.fetchall(), [(1,)])

    def test_binds_of_every_length(self):
        cursor = self.connect().cursor()
        for text in ("", "a", "é" * 100, "x" * 252, "x" * 253, "y" * 4000):
            row = cursor.execute("select :t from dual", t=text).fetchone()
            self.assertEqual(row[0], text or None)

    def test_fetch_sizes_give_the_same_rows(self):
        connection = self.connect()
        cursor = self.table(connection, "sizes", "n number, t varchar2(30)")
        rows = [(n, f"repeated {n // 4}") for n in range(500)]
        cursor.executemany("insert into sizes values (:1, :2)", rows)
        for prefetch, array in ((0, 1), (1, 2), (2, 100), (100, 7), (501, 501), (1000, 1000)):
            cursor = connection.cursor()
            cursor.prefetchrows, cursor.arraysize = prefetch, array
            cursor.execute("select n, t from sizes order by n")
            self.assertEqual(cursor.fetchall(), rows, (prefetch, array))

    def test_description(self):
        cursor = self.table(self.connect(), "described",
                            "id number(10) not null, price number(8,2), free number, "
                            "t varchar2(10 char), r raw(8), d date")
        cursor.execute("select * from described")
        shape = [(d[0], d[1].name, d[4], d[5], d[6]) for d in cursor.description]
        self.assertEqual(shape[0], ("ID", "DB_TYPE_NUMBER", 10, 0, False))
        self.assertEqual(shape[1], ("PRICE", "DB_TYPE_NUMBER", 8, 2, True))
        self.assertEqual(shape[2][3], -127)
        self.assertEqual(cursor.description[3][2:4], (10, 40))
        self.assertEqual(cursor.description[4][3], 8)

    def test_errors_have_code_text_and_position(self):
        cursor = self.connect().cursor()
        error = self.assert_ora(942, cursor.execute, "select * from no_such_table")
        self.assertEqual(error.code, 942)
        self.assertEqual(error.offset, 14)
        self.assertEqual(cursor.execute("select 2 from dual").fetchone(), (2,))

    @unittest.skipUnless(int(oracledb.__version__.split(".")[0]) >= 3, "came with release 3")
    def test_scrolling(self):
        cursor = self.connect().cursor(scrollable=True)
        cursor.arraysize, cursor.prefetchrows = 7, 2
        sql = "select level, 'row ' || level from dual connect by level <= :n"
        for _ in range(2):
            cursor.execute(sql, [100])
            self.assertEqual([n for n, _ in cursor.fetchmany(5)], [1, 2, 3, 4, 5])
            cursor.scroll(mode="last")
            self.assertEqual(cursor.fetchall(), [(100, "row 100")])
            cursor.scroll(40, mode="absolute")
            self.assertEqual(cursor.fetchone(), (40, "row 40"))
            cursor.scroll(-20)
            self.assertEqual([n for n, _ in cursor.fetchmany(20)], list(range(20, 40)))
            cursor.scroll(mode="first")
            self.assertEqual([n for n, _ in cursor.fetchall()], list(range(1, 101)))
            with self.assertRaises(oracledb.Error):
                cursor.scroll(101, mode="absolute")
        cursor.execute(sql.replace("dual", "dual where 1 = 0"), [100])
        cursor.scroll(mode="last")
        self.assertEqual(cursor.fetchall(), [])

    def test_statement_of_seventy_kilobytes(self):
        cursor = self.connect().cursor()
        cursor.execute("select /* " + "x" * 70000 + " */ :1 from dual", ["found"])
        self.assertEqual(cursor.fetchone(), ("found",))

    def test_repeated_execution_reuses_the_cursor(self):
        cursor = self.connect().cursor()
        for n in range(50):
            cursor.execute("select :n + 1 from dual", n=n)
            self.assertEqual(cursor.fetchone(), (n + 1,))

    def test_many_statements(self):
        connection = self.connect()
        for n in range(400):
            connection.cursor().execute(f"select {n} from dual").fetchall()

    def test_parse_only(self):
        cursor = self.connect().cursor()
        cursor.parse("select 1 as one from dual")
        self.assert_ora(942, cursor.parse, "select * from no_such_table")


class Types(Case):
    def setUp(self):
        self.connection = self.connect()

    def round_trip(self, column_type, values, input_type=None):
        cursor = self.table(self.connection, "typed", f"id number, v {column_type}")
        for number, value in enumerate(values):
            if input_type:
                cursor.setinputsizes(None, input_type)
            cursor.execute("insert into typed values (:1, :2)", [number, value])
        cursor.execute("select v from typed order by id")
        return [row[0] for row in cursor.fetchall()]

    def test_numbers(self):
        oracledb.defaults.fetch_decimals = True
        self.addCleanup(setattr, oracledb.defaults, "fetch_decimals", False)
        texts = ["0", "1", "-1", "123.45", "-0.5", "1E125", "-1E-130", "9" * 38,
                 "12345678901234567890123456789012345678", "0.1", "99999.99999"]
        values = [decimal.Decimal(t) for t in texts]
        self.assertEqual(self.round_trip("number", values), values)

    def test_character_types(self):
        texts = ["a", "né 🎉", "x" * 200, None]
        self.assertEqual(self.round_trip("varchar2(1000)", texts), texts)

    def test_national_character_types(self):
        texts = ["a", "né 🎉", "x" * 200, None]
        self.assertEqual(self.round_trip("nvarchar2(1000)", texts, oracledb.DB_TYPE_NVARCHAR), texts)

    def test_char_is_padded(self):
        self.assertEqual(self.round_trip("char(5)", ["ab"]), ["ab   "])

    def test_raw(self):
        values = [b"\0", b"\xff\0\x01", bytes(range(256)), None]
        self.assertEqual(self.round_trip("raw(300)", values), values)

    def test_dates(self):
        values = [datetime.datetime(1, 1, 1), datetime.datetime(2026, 2, 28, 23, 59, 59),
                  datetime.datetime(9999, 12, 31, 23, 59, 59), None]
        self.assertEqual(self.round_trip("date", values), values)

    def test_timestamps(self):
        values = [datetime.datetime(2026, 8, 9, 12, 13, 14, 123456),
                  datetime.datetime(2026, 8, 9, 12, 13, 14), None]
        self.assertEqual(self.round_trip("timestamp", values, oracledb.DB_TYPE_TIMESTAMP), values)

    def test_timestamps_with_zones(self):
        cursor = self.table(self.connection, "zoned",
                            "z timestamp with time zone, l timestamp with local time zone")
        cursor.execute("insert into zoned values (timestamp '2026-08-09 14:43:14.5 +02:30', "
                       "timestamp '2026-08-09 12:13:14 +00:00')")
        row = cursor.execute("select z, l from zoned").fetchone()
        self.assertEqual(row[0], datetime.datetime(2026, 8, 9, 14, 43, 14, 500000))
        self.assertEqual(row[1], datetime.datetime(2026, 8, 9, 12, 13, 14))

    def test_binary_floating_point(self):
        values = [0.0, 1.5, -2.25, 1e300, None]
        self.assertEqual(self.round_trip("binary_double", values, oracledb.DB_TYPE_BINARY_DOUBLE),
                         values)

    def test_binary_float(self):
        values = [0.0, 1.5, -2.25, None]
        self.assertEqual(self.round_trip("binary_float", values, oracledb.DB_TYPE_BINARY_FLOAT),
                         values)

    def test_intervals(self):
        values = [datetime.timedelta(days=3, hours=4, minutes=5, seconds=6, microseconds=500000),
                  datetime.timedelta(days=-1, seconds=-1), datetime.timedelta(0), None]
        self.assertEqual(self.round_trip("interval day(9) to second(6)", values), values)

    def test_rowids(self):
        cursor = self.table(self.connection, "rows_with_ids", "n number")
        cursor.execute("insert into rows_with_ids values (7)")
        inserted = cursor.lastrowid
        row = cursor.execute("select rowid, n from rows_with_ids").fetchone()
        self.assertEqual(row, (inserted, 7))
        self.assertEqual(len(inserted), 18)
        found = cursor.execute("select n from rows_with_ids where rowid = :1", [inserted])
        self.assertEqual(found.fetchone(), (7,))


class LateTypes(Case):
    """Types of later releases and those that few tables have."""

    ARGUMENTS = ("--emulate", "23ai")
    VERSION = tuple(int(part) for part in oracledb.__version__.split(".")[:2])

    def setUp(self):
        self.connection = self.connect()

    def rows(self, sql, *binds):
        return self.connection.cursor().execute(sql, binds).fetchall()

    @unittest.skipIf(VERSION < (1, 3), "this release of python-oracledb does not know JSON")
    def test_json(self):
        document = {"a": [1, decimal.Decimal("2.5"), None, True, "é" * 300], "b": {"": {}},
                    **{f"name {n}": n for n in range(300)}}
        cursor = self.table(self.connection, "documents", "id number, j json")
        cursor.setinputsizes(None, oracledb.DB_TYPE_JSON)
        cursor.executemany("insert into documents values (:1, :2)",
                           [(1, document), (2, None), (3, [{"n": n} for n in range(400)])])
        cursor.execute("insert into documents values (4, '{\"t\":\"text\"}')")
        self.assertEqual(cursor.execute("select j from documents order by id").fetchall(),
                         [(document,), (None,), ([{"n": n} for n in range(400)],),
                          ({"t": "text"},)])
        self.assertEqual(self.rows("select json_serialize(j) from documents where id = 4"),
                         [('{"t":"text"}',)])
        self.assert_ora(40441, cursor.execute, "insert into documents values (5, '{')")

    @unittest.skipIf(VERSION < (1, 3), "this release of python-oracledb does not know JSON")
    def test_json_holds_the_types_of_sql(self):
        moment = datetime.datetime(2026, 8, 9, 12, 13, 14, 123456)
        document = {"when": moment, "raw": b"\x00\xff", "for": datetime.timedelta(days=-1, seconds=5)}
        cursor = self.table(self.connection, "documents", "j json")
        cursor.setinputsizes(oracledb.DB_TYPE_JSON)
        cursor.execute("insert into documents values (:1)", [document])
        self.assertEqual(cursor.execute("select j from documents").fetchone(), (document,))

    def test_json_as_text(self):
        text = '{"a":[1,2.5,"' + "x" * 50_000 + '"]}'
        cursor = self.table(self.connection, "documents", "id number, j json")
        cursor.execute("insert into documents values (1, :1)", [text])
        lob, = cursor.execute("select json_serialize(j returning clob) from documents").fetchone()
        self.assertEqual(lob.read(), text)
        self.assertEqual(self.rows("select json_value(j, '$.a[1]' returning number) from documents"),
                         [(2.5,)])

    def test_boolean(self):
        cursor = self.table(self.connection, "flags", "id number, b boolean")
        cursor.execute("insert into flags values (1, true)")
        cursor.execute("insert into flags values (2, false)")
        cursor.execute("insert into flags values (3, null)")
        if self.VERSION >= (2, 0):
            cursor.setinputsizes(None, oracledb.DB_TYPE_BOOLEAN)
            cursor.execute("insert into flags values (:1, :2)", [4, True])
        else:
            cursor.execute("insert into flags values (4, 1)")
        found = [row[0] for row in cursor.execute("select b from flags order by id")]
        self.assertEqual(found, [True, False, None, True])
        self.assertEqual(self.rows("select count(*) from flags where b"), [(2,)])

    def test_vector(self):
        cursor = self.table(self.connection, "vectors",
                            "id number, v vector(3, float32), a vector, s vector(5, int8, sparse)")
        cursor.execute("insert into vectors values (1, '[1, -0.5, 2]', '[0.25]', "
                       "'[5, [1, 5], [3, -4]]')")
        cursor.execute("insert into vectors values (2, null, null, null)")
        rows = cursor.execute("select v, a, s from vectors order by id").fetchall()
        self.assertEqual(rows[1], (None, None, None))
        if self.VERSION < (2, 2):  # it gets the text
            self.assertEqual(rows[0][0].read(), "[1.0E+000,-5.0E-001,2.0E+000]")
            return
        self.assertEqual([list(v) for v in rows[0][:2]], [[1, -0.5, 2], [0.25]])
        if self.VERSION >= (3, 0):
            self.assertEqual((rows[0][2].num_dimensions, list(rows[0][2].indices),
                              list(rows[0][2].values)), (5, [0, 4], [3, -4]))
        import array
        cursor.execute("insert into vectors (id, v) values (3, :1)", [array.array("f", [1, 2, 3])])
        found = cursor.execute("select v from vectors where id = 3").fetchone()
        self.assertEqual(list(found[0]), [1, 2, 3])

    def test_xml(self):
        large = "<r>" + "x" * 100_000 + "</r>"
        cursor = self.table(self.connection, "pages", "id number, x xmltype")
        cursor.execute("insert into pages values (1, xmltype('<a>é</a>'))")
        cursor.setinputsizes(oracledb.DB_TYPE_CLOB)
        cursor.execute("insert into pages values (2, xmltype(:1))", [large])
        cursor.execute("insert into pages values (3, null)")
        # Where the image holds a locator, later releases hand out a LOB.
        found = [v.read() if isinstance(v, oracledb.LOB) else v
                 for v, in cursor.execute("select x from pages order by id").fetchall()]
        self.assertEqual(found, ["<a>é</a>", large, None])

    def test_objects_and_collections(self):
        cursor = self.connection.cursor()
        cursor.execute("create or replace type a_point as object (x number, y number(5,2), "
                       "d date, label varchar2(300))")
        cursor.execute("create or replace type some_names as varray(5) of varchar2(20)")
        cursor = self.table(self.connection, "places", "id number, p a_point, n some_names")
        label = "l" * 300
        cursor.execute(f"insert into places values (1, a_point(1, 2.5, date '2026-01-02', "
                       f"'{label}'), some_names('a', null, 'c'))")
        cursor.execute("insert into places values (2, null, null)")
        (point, names), nulls = cursor.execute("select p, n from places order by id").fetchall()
        self.assertEqual((point.X, point.Y, point.D, point.LABEL),
                         (1, 2.5, datetime.datetime(2026, 1, 2), label))
        self.assertEqual(names.aslist(), ["a", None, "c"])
        self.assertEqual(nulls, (None, None))

    def test_objects_and_collections_as_binds(self):
        cursor = self.connection.cursor()
        cursor.execute("create or replace type a_place as object (x number, d date, "
                       "label varchar2(300))")
        cursor.execute("create or replace type some_words as varray(5) of varchar2(20)")
        place_type = self.connection.gettype("A_PLACE")
        list_type = self.connection.gettype("SOME_WORDS")
        cursor = self.table(self.connection, "bound_places",
                            "id number, p a_place, l some_words")
        place = place_type.newobject()
        place.X, place.D, place.LABEL = 7, datetime.datetime(2026, 1, 2), "é" * 150
        words = list_type.newobject(["a", None, "c"])
        cursor.setinputsizes(None, place_type, list_type)
        cursor.execute("insert into bound_places values (:1, :2, :3)", [1, place, words])
        cursor.setinputsizes(None, place_type, list_type)
        cursor.execute("insert into bound_places values (:1, :2, :3)", [2, None, None])
        rows = cursor.execute("select p, l from bound_places order by id").fetchall()
        self.assertEqual((rows[0][0].X, rows[0][0].D, rows[0][0].LABEL),
                         (7, datetime.datetime(2026, 1, 2), "é" * 150))
        self.assertEqual(rows[0][1].aslist(), ["a", None, "c"])
        self.assertEqual(rows[1], (None, None))
        self.assertEqual(cursor.execute("select b.p.x from bound_places b where id = 1").fetchone(),
                         (7,))
        out = cursor.var(place_type)
        cursor.execute("begin :o := a_place(:x, null, 'made'); end;", o=out, x=3)
        self.assertEqual((out.getvalue().X, out.getvalue().D, out.getvalue().LABEL),
                         (3, None, "made"))
        cursor.execute("begin :o := null; end;", o=out)
        self.assertIsNone(out.getvalue())
        self.assert_ora(932, cursor.execute, "insert into bound_places (id, p) values (3, :1)",
                        [words])

    def test_long_and_long_raw(self):
        text, binary = "né 🎉 " * 400_000, bytes(range(256)) * 10_000
        cursor = self.table(self.connection, "longs", "id number, t long")
        cursor.execute("insert into longs values (1, :1)", [text])
        cursor.execute("insert into longs values (2, 'short')")
        cursor.execute("insert into longs values (3, null)")
        self.assertEqual(cursor.execute("select t from longs order by id").fetchall(),
                         [(text,), ("short",), (None,)])
        cursor = self.table(self.connection, "long_raws", "r long raw")
        cursor.execute("insert into long_raws values (:1)", [binary])
        self.assertEqual(cursor.execute("select r from long_raws").fetchall(), [(binary,)])

    def test_urowids(self):
        cursor = self.table(self.connection, "addresses", "id number, u urowid")
        cursor.execute("insert into addresses values (1, null)")
        cursor.execute("update addresses set u = rowid")
        cursor.execute("insert into addresses values (2, '*BAEACkcCwQL+AAAA')")
        (rowid, physical), = self.rows("select rowid, u from addresses where id = 1")
        self.assertEqual(physical, rowid)
        self.assertEqual(self.rows("select u from addresses where id = 2"), [("*BAEACkcCwQL+AAAA",)])

    @unittest.skipIf(VERSION < (2, 3), "this release of python-oracledb does not know BFILE")
    def test_bfile(self):
        with tempfile.TemporaryDirectory() as directory:
            content = bytes(range(256)) * 500
            pathlib.Path(directory, "photo").write_bytes(content)
            cursor = self.table(self.connection, "photos", "id number, f bfile")
            cursor.execute(f"create or replace directory photo_dir as '{directory}'")
            cursor.execute("insert into photos values (1, bfilename('PHOTO_DIR', 'photo'))")
            cursor.execute("insert into photos values (2, bfilename('PHOTO_DIR', 'missing'))")
            (file,), (missing,) = cursor.execute("select f from photos order by id").fetchall()
            self.assertEqual(file.getfilename(), ("PHOTO_DIR", "photo"))
            # 26.1.0 of the driver gives back nothing at all.
            self.assertIn(file.fileexists(), (True, None))
            self.assertFalse(missing.fileexists())
            self.assertEqual(file.size(), len(content))
            self.assertEqual(file.read(), content)
            self.assertEqual(file.read(255, 3), content[254:257])
            self.assert_ora(22288, missing.read)

    def test_strings_of_32_kilobytes(self):
        text, binary = "w" * 32767, b"\x01" * 32767
        cursor = self.table(self.connection, "wide", "v varchar2(32767), r raw(32767)")
        cursor.execute("insert into wide values (:1, :2)", [text, binary])
        self.assertEqual(cursor.execute("select v, r from wide").fetchone(), (text, binary))

    @unittest.skipIf(VERSION < (2, 2), "this release of python-oracledb does not know them")
    def test_intervals_of_months(self):
        cursor = self.table(self.connection, "spans", "y interval year(4) to month")
        for years, months in [(1, 2), (-1, -2), (0, 0), (999, 11)]:
            cursor.execute("insert into spans values (:1)", [oracledb.IntervalYM(years, months)])
        self.assertEqual([tuple(row[0]) for row in cursor.execute("select y from spans")],
                         [(1, 2), (-1, -2), (0, 0), (999, 11)])

    def test_named_zones_are_refused_by_the_driver_and_not_by_the_server(self):
        self.assertEqual(self.rows("select to_char(timestamp '2026-08-09 12:00:00 Europe/Berlin', "
                                   "'HH24 TZR TZH') from dual"), [("12 Europe/Berlin +02",)])


class Changes(Case):
    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.table(self.connection, "changed",
                                 "n number primary key, t varchar2(10) not null")

    def count(self, connection=None):
        cursor = (connection or self.connection).cursor()
        return cursor.execute("select count(*) from changed").fetchone()[0]

    def test_commit_and_rollback(self):
        other = self.connect()
        self.cursor.execute("insert into changed values (1, 'a')")
        self.assertEqual((self.count(), self.count(other)), (1, 0))
        self.connection.rollback()
        self.assertEqual(self.count(), 0)
        self.cursor.execute("insert into changed values (1, 'a')")
        self.connection.commit()
        self.assertEqual(self.count(other), 1)

    def test_autocommit(self):
        self.connection.autocommit = True
        self.cursor.execute("insert into changed values (2, 'b')")
        self.cursor.executemany("insert into changed values (:1, :2)", [(3, "c"), (4, "d")])
        self.connection.rollback()
        self.assertEqual(self.count(), 3)

    def test_closing_rolls_back(self):
        other = self.connect()
        other.cursor().execute("insert into changed values (5, 'e')")
        other.close()
        self.assertEqual(self.count(), 0)

    def test_row_counts(self):
        self.cursor.executemany("insert into changed values (:1, :2)",
                                [(n, "t") for n in range(10)])
        self.assertEqual(self.cursor.rowcount, 10)
        self.cursor.executemany("update changed set t = 'u' where n < :1", [(3,), (0,), (5,)],
                                arraydmlrowcounts=True)
        self.assertEqual(self.cursor.getarraydmlrowcounts(), [3, 0, 5])

    def test_batch_errors(self):
        rows = [(1, "a"), (2, None), (3, "c"), (1, "again")]
        self.cursor.executemany("insert into changed values (:1, :2)", rows, batcherrors=True)
        errors = self.cursor.getbatcherrors()
        self.assertEqual([(e.offset, e.code) for e in errors], [(1, 1400), (3, 1)])
        self.assertIn("ORA-01400", errors[0].message)
        self.assertEqual(self.count(), 2)

    def test_rows_before_a_bad_one_stay(self):
        rows = [(1, "a"), (2, "b"), (3, None), (4, "d")]
        self.assert_ora(1400, self.cursor.executemany, "insert into changed values (:1, :2)", rows)
        self.assertEqual(self.count(), 2)

    def test_returning(self):
        number = self.cursor.var(int)
        text = self.cursor.var(str, 100)
        self.cursor.execute("insert into changed values (:1, :2) returning n, t into :3, :4",
                            [11, "eleven", number, text])
        self.assertEqual((number.getvalue(), text.getvalue()), ([11], ["eleven"]))

    def test_returning_of_several_rows_and_executions(self):
        self.cursor.executemany("insert into changed values (:1, 'x')", [(n,) for n in range(6)])
        number = self.cursor.var(int, arraysize=2)
        self.cursor.setinputsizes(None, number)
        self.cursor.executemany("update changed set t = 'y' where n < :1 returning n into :2",
                                [(2,), (1,)])
        self.assertEqual([sorted(v) for v in number.values], [[0, 1], [0]])

    def test_constraint_errors_leave_the_session_usable(self):
        self.cursor.execute("insert into changed values (1, 'a')")
        self.assert_ora(1, self.cursor.execute, "insert into changed values (1, 'b')")
        self.cursor.execute("insert into changed values (2, 'b')")
        self.assertEqual(self.count(), 2)

    def test_ddl_between_executions(self):
        """No column more: this driver cannot parse again when a cached query has gained one."""
        every, named = "select * from changed where n = :1", "select t, n from changed"
        self.cursor.execute("insert into changed (n, t) values (1, 'a')")
        self.connection.commit()
        self.cursor.execute("alter table changed add (extra date)")
        for ddl, row in (("modify (t varchar2(40))", (1, "a", None)),
                         ("modify (extra timestamp)", (1, "a", None)),
                         ("drop column extra", (1, "a"))):
            self.cursor.execute(every, [1]).fetchall()
            self.connect().cursor().execute(f"alter table changed {ddl}")
            with self.subTest(ddl):
                self.assertEqual(self.cursor.execute(named).fetchone(), ("a", 1))
                self.assertEqual(self.cursor.execute(every, [1]).fetchone(), row)


class Sessions(Case):
    def test_what_a_client_says_of_its_work_is_shown(self):
        connection = self.connect()
        connection.module, connection.action = "loader", "first step"
        connection.client_identifier, connection.clientinfo = "who", "what"
        names = ("module", "action", "client_identifier", "client_info")
        query = "select " + ", ".join(f"sys_context('userenv', '{name}')" for name in names)
        expected = ("loader", "first step", "who", "what")
        self.assertEqual(connection.cursor().execute(query + " from dual").fetchone(), expected)
        others = self.connect().cursor().execute(
            f"select {', '.join(names)} from v$session where client_identifier = 'who'").fetchall()
        self.assertEqual(others, [expected])

    def test_a_session_is_active_in_its_calls_only(self):
        idle, asking = self.connect(), self.connect()
        idle.client_identifier, asking.client_identifier = "idle", "asking"
        for connection in (idle, asking):
            connection.cursor().execute("select 1 from dual").fetchall()
        found = asking.cursor().execute(
            "select client_identifier, status from v$session where client_identifier is not null "
            "order by 1").fetchall()
        self.assertEqual(found, [("asking", "ACTIVE"), ("idle", "INACTIVE")])

    def test_views_of_logs_and_containers(self):
        cursor = self.connect().cursor()
        self.assertEqual(cursor.execute("select status, first_change# from v$log").fetchone(),
                         ("CURRENT", cursor.execute(
                             "select resetlogs_change# from v$database").fetchone()[0]))
        for view in ("v$archived_log", "v$pdbs"):
            self.assertEqual(cursor.execute(f"select * from {view}").fetchall(), [])
        self.assertEqual(
            cursor.execute("select con_id, dbid from v$containers").fetchall(),
            cursor.execute("select 0, dbid from v$database").fetchall())
        self.assertEqual(cursor.execute("select inst_id, status from gv$instance").fetchall(),
                         [(1, "OPEN")])

    def test_from_may_not_be_left_out_before_23(self):
        self.assert_ora(923, self.connect().cursor().execute, "select 1 + 1")


class Blocks(Case):
    def test_out_binds(self):
        cursor = self.connect().cursor()
        number, text = cursor.var(int), cursor.var(str)
        for n in (1, 2):
            cursor.execute("begin :1 := :2 + 1; :3 := 'text ' || :2; end;", [number, n, text])
            self.assertEqual((number.getvalue(), text.getvalue()), (n + 1, f"text {n}"))

    def test_in_out_bind(self):
        cursor = self.connect().cursor()
        value = cursor.var(int)
        value.setvalue(0, 20)
        for expected in (21, 22):
            cursor.execute("begin :v := :v + 1; end;", v=value)
            self.assertEqual(value.getvalue(), expected)

    def test_ref_cursor(self):
        cursor = self.table(self.connect(), "numbered", "n number, t varchar2(20)")
        cursor.executemany("insert into numbered values (:1, :2)",
                           [(n, f"row {n}") for n in range(250)])
        for low in (0, 200):
            result = cursor.var(oracledb.DB_TYPE_CURSOR)
            cursor.execute("begin open :c for select n, t from numbered where n >= :low "
                           "order by n; end;", c=result, low=low)
            rows = result.getvalue()
            self.assertEqual([column[0] for column in rows.description], ["N", "T"])
            self.assertEqual(rows.fetchall(), [(n, f"row {n}") for n in range(low, 250)])

    def test_ref_cursor_of_a_text_with_binds_reads_as_of_its_opening(self):
        cursor = self.table(self.connect(), "dynamic", "n number")
        cursor.execute("insert into dynamic values (1)")
        result = cursor.var(oracledb.DB_TYPE_CURSOR)
        cursor.execute("declare c sys_refcursor; limit number := 5; begin "
                       "open c for 'select n, :x from dynamic where n < :l' using 'x', limit; "
                       "limit := 0; insert into dynamic values (2); :c := c; end;", c=result)
        self.assertEqual(result.getvalue().fetchall(), [(1, "x")])

    def test_returning_in_a_block(self):
        cursor = self.table(self.connect(), "returned", "n number, t varchar2(20)")
        number = cursor.var(int)
        cursor.execute("begin insert into returned values (4, 'x') returning n + 1 into :o; end;",
                       o=number)
        self.assertEqual(number.getvalue(), 5)
        cursor.execute("begin update returned set n = 9 where n = 0 returning n into :o; end;",
                       o=number)
        self.assertIsNone(number.getvalue())

    def test_implicit_results(self):
        cursor = self.connect().cursor()
        cursor.execute("declare c sys_refcursor; begin "
                       "open c for select 1 as one from dual; dbms_sql.return_result(c); "
                       "open c for select level, 'x' from dual connect by level <= 300; "
                       "dbms_sql.return_result(c); end;")
        first, second = cursor.getimplicitresults()
        self.assertEqual(first.fetchall(), [(1,)])
        self.assertEqual(second.fetchall(), [(n + 1, "x") for n in range(300)])

    def test_cursor_columns(self):
        cursor = self.table(self.connect(), "parents", "id number")
        cursor.execute("insert into parents select level from dual connect by level <= 3")
        cursor.execute("select id, cursor(select level * p.id from dual connect by level <= p.id) "
                       "from parents p order by id")
        for _ in range(2):
            found = [(row[0], [n for n, in row[1]]) for row in cursor]
            self.assertEqual(found, [(1, [1]), (2, [2, 4]), (3, [3, 6, 9])])
            cursor.execute(cursor.statement)

    def test_cursors_that_are_not_open(self):
        cursor = self.connect().cursor()
        self.assert_ora(1001, cursor.execute, "declare c sys_refcursor; begin close c; end;")
        self.assert_ora(6539, cursor.execute,
                        "declare c sys_refcursor; begin open c for 'begin null; end;'; end;")

    def test_out_and_in_out_are_what_the_text_says(self):
        cursor = self.connect().cursor()
        number, both, never = cursor.var(int), cursor.var(int), cursor.var(int)
        for variable in (number, both, never):
            variable.setvalue(0, 10)
        for expected in (11, 12):
            cursor.execute("begin :o := 1; :io := :io + 1; if 1 = 0 then :n := 5; end if; end;",
                           o=number, io=both, n=never)
            self.assertEqual((number.getvalue(), both.getvalue(), never.getvalue()),
                             (1, expected, None))

    def test_index_by_tables(self):
        cursor = self.connect().cursor()
        days = [datetime.datetime(2026, 8, n) for n in range(1, 31)]
        words = [None if n % 7 == 0 else f"wörd {n}" * n for n in range(300)]
        given = cursor.arrayvar(str, words, 3000)
        both = cursor.arrayvar(oracledb.DB_TYPE_DATE, 40)
        both.setvalue(0, days)
        lengths = cursor.arrayvar(int, 300)
        none = cursor.arrayvar(bytes, 5)
        for _ in range(3):
            cursor.execute(
                "declare type texts is table of varchar2(3000) index by pls_integer; "
                "w texts := :w; n dbms_sql.number_table; d dbms_sql.date_table := :d; "
                "type raws is table of raw(10) index by pls_integer; r raws; begin "
                "for i in w.first .. w.last loop n(i) := length(w(i)); end loop; "
                "d(d.count + 1) := d(1) + 100; :n := n; :d := d; :r := r; end;",
                w=given, d=both, n=lengths, r=none)
            self.assertEqual(lengths.getvalue(), [w if w is None else len(w) for w in words])
            self.assertEqual(both.getvalue(), days + [datetime.datetime(2026, 11, 9)])
            self.assertEqual(none.getvalue(), [])
            both.setvalue(0, days)

    def test_index_by_tables_that_do_not_fit(self):
        cursor = self.connect().cursor()
        self.assert_ora(6513, cursor.execute,
                        "declare n dbms_sql.number_table; begin n(4) := 1; :n := n; end;",
                        [cursor.arrayvar(int, 3)])
        self.assert_ora(1484, cursor.execute, "select :1 from dual", [cursor.arrayvar(int, [1])])
        self.assert_ora(6550, cursor.execute, "begin :n := 1; end;", [cursor.arrayvar(int, 3)])
        missing = cursor.var(int)
        cursor.execute("declare n dbms_sql.number_table; begin n(1) := 5; n.delete(1); "
                       "if not n.exists(1) then :v := n(1); end if; "
                       "exception when no_data_found then :v := -1; end;", [missing])
        self.assertEqual(missing.getvalue(), -1)

    def test_a_query_collected_into_index_by_tables(self):
        cursor = self.table(self.connect(), "collected", "n number, t varchar2(20)")
        cursor.executemany("insert into collected values (:1, :2)",
                           [(n, f"row {n}") for n in range(50)])
        numbers, texts = cursor.arrayvar(int, 50), cursor.arrayvar(str, 50)
        for low, high in ((0, 50), (20, 25), (50, 50)):
            cursor.execute("begin select n, t bulk collect into :n, :t from collected "
                           "where n >= :low and n < :high order by n; end;",
                           n=numbers, t=texts, low=low, high=high)
            self.assertEqual(numbers.getvalue(), list(range(low, high)))
            self.assertEqual(texts.getvalue(), [f"row {n}" for n in range(low, high)])

    def test_loops_over_rows(self):
        cursor = self.table(self.connect(), "looped", "n number, t varchar2(20)")
        cursor.executemany("insert into looped values (:1, :2)",
                           [(n, f"row {n}") for n in range(6)])
        text = cursor.var(str, 4000)
        for source, declared in (
                ("(select n, t as name from looped where n < :high order by n)", ""),
                ("rows_below", "declare cursor rows_below is select n, t as name from looped "
                               "where n < :high order by n; ")):
            cursor.execute(f"{declared}begin :t := ''; for r in {source} loop "
                           "continue when r.n = 1; "
                           "update looped set t = r.name || '!' where n = r.n; "
                           ":t := :t || r.n || r.name || ';'; exit when r.n = 3; "
                           "end loop; end;", t=text, high=5)
            self.assertEqual(text.getvalue(), "0row 0;2row 2;3row 3;")
            cursor.execute("update looped set t = rtrim(t, '!')")
        self.assert_ora(6550, cursor.execute,
                        "begin for r in (select n from looped) loop :x := r.missing; end loop; end;",
                        [cursor.var(str)])
        self.assert_ora(1476, cursor.execute,
                        "begin for r in (select 1 / n as x from looped order by n) loop null; "
                        "end loop; end;")

    def test_cursors_are_opened_fetched_and_closed(self):
        cursor = self.table(self.connect(), "opened", "n number")
        cursor.executemany("insert into opened values (:1)", [(n,) for n in range(7)])
        text = cursor.var(str, 4000)
        cursor.execute(
            "declare cursor c is select n from opened order by n; x number; "
            "v dbms_sql.number_table; r sys_refcursor; begin "
            "if c%isopen then :t := 'open '; else :t := 'closed '; end if; open c; loop "
            "fetch c into x; exit when c%notfound; :t := :t || x || ','; "
            "exit when c%rowcount = 3; end loop; "
            "fetch c bulk collect into v limit 3; :t := :t || v.count || c%rowcount; "
            "fetch c bulk collect into v; :t := :t || v.count || c%rowcount; close c; "
            "open c; fetch c into v(9); :t := :t || v(9); close c; "
            "open r for select 5 from dual; fetch r into x; :t := :t || x; "
            "fetch r into x; if r%notfound and not r%found then :t := :t || ' end'; end if; "
            "close r; end;", t=text)
        self.assertEqual(text.getvalue(), "closed 0,1,2,361705 end")
        self.assert_ora(6511, cursor.execute, "declare cursor c is select 1 from dual; "
                                              "begin open c; open c; end;")
        self.assert_ora(1001, cursor.execute, "declare cursor c is select 1 from dual; x number; "
                                              "begin fetch c into x; end;")

    def test_what_blocks_print(self):
        cursor = self.connect().cursor()
        line, status = cursor.var(str), cursor.var(int)
        cursor.callproc("dbms_output.put_line", ["lost"])
        cursor.callproc("dbms_output.get_line", (line, status))
        self.assertEqual((line.getvalue(), status.getvalue()), (None, 1))
        cursor.callproc("dbms_output.enable")
        cursor.execute("begin dbms_output.put('one '); dbms_output.put(1); dbms_output.new_line; "
                       "for i in 2 .. 250 loop dbms_output.put_line('line ' || i); end loop; end;")
        cursor.callproc("dbms_output.get_line", (line, status))
        self.assertEqual((line.getvalue(), status.getvalue()), ("one 1", 0))
        lines, count, found = cursor.arrayvar(str, 100), cursor.var(int), []
        while count.getvalue() is None or count.getvalue() == 100:
            count.setvalue(0, 100)
            cursor.callproc("dbms_output.get_lines", (lines, count))
            found += lines.getvalue()[:count.getvalue()]
        self.assertEqual(found, [f"line {n}" for n in range(2, 251)])
        cursor.callproc("dbms_output.enable", [2000])
        self.assert_ora(20000, cursor.execute,
                        "begin for i in 1 .. 9 loop dbms_output.put_line(rpad('x', 300)); "
                        "end loop; end;")
        cursor.callproc("dbms_output.disable")

    def test_many_executions_with_out_binds(self):
        cursor = self.connect().cursor()
        result, text = cursor.var(int, arraysize=200), cursor.var(str, arraysize=200)
        cursor.setinputsizes(result, None, text)
        for count in (200, 3):
            cursor.executemany("begin :r := :n * 2; :t := 'n ' || :n; end;",
                               [(None, n, None) for n in range(count)])
            for n in range(count):
                self.assertEqual((result.getvalue(n), text.getvalue(n)), (2 * n, f"n {n}"))

    def test_many_executions_with_in_out_binds(self):
        cursor = self.connect().cursor()
        both = cursor.var(str, arraysize=20)
        cursor.setinputsizes(both)
        cursor.executemany("begin :1 := :1 || '!'; end;", [(f"v{n}",) for n in range(20)])
        self.assertEqual([both.getvalue(n) for n in range(20)], [f"v{n}!" for n in range(20)])

    def test_a_block_of_many_executions_stops_at_the_bad_one(self):
        cursor = self.table(self.connect(), "executed", "n number primary key")
        rows = [(n,) for n in (1, 2, 3, 2, 4)]
        self.assert_ora(1, cursor.executemany,
                        "begin insert into executed values (:1); end;", rows)
        self.assertEqual(cursor.execute("select count(*) from executed").fetchone(), (3,))

    def test_endless_loop_is_cancelled(self):
        connection = self.connect()
        connection.call_timeout = 300
        with self.assertRaises(oracledb.DatabaseError):
            connection.cursor().execute("begin loop null; end loop; end;")
        connection.call_timeout = 0
        self.assertEqual(connection.cursor().execute("select 1 from dual").fetchone(), (1,))

    def test_error_in_a_block(self):
        cursor = self.connect().cursor()
        self.assert_ora(20001, cursor.execute,
                        "begin raise_application_error(-20001, 'refused'); end;")


class Lobs(Case):
    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.table(self.connection, "lobs", "id number, c clob, b blob, n nclob")

    def test_reading_by_locator(self):
        text, binary = "né 🎉 " * 20000, bytes(range(256)) * 500
        self.cursor.setinputsizes(oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB)
        self.cursor.execute("insert into lobs values (1, :1, :2, 'national ñ')", [text, binary])
        self.cursor.execute("insert into lobs values (2, null, null, null)")
        rows = self.cursor.execute("select c, b, n from lobs order by id").fetchall()
        clob, blob, nclob = rows[0]
        self.assertEqual(rows[1], (None, None, None))
        self.assertEqual(clob.size(), len(text.encode("utf-16-le")) // 2)
        self.assertEqual(clob.read(), text)
        self.assertEqual(clob.read(4, 2), "🎉")
        self.assertEqual(blob.size(), len(binary))
        self.assertEqual(blob.read(255, 3), b"\xfe\xff\x00")
        self.assertEqual(blob.read(len(binary) + 1, 5), b"")
        self.assertEqual(nclob.read(), "national ñ")

    def test_as_strings(self):
        def as_long(cursor, name, default_type, *_):
            if default_type == oracledb.DB_TYPE_CLOB:
                return cursor.var(oracledb.DB_TYPE_LONG, arraysize=cursor.arraysize)
            if default_type == oracledb.DB_TYPE_BLOB:
                return cursor.var(oracledb.DB_TYPE_LONG_RAW, arraysize=cursor.arraysize)
            return None

        text = "long text " * 10000
        self.cursor.setinputsizes(oracledb.DB_TYPE_CLOB)
        self.cursor.execute("insert into lobs values (1, :1, hextoraw('00ff'), null)", [text])
        self.cursor.execute("insert into lobs values (2, null, null, null)")
        cursor = self.connection.cursor()
        cursor.outputtypehandler = as_long
        cursor.execute("select c, b from lobs order by id")
        self.assertEqual(cursor.fetchall(), [(text, b"\0\xff"), (None, None)])

    def test_temporary_lobs(self):
        lob = self.connection.createlob(oracledb.DB_TYPE_CLOB)
        lob.write("first 🎉")
        lob.write("SECOND", 9)
        lob.write("F")
        self.assertEqual(lob.read(), "First 🎉SECOND")
        lob.trim(5)
        self.assertEqual((lob.read(), lob.size()), ("First", 5))
        self.assertGreater(lob.getchunksize(), 0)
        self.assertFalse(lob.isopen())
        lob.open()
        self.assertTrue(lob.isopen())
        lob.close()
        self.cursor.execute("insert into lobs (id, c) values (3, :1)", [lob])
        row = self.cursor.execute("select c from lobs where id = 3").fetchone()
        self.assertEqual(row[0].read(), "First")


class Breaks(Case):
    # Hours of work for any engine, and nothing to send before it is done.
    ENDLESS = ("select count(*) from numbers a, numbers b, numbers c, numbers d, numbers e "
               "where a.n + b.n + c.n + d.n + e.n < 0")

    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.table(self.connection, "numbers", "n number")
        self.cursor.executemany("insert into numbers values (:1)", [(n,) for n in range(200)])
        self.connection.commit()

    def test_call_timeout(self):
        self.connection.call_timeout = 300
        with self.assertRaises(oracledb.DatabaseError) as caught:
            self.cursor.execute(self.ENDLESS)
        self.assertIn("DPY-4024", str(caught.exception))
        self.connection.call_timeout = 0
        self.assertEqual(self.cursor.execute("select 1 from dual").fetchone(), (1,))

    def test_cancel(self):
        timer = threading.Timer(0.3, self.connection.cancel)
        timer.start()
        self.addCleanup(timer.join)
        self.assert_ora(1013, self.cursor.execute, self.ENDLESS)
        self.assertEqual(self.cursor.execute("select 1 from dual").fetchone(), (1,))


class SmallTalk:
    """What every kind of server must be able to do."""

    PREFIX = ""
    VERSION = "19."

    def test_session(self):
        connection = self.connect()
        self.assertTrue(connection.version.startswith(self.VERSION))
        cursor = self.table(connection, "talk", "n number, t varchar2(20), c clob, "
                            "ts timestamp, x varchar2(5)")
        rows = [(n, f"row {n // 3}", f"clob {n}" * 50) for n in range(100)]
        cursor.executemany("insert into talk (n, t, c) values (:1, :2, :3)", rows)
        cursor.arraysize = 30
        cursor.execute("select n, t, c, ts, x from talk order by n")
        self.assertEqual([(n, t, c.read(), ts, x) for n, t, c, ts, x in cursor],
                         [(*row, None, None) for row in rows])
        self.assert_ora(942, cursor.execute, "select * from no_such_table")
        connection.module, connection.action = "module", "action"
        self.assertEqual(cursor.execute("select 1 from dual").fetchone(), (1,))
        connection.commit()
        self.assert_ora(1017, self.server.connect, password="wrong")


class Server12(SmallTalk, Case):
    ARGUMENTS = ("--emulate", "12.2")
    VERSION = "12.2"


class Server121(SmallTalk, Case):
    ARGUMENTS = ("--emulate", "12.1")
    VERSION = "12.1"


class Server18(SmallTalk, Case):
    ARGUMENTS = ("--emulate", "18c")
    VERSION = "18."


class Server21(SmallTalk, Case):
    ARGUMENTS = ("--emulate", "21c")
    VERSION = "21."


class Server23(SmallTalk, Case):
    ARGUMENTS = ("--emulate", "23")
    VERSION = "23."


class Verifier11g(SmallTalk, Case):
    ARGUMENTS = ("--verifier", "11g")


class MarkerErrors(SmallTalk, Case):
    ARGUMENTS = ("--marker-errors",)


class SmallPackets(SmallTalk, Case):
    ARGUMENTS = ("--sdu", "512")


class EncryptionRequested(SmallTalk, Case):
    """The driver rejects it, so it stays off."""
    ARGUMENTS = ("--encryption", "requested", "--checksum", "requested")


class EncryptionRequired(Case):
    ARGUMENTS = ("--encryption", "required")

    def test_a_client_without_it_is_refused(self):
        with self.assertRaises(oracledb.DatabaseError):
            self.server.connect()


class Resend(SmallTalk, Case):
    ARGUMENTS = ("--resend",)


class Redirect(SmallTalk, Case):
    ARGUMENTS = ("--redirect",)


class Tls(SmallTalk, Case):
    MORE = ()

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="orasim-tls-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        key, certificate = cls.folder / "key.pem", cls.folder / "ewallet.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        cls.ARGUMENTS = ("--tls-cert", str(certificate), "--tls-key", str(key), *cls.MORE)
        super().setUpClass()
        plain = cls.server.connect

        def over_tls(user=USER, password=PASSWORD):
            return oracledb.connect(user=user, password=password, protocol="tcps",
                                    host="localhost", port=cls.server.port, service_name=SERVICE,
                                    wallet_location=str(cls.folder))
        cls.server.connect = over_tls
        cls.plain = staticmethod(plain)

    def test_clients_without_tls_are_dropped(self):
        with self.assertRaises(oracledb.DatabaseError):
            self.plain()


class TlsWithResend(Tls):
    MORE = ("--resend",)


class Process(unittest.TestCase):
    def run_orasim(self, *arguments):
        return subprocess.run([ORASIM, *arguments], capture_output=True, text=True, timeout=60)

    def test_ends_cleanly_with_sessions_open(self):
        server = Server()
        connection = server.connect()
        connection.cursor().execute("select 1 from dual")
        server.process.terminate()
        self.assertEqual(server.process.wait(30), 0)
        with self.assertRaises(oracledb.DatabaseError):
            connection.cursor().execute("select 1 from dual")

    def test_script_prepares_the_database(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write("create table made (n number);\ninsert into made values (4);\n")
            script.flush()
            server = Server("--script", script.name)
            self.addCleanup(server.close)
            with server.connect() as connection:
                self.assertEqual(connection.cursor().execute("select n from made").fetchall(),
                                 [(4,)])

    def test_script_error_names_file_and_statement(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write("create table made (n number);\nselect * from not_made;\n")
            script.flush()
            result = self.run_orasim("--listen", "127.0.0.1:0", "--service", "S",
                                     "--user", "a/b", "--script", script.name)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "")
        for part in (script.name, "statement 2", "not_made", "ORA-00942"):
            self.assertIn(part, result.stderr)

    def test_busy_port_and_bad_arguments(self):
        server = Server()
        self.addCleanup(server.close)
        result = self.run_orasim("--listen", f"127.0.0.1:{server.port}", "--service", "S")
        self.assertEqual(result.returncode, 1)
        self.assertIn("--listen", result.stderr)
        self.assertNotEqual(self.run_orasim("--listen", "nonsense", "--service", "S").returncode, 0)


if __name__ == "__main__":
    unittest.main()
