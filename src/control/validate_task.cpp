#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "control/change_stream.h"
#include "control/compared_moment.h"
#include "control/load_step.h"
#include "control/task.h"
#include "control/task_plan.h"

namespace wherry::control {
namespace {

/// The source as the load has read it, or as it is now where that is gone: a PostgreSQL snapshot
/// ends with the session that made it.
Result<std::unique_ptr<connect::SnapshotSource>> open_as_loaded(OpContext& context,
                                                                const TaskRequest& request,
                                                                const Position& position) {
  const auto& [connector, settings] = request.source;
  auto opened = connector->open_snapshot(context, settings, position);
  if (opened.ok() || opened.error().kind != ErrorKind::kPositionLost) return opened;
  context.log.as(Component::kValidator)
      .warn(
          "the point of the load can no longer be read: the source is compared as it is now, so "
          "rows that have changed since are differences",
          {{"cause", opened.error().message}});
  return connector->open_snapshot(context, settings, {});
}

/// What the mapping rules load of a table: some of its partitions, or all of it.
Result<connect::Chunk> loaded_part(OpContext& context, connect::SnapshotSource& source,
                                   const engine::TableTask& task) {
  const auto& rule = task.parallel_load;
  if (!rule || rule->type != schema::ParallelLoadType::kPartitionsList) return connect::Chunk();
  connect::ChunkHints hints;
  hints.rule = rule;
  hints.in_one = true;
  WHERRY_ASSIGN(auto chunks, source.plan(context, task.definition, hints));
  return std::move(chunks.front());
}

Error not_in_task(const schema::TableRef& table) {
  return make_error(ErrorKind::kSchema, "validate.not_in_task",
                    "the table is selected, but it came later and is not part of the task",
                    "Begin the task anew (--start reload-target), or move the table by a task of "
                    "its own")
      .with("table", schema::to_text(table));
}

Error loaded_meanwhile(const schema::TableRef& table) {
  return make_error(ErrorKind::kSchema, "validate.reloaded",
                    "the table was loaded again while it was compared: what was reported of it "
                    "does not count",
                    "Compare again when it has joined the others")
      .with("table", schema::to_text(table));
}

Error shared_target(const schema::TableRef& table) {
  return make_error(ErrorKind::kUnsupported, "validate.shared_target",
                    "rows of several tables come into one of the target, which is not compared",
                    "Compare counts and sums by hand")
      .with("table", schema::to_text(table));
}

class TaskValidation {
 public:
  TaskValidation(OpContext& context, const ValidationRequest& wanted, engine::DifferenceSink& sink,
                 TaskObserver& observer)
      : context_(context), wanted_(wanted), sink_(sink), observer_(observer) {}

  Result<ValidationOutcome> run(const TaskRequest& original) {
    WHERRY_ASSIGN(const auto known, TaskState::read(original.state_directory));
    if (known->stream().type != MigrationType::kFullLoad) {
      TaskRequest request = with_own_settings(original, *known);
      request.type = known->stream().type;
      return compare_moment(request, *known);
    }
    WHERRY_ASSIGN(const auto state, TaskState::open(original.state_directory));
    TaskRequest request = with_own_settings(original, *state);
    request.type = MigrationType::kFullLoad;
    return compare_load(request, *state);
  }

 private:
  Result<Prepared> prepare(const TaskRequest& request, const TaskState& state) {
    WHERRY_TRY(state.check_identity(request.source.settings.url, request.target.settings.url));
    retry_.emplace(context_, request.settings.retry, observer_, !state.is_fresh());
    return prepare_task(context_, request, observer_, *retry_, connect::ExistingTable::kKeep);
  }

  /// Both as of the load, as far as that can still be read.
  Result<ValidationOutcome> compare_load(const TaskRequest& request, const TaskState& state) {
    WHERRY_ASSIGN(const Prepared prepared, prepare(request, state));
    WHERRY_ASSIGN(auto source, retry_->run("source", [&] {
      return open_as_loaded(context_, request, state.position());
    }));
    WHERRY_ASSIGN(auto target, retry_->run("target", [&] {
      return request.target.connector->open_snapshot(context_, request.target.settings, {});
    }));
    engine::SourceViews views(source_opener(request));
    for (const engine::TableTask& task : prepared.plan.tables) {
      if (schema::is_view(task.definition.kind)) {
        leave_out_view(task.plan->source);
        continue;
      }
      if (task.plan->shares_target) {
        outcome_.refused.push_back({task.plan->source, shared_target(task.plan->source)});
        continue;
      }
      const auto record = state.find(task.plan->source);
      engine::SourceView own;
      if (record && !record->position.empty()) {
        WHERRY_ASSIGN(own, views.at(context_, record->position));
      }
      connect::SnapshotSource& view = own ? *own : *source;
      WHERRY_ASSIGN(connect::Chunk part, loaded_part(context_, view, task));
      progress_->add(task.plan, std::move(own)).part = std::move(part);
    }
    outcome_.refused.insert(outcome_.refused.end(), prepared.plan.refused.begin(),
                            prepared.plan.refused.end());
    outcome_.position = source->position();
    return compare(*source, *target);
  }

  /// As in DMS: a query promises no key, and not the same rows when it is asked again.
  void leave_out_view(const schema::TableRef& view) {
    context_.log.as(Component::kValidator)
        .info("a view is not compared", {{"table", schema::to_text(view)}});
    outcome_.views.push_back(view);
  }

  /// Both at one moment: of a task with changes.
  Result<ValidationOutcome> compare_moment(const TaskRequest& request, const TaskState& known) {
    WHERRY_ASSIGN(const Prepared prepared, prepare(request, known));
    characters_ = request.settings.characters;
    observer_.on_phase("waiting for the task");
    WHERRY_ASSIGN(const ComparedMoment moment,
                  find_compared_moment(context_, request, wanted_.patience));
    WHERRY_TRY(add_tables(prepared.plan, moment));
    outcome_.position = moment.start.position;
    context_.log.as(Component::kValidator)
        .info("source and target are compared at one moment",
              {{"position", moment.start.position.text}});
    WHERRY_TRY(run_comparison(*moment.source, *moment.target));
    WHERRY_TRY(note_reloaded(request, moment));
    return end();
  }

  /// Emptying a table does not wait for whoever has a view of it.
  Result<void> note_reloaded(const TaskRequest& request, const ComparedMoment& moment) {
    WHERRY_ASSIGN(const auto state, TaskState::read(request.state_directory));
    for (const auto& [name, table] : compared_) {
      const auto now = state->find(name);
      const bool is_same_load = now && state->load_id() == moment.load_id &&
                                now->attempt == moment.tables.at(name).attempt;
      if (is_same_load) continue;
      table->error = loaded_meanwhile(name);
      progress_->set_state(*table, engine::ValidationState::kTableError);
    }
    return {};
  }

  /// By the plans that their changes are applied by: those are what the target is to have.
  Result<void> add_tables(const engine::TaskPlan& now, const ComparedMoment& moment) {
    std::set<schema::TableRef> of_task;
    for (const auto& [name, record] : moment.tables) {
      of_task.insert(name);
      schema::TablePlanPtr plan = newest_plan(record);
      if (plan) of_task.insert(plan->source);
      if (const auto out = moment.left_out.find(name); out != moment.left_out.end()) {
        Error error = out->second;
        outcome_.refused.push_back({name, error.with("table", schema::to_text(name))});
        continue;
      }
      const schema::TableRef& source = plan ? plan->source : name;
      const auto task = std::find_if(now.tables.begin(), now.tables.end(),
                                     [&](const auto& each) { return each.plan->source == source; });
      // Without a plan at the end of all that is known it has left the task.
      const bool has_left = !plan && !record.later.empty();
      if (has_left || (!plan && task == now.tables.end())) continue;
      connect::Chunk part;
      if (task != now.tables.end()) {
        WHERRY_ASSIGN(part, loaded_part(context_, *moment.source, *task));
      }
      const schema::TablePlanPtr& known = plan ? plan : task->plan;
      if (known->shares_target) {
        outcome_.refused.push_back({name, shared_target(name)});
        continue;
      }
      engine::TableValidation& added = progress_->add(with_characters(known, characters_));
      added.part = std::move(part);
      compared_.emplace_back(name, &added);
    }
    for (const engine::TableTask& task : now.tables) {
      const schema::TableRef& name = task.plan->source;
      if (!of_task.contains(name)) outcome_.refused.push_back({name, not_in_task(name)});
    }
    for (const engine::RefusedTable& table : now.refused) {
      if (!of_task.contains(table.table)) outcome_.refused.push_back(table);
    }
    return {};
  }

  Result<ValidationOutcome> compare(connect::SnapshotSource& source,
                                    connect::SnapshotSource& target) {
    WHERRY_TRY(run_comparison(source, target));
    return end();
  }

  Result<void> run_comparison(connect::SnapshotSource& source, connect::SnapshotSource& target) {
    observer_.on_phase("validating");
    observer_.on_validation(progress_);
    return engine::run_validation(context_, source, target, wanted_.options, *progress_, sink_);
  }

  Result<ValidationOutcome> end() {
    outcome_.has_table_errors = !outcome_.refused.empty();
    for (const engine::TableValidation& table : progress_->tables()) {
      outcome_.differences += table.differences;
      outcome_.has_table_errors = outcome_.has_table_errors || table.error.has_value();
    }
    return std::move(outcome_);
  }

  OpContext& context_;
  const ValidationRequest& wanted_;
  engine::DifferenceSink& sink_;
  TaskObserver& observer_;
  std::optional<StartRetry> retry_;
  // Of a task with changes:
  std::shared_ptr<const schema::CharacterRules> characters_;
  std::vector<std::pair<schema::TableRef, engine::TableValidation*>> compared_;
  std::shared_ptr<engine::ValidationProgress> progress_ =
      std::make_shared<engine::ValidationProgress>();
  ValidationOutcome outcome_;
};

}  // namespace

Result<ValidationOutcome> validate_task(OpContext& context, const TaskRequest& request,
                                        const ValidationRequest& wanted,
                                        engine::DifferenceSink& sink, TaskObserver& observer) {
  return TaskValidation(context, wanted, sink, observer).run(request);
}

}  // namespace wherry::control
