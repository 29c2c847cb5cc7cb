// Fields of a binary COPY to cells, the way back of encoder.h: the decoder of a column is chosen
// once from the logical type of its values and the native type that holds them, so that a value
// comes back as the cell it was written from. What a native type cannot hold is lost as documented
// there: a timestamptz has no offset of its own and comes back with offset 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connect/postgres/native_type.h"
#include "core/arena.h"
#include "core/cell.h"

namespace wherry::postgres::wire {

struct ColumnDecoder;
/// False when the field's bytes are no value of the column's type. Text and bytes are copied into
/// `arena`.
using DecodeFunction = bool (*)(const ColumnDecoder& self, std::string_view field, Arena& arena,
                                Cell& out);

struct ColumnDecoder {
  DecodeFunction decode = nullptr;
  CellKind kind = CellKind::kText;
  /// The column must be selected as text (`"c"::text`), because its binary form is not known.
  bool as_text = false;
  bool trim_blanks = false;
  /// Text and bytes: a value above the in-line limit may go to a spill file unseen, but for the
  /// first `skip_bytes`.
  bool may_spill = false;
  std::size_t skip_bytes = 0;
};

/// nullopt when a column of `native` cannot hold values of `type`.
std::optional<ColumnDecoder> choose_decoder(const schema::LogicalType& type,
                                            const NativeType& native, bool trim_blanks);

}  // namespace wherry::postgres::wire
