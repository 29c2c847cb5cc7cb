#include "connect/postgres/native_plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "connect/postgres/describe.h"

namespace wherry::postgres {
namespace {

// $1 text[] of type names. The last column: whether the binary form means the same to every server:
// it exists, and holds no OID of this database's own types (arrays and rows name their parts by
// OID, the reg types are OIDs). An empty tsquery is sent in a binary form that is not taken back.
constexpr const char* kPlanTypes = R"(
with recursive wanted (name, oid) as (
  select n, pg_catalog.to_regtype(n)::oid from unnest($1::text[]) n),
walk (name, oid) as (
  select name, oid from wanted where oid is not null
  union
  select w.name, part.oid
    from walk w join pg_catalog.pg_type t on t.oid = w.oid
   cross join lateral (
     select t.typbasetype where t.typtype = 'd'
     union all select t.typelem where t.typlen = -1
     union all select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = t.oid)
     part (oid)
   where part.oid <> 0)
select w.name, w.oid is not null,
       coalesce(pg_catalog.bool_and(
         t.typsend <> 0 and t.typreceive <> 0
         and case when t.oid < 16384 then t.typname !~ '^reg|^tsquery$'
                  else t.typtype in ('d', 'e', 'r') or t.typtype = 'b' and t.typelem = 0 end), false)
  from wanted w
  left join walk k on k.name = w.name
  left join pg_catalog.pg_type t on t.oid = k.oid
 group by w.name, w.oid)";

struct TypeFinding {
  bool exists = false;
  bool has_portable_form = false;
};
using TypeFindings = std::map<std::string, TypeFinding, std::less<>>;

Result<TypeFindings> find_types(OpContext& context, Connection& connection,
                                const std::set<std::string>& names) {
  TypeFindings out;
  if (names.empty()) return out;
  const std::array parameters = {array_literal({names.begin(), names.end()})};
  WHERRY_ASSIGN(const Rows rows, connection.query(context, "cannot read the types of the columns",
                                                  kPlanTypes, parameters));
  for (int r = 0; r < rows.count(); ++r) {
    out.emplace(rows.text(r, 0), TypeFinding{rows.boolean(r, 1), rows.boolean(r, 2)});
  }
  return out;
}

Error missing_type(const schema::TablePlan& plan, const schema::ColumnPlan& column) {
  return make_error(ErrorKind::kSchema, "postgres.unknown_type",
                    "the target has no type " + column.target_type,
                    "Create it there first (pg_dump --schema-only --section=pre-data writes the "
                    "statements), or leave the column out with the table mappings")
      .with("table", to_text(plan.target))
      .with("column", column.target_name);
}

/// What is left of the wish to carry all columns as they are.
void settle(schema::TablePlan& plan, const TypeFindings& types) {
  // A filter has to see values.
  plan.is_native = !makes_rows(plan) && engine_filter(plan).empty();
  plan.is_native_text = false;
  for (const schema::ColumnPlan& column : plan.columns) {
    const bool is_changed = column.max_lob_bytes != 0 || column.character_rules != nullptr ||
                            column.masking.kind != schema::MaskingKind::kNone;
    if (!column.is_native || is_changed) {
      plan.is_native = false;
      continue;
    }
    const auto found = types.find(column.target_type);
    if (found != types.end() && !found->second.has_portable_form) plan.is_native_text = true;
  }
  if (!plan.is_native) plan.is_native_text = false;
}

}  // namespace

Result<void> settle_native_plans(OpContext& context, Connection& connection,
                                 std::vector<connect::TargetMatch>& matches) {
  std::set<std::string> names;
  for (const connect::TargetMatch& match : matches) {
    for (const schema::ColumnPlan& column : match.plan->columns) {
      if (column.is_native) names.insert(column.target_type);
    }
  }
  WHERRY_ASSIGN(const TypeFindings types, find_types(context, connection, names));
  for (connect::TargetMatch& match : matches) {
    if (match.refused || !match.plan->is_native) continue;
    for (const schema::ColumnPlan& column : match.plan->columns) {
      const auto found = types.find(column.target_type);
      if (column.is_native && found != types.end() && !found->second.exists) {
        match.refused = missing_type(*match.plan, column);
      }
    }
    schema::TablePlan settled = *match.plan;
    settle(settled, types);
    match.plan = std::make_shared<const schema::TablePlan>(std::move(settled));
  }
  return {};
}

}  // namespace wherry::postgres
