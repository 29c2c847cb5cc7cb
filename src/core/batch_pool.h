// The task's memory: a fixed byte budget of row batches. acquire() blocks while all are in flight,
// so a slow target stops the source by itself. A BatchHandle gives its batch back on destruction.
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/row_batch.h"

namespace wherry {

class BatchPool;

struct BatchReturn {
  BatchPool* pool = nullptr;
  void operator()(RowBatch* batch) const;
};
using BatchHandle = std::unique_ptr<RowBatch, BatchReturn>;

class BatchPool {
 public:
  /// Holds at most `batch_count` batches of `batch_bytes` and `batch_rows` each, made when first
  /// needed.
  BatchPool(std::size_t batch_count, std::size_t batch_bytes,
            std::size_t batch_rows = std::numeric_limits<std::size_t>::max());
  ~BatchPool();
  /// Waits for a free batch; nullptr when stop was requested.
  BatchHandle acquire(std::stop_token stop);

 private:
  friend struct BatchReturn;
  void give_back(RowBatch* batch);

  const std::size_t batch_count_;
  const std::size_t batch_bytes_;
  const std::size_t batch_rows_;
  std::mutex mutex_;
  std::condition_variable_any available_;
  std::size_t made_ = 0;
  std::vector<std::unique_ptr<RowBatch>> free_;
};

}  // namespace wherry
