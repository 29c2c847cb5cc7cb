#include "connect/oracle/logminer/mining_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::oracle {
namespace {

constexpr double kStepSeconds = 5;

/// The logs of one thread that a step reads.
struct ThreadLogs {
  const RedoThread* thread = nullptr;
  std::vector<const RedoLog*> logs;    ///< contiguous, from where the reading goes on
  std::uint64_t end_scn = UINT64_MAX;  ///< logs that are not among them begin behind it
  std::optional<MissingLog> missing;
};

class MiningPlanner {
 public:
  MiningPlanner(const RedoView& view, const MiningStart& start, std::uint64_t budget_bytes)
      : view_(view), start_(start), budget_bytes_(budget_bytes) {
    for (const RedoLog& log : view.logs) {
      if (log.is_deleted || log.name.empty()) continue;
      const RedoLog*& kept = copies_[log.thread][log.sequence];
      // A log that is archived is not overwritten while it is read.
      if (kept == nullptr || (kept->is_online && !log.is_online)) kept = &log;
    }
  }

  [[nodiscard]] FirstLogs first_logs() const {
    FirstLogs out{{{}, start_.others_scn}, {}};
    for (const RedoThread& thread : view_.threads) {
      if (!is_needed(thread)) continue;
      const ThreadLogs found = logs_of(thread);
      if (found.logs.empty()) {
        if (!out.missing) out.missing = found.missing;
        continue;
      }
      out.start.threads[thread.number].sequence = found.logs[0]->sequence;
      out.start.others_scn = std::min(out.start.others_scn, found.logs[0]->first_scn);
    }
    return out;
  }

  MiningPlan plan() {
    std::vector<ThreadLogs> threads;
    for (const RedoThread& thread : view_.threads) {
      if (is_needed(thread)) threads.push_back(logs_of(thread));
    }
    MiningPlan out;
    std::uint64_t bound = UINT64_MAX;
    for (const ThreadLogs& each : threads) {
      bound = std::min(bound, each.end_scn);
      if (each.missing && !out.missing) out.missing = each.missing;
      // What commits in a thread that cannot be read must not be overtaken.
      if (each.missing && each.logs.empty()) return stopped_by(*each.missing);
    }
    const std::uint64_t written = written_scn(view_);
    out.end_scn = std::min(bound, written);
    out.reaches_end = written <= bound;
    take_logs(threads, out);
    return out;
  }

 private:
  static MiningPlan stopped_by(const MissingLog& missing) {
    MiningPlan out;
    out.missing = missing;
    return out;
  }

  [[nodiscard]] ThreadStart start_of(const RedoThread& thread) const {
    const auto found = start_.threads.find(thread.number);
    return found != start_.threads.end() ? found->second : ThreadStart{0, start_.others_scn};
  }

  /// Threads that are private belong to an instance of their own; a database with one thread has
  /// no other.
  [[nodiscard]] bool is_needed(const RedoThread& thread) const {
    if (thread.use == RedoThread::Use::kPrivate) return view_.threads.size() == 1;
    if (thread.use == RedoThread::Use::kPublic) return true;
    const ThreadStart start = start_of(thread);
    if (start.sequence != 0) return start.sequence <= thread.sequence;
    return thread.disable_scn > start.scn;
  }

  [[nodiscard]] const RedoLog* find(std::uint32_t thread, std::uint32_t sequence) const {
    const auto logs = copies_.find(thread);
    if (logs == copies_.end()) return nullptr;
    const auto found = logs->second.find(sequence);
    return found == logs->second.end() ? nullptr : found->second;
  }

  [[nodiscard]] bool is_deleted(std::uint32_t thread, std::uint32_t sequence) const {
    return std::any_of(view_.logs.begin(), view_.logs.end(), [&](const RedoLog& log) {
      return log.thread == thread && log.sequence == sequence;
    });
  }

  /// 0: there is none.
  [[nodiscard]] std::uint32_t sequence_at(const RedoThread& thread, std::uint64_t scn) const {
    const auto logs = copies_.find(thread.number);
    if (logs == copies_.end()) return 0;
    for (const auto& [sequence, log] : logs->second) {
      if (log->first_scn <= scn && scn < log->next_scn) return sequence;
    }
    return 0;
  }

  /// Of a log whose copies are gone; 0: none is known.
  [[nodiscard]] std::uint32_t lost_sequence_at(const RedoThread& thread, std::uint64_t scn) const {
    for (const RedoLog& log : view_.logs) {
      if (log.thread == thread.number && log.first_scn <= scn && scn < log.next_scn) {
        return log.sequence;
      }
    }
    return 0;
  }

  [[nodiscard]] std::uint32_t newest_sequence(const RedoThread& thread) const {
    const auto logs = copies_.find(thread.number);
    const std::uint32_t known =
        logs == copies_.end() || logs->second.empty() ? 0 : logs->second.rbegin()->first;
    return std::max(known, thread.sequence);
  }

  [[nodiscard]] MissingLog missing(const RedoThread& thread, std::uint32_t sequence,
                                   std::uint64_t scn) const {
    return {thread.number, sequence, scn, sequence != 0 && is_deleted(thread.number, sequence)};
  }

  [[nodiscard]] ThreadLogs logs_of(const RedoThread& thread) const {
    ThreadLogs out;
    out.thread = &thread;
    ThreadStart start = start_of(thread);
    if (start.sequence == 0) {
      start.scn = std::max(start.scn, thread.enable_scn);
      start.sequence = sequence_at(thread, start.scn);
      if (start.sequence == 0) {
        out.missing = missing(thread, lost_sequence_at(thread, start.scn), start.scn);
        return out;
      }
    }
    const std::uint32_t newest = newest_sequence(thread);
    std::uint64_t size_bytes = 0;
    for (std::uint32_t sequence = start.sequence; sequence <= newest; ++sequence) {
      const bool is_enough = !out.logs.empty() && size_bytes >= budget_bytes_;
      const RedoLog* const log = find(thread.number, sequence);
      if (log == nullptr && !is_enough) out.missing = missing(thread, sequence, 0);
      if (log == nullptr || is_enough) {
        // SCNs of a log are below those of the next.
        if (!out.logs.empty()) out.end_scn = out.logs.back()->next_scn - 1;
        break;
      }
      out.logs.push_back(log);
      size_bytes += log->size_bytes;
    }
    return out;
  }

  void take_logs(std::vector<ThreadLogs>& threads, MiningPlan& out) const {
    out.start_scn = out.end_scn;
    for (const ThreadLogs& each : threads) {
      if (!each.logs.empty()) out.start_scn = std::min(out.start_scn, each.logs[0]->first_scn);
    }
    for (const ThreadLogs& each : threads) {
      if (each.logs.empty()) continue;
      note_next(each, out);
      if (each.logs[0]->first_scn > out.end_scn) continue;
      if (const auto missing = add_earlier(*each.thread, each.logs[0]->sequence, out)) {
        out = stopped_by(*missing);
        return;
      }
      for (const RedoLog* log : each.logs) {
        if (log->first_scn <= out.end_scn) add(*log, out);
      }
    }
  }

  /// A range that begins before a thread's first log would lack that thread's redo: the log that
  /// is missing then.
  std::optional<MissingLog> add_earlier(const RedoThread& thread, std::uint32_t sequence,
                                        MiningPlan& out) const {
    std::vector<const RedoLog*> earlier;
    const RedoLog* log = find(thread.number, sequence);
    while (log->first_scn > std::max(out.start_scn, thread.enable_scn)) {
      const std::uint32_t wanted = log->sequence - 1;
      log = find(thread.number, wanted);
      if (log == nullptr) return missing(thread, wanted, 0);
      earlier.push_back(log);
    }
    for (auto each = earlier.rbegin(); each != earlier.rend(); ++each) add(**each, out);
    return std::nullopt;
  }

  static void add(const RedoLog& log, MiningPlan& out) {
    out.logs.push_back(log);
    out.size_bytes += log.size_bytes;
  }

  /// A log that has ended, and is read to its end, is not needed again.
  static void note_next(const ThreadLogs& each, MiningPlan& out) {
    ThreadStart& next = out.next[each.thread->number];
    next.sequence = each.logs[0]->sequence;
    for (const RedoLog* log : each.logs) {
      const bool is_disabled = each.thread->use == RedoThread::Use::kDisabled;
      const std::uint64_t end =
          is_disabled ? std::min(log->next_scn, each.thread->disable_scn) : log->next_scn;
      if (end == kNoEndScn || end - 1 > out.end_scn) break;
      next.sequence = log->sequence + 1;
    }
  }

  const RedoView& view_;
  const MiningStart& start_;
  const std::uint64_t budget_bytes_;
  std::map<std::uint32_t, std::map<std::uint32_t, const RedoLog*>> copies_;  ///< the one to take
};

}  // namespace

Error missing_log_error(const MissingLog& log) {
  const std::string which = log.sequence != 0
                                ? fmt::format("sequence {} of thread {}", log.sequence, log.thread)
                                : fmt::format("SCN {} of thread {}", log.scn, log.thread);
  const std::string restore =
      log.sequence != 0
          ? fmt::format("restore archivelog sequence {} thread {}", log.sequence, log.thread)
          : fmt::format("restore archivelog from scn {} thread {}", log.scn, log.thread);
  Error out = make_error(
      ErrorKind::kPositionLost, "oracle.log_missing",
      "the redo log of " + which + " is needed and " +
          (log.is_deleted ? "was deleted" : "is neither online nor archived"),
      "Bring it back (RMAN: " + restore + "), or load the tables again (--start reload-target)");
  return std::move(out)
      .with("thread", std::to_string(log.thread))
      .with("sequence", std::to_string(log.sequence));
}

std::uint64_t written_scn(const RedoView& view) {
  std::uint64_t out = view.current_scn;
  const auto open = std::count_if(view.threads.begin(), view.threads.end(),
                                  [](const RedoThread& thread) { return thread.is_open; });
  if (open < 2) return out;
  for (const RedoThread& thread : view.threads) {
    if (thread.is_open && thread.last_redo_scn != 0) out = std::min(out, thread.last_redo_scn);
  }
  return out;
}

FirstLogs first_logs(const RedoView& view, std::uint64_t scn) {
  const MiningStart at{{}, scn};
  return MiningPlanner(view, at, 1).first_logs();
}

MiningPlan plan_mining(const RedoView& view, const MiningStart& start, std::uint64_t budget_bytes) {
  return MiningPlanner(view, start, budget_bytes).plan();
}

void StepSizer::note(std::uint64_t size_bytes, std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  if (size_bytes == 0 || seconds <= 0) return;
  const double rate = static_cast<double>(size_bytes) / seconds;
  bytes_per_second_ = bytes_per_second_ == 0 ? rate : (bytes_per_second_ + rate) / 2;
}

std::uint64_t StepSizer::budget_bytes() const {
  return static_cast<std::uint64_t>(bytes_per_second_ * kStepSeconds);
}

}  // namespace wherry::oracle
