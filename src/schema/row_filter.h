// Which rows of a table a task moves: the source filters of a selection rule. Sources evaluate them
// in their query as far as they do it in the same way, the engine on rows of changes and what is
// left of them on rows that are read. Source: AWS DMS User Guide, "Using source filters"; the
// combination of conditions is reference dms-table-mapping, section 4.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/cell.h"
#include "core/decimal.h"
#include "core/result.h"
#include "core/time_text.h"
#include "schema/table_def.h"

namespace wherry::schema {

enum class FilterOperator : std::uint8_t {
  kAtMost,      ///< lte, ste
  kAtLeast,     ///< gte
  kEqual,       ///< eq
  kNotEqual,    ///< noteq
  kBetween,     ///< both ends belong to it
  kNotBetween,  ///< neither end does
  kNull,
  kNotNull,
};
/// Such conditions must all hold; of the others one must.
constexpr bool is_negative(FilterOperator op) {
  return op == FilterOperator::kNotEqual || op == FilterOperator::kNotBetween ||
         op == FilterOperator::kNotNull;
}
constexpr bool has_value(FilterOperator op) {
  return op != FilterOperator::kNull && op != FilterOperator::kNotNull;
}
constexpr bool is_range(FilterOperator op) {
  return op == FilterOperator::kBetween || op == FilterOperator::kNotBetween;
}

/// Who evaluates a condition when rows are read; of changes the engine evaluates all.
enum class FilterSide : std::uint8_t {
  kSource,  ///< in its query, as RowFilterTest does
  kEngine,  ///< on the rows that were read
};

struct FilterCondition {
  FilterOperator op = FilterOperator::kEqual;
  std::string value;      ///< as it was written; the lower end of a range
  std::string end_value;  ///< the upper end
  FilterSide side = FilterSide::kSource;
  friend bool operator==(const FilterCondition&, const FilterCondition&) = default;
};

struct ColumnFilter {
  std::string column;  ///< of the source
  LogicalType type;    ///< of that column
  std::vector<FilterCondition> conditions;
  friend bool operator==(const ColumnFilter&, const ColumnFilter&) = default;
};
/// All of them must hold.
using RowFilter = std::vector<ColumnFilter>;
/// Gives conditions of one column of which one must hold to the engine when one of them is its.
void settle_sides(ColumnFilter& filter);
/// The conditions of that side. Both parts must hold. REQUIRES: settle_sides() of all.
RowFilter part_of(const RowFilter& filter, FilterSide side);

/// What the values of a filter are.
enum class FilterFamily : std::uint8_t {
  kNumber,   ///< exact
  kFloat,    ///< compared as 64-bit floats
  kText,     ///< by code point; of a blank-padded type as if all were padded alike
  kTime,     ///< date and time of the wall clock
  kInstant,  ///< … in UTC where the value names no offset
  kTruth,    ///< false before true
  kBytes,    ///< written in hexadecimal digits
  kMonths,   ///< an interval of years and months, "1-2"
  kSeconds,  ///< … of days to seconds, "3 04:05:06.7"
};
/// nullopt: values of such a column are not compared. Types that their own engine knows alone, row
/// addresses and times of day are compared as text, as that engine prints them.
std::optional<FilterFamily> filter_family(const LogicalType& type);

/// kConfig "plan.bad_filter" names the value that is none of the column's type; a large object that
/// is compared; a type that nobody reads.
Result<void> check_filter(const ColumnFilter& filter);

/// How one engine writes the parts of a predicate.
struct FilterDialect {
  /// The column as a value of its family.
  std::function<std::string(const ColumnFilter&)> column;
  /// "… is null", "… is not null".
  std::function<std::string(const ColumnFilter&, bool is_null)> null_test;
  std::function<std::string(const ColumnFilter&, const std::string& value)> literal;
};
/// "(…) and (…)"; empty for an empty filter. REQUIRES: check_filter() of all.
std::string filter_sql(const RowFilter& filter, const FilterDialect& dialect);
/// A value of family kNumber or kFloat without exponent.
std::string plain_number(const std::string& value);
/// A value of family kTime or kInstant as "2026-11-30 12:13:14.123456", in UTC if it has an offset.
std::string plain_time(const std::string& value);
/// … of kTruth.
bool plain_truth(const std::string& value);
/// … of kBytes: the bytes.
std::string plain_bytes(const std::string& value);
/// … of kMonths: their number.
std::int64_t plain_months(const std::string& value);
/// … of kSeconds; and as a number with nine digits after the point.
ParsedSeconds plain_seconds(const std::string& value);
std::string seconds_text(const std::string& value);

/// The filter on rows that are in memory. Used by one thread at a time.
class RowFilterTest {
 public:
  enum class Verdict : std::uint8_t {
    kPasses,
    kFails,
    kUnknown,  ///< a value that decides is not there
  };
  /// Indexes into the rows' columns, one a column of the filter; nothing: the rows do not have it.
  using Places = std::vector<std::optional<std::size_t>>;

  /// `columns`: of the rows. REQUIRES: check_filter() of all.
  RowFilterTest(const RowFilter& filter, const std::vector<ColumnDef>& columns);
  /// REQUIRES: check_filter() of all; values there have the filter's types.
  RowFilterTest(const RowFilter& filter, Places places);
  RowFilterTest(const RowFilterTest&) = delete;
  RowFilterTest& operator=(const RowFilterTest&) = delete;

  [[nodiscard]] const Places& columns() const { return columns_; }
  /// `cells` of columns(); nullptr and kUnchanged: the value is not there; kUnreadable: nothing is
  /// known but that it is not NULL.
  [[nodiscard]] Verdict of(std::span<const Cell* const> cells) const;

 private:
  enum class Truth : std::uint8_t { kFalse, kUnknown, kTrue };
  struct Bound {
    std::string text;
    const DecimalView* number = nullptr;
    double number_float = 0;
    ParsedTimestamp time;
    bool truth = false;
    std::int64_t months = 0;
    ParsedSeconds seconds;
  };
  struct Condition {
    FilterOperator op;
    Bound low, high;
  };
  struct Part {
    FilterFamily family;
    bool is_padded = false;
    std::vector<Condition> conditions;
  };
  Bound bound_of(FilterFamily family, const std::string& value);
  [[nodiscard]] Truth of_part(const Part& part, const Cell* cell) const;
  [[nodiscard]] Truth of_condition(const Part& part, const Condition& condition,
                                   const Cell* cell) const;
  [[nodiscard]] bool holds(const Part& part, const Condition& condition, const Cell& cell) const;
  [[nodiscard]] int compare(const Part& part, const Cell& cell, const Bound& bound) const;

  Arena constants_;
  mutable Arena scratch_;
  Places columns_;
  std::vector<Part> parts_;
};

}  // namespace wherry::schema
