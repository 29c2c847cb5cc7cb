// Which rows of a mining step count. A range of SCNs may leave out a row that lies before one which
// it has. What is complete are logs that were read to their end, and what lies before a row that an
// earlier step has seen, once the range goes beyond the SCN that the database was at after that
// step: all of it was written by then. With one instance that is the next step; of several, a range
// ends where the slowest has written. The rest waits; of all threads, so that commits of one do not
// overtake those of another.
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
  /// end (MiningPlan::next). Rows of logs before `begin` are known. `current_scn`: of the database,
  /// before the step; `end_scn`: of the range.
  void begin_step(const Starts& begin, Starts next, std::uint64_t current_scn,
                  std::uint64_t end_scn);
  /// The row is to be left out. REQUIRES: rows come in the order in which LogMiner gives them.
  bool defers(const MinedRow& row);
  /// The step has come to its end: where the threads go on. Logs with rows that were left out are
  /// among what is read again.
  [[nodiscard]] const Starts& end_step();
  /// Of the step that ended last.
  [[nodiscard]] bool has_deferred() const { return has_deferred_; }
  /// The step takes all that the steps before it have seen.
  [[nodiscard]] bool takes_all_seen() const { return candidate_scn_ == 0; }

 private:
  struct Seen {
    RedoAddress limit;      ///< rows up to there are taken
    RedoAddress candidate;  ///< is the limit once a range reaches candidate_scn_
    RedoAddress newest;     ///< of all steps
  };
  void take_candidates();

  Starts begin_, next_;
  std::uint64_t candidate_scn_ = 0;  ///< 0: there are none
  std::map<std::uint32_t, Seen> seen_;
  bool is_behind_ = false;  ///< a row of this step was left out
  bool has_deferred_ = false;
};

}  // namespace wherry::oracle
