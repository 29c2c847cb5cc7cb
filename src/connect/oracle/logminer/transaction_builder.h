// The changes of one transaction, from its rows in the order of the redo: rows of LOBs, documents
// and long strings become values of the changes they belong to, and what was rolled back goes
// again. Facts: reference oracle-cdc, 7.2, 7.4 to 7.6.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/logminer/lob_content.h"
#include "connect/oracle/logminer/mined_row.h"
#include "connect/oracle/logminer/redo_change.h"
#include "connect/oracle/logminer/redo_parser.h"
#include "connect/oracle/logminer/redo_protocol.h"
#include "connect/oracle/logminer/redo_spill.h"

namespace wherry::oracle {

/// What reads the rows of all transactions; kept so that nothing is allocated for each.
struct RedoReaders {
  RedoParser parser;
  RedoProtocolParser protocol;
  RedoStatement statement;
  RedoPiece piece;
};

class TransactionBuilder {
 public:
  /// `row` has its whole text. What cannot be told of its table is added to `problems`. Errors are
  /// those of reading chunks back.
  Result<void> add(const MinedRow& row, RedoReaders& readers,
                   std::vector<RedoTableProblem>& problems);
  /// Moves all but the newest changes out of memory. Errors: as RedoStore::put(); what has not been
  /// moved stays.
  Result<void> spill(RedoStore& store);
  /// Of those that were not taken back, in memory or not.
  [[nodiscard]] std::size_t change_count() const;
  /// Of the changes in memory, about.
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }
  /// What is left, in its order: first what was moved out of memory. Ends the use of this object.
  void finish(RedoTransaction& out);

 private:
  struct Pending {
    RedoChange change;
    std::size_t used_bytes = 0;
    bool is_undone = false;
    int lob_statements = 1;  ///< that made it, where rows of LOBs alone tell of them
    std::map<std::string, LobContent, std::less<>> lobs;
  };
  /// A LOB that rows write to, or a value that rows make piece by piece.
  struct Target {
    std::size_t change = 0;
    std::string column;
    LobType type = LobType::kNone;
    OwnedRedoValue value;
    bool is_document = false;  ///< XML, whose pieces may be its text's bytes
  };

  void add_statement(const MinedRow& row, RedoReaders& readers,
                     std::vector<RedoTableProblem>& problems);
  void add_hidden(const MinedRow& row, std::vector<RedoTableProblem>& problems);
  bool completes_insert(const MinedRow& row, const RedoStatement& update);
  Pending& add_change(const MinedRow& row);
  void set_row_id(Pending& pending, std::string_view row_id);
  Result<void> undo(const MinedRow& row);
  Result<void> undo_spilled(const MinedRow& row, std::optional<RedoKind> undone);
  void take_back(std::size_t index);
  void drop_undone_end();
  void drop_front(std::size_t count);
  void add_piece(const MinedRow& row, RedoRowKind kind, RedoReaders& readers,
                 std::vector<RedoTableProblem>& problems);
  void add_lob_piece(const MinedRow& row, RedoRowKind kind, const RedoPiece& piece);
  std::size_t find_lob_change(const MinedRow& row, const RedoPiece& piece);
  std::size_t new_update(const MinedRow& row, const RedoPiece& piece);
  LobContent& lob_of(const Target& target);
  void begin_value(const MinedRow& row, const RedoPiece& piece, bool is_document);
  void add_to_value(const RedoPiece& piece);
  void end_value();
  [[nodiscard]] std::optional<std::size_t> newest(const MinedRow& row,
                                                  const std::vector<RedoField>* key,
                                                  bool only_placeholders) const;

  std::vector<SpilledChanges> spilled_;  ///< before changes_
  std::vector<RedoChange> loaded_;       ///< of spilled_[loaded_index_]
  std::size_t loaded_index_ = SIZE_MAX;
  std::vector<Pending> changes_;
  std::size_t placeholders_ = 0;  ///< of changes_, those that nobody has told a ROWID of
  std::size_t used_bytes_ = 0;
  std::optional<Target> locator_;  ///< of the last SEL_LOB_LOCATOR
  bool is_new_lob_statement_ = false;
  std::optional<Target> value_;  ///< in work
};

}  // namespace wherry::oracle
