// Text and bytes.
#include "connect/postgres/wire/encoder_parts.h"
#include "connect/postgres/wire/utf8.h"

namespace wherry::postgres::wire {
namespace {

std::string_view without_padding(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// `prefix_bytes` are left before the text for the caller to fill.
EncodeStatus put_text(ColumnEncoder& self, const Cell& cell, std::size_t prefix_bytes,
                      CopyBuffer& out) {
  const std::string_view text = self.trim_blanks ? without_padding(cell.bytes()) : cell.bytes();
  if (text.size() > kMaxValueBytes) return EncodeStatus::kTooLarge;
  char* at = out.claim_field(prefix_bytes + text.size()) + prefix_bytes;
  const Utf8Copy copy = copy_utf8(text, at);
  if (!copy.is_valid || (copy.zeros != 0 && self.refuses_zeros)) return EncodeStatus::kBadText;
  self.zeros_replaced += copy.zeros;
  // No text has more characters than bytes.
  if (self.max_chars != 0 && text.size() > self.max_chars &&
      count_characters(text) > self.max_chars) {
    return EncodeStatus::kTooLong;
  }
  return EncodeStatus::kOk;
}

EncodeStatus text_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  return put_text(self, cell, 0, out);
}

EncodeStatus text_as_jsonb(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const std::size_t before = out.size();
  const EncodeStatus status = put_text(self, cell, 1, out);
  if (status == EncodeStatus::kOk) {
    const std::size_t after = out.size();
    out.cut(before + 4);
    *out.claim(1) = 1;  // the version of jsonb's binary form
    out.cut(after);
  }
  return status;
}

EncodeStatus text_as_xml(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  Cell document = cell;
  const std::size_t skipped = xml_declaration_bytes(cell.bytes());
  document.payload.ptr += skipped;
  document.size_bytes -= static_cast<std::uint32_t>(skipped);
  return put_text(self, document, 0, out);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// 32 hex digits, with or without the four hyphens.
EncodeStatus text_as_uuid(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  char* at = out.claim_field(16);
  int digits = 0;
  const std::string_view text = cell.bytes();
  for (const char c : text) {
    if (c == '-' && text.size() == 36 && digits >= 8 && digits <= 20 && digits % 4 == 0) continue;
    const int value = hex_value(c);
    if (value < 0 || digits == 32) return EncodeStatus::kWrongForm;
    if (digits % 2 == 0) {
      at[digits / 2] = static_cast<char>(value << 4);
    } else {
      at[digits / 2] = static_cast<char>(at[digits / 2] | value);
    }
    ++digits;
  }
  return digits == 32 ? EncodeStatus::kOk : EncodeStatus::kWrongForm;
}

EncodeStatus bytes_as_bytea(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  const std::string_view bytes = cell.bytes();
  if (bytes.size() > kMaxValueBytes) return EncodeStatus::kTooLarge;
  out.put_field(bytes);
  return EncodeStatus::kOk;
}

/// Upper-case hexadecimal digits, as Oracle's RAWTOHEX.
EncodeStatus bytes_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const std::string_view bytes = cell.bytes();
  if (self.max_chars != 0 && bytes.size() * 2 > self.max_chars) return EncodeStatus::kTooLong;
  char* at = out.claim_field(bytes.size() * 2);
  for (const char c : bytes) {
    *at++ = kHex[static_cast<unsigned char>(c) >> 4];
    *at++ = kHex[static_cast<unsigned char>(c) & 15];
  }
  return EncodeStatus::kOk;
}

EncodeStatus bytes_as_uuid(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  if (cell.size_bytes != 16) return EncodeStatus::kWrongForm;
  out.put_field(cell.bytes());
  return EncodeStatus::kOk;
}

}  // namespace

std::size_t xml_declaration_bytes(std::string_view text) {
  constexpr std::string_view kBegin = "<?xml";
  if (text.substr(0, kBegin.size()) != kBegin || text.size() == kBegin.size()) return 0;
  const char next = text[kBegin.size()];
  if (next != ' ' && next != '\t' && next != '\r' && next != '\n') return 0;
  const std::size_t end = text.find("?>");
  return end == std::string_view::npos ? 0 : end + 2;
}

EncodeFunction encode_text_as(NativeKind native) {
  switch (native) {
    case NativeKind::kText:
    case NativeKind::kBpchar:
    case NativeKind::kJson:
    case NativeKind::kEnum:
      return text_as_text;
    case NativeKind::kJsonb:
      return text_as_jsonb;
    case NativeKind::kXml:
      return text_as_xml;
    case NativeKind::kUuid:
      return text_as_uuid;
    default:
      break;
  }
  const EncodeFunction number = encode_number_text_as(native);
  return number != nullptr ? number : encode_time_text_as(native);
}

EncodeFunction encode_bytes_as(NativeKind native) {
  switch (native) {
    case NativeKind::kBytea:
      return bytes_as_bytea;
    case NativeKind::kUuid:
      return bytes_as_uuid;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      return bytes_as_text;
    default:
      return nullptr;
  }
}

}  // namespace wherry::postgres::wire
