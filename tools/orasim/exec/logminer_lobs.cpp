// LOB and XML rows: values that are written apart from their row.
#include <algorithm>

#include "exec/logminer_rows.h"
#include "exec/types.h"

namespace orasim::logminer {
namespace {

/// Characters or bytes of one LOB_WRITE.
constexpr std::size_t kPiece = 1000;
constexpr const char* kLobInfo = "LOB sql_redo not re-executable";
constexpr const char* kXmlInfo = "XML sql_redo not re-executable";

struct LobNames {
  const char* locator;
  const char* buffer;
};

LobNames names_of(const DataType& type) {
  if (type.type == Type::kBlob) return {"loc_b", "buf_b"};
  return type.national ? LobNames{"loc_nc", "buf_nc"} : LobNames{"loc_c", "buf_c"};
}

std::string declarations(bool is_block) {
  return std::string(
             "DECLARE \n loc_c CLOB; \n buf_c VARCHAR2(6156); \n loc_b BLOB; \n buf_b RAW(6156); \n"
             " loc_nc NCLOB; \n buf_nc NVARCHAR2(6156); \n") +
         (is_block ? " e_len NUMBER; \n" : "") + "BEGIN\n";
}

/// The part of the new value that is not the old one; in whole characters of text.
struct Difference {
  std::size_t begin = 0, end = 0;
};

Difference difference_of(std::string_view before, std::string_view now, bool is_bytes) {
  Difference d;
  const std::size_t shorter = std::min(before.size(), now.size());
  while (d.begin < shorter && before[d.begin] == now[d.begin]) ++d.begin;
  d.end = now.size();
  if (now.size() == before.size()) {
    while (d.end > d.begin && before[d.end - 1] == now[d.end - 1]) --d.end;
  }
  if (is_bytes) return d;
  const auto is_inside = [&](std::size_t at) {
    return at < now.size() && (static_cast<unsigned char>(now[at]) & 0xC0U) == 0x80U;
  };
  while (d.begin > 0 && is_inside(d.begin)) --d.begin;
  while (is_inside(d.end)) ++d.end;
  return d;
}

ContentsRow lob_row(int code, const char* operation) {
  ContentsRow row;
  row.code = code;
  row.operation = operation;
  row.row_id = kNoRowId;
  row.status = 2;
  row.info = kLobInfo;
  return row;
}

std::string piece_literal(const std::string& piece, const DataType& type) {
  if (type.type == Type::kBlob) return raw_literal(piece, true);
  return type.national ? national_literal(piece) : quoted(piece);
}

}  // namespace

std::string RowMaker::locator_select(const TableText& table, const TableText::Column& column,
                                     const std::string& where) const {
  return declarations(is_lob_block_) + " select \"" + column.name + "\" into " +
         names_of(column.type).locator + " from \"" + table.owner + "\".\"" + table.name + "\"" +
         (where.empty() ? "" : " where " + where) + " for update;";
}

ContentsRow RowMaker::locator_row(const std::string& select) const {
  ContentsRow row = lob_row(9, is_lob_block_ ? "INTERNAL" : "SEL_LOB_LOCATOR");
  if (!is_lob_block_) row.sql_redo = select;
  return row;
}

ContentsRow RowMaker::write_row(const std::string& select, const TableText::Column& column,
                                const std::string& piece, std::size_t offset) const {
  const LobNames names = names_of(column.type);
  const std::size_t amount = column.type.type == Type::kBlob ? piece.size() : char_count(piece);
  const std::string action = std::string(" ") + names.buffer +
                             " := " + piece_literal(piece, column.type) + "; \n  dbms_lob.write(" +
                             names.locator + ", " + std::to_string(amount) + ", " +
                             std::to_string(offset) + ", " + names.buffer + ");";
  ContentsRow row = lob_row(10, "LOB_WRITE");
  row.sql_redo = is_lob_block_ ? select + "\n\n" + action + "\nEND;" : action;
  return row;
}

ContentsRow RowMaker::trim_row(const std::string& select, const TableText::Column& column,
                               std::size_t length) const {
  const std::string action = std::string("  dbms_lob.trim(") + names_of(column.type).locator +
                             ", " + std::to_string(length) + ");";
  ContentsRow row = lob_row(11, "LOB_TRIM");
  row.sql_redo = is_lob_block_ ? select + "\n\n" + action + "\nEND;" : action;
  return row;
}

/// `offset`: where the data begins, from 1.
void RowMaker::write_rows(const std::string& select, const TableText::Column& column,
                          std::string_view data, std::size_t offset,
                          std::vector<ContentsRow>& out) const {
  const bool is_bytes = column.type.type == Type::kBlob;
  while (!data.empty()) {
    const std::size_t size = is_bytes ? std::min(kPiece, data.size()) : char_offset(data, kPiece);
    const std::string piece(data.substr(0, size));
    out.push_back(write_row(select, column, piece, offset));
    data.remove_prefix(size);
    offset += is_bytes ? size : char_count(piece);
  }
}

/// A value that is written whole.
void RowMaker::lob_rows(const TableText& table, const TableText::Column& column, const Row& after,
                        const std::string& where, bool trims, std::vector<ContentsRow>& out) {
  const std::string select = locator_select(table, column, where);
  out.push_back(locator_row(select));
  const std::string& data = after[column.index].lob()->data;
  write_rows(select, column, data, 1, out);
  const bool is_bytes = column.type.type == Type::kBlob;
  if (trims) out.push_back(trim_row(select, column, is_bytes ? data.size() : char_count(data)));
}

/// What a client has written through a locator: what differs, or where the value now ends.
void RowMaker::lob_piece_rows(const RedoRecord& r, const TableText& table, const Images& images,
                              std::vector<ContentsRow>& out) {
  const std::string row_id = to_text(r.row_id);
  const std::string where = where_text(table, images.before, r.logged, "", text_);
  for (const TableText::Column& c : table.columns) {
    if (!r.changed.has(c.slot) || images.after[c.index].is_null()) continue;
    const std::string select = locator_select(table, c, where);
    const std::size_t first = out.size();
    out.push_back(locator_row(select));
    const std::string& now = images.after[c.index].lob()->data;
    const std::string before =
        images.before[c.index].is_null() ? std::string() : images.before[c.index].lob()->data;
    const bool is_bytes = c.type.type == Type::kBlob;
    if (now.size() < before.size() && before.starts_with(now)) {
      out.push_back(trim_row(select, c, is_bytes ? now.size() : char_count(now)));
      out[first].row_id = row_id;
      continue;
    }
    const Difference part = difference_of(before, now, is_bytes);
    write_rows(
        select, c, std::string_view(now).substr(part.begin, part.end - part.begin),
        1 + (is_bytes ? part.begin : char_count(std::string_view(now).substr(0, part.begin))), out);
    for (std::size_t i = first; i < out.size(); ++i) out[i].row_id = row_id;
  }
}

void RowMaker::xml_rows(const TableText& table, const TableText::Column& column, const Row& after,
                        const std::string& where, std::vector<ContentsRow>& out) {
  const auto row = [](int code, const char* operation) {
    ContentsRow one = lob_row(code, operation);
    one.info = kXmlInfo;
    return one;
  };
  ContentsRow begin = row(68, "XML DOC BEGIN");
  begin.sql_redo = "XML DOC BEGIN:  select \"" + column.name + "\" from \"" + table.owner +
                   "\".\"" + table.name + "\"" + (where.empty() ? "" : " where " + where);
  out.push_back(std::move(begin));
  ContentsRow write = row(70, "XML DOC WRITE");
  const Value& v = after[column.index];
  write.sql_redo = v.is_null() ? "XML_REDO := NULL"
                               : "XML_REDO := " + quoted(v.lob()->data) +
                                     "\n amount: " + std::to_string(v.lob()->data.size());
  out.push_back(std::move(write));
  out.push_back(row(71, "XML DOC END"));
}

}  // namespace orasim::logminer
