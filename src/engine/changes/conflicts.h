// Which earlier transactions, still on their way in some lane, a transaction must come after: by
// old and new values of every unique key and foreign key. Used by the assembling thread.
//
// Values are hashed; two that share a hash cost a wait, nothing else. Where the log does not have
// the old values of a key, or a key cannot be compared by its values, the table stands for them.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
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
  /// Adds what a change touches.
  void collect(const WindowChange& change, Touches& out) const;

  /// Lanes, a bit each, that have a transaction in work which one with these touches must come
  /// after. `committed`, by lane: the highest number that it has committed.
  [[nodiscard]] std::uint32_t lanes_before(
      const Touches& touches, const std::array<std::uint64_t, kMostLanes>& committed) const;
  /// A transaction was given to a lane. REQUIRES: numbers ascend.
  void assign(const Touches& touches, std::uint32_t lane, std::uint64_t number);
  /// Nothing is in work.
  void clear() { entries_.clear(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Forgets what is committed.
  void sweep(const std::array<std::uint64_t, kMostLanes>& committed);

 private:
  struct Entry {
    std::uint64_t write_number = 0, read_number = 0;
    std::uint32_t write_lane = 0;
    std::uint32_t read_lanes = 0;
  };
  std::unordered_map<std::uint64_t, Entry> entries_;
};

}  // namespace wherry::engine
