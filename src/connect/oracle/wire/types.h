// Oracle's internal type numbers, and a column as the server describes it.
// Facts: reference oracle-wire-types, 6.1; oracle-wire-ttc, 5.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/cell.h"

namespace wherry::oracle {

enum class OracleType : std::uint8_t {
  kVarchar = 1,
  kNumber = 2,
  kBinaryInteger = 3,
  kLong = 8,
  kRowid = 11,
  kDate = 12,
  kRaw = 23,
  kLongRaw = 24,
  kChar = 96,
  kBinaryFloat = 100,
  kBinaryDouble = 101,
  kCursor = 102,
  kObject = 109,
  kRef = 111,
  kClob = 112,
  kBlob = 113,
  kBfile = 114,
  kJson = 119,
  kVector = 127,
  kTimestamp = 180,
  kTimestampTz = 181,
  kIntervalYm = 182,
  kIntervalDs = 183,
  kUrowid = 208,
  kTimestampLtz = 231,
  kBoolean = 252,
};
/// Oracle's name, "VARCHAR2"; "type 57" for a number that is not known.
std::string name_of(OracleType type);

struct ColumnDescription;
/// The same with the name of an object type: "SYS.ANYDATA".
std::string type_text(const ColumnDescription& column);

enum class CharsetForm : std::uint8_t { kNone = 0, kDatabase = 1, kNational = 2 };

struct ColumnDescription {
  std::string name;
  OracleType type = OracleType::kVarchar;
  std::int8_t precision = 0;
  std::int16_t scale = 0;  ///< -127: floating; for timestamps and DAY TO SECOND fractional digits
  /// In the character set below, not the one values come in. 0: always null, and no bytes in the
  /// rows (most types).
  std::uint32_t max_bytes = 0;
  std::uint32_t max_characters = 0;  ///< as declared, character types only
  std::uint16_t charset = 0;         ///< the server's own, for character types
  CharsetForm form = CharsetForm::kNone;
  bool nullable = true;
  bool is_json = false;  ///< IS JSON constraint
  bool is_oson = false;
  std::uint64_t continuation_flags = 0;
  std::string type_schema, type_name;  ///< objects; "SYS"."XMLTYPE"
};

/// SYS.XMLTYPE, which travels as an object.
bool is_xml_type(const ColumnDescription& column);

/// The kind a column has by nature: NUMBER kDecimal, VARCHAR2 kText, JSON and VECTOR kText, BFILE
/// kText (its directory and file name), a cursor kInt64 (its number in the query). nullopt: there
/// is no reading the type (objects, collections, REF, …).
std::optional<CellKind> natural_kind(const ColumnDescription& column);

}  // namespace wherry::oracle
