#include "store/transaction.h"

#include <algorithm>

#include "store/byte_io.h"

namespace orasim {
namespace {

constexpr std::size_t kFrameBytes = std::size_t{4} << 20;
constexpr std::int64_t kMicros = 1'000'000;

/// Newest version below `v` that another transaction wrote and that is data.
const Version* base_of(const Version* v) {
  const TxRecord* own = v->tx;
  while (v != nullptr && (v->tx == own || v->kind() == VersionKind::kLock)) v = v->previous;
  return v;
}

bool is_row(const Version* v) {
  return v != nullptr && v->kind() == VersionKind::kRow;
}

}  // namespace

TransactionImpl::TransactionImpl(StoreImpl& store, std::uint32_t session_id,
                                 const std::atomic<bool>* cancel, std::string user)
    : store_(store), session_id_(session_id), cancel_(cancel), user_(std::move(user)) {}

TransactionImpl::~TransactionImpl() {
  rollback();
}

std::string TransactionImpl::xid() const {
  if (number_ == 0) return {};
  return std::to_string(1 + number_ % 10) + "." + std::to_string(number_ / 10 % 34) + "." +
         std::to_string(1000 + number_ / 340);
}

OpenTransaction TransactionImpl::describe() const {
  const Scn shown = store_.habits().hidden_start_scns ? 0 : start_scn_;
  return OpenTransaction{xid(), shown, start_unix_, session_id_};
}

void TransactionImpl::ensure_started() {
  if (record_ != nullptr) return;
  record_ = store_.begin_record(this);
  if (number_ != 0) return;
  number_ = store_.next_transaction_number();
  thread_ = store_.redo().thread_of_session(session_id_);
  start_scn_ = store_.log().current();
  start_unix_ = store_.log().now_micros() / kMicros;
}

void TransactionImpl::touch(const SegmentPtr& segment) {
  if (!segment->writers.insert(this).second) return;
  touched_.push_back(segment);
}

void TransactionImpl::undo_to(std::uint64_t mark) {
  while (changes_.size() > mark) {
    const Change& change = changes_.back();
    log_undo(change);
    change.segment->pop(change.ordinal);
    changes_.pop_back();
  }
  std::erase_if(pending_, [&](const PendingCheck& p) { return p.at_change >= mark; });
}

void TransactionImpl::rollback_to(std::uint64_t mark) {
  const Lock lock(store_.write_lock());
  if (record_ == nullptr) return;
  undo_to(mark);
  if (changes_.empty()) {
    finish(true);
  } else {
    store_.locks_released();
  }
}

void TransactionImpl::rollback() {
  const Lock lock(store_.write_lock());
  rolls_back_ = true;
  if (record_ != nullptr) undo_to(0);
  roll_back_redo();
  rolls_back_ = false;
  finish();
}

void TransactionImpl::finish(bool goes_on) {
  if (goes_on && in_redo_) {
    try {
      flush_strand();  // a log switch does not know of it any more
    } catch (const OraError&) {
    }
  } else {
    number_ = 0;
  }
  if (record_ == nullptr) return;
  record_->owner = nullptr;
  record_ = nullptr;
  for (const SegmentPtr& segment : touched_) segment->writers.erase(this);
  touched_.clear();
  changes_.clear();
  pending_.clear();
  store_.forget_open(this);
  store_.locks_released();
}

bool TransactionImpl::is_final(const Change& change) const {
  if (change.version->kind() == VersionKind::kLock) return false;
  if (newest_data(change.segment->slot(change.ordinal)) != change.version) return false;
  return is_row(change.version) || is_row(base_of(change.version));
}

std::vector<TransactionImpl::NetChange> TransactionImpl::net_changes() const {
  std::vector<NetChange> net;
  for (const Change& change : changes_) {
    if (!is_final(change)) continue;
    if (net.empty() || net.back().segment != change.segment) net.push_back({change.segment, 0, 0});
    const Version* before = base_of(change.version);
    const auto count = [&](const Version* v, int sign) {
      if (!is_row(v)) return;
      net.back().rows += sign;
      net.back().bytes += sign * static_cast<std::int64_t>(v->size);
    };
    count(before, -1);
    count(change.version, 1);
  }
  return net;
}

void TransactionImpl::append_change(const Change& change, ByteWriter& w) const {
  const RowSlot& slot = change.segment->slot(change.ordinal);
  const bool insert = !is_row(base_of(change.version));
  const bool removal = !is_row(change.version);
  w.u8(insert ? 1 : (removal ? 3 : 2));
  w.varint(change.segment->table().data_object_id);
  w.varint(change.ordinal);
  if (insert) w.varint(slot.block), w.varint(slot.slot);
  if (removal) return;
  std::string image;
  export_image(change.version->image(), image);
  w.text(image);
}

std::vector<std::string> TransactionImpl::log_frames() const {
  std::vector<std::string> frames;
  ByteWriter w;
  const auto start = [&] {
    w.out().clear();
    w.u8(static_cast<std::uint8_t>(RecordKind::kChanges));
    w.varint(number_);
    return w.size();
  };
  const std::size_t head = start();
  for (const Change& change : changes_) {
    if (!is_final(change)) continue;
    append_change(change, w);
    if (w.size() < kFrameBytes) continue;
    frames.push_back(frame(w.out()));
    start();
  }
  if (w.size() > head) frames.push_back(frame(w.out()));
  return frames;
}

void TransactionImpl::drop_row_locks() {
  for (const Change& change : changes_) {
    const RowSlot& slot = change.segment->slot(change.ordinal);
    if (change.version->kind() == VersionKind::kLock && slot.head.load() == change.version) {
      change.segment->pop(change.ordinal);
    }
  }
}

Scn TransactionImpl::commit() {
  if (record_ == nullptr) return store_.current_scn();
  try {
    Lock lock(store_.write_lock());
    run_pending(lock, true);
  } catch (const OraError& e) {
    if (e.code() == 60 || e.code() == 1013) throw;  // nothing is violated: the user may try again
    rollback();
    throw OraError(2091, std::string("transaction rolled back\n") + e.what());
  }
  try {
    const Lock lock(store_.write_lock());
    flush_strand();
    store_.switch_if_full(thread_);
  } catch (...) {
    rollback();
    throw;
  }
  // From here on only this thread may change the rows it wrote: no lock is needed to read them.
  const std::vector<NetChange> net = net_changes();
  Scn scn = store_.current_scn();
  if (!net.empty() || in_redo_) {
    std::vector<RedoRecord> redo = commit_redo();
    const auto place = [&](Scn at, std::int64_t micros) {
      for (RedoRecord& r : redo) r.scn = at, r.unix_seconds = micros / kMicros;
      store_.redo().place(redo);
    };
    const auto last = [&](Scn at, std::int64_t micros) {
      ByteWriter w;
      w.u8(static_cast<std::uint8_t>(RecordKind::kCommit));
      w.varint(number_);
      w.u64(at);
      w.i64(micros);
      place(at, micros);
      for (const RedoRecord& r : redo) write_redo_record(r, w);
      return std::move(w.out());
    };
    const auto appended = [&](Scn at, std::int64_t micros) {
      place(at, micros);
      store_.redo().publish(std::move(redo));
    };
    try {
      const auto frames = store_.log().durable() ? log_frames() : std::vector<std::string>{};
      scn = store_.log().commit(frames, last, record_, appended);
      in_redo_ = false;
    } catch (...) {
      rollback();
      throw;
    }
  }
  const Lock lock(store_.write_lock());
  for (const NetChange& n : net) n.segment->count_live(n.rows, n.bytes);
  drop_row_locks();
  finish();
  return scn;
}

}  // namespace orasim
