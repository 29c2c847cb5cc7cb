#include "control/request_settings.h"

#include "control/settings_scope.h"

namespace wherry::control {
namespace {

TaskKind kind_of(const TaskRequest& request, const TaskSettings& settings) {
  const connect::ConnectorInfo& source = request.source.connector->info();
  TaskKind kind;
  kind.loads = request.type != MigrationType::kCdc;
  kind.has_changes = request.type != MigrationType::kFullLoad;
  kind.is_batch = settings.changes.apply.is_batch;
  kind.reads_lobs_apart = source.reads_lobs_apart;
  kind.awaits_transactions = source.awaits_transactions;
  return kind;
}

}  // namespace

void take_settings(TaskRequest& request, TaskSettings settings, const Logger& log) {
  request.settings = std::move(settings);
  TaskSettings& own = request.settings;
  for (std::string& what : out_of_scope(own.scoped_keys, kind_of(request, own))) {
    own.without_effect.push_back(std::move(what));
  }
  request.rules.set_target_schema(own.target_schema);
  for (const auto& [component, level] : own.log_levels) log.set_level(component, level);
}

}  // namespace wherry::control
