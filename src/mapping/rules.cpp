#include "mapping/rules.h"

#include <algorithm>

#include "mapping/pattern.h"

namespace wherry::mapping {
namespace {

bool locates(const SelectionRule& rule, const schema::TableRef& table) {
  if (rule.action == SelectionAction::kExplicit) {
    return rule.locator.schema == table.schema && rule.locator.table == table.name;
  }
  return matches(rule.locator.schema, table.schema) && matches(rule.locator.table, table.name);
}

/// ASCII letters change; what else a name holds stays, as no locale decides about identifiers.
std::string with_case(std::string name, bool upper) {
  for (char& c : name) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

bool starts_with(std::string_view text, std::string_view part) {
  return text.substr(0, part.size()) == part;
}
bool ends_with(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && text.substr(text.size() - part.size()) == part;
}

std::string replaced_prefix(const std::string& name, const std::string& old,
                            const std::string& now) {
  return starts_with(name, old) ? now + name.substr(old.size()) : name;
}
std::string replaced_suffix(const std::string& name, const std::string& old,
                            const std::string& now) {
  return ends_with(name, old) ? name.substr(0, name.size() - old.size()) + now : name;
}

std::string renamed(const TransformationRule& rule, const std::string& name) {
  switch (rule.action) {
    case TransformAction::kRemoveColumn:
    case TransformAction::kIncludeColumn:
    case TransformAction::kDefinePrimaryKey:
      break;
    case TransformAction::kRename:
      return rule.value;
    case TransformAction::kLowercase:
      return with_case(name, false);
    case TransformAction::kUppercase:
      return with_case(name, true);
    case TransformAction::kAddPrefix:
      return rule.value + name;
    case TransformAction::kAddSuffix:
      return name + rule.value;
    case TransformAction::kRemovePrefix:
      return replaced_prefix(name, rule.value, {});
    case TransformAction::kRemoveSuffix:
      return replaced_suffix(name, rule.value, {});
    case TransformAction::kReplacePrefix:
      return replaced_prefix(name, rule.old_value, rule.value);
    case TransformAction::kReplaceSuffix:
      return replaced_suffix(name, rule.old_value, rule.value);
  }
  return name;
}

bool is_of_table(const TransformationRule& rule, const schema::TableRef& table) {
  return matches(rule.locator.schema, table.schema) && matches(rule.locator.table, table.name);
}

bool concerns(const TransformationRule& rule, const schema::TableRef& table,
              std::string_view column) {
  return rule.target == TransformTarget::kColumn && is_of_table(rule, table) &&
         matches(rule.locator.column, column);
}

}  // namespace

RuleSet RuleSet::everything() {
  RuleSet rules;
  rules.selections_.push_back({1, SelectionAction::kInclude, {"%", "%", {}}, 0, {}});
  return rules;
}

std::optional<std::int64_t> RuleSet::select(const schema::TableRef& table) const {
  std::optional<std::int64_t> order;
  bool excluded = false;
  bool named = false;
  for (const SelectionRule& rule : selections_) {
    if (!locates(rule, table)) continue;
    if (rule.action == SelectionAction::kExclude) {
      excluded = true;
      continue;
    }
    named = named || rule.action == SelectionAction::kExplicit;
    order = std::max(order.value_or(0), rule.load_order);
  }
  return excluded && !named ? std::nullopt : order;
}

schema::RowFilter RuleSet::row_filter(const schema::TableRef& table) const {
  const SelectionRule* best = nullptr;
  for (const SelectionRule& rule : selections_) {
    if (rule.filter.empty() || !locates(rule, table)) continue;
    if (best == nullptr || rule.id < best->id) best = &rule;
  }
  return best == nullptr ? schema::RowFilter() : best->filter;
}

schema::TableRef RuleSet::target_table(const schema::TableRef& source) const {
  schema::TableRef target = source;
  bool schema_done = false;
  bool table_done = false;
  for (const TransformationRule& rule : transformations_) {
    if (!gives_name(rule.action) || !matches(rule.locator.schema, source.schema)) continue;
    if (rule.target == TransformTarget::kSchema && !schema_done) {
      target.schema = renamed(rule, source.schema);
      schema_done = true;
    }
    if (rule.target == TransformTarget::kTable && !table_done &&
        matches(rule.locator.table, source.name)) {
      target.name = renamed(rule, source.name);
      table_done = true;
    }
  }
  if (!schema_done && !target_schema_.empty()) target.schema = target_schema_;
  return target;
}

std::string RuleSet::target_column(const schema::TableRef& source, std::string_view column) const {
  for (const TransformationRule& rule : transformations_) {
    if (gives_name(rule.action) && concerns(rule, source, column)) {
      return renamed(rule, std::string(column));
    }
  }
  return std::string(column);
}

bool RuleSet::has_column(const schema::TableRef& source, std::string_view column) const {
  bool has_includes = false, is_included = false, has_action = false;
  for (const TransformationRule& rule : transformations_) {
    if (rule.action == TransformAction::kIncludeColumn) {
      has_includes = has_includes || is_of_table(rule, source);
      is_included = is_included || concerns(rule, source, column);
    } else if (concerns(rule, source, column)) {
      // One action a column: a name that was given by a lower id leaves it where it is.
      if (rule.action == TransformAction::kRemoveColumn && !has_action) return false;
      has_action = true;
    }
  }
  return !has_includes || is_included;
}

const KeyRule* RuleSet::key_rule(const schema::TableRef& source) const {
  for (const TransformationRule& rule : transformations_) {
    const bool is_this = rule.action == TransformAction::kDefinePrimaryKey &&
                         rule.locator.schema == source.schema && rule.locator.table == source.name;
    if (is_this) return &rule.key;
  }
  return nullptr;
}

std::vector<std::string> RuleSet::named_schemas() const {
  std::vector<std::string> schemas;
  for (const SelectionRule& rule : selections_) {
    if (rule.action == SelectionAction::kExclude) continue;
    const bool literal =
        rule.action == SelectionAction::kExplicit || !has_wildcard(rule.locator.schema);
    // A lone _ is a wildcard by the letter but nearly always meant as itself; reading all schemas
    // costs little and is right both ways.
    if (!literal) return {};
    if (std::find(schemas.begin(), schemas.end(), rule.locator.schema) == schemas.end()) {
      schemas.push_back(rule.locator.schema);
    }
  }
  return schemas;
}

std::optional<schema::LobSetting> RuleSet::lob_setting(const schema::TableRef& table) const {
  const TableSettingsRule* best = nullptr;
  for (const TableSettingsRule& rule : table_settings_) {
    if (rule.locator.schema != table.schema || rule.locator.table != table.name) continue;
    if (rule.lobs && (best == nullptr || rule.id < best->id)) best = &rule;
  }
  return best == nullptr ? std::nullopt : best->lobs;
}

std::optional<schema::ParallelLoad> RuleSet::parallel_load(const schema::TableRef& table) const {
  const TableSettingsRule* best = nullptr;
  for (const TableSettingsRule& rule : table_settings_) {
    if (rule.locator.schema != table.schema || rule.locator.table != table.name) continue;
    if (rule.parallel_load && (best == nullptr || rule.id < best->id)) best = &rule;
  }
  return best == nullptr ? std::nullopt : best->parallel_load;
}

}  // namespace wherry::mapping
