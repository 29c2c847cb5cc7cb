// JSON documents as Oracle's JSON type keeps them: the scalars of JSON and those of SQL, read from
// and written to text and OSON, Oracle's binary form, in which columns store and clients send them.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/value.h"

namespace orasim {

struct JsonBinary {
  std::string bytes;
  bool is_id = false;  ///< an object id as document databases make them
};

/// DATE, TIMESTAMP or TIMESTAMP WITH TIME ZONE; the last in UTC as in a Value.
struct JsonMoment {
  Type type = Type::kTimestamp;
  DateTime value;
};

struct Json {
  enum class Shape : std::uint8_t { kScalar, kArray, kObject };
  /// monostate is the null of JSON.
  using Scalar = std::variant<std::monostate, bool, Number, std::string, double, float, JsonBinary,
                              JsonMoment, IntervalYm, IntervalDs>;

  Shape shape = Shape::kScalar;
  Scalar scalar;
  std::vector<std::string> names;  ///< kObject: of items, in the order they were given
  std::vector<Json> items;

  /// nullptr: no such member.
  [[nodiscard]] const Json* member(std::string_view name) const;
};

/// How much of JavaScript's freedom is taken in text.
enum class JsonSyntax : std::uint8_t {
  kLax,     ///< also names without quotes, single quotes, TRUE, a comma too many: Oracle's default
  kStrict,  ///< RFC 8259
};
/// ORA-40441 for what is not JSON. The last of several members of one name counts.
Json parse_json(std::string_view text, JsonSyntax syntax = JsonSyntax::kLax);
/// Without blanks, or over indented lines.
std::string json_text(const Json& document, bool pretty = false);
/// What a scalar is as SQL text (JSON_VALUE); strings without quotes.
std::string json_scalar_text(const Json& scalar);

/// Facts of the format: oracle-wire-types 6.15.
std::string encode_oson(const Json& document);
/// ORA-40596 for an image that is damaged.
Json decode_oson(std::string_view image);
[[nodiscard]] bool is_oson(std::string_view bytes);

}  // namespace orasim
