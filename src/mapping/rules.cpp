#include "mapping/rules.h"

#include <algorithm>

#include "mapping/pattern.h"
#include "mapping/table_rules.h"

namespace wherry::mapping {
namespace {

bool takes(TableType type, schema::TableKind kind) {
  return type == TableType::kAll || (type == TableType::kView) == schema::is_view(kind);
}

bool locates(const SelectionRule& rule, const schema::TableRef& table, schema::TableKind kind) {
  if (!takes(rule.table_type, kind)) return false;
  if (rule.action == SelectionAction::kExplicit) {
    return rule.locator.schema.text() == table.schema && rule.locator.table.text() == table.name;
  }
  return rule.locator.table.matches(table.name) && rule.locator.schema.matches(table.schema);
}

bool is_name(const Pattern& pattern, const std::string& name) {
  if (pattern.text() == name) return true;
  return pattern.text().find('[') != std::string::npos && unescaped(pattern.text()) == name;
}

bool is_named(const Locator& locator, const schema::TableRef& table) {
  return is_name(locator.table, table.name) && is_name(locator.schema, table.schema);
}

/// A rule for one name; a _ is nearly always meant as itself.
bool names_one(const SelectionRule& rule) {
  if (rule.action == SelectionAction::kExplicit) return true;
  return !has_percent(rule.locator.schema.text()) && !has_percent(rule.locator.table.text());
}

}  // namespace

RuleSet RuleSet::everything() {
  RuleSet rules;
  rules.selections_.push_back(
      {1, SelectionAction::kInclude, {Pattern("%"), Pattern("%"), {}}, 0, {}, TableType::kTable});
  return rules;
}

std::optional<std::int64_t> RuleSet::select(const schema::TableRef& table,
                                            schema::TableKind kind) const {
  std::optional<std::int64_t> order;
  bool excluded = false;
  bool named = false;
  for (const SelectionRule& rule : selections_) {
    if (!locates(rule, table, kind)) continue;
    if (rule.action == SelectionAction::kExclude) {
      excluded = true;
      continue;
    }
    named = named || rule.action == SelectionAction::kExplicit;
    order = std::max(order.value_or(0), rule.load_order);
  }
  return excluded && !named ? std::nullopt : order;
}

std::vector<std::int64_t> RuleSet::selecting(const schema::TableRef& table,
                                             schema::TableKind kind) const {
  std::vector<std::int64_t> out;
  for (const SelectionRule& rule : selections_) {
    if (rule.action == SelectionAction::kExclude || !locates(rule, table, kind)) continue;
    out.push_back(rule.id);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool RuleSet::needs_views() const {
  return std::any_of(selections_.begin(), selections_.end(), [](const SelectionRule& rule) {
    if (rule.action == SelectionAction::kExclude) return false;
    return rule.table_type != TableType::kTable || names_one(rule);
  });
}

bool RuleSet::needs_tablespaces() const {
  return std::any_of(transformations_.begin(), transformations_.end(),
                     [](const TransformationRule& rule) {
                       return rule.target >= TransformTarget::kTableTablespace;
                     });
}

std::optional<std::int64_t> RuleSet::naming_view(const schema::TableRef& view) const {
  std::optional<std::int64_t> id;
  for (const SelectionRule& rule : selections_) {
    const bool is_meant = rule.action != SelectionAction::kExclude &&
                          rule.table_type == TableType::kTable && names_one(rule) &&
                          is_named(rule.locator, view);
    if (is_meant) id = std::min(id.value_or(rule.id), rule.id);
  }
  return id;
}

TableRules RuleSet::of(const schema::TableRef& source) const {
  return {*this, source};
}

schema::RowFilter RuleSet::row_filter(const schema::TableRef& table, schema::TableKind kind) const {
  const SelectionRule* best = nullptr;
  for (const SelectionRule& rule : selections_) {
    if (rule.filter.empty() || !locates(rule, table, kind)) continue;
    if (best == nullptr || rule.id < best->id) best = &rule;
  }
  return best == nullptr ? schema::RowFilter() : best->filter;
}

std::vector<std::string> RuleSet::named_schemas() const {
  std::vector<std::string> schemas;
  for (const SelectionRule& rule : selections_) {
    if (rule.action == SelectionAction::kExclude) continue;
    const bool literal =
        rule.action == SelectionAction::kExplicit || !has_wildcard(rule.locator.schema.text());
    // A lone _ is a wildcard by the letter but nearly always meant as itself; reading all schemas
    // costs little and is right both ways.
    if (!literal) return {};
    const std::string& name = rule.locator.schema.text();
    if (std::find(schemas.begin(), schemas.end(), name) == schemas.end()) schemas.push_back(name);
  }
  return schemas;
}

std::optional<schema::LobSetting> RuleSet::lob_setting(const schema::TableRef& table) const {
  const TableSettingsRule* best = nullptr;
  for (const TableSettingsRule& rule : table_settings_) {
    if (!is_named(rule.locator, table)) continue;
    if (rule.lobs && (best == nullptr || rule.id < best->id)) best = &rule;
  }
  return best == nullptr ? std::nullopt : best->lobs;
}

std::optional<schema::ParallelLoad> RuleSet::parallel_load(const schema::TableRef& table) const {
  const TableSettingsRule* best = nullptr;
  for (const TableSettingsRule& rule : table_settings_) {
    if (!is_named(rule.locator, table)) continue;
    if (rule.parallel_load && (best == nullptr || rule.id < best->id)) best = &rule;
  }
  return best == nullptr ? std::nullopt : best->parallel_load;
}

}  // namespace wherry::mapping
