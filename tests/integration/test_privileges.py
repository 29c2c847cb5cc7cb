"""Rights at the simulator, as an official driver meets them, also after a restart."""
import tempfile
import unittest

import oracledb

from support.orasim import PASSWORD, Orasim

LOW_PASSWORD = "low-Secret-9"


def ora_number(test, run):
    with test.assertRaises(oracledb.DatabaseError) as caught:
        run()
    return caught.exception.args[0].code


class Privileges(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="orasim-privileges-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.sim = self.start()
        self.sim.execute(
            "create table t (id number(9) primary key, s varchar2(20))",
            "insert into t values (1, 'one')",
            f'create user low identified by "{LOW_PASSWORD}"')

    def start(self):
        sim = Orasim("--data", self.directory)
        self.addCleanup(lambda: sim.close())
        return sim

    def low(self, sql):
        return self.sim.query(sql, "LOW", LOW_PASSWORD)

    def test_rights_come_and_go_while_a_session_lives(self):
        self.assertEqual(ora_number(self, lambda: self.sim.connect("LOW", LOW_PASSWORD)), 1045)
        self.sim.execute("grant create session to low")
        with self.sim.connect("LOW", LOW_PASSWORD) as connection:
            cursor = connection.cursor()

            def read():
                return cursor.execute("select s from app.t").fetchall()

            self.assertEqual(ora_number(self, read), 942)
            self.sim.execute("grant insert on t to low")
            self.assertEqual(ora_number(self, read), 1031)
            self.sim.execute("grant select on t to low")
            self.assertEqual(read(), [("one",)])
            self.sim.execute("revoke select, insert on t from low")
            self.assertEqual(ora_number(self, read), 942)

    def test_grants_last_beyond_a_crash(self):
        self.sim.execute("create role readers", "grant select on t to readers",
                         "grant create session, readers to low")
        before = self.low("select granted_role from user_role_privs")
        self.sim.crash()
        self.sim = self.start()
        self.assertEqual(self.low("select s from app.t"), [("one",)])
        self.assertEqual(self.low("select granted_role from user_role_privs"), before)
        self.assertEqual(ora_number(self, lambda: self.low("select * from dba_users")), 942)

    def test_the_catalog_shows_what_a_user_may_use(self):
        self.sim.execute("create table hidden (x number)", "grant create session to low",
                         "grant select on t to low")
        for view, column in [("all_tables", "table_name"), ("all_tab_columns", "table_name"),
                             ("all_constraints", "table_name"), ("all_indexes", "table_name")]:
            names = {row[0] for row in self.low(f"select {column} from {view}")}
            self.assertEqual(names, {"T"}, view)
        self.assertEqual(self.low("select grantee, owner, table_name, privilege "
                                  "from user_tab_privs"), [("LOW", "APP", "T", "SELECT")])
