"""Source filters of selection rules: which rows are loaded, and which changes follow."""
import json
import unittest

from support.case import LoadCase
from support.change_case import DONE, TABLES_IN_ERROR, ChangeCase
from support.orasim import Orasim
from support.postgres import PASSWORD, Postgres
from support.wherry import Task, wherry

ROWS = 60


def condition(operator, *values):
    if operator in ("between", "notbetween"):
        return {"filter-operator": operator, "start-value": values[0], "end-value": values[1]}
    return {"filter-operator": operator, **({"value": values[0]} if values else {})}


def filtered(schema, table, *filters, rule_id=1):
    """`filters`: (column, condition…)."""
    return {"rule-type": "selection", "rule-id": rule_id, "rule-name": f"f{rule_id}",
            "rule-action": "include",
            "object-locator": {"schema-name": schema, "table-name": table},
            "filters": [{"filter-type": "source", "column-name": column,
                         "filter-conditions": list(conditions)} for column, *conditions in filters]}


# Filters of the table below, and what they mean in words of the source's own.
CASES = [
    ([("N", condition("ste", "10"))], "n <= 10"),
    ([("N", condition("lte", 10))], "n <= 10"),
    ([("N", condition("gte", "55.5"))], "n >= 55.5"),
    ([("N", condition("eq", "7"))], "n = 7"),
    ([("N", condition("noteq", "7"))], "n <> 7"),
    ([("N", condition("between", "10", "20"))], "n >= 10 and n <= 20"),
    ([("N", condition("notbetween", "10", "20"))], "n < 10 or n > 20"),
    ([("N", condition("null"))], "n is null"),
    ([("N", condition("notnull"))], "n is not null"),
    ([("N", condition("ste", "5"), condition("between", "20", "25"), condition("gte", "58"))],
     "n <= 5 or n >= 20 and n <= 25 or n >= 58"),
    ([("N", condition("null"), condition("eq", "5"))], "n is null or n = 5"),
    ([("N", condition("null"), condition("noteq", "5"))], "1 = 0"),
    ([("N", condition("gte", "9"), condition("noteq", "12"))], "n >= 9 and n <> 12"),
    ([("N", condition("gte", "9")), ("WORD", condition("eq", "it's"))], "n >= 9 and word = 'it''s'"),
    ([("WORD", condition("gte", "b"))], "word >= 'b'"),
    ([("PADDED", condition("eq", "p1"))], "padded = 'p1'"),
    ([("DAY", condition("between", "2026-01-10", "2026-01-20 12:00:00"))],
     "day >= timestamp '2026-01-10 00:00:00' and day <= timestamp '2026-01-20 12:00:00'"),
    ([("MOMENT", condition("lte", "2026-01-05 00:00:00.500"))],
     "moment <= timestamp '2026-01-05 00:00:00.5'"),
    ([("REAL8", condition("gte", "0.5"))], "real8 >= 0.5"),
    ([("REAL8", condition("between", "0.5", "1"), condition("null"))],
     "real8 >= 0.5 and real8 <= 1 or real8 is null"),
    ([("RAW8", condition("between", "0A", "0fFF"))],
     "raw8 >= hextoraw('0A') and raw8 <= hextoraw('0FFF')"),
    ([("RAW8", condition("noteq", "0a00"))], "raw8 <> hextoraw('0A00')"),
    ([("SPAN", condition("lte", "1-2"))], "span <= interval '1-2' year to month"),
    ([("SPAN", condition("notbetween", "-0-1", "+02-00"))],
     "span < interval '-0-1' year to month or span > interval '2-0' year to month"),
    ([("GAP", condition("gte", "0 10:00:00"), condition("noteq", "0 11:00:00.5"))],
     "gap >= numtodsinterval(36000, 'SECOND') and gap <> numtodsinterval(39600.5, 'SECOND')"),
    ([("ZONED", condition("gte", "2026-01-10 02:00:00+02:00"))],
     "zoned >= timestamp '2026-01-10 00:00:00 +00:00'"),
    ([("UNI", condition("gte", "u\u00e9"))], "uni >= unistr('u\\00e9')"),
    ([("LARGE", condition("null"))], "large is null"),
    ([("LARGE", condition("notnull")), ("N", condition("lte", "5"))], "large is not null and n <= 5"),
    ([("DOC", condition("null"))], "doc is null"),
]
# … and those that Wherry evaluates itself: with the part of which the plan says so.
OWN_CASES = [
    ([("UPAD", condition("eq", "p1"))], "trim(upad) = 'p1'", "UPAD = 'p1'"),
    ([("N", condition("gte", "0." + "0" * 40 + "1"), condition("noteq", "3"))],
     "n > 0 and n <> 3", "N >= '0." + "0" * 40 + "1'"),
    ([("RID", condition("noteq", "AAAAAAAAAAAAAAAAAA")), ("N", condition("lte", "30"))],
     "n <= 30 and rid is not null", "RID <> 'AAAAAAAAAAAAAAAAAA'"),
    ([("WORD", condition("null"), condition("lte", "b" + "x" * 1000))],
     "word is null or word <= 'b' or word < 'c'", "WORD is null or WORD <= "),
]


class LoadedFromOracle(LoadCase):
    FILL = ("create table t (id number(9) primary key, n number(9,2), word varchar2(20), "
            "padded char(5), day date, moment timestamp(3), real8 binary_double, large clob, "
            "raw8 raw(8), span interval year to month, gap interval day to second(3), "
            "zoned timestamp with time zone, uni nvarchar2(10), upad nchar(5), rid rowid, "
            "doc xmltype)",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.create_database("filters")
        with cls.sim.connect() as session, session.cursor() as cursor:
            for i in range(1, ROWS + 1):
                null = i % 10 == 0
                cursor.execute(
                    "insert into t values (:1, :2, :3, :4, date '2026-01-01' + :5, "
                    "timestamp '2026-01-01 00:00:00' + numtodsinterval(:6, 'SECOND'), :7, :8, "
                    "hextoraw(:9), numtoyminterval(:10, 'MONTH'), numtodsinterval(:11, 'SECOND'), "
                    "timestamp '2026-01-01 00:00:00 +00:00' + numtodsinterval(:12, 'HOUR'), "
                    "unistr(:13), :14, null, :15)",
                    (i, None if null else i, "it's" if i % 3 == 0 else chr(97 + i % 4),
                     f"p{i % 3}", i / 2, i * 21600.5, None if null else i / 40,
                     None if i % 7 == 0 else "x" * i, f"{i:02x}" + "00" * (i % 3), i - 10,
                     i * 1800 + 0.5 * (i % 2), i * 12, f"u\\00{0xd0 + i:02x}", f"p{i % 3}",
                     None if i % 4 else "<a/>"))
            cursor.execute("update t set rid = rowid where mod(id, 5) > 0")
            session.commit()

    def load(self, *filters):
        task = Task(self.sim.url(), self.postgres.url("filters"), [filtered("APP", "T", *filters)],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}})
        self.addCleanup(task.close)
        return task, task.run()

    def assert_loaded(self, filters, words):
        task, run = self.load(*filters)
        self.assertEqual(run.status, 0, run.describe())
        wanted = [int(row[0]) for row in
                  self.sim.query(f"select id from t where {words} order by id")]
        found = [row[0] for row in self.postgres.query(
            "filters", 'select "ID"::int from "APP"."T" order by 1')]
        self.assertEqual(found, wanted)
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())
        return task, run, wanted

    def plan(self, task, *more):
        planned = wherry("plan", "--migration-type", "full-load", *more, *map(str, task.flags()))
        self.assertEqual(planned.status, 0, planned.describe())
        return planned.stdout

    def test_every_operator_on_every_type(self):
        for filters, words in CASES:
            with self.subTest(words):
                task, run, wanted = self.assert_loaded(filters, words)
                self.assertTrue(0 < len(wanted) < ROWS or words == "1 = 0", words)
                self.assertNotIn("Wherry evaluates", self.plan(task))
                self.assertNotIn("filtered_rows", run.events[-1]["tables"][0])

    def test_what_the_source_evaluates_otherwise(self):
        """Wherry reads the rows, and takes those that belong to the task."""
        for filters, words, told in OWN_CASES:
            with self.subTest(words):
                task, run, wanted = self.assert_loaded(filters, words)
                planned = self.plan(task)
                self.assertIn("of which Wherry evaluates, not the source: ", planned)
                self.assertIn(told, planned.split("of which Wherry evaluates, not the source: ")[1])
                table = run.events[-1]["tables"][0]
                self.assertEqual(table["rows"], len(wanted))
                read = len(wanted) + table.get("filtered_rows", 0)
                self.assertLessEqual(read, ROWS)
                sampled = self.plan(task, "--sample", "1000")
                self.assertIn(f"{len(wanted)} rows looked at, all there are", sampled)

    def test_a_column_that_is_not_moved_may_decide(self):
        removed = {"rule-type": "transformation", "rule-id": 2, "rule-name": "2",
                   "rule-target": "column", "rule-action": "remove-column",
                   "object-locator": {"schema-name": "APP", "table-name": "T", "column-name": "N"}}
        task = Task(self.sim.url(), self.postgres.url("filters"),
                    [filtered("APP", "T", ("N", condition("lte", "3"))), removed])
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.postgres.query("filters", 'select "ID"::int from "APP"."T" order by 1'),
                         [(1,), (2,), (3,)])
        self.assertEqual(self.postgres.query(
            "filters", "select 1 from information_schema.columns where table_name = 'T' "
                       "and column_name = 'N'"), [])

    def test_filters_in_ranges(self):
        """Each segment has the filter as well."""
        settings = {"rule-type": "table-settings", "rule-id": 2, "rule-name": "2",
                    "object-locator": {"schema-name": "APP", "table-name": "T"},
                    "parallel-load": {"type": "ranges", "columns": ["PADDED", "ID"],
                                      "boundaries": [["p0", "20"], ["p1", "40"]]}}
        task = Task(self.sim.url(), self.postgres.url("filters"),
                    [filtered("APP", "T", ("N", condition("notbetween", "10", "50"))), settings],
                    {"FullLoadSettings": {"TargetTablePrepMode": "DROP_AND_CREATE"}})
        self.addCleanup(task.close)
        run = task.run()
        self.assertEqual(run.status, 0, run.describe())
        wanted = self.sim.query("select count(*) from t where n < 10 or n > 50")[0][0]
        self.assertEqual(self.postgres.query("filters", 'select count(*) from "APP"."T"'),
                         [(wanted,)])

    def test_what_cannot_be_a_filter_is_refused(self):
        for filters, words in [
                ([("NOPE", condition("eq", "1"))], ["NOPE", "does not exist"]),
                ([("LARGE", condition("eq", "x"))], ["LARGE", "large object"]),
                ([("DOC", condition("gte", "x"))], ["DOC", "large objects"]),
                ([("RAW8", condition("eq", "0xAB"))], ["0xAB", "hexadecimal"]),
                ([("GAP", condition("eq", "1 day"))], ["1 day", "interval"]),
                ([("N", condition("eq", "ten"))], ["'ten'", "decimal"]),
                ([("DAY", condition("gte", "2026-02-30"))], ["2026-02-30"]),
                ([("WORD", condition("eq", ""))], ["''"])]:
            with self.subTest(filters):
                _, run = self.load(*filters)
                self.assertNotEqual(run.status, 0)
                for word in words:
                    self.assertIn(word, run.stderr)


# ISO 8859-15 has the euro sign and others where Unicode has none: by its bytes they come elsewhere.
LATIN9_WORDS = ["~", "z", "\u00a5", "\u00e9", "\u00ff", "\u0153", "\u0160", "\u017e", "\u20ac", "a", "Z"]


def latin9_cases():
    """Filters of column WORD, and which of the words they take by code point."""
    return [
        ([condition("gte", "z")], lambda word: word >= "z", ""),
        ([condition("gte", "\u00ff")], lambda word: word >= "\u00ff", "WORD >= '\u00ff'"),
        ([condition("between", "\u00a5", "\u0160"), condition("eq", "a")],
         lambda word: "\u00a5" <= word <= "\u0160" or word == "a", "WORD between"),
        ([condition("noteq", "\u20ac"), condition("notbetween", "Z", "a")],
         lambda word: word != "\u20ac" and not "Z" <= word <= "a", "WORD <> '\u20ac'"),
        # What the character set does not have must not become something that it has.
        ([condition("eq", "\u65e5")], lambda word: False, "WORD = '\u65e5'"),
    ]


class FromOracleInAnotherCharacterSet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Orasim("--character-set", "WE8ISO8859P15")
        cls.addClassCleanup(cls.sim.close)
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        cls.postgres.create_database("latin9")
        cls.sim.execute("alter database add supplemental log data",
                        "create table w (id number(9) primary key, word varchar2(10 char), n number(9))",
                        "alter table w add supplemental log data (all) columns")

    def setUp(self):
        self.sim.execute("delete from w")
        with self.sim.connect() as session, session.cursor() as cursor:
            cursor.executemany("insert into w values (:1, :2, :3)",
                               [(i, LATIN9_WORDS[i % len(LATIN9_WORDS)], i % 2) for i in range(66)])
            session.commit()

    def task(self, conditions, *rules, migration_type="full-load"):
        task = Task(self.sim.url(), self.postgres.url("latin9"),
                    [filtered("APP", "W", ("WORD", *conditions), ("N", condition("gte", 0))), *rules])
        task.migration_type = migration_type
        self.addCleanup(task.close)
        return task

    def wanted(self, takes):
        return [(int(i),) for i, word in self.sim.query("select id, word from w order by id")
                if word is not None and takes(word)]

    def found(self):
        return self.postgres.query("latin9", 'select "ID"::int from "APP"."W" order by 1')

    def test_the_server_orders_by_its_bytes(self):
        """So what is asked of it must not depend on that."""
        self.assertEqual(self.sim.query("select count(*) from w where word >= unistr('\\00ff') "
                                        "and word = unistr('\\20ac')"), [(0,)])

    def test_text_is_compared_by_code_point(self):
        removed = {"rule-type": "transformation", "rule-id": 2, "rule-name": "2",
                   "rule-target": "column", "rule-action": "remove-column",
                   "object-locator": {"schema-name": "APP", "table-name": "W", "column-name": "WORD"}}
        ranges = {"rule-type": "table-settings", "rule-id": 3, "rule-name": "3",
                  "object-locator": {"schema-name": "APP", "table-name": "W"},
                  "parallel-load": {"type": "ranges", "columns": ["ID"], "boundaries": [["20"], ["40"]]}}
        for conditions, takes, told in latin9_cases():
            for more in ([], [removed], [ranges]):
                with self.subTest(conditions=conditions, more=more):
                    task = self.task(conditions, *more)
                    planned = wherry("plan", "--migration-type", "full-load", *task.flags())
                    own = planned.stdout.partition("of which Wherry evaluates, not the source: ")[2]
                    self.assertEqual(own != "", told != "", planned.stdout)
                    self.assertIn(told, own)
                    self.assertNotIn("N >=", own.split("\n")[0])
                    run = task.run()
                    self.assertEqual(run.status, 0, run.describe())
                    wanted = self.wanted(takes)
                    self.assertEqual(self.found(), wanted)
                    table = run.events[-1]["tables"][0]
                    self.assertEqual(table["rows"], len(wanted))
                    if told and told in ("WORD >= '\u00ff'",):
                        self.assertEqual(table["filtered_rows"], 66 - len(wanted))
                    checked = task.validate()
                    self.assertEqual(checked.status, 0, checked.describe())

    def test_changes_are_judged_alike(self):
        takes = lambda word: word >= "\u00ff"  # noqa: E731
        task = self.task([condition("gte", "\u00ff")], migration_type="full-load-and-cdc")
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.found(), self.wanted(takes))
        self.sim.execute("insert into w values (101, unistr('\\20ac'), 1)",
                         "insert into w values (102, unistr('\\00fe'), 1)",
                         "update w set word = unistr('\\017e') where word = 'a' and id < 30",    # in
                         "update w set word = unistr('\\00a5') where word = unistr('\\0153') and id < 30",
                         "update w set n = n + 10 where mod(id, 2) = 0",
                         "delete from w where mod(id, 9) = 0")
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.found(), self.wanted(takes))
        checked = task.validate()
        self.assertEqual(checked.status, 0, checked.describe())
        # Loaded again, it is planned again.
        self.postgres.execute("latin9", 'delete from "APP"."W"')
        asked = wherry("reload", "--table", "APP.W", "--state", str(task.state))
        self.assertEqual(asked.status, 0, asked.describe())
        self.sim.execute("update w set word = unistr('\\00ff') where id in (1, 2, 3)")
        run = task.run("--stop-when", "caught-up")
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.found(), self.wanted(takes))


class FollowedFromOracle(LoadCase):
    FILL = ("alter database add supplemental log data",
            "create table many (id number(9) primary key, raw8 raw(8), span interval year to month, "
            "gap interval day to second(3), zoned timestamp with time zone, uni nvarchar2(10), "
            "upad nchar(5), real8 binary_double, day date, large clob, "
            "twice number(9) generated always as (id * 2) virtual)",
            "alter table many add supplemental log data (all) columns",
            "create table o (id number(9) primary key, region varchar2(9), amount number(9,2))",
            "alter table o add supplemental log data (primary key) columns")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.create_database("followed")

    def test_rows_come_in_and_go_out(self):
        sim = self.sim
        sim.execute("delete from o", "insert into o select level, decode(mod(level, 2), 0, 'EU', "
                    "'US'), level from dual connect by level <= 20")
        rules = [filtered("APP", "O", ("REGION", condition("eq", "EU")))]
        refused = self.follow(self.task(sim.url(), rules))
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        self.assertIn('alter table "APP"."O" add supplemental log data (all) columns',
                      refused.stderr)

        task = self.task(sim.url() + "?AddSupplementalLogging=true", rules)
        self.assertEqual(self.follow(task).status, 0)
        self.assertEqual(self.at_target(), self.at_source())
        sim.execute("insert into o values (101, 'EU', 1)", "insert into o values (102, 'US', 1)",
                    "insert into o values (103, null, 1)",
                    "update o set amount = amount + 1 where id <= 10",          # within and outside
                    "update o set region = 'US' where id = 2",                   # out
                    "update o set region = 'EU', amount = 7 where id = 3",       # in
                    "update o set id = id + 1000 where id in (4, 5)",            # keys, in and out
                    "update o set id = 2006, region = 'US' where id = 6",        # key, and out
                    "update o set id = 2007, region = 'EU' where id = 7",        # key, and in
                    "update o set region = null where id = 8",
                    "delete from o where id in (9, 10)")
        run = self.follow(task)
        self.assertEqual(run.status, 0, run.describe())
        self.assertEqual(self.at_target(), self.at_source())
        self.assertEqual(self.postgres.query(
            "followed", "select count(*) from public.awsdms_apply_exceptions"), [(0,)])

    def test_changes_of_every_type_are_judged(self):
        """In, out, within and deletes, by each of these filters."""
        sim = self.sim
        cases = [("RAW8", [condition("gte", "80")], "raw8 >= hextoraw('80')"),
                 ("SPAN", [condition("lte", "1-0")], "span <= interval '1-0' year to month"),
                 ("GAP", [condition("notbetween", "0 05:00:00", "0 15:00:00.5")],
                  "not gap between numtodsinterval(18000, 'SECOND') and numtodsinterval(54000.5, 'SECOND')"),
                 ("ZONED", [condition("gte", "2026-01-08 02:00:00+02:00")],
                  "zoned >= timestamp '2026-01-08 00:00:00 +00:00'"),
                 ("UNI", [condition("eq", "u3"), condition("null")], "uni = 'u3' or uni is null"),
                 ("UPAD", [condition("noteq", "p1")], "trim(upad) <> 'p1'"),
                 ("REAL8", [condition("between", "0.25", "1")], "real8 between 0.25 and 1"),
                 ("DAY", [condition("lte", "2026-01-08")], "day <= date '2026-01-08'")]
        self.postgres.create_database("many")
        row = ("hextoraw(to_char({i} * 12, 'fm0x')), numtoyminterval({i}, 'MONTH'), "
               "numtodsinterval({i} * 3600.5, 'SECOND'), timestamp '2026-01-01 00:00:00 +00:00' + "
               "numtodsinterval({i}, 'DAY'), case when mod({i}, 5) > 0 then 'u' || mod({i}, 5) end, "
               "'p' || mod({i}, 3), {i} / 16, date '2026-01-01' + {i}")
        names = "raw8, span, gap, zoned, uni, upad, real8, day"
        large = "to_clob(rpad('large', {i} * 300, 'x'))"
        for column, conditions, words in cases:
            with self.subTest(column):
                sim.execute("delete from many")
                for i in range(1, 21):
                    sim.execute(f"insert into many (id, {names}, large) select {i}, {row.format(i=i)}, "
                                f"{large.format(i=i)} from dual")
                task = self.task(sim.url(), [filtered("APP", "MANY", (column, *conditions))], "many")
                run = self.follow(task)
                self.assertEqual(run.status, 0, run.describe())
                sources = f"select id, dbms_lob.getlength(large) from many where {words} order by id"
                target = 'select "ID", length("LARGE") from "APP"."MANY" order by 1'
                before = sim.query(sources)
                self.assertEqual(self.postgres.query("many", target), before)
                for i, other in ((1, 19), (19, 1), (8, 9), (10, 2), (3, 14), (14, 3)):
                    sim.execute(f"update many set ({names}) = (select {row.format(i=other)} from dual) "
                                f"where id = {i}")
                sim.execute("delete from many where id in (2, 5, 18, 20)",
                            f"insert into many (id, {names}) select 30, {row.format(i=2)} from dual",
                            f"insert into many (id, {names}) select 31, {row.format(i=18)} from dual")
                run = self.follow(task)
                self.assertEqual(run.status, 0, run.describe())
                after = sim.query(sources)
                self.assertNotEqual(after, before)
                self.assertEqual(self.postgres.query("many", target), after)
                checked = task.validate()
                self.assertEqual(checked.status, 0, checked.describe())

    def test_what_no_log_has_is_refused(self):
        for column, words in (("LARGE", ["oracle.not_in_redo", "LARGE"]),
                              ("TWICE", ["plan.filter_not_logged", "generated"])):
            with self.subTest(column):
                task = self.task(self.sim.url(), [filtered("APP", "MANY", (column, condition("notnull")))])
                run = self.follow(task)
                self.assertEqual(run.status, TABLES_IN_ERROR, run.describe())
                for word in words:
                    self.assertIn(word, run.stderr)
                load = Task(self.sim.url(), self.postgres.url("followed"),
                            [filtered("APP", "MANY", (column, condition("notnull")))])
                self.addCleanup(load.close)
                run = load.run()
                self.assertEqual(run.status, 0, run.describe())

    def task(self, source, rules, database="followed"):
        task = Task(source, self.postgres.url(database), rules)
        task.migration_type = "full-load-and-cdc"
        self.addCleanup(task.close)
        return task

    @staticmethod
    def follow(task):
        return task.run("--stop-when", "caught-up")

    def at_source(self):
        return [(int(i), float(a)) for i, a in self.sim.query(
            "select id, amount from o where region = 'EU' order by id")]

    def at_target(self):
        return [(int(i), float(a)) for i, a in self.postgres.query(
            "followed", 'select "ID", "AMOUNT" from "APP"."O" order by 1')]


# Of the table below: column, conditions, and what they mean to the source. Types that PostgreSQL
# alone knows are compared as it prints them.
POSTGRES_CASES = [
    ("addr", [condition("eq", "10.0.0.7")], "host(addr) = '10.0.0.7'"),
    ("addr", [condition("gte", "10.0.0.5")], "format('%s', addr) collate \"C\" >= '10.0.0.5'"),
    ("tags", [condition("eq", "{7,8}"), condition("null")], "tags = '{7,8}' or tags is null"),
    ("mood", [condition("noteq", "sad")], "mood <> 'sad'"),
    ("mood", [condition("between", "h", "i")], "mood::text >= 'h' and mood::text <= 'i'"),
    ("gap", [condition("eq", "7 days 01:00:00")], "gap = '7 days 01:00:00'"),
    ("u", [condition("lte", "00000000-0000-0000-0000-000000000009")],
     "u <= '00000000-0000-0000-0000-000000000009'"),
    ("clock", [condition("notbetween", "05:00:00", "09:30:00")],
     "clock < '05:00:00' or clock > '09:30:00'"),
    ("pair", [condition("null")], "pair is not distinct from null"),
    ("pair", [condition("eq", "(7,)")], "pair = row(7, null)::app.pair"),
    ("flag", [condition("lte", "false")], "flag <= false"),
    ("padded", [condition("gte", "p2")], "padded >= 'p2'"),
    ("num", [condition("gte", "7.5")], "num >= 7.5"),
    ("day", [condition("lte", "2026-01-08")], "day <= '2026-01-08'"),
    ("moment", [condition("between", "2026-01-05 00:00:00.5", "2026-01-09")],
     "moment >= '2026-01-05 00:00:00.5+00' and moment <= '2026-01-09 00:00+00'"),
    ("raw", [condition("notnull")], "raw is not null"),
    ("doc", [condition("null")], "doc is null"),
    ("word", [condition("eq", ""), condition("gte", "w9")], "word = '' or word collate \"C\" >= 'w9'"),
]
POSTGRES_TYPES = ("create type app.mood as enum ('sad', 'ok', 'happy')",
                  "create type app.pair as (a integer, b text)")
POSTGRES_TABLE = (
    "create table app.n (id integer primary key, addr inet, tags integer[], mood app.mood, "
    "gap interval, u uuid, clock time, pair app.pair, flag boolean, padded char(4), num numeric, "
    "day date, moment timestamptz, raw bytea, doc jsonb, word text)",
    "insert into app.n select i, ('10.0.0.' || i)::inet, case when i % 5 > 0 then array[i, i + 1] end, "
    "(array['sad', 'ok', 'happy'])[1 + i % 3]::app.mood, make_interval(days => i, hours => 1), "
    "('00000000-0000-0000-0000-0000000000' || lpad(i::text, 2, '0'))::uuid, make_time(i, 0, 0), "
    "case when i % 4 = 0 then null when i % 4 = 1 then row(null, null)::app.pair "
    "else row(i, null)::app.pair end, i % 2 = 0, 'p' || i % 4, i + 0.5, date '2026-01-01' + i, "
    "timestamptz '2026-01-01 00:00+00' + make_interval(days => i), "
    "case when i % 6 > 0 then '\\x00ff'::bytea end, case when i % 6 > 0 then '{}'::jsonb end, "
    "case when i % 7 = 0 then '' else 'w' || i end from generate_series(1, 20) i")


class LoadedFromPostgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.close)
        for name in ("there", "here"):
            cls.postgres.create_database(name)
            cls.postgres.execute(name, "create schema app", *POSTGRES_TYPES)
        cls.postgres.execute("there", *POSTGRES_TABLE)

    def test_every_type(self):
        for column, conditions, words in POSTGRES_CASES:
            with self.subTest(words):
                task = Task(self.postgres.url("there"), self.postgres.url("here"),
                            [filtered("app", "n", (column, *conditions))])
                self.addCleanup(task.close)
                planned = wherry("plan", "--migration-type", "full-load", *task.flags(),
                                 source_password=PASSWORD)
                self.assertNotIn("Wherry evaluates", planned.stdout)
                run = task.run(source_password=PASSWORD)
                self.assertEqual(run.status, 0, run.describe())
                rows = "select n::text from app.n where {} order by id"
                wanted = self.postgres.query("there", rows.format(words))
                self.assertTrue(0 < len(wanted) < 20, words)
                self.assertEqual(self.postgres.query("here", rows.format("true")), wanted)
                checked = task.validate(source_password=PASSWORD)
                self.assertEqual(checked.status, 0, checked.describe())

    def test_large_objects_are_not_compared(self):
        for column in ("raw", "doc"):
            task = Task(self.postgres.url("there"), self.postgres.url("here"),
                        [filtered("app", "n", (column, condition("eq", "00ff")))])
            self.addCleanup(task.close)
            run = task.run(source_password=PASSWORD)
            self.assertNotEqual(run.status, 0)
            self.assertIn("large objects are not compared", run.stderr)

    def test_a_server_of_another_encoding(self):
        """It would compare by its own bytes, and has no code for some values."""
        self.postgres.execute("postgres", "create database latin9 template template0 "
                                          "encoding 'LATIN9' locale 'C'")
        self.postgres.execute("latin9", "create schema app", *POSTGRES_TYPES,
                              "create table app.w (id integer primary key, word text, mood app.mood)")
        with self.postgres.connect("latin9") as session, session.cursor() as cursor:
            session.set_client_encoding("UTF8")
            cursor.executemany("insert into app.w values (%s, %s, 'sad')",
                               [(i, LATIN9_WORDS[i % len(LATIN9_WORDS)]) for i in range(66)])
        session.close()
        for conditions, takes, told in latin9_cases():
            with self.subTest(conditions):
                task = Task(self.postgres.url("latin9"), self.postgres.url("here"),
                            [filtered("app", "w", ("word", *conditions),
                                      ("mood", condition("lte", "s\u00e9")))])
                self.addCleanup(task.close)
                planned = wherry("plan", "--migration-type", "full-load", *task.flags(),
                                 source_password=PASSWORD).stdout
                own = planned.partition("of which Wherry evaluates, not the source: ")[2]
                self.assertIn(told.replace("WORD", "word"), own)
                self.assertIn("mood <= 's\u00e9'", own)
                run = task.run(source_password=PASSWORD)
                self.assertEqual(run.status, 0, run.describe())
                wanted = [(i,) for i in range(66) if takes(LATIN9_WORDS[i % len(LATIN9_WORDS)])]
                self.assertEqual(self.postgres.query("here", "select id from app.w order by 1"), wanted)
                self.assertEqual(self.postgres.query("here", "select distinct mood::text from app.w"),
                                 [("sad",)] if wanted else [])
                checked = task.validate(source_password=PASSWORD)
                self.assertEqual(checked.status, 0, checked.describe())


class FromPostgres(ChangeCase):
    RULE = filtered("app", "o", ("region", condition("eq", "EU"), condition("gte", "Z")))
    TAKEN = "region = 'EU' or region collate \"C\" >= 'Z'"

    def setUp(self):
        super().setUp()
        self.at_source(
            "create table app.o (id integer primary key, region text, amount numeric, body text)",
            "insert into app.o select i, case when i % 2 = 0 then 'EU' else 'US' end, i, "
            "repeat(md5(i::text), 200) from generate_series(1, 20) i")

    def filtered_task(self):
        task = self.task()
        rules = [self.RULE, {**filtered("app", "marker", rule_id=2), "filters": []}]
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": rules}, file)
        return task

    def rows(self, server, where="true"):
        return server.query(self.name, f"select id, region, amount, md5(body) from app.o "
                                       f"where {where} order by 1")

    def assert_equal_sides(self):
        self.assertEqual(self.rows(self.target), self.rows(self.source, self.TAKEN))

    def test_the_log_must_have_what_decides(self):
        refused = self.start(self.filtered_task(), "--stop-when", "caught-up").finish(60)
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        self.assertIn('alter table "app"."o" replica identity full', refused.stderr)

    def test_rows_come_in_and_go_out(self):
        self.at_source("alter table app.o replica identity full")
        task = self.filtered_task()
        run = self.follow(task)
        self.assert_equal_sides()
        self.at_source(
            "insert into app.o values (101, 'EU', 1, 'x'), (102, 'US', 1, 'y'), (103, null, 1, 'z'), "
            "(104, 'Zürich', 1, 'z')",
            "update app.o set amount = amount + 1 where id <= 10",     # within and outside
            "update app.o set region = 'US' where id = 2",              # out
            "update app.o set region = 'EU', amount = 7 where id = 3",  # in, its large value untouched
            "update app.o set id = id + 1000 where id in (4, 5)",       # keys, in and out
            "update app.o set id = 2006, region = 'US' where id = 6",
            "update app.o set id = 2007, region = 'EU' where id = 7",
            "update app.o set region = null where id = 8",
            "delete from app.o where id in (9, 10)",
            "begin; update app.o set region = 'EU' where id = 11; "
            "update app.o set amount = 0 where id = 11; update app.o set region = 'US' where id = 11; "
            "update app.o set region = 'EU' where id = 11; commit")
        self.catch_up(run)
        self.assert_equal_sides()
        self.assert_no_exceptions()
        self.stop(run)
        self.at_source("update app.o set region = 'EU' where id between 12 and 15")
        self.run_until(task, "caught-up")
        self.assert_equal_sides()
        checked = task.validate(source_password=PASSWORD)
        self.assertEqual(checked.status, 0, checked.describe())

    def write_rules(self, task, *rules):
        marker = {**filtered("app", "marker", rule_id=9), "filters": []}
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": [*rules, marker]}, file)

    def refusal(self, *rules):
        """What the plan says of a table whose changes cannot be had."""
        task = self.task()
        self.write_rules(task, *rules)
        planned = wherry("plan", "--migration-type", "full-load-and-cdc", *task.flags(),
                         source_password=PASSWORD)
        self.assertEqual(planned.status, 2, planned.describe())
        refused = self.start(task, "--stop-when", "caught-up").finish(60)
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        return planned.stderr, refused.stderr

    def test_an_index_as_identity_is_enough_for_its_columns(self):
        self.at_source("create table app.x (id integer primary key, region text not null, body text)",
                       "create unique index x_both on app.x (id, region)",
                       "insert into app.x select i, case when i % 2 = 0 then 'EU' else 'US' end, 'b' "
                       "from generate_series(1, 10) i")
        rule = filtered("app", "x", ("region", condition("eq", "EU")))
        for told in self.refusal(rule):
            self.assertIn('alter table "app"."x" replica identity full', told)
        self.at_source("alter table app.x replica identity using index x_both")
        task = self.task()
        self.write_rules(task, rule)
        run = self.follow(task)
        self.at_source("update app.x set region = 'EU', body = 'in' where id = 1",
                       "update app.x set region = 'US' where id = 2",
                       "update app.x set body = 'within' where id in (3, 4)",
                       "delete from app.x where id in (5, 6)", "insert into app.x values (20, 'EU', 'new')")
        self.catch_up(run)
        rows = "select id, region, body from app.x where region = 'EU' order by 1"
        self.assertEqual(self.target.query(self.name, rows.replace("where region = 'EU'", "")),
                         self.source.query(self.name, rows))
        self.assert_no_exceptions()
        self.stop(run)

    def test_types_that_postgres_alone_knows(self):
        """Changes come in text form, so that a filter can compare them."""
        self.at_source(*POSTGRES_TYPES, *POSTGRES_TABLE, "alter table app.n replica identity full")
        self.at_target("create schema app", *POSTGRES_TYPES)
        rows = "select n::text from app.n where {} order by id"
        for column, conditions, words in POSTGRES_CASES:
            if column not in ("addr", "tags", "mood", "gap", "clock", "pair", "u"):
                continue
            with self.subTest(words):
                task = self.task()
                self.write_rules(task, filtered("app", "n", (column, *conditions)))
                self.run_until(task, "caught-up")
                self.at_source(f"update app.n set {column} = o.{column} from app.n o "
                               f"where o.id = 21 - n.id and n.id % 3 = 0",
                               "update app.n set num = num + 1", "delete from app.n where id % 10 = 3")
                self.run_until(task, "caught-up")
                self.assertEqual(self.target.query(self.name, rows.format("true")),
                                 self.source.query(self.name, rows.format(words)))
                wherry("forget", "--yes", *map(str, task.flags()), source_password=PASSWORD)
                self.at_source("drop table app.n", *POSTGRES_TABLE, "alter table app.n replica identity full")

    def test_a_generated_column_is_in_no_log(self):
        self.at_source("create table app.g (id integer primary key, n integer, "
                       "twice integer generated always as (n * 2) stored)",
                       "alter table app.g replica identity full")
        for told in self.refusal(filtered("app", "g", ("twice", condition("gte", "4")))):
            self.assertIn("generated column", told)
            self.assertIn("twice", told)

    def test_rows_are_known_by_another_key(self):
        self.at_source("create table app.k (id integer primary key, a integer not null, "
                       "b text not null, c text)",
                       "insert into app.k select i, i % 3, 'b' || i, 'c' from generate_series(1, 9) i")
        table = {"schema-name": "app", "table-name": "k"}
        rules = [{**filtered("app", "%"), "filters": []},
                 {"rule-type": "transformation", "rule-id": 2, "rule-name": "2", "rule-target": "table",
                  "rule-action": "define-primary-key", "object-locator": table,
                  "primary-key-def": {"name": "ours", "columns": ["a", "b"]}},
                 {"rule-type": "transformation", "rule-id": 3, "rule-name": "3", "rule-target": "column",
                  "rule-action": "remove-column", "object-locator": {**table, "column-name": "id"}}]
        task = self.task()
        with open(task.mappings, "w", encoding="utf-8") as file:
            json.dump({"rules": rules}, file)
        refused = self.start(task, "--stop-when", "caught-up").finish(60)
        self.assertEqual(refused.status, TABLES_IN_ERROR, refused.describe())
        self.assertIn('alter table "app"."k" replica identity full', refused.stderr)
        self.at_source("alter table app.k replica identity full")
        run = self.follow(task, "--start", "reload-target")
        self.at_source("update app.k set c = 'new' where id = 1", "update app.k set b = 'other' where id = 2",
                       "update app.k set id = 100 where id = 3", "delete from app.k where id = 4",
                       "insert into app.k values (10, 1, 'b10', null)")
        self.catch_up(run)
        columns = "select a, b, c from app.k order by 1, 2"
        self.assertEqual(self.target.query(self.name, columns), self.source.query(self.name, columns))
        self.assert_no_exceptions()
        self.stop(run)

    def test_batches_and_lanes_agree(self):
        self.at_source("alter table app.o replica identity full")
        for settings in ({"BatchApplyEnabled": True}, {"ParallelApplyThreads": 4}):
            with self.subTest(settings):
                task = self.filtered_task()
                self.set_up_anew(task, {"TargetMetadata": settings})
                self.run_until(task, "caught-up", DONE, "--start", "reload-target")
                self.at_source("update app.o set region = case when region = 'EU' then 'US' else 'EU' "
                               "end where id % 3 = 0", "update app.o set amount = amount + id",
                               "delete from app.o where id % 7 = 0")
                self.run_until(task, "caught-up")
                self.assert_equal_sides()
                wherry("forget", "--yes", *map(str, task.flags()), source_password=PASSWORD)


if __name__ == "__main__":
    unittest.main()
