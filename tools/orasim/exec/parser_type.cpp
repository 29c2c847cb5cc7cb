// Data types as columns, CAST and PL/SQL variables declare them.
#include <algorithm>

#include "exec/errors.h"
#include "exec/parser.h"
#include "exec/types.h"

namespace orasim {
namespace {

struct Length {
  std::int64_t value = 0;
  bool characters = false;
};

Length read_length(Parser& p, std::int64_t limit, bool required, std::int64_t fallback) {
  Length length{fallback, false};
  if (!p.accept_symbol("(")) {
    if (required) p.fail(906);
    return length;
  }
  length.value = p.integer(910);
  if (length.value < 1) p.fail(1723);
  if (length.value > limit) p.fail(910);
  if (p.accept("CHAR")) {
    length.characters = true;
  } else {
    p.accept("BYTE");
  }
  p.expect_symbol(")", 907);
  return length;
}

DataType character_type(Parser& p, Type base, bool national) {
  const bool fixed = base == Type::kChar;
  // MAX_STRING_SIZE = EXTENDED.
  const std::int64_t limit = fixed && !p.plsql() ? 2000 : 32767;
  const Length n = read_length(p, national ? limit / 2 : limit, !fixed, 1);
  return text_type(base, n.value, n.characters, national);
}

DataType number_type(Parser& p) {
  DataType t = plain_number();
  if (!p.accept_symbol("(")) return t;
  t.has_precision = true;
  t.has_scale = true;
  if (p.accept_symbol("*")) {
    t.has_precision = false;
  } else {
    const auto precision = p.integer(1727);
    if (precision < 1 || precision > 38) p.fail(1727);
    t.precision = static_cast<std::int16_t>(precision);
  }
  if (p.accept_symbol(",")) {
    const auto scale = p.integer(1728);
    if (scale < -84 || scale > 127) p.fail(1728);
    t.scale = static_cast<std::int16_t>(scale);
  }
  p.expect_symbol(")", 907);
  return t;
}

DataType integer_type() {
  DataType t = plain_number();
  t.has_scale = true;
  return t;
}

DataType float_type(Parser& p, int binary_digits) {
  DataType t = plain_number();
  t.is_float = true;
  t.has_precision = true;
  t.precision = static_cast<std::int16_t>(binary_digits);
  if (p.accept_symbol("(")) {
    const auto precision = p.integer(1727);
    if (precision < 1 || precision > 126) p.fail(1727);
    t.precision = static_cast<std::int16_t>(precision);
    p.expect_symbol(")", 907);
  }
  return t;
}

DataType timestamp_type(Parser& p) {
  std::int64_t digits = 6;
  if (p.accept_symbol("(")) {
    digits = p.integer(30088);
    if (digits < 0 || digits > 9) p.fail(30088);
    p.expect_symbol(")", 907);
  }
  Type type = Type::kTimestamp;
  if (p.is_word("WITH") && (p.is_word("TIME", 1) || p.is_word("LOCAL", 1))) {
    p.take();
    type = p.accept("LOCAL") ? Type::kTimestampLtz : Type::kTimestampTz;
    p.expect("TIME");
    p.expect("ZONE");
  }
  return timestamp_type_of(type, static_cast<int>(digits));
}

std::int16_t interval_digits(Parser& p, std::int16_t fallback) {
  if (!p.accept_symbol("(")) return fallback;
  const auto digits = p.integer(30088);
  if (digits < 0 || digits > 9) p.fail(30088);
  p.expect_symbol(")", 907);
  return static_cast<std::int16_t>(digits);
}

DataType interval_type(Parser& p) {
  const bool year = p.accept("YEAR");
  if (!year) p.expect("DAY", 30089);
  DataType t = simple_type(year ? Type::kIntervalYm : Type::kIntervalDs);
  t.precision = interval_digits(p, 2);
  p.expect("TO");
  p.expect(year ? "MONTH" : "SECOND", 30089);
  if (!year) t.scale = interval_digits(p, 6);
  return t;
}

/// JSON [ ( modifiers ) ]: (OBJECT, ARRAY) and (VALUE, LIMIT n) restrict it, which is read over.
DataType json_type(Parser& p) {
  if (p.is_symbol("(")) p.skip_parentheses();
  return simple_type(Type::kJson);
}

std::int16_t vector_format(Parser& p) {
  static constexpr std::pair<std::string_view, std::int16_t> kFormats[] = {
      {"FLOAT32", 2}, {"FLOAT64", 3}, {"INT8", 4}, {"BINARY", 5}};
  if (p.accept_symbol("*")) return 0;
  for (const auto& [name, number] : kFormats) {
    if (p.accept(name)) return number;
  }
  p.fail(51801);
}

/// VECTOR [ ( dimensions | * [, format | * [, DENSE | SPARSE | * ] ] ) ]
DataType vector_type(Parser& p) {
  constexpr std::int64_t kMaxDimensions = 65535;
  DataType t = simple_type(Type::kVector);
  if (!p.accept_symbol("(")) return t;
  if (!p.accept_symbol("*")) {
    const std::int64_t n = p.integer(51801);
    if (n < 1 || n > kMaxDimensions) p.fail(51801);
    t.size_chars = static_cast<std::uint32_t>(n);
  }
  if (p.accept_symbol(",")) t.precision = vector_format(p);
  if (p.accept_symbol(",")) {
    t.is_sparse = p.accept("SPARSE");
    if (!t.is_sparse && !p.accept("DENSE")) p.accept_symbol("*");
  }
  p.expect_symbol(")", 907);
  constexpr std::int16_t kBinary = 5;
  if (t.precision == kBinary && (t.size_chars % 8 != 0 || t.is_sparse)) p.fail(51813);
  return t;
}

}  // namespace

DataType Parser::data_type() {
  if (peek().kind != TokenKind::kWord) fail(902);
  const int begin = peek().begin;
  const std::string w = take().text;
  if (w == "SYS" && accept_symbol(".")) {
    if (accept("XMLTYPE")) return simple_type(Type::kXml);
    fail(902);
  }
  if (w == "VARCHAR2" || w == "VARCHAR") return character_type(*this, Type::kVarchar2, false);
  if (w == "NVARCHAR2") return character_type(*this, Type::kVarchar2, true);
  if (w == "CHAR" || w == "CHARACTER") {
    if (accept("VARYING")) return character_type(*this, Type::kVarchar2, false);
    return character_type(*this, Type::kChar, false);
  }
  if (w == "NCHAR") {
    if (accept("VARYING")) return character_type(*this, Type::kVarchar2, true);
    return character_type(*this, Type::kChar, true);
  }
  if (w == "NATIONAL") {
    if (!accept("CHAR")) expect("CHARACTER", 902);
    const bool varying = accept("VARYING");
    return character_type(*this, varying ? Type::kVarchar2 : Type::kChar, true);
  }
  if (w == "NUMBER") return number_type(*this);
  if (w == "DECIMAL" || w == "NUMERIC" || w == "DEC") {
    DataType t = number_type(*this);
    if (!t.has_precision && !t.has_scale) t = integer_type();
    return t;
  }
  if (w == "INTEGER" || w == "INT" || w == "SMALLINT") return integer_type();
  if (plsql_ && (w == "PLS_INTEGER" || w == "BINARY_INTEGER" || w == "NATURAL" || w == "POSITIVE" ||
                 w == "SIMPLE_INTEGER" || w == "NATURALN" || w == "POSITIVEN")) {
    return integer_type();
  }
  if (w == "FLOAT") return float_type(*this, 126);
  if (w == "REAL") return float_type(*this, 63);
  if (w == "DOUBLE") {
    expect("PRECISION", 902);
    return float_type(*this, 126);
  }
  if (w == "BINARY_FLOAT") return simple_type(Type::kBinaryFloat);
  if (w == "BINARY_DOUBLE") return simple_type(Type::kBinaryDouble);
  if (w == "DATE") return simple_type(Type::kDate);
  if (w == "TIMESTAMP") return timestamp_type(*this);
  if (w == "INTERVAL") return interval_type(*this);
  if (w == "RAW") {
    const Length n = read_length(*this, 32767, true, 1);
    DataType t = simple_type(Type::kRaw);
    t.size_bytes = static_cast<std::uint32_t>(n.value);
    return t;
  }
  if (w == "LONG") {
    if (accept("RAW")) return simple_type(Type::kLongRaw);
    if (accept("VARCHAR")) return simple_type(Type::kLong);
    return simple_type(Type::kLong);
  }
  if (w == "CLOB") return simple_type(Type::kClob);
  if (w == "NCLOB") {
    DataType t = simple_type(Type::kClob);
    t.national = true;
    return t;
  }
  if (w == "BLOB") return simple_type(Type::kBlob);
  if (w == "ROWID") return simple_type(Type::kRowid);
  if (w == "UROWID") {
    const Length n = read_length(*this, 4000, false, 4000);
    DataType t = simple_type(Type::kUrowid);
    t.size_bytes = static_cast<std::uint32_t>(n.value);
    return t;
  }
  if (w == "XMLTYPE") return simple_type(Type::kXml);
  if (w == "BFILE") return simple_type(Type::kBfile);
  if (w == "JSON") return json_type(*this);
  if (w == "VECTOR") return vector_type(*this);
  if (w == "BOOLEAN" || w == "BOOL") return simple_type(Type::kBoolean);
  if (w == "SYS_REFCURSOR") return simple_type(Type::kCursor);
  raise(902, begin);
}

DataType Parser::column_type() {
  const std::size_t start = mark();
  const int begin = peek().begin;
  accept("REF");
  if (peek().kind == TokenKind::kWord && !is_symbol(".", 1)) {
    try {
      return data_type();
    } catch (const OraError& error) {
      if (error.code() != 902 || error.position() != begin) throw;
    }
    reset(start);
  } else if (is_word("SYS") && is_word("XMLTYPE", 2)) {
    return data_type();
  }
  const ast::Name name = qualified_name(902);
  ObjectType named;
  named.name = name.back().text;
  if (name.size() > 1) named.owner = name[name.size() - 2].text;
  DataType t = simple_type(Type::kObject);
  t.object = std::make_shared<const ObjectType>(std::move(named));
  return t;
}

}  // namespace orasim
