// What can be known of a running apply. Written by its threads, read by anyone at any time.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "connect/api/changes.h"
#include "engine/change_signal.h"
#include "schema/table_plan.h"

namespace wherry::engine {

/// Numbers of changes at a moment.
struct ChangeNumbers {
  std::uint64_t inserts = 0, updates = 0, deletes = 0, ddls = 0;
  [[nodiscard]] std::uint64_t all() const { return inserts + updates + deletes + ddls; }
  ChangeNumbers& operator+=(const ChangeNumbers& other);
  friend bool operator==(const ChangeNumbers&, const ChangeNumbers&) = default;
};

/// Numbers of one table's changes.
struct ChangeCounts {
  std::atomic<std::uint64_t> inserts{0}, updates{0}, deletes{0}, ddls{0};
  [[nodiscard]] ChangeNumbers now() const { return {inserts, updates, deletes, ddls}; }
  void set(const ChangeNumbers& numbers);
  void add(const ChangeNumbers& numbers);
};

/// What a table's entry counts, as far as it is for good.
struct TableApplyCounts {
  ChangeNumbers captured, applied;
  std::uint64_t conflicts = 0, data_errors = 0;
  friend bool operator==(const TableApplyCounts&, const TableApplyCounts&) = default;
};

/// One table of an apply.
struct TableApplyProgress {
  schema::TableRef source;
  ChangeCounts captured;  ///< as they came from the feed, each once
  ChangeCounts applied;   ///< committed at the target; what an error policy left out is not in it
  /// Rows whose transactions are committed at the target, whatever became of them. They do not come
  /// again; what else was captured does, after a restart.
  ChangeCounts settled;
  std::atomic<std::uint64_t> open_ddls{0};    ///< captured, and in no transaction that is committed
  std::atomic<std::uint64_t> conflicts{0};    ///< insert, update and delete conflicts
  std::atomic<std::uint64_t> data_errors{0};  ///< rows that the target could not take
  std::atomic<bool> is_suspended{false};
  std::optional<Error> error;  ///< set before is_suspended

  /// Captured ones that do not come again.
  [[nodiscard]] ChangeNumbers captured_for_good() const;
  // While none of the table's changes is in work:
  /// What is not settled comes again.
  void take_back_captured();
  /// The table begins anew.
  void clear_counts();
  /// Continues what an earlier run has counted, or another apply of the same table.
  void add_counts(const TableApplyCounts& counts);
  [[nodiscard]] TableApplyCounts counts() const;
};

/// Where the time of an apply goes.
enum class ApplyStage : std::uint8_t {
  kRead,      ///< waiting for the feed
  kDecode,    ///< at the source; told by whoever reads the stream
  kAssemble,  ///< mapping and folding
  kConflict,  ///< waiting until an earlier transaction with the same keys is committed
  kLane,      ///< waiting until a lane has room
  kApply,     ///< lanes that execute
  kCommit,    ///< lanes that commit
};
constexpr std::size_t kApplyStageCount = 7;
/// "read", "decode", "assemble", "conflict", "lane", "apply", "commit".
std::string_view name_of(ApplyStage stage);

/// A measured moment, for differences.
struct StageTimes {
  std::array<std::chrono::nanoseconds, kApplyStageCount> spent{};
  [[nodiscard]] std::chrono::nanoseconds of(ApplyStage stage) const {
    return spent[static_cast<std::size_t>(stage)];
  }
  friend StageTimes operator-(const StageTimes& a, const StageTimes& b);
};

class ApplyProgress {
 public:
  /// The table's entry, made when it is missing; its address stays.
  TableApplyProgress& table(const schema::TableRef& source);
  /// Entries so far, in the order in which they were made.
  [[nodiscard]] std::vector<const TableApplyProgress*> tables() const;

  void add_time(ApplyStage stage, std::chrono::nanoseconds time) {
    spent_[static_cast<std::size_t>(stage)].fetch_add(time.count(), std::memory_order_relaxed);
  }
  [[nodiscard]] StageTimes times() const;
  /// The stage that holds the others up, of what was spent in between: kRead when the target waits
  /// for changes, else the longest of the stages that work.
  static ApplyStage limiting_stage(const StageTimes& spent);

  /// By whoever reads the stream: the source's commit time of the last event; nothing: the reader
  /// has caught up.
  void set_captured(std::optional<std::chrono::system_clock::time_point> time);
  /// … there is no connection to read by: from now on it is behind.
  void set_interrupted(std::chrono::system_clock::time_point now);
  /// DMS CDCLatencySource: now less the time of the last event captured; 0 when caught up.
  [[nodiscard]] std::chrono::milliseconds source_latency(
      std::chrono::system_clock::time_point now) const;
  /// DMS CDCLatencyTarget: now less the commit time of the oldest transaction that was handed over
  /// and is not committed at the target; the source's latency when there is none.
  [[nodiscard]] std::chrono::milliseconds target_latency(
      std::chrono::system_clock::time_point now) const;

  /// The newest checkpoint that is committed; nothing before the first.
  [[nodiscard]] std::optional<connect::Checkpoint> checkpoint() const;
  /// Every transaction at or before this is applied; heartbeats count too.
  [[nodiscard]] connect::CommitOrder applied_order() const { return applied_order_; }
  /// Changes handed over and not yet committed at the target (DMS CDCIncomingChanges).
  [[nodiscard]] std::uint64_t pending_changes() const { return pending_; }
  [[nodiscard]] std::uint64_t transactions() const { return transactions_; }  ///< committed
  [[nodiscard]] std::uint64_t commits() const { return commits_; }            ///< at the target
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }
  /// Rows that steps carried for the changes that were folded into them: the fold ratio is
  /// folded_changes / folded_rows.
  [[nodiscard]] std::uint64_t folded_rows() const { return folded_rows_; }
  [[nodiscard]] std::uint64_t folded_changes() const { return folded_changes_; }
  /// Tells every commit, suspension and restart.
  [[nodiscard]] const ChangeSignal& changes() const { return changes_; }

  // By the apply itself.
  void set_oldest_pending(std::optional<std::chrono::system_clock::time_point> time);
  void add_commit(const connect::Checkpoint& checkpoint, connect::CommitOrder order,
                  std::uint64_t transactions);
  void set_applied_order(connect::CommitOrder order);
  void add_pending(std::int64_t changes) {
    pending_.fetch_add(static_cast<std::uint64_t>(changes));
  }
  void clear_pending() { pending_ = 0; }
  /// What is not on the target comes again. REQUIRES: no lane runs.
  void take_back_captured();
  void add_fold(std::uint64_t changes, std::uint64_t rows) {
    folded_changes_ += changes;
    folded_rows_ += rows;
  }
  void add_restart();
  void set_suspended(TableApplyProgress& table, Error error);

 private:
  mutable std::mutex mutex_;  ///< guards tables_, checkpoint_, the times of latencies and errors
  std::deque<TableApplyProgress> tables_;
  std::optional<connect::Checkpoint> checkpoint_;
  std::optional<std::chrono::system_clock::time_point> captured_, oldest_pending_;
  std::array<std::atomic<std::int64_t>, kApplyStageCount> spent_{};
  std::atomic<connect::CommitOrder> applied_order_{0};
  std::atomic<std::uint64_t> pending_{0}, transactions_{0}, commits_{0}, restarts_{0};
  std::atomic<std::uint64_t> folded_rows_{0}, folded_changes_{0};
  ChangeSignal changes_;
};

}  // namespace wherry::engine
