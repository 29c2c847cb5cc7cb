#include "core/batch_pool.h"

namespace wherry {

BatchPool::BatchPool(std::size_t batch_count, std::size_t batch_bytes, std::size_t batch_rows)
    : batch_count_(batch_count), batch_bytes_(batch_bytes), batch_rows_(batch_rows) {
  WHERRY_ASSERT(batch_count > 0, "a pool without batches would block for ever");
}

BatchPool::~BatchPool() {
  std::lock_guard lock(mutex_);
  WHERRY_ASSERT(free_.size() == made_, "a batch outlives its pool");
}

BatchHandle BatchPool::acquire(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  available_.wait(lock, stop, [&] { return !free_.empty() || made_ < batch_count_; });
  if (stop.stop_requested()) return nullptr;
  if (free_.empty()) {
    ++made_;
    return BatchHandle(new RowBatch(batch_bytes_, batch_rows_), BatchReturn{this});
  }
  RowBatch* batch = free_.back().release();
  free_.pop_back();
  return BatchHandle(batch, BatchReturn{this});
}

void BatchPool::give_back(RowBatch* batch) {
  batch->reset(0);
  std::lock_guard lock(mutex_);
  free_.emplace_back(batch);
  available_.notify_one();
}

void BatchReturn::operator()(RowBatch* batch) const {
  pool->give_back(batch);
}

}  // namespace wherry
