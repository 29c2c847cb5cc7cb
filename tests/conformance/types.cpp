#include <cfloat>
#include <cmath>
#include <limits>

#include "core/civil_time.h"
#include "tests/conformance/fixture.h"

namespace wherry::conformance {
namespace {

using schema::LogicalType;
using schema::TypeKind;

LogicalType type(TypeKind kind) {
  LogicalType out;
  out.kind = kind;
  return out;
}

LogicalType decimal_type(int precision, int scale) {
  LogicalType out = type(TypeKind::kDecimal);
  out.precision = static_cast<std::int16_t>(precision);
  out.scale = static_cast<std::int16_t>(scale);
  return out;
}

LogicalType timed(TypeKind kind, int fraction_digits) {
  LogicalType out = type(kind);
  out.fraction_digits = static_cast<std::uint8_t>(fraction_digits);
  return out;
}

LogicalType text_type(std::uint32_t length_chars) {
  LogicalType out = type(TypeKind::kText);
  out.length_chars = length_chars;
  out.length_bytes = length_chars * 4;
  return out;
}

std::vector<Value> integers(std::int64_t low, std::int64_t high) {
  return {Value::integer(low), Value::integer(-1), Value::integer(0), Value::integer(1),
          Value::integer(high)};
}

std::vector<Value> decimals(std::initializer_list<const char*> texts) {
  std::vector<Value> out;
  for (const char* text : texts) out.push_back(Value::decimal(text));
  return out;
}

std::int64_t micros(std::int64_t year, unsigned month, unsigned day, unsigned hour = 0,
                    unsigned minute = 0, unsigned second = 0, unsigned microsecond = 0) {
  return micros_from_civil({year, month, day, hour, minute, second, microsecond});
}

std::string every_byte() {
  std::string out;
  for (int i = 0; i < 256; ++i) out += static_cast<char>(i);
  return out;
}

std::vector<Value> texts() {
  return {Value::text("a"),
          Value::text(" leading and trailing "),
          Value::text("tab\tline\nreturn\rback\\slash\bquote\"'"),
          Value::text("\\N"),
          Value::text("\\."),
          Value::text("NULL"),
          Value::text("äöü €"),
          Value::text("\U0001F600 \U0010FFFF"),
          Value::text("\x01\x7f"),
          Value::text(std::string(250, 'x'))};
}

}  // namespace

std::vector<TypeSample> all_types() {
  using Limits64 = std::numeric_limits<std::int64_t>;
  const std::string large(300'000, 'L');
  LogicalType bytes = type(TypeKind::kBytes);
  bytes.length_bytes = 2000;
  LogicalType padded = text_type(10);
  padded.blank_padded = true;
  return {
      {"id", type(TypeKind::kInt64), "", integers(Limits64::min(), Limits64::max())},
      {"text", text_type(4000), "", texts()},
      {"padded", padded, "", {Value::text("ab"), Value::text("a b")}},
      {"boolean", type(TypeKind::kBoolean), "", {Value::integer(0), Value::integer(1)}},
      {"int16", type(TypeKind::kInt16), "", integers(INT16_MIN, INT16_MAX)},
      {"int32", type(TypeKind::kInt32), "", integers(INT32_MIN, INT32_MAX)},
      {"decimal", decimal_type(0, 0), "",
       decimals({"0", "1", "-1", "0.1", "1e125", "-1e-130",
                 "12345678901234567890123456789012345678",
                 "-0.00000000000000000000000000000000000001", "9999.9999", "10000", "0.0001"})},
      {"money", decimal_type(38, 10), "",
       decimals({"9999999999999999999999999999.9999999999", "-0.0000000001", "0"})},
      {"float32",
       type(TypeKind::kFloat32),
       "",
       {Value::real(0), Value::real(FLT_MAX), Value::real(-FLT_MIN), Value::real(FLT_TRUE_MIN),
        Value::real(INFINITY), Value::real(-INFINITY), Value::real(static_cast<double>(0.1F))}},
      {"float64",
       type(TypeKind::kFloat64),
       "",
       {Value::real(0), Value::real(DBL_MAX), Value::real(-DBL_MIN), Value::real(DBL_TRUE_MIN),
        Value::real(INFINITY), Value::real(-INFINITY), Value::real(0.1)}},
      {"bytes", bytes, "", {Value::text(every_byte()), Value::text(std::string(1, '\0'))}},
      {"clob", type(TypeKind::kClob), "", {Value::text("short"), Value::text(large + "€")}},
      {"blob", type(TypeKind::kBlob), "", {Value::text(every_byte()), Value::text(large + '\0')}},
      {"date",
       timed(TypeKind::kTimestamp, 0),
       "",
       {Value::timestamp(micros(-4711, 1, 1)), Value::timestamp(micros(9999, 12, 31, 23, 59, 59)),
        Value::timestamp(micros(0, 2, 29)), Value::timestamp(0)}},
      {"timestamp",
       timed(TypeKind::kTimestamp, 6),
       "",
       {Value::timestamp(micros(-4711, 1, 1, 0, 0, 0, 1)),
        Value::timestamp(micros(9999, 12, 31, 23, 59, 59, 999'999)), Value::timestamp(-1)}},
      {"nanos",
       timed(TypeKind::kTimestamp, 9),
       "",
       {Value::timestamp(micros(-43, 3, 15), 1), Value::timestamp(micros(9999, 12, 31), 999),
        Value::timestamp(-1, 999)}},
      {"zoned",
       timed(TypeKind::kTimestampTz, 6),
       "",
       {Value::timestamp_tz(micros(1969, 12, 31, 23, 59, 59, 999'999), 840),
        Value::timestamp_tz(micros(9999, 12, 31), -720), Value::timestamp_tz(0, 0),
        Value::timestamp_tz(0, 345)}},
      {"months",
       type(TypeKind::kIntervalYm),
       "",
       {Value::integer(0), Value::integer(-1), Value::integer(11'999'999'999)}},
      {"seconds",
       timed(TypeKind::kIntervalDs, 9),
       "",
       {Value::interval_ds(0, 0), Value::interval_ds(0, -1),
        Value::interval_ds(86'400LL * 999'999'999, 999'999'999),
        Value::interval_ds(-86'400LL * 999'999'999, -999'999'999)}},
      {"row_address", type(TypeKind::kRowAddress), "", {Value::text("AAAFfQAAEAAAAJrAAA")}},
  };
}

}  // namespace wherry::conformance
