#include "engine/changes/stream_feed.h"

#include <time.h>

#include <algorithm>

#include "engine/guarded.h"

namespace wherry::engine {
namespace {

using changes::Place;
using connect::ChangeBatch;
using connect::ChangeKind;

/// How long a read waits for the first change, and so how late a confirmation can be.
constexpr std::chrono::milliseconds kLook{50};
constexpr std::size_t kSpareBatches = 96;  // those read ahead, and of the windows in work

bool is_border_record(const connect::Change& change) {
  return change.kind == ChangeKind::kCommit || change.kind == ChangeKind::kHeartbeat;
}

bool ends_at_border(const ChangeBatch& batch) {
  return !batch.empty() && is_border_record(batch.changes().back());
}

const connect::CommitInfo* last_commit(const ChangeBatch& batch) {
  const auto& all = batch.changes();
  const auto found = std::find_if(all.rbegin(), all.rend(), is_border_record);
  return found == all.rend() ? nullptr : &batch.commit(*found);
}

/// A checkpoint's order is that of its last transaction, its position may be a heartbeat's behind
/// it.
Result<Place> place_of(connect::ChangeSource& source, const Position& position) {
  WHERRY_ASSIGN(const connect::CommitOrder order, source.order_of(position));
  return Place{position, order};
}

bool is_full_disk(const Error& error) {
  return error.code == "spill.disk_full";
}

/// Adds the processor time of this thread, while it lives, to a stage: a wait for the source is
/// none.
class ThreadTime {
 public:
  ThreadTime(ApplyProgress& progress, ApplyStage stage) : progress_(progress), stage_(stage) {}
  ~ThreadTime() { progress_.add_time(stage_, now() - begun_); }
  ThreadTime(const ThreadTime&) = delete;
  ThreadTime& operator=(const ThreadTime&) = delete;

 private:
  static std::chrono::nanoseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  ApplyProgress& progress_;
  const ApplyStage stage_;
  const std::chrono::nanoseconds begun_ = now();
};

}  // namespace

class StreamFeed::Recycler {
 public:
  explicit Recycler(std::size_t batch_bytes) : batch_bytes_(batch_bytes) {}
  std::unique_ptr<ChangeBatch> take() {
    std::lock_guard lock(mutex_);
    if (spare_.empty()) return std::make_unique<ChangeBatch>(batch_bytes_);
    auto batch = std::move(spare_.back());
    spare_.pop_back();
    return batch;
  }
  void give_back(std::unique_ptr<ChangeBatch> batch) {
    batch->reset();
    std::lock_guard lock(mutex_);
    if (spare_.size() < kSpareBatches) spare_.push_back(std::move(batch));
  }

 private:
  const std::size_t batch_bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ChangeBatch>> spare_;
};

StreamFeed::StreamFeed(connect::ChangeSource& source, Options options, Logger log,
                       ApplyProgress& progress, Place from)
    : source_(source),
      options_(std::move(options)),
      log_(std::move(log)),
      from_(std::move(from)),
      progress_(progress),
      recycler_(std::make_shared<Recycler>(options_.batch_bytes)),
      released_(from_),
      guard_(log_) {}

Result<std::unique_ptr<StreamFeed>> StreamFeed::open(OpContext& context,
                                                     connect::ChangeSource& source,
                                                     const Position& position, Options options,
                                                     ApplyProgress& progress) {
  WHERRY_ASSIGN(const Place from, place_of(source, position));
  auto feed = std::unique_ptr<StreamFeed>(new StreamFeed(
      source, std::move(options), context.log.as(Component::kSourceCapture), progress, from));
  WHERRY_ASSIGN(feed->cache_, changes::ChangeCache::open(feed->options_.cache));
  if (!feed->cache_->covers(from)) WHERRY_TRY(feed->cache_->restart(from));
  feed->read_to_ = feed->cache_->end();
  if (const auto limit = feed->options_.recovery_limit) {
    feed->recover_by_ = std::chrono::steady_clock::now() + *limit;
  }
  feed->reader_ = std::jthread([raw = feed.get()](const std::stop_token& stop) { raw->run(stop); });
  return feed;
}

StreamFeed::~StreamFeed() {
  (void)stop().ok();
}

Result<void> StreamFeed::stop() {
  if (!reader_.joinable()) return {};
  reader_.request_stop();
  changed_.notify_all();
  reader_.join();
  WHERRY_TRY(drop_unfinished());
  return cache_->sync();
}

std::shared_ptr<ChangeBatch> StreamFeed::fresh_batch() {
  return {recycler_->take().release(), [recycler = recycler_](ChangeBatch* batch) {
            recycler->give_back(std::unique_ptr<ChangeBatch>(batch));
          }};
}

void StreamFeed::run(const std::stop_token& stop) {
  OpContext context{stop, std::chrono::steady_clock::time_point::max(), log_};
  std::optional<Backoff> backoff(options_.retry);
  while (!stop.stop_requested()) {
    auto done = guarded([&]() -> Result<void> {
      WHERRY_TRY(connect_stream(context));
      backoff.emplace(options_.retry);
      while (!stop.stop_requested()) {
        WHERRY_TRY(read_once(context));
        WHERRY_TRY(check_recovery());
      }
      return {};
    });
    if (done.ok() || stop.stop_requested()) return;
    if (auto late = check_recovery(); !late.ok()) {
      return fail(std::move(late).error().with("cause", done.error().to_log_text()));
    }
    const bool may_pass = done.error().kind == ErrorKind::kTransient || is_full_disk(done.error());
    if (!may_pass) return fail(std::move(done).error());
    stream_.reset();
    if (auto dropped = drop_unfinished(); !dropped.ok()) return fail(std::move(dropped).error());
    const auto wait = backoff->next();
    if (!wait) return fail(std::move(done).error());
    note_interruption(done.error(), backoff->tries());
    const auto now = std::chrono::steady_clock::now();
    const auto until = recover_by_ ? std::min(now + *wait, *recover_by_) : now + *wait;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    if (!wait_for(std::max(left, std::chrono::milliseconds(0)), stop)) return;
  }
}

/// Of the log that the last run had come to.
Result<void> StreamFeed::check_recovery() const {
  if (!recover_by_ || std::chrono::steady_clock::now() < *recover_by_) return {};
  return make_error(ErrorKind::kResource, "feed.recovery_timeout",
                    "the source's changes have not come to where the task goes on within "
                    "RecoveryTimeout",
                    "See whether the source can be reached and how much log it has to read from "
                    "there, then start the task again; or set RecoveryTimeout to -1")
      .with("position", from_.position.text);
}

void StreamFeed::fail(Error error) {
  std::lock_guard lock(mutex_);
  failure_ = std::move(error);
  changed_.notify_all();
}

void StreamFeed::note_interruption(const Error& error, std::int64_t tries) {
  log_.warn("the source's changes cannot be read; trying again",
            {{"cause", error.to_log_text()}, {"try", std::to_string(tries)}});
  progress_.set_interrupted(std::chrono::system_clock::now());
  std::lock_guard lock(mutex_);
  interruption_ = error.to_log_text();
  ++restarts_;
}

Result<void> StreamFeed::connect_stream(OpContext& context) {
  Place from;
  {
    std::lock_guard lock(mutex_);
    from = rewind_to_ ? *rewind_to_ : read_to_;
  }
  WHERRY_ASSIGN(stream_, source_.open(context, options_.request));
  WHERRY_TRY(stream_->start(context, from.position));
  std::lock_guard lock(mutex_);
  confirmed_ = {};
  interruption_.clear();
  return {};
}

Result<void> StreamFeed::drop_unfinished() {
  unfinished_.clear();
  unfinished_bytes_ = 0;
  appended_ = 0;
  WHERRY_TRY(cache_->drop_unfinished());
  std::lock_guard lock(mutex_);
  // A part of what is dropped may have come onto the disk.
  if (!is_in_memory_) read_to_ = cache_->end();
  return {};
}

/// True when the apply wants to have again what is no longer there.
Result<bool> StreamFeed::rewind(OpContext& context) {
  {
    std::lock_guard lock(mutex_);
    if (!rewind_to_) return false;
  }
  std::scoped_lock reading(cache_mutex_);
  const Place to = [&] {
    std::lock_guard lock(mutex_);
    return *rewind_to_;  // start() may have changed it, but only rewind() ends it
  }();
  WHERRY_TRY(drop_unfinished());
  // Where the cache has what comes before, the stream only goes on behind it.
  if (cache_->end().position != to.position) WHERRY_TRY(cache_->restart(to));
  WHERRY_TRY(stream_->start(context, to.position));
  std::lock_guard lock(mutex_);
  read_to_ = to;
  is_in_memory_ = false;
  rewind_to_.reset();
  return true;
}

Result<void> StreamFeed::read_once(OpContext& context) {
  WHERRY_TRY(rewind(context));
  auto batch = fresh_batch();
  context.deadline = std::chrono::steady_clock::now() + kLook;
  auto read = [&] {
    const ThreadTime clock(progress_, ApplyStage::kDecode);
    return stream_->read(context, *batch);
  }();
  context.deadline = std::chrono::steady_clock::time_point::max();
  // Open transactions wait on that disk too; what was read before it was full counts.
  const bool has_room = read.ok() || !is_full_disk(read.error());
  if (!read.ok() && has_room) return std::move(read).error();
  const bool is_idle = read.ok() && *read == connect::StreamState::kIdle;
  if (const auto* commit = last_commit(*batch)) {
    progress_.set_captured(commit->time);
    recover_by_.reset();
  }
  if (!batch->empty()) {
    unfinished_bytes_ += batch->used_bytes();
    unfinished_.push_back(std::move(batch));
    WHERRY_TRY(deliver(context));
    if (read.ok() && *read == connect::StreamState::kBacklog) let_apply_follow(context);
  }
  if (is_idle) progress_.set_captured(std::nullopt);
  WHERRY_TRY(sync_cache(is_idle));
  if (has_room) {
    end_pause();
    WHERRY_TRY(confirm(context));
  } else {
    WHERRY_TRY(pause(context, read.error()));
  }
  return look_at_head(context);
}

/// Nothing is on disk that was not read, so what comes now may stay in memory.
bool StreamFeed::may_use_memory() {
  std::lock_guard lock(mutex_);
  if (is_in_memory_) return true;
  if (!is_started_ || appended_ != 0 || !cache_->is_at_border() || !cache_->is_drained()) {
    return false;
  }
  is_in_memory_ = true;
  return true;
}

/// What is in memory stays there; what follows it need not make it more.
bool StreamFeed::has_waited_long() {
  std::lock_guard lock(mutex_);
  return !queue_.empty() &&
         std::chrono::steady_clock::now() - queue_.front().since >= options_.memory_keep;
}

Result<void> StreamFeed::deliver(OpContext& context) {
  for (;;) {
    if (context.stop.stop_requested()) return cancelled_error();
    if (unfinished_.empty()) return {};  // dropped while there was no room, and read again
    if (may_use_memory()) {
      std::uint64_t waiting = 0;
      {
        std::lock_guard lock(mutex_);
        waiting = queue_bytes_;
      }
      const bool has_room =
          waiting + unfinished_bytes_ <= options_.memory_bytes && !has_waited_long();
      // Whole transactions only: one that breaks off is read again from its beginning.
      if (has_room || waiting == 0) {
        if (ends_at_border(*unfinished_.back())) {
          hand_over();
          return {};
        }
        if (has_room) return {};
      }
    }
    if (!may_append()) {
      WHERRY_TRY(await_release(context));
      continue;
    }
    auto appended = append_to_cache();
    if (appended.ok() || !is_full_disk(appended.error())) return appended;
    WHERRY_TRY(pause(context, appended.error()));
  }
}

void StreamFeed::hand_over() {
  std::lock_guard lock(mutex_);
  Place end = read_to_;
  for (auto& batch : unfinished_) {
    const auto* commit = last_commit(*batch);
    if (commit != nullptr) end = {commit->position, commit->order};
    // What is taken back by start() must not come after it.
    if (rewind_to_) continue;
    queue_bytes_ += batch->used_bytes();
    const bool is_border = ends_at_border(*batch);
    queue_.push_back({std::move(batch), end, is_border});
  }
  read_to_ = end;
  unfinished_.clear();
  unfinished_bytes_ = 0;
  changed_.notify_all();
}

/// Rests while the apply is at work on enough.
void StreamFeed::let_apply_follow(const OpContext& context) {
  std::unique_lock lock(mutex_);
  for (auto taken = taken_; queue_bytes_ > options_.read_ahead_bytes; taken = taken_) {
    const bool goes_on = changed_.wait_for(lock, context.stop, options_.taking_pause,
                                           [&] { return taken_ != taken || rewind_to_; });
    if (!goes_on || rewind_to_) return;
  }
}

/// False: the cache would have to begin anew, and the source may have been told to forget what it
/// holds and the target does not have.
bool StreamFeed::may_append() {
  std::lock_guard lock(mutex_);
  if (!is_in_memory_ || rewind_to_) return true;
  const Place end = cache_->end();
  return end.position == read_to_.position || is_at_or_before(end, released_);
}

Result<void> StreamFeed::await_release(OpContext& context) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, context.stop, kLook, [] { return false; });
  }
  return confirm(context);
}

/// start() waits: what follows on what it wants to have again must not be taken for the next.
Result<void> StreamFeed::append_to_cache() {
  std::scoped_lock appending(cache_mutex_);
  Place from;
  bool begins = false, is_void = false;
  {
    std::lock_guard lock(mutex_);
    is_void = rewind_to_.has_value();
    begins = is_in_memory_;
    from = read_to_;
  }
  if (is_void) return drop_unfinished();
  if (begins && cache_->end().position != from.position) WHERRY_TRY(cache_->restart(from));
  if (begins) {
    log_.info("the target is behind: changes wait on disk");
    std::lock_guard lock(mutex_);
    is_in_memory_ = false;
  }
  while (!unfinished_.empty()) {
    WHERRY_TRY(cache_->append(*unfinished_.front(), appended_));
    unfinished_bytes_ -= unfinished_.front()->used_bytes();
    unfinished_.pop_front();
    appended_ = 0;
  }
  std::lock_guard lock(mutex_);
  read_to_ = cache_->end();
  changed_.notify_all();
  return {};
}

Result<void> StreamFeed::pause(OpContext& context, const Error& full) {
  {
    std::unique_lock lock(mutex_);
    if (!is_paused_) {
      log_.warn("reading is paused: the disk for changes that wait is full",
                {{"cause", full.to_log_text()}});
    }
    is_paused_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, context.stop, options_.full_disk_wait, [] { return false; });
  }
  if (context.stop.stop_requested()) return cancelled_error();
  WHERRY_TRY(give_back_cache());
  WHERRY_TRY(confirm(context));
  return look_at_head(context);
}

/// The file that is being written holds what the target has, until it is large enough: room that
/// others need now, the source's open transactions for one. Behind it may stand the beginning of a
/// transaction whose rest found no room: that one is read again, into a file of its own.
Result<void> StreamFeed::give_back_cache() {
  std::scoped_lock giving(cache_mutex_);
  const Place end = cache_->end();
  {
    std::lock_guard lock(mutex_);
    if (rewind_to_ || !is_at_or_before(end, released_)) return {};
  }
  if (!cache_->is_drained() || cache_->begin().position == end.position) return {};
  const bool has_unfinished = appended_ != 0 || !cache_->is_at_border();
  if (has_unfinished) WHERRY_TRY(drop_unfinished());
  // There may have been room for the rest in the meantime.
  const Place kept = cache_->end();
  if (kept.position == end.position) WHERRY_TRY(cache_->restart(end));
  if (!has_unfinished) return {};
  std::lock_guard lock(mutex_);
  rewind_to_ = kept;
  return {};
}

void StreamFeed::end_pause() {
  std::lock_guard lock(mutex_);
  if (is_paused_) log_.info("reading goes on: there is room on the disk again");
  is_paused_ = false;
}

Result<void> StreamFeed::sync_cache(bool is_idle) {
  const auto now = std::chrono::steady_clock::now();
  {
    std::lock_guard lock(mutex_);
    if (is_in_memory_) return {};
  }
  if (!is_idle && now - last_sync_ < options_.sync_interval) return {};
  last_sync_ = now;
  auto synced = cache_->sync();
  // Nothing is lost: it is tried again, and the source is not told meanwhile.
  return synced.ok() || is_full_disk(synced.error()) ? Result<void>() : std::move(synced);
}

Result<void> StreamFeed::confirm(OpContext& context) {
  Place target;
  {
    std::lock_guard lock(mutex_);
    target = released_;
    // What is on disk counts when nothing is missing between it and the target.
    const Place begin = cache_->begin();
    const Place end = cache_->durable_end();
    if (is_at_or_before(begin, released_) && is_at_or_before(released_, end)) target = end;
    if (target.position.empty() || target.position == confirmed_.position) return {};
  }
  WHERRY_TRY(stream_->confirm(context, target.position));
  std::lock_guard lock(mutex_);
  confirmed_ = target;
  return {};
}

Result<void> StreamFeed::look_at_head(OpContext& context) {
  const auto now = std::chrono::steady_clock::now();
  std::uint64_t wanted = 0;
  {
    std::lock_guard lock(mutex_);
    wanted = heads_wanted_;
    if (wanted == heads_had_ && now - last_head_ < options_.head_interval) return {};
  }
  last_head_ = now;
  WHERRY_ASSIGN(connect::SourceHead head, stream_->head(context));
  guard_.note(now, head);
  std::lock_guard lock(mutex_);
  if (head.order <= read_to_.order) recover_by_.reset();  // nothing comes after it
  head_ = std::move(head);
  log_lost_in_ = guard_.until_lost();
  heads_had_ = wanted;
  changed_.notify_all();
  return {};
}

Result<connect::SourceHead> StreamFeed::wait_for_head(OpContext& context) {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = ++heads_wanted_;
  changed_.wait(lock, context.stop, [&] { return heads_had_ >= wanted || failure_; });
  if (context.stop.stop_requested()) return cancelled_error();
  if (failure_) return *failure_;
  return *head_;
}

Result<void> StreamFeed::start(OpContext&, const Position& from) {
  Place place = from_;
  if (!from.empty() && from != from_.position) {
    WHERRY_ASSIGN(place, place_of(source_, from));
  }
  std::scoped_lock reading(cache_mutex_);
  std::lock_guard lock(mutex_);
  is_started_ = true;
  if (!next_from_.position.empty() && next_from_.position == place.position && !rewind_to_)
    return {};
  queue_.clear();
  queue_bytes_ = 0;
  next_from_ = place;
  released_ = is_at_or_before(released_, place) ? place : released_;
  if (!cache_->covers(place)) {
    rewind_to_ = place;
    return {};
  }
  // The source may have been told to forget what the cache has; what came after that is had again.
  if (is_in_memory_ || rewind_to_) rewind_to_ = cache_->end();
  is_in_memory_ = false;
  return cache_->seek(place);
}

Result<ChangeBatchPtr> StreamFeed::read_cache() {
  std::scoped_lock reading(cache_mutex_);
  {
    std::lock_guard lock(mutex_);
    // Both may have changed since the caller looked.
    if (!queue_.empty() || is_in_memory_ || rewind_to_) return ChangeBatchPtr();
  }
  auto batch = fresh_batch();
  WHERRY_ASSIGN(const bool has_any, cache_->read(*batch));
  if (!has_any) return ChangeBatchPtr();
  const auto* commit = last_commit(*batch);
  std::lock_guard lock(mutex_);
  next_from_ = commit != nullptr && ends_at_border(*batch) ? Place{commit->position, commit->order}
                                                           : Place();
  return ChangeBatchPtr(std::move(batch));
}

Result<ChangeBatchPtr> StreamFeed::next(OpContext& context) {
  std::unique_lock lock(mutex_);
  const auto has_cached = [&] { return !is_in_memory_ && !rewind_to_ && !cache_->is_drained(); };
  for (;;) {
    if (context.stop.stop_requested()) return cancelled_error();
    if (failure_) return *failure_;
    if (!queue_.empty()) {
      Waiting waiting = std::move(queue_.front());
      queue_.pop_front();
      queue_bytes_ -= waiting.batch->used_bytes();
      ++taken_;
      next_from_ = waiting.ends_at_border ? waiting.end : Place();
      changed_.notify_all();
      return std::move(waiting.batch);
    }
    if (has_cached()) {
      lock.unlock();
      WHERRY_ASSIGN(ChangeBatchPtr batch, read_cache());
      if (batch) return batch;
      lock.lock();
      continue;
    }
    const auto is_there = [&] { return failure_ || !queue_.empty() || has_cached(); };
    if (context.deadline == std::chrono::steady_clock::time_point::max()) {
      changed_.wait(lock, context.stop, is_there);
    } else if (!changed_.wait_until(lock, context.stop, context.deadline, is_there)) {
      if (context.stop.stop_requested()) return cancelled_error();
      return ChangeBatchPtr();
    }
  }
}

bool StreamFeed::is_empty() const {
  std::lock_guard lock(mutex_);
  return queue_.empty() && (is_in_memory_ || cache_->is_drained());
}

Result<void> StreamFeed::release(OpContext&, const connect::Checkpoint& durable) {
  if (durable.position.empty()) return {};
  WHERRY_ASSIGN(const Place place, place_of(source_, durable.position));
  {
    std::lock_guard lock(mutex_);
    released_ = place;
    changed_.notify_all();
  }
  return cache_->release(place);
}

FeedStatus StreamFeed::status() const {
  std::lock_guard lock(mutex_);
  FeedStatus status;
  status.memory_bytes = queue_bytes_;
  status.disk_bytes = cache_->disk_bytes();
  status.is_paused = is_paused_;
  status.is_reading_disk = is_started_ && !is_in_memory_;
  status.read_to = read_to_;
  status.confirmed = confirmed_;
  status.head = head_;
  status.log_lost_in = log_lost_in_;
  status.restarts = restarts_;
  status.interruption = interruption_;
  return status;
}

std::optional<Error> StreamFeed::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace wherry::engine
