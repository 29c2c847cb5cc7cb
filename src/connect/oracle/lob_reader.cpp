#include "connect/oracle/lob_reader.h"

#include <algorithm>

namespace wherry::oracle {

using wire::ByteView;
using wire::LobOperation;
using wire::LobRequest;
using wire::Message;
using wire::ValueStatus;

namespace {

Error bad_text() {
  return make_error(ErrorKind::kData, "oracle.value",
                    "A LOB value " + std::string(describe(ValueStatus::kBadUtf16)),
                    "Correct the value at the source, or leave the row or column out");
}

bool is_utf16(LobEncoding encoding) {
  return encoding == LobEncoding::kUtf16Be || encoding == LobEncoding::kUtf16Le;
}

bool answers_flag(LobOperation operation) {
  return operation == LobOperation::kFileExists;
}

}  // namespace

LobEncoding encoding_of(wire::Locator locator, OracleType type, CharsetForm form) {
  if (type == OracleType::kBlob || type == OracleType::kBfile) return LobEncoding::kBytes;
  if (form == CharsetForm::kNational) return LobEncoding::kUtf16Be;
  if (!locator.is_utf16()) return LobEncoding::kUtf8;
  return locator.is_little_endian() ? LobEncoding::kUtf16Le : LobEncoding::kUtf16Be;
}

Result<void> no_data(std::string_view /*piece*/) {
  return {};
}

LobText::LobText(LobEncoding encoding)
    : is_utf16_(is_utf16(encoding)),
      utf16_(encoding == LobEncoding::kUtf16Le ? wire::ByteOrder::kLittle : wire::ByteOrder::kBig) {
}

Result<void> LobText::feed(std::string_view data, const ByteSink& sink) {
  if (!is_utf16_) return sink(data);
  converted_.clear();
  if (utf16_.feed(wire::bytes_of(data), converted_) != ValueStatus::kOk) return bad_text();
  return sink(converted_);
}

Result<void> LobText::finish() const {
  if (is_utf16_ && utf16_.finish() != ValueStatus::kOk) return bad_text();
  return {};
}

std::uint64_t lob_units(LobEncoding encoding, std::string_view data) {
  if (encoding == LobEncoding::kBytes) return data.size();
  if (is_utf16(encoding)) return data.size() / 2;
  return wire::utf16_units(data);
}

bool is_whole(const wire::LobValue& lob, LobEncoding encoding) {
  if (lob.is_complete) return true;
  return lob.has_size && lob_units(encoding, wire::text_of(lob.data())) >= lob.size;
}

std::optional<std::string_view> whole_value(const wire::LobValue& lob, LobEncoding encoding,
                                            std::uint64_t most_bytes, Arena& arena) {
  const ByteView data = lob.data();
  const bool converts = !lob.is_complete && is_utf16(encoding);
  if (encoding == LobEncoding::kUtf16Le && converts) return std::nullopt;  // old servers only
  const std::size_t room = converts ? wire::max_utf8_bytes(data.size()) : data.size();
  if (room > most_bytes || !is_whole(lob, encoding)) return std::nullopt;
  if (!converts) {
    const std::byte* const copy = arena.copy(data.data(), data.size());
    return std::string_view(reinterpret_cast<const char*>(copy), data.size());
  }
  std::byte* const place = arena.allocate(room);
  auto* const text = reinterpret_cast<char*>(place);
  std::size_t size = 0;
  const ValueStatus status = wire::utf16_to_utf8(data, text, size);
  arena.shrink(place, room, status == ValueStatus::kOk ? size : 0);
  if (status != ValueStatus::kOk) return std::nullopt;
  return std::string_view(text, size);
}

Result<bool> LobReader::read(const OpContext& context, const wire::LobValue& lob, OracleType type,
                             LobEncoding encoding, const Extent& extent, const ByteSink& sink) {
  LobText text(encoding);
  const std::string_view prefix = wire::text_of(lob.data());
  if (lob.is_complete) {
    WHERRY_TRY(sink(prefix));
    return true;
  }
  Taken taken{extent};
  const ByteSink counted = [&](std::string_view piece) {
    taken.bytes += piece.size();
    return sink(piece);
  };
  if (!prefix.empty()) WHERRY_TRY(text.feed(prefix, counted));
  const std::uint64_t offset = 1 + lob_units(encoding, prefix);
  const ByteSink raw_sink = [&](std::string_view piece) { return text.feed(piece, counted); };
  if (type == OracleType::kBfile) {
    WHERRY_TRY(read_file(context, lob, taken, raw_sink));
    return true;
  }
  WHERRY_TRY(read_rest(context, lob, lob.locator(), offset, taken, raw_sink));
  if (taken.is_enough()) return false;  // it may end inside a character
  WHERRY_TRY(text.finish());
  return true;
}

/// Opening gives the locator by which an open file is read and closed.
Result<void> LobReader::read_file(const OpContext& context, const wire::LobValue& file,
                                  const Taken& taken, const ByteSink& sink) {
  LobRequest request;
  request.operation = LobOperation::kFileOpen;
  request.locator = file.locator();
  WHERRY_ASSIGN(const Reply opened, call(context, request, no_data));
  request.locator = wire::bytes_of(opened.locator);
  auto done = read_rest(context, file, request.locator, 1, taken, sink);
  if (caller_.is_broken()) return done;
  request.operation = LobOperation::kFileClose;
  auto closed = call(context, request, no_data);
  if (done.ok() && !closed.ok()) return std::move(closed).error();
  return done;
}

/// `taken` grows as `sink` is called.
Result<void> LobReader::read_rest(const OpContext& context, const wire::LobValue& lob,
                                  ByteView locator, std::uint64_t offset, const Taken& taken,
                                  const ByteSink& sink) {
  LobRequest request;
  request.operation = LobOperation::kRead;
  request.locator = locator;
  while (!taken.is_enough() && (!lob.has_size || offset <= lob.size)) {
    request.offset = offset;
    const std::uint64_t amount = taken.amount();
    request.amount = lob.has_size ? std::min(amount, lob.size - offset + 1) : amount;
    WHERRY_ASSIGN(const Reply reply, call(context, request, sink));
    if (reply.amount == 0) break;
    offset += reply.amount;
  }
  return {};
}

Result<LobReader::Reply> LobReader::call(const OpContext& context, const LobRequest& request,
                                         const ByteSink& sink) {
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_.begin(context));
  builder->lob(request);
  WHERRY_TRY(caller_.send(context));
  Reply reply;
  while (true) {
    WHERRY_ASSIGN(const auto message, caller_.next(context));
    if (!message) return reply;
    if (*message == Message::kLobData) {
      WHERRY_TRY(take_data(context, sink));
    } else if (*message == Message::kParameters) {
      WHERRY_ASSIGN(auto returned, caller_.take(context, [&](wire::Reader& in) {
        Reply parameters;
        parameters.locator = wire::text_of(in.raw(request.locator.size()));
        if (request.operation == LobOperation::kCreateTemporary) {
          in.ub2();
          in.skip(1);
        } else if (request.amount || request.operation == LobOperation::kFileOpen) {
          parameters.amount = static_cast<std::uint64_t>(std::max<std::int64_t>(in.sb8(), 0));
        }
        if (answers_flag(request.operation)) parameters.flag = in.u8() != 0;
        return parameters;
      }));
      if (returned) reply = *std::move(returned);
    } else {
      caller_.set_broken();
      return protocol_error("message " + std::to_string(static_cast<int>(*message)) +
                            " came as the answer to a LOB operation");
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
