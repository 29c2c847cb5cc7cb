// What the layout of an execute request depends on in its SQL text: whether it is PL/SQL (long
// values keep their place) and which placeholders are RETURNING … INTO (they carry no value).
// The rules are those the clients apply when they write the request: a bind is not a bind inside
// quotes, q-quotes, comments, or directly after a string literal.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace orasim::wire {

struct SqlShape {
  bool is_query = false;
  bool is_plsql = false;
  bool is_dml = false;
  /// One entry a placeholder occurrence (SQL) or distinct name (PL/SQL), in wire order.
  std::vector<bool> returning;
};
SqlShape scan_sql(std::string_view sql);

}  // namespace orasim::wire
