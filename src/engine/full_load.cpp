#include "engine/full_load.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "engine/guarded.h"
#include "engine/segment.h"

namespace wherry::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// Sleeps unless stop is requested; false then.
bool wait_for(std::chrono::milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
  return !stop.stop_requested();
}

class Loader {
 public:
  Loader(OpContext& context, connect::SnapshotSource& source, connect::TargetLoader& target,
         const std::vector<TableTask>& tasks, const LoadOptions& options, LoadProgress& progress,
         LoadJournal& journal)
      : source_(source),
        target_(target),
        tasks_(tasks),
        options_(options),
        progress_(progress),
        journal_(journal),
        forward_(context.stop, [this] { stop_.request_stop(); }),
        context_{stop_.get_token(), context.deadline, context.log} {}

  Result<void> run() {
    const std::size_t workers = std::min<std::size_t>(options_.max_subtasks, tasks_.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < workers; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    if (fatal_) return *std::move(fatal_);
    if (context_.stop.stop_requested()) return cancelled_error();
    return {};
  }

 private:
  void work() {
    for (;;) {
      const std::size_t index = next_.fetch_add(1);
      if (index >= tasks_.size() || context_.stop.stop_requested()) return;
      load(index);
    }
  }

  void load(std::size_t index) {
    TableProgress& table = progress_.tables()[index];
    table.started_ns = Clock::now().time_since_epoch().count();
    progress_.set_state(table, TableState::kFullLoad);
    auto result = load_with_retries(index, table);
    table.elapsed_ns = table.elapsed().count();
    const Logger log = context_.log.as(Component::kTablesManager);
    const std::string name = schema::to_text(table.plan->source);
    if (result.ok()) {
      log.info("table loaded", {{"table", name},
                                {"rows", std::to_string(table.rows)},
                                {"bytes", std::to_string(table.bytes)},
                                {"ms", std::to_string(table.elapsed_ns / 1'000'000)}});
      progress_.set_state(table, TableState::kTableCompleted);
      return;
    }
    Error error = std::move(result).error();
    error.with("table", name);
    const bool cancelled = error.kind == ErrorKind::kCancelled;
    if (!cancelled) log.error(error);
    if (!is_table_error(error)) set_fatal(error);
    table.error = std::move(error);
    progress_.set_state(table, cancelled ? TableState::kTableCancelled : TableState::kTableError);
  }

  Result<void> load_with_retries(std::size_t index, TableProgress& table) {
    auto delay = options_.retry_delay;
    Attempt attempt;
    attempt.is_repeated = tasks_[index].was_started;
    attempt.is_loaded = tasks_[index].is_loaded;
    for (std::uint32_t number = 1;; ++number) {
      auto result = guarded([&] { return load_once(tasks_[index], attempt, table); });
      if (result.ok() || result.error().kind != ErrorKind::kTransient) return result;
      if (!may_repeat(tasks_[index], attempt)) return unknown_outcome(result.error());
      if (number >= options_.max_attempts) return result;
      context_.log.as(Component::kTaskManager)
          .warn("table load interrupted, trying again",
                {{"table", schema::to_text(table.plan->source)},
                 {"attempt", std::to_string(number)},
                 {"cause", result.error().to_log_text()}});
      if (!wait_for(delay, context_.stop)) return cancelled_error();
      delay *= 2;
    }
  }

  /// How far the tries of one table have come.
  struct Attempt {
    bool is_repeated = false;
    bool is_committing = false;  ///< rows may be durable
    bool is_loaded = false;      ///< all rows are durable
  };

  /// Whether the table can be brought into its state before the first try.
  [[nodiscard]] bool may_repeat(const TableTask& task, const Attempt& attempt) const {
    return attempt.is_loaded || !attempt.is_committing || !must_keep(task);
  }
  [[nodiscard]] bool is_own(const TableTask& task) const {
    return options_.existing == connect::ExistingTable::kDrop || !task.target_existed;
  }
  [[nodiscard]] bool must_keep(const TableTask& task) const {
    return options_.existing == connect::ExistingTable::kKeep && task.target_existed;
  }

  static Error unknown_outcome(const Error& cause) {
    Error error = make_error(
        ErrorKind::kSchema, "load.unknown_outcome",
        "the connection broke while the rows were committed, so they may be on the target or not",
        "Look into the target table; empty it and load it again when in doubt");
    error.native_code = cause.native_code;
    error.native_text = cause.native_text.empty() ? cause.message : cause.native_text;
    return error;
  }

  Result<void> load_once(const TableTask& task, Attempt& attempt, TableProgress& table) {
    if (!attempt.is_loaded) {
      WHERRY_TRY(load_rows(task, attempt, table));
      attempt.is_loaded = true;
      WHERRY_TRY(journal_.on_loaded(task, table.rows));
    }
    // A table of somebody else's keeps its own keys; the target knows only what it has prepared.
    if (!task.is_loaded || is_own(task)) WHERRY_TRY(target_.complete(context_, *task.plan));
    return journal_.on_complete(task, table.rows);
  }

  Result<void> load_rows(const TableTask& task, Attempt& attempt, TableProgress& table) {
    table.rows = 0;
    table.bytes = 0;
    // What an earlier try has left in a table of our own making goes away with it.
    const bool repeats = std::exchange(attempt.is_repeated, true) && !must_keep(task);
    const bool drops = repeats && options_.existing == connect::ExistingTable::kKeep;
    WHERRY_TRY(journal_.on_start(task));
    WHERRY_TRY(target_.prepare(context_, *task.plan,
                               drops ? connect::ExistingTable::kDrop : options_.existing));
    attempt.is_committing = false;
    WHERRY_ASSIGN(const auto chunks, source_.plan(context_, task.definition, {}));
    const auto before_commit = [&]() -> Result<void> {
      attempt.is_committing = true;
      return journal_.on_commit(task);
    };
    for (const connect::Chunk& chunk : chunks) {
      WHERRY_TRY(load_segment(context_, source_, target_, chunk, options_, table, before_commit));
    }
    return {};
  }

  void set_fatal(const Error& error) {
    std::lock_guard lock(fatal_mutex_);
    // The stop that a fatal error causes must not hide its cause.
    if (!fatal_) fatal_ = error;
    stop_.request_stop();
  }

  connect::SnapshotSource& source_;
  connect::TargetLoader& target_;
  const std::vector<TableTask>& tasks_;
  const LoadOptions& options_;
  LoadProgress& progress_;
  LoadJournal& journal_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  OpContext context_;
  std::atomic<std::size_t> next_{0};
  std::mutex fatal_mutex_;
  std::optional<Error> fatal_;
};

}  // namespace

std::string_view name_of(TableState state) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "Before load", "Full load", "Table completed", "Table error", "Table cancelled"};
  return kNames[static_cast<std::size_t>(state)];
}

std::chrono::nanoseconds TableProgress::elapsed() const {
  if (elapsed_ns != 0 || started_ns == 0) return std::chrono::nanoseconds(elapsed_ns);
  return Clock::now().time_since_epoch() - std::chrono::nanoseconds(started_ns);
}

TableProgress& LoadProgress::add(schema::TablePlanPtr plan) {
  TableProgress& table = tables_.emplace_back();
  table.plan = std::move(plan);
  return table;
}

void LoadProgress::set_state(TableProgress& table, TableState state) {
  table.state = state;
  changes_.notify();
}

bool is_table_error(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kSchema:
    case ErrorKind::kData:
    case ErrorKind::kPermission:
    case ErrorKind::kUnsupported:
    case ErrorKind::kPositionLost:
    case ErrorKind::kConfig:
    case ErrorKind::kInternal:
      return true;
    default:
      return false;
  }
}

Result<void> run_full_load(OpContext& context, connect::SnapshotSource& source,
                           connect::TargetLoader& target, const std::vector<TableTask>& tasks,
                           const LoadOptions& options, LoadProgress& progress,
                           LoadJournal& journal) {
  WHERRY_ASSERT(options.max_subtasks > 0, "no subtask would load nothing");
  WHERRY_ASSERT(progress.tables().size() == tasks.size(), "one progress entry a table");
  return Loader(context, source, target, tasks, options, progress, journal).run();
}

}  // namespace wherry::engine
