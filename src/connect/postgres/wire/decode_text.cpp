// Text and bytes.
#include "connect/postgres/wire/decoder_parts.h"

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

bool bytes_from_uuid(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return field.size() == 16 && keep(field, arena, out);
}

}  // namespace

DecodeFunction decode_text_from(NativeKind native) {
  switch (native) {
    case NativeKind::kText:
      return text_from_text;
    case NativeKind::kBpchar:
      return text_from_bpchar;
    case NativeKind::kJsonb:
      return text_from_jsonb;
    case NativeKind::kUuid:
      return text_from_uuid;
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
    default:
      return nullptr;
  }
}

}  // namespace wherry::postgres::wire
