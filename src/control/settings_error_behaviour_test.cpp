// Keys of ErrorBehavior that a load shows: rows, tables, connections.
#include "control/settings_bench.h"

namespace wherry::control {
namespace {

/// "stopped (CODE)" of the task, else what became of each table that was begun.
std::string fate_of(const SettingsBench& bench, RunningLoad& load) {
  const auto& outcome = load.end();
  if (!outcome.ok()) return "task stopped: " + outcome.error().code;
  std::string out;
  for (const engine::TableProgress& table : load.progress().tables()) {
    const std::string& name = table.plan->source.name;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name,
                       table.error ? "given up" : std::to_string(bench.rows_on_target(name)));
  }
  for (const auto& refused : outcome->refused) out += "refused " + refused.table.name;
  return out;
}

/// Three rows of A do not fit the target's table.
std::string rows_that_do_not_fit(SettingsBench& bench) {
  bench.keep_only("A");
  std::vector<Row> rows = bench.rows("A", 20);
  for (const std::size_t i : {3U, 7U, 11U}) rows[i][1] = Value::null();
  bench.source.put(changed_table("A"), rows);
  schema::TableDef strict = changed_table("A");
  strict.columns[1].nullable = false;
  bench.target.put(strict);
  const auto load = bench.start_load();
  const std::string fate = fate_of(bench, *load);
  return fmt::format("{}; {} in the log", fate, bench.heard.count("a row is left out"));
}

std::string mask_that_does_not_fit(SettingsBench& bench) {
  bench.keep_only("A");
  bench.request.rules = *mapping::RuleSet::parse(R"({"rules": [
      {"rule-type": "selection", "rule-id": 1, "rule-name": "1", "rule-action": "include",
       "object-locator": {"schema-name": "S", "table-name": "A"}},
      {"rule-type": "transformation", "rule-id": 2, "rule-name": "2", "rule-target": "column",
       "rule-action": "data-masking-hash-mask",
       "object-locator": {"schema-name": "S", "table-name": "A", "column-name": "ID"}}]})");
  const auto load = bench.start_load();
  const std::string fate = fate_of(bench, *load);
  return fmt::format("{}{}", fate, bench.heard.count("UNMASKED") == 0 ? "" : ", unmasked");
}

/// The first two of the three tables are in error.
std::string tables_in_error(SettingsBench& bench) {
  const Error error = make_error(ErrorKind::kData, "test.data", "does not fit");
  for (const char* name : {"A", "B"}) bench.target.faults().add({Point::kWrite, name, 0, 1, error});
  const auto load = bench.start_load();
  return fate_of(bench, *load);
}

/// The connection breaks three times.
std::string broken_three_times(SettingsBench& bench) {
  bench.keep_only("A");
  bench.source.faults().add({Point::kCatalog, {}, 0, 3, memory::cut_error()});
  const auto load = bench.start_load();
  return fate_of(bench, *load);
}

std::string waits_of(SettingsBench& bench, std::size_t stop_at) {
  bench.source.faults().add({Point::kCatalog, {}, 0, 100, memory::cut_error()});
  (void)bench.start_load(stop_at)->end().ok();
  return bench.heard.values_of("wait_ms");
}
std::string first_wait(SettingsBench& bench) {
  return waits_of(bench, 1);
}
std::string two_waits(SettingsBench& bench) {
  return waits_of(bench, 2);
}
std::string all_waits(SettingsBench& bench) {
  return waits_of(bench, 0);
}

}  // namespace

SettingCases error_setting_cases() {
  const std::string two = R"({"ErrorBehavior": {"DataErrorEscalationCount": 2}})";
  return {
      {"/ErrorBehavior/DataErrorPolicy",
       rows_that_do_not_fit,
       {{R"("LOG_ERROR")", "A 17; 3 in the log"},
        {R"("IGNORE_RECORD")", "A 17; 0 in the log"},
        {R"("SUSPEND_TABLE")", "A given up; 0 in the log"},
        {R"("STOP_TASK")", "task stopped: load.stopped_by_policy; 0 in the log"}}},
      {"/ErrorBehavior/DataErrorEscalationCount",
       rows_that_do_not_fit,
       {{"0", "A 17; 3 in the log"},
        {"2", "A given up; 2 in the log"},
        {"4", "A 17; 3 in the log"}}},
      {"/ErrorBehavior/DataErrorEscalationPolicy",
       rows_that_do_not_fit,
       {{R"("SUSPEND_TABLE")", "A given up; 2 in the log"},
        {R"("STOP_TASK")", "task stopped: load.stopped_by_policy; 2 in the log"}},
       two},
      {"/ErrorBehavior/DataMaskingErrorPolicy",
       mask_that_does_not_fit,
       {{R"("STOP_TASK")", "task stopped: plan.bad_mask"},
        {R"("SUSPEND_TABLE")", "refused A"},
        {R"("IGNORE_RECORD")", "refused A"},
        {R"("LOG_ERROR")", "A 20, unmasked"}}},
      {"/ErrorBehavior/TableErrorPolicy",
       tables_in_error,
       {{R"("SUSPEND_TABLE")", "A given up, B given up, C 20"},
        {R"("STOP_TASK")", "task stopped: load.stopped_by_policy"}}},
      {"/ErrorBehavior/TableErrorEscalationCount",
       tables_in_error,
       {{"0", "A given up, B given up, C 20"},
        {"3", "A given up, B given up, C 20"},
        {"2", "task stopped: load.stopped_by_policy"}}},
      {"/ErrorBehavior/RecoverableErrorCount",
       broken_three_times,
       {{"-1", "A 20"}, {"3", "A 20"}, {"2", "task stopped: memory.cut"}},
       R"({"ErrorBehavior": {"RecoverableErrorInterval": 0}})"},
      {"/ErrorBehavior/RecoverableErrorInterval", first_wait, {{"5", "5000"}, {"7", "7000"}}},
      {"/ErrorBehavior/RecoverableErrorThrottling",
       two_waits,
       {{"true", "1000 2000"}, {"false", "1000 1000"}},
       R"({"ErrorBehavior": {"RecoverableErrorInterval": 1}})"},
      {"/ErrorBehavior/RecoverableErrorThrottlingMax",
       first_wait,
       {{"1800", "5000"}, {"2", "2000"}}},
      {"/ErrorBehavior/RecoverableErrorStopRetryAfterThrottlingMax",
       all_waits,
       {{"true", "0"}, {"false", "0 0 0 0"}},
       R"({"ErrorBehavior": {"RecoverableErrorCount": 4, "RecoverableErrorInterval": 0,
           "RecoverableErrorThrottlingMax": 0}})"},
  };
}

}  // namespace wherry::control
