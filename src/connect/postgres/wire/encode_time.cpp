// Timestamps and intervals.
#include <cstdlib>

#include "connect/postgres/wire/encoder_parts.h"
#include "connect/postgres/wire/time_limits.h"
#include "core/time_text.h"

namespace wherry::postgres::wire {
namespace {

bool is_in_range(std::int64_t micros) {
  return micros >= kMinMicros && micros <= kMaxMicros;
}

/// Whether a fraction of `digits` digits shows all of the value.
bool shows_all(std::int64_t micros_of_second, unsigned nanos, int digits) {
  static constexpr std::int64_t kUnits[] = {
      1'000'000'000, 100'000'000, 10'000'000, 1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  const std::int64_t unit = kUnits[digits < 0 ? 0 : digits > 9 ? 9 : digits];
  return (micros_of_second * 1000 + nanos) % unit == 0;
}

EncodeStatus put_micros(const ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const std::int64_t micros = cell.payload.i64;
  if (!is_in_range(micros)) return EncodeStatus::kOutOfRange;
  if (cell.nanos != 0) return EncodeStatus::kWouldRound;
  if (self.unit_micros != 1 && micros % self.unit_micros != 0) return EncodeStatus::kWouldRound;
  store_u64(out.claim_field(8), static_cast<std::uint64_t>(micros - kEpochMicros));
  return EncodeStatus::kOk;
}

EncodeStatus timestamp_as_timestamp(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  return put_micros(self, cell, out);
}

EncodeStatus timestamp_as_date(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  const std::int64_t micros = cell.payload.i64;
  if (!is_in_range(micros)) return EncodeStatus::kOutOfRange;
  if (micros % kMicrosPerDay != 0 || cell.nanos != 0) return EncodeStatus::kWouldRound;
  store_u32(out.claim_field(4), static_cast<std::uint32_t>(micros / kMicrosPerDay - kEpochDays));
  return EncodeStatus::kOk;
}

EncodeStatus timestamp_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const std::int64_t micros = cell.payload.i64;
  if (!is_in_range(micros)) return EncodeStatus::kOutOfRange;
  if (!shows_all(micros % kMicrosPerSecond, cell.nanos, self.fraction_digits)) {
    return EncodeStatus::kWouldRound;
  }
  char text[kTimeTextBytes];
  return put_ascii(self, {text, format_timestamp(text, micros, cell.nanos, self.fraction_digits)},
                   out);
}

EncodeStatus timestamp_tz_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const std::int64_t micros = cell.payload.i64;
  if (!is_in_range(micros) || cell.extra > kMaxOffsetMinutes || cell.extra < -kMaxOffsetMinutes) {
    return EncodeStatus::kOutOfRange;
  }
  if (!shows_all(micros % kMicrosPerSecond, cell.nanos, self.fraction_digits)) {
    return EncodeStatus::kWouldRound;
  }
  char text[kTimeTextBytes];
  const std::size_t size =
      format_timestamp_tz(text, micros, cell.nanos, cell.extra, self.fraction_digits);
  return put_ascii(self, {text, size}, out);
}

/// Interval: microseconds, days, months.
void put_interval(std::int64_t micros, std::int32_t days, std::int32_t months, CopyBuffer& out) {
  char* at = out.claim_field(16);
  store_u64(at, static_cast<std::uint64_t>(micros));
  store_u32(at + 8, static_cast<std::uint32_t>(days));
  store_u32(at + 12, static_cast<std::uint32_t>(months));
}

bool fits_int4(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}

EncodeStatus months_as_interval(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  if (!fits_int4(cell.payload.i64)) return EncodeStatus::kOutOfRange;
  put_interval(0, 0, static_cast<std::int32_t>(cell.payload.i64), out);
  return EncodeStatus::kOk;
}

EncodeStatus seconds_as_interval(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const std::int64_t days = cell.payload.i64 / kSecondsPerDay;
  if (!fits_int4(days)) return EncodeStatus::kOutOfRange;
  const std::int64_t micros =
      cell.payload.i64 % kSecondsPerDay * kMicrosPerSecond + cell.extra / 1000;
  if (cell.extra % 1000 != 0 || micros % self.unit_micros != 0) return EncodeStatus::kWouldRound;
  put_interval(micros, static_cast<std::int32_t>(days), 0, out);
  return EncodeStatus::kOk;
}

/// Within a day, as a time of day.
EncodeStatus seconds_as_time(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  if (cell.payload.i64 < 0 || cell.extra < 0 || cell.payload.i64 >= kSecondsPerDay) {
    return EncodeStatus::kOutOfRange;
  }
  const std::int64_t micros = cell.payload.i64 * kMicrosPerSecond + cell.extra / 1000;
  if (cell.extra % 1000 != 0 || micros % self.unit_micros != 0) return EncodeStatus::kWouldRound;
  store_u64(out.claim_field(8), static_cast<std::uint64_t>(micros));
  return EncodeStatus::kOk;
}

EncodeStatus months_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  char text[kTimeTextBytes];
  return put_ascii(self, {text, format_interval_ym(text, cell.payload.i64)}, out);
}

EncodeStatus seconds_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  if (cell.extra <= -1'000'000'000 || cell.extra >= 1'000'000'000) return EncodeStatus::kOutOfRange;
  if (!shows_all(0, static_cast<unsigned>(std::abs(cell.extra)), self.fraction_digits)) {
    return EncodeStatus::kWouldRound;
  }
  char text[kTimeTextBytes];
  const std::size_t size =
      format_interval_ds(text, cell.payload.i64, cell.extra, self.fraction_digits);
  return put_ascii(self, {text, size}, out);
}

// --- from text ---

Cell cell_of(CellKind kind, std::int64_t value) {
  Cell cell{};
  cell.kind = kind;
  cell.state = CellState::kSet;
  cell.payload.i64 = value;
  return cell;
}

/// A wall clock for types without a zone; with an offset it would lose that.
template <EncodeFunction encode, bool has_zone>
EncodeStatus text_as_moment(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const auto parsed = parse_moment(cell.bytes());
  if (!parsed || (parsed->offset_minutes && !has_zone)) return EncodeStatus::kWrongForm;
  Cell moment = cell_of(CellKind::kTimestamp, parsed->micros);
  moment.nanos = static_cast<std::uint16_t>(parsed->nanos);
  return encode(self, moment, out);
}

EncodeStatus text_as_time(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const auto parsed = parse_clock(without_blanks(cell.bytes()));
  if (!parsed) return EncodeStatus::kWrongForm;
  Cell time = cell_of(CellKind::kIntervalDs, parsed->seconds);
  time.extra = parsed->nanos;
  return seconds_as_time(self, time, out);
}

EncodeStatus text_as_interval(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const std::string_view text = without_blanks(cell.bytes());
  if (const auto months = parse_interval_ym(text)) {
    if (!self.holds_months) return EncodeStatus::kWouldRound;
    return months_as_interval(self, cell_of(CellKind::kIntervalYm, *months), out);
  }
  const auto parsed = parse_interval_ds(text);
  if (!parsed) return EncodeStatus::kWrongForm;
  if (!self.holds_seconds) return EncodeStatus::kWouldRound;
  Cell seconds = cell_of(CellKind::kIntervalDs, parsed->seconds);
  seconds.extra = parsed->nanos;
  return seconds_as_interval(self, seconds, out);
}

}  // namespace

EncodeFunction encode_time_text_as(NativeKind native) {
  switch (native) {
    case NativeKind::kDate:
      return text_as_moment<timestamp_as_date, false>;
    case NativeKind::kTimestamp:
      return text_as_moment<timestamp_as_timestamp, false>;
    case NativeKind::kTimestampTz:
      return text_as_moment<timestamp_as_timestamp, true>;
    case NativeKind::kTime:
      return text_as_time;
    case NativeKind::kInterval:
      return text_as_interval;
    default:
      return nullptr;
  }
}

EncodeFunction encode_timestamp_as(NativeKind native) {
  if (is_text(native)) return timestamp_as_text;
  if (native == NativeKind::kDate) return timestamp_as_date;
  // A wall clock in a column of instants is taken for UTC, whatever the session's zone.
  const bool is_timestamp = native == NativeKind::kTimestamp || native == NativeKind::kTimestampTz;
  return is_timestamp ? timestamp_as_timestamp : nullptr;
}

EncodeFunction encode_timestamp_tz_as(NativeKind native) {
  if (is_text(native)) return timestamp_tz_as_text;
  return native == NativeKind::kTimestampTz ? timestamp_as_timestamp : nullptr;
}

EncodeFunction encode_interval_ym_as(NativeKind native) {
  if (is_text(native)) return months_as_text;
  return native == NativeKind::kInterval ? months_as_interval : nullptr;
}

EncodeFunction encode_interval_ds_as(NativeKind native) {
  if (is_text(native)) return seconds_as_text;
  if (native == NativeKind::kTime) return seconds_as_time;
  return native == NativeKind::kInterval ? seconds_as_interval : nullptr;
}

}  // namespace wherry::postgres::wire
