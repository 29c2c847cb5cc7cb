#include <gtest/gtest.h>

#include <fstream>

#include "control/task_settings.h"
#include "control/task_state.h"

namespace wherry::control {
namespace {

TEST(TaskSettings, ReadsWhatIsCarriedOutAndListsTheRest) {
  const auto settings = TaskSettings::parse(R"({"FullLoadSettings": {
      "TargetTablePrepMode": "DROP_AND_CREATE", "MaxFullLoadSubTasks": 3, "CommitRate": 50000,
      "CreatePkAfterFullLoad": true}, "Logging": {"EnableLogging": true}, "TTSettings": null,
      "ErrorBehavior": {"FailOnNoTablesCaptured": false}})");
  ASSERT_TRUE(settings.ok()) << settings.error().to_paragraph();
  EXPECT_EQ(settings->target_table_prep_mode, connect::ExistingTable::kDrop);
  EXPECT_EQ(settings->max_full_load_subtasks, 3U);
  EXPECT_FALSE(settings->fail_on_no_tables_captured);
  EXPECT_EQ(settings->not_carried_out,
            (std::vector<std::string>{"/FullLoadSettings/CreatePkAfterFullLoad", "/Logging"}));
}

TEST(TaskSettings, RefusesAllMistakesAtOnce) {
  const auto settings = TaskSettings::parse(R"({"FullLoadSettings": {
      "TargetTablePrepMode": "DROP", "MaxFullLoadSubTasks": 50, "CommitRate": "many", "Typo": 1},
      "Unknown": {}})");
  ASSERT_FALSE(settings.ok());
  for (const char* part :
       {"/FullLoadSettings/TargetTablePrepMode: \"DROP\" is not one of",
        "MaxFullLoadSubTasks: 50 is not a whole number from 1 to 49", "CommitRate: \"many\"",
        "/FullLoadSettings/Typo: unknown key", "/Unknown: unknown section"}) {
    EXPECT_NE(settings.error().message.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(TaskSettings::parse("{").error().code, "settings.syntax");
  EXPECT_EQ(TaskSettings::parse("[]").error().code, "settings.invalid");
}

class TaskStateTest : public ::testing::Test {
 protected:
  TaskStateTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wherry-state-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~TaskStateTest() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_;
};

TEST_F(TaskStateTest, RemembersPositionAndFinishedTables) {
  {
    auto state = TaskState::open(directory_ / "new" / "one");
    ASSERT_TRUE(state.ok());
    EXPECT_TRUE((*state)->is_fresh());
    ASSERT_TRUE((*state)->begin("a", "b", {"scn:7"}, {{{"S", "T"}, {}}, {{"S", "U"}, {}}}).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, TablePhase::kLoaded, 12).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, TablePhase::kComplete, 12).ok());
  }
  auto state = TaskState::open(directory_ / "new" / "one");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ((*state)->position().text, "scn:7");
  EXPECT_EQ((*state)->find({"S", "T"})->phase, TablePhase::kComplete);
  EXPECT_EQ((*state)->find({"S", "T"})->rows, 12U);
  EXPECT_EQ((*state)->find({"S", "U"})->phase, TablePhase::kPlanned);
  EXPECT_FALSE((*state)->find({"S", "V"}));
  EXPECT_TRUE((*state)->check_identity("a", "b").ok());
  EXPECT_EQ((*state)->check_identity("a", "c").error().code, "state.other_task");
}

TEST_F(TaskStateTest, ALineCutByACrashDoesNotCount) {
  {
    auto state = TaskState::open(directory_);
    ASSERT_TRUE((*state)->begin("a", "b", {"scn:7"}, {{{"S", "T"}, {}}}).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, TablePhase::kLoaded, 12).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, TablePhase::kComplete, 12).ok());
  }
  const auto journal = directory_ / "task.journal";
  for (auto size = std::filesystem::file_size(journal); size-- > 0;) {
    std::filesystem::resize_file(journal, size);
    auto state = TaskState::open(directory_);
    ASSERT_TRUE(state.ok()) << state.error().to_paragraph();
    EXPECT_LT((*state)->find({"S", "T"})->phase, TablePhase::kComplete);
  }
}

TEST_F(TaskStateTest, ANewBeginningForgetsTheOldJournal) {
  {
    auto state = TaskState::open(directory_);
    ASSERT_TRUE((*state)->begin("a", "b", {"scn:7"}, {{{"S", "T"}, {}}}).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, TablePhase::kComplete, 12).ok());
    std::filesystem::copy_file(directory_ / "task.journal", directory_ / "old");
    ASSERT_TRUE((*state)->begin("a", "b", {"scn:8"}, {{{"S", "T"}, {}}}).ok());
  }
  // As if the process had died before the journal was emptied.
  std::filesystem::rename(directory_ / "old", directory_ / "task.journal");
  auto state = TaskState::open(directory_);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ((*state)->position().text, "scn:8");
  EXPECT_EQ((*state)->find({"S", "T"})->phase, TablePhase::kPlanned);
}

TEST_F(TaskStateTest, IsUsedByOneTaskAtATime) {
  auto first = TaskState::open(directory_);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(TaskState::open(directory_).error().code, "state.in_use");
  first->reset();
  EXPECT_TRUE(TaskState::open(directory_).ok());
}

TEST_F(TaskStateTest, SaysWhenTheFileIsDamaged) {
  for (const char* text : {"{", "{}", R"({"version": 99})"}) {
    std::ofstream(directory_ / "task.json") << text;
    const auto state = TaskState::open(directory_);
    ASSERT_FALSE(state.ok()) << text;
    EXPECT_EQ(state.error().code, "state.damaged");
  }
}

}  // namespace
}  // namespace wherry::control
