// Which logs the next step of mining reads, and up to which SCN. Whole logs are read, because the
// server reads a log from its beginning whatever SCN is asked for; where the reading goes on is
// told by log and address, never by SCN. Pure. Facts: reference oracle-cdc, 2.2, 4.3 and 5.1.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "connect/oracle/logminer/redo_logs.h"
#include "core/result.h"

namespace wherry::oracle {

/// Where the reading of a thread goes on: in the log of that sequence; 0: in the one that holds the
/// SCN, or where the thread begins when that is later.
struct ThreadStart {
  std::uint32_t sequence = 0;
  std::uint64_t scn = 0;
};
/// By thread; threads that are not in it go on at `scn` of `others`.
struct MiningStart {
  std::map<std::uint32_t, ThreadStart> threads;
  std::uint64_t others_scn = 0;
};

/// A log that is needed and cannot be had.
struct MissingLog {
  std::uint32_t thread = 0;
  std::uint32_t sequence = 0;  ///< 0: only `scn` says which
  std::uint64_t scn = 0;
  bool is_deleted = false;  ///< it was there; otherwise the archiver may not have registered it yet
};
/// kPositionLost "oracle.log_missing", with what would bring it back.
Error missing_log_error(const MissingLog& log);

struct MiningPlan {
  std::vector<RedoLog> logs;                 ///< by thread and sequence; empty: nothing can be read
  std::uint64_t start_scn = 0, end_scn = 0;  ///< of START_LOGMNR, both inclusive
  std::uint64_t size_bytes = 0;              ///< of the logs
  bool reaches_end = false;                  ///< nothing is left for another step
  std::map<std::uint32_t, ThreadStart> next;  ///< after the step, for the threads it has read
  /// That stands in the way of a thread whose logs are empty for it, or of the logs behind these.
  std::optional<MissingLog> missing;
};

/// Where to begin to read all redo from the SCN on: by thread the log that holds it, and the lowest
/// SCN that any of these logs has, from which on the logs of all threads are needed.
struct FirstLogs {
  MiningStart start;
  std::optional<MissingLog> missing;  ///< a log that holds the SCN
};
FirstLogs first_logs(const RedoView& view, std::uint64_t scn);

/// Redo up to there is in the logs. An instance writes its own, and a little later than it gives
/// SCNs.
std::uint64_t written_scn(const RedoView& view);

/// `budget_bytes`: of each thread as many logs as reach that size, and one at least.
MiningPlan plan_mining(const RedoView& view, const MiningStart& start, std::uint64_t budget_bytes);

/// How much a step reads, so that it takes some seconds at the rate of the last ones.
class StepSizer {
 public:
  void note(std::uint64_t size_bytes, std::chrono::nanoseconds took);
  [[nodiscard]] std::uint64_t budget_bytes() const;

 private:
  double bytes_per_second_ = 0;  ///< 0: not known
};

}  // namespace wherry::oracle
