#include "summary.h"

#include <fmt/format.h>

#include "progress.h"

namespace wherry::app {
namespace {

constexpr std::size_t kNameWidth = 32;

double seconds_of(const engine::TableProgress& table) {
  return static_cast<double>(table.elapsed_ns) * 1e-9;
}

std::string rate_text(double rows, double seconds) {
  return seconds > 0 ? count_text(static_cast<std::uint64_t>(rows / seconds)) : "-";
}

}  // namespace

std::string load_summary(const engine::LoadProgress& progress,
                         const std::vector<engine::RefusedTable>& refused) {
  std::string out = fmt::format("{} {:>14} {:>11} {:>12}  {}\n", fitted("Table", kNameWidth),
                                "Rows", "Size", "Rows/s", "State");
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const engine::TableProgress& table : progress.tables()) {
    out += fmt::format("{} {:>14} {:>11} {:>12}  {}\n",
                       fitted(schema::to_text(table.plan->source), kNameWidth),
                       count_text(table.rows), bytes_text(table.bytes),
                       rate_text(static_cast<double>(table.rows), seconds_of(table)),
                       engine::name_of(table.state));
    rows += table.rows;
    bytes += table.bytes;
  }
  for (const engine::RefusedTable& table : refused) {
    out += fmt::format("{} {:>14} {:>11} {:>12}  {}\n",
                       fitted(schema::to_text(table.table), kNameWidth), "-", "-", "-",
                       engine::name_of(engine::TableState::kTableError));
  }
  return out + fmt::format("{} {:>14} {:>11}\n", fitted("Total", kNameWidth), count_text(rows),
                           bytes_text(bytes));
}

std::string validation_summary(const std::deque<engine::TableValidation>& tables) {
  std::string out = fmt::format("{} {:>14} {:>14} {:>12}  {}\n", fitted("Table", kNameWidth),
                                "Source rows", "Target rows", "Differences", "Verdict");
  for (const engine::TableValidation& table : tables) {
    const char* verdict = table.error        ? "Table error"
                          : table.is_equal() ? "Validated"
                                             : "Mismatched records";
    out += fmt::format("{} {:>14} {:>14} {:>12}  {}\n",
                       fitted(schema::to_text(table.plan->source), kNameWidth),
                       count_text(table.source_rows), count_text(table.target_rows),
                       count_text(table.differences), verdict);
  }
  return out;
}

}  // namespace wherry::app
