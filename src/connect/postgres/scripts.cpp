#include "connect/postgres/scripts.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "connect/postgres/describe.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::ScriptOptions;
using connect::TargetScripts;

constexpr std::string_view kReadingScripts = "cannot read the catalogue";

// Tables of $1 (text[], empty: every schema that is not the system's); what extensions made is
// theirs.
constexpr const char* kPicked = R"(
with recursive picked as (
  select c.oid, c.relkind, pg_catalog.format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p')
     and ((cardinality($1::text[]) = 0 and n.nspname !~ '^pg_'
           and n.nspname <> 'information_schema') or n.nspname = any ($1::text[]))
     and not exists (select from pg_catalog.pg_depend d where d.deptype = 'e'
                      and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                      and d.objid = c.oid)))";

// Disabled ones stay so in both scripts. ONLY: a partition's trigger may have a state of its own.
constexpr const char* kTriggers = R"(
select pg_catalog.format('alter table only %s disable trigger %I;', p.name, t.tgname),
       pg_catalog.format('alter table only %s enable %strigger %I;', p.name,
                         case t.tgenabled when 'A' then 'always ' when 'R' then 'replica '
                                          else '' end, t.tgname)
  from picked p
  join pg_catalog.pg_trigger t on t.tgrelid = p.oid
 where not t.tgisinternal and t.tgenabled <> 'D'
 order by p.name, t.tgname)";

// Those of a partitioned table come and go with it. Also of other tables that point at ours: the
// indexes they need go away.
constexpr const char* kForeignKeysOf = R"(
select pg_catalog.format('alter table %s drop constraint %I;', t.name, f.conname),
       pg_catalog.format('alter table %s%s add constraint %I %s;',
                         case when c.relkind = 'p' then '' else 'only ' end, t.name, f.conname,
                         pg_catalog.pg_get_constraintdef(f.oid)),
       case when pg_catalog.obj_description(f.oid, 'pg_constraint') is not null then
         pg_catalog.format('comment on constraint %I on %s is %L;', f.conname, t.name,
                           pg_catalog.obj_description(f.oid, 'pg_constraint')) end
  from pg_catalog.pg_constraint f
  join pg_catalog.pg_class c on c.oid = f.conrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select pg_catalog.format('%I.%I', n.nspname, c.relname) as name) t
 where f.contype = 'f' and f.conparentid = 0
   and (f.conrelid in (select oid from picked) or f.confrelid in (select oid from picked))
 order by t.name, f.conname)";

// Secondary indexes with those of their partitions. Invalid ones (a CREATE INDEX CONCURRENTLY that
// failed) are left alone as pg_dump leaves them, but for partitioned ones that wait for partitions.
constexpr const char* kIndexes = R"(
, tree (oid, parent, depth) as (
  select x.indexrelid, 0::oid, 0
    from pg_catalog.pg_index x
    join picked p on p.oid = x.indrelid
    join pg_catalog.pg_class i on i.oid = x.indexrelid
   where not x.indisprimary and not i.relispartition and (x.indisvalid or i.relkind = 'I')
  union all
  select h.inhrelid, h.inhparent, t.depth + 1
    from tree t
    join pg_catalog.pg_inherits h on h.inhparent = t.oid)
select t.depth, pg_catalog.format('%I.%I', n.nspname, i.relname) as index_name,
       pg_catalog.format('%I.%I', tn.nspname, c.relname) as table_name,
       pg_catalog.quote_ident(i.relname),
       pg_catalog.quote_ident(k.conname), pg_catalog.pg_get_constraintdef(k.oid),
       k.condeferrable, k.condeferred,
       pg_catalog.pg_get_indexdef(i.oid),
       (select pg_catalog.string_agg(pg_catalog.format('%I = %L',
                 pg_catalog.split_part(o, '=', 1),
                 pg_catalog.substr(o, pg_catalog.strpos(o, '=') + 1)), ', ' order by place)
          from unnest(i.reloptions) with ordinality as u (o, place)),
       pg_catalog.quote_ident(s.spcname), x.indisclustered, x.indisreplident,
       pg_catalog.quote_literal(pg_catalog.obj_description(i.oid, 'pg_class')),
       pg_catalog.quote_literal(pg_catalog.obj_description(k.oid, 'pg_constraint')),
       case when pi.oid is not null then
         pg_catalog.format('%I.%I', pn.nspname, pi.relname) end,
       (select pg_catalog.string_agg(pg_catalog.format(
                 'alter index %I.%I alter column %s set statistics %s;', n.nspname, i.relname,
                 a.attnum, a.attstattarget), E'\n' order by a.attnum)
          from pg_catalog.pg_attribute a
         where a.attrelid = i.oid and a.attstattarget >= 0),
       (select pg_catalog.string_agg(pg_catalog.format(
                 'alter index %I.%I depends on extension %I;', n.nspname, i.relname, e.extname),
                 E'\n' order by e.extname)
          from pg_catalog.pg_depend d
          join pg_catalog.pg_extension e on e.oid = d.refobjid
         where d.deptype = 'x' and d.objid = i.oid
           and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
           and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass)
  from tree t
  join pg_catalog.pg_class i on i.oid = t.oid
  join pg_catalog.pg_namespace n on n.oid = i.relnamespace
  join pg_catalog.pg_index x on x.indexrelid = i.oid
  join pg_catalog.pg_class c on c.oid = x.indrelid
  join pg_catalog.pg_namespace tn on tn.oid = c.relnamespace
  left join pg_catalog.pg_constraint k on k.conindid = i.oid and k.contype in ('u', 'x')
  left join pg_catalog.pg_tablespace s on s.oid = i.reltablespace
  left join pg_catalog.pg_class pi on pi.oid = t.parent
  left join pg_catalog.pg_namespace pn on pn.oid = pi.relnamespace
 order by t.depth, table_name, index_name)";

struct Script {
  std::string text;
  void add(std::string_view statement) {
    if (statement.empty()) return;
    text += statement;
    text += '\n';
  }
};

/// What the two scripts say of one part; disabling and enabling go in opposite orders of parts.
struct Part {
  Script disable, enable;
};

Result<Part> trigger_part(OpContext& context, Connection& connection,
                          const std::vector<std::string>& parameters) {
  WHERRY_ASSIGN(const Rows rows, connection.query(context, kReadingScripts,
                                                  std::string(kPicked) + kTriggers, parameters));
  Part part;
  for (int r = 0; r < rows.count(); ++r) {
    part.disable.add(rows.text(r, 0));
    part.enable.add(rows.text(r, 1));
  }
  return part;
}

Result<Part> foreign_key_part(OpContext& context, Connection& connection,
                              const std::vector<std::string>& parameters) {
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, kReadingScripts, std::string(kPicked) + kForeignKeysOf,
                                 parameters));
  Part part;
  for (int r = 0; r < rows.count(); ++r) {
    part.disable.add(rows.text(r, 0));
    part.enable.add(rows.text(r, 1));
    part.enable.add(rows.text(r, 2));
  }
  return part;
}

/// A row of kIndexes.
struct IndexRow {
  IndexRow(const Rows& rows, int r)
      : depth(rows.integer(r, 0)),
        index(rows.text(r, 1)),
        table(rows.text(r, 2)),
        bare_name(rows.text(r, 3)),
        constraint(rows.text(r, 4)),
        constraint_definition(rows.text(r, 5)),
        is_deferrable(rows.boolean(r, 6)),
        is_deferred(rows.boolean(r, 7)),
        definition(rows.text(r, 8)),
        storage(rows.text(r, 9)),
        tablespace(rows.text(r, 10)),
        is_clustered(rows.boolean(r, 11)),
        is_identity(rows.boolean(r, 12)),
        comment(rows.text(r, 13)),
        constraint_comment(rows.text(r, 14)),
        parent(rows.text(r, 15)),
        statistics(rows.text(r, 16)),
        extensions(rows.text(r, 17)) {}

  std::int64_t depth;
  std::string_view index, table, bare_name, constraint, constraint_definition;
  bool is_deferrable, is_deferred;
  std::string_view definition, storage, tablespace;
  bool is_clustered, is_identity;
  std::string_view comment, constraint_comment, parent, statistics, extensions;
};

bool cut_end(std::string_view& text, std::string_view end) {
  if (end.empty() || !text.ends_with(end)) return false;
  text.remove_suffix(end.size());
  return true;
}

/// Of a unique constraint pg_get_constraintdef() leaves out the storage parameters, which belong
/// before the deferrability; of an exclusion constraint it gives them.
std::string with_storage(const IndexRow& row) {
  std::string_view base = row.constraint_definition;
  const std::string_view whole = base;
  if (row.is_deferred) cut_end(base, " INITIALLY DEFERRED");
  if (row.is_deferrable) cut_end(base, " DEFERRABLE");
  const std::string_view tail = whole.substr(base.size());
  if (row.storage.empty() || whole.starts_with("EXCLUDE")) return std::string(whole);
  return fmt::format("{} WITH ({}){}", base, row.storage, tail);
}

void add_index(const IndexRow& row, std::string& tablespace, Part& part) {
  if (row.depth == 0) {
    part.disable.add(row.constraint.empty() ? fmt::format("drop index {};", row.index)
                                            : fmt::format("alter table {} drop constraint {};",
                                                          row.table, row.constraint));
  }
  if (row.tablespace != tablespace) {
    tablespace = row.tablespace;
    part.enable.add(tablespace.empty() ? "set local default_tablespace = '';"
                                       : "set local default_tablespace = " + tablespace + ";");
  }
  part.enable.add(row.constraint.empty()
                      ? fmt::format("{};", row.definition)
                      : fmt::format("alter table only {} add constraint {} {};", row.table,
                                    row.constraint, with_storage(row)));
  part.enable.add(row.statistics);
  part.enable.add(row.extensions);
  if (row.is_clustered) {
    part.enable.add(fmt::format("alter table only {} cluster on {};", row.table, row.bare_name));
  }
  if (!row.comment.empty()) {
    part.enable.add(fmt::format("comment on index {} is {};", row.index, row.comment));
  }
  if (!row.constraint_comment.empty()) {
    part.enable.add(fmt::format("comment on constraint {} on {} is {};", row.constraint, row.table,
                                row.constraint_comment));
  }
}

Result<Part> index_part(OpContext& context, Connection& connection,
                        const std::vector<std::string>& parameters) {
  WHERRY_ASSIGN(const Rows rows, connection.query(context, kReadingScripts,
                                                  std::string(kPicked) + kIndexes, parameters));
  Part part;
  std::string tablespace;
  for (int r = 0; r < rows.count(); ++r) add_index(IndexRow(rows, r), tablespace, part);
  if (!tablespace.empty()) part.enable.add("set local default_tablespace = '';");
  // The deepest first: an index becomes valid when all below it are attached.
  for (int r = rows.count() - 1; r >= 0; --r) {
    const IndexRow row(rows, r);
    if (row.depth == 0) continue;
    part.enable.add(fmt::format("alter index {} attach partition {};", row.parent, row.index));
  }
  for (int r = 0; r < rows.count(); ++r) {
    const IndexRow row(rows, r);
    if (!row.is_identity) continue;
    part.enable.add(fmt::format("alter table only {} replica identity using index {};", row.table,
                                row.bare_name));
  }
  return part;
}

/// One transaction, names without a search path, as they were written.
std::string finished(std::string_view title, const std::string& statements) {
  return fmt::format(
      "-- {}\n-- Written by wherry scripts. Run it with psql -v ON_ERROR_STOP=1 -f FILE.\n"
      "begin;\nset local search_path = '';\nset local default_tablespace = '';\n"
      "set local check_function_bodies = off;\n{}commit;\n",
      title, statements);
}

}  // namespace

Result<TargetScripts> write_scripts(OpContext& context, Connection& connection,
                                    const ScriptOptions& options) {
  const std::vector<std::string> parameters = {array_literal(options.schemas)};
  // One snapshot for all parts.
  WHERRY_TRY(connection.execute(context, kReadingScripts,
                                "begin isolation level repeatable read, read only"));
  Part triggers;
  Part foreign_keys;
  Part indexes;
  if (options.triggers) {
    WHERRY_ASSIGN(triggers, trigger_part(context, connection, parameters));
  }
  // Indexes that a foreign key needs cannot go before it.
  if (options.foreign_keys || options.indexes) {
    WHERRY_ASSIGN(foreign_keys, foreign_key_part(context, connection, parameters));
  }
  if (options.indexes) {
    WHERRY_ASSIGN(indexes, index_part(context, connection, parameters));
  }
  WHERRY_TRY(connection.execute(context, kReadingScripts, "commit"));
  TargetScripts scripts;
  scripts.disable =
      finished("Takes foreign keys, triggers and secondary indexes out of the way.",
               triggers.disable.text + foreign_keys.disable.text + indexes.disable.text);
  scripts.enable = finished("Brings foreign keys, triggers and secondary indexes back.",
                            indexes.enable.text + foreign_keys.enable.text + triggers.enable.text);
  return scripts;
}

}  // namespace wherry::postgres
