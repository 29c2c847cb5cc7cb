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
      "ErrorBehavior": {"FailOnNoTablesCaptured": false, "RecoverableErrorCount": 7,
        "RecoverableErrorInterval": 2, "RecoverableErrorThrottling": false,
        "RecoverableErrorThrottlingMax": 60, "RecoverableErrorStopRetryAfterThrottlingMax": false},
      "ControlTablesSettings": {"ControlSchema": "control"},
      "WherrySettings": {"SegmentSizeMB": 16, "WholeTableMB": 0, "SplitAfterSeconds": 0, "MaxSourceConnections": 2, "MaxReadMBPerSecond": 5}
      })");
  ASSERT_TRUE(settings.ok()) << settings.error().to_paragraph();
  EXPECT_EQ(settings->target_table_prep_mode, connect::ExistingTable::kDrop);
  EXPECT_EQ(settings->max_full_load_subtasks, 3U);
  EXPECT_FALSE(settings->fail_on_no_tables_captured);
  EXPECT_EQ(settings->retry.most_tries, 7);
  EXPECT_EQ(settings->retry.wait, std::chrono::seconds(2));
  EXPECT_FALSE(settings->retry.doubles);
  EXPECT_EQ(settings->retry.most_wait, std::chrono::seconds(60));
  EXPECT_FALSE(settings->retry.stops_at_most_wait);
  EXPECT_EQ(settings->control_schema, "control");
  EXPECT_EQ(settings->segment_size_mb, 16U);
  EXPECT_EQ(settings->whole_table_mb, 0U);
  EXPECT_EQ(settings->split_after_secs, 0U);
  EXPECT_EQ(settings->max_source_connections, 2U);
  EXPECT_EQ(settings->max_read_mb_per_second, 5U);
  ASSERT_EQ(settings->without_effect.size(), 1U);
  EXPECT_TRUE(settings->without_effect[0].starts_with("/Logging/EnableLogging: "));
  EXPECT_TRUE(settings->create_pk_after_full_load);
  EXPECT_EQ(settings->lobs.max_bytes, 0U);  // whole unless a limit is sent
}

TEST(TaskSettings, ReadsPoliciesLobsAndControlTables) {
  using engine::ErrorAction;
  const auto settings = TaskSettings::parse(R"({
      "ErrorBehavior": {"DataErrorPolicy": "IGNORE_RECORD", "DataTruncationErrorPolicy": "STOP_TASK",
        "DataErrorEscalationPolicy": "STOP_TASK", "DataErrorEscalationCount": 7,
        "TableErrorPolicy": "STOP_TASK", "TableErrorEscalationPolicy": "STOP_TASK",
        "TableErrorEscalationCount": 3, "ApplyErrorInsertPolicy": "LOG_ERROR"},
      "TargetMetadata": {"SupportLobs": true, "LimitedSizeLobMode": true, "LobMaxSize": 16,
        "FullLobMode": false, "LobChunkSize": 64},
      "ControlTablesSettings": {"ControlSchema": "ctl", "HistoryTimeslotInMinutes": 1,
        "HistoryTableEnabled": true, "StatusTableEnabled": true}})");
  ASSERT_TRUE(settings.ok()) << settings.error().to_paragraph();
  EXPECT_EQ(settings->errors.data, ErrorAction::kIgnoreRecord);
  EXPECT_EQ(settings->errors.truncation, ErrorAction::kStopTask);
  EXPECT_EQ(settings->errors.escalation, ErrorAction::kStopTask);
  EXPECT_EQ(settings->errors.escalation_count, 7U);
  EXPECT_EQ(settings->errors.table, ErrorAction::kStopTask);
  EXPECT_EQ(settings->errors.table_escalation_count, 3U);
  EXPECT_EQ(settings->lobs.max_bytes, 16U * 1024);
  EXPECT_EQ(settings->control_schema, "ctl");
  EXPECT_TRUE(settings->control_tables.has_history);
  EXPECT_FALSE(settings->control_tables.has_suspended_tables);
  EXPECT_TRUE(settings->without_effect.empty());
  for (const char* wrong :
       {R"({"ErrorBehavior": {"TableErrorPolicy": "LOG_ERROR"}})",
        R"({"ErrorBehavior": {"DataErrorPolicy": "SKIP"}})",
        R"({"TargetMetadata": {"FullLobMode": true, "LimitedSizeLobMode": true}})",
        R"({"TargetMetadata": {"Lobs": true}})"}) {
    EXPECT_EQ(TaskSettings::parse(wrong).error().code, "settings.invalid") << wrong;
  }
}

TEST(TaskSettings, MakesKeysLateUnlessItIsTold) {
  const auto is_late = [](const char* json) {
    return TaskSettings::parse(json)->create_pk_after_full_load;
  };
  EXPECT_TRUE(is_late("{}"));
  EXPECT_TRUE(is_late(R"({"FullLoadSettings": {"CreatePkAfterFullLoad": true}})"));
  EXPECT_FALSE(is_late(R"({"FullLoadSettings": {"CreatePkAfterFullLoad": false}})"));
}

TEST(TaskSettings, KnowsWhatLobModesMean) {
  const auto lobs = [](const std::string& keys) {
    const auto settings = TaskSettings::parse("{\"TargetMetadata\": {" + keys + "}}");
    EXPECT_TRUE(settings.ok()) << keys;
    return settings.ok() ? settings->lobs : LobSettings();
  };
  EXPECT_EQ(lobs("").max_bytes, 0U);
  EXPECT_EQ(lobs(R"("SupportLobs": true)").max_bytes, 0U);
  EXPECT_EQ(lobs(R"("LimitedSizeLobMode": true)").max_bytes, 32U * 1024);
  EXPECT_EQ(lobs(R"("LimitedSizeLobMode": true, "LobMaxSize": 102400)").max_bytes, 104857600U);
  // A limit that was sent is meant, unless the mode says otherwise.
  EXPECT_EQ(lobs(R"("LobMaxSize": 5)").max_bytes, 5U * 1024);
  EXPECT_EQ(lobs(R"("FullLobMode": true, "LobMaxSize": 5)").max_bytes, 0U);
  EXPECT_EQ(lobs(R"("LimitedSizeLobMode": false, "FullLobMode": true, "LobMaxSize": 5)").max_bytes,
            0U);
  const LobSettings full =
      lobs(R"("FullLobMode": true, "InlineLobMaxSize": 16, "LobChunkSize": 32, "LobMaxSize": 0)");
  EXPECT_EQ(full.max_bytes, 0U);
  EXPECT_EQ(full.inline_bytes, 16U * 1024);
  EXPECT_EQ(full.piece_bytes, 32U * 1024);
  EXPECT_FALSE(lobs(R"("SupportLobs": false, "FullLobMode": false)").are_loaded);
  for (const char* wrong :
       {R"("FullLobMode": true, "LimitedSizeLobMode": true)",
        R"("FullLobMode": false, "LimitedSizeLobMode": false)",
        R"("LimitedSizeLobMode": true, "LobMaxSize": 0)",
        R"("LimitedSizeLobMode": true, "LobMaxSize": 102401)", R"("LobMaxSize": -1)",
        R"("InlineLobMaxSize": 8)", R"("LimitedSizeLobMode": true, "InlineLobMaxSize": 8)",
        R"("FullLobMode": "true")"}) {
    const auto settings = TaskSettings::parse("{\"TargetMetadata\": {" + std::string(wrong) + "}}");
    ASSERT_FALSE(settings.ok()) << wrong;
    EXPECT_NE(settings.error().message.find("/TargetMetadata"), std::string::npos);
  }
}

TEST(TaskSettings, ReadsWhatConcernsChanges) {
  using engine::ConflictAction;
  const auto settings = TaskSettings::parse(R"({
      "TargetMetadata": {"BatchApplyEnabled": true, "ParallelApplyThreads": 4,
        "TaskRecoveryTableEnabled": true},
      "FullLoadSettings": {"StopTaskCachedChangesApplied": true,
        "StopTaskCachedChangesNotApplied": true},
      "ChangeProcessingTuning": {"BatchApplyTimeoutMin": 2, "BatchApplyTimeoutMax": 9,
        "BatchApplyMemoryLimit": 100, "BatchSplitSize": 77, "MinTransactionSize": 5,
        "CommitTimeout": 3, "MemoryLimitTotal": 64, "MemoryKeepTime": 70,
        "StatementCacheSize": 11, "RecoveryTimeout": 5, "BatchApplyPreserveTransaction": false},
      "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableDropped": false},
      "ErrorBehavior": {"ApplyErrorInsertPolicy": "INSERT_RECORD",
        "ApplyErrorUpdatePolicy": "UPDATE_RECORD", "ApplyErrorDeletePolicy": "STOP_TASK",
        "ApplyErrorEscalationPolicy": "SUSPEND_TABLE", "ApplyErrorEscalationCount": 6,
        "ApplyErrorFailOnTruncationDdl": true, "FullLoadIgnoreConflicts": false,
        "DataErrorPolicy": "STOP_TASK", "RecoverableErrorCount": 8}})");
  ASSERT_TRUE(settings.ok()) << settings.error().to_paragraph();
  const ChangeProcessing& changes = settings->changes;
  const engine::ApplyOptions& apply = changes.apply;
  EXPECT_TRUE(apply.is_batch && changes.has_txn_state && changes.stops_after_cached &&
              changes.stops_before_cached);
  EXPECT_EQ(apply.lanes, 4U);
  EXPECT_EQ(apply.batch_shortest, std::chrono::seconds(2));
  EXPECT_EQ(apply.batch_longest, std::chrono::seconds(9));
  EXPECT_EQ(apply.batch_changes, 77U);
  EXPECT_EQ(apply.least_changes, 5U);
  EXPECT_EQ(apply.longest_gather, std::chrono::seconds(3));
  EXPECT_EQ(changes.batch_memory_bytes, 100U << 20);
  EXPECT_EQ(changes.memory_bytes, 64U << 20);
  EXPECT_EQ(changes.statement_cache, 11U);
  EXPECT_FALSE(apply.ddl.drops);
  EXPECT_TRUE(apply.ddl.alters && apply.ddl.truncates);
  EXPECT_EQ(apply.errors.insert, ConflictAction::kWriteRecord);
  EXPECT_EQ(apply.errors.update, ConflictAction::kWriteRecord);
  EXPECT_EQ(apply.errors.remove, ConflictAction::kStopTask);
  EXPECT_EQ(apply.errors.escalation, ConflictAction::kSuspendTable);
  EXPECT_EQ(apply.errors.escalation_count, 6U);
  EXPECT_TRUE(apply.errors.fails_on_truncate);
  EXPECT_FALSE(changes.ignores_load_conflicts);
  EXPECT_EQ(apply.errors.base.data, engine::ErrorAction::kStopTask);
  EXPECT_EQ(apply.retry.most_tries, 8);
  EXPECT_EQ(changes.memory_keep, std::chrono::seconds(70));
  EXPECT_EQ(changes.recovery_limit, std::chrono::minutes(5));
  ASSERT_EQ(settings->without_effect.size(), 1U);
  EXPECT_TRUE(settings->without_effect[0].starts_with(
      "/ChangeProcessingTuning/BatchApplyPreserveTransaction: "));
  const auto forever = TaskSettings::parse(R"({"ChangeProcessingTuning":
      {"RecoveryTimeout": -1, "BatchApplyPreserveTransaction": true}})");
  ASSERT_TRUE(forever.ok());
  EXPECT_FALSE(forever->changes.recovery_limit);
  EXPECT_TRUE(forever->without_effect.empty());
  for (const char* wrong : {R"("ErrorBehavior": {"ApplyErrorUpdatePolicy": "INSERT_RECORD"})",
                            R"("ErrorBehavior": {"ApplyErrorDeletePolicy": "UPDATE_RECORD"})",
                            R"("ErrorBehavior": {"ApplyErrorEscalationPolicy": "IGNORE_RECORD"})",
                            R"("ChangeProcessingTuning": {"MemoryLimitTotal": 0})",
                            R"("ChangeProcessingTuning": {"Memory": 1})",
                            R"("ChangeProcessingTuning": {"RecoveryTimeout": -2})",
                            R"("ChangeProcessingDdlHandlingPolicy": {"HandleAll": true})",
                            R"("TargetMetadata": {"ParallelApplyThreads": 33})"}) {
    EXPECT_EQ(TaskSettings::parse("{" + std::string(wrong) + "}").error().code, "settings.invalid")
        << wrong;
  }
}

TEST(TaskSettings, ReadsCharactersAsHexadecimalDigits) {
  const auto settings = TaskSettings::parse(R"({"CharacterSetSettings": {
      "CharacterReplacements": [
        {"SourceCharacterCodePoint": 62, "TargetCharacterCodePoint": "61"},
        {"SourceCharacterCodePoint": "20aC", "TargetCharacterCodePoint": 0}],
      "CharacterSetSupport": {"CharacterSet": "ISO-8859-1",
        "ReplaceWithCharacterCodePoint": "3F"}}})");
  ASSERT_TRUE(settings.ok()) << settings.error().to_paragraph();
  ASSERT_NE(settings->characters, nullptr);
  std::string out;
  EXPECT_TRUE(settings->characters->apply("ab€é日", out));
  EXPECT_EQ(out, "aaé?");
  EXPECT_TRUE(settings->without_effect.empty());
  for (const char* nothing :
       {"{}", R"({"CharacterSetSettings": null})",
        R"({"CharacterSetSettings": {"CharacterReplacements": null, "CharacterSetSupport": null}})",
        R"({"CharacterSetSettings": {"CharacterReplacements": []}})"}) {
    const auto none = TaskSettings::parse(nothing);
    ASSERT_TRUE(none.ok()) << nothing;
    EXPECT_EQ(none->characters, nullptr);
  }
}

TEST(TaskSettings, RefusesCharactersThatAreNone) {
  const auto refused = [](const std::string& section, const std::string& place) {
    const auto settings = TaskSettings::parse("{\"CharacterSetSettings\": " + section + "}");
    ASSERT_FALSE(settings.ok()) << section;
    EXPECT_NE(settings.error().message.find("/CharacterSetSettings" + place + ":"),
              std::string::npos)
        << settings.error().message;
  };
  for (const char* wrong : {"\"zz\"", "\"\"", "\"0x62\"", "\"D800\"", "\"110000\"", "-1", "1.5",
                            "null", "\"62 \"", "99999999999"}) {
    refused("{\"CharacterReplacements\": [{\"SourceCharacterCodePoint\": " + std::string(wrong) +
                ", \"TargetCharacterCodePoint\": 0}]}",
            "/CharacterReplacements/0/SourceCharacterCodePoint");
  }
  refused(R"({"CharacterReplacements": [{"SourceCharacterCodePoint": 62}]})",
          "/CharacterReplacements/0/TargetCharacterCodePoint");
  refused(R"({"CharacterReplacements": [{"SourceCharacterCodePoint": 62,
              "TargetCharacterCodePoint": 61, "Kind": 1}]})",
          "/CharacterReplacements/0/Kind");
  refused(R"({"CharacterReplacements": {}})", "/CharacterReplacements");
  refused(R"({"CharacterSetSupport": {"ReplaceWithCharacterCodePoint": 0}})",
          "/CharacterSetSupport/CharacterSet");
  refused(R"({"CharacterSetSupport": {"CharacterSet": "UTF-8"}})",
          "/CharacterSetSupport/ReplaceWithCharacterCodePoint");
  refused(R"({"CharacterSetSupport": {"CharacterSet": "Klingon",
              "ReplaceWithCharacterCodePoint": 0}})",
          "/CharacterSetSupport");
  refused(R"({"CharacterSetSupport": {"CharacterSet": "US-ASCII",
              "ReplaceWithCharacterCodePoint": "E9"}})",
          "/CharacterSetSupport");
  refused(R"({"Characters": []})", "/Characters");
  const auto both = TaskSettings::parse(R"({"ValidationSettings": {"EnableValidation": true},
      "CharacterSetSettings": {"CharacterReplacements": [
        {"SourceCharacterCodePoint": 62, "TargetCharacterCodePoint": 61}]}})");
  ASSERT_FALSE(both.ok());
  EXPECT_NE(both.error().message.find("/ValidationSettings/EnableValidation"), std::string::npos);
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
  EXPECT_EQ(TaskSettings::parse(R"({"Logging": 1e999})").error().code, "settings.syntax");
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
    ASSERT_TRUE((*state)->record({"S", "T"}, {.phase = TablePhase::kLoaded, .rows = 12}).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, {.phase = TablePhase::kComplete, .rows = 12}).ok());
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

TEST_F(TaskStateTest, RemembersChunksAndAPositionOfTheTablesOwn) {
  std::string load_id;
  {
    auto state = TaskState::open(directory_);
    ASSERT_TRUE((*state)->begin("a", "b", {"scn:7"}, {{{"S", "T"}, {}}}).ok());
    load_id = (*state)->load_id();
    EXPECT_EQ(load_id.size(), 32U);
    TableRecord record;
    record.phase = TablePhase::kStarted;
    record.was_empty = true;
    record.attempt = 3;
    record.position.text = "scn:9";
    record.chunks = {{0, "rowid < 'x'", 5, 100}, {1, "rowid >= 'x'", 6, 200}};
    ASSERT_TRUE((*state)->record({"S", "T"}, record).ok());
  }
  // From the journal, then from the file that the journal was folded into.
  for (int i = 0; i < 2; ++i) {
    auto state = TaskState::open(directory_);
    ASSERT_TRUE(state.ok()) << state.error().to_paragraph();
    EXPECT_EQ((*state)->load_id(), load_id);
    const auto record = (*state)->find({"S", "T"});
    EXPECT_TRUE(record->was_empty);
    EXPECT_EQ(record->attempt, 3U);
    EXPECT_EQ(record->position.text, "scn:9");
    ASSERT_EQ(record->chunks.size(), 2U);
    EXPECT_EQ(record->chunks[1].index, 1U);
    EXPECT_EQ(record->chunks[1].predicate, "rowid >= 'x'");
    EXPECT_EQ(record->chunks[1].estimated_bytes, 200U);
    ASSERT_TRUE((*state)->add({}).ok());
  }
}

TEST_F(TaskStateTest, AFileOfVersionOneIsStillRead) {
  std::ofstream(directory_ / "task.json") << R"({"version": 1, "source": "a", "target": "b",
      "position": "scn:7", "generation": 1, "tables": [{"schema": "S", "table": "T",
      "phase": "committing", "target_existed": true, "rows": 0}]})";
  auto state = TaskState::open(directory_);
  ASSERT_TRUE(state.ok()) << state.error().to_paragraph();
  EXPECT_EQ((*state)->find({"S", "T"})->phase, TablePhase::kCommitting);
  EXPECT_TRUE((*state)->find({"S", "T"})->target_existed);
  EXPECT_EQ((*state)->load_id().size(), 32U);
}

TEST_F(TaskStateTest, ALineCutByACrashDoesNotCount) {
  {
    auto state = TaskState::open(directory_);
    ASSERT_TRUE((*state)->begin("a", "b", {"scn:7"}, {{{"S", "T"}, {}}}).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, {.phase = TablePhase::kLoaded, .rows = 12}).ok());
    ASSERT_TRUE((*state)->record({"S", "T"}, {.phase = TablePhase::kComplete, .rows = 12}).ok());
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
    ASSERT_TRUE((*state)->record({"S", "T"}, {.phase = TablePhase::kComplete, .rows = 12}).ok());
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
