#include <algorithm>
#include <set>

#include "store/ddl_support.h"

namespace orasim::ddl {
namespace {

void check_partitioning(const CreateTable& spec, TableDef& t) {
  for (const std::string& column : spec.partition_columns) column_of(t, column);
  std::set<std::string> names;
  for (const PartitionDef& p : spec.partitions) {
    if (!names.insert(p.name).second) throw OraError(14013, "duplicate partition name");
  }
}

TableDef without_columns(Catalog& c, const CreateTable& spec) {
  TableDef t;
  t.owner = spec.owner;
  t.name = spec.name;
  t.object_id = t.data_object_id = take_object_id(c);
  t.comment = spec.comment;
  t.index_organized = spec.index_organized;
  t.temporary = spec.temporary;
  t.preserves_rows = spec.preserves_rows;
  t.partition_by = spec.partition_by;
  t.partition_columns = spec.partition_columns;
  t.partitions = spec.partitions;
  t.interval_partitioned = spec.interval_partitioned;
  t.interval_sql = spec.interval_sql;
  t.created_scn = t.readable_from_scn = c.edit_scn;
  t.created_unix = t.last_ddl_unix = c.edit_unix_seconds;
  return t;
}

void drop_triggers_of(Catalog& c, const std::string& owner, const std::string& table) {
  std::erase_if(c.code, [&](const auto& entry) {
    const CodeDef& code = *entry.second;
    return code.kind == "TRIGGER" && code.table_owner == owner && code.table_name == table;
  });
}

}  // namespace

void create_table(Catalog& c, const CreateTable& spec) {
  check_object_name_free(c, spec.owner, spec.name);
  TableDef t = without_columns(c, spec);
  for (const ColumnSpec& column : spec.columns) add_column(c, t, column);
  check_partitioning(spec, t);
  // Keys first: a foreign key of the same statement may refer to them.
  for (const bool keys : {true, false}) {
    for (const ConstraintDef& k : spec.constraints) {
      if ((k.kind != ConstraintKind::kForeignKey) == keys) add_constraint(c, t, k);
    }
  }
  std::uint32_t position = 0;
  for (PartitionDef& p : t.partitions) p.position = ++position;
  mark_layout(c, t);
  const std::pair<std::string, std::string> key{t.owner, t.name};
  c.tables[key] = std::make_shared<TableDef>(std::move(t));
}

void drop_table(Catalog& c, const std::string& owner, const std::string& name,
                bool cascade_constraints) {
  const auto t = c.find_table(owner, name);
  if (t == nullptr) throw OraError(942, "table or view does not exist");
  bool referenced = false;
  visit_references(c, owner, name, [&](const TableDef& child, const ConstraintDef&) {
    return !(referenced = child.object_id != t->object_id);
  });
  if (referenced && !cascade_constraints) {
    throw OraError(2449, "unique/primary keys in table referenced by foreign keys");
  }
  if (referenced) drop_foreign_keys_to(c, *t, "");
  for (const ColumnDef& column : t->columns) {
    if (column.is_identity) c.sequences.erase({owner, column.identity_sequence});
  }
  drop_triggers_of(c, owner, name);
  privileges::forget_object(c, owner, name);
  c.tables.erase({owner, name});
}

void rename_table(Catalog& c, const std::string& owner, const std::string& name,
                  const std::string& new_name) {
  edit_table(c, owner, name);
  check_object_name_free(c, owner, new_name);
  std::vector<std::pair<std::string, std::string>> children;
  visit_references(c, owner, name, [&](const TableDef& child, const ConstraintDef&) {
    children.emplace_back(child.owner, child.name);
    return true;
  });
  for (const auto& [child_owner, child_name] : children) {
    for (ConstraintDef& k : edit_table(c, child_owner, child_name).constraints) {
      if (k.kind == ConstraintKind::kForeignKey && k.ref_owner == owner && k.ref_table == name) {
        k.ref_table = new_name;
      }
    }
  }
  auto copy = std::make_shared<TableDef>(edit_table(c, owner, name));
  copy->name = new_name;
  mark_structure(c, *copy);
  c.tables.erase({owner, name});
  c.tables[{owner, new_name}] = std::move(copy);
  privileges::rename_object(c, owner, name, new_name);
  for (auto& [key, code] : c.code) {
    if (code->kind != "TRIGGER" || code->table_owner != owner || code->table_name != name) continue;
    auto trigger = std::make_shared<CodeDef>(*code);
    trigger->table_name = new_name;
    code = std::move(trigger);
  }
}

void truncate_table(Catalog& c, const std::string& owner, const std::string& name) {
  TableDef& t = edit_table(c, owner, name);
  visit_references(c, owner, name, [&](const TableDef& child, const ConstraintDef& k) -> bool {
    if (k.enabled && child.object_id != t.object_id) {
      throw OraError(2266, "unique/primary keys in table referenced by enabled foreign keys");
    }
    return true;
  });
  t.data_object_id = take_object_id(c);
  forget_history(c, t);
  mark_structure(c, t);
}

void add_partition(Catalog& c, const std::string& owner, const std::string& table,
                   const PartitionDef& partition) {
  TableDef& t = edit_table(c, owner, table);
  if (t.partition_by.empty()) throw OraError(14501, "object is not partitioned");
  for (const PartitionDef& p : t.partitions) {
    if (p.name == partition.name) throw OraError(14013, "duplicate partition name");
  }
  t.partitions.push_back(partition);
  t.partitions.back().position = static_cast<std::uint32_t>(t.partitions.size());
}

void drop_partition(Catalog& c, const std::string& owner, const std::string& table,
                    const std::string& partition) {
  TableDef& t = edit_table(c, owner, table);
  if (t.partition_by.empty()) throw OraError(14501, "object is not partitioned");
  const auto at = std::find_if(t.partitions.begin(), t.partitions.end(),
                               [&](const PartitionDef& p) { return p.name == partition; });
  if (at == t.partitions.end()) throw OraError(2149, "Specified partition does not exist");
  if (t.partitions.size() == 1) {
    throw OraError(14083, "cannot drop the only partition of a partitioned table");
  }
  t.partitions.erase(at);
  std::uint32_t position = 0;
  for (PartitionDef& p : t.partitions) p.position = ++position;
}

}  // namespace orasim::ddl
