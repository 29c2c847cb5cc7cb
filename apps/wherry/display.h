// What a running task shows on stdout: bars, lines, JSON or nothing. A display has its own thread
// that looks at the counters; the work never waits for it, but for the printing of a difference.
#pragma once

#include <memory>
#include <string>

#include "control/change_task.h"
#include "control/task.h"

namespace wherry::app {

/// How a run ended, for the last word of a display.
struct RunEnd {
  std::string status;       ///< "stopped" or "failed", as DMS names a task's state
  std::string stop_reason;  ///< DMS: "Stop Reason FULL_LOAD_ONLY_FINISHED", …
  const Error* error = nullptr;
  const control::LoadOutcome* load = nullptr;              ///< nullptr when none ended
  const control::ChangeOutcome* changes = nullptr;         ///< of a task with changes that ended
  const control::ValidationOutcome* validation = nullptr;  ///< nullptr when none ended
};

class Display : public control::TaskObserver, public engine::DifferenceSink {
 public:
  /// Ends the display's thread and prints the summary. Called once, from the run's thread.
  virtual void finish(const RunEnd& end) = 0;
  /// Prints a line of the log to stderr without disturbing what is shown. Thread-safe.
  virtual void log_line(const std::string& line) = 0;
};

/// `mode`: auto, bars, lines, json, none. auto is bars on a terminal and lines elsewhere.
std::unique_ptr<Display> make_display(const std::string& mode);

/// "RECORD_DIFF HR.JOBS [JOB_ID='X'] TITLE: source 'a', target 'b'".
std::string difference_text(const engine::Difference& difference);

}  // namespace wherry::app
