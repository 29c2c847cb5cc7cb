// Asking a task to load tables again: a file in its state directory, which a running task finds
// within a second, and a stopped one at its next start. Format: docs/design/task-state.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "schema/table_def.h"

namespace wherry::control {

/// kConfig "reload.shared_target": the rows of others are in its target too.
Error shared_target_error(const schema::TableRef& table);

/// `tables`: "SCHEMA.TABLE" by their source names. kConfig "reload.unknown_table" names those that
/// the task does not have. True: the task is running now.
Result<bool> request_reload(const std::filesystem::path& directory,
                            const std::vector<std::string>& tables);
/// The same, of tables that the task has.
Result<void> write_reload_request(const std::filesystem::path& directory,
                                  const std::vector<schema::TableRef>& tables);

struct ReloadRequests {
  std::vector<schema::TableRef> tables;  ///< each once
  std::vector<std::filesystem::path> files;
};
/// What has been asked for. A file that is none of ours is kConfig "reload.damaged".
Result<ReloadRequests> read_reload_requests(const std::filesystem::path& directory);
/// They are in the task's state now.
void remove_reload_requests(const ReloadRequests& requests);

}  // namespace wherry::control
