#include "connect/support/transaction_buffer.h"

#include <algorithm>

#include "changes/byte_io.h"
#include "changes/shape_codec.h"

namespace wherry::connect {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
/// What a transaction takes beside its changes.
constexpr std::uint64_t kTransactionBytes = 512;

Result<void> empty_directory(const std::filesystem::path& directory) {
  std::error_code failure;
  std::filesystem::remove_all(directory, failure);
  if (!failure) std::filesystem::create_directories(directory, failure);
  if (failure) return changes::file_error(directory, failure.value(), "make the directory of");
  return {};
}

}  // namespace

Result<std::unique_ptr<TransactionBuffer>> TransactionBuffer::open(Options options) {
  WHERRY_TRY(empty_directory(options.directory));
  return std::unique_ptr<TransactionBuffer>(new TransactionBuffer(std::move(options)));
}

TransactionBuffer::~TransactionBuffer() {
  std::error_code ignored;
  std::filesystem::remove_all(options_.directory, ignored);
}

TransactionBuffer::Transaction& TransactionBuffer::find_or_begin(Id id) {
  Handle& handle = open_[id];
  if (!handle) {
    handle = std::make_unique<Transaction>();
    handle->begun = std::chrono::steady_clock::now();
    handle->memory_bytes = kTransactionBytes;
    memory_bytes_ += kTransactionBytes;
  }
  return *handle;
}

Result<void> TransactionBuffer::add(Id id, Id part, const ChangeBatch& batch,
                                    const Change& change) {
  if (memory_bytes_ >= options_.memory_bytes) WHERRY_TRY(make_room());
  learn(change);
  Transaction& transaction = find_or_begin(id);
  // Pieces of a large value come right before the block of their record.
  const auto values = changes::large_values(change);
  if (!values.empty()) WHERRY_TRY(spill(transaction, values));
  append(transaction, part, batch, change);
  ++transaction.count;
  return {};
}

void TransactionBuffer::learn(const Change& change) {
  if (change.shape == nullptr || known_[change.shape->id] == change.shape) return;
  known_[change.shape->id] = change.shape;
  decoder_.learn(changes::encode_shape(*change.shape));
}

void TransactionBuffer::append(Transaction& transaction, Id part, const ChangeBatch& batch,
                               const Change& change) {
  if (transaction.chunks.empty() || transaction.chunks.back().size() >= kChunkBytes) {
    transaction.chunks.emplace_back();
  }
  std::string& chunk = transaction.chunks.back();
  const std::size_t before = chunk.capacity();
  changes::ByteWriter(chunk).number(part);
  changes::encode_record(&batch, change, chunk);
  transaction.memory_bytes += chunk.capacity() - before;
  memory_bytes_ += chunk.capacity() - before;
}

Result<void> TransactionBuffer::make_room() {
  std::vector<Transaction*> largest;
  largest.reserve(open_.size());
  for (auto& [id, transaction] : open_) {
    if (!transaction->chunks.empty()) largest.push_back(transaction.get());
  }
  std::sort(largest.begin(), largest.end(),
            [](const auto* a, const auto* b) { return a->memory_bytes > b->memory_bytes; });
  for (Transaction* transaction : largest) {
    if (memory_bytes_ <= options_.memory_bytes / 4 * 3) break;
    WHERRY_TRY(spill(*transaction));
  }
  return {};
}

Result<void> TransactionBuffer::spill_older(std::chrono::steady_clock::time_point begun_before) {
  for (auto& [id, transaction] : open_) {
    if (transaction->begun >= begun_before || transaction->chunks.empty()) continue;
    WHERRY_TRY(spill(*transaction));
  }
  return {};
}

Result<changes::BlockWriter> TransactionBuffer::open_file(Transaction& transaction) {
  // Opened for each use: ten thousand transactions have more files than a process may have open.
  if (!transaction.file.empty()) {
    return changes::BlockWriter::reopen(transaction.file, transaction.file_bytes, compressor_);
  }
  const auto path = options_.directory / std::to_string(next_file_);
  auto file = changes::BlockWriter::create(path, compressor_);
  if (!file.ok()) return file;
  ++next_file_;
  transaction.file = path;
  transaction.file_bytes = file->size_bytes();
  disk_bytes_ += transaction.file_bytes;
  return file;
}

Result<void> TransactionBuffer::spill(Transaction& transaction,
                                      const std::vector<SpilledValue>& values) {
  WHERRY_ASSIGN(changes::BlockWriter file, open_file(transaction));
  const auto note_size = [&] {
    disk_bytes_ += file.size_bytes() - transaction.file_bytes;
    transaction.file_bytes = file.size_bytes();
  };
  while (!transaction.chunks.empty()) {
    const std::string& chunk = transaction.chunks.front();
    WHERRY_TRY(file.write(changes::BlockKind::kRecords, false, chunk));
    note_size();
    transaction.memory_bytes -= chunk.capacity();
    memory_bytes_ -= chunk.capacity();
    transaction.chunks.pop_front();
  }
  for (const SpilledValue& value : values) {
    // What an unfinished value leaves is cut off when the file is opened again.
    WHERRY_TRY(changes::write_large_value(file, value));
  }
  note_size();
  return {};
}

TransactionBuffer::Mark TransactionBuffer::mark(Id id) const {
  const auto found = open_.find(id);
  return found == open_.end() ? 0 : found->second->count;
}

void TransactionBuffer::rollback_to(Id id, Mark mark) {
  const auto found = open_.find(id);
  if (found == open_.end() || found->second->count <= mark) return;
  auto& dropped = found->second->dropped;
  while (!dropped.empty() && dropped.back().second >= mark) {
    mark = std::min(mark, dropped.back().first);
    dropped.pop_back();
  }
  dropped.emplace_back(mark, found->second->count);
}

void TransactionBuffer::rollback_part(Id id, Id part) {
  const auto found = open_.find(id);
  if (found != open_.end()) found->second->dropped_parts[part] = found->second->count;
}

void TransactionBuffer::rollback(Id id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  forget(*found->second);
  open_.erase(found);
}

void TransactionBuffer::forget(Transaction& transaction) {
  memory_bytes_ -= transaction.memory_bytes;
  disk_bytes_ -= transaction.file_bytes;
  if (transaction.file.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(transaction.file, ignored);
}

std::unique_ptr<TransactionPlayback> TransactionBuffer::commit(Id id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return nullptr;
  Handle transaction = std::move(found->second);
  open_.erase(found);
  return std::unique_ptr<TransactionPlayback>(
      new TransactionPlayback(*this, std::move(transaction)));
}

TransactionPlayback::TransactionPlayback(TransactionBuffer& buffer,
                                         TransactionBuffer::Handle transaction)
    : buffer_(buffer), transaction_(std::move(transaction)), pieces_(buffer.options_.directory) {}

TransactionPlayback::~TransactionPlayback() {
  buffer_.forget(*transaction_);
}

bool TransactionPlayback::is_dropped(TransactionBuffer::Id part) const {
  const auto found = transaction_->dropped_parts.find(part);
  if (found != transaction_->dropped_parts.end() && at_ < found->second) return true;
  const auto& ranges = transaction_->dropped;
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), at_,
      [](TransactionBuffer::Mark mark, const auto& range) { return mark < range.second; });
  return after != ranges.end() && at_ >= after->first;
}

Result<bool> TransactionPlayback::next_block() {
  if (transaction_->file.empty()) return false;
  if (!file_) {
    WHERRY_ASSIGN(changes::BlockReader opened, changes::BlockReader::open(transaction_->file));
    file_ = std::make_unique<changes::BlockReader>(std::move(opened));
  }
  for (;;) {
    changes::Block block;
    WHERRY_ASSIGN(const auto state, file_->next(transaction_->file_bytes, block));
    if (state == changes::BlockState::kEnd) return false;
    if (state == changes::BlockState::kCut) {
      return changes::damaged_error().with("file", transaction_->file.string());
    }
    if (block.kind == changes::BlockKind::kValue) {
      WHERRY_TRY(pieces_.add(block.raw));
      continue;
    }
    records_ = block.raw;
    values_ = pieces_.take();
    if (!records_.empty()) return true;
  }
}

Result<bool> TransactionPlayback::next_records() {
  WHERRY_ASSIGN(const bool has_block, next_block());
  if (has_block) return true;
  if (transaction_->chunks.empty()) return false;
  const std::uint64_t held = transaction_->chunks.front().capacity();
  chunk_ = std::move(transaction_->chunks.front());
  transaction_->chunks.pop_front();
  transaction_->memory_bytes -= held;
  buffer_.memory_bytes_ -= held;
  records_ = chunk_;
  values_ = pieces_.take();
  return true;
}

Result<bool> TransactionPlayback::next(ChangeBatch& out) {
  while (!out.is_full()) {
    if (records_.empty()) {
      WHERRY_ASSIGN(const bool has_records, next_records());
      if (!has_records) return false;
    }
    changes::ByteReader head(records_);
    const TransactionBuffer::Id part = head.number();
    records_ = head.rest();
    const bool is_wanted = !is_dropped(part);
    scratch_.reset();
    WHERRY_TRY(buffer_.decoder_.next(records_, values_, is_wanted ? out : scratch_));
    ++at_;
  }
  return true;
}

}  // namespace wherry::connect
