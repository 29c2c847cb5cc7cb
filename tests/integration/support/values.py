"""Random values of each Oracle type, with what PostgreSQL must hold after the migration.

A Family is one table: columns with their declaration, the SQL expression that a bind goes through,
the driver's type for the bind, and a maker of (bind value, expected value) pairs.
"""
import dataclasses
import datetime
import decimal
import math
import random
import struct

import oracledb

D = decimal.Decimal
EXACT = decimal.Context(prec=200)


@dataclasses.dataclass
class Column:
    name: str
    declared: str
    make: object                 # chooser -> (bound value, value expected in PostgreSQL)
    through: str = "{}"          # SQL around the bind
    driver_type: object = None
    nullable: bool = True


def always(pairs, make):
    """First each of `pairs`, then what `make` gives."""
    waiting = list(reversed(pairs))
    return lambda chooser: waiting.pop() if waiting else make(chooser)


# --- numbers

def digits(chooser, count):
    return "".join(chooser.choice("0123456789") for _ in range(count))


def any_number(chooser):
    """Up to 38 significant digits anywhere between 1e-130 and 1e126."""
    count = chooser.choice([1, 2, 3, 9, 17, 20, 38, chooser.randint(1, 38)])
    text = chooser.choice("123456789") + digits(chooser, count - 1)
    low, high = -130, 126 - count
    power = chooser.choice([0, 0, -count, -2, chooser.randint(low, high), low, high])
    value = D(text).scaleb(power, EXACT)
    value = -value if chooser.random() < 0.5 else value
    return value, value


def fixed_number(precision, scale):
    def make(chooser):
        text = digits(chooser, chooser.randint(1, precision))
        value = D(text).scaleb(-scale, EXACT)
        value = -value if chooser.random() < 0.5 else value
        return value, value
    return make


def rounded_number(scale, size):
    """More digits than the column keeps: Oracle rounds away from zero."""
    def make(chooser):
        value = D(chooser.randint(-size * 1000, size * 1000)) / 1000
        kept = value.quantize(D(1).scaleb(-scale), rounding=decimal.ROUND_HALF_UP, context=EXACT)
        return value, D(format(kept, "f"))
    return make


NUMBER_EDGES = [D(0), D(1), D(-1), D("1E-130"), D("-1E-130"), D("9" * 38), D("-" + "9" * 38),
                D("9" * 38 + "E+88"), D("-" + "9" * 38 + "E+88"), D("0.1"), D("100"), D("99"),
                D("0.01"), D("10000"), D("0.0001"), D("12345.6789"), D("1E+125"),
                D("123456789012345678901234567890.12345678")]


# --- text

def any_text(most, planes=True, most_bytes=None):
    """Characters of every plane but NUL, which PostgreSQL cannot hold, and lone surrogates."""
    ranges = [(1, 0x7F), (0x20, 0x7E), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF)]
    if planes:
        ranges += [(0x10000 * p, 0x10000 * p + 0xFFFF) for p in range(1, 17)]

    def make(chooser):
        wanted = chooser.choice([1, 2, most, chooser.randint(1, most)])
        text, size = "", 0
        for _ in range(wanted):
            low, high = chooser.choice(ranges)
            character = chr(chooser.randint(low, high))
            size += len(character.encode())
            if most_bytes and size > most_bytes:
                break
            text += character
        return text or "x", text or "x"
    return make


def padded(make):
    """CHAR: blanks at the end are padding, and Wherry removes it."""
    def trimmed(chooser):
        bound, _ = make(chooser)
        return bound, bound.rstrip(" ")
    return trimmed


def units(text):
    return len(text.encode("utf-16-le")) // 2


def national(most_units):
    inner = any_text(most_units)

    def make(chooser):
        text, _ = inner(chooser)
        while units(text) > most_units:
            text = text[:-1]
        return text, text
    return make


# --- dates and times

def any_day(chooser):
    """(year, month, day); year -4712 to 9999 without 0, days that both calendars have.

    Never the first or last day there is: with an offset it would leave Oracle's range.
    """
    year = chooser.choice([chooser.randint(-4712, 9999), chooser.randint(1900, 2100), -4712, 9999,
                           -1, 1, 1582, 1969, 1970, 2000])
    year = year or 1
    month, day = chooser.randint(1, 12), chooser.randint(2, 28)
    if year == 1582 and month == 10:
        day = chooser.choice([2, 4, 15, 28])
    return year, month, day


def clock(chooser):
    return chooser.choice([(0, 0, 0), (23, 59, 59), (12, 0, 0),
                           (chooser.randint(0, 23), chooser.randint(0, 59), chooser.randint(0, 59))])


def fraction(chooser, places):
    return chooser.choice(["0" * places, "9" * places, digits(chooser, places)]) if places else ""


def moment(places, suffix=lambda chooser: ("", "")):
    """Text of a moment for the bind (year with sign) and as PostgreSQL prints it."""
    def make(chooser):
        year, month, day = any_day(chooser)
        rest = f"-{month:02}-{day:02} " + "{:02}:{:02}:{:02}".format(*clock(chooser))
        if places:
            rest += "." + fraction(chooser, places)
        mine, theirs = suffix(chooser)
        era = " BC" if year < 0 else ""
        sign = "-" if year < 0 else " "
        return f"{sign}{abs(year):04}{rest}{mine}", f"{abs(year):04}{rest}{theirs}{era}"
    return make


DATE_EDGES = [("-4712-01-01 00:00:00", "4712-01-01 00:00:00 BC"),
              (" 9999-12-31 23:59:59", "9999-12-31 23:59:59"),
              ("-0001-12-31 23:59:59", "0001-12-31 23:59:59 BC"),
              (" 2000-02-29 00:00:00", "2000-02-29 00:00:00")]


def offset(chooser):
    hours, minutes = chooser.choice([(0, 0), (2, 30), (-8, 0), (14, 0), (-12, 0), (5, 45), (-3, 30),
                                     (chooser.randint(-12, 13), chooser.choice([0, 15, 30, 45]))])
    sign = "-" if hours < 0 else "+"
    text = f" {sign}{abs(hours):02}:{minutes:02}"
    return text, text


def postgres_fraction(make, places):
    """PostgreSQL prints a timestamp without trailing zeros of its fraction."""
    def trimmed(chooser):
        bound, expected = make(chooser)
        head, _, era = expected.partition(" BC")
        if places:
            head = head.rstrip("0").rstrip(".")
        return bound, head + (" BC" if era == "" and expected.endswith(" BC") else "")
    return trimmed


def driver_moment(chooser):
    value = datetime.datetime(chooser.randint(1, 9999), chooser.randint(1, 12),
                              chooser.randint(1, 28), *clock(chooser),
                              chooser.choice([0, 999999, chooser.randint(0, 999999)]))
    if (value.year, value.month) == (1582, 10):
        value = value.replace(day=1)
    return value, value


def year_to_month(chooser):
    years, months = chooser.choice([0, 1, 999999999, chooser.randint(0, 999)]), chooser.randint(0, 11)
    sign = "-" if chooser.random() < 0.5 and (years or months) else "+"
    return f"{sign}{years}-{months}", f"{sign}{years:02}-{months:02}"


def day_to_second(chooser):
    days = chooser.choice([0, 1, 999999999, chooser.randint(0, 99999)])
    time = "{:02}:{:02}:{:02}".format(*clock(chooser))
    part = fraction(chooser, 9)
    is_zero = days == 0 and time == "00:00:00" and not part.strip("0")
    sign = "-" if chooser.random() < 0.5 and not is_zero else "+"
    return f"{sign}{days} {time}.{part}", f"{sign}{days:02} {time}.{part}"


def driver_interval(chooser):
    """Whole microseconds, bound as a timedelta."""
    value = datetime.timedelta(days=chooser.randint(0, 9999), seconds=chooser.randint(0, 86399),
                               microseconds=chooser.randint(0, 999999))
    part = f"{value.seconds // 3600:02}:{value.seconds // 60 % 60:02}:{value.seconds % 60:02}"
    return value, f"+{value.days:02} {part}.{value.microseconds:06}"


# --- bytes, floats, LOBs

def any_bytes(most):
    def make(chooser):
        value = chooser.randbytes(chooser.choice([1, 2, most, chooser.randint(1, most)]))
        return value, value
    return make


def any_double(chooser):
    while True:
        value = struct.unpack("<d", chooser.randbytes(8))[0]
        if math.isfinite(value) and value != 0.0:
            return value, value


def any_float(chooser):
    while True:
        value = struct.unpack("<f", chooser.randbytes(4))[0]
        if math.isfinite(value) and value != 0.0:
            return value, value


def same(values):
    return [(value, value) for value in values]


def long_text(sizes):
    def make(chooser):
        size = chooser.choice(sizes)
        piece = any_text(200)(chooser)[0] + "\n"
        text = (piece * (size // len(piece) + 1))[:size]
        return text, text
    return make


def long_bytes(sizes):
    def make(chooser):
        value = chooser.randbytes(chooser.choice(sizes))
        return value, value
    return make


NULL = (None, None)
DATE_PICTURE = "'SYYYY-MM-DD HH24:MI:SS"


def families(long):
    """name -> (columns, rows wanted)."""
    lob_sizes = [1, 100, 4000, 4001, 8132, 32767, 32768, 65536, 300_000] + [1_500_000] * long
    count = 5000 if long else 300
    ds = oracledb.DB_TYPE_INTERVAL_DS
    return {
        "numbers": ([
            Column("ANY_NUMBER", "NUMBER", always(same(NUMBER_EDGES), any_number)),
            Column("WHOLE38", "NUMBER(38)", fixed_number(38, 0)),
            Column("SMALL4", "NUMBER(4)", always(same([D(9999), D(-9999)]), fixed_number(4, 0))),
            Column("INT9", "NUMBER(9)", always(same([D(999999999), D(-999999999)]),
                                               fixed_number(9, 0))),
            Column("MONEY", "NUMBER(10,2)", fixed_number(10, 2)),
            Column("ALL_FRACTION", "NUMBER(5,9)", fixed_number(5, 9)),
            Column("ROUNDED", "NUMBER(10,2)", rounded_number(2, 10**6)),
            Column("HUNDREDS", "NUMBER(7,-2)", rounded_number(-2, 10**7)),
            Column("AS_FLOAT", "FLOAT", fixed_number(30, 15)),
            Column("WHOLE", "INTEGER", fixed_number(38, 0)),
        ], count),
        "texts": ([
            Column("V", "VARCHAR2(4000)", any_text(1500, most_bytes=4000)),
            Column("VC", "VARCHAR2(40 CHAR)", any_text(40)),
            Column("NV", "NVARCHAR2(100)", national(100), driver_type=oracledb.DB_TYPE_NVARCHAR),
            Column("C", "CHAR(12 CHAR)", padded(any_text(12))),
            Column("NC", "NCHAR(12)", padded(national(12)), driver_type=oracledb.DB_TYPE_NCHAR),
        ], count),
        "dates": ([
            Column("D", "DATE", always(DATE_EDGES, moment(0)),
                   f"TO_DATE({{}}, {DATE_PICTURE}')"),
            Column("T0", "TIMESTAMP(0)", moment(0), f"TO_TIMESTAMP({{}}, {DATE_PICTURE}')"),
            Column("T3", "TIMESTAMP(3)", postgres_fraction(moment(3), 3),
                   f"TO_TIMESTAMP({{}}, {DATE_PICTURE}.FF3')"),
            Column("T6", "TIMESTAMP(6)", postgres_fraction(moment(6), 6),
                   f"TO_TIMESTAMP({{}}, {DATE_PICTURE}.FF6')"),
            Column("T9", "TIMESTAMP(9)", moment(9), f"TO_TIMESTAMP({{}}, {DATE_PICTURE}.FF9')"),
            Column("BOUND", "TIMESTAMP", driver_moment, driver_type=oracledb.DB_TYPE_TIMESTAMP),
        ], count),
        "zones": ([
            Column("TZ6", "TIMESTAMP(6) WITH TIME ZONE", moment(6, offset),
                   f"TO_TIMESTAMP_TZ({{}}, {DATE_PICTURE}.FF6 TZH:TZM')"),
            Column("TZ9", "TIMESTAMP(9) WITH TIME ZONE", moment(9, offset),
                   f"TO_TIMESTAMP_TZ({{}}, {DATE_PICTURE}.FF9 TZH:TZM')"),
            Column("LTZ", "TIMESTAMP(6) WITH LOCAL TIME ZONE", postgres_fraction(moment(6), 6),
                   f"TO_TIMESTAMP({{}}, {DATE_PICTURE}.FF6')"),
        ], count),
        "intervals": ([
            Column("YM", "INTERVAL YEAR(9) TO MONTH", year_to_month, "TO_YMINTERVAL({})"),
            Column("DS", "INTERVAL DAY(9) TO SECOND(9)", day_to_second, "TO_DSINTERVAL({})"),
            Column("BOUND", "INTERVAL DAY(4) TO SECOND(6)", driver_interval, driver_type=ds),
        ], count),
        "bytes": ([
            Column("R", "RAW(2000)", any_bytes(2000), driver_type=oracledb.DB_TYPE_RAW),
            Column("R16", "RAW(16)", any_bytes(16), driver_type=oracledb.DB_TYPE_RAW),
        ], count),
        "floats": ([
            Column("BF", "BINARY_FLOAT", always(same([math.nan, math.inf, -math.inf, 0.0, 1.0]),
                                                any_float),
                   driver_type=oracledb.DB_TYPE_BINARY_FLOAT),
            Column("BD", "BINARY_DOUBLE", always(same([math.nan, math.inf, -math.inf, 0.0, 0.1,
                                                       5e-324, 1.7976931348623157e308]),
                                                 any_double),
                   driver_type=oracledb.DB_TYPE_BINARY_DOUBLE),
        ], count),
        "lobs": ([
            Column("CL", "CLOB", long_text(lob_sizes), driver_type=oracledb.DB_TYPE_CLOB),
            Column("NCL", "NCLOB", long_text(lob_sizes[:6]), driver_type=oracledb.DB_TYPE_NCLOB),
            Column("BL", "BLOB", long_bytes(lob_sizes), driver_type=oracledb.DB_TYPE_BLOB),
        ], 60 if long else 25),
    }


def make_rows(columns, count, seed):
    """Rows of (bound, expected) pairs; every tenth value or so is NULL."""
    chooser = random.Random(seed)
    return [[NULL if column.nullable and chooser.random() < 0.1 else column.make(chooser)
             for column in columns] for _ in range(count)]
