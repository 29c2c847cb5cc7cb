// Changes of transactions that are too large for memory, as chunks that somebody else keeps.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/logminer/redo_change.h"
#include "core/result.h"

namespace wherry::oracle {

class RedoStore {
 public:
  virtual ~RedoStore() = default;
  /// "spill.disk_full": nothing has happened, and the call may be made again.
  virtual Result<std::shared_ptr<const StoredChunk>> put(std::string_view bytes) = 0;
};

/// Adds a change to the end of `bytes`.
void encode(const RedoChange& change, std::string& bytes);
/// Those that were not undone too. kInternal "oracle.spill_damaged" when the bytes are not what was
/// encoded.
Result<std::vector<RedoChange>> load_all(const SpilledChanges& spilled);
/// Without those that were undone.
Result<std::vector<RedoChange>> load(const SpilledChanges& spilled);

}  // namespace wherry::oracle
