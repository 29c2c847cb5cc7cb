#include "connect/oracle/lob_reader.h"

#include <algorithm>
#include <string>

#include "connect/oracle/wire/utf16.h"

namespace wherry::oracle {

using wire::ByteView;
using wire::Message;
using wire::ValueStatus;

namespace {

/// Characters or bytes a call asks for: few round trips, and a response that fits the buffers.
constexpr std::uint64_t kAmount = 1024 * 1024;

std::uint8_t flag(ByteView locator, std::size_t at) {
  return at < locator.size() ? locator[at] : std::uint8_t{0};
}

Error bad_text() {
  return make_error(ErrorKind::kData, "oracle.value",
                    "A LOB value " + std::string(describe(ValueStatus::kBadUtf16)),
                    "Correct the value at the source, or leave the row or column out");
}

}  // namespace

LobEncoding encoding_of(ByteView locator, OracleType type, CharsetForm form) {
  if (type == OracleType::kBlob) return LobEncoding::kBytes;
  if (form == CharsetForm::kNational) return LobEncoding::kUtf16Be;
  constexpr std::uint8_t kVariableWidth = 0x80, kLittleEndian = 0x40;
  if ((flag(locator, 6) & kVariableWidth) == 0) return LobEncoding::kUtf8;
  return (flag(locator, 7) & kLittleEndian) != 0 ? LobEncoding::kUtf16Le : LobEncoding::kUtf16Be;
}

bool is_temporary(ByteView locator) {
  return (flag(locator, 4) & 0x40) != 0 || (flag(locator, 7) & 0x01) != 0;
}

Result<void> LobReader::read(const OpContext& context, const wire::LobValue& lob,
                             LobEncoding encoding, const ByteSink& sink) {
  const bool is_utf16 = encoding == LobEncoding::kUtf16Be || encoding == LobEncoding::kUtf16Le;
  wire::Utf16Stream utf16(encoding == LobEncoding::kUtf16Le ? wire::ByteOrder::kLittle
                                                            : wire::ByteOrder::kBig);
  std::string converted;
  const ByteSink raw_sink = [&](std::string_view piece) -> Result<void> {
    if (!is_utf16) return sink(piece);
    converted.clear();
    if (utf16.feed(wire::bytes_of(piece), converted) != ValueStatus::kOk) return bad_text();
    return sink(converted);
  };
  std::uint64_t offset = 1;
  while (!lob.has_size || offset <= lob.size) {
    const std::uint64_t amount = lob.has_size ? std::min(kAmount, lob.size - offset + 1) : kAmount;
    WHERRY_ASSIGN(const Piece piece, read_piece(context, lob.locator(), offset, amount, raw_sink));
    if (piece.amount == 0) break;
    offset += piece.amount;
  }
  if (is_utf16 && utf16.finish() != ValueStatus::kOk) return bad_text();
  return {};
}

Result<LobReader::Piece> LobReader::read_piece(const OpContext& context, ByteView locator,
                                               std::uint64_t offset, std::uint64_t amount,
                                               const ByteSink& sink) {
  WHERRY_ASSIGN(wire::RequestBuilder * request, caller_.begin(context));
  request->read_lob(locator, offset, amount);
  WHERRY_TRY(caller_.send(context));
  Piece piece;
  while (true) {
    WHERRY_ASSIGN(const auto message, caller_.next(context));
    if (!message) return piece;
    if (*message == Message::kLobData) {
      WHERRY_TRY(take_data(context, sink));
    } else if (*message == Message::kParameters) {
      WHERRY_ASSIGN(const auto returned, caller_.take(context, [&](wire::Reader& in) {
        in.skip(locator.size());
        return in.sb8();
      }));
      if (returned && *returned > 0) piece.amount = static_cast<std::uint64_t>(*returned);
    } else {
      caller_.set_broken();
      return protocol_error("message " + std::to_string(static_cast<int>(*message)) +
                            " came as the answer to a LOB read");
    }
  }
}

Result<void> LobReader::take_data(const OpContext& context, const ByteSink& sink) {
  using Step = wire::ClrStream::Step;
  wire::ClrStream stream(caller_.dialect().chunks);
  while (true) {
    const ByteView window = caller_.window();
    wire::ByteCursor in{window.data(), window.data() + window.size()};
    ByteView piece;
    const Step step = stream.next(in, piece);
    Result<void> taken;
    if (step == Step::kPiece) taken = sink(wire::text_of(piece));
    caller_.consume(static_cast<std::size_t>(in.at - window.data()));
    WHERRY_TRY(std::move(taken));
    if (step == Step::kEnd || step == Step::kNull) return {};
    if (step == Step::kMalformed) {
      caller_.set_broken();
      return protocol_error("a chunk of LOB data has no valid length");
    }
    if (step == Step::kNeedMore) {
      WHERRY_ASSIGN(const Received received, caller_.receive(context));
      if (received == Received::kReset) return {};
    }
  }
}

}  // namespace wherry::oracle
