#include <algorithm>
#include <set>

#include "store/ddl_support.h"

namespace orasim::ddl {
namespace {

bool is_key(const ConstraintDef& k) {
  return k.kind == ConstraintKind::kPrimaryKey || k.kind == ConstraintKind::kUnique;
}

bool same_set(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

bool is_lob(const ColumnDef& column) {
  const Type t = column.type.type;
  return is_lob_payload(t) || t == Type::kBfile || t == Type::kLong || t == Type::kLongRaw;
}

void check_columns(TableDef& t, const ConstraintDef& k) {
  std::set<std::string> seen;
  for (const std::string& name : k.columns) {
    const ColumnDef& column = column_of(t, name);
    if (k.kind == ConstraintKind::kCheck) continue;
    if (!seen.insert(name).second) throw OraError(957, "duplicate column name");
    if (is_lob(column)) {
      throw OraError(2329, "column of datatype LOB cannot be unique or a primary key");
    }
  }
}

void check_key_is_new(const TableDef& t, const ConstraintDef& k) {
  for (const ConstraintDef& other : t.constraints) {
    if (k.kind == ConstraintKind::kPrimaryKey && other.kind == ConstraintKind::kPrimaryKey) {
      throw OraError(2260, "table can have only one primary key");
    }
    if (is_key(other) && other.columns == k.columns) {
      throw OraError(2261, "such unique or primary key already exists in the table");
    }
  }
}

IndexDef* find_own_index(TableDef& t, const std::string& owner, const std::string& name) {
  for (IndexDef& index : t.indexes) {
    if (index.name == name && index.owner == owner) return &index;
  }
  return nullptr;
}

/// A key takes the index it names, or one on the same columns, or gets one of its own.
void attach_index(Catalog& c, TableDef& t, ConstraintDef& k) {
  const std::string owner = k.index_owner.empty() ? t.owner : k.index_owner;
  if (!k.index_name.empty() && find_own_index(t, owner, k.index_name) != nullptr) return;
  if (k.index_name.empty()) {
    for (const IndexDef& index : t.indexes) {
      if (!index.function_based && !index.bitmap && index.columns == k.columns) {
        k.index_name = index.name;
        k.index_owner = index.owner;
        return;
      }
    }
    k.index_name = k.name;
  }
  check_index_name_free(c, owner, k.index_name);
  if (find_own_index(t, owner, k.index_name) != nullptr) {
    throw OraError(955, "name is already used by an existing object");
  }
  IndexDef index;
  index.owner = owner;
  index.name = k.index_name;
  index.unique = !k.deferrable;
  index.columns = k.columns;
  index.descending.assign(k.columns.size(), false);
  index.generated_name = k.generated_name;
  index.object_id = take_object_id(c);
  index.created_unix = c.edit_unix_seconds;
  index.made_for_constraint = true;
  t.indexes.push_back(std::move(index));
}

/// Payloads of the two are comparable, so the types have to be of one family.
bool comparable(const DataType& a, const DataType& b) {
  const auto family = [](Type t) {
    return t == Type::kChar || t == Type::kVarchar2 ? Type::kVarchar2 : t;
  };
  return family(a.type) == family(b.type) && a.national == b.national;
}

const TableDef& parent_of(const Catalog& c, const TableDef& t, const ConstraintDef& k,
                          std::shared_ptr<const TableDef>& holder) {
  if (k.ref_owner == t.owner && k.ref_table == t.name) return t;
  holder = c.find_table(k.ref_owner, k.ref_table);
  if (holder == nullptr) throw OraError(942, "table or view does not exist");
  return *holder;
}

void resolve_reference(const Catalog& c, TableDef& t, ConstraintDef& k) {
  if (k.ref_owner.empty()) k.ref_owner = t.owner;
  std::shared_ptr<const TableDef> holder;
  const TableDef& parent = parent_of(c, t, k, holder);
  const ConstraintDef* key = nullptr;
  for (const ConstraintDef& p : parent.constraints) {
    const bool wanted = k.ref_columns.empty() ? p.kind == ConstraintKind::kPrimaryKey
                                              : is_key(p) && same_set(p.columns, k.ref_columns);
    if (wanted && (key == nullptr || p.kind == ConstraintKind::kPrimaryKey)) key = &p;
  }
  if (!k.ref_columns.empty()) {
    for (const std::string& name : k.ref_columns) {
      if (parent.find_column(name) < 0) throw_invalid_identifier(name);
    }
    if (k.ref_columns.size() != k.columns.size()) {
      throw OraError(2256, "number of referencing columns must match referenced columns");
    }
  }
  if (key == nullptr) {
    if (k.ref_columns.empty()) {
      throw OraError(2268, "referenced table does not have a primary key");
    }
    throw OraError(2270, "no matching unique or primary key for this column-list");
  }
  if (k.ref_columns.empty()) k.ref_columns = key->columns;
  if (k.ref_columns.size() != k.columns.size()) {
    throw OraError(2256, "number of referencing columns must match referenced columns");
  }
  k.ref_constraint = key->name;
  for (std::size_t i = 0; i < k.columns.size(); ++i) {
    const int at = parent.find_column(k.ref_columns[i]);
    if (!comparable(column_of(t, k.columns[i]).type,
                    parent.columns[static_cast<std::size_t>(at)].type)) {
      throw OraError(2267, "column type incompatible with referenced column type");
    }
  }
  for (const ConstraintDef& other : t.constraints) {
    if (other.kind == ConstraintKind::kForeignKey && other.columns == k.columns &&
        other.ref_owner == k.ref_owner && other.ref_table == k.ref_table) {
      throw OraError(2275, "such a referential constraint already exists in the table");
    }
  }
}

std::size_t find_constraint(const TableDef& t, const ConstraintRef& ref, int missing_code) {
  for (std::size_t i = 0; i < t.constraints.size(); ++i) {
    const ConstraintDef& k = t.constraints[i];
    const bool found = ref.primary_key ? k.kind == ConstraintKind::kPrimaryKey
                       : !ref.name.empty()
                           ? k.name == ref.name
                           : k.kind == ConstraintKind::kUnique && k.columns == ref.unique_columns;
    if (found) return i;
  }
  if (missing_code == 2443) {
    if (ref.primary_key) throw OraError(2441, "Cannot drop nonexistent primary key");
    if (ref.name.empty()) throw OraError(2442, "Cannot drop nonexistent unique key");
    throw OraError(2443, "Cannot drop constraint  - nonexistent constraint");
  }
  const std::string verb = missing_code == 2430 ? "enable" : "disable";
  if (ref.primary_key) {
    throw OraError(missing_code == 2430 ? 2433 : 2434,
                   "cannot " + verb + " primary key - primary key not defined for table");
  }
  if (ref.name.empty()) {
    throw OraError(missing_code == 2430 ? 2432 : 2433,
                   "cannot " + verb + " unique key - unique key not defined for table");
  }
  throw OraError(missing_code,
                 "cannot " + verb + " constraint (" + ref.name + ") - no such constraint");
}

bool refers_to(const ConstraintDef& fk, const std::string& key) {
  return fk.ref_constraint == key;
}

}  // namespace

void recompute_nullability(TableDef& t) {
  for (ColumnDef& column : t.columns) {
    column.nullable =
        std::none_of(t.constraints.begin(), t.constraints.end(), [&](const ConstraintDef& k) {
          const bool forbids = k.kind == ConstraintKind::kPrimaryKey || k.is_not_null;
          return forbids && k.enabled &&
                 std::find(k.columns.begin(), k.columns.end(), column.name) != k.columns.end();
        });
  }
}

void add_constraint(Catalog& c, TableDef& t, ConstraintDef k) {
  k.generated_name = k.generated_name || k.name.empty();
  if (k.name.empty()) k.name = take_constraint_name(c);
  const bool taken_here = std::any_of(t.constraints.begin(), t.constraints.end(),
                                      [&](const auto& other) { return other.name == k.name; });
  if (taken_here || constraint_name_taken(c, t.owner, k.name)) {
    throw OraError(2264, "name already used by an existing constraint");
  }
  check_columns(t, k);
  k.changed_unix = c.edit_unix_seconds;
  if (!k.enabled) k.validated = false;
  if (k.is_not_null) k.check_sql = "\"" + k.columns.at(0) + "\" IS NOT NULL";
  if (is_key(k)) {
    check_key_is_new(t, k);
    if (k.enabled) attach_index(c, t, k);
  }
  if (k.kind == ConstraintKind::kForeignKey) resolve_reference(c, t, k);
  t.constraints.push_back(std::move(k));
  recompute_nullability(t);
}

void remove_constraint(TableDef& t, std::size_t at, bool keep_index) {
  const ConstraintDef k = t.constraints[at];
  t.constraints.erase(t.constraints.begin() + static_cast<std::ptrdiff_t>(at));
  if (is_key(k) && !keep_index) {
    // Only an index that was made for the constraint goes with it.
    std::erase_if(t.indexes, [&](const IndexDef& index) {
      const bool shared =
          std::any_of(t.constraints.begin(), t.constraints.end(), [&](const ConstraintDef& other) {
            return is_key(other) && other.index_name == index.name;
          });
      return index.name == k.index_name && index.made_for_constraint && !shared;
    });
  }
  recompute_nullability(t);
}

void drop_foreign_keys_to(Catalog& c, const TableDef& parent, const std::string& constraint) {
  const std::string owner = parent.owner, name = parent.name;
  std::vector<std::pair<std::string, std::string>> children;
  visit_references(c, owner, name, [&](const TableDef& child, const ConstraintDef& k) {
    if (constraint.empty() || refers_to(k, constraint))
      children.emplace_back(child.owner, child.name);
    return true;
  });
  for (const auto& [child_owner, child_name] : children) {
    TableDef& child = edit_table(c, child_owner, child_name);
    std::erase_if(child.constraints, [&](const ConstraintDef& k) {
      return k.kind == ConstraintKind::kForeignKey && k.ref_owner == owner && k.ref_table == name &&
             (constraint.empty() || refers_to(k, constraint));
    });
    mark_structure(c, child);
  }
}

void add_constraints(Catalog& c, const std::string& owner, const std::string& table,
                     const std::vector<ConstraintDef>& list) {
  TableDef& t = edit_table(c, owner, table);
  for (const ConstraintDef& k : list) {
    if (k.is_not_null && !k.columns.empty() && !column_of(t, k.columns[0]).nullable) {
      throw OraError(1442, "column to be modified to NOT NULL is already NOT NULL");
    }
    add_constraint(c, t, k);
  }
  mark_structure(c, t);
}

void drop_constraint(Catalog& c, const std::string& owner, const std::string& table,
                     const ConstraintRef& ref, bool cascade, bool keep_index) {
  edit_table(c, owner, table);
  const auto now = c.find_table(owner, table);
  const std::string name = now->constraints[find_constraint(*now, ref, 2443)].name;
  bool referenced = false;
  visit_references(c, owner, table, [&](const TableDef&, const ConstraintDef& fk) {
    return !(referenced = refers_to(fk, name));
  });
  if (referenced && !cascade) {
    throw OraError(2273, "this unique/primary key is referenced by some foreign keys");
  }
  if (referenced) drop_foreign_keys_to(c, *now, name);
  TableDef& t = edit_table(c, owner, table);
  remove_constraint(t, find_constraint(t, ConstraintRef{name, false, {}}, 2443), keep_index);
  mark_structure(c, t);
}

namespace {

void disable_foreign_keys_to(Catalog& c, const std::string& owner, const std::string& table,
                             const std::string& key, bool cascade) {
  std::vector<std::pair<std::string, std::string>> children;
  visit_references(c, owner, table, [&](const TableDef& child, const ConstraintDef& fk) {
    if (refers_to(fk, key) && fk.enabled) children.emplace_back(child.owner, child.name);
    return true;
  });
  if (!children.empty() && !cascade) {
    throw OraError(2297,
                   "cannot disable constraint (" + owner + "." + key + ") - dependencies exist");
  }
  for (const auto& [child_owner, child_name] : children) {
    TableDef& child = edit_table(c, child_owner, child_name);
    for (ConstraintDef& fk : child.constraints) {
      if (fk.kind == ConstraintKind::kForeignKey && fk.ref_owner == owner &&
          fk.ref_table == table && refers_to(fk, key)) {
        fk.enabled = fk.validated = false;
      }
    }
    mark_structure(c, child);
  }
}

}  // namespace

void set_constraint_state(Catalog& c, const std::string& owner, const std::string& table,
                          const ConstraintRef& ref, bool enabled, bool validated, bool cascade) {
  std::string name;
  {
    const TableDef& now = edit_table(c, owner, table);
    name = now.constraints[find_constraint(now, ref, enabled ? 2430 : 2431)].name;
  }
  if (!enabled) disable_foreign_keys_to(c, owner, table, name, cascade);
  TableDef& t = edit_table(c, owner, table);
  ConstraintDef& k = t.constraints[find_constraint(t, ConstraintRef{name, false, {}}, 2430)];
  const bool was_enabled = k.enabled;
  k.enabled = enabled;
  k.validated = enabled && validated;
  k.changed_unix = c.edit_unix_seconds;
  if (is_key(k) && enabled && !was_enabled) {
    attach_index(c, t, k);
  } else if (is_key(k) && !enabled) {
    // The index that was made for the key goes while it is disabled.
    const std::string index = k.index_name;
    if (std::erase_if(t.indexes, [&](const IndexDef& i) {
          return i.name == index && i.made_for_constraint;
        }) > 0) {
      k.index_name.clear();
      k.index_owner.clear();
    }
  }
  recompute_nullability(t);
  mark_structure(c, t);
}

void rename_constraint(Catalog& c, const std::string& owner, const std::string& table,
                       const std::string& name, const std::string& new_name) {
  TableDef& t = edit_table(c, owner, table);
  if (constraint_name_taken(c, owner, new_name)) {
    throw OraError(2264, "name already used by an existing constraint");
  }
  const auto at = std::find_if(t.constraints.begin(), t.constraints.end(),
                               [&](const ConstraintDef& k) { return k.name == name; });
  if (at == t.constraints.end()) throw OraError(23292, "The constraint does not exist");
  at->name = new_name;
  at->generated_name = false;
  mark_structure(c, t);
  std::vector<std::pair<std::string, std::string>> children;
  visit_references(c, owner, table, [&](const TableDef& child, const ConstraintDef& fk) {
    if (refers_to(fk, name)) children.emplace_back(child.owner, child.name);
    return true;
  });
  for (const auto& [child_owner, child_name] : children) {
    for (ConstraintDef& fk : edit_table(c, child_owner, child_name).constraints) {
      if (fk.kind == ConstraintKind::kForeignKey && fk.ref_table == table && refers_to(fk, name)) {
        fk.ref_constraint = new_name;
      }
    }
  }
}

}  // namespace orasim::ddl
