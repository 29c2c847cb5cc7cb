// An in-process database: tables with rows, every change a new version, old versions readable until
// they are forgotten. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/api/connector.h"
#include "connect/memory/faults.h"
#include "connect/memory/value.h"
#include "core/secret.h"
#include "schema/table_def.h"

namespace wherry::memory {

struct Table {
  schema::TableDef definition;
  std::vector<Row> rows;
};
using TablePtr = std::shared_ptr<const Table>;
using Tables = std::map<schema::TableRef, TablePtr>;

/// A foreign key that changes are held to, at the end of each step or, deferred, of a transaction;
/// loads are not.
struct ForeignKey {
  schema::TableRef child;
  std::vector<std::string> columns;
  schema::TableRef parent;
  std::vector<std::string> parent_columns;
  bool is_deferred = false;
};

/// What a task's changes have left besides rows, as of one version.
struct ApplyState {
  std::map<std::string, std::map<std::uint32_t, connect::Checkpoint>> checkpoints;
  std::vector<connect::ApplyException> exceptions;
};

/// One row of a commit, as a stream tells it.
struct LoggedChange {
  connect::ChangeKind kind = connect::ChangeKind::kInsert;  ///< a row's, or kTruncate
  schema::TableRef table;
  TablePtr as;  ///< the table whose definition the rows have
  Row before, after;
};
/// A commit, in the order in which its changes were made.
struct LoggedCommit {
  std::uint64_t version = 0;
  std::chrono::system_clock::time_point time;
  std::vector<LoggedChange> changes;
};
using LoggedCommitPtr = std::shared_ptr<const LoggedCommit>;

/// Rows that went and came between two versions.
std::vector<LoggedChange> difference(const Tables& before, const Tables& after);

/// Changes of several tables that are committed together. A row is named by the values of its
/// table's key, or by all its values when there is none; "memory.no_row" when it is not there.
class Transaction {
 public:
  explicit Transaction(Tables& tables) : tables_(tables) {}
  Result<void> insert(const schema::TableRef& table, Row row);
  Result<void> update(const schema::TableRef& table, const Row& key, Row row);
  Result<void> remove(const schema::TableRef& table, const Row& key);
  Result<void> truncate(const schema::TableRef& table);
  /// As the transaction sees them. REQUIRES: the table exists.
  [[nodiscard]] const std::vector<Row>& rows(const schema::TableRef& table) const {
    return tables_.at(table)->rows;
  }
  [[nodiscard]] std::vector<LoggedChange> take_changes() { return std::move(changes_); }

 private:
  Result<Table*> edit(const schema::TableRef& table);
  static Result<std::size_t> find_row(const Table& table, const Row& key);
  void log(connect::ChangeKind kind, const schema::TableRef& table, Row before, Row after);

  Tables& tables_;
  std::map<schema::TableRef, std::shared_ptr<Table>> edited_;
  std::vector<LoggedChange> changes_;
};

class Database {
 public:
  /// Creates or replaces. REQUIRES: as many values a row as columns.
  void put(schema::TableDef definition, std::vector<Row> rows = {});
  void drop(const schema::TableRef& table);
  /// Changes rows or definition of an existing table as one commit; an error changes nothing.
  Result<void> change(const schema::TableRef& table,
                      const std::function<Result<void>(Table&)>& edit);
  /// One commit of several changes; an error changes nothing.
  Result<void> transact(const std::function<Result<void>(Transaction&)>& work);
  /// nullptr when there is none.
  [[nodiscard]] TablePtr find(const schema::TableRef& table) const;

  /// The number of the newest version; it rises with every commit.
  [[nodiscard]] std::uint64_t version() const;
  /// All tables as of a version; nullptr when that version is forgotten or never was.
  [[nodiscard]] std::shared_ptr<const Tables> as_of(std::uint64_t version) const;
  /// Only the newest version stays readable.
  void forget_history();

  /// When set, connections need it.
  void set_password(std::string password);
  [[nodiscard]] bool accepts(const Secret& password) const;

  /// The ledger of loads. False, and nothing is recorded, when a chunk is there already.
  bool record(const std::string& load_id, std::span<const connect::DoneChunk> chunks);
  [[nodiscard]] std::vector<connect::DoneChunk> recorded(const std::string& load_id) const;
  void forget_records(const std::string& load_id);

  /// REQUIRES: no change is applied yet.
  void add_foreign_key(ForeignKey key);
  [[nodiscard]] std::vector<ForeignKey> foreign_keys() const;
  /// Commits what `edit` makes of the newest tables and state, which nobody else changes meanwhile.
  Result<void> apply(const std::function<Result<void>(Tables&, ApplyState&)>& edit);
  /// The newest when `version` is empty; nullptr when it is forgotten or never was.
  [[nodiscard]] std::shared_ptr<const ApplyState> apply_state(
      std::optional<std::uint64_t> version = std::nullopt) const;

  /// From now on commits are logged, for streams; what put(), change() and apply() do is told as
  /// rows that come and go. Returns the version after which the log begins.
  /// `slot`: a stream's name; the log then stays until all that have one have confirmed it.
  std::uint64_t keep_log(const std::string& slot = {});
  void drop_slot(const std::string& slot);
  /// The first logged commit after `version`; nullptr: there is none yet. kPositionLost when the
  /// log does not go back that far.
  [[nodiscard]] Result<LoggedCommitPtr> logged_after(std::uint64_t version) const;
  /// Everything at or before `version` leaves the log.
  void forget_log(std::uint64_t version);
  /// Up to which version the streams have said that the log may go; it does.
  [[nodiscard]] std::uint64_t confirmed() const;
  void confirm(const std::string& slot, std::uint64_t version);
  /// Until there is a version after `version`, or the context's deadline or stop.
  void wait_for_version(OpContext& context, std::uint64_t version) const;

  Faults& faults() { return faults_; }

 private:
  /// REQUIRES: mutex_ is held.
  void commit(Tables tables, std::optional<std::vector<LoggedChange>> changes = std::nullopt);

  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::map<std::uint64_t, std::shared_ptr<const Tables>> history_{
      {0, std::make_shared<const Tables>()}};
  /// By the version that made it; a version without one has that of the version before.
  std::map<std::uint64_t, std::shared_ptr<const ApplyState>> apply_states_{
      {0, std::make_shared<const ApplyState>()}};
  std::vector<ForeignKey> foreign_keys_;
  mutable std::condition_variable_any committed_;
  std::map<std::uint64_t, LoggedCommitPtr> log_;
  std::optional<std::uint64_t>
      log_begin_;  ///< it has all after this version; nullopt: none is kept
  std::uint64_t confirmed_ = 0;
  std::map<std::string, std::uint64_t> slots_;  ///< by name: what it has confirmed
  std::optional<std::string> password_;
  mutable std::mutex ledger_mutex_;
  std::map<std::string, std::vector<connect::DoneChunk>> ledger_;
  Faults faults_;
};

}  // namespace wherry::memory
