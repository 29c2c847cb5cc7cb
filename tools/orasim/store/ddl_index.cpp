#include <algorithm>
#include <cctype>

#include "store/ddl_support.h"

namespace orasim::ddl {
namespace {

/// A column name rather than an expression.
bool is_name(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char ch) {
                       return std::isalnum(static_cast<unsigned char>(ch)) != 0 || ch == '_' ||
                              ch == '$' || ch == '#' || static_cast<unsigned char>(ch) >= 0x80;
                     }) &&
         !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0;
}

void check_index_columns(TableDef& t, IndexDef& index) {
  for (const std::string& column : index.columns) {
    if (t.find_column(column) < 0) {
      if (is_name(column)) throw_invalid_identifier(column);
      index.function_based = true;
      continue;
    }
    const Type type = column_of(t, column).type.type;
    if (is_lob_payload(type) || type == Type::kBfile) {
      throw OraError(2327, "cannot create index on expression with datatype LOB");
    }
    if (type == Type::kLong || type == Type::kLongRaw) {
      throw OraError(997, "illegal use of LONG datatype");
    }
    if (std::count(index.columns.begin(), index.columns.end(), column) > 1) {
      throw OraError(957, "duplicate column name");
    }
  }
}

}  // namespace

std::shared_ptr<const TableDef> find_index(const Catalog& c, std::string_view owner,
                                           std::string_view name, const IndexDef** index) {
  for (const auto& [key, table] : c.tables) {
    for (const IndexDef& i : table->indexes) {
      if (i.name != name || i.owner != owner) continue;
      if (index != nullptr) *index = &i;
      return table;
    }
  }
  return nullptr;
}

void create_index(Catalog& c, const std::string& table_owner, const std::string& table,
                  const IndexDef& spec) {
  TableDef& t = edit_table(c, table_owner, table);
  IndexDef index = spec;
  if (index.owner.empty()) index.owner = table_owner;
  check_index_name_free(c, index.owner, index.name);
  check_index_columns(t, index);
  index.descending.resize(index.columns.size(), false);
  for (const IndexDef& other : t.indexes) {
    if (other.columns == index.columns && other.descending == index.descending) {
      throw OraError(1408, "such column list already indexed");
    }
  }
  index.object_id = take_object_id(c);
  index.created_unix = c.edit_unix_seconds;
  t.indexes.push_back(std::move(index));
  mark_structure(c, t);
}

void drop_index(Catalog& c, const std::string& owner, const std::string& name) {
  const auto table = find_index(c, owner, name);
  if (table == nullptr) throw OraError(1418, "specified index does not exist");
  for (const ConstraintDef& k : table->constraints) {
    const std::string& k_owner = k.index_owner.empty() ? table->owner : k.index_owner;
    if (k.enabled && k.index_name == name && k_owner == owner) {
      throw OraError(2429, "cannot drop index used for enforcement of unique/primary key");
    }
  }
  TableDef& t = edit_table(c, *table);
  std::erase_if(t.indexes, [&](const IndexDef& i) { return i.name == name && i.owner == owner; });
  mark_structure(c, t);
}

void rename_index(Catalog& c, const std::string& owner, const std::string& name,
                  const std::string& new_name) {
  const auto table = find_index(c, owner, name);
  if (table == nullptr) throw OraError(1418, "specified index does not exist");
  check_index_name_free(c, owner, new_name);
  TableDef& t = edit_table(c, *table);
  for (IndexDef& i : t.indexes) {
    if (i.name == name && i.owner == owner) i.name = new_name;
  }
  for (ConstraintDef& k : t.constraints) {
    if (k.index_name == name) k.index_name = new_name;
  }
  mark_structure(c, t);
}

}  // namespace orasim::ddl
