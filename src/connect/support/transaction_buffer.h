// Changes of transactions that have not committed yet, for sources whose log shows them while they
// run: kept by transaction, dropped when it or a part of it is rolled back, played back in order
// when it commits. Large ones, and old ones, wait in compressed files, so that memory stays bounded
// whatever the number and size of transactions. Used by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "changes/change_log.h"
#include "connect/api/changes.h"

namespace wherry::connect {

class TransactionPlayback;

class TransactionBuffer {
 public:
  /// The source's own number of a transaction, or of a part of one that can be rolled back alone.
  using Id = std::uint64_t;
  /// A place in a transaction.
  using Mark = std::uint64_t;
  struct Options {
    std::filesystem::path directory;  ///< of this buffer alone: emptied now and at the end
    std::uint64_t memory_bytes = 64ULL * 1024 * 1024;
  };
  static Result<std::unique_ptr<TransactionBuffer>> open(Options options);
  ~TransactionBuffer();
  TransactionBuffer(const TransactionBuffer&) = delete;
  TransactionBuffer& operator=(const TransactionBuffer&) = delete;

  /// Adds a change to the end of a transaction, which begins with its first one. Shapes have one
  /// number and one meaning as long as the buffer lives. "spill.disk_full": nothing was added and
  /// nothing is lost; the same call may be made again when there is room.
  Result<void> add(Id transaction, Id part, const ChangeBatch& batch, const Change& change);
  /// Where the transaction is now, for rollback_to().
  [[nodiscard]] Mark mark(Id transaction) const;
  /// Drops what was added since the mark.
  void rollback_to(Id transaction, Mark mark);
  /// Drops what was added to the part so far.
  void rollback_part(Id transaction, Id part);
  void rollback(Id transaction);
  /// What is left of the transaction, which leaves the buffer; nullptr: it is not known. The buffer
  /// outlives the result.
  std::unique_ptr<TransactionPlayback> commit(Id transaction);
  /// Moves transactions to disk that began before. Errors: as add().
  Result<void> spill_older(std::chrono::steady_clock::time_point begun_before);

  [[nodiscard]] std::size_t open_count() const { return open_.size(); }
  /// Of changes in memory and on disk, those being played back too.
  [[nodiscard]] std::uint64_t memory_bytes() const { return memory_bytes_; }
  [[nodiscard]] std::uint64_t disk_bytes() const { return disk_bytes_; }

 private:
  friend class TransactionPlayback;
  struct Transaction {
    std::deque<std::string> chunks;  ///< part and record, part and record, …
    std::uint64_t memory_bytes = 0;  ///< of the chunks and of this
    std::filesystem::path file;      ///< empty: nothing is on disk
    std::uint64_t file_bytes = 0;
    Mark count = 0;  ///< changes added, those that were dropped too
    std::vector<std::pair<Mark, Mark>> dropped;
    /// Changes of a part below the mark are dropped.
    std::map<Id, Mark> dropped_parts;
    std::chrono::steady_clock::time_point begun;
  };
  using Handle = std::unique_ptr<Transaction>;

  explicit TransactionBuffer(Options options) : options_(std::move(options)) {}
  Transaction& find_or_begin(Id id);
  Result<void> make_room();
  Result<void> spill(Transaction& transaction, const std::vector<SpilledValue>& values = {});
  Result<changes::BlockWriter> open_file(Transaction& transaction);
  void append(Transaction& transaction, Id part, const ChangeBatch& batch, const Change& change);
  void forget(Transaction& transaction);
  void learn(const Change& change);

  const Options options_;
  std::map<Id, Handle> open_;
  changes::Compressor compressor_;
  changes::ChangeDecoder decoder_;  ///< knows every shape, so that files need not have them
  std::map<std::uint32_t, const RowShape*> known_;
  std::uint64_t next_file_ = 0;
  std::uint64_t memory_bytes_ = 0, disk_bytes_ = 0;
};

/// The changes of one committed transaction. Used by the buffer's thread.
class TransactionPlayback {
 public:
  ~TransactionPlayback();
  TransactionPlayback(const TransactionPlayback&) = delete;
  TransactionPlayback& operator=(const TransactionPlayback&) = delete;

  /// Adds changes to `out` until it is full, or until there are none left: false then.
  Result<bool> next(ChangeBatch& out);

 private:
  friend class TransactionBuffer;
  TransactionPlayback(TransactionBuffer& buffer, TransactionBuffer::Handle transaction);
  Result<bool> next_records();
  Result<bool> next_block();
  [[nodiscard]] bool is_dropped(TransactionBuffer::Id part) const;

  TransactionBuffer& buffer_;
  TransactionBuffer::Handle transaction_;
  std::unique_ptr<changes::BlockReader> file_;
  changes::LargeValueCollector pieces_;
  changes::LargeValues values_;
  std::string chunk_;
  std::string_view records_;
  TransactionBuffer::Mark at_ = 0;
  ChangeBatch scratch_;  ///< for what is dropped
};

}  // namespace wherry::connect
