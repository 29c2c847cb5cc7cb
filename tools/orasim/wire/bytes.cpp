#include "wire/bytes.h"

#include <algorithm>

namespace orasim::wire {

void Reader::fill(std::size_t n) {
  if (source_ == nullptr) throw ShortRead();
  while (size_ - pos_ < n) {
    source_->more(*buffer_);
    rebase();
  }
}

std::uint64_t Reader::fixed(std::size_t n) {
  need(n);
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < n; ++i) v = v << 8 | begin_[pos_ + i];
  pos_ += n;
  return v;
}

std::uint16_t Reader::u16le() {
  const std::uint16_t v = u16();
  return static_cast<std::uint16_t>(v << 8 | v >> 8);
}

std::uint64_t Reader::magnitude(std::size_t n, std::size_t limit) {
  if (n > limit) throw BadMessage("variable-length integer is wider than its field");
  return fixed(n);
}

std::uint64_t Reader::unsigned_integer(std::size_t limit) {
  const std::uint8_t head = u8();
  if ((head & 0x80) != 0) throw BadMessage("negative value in an unsigned field");
  return magnitude(head, limit);
}

std::int64_t Reader::signed_integer(std::size_t limit) {
  const std::uint8_t head = u8();
  const std::uint64_t size = magnitude(head & 0x7F, limit);
  // The unsigned negation is well defined for every magnitude.
  return static_cast<std::int64_t>((head & 0x80) != 0 ? 0 - size : size);
}

ByteView Reader::raw(std::size_t n) {
  need(n);
  const ByteView view{begin_ + pos_, n};
  pos_ += n;
  return view;
}

bool Reader::clr(ByteView& out) {
  return clr_after(u8(), out);
}

bool Reader::clr_after(std::uint8_t first, ByteView& out) {
  out = {};
  if (first == 0 || first == 255) return false;
  if (first != 254) {
    out = raw(first);
    return true;
  }
  joined_.clear();
  while (const std::uint32_t n = small_chunks_ ? u8() : ub4()) {
    // In pieces, so that an announced length alone never makes the source gather it.
    for (std::size_t left = n; left > 0;) {
      const ByteView part = raw(std::min<std::size_t>(left, kChunk));
      joined_.insert(joined_.end(), part.begin(), part.end());
      left -= part.size();
    }
  }
  out = joined_;
  return true;
}

std::string Reader::clr_text() {
  ByteView view;
  clr(view);
  return std::string(as_text(view));
}

std::string Reader::dlc_text() {
  if (ub4() == 0) return {};
  return clr_text();
}

void Reader::skip_dlc() {
  ByteView view;
  if (ub4() != 0) clr(view);
}

void Writer::grow(std::size_t n) {
  const std::size_t wanted = std::max({capacity_ * 2, size_ + n, std::size_t{4096}});
  std::unique_ptr<std::uint8_t[]> bigger(new std::uint8_t[wanted]);
  if (size_ > 0) std::memcpy(bigger.get(), data_.get(), size_);
  data_ = std::move(bigger);
  capacity_ = wanted;
}

void Writer::drop_front(std::size_t n) {
  std::memmove(data_.get(), data_.get() + n, size_ - n);
  size_ -= n;
}

void Writer::fixed(std::uint64_t v, std::size_t n) {
  std::uint8_t* to = room(n);
  for (std::size_t i = n; i > 0; --i, v >>= 8) to[i - 1] = static_cast<std::uint8_t>(v);
  size_ += n;
}

void Writer::ub(std::uint64_t v) {
  const std::size_t n = v == 0 ? 0 : v < 0x100 ? 1 : v < 0x10000 ? 2 : v < 0x100000000 ? 4 : 8;
  u8(static_cast<std::uint8_t>(n));
  if (n > 0) fixed(v, n);
}

void Writer::sb(std::int64_t v) {
  if (v >= 0) {
    ub(static_cast<std::uint64_t>(v));
    return;
  }
  const std::size_t head = size_;
  ub(0 - static_cast<std::uint64_t>(v));
  data_[head] |= 0x80;
}

void Writer::zeros(std::size_t n) {
  std::memset(room(n), 0, n);
  size_ += n;
}

void Writer::long_clr(const std::uint8_t* bytes, std::size_t n) {
  begin_chunks();
  chunks({bytes, n});
  end_chunks();
}

void Writer::chunks(ByteView piece) {
  while (!piece.empty()) {
    const std::size_t n = std::min(piece.size(), small_chunks_ ? kSmallChunk : kChunk);
    if (small_chunks_) {
      u8(static_cast<std::uint8_t>(n));
    } else {
      ub(n);
    }
    raw(piece.first(n));
    piece = piece.subspan(n);
  }
}

}  // namespace orasim::wire
