#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "connect/memory/connector.h"
#include "control/task.h"

namespace wherry::control {
namespace {

using memory::Point;
using memory::Row;
using memory::Value;

constexpr std::chrono::seconds kDeadline{20};

schema::TableDef table_def(const std::string& name, bool has_key = true) {
  schema::TableDef def;
  def.table = {"S", name};
  def.columns.resize(2);
  def.columns[0].name = "ID";
  def.columns[0].type.kind = schema::TypeKind::kInt64;
  def.columns[0].nullable = false;
  def.columns[1].name = "NAME";
  def.columns[1].type.kind = schema::TypeKind::kText;
  if (has_key) def.keys = {{"PK", {"ID"}, true}};
  return def;
}

std::vector<Row> rows(int count) {
  std::vector<Row> out;
  for (int i = 0; i < count; ++i) {
    out.push_back({Value::integer(i), Value::text("row " + std::to_string(i))});
  }
  return out;
}

struct NoObserver final : TaskObserver {
  void on_phase(const std::string& phase) override { phases.push_back(phase); }
  void on_load(std::shared_ptr<const engine::LoadProgress> load) override { progress = load; }
  void on_validation(std::shared_ptr<const engine::ValidationProgress>) override {}
  void on_interruption(const std::optional<engine::Interruption>& interruption) override {
    interruptions.push_back(interruption);
  }
  std::vector<std::optional<engine::Interruption>> interruptions;
  std::vector<std::string> phases;
  std::shared_ptr<const engine::LoadProgress> progress;
};

struct CountedDifferences final : engine::DifferenceSink {
  void on_difference(const engine::Difference& difference) override { all.push_back(difference); }
  std::vector<engine::Difference> all;
};

class TaskTest : public ::testing::TestWithParam<connect::ExistingTable> {
 protected:
  TaskTest() : source_(connector_.create("source")), target_(connector_.create("target")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "wherry-task-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    request_.source = {&connector_, memory::MemoryConnector::settings("source")};
    request_.target = {&connector_, memory::MemoryConnector::settings("target")};
    request_.state_directory = directory_ / "state";
    request_.settings.max_full_load_subtasks = 1;
    for (const char* name : {"A", "B", "C"}) source_.put(table_def(name), rows(20));
  }
  ~TaskTest() override { std::filesystem::remove_all(directory_); }

  Result<LoadOutcome> run() {
    observer_ = {};
    stop_ = {};
    OpContext context{stop_.get_token(), std::chrono::steady_clock::time_point::max(), {}};
    return run_full_load_task(context, request_, observer_);
  }

  /// Runs until a call at `point` for table B is held, then asks it to stop.
  void run_until_stopped_at(memory::Database& database, Point point) {
    database.faults().add({point, "B", 0, 1, std::nullopt});
    std::thread watcher([&] {
      EXPECT_TRUE(database.faults().wait_held(1, kDeadline));
      stop_.request_stop();
    });
    const auto outcome = run();
    watcher.join();
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind, ErrorKind::kCancelled);
  }

  void expect_all_loaded_once() {
    for (const char* name : {"A", "B", "C"}) {
      const auto table = target_.find({"S", name});
      ASSERT_TRUE(table) << name;
      EXPECT_EQ(table->rows, rows(20)) << name;
      EXPECT_EQ(table->definition.keys.size(), 1U) << name;
    }
  }

  std::filesystem::path directory_;
  memory::MemoryConnector connector_;
  memory::Database& source_;
  memory::Database& target_;
  TaskRequest request_;
  NoObserver observer_;
  std::stop_source stop_;
};

/// Stopped at whatever point, the task goes on with the same directory, with nothing doubled and
/// nothing lost, and reads at the position of its first run.
TEST_P(TaskTest, AStoppedTaskGoesOnAsIfNothingHadBeen) {
  for (const Point point : {Point::kOpenReader, Point::kRead, Point::kPrepare, Point::kBegin,
                            Point::kWrite, Point::kFinish, Point::kCommitted, Point::kComplete}) {
    request_.settings.target_table_prep_mode = GetParam();
    request_.state_directory = directory_ / std::to_string(static_cast<int>(point));
    for (const char* name : {"A", "B", "C"}) {
      source_.put(table_def(name), rows(20));
      target_.drop({"S", name});
    }
    run_until_stopped_at(point <= Point::kRead ? source_ : target_, point);
    source_.put(table_def("B"), rows(500));
    source_.put(table_def("C"), rows(500));
    const auto outcome = run();
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    EXPECT_FALSE(outcome->has_table_errors) << static_cast<int>(point);
    EXPECT_EQ(outcome->finished_before.size(), 1U);
    expect_all_loaded_once();
    EXPECT_EQ(run()->finished_before.size(), 3U);
    expect_all_loaded_once();
  }
}

INSTANTIATE_TEST_SUITE_P(PrepModes, TaskTest,
                         ::testing::Values(connect::ExistingTable::kDrop,
                                           connect::ExistingTable::kTruncate,
                                           connect::ExistingTable::kKeep));

/// Stopped before the commit, or when it has happened and nobody knows.
TEST_F(TaskTest, RowsOfOthersAreNeitherDroppedNorDoubledAfterABrokenCommit) {
  for (const Point point : {Point::kFinish, Point::kCommitted}) {
    request_.state_directory = directory_ / std::to_string(static_cast<int>(point));
    for (const char* name : {"A", "C"}) target_.drop({"S", name});
    target_.put(table_def("B", false), {{Value::integer(1000), Value::text("theirs")}});
    run_until_stopped_at(target_, point);
    const auto outcome = run();
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    EXPECT_TRUE(outcome->refused.empty());
    EXPECT_EQ(target_.find({"S", "B"})->rows.size(), 21U);
    EXPECT_EQ(target_.find({"S", "C"})->rows, rows(20));
  }
}

TEST_F(TaskTest, ATableInErrorIsLoadedByTheNextRun) {
  target_.faults().add(
      {Point::kWrite, "B", 0, 1, make_error(ErrorKind::kData, "test.data", "does not fit")});
  auto outcome = run();
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->has_table_errors);
  outcome = run();
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->has_table_errors);
  EXPECT_EQ(outcome->finished_before.size(), 2U);
  expect_all_loaded_once();
}

/// DO_NOTHING keeps what others have put there, and nothing else.
TEST_F(TaskTest, AReloadDoublesNothing) {
  target_.put(table_def("B"));  // empty
  target_.put(table_def("C", false), {{Value::integer(1000), Value::text("theirs")}});
  ASSERT_TRUE(run().ok());
  ASSERT_TRUE(target_
                  .change({"S", "A"},
                          [](memory::Table& table) -> Result<void> {
                            table.definition.keys.push_back({"LATER", {"NAME"}, false});
                            return {};
                          })
                  .ok());
  EXPECT_EQ(target_.find({"S", "C"})->rows.size(), 21U);
  request_.start = StartType::kReloadTarget;
  for (int i = 0; i < 2; ++i) {
    const auto outcome = run();
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    EXPECT_TRUE(outcome->has_table_errors);
    EXPECT_EQ(target_.find({"S", "A"})->rows, rows(20));
    EXPECT_EQ(target_.find({"S", "A"})->definition.keys.size(), 2U);  // what was added stays
    EXPECT_EQ(target_.find({"S", "B"})->rows, rows(20));
    EXPECT_EQ(target_.find({"S", "C"})->rows.size(), 21U);
    const auto& c = observer_.progress->tables()[2];
    ASSERT_TRUE(c.error);
    EXPECT_EQ(c.error->code, "load.mixed_rows");
  }
  // Whoever has removed the rows gets the table, also from a run that goes on.
  target_.put(table_def("C", false));
  request_.start = StartType::kDefault;
  const auto outcome = run();
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->has_table_errors);
  EXPECT_EQ(target_.find({"S", "C"})->rows, rows(20));
}

/// What a suspended table has on the target stays there, and a reload removes it.
TEST_F(TaskTest, AReloadBeginsATableInErrorFromACleanTable) {
  for (const auto mode : {connect::ExistingTable::kDrop, connect::ExistingTable::kTruncate,
                          connect::ExistingTable::kKeep}) {
    request_.settings.target_table_prep_mode = mode;
    request_.state_directory = directory_ / std::to_string(static_cast<int>(mode));
    for (const char* name : {"A", "B", "C"}) target_.drop({"S", name});
    request_.start = StartType::kDefault;
    // The rows of B are durable, its key is missing.
    target_.faults().add(
        {Point::kComplete, "B", 0, 1, make_error(ErrorKind::kData, "test.key", "not unique")});
    auto outcome = run();
    ASSERT_TRUE(outcome.ok());
    EXPECT_TRUE(outcome->has_table_errors);
    EXPECT_EQ(target_.find({"S", "B"})->rows, rows(20));
    request_.start = StartType::kReloadTarget;
    outcome = run();
    ASSERT_TRUE(outcome.ok());
    EXPECT_FALSE(outcome->has_table_errors);
    expect_all_loaded_once();
  }
}

TEST_F(TaskTest, RowsThatWereLeftOutAreCountedByLaterRunsToo) {
  for (const char* name : {"A", "B", "C"}) {
    schema::TableDef def = table_def(name);
    def.columns[1].nullable = false;
    target_.put(def);
  }
  std::vector<Row> faulty = rows(20);
  faulty[3][1] = faulty[7][1] = Value::null();
  source_.put(table_def("A"), faulty);
  target_.faults().add(
      {Point::kWrite, "B", 0, 1, make_error(ErrorKind::kResource, "test.disk", "no space")});
  ASSERT_FALSE(run().ok());
  for (int i = 0; i < 2; ++i) {
    const auto outcome = run();
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    EXPECT_EQ(outcome->refused_rows, 2U);
    ASSERT_GE(outcome->finished_before.size(), 1U);
    EXPECT_EQ(outcome->finished_before[0].counts.rows, 18U);
    EXPECT_EQ(outcome->finished_before[0].counts.refused_rows, 2U);
  }
}

TEST_F(TaskTest, TheKeyComesWithTheTableWhenTheSettingSaysSo) {
  for (const bool comes_after : {true, false}) {
    request_.state_directory = directory_ / (comes_after ? "after" : "before");
    target_.drop({"S", "B"});
    request_.settings.create_pk_after_full_load = comes_after;
    run_until_stopped_at(target_, Point::kWrite);
    EXPECT_EQ(target_.find({"S", "B"})->definition.keys.size(), comes_after ? 0U : 1U);
    ASSERT_TRUE(run().ok());
    expect_all_loaded_once();
    for (const char* name : {"A", "C"}) target_.drop({"S", name});
  }
}

TEST_F(TaskTest, StartTypesAreRefusedWhereTheyMakeNoSense) {
  request_.start = StartType::kResumeProcessing;
  EXPECT_EQ(run().error().code, "task.never_started");
  request_.start = StartType::kStartReplication;
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(run().error().code, "task.already_started");
  request_.start = StartType::kReloadTarget;
  request_.settings.target_table_prep_mode = connect::ExistingTable::kDrop;
  source_.put(table_def("A"), rows(7));
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(target_.find({"S", "A"})->rows.size(), 7U);
}

TEST_F(TaskTest, ALostPositionMeansANewerOneAlsoForTheValidation) {
  run_until_stopped_at(target_, Point::kWrite);
  source_.put(table_def("B"), rows(30));
  source_.put(table_def("C"), rows(30));
  source_.forget_history();
  const auto outcome = run();
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_FALSE(outcome->has_table_errors);
  EXPECT_EQ(target_.find({"S", "A"})->rows.size(), 20U);
  EXPECT_EQ(target_.find({"S", "B"})->rows.size(), 30U);
  EXPECT_EQ(target_.find({"S", "C"})->rows.size(), 30U);
}

/// Nothing has been loaded yet, and it goes on all the same.
TEST_F(TaskTest, ConnectionsThatBreakAtTheStartAreMadeAgain) {
  request_.settings.retry.wait = std::chrono::milliseconds(1);
  struct Place {
    memory::Database& database;
    Point point;
    const char* side;
  };
  const Place places[] = {
      {source_, Point::kProbe, "source"},      {target_, Point::kProbe, "target"},
      {source_, Point::kCatalog, "source"},    {target_, Point::kCatalog, "target"},
      {target_, Point::kOpenLoader, "target"}, {source_, Point::kOpenSnapshot, "source"},
      {target_, Point::kLedger, "target"}};
  for (const Place& place : places) {
    const std::string name = place.side + std::to_string(static_cast<int>(place.point));
    request_.state_directory = directory_ / name;
    for (const char* table : {"A", "B", "C"}) target_.drop({"S", table});
    request_.settings.retry.most_tries = -1;  // six at the start
    place.database.faults().add({place.point, {}, 0, 6, memory::cut_error()});
    auto outcome = run();
    ASSERT_TRUE(outcome.ok()) << name << outcome.error().to_paragraph();
    expect_all_loaded_once();
    ASSERT_EQ(observer_.interruptions.size(), 7U) << name;
    EXPECT_EQ(observer_.interruptions[5]->side, place.side);
    EXPECT_EQ(observer_.interruptions[5]->tries, 6);
    EXPECT_FALSE(observer_.interruptions[6]);
    request_.settings.retry.most_tries = 2;
    request_.state_directory = directory_ / (name + " for good");
    place.database.faults().add({place.point, {}, 0, 3, memory::cut_error()});
    outcome = run();
    ASSERT_FALSE(outcome.ok()) << name;
    EXPECT_EQ(outcome.error().code, "memory.cut");
  }
}

TEST_F(TaskTest, AServerThatHasNeverAnsweredIsNotWaitedFor) {
  const Error nobody = make_error(ErrorKind::kTransient, "net.refused", "nobody listens", "");
  request_.settings.retry.wait = std::chrono::milliseconds(1);
  source_.faults().add({Point::kProbe, {}, 0, 1, nobody});
  EXPECT_EQ(run().error().code, "net.refused");
  // Later it is.
  source_.faults().add({Point::kCatalog, {}, 0, 1, nobody});
  ASSERT_TRUE(run().ok());
  request_.start = StartType::kReloadTarget;
  source_.faults().add({Point::kProbe, {}, 0, 1, nobody});
  ASSERT_TRUE(run().ok());
  expect_all_loaded_once();
}

TEST_F(TaskTest, NothingSelectedFailsUnlessSettingsAllowIt) {
  auto rules = mapping::RuleSet::parse(
      R"({"rules": [{"rule-type": "selection", "rule-id": 1, "rule-name": "1",
          "object-locator": {"schema-name": "NOBODY", "table-name": "%"},
          "rule-action": "include"}]})");
  request_.rules = *rules;
  EXPECT_EQ(run().error().code, "task.no_tables");
  request_.settings.fail_on_no_tables_captured = false;
  EXPECT_TRUE(run().ok());
}

TEST_F(TaskTest, APlanChangesNothing) {
  const auto before = target_.version();
  OpContext context;
  const auto plan = plan_task(context, request_, observer_);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->tables.size(), 3U);
  EXPECT_EQ(target_.version(), before);
  EXPECT_FALSE(std::filesystem::exists(request_.state_directory));
}

TEST_F(TaskTest, ValidationComparesAtTheLoadsPosition) {
  ASSERT_TRUE(run().ok());
  source_.put(table_def("A"), rows(300));
  CountedDifferences differences;
  OpContext context;
  auto outcome = validate_task(context, request_, {}, differences, observer_);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_EQ(outcome->differences, 0U);
  target_.put(target_.find({"S", "A"})->definition, rows(19));
  outcome = validate_task(context, request_, {}, differences, observer_);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->differences, 1U);
  ASSERT_EQ(differences.all.size(), 1U);
  EXPECT_EQ(differences.all[0].key, "ID=19");
}

TEST_F(TaskTest, AWrongPasswordFailsBeforeAnythingIsTouched) {
  target_.set_password("right");
  request_.target.settings.password = Secret("wrong");
  const auto outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kAuth);
  EXPECT_EQ(outcome.error().to_paragraph().find("wrong\""), std::string::npos);
}

}  // namespace
}  // namespace wherry::control
