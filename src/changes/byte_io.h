// Numbers and texts as the change file has them: variable-length integers, low seven bits first,
// and lengths before texts. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace wherry::changes {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void number(std::uint64_t value) {
    char bytes[10];
    std::size_t count = 0;
    while (value >= 0x80) {
      bytes[count++] = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    bytes[count++] = static_cast<char>(value);
    out_.append(bytes, count);
  }
  /// Small for small magnitudes of either sign.
  void signed_number(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  /// The value's bytes as they lie in memory; little-endian machines only.
  template <class T>
  void raw(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

 private:
  std::string& out_;
};

/// Reads what ByteWriter wrote. After the first thing that is not there everything is zero or empty
/// and has_failed() is true, so callers look once at the end, or before they allocate.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : rest_(in) {}

  [[nodiscard]] bool has_failed() const { return has_failed_; }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  void fail() {
    has_failed_ = true;
    rest_ = {};
  }

  std::uint8_t byte() {
    if (rest_.empty()) {
      fail();
      return 0;
    }
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      if (shift == 63 && next > 1) break;
      value |= std::uint64_t{next & 0x7fU} << shift;
      if ((next & 0x80) == 0) return has_failed_ ? 0 : value;
    }
    fail();
    return 0;
  }
  /// At most `most`.
  std::uint64_t number(std::uint64_t most) {
    const std::uint64_t value = number();
    if (value <= most) return value;
    fail();
    return 0;
  }
  std::int64_t signed_number() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  std::string_view bytes(std::uint64_t count) {
    if (count > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view value = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(static_cast<std::size_t>(count));
    return value;
  }
  std::string_view text() { return bytes(number()); }
  template <class T>
  T raw() {
    T value{};
    const std::string_view from = bytes(sizeof value);
    if (!has_failed_) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  /// How many things follow, each of a byte at least: no more than there are bytes.
  std::size_t count() { return static_cast<std::size_t>(number(rest_.size())); }

 private:
  std::string_view rest_;
  bool has_failed_ = false;
};

}  // namespace wherry::changes
