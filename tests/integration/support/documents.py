"""Random values of the types that Oracle got late or that few tables have: JSON, VECTOR, BOOLEAN,
XMLTYPE, LONG, UROWID, named time zones, strings of 32 kB.

`late_families` are Families as in values.py; the expected value is what PostgreSQL holds after the
migration.
"""
import json
import math
import struct

import oracledb

from support.values import (Column, always, any_bytes, any_text, long_bytes, long_text, same,
                            year_to_month)

REGIONS = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Etc/UTC",
           "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "Asia/Tokyo"]


def any_word(chooser):
    return any_text(chooser.choice([1, 5, 40]))(chooser)[0]


def json_number(chooser):
    kind = chooser.randint(0, 3)
    if kind == 0:
        return chooser.randint(-9, 9)
    if kind == 1:
        return chooser.randint(-10**18, 10**18)
    if kind == 2:
        return chooser.randint(-10**12, 10**12) / 2**chooser.randint(1, 10)
    return chooser.randint(0, 10**6)


def json_scalar(chooser):
    return chooser.choice([None, True, False, "", "x" * chooser.choice([31, 32, 255, 256]),
                           any_word(chooser), json_number(chooser), json_number(chooser)])


def json_value(chooser, depth):
    kind = chooser.random()
    if depth == 0 or kind < 0.3:
        return json_scalar(chooser)
    size = chooser.choice([0, 1, 2, 5])
    if kind < 0.6:
        return [json_value(chooser, depth - 1) for _ in range(size)]
    if kind < 0.7:  # rows of one shape
        return [{"id": i, "name": any_word(chooser)} for i in range(chooser.choice([3, 50]))]
    return {any_word(chooser): json_value(chooser, depth - 1) for _ in range(size)}


def json_edges():
    return [{}, [], 0, "", None, True, {"": ""}, [[[[]]]], {f"field {i}": i for i in range(300)},
            ["row %d" % i for i in range(12_000)], {"n" * 300: {"n" * 300: 1}}, "s" * 70_000]


def any_json(edges=()):
    waiting = list(edges)[::-1]

    def make(chooser):
        value = waiting.pop() if waiting else json_value(chooser, 4)
        return json.dumps(value, ensure_ascii=chooser.random() < 0.5), value
    return make


def any_float32(chooser):
    while True:
        value = struct.unpack("<f", chooser.randbytes(4))[0]
        if math.isfinite(value) and value != 0:
            return value


def any_vector(size, kind):
    def element(chooser):
        if kind == "int8":
            return chooser.randint(-128, 127)
        if kind == "binary":
            return chooser.randint(0, 255)
        if kind == "float32":
            return chooser.choice([0.0, 1.0, -0.5, any_float32(chooser)])
        return chooser.choice([0.0, chooser.uniform(-1e300, 1e300), chooser.random()])

    def make(chooser):
        values = [element(chooser) for _ in range(size or chooser.choice([1, 3, 300]))]
        return json.dumps(values), values
    return make


def sparse_vector(size):
    def make(chooser):
        indices = sorted(chooser.sample(range(1, size + 1), chooser.choice([1, 2, 5])))
        values = [chooser.choice([1.0, -0.5, 0.25]) for _ in indices]
        parts = [size, indices, values]
        return json.dumps(parts), parts
    return make


def any_boolean(chooser):
    value = chooser.random() < 0.5
    return value, value


def xml_text(chooser, most):
    body = "".join(c for c in any_text(most)(chooser)[0]
                   if c not in "\ufffe\uffff" and (c >= " " or c in "\t\n"))
    return body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def any_xml(chooser):
    size = chooser.choice([1, 20, 20, 1500, 9000])
    text = f'<r a="1"><b>{xml_text(chooser, size)}</b><!-- c --><e/></r>'
    return text, text


def any_urowid(chooser):
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    if chooser.random() < 0.5:
        text = "AAA" + "".join(chooser.choice(digits) for _ in range(3)) + "AAB" + \
            "AAA" + "".join(chooser.choice(digits) for _ in range(3)) + "AA" + chooser.choice(digits)
    else:  # whole bytes: four digits hold three
        text = "*BA" + "".join(chooser.choice(digits) for _ in range(chooser.choice([14, 18, 38])))
    return text, text


def wide_text(most):
    def make(chooser):
        size = chooser.choice([1, 3999, 4001, most])
        text = (any_text(50)(chooser)[0] + "x" * size).encode()[:size].decode(errors="ignore") or "x"
        return text, text
    return make


def late_families(long):
    """name -> (columns, rows wanted). JSON, BOOLEAN and VECTOR need a server of 23ai."""
    sizes = [1, 4000, 4001, 32767, 32768, 65536, 300_000] + [2_000_000] * long
    count = 2000 if long else 150
    return {
        "documents": ([
            Column("J", "JSON", any_json(json_edges())),
            Column("J2", "JSON", any_json()),
        ], count),
        "booleans": ([
            Column("B", "BOOLEAN", any_boolean, "CASE {} WHEN 1 THEN TRUE WHEN 0 THEN FALSE END",
                   driver_type=oracledb.DB_TYPE_NUMBER),
        ], count),
        "vectors": ([
            Column("ANY_ONE", "VECTOR", any_vector(0, "float32"),
                   driver_type=oracledb.DB_TYPE_CLOB),
            Column("F64", "VECTOR(20, FLOAT64)", any_vector(20, "float64")),
            Column("I8", "VECTOR(*, INT8)", any_vector(0, "int8")),
            Column("BITS", "VECTOR(32, BINARY)", any_vector(4, "binary")),
            Column("SPARSE", "VECTOR(1000, FLOAT32, SPARSE)", sparse_vector(1000)),
        ], count),
        "pages": ([Column("X", "XMLTYPE", any_xml, driver_type=oracledb.DB_TYPE_CLOB)], count),
        "longs": ([
            Column("T", "LONG", always([], long_text(sizes)), driver_type=oracledb.DB_TYPE_LONG),
        ], 60 if long else 20),
        "long_raws": ([
            Column("R", "LONG RAW", long_bytes(sizes), driver_type=oracledb.DB_TYPE_LONG_RAW),
        ], 60 if long else 20),
        "urowids": ([Column("U", "UROWID", any_urowid)], count),
        "months": ([
            Column("YM", "INTERVAL YEAR(9) TO MONTH", year_to_month, "TO_YMINTERVAL({})"),
        ], count),
        "wide": ([
            Column("V", "VARCHAR2(32767)", wide_text(32767)),
            Column("R", "RAW(32767)", any_bytes(32767), driver_type=oracledb.DB_TYPE_RAW),
            Column("NV", "NVARCHAR2(16000)", always(same(["я" * 16000]), any_text(3000)),
                   driver_type=oracledb.DB_TYPE_NVARCHAR),
        ], 60 if long else 20),
    }
