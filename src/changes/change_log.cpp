#include "changes/change_log.h"

#include <algorithm>
#include <array>

namespace wherry::changes {
namespace {

using connect::ChangeKind;

bool is_border(ChangeKind kind) {
  return kind == ChangeKind::kCommit || kind == ChangeKind::kHeartbeat;
}

constexpr std::size_t kPieceBytes = 256 * 1024;

}  // namespace

Result<void> ChangeLogWriter::add(const connect::ChangeBatch& batch,
                                  const connect::Change& change) {
  const auto values = large_values(change);
  if (waiting_.size() >= block_bytes_ || (!values.empty() && !waiting_.empty())) {
    WHERRY_TRY(write_waiting());
    // The rest of a transaction after the last border stays behind at first.
    if (!waiting_.empty() && !values.empty()) WHERRY_TRY(write_waiting());
  }
  const std::uint64_t before = file_.size_bytes();
  for (const SpilledValue& value : values) {
    if (auto written = write_large_value(file_, value); !written.ok()) {
      WHERRY_TRY(file_.cut(before));
      return written;
    }
  }
  encoder_.add(&batch, change, waiting_);
  if (is_border(change.kind)) border_bytes_ = waiting_.size();
  return {};
}

Result<void> ChangeLogWriter::write_waiting() {
  if (border_bytes_ != 0) return flush();
  WHERRY_TRY(file_.write(BlockKind::kRecords, false, waiting_));
  waiting_.clear();
  return {};
}

Result<void> ChangeLogWriter::flush() {
  if (border_bytes_ == 0) return {};
  WHERRY_TRY(
      file_.write(BlockKind::kRecords, true, std::string_view(waiting_).substr(0, border_bytes_)));
  waiting_.erase(0, border_bytes_);
  border_bytes_ = 0;
  border_file_bytes_ = file_.size_bytes();
  return {};
}

Result<void> ChangeLogWriter::drop_unwritten() {
  WHERRY_TRY(file_.cut(border_file_bytes_));
  waiting_.clear();
  border_bytes_ = 0;
  forget_shapes();  // some were in what is cut off
  return {};
}

Result<void> write_large_value(BlockWriter& file, const SpilledValue& value) {
  std::string piece;
  for (std::uint64_t done = 0; done < value.size_bytes; done += piece.size()) {
    piece.resize(
        static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, value.size_bytes - done)));
    WHERRY_ASSIGN(const std::size_t got,
                  value.file->read(value.offset_bytes + done,
                                   std::as_writable_bytes(std::span(piece.data(), piece.size()))));
    WHERRY_ASSERT(got == piece.size(), "a spilled value is longer than its file");
    WHERRY_TRY(file.write(BlockKind::kValue, false, piece));
  }
  return {};
}

Result<ChangeLogReader> ChangeLogReader::open(const std::filesystem::path& path,
                                              std::filesystem::path spill_directory) {
  WHERRY_ASSIGN(BlockReader file, BlockReader::open(path));
  return ChangeLogReader(std::move(file), path, std::move(spill_directory));
}

Result<void> LargeValueCollector::add(std::string_view piece) {
  if (!file_) {
    WHERRY_ASSIGN(file_, SpillFile::create(directory_));
  }
  return file_->append(piece);
}

Result<bool> ChangeLogReader::next_block(std::uint64_t limit_bytes) {
  for (;;) {
    Block block;
    WHERRY_ASSIGN(const BlockState state, file_.next(limit_bytes, block));
    if (state == BlockState::kEnd) return false;
    if (state == BlockState::kCut) return damaged_error().with("file", path_.string());
    if (block.kind == BlockKind::kValue) {
      WHERRY_TRY(pieces_.add(block.raw));
    } else if (block.kind == BlockKind::kRecords) {
      records_ = block.raw;
      values_ = pieces_.take();
      if (!records_.empty()) return true;
    }
  }
}

Result<bool> ChangeLogReader::next(std::uint64_t limit_bytes, connect::ChangeBatch& out) {
  if (records_.empty()) {
    WHERRY_ASSIGN(const bool has_block, next_block(limit_bytes));
    if (!has_block) return false;
  }
  auto decoded = decoder_.next(records_, values_, out);
  if (!decoded.ok()) return std::move(decoded).error().with("file", path_.string());
  return true;
}

Result<SurvivingLog> survey(const std::filesystem::path& path,
                            const std::filesystem::path& spill_directory) {
  WHERRY_ASSIGN(BlockReader file, BlockReader::open(path));
  SurvivingLog log;
  log.size_bytes = file.offset_bytes();
  BlockState state = BlockState::kBlock;
  for (Block block; state == BlockState::kBlock;) {
    const bool is_first = file.offset_bytes() == kFileHead.size();
    WHERRY_ASSIGN(state, file.next(UINT64_MAX, block));
    if (state != BlockState::kBlock) break;
    const bool is_about = is_first && block.kind == BlockKind::kAbout;
    if (is_about) log.about = std::string(block.raw);
    if (block.is_border || is_about) log.size_bytes = file.offset_bytes();
  }
  if (state == BlockState::kCut) {
    WHERRY_ASSIGN(const bool is_damaged, file.has_block_behind());
    if (is_damaged) return damaged_error().with("file", path.string());
  }
  log.was_cut = state == BlockState::kCut || file.offset_bytes() != log.size_bytes;
  WHERRY_ASSIGN(ChangeLogReader reader, ChangeLogReader::open(path, spill_directory));
  connect::ChangeBatch batch;
  for (;;) {
    batch.reset();
    WHERRY_ASSIGN(const bool has_record, reader.next(log.size_bytes, batch));
    if (!has_record) return log;
    const connect::Change& change = batch.changes().back();
    if (is_border(change.kind)) log.last = batch.commit(change);
  }
}

}  // namespace wherry::changes
