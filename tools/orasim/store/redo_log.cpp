#include "store/redo_log.h"

#include <algorithm>

namespace orasim {

/// Guarded by the mutex of the RedoLog.
class RedoLogFile {
 public:
  RedoLogInfo info;
  std::uint64_t end = 0;  ///< bytes of records, block headers not counted
  std::vector<RedoRecordPtr> records;
};

namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::uint32_t kBlockHead = 16;
constexpr std::uint32_t kFirstBlock = 2;  // behind the file and the log header
constexpr std::uint32_t kBlockData = RedoLog::kBlockBytes - kBlockHead;

RedoAddress address_at(std::uint32_t sequence, std::uint64_t byte) {
  return {sequence, static_cast<std::uint32_t>(kFirstBlock + byte / kBlockData),
          static_cast<std::uint16_t>(kBlockHead + byte % kBlockData)};
}

std::uint64_t byte_at(const RedoAddress& a) {
  return std::uint64_t{a.block - kFirstBlock} * kBlockData + (a.offset - kBlockHead);
}

ByteWriter redo_writer(std::uint8_t event) {
  ByteWriter w;
  w.u8(static_cast<std::uint8_t>(RecordKind::kRedo));
  w.u8(event);
  return w;
}

}  // namespace

RedoRecord undo_of(const RedoRecord& change) {
  RedoRecord undo = change;
  undo.is_undo = true;
  undo.logged = SlotSet();
  switch (change.kind) {
    case RedoKind::kInsert:
      undo.kind = RedoKind::kDelete;
      undo.new_image.clear();
      break;
    case RedoKind::kDelete:
      undo.kind = RedoKind::kInsert;
      std::swap(undo.old_image, undo.new_image);
      break;
    default:
      std::swap(undo.old_image, undo.new_image);
  }
  return undo;
}

void RedoLog::start() {
  const std::lock_guard lock(mutex_);
  if (threads_.empty()) begin_first_file(log_.now_micros() / kMicrosPerSecond);
}

RedoLog::Thread& RedoLog::thread_at(std::uint32_t number) {
  return threads_.at(number);
}
const RedoLog::Thread& RedoLog::thread_at(std::uint32_t number) const {
  return threads_.at(number);
}

void RedoLog::end_file(Thread& thread, Scn end_scn, std::int64_t unix_seconds) {
  if (thread.files.empty()) return;
  RedoLogInfo& left = thread.current().info;
  if (left.is_archived) return;
  left.next_scn = end_scn;
  left.next_unix = unix_seconds;
  left.is_archived = true;
}

void RedoLog::begin_file(std::uint32_t thread, std::uint32_t sequence, Scn first_scn,
                         std::int64_t unix_seconds) {
  Thread& of = threads_[thread];
  end_file(of, first_scn, unix_seconds);
  auto file = std::make_shared<RedoLogFile>();
  file->info.thread = thread;
  file->info.sequence = sequence;
  file->info.first_scn = first_scn;
  file->info.first_unix = unix_seconds;
  of.files[sequence] = std::move(file);
  drop_oldest(of);
}

void RedoLog::begin_first_file(std::int64_t unix_seconds) {
  begin_file(1, 1, log_.first_scn(), unix_seconds);
  thread_at(1).enable_scn = log_.first_scn();
}

void RedoLog::drop_oldest(const Thread& thread) const {
  std::uint64_t bytes = 0;
  for (auto it = thread.files.rbegin(); it != thread.files.rend(); ++it) {
    RedoLogFile& file = *it->second;
    const bool is_online = it->first + kGroups > thread.files.rbegin()->first;
    bytes += file.info.bytes;
    if (is_online || file.records.empty() || bytes <= archived_bytes_limit_) continue;
    file.info.is_deleted = true;
    file.records.clear();
    file.info.bytes = 0;
  }
}

void RedoLog::place(std::vector<RedoRecord>& records) const {
  const std::lock_guard lock(mutex_);
  std::map<std::uint32_t, std::uint64_t> ends;
  for (RedoRecord& r : records) {
    const RedoLogFile& file = thread_at(r.thread).current();
    std::uint64_t& byte = ends.try_emplace(r.thread, file.end).first->second;
    r.address = address_at(file.info.sequence, byte);
    // Made before a switch and written behind it: no log has SCNs below its first.
    r.scn = std::max(r.scn, file.info.first_scn);
    byte += r.redo_bytes();
  }
}

void RedoLog::add(RedoRecord r) {
  Thread& thread = thread_at(r.thread);
  RedoLogFile& file = thread.current();
  file.end = byte_at(r.address) + r.redo_bytes();
  file.info.bytes = std::uint64_t{kBlockBytes} * (kFirstBlock + file.end / kBlockData + 1);
  thread.last_scn = std::max(thread.last_scn, r.scn);
  last_transaction_ = std::max(last_transaction_, r.transaction);
  file.records.push_back(std::make_shared<const RedoRecord>(std::move(r)));
}

void RedoLog::publish(std::vector<RedoRecord> records) {
  const std::lock_guard lock(mutex_);
  for (RedoRecord& r : records) add(std::move(r));
}

std::string RedoLog::records_payload(const std::vector<RedoRecord>& records) const {
  ByteWriter w = redo_writer(static_cast<std::uint8_t>(Event::kRecords));
  for (const RedoRecord& r : records) write_redo_record(r, w);
  return std::move(w.out());
}

void RedoLog::append(std::vector<RedoRecord> records) {
  if (records.empty()) return;
  log_.append_with([&] { place(records); }, [&] { return records_payload(records); },
                   [&] { publish(std::move(records)); });
}

void RedoLog::take_event(Event event, std::uint32_t thread,
                         const std::function<void(Scn, std::int64_t)>& done) {
  Scn scn = 0;
  const std::int64_t now = log_.now_micros() / kMicrosPerSecond;
  // Changes that were made before have the SCN that is taken here.
  log_.append_with([&] { scn = log_.take_scn_locked() + 1; },
                   [&] {
                     ByteWriter w = redo_writer(static_cast<std::uint8_t>(event));
                     w.varint(thread);
                     w.varint(scn);
                     w.i64(now);
                     return std::move(w.out());
                   },
                   [&] {
                     const std::lock_guard lock(mutex_);
                     done(scn, now);
                   });
}

void RedoLog::switch_log(std::uint32_t thread) {
  take_event(Event::kSwitch, thread, [&](Scn scn, std::int64_t now) {
    begin_file(thread, thread_at(thread).current().info.sequence + 1, scn, now);
  });
}

bool RedoLog::is_full(std::uint32_t thread) const {
  const std::lock_guard lock(mutex_);
  return thread_at(thread).current().info.bytes >= file_bytes_;
}

bool RedoLog::delete_archived(std::uint32_t thread, std::uint32_t sequence, bool known) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = threads_.find(thread);
    if (found == threads_.end()) return false;
    const auto file = found->second.files.find(sequence);
    if (file == found->second.files.end() || !file->second->info.is_archived) return false;
  }
  log_.append_with([] {},
                   [&] {
                     ByteWriter w = redo_writer(static_cast<std::uint8_t>(Event::kDelete));
                     w.varint(thread);
                     w.varint(sequence);
                     w.boolean(known);
                     return std::move(w.out());
                   },
                   [&] { mark_deleted(thread, sequence, known); });
  return true;
}

void RedoLog::mark_deleted(std::uint32_t thread, std::uint32_t sequence, bool known) {
  const std::lock_guard lock(mutex_);
  const Thread& of = thread_at(thread);
  const auto found = of.files.find(sequence);
  if (found == of.files.end()) return;
  (known ? found->second->info.is_deleted : found->second->info.is_lost) = true;
}

bool RedoLog::enable_thread(std::uint32_t thread) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = threads_.find(thread);
    const bool is_enabled = found != threads_.end() && found->second.is_enabled;
    if (thread == 0 || thread > kMostThreads || is_enabled) return false;
  }
  take_event(Event::kEnable, thread, [&](Scn scn, std::int64_t now) { enable(thread, scn, now); });
  return true;
}

void RedoLog::enable(std::uint32_t thread, Scn scn, std::int64_t unix_seconds) {
  Thread& of = threads_[thread];
  const std::uint32_t last = of.files.empty() ? 0 : of.current().info.sequence;
  begin_file(thread, last + 1, scn, unix_seconds);
  of.is_enabled = true;
  of.enable_scn = of.last_scn = scn;
}

bool RedoLog::disable_thread(std::uint32_t thread) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = threads_.find(thread);
    const auto enabled = std::count_if(threads_.begin(), threads_.end(),
                                       [](const auto& each) { return each.second.is_enabled; });
    if (found == threads_.end() || !found->second.is_enabled || enabled < 2) return false;
  }
  take_event(Event::kDisable, thread,
             [&](Scn scn, std::int64_t now) { disable(thread, scn, now); });
  return true;
}

void RedoLog::disable(std::uint32_t thread, Scn scn, std::int64_t unix_seconds) {
  Thread& of = thread_at(thread);
  end_file(of, scn, unix_seconds);
  of.is_enabled = false;
  of.disable_scn = scn;
}

void RedoLog::reset_logs() {
  take_event(Event::kResetLogs, 0, [&](Scn scn, std::int64_t now) { reset(scn, now); });
}

void RedoLog::reset(Scn scn, std::int64_t unix_seconds) {
  resetlogs_scn_ = scn;
  for (auto& [number, thread] : threads_) {
    thread.files.clear();
    thread.enable_scn = scn;
    if (thread.is_enabled) begin_file(number, 1, scn, unix_seconds);
  }
  std::erase_if(threads_, [](const auto& each) { return !each.second.is_enabled; });
}

Scn RedoLog::resetlogs_scn() const {
  const std::lock_guard lock(mutex_);
  return resetlogs_scn_ == 0 ? log_.first_scn() : resetlogs_scn_;
}

std::uint32_t RedoLog::thread_of_session(std::uint32_t session_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint32_t> enabled;
  for (const auto& [number, thread] : threads_) {
    if (thread.is_enabled) enabled.push_back(number);
  }
  return enabled.at(session_id % enabled.size());
}

std::vector<RedoThreadInfo> RedoLog::threads() const {
  const std::lock_guard lock(mutex_);
  std::vector<RedoThreadInfo> out;
  for (const auto& [number, thread] : threads_) {
    const RedoLogFile& file = thread.current();
    out.push_back({number, thread.is_enabled, thread.enable_scn, thread.disable_scn,
                   address_at(file.info.sequence, file.end), thread.last_scn});
  }
  return out;
}

void RedoLog::set_file_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  file_bytes_ = bytes;
}

std::uint64_t RedoLog::file_bytes() const {
  const std::lock_guard lock(mutex_);
  return file_bytes_;
}

std::vector<RedoLogInfo> RedoLog::files() const {
  const std::lock_guard lock(mutex_);
  std::vector<RedoLogInfo> out;
  for (const auto& [number, thread] : threads_) {
    for (const auto& [sequence, file] : thread.files) out.push_back(file->info);
  }
  return out;
}

RedoLogFilePtr RedoLog::find(std::uint32_t thread, std::uint32_t sequence) const {
  const std::lock_guard lock(mutex_);
  const auto of = threads_.find(thread);
  if (of == threads_.end()) return nullptr;
  const auto found = of->second.files.find(sequence);
  return found == of->second.files.end() ? nullptr : found->second;
}

RedoLogInfo RedoLog::info(const RedoLogFile& file) const {
  const std::lock_guard lock(mutex_);
  return file.info;
}

std::vector<RedoRecordPtr> RedoLog::read(const RedoLogFile& file, std::size_t from,
                                         std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  if (from >= file.records.size()) return {};
  const auto first = file.records.begin() + static_cast<std::ptrdiff_t>(from);
  return {first, first + static_cast<std::ptrdiff_t>(std::min(limit, file.records.size() - from))};
}

bool RedoLog::is_overwritten(std::uint32_t thread, std::uint32_t sequence) const {
  const std::lock_guard lock(mutex_);
  return sequence + kGroups <= thread_at(thread).current().info.sequence;
}

RedoAddress RedoLog::end(std::uint32_t thread) const {
  const std::lock_guard lock(mutex_);
  const auto found = threads_.find(thread);
  if (found == threads_.end()) return {};
  const RedoLogFile& file = found->second.current();
  return address_at(file.info.sequence, file.end);
}

void RedoLog::note_open(const RedoRecordPtr& r) {
  if (r->kind == RedoKind::kCommit || r->kind == RedoKind::kRollback) {
    open_.erase(r->transaction);
  } else if (r->is_undo) {
    // Undo is always of the newest change that is left.
    auto& changes = open_[r->transaction];
    if (!changes.empty() && changes.back()->is_row()) changes.pop_back();
  } else {
    open_[r->transaction].push_back(r);
  }
}

void RedoLog::restore_record(StoredRedoRecord stored, const FindTable& find_table) {
  const std::lock_guard lock(mutex_);
  if (stored.object_id != 0) stored.record.table = find_table(stored.object_id);
  const std::uint32_t number = stored.record.thread;
  if (threads_.empty()) begin_first_file(stored.record.unix_seconds);
  if (stored.record.is_row() && stored.record.table == nullptr) {
    throw CorruptBytes("redo is of a table that is not in the catalog");
  }
  const auto thread = threads_.find(number);
  if (thread == threads_.end() ||
      stored.record.address.sequence != thread->second.current().info.sequence) {
    throw CorruptBytes("redo is of another log file than its place says");
  }
  add(std::move(stored.record));
  note_open(thread->second.current().records.back());
}

void RedoLog::restore_records(ByteReader& in, const FindTable& find_table) {
  while (!in.at_end()) restore_record(read_redo_record(in), find_table);
}

void RedoLog::restore(ByteReader& in, const FindTable& find_table) {
  const auto event = static_cast<Event>(in.u8());
  if (event == Event::kRecords) return restore_records(in, find_table);
  const auto thread = static_cast<std::uint32_t>(in.varint());
  if (event == Event::kDelete) {
    const auto sequence = static_cast<std::uint32_t>(in.varint());
    return mark_deleted(thread, sequence, in.boolean());
  }
  const Scn scn = in.varint();
  const std::int64_t now = in.i64();
  log_.restore(scn - 1, now * kMicrosPerSecond);
  const std::lock_guard lock(mutex_);
  if (threads_.empty()) begin_first_file(now);
  switch (event) {
    case Event::kSwitch:
      return begin_file(thread, thread_at(thread).current().info.sequence + 1, scn, now);
    case Event::kEnable:
      return enable(thread, scn, now);
    case Event::kDisable:
      return disable(thread, scn, now);
    case Event::kResetLogs:
      return reset(scn, now);
    default:
      throw CorruptBytes("a redo event is of an unknown kind");
  }
}

void RedoLog::undo_open_transactions() {
  // Whichever instance recovers another one writes it.
  const std::uint32_t thread = thread_of_session(0);
  std::vector<RedoRecord> undo;
  const std::int64_t now = log_.now_micros() / kMicrosPerSecond;
  for (const auto& [number, changes] : open_) {
    const Scn scn = log_.next_scn();
    RedoRecord end;
    end.kind = RedoKind::kRollback;
    end.thread = thread;
    for (auto it = changes.rbegin(); it != changes.rend(); ++it) {
      end.start_scn = (*it)->scn;
      if (!(*it)->is_row()) continue;
      undo.push_back(undo_of(**it));
      undo.back().thread = thread;
      undo.back().scn = scn;
      undo.back().unix_seconds = now;
    }
    end.transaction = number;
    end.scn = scn;
    end.unix_seconds = now;
    undo.push_back(std::move(end));
  }
  open_.clear();
  append(std::move(undo));
}

}  // namespace orasim
