#include "connect/oracle/type_map.h"

#include <fmt/format.h>

#include <array>

namespace wherry::oracle {
namespace {

using schema::LogicalType;
using schema::TypeKind;

LogicalType of_kind(TypeKind kind) {
  LogicalType type;
  type.kind = kind;
  return type;
}

LogicalType decimal(int precision, int scale) {
  LogicalType type = of_kind(TypeKind::kDecimal);
  type.precision = static_cast<std::int16_t>(precision);
  type.scale = static_cast<std::int16_t>(scale);
  return type;
}

/// NUMBER(p,s). Small integers get integer types as DMS gives them; NUMBER(p) above nine digits
/// stays decimal because nobody said that it is an integer of the target's width.
LogicalType number(const NativeType& native) {
  if (!native.scale) return decimal(0, 0);
  if (!native.precision) return *native.scale == 0 ? decimal(38, 0) : decimal(0, 0);
  if (*native.scale == 0) {
    if (*native.precision <= 4) return of_kind(TypeKind::kInt16);
    if (*native.precision <= 9) return of_kind(TypeKind::kInt32);
  }
  return decimal(*native.precision, *native.scale);
}

LogicalType text(const NativeType& native, bool blank_padded, bool national) {
  LogicalType type = of_kind(TypeKind::kText);
  type.length_bytes = native.length_bytes;
  // A byte count is never smaller than the number of characters it can hold.
  type.length_chars = native.char_semantics || national ? native.length_chars : native.length_bytes;
  type.blank_padded = blank_padded;
  type.national = national;
  return type;
}

LogicalType with_fraction(TypeKind kind, const NativeType& native) {
  LogicalType type = of_kind(kind);
  type.fraction_digits = static_cast<std::uint8_t>(native.scale.value_or(6));
  return type;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

/// Types whose name alone decides.
struct PlainType {
  std::string_view name;
  TypeKind kind;
};
constexpr std::array<PlainType, 17> kPlainTypes = {{
    {"DATE", TypeKind::kTimestamp},
    {"BINARY_FLOAT", TypeKind::kFloat32},
    {"BINARY_DOUBLE", TypeKind::kFloat64},
    {"LONG", TypeKind::kClob},
    {"CLOB", TypeKind::kClob},
    {"NCLOB", TypeKind::kClob},
    {"BLOB", TypeKind::kBlob},
    {"LONG RAW", TypeKind::kBlob},
    {"ROWID", TypeKind::kRowAddress},
    {"UROWID", TypeKind::kRowAddress},
    {"XMLTYPE", TypeKind::kXml},
    {"JSON", TypeKind::kJson},
    {"VECTOR", TypeKind::kClob},
    {"BOOLEAN", TypeKind::kBoolean},
    {"FLOAT", TypeKind::kDecimal},  // binary digits: up to 126, kept exactly
    {"BINARY_INTEGER", TypeKind::kInt32},
    {"REAL", TypeKind::kDecimal},
}};

}  // namespace

LogicalType to_logical(const NativeType& native) {
  const std::string_view name = native.name;
  if (name == "NUMBER" || name == "INTEGER") return number(native);
  if (name == "VARCHAR2" || name == "VARCHAR") return text(native, false, false);
  if (name == "NVARCHAR2") return text(native, false, true);
  if (name == "CHAR") return text(native, true, false);
  if (name == "NCHAR") return text(native, true, true);
  if (name == "RAW") {
    LogicalType type = of_kind(TypeKind::kBytes);
    type.length_bytes = native.length_bytes;
    return type;
  }
  if (starts_with(name, "TIMESTAMP")) {
    if (ends_with(name, "WITH LOCAL TIME ZONE")) {
      return with_fraction(TypeKind::kTimestampLtz, native);
    }
    if (ends_with(name, "WITH TIME ZONE")) return with_fraction(TypeKind::kTimestampTz, native);
    return with_fraction(TypeKind::kTimestamp, native);
  }
  if (starts_with(name, "INTERVAL YEAR")) return of_kind(TypeKind::kIntervalYm);
  if (starts_with(name, "INTERVAL DAY")) return with_fraction(TypeKind::kIntervalDs, native);
  // An object type may bear any name, also one of those below.
  if (!native.owner.empty() && native.owner != "SYS" && native.owner != "PUBLIC") {
    return of_kind(TypeKind::kUnsupported);
  }
  for (const PlainType& plain : kPlainTypes) {
    if (plain.name == name) return of_kind(plain.kind);
  }
  return of_kind(TypeKind::kUnsupported);
}

std::string to_text(const NativeType& native) {
  const std::string& name = native.name;
  if (name == "NUMBER") {
    if (native.precision && native.scale && *native.scale != 0) {
      return fmt::format("NUMBER({},{})", *native.precision, *native.scale);
    }
    if (native.precision) return fmt::format("NUMBER({})", *native.precision);
    return native.scale ? fmt::format("NUMBER(*,{})", *native.scale) : name;
  }
  if (name == "FLOAT" && native.precision) return fmt::format("FLOAT({})", *native.precision);
  if (name == "RAW") return fmt::format("RAW({})", native.length_bytes);
  if (name == "NVARCHAR2" || name == "NCHAR")
    return fmt::format("{}({})", name, native.length_chars);
  if (name == "VARCHAR2" || name == "CHAR") {
    return native.char_semantics ? fmt::format("{}({} CHAR)", name, native.length_chars)
                                 : fmt::format("{}({})", name, native.length_bytes);
  }
  if (!native.owner.empty() && native.owner != "SYS" && native.owner != "PUBLIC") {
    return native.owner + "." + name;
  }
  return name;
}

std::string select_expression(const LogicalType& type, std::string_view quoted) {
  if (type.kind == TypeKind::kXml) return fmt::format("XMLSERIALIZE(CONTENT {} AS CLOB)", quoted);
  if (type.kind == TypeKind::kJson) return fmt::format("JSON_SERIALIZE({} RETURNING CLOB)", quoted);
  return std::string(quoted);
}

}  // namespace wherry::oracle
