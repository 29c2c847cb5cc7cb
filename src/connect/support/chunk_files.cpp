#include "connect/support/chunk_files.h"

namespace wherry::connect {

ChunkFile::~ChunkFile() {
  std::error_code ignored;  // the directory is emptied at the next start
  std::filesystem::remove(path_, ignored);
}

Result<std::string> ChunkFile::read() const {
  WHERRY_ASSIGN(auto file, changes::BlockReader::open(path_));
  changes::Block block;
  WHERRY_ASSIGN(const auto state, file.next(UINT64_MAX, block));
  return state == changes::BlockState::kBlock ? std::string(block.raw) : std::string();
}

ChunkFiles::ChunkFiles(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

ChunkFiles::~ChunkFiles() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Result<std::shared_ptr<const ChunkFile>> ChunkFiles::put(std::string_view bytes) {
  std::error_code failed;
  std::filesystem::create_directories(directory_, failed);
  if (failed) return changes::file_error(directory_, failed.value(), "cannot make");
  const std::filesystem::path path = directory_ / std::to_string(next_++);
  auto out = std::make_shared<const ChunkFile>(path);  // removes what is begun
  WHERRY_ASSIGN(auto file, changes::BlockWriter::create(path, compressor_));
  WHERRY_TRY(file.write(changes::BlockKind::kRecords, true, bytes));
  return out;
}

}  // namespace wherry::connect
