// Values of the keys of task settings, for tests over the whole catalogue.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "control/settings_document.h"

namespace wherry::control::samples {

using Json = SettingsDocument::Json;

inline void put(Json& document, std::string_view path, const Json& value) {
  document[Json::json_pointer(std::string(path))] = value;
}

/// A value of the key that is allowed and not the default; null: there is none.
inline Json another_value(const Setting& setting) {
  static const std::map<std::string_view, Json> kParts = {
      {"/Logging/LogComponents", {{{"Id", "SORTER"}, {"Severity", "LOGGER_SEVERITY_DEBUG"}}}},
      {"/CharacterSetSettings/CharacterReplacements",
       {{{"SourceCharacterCodePoint", 62}, {"TargetCharacterCodePoint", "61"}}}},
      {"/CharacterSetSettings/CharacterSetSupport",
       {{"CharacterSet", "US-ASCII"}, {"ReplaceWithCharacterCodePoint", 0}}}};
  const Json standard = Json::parse(setting.standard);
  switch (setting.kind) {
    case SettingKind::kTruth:
      return standard != true;
    case SettingKind::kNumber: {
      const auto wanted = standard.get<std::int64_t>() + 5;
      return wanted <= setting.high ? wanted : setting.low;
    }
    case SettingKind::kText:
      return "another";
    case SettingKind::kChoice: {
      const std::string first(setting.choices.substr(0, setting.choices.find(' ')));
      if (standard != first) return first;
      const std::size_t at = setting.choices.rfind(' ');
      return at == std::string_view::npos ? Json() : Json(setting.choices.substr(at + 1));
    }
    case SettingKind::kList:
    case SettingKind::kDocument:
      return kParts.at(setting.path);
    case SettingKind::kNull:
      break;
  }
  return nullptr;
}

/// What must be sent besides for the key to mean something.
inline Json company_of(std::string_view path) {
  Json out = Json::object();
  if (path.ends_with("/InlineLobMaxSize") || path.ends_with("/LobChunkSize")) {
    put(out, "/TargetMetadata/FullLobMode", true);
  }
  return out;
}

}  // namespace wherry::control::samples
