#include "connect/oracle/changes/redo_miner.h"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::oracle {
namespace {

/// Between two looks at a log that has nothing new.
constexpr std::chrono::milliseconds kPause{100};
/// At most, after a step; as long as the step took, which the server has read the whole log for.
constexpr std::chrono::milliseconds kMostPause{1'000};
/// The views may tell late that there is redo: so long nothing is mined where they tell of none,
/// and longer where a step takes long.
constexpr std::chrono::milliseconds kMostSkipping{1'000};
constexpr int kSkippedSteps = 10;
/// The archiver tells of a log a little after it was left.
constexpr std::chrono::seconds kArchiverPatience{60};
constexpr int kMostLogTroubles = 10;
constexpr std::chrono::milliseconds kLogTroublePause{1'000};

constexpr const char* kReload = "Load the tables again (--start reload-target)";

/// How much redo there is, as far as the views say.
std::vector<std::uint64_t> mark_of(const RedoView& view) {
  std::vector<std::uint64_t> out;
  for (const RedoThread& thread : view.threads) {
    out.insert(out.end(), {thread.number, thread.sequence, thread.last_redo_block,
                           thread.last_redo_scn, thread.is_open ? 1U : 0U});
  }
  return out;
}

Error unreadable_log(Error error) {
  error.kind = ErrorKind::kPositionLost;
  error.code = "oracle.log_unreadable";
  error.hint =
      "Bring the log back (RMAN: restore archivelog), or have RMAN look what is there (crosscheck "
      "archivelog all), or load the tables again (--start reload-target)";
  return error;
}

}  // namespace

Result<void> RedoMiner::start(OpContext& context, const ConnectOptions& options,
                              const RedoPosition& position) {
  *this = RedoMiner();
  WHERRY_ASSIGN(auto session, MiningSession::open(context, options));
  database_id_ = position.database_id;
  resetlogs_scn_ = position.resetlogs_scn;
  WHERRY_ASSIGN(const RedoView view, session->view(context, position.floor_scn));
  WHERRY_TRY(check_incarnation(view));
  start_.others_scn = position.floor_scn;
  for (const auto& [number, thread] : position.threads) {
    start_.threads[number] = {thread.floor.sequence, 0};
    last_scns_[number] = position.floor_scn;
  }
  session_ = std::move(session);
  return {};
}

Result<void> RedoMiner::check_incarnation(const RedoView& view) const {
  if (view.database_id != database_id_) {
    return make_error(ErrorKind::kPositionLost, "oracle.other_database",
                      fmt::format("the position is of another database (DBID {}, not {})",
                                  database_id_, view.database_id),
                      kReload);
  }
  if (view.resetlogs_scn != resetlogs_scn_) {
    return make_error(ErrorKind::kPositionLost, "oracle.other_incarnation",
                      fmt::format("the database was opened with RESETLOGS at SCN {} since the "
                                  "task was last here",
                                  view.resetlogs_scn),
                      kReload);
  }
  return {};
}

Result<bool> RedoMiner::begin_step(OpContext& context, std::uint64_t floor_scn,
                                   const WantedRows& wanted) {
  WHERRY_ASSIGN(const RedoView view, session_->view(context, floor_scn));
  WHERRY_TRY(check_incarnation(view));
  next_look_ = Clock::now() + kPause;
  auto mark = mark_of(view);
  if (plan_.reaches_end && mark == mark_ && Clock::now() < mine_by_) {
    settle(written_scn(view), true);
    return false;
  }
  plan_ = plan_mining(view, start_, sizer_.budget_bytes());
  if (plan_.logs.empty()) return await_log(view);
  missing_since_.reset();
  mark_ = std::move(mark);
  note_logs(view, floor_scn);
  step_begun_ = Clock::now();
  border_.begin_step(start_.threads, plan_.next, view.current_scn, plan_.end_scn);
  const auto begun = session_->begin(context, plan_, wanted);
  if (!begun) WHERRY_TRY(take_trouble(context, begun.error()));
  is_mining_ = begun.ok();
  return is_mining_;
}

/// Nothing can be read: there is nothing new, or a log is missing.
Result<bool> RedoMiner::await_log(const RedoView& view) {
  if (!plan_.missing) {
    settle(written_scn(view), true);
    return false;
  }
  const auto now = Clock::now();
  if (!missing_since_) missing_since_ = now;
  const bool is_over = plan_.missing->is_deleted || now - *missing_since_ > kArchiverPatience;
  return is_over ? Result<bool>(missing_log_error(*plan_.missing)) : Result<bool>(false);
}

Result<RedoMiner::Next> RedoMiner::next(OpContext& context, MinedRow& row) {
  for (;;) {
    const auto has_row = session_->next(context, row);
    if (!has_row) {
      WHERRY_TRY(take_trouble(context, has_row.error()));
      return Next::kBroken;
    }
    if (!*has_row) {
      end_step();
      return Next::kEnd;
    }
    if (border_.defers(row)) continue;
    std::uint64_t& last_scn = last_scns_[row.thread];
    last_scn = std::max(last_scn, row.scn);
    return Next::kRow;
  }
}

void RedoMiner::end_step() {
  is_mining_ = false;
  log_troubles_ = 0;
  for (const auto& next : border_.end_step()) {
    start_.threads.insert_or_assign(next.first, next.second);
  }
  if (border_.has_deferred()) mark_.clear();
  const auto now = Clock::now();
  const auto took = now - step_begun_;
  sizer_.note(plan_.size_bytes, took);
  next_look_ = now;
  if (plan_.reaches_end) {
    next_look_ += std::clamp<Clock::duration>(took, kPause, kMostPause);
    mine_by_ = now + std::max<Clock::duration>(kMostSkipping, kSkippedSteps * took);
  }
  if (border_.has_deferred() && !border_.takes_all_seen()) return;
  settle(plan_.end_scn, plan_.reaches_end || border_.has_deferred());
}

/// The logs are looked for again.
Result<void> RedoMiner::take_trouble(OpContext& context, const Error& error) {
  if (error.code != "oracle.log_changed") return error;
  is_mining_ = false;
  mark_.clear();
  if (++log_troubles_ >= kMostLogTroubles) return unreadable_log(error);
  context.log.info("a log was changed while it was read", {{"cause", error.to_log_text()}});
  next_look_ = log_troubles_ > 1 ? Clock::now() + kLogTroublePause : Clock::now();
  return {};
}

/// A step has ended. Where it ended at the end of the log, a commit of just before may not have
/// been written yet, and what the step after it has seen last comes with the one after that.
void RedoMiner::settle(std::uint64_t end_scn, bool is_at_end_of_log) {
  settled_scn_ = std::max(settled_scn_, is_at_end_of_log ? earlier_end_scn_ : end_scn);
  earlier_end_scn_ = last_end_scn_;
  last_end_scn_ = std::max(last_end_scn_, end_scn);
}

void RedoMiner::note_logs(const RedoView& view, std::uint64_t floor_scn) {
  kept_bytes_ = 0;
  first_scns_.clear();
  for (const RedoLog& log : view.logs) {
    first_scns_[{log.thread, log.sequence}] = log.first_scn;
    const bool is_kept = log.next_scn > floor_scn && !log.is_deleted && !log.is_online;
    if (is_kept) kept_bytes_ += log.size_bytes;
  }
}

std::optional<std::uint64_t> RedoMiner::last_scn(std::uint32_t thread) const {
  const auto found = last_scns_.find(thread);
  return found == last_scns_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> RedoMiner::first_scn(std::uint32_t thread,
                                                  std::uint32_t sequence) const {
  const auto found = first_scns_.find({thread, sequence});
  return found == first_scns_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace wherry::oracle
