// What a transaction writes to the redo log.
#include "store/redo_log.h"
#include "store/transaction.h"

namespace orasim {
namespace {

/// As much redo as a transaction keeps to itself.
constexpr std::size_t kStrandBytes = std::size_t{64} << 10;
constexpr std::int64_t kSecondMicros = 1'000'000;

const Version* data_at_or_below(const Version* v) {
  while (v != nullptr && v->kind() == VersionKind::kLock) v = v->previous;
  return v;
}

bool is_live(const Version* v) {
  return v != nullptr && v->kind() == VersionKind::kRow;
}

}  // namespace

RedoRecord TransactionImpl::redo_record(RedoKind kind) const {
  RedoRecord r;
  r.kind = kind;
  r.thread = thread_;
  r.transaction = number_;
  r.scn = store_.log().next_scn();
  r.unix_seconds = store_.log().now_micros() / kSecondMicros;
  r.user = user_;
  r.session_id = session_id_;
  return r;
}

void TransactionImpl::add_redo(RedoRecord r) {
  strand_bytes_ += r.redo_bytes();
  strand_.push_back(std::move(r));
  if (strand_bytes_ < kStrandBytes && store_.habits().private_strands) return;
  flush_strand();
  store_.switch_if_full(thread_);
}

void TransactionImpl::flush_strand() {
  strand_bytes_ = 0;
  std::vector<RedoRecord> records;
  records.swap(strand_);
  store_.redo().append(std::move(records));
}

RedoRecord TransactionImpl::change_record(const LoggingPlan& plan, Segment& segment,
                                          std::uint64_t ordinal, const Version* old_row,
                                          const Version* new_row) const {
  const bool inserts = !is_live(old_row), deletes = !is_live(new_row);
  RedoRecord r = redo_record(inserts   ? RedoKind::kInsert
                             : deletes ? RedoKind::kDelete
                                       : RedoKind::kUpdate);
  r.table = segment.table_ptr();
  r.row_id = segment.row_id(ordinal);
  if (r.table->temporary) return r;
  if (inserts) {
    r.logged = plan.logged({});
    r.new_image = sparse_image(new_row->image(), plan.stored());
  } else if (deletes) {
    r.logged = plan.plain();
    r.old_image = sparse_image(old_row->image(), plan.plain());
  } else {
    r.changed = changed_slots(old_row->image(), new_row->image());
    r.logged = plan.logged(r.changed);
    r.is_lob_write = writes_lob_;
    // Nothing differs: the redo repeats what is logged.
    if (r.changed.empty()) r.changed = r.logged;
    SlotSet before = r.logged;
    before.add(r.changed);
    r.old_image = sparse_image(old_row->image(), before);
    r.new_image = sparse_image(new_row->image(), r.changed);
  }
  return r;
}

bool TransactionImpl::write_lob(const TableDef& table, const RowId& id, const Row& row,
                                Scn read_scn) {
  writes_lob_ = true;
  try {
    const bool done = update(table, id, row, read_scn);
    writes_lob_ = false;
    return done;
  } catch (...) {
    writes_lob_ = false;
    throw;
  }
}

bool TransactionImpl::log_change(const SegmentPtr& segment, std::uint64_t ordinal,
                                 const Version* old_row, const Version* new_row) {
  const LoggingPlan* plan = store_.logging_plan(*segment);
  if (plan == nullptr) return false;
  RedoRecord change = change_record(*plan, *segment, ordinal, old_row, new_row);
  if (!in_redo_) {
    in_redo_ = true;
    redo_scn_ = change.scn;
    add_redo(redo_record(RedoKind::kStart));
  }
  add_redo(std::move(change));
  return true;
}

void TransactionImpl::log_undo(const Change& change) {
  if (!change.in_redo) return;
  if (!store_.habits().undo_rows && !strand_.empty() && strand_.back().is_row()) {
    strand_bytes_ -= strand_.back().redo_bytes();
    strand_.pop_back();
    return;
  }
  const Version* old_row = data_at_or_below(change.version->previous);
  const auto undo_by = [&](const LoggingPlan& plan) {
    add_undo(
        undo_of(change_record(plan, *change.segment, change.ordinal, old_row, change.version)));
  };
  // What was logged is taken back even when logging was switched off meanwhile.
  const LoggingPlan* plan = store_.logging_plan(*change.segment);
  if (plan != nullptr) return undo_by(*plan);
  undo_by(LoggingPlan(change.segment->table(), SupplementalLogging{}));
}

/// Some of the records that a rollback writes name only a part of the XID, as databases do.
bool TransactionImpl::hides_xid() const {
  return rolls_back_ && store_.habits().partial_xids && number_ % 2 == 0;
}

/// A rollback goes on when its redo cannot be written: then nothing can be committed either.
void TransactionImpl::add_undo(RedoRecord r) {
  r.has_partial_xid = hides_xid();
  try {
    add_redo(std::move(r));
  } catch (const OraError&) {
  }
}

void TransactionImpl::roll_back_redo() {
  if (!in_redo_) return;
  in_redo_ = false;
  RedoRecord end = redo_record(RedoKind::kRollback);
  end.start_scn = redo_scn_;
  add_undo(std::move(end));
  try {
    flush_strand();
  } catch (const OraError&) {
  }
}

std::vector<RedoRecord> TransactionImpl::commit_redo() const {
  if (!in_redo_) return {};
  std::vector<RedoRecord> records(1, redo_record(RedoKind::kCommit));
  records[0].start_scn = redo_scn_;
  return records;
}

}  // namespace orasim
