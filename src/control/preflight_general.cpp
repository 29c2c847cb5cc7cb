#include "control/preflight_general.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <set>

#include "mapping/rule_text.h"

namespace wherry::control {
namespace {

using connect::Assessment;
using connect::AssessmentFinding;
using connect::Assessments;
using connect::Verdict;
using Findings = std::vector<AssessmentFinding>;

Assessment assessment(std::string name, std::string text, Verdict verdict, Findings findings) {
  const Verdict found = findings.empty() ? Verdict::kPassed : verdict;
  return {std::move(name), found, std::move(text), std::move(findings)};
}
Assessment of_no_concern(std::string name) {
  return {std::move(name), Verdict::kSkipped, "it does not concern this task", {}};
}

/// One finding for each table of which `wrong` is true.
Findings tables_where(const engine::TaskPlan& plan, const std::string& text,
                      const std::string& remedy,
                      const std::function<bool(const schema::TablePlan&)>& wrong) {
  Findings out;
  for (const engine::TableTask& task : plan.tables) {
    if (wrong(*task.plan)) out.push_back({schema::to_text(task.plan->source), text, remedy});
  }
  return out;
}

bool has_lobs(const schema::TablePlan& plan) {
  return std::any_of(plan.columns.begin(), plan.columns.end(),
                     [](const schema::ColumnPlan& column) { return schema::is_lob(column.type); });
}

Assessment assess_selection(const engine::TaskPlan& plan, const TaskRequest& request) {
  const char* name = "all-check-source-selection-rules";
  const char* text = "the selection rules find tables at the source";
  if (plan.empty()) {
    return {name,
            request.settings.fail_on_no_tables_captured ? Verdict::kFailed : Verdict::kWarning,
            text,
            {{{},
              "no table is selected",
              "check the names in the rules: they are case-sensitive, Oracle's are upper case "
              "unless quoted; and that the source's user may read the tables"}}};
  }
  std::set<std::int64_t> used;
  for (const engine::TableTask& task : plan.tables)
    used.insert(task.rules.begin(), task.rules.end());
  Findings findings;
  for (const mapping::RuleText& rule : mapping::texts_of(request.rules)) {
    const bool selects =
        rule.type == "selection" && !rule.text.starts_with("exclude") && plan.refused.empty();
    if (!selects || used.contains(rule.id)) continue;
    findings.push_back({fmt::format("rule-id {}", rule.id), "no table is selected by: " + rule.text,
                        "check the names in the rule: they are case-sensitive"});
  }
  return assessment(name, text, Verdict::kWarning, std::move(findings));
}

Assessment assess_types(const engine::TaskPlan& plan) {
  Findings findings;
  Verdict verdict = Verdict::kWarning;
  for (const engine::TableTask& task : plan.tables) {
    for (const schema::PlanWarning& warning : task.plan->warnings) {
      if (warning.code != "plan.unsupported_type") continue;
      findings.push_back({schema::to_text(task.plan->source), warning.text,
                          "move what is in it by other means, or take it out with remove-column"});
    }
  }
  for (const engine::RefusedTable& table : plan.refused) {
    if (table.error.kind != ErrorKind::kUnsupported) continue;
    findings.push_back({schema::to_text(table.table), table.error.message, table.error.hint});
    verdict = Verdict::kFailed;
  }
  return assessment("unsupported-data-types-in-source", "every column has a type that can be moved",
                    verdict, std::move(findings));
}

Assessment assess_refused(const engine::TaskPlan& plan) {
  Findings findings;
  for (const engine::RefusedTable& table : plan.refused) {
    if (table.error.kind == ErrorKind::kUnsupported) continue;
    findings.push_back({schema::to_text(table.table), table.error.message, table.error.hint});
  }
  return assessment("wherry-check-plan",
                    "every table that is selected can be moved as the rules want", Verdict::kFailed,
                    std::move(findings));
}

void assess_keys(const engine::TaskPlan& plan, bool has_changes, Assessments& out) {
  const char* lobs = "table-with-lob-but-without-primary-key-or-unique-constraint";
  out.push_back(assessment(
      lobs, "every table with large objects has a key", Verdict::kWarning,
      tables_where(plan, "it has large objects, and no key to name a row by when one is refused",
                   "give it a primary key, or use a define-primary-key rule",
                   [](const auto& table) { return table.key.empty() && has_lobs(table); })));
  const char* keys = "table-with-no-primary-key-or-unique-constraint";
  if (!has_changes) {
    out.push_back(of_no_concern(keys));
    return;
  }
  out.push_back(assessment(
      keys, "every table has a key: without one each change looks through all of the target's",
      Verdict::kWarning,
      tables_where(plan, "it has neither a primary nor a unique key",
                   "give it a primary key, or use a define-primary-key rule",
                   [](const auto& table) { return table.key.empty(); })));
}

Assessment assess_limited_lobs(const engine::TaskPlan& plan) {
  Findings findings;
  for (const engine::TableTask& task : plan.tables) {
    for (const schema::ColumnPlan& column : task.plan->columns) {
      if (!schema::is_lob(column.type) || column.max_lob_bytes == 0) continue;
      findings.push_back(
          {schema::to_text(task.plan->source) + "." + column.source_name,
           fmt::format("what is longer than {} KB is cut, and counted",
                       column.max_lob_bytes / 1024),
           "set LimitedSizeLobMode to false: whole large objects cost no more here"});
    }
  }
  return assessment("wherry-check-limited-lobs", "no large object is cut (LimitedSizeLobMode)",
                    Verdict::kWarning, std::move(findings));
}

Assessment assess_masks(const engine::TaskPlan& plan) {
  Findings findings;
  for (const engine::TableTask& task : plan.tables) {
    for (const schema::PlanWarning& warning : task.plan->warnings) {
      if (warning.code != "plan.unmasked") continue;
      findings.push_back({schema::to_text(task.plan->source), warning.text,
                          "mask another way, or take the column out with remove-column"});
    }
  }
  return assessment("wherry-check-masking", "every column that is to be masked can be",
                    Verdict::kFailed, std::move(findings));
}

/// DMS's, which concern nothing here.
void skip_needless(const std::string& engine, Assessments& out) {
  constexpr const char* kMasked = "columns that are masked are left out of the comparison";
  for (const char* name : {"all-to-all-validation-with-datamasking-digits-randomize",
                           "all-to-all-validation-with-datamasking-hash-mask",
                           "all-to-all-validation-with-digit-mask"}) {
    out.push_back({name, Verdict::kSkipped, kMasked, {}});
  }
  for (const char* mask : {"digits-randomize", "digits-mask", "hash-mask"}) {
    out.push_back({engine + "-datamasking-" + mask,
                   Verdict::kSkipped,
                   "wherry-check-masking names columns that a mask does not fit",
                   {}});
  }
  out.push_back({"full-lob-not-nullable-at-target",
                 Verdict::kSkipped,
                 "a large object is written with its row, never afterwards",
                 {}});
}

/// The nearest directory that is there.
std::filesystem::path existing_part(std::filesystem::path path) {
  std::error_code failure;
  path = std::filesystem::absolute(path, failure);
  while (!path.empty() && path != path.root_path() && !std::filesystem::exists(path, failure)) {
    path = path.parent_path();
  }
  return path;
}

}  // namespace

connect::Assessments assess_plan(const engine::TaskPlan& plan, const TaskRequest& request) {
  const bool has_changes = request.type != MigrationType::kFullLoad;
  Assessments out = {assess_selection(plan, request), assess_types(plan), assess_refused(plan)};
  assess_keys(plan, has_changes, out);
  out.push_back(assess_limited_lobs(plan));
  out.push_back(assess_masks(plan));
  skip_needless(request.source.connector->info().name, out);
  return out;
}

connect::Assessment assess_state_directory(const TaskRequest& request) {
  constexpr std::uint64_t kLeastBytes = 1ULL << 30;
  const std::filesystem::path place = existing_part(request.state_directory);
  Findings findings;
  Verdict verdict = Verdict::kWarning;
  std::error_code failure;
  const auto space = std::filesystem::space(place, failure);
  if (::access(place.c_str(), W_OK | X_OK) != 0) {
    verdict = Verdict::kFailed;
    findings.push_back({place.string(), "it cannot be written", "use another --state"});
  } else if (failure) {
    findings.push_back({place.string(), failure.message(), "use another --state"});
  } else if (request.type != MigrationType::kFullLoad &&
             space.available < std::max(kLeastBytes, request.settings.changes.memory_bytes)) {
    findings.push_back(
        {place.string(), fmt::format("{} MB are free", space.available >> 20),
         "make room: changes that wait for the load, and large transactions, are kept there"});
  }
  return assessment("wherry-check-state-directory",
                    "the state directory can be written, and has room for changes that wait",
                    verdict, std::move(findings));
}

std::string name_for(std::string name, std::string_view source_engine) {
  struct Alias {
    std::string_view name, of_oracle;
  };
  constexpr std::array kAliases = {
      Alias{"wherry-check-target-triggers", "oracle-target-triggers-are-enabled"},
      Alias{"wherry-check-target-foreign-keys", "oracle-target-foreign-key-constraints-check"},
      Alias{"postgres-check-target-secondary-indexes", "oracle-check-secondary-indexes"},
      Alias{"postgres-check-target-privileges", "oracle-validate-permissions-on-target"},
      Alias{"postgres-check-batch-apply-target-pk-ui-absence",
            "oracle-check-batch-apply-target-pk-ui-absence"},
      Alias{"postgres-check-batch-apply-target-pk-ui-simultaneously",
            "oracle-check-batch-apply-target-pk-ui-simultaneously"},
      Alias{"postgres-check-dbversion", "oracle-validate-supported-versions-of-target"},
      Alias{"wherry-check-limited-lobs", "oracle-pg-lobs-with-failtasksonlobtruncation"},
  };
  if (source_engine != "oracle") return name;
  for (const Alias& alias : kAliases) {
    if (alias.name == name) return std::string(alias.of_oracle);
  }
  return name;
}

}  // namespace wherry::control
