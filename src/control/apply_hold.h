// How `wherry validate`, a process of its own, has a running task hold its changes for a moment, so
// that the target is exactly what a view of the source is. Files in the state directory, each
// replaced as a whole; who asks holds a lock meanwhile, so that the task sees when it is gone.
//
//   HoldClient                                    HoldServer (the task, between two runs of its
//   apply) ask() ───────── hold.request ───────────────► pauses at the next border between
//   transactions wait() ◄─────── hold.answer: paused ──────── (makes a view of the source, at S)
//   apply_up_to(S)─ hold.request ───────────────► applies what is left up to S, and nothing after
//   wait() ◄─────── hold.answer: held ──────────
//   (makes a view of the target)
//   answer(): it is still there ◄──────────────── is removed before anything else is applied
//   ~HoldClient ─── the lock goes ──────────────► goes on
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "connect/api/changes.h"
#include "core/result.h"

namespace wherry::control {

enum class HoldState : std::uint8_t {
  kPaused,  ///< nothing is applied
  kHeld,    ///< the target has what was committed at or before the order asked for, and no more
};

class HoldClient {
 public:
  /// Asks the task to pause. kTransient "validate.busy" when another process is asking.
  static Result<std::unique_ptr<HoldClient>> ask(const std::filesystem::path& directory);
  /// The request is over, and the task goes on.
  ~HoldClient();
  HoldClient(const HoldClient&) = delete;
  HoldClient& operator=(const HoldClient&) = delete;

  Result<void> apply_up_to(connect::CommitOrder order);
  /// What the task has answered to this request; nullopt: nothing, or it has gone on already.
  [[nodiscard]] std::optional<HoldState> answer() const;

 private:
  HoldClient(std::filesystem::path directory, int lock_fd);
  Result<void> write(std::optional<connect::CommitOrder> order);

  const std::filesystem::path directory_;
  const int lock_fd_;
  const std::string id_;
};

class HoldServer {
 public:
  explicit HoldServer(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Somebody waits for the task to pause, and lives.
  [[nodiscard]] bool is_wanted() const;
  /// Takes the request that is_wanted() found; false when it is gone.
  bool take();
  /// The request that was taken is still there.
  [[nodiscard]] bool is_wanted_still() const;
  /// What apply_up_to() has said.
  [[nodiscard]] std::optional<connect::CommitOrder> order() const;
  Result<void> answer(HoldState state);
  /// Takes the answer back, also that of an earlier process: afterwards changes may be applied. The
  /// request is not taken again.
  Result<void> end();

 private:
  const std::filesystem::path directory_;
  std::string id_;    ///< of the request in work; empty: none
  std::string done_;  ///< of the last one
};

}  // namespace wherry::control
