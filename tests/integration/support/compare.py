"""Reads the same table from both sides by independent clients, in one form of values."""
import contextlib
import datetime
import decimal

import oracledb


def _plain(value):
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return decimal.Decimal(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.timezone.utc)
    return value


def _decimals(cursor, name, default_type, size, precision, scale):
    if default_type == oracledb.DB_TYPE_NUMBER:
        return cursor.var(decimal.Decimal, arraysize=cursor.arraysize)
    if default_type == oracledb.DB_TYPE_CLOB:
        return cursor.var(oracledb.DB_TYPE_LONG, arraysize=cursor.arraysize)
    if default_type == oracledb.DB_TYPE_BLOB:
        return cursor.var(oracledb.DB_TYPE_LONG_RAW, arraysize=cursor.arraysize)
    return None


def oracle_tables(connection):
    with connection.cursor() as cursor:
        cursor.execute("select table_name from user_tables order by table_name")
        return [name for name, in cursor]


def oracle_rows(connection, table):
    """(column names, rows); CHAR padding removed, as Wherry does by default."""
    with connection.cursor() as cursor:
        cursor.outputtypehandler = _decimals
        cursor.execute(f'select * from "{table}"')
        names = [entry[0] for entry in cursor.description]
        padded = [entry[1] in (oracledb.DB_TYPE_CHAR, oracledb.DB_TYPE_NCHAR)
                  for entry in cursor.description]
        rows = [tuple(v.rstrip(" ") if p and v is not None else _plain(v)
                      for v, p in zip(row, padded)) for row in cursor]
    return names, rows


def postgres_rows(server, database, schema, table, names):
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    with contextlib.closing(server.connect(database)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f'select {columns} from "{schema}"."{table}"')
            return [tuple(_plain(v) for v in row) for row in cursor]


def sort_key(row):
    return tuple((value is None, str(type(value)), str(value)) for value in row)


def assert_same_rows(test, left, right, what):
    """Rows as bags: same rows the same number of times."""
    test.assertEqual(len(left), len(right), f"{what}: number of rows")
    for mine, theirs in zip(sorted(left, key=sort_key), sorted(right, key=sort_key)):
        test.assertEqual(mine, theirs, what)
