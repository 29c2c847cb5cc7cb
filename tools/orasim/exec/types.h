// Building and naming data types.
#pragma once

#include <string>

#include "engine/value.h"

namespace orasim {

/// What types there are: the release of the database and its MAX_STRING_SIZE.
struct Release {
  int major = 19;  ///< 11, 12, 18, 19, 21, 23
  bool extended_strings = true;
};

DataType plain_number();
/// The types without parameters, with Oracle's fixed DATA_LENGTH.
DataType simple_type(Type);
/// `length` in characters when `characters` or national, else in bytes.
DataType text_type(Type base, std::int64_t length, bool characters, bool national);
DataType timestamp_type_of(Type, int fraction_digits);

/// As ORA-00932 names it: NUMBER, CHAR, DATE, CLOB, …
std::string type_word(Type, bool national = false);

[[nodiscard]] inline bool is_text(Type t) {
  return t == Type::kVarchar2 || t == Type::kChar || t == Type::kLong;
}
[[nodiscard]] inline bool is_long(Type t) {
  return t == Type::kLong || t == Type::kLongRaw;
}
[[nodiscard]] inline bool is_numeric(Type t) {
  return t == Type::kNumber || t == Type::kBinaryFloat || t == Type::kBinaryDouble;
}
[[nodiscard]] inline bool is_datetime(Type t) {
  return t == Type::kDate || t == Type::kTimestamp || t == Type::kTimestampTz ||
         t == Type::kTimestampLtz;
}
[[nodiscard]] inline bool is_lob(Type t) {
  return t == Type::kClob || t == Type::kBlob;
}

/// Number of characters of UTF-8 text (continuation bytes are not counted).
std::size_t char_count(std::string_view utf8);
/// Byte offset of character `index` (or the size, when there are fewer).
std::size_t char_offset(std::string_view utf8, std::size_t index);

}  // namespace orasim
