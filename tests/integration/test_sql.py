"""Statements and what Oracle answers to them: the files in sql/, sent by python-oracledb.

A file is a list of cases with blank lines between them. The first lines of a case are one
statement; the lines behind it say the answer:
  = a | b    a row, in order; NULL for a null, ISO form for dates, lower-case hex for RAW
  = (none)   no rows
  # n        n rows were touched
  ! n @p     ORA-n; with @p at that offset of the statement
Without such a line the statement must succeed. Lines that start with -- are notes. Each file has a
user of its own; one that begins with "-- emulate NAME" has a server of its own, of that release.
"""
import datetime
import decimal
import pathlib
import unittest

import oracledb

from support.orasim import PASSWORD, Orasim

FILES = sorted((pathlib.Path(__file__).parent / "sql").glob("*.txt"))


class Case:
    def __init__(self, lines):
        marks = ("= ", "# ", "! ")
        self.sql = "\n".join(line for line in lines if not line.startswith(marks))
        self.rows = [line[2:] for line in lines if line.startswith("= ")]
        self.count = next((int(line[2:]) for line in lines if line.startswith("# ")), None)
        self.error = next((line[2:] for line in lines if line.startswith("! ")), None)


def cases(path):
    lines = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
    block = []
    for line in lines + [""]:
        if line and not line.startswith("--"):
            block.append(line)
        elif not line and block:
            yield Case(block)
            block = []


def shown(value):
    if value is None:
        return "NULL"
    if isinstance(value, datetime.datetime):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (decimal.Decimal, float, int)):
        return number_text(decimal.Decimal(repr(value) if isinstance(value, float) else value))
    return str(value)


def number_text(value):
    if not value.is_finite():
        return str(value)
    if abs(value.adjusted()) > 45:
        return str(value.normalize())
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def answer(cursor, sql):
    """What the server says, in the notation of the files."""
    try:
        cursor.execute(sql)
        if cursor.description:
            rows = [f"= {' | '.join(shown(v) for v in row)}" for row in cursor.fetchall()]
            return rows or ["= (none)"]
        return [f"# {cursor.rowcount}"]
    except oracledb.Error as error:
        info = error.args[0]
        return [f"! {info.code} @{info.offset}"]


def wanted(case, got):
    """The answer that the case asks for, in the form of `got`."""
    if case.error is not None:
        with_place = "@" in case.error or not got[0].startswith("! ")
        if not with_place:
            got[0] = got[0].partition(" @")[0]
        return [f"! {case.error}"]
    if case.rows:
        return [f"= {row}" for row in case.rows]
    if case.count is not None:
        return [f"# {case.count}"]
    if got[0].startswith("! "):
        return ["success"]
    return got


def release_of(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("-- emulate ") if first.startswith("-- emulate ") else "19"


class OracleSql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        oracledb.defaults.fetch_decimals = True
        oracledb.defaults.fetch_lobs = False
        users = [(path.stem.upper(), PASSWORD) for path in FILES]
        cls.servers = {}
        for release in {release_of(path) for path in FILES}:
            cls.servers[release] = Orasim("--emulate", release, users=users)
            cls.addClassCleanup(cls.servers[release].close)

    def run_file(self, path):
        wrong = []
        sim = self.servers[release_of(path)]
        with sim.connect(path.stem.upper()) as connection, connection.cursor() as cursor:
            for case in cases(path):
                got = answer(cursor, case.sql)
                expected = wanted(case, got)
                if got != expected:
                    wrong.append("\n".join([case.sql, "  wanted:", *expected, "  got:", *got]))
        if wrong:
            self.fail(f"{path.name}, {len(wrong)} wrong\n" + "\n\n".join(wrong))


def add_test(path):
    def test(self):
        self.run_file(path)
    setattr(OracleSql, f"test_{path.stem}", test)


for file in FILES:
    add_test(file)


if __name__ == "__main__":
    unittest.main()
