// What is asked of the source while its redo is mined: how far it is, whose transactions are open,
// how long it keeps its logs, and what values depend on.
//
// Used by one thread at a time.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/oracle/client.h"
#include "connect/oracle/logminer/redo_assembler.h"
#include "connect/oracle/logminer/redo_position.h"
#include "connect/oracle/logminer/stored_value.h"

namespace wherry::oracle {

class SourceWatch {
 public:
  Result<void> connect(OpContext& context, const ConnectOptions& options);

  Result<std::uint64_t> current_scn(OpContext& context);
  /// How rows are stored that come without names; without regions and arena.
  Result<StoredValueContext> stored_values(OpContext& context);
  /// `position`: what is delivered. `open`: the oldest first. Without kept_bytes.
  Result<connect::SourceHead> head(OpContext& context, const RedoPosition& position,
                                   const std::vector<RedoAssembler::Open>& open);

 private:
  Result<void> learn_sessions(OpContext& context, const std::vector<RedoAssembler::Open>& open);

  std::unique_ptr<Session> session_;
  std::chrono::steady_clock::time_point next_retention_look_;
  std::optional<std::uint64_t> bytes_until_lost_;
  std::map<TransactionKey, std::string> sessions_;  ///< of those that are open
};

}  // namespace wherry::oracle
