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
  RedoAssembler() = default;
  /// Changes beyond `memory_bytes` go to `store`, which outlives this and what take() gave.
  RedoAssembler(RedoStore& store, std::size_t memory_bytes)
      : store_(&store), memory_bytes_(memory_bytes) {}
  /// The transaction that a row commits, when it has changes or problems. A row's text may come in
  /// pieces. kInternal "oracle.redo_gap": the log has a hole. "spill.disk_full": the row was taken,
  /// and more memory is used than should be.
  Result<std::optional<RedoTransaction>> take(const MinedRow& row);
  /// The rows of a mining step have come; rows of the next that lie before its end are known.
  void end_step();
  /// The step broke off before its end: what has come counts, and is left out when it comes again.
  void break_step();
  /// Rows of the thread that lie before `floor` are known: a restart.
  void begin_at(std::uint32_t thread, const RedoAddress& floor);

  /// Of the row that was taken last, when it is a statement of DDL that was not known: with its
  /// whole text, good until the next call.
  [[nodiscard]] const MinedRow* ddl() const { return is_ddl_ ? &whole_ : nullptr; }

  struct Open {
    TransactionKey key;
    std::uint64_t first_scn = 0;  ///< of its begin, or of what was seen first of it
    std::uint32_t thread = 0;
    RedoAddress first_address;
    std::int64_t begun_micros = 0;  ///< since 1970 in UTC, as far as it is known
    std::size_t change_count = 0;   ///< told by open() only
  };
  /// Those that have changes, the oldest first: a restart must read from the first address of the
  /// first.
  [[nodiscard]] std::vector<Open> open() const;
  /// By thread, the first record that a restart must read again to go on behind the last row.
  [[nodiscard]] std::map<std::uint32_t, RedoAddress> floors() const;
  /// Of all transactions, those that were rolled back too; each table once, in the order in which
  /// they were found.
  [[nodiscard]] const std::vector<RedoTableProblem>& problems() const { return problems_; }

 private:
  struct Transaction {
    Open open;
    TransactionBuilder builder;
    std::string user;  ///< of the first row that tells it
    std::vector<RedoTableProblem> problems;
    bool has_rows = false;
  };
  struct Place {
    RedoAddress address;
    std::uint64_t ssn = 0;
    auto operator<=>(const Place&) const = default;
  };
  /// The rows of an array's DELETE have one place: how many of them have come.
  struct Cursor {
    Place place;
    std::uint64_t rows = 0;
  };
  static constexpr std::uint64_t kAllRows = UINT64_MAX;
  bool is_known(const MinedRow& row);
  void note_read(const MinedRow& row);
  void go_on_behind_read(bool has_all_rows);
  /// False: the text goes on in the next row.
  bool join(const MinedRow& row);
  Result<std::optional<RedoTransaction>> take_whole(const MinedRow& row);
  std::optional<RedoTransaction> commit(const MinedRow& row);
  Result<void> add(const MinedRow& row);
  Result<void> make_room();
  void forget(std::map<TransactionKey, Transaction>::iterator transaction);
  void start(const MinedRow& row);
  std::map<TransactionKey, Transaction>::iterator find(const TransactionKey& key);

  RedoStore* store_ = nullptr;
  std::size_t memory_bytes_ = 0;
  std::size_t used_bytes_ = 0;  ///< of all builders
  std::map<TransactionKey, Transaction> transactions_;
  /// By thread: of the steps before, and of this one.
  std::map<std::uint32_t, Cursor> known_, read_;
  std::map<std::uint32_t, std::uint64_t> again_;  ///< known rows of the cursor's place, this step
  std::vector<RedoTableProblem> problems_, found_;
  RedoReaders readers_;
  MinedRow whole_;  ///< the row taken last
  bool is_ddl_ = false;
  std::string text_;  ///< of a row whose pieces come
  std::string first_piece_;
  Place text_of_;
  bool has_text_ = false, is_text_of_earlier_step_ = false;
};

}  // namespace wherry::oracle
