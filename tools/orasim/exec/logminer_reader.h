// Records of the logs of a mining, in the order LogMiner gives them: that of their addresses,
// threads merged by SCN; or whole committed transactions in the order of their commits.
#pragma once

#include <atomic>
#include <deque>
#include <map>

#include "exec/logminer_session.h"

namespace orasim::logminer {

class RedoReader {
 public:
  RedoReader(const Store& store, std::shared_ptr<const Mining> mining);
  /// The next record within the bounds; null at the end. ORA-00310 when an online log has been
  /// overwritten, ORA-00308 when an archived one is gone.
  RedoRecordPtr next();

 private:
  struct ThreadCursor {
    std::size_t log = 0, end_log = 0;  ///< of the mining's
    std::size_t position = 0;          ///< in the log
    std::deque<RedoRecordPtr> batch;
  };
  bool fill(ThreadCursor&);
  /// The next record of the thread within the bounds, which stays; null at the end.
  const RedoRecord* peek(ThreadCursor&);
  void check_log(const AddedLog&) const;

  RedoLog& redo_;
  const Habits& habits_;
  std::shared_ptr<const Mining> mining_;
  std::vector<ThreadCursor> threads_;
};

/// A record with what COMMITTED_DATA_ONLY knows of its transaction.
struct MinedRecord {
  RedoRecordPtr record;
  Scn start_scn = 0, commit_scn = 0;
  std::int64_t start_unix = 0, commit_unix = 0;
};

class MinedRecords {
 public:
  MinedRecords(const Store& store, std::shared_ptr<const Mining> mining)
      : reader_(store, mining), is_committed_only_(mining->has(kCommittedDataOnly)) {}
  /// False at the end.
  bool next(MinedRecord&);

 private:
  void take(RedoRecordPtr);
  void take_back(std::vector<RedoRecordPtr>& changes, const RedoRecord& undo);
  void give(std::vector<RedoRecordPtr>& changes, const RedoRecordPtr& commit);

  RedoReader reader_;
  bool is_committed_only_;
  std::map<std::uint64_t, std::vector<RedoRecordPtr>> open_;
  std::deque<MinedRecord> ready_;
};

}  // namespace orasim::logminer
