// The forms of a PlanReport.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "control/plan_report.h"

namespace wherry::control {
namespace {

using ReportJson = nlohmann::ordered_json;

template <class Value>
void put_known(ReportJson& json, const char* name, const Value& value) {
  if (value != Value()) json[name] = value;
}

ReportJson json_of(const schema::PlanWarnings& warnings) {
  ReportJson out = ReportJson::array();
  for (const schema::PlanWarning& warning : warnings) {
    out.push_back(
        {{"code", warning.code}, {"rank", name_of(warning.rank)}, {"text", warning.text}});
  }
  return out;
}

ReportJson json_of(const engine::ColumnSample& sample) {
  ReportJson out = {{"values", sample.values}, {"nulls", sample.nulls}};
  put_known(out, "empty", sample.empty);
  put_known(out, "most_digits", sample.most_digits);
  put_known(out, "most_scale", sample.most_scale);
  put_known(out, "most_bytes", sample.most_bytes);
  put_known(out, "most_characters", sample.most_characters);
  if (sample.most_bytes != 0) {
    ReportJson& sizes = out["sizes"] = ReportJson::array();
    for (std::size_t i = 0; i < sample.sizes.size(); ++i) {
      const bool is_last = i == engine::kSizeClasses.size();
      sizes.push_back(
          {{"up_to_bytes", is_last ? ReportJson() : ReportJson(engine::kSizeClasses[i])},
           {"count", sample.sizes[i]}});
    }
  }
  for (const auto& [why, refused] : sample.refused) {
    out["refused"].push_back({{"reason", why}, {"count", refused.count}, {"keys", refused.keys}});
  }
  return out;
}

ReportJson json_of(const PlannedColumn& column) {
  ReportJson out = ReportJson::object();
  out["source"] = column.source.empty() ? ReportJson() : ReportJson(column.source);
  put_known(out, "source_type", column.source_type);
  put_known(out, "target", column.target);
  put_known(out, "target_type", column.target_type);
  put_known(out, "reason", column.reason);
  put_known(out, "is_key", column.is_key);
  put_known(out, "is_not_null", column.is_not_null);
  put_known(out, "rules", column.rules);
  if (column.sample) out["sample"] = json_of(*column.sample);
  return out;
}

ReportJson json_of(const std::vector<PlannedColumn>& columns) {
  ReportJson out = ReportJson::array();
  for (const PlannedColumn& column : columns) out.push_back(json_of(column));
  return out;
}

ReportJson json_of(const schema::TableRef& table) {
  return {{"schema", table.schema}, {"table", table.name}};
}

ReportJson json_of(const PlannedTable& table) {
  ReportJson out = {{"source", json_of(table.source)},
                    {"target", json_of(table.target)},
                    {"action", table.action},
                    {"rules", table.rules},
                    {"columns", json_of(table.columns)},
                    {"left_out", json_of(table.left_out)}};
  put_known(out, "source_kind", table.source_kind);
  put_known(out, "key", table.key);
  put_known(out, "tablespace", table.tablespace);
  put_known(out, "key_tablespace", table.key_tablespace);
  put_known(out, "filter", table.filter);
  put_known(out, "filter_by_wherry", table.engine_filter);
  put_known(out, "parallel_load", table.parallel_load);
  put_known(out, "estimated_rows", table.estimated_rows);
  put_known(out, "estimated_bytes", table.estimated_bytes);
  out["segments"] = table.segments;
  put_known(out, "sampled_rows", table.sampled_rows);
  put_known(out, "is_sampled_whole", table.is_sampled_whole);
  put_known(out, "lobs", table.lobs);
  out["warnings"] = json_of(table.warnings);
  return out;
}

ReportJson json_of(const engine::RefusedTable& refused) {
  ReportJson fields = ReportJson::object();
  for (const ErrorField& field : refused.error.fields) {
    if (!field.is_row_data) fields[field.key] = field.value;
  }
  return {{"source", json_of(refused.table)},
          {"code", refused.error.code},
          {"message", refused.error.message},
          {"hint", refused.error.hint},
          {"fields", std::move(fields)}};
}

std::string rules_text(const std::vector<std::int64_t>& rules) {
  return rules.empty() ? std::string() : fmt::format(" [{}]", fmt::join(rules, ", "));
}

std::string count_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", count_of(number), noun, number == 1 ? "" : "s");
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kMegabyte = 1e6;
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / kMegabyte);
}

std::string text_of(const schema::PlanWarnings& warnings, const char* indent) {
  std::string out;
  for (const schema::PlanWarning& warning : warnings) {
    out += fmt::format("{}warning ({}): {} [{}]\n", indent, name_of(warning.rank), warning.text,
                       warning.code);
  }
  return out;
}

/// "12 NULL, up to 9 digits and 2 after the point, up to 40 bytes, 38 characters, 3 empty".
std::string text_of(const engine::ColumnSample& sample) {
  std::string out;
  const auto add = [&](const std::string& fact) { out += (out.empty() ? "" : ", ") + fact; };
  if (sample.values == 0) return "all NULL";
  if (sample.nulls != 0) add(count_of(sample.nulls) + " NULL");
  if (sample.most_digits != 0 || sample.most_scale != 0) {
    add(fmt::format("up to {} digits before the point and {} after it", sample.most_digits,
                    sample.most_scale));
  }
  if (sample.most_bytes != 0) add("up to " + count_of(sample.most_bytes) + " bytes");
  if (sample.most_characters != 0) add(count_of(sample.most_characters) + " characters");
  if (sample.empty != 0) add(count_of(sample.empty) + " empty");
  constexpr std::uint64_t kLarge = engine::kSizeClasses[0];
  if (sample.most_bytes <= kLarge) return out;
  for (std::size_t i = 0; i < sample.sizes.size(); ++i) {
    if (sample.sizes[i] == 0) continue;
    const bool is_last = i == engine::kSizeClasses.size();
    add(fmt::format("{} {} {} KB", count_of(sample.sizes[i]), is_last ? "above" : "up to",
                    count_of(engine::kSizeClasses[is_last ? i - 1 : i] / 1024)));
  }
  return out;
}

std::string text_of(const PlannedColumn& column) {
  std::string out = "  ";
  out += column.source.empty() ? "(added)" : column.source + " " + column.source_type;
  if (column.target.empty()) {
    return out + ": not moved, " + column.reason + rules_text(column.rules) + "\n";
  }
  out += fmt::format(" -> {} {}{}", column.target, column.target_type,
                     column.is_not_null ? " not null" : "");
  if (!column.reason.empty()) out += ": " + column.reason;
  out += rules_text(column.rules) + "\n";
  const std::string seen = column.sample ? text_of(*column.sample) : std::string();
  return seen.empty() ? out : out + "    seen: " + seen + "\n";
}

std::string text_of(const PlannedTable& table) {
  std::string out =
      fmt::format("{}{} -> {}: {}{}\n", schema::to_text(table.source),
                  table.source_kind.empty() ? "" : " (" + table.source_kind + ")",
                  schema::to_text(table.target), table.action, rules_text(table.rules));
  std::string facts;
  const auto add = [&](const std::string& fact) { facts += (facts.empty() ? "" : ", ") + fact; };
  if (table.estimated_rows != 0) add("about " + count_of(table.estimated_rows) + " rows");
  if (table.estimated_bytes != 0) add(size_text(table.estimated_bytes));
  if (table.segments > 1) add(fmt::format("about {} segments", table.segments));
  if (!table.parallel_load.empty()) add("parallel-load " + table.parallel_load);
  add(table.key.empty() ? "no key" : table.key);
  if (!table.tablespace.empty()) add("tablespace " + table.tablespace);
  if (!table.key_tablespace.empty()) add("key in tablespace " + table.key_tablespace);
  if (table.sampled_rows != 0) {
    add(fmt::format("{} rows looked at{}", count_of(table.sampled_rows),
                    table.is_sampled_whole ? ", all there are" : ""));
  }
  if (!table.lobs.empty()) add("large objects " + table.lobs);
  out += "  " + facts + "\n";
  if (!table.filter.empty()) out += "  where " + table.filter + "\n";
  if (!table.engine_filter.empty()) {
    out += "  of which Wherry evaluates, not the source: " + table.engine_filter + "\n";
  }
  for (const PlannedColumn& column : table.columns) out += text_of(column);
  for (const PlannedColumn& column : table.left_out) out += text_of(column);
  return out + text_of(table.warnings, "  ");
}

std::string text_of(const PlanTotals& totals, std::size_t tables, std::size_t refused) {
  std::string out = counted(tables, "table");
  if (refused != 0) out += fmt::format(", {} refused", refused);
  if (totals.rows != 0) out += fmt::format(", about {} rows", count_of(totals.rows));
  if (totals.bytes != 0) {
    out +=
        fmt::format(", {}: about {} s with {} subtasks at {} MB/s each; as much disk on the target",
                    size_text(totals.bytes), totals.estimated_secs, totals.subtasks,
                    kAssumedBytesPerSecond / 1'000'000);
  }
  if (totals.unknown_tables != 0) {
    out += fmt::format("; not in these figures: {} without statistics at the source",
                       counted(totals.unknown_tables, "table"));
  }
  return out + "\n";
}

}  // namespace

std::string to_json(const PlanReport& report) {
  ReportJson tables = ReportJson::array(), refused = ReportJson::array();
  for (const PlannedTable& table : report.tables) tables.push_back(json_of(table));
  for (const engine::RefusedTable& table : report.refused) refused.push_back(json_of(table));
  const ReportJson out = {{"version", 1},
                          {"tables", std::move(tables)},
                          {"refused", std::move(refused)},
                          {"warnings", json_of(report.warnings)},
                          {"without_effect", report.without_effect},
                          {"totals",
                           {{"tables", report.tables.size()},
                            {"rows", report.totals.rows},
                            {"bytes", report.totals.bytes},
                            {"unknown_tables", report.totals.unknown_tables},
                            {"subtasks", report.totals.subtasks},
                            {"estimated_secs", report.totals.estimated_secs}}}};
  constexpr int kIndent = 2;
  return out.dump(kIndent, ' ', false, ReportJson::error_handler_t::replace) + "\n";
}

std::string to_text(const PlanReport& report) {
  std::string out;
  for (const PlannedTable& table : report.tables) out += text_of(table);
  out += text_of(report.totals, report.tables.size(), report.refused.size());
  out += text_of(report.warnings, "");
  for (const std::string& what : report.without_effect) out += "note: no effect: " + what + "\n";
  return out;
}

}  // namespace wherry::control
