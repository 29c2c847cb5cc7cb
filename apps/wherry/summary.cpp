#include "summary.h"

#include <fmt/format.h>

#include <chrono>

#include "engine/load_figures.h"
#include "text.h"

namespace wherry::app {
namespace {

constexpr std::size_t kNameColumns = 32;

std::string load_line(std::string_view table, std::string_view rows, std::string_view size,
                      std::string_view rate, std::string_view state) {
  return fmt::format("{} {:>14} {:>11} {:>12}  {}\n", fitted(table, kNameColumns), rows, size, rate,
                     state);
}

std::string rate_text(std::uint64_t rows, std::chrono::nanoseconds elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (seconds <= 0) return "-";
  return count_text(static_cast<std::uint64_t>(static_cast<double>(rows) / seconds));
}

std::string validation_line(std::string_view table, std::string_view source_rows,
                            std::string_view target_rows, std::string_view differences,
                            std::string_view verdict) {
  return fmt::format("{} {:>14} {:>14} {:>12}  {}\n", fitted(table, kNameColumns), source_rows,
                     target_rows, differences, verdict);
}

}  // namespace

std::string load_summary(const engine::LoadProgress& progress,
                         const control::LoadOutcome* outcome) {
  std::string out = load_line("Table", "Rows", "Size", "Rows/s", "State");
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const engine::TableProgress& table : progress.tables()) {
    std::string state(engine::name_of(table.state));
    if (table.refused_rows != 0) {
      state += fmt::format(", {} rows left out", count_text(table.refused_rows));
    }
    out += load_line(schema::to_text(table.plan->source), count_text(table.rows),
                     bytes_text(table.bytes), rate_text(table.rows, table.elapsed()), state);
    rows += table.rows;
    bytes += table.bytes;
  }
  if (outcome != nullptr) {
    for (const engine::RefusedTable& table : outcome->refused) {
      out += load_line(schema::to_text(table.table), "-", "-", "-",
                       engine::name_of(engine::TableState::kTableError));
    }
    for (const control::FinishedTable& table : outcome->finished_before) {
      std::string state = "Table completed by an earlier run";
      if (table.counts.refused_rows != 0) {
        state += fmt::format(", {} rows left out", count_text(table.counts.refused_rows));
      }
      out +=
          load_line(schema::to_text(table.source), count_text(table.counts.rows), "-", "-", state);
    }
  }
  return out + fmt::format("{} {:>14} {:>11}\n", fitted("Total", kNameColumns), count_text(rows),
                           bytes_text(bytes));
}

std::string totals_text(const engine::LoadProgress& progress, double elapsed_seconds) {
  const engine::LoadFigures figures =
      engine::figures_of(progress, std::chrono::duration<double>(elapsed_seconds));
  const double rate =
      elapsed_seconds > 0 ? static_cast<double>(figures.rows_now) / elapsed_seconds : 0.0;
  std::string out =
      fmt::format("{}/{} tables, {} rows, {}, {} rows/s, {}, {}%", figures.tables_done,
                  figures.tables, count_text(figures.rows), bytes_text(figures.bytes),
                  count_text(static_cast<std::uint64_t>(rate)), duration_text(elapsed_seconds),
                  static_cast<int>(figures.share * 100));
  if (figures.remaining_seconds) out += ", " + duration_text(*figures.remaining_seconds) + " left";
  if (!figures.slowest.empty()) out += fmt::format(", slowest: {}", figures.slowest);
  return out;
}

std::string reconnecting_text(const engine::Interruption& interruption) {
  const std::chrono::duration<double> wait =
      interruption.next_try - std::chrono::steady_clock::now();
  return fmt::format("reconnecting to the {} in {} (try {}): {}", interruption.side,
                     duration_text(wait.count()), interruption.tries,
                     printable(interruption.cause));
}

std::string validation_summary(const engine::ValidationProgress& progress,
                               const control::ValidationOutcome* outcome) {
  std::string out =
      validation_line("Table", "Source rows", "Target rows", "Differences", "Verdict");
  for (const engine::TableValidation& table : progress.tables()) {
    out += validation_line(schema::to_text(table.plan->source), count_text(table.source_rows),
                           count_text(table.target_rows), count_text(table.differences),
                           engine::name_of(table.state));
  }
  if (outcome != nullptr) {
    for (const engine::RefusedTable& table : outcome->refused) {
      out += validation_line(schema::to_text(table.table), "-", "-", "-",
                             engine::name_of(engine::ValidationState::kTableError));
    }
    for (const schema::TableRef& view : outcome->views) {
      out += validation_line(schema::to_text(view), "-", "-", "-", "Not compared: a view");
    }
  }
  return out;
}

}  // namespace wherry::app
