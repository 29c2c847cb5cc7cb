// ALTER TABLE: columns.
#include <algorithm>
#include <cctype>
#include <set>

#include "store/ddl_support.h"

namespace orasim::ddl {
namespace {

bool mentions(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

void make_identity(Catalog& c, TableDef& t, ColumnDef& column, const SequenceOptions& options) {
  column.is_identity = true;
  column.identity_sequence = "ISEQ$$_" + std::to_string(t.object_id);
  column.default_sql = "\"" + t.owner + "\".\"" + column.identity_sequence + "\".nextval";
  c.sequences[{t.owner, column.identity_sequence}] =
      std::make_shared<SequenceDef>(make_sequence(c, t.owner, column.identity_sequence, options));
}

bool plain_word(char ch) {
  return std::isalnum(static_cast<unsigned char>(ch)) != 0 || ch == '_' || ch == '$' || ch == '#';
}

std::string upper(std::string s) {
  for (char& ch : s) ch = static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
  return s;
}

/// Expression text with a column renamed; strings are left alone.
std::string rename_in(const std::string& sql, const std::string& from, const std::string& to) {
  std::string out;
  for (std::size_t i = 0; i < sql.size();) {
    const char ch = sql[i];
    std::size_t end = i + 1;
    std::string name;
    if (ch == '\'' || ch == '"') {
      end = sql.find(ch, i + 1);
      end = end == std::string::npos ? sql.size() : end + 1;
      if (ch == '"' && end >= i + 2) name = sql.substr(i + 1, end - i - 2);
    } else if (plain_word(ch)) {
      while (end < sql.size() && plain_word(sql[end])) ++end;
      name = upper(sql.substr(i, end - i));
    }
    out += !name.empty() && name == from ? "\"" + to + "\"" : sql.substr(i, end - i);
    i = end;
  }
  return out;
}

void set_default(ColumnDef& column, const ModifyColumn& change) {
  if (change.default_sql) {
    column.default_sql = upper(*change.default_sql) == "NULL" ? "" : *change.default_sql;
    column.default_on_null = false;
  }
  if (change.default_on_null) column.default_on_null = *change.default_on_null;
}

void set_nullable(Catalog& c, TableDef& t, const ModifyColumn& change) {
  const bool nullable = column_of(t, change.name).nullable;
  if (*change.not_null) {
    if (!nullable) {
      throw OraError(1442, "column to be modified to NOT NULL is already NOT NULL");
    }
    ConstraintDef k;
    k.name = change.not_null_name;
    k.is_not_null = true;
    k.columns = {change.name};
    return add_constraint(c, t, k);
  }
  const auto before = t.constraints.size();
  std::erase_if(t.constraints, [&](const ConstraintDef& k) {
    return k.is_not_null && mentions(k.columns, change.name);
  });
  if (before == t.constraints.size()) {
    throw OraError(1451, "column to be modified to NULL cannot be modified to NULL");
  }
  recompute_nullability(t);
}

/// A column that becomes visible goes behind the others.
void set_hidden(TableDef& t, const ModifyColumn& change) {
  const auto at = std::find_if(t.columns.begin(), t.columns.end(),
                               [&](const ColumnDef& k) { return k.name == change.name; });
  const bool shows = at->is_hidden && !*change.is_hidden;
  at->is_hidden = *change.is_hidden;
  if (shows) std::rotate(at, at + 1, t.columns.end());
}

void drop_identity(Catalog& c, TableDef& t, ColumnDef& column) {
  if (!column.is_identity) throw OraError(30673, "column to be modified is not an identity column");
  c.sequences.erase({t.owner, column.identity_sequence});
  column.is_identity = column.identity_always = column.default_on_null = false;
  column.identity_sequence.clear();
  column.default_sql.clear();
}

/// ORA-12991 / 12992 when something else than the dropped columns hangs on them; else drops it.
void drop_constraints_of(Catalog& c, TableDef& t, const std::set<std::string>& dropped,
                         bool cascade) {
  std::vector<std::string> gone;
  for (const ConstraintDef& k : t.constraints) {
    const auto inside = std::count_if(k.columns.begin(), k.columns.end(),
                                      [&](const auto& name) { return dropped.contains(name); });
    if (inside == 0) continue;
    if (inside < static_cast<std::ptrdiff_t>(k.columns.size()) && !cascade) {
      throw OraError(12991, "column is referenced in a multi-column constraint");
    }
    gone.push_back(k.name);
  }
  const TableDef parent = t;  // the edits below may replace the table's copy in the catalog
  for (const std::string& constraint : gone) {
    bool referenced = false;
    visit_references(c, parent.owner, parent.name, [&](const TableDef&, const ConstraintDef& fk) {
      return !(referenced = fk.ref_constraint == constraint && !mentions(gone, fk.name));
    });
    if (referenced && !cascade) throw OraError(12992, "cannot drop parent key column");
    if (referenced) drop_foreign_keys_to(c, parent, constraint);
  }
}

}  // namespace

namespace {

bool is_long(const ColumnDef& column) {
  return column.type.type == Type::kLong || column.type.type == Type::kLongRaw;
}

void check_long(const TableDef& t, const ColumnDef& column) {
  const bool is_second =
      is_long(column) && std::any_of(t.columns.begin(), t.columns.end(), is_long);
  if (is_second) throw OraError(1754, "a table may contain only one column of type LONG");
}

}  // namespace

void add_column(Catalog& c, TableDef& t, const ColumnSpec& spec) {
  ColumnDef column = spec.column;
  if (t.find_column(column.name) >= 0) throw OraError(957, "duplicate column name");
  check_long(t, column);
  column.nullable = true;
  if (!column.is_virtual) column.stored_slot = t.next_stored_slot++;
  if (column.value_when_absent.is_null()) {
    column.value_when_absent = make_null(column.type.type);
  }
  if (spec.identity) {
    const bool second = std::any_of(t.columns.begin(), t.columns.end(),
                                    [](const ColumnDef& other) { return other.is_identity; });
    if (second) throw OraError(30669, "table can have only one identity column");
    make_identity(c, t, column, *spec.identity);
  }
  const std::string name = column.name;
  const bool identity = column.is_identity;
  t.columns.push_back(std::move(column));
  if (!identity) return;
  ConstraintDef not_null;
  not_null.is_not_null = true;
  not_null.columns = {name};
  add_constraint(c, t, not_null);
}

void add_columns(Catalog& c, const std::string& owner, const std::string& table,
                 const std::vector<ColumnSpec>& columns,
                 const std::vector<ConstraintDef>& constraints) {
  TableDef& t = edit_table(c, owner, table);
  for (const ColumnSpec& spec : columns) {
    if (t.find_column(spec.column.name) >= 0) {
      throw OraError(1430, "column being added already exists in table");
    }
    add_column(c, t, spec);
  }
  for (const ConstraintDef& k : constraints) add_constraint(c, t, k);
  mark_layout(c, t);
}

void modify_column(Catalog& c, const std::string& owner, const std::string& table,
                   const ModifyColumn& change) {
  TableDef& t = edit_table(c, owner, table);
  ColumnDef& column = column_of(t, change.name);
  if (change.type) {
    const bool other_type = change.type->type != column.type.type;
    column.type = *change.type;
    if (other_type) {
      forget_history(c, t);
      column.value_when_absent = make_null(column.type.type);
    }
  }
  set_default(column, change);
  if (change.drop_identity) drop_identity(c, t, column);
  if (change.identity && column.is_identity) {
    alter_sequence(c, t.owner, column.identity_sequence, *change.identity);
  } else if (change.identity) {
    throw OraError(30673, "column to be modified is not an identity column");
  }
  if (change.not_null) set_nullable(c, t, change);
  if (change.is_hidden) set_hidden(t, change);
  mark_layout(c, t);
}

void drop_columns(Catalog& c, const std::string& owner, const std::string& table,
                  const std::vector<std::string>& names, bool cascade_constraints) {
  edit_table(c, owner, table);
  const std::set<std::string> dropped(names.begin(), names.end());
  {
    TableDef& t = edit_table(c, owner, table);
    for (const std::string& name : names) {
      const ColumnDef& column = column_of(t, name);
      if (mentions(t.partition_columns, name)) {
        throw OraError(12984, "cannot drop partitioning column");
      }
      if (column.is_identity) c.sequences.erase({owner, column.identity_sequence});
    }
    if (dropped.size() >= t.columns.size()) {
      throw OraError(12983, "cannot drop all columns in a table");
    }
    drop_constraints_of(c, t, dropped, cascade_constraints);
  }
  TableDef& t = edit_table(c, owner, table);
  const auto hit = [&](const std::vector<std::string>& list) {
    return std::any_of(list.begin(), list.end(),
                       [&](const auto& name) { return dropped.contains(name); });
  };
  std::erase_if(t.constraints, [&](const ConstraintDef& k) { return hit(k.columns); });
  std::erase_if(t.indexes, [&](const IndexDef& i) { return hit(i.columns); });
  std::erase_if(t.columns, [&](const ColumnDef& k) { return dropped.contains(k.name); });
  recompute_nullability(t);
  forget_history(c, t);
  mark_layout(c, t);
}

void rename_column(Catalog& c, const std::string& owner, const std::string& table,
                   const std::string& name, const std::string& new_name) {
  TableDef& t = edit_table(c, owner, table);
  if (t.find_column(new_name) >= 0) throw OraError(957, "duplicate column name");
  column_of(t, name).name = new_name;
  const auto replace = [&](std::vector<std::string>& list) {
    std::replace(list.begin(), list.end(), name, new_name);
  };
  for (ConstraintDef& k : t.constraints) {
    replace(k.columns);
    k.check_sql = rename_in(k.check_sql, name, new_name);
  }
  for (IndexDef& index : t.indexes) replace(index.columns);
  for (ColumnDef& column : t.columns)
    column.virtual_sql = rename_in(column.virtual_sql, name, new_name);
  replace(t.partition_columns);
  mark_layout(c, t);
  std::vector<std::pair<std::string, std::string>> children;
  visit_references(c, owner, table, [&](const TableDef& child, const ConstraintDef&) {
    children.emplace_back(child.owner, child.name);
    return true;
  });
  for (const auto& [child_owner, child_name] : children) {
    for (ConstraintDef& k : edit_table(c, child_owner, child_name).constraints) {
      if (k.ref_owner == owner && k.ref_table == table) replace(k.ref_columns);
    }
  }
}

}  // namespace orasim::ddl
