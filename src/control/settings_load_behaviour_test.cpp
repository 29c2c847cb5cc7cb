// Keys of a full load: TargetMetadata, FullLoadSettings, CharacterSetSettings, WherrySettings.
#include "control/settings_bench.h"

namespace wherry::control {
namespace {

constexpr std::size_t kMany = 100;

/// A fault that holds each call there until the test lets go.
memory::Fault hold_all(Point point, const std::string& table = {}) {
  return {point, table, 0, kMany, std::nullopt};
}

std::string failure_of(const Result<LoadOutcome>& outcome) {
  return outcome.ok() ? "" : outcome.error().code;
}

std::string table_that_is_there(SettingsBench& bench) {
  bench.keep_only("A");
  schema::TableDef theirs = changed_table("A");
  theirs.keys.push_back({"THEIRS", {"NAME"}, false});
  bench.target.put(theirs, {row_of(1000, "theirs")});
  EXPECT_EQ(failure_of(bench.start_load()->end()), "");
  const auto table = bench.target.find({"S", "A"});
  return fmt::format("{} rows, {} keys", table->rows.size(), table->definition.keys.size());
}

std::string keys_while_rows_come(SettingsBench& bench) {
  bench.target.faults().add(hold_all(Point::kWrite));
  const auto load = bench.start_load();
  EXPECT_TRUE(bench.target.faults().wait_held(1, kChangeDeadline));
  for (const char* name : {"A", "B", "C"}) {
    const auto table = bench.target.find({"S", name});
    if (table) return fmt::format("{} keys", table->definition.keys.size());
  }
  return "no table";
}

std::string tables_at_once(SettingsBench& bench) {
  for (const char* name : {"D", "E"}) bench.source.put(changed_table(name), bench.rows(name, 20));
  bench.source.faults().add(hold_all(Point::kRead));
  const auto load = bench.start_load();
  return fmt::format("{} at once", held_at_once(bench.source.faults(), 5));
}

std::string buffers(SettingsBench& bench) {
  bench.keep_only("A");
  EXPECT_EQ(failure_of(bench.start_load()->end()), "");
  return fmt::format("{} buffers", bench.target.faults().calls(Point::kWrite));
}

/// As the connector sees it, 2.5 MB.
void put_large_table(SettingsBench& bench) {
  bench.keep_only("A");
  bench.source.put(changed_table("A"), bench.rows("A", 40'000));
}

std::string pieces(SettingsBench& bench) {
  put_large_table(bench);
  const auto load = bench.start_load();
  EXPECT_EQ(failure_of(load->end()), "");
  return fmt::format("{} pieces", load->progress().tables()[0].chunks.load());
}

std::string helpers(SettingsBench& bench) {
  put_large_table(bench);
  bench.source.faults().add(hold_all(Point::kRead));
  const auto load = bench.start_load();
  return fmt::format("{} readers", held_at_once(bench.source.faults(), 2));
}

/// Two megabytes take two seconds at one megabyte a second, and next to nothing else.
std::string pace(SettingsBench& bench) {
  bench.keep_only("A");
  std::vector<Row> rows;
  for (int id = 0; id < 200; ++id) rows.push_back(row_of(id, std::string(10'000, 'x')));
  bench.source.put(changed_table("A"), rows);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(failure_of(bench.start_load()->end()), "");
  const auto spent = std::chrono::steady_clock::now() - begun;
  return spent > std::chrono::milliseconds(1500) ? "slow" : "fast";
}

std::string large_objects(SettingsBench& bench) {
  Row row = row_of(1, "one");
  row.push_back(Value::text(std::string(40 * 1024, 'x')));
  bench.keep_only("A");
  bench.source.put(bench.wider_table("A", "BODY", schema::TypeKind::kClob), {row});
  EXPECT_EQ(failure_of(bench.start_load()->end()), "");
  const auto table = bench.target.find({"S", "A"});
  const int place = table->definition.find_column("BODY");
  if (place < 0) return "no column";
  return fmt::format("{} bytes", table->rows[0][static_cast<std::size_t>(place)].bytes.size());
}

std::string names(SettingsBench& bench) {
  bench.keep_only("A");
  EXPECT_EQ(failure_of(bench.start_load()->end()), "");
  std::string out;
  for (const auto& [name, table] : *bench.target.as_of(bench.target.version())) {
    out += schema::to_text(name);
  }
  return out;
}

std::string characters(SettingsBench& bench) {
  bench.keep_only("A");
  bench.source.put(changed_table("A"), {row_of(1, "ab\xC3\xA9")});
  EXPECT_EQ(failure_of(bench.start_load()->end()), "");
  return bench.text_on_target(1);
}

std::string lines_of_the_task(SettingsBench& bench) {
  EXPECT_EQ(failure_of(bench.start_load()->end()), "");
  return bench.heard.count("[TASK_MANAGER") == 0 ? "silent" : "heard";
}

std::string nothing_to_load(SettingsBench& bench) {
  bench.request.rules = *mapping::RuleSet::parse(
      R"({"rules": [{"rule-type": "selection", "rule-id": 1, "rule-name": "1",
          "object-locator": {"schema-name": "NOBODY", "table-name": "%"},
          "rule-action": "include"}]})");
  const std::string failure = failure_of(bench.start_load()->end());
  return failure.empty() ? "nothing is done" : failure;
}

}  // namespace

SettingCases load_setting_cases() {
  const std::string subtasks = R"({"FullLoadSettings": {"MaxFullLoadSubTasks": 4}})";
  const std::string small_pieces = R"({"FullLoadSettings": {"MaxFullLoadSubTasks": 4},
      "WherrySettings": {"SegmentSizeMB": 1, "WholeTableMB": 0}})";
  const SeenValue two{"2", "2 at once"}, five{"5", "5 at once"};
  return {
      {"/TargetMetadata/TargetSchema", names, {{R"("")", "S.A"}, {R"("NEW")", "NEW.A"}}},
      {"/TargetMetadata/SupportLobs",
       large_objects,
       {{"true", "40960 bytes"}, {"false", "no column"}}},
      {"/TargetMetadata/FullLobMode",
       large_objects,
       {{"true", "40960 bytes"}, {"false", "32768 bytes"}}},
      {"/TargetMetadata/LimitedSizeLobMode",
       large_objects,
       {{"false", "40960 bytes"}, {"true", "32768 bytes"}}},
      {"/TargetMetadata/LobMaxSize", large_objects, {{"1", "1024 bytes"}, {"8", "8192 bytes"}}},
      {"/TargetMetadata/MaxFullLoadSubTasks", tables_at_once, {two, five}},
      {"/FullLoadSettings/MaxFullLoadSubTasks", tables_at_once, {two, five}},
      {"/WherrySettings/MaxSourceConnections",
       tables_at_once,
       {{"0", "4 at once"}, {"2", "2 at once"}},
       subtasks},
      {"/FullLoadSettings/TargetTablePrepMode",
       table_that_is_there,
       {{R"("DO_NOTHING")", "21 rows, 2 keys"},
        {R"("TRUNCATE_BEFORE_LOAD")", "20 rows, 2 keys"},
        {R"("DROP_AND_CREATE")", "20 rows, 1 keys"}}},
      {"/FullLoadSettings/CreatePkAfterFullLoad",
       keys_while_rows_come,
       {{"true", "0 keys"}, {"false", "1 keys"}}},
      {"/FullLoadSettings/CommitRate", buffers, {{"10000", "1 buffers"}, {"5", "4 buffers"}}},
      {"/WherrySettings/SegmentSizeMB",
       pieces,
       {{"64", "1 pieces"}, {"1", "2 pieces"}},
       R"({"WherrySettings": {"WholeTableMB": 0}})"},
      {"/WherrySettings/WholeTableMB",
       pieces,
       {{"1024", "1 pieces"}, {"0", "2 pieces"}},
       R"({"WherrySettings": {"SegmentSizeMB": 1}})"},
      {"/WherrySettings/SplitAfterSeconds",
       helpers,
       {{"0", "2 readers"}, {"3600", "1 readers"}},
       small_pieces},
      {"/WherrySettings/MaxReadMBPerSecond", pace, {{"0", "fast"}, {"1", "slow"}}},
      {"/CharacterSetSettings/CharacterReplacements",
       characters,
       {{"null", "ab\xC3\xA9"},
        {R"([{"SourceCharacterCodePoint": 62, "TargetCharacterCodePoint": 61}])", "aa\xC3\xA9"}}},
      {"/CharacterSetSettings/CharacterSetSupport",
       characters,
       {{"null", "ab\xC3\xA9"},
        {R"({"CharacterSet": "US-ASCII", "ReplaceWithCharacterCodePoint": "3F"})", "ab?"}}},
      {"/Logging/LogComponents",
       lines_of_the_task,
       {{"null", "heard"},
        {R"([{"Id": "TASK_MANAGER", "Severity": "LOGGER_SEVERITY_ERROR"}])", "silent"}}},
      {"/ErrorBehavior/FailOnNoTablesCaptured",
       nothing_to_load,
       {{"true", "task.no_tables"}, {"false", "nothing is done"}}},
  };
}

}  // namespace wherry::control
