// Lines of decoded messages on their way out. A message is known only when its last packet was
// read, other flows' packets between: lines are put back into the order of the packets.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

class LineOutput {
 public:
  explicit LineOutput(std::ostream& out) : out_(out) {}

  /// `flow` null: the line is about the file.
  void add(std::uint64_t place, std::uint64_t number, const Json& flow, Direction direction,
           const Json& fields);
  /// Writes the lines of all places before `place`.
  void write_before(std::uint64_t place);

  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_bytes_; }
  [[nodiscard]] std::uint64_t line_count() const { return line_count_; }

 private:
  struct Line {
    std::uint64_t place = 0;
    std::string text;
  };

  std::ostream& out_;
  std::vector<Line> lines_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t line_count_ = 0;
};

}  // namespace wherry::oracle::trace
