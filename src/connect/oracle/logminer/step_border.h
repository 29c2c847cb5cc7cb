// Which rows of a mining step count. A range of SCNs may leave out a row that lies before one which
// it has. What is complete are logs that were read to their end, and what lies before a row that
// the step before has seen: it was written when this step's SCN was asked for. The rest comes with
// the next step; of all threads, so that commits of one do not overtake those of another.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <map>

#include "connect/oracle/logminer/mined_row.h"
#include "connect/oracle/logminer/mining_plan.h"

namespace wherry::oracle {

class StepBorder {
 public:
  using Starts = std::map<std::uint32_t, ThreadStart>;

  /// `begin`, `next`: where the threads begin, and where they go on when the step has come to its
  /// end (MiningPlan::next). Rows of logs before `begin` are known.
  void begin_step(const Starts& begin, Starts next);
  /// The row is to be left out. REQUIRES: rows come in the order in which LogMiner gives them.
  bool defers(const MinedRow& row);
  /// The step has come to its end: where the threads go on. Logs with rows that were left out are
  /// among what is read again.
  [[nodiscard]] const Starts& end_step();
  /// The step broke off.
  void break_step();
  /// Of the step that ended last.
  [[nodiscard]] bool has_deferred() const { return has_deferred_; }

 private:
  struct Seen {
    RedoAddress limit;   ///< rows up to there are taken
    RedoAddress newest;  ///< of this step
  };
  void move_limits();

  Starts begin_, next_;
  std::map<std::uint32_t, Seen> seen_;
  bool is_behind_ = false;  ///< a row of this step was left out
  bool has_deferred_ = false;
};

}  // namespace wherry::oracle
