#include "connect/oracle/value_text.h"

#include <fmt/format.h>

#include <cmath>

#include "core/assert.h"
#include "core/civil_time.h"
#include "core/decimal.h"

namespace wherry::oracle {
namespace {

template <class Float>
std::string float_text(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return fmt::format("{}", value);
}

std::string hex_text(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

/// Timestamp with as many fraction digits as the value needs.
std::string timestamp_of(std::int64_t micros, unsigned nanos) {
  const bool has_fraction = micros % 1'000'000 != 0 || nanos != 0;
  if (!has_fraction) return timestamp_text(micros, nanos, 0);
  std::string text = timestamp_text(micros, nanos, 9);
  const std::string_view bc = " BC";
  const bool is_bc = text.ends_with(bc);
  if (is_bc) text.resize(text.size() - bc.size());
  text.erase(text.find_last_not_of('0') + 1);
  if (is_bc) text += bc;
  return text;
}

std::string months_text(std::int64_t months) {
  const std::int64_t magnitude = months < 0 ? -months : months;
  return fmt::format("{}{}-{:02}", months < 0 ? '-' : '+', magnitude / 12, magnitude % 12);
}

std::string seconds_text(std::int64_t seconds, std::int32_t nanoseconds) {
  const bool negative = seconds < 0 || nanoseconds < 0;
  const std::int64_t s = negative ? -seconds : seconds;
  std::string text = fmt::format("{}{} {:02}:{:02}:{:02}", negative ? '-' : '+', s / 86400,
                                 s / 3600 % 24, s / 60 % 60, s % 60);
  if (nanoseconds != 0) {
    text += fmt::format(".{:09}", negative ? -nanoseconds : nanoseconds);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

}  // namespace

std::optional<std::string> value_text(const Cell& cell) {
  if (cell.is_null()) return std::nullopt;
  WHERRY_ASSERT(cell.state == CellState::kSet, "a spilled value is not text");
  constexpr std::int64_t kMicrosPerMinute = 60'000'000;
  switch (cell.kind) {
    case CellKind::kBool:
      return cell.payload.i64 != 0 ? "true" : "false";
    case CellKind::kInt64:
      return std::to_string(cell.payload.i64);
    case CellKind::kFloat32:
      return float_text(cell.payload.f32);
    case CellKind::kFloat64:
      return float_text(cell.payload.f64);
    case CellKind::kDecimal:
      return to_text(decimal_of(cell));
    case CellKind::kText:
      return std::string(cell.bytes());
    case CellKind::kBytes:
      return hex_text(cell.bytes());
    case CellKind::kTimestamp:
      return timestamp_of(cell.payload.i64, cell.nanos);
    case CellKind::kTimestampTz:
      return timestamp_of(cell.payload.i64 + cell.extra * kMicrosPerMinute, cell.nanos) + " " +
             offset_text(cell.extra);
    case CellKind::kIntervalYm:
      return months_text(cell.payload.i64);
    case CellKind::kIntervalDs:
      return seconds_text(cell.payload.i64, cell.extra);
  }
  return std::nullopt;
}

}  // namespace wherry::oracle
