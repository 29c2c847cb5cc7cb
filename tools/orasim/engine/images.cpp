#include "engine/images.h"

#include <bit>
#include <cstdlib>

#include "engine/calendar.h"

namespace orasim {
namespace {

constexpr std::uint32_t kHalf = 0x80000000U;
/// Of years, days and nanoseconds of an interval, either way.
constexpr std::int64_t kMostUnits = 999'999'999;

template <class Bits>
Bits sorted(Bits bits) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
template <class Bits>
Bits unsorted(Bits bits) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return (bits & kSign) != 0 ? bits & ~kSign : ~bits;
}

}  // namespace

void append_be(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

std::uint64_t ImageReader::be(int bytes) {
  std::uint64_t value = 0;
  for (const char c : take(static_cast<std::size_t>(bytes))) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

std::string_view ImageReader::take(std::size_t size) {
  if (size > left()) throw Short{};
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

void append_moment(std::string& out, Type type, const DateTime& t) {
  for (const int byte : {t.year / 100 + 100, t.year % 100 + 100, int{t.month}, int{t.day},
                         t.hour + 1, t.minute + 1, t.second + 1}) {
    out.push_back(static_cast<char>(byte));
  }
  if (type == Type::kDate) return;
  append_be(out, t.nanosecond, 4);
  if (type != Type::kTimestampTz) return;
  if (t.region_id != 0) {
    out.push_back(static_cast<char>(0x80 | (t.region_id >> 6 & 0x7F)));
    out.push_back(static_cast<char>((t.region_id & 0x3F) << 2));
    return;
  }
  out.push_back(static_cast<char>(t.offset_minutes / 60 + 20));
  out.push_back(static_cast<char>(t.offset_minutes % 60 + 60));
}

DateTime moment_of(std::string_view image) {
  ImageReader in(image);
  DateTime t;
  const int century = in.u8() - 100;
  t.year = static_cast<std::int16_t>(century * 100 + in.u8() - 100);
  t.month = in.u8();
  t.day = in.u8();
  t.hour = static_cast<std::uint8_t>(in.u8() - 1);
  t.minute = static_cast<std::uint8_t>(in.u8() - 1);
  t.second = static_cast<std::uint8_t>(in.u8() - 1);
  if (in.left() > 0) t.nanosecond = in.u32();
  if (in.left() > 0) {
    const int a = in.u8(), b = in.u8();
    if ((a & 0x80) != 0) {
      t.region_id = static_cast<std::uint16_t>((a & 0x7F) << 6 | b >> 2);
    } else if (a != 0 || b != 0) {
      t.offset_minutes = static_cast<std::int16_t>(((a & 0x3F) - 20) * 60 + b - 60);
    }
  }
  if (in.left() > 0 || !is_valid(t)) throw ImageReader::Short{};
  return t;
}

void append_interval(std::string& out, const IntervalYm& interval) {
  append_be(out, static_cast<std::uint32_t>(interval.months / 12) + kHalf, 4);
  out.push_back(static_cast<char>(interval.months % 12 + 60));
}

void append_interval(std::string& out, const IntervalDs& interval) {
  append_be(out, static_cast<std::uint32_t>(interval.seconds / 86400) + kHalf, 4);
  for (const std::int64_t part :
       {interval.seconds / 3600 % 24, interval.seconds / 60 % 60, interval.seconds % 60}) {
    out.push_back(static_cast<char>(part + 60));
  }
  append_be(out, static_cast<std::uint32_t>(interval.nanoseconds) + kHalf, 4);
}

IntervalYm interval_ym_of(std::string_view image) {
  ImageReader in(image);
  const std::int64_t years = std::int64_t{in.u32()} - kHalf;
  const int months = in.u8() - 60;
  if (std::abs(years) > kMostUnits || std::abs(months) > 11) throw ImageReader::Short{};
  return {years * 12 + months};
}

IntervalDs interval_ds_of(std::string_view image) {
  ImageReader in(image);
  const std::int64_t days = std::int64_t{in.u32()} - kHalf;
  const int hours = in.u8() - 60, minutes = in.u8() - 60, seconds = in.u8() - 60;
  const std::int64_t nanoseconds = std::int64_t{in.u32()} - kHalf;
  if (std::abs(days) > kMostUnits || std::abs(hours) > 23 || std::abs(minutes) > 59 ||
      std::abs(seconds) > 59 || std::abs(nanoseconds) > kMostUnits) {
    throw ImageReader::Short{};
  }
  IntervalDs out;
  out.seconds = days * 86400 + hours * 3600 + minutes * 60 + seconds;
  out.nanoseconds = static_cast<std::int32_t>(nanoseconds);
  return normalized(out);
}

void append_float(std::string& out, float v) {
  if (v == 0) v = 0;
  append_be(out, sorted(v != v ? 0x7FC00000U : std::bit_cast<std::uint32_t>(v)), 4);
}

void append_double(std::string& out, double v) {
  if (v == 0) v = 0;
  append_be(out, sorted(v != v ? 0x7FF8000000000000U : std::bit_cast<std::uint64_t>(v)), 8);
}

float float_of(std::string_view image) {
  return std::bit_cast<float>(unsorted(ImageReader(image).u32()));
}

double double_of(std::string_view image) {
  return std::bit_cast<double>(unsorted(ImageReader(image).be(8)));
}

}  // namespace orasim
