// The Store: catalog, segments, sequences, recovery. See store.h for what callers may rely on.
//
// Locks, taken in this order and never the other way round: ddl_mutex_ (one catalog change at a
// time), write lock (changes of rows, key indexes, who waits for whom), then the inner locks of the
// commit log, the sequences and the catalog pointer.
#pragma once

#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "store/commit_log.h"
#include "store/redo_log.h"
#include "store/sequences.h"
#include "store/supplemental.h"
#include "store/table_rules.h"

namespace orasim {

struct StoreOptions {
  std::string data_dir;  ///< empty: memory only
  Clock clock;           ///< microseconds since 1970; null: the system's
};

class StoreImpl final : public Store {
 public:
  static std::unique_ptr<StoreImpl> open(const StoreOptions&);
  explicit StoreImpl(Clock clock);

  [[nodiscard]] std::shared_ptr<const Catalog> catalog() const override;
  [[nodiscard]] Scn current_scn() const override { return log_.current(); }
  [[nodiscard]] Scn oldest_readable_scn() const override { return undo_from_.load(); }
  [[nodiscard]] std::optional<Scn> scn_at(std::int64_t t) const override { return log_.scn_at(t); }
  [[nodiscard]] std::optional<std::int64_t> time_of(Scn s) const override {
    return log_.time_of(s);
  }
  Scn advance_scn() override { return log_.advance(); }
  void discard_undo_before(Scn oldest) override;
  [[nodiscard]] std::vector<OpenTransaction> open_transactions() const override;
  [[nodiscard]] TableStats stats(const TableDef&) const override;
  std::unique_ptr<Transaction> begin(std::uint32_t session_id, const std::atomic<bool>* cancel,
                                     const std::string& user = {}) override;
  std::unique_ptr<RowScan> scan(const TableDef&, Scn, const Transaction*,
                                const std::atomic<bool>* cancel,
                                const RowIdRange& range = {}) override;
  bool fetch(const TableDef&, const RowId&, Scn, const Transaction*, Row&) override;
  Scn row_scn(const TableDef&, const RowId&, Scn) override;
  std::unique_ptr<RowScan> lookup(const TableDef&, const std::vector<std::string>& columns,
                                  const Row& key, Scn, const Transaction*,
                                  const std::atomic<bool>* cancel) override;
  void change_catalog(const std::function<void(Catalog&)>& edit,
                      const DdlText* ddl = nullptr) override;
  void truncate(const TableDef&, const DdlText* ddl = nullptr) override;
  std::uint32_t next_object_id() override;
  Number next_sequence_value(const std::string& owner, const std::string& name) override;
  [[nodiscard]] Number sequence_last_number(const SequenceDef&) const override;
  [[nodiscard]] std::vector<ExtentInfo> extents(const TableDef&) const override;
  [[nodiscard]] DatabaseIdentity identity() const override;
  [[nodiscard]] RedoLog& redo() const override { return redo_; }
  void switch_log(std::uint32_t session_id) override;
  void switch_all_logs() override;
  bool disable_thread(std::uint32_t thread) override;
  [[nodiscard]] Habits& habits() const override { return habits_; }
  void set_undo_retention(std::chrono::seconds age) override { undo_retention_ = age; }

  // For transactions. Everything down to `log` is used with the write lock held.
  std::mutex& write_lock() { return write_mutex_; }
  /// Rules of the segment that `def` stands for; ORA-08103 when the table changed under the caller.
  TableRules& rules_for(const TableDef& def);
  TableRules& rules_for_segment(const SegmentPtr&);
  TxRecord* begin_record(TransactionImpl*);
  /// Blocks until `blocker` or any other transaction gives up locks. ORA-00060, ORA-01013.
  void wait_for(std::unique_lock<std::mutex>&, TransactionImpl& waiter, TransactionImpl& blocker);
  /// Wakes all waiters: each looks again whether it still has to wait.
  void locks_released();
  void forget_open(TransactionImpl*);
  std::uint64_t next_transaction_number() { return ++transaction_number_; }
  CommitLog& log() { return log_; }
  /// Null when no redo of rows is kept.
  const LoggingPlan* logging_plan(const Segment&);
  /// A switch when the thread's current log file is full; with the write lock held.
  void switch_if_full(std::uint32_t thread);

 private:
  struct SegmentView {
    SegmentPtr segment;
    ReadView view;
  };
  void recover(const std::string& data_dir);
  void age_undo();
  SegmentView open_view(const TableDef&, Scn, const Transaction* own);
  [[nodiscard]] SegmentPtr find_segment(std::uint32_t data_object) const;
  SegmentPtr make_segment(std::shared_ptr<const TableDef>);
  ExtentInfo allocate_extent(std::uint32_t data_object, std::uint32_t blocks);
  void install(std::shared_ptr<const Catalog> next);
  void build_rules(TableRules&);
  void add_child_rules(TableRules&, const Catalog&);
  void switch_locked(std::uint32_t thread);
  void check_not_busy(const Catalog& before, const Catalog& after) const;
  friend class Recovery;

  CommitLog log_;
  mutable RedoLog redo_;
  mutable Habits habits_;
  bool logs_rows_ = false;  ///< supplemental logging is on; under write lock
  std::unordered_map<std::uint32_t, LoggingPlan> plans_;  ///< by data object id; under write lock
  Sequences sequences_;
  std::atomic<Scn> undo_from_{0};       ///< what was thrown away by order
  std::atomic<Scn> kept_undo_from_{0};  ///< that, and what is too old
  std::atomic<std::chrono::seconds> undo_retention_{std::chrono::seconds(900)};

  std::mutex ddl_mutex_;
  mutable std::mutex write_mutex_;
  std::condition_variable released_;
  std::uint64_t release_count_ = 0;
  std::vector<TransactionImpl*> waiters_, open_;
  std::unordered_map<std::uint32_t, SegmentPtr> segments_;  ///< by data object id
  std::unordered_map<std::uint32_t, std::unique_ptr<TableRules>> rules_;
  std::deque<TxRecord> records_;
  std::uint64_t transaction_number_ = 0;
  std::uint32_t next_block_;
  std::int64_t created_micros_ = 0;  ///< set before anyone else knows the store

  mutable std::mutex catalog_mutex_;
  std::shared_ptr<const Catalog> catalog_;
};

/// Throws what makes the rows refuse the new definition (see Store::change_catalog). `segment_of`
/// gives the segment of a data object id, or null for a table without rows.
void validate_catalog_change(const Catalog& before, const Catalog& after,
                             const std::function<SegmentPtr(std::uint32_t)>& segment_of);

}  // namespace orasim
