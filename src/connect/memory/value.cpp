#include "connect/memory/value.h"

#include <cmath>
#include <cstring>

#include "core/decimal.h"
#include "core/spill_file.h"

namespace wherry::memory {
namespace {

Value set_value() {
  Value value;
  value.is_null = false;
  return value;
}

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_real(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  return three_way(a, b);
}

int compare_decimal(const std::string& a, const std::string& b) {
  Arena arena;
  return wherry::compare(*parse_decimal(a, arena), *parse_decimal(b, arena));
}

Result<std::string> spilled_bytes(const Cell& cell) {
  const auto& spilled = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
  std::string out(static_cast<std::size_t>(spilled.size_bytes), '\0');
  WHERRY_ASSIGN(const std::size_t got,
                spilled.file->read(spilled.offset_bytes,
                                   std::as_writable_bytes(std::span(out.data(), out.size()))));
  WHERRY_ASSERT(got == out.size(), "a spilled value is longer than its file");
  return out;
}

}  // namespace

Value Value::integer(std::int64_t value) {
  Value out = set_value();
  out.i64 = value;
  return out;
}

Value Value::real(double value) {
  Value out = set_value();
  out.f64 = value;
  return out;
}

Value Value::decimal(std::string_view text) {
  Arena arena;
  const DecimalView* view = parse_decimal(text, arena);
  WHERRY_ASSERT(view != nullptr, "not a decimal");
  Value out = set_value();
  out.bytes = to_text(*view);
  return out;
}

Value Value::text(std::string value) {
  Value out = set_value();
  out.bytes = std::move(value);
  return out;
}

Value Value::timestamp(std::int64_t micros, std::uint16_t nanos) {
  Value out = integer(micros);
  out.nanos = nanos;
  return out;
}

Value Value::timestamp_tz(std::int64_t micros, std::int32_t offset_minutes, std::uint16_t nanos) {
  Value out = timestamp(micros, nanos);
  out.extra = offset_minutes;
  return out;
}

Value Value::interval_ds(std::int64_t seconds, std::int32_t nanos) {
  Value out = integer(seconds);
  out.extra = nanos;
  return out;
}

Cell to_cell(const Value& value, CellKind kind, Arena& arena) {
  Cell cell;
  std::memset(&cell, 0, sizeof cell);
  cell.kind = kind;
  cell.state = value.is_null ? CellState::kNull : CellState::kSet;
  if (value.is_null) return cell;
  switch (kind) {
    case CellKind::kFloat32:
      cell.payload.f32 = static_cast<float>(value.f64);
      break;
    case CellKind::kFloat64:
      cell.payload.f64 = value.f64;
      break;
    case CellKind::kDecimal:
      cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(value.bytes, arena));
      break;
    case CellKind::kText:
    case CellKind::kBytes:
      cell.payload.ptr = arena.copy(value.bytes.data(), value.bytes.size());
      cell.size_bytes = static_cast<std::uint32_t>(value.bytes.size());
      break;
    default:
      cell.payload.i64 = value.i64;
      cell.nanos = value.nanos;
      cell.extra = value.extra;
  }
  return cell;
}

Result<Value> from_cell(const Cell& cell) {
  if (cell.is_null()) return Value::null();
  Value value = set_value();
  switch (cell.kind) {
    case CellKind::kFloat32:
      value.f64 = cell.payload.f32;
      break;
    case CellKind::kFloat64:
      value.f64 = cell.payload.f64;
      break;
    case CellKind::kDecimal:
      value.bytes = to_text(decimal_of(cell));
      break;
    case CellKind::kText:
    case CellKind::kBytes:
      if (cell.state == CellState::kSpilled) {
        WHERRY_ASSIGN(value.bytes, spilled_bytes(cell));
      } else {
        value.bytes = cell.bytes();
      }
      break;
    case CellKind::kTimestampTz:
    case CellKind::kIntervalDs:
      value.extra = cell.extra;
      [[fallthrough]];
    default:
      value.i64 = cell.payload.i64;
      if (cell.kind == CellKind::kTimestamp || cell.kind == CellKind::kTimestampTz) {
        value.nanos = cell.nanos;
      }
  }
  return value;
}

int compare(const Value& a, const Value& b, CellKind kind) {
  if (a.is_null || b.is_null) return static_cast<int>(a.is_null) - static_cast<int>(b.is_null);
  switch (kind) {
    case CellKind::kFloat32:
    case CellKind::kFloat64:
      return compare_real(a.f64, b.f64);
    case CellKind::kDecimal:
      return compare_decimal(a.bytes, b.bytes);
    case CellKind::kText:
    case CellKind::kBytes:
      // std::string compares as unsigned bytes, which is the order of code points in UTF-8.
      return three_way(a.bytes, b.bytes);
    default:
      if (const int c = three_way(a.i64, b.i64); c != 0) return c;
      if (const int c = three_way(a.nanos, b.nanos); c != 0) return c;
      return kind == CellKind::kIntervalDs ? three_way(a.extra, b.extra) : 0;
  }
}

}  // namespace wherry::memory
