"""What the tests of ongoing replication with faults share: writers, faults, and what must hold."""
import os
import random
import unittest

from support.fault_writers import MONEY, RIGHT_MONEY, Watcher
from support.faults import BEGIN, MODES, Rig
from support.paths import LONG
from support.postgres import Postgres

TABLE_NAMES = "select tablename from pg_tables where schemaname = 'app' order by 1"
FAULTS = int(os.environ.get("WHERRY_FAULTS", "100"))  # of a long round
WRITERS = 5 if LONG else 3


class FaultCase(unittest.TestCase):
    """Of a source are `seed`, make_rig(), make_writer(), names() of its tables and rows() of one, at
    the source and at the target."""

    seed = None
    databases = 0

    @classmethod
    def setUpClass(cls):
        cls.target = Postgres()
        cls.addClassCleanup(cls.target.close)

    def survive(self, modes, begin_places, faults, same_tables):
        """`same_tables`: those of the target have all constraints of the source's."""
        seed = self.seed + type(self).databases
        type(self).databases += 1
        database = f"faults{self.databases}"
        self.target.create_database(database)
        rig = self.make_rig(database, "DO_NOTHING" if same_tables else "DROP_AND_CREATE",
                            random.Random(seed))
        self.addCleanup(rig.close)
        rig.modes = modes
        rig.writers = [self.make_writer(rig, random.Random(seed * 100 + number), number)
                       for number in range(WRITERS)]
        for writer in rig.writers:
            self.addCleanup(writer.stop)
        watcher = Watcher(self.target, database)
        self.addCleanup(watcher.stop)
        try:
            self.meet(rig, watcher, begin_places, faults)
            self.assert_equal(rig)
        except BaseException as failure:
            raise AssertionError(f"seed {seed}, in mode {rig.mode}, after {rig.done}: {failure}"
                                 ) from failure
        print(f"{len(rig.done)} faults, {rig.written()} transactions, {watcher.looks} looks, "
              f"seed {seed}")

    def meet(self, rig, watcher, begin_places, faults):
        for writer in rig.writers:
            writer.start()
        for place in begin_places:
            rig.start(place)
            rig.end(-9)
            rig.done.append(place)
        rig.start()
        rig.wait_for_ongoing()
        rig.wait_until(rig.has_no_snapshot, "the snapshots of the load end")
        watcher.start()
        rig.let_alter()
        possible = [fault for fault in Rig.FAULTS
                    if not (fault is Rig.fill_disk and rig.disk.missing)]
        if len(possible) < len(Rig.FAULTS):
            print(f"NOT TESTED: a full disk, for no file system can be mounted: {rig.disk.missing}")
        queue = []
        for _ in range(faults):
            queue = queue or rig.chooser.sample(possible, len(possible))
            fault = queue.pop()
            rig.done.append(fault.__name__)
            fault(rig)
            self.assertEqual(watcher.wrong, [], "a torn transaction")
            if rig.chooser.random() < 0.7:  # else the next comes on top of it
                rig.wait_for_target()
                rig.alter()
        for writer in rig.writers:
            writer.stop()
        # A changed definition comes with the next row of its table.
        rig.at_source("insert into app.altered (id) values (0)")
        rig.wait_for_target()
        watcher.stop()
        self.assertEqual(watcher.wrong, [], "a torn transaction")
        rig.stop_when_caught_up()

    def assert_equal(self, rig):
        names = self.names(rig)
        self.assertEqual(self.target.query(rig.database, TABLE_NAMES), [(name,) for name in names])
        for name in names:
            there, here = self.rows(rig, name)
            self.assertEqual(len(here), len(there), name)
            self.assertTrue(here == there, f"{name}: {set(here) ^ set(there)}"[:2000])
        self.assertEqual(self.target.query(rig.database, MONEY), [RIGHT_MONEY])
        self.assertEqual(self.target.query(
            rig.database, "select count(*) from awsdms_apply_exceptions"), [(0,)])
        checked = rig.task.validate(source_password=rig.SOURCE_PASSWORD)
        self.assertEqual(checked.status, 0, checked.describe())

    def survive_long(self):
        """A round in each mode, and one while the mode changes at each start."""
        faults = FAULTS - len(BEGIN)
        for number, modes in enumerate([[mode] for mode in MODES] + [list(MODES)]):
            with self.subTest(modes=modes):
                self.survive(modes, BEGIN, faults, same_tables=number % 2 == 1)
