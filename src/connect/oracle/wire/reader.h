// Reads TTC and TNS fields from bytes that may be incomplete or hostile. The first field that does
// not fit makes the reader fail for good: later reads return zero, so a decoder reads its whole
// message and asks once at the end. kNeedMore (the bytes ran out) is told apart from kMalformed (no
// continuation could help). Owns nothing; the bytes must outlive the reader.
// Facts: reference oracle-wire-ttc, 4.1 and 4.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wherry::oracle::wire {

using ByteView = std::span<const std::uint8_t>;

inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

enum class ParseState : std::uint8_t {
  kOk,
  kNeedMore,   ///< repeat from the start of the message with more bytes
  kMalformed,  ///< the two sides are out of step, or the sender is hostile
};

/// How the chunks of a long byte string are counted (server's compile capability 37, bit 0x20).
enum class ChunkLength : std::uint8_t { kUb4, kUb1 };

class Reader {
 public:
  explicit Reader(ByteView bytes, ChunkLength chunks = ChunkLength::kUb4)
      : begin_(bytes.data()),
        at_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        chunks_(chunks) {}

  [[nodiscard]] bool ok() const { return state_ == ParseState::kOk; }
  [[nodiscard]] ParseState state() const { return state_; }
  /// What was wrong; empty unless kMalformed.
  [[nodiscard]] std::string_view problem() const { return problem_; }
  [[nodiscard]] std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] ByteView rest() const { return {at_, remaining()}; }
  [[nodiscard]] ChunkLength chunk_length() const { return chunks_; }
  /// For layouts that only a caller can see to be wrong. `problem` must be a literal.
  void fail(std::string_view problem);

  std::uint8_t u8();
  std::int8_t s8() { return static_cast<std::int8_t>(u8()); }
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint16_t u16_le();
  std::uint32_t u32_le();
  /// The next byte without taking it.
  std::uint8_t peek();
  void skip(std::size_t count);
  ByteView raw(std::size_t count);
  /// Up to the NUL, which is taken too.
  std::string text_until_nul();

  /// Variable-length integers: a length byte, then the magnitude.
  std::uint8_t ub1() { return u8(); }
  std::uint16_t ub2() { return static_cast<std::uint16_t>(variable(2, false)); }
  std::uint32_t ub4() { return static_cast<std::uint32_t>(variable(4, false)); }
  std::uint64_t ub8() { return static_cast<std::uint64_t>(variable(8, false)); }
  std::int16_t sb2() { return static_cast<std::int16_t>(variable(2, true)); }
  std::int32_t sb4() { return static_cast<std::int32_t>(variable(4, true)); }
  std::int64_t sb8() { return variable(8, true); }

  /// Byte string with its own length (CLR); nullopt for null and for the empty string, which
  /// Oracle does not tell apart.
  std::optional<std::string> clr();
  /// The same, null as "".
  std::string clr_text() { return clr().value_or(std::string()); }
  /// Takes the string and returns its size.
  std::size_t skip_clr();
  /// The string to `out`. REQUIRES: room for as many bytes as skip_clr() counts.
  void clr_to(std::uint8_t* out);
  /// Length of the next chunk of a chunked byte string or list.
  std::size_t chunk_size() { return chunks_ == ChunkLength::kUb4 ? ub4() : u8(); }
  /// ub4 length, then a CLR unless the length is 0.
  std::optional<std::string> dlc();
  std::string dlc_text() { return dlc().value_or(std::string()); }
  void skip_dlc();

 private:
  std::int64_t variable(std::size_t max_bytes, bool is_signed);
  /// False, and fails, unless `count` bytes are there.
  bool need(std::size_t count);
  template <class Sink>
  bool each_chunk(Sink&& sink);

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::string_view problem_;
  ParseState state_ = ParseState::kOk;
  ChunkLength chunks_;
};

}  // namespace wherry::oracle::wire
