// What comes back from DML, DDL and PL/SQL. Facts: reference oracle-wire-ttc, 5.4.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connect/oracle/client.h"
#include "connect/oracle/query.h"
#include "connect/oracle/statement.h"
#include "connect/oracle/wire/column_decoder.h"

namespace wherry::oracle {

/// Reads the response of an execute call that is not a query.
class ExecuteResponse {
 public:
  /// `statement` keeps what only the first execution of a cursor tells: its number, and the
  /// directions of the binds of a block.
  ExecuteResponse(const SessionParts& parts, StatementKind kind, std::span<const Bind> binds,
                  bool with_row_counts, CachedStatement& statement);
  Result<ExecResult> read(const OpContext& context);

 private:
  /// A value that came back, before anything is made of it that needs the session.
  struct OutValue {
    std::optional<std::string> text;
    std::string locator;
    std::optional<wire::ImplicitResult> cursor;
  };
  using OutValues = std::vector<OutValue>;

  Result<void> take_message(const OpContext& context, wire::Message message);
  Result<void> take_values(const OpContext& context);
  Result<void> take_implicit_results(const OpContext& context);
  std::vector<OutValues> decode_row(wire::Reader& in);
  OutValue decode_value(wire::Reader& in, const Bind& bind);
  OutValue decode_cursor(wire::Reader& in);
  OutValue decode_scalar(wire::Reader& in, const Bind& bind);
  void keep(std::size_t bind, OutValue value);
  std::unique_ptr<Query> open_cursor(wire::ImplicitResult cursor);
  void finish();

  const SessionParts& parts_;
  Caller& caller_;
  StatementKind kind_;
  std::span<const Bind> binds_;
  bool with_row_counts_;
  CachedStatement& statement_;
  ExecResult result_;
  std::optional<Error> value_error_;
};

}  // namespace wherry::oracle
