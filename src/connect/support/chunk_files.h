// Chunks of bytes as compressed files in a directory of their own. Used by one thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "changes/block_file.h"
#include "core/result.h"

namespace wherry::connect {

/// Its file goes with it.
class ChunkFile {
 public:
  explicit ChunkFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~ChunkFile();
  ChunkFile(const ChunkFile&) = delete;
  ChunkFile& operator=(const ChunkFile&) = delete;

  /// Empty when the file is cut or damaged.
  [[nodiscard]] Result<std::string> read() const;

 private:
  const std::filesystem::path path_;
};

class ChunkFiles {
 public:
  /// `directory` is emptied now and removed at the end; it is made when the first chunk comes.
  explicit ChunkFiles(std::filesystem::path directory);
  ~ChunkFiles();
  ChunkFiles(const ChunkFiles&) = delete;
  ChunkFiles& operator=(const ChunkFiles&) = delete;

  /// "spill.disk_full": nothing has happened, and the call may be made again.
  Result<std::shared_ptr<const ChunkFile>> put(std::string_view bytes);

 private:
  const std::filesystem::path directory_;
  changes::Compressor compressor_;
  std::uint64_t next_ = 0;
};

}  // namespace wherry::connect
