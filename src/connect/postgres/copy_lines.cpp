#include "connect/postgres/copy_lines.h"

#include <fmt/format.h>

#include "connect/postgres/row_text.h"
#include "core/assert.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::size_t kMostShownFieldBytes = 8 * 1024;

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return letter;  // a backslash before any other stands for it
  }
}

std::optional<std::string> field_of(std::string_view text) {
  if (text == "\\N") return std::nullopt;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '\\' && i + 1 < text.size();
    out += is_escape ? unescaped(text[++i]) : text[i];
  }
  return out;
}

std::string name_or_raw(const std::string& name) {
  auto quoted = schema::quote_identifier(name);
  return quoted ? *quoted : name;
}

std::string literal_of(const std::optional<std::string>& field) {
  if (!field) return "NULL";
  if (field->size() > kMostShownFieldBytes)
    return fmt::format("NULL /* {} bytes */", field->size());
  return schema::quote_literal(printable(*field));
}

}  // namespace

std::vector<std::string_view> split_copy_lines(std::string_view rows) {
  std::vector<std::string_view> out;
  while (!rows.empty()) {
    const std::size_t end = rows.find('\n');
    const std::size_t size = end == std::string_view::npos ? rows.size() : end + 1;
    out.push_back(rows.substr(0, size));
    rows.remove_prefix(size);
  }
  return out;
}

std::vector<std::optional<std::string>> fields_of_line(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  std::vector<std::optional<std::string>> out;
  for (;;) {
    const std::size_t tab = line.find('\t');
    out.push_back(field_of(line.substr(0, tab)));
    if (tab == std::string_view::npos) return out;
    line.remove_prefix(tab + 1);
  }
}

std::string text_of_key(const schema::TablePlan& plan, std::string_view line) {
  const auto fields = fields_of_line(line);
  WHERRY_ASSERT(fields.size() == plan.columns.size(), "a field for each column");
  std::string out;
  for (const std::size_t i : plan.key) {
    if (!out.empty()) out += ", ";
    out += plan.columns[i].target_name + "=" + (fields[i] ? printable(*fields[i]) : "NULL");
  }
  return out;
}

std::string insert_statement(const schema::TablePlan& plan, std::string_view line) {
  const auto fields = fields_of_line(line);
  WHERRY_ASSERT(fields.size() == plan.columns.size(), "a field for each column");
  std::string names;
  std::string values;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const char* separator = i == 0 ? "" : ", ";
    names += separator + name_or_raw(plan.columns[i].target_name);
    values += separator + literal_of(fields[i]);
  }
  return fmt::format("INSERT INTO {}.{} ({}) VALUES ({})", name_or_raw(plan.target.schema),
                     name_or_raw(plan.target.name), names, values);
}

}  // namespace wherry::postgres
