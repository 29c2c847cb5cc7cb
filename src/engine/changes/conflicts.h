// Which earlier transactions, still on their way in some lane, a transaction must come after: by
// old and new values of the identity, of every unique key and of every foreign key. Used by the
// assembling thread.
//
// Values are hashed; two that share a hash cost a wait, nothing else. Where the log does not have
// the old values of a key, or a key cannot be compared by its values, the table stands for them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/changes/window.h"

namespace wherry::engine {

constexpr std::uint32_t kMostLanes = 32;

/// What one transaction touches: hashes it changes, and hashes that must not change beside it.
struct Touches {
  std::vector<std::uint64_t> writes, reads;
  void clear() {
    writes.clear();
    reads.clear();
  }
};

class ConflictTracker {
 public:
  /// By lane: the highest number that it has committed.
  using Numbers = std::array<std::uint64_t, kMostLanes>;

  ConflictTracker();

  /// Adds what a change touches.
  static void collect(const WindowChange& change, Touches& out);

  /// Lanes, a bit each, that have a transaction in work which one with these touches must come
  /// after.
  [[nodiscard]] std::uint32_t lanes_before(const Touches& touches, const Numbers& committed) const;
  /// A transaction was given to a lane. REQUIRES: numbers ascend.
  void assign(const Touches& touches, std::uint32_t lane, std::uint64_t number);
  /// Nothing is in work.
  void clear();
  /// Forgets what is committed, now and then.
  void sweep_when_large(const Numbers& committed);
  void sweep(const Numbers& committed);

 private:
  /// Who has written a value last, or who has read it last of one lane.
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t number = 0;      ///< 0: nobody
    std::uint32_t read_lanes = 0;  ///< of a writer's slot: lanes that have a reader's, a bit each
    std::uint8_t lane = 0;
    enum class Kind : std::uint8_t { kFree, kWriter, kReader } kind = Kind::kFree;
  };
  [[nodiscard]] const Slot* find(std::uint64_t hash, Slot::Kind kind) const;
  Slot& find_or_add(std::uint64_t hash, Slot::Kind kind);
  void grow(std::size_t size);

  std::vector<Slot> slots_;  ///< a power of two, at most half full
  std::size_t used_ = 0;
  std::size_t next_sweep_;
};

}  // namespace wherry::engine
