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

}  // namespace

Result<ValidationOutcome> validate_task(OpContext& context, const TaskRequest& original,
                                        const engine::ValidateOptions& options,
                                        engine::DifferenceSink& sink, TaskObserver& observer) {
  WHERRY_ASSIGN(auto state, TaskState::open(original.state_directory));
  const TaskRequest request = with_own_settings(original, *state);
  WHERRY_TRY(state->check_identity(request.source.settings.url, request.target.settings.url));
  StartRetry retry(context, request.settings.retry, observer, !state->is_fresh());
  WHERRY_ASSIGN(const Prepared prepared,
                prepare_task(context, request, observer, retry, connect::ExistingTable::kKeep));
  // Whose changes were applied is compared as it is now.
  const bool is_as_loaded = state->stream().type == MigrationType::kFullLoad;
  WHERRY_ASSIGN(auto source, retry.run("source", [&] {
    return open_as_loaded(context, request, is_as_loaded ? state->position() : Position());
  }));
  WHERRY_ASSIGN(auto target, retry.run("target", [&] {
    return request.target.connector->open_snapshot(context, request.target.settings, {});
  }));
  auto progress = std::make_shared<engine::ValidationProgress>();
  engine::SourceViews views(source_opener(request));
  for (const engine::TableTask& task : prepared.plan.tables) {
    const auto record = state->find(task.plan->source);
    engine::SourceView own;
    if (is_as_loaded && record && !record->position.empty()) {
      WHERRY_ASSIGN(own, views.at(context, record->position));
    }
    connect::SnapshotSource& view = own ? *own : *source;
    WHERRY_ASSIGN(connect::Chunk part, loaded_part(context, view, task));
    progress->add(task.plan, std::move(own)).part = std::move(part);
  }
  observer.on_phase("validating");
  observer.on_validation(progress);
  WHERRY_TRY(engine::run_validation(context, *source, *target, options, *progress, sink));

  ValidationOutcome outcome;
  outcome.position = source->position();
  outcome.refused = prepared.plan.refused;
  outcome.has_table_errors = !outcome.refused.empty();
  for (const engine::TableValidation& table : progress->tables()) {
    outcome.differences += table.differences;
    outcome.has_table_errors = outcome.has_table_errors || table.error.has_value();
  }
  return outcome;
}

}  // namespace wherry::control
