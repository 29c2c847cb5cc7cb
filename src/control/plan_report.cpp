#include "control/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "mapping/rule_text.h"

namespace wherry::control {
namespace {

using connect::ExistingTable;

std::string action_of(const engine::TableTask& task, ExistingTable existing) {
  if (existing == ExistingTable::kDrop) return "drop and create";
  if (!task.is_on_target) return "create";
  return existing == ExistingTable::kTruncate ? "truncate" : "append";
}

std::string lobs_of(const schema::TablePlan& plan) {
  bool has_lobs = false;
  std::uint64_t limit = 0;
  for (const schema::ColumnPlan& column : plan.columns) {
    if (!schema::is_lob(column.type)) continue;
    has_lobs = true;
    limit = std::max(limit, column.max_lob_bytes);
  }
  if (!has_lobs) return {};
  if (limit != 0) return fmt::format("cut at {} KB", limit / 1024);
  if (plan.lob_inline_bytes == 0) return "whole";
  return fmt::format("whole; up to {} KB with their rows", plan.lob_inline_bytes / 1024);
}

std::string reason_of(const schema::ColumnPlan& column) {
  std::string out(column.type_reason);
  const auto add = [&](const std::string& what) { out += (out.empty() ? "" : "; ") + what; };
  if (column.trim_blanks) add("without the blanks at its end");
  if (column.origin == schema::ColumnOrigin::kBefore) add("what it was before an update");
  if (column.origin == schema::ColumnOrigin::kAdded) {
    add(column.expression.empty() ? "NULL" : "= " + column.expression);
  }
  switch (column.masking.kind) {
    case schema::MaskingKind::kNone:
      break;
    case schema::MaskingKind::kDigits:
      add(fmt::format("digits become {}", column.masking.character));
      break;
    case schema::MaskingKind::kRandomDigits:
      add("digits become random ones");
      break;
    case schema::MaskingKind::kHash:
      add("its SHA-256");
      break;
  }
  if (column.character_rules != nullptr) add("CharacterSetSettings");
  return out;
}

PlannedColumn column_of(const schema::TablePlan& plan, std::size_t index) {
  const schema::ColumnPlan& column = plan.columns[index];
  PlannedColumn out;
  if (column.origin != schema::ColumnOrigin::kAdded) out.source = column.source_name;
  out.source_type = column.source_type;
  out.target = column.target_name;
  out.target_type = column.target_type;
  out.reason = reason_of(column);
  out.is_key = std::find(plan.key.begin(), plan.key.end(), index) != plan.key.end();
  out.is_not_null = column.not_null;
  out.rules = column.rules;
  return out;
}

std::string key_of(const schema::TablePlan& plan) {
  if (plan.key.empty()) return {};
  std::string names;
  for (const std::size_t i : plan.key) {
    names += (names.empty() ? "" : ", ") + plan.columns[i].target_name;
  }
  return fmt::format("{} key ({})", plan.key_is_primary ? "primary" : "unique", names);
}

std::string_view name_of(schema::ParallelLoadType type) {
  switch (type) {
    case schema::ParallelLoadType::kNone:
      return "none";
    case schema::ParallelLoadType::kPartitionsAuto:
      return "partitions-auto";
    case schema::ParallelLoadType::kSubpartitionsAuto:
      return "subpartitions-auto";
    case schema::ParallelLoadType::kPartitionsList:
      return "partitions-list";
    case schema::ParallelLoadType::kRanges:
      return "ranges";
  }
  return {};
}

void sort_by_rank(schema::PlanWarnings& warnings) {
  std::stable_sort(warnings.begin(), warnings.end(),
                   [](const auto& a, const auto& b) { return a.rank < b.rank; });
}

std::string_view name_of(schema::TableKind kind) {
  switch (kind) {
    case schema::TableKind::kTable:
      return {};
    case schema::TableKind::kForeignTable:
      return "foreign table";
    case schema::TableKind::kView:
      return "view";
    case schema::TableKind::kMaterializedView:
      return "materialized view";
  }
  return {};
}

PlannedTable table_of(const engine::TableTask& task, const TaskRequest& request) {
  const schema::TablePlan& plan = *task.plan;
  PlannedTable out;
  out.source = plan.source;
  out.target = plan.target;
  out.source_kind = name_of(task.definition.kind);
  out.action = action_of(task, request.settings.target_table_prep_mode);
  out.rules = task.rules;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) out.columns.push_back(column_of(plan, i));
  for (const engine::LeftOutColumn& column : task.left_out) {
    PlannedColumn& left = out.left_out.emplace_back();
    left.source = column.name;
    left.source_type = column.native_type;
    left.reason = column.reason;
    left.rules = column.rules;
  }
  out.key = key_of(plan);
  out.tablespace = plan.tablespace;
  out.key_tablespace = plan.key_tablespace;
  if (plan.filter != nullptr) out.filter = mapping::filter_text(*plan.filter);
  out.engine_filter = mapping::filter_text(schema::engine_filter(plan));
  if (task.parallel_load) out.parallel_load = name_of(task.parallel_load->type);
  out.estimated_rows = task.definition.estimated_rows;
  out.estimated_bytes = task.definition.estimated_bytes;
  connect::ChunkHints hints;
  hints.max_chunks = std::numeric_limits<std::uint32_t>::max();
  hints.wanted_chunks = request.settings.max_full_load_subtasks;
  out.segments = connect::chunk_count(hints, out.estimated_bytes);
  out.lobs = lobs_of(plan);
  out.warnings = plan.warnings;
  sort_by_rank(out.warnings);
  return out;
}

PlanTotals totals_of(const std::vector<PlannedTable>& tables, std::uint32_t subtasks) {
  PlanTotals out;
  out.subtasks = subtasks;
  std::uint64_t largest = 0;
  for (const PlannedTable& table : tables) {
    out.rows += table.estimated_rows;
    out.bytes += table.estimated_bytes;
    if (table.estimated_bytes == 0) ++out.unknown_tables;
    largest = std::max(largest, table.estimated_bytes / std::max(table.segments, 1U));
  }
  // All subtasks together, but no part of a table is shared.
  const std::uint64_t shared = out.bytes / std::max(subtasks, 1U);
  out.estimated_secs =
      (std::max(shared, largest) + kAssumedBytesPerSecond - 1) / kAssumedBytesPerSecond;
  return out;
}

constexpr const char* kNotValidated =
    "EnableValidation has no effect: a task does not compare by itself; `wherry validate` does, "
    "after the load or while changes go on";

}  // namespace

bool PlanReport::has_warnings() const {
  return !warnings.empty() ||
         std::any_of(tables.begin(), tables.end(),
                     [](const PlannedTable& table) { return !table.warnings.empty(); });
}

void add_sample(PlannedTable& table, engine::TableSample sample) {
  table.sampled_rows = sample.rows;
  table.is_sampled_whole = sample.is_whole;
  for (std::size_t i = 0; i < sample.columns.size() && i < table.columns.size(); ++i) {
    PlannedColumn& column = table.columns[i];
    for (const auto& [why, refused] : sample.columns[i].refused) {
      table.warnings.push_back(
          {"plan.values_refused", schema::WarningRank::kLoss,
           fmt::format("column {}: {} of {} rows that were looked at are refused: {}{}",
                       column.target, refused.count, sample.rows, why,
                       refused.keys.empty() || refused.keys.front().empty()
                           ? std::string()
                           : fmt::format(" ({})", fmt::join(refused.keys, "; ")))});
    }
    column.sample = std::move(sample.columns[i]);
  }
  sort_by_rank(table.warnings);
}

PlanReport report_of(const engine::TaskPlan& plan, const TaskRequest& request) {
  PlanReport out;
  for (const engine::TableTask& task : plan.tables) out.tables.push_back(table_of(task, request));
  out.refused = plan.refused;
  out.warnings = plan.warnings;
  if (request.settings.asks_for_validation) {
    out.warnings.push_back({"plan.not_validated", schema::WarningRank::kRisk, kNotValidated});
  }
  for (const std::string& warning : request.rules.warnings()) {
    out.warnings.push_back({"plan.rule_without_effect", schema::WarningRank::kRisk, warning});
  }
  sort_by_rank(out.warnings);
  out.without_effect = request.settings.without_effect;
  out.totals = totals_of(out.tables, request.settings.max_full_load_subtasks);
  return out;
}

}  // namespace wherry::control
