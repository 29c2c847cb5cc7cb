#include "control/task_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

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

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

class Reader {
 public:
  TaskSettings settings;
  std::string mistakes;

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
      } else if (section == "ControlTablesSettings") {
        control_tables(value);
      } else if (section == "WherrySettings") {
        own_settings(value);
      } else {
        settings.not_carried_out.push_back("/" + section);
      }
    }
  }

 private:
  void mistake(const std::string& path, const std::string& what) {
    mistakes +=
        fmt::format("{}{}: {}", mistakes.empty() ? "" : "; ", path.empty() ? "/" : path, what);
  }

  bool is_object(const Json& value, const std::string& path) {
    if (value.is_object()) return true;
    mistake(path, fmt::format("must be an object, not {}", value.type_name()));
    return false;
  }

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
    bool others = false;
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      if (key == "FailOnNoTablesCaptured") {
        truth(value, here, settings.fail_on_no_tables_captured);
      } else if (!recoverable_error(key, value, here)) {
        others = true;
      }
    }
    if (others) settings.not_carried_out.push_back(path);
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

  void control_tables(const Json& section) {
    const std::string path = "/ControlTablesSettings";
    if (!is_object(section, path)) return;
    bool others = false;
    for (const auto& [key, value] : section.items()) {
      if (key != "ControlSchema") {
        others = true;
      } else if (value.is_string()) {
        settings.control_schema = value.get<std::string>();
      } else if (!value.is_null()) {
        mistake(path + "/" + key, fmt::format("{} is not a text", value.dump()));
      }
    }
    if (others) settings.not_carried_out.push_back(path);
  }

  void own_settings(const Json& section) {
    const std::string path = "/WherrySettings";
    if (!is_object(section, path)) return;
    for (const auto& [key, value] : section.items()) {
      const std::string here = path + "/" + key;
      if (key == "SegmentSizeMB") {
        number(value, here, 1, 65536, settings.segment_size_mb);
      } else if (key == "MaxSourceConnections") {
        number(value, here, 0, 49, settings.max_source_connections);
      } else if (key == "MaxReadMBPerSecond") {
        number(value, here, 0, 1'000'000, settings.max_read_mb_per_second);
      } else {
        mistake(here, "unknown key");
      }
    }
  }

  void truth(const Json& value, const std::string& path, bool& out) {
    if (value.is_boolean()) {
      out = value.get<bool>();
    } else {
      mistake(path, fmt::format("{} is not true or false", value.dump()));
    }
  }

  void seconds(const Json& value, const std::string& path, std::chrono::milliseconds& out) {
    std::int64_t count = out.count() / 1000;
    number(value, path, 0, 1'000'000, count);
    out = std::chrono::seconds(count);
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

  template <class Number>
  void number(const Json& value, const std::string& path, std::int64_t low, std::int64_t high,
              Number& out) {
    if (value.is_number_integer() && value.get<std::int64_t>() >= low &&
        value.get<std::int64_t>() <= high) {
      out = value.get<Number>();
    } else {
      mistake(path, fmt::format("{} is not a whole number from {} to {}", value.dump(), low, high));
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
  }
  Reader reader;
  reader.read(document);
  if (!reader.mistakes.empty()) {
    return make_error(ErrorKind::kConfig, "settings.invalid",
                      "the task settings cannot be used: " + reader.mistakes,
                      "Correct the values and run `wherry check --task-settings FILE`");
  }
  return std::move(reader.settings);
}

}  // namespace wherry::control
