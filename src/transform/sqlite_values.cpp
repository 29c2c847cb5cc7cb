#include "transform/sqlite_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "core/decimal.h"
#include "core/time_text.h"
#include "core/truth.h"

namespace wherry::transform {
namespace {

int bind_text(sqlite3_stmt& statement, int parameter, std::string_view text,
              sqlite3_destructor_type keeping) {
  return sqlite3_bind_text64(&statement, parameter, text.data(), text.size(), keeping, SQLITE_UTF8);
}

int bind_decimal(sqlite3_stmt& statement, int parameter, const DecimalView& decimal) {
  if (const auto whole = to_int64(decimal))
    return sqlite3_bind_int64(&statement, parameter, *whole);
  const std::string text = to_text(decimal);
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  // "NaN" and "Infinity" stay texts: SQLite takes a NaN for NULL.
  const bool is_number =
      decimal.sign == DecimalSign::kPositive || decimal.sign == DecimalSign::kNegative;
  if (is_number && status == std::errc{}) return sqlite3_bind_double(&statement, parameter, number);
  return bind_text(statement, parameter, text, SQLITE_TRANSIENT);
}

int bind_float(sqlite3_stmt& statement, int parameter, double number) {
  if (!std::isnan(number)) return sqlite3_bind_double(&statement, parameter, number);
  return bind_text(statement, parameter, "NaN", SQLITE_STATIC);
}

template <class Format>
int bind_formatted(sqlite3_stmt& statement, int parameter, const Format& format) {
  std::array<char, kTimeTextBytes> room{};
  const std::size_t size = format(room.data());
  return bind_text(statement, parameter, {room.data(), size}, SQLITE_TRANSIENT);
}

/// What SQLite has as text, or what its number looks like as text.
std::string_view text_of(sqlite3_stmt& statement) {
  const bool is_blob = sqlite3_column_type(&statement, 0) == SQLITE_BLOB;
  const auto* bytes = is_blob ? static_cast<const char*>(sqlite3_column_blob(&statement, 0))
                              : reinterpret_cast<const char*>(sqlite3_column_text(&statement, 0));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(&statement, 0));
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, size);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  Number number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> integer_of(sqlite3_stmt& statement) {
  switch (sqlite3_column_type(&statement, 0)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(&statement, 0);
    case SQLITE_FLOAT: {
      const double number = sqlite3_column_double(&statement, 0);
      const bool fits = number >= -0x1p63 && number < 0x1p63 && std::trunc(number) == number;
      return fits ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
    }
    case SQLITE_TEXT:
      return number_in<std::int64_t>(text_of(statement));
    default:
      return std::nullopt;
  }
}

std::optional<double> float_of(sqlite3_stmt& statement) {
  switch (sqlite3_column_type(&statement, 0)) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
      return sqlite3_column_double(&statement, 0);
    case SQLITE_TEXT:
      return number_in<double>(text_of(statement));
    default:
      return std::nullopt;
  }
}

const DecimalView* decimal_of_result(sqlite3_stmt& statement, Arena& arena) {
  switch (sqlite3_column_type(&statement, 0)) {
    case SQLITE_INTEGER:
      return decimal_from_int(sqlite3_column_int64(&statement, 0), arena);
    case SQLITE_FLOAT: {
      // The shortest text that means this number: 0.1 stays 0.1.
      std::array<char, 32> room{};
      const auto [end, status] = std::to_chars(room.data(), room.data() + room.size(),
                                               sqlite3_column_double(&statement, 0));
      if (status != std::errc{}) return nullptr;
      return parse_decimal({room.data(), static_cast<std::size_t>(end - room.data())}, arena);
    }
    case SQLITE_TEXT:
      return parse_decimal(trimmed(text_of(statement)), arena);
    default:
      return nullptr;
  }
}

/// AWS DMS takes "YYYY:MM:DD" too.
std::optional<ParsedTimestamp> moment_in(std::string_view text) {
  std::string with_dashes(trimmed(text));
  const bool has_colons =
      with_dashes.size() >= 10 && with_dashes[4] == ':' && with_dashes[7] == ':';
  if (has_colons) with_dashes[4] = with_dashes[7] = '-';
  return parse_moment(with_dashes);
}

std::optional<bool> truth_of(sqlite3_stmt& statement) {
  if (sqlite3_column_type(&statement, 0) == SQLITE_TEXT) return parse_truth(text_of(statement));
  const auto number = float_of(statement);
  return number ? std::optional(*number != 0) : std::nullopt;
}

Cell text_cell(std::string_view text, CellKind kind, Arena& arena) {
  Cell cell{};
  cell.kind = kind;
  cell.state = CellState::kSet;
  cell.payload.ptr = arena.copy(text.data(), text.size());
  cell.size_bytes = static_cast<std::uint32_t>(text.size());
  return cell;
}

Cell wrong_form(const schema::LogicalType& type, Arena& arena) {
  return unreadable_cell("the expression's value is no " + schema::describe(type), arena);
}

}  // namespace

Cell unreadable_cell(std::string_view why, Arena& arena) {
  Cell cell = text_cell(why, CellKind::kText, arena);
  cell.state = CellState::kUnreadable;
  return cell;
}

int bind_cell(sqlite3_stmt& statement, int parameter, const Cell& cell,
              const schema::LogicalType& type) {
  if (cell.is_null()) return sqlite3_bind_null(&statement, parameter);
  switch (cell.kind) {
    case CellKind::kBool:
    case CellKind::kInt64:
      return sqlite3_bind_int64(&statement, parameter, cell.payload.i64);
    case CellKind::kFloat32:
      return bind_float(statement, parameter, static_cast<double>(cell.payload.f32));
    case CellKind::kFloat64:
      return bind_float(statement, parameter, cell.payload.f64);
    case CellKind::kDecimal:
      return bind_decimal(statement, parameter, decimal_of(cell));
    case CellKind::kText:
      return bind_text(statement, parameter, cell.bytes(), SQLITE_STATIC);
    case CellKind::kBytes:
      return sqlite3_bind_blob64(&statement, parameter, cell.payload.ptr, cell.size_bytes,
                                 SQLITE_STATIC);
    case CellKind::kTimestamp:
      return bind_formatted(statement, parameter, [&](char* out) {
        return format_timestamp(out, cell.payload.i64, cell.nanos, type.fraction_digits);
      });
    case CellKind::kTimestampTz:
      return bind_formatted(statement, parameter, [&](char* out) {
        return format_timestamp_tz(out, cell.payload.i64, cell.nanos, cell.extra,
                                   type.fraction_digits);
      });
    case CellKind::kIntervalYm:
      return bind_formatted(statement, parameter,
                            [&](char* out) { return format_interval_ym(out, cell.payload.i64); });
    case CellKind::kIntervalDs:
      return bind_formatted(statement, parameter, [&](char* out) {
        return format_interval_ds(out, cell.payload.i64, cell.extra, type.fraction_digits);
      });
  }
  return SQLITE_MISUSE;
}

Cell cell_of_result(sqlite3_stmt& statement, const schema::LogicalType& type, Arena& arena) {
  Cell cell{};
  cell.kind = schema::cell_kind_of(type);
  if (sqlite3_column_type(&statement, 0) == SQLITE_NULL) return cell;
  cell.state = CellState::kSet;
  switch (cell.kind) {
    case CellKind::kBool: {
      const auto truth = truth_of(statement);
      cell.payload.i64 = truth.value_or(false) ? 1 : 0;
      return truth ? cell : wrong_form(type, arena);
    }
    case CellKind::kInt64: {
      const auto number = integer_of(statement);
      cell.payload.i64 = number.value_or(0);
      return number ? cell : wrong_form(type, arena);
    }
    case CellKind::kFloat32:
    case CellKind::kFloat64: {
      const auto number = float_of(statement);
      if (!number) return wrong_form(type, arena);
      if (cell.kind == CellKind::kFloat32) {
        cell.payload.f32 = static_cast<float>(*number);
      } else {
        cell.payload.f64 = *number;
      }
      return cell;
    }
    case CellKind::kDecimal: {
      const DecimalView* const decimal = decimal_of_result(statement, arena);
      cell.payload.ptr = reinterpret_cast<const std::byte*>(decimal);
      return decimal != nullptr ? cell : wrong_form(type, arena);
    }
    case CellKind::kText:
    case CellKind::kBytes:
      return text_cell(text_of(statement), cell.kind, arena);
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz: {
      const bool is_text = sqlite3_column_type(&statement, 0) == SQLITE_TEXT;
      const auto moment = is_text ? moment_in(text_of(statement)) : std::nullopt;
      if (!moment) return wrong_form(type, arena);
      cell.payload.i64 = moment->micros;
      cell.nanos = static_cast<std::uint16_t>(moment->nanos);
      if (cell.kind == CellKind::kTimestampTz) cell.extra = moment->offset_minutes.value_or(0);
      return cell;
    }
    case CellKind::kIntervalYm:
    case CellKind::kIntervalDs:
      break;
  }
  return wrong_form(type, arena);
}

}  // namespace wherry::transform
