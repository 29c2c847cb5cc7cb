#include "exec/types.h"

#include <algorithm>

#include "engine/charset.h"

namespace orasim {

DataType plain_number() {
  DataType t;
  t.type = Type::kNumber;
  t.size_bytes = 22;
  return t;
}

DataType simple_type(Type type) {
  DataType t;
  t.type = type;
  switch (type) {
    case Type::kNumber:
      t.size_bytes = 22;
      break;
    case Type::kDate:
      t.size_bytes = 7;
      break;
    case Type::kBinaryFloat:
      t.size_bytes = 4;
      break;
    case Type::kBinaryDouble:
      t.size_bytes = 8;
      break;
    case Type::kRowid:
      t.size_bytes = 10;
      break;
    case Type::kUrowid:
      t.size_bytes = 4000;
      break;
    case Type::kClob:
    case Type::kBlob:
      t.size_bytes = 4000;
      break;
    case Type::kXml:
      t.size_bytes = 2000;
      break;
    case Type::kBfile:
      t.size_bytes = 530;
      break;
    case Type::kJson:
      t.size_bytes = 8200;
      break;
    case Type::kVector:
      t.size_bytes = 8200;
      break;
    case Type::kObject:
      t.size_bytes = 1;
      break;
    case Type::kTimestamp:
    case Type::kTimestampLtz:
      t.size_bytes = 11;
      t.scale = 6;
      break;
    case Type::kTimestampTz:
      t.size_bytes = 13;
      t.scale = 6;
      break;
    case Type::kIntervalYm:
      t.size_bytes = 5;
      t.precision = 2;
      break;
    case Type::kIntervalDs:
      t.size_bytes = 11;
      t.precision = 2;
      t.scale = 6;
      break;
    case Type::kBoolean:
      t.size_bytes = 1;
      break;
    default:
      break;
  }
  return t;
}

DataType text_type(Type base, std::int64_t length, bool characters, bool national) {
  DataType t;
  t.type = base;
  t.national = national;
  t.char_semantics = characters || national;
  const auto n = static_cast<std::uint32_t>(length);
  t.size_chars = n;
  const std::uint32_t limit = base == Type::kChar ? 2000 : n > 4000 ? 32767 : 4000;
  // AL16UTF16 is counted at two bytes a character, the database's set at what it takes at most.
  const std::uint32_t width = database_charset().max_bytes;
  t.size_bytes = national ? n * 2 : characters ? std::min(n * width, limit) : n;
  return t;
}

DataType timestamp_type_of(Type type, int digits) {
  DataType t = simple_type(type);
  t.scale = static_cast<std::int16_t>(digits);
  if (digits == 0 && type != Type::kTimestampTz) t.size_bytes = 7;
  return t;
}

std::string type_word(Type type, bool national) {
  switch (type) {
    case Type::kNumber:
      return "NUMBER";
    case Type::kVarchar2:
    case Type::kChar:
      return national ? "NCHAR" : "CHAR";
    case Type::kLong:
      return "LONG";
    case Type::kRowid:
      return "ROWID";
    case Type::kDate:
      return "DATE";
    case Type::kRaw:
      return "BINARY";
    case Type::kLongRaw:
      return "LONG BINARY";
    case Type::kBinaryFloat:
      return "BINARY_FLOAT";
    case Type::kBinaryDouble:
      return "BINARY_DOUBLE";
    case Type::kCursor:
      return "CURSER";
    case Type::kIndexTable:
      return "PL/SQL TABLE";
    case Type::kClob:
      return national ? "NCLOB" : "CLOB";
    case Type::kBlob:
      return "BLOB";
    case Type::kBfile:
      return "BFILE";
    case Type::kJson:
      return "JSON";
    case Type::kVector:
      return "VECTOR";
    case Type::kXml:
      return "SYS.XMLTYPE";
    case Type::kObject:
      return "UDT";
    case Type::kTimestamp:
      return "TIMESTAMP";
    case Type::kTimestampTz:
      return "TIMESTAMP WITH TIME ZONE";
    case Type::kTimestampLtz:
      return "TIMESTAMP WITH LOCAL TIME ZONE";
    case Type::kIntervalYm:
      return "INTERVAL YEAR TO MONTH";
    case Type::kIntervalDs:
      return "INTERVAL DAY TO SECOND";
    case Type::kUrowid:
      return "UROWID";
    case Type::kBoolean:
      return "BOOLEAN";
  }
  return "UNKNOWN";
}

std::size_t char_count(std::string_view s) {
  return static_cast<std::size_t>(
      std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::size_t char_offset(std::string_view s, std::size_t index) {
  std::size_t at = 0;
  while (at < s.size() && index > 0) {
    ++at;
    while (at < s.size() && (s[at] & 0xC0) == 0x80) ++at;
    --index;
  }
  return at;
}

}  // namespace orasim
