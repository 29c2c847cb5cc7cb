// LOB operations by locator.
#include <algorithm>

#include "engine/error.h"
#include "server/calls.h"

namespace orasim::server {

using wire::LobOperation;
using wire::LobRequest;
using wire::Message;

namespace {

// Offsets on the wire are 1-based.
std::uint64_t offset_of(const LobRequest& request) {
  if (request.source_offset == 0)
    throw OraError(24801, "illegal parameter value in OCI lob function");
  return request.source_offset - 1;
}

constexpr std::uint64_t kTypeBlob = 113;
constexpr std::uint32_t kNationalCharset = 2000;

}  // namespace

void Calls::read_lob(const LobRequest& request, const LobReader& read) {
  // In pieces: a client may ask for 4 GiB, and the answer streams out as it is converted.
  constexpr std::uint64_t kPiece = 16000;
  wire::Writer& out = channel_.out();
  // No amount is all there is, as for OCI's streamed reads; go-ora asks so.
  const std::uint64_t asked = request.amount.value_or(0);
  const std::uint64_t wanted = asked == 0 ? UINT64_MAX : asked;
  std::uint64_t offset = offset_of(request), done = 0;
  LobEntry::Piece piece = read(offset, std::min(wanted, kPiece));
  if (piece.amount > 0) out.u8(static_cast<std::uint8_t>(Message::kLobData));
  const bool short_form =
      piece.bytes.size() <= wire::kShortClr && (piece.amount < kPiece || wanted <= kPiece);
  if (short_form) {
    if (piece.amount > 0) out.clr(piece.bytes);
    done = piece.amount;
  } else {
    out.begin_chunks();
    while (piece.amount > 0) {
      out.chunks(wire::as_bytes(piece.bytes));
      channel_.flush_if_large();
      done += piece.amount;
      piece = read(offset + done, std::min(wanted - done, kPiece));
    }
    out.end_chunks();
  }
  reply_lob(request, wire::as_bytes(request.locator), done);
}

// Seen from the clients: python-oracledb 1.x, the one that sends text without lengths, reads the
// flag as a ub2, later clients as one byte.
void Calls::write_flag(bool flag) {
  if (login_.dialect.text_is_clr) {
    channel_.out().u8(flag ? 1 : 0);
  } else {
    channel_.out().ub(flag ? 1 : 0);
  }
}

// What comes back mirrors what was sent: each locator, a charset and an amount if the request had
// one, a flag if it asked for one.
void Calls::reply_lob(const LobRequest& request, wire::ByteView locator, std::uint64_t amount,
                      bool flag) {
  wire::Writer& out = channel_.out();
  out.u8(static_cast<std::uint8_t>(Message::kParameter));
  out.raw(locator);
  // As many bytes as were sent: JDBC leaves room for the longer locators of old servers.
  if (locator.size() < request.locator.size()) {
    out.zeros(request.locator.size() - locator.size());
  }
  out.raw(request.destination);
  if (request.has_charset) out.ub(request.charset);
  if (request.amount) out.sb(static_cast<std::int64_t>(amount));
  if (request.wants_flag) write_flag(flag);
}

void Calls::create_lob(const LobRequest& request) {
  const wire::ByteView locator = lobs_.create_temporary(request.destination_offset == kTypeBlob,
                                                        request.charset == kNationalCharset);
  reply_lob(request, locator, request.amount.value_or(0));
}

// A LOB of a table changes in its row, where other locators of the transaction may have changed it.
void Calls::change_lob(std::string_view locator, const std::function<void(LobEntry&)>& change) {
  LobEntry& lob = lobs_.find(locator);
  if (LobTable::is_temporary(locator)) return change(lob);
  LobEntry changed = lob;
  session_.change_lob(lob.content(), [&](const Lob& current) {
    changed.replace(current);
    change(changed);
    return changed.content();
  });
  lob = std::move(changed);
}

void Calls::lob_operation(const LobRequest& request) {
  if (BfileTable::is_bfile(request.locator)) return file_operation(request);
  const auto reply = [&](std::uint64_t amount, bool flag = false) {
    reply_lob(request, wire::as_bytes(request.locator), amount, flag);
  };
  const std::uint64_t sent = request.amount.value_or(0);
  switch (request.operation) {
    case LobOperation::kGetLength:
      reply(lobs_.find(request.locator).length());
      break;
    case LobOperation::kGetChunkSize:
      lobs_.find(request.locator);
      reply(wire::kLobChunkBytes);
      break;
    case LobOperation::kRead:
      read_lob(request, [&lob = lobs_.find(request.locator)](std::uint64_t from, std::uint64_t n) {
        return lob.read(from, n);
      });
      break;
    case LobOperation::kWrite:
      change_lob(request.locator,
                 [&](LobEntry& lob) { lob.write(offset_of(request), request.data); });
      reply(sent);
      break;
    case LobOperation::kTrim:
      change_lob(request.locator, [&](LobEntry& lob) { lob.trim(sent); });
      reply(sent);
      break;
    case LobOperation::kCreateTemp:
      create_lob(request);
      break;
    case LobOperation::kFreeTemp:
      lobs_.free_temporary(request.locator);
      reply(sent);
      break;
    case LobOperation::kOpen:
    case LobOperation::kClose:
      lobs_.find(request.locator).is_open = request.operation == LobOperation::kOpen;
      reply(sent);
      break;
    case LobOperation::kIsOpen:
      reply(sent, lobs_.find(request.locator).is_open);
      break;
    default:
      throw OraError(22275, "invalid LOB locator specified");
  }
  finish_status({});
}

void Calls::file_operation(const LobRequest& request) {
  const std::string_view file = request.locator;
  const std::uint64_t sent = request.amount.value_or(0);
  const auto reply = [&](std::uint64_t amount, bool flag = false) {
    reply_lob(request, wire::as_bytes(request.locator), amount, flag);
  };
  switch (request.operation) {
    case LobOperation::kGetLength:
      reply(bfiles_.length(file));
      break;
    case LobOperation::kRead:
      read_lob(request, [&](std::uint64_t from, std::uint64_t n) {
        LobEntry::Piece piece;
        piece.bytes = bfiles_.read(file, from, n);
        piece.amount = piece.bytes.size();
        return piece;
      });
      break;
    case LobOperation::kFileOpen:
    case LobOperation::kOpen:
      bfiles_.open(file);
      reply(sent);
      break;
    case LobOperation::kFileClose:
    case LobOperation::kClose:
      bfiles_.close(file);
      reply(sent);
      break;
    case LobOperation::kFileIsOpen:
    case LobOperation::kIsOpen:
      reply(sent, bfiles_.is_open(file));
      break;
    case LobOperation::kFileExists:
      reply(sent, bfiles_.exists(file));
      break;
    default:
      throw OraError(22275, "invalid LOB locator specified");
  }
  finish_status({});
}

}  // namespace orasim::server
