// One lane's work: executes windows in target transactions, and finds out which change is at fault
// when the target refuses one.
//
// First all steps of a window go out at once. When a change is at fault, the target transaction is
// rolled back and done again carefully: family by family behind a mark, folded, then (where there
// are more unique keys than one) with updates as kRekey, then in the order of the log and cut in
// halves until single changes are left, which the error policies decide on.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/changes/apply.h"
#include "engine/changes/apply_errors.h"
#include "engine/changes/watermark.h"
#include "engine/changes/window.h"

namespace wherry::engine {

/// The code of the error that asks for the feed to be started anew: the target transaction was too
/// large to be kept, and is to be done carefully from its beginning.
inline constexpr const char* kReplay = "apply.replay";

/// What the lanes of an apply have in common.
struct LaneShared {
  connect::TargetApply& target;
  const ApplyOptions& options;
  ApplyProgress& progress;
  ApplyEvents& events;
  Watermark& watermark;
  const ApplyErrors& errors;
  /// Transactions at or before it are done carefully from the start.
  connect::CommitPoint careful_until;
};

class GroupRunner {
 public:
  GroupRunner(std::uint32_t lane, const LaneShared& shared) : lane_(lane), shared_(shared) {}
  Result<void> open(OpContext& context);
  /// Executes the window, and commits when it is the last of its target transaction. After an error
  /// the lane is of no more use; kReplay is one of them.
  Result<void> run(OpContext& context, const WindowPtr& window);
  /// The highest number that was committed.
  [[nodiscard]] std::uint64_t committed() const { return committed_; }

 private:
  /// What a target transaction will have done, once it is committed.
  struct Count {
    const TableRoute* table = nullptr;
    std::uint64_t inserts = 0, updates = 0, deletes = 0, ddls = 0;
    std::uint64_t conflicts = 0, data_errors = 0;
  };
  struct Outcome {
    std::vector<connect::ApplyException> exceptions;
    std::vector<Count> counts;  ///< by TableRoute::index
    std::vector<StreamTransaction> transactions;
    std::uint64_t changes = 0, rows = 0;
  };

  Result<void> begin(OpContext& context);
  Result<void> run_again(OpContext& context);
  Result<void> run_plain(OpContext& context, Window& window);
  Result<void> run_careful(OpContext& context, Window& window);
  Result<void> run_barrier(OpContext& context, const Window& window);
  Result<void> resolve(OpContext& context, Window& window);
  Result<void> run_family(OpContext& context, const Window& window, std::uint32_t family);
  Result<void> run_strictly(OpContext& context, const Window& window,
                            std::span<const std::uint32_t> changes);
  Result<void> run_active(OpContext& context, const Window& window,
                          std::span<const std::uint32_t> changes);
  Result<void> run_halves(OpContext& context, const Window& window,
                          std::span<const std::uint32_t> changes);
  Result<void> run_rekeys(OpContext& context, const Window& window,
                          std::span<const std::uint32_t> changes);
  Result<bool> run_resolved(OpContext& context, const Window& window,
                            std::span<const std::uint32_t> changes);
  Result<void> run_single(OpContext& context, const Window& window, std::uint32_t change,
                          const Error& error);
  Result<void> write_record(OpContext& context, const Window& window, std::uint32_t change,
                            const Error& error);
  Result<void> commit(OpContext& context);
  Result<void> finish(OpContext& context);

  /// Missing rows of a plan that was executed, by their row numbers.
  using Missing = std::vector<std::size_t>;
  Result<Missing> execute(OpContext& context, const StepPlan& plan, bool is_marked);
  Result<void> settle_rekeys(OpContext& context, const connect::ApplyStep& step,
                             std::vector<std::size_t>& missing);
  /// Whether the policies can decide on each missing row as it is.
  [[nodiscard]] bool can_decide(const Window& window, const StepPlan& plan,
                                const Missing& missing) const;
  Result<void> decide(const Window& window, const StepPlan& plan, const Missing& missing);
  Result<void> decide(const Window& window, std::uint32_t change, ChangeFault fault,
                      const Verdict& verdict, const Error& error);
  [[nodiscard]] Verdict judge(ChangeFault fault, const TableRoute& table) const;
  Result<void> suspend(const TableRoute& table, const Verdict& verdict, const Error& error);

  Count& count_of(const TableRoute& table);
  void count(const Window& window);
  void leave_out(const WindowChange& change);
  void settle_counts();

  const std::uint32_t lane_;
  const LaneShared& shared_;
  std::unique_ptr<connect::TargetApplier> applier_;
  bool is_open_ = false;      ///< a target transaction
  bool is_careful_ = false;   ///< it
  bool has_dropped_ = false;  ///< windows of it are gone
  std::vector<WindowPtr> windows_;
  std::size_t window_bytes_ = 0;
  Outcome outcome_;
  StepPlan plan_;
  std::uint64_t committed_ = 0;
};

}  // namespace wherry::engine
