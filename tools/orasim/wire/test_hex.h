// Hex notation for wire bytes in tests; spaces are ignored.
#pragma once

#include <cctype>
#include <stdexcept>
#include <string>
#include <string_view>

#include "wire/bytes.h"
#include "wire/o5logon.h"

namespace orasim::wire {

inline Bytes hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) digits.push_back(c);
  }
  auto bytes = from_hex(digits);
  if (!bytes) throw std::invalid_argument("not hex: " + std::string(text));
  return *bytes;
}

inline std::string hex_of(const Writer& writer) {
  return to_hex(writer.view());
}

/// Hands out its bytes a few at a time, as packets would bring them.
class DripSource : public ByteSource {
 public:
  DripSource(Bytes bytes, std::size_t step) : bytes_(std::move(bytes)), step_(step) {}
  void more(Bytes& buffer) override {
    if (at_ == bytes_.size()) throw ShortRead();
    for (std::size_t i = 0; i < step_ && at_ < bytes_.size(); ++i) buffer.push_back(bytes_[at_++]);
  }

 private:
  Bytes bytes_;
  std::size_t step_;
  std::size_t at_ = 0;
};

}  // namespace orasim::wire
