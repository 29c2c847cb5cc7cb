// Oracle's declared types -> the logical types everything else speaks. One table, one place.
// Source: Oracle Database Reference, ALL_TAB_COLS (DATA_TYPE and its companions).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/logical_type.h"

namespace wherry::oracle {

/// What ALL_TAB_COLS says of a column.
struct NativeType {
  std::string name;   ///< DATA_TYPE: "NUMBER", "TIMESTAMP(6) WITH TIME ZONE"
  std::string owner;  ///< DATA_TYPE_OWNER: set for object types and XMLTYPE
  std::uint32_t length_bytes = 0;
  std::uint32_t length_chars = 0;
  bool char_semantics = false;
  std::optional<int> precision;
  std::optional<int> scale;
};

/// kUnsupported for BFILE, object types, collections, references. VECTOR is its text.
schema::LogicalType to_logical(const NativeType& type);
/// As a CREATE TABLE would write it: "NUMBER(10,2)", "VARCHAR2(30 CHAR)".
std::string to_text(const NativeType& type);
/// The expression that reads a column as its logical type: the quoted column, or a conversion the
/// server does better (XML and JSON as CLOB). `quoted` is the quoted column name.
std::string select_expression(const schema::LogicalType& type, std::string_view quoted);

}  // namespace wherry::oracle
