// The pieces the function tables are made of; only functions*.cpp include this.
#pragma once

#include <span>

#include "engine/calendar.h"
#include "engine/format_model.h"
#include "exec/errors.h"
#include "exec/functions.h"
#include "exec/types.h"

namespace orasim::functions {

std::span<const ScalarFunction> text_functions();
std::span<const ScalarFunction> number_functions();
std::span<const ScalarFunction> date_functions();
std::span<const ScalarFunction> general_functions();
std::span<const ScalarFunction> document_functions();

inline DataType plain_type(Type type) {
  return simple_type(type);
}
inline DataType varchar_type(std::uint32_t bytes, bool national = false) {
  DataType t;
  t.type = Type::kVarchar2;
  t.national = national;
  t.size_bytes = bytes == 0 ? 4000 : bytes;
  t.size_chars = national ? t.size_bytes / 2 : t.size_bytes;
  return t;
}
inline DataType number_type(const std::vector<DataType>&) {
  return plain_type(Type::kNumber);
}
inline DataType date_type(const std::vector<DataType>&) {
  return plain_type(Type::kDate);
}
inline DataType long_text_type(const std::vector<DataType>&) {
  return varchar_type(4000);
}
inline DataType clob_type(const std::vector<DataType>&) {
  return plain_type(Type::kClob);
}
inline DataType blob_type(const std::vector<DataType>&) {
  return plain_type(Type::kBlob);
}
/// Text as wide as the first argument.
inline DataType same_text_type(const std::vector<DataType>& a) {
  if (!a.empty() && a[0].type == Type::kClob) return a[0];
  if (a.empty() || !is_text(a[0].type)) return varchar_type(40);
  return varchar_type(a[0].size_bytes, a[0].national);
}
inline bool any_null(const Args& args) {
  for (const Value& v : args) {
    if (v.is_null()) return true;
  }
  return false;
}
inline std::string as_text(const Value& v, const FunctionContext& c) {
  return v.is_null() ? std::string() : std::string(text_of(to_varchar(v, c.convert)));
}
inline std::string lob_or_text(const Value& v, const FunctionContext& c) {
  if (v.is_null()) return {};
  return v.type == Type::kClob ? v.lob()->data : as_text(v, c);
}
inline Number as_number(const Value& v, const FunctionContext& c) {
  return to_number(v, c.convert).number();
}
inline std::int64_t as_int(const Value& v, const FunctionContext& c) {
  const auto value = as_number(v, c).truncated(0).to_int();
  if (!value) raise(1426);
  return *value;
}
/// Text of the kind the first argument has: CLOB in, CLOB out.
inline Value like_first(std::string text, const Value& first) {
  if (first.type == Type::kClob) {
    auto lob = std::make_shared<LobData>();
    lob->data = std::move(text);
    return Value{Type::kClob, first.national, Lob(std::move(lob))};
  }
  return make_text(std::move(text), Type::kVarchar2, first.national);
}

}  // namespace orasim::functions
