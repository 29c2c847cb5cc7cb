#include "control/change_replication.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "control/apply_hold.h"
#include "control/change_statistics.h"
#include "control/new_tables.h"
#include "control/reload_request.h"
#include "control/table_reload.h"
#include "control/time_limited_feed.h"
#include "core/failpoint.h"
#include "engine/guarded.h"
#include "engine/retry.h"

namespace wherry::control {
namespace {

using Kind = StopCondition::Kind;

/// How often is looked whether a phase has ended, when nothing tells of it.
constexpr std::chrono::milliseconds kLookInterval{200};

/// Any order is above it: the apply ends at the next border between transactions.
constexpr connect::CommitOrder kNextBorder = 1;

/// While changes are held for a comparison.
constexpr std::chrono::milliseconds kHoldGlance{5};
/// For so long at most nothing is applied while others are waited for.
constexpr std::chrono::seconds kLongestHold{20};

/// Why an apply was asked to end before its limit.
enum class ApplyPause : std::uint8_t { kNone, kReload, kHold };

class Replication {
 public:
  Replication(OpContext& context, const ReplicationParts& parts, TaskObserver& observer)
      : context_(context),
        parts_(parts),
        reload_parts_{parts.request, parts.state, parts.source, parts.loader, parts.apply_settings},
        observer_(observer),
        stream_(parts.state.stream()),
        hold_(parts.state.directory()) {}

  Result<ReplicationEnd> run() {
    WHERRY_TRY(set_end());
    is_consistent_ = stream_.stage == TaskStage::kConsistent;
    observer_.on_phase(is_consistent_ ? "ongoing replication" : "cached changes");
    statistics_.emplace(parts_.state, parts_.progress->apply, context_.log);
    observer_.on_changes(parts_.progress);
    ChangeRecorder recorder(context_, parts_.control, parts_.request.settings.control_tables,
                            parts_.progress);
    TableReload::clean_up(context_, reload_parts_);
    WHERRY_TRY(hold_.end());  // what a run has answered that was cut off
    for (;;) {
      WHERRY_TRY(begin_reload(recorder));
      WHERRY_TRY(apply(recorder, end_order_));
      if (context_.stop.stop_requested()) return ReplicationEnd::kRequested;
      if (pause_ == ApplyPause::kHold) {
        WHERRY_TRY(hold(recorder));
        if (context_.stop.stop_requested()) return ReplicationEnd::kRequested;
        continue;
      }
      if (pause_ == ApplyPause::kNone && !reload_ && ends_with_new_tables()) continue;
      if (pause_ == ApplyPause::kNone) WHERRY_TRY(wait_for_reload(recorder));
      if (context_.stop.stop_requested()) return ReplicationEnd::kRequested;
      if (reload_) WHERRY_TRY(end_reload(recorder));
      if (context_.stop.stop_requested()) return ReplicationEnd::kRequested;
      if (pause_ == ApplyPause::kNone && !reload_at_) return end_;
    }
  }

 private:
  /// Where the request has the changes end.
  Result<void> set_end() {
    const StopCondition& stop = parts_.request.stop_when;
    const bool stops_by_setting = parts_.request.settings.changes.stops_after_cached &&
                                  stream_.stage != TaskStage::kConsistent;
    if (stop.kind == Kind::kCaughtUp) {
      WHERRY_ASSIGN(const connect::SourceHead head, parts_.feed.wait_for_head(context_));
      context_.log.info("stops when caught up", {{"position", head.position.text}});
      end_order_ = head.order;
    } else if (stop.kind == Kind::kPosition) {
      WHERRY_ASSIGN(const Position position, parts_.source.parse_position(context_, stop.position));
      WHERRY_ASSIGN(end_order_, parts_.source.order_of(position));
    }
    const bool ends_with_cache = stops_by_setting || stop.kind == Kind::kCachedChangesApplied;
    if (ends_with_cache && stream_.cached_until <= end_order_) {
      end_order_ = stream_.cached_until;
      end_ = ReplicationEnd::kCachedApplied;
    }
    return {};
  }

  engine::ApplyOptions options() const {
    constexpr std::uint64_t kShareOfApply = 4;
    const ChangeProcessing& settings = parts_.request.settings.changes;
    engine::ApplyOptions out = settings.apply;
    out.task_name = stream_.name;
    out.memory_bytes =
        out.is_batch ? settings.batch_memory_bytes : settings.memory_bytes / kShareOfApply;
    if (settings.ignores_load_conflicts) {
      out.errors.ignores_conflicts_until = stream_.cached_until;
    }
    return out;
  }

  /// Until `end`, a stop, or a pause. The apply has a thread of its own; this one watches it.
  Result<void> apply(ChangeRecorder& recorder, connect::CommitOrder end) {
    pause_ = ApplyPause::kNone;
    engine::ApplyLimit limit;
    limit.stop_after(end);
    StateEvents events(parts_.state, recorder, context_.log.as(Component::kTargetApply));
    const TableRecords tables = parts_.state.tables();
    ChangePlanner planner(parts_.request, parts_.loader, tables, parts_.is_native);
    std::optional<TimeLimitedFeed> timed;
    if (parts_.request.stop_when.kind == Kind::kTime) {
      timed.emplace(parts_.feed, limit, parts_.request.stop_when.time);
    }
    engine::ChangeFeed& feed = timed ? static_cast<engine::ChangeFeed&>(*timed) : parts_.feed;
    const engine::ApplyJob job{feed,
                               parts_.target,
                               apply_tables(parts_.request, tables, parts_.is_native),
                               stream_.position,
                               stream_.order,
                               &planner,
                               events,
                               limit,
                               parts_.progress->apply,
                               &parts_.source};
    std::stop_source own;
    const std::stop_callback forward(context_.stop, [&own] { own.request_stop(); });
    OpContext applying{own.get_token(), context_.deadline,
                       context_.log.as(Component::kTargetApply)};
    Result<void> applied;
    std::atomic<bool> is_over{false};
    std::thread worker([&] {
      applied = engine::guarded([&] { return engine::run_apply(applying, job, options()); });
      is_over = true;
      done_.notify();
    });
    auto watched = watch(is_over, limit, recorder);
    if (!watched.ok()) own.request_stop();
    worker.join();
    WHERRY_TRY(std::move(watched));
    WHERRY_TRY(std::move(applied));
    applied_until_ = limit.order();
    return look();
  }

  Result<void> watch(const std::atomic<bool>& is_over, engine::ApplyLimit& limit,
                     ChangeRecorder& recorder) {
    std::uint64_t seen = done_.count();
    while (!is_over) {
      seen = done_.wait(seen, kLookInterval, {});
      WHERRY_TRY(look());
      statistics_->save_now_and_then();
      tell_interruption();
      WHERRY_TRY(look_at_reload(recorder));
      if (pause_ != ApplyPause::kNone) continue;
      pause_ = wanted_pause();
      if (pause_ != ApplyPause::kNone) limit.stop_after(kNextBorder);
    }
    return {};
  }

  ApplyPause wanted_pause() {
    if (is_holding_) return hold_.is_wanted_still() ? ApplyPause::kNone : ApplyPause::kHold;
    if (is_reload_waiting()) return ApplyPause::kReload;
    // Before that it is no one moment of the source that the target shows.
    return is_consistent_ && hold_.is_wanted() ? ApplyPause::kHold : ApplyPause::kNone;
  }

  /// Ends the phase of cached changes once they are all on the target.
  Result<void> look() {
    if (parts_.progress->apply.checkpoint()) WHERRY_TRY(parts_.state.note_checkpoint());
    if (is_consistent_ || parts_.progress->apply.applied_order() < stream_.cached_until) return {};
    failpoint("changes.consistent");
    WHERRY_TRY(parts_.state.set_stage(TaskStage::kConsistent, stream_.cached_until));
    is_consistent_ = true;
    context_.log.info("the cached changes are applied: the target is consistent");
    observer_.on_phase("ongoing replication");
    return {};
  }

  void tell_interruption() {
    const engine::FeedStatus status = parts_.feed.status();
    if (status.interruption == told_interruption_) return;
    told_interruption_ = status.interruption;
    if (told_interruption_.empty()) return observer_.on_interruption(std::nullopt);
    observer_.on_interruption(engine::Interruption{"source", told_interruption_,
                                                   static_cast<std::int64_t>(status.restarts),
                                                   std::chrono::steady_clock::now()});
  }

  // A comparison wants the target to stand still for a moment.

  Result<void> hold(ChangeRecorder& recorder) {
    if (!hold_.take()) return {};
    const auto begun = std::chrono::steady_clock::now();
    auto held = hold_for_request(recorder);
    WHERRY_TRY(hold_.end());
    WHERRY_TRY(std::move(held));
    const auto spent = std::chrono::steady_clock::now() - begun;
    context_.log.info(
        "changes were held for a comparison",
        {{"ms",
          std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(spent).count())}});
    return {};
  }

  Result<void> hold_for_request(ChangeRecorder& recorder) {
    WHERRY_TRY(hold_.answer(HoldState::kPaused));
    std::optional<connect::CommitOrder> order;
    const auto is_told = [&] {
      order = hold_.order();
      return order.has_value();
    };
    if (!wait_while_held(is_told)) return {};
    is_holding_ = true;
    auto applied = apply(recorder, std::min(*order, end_order_));
    is_holding_ = false;
    WHERRY_TRY(std::move(applied));
    // Otherwise the requester has gone, or the task ends before that.
    if (applied_until_ != *order || context_.stop.stop_requested()) return {};
    WHERRY_TRY(hold_.answer(HoldState::kHeld));
    failpoint("changes.held");
    wait_while_held([] { return false; });
    return {};
  }

  /// True: `is_met`; false: the requester has gone or takes too long, or the task stops.
  template <class Condition>
  bool wait_while_held(const Condition& is_met) {
    const auto end = std::chrono::steady_clock::now() + kLongestHold;
    while (hold_.is_wanted_still()) {
      if (is_met()) return true;
      if (!engine::wait_for(kHoldGlance, context_.stop)) return false;
      if (std::chrono::steady_clock::now() < end) continue;
      context_.log.warn("a comparison has held changes for too long, they go on");
      return false;
    }
    return false;
  }

  // Tables that are loaded again.

  /// One wants to begin, or to join.
  bool is_reload_waiting() {
    if (reload_) {
      // Both move: what the others had at the last look is near enough.
      const auto before = std::exchange(last_order_, parts_.progress->apply.applied_order());
      return reload_->is_near(before) || reload_->is_overdue();
    }
    if (is_reload_put_off()) return false;
    if (has_new_tables()) return true;
    const auto requests = read_reload_requests(parts_.state.directory());
    return !requests.ok() || !requests->tables.empty();
  }

  [[nodiscard]] bool has_new_tables() const {
    return parts_.state.has_new_table(parts_.progress->apply.applied_order());
  }
  /// Whoever asks for all that there is wants the rows of tables that were made, too.
  [[nodiscard]] bool ends_with_new_tables() const {
    return parts_.request.stop_when.kind == Kind::kCaughtUp && !reload_at_ && has_new_tables();
  }

  /// REQUIRES: nothing is applied.
  Result<void> begin_reload(ChangeRecorder& recorder) {
    if (reload_ || is_reload_put_off()) return {};
    WHERRY_ASSIGN(const ReloadRequests requests, read_reload_requests(parts_.state.directory()));
    if (!requests.tables.empty()) reload_backoff_.emplace(parts_.request.settings.retry);
    WHERRY_ASSIGN(std::vector<schema::TableRef> tables, take_in(requests.tables, recorder));
    if (reload_at_) return {};
    for (const schema::TableRef& table : requests.tables) {
      const auto record = parts_.state.find(table);
      // One that is still refused is not in the stream.
      if (!record || !is_new_table(*record) || record->is_reloading) tables.push_back(table);
    }
    WHERRY_TRY(begin_reload(tables));
    remove_reload_requests(requests);
    return {};
  }

  /// New tables, and of `asked` those that were new and could not be had.
  Result<std::vector<schema::TableRef>> take_in(const std::vector<schema::TableRef>& asked,
                                                ChangeRecorder& recorder) {
    for (const schema::TableRef& table : asked) {
      auto record = parts_.state.find(table);
      if (!record || !is_new_table(*record) || record->suspended.empty()) continue;
      record->suspended.clear();
      WHERRY_TRY(parts_.state.add({{table, *record}}));
    }
    if (!has_new_tables()) return std::vector<schema::TableRef>();
    const NewTableParts parts{parts_.request, parts_.state, parts_.source, parts_.target,
                              parts_.loader};
    auto taken =
        take_new_tables(context_, parts, parts_.progress->apply.applied_order(), asked, recorder);
    if (taken.ok() || taken.error().kind != ErrorKind::kTransient) return taken;
    if (!reload_backoff_) reload_backoff_.emplace(parts_.request.settings.retry);
    const auto wait = reload_backoff_->next();
    if (!wait) return taken;
    context_.log.as(Component::kTablesManager)
        .warn("new tables are taken in later",
              {{"cause", taken.error().to_log_text()}, {"wait_ms", std::to_string(wait->count())}});
    reload_at_ = std::chrono::steady_clock::now() + *wait;
    return std::vector<schema::TableRef>();
  }

  /// Of these tables and those that the state has marked: nobody applies their changes.
  Result<void> begin_reload(const std::vector<schema::TableRef>& wanted) {
    reload_at_.reset();
    std::vector<schema::TableRef> tables;
    for (const auto& [name, record] : parts_.state.tables()) {
      const bool is_wanted = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
      if (record.is_reloading || is_wanted) tables.push_back(name);
    }
    if (tables.empty()) return {};
    if (!reload_backoff_) reload_backoff_.emplace(parts_.request.settings.retry);
    last_order_ = engine::ApplyLimit::kNever;
    for (const schema::TableRef& table : tables) {
      parts_.progress->apply.table(table).clear_counts();
    }
    WHERRY_ASSIGN(reload_, TableReload::begin(context_, reload_parts_, std::move(tables)));
    return {};
  }

  /// Gives it up, or begins anew with it, as it has failed.
  Result<void> look_at_reload(ChangeRecorder& recorder) {
    if (reload_ && reload_->failure()) WHERRY_TRY(give_up_reload(recorder));
    return reload_at_ && !is_reload_put_off() ? begin_reload({}) : Result<void>();
  }

  [[nodiscard]] bool is_reload_put_off() const {
    return reload_at_ && std::chrono::steady_clock::now() < *reload_at_;
  }

  /// The others have come to the request's end.
  Result<void> wait_for_reload(ChangeRecorder& recorder) {
    const auto is_missing = [this] {
      return reload_ ? !reload_->is_near(parts_.progress->apply.applied_order())
                     : reload_at_.has_value();
    };
    while (is_missing()) {
      if (!engine::wait_for(kLookInterval, context_.stop)) return {};
      WHERRY_TRY(look_at_reload(recorder));
    }
    return {};
  }

  Result<void> end_reload(ChangeRecorder& recorder) {
    const connect::CommitOrder order = parts_.progress->apply.applied_order();
    if (!reload_->is_near(order)) {
      context_.log.as(Component::kTablesManager)
          .info("changes wait until the tables that are loaded again are as far as the others");
    }
    auto joined = reload_->finish(context_, order);
    if (context_.stop.stop_requested()) return {};
    if (!joined.ok() && reload_->failure()) return give_up_reload(recorder);
    for (const engine::TableApplyProgress* table : reload_->changes().tables()) {
      if (joined.ok()) parts_.progress->apply.table(table->source).add_counts(table->counts());
    }
    for (const schema::TableRef& table : reload_->tables()) {
      const auto record = parts_.state.find(table);
      if (record && record->plan) recorder.end_suspension(record->plan->target);
    }
    reload_.reset();
    return joined.ok() ? Result<void>() : Result<void>(std::move(joined).error());
  }

  /// What a broken connection has ended begins anew, as often as the settings say.
  Result<void> give_up_reload(ChangeRecorder& recorder) {
    const Error failure = reload_->failure().value_or(cancelled_error());
    const auto wait =
        failure.kind == ErrorKind::kTransient ? reload_backoff_->next() : std::nullopt;
    if (wait) {
      context_.log.as(Component::kTablesManager)
          .warn("the tables are loaded again from their beginning",
                {{"cause", failure.to_log_text()}, {"wait_ms", std::to_string(wait->count())}});
      reload_.reset();
      reload_at_ = std::chrono::steady_clock::now() + *wait;
      return {};
    }
    WHERRY_TRY(reload_->give_up());
    for (const schema::TableRef& table : reload_->tables()) {
      const auto record = parts_.state.find(table);
      if (record && record->plan) recorder.suspend(record->plan->target, record->suspended);
    }
    reload_.reset();
    return {};
  }

  OpContext& context_;
  const ReplicationParts& parts_;
  const ReloadParts reload_parts_;
  TaskObserver& observer_;
  const StreamRecord stream_;
  connect::CommitOrder end_order_ = engine::ApplyLimit::kNever;
  ReplicationEnd end_ = ReplicationEnd::kCondition;
  engine::ChangeSignal done_;
  bool is_consistent_ = false;
  ApplyPause pause_ = ApplyPause::kNone;
  connect::CommitOrder applied_until_ = 0;  ///< what ended the last apply
  HoldServer hold_;
  bool is_holding_ = false;  ///< what is left up to a comparison's order is being applied
  std::unique_ptr<TableReload> reload_;
  std::optional<engine::Backoff> reload_backoff_;
  std::optional<std::chrono::steady_clock::time_point> reload_at_;  ///< when it is tried again
  connect::CommitOrder last_order_ = engine::ApplyLimit::kNever;    ///< of the others, at a look
  std::string told_interruption_;
  std::optional<ChangeStatistics> statistics_;
};

}  // namespace

Result<ReplicationEnd> replicate(OpContext& context, const ReplicationParts& parts,
                                 TaskObserver& observer) {
  return Replication(context, parts, observer).run();
}

}  // namespace wherry::control
