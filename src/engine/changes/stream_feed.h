// The feed of a running source: a thread reads the stream, and what it reads waits in memory, or in
// the change cache on disk: always before the apply has begun (tables are being loaded), later when
// the apply is slower than the source. The source is told what is on the target, or durable in the
// cache. Connections that break are made again; a full disk pauses the reading.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "changes/change_cache.h"
#include "connect/api/changes.h"
#include "engine/changes/apply_progress.h"
#include "engine/changes/feed.h"
#include "engine/changes/log_guard.h"
#include "engine/retry.h"

namespace wherry::engine {

/// What can be known of a feed.
struct FeedStatus {
  std::uint64_t memory_bytes = 0;  ///< of changes that wait in memory
  std::uint64_t disk_bytes = 0;    ///< of the cache
  bool is_paused = false;          ///< the disk is full
  bool is_reading_disk = false;    ///< the apply is behind: it reads from the cache
  changes::Place read_to;          ///< up to here the source was read
  changes::Place confirmed;        ///< what the source was told
  std::optional<connect::SourceHead> head;
  std::optional<std::chrono::seconds> log_lost_in;  ///< see LogGuard
  std::uint64_t restarts = 0;                       ///< of the stream
  std::string interruption;  ///< why there is no connection; empty: there is one
};

class StreamFeed final : public ChangeFeed {
 public:
  struct Options {
    connect::StreamRequest request;
    changes::ChangeCache::Options cache;
    std::uint64_t memory_bytes = 256ULL * 1024 * 1024;  ///< MemoryLimitTotal
    std::size_t batch_bytes = 256 * 1024;
    /// Of a backlog that the source keeps, while the apply takes what is read: more would be memory
    /// that is new each time. When it has taken nothing for `taking_pause`, reading goes on.
    std::uint64_t read_ahead_bytes = 16ULL * 1024 * 1024;
    std::chrono::milliseconds taking_pause{20};
    /// MemoryKeepTime: when something has waited in memory for so long, what comes then waits on
    /// disk.
    std::chrono::milliseconds memory_keep{60'000};
    /// RecoveryTimeout: how long the place where an earlier run ended may take to come by in the
    /// stream; nothing: for ever.
    std::optional<std::chrono::milliseconds> recovery_limit;
    RetryPolicy retry;
    std::chrono::milliseconds sync_interval{1000};  ///< of the cache
    std::chrono::milliseconds head_interval{1000};
    std::chrono::milliseconds full_disk_wait{1000};  ///< between looks whether there is room
  };
  /// Begins to read what comes after `from`: what the target has, or where the task began. What an
  /// earlier run has left in the cache is used, where it goes on from there.
  static Result<std::unique_ptr<StreamFeed>> open(OpContext& context, connect::ChangeSource& source,
                                                  const Position& from, Options options,
                                                  ApplyProgress& progress);
  /// Stops reading; what is in the cache stays there, durable.
  ~StreamFeed() override;

  Result<void> start(OpContext& context, const Position& from) override;
  Result<ChangeBatchPtr> next(OpContext& context) override;
  [[nodiscard]] bool is_empty() const override;
  Result<void> release(OpContext& context, const connect::Checkpoint& durable) override;

  [[nodiscard]] FeedStatus status() const;
  /// Where the source's log ends, asked for after the call.
  Result<connect::SourceHead> wait_for_head(OpContext& context);
  /// The reading has failed for good; also what next() then returns.
  [[nodiscard]] std::optional<Error> failure() const;
  /// Stops reading and makes the cache durable. The destructor does so too, but cannot tell.
  Result<void> stop();

 private:
  struct Waiting {
    ChangeBatchPtr batch;
    changes::Place end;  ///< the last border of it and all before
    bool ends_at_border = false;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };
  class Recycler;

  StreamFeed(connect::ChangeSource& source, Options options, Logger log, ApplyProgress& progress,
             changes::Place from);

  // The reading thread.
  void run(const std::stop_token& stop);
  Result<void> connect_stream(OpContext& context);
  Result<void> read_once(OpContext& context);
  Result<void> deliver(OpContext& context);
  [[nodiscard]] bool may_append();
  Result<void> await_release(OpContext& context);
  void let_apply_follow(const OpContext& context);
  Result<void> append_to_cache();
  Result<void> pause(OpContext& context, const Error& full);
  Result<void> give_back_cache();
  void end_pause();
  Result<void> sync_cache(bool is_idle);
  Result<void> confirm(OpContext& context);
  Result<void> look_at_head(OpContext& context);
  Result<bool> rewind(OpContext& context);
  Result<void> drop_unfinished();
  [[nodiscard]] bool may_use_memory();
  void hand_over();
  void note_interruption(const Error& error, std::int64_t tries);
  [[nodiscard]] bool has_waited_long();
  Result<void> check_recovery() const;
  void fail(Error error);

  std::shared_ptr<connect::ChangeBatch> fresh_batch();
  Result<ChangeBatchPtr> read_cache();

  connect::ChangeSource& source_;
  const Options options_;
  const Logger log_;
  const changes::Place from_;
  ApplyProgress& progress_;
  std::shared_ptr<Recycler> recycler_;
  std::unique_ptr<changes::ChangeCache> cache_;
  std::mutex cache_mutex_;  ///< taken before mutex_ by who reads the cache or appends to it

  mutable std::mutex mutex_;  ///< guards what follows
  mutable std::condition_variable_any changed_;
  std::deque<Waiting> queue_;
  std::uint64_t queue_bytes_ = 0;
  std::uint64_t taken_ = 0;  ///< batches of the queue, by next()
  bool is_started_ = false;
  changes::Place next_from_;  ///< what next() gives comes after
  std::optional<changes::Place> rewind_to_;
  changes::Place released_, confirmed_;
  std::optional<connect::SourceHead> head_;
  std::optional<std::chrono::seconds> log_lost_in_;
  std::uint64_t heads_wanted_ = 0, heads_had_ = 0, restarts_ = 0;
  bool is_paused_ = false, is_in_memory_ = false;
  std::string interruption_;
  std::optional<Error> failure_;
  changes::Place read_to_;  ///< up to here everything is in the queue or the cache

  // Of the reading thread.
  std::unique_ptr<connect::ChangeStream> stream_;
  /// When the stream must have come to where it goes on; nothing: it has, or may take for ever.
  std::optional<std::chrono::steady_clock::time_point> recover_by_;
  LogGuard guard_;
  std::deque<std::shared_ptr<connect::ChangeBatch>> unfinished_;  ///< since the last border
  std::uint64_t unfinished_bytes_ = 0;
  std::size_t appended_ = 0;  ///< of the first of them, to the cache
  std::chrono::steady_clock::time_point last_sync_{}, last_head_{};
  std::jthread reader_;
};

}  // namespace wherry::engine
