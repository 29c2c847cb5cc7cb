#include "connect/postgres/catalog_table.h"

#include <algorithm>
#include <array>

#include "connect/postgres/describe.h"

namespace wherry::postgres {
namespace {

using FillKind = connect::ColumnFill::Kind;

constexpr std::string_view kReadingOne = "cannot read the catalogue";

// $1 oid. What a column that was added has in rows that were there: the value that the catalogue
// keeps for all of them; or one for each row, which is written to them, so the table has another
// file since it was made. That of a partitioned table is not asked for.
constexpr const char* kCatalogTable = R"(
select n.nspname, c.relname, a.attname, a.attnum, a.attisdropped,
       a.attnotnull or coalesce(t.typnotnull, false), a.attidentity <> '', a.attgenerated <> '',
       a.atttypid, a.atttypmod, c.relreplident, c.relispartition,
       coalesce(a.attnum = any (k.indkey::int2[]), false),
       case when a.atthasmissing then pg_catalog.array_to_string(a.attmissingval, '') end,
       a.atthasdef or a.attidentity <> '' or t.typdefault is not null or c.relkind = 'p'
         or c.relfilenode <> c.oid, c.relkind = 'p'
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid
  left join pg_catalog.pg_type t on t.oid = a.atttypid
  left join pg_catalog.pg_index k on k.indrelid = c.oid
    and case c.relreplident when 'd' then k.indisprimary when 'i' then k.indisreplident
             else false end
 where c.oid = $1::oid and a.attnum > 0
 order by a.attnum)";

CatalogColumn read_catalog_column(const Rows& rows, int row) {
  CatalogColumn out;
  out.name = rows.text(row, 2);
  out.number = static_cast<std::uint32_t>(rows.integer(row, 3));
  out.is_dropped = rows.boolean(row, 4);
  out.is_not_null = rows.boolean(row, 5);
  out.is_identity = rows.boolean(row, 6);
  out.is_generated = rows.boolean(row, 7);
  out.type = {static_cast<std::uint32_t>(rows.integer(row, 8)),
              static_cast<std::int32_t>(rows.integer(row, 9))};
  out.is_in_key = rows.boolean(row, 12);
  if (!rows.is_null(row, 13)) {
    out.fill = {FillKind::kValue, std::string(rows.text(row, 13))};
  } else if (rows.boolean(row, 14)) {
    out.fill.kind = FillKind::kByRow;
  }
  return out;
}

template <class Predicate>
const CatalogColumn* find_live(const std::vector<CatalogColumn>& columns,
                               const Predicate& is_meant) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const CatalogColumn& column) {
    return !column.is_dropped && is_meant(column);
  });
  return found == columns.end() ? nullptr : &*found;
}

}  // namespace

const CatalogColumn* CatalogTable::find(std::uint32_t number) const {
  return find_live(columns, [&](const CatalogColumn& column) { return column.number == number; });
}
const CatalogColumn* CatalogTable::find(std::string_view name) const {
  return find_live(columns, [&](const CatalogColumn& column) { return column.name == name; });
}

Result<CatalogTable> read_catalog_table(OpContext& context, Connection& catalog,
                                        std::uint32_t oid) {
  const std::array parameters = {std::to_string(oid)};
  WHERRY_ASSIGN(const Rows rows, catalog.query(context, kReadingOne, kCatalogTable, parameters));
  CatalogTable out;
  for (int i = 0; i < rows.count(); ++i) {
    out.table = {std::string(rows.text(i, 0)), std::string(rows.text(i, 1))};
    out.identity = rows.text(i, 10).front();
    out.is_partition = rows.boolean(i, 11);
    out.is_partitioned = rows.boolean(i, 15);
    out.columns.push_back(read_catalog_column(rows, i));
  }
  if (out.columns.empty()) return out;
  WHERRY_ASSIGN(std::vector<NativeKey> keys,
                describe_keys(context, catalog, {out.table.schema}, out.table.name));
  for (NativeKey& key : keys) out.keys.push_back(std::move(key.key));
  return out;
}

std::vector<schema::KeyDef> keys_as_then(const CatalogTable& now, const CatalogTable& then) {
  std::vector<schema::KeyDef> out;
  for (schema::KeyDef key : now.keys) {
    bool is_whole = true;
    for (std::string& name : key.columns) {
      const CatalogColumn* column = now.find(name);
      const CatalogColumn* before = column == nullptr ? nullptr : then.find(column->number);
      is_whole = is_whole && before != nullptr;
      if (is_whole) name = before->name;
    }
    if (is_whole) out.push_back(std::move(key));
  }
  return out;
}

wire::Message relation_of(const CatalogTable& table, std::uint32_t oid) {
  wire::Message out;
  out.type = wire::MessageType::kRelation;
  out.relation = oid;
  out.name_space = table.table.schema;
  out.name = table.table.name;
  out.identity = table.identity;
  for (const CatalogColumn& column : table.columns) {
    if (!column.is_in_log()) continue;
    out.columns.push_back({table.identity == 'f' || column.is_in_key, column.name,
                           column.type.first, column.type.second});
  }
  return out;
}

}  // namespace wherry::postgres
