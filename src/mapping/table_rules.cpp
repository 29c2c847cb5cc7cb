#include "mapping/table_rules.h"

#include <algorithm>

#include "mapping/pattern.h"
#include "transform/expression.h"

namespace wherry::mapping {
namespace {

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

Result<std::string> renamed(const TransformationRule& rule, const std::string& name,
                            const transform::ExpressionSubject& subject) {
  switch (rule.action) {
    case TransformAction::kRename:
      if (!rule.expression.empty()) return transform::evaluate_name(rule.expression, subject);
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
    default:
      return name;
  }
}

bool is_of_table(const TransformationRule& rule, const schema::TableRef& table) {
  return rule.locator.table.matches(table.name) && rule.locator.schema.matches(table.schema);
}

/// The name up to its length or precision, which a rule need not repeat.
std::string_view bare_type(std::string_view native) {
  return native.substr(0, native.find('('));
}

bool is_same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(x) == lower(y);
  });
}

/// A rule names a type as DMS calls it, or as the source does.
bool has_type(const schema::ColumnDef& column, std::string_view wanted) {
  return is_same_word(wanted, schema::dms_name_of(column)) ||
         is_same_word(wanted, column.native_type) ||
         is_same_word(wanted, bare_type(column.native_type));
}

bool concerns(const TransformationRule& rule, const schema::ColumnDef& column) {
  if (!rule.locator.column.matches(column.name)) return false;
  return rule.locator.data_type.empty() || has_type(column, rule.locator.data_type);
}

schema::Masking masking_of(const TransformationRule& rule) {
  switch (rule.action) {
    case TransformAction::kMaskDigits:
      return {schema::MaskingKind::kDigits, rule.value.empty() ? '\0' : rule.value.front()};
    case TransformAction::kRandomizeDigits:
      return {schema::MaskingKind::kRandomDigits, '\0'};
    case TransformAction::kMaskByHash:
      return {schema::MaskingKind::kHash, '\0'};
    default:
      return {};
  }
}

/// Of one object.
struct Winner {
  const TransformationRule* rule = nullptr;
  /// False: another one was there before.
  bool take(const TransformationRule& candidate) {
    if (rule != nullptr) return false;
    rule = &candidate;
    return true;
  }
};

}  // namespace

TableRules::TableRules(const RuleSet& rules, schema::TableRef source)
    : rules_(rules), source_(std::move(source)) {
  for (const TransformationRule& rule : rules.transformations()) {
    if (rule.target == TransformTarget::kSchema) {
      if (rule.locator.schema.matches(source_.schema)) of_schema_.push_back(&rule);
      continue;
    }
    if (!is_of_table(rule, source_)) continue;
    if (rule.target == TransformTarget::kTable) {
      if (rule.action != TransformAction::kDefinePrimaryKey) {
        of_table_.push_back(&rule);
      } else if (key_ == nullptr) {
        key_ = &rule;
      }
    } else if (rule.target >= TransformTarget::kTableTablespace) {
      of_tablespaces_.push_back(&rule);
    } else if (rule.target == TransformTarget::kColumn) {
      if (rule.action != TransformAction::kAddColumn) {
        of_columns_.push_back(&rule);
        has_includes_ = has_includes_ || rule.action == TransformAction::kIncludeColumn;
      } else if (std::none_of(added_.begin(), added_.end(),
                              [&](const auto* other) { return other->value == rule.value; })) {
        added_.push_back(&rule);
      }
    }
  }
}

Result<TableOutcome> TableRules::table() const {
  TableOutcome out;
  out.target = source_;
  const transform::ExpressionSubject subject{source_.schema, source_.name, {}, {}};
  Winner of_schema, of_table;
  for (const TransformationRule* rule : of_schema_) {
    (of_schema.take(*rule) ? out.applied : out.passed_over).push_back(rule->id);
  }
  for (const TransformationRule* rule : of_table_) {
    (of_table.take(*rule) ? out.applied : out.passed_over).push_back(rule->id);
  }
  std::sort(out.applied.begin(), out.applied.end());
  if (of_schema.rule != nullptr) {
    WHERRY_ASSIGN(out.target.schema, renamed(*of_schema.rule, source_.schema, subject));
  } else if (!rules_.target_schema().empty()) {
    out.target.schema = rules_.target_schema();
  }
  if (of_table.rule != nullptr) {
    WHERRY_ASSIGN(out.target.name, renamed(*of_table.rule, source_.name, subject));
  }
  return out;
}

Result<std::string> TableRules::tablespace(TransformTarget of, const std::string& source,
                                           std::vector<std::int64_t>& ids) const {
  if (source.empty()) return std::string();
  for (const TransformationRule* rule : of_tablespaces_) {
    if (rule->target != of || !rule->locator.tablespace.matches(source)) continue;
    ids.push_back(rule->id);
    return renamed(*rule, source, {source_.schema, source_.name, {}, {}});
  }
  return std::string();
}

Result<ColumnOutcome> TableRules::column(const schema::ColumnDef& column) const {
  ColumnOutcome out;
  out.target_name = column.name;
  Winner action, mask, before;
  bool is_included = !has_includes_;
  for (const TransformationRule* rule : of_columns_) {
    if (!concerns(*rule, column)) continue;
    bool counts = true;
    if (rule->action == TransformAction::kIncludeColumn) {
      is_included = true;
    } else if (rule->action == TransformAction::kAddBeforeImageColumns) {
      counts = before.take(*rule);
    } else {
      counts = (masks(rule->action) ? mask : action).take(*rule);
    }
    (counts ? out.applied : out.passed_over).push_back(rule->id);
  }
  out.is_moved = is_included;
  if (mask.rule != nullptr) out.masking = masking_of(*mask.rule);
  if (before.rule != nullptr) out.before_image = &before.rule->before_image;
  if (action.rule == nullptr) return out;
  if (action.rule->action == TransformAction::kRemoveColumn) out.is_moved = false;
  if (action.rule->action == TransformAction::kChangeDataType) out.type = action.rule->type;
  if (gives_name(action.rule->action)) {
    WHERRY_ASSIGN(out.target_name, renamed(*action.rule, column.name,
                                           {source_.schema, source_.name, column.name,
                                            std::string(schema::dms_name_of(column))}));
  }
  return out;
}

}  // namespace wherry::mapping
