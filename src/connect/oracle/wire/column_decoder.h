// One value of a row: wire bytes to a Cell. The function for a column is chosen once, when its type
// and the wanted kind are known; after that there is no branch on types.
// Facts: reference oracle-wire-types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connect/oracle/wire/clr_stream.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/types.h"
#include "connect/oracle/wire/value_status.h"
#include "connect/oracle/wire/zone_rules.h"
#include "core/arena.h"
#include "core/cell.h"

namespace wherry::oracle::wire {

/// What decoding needs beside the bytes. `arena` takes the values.
struct DecodeContext {
  Arena* arena = nullptr;
  RegionTable* regions = nullptr;
  ZoneField database_zone;  ///< DBTIMEZONE, for TIMESTAMP WITH LOCAL TIME ZONE
  ChunkLength chunks = ChunkLength::kUb4;
  std::uint16_t database_charset = kCharsetAl32Utf8;  ///< of text inside object images
  /// A value that is none of its column's type becomes a kUnreadable cell, not an error.
  bool keeps_bad_values = false;
  std::string scratch;  ///< kept from value to value, so that none allocates
};

/// Decodes at `in`, which moves behind the value only when the result is kOk.
using DecodeValue = ValueStatus (*)(ByteCursor& in, DecodeContext& context, Cell& out);

/// How LOB values come in rows.
enum class LobForm : std::uint8_t {
  kSizedLocator,  ///< defined with the LOB prefetch flag: size, chunk size, locator
  kBareLocator,   ///< not defined: the locator alone
  kPrefetched,    ///< size, chunk size, the first part of the data, locator
};

/// Decoder for values of `column` as `kind`; nullptr when the type cannot come as that kind.
DecodeValue find_decoder(const ColumnDescription& column, CellKind kind, const Dialect& dialect,
                         LobForm lob_form);

/// The cell of a column whose values are read by locator: payload.ptr -> LobValue, then the locator
/// and what the row held of the data.
struct LobValue {
  std::uint64_t size = 0;  ///< characters or bytes; 0 also when it was not told
  std::uint32_t locator_bytes = 0;
  std::uint32_t data_bytes = 0;
  bool has_size = false;
  bool is_complete = false;  ///< data() is the whole value, text as UTF-8; there is no locator

  [[nodiscard]] ByteView locator() const {
    return {reinterpret_cast<const std::uint8_t*>(this + 1), locator_bytes};
  }
  /// The beginning of the value as the server encodes it.
  [[nodiscard]] ByteView data() const {
    return {reinterpret_cast<const std::uint8_t*>(this + 1) + locator_bytes, data_bytes};
  }
  [[nodiscard]] std::size_t total_bytes() const {
    return sizeof *this + locator_bytes + data_bytes;
  }
};
inline const LobValue& lob_of(const Cell& cell) {
  return *reinterpret_cast<const LobValue*>(cell.payload.ptr);
}

/// CLOB, NCLOB, BLOB.
constexpr bool is_lob(OracleType type) {
  return type == OracleType::kClob || type == OracleType::kBlob;
}
/// Whether cells of `kind` come as LobValue: LOBs, the content of BFILEs, XML (text or a CLOB).
constexpr bool comes_as_lob(OracleType type, CellKind kind) {
  return is_lob(type) || (type == OracleType::kBfile && kind == CellKind::kBytes) ||
         (type == OracleType::kObject && kind == CellKind::kText);
}
/// LONG and LONG RAW, also as the form in which LOBs can be had in line.
constexpr bool is_long(OracleType type) {
  return type == OracleType::kLong || type == OracleType::kLongRaw;
}
/// A value of described length 0 takes no bytes in the rows.
constexpr bool is_absent(OracleType type, std::uint32_t max_bytes) {
  return max_bytes == 0 && !is_long(type) && type != OracleType::kUrowid;
}
constexpr bool is_absent(const ColumnDescription& column) {
  return is_absent(column.type, column.max_bytes);
}

}  // namespace wherry::oracle::wire
