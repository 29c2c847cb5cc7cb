// The redo log: for each thread, that is for each instance of the database, online log groups
// written in turn, each archived when it is left, records in the order of their addresses.
//
// A log file is known by its thread and sequence; its online copy is overwritten when its group's
// turn comes again, its archived copy stays until it is deleted, or until the archived logs take
// more than they may (the oldest go first, as in a fast recovery area). Who reads a file holds it:
// what is overwritten or deleted meanwhile shows in its state, and reading on is then an error of
// the reader's to raise.
//
// With a data directory records are written to the store's own log as they are appended and are
// durable with the next commit; recovery puts everything back at its old address.
// Threads: thread-safe. Appending is serialised by the CommitLog: redo is in the order of its lock.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/commit_log.h"
#include "store/redo_record.h"

namespace orasim {

/// State of one log file, as the V$ views show it.
struct RedoLogInfo {
  std::uint32_t thread = 0;
  std::uint32_t sequence = 0;
  Scn first_scn = 0, next_scn = 0;  ///< next: 0 while it is the current one
  std::int64_t first_unix = 0, next_unix = 0;
  std::uint64_t bytes = 0;  ///< written so far
  bool is_archived = false;
  bool is_deleted = false;  ///< archived copy known to be gone: DELETED = YES
  bool is_lost = false;     ///< archived copy gone from the disk, which the database does not know
};

/// A thread, as V$THREAD shows it.
struct RedoThreadInfo {
  std::uint32_t number = 0;
  bool is_enabled = true;
  Scn enable_scn = 0, disable_scn = 0;  ///< disable: 0 when it never was
  RedoAddress end;                      ///< where its next record will be
  Scn last_scn = 0;                     ///< of its last record
};

class RedoLogFile;
using RedoLogFilePtr = std::shared_ptr<const RedoLogFile>;

class RedoLog {
 public:
  static constexpr std::uint32_t kGroups = 3;  ///< of a thread
  static constexpr std::uint32_t kMostThreads = 8;
  static constexpr std::uint32_t kBlockBytes = 512;

  explicit RedoLog(CommitLog& log) : log_(log) {}
  /// Once, after recovery: makes the first log file if there is none.
  void start();

  /// Appends and gives addresses. Throws OraError(345) like a commit.
  void append(std::vector<RedoRecord> records);
  /// For records that must be durable exactly when something else is: give them addresses, write
  /// them as a part of that, then publish them; all under the lock of the CommitLog.
  void place(std::vector<RedoRecord>&) const;
  void publish(std::vector<RedoRecord>);

  /// The thread's next log file, whose first SCN is the next one of the database. The caller has
  /// seen to it that no change made before is still to be appended.
  void switch_log(std::uint32_t thread);
  [[nodiscard]] bool is_full(std::uint32_t thread) const;
  /// `known`: the database knows that the archived copy is gone. False: there is no such log.
  bool delete_archived(std::uint32_t thread, std::uint32_t sequence, bool known);

  /// Another instance; one that was there before goes on with the sequences it had. False: it is
  /// enabled, or no number of a thread.
  bool enable_thread(std::uint32_t thread);
  /// What it wrote last is archived. False: it is not enabled, or the only one. The caller has seen
  /// to it that no transaction writes to it any more.
  bool disable_thread(std::uint32_t thread);
  /// Of an instance that sessions are spread over.
  [[nodiscard]] std::uint32_t thread_of_session(std::uint32_t session_id) const;
  [[nodiscard]] std::vector<RedoThreadInfo> threads() const;
  /// ALTER DATABASE OPEN RESETLOGS: sequences begin again, and all logs before are gone.
  void reset_logs();
  [[nodiscard]] Scn resetlogs_scn() const;

  // Settings, from any thread.
  void set_file_bytes(std::uint64_t bytes);
  [[nodiscard]] std::uint64_t file_bytes() const;

  /// All files that are not forgotten, by thread and sequence.
  [[nodiscard]] std::vector<RedoLogInfo> files() const;
  [[nodiscard]] RedoLogFilePtr find(std::uint32_t thread, std::uint32_t sequence) const;
  [[nodiscard]] RedoLogInfo info(const RedoLogFile&) const;
  /// Records `from` onwards, at most `limit`; fewer when the file has no more yet.
  std::vector<RedoRecordPtr> read(const RedoLogFile&, std::size_t from, std::size_t limit) const;
  /// Whether the online copy of that file has been overwritten.
  [[nodiscard]] bool is_overwritten(std::uint32_t thread, std::uint32_t sequence) const;
  /// Groups of all threads are numbered through.
  [[nodiscard]] static std::uint32_t group_of(std::uint32_t thread, std::uint32_t sequence) {
    return (thread - 1) * kGroups + (sequence - 1) % kGroups + 1;
  }
  /// Where the thread's next record will be; sequence 0: there is no such thread.
  [[nodiscard]] RedoAddress end(std::uint32_t thread) const;

  // Recovery.
  using FindTable = std::function<std::shared_ptr<const TableDef>(std::uint32_t object_id)>;
  void restore(ByteReader&, const FindTable&);
  void restore_records(ByteReader&, const FindTable&);  ///< to the end
  /// Highest transaction number that any record has.
  [[nodiscard]] std::uint64_t last_transaction() const { return last_transaction_; }
  /// Ends the transactions that a crash left open, as recovery does: newest change undone first.
  void undo_open_transactions();

 private:
  enum class Event : std::uint8_t {
    kRecords = 1,
    kSwitch = 2,
    kDelete = 3,
    kEnable = 4,
    kDisable = 5,
    kResetLogs = 6
  };
  struct Thread {
    std::map<std::uint32_t, std::shared_ptr<RedoLogFile>> files;
    bool is_enabled = true;
    Scn enable_scn = 0, disable_scn = 0, last_scn = 0;
    [[nodiscard]] RedoLogFile& current() const { return *files.rbegin()->second; }
  };
  Thread& thread_at(std::uint32_t number);
  [[nodiscard]] const Thread& thread_at(std::uint32_t number) const;
  static void end_file(Thread&, Scn end_scn, std::int64_t unix_seconds);
  void begin_file(std::uint32_t thread, std::uint32_t sequence, Scn first_scn,
                  std::int64_t unix_seconds);
  void begin_first_file(std::int64_t unix_seconds);
  void enable(std::uint32_t thread, Scn scn, std::int64_t unix_seconds);
  void disable(std::uint32_t thread, Scn scn, std::int64_t unix_seconds);
  void reset(Scn scn, std::int64_t unix_seconds);
  /// An event of a thread at an SCN that is taken for it.
  void take_event(Event, std::uint32_t thread,
                  const std::function<void(Scn, std::int64_t unix_seconds)>& done);
  void add(RedoRecord);
  void mark_deleted(std::uint32_t thread, std::uint32_t sequence, bool known);
  void drop_oldest(const Thread&) const;
  void note_open(const RedoRecordPtr&);
  void restore_record(StoredRedoRecord, const FindTable&);
  std::string records_payload(const std::vector<RedoRecord>&) const;

  CommitLog& log_;
  mutable std::mutex mutex_;
  std::map<std::uint32_t, Thread> threads_;
  Scn resetlogs_scn_ = 0;  ///< 0: the database's first
  std::uint64_t file_bytes_ = std::uint64_t{50} << 20;
  std::uint64_t archived_bytes_limit_ = std::uint64_t{256} << 20;
  std::uint64_t last_transaction_ = 0;
  /// Recovery only: changes of transactions that have not ended, undone ones taken out.
  std::map<std::uint64_t, std::vector<RedoRecordPtr>> open_;
};

/// What takes a change back, as a record of the same transaction.
RedoRecord undo_of(const RedoRecord&);

}  // namespace orasim
