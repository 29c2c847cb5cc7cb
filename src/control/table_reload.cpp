#include "control/table_reload.h"

#include <algorithm>

#include "control/load_step.h"
#include "control/reload_request.h"
#include "control/state_journal.h"
#include "control/task_plan.h"
#include "core/failpoint.h"
#include "engine/guarded.h"

namespace wherry::control {
namespace {

/// Besides what the load took.
constexpr std::chrono::seconds kPatienceWithChanges{3};

Error incomplete_reload(const engine::LoadProgress& progress) {
  for (const engine::TableProgress& table : progress.tables()) {
    if (table.error) return *table.error;
  }
  return cancelled_error();
}

bool is_among(const std::vector<schema::TableDef>& tables, const schema::TableRef& table) {
  return std::any_of(tables.begin(), tables.end(),
                     [&](const schema::TableDef& each) { return each.table == table; });
}

/// An earlier try has made the target's table of a new one, or would have.
bool is_made_by_us(const TableRecord& record) {
  return is_new_table(record) && record.plan != nullptr && !record.target_existed;
}

/// A table that is given up is seen in the progress.
class PlanEvents final : public engine::ApplyEvents {
 public:
  explicit PlanEvents(TaskState& state) : state_(state) {}
  Result<void> on_plan(const schema::TableRef& source, const engine::LaterPlan& later) override {
    return state_.add_plan(source, later);
  }
  Result<void> on_reload(const schema::TableRef& source) override {
    return write_reload_request(state_.directory(), {source});
  }

 private:
  TaskState& state_;
};

/// Tables that DDL makes meanwhile are the others' affair.
class OwnTablesPlanner final : public engine::TablePlanner {
 public:
  OwnTablesPlanner(engine::TablePlanner& planner, const std::vector<schema::TableRef>& tables)
      : planner_(planner), tables_(tables) {}
  Result<schema::TablePlanPtr> plan(OpContext& context, const schema::TableDef& table) override {
    const bool is_own = std::find(tables_.begin(), tables_.end(), table.table) != tables_.end();
    return is_own ? planner_.plan(context, table) : schema::TablePlanPtr();
  }

 private:
  engine::TablePlanner& planner_;
  const std::vector<schema::TableRef>& tables_;
};

}  // namespace

TableReload::TableReload(const OpContext& context, const ReloadParts& parts,
                         std::vector<schema::TableRef> tables)
    : parts_(parts), tables_(std::move(tables)), log_(context.log.as(Component::kTablesManager)) {}

std::filesystem::path TableReload::directory_of(const TaskState& state) {
  return state.directory() / "reload";
}

std::string TableReload::name_of(const TaskState& state) {
  return state.stream().name + "_reload";
}

std::string TableReload::load_id_of(const TaskState& state) {
  return state.load_id() + "_reload";
}

Result<std::unique_ptr<TableReload>> TableReload::begin(const OpContext& context,
                                                        const ReloadParts& parts,
                                                        std::vector<schema::TableRef> tables) {
  std::unique_ptr<TableReload> reload(new TableReload(context, parts, std::move(tables)));
  WHERRY_TRY(reload->mark());
  reload->thread_ = std::jthread([raw = reload.get()](const std::stop_token& stop) {
    OpContext own{stop, std::chrono::steady_clock::time_point::max(), raw->log_};
    auto done = engine::guarded([&] { return raw->run(own); });
    if (done.ok()) return;
    std::lock_guard lock(raw->mutex_);
    raw->failure_ = std::move(done).error();
  });
  return reload;
}

TableReload::~TableReload() {
  thread_ = {};
  feed_.reset();
}

/// What is in the target's tables is removed by the load, whatever the preparation mode is: rows
/// that stay would be there twice.
Result<void> TableReload::mark() {
  TableRecords records;
  for (const schema::TableRef& table : tables_) {
    TableRecord record = parts_.state.find(table).value_or(TableRecord());
    record.phase = TablePhase::kStarted;
    record.is_reloading = true;
    record.target_existed = !is_made_by_us(record);
    record.was_empty = true;
    record.may_double = false;
    record.rows = record.refused_rows = record.truncated_values = 0;
    ++record.attempt;
    record.position = {};
    record.chunks.clear();
    records[table] = std::move(record);
    log_.info("the table is loaded again", {{"table", schema::to_text(table)}});
  }
  return parts_.state.add(records);
}

/// A new table that is dropped meanwhile does not take the others with it.
Result<void> TableReload::run(OpContext& context) {
  auto done = attempt(context);
  if (done.ok() || done.error().kind == ErrorKind::kTransient) return done;
  const auto found = find_tables(context);
  const bool has_lost = found.ok() && std::any_of(tables_.begin(), tables_.end(), [&](auto& table) {
                          const auto record = parts_.state.find(table);
                          return record && is_new_table(*record) && !is_among(found->tables, table);
                        });
  if (!has_lost) return done;
  return make_error(ErrorKind::kTransient, "reload.table_dropped",
                    "a new table was dropped while it was loaded", "The others are loaded again");
}

Result<void> TableReload::attempt(OpContext& context) {
  WHERRY_TRY(plan(context));
  connect::StreamRequest wanted;
  wanted.task_name = name_of(parts_.state);
  for (const engine::TableTask& task : tasks_) {
    wanted.tables.push_back(schema::read_plan(task.plan));
  }
  WHERRY_ASSIGN(const connect::StreamStart start, parts_.source.prepare(context, wanted));
  if (start.snapshot.empty()) {
    return make_error(ErrorKind::kConfig, "reload.no_snapshot",
                      "the source's stream comes without a snapshot, so no load fits it",
                      "Leave the name of the slot out (SlotName)");
  }
  const auto& [connector, settings] = parts_.request.target;
  WHERRY_ASSIGN(target_, connector->open_apply(context, settings, parts_.apply_settings));
  WHERRY_TRY(target_->recover(context, wanted.task_name));
  WHERRY_TRY(target_->forget(context, wanted.task_name));
  std::error_code ignored;
  std::filesystem::remove_all(directory_of(parts_.state), ignored);
  engine::StreamFeed::Options options;
  options.request = wanted;
  options.request.memory_bytes = parts_.request.settings.changes.memory_bytes / 8;
  options.request.memory_keep = options.memory_keep = parts_.request.settings.changes.memory_keep;
  options.request.is_native = has_native_form(parts_.request, wanted.tables);
  options.batch_bytes = feed_batch_bytes(options.memory_bytes, 1);
  options.cache.directory = directory_of(parts_.state);
  options.cache.spill_directory = parts_.state.directory();
  options.memory_bytes = parts_.request.settings.changes.memory_bytes / 8;
  options.retry = parts_.request.settings.retry;
  WHERRY_ASSIGN(feed_, engine::StreamFeed::open(context, parts_.source, start.position,
                                                std::move(options), progress_.apply));
  views_.emplace(parts_.request, parts_.source, wanted);
  views_->add(start.snapshot, start);
  WHERRY_TRY(load(context, start));
  progress_.apply.set_applied_order(start.order);
  note_loaded();
  return apply(context, start);
}

Result<SourceTables> TableReload::find_tables(OpContext& context) const {
  std::vector<std::string> schemas;
  for (const schema::TableRef& table : tables_) schemas.push_back(table.schema);
  WHERRY_ASSIGN(auto found, source_tables(context, parts_.request, std::move(schemas)));
  std::erase_if(found.tables, [&](const schema::TableDef& definition) {
    return std::find(tables_.begin(), tables_.end(), definition.table) == tables_.end();
  });
  return found;
}

Result<void> TableReload::drop_target(OpContext& context, const schema::TablePlanPtr& plan) {
  if (!parts_.request.settings.changes.apply.ddl.drops) return {};
  const auto& [connector, settings] = parts_.request.target;
  WHERRY_ASSIGN(const auto apply, connector->open_apply(context, settings, parts_.apply_settings));
  connect::TableAlteration drop;
  drop.kind = connect::TableAlteration::Kind::kDrop;
  drop.from = plan;
  WHERRY_ASSIGN(const auto statements, apply->alter(drop));
  WHERRY_ASSIGN(const auto catalog, connector->open_catalog(context, settings));
  for (const std::string& sql : statements) WHERRY_TRY(catalog->execute_ddl(context, sql));
  return {};
}

/// New tables that were dropped have never been of the task.
Result<void> TableReload::leave_out_gone(OpContext& context,
                                         const std::vector<schema::TableDef>& found) {
  TableRecords records;
  for (const schema::TableRef& table : tables_) {
    auto record = parts_.state.find(table);
    if (!record || !is_new_table(*record) || is_among(found, table)) continue;
    log_.info("a new table is gone before it was loaded", {{"table", schema::to_text(table)}});
    if (is_made_by_us(*record)) WHERRY_TRY(drop_target(context, record->plan));
    record->is_reloading = false;
    record->phase = TablePhase::kComplete;
    record->plan = nullptr;
    record->later = {{record->later.front().since, nullptr}};
    records[table] = std::move(*record);
  }
  std::erase_if(tables_, [&](const auto& table) { return records.contains(table); });
  return records.empty() ? Result<void>() : parts_.state.add(records);
}

/// By what source and target have now: whoever loads a table again may have changed it.
Result<void> TableReload::plan(OpContext& context) {
  const TaskRequest& request = parts_.request;
  for (const schema::TableRef& table : tables_) {
    const auto record = parts_.state.find(table);
    if (record && record->plan && record->plan->shares_target) return shared_target_error(table);
  }
  WHERRY_ASSIGN(auto found, find_tables(context));
  WHERRY_TRY(leave_out_gone(context, found.tables));
  WHERRY_ASSIGN(engine::TaskPlan made,
                engine::make_plan(std::move(found.tables), request.rules, parts_.loader,
                                  plan_options(request, std::move(found.filter_judge))));
  apply_settings(made, request);
  limit_values(made, parts_.loader.max_value_bytes());
  std::vector<schema::TablePlanPtr> plans;
  for (const engine::TableTask& task : made.tables) plans.push_back(task.plan);
  WHERRY_ASSIGN(auto matches, parts_.loader.match(context, plans, connect::ExistingTable::kKeep));
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i].refused) return *std::move(matches[i].refused);
    made.tables[i].plan = std::move(matches[i].plan);
    const auto record = parts_.state.find(plans[i]->source);
    made.tables[i].target_existed = matches[i].exists && !(record && is_made_by_us(*record));
  }
  if (!made.refused.empty()) return made.refused.front().error;
  if (made.tables.size() != tables_.size()) {
    return make_error(ErrorKind::kSchema, "reload.table_gone",
                      "a table to load again is no longer at the source, or not selected",
                      "Compare the table mappings with the source");
  }
  TableRecords records;
  for (engine::TableTask& task : made.tables) {
    TableRecord record = parts_.state.find(task.plan->source).value_or(TableRecord());
    record.plan = task.plan;
    // That it is new counts until it has joined.
    std::erase_if(record.later, [](const engine::LaterPlan& later) { return !later.is_new; });
    record.target_existed = task.target_existed;
    task.was_empty = task.was_started = true;
    task.attempt = record.attempt;
    records[task.plan->source] = std::move(record);
  }
  tasks_ = std::move(made.tables);
  return parts_.state.add(records);
}

/// The load's name in the target's ledger, so that it may be cut into pieces; empty where there can
/// be no ledger. What an earlier try has left there is of other attempts.
Result<std::string> TableReload::begin_ledger(OpContext& context) {
  std::string load_id = load_id_of(parts_.state);
  auto begun = parts_.loader.done_chunks(context, load_id, std::nullopt);
  if (begun.ok()) return load_id;
  if (begun.error().kind == ErrorKind::kPermission) return std::string();
  return std::move(begun).error();
}

Result<void> TableReload::load(OpContext& context, const connect::StreamStart& start) {
  engine::SourceViews views(views_->opener());
  views.set_first(start.snapshot);
  StateJournal journal(parts_.state, [&](const Position& position) {
    return views_->order_of(position.empty() ? start.snapshot : position);
  });
  WHERRY_ASSIGN(const std::string load_id, begin_ledger(context));
  engine::LoadOptions options = load_options(parts_.request.settings, load_id);
  options.existing = connect::ExistingTable::kKeep;
  engine::LoadProgress progress;
  for (const engine::TableTask& task : tasks_) progress.add(task.plan);
  WHERRY_TRY(
      engine::run_full_load(context, views, parts_.loader, tasks_, options, progress, journal));
  failpoint("reload.loaded");
  const bool is_whole = std::all_of(
      progress.tables().begin(), progress.tables().end(),
      [](const auto& table) { return table.state == engine::TableState::kTableCompleted; });
  return is_whole ? Result<void>() : incomplete_reload(progress);
}

Result<void> TableReload::apply(OpContext& context, const connect::StreamStart& start) {
  TableRecords mine;
  for (const schema::TableRef& table : tables_) mine[table] = *parts_.state.find(table);
  const connect::StreamRequest request = stream_request(parts_.request, {}, mine);
  for (auto& [table, record] : mine) {
    record.is_reloading = false;
    record.suspended.clear();
    record.later.clear();
  }
  engine::ApplyOptions options = parts_.request.settings.changes.apply;
  options.task_name = name_of(parts_.state);
  options.lanes = 1;
  options.memory_bytes = parts_.request.settings.changes.memory_bytes / 8;
  PlanEvents events(parts_.state);
  ChangePlanner by_rules(parts_.request, parts_.loader, mine, request.is_native);
  OwnTablesPlanner planner(by_rules, tables_);
  const engine::ApplyJob job{
      *feed_,         *target_,    apply_tables(parts_.request, mine, request.is_native),
      start.position, start.order, &planner,
      events,         limit_,      progress_.apply,
      &parts_.source};
  WHERRY_TRY(engine::run_apply(context, job, options));
  for (const engine::TableApplyProgress* table : progress_.apply.tables()) {
    if (table->is_suspended && table->error) return *table->error;
  }
  WHERRY_ASSIGN(const connect::CommitOrder durable,
                durable_order(context, *target_, parts_.source, options.task_name));
  if (std::max(durable, start.order) >= progress_.apply.applied_order()) return {};
  return make_error(ErrorKind::kTransient, "reload.checkpoint_lost",
                    "the target's server ended before changes that it had confirmed were durable",
                    "The tables are loaded again");
}

bool TableReload::is_near(connect::CommitOrder order) const {
  return is_loaded_ && progress_.apply.applied_order() >= order;
}

void TableReload::note_loaded() {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  overdue_at_ = now + (now - begun_) + kPatienceWithChanges;
  is_loaded_ = true;
}

bool TableReload::is_overdue() const {
  std::lock_guard lock(mutex_);
  return overdue_at_ && std::chrono::steady_clock::now() >= *overdue_at_;
}

std::optional<Error> TableReload::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

Result<connect::CommitOrder> TableReload::finish(const OpContext& caller,
                                                 connect::CommitOrder order) {
  limit_.stop_after(std::max(order, progress_.apply.applied_order()));
  {
    const std::stop_callback forward(caller.stop, [this] { thread_.request_stop(); });
    thread_.join();
  }
  if (caller.stop.stop_requested()) return cancelled_error();
  if (const auto failed = failure()) return *failed;
  const connect::CommitOrder end = std::max(limit_.order(), progress_.apply.applied_order());
  OpContext context;
  context.log = log_;
  WHERRY_TRY(feed_->stop());
  feed_.reset();  // and with it the connection that has the slot
  failpoint("reload.before_join");
  TableRecords records;
  for (const schema::TableRef& table : tables_) {
    TableRecord record = *parts_.state.find(table);
    record.order = end;
    std::erase_if(record.later, [](const engine::LaterPlan& later) { return later.is_new; });
    record.is_reloading = false;
    record.suspended.clear();
    records[table] = std::move(record);
    log_.info("the table is loaded again and follows the others",
              {{"table", schema::to_text(table)}});
  }
  WHERRY_TRY(parts_.state.add(records));
  failpoint("reload.joined");
  clean_up(context, parts_);
  return end;
}

Result<void> TableReload::give_up() {
  thread_ = {};
  feed_.reset();
  const Error error = failure().value_or(cancelled_error());
  log_.error(error);
  TableRecords records;
  for (const schema::TableRef& table : tables_) {
    TableRecord record = *parts_.state.find(table);
    record.is_reloading = false;
    record.suspended = error.code;
    records[table] = std::move(record);
  }
  WHERRY_TRY(parts_.state.add(records));
  OpContext context;
  context.log = log_;
  clean_up(context, parts_);
  return {};
}

void TableReload::clean_up(OpContext& context, const ReloadParts& parts) {
  const auto note = [&](const Result<void>& done) {
    if (done.ok()) return;
    context.log.warn("what a reload has left behind cannot be removed",
                     {{"cause", done.error().to_log_text()}});
  };
  if (!std::filesystem::exists(directory_of(parts.state))) return;
  const std::string name = name_of(parts.state);
  const auto& [connector, settings] = parts.request.target;
  auto forgotten = parts.source.forget(context, name);
  note(forgotten);
  auto target = connector->open_apply(context, settings, parts.apply_settings);
  note(parts.loader.forget(context, load_id_of(parts.state)));
  note(target.ok() ? (*target)->forget(context, name) : Result<void>(target.error()));
  std::error_code ignored;
  // It says that there is something to remove.
  if (forgotten.ok()) std::filesystem::remove_all(directory_of(parts.state), ignored);
}

}  // namespace wherry::control
