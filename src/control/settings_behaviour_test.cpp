// Every key of the catalogue does something when its value changes, or says why not. A key that is
// in none of the tables fails.
#include <fstream>
#include <set>

#include "control/settings_bench.h"
#include "control/settings_samples.h"

namespace wherry::control {
namespace {

using Json = SettingsDocument::Json;

/// Keys for which each value but one is refused: what is refused, in SettingsCatalogue's tests.
const std::set<std::string_view> kRefused = {
    "/PostProcessingRules", "/ErrorBehavior/TableErrorEscalationPolicy",
    "/ValidationSettings/ValidationOnly", "/LoopbackPreventionSettings/EnableLoopbackPrevention"};

SettingCases all_cases() {
  SettingCases out;
  for (const auto& cases : {load_setting_cases(), error_setting_cases(), change_setting_cases(),
                            apply_setting_cases()}) {
    out.insert(out.end(), cases.begin(), cases.end());
  }
  return out;
}

std::string document_of(const SettingCase& of, const std::string& value) {
  Json document = Json::parse(of.company);
  document[Json::json_pointer(of.path)] = Json::parse(value);
  return document.dump();
}

class SettingBehaviour : public ::testing::TestWithParam<SettingCase> {};

TEST_P(SettingBehaviour, DependsOnTheValue) {
  const SettingCase& of = GetParam();
  std::set<std::string> seen;
  for (const SeenValue& value : of.values) {
    SettingsBench bench(document_of(of, value.value));
    EXPECT_EQ(of.observe(bench), value.seen) << of.path << " " << value.value;
    seen.insert(value.seen);
  }
  EXPECT_GE(seen.size(), 2U) << of.path;
}

std::string test_name(const ::testing::TestParamInfo<SettingCase>& info) {
  std::string name = info.param.path.substr(1);
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Keys, SettingBehaviour, ::testing::ValuesIn(all_cases()), test_name);

std::string text_of(const std::string& file_of_the_repository) {
  std::ifstream file(WHERRY_SOURCE_DIR + file_of_the_repository);
  EXPECT_TRUE(file.good()) << file_of_the_repository;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The keys of the table of tests/integration/test_settings.py, which runs the whole program for
/// them with two values each, and fails when nothing differs.
std::set<std::string> keys_of_whole_program() {
  const std::string text = text_of("/tests/integration/test_settings.py");
  const std::regex pattern("\n    Case\\(\"(/[A-Za-z/]+)\"");
  std::set<std::string> out;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern);
       at != std::sregex_iterator(); ++at) {
    out.insert(at->str(1));
  }
  return out;
}

TEST(SettingsCatalogue, EveryKeyIsInOneTableOfWhatItDoes) {
  std::set<std::string> known = keys_of_whole_program();
  EXPECT_FALSE(known.empty());
  for (const SettingCase& each : all_cases()) {
    EXPECT_TRUE(known.insert(each.path).second) << each.path << " is there twice";
  }
  for (const Setting& setting : settings_catalogue()) {
    const bool is_excused = !setting.no_effect.empty() || kRefused.contains(setting.path);
    EXPECT_NE(known.erase(std::string(setting.path)) != 0, is_excused)
        << setting.path << " is neither in a table of cases nor without effect, or both";
  }
  EXPECT_TRUE(known.empty()) << *known.begin() << " is no key";
}

TEST(SettingsCatalogue, TheReferenceNamesEveryKey) {
  const std::string text = text_of("/docs/reference/task-settings.md");
  for (const Setting& setting : settings_catalogue()) {
    const std::string key(setting.path.substr(setting.path.rfind('/') + 1));
    EXPECT_NE(text.find("`" + key + "`"), std::string::npos) << setting.path;
  }
}

TEST(SettingsCatalogue, WhatHasNoEffectIsInThePlanAndTheLog) {
  Json document = Json::object();
  std::vector<std::string> told;
  for (const Setting& setting : settings_catalogue()) {
    const Json value = samples::another_value(setting);
    if (setting.no_effect.empty() || value.is_null()) continue;
    samples::put(document, setting.path, value);
    told.push_back(fmt::format("{}: {}", setting.path, setting.no_effect));
  }
  // What concerns changes, in a task that has none.
  samples::put(document, "/ChangeProcessingTuning/CommitTimeout", 7);
  told.emplace_back("/ChangeProcessingTuning/CommitTimeout: the task has no changes to apply");
  ASSERT_GT(told.size(), 50U);
  SettingsBench bench(document.dump());
  const std::string plan = bench.plan();
  ASSERT_TRUE(bench.start_load()->end().ok());
  for (const std::string& line : told) {
    EXPECT_NE(plan.find("note: no effect: " + line + "\n"), std::string::npos) << line << plan;
    EXPECT_EQ(bench.heard.count("a task setting has no effect  (setting: " + line + ")"), 1U)
        << line;
  }
}

/// What another value than the only one would do is not done.
TEST(SettingsCatalogue, KeysWithOneValueRefuseAnother) {
  for (const std::string_view path : kRefused) {
    const Setting& setting = *find_setting(path);
    Json document;
    document[Json::json_pointer(std::string(path))] =
        setting.kind == SettingKind::kTruth ? Json(true) : Json("SUSPEND_TABLE");
    const auto settings = TaskSettings::parse(document.dump());
    ASSERT_FALSE(settings.ok()) << path;
    EXPECT_NE(settings.error().message.find(path), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace wherry::control
