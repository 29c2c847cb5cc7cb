"""A session of python-oracledb with a bit of everything, for recording.
usage: python_session.py HOST:PORT SERVICE USER PASSWORD
"""
import datetime
import decimal
import sys

import oracledb

address, service, user, password = sys.argv[1:]
connection = oracledb.connect(user=user, password=password, dsn=f"{address}/{service}")
cursor = connection.cursor()
cursor.execute("create table rec (id number(9) primary key, t varchar2(100), n nvarchar2(50), "
               "d date, ts timestamp(9), tz timestamp with time zone, f binary_double, "
               "r raw(100), y interval year to month, s interval day(3) to second)")
cursor.execute("create table recl (id number, c clob, b blob, n nclob)")
moment = datetime.datetime(2026, 8, 9, 12, 13, 14, 123456)
rows = [(i, f"text {i} é" * (i % 4), None if i % 3 else "\U0001F600", moment, moment, moment, i / 7,
         bytes(range(i % 50)), datetime.timedelta(days=i, seconds=i, microseconds=i))
        for i in range(250)]
cursor.setinputsizes(None, None, oracledb.DB_TYPE_NVARCHAR, None, oracledb.DB_TYPE_TIMESTAMP,
                     oracledb.DB_TYPE_TIMESTAMP_TZ, oracledb.DB_TYPE_BINARY_DOUBLE, None,
                     oracledb.DB_TYPE_INTERVAL_DS)
cursor.executemany("insert into rec (id, t, n, d, ts, tz, f, r, s) "
                   "values (:1, :2, :3, :4, :5, :6, :7, :8, :9)", rows)
connection.commit()
cursor.execute("update rec set y = numtoyminterval(id - 20, 'MONTH')")
cursor.arraysize = 64
cursor.execute("select id, t, n, d, ts, tz, f, r, s, rowid from rec order by id")
assert len(cursor.fetchall()) == 250
# The same value again and again: bit vectors, also over a fetch.
cursor.execute("select 'same', mod(id, 3), t from rec where mod(id, 4) = 0 order by 2")
cursor.fetchall()
# Again, from the statement cache; then with other binds.
for limit in (10, 20, 30):
    cursor.execute("select id, t from rec where id < :1", [limit])
    assert len(cursor.fetchall()) == limit
# LOBs: by locator, in line, temporary.
long_text = "líne " * 20000
cursor.execute("insert into recl values (1, :1, :2, :3)", ["short", b"\x01\x02", "ñ"])
lob = connection.createlob(oracledb.DB_TYPE_CLOB)
lob.write(long_text)
cursor.execute("insert into recl values (2, :1, :2, null)", [lob, b"x" * 40000])
cursor.execute("insert into recl values (3, empty_clob(), null, null)")
cursor.execute("select id, c, b, n from recl order by id")
for _, text, data, national in cursor.fetchall():
    for value in (text, data, national):
        if value is not None:
            value.size(), value.read(), value.read(1, 3)
cursor.execute("select c from recl where id = 2")
value, = cursor.fetchone()
assert value.read() == long_text
fetch_lobs = oracledb.defaults.fetch_lobs
oracledb.defaults.fetch_lobs = False
cursor.execute("select c, b from recl order by id")
cursor.fetchall()
oracledb.defaults.fetch_lobs = fetch_lobs
# RETURNING, blocks with OUT binds, cursors, errors.
out = cursor.var(oracledb.NUMBER)
text = cursor.var(str)
cursor.execute("insert into rec (id, t) values (1000, 'r') returning id, t into :1, :2", [out, text])
cursor.execute("update rec set t = 'u' where id < 5 returning id, t into :1, :2", [out, text])
out = cursor.var(oracledb.NUMBER)
text = cursor.var(str)
for number in (1, 2):
    cursor.execute("begin :1 := :2 + 1; :3 := 'out'; end;", [out, number, text])
for sql in ("select * from nowhere", "select 1/0 from dual", "insert into rec (id) values (1)",
            "begin nothing(1); end;"):
    try:
        cursor.execute(sql)
        cursor.fetchall()
    except oracledb.DatabaseError:
        pass
cursor.executemany("insert into rec (id) values (:1)", [[1], [2000], [2], [2001]], batcherrors=True,
                   arraydmlrowcounts=True)
assert len(cursor.getbatcherrors()) == 2
cursor.execute("select decode(level, 1, 123456789012345678, 2, -0.000001, 0.1) from dual connect by level <= 3")
cursor.fetchall()
cursor.execute("select cast(:1 as number) from dual",
               [decimal.Decimal("-1234567890.5")])
cursor.fetchall()
connection.module, connection.action, connection.client_identifier = "rec", "act", "id"
connection.ping()
connection.rollback()
connection.close()
