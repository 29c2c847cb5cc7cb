// What one session keeps between statements. Internal to the session files.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "engine/nls.h"
#include "engine/session.h"
#include "exec/dbms_output.h"
#include "exec/executor.h"
#include "exec/locked_lobs.h"
#include "exec/logminer_session.h"

namespace orasim {

class DatabaseImpl;

struct SessionState {
  DatabaseImpl* database = nullptr;
  Store* store = nullptr;
  SessionIdentity identity;
  Nls nls;
  std::string current_schema;
  DbmsOutput output;
  EndToEnd end_to_end;  ///< changed under the lock of the database: other sessions may look
  /// Shared: a cursor opened before a commit still reads through its transaction.
  std::shared_ptr<Transaction> transaction;
  std::map<std::string, std::uint64_t> savepoints;
  LockedLobs locked_lobs;
  logminer::LogMinerSession logminer;
  std::map<SequenceKey, Number> current_values;
  bool is_serializable = false;
  bool checks_deferred = false;  ///< SET CONSTRAINTS ALL IMMEDIATE
  /// Temporary tables with rows of this transaction, which its commit takes away.
  std::set<std::pair<std::string, std::string>> touched_temporary;
  std::optional<Scn> fixed_scn;  ///< SET TRANSACTION READ ONLY or SERIALIZABLE
  bool is_read_only = false;
  /// Rights as of the newest catalog that a statement was made for.
  mutable std::shared_ptr<const Catalog> access_catalog;
  mutable std::shared_ptr<const Access> access;
  std::atomic<bool> cancelled{false};
  std::atomic<bool> is_active{false};  ///< inside a call
  std::uint64_t executions = 0;
  std::uint32_t container = 0;  ///< CON_ID; see engine/containers.h
  mutable std::shared_ptr<const Catalog> root_catalog;

  /// What the session's container has: the root has no tables of users.
  [[nodiscard]] std::shared_ptr<const Catalog> catalog() const;
  void begin();
  void clear_temporary();
  void end_statement();
  void commit();
  void rollback();
  [[nodiscard]] BindEnvironment environment(std::string_view sql) const;
  /// A context for one execution; `binds` must outlive it.
  std::unique_ptr<ExecContext> context(const Row* binds, std::optional<Scn> scn);
};

/// ALTER SESSION SET name = value …; ORA-02248 for nonsense.
void alter_session(std::string_view sql, SessionState& state);

std::unique_ptr<Statement> make_statement(std::string sql, SessionState& state);

/// Runs one statement of any kind without binds' results, for blocks and scripts.
void execute_text(const std::string& sql, SessionState& state, const Row& binds);

}  // namespace orasim
