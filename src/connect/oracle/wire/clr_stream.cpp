#include "connect/oracle/wire/clr_stream.h"

#include <algorithm>

namespace wherry::oracle::wire {

/// kPiece means here: go on, there is something to read.
ClrStream::Step ClrStream::take_head(ByteCursor& in) {
  if (in.at == in.end) return Step::kNeedMore;
  const std::uint8_t head = *in.at++;
  if (head == 0 || head == 0xFF) return Step::kNull;
  if (head == 0xFE) {
    state_ = State::kChunkLength;
  } else {
    state_ = State::kShort;
    left_ = head;
  }
  return Step::kPiece;
}

ClrStream::Step ClrStream::take_chunk_length(ByteCursor& in) {
  Reader reader(ByteView(in.at, in.end));
  left_ = chunks_ == ChunkLength::kUb4 ? reader.ub4() : reader.u8();
  if (!reader.ok()) {
    return reader.state() == ParseState::kNeedMore ? Step::kNeedMore : Step::kMalformed;
  }
  in.at += reader.position();
  if (left_ == 0) {
    state_ = State::kHead;
    return Step::kEnd;
  }
  state_ = State::kChunk;
  return Step::kPiece;
}

ClrStream::Step ClrStream::next(ByteCursor& in, ByteView& piece) {
  while (true) {
    switch (state_) {
      case State::kHead:
        if (const Step step = take_head(in); step != Step::kPiece) return step;
        break;
      case State::kChunkLength:
        if (const Step step = take_chunk_length(in); step != Step::kPiece) return step;
        break;
      case State::kShort:
      case State::kChunk: {
        if (left_ == 0) {
          const bool was_short = state_ == State::kShort;
          state_ = was_short ? State::kHead : State::kChunkLength;
          if (was_short) return Step::kEnd;
          break;
        }
        if (in.at == in.end) return Step::kNeedMore;
        const std::size_t size = std::min(left_, in.remaining());
        piece = ByteView(in.at, size);
        in.at += size;
        left_ -= size;
        return Step::kPiece;
      }
    }
  }
}

}  // namespace wherry::oracle::wire
