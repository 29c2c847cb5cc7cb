#include "control/task_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace wherry::control {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 17> kSections = {"TargetMetadata",
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
                                                        "BatchApplyEnabled"};

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
      if (key != "FailOnNoTablesCaptured") {
        others = true;
      } else if (value.is_boolean()) {
        settings.fail_on_no_tables_captured = value.get<bool>();
      } else {
        mistake(path + "/" + key, fmt::format("{} is not true or false", value.dump()));
      }
    }
    if (others) settings.not_carried_out.push_back(path);
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

  void number(const Json& value, const std::string& path, std::int64_t low, std::int64_t high,
              std::uint32_t& out) {
    if (value.is_number_integer() && value.get<std::int64_t>() >= low &&
        value.get<std::int64_t>() <= high) {
      out = value.get<std::uint32_t>();
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
