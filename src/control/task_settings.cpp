#include "control/task_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "control/change_settings.h"
#include "control/settings_reader.h"

namespace wherry::control {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 18> kSections = {"TargetMetadata",
                                                        "FullLoadSettings",
                                                        "TTSettings",
                                                        "Logging",
                                                        "ControlTablesSettings",
                                                        "StreamBufferSettings",
                                                        "ChangeProcessingTuning",
                                                        "ChangeProcessingDdlHandlingPolicy",
                                                        "ErrorBehavior",
                                                        "ValidationSettings",
                                                        "PostProcessingRules",
                                                        "CharacterSetSettings",
                                                        "LoopbackPreventionSettings",
                                                        "BeforeImageSettings",
                                                        "FailTaskWhenCleanTaskResourceFailed",
                                                        "ResyncSettings",
                                                        "BatchApplyEnabled",
                                                        "WherrySettings"};

constexpr std::array<std::string_view, 8> kFullLoadKeys = {"TargetTablePrepMode",
                                                           "CreatePkAfterFullLoad",
                                                           "StopTaskCachedChangesApplied",
                                                           "StopTaskCachedChangesNotApplied",
                                                           "MaxFullLoadSubTasks",
                                                           "TransactionConsistencyTimeout",
                                                           "CommitRate",
                                                           "MaxTransactionSize"};

constexpr std::array<std::string_view, 17> kTargetMetadataKeys = {"TargetSchema",
                                                                  "SupportLobs",
                                                                  "FullLobMode",
                                                                  "LobChunkSize",
                                                                  "LimitedSizeLobMode",
                                                                  "LobMaxSize",
                                                                  "InlineLobMaxSize",
                                                                  "LoadMaxFileSize",
                                                                  "ParallelLoadThreads",
                                                                  "ParallelLoadBufferSize",
                                                                  "ParallelLoadQueuesPerThread",
                                                                  "ParallelApplyThreads",
                                                                  "ParallelApplyBufferSize",
                                                                  "ParallelApplyQueuesPerThread",
                                                                  "TaskRecoveryTableEnabled",
                                                                  "BatchApplyEnabled",
                                                                  "MaxFullLoadSubTasks"};

/// Of ErrorBehavior: what has no effect here.
constexpr std::array<std::string_view, 3> kOtherErrorKeys = {
    "DataMaskingErrorPolicy", "EventErrorPolicy", "FailOnTransactionConsistencyBreached"};

constexpr std::int64_t kMostLobKilobytes = 102'400;

using engine::ErrorAction;

std::optional<ErrorAction> action_of(std::string_view name) {
  if (name == "IGNORE_RECORD") return ErrorAction::kIgnoreRecord;
  if (name == "LOG_ERROR") return ErrorAction::kLogError;
  if (name == "SUSPEND_TABLE") return ErrorAction::kSuspendTable;
  if (name == "STOP_TASK") return ErrorAction::kStopTask;
  return std::nullopt;
}

class Reader : public SettingsReader {
 public:
  TaskSettings settings;

  void read(const Json& document) {
    if (!document.is_object()) return mistake("", "the document must be an object");
    for (const auto& [section, value] : document.items()) {
      if (!contains(kSections, section)) {
        mistake("/" + section, "unknown section");
      } else if (value.is_null()) {
        continue;
      } else if (section == "FullLoadSettings") {
        full_load(value);
      } else if (section == "ErrorBehavior") {
        error_behavior(value);
      } else if (section == "TargetMetadata") {
        target_metadata(value);
      } else if (section == "ControlTablesSettings") {
        control_tables(value);
      } else if (section == "CharacterSetSettings") {
        character_set(value);
      } else if (section == "ValidationSettings") {
        validation(value);
      } else if (section == "ChangeProcessingTuning") {
        read_tuning(*this, value, settings.changes, settings.not_applicable);
      } else if (section == "ChangeProcessingDdlHandlingPolicy") {
        read_ddl_policy(*this, value, settings.changes);
      } else if (section == "WherrySettings") {
        own_settings(value);
      } else {
        settings.not_carried_out.push_back("/" + section);
      }
    }
    if (settings.characters != nullptr && settings.asks_for_validation) {
      mistake("/ValidationSettings/EnableValidation",
              "cannot be true beside CharacterSetSettings; compare with `wherry validate`, which "
              "knows of them");
    }
  }

 private:
  void full_load(const Json& section) {
    const std::string path = "/FullLoadSettings";
    if (!is_object(section, path)) return;
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      if (key == "TargetTablePrepMode") {
        prep_mode(value, here);
      } else if (key == "MaxFullLoadSubTasks") {
        number(value, here, 1, 49, settings.max_full_load_subtasks);
      } else if (key == "CommitRate") {
        number(value, here, 1, 50000, settings.commit_rate);
      } else if (key == "CreatePkAfterFullLoad") {
        truth(value, here, settings.create_pk_after_full_load);
      } else if (key == "TransactionConsistencyTimeout") {
        seconds(value, here, settings.changes.consistency_timeout);
      } else if (key == "StopTaskCachedChangesApplied") {
        truth(value, here, settings.changes.stops_after_cached);
      } else if (key == "StopTaskCachedChangesNotApplied") {
        truth(value, here, settings.changes.stops_before_cached);
      } else if (!contains(kFullLoadKeys, key)) {
        mistake(here, "unknown key");
      } else if (value != Json(false) && value != Json(0)) {
        settings.not_carried_out.push_back(here);
      }
    }
  }

  void error_behavior(const Json& section) {
    const std::string path = "/ErrorBehavior";
    if (!is_object(section, path)) return;
    engine::ErrorPolicy& errors = settings.errors;
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      if (key == "FailOnNoTablesCaptured") {
        truth(value, here, settings.fail_on_no_tables_captured);
      } else if (key == "DataErrorPolicy") {
        action(value, here, ErrorAction::kIgnoreRecord, errors.data);
      } else if (key == "DataTruncationErrorPolicy") {
        action(value, here, ErrorAction::kIgnoreRecord, errors.truncation);
      } else if (key == "DataErrorEscalationPolicy") {
        action(value, here, ErrorAction::kSuspendTable, errors.escalation);
      } else if (key == "DataErrorEscalationCount") {
        number(value, here, 0, 2'000'000'000, errors.escalation_count);
      } else if (key == "TableErrorPolicy") {
        action(value, here, ErrorAction::kSuspendTable, errors.table);
      } else if (key == "TableErrorEscalationPolicy") {
        ErrorAction unused = ErrorAction::kStopTask;
        action(value, here, ErrorAction::kStopTask, unused);
      } else if (key == "TableErrorEscalationCount") {
        number(value, here, 0, 2'000'000'000, errors.table_escalation_count);
      } else if (recoverable_error(key, value, here) ||
                 read_apply_error(*this, key, value, here, settings.changes)) {
        continue;
      } else if (contains(kOtherErrorKeys, key)) {
        settings.not_carried_out.push_back(here);
      } else {
        mistake(here, "unknown key");
      }
    }
  }

  void target_metadata(const Json& section) {
    const std::string path = "/TargetMetadata";
    if (!is_object(section, path)) return;
    std::optional<bool> is_limited;
    std::optional<bool> is_full;
    std::optional<std::uint32_t> max_kb;
    std::uint32_t inline_kb = 0;
    std::uint32_t piece_kb = 0;
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      if (key == "SupportLobs") {
        truth(value, here, settings.lobs.are_loaded);
      } else if (key == "LimitedSizeLobMode") {
        truth(value, here, is_limited.emplace());
      } else if (key == "FullLobMode") {
        truth(value, here, is_full.emplace());
      } else if (key == "LobMaxSize") {
        number(value, here, 0, kMostLobKilobytes, max_kb.emplace());
      } else if (key == "InlineLobMaxSize") {
        number(value, here, 0, kMostLobKilobytes, inline_kb);
      } else if (key == "LobChunkSize") {
        number(value, here, 0, kMostLobKilobytes, piece_kb);
      } else if (read_target_change_key(*this, key, value, here, settings.changes)) {
        continue;
      } else if (!contains(kTargetMetadataKeys, key)) {
        mistake(here, "unknown key");
      } else if (value != Json(false) && value != Json(0) && value != Json("")) {
        settings.not_carried_out.push_back(here);
      }
    }
    if (!settings.lobs.are_loaded) return;
    if (is_full == true && is_limited == true) {
      return mistake(path, "FullLobMode and LimitedSizeLobMode cannot both be true");
    }
    if (is_full == false && is_limited == false) {
      return mistake(path,
                     "FullLobMode and LimitedSizeLobMode cannot both be false while "
                     "SupportLobs is true");
    }
    if (inline_kb != 0 && is_full != true) {
      return mistake(path + "/InlineLobMaxSize", "needs FullLobMode to be true");
    }
    settings.lobs.inline_bytes = std::uint64_t{inline_kb} * 1024;
    if (is_full == true) settings.lobs.piece_bytes = std::uint64_t{piece_kb} * 1024;
    // DMS's default is the limited mode; here a limit has to be asked for.
    const bool asks_for_limit = max_kb.value_or(0) != 0 && is_full != true;
    if (!is_limited.value_or(asks_for_limit)) return;
    constexpr std::uint32_t kDefaultKilobytes = 32;
    if (max_kb == 0U) return mistake(path + "/LobMaxSize", "must not be 0 in limited LOB mode");
    settings.lobs.max_bytes = std::uint64_t{max_kb.value_or(kDefaultKilobytes)} * 1024;
  }

  void validation(const Json& section) {
    const std::string path = "/ValidationSettings";
    if (!is_object(section, path)) return;
    const auto enabled = section.find("EnableValidation");
    if (enabled != section.end()) {
      truth(*enabled, path + "/EnableValidation", settings.asks_for_validation);
    }
    settings.not_carried_out.push_back(path);
  }

  void character_set(const Json& section) {
    const std::string path = "/CharacterSetSettings";
    if (!is_object(section, path)) return;
    std::vector<schema::CharacterReplacement> replacements;
    std::optional<schema::CharacterSetRule> set;
    const std::size_t mistakes_before = mistakes.size();
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      if (key != "CharacterReplacements" && key != "CharacterSetSupport") {
        mistake(here, "unknown key");
      } else if (value.is_null()) {
        continue;
      } else if (key == "CharacterReplacements") {
        replacements = character_replacements(value, here);
      } else {
        set = character_set_support(value, here);
      }
    }
    if (mistakes.size() != mistakes_before || (replacements.empty() && !set)) return;
    auto rules = schema::CharacterRules::make(replacements, set);
    if (rules.ok()) {
      settings.characters = *std::move(rules);
    } else {
      mistake(path + "/CharacterSetSupport",
              rules.error().message + " (" + rules.error().hint + ")");
    }
  }

  std::vector<schema::CharacterReplacement> character_replacements(const Json& list,
                                                                   const std::string& path) {
    std::vector<schema::CharacterReplacement> out;
    if (!list.is_array()) mistake(path, "must be an array of objects");
    for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
      const std::string here = path + "/" + std::to_string(i);
      if (!is_object(list[i], here)) continue;
      schema::CharacterReplacement replacement;
      code_point(list[i], here, "SourceCharacterCodePoint", replacement.source);
      code_point(list[i], here, "TargetCharacterCodePoint", replacement.target);
      refuse_others(list[i], here, {"SourceCharacterCodePoint", "TargetCharacterCodePoint"});
      out.push_back(replacement);
    }
    return out;
  }

  std::optional<schema::CharacterSetRule> character_set_support(const Json& object,
                                                                const std::string& path) {
    if (!is_object(object, path)) return std::nullopt;
    schema::CharacterSetRule rule;
    const auto name = object.find("CharacterSet");
    if (name == object.end() || !name->is_string() || name->get<std::string>().empty()) {
      mistake(path + "/CharacterSet", "the name of a character set is missing");
    } else {
      rule.name = name->get<std::string>();
    }
    code_point(object, path, "ReplaceWithCharacterCodePoint", rule.replacement);
    refuse_others(object, path, {"CharacterSet", "ReplaceWithCharacterCodePoint"});
    return rule;
  }

  void refuse_others(const Json& object, const std::string& path,
                     std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : object.items()) {
      if (!contains(known, key)) mistake(path + "/" + key, "unknown key");
    }
  }

  /// Hexadecimal digits, also where they are written as a JSON number: 62 is "b".
  void code_point(const Json& object, const std::string& path, const char* key, char32_t& out) {
    const std::string here = path + "/" + key;
    const auto found = object.find(key);
    if (found == object.end()) return mistake(here, "is missing");
    const std::string digits = found->is_string()
                                   ? found->get<std::string>()
                                   : (found->is_number_unsigned() ? found->dump() : std::string());
    std::uint32_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [at, status] = std::from_chars(digits.data(), end, number, 16);
    if (digits.empty() || status != std::errc{} || at != end ||
        !schema::CharacterRules::is_code_point(number)) {
      return mistake(here, fmt::format("{} is not the number of a character in hexadecimal digits, "
                                       "0 to 10FFFF without D800 to DFFF",
                                       found->dump()));
    }
    out = number;
  }

  void control_tables(const Json& section) {
    const std::string path = "/ControlTablesSettings";
    if (!is_object(section, path)) return;
    ControlTableSettings& tables = settings.control_tables;
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      // The documentation writes the second form in places.
      if (key == "ControlSchema" && value.is_string()) {
        settings.control_schema = value.get<std::string>();
      } else if (key == "ControlSchema" && value.is_null()) {
        continue;
      } else if (key == "ControlSchema") {
        mistake(here, fmt::format("{} is not a text", value.dump()));
      } else if (key == "HistoryTimeslotInMinutes" || key == "historyTimeslotInMinutes") {
        number(value, here, 1, 1440, tables.history_minutes);
      } else if (key == "HistoryTableEnabled") {
        truth(value, here, tables.has_history);
      } else if (key == "SuspendedTablesTableEnabled") {
        truth(value, here, tables.has_suspended_tables);
      } else if (key == "StatusTableEnabled") {
        truth(value, here, tables.has_status);
      } else if (key == "FullLoadExceptionTableEnabled") {
        if (value != Json(false)) settings.not_carried_out.push_back(here);
      } else {
        mistake(here, "unknown key");
      }
    }
  }

  /// `mildest`: the first action that the key allows.
  void action(const Json& value, const std::string& path, ErrorAction mildest, ErrorAction& out) {
    const auto given = value.is_string() ? action_of(value.get<std::string>()) : std::nullopt;
    if (given && *given >= mildest) {
      out = *given;
      return;
    }
    std::string allowed = "STOP_TASK";
    if (mildest <= ErrorAction::kSuspendTable) allowed = "SUSPEND_TABLE, " + allowed;
    if (mildest <= ErrorAction::kLogError) allowed = "LOG_ERROR, " + allowed;
    if (mildest <= ErrorAction::kIgnoreRecord) allowed = "IGNORE_RECORD, " + allowed;
    mistake(path, fmt::format("{} is not one of {}", value.dump(), allowed));
  }

  bool recoverable_error(const std::string& key, const Json& value, const std::string& path) {
    constexpr std::int64_t kMost = 1'000'000'000;
    engine::RetryPolicy& retry = settings.retry;
    if (key == "RecoverableErrorCount") {
      number(value, path, -1, kMost, retry.most_tries);
    } else if (key == "RecoverableErrorInterval") {
      seconds(value, path, retry.wait);
    } else if (key == "RecoverableErrorThrottling") {
      truth(value, path, retry.doubles);
    } else if (key == "RecoverableErrorThrottlingMax") {
      seconds(value, path, retry.most_wait);
    } else if (key == "RecoverableErrorStopRetryAfterThrottlingMax") {
      truth(value, path, retry.stops_at_most_wait);
    } else {
      return false;
    }
    return true;
  }

  void own_settings(const Json& section) {
    const std::string path = "/WherrySettings";
    if (!is_object(section, path)) return;
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      if (key == "SegmentSizeMB") {
        number(value, here, 1, 65536, settings.segment_size_mb);
      } else if (key == "WholeTableMB") {
        number(value, here, 0, 65536, settings.whole_table_mb);
      } else if (key == "SplitAfterSeconds") {
        number(value, here, 0, 3600, settings.split_after_secs);
      } else if (key == "MaxSourceConnections") {
        number(value, here, 0, 49, settings.max_source_connections);
      } else if (key == "MaxReadMBPerSecond") {
        number(value, here, 0, 1'000'000, settings.max_read_mb_per_second);
      } else {
        mistake(here, "unknown key");
      }
    }
  }

  void prep_mode(const Json& value, const std::string& path) {
    if (value == "DO_NOTHING") {
      settings.target_table_prep_mode = connect::ExistingTable::kKeep;
    } else if (value == "DROP_AND_CREATE") {
      settings.target_table_prep_mode = connect::ExistingTable::kDrop;
    } else if (value == "TRUNCATE_BEFORE_LOAD") {
      settings.target_table_prep_mode = connect::ExistingTable::kTruncate;
    } else {
      mistake(path,
              fmt::format("{} is not one of DO_NOTHING, DROP_AND_CREATE, TRUNCATE_BEFORE_LOAD",
                          value.dump()));
    }
  }
};

}  // namespace

Result<TaskSettings> TaskSettings::parse(std::string_view json) {
  Json document;
  try {
    document = Json::parse(json);
  } catch (const Json::parse_error& failure) {
    const auto line =
        1 +
        std::count(json.begin(),
                   json.begin() + static_cast<std::ptrdiff_t>(std::min(failure.byte, json.size())),
                   '\n');
    return make_error(ErrorKind::kConfig, "settings.syntax",
                      fmt::format("the task settings are not valid JSON near line {}", line),
                      "Mend the file; any JSON checker shows the place");
  } catch (const Json::out_of_range&) {
    return make_error(ErrorKind::kConfig, "settings.syntax",
                      "the task settings are not valid JSON: a number is too large",
                      "Mend the file; any JSON checker shows the place");
  }
  Reader reader;
  reader.read(document);
  if (!reader.mistakes.empty()) {
    return make_error(ErrorKind::kConfig, "settings.invalid",
                      "the task settings cannot be used: " + reader.mistakes,
                      "Correct the values and run `wherry check --task-settings FILE`");
  }
  reader.settings.changes.apply.errors.base = reader.settings.errors;
  reader.settings.changes.apply.retry = reader.settings.retry;
  return std::move(reader.settings);
}

}  // namespace wherry::control
