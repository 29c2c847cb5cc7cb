#include "connect/postgres/order.h"

#include <fmt/format.h>

#include "connect/postgres/printed.h"

namespace wherry::postgres {
namespace {

/// Microseconds through PostgreSQL's own type, then the digits below them; the cut comes first,
/// because a cast rounds. Statistics and indexes on the text do not help: such keys are rare.
std::string by_time(const std::string& column, const char* type) {
  return fmt::format(
      "pg_catalog.regexp_replace({0}, '([.][0-9]{{6}})[0-9]+', '\\1')::{1}, "
      "pg_catalog.substring({0}, '[.][0-9]{{6}}([0-9]+)') collate \"C\"",
      column, type);
}

/// "+03 04:05:06.123456789" as seconds, exactly.
std::string by_seconds(const std::string& column) {
  const auto part = [&](const char* pattern, int factor) {
    return fmt::format("pg_catalog.substring({}, '{}')::numeric * {}", column, pattern, factor);
  };
  return fmt::format("(pg_catalog.left({}, 1) || '1')::numeric * ({} + {} + {} + {})", column,
                     part("^.([0-9]+)", 86'400), part(" ([0-9]+):", 3'600), part(":([0-9]+):", 60),
                     part(":([0-9.]+)$", 1));
}

std::string by_months(const std::string& column) {
  return fmt::format(
      "(pg_catalog.left({0}, 1) || '1')::numeric * (pg_catalog.substring({0}, "
      "'^.([0-9]+)')::numeric * 12 + pg_catalog.substring({0}, '-([0-9]+)$')::numeric)",
      column);
}

}  // namespace

std::string order_by(const std::string& column, const schema::LogicalType& type,
                     const NativeType& native) {
  if (type.kind == schema::TypeKind::kNative) return printed(column, native) + " collate \"C\"";
  if (is_text(native.kind)) {
    switch (schema::cell_kind_of(type)) {
      case CellKind::kTimestamp:
        return by_time(column, "timestamp");
      case CellKind::kTimestampTz:
        return by_time(column, "timestamptz");
      case CellKind::kIntervalDs:
        return by_seconds(column);
      case CellKind::kIntervalYm:
        return by_months(column);
      case CellKind::kInt64:
      case CellKind::kDecimal:
      case CellKind::kFloat32:
      case CellKind::kFloat64:
        return column + "::numeric";
      default:
        return column + "::text collate \"C\"";
    }
  }
  if (is_checked_text(native.kind) || native.kind == NativeKind::kJsonb ||
      native.kind == NativeKind::kOther) {
    return printed(column, native) + " collate \"C\"";
  }
  return column;
}

}  // namespace wherry::postgres
