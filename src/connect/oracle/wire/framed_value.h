// Taking one value of a row off the bytes that are there: what the decoders of columns share.
#pragma once

#include <cstring>

#include "connect/oracle/wire/column_decoder.h"

namespace wherry::oracle::wire {

inline ValueStatus status_of(const Reader& reader) {
  if (reader.ok()) return ValueStatus::kOk;
  return reader.state() == ParseState::kNeedMore ? ValueStatus::kNeedMore : ValueStatus::kMalformed;
}

/// Bytes of a value; empty: NULL. `in_arena` when they were put together there.
struct Taken {
  ByteView bytes;
  bool in_arena = false;
};

/// A byte string (CLR): a view of the reader's bytes, or, when it comes in chunks, a copy. It is
/// measured first, so that nothing is allocated for one that is cut off.
inline Taken take_clr(Reader& reader, Arena& arena) {
  constexpr std::uint8_t kChunked = 0xFE, kNull = 0xFF;
  Reader copy = reader;
  const std::uint8_t head = reader.peek();
  if (head != kChunked) {
    reader.skip(1);
    return {head == kNull ? ByteView{} : reader.raw(head), false};
  }
  const std::size_t size = reader.skip_clr();
  if (!reader.ok()) return {};
  auto* const bytes = reinterpret_cast<std::uint8_t*>(arena.allocate(size));
  copy.clr_to(bytes);
  return {ByteView(bytes, size), true};
}

inline void put_text(std::string_view text, DecodeContext& context, Cell& out) {
  out.size_bytes = static_cast<std::uint32_t>(text.size());
  out.payload.ptr = context.arena->copy(text.data(), text.size());
}

/// The frame of values that are more than one byte string: `read` takes the whole value and returns
/// an optional (nullopt: NULL), `put` makes the cell of what is in it. The cursor moves only when
/// both are done.
template <class Read, class Put>
ValueStatus decode_framed(CellKind kind, ByteCursor& in, DecodeContext& context, Cell& out,
                          Read&& read, Put&& put) {
  Reader reader(ByteView(in.at, in.end), context.chunks);
  const auto value = read(reader);
  if (const ValueStatus status = status_of(reader); status != ValueStatus::kOk) return status;
  out.kind = kind;
  out.state = value ? CellState::kSet : CellState::kNull;
  if (value) {
    if (const ValueStatus status = put(*value); status != ValueStatus::kOk) return status;
  }
  in.at += reader.position();
  return ValueStatus::kOk;
}

}  // namespace wherry::oracle::wire
