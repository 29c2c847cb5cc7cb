// Reads the JSON form of a RuleSet and collects every problem instead of stopping at the first.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "mapping/filter_rule.h"
#include "mapping/nearest_name.h"
#include "mapping/parallel_load_rule.h"
#include "mapping/pattern.h"
#include "mapping/rule_names.h"
#include "mapping/rules.h"
#include "transform/expression.h"

namespace wherry::mapping {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMaxLoadOrder = 2147483647;

constexpr std::array<std::string_view, 6> kRuleTypes = {"selection",      "transformation",
                                                        "table-settings", "validation",
                                                        "object-mapping", "post-processing"};

template <class List>
std::string names_of(const List& list) {
  std::string out;
  for (const auto& item : list) out += fmt::format("{}{}", out.empty() ? "" : ", ", item.name);
  return out;
}

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// Absent, null and empty text and lists mean the same: DMS's own console writes all of them.
bool is_absent(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return true;
  if (found->is_string()) return found->get_ref<const std::string&>().empty();
  return (found->is_array() || found->is_object()) && found->empty();
}

bool may_name_many(const Locator& locator) {
  return mapping::has_percent(locator.schema.text()) || mapping::has_percent(locator.table.text());
}

std::string meant(std::string_view name) {
  return name.empty() ? "" : fmt::format("; {} was probably meant", name);
}

}  // namespace

class RuleParser {
 public:
  RuleSet rules;
  std::vector<Problem> problems;

  void parse(std::string_view text) {
    Json document;
    try {
      document = Json::parse(text);
    } catch (const Json::parse_error& failure) {
      const TextPlace place = place_of(text, failure.byte > 0 ? failure.byte - 1 : 0);
      problems.push_back(
          {{},
           {},
           fmt::format("not valid JSON at line {}, column {}", place.line, place.column),
           place});
      is_syntax_error = true;
      return;
    } catch (const Json::out_of_range&) {
      problems.push_back({{}, {}, "not valid JSON: a number is too large", {}});
      is_syntax_error = true;
      return;
    }
    const JsonPlaces places(text);
    for (const std::string& path : places.repeated()) {
      problem(path, "the key is there twice, and only one of both would count");
    }
    read(document);
    for (Problem& each : problems) each.place = places.find(each.path);
  }

  bool is_syntax_error = false;

 private:
  void read(const Json& document) {
    if (!document.is_object() || !document.contains("rules") || !document["rules"].is_array()) {
      problem("/rules", "the document must be an object with an array named rules");
      return;
    }
    for (const auto& [key, value] : document.items()) {
      if (key != "rules") problem("/" + key, "unknown key; the document has one key, rules");
    }
    const Json& list = document["rules"];
    for (std::size_t i = 0; i < list.size(); ++i) rule(list[i], fmt::format("/rules/{}", i));
    rule_id_.clear();
    if (problems.empty() && rules.selections_.empty()) {
      problem("/rules", "at least one selection rule is needed");
    }
    std::stable_sort(rules.transformations_.begin(), rules.transformations_.end(),
                     [](const auto& a, const auto& b) { return a.id < b.id; });
  }

  void problem(std::string path, std::string message) {
    problems.push_back({rule_id_, std::move(path), std::move(message), {}});
  }

  void rule(const Json& json, const std::string& path) {
    rule_id_.clear();
    if (!json.is_object()) return problem(path, "a rule must be an object");
    const std::int64_t id = identity(json, path);
    const std::string type = text(json, path, "rule-type", true);
    std::string_view taken = type;
    if (!type.empty() && !contains(kRuleTypes, type)) {
      taken = nearest_name(type, kRuleTypes);
      problem(path + "/rule-type", fmt::format("rule-type '{}' does not exist; known: {}{}", type,
                                               fmt::join(kRuleTypes, ", "), meant(taken)));
    }
    // What else is wrong with it is told at once.
    if (taken == "selection") selection(json, path, id);
    if (taken == "transformation") transformation(json, path, id);
    if (taken == "table-settings") table_settings(json, path, id);
    if (taken == "object-mapping") object_mapping(json, path, id);
    if (taken == "validation" || taken == "post-processing") passed_over(json, path, id, taken);
  }

  void object_mapping(const Json& json, const std::string& path, std::int64_t id) {
    unknown_keys(json, path,
                 {"rule-type", "rule-id", "rule-name", "rule-action", "rule-target",
                  "object-locator", "target-table-name", "mapping-parameters", "filters"});
    ObjectMappingRule rule;
    rule.id = id;
    rule.action = choice(json, path, "rule-action", kObjectMappingActions);
    rule.locator = locator(json, path, false, false);
    rule.target_table = text(json, path, "target-table-name", false);
    if (!is_absent(json, "mapping-parameters")) {
      rule.parameters_json = json["mapping-parameters"].dump();
    }
    rules.warnings_.push_back(fmt::format(
        "rule-id {}: object-mapping is for stream targets, and passed over by tables", id));
    rules.object_mappings_.push_back(std::move(rule));
  }

  void passed_over(const Json& json, const std::string& path, std::int64_t id,
                   std::string_view type) {
    unknown_keys(json, path,
                 {"rule-type", "rule-id", "rule-name", "rule-action", "rule-target",
                  "object-locator", "source-function", "target-function", "tag-set", "filters"});
    (void)locator(json, path, false, false);
    (void)text(json, path, "rule-action", true);
    rules.warnings_.push_back(
        type == "validation"
            ? fmt::format("rule-id {}: validation rules are passed over: wherry validate compares "
                          "the values themselves",
                          id)
            : fmt::format(
                  "rule-id {}: post-processing is for targets in object storage, and passed "
                  "over by tables",
                  id));
  }

  std::int64_t identity(const Json& json, const std::string& path) {
    const auto found = json.find("rule-id");
    if (found == json.end() || found->is_null()) {
      problem(path + "/rule-id", "rule-id is missing");
      return 0;
    }
    std::optional<std::int64_t> id = integer(*found);
    rule_id_ = found->is_string() ? found->get<std::string>() : found->dump();
    if (!id || *id < 0) {
      problem(path + "/rule-id", "rule-id must be a number");
      return 0;
    }
    if (!ids_.insert(*id).second) problem(path + "/rule-id", "rule-id is used twice");
    const std::string name = text(json, path, "rule-name", false);
    if (!name.empty() && !names_.insert(name).second) {
      problem(path + "/rule-name", fmt::format("rule-name '{}' is used twice", name));
    }
    return *id;
  }

  /// A number, also when it stands in quotes, as DMS's examples write it.
  static std::optional<std::int64_t> integer(const Json& value) {
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (!value.is_string()) return std::nullopt;
    const auto& digits = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, status] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (status != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
  }

  std::string text(const Json& json, const std::string& path, const char* key, bool required) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) {
      if (required) problem(path + "/" + key, fmt::format("{} is missing", key));
      return {};
    }
    if (!found->is_string()) {
      problem(path + "/" + key, fmt::format("{} must be text", key));
      return {};
    }
    auto value = found->get<std::string>();
    if (value.empty() && required) problem(path + "/" + key, fmt::format("{} is empty", key));
    return value;
  }

  void unknown_keys(const Json& json, const std::string& path,
                    std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        problem(path + "/" + key,
                fmt::format("unknown key '{}'{}", key, meant(nearest_name(key, known))));
      }
    }
  }

  Locator locator(const Json& json, const std::string& path, bool with_table, bool with_column) {
    Locator out;
    const auto found = json.find("object-locator");
    const std::string here = path + "/object-locator";
    if (found == json.end() || !found->is_object()) {
      problem(here, "object-locator is missing");
      return out;
    }
    unknown_keys(*found, here,
                 {"schema-name", "table-name", "column-name", "table-type", "data-type",
                  "table-tablespace-name", "index-tablespace-name"});
    out.schema = Pattern(text(*found, here, "schema-name", true));
    out.table = Pattern(text(*found, here, "table-name", with_table));
    out.column = Pattern(text(*found, here, "column-name", with_column));
    out.data_type = text(*found, here, "data-type", false);
    return out;
  }

  /// Counts in selection rules; others hold for whatever they name.
  TableType table_type(const Json& json, const std::string& path, std::int64_t id) {
    const auto found = json.find("object-locator");
    if (found == json.end() || !found->is_object()) return TableType::kTable;
    if (is_absent(*found, "table-type")) return TableType::kTable;
    const TableType type = choice(*found, path + "/object-locator", "table-type", kTableTypes);
    if (json.value("rule-type", Json()) != "selection" && type == TableType::kView) {
      rules.warnings_.push_back(fmt::format(
          "rule-id {}: table-type counts in selection rules only; this rule holds for tables and "
          "views of its names",
          id));
    }
    return type;
  }

  template <class List>
  auto choice(const Json& json, const std::string& path, const char* key, const List& list)
      -> decltype(list[0].value) {
    const std::string name = text(json, path, key, true);
    for (const auto& item : list) {
      if (item.name == name) return item.value;
    }
    if (!name.empty()) {
      std::vector<std::string_view> known;
      for (const auto& item : list) known.push_back(item.name);
      problem(path + "/" + key, fmt::format("{} '{}' does not exist; known: {}{}", key, name,
                                            names_of(list), meant(nearest_name(name, known))));
    }
    return list[0].value;
  }

  void selection(const Json& json, const std::string& path, std::int64_t id) {
    unknown_keys(json, path,
                 {"rule-type", "rule-id", "rule-name", "rule-action", "object-locator",
                  "load-order", "filters", "value", "old-value", "rule-target"});
    SelectionRule rule;
    rule.id = id;
    rule.action = choice(json, path, "rule-action", kSelectionActions);
    rule.locator = locator(json, path, true, false);
    rule.table_type = table_type(json, path, id);
    if (!is_absent(json, "filters")) filters(json["filters"], path + "/filters", rule);
    if (!is_absent(json, "load-order")) {
      const auto order = integer(json["load-order"]);
      if (!order || *order < 1 || *order > kMaxLoadOrder) {
        problem(path + "/load-order",
                fmt::format("load-order must be a number from 1 to {}", kMaxLoadOrder));
      } else {
        rule.load_order = *order;
      }
    }
    rules.selections_.push_back(std::move(rule));
  }

  /// DMS applies them in include rules only, and to tables that are named.
  void filters(const Json& json, const std::string& path, SelectionRule& rule) {
    schema::RowFilter filter = read_filters(json, path, reporter());
    if (rule.action != SelectionAction::kInclude) {
      rules.warnings_.push_back(fmt::format(
          "rule-id {}: filters of a rule that is not include are passed over", rule.id));
      return;
    }
    if (may_name_many(rule.locator)) {
      problem(path, "a filter needs the exact names of a schema and a table");
    }
    rule.filter = std::move(filter);
  }

  ReportProblem reporter() {
    return [this](std::string at, std::string what) { problem(std::move(at), std::move(what)); };
  }

  void transformation(const Json& json, const std::string& path, std::int64_t id) {
    unknown_keys(json, path,
                 {"rule-type", "rule-id", "rule-name", "rule-action", "rule-target",
                  "object-locator", "value", "old-value", "data-type", "expression",
                  "primary-key-def", "before-image-def", "filters", "load-order"});
    TransformationRule rule;
    rule.id = id;
    rule.target = choice(json, path, "rule-target", kTargets);
    rule.action = choice(json, path, "rule-action", kTransformActions);
    const bool is_of_column = rule.target == TransformTarget::kColumn;
    rule.locator = locator(json, path, is_of_column || rule.target == TransformTarget::kTable,
                           is_of_column && rule.action != TransformAction::kAddColumn);
    (void)table_type(json, path, id);
    check_target(rule, path);
    rule.expression = expression(json, path, rule);
    values_of_action(json, path, rule);
    if (rule.action == TransformAction::kDefinePrimaryKey) {
      if (may_name_many(rule.locator)) {
        problem(path + "/object-locator",
                "define-primary-key needs the exact names of a schema and a table");
      }
      rule.key = key_definition(json, path);
    }
    const bool needs_value = rule.expression.empty() && needs_text(rule.action);
    // A replaced prefix may become nothing.
    const bool may_be_empty = rule.action == TransformAction::kReplacePrefix ||
                              rule.action == TransformAction::kReplaceSuffix;
    rule.value = text(json, path, "value", needs_value && !may_be_empty);
    rule.old_value = text(json, path, "old-value", may_be_empty);
    if (rule.action == TransformAction::kMaskDigits) check_mask(rule.value, path + "/value");
    if (rule.target >= TransformTarget::kTableTablespace) tablespace(json, path, rule);
    rules.transformations_.push_back(std::move(rule));
  }

  /// Which tablespaces of the source a rule is for; without a table it is for all of the schema.
  void tablespace(const Json& json, const std::string& rule_path, TransformationRule& rule) {
    const bool is_of_table = rule.target == TransformTarget::kTableTablespace;
    const char* wanted = is_of_table ? "table-tablespace-name" : "index-tablespace-name";
    const char* other = is_of_table ? "index-tablespace-name" : "table-tablespace-name";
    if (rule.locator.table.text().empty()) rule.locator.table = Pattern("%");
    const auto locator = json.find("object-locator");
    if (locator == json.end() || !locator->is_object()) return;  // told already
    const std::string path = rule_path + "/object-locator";
    rule.locator.tablespace = Pattern(text(*locator, path, wanted, true));
    if (!is_absent(*locator, other)) {
      problem(path + "/" + other, fmt::format("the rule is for a tablespace named by {}", wanted));
    }
  }

  /// What a rule must say beside what it is about, in "value".
  static bool needs_text(TransformAction action) {
    if (action == TransformAction::kAddColumn || action == TransformAction::kMaskDigits) {
      return true;
    }
    return gives_name(action) && action != TransformAction::kLowercase &&
           action != TransformAction::kUppercase;
  }

  void check_mask(const std::string& value, const std::string& path) {
    const bool is_fine = value.size() == 1 && value.front() > ' ' && value.front() <= '~';
    if (!is_fine && !value.empty()) {
      problem(path, "the mask must be one character of ASCII that can be seen");
    }
  }

  /// What only some actions have.
  void values_of_action(const Json& json, const std::string& path, TransformationRule& rule) {
    const bool has_type = rule.action == TransformAction::kAddColumn ||
                          rule.action == TransformAction::kChangeDataType;
    if (has_type) rule.type = data_type(json, path);
    if (rule.action == TransformAction::kAddBeforeImageColumns) {
      rule.before_image = before_image(json, path);
    }
  }

  std::string expression(const Json& json, const std::string& rule_path,
                         const TransformationRule& rule) {
    const std::string path = rule_path + "/expression";
    std::string out = text(json, rule_path, "expression", false);
    if (out.empty()) return out;
    const bool makes_name = rule.action == TransformAction::kRename;
    if (!makes_name && rule.action != TransformAction::kAddColumn) {
      problem(path, "only rename and add-column have an expression");
      return {};
    }
    const auto needs = transform::needs_of(out);
    if (!needs.ok()) {
      problem(path, needs.error().message + "; " + needs.error().hint);
    } else if (makes_name && (!needs->columns.empty() || !needs->is_repeatable)) {
      problem(path,
              "a name can be made of $AR_M_SOURCE_SCHEMA, $AR_M_SOURCE_TABLE_NAME and "
              "$AR_M_SOURCE_COLUMN_NAME only");
    } else if (!makes_name && needs->is_of_column) {
      problem(path, "an added column has no name and type at the source");
    }
    return out;
  }

  schema::DmsType data_type(const Json& json, const std::string& rule_path) {
    schema::DmsType out;
    const std::string path = rule_path + "/data-type";
    const auto found = json.find("data-type");
    if (found == json.end() || !found->is_object()) {
      problem(path, "data-type is missing");
      return out;
    }
    unknown_keys(*found, path, {"type", "length", "precision", "scale"});
    out.name = text(*found, path, "type", true);
    out.length = static_cast<std::uint32_t>(number(*found, path, "length").value_or(0));
    out.precision = number(*found, path, "precision");
    out.scale = number(*found, path, "scale");
    if (out.name.empty()) return out;
    if (const auto type = schema::logical_type_of(out); !type.ok()) {
      const bool is_known = contains(schema::dms_type_names(), out.name);
      problem(path, type.error().message + "; " + type.error().hint +
                        (is_known ? std::string()
                                  : meant(nearest_name(out.name, schema::dms_type_names()))));
    }
    return out;
  }

  /// A whole number that may be left out; what is none is told.
  std::optional<int> number(const Json& json, const std::string& path, const char* key) {
    constexpr std::int64_t kMost = 2147483647;
    if (is_absent(json, key)) return std::nullopt;
    const auto value = integer(json[key]);
    if (value && *value >= 0 && *value <= kMost) return static_cast<int>(*value);
    problem(path + "/" + key, fmt::format("{} must be a number from 0 to {}", key, kMost));
    return std::nullopt;
  }

  BeforeImage before_image(const Json& json, const std::string& rule_path) {
    BeforeImage out;
    const std::string path = rule_path + "/before-image-def";
    const auto found = json.find("before-image-def");
    const bool is_there = found != json.end() && found->is_object();
    if (found != json.end() && !found->is_null() && !is_there) {
      problem(path, "before-image-def must be an object");
      return out;
    }
    const Json empty = Json::object();
    const Json& definition = is_there ? *found : empty;
    unknown_keys(definition, path, {"column-prefix", "column-suffix", "column-filter"});
    const bool has_prefix = definition.contains("column-prefix");
    out.prefix = has_prefix ? text(definition, path, "column-prefix", false) : "BI_";
    out.suffix = text(definition, path, "column-suffix", false);
    if (out.prefix.empty() && out.suffix.empty()) {
      problem(path, "column-prefix and column-suffix are both empty");
    }
    if (!is_absent(definition, "column-filter")) {
      out.columns = choice(definition, path, "column-filter", kBeforeImageColumns);
    }
    return out;
  }

  /// What an action can be done to.
  void check_target(const TransformationRule& rule, const std::string& path) {
    if (gives_name(rule.action)) return;
    if (rule.action == TransformAction::kAddColumn && !rule.locator.column.text().empty()) {
      problem(path + "/object-locator/column-name",
              "an added column is named by value, and column-name does not say where");
    }
    const auto wanted = rule.action == TransformAction::kDefinePrimaryKey
                            ? TransformTarget::kTable
                            : TransformTarget::kColumn;
    if (rule.target == wanted) return;
    problem(path + "/rule-target",
            fmt::format("rule-action '{}' needs rule-target {}",
                        name_in(kTransformActions, rule.action), name_in(kTargets, wanted)));
  }

  KeyRule key_definition(const Json& json, const std::string& rule_path) {
    KeyRule out;
    const std::string path = rule_path + "/primary-key-def";
    const auto found = json.find("primary-key-def");
    if (found == json.end() || !found->is_object()) {
      problem(path, "primary-key-def is missing");
      return out;
    }
    unknown_keys(*found, path, {"name", "origin", "columns"});
    out.name = text(*found, path, "name", false);
    const std::string origin = text(*found, path, "origin", false);
    out.is_primary = origin != "unique-index";
    if (!origin.empty() && origin != "primary-key" && origin != "unique-index") {
      problem(path + "/origin",
              fmt::format("origin '{}' does not exist; known: primary-key, unique-index", origin));
    }
    const auto columns = found->find("columns");
    if (columns == found->end() || !columns->is_array() || columns->empty()) {
      problem(path + "/columns", "columns must be an array of names, and not empty");
      return out;
    }
    for (std::size_t i = 0; i < columns->size(); ++i) {
      const std::string here = fmt::format("{}/columns/{}", path, i);
      if (!(*columns)[i].is_string() || (*columns)[i].get<std::string>().empty()) {
        problem(here, "a column's name must be text");
        continue;
      }
      out.columns.push_back((*columns)[i].get<std::string>());
      if (std::count(out.columns.begin(), out.columns.end(), out.columns.back()) > 1) {
        problem(here, fmt::format("the column '{}' is named twice", out.columns.back()));
      }
    }
    return out;
  }

  /// nullopt: the task's settings apply.
  std::optional<schema::LobSetting> lob_settings(const Json& json, const std::string& path) {
    constexpr std::int64_t kMostKilobytes = 102'400;
    if (!json.is_object()) {
      problem(path, "lob-settings must be an object");
      return std::nullopt;
    }
    unknown_keys(json, path, {"mode", "bulk-max-size"});
    const Json mode = json.value("mode", Json("limited"));
    if (mode != "limited" && mode != "unlimited" && mode != "none") {
      problem(path + "/mode", "mode is not one of limited, unlimited, none");
      return std::nullopt;
    }
    if (mode == "none") return std::nullopt;
    // DMS's console writes numbers as text.
    const bool has_size = !is_absent(json, "bulk-max-size");
    const auto kilobytes =
        has_size ? integer(json["bulk-max-size"]) : std::optional<std::int64_t>(0);
    const std::int64_t least = mode == "limited" ? 1 : 0;
    if (!kilobytes || *kilobytes < least || *kilobytes > kMostKilobytes) {
      problem(path + "/bulk-max-size",
              fmt::format("{} mode needs a bulk-max-size from {} to {} (KB)",
                          mode.get<std::string>(), least, kMostKilobytes));
      return std::nullopt;
    }
    const std::uint64_t bytes = static_cast<std::uint64_t>(*kilobytes) * 1024;
    return mode == "limited" ? schema::LobSetting{bytes, 0} : schema::LobSetting{0, bytes};
  }

  void table_settings(const Json& json, const std::string& path, std::int64_t id) {
    unknown_keys(json, path,
                 {"rule-type", "rule-id", "rule-name", "object-locator", "parallel-load",
                  "lob-settings", "rule-action", "filters", "load-order"});
    TableSettingsRule rule;
    rule.id = id;
    rule.locator = locator(json, path, true, false);
    (void)table_type(json, path, id);
    if (may_name_many(rule.locator)) {
      problem(path + "/object-locator",
              "Exact schema and table name required when using table settings rule");
    }
    if (!is_absent(json, "lob-settings")) {
      rule.lobs = lob_settings(json["lob-settings"], path + "/lob-settings");
    }
    if (!is_absent(json, "parallel-load")) {
      rule.parallel_load =
          read_parallel_load(json["parallel-load"], path + "/parallel-load", reporter());
    }
    rules.table_settings_.push_back(std::move(rule));
  }

  std::string rule_id_;
  std::set<std::int64_t> ids_;
  std::set<std::string> names_;
};

std::vector<Problem> RuleSet::check(std::string_view json) {
  RuleParser parser;
  parser.parse(json);
  return std::move(parser.problems);
}

Result<RuleSet> RuleSet::parse(std::string_view json) {
  RuleParser parser;
  parser.parse(json);
  if (parser.problems.empty()) return std::move(parser.rules);
  if (parser.is_syntax_error) {
    return make_error(ErrorKind::kConfig, "mapping.syntax",
                      "the table mappings are " + parser.problems[0].message,
                      "Mend the file; any JSON checker shows the place");
  }
  std::string message = "Error in mapping rules.";
  for (const Problem& problem : parser.problems) {
    if (!problem.rule_id.empty()) {
      message += fmt::format(" Rule with ruleId = {} failed validation.", problem.rule_id);
    }
    message += fmt::format(" {} (at {}).", problem.message, problem.path);
  }
  message.pop_back();
  return make_error(ErrorKind::kConfig, "mapping.rules", std::move(message),
                    "Correct the rules and run `wherry check --table-mappings FILE`");
}

}  // namespace wherry::mapping
