"""What tests of whole loads share: a simulator and a PostgreSQL cluster for all of a class."""
import unittest

from support.orasim import Orasim
from support.postgres import Postgres


class LoadCase(unittest.TestCase):
    FILL = ()  # statements for the simulator

    @classmethod
    def setUpClass(cls):
        cls.sim = Orasim()
        cls.addClassCleanup(cls.sim.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.sim.execute(*cls.FILL)
        cls.databases = 0

    def new_database(self):
        type(self).databases += 1
        name = f"{type(self).__name__.lower()}{self.databases}"
        self.postgres.create_database(name)
        return name
