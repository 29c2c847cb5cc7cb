// The types that sources and targets meet in. A source's catalogue gives each column a LogicalType;
// a target's type map turns it into a native type; both agree on the cell kind it travels as.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/cell.h"

namespace wherry::schema {

enum class TypeKind : std::uint8_t {
  kBoolean,
  kInt16,
  kInt32,
  kInt64,    ///< signed integers of that width
  kDecimal,  ///< precision/scale; precision 0: without limits
  kFloat32,
  kFloat64,
  kText,   ///< bounded text; length_chars
  kBytes,  ///< bounded bytes; length_bytes
  kClob,
  kBlob,          ///< unbounded text and bytes
  kTimestamp,     ///< wall clock; fraction_digits 0…9
  kTimestampTz,   ///< instant with its offset; fraction_digits
  kTimestampLtz,  ///< instant without an offset of its own; fraction_digits
  kIntervalYm,
  kIntervalDs,
  kRowAddress,  ///< Oracle ROWID and UROWID: text
  kXml,
  kJson,
  /// A type that only its own engine knows. It travels to a target of the same engine, as bytes in
  /// that engine's binary form.
  kNative,
  kUnsupported,  ///< carried by nobody; `native` says what it was
  kDate,         ///< a day; travels as its midnight
  kTimeOfDay,    ///< travels as text, "12:13:14"
};
/// Of numbers that files hold: no kind is above.
inline constexpr int kLastTypeKind = static_cast<int>(TypeKind::kTimeOfDay);
std::string_view name_of(TypeKind kind);

struct LogicalType {
  TypeKind kind = TypeKind::kUnsupported;
  std::uint32_t length_chars = 0;    ///< kText: declared length in characters; 0: unknown
  std::uint32_t length_bytes = 0;    ///< kText, kBytes: declared length in bytes; 0: unknown
  std::int16_t precision = 0;        ///< kDecimal: decimal digits, 0: without limits
  std::int16_t scale = 0;            ///< kDecimal
  std::uint8_t fraction_digits = 0;  ///< timestamps and kIntervalDs
  bool blank_padded = false;         ///< CHAR(n): trailing blanks are padding
  bool national = false;             ///< counted in UTF-16 units at the source
  friend bool operator==(const LogicalType&, const LogicalType&) = default;
};

/// The cell kind all values of that type travel as. kUnsupported has none: REQUIRES another kind.
CellKind cell_kind_of(const LogicalType& type);
/// "decimal(10,2)", "timestamp(6)", "text(255)": for plans and messages.
std::string describe(const LogicalType& type);
/// kClob, kBlob, kXml, kJson.
bool is_lob(const LogicalType& type);

}  // namespace wherry::schema
