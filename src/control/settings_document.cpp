#include "control/settings_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/log_settings.h"
#include "mapping/nearest_name.h"

namespace wherry::control {
namespace {

using Json = SettingsDocument::Json;

/// Where the documentation has a key besides, or had it once.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kOldPlaces = {
    {{"/FullLoadSettings/MaxFullLoadSubTasks", "/TargetMetadata/MaxFullLoadSubTasks"},
     {"/ControlTablesSettings/HistoryTimeslotInMinutes",
      "/ControlTablesSettings/historyTimeslotInMinutes"}}};

/// The names that an object at `path` may have, each once.
std::vector<std::string_view> names_in(std::string_view path) {
  std::vector<std::string_view> names;
  for (const Setting& setting : settings_catalogue()) {
    if (!setting.path.starts_with(path) || setting.path.size() == path.size() ||
        setting.path[path.size()] != '/') {
      continue;
    }
    std::string_view name = setting.path.substr(path.size() + 1);
    name = name.substr(0, name.find('/'));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

bool has_parts(std::string_view path) {
  return !names_in(path).empty();
}

/// What was probably meant, or the section where the name belongs.
std::string suggestion(std::string_view path, std::string_view name) {
  const std::string_view nearest = mapping::nearest_name(name, names_in(path));
  if (!nearest.empty()) return fmt::format("; {} was probably meant", nearest);
  for (const Setting& setting : settings_catalogue()) {
    const std::size_t at = setting.path.rfind('/');
    if (setting.path.substr(at + 1) == name && at != 0) {
      return fmt::format("; it belongs into {}", setting.path.substr(1, at - 1));
    }
  }
  return {};
}

std::string list_of(std::string_view choices) {
  std::string out(choices);
  for (std::size_t at = 0; (at = out.find(' ', at)) != std::string::npos; at += 2) {
    out.replace(at, 1, ", ");
  }
  return out;
}

bool is_choice(std::string_view choices, std::string_view value) {
  if (value.empty() || value.find(' ') != std::string_view::npos) return false;
  const std::string padded = fmt::format(" {} ", choices);
  return padded.find(fmt::format(" {} ", value)) != std::string::npos;
}

/// REQUIRES: high is not negative.
bool is_within(const Json& value, std::int64_t low, std::int64_t high) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned()) {
    return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(high) &&
           (low <= 0 || value.get<std::int64_t>() >= low);
  }
  return value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
}

Json standard_of(const Setting& setting) {
  return Json::parse(setting.standard);
}

/// The place of a path in the document that is being made.
Json& place_in(Json& document, std::string_view path) {
  Json* at = &document;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string name(path.substr(0, path.find('/')));
    path.remove_prefix(name.size());
    at = &(*at)[name];
  }
  return *at;
}

/// What the LOB modes are when not all of them were sent.
void settle_lob_modes(const SettingsDocument& document, Json& metadata) {
  constexpr int kStandardKilobytes = 32;
  const auto was_sent = [&](const char* name) {
    return document.sent(std::string("/TargetMetadata/") + name) != nullptr;
  };
  const bool is_limited = limits_lobs(document);
  if (!was_sent("LimitedSizeLobMode")) metadata["LimitedSizeLobMode"] = is_limited;
  if (!was_sent("FullLobMode")) metadata["FullLobMode"] = !is_limited;
  if (!was_sent("LobMaxSize") && is_limited) metadata["LobMaxSize"] = kStandardKilobytes;
}

}  // namespace

bool limits_lobs(const SettingsDocument& document) {
  const auto* const limited = document.sent("/TargetMetadata/LimitedSizeLobMode");
  if (limited != nullptr) return *limited == true;
  const auto* const full = document.sent("/TargetMetadata/FullLobMode");
  if (full != nullptr) return *full == false;
  const auto* const size = document.sent("/TargetMetadata/LobMaxSize");
  return size != nullptr && *size != 0;
}

Result<SettingsDocument> SettingsDocument::read(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& failure) {
    const mapping::TextPlace place =
        mapping::place_of(text, failure.byte > 0 ? failure.byte - 1 : 0);
    return make_error(ErrorKind::kConfig, "settings.syntax",
                      fmt::format("the task settings are not valid JSON at line {}, column {}",
                                  place.line, place.column),
                      "Mend the file; any JSON checker shows the place");
  } catch (const Json::out_of_range&) {
    return make_error(ErrorKind::kConfig, "settings.syntax",
                      "the task settings are not valid JSON: a number is too large",
                      "Mend the file; any JSON checker shows the place");
  }
  SettingsDocument out(text, std::move(json));
  for (const std::string& path : out.places_.repeated()) {
    out.add_problem(path, "the key is there twice, and only one of both would count");
  }
  out.check_object(out.json_, {});
  return out;
}

void SettingsDocument::add_problem(const std::string& path, std::string message) {
  problems_.push_back({path, std::move(message), places_.find(path)});
}

void SettingsDocument::check_object(const Json& object, const std::string& path) {
  if (!object.is_object()) {
    return add_problem(path, path.empty()
                                 ? "the document must be an object"
                                 : fmt::format("must be an object, not {}", object.type_name()));
  }
  for (const auto& [name, value] : object.items()) {
    const std::string here = path + "/" + name;
    if (const Setting* setting = find_setting(here)) {
      check_value(*setting, value);
    } else if (has_parts(here)) {
      if (!value.is_null()) check_object(value, here);
    } else {
      add_problem(here,
                  (path.empty() ? "unknown section" : "unknown key") + suggestion(path, name));
    }
  }
}

void SettingsDocument::check_value(const Setting& setting, const Json& value) {
  const std::string path(setting.path);
  if (value.is_null() && (setting.standard == "null" || setting.kind == SettingKind::kText)) return;
  switch (setting.kind) {
    case SettingKind::kTruth:
      if (!value.is_boolean()) add_problem(path, value.dump() + " is not true or false");
      break;
    case SettingKind::kNumber:
      if (!is_within(value, setting.low, setting.high)) {
        add_problem(path, fmt::format("{} is not a whole number from {} to {}", value.dump(),
                                      setting.low, setting.high));
      }
      break;
    case SettingKind::kText:
      if (!value.is_string()) add_problem(path, value.dump() + " is not a text");
      break;
    case SettingKind::kChoice:
      if (!value.is_string() || !is_choice(setting.choices, value.get<std::string>())) {
        add_problem(path,
                    fmt::format("{} is not one of {}", value.dump(), list_of(setting.choices)));
      }
      break;
    case SettingKind::kList:
      if (!value.is_array()) add_problem(path, "must be an array, not " + value.dump());
      break;
    case SettingKind::kDocument:
      if (!value.is_object()) {
        add_problem(path, fmt::format("must be an object, not {}", value.type_name()));
      }
      break;
    case SettingKind::kNull:
      add_problem(path, "is not known but as null");
      break;
  }
}

const Json* SettingsDocument::sent(std::string_view path) const {
  const bool is_wrong = std::any_of(problems_.begin(), problems_.end(),
                                    [&](const auto& problem) { return problem.path == path; });
  if (is_wrong) return nullptr;
  const Json* at = &json_;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    if (!at->is_object()) return nullptr;
    const auto found = at->find(std::string(name));
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at->is_null() ? nullptr : at;
}

const Json* SettingsDocument::given(std::string_view path) const {
  const Json* const here = sent(path);
  if (here != nullptr) return here;
  for (const auto& [place, old_place] : kOldPlaces) {
    if (place == path) return sent(old_place);
  }
  return nullptr;
}

Json SettingsDocument::value(std::string_view path) const {
  const Json* const given = this->given(path);
  return given != nullptr ? *given : standard_of(*find_setting(path));
}

std::vector<std::string> SettingsDocument::without_effect() const {
  std::vector<std::string> out;
  for (const Setting& setting : settings_catalogue()) {
    if (setting.no_effect.empty()) continue;
    const Json* const given = sent(setting.path);
    if (given == nullptr || *given == standard_of(setting)) continue;
    out.push_back(fmt::format("{}: {}", setting.path, setting.no_effect));
  }
  return out;
}

std::string SettingsDocument::expanded() const {
  Json out = Json::object();
  for (const Setting& setting : settings_catalogue()) {
    const Json* const given = this->given(setting.path);
    if (setting.is_legacy && given == nullptr) continue;
    const std::string section(setting.path.substr(1, setting.path.find('/', 1) - 1));
    if (is_null_by_default(section) && sent("/" + section) == nullptr) {
      out[section] = nullptr;
      continue;
    }
    place_in(out, setting.path) = given != nullptr ? *given : standard_of(setting);
  }
  if (sent("/Logging/LogComponents") == nullptr) {
    out["Logging"]["LogComponents"] = standard_log_components();
  }
  settle_lob_modes(*this, out["TargetMetadata"]);
  constexpr int kIndent = 2;
  return out.dump(kIndent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace wherry::control
