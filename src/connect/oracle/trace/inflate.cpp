#include "connect/oracle/trace/inflate.h"

#include <zlib.h>

#include <array>
#include <utility>

namespace wherry::oracle::trace {
namespace {

/// RFC 1950: method deflate, and a check of the two bytes.
bool has_zlib_header(wire::ByteView bytes) {
  return bytes.size() >= 2 && (bytes[0] & 0x0F) == 8 && (bytes[0] >> 4) <= 7 &&
         (bytes[0] * 256 + bytes[1]) % 31 == 0;
}

}  // namespace

Inflater::Inflater() = default;
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

void Inflater::Close::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

void Inflater::forget() {
  stream_.reset();
}

bool Inflater::open(wire::ByteView payload) {
  auto stream = std::make_unique<z_stream_s>();
  const int window = has_zlib_header(payload) ? MAX_WBITS : -MAX_WBITS;
  if (inflateInit2(stream.get(), window) != Z_OK) return false;
  stream_.reset(stream.release());
  return true;
}

std::optional<std::string> Inflater::inflate(wire::ByteView payload, std::size_t max_bytes) {
  const bool is_first = stream_ == nullptr;
  if (is_first && !open(payload)) return std::nullopt;
  auto text = go_on(payload, max_bytes);
  if (!text && !is_first && open(payload)) text = go_on(payload, max_bytes);
  if (!text) forget();
  return text;
}

std::optional<std::string> Inflater::go_on(wire::ByteView payload, std::size_t max_bytes) {
  std::string text;
  std::array<Bytef, 16384> piece;
  z_stream_s& stream = *stream_;
  stream.next_in = const_cast<Bytef*>(payload.data());  // zlib does not write there
  stream.avail_in = static_cast<uInt>(payload.size());
  while (true) {
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    const int result = ::inflate(&stream, Z_SYNC_FLUSH);
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size() - stream.avail_out);
    if (text.size() > max_bytes) return std::nullopt;
    if (result == Z_STREAM_END) {
      // A stream that was closed: the next packet begins another.
      const bool is_whole = stream.avail_in == 0;
      forget();
      return is_whole ? std::optional(std::move(text)) : std::nullopt;
    }
    if (result == Z_BUF_ERROR) break;  // all that is there was taken
    if (result != Z_OK) return std::nullopt;
    if (stream.avail_in == 0 && stream.avail_out != 0) break;
  }
  return stream.avail_in == 0 ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace wherry::oracle::trace
