"""Tables and writers of the test with faults at an Oracle source; the money is that of fault_writers."""
import random

import oracledb

from support.fault_writers import ACCOUNTS, BALANCE, FAR, KEYED, LARGE, PARENTS, Application

LOG_KEY = "alter table {} add supplemental log data (primary key) columns"
LOG_ALL = "alter table {} add supplemental log data (all) columns"
KEYLESS = ("keyless", "by_index")
TABLES = (
    "alter database add supplemental log data",
    "create table accounts (id number(9) primary key, balance number(12,2) not null, "
    "moves number(9) not null)",
    "create table transfers (id number(18) primary key, payer number(9), payee number(9), "
    "amount number(12,2))",
    "create sequence transfer_ids",
    "create table keyed (id number(18) primary key, name varchar2(200), pad varchar2(200))",
    "create table twice (id number(18) primary key, place number(9) not null, "
    "unique (place) deferrable initially deferred)",
    "create table pairs (a number(9), b varchar2(200), n number(9), primary key (a, b))",
    "create table keyless (a number(9), b varchar2(20), price binary_double, at timestamp(6), "
    "pad varchar2(2000))",
    "create table by_index (id number(18), code varchar2(200) not null unique, v number(9))",
    "create table large (id number(9) primary key, n number(9), body clob, raw_body blob)",
    "create table parents (id number(18) primary key, name varchar2(20))",
    "create table children (id number(18) primary key, parent number(18) references parents "
    "on delete cascade deferrable initially deferred)",
    "create table visits (id number(18) primary key, parent number(18) references parents "
    "on delete cascade)",
    "create table emptied (id number(18) primary key, v varchar2(20))",
    "create table altered (id number(18) primary key, v varchar2(20))",
    "create table bulk (id number generated always as identity primary key, pad varchar2(4000))",
    "create table marks (id number(9) primary key)",
    *(LOG_KEY.format(table) for table in (
        "accounts", "transfers", "keyed", "twice", "pairs", "large", "parents", "children", "visits",
        "emptied", "altered", "bulk", "marks")),
    *(LOG_ALL.format(table) for table in KEYLESS))
LEVELS = "from dual connect by level <= {}"
FILL = (
    f"insert into accounts select level, {BALANCE}, 0 {LEVELS.format(ACCOUNTS)}",
    "insert into keyed select level, 'name ' || level, rpad('x', mod(level, 90), 'x') "
    + LEVELS.format(KEYED),
    f"insert into twice select level, level {LEVELS.format(KEYED)}",
    f"insert into pairs select level, 'b' || mod(level, 7), 0 {LEVELS.format(100)}",
    "insert into keyless select mod(level, 20), 'twin', level / 7, "
    "timestamp '2024-02-29 12:00:00.123456', rpad('x', mod(level, 3) * 500, 'x') "
    + LEVELS.format(100),
    f"insert into by_index select level, 'code ' || level, 0 {LEVELS.format(100)}",
    "insert into large select level, 0, rpad('body ', 3000, level), "
    f"hextoraw(rpad('00ff', 2000, level)) {LEVELS.format(LARGE)}",
    f"insert into parents select level, 'parent ' || level {LEVELS.format(PARENTS)}",
    f"insert into children select level, 1 + mod(level, {PARENTS}) {LEVELS.format(100)}",
    f"insert into altered select level, 'v' {LEVELS.format(50)}")
# What the target has, where it was made before.
TARGET_TABLES = (
    "create schema app",
    "create table app.accounts (id integer primary key, balance numeric(12,2) not null, "
    "moves integer not null)",
    "create table app.transfers (id bigint primary key, payer integer, payee integer, "
    "amount numeric(12,2))",
    "create table app.keyed (id bigint primary key, name text, pad text)",
    "create table app.twice (id bigint primary key, place integer not null, "
    "unique (place) deferrable initially deferred)",
    "create table app.pairs (a integer, b text, n integer, primary key (a, b))",
    "create table app.keyless (a integer, b text, price double precision, at timestamp(6), pad text)",
    "create table app.by_index (id bigint, code text not null unique, v integer)",
    "create table app.large (id integer primary key, n integer, body text, raw_body bytea)",
    "create table app.parents (id bigint primary key, name text)",
    "create table app.children (id bigint primary key, parent bigint references app.parents "
    "on delete cascade deferrable initially deferred)",
    "create table app.visits (id bigint primary key, parent bigint references app.parents "
    "on delete cascade)",
    "create table app.emptied (id bigint primary key, v text)",
    "create table app.altered (id bigint primary key, v text)",
    "create table app.bulk (id numeric primary key, pad text)",
    "create table app.marks (id integer primary key)")

# Errors of a transaction that met another writer: it is rolled back, like any application's. The last
# is the simulator's when a table is truncated or altered at the same moment.
BUMPS = {1, 54, 60, 2091, 2291, 2292, 8103}


def code_of(failure):
    """Of the server's errors; 0 for the driver's own."""
    error = failure.args[0] if failure.args else None
    return getattr(error, "code", 0) or 0


class Writer(Application):
    """A commit whose answer was lost may have happened or not: no row depends on which."""

    def __init__(self, sim, chooser, number):
        super().__init__(chooser, number)
        self._sim = sim
        self.alters = False  # a table, now

    def _connect(self):
        return self._sim.connect()

    @staticmethod
    def _is_lost(failure):
        return (isinstance(failure, (oracledb.OperationalError, oracledb.InterfaceError, OSError))
                or "DPY-4011" in str(failure))

    @staticmethod
    def _is_bump(failure):
        return isinstance(failure, oracledb.DatabaseError) and code_of(failure) in BUMPS

    @staticmethod
    def _keep(cursor):
        """Oracle forgets a savepoint with its transaction, or where its name is used again."""

    def _wants_to_alter(self):
        return self.alters

    def _transaction(self, cursor):
        if self._chooser.random() < 0.03:
            cursor.execute("alter system switch logfile")
        super()._transaction(cursor)

    def _one_of(self, *values):
        return self._chooser.choice(values)

    def _move_money(self, cursor):
        payer, payee = self._chooser.sample(range(1, ACCOUNTS + 1), 2)
        amount = self._chooser.randint(1, 50)
        self._book(cursor, payer, payee, amount, 1)
        cursor.execute("insert into transfers values (transfer_ids.nextval, :1, :2, :3)",
                       (payer, payee, amount))

    def _take_back(self, cursor):
        cursor.execute("select id, payer, payee, amount from transfers "
                       "where id = (select min(id) from transfers)")
        for number, payer, payee, amount in cursor.fetchall():
            cursor.execute("delete from transfers where id = :1", (number,))
            if cursor.rowcount == 1:  # no other writer was faster
                self._book(cursor, payee, payer, amount, -1)

    @staticmethod
    def _book(cursor, payer, payee, amount, moves):
        for account, change in sorted(((payer, -amount), (payee, amount))):
            cursor.execute("update accounts set balance = balance + :1, moves = moves + :2 "
                           "where id = :3", (change, moves, account))

    def _insert_keyed(self, cursor):
        cursor.execute("insert into keyed values (:1, 'it''s new', 'pad')", (self._new_id(),))

    def _update_keyed(self, cursor):
        low = self._chooser.randint(1, KEYED)
        cursor.execute("update keyed set name = substr(name || '.', 1, 200), pad = null "
                       "where id between :1 and :2", (low, low + self._chooser.randint(0, 8)))

    def _delete_keyed(self, cursor):
        cursor.execute("delete from keyed where id = :1", (self._own_id(),))

    def _move_key(self, cursor):
        cursor.execute("update keyed set id = :1 where id = :2", (self._new_id(), self._own_id()))

    def _swap_keys(self, cursor):
        one, two = sorted(self._chooser.sample(range(1, KEYED + 1), 2))
        cursor.execute("update keyed set id = case id when :1 then :2 else :3 end "
                       "where id in (:4, :5)", (one, two, one, one, two))

    def _shift_places(self, cursor):
        """`k = k + 1` where the last goes first, and swaps, both checked at the end."""
        low = self._chooser.randint(1, KEYED - 10)
        high = low + self._chooser.randint(1, 9)
        cursor.execute("update twice set place = case place when :1 then :2 else place + 1 end "
                       "where place between :3 and :4", (high, low, low, high))

    def _write_pairs(self, cursor):
        a = self._chooser.randint(1, 100)
        kind = self._chooser.randint(0, 3)
        if kind == 0:
            cursor.execute("update pairs set b = substr(b || 'x', 1, 200) where a = :1", (a,))
        elif kind == 1:
            cursor.execute("delete from pairs where a = :1", (a,))
        else:
            cursor.execute("merge into pairs p using (select :1 a, :2 b from dual) s "
                           "on (p.a = s.a and p.b = s.b) when matched then update set n = n + 1 "
                           "when not matched then insert (a, b, n) values (s.a, s.b, 0)",
                           (a, f"b{a % 7}"))

    def _write_keyless(self, cursor):
        a = self._chooser.randint(0, 19)
        kind = self._chooser.randint(0, 3)
        if kind == 0:
            cursor.execute("delete from keyless where a = :1 and rownum < 2", (a,))
        elif kind == 1:
            cursor.execute("update keyless set b = case b when 'twin' then 'other' else 'twin' end, "
                           "price = price / 3 where a = :1 and rownum < 3", (a,))
        else:
            cursor.execute("insert into keyless select :1, 'twin', :2, systimestamp, null from dual "
                           "union all select :3, null, null, null, rpad('y', :4, 'y') from dual",
                           (a, a / 7, a, self._one_of(1, 1500)))

    def _write_by_index(self, cursor):
        kind = self._chooser.randint(0, 3)
        if kind == 0:
            number = self._new_id()
            cursor.execute("insert into by_index values (:1, :2, 0)", (number, f"code {number}"))
        elif kind == 1:
            cursor.execute("delete from by_index where id = :1", (self._own_id(),))
        elif kind == 2:
            cursor.execute("update by_index set code = substr(code || '+', 1, 200) where id = :1",
                           (self._chooser.randint(1, 100),))
        else:
            cursor.execute("update by_index set v = v + 1 where id = :1",
                           (self._chooser.randint(1, 100),))

    def _text(self):
        return "".join(self._chooser.choices("abcdefgh'ü€ \n", k=self._one_of(0, 10, 2000, 9000)))

    def _write_large(self, cursor):
        """Most updates leave the large values as they are: they are not in the log."""
        number = self._chooser.randint(1, LARGE)
        kind = self._chooser.randint(0, 6)
        if kind == 0:
            cursor.execute("update large set body = :1, n = n + 1 where id = :2",
                           (self._text() or None, number))
        elif kind == 1:
            cursor.execute("update large set raw_body = :1 where id = :2",
                           (self._chooser.randbytes(self._one_of(1, 1000, 40_000)), number))
        elif kind == 2:
            cursor.execute("update large set id = id + :1 where id = :2", (FAR, number))
            cursor.execute("update large set id = id - :1, n = n + 1 where id = :2",
                           (FAR, FAR + number))
        elif kind == 3:
            cursor.execute("delete from large where id = :1", (number,))
            cursor.execute("insert into large values (:1, 0, :2, null)", (number, self._text()))
        elif kind == 4:
            self._write_in_pieces(cursor, number)
        else:
            cursor.execute("update large set n = n + 1 where id = :1", (number,))

    def _write_in_pieces(self, cursor, number):
        cursor.execute("update large set body = empty_clob() where id = :1", (number,))
        cursor.execute("select body from large where id = :1 for update", (number,))
        for body, in cursor.fetchall():
            at = 1
            for _ in range(self._chooser.randint(1, 3)):
                piece = f"{number} " + self._text()
                body.write(piece, at)
                at += len(piece)

    def _write_family(self, cursor):
        parent = self._chooser.randint(1, PARENTS)
        kind = self._chooser.randint(0, 6)
        if kind == 0:  # the child before its parent
            number = self._new_id()
            cursor.execute("insert into children values (:1, :2)", (number, number))
            cursor.execute("insert into parents values (:1, 'late')", (number,))
        elif kind == 1:
            cursor.execute("delete from parents where id = :1", (self._own_id(),))
        elif kind == 2:
            before, after = self._own_id(), self._new_id()
            cursor.execute("delete from visits where parent = :1", (before,))
            cursor.execute("update parents set id = :1 where id = :2", (after, before))
            if cursor.rowcount:
                cursor.execute("update children set parent = :1 where parent = :2", (after, before))
        elif kind == 3:
            cursor.execute("update children set parent = :1 where parent = :2 and id < 100",
                           (parent, self._chooser.randint(1, PARENTS)))
        elif kind == 4:  # what goes with its parent
            number = self._new_id()
            cursor.execute("insert into parents values (:1, 'short')", (number,))
            for table in ("children", "visits"):
                cursor.execute(f"insert into {table} select :1 + level, :2 from dual "
                               "connect by level <= 3", (number, number))
            self._next += 3
            cursor.execute("delete from parents where id = :1", (self._own_id(),))
        else:
            cursor.execute("insert into visits values (:1, :2)", (self._new_id(), parent))

    def _write_emptied(self, cursor):
        if self._chooser.random() < 0.15:
            cursor.execute("insert into emptied values (:1, 'just before')", (self._new_id(),))
            # Which commits; the rest of the transaction is another, and either is whole.
            cursor.execute("truncate table emptied")
            cursor.execute("savepoint s")
        cursor.execute("insert into emptied values (:1, 'v')", (self._new_id(),))

    def _write_altered(self, cursor):
        cursor.execute("insert into altered (id) values (:1)", (self._new_id(),))
        cursor.execute("update altered set v = 'again' where id = :1", (self._own_id(),))

    def _fail(self, cursor):
        """A statement that is taken back alone, after it has written rows."""
        first = self._new_id()
        self._next += 20
        try:
            cursor.execute("insert into keyed select case level when 20 then 1 else :1 + level end, "
                           "'never', null from dual connect by level <= 20", (first,))
        except oracledb.IntegrityError:
            pass
        cursor.execute("update keyed set pad = 'on' where id = :1",
                       (self._chooser.randint(1, KEYED),))

    def _burst(self, cursor):
        """Larger than the redo that one transaction keeps to itself, and than a log."""
        first = self._next
        count = self._one_of(200, 600)
        self._next += count
        cursor.execute("insert into keyed select :1 + level, 'burst', rpad('y', 60, 'y') from dual "
                       f"connect by level <= {count}", (first,))
        cursor.execute("savepoint b")
        cursor.execute("update keyed set name = 'again' where id between :1 and :2",
                       (first, self._next))
        if self._chooser.random() < 0.3:
            cursor.execute("rollback to savepoint b")
        cursor.execute("delete from keyed where id between :1 and :2 and mod(id, 10) <> 0",
                       (self._base, self._next))

    def _alter(self, cursor):
        cursor.execute("select column_name from user_tab_columns where table_name = 'ALTERED' "
                       "and column_id > 2 order by column_id")
        added = [name for name, in cursor.fetchall()]
        if len(added) > 2 and self._chooser.random() < 0.5:
            cursor.execute(f"alter table altered drop column {self._chooser.choice(added)}")
        else:
            kind = self._one_of("number(9)", "varchar2(20)", "varchar2(20) default 'it''s'",
                                "date default date '2024-02-29'")
            self._columns += 1
            cursor.execute(f"alter table altered add (c{self._columns} {kind})")
        self.alters = False


Writer.STEPS, Writer.WEIGHTS = zip(
    (Writer._move_money, 30), (Writer._take_back, 5), (Writer._insert_keyed, 6),
    (Writer._update_keyed, 10), (Writer._delete_keyed, 5), (Writer._move_key, 5),
    (Writer._swap_keys, 4), (Writer._shift_places, 5), (Writer._write_pairs, 8),
    (Writer._write_keyless, 8), (Writer._write_by_index, 8), (Writer._write_large, 6),
    (Writer._write_family, 8), (Writer._write_emptied, 1), (Writer._write_altered, 4),
    (Writer._fail, 3), (Writer._burst, 0.7))


def incompressible(rows):
    return [(random.randbytes(1900).hex(),) for _ in range(rows)]
