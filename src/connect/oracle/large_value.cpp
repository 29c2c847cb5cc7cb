#include "connect/oracle/large_value.h"

#include <cstring>
#include <limits>
#include <new>

namespace wherry::oracle {

Result<std::shared_ptr<SpillFile>> BatchSpill::file_for(RowBatch& batch) {
  if (file_ != nullptr) return file_;
  WHERRY_ASSIGN(file_, SpillFile::create(directory_));
  batch.keep(file_);
  return file_;
}

Result<void> LargeValue::append(std::string_view piece, RowBatch& batch, BatchSpill& spill) {
  size_bytes_ += piece.size();
  if (file_ == nullptr && size_bytes_ <= inline_max_bytes_) {
    buffer_.append(piece);
    return {};
  }
  if (file_ == nullptr) {
    WHERRY_ASSIGN(file_, spill.file_for(batch));
    file_offset_ = file_->size_bytes();
    WHERRY_TRY(file_->append(buffer_));
    buffer_.clear();
  }
  return file_->append(piece);
}

void LargeValue::finish(RowBatch& batch, Cell& cell) {
  if (file_ == nullptr) {
    cell.state = CellState::kSet;
    cell.size_bytes = static_cast<std::uint32_t>(buffer_.size());
    cell.payload.ptr = batch.arena().copy(buffer_.data(), buffer_.size());
  } else {
    auto* spilled = new (batch.arena().allocate(sizeof(SpilledValue))) SpilledValue();
    *spilled = {file_.get(), file_offset_, size_bytes_};
    cell.state = CellState::kSpilled;
    cell.size_bytes = 0;
    cell.payload.ptr = reinterpret_cast<const std::byte*>(spilled);
  }
  clear();
}

void LargeValue::clear() {
  size_bytes_ = 0;
  buffer_.clear();
  file_.reset();
}

}  // namespace wherry::oracle
