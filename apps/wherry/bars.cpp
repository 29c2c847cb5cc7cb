// One line a table in work, drawn in place, and a line of totals.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "change_text.h"
#include "engine/load_figures.h"
#include "summary.h"
#include "text.h"
#include "watching_display.h"

namespace wherry::app {
namespace {

constexpr std::size_t kBarColumns = 20;
constexpr std::size_t kMostNameColumns = 28;
/// Where a bar no longer has room beside name and numbers.
constexpr std::size_t kLeastBarWidth = 70;
/// " 43%     1,234,567 rows   123.4 MB" and " 100%     1,234,567 rows compared".
constexpr std::size_t kNumberColumns = 36;

std::string bar(double share) {
  const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kBarColumns);
  std::string out = "[";
  for (std::size_t i = 0; i < kBarColumns; ++i) out += i < filled ? "█" : "·";
  return out + "]";
}

std::optional<double> share_of_rows(std::uint64_t rows, std::uint64_t expected) {
  if (expected == 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(rows) / static_cast<double>(expected));
}

class Bars final : public WatchingDisplay {
 public:
  ~Bars() override { stop_watching(); }

  void on_phase(const std::string& phase) override { print(phase + " …\n"); }

  void on_interruption(const std::optional<engine::Interruption>& interruption) override {
    print((interruption ? reconnecting_text(*interruption) : std::string("reconnected")) + "\n");
  }

  void finish(const RunEnd& end) override {
    stop_watching();
    screen_.clear();
    if (load_ != nullptr) print(load_summary(*load_, end.load));
    if (changes_ != nullptr) print(changes_summary(*changes_));
    if (validation_ != nullptr) print(validation_summary(*validation_, end.validation));
  }

 private:
  void draw() override {
    if (changes_ != nullptr) return screen_.draw({changes_line()});
    screen_.draw(load_ != nullptr ? load_lines() : validation_lines());
  }

  std::string changes_line() {
    // The slowest stage of a moment would flicker.
    constexpr double kStageEvery = 2.0;
    if (stage_.empty() || seconds() - told_stage_ >= kStageEvery) {
      stage_ = limiting_.next(changes_->apply);
      told_stage_ = seconds();
    }
    return changes_text(*changes_, stage_);
  }

  /// Name, bar and percentage (unknown shares have neither), as the width allows.
  [[nodiscard]] std::string head(const schema::TablePlan& plan, std::optional<double> share) const {
    const std::size_t width = screen_.width();
    const bool has_bar = width >= kLeastBarWidth;
    const std::size_t others = kNumberColumns + (has_bar ? kBarColumns + 4 : 1);
    const std::size_t name =
        std::min(kMostNameColumns, width > others + 8 ? width - others : std::size_t{8});
    std::string out = fitted(schema::to_text(plan.source), name);
    if (has_bar) out += " " + bar(share.value_or(0.0));
    return out + (share ? fmt::format(" {:>3}%", static_cast<int>(*share * 100)) : "     ");
  }

  [[nodiscard]] std::vector<std::string> load_lines() const {
    std::vector<std::string> lines;
    for (const engine::TableProgress& table : load_->tables()) {
      if (table.state != engine::TableState::kFullLoad) continue;
      lines.push_back(
          head(*table.plan, engine::share_of(table)) +
          fmt::format(" {:>13} rows {:>10}", count_text(table.rows), bytes_text(table.bytes)));
    }
    const auto interruptions = load_->interruptions();
    if (!interruptions.empty()) lines.push_back(reconnecting_text(interruptions.begin()->second));
    lines.push_back(totals_text(*load_, std::max(seconds(), 0.001)));
    return lines;
  }

  [[nodiscard]] std::vector<std::string> validation_lines() const {
    std::vector<std::string> lines;
    std::uint64_t rows = 0;
    std::uint64_t differences = 0;
    std::size_t done = 0;
    for (const engine::TableValidation& table : validation_->tables()) {
      rows += table.source_rows;
      differences += table.differences;
      if (table.state != engine::ValidationState::kPending) {
        ++done;
      } else if (table.source_rows + table.target_rows != 0) {
        lines.push_back(
            head(*table.plan, share_of_rows(table.source_rows, table.plan->estimated_rows)) +
            fmt::format(" {:>13} rows compared", count_text(table.source_rows)));
      }
    }
    lines.push_back(fmt::format("{}/{} tables, {} rows compared, {} differences, {}", done,
                                validation_->tables().size(), count_text(rows),
                                count_text(differences), duration_text(seconds())));
    return lines;
  }

  LimitingStage limiting_;
  std::string stage_;
  double told_stage_ = 0;
};

}  // namespace

std::unique_ptr<Display> make_bars() {
  return std::make_unique<Bars>();
}

}  // namespace wherry::app
