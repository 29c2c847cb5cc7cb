// What shows that a key of the task settings does something: a task between two databases in memory
// under a document with that key, and what can be seen of its run. One table of cases for all keys:
// settings_behaviour_test.cpp has the rule, settings_*_behaviour_test.cpp the cases.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <vector>

#include "control/change_test_support.h"
#include "control/plan_report.h"
#include "control/request_settings.h"
#include "control/settings_document.h"

namespace wherry::control {

class SettingsBench;

/// A value of a key, as JSON, and what is seen then.
struct SeenValue {
  std::string value, seen;
};
struct SettingCase {
  std::string path;
  std::string (*observe)(SettingsBench&);
  std::vector<SeenValue> values;  ///< at least two, and not the same seen of all
  std::string company = "{}";     ///< what is sent besides
};
inline void PrintTo(const SettingCase& one, std::ostream* out) {
  *out << one.path.substr(1);
}
using SettingCases = std::vector<SettingCase>;

SettingCases load_setting_cases();
SettingCases error_setting_cases();
SettingCases change_setting_cases();
SettingCases apply_setting_cases();

/// Longer than anything takes that comes by itself; who waits for what does not come waits so long.
inline constexpr std::chrono::milliseconds kPatience{2000};

/// What a run says, from any thread.
class HeardLines {
 public:
  void add(const std::string& line) {
    std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  [[nodiscard]] std::size_t count(const std::string& part) const {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }
  /// The values of a field, in the order in which they came.
  [[nodiscard]] std::string values_of(const std::string& field) const {
    const std::regex pattern(field + ": ([^,)]*)");
    std::lock_guard lock(mutex_);
    std::string out;
    for (const std::string& line : lines_) {
      std::smatch found;
      if (std::regex_search(line, found, pattern)) out += (out.empty() ? "" : " ") + found.str(1);
    }
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// A load in a thread of its own; ends with its life at the latest.
class RunningLoad {
 public:
  /// Stops by itself at the interruption of that number.
  RunningLoad(TaskRequest request, Logger log, std::size_t stop_at)
      : observer_(stop_, stop_at), thread_([this, request = std::move(request), log] {
          OpContext context{stop_.get_token(), std::chrono::steady_clock::time_point::max(), log};
          outcome_ = run_full_load_task(context, request, observer_);
        }) {}
  ~RunningLoad() {
    stop_.request_stop();
    (void)end().ok();
  }
  Result<LoadOutcome>& end() {
    if (thread_.joinable()) thread_.join();
    return outcome_;
  }
  /// REQUIRES: it has ended, and there was a load.
  [[nodiscard]] const engine::LoadProgress& progress() const { return *observer_.progress; }

 private:
  struct Observer final : TaskObserver {
    Observer(std::stop_source& of, std::size_t at) : stop(of), stop_at(at) {}
    void on_phase(const std::string&) override {}
    void on_load(std::shared_ptr<const engine::LoadProgress> load) override {
      progress = std::move(load);
    }
    void on_validation(std::shared_ptr<const engine::ValidationProgress>) override {}
    void on_interruption(const std::optional<engine::Interruption>& interruption) override {
      if (interruption && ++interruptions == stop_at) stop.request_stop();
    }
    std::stop_source& stop;
    const std::size_t stop_at;
    std::size_t interruptions = 0;
    std::shared_ptr<const engine::LoadProgress> progress;
  };

  std::stop_source stop_;
  Observer observer_;
  Result<LoadOutcome> outcome_ =
      make_error(ErrorKind::kInternal, "test.running", "it has not ended");
  std::thread thread_;
};

class SettingsBench {
 public:
  /// The source has the tables S.A, S.B and S.C of 20 rows each, 0 to 19.
  explicit SettingsBench(const std::string& document)
      : source(connector_.create("source")), target(connector_.create("target")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "wherry-keys-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    request.source = {&connector_, memory::MemoryConnector::settings("source")};
    request.target = {&connector_, memory::MemoryConnector::settings("target")};
    request.state_directory = directory_ / "state";
    auto parsed = TaskSettings::parse(document);
    EXPECT_TRUE(parsed.ok()) << parsed.error().to_paragraph();
    if (parsed.ok()) settings = *std::move(parsed);
    settings.changes.apply.release_interval = std::chrono::milliseconds(10);
    Logger::Options options;
    options.print = [this](const std::string& line) { heard.add(line); };
    log_ = *Logger::open(options);
    for (const char* name : {"A", "B", "C"}) source.put(changed_table(name), rows(name, 20));
  }
  ~SettingsBench() { std::filesystem::remove_all(directory_); }
  SettingsBench(const SettingsBench&) = delete;
  SettingsBench& operator=(const SettingsBench&) = delete;

  static std::vector<Row> rows(const std::string& name, int count) {
    std::vector<Row> out;
    for (int id = 0; id < count; ++id) out.push_back(row_of(id, name + std::to_string(id)));
    return out;
  }
  static schema::TableDef wider_table(const std::string& name, const std::string& column,
                                      schema::TypeKind kind) {
    schema::TableDef def = changed_table(name);
    schema::ColumnDef& added = def.columns.emplace_back();
    added.name = column;
    added.type.kind = kind;
    return def;
  }
  void keep_only(const std::string& table) {
    for (const char* name : {"A", "B", "C"}) {
      if (name != table) source.drop({"S", name});
    }
  }

  /// As `wherry plan` prints it.
  std::string plan() {
    WatchedPhases nobody;
    OpContext context;
    auto report = make_plan_report(context, taken(MigrationType::kFullLoad), nobody, 0);
    return report.ok() ? to_text(*report) : report.error().to_paragraph();
  }
  std::unique_ptr<RunningLoad> start_load(std::size_t stop_at_interruption = 0) {
    return std::make_unique<RunningLoad>(taken(MigrationType::kFullLoad), log_,
                                         stop_at_interruption);
  }
  std::unique_ptr<RunningTask> start_task(Kind stop_when = Kind::kNever) {
    request.stop_when = {stop_when, {}, {}};
    return std::make_unique<RunningTask>(taken(MigrationType::kFullLoadAndCdc), log_);
  }
  /// Loads, and applies what the source has.
  Result<ChangeOutcome> catch_up() { return start_task(Kind::kCaughtUp)->end(); }
  /// A transaction at the source with one row each.
  void insert(const std::string& table, int first, int count, const std::string& text = "new") {
    for (int id = first; id < first + count; ++id) {
      commit(source, [&](memory::Transaction& work) {
        return work.insert({"S", table}, row_of(id, text));
      });
    }
  }
  static void commit(memory::Database& database,
                     const std::function<Result<void>(memory::Transaction&)>& work) {
    EXPECT_TRUE(database.transact(work).ok());
  }
  /// The text of the row; "none" when the target has no such row.
  [[nodiscard]] std::string text_on_target(std::int64_t id, const std::string& table = "A") const {
    const auto found = target.find({"S", table});
    if (found == nullptr) return "no table";
    for (const Row& row : found->rows) {
      if (row[0].i64 == id) return row[1].bytes;
    }
    return "none";
  }
  [[nodiscard]] std::size_t rows_on_target(const std::string& table = "A") const {
    const auto found = target.find({"S", table});
    return found == nullptr ? 0 : found->rows.size();
  }
  /// Whether the target gets the row within so long.
  [[nodiscard]] bool comes(std::int64_t id, std::chrono::milliseconds patience) const {
    OpContext context;
    context.deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const std::uint64_t version = target.version();
      if (text_on_target(id) != "none") return true;
      if (std::chrono::steady_clock::now() >= context.deadline) return false;
      target.wait_for_version(context, version);
    }
  }

 private:
  memory::MemoryConnector connector_;  // the databases live as long

 public:
  memory::Database& source;
  memory::Database& target;
  TaskRequest request;    ///< without the settings
  TaskSettings settings;  ///< of the document
  HeardLines heard;

 private:
  TaskRequest taken(MigrationType type) {
    TaskRequest out = request;
    out.type = type;
    take_settings(out, settings, log_);
    return out;
  }

  std::filesystem::path directory_;
  Logger log_;
};

/// How many calls come to be held at once, up to `most`.
inline std::size_t held_at_once(memory::Faults& faults, std::size_t most) {
  std::size_t count = 0;
  while (count < most && faults.wait_held(count + 1, count == 0 ? kChangeDeadline : kPatience)) {
    ++count;
  }
  return count;
}

}  // namespace wherry::control
