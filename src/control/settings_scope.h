// Keys of the task settings that mean something to some tasks only, to those with changes for one.
// What was sent for another task is told with the reason, like a key that has no effect at all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/settings_document.h"

namespace wherry::control {

/// What decides whether such a key means something.
struct TaskKind {
  bool loads = true;
  bool has_changes = true;
  bool is_batch = false;            ///< BatchApplyEnabled
  bool reads_lobs_apart = true;     ///< connect::ConnectorInfo, of the source
  bool awaits_transactions = true;  ///< likewise
};

/// The keys that were sent with another value than the default, if there are tasks to which they
/// mean nothing. The paths are those of the catalogue, and live as long.
std::vector<std::string_view> scoped_keys_of(const SettingsDocument& document);
/// "PATH: why" of those that mean nothing to a task of that kind.
std::vector<std::string> out_of_scope(const std::vector<std::string_view>& keys,
                                      const TaskKind& task);

}  // namespace wherry::control
