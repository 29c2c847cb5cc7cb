#include "connect/oracle/changes/redo_files.h"

#include <string>

namespace wherry::oracle {
namespace {

class RedoFile final : public StoredChunk {
 public:
  explicit RedoFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~RedoFile() override {
    std::error_code ignored;  // the directory is emptied at the next start
    std::filesystem::remove(path_, ignored);
  }
  RedoFile(const RedoFile&) = delete;
  RedoFile& operator=(const RedoFile&) = delete;

  [[nodiscard]] Result<std::string> read() const override {
    WHERRY_ASSIGN(auto file, changes::BlockReader::open(path_));
    changes::Block block;
    WHERRY_ASSIGN(const auto state, file.next(UINT64_MAX, block));
    // What is cut or damaged is no chunk; the reader of it says so.
    return state == changes::BlockState::kBlock ? std::string(block.raw) : std::string();
  }

 private:
  const std::filesystem::path path_;
};

}  // namespace

RedoFiles::RedoFiles(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

RedoFiles::~RedoFiles() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Result<std::shared_ptr<const StoredChunk>> RedoFiles::put(std::string_view bytes) {
  std::error_code failed;
  std::filesystem::create_directories(directory_, failed);
  if (failed) return changes::file_error(directory_, failed.value(), "cannot make");
  const std::filesystem::path path = directory_ / std::to_string(next_++);
  auto out = std::make_shared<RedoFile>(path);  // removes what is begun
  WHERRY_ASSIGN(auto file, changes::BlockWriter::create(path, compressor_));
  WHERRY_TRY(file.write(changes::BlockKind::kRecords, true, bytes));
  return std::shared_ptr<const StoredChunk>(std::move(out));
}

}  // namespace wherry::oracle
