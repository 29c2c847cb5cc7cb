// The parts of a task-settings document that concern ongoing replication, for task_settings.cpp.
#pragma once

#include <string>
#include <vector>

#include "control/settings_reader.h"
#include "control/task_settings.h"

namespace wherry::control {

using SettingsJson = nlohmann::json;

/// ChangeProcessingTuning. `not_applicable`: as in TaskSettings.
void read_tuning(SettingsReader& reader, const SettingsJson& section, ChangeProcessing& out,
                 std::vector<std::string>& not_applicable);
/// ChangeProcessingDdlHandlingPolicy.
void read_ddl_policy(SettingsReader& reader, const SettingsJson& section, ChangeProcessing& out);
/// Keys of ErrorBehavior and of TargetMetadata; false: `key` is none of them.
bool read_apply_error(SettingsReader& reader, const std::string& key, const SettingsJson& value,
                      const std::string& path, ChangeProcessing& out);
bool read_target_change_key(SettingsReader& reader, const std::string& key,
                            const SettingsJson& value, const std::string& path,
                            ChangeProcessing& out);

}  // namespace wherry::control
