#include "control/plan_json.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace wherry::control {
namespace {

using PlanJson = nlohmann::ordered_json;

/// Members that have their default are left out.
template <class Value>
void put_value(PlanJson& json, const char* name, const Value& value) {
  if (value != Value()) json[name] = value;
}
template <class Value>
void get_value(const PlanJson& json, const char* name, Value& out) {
  out = json.value(name, Value());
}

template <class Enumeration>
Enumeration enumerator(const PlanJson& json, const char* name, Enumeration last) {
  const int number = json.value(name, 0);
  if (number < 0 || number > static_cast<int>(last)) {
    throw PlanJson::other_error::create(502, std::string("no such ") + name, nullptr);
  }
  return static_cast<Enumeration>(number);
}

PlanJson type_json(const schema::LogicalType& type) {
  PlanJson json = {{"kind", static_cast<int>(type.kind)}};
  put_value(json, "chars", type.length_chars);
  put_value(json, "bytes", type.length_bytes);
  put_value(json, "precision", type.precision);
  put_value(json, "scale", type.scale);
  put_value(json, "fraction_digits", type.fraction_digits);
  put_value(json, "blank_padded", type.blank_padded);
  put_value(json, "national", type.national);
  return json;
}

schema::LogicalType type_from(const PlanJson& json) {
  schema::LogicalType type;
  type.kind = enumerator(json, "kind", static_cast<schema::TypeKind>(schema::kLastTypeKind));
  get_value(json, "chars", type.length_chars);
  get_value(json, "bytes", type.length_bytes);
  get_value(json, "precision", type.precision);
  get_value(json, "scale", type.scale);
  get_value(json, "fraction_digits", type.fraction_digits);
  get_value(json, "blank_padded", type.blank_padded);
  get_value(json, "national", type.national);
  return type;
}

PlanJson column_json(const schema::ColumnPlan& column) {
  PlanJson json = {{"source", column.source_name},
                   {"target", column.target_name},
                   {"source_type", column.source_type},
                   {"target_type", column.target_type}};
  json.update(type_json(column.type));
  put_value(json, "number", column.source_number);
  put_value(json, "not_null", column.not_null);
  put_value(json, "trim_blanks", column.trim_blanks);
  put_value(json, "likeness", static_cast<int>(column.likeness));
  put_value(json, "max_lob_bytes", column.max_lob_bytes);
  put_value(json, "native", column.is_native);
  put_value(json, "origin", static_cast<int>(column.origin));
  put_value(json, "expression", column.expression);
  put_value(json, "asked", static_cast<int>(column.asked));
  put_value(json, "masking", static_cast<int>(column.masking.kind));
  put_value(json, "mask", static_cast<int>(column.masking.character));
  return json;
}

schema::ColumnPlan column_from(const PlanJson& json) {
  schema::ColumnPlan column;
  column.source_name = json.at("source").get<std::string>();
  column.target_name = json.at("target").get<std::string>();
  column.source_type = json.at("source_type").get<std::string>();
  column.target_type = json.at("target_type").get<std::string>();
  column.type = type_from(json);
  get_value(json, "number", column.source_number);
  get_value(json, "not_null", column.not_null);
  get_value(json, "trim_blanks", column.trim_blanks);
  column.likeness = enumerator(json, "likeness", schema::Likeness::kXml);
  get_value(json, "max_lob_bytes", column.max_lob_bytes);
  get_value(json, "native", column.is_native);
  column.origin = enumerator(json, "origin", schema::ColumnOrigin::kBefore);
  get_value(json, "expression", column.expression);
  column.asked = enumerator(json, "asked", schema::Asked::kOfDeleted);
  column.masking.kind = enumerator(json, "masking", schema::MaskingKind::kHash);
  column.masking.character = static_cast<char>(json.value("mask", 0));
  return column;
}

PlanJson filter_json(const schema::RowFilter& filter) {
  PlanJson out = PlanJson::array();
  for (const schema::ColumnFilter& each : filter) {
    PlanJson conditions = PlanJson::array();
    for (const schema::FilterCondition& condition : each.conditions) {
      conditions.push_back({static_cast<int>(condition.op), condition.value, condition.end_value,
                            static_cast<int>(condition.side)});
    }
    out.push_back({{"column", each.column},
                   {"type", type_json(each.type)},
                   {"conditions", std::move(conditions)}});
  }
  return out;
}

std::shared_ptr<const schema::RowFilter> filter_from(const PlanJson& json) {
  auto out = std::make_shared<schema::RowFilter>();
  for (const PlanJson& each : json) {
    schema::ColumnFilter& filter = out->emplace_back();
    filter.column = each.at("column").get<std::string>();
    filter.type = type_from(each.at("type"));
    for (const PlanJson& condition : each.at("conditions")) {
      const int op = condition.at(0).get<int>();
      if (op < 0 || op > static_cast<int>(schema::FilterOperator::kNotNull)) {
        throw PlanJson::other_error::create(502, "no such filter operator", nullptr);
      }
      // Plans that earlier versions kept have none: the source evaluates all.
      const int side = condition.size() > 3 ? condition.at(3).get<int>() : 0;
      if (side < 0 || side > static_cast<int>(schema::FilterSide::kEngine)) {
        throw PlanJson::other_error::create(502, "no such side of a filter", nullptr);
      }
      filter.conditions.push_back(
          {static_cast<schema::FilterOperator>(op), condition.at(1).get<std::string>(),
           condition.at(2).get<std::string>(), static_cast<schema::FilterSide>(side)});
    }
    if (!schema::check_filter(filter).ok()) {
      throw PlanJson::other_error::create(502, "a filter that is none", nullptr);
    }
  }
  return out;
}

PlanJson name_json(const schema::TableRef& table) {
  return PlanJson::array({table.schema, table.name});
}
schema::TableRef name_from(const PlanJson& json) {
  return {json.at(0).get<std::string>(), json.at(1).get<std::string>()};
}

}  // namespace

PlanJson to_json(const schema::TablePlan& plan) {
  PlanJson json = {{"source", name_json(plan.source)}, {"target", name_json(plan.target)}};
  PlanJson& columns = json["columns"] = PlanJson::array();
  for (const schema::ColumnPlan& column : plan.columns) columns.push_back(column_json(column));
  for (const schema::ColumnPlan& column : plan.side_columns) {
    json["side_columns"].push_back(column_json(column));
  }
  put_value(json, "shares_target", plan.shares_target);
  put_value(json, "keeps_deleted", plan.keeps_deleted);
  put_value(json, "needs_unchanged", plan.needs_unchanged);
  put_value(json, "needs_before", plan.needs_before);
  put_value(json, "needs_user", plan.needs_user);
  if (plan.filter != nullptr) json["filter"] = filter_json(*plan.filter);
  put_value(json, "key", plan.key);
  put_value(json, "key_name", plan.key_name);
  put_value(json, "key_is_primary", plan.key_is_primary);
  put_value(json, "key_is_own", plan.key_is_own);
  put_value(json, "key_is_lost", plan.key_is_lost);
  put_value(json, "key_comes_first", plan.key_comes_first);
  put_value(json, "tablespace", plan.tablespace);
  put_value(json, "key_tablespace", plan.key_tablespace);
  put_value(json, "native", plan.is_native);
  put_value(json, "native_text", plan.is_native_text);
  put_value(json, "lob_inline_bytes", plan.lob_inline_bytes);
  put_value(json, "lob_piece_bytes", plan.lob_piece_bytes);
  put_value(json, "max_value_bytes", plan.max_value_bytes);
  return json;
}

schema::TablePlanPtr plan_from_json(const PlanJson& json) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = name_from(json.at("source"));
  plan->target = name_from(json.at("target"));
  for (const PlanJson& column : json.at("columns")) plan->columns.push_back(column_from(column));
  if (json.contains("side_columns")) {
    for (const PlanJson& column : json.at("side_columns")) {
      plan->side_columns.push_back(column_from(column));
    }
  }
  get_value(json, "shares_target", plan->shares_target);
  get_value(json, "keeps_deleted", plan->keeps_deleted);
  get_value(json, "needs_unchanged", plan->needs_unchanged);
  get_value(json, "needs_before", plan->needs_before);
  get_value(json, "needs_user", plan->needs_user);
  if (json.contains("filter")) plan->filter = filter_from(json.at("filter"));
  get_value(json, "key", plan->key);
  for (const std::size_t column : plan->key) {
    if (column >= plan->columns.size()) {
      throw PlanJson::other_error::create(503, "a key of columns that are not there", nullptr);
    }
  }
  get_value(json, "key_name", plan->key_name);
  get_value(json, "key_is_primary", plan->key_is_primary);
  get_value(json, "key_is_own", plan->key_is_own);
  get_value(json, "key_is_lost", plan->key_is_lost);
  get_value(json, "key_comes_first", plan->key_comes_first);
  get_value(json, "tablespace", plan->tablespace);
  get_value(json, "key_tablespace", plan->key_tablespace);
  get_value(json, "native", plan->is_native);
  get_value(json, "native_text", plan->is_native_text);
  get_value(json, "lob_inline_bytes", plan->lob_inline_bytes);
  get_value(json, "lob_piece_bytes", plan->lob_piece_bytes);
  get_value(json, "max_value_bytes", plan->max_value_bytes);
  return plan;
}

}  // namespace wherry::control
