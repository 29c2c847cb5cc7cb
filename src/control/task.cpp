#include "control/task.h"

#include <algorithm>
#include <map>
#include <set>

#include "control/control_tables.h"
#include "control/start_retry.h"
#include "core/failpoint.h"

namespace wherry::control {
namespace {

/// Connected ends and the plan made between them.
struct Prepared {
  std::unique_ptr<connect::TargetLoader> loader;
  engine::TaskPlan plan;
};

Result<void> probe(OpContext& context, const Endpoint& endpoint, connect::Role role) {
  const char* side = role == connect::kSource ? "source" : "target";
  auto report = endpoint.connector->probe(context, endpoint.settings, role);
  if (!report.ok()) {
    return std::move(report).error().with(side, endpoint.settings.url);
  }
  const Logger log = context.log.as(Component::kTaskManager);
  log.info("connected", {{"side", side}, {"server", report->server_version}});
  for (const std::string& warning : report->warnings) {
    log.warn("the server warns", {{"side", side}, {"warning", warning}});
  }
  return {};
}

Error nothing_selected() {
  return make_error(ErrorKind::kConfig, "task.no_tables",
                    "no table of the source is selected by the table mappings",
                    "Check the schema and table names of the selection rules: they are "
                    "case-sensitive, Oracle's are upper case unless quoted. Tables on which the "
                    "source user has no privilege are not seen: grant it SELECT on them");
}

void log_plan(const Logger& log, const engine::TaskPlan& plan) {
  for (const engine::TableTask& task : plan.tables) {
    for (const std::string& warning : task.plan->warnings) {
      log.warn(warning, {{"table", schema::to_text(task.plan->source)}});
    }
  }
  for (const engine::RefusedTable& refused : plan.refused) log.error(refused.error);
}

/// Makes the control tables. Who may not, and did not ask for any, loads without them.
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

/// What the LOB settings of the task, or of the table, leave of the LOB columns.
schema::TablePlan with_lob_settings(const schema::TablePlan& plan, const LobSettings& lobs) {
  schema::TablePlan changed = plan;
  changed.columns.clear();
  changed.lob_inline_bytes = lobs.inline_bytes;
  changed.lob_piece_bytes = lobs.piece_bytes;
  std::vector<std::size_t> places(plan.columns.size());
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    schema::ColumnPlan column = plan.columns[i];
    places[i] = changed.columns.size();
    if (schema::is_lob(column.type)) {
      if (!lobs.are_loaded) {
        changed.warnings.push_back("column " + column.source_name +
                                   " is a LOB and left out, because SupportLobs is false");
        continue;
      }
      column.max_lob_bytes = lobs.max_bytes;
    }
    changed.columns.push_back(std::move(column));
  }
  // A key never holds a LOB, so its columns are all there.
  for (std::size_t& index : changed.key) index = places[index];
  return changed;
}

void apply_lob_settings(engine::TaskPlan& plan, const LobSettings& of_task,
                        const mapping::RuleSet& rules) {
  for (engine::TableTask& task : plan.tables) {
    LobSettings lobs = of_task;
    if (const auto own = rules.lob_setting(task.plan->source)) {
      lobs = {true, own->max_bytes, own->inline_bytes, of_task.piece_bytes};
    }
    schema::TablePlan changed = with_lob_settings(*task.plan, lobs);
    if (changed.columns.empty()) continue;  // nothing but LOBs: they are loaded
    task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
  }
}

/// CharacterSetSettings concern text of bounded length only.
void apply_character_rules(engine::TaskPlan& plan,
                           const std::shared_ptr<const schema::CharacterRules>& rules) {
  if (rules == nullptr) return;
  for (engine::TableTask& task : plan.tables) {
    schema::TablePlan changed = *task.plan;
    for (schema::ColumnPlan& column : changed.columns) {
      if (column.type.kind == schema::TypeKind::kText) column.character_rules = rules;
    }
    task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
  }
}

void apply_key_time(engine::TaskPlan& plan, bool comes_first) {
  if (!comes_first) return;
  for (engine::TableTask& task : plan.tables) {
    schema::TablePlan changed = *task.plan;
    changed.key_comes_first = true;
    task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
  }
}

/// Fits the plan to the tables that the target has already.
Result<void> match_targets(OpContext& context, Prepared& prepared,
                           connect::ExistingTable existing) {
  std::vector<schema::TablePlanPtr> plans;
  for (const engine::TableTask& task : prepared.plan.tables) plans.push_back(task.plan);
  WHERRY_ASSIGN(auto matches, prepared.loader->match(context, plans, existing));
  std::vector<engine::TableTask> tasks;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    engine::TableTask& task = prepared.plan.tables[i];
    if (matches[i].refused) {
      prepared.plan.refused.push_back({task.plan->source, *std::move(matches[i].refused)});
      continue;
    }
    task.plan = std::move(matches[i].plan);
    tasks.push_back(std::move(task));
  }
  prepared.plan.tables = std::move(tasks);
  return {};
}

Result<std::vector<schema::TableDef>> source_tables(OpContext& context,
                                                    const TaskRequest& request) {
  WHERRY_ASSIGN(auto catalog,
                request.source.connector->open_catalog(context, request.source.settings));
  return catalog->describe_tables(context, {request.rules.named_schemas()});
}

/// `existing`: what happens to tables that are on the target already.
Result<Prepared> prepare(OpContext& context, const TaskRequest& request, TaskObserver& observer,
                         StartRetry& retry, connect::ExistingTable existing) {
  observer.on_phase("connecting");
  for (const std::string& path : request.settings.not_carried_out) {
    context.log.as(Component::kTaskManager)
        .info("a task setting has no effect in this version", {{"setting", path}});
  }
  WHERRY_TRY(retry.run("source", [&] { return probe(context, request.source, connect::kSource); }));
  WHERRY_TRY(retry.run("target", [&] { return probe(context, request.target, connect::kTarget); }));
  observer.on_phase("planning");
  Prepared prepared;
  WHERRY_ASSIGN(const auto tables,
                retry.run("source", [&] { return source_tables(context, request); }));
  WHERRY_ASSIGN(prepared.loader, retry.run("target", [&] {
    return request.target.connector->open_loader(context, request.target.settings);
  }));
  WHERRY_ASSIGN(prepared.plan,
                engine::make_plan(tables, request.rules, *prepared.loader,
                                  request.source.connector == request.target.connector));
  apply_lob_settings(prepared.plan, request.settings.lobs, request.rules);
  apply_character_rules(prepared.plan, request.settings.characters);
  apply_key_time(prepared.plan, !request.settings.create_pk_after_full_load);
  WHERRY_TRY(retry.run("target", [&] { return match_targets(context, prepared, existing); }));
  log_plan(context.log.as(Component::kMetadataManager), prepared.plan);
  if (prepared.plan.empty() && request.settings.fail_on_no_tables_captured) {
    return nothing_selected();
  }
  return prepared;
}

Result<void> check_privileges(OpContext& context, const TaskRequest& request,
                              const Prepared& prepared) {
  std::vector<schema::TablePlanPtr> plans;
  for (const engine::TableTask& task : prepared.plan.tables) plans.push_back(task.plan);
  if (plans.empty()) return {};
  return prepared.loader->check_privileges(context, plans, request.settings.target_table_prep_mode);
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

/// Which of the planned target tables exist.
Result<std::set<schema::TableRef>> existing_targets(OpContext& context, const TaskRequest& request,
                                                    const engine::TaskPlan& plan) {
  std::set<std::string> schemas;
  for (const engine::TableTask& task : plan.tables) schemas.insert(task.plan->target.schema);
  std::set<schema::TableRef> out;
  if (schemas.empty()) return out;
  WHERRY_ASSIGN(auto catalog,
                request.target.connector->open_catalog(context, request.target.settings));
  WHERRY_ASSIGN(const auto tables,
                catalog->describe_tables(context, {{schemas.begin(), schemas.end()}}));
  for (const schema::TableDef& table : tables) out.insert(table.table);
  return out;
}

engine::SourceViews::Open source_opener(const TaskRequest& request) {
  return [&request](OpContext& context, const Position& at) {
    return request.source.connector->open_snapshot(context, request.source.settings, at);
  };
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

/// Sets the point to load from: the recorded one when the task goes on, else a new one that is
/// recorded. Afterwards the state knows every planned table.
Result<void> choose_position(OpContext& context, const TaskRequest& request,
                             const engine::TaskPlan& plan, TaskState& state, StartRetry& retry,
                             engine::SourceViews& views) {
  const auto& source = request.source;
  const auto& target = request.target.settings.url;
  const bool resumes = !state.is_fresh() && request.start != StartType::kReloadTarget;
  if (resumes) WHERRY_TRY(state.check_identity(source.settings.url, target));
  const bool is_known = !state.is_fresh() && state.check_identity(source.settings.url, target).ok();
  WHERRY_ASSIGN(const auto existing,
                retry.run("target", [&] { return existing_targets(context, request, plan); }));
  TableRecords records;
  for (const engine::TableTask& task : plan.tables) {
    const auto known = is_known ? state.find(task.plan->source) : std::nullopt;
    const bool exists = existing.contains(task.plan->target);
    // What the user made or dropped before the table's turn has come is the user's.
    const bool untouched = !known || known->phase == TablePhase::kPlanned;
    if (!resumes) {
      records[task.plan->source] = fresh_record(exists, known);
    } else if (untouched) {
      TableRecord& record = records[task.plan->source];
      record.target_existed = exists;
      record.may_double = known && known->may_double;
    }
  }
  if (resumes) {
    views.set_first(state.position());
    return state.add(records);
  }
  WHERRY_ASSIGN(auto view, retry.run("source", [&] {
    return source.connector->open_snapshot(context, source.settings, {});
  }));
  WHERRY_TRY(state.begin(source.settings.url, target, view->position(), std::move(records)));
  failpoint("task.begun");
  views.set_first(std::move(view));
  return {};
}

/// Writes down what a later run must know of each table.
class StateJournal final : public engine::LoadJournal {
 public:
  explicit StateJournal(TaskState& state) : state_(state) {}

  Result<void> on_start(const engine::TableTask& task) override {
    TableRecord record = record_of(task, TablePhase::kStarted, {});
    record.chunks = task.chunks;
    return write(task, std::move(record));
  }
  Result<void> on_prepared(const engine::TableTask& task) override { return on_start(task); }
  Result<void> on_commit(const engine::TableTask& task) override {
    return write(task, record_of(task, TablePhase::kCommitting, {}));
  }
  Result<void> on_loaded(const engine::TableTask& task, const engine::RowCounts& counts) override {
    return write(task, record_of(task, TablePhase::kLoaded, counts));
  }
  Result<void> on_complete(const engine::TableTask& task,
                           const engine::RowCounts& counts) override {
    return write(task, record_of(task, TablePhase::kComplete, counts));
  }

 private:
  static TableRecord record_of(const engine::TableTask& task, TablePhase phase,
                               const engine::RowCounts& counts) {
    TableRecord record;
    record.phase = phase;
    record.target_existed = task.target_existed;
    record.was_empty = task.was_empty;
    record.may_double = task.may_double;
    record.rows = counts.rows;
    record.refused_rows = counts.refused_rows;
    record.truncated_values = counts.truncated_values;
    record.attempt = task.attempt;
    record.position = task.position;
    return record;
  }
  Result<void> write(const engine::TableTask& task, TableRecord record) {
    return state_.record(task.plan->source, std::move(record));
  }

  TaskState& state_;
};

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

/// Moves the tables that are still to be loaded into `tasks`, with what is known of them.
void choose_tables(engine::TaskPlan& plan, const TaskState& state, DoneChunks done,
                   connect::ExistingTable existing, LoadOutcome& outcome) {
  std::vector<engine::TableTask> tasks;
  for (engine::TableTask& task : plan.tables) {
    const TableRecord record = *state.find(task.plan->source);
    take_over(task, record, done);
    if (record.phase == TablePhase::kComplete) {
      outcome.finished_before.push_back({task.plan->source, task.plan->target, counts_of(record)});
      outcome.refused_rows += record.refused_rows;
    } else if (record.phase == TablePhase::kCommitting && record.target_existed &&
               existing == connect::ExistingTable::kKeep) {
      plan.refused.push_back({task.plan->source, unknown_outcome(task.plan->source)});
    } else {
      tasks.push_back(std::move(task));
    }
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

/// A value that the target cannot have is not worth reading.
void limit_values(engine::TaskPlan& plan, std::uint64_t max_value_bytes) {
  for (engine::TableTask& task : plan.tables) {
    schema::TablePlan changed = *task.plan;
    changed.max_value_bytes = max_value_bytes;
    task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
  }
}

connect::Settings with_spill(connect::Settings settings, const TaskState& state) {
  settings.spill_directory = state.directory().string();
  return settings;
}

/// All batches in flight share this, whatever MaxFullLoadSubTasks is; below the least size a batch
/// costs more in calls than it saves in memory.
constexpr std::size_t kBatchMemoryBytes = 32 * 1024 * 1024;
constexpr std::size_t kLeastBatchBytes = 64 * 1024;
constexpr std::size_t kLargestBatchBytes = 512 * 1024;

constexpr std::uint64_t kMegabyte = 1024 * 1024;

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
  options.split_after = std::chrono::seconds(settings.split_after_secs);
  options.read_bytes_per_second = std::uint64_t{settings.max_read_mb_per_second} * kMegabyte;
  options.retry = settings.retry;
  options.load_id = load_id;
  options.errors = settings.errors;
  return options;
}

}  // namespace

Result<engine::TaskPlan> plan_task(OpContext& context, const TaskRequest& request,
                                   TaskObserver& observer) {
  StartRetry retry(context, request.settings.retry, observer, false);
  const auto existing = request.settings.target_table_prep_mode;
  WHERRY_ASSIGN(Prepared prepared, prepare(context, request, observer, retry, existing));
  WHERRY_TRY(retry.run("target", [&] { return check_privileges(context, request, prepared); }));
  return std::move(prepared.plan);
}

Result<LoadOutcome> run_full_load_task(OpContext& context, const TaskRequest& original,
                                       TaskObserver& observer) {
  WHERRY_ASSIGN(auto state, TaskState::open(original.state_directory));
  WHERRY_TRY(check_start(original.start, *state));
  TaskRequest request = original;
  request.source.settings = with_spill(original.source.settings, *state);
  request.target.settings = with_spill(original.target.settings, *state);
  request.target.settings.control_schema = request.settings.control_schema;
  StartRetry retry(context, request.settings.retry, observer, !state->is_fresh());
  WHERRY_ASSIGN(Prepared prepared, prepare(context, request, observer, retry,
                                           request.settings.target_table_prep_mode));
  limit_values(prepared.plan, prepared.loader->max_value_bytes());
  WHERRY_TRY(retry.run("target", [&] { return check_privileges(context, request, prepared); }));
  WHERRY_ASSIGN(auto control_writer, retry.run("target", [&] {
    return open_control(context, *prepared.loader, request.settings, *state);
  }));
  engine::SourceViews views(source_opener(request));
  const std::string load_before = state->load_id();
  WHERRY_TRY(choose_position(context, request, prepared.plan, *state, retry, views));
  if (!load_before.empty() && load_before != state->load_id()) {
    forget_ledger(context, *prepared.loader, load_before);
  }
  LoadOutcome outcome;
  outcome.position = state->position();
  WHERRY_ASSIGN(auto done, retry.run("target", [&] {
    return read_ledger(context, *prepared.loader, *state);
  }));
  const engine::LoadOptions options =
      load_options(request.settings, done ? state->load_id() : std::string());
  choose_tables(prepared.plan, *state, std::move(done).value_or(DoneChunks()), options.existing,
                outcome);
  auto progress = std::make_shared<engine::LoadProgress>();
  for (const engine::TableTask& task : prepared.plan.tables) {
    progress->add(task.plan).size_bytes = task.definition.estimated_bytes;
  }
  context.log.as(Component::kTaskManager)
      .info("full load", {{"position", state->position().text},
                          {"tables", std::to_string(prepared.plan.tables.size())},
                          {"loaded before", std::to_string(outcome.finished_before.size())}});
  observer.on_phase("full load");
  observer.on_load(progress);
  const LoadRecorder recorder(context, std::move(control_writer), request.settings.control_tables,
                              progress);
  StateJournal journal(*state);
  WHERRY_TRY(engine::run_full_load(context, views, *prepared.loader,
                                   std::move(prepared.plan.tables), options, *progress, journal));
  outcome.has_table_errors = !outcome.refused.empty() ||
                             std::any_of(progress->tables().begin(), progress->tables().end(),
                                         [](const auto& table) { return table.error.has_value(); });
  for (const engine::TableProgress& table : progress->tables()) {
    outcome.refused_rows += table.refused_rows;
  }
  failpoint("task.loaded");
  if (!outcome.has_table_errors && !options.load_id.empty())
    forget_ledger(context, *prepared.loader, state->load_id());
  return outcome;
}

namespace {

/// The source as the load has read it, or as it is now where that is gone: a PostgreSQL snapshot
/// ends with the session that made it.
Result<std::unique_ptr<connect::SnapshotSource>> open_as_loaded(OpContext& context,
                                                                const TaskRequest& request,
                                                                const Position& position) {
  const auto& [connector, settings] = request.source;
  auto opened = connector->open_snapshot(context, settings, position);
  if (opened.ok() || opened.error().kind != ErrorKind::kPositionLost) return opened;
  context.log.as(Component::kValidator)
      .warn(
          "the point of the load can no longer be read: the source is compared as it is now, so "
          "rows that have changed since are differences",
          {{"cause", opened.error().message}});
  return connector->open_snapshot(context, settings, {});
}

/// What the mapping rules load of a table: some of its partitions, or all of it.
Result<connect::Chunk> loaded_part(OpContext& context, connect::SnapshotSource& source,
                                   const engine::TableTask& task) {
  const auto& rule = task.parallel_load;
  if (!rule || rule->type != schema::ParallelLoadType::kPartitionsList) return connect::Chunk();
  connect::ChunkHints hints;
  hints.rule = rule;
  hints.in_one = true;
  WHERRY_ASSIGN(auto chunks, source.plan(context, task.definition, hints));
  return std::move(chunks.front());
}

}  // namespace

Result<ValidationOutcome> validate_task(OpContext& context, const TaskRequest& original,
                                        const engine::ValidateOptions& options,
                                        engine::DifferenceSink& sink, TaskObserver& observer) {
  WHERRY_ASSIGN(auto state, TaskState::open(original.state_directory));
  TaskRequest request = original;
  request.source.settings = with_spill(original.source.settings, *state);
  request.target.settings = with_spill(original.target.settings, *state);
  WHERRY_TRY(state->check_identity(request.source.settings.url, request.target.settings.url));
  StartRetry retry(context, request.settings.retry, observer, !state->is_fresh());
  WHERRY_ASSIGN(const Prepared prepared,
                prepare(context, request, observer, retry, connect::ExistingTable::kKeep));
  WHERRY_ASSIGN(auto source, retry.run("source", [&] {
    return open_as_loaded(context, request, state->position());
  }));
  WHERRY_ASSIGN(auto target, retry.run("target", [&] {
    return request.target.connector->open_snapshot(context, request.target.settings, {});
  }));
  auto progress = std::make_shared<engine::ValidationProgress>();
  engine::SourceViews views(source_opener(request));
  for (const engine::TableTask& task : prepared.plan.tables) {
    const auto record = state->find(task.plan->source);
    engine::SourceView own;
    if (record && !record->position.empty()) {
      WHERRY_ASSIGN(own, views.at(context, record->position));
    }
    connect::SnapshotSource& view = own ? *own : *source;
    WHERRY_ASSIGN(connect::Chunk part, loaded_part(context, view, task));
    progress->add(task.plan, std::move(own)).part = std::move(part);
  }
  observer.on_phase("validating");
  observer.on_validation(progress);
  WHERRY_TRY(engine::run_validation(context, *source, *target, options, *progress, sink));

  ValidationOutcome outcome;
  outcome.position = source->position();
  outcome.refused = prepared.plan.refused;
  outcome.has_table_errors = !outcome.refused.empty();
  for (const engine::TableValidation& table : progress->tables()) {
    outcome.differences += table.differences;
    outcome.has_table_errors = outcome.has_table_errors || table.error.has_value();
  }
  return outcome;
}

}  // namespace wherry::control
