#include "connect/postgres/change_tables.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "connect/postgres/describe.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

// $1, $2 text[]: schemas and names. A key whose check is deferred identifies no row in the log.
// Values that are stored apart (pg_attribute.attstorage e, x) are left out of an update's record
// when it leaves them; those of storage m only go there when a row is too long for a page.
constexpr const char* kSourceTables = R"(
with identified (oid) as (
  select c.oid from pg_catalog.pg_class c
   where c.relreplident = 'f'
      or exists (select from pg_catalog.pg_index x
          where x.indrelid = c.oid and x.indisvalid and x.indimmediate
            and case c.relreplident when 'd' then x.indisprimary
                     when 'i' then x.indisreplident else false end))
select k.place, c.oid, c.relkind, c.relpersistence, c.relreplident,
       c.oid in (select oid from identified),
       pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       (select pg_catalog.quote_ident(i.relname)
          from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid
         where x.indrelid = c.oid and x.indisunique and x.indimmediate and x.indisvalid
           and x.indpred is null and x.indexprs is null
           and not exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid
                 and a.attnum = any (x.indkey) and not a.attnotnull)
         order by x.indnkeyatts limit 1),
       case when c.relkind = 'p' then
         (select pg_catalog.string_agg(pg_catalog.format('%I.%I', ln.nspname, l.relname), ', ')
            from pg_catalog.pg_partition_tree(c.oid) t
            join pg_catalog.pg_class l on l.oid = t.relid
            join pg_catalog.pg_namespace ln on ln.oid = l.relnamespace
           where t.isleaf and l.oid not in (select oid from identified)) end,
       (select pg_catalog.string_agg(a.attname, ', ') from pg_catalog.pg_attribute a
         where a.attrelid = c.oid and a.attgenerated <> '' and not a.attisdropped),
       rn.nspname, r.relname,
       (select pg_catalog.json_agg(a.attname)
          from pg_catalog.pg_index x
          join pg_catalog.pg_attribute a on a.attrelid = c.oid
           and a.attnum = any ((x.indkey::pg_catalog.int2[])[0:x.indnkeyatts - 1])
         where x.indrelid = c.oid and x.indisvalid and x.indimmediate
           and case c.relreplident when 'd' then x.indisprimary
                    when 'i' then x.indisreplident else false end),
       (select pg_catalog.json_agg(a.attname) from pg_catalog.pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           and a.attstorage in ('e', 'x') and (c.relkind = 'p' or c.reltoastrelid <> 0))
  from unnest($1::text[], $2::text[]) with ordinality as k (nsp, name, place)
  join pg_catalog.pg_namespace n on n.nspname = k.nsp
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = k.name
  left join pg_catalog.pg_class r
    on c.relispartition and r.oid = pg_catalog.pg_partition_root(c.oid)
  left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm', 'f'))";

std::set<std::string> names_in(std::string_view json) {
  std::set<std::string> out;
  if (json.empty()) return out;
  for (const auto& name : nlohmann::json::parse(json)) out.insert(name.get<std::string>());
  return out;
}

SourceTable read_source_table(const Rows& rows, int row) {
  SourceTable out;
  out.oid = static_cast<std::uint32_t>(rows.integer(row, 1));
  out.kind = rows.text(row, 2).front();
  out.persistence = rows.text(row, 3).front();
  out.identity = rows.text(row, 4).front();
  out.has_identity = rows.boolean(row, 5);
  out.may_select = rows.boolean(row, 6);
  out.is_owned = rows.boolean(row, 7);
  out.key_index = rows.text(row, 8);
  out.leaves = rows.text(row, 9);
  out.generated = rows.text(row, 10);
  out.root_schema = rows.text(row, 11);
  out.root = rows.text(row, 12);
  out.identity_columns = names_in(rows.text(row, 13));
  out.large_columns = names_in(rows.text(row, 14));
  return out;
}

Error about(Error error, const SourceTable& table) {
  return std::move(error).with("table", to_text(table.table));
}

std::string quoted(const SourceTable& table) {
  auto name = schema::quote_table(table.table);
  return name ? *name : to_text(table.table);
}

std::optional<Error> refuse_kind(const SourceTable& table, int server_version) {
  if (table.oid == 0) {
    return make_error(ErrorKind::kSchema, "postgres.unknown_table", "the source has no such table",
                      "Take it out of the table mappings, or create it");
  }
  if (table.kind == 'p' && server_version < 130000) {
    return make_error(ErrorKind::kUnsupported, "postgres.partitioned_table",
                      "a server before version 13 cannot publish a partitioned table as one",
                      "Set the endpoint's PartitionedTables to leaf and select the partitions");
  }
  if (table.kind != 'r' && table.kind != 'p') {
    return make_error(ErrorKind::kUnsupported, "postgres.not_logged",
                      "the log has changes of tables only, not of views and foreign tables",
                      "Select the tables behind it, or use --migration-type full-load");
  }
  if (table.persistence != 'p') {
    return make_error(ErrorKind::kUnsupported, "postgres.not_logged",
                      table.persistence == 'u' ? "changes of an unlogged table are not in the log"
                                               : "changes of a temporary table are not in the log",
                      table.persistence == 'u' ? "alter table " + quoted(table) + " set logged"
                                               : "Take it out of the table mappings");
  }
  return std::nullopt;
}

std::optional<Error> refuse_privilege(const SourceTable& table, bool is_publisher) {
  if (!table.may_select) {
    return make_error(ErrorKind::kPermission, "postgres.privilege_missing",
                      "the user may not read the table",
                      "grant select on table " + quoted(table) + " to Wherry's user");
  }
  if (!table.is_owned && is_publisher) {
    return make_error(ErrorKind::kPermission, "postgres.not_owner",
                      "only the owner of a table may publish its changes",
                      "Grant the role that owns " + quoted(table) +
                          " to Wherry's user, or make a publication yourself and name it with "
                          "PublicationName");
  }
  return std::nullopt;
}

/// Without an identity a server that publishes the table refuses its application's updates.
std::optional<Error> refuse_identity(const SourceTable& table) {
  if (table.kind == 'p' && !table.leaves.empty()) {
    return make_error(
        ErrorKind::kSchema, "postgres.no_replica_identity",
        "updates and deletes of some partitions do not say which row they mean: " + table.leaves,
        "For each of them: alter table … replica identity full; or give the "
        "partitioned table a primary key");
  }
  if (table.has_identity || table.kind == 'p') return std::nullopt;
  const std::string mend = "alter table " + quoted(table) + " replica identity " +
                           (table.key_index.empty() ? "full" : "using index " + table.key_index);
  return make_error(ErrorKind::kSchema, "postgres.no_replica_identity",
                    "updates and deletes of the table do not say which row they mean, and once it "
                    "is published the source refuses them",
                    mend + ", or give the table a primary key");
}

constexpr char kFullIdentity = 'f';

/// What was before is in the log only where the whole row is.
std::optional<std::string> warn_of_rules(const SourceTable& table, const schema::TablePlan& plan) {
  if (!plan.needs_before || table.identity == kFullIdentity) return std::nullopt;
  return "a before image has no more than the key, and large values that an update leaves as they "
         "are come with none; with alter table " +
         quoted(table) + " replica identity full the log has all of them";
}

/// The filter's columns and the target's key are among what identifies a row in the log.
bool identity_is_enough(const SourceTable& table, const schema::TablePlan& plan) {
  constexpr char kDefault = 'd', kIndex = 'i';
  const bool has_index = table.identity == kDefault || table.identity == kIndex;
  if (table.kind != 'r' || !has_index || plan.key_is_own || plan.key_is_lost) return false;
  const auto has = [&](const std::string& name) { return table.identity_columns.contains(name); };
  return std::all_of(plan.filter->begin(), plan.filter->end(),
                     [&](const schema::ColumnFilter& filter) { return has(filter.column); }) &&
         std::all_of(plan.key.begin(), plan.key.end(),
                     [&](std::size_t column) { return has(plan.columns[column].source_name); });
}

/// Empty: the log has all that expressions ask for.
std::string unlogged_column(const SourceTable& table, const schema::TablePlan& plan) {
  for (const schema::ColumnPlan& column : plan.columns) {
    const bool is_key = table.identity_columns.contains(column.source_name);
    if (is_key || column.asked == schema::Asked::kNot) continue;
    const bool is_missing = column.asked == schema::Asked::kOfDeleted ||
                            table.large_columns.contains(column.source_name);
    if (is_missing) return column.source_name;
  }
  return {};
}

std::string identity_owner(const SourceTable& table) {
  return table.kind == 'p' ? "each of its partitions" : quoted(table);
}
std::string leaf_advice(const SourceTable& table) {
  return table.kind == 'p' ? ", and select the partitions (PartitionedTables=leaf)" : "";
}

/// Where rules judge or identify rows by other columns than the source's key, or expressions ask
/// for them, the log must have them.
std::optional<Error> refuse_rules(const SourceTable& table, const schema::TablePlan& plan) {
  if (table.identity == kFullIdentity) return std::nullopt;
  const bool has_other_key = plan.key_is_own || plan.key_is_lost;
  const bool judges = plan.filter != nullptr && !identity_is_enough(table, plan);
  if (has_other_key || judges) {
    return make_error(
        ErrorKind::kSchema, "postgres.rule_identity",
        "the log would not have rows whole before an update, which a rule of the table "
        "needs (a filter, or another key than the source's)",
        "alter table " + identity_owner(table) + " replica identity full" + leaf_advice(table));
  }
  const std::string column = unlogged_column(table, plan);
  if (column.empty()) return std::nullopt;
  return make_error(
             ErrorKind::kSchema, "postgres.expression_identity",
             "the log would not have all values of a column that an expression asks for: neither "
             "those of deleted rows nor large ones that an update leaves as they are",
             "alter table " + identity_owner(table) + " replica identity full" + leaf_advice(table))
      .with("column", column);
}

}  // namespace

std::vector<schema::TableRef> sources_of(const std::vector<schema::TablePlanPtr>& plans) {
  std::vector<schema::TableRef> out;
  for (const schema::TablePlanPtr& plan : plans) out.push_back(plan->source);
  return out;
}

Result<std::vector<SourceTable>> find_source_tables(OpContext& context, Connection& connection,
                                                    std::span<const schema::TableRef> tables) {
  std::vector<std::string> schemas;
  std::vector<std::string> names;
  for (const schema::TableRef& table : tables) {
    schemas.push_back(table.schema);
    names.push_back(table.name);
  }
  const std::array parameters = {array_literal(schemas), array_literal(names)};
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, "cannot read the catalogue", kSourceTables, parameters));
  std::vector<SourceTable> out(tables.size());
  for (int i = 0; i < rows.count(); ++i) {
    out[static_cast<std::size_t>(rows.integer(i, 0)) - 1] = read_source_table(rows, i);
  }
  for (std::size_t i = 0; i < tables.size(); ++i) out[i].table = tables[i];
  return out;
}

connect::StreamAdvice::Table advise_on(const SourceTable& table, const schema::TablePlan& plan,
                                       std::span<const schema::TableRef> all, int server_version,
                                       bool is_publisher) {
  connect::StreamAdvice::Table out;
  out.refused = refuse_kind(table, server_version);
  if (!out.refused) out.refused = refuse_privilege(table, is_publisher);
  if (!out.refused) out.refused = refuse_identity(table);
  if (!out.refused) out.refused = refuse_rules(table, plan);
  const schema::TableRef root{table.root_schema, table.root};
  if (!out.refused && !table.root.empty() && std::find(all.begin(), all.end(), root) != all.end()) {
    out.refused = make_error(ErrorKind::kConfig, "postgres.partition_twice",
                             "the table is a partition of " + to_text(root) +
                                 ", which is selected too and brings its rows",
                             "Select the partitioned table or its partitions, not both");
  }
  if (out.refused) out.refused = about(std::move(*out.refused), table);
  if (auto warning = warn_of_rules(table, plan)) out.warnings.push_back(*std::move(warning));
  if (!table.generated.empty()) {
    out.warnings.push_back(
        "generated columns are not in the log, so the target must generate "
        "them itself: " +
        table.generated);
  }
  return out;
}

}  // namespace wherry::postgres
