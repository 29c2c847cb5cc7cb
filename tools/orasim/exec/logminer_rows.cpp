#include "exec/logminer_rows.h"

#include <algorithm>

#include "exec/types.h"
#include "store/row_codec.h"

namespace orasim::logminer {
namespace {

/// Bytes of a LOB that stay in the row.
constexpr std::size_t kInlineLobBytes = 3964;

bool is_row_lob(const DataType& type) {
  return type.type == Type::kClob || type.type == Type::kBlob;
}

/// CLOB data is kept in two bytes a character.
bool is_large(const Value& v) {
  if (v.is_null()) return false;
  const std::string& data = v.lob()->data;
  return (v.type == Type::kBlob ? data.size() : char_count(data) * 2) > kInlineLobBytes;
}

/// LogMiner shows nothing of a row that has a column of these.
bool is_unsupported(const DataType& type) {
  return type.type == Type::kJson || type.type == Type::kVector || type.type == Type::kBoolean;
}

struct Operation {
  int code;
  const char* name;
};

Operation operation_of(RedoKind kind) {
  switch (kind) {
    case RedoKind::kStart:
      return {6, "START"};
    case RedoKind::kInsert:
      return {1, "INSERT"};
    case RedoKind::kUpdate:
      return {3, "UPDATE"};
    case RedoKind::kDelete:
      return {2, "DELETE"};
    case RedoKind::kDdl:
      return {5, "DDL"};
    case RedoKind::kCommit:
      return {7, "COMMIT"};
    case RedoKind::kRollback:
      return {36, "ROLLBACK"};
  }
  return {0, "INTERNAL"};
}

ContentsRow row_for(RedoKind kind) {
  ContentsRow row;
  const Operation operation = operation_of(kind);
  row.code = operation.code;
  row.operation = operation.name;
  row.row_id = kNoRowId;
  return row;
}

Row decoded(const TableDef& table, const std::string& portable) {
  LobKeeper lobs;
  std::string image;
  import_image(portable, lobs, image);
  Row row;
  decode_row(RowLayout(table), image, row);
  return row;
}

}  // namespace

RowMaker::RowMaker(std::shared_ptr<const Catalog> catalog, const TextOptions& text,
                   bool has_dictionary, bool is_lob_block)
    : catalog_(std::move(catalog)), text_(text), is_lob_block_(is_lob_block) {
  if (!has_dictionary) return;
  for (const auto& [name, table] : catalog_->tables) dictionary_[table->object_id] = table;
}

const TableText& RowMaker::table_of(const RedoRecord& r) {
  const auto known = texts_.find(r.table);
  if (known != texts_.end()) return known->second;
  const auto found = dictionary_.find(r.table->object_id);
  const TableDef* now = found == dictionary_.end() ? nullptr : found->second.get();
  if (text_.habits != nullptr && !text_.habits->newest_names) now = r.table.get();
  return texts_.emplace(r.table, table_text(*r.table, now)).first->second;
}

std::vector<ContentsRow> RowMaker::rows_of(const RedoRecord& r) {
  if (r.is_row()) return change_rows(r);
  ContentsRow row = row_for(r.kind);
  const char* end = text_.delimiter ? ";" : "";
  switch (r.kind) {
    case RedoKind::kStart:
      row.sql_redo = std::string("set transaction read write") + end;
      break;
    case RedoKind::kCommit:
      row.sql_redo = std::string("commit") + end;
      break;
    case RedoKind::kRollback:
      row.sql_redo = std::string("rollback") + end;
      break;
    default:
      row.sql_redo = r.text + end;
      row.owner = r.owner;
      row.table = r.name;
      row.info = "USER DDL (PlSql=0 RecDep=0)";
  }
  return {row};
}

RowMaker::Images RowMaker::images_of(const RedoRecord& r) const {
  Images images;
  images.before = decoded(*r.table, r.old_image);
  images.after = decoded(*r.table, r.new_image);
  return images;
}

std::string RowMaker::printed_row_id(const std::string& row_id) const {
  return text_.rowid ? row_id : std::string();
}

std::vector<ContentsRow> RowMaker::change_rows(const RedoRecord& r) {
  const TableText& table = table_of(r);
  std::vector<ContentsRow> out;
  const bool unsupported =
      std::any_of(table.columns.begin(), table.columns.end(),
                  [](const TableText::Column& c) { return is_unsupported(c.type); });
  if (r.table->temporary) {
    out.push_back(row_for(r.kind));
    out.back().sql_redo = "/* No SQL_REDO for temporary tables */";
  } else if (unsupported) {
    out.push_back(row_for(r.kind));
    out.back().code = 255;
    out.back().operation = "UNSUPPORTED";
    out.back().sql_redo = "Unsupported";
    out.back().status = 2;
    out.back().row_id = to_text(r.row_id);
  } else {
    const Images images = images_of(r);
    if (r.is_undo) {
      out = undo_rows(r, table, images);
    } else if (r.kind == RedoKind::kInsert) {
      insert_rows(r, table, images, out);
    } else if (r.kind == RedoKind::kUpdate) {
      update_rows(r, table, images, out);
    } else {
      ContentsRow row = row_for(r.kind);
      row.row_id = to_text(r.row_id);
      row.sql_redo = delete_text(
          table, where_text(table, images.before, r.logged, printed_row_id(row.row_id), text_),
          text_);
      row.sql_undo = insert_text(table, images.before, text_);
      out.push_back(std::move(row));
    }
  }
  const bool has_placeholders = text_.habits == nullptr || text_.habits->placeholder_row_ids;
  int sequence = 0;
  for (ContentsRow& row : out) {
    if (!has_placeholders) row.row_id = to_text(r.row_id);
    row.owner = table.owner;
    row.table = table.name;
    row.sequence = ++sequence;
    if (table.is_known || row.status != 0) continue;
    row.status = 2;
    row.info = "Dictionary Mismatch";
  }
  return out;
}

/// Undo names its row by ROWID alone.
std::vector<ContentsRow> RowMaker::undo_rows(const RedoRecord& r, const TableText& table,
                                             const Images& images) {
  ContentsRow row = row_for(r.kind);
  row.row_id = to_text(r.row_id);
  if (r.kind == RedoKind::kInsert) {
    row.sql_redo = insert_text(table, images.after, text_);
  } else if (r.kind == RedoKind::kDelete) {
    row.sql_redo = delete_text(table, "ROWID = '" + row.row_id + "'", text_);
  } else {
    const std::string where = text_.rowid ? "ROWID = '" + row.row_id + "'" : "";
    row.sql_redo = update_text(table, images.after, r.changed, where, text_);
  }
  return {row};
}

void RowMaker::insert_rows(const RedoRecord& r, const TableText& table, const Images& images,
                           std::vector<ContentsRow>& out) {
  ContentsRow row = row_for(r.kind);
  row.row_id = to_text(r.row_id);
  row.sql_redo = insert_text(table, images.after, text_);
  row.sql_undo = delete_text(table, "ROWID = '" + row.row_id + "'", text_);
  SlotSet inline_lobs;
  bool has_lobs = false;
  for (const TableText::Column& c : table.columns) {
    if (!is_row_lob(c.type)) continue;
    has_lobs = true;
    if (!is_large(images.after[c.index])) inline_lobs.add(c.slot);
  }
  const std::string real = row.row_id;
  if (has_lobs) row.row_id = kNoRowId;
  out.push_back(std::move(row));
  const std::string where = where_text(table, images.after, r.logged, "", text_);
  for (const TableText::Column& c : table.columns) {
    if (is_row_lob(c.type) && is_large(images.after[c.index])) {
      lob_rows(table, c, images.after, where, false, out);
    }
    if (c.type.type == Type::kXml) xml_rows(table, c, images.after, where, out);
  }
  if (inline_lobs.empty()) return;
  ContentsRow update = row_for(RedoKind::kUpdate);
  update.row_id = real;
  update.sql_redo =
      update_text(table, images.after, inline_lobs,
                  where_text(table, images.after, r.logged, printed_row_id(real), text_), text_);
  out.push_back(std::move(update));
}

void RowMaker::update_rows(const RedoRecord& r, const TableText& table, const Images& images,
                           std::vector<ContentsRow>& out) {
  if (r.is_lob_write) return lob_piece_rows(r, table, images, out);
  SlotSet inline_slots;
  std::vector<const TableText::Column*> large;
  std::vector<const TableText::Column*> documents;
  // The row as it is after the statement's own columns: what LOB rows find it by.
  Row now = images.before;
  for (const TableText::Column& c : table.columns) {
    if (!r.changed.has(c.slot)) continue;
    now[c.index] = images.after[c.index];
    if (is_row_lob(c.type) && is_large(images.after[c.index])) {
      large.push_back(&c);
    } else if (c.type.type == Type::kXml) {
      documents.push_back(&c);
    } else {
      inline_slots.add(c.slot);
    }
  }
  const std::string real = to_text(r.row_id);
  if (!inline_slots.empty()) {
    ContentsRow row = row_for(r.kind);
    row.row_id = large.empty() ? real : kNoRowId;
    row.sql_redo = update_text(
        table, images.after, inline_slots,
        where_text(table, images.before, r.logged, printed_row_id(row.row_id), text_), text_);
    row.sql_undo =
        update_text(table, images.before, inline_slots,
                    where_text(table, now, r.logged, printed_row_id(real), text_), text_);
    out.push_back(std::move(row));
  }
  const std::string where = where_text(table, now, r.logged, "", text_);
  for (const TableText::Column* c : large) lob_rows(table, *c, now, where, true, out);
  for (const TableText::Column* c : documents) xml_rows(table, *c, now, where, out);
}

}  // namespace orasim::logminer
