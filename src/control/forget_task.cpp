#include "control/forget_task.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>

#include "control/change_stream.h"
#include "control/control_tables.h"
#include "control/load_step.h"
#include "control/task_state.h"

namespace wherry::control {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStateFile = "task.json";

Error no_task(const fs::path& directory) {
  return make_error(ErrorKind::kConfig, "forget.no_task", "the directory has no task",
                    "Name the task's directory with --state")
      .with("directory", directory.string());
}

/// Whether Wherry makes files and directories of that name in a task's directory.
bool is_of_task(const fs::path& path) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "lock",      "task.journal", "task.json.new", "statistics.json", "statistics.json.new",
      "hold.lock", "hold.request", "hold.answer",   "hold.request.new"};
  static constexpr std::array<std::string_view, 2> kDirectories = {"cache", "reload"};
  const std::string name = path.filename().string();
  if (fs::is_directory(path)) {
    return std::find(kDirectories.begin(), kDirectories.end(), name) != kDirectories.end() ||
           path.extension() == ".open" || path.extension() == ".redo";
  }
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
         path.extension() == ".reload" || name.ends_with(".reload.new") ||
         name == "hold.answer.new" || name.starts_with("wherry-spill-") ||
         path.extension() == ".definitions" || name.ends_with(".definitions.new");
}

class Forgetting {
 public:
  Forgetting(OpContext& context, const TaskRequest& request, const TaskState& state)
      : context_(context), request_(request), state_(state) {}

  ForgetOutcome run(bool with_control_rows) {
    const std::string name = state_.stream().name;
    if (state_.stream().type != MigrationType::kFullLoad) {
      at_source(name);
      checkpoints(name);
    }
    at_target(with_control_rows);
    directory();
    return std::move(outcome_);
  }

 private:
  void note(const std::string& what, Result<void> done) {
    if (done.ok()) {
      outcome_.removed.push_back(what);
    } else {
      outcome_.left.push_back({what, std::move(done).error()});
    }
  }

  void at_source(const std::string& name) {
    const auto& from = request_.source;
    const auto forget = [&]() -> Result<void> {
      WHERRY_ASSIGN(const auto source, from.connector->open_change_source(context_, from.settings));
      WHERRY_TRY(source->forget(context_, name + "_reload"));
      return source->forget(context_, name);
    };
    note("what the stream " + name + " needs at the source", forget());
  }

  void checkpoints(const std::string& name) {
    const auto& to = request_.target;
    const auto forget = [&]() -> Result<void> {
      const connect::ApplySettings own = apply_settings_of(request_, state_.directory());
      WHERRY_ASSIGN(const auto target, to.connector->open_apply(context_, to.settings, own));
      for (const std::string& each : {name + "_reload", name, own.task_name}) {
        WHERRY_TRY(target->forget(context_, each));
      }
      return {};
    };
    note("the checkpoints of " + name + " on the target", forget());
  }

  void at_target(bool with_control_rows) {
    const auto& [connector, settings] = request_.target;
    auto loader = connector->open_loader(context_, settings);
    const auto with_loader = [&](const auto& work) {
      return loader.ok() ? work(**loader) : Result<void>(loader.error());
    };
    note("the records of the load on the target", with_loader([&](connect::TargetLoader& target) {
           auto done = target.forget(context_, state_.load_id() + "_reload");
           return done.ok() ? target.forget(context_, state_.load_id()) : done;
         }));
    if (!with_control_rows) return;
    const connect::ControlTables tables =
        control_tables_of(request_.settings, state_.directory().filename().string());
    note("the rows of " + tables.task_name + " in the control tables of the target",
         with_loader([&](connect::TargetLoader& target) {
           return target.forget_control(context_, tables);
         }));
  }

  /// The file that says what there is to remove goes last.
  void directory() {
    const fs::path& path = state_.directory();
    const std::string what = "the state directory " + path.string();
    if (!outcome_.left.empty()) {
      outcome_.left.push_back(
          {what,
           make_error(ErrorKind::kConfig, "forget.kept", "it says what is still to be removed",
                      "Give the same command again; when the rest was removed by hand, remove "
                      "the directory as well")});
      return;
    }
    std::error_code failure;
    bool has_others = false;
    for (const auto& entry : fs::directory_iterator(path, failure)) {
      if (failure) break;
      if (entry.path().filename() == kStateFile) continue;
      if (!is_of_task(entry.path())) {
        has_others = true;
        continue;
      }
      fs::remove_all(entry.path(), failure);
      if (failure) break;
    }
    if (!failure) fs::remove(path / kStateFile, failure);
    if (!failure && !has_others) fs::remove(path, failure);
    if (failure) {
      Error error = make_error(ErrorKind::kResource, "forget.directory",
                               "the task's files cannot be removed", "Remove the directory");
      error.native_text = failure.message();
      outcome_.left.push_back({what, std::move(error).with("directory", path.string())});
      return;
    }
    outcome_.removed.push_back(has_others ? "the task's files in " + path.string() : what);
  }

  OpContext& context_;
  const TaskRequest& request_;
  const TaskState& state_;
  ForgetOutcome outcome_;
};

}  // namespace

Result<ForgetOutcome> forget_task(OpContext& context, const TaskRequest& request,
                                  bool with_control_rows) {
  // Opening the state would make the directory.
  if (!fs::exists(request.state_directory / kStateFile)) return no_task(request.state_directory);
  auto state = TaskState::open(request.state_directory);
  if (!state.ok() && state.error().code == "state.in_use") {
    return make_error(ErrorKind::kConfig, "forget.running",
                      "a process is working with the task, which runs or is being compared",
                      "Stop it first")
        .with("directory", request.state_directory.string());
  }
  if (!state.ok()) return std::move(state).error();
  WHERRY_TRY((*state)->check_identity(request.source.settings.url, request.target.settings.url));
  const TaskRequest own = with_own_settings(request, **state);
  return Forgetting(context, own, **state).run(with_control_rows);
}

}  // namespace wherry::control
