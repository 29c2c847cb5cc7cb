// The change cache: committed changes on disk, in commit order, until they are applied. One thread
// appends and one reads; what was synced survives a crash of program and machine, whole
// transactions only. Files are removed once everything in them is released.
// docs/design/change-file.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "changes/change_log.h"
#include "connect/api/changes.h"

namespace wherry::changes {

/// A border between transactions: after all at or before it. One position may come with orders that
/// differ, as long as no commit is between them.
struct Place {
  Position position;
  connect::CommitOrder order = 0;
};
/// True when it is certain that `a` is not after `b`.
inline bool is_at_or_before(const Place& a, const Place& b) {
  return a.order < b.order || a.position == b.position;
}

class ChangeCache {
 public:
  struct Options {
    std::filesystem::path directory;                    ///< of this cache alone
    std::filesystem::path spill_directory;              ///< for large values that are read
    std::uint64_t segment_bytes = 64ULL * 1024 * 1024;  ///< of a file, about
  };
  /// Takes over what an earlier run has left: up to its last whole transaction. kData
  /// "change_file.damaged" when something before that is wrong.
  static Result<std::unique_ptr<ChangeCache>> open(Options options);

  /// Nothing was ever begun, or an earlier run has left nothing.
  [[nodiscard]] bool is_empty() const;
  /// What is held comes after this place …
  [[nodiscard]] Place begin() const;
  /// … and goes up to this one, which is durable.
  [[nodiscard]] Place durable_end() const;
  /// The same, whether durable or not.
  [[nodiscard]] Place end() const;
  [[nodiscard]] bool covers(const Place& place) const;
  [[nodiscard]] std::uint64_t disk_bytes() const { return disk_bytes_; }

  // By the thread that appends.

  /// Throws away all; what is appended next comes after `from`. Nobody reads meanwhile.
  Result<void> restart(const Place& from);
  /// Appends the changes of `batch` from number `next` on, and counts it up. "spill.disk_full":
  /// `next` is the first one that was not appended; call again when there is room.
  Result<void> append(const connect::ChangeBatch& batch, std::size_t& next);
  /// Up to the last commit durable. An error but "spill.disk_full" is final.
  Result<void> sync();
  /// Takes back what was appended of a transaction that has not ended, and where the disk is full
  /// also what could not be written: end() says what is left.
  Result<void> drop_unfinished();
  /// The last record was a commit or a heartbeat.
  [[nodiscard]] bool is_at_border() const { return is_at_border_; }

  // By the thread that reads.

  /// From now on read() gives what comes after `place`. REQUIRES: covers(place).
  Result<void> seek(const Place& place);
  /// Adds records to `out` up to its budget; false: nothing more is there yet.
  Result<bool> read(connect::ChangeBatch& out);
  /// Everything appended up to the last commit was read. Thread-safe.
  [[nodiscard]] bool is_drained() const;
  /// Nobody asks for anything at or before `place` again.
  Result<void> release(const Place& place);

 private:
  struct Segment {
    std::uint64_t number = 0;
    Place from;                        ///< what it holds comes after
    std::uint64_t readable_bytes = 0;  ///< a reader may go so far
  };

  explicit ChangeCache(Options options) : options_(std::move(options)) {}
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const;
  Result<void> recover();
  Result<bool> take_over_last(std::uint64_t number);
  Result<void> begin_segment();
  Result<void> add(const connect::ChangeBatch& batch, const connect::Change& change);
  Result<void> sync_directory() const;
  void publish();
  Result<void> open_reader(std::uint64_t number);
  [[nodiscard]] std::uint64_t segment_before(const Place& place) const;
  Result<std::uint64_t> count_borders(const Place& place);
  Result<bool> read_record(connect::ChangeBatch& out);

  const Options options_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::deque<Segment> segments_;
  bool is_known_ = false;  ///< where it begins
  Place begin_, end_, durable_end_;
  std::uint64_t read_number_ = 0;  ///< of the segment that is read; 0: none
  Place read_end_;                 ///< the last border that was read
  std::atomic<std::uint64_t> disk_bytes_{0};

  // Of the thread that appends.
  Compressor compressor_;
  std::unique_ptr<ChangeLogWriter> writer_;
  bool is_at_border_ = true;
  Place appended_end_, written_end_;
  std::uint64_t next_number_ = 1;

  // Of the thread that reads.
  std::unique_ptr<ChangeLogReader> reader_;
  connect::ChangeBatch skipped_;
};

}  // namespace wherry::changes
