#include "store/store_impl.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "store/catalog_codec.h"
#include "store/ddl.h"
#include "store/ddl_redo.h"
#include "store/scans.h"
#include "store/transaction.h"

namespace orasim {
namespace {

constexpr std::uint16_t kFile = 7;  // USERS, as a database with the usual files has it
constexpr std::uint32_t kFirstFreeBlock = 128;
/// How soon a waiter notices its cancel flag, which nobody signals.
constexpr std::chrono::milliseconds kCancelPoll{20};

std::int64_t system_micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void throw_gone() {
  throw OraError(8103, "object no longer exists");
}

}  // namespace

std::unique_ptr<Store> Store::open(const std::string& data_dir) {
  return StoreImpl::open(StoreOptions{data_dir, nullptr});
}

std::unique_ptr<StoreImpl> StoreImpl::open(const StoreOptions& options) {
  auto store = std::make_unique<StoreImpl>(options.clock ? options.clock : system_micros);
  if (options.data_dir.empty()) {
    store->created_micros_ = store->log_.now_micros();
    store->log_.start(nullptr, store->created_micros_);
    store->redo_.start();
  } else {
    store->recover(options.data_dir);
  }
  return store;
}

StoreImpl::StoreImpl(Clock clock)
    : log_(std::move(clock)),
      redo_(log_),
      sequences_(log_),
      next_block_(kFirstFreeBlock),
      catalog_(std::make_shared<const Catalog>()) {}

DatabaseIdentity StoreImpl::identity() const {
  // Spread by a multiplicative hash, so that databases made in the same second differ widely.
  const auto mixed = static_cast<std::uint64_t>(created_micros_) * 0x9E3779B97F4A7C15U;
  return DatabaseIdentity{static_cast<std::uint32_t>(1'000'000'000 + (mixed >> 34)),
                          created_micros_ / 1'000'000, redo_.resetlogs_scn()};
}

std::shared_ptr<const Catalog> StoreImpl::catalog() const {
  const std::lock_guard lock(catalog_mutex_);
  return catalog_;
}

void StoreImpl::discard_undo_before(Scn oldest) {
  for (std::atomic<Scn>* from : {&undo_from_, &kept_undo_from_}) {
    Scn now = from->load();
    while (now < oldest && !from->compare_exchange_weak(now, oldest)) {
    }
  }
}

std::vector<OpenTransaction> StoreImpl::open_transactions() const {
  const std::lock_guard lock(write_mutex_);
  std::vector<OpenTransaction> list;
  for (const TransactionImpl* t : open_) list.push_back(t->describe());
  return list;
}

TableStats StoreImpl::stats(const TableDef& table) const {
  const std::lock_guard lock(write_mutex_);
  const SegmentPtr segment = find_segment(table.data_object_id);
  return segment ? segment->stats() : TableStats{};
}

std::vector<ExtentInfo> StoreImpl::extents(const TableDef& table) const {
  const std::lock_guard lock(write_mutex_);
  const SegmentPtr segment = find_segment(table.data_object_id);
  return segment ? segment->extents() : std::vector<ExtentInfo>{};
}

std::unique_ptr<Transaction> StoreImpl::begin(std::uint32_t session_id,
                                              const std::atomic<bool>* cancel,
                                              const std::string& user) {
  return std::make_unique<TransactionImpl>(*this, session_id, cancel, user);
}

SegmentPtr StoreImpl::find_segment(std::uint32_t data_object) const {
  const auto at = segments_.find(data_object);
  return at == segments_.end() ? nullptr : at->second;
}

/// Undo that is too old counts as overwritten.
void StoreImpl::age_undo() {
  const std::int64_t oldest = log_.now_micros() / 1'000'000 - undo_retention_.load().count();
  const Scn from = std::max(undo_from_.load(), log_.scn_at(oldest).value_or(0));
  Scn now = kept_undo_from_.load();
  while (now < from && !kept_undo_from_.compare_exchange_weak(now, from)) {
  }
}

StoreImpl::SegmentView StoreImpl::open_view(const TableDef& table, Scn scn,
                                            const Transaction* own) {
  if (scn > log_.current()) {
    throw OraError(8181, "specified number is not a valid system change number");
  }
  if (scn < undo_from_.load()) {
    throw OraError(
        1555, "snapshot too old: rollback segment number 9 with name \"_SYSSMU9_1\" too small");
  }
  if (scn < table.readable_from_scn) {
    throw OraError(1466, "unable to read data - table definition has changed");
  }
  age_undo();
  SegmentView result;
  {
    const std::lock_guard lock(write_mutex_);
    result.segment = find_segment(table.data_object_id);
  }
  if (result.segment == nullptr) throw_gone();
  result.view = ReadView{scn, nullptr, 0, &kept_undo_from_};
  if (const auto* t = static_cast<const TransactionImpl*>(own)) {
    result.view.own = t->record();
    result.view.own_sequence = t->next_sequence();
  }
  return result;
}

std::unique_ptr<RowScan> StoreImpl::scan(const TableDef& table, Scn scn, const Transaction* own,
                                         const std::atomic<bool>* cancel, const RowIdRange& range) {
  SegmentView at = open_view(table, scn, own);
  return std::make_unique<SegmentScan>(std::move(at.segment), RowLayout(table), at.view, cancel,
                                       range);
}

bool StoreImpl::fetch(const TableDef& table, const RowId& id, Scn scn, const Transaction* own,
                      Row& row) {
  const SegmentView at = open_view(table, scn, own);
  std::uint64_t ordinal = 0;
  if (!at.segment->find(id, ordinal)) return false;
  const Version* v = visible_version(at.segment->slot(ordinal), at.view);
  if (v == nullptr) return false;
  decode_row(RowLayout(table), v->image(), row);
  return true;
}

Scn StoreImpl::row_scn(const TableDef& table, const RowId& id, Scn scn) {
  const SegmentView at = open_view(table, scn, nullptr);
  std::uint64_t ordinal = 0;
  if (!at.segment->find(id, ordinal)) return 0;
  const Version* v = visible_version(at.segment->slot(ordinal), at.view);
  return v == nullptr ? 0 : v->tx->commit_scn.load();
}

std::unique_ptr<RowScan> StoreImpl::lookup(const TableDef& table,
                                           const std::vector<std::string>& columns, const Row& key,
                                           Scn scn, const Transaction* own,
                                           const std::atomic<bool>* cancel) {
  if (columns.size() != key.size() || !has_index_on(table, columns)) return nullptr;
  SegmentView at = open_view(table, scn, own);
  const std::lock_guard lock(write_mutex_);
  if (at.segment->table().layout_version != table.layout_version) throw_gone();
  const Segment::Match match = at.segment->index_for(columns);
  if (match.index == nullptr) return nullptr;
  LookupKey wanted;
  if (!make_lookup_key(*match.index, match.order, key, wanted)) return nullptr;
  std::vector<std::uint64_t> rows;
  if (!wanted.never) {
    match.index->entries.visit_prefix(wanted.bytes, [&](std::uint64_t row) {
      rows.push_back(row);
      return true;
    });
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return std::make_unique<LookupScan>(std::move(at.segment), RowLayout(table), at.view, cancel,
                                      std::move(rows), std::move(wanted));
}

TxRecord* StoreImpl::begin_record(TransactionImpl* owner) {
  TxRecord& record = records_.emplace_back();
  record.owner = owner;
  open_.push_back(owner);
  return &record;
}

void StoreImpl::forget_open(TransactionImpl* t) {
  std::erase(open_, t);
}

void StoreImpl::wait_for(std::unique_lock<std::mutex>& lock, TransactionImpl& waiter,
                         TransactionImpl& blocker) {
  for (const TransactionImpl* t = &blocker; t != nullptr; t = t->waits_for) {
    if (t == &waiter) throw OraError(60, "deadlock detected while waiting for resource");
  }
  waiter.waits_for = &blocker;
  waiters_.push_back(&waiter);
  const std::uint64_t seen = release_count_;
  const auto is_late = [&] {
    return waiter.wait_until && std::chrono::steady_clock::now() >= *waiter.wait_until;
  };
  while (release_count_ == seen && !waiter.cancelled() && !is_late())
    released_.wait_for(lock, kCancelPoll);
  std::erase(waiters_, &waiter);
  waiter.waits_for = nullptr;
  if (waiter.cancelled()) throw OraError(1013, "user requested cancel of current operation");
  if (release_count_ == seen && is_late())
    throw OraError(30006, "resource busy; acquire with WAIT timeout expired");
}

void StoreImpl::locks_released() {
  ++release_count_;
  for (TransactionImpl* waiter : waiters_) waiter->waits_for = nullptr;
  released_.notify_all();
}

SegmentPtr StoreImpl::make_segment(std::shared_ptr<const TableDef> table) {
  return std::make_shared<Segment>(std::move(table), [this](std::uint32_t object, std::uint32_t n) {
    return allocate_extent(object, n);
  });
}

ExtentInfo StoreImpl::allocate_extent(std::uint32_t data_object, std::uint32_t blocks) {
  const ExtentInfo extent{kFile, next_block_, blocks};
  if (blocks > std::numeric_limits<std::uint32_t>::max() - next_block_) {
    throw OraError(1653, "unable to extend table: no block addresses are left");
  }
  ByteWriter w;
  w.u8(static_cast<std::uint8_t>(RecordKind::kExtent));
  w.varint(data_object);
  w.varint(extent.file);
  w.varint(extent.first_block);
  w.varint(extent.block_count);
  log_.append(w.out());
  next_block_ += blocks;
  return extent;
}

void StoreImpl::change_catalog(const std::function<void(Catalog&)>& edit, const DdlText* ddl_text) {
  const std::lock_guard ddl(ddl_mutex_);
  const std::shared_ptr<const Catalog> before = catalog();
  auto next = std::make_shared<Catalog>(*before);
  next->edit_unix_seconds = log_.now_micros() / 1'000'000;
  next->edit_scn = log_.current() + 1;
  edit(*next);
  next->version = before->version + 1;
  const std::lock_guard lock(write_mutex_);
  check_not_busy(*before, *next);
  validate_catalog_change(*before, *next, [this](std::uint32_t id) { return find_segment(id); });
  std::vector<RedoRecord> redo;
  if (ddl_text != nullptr) {
    redo = ddl_redo(*ddl_text, *before, *next, next_transaction_number(),
                    redo_.thread_of_session(ddl_text->session_id));
  }
  log_.commit(
      {},
      [&](Scn scn, std::int64_t micros) {
        ByteWriter w;
        w.u8(static_cast<std::uint8_t>(RecordKind::kCatalog));
        w.u64(scn);
        w.i64(micros);
        encode_catalog_change(*before, *next, w);
        stamp(redo, scn, micros);
        redo_.place(redo);
        for (const RedoRecord& r : redo) write_redo_record(r, w);
        return std::move(w.out());
      },
      nullptr,
      [&](Scn scn, std::int64_t micros) {
        stamp(redo, scn, micros);
        redo_.place(redo);
        redo_.publish(std::move(redo));
      });
  install(std::move(next));
  locks_released();
}

void StoreImpl::install(std::shared_ptr<const Catalog> next) {
  rules_.clear();
  plans_.clear();
  logs_rows_ = next->supplemental.is_on();
  std::unordered_map<std::uint32_t, SegmentPtr> kept;
  for (const auto& [name, table] : next->tables) {
    SegmentPtr segment = find_segment(table->data_object_id);
    if (segment == nullptr) {
      segment = make_segment(table);
    } else if (segment->table_ptr() != table) {
      segment->set_table(table);
    }
    kept.emplace(table->data_object_id, std::move(segment));
  }
  segments_ = std::move(kept);
  const std::lock_guard lock(catalog_mutex_);
  catalog_ = std::move(next);
}

void StoreImpl::check_not_busy(const Catalog& before, const Catalog& after) const {
  const auto demand = [this](const TableDef& table) {
    const SegmentPtr segment = find_segment(table.data_object_id);
    if (segment != nullptr && !segment->writers.empty()) {
      throw OraError(54, "resource busy and acquire with NOWAIT specified or timeout expired");
    }
  };
  std::unordered_map<std::uint32_t, const TableDef*> kept;
  for (const auto& [name, table] : after.tables) kept[table->data_object_id] = table.get();
  for (const auto& [name, table] : before.tables) {
    const auto same = kept.find(table->data_object_id);
    if (same == kept.end() || same->second->structure_version != table->structure_version) {
      demand(*table);
    }
  }
  // A foreign key that starts to hold needs its parent table at rest too.
  for (const auto& [name, table] : after.tables) {
    const auto old = before.tables.find(name);
    if (old != before.tables.end() && old->second == table) continue;
    for (const ConstraintDef& c : table->constraints) {
      if (c.kind != ConstraintKind::kForeignKey || !c.enabled) continue;
      const bool held =
          old != before.tables.end() &&
          std::any_of(old->second->constraints.begin(), old->second->constraints.end(),
                      [&](const ConstraintDef& o) { return o.name == c.name && o.enabled; });
      const auto parent = held ? nullptr : after.find_table(c.ref_owner, c.ref_table);
      if (parent != nullptr) demand(*parent);
    }
  }
}

void StoreImpl::truncate(const TableDef& table, const DdlText* text) {
  change_catalog([&](Catalog& c) { ddl::truncate_table(c, table.owner, table.name); }, text);
}

std::uint32_t StoreImpl::next_object_id() {
  std::uint32_t id = 0;
  change_catalog([&](Catalog& c) { id = c.next_object_id++; });
  return id;
}

Number StoreImpl::next_sequence_value(const std::string& owner, const std::string& name) {
  const auto def = catalog()->find_sequence(owner, name);
  if (def == nullptr) throw OraError(2289, "sequence does not exist");
  return sequences_.next(*def);
}

Number StoreImpl::sequence_last_number(const SequenceDef& def) const {
  return sequences_.last_number(def);
}

}  // namespace orasim
