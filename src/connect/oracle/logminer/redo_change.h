// Changes of a committed transaction, put together from the rows that LogMiner has of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connect/oracle/logminer/mined_row.h"
#include "connect/oracle/logminer/redo_statement.h"
#include "core/result.h"

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
  std::string column;  ///< "COL 3" in a row of a definition that is no longer the table's
  OwnedRedoValue value;
};
using RedoImage = std::vector<OwnedRedoField>;
/// nullptr: the column is not mentioned.
OwnedRedoValue* find_value(RedoImage& image, std::string_view column);
const OwnedRedoValue* find_value(const RedoImage& image, std::string_view column);
void set_value(RedoImage& image, std::string_view column, OwnedRedoValue value);

struct RedoChange {
  RedoKind kind = RedoKind::kInsert;
  /// LogMiner shows that the row was changed, and not how: all but its place is without meaning.
  bool is_hidden = false;
  std::string owner, table;
  std::string row_id;  ///< a placeholder where no row has told it
  RedoImage after, before;
  /// Columns that have another value now, which the log does not tell.
  std::vector<std::string> unknown;
};

/// A table whose changes the log does not tell any more: to be loaded again.
struct RedoTableProblem {
  std::string owner, table;
  std::string_view reason;  ///< static
  /// A change of the transaction is_hidden, and says where the row is.
  bool has_hidden_change = false;
};

/// Bytes that are kept outside of memory; gone with the object.
class StoredChunk {
 public:
  virtual ~StoredChunk() = default;
  [[nodiscard]] virtual Result<std::string> read() const = 0;
};

/// Some changes of a transaction, in their order.
struct SpilledChanges {
  std::shared_ptr<const StoredChunk> chunk;
  std::vector<bool> is_undone;  ///< by change
  std::size_t left = 0;         ///< that are not
};

struct RedoTransaction {
  TransactionKey key;
  std::string user;  ///< MinedRow::user
  std::uint64_t commit_scn = 0;
  std::int64_t commit_micros = 0;  ///< MinedRow::time_micros
  std::uint32_t thread = 0;
  RedoAddress commit_address;
  std::vector<SpilledChanges> spilled;  ///< before `changes`
  std::vector<RedoChange> changes;
  std::vector<RedoTableProblem> problems;  ///< each table once; without those of hidden changes
};

}  // namespace wherry::oracle
