"""The test of test_change_faults with applications that write to Oracle, the simulator, through
python-oracledb, while small redo logs are switched and archived throughout.

WHERRY_SEED repeats a run's choices (not its timing).
"""
import decimal
import os
import unittest

import oracledb

from support.fault_case import FaultCase
from support.faults import BEGIN, MODES
from support.oracle_fault_writers import FILL, TABLES, TARGET_TABLES, Writer
from support.oracle_faults import DurableOrasim, OracleRig
from support.paths import LONG


class OracleChangeFaults(FaultCase):
    seed = int(os.environ.get("WHERRY_SEED", "20251201"))

    def make_rig(self, database, prep, chooser):
        source = DurableOrasim()
        self.addCleanup(source.close)
        source.execute(*TABLES, *FILL)
        if prep == "DO_NOTHING":
            self.target.execute(database, *TARGET_TABLES)
        return OracleRig(source, self.target, database, prep, chooser)

    def make_writer(self, rig, chooser, number):
        return Writer(rig.source, chooser, number)

    def names(self, rig):
        return [name.lower() for name, in rig.source.query(
            "select table_name from user_tables order by table_name")]

    def rows(self, rig, name):
        columns = ", ".join(column.lower() for column, in rig.source.query(
            "select column_name from user_tab_columns where table_name = "
            f"'{name.upper()}' order by column_id"))
        with rig.source.connect() as connection, connection.cursor() as cursor:
            there = sorted(map(comparable, cursor.execute(f"select {columns} from {name}")))
        here = self.target.query(rig.database, f"select {columns} from app.{name}")
        return there, sorted(map(comparable, here))

    def test_twenty_faults_in_changing_modes(self):
        self.survive(list(MODES), BEGIN[:3], 17, same_tables=True)

    @unittest.skipUnless(LONG, "long")
    def test_five_hundred_faults(self):
        self.survive_long()


def comparable(row):
    """Of either driver, as texts."""
    cells = []
    for value in row:
        if isinstance(value, oracledb.LOB):
            value = value.read()
        if isinstance(value, memoryview):
            value = value.tobytes()
        if isinstance(value, (int, decimal.Decimal)):
            value = float(value)
        cells.append(repr(value))
    return tuple(cells)


if __name__ == "__main__":
    unittest.main()
