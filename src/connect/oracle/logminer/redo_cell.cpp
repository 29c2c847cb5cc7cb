#include "connect/oracle/logminer/redo_cell.h"

#include <charconv>
#include <limits>

#include "connect/oracle/logminer/letters.h"
#include "connect/oracle/wire/oson.h"
#include "core/decimal.h"
#include "core/time_text.h"

namespace wherry::oracle {
namespace {

using Status = RedoValueStatus;

constexpr std::int64_t kMicrosPerMinute = 60'000'000;

void set_view(std::string_view bytes, CellKind kind, Cell& out) {
  out.kind = kind;
  out.state = CellState::kSet;
  out.payload.ptr = reinterpret_cast<const std::byte*>(bytes.data());
  out.size_bytes = static_cast<std::uint32_t>(bytes.size());
}

bool put_hex(std::string_view digits, Arena& arena, std::string_view& out) {
  if (digits.size() % 2 != 0) return false;
  std::byte* const bytes = arena.allocate(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i / 2] = static_cast<std::byte>(high * 16 + low);
  }
  out = {reinterpret_cast<const char*>(bytes), digits.size() / 2};
  return true;
}

bool is_literal(const RedoValue& value) {
  return value.form == RedoForm::kText || value.form == RedoForm::kNumber;
}

Status number(const RedoValue& value, Arena& arena, Cell& out) {
  if (!is_literal(value)) return Status::kUnreadable;
  const DecimalView* const decimal = parse_decimal(value.text, arena);
  if (decimal == nullptr) return Status::kUnreadable;
  out.kind = CellKind::kDecimal;
  out.state = CellState::kSet;
  out.payload.ptr = reinterpret_cast<const std::byte*>(decimal);
  return Status::kGiven;
}

/// "1.5E+010", "Nan", "Inf", "-Inf".
template <class Float>
bool read_float(std::string_view text, Float& out) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "Nan") {
    out = std::numeric_limits<Float>::quiet_NaN();
  } else if (text == "Inf") {
    out = std::numeric_limits<Float>::infinity();
  } else {
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (end != text.data() + text.size() || status == std::errc::invalid_argument) return false;
    // Printed digits may round to beyond the largest or the smallest number.
    if (status == std::errc::result_out_of_range) return false;
  }
  if (is_negative) out = -out;
  return true;
}

Status binary_float(const RedoValue& value, bool is_double, Cell& out) {
  if (!is_literal(value)) return Status::kUnreadable;
  out.kind = is_double ? CellKind::kFloat64 : CellKind::kFloat32;
  out.state = CellState::kSet;
  const bool is_read =
      is_double ? read_float(value.text, out.payload.f64) : read_float(value.text, out.payload.f32);
  return is_read ? Status::kGiven : Status::kUnreadable;
}

/// Years before Christ have a sign.
std::optional<ParsedTimestamp> read_time(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (!text.starts_with('-')) return parse_timestamp(text.starts_with('+') ? text.substr(1) : text);
  char moved[kTimeTextBytes];
  constexpr std::string_view kBefore = " BC";
  text.remove_prefix(1);
  if (text.size() + kBefore.size() > sizeof moved) return std::nullopt;
  text.copy(moved, text.size());
  kBefore.copy(moved + text.size(), kBefore.size());
  return parse_timestamp({moved, text.size() + kBefore.size()});
}

bool is_time_call(const RedoValue& value) {
  return is_call(value, "TO_DATE") || is_call(value, "TO_TIMESTAMP") ||
         is_call(value, "TO_TIMESTAMP_TZ");
}

Status time(const RedoValue& value, OracleType type, int session_offset_minutes, Cell& out) {
  if (!is_time_call(value)) return Status::kUnreadable;
  const auto read = read_time(value.text);
  if (!read) return Status::kOtherFormat;
  const bool is_zoned = type == OracleType::kTimestampTz;
  if (is_zoned && !read->offset_minutes) return Status::kOtherFormat;
  out.state = CellState::kSet;
  out.nanos = static_cast<std::uint16_t>(read->nanos);
  out.payload.i64 = read->micros;
  out.extra = 0;
  if (is_zoned) {
    out.kind = CellKind::kTimestampTz;
    out.extra = *read->offset_minutes;
  } else if (type == OracleType::kTimestampLtz) {
    out.kind = CellKind::kTimestampTz;
    if (!read->offset_minutes) out.payload.i64 -= session_offset_minutes * kMicrosPerMinute;
  } else {
    out.kind = CellKind::kTimestamp;
  }
  return Status::kGiven;
}

Status interval_ym(const RedoValue& value, Cell& out) {
  if (!is_call(value, "TO_YMINTERVAL")) return Status::kUnreadable;
  const auto months = parse_interval_ym(value.text);
  if (!months) return Status::kUnreadable;
  out.kind = CellKind::kIntervalYm;
  out.state = CellState::kSet;
  out.payload.i64 = *months;
  return Status::kGiven;
}

Status interval_ds(const RedoValue& value, Cell& out) {
  if (!is_call(value, "TO_DSINTERVAL")) return Status::kUnreadable;
  const auto read = parse_interval_ds(value.text);
  if (!read) return Status::kUnreadable;
  out.kind = CellKind::kIntervalDs;
  out.state = CellState::kSet;
  out.payload.i64 = read->seconds;
  out.extra = read->nanos;
  return Status::kGiven;
}

Status bytes(const RedoValue& value, Arena& arena, Cell& out) {
  std::string_view found;
  if (is_call(value, "HEXTORAW")) {
    if (!put_hex(value.text, arena, found)) return Status::kUnreadable;
  } else if (!is_call(value, "EMPTY_BLOB")) {
    return Status::kUnreadable;
  }
  set_view(found, CellKind::kBytes, out);
  return Status::kGiven;
}

Status text(const RedoValue& value, Cell& out) {
  const bool is_empty = is_call(value, "EMPTY_CLOB");
  const bool is_text =
      is_literal(value) || value.form == RedoForm::kNational || is_call(value, "XMLTYPE");
  if (!is_empty && !is_text) return Status::kUnreadable;
  set_view(is_empty ? std::string_view() : value.text, CellKind::kText, out);
  return Status::kGiven;
}

/// As text when it is shown as text; its stored form as JSON's text; an empty beginning of what
/// comes in other rows.
Status json(const RedoValue& value, Arena& arena, Cell& out) {
  if (is_literal(value) || value.form == RedoForm::kNational) return text(value, out);
  if (!is_call(value, "HEXTORAW")) return Status::kNotGiven;
  std::string_view image;
  if (!put_hex(value.text, arena, image)) return Status::kUnreadable;
  std::string decoded;
  const wire::ByteView view(reinterpret_cast<const std::uint8_t*>(image.data()), image.size());
  if (wire::oson_to_json(view, decoded) != wire::ValueStatus::kOk) return Status::kUnreadable;
  const std::byte* const copy = arena.copy(decoded.data(), decoded.size());
  set_view({reinterpret_cast<const char*>(copy), decoded.size()}, CellKind::kText, out);
  return Status::kGiven;
}

}  // namespace

RedoValueStatus redo_cell(const RedoValue& value, const RedoColumn& column,
                          const RedoValueContext& context, Cell& out) {
  out = {};
  out.state = CellState::kNull;
  if (value.form == RedoForm::kNull) return Status::kGiven;
  if (value.form == RedoForm::kUnsupported || value.form == RedoForm::kBind) {
    return Status::kNotGiven;
  }
  switch (column.type) {
    case OracleType::kNumber:
      return number(value, *context.arena, out);
    case OracleType::kBinaryFloat:
      return binary_float(value, false, out);
    case OracleType::kBinaryDouble:
      return binary_float(value, true, out);
    case OracleType::kDate:
    case OracleType::kTimestamp:
    case OracleType::kTimestampTz:
    case OracleType::kTimestampLtz:
      return time(value, column.type, context.session_offset_minutes, out);
    case OracleType::kIntervalYm:
      return interval_ym(value, out);
    case OracleType::kIntervalDs:
      return interval_ds(value, out);
    case OracleType::kRaw:
    case OracleType::kLongRaw:
    case OracleType::kBlob:
      return bytes(value, *context.arena, out);
    case OracleType::kJson:
      return json(value, *context.arena, out);
    case OracleType::kBfile:
    case OracleType::kVector:
    case OracleType::kBoolean:
      return Status::kNotGiven;
    default:
      return text(value, out);
  }
}

std::string_view describe(RedoValueStatus status) {
  switch (status) {
    case Status::kGiven:
      return "";
    case Status::kNotGiven:
      return "LogMiner does not show the value";
    case Status::kOtherFormat:
      return "the value is not in the formats that were set for the session";
    case Status::kUnreadable:
      return "the text is no value of the column's type";
  }
  return "";
}

}  // namespace wherry::oracle
