#include "connect/memory/faults.h"

#include <algorithm>

namespace wherry::memory {

Error cut_error() {
  return make_error(ErrorKind::kTransient, "memory.cut", "the connection was cut",
                    "Check that the database is up");
}

void Faults::add(Fault fault) {
  std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void Faults::shut_down() {
  std::lock_guard lock(mutex_);
  is_down_ = true;
  changed_.notify_all();
}

void Faults::start_up() {
  std::lock_guard lock(mutex_);
  is_down_ = false;
}

void Faults::release() {
  std::lock_guard lock(mutex_);
  std::erase_if(faults_, [](const Fault& fault) { return !fault.error; });
  ++releases_;
  changed_.notify_all();
}

bool Faults::wait_held(std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return held_ >= count; });
}

std::uint64_t Faults::calls(Point point) const {
  std::lock_guard lock(mutex_);
  return calls_[static_cast<std::size_t>(point)];
}

Fault* Faults::find(Point point, const std::string& table, std::uint64_t rows) {
  const auto found = std::find_if(faults_.begin(), faults_.end(), [&](const Fault& fault) {
    return fault.point == point && fault.times > 0 && rows >= fault.after_rows &&
           (fault.table.empty() || fault.table == table);
  });
  return found == faults_.end() ? nullptr : &*found;
}

Result<void> Faults::hold(OpContext& context, std::chrono::milliseconds slowness,
                          std::unique_lock<std::mutex>& lock) {
  const std::uint64_t seen = releases_;
  ++held_;
  changed_.notify_all();
  const auto is_over = [&] { return releases_ != seen || is_down_; };
  if (slowness.count() != 0) {
    changed_.wait_for(lock, context.stop, slowness, is_over);
  } else if (context.deadline == std::chrono::steady_clock::time_point::max()) {
    changed_.wait(lock, context.stop, is_over);
  } else {
    changed_.wait_until(lock, context.stop, context.deadline, is_over);
  }
  --held_;
  if (context.stop.stop_requested()) return cancelled_error();
  if (is_down_ || (slowness.count() == 0 && !is_over())) return cut_error();
  return {};
}

Result<void> Faults::pass(OpContext& context, Point point, const std::string& table,
                          std::uint64_t rows) {
  std::unique_lock lock(mutex_);
  ++calls_[static_cast<std::size_t>(point)];
  if (context.stop.stop_requested()) return cancelled_error();
  if (is_down_) return cut_error();
  Fault* fault = find(point, table, rows);
  if (fault == nullptr) return {};
  --fault->times;
  if (!fault->error) return hold(context, fault->slowness, lock);
  return *fault->error;
}

}  // namespace wherry::memory
