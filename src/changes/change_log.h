// Changes in a block file: records gathered into blocks, large values in pieces before the block
// that needs them. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "changes/block_file.h"
#include "changes/change_codec.h"

namespace wherry::changes {

/// Writes the value's pieces; after an error some of them may be there.
Result<void> write_large_value(BlockWriter& file, const SpilledValue& value);

/// Puts the pieces of large values together, for the records that follow them.
class LargeValueCollector {
 public:
  explicit LargeValueCollector(std::filesystem::path spill_directory)
      : directory_(std::move(spill_directory)) {}
  Result<void> add(std::string_view piece);
  /// All since the last call.
  LargeValues take() { return {std::exchange(file_, nullptr), 0}; }

 private:
  std::filesystem::path directory_;
  std::shared_ptr<SpillFile> file_;
};

class ChangeLogWriter {
 public:
  /// `block_bytes`: of a block before it is squeezed.
  explicit ChangeLogWriter(BlockWriter file, std::size_t block_bytes = 64 * 1024)
      : file_(std::move(file)), block_bytes_(block_bytes), border_file_bytes_(file_.size_bytes()) {}

  /// Adds one record; it may wait in memory until flush(). After an error it was not added:
  /// "spill.disk_full" leaves everything as it was, and the call may be made again.
  Result<void> add(const connect::ChangeBatch& batch, const connect::Change& change);
  /// Another stream begins: its shapes have numbers of their own.
  void forget_shapes() { encoder_.forget_shapes(); }
  /// Writes what waits, up to and with the last commit or heartbeat; what belongs to a transaction
  /// that has not ended goes on waiting. Errors: as add().
  Result<void> flush();
  Result<void> sync() { return file_.sync(); }
  /// Takes back everything that came after the last border that flush() has written.
  Result<void> drop_unwritten();
  /// Written up to the last commit or heartbeat.
  [[nodiscard]] std::uint64_t border_bytes() const { return border_file_bytes_; }
  /// Written so far.
  [[nodiscard]] std::uint64_t size_bytes() const { return file_.size_bytes(); }
  /// Written and waiting.
  [[nodiscard]] std::uint64_t all_bytes() const { return file_.size_bytes() + waiting_.size(); }

 private:
  Result<void> write_waiting();

  BlockWriter file_;
  const std::size_t block_bytes_;
  std::uint64_t border_file_bytes_;
  ChangeEncoder encoder_;
  std::string waiting_;
  std::size_t border_bytes_ = 0;  ///< of waiting_: the end of its last commit or heartbeat
};

class ChangeLogReader {
 public:
  /// Large values are copied to files in `spill_directory`.
  static Result<ChangeLogReader> open(const std::filesystem::path& path,
                                      std::filesystem::path spill_directory);

  /// Adds the next record to `out`; false: the first `limit_bytes` hold no other. What is no whole
  /// block there is kData "change_file.damaged".
  Result<bool> next(std::uint64_t limit_bytes, connect::ChangeBatch& out);

 private:
  ChangeLogReader(BlockReader file, std::filesystem::path path,
                  std::filesystem::path spill_directory)
      : file_(std::move(file)), path_(std::move(path)), pieces_(std::move(spill_directory)) {}
  Result<bool> next_block(std::uint64_t limit_bytes);

  BlockReader file_;
  std::filesystem::path path_;
  ChangeDecoder decoder_;
  std::string_view records_;  ///< of the block that file_ holds
  LargeValueCollector pieces_;
  LargeValues values_;
};

/// How much of a file survived: up to and with the last block after which a reader may stop.
struct SurvivingLog {
  std::uint64_t size_bytes = 0;
  bool was_cut = false;              ///< there is more, which does not count
  std::optional<std::string> about;  ///< the first block, when it is kAbout
  /// The last commit or heartbeat; nothing: the file has none.
  std::optional<connect::CommitInfo> last;
};
Result<SurvivingLog> survey(const std::filesystem::path& path,
                            const std::filesystem::path& spill_directory);

}  // namespace wherry::changes
