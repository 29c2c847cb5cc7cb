// A display that is drawn when something has changed, and a few times a second for the counters.
#pragma once

#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "display.h"
#include "screen.h"

namespace wherry::app {

class WatchingDisplay : public Display {
 public:
  void on_load(std::shared_ptr<const engine::LoadProgress> progress) override {
    load_ = std::move(progress);
    watch(load_->changes());
  }
  void on_changes(std::shared_ptr<const control::ChangeProgress> progress) override {
    stop_watching();
    changes_ = std::move(progress);
    watch(changes_->apply.changes());
  }
  void on_validation(std::shared_ptr<const engine::ValidationProgress> progress) override {
    validation_ = std::move(progress);
    watch(validation_->changes());
  }
  void on_difference(const engine::Difference& difference) override {
    screen_.print(STDOUT_FILENO, difference_text(difference) + "\n");
  }
  void log_line(const std::string& line) override { screen_.print(STDERR_FILENO, line); }

 protected:
  /// Called from the watching thread while the work goes on, and by finish() once more.
  virtual void draw() = 0;

  void stop_watching() { watcher_ = {}; }
  void print(const std::string& text) { screen_.print(STDOUT_FILENO, text); }
  /// Since the work began.
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  std::shared_ptr<const engine::LoadProgress> load_;
  std::shared_ptr<const control::ChangeProgress> changes_;
  std::shared_ptr<const engine::ValidationProgress> validation_;
  Screen screen_;

 private:
  static constexpr std::chrono::milliseconds kRedraw{200};

  void watch(const engine::ChangeSignal& changes) {
    start_ = std::chrono::steady_clock::now();
    watcher_ = std::jthread([this, &changes](const std::stop_token& stop) {
      std::uint64_t seen = 0;
      while (!stop.stop_requested()) {
        draw();
        seen = changes.wait(seen, kRedraw, stop);
      }
    });
  }

  std::chrono::steady_clock::time_point start_;
  std::jthread watcher_;
};

std::unique_ptr<Display> make_bars();
std::unique_ptr<Display> make_lines();
std::unique_ptr<Display> make_json_lines();

}  // namespace wherry::app
