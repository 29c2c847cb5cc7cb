#include "connect/oracle/wire/reader.h"

#include <algorithm>

namespace wherry::oracle::wire {
namespace {

constexpr std::uint8_t kLongString = 0xFE;
constexpr std::uint8_t kNullString = 0xFF;
constexpr std::uint8_t kSignBit = 0x80;

}  // namespace

void Reader::fail(std::string_view problem) {
  if (!ok()) return;
  state_ = ParseState::kMalformed;
  problem_ = problem;
}

bool Reader::need(std::size_t count) {
  if (!ok()) return false;
  if (count <= remaining()) return true;
  state_ = ParseState::kNeedMore;
  return false;
}

std::uint8_t Reader::u8() {
  return need(1) ? *at_++ : std::uint8_t{0};
}

std::uint8_t Reader::peek() {
  return need(1) ? *at_ : std::uint8_t{0};
}

std::uint16_t Reader::u16() {
  if (!need(2)) return 0;
  const auto value = static_cast<std::uint16_t>(at_[0] << 8 | at_[1]);
  at_ += 2;
  return value;
}

std::uint32_t Reader::u32() {
  if (!need(4)) return 0;
  const std::uint32_t high = u16();
  return high << 16 | u16();
}

std::uint64_t Reader::u64() {
  if (!need(8)) return 0;
  const std::uint64_t high = u32();
  return high << 32 | u32();
}

std::uint16_t Reader::u16_le() {
  if (!need(2)) return 0;
  const auto value = static_cast<std::uint16_t>(at_[1] << 8 | at_[0]);
  at_ += 2;
  return value;
}

std::uint32_t Reader::u32_le() {
  if (!need(4)) return 0;
  const std::uint32_t low = u16_le();
  return low | static_cast<std::uint32_t>(u16_le()) << 16;
}

void Reader::skip(std::size_t count) {
  if (need(count)) at_ += count;
}

ByteView Reader::raw(std::size_t count) {
  if (!need(count)) return {};
  const ByteView result(at_, count);
  at_ += count;
  return result;
}

std::string Reader::text_until_nul() {
  std::string text;
  while (ok()) {
    const std::uint8_t c = u8();
    if (!ok() || c == 0) break;
    text.push_back(static_cast<char>(c));
  }
  return text;
}

std::int64_t Reader::variable(std::size_t max_bytes, bool is_signed) {
  const std::uint8_t head = u8();
  const std::size_t count = head & ~kSignBit;
  const bool negative = (head & kSignBit) != 0;
  if (count > max_bytes) {
    fail("an integer is longer than its field");
    return 0;
  }
  if (negative && !is_signed) {
    fail("an unsigned integer is negative");
    return 0;
  }
  std::uint64_t magnitude = 0;
  for (const std::uint8_t byte : raw(count)) magnitude = magnitude << 8 | byte;
  return static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
}

template <class Sink>
bool Reader::each_chunk(Sink&& sink) {
  const std::uint8_t head = u8();
  if (!ok() || head == 0 || head == kNullString) return false;
  if (head != kLongString) {
    sink(raw(head));
    return ok();
  }
  while (ok()) {
    const std::size_t length = chunk_size();
    if (length == 0) break;
    sink(raw(length));
  }
  return ok();
}

std::optional<std::string> Reader::clr() {
  std::string value;
  if (!each_chunk([&](ByteView chunk) { value.append(text_of(chunk)); })) return std::nullopt;
  return value;
}

std::size_t Reader::skip_clr() {
  std::size_t size = 0;
  each_chunk([&](ByteView chunk) { size += chunk.size(); });
  return size;
}

void Reader::clr_to(std::uint8_t* out) {
  each_chunk([&](ByteView chunk) { out = std::copy(chunk.begin(), chunk.end(), out); });
}

std::optional<std::string> Reader::dlc() {
  if (ub4() == 0) return std::nullopt;
  return clr();
}

void Reader::skip_dlc() {
  if (ub4() != 0) skip_clr();
}

}  // namespace wherry::oracle::wire
