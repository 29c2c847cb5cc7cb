"""Transformation rules that make values: added columns, changed types, masks, before images."""
import hashlib
import json
import re
import subprocess
import unittest

from support.case import LoadCase
from support.change_case import DONE, TABLES_IN_ERROR, ChangeCase
from support.orasim import PASSWORD as ORACLE_PASSWORD
from support.orasim import USER, Orasim
from support.postgres import PASSWORD, Postgres
from support.wherry import Task, selection, wherry

ROWS = 40


def rule(rule_id, target, action, table, column=None, schema="APP", **more):
    locator = {"schema-name": schema, "table-name": table}
    if column:
        locator["column-name"] = column
    return {"rule-type": "transformation", "rule-id": str(rule_id), "rule-name": str(rule_id),
            "rule-target": target, "rule-action": action, "object-locator": locator, **more}


def added(rule_id, table, name, expression, schema="APP", **data_type):
    data_type = data_type or {"type": "string", "length": 200}
    return rule(rule_id, "column", "add-column", table, schema=schema, value=name,
                expression=expression, **{"data-type": data_type})


# What SQLite makes of them over the table below is what must come out.
EXPRESSIONS = [
    "$WORD||'_'||$ID", "upper($WORD)", "ltrim($WORD, 'w')", "replace($WORD, 'o', '0')",
    "substr($WORD, -2)", "substr($WORD, 2, -1)", "trim('  x ')||coalesce($WORD, 'none')",
    "$N * 2", "$N / 4", "round($N, 1)", "abs($N - 20)", "max($ID, 7)", "min($N, $ID)",
    "ifnull($N, -1)", "nullif($ID, 3)", "$ID % 7 = 0", "$N > 10 and $WORD is not null",
    "case when $N is null then 'unknown' when $N < 10 then 'low' else 'high' end",
    "case $ID when 1 then 'one' else 'many' end", "typeof($N)||typeof($ID)||typeof($REAL8)",
    "date($DAY)", "time($DAY)", "datetime($DAY, '+1 month')", "julianday($DAY)",
    "strftime('%d.%m.%Y %H:%M', $MOMENT)", "$DAY", "$MOMENT", "$PADDED||'|'", "hex($RAW8)",
    "length($RAW8)", "hex(zeroblob(2))", "$REAL8 + 1", "printf('%05d', $ID)", "$WORD like 'w%'",
    "$WORD in ('word 1', 'word 2')", "cast($N as integer)", "unicode($WORD)", "instr($WORD, 'd')"]


def sqlite_literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return repr(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


def by_sqlite_shell(expressions, rows):
    """A list of texts for each row, as the sqlite3 shell prints them."""
    script = ""
    for values in rows:
        columns = (re.sub(r"\$(\w+)", lambda name: sqlite_literal(values[name[1]]), expression)
                   for expression in expressions)
        script += "select json_array(" + ", ".join(f"cast(({each}) as text)" for each in columns) + ");\n"
    done = subprocess.run(["sqlite3", "-batch", ":memory:"], input=script, text=True, timeout=60,
                          stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class LoadedFromOracle(LoadCase):
    FILL = ("create table t (id number(9) primary key, n number(9,2), word varchar2(20), "
            "padded char(5), day date, moment timestamp(3), real8 binary_double, raw8 raw(8))",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.create_database("transformed")
        with cls.sim.connect() as session, session.cursor() as cursor:
            for i in range(1, ROWS + 1):
                cursor.execute(
                    "insert into t values (:1, :2, :3, :4, date '2026-01-01' + :5, "
                    "timestamp '2026-01-01 00:00:00' + numtodsinterval(:6, 'SECOND'), :7, :8)",
                    (i, None if i % 10 == 0 else i * 1.25, None if i % 9 == 0 else f"word {i}",
                     f"p{i % 3}", i / 2, i * 21600.5, i / 40, bytes([i, 255])))
            session.commit()

    def load(self, *rules, table="T", settings=None):
        task = Task(self.sim.url(), self.postgres.url("transformed"),
                    [selection("APP", table), *rules],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"},
                     **(settings or {})})
        self.addCleanup(task.close)
        return task, task.run()

    def target_rows(self, columns, table="T"):
        return self.postgres.query("transformed",
                                   f'select {columns} from "APP"."{table}" order by "ID"')

    def rows_for_sqlite(self):
        """As the documentation says that cells come to SQLite."""
        out = []
        for row in self.sim.query("select id, n, word, padded, day, moment, real8, raw8 from t "
                                  "order by id"):
            number, n, word, padded, day, moment, real8, raw8 = row
            if n is not None:
                n = int(n) if n == int(n) else float(n)
            out.append({"ID": int(number), "N": n, "WORD": word, "PADDED": padded.rstrip(),
                        "DAY": day.strftime("%Y-%m-%d %H:%M:%S"),
                        "MOMENT": moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], "REAL8": real8,
                        "RAW8": raw8})
        return out

    def test_expressions_give_what_sqlite_gives(self):
        rules = [added(10 + i, "T", f"E{i}", expression)
                 for i, expression in enumerate(EXPRESSIONS)]
        task, run = self.load(*rules)
        self.assertEqual(run.status, 0, run.describe())
        found = self.target_rows(", ".join(f'"E{i}"' for i in range(len(EXPRESSIONS))))
        rows = self.rows_for_sqlite()
        for row, values, wanted in zip(found, rows, by_sqlite_shell(EXPRESSIONS, rows), strict=True):
            for got, one, expression in zip(row, wanted, EXPRESSIONS, strict=True):
                self.assertEqual(got, one, (expression, values))
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())

    def test_added_columns_have_their_types(self):
        rules = [added(2, "T", "WHOLE", "$ID * 2", type="int8"),
                 added(3, "T", "EXACT", "$N", type="numeric", precision=12, scale=2),
                 added(4, "T", "DAY_ONLY", "date($DAY)", type="date"),
                 added(5, "T", "AT", "$MOMENT", type="datetime", precision=3),
                 added(6, "T", "CLOCK", "time($MOMENT)", type="time"),
                 added(7, "T", "YES", "$ID > 3", type="boolean"),
                 added(8, "T", "BYTES", "$RAW8", type="bytes", length=8),
                 added(9, "T", "EMPTY", "", type="string", length=5),
                 added(11, "T", "TABLE_NAME", "$AR_M_SOURCE_SCHEMA||'.'||$AR_M_SOURCE_TABLE_NAME"),
                 added(12, "T", "OPERATION", "$AR_H_OPERATION||$AR_H_STREAM_POSITION"),
                 added(13, "T", "LOADED_AT", "$AR_H_TIMESTAMP", type="datetime", scale=6)]
        _, run = self.load(*rules)
        self.assertEqual(run.status, 0, run.describe())
        types = dict(self.postgres.query(
            "transformed", "select attname, format_type(atttypid, atttypmod) from pg_attribute "
                           "where attrelid = '\"APP\".\"T\"'::regclass and attnum > 8"))
        self.assertEqual(types, {
            "WHOLE": "bigint", "EXACT": "numeric(12,2)", "DAY_ONLY": "date",
            "AT": "timestamp(3) without time zone", "CLOCK": "time without time zone",
            "YES": "boolean", "BYTES": "bytea", "EMPTY": "character varying(5)",
            "TABLE_NAME": "character varying(200)", "OPERATION": "character varying(200)",
            "LOADED_AT": "timestamp(6) without time zone"})
        wrong = self.postgres.query(
            "transformed",
            'select "ID" from "APP"."T" where ("WHOLE", "DAY_ONLY", "AT", "CLOCK", "YES", "BYTES", '
            '"TABLE_NAME", "OPERATION") is distinct from ("ID" * 2, "DAY"::date, "MOMENT", '
            'date_trunc(\'second\', "MOMENT")::time, "ID" > 3, "RAW8", \'APP.T\', \'INSERT\') '
            'or "EXACT" is distinct from "N" or "EMPTY" is not null '
            "or abs(extract(epoch from (now() at time zone 'utc') - \"LOADED_AT\")) > 600")
        self.assertEqual(wrong, [])

    def test_a_column_that_is_not_moved_can_be_asked_for(self):
        _, run = self.load(rule(2, "column", "remove-column", "T", "WORD"),
                           rule(3, "column", "remove-column", "T", "N"),
                           added(4, "T", "BOTH", "$WORD||' '||$N"))
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.target_rows('"BOTH"')[0], ("word 1 1.25",))

    def test_values_that_do_not_fit_are_left_out_and_told(self):
        _, run = self.load(added(2, "T", "SHORT", "$WORD", type="string", length=6),
                           added(3, "T", "NUMBER", "case when $ID = 3 then 'three' else $ID end",
                                 type="int4"))
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        self.assertIn("awsdms_apply_exceptions", run.stderr)
        told = " ".join(error for error, in self.postgres.query(
            "transformed", 'select "ERROR" from public.awsdms_apply_exceptions'))
        self.assertIn("the expression's value is no int32", told)
        self.assertIn("longer than its column", told)
        self.assertIn("column SHORT", told)
        left = [row[0] for row in self.target_rows('"ID"::int')]
        self.assertEqual(left, [i for i in range(1, ROWS + 1)
                                if i != 3 and (i < 10 or i % 9 == 0)])

    def test_types_are_changed(self):
        self.sim.execute("create table c (id number(9) primary key, digits varchar2(20), "
                         "amount number(9,2), day date, flag number(1), word varchar2(20))",
                         "insert into c values (1, '42', 10.5, date '2026-02-03', 1, '2026-02-03')",
                         "insert into c values (2, null, null, null, 0, null)")
        self.addCleanup(self.sim.execute, "drop table c purge")
        changed = [("DIGITS", {"type": "int4"}), ("AMOUNT", {"type": "string", "length": "30"}),
                   ("DAY", {"type": "date"}), ("FLAG", {"type": "boolean"}),
                   ("WORD", {"type": "datetime", "precision": 3, "scale": ""})]
        task, run = self.load(*[rule(2 + i, "column", "change-data-type", "C", name,
                                     **{"data-type": data_type})
                                for i, (name, data_type) in enumerate(changed)], table="C")
        self.assertEqual(run.status, 0, run.describe())
        found = self.postgres.query(
            "transformed", 'select "DIGITS" + 1, "AMOUNT" || \'\', "DAY"::text, "FLAG"::text, '
                           '"WORD"::text from "APP"."C" order by "ID"')
        self.assertEqual(found, [(43, "10.5", "2026-02-03", "true", "2026-02-03 00:00:00"),
                                 (None, None, None, "false", None)])
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())
        # By type: all columns of one.
        _, run = self.load({**rule(2, "column", "change-data-type", "%", "%",
                                   **{"data-type": {"type": "clob"}}),
                            "object-locator": {"schema-name": "APP", "table-name": "%",
                                               "column-name": "%", "data-type": "string"}},
                           table="C")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.postgres.query(
            "transformed", "select column_name, data_type from information_schema.columns "
                           "where table_name = 'C' and data_type = 'text' order by 1"),
            [("DIGITS", "text"), ("WORD", "text")])

    def test_values_are_masked(self):
        rules = [rule(2, "column", "data-masking-digits-mask", "T", "WORD", value="#"),
                 rule(3, "column", "data-masking-hash-mask", "T", "PADDED"),
                 rule(4, "column", "data-masking-digits-randomize", "T", "N")]
        task, run = self.load(*rules)
        self.assertEqual(run.status, 0, run.describe())
        found = self.target_rows('"WORD", "PADDED", "N"')
        for (word, padded, number), row in zip(found, self.rows_for_sqlite(), strict=True):
            self.assertEqual(word, row["WORD"] and re.sub(r"\d", "#", row["WORD"]))
            self.assertEqual(padded, hashlib.sha256(row["PADDED"].encode()).hexdigest().upper())
            self.assertEqual(number is None, row["N"] is None)
            if number is not None:
                self.assertEqual(len(str(int(number))), len(str(int(row["N"]))))
        self.assertNotEqual([row[2] for row in found], [row["N"] for row in self.rows_for_sqlite()])
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())

    def test_a_mask_that_does_not_fit(self):
        mask = rule(2, "column", "data-masking-hash-mask", "T", "N")
        _, run = self.load(mask)
        self.assertNotEqual(run.status, 0)
        self.assertIn("N", run.stderr)
        self.assertIn("plan.bad_mask", run.stderr)
        task, run = self.load(mask, settings={
            "ErrorBehavior": {"DataMaskingErrorPolicy": "LOG_ERROR"}})
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.target_rows('"N"')[0], (1.25,))
        planned = wherry("plan", "--migration-type", "full-load", *map(str, task.flags()))
        self.assertIn("UNMASKED", planned.stdout)

    def test_what_cannot_be_is_refused(self):
        for rules, words in [
                ([added(2, "T", "X", "$NOPE")], ["NOPE", "does not exist"]),
                ([added(2, "T", "word", "1")], ["word", "WORD"]),
                ([added(2, "T", "K", "random()", type="int8"),
                  rule(3, "table", "define-primary-key", "T",
                       **{"primary-key-def": {"columns": ["K"]}})], ["K", "another value each time"]),
                ([rule(2, "column", "change-data-type", "T", "RAW8",
                       **{"data-type": {"type": "int4"}})], ["RAW8", "RAW"])]:
            with self.subTest(words):
                _, run = self.load(*rules)
                self.assertNotEqual(run.status, 0)
                for word in words:
                    self.assertIn(word, run.stderr)


class FollowedFromOracle(LoadCase):
    FILL = ("alter database add supplemental log data",
            "create table o (id number(9) primary key, region varchar2(9), amount number(9,2))",
            "insert into o values (1, 'EU1', 10)", "insert into o values (2, 'US2', 20)",
            "insert into o values (3, 'US3', 30)")

    def task(self, source, rules):
        task = Task(source, self.postgres.url("followed"), rules)
        task.migration_type = "full-load-and-cdc"
        self.addCleanup(task.close)
        return task

    def test_changes_are_made_as_rows_are(self):
        self.postgres.create_database("followed")
        rules = [selection("APP", "O"), added(2, "O", "TEXT", "$REGION||':'||$AMOUNT"),
                 added(3, "O", "SCN", "$AR_H_STREAM_POSITION"),
                 added(4, "O", "OPERATION", "$AR_H_OPERATION"),
                 added(6, "O", "WAS", "coalesce($BI__AMOUNT, '-')||'>'||coalesce($AMOUNT, '-')"),
                 rule(5, "column", "data-masking-digits-mask", "O", "REGION", value="x")]
        self.sim.execute("alter table o add supplemental log data (primary key) columns")
        task = self.task(self.sim.url(), rules)
        refused = task.run("--stop-when", "caught-up")
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        self.assertIn('alter table "APP"."O" add supplemental log data (all) columns',
                      refused.stderr)
        task = self.task(self.sim.url() + "?AddSupplementalLogging=true", rules)
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        self.sim.execute("update o set amount = 11 where id = 1", "delete from o where id = 2")
        self.sim.execute("update o set id = 30 where id = 3")
        self.sim.execute("insert into o values (4, 'EU4', null)")
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        rows = self.postgres.query("followed", 'select "ID"::int, "REGION", "TEXT", "OPERATION", '
                                               '"SCN" from "APP"."O" order by 1')
        self.assertEqual([row[:4] for row in rows],
                         [(1, "EUx", "EU1:11", "UPDATE"), (4, "EUx", None, "INSERT"),
                          (30, "USx", "US3:30", "UPDATE")])
        was = self.postgres.query("followed", 'select "WAS" from "APP"."O" order by "ID"')
        self.assertEqual(was, [("10>11",), ("->-",), ("30>30",)])
        scns = [int(row[4]) for row in rows]
        self.assertLess(scns[0], scns[2])
        self.assertLess(scns[2], scns[1])


class FollowedUsers(unittest.TestCase):
    """$AR_H_USER: who made a change."""

    @classmethod
    def setUpClass(cls):
        cls.sim = Orasim(users=((USER, ORACLE_PASSWORD), ("CLERK", ORACLE_PASSWORD)))
        cls.addClassCleanup(cls.sim.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.postgres.create_database("users")
        cls.sim.execute("alter database add supplemental log data",
                        "create table o (id number(9) primary key, n number(9))",
                        "alter table o add supplemental log data (all) columns",
                        "grant select, insert, update, delete on o to clerk")

    def test_each_change_has_its_user(self):
        rules = [selection("APP", "O"), added(2, "O", "WHO", "lower($AR_H_USER)"),
                 added(3, "O", "WAS", "operation_indicator('D', 'U', 'I')||' '||$AR_H_USER")]
        self.sim.execute("insert into o select level, 0 from dual connect by level <= 6")
        task = Task(self.sim.url(), self.postgres.url("users"), rules)
        self.addCleanup(task.close)
        task.migration_type = "full-load-and-cdc"
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        rows = 'select "ID"::int, "WHO", "WAS" from "APP"."O" order by 1'
        self.assertEqual(self.postgres.query("users", rows), [(i, "", "I ") for i in range(1, 7)])
        as_clerk = {"user": "CLERK", "password": ORACLE_PASSWORD}
        self.sim.execute("update app.o set n = 1 where id in (1, 2)", **as_clerk)
        self.sim.execute("update o set n = 2 where id in (2, 3)")
        self.sim.execute("delete from app.o where id = 4", "insert into app.o values (7, 7)", **as_clerk)
        # Transactions that are open side by side keep theirs.
        with self.sim.connect() as own, self.sim.connect("CLERK") as clerk:
            with own.cursor() as mine, clerk.cursor() as theirs:
                mine.execute("update o set n = 3 where id = 5")
                theirs.execute("update app.o set n = 3 where id = 6")
                mine.execute("insert into o values (8, 8)")
                clerk.commit()
                own.commit()
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.postgres.query("users", rows), [
            (1, "clerk", "U CLERK"), (2, "app", "U APP"), (3, "app", "U APP"),
            (4, "clerk", "D CLERK"), (5, "app", "U APP"), (6, "clerk", "U CLERK"),
            (7, "clerk", "I CLERK"), (8, "app", "I APP")])

    def test_the_user_is_there_while_changes_wait(self):
        """Changes of the load's time are in files until it is over."""
        self.sim.execute("delete from o", "insert into o select level, 0 from dual connect by level <= 3")
        self.postgres.create_database("waiting")
        task = Task(self.sim.url(), self.postgres.url("waiting"),
                    [selection("APP", "O"), added(2, "O", "WHO", "$AR_H_USER")],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE",
                                          "StopTaskCachedChangesNotApplied": True}})
        self.addCleanup(task.close)
        task.migration_type = "full-load-and-cdc"
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        self.sim.execute("update app.o set n = 9", user="CLERK", password=ORACLE_PASSWORD)
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.postgres.query("waiting", 'select distinct "WHO" from "APP"."O"'), [("CLERK",)])


class FromPostgres(ChangeCase):
    RULES = [
        {**selection("app", "%")},
        added(2, "o", "full_text", "$word||':'||$amount", schema="app"),
        added(3, "o", "flag", "operation_indicator('D', 'U', 'I')", schema="app"),
        added(4, "o", "sequence", "$AR_H_CHANGE_SEQ", schema="app", type="string", length=50),
        added(5, "o", "lsn", "$AR_H_STREAM_POSITION", schema="app"),
        added(9, "o", "who", "$AR_H_USER", schema="app"),
        added(10, "o", "was", "coalesce($BI__word, 'none')||'>'||$word", schema="app"),
        added(6, "o", "committed", "$AR_H_COMMIT_TIMESTAMP", schema="app", type="datetime",
              precision=6),
        rule(7, "column", "add-before-image-columns", "o", "%", schema="app",
             **{"before-image-def": {"column-prefix": "old_", "column-filter": "non-lob"}}),
        rule(8, "column", "data-masking-hash-mask", "o", "secret", schema="app")]

    def setUp(self):
        super().setUp()
        self.at_source("create table app.o (id integer primary key, word varchar(20), "
                       "amount numeric(9,2), secret varchar(10), tags text[])",
                       "insert into app.o select i, 'w' || i, i, 's' || i, array['a', 'b'] "
                       "from generate_series(1, 9) i")

    def task_with(self, rules, more=None):
        task = self.task(more)
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": rules}, file)
        return task

    def rows(self, columns):
        return {row[0]: row[1:] for row in self.target.query(
            self.name, f"select id, {columns} from app.o order by 1")}

    def refused(self, *rules):
        """What the plan, and the run, say of the table."""
        task = self.task_with([selection("app", "marker", 9), *rules])
        planned = wherry("plan", "--migration-type", "full-load-and-cdc", *task.flags(),
                         source_password=PASSWORD)
        run = self.start(task, "--stop-when", "caught-up").finish(60)
        self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
        self.assertEqual(planned.status, 2, planned.describe())
        return planned.stderr, run.stderr

    def test_what_the_log_may_not_have_is_refused(self):
        """With the statement that mends it."""
        self.at_source("create table app.r (id integer primary key, small integer, amount numeric(9,2), "
                       "word varchar(20), body text)", "insert into app.r values (1, 2, 3, 'w', 'b')")
        mend = 'alter table "app"."r" replica identity full'
        for expression, column in (("length($body)", "body"), ("$id||$word", "word"),
                                   ("operation_indicator('D', 'U', 'I')||$small", "small")):
            with self.subTest(expression):
                for told in self.refused(selection("app", "r"),
                                         added(2, "r", "made", expression, schema="app")):
                    self.assertIn(mend, told)
                    self.assertIn(column, told)
        # What an update always brings may be asked for, and a key of rows that are gone.
        task = self.task_with([selection("app", "r"), selection("app", "marker", 9),
                               added(2, "r", "made", "$small + $amount", schema="app"),
                               added(3, "r", "flag", "operation_indicator('D', 'U', 'I')||$id", schema="app")])
        run = self.follow(task)
        self.at_source("update app.r set word = 'x' where id = 1", "delete from app.r where id = 1")
        self.catch_up(run)
        self.assertEqual(self.target.query(self.name, "select made, flag from app.r"), [("5", "D1")])
        self.assert_no_exceptions()
        self.stop(run)

    def test_what_the_log_does_not_have_is_an_error_of_its_row(self):
        """Where the identity was full when the task began."""
        self.at_source("create table app.l (id integer primary key, short text, long text)",
                       "alter table app.l alter long set storage external",
                       "insert into app.l select i, 's' || i, repeat('x', 5000) "
                       "from generate_series(1, 4) i", "alter table app.l replica identity full")
        task = self.task_with([selection("app", "l"), selection("app", "marker", 9),
                               added(2, "l", "sizes", "length($short)||' '||length($long)",
                                     schema="app")])
        run = self.follow(task)
        self.at_source("alter table app.l replica identity default")
        self.at_source("update app.l set short = 'longer', long = 'y' where id = 1",
                       "update app.l set short = 'longer' where id = 2", "delete from app.l where id = 3",
                       "insert into app.l values (5, 'new', repeat('z', 6000))")
        self.catch_up(run)
        self.assertEqual(self.target.query(self.name, "select id, short, sizes from app.l order by 1"),
                         [(1, "longer", "6 1"), (2, "s2", "2 5000"), (4, "s4", "2 5000"),
                          (5, "new", "3 6000")])
        told = self.target.query(self.name, 'select "ERROR" from public.awsdms_apply_exceptions')
        self.assertEqual(len(told), 1)
        self.assertIn("column long, whose value the source's log does not have", told[0][0])
        self.stop(run)
        self.at_source("alter table app.l replica identity full",
                       "update app.l set short = 'again' where id = 4")
        self.run_until(task, "caught-up")
        self.assertEqual(self.target.query(self.name, "select sizes from app.l where id = 4"),
                         [("5 5000",)])

    def test_changes_are_made_as_rows_are(self):
        self.at_source("alter table app.o replica identity full")
        for settings in ({}, {"BatchApplyEnabled": True}, {"ParallelApplyThreads": 4}):
            with self.subTest(settings):
                task = self.task_with(self.RULES)
                self.set_up_anew(task, {"TargetMetadata": settings})
                self.run_until(task, "caught-up", DONE, "--start", "reload-target")
                self.assertEqual(self.rows("full_text, flag, sequence, lsn, old_word, tags")[1],
                                 ("w1:1", "I", "", "", None, ["a", "b"]))
                self.at_source("update app.o set amount = 7.5 where id = 1",
                               "delete from app.o where id = 2",
                               "insert into app.o values (10, 'w10', 10, 's10', null)",
                               "update app.o set id = 30, word = 'new' where id = 3",
                               "update app.o set tags = array['c'] where id = 4")
                self.run_until(task, "caught-up")
                hashed = [hashlib.sha256(f"s{i}".encode()).hexdigest().upper() for i in range(11)]
                rows = self.rows("word, amount::float, full_text, flag, old_id, old_word, "
                                 "old_amount::float, secret, tags")
                self.assertEqual(rows[1], ("w1", 7.5, "w1:7.5", "U", 1, "w1", 1.0, hashed[1], ["a", "b"]))
                self.assertEqual(rows[2][:4], ("w2", 2.0, "w2:2", "D"))
                self.assertEqual(rows[10], ("w10", 10.0, "w10:10", "I", None, None, None, hashed[10], None))
                self.assertEqual(rows[30][:7], ("new", 3.0, "new:3", "U", 3, "w3", 3.0))
                self.assertNotIn(3, rows)
                self.assertEqual(rows[4][8], ["c"])
                self.assertEqual(self.rows("was"), {
                    1: ("w1>w1",), 2: ("w2>w2",), 4: ("w4>w4",), 10: ("none>w10",), 30: ("w3>new",),
                    **{i: (f"none>w{i}",) for i in range(5, 10)}})
                self.assertEqual({row[0] for row in self.rows("who").values()}, {""}, "no log of PostgreSQL's has it")
                order = self.target.query(self.name, "select id from app.o where sequence <> '' "
                                                     "order by sequence")
                self.assertEqual([row[0] for row in order], [1, 2, 10, 30, 4])
                lsns = self.target.query(self.name, "select lsn::pg_lsn, committed from app.o "
                                                    "where lsn <> '' order by sequence")
                self.assertEqual(lsns, sorted(lsns))
                self.at_source("truncate app.o", "insert into app.o select i, 'w' || i, i, 's' || i, "
                               "array['a', 'b'] from generate_series(1, 9) i")
                wherry("forget", "--yes", *map(str, task.flags()), source_password=PASSWORD)

    def test_rows_without_a_key_are_found_by_what_rules_leave(self):
        self.at_source("create table app.k (n integer, phone varchar(20), word text)",
                       "alter table app.k replica identity full",
                       "insert into app.k values (1, '555-1', 'one'), (2, '555-2', 'two'), (3, '555-3', 'x')")
        rules = [selection("app", "k"), selection("app", "marker", 9),
                 added(2, "k", "size", "length($word)", schema="app", type="int4"),
                 rule(3, "column", "data-masking-digits-randomize", "k", "phone", schema="app")]
        run = self.follow(self.task_with(rules))
        self.at_source("update app.k set word = 'three' where n = 1", "delete from app.k where n = 2")
        self.catch_up(run)
        self.assertEqual(self.target.query(self.name, "select n, word, size from app.k order by 1"),
                         [(1, "three", 5), (3, "x", 1)])
        self.assert_no_exceptions()
        self.stop(run)

    def test_shards_come_together_under_a_key_of_rules(self):
        self.at_source("create table app.s (id integer primary key, v text)",
                       "insert into app.s values (1, 'a'), (2, 'b')",
                       "alter table app.s replica identity full")
        rules = [selection("app", "s"), selection("app", "marker", 9),
                 added(2, "s", "site", "'EU'", schema="app", type="string", length=2),
                 rule(3, "table", "define-primary-key", "s", schema="app",
                      **{"primary-key-def": {"name": "ours", "columns": ["site", "id"]}})]
        run = self.follow(self.task_with(rules))
        self.at_source("update app.s set v = 'c' where id = 1", "delete from app.s where id = 2",
                       "insert into app.s values (3, 'd')", "update app.s set id = 4 where id = 3")
        self.catch_up(run)
        self.assertEqual(self.target.query(self.name, "select site, id, v from app.s order by id"),
                         [("EU", 1, "c"), ("EU", 4, "d")])
        self.assert_no_exceptions()
        self.stop(run)


if __name__ == "__main__":
    unittest.main()
