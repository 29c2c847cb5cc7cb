// A transaction: its changes in order, so that it can be rolled back to any mark and written to the
// log in one piece.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "store/store_impl.h"

namespace orasim {

class TransactionImpl final : public Transaction {
 public:
  TransactionImpl(StoreImpl& store, std::uint32_t session_id, const std::atomic<bool>* cancel,
                  std::string user);
  ~TransactionImpl() override;
  TransactionImpl(const TransactionImpl&) = delete;
  TransactionImpl& operator=(const TransactionImpl&) = delete;

  [[nodiscard]] bool is_open() const override { return !changes_.empty(); }
  [[nodiscard]] std::string xid() const override;
  [[nodiscard]] Scn start_scn() const override { return start_scn_; }
  RowId insert(const TableDef&, const Row& row) override;
  bool update(const TableDef&, const RowId&, const Row& row, Scn read_scn) override;
  bool write_lob(const TableDef&, const RowId&, const Row& row, Scn read_scn) override;
  bool remove(const TableDef&, const RowId&, Scn read_scn) override;
  bool lock_row(const TableDef&, const RowId&, Scn read_scn,
                std::optional<std::chrono::seconds> wait) override;
  void check_deferred() override;
  void end_statement() override;
  std::uint64_t mark() override { return changes_.size(); }
  void rollback_to(std::uint64_t mark) override;
  Scn commit() override;
  void rollback() override;

  [[nodiscard]] const TxRecord* record() const { return record_; }
  [[nodiscard]] std::uint32_t next_sequence() const {
    return static_cast<std::uint32_t>(changes_.size());
  }
  /// Of the instance that its session is at; under the write lock, while it is open.
  [[nodiscard]] std::uint32_t thread() const { return thread_; }
  [[nodiscard]] bool cancelled() const {
    return cancel_ != nullptr && cancel_->load(std::memory_order_relaxed);
  }
  [[nodiscard]] OpenTransaction describe() const;
  /// Moves the redo that is still private to the log; under the write lock. ORA-00345.
  void flush_strand();
  /// Whom this one waits for; under the write lock.
  TransactionImpl* waits_for = nullptr;
  /// When its waiting ends with ORA-30006; of FOR UPDATE WAIT.
  std::optional<std::chrono::steady_clock::time_point> wait_until;

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Change {
    Segment* segment = nullptr;
    std::uint64_t ordinal = 0;
    Version* version = nullptr;
    bool in_redo = false;
  };
  /// A check that must wait for the end of the statement, or for commit.
  struct PendingCheck {
    enum class Kind : std::uint8_t { kUnique, kParent, kChildren };
    Kind kind = Kind::kUnique;
    bool deferred = false;
    SegmentPtr segment;
    std::string rule;
    std::uint64_t ordinal = 0;         ///< kUnique, kParent: the row
    const Version* old_row = nullptr;  ///< kChildren: the parent row as it was
    std::size_t at_change = 0;         ///< void when rolled back to before this
  };
  enum class RowState : std::uint8_t { kReady, kChanged };
  /// A deleted parent whose children are to be dealt with.
  struct Orphans {
    SegmentPtr parent;
    const Version* row = nullptr;
  };

  // transaction_rows.cpp: one change of one row. They may wait, giving up the write lock meanwhile;
  // on kReady nobody else has an uncommitted change of the row.
  RowState lock_for_change(Lock&, const SegmentPtr&, std::uint64_t ordinal, Scn read_scn);
  Version* write(const SegmentPtr&, std::uint64_t ordinal, VersionKind, std::string_view image);
  bool update_row(Lock&, const SegmentPtr&, std::uint64_t ordinal, const Row&, Scn read_scn);
  bool delete_row(Lock&, const SegmentPtr&, std::uint64_t ordinal, Scn read_scn,
                  std::vector<Orphans>& orphans);
  void settle_orphans(Lock&, std::vector<Orphans>& orphans);
  void settle_children(Lock&, const Orphans&, std::size_t rule, std::vector<Orphans>& orphans);
  void set_null(Lock&, const ChildRule&, const std::vector<std::uint64_t>& rows);

  // transaction_checks.cpp
  TransactionImpl* check_keys(TableRules&, std::string_view image, const Version* old_row,
                              std::optional<std::uint64_t> ordinal,
                              std::vector<PendingCheck>& pending);
  TransactionImpl* check_unique(TableRules&, std::string_view image, const Version* old_row,
                                std::optional<std::uint64_t> ordinal,
                                std::vector<PendingCheck>& pending);
  TransactionImpl* check_parents(TableRules&, std::string_view image, const Version* old_row,
                                 std::vector<PendingCheck>& pending);
  void note_changed_parent(TableRules&, std::string_view image, const Version* old_row,
                           std::vector<PendingCheck>& pending);
  void adopt(std::vector<PendingCheck>&& pending, std::uint64_t ordinal);
  void run_pending(Lock&, bool deferred_too);
  TransactionImpl* recheck(const PendingCheck&);
  TransactionImpl* recheck_row(const PendingCheck&, TableRules&);
  TransactionImpl* recheck_children(const PendingCheck&, TableRules&);

  // transaction.cpp
  void ensure_started();
  void touch(const SegmentPtr&);
  void undo_to(std::uint64_t mark);
  /// What commits would change in a table.
  struct NetChange {
    Segment* segment = nullptr;
    std::int64_t rows = 0, bytes = 0;
  };
  [[nodiscard]] bool is_final(const Change&) const;
  [[nodiscard]] std::vector<NetChange> net_changes() const;
  [[nodiscard]] std::vector<std::string> log_frames() const;
  void append_change(const Change&, ByteWriter&) const;
  void drop_row_locks();

  // transaction_redo.cpp
  RedoRecord redo_record(RedoKind) const;
  void add_redo(RedoRecord);
  bool log_change(const SegmentPtr&, std::uint64_t ordinal, const Version* old_row,
                  const Version* new_row);
  void log_undo(const Change&);
  void add_undo(RedoRecord);
  void roll_back_redo();
  [[nodiscard]] bool hides_xid() const;
  [[nodiscard]] std::vector<RedoRecord> commit_redo() const;
  RedoRecord change_record(const LoggingPlan&, Segment&, std::uint64_t ordinal,
                           const Version* old_row, const Version* new_row) const;
  /// `goes_on`: its XID is for what it may change yet, as after a rollback to a savepoint.
  void finish(bool goes_on = false);

  StoreImpl& store_;
  std::uint32_t session_id_;
  const std::atomic<bool>* cancel_;
  TxRecord* record_ = nullptr;
  std::uint64_t number_ = 0;
  std::uint32_t thread_ = 1;  ///< of the redo that it writes
  Scn start_scn_ = 0;
  std::int64_t start_unix_ = 0;
  std::vector<Change> changes_;
  std::vector<SegmentPtr> touched_;
  std::vector<PendingCheck> pending_;
  std::string user_;
  bool writes_lob_ = false;         ///< inside write_lob()
  bool rolls_back_ = false;         ///< inside rollback()
  bool in_redo_ = false;            ///< its begin is in the redo
  Scn redo_scn_ = 0;                ///< of its begin
  std::vector<RedoRecord> strand_;  ///< redo that is not in the log yet
  std::size_t strand_bytes_ = 0;
};

}  // namespace orasim
