#include "control/compared_moment.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <thread>

#include "control/apply_hold.h"
#include "control/change_stream.h"
#include "engine/retry.h"

namespace wherry::control {
namespace {

using MomentClock = std::chrono::steady_clock;
using connect::ChangeKind;

/// How long a task's changes may wait for a view of the source.
constexpr std::chrono::seconds kLongestPause{5};
constexpr std::chrono::milliseconds kAnswerGlance{5};
constexpr std::chrono::milliseconds kTaskGlance{200};
constexpr std::chrono::milliseconds kReadWait{1000};

constexpr const char* kOpenTransactions =
    "transactions that were open at the source have not ended, and before that it gives no view "
    "whose place among its changes is known";

Error not_in_time(std::chrono::seconds patience, const std::string& why) {
  return make_error(ErrorKind::kTransient, "validate.not_in_time",
                    fmt::format("source and target could not be seen at one moment within {} s: {}",
                                patience.count(), why),
                    "Try again later, or give it more time (--wait)");
}

constexpr const char* kRunOn =
    "Run the task on, with --stop-when caught-up for example, and compare then or meanwhile";

/// Why a table is not compared that is as it is in the task's state.
std::optional<Error> left_out_because(const TableRecord& record) {
  if (record.is_reloading || is_new_table(record)) {
    return make_error(ErrorKind::kSchema, "validate.reloading",
                      "the table is being loaded again, so it is not compared",
                      "Compare again when it has joined the others");
  }
  if (record.phase != TablePhase::kComplete) {
    return make_error(ErrorKind::kSchema, "validate.not_loaded",
                      "the table is not loaded, so it is not compared",
                      "See why in the task's log, then start the task again");
  }
  if (!record.suspended.empty()) {
    return make_error(ErrorKind::kSchema, "validate.suspended",
                      "the changes of the table were given up, so it is not compared",
                      "Load it again: wherry reload --table")
        .with("cause", record.suspended);
  }
  return std::nullopt;
}

Error changed_since() {
  return make_error(ErrorKind::kSchema, "validate.behind",
                    "the source has changed the table since the task was stopped, so it is not "
                    "compared",
                    "Compare while the task runs, or after --stop-when caught-up with nobody "
                    "writing to the source");
}

/// Which tables the source has changed after the place where the target is, up to a later one.
class ChangedTables {
 public:
  ChangedTables(connect::ChangeStream& stream, connect::CommitOrder until)
      : stream_(stream), until_(until) {}

  /// False: not until the end.
  Result<bool> read(OpContext& context, const Position& from, MomentClock::time_point end) {
    WHERRY_TRY(stream_.start(context, from));
    connect::ChangeBatch batch;
    while (!is_over_) {
      if (context.stop.stop_requested()) return cancelled_error();
      if (MomentClock::now() >= end) return false;
      batch.reset();
      OpContext reading = context;
      reading.deadline = MomentClock::now() + kReadWait;
      WHERRY_TRY(stream_.read(reading, batch));
      for (const connect::Change& change : batch.changes()) note(batch, change);
    }
    return true;
  }
  [[nodiscard]] const std::set<schema::TableRef>& tables() const { return tables_; }

 private:
  void note(const connect::ChangeBatch& batch, const connect::Change& change) {
    if (is_over_) return;
    if (change.has_commit()) {
      const connect::CommitOrder order = batch.commit(change).order;
      is_over_ = change.kind == ChangeKind::kBegin ? order > until_ : order >= until_;
    } else if (change.shape != nullptr) {
      tables_.insert(change.shape->source);
    }
  }

  connect::ChangeStream& stream_;
  const connect::CommitOrder until_;
  std::set<schema::TableRef> tables_;
  bool is_over_ = false;
};

class MomentFinder {
 public:
  MomentFinder(OpContext& context, const TaskRequest& request, std::chrono::seconds patience)
      : context_(context),
        request_(request),
        patience_(patience),
        end_(MomentClock::now() + patience) {}

  Result<ComparedMoment> find() {
    WHERRY_ASSIGN(
        source_, request_.source.connector->open_change_source(context_, request_.source.settings));
    do {
      auto state = TaskState::open(request_.state_directory);
      if (state.ok()) return of_stopped(**state);
      if (state.error().code != "state.in_use") return std::move(state).error();
      auto moment = of_running();
      if (!moment.ok() && moment.error().kind != ErrorKind::kTransient) {
        return std::move(moment).error();
      }
      if (moment.ok() && *moment) return *std::move(*moment);
      if (!moment.ok()) why_ = moment.error().to_log_text();
      if (!engine::wait_for(kTaskGlance, context_.stop)) return cancelled_error();
    } while (MomentClock::now() < end_);
    return not_in_time(patience_, why_);
  }

 private:
  using Found = std::optional<ComparedMoment>;

  /// Nothing: it is to be tried again, or over; `why_` says what was missing.
  Result<Found> of_running() {
    WHERRY_ASSIGN(std::unique_ptr<HoldClient> client, HoldClient::ask(request_.state_directory));
    WHERRY_ASSIGN(const bool is_paused, wait_for(*client, HoldState::kPaused));
    if (!is_paused) return Found();
    ComparedMoment moment;
    WHERRY_ASSIGN(const bool has_anchor,
                  make_anchor(MomentClock::now() + kLongestPause, moment.start));
    if (!has_anchor) {
      // The task goes on while what is open at the source comes to its end.
      client.reset();
      connect::StreamStart unused;
      WHERRY_TRY(make_anchor(end_, unused));
      return Found();
    }
    WHERRY_TRY(client->apply_up_to(moment.start.order));
    WHERRY_TRY(open_source(moment));
    WHERRY_ASSIGN(const bool is_held, wait_for(*client, HoldState::kHeld));
    if (!is_held) return Found();
    WHERRY_TRY(open_target(moment));
    WHERRY_ASSIGN(const auto state, TaskState::read(request_.state_directory));
    note_tables(*state, moment);
    // Only now it is certain that nothing was applied in between.
    if (client->answer() != HoldState::kHeld) return Found();
    return Found(std::move(moment));
  }

  /// False: not until the end, or the task has gone on.
  Result<bool> wait_for(const HoldClient& client, HoldState wanted) {
    auto next_look = MomentClock::now();
    for (;;) {
      const std::optional<HoldState> answer = client.answer();
      if (answer == wanted) return true;
      const bool has_gone_on = wanted == HoldState::kHeld && !answer;
      if (has_gone_on) why_ = "the task has not held its changes until the views were made";
      if (has_gone_on || MomentClock::now() >= end_) return false;
      if (MomentClock::now() >= next_look) {
        next_look = MomentClock::now() + kTaskGlance;
        if (!TaskState::is_in_use(request_.state_directory)) return false;
        WHERRY_TRY(note_what_is_missing(wanted));
      }
      if (!engine::wait_for(kAnswerGlance, context_.stop)) return cancelled_error();
    }
  }

  Result<void> note_what_is_missing(HoldState wanted) {
    if (wanted == HoldState::kHeld) {
      why_ = "the target has not come to where the source was seen";
      return {};
    }
    WHERRY_ASSIGN(const auto state, TaskState::read(request_.state_directory));
    const TaskStage stage = state->stream().stage;
    why_ = stage == TaskStage::kLoading  ? "the task is still loading tables"
           : stage == TaskStage::kLoaded ? "the task is still applying cached changes"
                                         : "the running task does not answer";
    return {};
  }

  /// False: the source has not given one by `end`, which is in why_.
  Result<bool> make_anchor(MomentClock::time_point end, connect::StreamStart& out) {
    std::stop_source own;
    const std::stop_callback forward(context_.stop, [&own] { own.request_stop(); });
    const std::jthread timer([&own, end](const std::stop_token& is_made) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - MomentClock::now());
      if (engine::wait_for(left, is_made)) own.request_stop();
    });
    OpContext limited{own.get_token(), context_.deadline, context_.log};
    connect::StreamRequest request;
    request.task_name = "validate";
    auto made = source_->anchor(limited, request);
    if (made.ok()) {
      out = *std::move(made);
      return true;
    }
    const bool was_late =
        made.error().kind == ErrorKind::kCancelled && !context_.stop.stop_requested();
    if (!was_late) return std::move(made).error();
    why_ = kOpenTransactions;
    return false;
  }

  /// Nobody changes the target while `state` is ours.
  Result<ComparedMoment> of_stopped(const TaskState& state) {
    const StreamRecord stream = state.stream();
    if (stream.stage == TaskStage::kLoading) {
      return make_error(ErrorKind::kConfig, "validate.load_unfinished",
                        "the task was stopped before its load was over", kRunOn);
    }
    if (stream.stage == TaskStage::kLoaded) {
      return make_error(ErrorKind::kConfig, "validate.cached_changes",
                        "the task was stopped before the cached changes were applied, so the "
                        "target is not as the source was at any one moment",
                        kRunOn);
    }
    const connect::ApplySettings settings = apply_settings_of(request_, state.directory());
    WHERRY_ASSIGN(auto target, request_.target.connector->open_apply(
                                   context_, request_.target.settings, settings));
    WHERRY_ASSIGN(const auto lanes, target->recover(context_, stream.name));
    const auto checkpoint = highest_checkpoint(lanes);
    if (stream.has_checkpoint && !checkpoint) return checkpoint_lost();
    ComparedMoment moment;
    WHERRY_ASSIGN(const bool has_anchor, make_anchor(end_, moment.start));
    if (!has_anchor) return not_in_time(patience_, why_);
    WHERRY_TRY(open_source(moment));
    WHERRY_TRY(open_target(moment));
    note_tables(state, moment);
    Position from = stream.position;
    connect::CommitOrder order = stream.order;
    if (checkpoint) {
      from = checkpoint->position;
      order = checkpoint->point.order;
    }
    if (order < moment.start.order) WHERRY_TRY(leave_out_changed(state, from, moment));
    return moment;
  }

  Result<void> leave_out_changed(const TaskState& state, const Position& from,
                                 ComparedMoment& moment) {
    WHERRY_ASSIGN(auto stream, source_->open(context_, stream_request(request_, state.stream(),
                                                                      state.tables())));
    ChangedTables tables(*stream, moment.start.order);
    WHERRY_ASSIGN(const bool is_read, tables.read(context_, from, end_));
    if (!is_read) {
      return not_in_time(patience_, "the source's changes since the task was stopped are many");
    }
    const std::set<schema::TableRef>& changed = tables.tables();
    for (const auto& [name, record] : moment.tables) {
      const schema::TablePlanPtr plan = newest_plan(record);
      const bool has_changed =
          changed.contains(name) || (plan != nullptr && changed.contains(plan->source));
      if (has_changed) moment.left_out.try_emplace(name, changed_since());
    }
    return {};
  }

  Result<void> open_source(ComparedMoment& moment) {
    WHERRY_ASSIGN(moment.source, request_.source.connector->open_snapshot(
                                     context_, request_.source.settings, moment.start.snapshot));
    return {};
  }
  Result<void> open_target(ComparedMoment& moment) {
    WHERRY_ASSIGN(moment.target,
                  request_.target.connector->open_snapshot(context_, request_.target.settings, {}));
    return {};
  }
  static void note_tables(const TaskState& state, ComparedMoment& moment) {
    moment.tables = state.tables();
    moment.load_id = state.load_id();
    for (const auto& [name, record] : moment.tables) {
      if (auto why = left_out_because(record)) moment.left_out.emplace(name, *std::move(why));
    }
  }

  OpContext& context_;
  const TaskRequest& request_;
  const std::chrono::seconds patience_;
  const MomentClock::time_point end_;
  std::unique_ptr<connect::ChangeSource> source_;
  std::string why_ = "the running task does not answer";
};

}  // namespace

Result<ComparedMoment> find_compared_moment(OpContext& context, const TaskRequest& request,
                                            std::chrono::seconds patience) {
  return MomentFinder(context, request, patience).find();
}

}  // namespace wherry::control
