#include "store/ddl_support.h"

#include <algorithm>

namespace orasim::ddl {
namespace {

/// Kinds of code that do not share the names of tables and views.
bool own_namespace(const std::string& kind) {
  return kind == "TRIGGER" || kind == "PACKAGE BODY" || kind == "TYPE BODY";
}

}  // namespace

TableDef& edit_table(Catalog& c, const std::string& owner, const std::string& name) {
  const auto at = c.tables.find({owner, name});
  if (at == c.tables.end()) throw OraError(942, "table or view does not exist");
  auto copy = std::make_shared<TableDef>(*at->second);
  copy->last_ddl_unix = c.edit_unix_seconds;
  TableDef& table = *copy;
  at->second = std::move(copy);
  return table;
}

TableDef& edit_table(Catalog& c, const TableDef& t) {
  const std::string owner = t.owner, name = t.name;
  return edit_table(c, owner, name);
}

void mark_structure(Catalog& c, TableDef& t) {
  t.structure_version = c.version + 1;
}

void mark_layout(Catalog& c, TableDef& t) {
  t.layout_version = c.version + 1;
  mark_structure(c, t);
}

void forget_history(Catalog& c, TableDef& t) {
  t.readable_from_scn = c.edit_scn;
}

void check_object_name_free(const Catalog& c, std::string_view owner, std::string_view name) {
  bool taken = c.find_table(owner, name) != nullptr || c.find_sequence(owner, name) != nullptr;
  const auto first = c.code.lower_bound({std::string(owner), std::string(name), ""});
  for (auto at = first; at != c.code.end() && !taken; ++at) {
    const auto& [code_owner, code_name, kind] = at->first;
    if (code_owner != owner || code_name != name) break;
    taken = !own_namespace(kind);
  }
  if (taken) throw OraError(955, "name is already used by an existing object");
}

void check_index_name_free(const Catalog& c, std::string_view owner, std::string_view name) {
  if (find_index(c, owner, name) != nullptr) {
    throw OraError(955, "name is already used by an existing object");
  }
}

bool constraint_name_taken(const Catalog& c, std::string_view owner, std::string_view name) {
  for (auto at = c.tables.lower_bound({std::string(owner), ""});
       at != c.tables.end() && at->first.first == owner; ++at) {
    const auto& list = at->second->constraints;
    if (std::any_of(list.begin(), list.end(), [&](const auto& k) { return k.name == name; })) {
      return true;
    }
  }
  return false;
}

void throw_invalid_identifier(const std::string& name) {
  throw OraError(904, "\"" + name + "\": invalid identifier");
}

ColumnDef& column_of(TableDef& t, const std::string& name) {
  const int at = t.find_column(name);
  if (at < 0) throw_invalid_identifier(name);
  return t.columns[static_cast<std::size_t>(at)];
}

std::string take_constraint_name(Catalog& c) {
  std::string digits = std::to_string(c.next_constraint_number++);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return "SYS_C" + digits;
}

std::uint32_t take_object_id(Catalog& c) {
  return c.next_object_id++;
}

void visit_references(const Catalog& c, std::string_view owner, std::string_view table,
                      const std::function<bool(const TableDef&, const ConstraintDef&)>& visit) {
  for (const auto& [name, child] : c.tables) {
    for (const ConstraintDef& k : child->constraints) {
      if (k.kind == ConstraintKind::kForeignKey && k.ref_table == table && k.ref_owner == owner &&
          !visit(*child, k)) {
        return;
      }
    }
  }
}

}  // namespace orasim::ddl
