// Redo as SQL text: what V$LOGMNR_CONTENTS shows in SQL_REDO and SQL_UNDO, letter by letter.
//
// Source of the forms: texts that databases have been seen to print (reference/oracle-cdc.md of the
// shared facts, sections 7 and 8). Dates, times and numbers follow the NLS settings of the session
// that reads the view.
#pragma once

#include <string>
#include <vector>

#include "engine/nls.h"
#include "store/habits.h"
#include "store/redo_record.h"

namespace orasim::logminer {

/// Options of START_LOGMNR that change the text, and the reader's session.
struct TextOptions {
  const Nls* nls = nullptr;
  bool delimiter = true;        ///< a semicolon at the end; NO_SQL_DELIMITER
  bool rowid = true;            ///< ROWID in WHERE; NO_ROWID_IN_STMT
  bool plain_literals = false;  ///< STRING_LITERALS_IN_STMT
  bool pretty = false;          ///< PRINT_PRETTY_SQL
  const Habits* habits = nullptr;
};

/// How the columns of a table are named and printed: by the dictionary, or as COL n and stored
/// bytes when the redo is of another definition than the dictionary has.
struct TableText {
  std::string owner, name;
  struct Column {
    std::string name;
    DataType type;
    std::size_t index = 0;  ///< into the rows
    std::uint16_t slot = 0;
  };
  std::vector<Column> columns;  ///< those that are stored, in the order of the table
  bool is_known = true;
};
/// `now` null: the dictionary does not have the table.
TableText table_text(const TableDef& then, const TableDef* now);
/// Whether rows of the one definition read as rows of the other.
bool same_layout(const TableDef& then, const TableDef& now);

/// One value; `NULL` for NULL.
std::string literal(const Value&, const DataType&, const TextOptions&);
/// The bytes as a server stores them, as HEXTORAW('…').
std::string stored_literal(const Value&, const DataType&);
/// 'text', apostrophes doubled.
std::string quoted(std::string_view text);
std::string national_literal(std::string_view utf8);
std::string raw_literal(std::string_view bytes, bool upper = false);

/// `"C" = 'v' and "D" IS NULL …`: columns of `slots` in the order of the table, LOBs never; then
/// ROWID when there is one to print.
std::string where_text(const TableText&, const Row&, const SlotSet& slots,
                       const std::string& row_id, const TextOptions&);
/// LOBs as empty ones, XMLTYPE not at all.
std::string insert_text(const TableText&, const Row&, const TextOptions&);
/// `set`: columns and the values they get.
std::string update_text(const TableText&, const Row& set, const SlotSet& slots,
                        const std::string& where, const TextOptions&);
std::string delete_text(const TableText&, const std::string& where, const TextOptions&);

}  // namespace orasim::logminer
