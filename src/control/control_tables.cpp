#include "control/control_tables.h"

#include <unistd.h>

#include <array>
#include <chrono>

namespace wherry::control {
namespace {

/// The end of a task does not wait longer for a target that does not answer.
constexpr std::chrono::seconds kLastWords{10};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

connect::ControlTables control_tables_of(const TaskSettings& settings,
                                         const std::string& task_name) {
  connect::ControlTables tables;
  tables.schema = settings.control_schema;
  tables.task_name = task_name.substr(0, 128);
  tables.server_name = host_name().substr(0, 128);
  tables.has_history = settings.control_tables.has_history;
  tables.has_status = settings.control_tables.has_status;
  tables.has_suspended_tables = settings.control_tables.has_suspended_tables;
  return tables;
}

LoadRecorder::LoadRecorder(OpContext& context, std::shared_ptr<connect::ControlWriter> writer,
                           const ControlTableSettings& settings,
                           std::shared_ptr<const engine::LoadProgress> progress, bool is_followed)
    : log_(context.log.as(Component::kTaskManager)),
      context_{{}, std::chrono::steady_clock::time_point::max(), log_},
      writer_(std::move(writer)),
      is_followed_(is_followed),
      slot_minutes_(settings.history_minutes),
      progress_(std::move(progress)) {
  if (writer_ == nullptr) return;
  note(writer_->set_status(context_, "FULL LOAD"));
  if (settings.has_history) history_ = std::thread([this] { keep_history(); });
}

LoadRecorder::~LoadRecorder() {
  if (writer_ == nullptr) return;
  context_.deadline = std::chrono::steady_clock::now() + kLastWords;
  if (history_.joinable()) {
    {
      std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    wake_.notify_all();
    history_.join();
    write_slot();
  }
  write_tables();
  if (!is_followed_) note(writer_->set_status(context_, "NOT RUNNING"));
}

void LoadRecorder::keep_history() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::minutes(slot_minutes_), [this] { return is_over_; })) {
    lock.unlock();
    write_slot();
    lock.lock();
  }
}

void LoadRecorder::write_slot() {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const engine::TableProgress& table : progress_->tables()) {
    rows += table.rows;
    bytes += table.bytes;
  }
  // A table that began again has fewer rows than before.
  const auto more = [](std::uint64_t now, std::uint64_t before) {
    return now > before ? now - before : 0;
  };
  note(writer_->add_history(
      context_, {slot_minutes_, more(rows, recorded_rows_), more(bytes, recorded_bytes_)}));
  recorded_rows_ = rows;
  recorded_bytes_ = bytes;
}

void LoadRecorder::write_tables() {
  for (const engine::TableProgress& table : progress_->tables()) {
    const engine::TableState state = table.state;
    if (state == engine::TableState::kTableError && table.error) {
      note(writer_->suspend(context_, table.plan->target, table.error->code));
    } else if (state == engine::TableState::kTableCompleted) {
      note(writer_->end_suspension(context_, table.plan->target));
    }
  }
}

void LoadRecorder::note(const Result<void>& written) {
  if (!written.ok())
    log_.warn("a control table is out of date", {{"cause", written.error().to_log_text()}});
}

}  // namespace wherry::control
