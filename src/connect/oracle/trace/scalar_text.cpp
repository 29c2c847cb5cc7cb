#include "connect/oracle/trace/scalar_text.h"

#include <array>
#include <optional>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/column_decoder.h"
#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle::trace {
namespace {

/// Type numbers that only binds use, and the type whose image they carry.
struct Alias {
  std::uint8_t type;
  OracleType image;
};
constexpr std::array kAliases = {
    Alias{5, OracleType::kVarchar},       Alias{6, OracleType::kNumber},
    Alias{9, OracleType::kVarchar},       Alias{15, OracleType::kRaw},
    Alias{21, OracleType::kBinaryFloat},  Alias{22, OracleType::kBinaryDouble},
    Alias{68, OracleType::kNumber},       Alias{91, OracleType::kNumber},
    Alias{94, OracleType::kLong},         Alias{95, OracleType::kLongRaw},
    Alias{97, OracleType::kChar},         Alias{155, OracleType::kVarchar},
    Alias{156, OracleType::kDate},        Alias{187, OracleType::kTimestamp},
    Alias{188, OracleType::kTimestampTz}, Alias{189, OracleType::kIntervalYm},
    Alias{190, OracleType::kIntervalDs},  Alias{232, OracleType::kTimestampLtz}};

std::optional<CellKind> kind_of(OracleType type) {
  switch (type) {
    case OracleType::kNumber:
    case OracleType::kBinaryInteger:
      return CellKind::kDecimal;
    case OracleType::kDate:
    case OracleType::kTimestamp:
      return CellKind::kTimestamp;
    case OracleType::kTimestampTz:
      return CellKind::kTimestampTz;
    case OracleType::kIntervalYm:
      return CellKind::kIntervalYm;
    case OracleType::kIntervalDs:
      return CellKind::kIntervalDs;
    case OracleType::kBinaryFloat:
      return CellKind::kFloat32;
    case OracleType::kBinaryDouble:
      return CellKind::kFloat64;
    case OracleType::kBoolean:
      return CellKind::kBool;
    default:
      return std::nullopt;
  }
}

std::string invalid(std::string_view image) {
  return "invalid " + hex_text(image);
}

}  // namespace

OracleType image_type(std::uint8_t type) {
  for (const Alias& alias : kAliases) {
    if (alias.type == type) return alias.image;
  }
  return static_cast<OracleType>(type);
}

std::string hex_text(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

std::string ScalarPrinter::print(std::uint8_t type, std::uint16_t charset, std::string_view image) {
  if (image.empty()) return {};
  const OracleType known = image_type(type);
  switch (known) {
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kLong:
      return to_utf8(image, charset);
    case OracleType::kUrowid: {
      std::string text;
      const bool is_good = wire::urowid_text(wire::bytes_of(image), text) == wire::ValueStatus::kOk;
      return is_good ? text : invalid(image);
    }
    // The wall clock of the database: its zone is not part of the value.
    case OracleType::kTimestampLtz:
      return print_decoded(OracleType::kTimestamp, image);
    default:
      return kind_of(known) ? print_decoded(known, image) : hex_text(image);
  }
}

std::string ScalarPrinter::print_decoded(OracleType type, std::string_view image) {
  constexpr std::size_t kMaxImageBytes = 64;
  if (image.size() > kMaxImageBytes) return invalid(image);
  ColumnDescription column;
  column.type = type;
  column.max_bytes = static_cast<std::uint32_t>(kMaxImageBytes);
  const wire::DecodeValue decode =
      wire::find_decoder(column, *kind_of(type), wire::Dialect{}, wire::LobForm::kBareLocator);
  // The decoders take a value as rows hold it, with its length.
  std::string value(1, static_cast<char>(image.size()));
  value += image;
  const wire::ByteView bytes = wire::bytes_of(value);
  wire::ByteCursor in{bytes.data(), bytes.data() + bytes.size()};
  arena_.reset();
  wire::DecodeContext context;
  context.arena = &arena_;
  context.regions = &regions_;
  Cell cell{};
  if (decode == nullptr || decode(in, context, cell) != wire::ValueStatus::kOk) {
    return invalid(image);
  }
  return value_text(cell).value_or(std::string());
}

}  // namespace wherry::oracle::trace
