#include "exec/logminer_session.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "exec/errors.h"
#include "store/redo_names.h"

namespace orasim::logminer {
namespace {

constexpr int kNoContinuousMine = 19;  // the release that lost it

[[noreturn]] void cannot_open(const std::string& name) {
  raise_text(1284, "file " + name + " cannot be opened\nORA-00308: cannot open archived log '" +
                       name +
                       "'\nORA-27037: unable to obtain file status\nLinux-x86_64 Error: 2: No such "
                       "file or directory");
}

/// The sequence that the group of an online log holds now; 0: none.
std::uint32_t sequence_in(const RedoLog& redo, std::uint32_t thread, std::uint32_t group) {
  for (std::uint32_t sequence = redo.end(thread).sequence; sequence > 0; --sequence) {
    if (RedoLog::group_of(thread, sequence) == group) return sequence;
  }
  return 0;
}

AddedLog open_log(Store& store, const std::string& name) {
  const RedoLog& redo = store.redo();
  AddedLog log;
  log.name = name;
  const std::uint32_t group = redo_names::group_of(name);
  log.is_online = group != 0;
  if (log.is_online) {
    log.thread = (group - 1) / RedoLog::kGroups + 1;
    log.sequence = sequence_in(redo, log.thread, group);
  } else if (const auto archived = redo_names::archived_of(name, store.identity())) {
    log.thread = archived->thread;
    log.sequence = archived->sequence;
  }
  log.file = redo.find(log.thread, log.sequence);
  if (log.file == nullptr) cannot_open(name);
  const RedoLogInfo info = redo.info(*log.file);
  if (!log.is_online && (!info.is_archived || info.is_deleted || info.is_lost)) cannot_open(name);
  return log;
}

/// What the server would have added itself: every log that has a part of the range.
std::vector<AddedLog> logs_of_range(Store& store, Scn from) {
  std::vector<AddedLog> logs;
  const std::vector<RedoLogInfo> files = store.redo().files();
  for (const RedoLogInfo& info : files) {
    if (info.next_scn != 0 && info.next_scn <= from) continue;
    if (info.is_deleted) continue;  // check_complete() misses it
    logs.push_back(open_log(
        store, info.is_archived
                   ? redo_names::archived(info.thread, info.sequence, store.identity())
                   : redo_names::online_member(RedoLog::group_of(info.thread, info.sequence))));
  }
  return logs;
}

void check_dictionary(Store& store, const StartRequest& request) {
  if ((request.options & kDictFromRedoLogs) != 0) {
    raise_text(1371, "Complete LogMiner dictionary not found");
  }
  if ((request.options & kDdlDictTracking) != 0 && !store.catalog()->supplemental.is_on()) {
    raise_text(1347, "Supplemental log data no longer found");
  }
}

[[noreturn]] void missing_log() {
  raise_text(1291, "missing log file");
}

/// A bound as an SCN; nullopt when none was given.
std::optional<Scn> bound_of(Store& store, const std::optional<std::int64_t>& scn,
                            const std::optional<std::int64_t>& unix_seconds) {
  if (scn && *scn < 0) raise_text(1281, "SCN range specified is invalid");
  if (scn && *scn != 0) return static_cast<Scn>(*scn);
  if (!unix_seconds) return std::nullopt;
  const auto found = store.scn_at(*unix_seconds);
  return found ? *found : store.current_scn();
}

/// Every log of the range must be there, of the threads that were added: a thread of which there is
/// none is not missed, as databases do.
void check_complete(const RedoLog& redo, const Mining& mining) {
  Scn reached = 0, thread_reached = 0;
  const AddedLog* last = nullptr;
  for (const AddedLog& log : mining.logs) {
    const RedoLogInfo info = redo.info(*log.file);
    const bool is_first = last == nullptr || last->thread != log.thread;
    const RedoLogFilePtr earlier = redo.find(log.thread, log.sequence - 1);
    const bool is_needed = earlier != nullptr && redo.info(*earlier).next_scn > mining.from;
    if (is_first && mining.from < info.first_scn && (is_needed || last == nullptr)) missing_log();
    const bool has_hole = !is_first && log.sequence != last->sequence + 1;
    if (has_hole && mining.from < info.first_scn && mining.to >= thread_reached) missing_log();
    last = &log;
    thread_reached = info.next_scn == 0 ? std::numeric_limits<Scn>::max() : info.next_scn;
    reached = std::max(reached, thread_reached);
  }
  if (mining.from >= reached) missing_log();
}

}  // namespace

void LogMinerSession::add_logfile(Store& store, const std::string& name, std::uint32_t option) {
  if (option == kRemoveFile) return remove_logfile(name);
  AddedLog log = open_log(store, name);
  if (option == kNew) {
    logs_.clear();
    mining_.reset();
  }
  for (const AddedLog& other : logs_) {
    if (other.thread == log.thread && other.sequence == log.sequence) {
      raise_text(1289, "cannot add duplicate logfile " + name);
    }
  }
  logs_.push_back(std::move(log));
}

void LogMinerSession::remove_logfile(const std::string& name) {
  const auto found = std::find_if(logs_.begin(), logs_.end(),
                                  [&](const AddedLog& log) { return log.name == name; });
  if (found == logs_.end()) raise_text(1290, "cannot remove unlisted logfile " + name);
  logs_.erase(found);
}

void LogMinerSession::start(Store& store, const StartRequest& request, int release) {
  const bool is_continuous = (request.options & kContinuousMine) != 0;
  if (is_continuous && release >= kNoContinuousMine) {
    raise_text(44609, "CONTINUOUS_MINE is desupported for use with DBMS_LOGMNR.START_LOGMNR.");
  }
  check_dictionary(store, request);
  auto mining = std::make_shared<Mining>();
  mining->options = request.options;
  const auto from = bound_of(store, request.start_scn, request.start_unix);
  const auto to = bound_of(store, request.end_scn, request.end_unix);
  if (from && to && *to < *from) raise_text(1281, "SCN range specified is invalid");
  mining->logs = logs_;
  if ((is_continuous || request.picks_logs) && from) mining->logs = logs_of_range(store, *from);
  if (mining->logs.empty()) {
    raise_text(1292, "no log file has been specified for the current LogMiner session");
  }
  std::sort(mining->logs.begin(), mining->logs.end(), [](const AddedLog& a, const AddedLog& b) {
    return std::tie(a.thread, a.sequence) < std::tie(b.thread, b.sequence);
  });
  const RedoLog& redo = store.redo();
  mining->from = from.value_or(redo.info(*mining->logs.front().file).first_scn);
  mining->to = to.value_or(std::numeric_limits<Scn>::max());
  check_complete(redo, *mining);
  mining_ = std::move(mining);
}

void LogMinerSession::end() {
  if (!mining_) raise_text(1307, "no LogMiner session is currently active");
  mining_.reset();
  logs_.clear();
}

std::shared_ptr<const Mining> LogMinerSession::mining() const {
  if (!mining_) {
    raise_text(1306,
               "dbms_logmnr.start_logmnr() must be invoked before selecting from "
               "v$logmnr_contents");
  }
  return mining_;
}

}  // namespace orasim::logminer
