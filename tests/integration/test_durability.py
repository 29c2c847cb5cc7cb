"""orasim --data: what a driver was told is committed is there after SIGKILL, whole, and only that."""
import random
import tempfile
import threading
import unittest

import oracledb

from support.orasim import Orasim
from support.paths import LONG

WRITERS = 4
ROUNDS = 10 if LONG else 3
ROWS_PER_TRANSACTION = 3


class Writer(threading.Thread):
    """Commits transactions of three rows in two tables until the server is gone."""

    def __init__(self, sim, number, acknowledged):
        super().__init__(daemon=True)
        self.sim, self.number = sim, number
        self.acknowledged = acknowledged  # called with the id of each acknowledged commit
        self.tried = 0
        self.problem = None

    def run(self):
        try:
            connection = self.sim.connect()
            cursor = connection.cursor()
            while True:
                self.tried += 1
                key = f"{self.sim.port}-{self.number}-{self.tried}"
                cursor.executemany("insert into parts values (:1, :2)",
                                   [(key, n) for n in range(ROWS_PER_TRANSACTION)])
                cursor.execute("insert into heads values (:1, :2)", [key, ROWS_PER_TRANSACTION])
                connection.commit()
                self.acknowledged(key)
        except (oracledb.Error, OSError) as error:
            self.problem = error


class Durability(unittest.TestCase):
    def assert_whole(self, sim, acknowledged, written):
        heads = dict(sim.query("select tx, part_count from heads"))
        parts = dict(sim.query("select tx, count(*) from parts group by tx"))
        self.assertEqual(set(acknowledged) - set(heads), set(), "acknowledged commits are gone")
        self.assertEqual(parts, {tx: ROWS_PER_TRANSACTION for tx in heads},
                         "a transaction came back in part")
        self.assertLessEqual(set(heads), set(written), "rows that nobody committed")

    def test_acknowledged_commits_survive_sigkill(self):
        chooser = random.Random(7)
        acknowledged, attempts = [], set()
        with tempfile.TemporaryDirectory(prefix="wherry-orasim-") as data:
            sim = Orasim("--data", data)
            self.addCleanup(lambda: sim.close())
            sim.execute("create table heads (tx varchar2(40) primary key, part_count number)",
                        "create table parts (tx varchar2(40), n number(3))",
                        "insert into heads values ('gone', 1)", "delete from heads")
            for _ in range(ROUNDS):
                enough = threading.Event()
                wanted = len(acknowledged) + chooser.randint(20, 120)

                def note(key):
                    acknowledged.append(key)
                    if len(acknowledged) >= wanted:
                        enough.set()
                writers = [Writer(sim, number, note) for number in range(WRITERS)]
                for writer in writers:
                    writer.start()
                self.assertTrue(enough.wait(60), [w.problem for w in writers])
                sim.crash()
                for writer in writers:
                    writer.join(30)
                    self.assertIsNotNone(writer.problem)
                    attempts |= {f"{sim.port}-{writer.number}-{n}"
                                 for n in range(1, writer.tried + 1)}
                sim = Orasim("--data", data)
                self.assert_whole(sim, acknowledged, attempts)

    def test_uncommitted_and_rolled_back_work_is_not_there_after_a_stop(self):
        with tempfile.TemporaryDirectory(prefix="wherry-orasim-") as data:
            sim = Orasim("--data", data)
            self.addCleanup(lambda: sim.close())
            sim.execute("create table t (id number primary key, s varchar2(20), c clob, r raw(9))",
                        "comment on table t is 'kept'", "create sequence q start with 5",
                        "insert into t values (1, 'one', 'text é', hextoraw('00ff'))",
                        "insert into t values (2, null, null, null)")
            connection = sim.connect()
            cursor = connection.cursor()
            cursor.execute("insert into t (id) values (3)")
            cursor.execute("savepoint a")
            cursor.execute("update t set s = 'changed' where id = 1")
            sim.crash()
            sim = Orasim("--data", data)
            oracledb.defaults.fetch_lobs = False
            self.assertEqual(sim.query("select id, s, c, r from t order by id"),
                             [(1, "one", "text é", b"\x00\xff"), (2, None, None, None)])
            self.assertEqual(sim.query("select comments from user_tab_comments "
                                       "where table_name = 'T'"), [("kept",)])
            with self.assertRaisesRegex(oracledb.IntegrityError, "ORA-00001"):
                sim.execute("insert into t (id) values (1)")
            self.assertEqual(sim.server.terminate(), 0)
            sim = Orasim("--data", data)
            self.assertEqual(sim.query("select count(*) from t"), [(2,)])

    def test_the_scn_never_goes_back(self):
        with tempfile.TemporaryDirectory(prefix="wherry-orasim-") as data:
            sim = Orasim("--data", data)
            self.addCleanup(lambda: sim.close())
            sim.execute("create table t (id number)", "insert into t values (1)")
            [(before,)] = sim.query("select current_scn from v$database")
            sim.crash()
            sim = Orasim("--data", data)
            [(after,)] = sim.query("select current_scn from v$database")
            self.assertGreaterEqual(after, before)


if __name__ == "__main__":
    unittest.main()
