// Timestamps and intervals.
#include "connect/postgres/wire/copy_buffer.h"
#include "connect/postgres/wire/decoder_parts.h"
#include "connect/postgres/wire/time_limits.h"
#include "core/civil_time.h"
#include "core/time_text.h"

namespace wherry::postgres::wire {
namespace {

/// What infinite timestamps become, as in AWS DMS: the last second of 9999, 4713-01-01 BC.
std::int64_t finite(bool is_negative) {
  return is_negative ? days_from_civil(-4712, 1, 1) * kMicrosPerDay
                     : days_from_civil(10'000, 1, 1) * kMicrosPerDay - kMicrosPerSecond;
}

bool timestamp_from_timestamp(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  if (field.size() != 8) return false;
  const auto micros = static_cast<std::int64_t>(load_u64(field.data()));
  if (micros == kInfinity64 || micros == kMinusInfinity64) {
    out.payload.i64 = finite(micros < 0);
  } else if (__builtin_add_overflow(micros, kEpochMicros, &out.payload.i64)) {
    return false;
  }
  out.extra = 0;
  return true;
}

bool timestamp_from_date(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  if (field.size() != 4) return false;
  const auto days = static_cast<std::int32_t>(load_u32(field.data()));
  if (days == kInfinity32 || days == kMinusInfinity32) {
    out.payload.i64 = finite(days < 0);
    return true;
  }
  return !__builtin_mul_overflow(days + kEpochDays, kMicrosPerDay, &out.payload.i64);
}

bool timestamp_from_text(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto parsed = parse_timestamp(without_padding(field));
  if (!parsed || parsed->offset_minutes) return false;
  out.payload.i64 = parsed->micros;
  out.nanos = static_cast<std::uint16_t>(parsed->nanos);
  return true;
}

bool timestamp_tz_from_text(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto parsed = parse_timestamp(without_padding(field));
  if (!parsed || !parsed->offset_minutes) return false;
  out.payload.i64 = parsed->micros;
  out.nanos = static_cast<std::uint16_t>(parsed->nanos);
  out.extra = *parsed->offset_minutes;
  return true;
}

struct Interval {
  std::int64_t micros = 0;
  std::int32_t days = 0;
  std::int32_t months = 0;
};

bool read_interval(std::string_view field, Interval& out) {
  if (field.size() != 16) return false;
  out.micros = static_cast<std::int64_t>(load_u64(field.data()));
  out.days = static_cast<std::int32_t>(load_u32(field.data() + 8));
  out.months = static_cast<std::int32_t>(load_u32(field.data() + 12));
  return true;
}

bool months_from_interval(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  Interval interval;
  if (!read_interval(field, interval) || interval.micros != 0 || interval.days != 0) return false;
  out.payload.i64 = interval.months;
  return true;
}

bool seconds_from_interval(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  Interval interval;
  if (!read_interval(field, interval) || interval.months != 0) return false;
  // Days and time may have different signs; seconds and nanoseconds may not.
  std::int64_t seconds = interval.micros / kMicrosPerSecond + interval.days * kSecondsPerDay;
  std::int64_t micros = interval.micros % kMicrosPerSecond;
  if (seconds > 0 && micros < 0) {
    --seconds;
    micros += kMicrosPerSecond;
  } else if (seconds < 0 && micros > 0) {
    ++seconds;
    micros -= kMicrosPerSecond;
  }
  out.payload.i64 = seconds;
  out.extra = static_cast<std::int32_t>(micros * 1000);
  return true;
}

/// Microseconds since midnight.
bool seconds_from_time(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  if (field.size() != 8) return false;
  const auto micros = static_cast<std::int64_t>(load_u64(field.data()));
  out.payload.i64 = micros / kMicrosPerSecond;
  out.extra = static_cast<std::int32_t>(micros % kMicrosPerSecond * 1000);
  return true;
}

bool months_from_text(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto months = parse_interval_ym(without_padding(field));
  if (months) out.payload.i64 = *months;
  return months.has_value();
}

bool seconds_from_text(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto parsed = parse_interval_ds(without_padding(field));
  if (!parsed) return false;
  out.payload.i64 = parsed->seconds;
  out.extra = parsed->nanos;
  return true;
}

}  // namespace

DecodeFunction decode_timestamp_from(NativeKind native) {
  if (is_text(native)) return timestamp_from_text;
  if (native == NativeKind::kDate) return timestamp_from_date;
  const bool is_timestamp = native == NativeKind::kTimestamp || native == NativeKind::kTimestampTz;
  return is_timestamp ? timestamp_from_timestamp : nullptr;
}

DecodeFunction decode_timestamp_tz_from(NativeKind native) {
  if (is_text(native)) return timestamp_tz_from_text;
  return native == NativeKind::kTimestampTz ? timestamp_from_timestamp : nullptr;
}

DecodeFunction decode_interval_ym_from(NativeKind native) {
  if (is_text(native)) return months_from_text;
  return native == NativeKind::kInterval ? months_from_interval : nullptr;
}

DecodeFunction decode_interval_ds_from(NativeKind native) {
  if (is_text(native)) return seconds_from_text;
  if (native == NativeKind::kTime) return seconds_from_time;
  return native == NativeKind::kInterval ? seconds_from_interval : nullptr;
}

}  // namespace wherry::postgres::wire
