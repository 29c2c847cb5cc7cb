// Compares two sides of a migration row by row and value by value, streaming both in the order of
// the key, so that memory does not depend on the size of a table or of a value.
//
// A table without a key is compared as a multiset: rows are ordered by the columns that both sides
// order alike, and what the order leaves open (LOBs, zoned times) is compared group by group as a
// sum of hashes a column. A side that does not deliver the promised order is an error, never a
// verdict.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/connector.h"
#include "engine/change_signal.h"
#include "engine/source_views.h"

namespace wherry::engine {

/// AWS DMS's names for the kinds (awsdms_validation_failures_v1, FAILURE_TYPE).
enum class DifferenceKind : std::uint8_t { kRecordDiff, kMissingTarget, kMissingSource };
/// "RECORD_DIFF", "MISSING_TARGET", "MISSING_SOURCE".
std::string_view name_of(DifferenceKind kind);

struct Difference {
  DifferenceKind kind = DifferenceKind::kRecordDiff;
  schema::TableRef table;    ///< the source's name
  std::string key;           ///< "ID=42, LINE=7"
  std::string column;        ///< kRecordDiff: the source column
  std::string source_value;  ///< text, cut to a readable length; "NULL"
  std::string target_value;
};

/// Called from several threads, one call at a time.
class DifferenceSink {
 public:
  virtual ~DifferenceSink() = default;
  virtual void on_difference(const Difference& difference) = 0;
};

/// As DMS names them ("Table statistics", ValidationState).
enum class ValidationState : std::uint8_t { kPending, kValidated, kMismatched, kTableError };
/// "Pending records", "Validated", "Mismatched records", "Table error".
std::string_view name_of(ValidationState state);

/// One table's comparison; written by the validation, read by anyone at any time.
struct TableValidation {
  schema::TablePlanPtr plan;
  SourceView view;           ///< the table was read at a point of its own; nullptr: at the load's
  connect::Chunk part = {};  ///< of the source: what the mapping rules load
  std::atomic<ValidationState> state{ValidationState::kPending};
  std::atomic<std::uint64_t> source_rows{0};
  std::atomic<std::uint64_t> target_rows{0};
  std::atomic<std::uint64_t> differences{0};
  std::optional<Error> error;  ///< set before state becomes kTableError
};

/// All tables of a validation. The deque keeps addresses; it does not change once it has begun.
class ValidationProgress {
 public:
  /// What rules make of rows is not compared.
  TableValidation& add(const schema::TablePlanPtr& plan, SourceView view = {}) {
    TableValidation& table = tables_.emplace_back();
    table.plan = schema::comparable_plan(plan);
    table.view = std::move(view);
    return table;
  }
  [[nodiscard]] const std::deque<TableValidation>& tables() const { return tables_; }
  [[nodiscard]] std::deque<TableValidation>& tables() { return tables_; }
  void set_state(TableValidation& table, ValidationState state) {
    table.state = state;
    changes_.notify();
  }
  /// Tells every change of a table's state.
  [[nodiscard]] const ChangeSignal& changes() const { return changes_; }

 private:
  std::deque<TableValidation> tables_;
  ChangeSignal changes_;
};

struct ValidateOptions {
  std::uint32_t threads = 4;
  std::size_t batch_bytes = 512 * 1024;
  /// Differences reported per table; the rest is counted.
  std::uint64_t max_reported = 1000;
};

/// Compares each table of `progress`. The result is the error that ended it all
/// (stop, lost connection); a table's own error is in its entry.
Result<void> run_validation(OpContext& context, connect::SnapshotSource& source,
                            connect::SnapshotSource& target, const ValidateOptions& options,
                            ValidationProgress& progress, DifferenceSink& sink);

/// The plan that reads the target's side of `plan`: its names, the same logical types.
schema::TablePlan target_side(const schema::TablePlan& plan);

}  // namespace wherry::engine
