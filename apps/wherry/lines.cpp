// One line when a table begins and when it ends; for logs and pipes.
#include <fmt/format.h>

#include <map>

#include "change_text.h"
#include "summary.h"
#include "text.h"
#include "watching_display.h"

namespace wherry::app {
namespace {

class Lines final : public WatchingDisplay {
 public:
  ~Lines() override { stop_watching(); }

  void on_phase(const std::string& phase) override { print(phase + "\n"); }

  void on_interruption(const std::optional<engine::Interruption>& interruption) override {
    print((interruption ? reconnecting_text(*interruption) : std::string("reconnected")) + "\n");
  }

  void finish(const RunEnd& end) override {
    stop_watching();
    draw();
    if (load_ != nullptr) print(load_summary(*load_, end.load));
    if (changes_ != nullptr) print(changes_summary(*changes_));
    if (validation_ != nullptr) print(validation_summary(*validation_, end.validation));
  }

 private:
  void draw() override {
    if (load_ != nullptr) draw_load();
    if (changes_ != nullptr) draw_changes();
    if (validation_ != nullptr) draw_validation();
  }

  void draw_load() {
    for (const engine::TableProgress& table : load_->tables()) {
      const engine::TableState state = table.state;
      auto& shown = loads_[&table];
      if (state == shown) continue;
      shown = state;
      std::string line = printable(schema::to_text(table.plan->source)) + ": " +
                         std::string(engine::name_of(state));
      if (state != engine::TableState::kFullLoad) {
        line += fmt::format(", {} rows, {}, {}", count_text(table.rows), bytes_text(table.bytes),
                            duration_text(std::chrono::duration<double>(table.elapsed()).count()));
      }
      print(line + "\n");
    }
    tell_interruptions();
    constexpr double kTotalsEvery = 30.0;
    if (changes_ != nullptr || seconds() - told_totals_ < kTotalsEvery) return;
    told_totals_ = seconds();
    print(totals_text(*load_, told_totals_) + "\n");
  }

  void draw_changes() {
    constexpr double kChangesEvery = 10.0;
    if (seconds() - told_changes_ < kChangesEvery) return;
    told_changes_ = seconds();
    print(changes_text(*changes_, limiting_.next(changes_->apply)) + "\n");
  }

  void tell_interruptions() {
    const auto now = load_->interruptions();
    for (const auto& [worker, interruption] : now) {
      auto& shown = interruptions_[worker];
      if (shown == interruption.next_try) continue;
      shown = interruption.next_try;
      print(reconnecting_text(interruption) + "\n");
    }
    const auto well_again = std::erase_if(
        interruptions_, [&](const auto& entry) { return !now.contains(entry.first); });
    if (well_again != 0) print("reconnected\n");
  }

  void draw_validation() {
    for (const engine::TableValidation& table : validation_->tables()) {
      const engine::ValidationState state = table.state;
      auto& shown = validations_[&table];
      if (state == shown) continue;
      shown = state;
      print(fmt::format("{}: {}, {} rows compared, {} differences\n",
                        printable(schema::to_text(table.plan->source)), engine::name_of(state),
                        count_text(table.source_rows), count_text(table.differences)));
    }
  }

  std::map<const engine::TableProgress*, engine::TableState> loads_;
  std::map<std::uint32_t, std::chrono::steady_clock::time_point> interruptions_;
  double told_totals_ = 0;
  double told_changes_ = 0;
  LimitingStage limiting_;
  std::map<const engine::TableValidation*, engine::ValidationState> validations_;
};

}  // namespace

std::unique_ptr<Display> make_lines() {
  return std::make_unique<Lines>();
}

}  // namespace wherry::app
