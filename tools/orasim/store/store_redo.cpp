// The store's part in the redo log: DDL, switches, what is logged of a table.
#include <algorithm>

#include "store/ddl_redo.h"
#include "store/store_impl.h"
#include "store/transaction.h"

namespace orasim {
namespace {

constexpr std::int64_t kRedoMicros = 1'000'000;

std::shared_ptr<const TableDef> touched_table(const Catalog& before, const Catalog& after) {
  for (const auto& [name, table] : after.tables) {
    const auto old = before.tables.find(name);
    if (old == before.tables.end() || old->second != table) return table;
  }
  for (const auto& [name, table] : before.tables) {
    if (!after.tables.contains(name)) return table;
  }
  return nullptr;
}

}  // namespace

std::vector<RedoRecord> ddl_redo(const DdlText& ddl, const Catalog& before, const Catalog& after,
                                 std::uint64_t transaction_number, std::uint32_t thread) {
  RedoRecord one;
  one.transaction = transaction_number;
  one.user = ddl.user;
  one.session_id = ddl.session_id;
  one.thread = thread;
  std::vector<RedoRecord> records(3, one);
  RedoRecord& statement = records[1];
  statement.kind = RedoKind::kDdl;
  statement.text = ddl.sql;
  statement.table = touched_table(before, after);
  if (statement.table != nullptr) {
    statement.owner = statement.table->owner;
    statement.name = statement.table->name;
  }
  records[2].kind = RedoKind::kCommit;
  return records;
}

void stamp(std::vector<RedoRecord>& records, Scn scn, std::int64_t micros) {
  for (RedoRecord& r : records) {
    r.scn = r.start_scn = scn;
    r.unix_seconds = micros / kRedoMicros;
  }
}

const LoggingPlan* StoreImpl::logging_plan(const Segment& segment) {
  if (!logs_rows_) return nullptr;
  const auto found = plans_.find(segment.data_object());
  if (found != plans_.end()) return &found->second;
  return &plans_.try_emplace(segment.data_object(), segment.table(), catalog()->supplemental)
              .first->second;
}

void StoreImpl::switch_locked(std::uint32_t thread) {
  for (TransactionImpl* t : open_) {
    if (t->thread() == thread) t->flush_strand();
  }
  redo_.switch_log(thread);
}

void StoreImpl::switch_log(std::uint32_t session_id) {
  const std::lock_guard lock(write_mutex_);
  switch_locked(redo_.thread_of_session(session_id));
}

void StoreImpl::switch_all_logs() {
  const std::lock_guard lock(write_mutex_);
  for (const RedoThreadInfo& thread : redo_.threads()) {
    if (thread.is_enabled) switch_locked(thread.number);
  }
}

void StoreImpl::switch_if_full(std::uint32_t thread) {
  if (redo_.is_full(thread)) switch_locked(thread);
}

bool StoreImpl::disable_thread(std::uint32_t thread) {
  const std::lock_guard lock(write_mutex_);
  const bool is_busy = std::any_of(open_.begin(), open_.end(),
                                   [&](const TransactionImpl* t) { return t->thread() == thread; });
  if (is_busy) {
    throw OraError(1615,
                   "instance (thread " + std::to_string(thread) + ") is mounted - cannot disable");
  }
  return redo_.disable_thread(thread);
}

}  // namespace orasim
