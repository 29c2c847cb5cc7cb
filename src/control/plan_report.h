// A plan for people and programs: what will happen to each table and why, how much it is, and what
// to look at first. Made of a plan alone; changes nothing and asks nobody.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/task.h"
#include "engine/sample.h"
#include "schema/plan_warning.h"

namespace wherry::control {

struct PlannedColumn {
  std::string source;  ///< empty: added by a rule
  std::string source_type;
  std::string target, target_type;
  std::string reason;  ///< why that type, and what is done to values
  bool is_key = false, is_not_null = false;
  std::vector<std::int64_t> rules;  ///< ids of those that made it so
  std::optional<engine::ColumnSample> sample;
};

struct PlannedTable {
  schema::TableRef source, target;
  /// "view", "materialized view", "foreign table"; empty: a table.
  std::string source_kind;
  /// "create", "drop and create", "truncate", "append": what happens on the target before the rows.
  std::string action;
  std::vector<std::int64_t> rules;
  std::vector<PlannedColumn> columns;
  std::vector<PlannedColumn> left_out;     ///< of the source; the reason says why
  std::string tablespace, key_tablespace;  ///< empty: the target's default
  std::string key;                         ///< "primary key (id)"; empty: none
  std::string filter;                      ///< in words of SQL; empty: all rows
  std::string engine_filter;               ///< the part of it that Wherry evaluates, not the source
  std::string parallel_load;               ///< "ranges"; empty: Wherry cuts the table itself
  std::uint64_t estimated_rows = 0, estimated_bytes = 0;  ///< 0: unknown
  std::uint32_t segments = 1;                             ///< that it is cut into, about
  std::uint64_t sampled_rows = 0;                         ///< 0: nobody has looked
  bool is_sampled_whole = false;
  std::string lobs;  ///< how large objects come; empty: there are none
  schema::PlanWarnings warnings;
};

/// Of the whole load.
struct PlanTotals {
  std::uint64_t rows = 0, bytes = 0;
  std::uint64_t unknown_tables = 0;  ///< without an estimate
  std::uint32_t subtasks = 0;
  /// At kAssumedBytesPerSecond, which a first run will correct.
  std::uint64_t estimated_secs = 0;
};
/// What one subtask moves in a second, for estimates: about what was measured on two cores with
/// both servers beside it (docs/design/performance.md).
inline constexpr std::uint64_t kAssumedBytesPerSecond = 40'000'000;

struct PlanReport {
  std::vector<PlannedTable> tables;  ///< in the order they are started
  std::vector<engine::RefusedTable> refused;
  schema::PlanWarnings warnings;  ///< of no table alone, the worst first
  std::vector<std::string> without_effect;
  PlanTotals totals;

  [[nodiscard]] bool has_warnings() const;
};

PlanReport report_of(const engine::TaskPlan& plan, const TaskRequest& request);
/// Adds what a sample of a table has shown: values that the target would refuse are warnings.
void add_sample(PlannedTable& table, engine::TableSample sample);
/// plan_task() and its report; with up to `sample_rows` rows of each table looked at, none when 0.
Result<PlanReport> make_plan_report(OpContext& context, const TaskRequest& request,
                                    TaskObserver& observer, std::uint64_t sample_rows);
/// One object; docs/reference/plan.md.
std::string to_json(const PlanReport& report);
std::string to_text(const PlanReport& report);

}  // namespace wherry::control
