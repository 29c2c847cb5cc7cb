// Text and bytes.
#include <string>

#include "connect/postgres/wire/decoder_parts.h"
#include "core/decimal.h"
#include "core/time_text.h"

namespace wherry::postgres::wire {
namespace {

bool keep(std::string_view value, Arena& arena, Cell& out) {
  out.payload.ptr = arena.copy(value.data(), value.size());
  out.size_bytes = static_cast<std::uint32_t>(value.size());
  return true;
}

bool text_from_text(const ColumnDecoder& self, std::string_view field, Arena& arena, Cell& out) {
  return keep(self.trim_blanks ? without_padding(field) : field, arena, out);
}

/// Blanks at the end of char(n) mean nothing to PostgreSQL either.
bool text_from_bpchar(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return keep(without_padding(field), arena, out);
}

bool text_from_jsonb(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return !field.empty() && field[0] == 1 && keep(field.substr(1), arena, out);
}

bool text_from_uuid(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  if (field.size() != 16) return false;
  static constexpr char kHex[] = "0123456789abcdef";
  char text[36];
  char* at = text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    const auto byte = static_cast<unsigned char>(field[i]);
    *at++ = kHex[byte >> 4];
    *at++ = kHex[byte & 15];
  }
  return keep({text, sizeof text}, arena, out);
}

bool bytes_from_bytea(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return keep(field, arena, out);
}

// --- text that was carried into a column of another family ---

bool text_from_bool(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return field.size() == 1 && keep(field[0] != 0 ? "true" : "false", arena, out);
}

/// Through the decimal that the value is nearest to.
template <NativeKind native>
bool text_from_number(const ColumnDecoder& self, std::string_view field, Arena& arena, Cell& out) {
  static const DecodeFunction decode = decode_decimal_from(native);
  Cell number{};
  return decode(self, field, arena, number) && keep(to_text(decimal_of(number)), arena, out);
}

template <NativeKind native>
bool text_from_moment(const ColumnDecoder& self, std::string_view field, Arena& arena, Cell& out) {
  static const DecodeFunction decode = decode_timestamp_from(native);
  Cell moment{};
  if (!decode(self, field, arena, moment)) return false;
  char text[kTimeTextBytes];
  const bool has_zone = native == NativeKind::kTimestampTz;
  const std::size_t size = has_zone ? format_timestamp_tz(text, moment.payload.i64, 0, 0, 6)
                                    : format_timestamp(text, moment.payload.i64, 0, 6);
  return keep({text, size}, arena, out);
}

bool text_from_time(const ColumnDecoder& self, std::string_view field, Arena& arena, Cell& out) {
  static const DecodeFunction decode = decode_interval_ds_from(NativeKind::kTime);
  Cell time{};
  if (!decode(self, field, arena, time)) return false;
  char text[kTimeTextBytes];
  const std::size_t size = format_interval_ds(text, time.payload.i64, time.extra, 6);
  return keep(std::string_view(text, size).substr(4), arena, out);  // less "+00 "
}

bool text_from_interval(const ColumnDecoder& self, std::string_view field, Arena& arena,
                        Cell& out) {
  static const DecodeFunction months = decode_interval_ym_from(NativeKind::kInterval);
  static const DecodeFunction seconds = decode_interval_ds_from(NativeKind::kInterval);
  Cell value{};
  char text[kTimeTextBytes];
  if (seconds(self, field, arena, value)) {
    return keep({text, format_interval_ds(text, value.payload.i64, value.extra, 6)}, arena, out);
  }
  return months(self, field, arena, value) &&
         keep({text, format_interval_ym(text, value.payload.i64)}, arena, out);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool bytes_from_text(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  const std::string_view hex = without_padding(field);
  if (hex.size() % 2 != 0) return false;
  std::byte* at = arena.allocate(hex.size() / 2);
  out.payload.ptr = at;
  out.size_bytes = static_cast<std::uint32_t>(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    *at++ = static_cast<std::byte>(high << 4 | low);
  }
  return true;
}

bool bytes_from_uuid(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return field.size() == 16 && keep(field, arena, out);
}

}  // namespace

DecodeFunction decode_text_from(NativeKind native) {
  switch (native) {
    case NativeKind::kText:
    case NativeKind::kJson:
    case NativeKind::kXml:
    case NativeKind::kEnum:
      return text_from_text;
    case NativeKind::kBpchar:
      return text_from_bpchar;
    case NativeKind::kJsonb:
      return text_from_jsonb;
    case NativeKind::kUuid:
      return text_from_uuid;
    case NativeKind::kBool:
      return text_from_bool;
    case NativeKind::kInt2:
      return text_from_number<NativeKind::kInt2>;
    case NativeKind::kInt4:
      return text_from_number<NativeKind::kInt4>;
    case NativeKind::kInt8:
      return text_from_number<NativeKind::kInt8>;
    case NativeKind::kNumeric:
      return text_from_number<NativeKind::kNumeric>;
    case NativeKind::kFloat4:
      return text_from_number<NativeKind::kFloat4>;
    case NativeKind::kFloat8:
      return text_from_number<NativeKind::kFloat8>;
    case NativeKind::kDate:
      return text_from_moment<NativeKind::kDate>;
    case NativeKind::kTimestamp:
      return text_from_moment<NativeKind::kTimestamp>;
    case NativeKind::kTimestampTz:
      return text_from_moment<NativeKind::kTimestampTz>;
    case NativeKind::kTime:
      return text_from_time;
    case NativeKind::kInterval:
      return text_from_interval;
    default:
      return nullptr;
  }
}

DecodeFunction decode_bytes_from(NativeKind native) {
  switch (native) {
    case NativeKind::kBytea:
      return bytes_from_bytea;
    case NativeKind::kUuid:
      return bytes_from_uuid;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      return bytes_from_text;
    default:
      return nullptr;
  }
}

}  // namespace wherry::postgres::wire
