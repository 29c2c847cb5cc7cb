#include "mapping/rule_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "mapping/rule_names.h"

namespace wherry::mapping {
namespace {

std::string text_of(const SelectionRule& rule) {
  static constexpr std::array<std::string_view, 3> kWhat = {"", "views ", "tables and views "};
  std::string out = fmt::format("{} {}{}.{}", name_in(kSelectionActions, rule.action),
                                kWhat.at(static_cast<std::size_t>(rule.table_type)),
                                rule.locator.schema.text(), rule.locator.table.text());
  if (rule.load_order != 0) out += fmt::format(", load-order {}", rule.load_order);
  if (!rule.filter.empty()) out += ", where " + filter_text(rule.filter);
  return out;
}

std::string text_of(const TransformationRule& rule) {
  const Locator& at = rule.locator;
  std::string out = fmt::format("{} {}", name_in(kTargets, rule.target), at.schema.text());
  if (rule.target != TransformTarget::kSchema) out += "." + at.table.text();
  if (!at.column.text().empty()) out += "." + at.column.text();
  if (!at.data_type.empty()) out += fmt::format(" of type {}", at.data_type);
  out += fmt::format(": {}", name_in(kTransformActions, rule.action));
  if (!rule.old_value.empty()) out += fmt::format(" '{}' by", rule.old_value);
  if (rule.action == TransformAction::kDefinePrimaryKey) {
    out += fmt::format(" {} ({})", rule.key.is_primary ? "primary" : "unique",
                       fmt::join(rule.key.columns, ", "));
  }
  const bool has_value = rule.action == TransformAction::kAddColumn ||
                         rule.action == TransformAction::kMaskDigits ||
                         (gives_name(rule.action) && rule.action != TransformAction::kLowercase &&
                          rule.action != TransformAction::kUppercase);
  if (has_value && !rule.value.empty()) out += fmt::format(" '{}'", rule.value);
  if (!rule.type.name.empty()) out += " " + schema::to_text(rule.type);
  if (!rule.expression.empty()) out += " = " + rule.expression;
  if (rule.action == TransformAction::kAddBeforeImageColumns) {
    out += fmt::format(" {}…{} ({})", rule.before_image.prefix, rule.before_image.suffix,
                       name_in(kBeforeImageColumns, rule.before_image.columns));
  }
  return out;
}

std::string text_of(const TableSettingsRule& rule) {
  std::string out = fmt::format("{}.{}", rule.locator.schema.text(), rule.locator.table.text());
  if (rule.parallel_load) out += ", parallel-load";
  if (rule.lobs) {
    constexpr std::uint64_t kBytesInKilobyte = 1024;
    out += rule.lobs->max_bytes != 0
               ? fmt::format(", LOBs cut at {} KB", rule.lobs->max_bytes / kBytesInKilobyte)
               : ", whole LOBs";
  }
  return out;
}

std::string text_of(const ObjectMappingRule& rule) {
  return fmt::format("{}.{}: {}{}", rule.locator.schema.text(),
                     rule.locator.table.text().empty() ? "%" : rule.locator.table.text(),
                     rule.action, rule.target_table.empty() ? "" : " into " + rule.target_table);
}

template <class Rule>
void add(std::vector<RuleText>& out, const char* type, std::vector<Rule> rules) {
  std::sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) { return a.id < b.id; });
  for (const Rule& rule : rules) out.push_back({rule.id, type, text_of(rule)});
}

}  // namespace

std::string filter_text(const schema::RowFilter& filter) {
  const schema::FilterDialect dialect = {
      [](const schema::ColumnFilter& each) { return each.column; },
      [](const schema::ColumnFilter& each, bool is_null) {
        return each.column + (is_null ? " is null" : " is not null");
      },
      [](const schema::ColumnFilter&, const std::string& value) { return "'" + value + "'"; }};
  return schema::filter_sql(filter, dialect);
}

std::vector<RuleText> texts_of(const RuleSet& rules) {
  std::vector<RuleText> out;
  add(out, "selection", rules.selections());
  add(out, "transformation", rules.transformations());
  add(out, "table-settings", rules.table_settings());
  add(out, "object-mapping", rules.object_mappings());
  return out;
}

}  // namespace wherry::mapping
