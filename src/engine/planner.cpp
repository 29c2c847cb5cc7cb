#include "engine/planner.h"

#include <algorithm>
#include <map>

namespace wherry::engine {
namespace {

/// Tables that replication tools keep for themselves are nobody's data.
bool is_control_table(const schema::TableRef& table) {
  for (const std::string_view prefix : {"awsdms_", "AWSDMS_", "wherry_", "WHERRY_"}) {
    if (table.name.compare(0, prefix.size(), prefix) == 0) return true;
  }
  return false;
}

Error collision(std::string what, const std::string& first, const std::string& second,
                const std::string& name) {
  return make_error(ErrorKind::kConfig, "plan.name_collision",
                    what + " " + first + " and " + second + " would both become " + name,
                    "Change the transformation rules so that every name is used once");
}

/// Columns of a ranges rule exist and can be compared with what is written in a rule (AWS DMS User
/// Guide: no DOUBLE, FLOAT, BLOB, CLOB, NCLOB).
Result<void> check_ranges(const schema::TableDef& table,
                          const std::optional<schema::ParallelLoad>& rule) {
  if (!rule || rule->type != schema::ParallelLoadType::kRanges) return {};
  for (const std::string& name : rule->columns) {
    const int found = table.find_column(name);
    std::string problem = "does not exist";
    if (found >= 0) {
      const schema::LogicalType& type = table.columns[static_cast<std::size_t>(found)].type;
      const bool is_float =
          type.kind == schema::TypeKind::kFloat32 || type.kind == schema::TypeKind::kFloat64;
      if (!schema::is_lob(type) && !is_float) continue;
      problem = "has a type that has no ranges";
    }
    return make_error(ErrorKind::kSchema, "plan.bad_ranges",
                      "a column of the table's parallel-load rule " + problem,
                      "Correct the rule in the table mappings; names are compared exactly")
        .with("column", name);
  }
  return {};
}

class TablePlanner {
 public:
  TablePlanner(const schema::TableDef& table, const mapping::RuleSet& rules,
               connect::TargetLoader& target, bool is_one_engine)
      : table_(table), rules_(rules), target_(target) {
    plan_.is_native = is_one_engine;
  }

  Result<schema::TablePlan> make() {
    plan_.source = table_.table;
    plan_.target = rules_.target_table(table_.table);
    plan_.estimated_rows = table_.estimated_rows;
    WHERRY_TRY(check_name("schema", plan_.target.schema));
    WHERRY_TRY(check_name("table", plan_.target.name));
    for (const schema::ColumnDef& column : table_.columns) WHERRY_TRY(add(column));
    if (plan_.columns.empty()) {
      return make_error(ErrorKind::kSchema, "plan.no_columns",
                        "no column of the table can be moved", "Exclude the table from the task");
    }
    const mapping::KeyRule* const key = rules_.key_rule(table_.table);
    if (key == nullptr) {
      set_key();
    } else {
      WHERRY_TRY(set_key(*key));
    }
    WHERRY_TRY(set_filter());
    return std::move(plan_);
  }

 private:
  Result<void> add(const schema::ColumnDef& column) {
    if (!rules_.has_column(table_.table, column.name)) return {};
    if (column.is_generated) {
      plan_.warnings.push_back("column " + column.name + " is generated and left out");
      return {};
    }
    if (column.type.kind == schema::TypeKind::kUnsupported) {
      plan_.warnings.push_back("column " + column.name + " has type " + column.native_type +
                               ", which cannot be moved, and is left out");
      return {};
    }
    schema::ColumnPlan planned;
    planned.source_name = column.name;
    planned.source_number = column.number;
    planned.target_name = rules_.target_column(table_.table, column.name);
    WHERRY_TRY(check_name("column", planned.target_name));
    planned.type = column.type;
    planned.source_type = column.native_type;
    WHERRY_TRY(choose_type(column, planned));
    planned.not_null = !column.nullable;
    const auto [other, is_new] = names_.emplace(planned.target_name, column.name);
    if (!is_new) {
      return collision("columns", other->second, column.name, planned.target_name)
          .with("table", schema::to_text(table_.table));
    }
    plan_.columns.push_back(std::move(planned));
    return {};
  }

  Result<void> choose_type(const schema::ColumnDef& column, schema::ColumnPlan& planned) {
    if (plan_.is_native) {
      planned.target_type = column.native_type;
      planned.is_native = true;
      return {};
    }
    schema::ColumnDef carried = column;
    // Every engine prints its own types as text.
    if (carried.type.kind == schema::TypeKind::kNative) carried.type.kind = schema::TypeKind::kClob;
    auto type = target_.column_type(carried);
    if (!type.ok()) return std::move(type).error().with("column", column.name);
    planned.type = carried.type;
    planned.target_type = *std::move(type);
    planned.trim_blanks = column.type.blank_padded;
    return {};
  }

  /// Text and bytes without a limit can be a key where both ends are of one engine.
  [[nodiscard]] bool make_key_type(schema::LogicalType& type) const {
    if (!schema::is_lob(type)) return true;
    if (!plan_.is_native) return false;
    type = {};
    type.kind = schema::TypeKind::kNative;
    return true;
  }

  [[nodiscard]] Result<void> check_name(std::string_view what, const std::string& name) const {
    if (!name.empty() && name.size() <= target_.max_name_bytes()) return {};
    const std::string why =
        name.empty() ? "is empty"
                     : "has " + std::to_string(name.size()) + " bytes, and the target's names " +
                           std::to_string(target_.max_name_bytes()) + " at most";
    return make_error(ErrorKind::kSchema, "plan.bad_name",
                      "the name of a " + std::string(what) + " on the target " + why,
                      "Rename it with a transformation rule in the table mappings")
        .with("name", name);
  }

  /// The key counts only when all of it travels and none of it is a large object.
  void set_key() {
    const schema::KeyDef* key = table_.row_identity();
    if (key == nullptr) {
      plan_.warnings.push_back("the table has no primary key and no unique key without NULLs");
      return;
    }
    for (const std::string& name : key->columns) {
      const auto found = std::find_if(
          plan_.columns.begin(), plan_.columns.end(),
          [&](const schema::ColumnPlan& column) { return column.source_name == name; });
      if (found == plan_.columns.end() || !make_key_type(found->type)) {
        plan_.key.clear();
        plan_.key_is_lost = true;
        plan_.warnings.push_back("the key " + key->name + " cannot be carried over");
        return;
      }
      plan_.key.push_back(static_cast<std::size_t>(found - plan_.columns.begin()));
    }
    plan_.key_is_primary = key->is_primary;
    plan_.key_name = key_name(key->is_primary);
  }

  /// The key of a rule. Its columns are named as the target has them.
  Result<void> set_key(const mapping::KeyRule& rule) {
    for (const std::string& name : rule.columns) {
      const auto found = std::find_if(
          plan_.columns.begin(), plan_.columns.end(),
          [&](const schema::ColumnPlan& column) { return column.target_name == name; });
      if (found == plan_.columns.end() || !make_key_type(found->type)) {
        return make_error(ErrorKind::kSchema, "plan.bad_key",
                          found == plan_.columns.end()
                              ? "a column of the rule's key is none of the target's"
                              : "a column of the rule's key is a large object",
                          "Name columns as they are called on the target")
            .with("column", name);
      }
      found->not_null = true;
      plan_.key.push_back(static_cast<std::size_t>(found - plan_.columns.begin()));
    }
    plan_.key_is_primary = rule.is_primary;
    plan_.key_is_own = true;
    plan_.key_name = rule.name.empty() ? key_name(rule.is_primary) : rule.name;
    return check_name("key", plan_.key_name);
  }

  Result<void> set_filter() {
    schema::RowFilter filter = rules_.row_filter(table_.table);
    if (filter.empty()) return {};
    for (schema::ColumnFilter& each : filter) {
      const int found = table_.find_column(each.column);
      if (found < 0) {
        return make_error(ErrorKind::kSchema, "plan.bad_filter",
                          "the column of a filter does not exist",
                          "Correct the rule in the table mappings; names are compared exactly")
            .with("column", each.column);
      }
      each.type = table_.columns[static_cast<std::size_t>(found)].type;
      WHERRY_TRY(schema::check_filter(each));
    }
    plan_.filter = std::make_shared<const schema::RowFilter>(std::move(filter));
    return {};
  }

  /// As PostgreSQL and DMS name it: after the table, within the longest name.
  [[nodiscard]] std::string key_name(bool is_primary) const {
    const std::string suffix = is_primary ? "_pkey" : "_key";
    std::string name = plan_.target.name;
    std::size_t cut = std::min(name.size(), target_.max_name_bytes() - suffix.size());
    while (cut < name.size() && cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80)
      --cut;
    return name.substr(0, cut) + suffix;
  }

  const schema::TableDef& table_;
  const mapping::RuleSet& rules_;
  connect::TargetLoader& target_;
  schema::TablePlan plan_;
  std::map<std::string, std::string> names_;
};

struct Ordered {
  TableTask task;
  std::int64_t load_order = 0;
};

bool starts_before(const Ordered& a, const Ordered& b) {
  if (a.load_order != b.load_order) return a.load_order > b.load_order;
  const auto& x = a.task.definition;
  const auto& y = b.task.definition;
  if (x.estimated_bytes != y.estimated_bytes) return x.estimated_bytes > y.estimated_bytes;
  return x.table < y.table;
}

}  // namespace

Result<TaskPlan> make_plan(const std::vector<schema::TableDef>& catalogue,
                           const mapping::RuleSet& rules, connect::TargetLoader& target,
                           bool is_one_engine) {
  TaskPlan plan;
  std::vector<Ordered> ordered;
  std::map<schema::TableRef, schema::TableRef> sources;
  for (const schema::TableDef& table : catalogue) {
    const auto load_order = rules.select(table.table);
    if (!load_order || is_control_table(table.table)) continue;
    auto parallel_load = rules.parallel_load(table.table);
    auto planned = TablePlanner(table, rules, target, is_one_engine).make();
    if (auto checked = check_ranges(table, parallel_load); planned.ok() && !checked.ok()) {
      planned = std::move(checked).error();
    }
    if (!planned.ok()) {
      if (planned.error().kind == ErrorKind::kConfig) return std::move(planned).error();
      plan.refused.push_back(
          {table.table, std::move(planned).error().with("table", schema::to_text(table.table))});
      continue;
    }
    const auto [other, is_new] = sources.emplace(planned->target, table.table);
    if (!is_new) {
      return collision("tables", schema::to_text(other->second), schema::to_text(table.table),
                       schema::to_text(planned->target));
    }
    Ordered& entry = ordered.emplace_back();
    entry.task.plan = std::make_shared<const schema::TablePlan>(*std::move(planned));
    entry.task.definition = table;
    entry.task.parallel_load = std::move(parallel_load);
    entry.load_order = *load_order;
  }
  std::sort(ordered.begin(), ordered.end(), starts_before);
  for (Ordered& entry : ordered) plan.tables.push_back(std::move(entry.task));
  return plan;
}

}  // namespace wherry::engine
