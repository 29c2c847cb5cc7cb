#include "engine/changes/apply_errors.h"

#include <algorithm>

#include "engine/cell_compare.h"

namespace wherry::engine {
namespace {

using connect::ChangeKind;

/// A longer value is cut in the text of a statement.
constexpr std::size_t kShownBytes = 4096;

ConflictAction action_of(ErrorAction action) {
  switch (action) {
    case ErrorAction::kIgnoreRecord:
      return ConflictAction::kIgnoreRecord;
    case ErrorAction::kLogError:
      return ConflictAction::kLogError;
    case ErrorAction::kSuspendTable:
      return ConflictAction::kSuspendTable;
    case ErrorAction::kStopTask:
      break;
  }
  return ConflictAction::kStopTask;
}

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// "a" = 1 AND "b" IS NULL, of the columns that the row has.
std::string condition(const TableRoute& table, const Cell* cells) {
  std::string out;
  const auto add = [&](std::size_t i) {
    if (cells[i].state == CellState::kUnchanged) return;
    if (!out.empty()) out += " AND ";
    out += quoted_name(table.plan().columns[i].target_name);
    out += cells[i].is_null() ? " IS NULL" : " = " + cell_text(cells[i], kShownBytes);
  };
  if (cells == nullptr) return out;
  if (table.identity().empty()) {
    for (std::size_t i = 0; i < table.plan().columns.size(); ++i) add(i);
  } else {
    for (const std::size_t i : table.identity()) add(i);
  }
  return out;
}

std::string insert_text(const TableRoute& table, const Cell* after) {
  std::string names, values;
  for (std::size_t i = 0; i < table.plan().columns.size(); ++i) {
    if (after[i].state == CellState::kUnchanged) continue;
    if (!names.empty()) {
      names += ", ";
      values += ", ";
    }
    names += quoted_name(table.plan().columns[i].target_name);
    values += cell_text(after[i], kShownBytes);
  }
  return " (" + names + ") VALUES (" + values + ")";
}

std::string settings_text(const TableRoute& table, const Cell* after) {
  std::string out;
  for (std::size_t i = 0; i < table.plan().columns.size(); ++i) {
    if (after[i].state == CellState::kUnchanged) continue;
    if (!out.empty()) out += ", ";
    out +=
        quoted_name(table.plan().columns[i].target_name) + " = " + cell_text(after[i], kShownBytes);
  }
  return out;
}

}  // namespace

bool is_fault_of_change(const Error& error) {
  return error.kind == ErrorKind::kData || error.kind == ErrorKind::kSchema ||
         error.kind == ErrorKind::kUnsupported;
}

ChangeFault fault_of(const WindowChange& change, const Error& error) {
  if (error.kind != ErrorKind::kData) return ChangeFault::kTable;
  const bool is_conflict =
      change.kind == ChangeKind::kInsert && error.code == connect::kDuplicateKey;
  return is_conflict ? ChangeFault::kInsertConflict : ChangeFault::kData;
}

Verdict ApplyErrors::judge(ChangeFault fault, const TableRoute& table,
                           std::uint64_t pending) const {
  if (fault == ChangeFault::kTable) return judge_table();
  if (fault == ChangeFault::kData) {
    const auto most = policy_.base.escalation_count;
    if (most != 0 && table.progress->data_errors + pending + 1 >= most) {
      return {action_of(policy_.base.escalation), "DataErrorEscalationPolicy"};
    }
    return {action_of(policy_.base.data), "DataErrorPolicy"};
  }
  const auto most = policy_.escalation_count;
  if (most != 0 && table.progress->conflicts + pending + 1 >= most) {
    return {policy_.escalation, "ApplyErrorEscalationPolicy"};
  }
  switch (fault) {
    case ChangeFault::kInsertConflict:
      return {policy_.insert, "ApplyErrorInsertPolicy"};
    case ChangeFault::kUpdateConflict:
      return {policy_.update, "ApplyErrorUpdatePolicy"};
    default:
      return {policy_.remove, "ApplyErrorDeletePolicy"};
  }
}

Verdict ApplyErrors::judge_table() const {
  const auto most = policy_.base.table_escalation_count;
  const auto tables = progress_.tables();
  const auto suspended = static_cast<std::uint32_t>(std::count_if(
      tables.begin(), tables.end(), [](const auto* t) { return t->is_suspended.load(); }));
  if (most != 0 && suspended + 1 >= most) {
    return {ConflictAction::kStopTask, "TableErrorEscalationPolicy"};
  }
  const ConflictAction action = action_of(policy_.base.table);
  return {action == ConflictAction::kStopTask ? action : ConflictAction::kSuspendTable,
          "TableErrorPolicy"};
}

Error stopped_by(const Verdict& verdict, const Error& cause) {
  Error error = cause;
  error.kind = ErrorKind::kResource;  // not a fault of the change any more
  error.code = kApplyStopped;
  error.message = std::string(verdict.policy) + " stops the task: " + cause.message;
  return error;
}

Error missing_row_error(const WindowChange& change) {
  const TableRoute& table = *change.table;
  const bool is_delete = change.kind == ChangeKind::kDelete;
  Error error = make_error(
      ErrorKind::kData, is_delete ? "apply.delete_conflict" : "apply.update_conflict",
      is_delete ? "the row to delete is not on the target"
                : "the row to update is not on the target",
      "Compare source and target with wherry validate; reload the table when rows are missing");
  error.with("table", schema::to_text(table.plan().target));
  error.with_row_data("key",
                      condition(table, change.before != nullptr ? change.before : change.after));
  return error;
}

Error no_identity_error(const TableRoute& table) {
  return make_error(ErrorKind::kData, "apply.no_identity",
                    "the log does not have the columns by which the target knows the row",
                    "Have the source log them (REPLICA IDENTITY FULL, supplemental logging of all "
                    "columns), or give the target's table the source's key")
      .with("table", schema::to_text(table.plan().target));
}

std::string statement_text(const WindowChange& change) {
  const TableRoute& table = *change.table;
  const schema::TableRef& name = table.plan().target;
  const std::string target = quoted_name(name.schema) + '.' + quoted_name(name.name);
  const Cell* where = change.before != nullptr ? change.before : change.after;
  switch (change.kind) {
    case ChangeKind::kInsert:
      return "INSERT INTO " + target + insert_text(table, change.after);
    case ChangeKind::kUpdate:
      return "UPDATE " + target + " SET " + settings_text(table, change.after) + " WHERE " +
             condition(table, where);
    default:
      return "DELETE FROM " + target + " WHERE " + condition(table, where);
  }
}

}  // namespace wherry::engine
