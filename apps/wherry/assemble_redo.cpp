#include <iostream>
#include <string>

#include "commands.h"
#include "connect/oracle/logminer/redo_assembler.h"
#include "redo_json.h"

namespace wherry::app {
namespace {

using namespace oracle;  // NOLINT(google-build-using-namespace): its values are what is printed
using RedoJson = nlohmann::json;
using nlohmann::ordered_json;

std::uint64_t number(const RedoJson& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end() || found->is_null()) return 0;
  return found->is_string() ? std::stoull(found->get<std::string>()) : found->get<std::uint64_t>();
}

/// A view of the document's own text.
std::string_view text(const RedoJson& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end() || found->is_null()) return {};
  return found->get_ref<const std::string&>();
}

MinedRow mined_row(const RedoJson& row) {
  MinedRow out;
  out.scn = number(row, "SCN");
  out.thread = static_cast<std::uint32_t>(number(row, "THREAD#"));
  out.address = parse_redo_address(text(row, "RS_ID")).value_or(RedoAddress{});
  out.ssn = number(row, "SSN");
  out.transaction = {static_cast<std::uint32_t>(number(row, "SRC_CON_ID")),
                     static_cast<std::uint32_t>(number(row, "XIDUSN")),
                     static_cast<std::uint32_t>(number(row, "XIDSLT")),
                     static_cast<std::uint32_t>(number(row, "XIDSQN"))};
  out.operation_code = static_cast<int>(number(row, "OPERATION_CODE"));
  out.is_undo = number(row, "ROLLBACK") != 0;
  out.goes_on = number(row, "CSF") != 0;
  out.status = static_cast<int>(number(row, "STATUS"));
  out.owner = text(row, "SEG_OWNER");
  out.table = text(row, "TABLE_NAME");
  out.row_id = text(row, "ROW_ID");
  out.info = text(row, "INFO");
  out.sql_redo = text(row, "SQL_REDO");
  return out;
}

ordered_json image_json(const RedoImage& image) {
  ordered_json out = ordered_json::object();
  for (const OwnedRedoField& field : image) out[field.column] = redo_value_json(field.value.view());
  return out;
}

ordered_json change_json(const RedoChange& change) {
  constexpr const char* kNames[] = {"insert", "update", "delete"};
  ordered_json out;
  out["op"] = kNames[static_cast<int>(change.kind)];
  out["table"] = change.owner + "." + change.table;
  if (change.kind != RedoKind::kDelete) out["new"] = image_json(change.after);
  if (change.kind != RedoKind::kInsert) out["old"] = image_json(change.before);
  if (!change.unknown.empty()) out["unknown_new"] = change.unknown;
  return out;
}

ordered_json transaction_json(const RedoTransaction& transaction) {
  ordered_json changes = ordered_json::array();
  for (const RedoChange& change : transaction.changes) {
    if (!change.is_hidden) changes.push_back(change_json(change));
  }
  return {{"xid", to_text(transaction.key)},
          {"src_con_id", transaction.key.container},
          {"commit_scn", transaction.commit_scn},
          {"changes", std::move(changes)}};
}

ordered_json open_json(const RedoAssembler& assembler, ordered_json out) {
  const auto open = assembler.open();
  out["open"] = ordered_json::array();
  for (const RedoAssembler::Open& one : open) out["open"].push_back(to_text(one.key));
  if (!open.empty()) {
    out["resume_not_after"] = {{"THREAD#", open.front().thread},
                               {"RS_ID", to_text(open.front().first_address)}};
  }
  if (!assembler.problems().empty()) {
    out["table_errors"] = ordered_json::array();
    for (const RedoTableProblem& problem : assembler.problems()) {
      out["table_errors"].push_back(problem.owner + "." + problem.table);
    }
  }
  return out;
}

}  // namespace

ordered_json assembled_redo(const RedoJson& line) {
  RedoAssembler assembler;
  ordered_json out;
  out["transactions"] = ordered_json::array();
  const auto take = [&](const RedoJson& rows) -> Result<void> {
    for (const RedoJson& row : rows) {
      WHERRY_ASSIGN(const auto transaction, assembler.take(mined_row(row)));
      if (transaction) out["transactions"].push_back(transaction_json(*transaction));
    }
    assembler.end_step();
    return {};
  };
  Result<void> taken;
  if (line.contains("batches")) {
    for (const RedoJson& batch : line["batches"]) {
      if (taken.ok()) taken = take(batch.at("rows"));
    }
  } else {
    taken = take(line.at("rows"));
  }
  if (!taken.ok()) out["error"] = taken.error().message;
  return open_json(assembler, std::move(out));
}

}  // namespace wherry::app
