// An in-process database: tables with rows, every change a new version, old versions readable until
// they are forgotten. Thread-safe.
#pragma once

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

/// A foreign key that changes are held to, at the end of each step; loads are not.
struct ForeignKey {
  schema::TableRef child;
  std::vector<std::string> columns;
  schema::TableRef parent;
  std::vector<std::string> parent_columns;
};

/// What a task's changes have left besides rows, as of one version.
struct ApplyState {
  std::map<std::string, std::map<std::uint32_t, connect::Checkpoint>> checkpoints;
  std::vector<connect::ApplyException> exceptions;
};

class Database {
 public:
  /// Creates or replaces. REQUIRES: as many values a row as columns.
  void put(schema::TableDef definition, std::vector<Row> rows = {});
  void drop(const schema::TableRef& table);
  /// Changes rows or definition of an existing table as one commit; an error changes nothing.
  Result<void> change(const schema::TableRef& table,
                      const std::function<Result<void>(Table&)>& edit);
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

  Faults& faults() { return faults_; }

 private:
  /// REQUIRES: mutex_ is held.
  void commit(Tables tables);

  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::map<std::uint64_t, std::shared_ptr<const Tables>> history_{
      {0, std::make_shared<const Tables>()}};
  /// By the version that made it; a version without one has that of the version before.
  std::map<std::uint64_t, std::shared_ptr<const ApplyState>> apply_states_{
      {0, std::make_shared<const ApplyState>()}};
  std::vector<ForeignKey> foreign_keys_;
  std::optional<std::string> password_;
  mutable std::mutex ledger_mutex_;
  std::map<std::string, std::vector<connect::DoneChunk>> ledger_;
  Faults faults_;
};

}  // namespace wherry::memory
