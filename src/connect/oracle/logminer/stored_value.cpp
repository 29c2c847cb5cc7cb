#include "connect/oracle/logminer/stored_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "connect/oracle/wire/charset.h"
#include "connect/oracle/wire/column_decoder.h"
#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle {
namespace {

using Status = RedoValueStatus;

/// Oracle Database Globalization Support Guide, appendix A; numbers as NLS_CHARSET_ID gives them.
constexpr std::pair<std::string_view, std::uint16_t> kCharsets[] = {
    {"US7ASCII", 1},       {"WE8DEC", 2},         {"WE8ISO8859P1", 31},    {"EE8ISO8859P2", 32},
    {"SE8ISO8859P3", 33},  {"NEE8ISO8859P4", 34}, {"CL8ISO8859P5", 35},    {"AR8ISO8859P6", 36},
    {"EL8ISO8859P7", 37},  {"IW8ISO8859P8", 38},  {"WE8ISO8859P9", 39},    {"NE8ISO8859P10", 40},
    {"TH8TISASCII", 41},   {"WE8ISO8859P15", 46}, {"BLT8ISO8859P13", 47},  {"CEL8ISO8859P14", 48},
    {"EE8MSWIN1250", 170}, {"CL8MSWIN1251", 171}, {"EL8MSWIN1253", 174},   {"IW8MSWIN1255", 175},
    {"TR8MSWIN1254", 177}, {"WE8MSWIN1252", 178}, {"BLT8MSWIN1257", 179},  {"CL8KOI8R", 196},
    {"JA16EUC", 830},      {"JA16SJIS", 832},     {"JA16EUCTILDE", 837},   {"JA16SJISTILDE", 838},
    {"KO16KSC5601", 840},  {"KO16MSWIN949", 846}, {"ZHS16CGB231280", 850}, {"ZHS16GBK", 852},
    {"ZHS32GB18030", 854}, {"ZHT16BIG5", 865},    {"ZHT16MSWIN950", 867},  {"ZHT16HKSCS", 868},
    {"UTF8", 871},         {"AL32UTF8", 873},     {"AL16UTF16", 2000},
};

void set_bytes(std::string_view bytes, CellKind kind, Cell& out) {
  out.kind = kind;
  out.state = CellState::kSet;
  out.payload.ptr = reinterpret_cast<const std::byte*>(bytes.data());
  out.size_bytes = static_cast<std::uint32_t>(bytes.size());
}

void set_copy(std::string_view text, Arena& arena, Cell& out) {
  const std::byte* const copy = arena.copy(text.data(), text.size());
  set_bytes({reinterpret_cast<const char*>(copy), text.size()}, CellKind::kText, out);
}

Status stored_text(std::string_view image, std::uint16_t charset, Arena& arena, Cell& out) {
  std::string text;
  if (!wire::to_utf8(image, charset, text)) return Status::kUnreadable;
  set_copy(text, arena, out);
  return Status::kGiven;
}

/// Data object, file and block in 10 and 22 bits, row.
Status stored_rowid(std::string_view image, Arena& arena, Cell& out) {
  constexpr std::size_t kBytes = 10;
  if (image.size() != kBytes) return Status::kUnreadable;
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + size; ++i) {
      value = value << 8 | static_cast<unsigned char>(image[i]);
    }
    return value;
  };
  wire::RowidParts parts;
  parts.object = number(0, 4);
  parts.file = static_cast<std::uint16_t>(number(4, 4) >> 22);
  parts.block = number(4, 4) & 0x3FFFFF;
  parts.slot = static_cast<std::uint16_t>(number(8, 2));
  set_copy(wire::rowid_text(parts), arena, out);
  return Status::kGiven;
}

/// Types that are stored as they travel: with a length before them.
Status as_on_the_wire(std::string_view image, OracleType type, const StoredValueContext& context,
                      Cell& out) {
  constexpr std::size_t kMostBytes = 64;
  ColumnDescription column;
  column.type = type;
  column.max_bytes = kMostBytes;
  const auto kind = natural_kind(column);
  if (!kind || image.empty() || image.size() > kMostBytes) return Status::kUnreadable;
  const wire::DecodeValue decode =
      wire::find_decoder(column, *kind, wire::Dialect{}, wire::LobForm::kBareLocator);
  if (decode == nullptr) return Status::kUnreadable;
  std::array<std::uint8_t, 1 + kMostBytes> framed{static_cast<std::uint8_t>(image.size())};
  std::copy(image.begin(), image.end(), framed.begin() + 1);
  wire::DecodeContext decoding;
  decoding.arena = context.arena;
  decoding.regions = context.regions;
  decoding.database_zone = context.database_zone;
  wire::ByteCursor in{framed.data(), framed.data() + 1 + image.size()};
  return decode(in, decoding, out) == wire::ValueStatus::kOk ? Status::kGiven : Status::kUnreadable;
}

}  // namespace

RedoValueStatus stored_cell(std::string_view image, const RedoColumn& column,
                            const StoredValueContext& context, Cell& out) {
  out = {};
  switch (column.type) {
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kLong:
      return stored_text(image,
                         column.form == CharsetForm::kNational ? context.national_charset
                                                               : context.database_charset,
                         *context.arena, out);
    case OracleType::kRaw:
    case OracleType::kLongRaw:
      set_bytes(image, CellKind::kBytes, out);
      return Status::kGiven;
    case OracleType::kRowid:
      return stored_rowid(image, *context.arena, out);
    case OracleType::kNumber:
    case OracleType::kBinaryFloat:
    case OracleType::kBinaryDouble:
    case OracleType::kDate:
    case OracleType::kTimestamp:
    case OracleType::kTimestampTz:
    case OracleType::kTimestampLtz:
    case OracleType::kIntervalYm:
    case OracleType::kIntervalDs:
      return as_on_the_wire(image, column.type, context, out);
    default:
      return Status::kNotGiven;
  }
}

RedoValueStatus stored_cell(const RedoValue& value, const RedoColumn& column,
                            const StoredValueContext& context, Cell& out) {
  out = {};
  out.state = CellState::kNull;
  if (value.form == RedoForm::kNull) return Status::kGiven;
  if (!is_call(value, "HEXTORAW")) return Status::kNotGiven;
  Cell image;
  constexpr RedoColumn kRaw{OracleType::kRaw, CharsetForm::kNone, false};
  const Status status = redo_cell(value, kRaw, {context.arena, 0}, image);
  return status == Status::kGiven ? stored_cell(image.bytes(), column, context, out) : status;
}

std::optional<std::size_t> positional_column(std::string_view name) {
  constexpr std::string_view kBefore = "COL ";
  if (!name.starts_with(kBefore)) return std::nullopt;
  name.remove_prefix(kBefore.size());
  std::size_t number = 0;
  const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (status != std::errc{} || end != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

std::optional<std::uint16_t> charset_id(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kCharsets), std::end(kCharsets),
                                         [&](const auto& one) { return one.first == name; });
  return found == std::end(kCharsets) ? std::nullopt : std::optional(found->second);
}

}  // namespace wherry::oracle
