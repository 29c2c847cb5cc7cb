// Cells to fields of a binary COPY. The encoder of a column is chosen once, from the logical type
// of its values and the native type of the target's column; per cell there is one indirect call, no
// type switch and no allocation. A value is carried exactly or refused: nothing is cut or rounded,
// but for decimals into floating point, which become the nearest one. What a value means is kept
// where the column has another family of types, and likeness_of() says how to compare then.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "connect/postgres/native_type.h"
#include "connect/postgres/wire/copy_buffer.h"
#include "core/arena.h"
#include "core/cell.h"
#include "schema/table_plan.h"

namespace wherry::postgres::wire {

/// No block of PostgreSQL's memory is larger (MaxAllocSize in its utils/memutils.h).
inline constexpr std::uint64_t kMaxBlockBytes = 0x3FFFFFFF;
/// The largest value that can be stored in a column with lz4: compressing it takes a block of n +
/// n/255 + 16 bytes (LZ4_compressBound) and a header, which must not be above kMaxBlockBytes.
inline constexpr std::uint64_t kMaxValueBytes = (kMaxBlockBytes - 20) / 256 * 255;
/// A row is put together in one block before its values are stored elsewhere: their bytes, for each
/// column its header and alignment, for the row its own header.
inline constexpr std::uint64_t kMaxRowBytes = kMaxBlockBytes - 256;
inline constexpr std::uint64_t kRowBytesOfColumn = 8;

enum class EncodeStatus : std::uint8_t {
  kOk,
  kSpilled,      ///< the caller streams the value; nothing was written
  kBadText,      ///< no valid UTF-8
  kOutOfRange,   ///< beyond what the column's type holds
  kWouldRound,   ///< the column keeps fewer decimals or fraction digits than the value has
  kTooLong,      ///< more characters than the column's length
  kTooLarge,     ///< above kMaxValueBytes
  kRowTooLarge,  ///< the values together are above kMaxRowBytes
  kWrongForm,    ///< no UUID, no single true/false, …
  kUnreadable,   ///< the source has a value there that is none of the column's type
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
  bool holds_months = true;      ///< intervals
  bool holds_seconds = true;
  bool trim_blanks = false;
  bool is_jsonb = false;
  bool is_xml = false;
  bool is_text = false;              ///< spilled values need UTF-8 checks
  bool refuses_zeros = false;        ///< U+0000 is an error, not a space
  std::uint64_t zeros_replaced = 0;  ///< U+0000 that became spaces
  std::shared_ptr<Arena> scratch;    ///< of one value, for those that come as text
};

/// nullopt when values of `type` have no form in a column of `native`.
std::optional<ColumnEncoder> choose_encoder(const schema::LogicalType& type,
                                            const NativeType& native, bool trim_blanks);
/// How values of `type` compare with what a column of `native` gives back of them. REQUIRES: there
/// is an encoder.
schema::Likeness likeness_of(const schema::LogicalType& type, const NativeType& native,
                             bool trim_blanks);

/// The bytes of an XML declaration at the beginning of `text`. It is left out: it may name the
/// encoding the document once had, and the server would believe it.
std::size_t xml_declaration_bytes(std::string_view text);

inline EncodeStatus encode_cell(ColumnEncoder& encoder, const Cell& cell, CopyBuffer& out) {
  if (cell.state == CellState::kSet) return encoder.encode(encoder, cell, out);
  if (cell.state == CellState::kSpilled) return EncodeStatus::kSpilled;
  if (cell.state == CellState::kUnreadable) return EncodeStatus::kUnreadable;
  out.put_null();
  return EncodeStatus::kOk;
}

}  // namespace wherry::postgres::wire
