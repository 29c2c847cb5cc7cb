// Changes of a committed transaction, put together from the rows that LogMiner has of them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connect/oracle/logminer/mined_row.h"
#include "connect/oracle/logminer/redo_statement.h"

namespace wherry::oracle {

/// As RedoValue, with memory of its own.
struct OwnedRedoValue {
  OwnedRedoValue() = default;
  explicit OwnedRedoValue(const RedoValue& value);
  /// Views of this object.
  [[nodiscard]] RedoValue view() const;

  RedoForm form = RedoForm::kNull;
  std::uint8_t argument_count = 0;
  std::string text, format, function, hint;
};

struct OwnedRedoField {
  std::string column;
  OwnedRedoValue value;
};
using RedoImage = std::vector<OwnedRedoField>;
/// nullptr: the column is not mentioned.
OwnedRedoValue* find_value(RedoImage& image, std::string_view column);
const OwnedRedoValue* find_value(const RedoImage& image, std::string_view column);
void set_value(RedoImage& image, std::string_view column, OwnedRedoValue value);

struct RedoChange {
  RedoKind kind = RedoKind::kInsert;
  std::string owner, table;
  std::string row_id;  ///< a placeholder where no row has told it
  RedoImage after, before;
  /// Columns that have another value now, which the log does not tell.
  std::vector<std::string> unknown;
};

struct RedoTransaction {
  TransactionKey key;
  std::uint64_t commit_scn = 0;
  std::uint32_t thread = 0;
  RedoAddress commit_address;
  std::vector<RedoChange> changes;
};

}  // namespace wherry::oracle
