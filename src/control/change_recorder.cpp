#include "control/change_recorder.h"

#include <algorithm>

#include "control/reload_request.h"

namespace wherry::control {
namespace {

constexpr std::chrono::seconds kStatusInterval{5};
/// The end of a task does not wait longer for a target that does not answer.
constexpr std::chrono::seconds kPatienceAtTheEnd{10};

/// The name that the state has for a table: a rename does not change it.
schema::TableRef name_in_state(const TaskState& state, const schema::TableRef& source) {
  if (state.find(source)) return source;
  for (const auto& [name, record] : state.tables()) {
    for (const engine::LaterPlan& later : record.later) {
      if (later.plan && later.plan->source == source) return name;
    }
  }
  return source;
}

}  // namespace

ChangeRecorder::ChangeRecorder(const OpContext& context,
                               std::shared_ptr<connect::ControlWriter> writer,
                               const ControlTableSettings& settings,
                               std::shared_ptr<const ChangeProgress> progress)
    : log_(context.log.as(Component::kTaskManager)),
      context_{{}, std::chrono::steady_clock::time_point::max(), log_},
      writer_(std::move(writer)),
      settings_(settings),
      progress_(std::move(progress)),
      recorded_changes_(progress_->applied().all()) {
  if (writer_ != nullptr) keeper_ = std::thread([this] { keep(); });
}

ChangeRecorder::~ChangeRecorder() {
  if (writer_ == nullptr) return;
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  wake_.notify_all();
  keeper_.join();
  context_.deadline = std::chrono::steady_clock::now() + kPatienceAtTheEnd;
  if (settings_.has_history) write_slot();
  write_status("NOT RUNNING");
}

void ChangeRecorder::keep() {
  auto next_slot =
      std::chrono::steady_clock::now() + std::chrono::minutes(settings_.history_minutes);
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    write_status("CHANGE PROCESSING");
    if (settings_.has_history && std::chrono::steady_clock::now() >= next_slot) {
      write_slot();
      next_slot += std::chrono::minutes(settings_.history_minutes);
    }
    lock.lock();
  } while (!wake_.wait_for(lock, kStatusInterval, [this] { return is_over_; }));
}

connect::StatusFigures ChangeRecorder::figures() const {
  const engine::FeedStatus feed = progress_->feed();
  connect::StatusFigures out;
  out.pending_changes = progress_->apply.pending_changes();
  out.disk_swap_bytes = feed.disk_bytes;
  out.memory_bytes = feed.memory_bytes;
  out.current_position = feed.read_to.position.text;
  out.tail_position = progress_->position().text;
  if (feed.head) out.current_time = feed.head->time;
  if (const auto checkpoint = progress_->apply.checkpoint()) {
    out.tail_time = out.applied_time = checkpoint->commit_time;
  }
  return out;
}

void ChangeRecorder::write_status(std::string_view status) {
  const connect::StatusFigures now = figures();
  std::lock_guard lock(writer_mutex_);
  note(writer_->set_status(context_, status, now));
}

void ChangeRecorder::write_slot() {
  const std::uint64_t changes = progress_->applied().all();
  connect::HistorySlot slot;
  slot.minutes = settings_.history_minutes;
  slot.records = changes - std::min(recorded_changes_, changes);
  slot.is_change_processing = true;
  slot.latency_secs = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(
          progress_->apply.target_latency(std::chrono::system_clock::now()))
          .count());
  recorded_changes_ = changes;
  std::lock_guard lock(writer_mutex_);
  note(writer_->add_history(context_, slot));
}

void ChangeRecorder::suspend(const schema::TableRef& target, const std::string& reason) {
  if (writer_ == nullptr) return;
  std::lock_guard lock(writer_mutex_);
  note(writer_->suspend(context_, target, reason));
}

void ChangeRecorder::end_suspension(const schema::TableRef& target) {
  if (writer_ == nullptr) return;
  std::lock_guard lock(writer_mutex_);
  note(writer_->end_suspension(context_, target));
}

void ChangeRecorder::note(const Result<void>& written) {
  if (written.ok()) return;
  log_.warn("a control table is out of date", {{"cause", written.error().to_log_text()}});
}

Result<void> StateEvents::on_suspended(const schema::TablePlan& plan, const Error& error) {
  log_.error(error);
  log_.error("the table's changes are given up; load it again with wherry reload",
             {{"table", schema::to_text(plan.source)}});
  WHERRY_TRY(state_.suspend(name_in_state(state_, plan.source), error.code));
  recorder_.suspend(plan.target, error.code);
  return {};
}

Result<void> StateEvents::on_plan(const schema::TableRef& source, const engine::LaterPlan& later) {
  WHERRY_TRY(state_.add_plan(source, later));
  if (later.is_new) recorder_.end_suspension(later.plan->target);
  return {};
}

Result<void> StateEvents::on_reload(const schema::TableRef& source) {
  log_.info("the table is to be loaded again, as its rows have no key to find them by",
            {{"table", schema::to_text(source)}});
  return write_reload_request(state_.directory(), {source});
}

}  // namespace wherry::control
