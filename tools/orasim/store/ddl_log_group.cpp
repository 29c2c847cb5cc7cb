// Supplemental log groups of tables.
#include <algorithm>

#include "store/ddl_support.h"

namespace orasim::ddl {

namespace {

std::string attribute_name(LogGroupKind kind) {
  switch (kind) {
    case LogGroupKind::kPrimaryKey:
      return "primary key";
    case LogGroupKind::kUnique:
      return "unique index";
    case LogGroupKind::kForeignKey:
      return "foreign key";
    case LogGroupKind::kAll:
    case LogGroupKind::kUser:
      break;
  }
  return "all column";
}

}  // namespace

void add_log_group(Catalog& c, const std::string& owner, const std::string& table,
                   LogGroupDef group) {
  TableDef& t = edit_table(c, owner, table);
  for (const LogGroupDef& other : t.log_groups) {
    const bool same =
        group.kind == LogGroupKind::kUser ? other.name == group.name : other.kind == group.kind;
    if (!same) continue;
    if (group.kind == LogGroupKind::kUser) {
      throw OraError(2264, "name already used by an existing constraint");
    }
    throw OraError(32588,
                   "supplemental logging attribute " + attribute_name(group.kind) + " exists");
  }
  for (const std::string& column : group.columns) column_of(t, column);
  if (group.name.empty()) {
    group.name = take_constraint_name(c);
    group.generated_name = true;
  }
  t.log_groups.push_back(std::move(group));
  mark_structure(c, t);
}

void drop_log_group(Catalog& c, const std::string& owner, const std::string& table,
                    LogGroupKind kind, const std::string& name) {
  TableDef& t = edit_table(c, owner, table);
  const auto found =
      std::find_if(t.log_groups.begin(), t.log_groups.end(), [&](const LogGroupDef& g) {
        return g.kind == kind && (kind != LogGroupKind::kUser || g.name == name);
      });
  if (found == t.log_groups.end()) {
    throw OraError(32587, "Cannot drop nonexistent " +
                              (name.empty() ? attribute_name(kind) : name) +
                              " supplemental logging");
  }
  t.log_groups.erase(found);
  mark_structure(c, t);
}

}  // namespace orasim::ddl
