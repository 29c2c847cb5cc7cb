// Hashes and equality of key values, for folding and for the conflicts of lanes. Cells of one
// column have one kind, so only values of equal kinds are compared. Equality is that of the
// representation: finer than a server's where "1.0" and "1.00" are one key.
#pragma once

#include <bit>
#include <cstring>
#include <vector>

#include "core/cell.h"
#include "core/decimal.h"

namespace wherry::engine {

inline std::uint64_t mix_hash(std::uint64_t hash, std::uint64_t value) {
  __extension__ using Wide = unsigned __int128;
  const Wide product =
      static_cast<Wide>(hash ^ 0x9e3779b97f4a7c15ULL) * (value ^ 0xd6e8feb86659fd93ULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(std::uint64_t hash, const void* data, std::size_t size) {
  const auto* at = static_cast<const unsigned char*>(data);
  hash = mix_hash(hash, size);
  while (size >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = mix_hash(hash, word);
    at += 8;
    size -= 8;
  }
  if (size == 0) return hash;
  std::uint64_t word = 0;
  std::memcpy(&word, at, size);
  return mix_hash(hash, word);
}

/// REQUIRES: the cell is not spilled.
inline std::uint64_t hash_key_cell(std::uint64_t hash, const Cell& cell) {
  if (cell.state != CellState::kSet) return mix_hash(hash, static_cast<std::uint64_t>(cell.state));
  switch (cell.kind) {
    case CellKind::kText:
    case CellKind::kBytes:
      return hash_bytes(hash, cell.payload.ptr, cell.size_bytes);
    case CellKind::kDecimal: {
      const DecimalView& decimal = decimal_of(cell);
      hash = mix_hash(hash, static_cast<std::uint64_t>(decimal.sign) << 32 |
                                static_cast<std::uint16_t>(decimal.weight));
      return hash_bytes(hash, decimal.digits(), decimal.digit_count * sizeof(std::uint16_t));
    }
    case CellKind::kFloat32:
      return mix_hash(hash, std::bit_cast<std::uint32_t>(cell.payload.f32 + 0.0F));
    case CellKind::kFloat64:
      return mix_hash(hash, std::bit_cast<std::uint64_t>(cell.payload.f64 + 0.0));
    case CellKind::kIntervalDs:
      return mix_hash(mix_hash(hash, static_cast<std::uint64_t>(cell.payload.i64)),
                      static_cast<std::uint32_t>(cell.extra));
    default:
      return mix_hash(hash, static_cast<std::uint64_t>(cell.payload.i64));
  }
}

/// REQUIRES: neither is spilled.
inline bool equal_key_cells(const Cell& a, const Cell& b) {
  if (a.state != b.state) return false;
  if (a.state != CellState::kSet) return true;
  switch (a.kind) {
    case CellKind::kText:
    case CellKind::kBytes:
      return a.size_bytes == b.size_bytes &&
             (a.size_bytes == 0 || std::memcmp(a.payload.ptr, b.payload.ptr, a.size_bytes) == 0);
    case CellKind::kDecimal:
      return compare(decimal_of(a), decimal_of(b)) == 0;
    case CellKind::kFloat32:
      return std::bit_cast<std::uint32_t>(a.payload.f32 + 0.0F) ==
             std::bit_cast<std::uint32_t>(b.payload.f32 + 0.0F);
    case CellKind::kFloat64:
      return std::bit_cast<std::uint64_t>(a.payload.f64 + 0.0) ==
             std::bit_cast<std::uint64_t>(b.payload.f64 + 0.0);
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
      return a.payload.i64 == b.payload.i64 && a.nanos == b.nanos;
    case CellKind::kIntervalDs:
      return a.payload.i64 == b.payload.i64 && a.extra == b.extra;
    default:
      return a.payload.i64 == b.payload.i64;
  }
}

inline std::uint64_t hash_key(const Cell* cells, const std::vector<std::size_t>& columns,
                              std::uint64_t seed = 0) {
  for (const std::size_t i : columns) seed = hash_key_cell(seed, cells[i]);
  return seed;
}

inline bool equal_keys(const Cell* a, const Cell* b, const std::vector<std::size_t>& columns) {
  for (const std::size_t i : columns) {
    if (!equal_key_cells(a[i], b[i])) return false;
  }
  return true;
}

}  // namespace wherry::engine
