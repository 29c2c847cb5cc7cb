// What of a load is durable on the target: table wherry_load_progress, one row a chunk, written in
// the transaction that carries the chunk's rows. The table is there while a load needs it. Format:
// docs/design/load-progress.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

class Ledger {
 public:
  /// REQUIRES: a control schema.
  explicit Ledger(std::string control_schema) : schema_(std::move(control_schema)) {}

  /// connect::TargetLoader::done_chunks and forget().
  Result<std::vector<connect::DoneChunk>> read(OpContext& context, Connection& connection,
                                               const std::string& load_id,
                                               std::optional<std::uint32_t> worker) const;
  Result<void> forget(OpContext& context, Connection& connection, const std::string& load_id) const;

  /// Begins a transaction that read() of the same load and worker waits for.
  static Result<void> begin(OpContext& context, Connection& connection,
                            const connect::Segment& segment);
  /// Adds rows within the transaction.
  Result<void> record(OpContext& context, Connection& connection, const std::string& load_id,
                      std::span<const connect::DoneChunk> chunks) const;

 private:
  Result<std::string> table() const;
  Result<void> make(OpContext& context, Connection& connection) const;
  Result<void> add_newer_columns(OpContext& context, Connection& connection) const;
  Result<void> enter(OpContext& context, Connection& connection, const std::string& load_id) const;

  std::string schema_;
};

}  // namespace wherry::postgres
