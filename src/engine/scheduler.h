// Who does what next in a load: tables begin in their order, a worker stays with its table while
// there is something left to read, and one that finds no table to begin helps the running one with
// the most left, where that is worth another session. Chunks are handed out one by one, so nobody
// waits behind a long table.
//
// Knows no database: the loader carries out what it says and reports back. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "connect/api/connector.h"

namespace wherry::engine {

enum class JobKind : std::uint8_t {
  kOpen,      ///< plan the table and make it ready at the target
  kLoad,      ///< load chunks: take() hands them out
  kComplete,  ///< all chunks are durable: key and statistics
};

struct Job {
  JobKind kind = JobKind::kOpen;
  std::size_t table = 0;
  bool is_whole = false;  ///< kLoad: nobody else loads the table
};

/// How a job ended.
enum class JobEnd : std::uint8_t {
  kDone,
  kAgain,   ///< the table begins anew with kOpen once all its workers have left
  kFailed,  ///< the table is given up once all its workers have left
};

class Scheduler {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::uint32_t workers = 1;
    std::uint64_t segment_bytes = 64ULL * 1024 * 1024;  ///< the largest number: whole tables only
    /// A table gets helpers when it has been loaded for so long and would go on for as long again.
    std::chrono::milliseconds split_after{0};
    std::function<Clock::time_point()> now = Clock::now;
  };
  Scheduler(std::size_t table_count, Options options);

  /// Waits for something to do; nullopt when all is done or stop was requested. `last` is the table
  /// of the worker's last job.
  std::optional<Job> next(std::optional<std::size_t> last, std::stop_token stop);

  /// For kOpen: the table's chunks, and which of them are durable already. `splits_at_once`:
  /// helpers may come from the beginning.
  void set_chunks(std::size_t table, std::vector<connect::Chunk> chunks,
                  const std::vector<connect::DoneChunk>& done, bool splits_at_once = false);
  /// For kLoad: the next chunk of a segment that has read `bytes` so far; nullopt: the segment is
  /// long enough, or nothing is left. The pointer lives until the table begins anew.
  const connect::Chunk* take(const Job& job, std::uint64_t bytes);
  /// The chunks of a segment that was not committed may be taken again.
  void give_back(std::size_t table, const std::vector<std::uint32_t>& chunks);
  /// They are durable.
  void mark_done(std::size_t table, const std::vector<connect::DoneChunk>& chunks);

  /// REQUIRES: the caller was given the job. True for the last worker of a table that is over for
  /// good (kComplete done, or kFailed): it says so to whoever watches.
  bool end(const Job& job, JobEnd end);
  /// Nothing more is handed out.
  void close();

 private:
  enum class Stage : std::uint8_t { kWaiting, kOpening, kLoading, kCompleting, kOver };
  enum class ChunkState : std::uint8_t { kFree, kTaken, kDone };
  struct Table {
    Stage stage = Stage::kWaiting;
    std::vector<connect::Chunk> chunks;
    std::vector<ChunkState> states;
    std::size_t next_free = 0;  ///< no chunk before it is free
    std::size_t free = 0, done = 0;
    std::uint64_t free_bytes = 0;
    bool splits_at_once = false;
    Clock::time_point started;      ///< when its first chunk was taken
    std::uint64_t taken_bytes = 0;  ///< since then
    std::uint32_t workers = 0;
    bool is_promised = false;  ///< the worker that opened it comes for its first chunk
    bool is_exclusive = false;
    std::optional<JobEnd> verdict;  ///< kAgain or kFailed, once a worker has said so
  };

  std::optional<Job> choose(std::optional<std::size_t> last);
  std::optional<Job> job_of(std::size_t table);
  std::optional<Job> busiest();
  [[nodiscard]] bool takes_helpers(const Table& table) const;
  [[nodiscard]] bool is_worth_helping(const Table& table) const;
  [[nodiscard]] bool is_for_one(const Table& table) const;
  Job load(std::size_t table);
  void leave(Table& table);

  const Options options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Table> tables_;
  std::size_t next_waiting_ = 0;  ///< no table before it is waiting
  std::size_t waiting_;
  std::size_t open_;                  ///< tables that are not over
  std::vector<std::size_t> loading_;  ///< tables in kLoading
  bool is_closed_ = false;
};

}  // namespace wherry::engine
