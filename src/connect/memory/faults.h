// What goes wrong on purpose: a connector asks at each of its points whether the call passes,
// fails, or is held until the test lets it go. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/op_context.h"
#include "core/result.h"

namespace wherry::memory {

/// Where a call can be made to fail.
enum class Point : std::uint8_t {
  kProbe,
  kCatalog,
  kOpenSnapshot,
  kPlan,
  kOpenReader,
  kRead,
  kOpenLoader,
  kPrepare,
  kBegin,
  kWrite,
  kFinish,
  kComplete,
  kCommitted,  ///< the rows are durable, and the answer is on its way
  kLedger,
  kRecover,
  kApply,  ///< each step, by its table and rows
  kMark,
  kApplyCommit,
  kApplied,  ///< changes are committed, and the answer is on its way
  kFlush,
  kPrepareStream,
  kStartStream,
  kReadChanges,  ///< its rows: the version that the stream is at
  kConfirm,
};
constexpr std::size_t kPointCount = 24;

struct Fault {
  Point point = Point::kRead;
  std::string table;             ///< its name at that side; empty: any
  std::uint64_t after_rows = 0;  ///< kRead, kWrite: once that many rows of the chunk have passed
  std::uint32_t times = 1;       ///< then the point works again
  std::optional<Error> error;    ///< nullopt: the call is held until release() or stop
  std::chrono::milliseconds slowness{0};  ///< not 0: held for so long at most, and then it passes
};

/// The error of a connection that broke.
Error cut_error();

class Faults {
 public:
  void add(Fault fault);
  /// Every call fails with cut_error() until start_up().
  void shut_down();
  void start_up();
  /// Lets all held calls go on and forgets the faults that hold.
  void release();
  /// Waits until `count` calls are held; false after `limit`.
  bool wait_held(std::size_t count, std::chrono::milliseconds limit);
  /// Calls that have come to a point, failed ones included.
  [[nodiscard]] std::uint64_t calls(Point point) const;

  /// For connectors: the verdict on one call.
  Result<void> pass(OpContext& context, Point point, const std::string& table = {},
                    std::uint64_t rows = 0);

 private:
  Fault* find(Point point, const std::string& table, std::uint64_t rows);
  Result<void> hold(OpContext& context, std::chrono::milliseconds slowness,
                    std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Fault> faults_;
  std::uint64_t calls_[kPointCount] = {};
  std::uint64_t releases_ = 0;
  std::size_t held_ = 0;
  bool is_down_ = false;
};

}  // namespace wherry::memory
