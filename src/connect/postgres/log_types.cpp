#include "connect/postgres/log_types.h"

#include <array>
#include <string_view>

namespace wherry::postgres {
namespace {

/// The server's own types have the same number everywhere (access/transam.h: FirstNormalObjectId).
constexpr std::uint32_t kFirstOwnOid = 16384;
constexpr std::string_view kReadingTypes = "cannot read the catalogue";

// $1 oid[]: these types and all that they are made of: domain bases, array elements, ranges. A
// multirange's number is in pg_range since 14 only.
constexpr const char* kLogTypes = R"(
with recursive parts (oid) as (
  select unnest($1::oid[])
  union
  select n.oid
    from parts p join pg_catalog.pg_type t on t.oid = p.oid
    left join pg_catalog.pg_range r
      on t.oid in (r.rngtypid, (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid)
   cross join lateral (values (t.typbasetype), (t.typelem), (r.rngsubtype)) n (oid)
   where n.oid <> 0)
select t.oid, t.typname, t.typtype, t.typcategory = 'A' and t.typlen = -1, t.typelem,
       t.typbasetype, t.typtypmod, t.typsend <> 0 and t.typreceive <> 0,
       coalesce((select r.rngsubtype from pg_catalog.pg_range r
         where t.oid in (r.rngtypid, (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid)), 0)
  from parts p join pg_catalog.pg_type t on t.oid = p.oid)";

// $1 oid[], $2 int[]: names with their modifiers, in that order.
constexpr const char* kLogTypeNames = R"(
select coalesce(pg_catalog.format_type(k.type, k.modifier), '?')
  from unnest($1::oid[], $2::int[]) with ordinality as k (type, modifier, place)
 order by k.place)";

struct TypeParts {
  std::string name;
  char type_class = 'b';
  bool is_array = false;
  std::uint32_t element = 0;
  std::uint32_t base = 0;
  std::int32_t modifier = -1;
  bool has_binary = false;
  std::uint32_t range_of = 0;
};
using PartsByOid = std::map<std::uint32_t, TypeParts>;

PartsByOid read_parts(const Rows& rows) {
  PartsByOid out;
  const auto number = [&rows](int row, int column) {
    return static_cast<std::uint32_t>(rows.integer(row, column));
  };
  for (int i = 0; i < rows.count(); ++i) {
    TypeParts& parts = out[number(i, 0)];
    parts.name = rows.text(i, 1);
    parts.type_class = rows.text(i, 2).front();
    parts.is_array = rows.boolean(i, 3);
    parts.element = number(i, 4);
    parts.base = number(i, 5);
    parts.modifier = static_cast<std::int32_t>(rows.integer(i, 6));
    parts.has_binary = rows.boolean(i, 7);
    parts.range_of = number(i, 8);
  }
  return out;
}

/// Types whose values are numbers of things in this very database; and tsquery, whose empty value
/// the server sends but does not take (tsqueryrecv: "malformed tsquery: operand not found").
bool needs_text(std::string_view type) {
  return type.starts_with("reg") || type == "tsquery";
}

bool is_portable(const PartsByOid& all, std::uint32_t oid) {
  const auto found = all.find(oid);
  if (found == all.end()) return false;
  const TypeParts& parts = found->second;
  switch (parts.type_class) {
    case 'd':
      return is_portable(all, parts.base);
    case 'e':
      return true;
    case 'r':
    case 'm':
      return parts.has_binary && is_portable(all, parts.range_of);
    case 'b':
      if (!parts.has_binary || (oid < kFirstOwnOid && needs_text(parts.name))) return false;
      // array_send() writes the element type's number.
      return !parts.is_array || (parts.element < kFirstOwnOid && is_portable(all, parts.element));
    default:
      return false;
  }
}

LogType make_type(const PartsByOid& all, const TypeKey& key, std::string display_name) {
  LogType out;
  TypeRow row;
  row.oid = key.first;
  row.modifier = key.second;
  row.display_name = std::move(display_name);
  auto found = all.find(row.oid);
  while (found != all.end() && found->second.type_class == 'd') {
    // The outermost domain that has a modifier gives it.
    if (row.modifier == -1) row.modifier = found->second.modifier;
    row.oid = found->second.base;
    found = all.find(row.oid);
  }
  if (found != all.end()) {
    row.type_name = found->second.name;
    row.type_class = found->second.type_class;
  }
  out.type = native_type_of(row);
  out.type_name = row.type_name;
  out.base_oid = row.oid;
  out.is_portable = is_portable(all, key.first);
  return out;
}

}  // namespace

Result<void> LogTypes::learn(OpContext& context, Connection& connection,
                             std::span<const TypeKey> types) {
  std::set<TypeKey> missing;
  for (const TypeKey& type : types) {
    if (!known_.contains(type)) missing.insert(type);
  }
  if (missing.empty()) return {};
  std::array<std::string, 2> lists{"{", "{"};
  for (const auto& [oid, modifier] : missing) {
    const std::string separator = lists[0].size() > 1 ? "," : "";
    lists[0] += separator + std::to_string(oid);
    lists[1] += separator + std::to_string(modifier);
  }
  for (std::string& list : lists) list += '}';
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, kReadingTypes, kLogTypes, std::span(lists).first(1)));
  WHERRY_ASSIGN(const Rows names, connection.query(context, kReadingTypes, kLogTypeNames, lists));
  const PartsByOid all = read_parts(rows);
  int row = 0;
  for (const TypeKey& key : missing) {
    known_.emplace(key, make_type(all, key, std::string(names.text(row++, 0))));
  }
  return {};
}

}  // namespace wherry::postgres
