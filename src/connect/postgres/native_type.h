// A column's type as the server has it, reduced to what the binary forms need. Domains are looked
// through to their base type, as COPY does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schema/logical_type.h"

namespace wherry::postgres {

enum class NativeKind : std::uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kText,    ///< text, varchar, citext: the binary form is the text
  kBpchar,  ///< char(n): padded with blanks when read
  kJson,    ///< as text
  kJsonb,   ///< a version byte, then the text
  kXml,     ///< as text, an encoding declaration in it is obeyed
  kEnum,    ///< the label as text
  kBytea,
  kUuid,
  kTimestamp,
  kTimestampTz,
  kDate,
  kTime,  ///< time without time zone
  kInterval,
  kOther,  ///< no binary form known here
};

/// Text that holds any characters.
inline bool is_text(NativeKind kind) {
  return kind == NativeKind::kText || kind == NativeKind::kBpchar;
}
/// Sent as text and checked by the server.
inline bool is_checked_text(NativeKind kind) {
  return kind == NativeKind::kJson || kind == NativeKind::kXml || kind == NativeKind::kEnum;
}

struct NativeType {
  NativeKind kind = NativeKind::kOther;
  std::string name;             ///< format_type(): "numeric(10,2)"
  std::uint32_t max_chars = 0;  ///< varchar(n), char(n); 0: no limit
  int precision = 0;            ///< numeric(p,s); 0: no limits
  int scale = 0;
  int fraction_digits = 6;    ///< timestamp(n), time(n), interval(n)
  bool holds_months = true;   ///< interval: not restricted to other fields
  bool holds_seconds = true;  ///< interval: days to seconds, all of them
};

/// What pg_type and pg_attribute say about a column; `oid`, `type_name`, `type_class` (typtype) and
/// `modifier` (atttypmod or typtypmod) of the base type.
struct TypeRow {
  std::uint32_t oid = 0;
  std::string_view type_name;
  char type_class = 'b';
  std::int32_t modifier = -1;
  std::string display_name;
};
NativeType native_type_of(const TypeRow& row);
/// The type of a column that Wherry creates for it: `name` is schema::postgres_type()'s.
NativeType native_type_of(const schema::LogicalType& type, std::string name);
/// The logical type values of a native type travel as when PostgreSQL is the source.
schema::LogicalType logical_type_of(const NativeType& type, std::string_view type_name);

}  // namespace wherry::postgres
