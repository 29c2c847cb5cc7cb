// Reading and writing of TTC's primitive forms: fixed integers, variable-length integers, and byte
// strings with their own length (CLR, DLC). Pure: no sockets.
//
// Reader works on a growing buffer: when it runs dry it asks its ByteSource for more, so a request
// is parsed once, in a straight line, however many packets it comes in. Without a source it throws
// ShortRead. Nothing is allocated by a length that was only announced: memory grows with the bytes
// that really came. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace orasim::wire {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// The message ends before its last field.
class ShortRead : public std::runtime_error {
 public:
  ShortRead() : std::runtime_error("message ends too early") {}
};

/// A field holds what the protocol forbids; the connection is out of step.
class BadMessage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Appends at least one byte to `buffer`, waiting for it; may throw to end the parse.
  virtual void more(Bytes& buffer) = 0;
};

class Reader {
 public:
  /// `buffer` and `source` must outlive the reader.
  Reader(Bytes& buffer, ByteSource& source) : buffer_(&buffer), source_(&source) { rebase(); }
  explicit Reader(ByteView fixed) : begin_(fixed.data()), size_(fixed.size()) {}

  std::uint8_t u8() {
    need(1);
    return begin_[pos_++];
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }
  std::uint16_t u16le();
  std::uint16_t ub2() { return static_cast<std::uint16_t>(unsigned_integer(2)); }
  std::uint32_t ub4() { return static_cast<std::uint32_t>(unsigned_integer(4)); }
  std::uint64_t ub8() { return unsigned_integer(8); }
  std::int64_t sb2() { return signed_integer(2); }
  std::int64_t sb8() { return signed_integer(8); }

  /// Chunk lengths of long CLRs are single bytes, as before 12.1.
  void use_small_chunks(bool small) { small_chunks_ = small; }
  /// The next n bytes; the view holds until the next call on this reader.
  ByteView raw(std::size_t n);
  void skip(std::size_t n) { raw(n); }
  std::uint8_t peek() {
    need(1);
    return begin_[pos_];
  }
  /// A CLR's content; false and empty when it is null. The view holds until the next call.
  bool clr(ByteView& out);
  /// The same with the length byte already read.
  bool clr_after(std::uint8_t first, ByteView& out);
  /// A CLR's content as a string, empty for null.
  std::string clr_text();
  /// A DLC's content, empty for null.
  std::string dlc_text();
  void skip_dlc();

  [[nodiscard]] std::size_t position() const { return pos_; }
  [[nodiscard]] std::size_t buffered() const { return size_ - pos_; }

 private:
  void need(std::size_t n) {
    if (size_ - pos_ < n) fill(n);
  }
  void fill(std::size_t n);
  void rebase() {
    begin_ = buffer_->data();
    size_ = buffer_->size();
  }
  std::uint64_t fixed(std::size_t n);
  std::uint64_t magnitude(std::size_t n, std::size_t limit);
  std::uint64_t unsigned_integer(std::size_t limit);
  std::int64_t signed_integer(std::size_t limit);

  Bytes* buffer_ = nullptr;
  ByteSource* source_ = nullptr;
  const std::uint8_t* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t pos_ = 0;
  bool small_chunks_ = false;
  Bytes joined_;  // content of the last chunked CLR
};

/// Longest CLR with a plain length byte; longer ones are chunked.
inline constexpr std::size_t kShortClr = 252;
/// Even: JDBC decodes the UTF-16 of each chunk by itself.
inline constexpr std::size_t kChunk = 32766;
inline constexpr std::size_t kSmallChunk = 64;

/// Grows without clearing what it grows by; values are encoded into it in place.
class Writer {
 public:
  [[nodiscard]] const std::uint8_t* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] ByteView view() const { return {data_.get(), size_}; }
  void clear() { size_ = 0; }
  void truncate(std::size_t size) { size_ = size; }
  /// Drops the first n bytes and keeps the rest.
  void drop_front(std::size_t n);

  /// Room for n more bytes; commit() tells how many were written.
  std::uint8_t* room(std::size_t n) {
    if (capacity_ - size_ < n) grow(n);
    return data_.get() + size_;
  }
  void commit(std::size_t n) { size_ += n; }

  void u8(std::uint8_t v) {
    *room(1) = v;
    ++size_;
  }
  void u16(std::uint16_t v) { fixed(v, 2); }
  void u32(std::uint32_t v) { fixed(v, 4); }
  void u64(std::uint64_t v) { fixed(v, 8); }
  void u16le(std::uint16_t v) {
    u8(static_cast<std::uint8_t>(v));
    u8(static_cast<std::uint8_t>(v >> 8));
  }
  /// ub2, ub4 and ub8 are one form on the wire: a length byte and the magnitude.
  void ub(std::uint64_t v);
  void sb(std::int64_t v);
  void zeros(std::size_t n);
  void raw(const void* bytes, std::size_t n) {
    if (n == 0) return;
    std::memcpy(room(n), bytes, n);
    size_ += n;
  }
  void raw(ByteView bytes) { raw(bytes.data(), bytes.size()); }
  void raw(std::string_view text) { raw(text.data(), text.size()); }
  /// Empty content is written as null.
  void clr(const void* bytes, std::size_t n) {
    if (n <= kShortClr) {
      std::uint8_t* to = room(n + 1);
      to[0] = static_cast<std::uint8_t>(n);
      if (n > 0) std::memcpy(to + 1, bytes, n);
      size_ += n + 1;
    } else {
      long_clr(static_cast<const std::uint8_t*>(bytes), n);
    }
  }
  void clr(ByteView bytes) { clr(bytes.data(), bytes.size()); }
  void clr(std::string_view text) { clr(text.data(), text.size()); }
  /// Chunk lengths of long CLRs are single bytes, as before 12.1.
  void use_small_chunks(bool small) { small_chunks_ = small; }
  /// Writes what stands before the n bytes of a CLR, which are to follow, then end_chunks() when
  /// they are more than kShortClr. False, and nothing: they take several chunks.
  bool begin_one_chunk(std::size_t n) {
    if (n > (small_chunks_ ? kShortClr : kChunk)) return false;
    if (n <= kShortClr) {
      u8(static_cast<std::uint8_t>(n));
    } else {
      begin_chunks();
      ub(n);
    }
    return true;
  }
  /// A chunked CLR in parts: begin, any number of non-empty pieces, end.
  void begin_chunks() { u8(254); }
  void chunks(ByteView piece);
  void end_chunks() { u8(0); }
  void dlc(std::string_view text) {
    ub(text.size());
    if (!text.empty()) clr(text);
  }

 private:
  void grow(std::size_t n);
  void fixed(std::uint64_t v, std::size_t n);
  void long_clr(const std::uint8_t* bytes, std::size_t n);

  bool small_chunks_ = false;
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace orasim::wire
