// Little writer and bounds-checked reader for the log and the catalog records.
// Integers are little-endian; varints are LEB128; strings are varint length + bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace orasim {

/// Bytes that are not what this program wrote.
class CorruptBytes : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ByteWriter {
 public:
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u32(std::uint32_t v) { fixed(v, 4); }
  void u64(std::uint64_t v) { fixed(v, 8); }
  void i64(std::int64_t v) { fixed(static_cast<std::uint64_t>(v), 8); }
  void boolean(bool v) { u8(v ? 1 : 0); }
  void varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) u8(static_cast<std::uint8_t>(v | 0x80));
    u8(static_cast<std::uint8_t>(v));
  }
  void text(std::string_view s) {
    varint(s.size());
    out_.append(s);
  }
  [[nodiscard]] std::string& out() { return out_; }
  [[nodiscard]] std::size_t size() const { return out_.size(); }

 private:
  void fixed(std::uint64_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) u8(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  std::string out_;
};

/// Throws CorruptBytes instead of reading past the end. Views live as long as the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(fixed(8)); }
  bool boolean() { return u8() != 0; }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = u8();
      v |= static_cast<std::uint64_t>(b & 0x7F) << shift;
      if ((b & 0x80) == 0) return v;
    }
    throw CorruptBytes("a variable-length integer does not end");
  }
  std::string_view text() { return take(varint()); }
  std::string string() { return std::string(text()); }
  /// A count of items that take at least one byte each, so that nobody reserves by a wild number.
  std::size_t count() {
    const std::uint64_t n = varint();
    if (n > rest_.size()) throw CorruptBytes("a count exceeds the record");
    return static_cast<std::size_t>(n);
  }
  std::string_view take(std::uint64_t n) {
    if (n > rest_.size()) throw CorruptBytes("a record ends too early");
    const std::string_view part = rest_.substr(0, static_cast<std::size_t>(n));
    rest_.remove_prefix(static_cast<std::size_t>(n));
    return part;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::uint64_t fixed(int bytes) {
    const std::string_view part = take(static_cast<std::uint64_t>(bytes));
    std::uint64_t v = 0;
    for (int i = 0; i < bytes; ++i) {
      v |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(part[static_cast<std::size_t>(i)]))
           << (8 * i);
    }
    return v;
  }
  std::string_view rest_;
};

}  // namespace orasim
