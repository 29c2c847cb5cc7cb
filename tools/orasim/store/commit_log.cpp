#include "store/commit_log.h"

#include <algorithm>

#include "store/byte_io.h"

namespace orasim {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

[[noreturn]] void throw_broken() {
  throw OraError(345, "redo log write error: an earlier write failed; restart the server");
}

}  // namespace

void CommitLog::start(std::unique_ptr<LogFile> file, std::int64_t opened_micros) {
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
  assigned_ = std::max({assigned_, floor_, current_.load()});
  current_.store(assigned_, std::memory_order_release);
  note_time(assigned_, opened_micros);
  if (file_ == nullptr) return;
  ByteWriter w;
  w.u8(static_cast<std::uint8_t>(RecordKind::kOpened));
  w.i64(opened_micros);
  file_->append(frame(w.out()));
  if (!file_->sync()) throw_broken();
}

void CommitLog::restore(Scn scn, std::int64_t micros) {
  assigned_ = std::max(assigned_, scn);
  current_.store(assigned_, std::memory_order_release);
  note_time(scn, micros);
}

void CommitLog::restore_floor(Scn scn) {
  floor_ = std::max(floor_, scn);
}

void CommitLog::note_time(Scn scn, std::int64_t micros) {
  // The wall clock may step back; the map stays in order.
  std::int64_t second = micros / kMicros;
  if (!times_.empty()) second = std::max(second, times_.back().first);
  if (!times_.empty() && times_.back().first == second) {
    times_.back().second = std::max(times_.back().second, scn);
  } else {
    times_.emplace_back(second, scn);
  }
}

void CommitLog::append_all(const std::vector<std::string>& frames, std::string_view last) {
  const std::uint64_t before = file_->size();
  try {
    for (const std::string& f : frames) file_->append(f);
    file_->append(frame(last));
  } catch (const OraError&) {
    broken_ = !file_->cut(before);
    throw;
  }
}

Scn CommitLog::commit(const std::vector<std::string>& frames,
                      const std::function<std::string(Scn, std::int64_t)>& final_payload,
                      TxRecord* record) {
  return commit(frames, final_payload, record, [](Scn, std::int64_t) {});
}

Scn CommitLog::commit(const std::vector<std::string>& frames,
                      const std::function<std::string(Scn, std::int64_t)>& final_payload,
                      TxRecord* record, const Appended& appended) {
  std::unique_lock lock(mutex_);
  if (broken_) throw_broken();
  const Scn scn = assigned_ + 1;
  const std::int64_t micros = clock_();
  if (file_ != nullptr) append_all(frames, final_payload(scn, micros));
  assigned_ = scn;
  appended(scn, micros);
  const std::uint64_t ticket = ++next_ticket_;
  pending_.push_back({ticket, record, scn, micros});
  if (file_ == nullptr) {
    publish(ticket);
  } else {
    wait_published(lock, ticket);
  }
  return scn;
}

void CommitLog::wait_published(std::unique_lock<std::mutex>& lock, std::uint64_t ticket) {
  while (done_ticket_ < ticket) {
    if (broken_) throw_broken();
    if (flushing_) {
      published_.wait(lock);
      continue;
    }
    flushing_ = true;
    const std::uint64_t up_to = next_ticket_;
    lock.unlock();
    const bool flushed = file_->sync();
    lock.lock();
    flushing_ = false;
    broken_ = broken_ || !flushed;
    if (flushed) publish(up_to);
    published_.notify_all();
  }
}

void CommitLog::publish(std::uint64_t up_to_ticket) {
  while (!pending_.empty() && pending_.front().ticket <= up_to_ticket) {
    const Pending& p = pending_.front();
    if (p.record != nullptr) p.record->commit_scn.store(p.scn, std::memory_order_release);
    note_time(p.scn, p.micros);
    current_.store(p.scn, std::memory_order_release);
    done_ticket_ = p.ticket;
    pending_.pop_front();
  }
}

void CommitLog::append(std::string_view payload) {
  const std::lock_guard lock(mutex_);
  if (file_ == nullptr) return;
  if (broken_) throw_broken();
  file_->append(frame(payload));
}

void CommitLog::append_with(const std::function<void()>& prepare,
                            const std::function<std::string()>& payload,
                            const std::function<void()>& appended) {
  const std::lock_guard lock(mutex_);
  if (broken_) throw_broken();
  prepare();
  if (file_ != nullptr) file_->append(frame(payload()));
  appended();
}

Scn CommitLog::take_scn_locked() {
  ++assigned_;
  if (!pending_.empty()) return assigned_;
  note_time(assigned_, clock_());
  current_.store(assigned_, std::memory_order_release);
  return assigned_;
}

Scn CommitLog::next_scn() const {
  const std::lock_guard lock(mutex_);
  return assigned_ + 1;
}

Scn CommitLog::advance() {
  const std::lock_guard lock(mutex_);
  if (!pending_.empty() || broken_) return current();
  const Scn scn = assigned_ + 1;
  if (file_ != nullptr && scn >= floor_) {
    ByteWriter w;
    w.u8(static_cast<std::uint8_t>(RecordKind::kScnFloor));
    w.u64(scn + kFloorStep);
    file_->append(frame(w.out()));
    floor_ = scn + kFloorStep;
  }
  assigned_ = scn;
  note_time(scn, clock_());
  current_.store(scn, std::memory_order_release);
  return scn;
}

std::optional<Scn> CommitLog::scn_at(std::int64_t unix_seconds) const {
  const std::lock_guard lock(mutex_);
  const auto after = std::upper_bound(times_.begin(), times_.end(), unix_seconds,
                                      [](std::int64_t t, const auto& e) { return t < e.first; });
  if (after == times_.begin() || unix_seconds > clock_() / kMicros) return std::nullopt;
  return std::prev(after)->second;
}

std::optional<std::int64_t> CommitLog::time_of(Scn scn) const {
  const std::lock_guard lock(mutex_);
  if (scn < kFirstScn || scn > current()) return std::nullopt;
  const auto at = std::lower_bound(times_.begin(), times_.end(), scn,
                                   [](const auto& e, Scn s) { return e.second < s; });
  return at == times_.end() ? times_.back().first : at->first;
}

}  // namespace orasim
