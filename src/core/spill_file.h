// Values too large to hold in memory: an unlinked temporary file that holds them until the batch
// that refers to them is done. Written by the reader, read by the writer after hand-over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "core/result.h"

namespace wherry {

class SpillFile {
 public:
  /// Creates an unlinked file in `directory`. Errors: kResource with the path and errno text.
  static Result<std::shared_ptr<SpillFile>> create(const std::filesystem::path& directory);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Appends; a full disk is kResource "spill.disk_full".
  Result<void> append(std::string_view data);
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  /// Reads up to out.size() bytes at `offset`; returns how many (short only at the end).
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  SpillFile(int fd, std::filesystem::path directory);
  int fd_;
  std::filesystem::path directory_;
  std::uint64_t size_bytes_ = 0;
};

/// What a kSpilled cell points to; the batch keeps the file alive.
struct SpilledValue {
  /// nullptr: the value is larger than the target can have (TablePlan::max_value_bytes) and was not
  /// read.
  const SpillFile* file = nullptr;
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
};

}  // namespace wherry
