// What is said of a task that captures and applies changes: for people, and as JSON.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "control/change_progress.h"

namespace wherry::app {

/// Tells which stage held the others up since it was asked last.
class LimitingStage {
 public:
  std::string_view next(const engine::ApplyProgress& progress);

 private:
  engine::StageTimes seen_;
};

/// "1,234 changes applied, 56 waiting, source latency 0.2s, target latency 0.5s, slowest: apply".
std::string changes_text(const control::ChangeProgress& progress, std::string_view limiting_stage);
/// The fields of event "cdc", without its name (docs/reference/progress-json.md).
nlohmann::ordered_json changes_json(const control::ChangeProgress& progress,
                                    std::string_view limiting_stage);
/// captured, applied, conflicts of one table.
nlohmann::ordered_json table_changes_json(const engine::TableApplyProgress& table);
/// One line a table: what was applied to it.
std::string changes_summary(const control::ChangeProgress& progress);

}  // namespace wherry::app
