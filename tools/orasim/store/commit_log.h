// The database's clock of changes: hands out SCNs, makes commits durable and publishes them.
//
// A commit is appended to the log under one mutex, so log order is SCN order; the flush is shared
// by all commits that wait for one (the first waiter flushes for all). Only then, in SCN order, are
// transaction records stamped and current() moved on: who reads at current() sees every commit up
// to it, and nothing that a crash could take back. Without a log file commits are published at
// once. Threads: thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/log_file.h"
#include "store/segment.h"

namespace orasim {

/// Microseconds since 1970, UTC.
using Clock = std::function<std::int64_t()>;

class CommitLog {
 public:
  explicit CommitLog(Clock clock) : clock_(std::move(clock)) {}
  /// Once, after recovery. `file` may be null.
  void start(std::unique_ptr<LogFile> file, std::int64_t opened_micros);
  /// Recovery: what a record said.
  void restore(Scn scn, std::int64_t micros);
  void restore_floor(Scn scn);

  /// `frames` come first, then the frame of `final_payload(scn, micros)`. `record` may be null.
  /// Throws OraError(345) when it cannot be made durable.
  Scn commit(const std::vector<std::string>& frames,
             const std::function<std::string(Scn, std::int64_t)>& final_payload, TxRecord* record);
  /// `appended(scn, micros)` runs under the log's lock when the payload is in the log.
  using Appended = std::function<void(Scn, std::int64_t)>;
  Scn commit(const std::vector<std::string>& frames,
             const std::function<std::string(Scn, std::int64_t)>& final_payload, TxRecord* record,
             const Appended& appended);
  /// A record that becomes durable with the next commit.
  void append(std::string_view payload);
  /// The same for one that depends on what is in the log before it: the three run one after the
  /// other under the log's lock; `payload` only when there is a file.
  void append_with(const std::function<void()>& prepare,
                   const std::function<std::string()>& payload,
                   const std::function<void()>& appended);
  [[nodiscard]] bool durable() const { return file_ != nullptr; }

  [[nodiscard]] Scn current() const { return current_.load(std::memory_order_acquire); }
  Scn advance();
  /// The SCN that the next commit gets: that of a change made now.
  [[nodiscard]] Scn next_scn() const;
  /// The same inside the functions given to commit() and append_with().
  [[nodiscard]] Scn next_scn_locked() const { return assigned_ + 1; }
  /// Moves the clock on there; returns the SCN.
  Scn take_scn_locked();
  [[nodiscard]] std::optional<Scn> scn_at(std::int64_t unix_seconds) const;
  [[nodiscard]] std::optional<std::int64_t> time_of(Scn scn) const;
  [[nodiscard]] std::int64_t now_micros() const { return clock_(); }
  [[nodiscard]] Scn first_scn() const { return kFirstScn; }

 private:
  static constexpr Scn kFirstScn = 1'000'000;
  static constexpr Scn kFloorStep = 4096;
  struct Pending {
    std::uint64_t ticket = 0;
    TxRecord* record = nullptr;
    Scn scn = 0;
    std::int64_t micros = 0;
  };
  void publish(std::uint64_t up_to_ticket);
  void note_time(Scn scn, std::int64_t micros);
  void append_all(const std::vector<std::string>& frames, std::string_view last);
  void wait_published(std::unique_lock<std::mutex>& lock, std::uint64_t ticket);

  Clock clock_;
  std::unique_ptr<LogFile> file_;
  mutable std::mutex mutex_;
  std::condition_variable published_;
  std::atomic<Scn> current_{kFirstScn};
  Scn assigned_ = kFirstScn;
  Scn floor_ = 0;  ///< durable promise: restart begins at or above it
  std::deque<Pending> pending_;
  std::uint64_t next_ticket_ = 0, done_ticket_ = 0;
  bool flushing_ = false, broken_ = false;
  std::vector<std::pair<std::int64_t, Scn>> times_;  ///< (second, last SCN in it), both rising
};

}  // namespace orasim
