"""Values as large as PostgreSQL takes them, and one byte more: loaded in pieces, in little memory.

In the short form the values have 64 MB; the long form has the limit itself, somewhat less than 1 GB.
"""
import hashlib
import json
import pathlib
import random
import re
import unittest

import oracledb

from support.orasim import Orasim
from support.paths import LONG
from support.postgres import Postgres
from support.wherry import Task, selection

LIMIT_BYTES = (0x3FFFFFFF - 20) // 256 * 255  # of one value in a column with lz4
PIECE_BYTES = 8 << 20
MEMORY_KIB = 200 << 10
SETTINGS = {"TargetMetadata": {"SupportLobs": True, "FullLobMode": True},
            "FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}}


def pieces_of(size):
    """`size` bytes that no compression makes smaller, 8 MiB at a time."""
    block = random.Random(size).randbytes(PIECE_BYTES)
    for start in range(0, size, PIECE_BYTES):
        yield block[:min(PIECE_BYTES, size - start)]


def digest_of(size):
    digest = hashlib.sha256()
    for piece in pieces_of(size):
        digest.update(piece)
    return digest.hexdigest()


def peak_memory_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)  # not there when it has ended
    return int(found.group(1)) if found else 0


class LargeValues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Orasim()
        cls.addClassCleanup(cls.sim.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)

    def make_table(self, name, rows):
        """`rows`: how large the values of the two columns are."""
        self.sim.execute(f"create table {name} (id number(9) primary key, body blob, other blob)")
        with self.sim.connect() as connection, connection.cursor() as cursor:
            for number, sizes in enumerate(rows, 1):
                values = []
                for size in sizes:
                    values.append(connection.createlob(oracledb.DB_TYPE_BLOB))
                    offset = 1
                    for piece in pieces_of(size):
                        values[-1].write(piece, offset)
                        offset += len(piece)
                cursor.execute(f"insert into {name} values (:1, :2, :3)", [number, *values])
                connection.commit()

    def load(self, name):
        """The finished run, and the most memory that it had."""
        self.postgres.create_database(name)
        task = Task(self.sim.url(), self.postgres.url(name), [selection("APP", name.upper())],
                    SETTINGS)
        self.addCleanup(task.close)
        run = task.start()
        peak_kib = 0

        def is_end(line):
            nonlocal peak_kib
            peak_kib = max(peak_kib, peak_memory_kib(run.child.pid))
            return json.loads(line)["event"] == "end"

        run.child.wait_for_line(is_end, 1500)
        return run.finish(), peak_kib, task

    def rows(self, name):
        return self.postgres.query(name, f"""
            select "ID"::int, octet_length("BODY"), encode(sha256("BODY"), 'hex')
              from "APP"."{name.upper()}" order by 1""")

    def test_large_values_come_whole_and_in_little_memory(self):
        sizes = [LIMIT_BYTES, 64 << 20] if LONG else [64 << 20, (64 << 20) - 1]
        self.make_table("wholes", [(size, 1) for size in sizes])
        run, peak_kib, task = self.load("wholes")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.rows("wholes"), [(number, size, digest_of(size))
                                               for number, size in enumerate(sizes, 1)])
        self.assertLess(peak_kib, MEMORY_KIB)
        checked = task.validate(deadline_secs=1500)
        self.assertEqual(checked.status, 0, checked.describe())

    @unittest.skipUnless(LONG, "writes several GB; make test-long runs it")
    def test_what_is_above_the_limits_is_a_row_error(self):
        self.make_table("larger", [(1000, 1), (LIMIT_BYTES + 1, 1), (2000, 1), (600 << 20, 600 << 20)])
        run, peak_kib, _ = self.load("larger")
        self.assertEqual(run.status, 3, run.describe())
        self.assertEqual([row[0] for row in self.rows("larger")], [1, 3])
        self.assertLess(peak_kib, MEMORY_KIB)
        errors = [text for text, in self.postgres.query("larger", """
            select "ERROR" from awsdms_apply_exceptions order by 1""")]
        self.assertEqual(len(errors), 2, errors)
        for error, words in zip(errors, [("1 GB for one value", "BODY", "ID=2"),
                                         ("1 GB for one row", "OTHER", "ID=4")]):
            for word in words:
                self.assertIn(word, error)


if __name__ == "__main__":
    unittest.main()
