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

void require_temporary(const LobRequest& request) {
  if (!LobTable::is_temporary(request.locator)) {
    throw OraError(22920, "row containing the LOB value is not locked");
  }
}

constexpr std::uint64_t kTypeBlob = 113;
constexpr std::uint32_t kNationalCharset = 2000;

}  // namespace

void Calls::read_lob(const LobRequest& request, LobEntry& lob) {
  // In pieces: a client may ask for 4 GiB, and the answer streams out as it is converted.
  constexpr std::uint64_t kPiece = 16000;
  wire::Writer& out = channel_.out();
  const std::uint64_t wanted = request.amount.value_or(0);
  std::uint64_t offset = offset_of(request), done = 0;
  LobEntry::Piece piece = lob.read(offset, std::min(wanted, kPiece));
  if (piece.amount > 0) out.u8(static_cast<std::uint8_t>(Message::kLobData));
  const bool short_form =
      piece.bytes.size() <= wire::kShortClr && (piece.amount < kPiece || wanted <= kPiece);
  if (short_form) {
    if (piece.amount > 0) out.clr(piece.bytes);
    done = piece.amount;
  } else {
    out.u8(254);
    while (piece.amount > 0) {
      out.ub(piece.bytes.size());
      out.raw(piece.bytes);
      channel_.flush_if_large();
      done += piece.amount;
      piece = lob.read(offset + done, std::min(wanted - done, kPiece));
    }
    out.u8(0);
  }
  out.u8(static_cast<std::uint8_t>(Message::kParameter));
  out.raw(request.locator);
  out.sb(static_cast<std::int64_t>(done));
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

void Calls::lob_operation(const LobRequest& request) {
  wire::Writer& out = channel_.out();
  const auto reply = [&](wire::ByteView locator) {
    out.u8(static_cast<std::uint8_t>(Message::kParameter));
    out.raw(locator);
  };
  const auto reply_amount = [&](std::uint64_t amount) {
    reply(wire::as_bytes(request.locator));
    out.sb(static_cast<std::int64_t>(amount));
  };
  switch (request.operation) {
    case LobOperation::kGetLength:
      reply_amount(lobs_.find(request.locator).length());
      break;
    case LobOperation::kGetChunkSize:
      lobs_.find(request.locator);
      reply_amount(wire::kLobChunkBytes);
      break;
    case LobOperation::kRead:
      read_lob(request, lobs_.find(request.locator));
      break;
    case LobOperation::kWrite:
      require_temporary(request);
      lobs_.find(request.locator).write(offset_of(request), request.data);
      reply(wire::as_bytes(request.locator));
      if (request.amount) out.sb(static_cast<std::int64_t>(*request.amount));
      break;
    case LobOperation::kTrim:
      require_temporary(request);
      lobs_.find(request.locator).trim(request.amount.value_or(0));
      reply_amount(request.amount.value_or(0));
      break;
    case LobOperation::kCreateTemp:
      reply(lobs_.create_temporary(request.destination_offset == kTypeBlob,
                                   request.charset == kNationalCharset));
      out.ub(request.charset);
      // python-oracledb 1.x sends an amount here (the duration) and reads one back.
      if (request.amount) out.sb(static_cast<std::int64_t>(*request.amount));
      out.u8(0);
      break;
    case LobOperation::kFreeTemp:
      lobs_.free_temporary(request.locator);
      reply(wire::as_bytes(request.locator));
      break;
    case LobOperation::kOpen:
    case LobOperation::kClose:
      lobs_.find(request.locator).is_open = request.operation == LobOperation::kOpen;
      reply(wire::as_bytes(request.locator));
      if (request.amount) out.sb(static_cast<std::int64_t>(*request.amount));
      break;
    case LobOperation::kIsOpen:
      reply(wire::as_bytes(request.locator));
      if (request.amount) out.sb(static_cast<std::int64_t>(*request.amount));
      write_flag(lobs_.find(request.locator).is_open);
      break;
    default:
      throw OraError(22275, "invalid LOB locator specified");
  }
  finish_status({});
}

}  // namespace orasim::server
