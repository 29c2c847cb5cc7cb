#include "mapping/filter_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "mapping/nearest_name.h"
#include "mapping/rule_names.h"

namespace wherry::mapping {
namespace {

using FilterJson = nlohmann::json;
using schema::FilterOperator;

/// `ste` is what DMS has always written for `lte`.
constexpr std::array<Named<FilterOperator>, 9> kOperators = {
    {{"ste", FilterOperator::kAtMost},
     {"lte", FilterOperator::kAtMost},
     {"gte", FilterOperator::kAtLeast},
     {"eq", FilterOperator::kEqual},
     {"noteq", FilterOperator::kNotEqual},
     {"between", FilterOperator::kBetween},
     {"notbetween", FilterOperator::kNotBetween},
     {"null", FilterOperator::kNull},
     {"notnull", FilterOperator::kNotNull}}};

class FilterReader {
 public:
  explicit FilterReader(const ReportProblem& report) : report_(report) {}

  schema::RowFilter filters(const FilterJson& list, const std::string& path) const {
    schema::RowFilter out;
    if (!list.is_array()) {
      report_(path, "filters must be an array");
      return out;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string here = fmt::format("{}/{}", path, i);
      if (!list[i].is_object()) {
        report_(here, "a filter must be an object");
        continue;
      }
      out.push_back(filter(list[i], here));
    }
    return out;
  }

 private:
  schema::ColumnFilter filter(const FilterJson& json, const std::string& path) const {
    schema::ColumnFilter out;
    unknown_keys(json, path, {"filter-type", "column-name", "filter-conditions"});
    if (text(json, path, "filter-type") != "source") {
      report_(path + "/filter-type", "filter-type must be source");
    }
    out.column = text(json, path, "column-name");
    if (out.column.empty()) report_(path + "/column-name", "column-name is missing");
    const auto conditions = json.find("filter-conditions");
    if (conditions == json.end() || !conditions->is_array() || conditions->empty()) {
      report_(path + "/filter-conditions", "filter-conditions must be an array, and not empty");
      return out;
    }
    for (std::size_t i = 0; i < conditions->size(); ++i) {
      const std::string here = fmt::format("{}/filter-conditions/{}", path, i);
      if (!(*conditions)[i].is_object()) {
        report_(here, "a condition must be an object");
        continue;
      }
      out.conditions.push_back(condition((*conditions)[i], here));
    }
    return out;
  }

  schema::FilterCondition condition(const FilterJson& json, const std::string& path) const {
    schema::FilterCondition out;
    unknown_keys(json, path, {"filter-operator", "value", "start-value", "end-value"});
    const std::string name = text(json, path, "filter-operator");
    const auto* const found = std::find_if(kOperators.begin(), kOperators.end(),
                                           [&](const auto& each) { return each.name == name; });
    if (found == kOperators.end()) {
      std::vector<std::string_view> known;
      for (const auto& each : kOperators) known.push_back(each.name);
      const std::string_view meant = nearest_name(name, known);
      report_(path + "/filter-operator",
              fmt::format("filter-operator '{}' does not exist; known: {}{}", name,
                          fmt::join(known, ", "),
                          meant.empty() ? "" : fmt::format("; {} was probably meant", meant)));
      return out;
    }
    out.op = found->value;
    if (is_range(out.op)) {
      out.value = value(json, path, "start-value");
      out.end_value = value(json, path, "end-value");
    } else if (has_value(out.op)) {
      out.value = value(json, path, "value");
    }
    return out;
  }

  void unknown_keys(const FilterJson& json, const std::string& path,
                    std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string_view meant = nearest_name(key, known);
      report_(path + "/" + key,
              fmt::format("unknown key '{}'{}", key,
                          meant.empty() ? "" : fmt::format("; {} was probably meant", meant)));
    }
  }

  std::string text(const FilterJson& json, const std::string& path, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return {};
    if (found->is_string()) return found->get<std::string>();
    report_(path + "/" + key, fmt::format("{} must be text", key));
    return {};
  }

  /// Text, or a number or truth as it would be written in quotes.
  std::string value(const FilterJson& json, const std::string& path, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) {
      report_(path + "/" + key, fmt::format("{} is missing", key));
      return {};
    }
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number() || found->is_boolean()) return found->dump();
    report_(path + "/" + key, fmt::format("{} must be text or a number", key));
    return {};
  }

  const ReportProblem& report_;
};

}  // namespace

schema::RowFilter read_filters(const nlohmann::json& json, const std::string& path,
                               const ReportProblem& report) {
  return FilterReader(report).filters(json, path);
}

}  // namespace wherry::mapping
