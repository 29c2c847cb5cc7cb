#include "engine/changes/lane_pool.h"

#include <algorithm>

#include "engine/guarded.h"

namespace wherry::engine {

LanePool::LanePool(const OpContext& context, std::uint32_t lanes, const LaneShared& shared)
    : context_(context), link_(context.stop, [this] { stop_.request_stop(); }) {
  context_.stop = stop_.get_token();
  for (std::uint32_t i = 0; i < lanes; ++i) {
    auto lane = std::make_unique<Lane>();
    lane->runner = std::make_unique<GroupRunner>(i, shared);
    lanes_.push_back(std::move(lane));
  }
}

LanePool::~LanePool() {
  stop_.request_stop();
  for (auto& lane : lanes_) {
    if (lane->thread.joinable()) lane->thread.join();
  }
}

Result<void> LanePool::open(OpContext& context) {
  for (auto& lane : lanes_) WHERRY_TRY(lane->runner->open(context));
  for (auto& lane : lanes_) lane->thread = std::jthread([this, &lane] { work(*lane); });
  return {};
}

void LanePool::work(Lane& lane) {
  OpContext context = context_;
  for (;;) {
    WindowPtr window;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, context.stop, [&] { return !lane.queue.empty(); })) return;
      if (context.stop.stop_requested()) return;
      window = std::move(lane.queue.front());
      lane.queue.pop_front();
      lane.is_busy = true;
    }
    changed_.notify_all();
    auto done = guarded([&] { return lane.runner->run(context, window); });
    window = nullptr;
    const bool has_failed = !done.ok();
    {
      std::lock_guard lock(mutex_);
      lane.is_busy = false;
      lane.committed = lane.runner->committed();
      // What is cancelled because another lane has failed is not why.
      if (has_failed && (!failure_ || failure_->kind == ErrorKind::kCancelled)) {
        failure_ = std::move(done).error();
      }
    }
    changed_.notify_all();
    if (has_failed) {
      stop_.request_stop();
      return;
    }
  }
}

Result<void> LanePool::verdict() const {
  if (failure_) return *failure_;
  if (stop_.stop_requested()) return cancelled_error();
  return {};
}

Result<void> LanePool::check() const {
  std::lock_guard lock(mutex_);
  return verdict();
}

Result<void> LanePool::submit(std::uint32_t lane, WindowPtr window) {
  std::unique_lock lock(mutex_);
  Lane& to = *lanes_[lane];
  changed_.wait(lock, stop_.get_token(), [&] { return to.queue.empty() || failure_; });
  WHERRY_TRY(verdict());
  to.queue.push_back(std::move(window));
  lock.unlock();
  changed_.notify_all();
  return {};
}

bool LanePool::has_room(std::uint32_t lane) const {
  std::lock_guard lock(mutex_);
  return lanes_[lane]->queue.empty();
}

Result<void> LanePool::wait_idle(std::uint32_t lanes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop_.get_token(), [&] {
    if (failure_) return true;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if ((lanes >> i & 1U) == 0) continue;
      if (lanes_[i]->is_busy || !lanes_[i]->queue.empty()) return false;
    }
    return true;
  });
  return verdict();
}

Result<void> LanePool::wait_any(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  if (!failure_) changed_.wait_for(lock, limit);
  return verdict();
}

LanePool::Numbers LanePool::committed() const {
  std::lock_guard lock(mutex_);
  Numbers out{};
  for (std::size_t i = 0; i < lanes_.size(); ++i) out[i] = lanes_[i]->committed;
  return out;
}

std::uint32_t LanePool::idlest() const {
  std::lock_guard lock(mutex_);
  std::size_t best = 0, least = ~std::size_t{0};
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::size_t load = lanes_[i]->queue.size() + (lanes_[i]->is_busy ? 1 : 0);
    if (load >= least) continue;
    least = load;
    best = i;
  }
  return static_cast<std::uint32_t>(best);
}

}  // namespace wherry::engine
