// A row of V$LOGMNR_CONTENTS, as far as assembly needs it. Facts: reference oracle-cdc, 5 and 6.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::oracle {

/// Where a record of the redo lies: RS_ID, " 0xSSSSSS.BBBBBBBB.OOOO ". Comparable within a thread.
struct RedoAddress {
  std::uint32_t sequence = 0;  ///< of the log
  std::uint32_t block = 0;
  std::uint32_t offset = 0;  ///< bytes

  auto operator<=>(const RedoAddress&) const = default;
  /// Some rows of control have none; they are placed by their SCN.
  [[nodiscard]] bool is_known() const { return sequence != 0 || block != 0 || offset != 0; }
};
/// With or without blanks around it; nullopt: it is none.
std::optional<RedoAddress> parse_redo_address(std::string_view rs_id);
/// With blanks around it, as the view has it.
std::string to_text(const RedoAddress& address);

/// Undo segments may belong to a PDB, so that the same numbers are open in two of them at once.
struct TransactionKey {
  std::uint32_t container = 0;  ///< SRC_CON_ID
  std::uint32_t segment = 0, slot = 0, sequence = 0;

  auto operator<=>(const TransactionKey&) const = default;
  /// Rows that a rollback writes may not know the sequence.
  [[nodiscard]] bool is_partial() const { return sequence == 0xFFFFFFFF; }
  [[nodiscard]] bool is_none() const { return segment == 0 && slot == 0 && sequence == 0; }
};
/// "5.1.614", as people write it.
std::string to_text(const TransactionKey& key);

struct MinedRow {
  std::uint64_t scn = 0;
  std::int64_t time_micros = 0;  ///< since 1970 in UTC, of whole seconds
  std::uint32_t thread = 0;
  RedoAddress address;
  std::uint64_t ssn = 0;
  TransactionKey transaction;
  int operation_code = 0;
  bool is_undo = false;  ///< ROLLBACK = 1
  bool goes_on = false;  ///< CSF = 1: the text goes on in the next row
  int status = 0;
  std::string_view owner, table, row_id, info, sql_redo;
  std::string_view user;  ///< whose session it is; empty: not known, or not asked for
};

/// A row that LogMiner has no ROWID of: a part of a statement on LOBs.
bool is_placeholder(std::string_view row_id);

}  // namespace wherry::oracle
