// Committed transactions from the rows of V$LOGMNR_CONTENTS. Facts: reference oracle-cdc, 5, 6.4
// and
// 10. Rows that were taken before are left out by their address, never by their SCN: the redo of a
// transaction may come late, with SCNs of long ago.
//
// Used by one thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/logminer/mined_row.h"
#include "connect/oracle/logminer/redo_change.h"
#include "connect/oracle/logminer/transaction_builder.h"
#include "core/result.h"

namespace wherry::oracle {

class RedoAssembler {
 public:
  /// The transaction that a row commits, when it has changes. A row's text may come in pieces.
  /// kInternal "oracle.redo_gap": the log has a hole.
  Result<std::optional<RedoTransaction>> take(const MinedRow& row);
  /// The rows of a mining step have come; rows of the next that lie before its end are known.
  void end_step();

  struct Open {
    TransactionKey key;
    std::uint64_t first_scn = 0;
    std::uint32_t thread = 0;
    RedoAddress first_address;
  };
  /// Those that have changes, the oldest first: a restart must read from the first address of the
  /// first.
  [[nodiscard]] std::vector<Open> open() const;
  /// Each table once, in the order in which they were found.
  [[nodiscard]] const std::vector<RedoTableProblem>& problems() const { return problems_; }

 private:
  struct Transaction {
    Open open;
    TransactionBuilder builder;
    bool has_rows = false;
  };
  struct Cursor {
    RedoAddress address;
    std::uint64_t ssn = 0;
    auto operator<=>(const Cursor&) const = default;
  };
  [[nodiscard]] bool is_known(const MinedRow& row) const;
  /// False: the text goes on in the next row.
  bool join(const MinedRow& row, MinedRow& whole);
  Result<std::optional<RedoTransaction>> take_whole(const MinedRow& row);
  std::optional<RedoTransaction> commit(const MinedRow& row);
  void add(const MinedRow& row);
  void start(const MinedRow& row);
  std::map<TransactionKey, Transaction>::iterator find(const TransactionKey& key);

  std::map<TransactionKey, Transaction> transactions_;
  std::map<std::uint32_t, Cursor> known_,
      read_;  ///< by thread: of the steps before, and of this one
  std::vector<RedoTableProblem> problems_, found_;
  RedoReaders readers_;
  std::string text_;  ///< of a row whose pieces come
  std::string first_piece_;
  Cursor text_of_;
  bool has_text_ = false, is_text_of_earlier_step_ = false;
};

}  // namespace wherry::oracle
