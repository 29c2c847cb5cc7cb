// Some changes of the feed on their way through one lane: whole transactions, or a piece of one; or
// a barrier, that is steps that must be alone. Filled by the assembling thread, then read by a
// lane's, then recycled.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "connect/api/changes.h"
#include "core/arena.h"
#include "engine/changes/feed.h"
#include "engine/changes/fold.h"
#include "engine/changes/routes.h"

namespace wherry::engine {

struct WindowChange {
  const TableRoute* table = nullptr;
  const Cell* before = nullptr;  ///< cells of the plan
  const Cell* after = nullptr;
  connect::ChangeKind kind = connect::ChangeKind::kInsert;  ///< kInsert, kUpdate or kDelete
  bool ignores_conflicts = false;                           ///< FullLoadIgnoreConflicts
  std::uint32_t transaction = 0;  ///< set by the window: its transactions before
};

/// A batch of the feed, and the arena with the cells that were made from it; nullptr: none were.
struct KeptBatch {
  ChangeBatchPtr batch;
  std::shared_ptr<Arena> mapped;
};

/// A transaction of the stream, as the apply counts it.
struct StreamTransaction {
  std::uint64_t number = 0;  ///< in this run, without gaps
  connect::CommitPoint point;
  Position position;
  std::chrono::system_clock::time_point time;
};

/// How changes become steps.
enum class StepForm : std::uint8_t {
  kFolded,    ///< net changes
  kPromoted,  ///< … with all updates of tables with more than one unique key as kRekey
};

/// Steps and where their rows come from. Spans point into it: it is not copied.
struct StepPlan {
  struct Origin {
    std::uint32_t change = 0;  ///< the first change of the row, by its number in the window
    std::uint32_t count = 1;   ///< changes of the row
  };
  std::vector<connect::ApplyStep> steps;
  std::vector<connect::ApplyRow> rows;
  std::vector<Origin> origins;      ///< by row
  std::vector<std::size_t> firsts;  ///< by step: its first row
  /// By step: its rows are changes as the log has them; else each is what has become of a row.
  std::vector<bool> is_logged;
  /// Of a change that does not say which row it means; such a plan is not to be executed.
  const TableRoute* unlocatable = nullptr;

  void clear();
  void add_row(const connect::ApplyRow& row, Origin origin) {
    rows.push_back(row);
    origins.push_back(origin);
  }
  /// Ends a step that began at row `first`; nothing when it has no row.
  void end_step(connect::StepKind kind, const TableRoute& table, std::size_t first,
                bool is_logged_step = false);
  /// After the last row: sets the steps' spans.
  void finish();
};

class Window {
 public:
  Window() = default;
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  void reset();

  /// REQUIRES: the window is no barrier; cells live in a kept batch, its arena or in arena().
  void add(const WindowChange& change);
  void add_barrier(connect::ApplyStep step, const TableRoute* table);
  void keep(const KeptBatch& batch);
  /// A transaction of which all changes are in this window or the ones before it.
  void end_transaction(StreamTransaction transaction);
  /// The transaction that the first change belongs to.
  connect::CommitPoint first_point;

  [[nodiscard]] Arena& arena() { return arena_; }
  [[nodiscard]] const std::vector<WindowChange>& changes() const { return changes_; }
  [[nodiscard]] const std::vector<StreamTransaction>& transactions() const { return transactions_; }
  [[nodiscard]] const std::vector<connect::ApplyStep>& barrier() const { return barrier_; }
  [[nodiscard]] const std::vector<const TableRoute*>& barrier_tables() const {
    return barrier_tables_;
  }
  [[nodiscard]] bool is_empty() const {
    return changes_.empty() && barrier_.empty() && transactions_.empty();
  }
  [[nodiscard]] std::size_t used_bytes() const;
  /// Without the first and the last batch, which have what belongs to other windows too.
  [[nodiscard]] std::size_t own_bytes() const;
  /// Families that have changes here, in the order of their first.
  [[nodiscard]] std::vector<std::uint32_t> families() const;

  /// The steps of one family, or of all. Nothing is folded where the fold does not tell.
  void plan(StepForm form, std::optional<std::uint32_t> family, StepPlan& out) const;
  /// `changes`, ascending numbers of this window, in steps that keep their order.
  void plan_ordered(std::span<const std::uint32_t> changes, StepPlan& out) const;
  [[nodiscard]] std::vector<std::uint32_t> changes_of(std::uint32_t family) const;
  /// Tables whose folds need to know which identities the target has, and what they ask for.
  [[nodiscard]] std::vector<const TableRoute*> ambiguous() const;
  void plan_question(const TableRoute& table, StepPlan& out) const;
  /// Folds the table again. `absent`: hashes of the identities asked for that no row has.
  void resolve(const TableRoute& table, const std::unordered_set<std::uint64_t>& absent);

  bool is_last = true;  ///< the target transaction ends with it

 private:
  void fold(TableFold& fold, std::uint32_t number);
  void plan_family(StepForm form, std::span<TableFold* const> folds, StepPlan& out) const;
  TableFold& fold_of(const TableRoute& table);

  std::vector<KeptBatch> batches_;
  std::size_t batch_bytes_ = 0;
  Arena arena_;
  std::vector<WindowChange> changes_;
  std::vector<StreamTransaction> transactions_;
  std::vector<connect::ApplyStep> barrier_;
  std::vector<const TableRoute*> barrier_tables_;
  std::vector<std::unique_ptr<TableFold>> folds_;  ///< the first `used_folds_` are in use
  std::size_t used_folds_ = 0;
  std::vector<std::uint32_t> fold_by_table_;  ///< by TableRoute::index: place in folds_, plus one
};
using WindowPtr = std::shared_ptr<Window>;

}  // namespace wherry::engine
