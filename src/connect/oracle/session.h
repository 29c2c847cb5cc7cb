// The one implementation of Session.
#pragma once

#include <memory>
#include <optional>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/login.h"
#include "connect/oracle/query.h"
#include "connect/oracle/statement.h"

namespace wherry::oracle {

class SessionImpl : public Session {
 public:
  explicit SessionImpl(LoggedIn login);

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

  std::shared_ptr<Caller> caller_;
  ServerInfo server_;
  std::optional<wire::ZoneField> database_zone_;
};

/// Reads the response of an execute call that is not a query.
class ExecuteResponse {
 public:
  ExecuteResponse(Caller& caller, StatementKind kind, std::span<const Bind> binds,
                  bool with_row_counts);
  Result<ExecResult> read(const OpContext& context);

 private:
  using TextValues = std::vector<std::optional<std::string>>;
  Result<void> take_values(const OpContext& context);
  std::optional<std::string> decode_value(wire::Reader& in, const Bind& bind);
  TextValues decode_out_row(wire::Reader& in);
  std::vector<TextValues> decode_returned(wire::Reader& in);

  Caller& caller_;
  StatementKind kind_;
  std::span<const Bind> binds_;
  bool with_row_counts_;
  std::vector<wire::BindDirection> directions_;
  ExecResult result_;
  std::optional<Error> value_error_;
};

}  // namespace wherry::oracle
