#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "summary.h"

namespace wherry::app {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kRedraw{200};

/// Watches a load or a validation from a thread of its own and calls draw().
class WatchingDisplay : public Display {
 public:
  ~WatchingDisplay() override { stop_watching(); }

  void on_load(std::shared_ptr<const engine::LoadProgress> progress) override {
    load_ = std::move(progress);
    start_watching();
  }
  void on_validation(std::shared_ptr<const std::deque<engine::TableValidation>> tables) override {
    validation_ = std::move(tables);
    start_watching();
  }

 protected:
  /// Called from the watching thread while the work goes on, and once more at the end.
  virtual void draw() = 0;

  void stop_watching() {
    is_over_ = true;
    if (watcher_.joinable()) watcher_.join();
  }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }
  std::shared_ptr<const engine::LoadProgress> load_;
  std::shared_ptr<const std::deque<engine::TableValidation>> validation_;

 private:
  void start_watching() {
    start_ = Clock::now();
    watcher_ = std::thread([this] {
      std::uint64_t seen = 0;
      while (!is_over_) {
        draw();
        // A validation has no change counter: its rows are looked at in steps.
        if (load_ != nullptr) {
          seen = load_->wait_change(seen, kRedraw);
        } else {
          std::this_thread::sleep_for(kRedraw);
        }
      }
    });
  }

  std::atomic<bool> is_over_{false};
  Clock::time_point start_;
  std::thread watcher_;
};

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) return size.ws_col;
  return 80;
}

/// One line a table in work, redrawn in place, and a line of totals.
class Bars final : public WatchingDisplay {
 public:
  void on_phase(const std::string& phase) override { print(fmt::format("{} …\n", phase)); }

  void finish(const RunEnd& end) override {
    stop_watching();
    erase();
    if (load_ != nullptr && end.outcome != nullptr)
      print(load_summary(*load_, end.outcome->refused));
    if (validation_ != nullptr) print(validation_summary(*validation_));
  }

 private:
  void draw() override {
    std::string out = lines_ == 0 ? "" : fmt::format("\x1b[{}A", lines_);
    const std::vector<std::string> lines = load_ != nullptr ? load_lines() : validation_lines();
    for (const std::string& line : lines)
      out += "\x1b[2K" + fitted(line, terminal_width() - 1) + "\n";
    // Tables that have ended leave lines behind.
    for (std::size_t i = lines.size(); i < lines_; ++i) out += "\x1b[2K\n";
    if (lines.size() < lines_) out += fmt::format("\x1b[{}A", lines_ - lines.size());
    lines_ = lines.size();
    print(out);
  }

  void erase() {
    if (lines_ == 0) return;
    std::string out = fmt::format("\x1b[{}A", lines_);
    for (std::size_t i = 0; i < lines_; ++i) out += "\x1b[2K\n";
    print(out + fmt::format("\x1b[{}A", lines_));
    lines_ = 0;
  }

  static std::string bar(double share, std::size_t width) {
    const auto filled =
        static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
    std::string out = "[";
    for (std::size_t i = 0; i < width; ++i) out += i < filled ? "█" : "·";
    return out + "]";
  }

  std::vector<std::string> load_lines() const {
    std::vector<std::string> lines;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    std::size_t done = 0;
    for (const engine::TableProgress& table : load_->tables()) {
      rows += table.rows;
      bytes += table.bytes;
      const engine::TableState state = table.state;
      if (state != engine::TableState::kBeforeLoad && state != engine::TableState::kFullLoad)
        ++done;
      if (state != engine::TableState::kFullLoad) continue;
      const std::uint64_t expected = table.plan->estimated_rows;
      const double share =
          expected == 0 ? 0 : static_cast<double>(table.rows) / static_cast<double>(expected);
      lines.push_back(fmt::format("{} {} {:>13} rows {:>10}",
                                  fitted(schema::to_text(table.plan->source), 28), bar(share, 20),
                                  count_text(table.rows), bytes_text(table.bytes)));
    }
    const double elapsed = std::max(seconds(), 0.001);
    lines.push_back(
        fmt::format("{}/{} tables, {} rows, {}, {} rows/s, {}/s, {}", done, load_->tables().size(),
                    count_text(rows), bytes_text(bytes),
                    count_text(static_cast<std::uint64_t>(static_cast<double>(rows) / elapsed)),
                    bytes_text(static_cast<std::uint64_t>(static_cast<double>(bytes) / elapsed)),
                    duration_text(elapsed)));
    return lines;
  }

  std::vector<std::string> validation_lines() const {
    std::uint64_t rows = 0;
    std::uint64_t differences = 0;
    std::size_t done = 0;
    for (const engine::TableValidation& table : *validation_) {
      rows += table.source_rows;
      differences += table.differences;
      done += table.is_done ? 1 : 0;
    }
    return {fmt::format("{} {}/{} tables, {} rows compared, {} differences, {}",
                        bar(static_cast<double>(done) /
                                static_cast<double>(std::max<std::size_t>(validation_->size(), 1)),
                            20),
                        done, validation_->size(), count_text(rows), count_text(differences),
                        duration_text(seconds()))};
  }

  std::size_t lines_ = 0;
};

/// One line when a table begins and when it ends; for logs and pipes.
class Lines final : public WatchingDisplay {
 public:
  void on_phase(const std::string& phase) override { print(phase + "\n"); }

  void finish(const RunEnd& end) override {
    stop_watching();
    draw();
    if (load_ != nullptr && end.outcome != nullptr)
      print(load_summary(*load_, end.outcome->refused));
    if (validation_ != nullptr) print(validation_summary(*validation_));
  }

 private:
  void draw() override {
    if (load_ == nullptr) return;
    for (const engine::TableProgress& table : load_->tables()) {
      const engine::TableState state = table.state;
      auto& shown = shown_[&table];
      if (state == shown) continue;
      shown = state;
      std::string line =
          fmt::format("{}: {}", schema::to_text(table.plan->source), engine::name_of(state));
      if (state != engine::TableState::kFullLoad) {
        line += fmt::format(", {} rows, {}, {}", count_text(table.rows), bytes_text(table.bytes),
                            duration_text(static_cast<double>(table.elapsed_ns) * 1e-9));
      }
      print(line + "\n");
    }
  }

  std::map<const engine::TableProgress*, engine::TableState> shown_;
};

/// One JSON object a line; the fields are documented in docs/reference/progress-json.md.
class JsonLines final : public WatchingDisplay {
 public:
  void on_phase(const std::string& phase) override { emit({{"event", "state"}, {"phase", phase}}); }

  void finish(const RunEnd& end) override {
    stop_watching();
    draw();
    Json last = {{"event", "end"}, {"status", end.status}, {"stop_reason", end.stop_reason}};
    if (end.outcome != nullptr) last["position"] = end.outcome->position.text;
    if (end.error != nullptr) last["error"] = error_json(*end.error);
    Json tables = Json::array();
    if (load_ != nullptr) {
      for (const engine::TableProgress& table : load_->tables())
        tables.push_back(table_json(table));
    }
    if (end.outcome != nullptr) {
      for (const engine::RefusedTable& table : end.outcome->refused) {
        tables.push_back({{"schema", table.table.schema},
                          {"table", table.table.name},
                          {"state", engine::name_of(engine::TableState::kTableError)},
                          {"error", error_json(table.error)}});
      }
    }
    if (validation_ != nullptr) {
      for (const engine::TableValidation& table : *validation_)
        tables.push_back(validation_json(table));
    }
    last["tables"] = std::move(tables);
    emit(last);
  }

 private:
  /// A name from a database may hold bytes that are no UTF-8: replaced, never thrown about.
  static void emit(const Json& json) {
    print(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  static Json error_json(const Error& error) {
    return {{"code", error.code},
            {"kind", name_of(error.kind)},
            {"message", error.to_paragraph()},
            {"native_code", error.native_code}};
  }

  static Json table_json(const engine::TableProgress& table) {
    const engine::TableState state = table.state;
    Json json = {{"schema", table.plan->source.schema},
                 {"table", table.plan->source.name},
                 {"target_schema", table.plan->target.schema},
                 {"target_table", table.plan->target.name},
                 {"state", engine::name_of(state)},
                 {"rows", table.rows.load()},
                 {"bytes", table.bytes.load()},
                 {"estimated_rows", table.plan->estimated_rows},
                 {"elapsed_seconds", static_cast<double>(table.elapsed_ns) * 1e-9},
                 {"wait_input_seconds", static_cast<double>(table.wait_input_ns) * 1e-9},
                 {"wait_output_seconds", static_cast<double>(table.wait_output_ns) * 1e-9}};
    if (state == engine::TableState::kTableError && table.error)
      json["error"] = error_json(*table.error);
    return json;
  }

  static Json validation_json(const engine::TableValidation& table) {
    Json json = {{"schema", table.plan->source.schema},
                 {"table", table.plan->source.name},
                 {"state", table.error        ? "Table error"
                           : table.is_equal() ? "Validated"
                                              : "Mismatched records"},
                 {"source_rows", table.source_rows.load()},
                 {"target_rows", table.target_rows.load()},
                 {"differences", table.differences.load()}};
    if (table.is_done && table.error) json["error"] = error_json(*table.error);
    return json;
  }

  /// A table is told when its state or its rows have changed.
  void draw() override {
    if (load_ == nullptr) return;
    for (const engine::TableProgress& table : load_->tables()) {
      const Shown now{table.state, table.rows};
      Shown& shown = shown_[&table];
      if (now.state == shown.state && now.rows == shown.rows) continue;
      shown = now;
      Json json = {{"event", "table"}};
      json.update(table_json(table));
      emit(json);
    }
  }

  struct Shown {
    engine::TableState state = engine::TableState::kBeforeLoad;
    std::uint64_t rows = 0;
  };
  std::map<const engine::TableProgress*, Shown> shown_;
};

class Silence final : public Display {
 public:
  void on_phase(const std::string&) override {}
  void on_load(std::shared_ptr<const engine::LoadProgress>) override {}
  void on_validation(std::shared_ptr<const std::deque<engine::TableValidation>>) override {}
  void finish(const RunEnd&) override {}
};

}  // namespace

std::unique_ptr<Display> make_display(const std::string& mode) {
  if (mode == "json") return std::make_unique<JsonLines>();
  if (mode == "none") return std::make_unique<Silence>();
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (mode == "bars" || (mode == "auto" && terminal)) return std::make_unique<Bars>();
  return std::make_unique<Lines>();
}

}  // namespace wherry::app
