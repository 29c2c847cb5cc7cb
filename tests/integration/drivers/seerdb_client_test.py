"""orasim seen by seerdb, unmodified: a driver in Python of its own origin.

Differences that are seerdb's own are said at the test that leaves them out.
"""
import array
import datetime
import decimal
import json
import unittest

from support import peers

try:
    peers.use_python_peer("seerdb")
    import seerdb
    MISSING = None
except (unittest.SkipTest, AssertionError) as error:
    MISSING = error

D = decimal.Decimal


class Case(unittest.TestCase):
    """Tests against one server with the class's ARGUMENTS."""

    ARGUMENTS = ()

    @classmethod
    def setUpClass(cls):
        cls.server = peers.Server(*cls.ARGUMENTS)
        cls.addClassCleanup(cls.server.close)

    def connect(self, **more):
        more = {"user": peers.USER, "password": peers.PASSWORD, "service_name": peers.SERVICE,
                **more}
        connection = seerdb.connect(host="127.0.0.1", port=self.server.port, **more)
        self.addCleanup(self.close_quietly, connection)
        return connection

    @staticmethod
    def close_quietly(connection):
        try:
            connection.close()
        except (seerdb.Error, OSError):
            pass  # the test has ended it already

    def assert_ora(self, code, call, *arguments, **more):
        with self.assertRaises(seerdb.DatabaseError) as caught:
            call(*arguments, **more)
        self.assertIn(f"ORA-{code:05}", str(caught.exception))
        return caught.exception

    def table(self, connection, name, columns):
        cursor = connection.cursor()
        cursor.execute(f"create table {name} ({columns})")
        self.addCleanup(self.drop, connection, name)
        return cursor

    def drop(self, connection, name):
        self.close_quietly(connection)  # its transaction would keep the table busy
        other = self.connect()
        other.cursor().execute(f"drop table {name}")
        other.close()


class LogIn(Case):
    def test_server_version_and_ping(self):
        connection = self.connect()
        self.assertEqual("19.22.0.0.0", connection.version)
        connection.ping()

    def test_wrong_password(self):
        self.assert_ora(1017, self.connect, password="wrong")

    def test_unknown_user(self):
        self.assert_ora(1017, self.connect, user="nobody")

    def test_unknown_service(self):
        with self.assertRaises(seerdb.Error) as caught:
            self.connect(service_name="NOSUCH")
        self.assertIn("12514", str(caught.exception))

    # An unknown SID is refused with ORA-12505; seerdb calls every refusal 12514.
    def test_unknown_sid(self):
        with self.assertRaises(seerdb.OperationalError):
            self.connect(service_name="", sid="NOSUCH")

    def test_change_of_password(self):
        connection = self.connect()
        connection.changepassword(peers.PASSWORD, "Other-2")
        self.assert_ora(1017, self.connect)
        self.connect(password="Other-2").changepassword("Other-2", peers.PASSWORD)
        self.connect().ping()

    def test_change_of_password_with_a_wrong_old_one(self):
        connection = self.connect()
        self.assert_ora(1017, connection.changepassword, "wrong", "Other-2")

    def test_pool(self):
        pool = seerdb.create_pool(host="127.0.0.1", port=self.server.port, user=peers.USER,
                                  password=peers.PASSWORD, service_name=peers.SERVICE, min=2, max=3,
                                  idle_timeout=0)
        with pool.acquire() as first, pool.acquire() as second:
            self.assertNotEqual(*(c.cursor().execute("select userenv('sid') from dual").fetchone()
                                  for c in (first, second)))
        with pool.acquire() as again:
            self.assertEqual((1,), again.cursor().execute("select 1 from dual").fetchone())
        pool.close()

    def test_what_a_client_says_of_its_work_is_shown(self):
        connection = self.connect(program="peer-program")
        connection.module, connection.action = "the module", "the action"
        connection.client_identifier, connection.clientinfo = "the client", "the info"
        row = connection.cursor().execute(
            "select program, module, action, client_identifier, client_info from v$session"
            " where sid = userenv('sid')").fetchone()
        self.assertEqual(("peer-program", "the module", "the action", "the client", "the info"),
                         row)

    def test_each_field_version_of_the_client(self):
        for version in (7, 8, 9, 11, 12, 13, 16, 24):
            with self.subTest(version=version):
                connection = self.connect(field_version=version)
                row = connection.cursor().execute("select 1, 'é', :v from dual", ["x"]).fetchone()
                self.assertEqual((1, "é", "x"), row)
                connection.close()


class Queries(Case):
    def test_rows_of_many_fetches(self):
        for fetch in (1, 7, 100, 500):
            with self.subTest(fetch=fetch):
                cursor = self.connect(fetch=fetch).cursor()
                cursor.execute("select level, 'row ' || level, mod(level, 3) from dual"
                               " connect by level <= 234")
                self.assertEqual([(n, f"row {n}", n % 3) for n in range(1, 235)],
                                 cursor.fetchall())

    def test_description(self):
        cursor = self.table(self.connect(), "described",
                            "n number(7,2) not null, v varchar2(20 char), c char(3), r raw(16),"
                            " d date, t timestamp(3), nv nvarchar2(5), f binary_double")
        cursor.execute("select * from described")
        names = [(d[0], d[1], d[4], d[5], d[6]) for d in cursor.description]
        self.assertEqual([("N", seerdb.DB_TYPE_NUMBER, 7, 2, False),
                          ("V", seerdb.DB_TYPE_VARCHAR, None, None, True),
                          ("C", seerdb.DB_TYPE_CHAR, None, None, True),
                          ("R", seerdb.DB_TYPE_RAW, None, None, True),
                          ("D", seerdb.DB_TYPE_DATE, None, None, True),
                          ("T", seerdb.DB_TYPE_TIMESTAMP, 0, 3, True),
                          ("NV", seerdb.DB_TYPE_NVARCHAR, None, None, True),
                          ("F", seerdb.DB_TYPE_BINARY_DOUBLE, None, None, True)], names)
        self.assertEqual((20, 80), cursor.description[1][2:4])

    def test_errors_have_code_text_and_position(self):
        cursor = self.connect().cursor()
        error = self.assert_ora(942, cursor.execute, "select * from nosuch")
        self.assertIn("table or view does not exist", str(error))
        self.assertEqual(14, error.offset)
        self.assert_ora(904, cursor.execute, "select nosuch from dual")
        self.assert_ora(900, cursor.execute, "nonsense")
        self.assertEqual((1,), cursor.execute("select 1 from dual").fetchone())

    def test_an_error_in_a_row_ends_the_rows(self):
        # seerdb goes on fetching after any status but 1403 and reports what that answers: a server
        # closes the rows with the error, so it is 1002 and not the 1476 of the row.
        cursor = self.connect(fetch=10).cursor()
        self.assert_ora(1002, cursor.execute,
                        "select 1/(50 - level) from dual connect by level < 100")

    def test_statement_of_seventy_kilobytes(self):
        long = "select /* " + "y" * 70000 + " */ 7 from dual"
        self.assertEqual((7,), self.connect().cursor().execute(long).fetchone())

    def test_many_statements_and_repeats(self):
        cursor = self.connect().cursor()
        for n in range(120):
            self.assertEqual((n,), cursor.execute(f"select {n} from dual").fetchone())
        for n in range(50):
            self.assertEqual((n,), cursor.execute("select :n from dual", [n]).fetchone())

    def test_parse_only(self):
        cursor = self.connect().cursor()
        cursor.parse("select 1 from dual")
        self.assert_ora(942, cursor.parse, "select * from nosuch")

    def test_cursor_columns(self):
        cursor = self.connect().cursor()
        cursor.execute("select level, cursor(select level * 10 from dual connect by level < 4)"
                       " from dual connect by level < 3")
        rows = [(n, nested.fetchall()) for n, nested in cursor.fetchall()]
        self.assertEqual([(1, [(10,), (20,), (30,)]), (2, [(10,), (20,), (30,)])], rows)


class Types(Case):
    def both_ways(self, column, values, **more):
        """Each value bound into a column and read again; by value and by NULL."""
        connection = self.connect(**more)
        cursor = self.table(connection, "kept", f"id number, v {column}")
        for n, value in enumerate(values):
            cursor.execute("insert into kept values (:1, :2)", [n, value])
        cursor.execute("insert into kept (id) values (1000)")
        cursor.execute("select v from kept order by id")
        got = [row[0] for row in cursor.fetchall()]
        self.assertEqual([*values, None], got)

    def test_numbers(self):
        self.both_ways("number", [0, 1, -1, 10, 100, -100, 99, 255, 256, 10**37, -10**37,
                                  D("0.1"), D("-0.001"), D("123456789.987654321"), D("1E-130"),
                                  12345678901234567890123456789012345678])

    def test_character_types(self):
        self.both_ways("varchar2(4000)", ["a", "é", "日本語", "😀", "x" * 252, "x" * 253,
                                          "x" * 4000, "é" * 1500])

    def test_national_character_types(self):
        connection = self.connect()
        cursor = self.table(connection, "national", "v nvarchar2(2000), c nchar(4)")
        cursor.setinputsizes(v=seerdb.DB_TYPE_NVARCHAR, c=seerdb.DB_TYPE_NCHAR)
        cursor.execute("insert into national values (:v, :c)", {"v": "日本😀", "c": "éa"})
        self.assertEqual(("日本😀", "éa  "), cursor.execute("select * from national").fetchone())

    def test_raw(self):
        self.both_ways("raw(2000)", [b"\0", bytes(range(256)), b"\xff" * 2000])

    def test_dates(self):
        self.both_ways("date", [datetime.datetime(2024, 2, 29, 23, 59, 59),
                                datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)])

    def test_timestamps(self):
        self.both_ways("timestamp(6)", [datetime.datetime(2024, 2, 29, 23, 59, 59, 123456),
                                        datetime.datetime(1970, 1, 1, 0, 0, 0, 1)])

    def test_timestamps_with_zones(self):
        zone = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
        self.both_ways("timestamp(6) with time zone",
                       [datetime.datetime(2024, 2, 29, 23, 59, 59, 123456, zone),
                        datetime.datetime(2024, 7, 1, tzinfo=datetime.timezone.utc)])

    def test_region_zones(self):
        cursor = self.connect().cursor()
        cursor.execute("select timestamp '2024-07-01 12:00:00 US/Eastern' from dual")
        self.assertEqual(datetime.timedelta(hours=-4), cursor.fetchone()[0].utcoffset())

    def test_local_timestamps(self):
        cursor = self.table(self.connect(), "local_times", "t timestamp with local time zone")
        cursor.execute("alter session set time_zone = '+02:00'")
        cursor.execute("insert into local_times values (timestamp '2024-07-01 12:00:00 +00:00')")
        self.assertEqual("14", cursor.execute(
            "select to_char(t, 'HH24') from local_times").fetchone()[0])
        self.assertEqual(2024, cursor.execute("select t from local_times").fetchone()[0].year)

    def test_binary_floating_point(self):
        connection = self.connect()
        cursor = self.table(connection, "floats", "id number, f binary_float, d binary_double")
        values = [0.0, 1.5, -1.5, 1e30, float("inf"), float("-inf")]
        for n, value in enumerate(values):
            cursor.execute("insert into floats values (:1, :2, :3)",
                           [n, seerdb.BinaryFloat(value), seerdb.BinaryDouble(value)])
        rows = cursor.execute("select f, d from floats order by id").fetchall()
        self.assertEqual(values, [d for _, d in rows])
        for value, (single, _) in zip(values, rows):
            self.assertAlmostEqual(1, 1 if single == value else single / value, places=6)

    def test_intervals(self):
        self.both_ways("interval day(9) to second(6)",
                       [datetime.timedelta(days=1234, seconds=5, microseconds=678901),
                        -datetime.timedelta(days=3, hours=4, microseconds=1),
                        datetime.timedelta(0)])

    def test_intervals_of_months(self):
        self.both_ways("interval year(4) to month",
                       [seerdb.IntervalYM(12, 7), seerdb.IntervalYM(0, 0)])

    def test_rowids(self):
        connection = self.connect()
        cursor = self.table(connection, "with_rowids", "n number")
        cursor.executemany("insert into with_rowids values (:1)", [[1], [2], [3]])
        rows = cursor.execute("select rowid, n from with_rowids").fetchall()
        for rowid, n in rows:
            self.assertEqual(18, len(rowid))
            self.assertEqual((n,), cursor.execute("select n from with_rowids where rowid = :r",
                                                  [rowid]).fetchone())
        cursor.execute("update with_rowids set n = 20 where n = 2")
        self.assertEqual(rows[1][0], cursor.lastrowid)

    def test_long(self):
        connection = self.connect()
        cursor = self.table(connection, "longs", "id number, l long")
        for n, text in enumerate(("short", "x" * 50000)):
            cursor.setinputsizes(None, seerdb.DB_TYPE_LONG)
            cursor.execute("insert into longs values (:1, :2)", [n, text])
        rows = cursor.execute("select id, l from longs order by id").fetchall()
        self.assertEqual([(0, "short"), (1, "x" * 50000)], rows)

    def test_long_raw(self):
        connection = self.connect()
        cursor = self.table(connection, "long_raws", "id number, l long raw")
        cursor.setinputsizes(None, seerdb.DB_TYPE_LONG_RAW)
        cursor.execute("insert into long_raws values (:1, :2)", [1, bytes(range(256)) * 200])
        rows = cursor.execute("select l from long_raws").fetchall()
        self.assertEqual([(bytes(range(256)) * 200,)], rows)


class NewestTypes(Types):
    """The same values in the newest layouts, and the types that came with them."""

    ARGUMENTS = ("--emulate", "23ai")

    def test_booleans(self):
        connection = self.connect()
        cursor = self.table(connection, "flags", "id number, b boolean")
        for n, value in enumerate((True, False, None)):
            cursor.setinputsizes(None, seerdb.DB_TYPE_BOOLEAN)
            cursor.execute("insert into flags values (:1, :2)", [n, value])
        rows = cursor.execute("select b from flags order by id").fetchall()
        self.assertEqual([(True,), (False,), (None,)], rows)

    # Scalar documents of more than 255 bytes are left out: seerdb reads one byte of their length.
    def test_json(self):
        connection = self.connect()
        cursor = self.table(connection, "documents", "id number, j json")
        documents = [{"s": "x" * 500}, {"a": 1, "b": [True, False, None, "é", {"c": D("-2.5")}]},
                     [], {}, [{"n": 1, "m": 2}, {"n": 3, "m": 4}], "text", 7,
                     {f"name{i}": i for i in range(300)} | {"few": {"one": 1}},
                     [{"v": "y" * 1000}] * 100, {"long name " * 40: {"short": 1}},
                     list(range(400))]
        for n, document in enumerate(documents):
            cursor.execute("insert into documents values (:1, :2)",
                           [n, json.dumps(document, default=float)])
        rows = cursor.execute("select j from documents order by id").fetchall()
        self.assertEqual(documents, [row[0] for row in rows])

    def test_vectors(self):
        connection = self.connect()
        cursor = self.table(connection, "vectors", "id number, v vector(3, float32)")
        cursor.execute("insert into vectors values (1, :1)",
                       [array.array("f", [1.5, -2.5, 0.25])])
        cursor.execute("insert into vectors values (2, '[1, 2, 3]')")
        rows = cursor.execute("select v from vectors order by id").fetchall()
        self.assertEqual([[1.5, -2.5, 0.25], [1.0, 2.0, 3.0]], [list(r[0]) for r in rows])


class Changes(Case):
    def test_commit_and_rollback(self):
        connection = self.connect()
        cursor = self.table(connection, "kept_rows", "n number")
        cursor.execute("insert into kept_rows values (1)")
        connection.commit()
        cursor.execute("insert into kept_rows values (2)")
        connection.rollback()
        other = self.connect()
        self.assertEqual([(1,)], other.cursor().execute("select n from kept_rows").fetchall())

    def test_autocommit(self):
        connection = self.connect(autocommit=True)
        cursor = self.table(connection, "auto_rows", "n number")
        cursor.execute("insert into auto_rows values (1)")
        other = self.connect()
        self.assertEqual([(1,)], other.cursor().execute("select n from auto_rows").fetchall())

    def test_closing_rolls_back(self):
        connection = self.connect()
        self.table(connection, "lost_rows", "n number").execute("insert into lost_rows values (1)")
        connection.close()
        self.assertEqual([], self.connect().cursor().execute("select * from lost_rows").fetchall())

    def test_row_counts(self):
        cursor = self.table(self.connect(), "counted", "n number")
        cursor.executemany("insert into counted values (:1)", [[n] for n in range(10)])
        self.assertEqual(10, cursor.rowcount)
        cursor.execute("update counted set n = n + 1 where n < 4")
        self.assertEqual(4, cursor.rowcount)
        cursor.execute("delete from counted where n = 100")
        self.assertEqual(0, cursor.rowcount)

    def test_row_counts_of_each_row(self):
        cursor = self.table(self.connect(), "counted_rows", "n number")
        cursor.executemany("insert into counted_rows values (:1)", [[n] for n in (1, 1, 2)])
        cursor.executemany("delete from counted_rows where n = :1", [[2], [1], [77]],
                           arraydmlrowcounts=True)
        self.assertEqual([1, 2, 0], cursor.getarraydmlrowcounts())

    def test_batch_errors(self):
        cursor = self.table(self.connect(), "unique_rows", "n number primary key")
        cursor.executemany("insert into unique_rows values (:1)", [[1], [2], [1], [3], [2]],
                           batcherrors=True)
        errors = [(e.offset, e.code) for e in cursor.getbatcherrors()]
        self.assertEqual([(2, 1), (4, 1)], errors)
        self.assertEqual([(1,), (2,), (3,)],
                         cursor.execute("select n from unique_rows order by n").fetchall())

    def test_rows_before_a_bad_one_stay(self):
        cursor = self.table(self.connect(), "half_done", "n number primary key")
        self.assert_ora(1, cursor.executemany, "insert into half_done values (:1)",
                        [[1], [2], [1], [3]])
        self.assertEqual([(1,), (2,)],
                         cursor.execute("select n from half_done order by n").fetchall())

    def test_large_batches(self):
        cursor = self.table(self.connect(), "many_rows", "n number, v varchar2(100), d date")
        day = datetime.datetime(2024, 1, 1)
        rows = [(n, None if n % 7 == 0 else f"row {n}", day) for n in range(5000)]
        cursor.executemany("insert into many_rows values (:1, :2, :3)", rows)
        self.assertEqual(rows, cursor.execute("select * from many_rows order by n").fetchall())

    def test_constraint_errors_leave_the_session_usable(self):
        cursor = self.table(self.connect(), "checked", "n number not null check (n > 0)")
        for _ in range(3):
            self.assert_ora(1400, cursor.execute, "insert into checked values (:1)", [None])
            self.assert_ora(2290, cursor.execute, "insert into checked values (:1)", [-1])
        cursor.execute("insert into checked values (:1)", [1])
        self.assertEqual(1, cursor.rowcount)

    def test_returning(self):
        cursor = self.table(self.connect(), "returned", "n number, v varchar2(10)")
        number, text = cursor.var(int), cursor.var(str)
        cursor.execute("insert into returned values (7, 'seven') returning n + 1, v into :1, :2",
                       [number, text])
        self.assertEqual(([8], ["seven"]), (number.getvalue(), text.getvalue()))
        cursor.execute("insert into returned values (8, 'eight')")
        many = cursor.var(int)
        cursor.execute("update returned set v = 'x' returning n into :1", [many])
        self.assertEqual([7, 8], sorted(many.getvalue()))

    def test_types_of_binds_may_change_between_executions(self):
        cursor = self.table(self.connect(), "changing", "v varchar2(100)")
        for value in (1, "two", D("3.5"), "x" * 100, None):
            cursor.execute("insert into changing values (:1)", [value])
        self.assertEqual([("1",), ("two",), ("3.5",), ("x" * 100,), (None,)],
                         cursor.execute("select v from changing").fetchall())

    def test_two_phase_commit_is_refused(self):
        connection = self.connect()
        with self.assertRaises(seerdb.DatabaseError):
            connection.tpc_begin(connection.xid(1, "a", "b") if hasattr(connection, "xid")
                                 else seerdb.Xid(1, b"a", b"b"))
        self.assertEqual((1,), connection.cursor().execute("select 1 from dual").fetchone())


class Blocks(Case):
    def test_out_binds(self):
        cursor = self.connect().cursor()
        out = [cursor.var(int), cursor.var(str), cursor.var(seerdb.DB_TYPE_DATE),
               cursor.var(seerdb.DB_TYPE_BINARY_DOUBLE)]
        cursor.execute("begin :1 := 42; :2 := 'é'; :3 := date '2024-02-29'; :4 := 1.5;"
                       " :2 := :2 || :5; end;", [*out, "x"])
        self.assertEqual([42, "éx", datetime.datetime(2024, 2, 29), 1.5],
                         [v.getvalue() for v in out])

    def test_in_out_bind(self):
        cursor = self.connect().cursor()
        both = cursor.var(int)
        both.setvalue(0, 20)
        for expected in (21, 22, 23):
            cursor.execute("begin :n := :n + 1; end;", {"n": both})
            self.assertEqual(expected, both.getvalue())

    def test_ref_cursor(self):
        cursor = self.connect().cursor()
        opened = cursor.var(seerdb.CURSOR)
        cursor.execute("begin open :1 for select level, 'x' from dual connect by level <= 250; end;",
                       [opened])
        self.assertEqual([(n, "x") for n in range(1, 251)], opened.getvalue().fetchall())

    def test_implicit_results(self):
        cursor = self.connect().cursor()
        cursor.execute("declare c sys_refcursor; begin"
                       " open c for select 1 from dual; dbms_sql.return_result(c);"
                       " open c for select 'b' from dual; dbms_sql.return_result(c); end;")
        self.assertEqual([[(1,)], [("b",)]],
                         self.all_results(cursor))

    @staticmethod
    def all_results(cursor):
        results = []
        while cursor.nextset():
            results.append(cursor.fetchall())
        return results

    def test_error_in_a_block(self):
        cursor = self.connect().cursor()
        error = self.assert_ora(6512, cursor.execute,
                                "declare n number; begin n := 1 / 0; end;")
        self.assertIn("ORA-01476", str(error))
        self.assert_ora(6550, cursor.execute, "begin nosuch.procedure_(1); end;")


class LargeObjects(Case):
    TEXTS = ["short", "é" * 5000, "x" * 100000, "😀" * 20000]

    def test_as_values(self):
        cursor = self.table(self.connect(fetch_lobs=False), "lob_rows",
                            "id number, c clob, n nclob, b blob")
        for n, text in enumerate(self.TEXTS):
            cursor.execute("insert into lob_rows values (:1, :2, :3, :4)",
                           [n, text, text[:1000], text.encode()])
        cursor.execute("insert into lob_rows values (10, null, null, null)")
        cursor.execute("insert into lob_rows values (11, empty_clob(), empty_clob(), empty_blob())")
        rows = cursor.execute("select c, n, b from lob_rows order by id").fetchall()
        expected = [(t, t[:1000], t.encode()) for t in self.TEXTS]
        self.assertEqual([*expected, (None, None, None), ("", "", b"")], rows)

    def test_reading_by_locator(self):
        cursor = self.table(self.connect(), "lob_read", "id number, c clob, b blob")
        cursor.execute("insert into lob_read values (1, :1, :2)", ["aé😀" * 1000, b"xyz" * 1000])
        text, binary = cursor.execute("select c, b from lob_read").fetchone()
        self.assertEqual(3000, binary.size())
        self.assertEqual(b"zxy", binary.read(3, 3))
        self.assertEqual("aé😀" * 1000, text.read())
        # Oracle counts UTF-16 units.
        self.assertEqual(4000, text.size())
        self.assertEqual("é", text.read(2, 1))
        self.assertGreater(text.getchunksize(), 0)

    def test_writing_a_stored_one(self):
        connection = self.connect()
        cursor = self.table(connection, "lob_write", "id number, c clob, b blob")
        cursor.execute("insert into lob_write values (1, 'hello world', hextoraw('00010203'))")
        connection.commit()
        text, binary = cursor.execute("select c, b from lob_write").fetchone()
        self.assert_ora(22920, text.write, "HELLO")
        text, binary = cursor.execute("select c, b from lob_write for update").fetchone()
        text.write("HELLO")
        text.write("!" * 10, 12)
        text.open()
        self.assertTrue(text.isopen())
        text.close()
        binary.write(b"\xff\xfe", 4)
        binary.trim(5)
        self.assertEqual("HELLO world" + "!" * 10, text.read())
        connection.commit()
        other = self.connect(fetch_lobs=False)
        self.assertEqual(("HELLO world" + "!" * 10, b"\0\1\2\xff\xfe"),
                         other.cursor().execute("select c, b from lob_write").fetchone())

    def test_temporary_ones(self):
        connection = self.connect(fetch_lobs=False)
        cursor = self.table(connection, "from_temporary", "c clob, b blob")
        text = connection.createlob(seerdb.DB_TYPE_CLOB, "é" * 40000)
        binary = connection.createlob(seerdb.DB_TYPE_BLOB, b"\1\2" * 40000)
        cursor.execute("insert into from_temporary values (:1, :2)", [text, binary])
        self.assertEqual(("é" * 40000, b"\1\2" * 40000),
                         cursor.execute("select c, b from from_temporary").fetchone())


class NewestQueries(Queries):
    ARGUMENTS = ("--emulate", "23ai")


class SQL21c(Queries):
    ARGUMENTS = ("--emulate", "21c")


class OldestQueries(Queries):
    ARGUMENTS = ("--emulate", "11.2")


class OldestChanges(Changes):
    ARGUMENTS = ("--emulate", "11.2")
    # Both came with 12.1.
    test_row_counts_of_each_row = None
    test_batch_errors = None


class NewestChanges(Changes):
    ARGUMENTS = ("--emulate", "23ai")


class NewestBlocks(Blocks):
    ARGUMENTS = ("--emulate", "23ai")


class NewestLargeObjects(LargeObjects):
    ARGUMENTS = ("--emulate", "23ai")


class Encrypted(Queries):
    """Native encryption and integrity, both required of the client."""

    ARGUMENTS = ("--encryption", "required", "--checksum", "required")


def load_tests(loader, tests, _pattern):
    if MISSING is None:
        return tests
    return unittest.TestSuite([peers.MissingPeer("seerdb", MISSING)])
