#include "connect/oracle/wire/column_decoder.h"

#include "connect/oracle/wire/composite_decoder.h"
#include "connect/oracle/wire/framed_value.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/sortable.h"
#include "connect/oracle/wire/utf16.h"
#include "core/civil_time.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint8_t kChunkedHead = 0xFE;
constexpr std::uint8_t kNullHead = 0xFF;
constexpr std::int64_t kMicrosPerMinute = 60'000'000;

/// The byte string at the cursor, which most values are.
inline ValueStatus take(ByteCursor& in, DecodeContext& context, Taken& out) {
  if (in.at == in.end) return ValueStatus::kNeedMore;
  const std::uint8_t head = *in.at;
  if (head == kChunkedHead) {
    Reader reader(ByteView(in.at, in.end), context.chunks);
    out = take_clr(reader, *context.arena);
    if (reader.ok()) in.at += reader.position();
    return status_of(reader);
  }
  if (head == 0 || head == kNullHead) {
    ++in.at;
    return ValueStatus::kOk;
  }
  if (in.remaining() <= head) return ValueStatus::kNeedMore;
  out.bytes = ByteView(in.at + 1, head);
  in.at += 1 + head;
  return ValueStatus::kOk;
}

/// The bytes are a value's and no more, but it is none of the column's type.
bool is_bad_value(ValueStatus status) {
  switch (status) {
    case ValueStatus::kBadNumber:
    case ValueStatus::kNotInteger:
    case ValueStatus::kBadDate:
    case ValueStatus::kBadInterval:
    case ValueStatus::kBadUtf16:
    case ValueStatus::kBadBoolean:
    case ValueStatus::kBadUtf8:
      return true;
    default:
      return false;
  }
}

/// The frame of most decoders: takes the bytes, sets the state, calls `decode` for a real value.
template <CellKind kKind, class Decode>
inline ValueStatus with_value(ByteCursor& in, DecodeContext& context, Cell& out, Decode&& decode) {
  const std::uint8_t* const start = in.at;
  Taken taken;
  if (const ValueStatus status = take(in, context, taken); status != ValueStatus::kOk) {
    return status;
  }
  out.kind = kKind;
  if (taken.bytes.empty()) {
    out.state = CellState::kNull;
    return ValueStatus::kOk;
  }
  out.state = CellState::kSet;
  const ValueStatus status = decode(taken);
  if (status == ValueStatus::kOk) [[likely]]
    return status;
  if (context.keeps_bad_values && is_bad_value(status)) {
    const std::string_view reason = describe(status);
    out.state = CellState::kUnreadable;
    out.payload.ptr = reinterpret_cast<const std::byte*>(reason.data());
    out.size_bytes = static_cast<std::uint32_t>(reason.size());
    return ValueStatus::kOk;
  }
  in.at = start;
  return status;
}

inline void put_bytes(const Taken& taken, DecodeContext& context, Cell& out) {
  out.size_bytes = static_cast<std::uint32_t>(taken.bytes.size());
  out.payload.ptr = taken.in_arena ? reinterpret_cast<const std::byte*>(taken.bytes.data())
                                   : context.arena->copy(taken.bytes.data(), taken.bytes.size());
}

template <CellKind kKind>
ValueStatus decode_bytes(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<kKind>(in, context, out, [&](const Taken& taken) {
    put_bytes(taken, context, out);
    return ValueStatus::kOk;
  });
}

/// Text that is converted on the way: `kConvert` writes at most `room(size)` bytes.
template <ValueStatus (*kConvert)(ByteView, char*, std::size_t&), bool kGrows>
ValueStatus decode_converted(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kText>(in, context, out, [&](const Taken& taken) {
    const std::size_t size = taken.bytes.size();
    auto* const text =
        reinterpret_cast<char*>(context.arena->allocate(kGrows ? max_utf8_bytes(size) : size));
    std::size_t text_size = 0;
    const ValueStatus status = kConvert(taken.bytes, text, text_size);
    out.payload.ptr = reinterpret_cast<const std::byte*>(text);
    out.size_bytes = static_cast<std::uint32_t>(text_size);
    return status;
  });
}

ValueStatus decode_decimal(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kDecimal>(in, context, out, [&](const Taken& taken) {
    const DecimalView* decimal = nullptr;
    const ValueStatus status = decode_number(taken.bytes, *context.arena, decimal);
    out.payload.ptr = reinterpret_cast<const std::byte*>(decimal);
    return status;
  });
}

ValueStatus decode_int64(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kInt64>(in, context, out, [&](const Taken& taken) {
    return decode_integer(taken.bytes, out.payload.i64);
  });
}

ValueStatus decode_timestamp(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kTimestamp>(in, context, out, [&](const Taken& taken) {
    Instant instant;
    const ValueStatus status = decode_datetime(taken.bytes, instant);
    out.payload.i64 = instant.micros;
    out.nanos = instant.nanos;
    return status;
  });
}

/// The offset of a zoned value whose fields are `micros`.
std::int64_t offset_of(const ZoneField& zone, const DecodeContext& context, std::int64_t micros) {
  if (zone.kind != ZoneField::Kind::kRegion) return zone.offset_minutes * kMicrosPerMinute;
  const ZoneRules* rules = context.regions->find(zone.region_id);
  if (rules == nullptr) return 0;
  // Rounds down, also before 1970.
  const std::int64_t seconds = micros / kMicrosPerSecond - (micros % kMicrosPerSecond < 0 ? 1 : 0);
  return kMicrosPerSecond * (zone.is_local ? rules->offset_at_local(seconds, zone.is_daylight)
                                           : rules->offset_at(seconds));
}

/// The wall clock that Oracle shows is kept, so its arithmetic must be Oracle's too.
ValueStatus decode_timestamp_tz(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kTimestampTz>(in, context, out, [&](const Taken& taken) {
    constexpr std::size_t kZoned = 13;
    Instant instant;
    const bool is_old = is_near_julian(taken.bytes);
    ValueStatus status = decode_datetime(taken.bytes, instant);
    if (status != ValueStatus::kOk && !is_old) return status;
    out.extra = 0;
    if (taken.bytes.size() >= kZoned) {
      const ZoneField zone = decode_zone(taken.bytes[11], taken.bytes[12]);
      const std::int64_t offset = offset_of(zone, context, instant.micros);
      if (is_old && !zone.is_local) {
        status = decode_datetime_moved(taken.bytes, offset, instant);
        instant.micros -= offset;
      } else if (zone.is_local) {
        instant.micros -= offset;
      }
      out.extra = static_cast<std::int32_t>(offset / kMicrosPerMinute);
    }
    out.payload.i64 = instant.micros;
    out.nanos = instant.nanos;
    return status;
  });
}

/// The wall clock is the database's; the value has no offset of its own.
ValueStatus decode_timestamp_ltz(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kTimestampTz>(in, context, out, [&](const Taken& taken) {
    Instant instant;
    ZoneField zone = context.database_zone;
    zone.is_local = true;
    const bool is_old = is_near_julian(taken.bytes);
    ValueStatus status = decode_datetime(taken.bytes, instant);
    if (status != ValueStatus::kOk && !is_old) return status;
    const std::int64_t offset = offset_of(zone, context, instant.micros);
    if (is_old) {
      status = decode_datetime_moved(taken.bytes, -offset, instant);
    } else {
      instant.micros -= offset;
    }
    out.payload.i64 = instant.micros;
    out.nanos = instant.nanos;
    out.extra = 0;
    return status;
  });
}

ValueStatus decode_months(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kIntervalYm>(in, context, out, [&](const Taken& taken) {
    return decode_interval_ym(taken.bytes, out.payload.i64);
  });
}

ValueStatus decode_seconds(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kIntervalDs>(in, context, out, [&](const Taken& taken) {
    return decode_interval_ds(taken.bytes, out.payload.i64, out.extra);
  });
}

template <CellKind kKind>
ValueStatus decode_binary_float(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<kKind>(in, context, out, [&](const Taken& taken) {
    float value = 0;
    if (!from_sortable(taken.bytes, value)) return ValueStatus::kBadNumber;
    if constexpr (kKind == CellKind::kFloat32) {
      out.payload.f32 = value;
    } else {
      out.payload.f64 = value;
    }
    return ValueStatus::kOk;
  });
}

ValueStatus decode_binary_double(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kFloat64>(in, context, out, [&](const Taken& taken) {
    return from_sortable(taken.bytes, out.payload.f64) ? ValueStatus::kOk : ValueStatus::kBadNumber;
  });
}

ValueStatus decode_boolean(ByteCursor& in, DecodeContext& context, Cell& out) {
  return with_value<CellKind::kBool>(in, context, out, [&](const Taken& taken) {
    // true is 01 01, false 00 behind the length; some servers send the pair for false too.
    if (taken.bytes.size() > 2 || taken.bytes[0] > 1) return ValueStatus::kBadBoolean;
    out.payload.i64 = taken.bytes[0];
    return ValueStatus::kOk;
  });
}

template <CellKind kKind>
ValueStatus decode_absent(ByteCursor& /*in*/, DecodeContext& /*context*/, Cell& out) {
  out.kind = kKind;
  out.state = CellState::kNull;
  return ValueStatus::kOk;
}

DecodeValue absent_decoder(CellKind kind) {
  switch (kind) {
    case CellKind::kBool:
      return decode_absent<CellKind::kBool>;
    case CellKind::kInt64:
      return decode_absent<CellKind::kInt64>;
    case CellKind::kFloat32:
      return decode_absent<CellKind::kFloat32>;
    case CellKind::kFloat64:
      return decode_absent<CellKind::kFloat64>;
    case CellKind::kDecimal:
      return decode_absent<CellKind::kDecimal>;
    case CellKind::kText:
      return decode_absent<CellKind::kText>;
    case CellKind::kBytes:
      return decode_absent<CellKind::kBytes>;
    case CellKind::kTimestamp:
      return decode_absent<CellKind::kTimestamp>;
    case CellKind::kTimestampTz:
      return decode_absent<CellKind::kTimestampTz>;
    case CellKind::kIntervalYm:
      return decode_absent<CellKind::kIntervalYm>;
    case CellKind::kIntervalDs:
      return decode_absent<CellKind::kIntervalDs>;
  }
  return nullptr;
}

DecodeValue text_decoder(const ColumnDescription& column, const Dialect& dialect) {
  if (column.form != CharsetForm::kNational) return decode_bytes<CellKind::kText>;
  if (dialect.national_charset == kCharsetAl16Utf16) return decode_converted<utf16_to_utf8, true>;
  return decode_converted<cesu8_to_utf8, false>;
}

DecodeValue number_decoder(CellKind kind) {
  if (kind == CellKind::kDecimal) return decode_decimal;
  return kind == CellKind::kInt64 ? decode_int64 : nullptr;
}

DecodeValue float_decoder(CellKind kind) {
  if (kind == CellKind::kFloat32) return decode_binary_float<CellKind::kFloat32>;
  return kind == CellKind::kFloat64 ? decode_binary_float<CellKind::kFloat64> : nullptr;
}

}  // namespace

DecodeValue find_decoder(const ColumnDescription& column, CellKind kind, const Dialect& dialect,
                         LobForm lob_form) {
  const auto only = [kind](CellKind possible, DecodeValue decode) {
    return kind == possible ? decode : nullptr;
  };
  if (is_absent(column)) return absent_decoder(kind);
  switch (column.type) {
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kLong:
      return only(CellKind::kText, text_decoder(column, dialect));
    case OracleType::kRaw:
    case OracleType::kLongRaw:
      return only(CellKind::kBytes, decode_bytes<CellKind::kBytes>);
    case OracleType::kNumber:
    case OracleType::kBinaryInteger:
      return number_decoder(kind);
    case OracleType::kDate:
    case OracleType::kTimestamp:
      return only(CellKind::kTimestamp, decode_timestamp);
    case OracleType::kTimestampTz:
      return only(CellKind::kTimestampTz, decode_timestamp_tz);
    case OracleType::kTimestampLtz:
      return only(CellKind::kTimestampTz, decode_timestamp_ltz);
    case OracleType::kIntervalYm:
      return only(CellKind::kIntervalYm, decode_months);
    case OracleType::kIntervalDs:
      return only(CellKind::kIntervalDs, decode_seconds);
    case OracleType::kBinaryFloat:
      return float_decoder(kind);
    case OracleType::kBinaryDouble:
      return only(CellKind::kFloat64, decode_binary_double);
    case OracleType::kBoolean:
      return only(CellKind::kBool, decode_boolean);
    case OracleType::kRowid:
      return only(CellKind::kText, decode_rowid);
    case OracleType::kUrowid:
      return only(CellKind::kText, decode_urowid);
    case OracleType::kClob:
      return only(CellKind::kText, lob_decoder(CellKind::kText, lob_form));
    case OracleType::kBlob:
      return only(CellKind::kBytes, lob_decoder(CellKind::kBytes, lob_form));
    case OracleType::kJson:
      return only(CellKind::kText, decode_json);
    case OracleType::kVector:
      return only(CellKind::kText, decode_vector);
    case OracleType::kBfile:
      if (kind == CellKind::kText) return decode_bfile_name;
      return only(CellKind::kBytes, lob_decoder(CellKind::kBytes, LobForm::kBareLocator));
    case OracleType::kObject:
      return is_xml_type(column) ? only(CellKind::kText, decode_xml) : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace wherry::oracle::wire
