#include "engine/cell_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/civil_time.h"
#include "core/decimal.h"
#include "core/spill_file.h"

namespace wherry::engine {
namespace {

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_floats(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  return three_way(a, b);
}

/// PostgreSQL's text cannot hold U+0000; the load stores a space.
unsigned char text_byte(char c) {
  return c == '\0' ? ' ' : static_cast<unsigned char>(c);
}

int compare_text(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  // Nearly all values are the same byte for byte, and memcmp sees that many times faster.
  if (a.substr(0, common) == b.substr(0, common)) return three_way(a.size(), b.size());
  const auto [x, y] =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin(),
                    [](char p, char q) { return text_byte(p) == text_byte(q); });
  if (x != a.begin() + static_cast<std::ptrdiff_t>(common))
    return three_way(text_byte(*x), text_byte(*y));
  return three_way(a.size(), b.size());
}

bool has_value(const Cell& cell) {
  return cell.state == CellState::kSet || cell.state == CellState::kSpilled;
}

/// NULLs last, what cannot be read before them.
int rank(const Cell& cell) {
  return cell.is_null() ? 2 : has_value(cell) ? 0 : 1;
}

int compare_set(const Cell& a, const Cell& b) {
  switch (a.kind) {
    case CellKind::kBool:
    case CellKind::kInt64:
    case CellKind::kIntervalYm:
      return three_way(a.payload.i64, b.payload.i64);
    case CellKind::kFloat32:
      return compare_floats(a.payload.f32, b.payload.f32);
    case CellKind::kFloat64:
      return compare_floats(a.payload.f64, b.payload.f64);
    case CellKind::kDecimal:
      return compare(decimal_of(a), decimal_of(b));
    case CellKind::kText:
      return compare_text(a.bytes(), b.bytes());
    case CellKind::kBytes:
      return a.bytes().compare(b.bytes());
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz: {
      const int c = three_way(a.payload.i64, b.payload.i64);
      return c != 0 ? c : three_way(a.nanos, b.nanos);
    }
    case CellKind::kIntervalDs: {
      const int c = three_way(a.payload.i64, b.payload.i64);
      return c != 0 ? c : three_way(a.extra, b.extra);
    }
  }
  return 0;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
  hash ^= hash >> 31;
  return hash * 0xbf58476d1ce4e5b9ULL;
}

/// Reads a text or byte cell in pieces, in memory or spilled.
class ValueReader {
 public:
  explicit ValueReader(const Cell& cell) : is_spilled_(cell.state == CellState::kSpilled) {
    if (is_spilled_) {
      spilled_ = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
      size_ = spilled_.size_bytes;
    } else {
      inline_ = cell.bytes();
      size_ = inline_.size();
    }
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The next bytes, at most a piece; empty at the end. Valid until the next call.
  Result<std::string_view> next() {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece_.size(), size_ - at_));
    if (!is_spilled_) {
      const std::string_view part = inline_.substr(static_cast<std::size_t>(at_), wanted);
      at_ += wanted;
      return part;
    }
    WHERRY_ASSIGN(const std::size_t got,
                  spilled_.file->read(spilled_.offset_bytes + at_,
                                      std::as_writable_bytes(std::span(piece_.data(), wanted))));
    at_ += got;
    return std::string_view(piece_.data(), got);
  }

 private:
  bool is_spilled_;
  SpilledValue spilled_;
  std::string_view inline_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  std::array<char, 16384> piece_;
};

bool is_bytes_like(const Cell& cell) {
  return cell.kind == CellKind::kText || cell.kind == CellKind::kBytes;
}

/// The longest piece of whole characters within `max_bytes`.
std::string_view cut(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

std::string quoted(std::string_view text, std::size_t max_bytes) {
  std::string out = "'";
  for (const char c : cut(text, max_bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (text.size() > max_bytes ? "'…" : "'");
}

std::string hexadecimal(std::string_view bytes, std::size_t max_bytes) {
  std::string out = "\\x";
  for (const char c : bytes.substr(0, max_bytes)) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out + (bytes.size() > max_bytes ? "…" : "");
}

}  // namespace

int compare_cells(const Cell& a, const Cell& b) {
  if (!has_value(a) || !has_value(b)) return rank(a) - rank(b);
  return compare_set(a, b);
}

Result<bool> equal_cells(const Cell& a, const Cell& b) {
  if (a.state == CellState::kUnreadable || b.state == CellState::kUnreadable) return false;
  if (a.is_null() || b.is_null()) return a.is_null() == b.is_null();
  if (a.kind == CellKind::kTimestampTz) {
    return compare_set(a, b) == 0 && a.extra == b.extra;
  }
  if (a.state == CellState::kSet && b.state == CellState::kSet) return compare_set(a, b) == 0;
  ValueReader x(a);
  ValueReader y(b);
  if (x.size() != y.size()) return false;
  for (;;) {
    WHERRY_ASSIGN(const std::string_view p, x.next());
    WHERRY_ASSIGN(const std::string_view q, y.next());
    if (p.size() != q.size()) return false;
    if (p.empty()) return true;
    if (a.kind == CellKind::kText ? compare_text(p, q) != 0 : p != q) return false;
  }
}

Result<std::uint64_t> hash_cell(const Cell& cell, std::uint64_t seed) {
  std::uint64_t hash = mix(seed, static_cast<std::uint64_t>(rank(cell)));
  if (!has_value(cell)) return hash;
  if (is_bytes_like(cell)) {
    ValueReader reader(cell);
    hash = mix(hash, reader.size());
    for (;;) {
      WHERRY_ASSIGN(const std::string_view piece, reader.next());
      if (piece.empty()) return hash;
      for (const char c : piece) {
        const unsigned char byte =
            cell.kind == CellKind::kText ? text_byte(c) : static_cast<unsigned char>(c);
        hash = (hash ^ byte) * 0x100000001b3ULL;
      }
    }
  }
  if (cell.kind == CellKind::kDecimal) {
    const DecimalView& d = decimal_of(cell);
    hash =
        mix(hash, static_cast<std::uint64_t>(d.sign) << 32 | static_cast<std::uint16_t>(d.weight));
    for (std::size_t i = 0; i < d.digit_count; ++i) hash = mix(hash, d.digits()[i]);
    return hash;
  }
  if (cell.kind == CellKind::kFloat32 || cell.kind == CellKind::kFloat64) {
    const double value = cell.kind == CellKind::kFloat32 ? cell.payload.f32 : cell.payload.f64;
    const double canonical = std::isnan(value) ? NAN : value == 0 ? 0.0 : value;
    return mix(hash, std::bit_cast<std::uint64_t>(canonical));
  }
  hash = mix(hash, static_cast<std::uint64_t>(cell.payload.i64));
  if (cell.kind == CellKind::kTimestamp || cell.kind == CellKind::kTimestampTz)
    hash = mix(hash, cell.nanos);
  if (cell.kind == CellKind::kTimestampTz || cell.kind == CellKind::kIntervalDs) {
    hash = mix(hash, static_cast<std::uint32_t>(cell.extra));
  }
  return hash;
}

std::string cell_text(const Cell& cell, std::size_t max_bytes) {
  if (cell.is_null()) return "NULL";
  if (cell.state == CellState::kUnreadable) return "(" + std::string(cell.bytes()) + ")";
  if (cell.state == CellState::kSpilled) {
    const auto& spilled = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
    return fmt::format("a value of {} bytes", spilled.size_bytes);
  }
  switch (cell.kind) {
    case CellKind::kBool:
      return cell.payload.i64 != 0 ? "true" : "false";
    case CellKind::kInt64:
      return fmt::format("{}", cell.payload.i64);
    case CellKind::kFloat32:
      return fmt::format("{}", cell.payload.f32);
    case CellKind::kFloat64:
      return fmt::format("{}", cell.payload.f64);
    case CellKind::kDecimal:
      return to_text(decimal_of(cell));
    case CellKind::kText:
      return quoted(cell.bytes(), max_bytes);
    case CellKind::kBytes:
      return hexadecimal(cell.bytes(), max_bytes / 2);
    case CellKind::kTimestamp:
      return timestamp_text(cell.payload.i64, cell.nanos, 9);
    case CellKind::kTimestampTz:
      return timestamp_text(cell.payload.i64 + cell.extra * std::int64_t{60'000'000}, cell.nanos,
                            9) +
             " " + offset_text(cell.extra);
    case CellKind::kIntervalYm:
      return fmt::format("{} months", cell.payload.i64);
    case CellKind::kIntervalDs:
      return fmt::format("{} s {} ns", cell.payload.i64, cell.extra);
  }
  return {};
}

}  // namespace wherry::engine
