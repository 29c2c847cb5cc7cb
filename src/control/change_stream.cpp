#include "control/change_stream.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "control/control_tables.h"
#include "control/task_plan.h"

namespace wherry::control {
namespace {

/// FNV-1a: a name must be the same in every version of the program.
std::uint32_t stable_hash(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::string this_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// Values come in the engine's own form for all tables of a stream or for none.
schema::TablePlanPtr in_form(const schema::TablePlanPtr& plan, bool is_native) {
  if (plan == nullptr || plan->is_native == is_native) return plan;
  auto changed = std::make_shared<schema::TablePlan>(*plan);
  changed->is_native = is_native;
  changed->is_native_text = changed->is_native_text && is_native;
  return changed;
}

/// As it was decided for the plan before: the source is not asked again while its changes come.
connect::FilterJudge judge_as(const schema::TablePlanPtr& before) {
  if (before == nullptr || before->filter == nullptr) return {};
  return [filter = before->filter](const schema::ColumnFilter& column,
                                   const schema::FilterCondition& condition) {
    for (const schema::ColumnFilter& each : *filter) {
      if (each.column != column.column) continue;
      for (const schema::FilterCondition& known : each.conditions) {
        const bool is_it = known.op == condition.op && known.value == condition.value &&
                           known.end_value == condition.end_value;
        if (is_it) return Result<schema::FilterSide>(known.side);
      }
    }
    return Result<schema::FilterSide>(schema::FilterSide::kSource);
  };
}

}  // namespace

std::size_t feed_batch_bytes(std::uint64_t memory_bytes, std::uint32_t lanes) {
  constexpr std::uint64_t kLeast = 8 * 1024, kMost = 256 * 1024, kBatchesOfLane = 32;
  return std::clamp(memory_bytes / (kBatchesOfLane * (lanes + 1)), kLeast, kMost);
}

bool has_native_form(const TaskRequest& request, const std::vector<schema::TablePlanPtr>& tables) {
  return request.settings.characters == nullptr &&
         std::all_of(tables.begin(), tables.end(),
                     // A filter has to see values.
                     [](const auto& plan) { return plan->is_native && plan->filter == nullptr; });
}

schema::TablePlanPtr newest_plan(const TableRecord& record) {
  if (record.later.empty()) return record.plan;
  return record.later.back().is_new ? nullptr : record.later.back().plan;
}

std::optional<connect::Checkpoint> highest_checkpoint(
    const std::map<std::uint32_t, connect::Checkpoint>& lanes) {
  std::optional<connect::Checkpoint> out;
  for (const auto& [lane, checkpoint] : lanes) {
    const bool is_higher = !out || checkpoint.point > out->point ||
                           (checkpoint.point == out->point && checkpoint.sequence > out->sequence);
    if (is_higher) out = checkpoint;
  }
  return out;
}

Result<connect::CommitOrder> durable_order(OpContext& context, connect::TargetApply& target,
                                           connect::ChangeSource& source,
                                           const std::string& task_name) {
  WHERRY_ASSIGN(const auto lanes, target.recover(context, task_name));
  const auto checkpoint = highest_checkpoint(lanes);
  if (!checkpoint) return connect::CommitOrder{0};
  // The position may be behind the last transaction.
  WHERRY_ASSIGN(const connect::CommitOrder until, source.order_of(checkpoint->position));
  return std::max(until, checkpoint->point.order);
}

Error checkpoint_lost() {
  return make_error(ErrorKind::kPositionLost, "task.checkpoint_lost",
                    "the target no longer has the task's checkpoint (table wherry_checkpoint), so "
                    "nobody knows which changes it has",
                    "Load the tables again (--start reload-target)");
}

std::string stream_name(const std::filesystem::path& directory) {
  std::error_code ignored;
  const auto whole = std::filesystem::weakly_canonical(directory, ignored);
  const std::string where = this_host() + ":" + whole.string();
  return fmt::format("{}_{:08x}", whole.filename().string(), stable_hash(where));
}

connect::ApplySettings apply_settings_of(const TaskRequest& request,
                                         const std::filesystem::path& directory) {
  const connect::ControlTables names =
      control_tables_of(request.settings, directory.filename().string());
  connect::ApplySettings out;
  out.task_name = names.task_name;
  out.server_name = names.server_name;
  out.has_txn_state = request.settings.changes.has_txn_state;
  out.statement_cache = request.settings.changes.statement_cache;
  return out;
}

connect::StreamRequest stream_request(const TaskRequest& request, const StreamRecord& stream,
                                      const TableRecords& tables) {
  constexpr std::uint64_t kShareOfOpenTransactions = 4;
  connect::StreamRequest out;
  out.task_name = stream.name;
  out.state_directory = request.state_directory;
  out.memory_bytes = request.settings.changes.memory_bytes / kShareOfOpenTransactions;
  for (const auto& [name, record] : tables) {
    if (const auto plan = record.plan ? record.plan : newest_plan(record)) {
      out.tables.push_back(schema::read_plan(plan));
    }
  }
  out.memory_keep = request.settings.changes.memory_keep;
  out.consistency_timeout = std::chrono::duration_cast<std::chrono::seconds>(
      request.settings.changes.consistency_timeout);
  out.is_native = has_native_form(request, out.tables);
  return out;
}

std::vector<engine::ApplyTableTask> apply_tables(const TaskRequest& request,
                                                 const TableRecords& tables, bool is_native) {
  const auto settled = [&](const schema::TablePlanPtr& plan) {
    return with_characters(in_form(plan, is_native), request.settings.characters);
  };
  std::vector<engine::ApplyTableTask> out;
  for (const auto& [name, record] : tables) {
    if (record.phase != TablePhase::kComplete || record.is_reloading) continue;
    const bool has_plan =
        record.plan != nullptr ||
        std::any_of(record.later.begin(), record.later.end(),
                    [](const engine::LaterPlan& later) { return later.plan != nullptr; });
    if (!has_plan) continue;  // it was gone before it was loaded
    engine::ApplyTableTask& task = out.emplace_back();
    task.plan = settled(record.plan);
    task.later = record.later;
    for (engine::LaterPlan& later : task.later) later.plan = settled(later.plan);
    task.loaded_at = record.order;
    task.is_suspended = !record.suspended.empty();
  }
  return out;
}

void AnchoredViews::add(const Position& view, const connect::StreamStart& start) {
  std::lock_guard lock(mutex_);
  orders_[view.text] = start.order;
  keepers_.push_back(start.keeper);
}

engine::SourceViews::Open AnchoredViews::opener() {
  return [this](OpContext& context,
                const Position& at) -> Result<std::unique_ptr<connect::SnapshotSource>> {
    const auto& [connector, settings] = request_.source;
    if (!at.empty()) return connector->open_snapshot(context, settings, at);
    WHERRY_ASSIGN(const connect::StreamStart anchor, source_.anchor(context, stream_));
    WHERRY_ASSIGN(auto view, connector->open_snapshot(context, settings, anchor.snapshot));
    add(view->position(), anchor);
    return view;
  };
}

connect::CommitOrder AnchoredViews::order_of(const Position& position) const {
  std::lock_guard lock(mutex_);
  const auto found = orders_.find(position.text);
  return found == orders_.end() ? 0 : found->second;
}

ChangePlanner::ChangePlanner(const TaskRequest& request, connect::TargetLoader& target,
                             const TableRecords& known, bool is_native)
    : request_(request), target_(target), is_native_(is_native) {
  for (const auto& [name, record] : known) {
    if (record.plan) known_[record.plan->source] = record.plan;
    for (const auto& later : record.later) {
      if (later.plan) known_[later.plan->source] = later.plan;
    }
  }
}

Result<schema::TablePlanPtr> ChangePlanner::plan(OpContext&, const schema::TableDef& table) {
  const auto known = known_.find(table.table);
  const schema::TablePlanPtr last = known == known_.end() ? nullptr : known->second;
  WHERRY_ASSIGN(engine::TaskPlan made, engine::make_plan({table}, request_.rules, target_,
                                                         plan_options(request_, judge_as(last))));
  if (!made.refused.empty()) return made.refused.front().error;
  if (made.tables.empty()) return schema::TablePlanPtr();
  apply_settings(made, request_);
  limit_values(made, target_.max_value_bytes());
  auto plan = std::make_shared<schema::TablePlan>(*made.tables.front().plan);
  schema::TablePlanPtr& before = known_[plan->source];
  if (before) {
    // Names and types of a target table that was there before are the target's.
    plan->target = before->target;
    plan->shares_target = before->shares_target;
    for (schema::ColumnPlan& column : plan->columns) {
      const auto same = std::find_if(
          before->columns.begin(), before->columns.end(), [&](const schema::ColumnPlan& old) {
            return old.origin == column.origin && old.source_name == column.source_name &&
                   old.source_type == column.source_type && old.expression == column.expression;
          });
      if (same == before->columns.end()) continue;
      const std::uint32_t number = column.source_number;
      column = *same;
      column.source_number = number;
    }
  }
  before = with_characters(in_form(plan, is_native_), request_.settings.characters);
  return before;
}

}  // namespace wherry::control
