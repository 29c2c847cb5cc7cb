// The one implementation of Session.
#pragma once

#include <memory>
#include <optional>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/login.h"
#include "connect/oracle/query.h"
#include "connect/oracle/statement.h"
#include "connect/oracle/statement_cache.h"

namespace wherry::oracle {

class SessionImpl : public Session {
 public:
  SessionImpl(LoggedIn login, std::uint32_t statement_cache_size);

  /// Asks for DBTIMEZONE when the log-in did not tell it.
  void learn_database_zone(OpContext& context);

  Result<std::unique_ptr<Query>> query(OpContext& context, std::string_view sql,
                                       std::span<const Bind> binds,
                                       const FetchOptions& options) override;
  Result<std::vector<TextRow>> rows(OpContext& context, std::string_view sql,
                                    std::span<const Bind> binds) override;
  Result<ExecResult> execute(OpContext& context, std::string_view sql, std::span<const Bind> binds,
                             const ExecuteOptions& options) override;
  Result<ExecResult> execute_array(OpContext& context, std::string_view sql,
                                   std::span<const BindRow> rows,
                                   const ExecuteOptions& options) override;
  Result<std::unique_ptr<Lob>> create_temporary_lob(OpContext& context, OracleType type,
                                                    CharsetForm form) override;
  std::unique_ptr<Lob> open_lob(const ColumnDescription& column, std::string_view locator) override;
  Result<void> commit(OpContext& context) override;
  Result<void> rollback(OpContext& context) override;
  Result<void> ping(OpContext& context) override;
  Result<void> close(OpContext& context) override;
  [[nodiscard]] const ServerInfo& server() const override { return server_; }
  [[nodiscard]] bool is_broken() const override { return caller_->is_broken(); }
  [[nodiscard]] bool transaction_open() const override { return caller_->transaction_open(); }

 private:
  Result<void> simple_call(OpContext& context, wire::Function function);
  Result<ExecResult> run(OpContext& context, std::string_view sql,
                         std::span<const std::span<const Bind>> rows,
                         const ExecuteOptions& options);

  Result<ExecResult> run_block_rows(OpContext& context, std::string_view sql,
                                    std::span<const std::span<const Bind>> rows,
                                    const ExecuteOptions& options);
  [[nodiscard]] bool must_run_alone(std::string_view sql, std::span<const Bind> row) const;
  Result<ExecResult> run_once(OpContext& context, const wire::ExecuteRequest& request,
                              StatementKind kind, std::span<const Bind> binds,
                              CachedStatement& statement);

  SessionParts parts_;
  std::shared_ptr<Caller> caller_;
  ServerInfo server_;
};

/// Values of a block that are too long to travel as such, as temporary LOBs.
class LongBlockValues {
 public:
  /// `row` itself when nothing in it is too long.
  Result<std::span<const Bind>> shorten(OpContext& context, const std::shared_ptr<Caller>& caller,
                                        std::span<const Bind> row);

 private:
  std::vector<std::unique_ptr<Lob>> lobs_;
  std::vector<std::unique_ptr<std::vector<Bind>>> rows_;
};

}  // namespace wherry::oracle
