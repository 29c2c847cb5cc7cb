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

#include "control/plan_json.h"
#include "core/durable_file.h"

namespace wherry::control {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int kFormatVersion = 3;
constexpr int kOldestVersion = 1;
constexpr const char* kFileName = "task.json";
constexpr const char* kJournalName = "task.journal";
constexpr const char* kLockName = "lock";
constexpr std::array<std::string_view, 5> kPhaseNames = {"planned", "started", "committing",
                                                         "loaded", "complete"};
constexpr std::array<std::string_view, 3> kTypeNames = {"full-load", "cdc", "full-load-and-cdc"};
constexpr std::array<std::string_view, 3> kStageNames = {"loading", "loaded", "consistent"};

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
template <class Enumeration, class Names>
Enumeration named(const OrderedJson& json, const Names& names) {
  const auto name = json.get<std::string>();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw OrderedJson::other_error::create(501, "unknown name " + name, nullptr);
  }
  return static_cast<Enumeration>(found - names.begin());
}
TablePhase phase_of(const OrderedJson& json) {
  return named<TablePhase>(json, kPhaseNames);
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
  if (record.order != 0) json["order"] = record.order;
  if (!record.suspended.empty()) json["suspended"] = record.suspended;
  if (record.is_reloading) json["reloading"] = true;
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
  record.order = json.value("order", connect::CommitOrder{0});
  record.suspended = json.value("suspended", std::string());
  record.is_reloading = json.value("reloading", false);
  record.chunks.clear();
  for (const OrderedJson& chunk : json.value("chunks", OrderedJson::array())) {
    record.chunks.push_back({static_cast<std::uint32_t>(record.chunks.size()),
                             chunk.at(0).get<std::string>(), chunk.at(1).get<std::uint64_t>(),
                             chunk.at(2).get<std::uint64_t>()});
  }
  return record;
}

OrderedJson json_of(const engine::LaterPlan& later) {
  OrderedJson json = {{"since", OrderedJson::array({later.since.order, later.since.ordinal})},
                      {"plan", later.plan ? to_json(*later.plan) : OrderedJson()}};
  if (later.is_new) json["new"] = true;
  if (later.filled_until != 0) json["filled_until"] = later.filled_until;
  return json;
}
engine::LaterPlan later_of(const OrderedJson& json) {
  engine::LaterPlan out;
  out.since = {json.at("since").at(0).get<connect::CommitOrder>(),
               json.at("since").at(1).get<std::uint32_t>()};
  if (!json.at("plan").is_null()) out.plan = plan_from_json(json.at("plan"));
  out.is_new = json.value("new", false);
  out.filled_until = json.value("filled_until", connect::CommitOrder{0});
  return out;
}
/// What was told again takes the place of what came of the first time.
void add_later(TableRecord& record, engine::LaterPlan later) {
  std::erase_if(record.later, [&](const auto& old) { return old.since >= later.since; });
  if (later.is_new) record.suspended.clear();
  record.later.push_back(std::move(later));
}

/// Of a table that DDL has made there is nothing to load.
TableRecord& known_or_made(TableRecords& tables, const schema::TableRef& table) {
  TableRecord made;
  made.phase = TablePhase::kComplete;
  return tables.try_emplace(table, std::move(made)).first->second;
}

/// With what journal lines do not repeat.
OrderedJson whole_json_of(const TableRecord& record) {
  OrderedJson json = json_of(record);
  if (record.plan) json["plan"] = to_json(*record.plan);
  if (record.later.empty()) return json;
  OrderedJson& later = json["later"] = OrderedJson::array();
  for (const engine::LaterPlan& each : record.later) later.push_back(json_of(each));
  return json;
}
TableRecord whole_record_of(const OrderedJson& json) {
  TableRecord record = record_of(json, {});
  if (json.contains("plan")) record.plan = plan_from_json(json.at("plan"));
  for (const OrderedJson& later : json.value("later", OrderedJson::array())) {
    record.later.push_back(later_of(later));
  }
  return record;
}

OrderedJson json_of(const StreamRecord& stream) {
  return {{"name", stream.name},
          {"position", stream.position.text},
          {"order", stream.order},
          {"stage", kStageNames[static_cast<std::size_t>(stream.stage)]},
          {"cached_until", stream.cached_until},
          {"has_checkpoint", stream.has_checkpoint}};
}
void read_stage(const OrderedJson& json, StreamRecord& stream) {
  stream.stage = named<TaskStage>(json.at("stage"), kStageNames);
  stream.cached_until = json.at("cached_until").get<connect::CommitOrder>();
}
StreamRecord stream_of(const OrderedJson& json) {
  StreamRecord stream;
  stream.name = json.at("name").get<std::string>();
  stream.position.text = json.at("position").get<std::string>();
  stream.order = json.at("order").get<connect::CommitOrder>();
  stream.has_checkpoint = json.at("has_checkpoint").get<bool>();
  read_stage(json, stream);
  return stream;
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

/// What has happened since the file was written. Throws OrderedJson::exception.
void apply_line(const OrderedJson& line, TableRecords& tables, StreamRecord& stream) {
  if (line.contains("stage")) return read_stage(line, stream);
  if (line.contains("has_checkpoint")) {
    stream.has_checkpoint = true;
    return;
  }
  if (line.contains("since"))
    return add_later(known_or_made(tables, table_of(line)), later_of(line));
  const auto found = tables.find(table_of(line));
  if (found == tables.end()) return;
  if (line.contains("phase")) {
    found->second = record_of(line, std::move(found->second));
  } else {
    found->second.suspended = line.at("suspended").get<std::string>();
  }
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

bool is_new_table(const TableRecord& record) {
  return std::any_of(record.later.begin(), record.later.end(),
                     [](const engine::LaterPlan& later) { return later.is_new; });
}

bool is_due_new_table(const TableRecord& record, connect::CommitOrder until) {
  // One that was dropped before it was loaded has left the task.
  return is_new_table(record) && record.later.back().plan != nullptr && record.suspended.empty() &&
         !record.is_reloading && record.later.back().since.order <= until;
}

std::string_view name_of(MigrationType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

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
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Result<std::unique_ptr<TaskState>> TaskState::read(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kFileName;
  for (;;) {
    const auto before = read_file(path);
    std::unique_ptr<TaskState> state(new TaskState(directory, -1));
    auto loaded = state->load();
    // The journal begins anew with each file.
    if (read_file(path) != before) continue;
    WHERRY_TRY(std::move(loaded));
    return state;
  }
}

Result<TableRecords> TaskState::read_tables(const std::filesystem::path& directory) {
  WHERRY_ASSIGN(const auto state, read(directory));
  return std::move(state->tables_);
}

bool TaskState::is_in_use(const std::filesystem::path& directory) {
  const int fd = ::open((directory / kLockName).c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_free = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  ::close(fd);
  return !is_free;
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
      tables_[table_of(table)] = whole_record_of(table);
    }
    if (json.contains("stream")) stream_ = stream_of(json.at("stream"));
    if (json.contains("type")) stream_.type = named<MigrationType>(json.at("type"), kTypeNames);
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
      if (line.at("generation") == generation_) apply_line(line, tables_, stream_);
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
    table.update(whole_json_of(record));
    tables.push_back(std::move(table));
  }
  OrderedJson json = {
      {"version", kFormatVersion},    {"source", source_},         {"target", target_},
      {"position", position_.text},   {"generation", generation_}, {"load_id", load_id_},
      {"type", name_of(stream_.type)}};
  if (stream_.type != MigrationType::kFullLoad) json["stream"] = json_of(stream_);
  json["tables"] = std::move(tables);
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
                              const Position& position, TableRecords tables, StreamRecord stream) {
  std::lock_guard lock(mutex_);
  source_ = source;
  target_ = target;
  position_ = position;
  ++generation_;
  load_id_ = new_load_id();
  tables_ = std::move(tables);
  stream_ = std::move(stream);
  return save();
}

Result<void> TaskState::add(const TableRecords& tables) {
  std::lock_guard lock(mutex_);
  for (const auto& [name, record] : tables) tables_[name] = record;
  return save();
}

Result<void> TaskState::append(const std::string& line) {
  WHERRY_ASSERT(journal_fd_ >= 0, "the task has not begun");
  return write_and_flush(journal_fd_, line, directory_ / kJournalName);
}

Result<void> TaskState::record(const schema::TableRef& table, TableRecord record) {
  std::lock_guard lock(mutex_);
  const auto found = tables_.find(table);
  WHERRY_ASSERT(found != tables_.end(), "a table the task does not know");
  OrderedJson line = {{"generation", generation_}, {"schema", table.schema}, {"table", table.name}};
  line.update(json_of(record));
  WHERRY_TRY(append(text_of(line, -1)));
  found->second = std::move(record);
  return {};
}

Result<void> TaskState::set_stage(TaskStage stage, connect::CommitOrder cached_until) {
  std::lock_guard lock(mutex_);
  const OrderedJson line = {{"generation", generation_},
                            {"stage", kStageNames[static_cast<std::size_t>(stage)]},
                            {"cached_until", cached_until}};
  WHERRY_TRY(append(text_of(line, -1)));
  stream_.stage = stage;
  stream_.cached_until = cached_until;
  return {};
}

Result<void> TaskState::note_checkpoint() {
  std::lock_guard lock(mutex_);
  if (stream_.has_checkpoint) return {};
  const OrderedJson line = {{"generation", generation_}, {"has_checkpoint", true}};
  WHERRY_TRY(append(text_of(line, -1)));
  stream_.has_checkpoint = true;
  return {};
}

Result<void> TaskState::suspend(const schema::TableRef& table, const std::string& reason) {
  std::lock_guard lock(mutex_);
  const auto found = tables_.find(table);
  WHERRY_ASSERT(found != tables_.end(), "a table the task does not know");
  const OrderedJson line = {{"generation", generation_},
                            {"schema", table.schema},
                            {"table", table.name},
                            {"suspended", reason}};
  WHERRY_TRY(append(text_of(line, -1)));
  found->second.suspended = reason;
  return {};
}

Result<void> TaskState::add_plan(const schema::TableRef& table, const engine::LaterPlan& later) {
  std::lock_guard lock(mutex_);
  OrderedJson line = {{"generation", generation_}, {"schema", table.schema}, {"table", table.name}};
  line.update(json_of(later));
  WHERRY_TRY(append(text_of(line, -1)));
  add_later(known_or_made(tables_, table), later);
  return {};
}

bool TaskState::has_new_table(connect::CommitOrder until) const {
  std::lock_guard lock(mutex_);
  return std::any_of(tables_.begin(), tables_.end(),
                     [&](const auto& entry) { return is_due_new_table(entry.second, until); });
}

TableRecords TaskState::tables() const {
  std::lock_guard lock(mutex_);
  return tables_;
}
StreamRecord TaskState::stream() const {
  std::lock_guard lock(mutex_);
  return stream_;
}

}  // namespace wherry::control
