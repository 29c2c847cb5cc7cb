#include "control/task_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace wherry::control {
namespace {

using Json = nlohmann::json;

constexpr int kFormatVersion = 1;
constexpr const char* kFileName = "task.json";
constexpr const char* kLockName = "lock";

Error io_error(const std::filesystem::path& path, int number, const char* action) {
  Error error = make_error(ErrorKind::kResource, "state.io",
                           std::string("cannot ") + action + " the task's state",
                           "Check the permissions and the free space of the --state directory");
  error.native_text = std::strerror(number);
  return std::move(error).with("file", path.string());
}

Result<void> write_durably(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path temporary = path.string() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return io_error(temporary, errno, "write");
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int number = errno;
      ::close(fd);
      return io_error(temporary, number, "write");
    }
    done += static_cast<std::size_t>(n);
  }
  const bool flushed = ::fsync(fd) == 0;
  const int number = errno;
  ::close(fd);
  if (!flushed) return io_error(temporary, number, "flush");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return io_error(path, errno, "replace");
  const int directory = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
  return {};
}

Error damaged(const std::filesystem::path& path, const std::string& why) {
  Error error = make_error(ErrorKind::kConfig, "state.damaged", "the task's state cannot be read",
                           "Name another --state directory, or load everything again with --start "
                           "reload-target after removing the file");
  error.native_text = why;
  return std::move(error).with("file", path.string());
}

}  // namespace

Result<std::unique_ptr<TaskState>> TaskState::open(const std::filesystem::path& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return io_error(directory, failure.value(), "create the directory of");
  const std::filesystem::path lock = directory / kLockName;
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return io_error(lock, errno, "lock");
  std::unique_ptr<TaskState> state(new TaskState(directory, fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return make_error(ErrorKind::kConfig, "state.in_use",
                      "another process is working with this state directory",
                      "Wait for it to end, or name another directory with --state")
        .with("directory", directory.string());
  }
  WHERRY_TRY(state->load());
  return state;
}

TaskState::~TaskState() { ::close(lock_fd_); }

Result<void> TaskState::load() {
  const std::filesystem::path path = directory_ / kFileName;
  std::ifstream file(path);
  if (!file) return {};
  std::ostringstream text;
  text << file.rdbuf();
  try {
    const Json json = Json::parse(text.str());
    if (json.at("version") != kFormatVersion) {
      return damaged(path, "its format version is " + json.at("version").dump());
    }
    source_ = json.at("source").get<std::string>();
    target_ = json.at("target").get<std::string>();
    position_.text = json.at("position").get<std::string>();
    for (const Json& table : json.at("tables")) {
      completed_rows_[{table.at("schema").get<std::string>(), table.at("table").get<std::string>()}] =
          table.at("rows").get<std::uint64_t>();
    }
  } catch (const Json::exception& failure) {
    return damaged(path, failure.what());
  }
  return {};
}

Result<void> TaskState::save() const {
  Json tables = Json::array();
  for (const auto& [name, rows] : completed_rows_) {
    tables.push_back({{"schema", name.schema}, {"table", name.name}, {"rows", rows}});
  }
  const Json json = {{"version", kFormatVersion}, {"source", source_}, {"target", target_},
                     {"position", position_.text}, {"tables", tables}};
  return write_durably(directory_ / kFileName, json.dump(2) + "\n");
}

bool TaskState::is_complete(const schema::TableRef& table) const {
  std::lock_guard lock(mutex_);
  return completed_rows_.count(table) != 0;
}

Result<void> TaskState::check_identity(const std::string& source, const std::string& target) const {
  if (is_fresh() || (source == source_ && target == target_)) return {};
  return make_error(ErrorKind::kConfig, "state.other_task",
                    "the state directory belongs to a task from " + source_ + " to " + target_,
                    "Name another directory with --state")
      .with("directory", directory_.string());
}

Result<void> TaskState::begin(const std::string& source, const std::string& target,
                              const Position& position) {
  std::lock_guard lock(mutex_);
  source_ = source;
  target_ = target;
  position_ = position;
  completed_rows_.clear();
  return save();
}

Result<void> TaskState::complete(const schema::TableRef& table, std::uint64_t rows) {
  std::lock_guard lock(mutex_);
  completed_rows_[table] = rows;
  return save();
}

}  // namespace wherry::control
