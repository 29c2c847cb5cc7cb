// What happens to one table: which source columns are read, as what they travel, where they land.
// Immutable once made; shared by the reader and the writer of every segment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/character_rules.h"
#include "schema/masking.h"
#include "schema/plan_warning.h"
#include "schema/row_filter.h"
#include "schema/table_def.h"

namespace wherry::schema {

/// How a value that was carried into a type of another family is compared with what was read: by
/// what it means, because the target does not keep how it was written. docs/type-deviations.md.
enum class Likeness : std::uint8_t {
  kExact,    ///< value by value, text byte by byte
  kNumber,   ///< text as a decimal number
  kFloat32,  ///< the nearest number of that type
  kFloat64,
  kTruth,     ///< text: true, t, yes, y, on, 1 and their opposites, whatever the case
  kPadded,    ///< text without the blanks at its end
  kInstant,   ///< a zoned time without its offset
  kMoment,    ///< text as date and time, as an instant where it has an offset
  kClock,     ///< text as a time of day
  kInterval,  ///< text as year to month or day to second
  kUuid,      ///< text as 32 hexadecimal digits
  kJson,      ///< text as a JSON value
  kXml,       ///< text without an XML declaration
};

/// Where the values of a target's column come from.
enum class ColumnOrigin : std::uint8_t {
  kSource,  ///< a column of the source
  kAdded,   ///< a rule: `expression`, or NULL where there is none
  kBefore,  ///< what a column of the source had before an update; else NULL
};

/// Which rows of changes an expression asks a column of.
enum class Asked : std::uint8_t {
  kNot,
  kOfRows,     ///< new ones, and as updates leave them
  kOfDeleted,  ///< … and deleted ones
};

struct ColumnPlan {
  std::string source_name;          ///< of kAdded the target's
  std::uint32_t source_number = 0;  ///< ColumnDef::number
  std::string target_name;
  LogicalType type;                      ///< the source column's type; decides the cell kind
  std::string source_type;               ///< native, for messages
  std::string target_type;               ///< native type of the target column, e.g. "numeric(10,2)"
  bool not_null = false;                 ///< created NOT NULL on the target
  bool trim_blanks = false;              ///< CHAR padding is removed on the way
  Likeness likeness = Likeness::kExact;  ///< how source and target are compared
  std::uint64_t max_lob_bytes = 0;       ///< limited LOB mode: larger values are cut; 0: whole
  /// The target column has the type of the source's, of the same engine, so that nothing is lost
  /// that only this engine knows.
  bool is_native = false;
  std::shared_ptr<const CharacterRules> character_rules = {};  ///< of a text column; nullptr: none
  ColumnOrigin origin = ColumnOrigin::kSource;
  std::string expression = {};  ///< of kAdded, in SQLite's language
  Masking masking = {};
  Asked asked = Asked::kNot;             ///< by an expression: changes must have it
  std::string_view type_reason = {};     ///< why target_type; static text, for people
  std::vector<std::int64_t> rules = {};  ///< ids of the transformation rules that count for it
};

struct TablePlan {
  TableRef source;
  TableRef target;
  std::vector<ColumnPlan> columns;  ///< cell i of a batch belongs to columns[i]
  std::vector<std::size_t> key;     ///< indexes into columns: the row identity; empty: none
  std::string key_name;             ///< of the target's primary key
  bool key_is_primary = false;      ///< create it as PRIMARY KEY
  bool key_is_own = false;          ///< a rule's, not the source's
  bool key_is_lost = false;         ///< the source has one, and its columns do not all travel
  bool key_comes_first = false;     ///< create it with the table, not after the rows
  std::string tablespace = {};      ///< on the target, of a table that is made; empty: its default
  std::string key_tablespace = {};  ///< likewise, of the key
  /// All columns are native and none is cut, so nothing is decoded: the batches of a load hold rows
  /// in the engine's own form (RowBatch::is_opaque), and so do the values of changes.
  bool is_native = false;
  /// With is_native: in text form, because a column's binary form means something else, or nothing,
  /// to another server.
  bool is_native_text = false;
  /// Read for expressions and filters only, and for no column of the target.
  std::vector<ColumnPlan> side_columns = {};
  /// Rows of other tables of the task come into the same target.
  bool shares_target = false;
  /// An expression wants to see it when a row is deleted: the row stays on the target.
  bool keeps_deleted = false;
  /// An expression asks who made a change.
  bool needs_user = false;
  /// Changes must come with the columns that they do not change.
  bool needs_unchanged = false;
  /// … and with what was in others than the key before: before images show it.
  bool needs_before = false;
  /// The rows that belong to the task; nullptr: all. What of it is FilterSide::kEngine asks for
  /// columns that are read, side columns perhaps.
  std::shared_ptr<const RowFilter> filter;
  std::uint64_t estimated_rows = 0;
  std::uint64_t lob_inline_bytes = 0;  ///< LOBs up to this come with their rows; 0: source's choice
  std::uint64_t lob_piece_bytes = 0;   ///< larger ones come in such pieces; 0: source's choice
  /// What one value of the target can have. A source that knows that one is larger need not read
  /// it: SpilledValue without a file. 0: everything is read.
  std::uint64_t max_value_bytes = 0;
  PlanWarnings warnings;
};
using TablePlanPtr = std::shared_ptr<const TablePlan>;

/// Whether the source's log must have rows whole before they change: a filter judges them, or the
/// target knows them by something else than the source does.
inline bool needs_whole_rows(const TablePlan& plan) {
  return plan.filter != nullptr || plan.key_is_own || plan.key_is_lost || plan.needs_unchanged;
}

/// The part of the filter that the source's query evaluates; empty: it takes all rows.
RowFilter source_filter(const TablePlan& plan);
/// The part that is evaluated on the rows that were read; empty: there is none.
RowFilter engine_filter(const TablePlan& plan);
/// Where its columns are in rows of `plan`, as RowFilterTest takes them.
std::vector<std::optional<std::size_t>> places_of(const RowFilter& filter, const TablePlan& plan);

/// Whether rows on the target have other columns or values than those that are read.
bool makes_rows(const TablePlan& plan);
/// What is to be read for a plan that makes rows: its columns of kSource, then its side columns.
/// The key is left out where it has others. The plan itself where it makes no rows.
TablePlanPtr read_plan(const TablePlanPtr& plan);
/// What of a plan can be compared with the source: the columns that come from it as they are; no
/// key where it has others. Columns that engine_filter() needs are its side columns. The plan
/// itself where that is all.
TablePlanPtr comparable_plan(const TablePlanPtr& plan);

}  // namespace wherry::schema
