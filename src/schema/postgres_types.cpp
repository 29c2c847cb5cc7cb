#include "schema/postgres_types.h"

#include <fmt/format.h>

#include <charconv>

namespace wherry::schema {
namespace {

// PostgreSQL 15, "Data Types": largest n of varchar(n), largest precision of numeric.
constexpr std::uint32_t kMaxVarchar = 10'485'760;
constexpr int kMaxNumericPrecision = 1000;

// Longest texts: "-4712-01-01 00:00:00.123456789 BC" needs 32 characters, 37 is the width DMS uses;
// with " +14:00" 39; "+999999999-11"; "+999999999 23:59:59.999999999".
constexpr const char* kTimestampText = "varchar(37)";
constexpr const char* kTimestampTzText = "varchar(44)";
constexpr const char* kIntervalYmText = "varchar(16)";
constexpr const char* kIntervalDsText = "varchar(32)";

std::string decimal_type(const LogicalType& type) {
  int precision = type.precision;
  int scale = type.scale;
  if (precision <= 0) return "numeric";
  // Rounded left of the point: as many digits more. All digits far right of it: scale of them.
  // PostgreSQL takes neither form before version 15.
  if (scale < 0) {
    precision -= scale;
    scale = 0;
  }
  if (scale > precision) precision = scale;
  if (precision > kMaxNumericPrecision) return "numeric";
  return fmt::format("numeric({},{})", precision, scale);
}

std::string text_type(const LogicalType& type) {
  const std::uint32_t length = type.length_chars != 0 ? type.length_chars : type.length_bytes;
  if (length == 0 || length > kMaxVarchar) return "text";
  return fmt::format("varchar({})", length);
}

/// NumberDatatypeScale of DMS: nothing, or what a decimal without limits becomes.
std::string scaled_type(int scale) {
  // "0." and 130 zeros before 40 digits: the longest text of an Oracle NUMBER.
  if (scale == -2) return "varchar(173)";
  if (scale == -1) return "double precision";
  return fmt::format("numeric(38,{})", scale);
}

/// The n of "FLOAT(n)"; Oracle's REAL is FLOAT(63), FLOAT alone FLOAT(126).
int binary_digits(std::string_view native) {
  const std::size_t open = native.find('(');
  int digits = 126;
  if (open != std::string_view::npos) {
    std::from_chars(native.data() + open + 1, native.data() + native.size(), digits);
  }
  return digits;
}

std::string dms_decimal_type(const ColumnDef& column) {
  const LogicalType& type = column.type;
  const std::string_view native = column.native_type;
  if (native.substr(0, 5) == "FLOAT") {
    return binary_digits(native) <= 24 ? "real" : "double precision";
  }
  if (native == "REAL") return "double precision";
  if (type.precision <= 0) return scaled_type(10);
  if (type.scale < 0 || type.scale > type.precision) return "double precision";
  return decimal_type(type);
}

/// Lengths are bytes of the source: DMS, "Target data types for PostgreSQL".
std::string dms_text_type(const LogicalType& type) {
  constexpr std::uint32_t kLongestExact = 21'845;
  const std::uint32_t length = type.length_bytes != 0 ? type.length_bytes : type.length_chars;
  if (length == 0) return "text";
  return fmt::format("varchar({})", length <= kLongestExact ? length : 65'535);
}

}  // namespace

Result<std::string> postgres_type(const LogicalType& type) {
  constexpr std::uint8_t kMicroseconds = 6;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return std::string("boolean");
    case TypeKind::kInt16:
      return std::string("smallint");
    case TypeKind::kInt32:
      return std::string("integer");
    case TypeKind::kInt64:
      return std::string("bigint");
    case TypeKind::kDecimal:
      return decimal_type(type);
    case TypeKind::kFloat32:
      return std::string("real");
    case TypeKind::kFloat64:
      return std::string("double precision");
    case TypeKind::kText:
      return text_type(type);
    case TypeKind::kBytes:
    case TypeKind::kBlob:
      return std::string("bytea");
    case TypeKind::kClob:
    case TypeKind::kXml:
    case TypeKind::kJson:
      return std::string("text");
    case TypeKind::kTimestamp:
      if (type.fraction_digits > kMicroseconds) return std::string(kTimestampText);
      return fmt::format("timestamp({})", type.fraction_digits);
    case TypeKind::kTimestampTz:
      return std::string(kTimestampTzText);
    case TypeKind::kTimestampLtz:
      if (type.fraction_digits > kMicroseconds) return std::string(kTimestampTzText);
      return fmt::format("timestamptz({})", type.fraction_digits);
    case TypeKind::kDate:
      return std::string("date");
    case TypeKind::kTimeOfDay:
      return std::string("time");
    case TypeKind::kIntervalYm:
      return std::string(kIntervalYmText);
    case TypeKind::kIntervalDs:
      return std::string(kIntervalDsText);
    case TypeKind::kRowAddress: {
      // Physical ROWIDs print as 18 characters; UROWIDs are declared up to 4000 bytes.
      const bool is_physical = type.length_chars != 0 && type.length_chars <= 18;
      return std::string(is_physical ? "varchar(18)" : "varchar(4000)");
    }
    case TypeKind::kNative:
    case TypeKind::kUnsupported:
      break;
  }
  return make_error(ErrorKind::kUnsupported, "schema.no_postgres_type",
                    "values of this column type cannot be carried to PostgreSQL",
                    "Leave the column out, or the table, with the table mappings");
}

std::string_view postgres_type_reason(const ColumnDef& column, TypeStyle style) {
  const LogicalType& type = column.type;
  if (type.kind == TypeKind::kDecimal && type.precision <= 0 && column.number_scale) {
    return "NumberDatatypeScale says so";
  }
  const bool is_of_dms = type.kind == TypeKind::kDecimal || type.kind == TypeKind::kText ||
                         type.kind == TypeKind::kTimestampLtz;
  if (style == TypeStyle::kDms && is_of_dms) return "what AWS DMS creates";
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "truth values as they are";
    case TypeKind::kInt16:
      return "whole numbers of up to 4 digits fit";
    case TypeKind::kInt32:
      return "whole numbers of up to 9 digits fit";
    case TypeKind::kInt64:
      return "whole numbers of up to 18 digits fit";
    case TypeKind::kDecimal:
      return type.precision > 0 ? "exact, with the digits that the source declares"
                                : "no precision is declared: every value is kept";
    case TypeKind::kFloat32:
    case TypeKind::kFloat64:
      return "the same floating point";
    case TypeKind::kText:
      return type.length_chars != 0 || type.length_bytes != 0 ? "as long as the source declares"
                                                              : "no length is declared";
    case TypeKind::kBytes:
    case TypeKind::kBlob:
      return "bytes as they are";
    case TypeKind::kClob:
    case TypeKind::kXml:
    case TypeKind::kJson:
      return "text without a limit of length";
    case TypeKind::kDate:
    case TypeKind::kTimeOfDay:
      return "as it is";
    case TypeKind::kTimestamp:
      return type.fraction_digits > 6 ? "PostgreSQL keeps six fraction digits: text keeps all"
                                      : "date and time, with the fraction that is declared";
    case TypeKind::kTimestampTz:
      return "PostgreSQL does not keep the offset: text keeps it";
    case TypeKind::kTimestampLtz:
      return type.fraction_digits > 6 ? "PostgreSQL keeps six fraction digits: text keeps all"
                                      : "an instant";
    case TypeKind::kIntervalYm:
    case TypeKind::kIntervalDs:
      return "text, in the source's own form";
    case TypeKind::kRowAddress:
      return "text: it means nothing outside of the source";
    case TypeKind::kNative:
    case TypeKind::kUnsupported:
      break;
  }
  return {};
}

Result<std::string> postgres_column_type(const ColumnDef& column, TypeStyle style) {
  const LogicalType& type = column.type;
  const bool is_open_number = type.kind == TypeKind::kDecimal && type.precision <= 0;
  if (is_open_number && column.number_scale) return scaled_type(*column.number_scale);
  if (style == TypeStyle::kDms) {
    if (type.kind == TypeKind::kDecimal) return dms_decimal_type(column);
    if (type.kind == TypeKind::kText) return dms_text_type(type);
    if (type.kind == TypeKind::kTimestampLtz) return std::string(kTimestampTzText);
  }
  return postgres_type(type);
}

}  // namespace wherry::schema
