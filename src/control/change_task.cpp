#include "control/change_task.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "control/change_advice.h"
#include "control/change_replication.h"
#include "control/change_stream.h"
#include "control/control_tables.h"
#include "control/load_step.h"
#include "core/failpoint.h"
#include "engine/retry.h"

namespace wherry::control {
namespace {

/// How often a load looks whether its changes can still be read.
constexpr std::chrono::milliseconds kFeedLookInterval{200};

constexpr std::chrono::seconds kLastStatusPatience{10};

constexpr const char* kStoppedByUser = "Stop Reason NORMAL";

class ChangeTask {
 public:
  ChangeTask(OpContext& context, TaskRequest request, TaskState& state, TaskObserver& observer)
      : context_(context),
        request_(std::move(request)),
        state_(state),
        observer_(observer),
        retry_(context, request_.settings.retry, observer, !state.is_fresh()) {}

  ~ChangeTask() { progress_->set_feed(nullptr); }
  ChangeTask(const ChangeTask&) = delete;
  ChangeTask& operator=(const ChangeTask&) = delete;

  Result<ChangeOutcome> run() {
    auto outcome = carry_out();
    if (control_ != nullptr && !is_recorded_) write_last_status();
    return outcome;
  }

 private:
  Result<ChangeOutcome> carry_out() {
    WHERRY_TRY(connect());
    const std::string load_before = state_.load_id();
    if (begins_) {
      WHERRY_TRY(begin());
    } else {
      WHERRY_TRY(take_over());
    }
    WHERRY_TRY(open_feed());
    if (is_load_wanted()) {
      WHERRY_TRY(load(load_before));
      note_cached();
    } else {
      note_loaded_before();
      if (state_.stream().stage == TaskStage::kLoading) note_cached();
    }
    views_.reset();  // as long as there is one, the source keeps old rows for it
    WHERRY_ASSIGN(const bool stops, end_load());
    if (stops) return end("Stop Reason STOPPED_AFTER_FULL_LOAD");
    return apply();
  }

  /// Where no ChangeRecorder does.
  void write_last_status() {
    OpContext own{{}, std::chrono::steady_clock::now() + kLastStatusPatience, context_.log};
    const auto written = control_->set_status(own, "NOT RUNNING");
    if (!written.ok()) {
      context_.log.warn("a control table is out of date",
                        {{"cause", written.error().to_log_text()}});
    }
  }

  Result<void> connect() {
    const bool is_new_position = request_.type == MigrationType::kCdc &&
                                 !request_.start_position.empty() &&
                                 request_.start == StartType::kStartReplication;
    if (!is_new_position) WHERRY_TRY(check_start(request_.start, state_));
    begins_ = !resumes(request_, state_) || is_new_position;
    if (!begins_) {
      WHERRY_TRY(check_type(request_, state_));
      WHERRY_TRY(state_.check_identity(request_.source.settings.url, request_.target.settings.url));
    }
    WHERRY_TRY(check_roles());
    WHERRY_ASSIGN(prepared_, prepare_task(context_, request_, observer_, retry_,
                                          request_.settings.target_table_prep_mode));
    limit_values(prepared_.plan, prepared_.loader->max_value_bytes());
    WHERRY_TRY(
        retry_.run("target", [&] { return check_privileges(context_, request_, prepared_); }));
    WHERRY_ASSIGN(control_, retry_.run("target", [&] {
      return open_control(context_, *prepared_.loader, request_.settings, state_);
    }));
    WHERRY_ASSIGN(source_, retry_.run("source", [&] {
      return request_.source.connector->open_change_source(context_, request_.source.settings);
    }));
    apply_settings_ = apply_settings_of(request_, state_.directory());
    WHERRY_ASSIGN(target_, retry_.run("target", [&] {
      return request_.target.connector->open_apply(context_, request_.target.settings,
                                                   apply_settings_);
    }));
    return {};
  }

  Result<void> check_roles() const {
    const bool has_changes =
        (request_.source.connector->info().roles & connect::kChangeSource) != 0;
    const bool takes_changes =
        (request_.target.connector->info().roles & connect::kChangeTarget) != 0;
    if (has_changes && takes_changes) return {};
    return make_error(ErrorKind::kConfig, "task.no_changes",
                      (has_changes ? request_.target : request_.source).connector->info().name +
                          " has no ongoing replication in this version",
                      "Add --migration-type full-load");
  }

  // How the task begins.

  /// What the stream needs is made at the source, and written down, before the first row is read.
  Result<void> begin() {
    StreamRecord stream;
    stream.type = request_.type;
    stream.name = stream_name(state_.directory());
    WHERRY_TRY(examine_changes(context_, *source_, stream.name, retry_, prepared_.plan));
    WHERRY_ASSIGN(TableRecords records,
                  table_records(context_, request_, prepared_.plan, state_, retry_));
    for (const engine::TableTask& task : prepared_.plan.tables) {
      records[task.plan->source].plan = task.plan;
    }
    const connect::StreamRequest wanted = stream_request(request_, stream, records);
    WHERRY_ASSIGN(connect::StreamStart start,
                  retry_.run("source", [&] { return source_->prepare(context_, wanted); }));
    failpoint("task.prepared");
    if (!request_.start_position.empty() && request_.type == MigrationType::kCdc) {
      WHERRY_ASSIGN(start.position, retry_.run("source", [&] {
        return source_->parse_position(context_, request_.start_position);
      }));
      WHERRY_ASSIGN(start.order, source_->order_of(start.position));
    }
    stream.position = start.position;
    stream.order = start.order;
    if (request_.type == MigrationType::kCdc) {
      stream.stage = TaskStage::kConsistent;
      stream.cached_until = start.order;
      for (auto& [name, record] : records) {
        record.phase = TablePhase::kComplete;
        record.order = start.order;
      }
    } else if (start.snapshot.empty()) {
      return make_error(ErrorKind::kConfig, "task.no_snapshot",
                        "the source's stream comes without a snapshot, so no load fits it",
                        "Leave the name of the slot out (SlotName), or use --migration-type cdc");
    }
    // What an earlier run of the task may still commit comes first.
    WHERRY_TRY(retry_.run("target", [&] { return target_->recover(context_, stream.name); }));
    WHERRY_TRY(retry_.run("target", [&] { return target_->forget(context_, stream.name); }));
    const Position& at = start.snapshot.empty() ? start.position : start.snapshot;
    WHERRY_TRY(state_.begin(request_.source.settings.url, request_.target.settings.url, at,
                            std::move(records), stream));
    failpoint("task.begun");
    views_.emplace(request_, *source_, stream_request(request_, stream, state_.tables()));
    views_->add(at, start);
    return {};
  }

  /// The tables are those that the task began with, and complete ones are what they were then: the
  /// source's catalogue may be ahead of the changes.
  Result<void> take_over() {
    TableRecords records;
    std::vector<engine::TableTask> tasks;
    for (engine::TableTask& task : prepared_.plan.tables) {
      auto known = state_.find(task.plan->source);
      if (!known) {
        context_.log.as(Component::kTablesManager)
            .info("the table is new, and comes when the source's changes tell of it",
                  {{"table", schema::to_text(task.plan->source)}});
        continue;
      }
      // It is loaded beside the others' changes.
      if (known->is_reloading || is_new_table(*known)) continue;
      if (known->phase == TablePhase::kComplete || known->phase == TablePhase::kLoaded) {
        if (known->plan) task.plan = known->plan;
      } else {
        known->plan = task.plan;
        records[task.plan->source] = *known;
      }
      tasks.push_back(std::move(task));
    }
    prepared_.plan.tables = std::move(tasks);
    std::erase_if(prepared_.plan.refused, [&](const engine::RefusedTable& refused) {
      const auto known = state_.find(refused.table);
      return known && known->phase == TablePhase::kComplete;
    });
    WHERRY_TRY(state_.add(records));
    WHERRY_ASSIGN(records, table_records(context_, request_, prepared_.plan, state_, retry_));
    WHERRY_TRY(state_.add(records));
    const StreamRecord stream = state_.stream();
    views_.emplace(request_, *source_, stream_request(request_, stream, state_.tables()));
    views_->add(state_.position(),
                connect::StreamStart{stream.position, stream.order, {}, nullptr});
    return {};
  }

  Result<void> open_feed() {
    const StreamRecord stream = state_.stream();
    WHERRY_ASSIGN(const auto lanes,
                  retry_.run("target", [&] { return target_->recover(context_, stream.name); }));
    const auto checkpoint = highest_checkpoint(lanes);
    if (stream.has_checkpoint && !checkpoint) return checkpoint_lost();
    changes::Place from{stream.position, stream.order};
    if (checkpoint) {
      WHERRY_TRY(state_.note_checkpoint());
      from = {checkpoint->position, checkpoint->point.order};
    }
    progress_->set_begin(from.position);
    progress_->apply.set_applied_order(from.order);
    engine::StreamFeed::Options options;
    options.request = stream_request(request_, stream, state_.tables());
    options.cache.directory = state_.directory() / "cache";
    options.cache.spill_directory = state_.directory();
    const ChangeProcessing& changes = request_.settings.changes;
    options.memory_bytes = changes.memory_bytes / 2;
    options.batch_bytes = feed_batch_bytes(changes.memory_bytes, changes.apply.lanes);
    options.memory_keep = changes.memory_keep;
    if (!begins_) options.recovery_limit = changes.recovery_limit;
    options.retry = request_.settings.retry;
    is_native_ = options.request.is_native;
    if (begins_) {
      std::error_code ignored;
      std::filesystem::remove_all(options.cache.directory, ignored);
    }
    WHERRY_ASSIGN(feed_, engine::StreamFeed::open(context_, *source_, from.position,
                                                  std::move(options), progress_->apply));
    progress_->set_feed(feed_.get());
    return {};
  }

  // The load.

  [[nodiscard]] bool is_load_wanted() const {
    const TableRecords tables = state_.tables();
    return std::any_of(tables.begin(), tables.end(), [](const auto& entry) {
      return entry.second.phase != TablePhase::kComplete && !entry.second.is_reloading;
    });
  }

  Result<void> load(const std::string& load_before) {
    engine::SourceViews views(views_->opener());
    views.set_first(state_.position());
    StateJournal journal(state_, [this](const Position& position) {
      return views_->order_of(position.empty() ? state_.position() : position);
    });
    const LoadParts parts{prepared_, state_, views, journal, control_, /*is_followed=*/true};
    std::stop_source own;
    const std::stop_callback forward(context_.stop, [&own] { own.request_stop(); });
    const std::jthread watcher([this, &own](const std::stop_token& stop) {
      while (engine::wait_for(kFeedLookInterval, stop)) {
        if (feed_->failure()) own.request_stop();
      }
    });
    OpContext loading{own.get_token(), context_.deadline, context_.log};
    auto loaded = run_load(loading, request_, parts, retry_, observer_, load_before, outcome_.load);
    if (const auto failure = feed_->failure(); failure && !context_.stop.stop_requested()) {
      return *failure;
    }
    return loaded;
  }

  /// No table is to be loaded.
  void note_loaded_before() {
    outcome_.load.position = state_.position();
    outcome_.load.refused = prepared_.plan.refused;
    outcome_.load.has_table_errors = !prepared_.plan.refused.empty();
    if (request_.type == MigrationType::kCdc) return;
    for (const auto& [name, record] : state_.tables()) {
      if (record.plan == nullptr) continue;
      outcome_.load.finished_before.push_back(
          {name, record.plan->target, {record.rows, record.refused_rows, record.truncated_values}});
      outcome_.load.refused_rows += record.refused_rows;
    }
  }

  /// Up to where changes were cached while tables were loaded.
  void note_cached() {
    const StreamRecord stream = state_.stream();
    cached_until_ = std::max(stream.cached_until, feed_->status().read_to.order);
    for (const auto& [name, record] : state_.tables()) {
      cached_until_ = std::max(cached_until_, record.order);
    }
  }

  /// True: the task stops here.
  Result<bool> end_load() {
    const TaskStage before = state_.stream().stage;
    const bool stops =
        (before == TaskStage::kLoading && request_.settings.changes.stops_before_cached) ||
        request_.stop_when.kind == StopCondition::Kind::kFullLoadDone;
    if (stops) WHERRY_TRY(stop_feed());
    failpoint("changes.loaded");
    if (cached_until_ != 0) WHERRY_TRY(state_.set_stage(TaskStage::kLoaded, cached_until_));
    return stops;
  }

  // The changes.

  Result<ChangeOutcome> apply() {
    is_recorded_ = true;
    const ReplicationParts parts{
        request_,          state_,          *feed_,    *source_, *target_,
        *prepared_.loader, apply_settings_, progress_, control_, is_native_};
    auto done = replicate(context_, parts, observer_);
    auto stopped = stop_feed();
    log_times(context_.log, progress_->apply);
    if (!done.ok()) return std::move(done).error();
    WHERRY_TRY(std::move(stopped));
    outcome_.is_wanted_by_user = *done == ReplicationEnd::kRequested;
    if (*done == ReplicationEnd::kCachedApplied) {
      return end("Stop Reason STOPPED_AFTER_CACHED_EVENTS");
    }
    const bool is_time = *done == ReplicationEnd::kCondition &&
                         request_.stop_when.kind == StopCondition::Kind::kTime;
    return end(is_time ? "Stop Reason STOPPED_AT_COMMIT_TIME" : kStoppedByUser);
  }

  Result<void> stop_feed() {
    auto stopped = feed_->stop();
    progress_->set_feed(nullptr);
    return stopped;
  }

  ChangeOutcome end(const char* reason) {
    outcome_.stop_reason = reason;
    outcome_.position = progress_->position();
    outcome_.has_table_errors = outcome_.load.has_table_errors;
    for (const auto& [name, record] : state_.tables()) {
      outcome_.has_table_errors = outcome_.has_table_errors || !record.suspended.empty();
    }
    return std::move(outcome_);
  }

  OpContext& context_;
  const TaskRequest request_;
  TaskState& state_;
  TaskObserver& observer_;
  StartRetry retry_;
  bool begins_ = false;
  Prepared prepared_;
  std::shared_ptr<connect::ControlWriter> control_;
  std::unique_ptr<connect::ChangeSource> source_;
  connect::ApplySettings apply_settings_;
  std::unique_ptr<connect::TargetApply> target_;
  std::shared_ptr<ChangeProgress> progress_ = std::make_shared<ChangeProgress>();
  std::optional<AnchoredViews> views_;
  std::unique_ptr<engine::StreamFeed> feed_;
  bool is_native_ = false;
  bool is_recorded_ = false;               ///< a ChangeRecorder keeps the control tables
  connect::CommitOrder cached_until_ = 0;  ///< 0: nothing was loaded
  ChangeOutcome outcome_;
};

}  // namespace

Result<ChangeOutcome> run_change_task(OpContext& context, const TaskRequest& request,
                                      TaskObserver& observer) {
  WHERRY_ASSIGN(auto state, TaskState::open(request.state_directory));
  TaskRequest own = with_own_settings(request, *state);
  if (own.type == MigrationType::kCdc) {
    // Nothing is loaded, so nothing is prepared.
    own.settings.target_table_prep_mode = connect::ExistingTable::kKeep;
  }
  return ChangeTask(context, own, *state, observer).run();
}

}  // namespace wherry::control
