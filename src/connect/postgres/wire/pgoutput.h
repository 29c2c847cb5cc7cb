// The messages of PostgreSQL's output plug-in pgoutput, protocol versions 1 to 4 (PostgreSQL 18,
// "Logical Replication Message Formats"): bytes to structs, every length checked. Pure: no I/O, and
// what a message says refers to the bytes it was read from.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wherry::postgres::wire {

using Lsn = std::uint64_t;
/// Microseconds since 2000-01-01 00:00:00 UTC, as the server counts.
using ServerTime = std::int64_t;

enum class MessageType : char {
  kBegin = 'B',     ///< lsn of the commit, time, xid
  kCommit = 'C',    ///< lsn, end_lsn, time
  kOrigin = 'O',    ///< lsn, name
  kRelation = 'R',  ///< relation, name_space, name, identity, columns
  kType = 'Y',      ///< relation (the type's OID), name_space, name
  kInsert = 'I',    ///< relation, after
  kUpdate = 'U',    ///< relation, old_kind, before, after
  kDelete = 'D',    ///< relation, old_kind, before
  kTruncate = 'T',  ///< relations, flags
  kMessage = 'M',   ///< flags (1: of its transaction), lsn, name (the prefix), content
  // Of transactions that have not ended yet, since version 2; what lies between kStreamStart and
  // kStreamStop has the xid of its (sub)transaction.
  kStreamStart = 'S',   ///< xid, flags (1: the first piece of it)
  kStreamStop = 'E',    ///<
  kStreamCommit = 'c',  ///< xid, lsn, end_lsn, time
  kStreamAbort = 'A',   ///< xid, subxid; lsn and time since version 4
  // Two-phase commit, since version 3; name is the global transaction's.
  kBeginPrepare = 'b',      ///< lsn, end_lsn, time, xid, name
  kPrepare = 'P',           ///< the same
  kCommitPrepared = 'K',    ///< the same, of the commit
  kRollbackPrepared = 'r',  ///< lsn: end of the prepare; end_lsn, time (of the rollback), xid, name
  kStreamPrepare = 'p',     ///< like kPrepare
};

enum class FieldKind : char {
  kNull = 'n',
  kUnchanged = 'u',  ///< a TOAST value that the change left alone
  kText = 't',
  kBinary = 'b',
};
struct Field {
  FieldKind kind = FieldKind::kNull;
  std::string_view bytes;
};

struct RelationColumn {
  bool is_identity = false;
  std::string_view name;
  std::uint32_t type = 0;
  std::int32_t modifier = -1;
};

inline constexpr std::uint8_t kTruncateCascades = 1;
inline constexpr std::uint8_t kTruncateRestartsIdentity = 2;

/// One message; of the fields those are set that its type names. Meant to be used again and again.
struct Message {
  MessageType type = MessageType::kBegin;
  std::uint8_t flags = 0;
  char identity = 'd';  ///< pg_class.relreplident
  char old_kind = 0;    ///< 'K': `before` has the key; 'O': the whole row; 0: there is none
  std::uint32_t xid = 0;
  std::uint32_t subxid = 0;
  std::uint32_t relation = 0;
  Lsn lsn = 0;
  Lsn end_lsn = 0;
  ServerTime time = 0;
  std::string_view name_space;
  std::string_view name;
  std::string_view content;
  std::vector<Field> before;
  std::vector<Field> after;
  std::vector<RelationColumn> columns;
  std::vector<std::uint32_t> relations;
};

/// Reads the messages of one connection, in their order: whether a message has an xid of its own
/// depends on those before it.
class PgoutputDecoder {
 public:
  /// False when the bytes are no message, or not exactly one; `out` is then of no use.
  bool decode(std::string_view bytes, Message& out);
  /// Between kStreamStart and kStreamStop.
  [[nodiscard]] bool is_in_stream() const { return is_in_stream_; }

 private:
  bool is_in_stream_ = false;
};

/// What walsender and receiver say to each other inside of CopyData.
struct WalMessage {
  char type = 0;  ///< 'w' data, 'k' keepalive
  Lsn start = 0;  ///< of the data
  Lsn end = 0;    ///< keepalive: everything before it has been sent
  ServerTime sent = 0;
  bool wants_reply = false;
  std::string_view data;
};
bool decode_wal_message(std::string_view bytes, WalMessage& out);

/// A standby status update: everything before `flushed` may be thrown away.
inline constexpr std::size_t kStatusBytes = 34;
void encode_status(char (&out)[kStatusBytes], Lsn received, Lsn flushed, ServerTime now,
                   bool wants_reply);

}  // namespace wherry::postgres::wire
