// Keys of what becomes of changes that do not fit, and of DDL.
#include "control/settings_bench.h"

namespace wherry::control {
namespace {

/// "stopped (CODE)" of the task, else whether the table is suspended and what was recorded.
std::string fate_of_changes(const SettingsBench& bench, const Result<ChangeOutcome>& outcome) {
  if (!outcome.ok()) return "task stopped: " + outcome.error().code;
  return fmt::format("{}{} recorded", outcome->has_table_errors ? "suspended, " : "",
                     bench.target.apply_state()->exceptions.size());
}

void remove_on_target(SettingsBench& bench, std::initializer_list<int> ids) {
  bench.commit(bench.target, [&](memory::Transaction& work) -> Result<void> {
    for (const int id : ids) WHERRY_TRY(work.remove({"S", "A"}, {Value::integer(id)}));
    return {};
  });
}

std::string row_that_is_there(SettingsBench& bench) {
  EXPECT_TRUE(bench.catch_up().ok());
  bench.commit(bench.target, [](memory::Transaction& work) {
    return work.insert({"S", "A"}, row_of(100, "theirs"));
  });
  bench.insert("A", 100, 1);
  const std::string fate = fate_of_changes(bench, bench.catch_up());
  return fate + ", " + bench.text_on_target(100);
}

std::string row_that_is_missing(SettingsBench& bench) {
  EXPECT_TRUE(bench.catch_up().ok());
  remove_on_target(bench, {5});
  bench.commit(bench.source, [](memory::Transaction& work) {
    return work.update({"S", "A"}, {Value::integer(5)}, row_of(5, "changed"));
  });
  const std::string fate = fate_of_changes(bench, bench.catch_up());
  return fate + ", " + bench.text_on_target(5);
}

/// Three rows to delete are missing.
std::string rows_gone_before(SettingsBench& bench) {
  EXPECT_TRUE(bench.catch_up().ok());
  remove_on_target(bench, {5, 6, 7});
  for (const int id : {5, 6, 7}) {
    bench.commit(bench.source, [&](memory::Transaction& work) {
      return work.remove({"S", "A"}, {Value::integer(id)});
    });
  }
  return fate_of_changes(bench, bench.catch_up());
}

/// A change that was cached while the table was loaded meets a row that is there.
std::string conflict_of_a_cached_change(SettingsBench& bench) {
  bench.target.put(changed_table("A"), {row_of(100, "theirs")});
  bench.source.faults().add({Point::kRead, "A", 0, 1, std::nullopt});
  const auto task = bench.start_task(Kind::kCaughtUp);
  EXPECT_TRUE(bench.source.faults().wait_held(1, kChangeDeadline));
  bench.insert("A", 100, 1);
  bench.source.faults().release();
  return fate_of_changes(bench, task->end());
}

std::string truncation(SettingsBench& bench) {
  EXPECT_TRUE(bench.catch_up().ok());
  bench.commit(bench.source, [](memory::Transaction& work) { return work.truncate({"S", "A"}); });
  const auto outcome = bench.catch_up();
  if (!outcome.ok()) return "task stopped: " + outcome.error().code;
  return fmt::format("{} rows", bench.rows_on_target());
}

std::string new_column(SettingsBench& bench) {
  EXPECT_TRUE(bench.catch_up().ok());
  Row row = row_of(100, "new");
  row.push_back(Value::text("more"));
  bench.source.put(bench.wider_table("A", "MORE", schema::TypeKind::kText), {row});
  EXPECT_TRUE(bench.catch_up().ok());
  EXPECT_EQ(bench.text_on_target(100), "new");
  return fmt::format("{} columns", bench.target.find({"S", "A"})->definition.columns.size());
}

}  // namespace

SettingCases apply_setting_cases() {
  const std::string stopped = "task stopped: apply.stopped_by_policy";
  const std::string logged = R"({"ErrorBehavior": {"ApplyErrorDeletePolicy": "LOG_ERROR"}})";
  const std::string two = R"({"ErrorBehavior": {"ApplyErrorEscalationCount": 2}})";
  const std::string suspends =
      R"({"ErrorBehavior": {"ApplyErrorEscalationPolicy": "SUSPEND_TABLE"}})";
  return {
      {"/ErrorBehavior/ApplyErrorInsertPolicy",
       row_that_is_there,
       {{R"("LOG_ERROR")", "1 recorded, theirs"},
        {R"("IGNORE_RECORD")", "0 recorded, theirs"},
        {R"("SUSPEND_TABLE")", "suspended, 1 recorded, theirs"},
        {R"("STOP_TASK")", stopped + ", theirs"},
        {R"("INSERT_RECORD")", "0 recorded, new"}}},
      {"/ErrorBehavior/ApplyErrorUpdatePolicy",
       row_that_is_missing,
       {{R"("LOG_ERROR")", "1 recorded, none"},
        {R"("IGNORE_RECORD")", "0 recorded, none"},
        {R"("SUSPEND_TABLE")", "suspended, 1 recorded, none"},
        {R"("STOP_TASK")", stopped + ", none"},
        {R"("UPDATE_RECORD")", "0 recorded, changed"}}},
      {"/ErrorBehavior/ApplyErrorDeletePolicy",
       rows_gone_before,
       {{R"("IGNORE_RECORD")", "0 recorded"},
        {R"("LOG_ERROR")", "3 recorded"},
        {R"("SUSPEND_TABLE")", "suspended, 1 recorded"},
        {R"("STOP_TASK")", stopped}}},
      {"/ErrorBehavior/ApplyErrorEscalationCount",
       rows_gone_before,
       {{"0", "0 recorded"}, {"4", "0 recorded"}, {"2", "suspended, 1 recorded"}},
       suspends},
      {"/ErrorBehavior/ApplyErrorEscalationPolicy",
       rows_gone_before,
       {{R"("LOG_ERROR")", "2 recorded"},
        {R"("SUSPEND_TABLE")", "suspended, 1 recorded"},
        {R"("STOP_TASK")", stopped}},
       two},
      {"/ErrorBehavior/FullLoadIgnoreConflicts",
       conflict_of_a_cached_change,
       {{"true", "0 recorded"}, {"false", "1 recorded"}}},
      {"/ErrorBehavior/ApplyErrorFailOnTruncationDdl",
       truncation,
       {{"false", "0 rows"}, {"true", stopped}}},
      {"/ChangeProcessingDdlHandlingPolicy/HandleSourceTableTruncated",
       truncation,
       {{"true", "0 rows"}, {"false", "20 rows"}}},
      {"/ChangeProcessingDdlHandlingPolicy/HandleSourceTableAltered",
       new_column,
       {{"true", "3 columns"}, {"false", "2 columns"}}},
  };
}

}  // namespace wherry::control
