#include "control/load_step.h"

#include <algorithm>

#include "control/control_tables.h"
#include "core/failpoint.h"

namespace wherry::control {
namespace {

/// Which of the planned target tables exist.
Result<std::set<schema::TableRef>> existing_targets(OpContext& context, const TaskRequest& request,
                                                    const engine::TaskPlan& plan) {
  std::set<std::string> schemas;
  for (const engine::TableTask& task : plan.tables) schemas.insert(task.plan->target.schema);
  std::set<schema::TableRef> out;
  if (schemas.empty()) return out;
  WHERRY_ASSIGN(auto catalog,
                request.target.connector->open_catalog(context, request.target.settings));
  WHERRY_ASSIGN(
      const auto tables,
      catalog->describe_tables(context, {{schemas.begin(), schemas.end()}, /*views=*/true}));
  for (const schema::TableDef& table : tables) out.insert(table.table);
  return out;
}

/// What a load that begins anew knows of a table. What an earlier load of the task has left in it
/// is removed, so that nothing is doubled: the rows of a table that was finished, which may have
/// been given indexes since; all of one that was not.
TableRecord fresh_record(bool exists, const std::optional<TableRecord>& before) {
  TableRecord record;
  record.target_existed = exists;
  if (!exists || !before) return record;
  const bool was_touched = before->phase != TablePhase::kPlanned;
  if (before->target_existed && !before->was_empty) {
    record.may_double = before->may_double || was_touched;
  } else if (was_touched) {
    record.phase = TablePhase::kStarted;
    record.target_existed = before->target_existed || before->phase == TablePhase::kComplete;
    record.was_empty = record.target_existed;
  }
  return record;
}

/// Of a task without a ledger.
Error unknown_outcome(const schema::TableRef& table) {
  return make_error(ErrorKind::kSchema, "load.unknown_outcome",
                    "an earlier run ended while the rows were committed, so they may be on the "
                    "target or not",
                    "Look into the target table; to load it again, empty it and run a task of its "
                    "own with another --state directory")
      .with("table", schema::to_text(table));
}

using DoneChunks = std::map<schema::TableRef, std::vector<connect::DoneChunk>>;

engine::RowCounts counts_of(const TableRecord& record) {
  return {record.rows, record.refused_rows, record.truncated_values};
}

void take_over(engine::TableTask& task, const TableRecord& record, DoneChunks& done) {
  task.target_existed = record.target_existed;
  task.was_empty = record.was_empty;
  task.may_double = record.may_double;
  task.was_started = record.phase != TablePhase::kPlanned;
  task.is_loaded = record.phase == TablePhase::kLoaded;
  task.loaded = counts_of(record);
  task.position = record.position;
  task.attempt = record.attempt;
  task.chunks = record.chunks;
  task.done = std::move(done[task.plan->source]);
  std::erase_if(task.done, [&](const auto& chunk) { return chunk.attempt != record.attempt; });
}

/// All batches in flight share this, whatever MaxFullLoadSubTasks is; below the least size a batch
/// costs more in calls than it saves in memory.
constexpr std::size_t kBatchMemoryBytes = 32 * 1024 * 1024;
constexpr std::size_t kLeastBatchBytes = 64 * 1024;
constexpr std::size_t kLargestBatchBytes = 256 * 1024;

constexpr std::uint64_t kMegabyte = 1024 * 1024;

/// What the target's ledger has of this load, by table; it is made when there is none. nullopt: the
/// user may not make it.
Result<std::optional<DoneChunks>> read_ledger(OpContext& context, connect::TargetLoader& target,
                                              const TaskState& state) {
  auto chunks = target.done_chunks(context, state.load_id(), std::nullopt);
  if (!chunks.ok() && chunks.error().kind == ErrorKind::kPermission) {
    context.log.as(Component::kTaskManager)
        .warn(
            "the load's progress cannot be kept on the target: a table that is not finished is "
            "loaded from its beginning by a later run",
            {{"cause", chunks.error().to_log_text()}});
    return std::optional<DoneChunks>();
  }
  if (!chunks.ok()) return std::move(chunks).error();
  DoneChunks out;
  for (connect::DoneChunk& chunk : *chunks) {
    const schema::TableRef table = chunk.table;
    out[table].push_back(std::move(chunk));
  }
  return std::optional(std::move(out));
}

/// Leaves the tables in the plan that are still to be loaded, with what is known of them.
void choose_tables(engine::TaskPlan& plan, const TaskState& state, DoneChunks done,
                   connect::ExistingTable existing, LoadOutcome& outcome) {
  std::vector<engine::TableTask> tasks;
  std::set<schema::TableRef> finished;
  for (engine::TableTask& task : plan.tables) {
    const TableRecord record = *state.find(task.plan->source);
    take_over(task, record, done);
    if (record.phase == TablePhase::kComplete) {
      outcome.finished_before.push_back({task.plan->source, task.plan->target, counts_of(record)});
      outcome.refused_rows += record.refused_rows;
      finished.insert(task.plan->target);
    } else if (record.phase == TablePhase::kCommitting && record.target_existed &&
               existing == connect::ExistingTable::kKeep) {
      plan.refused.push_back({task.plan->source, unknown_outcome(task.plan->source)});
    } else {
      tasks.push_back(std::move(task));
    }
  }
  for (engine::TableTask& task : tasks) {
    task.joins_rows = task.plan->shares_target && finished.contains(task.plan->target);
  }
  plan.tables = std::move(tasks);
  outcome.refused = plan.refused;
}

/// The ledger is of no use once the state says that all is done. What is left of it after a few
/// tries does no harm, so it does not fail the task.
void forget_ledger(OpContext& context, connect::TargetLoader& target, const std::string& load_id) {
  constexpr int kTries = 5;  // each begins with a connection of its own when the last one broke
  auto forgotten = target.forget(context, load_id);
  for (int i = 1; i < kTries && !forgotten.ok(); ++i) {
    if (forgotten.error().kind != ErrorKind::kTransient) break;
    forgotten = target.forget(context, load_id);
  }
  if (!forgotten.ok())
    context.log.as(Component::kTaskManager).warn(forgotten.error().to_log_text());
}

connect::Settings with_spill(connect::Settings settings, const TaskState& state) {
  settings.spill_directory = state.directory().string();
  return settings;
}

}  // namespace

Result<std::unique_ptr<connect::ControlWriter>> open_control(OpContext& context,
                                                             connect::TargetLoader& loader,
                                                             const TaskSettings& settings,
                                                             const TaskState& state) {
  const connect::ControlTables tables =
      control_tables_of(settings, state.directory().filename().string());
  auto opened = loader.open_control(context, tables);
  const bool is_asked_for = tables.has_history || tables.has_status ||
                            tables.has_suspended_tables || !settings.control_schema.empty();
  if (opened.ok() || is_asked_for || opened.error().kind != ErrorKind::kPermission) return opened;
  context.log.as(Component::kTaskManager)
      .warn("rows that are left out will be in the log only: there are no control tables",
            {{"cause", opened.error().message}, {"remedy", opened.error().hint}});
  return std::unique_ptr<connect::ControlWriter>();
}

Result<void> check_start(StartType start, const TaskState& state) {
  if (start == StartType::kStartReplication && !state.is_fresh()) {
    return make_error(ErrorKind::kConfig, "task.already_started",
                      "start-replication is valid only for tasks running for the first time",
                      "Use --start resume-processing to go on, or --start reload-target to load "
                      "everything again");
  }
  if (start == StartType::kResumeProcessing && state.is_fresh()) {
    return make_error(ErrorKind::kConfig, "task.never_started",
                      "there is nothing to resume: the state directory holds no started task",
                      "Use --start start-replication");
  }
  return {};
}

engine::SourceViews::Open source_opener(const TaskRequest& request) {
  return [&request](OpContext& context, const Position& at) {
    return request.source.connector->open_snapshot(context, request.source.settings, at);
  };
}

Result<void> check_type(const TaskRequest& request, const TaskState& state) {
  const MigrationType known = state.stream().type;
  if (!resumes(request, state) || known == request.type) return {};
  return make_error(ErrorKind::kConfig, "task.other_type",
                    "the task in this state directory has migration type " +
                        std::string(name_of(known)) + ", not " + std::string(name_of(request.type)),
                    "Use --migration-type " + std::string(name_of(known)) +
                        ", another --state directory, or --start reload-target");
}

bool resumes(const TaskRequest& request, const TaskState& state) {
  return !state.is_fresh() && request.start != StartType::kReloadTarget;
}

Result<TableRecords> table_records(OpContext& context, const TaskRequest& request,
                                   const engine::TaskPlan& plan, const TaskState& state,
                                   StartRetry& retry) {
  const auto& source = request.source.settings.url;
  const auto& target = request.target.settings.url;
  const bool goes_on = resumes(request, state);
  if (goes_on) WHERRY_TRY(state.check_identity(source, target));
  const bool is_known = !state.is_fresh() && state.check_identity(source, target).ok();
  WHERRY_ASSIGN(const auto existing,
                retry.run("target", [&] { return existing_targets(context, request, plan); }));
  TableRecords records;
  for (const engine::TableTask& task : plan.tables) {
    const auto known = is_known ? state.find(task.plan->source) : std::nullopt;
    const bool exists = existing.contains(task.plan->target);
    // What the user made or dropped before the table's turn has come is the user's.
    const bool untouched = !known || known->phase == TablePhase::kPlanned;
    if (!goes_on) {
      records[task.plan->source] = fresh_record(exists, known);
    } else if (untouched) {
      TableRecord& record = records[task.plan->source];
      if (known) record = *known;
      record.target_existed = exists;
    }
  }
  return records;
}

TaskRequest with_own_settings(const TaskRequest& request, const TaskState& state) {
  TaskRequest out = request;
  out.source.settings = with_spill(request.source.settings, state);
  out.target.settings = with_spill(request.target.settings, state);
  out.target.settings.control_schema = request.settings.control_schema;
  return out;
}

engine::LoadOptions load_options(const TaskSettings& settings, const std::string& load_id) {
  engine::LoadOptions options;
  options.max_subtasks = settings.max_full_load_subtasks;
  if (settings.max_source_connections != 0) {
    options.max_subtasks = std::min(options.max_subtasks, settings.max_source_connections);
  }
  options.batch_bytes =
      std::clamp(kBatchMemoryBytes / (options.max_subtasks * options.batches_per_segment),
                 kLeastBatchBytes, kLargestBatchBytes);
  options.batch_rows = settings.commit_rate;
  options.existing = settings.target_table_prep_mode;
  options.segment_bytes = std::uint64_t{settings.segment_size_mb} * kMegabyte;
  options.chunk_bytes = options.segment_bytes;
  options.least_chunk_bytes =
      std::min<std::uint64_t>(options.least_chunk_bytes, options.segment_bytes);
  options.whole_table_bytes = std::uint64_t{settings.whole_table_mb} * kMegabyte;
  options.split_after = std::chrono::seconds(settings.split_after_secs);
  options.read_bytes_per_second = std::uint64_t{settings.max_read_mb_per_second} * kMegabyte;
  options.retry = settings.retry;
  options.load_id = load_id;
  options.errors = settings.errors;
  return options;
}

Result<void> run_load(OpContext& context, const TaskRequest& request, const LoadParts& parts,
                      StartRetry& retry, TaskObserver& observer, const std::string& load_before,
                      LoadOutcome& outcome) {
  Prepared& prepared = parts.prepared;
  const TaskState& state = parts.state;
  if (!load_before.empty() && load_before != state.load_id()) {
    forget_ledger(context, *prepared.loader, load_before);
  }
  outcome.position = state.position();
  WHERRY_ASSIGN(auto done,
                retry.run("target", [&] { return read_ledger(context, *prepared.loader, state); }));
  const engine::LoadOptions options =
      load_options(request.settings, done ? state.load_id() : std::string());
  choose_tables(prepared.plan, state, std::move(done).value_or(DoneChunks()), options.existing,
                outcome);
  auto progress = std::make_shared<engine::LoadProgress>();
  for (const engine::TableTask& task : prepared.plan.tables) {
    progress->add(task.plan).size_bytes = task.definition.estimated_bytes;
  }
  context.log.as(Component::kTaskManager)
      .info("full load", {{"position", state.position().text},
                          {"tables", std::to_string(prepared.plan.tables.size())},
                          {"loaded before", std::to_string(outcome.finished_before.size())}});
  observer.on_phase("full load");
  observer.on_load(progress);
  const LoadRecorder recorder(context, parts.control, request.settings.control_tables, progress,
                              parts.is_followed);
  WHERRY_TRY(engine::run_full_load(context, parts.views, *prepared.loader,
                                   std::move(prepared.plan.tables), options, *progress,
                                   parts.journal));
  outcome.has_table_errors = !outcome.refused.empty() ||
                             std::any_of(progress->tables().begin(), progress->tables().end(),
                                         [](const auto& table) { return table.error.has_value(); });
  for (const engine::TableProgress& table : progress->tables()) {
    outcome.refused_rows += table.refused_rows;
  }
  failpoint("task.loaded");
  if (!outcome.has_table_errors && !options.load_id.empty()) {
    forget_ledger(context, *prepared.loader, state.load_id());
  }
  return {};
}

}  // namespace wherry::control
