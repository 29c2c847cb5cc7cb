// A byte string (CLR) of any length, taken in pieces as its bytes arrive.
#pragma once

#include <cstddef>
#include <cstdint>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::wire {

/// Where a decoder stands in the bytes that are there.
struct ByteCursor {
  const std::uint8_t* at = nullptr;
  const std::uint8_t* end = nullptr;
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end - at); }
};

class ClrStream {
 public:
  explicit ClrStream(ChunkLength chunks = ChunkLength::kUb4) : chunks_(chunks) {}

  enum class Step : std::uint8_t {
    kPiece,  ///< `piece` holds the next bytes
    kEnd,    ///< the string is complete
    kNull,   ///< it was null; nothing follows
    kNeedMore,
    kMalformed,
  };
  /// Takes what is there. After kEnd or kNull the stream is ready for the next string.
  Step next(ByteCursor& in, ByteView& piece);

 private:
  enum class State : std::uint8_t { kHead, kShort, kChunkLength, kChunk };
  Step take_head(ByteCursor& in);
  Step take_chunk_length(ByteCursor& in);

  ChunkLength chunks_;
  State state_ = State::kHead;
  std::size_t left_ = 0;
};

}  // namespace wherry::oracle::wire
