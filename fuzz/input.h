// Cuts a fuzzer's bytes into the pieces a target needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wherry::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  /// At most `count` bytes, fewer at the end.
  std::span<const std::uint8_t> take(std::size_t count) {
    const auto piece = rest_.first(count < rest_.size() ? count : rest_.size());
    rest_ = rest_.subspan(piece.size());
    return piece;
  }
  [[nodiscard]] std::span<const std::uint8_t> rest() const { return rest_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::span<const std::uint8_t> rest_;
};

/// A property that must hold; libFuzzer reports the trap with the input.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace wherry::fuzz
