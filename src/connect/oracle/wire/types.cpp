#include "connect/oracle/wire/types.h"

#include "connect/oracle/wire/value_status.h"

namespace wherry::oracle {

std::string name_of(OracleType type) {
  switch (type) {
    case OracleType::kVarchar:
      return "VARCHAR2";
    case OracleType::kNumber:
      return "NUMBER";
    case OracleType::kBinaryInteger:
      return "BINARY_INTEGER";
    case OracleType::kLong:
      return "LONG";
    case OracleType::kRowid:
      return "ROWID";
    case OracleType::kDate:
      return "DATE";
    case OracleType::kRaw:
      return "RAW";
    case OracleType::kLongRaw:
      return "LONG RAW";
    case OracleType::kChar:
      return "CHAR";
    case OracleType::kBinaryFloat:
      return "BINARY_FLOAT";
    case OracleType::kBinaryDouble:
      return "BINARY_DOUBLE";
    case OracleType::kCursor:
      return "CURSOR";
    case OracleType::kObject:
      return "OBJECT";
    case OracleType::kRef:
      return "REF";
    case OracleType::kClob:
      return "CLOB";
    case OracleType::kBlob:
      return "BLOB";
    case OracleType::kBfile:
      return "BFILE";
    case OracleType::kJson:
      return "JSON";
    case OracleType::kVector:
      return "VECTOR";
    case OracleType::kTimestamp:
      return "TIMESTAMP";
    case OracleType::kTimestampTz:
      return "TIMESTAMP WITH TIME ZONE";
    case OracleType::kIntervalYm:
      return "INTERVAL YEAR TO MONTH";
    case OracleType::kIntervalDs:
      return "INTERVAL DAY TO SECOND";
    case OracleType::kUrowid:
      return "UROWID";
    case OracleType::kTimestampLtz:
      return "TIMESTAMP WITH LOCAL TIME ZONE";
    case OracleType::kBoolean:
      return "BOOLEAN";
  }
  return "type " + std::to_string(static_cast<int>(type));
}

std::string type_text(const ColumnDescription& column) {
  if (column.type_name.empty()) return name_of(column.type);
  return column.type_schema.empty() ? column.type_name
                                    : column.type_schema + "." + column.type_name;
}

bool is_xml_type(const ColumnDescription& column) {
  return column.type == OracleType::kObject && column.type_name == "XMLTYPE" &&
         (column.type_schema == "SYS" || column.type_schema == "PUBLIC");
}

std::optional<CellKind> natural_kind(const ColumnDescription& column) {
  switch (column.type) {
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kLong:
    case OracleType::kClob:
    case OracleType::kRowid:
    case OracleType::kUrowid:
    case OracleType::kJson:
    case OracleType::kVector:
    case OracleType::kBfile:
      return CellKind::kText;
    case OracleType::kObject:
      return is_xml_type(column) ? std::optional(CellKind::kText) : std::nullopt;
    case OracleType::kCursor:
      return CellKind::kInt64;
    case OracleType::kRaw:
    case OracleType::kLongRaw:
    case OracleType::kBlob:
      return CellKind::kBytes;
    case OracleType::kNumber:
    case OracleType::kBinaryInteger:
      return CellKind::kDecimal;
    case OracleType::kDate:
    case OracleType::kTimestamp:
      return CellKind::kTimestamp;
    case OracleType::kTimestampTz:
    case OracleType::kTimestampLtz:
      return CellKind::kTimestampTz;
    case OracleType::kIntervalYm:
      return CellKind::kIntervalYm;
    case OracleType::kIntervalDs:
      return CellKind::kIntervalDs;
    case OracleType::kBinaryFloat:
      return CellKind::kFloat32;
    case OracleType::kBinaryDouble:
      return CellKind::kFloat64;
    case OracleType::kBoolean:
      return CellKind::kBool;
    default:
      return std::nullopt;
  }
}

namespace wire {

std::string_view describe(ValueStatus status) {
  switch (status) {
    case ValueStatus::kOk:
      return "is fine";
    case ValueStatus::kNeedMore:
      return "is cut off";
    case ValueStatus::kMalformed:
      return "has a malformed length";
    case ValueStatus::kBadNumber:
      return "is not a NUMBER";
    case ValueStatus::kNotInteger:
      return "does not fit a 64-bit integer";
    case ValueStatus::kBadDate:
      return "is not a date of the proleptic Gregorian calendar";
    case ValueStatus::kBadInterval:
      return "is not an interval";
    case ValueStatus::kBadUtf16:
      return "holds a lone surrogate or half a character";
    case ValueStatus::kBadBoolean:
      return "is neither true nor false";
    case ValueStatus::kBadUtf8:
      return "holds bytes that are not text of its character set";
    case ValueStatus::kUnknownForm:
      return "has a form that is not known";
    case ValueStatus::kTooLarge:
      return "is larger than any real value";
  }
  return "is unknown";
}

}  // namespace wire
}  // namespace wherry::oracle
