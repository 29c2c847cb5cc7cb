#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

std::string in_parens(int n) {
  return "(" + std::to_string(n) + ")";
}

}  // namespace

std::string data_type_text(const DataType& t) {
  const std::string n = t.national ? "N" : "";
  switch (t.type) {
    case Type::kVarchar2:
      return n + "VARCHAR2";
    case Type::kChar:
      return n + "CHAR";
    case Type::kNumber:
      return t.is_float ? "FLOAT" : "NUMBER";
    case Type::kLong:
      return "LONG";
    case Type::kRowid:
      return "ROWID";
    case Type::kUrowid:
      return "UROWID";
    case Type::kDate:
      return "DATE";
    case Type::kRaw:
      return "RAW";
    case Type::kLongRaw:
      return "LONG RAW";
    case Type::kBinaryFloat:
      return "BINARY_FLOAT";
    case Type::kBinaryDouble:
      return "BINARY_DOUBLE";
    case Type::kClob:
      return n + "CLOB";
    case Type::kBlob:
      return "BLOB";
    case Type::kBfile:
      return "BFILE";
    case Type::kJson:
      return "JSON";
    case Type::kVector:
      return "VECTOR";
    case Type::kXml:
      return "XMLTYPE";
    case Type::kObject:
      return t.object == nullptr ? "UNDEFINED" : t.object->name;
    case Type::kTimestamp:
      return "TIMESTAMP" + in_parens(t.scale);
    case Type::kTimestampTz:
      return "TIMESTAMP" + in_parens(t.scale) + " WITH TIME ZONE";
    case Type::kTimestampLtz:
      return "TIMESTAMP" + in_parens(t.scale) + " WITH LOCAL TIME ZONE";
    case Type::kIntervalYm:
      return "INTERVAL YEAR" + in_parens(t.precision) + " TO MONTH";
    case Type::kIntervalDs:
      return "INTERVAL DAY" + in_parens(t.precision) + " TO SECOND" + in_parens(t.scale);
    case Type::kBoolean:
      return "BOOLEAN";
    case Type::kCursor:
      return "REF CURSOR";
    case Type::kIndexTable:
      return "PL/SQL TABLE";
  }
  return "UNDEFINED";
}

std::int64_t data_length(const DataType& t) {
  switch (t.type) {
    case Type::kNumber:
      return 22;
    case Type::kDate:
      return 7;
    case Type::kTimestamp:
    case Type::kTimestampLtz:
      return t.scale == 0 ? 7 : 11;
    case Type::kTimestampTz:
      return 13;
    case Type::kIntervalYm:
      return 5;
    case Type::kIntervalDs:
      return 11;
    case Type::kBinaryFloat:
      return 4;
    case Type::kBinaryDouble:
      return 8;
    case Type::kRowid:
      return 10;
    case Type::kClob:
    case Type::kBlob:
      return 4000;
    case Type::kLong:
    case Type::kLongRaw:
      return 0;
    case Type::kXml:
      return 2000;
    case Type::kBfile:
      return 530;
    case Type::kJson:
    case Type::kVector:
      return 8200;
    case Type::kObject:
      return 1;
    case Type::kBoolean:
      return 1;
    case Type::kUrowid:
      return t.size_bytes == 0 ? 4000 : t.size_bytes;
    default:
      return t.size_bytes;
  }
}

}  // namespace orasim::dictionary
