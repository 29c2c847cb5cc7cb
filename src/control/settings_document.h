// A DMS task-settings document as it was sent: checked key by key against the catalogue, and read
// with every key that was not sent at its default.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/settings_catalogue.h"
#include "core/result.h"
#include "mapping/json_places.h"

namespace wherry::control {

/// One thing wrong with a document.
struct SettingsProblem {
  std::string path;  ///< "/ErrorBehavior/DataErrorPolicy"
  std::string message;
  mapping::TextPlace place;
};

class SettingsDocument {
 public:
  using Json = nlohmann::ordered_json;

  /// kConfig "settings.syntax" with line and column. Everything else that is wrong is in
  /// problems(): unknown keys with what was probably meant, wrong types, values out of their range
  /// with it.
  static Result<SettingsDocument> read(std::string_view json);

  [[nodiscard]] const std::vector<SettingsProblem>& problems() const { return problems_; }
  /// For what no single key shows.
  void add_problem(const std::string& path, std::string message);

  /// nullptr: it was not sent, is null, or is in problems().
  [[nodiscard]] const Json* sent(std::string_view path) const;
  /// What was sent, or the default. REQUIRES: the catalogue has the path.
  [[nodiscard]] Json value(std::string_view path) const;
  /// "PATH: why" of each key with a value other than the default that has no effect.
  [[nodiscard]] std::vector<std::string> without_effect() const;

  /// The document with every key, as DMS describes a task: what was sent keeps its type and value.
  [[nodiscard]] std::string expanded() const;

 private:
  SettingsDocument(std::string_view text, Json json) : places_(text), json_(std::move(json)) {}
  /// Also where the key was once.
  [[nodiscard]] const Json* given(std::string_view path) const;
  void check_object(const Json& object, const std::string& path);
  void check_value(const Setting& setting, const Json& value);

  mapping::JsonPlaces places_;
  Json json_;
  std::vector<SettingsProblem> problems_;
};

/// Whether LOBs are cut at LobMaxSize: DMS's default, which here has to be asked for.
bool limits_lobs(const SettingsDocument& document);

}  // namespace wherry::control
