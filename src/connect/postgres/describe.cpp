#include "connect/postgres/describe.h"

#include <array>

namespace wherry::postgres {
namespace {

constexpr std::string_view kReading = "cannot read the catalogue";
/// Longer than any name.
const std::string kWithPartitions(64, '*');

// Both queries: $1 text[] of schemas (empty: all but the system's), $2 a table's name, '' for all
// but partitions, kWithPartitions for all. Needs no privilege: the catalogue is open to all.
constexpr const char* kColumns = R"(
with recursive base (oid, base_oid, modifier, not_null, has_default) as (
  select t.oid, t.oid, -1, false, false from pg_catalog.pg_type t where t.typtype <> 'd'
  union all
  select d.oid, b.base_oid, case when d.typtypmod <> -1 then d.typtypmod else b.modifier end,
         d.typnotnull or b.not_null, d.typdefault is not null or b.has_default
    from pg_catalog.pg_type d join base b on d.typbasetype = b.oid where d.typtype = 'd')
select n.nspname, c.relname, c.relkind, greatest(c.reltuples, 0)::bigint,
       c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint,
       a.attname, t.oid, t.typname, t.typtype,
       case when b.oid <> b.base_oid then b.modifier else a.atttypmod end,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       a.attnotnull or b.not_null, a.attgenerated <> '', a.attidentity <> '',
       a.atthasdef or a.attidentity <> '' or b.has_default,
       c.relhastriggers and exists (select from pg_catalog.pg_constraint k
         where k.conrelid = c.oid and k.contype in ('p', 'u', 'x') and k.condeferrable),
       a.attnum
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_attribute a
    on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join base b on b.oid = a.atttypid
  left join pg_catalog.pg_type t on t.oid = b.base_oid
 where c.relkind in ('r', 'p', 'v', 'm', 'f')
   and ((cardinality($1::text[]) = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
        or n.nspname = any ($1::text[]))
   and case when $2 = '' then not c.relispartition
            when pg_catalog.length($2) > 63 then true else c.relname = $2 end
 order by n.nspname, c.relname, a.attnum)";

constexpr const char* kKeys = R"(
select n.nspname, c.relname, i.relname, x.indisprimary, a.attname, k.place = 1
  from pg_catalog.pg_index x
  join pg_catalog.pg_class c on c.oid = x.indrelid
  join pg_catalog.pg_class i on i.oid = x.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral unnest(x.indkey::int2[]) with ordinality as k (attnum, place)
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
 where x.indisunique and x.indisvalid and x.indpred is null and x.indexprs is null
   and k.place <= x.indnkeyatts
   and ((cardinality($1::text[]) = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
        or n.nspname = any ($1::text[]))
   and ($2 = '' or c.relname = $2)
 order by n.nspname, c.relname, not x.indisprimary, i.relname, k.place)";

NativeColumn read_column(const Rows& rows, int row) {
  NativeColumn column;
  column.name = rows.text(row, 5);
  column.number = static_cast<std::uint32_t>(rows.integer(row, 16));
  column.type_name = rows.text(row, 7);
  TypeRow type;
  type.oid = static_cast<std::uint32_t>(rows.integer(row, 6));
  type.type_name = rows.text(row, 7);
  type.type_class = rows.text(row, 8).empty() ? 'b' : rows.text(row, 8).front();
  type.modifier = static_cast<std::int32_t>(rows.integer(row, 9));
  type.display_name = rows.text(row, 10);
  column.type = native_type_of(type);
  column.is_not_null = rows.boolean(row, 11);
  column.is_generated = rows.boolean(row, 12);
  column.is_identity = rows.boolean(row, 13);
  column.has_default = rows.boolean(row, 14);
  return column;
}

Result<std::vector<NativeTable>> describe(OpContext& context, Connection& connection,
                                          const std::vector<std::string>& schemas,
                                          const std::string& table) {
  const std::array parameters = {array_literal(schemas), table};
  WHERRY_ASSIGN(const Rows rows, connection.query(context, kReading, kColumns, parameters));
  std::vector<NativeTable> out;
  for (int i = 0; i < rows.count(); ++i) {
    const schema::TableRef ref{std::string(rows.text(i, 0)), std::string(rows.text(i, 1))};
    if (out.empty() || out.back().table != ref) {
      NativeTable next;
      next.table = ref;
      next.kind = rows.text(i, 2).front();
      next.estimated_rows = static_cast<std::uint64_t>(rows.integer(i, 3));
      next.estimated_bytes = static_cast<std::uint64_t>(rows.integer(i, 4));
      next.has_deferrable_keys = rows.boolean(i, 15);
      out.push_back(std::move(next));
    }
    if (!rows.is_null(i, 5)) out.back().columns.push_back(read_column(rows, i));
  }
  return out;
}

}  // namespace

const NativeColumn* NativeTable::find(std::string_view name) const {
  for (const NativeColumn& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Result<std::vector<NativeTable>> describe_schemas(OpContext& context, Connection& connection,
                                                  const std::vector<std::string>& schemas,
                                                  bool with_partitions) {
  return describe(context, connection, schemas, with_partitions ? kWithPartitions : std::string());
}

Result<std::optional<NativeTable>> describe_table(OpContext& context, Connection& connection,
                                                  const schema::TableRef& table) {
  WHERRY_ASSIGN(std::vector<NativeTable> found,
                describe(context, connection, {table.schema}, table.name));
  if (found.empty()) return std::optional<NativeTable>{};
  return std::optional<NativeTable>(std::move(found.front()));
}

Result<std::vector<NativeKey>> describe_keys(OpContext& context, Connection& connection,
                                             const std::vector<std::string>& schemas,
                                             const std::string& table) {
  const std::array parameters = {array_literal(schemas), table};
  WHERRY_ASSIGN(const Rows rows, connection.query(context, kReading, kKeys, parameters));
  std::vector<NativeKey> out;
  for (int i = 0; i < rows.count(); ++i) {
    if (rows.boolean(i, 5)) {
      NativeKey next;
      next.table = {std::string(rows.text(i, 0)), std::string(rows.text(i, 1))};
      next.key.name = rows.text(i, 2);
      next.key.is_primary = rows.boolean(i, 3);
      out.push_back(std::move(next));
    }
    if (!out.empty()) out.back().key.columns.emplace_back(rows.text(i, 4));
  }
  return out;
}

std::string array_literal(const std::vector<std::string>& items) {
  std::string out = "{";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : item) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

}  // namespace wherry::postgres
