#include "schema/dms_type.h"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::schema {
namespace {

constexpr int kMostDmsDigits = 38;
constexpr int kMostDmsFraction = 9;
constexpr std::uint8_t kDefaultFraction = 6;
constexpr int kUint8Digits = 20;

Error bad_type(std::string why, std::string hint) {
  return make_error(ErrorKind::kConfig, "mapping.data_type", std::move(why), std::move(hint));
}

LogicalType of(TypeKind kind) {
  LogicalType type;
  type.kind = kind;
  return type;
}

LogicalType whole_number(int digits) {
  LogicalType type = of(TypeKind::kDecimal);
  type.precision = static_cast<std::int16_t>(digits);
  return type;
}

Result<LogicalType> numeric(const DmsType& type) {
  LogicalType out = of(TypeKind::kDecimal);
  const int precision = type.precision.value_or(0), scale = type.scale.value_or(0);
  const bool is_fine = precision >= 0 && precision <= kMostDmsDigits && scale >= 0 &&
                       scale <= kMostDmsDigits && (precision == 0 || scale <= precision);
  if (!is_fine) {
    return bad_type(fmt::format("numeric({},{}) is no type", precision, scale),
                    "precision goes from 1 to 38, and scale from 0 to it");
  }
  out.precision = static_cast<std::int16_t>(precision);
  out.scale = static_cast<std::int16_t>(scale);
  return out;
}

Result<LogicalType> datetime(const DmsType& type) {
  LogicalType out = of(TypeKind::kTimestamp);
  // DMS's own examples write the digits as precision.
  const int digits = type.precision.value_or(type.scale.value_or(kDefaultFraction));
  if (digits < 0 || digits > kMostDmsFraction) {
    return bad_type(fmt::format("datetime has no {} fraction digits", digits),
                    "precision goes from 0 to 9");
  }
  out.fraction_digits = static_cast<std::uint8_t>(digits);
  return out;
}

LogicalType with_length(TypeKind kind, std::uint32_t length) {
  LogicalType out = of(kind);
  (kind == TypeKind::kBytes ? out.length_bytes : out.length_chars) = length;
  return out;
}

std::string_view name_of_decimal(const LogicalType& type) {
  if (type.scale != 0 || type.precision <= 0) return "numeric";
  // NUMBER(1) to NUMBER(9): dms-types of the User Guide, "Source data types for Oracle".
  if (type.precision <= 2) return "int1";
  if (type.precision <= 4) return "int2";
  return type.precision <= 9 ? "int4" : "numeric";
}

}  // namespace

const std::vector<std::string_view>& dms_type_names() {
  static const std::vector<std::string_view> names = {
      "bytes", "date",  "time",    "datetime", "int1",  "int2",  "int4",  "int8",    "numeric",
      "real4", "real8", "string",  "uint1",    "uint2", "uint4", "uint8", "wstring", "blob",
      "nclob", "clob",  "boolean", "set",      "list",  "map",   "tuple"};
  return names;
}

Result<LogicalType> logical_type_of(const DmsType& type) {
  const std::string_view name = type.name;
  if (name == "bytes") return with_length(TypeKind::kBytes, type.length);
  if (name == "string" || name == "wstring") return with_length(TypeKind::kText, type.length);
  if (name == "numeric") return numeric(type);
  if (name == "datetime") return datetime(type);
  if (name == "date") return of(TypeKind::kDate);
  if (name == "time") return of(TypeKind::kTimeOfDay);
  if (name == "int1" || name == "int2" || name == "uint1") return of(TypeKind::kInt16);
  if (name == "int4" || name == "uint2") return of(TypeKind::kInt32);
  if (name == "int8" || name == "uint4") return of(TypeKind::kInt64);
  if (name == "uint8") return whole_number(kUint8Digits);
  if (name == "real4") return of(TypeKind::kFloat32);
  if (name == "real8") return of(TypeKind::kFloat64);
  if (name == "boolean") return of(TypeKind::kBoolean);
  if (name == "blob") return of(TypeKind::kBlob);
  if (name == "clob" || name == "nclob") return of(TypeKind::kClob);
  const auto& names = dms_type_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    return bad_type(fmt::format("no table has columns of type {}", name),
                    "Name a type of tables, string for one");
  }
  return bad_type(fmt::format("the type '{}' does not exist", name),
                  fmt::format("Known are {}", fmt::join(names, ", ")));
}

std::string_view dms_name_of(const ColumnDef& column) {
  switch (column.type.kind) {
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kInt16:
      return "int2";
    case TypeKind::kInt32:
      return "int4";
    case TypeKind::kInt64:
      return "int8";
    case TypeKind::kDecimal:
      return name_of_decimal(column.type);
    case TypeKind::kFloat32:
      return "real4";
    case TypeKind::kFloat64:
      return "real8";
    case TypeKind::kText:
      return column.type.national ? "wstring" : "string";
    case TypeKind::kBytes:
      return "bytes";
    case TypeKind::kClob:
    case TypeKind::kXml:
    case TypeKind::kJson:
    case TypeKind::kNative:
      return column.type.national ? "nclob" : "clob";
    case TypeKind::kBlob:
      return "blob";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTimeOfDay:
      return "time";
    case TypeKind::kTimestamp:
      return "datetime";
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalYm:
    case TypeKind::kIntervalDs:
    case TypeKind::kRowAddress:
      return "string";
    case TypeKind::kUnsupported:
      break;
  }
  return "";
}

std::string to_text(const DmsType& type) {
  if (type.length != 0) return fmt::format("{}({})", type.name, type.length);
  if (type.precision && type.scale) {
    return fmt::format("{}({},{})", type.name, *type.precision, *type.scale);
  }
  if (type.precision) return fmt::format("{}({})", type.name, *type.precision);
  return type.name;
}

}  // namespace wherry::schema
