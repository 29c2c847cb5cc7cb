// Mines a database's redo step by step, from a position on to the end and then on with it: plans
// steps, waits where there is nothing new, and looks for the logs again where they have changed.
//
// Used by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/logminer/mining_plan.h"
#include "connect/oracle/logminer/mining_session.h"
#include "connect/oracle/logminer/redo_position.h"
#include "connect/oracle/logminer/step_border.h"

namespace wherry::oracle {

class RedoMiner {
 public:
  using Clock = std::chrono::steady_clock;
  using Starts = std::map<std::uint32_t, ThreadStart>;

  /// Connects. kPositionLost "oracle.other_database" and "oracle.other_incarnation".
  Result<void> start(OpContext& context, const ConnectOptions& options,
                     const RedoPosition& position);
  [[nodiscard]] bool is_started() const { return session_ != nullptr; }

  /// Looks whether there is redo to be read, and begins a step then; false: there is none, or not
  /// yet. kPositionLost when a log is missing or cannot be read. `floor_scn`: of what a restart
  /// needs.
  Result<bool> begin_step(OpContext& context, std::uint64_t floor_scn, const WantedRows& wanted);
  /// When to look again.
  [[nodiscard]] Clock::time_point next_look() const { return next_look_; }
  [[nodiscard]] bool is_mining() const { return is_mining_; }
  /// The step in work, or the last one, leaves nothing for another.
  [[nodiscard]] bool reaches_end() const { return plan_.reaches_end; }

  enum class Next : std::uint8_t {
    kRow,     ///< with views that are good until the next call
    kEnd,     ///< of the step
    kBroken,  ///< a log was changed: what has come counts, and comes once more
  };
  /// REQUIRES: is_mining().
  Result<Next> next(OpContext& context, MinedRow& row);

  /// All commits at or below it have come.
  [[nodiscard]] std::uint64_t settled_scn() const { return settled_scn_; }
  /// Where the next step goes on: the logs before are done with.
  [[nodiscard]] const Starts& starts() const { return start_.threads; }
  /// The highest of the thread's rows; nullopt: nothing is known of it.
  [[nodiscard]] std::optional<std::uint64_t> last_scn(std::uint32_t thread) const;
  /// Of a log that was listed at the last step.
  [[nodiscard]] std::optional<std::uint64_t> first_scn(std::uint32_t thread,
                                                       std::uint32_t sequence) const;
  /// Of archived logs that a restart needs.
  [[nodiscard]] std::uint64_t kept_bytes() const { return kept_bytes_; }

 private:
  Result<void> check_incarnation(const RedoView& view) const;
  Result<bool> await_log(const RedoView& view);
  void end_step();
  Result<void> take_trouble(OpContext& context, const Error& error);
  void settle(std::uint64_t end_scn, bool is_at_end_of_log);
  void note_logs(const RedoView& view, std::uint64_t floor_scn);

  std::unique_ptr<MiningSession> session_;
  std::uint64_t database_id_ = 0, resetlogs_scn_ = 0;
  MiningStart start_;
  MiningPlan plan_;  ///< of the step in work, or of the last one
  StepSizer sizer_;
  StepBorder border_;
  bool is_mining_ = false;
  int log_troubles_ = 0;  ///< since a step came to its end
  Clock::time_point step_begun_, next_look_, mine_by_;
  std::optional<Clock::time_point> missing_since_;
  std::vector<std::uint64_t> mark_;  ///< of the views, at the last step
  std::map<std::uint32_t, std::uint64_t> last_scns_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> first_scns_;
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t settled_scn_ = 0;
  std::uint64_t earlier_end_scn_ = 0;  ///< of the step before the last
  std::uint64_t last_end_scn_ = 0;     ///< of the last step
};

}  // namespace wherry::oracle
