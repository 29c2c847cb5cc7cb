// How far the target is when lanes overtake each other: W, below which every transaction is
// applied, and what is applied above it. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <span>
#include <stop_token>
#include <vector>

#include "engine/changes/window.h"

namespace wherry::engine {

class Watermark {
 public:
  /// Where an apply begins: the highest checkpoint of all lanes, and what each lane has above it.
  void start(const connect::Checkpoint& from, std::vector<std::vector<connect::CommitPoint>> above);

  /// The next transaction of the stream; gives it its number.
  std::uint64_t add(StreamTransaction transaction);
  /// Nothing of it has to be applied: it is on the target, or has nothing for it.
  void pass(std::uint64_t number);
  /// Everything of the stream at or before `position` has been seen.
  void add_heartbeat(const Position& position, connect::CommitOrder order,
                     std::chrono::system_clock::time_point time);

  /// The checkpoint that a lane must store when it commits these.
  connect::Checkpoint prepare(std::uint32_t lane, std::span<const StreamTransaction> committing);
  /// They are on the target, with that checkpoint.
  void commit(std::uint32_t lane, std::span<const StreamTransaction> committed,
              const connect::Checkpoint& stored);

  /// The highest checkpoint that is on the target.
  [[nodiscard]] connect::Checkpoint stored() const;
  /// W has passed the stored one.
  [[nodiscard]] bool is_ahead_of_stored() const;
  [[nodiscard]] connect::CommitOrder applied_order() const;
  /// Commit time of the oldest transaction that is not applied.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> oldest_pending() const;
  [[nodiscard]] std::size_t pending() const;

  /// Waits until everything before `number` is applied; false when stop was requested.
  bool wait_for_all_before(std::uint64_t number, std::stop_token stop);
  /// Waits until at most `most` are pending; false when stop was requested.
  bool wait_for_pending(std::size_t most, std::stop_token stop);

 private:
  struct Entry {
    StreamTransaction transaction;
    connect::CommitOrder order = 0;
    bool is_heartbeat = false;
    bool is_applied = false;
  };
  void advance();
  static void take(const Entry& entry, connect::Checkpoint& into);

  mutable std::mutex mutex_;
  std::condition_variable_any advanced_;
  std::deque<Entry> entries_;       ///< above W, in order
  std::uint64_t first_number_ = 1;  ///< of entries_.front()
  connect::Checkpoint mark_;        ///< W; without applied_above
  connect::CommitOrder order_ = 0;
  connect::Checkpoint stored_;
  std::vector<std::vector<connect::CommitPoint>> above_;  ///< by lane
};

}  // namespace wherry::engine
