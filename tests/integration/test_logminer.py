"""orasim's redo and LogMiner as an independent driver sees them: rows are written, logs switched and
mined, also after the server was killed.
"""
import tempfile
import unittest

from support.orasim import Orasim

ISO = ("alter session set nls_date_format = 'YYYY-MM-DD HH24:MI:SS' "
       "nls_timestamp_format = 'YYYY-MM-DD HH24:MI:SS.FF9' "
       "nls_timestamp_tz_format = 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM' time_zone = '+00:00'")
LOGS = """
select name from v$archived_log
 where archived = 'YES' and deleted = 'NO' and status = 'A' and next_change# > :low
union all
select f.member from v$log l join v$logfile f on f.group# = l.group# where l.status = 'CURRENT'"""
CONTENTS = """
select operation, rollback, sql_redo, csf, row_id, rs_id, scn, xidusn, xidslt, xidsqn
  from v$logmnr_contents where operation_code in (1, 2, 3, 5, 7, 36)"""


def mine(connection, low):
    """Rows of the view from the SCN on, their pieces joined."""
    cursor = connection.cursor()
    cursor.execute(ISO)
    names = [name for name, in cursor.execute(LOGS, low=low).fetchall()]
    for position, name in enumerate(names):
        cursor.callproc("dbms_logmnr.add_logfile", [name, 1 if position == 0 else 3])
    cursor.execute("""begin dbms_logmnr.start_logmnr(startscn => :low, options =>
        dbms_logmnr.dict_from_online_catalog + dbms_logmnr.no_sql_delimiter +
        dbms_logmnr.no_rowid_in_stmt); end;""", low=low)
    rows, continues = [], False
    for row in cursor.execute(CONTENTS):
        if continues:
            rows[-1][2] += row[2]
        else:
            rows.append(list(row))
        continues = row[3] == 1
    cursor.execute("begin dbms_logmnr.end_logmnr; end;")
    return rows


class LogMiner(unittest.TestCase):
    def prepare(self, server):
        server.execute("alter database add supplemental log data",
                       "create table ev (id number primary key, v varchar2(4000), d date)",
                       "alter table ev add supplemental log data (all) columns")
        (low,), = server.query("select current_scn from v$database")
        return low + 1

    def test_writes_switches_and_mines(self):
        server = Orasim()
        self.addCleanup(server.close)
        low = self.prepare(server)
        with server.connect() as writer, server.connect() as miner:
            cursor = writer.cursor()
            cursor.executemany("insert into ev values (:1, :2, date '2024-02-29')",
                               [(i, f"o'{i}") for i in range(3)])
            miner.cursor().execute("alter system switch logfile")
            cursor.execute("update ev set v = null where id = 1")
            cursor.execute("delete from ev where id = 2")
            writer.commit()
            cursor.execute("insert into ev values (9, rpad('''', 4000, ''''), null)")
            writer.rollback()
            date = "TO_DATE('2024-02-29 00:00:00', 'YYYY-MM-DD HH24:MI:SS')"
            rows = mine(miner, low)
            texts = [row[2] for row in rows]
            head = 'insert into "%s"."EV"("ID","V","D") values (' % writer.username.upper()
            self.assertEqual(texts[:3], [f"{head}'{i}','o''{i}',{date})" for i in range(3)])
            self.assertTrue(texts[3].endswith(f"""where "ID" = '1' and "V" = 'o''1' and "D" = {date}"""))
            self.assertEqual([row[0] for row in rows],
                             ["INSERT"] * 3 + ["UPDATE", "DELETE", "COMMIT", "INSERT", "DELETE",
                              "ROLLBACK"])
            self.assertEqual(len(texts[6]), len(head) + len("'9',") + 8002 + len(",NULL)"))
            self.assertEqual([row[1] for row in rows], [0] * 7 + [1, 0])
            self.assertEqual(rows[7][2], f"""delete from "{writer.username.upper()}"."EV" """
                                         f"where ROWID = '{rows[6][4]}'")
            addresses = [row[5] for row in rows]
            self.assertEqual(addresses, sorted(addresses))
            self.assertEqual({row[5][:9] for row in rows[:3]}, {" 0x000001"})
            self.assertEqual({row[5][:9] for row in rows[3:]}, {" 0x000002"})
            (current,), = miner.cursor().execute("select current_scn from v$database").fetchall()
            self.assertTrue(all(low <= row[6] <= current + 1 for row in rows))

    def test_redo_survives_a_kill(self):
        with tempfile.TemporaryDirectory() as data:
            server = Orasim("--data", data)
            low = self.prepare(server)
            server.execute("insert into ev values (1, 'a', null)", "commit")
            with server.connect() as one, server.connect() as other:
                one.cursor().execute("insert into ev values (2, 'open', null)")
                other.cursor().execute("alter system switch logfile")
                before = mine(other, low)
                server.crash()
            server = Orasim("--data", data)
            self.addCleanup(server.close)
            with server.connect() as miner:
                after = mine(miner, low)
            self.assertEqual(after[:len(before)], before)
            self.assertEqual([(row[0], row[1]) for row in after[len(before):]],
                             [("DELETE", 1), ("ROLLBACK", 0)])
            self.assertEqual(after[-1][7:], before[-1][7:])


if __name__ == "__main__":
    unittest.main()
