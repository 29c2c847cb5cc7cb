// The logs and threads of a database's redo, as its views tell of them at one moment. Facts:
// reference oracle-cdc, 2.1 and 2.2 (Oracle Database Reference: V$DATABASE, V$THREAD, V$LOG,
// V$ARCHIVED_LOG).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wherry::oracle {

/// NEXT_CHANGE# of a log that is being written.
inline constexpr std::uint64_t kNoEndScn = UINT64_MAX;

/// One copy of a log. An archived log has a copy for each destination.
struct RedoLog {
  std::uint32_t thread = 0;
  std::uint32_t sequence = 0;
  std::uint64_t first_scn = 0;
  std::uint64_t next_scn = kNoEndScn;  ///< SCNs of the log are below it
  std::uint64_t size_bytes = 0;
  std::string name;  ///< of the file; empty: the copy is gone
  bool is_online = false;
  bool is_deleted = false;  ///< the database knows that the copy is gone
};

struct RedoThread {
  enum class Use : std::uint8_t { kDisabled, kPublic, kPrivate };
  std::uint32_t number = 0;
  Use use = Use::kPublic;
  bool is_open = false;
  std::uint64_t enable_scn = 0;
  std::uint64_t disable_scn = 0;  ///< 0: it never was
  std::uint32_t sequence = 0;     ///< of the log that is written, or was written last
  std::uint64_t last_redo_scn = 0;
  std::uint32_t last_redo_block = 0;
};

struct RedoView {
  std::uint64_t current_scn = 0;
  std::uint64_t database_id = 0;
  std::uint64_t resetlogs_scn = 0;
  std::vector<RedoThread> threads;
  /// Of the current incarnation; of several copies the one to be preferred first.
  std::vector<RedoLog> logs;
};

/// NEXT_CHANGE# as it is read: servers write three numbers for "no end yet", and a log that is
/// `is_current` has none whatever it says.
std::uint64_t next_scn_of(std::uint64_t next_change, bool is_current);

}  // namespace wherry::oracle
