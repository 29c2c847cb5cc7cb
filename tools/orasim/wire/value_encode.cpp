#include <bit>

#include "engine/calendar.h"
#include "engine/error.h"
#include "engine/json.h"
#include "engine/time_zone.h"
#include "engine/vector.h"
#include "wire/text.h"
#include "wire/values.h"

namespace orasim::wire {

namespace {

[[noreturn]] void mismatch() {
  throw OraError(932, "inconsistent datatypes: value and described type do not match");
}

template <typename T>
const T& get(const Value& value) {
  const T* held = std::get_if<T>(&value.data);
  if (held == nullptr) mismatch();
  return *held;
}

std::string_view content_of(const Value& value, std::string& scratch) {
  if (const auto* text = std::get_if<std::string>(&value.data)) return *text;
  if (value.type == Type::kJson) return scratch = json_text(decode_oson(value.lob()->data));
  if (value.type == Type::kVector) return scratch = vector_text(decode_vector(value.lob()->data));
  if (value.type == Type::kObject) mismatch();
  if (const auto* lob = std::get_if<Lob>(&value.data)) return (*lob)->data;
  if (const auto* number = std::get_if<Number>(&value.data)) return scratch = number->to_string();
  if (const auto* row_id = std::get_if<RowId>(&value.data)) return scratch = to_text(*row_id);
  mismatch();
}

void put_national(Writer& out, std::string_view utf8) {
  const std::size_t bytes = utf16_units(utf8) * 2;
  if (bytes > kShortClr) {
    out.clr(utf8_to_utf16be(utf8));
    return;
  }
  std::uint8_t* to = out.room(bytes + 1);
  to[0] = static_cast<std::uint8_t>(bytes);
  utf8_to_utf16be(utf8, to + 1);
  out.commit(bytes + 1);
}

void put_text(Writer& out, const Value& value, bool national) {
  std::string scratch;
  const std::string_view text = content_of(value, scratch);
  if (national) {
    put_national(out, text);
  } else {
    out.clr(text);
  }
}

void put_number(Writer& out, const Value& value) {
  if (const auto* number = std::get_if<Number>(&value.data)) {
    const auto bytes = number->bytes();
    out.clr(bytes.data(), bytes.size());
    return;
  }
  std::optional<Number> converted;
  if (const auto* flag = std::get_if<bool>(&value.data)) {
    converted = Number::from_int(*flag ? 1 : 0);
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    converted = Number::parse(*text);
    if (!converted) throw OraError(1722, "invalid number");
  } else if (const auto* real = std::get_if<double>(&value.data)) {
    converted = Number::from_double(*real);
  }
  if (!converted) mismatch();
  const auto bytes = converted->bytes();
  out.clr(bytes.data(), bytes.size());
}

std::uint8_t* put_seven(std::uint8_t* to, const DateTime& t) {
  *to++ = static_cast<std::uint8_t>(t.year / 100 + 100);
  *to++ = static_cast<std::uint8_t>(t.year % 100 + 100);
  *to++ = t.month;
  *to++ = t.day;
  *to++ = static_cast<std::uint8_t>(t.hour + 1);
  *to++ = static_cast<std::uint8_t>(t.minute + 1);
  *to++ = static_cast<std::uint8_t>(t.second + 1);
  return to;
}

std::uint8_t* put_u32(std::uint8_t* to, std::uint32_t v) {
  *to++ = static_cast<std::uint8_t>(v >> 24);
  *to++ = static_cast<std::uint8_t>(v >> 16);
  *to++ = static_cast<std::uint8_t>(v >> 8);
  *to++ = static_cast<std::uint8_t>(v);
  return to;
}

void put_date(Writer& out, const DateTime& t) {
  std::uint8_t* to = out.room(8);
  *to = 7;
  put_seven(to + 1, t);
  out.commit(8);
}

// Without a fraction the seven bytes of a DATE are sent.
void put_timestamp(Writer& out, const DateTime& t) {
  if (t.nanosecond == 0) return put_date(out, t);
  std::uint8_t* to = out.room(12);
  *to = 11;
  put_u32(put_seven(to + 1, t), t.nanosecond);
  out.commit(12);
}

// Flags: the fields are the zone's own clock; of two equal readings it is the summer one.
void put_local_timestamp_tz(Writer& out, const DateTime& utc) {
  const DateTime t = to_local(utc);
  std::uint8_t* to = out.room(14);
  *to = 13;
  std::uint8_t* zone = put_u32(put_seven(to + 1, t), t.nanosecond);
  if (t.region_id != 0) {
    zone[0] = static_cast<std::uint8_t>(0x80 | (t.region_id >> 6 & 0x7F));
    zone[1] = static_cast<std::uint8_t>((t.region_id & 0x3F) << 2 | 1 | (is_daylight(utc) ? 2 : 0));
  } else {
    zone[0] = static_cast<std::uint8_t>((t.offset_minutes / 60 + 20) | 0x40);
    zone[1] = static_cast<std::uint8_t>(t.offset_minutes % 60 + 60);
  }
  out.commit(14);
}

void put_timestamp_tz(Writer& out, const DateTime& t) {
  std::uint8_t* to = out.room(14);
  *to = 13;
  std::uint8_t* zone = put_u32(put_seven(to + 1, t), t.nanosecond);
  if (t.region_id != 0) {
    zone[0] = static_cast<std::uint8_t>(0x80 | (t.region_id >> 6 & 0x7F));
    zone[1] = static_cast<std::uint8_t>((t.region_id & 0x3F) << 2);
  } else {
    // Both parts carry the sign: -03:30 is hours -3 and minutes -30.
    zone[0] = static_cast<std::uint8_t>(t.offset_minutes / 60 + 20);
    zone[1] = static_cast<std::uint8_t>(t.offset_minutes % 60 + 60);
  }
  out.commit(14);
}

void put_interval_ym(Writer& out, IntervalYm interval) {
  std::uint8_t* to = out.room(6);
  *to++ = 5;
  to = put_u32(to, static_cast<std::uint32_t>(interval.months / 12) + 0x80000000u);
  *to = static_cast<std::uint8_t>(interval.months % 12 + 60);
  out.commit(6);
}

void put_interval_ds(Writer& out, const IntervalDs& interval) {
  const std::int64_t seconds = interval.seconds;
  std::uint8_t* to = out.room(12);
  *to++ = 11;
  to = put_u32(to, static_cast<std::uint32_t>(seconds / 86400) + 0x80000000u);
  *to++ = static_cast<std::uint8_t>(seconds / 3600 % 24 + 60);
  *to++ = static_cast<std::uint8_t>(seconds / 60 % 60 + 60);
  *to++ = static_cast<std::uint8_t>(seconds % 60 + 60);
  put_u32(to, static_cast<std::uint32_t>(interval.nanoseconds) + 0x80000000u);
  out.commit(12);
}

// IEEE bits made sortable: the sign bit set for positives, all bits inverted for negatives. The
// server knows one NaN and no negative zero.
void put_float(Writer& out, float v) {
  if (v == 0) v = 0;
  std::uint32_t bits = v != v ? 0x7FC00000u : std::bit_cast<std::uint32_t>(v);
  bits = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  out.u8(4);
  out.u32(bits);
}

void put_double(Writer& out, double v) {
  if (v == 0) v = 0;
  std::uint64_t bits = v != v ? 0x7FF8000000000000u : std::bit_cast<std::uint64_t>(v);
  bits = (bits >> 63) != 0 ? ~bits : bits | 0x8000000000000000u;
  out.u8(8);
  out.u64(bits);
}

double as_double(const Value& value) {
  if (const auto* wide = std::get_if<double>(&value.data)) return *wide;
  if (const auto* narrow = std::get_if<float>(&value.data)) return *narrow;
  return get<Number>(value).to_double();
}

void put_rowid(Writer& out, const RowId& row_id) {
  out.u8(13);
  out.ub(row_id.object);
  out.ub(row_id.file);
  out.u8(0);
  out.ub(row_id.block);
  out.ub(row_id.slot);
}

void put_urowid(Writer& out, const RowId& row_id) {
  out.ub(13);
  out.u8(13);
  out.u8(1);  // physical
  out.u32(row_id.object);
  out.u16(row_id.file);
  out.u32(row_id.block);
  out.u16(row_id.slot);
}

// An asterisk and base-64 digits, six bits each; clients print what follows the kind so.
void put_logical_rowid(Writer& out, std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes(1, '\x02');
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(1)) {
    bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count));
  }
  out.ub(bytes.size());
  out.clr(bytes);
}

void put_boolean(Writer& out, bool value) {
  static constexpr std::uint8_t kTrue[] = {2, 1, 1};
  static constexpr std::uint8_t kFalse[] = {1, 0};
  value ? out.raw(kTrue, sizeof kTrue) : out.raw(kFalse, sizeof kFalse);
}

}  // namespace

void encode_value(Writer& out, Codec codec, const Value& value) {
  if (value.is_null()) {
    if (codec != Codec::kNothing) out.u8(0);
    return;
  }
  switch (codec) {
    case Codec::kNothing:
      throw OraError(600, "internal error code, arguments: [value in a column of length 0]");
    case Codec::kText:
      return put_text(out, value, false);
    case Codec::kNationalText:
      return put_text(out, value, true);
    case Codec::kNumber:
      return put_number(out, value);
    case Codec::kDate:
      return put_date(out, get<DateTime>(value));
    case Codec::kTimestamp:
      return put_timestamp(out, get<DateTime>(value));
    case Codec::kTimestampTzLocal:
      return put_local_timestamp_tz(out, get<DateTime>(value));
    case Codec::kTimestampTz:
      return put_timestamp_tz(out, get<DateTime>(value));
    case Codec::kRaw:
      return put_text(out, value, false);
    case Codec::kBinaryFloat:
      return put_float(out, static_cast<float>(as_double(value)));
    case Codec::kBinaryDouble:
      return put_double(out, as_double(value));
    case Codec::kIntervalYm:
      return put_interval_ym(out, get<IntervalYm>(value));
    case Codec::kIntervalDs:
      return put_interval_ds(out, get<IntervalDs>(value));
    case Codec::kRowid:
      return put_rowid(out, get<RowId>(value));
    case Codec::kUrowid:
      if (const auto* logical = std::get_if<std::string>(&value.data)) {
        return put_logical_rowid(out, *logical);
      }
      return put_urowid(out, get<RowId>(value));
    case Codec::kBoolean:
      return put_boolean(out, get<bool>(value));
    case Codec::kDocument:
    case Codec::kObject:
    case Codec::kCursor:
    case Codec::kLocator:
    case Codec::kLocatorAndSize:
      mismatch();
  }
}

}  // namespace orasim::wire
