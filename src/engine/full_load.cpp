#include "engine/full_load.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <thread>
#include <utility>

#include "core/failpoint.h"
#include "engine/guarded.h"
#include "engine/row_errors.h"
#include "engine/scheduler.h"
#include "engine/segment.h"

namespace wherry::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// So many chunks a table at most: what the task keeps of each must stay small.
constexpr std::uint32_t kMostChunks = 20'000;
/// Chunks of a large table for each subtask, so that the last ones end together.
constexpr std::uint32_t kChunksPerSubtask = 4;

/// A table that loses its view so often in one run is not read at another one.
constexpr std::uint32_t kMostRestarts = 5;

template <class T>
Result<T> on_side(const char* side, Result<T> result) {
  if (result.ok()) return result;
  return with_side(std::move(result).error(), side);
}

/// Without a ledger a segment is the whole table, also when the user's rule cuts it.
std::uint64_t segment_bytes_of(const LoadOptions& options) {
  return options.load_id.empty() ? std::numeric_limits<std::uint64_t>::max()
                                 : options.segment_bytes;
}

Error unknown_outcome(const Error& cause) {
  Error error = make_error(
      ErrorKind::kSchema, "load.unknown_outcome",
      "the connection broke while the rows were committed, so they may be on the target or not",
      "Look into the target table; empty it and load it again when in doubt. With a table for the "
      "load's progress (ControlTablesSettings.ControlSchema) Wherry finds out by itself");
  error.native_code = cause.native_code;
  error.native_text = cause.native_text.empty() ? cause.message : cause.native_text;
  return error;
}

Error would_double() {
  return make_error(ErrorKind::kSchema, "load.mixed_rows",
                    "the table on the target has rows, those that an earlier load of this task has "
                    "added among them, and loading again would double them",
                    "Remove the rows and start again; or let the load do it: TargetTablePrepMode "
                    "TRUNCATE_BEFORE_LOAD removes all rows of the table");
}

/// One table while it is loaded. The task is changed only by the worker that opens the table, when
/// no other one is on it; but for task.done, which grows under the mutex.
struct Running {
  explicit Running(TableTask of) : task(std::move(of)) {}
  TableTask task;
  SourceView view;
  std::uint32_t restarts = 0;
  std::mutex mutex;  ///< guards what follows
  std::shared_ptr<std::stop_source> stop = std::make_shared<std::stop_source>();
  std::optional<Error> error;  ///< the first one
  bool is_cancelled = false;
  bool is_lost = false;        ///< its view can no longer be read
  bool is_over = false;        ///< of SharedTarget::left
  bool has_unsettled = false;  ///< of a commit nobody has found out yet whether it happened
};

/// A table of the target that several of the source's come into. Whoever comes first makes it
/// ready, and the last one gives it its key.
struct SharedTarget {
  std::mutex mutex;  ///< guards what follows
  bool is_prepared = false;
  bool has_rows = false;  ///< of this load, durable before this run
  std::size_t left = 0;   ///< tables that have not come to their end
};

class Loader {
 public:
  Loader(OpContext& context, SourceViews& source, connect::TargetLoader& target,
         std::vector<TableTask> tasks, const LoadOptions& options, LoadProgress& progress,
         LoadJournal& journal)
      : source_(source),
        target_(target),
        options_(options),
        progress_(progress),
        journal_(journal),
        scheduler_(tasks.size(), {.workers = options.max_subtasks,
                                  .segment_bytes = segment_bytes_of(options),
                                  .split_after = options.split_after}),
        throttle_(options.read_bytes_per_second),
        forward_(context.stop, [this] { stop_.request_stop(); }),
        context_{stop_.get_token(), context.deadline, context.log} {
    for (TableTask& task : tasks) {
      if (task.plan->shares_target) {
        SharedTarget& shared = shared_[task.plan->target];
        ++shared.left;
        shared.has_rows |= !task.done.empty() || task.is_loaded || task.joins_rows;
      }
      tables_.emplace_back(std::move(task));
    }
  }

  Result<void> run() {
    const std::size_t workers = std::max<std::size_t>(options_.max_subtasks, 1);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < workers; ++i) {
      threads.emplace_back([this, i] { work(static_cast<std::uint32_t>(i)); });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < tables_.size(); ++i) cancel_rest(i);
    if (fatal_) return *std::move(fatal_);
    if (context_.stop.stop_requested()) return cancelled_error();
    return {};
  }

 private:
  void work(std::uint32_t worker) {
    std::optional<std::size_t> last;
    while (const auto job = scheduler_.next(last, context_.stop)) {
      last = job->table;
      auto result = carry_out(*job, worker);
      end(*job, std::move(result));
    }
  }

  Result<void> carry_out(const Job& job, std::uint32_t worker) {
    Running& table = tables_[job.table];
    switch (job.kind) {
      case JobKind::kOpen:
        begin(job.table);
        return retried(job.table, worker, [&](OpContext& own) { return open(own, job.table); });
      case JobKind::kLoad:
        return load(job, worker);
      case JobKind::kComplete:
        return retried(job.table, worker, [&](OpContext& own) { return complete(own, job.table); });
    }
    return make_error(ErrorKind::kInternal, "engine.job", "an unknown job",
                      schema::to_text(table.task.plan->source));
  }

  /// Runs `work` again and again while connections break, as the settings allow.
  template <class Work>
  Result<void> retried(std::size_t index, std::uint32_t worker, const Work& work) {
    Backoff backoff(options_.retry);
    for (;;) {
      Running& table = tables_[index];
      OpContext own{stop_token_of(table), context_.deadline, context_.log};
      std::stop_callback forward(context_.stop, [&table] { request_stop(table); });
      auto result = guarded([&] { return work(own); });
      if (result.ok() || result.error().kind != ErrorKind::kTransient) {
        if (backoff.tries() > 0) progress_.set_interruption(worker, std::nullopt);
        return result;
      }
      const auto wait = backoff.next();
      if (!wait) {
        progress_.set_interruption(worker, std::nullopt);
        return result;
      }
      tell(result.error(), table, worker, backoff.tries(), *wait);
      if (!wait_for(*wait, own.stop)) {
        progress_.set_interruption(worker, std::nullopt);
        return cancelled_error();
      }
    }
  }

  void tell(const Error& error, const Running& table, std::uint32_t worker, std::int64_t tries,
            std::chrono::milliseconds wait) {
    context_.log.as(Component::kTaskManager)
        .warn("a connection broke, trying again",
              {{"table", schema::to_text(table.task.plan->source)},
               {"side", side_of(error)},
               {"try", std::to_string(tries)},
               {"wait_ms", std::to_string(wait.count())},
               {"cause", error.to_log_text()}});
    progress_.set_interruption(
        worker, Interruption{side_of(error), error.to_log_text(), tries, Clock::now() + wait});
  }

  static std::stop_token stop_token_of(Running& table) {
    std::lock_guard lock(table.mutex);
    return table.stop->get_token();
  }
  static void request_stop(Running& table) {
    std::shared_ptr<std::stop_source> stop;
    {
      std::lock_guard lock(table.mutex);
      stop = table.stop;
    }
    stop->request_stop();
  }

  // Whose rows are on the target.

  [[nodiscard]] bool is_own(const TableTask& task) const {
    return options_.existing == connect::ExistingTable::kDrop || !task.target_existed;
  }
  /// Whatever is in the target table may be thrown away.
  [[nodiscard]] bool may_clean(const TableTask& task) const {
    if (task.plan->shares_target) return false;
    return options_.existing != connect::ExistingTable::kKeep || !task.target_existed ||
           task.was_empty;
  }
  /// How the target table is made ready: one of our own goes with what an earlier try has left.
  [[nodiscard]] connect::ExistingTable mode_of(const TableTask& task, bool is_repeated) const {
    if (is_repeated && !task.target_existed) return connect::ExistingTable::kDrop;
    const bool keeps = options_.existing == connect::ExistingTable::kKeep;
    return is_repeated && keeps && task.was_empty ? connect::ExistingTable::kTruncate
                                                  : options_.existing;
  }

  // kOpen

  void begin(std::size_t index) {
    TableProgress& progress = progress_.tables()[index];
    if (progress.started_ns == 0) progress.started_ns = Clock::now().time_since_epoch().count();
    progress_.set_state(progress, TableState::kFullLoad);
    Running& table = tables_[index];
    std::lock_guard lock(table.mutex);
    table.is_cancelled = false;
    table.error.reset();
    table.stop = std::make_shared<std::stop_source>();
  }

  Result<void> open(OpContext& own, std::size_t index) {
    Running& table = tables_[index];
    TableTask& task = table.task;
    if (task.is_loaded) {
      show_counts(progress_.tables()[index], task.loaded);
      scheduler_.set_chunks(index, {}, {});
      return {};
    }
    if (table.is_lost) WHERRY_TRY(restart(own, index));
    WHERRY_ASSIGN(table.view, on_side("source", source_.at(own, task.position)));
    const bool was_started = std::exchange(task.was_started, true);
    if (task.chunks.empty()) WHERRY_TRY(plan(own, table));
    if (task.plan->shares_target) {
      WHERRY_TRY(prepare_shared(own, task, was_started));
    } else if (task.done.empty()) {
      WHERRY_TRY(prepare(own, task, was_started));
    }
    show_chunks(index);
    scheduler_.set_chunks(index, task.chunks, task.done, task.parallel_load.has_value());
    return {};
  }

  /// From the table's beginning, at a newer point of its own.
  Result<void> restart(OpContext& own, std::size_t index) {
    Running& table = tables_[index];
    TableTask& task = table.task;
    if ((!task.done.empty() || table.has_unsettled) && !may_clean(task)) {
      return make_error(ErrorKind::kSchema, "load.mixed_rows",
                        "the point the table was read at can no longer be read, and the rows that "
                        "are loaded lie among rows that were there before",
                        "Remove the table's rows from the target and load it with a task of its "
                        "own; a longer undo retention on the source keeps a point readable");
    }
    if (table.restarts == kMostRestarts) {
      return make_error(ErrorKind::kSchema, "load.position_lost_again",
                        "the source lost the point the table was read at again and again",
                        "Raise the undo retention on the source (Oracle: UNDO_RETENTION), or give "
                        "the table more subtasks, and start the task again");
    }
    WHERRY_ASSIGN(const SourceView view, on_side("source", source_.newer_than(own, task.position)));
    context_.log.as(Component::kSourceUnload)
        .warn("the table is read again at a newer point",
              {{"table", schema::to_text(task.plan->source)}, {"position", view->position().text}});
    ++table.restarts;
    task.position = view->position();
    ++task.attempt;
    task.chunks.clear();
    task.done.clear();
    table.has_unsettled = false;
    table.is_lost = false;
    return {};
  }

  Result<void> plan(OpContext& own, Running& table) {
    TableTask& task = table.task;
    connect::ChunkHints hints;
    hints.max_chunks = options_.load_id.empty() ? 1 : kMostChunks;
    hints.chunk_bytes = options_.chunk_bytes;
    hints.least_bytes = options_.least_chunk_bytes;
    hints.wanted_chunks = kChunksPerSubtask * options_.max_subtasks;
    hints.rule = task.parallel_load;
    hints.whole_bytes = task.plan->is_native ? options_.whole_table_bytes : 0;
    WHERRY_ASSIGN(task.chunks, on_side("source", table.view->plan(own, task.definition, hints)));
    failpoint("load.planned");
    auto recorded = journal_.on_start(task);
    if (!recorded.ok()) task.chunks.clear();
    failpoint("load.started");
    return recorded;
  }

  Result<void> prepare(OpContext& own, TableTask& task, bool is_repeated) {
    WHERRY_ASSIGN(const connect::PrepareReport report,
                  on_side("target", target_.prepare(own, *task.plan, mode_of(task, is_repeated))));
    failpoint("load.prepared");
    if (may_clean(task)) return {};
    if (!report.is_empty) return task.may_double ? would_double() : Result<void>();
    task.was_empty = true;
    return journal_.on_prepared(task);
  }

  /// Nothing is touched once any of its tables has rows there.
  Result<void> prepare_shared(OpContext& own, const TableTask& task, bool is_repeated) {
    SharedTarget& shared = shared_.at(task.plan->target);
    std::lock_guard lock(shared.mutex);
    if (shared.is_prepared || shared.has_rows) return {};
    WHERRY_ASSIGN(const connect::PrepareReport report,
                  on_side("target", target_.prepare(own, *task.plan, mode_of(task, is_repeated))));
    if (!report.is_empty && task.may_double) return would_double();
    shared.is_prepared = true;
    return {};
  }

  /// Whether the table was the last one of its target to come to an end.
  bool is_last_of_target(Running& table) {
    SharedTarget& shared = shared_.at(table.task.plan->target);
    std::lock_guard lock(shared.mutex);
    if (!std::exchange(table.is_over, true)) --shared.left;
    return shared.left == 0;
  }

  static RowCounts counts_of(const std::vector<connect::DoneChunk>& chunks) {
    RowCounts counts;
    for (const connect::DoneChunk& chunk : chunks) {
      counts.rows += chunk.rows;
      counts.refused_rows += chunk.refused_rows;
      counts.truncated_values += chunk.truncated_values;
    }
    counts.rows -= std::min(counts.rows, counts.refused_rows);
    return counts;
  }

  static RowCounts counts_of(const TableProgress& progress) {
    return {progress.rows, progress.refused_rows, progress.truncated_values};
  }

  static void show_counts(TableProgress& progress, const RowCounts& counts) {
    progress.rows = counts.rows;
    progress.refused_rows = counts.refused_rows;
    progress.truncated_values = counts.truncated_values;
    std::lock_guard lock(progress.refusal_mutex);
    progress.first_refusal.reset();
  }

  void show_chunks(std::size_t index) {
    const TableTask& task = tables_[index].task;
    TableProgress& progress = progress_.tables()[index];
    std::uint64_t size = 0;
    for (const connect::Chunk& chunk : task.chunks) size += chunk.estimated_bytes;
    progress.size_bytes = size;
    progress.chunks = static_cast<std::uint32_t>(task.chunks.size());
    progress.done_bytes = 0;
    progress.durable_bytes = 0;
    progress.chunks_done = 0;
    count_done(index, task.done);
    show_counts(progress, counts_of(task.done));
    progress.bytes = progress.durable_bytes.load();
    progress.rows_before = progress.rows.load();
    progress.bytes_before = progress.bytes.load();
  }

  void count_done(std::size_t index, const std::vector<connect::DoneChunk>& chunks) {
    const TableTask& task = tables_[index].task;
    TableProgress& progress = progress_.tables()[index];
    progress.chunks_done += static_cast<std::uint32_t>(chunks.size());
    for (const connect::DoneChunk& chunk : chunks) {
      progress.durable_bytes += chunk.bytes;
      if (chunk.chunk >= task.chunks.size()) continue;
      progress.done_bytes += task.chunks[chunk.chunk].estimated_bytes;
    }
  }

  // kLoad

  Result<void> load(const Job& job, std::uint32_t worker) {
    TableTask& task = tables_[job.table].task;
    SegmentOutcome outcome;
    bool is_unsettled = false;
    auto result = retried(job.table, worker, [&](OpContext& own) -> Result<void> {
      if (is_unsettled) {
        WHERRY_ASSIGN(const bool is_done, settle(own, job, worker, outcome));
        is_unsettled = false;
        if (is_done) {
          count_refused(job.table, outcome);
          return {};
        }
      }
      give_back(job, outcome);
      outcome = {};
      auto loaded = load_once(own, job, worker, outcome, /*is_careful=*/false);
      if (!loaded.ok() && outcome.may_isolate &&
          options_.errors.data != ErrorAction::kSuspendTable) {
        warn_of_careful_load(job.table, loaded.error());
        give_back(job, outcome);
        outcome = {};
        loaded = load_once(own, job, worker, outcome, /*is_careful=*/true);
      }
      if (loaded.ok() || loaded.error().kind != ErrorKind::kTransient) return loaded;
      is_unsettled = outcome.may_be_durable;
      const bool is_lost = is_unsettled && options_.load_id.empty() && !may_clean(task);
      return is_lost ? unknown_outcome(loaded.error()) : std::move(loaded);
    });
    std::lock_guard lock(tables_[job.table].mutex);
    if (!result.ok()) {
      tables_[job.table].has_unsettled |= is_unsettled;
      give_back(job, outcome);
      return result;
    }
    task.done.insert(task.done.end(), outcome.chunks.begin(), outcome.chunks.end());
    scheduler_.mark_done(job.table, outcome.chunks);
    count_done(job.table, outcome.chunks);
    return {};
  }

  Result<void> load_once(OpContext& own, const Job& job, std::uint32_t worker,
                         SegmentOutcome& outcome, bool is_careful) {
    Running& table = tables_[job.table];
    const SegmentJob segment{
        *table.view,
        target_,
        {options_.load_id, table.task.attempt, worker,
         job.is_whole && !table.task.plan->shares_target},
        table.task.plan,
        [this, &job](std::uint64_t bytes) { return scheduler_.take(job, bytes); },
        [this, &table] { return before_commit(table.task); },
        throttle_,
        is_careful};
    return load_segment(own, segment, options_, progress_.tables()[job.table], outcome);
  }

  void warn_of_careful_load(std::size_t index, const Error& cause) const {
    context_.log.as(Component::kTargetLoad)
        .warn("the target refuses a row; the rows are sent again in small steps to find out which",
              {{"table", schema::to_text(tables_[index].task.plan->source)},
               {"cause", cause.to_log_text()}});
  }

  /// Of a segment that turned out to be durable.
  void count_refused(std::size_t index, const SegmentOutcome& outcome) {
    progress_.tables()[index].refused_rows += outcome.refused_rows;
    progress_.tables()[index].rows -= outcome.refused_rows;
  }

  Result<void> before_commit(const TableTask& task) {
    if (!options_.load_id.empty() || may_clean(task)) return {};
    return journal_.on_commit(task);
  }

  /// The connection broke while the segment was committed: the ledger knows whether it was.
  Result<bool> settle(OpContext& own, const Job& job, std::uint32_t worker,
                      const SegmentOutcome& outcome) {
    if (options_.load_id.empty()) {
      // A table of our own begins anew.
      WHERRY_TRY(prepare(own, tables_[job.table].task, true));
      return false;
    }
    WHERRY_ASSIGN(const auto done,
                  on_side("target", target_.done_chunks(own, options_.load_id, worker)));
    const connect::DoneChunk& first = outcome.chunks[0];
    const bool is_done = std::any_of(done.begin(), done.end(), [&](const auto& chunk) {
      return chunk.table == first.table && chunk.attempt == first.attempt &&
             chunk.chunk == first.chunk;
    });
    context_.log.as(Component::kTargetLoad)
        .info(is_done ? "the interrupted commit has happened" : "the interrupted commit is undone",
              {{"table", schema::to_text(tables_[job.table].task.plan->source)}});
    return is_done;
  }

  void give_back(const Job& job, const SegmentOutcome& outcome) {
    if (outcome.chunks.empty()) return;
    TableProgress& progress = progress_.tables()[job.table];
    progress.rows -= outcome.rows;
    progress.bytes -= outcome.bytes;
    progress.truncated_values -= outcome.truncated_values;
    std::vector<std::uint32_t> chunks;
    for (const connect::DoneChunk& chunk : outcome.chunks) chunks.push_back(chunk.chunk);
    scheduler_.give_back(job.table, chunks);
  }

  // kComplete

  Result<void> complete(OpContext& own, std::size_t index) {
    Running& table = tables_[index];
    TableTask& task = table.task;
    const RowCounts counts = counts_of(progress_.tables()[index]);
    table.view.reset();
    if (!task.is_loaded) {
      failpoint("load.all_rows");
      WHERRY_TRY(journal_.on_loaded(task, counts));
      task.is_loaded = true;
    }
    failpoint("load.before_key");
    if (!task.plan->shares_target || is_last_of_target(table)) {
      WHERRY_TRY(on_side("target", target_.complete(own, *task.plan, is_own(task))));
    }
    failpoint("load.after_key");
    return journal_.on_complete(task, counts);
  }

  // How a job ends.

  void end(const Job& job, Result<void> result) {
    Running& table = tables_[job.table];
    JobEnd verdict = JobEnd::kDone;
    if (!result.ok()) verdict = judge(table, std::move(result).error());
    if (verdict == JobEnd::kAgain) request_stop(table);
    if (scheduler_.end(job, verdict)) show_end(job.table);
  }

  /// What an error means for the table and for the load.
  JobEnd judge(Running& table, Error error) {
    error.with("table", schema::to_text(table.task.plan->source));
    if (error.kind == ErrorKind::kCancelled) {
      // Another worker's error, or a stop from outside.
      std::lock_guard lock(table.mutex);
      table.is_cancelled = true;
      return context_.stop.stop_requested() ? JobEnd::kFailed : JobEnd::kAgain;
    }
    const bool is_lost = error.kind == ErrorKind::kPositionLost && !table.task.is_loaded;
    if (is_lost) context_.log.as(Component::kSourceUnload).warn(error.to_log_text());
    bool is_first = false;
    {
      std::lock_guard lock(table.mutex);
      table.is_lost = table.is_lost || is_lost;
      is_first = !table.error;
      if (is_first) table.error = error;
    }
    if (is_lost) return JobEnd::kAgain;
    if (!is_table_error(error)) {
      set_fatal(error);
    } else if (is_first) {
      count_table_error(error);
    }
    request_stop(table);
    return JobEnd::kFailed;
  }

  void show_end(std::size_t index) {
    Running& table = tables_[index];
    TableProgress& progress = progress_.tables()[index];
    progress.elapsed_ns = progress.elapsed().count();
    table.view.reset();
    const Logger log = context_.log.as(Component::kTablesManager);
    if (!table.error && !table.is_cancelled) {
      log.info("table loaded", {{"table", schema::to_text(table.task.plan->source)},
                                {"rows", std::to_string(progress.rows)},
                                {"filtered rows", std::to_string(progress.filtered_rows)},
                                {"bytes", std::to_string(progress.bytes)},
                                {"ms", std::to_string(progress.elapsed_ns / 1'000'000)}});
      progress_.set_state(progress, TableState::kTableCompleted);
      return;
    }
    if (table.task.plan->shares_target) is_last_of_target(table);
    if (table.error) log.error(*table.error);
    progress.error = table.error ? table.error : cancelled_error();
    progress_.set_state(progress,
                        table.error ? TableState::kTableError : TableState::kTableCancelled);
  }

  /// A table that was between two workers when all of them stopped.
  void cancel_rest(std::size_t index) {
    TableProgress& progress = progress_.tables()[index];
    if (progress.state != TableState::kFullLoad) return;
    tables_[index].is_cancelled = true;
    show_end(index);
  }

  void count_table_error(const Error& error) {
    const std::uint32_t count = ++table_errors_;
    const ErrorPolicy& policy = options_.errors;
    if (policy.table == ErrorAction::kStopTask) {
      set_fatal(stop_task(error, "TableErrorPolicy"));
    } else if (policy.table_escalation_count != 0 && count >= policy.table_escalation_count) {
      set_fatal(stop_task(error, "TableErrorEscalationPolicy"));
    }
  }

  void set_fatal(const Error& error) {
    std::lock_guard lock(fatal_mutex_);
    // The stop that a fatal error causes must not hide its cause.
    if (!fatal_) fatal_ = error;
    stop_.request_stop();
  }

  SourceViews& source_;
  connect::TargetLoader& target_;
  const LoadOptions& options_;
  LoadProgress& progress_;
  LoadJournal& journal_;
  std::deque<Running> tables_;
  std::map<schema::TableRef, SharedTarget> shared_;  ///< by target
  Scheduler scheduler_;
  Throttle throttle_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  OpContext context_;
  std::atomic<std::uint32_t> table_errors_{0};
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

std::map<std::uint32_t, Interruption> LoadProgress::interruptions() const {
  std::lock_guard lock(mutex_);
  return interruptions_;
}

void LoadProgress::set_interruption(std::uint32_t worker,
                                    std::optional<Interruption> interruption) {
  {
    std::lock_guard lock(mutex_);
    interruptions_.erase(worker);
    if (interruption) interruptions_.emplace(worker, *std::move(interruption));
  }
  changes_.notify();
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

Result<void> run_full_load(OpContext& context, SourceViews& source, connect::TargetLoader& target,
                           std::vector<TableTask> tasks, const LoadOptions& options,
                           LoadProgress& progress, LoadJournal& journal) {
  WHERRY_ASSERT(options.max_subtasks > 0 && options.max_subtasks <= connect::kMaxWorkers,
                "the number of subtasks is out of range");
  WHERRY_ASSERT(progress.tables().size() == tasks.size(), "one progress entry a table");
  return Loader(context, source, target, std::move(tasks), options, progress, journal).run();
}

}  // namespace wherry::engine
