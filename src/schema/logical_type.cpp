#include "schema/logical_type.h"

#include <fmt/format.h>

#include <array>

#include "core/assert.h"

namespace wherry::schema {

std::string_view name_of(TypeKind kind) {
  static constexpr std::array<std::string_view, 23> kNames = {
      "boolean",      "int16",         "int32",       "int64",       "decimal",     "float32",
      "float64",      "text",          "bytes",       "clob",        "blob",        "timestamp",
      "timestamp_tz", "timestamp_ltz", "interval_ym", "interval_ds", "row_address", "xml",
      "json",         "native",        "unsupported", "date",        "time"};
  return kNames[static_cast<std::size_t>(kind)];
}

CellKind cell_kind_of(const LogicalType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return CellKind::kBool;
    case TypeKind::kInt16:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      return CellKind::kInt64;
    case TypeKind::kDecimal:
      return CellKind::kDecimal;
    case TypeKind::kFloat32:
      return CellKind::kFloat32;
    case TypeKind::kFloat64:
      return CellKind::kFloat64;
    case TypeKind::kText:
    case TypeKind::kClob:
    case TypeKind::kRowAddress:
    case TypeKind::kXml:
    case TypeKind::kJson:
    case TypeKind::kTimeOfDay:
      return CellKind::kText;
    case TypeKind::kBytes:
    case TypeKind::kBlob:
    case TypeKind::kNative:
      return CellKind::kBytes;
    case TypeKind::kTimestamp:
    case TypeKind::kDate:
      return CellKind::kTimestamp;
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampLtz:
      return CellKind::kTimestampTz;
    case TypeKind::kIntervalYm:
      return CellKind::kIntervalYm;
    case TypeKind::kIntervalDs:
      return CellKind::kIntervalDs;
    case TypeKind::kUnsupported:
      break;
  }
  WHERRY_ASSERT(false, "an unsupported type has no cells");
}

std::string describe(const LogicalType& type) {
  const std::string_view name = name_of(type.kind);
  switch (type.kind) {
    case TypeKind::kDecimal:
      if (type.precision == 0) return std::string(name);
      return fmt::format("{}({},{})", name, type.precision, type.scale);
    case TypeKind::kText:
      if (type.length_chars == 0) return std::string(name);
      return fmt::format("{}({})", name, type.length_chars);
    case TypeKind::kBytes:
      if (type.length_bytes == 0) return std::string(name);
      return fmt::format("{}({})", name, type.length_bytes);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalDs:
      return fmt::format("{}({})", name, type.fraction_digits);
    default:
      return std::string(name);
  }
}

bool is_lob(const LogicalType& type) {
  return type.kind == TypeKind::kClob || type.kind == TypeKind::kBlob ||
         type.kind == TypeKind::kXml || type.kind == TypeKind::kJson;
}

}  // namespace wherry::schema
