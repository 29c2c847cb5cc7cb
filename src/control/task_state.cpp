#include "control/task_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string_view>

#include "control/durable_file.h"

namespace wherry::control {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int kFormatVersion = 2;
constexpr int kOldestVersion = 1;
constexpr const char* kFileName = "task.json";
constexpr const char* kJournalName = "task.journal";
constexpr const char* kLockName = "lock";
constexpr std::array<std::string_view, 5> kPhaseNames = {"planned", "started", "committing",
                                                         "loaded", "complete"};

Error damaged(const std::filesystem::path& path, const std::string& why) {
  Error error = make_error(ErrorKind::kConfig, "state.damaged", "the task's state cannot be read",
                           "Name another --state directory, or remove the file and start over with "
                           "empty target tables");
  error.native_text = why;
  return std::move(error).with("file", path.string());
}

std::string_view name_of(TablePhase phase) {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}

/// Throws OrderedJson::exception on an unknown name, as a wrong type does.
TablePhase phase_of(const OrderedJson& json) {
  const auto name = json.get<std::string>();
  const auto found = std::find(kPhaseNames.begin(), kPhaseNames.end(), name);
  if (found == kPhaseNames.end()) {
    throw OrderedJson::other_error::create(501, "unknown phase " + name, nullptr);
  }
  return static_cast<TablePhase>(found - kPhaseNames.begin());
}

schema::TableRef table_of(const OrderedJson& json) {
  return {json.at("schema").get<std::string>(), json.at("table").get<std::string>()};
}

OrderedJson json_of(const TableRecord& record) {
  OrderedJson json = {{"phase", name_of(record.phase)},
                      {"target_existed", record.target_existed},
                      {"rows", record.rows}};
  if (record.refused_rows != 0) json["refused_rows"] = record.refused_rows;
  if (record.truncated_values != 0) json["truncated_values"] = record.truncated_values;
  if (record.was_empty) json["was_empty"] = true;
  if (record.may_double) json["may_double"] = true;
  if (record.attempt != 1) json["attempt"] = record.attempt;
  if (!record.position.empty()) json["position"] = record.position.text;
  if (record.phase != TablePhase::kStarted) return json;
  OrderedJson& chunks = json["chunks"] = OrderedJson::array();
  for (const connect::Chunk& chunk : record.chunks) {
    chunks.push_back(
        OrderedJson::array({chunk.predicate, chunk.estimated_rows, chunk.estimated_bytes}));
  }
  return json;
}

/// What version 1 does not know has its default. Throws OrderedJson::exception.
TableRecord record_of(const OrderedJson& json, TableRecord record) {
  record.phase = phase_of(json.at("phase"));
  record.rows = json.at("rows").get<std::uint64_t>();
  record.target_existed = json.value("target_existed", record.target_existed);
  record.refused_rows = json.value("refused_rows", std::uint64_t{0});
  record.truncated_values = json.value("truncated_values", std::uint64_t{0});
  record.was_empty = json.value("was_empty", false);
  record.may_double = json.value("may_double", false);
  record.attempt = json.value("attempt", std::uint64_t{1});
  record.position.text = json.value("position", std::string());
  record.chunks.clear();
  for (const OrderedJson& chunk : json.value("chunks", OrderedJson::array())) {
    record.chunks.push_back({static_cast<std::uint32_t>(record.chunks.size()),
                             chunk.at(0).get<std::string>(), chunk.at(1).get<std::uint64_t>(),
                             chunk.at(2).get<std::uint64_t>()});
  }
  return record;
}

/// 128 random bits; two tasks may share a target.
std::string new_load_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) id += fmt::format("{:08x}", random());
  return id;
}

std::string text_of(const OrderedJson& json, int indent) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Result<std::unique_ptr<TaskState>> TaskState::open(const std::filesystem::path& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return file_error(directory, failure.value(), "create the directory of");
  const std::filesystem::path lock = directory / kLockName;
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return file_error(lock, errno, "lock");
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

TaskState::~TaskState() {
  if (journal_fd_ >= 0) ::close(journal_fd_);
  ::close(lock_fd_);
}

Result<void> TaskState::load() {
  const std::filesystem::path path = directory_ / kFileName;
  const auto text = read_file(path);
  if (!text) return {};
  try {
    const OrderedJson json = OrderedJson::parse(*text);
    const int version = json.at("version").get<int>();
    if (version < kOldestVersion || version > kFormatVersion) {
      return damaged(path, "its format version is " + json.at("version").dump());
    }
    source_ = json.at("source").get<std::string>();
    target_ = json.at("target").get<std::string>();
    position_.text = json.at("position").get<std::string>();
    generation_ = json.at("generation").get<std::uint64_t>();
    load_id_ = json.value("load_id", std::string());
    if (load_id_.empty()) load_id_ = new_load_id();  // of version 1; kept with the next save()
    for (const OrderedJson& table : json.at("tables")) {
      tables_[table_of(table)] = record_of(table, {});
    }
  } catch (const OrderedJson::exception& problem) {
    return damaged(path, problem.what());
  }
  return replay();
}

Result<void> TaskState::replay() {
  const std::filesystem::path path = directory_ / kJournalName;
  const auto text = read_file(path);
  if (!text) return {};
  std::size_t at = 0;
  // A last line without its end was being written when the process died, so nobody relied on it.
  for (std::size_t end = text->find('\n'); end != std::string::npos; end = text->find('\n', at)) {
    try {
      const OrderedJson line = OrderedJson::parse(std::string_view(*text).substr(at, end - at));
      const auto found = tables_.find(table_of(line));
      if (line.at("generation") == generation_ && found != tables_.end()) {
        found->second = record_of(line, std::move(found->second));
      }
    } catch (const OrderedJson::exception& problem) {
      return damaged(path, problem.what());
    }
    at = end + 1;
  }
  return {};
}

Result<void> TaskState::save() {
  OrderedJson tables = OrderedJson::array();
  for (const auto& [name, record] : tables_) {
    OrderedJson table = {{"schema", name.schema}, {"table", name.name}};
    table.update(json_of(record));
    tables.push_back(std::move(table));
  }
  const OrderedJson json = {{"version", kFormatVersion}, {"source", source_},
                            {"target", target_},         {"position", position_.text},
                            {"generation", generation_}, {"load_id", load_id_},
                            {"tables", tables}};
  WHERRY_TRY(replace_file(directory_ / kFileName, text_of(json, 2)));
  return open_journal();
}

/// What the journal held is in the file now, or belongs to an older generation.
Result<void> TaskState::open_journal() {
  const std::filesystem::path path = directory_ / kJournalName;
  if (journal_fd_ >= 0) ::close(journal_fd_);
  journal_fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (journal_fd_ < 0) return file_error(path, errno, "write");
  return {};
}

std::optional<TableRecord> TaskState::find(const schema::TableRef& table) const {
  std::lock_guard lock(mutex_);
  const auto found = tables_.find(table);
  return found == tables_.end() ? std::nullopt : std::optional(found->second);
}

Result<void> TaskState::check_identity(const std::string& source, const std::string& target) const {
  if (is_fresh() || (source == source_ && target == target_)) return {};
  return make_error(ErrorKind::kConfig, "state.other_task",
                    "the state directory belongs to a task from " + source_ + " to " + target_,
                    "Name another directory with --state")
      .with("directory", directory_.string());
}

Result<void> TaskState::begin(const std::string& source, const std::string& target,
                              const Position& position, TableRecords tables) {
  std::lock_guard lock(mutex_);
  source_ = source;
  target_ = target;
  position_ = position;
  ++generation_;
  load_id_ = new_load_id();
  tables_ = std::move(tables);
  return save();
}

Result<void> TaskState::add(const TableRecords& tables) {
  std::lock_guard lock(mutex_);
  for (const auto& [name, record] : tables) tables_[name] = record;
  return save();
}

Result<void> TaskState::record(const schema::TableRef& table, TableRecord record) {
  std::lock_guard lock(mutex_);
  WHERRY_ASSERT(journal_fd_ >= 0, "the task has not begun");
  const auto found = tables_.find(table);
  WHERRY_ASSERT(found != tables_.end(), "a table the task does not know");
  OrderedJson line = {{"generation", generation_}, {"schema", table.schema}, {"table", table.name}};
  line.update(json_of(record));
  WHERRY_TRY(write_and_flush(journal_fd_, text_of(line, -1), directory_ / kJournalName));
  found->second = std::move(record);
  return {};
}

}  // namespace wherry::control
