// What a transaction does to rows, and how versions differ.
#include <algorithm>

#include "connect/memory/database.h"

namespace wherry::memory {
namespace {

using connect::ChangeKind;

std::vector<std::size_t> key_columns(const schema::TableDef& definition) {
  std::vector<std::size_t> out;
  const schema::KeyDef* key = definition.row_identity();
  if (key == nullptr) {
    for (std::size_t i = 0; i < definition.columns.size(); ++i) out.push_back(i);
    return out;
  }
  for (const std::string& column : key->columns) {
    out.push_back(static_cast<std::size_t>(definition.find_column(column)));
  }
  return out;
}

}  // namespace

Result<Table*> Transaction::edit(const schema::TableRef& table) {
  auto& copy = edited_[table];
  if (copy) return copy.get();
  const auto found = tables_.find(table);
  if (found == tables_.end()) {
    edited_.erase(table);
    return make_error(ErrorKind::kSchema, "memory.unknown_table", "the table does not exist",
                      "Create it first")
        .with("table", schema::to_text(table));
  }
  copy = std::make_shared<Table>(*found->second);
  found->second = copy;
  return copy.get();
}

Result<std::size_t> Transaction::find_row(const Table& table, const Row& key) {
  const auto columns = key_columns(table.definition);
  WHERRY_ASSERT(columns.size() == key.size(), "the row is named by other columns");
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    bool is_it = true;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      is_it = is_it && table.rows[r][columns[i]] == key[i];
    }
    if (is_it) return r;
  }
  return make_error(ErrorKind::kData, "memory.no_row", "no row has this key", "Look at the table")
      .with("table", schema::to_text(table.definition.table));
}

void Transaction::log(ChangeKind kind, const schema::TableRef& table, Row before, Row after) {
  changes_.push_back({kind, table, edited_.at(table), std::move(before), std::move(after)});
}

Result<void> Transaction::insert(const schema::TableRef& table, Row row) {
  WHERRY_ASSIGN(Table * edited, edit(table));
  edited->rows.push_back(row);
  log(ChangeKind::kInsert, table, {}, std::move(row));
  return {};
}

Result<void> Transaction::update(const schema::TableRef& table, const Row& key, Row row) {
  WHERRY_ASSIGN(Table * edited, edit(table));
  WHERRY_ASSIGN(const std::size_t at, find_row(*edited, key));
  Row before = std::exchange(edited->rows[at], row);
  log(ChangeKind::kUpdate, table, std::move(before), std::move(row));
  return {};
}

Result<void> Transaction::remove(const schema::TableRef& table, const Row& key) {
  WHERRY_ASSIGN(Table * edited, edit(table));
  WHERRY_ASSIGN(const std::size_t at, find_row(*edited, key));
  Row before = std::move(edited->rows[at]);
  edited->rows.erase(edited->rows.begin() + static_cast<std::ptrdiff_t>(at));
  log(ChangeKind::kDelete, table, std::move(before), {});
  return {};
}

Result<void> Transaction::truncate(const schema::TableRef& table) {
  WHERRY_ASSIGN(Table * edited, edit(table));
  edited->rows.clear();
  log(ChangeKind::kTruncate, table, {}, {});
  return {};
}

std::vector<LoggedChange> difference(const Tables& before, const Tables& after) {
  std::vector<LoggedChange> out;
  for (const auto& [name, table] : after) {
    const auto found = before.find(name);
    const TablePtr old = found == before.end() ? nullptr : found->second;
    if (old == table) continue;
    const std::vector<Row> none;
    const auto& old_rows = old ? old->rows : none;
    std::size_t same = 0;
    while (same < old_rows.size() && same < table->rows.size() &&
           old_rows[same] == table->rows[same]) {
      ++same;
    }
    for (std::size_t i = same; i < old_rows.size(); ++i) {
      out.push_back({ChangeKind::kDelete, name, old, old_rows[i], {}});
    }
    for (std::size_t i = same; i < table->rows.size(); ++i) {
      out.push_back({ChangeKind::kInsert, name, table, {}, table->rows[i]});
    }
  }
  return out;
}

}  // namespace wherry::memory
