#include "exec/logminer_reader.h"

#include <algorithm>

#include "exec/errors.h"

namespace orasim::logminer {
namespace {

constexpr std::size_t kBatchRecords = 64;

}  // namespace

void RedoReader::check_log(const AddedLog& log) const {
  const RedoLogInfo info = redo_.info(*log.file);
  if (log.is_online && habits_.overwritten_logs && redo_.is_overwritten(log.thread, log.sequence)) {
    const auto group = [&](std::uint32_t sequence) {
      return RedoLog::group_of(log.thread, sequence);
    };
    std::uint32_t holds = redo_.end(log.thread).sequence;
    while (group(holds) != group(log.sequence)) --holds;
    raise_text(310, "archived log contains sequence " + std::to_string(holds) + "; sequence " +
                        std::to_string(log.sequence) + " required\nORA-00334: archived log: '" +
                        log.name + "'");
  }
  if (!log.is_online && (info.is_deleted || info.is_lost)) {
    raise_text(308, "cannot open archived log '" + log.name +
                        "'\nORA-27037: unable to obtain file status\nLinux-x86_64 Error: 2: No "
                        "such file or directory");
  }
}

RedoReader::RedoReader(const Store& store, std::shared_ptr<const Mining> mining)
    : redo_(store.redo()), habits_(store.habits()), mining_(std::move(mining)) {
  for (std::size_t i = 0; i < mining_->logs.size(); ++i) {
    const bool is_first = i == 0 || mining_->logs[i - 1].thread != mining_->logs[i].thread;
    if (is_first) threads_.emplace_back().log = i;
    threads_.back().end_log = i + 1;
  }
}

bool RedoReader::fill(ThreadCursor& thread) {
  while (thread.log < thread.end_log) {
    const AddedLog& log = mining_->logs[thread.log];
    check_log(log);
    auto records = redo_.read(*log.file, thread.position, kBatchRecords);
    // What was read while the file was overwritten is not what it held.
    check_log(log);
    thread.position += records.size();
    if (!records.empty()) {
      thread.batch.assign(records.begin(), records.end());
      return true;
    }
    ++thread.log;
    thread.position = 0;
  }
  return false;
}

const RedoRecord* RedoReader::peek(ThreadCursor& thread) {
  while (true) {
    if (thread.batch.empty() && !fill(thread)) return nullptr;
    const RedoRecord& record = *thread.batch.front();
    if (record.scn >= mining_->from && record.scn <= mining_->to) return &record;
    thread.batch.pop_front();
  }
}

RedoRecordPtr RedoReader::next() {
  ThreadCursor* first = nullptr;
  Scn lowest = 0;
  for (ThreadCursor& thread : threads_) {
    const RedoRecord* const record = peek(thread);
    if (record == nullptr || (first != nullptr && record->scn >= lowest)) continue;
    first = &thread;
    lowest = record->scn;
  }
  if (first == nullptr) return nullptr;
  RedoRecordPtr out = std::move(first->batch.front());
  first->batch.pop_front();
  return out;
}

bool MinedRecords::next(MinedRecord& out) {
  while (ready_.empty()) {
    RedoRecordPtr r = reader_.next();
    if (r == nullptr) return false;
    take(std::move(r));
  }
  out = std::move(ready_.front());
  ready_.pop_front();
  return true;
}

void MinedRecords::take(RedoRecordPtr r) {
  if (!is_committed_only_) {
    MinedRecord one;
    one.start_scn = r->start_scn;
    one.record = std::move(r);
    ready_.push_back(std::move(one));
    return;
  }
  auto& changes = open_[r->transaction];
  if (r->kind == RedoKind::kCommit) {
    give(changes, r);
    open_.erase(r->transaction);
  } else if (r->kind == RedoKind::kRollback) {
    open_.erase(r->transaction);
  } else if (r->is_undo) {
    take_back(changes, *r);
  } else {
    changes.push_back(std::move(r));
  }
}

void MinedRecords::take_back(std::vector<RedoRecordPtr>& changes, const RedoRecord& undo) {
  const auto found = std::find_if(changes.rbegin(), changes.rend(), [&](const RedoRecordPtr& r) {
    return r->is_row() && r->row_id == undo.row_id;
  });
  if (found != changes.rend()) changes.erase(std::next(found).base());
}

void MinedRecords::give(std::vector<RedoRecordPtr>& changes, const RedoRecordPtr& commit) {
  // A transaction whose begin is not in the range is not given.
  const bool is_whole = !changes.empty() && changes.front()->kind == RedoKind::kStart;
  if (!is_whole) return;
  MinedRecord one;
  one.start_scn = changes.front()->scn;
  one.start_unix = changes.front()->unix_seconds;
  one.commit_scn = commit->scn;
  one.commit_unix = commit->unix_seconds;
  changes.push_back(commit);
  for (RedoRecordPtr& r : changes) {
    one.record = std::move(r);
    ready_.push_back(one);
  }
}

}  // namespace orasim::logminer
