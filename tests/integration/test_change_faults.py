"""Many applications write to the source while a task that follows them meets one fault after another.

At every sampled instant no money is missing on the target; at the end all rows are equal, and
`wherry validate` says so too. WHERRY_SEED repeats a run's choices (not its timing).
"""
import os
import unittest

from support.fault_case import TABLE_NAMES, FaultCase
from support.fault_writers import FILL, TABLES, Writer
from support.faults import BEGIN, MODES, PostgresRig
from support.paths import LONG
from support.postgres import Postgres


class ChangeFaults(FaultCase):
    seed = int(os.environ.get("WHERRY_SEED", "20241031"))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = Postgres()
        cls.addClassCleanup(cls.source.close)
        # Transactions are streamed before they end, and sessions of a crash are known as gone soon.
        cls.source.execute("postgres", "alter system set logical_decoding_work_mem = '64kB'",
                           "select pg_reload_conf()")

    def make_rig(self, database, prep, chooser):
        self.source.create_database(database)
        self.source.execute(database, *TABLES, *FILL)
        if prep == "DO_NOTHING":
            self.target.execute(database, *TABLES)
        return PostgresRig(self.source, self.target, database, prep, chooser)

    def make_writer(self, rig, chooser, number):
        return Writer(self.source, rig.database, chooser, number)

    def names(self, rig):
        return [name for name, in self.source.query(rig.database, TABLE_NAMES)]

    def rows(self, rig, name):
        query = f"select to_jsonb(t)::text from app.{name} t order by 1"
        return tuple(server.query(rig.database, query) for server in (self.source, self.target))

    def test_twenty_faults_in_changing_modes(self):
        self.survive(list(MODES), BEGIN[:3], 17, same_tables=True)

    @unittest.skipUnless(LONG, "long")
    def test_five_hundred_faults(self):
        self.survive_long()


if __name__ == "__main__":
    unittest.main()
