#include "control/change_statistics.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/durable_file.h"

namespace wherry::control {
namespace {

using engine::ChangeNumbers;
using engine::TableApplyCounts;
using StatisticsJson = nlohmann::ordered_json;

constexpr std::chrono::seconds kSaveInterval{1};
/// Saving takes no larger part of the time than one in so many.
constexpr int kLeastPause = 20;

StatisticsJson json_of(const ChangeNumbers& numbers) {
  return {numbers.inserts, numbers.updates, numbers.deletes, numbers.ddls};
}

ChangeNumbers numbers_of(const StatisticsJson& json) {
  const auto all = json.get<std::array<std::uint64_t, 4>>();
  return {all[0], all[1], all[2], all[3]};
}

/// A name from a database may hold bytes that are no UTF-8.
std::string text_of(const StatisticsJson& json) {
  return json.dump(-1, ' ', false, StatisticsJson::error_handler_t::replace) + "\n";
}

}  // namespace

ChangeStatistics::ChangeStatistics(const TaskState& state, engine::ApplyProgress& progress,
                                   Logger log)
    : file_(state.directory() / "statistics.json"),
      generation_(state.generation()),
      progress_(progress),
      log_(std::move(log)),
      next_save_(std::chrono::steady_clock::now() + kSaveInterval) {
  restore();
}

ChangeStatistics::~ChangeStatistics() {
  save();
}

void ChangeStatistics::restore() {
  std::ifstream file(file_);
  if (!file) return;
  try {
    const StatisticsJson json = StatisticsJson::parse(file);
    // Of a start that another one has replaced.
    if (json.at("generation") != generation_) return;
    for (const StatisticsJson& table : json.at("tables")) {
      const schema::TableRef name{table.at("schema").get<std::string>(),
                                  table.at("table").get<std::string>()};
      saved_[name] = {numbers_of(table.at("captured")), numbers_of(table.at("applied")),
                      table.at("conflicts").get<std::uint64_t>(),
                      table.at("data_errors").get<std::uint64_t>()};
    }
  } catch (const StatisticsJson::exception& problem) {
    saved_.clear();
    log_.warn("the numbers of earlier runs cannot be read: counting begins anew",
              {{"file", file_.string()}, {"cause", problem.what()}});
  }
  for (const auto& [name, counts] : saved_) progress_.table(name).add_counts(counts);
}

ChangeStatistics::Counts ChangeStatistics::counts() const {
  Counts out;
  for (const engine::TableApplyProgress* table : progress_.tables()) {
    TableApplyCounts counts = table->counts();
    if (counts != TableApplyCounts()) out[table->source] = counts;
  }
  return out;
}

void ChangeStatistics::save_now_and_then() {
  if (std::chrono::steady_clock::now() >= next_save_) save();
}

void ChangeStatistics::save() {
  const auto begun = std::chrono::steady_clock::now();
  Counts now = counts();
  if (now != saved_) {
    StatisticsJson tables = StatisticsJson::array();
    for (const auto& [name, counts] : now) {
      tables.push_back({{"schema", name.schema},
                        {"table", name.name},
                        {"captured", json_of(counts.captured)},
                        {"applied", json_of(counts.applied)},
                        {"conflicts", counts.conflicts},
                        {"data_errors", counts.data_errors}});
    }
    const auto written =
        replace_file(file_, text_of({{"generation", generation_}, {"tables", std::move(tables)}}));
    if (written.ok()) saved_ = std::move(now);
    if (!written.ok() && !has_failed_) {
      log_.warn("the numbers of changes cannot be kept",
                {{"cause", written.error().to_log_text()}});
    }
    has_failed_ = !written.ok();
  }
  const auto end = std::chrono::steady_clock::now();
  next_save_ = end + std::max<std::chrono::steady_clock::duration>(kSaveInterval,
                                                                   (end - begun) * kLeastPause);
}

}  // namespace wherry::control
