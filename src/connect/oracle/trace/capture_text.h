// The text form of captures: blocks of hex, each behind a comment that says what it is.
//   # direction=client flow=0 n=1 len=70 CONNECT        one TNS packet
//   # direction=server payload len=54 …                 one TTC payload, out of any context
//   packet reset=0 data=0106…                           decrypted payload with its MAC
// Anything that is not text of this form is taken as one packet or payload of unknown direction.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>

namespace wherry::oracle::trace {

enum class Direction : std::uint8_t { kUnknown, kClient, kServer };

struct Block {
  std::uint64_t number = 0;  ///< n of the comment, else the block's place in the file, from 1
  std::uint64_t place = 0;   ///< order of its messages among those of all flows
  std::uint64_t flow = 0;
  Direction direction = Direction::kUnknown;
  bool is_alone = false;    ///< without a flow: no block before it belongs to the same session
  bool is_payload = false;  ///< without TNS header
  std::string bytes;
  std::string problem;  ///< the hex was damaged; `bytes` hold what came before
};

/// Reads to the end of the stream, one block at a time. `head` is what was read of it before.
void read_capture(std::string head, std::istream& in, const std::function<void(Block)>& sink);

}  // namespace wherry::oracle::trace
