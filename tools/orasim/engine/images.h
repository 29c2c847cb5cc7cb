// Oracle's images of scalar values inside other images (OSON, objects): without a length in front.
#pragma once

#include <string>
#include <string_view>

#include "engine/value.h"

namespace orasim {

void append_be(std::string& out, std::uint64_t value, int bytes);

/// Reads big-endian integers and runs of bytes; throws Short past the end.
class ImageReader {
 public:
  struct Short {};
  explicit ImageReader(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {
    if (at > bytes.size()) throw Short{};
  }
  std::uint64_t be(int bytes);
  std::uint8_t u8() { return static_cast<std::uint8_t>(be(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(be(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(be(4)); }
  std::string_view take(std::size_t size);
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

 private:
  std::string_view bytes_;
  std::size_t at_;
};

/// DATE: 7 bytes; TIMESTAMP: 11; TIMESTAMP WITH TIME ZONE: 13.
void append_moment(std::string& out, Type type, const DateTime& value);
/// By its size; the zone of 13 bytes is read too. Throws ImageReader::Short for another size or
/// what is no moment.
DateTime moment_of(std::string_view image);
void append_interval(std::string& out, const IntervalYm&);
void append_interval(std::string& out, const IntervalDs&);
/// Throw ImageReader::Short for a part that no interval has.
IntervalYm interval_ym_of(std::string_view five_bytes);
IntervalDs interval_ds_of(std::string_view eleven_bytes);
/// IEEE bits made sortable. One NaN, no negative zero.
void append_float(std::string& out, float value);
void append_double(std::string& out, double value);
float float_of(std::string_view four_bytes);
double double_of(std::string_view eight_bytes);

}  // namespace orasim
