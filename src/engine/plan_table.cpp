#include "engine/plan_table.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/made_rows.h"
#include "mapping/table_rules.h"
#include "transform/expression.h"
#include "transform/masking.h"

namespace wherry::engine {
namespace {

constexpr std::uint32_t kHashDigits = 64;

bool is_same_but_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

class TableMaker {
 public:
  TableMaker(const schema::TableDef& table, const mapping::RuleSet& rules,
             connect::TargetLoader& target, const PlanOptions& options)
      : table_(table),
        rules_(rules.of(table.table)),
        filter_(rules.row_filter(table.table, table.kind)),
        target_(target),
        masking_errors_(options.masking_errors),
        filter_judge_(options.filter_judge),
        applied_(rules.selecting(table.table, table.kind)) {
    plan_.is_native = options.is_one_engine;
  }

  Result<PlannedTable> make() {
    plan_.source = table_.table;
    WHERRY_TRY(set_names());
    plan_.estimated_rows = table_.estimated_rows;
    for (const schema::ColumnDef& column : table_.columns) WHERRY_TRY(add(column));
    for (const mapping::TransformationRule* rule : rules_.added()) WHERRY_TRY(add(*rule));
    WHERRY_TRY(check_collisions());
    read_something();
    if (schema::read_plan(std::make_shared<schema::TablePlan>(plan_))->columns.empty()) {
      return make_error(ErrorKind::kSchema, "plan.no_columns",
                        "no column of the table can be moved", "Exclude the table from the task");
    }
    if (rules_.key() == nullptr) {
      set_key();
    } else {
      WHERRY_TRY(set_key(rules_.key()->key));
      applied_.push_back(rules_.key()->id);
    }
    WHERRY_TRY(set_tablespaces());
    WHERRY_TRY(add_before_images());
    WHERRY_TRY(check_collisions());
    WHERRY_TRY(check_made_rows());
    WHERRY_TRY(set_filter());
    const mapping::TransformationRule* const key = rules_.key();
    return PlannedTable{std::move(plan_), std::move(left_out_), std::move(applied_),
                        std::move(long_names_), key != nullptr && !key->key.name.empty()};
  }

 private:
  Result<void> set_names() {
    WHERRY_ASSIGN(const mapping::TableOutcome named, rules_.table());
    plan_.target = named.target;
    applied_.insert(applied_.end(), named.applied.begin(), named.applied.end());
    for (const std::int64_t id : named.passed_over) {
      warn("plan.rule_passed_over", schema::WarningRank::kRisk,
           "rule-id " + std::to_string(id) +
               " is passed over: a rule with a lower id names the schema or the table already");
    }
    WHERRY_TRY(check_name(LongName::Kind::kSchema, table_.table.schema, plan_.target.schema));
    return check_name(LongName::Kind::kTable, schema::to_text(table_.table), plan_.target.name);
  }

  Result<void> add(const schema::ColumnDef& column) {
    WHERRY_ASSIGN(const mapping::ColumnOutcome outcome, rules_.column(column));
    warn_of_passed_over(column, outcome);
    if (!outcome.is_moved) {
      left_out_.push_back({column.name, column.native_type, "by a rule", outcome.applied});
      return {};
    }
    if (column.is_generated) {
      leave_out(column, "plan.generated_column", schema::WarningRank::kNote, "is generated");
      return {};
    }
    if (column.type.kind == schema::TypeKind::kUnsupported) {
      leave_out(column, "plan.unsupported_type", schema::WarningRank::kLoss,
                "has type " + column.native_type + ", which cannot be moved,");
      return {};
    }
    schema::ColumnPlan planned;
    planned.source_name = column.name;
    planned.source_number = column.number;
    planned.target_name = outcome.target_name;
    planned.type = column.type;
    planned.source_type = column.native_type;
    planned.masking = outcome.masking;
    planned.rules = outcome.applied;
    WHERRY_TRY(check_mask(planned));
    WHERRY_TRY(choose_type(column, outcome, planned));
    // What a query promises holds as long as what it is made of, and of no row that is made up.
    planned.not_null = !column.nullable && !schema::is_view(table_.kind);
    if (outcome.before_image != nullptr) {
      before_images_.push_back({plan_.columns.size(), outcome.before_image});
    }
    return take(std::move(planned));
  }

  /// A name of the target is there once; also when letters' case alone would tell two apart, for
  /// columns that are added.
  Result<void> take(schema::ColumnPlan planned) {
    const std::string shown = planned.origin == schema::ColumnOrigin::kAdded
                                  ? "(added) " + planned.source_name
                                  : planned.source_name;
    const auto [other, is_new] = names_.emplace(planned.target_name, shown);
    if (!is_new) {
      note_collision(planned.target_name, other->second, shown);
      return {};
    }
    WHERRY_TRY(check_name(LongName::Kind::kColumn, shown, planned.target_name));
    plan_.columns.push_back(std::move(planned));
    return {};
  }

  void note_collision(const std::string& name, const std::string& first,
                      const std::string& second) {
    std::vector<std::string>& sources = collisions_[name];
    if (sources.empty()) sources.push_back(first);
    sources.push_back(second);
  }

  /// All of them at once.
  [[nodiscard]] Result<void> check_collisions() const {
    if (collisions_.empty()) return {};
    std::string text;
    for (const auto& [name, sources] : collisions_) {
      text += text.empty() ? "columns " : "; columns ";
      for (std::size_t i = 0; i < sources.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == sources.size() ? " and " : ", ") + sources[i];
      }
      text += " would all become " + name;
    }
    return make_error(ErrorKind::kConfig, "plan.name_collision",
                      text + " in " + schema::to_text(table_.table),
                      "Change the transformation rules so that every name is used once");
  }

  /// Rows are counted by what is read of them.
  void read_something() {
    const bool reads = !plan_.side_columns.empty() ||
                       std::any_of(plan_.columns.begin(), plan_.columns.end(), [](const auto& c) {
                         return c.origin == schema::ColumnOrigin::kSource;
                       });
    if (reads) return;
    const auto found =
        std::find_if(table_.columns.begin(), table_.columns.end(), [](const auto& c) {
          return c.type.kind != schema::TypeKind::kUnsupported && !c.is_generated &&
                 !schema::is_lob(c.type);
        });
    if (found != table_.columns.end()) read_aside(*found);
  }

  void warn(const char* code, schema::WarningRank rank, std::string text) {
    plan_.warnings.push_back({code, rank, std::move(text)});
  }
  void leave_out(const schema::ColumnDef& column, const char* code, schema::WarningRank rank,
                 const std::string& why) {
    left_out_.push_back({column.name, column.native_type, why, {}});
    warn(code, rank, "column " + column.name + " " + why + " and is left out");
  }

  void warn_of_passed_over(const schema::ColumnDef& column, const mapping::ColumnOutcome& outcome) {
    for (const std::int64_t id : outcome.passed_over) {
      warn("plan.rule_passed_over", schema::WarningRank::kRisk,
           "rule-id " + std::to_string(id) + " is passed over for column " + column.name +
               ": a rule with a lower id has it, and one action an object counts");
    }
  }

  /// A column that a rule adds.
  Result<void> add(const mapping::TransformationRule& rule) {
    schema::ColumnPlan planned;
    planned.origin = schema::ColumnOrigin::kAdded;
    planned.source_name = planned.target_name = rule.value;
    planned.expression = rule.expression;
    WHERRY_ASSIGN(planned.type, schema::logical_type_of(rule.type));
    schema::ColumnDef column;
    column.name = rule.value;
    column.type = planned.type;
    WHERRY_ASSIGN(planned.target_type, target_.column_type(column));
    planned.rules = {rule.id};
    planned.type_reason = "as the rule says";
    for (const auto& [name, from] : names_) {
      if (!is_same_but_case(name, rule.value)) continue;
      note_collision(rule.value, from, "(added) " + rule.value);
      return {};
    }
    if (!rule.expression.empty()) WHERRY_TRY(add_needs(rule));
    return take(std::move(planned));
  }

  /// What an expression asks for must be read.
  Result<void> add_needs(const mapping::TransformationRule& rule) {
    WHERRY_ASSIGN(const transform::ExpressionNeeds needs, transform::needs_of(rule.expression));
    for (std::string name : needs.columns) {
      const bool is_before = table_.find_column(name) < 0 && name.starts_with(kBeforePrefix);
      if (is_before) name.erase(0, kBeforePrefix.size());
      const int found = table_.find_column(name);
      if (found < 0) return bad_expression(rule, name, "does not exist");
      const schema::ColumnDef& column = table_.columns[static_cast<std::size_t>(found)];
      const bool has_values = column.type.kind != schema::TypeKind::kUnsupported &&
                              column.type.kind != schema::TypeKind::kNative;
      if (!has_values) {
        return bad_expression(
            rule, name, "has type " + column.native_type + ", which an expression cannot take");
      }
      if (column.is_generated) return bad_expression(rule, name, "is generated, and not read");
      schema::Asked& asked = read_aside(column).asked;
      // Where the log has deleted rows it has rows before their updates too.
      const bool asks_before = needs.flags_deletes || is_before;
      const auto wanted = asks_before ? schema::Asked::kOfDeleted : schema::Asked::kOfRows;
      if (is_before) changing_.insert(rule.value);
      asked = std::max(asked, wanted);
      // The log has the key of every change.
      plan_.needs_unchanged = plan_.needs_unchanged || !is_in_identity(name);
    }
    plan_.keeps_deleted = plan_.keeps_deleted || needs.flags_deletes;
    plan_.needs_user = plan_.needs_user || needs.asks_user;
    if (!needs.is_repeatable) changing_.insert(rule.value);
    return {};
  }

  [[nodiscard]] bool is_in_identity(const std::string& column) const {
    const schema::KeyDef* const key = table_.row_identity();
    return key != nullptr &&
           std::find(key->columns.begin(), key->columns.end(), column) != key->columns.end();
  }

  static Error bad_expression(const mapping::TransformationRule& rule, const std::string& column,
                              const std::string& why) {
    return make_error(ErrorKind::kSchema, "plan.bad_expression",
                      "column " + column + ", which an expression asks for, " + why,
                      "Correct the rule in the table mappings; names are compared exactly")
        .with("rule-id", std::to_string(rule.id))
        .with("expression", rule.expression);
  }

  /// Reads a column that the target may not have.
  schema::ColumnPlan& read_aside(const schema::ColumnDef& column) {
    const auto is_it = [&](const schema::ColumnPlan& planned) {
      return planned.origin == schema::ColumnOrigin::kSource && planned.source_name == column.name;
    };
    for (auto* list : {&plan_.columns, &plan_.side_columns}) {
      const auto found = std::find_if(list->begin(), list->end(), is_it);
      if (found != list->end()) return *found;
    }
    return add_side_column(column);
  }

  schema::ColumnPlan& add_side_column(const schema::ColumnDef& column) {
    schema::ColumnPlan planned;
    planned.source_name = planned.target_name = column.name;
    planned.source_number = column.number;
    planned.type = column.type;
    planned.source_type = planned.target_type = column.native_type;
    planned.trim_blanks = column.type.blank_padded && !plan_.is_native;
    return plan_.side_columns.emplace_back(std::move(planned));
  }

  Result<void> choose_type(const schema::ColumnDef& column, const mapping::ColumnOutcome& outcome,
                           schema::ColumnPlan& planned) {
    if (plan_.is_native && !outcome.type && !is_widened(planned)) {
      planned.target_type = column.native_type;
      planned.is_native = true;
      planned.type_reason = "the same type on both sides";
      return {};
    }
    schema::ColumnDef carried = column;
    // Every engine prints its own types as text.
    if (carried.type.kind == schema::TypeKind::kNative) carried.type.kind = schema::TypeKind::kClob;
    planned.type = carried.type;
    planned.trim_blanks = column.type.blank_padded;
    if (outcome.type) {
      WHERRY_ASSIGN(const schema::LogicalType wanted, schema::logical_type_of(*outcome.type));
      auto converted = target_.convert(carried, wanted);
      if (!converted.ok()) return std::move(converted).error().with("column", column.name);
      planned.target_type = std::move(converted->name);
      planned.likeness = converted->likeness;
      planned.type_reason = "changed by a rule";
      return {};
    }
    if (is_widened(planned)) {
      carried.type.length_chars = carried.type.length_bytes = kHashDigits;
      warn("plan.widened_for_hash", schema::WarningRank::kNote,
           "column " + column.name + " is made wider on the target: a hash has 64 characters");
    }
    auto type = target_.column_type(carried);
    if (!type.ok()) return std::move(type).error().with("column", column.name);
    planned.target_type = *std::move(type);
    planned.type_reason = target_.type_reason(carried);
    return {};
  }

  /// The hash of a value is longer than the column at the source.
  static bool is_widened(const schema::ColumnPlan& planned) {
    return planned.masking.kind == schema::MaskingKind::kHash &&
           planned.type.kind == schema::TypeKind::kText && planned.type.length_chars != 0 &&
           planned.type.length_chars < kHashDigits;
  }

  /// DataMaskingErrorPolicy decides.
  Result<void> check_mask(schema::ColumnPlan& planned) {
    if (transform::can_mask(planned.masking.kind, planned.type)) return {};
    if (masking_errors_ == ErrorAction::kLogError) {
      planned.masking = {};
      warn("plan.unmasked", schema::WarningRank::kLoss,
           "column " + planned.source_name + " has type " + planned.source_type +
               " and IS LOADED UNMASKED");
      return {};
    }
    const bool stops = masking_errors_ == ErrorAction::kStopTask;
    return make_error(stops ? ErrorKind::kConfig : ErrorKind::kSchema, "plan.bad_mask",
                      "values of type " + planned.source_type + " cannot be masked so",
                      "Texts can be masked, numbers with data-masking-digits-randomize only: "
                      "correct the rule, or leave the column out with remove-column")
        .with("column", planned.source_name);
  }

  /// The columns for what others had before an update: known once the key is.
  Result<void> add_before_images() {
    for (const auto& [index, image] : before_images_) {
      schema::ColumnPlan planned = plan_.columns[index];
      const bool is_of_key = is_in_identity(planned.source_name);
      const bool is_lob = schema::is_lob(planned.type);
      using Columns = mapping::BeforeImage::Columns;
      if (image->columns == Columns::kKey && !is_of_key) continue;
      if (image->columns == Columns::kAllButLobs && is_lob) continue;
      plan_.needs_before = plan_.needs_before || image->columns != Columns::kKey;
      plan_.needs_unchanged = plan_.needs_unchanged || plan_.needs_before;
      planned.origin = schema::ColumnOrigin::kBefore;
      planned.target_name = image->prefix + planned.target_name + image->suffix;
      planned.not_null = false;
      WHERRY_TRY(take(std::move(planned)));
    }
    return {};
  }

  /// What makes no sense with rows that rules make.
  Result<void> check_made_rows() {
    for (const std::size_t i : plan_.key) {
      const schema::ColumnPlan& column = plan_.columns[i];
      const bool is_random = column.masking.kind == schema::MaskingKind::kRandomDigits ||
                             changing_.contains(column.target_name);
      const bool is_empty =
          column.origin == schema::ColumnOrigin::kAdded && column.expression.empty();
      if (!is_random && !is_empty) continue;
      return make_error(ErrorKind::kSchema, "plan.bad_key",
                        is_empty ? "a column of the key has no expression, and so no value"
                                 : "a column of the key has another value each time it is made, so "
                                   "no row is found again",
                        "Give the key columns of the source, or such as are made of those alone")
          .with("column", column.target_name);
    }
    if (plan_.keeps_deleted && plan_.key.empty()) {
      return make_error(ErrorKind::kSchema, "plan.bad_expression",
                        "operation_indicator() needs a table with a key",
                        "Give the table one with a define-primary-key rule");
    }
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

  /// A name that is too long is told when all names are known (plan_names.h).
  Result<void> check_name(LongName::Kind kind, const std::string& source, const std::string& name) {
    if (name.size() > target_.max_name_bytes()) long_names_.push_back({kind, source, name});
    if (!name.empty()) return {};
    return make_error(ErrorKind::kSchema, "plan.bad_name",
                      "rules leave nothing of the name that " + source + " has on the target",
                      "Rename it with a transformation rule in the table mappings");
  }

  /// The key counts only when all of it travels and none of it is a large object.
  void set_key() {
    const schema::KeyDef* key = table_.row_identity();
    if (key == nullptr && schema::is_view(table_.kind)) return;
    if (key == nullptr) {
      warn("plan.no_key", schema::WarningRank::kRisk,
           "the table has no primary key and no unique key without NULLs");
      return;
    }
    for (const std::string& name : key->columns) {
      const auto found = std::find_if(
          plan_.columns.begin(), plan_.columns.end(), [&](const schema::ColumnPlan& column) {
            return column.source_name == name && column.origin == schema::ColumnOrigin::kSource;
          });
      if (found == plan_.columns.end() || !make_key_type(found->type)) {
        plan_.key.clear();
        plan_.key_is_lost = true;
        warn("plan.key_lost", schema::WarningRank::kRisk,
             "the key " + key->name + " cannot be carried over");
        return;
      }
      plan_.key.push_back(static_cast<std::size_t>(found - plan_.columns.begin()));
    }
    plan_.key_is_primary = key->is_primary;
    plan_.key_name = key_name(key->is_primary);
  }

  /// As rules call those of the source's table and of its key.
  Result<void> set_tablespaces() {
    using Target = mapping::TransformTarget;
    WHERRY_ASSIGN(plan_.tablespace,
                  rules_.tablespace(Target::kTableTablespace, table_.tablespace, applied_));
    const schema::KeyDef* key = table_.row_identity();
    if (plan_.key.empty() || key == nullptr) return {};
    WHERRY_ASSIGN(plan_.key_tablespace,
                  rules_.tablespace(Target::kIndexTablespace, key->tablespace, applied_));
    return {};
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
    return check_name(LongName::Kind::kKey, schema::to_text(table_.table), plan_.key_name);
  }

  Result<void> set_filter() {
    schema::RowFilter filter = filter_;
    if (filter.empty()) return {};
    for (schema::ColumnFilter& each : filter) {
      const int found = table_.find_column(each.column);
      if (found < 0) {
        return make_error(ErrorKind::kSchema, "plan.bad_filter",
                          "the column of a filter does not exist",
                          "Correct the rule in the table mappings; names are compared exactly")
            .with("column", each.column);
      }
      const schema::ColumnDef& column = table_.columns[static_cast<std::size_t>(found)];
      each.type = column.type;
      WHERRY_TRY(schema::check_filter(each));
      WHERRY_TRY(judge(each));
    }
    plan_.filter = std::make_shared<const schema::RowFilter>(std::move(filter));
    for (const schema::ColumnFilter& each : schema::engine_filter(plan_)) read_for_filter(each);
    return {};
  }

  /// Who evaluates each condition.
  Result<void> judge(schema::ColumnFilter& filter) const {
    if (!filter_judge_) return {};
    for (schema::FilterCondition& condition : filter.conditions) {
      auto side = filter_judge_(filter, condition);
      if (!side.ok()) return std::move(side).error().with("column", filter.column);
      condition.side = *side;
    }
    schema::settle_sides(filter);
    return {};
  }

  /// The values that are compared must be read, whole and in a form that the engine knows.
  void read_for_filter(const schema::ColumnFilter& filter) {
    schema::ColumnDef column =
        *std::find_if(table_.columns.begin(), table_.columns.end(),
                      [&](const auto& c) { return c.name == filter.column; });
    const bool is_native = column.type.kind == schema::TypeKind::kNative;
    if (!is_native && !schema::is_lob(column.type)) {
      read_aside(column);
      return;
    }
    // As its engine prints it.
    if (is_native) column.type = {schema::TypeKind::kClob};
    add_side_column(column);
  }

  /// As PostgreSQL and DMS name it: after the table, within the longest name.
  [[nodiscard]] std::string key_name(bool is_primary) const {
    return key_name_for(plan_.target.name, is_primary, 0, target_.max_name_bytes());
  }

  const schema::TableDef& table_;
  const mapping::TableRules rules_;
  const schema::RowFilter filter_;
  connect::TargetLoader& target_;
  const ErrorAction masking_errors_;
  const connect::FilterJudge filter_judge_;
  schema::TablePlan plan_;
  std::vector<LeftOutColumn> left_out_;
  std::vector<std::int64_t> applied_;         ///< ids of the rules that count for the table
  std::map<std::string, std::string> names_;  ///< of the target's columns, and what they come from
  std::map<std::string, std::vector<std::string>> collisions_;  ///< columns by the one name
  std::vector<LongName> long_names_;
  std::set<std::string> changing_;  ///< added columns with another value each time
  std::vector<std::pair<std::size_t, const mapping::BeforeImage*>> before_images_;
};

}  // namespace

Result<PlannedTable> plan_table(const schema::TableDef& table, const mapping::RuleSet& rules,
                                connect::TargetLoader& target, const PlanOptions& options) {
  return TableMaker(table, rules, target, options).make();
}

}  // namespace wherry::engine
