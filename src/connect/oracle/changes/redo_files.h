// Chunks of changes as compressed files in a directory of their own. Used by one thread at a time;
// outlives its chunks.
#pragma once

#include <filesystem>

#include "changes/block_file.h"
#include "connect/oracle/logminer/redo_spill.h"

namespace wherry::oracle {

class RedoFiles final : public RedoStore {
 public:
  /// `directory` is emptied now and removed at the end; it is made when the first chunk comes.
  explicit RedoFiles(std::filesystem::path directory);
  ~RedoFiles() override;
  RedoFiles(const RedoFiles&) = delete;
  RedoFiles& operator=(const RedoFiles&) = delete;

  Result<std::shared_ptr<const StoredChunk>> put(std::string_view bytes) override;

 private:
  const std::filesystem::path directory_;
  changes::Compressor compressor_;
  std::uint64_t next_ = 0;
};

}  // namespace wherry::oracle
