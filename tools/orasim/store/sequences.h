// NEXTVAL: numbers are reserved in runs of CACHE, and a run is logged before its first number is
// given out, so a restart skips numbers but never repeats one. Threads: thread-safe.
#pragma once

#include <mutex>
#include <unordered_map>

#include "store/byte_io.h"
#include "store/commit_log.h"

namespace orasim {

class Sequences {
 public:
  explicit Sequences(CommitLog& log) : log_(log) {}
  /// Throws ORA-08004 at the end of a sequence that does not cycle.
  Number next(const SequenceDef&);
  /// The first number that is not reserved yet.
  [[nodiscard]] Number last_number(const SequenceDef&) const;
  void restore(ByteReader& record);
  void forget(std::uint32_t object_id);

 private:
  struct State {
    Number next, reserved_up_to;
    std::uint32_t left = 0;  ///< numbers of the run still to give
    std::uint32_t restarts = 0;
  };
  State& state_of(const SequenceDef&);
  void reserve(const SequenceDef&, State&);
  CommitLog& log_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, State> states_;
};

}  // namespace orasim
