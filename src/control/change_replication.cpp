#include "control/change_replication.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "control/reload_request.h"
#include "control/table_reload.h"
#include "core/failpoint.h"
#include "engine/guarded.h"
#include "engine/retry.h"

namespace wherry::control {
namespace {

using connect::ChangeKind;
using Kind = StopCondition::Kind;

/// How often is looked whether a phase has ended, when nothing tells of it.
constexpr std::chrono::milliseconds kLookInterval{200};

/// Passes a feed on, up to the last transaction that was committed at or before a time.
class TimeLimitedFeed final : public engine::ChangeFeed {
 public:
  TimeLimitedFeed(engine::ChangeFeed& feed, engine::ApplyLimit& limit,
                  std::chrono::system_clock::time_point time)
      : feed_(feed), limit_(limit), time_(time) {}

  Result<void> start(OpContext& context, const Position& from) override {
    return feed_.start(context, from);
  }
  Result<engine::ChangeBatchPtr> next(OpContext& context) override {
    WHERRY_ASSIGN(engine::ChangeBatchPtr batch, feed_.next(context));
    if (batch && limit_.order() == engine::ApplyLimit::kNever) look(*batch);
    return batch;
  }
  [[nodiscard]] bool is_empty() const override { return feed_.is_empty(); }
  Result<void> release(OpContext& context, const connect::Checkpoint& durable) override {
    return feed_.release(context, durable);
  }

 private:
  void look(const connect::ChangeBatch& batch) {
    for (const connect::Change& change : batch.changes()) {
      if (!change.has_commit() || batch.commit(change).time <= time_) continue;
      const connect::CommitOrder order = batch.commit(change).order;
      // Commits of one order are not told apart: the one that is too late goes with all of them.
      if (change.kind == ChangeKind::kBegin) return limit_.stop_after(order - 1);
      if (change.kind == ChangeKind::kHeartbeat) return limit_.stop_after(order);
    }
  }

  engine::ChangeFeed& feed_;
  engine::ApplyLimit& limit_;
  const std::chrono::system_clock::time_point time_;
};

/// Any order is above it: the apply ends at the next border between transactions.
constexpr connect::CommitOrder kNextBorder = 1;

class Replication {
 public:
  Replication(OpContext& context, const ReplicationParts& parts, TaskObserver& observer)
      : context_(context),
        parts_(parts),
        reload_parts_{parts.request, parts.state, parts.source, parts.loader, parts.apply_settings},
        observer_(observer),
        stream_(parts.state.stream()) {}

  Result<ReplicationEnd> run() {
    WHERRY_TRY(set_end());
    is_consistent_ = stream_.stage == TaskStage::kConsistent;
    observer_.on_phase(is_consistent_ ? "ongoing replication" : "cached changes");
    observer_.on_changes(parts_.progress);
    ChangeRecorder recorder(context_, parts_.control, parts_.request.settings.control_tables,
                            parts_.progress);
    TableReload::clean_up(context_, reload_parts_);
    for (;;) {
      WHERRY_TRY(begin_reload());
      WHERRY_TRY(apply(recorder));
      if (context_.stop.stop_requested()) return ReplicationEnd::kRequested;
      if (reload_ && !is_pausing_) WHERRY_TRY(wait_for_reload(recorder));
      if (context_.stop.stop_requested()) return ReplicationEnd::kRequested;
      if (reload_) WHERRY_TRY(end_reload(recorder));
      if (context_.stop.stop_requested()) return ReplicationEnd::kRequested;
      if (!is_pausing_) return end_;
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

  /// Until the request's end, a stop, or a reload that wants to begin or to join. The apply has a
  /// thread of its own; this one watches it.
  Result<void> apply(ChangeRecorder& recorder) {
    is_pausing_ = false;
    engine::ApplyLimit limit;
    limit.stop_after(end_order_);
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
                               apply_tables(tables, parts_.is_native),
                               stream_.position,
                               stream_.order,
                               &planner,
                               events,
                               limit,
                               parts_.progress->apply};
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
    return look();
  }

  Result<void> watch(const std::atomic<bool>& is_over, engine::ApplyLimit& limit,
                     ChangeRecorder& recorder) {
    std::uint64_t seen = done_.count();
    while (!is_over) {
      seen = done_.wait(seen, kLookInterval, {});
      WHERRY_TRY(look());
      tell_interruption();
      if (reload_ && reload_->failure()) WHERRY_TRY(give_up_reload(recorder));
      if (is_pausing_ || !is_reload_waiting()) continue;
      is_pausing_ = true;
      limit.stop_after(kNextBorder);
    }
    return {};
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

  // Tables that are loaded again.

  /// One wants to begin, or to join.
  bool is_reload_waiting() {
    if (reload_) {
      // Both move: what the others had at the last look is near enough.
      const auto before = std::exchange(last_order_, parts_.progress->apply.applied_order());
      return reload_->is_near(before);
    }
    const auto requests = read_reload_requests(parts_.state.directory());
    return !requests.ok() || !requests->tables.empty();
  }

  Result<void> begin_reload() {
    if (reload_) return {};
    WHERRY_ASSIGN(const ReloadRequests requests, read_reload_requests(parts_.state.directory()));
    std::vector<schema::TableRef> tables;
    for (const auto& [name, record] : parts_.state.tables()) {
      const bool is_asked_for =
          std::find(requests.tables.begin(), requests.tables.end(), name) != requests.tables.end();
      if (record.is_reloading || is_asked_for) tables.push_back(name);
    }
    if (!tables.empty()) {
      last_order_ = engine::ApplyLimit::kNever;
      WHERRY_ASSIGN(reload_, TableReload::begin(context_, reload_parts_, std::move(tables)));
    }
    remove_reload_requests(requests);
    return {};
  }

  /// The others have come to the request's end.
  Result<void> wait_for_reload(ChangeRecorder& recorder) {
    while (reload_ && !reload_->is_near(parts_.progress->apply.applied_order())) {
      if (!engine::wait_for(kLookInterval, context_.stop)) return {};
      if (reload_->failure()) WHERRY_TRY(give_up_reload(recorder));
    }
    return {};
  }

  Result<void> end_reload(ChangeRecorder& recorder) {
    const connect::CommitOrder order = parts_.progress->apply.applied_order();
    auto joined = reload_->finish(context_, order);
    if (context_.stop.stop_requested()) return {};
    if (!joined.ok() && reload_->failure()) return give_up_reload(recorder);
    for (const schema::TableRef& table : reload_->tables()) {
      const auto record = parts_.state.find(table);
      if (record && record->plan) recorder.end_suspension(record->plan->target);
    }
    reload_.reset();
    return joined.ok() ? Result<void>() : Result<void>(std::move(joined).error());
  }

  Result<void> give_up_reload(ChangeRecorder& recorder) {
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
  bool is_pausing_ = false;  ///< the apply was asked to end for a reload
  std::unique_ptr<TableReload> reload_;
  connect::CommitOrder last_order_ = engine::ApplyLimit::kNever;  ///< of the others, at a look
  std::string told_interruption_;
};

}  // namespace

Result<ReplicationEnd> replicate(OpContext& context, const ReplicationParts& parts,
                                 TaskObserver& observer) {
  return Replication(context, parts, observer).run();
}

}  // namespace wherry::control
