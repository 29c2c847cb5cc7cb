// Changes of single rows, with the waiting and the cascades that they bring.
#include <limits>

#include "store/transaction.h"

namespace orasim {
namespace {

/// Read SCN of changes that follow from another one: they see the newest rows.
constexpr Scn kNow = std::numeric_limits<Scn>::max();

std::string quoted(const TableDef& t, const ColumnDef& c) {
  return "(\"" + t.owner + "\".\"" + t.name + "\".\"" + c.name + "\")";
}

void check_not_null(const TableDef& table, const Row& row, bool insert) {
  for (std::size_t i = 0; i < table.columns.size() && i < row.size(); ++i) {
    const ColumnDef& column = table.columns[i];
    if (column.nullable || column.is_virtual || !row[i].is_null()) continue;
    if (insert) throw OraError(1400, "cannot insert NULL into " + quoted(table, column));
    throw OraError(1407, "cannot update " + quoted(table, column) + " to NULL");
  }
}

}  // namespace

Version* TransactionImpl::write(const SegmentPtr& segment, std::uint64_t ordinal, VersionKind kind,
                                std::string_view image) {
  ensure_started();
  touch(segment);
  const Version* old_row = newest_data(segment->slot(ordinal));
  Version* v = segment->push(ordinal, record_, next_sequence(), kind, image);
  if (kind == VersionKind::kRow) segment->index_newest(ordinal);
  changes_.push_back({segment.get(), ordinal, v});
  if (kind != VersionKind::kLock) {
    changes_.back().in_redo = log_change(segment, ordinal, old_row, v);
  }
  return v;
}

RowId TransactionImpl::insert(const TableDef& table, const Row& row) {
  Lock lock(store_.write_lock());
  std::string image;
  while (true) {
    TableRules& rules = store_.rules_for(table);
    const SegmentPtr segment = rules.segment;
    check_not_null(segment->table(), row, true);
    encode_row(segment->layout(), row, segment->lobs(), image);
    std::vector<PendingCheck> pending;
    if (auto* blocker = check_keys(rules, image, nullptr, std::nullopt, pending)) {
      store_.wait_for(lock, *this, *blocker);
      continue;
    }
    const std::uint64_t ordinal = segment->append_slot(image.size());
    write(segment, ordinal, VersionKind::kRow, image);
    adopt(std::move(pending), ordinal);
    return segment->row_id(ordinal);
  }
}

TransactionImpl::RowState TransactionImpl::lock_for_change(Lock& lock, const SegmentPtr& segment,
                                                           std::uint64_t ordinal, Scn read_scn) {
  while (auto* blocker = lock_holder(segment->slot(ordinal), record_)) {
    store_.wait_for(lock, *this, *blocker);
    store_.rules_for_segment(segment);  // throws when the table went away meanwhile
  }
  const Version* newest = newest_data(segment->slot(ordinal));
  if (newest == nullptr || newest->kind() == VersionKind::kDeleted) return RowState::kChanged;
  const bool newer = newest->tx != record_ && newest->tx->commit_scn.load() > read_scn;
  return newer ? RowState::kChanged : RowState::kReady;
}

bool TransactionImpl::update_row(Lock& lock, const SegmentPtr& segment, std::uint64_t ordinal,
                                 const Row& row, Scn read_scn) {
  std::string image;
  while (true) {
    if (lock_for_change(lock, segment, ordinal, read_scn) == RowState::kChanged) return false;
    TableRules& rules = store_.rules_for_segment(segment);
    check_not_null(segment->table(), row, false);
    encode_row(segment->layout(), row, segment->lobs(), image);
    const Version* old_row = newest_data(segment->slot(ordinal));
    std::vector<PendingCheck> pending;
    if (auto* blocker = check_keys(rules, image, old_row, ordinal, pending)) {
      store_.wait_for(lock, *this, *blocker);
      continue;
    }
    note_changed_parent(rules, image, old_row, pending);
    write(segment, ordinal, VersionKind::kRow, image);
    adopt(std::move(pending), ordinal);
    return true;
  }
}

bool TransactionImpl::update(const TableDef& table, const RowId& id, const Row& row, Scn read_scn) {
  Lock lock(store_.write_lock());
  const SegmentPtr segment = store_.rules_for(table).segment;
  std::uint64_t ordinal = 0;
  return segment->find(id, ordinal) && update_row(lock, segment, ordinal, row, read_scn);
}

bool TransactionImpl::delete_row(Lock& lock, const SegmentPtr& segment, std::uint64_t ordinal,
                                 Scn read_scn, std::vector<Orphans>& orphans) {
  if (lock_for_change(lock, segment, ordinal, read_scn) == RowState::kChanged) return false;
  const Version* old_row = newest_data(segment->slot(ordinal));
  write(segment, ordinal, VersionKind::kDeleted, {});
  if (!store_.rules_for_segment(segment).children.empty()) orphans.push_back({segment, old_row});
  return true;
}

bool TransactionImpl::remove(const TableDef& table, const RowId& id, Scn read_scn) {
  Lock lock(store_.write_lock());
  const SegmentPtr segment = store_.rules_for(table).segment;
  std::uint64_t ordinal = 0;
  if (!segment->find(id, ordinal)) return false;
  const std::uint64_t before = mark();
  try {
    std::vector<Orphans> orphans;
    if (!delete_row(lock, segment, ordinal, read_scn, orphans)) return false;
    settle_orphans(lock, orphans);
    return true;
  } catch (...) {
    undo_to(before);
    if (changes_.empty()) {
      finish(true);
    } else {
      store_.locks_released();
    }
    throw;
  }
}

void TransactionImpl::settle_orphans(Lock& lock, std::vector<Orphans>& orphans) {
  while (!orphans.empty()) {
    const Orphans next = orphans.back();
    orphans.pop_back();
    for (std::size_t i = 0; i < store_.rules_for_segment(next.parent).children.size(); ++i) {
      settle_children(lock, next, i, orphans);
    }
  }
}

void TransactionImpl::settle_children(Lock& lock, const Orphans& of, std::size_t rule,
                                      std::vector<Orphans>& orphans) {
  while (true) {
    TableRules& rules = store_.rules_for_segment(of.parent);
    if (rule >= rules.children.size()) return;
    ChildRule& r = rules.children[rule];
    r.prepare();
    std::string key;
    if (!r.key->key_of(of.row->image(), key) || r.key->last_key_has_null()) return;
    const bool follow = r.on_delete != DeleteRule::kNoAction;
    std::vector<std::uint64_t> rows;
    const KeySearch search =
        find_key(*r.child, *r.index, key, record_, std::nullopt, follow ? &rows : nullptr);
    if (search.found && !follow) {
      if (!r.self && !r.deferred) {
        throw OraError(2292, "integrity constraint (" + r.name + ") violated - child record found");
      }
      pending_.push_back({PendingCheck::Kind::kChildren, r.deferred, of.parent, r.name, 0, of.row,
                          changes_.size() - 1});
      return;
    }
    if (search.blocker != nullptr) {
      store_.wait_for(lock, *this, *search.blocker);
      continue;
    }
    if (rows.empty()) return;
    if (r.on_delete == DeleteRule::kSetNull) return set_null(lock, r, rows);
    const SegmentPtr child = r.child;
    for (const std::uint64_t ordinal : rows) delete_row(lock, child, ordinal, kNow, orphans);
    return;
  }
}

void TransactionImpl::set_null(Lock& lock, const ChildRule& rule,
                               const std::vector<std::uint64_t>& rows) {
  const SegmentPtr child = rule.child;
  const std::vector<std::string> columns = rule.child_columns;
  for (const std::uint64_t ordinal : rows) {
    while (lock_for_change(lock, child, ordinal, kNow) == RowState::kReady) {
      Row row;
      decode_row(child->layout(), newest_data(child->slot(ordinal))->image(), row);
      for (const std::string& name : columns) {
        const int at = child->table().find_column(name);
        if (at >= 0) row[static_cast<std::size_t>(at)].data = std::monostate{};
      }
      if (update_row(lock, child, ordinal, row, kNow)) break;
    }
  }
}

bool TransactionImpl::lock_row(const TableDef& table, const RowId& id, Scn read_scn,
                               std::optional<std::chrono::seconds> wait) {
  Lock lock(store_.write_lock());
  const SegmentPtr segment = store_.rules_for(table).segment;
  std::uint64_t ordinal = 0;
  if (!segment->find(id, ordinal)) return false;
  const bool nowait = wait && wait->count() == 0;
  if (nowait && lock_holder(segment->slot(ordinal), record_) != nullptr) {
    throw OraError(54, "resource busy and acquire with NOWAIT specified or timeout expired");
  }
  if (wait) wait_until = std::chrono::steady_clock::now() + *wait;
  RowState state = RowState::kChanged;
  try {
    state = lock_for_change(lock, segment, ordinal, read_scn);
  } catch (const OraError&) {
    wait_until.reset();
    throw;
  }
  wait_until.reset();
  if (state == RowState::kChanged) return false;
  const Version* head = segment->slot(ordinal).head.load();
  if (record_ == nullptr || head->tx != record_) write(segment, ordinal, VersionKind::kLock, {});
  return true;
}

}  // namespace orasim
