#include "connect/postgres/row_text.h"

#include <fmt/format.h>

#include "connect/postgres/wire/encoder.h"
#include "connect/postgres/wire/utf8.h"
#include "core/spill_file.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::size_t kMostShownBytes = 8 * 1024;

std::string hex_of(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

/// Text forms, hex for bytes.
std::string text_of_cell(const schema::LogicalType& type, const Cell& cell) {
  if (cell.state == CellState::kUnreadable) return "(unreadable)";
  if (cell.state != CellState::kSet) return cell.is_null() ? "NULL" : "(large)";
  if (cell.kind == CellKind::kBytes) return hex_of(cell.bytes());
  if (cell.kind == CellKind::kText) return printable(cell.bytes());
  wire::CopyBuffer out;
  NativeType text;
  text.kind = NativeKind::kText;
  schema::LogicalType shown = type;
  shown.fraction_digits = 9;
  auto encoder = wire::choose_encoder(shown, text, false);
  if (!encoder || encoder->encode(*encoder, cell, out) != wire::EncodeStatus::kOk) return "?";
  return std::string(out.view().substr(4));
}

std::string literal_of_cell(const schema::LogicalType& type, const Cell& cell) {
  if (cell.is_null()) return "NULL";
  if (cell.state == CellState::kUnreadable) {
    return "NULL /* unreadable: " + std::string(cell.bytes()) + " */";
  }
  if (cell.state == CellState::kSpilled) {
    const auto& value = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
    return fmt::format("NULL /* {} bytes */", value.size_bytes);
  }
  const bool has_size = cell.kind == CellKind::kText || cell.kind == CellKind::kBytes;
  if (has_size && cell.size_bytes > kMostShownBytes) {
    return fmt::format("NULL /* {} bytes */", cell.size_bytes);
  }
  const std::string text = text_of_cell(type, cell);
  return schema::quote_literal(cell.kind == CellKind::kBytes ? "\\x" + text : text);
}

std::string quoted_name(const std::string& name) {
  auto result = schema::quote_identifier(name);
  return result ? *result : name;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t size = 0;
  while (!text.empty()) {
    const wire::Utf8Copy copy = wire::copy_utf8(text, out.data() + size);
    size += copy.copied;
    if (copy.is_valid) break;
    out[size++] = '?';
    text.remove_prefix(copy.copied + 1);
  }
  out.resize(size);
  return out;
}

std::string text_of_key(const schema::TablePlan& plan, const Cell* row) {
  std::string out;
  for (const std::size_t i : plan.key) {
    if (!out.empty()) out += ", ";
    out += plan.columns[i].target_name + "=" + text_of_cell(plan.columns[i].type, row[i]);
  }
  return out;
}

std::string insert_statement(const schema::TablePlan& plan, const Cell* row) {
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const char* separator = i == 0 ? "" : ", ";
    names += separator + quoted_name(plan.columns[i].target_name);
    values += separator + literal_of_cell(plan.columns[i].type, row[i]);
  }
  return fmt::format("INSERT INTO {}.{} ({}) VALUES ({})", quoted_name(plan.target.schema),
                     quoted_name(plan.target.name), names, values);
}

}  // namespace wherry::postgres
