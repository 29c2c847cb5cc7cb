// Collects one LOB or LONG value that arrives in pieces: in memory up to a limit, then in a spill
// file that all large values of a batch share. Memory stays bounded by the limit.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/row_batch.h"
#include "core/spill_file.h"

namespace wherry::oracle {

/// The spill file of the batch being filled; made when first needed.
class BatchSpill {
 public:
  explicit BatchSpill(std::string directory) : directory_(std::move(directory)) {}
  /// The file, kept alive by `batch`.
  Result<std::shared_ptr<SpillFile>> file_for(RowBatch& batch);
  /// The next value belongs to a new batch.
  void start_batch() { file_.reset(); }
  [[nodiscard]] const std::shared_ptr<SpillFile>& current() const { return file_; }

 private:
  std::string directory_;
  std::shared_ptr<SpillFile> file_;
};

class LargeValue {
 public:
  explicit LargeValue(std::uint64_t inline_max_bytes) : inline_max_bytes_(inline_max_bytes) {}

  Result<void> append(std::string_view piece, RowBatch& batch, BatchSpill& spill);
  /// Puts the value into `cell` (state and payload, not kind) and starts anew.
  void finish(RowBatch& batch, Cell& cell);
  void clear();
  [[nodiscard]] bool empty() const { return size_bytes_ == 0; }

 private:
  std::uint64_t inline_max_bytes_;
  std::uint64_t size_bytes_ = 0;
  std::string buffer_;  ///< what is not in the file
  std::shared_ptr<SpillFile> file_;
  std::uint64_t file_offset_ = 0;
};

}  // namespace wherry::oracle
