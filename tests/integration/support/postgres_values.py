"""Columns of every type of PostgreSQL's, and random values of them as their servers read them."""
import datetime
import ipaddress
import json

TYPES = (
    "create type app.mood as enum ('sad', 'it''s \"ok\"', 'näh')",
    "create domain app.posint as integer check (value > 0)",
    "create domain app.label as varchar(20) not null default ''",
    "create type app.pair as (a integer, m app.mood)",
    "create type app.span as range (subtype = float8)",
    "create extension hstore schema app",
    "create extension citext schema app",
)


class Values:
    """What `random` makes; each method gives one value's text."""

    def __init__(self, random):
        self.random = random

    def boolean(self):
        return self.random.choice(["true", "false"])

    def whole(self, bits):
        edge = 1 << (bits - 1)
        return str(self.random.choice([-edge, edge - 1, 0, -1, self.random.randrange(-edge, edge)]))

    def floating(self, digits, exponent):
        special = self.random.choice(["NaN", "Infinity", "-Infinity", "-0", None, None, None, None])
        number = self.random.uniform(-1, 1) * 10.0 ** self.random.randint(-exponent, exponent)
        return special or f"{number:.{digits}g}"

    def digits(self, most):
        count = self.random.randint(1, most)
        return str(self.random.randrange(10 ** count))

    def numeric(self, whole=60, fraction=60):
        text = self.random.choice(["", "-"]) + self.digits(whole)
        if fraction and self.random.random() < 0.7:
            text += "." + "0" * self.random.randint(0, fraction // 2) + self.digits(fraction // 2)
        return text

    def any_numeric(self):
        return "NaN" if self.random.random() < 0.1 else self.numeric()

    def text(self, most=60):
        letters = "abc XYZ\t\n\r\\\"'{}(),:/|äß€🚣\u0301\u200b\x01\x7f%"
        return "".join(self.random.choice(letters)
                       for _ in range(self.random.randint(0, most)))

    def bytea(self):
        return "\\x" + self.random.randbytes(self.random.choice([0, 1, 7, 300])).hex()

    def micros(self):
        return f"{self.random.choice([0, 1, 999999, self.random.randrange(1000000)]):06d}"

    def date(self):
        return self.random.choice([
            "infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "2000-02-29",
            (datetime.date(1, 1, 1) + datetime.timedelta(
                days=self.random.randrange(3652058))).isoformat()])

    def time(self):
        return self.random.choice(["00:00:00", "24:00:00", f"{self.random.randrange(24):02d}:"
                                   f"{self.random.randrange(60):02d}:07.{self.micros()}"])

    def offset(self):
        return self.random.choice("+-") + f"{self.random.randrange(16):02d}:{self.random.randrange(60):02d}"

    def timestamp(self):
        day = self.date()
        if "infinity" in day:
            return day
        if day.startswith("5874897"):
            return "294276-12-31 23:59:59.999999"
        clock = f"{self.random.randrange(24):02d}:59:07.{self.micros()}"
        return f"{day[:-3]} {clock} BC" if day.endswith("BC") else f"{day} {clock}"

    def timestamptz(self):
        moment = self.timestamp()
        if "infinity" in moment or "BC" in moment or moment.startswith("294276"):
            return moment
        return moment + self.offset()

    def interval(self):
        return (f"{self.random.randint(-2000, 2000)} months {self.random.randint(-9999, 9999)} days "
                f"{self.random.randint(-10 ** 6, 10 ** 6)} seconds {self.random.randint(-999, 999)} "
                "microseconds")

    def uuid(self):
        return self.random.randbytes(16).hex()

    def document(self, depth=3):
        kind = self.random.randrange(6 if depth else 4)
        if kind == 4:
            return [self.document(depth - 1) for _ in range(self.random.randrange(4))]
        if kind == 5:
            return {f"k{i} {self.text(3)}": self.document(depth - 1)
                    for i in range(self.random.randrange(4))}
        return [None, True, self.random.randrange(10 ** 20), self.text(10)][kind]

    def json(self):
        return json.dumps(self.document(), ensure_ascii=self.random.random() < 0.5,
                          indent=self.random.choice([None, 1]))

    def xml(self):
        return f"<a b='{self.random.randrange(99)}'>é {self.random.randrange(99)}</a>"

    def address(self, is_network=False):
        is_new = self.random.random() < 0.5
        bits = 128 if is_new else 32
        prefix = self.random.randrange(bits + 1)
        number = self.random.getrandbits(bits)
        if is_network:
            number = number >> (bits - prefix) << (bits - prefix)
        address = (ipaddress.IPv6Address if is_new else ipaddress.IPv4Address)(number)
        return f"{address}/{prefix}"

    def hexes(self, count):
        return ":".join(f"{byte:02x}" for byte in self.random.randbytes(count))

    def bits(self, least, most):
        return "".join(self.random.choice("01") for _ in range(self.random.randint(least, most)))

    def number(self):
        return repr(self.random.uniform(-1000, 1000))

    def point(self):
        return f"({self.number()},{self.number()})"

    def points(self, least=1):
        return ",".join(self.point() for _ in range(self.random.randint(least, 5)))

    def words(self):
        return " ".join(f"'{self.random.choice(['fat', 'cat', 'rät'])}':{self.random.randint(1, 99)}"
                        f"{self.random.choice(['', 'A', 'B'])}"
                        for _ in range(self.random.randint(0, 4)))

    def range(self, make, key=None):
        if self.random.random() < 0.1:
            return "empty"
        low, high = sorted([make(), make()], key=key or float)
        return (self.random.choice("[(") + self.random.choice([low, ""]) + "," +
                self.random.choice([high, ""]) + self.random.choice("])"))

    def small(self):
        return str(self.random.randint(-10 ** 6, 10 ** 6))

    def day(self):
        return f"{self.random.randint(1900, 2100)}-05-{self.random.randint(1, 31):02d}"

    def mood(self):
        return self.random.choice(["sad", "it's \"ok\"", "näh"])

    def array(self, make):
        def quoted(value):
            return "NULL" if value is None else \
                '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        items = [quoted(None if self.random.random() < 0.2 else make())
                 for _ in range(self.random.randint(0, 4))]
        if len(items) == 4 and self.random.random() < 0.5:
            return "[-1:0][3:4]={{%s,%s},{%s,%s}}" % tuple(items)
        return "{" + ",".join(items) + "}"

    def pairs(self):
        return ", ".join(f'"k{i}"=>' + self.random.choice(["NULL", f'"{self.random.randrange(9)} ä"'])
                         for i in range(self.random.randint(0, 3)))


def columns(make, version):
    """{column: (type, function that makes a value's text)}, of what the version has."""
    plain = {
        "bool": ("boolean", make.boolean),
        "i2": ("smallint", lambda: make.whole(16)), "i4": ("integer", lambda: make.whole(32)),
        "i8": ("bigint", lambda: make.whole(64)), "oid": ("oid", lambda: make.digits(9)),
        "f4": ("real", lambda: make.floating(9, 37)), "f8": ("float8", lambda: make.floating(17, 300)),
        "num": ("numeric", make.any_numeric), "price": ("numeric(12,2)", lambda: make.numeric(9, 0)),
        "cash": ("money", lambda: make.numeric(12, 0)),
        "txt": ("text", make.text), "code": ("varchar(70)", make.text),
        "fixed": ("char(80)", make.text), "letter": ('"char"', lambda: "x"),
        "handle": ("name", lambda: make.text(10)), "raw": ("bytea", make.bytea),
        "day": ("date", make.date), "hour": ("time", make.time),
        "hour3": ("time(3)", make.time), "hourz": ("timetz", lambda: "12:00:07." + make.micros() + make.offset()),
        "ts": ("timestamp", make.timestamp), "tz": ("timestamptz", make.timestamptz),
        "span": ("interval", make.interval), "id": ("uuid", make.uuid),
        "doc": ("json", make.json), "docb": ("jsonb", make.json), "page": ("xml", make.xml),
        "path": ("jsonpath", lambda: f"$.a[*] ? (@ > {make.small()})"),
        "ip": ("inet", make.address), "net": ("cidr", lambda: make.address(True)),
        "mac": ("macaddr", lambda: make.hexes(6)), "mac8": ("macaddr8", lambda: make.hexes(8)),
        "bits": ("bit(9)", lambda: make.bits(9, 9)),
        "vbits": ("bit varying", lambda: make.bits(0, 90)),
        "pt": ("point", make.point), "ln": ("line", lambda: "{%s,1,%s}" % (make.number(), make.number())),
        "seg": ("lseg", lambda: f"[{make.point()},{make.point()}]"),
        "bx": ("box", lambda: f"{make.point()},{make.point()}"),
        "pth": ("path", lambda: f"[{make.points()}]"), "poly": ("polygon", lambda: f"({make.points()})"),
        "circ": ("circle", lambda: f"<{make.point()},{abs(float(make.number()))}>"),
        "tsv": ("tsvector", make.words), "lsn": ("pg_lsn", lambda: f"{make.digits(3)}/{make.digits(7)}"),
        "txsnap": ("txid_snapshot", lambda: "10:20:10,14"),
        "ir": ("int4range", lambda: make.range(make.small)),
        "br": ("int8range", lambda: make.range(make.small)),
        "nr": ("numrange", lambda: make.range(make.numeric)),
        "dr": ("daterange", lambda: make.range(make.day, str)),
        "tr": ("tsrange", lambda: make.range(make.day, str)),
        "zr": ("tstzrange", lambda: make.range(make.day, str)),
        "own_enum": ("app.mood", make.mood), "own_domain": ("app.posint", lambda: str(make.random.randint(1, 9))),
        "own_label": ("app.label", lambda: make.text(20)),
        "own_range": ("app.span", lambda: make.range(make.number)),
        "hs": ("app.hstore", make.pairs), "ci": ("app.citext", make.text),
        "arr": ("integer[]", lambda: make.array(make.small)),
        "tarr": ("text[]", lambda: make.array(make.text)),
        "narr": ("numeric(20,3)[]", lambda: make.array(lambda: make.numeric(9, 0))),
        "zarr": ("timestamptz[]", lambda: make.array(make.timestamptz)),
        "jarr": ("jsonb[]", lambda: make.array(make.json)),
        "rarr": ("int4range[]", lambda: make.array(lambda: make.range(make.small))),
    }
    if version >= 13:
        plain["snap"] = ("pg_snapshot", lambda: "10:20:10,14")
    if version >= 14:
        plain["imr"] = ("int4multirange", lambda: "{%s}" % make.range(make.small))
        plain["nmr"] = ("nummultirange", lambda: "{%s}" % make.range(make.numeric))
    # The binary form of these names types by numbers of one database, or is not taken back.
    foreign = {
        "moods": ("app.mood[]", lambda: make.array(make.mood)),
        "pair": ("app.pair", lambda: '(%s,"%s")' % (make.small(), make.mood().replace('"', '""'))),
        "hstores": ("app.hstore[]", lambda: make.array(make.pairs)),
        "query": ("tsquery", lambda: make.random.choice(["", "'fat' & !'cat'", "'a' <2> 'b':*A"])),
        "cls": ("regclass", lambda: "pg_catalog.pg_class"), "acl": ("aclitem", lambda: "=r/wherry"),
        "tail": ("text", make.text),
    }
    return plain, foreign
