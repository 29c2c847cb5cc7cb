// What holds of every key of a task-settings document; generated from the catalogue, so that a key
// without an effect, a reason or a refusal fails.
#include <gtest/gtest.h>

#include "control/settings_samples.h"
#include "control/settings_scope.h"
#include "control/task_settings.h"

namespace wherry::control {
namespace {

using Json = SettingsDocument::Json;
using samples::another_value;
using samples::company_of;
using samples::put;

bool mentions(const std::vector<std::string>& lines, std::string_view path) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.starts_with(std::string(path) + ": ");
  });
}

std::string expanded(const std::string& text) {
  const auto document = SettingsDocument::read(text);
  EXPECT_TRUE(document.ok() && document->problems().empty()) << text;
  return document.ok() ? document->expanded() : std::string();
}

TEST(SettingsCatalogue, EveryKeyHasAnEffectOrAReasonOrIsRefused) {
  for (const Setting& setting : settings_catalogue()) {
    const Json value = another_value(setting);
    if (value.is_null()) continue;
    Json document = company_of(setting.path);
    auto before = TaskSettings::parse(document.dump());
    put(document, setting.path, value);
    auto after = TaskSettings::parse(document.dump());
    ASSERT_TRUE(before.ok()) << before.error().to_paragraph();
    if (!after.ok()) {
      EXPECT_NE(after.error().message.find(setting.path), std::string::npos) << setting.path;
      continue;
    }
    EXPECT_EQ(mentions(after->without_effect, setting.path), !setting.no_effect.empty())
        << setting.path;
    after->without_effect.clear();
    // Asked for, and answered by a warning.
    after->asks_for_validation = false;
    EXPECT_EQ(*before == *after, !setting.no_effect.empty()) << setting.path << " " << value;
  }
}

TEST(SettingsCatalogue, RefusesWhatIsNoValueOfTheKey) {
  for (const Setting& setting : settings_catalogue()) {
    std::vector<Json> wrong = {Json::array({1}), Json::object({{"nonsense", 1}})};
    if (setting.kind == SettingKind::kList) wrong = {Json::object(), "x", 1};
    if (setting.kind == SettingKind::kDocument) wrong = {Json::array(), "x", 1};
    if (setting.kind == SettingKind::kNumber) {
      wrong = {setting.low - 1, setting.high + 1, "1", 1.5, true, 18446744073709551615ULL};
    }
    if (setting.kind == SettingKind::kTruth) wrong = {"true", 0, 1};
    if (setting.kind == SettingKind::kChoice) wrong = {"", "NONE", 1, setting.choices};
    for (const Json& value : wrong) {
      if (setting.kind == SettingKind::kChoice && value == setting.choices &&
          setting.choices.find(' ') == std::string_view::npos) {
        continue;  // one choice only
      }
      Json document;
      put(document, setting.path, value);
      const auto read = SettingsDocument::read(document.dump());
      ASSERT_TRUE(read.ok());
      ASSERT_FALSE(read->problems().empty()) << document;
      EXPECT_TRUE(read->problems()[0].path.starts_with(setting.path)) << document;
    }
  }
}

/// Each kind of a task to which some keys mean nothing, and one to which they all mean something.
TEST(SettingsCatalogue, KeysThatMeanNothingToATaskAreTold) {
  const TaskKind simple_source{true, true, false, false, false};
  const std::vector<TaskKind> kinds = {
      {}, {.has_changes = false}, {.loads = false}, {.is_batch = true}, simple_source};
  std::size_t found = 0;
  for (const Setting& setting : settings_catalogue()) {
    const Json value = another_value(setting);
    if (value.is_null()) continue;
    Json json = company_of(setting.path);
    put(json, setting.path, value);
    auto document = SettingsDocument::read(json.dump());
    ASSERT_TRUE(document.ok());
    const auto keys = scoped_keys_of(*document);
    if (keys.empty()) continue;
    ++found;
    EXPECT_EQ(keys, std::vector<std::string_view>{setting.path});
    EXPECT_TRUE(setting.no_effect.empty()) << setting.path;
    const auto told = std::count_if(kinds.begin(), kinds.end(), [&](const TaskKind& kind) {
      return mentions(out_of_scope(keys, kind), setting.path);
    });
    EXPECT_GE(told, 1) << setting.path;
    EXPECT_LT(told, std::ssize(kinds)) << setting.path;
  }
  EXPECT_EQ(found, 29U);
  const std::string_view batch = "/ChangeProcessingTuning/BatchSplitSize";
  EXPECT_TRUE(mentions(out_of_scope({batch}, {}), batch));
  EXPECT_TRUE(out_of_scope({batch}, {.is_batch = true}).empty());
  const std::string_view lobs = "/TargetMetadata/LobChunkSize";
  EXPECT_TRUE(mentions(out_of_scope({lobs}, simple_source), lobs));
  EXPECT_TRUE(out_of_scope({lobs}, {.has_changes = false}).empty());
}

TEST(SettingsDocument, ExpandsToWhatMeansTheSame) {
  std::vector<std::string> documents = {
      "{}",
      R"({"TTSettings": null, "Logging": null, "ControlTablesSettings": {"ControlSchema": null}})",
      R"({"TargetMetadata": {"LobMaxSize": 5}})",
      R"({"TargetMetadata": {"LimitedSizeLobMode": true}})",
      R"({"TargetMetadata": {"LimitedSizeLobMode": false}})",
      R"({"TargetMetadata": {"FullLobMode": false}})",
      R"({"TargetMetadata": {"FullLobMode": true, "InlineLobMaxSize": 7}})",
      R"({"TargetMetadata": {"SupportLobs": false}})"};
  for (const Setting& setting : settings_catalogue()) {
    const Json value = another_value(setting);
    if (value.is_null()) continue;
    Json document = company_of(setting.path);
    put(document, setting.path, value);
    if (TaskSettings::parse(document.dump()).ok()) documents.push_back(document.dump());
  }
  for (const std::string& sent : documents) {
    const std::string whole = expanded(sent);
    auto as_sent = TaskSettings::parse(sent), as_expanded = TaskSettings::parse(whole);
    ASSERT_TRUE(as_sent.ok() && as_expanded.ok()) << sent << whole;
    // Rules are compared by where they are in memory.
    EXPECT_EQ(as_sent->characters == nullptr, as_expanded->characters == nullptr);
    as_sent->characters = as_expanded->characters;
    EXPECT_EQ(*as_sent, *as_expanded) << sent << whole;
    EXPECT_EQ(expanded(whole), whole);
  }
}

TEST(SettingsDocument, KeepsWhatWasSentAndFillsTheRest) {
  const Json whole = Json::parse(expanded(
      R"({"CharacterSetSettings": {"CharacterReplacements": [
             {"SourceCharacterCodePoint": 62, "TargetCharacterCodePoint": "61"}]},
          "ErrorBehavior": {"DataErrorPolicy": "STOP_TASK"}, "TTSettings": null,
          "ControlTablesSettings": {"historyTimeslotInMinutes": 9}})"));
  EXPECT_EQ(whole["CharacterSetSettings"]["CharacterReplacements"][0].dump(),
            R"({"SourceCharacterCodePoint":62,"TargetCharacterCodePoint":"61"})");
  EXPECT_EQ(whole["ErrorBehavior"]["DataErrorPolicy"], "STOP_TASK");
  EXPECT_EQ(whole["ErrorBehavior"]["TableErrorPolicy"], "SUSPEND_TABLE");
  EXPECT_EQ(whole["ControlTablesSettings"]["historyTimeslotInMinutes"], 9);
  EXPECT_EQ(whole["Logging"]["LogComponents"].size(), 20U);
  for (const char* section : {"TTSettings", "LoopbackPreventionSettings", "BeforeImageSettings",
                              "ResyncSettings", "PostProcessingRules"}) {
    EXPECT_TRUE(whole.contains(section) && whole[section].is_null()) << section;
  }
  EXPECT_FALSE(whole["TargetMetadata"].contains("MaxFullLoadSubTasks")) << "a legacy place";
}

TEST(SettingsDocument, NamesThePlaceAndWhatWasMeant) {
  const auto document = SettingsDocument::read(
      "{\"FullLoadSettings\": {\n"
      "   \"MaxFullLoadSubTask\": 4,\n"
      "   \"BatchApplyEnabled\": true, \"commitrate\": 1},\n"
      " \"ErrorBehaviour\": {}, \"Logging\": {\"LogComponents\": [{\"Id\": \"SORTR\",\n"
      "   \"Severity\": \"LOUD\"}]},\n"
      " \"Nothing like it\": 1}");
  ASSERT_TRUE(document.ok());
  auto read = *document;
  EXPECT_FALSE(TaskSettings::from(read).ok());
  std::vector<std::string> found;
  for (const SettingsProblem& each : read.problems()) {
    found.push_back(std::to_string(each.place.line) + ":" + std::to_string(each.place.column) +
                    " " + each.path + ": " +
                    each.message.substr(0, each.message.find(" is not one")));
  }
  EXPECT_EQ(
      found,
      (std::vector<std::string>{
          "2:4 /FullLoadSettings/MaxFullLoadSubTask: unknown key; MaxFullLoadSubTasks was "
          "probably meant",
          "3:4 /FullLoadSettings/BatchApplyEnabled: unknown key; it belongs into "
          "TargetMetadata",
          "3:31 /FullLoadSettings/commitrate: unknown key; CommitRate was probably meant",
          "4:2 /ErrorBehaviour: unknown section; ErrorBehavior was probably meant",
          "6:2 /Nothing like it: unknown section", "4:55 /Logging/LogComponents/0/Id: 'SORTR'",
          "5:4 /Logging/LogComponents/0/Severity: 'LOUD'"}));
}

TEST(SettingsDocument, RefusesAResyncThatIsTooShort) {
  for (const char* value : {"0", "5", "14400"}) {
    EXPECT_TRUE(
        TaskSettings::parse(R"({"ResyncSettings": {"MaxResyncTime": )" + std::string(value) + "}}")
            .ok());
  }
  for (const char* value : {"1", "4"}) {
    const auto settings =
        TaskSettings::parse(R"({"ResyncSettings": {"MaxResyncTime": )" + std::string(value) + "}}");
    ASSERT_FALSE(settings.ok());
    EXPECT_NE(settings.error().message.find("/ResyncSettings/MaxResyncTime: " + std::string(value) +
                                            " is not 0 or a whole number"),
              std::string::npos);
  }
}

TEST(SettingsDocument, RefusesWhatIsThereTwice) {
  const auto document =
      SettingsDocument::read(R"({"FullLoadSettings": {"CommitRate": 1, "CommitRate": 2}})");
  ASSERT_TRUE(document.ok());
  ASSERT_EQ(document->problems().size(), 1U);
  EXPECT_EQ(document->problems()[0].path, "/FullLoadSettings/CommitRate");
}

TEST(TaskSettings, ReadsHowMuchEachPartWrites) {
  const auto settings = TaskSettings::parse(R"({"Logging": {"LogComponents": [
      {"Id": "SORTER", "Severity": "LOGGER_SEVERITY_DETAILED_DEBUG"},
      {"Id": "TARGET_LOAD", "Severity": "LOGGER_SEVERITY_ERROR"},
      {"Id": "REST_SERVER", "Severity": "LOGGER_SEVERITY_DEBUG"},
      {"Id": "COMMON", "Severity": "LOGGER_SEVERITY_DEFAULT"}]}})");
  ASSERT_TRUE(settings.ok()) << settings.error().to_paragraph();
  EXPECT_EQ(settings->log_levels, (LogLevels{{Component::kSorter, Severity::kTrace},
                                             {Component::kTargetLoad, Severity::kError}}));
  EXPECT_EQ(settings->without_effect,
            std::vector<std::string>{"/Logging/LogComponents/2: no part of Wherry is REST_SERVER"});
}

}  // namespace
}  // namespace wherry::control
