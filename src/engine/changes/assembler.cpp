#include "engine/changes/assembler.h"

#include <algorithm>
#include <bit>

#include "engine/changes/apply_errors.h"
#include "engine/changes/filtered_change.h"
#include "engine/changes/table_ddl.h"

namespace wherry::engine {
namespace {

using connect::Change;
using connect::ChangeKind;
using connect::StepKind;

/// A window has no more changes than that: more gain nothing, and hot rows of a transaction that is
/// still open at the target cost it dear.
constexpr std::size_t kMostWindowChanges = 100'000;
/// Of transactions that share one at the target.
constexpr std::size_t kMostSharedChanges = 16'000;
/// Transactions above the watermark.
constexpr std::size_t kMostPending = 20'000;
/// How long to wait when a lane has no room.
constexpr std::chrono::milliseconds kSoon{2};

Error broken_stream(const char* what) {
  return make_error(ErrorKind::kInternal, "apply.broken_stream",
                    std::string("the stream of changes is not in order: ") + what,
                    "Report this with the log");
}

}  // namespace

Assembler::Assembler(const ApplyJob& job, const ApplyOptions& options, Routes& routes,
                     Watermark& watermark, LanePool& lanes, std::set<connect::CommitPoint> applied)
    : job_(job),
      options_(options),
      routes_(routes),
      watermark_(watermark),
      lanes_(lanes),
      applied_(std::move(applied)),
      open_(lanes.size()),
      last_submit_(Clock::now()),
      last_release_(Clock::now()) {}

Assembler::Waiter::~Waiter() {
  const auto time = Clock::now() - begun_;
  assembler_.waited_ += time;
  assembler_.job_.progress.add_time(stage_, time);
}

void Assembler::begin_after(const connect::Checkpoint& from, connect::CommitOrder seen,
                            std::set<schema::TableRef> new_tables,
                            std::map<schema::TableRef, connect::CommitOrder> filled) {
  new_tables_ = std::move(new_tables);
  filled_ = std::move(filled);
  point_ = from.point;
  headers_.begin_after(from);
  seen_order_ = std::max(from.point.order, seen);
}

Result<void> Assembler::run(OpContext& context) {
  for (;;) {
    if (!is_in_transaction_ && seen_order_ >= job_.limit.order() && job_.feed.is_empty()) {
      is_over_ = true;
    }
    if (is_over_) break;
    WHERRY_TRY(lanes_.check());
    if (context.stop.stop_requested()) return cancelled_error();
    WHERRY_TRY(rest(context));
    OpContext reading = context;
    reading.deadline = next_deadline();
    ChangeBatchPtr batch;
    {
      const Waiter waiter(*this, ApplyStage::kRead);
      WHERRY_ASSIGN(batch, job_.feed.next(reading));
    }
    if (batch) WHERRY_TRY(take(context, batch));
  }
  WHERRY_TRY(drain());
  return release(context, true);
}

/// What does not wait for a record: windows that are due, what the source may forget.
Result<void> Assembler::rest(OpContext& context) {
  const bool is_empty = job_.feed.is_empty();
  for (std::uint32_t lane = 0; lane < open_.size(); ++lane) {
    if (!open_[lane].window || (is_in_transaction_ && (!is_parallel() || is_exclusive_))) continue;
    const bool is_wanted = is_due(open_[lane]) || (is_empty && !options_.is_batch);
    if (is_wanted && lanes_.has_room(lane)) WHERRY_TRY(submit(lane, true));
  }
  return release(context, false);
}

Assembler::Clock::time_point Assembler::next_deadline() const {
  auto out = last_release_ + options_.release_interval;
  for (const OpenWindow& open : open_) {
    if (!open.window) continue;
    // Of transactional apply, what is still open waits for a lane's room only.
    out = std::min(out, options_.is_batch ? last_submit_ + options_.batch_shortest : Clock::now());
  }
  // A window that is due and has no room must not wait for long.
  return std::max(out, Clock::now() + kSoon);
}

bool Assembler::is_due(const OpenWindow& open) const {
  const auto now = Clock::now();
  if (!options_.is_batch) return now >= open.begun + options_.longest_gather;
  if (now >= open.begun + options_.batch_longest) return true;
  return now >= last_submit_ + options_.batch_shortest && job_.feed.is_empty();
}

Result<void> Assembler::release(OpContext& context, bool is_forced) {
  const auto now = Clock::now();
  if (!is_forced && now < last_release_ + options_.release_interval) return {};
  last_release_ = now;
  const bool is_quiet = std::none_of(open_.begin(), open_.end(),
                                     [](const OpenWindow& open) { return open.window != nullptr; });
  // What has nothing for the target moves the checkpoint all the same.
  if (watermark_.is_ahead_of_stored() && is_quiet && !is_in_transaction_ && lanes_.has_room(0)) {
    WHERRY_TRY(open(0, false));
    WHERRY_TRY(submit(0, true));
    if (is_forced) WHERRY_TRY(lanes_.wait_idle());
  }
  const connect::Checkpoint stored = watermark_.stored();
  if (stored.position == released_) return {};
  WHERRY_TRY(job_.target.flush(context, options_.task_name, stored));
  released_ = stored.position;
  return job_.feed.release(context, stored);
}

Result<void> Assembler::take(OpContext& context, const ChangeBatchPtr& batch) {
  const auto begun = Clock::now();
  waited_ = {};
  batch_ = {batch, is_parallel() ? std::make_shared<Arena>() : nullptr};
  for (const Change& change : batch->changes()) {
    WHERRY_TRY(take(context, change));
    if (is_over_) break;
  }
  batch_ = {};
  job_.progress.add_time(ApplyStage::kAssemble, Clock::now() - begun - waited_);
  note_pending();
  job_.progress.set_oldest_pending(watermark_.oldest_pending());
  return {};
}

Result<void> Assembler::take(OpContext& context, const Change& change) {
  switch (change.kind) {
    case ChangeKind::kBegin:
      return begin_transaction(batch_.batch->commit(change));
    case ChangeKind::kInsert:
    case ChangeKind::kUpdate:
    case ChangeKind::kDelete:
      return take_row(context, change);
    case ChangeKind::kTruncate:
      return take_truncate(context, change);
    case ChangeKind::kShape:
      return take_shape(context, change);
    case ChangeKind::kDdl:
      return take_ddl(context, change);
    case ChangeKind::kCommit:
      return end_transaction(batch_.batch->commit(change));
    case ChangeKind::kHeartbeat:
      return take_heartbeat(batch_.batch->commit(change));
  }
  return {};
}

Result<void> Assembler::begin_transaction(const connect::CommitInfo& commit) {
  if (is_in_transaction_) return broken_stream("a transaction begins inside another");
  if (commit.order == 0) return broken_stream("a transaction does not say its order");
  if (commit.order > job_.limit.order()) {
    is_over_ = true;
    return {};
  }
  if (commit.order < point_.order) return broken_stream("a transaction is older than the last");
  is_in_transaction_ = true;
  is_exclusive_ = has_changes_ = false;
  point_ = commit.order == point_.order ? connect::CommitPoint{commit.order, point_.ordinal + 1}
                                        : connect::CommitPoint{commit.order, 0};
  is_skipped_ = applied_.erase(point_) != 0;
  headers_.begin_transaction(commit, job_.source);
  return {};
}

/// nullptr: the change is none of the task's.
Result<const ShapeRoute*> Assembler::wanted(const Change& change) {
  const ShapeRoute* const none = nullptr;
  if (is_skipped_ || change.shape == nullptr) return none;
  WHERRY_ASSIGN(const ShapeRoute* route, routes_.of(*change.shape));
  const TableRoute* table = route->table;
  if (table == nullptr || point_.order <= table->loaded_at || table->is_suspended()) return none;
  return route;
}

Result<const TableRoute*> Assembler::wanted_table(const Change& change) {
  WHERRY_ASSIGN(const ShapeRoute* route, wanted(change));
  return route == nullptr ? nullptr : route->table;
}

Result<void> Assembler::take_row(OpContext& context, const Change& change) {
  if (!is_in_transaction_) return broken_stream("a change is outside of a transaction");
  WHERRY_ASSIGN(const ShapeRoute* route, wanted(change));
  if (route == nullptr) return {};
  return route->filter == nullptr ? take_wanted(context, change, *route)
                                  : take_filtered(context, change, *route);
}

Result<void> Assembler::take_filtered(OpContext& context, const Change& change,
                                      const ShapeRoute& route) {
  if (!batch_.mapped) batch_.mapped = std::make_shared<Arena>();
  const FilteredChange filtered =
      filter_change(*route.filter, route.origins, change, *batch_.mapped);
  if (filtered.verdict == FilteredChange::Verdict::kLeftOut) return {};
  if (filtered.verdict == FilteredChange::Verdict::kTaken) {
    return take_wanted(context, filtered.change, route);
  }
  return refuse(*route.table,
                make_error(ErrorKind::kSchema, "apply.filter_unknown",
                           "a change does not have the values that the rule's filter needs, or not "
                           "all of a row that the filter takes from now on",
                           "Have the source log whole rows (Oracle: supplemental log data (all) "
                           "columns, PostgreSQL: replica identity full), then reload the table")
                    .with("table", schema::to_text(route.table->source)));
}

Result<void> Assembler::take_wanted(OpContext& context, const Change& change,
                                    const ShapeRoute& route) {
  const TableRoute* const table = route.table;
  ChangeCounts& counts = table->progress->captured;
  auto& count = change.kind == ChangeKind::kInsert   ? counts.inserts
                : change.kind == ChangeKind::kUpdate ? counts.updates
                                                     : counts.deletes;
  count.fetch_add(1, std::memory_order_relaxed);
  ++new_changes_;
  has_changes_ = true;
  if (!is_parallel() || is_exclusive_) return add_row(0, change, route);
  if (waiting_batches_.empty() || waiting_batches_.back().batch != batch_.batch) {
    // The first and the last have what belongs to other transactions too.
    if (waiting_batches_.size() > 1) waiting_bytes_ += waiting_batches_.back().batch->used_bytes();
    waiting_batches_.push_back(batch_);
  }
  WHERRY_ASSIGN(const WindowChange row, mapped(change, route, *batch_.mapped));
  WHERRY_TRY(note_move(row));
  ConflictTracker::collect(row, touches_);
  waiting_.push_back({row, waiting_batches_.size() - 1});
  const bool is_large = waiting_.size() > kMostWindowChanges / 4 ||
                        waiting_bytes_ > options_.memory_bytes / (2 * (lanes_.size() + 1));
  return is_large ? become_exclusive(context) : Result<void>();
}

Result<void> Assembler::end_transaction(const connect::CommitInfo& commit) {
  if (!is_in_transaction_) return broken_stream("a transaction ends that has not begun");
  if (commit.order != point_.order) return broken_stream("a transaction has two orders");
  is_in_transaction_ = false;
  seen_order_ = std::max(seen_order_, commit.order);
  StreamTransaction transaction{0, point_, commit.position, commit.time};
  transaction.number = watermark_.add(transaction);
  if (!has_changes_) {
    watermark_.pass(transaction.number);
    job_.progress.set_applied_order(watermark_.applied_order());
    return {};
  }
  if (is_parallel() && !is_exclusive_) return give_to_lane(std::move(transaction));
  const bool was_barrier = open_[0].window && !open_[0].window->barrier().empty();
  if (!was_barrier) WHERRY_TRY(open(0, false));
  open_[0].window->end_transaction(std::move(transaction));
  if (is_exclusive_ || was_barrier) {
    WHERRY_TRY(submit(0, true));
    return is_exclusive_ ? lanes_.wait_idle() : Result<void>();
  }
  return close_full(0);
}

Result<void> Assembler::take_heartbeat(const connect::CommitInfo& commit) {
  if (is_in_transaction_) return broken_stream("a heartbeat is inside a transaction");
  watermark_.add_heartbeat(commit.position, commit.order, commit.time);
  headers_.begin_heartbeat();
  job_.progress.set_applied_order(watermark_.applied_order());
  seen_order_ = std::max(seen_order_, commit.order);
  if (commit.order >= job_.limit.order()) is_over_ = true;
  return {};
}

/// The lane's window for rows, or for steps that must be alone.
Result<Window*> Assembler::open(std::uint32_t lane, bool is_barrier) {
  OpenWindow& open = open_[lane];
  if (open.window) {
    const bool has_rows = !open.window->changes().empty() || !open.window->transactions().empty();
    const bool fits = is_barrier ? !has_rows : open.window->barrier().empty();
    if (!fits) WHERRY_TRY(submit(lane, false));
  }
  if (!open.window) {
    open.window = std::make_shared<Window>();
    open.begun = Clock::now();
    open.window->first_point = point_;
  }
  return open.window.get();
}

Result<WindowChange> Assembler::mapped(const Change& change, const ShapeRoute& route,
                                       Arena& arena) {
  if (route.maker != nullptr) return made(change, route, arena);
  WindowChange out{route.table, nullptr, nullptr, change.kind,
                   point_.order <= options_.errors.ignores_conflicts_until};
  WHERRY_ASSIGN(out.before, Routes::map(route, change.before, arena));
  WHERRY_ASSIGN(out.after, Routes::map(route, change.after, arena));
  return out;
}

/// With what rules make of the row.
Result<WindowChange> Assembler::made(const Change& change, const ShapeRoute& route, Arena& arena) {
  WindowChange out{route.table, nullptr, nullptr, change.kind,
                   point_.order <= options_.errors.ignores_conflicts_until};
  WHERRY_ASSIGN(Cell * before, Routes::map_copy(route, change.before, arena));
  WHERRY_ASSIGN(Cell * after, Routes::map_copy(route, change.after, arena));
  if (change.kind == ChangeKind::kDelete && route.maker->keeps_deleted()) {
    out.kind = ChangeKind::kUpdate;
    after = unchanged_cells(route.origins.size(), arena);
  }
  route.maker->make_cells(change, headers_.next(change.kind), before, after, arena);
  out.before = before;
  out.after = after;
  return out;
}

/// The lane's window, which has room for a row of the table.
Result<Window*> Assembler::open_for_row(std::uint32_t lane, const TableRoute& table) {
  WHERRY_ASSIGN(Window * window, open(lane, false));
  if (!is_piece(*window) || !may_cut(*window, table)) return window;
  WHERRY_TRY(submit(lane, false));
  return open(lane, false);
}

Result<void> Assembler::add_row(std::uint32_t lane, const Change& change, const ShapeRoute& route) {
  WHERRY_ASSIGN(Window * window, open_for_row(lane, *route.table));
  WHERRY_ASSIGN(const WindowChange row, mapped(change, route, window->arena()));
  WHERRY_TRY(note_move(row));
  window->keep(batch_);
  window->add(row);
  return {};
}

/// Rows of one statement may have each other's keys until all of them have moved.
bool Assembler::may_cut(const Window& window, const TableRoute& next) const {
  if (window.changes().empty()) return true;
  const WindowChange& last = window.changes().back();
  const bool moves = last.kind == ChangeKind::kUpdate && last.table == &next &&
                     changes_identity(next, last.before, last.after);
  return !moves || window.changes().size() > 4 * kMostWindowChanges ||
         window.own_bytes() > options_.memory_bytes;
}

bool Assembler::is_piece(const Window& window) const {
  return window.changes().size() >= kMostWindowChanges ||
         window.own_bytes() >= options_.memory_bytes / (2 * (lanes_.size() + 1));
}

/// After a transaction: the group may be large enough.
Result<void> Assembler::close_full(std::uint32_t lane) {
  const OpenWindow& open = open_[lane];
  const std::size_t split =
      options_.batch_changes != 0 ? options_.batch_changes : kMostWindowChanges;
  const std::size_t least = options_.is_batch ? split : std::max(options_.least_changes, 1U);
  // A lane that is behind gets more at once: what is folded costs it less.
  const std::size_t most = options_.is_batch ? split : std::max(least, kMostSharedChanges);
  const std::size_t changes = open.window->changes().size();
  const bool is_full = changes >= most || (changes >= least && lanes_.has_room(lane)) ||
                       is_piece(*open.window) || open.is_in_group;
  const bool is_late = Clock::now() >= open.begun + (options_.is_batch ? options_.batch_longest
                                                                       : options_.longest_gather);
  return is_full || is_late ? submit(lane, true) : Result<void>();
}

Result<void> Assembler::submit(std::uint32_t lane, bool is_last) {
  WHERRY_TRY(make_room(lane));
  OpenWindow& open = open_[lane];
  if (!open.window) return {};  // making room has submitted it
  open.window->is_last = is_last;
  open.is_in_group = !is_last;
  last_submit_ = Clock::now();
  note_pending();  // before the lane takes them off
  const Waiter waiter(*this, ApplyStage::kLane);
  return lanes_.submit(lane, std::move(open.window));
}

void Assembler::note_pending() {
  job_.progress.add_pending(static_cast<std::int64_t>(new_changes_));
  new_changes_ = 0;
}

/// Other lanes get what is ready meanwhile: the lane may be waiting for just that.
Result<void> Assembler::make_room(std::uint32_t lane) {
  if (!is_parallel() || lanes_.has_room(lane)) return lanes_.check();
  const Waiter waiter(*this, ApplyStage::kLane);
  while (!lanes_.has_room(lane)) {
    for (std::uint32_t other = 0; other < open_.size(); ++other) {
      if (other == lane || !open_[other].window || !lanes_.has_room(other)) continue;
      WHERRY_TRY(submit(other, true));
    }
    WHERRY_TRY(lanes_.wait_any(kSoon));
  }
  return lanes_.check();
}

Result<void> Assembler::submit_where_room() {
  for (std::uint32_t lane = 0; lane < open_.size(); ++lane) {
    if (open_[lane].window && lanes_.has_room(lane)) WHERRY_TRY(submit(lane, true));
  }
  return {};
}

Result<void> Assembler::submit_all() {
  for (std::uint32_t lane = 0; lane < open_.size(); ++lane) {
    if (open_[lane].window) WHERRY_TRY(submit(lane, true));
  }
  return {};
}

Result<void> Assembler::drain() {
  WHERRY_TRY(submit_all());
  const Waiter waiter(*this, ApplyStage::kLane);
  WHERRY_TRY(lanes_.wait_idle());
  conflicts_.clear();
  return {};
}

/// From here on the transaction goes straight into lane 0, after all others.
Result<void> Assembler::become_exclusive(OpContext&) {
  if (!is_parallel() || is_exclusive_) return {};
  WHERRY_TRY(drain());
  is_exclusive_ = is_in_transaction_;
  for (const WaitingChange& each : waiting_) {
    WHERRY_ASSIGN(Window * window, open_for_row(0, *each.row.table));
    window->keep(waiting_batches_[each.batch]);
    window->add(each.row);
  }
  forget_waiting();
  return {};
}

void Assembler::forget_waiting() {
  waiting_.clear();
  waiting_batches_.clear();
  waiting_bytes_ = 0;
  touches_.clear();
}

/// Waits until what the transaction must come after is in one lane at most.
Result<std::uint32_t> Assembler::choose_lane() {
  std::uint32_t before = conflicts_.lanes_before(touches_, lanes_.committed());
  if (std::popcount(before) > 1 || watermark_.pending() > kMostPending) {
    const Waiter waiter(*this, ApplyStage::kConflict);
    while (std::popcount(before) > 1 || watermark_.pending() > kMostPending) {
      WHERRY_TRY(submit_where_room());
      WHERRY_TRY(lanes_.wait_any(kSoon));
      before = conflicts_.lanes_before(touches_, lanes_.committed());
    }
  }
  if (before != 0) return static_cast<std::uint32_t>(std::countr_zero(before));
  std::uint32_t best = lanes_.idlest();
  const auto load = [&](std::uint32_t lane) {
    return (open_[lane].window ? open_[lane].window->changes().size() : 0) +
           (lanes_.has_room(lane) ? 0 : kMostWindowChanges);
  };
  for (std::uint32_t lane = 0; lane < open_.size(); ++lane) {
    if (load(lane) < load(best)) best = lane;
  }
  return best;
}

Result<void> Assembler::give_to_lane(StreamTransaction transaction) {
  WHERRY_ASSIGN(const std::uint32_t lane, choose_lane());
  conflicts_.assign(touches_, lane, transaction.number);
  conflicts_.sweep_when_large(lanes_.committed());
  WHERRY_ASSIGN(Window * window, open(lane, false));
  for (const KeptBatch& batch : waiting_batches_) window->keep(batch);
  for (const WaitingChange& each : waiting_) window->add(each.row);
  window->end_transaction(std::move(transaction));
  forget_waiting();
  return close_full(lane);
}

}  // namespace wherry::engine
