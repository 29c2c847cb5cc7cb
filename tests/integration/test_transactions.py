"""Sessions beside each other: read consistency, row locks, isolation levels, flashback queries."""
import concurrent.futures
import time
import unittest

import oracledb

from support.orasim import Orasim


def code_of(error):
    return error.exception.args[0].code


class Transactions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Orasim()
        cls.addClassCleanup(cls.sim.close)

    def setUp(self):
        self.sim.execute("create table t (id number primary key, n number)",
                         "insert into t select level, 0 from dual connect by level <= 5")
        self.addCleanup(lambda: self.sim.execute("drop table t purge"))
        self.a, self.b = self.session(), self.session()

    def session(self):
        connection = self.sim.connect()
        self.addCleanup(connection.close)
        return connection

    @staticmethod
    def run_in(connection, sql, binds=()):
        with connection.cursor() as cursor:
            cursor.execute(sql, binds)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    def fails_with(self, code, connection, sql):
        with self.assertRaises(oracledb.Error) as error:
            self.run_in(connection, sql)
        self.assertEqual(code_of(error), code, error.exception)

    def scn(self):
        return self.run_in(self.a, "select current_scn from v$database")[0][0]

    def test_an_open_cursor_reads_at_the_time_of_its_execution(self):
        cursor = self.a.cursor()
        cursor.prefetchrows = cursor.arraysize = 1
        cursor.execute("select id, n from t order by id")
        first = cursor.fetchone()
        self.run_in(self.b, "update t set n = 9")
        self.run_in(self.b, "delete from t where id = 5")
        self.b.commit()
        self.assertEqual([first] + cursor.fetchall(), [(i, 0) for i in range(1, 6)])
        self.assertEqual(self.run_in(self.a, "select sum(n), count(*) from t"), [(36, 4)])

    def test_others_do_not_see_what_is_not_committed(self):
        self.run_in(self.a, "update t set n = 1 where id = 1")
        self.run_in(self.a, "insert into t values (6, 6)")
        self.assertEqual(self.run_in(self.a, "select sum(n) from t"), [(7,)])
        self.assertEqual(self.run_in(self.b, "select sum(n), count(*) from t"), [(0, 5)])
        self.a.rollback()
        self.assertEqual(self.run_in(self.a, "select sum(n), count(*) from t"), [(0, 5)])

    def test_for_update(self):
        self.run_in(self.a, "select id from t where id = 2 for update")
        self.fails_with(54, self.b, "select id from t where id = 2 for update nowait")
        self.assertEqual(
            self.run_in(self.b, "select id from t where id <= 3 order by id for update skip locked"),
            [(1,), (3,)])
        self.a.commit()
        self.assertEqual(self.run_in(self.b, "select id from t where id = 2 for update nowait"),
                         [(2,)])

    def test_for_update_waits_so_long_and_no_longer(self):
        self.run_in(self.a, "select id from t where id = 2 for update")
        begin = time.monotonic()
        self.fails_with(30006, self.b, "select id from t where id = 2 for update wait 1")
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        self.fails_with(54, self.b, "select id from t where id = 2 for update wait 0")
        self.fails_with(30005, self.b, "select id from t where id = 2 for update wait -1")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.run_in, self.b,
                                  "select id from t where id = 2 for update wait 60")
            self.a.commit()
            self.assertEqual(waiting.result(30), [(2,)])

    def test_for_update_reads_what_the_lock_holder_committed(self):
        self.run_in(self.a, "update t set n = 41 where id = 1")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.run_in, self.b, "select n from t where id = 1 for update")
            self.a.commit()
            self.assertEqual(waiting.result(30), [(41,)])

    def test_a_writer_waits_and_sees_the_new_row(self):
        self.run_in(self.a, "update t set n = n + 1 where id = 1")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.run_in, self.b, "update t set n = n + 10 where id = 1")
            self.a.commit()
            self.assertEqual(waiting.result(30), 1)
        self.b.commit()
        self.assertEqual(self.run_in(self.a, "select n from t where id = 1"), [(11,)])

    def test_a_deadlock_ends_one_statement(self):
        self.run_in(self.a, "update t set n = 1 where id = 1")
        self.run_in(self.b, "update t set n = 2 where id = 2")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            def update(connection, row):
                try:
                    return self.run_in(connection, f"update t set n = 3 where id = {row}")
                except oracledb.Error as error:
                    connection.rollback()
                    return error.args[0].code
            ends = {pool.submit(update, self.a, 2), pool.submit(update, self.b, 1)}
            self.assertEqual(sorted(end.result(30) for end in ends), [1, 60])

    def test_two_sessions_insert_the_same_key(self):
        self.run_in(self.a, "insert into t values (7, 1)")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.run_in, self.b, "insert into t values (7, 2)")
            self.a.commit()
            with self.assertRaises(oracledb.IntegrityError) as error:
                waiting.result(30)
            self.assertEqual(code_of(error), 1)

    def test_serializable_may_not_change_what_others_changed(self):
        self.run_in(self.a, "set transaction isolation level serializable")
        self.assertEqual(self.run_in(self.a, "select n from t where id = 1"), [(0,)])
        self.run_in(self.b, "update t set n = 5 where id = 1")
        self.b.commit()
        self.assertEqual(self.run_in(self.a, "select n from t where id = 1"), [(0,)])
        self.fails_with(8177, self.a, "update t set n = 6 where id = 1")
        self.assertEqual(self.run_in(self.a, "update t set n = 6 where id = 2"), 1)

    def test_read_only(self):
        self.run_in(self.a, "set transaction read only")
        self.run_in(self.b, "update t set n = 5")
        self.b.commit()
        self.assertEqual(self.run_in(self.a, "select sum(n) from t"), [(0,)])
        self.fails_with(1456, self.a, "delete from t")
        self.a.commit()
        self.assertEqual(self.run_in(self.a, "select sum(n) from t"), [(25,)])

    def test_as_of_scn(self):
        before = self.scn()
        self.run_in(self.b, "delete from t where id > 2")
        self.b.commit()
        self.run_in(self.b, "update t set n = 7")
        self.assertEqual(self.run_in(self.a, f"select count(*) from t as of scn {before}"), [(5,)])
        self.assertEqual(self.run_in(self.a, "select count(*) from t as of scn :s", [before]),
                         [(5,)])
        self.assertEqual(
            self.run_in(self.a, f"select o.id from t as of scn {before} o left join t n "
                                "on n.id = o.id where n.id is null order by 1"),
            [(3,), (4,), (5,)])
        after = self.scn()
        self.assertEqual(self.run_in(self.b, f"select sum(n) from t as of scn {after}"), [(0,)],
                         "a flashback query does not see the session's own changes")
        self.fails_with(8181, self.a, f"select * from t as of scn {after + 10 ** 9}")

    def test_as_of_scn_before_the_table_changed(self):
        before = self.scn()
        self.run_in(self.b, "alter table t drop column n")
        self.fails_with(1466, self.a, f"select * from t as of scn {before}")

    def test_the_scn_of_rows(self):
        before = self.scn()
        self.run_in(self.b, "update t set n = 1 where id = 3")
        self.b.commit()
        self.assertEqual(self.run_in(self.a, f"select id from t where ora_rowscn > {before}"),
                         [(3,)])

    def test_a_failed_row_of_many_leaves_the_earlier_ones(self):
        with self.a.cursor() as cursor:
            with self.assertRaises(oracledb.IntegrityError):
                cursor.executemany("insert into t values (:1, :2)", [(10, 1), (1, 1), (11, 1)])
        self.assertEqual(self.run_in(self.a, "select id from t where id >= 10"), [(10,)])

    def test_batch_errors(self):
        with self.a.cursor() as cursor:
            cursor.executemany("insert into t values (:1, :2)", [(10, 1), (1, 1), (11, 1), (2, 2)],
                               batcherrors=True)
            self.assertEqual([(e.offset, e.code) for e in cursor.getbatcherrors()],
                             [(1, 1), (3, 1)])
        self.assertEqual(self.run_in(self.a, "select count(*) from t"), [(7,)])

    def test_temporary_rows_belong_to_one_session(self):
        self.run_in(self.a, "create global temporary table g (a number) on commit delete rows")
        self.addCleanup(lambda: self.sim.execute("drop table g"))
        self.run_in(self.a, "insert into g values (1)")
        self.run_in(self.b, "insert into g values (2)")
        self.assertEqual(self.run_in(self.a, "select a from g"), [(1,)])
        self.a.commit()
        self.assertEqual(self.run_in(self.a, "select a from g"), [])
        self.assertEqual(self.run_in(self.b, "select a from g"), [(2,)])
        self.b.rollback()

    def test_ddl_commits(self):
        self.run_in(self.a, "insert into t values (8, 8)")
        self.run_in(self.a, "create table other (a number)")
        self.addCleanup(lambda: self.sim.execute("drop table other"))
        self.a.rollback()
        self.assertEqual(self.run_in(self.b, "select count(*) from t"), [(6,)])

    def test_ddl_waits_for_nobody(self):
        self.run_in(self.a, "update t set n = 1")
        self.fails_with(54, self.b, "alter table t add x number")
        self.fails_with(54, self.b, "drop table t")
        self.a.rollback()


if __name__ == "__main__":
    unittest.main()
