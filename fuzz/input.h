// Cuts a fuzzer's bytes into the pieces a target needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

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
  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(rest_.data()), rest_.size()};
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::span<const std::uint8_t> rest_;
};

/// A property that must hold; libFuzzer reports the trap with the input.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

/// One decoder of a target. The first byte of an input chooses, so that decoders that are small and
/// alike need no target each; seeds are named after them.
using Part = void (*)(Input& input);

template <std::size_t kCount>
int run_part(const Part (&parts)[kCount], const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  parts[input.byte() % kCount](input);
  return 0;
}

}  // namespace wherry::fuzz
