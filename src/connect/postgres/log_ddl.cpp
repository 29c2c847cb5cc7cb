// DDL that event triggers tell of.
#include <array>
#include <thread>

#include "connect/postgres/log_changes.h"
#include "connect/postgres/replication.h"

namespace wherry::postgres {
namespace {

/// Between looks whether a commit is seen by others.
constexpr std::chrono::milliseconds kCommitLook{1};

}  // namespace

using connect::ChangeKind;

/// A row of awsdms_ddl_audit.
Result<void> LogChanges::take_ddl(OpContext& context, const LogTable& audit, ChangeBatch& out) {
  const auto record = read_ddl_record(*audit.shape, message_.after);
  if (!record) return malformed_log("a row of DDL");
  open_transaction(out);
  WHERRY_ASSIGN(Connection * catalog, catalog_.open(context));
  connect::DdlKind kind = connect::DdlKind::kOther;
  connect::RowShapePtr shape;
  if (record->tag == "DROP TABLE") {
    kind = connect::DdlKind::kDropTable;
    shape = tables_.last_shape(record->oid, record->table);
  } else if (record->tag.starts_with("CREATE TABLE") || record->tag == "SELECT INTO") {
    kind = connect::DdlKind::kNewTable;
    shape = tables_.last_shape(record->oid, record->table);
  } else if (record->definition && tables_.is_published(record->oid, open_xid())) {
    WHERRY_ASSIGN(const bool is_told, take_definition(context, *catalog, *record, out));
    if (is_told) return {};
  }
  if (const LogTable* table = tables_.find(record->oid, open_xid()); table != nullptr && !shape) {
    shape = table->shape;
  }
  Change& change = out.add(ChangeKind::kDdl);
  change.ddl = kind;
  const std::byte* copy = out.arena().copy(record->statement.data(), record->statement.size());
  change.text = {reinterpret_cast<const char*>(copy), record->statement.size()};
  change.shape = shape.get();
  if (shape != nullptr) out.keep(std::move(shape));
  // Of a transaction that runs nobody else sees it yet: play() describes it.
  if (kind != connect::DdlKind::kNewTable || decoder_.is_in_stream()) return {};
  return describe_new_table(context, out.changes().size() - 1, out);
}

/// As it is in the catalogue now; one that is gone, or is a partition, is none for the task.
Result<void> LogChanges::describe_new_table(OpContext& context, std::size_t index,
                                            ChangeBatch& out) {
  WHERRY_ASSIGN(Connection * catalog, catalog_.open(context));
  WHERRY_TRY(await_visible(context, *catalog));
  Change& change = out.change(index);
  const auto oid = static_cast<std::uint32_t>(change.shape->table_id);
  WHERRY_ASSIGN(connect::RowShapePtr shape,
                tables_.describe(context, *catalog, oid, settings_.changes.shows_leaves));
  change.shape = shape.get();
  if (shape == nullptr) {
    change.ddl = connect::DdlKind::kOther;
    return {};
  }
  tables_.note_new(oid, shape->source);
  out.keep(std::move(shape));
  return {};
}

/// A commit is in the log a moment before other sessions see it (PostgreSQL, CommitTransaction():
/// the record, then the end in the array of processes, then the locks), and the catalogue must
/// have what is asked for.
Result<void> LogChanges::await_visible(OpContext& context, Connection& catalog) {
  if (begin_.xid == visible_xid_) return {};
  const std::array parameters = {std::to_string(begin_.xid)};
  for (;;) {
    WHERRY_ASSIGN(const Rows rows,
                  catalog.query(context, "cannot ask for a transaction's end",
                                "select from pg_catalog.pg_locks where "
                                "locktype = 'transactionid' and transactionid = $1::xid",
                                parameters));
    if (rows.count() == 0) break;
    if (context.stop.stop_requested()) return cancelled_error();
    std::this_thread::sleep_for(kCommitLook);
  }
  visible_xid_ = begin_.xid;
  return {};
}

/// What a table of ours has become, before any row of it comes. False: nothing that is news.
Result<bool> LogChanges::take_definition(OpContext& context, Connection& catalog,
                                         const DdlRecord& record, ChangeBatch& out) {
  CatalogTable table = *record.definition;
  if (!decoder_.is_in_stream()) WHERRY_TRY(await_visible(context, catalog));
  WHERRY_ASSIGN(const CatalogTable now, read_catalog_table(context, catalog, record.oid));
  table.keys = keys_as_then(now, table);
  WHERRY_ASSIGN(const bool is_news, tables_.learn(context, catalog, record.oid, table, open_xid()));
  LogTable& known = *tables_.find(record.oid, open_xid());
  WHERRY_TRY(note_shape(known, is_news));
  if (!known.is_news) return false;
  prepare_for(known, out);
  return true;
}

}  // namespace wherry::postgres
