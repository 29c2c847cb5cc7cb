#include "control/settings_catalogue.h"

#include <algorithm>
#include <array>

namespace wherry::control {
namespace {

constexpr auto kTruth = SettingKind::kTruth;
constexpr auto kNumber = SettingKind::kNumber;
constexpr auto kText = SettingKind::kText;
constexpr auto kChoice = SettingKind::kChoice;
constexpr auto kList = SettingKind::kList;
constexpr auto kDocument = SettingKind::kDocument;
constexpr auto kNull = SettingKind::kNull;

constexpr std::int64_t kMost = 2'000'000'000;
constexpr std::int64_t kMostSeconds = 1'000'000;
constexpr std::int64_t kMostMinutes = 1'000'000;
constexpr std::int64_t kMostMegabytes = 1'000'000;
constexpr std::int64_t kMostLobKilobytes = 102'400;

constexpr std::string_view kActionNames = "IGNORE_RECORD LOG_ERROR SUSPEND_TABLE STOP_TASK";
constexpr std::string_view kModes = "DO_NOTHING DROP_AND_CREATE TRUNCATE_BEFORE_LOAD";

// Why a key has no effect.
constexpr std::string_view kNoFiles = "rows go to the target without files in between";
constexpr std::string_view kNoStreamTarget =
    "it concerns targets that Wherry does not have (Kinesis, Kafka, DynamoDB, OpenSearch)";
constexpr std::string_view kNoTimeTravel = "Wherry writes no time travel log to object storage";
constexpr std::string_view kOwnLog = "the flags --log-file, --log-level and --log-format decide";
constexpr std::string_view kNoCloudWatch = "there is no CloudWatch here; see --log-file";
constexpr std::string_view kNoBuffers =
    "buffers are sized by MemoryLimitTotal, CommitRate and what the rows need";
constexpr std::string_view kNoEvents = "no events are sent to anybody";
constexpr std::string_view kByCommand =
    "a task does not compare by itself; `wherry validate` does, whenever it is called";
constexpr std::string_view kNoResync = "differences are told by `wherry validate`, not mended";

constexpr std::array kSettings = {
    Setting{"/TargetMetadata/TargetSchema", kText, R"("")"},
    Setting{"/TargetMetadata/SupportLobs", kTruth, "true"},
    Setting{"/TargetMetadata/FullLobMode", kTruth, "true"},
    Setting{"/TargetMetadata/LobChunkSize", kNumber, "0", 0, kMostLobKilobytes},
    Setting{"/TargetMetadata/LimitedSizeLobMode", kTruth, "false"},
    Setting{"/TargetMetadata/LobMaxSize", kNumber, "0", 0, kMostLobKilobytes},
    Setting{"/TargetMetadata/InlineLobMaxSize", kNumber, "0", 0, kMostLobKilobytes},
    Setting{"/TargetMetadata/LoadMaxFileSize", kNumber, "0", 0, 100'000, {}, kNoFiles},
    Setting{"/TargetMetadata/ParallelLoadThreads", kNumber, "0", 0, 200, {}, kNoStreamTarget},
    Setting{"/TargetMetadata/ParallelLoadBufferSize", kNumber, "0", 0, 1000, {}, kNoStreamTarget},
    Setting{
        "/TargetMetadata/ParallelLoadQueuesPerThread", kNumber, "0", 0, 512, {}, kNoStreamTarget},
    Setting{"/TargetMetadata/ParallelApplyThreads", kNumber, "0", 0, 32},
    Setting{"/TargetMetadata/ParallelApplyBufferSize", kNumber, "0", 0, 1000, {}, kNoStreamTarget},
    Setting{
        "/TargetMetadata/ParallelApplyQueuesPerThread", kNumber, "0", 0, 512, {}, kNoStreamTarget},
    Setting{"/TargetMetadata/BatchApplyEnabled", kTruth, "false"},
    Setting{"/TargetMetadata/TaskRecoveryTableEnabled", kTruth, "false"},
    Setting{"/TargetMetadata/MaxFullLoadSubTasks", kNumber, "8", 1, 49, {}, {}, true},

    Setting{"/FullLoadSettings/TargetTablePrepMode", kChoice, R"("DO_NOTHING")", 0, 0, kModes},
    Setting{"/FullLoadSettings/CreatePkAfterFullLoad", kTruth, "true"},
    Setting{"/FullLoadSettings/StopTaskCachedChangesApplied", kTruth, "false"},
    Setting{"/FullLoadSettings/StopTaskCachedChangesNotApplied", kTruth, "false"},
    Setting{"/FullLoadSettings/MaxFullLoadSubTasks", kNumber, "8", 1, 49},
    Setting{"/FullLoadSettings/TransactionConsistencyTimeout", kNumber, "600", 0, kMostSeconds},
    Setting{"/FullLoadSettings/CommitRate", kNumber, "10000", 1, 50'000},
    Setting{"/FullLoadSettings/MaxTransactionSize",
            kNumber,
            "0",
            0,
            kMost,
            {},
            "it is no longer a setting of DMS; see CommitRate",
            true},

    Setting{"/TTSettings/EnableTT", kTruth, "false", 0, 0, {}, kNoTimeTravel},
    Setting{"/TTSettings/TTS3Settings/EncryptionMode", kChoice, R"("SSE_S3")", 0, 0,
            "SSE_S3 SSE_KMS", kNoTimeTravel},
    Setting{"/TTSettings/TTS3Settings/ServerSideEncryptionKmsKeyId",
            kText,
            R"("")",
            0,
            0,
            {},
            kNoTimeTravel},
    Setting{
        "/TTSettings/TTS3Settings/ServiceAccessRoleArn", kText, R"("")", 0, 0, {}, kNoTimeTravel},
    Setting{"/TTSettings/TTS3Settings/BucketName", kText, R"("")", 0, 0, {}, kNoTimeTravel},
    Setting{"/TTSettings/TTS3Settings/BucketFolder", kText, R"("")", 0, 0, {}, kNoTimeTravel},
    Setting{"/TTSettings/TTS3Settings/EnableDeletingFromS3OnTaskDelete",
            kTruth,
            "false",
            0,
            0,
            {},
            kNoTimeTravel},
    Setting{"/TTSettings/TTRecordSettings/EnableRawData", kTruth, "false", 0, 0, {}, kNoTimeTravel},
    Setting{"/TTSettings/TTRecordSettings/RawDataFormat", kChoice, R"("TEXT")", 0, 0, "TEXT HEX",
            kNoTimeTravel},
    Setting{
        "/TTSettings/TTRecordSettings/OperationsToLog", kText, R"("ALL")", 0, 0, {}, kNoTimeTravel},
    Setting{
        "/TTSettings/TTRecordSettings/MaxRecordSize", kNumber, "64", 0, kMost, {}, kNoTimeTravel},

    Setting{"/Logging/EnableLogging", kTruth, "false", 0, 0, {}, kOwnLog},
    Setting{"/Logging/EnableLogContext",
            kTruth,
            "true",
            0,
            0,
            {},
            "lines of the log always have their context"},
    Setting{"/Logging/LogComponents", kList, "null"},
    Setting{"/Logging/CloudWatchLogGroup", kText, "null", 0, 0, {}, kNoCloudWatch},
    Setting{"/Logging/CloudWatchLogStream", kText, "null", 0, 0, {}, kNoCloudWatch},
    Setting{"/Logging/DeleteTaskLogs", kTruth, "false", 0, 0, {}, kOwnLog, true},

    Setting{"/ControlTablesSettings/ControlSchema", kText, R"("")"},
    Setting{"/ControlTablesSettings/HistoryTimeslotInMinutes", kNumber, "5", 1, 1440},
    Setting{"/ControlTablesSettings/historyTimeslotInMinutes", kNumber, "5", 1, 1440, {}, {}, true},
    Setting{"/ControlTablesSettings/HistoryTableEnabled", kTruth, "false"},
    Setting{"/ControlTablesSettings/SuspendedTablesTableEnabled", kTruth, "false"},
    Setting{"/ControlTablesSettings/StatusTableEnabled", kTruth, "false"},
    Setting{"/ControlTablesSettings/FullLoadExceptionTableEnabled",
            kTruth,
            "false",
            0,
            0,
            {},
            "rows that a load leaves out are in awsdms_apply_exceptions"},

    Setting{"/StreamBufferSettings/StreamBufferCount", kNumber, "3", 1, 1000, {}, kNoBuffers},
    Setting{"/StreamBufferSettings/StreamBufferSizeInMB",
            kNumber,
            "8",
            1,
            kMostMegabytes,
            {},
            kNoBuffers},
    Setting{"/StreamBufferSettings/CtrlStreamBufferSizeInMB", kNumber, "5", 1, 8, {}, kNoBuffers},

    Setting{"/ChangeProcessingTuning/BatchApplyPreserveTransaction",
            kTruth,
            "true",
            0,
            0,
            {},
            "a batch always has whole transactions, on every target"},
    Setting{"/ChangeProcessingTuning/BatchApplyTimeoutMin", kNumber, "1", 0, kMostSeconds},
    Setting{"/ChangeProcessingTuning/BatchApplyTimeoutMax", kNumber, "30", 0, kMostSeconds},
    Setting{"/ChangeProcessingTuning/BatchApplyMemoryLimit", kNumber, "500", 1, kMostMegabytes},
    Setting{"/ChangeProcessingTuning/BatchSplitSize", kNumber, "0", 0, kMost},
    Setting{"/ChangeProcessingTuning/MinTransactionSize", kNumber, "1000", 0, kMost},
    Setting{"/ChangeProcessingTuning/CommitTimeout", kNumber, "1", 0, kMostSeconds},
    Setting{"/ChangeProcessingTuning/MemoryLimitTotal", kNumber, "1024", 1, kMostMegabytes},
    Setting{"/ChangeProcessingTuning/MemoryKeepTime", kNumber, "60", 0, kMostSeconds},
    Setting{"/ChangeProcessingTuning/StatementCacheSize", kNumber, "50", 0, 200},
    Setting{"/ChangeProcessingTuning/RecoveryTimeout", kNumber, "-1", -1, kMostMinutes},

    Setting{"/ChangeProcessingDdlHandlingPolicy/HandleSourceTableDropped", kTruth, "true"},
    Setting{"/ChangeProcessingDdlHandlingPolicy/HandleSourceTableTruncated", kTruth, "true"},
    Setting{"/ChangeProcessingDdlHandlingPolicy/HandleSourceTableAltered", kTruth, "true"},

    Setting{"/ErrorBehavior/DataErrorPolicy", kChoice, R"("LOG_ERROR")", 0, 0, kActionNames},
    Setting{"/ErrorBehavior/DataTruncationErrorPolicy", kChoice, R"("LOG_ERROR")", 0, 0,
            kActionNames},
    Setting{"/ErrorBehavior/DataMaskingErrorPolicy", kChoice, R"("STOP_TASK")", 0, 0, kActionNames},
    Setting{"/ErrorBehavior/DataErrorEscalationPolicy", kChoice, R"("SUSPEND_TABLE")", 0, 0,
            "SUSPEND_TABLE STOP_TASK"},
    Setting{"/ErrorBehavior/DataErrorEscalationCount", kNumber, "0", 0, kMost},
    Setting{"/ErrorBehavior/EventErrorPolicy", kChoice, R"("IGNORE")", 0, 0, "IGNORE STOP_TASK",
            kNoEvents},
    Setting{"/ErrorBehavior/TableErrorPolicy", kChoice, R"("SUSPEND_TABLE")", 0, 0,
            "SUSPEND_TABLE STOP_TASK"},
    Setting{"/ErrorBehavior/TableErrorEscalationPolicy", kChoice, R"("STOP_TASK")", 0, 0,
            "STOP_TASK"},
    Setting{"/ErrorBehavior/TableErrorEscalationCount", kNumber, "0", 0, kMost},
    Setting{"/ErrorBehavior/RecoverableErrorCount", kNumber, "-1", -1, 1'000'000'000},
    Setting{"/ErrorBehavior/RecoverableErrorInterval", kNumber, "5", 0, kMostSeconds},
    Setting{"/ErrorBehavior/RecoverableErrorThrottling", kTruth, "true"},
    Setting{"/ErrorBehavior/RecoverableErrorThrottlingMax", kNumber, "1800", 0, kMostSeconds},
    Setting{"/ErrorBehavior/RecoverableErrorStopRetryAfterThrottlingMax", kTruth, "true"},
    Setting{"/ErrorBehavior/ApplyErrorDeletePolicy", kChoice, R"("IGNORE_RECORD")", 0, 0,
            kActionNames},
    Setting{"/ErrorBehavior/ApplyErrorInsertPolicy", kChoice, R"("LOG_ERROR")", 0, 0,
            "IGNORE_RECORD LOG_ERROR SUSPEND_TABLE STOP_TASK INSERT_RECORD"},
    Setting{"/ErrorBehavior/ApplyErrorUpdatePolicy", kChoice, R"("LOG_ERROR")", 0, 0,
            "IGNORE_RECORD LOG_ERROR SUSPEND_TABLE STOP_TASK UPDATE_RECORD"},
    Setting{"/ErrorBehavior/ApplyErrorEscalationPolicy", kChoice, R"("LOG_ERROR")", 0, 0,
            "LOG_ERROR SUSPEND_TABLE STOP_TASK"},
    Setting{"/ErrorBehavior/ApplyErrorEscalationCount", kNumber, "0", 0, kMost},
    Setting{"/ErrorBehavior/ApplyErrorFailOnTruncationDdl", kTruth, "false"},
    Setting{"/ErrorBehavior/FullLoadIgnoreConflicts", kTruth, "true"},
    Setting{"/ErrorBehavior/FailOnTransactionConsistencyBreached",
            kTruth,
            "true",
            0,
            0,
            {},
            "a start never leaves out the changes of a transaction that is open: it fails"},
    Setting{"/ErrorBehavior/FailOnNoTablesCaptured", kTruth, "true"},

    Setting{"/ValidationSettings/EnableValidation", kTruth, "false", 0, 0, {}, kByCommand},
    Setting{"/ValidationSettings/ValidationMode", kChoice, R"("ROW_LEVEL")", 0, 0,
            "ROW_LEVEL GROUP_LEVEL TABLE_LEVEL", kByCommand},
    Setting{"/ValidationSettings/ValidationOnly", kTruth, "false"},
    Setting{"/ValidationSettings/ThreadCount", kNumber, "5", 1, 1000, {}, kByCommand},
    Setting{"/ValidationSettings/PartitionSize", kNumber, "10000", 1, kMost, {}, kByCommand},
    Setting{"/ValidationSettings/FailureMaxCount", kNumber, "10000", 1, kMost, {}, kByCommand},
    Setting{"/ValidationSettings/TableFailureMaxCount", kNumber, "1000", 1, kMost, {}, kByCommand},
    Setting{"/ValidationSettings/RecordFailureDelayInMinutes",
            kNumber,
            "5",
            0,
            kMostMinutes,
            {},
            kByCommand},
    Setting{"/ValidationSettings/RecordFailureDelayLimitInMinutes",
            kNumber,
            "0",
            0,
            kMostMinutes,
            {},
            kByCommand},
    Setting{"/ValidationSettings/RecordSuspendDelayInMinutes",
            kNumber,
            "30",
            0,
            kMostMinutes,
            {},
            kByCommand},
    Setting{"/ValidationSettings/MaxKeyColumnSize", kNumber, "8096", 1, kMost, {}, kByCommand},
    Setting{"/ValidationSettings/HandleCollationDiff", kTruth, "false", 0, 0, {}, kByCommand},
    Setting{"/ValidationSettings/SkipLobColumns", kTruth, "false", 0, 0, {}, kByCommand},
    Setting{"/ValidationSettings/ValidationPartialLobSize", kNumber, "0", 0, kMost, {}, kByCommand},
    Setting{"/ValidationSettings/ValidationQueryCdcDelaySeconds",
            kNumber,
            "0",
            0,
            kMostSeconds,
            {},
            kByCommand},
    Setting{"/ValidationSettings/ValidationS3Mask", kNumber, "0", 0, kMost, {}, kByCommand, true},
    Setting{"/ValidationSettings/ValidationS3Time", kNumber, "0", 0, kMost, {}, kByCommand, true},

    Setting{"/ResyncSettings/EnableResync", kTruth, "false", 0, 0, {}, kNoResync},
    Setting{"/ResyncSettings/ResyncSchedule", kText, R"("")", 0, 0, {}, kNoResync},
    Setting{"/ResyncSettings/MaxResyncTime", kNumber, "0", 0, 14'400, {}, kNoResync},
    Setting{"/ResyncSettings/ValidationTaskId", kText, R"("")", 0, 0, {}, kNoResync},

    Setting{"/CharacterSetSettings/CharacterReplacements", kList, "null"},
    Setting{"/CharacterSetSettings/CharacterSetSupport", kDocument, "null"},

    Setting{"/LoopbackPreventionSettings/EnableLoopbackPrevention", kTruth, "false"},
    Setting{"/LoopbackPreventionSettings/SourceSchema",
            kText,
            R"("")",
            0,
            0,
            {},
            "loopback prevention is not carried out"},
    Setting{"/LoopbackPreventionSettings/TargetSchema",
            kText,
            R"("")",
            0,
            0,
            {},
            "loopback prevention is not carried out"},

    Setting{"/BeforeImageSettings/EnableBeforeImage", kTruth, "false", 0, 0, {}, kNoStreamTarget},
    Setting{"/BeforeImageSettings/FieldName", kText, R"("")", 0, 0, {}, kNoStreamTarget},
    Setting{"/BeforeImageSettings/ColumnFilter", kChoice, R"("pk-only")", 0, 0,
            "pk-only non-lob all", kNoStreamTarget},

    Setting{"/PostProcessingRules", kNull, "null"},
    Setting{"/FailTaskWhenCleanTaskResourceFailed",
            kTruth,
            "false",
            0,
            0,
            {},
            "`wherry forget` always fails when it cannot remove something, and goes on when it is "
            "called again"},
    Setting{"/max_statement_timeout_seconds",
            kNumber,
            "0",
            0,
            kMostSeconds,
            {},
            "it concerns queries on MySQL's dictionary",
            true},
    Setting{"/BatchApplyEnabled", kTruth, "false", 0, 0, {}, "its place is TargetMetadata", true},

    Setting{"/WherrySettings/SegmentSizeMB", kNumber, "64", 1, 65'536},
    Setting{"/WherrySettings/WholeTableMB", kNumber, "1024", 0, 65'536},
    Setting{"/WherrySettings/SplitAfterSeconds", kNumber, "2", 0, 3600},
    Setting{"/WherrySettings/MaxSourceConnections", kNumber, "0", 0, 49},
    Setting{"/WherrySettings/MaxReadMBPerSecond", kNumber, "0", 0, 1'000'000},
};

constexpr std::array<std::string_view, 5> kNullSections = {"TTSettings", "CharacterSetSettings",
                                                           "LoopbackPreventionSettings",
                                                           "BeforeImageSettings", "ResyncSettings"};

}  // namespace

std::span<const Setting> settings_catalogue() {
  return kSettings;
}

bool is_null_by_default(std::string_view section) {
  return std::find(kNullSections.begin(), kNullSections.end(), section) != kNullSections.end();
}

const Setting* find_setting(std::string_view path) {
  const auto* const found = std::find_if(kSettings.begin(), kSettings.end(),
                                         [&](const Setting& each) { return each.path == path; });
  return found == kSettings.end() ? nullptr : found;
}

}  // namespace wherry::control
