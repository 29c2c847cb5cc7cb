"""Random SQL expressions that know both their Oracle text and their value.

Values: Decimal, str, datetime, None for NULL; conditions: True, False, None for UNKNOWN. The rules
are Oracle's: '' is NULL, || takes NULL as '', arithmetic with NULL is NULL, ROUND goes away from
zero, MOD takes the sign of its first argument, strings compare by code point.
"""
import calendar
import datetime
import decimal
import functools
import operator

D = decimal.Decimal
decimal.getcontext().prec = 60

STRINGS = ["a", "b", "ab", "Ab", "abc", "B", "zz", "x9", "é", "日本", "😀a", "it's"]
FIRST_DAY = datetime.datetime(2019, 12, 28)


class Expression:
    """`text`: the SQL; `value(row)`: its value where `row` maps 'alias.column' to values."""

    def __init__(self, text, value):
        self.text = text
        self.value = value


def number_text(value):
    return f"({value})" if value < 0 else str(value)


def string_text(value):
    return "'" + value.replace("'", "''") + "'"


def date_text(value):
    return f"TO_DATE('{value:%Y-%m-%d %H:%M:%S}', 'YYYY-MM-DD HH24:MI:SS')"


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, D):
        return number_text(value)
    if isinstance(value, str):
        return string_text(value)
    return date_text(value)


def strict(function):
    """NULL when any argument is NULL."""
    @functools.wraps(function)
    def call(*arguments):
        if any(a is None for a in arguments):
            return None
        return function(*arguments)
    return call


def empty_is_null(text):
    return text if text else None


def round_away(value, digits=0):
    return value.quantize(D(1).scaleb(-int(digits)), rounding=decimal.ROUND_HALF_UP)


def truncate(value, digits=0):
    return value.quantize(D(1).scaleb(-int(digits)), rounding=decimal.ROUND_DOWN)


def modulo(a, b):
    return a if b == 0 else a % b


def sign(value):
    return D((value > 0) - (value < 0))


def number_to_char(value):
    """TO_CHAR without a format: no zero before the point, no trailing zeros."""
    if value == 0:
        return "0"
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def substring(text, start, length):
    start, length = int(start), int(length)
    if length < 1:
        return None
    if start == 0:
        start = 1
    begin = start - 1 if start > 0 else len(text) + start
    if begin < 0 or begin >= len(text):
        return None
    return empty_is_null(text[begin:begin + length])


def pad_left(text, width):
    return text[:int(width)].rjust(int(width), "x")


def add_months(day, count):
    month = day.month - 1 + int(count)
    year, month = day.year + month // 12, month % 12 + 1
    last = calendar.monthrange(year, month)[1]
    was_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return day.replace(year=year, month=month, day=last if was_last else min(day.day, last))


def add_days(day, count):
    return day + datetime.timedelta(days=int(count))


def midnight(day):
    return day.replace(hour=0, minute=0, second=0)


def days_between(a, b):
    return D((midnight(a) - midnight(b)).days)


def like(text, pattern):
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(like(text[i:], pattern[1:]) for i in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and like(text[1:], pattern[1:])


def logical_and(a, b):
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def logical_or(a, b):
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def logical_not(a):
    return None if a is None else not a


COMPARISONS = {"=": operator.eq, "<>": operator.ne, "!=": operator.ne, "<": operator.lt,
               "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def combine(template, function, *parts):
    """Expression from parts: `template` with their texts, `function` of their values."""
    return Expression(template.format(*(p.text for p in parts)),
                      lambda row: function(*(p.value(row) for p in parts)))


class Generator:
    """Makes expressions over columns; `columns`: {'n': [...], 's': [...], 'd': [...]} of names.

    `bind` may replace a literal by a placeholder; it returns the placeholder's text or None.
    """

    def __init__(self, random, columns, bind=lambda value: None):
        self.random = random
        self.columns = columns
        self.bind = bind

    def pick_value(self, kind):
        if kind == "n":
            return self.random.choice([D(self.random.randint(-5, 12)), D(self.random.randint(0, 3)),
                                       D(self.random.randint(-9999, 9999)) / 100])
        if kind == "s":
            return self.random.choice(STRINGS)
        return FIRST_DAY + datetime.timedelta(days=self.random.randint(0, 70),
                                              seconds=self.random.choice([0, 0, 1, 43200, 86399]))

    def constant(self, kind):
        value = self.pick_value(kind)
        text = self.bind(value) or literal(value)
        return Expression(text, lambda row: value)

    def leaf(self, kind):
        names = self.columns[kind]
        if names and self.random.random() < 0.7:
            name = self.random.choice(names)
            return Expression(name, lambda row: row[name])
        return self.constant(kind)

    def small(self, low, high):
        value = D(self.random.randint(low, high))
        return Expression(number_text(value), lambda row: value)

    def value(self, kind, depth):
        if depth == 0 or self.random.random() < 0.25:
            return self.leaf(kind)
        make = self.random.choice({"n": NUMBER_FORMS, "s": STRING_FORMS, "d": DATE_FORMS}[kind])
        return make(self, depth - 1)

    def condition(self, depth):
        make = self.random.choice(CONDITION_FORMS if depth else CONDITION_FORMS[:4])
        return make(self, max(depth - 1, 0))

    def kind(self):
        return self.random.choice("nnsd")


def any_kind_forms(kind):
    """Forms that exist for every type."""
    def nvl(g, depth):
        return combine("NVL({}, {})", lambda a, b: b if a is None else a,
                       g.value(kind, depth), g.value(kind, depth))

    def coalesce(g, depth):
        return combine("COALESCE({}, {}, {})",
                       lambda *vs: next((v for v in vs if v is not None), None),
                       *(g.value(kind, depth) for _ in range(3)))

    def searched_case(g, depth):
        return combine("CASE WHEN {} THEN {} ELSE {} END", lambda c, a, b: a if c is True else b,
                       g.condition(depth), g.value(kind, depth), g.value(kind, depth))

    def decode(g, depth):
        return combine("DECODE({}, {}, {}, {})", lambda a, b, x, y: x if a == b else y,
                       g.value("n", depth), g.value("n", depth), g.value(kind, depth),
                       g.value(kind, depth))
    return [nvl, coalesce, searched_case, decode]


NUMBER_FORMS = any_kind_forms("n") + [
    lambda g, d: combine("({} + {})", strict(operator.add), g.value("n", d), g.value("n", d)),
    lambda g, d: combine("({} - {})", strict(operator.sub), g.value("n", d), g.value("n", d)),
    lambda g, d: combine("({} * {})", strict(operator.mul), g.value("n", d), g.value("n", d)),
    lambda g, d: combine("ROUND({} / {}, 4)", strict(lambda a, b: round_away(a / b, 4)),
                         g.leaf("n"), g.small(1, 9)),
    lambda g, d: combine("(-{})", strict(operator.neg), g.leaf("n")),
    lambda g, d: combine("ABS({})", strict(abs), g.value("n", d)),
    lambda g, d: combine("SIGN({})", strict(sign), g.value("n", d)),
    lambda g, d: combine("ROUND({}, {})", strict(round_away), g.value("n", d), g.small(0, 2)),
    lambda g, d: combine("TRUNC({}, {})", strict(truncate), g.value("n", d), g.small(0, 2)),
    lambda g, d: combine("FLOOR({})", strict(lambda v: v.to_integral_value(decimal.ROUND_FLOOR)),
                         g.value("n", d)),
    lambda g, d: combine("CEIL({})", strict(lambda v: v.to_integral_value(decimal.ROUND_CEILING)),
                         g.value("n", d)),
    lambda g, d: combine("MOD({}, {})", strict(modulo), g.value("n", d), g.small(-4, 4)),
    lambda g, d: combine("GREATEST({}, {})", strict(max), g.value("n", d), g.value("n", d)),
    lambda g, d: combine("LEAST({}, {})", strict(min), g.value("n", d), g.value("n", d)),
    lambda g, d: combine("LENGTH({})", strict(lambda s: D(len(s))), g.value("s", d)),
    lambda g, d: combine("INSTR({}, {})", strict(lambda s, t: D(s.find(t) + 1)),
                         g.value("s", d), g.leaf("s")),
    lambda g, d: combine("(TRUNC({}) - TRUNC({}))", strict(days_between),
                         g.value("d", d), g.value("d", d)),
    lambda g, d: combine("EXTRACT(MONTH FROM {})", strict(lambda v: D(v.month)), g.value("d", d)),
    lambda g, d: combine("NULLIF({}, {})", lambda a, b: None if a == b else a,
                         g.leaf("n"), g.leaf("n")),
]
STRING_FORMS = any_kind_forms("s") + [
    lambda g, d: combine("({} || {})", lambda a, b: empty_is_null((a or "") + (b or "")),
                         g.value("s", d), g.value("s", d)),
    lambda g, d: combine("UPPER({})", strict(str.upper), g.value("s", d)),
    lambda g, d: combine("LOWER({})", strict(str.lower), g.value("s", d)),
    lambda g, d: combine("SUBSTR({}, {}, {})", strict(substring), g.value("s", d),
                         g.small(-3, 3), g.small(0, 3)),
    lambda g, d: combine("REPLACE({}, {}, {})",
                         strict(lambda s, a, b: s.replace(a, b)), g.value("s", d),
                         g.constant("s"), g.constant("s")),
    # Of digits only: LPAD counts the width on a screen, where some characters take two columns.
    lambda g, d: combine("LPAD(TO_CHAR({}), {}, 'x')",
                         strict(lambda v, n: pad_left(number_to_char(v), n)),
                         g.leaf("n"), g.small(1, 6)),
    lambda g, d: combine("TO_CHAR({})", strict(number_to_char), g.leaf("n")),
    lambda g, d: combine("TO_CHAR({}, 'YYYY-MM-DD')", strict(lambda v: f"{v:%Y-%m-%d}"),
                         g.leaf("d")),
]
DATE_FORMS = any_kind_forms("d") + [
    lambda g, d: combine("({} + {})", strict(add_days), g.value("d", d), g.small(-9, 9)),
    lambda g, d: combine("({} - {})", strict(lambda v, n: add_days(v, -n)), g.value("d", d),
                         g.small(-9, 9)),
    lambda g, d: combine("ADD_MONTHS({}, {})", strict(add_months), g.value("d", d),
                         g.small(-3, 3)),
    lambda g, d: combine("TRUNC({})", strict(midnight), g.value("d", d)),
    lambda g, d: combine("LAST_DAY({})", strict(lambda v: v.replace(
        day=calendar.monthrange(v.year, v.month)[1])), g.value("d", d)),
]


def _comparison(g, depth):
    kind, sign_text = g.kind(), g.random.choice(sorted(COMPARISONS))
    return combine("({} " + sign_text + " {})", strict(COMPARISONS[sign_text]),
                   g.value(kind, depth), g.value(kind, depth))


def _is_null(g, depth):
    negated = g.random.random() < 0.5
    return combine("({} IS NOT NULL)" if negated else "({} IS NULL)",
                   lambda v: (v is not None) == negated, g.value(g.kind(), depth))


def _between(g, depth):
    kind = g.kind()
    def inside(v, low, high):
        return logical_and(strict(operator.ge)(v, low), strict(operator.le)(v, high))
    negated = g.random.random() < 0.3
    return combine("({} NOT BETWEEN {} AND {})" if negated else "({} BETWEEN {} AND {})",
                   (lambda *a: logical_not(inside(*a))) if negated else inside,
                   g.value(kind, depth), g.leaf(kind), g.leaf(kind))


def _like(g, depth):
    pattern = "".join(g.random.choice(["%", "_", "a", "b", "é", "本"])
                      for _ in range(g.random.randint(1, 3)))
    return combine("({} LIKE " + string_text(pattern) + ")",
                   strict(lambda s: like(s, pattern)), g.value("s", depth))


def _in_list(g, depth):
    kind = g.kind()
    negated = g.random.random() < 0.4
    def inside(v, *items):
        found = False
        for item in items:
            found = logical_or(found, strict(operator.eq)(v, item))
        return logical_not(found) if negated else found
    items = [g.leaf(kind) for _ in range(g.random.randint(1, 3))]
    template = "({} NOT IN (" if negated else "({} IN ("
    return combine(template + ", ".join(["{}"] * len(items)) + "))", inside,
                   g.value(kind, depth), *items)


CONDITION_FORMS = [
    _comparison, _is_null, _between, _like, _in_list,
    lambda g, d: combine("({} AND {})", logical_and, g.condition(d), g.condition(d)),
    lambda g, d: combine("({} OR {})", logical_or, g.condition(d), g.condition(d)),
    lambda g, d: combine("(NOT {})", logical_not, g.condition(d)),
]
