// Cells to fields of a binary COPY. The encoder of a column is chosen once, from the logical type
// of its values and the native type of the target's column; per cell there is one indirect call, no
// type switch and no allocation. A value is carried exactly or refused: nothing is cut or rounded,
// but for decimals into floating point, which become the nearest one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connect/postgres/native_type.h"
#include "connect/postgres/wire/copy_buffer.h"
#include "core/cell.h"

namespace wherry::postgres::wire {

/// PostgreSQL's limit of 1 GB for one value, less the header of a varlena.
inline constexpr std::uint64_t kMaxValueBytes = 0x3FFFFFFF - 8;

enum class EncodeStatus : std::uint8_t {
  kOk,
  kSpilled,     ///< the caller streams the value; nothing was written
  kBadText,     ///< no valid UTF-8
  kOutOfRange,  ///< beyond what the column's type holds
  kWouldRound,  ///< the column keeps fewer decimals or fraction digits than the value has
  kTooLong,     ///< more characters than the column's length
  kTooLarge,    ///< above kMaxValueBytes
  kWrongForm,   ///< no UUID, no single true/false, …
};
/// "the value is out of the range of its column"; empty for kOk and kSpilled.
std::string_view text_of(EncodeStatus status);

struct ColumnEncoder;
/// REQUIRES: the cell is kSet and of the column's kind. On any status but kOk the buffer holds
/// rubbish behind what was there before.
using EncodeFunction = EncodeStatus (*)(ColumnEncoder& self, const Cell& cell, CopyBuffer& out);

struct ColumnEncoder {
  EncodeFunction encode = nullptr;
  std::int64_t low = 0;  ///< integers
  std::int64_t high = 0;
  int max_highest = 0;  ///< numeric(p,s): largest power of ten of the first digit …
  int min_lowest = 0;   ///< … and smallest of the last
  bool is_bounded = false;
  std::uint32_t max_chars = 0;   ///< 0: no limit
  std::int64_t unit_micros = 1;  ///< timestamps must be multiples
  int fraction_digits = 6;       ///< of text forms
  bool trim_blanks = false;
  bool is_jsonb = false;
  bool is_text = false;              ///< spilled values need UTF-8 checks
  std::uint64_t zeros_replaced = 0;  ///< U+0000 that became spaces
};

/// nullopt when values of `type` have no form in a column of `native`.
std::optional<ColumnEncoder> choose_encoder(const schema::LogicalType& type,
                                            const NativeType& native, bool trim_blanks);

inline EncodeStatus encode_cell(ColumnEncoder& encoder, const Cell& cell, CopyBuffer& out) {
  if (cell.state == CellState::kSet) return encoder.encode(encoder, cell, out);
  if (cell.state == CellState::kSpilled) return EncodeStatus::kSpilled;
  out.put_null();
  return EncodeStatus::kOk;
}

}  // namespace wherry::postgres::wire
