#include "changes/change_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

#include "changes/byte_io.h"

namespace wherry::changes {
namespace {

constexpr std::string_view kEnding = ".changes";
constexpr std::string_view kAbout = "cache";

std::string about_text(const Place& from) {
  std::string bytes;
  ByteWriter out(bytes);
  out.text(kAbout);
  out.number(from.order);
  out.text(from.position.text);
  return bytes;
}

std::optional<Place> parse_about(std::string_view bytes) {
  ByteReader in(bytes);
  const bool is_cache = in.text() == kAbout;
  Place from;
  from.order = in.number();
  from.position.text = in.text();
  if (!is_cache || in.has_failed() || !in.empty()) return std::nullopt;
  return from;
}

std::optional<std::uint64_t> number_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (status != std::errc{} || std::string_view(end) != kEnding) return std::nullopt;
  return number;
}

bool ends_transaction(const connect::Change& change) {
  return change.kind == connect::ChangeKind::kCommit ||
         change.kind == connect::ChangeKind::kHeartbeat;
}

Place place_of(const connect::CommitInfo& commit) {
  return {commit.position, commit.order};
}

Result<Place> begin_of(const std::filesystem::path& path) {
  WHERRY_ASSIGN(BlockReader file, BlockReader::open(path));
  Block block;
  WHERRY_ASSIGN(const BlockState state, file.next(UINT64_MAX, block));
  if (state == BlockState::kBlock && block.kind == BlockKind::kAbout) {
    if (const auto from = parse_about(block.raw)) return *from;
  }
  return damaged_error().with("file", path.string());
}

}  // namespace

std::filesystem::path ChangeCache::path_of(std::uint64_t number) const {
  return options_.directory / (std::to_string(number) + std::string(kEnding));
}

Result<std::unique_ptr<ChangeCache>> ChangeCache::open(Options options) {
  std::error_code failure;
  std::filesystem::create_directories(options.directory, failure);
  if (failure) return file_error(options.directory, failure.value(), "make the directory of");
  auto cache = std::unique_ptr<ChangeCache>(new ChangeCache(std::move(options)));
  WHERRY_TRY(cache->recover());
  return cache;
}

Result<void> ChangeCache::recover() {
  std::vector<std::uint64_t> numbers;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, failure)) {
    if (const auto number = number_of(entry.path())) numbers.push_back(*number);
  }
  if (failure) return file_error(options_.directory, failure.value(), "list the directory of");
  std::sort(numbers.begin(), numbers.end());
  if (!numbers.empty()) next_number_ = numbers.back() + 1;
  while (!numbers.empty()) {
    WHERRY_ASSIGN(const bool has_changes, take_over_last(numbers.back()));
    numbers.pop_back();
    if (has_changes) break;
  }
  while (!numbers.empty()) {
    Segment segment;
    segment.number = numbers.back();
    WHERRY_ASSIGN(segment.from, begin_of(path_of(segment.number)));
    segment.readable_bytes = std::filesystem::file_size(path_of(segment.number), failure);
    if (failure) return file_error(path_of(segment.number), failure.value(), "read");
    disk_bytes_ += segment.readable_bytes;
    segments_.push_front(std::move(segment));
    numbers.pop_back();
  }
  if (!segments_.empty()) begin_ = segments_.front().from;
  durable_end_ = appended_end_ = written_end_ = end_;
  return {};
}

/// False: the file holds nothing, and is removed.
Result<bool> ChangeCache::take_over_last(std::uint64_t number) {
  const std::filesystem::path path = path_of(number);
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) < kFileHead.size()) {
    std::filesystem::remove(path, ignored);
    return false;
  }
  WHERRY_ASSIGN(const SurvivingLog log, survey(path, options_.spill_directory));
  const auto from = log.about ? parse_about(*log.about) : std::nullopt;
  if (log.about && !from) return damaged_error().with("file", path.string());
  if (from && !is_known_) {
    is_known_ = true;
    begin_ = *from;
    end_ = log.last ? place_of(*log.last) : *from;
  }
  if (!from || !log.last) {
    std::filesystem::remove(path, ignored);
    return false;
  }
  WHERRY_ASSIGN(BlockWriter file, BlockWriter::reopen(path, log.size_bytes, compressor_));
  WHERRY_TRY(file.sync());
  segments_.push_front({number, *from, log.size_bytes});
  disk_bytes_ += log.size_bytes;
  return true;
}

bool ChangeCache::is_empty() const {
  std::lock_guard lock(mutex_);
  return !is_known_;
}
Place ChangeCache::begin() const {
  std::lock_guard lock(mutex_);
  return begin_;
}
Place ChangeCache::end() const {
  std::lock_guard lock(mutex_);
  return end_;
}
Place ChangeCache::durable_end() const {
  std::lock_guard lock(mutex_);
  return durable_end_;
}
bool ChangeCache::covers(const Place& place) const {
  std::lock_guard lock(mutex_);
  return is_known_ && is_at_or_before(begin_, place) && is_at_or_before(place, end_);
}
bool ChangeCache::is_drained() const {
  std::lock_guard lock(mutex_);
  return read_end_.position == end_.position;
}

Result<void> ChangeCache::restart(const Place& from) {
  writer_.reset();
  reader_.reset();
  std::lock_guard lock(mutex_);
  for (const Segment& segment : segments_) {
    std::error_code ignored;
    std::filesystem::remove(path_of(segment.number), ignored);
  }
  segments_.clear();
  disk_bytes_ = 0;
  is_known_ = true;
  is_at_border_ = true;
  read_number_ = 0;
  begin_ = end_ = durable_end_ = appended_end_ = written_end_ = read_end_ = from;
  return {};
}

Result<void> ChangeCache::sync_directory() const {
  const int fd = ::open(options_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error(options_.directory, errno, "open the directory of");
  const int synced = ::fsync(fd);
  const int number = errno;
  ::close(fd);
  if (synced != 0) return file_error(options_.directory, number, "sync the directory of");
  return {};
}

Result<void> ChangeCache::begin_segment() {
  if (writer_) WHERRY_TRY(sync());
  const std::uint64_t number = next_number_;
  const auto made = [&]() -> Result<BlockWriter> {
    WHERRY_ASSIGN(BlockWriter file, BlockWriter::create(path_of(number), compressor_));
    WHERRY_TRY(file.write(BlockKind::kAbout, false, about_text(appended_end_)));
    WHERRY_TRY(sync_directory());
    return file;
  };
  auto file = made();
  if (!file.ok()) {
    std::error_code ignored;
    std::filesystem::remove(path_of(number), ignored);
    return std::move(file).error();
  }
  ++next_number_;
  writer_ = std::make_unique<ChangeLogWriter>(std::move(*file));
  std::lock_guard lock(mutex_);
  segments_.push_back({number, appended_end_, writer_->border_bytes()});
  disk_bytes_ += writer_->border_bytes();
  return {};
}

Result<void> ChangeCache::add(const connect::ChangeBatch& batch, const connect::Change& change) {
  if (is_at_border_ && (!writer_ || writer_->all_bytes() >= options_.segment_bytes)) {
    WHERRY_TRY(begin_segment());
  }
  const std::uint64_t before = writer_->border_bytes();
  auto added = writer_->add(batch, change);
  if (writer_->border_bytes() != before) written_end_ = appended_end_;
  WHERRY_TRY(std::move(added));
  is_at_border_ = ends_transaction(change);
  if (is_at_border_) appended_end_ = place_of(batch.commit(change));
  return {};
}

void ChangeCache::publish() {
  if (!writer_) return;
  std::lock_guard lock(mutex_);
  Segment& last = segments_.back();
  disk_bytes_ += writer_->border_bytes() - last.readable_bytes;
  last.readable_bytes = writer_->border_bytes();
  end_ = written_end_;
}

Result<void> ChangeCache::append(const connect::ChangeBatch& batch, std::size_t& next) {
  Result<void> done;
  for (; next < batch.changes().size(); ++next) {
    done = add(batch, batch.changes()[next]);
    if (!done.ok()) break;
  }
  if (done.ok() && writer_) {
    done = writer_->flush();
    if (done.ok()) written_end_ = appended_end_;
  }
  publish();
  return done;
}

Result<void> ChangeCache::sync() {
  if (!writer_) return {};
  WHERRY_TRY(writer_->flush());
  written_end_ = appended_end_;
  publish();
  if (durable_end().position == written_end_.position) return {};
  WHERRY_TRY(writer_->sync());
  std::lock_guard lock(mutex_);
  durable_end_ = written_end_;
  return {};
}

Result<void> ChangeCache::drop_unfinished() {
  if (!writer_) return {};
  auto flushed = writer_->flush();
  if (flushed.ok()) {
    written_end_ = appended_end_;
  } else if (flushed.error().code != "spill.disk_full") {
    return flushed;
  }
  WHERRY_TRY(writer_->drop_unwritten());
  appended_end_ = written_end_;
  is_at_border_ = true;
  publish();
  return {};
}

Result<void> ChangeCache::open_reader(std::uint64_t number) {
  WHERRY_ASSIGN(ChangeLogReader reader,
                ChangeLogReader::open(path_of(number), options_.spill_directory));
  reader_ = std::make_unique<ChangeLogReader>(std::move(reader));
  std::lock_guard lock(mutex_);
  read_number_ = number;
  return {};
}

/// The last one that begins at or before the place; 0: there are no changes at all.
std::uint64_t ChangeCache::segment_before(const Place& place) const {
  std::lock_guard lock(mutex_);
  std::uint64_t number = segments_.empty() ? 0 : segments_.front().number;
  for (const Segment& segment : segments_) {
    if (is_at_or_before(segment.from, place)) number = segment.number;
  }
  return number;
}

/// How many commits and heartbeats come before the place, from where the reader is.
Result<std::uint64_t> ChangeCache::count_borders(const Place& place) {
  for (std::uint64_t count = 0;;) {
    skipped_.reset();
    WHERRY_ASSIGN(const bool has_record, read_record(skipped_));
    if (!has_record) return count;
    const connect::Change& change = skipped_.changes().back();
    if (!ends_transaction(change)) continue;
    const Place border = place_of(skipped_.commit(change));
    if (border.order > place.order) return count;
    ++count;
    if (border.position == place.position) return count;
  }
}

Result<void> ChangeCache::seek(const Place& place) {
  {
    std::lock_guard lock(mutex_);
    read_end_ = place;
    read_number_ = 0;
  }
  reader_.reset();
  const std::uint64_t number = segment_before(place);
  if (number == 0) return {};
  WHERRY_TRY(open_reader(number));
  const auto begins_there = [&] {
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(segments_.begin(), segments_.end(),
                                    [&](const Segment& s) { return s.number == number; });
    return found->from.position == place.position;
  };
  if (begins_there()) return {};
  WHERRY_ASSIGN(std::uint64_t left, count_borders(place));
  WHERRY_TRY(open_reader(number));
  while (left > 0) {
    skipped_.reset();
    WHERRY_ASSIGN(const bool has_record, read_record(skipped_));
    WHERRY_ASSERT(has_record, "a record that was there is gone");
    const connect::Change& change = skipped_.changes().back();
    if (!ends_transaction(change)) continue;
    --left;
    std::lock_guard lock(mutex_);
    read_end_ = place_of(skipped_.commit(change));
  }
  return {};
}

Result<bool> ChangeCache::read_record(connect::ChangeBatch& out) {
  for (;;) {
    std::uint64_t limit = 0;
    std::uint64_t next = 0;
    {
      std::lock_guard lock(mutex_);
      if (segments_.empty()) return false;
      if (read_number_ == 0) next = segments_.front().number;
      for (const Segment& segment : segments_) {
        if (segment.number == read_number_) limit = segment.readable_bytes;
        if (segment.number > read_number_ && next == 0) next = segment.number;
      }
    }
    if (reader_) {
      WHERRY_ASSIGN(const bool has_record, reader_->next(limit, out));
      if (has_record) return true;
      if (next == 0) return false;
    }
    WHERRY_TRY(open_reader(next));
  }
}

Result<bool> ChangeCache::read(connect::ChangeBatch& out) {
  bool has_any = false;
  while (!out.is_full()) {
    WHERRY_ASSIGN(const bool has_record, read_record(out));
    if (!has_record) break;
    has_any = true;
    const connect::Change& change = out.changes().back();
    if (!ends_transaction(change)) continue;
    std::lock_guard lock(mutex_);
    read_end_ = place_of(out.commit(change));
  }
  return has_any;
}

Result<void> ChangeCache::release(const Place& place) {
  std::lock_guard lock(mutex_);
  while (segments_.size() > 1 && is_at_or_before(segments_[1].from, place) &&
         (read_number_ == 0 || segments_.front().number < read_number_)) {
    std::error_code ignored;
    std::filesystem::remove(path_of(segments_.front().number), ignored);
    disk_bytes_ -= segments_.front().readable_bytes;
    segments_.pop_front();
    begin_ = segments_.front().from;
  }
  return {};
}

}  // namespace wherry::changes
