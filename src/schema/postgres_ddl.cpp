#include "schema/postgres_ddl.h"

#include <fmt/format.h>

#include <set>

namespace wherry::schema {
namespace {

std::string quote(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    if (c == mark) out += mark;
    out += c;
  }
  out += mark;
  return out;
}

Error bad_identifier(std::string message, std::string_view name) {
  return make_error(ErrorKind::kSchema, "schema.bad_identifier", std::move(message),
                    "Rename it with a transformation rule in the table mappings")
      .with("name", name);
}

}  // namespace

Result<std::string> quote_identifier(std::string_view name) {
  if (name.empty()) return bad_identifier("a name on the target is empty", name);
  if (name.size() > kMaxIdentifierBytes) {
    return bad_identifier(
        fmt::format("a name is {} bytes long and PostgreSQL holds {} bytes at most", name.size(),
                    kMaxIdentifierBytes),
        name);
  }
  if (name.find('\0') != std::string_view::npos) {
    return bad_identifier("a name contains the character U+0000", name.substr(0, name.find('\0')));
  }
  return quote(name, '"');
}

Result<std::string> quote_table(const TableRef& table) {
  WHERRY_ASSIGN(const std::string schema, quote_identifier(table.schema));
  WHERRY_ASSIGN(const std::string name, quote_identifier(table.name));
  return schema + "." + name;
}

std::string quote_literal(std::string_view text) {
  return quote(text, '\'');
}

Result<std::string> create_schema_sql(std::string_view schema) {
  WHERRY_ASSIGN(const std::string name, quote_identifier(schema));
  return "create schema " + name;
}

Result<std::string> create_table_sql(const TablePlan& plan, std::string_view compression) {
  WHERRY_ASSIGN(const std::string table, quote_table(plan.target));
  if (plan.columns.empty()) {
    return make_error(ErrorKind::kSchema, "schema.no_columns",
                      "no column of the table is left to create",
                      "Leave the table out with the table mappings")
        .with("table", to_text(plan.target));
  }
  std::set<std::string_view> seen;
  std::string sql = "create table " + table + " (";
  for (const ColumnPlan& column : plan.columns) {
    if (!seen.insert(column.target_name).second) {
      return make_error(ErrorKind::kSchema, "schema.duplicate_column",
                        "two columns have the same name on the target",
                        "Rename one of them with a transformation rule in the table mappings")
          .with("table", to_text(plan.target))
          .with("column", column.target_name);
    }
    auto name = quote_identifier(column.target_name);
    if (!name) return std::move(name).error().with("table", to_text(plan.target));
    if (seen.size() > 1) sql += ", ";
    sql += *name + " " + column.target_type;
    if (!compression.empty() && is_lob(column.type))
      sql += " compression " + std::string(compression);
    if (column.not_null) sql += " not null";
  }
  sql += ")";
  if (!plan.tablespace.empty()) {
    WHERRY_ASSIGN(const std::string name, quote_identifier(plan.tablespace));
    sql += " tablespace " + name;
  }
  return sql;
}

Result<std::string> add_key_sql(const TablePlan& plan) {
  WHERRY_ASSERT(!plan.key.empty(), "a table without a key gets none");
  WHERRY_ASSIGN(std::string sql, quote_table(plan.target));
  sql = "alter table " + sql + " add ";
  if (!plan.key_name.empty()) {
    WHERRY_ASSIGN(const std::string name, quote_identifier(plan.key_name));
    sql += "constraint " + name + " ";
  }
  sql += plan.key_is_primary ? "primary key (" : "unique (";
  for (std::size_t i = 0; i < plan.key.size(); ++i) {
    WHERRY_ASSIGN(const std::string name, quote_identifier(plan.columns[plan.key[i]].target_name));
    sql += (i == 0 ? "" : ", ") + name;
  }
  sql += ")";
  if (!plan.key_tablespace.empty()) {
    WHERRY_ASSIGN(const std::string name, quote_identifier(plan.key_tablespace));
    sql += " using index tablespace " + name;
  }
  return sql;
}

}  // namespace wherry::schema
