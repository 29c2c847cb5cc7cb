#include "connect/oracle/lob.h"

#include <algorithm>

#include "connect/oracle/wire/utf16.h"

namespace wherry::oracle {

using wire::LobOperation;

namespace {

/// What one write sends: few round trips, little memory.
constexpr std::size_t kWritePiece = 256 * 1024;
constexpr std::uint64_t kReadPiece = 1024 * 1024;

/// The last lead byte promises more bytes than there are.
bool ends_inside_character(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(text.size(), 4); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t size = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return size > back;
  }
  return false;
}

}  // namespace

std::size_t whole_characters(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text.size();
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end;
}

LobImpl::LobImpl(std::shared_ptr<Caller> caller, OracleType type, CharsetForm form,
                 std::string locator)
    : caller_(std::move(caller)), type_(type), form_(form), locator_(std::move(locator)) {}

LobImpl::~LobImpl() {
  if (is_temporary()) caller_->free_lob_later(locator_);
}

Result<std::unique_ptr<LobImpl>> LobImpl::create_temporary(const OpContext& context,
                                                           std::shared_ptr<Caller> caller,
                                                           OracleType type, CharsetForm form) {
  const std::string empty(wire::kNewLocatorBytes, '\0');
  wire::LobRequest request;
  request.operation = LobOperation::kCreateTemporary;
  request.locator = wire::bytes_of(empty);
  request.type = type;
  request.form = type == OracleType::kClob ? form : CharsetForm::kNone;
  WHERRY_ASSIGN(auto reply, LobReader(*caller).call(context, request, no_data));
  return std::make_unique<LobImpl>(std::move(caller), type, request.form, std::move(reply.locator));
}

bool LobImpl::is_temporary() const {
  return wire::Locator(locator_).is_temporary();
}

LobEncoding LobImpl::encoding() const {
  return encoding_of(wire::Locator(locator_), type_, form_);
}

Result<std::uint64_t> LobImpl::call(OpContext& context, LobOperation operation,
                                    std::uint64_t offset, std::optional<std::uint64_t> amount,
                                    wire::ByteView data, const ByteSink& sink) {
  wire::LobRequest request;
  request.operation = operation;
  request.locator = wire::bytes_of(locator_);
  request.offset = offset;
  request.amount = amount;
  request.data = data;
  WHERRY_ASSIGN(auto reply, LobReader(*caller_).call(context, request, sink));
  // Writing may give a LOB another locator.
  if (reply.locator.size() == locator_.size()) locator_ = std::move(reply.locator);
  return reply.amount;
}

Result<void> LobImpl::open_file(OpContext& context) {
  WHERRY_TRY(call(context, LobOperation::kFileOpen, 0, {}, {}, no_data));
  return {};
}

Result<std::uint64_t> LobImpl::size(OpContext& context) {
  return call(context, LobOperation::kGetLength, 0, 0, {}, no_data);
}

Result<std::uint64_t> LobImpl::read(OpContext& context, std::uint64_t offset, std::uint64_t amount,
                                    const ByteSink& sink) {
  if (type_ != OracleType::kBfile) return read_pieces(context, offset, amount, sink);
  WHERRY_TRY(open_file(context));
  auto done = read_pieces(context, offset, amount, sink);
  if (caller_->is_broken()) return done;
  auto closed = call(context, LobOperation::kFileClose, 0, {}, {}, no_data);
  if (done.ok() && !closed.ok()) return std::move(closed).error();
  return done;
}

Result<std::uint64_t> LobImpl::read_pieces(OpContext& context, std::uint64_t offset,
                                           std::uint64_t amount, const ByteSink& sink) {
  LobText text(encoding());
  const ByteSink raw_sink = [&](std::string_view piece) { return text.feed(piece, sink); };
  std::uint64_t done = 0;
  while (done < amount) {
    const std::uint64_t wanted = std::min(kReadPiece, amount - done);
    WHERRY_ASSIGN(const std::uint64_t came,
                  call(context, LobOperation::kRead, offset + done + 1, wanted, {}, raw_sink));
    done += came;
    if (came < wanted) break;
  }
  if (text.finish().ok()) return done;
  // The last character is cut in two; the other half is the next unit.
  WHERRY_ASSIGN(const std::uint64_t rest,
                call(context, LobOperation::kRead, offset + done + 1, 1, {}, raw_sink));
  WHERRY_TRY(text.finish());
  return done + rest;
}

Result<std::uint64_t> LobImpl::write(OpContext& context, std::uint64_t offset,
                                     std::string_view data) {
  const LobEncoding form = encoding();
  if (form != LobEncoding::kBytes && ends_inside_character(data)) {
    return make_error(ErrorKind::kData, "oracle.lob_text",
                      "A piece of text for a LOB ends inside a character",
                      "Cut the text between characters");
  }
  std::uint64_t done = 0;
  while (!data.empty()) {
    const std::size_t size = form == LobEncoding::kBytes ? std::min(data.size(), kWritePiece)
                                                         : whole_characters(data, kWritePiece);
    std::string piece(data.substr(0, size));
    if (form == LobEncoding::kUtf16Be || form == LobEncoding::kUtf16Le) {
      piece = wire::utf8_to_utf16(piece);
      if (form == LobEncoding::kUtf16Le) {
        for (std::size_t i = 0; i + 1 < piece.size(); i += 2) std::swap(piece[i], piece[i + 1]);
      }
    }
    WHERRY_TRY(
        call(context, LobOperation::kWrite, offset + done + 1, {}, wire::bytes_of(piece), no_data));
    done += lob_units(form, piece);
    data.remove_prefix(size);
  }
  return done;
}

Result<void> LobImpl::trim(OpContext& context, std::uint64_t size) {
  WHERRY_TRY(call(context, LobOperation::kTrim, 0, size, {}, no_data));
  return {};
}

}  // namespace wherry::oracle
