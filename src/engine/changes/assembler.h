// The thread between feed and lanes: maps changes, gathers transactions into windows, and gives
// them to lanes that may run beside each other. Lives for one connection to the target; after a
// failure another one begins where the target is.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "engine/changes/apply.h"
#include "engine/changes/change_headers.h"
#include "engine/changes/conflicts.h"
#include "engine/changes/lane_pool.h"
#include "engine/changes/routes.h"
#include "engine/changes/watermark.h"
#include "engine/changes/window.h"

namespace wherry::engine {

class Assembler {
 public:
  /// `applied`: transactions above the watermark that the target has already.
  Assembler(const ApplyJob& job, const ApplyOptions& options, Routes& routes, Watermark& watermark,
            LanePool& lanes, std::set<connect::CommitPoint> applied);
  /// Until the limit is reached; the context's stop makes a kCancelled error.
  Result<void> run(OpContext& context);
  /// The newest transaction that was begun.
  [[nodiscard]] const connect::CommitPoint& point() const { return point_; }
  /// The stream begins after that transaction; all at or before `seen` is applied.
  /// `filled`: LaterPlan::filled_until, where it counts.
  void begin_after(const connect::Checkpoint& from, connect::CommitOrder seen,
                   std::set<schema::TableRef> new_tables,
                   std::map<schema::TableRef, connect::CommitOrder> filled);

 private:
  using Clock = std::chrono::steady_clock;
  struct OpenWindow {
    WindowPtr window;  ///< nullptr: none
    Clock::time_point begun;
    bool is_in_group = false;  ///< windows of the same target transaction were submitted before
  };
  /// Measures a wait, which is no assembling.
  class Waiter {
   public:
    Waiter(Assembler& assembler, ApplyStage stage) : assembler_(assembler), stage_(stage) {}
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

   private:
    Assembler& assembler_;
    const ApplyStage stage_;
    const Clock::time_point begun_ = Clock::now();
  };

  // The stream.
  Result<void> take(OpContext& context, const ChangeBatchPtr& batch);
  Result<void> take(OpContext& context, const connect::Change& change);
  Result<void> begin_transaction(const connect::CommitInfo& commit);
  Result<void> take_row(OpContext& context, const connect::Change& change);
  Result<void> take_filtered(OpContext& context, const connect::Change& change,
                             const ShapeRoute& route);
  Result<void> take_wanted(OpContext& context, const connect::Change& change,
                           const ShapeRoute& route);
  Result<void> end_transaction(const connect::CommitInfo& commit);
  Result<void> take_heartbeat(const connect::CommitInfo& commit);
  Result<const ShapeRoute*> wanted(const connect::Change& change);
  Result<const TableRoute*> wanted_table(const connect::Change& change);

  // DDL.
  Result<void> take_truncate(OpContext& context, const connect::Change& change);
  Result<void> take_shape(OpContext& context, const connect::Change& change);
  Result<void> take_ddl(OpContext& context, const connect::Change& change);
  Result<void> create_table(OpContext& context, const connect::RowShape& shape);
  Result<void> drop_table(OpContext& context, const TableRoute& table);
  Result<void> take_new_table(OpContext& context, const connect::RowShape& shape);
  Result<void> retake_new_table(OpContext& context, const connect::RowShape& shape);
  Result<void> forget_new_table(const schema::TableRef& source);
  Result<void> alter(OpContext& context, const connect::TableAlteration& alteration,
                     const connect::RowShape& shape, const TableRoute& table);
  Result<std::unique_ptr<connect::ValueReader>> open_values(
      OpContext& context, const connect::ApplyTable& table, const connect::RowShape& shape,
      const std::vector<std::size_t>& columns);
  Result<void> fill(OpContext& context, connect::ValueReader& values, const TableRoute& table);
  Result<void> note_move(const WindowChange& row);
  Result<void> add_values(const TableRoute& table, const KeptBatch& batch);
  Result<void> refuse(const TableRoute& table, const Error& error);
  Result<void> replace_route(OpContext& context, const schema::TableRef& source,
                             std::optional<connect::ApplyTable> table,
                             const std::vector<std::optional<std::size_t>>& columns = {});
  Result<void> add_barrier(OpContext& context, connect::ApplyStep step, const TableRoute* table);
  Result<void> add_statements(OpContext& context, std::vector<std::string> statements,
                              const TableRoute& table);

  // Windows and lanes.
  Result<Window*> open(std::uint32_t lane, bool is_barrier);
  Result<WindowChange> mapped(const connect::Change& change, const ShapeRoute& route, Arena& arena);
  Result<WindowChange> made(const connect::Change& change, const ShapeRoute& route, Arena& arena);
  Result<Window*> open_for_row(std::uint32_t lane, const TableRoute& table);
  Result<void> add_row(std::uint32_t lane, const connect::Change& change, const ShapeRoute& route);
  Result<void> submit(std::uint32_t lane, bool is_last);
  void note_pending();
  Result<void> make_room(std::uint32_t lane);
  Result<void> submit_where_room();
  Result<void> submit_all();
  Result<void> drain();
  Result<void> become_exclusive(OpContext& context);
  Result<std::uint32_t> choose_lane();
  Result<void> give_to_lane(StreamTransaction transaction);
  void forget_waiting();
  Result<void> close_full(std::uint32_t lane);
  [[nodiscard]] bool is_due(const OpenWindow& open) const;
  [[nodiscard]] bool is_piece(const Window& window) const;
  [[nodiscard]] bool may_cut(const Window& window, const TableRoute& next) const;

  // Now and then.
  Result<void> rest(OpContext& context);
  [[nodiscard]] Clock::time_point next_deadline() const;
  Result<void> release(OpContext& context, bool is_forced);
  [[nodiscard]] bool is_parallel() const { return lanes_.size() > 1; }

  const ApplyJob& job_;
  const ApplyOptions& options_;
  Routes& routes_;
  Watermark& watermark_;
  LanePool& lanes_;
  std::set<connect::CommitPoint> applied_;
  ConflictTracker conflicts_;

  std::vector<OpenWindow> open_;
  Clock::time_point last_submit_, last_release_;
  Position released_;

  bool is_in_transaction_ = false;
  bool is_skipped_ = false;    ///< the transaction is on the target
  bool is_exclusive_ = false;  ///< it goes straight into lane 0, and nothing runs beside it
  bool has_changes_ = false;
  bool is_over_ = false;                   ///< the limit is reached
  std::set<schema::TableRef> new_tables_;  ///< that are to be loaded, by their sources
  /// Up to where the values of new columns of the table were read ahead, by its source.
  std::map<schema::TableRef, connect::CommitOrder> filled_;
  connect::CommitPoint point_;
  ChangeHeaders headers_;
  connect::CommitOrder seen_order_ = 0;  ///< all at or before it was delivered
  KeptBatch batch_;                      ///< being taken
  std::uint64_t new_changes_ = 0;
  std::chrono::nanoseconds waited_{0};  ///< since take() began

  // A transaction that is waiting for its lane.
  struct WaitingChange {
    WindowChange row;
    std::size_t batch = 0;  ///< in waiting_batches_
  };
  std::vector<WaitingChange> waiting_;
  std::vector<KeptBatch> waiting_batches_;
  std::size_t waiting_bytes_ = 0;
  Touches touches_;
};

}  // namespace wherry::engine
