// What a running task shows on stdout: bars, lines, JSON or nothing. A display has its own thread
// that looks at the counters; the work never waits for the terminal.
#pragma once

#include <memory>
#include <string>

#include "control/task.h"

namespace wherry::app {

/// How a run ended, for the last word of a display.
struct RunEnd {
  std::string status;       ///< "stopped" or "failed", as DMS names a task's state
  std::string stop_reason;  ///< DMS: "Stop Reason FULL_LOAD_ONLY_FINISHED", …
  const Error* error = nullptr;
  const control::LoadOutcome* outcome = nullptr;  ///< nullptr when the run failed
};

class Display : public control::TaskObserver {
 public:
  /// Ends the display's thread and prints the summary. Called once, from the run's thread.
  virtual void finish(const RunEnd& end) = 0;
};

/// `mode`: auto, bars, lines, json, none. auto is bars on a terminal and lines elsewhere.
std::unique_ptr<Display> make_display(const std::string& mode);

/// "12,345", "3.4 MB", "1m05s".
std::string count_text(std::uint64_t value);
std::string bytes_text(std::uint64_t bytes);
std::string duration_text(double seconds);
/// Pads or cuts to a number of terminal columns (one a code point).
std::string fitted(const std::string& text, std::size_t width);

}  // namespace wherry::app
