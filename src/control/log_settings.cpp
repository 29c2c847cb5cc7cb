#include "control/log_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "control/settings_document.h"

namespace wherry::control {
namespace {

using Json = SettingsDocument::Json;

constexpr std::array<std::string_view, 20> kParts = {
    "TRANSFORMATION",   "SOURCE_UNLOAD",  "IO",
    "TARGET_LOAD",      "PERFORMANCE",    "SOURCE_CAPTURE",
    "SORTER",           "REST_SERVER",    "VALIDATOR_EXT",
    "TARGET_APPLY",     "TASK_MANAGER",   "TABLES_MANAGER",
    "METADATA_MANAGER", "FILE_FACTORY",   "COMMON",
    "ADDONS",           "DATA_STRUCTURE", "COMMUNICATION",
    "FILE_TRANSFER",    "VALIDATOR"};

struct NamedSeverity {
  std::string_view name;
  std::optional<Severity> severity;  ///< nothing: that of --log-level
};
constexpr std::array<NamedSeverity, 6> kSeverities = {
    {{"LOGGER_SEVERITY_ERROR", Severity::kError},
     {"LOGGER_SEVERITY_WARNING", Severity::kWarning},
     {"LOGGER_SEVERITY_INFO", Severity::kInfo},
     {"LOGGER_SEVERITY_DEFAULT", std::nullopt},
     {"LOGGER_SEVERITY_DEBUG", Severity::kDebug},
     {"LOGGER_SEVERITY_DETAILED_DEBUG", Severity::kTrace}}};

std::optional<Component> component_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Component::kCommon); ++i) {
    if (name_of(static_cast<Component>(i)) == name) return static_cast<Component>(i);
  }
  return std::nullopt;
}

std::string text_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

nlohmann::ordered_json standard_log_components() {
  Json out = Json::array();
  for (const std::string_view part : kParts) {
    out.push_back({{"Id", part}, {"Severity", "LOGGER_SEVERITY_DEFAULT"}});
  }
  return out;
}

LogLevels read_log_components(SettingsDocument& document,
                              std::vector<std::string>& without_effect) {
  const std::string path = "/Logging/LogComponents";
  LogLevels out;
  const Json* const list = document.sent(path);
  if (list == nullptr || !list->is_array()) return out;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& entry = (*list)[i];
    const std::string here = fmt::format("{}/{}", path, i);
    if (!entry.is_object()) {
      document.add_problem(here, "must be an object with Id and Severity");
      continue;
    }
    for (const auto& [name, value] : entry.items()) {
      if (name != "Id" && name != "Severity")
        document.add_problem(here + "/" + name, "unknown key");
    }
    const std::string part = text_member(entry, "Id");
    if (std::find(kParts.begin(), kParts.end(), part) == kParts.end()) {
      document.add_problem(here + "/Id",
                           fmt::format("'{}' is not one of {}", part, fmt::join(kParts, ", ")));
    }
    const std::string name = text_member(entry, "Severity");
    const auto* const severity =
        std::find_if(kSeverities.begin(), kSeverities.end(),
                     [&](const NamedSeverity& each) { return each.name == name; });
    if (severity == kSeverities.end()) {
      std::string known;
      for (const NamedSeverity& each : kSeverities) {
        known += (known.empty() ? "" : ", ") + std::string(each.name);
      }
      document.add_problem(here + "/Severity", fmt::format("'{}' is not one of {}", name, known));
      continue;
    }
    if (!severity->severity) continue;
    if (const auto component = component_of(part)) {
      out.emplace_back(*component, *severity->severity);
    } else {
      without_effect.push_back(fmt::format("{}: no part of Wherry is {}", here, part));
    }
  }
  return out;
}

}  // namespace wherry::control
