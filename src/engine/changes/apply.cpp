#include "engine/changes/apply.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/changes/assembler.h"

namespace wherry::engine {
namespace {

using connect::Checkpoint;
using connect::CommitPoint;

/// Where the target is.
struct ApplyResume {
  Checkpoint from;
  std::vector<std::vector<CommitPoint>> above;  ///< by lane
  std::set<CommitPoint> applied;                ///< above `from`, of all lanes
};

ApplyResume resume_of(const std::map<std::uint32_t, Checkpoint>& lanes, const ApplyJob& job) {
  ApplyResume out;
  out.from.position = job.start;
  out.from.point = {job.start_order, 0};
  for (const auto& [lane, checkpoint] : lanes) {
    const bool is_higher =
        out.from.sequence == 0 || checkpoint.point > out.from.point ||
        (checkpoint.point == out.from.point && checkpoint.sequence > out.from.sequence);
    if (is_higher) out.from = checkpoint;
  }
  out.from.applied_above.clear();
  for (const auto& [lane, checkpoint] : lanes) {
    if (lane >= out.above.size()) out.above.resize(lane + 1);
    for (const CommitPoint& point : checkpoint.applied_above) {
      if (point <= out.from.point) continue;
      out.above[lane].push_back(point);
      out.applied.insert(point);
    }
  }
  return out;
}

/// Passes on what is told, and remembers new plans for the next try.
class KeptEvents final : public ApplyEvents {
 public:
  KeptEvents(ApplyEvents& events, std::vector<ApplyTableTask> tables)
      : events_(events), tables_(std::move(tables)) {}

  Result<void> on_suspended(const schema::TablePlan& plan, const Error& error) override {
    return events_.on_suspended(plan, error);
  }
  void on_exception(const connect::ApplyException& exception) override {
    events_.on_exception(exception);
  }
  Result<void> on_reload(const schema::TableRef& source) override {
    return events_.on_reload(source);
  }
  Result<void> on_plan(const schema::TableRef& source, const LaterPlan& later) override {
    WHERRY_TRY(events_.on_plan(source, later));
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const auto& task) { return source_of(task) == source; });
    ApplyTableTask& task = found != tables_.end() ? *found : tables_.emplace_back();
    // Told again after a restart: what came of the first time is void.
    std::erase_if(task.later, [&](const LaterPlan& old) { return old.since > later.since; });
    task.later.push_back(later);
    return {};
  }

  [[nodiscard]] const std::vector<ApplyTableTask>& tables() const { return tables_; }
  static const schema::TableRef& source_of(const ApplyTableTask& task) {
    if (task.plan) return task.plan->source;
    const auto named = std::find_if(task.later.begin(), task.later.end(),
                                    [](const LaterPlan& later) { return later.plan != nullptr; });
    WHERRY_ASSERT(named != task.later.end(), "a table without any plan");
    return named->plan->source;
  }

 private:
  ApplyEvents& events_;
  std::vector<ApplyTableTask> tables_;
};

schema::TablePlanPtr plan_at(const ApplyTableTask& task, const CommitPoint& point) {
  schema::TablePlanPtr out = task.plan;
  for (const LaterPlan& later : task.later) {
    if (later.since <= point) out = later.is_new ? nullptr : later.plan;
  }
  return out;
}

bool is_new_at(const ApplyTableTask& task, const CommitPoint& point) {
  bool out = false;
  for (const LaterPlan& later : task.later) {
    if (later.since <= point) out = later.is_new;
  }
  return out;
}

class ApplyRun {
 public:
  ApplyRun(OpContext& context, const ApplyJob& job, const ApplyOptions& options)
      : context_(context),
        options_(options),
        events_(job.events, job.tables),
        job_{job.feed,    job.target, job.tables, job.start,    job.start_order,
             job.planner, events_,    job.limit,  job.progress, job.source},
        errors_(options_.errors, job.progress),
        routes_(job.progress) {
    options_.lanes = options_.is_batch ? 1 : std::clamp(options_.lanes, 1U, kMostLanes);
    for (const ApplyTableTask& task : job.tables) {
      // One that was suspended, and was loaded again, is it no more.
      job.progress.table(KeptEvents::source_of(task)).is_suspended = task.is_suspended;
    }
  }

  Result<void> run() {
    std::optional<Backoff> backoff(options_.retry);
    for (;;) {
      const std::uint64_t commits = job_.progress.commits();
      auto done = attempt();
      if (done.ok() || context_.stop.stop_requested()) return {};
      const Error& error = done.error();
      if (error.code != kReplay) {
        if (error.kind != ErrorKind::kTransient) return done;
        if (job_.progress.commits() != commits) backoff.emplace(options_.retry);
        const auto wait = backoff->next();
        if (!wait) return done;
        context_.log.warn("the target is tried again",
                          {{"cause", error.to_log_text()},
                           {"tries", std::to_string(backoff->tries())},
                           {"wait_ms", std::to_string(wait->count())}});
        if (!wait_for(*wait, context_.stop)) return {};
      }
      job_.progress.add_restart();
    }
  }

 private:
  /// With one set of connections, until it fails.
  Result<void> attempt() {
    job_.progress.clear_pending();
    job_.progress.take_back_captured();
    WHERRY_ASSIGN(const auto lanes, job_.target.recover(context_, options_.task_name));
    ApplyResume resume = resume_of(lanes, job_);
    WHERRY_TRY(describe(resume.from.point));
    watermark_.start(resume.from, std::move(resume.above));
    const LaneShared shared{job_.target, options_, job_.progress, job_.events,
                            watermark_,  errors_,  careful_until_};
    LanePool pool(context_, options_.lanes, shared);
    WHERRY_TRY(pool.open(context_));
    WHERRY_TRY(job_.feed.start(context_, resume.from.position));
    Assembler assembler(job_, options_, routes_, watermark_, pool, std::move(resume.applied));
    WHERRY_ASSIGN(const connect::CommitOrder seen, order_of(resume.from.position));
    job_.progress.set_applied_order(std::max(seen, resume.from.point.order));
    assembler.begin_after(resume.from, seen, new_tables_, filled_);
    auto done = assembler.run(context_);
    if (!done.ok() && done.error().code == kReplay) careful_until_ = assembler.point();
    return done;
  }

  /// A checkpoint's position may be a heartbeat's behind its transaction, and a quiet source will
  /// not say that again. 0: nobody knows.
  Result<connect::CommitOrder> order_of(const Position& position) {
    if (job_.source == nullptr || position.empty()) return connect::CommitOrder{0};
    return job_.source->order_of(position);
  }

  Result<void> describe(const CommitPoint& point) {
    std::vector<schema::TablePlanPtr> plans;
    std::vector<schema::TableRef> sources;
    std::vector<connect::CommitOrder> loaded_at;
    new_tables_.clear();
    filled_.clear();
    for (const ApplyTableTask& task : events_.tables()) {
      if (is_new_at(task, point)) new_tables_.insert(KeptEvents::source_of(task));
      for (const LaterPlan& later : task.later) {
        if (later.since > point || later.filled_until <= point.order) continue;
        filled_[KeptEvents::source_of(task)] = later.filled_until;
      }
      schema::TablePlanPtr plan = plan_at(task, point);
      if (plan == nullptr) continue;
      plans.push_back(std::move(plan));
      sources.push_back(KeptEvents::source_of(task));
      loaded_at.push_back(task.loaded_at);
    }
    WHERRY_ASSIGN(auto tables, job_.target.describe(context_, plans));
    for (std::size_t i = 0; i < tables.size(); ++i) {
      if (tables[i].refused) WHERRY_TRY(refuse(*plans[i], sources[i], *tables[i].refused));
    }
    routes_.set(std::move(tables), sources, loaded_at);
    return {};
  }

  Result<void> refuse(const schema::TablePlan& plan, const schema::TableRef& source,
                      const Error& error) {
    TableApplyProgress& table = job_.progress.table(source);
    if (table.is_suspended) return {};
    if (options_.errors.base.table == ErrorAction::kStopTask) {
      return stopped_by({ConflictAction::kStopTask, "TableErrorPolicy"}, error);
    }
    WHERRY_TRY(job_.events.on_suspended(plan, error));
    job_.progress.set_suspended(table, error);
    return {};
  }

  OpContext& context_;
  ApplyOptions options_;
  KeptEvents events_;
  const ApplyJob job_;
  const ApplyErrors errors_;
  Routes routes_;
  Watermark watermark_;
  CommitPoint careful_until_;
  std::set<schema::TableRef> new_tables_;                    ///< LaterPlan::is_new counts
  std::map<schema::TableRef, connect::CommitOrder> filled_;  ///< LaterPlan::filled_until
};

}  // namespace

Result<void> run_apply(OpContext& context, const ApplyJob& job, const ApplyOptions& options) {
  return ApplyRun(context, job, options).run();
}

}  // namespace wherry::engine
