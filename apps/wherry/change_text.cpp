#include "change_text.h"

#include <fmt/format.h>

#include "text.h"

namespace wherry::app {
namespace {

using ChangesJson = nlohmann::ordered_json;

constexpr std::size_t kTableColumns = 32;

double seconds_of(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

ChangesJson counts_json(const control::ChangeTotals& totals) {
  return {{"inserts", totals.inserts},
          {"updates", totals.updates},
          {"deletes", totals.deletes},
          {"ddls", totals.ddls}};
}

ChangesJson stages_json(const engine::StageTimes& times) {
  ChangesJson out;
  for (std::size_t i = 0; i < engine::kApplyStageCount; ++i) {
    const auto stage = static_cast<engine::ApplyStage>(i);
    out[std::string(engine::name_of(stage))] =
        std::chrono::duration<double>(times.of(stage)).count();
  }
  return out;
}

/// Where the time of the run has gone.
std::string stages_text(const engine::StageTimes& times) {
  std::string out = "Seconds by stage:";
  for (std::size_t i = 0; i < engine::kApplyStageCount; ++i) {
    const auto stage = static_cast<engine::ApplyStage>(i);
    out += fmt::format("{} {} {:.1f}", i == 0 ? "" : ",", engine::name_of(stage),
                       std::chrono::duration<double>(times.of(stage)).count());
  }
  return out + fmt::format("; slowest: {}\n",
                           engine::name_of(engine::ApplyProgress::limiting_stage(times)));
}

std::string summary_line(std::string_view table, std::string_view inserts, std::string_view updates,
                         std::string_view deletes, std::string_view ddls, std::string_view state) {
  return fmt::format("{} {:>12} {:>12} {:>12} {:>6}  {}\n", fitted(table, kTableColumns), inserts,
                     updates, deletes, ddls, state);
}

ChangesJson open_json(const std::vector<connect::OpenTransaction>& open,
                      std::chrono::system_clock::time_point now) {
  ChangesJson out = ChangesJson::array();
  for (const connect::OpenTransaction& each : open) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - each.begun);
    out.push_back({{"transaction", each.id},
                   {"session", each.session},
                   {"open_seconds", std::max<std::int64_t>(age.count(), 0)},
                   {"changes", each.changes}});
  }
  return out;
}

/// Of the oldest, once it is older than most are.
std::string open_text(const engine::FeedStatus& feed, std::chrono::system_clock::time_point now) {
  constexpr std::chrono::minutes kLong{10};
  if (!feed.head || feed.head->open.empty()) return {};
  const connect::OpenTransaction& oldest = feed.head->open.front();
  if (now - oldest.begun < kLong) return {};
  return fmt::format(", transaction {}{} open for {} min", oldest.id,
                     oldest.session.empty() ? "" : " (" + oldest.session + ")",
                     std::chrono::duration_cast<std::chrono::minutes>(now - oldest.begun).count());
}

}  // namespace

std::string_view LimitingStage::next(const engine::ApplyProgress& progress) {
  const engine::StageTimes now = progress.times();
  const auto stage = engine::ApplyProgress::limiting_stage(now - seen_);
  seen_ = now;
  return engine::name_of(stage);
}

std::string changes_text(const control::ChangeProgress& progress, std::string_view limiting_stage) {
  const auto now = std::chrono::system_clock::now();
  const engine::FeedStatus feed = progress.feed();
  std::string out = fmt::format(
      "{} changes applied, {} waiting, source latency {:.1f}s, target latency {:.1f}s",
      count_text(progress.applied().all()), count_text(progress.apply.pending_changes()),
      seconds_of(progress.apply.source_latency(now)),
      seconds_of(progress.apply.target_latency(now)));
  if (feed.is_reading_disk) out += ", on disk " + bytes_text(feed.disk_bytes);
  if (feed.is_paused) out += ", reading paused: the disk is full";
  if (feed.log_lost_in && *feed.log_lost_in < std::chrono::hours(1)) {
    out +=
        fmt::format(", the source's log is lost in {} s at this pace", feed.log_lost_in->count());
  }
  return out + open_text(feed, now) + fmt::format(", slowest: {}", limiting_stage);
}

ChangesJson changes_json(const control::ChangeProgress& progress, std::string_view limiting_stage) {
  const auto now = std::chrono::system_clock::now();
  const engine::FeedStatus feed = progress.feed();
  ChangesJson json = {{"captured", counts_json(progress.captured())},
                      {"applied", counts_json(progress.applied())},
                      {"source_latency_seconds", seconds_of(progress.apply.source_latency(now))},
                      {"target_latency_seconds", seconds_of(progress.apply.target_latency(now))},
                      {"position", progress.position().text},
                      {"read_position", feed.read_to.position.text},
                      {"limiting_stage", limiting_stage},
                      {"stage_seconds", stages_json(progress.apply.times())},
                      {"pending_changes", progress.apply.pending_changes()},
                      {"transactions", progress.apply.transactions()},
                      {"commits", progress.apply.commits()},
                      {"memory_bytes", feed.memory_bytes},
                      {"disk_bytes", feed.disk_bytes},
                      {"is_paused", feed.is_paused}};
  if (feed.head) {
    json["source_position"] = feed.head->position.text;
    if (feed.head->kept_bytes) json["source_kept_bytes"] = *feed.head->kept_bytes;
    if (feed.head->bytes_until_lost) {
      json["source_bytes_until_lost"] = *feed.head->bytes_until_lost;
    }
    if (!feed.head->open.empty()) json["open_transactions"] = open_json(feed.head->open, now);
  }
  if (feed.log_lost_in) json["source_log_lost_in_seconds"] = feed.log_lost_in->count();
  return json;
}

ChangesJson table_changes_json(const engine::TableApplyProgress& table) {
  return {{"captured", counts_json(table.captured.now())},
          {"applied", counts_json(table.applied.now())},
          {"conflicts", table.conflicts.load()},
          {"data_errors", table.data_errors.load()},
          {"is_suspended", table.is_suspended.load()}};
}

std::string changes_summary(const control::ChangeProgress& progress) {
  std::string out = summary_line("Table", "Inserts", "Updates", "Deletes", "DDLs", "State");
  for (const engine::TableApplyProgress* table : progress.apply.tables()) {
    const control::ChangeTotals totals = table->applied.now();
    std::string state = table->is_suspended ? "Table error" : "";
    if (table->conflicts != 0) {
      state +=
          fmt::format("{}{} conflicts", state.empty() ? "" : ", ", count_text(table->conflicts));
    }
    out += summary_line(schema::to_text(table->source), count_text(totals.inserts),
                        count_text(totals.updates), count_text(totals.deletes),
                        count_text(totals.ddls), state);
  }
  return out + stages_text(progress.apply.times());
}

}  // namespace wherry::app
