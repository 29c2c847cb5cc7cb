// Values of the simulator's own SQL engine. Nothing here is shared with src/: the simulator must
// not inherit a misreading from the product it is there to test.
//
// A Value is an Oracle value with its run-time type; NULL is a Value whose payload is empty (the
// type is kept, so that NULL columns still describe correctly). The empty string IS NULL, as in
// Oracle: make_text("") gives NULL. Text is always UTF-8 inside the simulator, national text too;
// the wire layer converts national text to UTF-16BE.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/number.h"

namespace orasim {

/// Oracle's own type numbers (OCI, "Oracle Call Interface Programmer's Guide", data types).
enum class Type : std::uint8_t {
  kVarchar2 = 1,
  kNumber = 2,
  kLong = 8,
  kRowid = 11,
  kDate = 12,
  kRaw = 23,
  kLongRaw = 24,
  kXml = 58,  ///< XMLTYPE; clients are told 109, as of any object
  kChar = 96,
  kBinaryFloat = 100,
  kBinaryDouble = 101,
  kCursor = 102,
  kObject = 109,  ///< object types and collections
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
  kIndexTable = 251,  ///< TABLE OF … INDEX BY PLS_INTEGER: PL/SQL variables and array binds only
  kBoolean = 252,
};

struct ObjectType;

/// Declared type of a column or described type of a select item.
struct DataType {
  Type type = Type::kVarchar2;
  bool national = false;         ///< NCHAR, NVARCHAR2, NCLOB: charset form 2
  bool char_semantics = false;   ///< declared as n CHAR
  bool has_precision = false;    ///< NUMBER(p…): false means data_precision is NULL
  bool has_scale = false;        ///< NUMBER: false means data_scale is NULL (plain NUMBER or FLOAT)
  bool is_float = false;         ///< FLOAT(p): precision is in binary digits
  std::int16_t precision = 0;    ///< NUMBER, FLOAT, INTERVAL leading precision
  std::int16_t scale = 0;        ///< NUMBER scale; fractional digits of TIMESTAMP / INTERVAL DS
  std::uint32_t size_bytes = 0;  ///< declared or derived length in bytes (DATA_LENGTH)
  std::uint32_t size_chars = 0;  ///< CHAR_LENGTH for character types
  /// VECTOR: dimensions are in size_chars (0: any), the format's number in precision (0: any), and
  /// is_sparse.
  bool is_sparse = false;
  std::shared_ptr<const ObjectType> object;  ///< kObject
};

/// A type made by CREATE TYPE. Types that columns use do not change, so it travels with them.
struct ObjectType {
  enum class Kind : std::uint8_t { kObject, kVarray, kTable };
  struct Attribute {
    std::string name;
    DataType type;
  };
  std::string owner, name;
  std::string oid;  ///< 16 bytes
  Kind kind = Kind::kObject;
  std::uint16_t version = 1;
  std::uint32_t limit = 0;            ///< kVarray
  std::vector<Attribute> attributes;  ///< collections: the element, without a name
};

/// A point on Oracle's calendar. For kTimestampTz and kTimestampLtz the fields are in UTC and
/// offset_minutes is the zone the value was given in. Years are astronomical-free: -4712 … 9999
/// without a year 0 (‑1 is 1 BC), as Oracle counts.
struct DateTime {
  std::int16_t year = 1;
  std::uint8_t month = 1;
  std::uint8_t day = 1;
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  std::uint8_t second = 0;
  std::uint32_t nanosecond = 0;
  std::int16_t offset_minutes = 0;
  std::uint16_t region_id = 0;  ///< 0: the zone was given as an offset
  friend auto operator<=>(const DateTime&, const DateTime&) = default;
};

struct IntervalYm {
  std::int64_t months = 0;  ///< years * 12 + months, signed; up to 999999999 years
  friend auto operator<=>(const IntervalYm&, const IntervalYm&) = default;
};

struct IntervalDs {
  std::int64_t seconds = 0;      ///< whole seconds, signed
  std::int32_t nanoseconds = 0;  ///< same sign as seconds
  friend auto operator<=>(const IntervalDs&, const IntervalDs&) = default;
};

/// Physical row address; text form is the 18 characters OOOOOOFFFBBBBBBRRR.
struct RowId {
  std::uint32_t object = 0;  ///< data object id
  std::uint16_t file = 0;
  std::uint32_t block = 0;
  std::uint16_t slot = 0;
  friend auto operator<=>(const RowId&, const RowId&) = default;
};
std::string to_text(const RowId&);
/// False when the text is not an extended ROWID.
bool from_text(std::string_view, RowId& out);

/// Immutable content of a LOB; the wire layer makes locators that keep it alive. UTF-8 for CLOB.
struct LobData {
  std::string data;
};
using Lob = std::shared_ptr<const LobData>;

/// A query that has been opened and whose rows nobody has read yet; defined in engine/session.h.
struct OpenCursor;
using CursorRef = std::shared_ptr<OpenCursor>;
/// Changed only by its one owner; others copy it first.
struct IndexTable;
using IndexTableRef = std::shared_ptr<IndexTable>;

struct Value {
  Type type = Type::kVarchar2;
  bool national = false;
  /// string: kVarchar2, kChar, kLong, kRaw, kLongRaw, and kBfile's two names as in a locator.
  /// bool: kBoolean. RowId: kRowid, kUrowid. Lob: kClob and kXml (UTF-8), kBlob, and the images of
  /// kJson (OSON), kVector and kObject.
  /// CursorRef: kCursor; NULL is a cursor variable that was never opened.
  /// IndexTableRef: kIndexTable; NULL is an empty one.
  std::variant<std::monostate, std::string, Number, DateTime, IntervalYm, IntervalDs, float, double,
               bool, RowId, Lob, CursorRef, IndexTableRef>
      data;

  [[nodiscard]] bool is_null() const { return data.index() == 0; }
  [[nodiscard]] const std::string& text() const { return std::get<std::string>(data); }
  [[nodiscard]] const Number& number() const { return std::get<Number>(data); }
  [[nodiscard]] const DateTime& date_time() const { return std::get<DateTime>(data); }
  [[nodiscard]] const Lob& lob() const { return std::get<Lob>(data); }
};

struct IndexTable {
  DataType element;
  std::map<std::int64_t, Value> elements;
};

/// Types whose value is a Lob.
[[nodiscard]] constexpr bool is_lob_payload(Type t) {
  return t == Type::kClob || t == Type::kBlob || t == Type::kXml || t == Type::kObject ||
         t == Type::kJson || t == Type::kVector;
}

inline Value make_null(Type t) {
  return Value{t, false, {}};
}
inline Value make_text(std::string s, Type t = Type::kVarchar2, bool national = false) {
  if (s.empty()) return Value{t, national, {}};
  return Value{t, national, std::move(s)};
}
inline Value make_lob(std::string data, Type t = Type::kClob, bool national = false) {
  return Value{t, national, Lob(std::make_shared<const LobData>(LobData{std::move(data)}))};
}
inline Value make_number(Number n) {
  return Value{Type::kNumber, false, std::move(n)};
}
inline Value make_int(std::int64_t v) {
  return make_number(Number::from_int(v));
}

using Row = std::vector<Value>;

}  // namespace orasim
