#include "connect/postgres/wire/pgoutput.h"

#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres::wire {
namespace {

/// Takes values off the front; after a short read everything is 0 and ok() false.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8() { return has(1) ? static_cast<std::uint8_t>(take(1)[0]) : 0; }
  char character() { return static_cast<char>(u8()); }
  std::uint16_t u16() { return has(2) ? load_u16(take(2)) : 0; }
  std::uint32_t u32() { return has(4) ? load_u32(take(4)) : 0; }
  std::uint64_t u64() { return has(8) ? load_u64(take(8)) : 0; }
  ServerTime time() { return static_cast<ServerTime>(u64()); }
  /// Up to a zero byte.
  std::string_view text() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
      ok_ = false;
      return {};
    }
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return out;
  }
  /// A length and as many bytes.
  std::string_view sized() {
    const std::uint32_t size = u32();
    return has(size) ? std::string_view(take(size), size) : std::string_view{};
  }
  std::string_view all() {
    const std::string_view out = rest_;
    rest_ = {};
    return out;
  }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  [[nodiscard]] bool ok() const { return ok_; }
  void fail() { ok_ = false; }

 private:
  bool has(std::size_t count) {
    ok_ = ok_ && rest_.size() >= count;
    return ok_;
  }
  const char* take(std::size_t count) {
    const char* at = rest_.data();
    rest_.remove_prefix(count);
    return at;
  }

  std::string_view rest_;
  bool ok_ = true;
};

void read_tuple(MessageReader& in, std::vector<Field>& out) {
  const std::size_t count = in.u16();
  out.clear();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Field& field = out.emplace_back();
    field.kind = static_cast<FieldKind>(in.character());
    switch (field.kind) {
      case FieldKind::kNull:
      case FieldKind::kUnchanged:
        break;
      case FieldKind::kText:
      case FieldKind::kBinary:
        field.bytes = in.sized();
        break;
      default:
        in.fail();
    }
  }
}

/// The old row of an update or delete, whose mark has been read.
void read_old(MessageReader& in, char mark, Message& out) {
  if (mark != 'K' && mark != 'O') in.fail();
  out.old_kind = mark;
  read_tuple(in, out.before);
}

void read_update(MessageReader& in, Message& out) {
  out.relation = in.u32();
  out.old_kind = 0;
  out.before.clear();
  char mark = in.character();
  if (mark != 'N') {
    read_old(in, mark, out);
    mark = in.character();
  }
  if (mark != 'N') in.fail();
  read_tuple(in, out.after);
}

void read_relation(MessageReader& in, Message& out) {
  out.relation = in.u32();
  out.name_space = in.text();
  out.name = in.text();
  out.identity = in.character();
  const std::size_t count = in.u16();
  out.columns.clear();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    RelationColumn& column = out.columns.emplace_back();
    column.is_identity = (in.u8() & 1) != 0;
    column.name = in.text();
    column.type = in.u32();
    column.modifier = static_cast<std::int32_t>(in.u32());
  }
}

void read_truncate(MessageReader& in, Message& out) {
  const std::uint32_t count = in.u32();
  out.flags = in.u8();
  out.relations.clear();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) out.relations.push_back(in.u32());
}

void read_prepared(MessageReader& in, Message& out) {
  out.lsn = in.u64();
  out.end_lsn = in.u64();
  out.time = in.time();
  out.xid = in.u32();
  out.name = in.text();
}

void read_commit(MessageReader& in, Message& out) {
  out.flags = in.u8();
  out.lsn = in.u64();
  out.end_lsn = in.u64();
  out.time = in.time();
}

/// Messages about rows, tables and types: those that have an xid inside of a stream.
bool read_change(MessageReader& in, Message& out) {
  switch (out.type) {
    case MessageType::kRelation:
      read_relation(in, out);
      return true;
    case MessageType::kType:
      out.relation = in.u32();
      out.name_space = in.text();
      out.name = in.text();
      return true;
    case MessageType::kInsert:
      out.relation = in.u32();
      if (in.character() != 'N') in.fail();
      read_tuple(in, out.after);
      return true;
    case MessageType::kUpdate:
      read_update(in, out);
      return true;
    case MessageType::kDelete:
      out.relation = in.u32();
      read_old(in, in.character(), out);
      return true;
    case MessageType::kTruncate:
      read_truncate(in, out);
      return true;
    case MessageType::kMessage:
      out.flags = in.u8();
      out.lsn = in.u64();
      out.name = in.text();
      out.content = in.sized();
      return true;
    default:
      return false;
  }
}

/// Messages about transactions.
bool read_transaction(MessageReader& in, Message& out) {
  switch (out.type) {
    case MessageType::kBegin:
      out.lsn = in.u64();
      out.time = in.time();
      out.xid = in.u32();
      return true;
    case MessageType::kCommit:
      read_commit(in, out);
      return true;
    case MessageType::kOrigin:
      out.lsn = in.u64();
      out.name = in.text();
      return true;
    case MessageType::kStreamStart:
      out.xid = in.u32();
      out.flags = in.u8();
      return true;
    case MessageType::kStreamStop:
      return true;
    case MessageType::kStreamCommit:
      out.xid = in.u32();
      read_commit(in, out);
      return true;
    case MessageType::kStreamAbort:
      out.xid = in.u32();
      out.subxid = in.u32();
      out.lsn = in.left() != 0 ? in.u64() : 0;
      out.time = in.left() != 0 ? in.time() : 0;
      return true;
    case MessageType::kBeginPrepare:
      read_prepared(in, out);
      return true;
    case MessageType::kPrepare:
    case MessageType::kCommitPrepared:
    case MessageType::kStreamPrepare:
      out.flags = in.u8();
      read_prepared(in, out);
      return true;
    case MessageType::kRollbackPrepared:
      out.flags = in.u8();
      out.lsn = in.u64();
      out.end_lsn = in.u64();
      in.time();  // of the prepare
      out.time = in.time();
      out.xid = in.u32();
      out.name = in.text();
      return true;
    default:
      return false;
  }
}

}  // namespace

bool PgoutputDecoder::decode(std::string_view bytes, Message& out) {
  MessageReader in(bytes);
  out.type = static_cast<MessageType>(in.character());
  if (read_transaction(in, out)) {
    if (!in.ok() || in.left() != 0) return false;
    if (out.type == MessageType::kStreamStart) is_in_stream_ = true;
    if (out.type == MessageType::kStreamStop) is_in_stream_ = false;
    return true;
  }
  if (is_in_stream_) out.xid = in.u32();
  return read_change(in, out) && in.ok() && in.left() == 0;
}

bool decode_wal_message(std::string_view bytes, WalMessage& out) {
  MessageReader in(bytes);
  out.type = in.character();
  if (out.type == 'w') {
    out.start = in.u64();
    out.end = in.u64();
    out.sent = in.time();
    out.data = in.all();
    return in.ok();
  }
  if (out.type != 'k') return false;
  out.end = in.u64();
  out.sent = in.time();
  out.wants_reply = in.u8() != 0;
  return in.ok() && in.left() == 0;
}

void encode_status(char (&out)[kStatusBytes], Lsn received, Lsn flushed, ServerTime now,
                   bool wants_reply) {
  out[0] = 'r';
  store_u64(out + 1, received);
  store_u64(out + 9, flushed);
  store_u64(out + 17, flushed);  // applied
  store_u64(out + 25, static_cast<std::uint64_t>(now));
  out[33] = wants_reply ? 1 : 0;
}

}  // namespace wherry::postgres::wire
