"""Many applications write to the source while a task that follows them meets one fault after another.

At every sampled instant no money is missing on the target; at the end all rows are equal, and
`wherry validate` says so too. WHERRY_SEED repeats a run's choices (not its timing).
"""
import os
import random
import unittest

from support.fault_writers import FILL, MONEY, RIGHT_MONEY, TABLES, Watcher, Writer
from support.faults import BEGIN, MODES, Rig
from support.paths import LONG
from support.postgres import PASSWORD, Postgres

SEED = int(os.environ.get("WHERRY_SEED", "20241031"))
FAULTS = int(os.environ.get("WHERRY_FAULTS", "100"))  # of a long round
WRITERS = 5 if LONG else 3


class ChangeFaults(unittest.TestCase):
    survived = 0

    @classmethod
    def setUpClass(cls):
        cls.source, cls.target = Postgres(), Postgres()
        cls.addClassCleanup(cls.source.close)
        cls.addClassCleanup(cls.target.close)
        # Transactions are streamed before they end, and sessions of a crash are known as gone soon.
        cls.source.execute("postgres", "alter system set logical_decoding_work_mem = '64kB'",
                           "select pg_reload_conf()")
        cls.databases = 0

    def survive(self, modes, begin_places, faults, same_tables):
        """`same_tables`: those of the target have all constraints of the source's."""
        seed = SEED + type(self).databases
        type(self).databases += 1
        database = f"faults{self.databases}"
        chooser = random.Random(seed)
        for server in (self.source, self.target):
            server.create_database(database)
        self.source.execute(database, *TABLES, *FILL)
        if same_tables:
            self.target.execute(database, *TABLES)
        rig = Rig(self.source, self.target, database,
                  "DO_NOTHING" if same_tables else "DROP_AND_CREATE", chooser)
        self.addCleanup(rig.close)
        rig.modes = modes
        rig.writers = [Writer(self.source, database, random.Random(seed * 100 + number), number)
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
        rig.writers[0].may_alter = True
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
        for writer in rig.writers:
            writer.stop()
        # A changed definition comes with the next row of its table.
        self.source.execute(rig.database, "insert into app.altered (id) values (0)")
        rig.wait_for_target()
        watcher.stop()
        self.assertEqual(watcher.wrong, [], "a torn transaction")
        rig.stop_when_caught_up()

    def assert_equal(self, rig):
        tables = "select tablename from pg_tables where schemaname = 'app' order by 1"
        names = self.source.query(rig.database, tables)
        self.assertEqual(self.target.query(rig.database, tables), names)
        for name, in names:
            query = f"select to_jsonb(t)::text from app.{name} t order by 1"
            there = self.source.query(rig.database, query)
            here = self.target.query(rig.database, query)
            self.assertEqual(len(here), len(there), name)
            self.assertTrue(here == there, f"{name}: {set(here) ^ set(there)}"[:2000])
        self.assertEqual(self.target.query(rig.database, MONEY), [RIGHT_MONEY])
        self.assertEqual(self.target.query(
            rig.database, "select count(*) from awsdms_apply_exceptions"), [(0,)])
        checked = rig.task.validate(source_password=PASSWORD)
        self.assertEqual(checked.status, 0, checked.describe())

    def test_twenty_faults_in_changing_modes(self):
        self.survive(list(MODES), BEGIN[:3], 17, same_tables=True)

    @unittest.skipUnless(LONG, "long")
    def test_five_hundred_faults(self):
        """A hundred in each mode, and a hundred while the mode changes at each start."""
        faults = FAULTS - len(BEGIN)
        for number, modes in enumerate([[mode] for mode in MODES] + [list(MODES)]):
            with self.subTest(modes=modes):
                self.survive(modes, BEGIN, faults, same_tables=number % 2 == 1)


if __name__ == "__main__":
    unittest.main()
