#include "engine/likeness.h"

#include <charconv>
#include <string>

#include "core/decimal.h"
#include "core/spill_file.h"
#include "core/time_text.h"
#include "core/truth.h"
#include "engine/json_value.h"

namespace wherry::engine {
namespace {

using schema::Likeness;

constexpr std::uint64_t kMostBytes = 64 * 1024 * 1024;

void put_text(Cell& cell, std::string_view text, Arena& arena) {
  cell.payload.ptr = arena.copy(text.data(), text.size());
  cell.size_bytes = static_cast<std::uint32_t>(text.size());
  cell.state = CellState::kSet;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The shortest decimal that is nearest to the same floating-point number; nullptr for what is
/// none.
template <class Float>
const DecimalView* through(const DecimalView& value, Arena& arena) {
  if (value.sign != DecimalSign::kPositive && value.sign != DecimalSign::kNegative) return &value;
  const std::string text = to_text(value);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  char shortest[48];
  const auto end =
      std::to_chars(shortest, shortest + sizeof shortest, static_cast<Float>(number)).ptr;
  return parse_decimal({shortest, static_cast<std::size_t>(end - shortest)}, arena);
}

void number_alike(Cell& cell, Likeness likeness, Arena& arena) {
  const bool is_text = cell.kind == CellKind::kText;
  const DecimalView* value =
      is_text ? parse_decimal(trimmed(cell.bytes()), arena) : &decimal_of(cell);
  if (value != nullptr && likeness == Likeness::kFloat32) value = through<float>(*value, arena);
  if (value != nullptr && likeness == Likeness::kFloat64) value = through<double>(*value, arena);
  if (value == nullptr) return;
  if (is_text) return put_text(cell, to_text(*value), arena);
  cell.payload.ptr = reinterpret_cast<const std::byte*>(value);
}

void moment_alike(Cell& cell, Arena& arena) {
  const auto parsed = parse_moment(cell.bytes());
  if (!parsed) return;
  char text[kTimeTextBytes];
  put_text(cell, {text, format_timestamp_tz(text, parsed->micros, parsed->nanos, 0, 9)}, arena);
}

void clock_alike(Cell& cell, Arena& arena) {
  const auto parsed = parse_clock(trimmed(cell.bytes()));
  if (!parsed) return;
  char text[kTimeTextBytes];
  put_text(cell, {text, format_interval_ds(text, parsed->seconds, parsed->nanos, 9)}, arena);
}

void interval_alike(Cell& cell, Arena& arena) {
  const std::string_view interval = trimmed(cell.bytes());
  char text[kTimeTextBytes];
  if (const auto parsed = parse_interval_ds(interval)) {
    put_text(cell, {text, format_interval_ds(text, parsed->seconds, parsed->nanos, 9)}, arena);
    return;
  }
  const auto months = parse_interval_ym(interval);
  if (!months) return;
  // Nothing is nothing in both forms.
  put_text(
      cell,
      {text, *months == 0 ? format_interval_ds(text, 0, 0, 9) : format_interval_ym(text, *months)},
      arena);
}

void uuid_alike(Cell& cell, Arena& arena) {
  std::string digits;
  for (const char c : cell.bytes()) {
    if (c != '-') digits += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  put_text(cell, digits, arena);
}

std::string_view without_declaration(std::string_view xml) {
  constexpr std::string_view kBegin = "<?xml";
  if (xml.substr(0, kBegin.size()) != kBegin || xml.size() == kBegin.size()) return xml;
  const std::string_view blanks = " \t\r\n";
  if (blanks.find(xml[kBegin.size()]) == std::string_view::npos) return xml;
  const std::size_t end = xml.find("?>");
  return end == std::string_view::npos ? xml : xml.substr(end + 2);
}

void text_alike(Cell& cell, Likeness likeness, Arena& arena) {
  switch (likeness) {
    case Likeness::kTruth:
      if (const auto value = parse_truth(cell.bytes())) {
        put_text(cell, *value ? "true" : "false", arena);
      }
      return;
    case Likeness::kPadded:
      cell.size_bytes = static_cast<std::uint32_t>(cell.bytes().find_last_not_of(' ') + 1);
      return;
    case Likeness::kMoment:
      return moment_alike(cell, arena);
    case Likeness::kClock:
      return clock_alike(cell, arena);
    case Likeness::kInterval:
      return interval_alike(cell, arena);
    case Likeness::kUuid:
      return uuid_alike(cell, arena);
    case Likeness::kJson:
      if (const auto value = plain_json(cell.bytes())) put_text(cell, *value, arena);
      return;
    case Likeness::kXml:
      return put_text(cell, without_declaration(cell.bytes()), arena);
    default:
      return;
  }
}

Result<void> take_whole(Cell& cell, Arena& arena) {
  const auto& value = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
  if (value.size_bytes > kMostBytes) {
    return make_error(ErrorKind::kResource, "validate.value_too_large",
                      "a document is too large to be compared by its meaning",
                      "Compare this table by other means");
  }
  const auto size = static_cast<std::size_t>(value.size_bytes);
  std::byte* whole = arena.allocate(size);
  for (std::size_t done = 0; done < size;) {
    WHERRY_ASSIGN(const std::size_t got,
                  value.file->read(value.offset_bytes + done, {whole + done, size - done}));
    WHERRY_ASSERT(got != 0, "a spill file holds what was written to it");
    done += got;
  }
  cell.payload.ptr = whole;
  cell.size_bytes = static_cast<std::uint32_t>(size);
  cell.state = CellState::kSet;
  return {};
}

}  // namespace

Result<void> make_alike(Cell& cell, Likeness likeness, Arena& arena) {
  if (likeness == Likeness::kExact) return {};
  if (cell.state == CellState::kSpilled) WHERRY_TRY(take_whole(cell, arena));
  if (cell.state != CellState::kSet) return {};
  if (cell.kind == CellKind::kTimestampTz) {
    if (likeness == Likeness::kInstant) cell.extra = 0;
    return {};
  }
  const bool is_number = likeness == Likeness::kNumber || likeness == Likeness::kFloat32 ||
                         likeness == Likeness::kFloat64;
  if (is_number) {
    if (cell.kind == CellKind::kText || cell.kind == CellKind::kDecimal) {
      number_alike(cell, likeness, arena);
    }
  } else if (cell.kind == CellKind::kText) {
    text_alike(cell, likeness, arena);
  }
  return {};
}

}  // namespace wherry::engine
