// Changes that are too large for memory, in files.
#pragma once

#include "connect/oracle/logminer/redo_spill.h"
#include "connect/support/chunk_files.h"

namespace wherry::oracle {

class RedoFiles final : public RedoStore {
 public:
  explicit RedoFiles(std::filesystem::path directory) : files_(std::move(directory)) {}

  Result<std::shared_ptr<const StoredChunk>> put(std::string_view bytes) override {
    WHERRY_ASSIGN(auto file, files_.put(bytes));
    return std::shared_ptr<const StoredChunk>(std::make_shared<const Stored>(std::move(file)));
  }

 private:
  class Stored final : public StoredChunk {
   public:
    explicit Stored(std::shared_ptr<const connect::ChunkFile> file) : file_(std::move(file)) {}
    [[nodiscard]] Result<std::string> read() const override { return file_->read(); }

   private:
    const std::shared_ptr<const connect::ChunkFile> file_;
  };

  connect::ChunkFiles files_;
};

}  // namespace wherry::oracle
