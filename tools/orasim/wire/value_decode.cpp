#include <bit>

#include "engine/calendar.h"
#include "engine/charset.h"
#include "engine/error.h"
#include "engine/json.h"
#include "engine/object_image.h"
#include "engine/time_zone.h"
#include "engine/vector.h"
#include "wire/text.h"
#include "wire/values.h"

namespace orasim::wire {

namespace {

[[noreturn]] void bad_bind(const char* what) {
  throw OraError(1461, std::string("can bind a value only in its type's form: ") + what);
}

std::uint8_t byte_at(const std::string& s, std::size_t i) {
  return static_cast<std::uint8_t>(s[i]);
}

std::uint32_t u32_at(const std::string& s, std::size_t i) {
  std::uint32_t v = 0;
  for (std::size_t k = 0; k < 4; ++k) v = v << 8 | byte_at(s, i + k);
  return v;
}

bool leap(int year) {
  return year % 4 == 0 && (year < 1582 || year % 100 != 0 || year % 400 == 0);
}

int days_in(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap(year < 0 ? year + 1 : year) ? 29 : kDays[month - 1];
}

void next_day(DateTime& t) {
  if (t.day < days_in(t.year, t.month)) {
    ++t.day;
    return;
  }
  t.day = 1;
  t.month = static_cast<std::uint8_t>(t.month % 12 + 1);
  if (t.month == 1 && ++t.year == 0) t.year = 1;
}

void previous_day(DateTime& t) {
  if (t.day > 1) {
    --t.day;
    return;
  }
  t.month = static_cast<std::uint8_t>(t.month == 1 ? 12 : t.month - 1);
  if (t.month == 12 && --t.year == 0) t.year = -1;
  t.day = static_cast<std::uint8_t>(days_in(t.year, t.month));
}

// Local fields to UTC; an offset never moves a time by more than a day.
void to_utc(DateTime& t) {
  int minutes = t.hour * 60 + t.minute - t.offset_minutes;
  if (minutes < 0) {
    minutes += 1440;
    previous_day(t);
  } else if (minutes >= 1440) {
    minutes -= 1440;
    next_day(t);
  }
  t.hour = static_cast<std::uint8_t>(minutes / 60);
  t.minute = static_cast<std::uint8_t>(minutes % 60);
}

void decode_zone(const std::string& s, DateTime& t) {
  const std::uint8_t a = byte_at(s, 11), b = byte_at(s, 12);
  if ((a & 0x80) != 0) {
    t.region_id = static_cast<std::uint16_t>((a & 0x7F) << 6 | b >> 2);
    if ((b & 1) == 0) return resolve_zone(t);
    // The fields are the region's own clock; bit 1 tells which of two equal readings it is.
    resolve_wall_zone(t, (b & 2) != 0);
    to_utc(t);
    return;
  }
  if (a == 0 && b == 0) return;
  const int offset = ((a & 0x3F) - 20) * 60 + b - 60;
  if (offset < -16 * 60 || offset > 16 * 60) bad_bind("time zone offset");
  t.offset_minutes = static_cast<std::int16_t>(offset);
  if ((a & 0x40) != 0) to_utc(t);
}

DateTime decode_date_time(const std::string& s) {
  if (s.size() != 7 && s.size() != 11 && s.size() != 13) bad_bind("date length");
  DateTime t;
  t.year = static_cast<std::int16_t>((byte_at(s, 0) - 100) * 100 + byte_at(s, 1) - 100);
  t.month = byte_at(s, 2);
  t.day = byte_at(s, 3);
  const int hour = byte_at(s, 4) - 1, minute = byte_at(s, 5) - 1, second = byte_at(s, 6) - 1;
  if (t.year < -4712 || t.year > 9999 || t.year == 0) {
    throw OraError(1841, "(full) year must be between -4713 and +9999, and not be 0");
  }
  if (t.month < 1 || t.month > 12) throw OraError(1843, "not a valid month");
  if (t.day < 1 || t.day > days_in(t.year, t.month)) {
    throw OraError(1847, "day of month must be between 1 and last day of month");
  }
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    throw OraError(1850, "hour must be between 0 and 23");
  }
  t.hour = static_cast<std::uint8_t>(hour);
  t.minute = static_cast<std::uint8_t>(minute);
  t.second = static_cast<std::uint8_t>(second);
  if (s.size() >= 11) t.nanosecond = u32_at(s, 7);
  if (t.nanosecond > 999999999) bad_bind("fraction of a second");
  if (s.size() == 13) decode_zone(s, t);
  return t;
}

IntervalYm decode_interval_ym(const std::string& s) {
  if (s.size() != 5) bad_bind("interval length");
  const std::int64_t years = static_cast<std::int64_t>(u32_at(s, 0)) - 0x80000000LL;
  if (years < -999999999 || years > 999999999) bad_bind("interval years");
  const std::int64_t months = years * 12 + byte_at(s, 4) - 60;
  return IntervalYm{months};
}

IntervalDs decode_interval_ds(const std::string& s) {
  if (s.size() != 11) bad_bind("interval length");
  const std::int64_t days = static_cast<std::int64_t>(u32_at(s, 0)) - 0x80000000LL;
  const std::int64_t fraction = static_cast<std::int64_t>(u32_at(s, 7)) - 0x80000000LL;
  if (fraction < -999999999 || fraction > 999999999) bad_bind("interval fraction");
  IntervalDs out;
  out.seconds =
      days * 86400 + (byte_at(s, 4) - 60) * 3600 + (byte_at(s, 5) - 60) * 60 + (byte_at(s, 6) - 60);
  out.nanoseconds = static_cast<std::int32_t>(fraction);
  // python-oracledb sends negative values in parts of both signs.
  return normalized(out);
}

float decode_float(const std::string& s) {
  if (s.size() != 4) bad_bind("BINARY_FLOAT length");
  const std::uint32_t bits = u32_at(s, 0);
  return std::bit_cast<float>((bits & 0x80000000u) != 0 ? bits & 0x7FFFFFFFu : ~bits);
}

double decode_double(const std::string& s) {
  if (s.size() != 8) bad_bind("BINARY_DOUBLE length");
  const std::uint64_t bits = static_cast<std::uint64_t>(u32_at(s, 0)) << 32 | u32_at(s, 4);
  constexpr std::uint64_t kSign = 1ull << 63;
  return std::bit_cast<double>((bits & kSign) != 0 ? bits & ~kSign : ~bits);
}

Number decode_number(const std::string& s) {
  const std::optional<Number> number = Number::from_bytes(as_bytes(s));
  if (!number) throw OraError(1722, "invalid number");
  return *number;
}

struct BindForm {
  std::uint8_t wire_type;
  Type type;
  Codec codec;
};

// External types a thin client binds with, and the ones OCI knows for the same content.
constexpr BindForm kForms[] = {
    {1, Type::kVarchar2, Codec::kText},
    {2, Type::kNumber, Codec::kNumber},
    {3, Type::kNumber, Codec::kNumber},
    {5, Type::kVarchar2, Codec::kText},
    {6, Type::kNumber, Codec::kNumber},
    {8, Type::kVarchar2, Codec::kText},
    {7, Type::kNumber, Codec::kNumber},
    {9, Type::kVarchar2, Codec::kText},
    {11, Type::kRowid, Codec::kRowid},
    {12, Type::kDate, Codec::kDate},
    {15, Type::kRaw, Codec::kRaw},
    {23, Type::kRaw, Codec::kRaw},
    {24, Type::kRaw, Codec::kRaw},
    {68, Type::kNumber, Codec::kNumber},
    {91, Type::kNumber, Codec::kNumber},
    {94, Type::kVarchar2, Codec::kText},  // LONG VARCHAR and LONG VARRAW: go-ora's LOB defines
    {95, Type::kRaw, Codec::kRaw},
    {96, Type::kChar, Codec::kText},
    {97, Type::kChar, Codec::kText},
    {100, Type::kBinaryFloat, Codec::kBinaryFloat},
    {101, Type::kBinaryDouble, Codec::kBinaryDouble},
    {102, Type::kCursor, Codec::kCursor},
    {104, Type::kRowid, Codec::kRowid},
    {109, Type::kObject, Codec::kObject},
    {112, Type::kClob, Codec::kLocator},
    {113, Type::kBlob, Codec::kLocator},
    {114, Type::kBfile, Codec::kLocator},
    {119, Type::kJson, Codec::kDocument},
    {127, Type::kVector, Codec::kDocument},
    {180, Type::kTimestamp, Codec::kTimestamp},
    {181, Type::kTimestampTz, Codec::kTimestampTz},
    {182, Type::kIntervalYm, Codec::kIntervalYm},
    {183, Type::kIntervalDs, Codec::kIntervalDs},
    {187, Type::kTimestamp, Codec::kTimestamp},  // 187 to 190, 232: descriptors of 180 to 183, 231
    {188, Type::kTimestampTz, Codec::kTimestampTz},
    {189, Type::kIntervalYm, Codec::kIntervalYm},
    {190, Type::kIntervalDs, Codec::kIntervalDs},
    {208, Type::kUrowid, Codec::kUrowid},
    {231, Type::kTimestampLtz, Codec::kTimestamp},
    {232, Type::kTimestampLtz, Codec::kTimestamp},
    {252, Type::kBoolean, Codec::kBoolean},
};

const BindForm& form_of(const TypeSpec& spec) {
  for (const BindForm& form : kForms) {
    if (form.wire_type == spec.type) return form;
  }
  throw OraError(932, "inconsistent datatypes: bind type " + std::to_string(spec.type) +
                          " is not supported by this server");
}

Value decode_content(const TypeSpec& spec, Type type, const std::string& content) {
  const bool national = spec.is_national();
  switch (type) {
    case Type::kVarchar2:
    case Type::kChar:
      return make_text(national ? utf16be_to_utf8(content) : as_stored(content), type, national);
    case Type::kNumber:
      return Value{type, false, decode_number(content)};
    case Type::kRaw:
      return make_text(content, type);
    case Type::kDate:
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
      return Value{type, false, decode_date_time(content)};
    case Type::kIntervalYm:
      return Value{type, false, decode_interval_ym(content)};
    case Type::kIntervalDs:
      return Value{type, false, decode_interval_ds(content)};
    case Type::kBinaryFloat:
      return Value{type, false, decode_float(content)};
    case Type::kBinaryDouble:
      return Value{type, false, decode_double(content)};
    case Type::kBoolean:
      // The last byte: true is 01 01 and false 00, but seerdb's false has the length of its true.
      return Value{type, false, !content.empty() && content.back() == 1};
    case Type::kJson:
      return make_lob(encode_oson(decode_oson(content)), type);
    case Type::kVector:
      return make_lob(encode_vector(decode_vector(content)), type);
    case Type::kObject:
      if (spec.type_oid.size() != kOidBytes) {
        throw OraError(932, "inconsistent datatypes: the bind of an object has no type");
      }
      return make_lob(spec.type_oid + content, type);
    default: {
      if (type == Type::kUrowid && content.starts_with('*')) return Value{type, false, content};
      RowId row_id;
      if (!from_text(content, row_id)) throw OraError(1410, "invalid ROWID");
      return Value{type, false, row_id};
    }
  }
}

}  // namespace

Type bind_type(const TypeSpec& spec) {
  return form_of(spec).type;
}

Codec bind_codec(const TypeSpec& spec) {
  const Codec codec = form_of(spec).codec;
  return codec == Codec::kText && spec.is_national() ? Codec::kNationalText : codec;
}

Value decode_value(const TypeSpec& spec, const BindValue& bind) {
  const Type type = bind_type(spec);
  if (bind.is_null) return Value{type, spec.is_national(), {}};
  return decode_content(spec, type, bind.content);
}

}  // namespace orasim::wire
