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
  is_started_ = true;
  if (files_.empty()) {
    begin_file(1, log_.first_scn(), log_.now_micros() / kMicrosPerSecond);
  }
}

void RedoLog::begin_file(std::uint32_t sequence, Scn first_scn, std::int64_t unix_seconds) {
  if (!files_.empty()) {
    RedoLogInfo& left = current().info;
    left.next_scn = first_scn;
    left.next_unix = unix_seconds;
    left.is_archived = true;
  }
  auto file = std::make_shared<RedoLogFile>();
  file->info.sequence = sequence;
  file->info.first_scn = first_scn;
  file->info.first_unix = unix_seconds;
  files_[sequence] = std::move(file);
  drop_oldest();
}

void RedoLog::drop_oldest() {
  std::uint64_t bytes = 0;
  for (auto it = files_.rbegin(); it != files_.rend(); ++it) {
    RedoLogFile& file = *it->second;
    const bool is_online = it->first + kGroups > files_.rbegin()->first;
    bytes += file.info.bytes;
    if (is_online || file.records.empty() || bytes <= archived_bytes_limit_) continue;
    file.info.is_deleted = true;
    file.records.clear();
    file.info.bytes = 0;
  }
}

void RedoLog::place(std::vector<RedoRecord>& records) const {
  const std::lock_guard lock(mutex_);
  const RedoLogFile& file = current();
  std::uint64_t byte = file.end;
  for (RedoRecord& r : records) {
    r.address = address_at(file.info.sequence, byte);
    // Made before a switch and written behind it: no log has SCNs below its first.
    r.scn = std::max(r.scn, file.info.first_scn);
    byte += r.redo_bytes();
  }
}

void RedoLog::add(RedoRecord r) {
  RedoLogFile& file = current();
  file.end = byte_at(r.address) + r.redo_bytes();
  file.info.bytes = std::uint64_t{kBlockBytes} * (kFirstBlock + file.end / kBlockData + 1);
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

void RedoLog::switch_log() {
  Scn first = 0;
  const std::int64_t now = log_.now_micros() / kMicrosPerSecond;
  // Changes that were made before have the SCN that is taken here.
  log_.append_with([&] { first = log_.take_scn_locked() + 1; },
                   [&] {
                     ByteWriter w = redo_writer(static_cast<std::uint8_t>(Event::kSwitch));
                     w.varint(current().info.sequence + 1);
                     w.varint(first);
                     w.i64(now);
                     return std::move(w.out());
                   },
                   [&] {
                     const std::lock_guard lock(mutex_);
                     begin_file(current().info.sequence + 1, first, now);
                   });
}

bool RedoLog::is_full() const {
  const std::lock_guard lock(mutex_);
  return current().info.bytes >= file_bytes_;
}

bool RedoLog::delete_archived(std::uint32_t sequence, bool known) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(sequence);
    if (found == files_.end() || !found->second->info.is_archived) return false;
  }
  log_.append_with([] {},
                   [&] {
                     ByteWriter w = redo_writer(static_cast<std::uint8_t>(Event::kDelete));
                     w.varint(sequence);
                     w.boolean(known);
                     return std::move(w.out());
                   },
                   [&] { mark_deleted(sequence, known); });
  return true;
}

void RedoLog::mark_deleted(std::uint32_t sequence, bool known) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(sequence);
  if (found == files_.end()) return;
  (known ? found->second->info.is_deleted : found->second->info.is_lost) = true;
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
  for (const auto& [sequence, file] : files_) out.push_back(file->info);
  return out;
}

RedoLogFilePtr RedoLog::find(std::uint32_t sequence) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(sequence);
  return found == files_.end() ? nullptr : found->second;
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

bool RedoLog::is_overwritten(std::uint32_t sequence) const {
  const std::lock_guard lock(mutex_);
  return sequence + kGroups <= current().info.sequence;
}

RedoAddress RedoLog::end() const {
  const std::lock_guard lock(mutex_);
  return address_at(current().info.sequence, current().end);
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
  if (files_.empty()) begin_file(1, log_.first_scn(), stored.record.unix_seconds);
  if (stored.record.is_row() && stored.record.table == nullptr) {
    throw CorruptBytes("redo is of a table that is not in the catalog");
  }
  if (stored.record.address.sequence != current().info.sequence) {
    throw CorruptBytes("redo is of another log file than its place says");
  }
  add(std::move(stored.record));
  note_open(current().records.back());
}

void RedoLog::restore_records(ByteReader& in, const FindTable& find_table) {
  while (!in.at_end()) restore_record(read_redo_record(in), find_table);
}

void RedoLog::restore(ByteReader& in, const FindTable& find_table) {
  switch (static_cast<Event>(in.u8())) {
    case Event::kRecords:
      return restore_records(in, find_table);
    case Event::kSwitch: {
      const auto sequence = static_cast<std::uint32_t>(in.varint());
      const Scn first = in.varint();
      const std::int64_t now = in.i64();
      log_.restore(first - 1, now * kMicrosPerSecond);
      const std::lock_guard lock(mutex_);
      if (files_.empty()) begin_file(sequence - 1, log_.first_scn(), now);
      begin_file(sequence, first, now);
      return;
    }
    case Event::kDelete: {
      const auto sequence = static_cast<std::uint32_t>(in.varint());
      return mark_deleted(sequence, in.boolean());
    }
  }
  throw CorruptBytes("a redo event is of an unknown kind");
}

void RedoLog::undo_open_transactions() {
  std::vector<RedoRecord> undo;
  const std::int64_t now = log_.now_micros() / kMicrosPerSecond;
  for (const auto& [number, changes] : open_) {
    const Scn scn = log_.next_scn();
    RedoRecord end;
    end.kind = RedoKind::kRollback;
    for (auto it = changes.rbegin(); it != changes.rend(); ++it) {
      end.start_scn = (*it)->scn;
      if (!(*it)->is_row()) continue;
      undo.push_back(undo_of(**it));
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
