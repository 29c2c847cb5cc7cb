#include "engine/scheduler.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace wherry::engine {
namespace {

/// How often an idle worker looks whether a table has become worth its help.
constexpr std::chrono::milliseconds kGlance{100};

/// A chunk of unknown size counts too.
std::uint64_t bytes_of(const connect::Chunk& chunk) {
  return std::max<std::uint64_t>(chunk.estimated_bytes, 1);
}

}  // namespace

Scheduler::Scheduler(std::size_t table_count, Options options)
    : options_(options), tables_(table_count), waiting_(table_count), open_(table_count) {}

std::optional<Job> Scheduler::next(std::optional<std::size_t> last, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  std::optional<Job> job;
  const auto is_over = [&] {
    if (is_closed_ || open_ == 0) return true;
    job = choose(last);
    return job.has_value();
  };
  while (!changed_.wait_for(lock, stop, kGlance, is_over) && !stop.stop_requested()) {
  }
  if (is_closed_ || stop.stop_requested()) return std::nullopt;
  return job;
}

std::optional<Job> Scheduler::choose(std::optional<std::size_t> last) {
  if (last) {
    if (auto job = job_of(*last)) return job;
  }
  for (const std::size_t table : loading_) {
    if (tables_[table].free + tables_[table].workers != 0) continue;
    return job_of(table);  // only its key is missing
  }
  while (next_waiting_ < tables_.size() && tables_[next_waiting_].stage != Stage::kWaiting) {
    ++next_waiting_;
  }
  if (next_waiting_ < tables_.size()) {
    Table& table = tables_[next_waiting_];
    table.stage = Stage::kOpening;
    table.workers = 1;
    --waiting_;
    return Job{JobKind::kOpen, next_waiting_, false};
  }
  return busiest();
}

std::optional<Job> Scheduler::job_of(std::size_t index) {
  Table& table = tables_[index];
  if (table.stage != Stage::kLoading || table.verdict) return std::nullopt;
  if (table.done == table.chunks.size() && table.workers == 0) {
    table.stage = Stage::kCompleting;
    table.workers = 1;
    std::erase(loading_, index);
    return Job{JobKind::kComplete, index, false};
  }
  if (table.free == 0 || table.is_exclusive) return std::nullopt;
  return load(index);
}

std::optional<Job> Scheduler::busiest() {
  std::optional<std::size_t> best;
  for (const std::size_t index : loading_) {
    if (!takes_helpers(tables_[index])) continue;
    if (!best || tables_[index].free_bytes > tables_[*best].free_bytes) best = index;
  }
  if (!best) return std::nullopt;
  return load(*best);
}

bool Scheduler::takes_helpers(const Table& table) const {
  return table.free > 0 && !table.is_promised && !table.is_exclusive && !table.verdict &&
         is_worth_helping(table);
}

/// Another session costs both servers, and rows that come from several are out of order when the
/// key is built. What was taken is not all read yet: a slow table looks faster than it is only at
/// first.
bool Scheduler::is_worth_helping(const Table& table) const {
  if (table.splits_at_once || table.workers == 0) return true;
  const std::chrono::duration<double> elapsed = options_.now() - table.started;
  const std::chrono::duration<double> least = options_.split_after;
  if (elapsed < least || table.taken_bytes == 0) return least.count() == 0;
  return elapsed * static_cast<double>(table.free_bytes) >=
         least * static_cast<double>(table.taken_bytes);
}

/// A table in one transaction can be written frozen; worth it while there are others to load beside
/// it.
bool Scheduler::is_for_one(const Table& table) const {
  if (table.free != table.chunks.size() || table.workers != 0) return false;
  if (table.chunks.size() == 1) return true;
  if (options_.segment_bytes == std::numeric_limits<std::uint64_t>::max()) return true;
  return table.free_bytes <= options_.segment_bytes && waiting_ >= options_.workers;
}

Job Scheduler::load(std::size_t index) {
  Table& table = tables_[index];
  const bool is_whole = is_for_one(table);
  table.is_exclusive = is_whole;
  if (std::exchange(table.is_promised, false)) changed_.notify_all();
  ++table.workers;
  return Job{JobKind::kLoad, index, is_whole};
}

void Scheduler::set_chunks(std::size_t index, std::vector<connect::Chunk> chunks,
                           const std::vector<connect::DoneChunk>& done, bool splits_at_once) {
  std::lock_guard lock(mutex_);
  Table& table = tables_[index];
  table.splits_at_once = splits_at_once;
  table.taken_bytes = 0;
  table.chunks = std::move(chunks);
  table.states.assign(table.chunks.size(), ChunkState::kFree);
  table.next_free = 0;
  table.done = 0;
  for (const connect::DoneChunk& chunk : done) {
    if (chunk.chunk >= table.states.size()) continue;
    if (table.states[chunk.chunk] == ChunkState::kDone) continue;
    table.states[chunk.chunk] = ChunkState::kDone;
    ++table.done;
  }
  table.free = table.chunks.size() - table.done;
  table.free_bytes = 0;
  for (std::size_t i = 0; i < table.chunks.size(); ++i) {
    if (table.states[i] == ChunkState::kFree) table.free_bytes += bytes_of(table.chunks[i]);
  }
}

const connect::Chunk* Scheduler::take(const Job& job, std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  Table& table = tables_[job.table];
  const bool is_long_enough = bytes >= options_.segment_bytes && !job.is_whole;
  if (table.free == 0 || table.verdict || is_closed_ || is_long_enough) return nullptr;
  while (table.states[table.next_free] != ChunkState::kFree) ++table.next_free;
  const connect::Chunk& chunk = table.chunks[table.next_free];
  table.states[table.next_free] = ChunkState::kTaken;
  --table.free;
  table.free_bytes -= bytes_of(chunk);
  if (table.taken_bytes == 0) table.started = options_.now();
  table.taken_bytes += bytes_of(chunk);
  return &chunk;
}

void Scheduler::give_back(std::size_t index, const std::vector<std::uint32_t>& chunks) {
  std::lock_guard lock(mutex_);
  Table& table = tables_[index];
  for (const std::uint32_t chunk : chunks) {
    WHERRY_ASSERT(table.states[chunk] == ChunkState::kTaken, "only what was taken is given back");
    table.states[chunk] = ChunkState::kFree;
    ++table.free;
    table.free_bytes += bytes_of(table.chunks[chunk]);
    table.next_free = std::min<std::size_t>(table.next_free, chunk);
  }
  changed_.notify_all();
}

void Scheduler::mark_done(std::size_t index, const std::vector<connect::DoneChunk>& chunks) {
  std::lock_guard lock(mutex_);
  Table& table = tables_[index];
  for (const connect::DoneChunk& chunk : chunks) {
    WHERRY_ASSERT(table.states[chunk.chunk] == ChunkState::kTaken, "only what was taken is done");
    table.states[chunk.chunk] = ChunkState::kDone;
    ++table.done;
  }
}

bool Scheduler::end(const Job& job, JobEnd end) {
  std::lock_guard lock(mutex_);
  Table& table = tables_[job.table];
  --table.workers;
  // A table that has failed does not begin anew.
  if (end == JobEnd::kFailed || (end == JobEnd::kAgain && !table.verdict)) table.verdict = end;
  changed_.notify_all();
  if (table.verdict) {
    leave(table);
    return table.stage == Stage::kOver;
  }
  if (job.kind == JobKind::kOpen) {
    table.stage = Stage::kLoading;
    table.is_promised = table.free > 0;
    loading_.push_back(job.table);
  }
  if (job.is_whole) table.is_exclusive = false;
  if (job.kind == JobKind::kComplete) {
    table.stage = Stage::kOver;
    --open_;
    return true;
  }
  return false;
}

/// The last worker of a table that failed or begins anew.
void Scheduler::leave(Table& table) {
  if (table.workers != 0) return;
  const auto index = static_cast<std::size_t>(&table - tables_.data());
  std::erase(loading_, index);
  table.is_exclusive = false;
  if (*table.verdict == JobEnd::kFailed) {
    table.stage = Stage::kOver;
    --open_;
    return;
  }
  table.verdict.reset();
  table.stage = Stage::kWaiting;
  ++waiting_;
  next_waiting_ = std::min(next_waiting_, index);
}

void Scheduler::close() {
  std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

}  // namespace wherry::engine
