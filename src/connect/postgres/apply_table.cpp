#include "connect/postgres/apply_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "connect/postgres/describe.h"
#include "connect/postgres/match.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::ApplyKey;
using connect::ApplyTable;
using schema::TableRef;

constexpr const char* kDescribing = "cannot read the catalogue";

// All: $1, $2 schemas and names of the tables, row n is table n.
constexpr const char* kWanted = R"(
with recursive wanted as (
  select w.n - 1 as n, c.oid, c.reltype, c.relkind, c.relowner, sn.oid as schema_oid
    from unnest($1::text[], $2::text[]) with ordinality w(s, t, n)
    join pg_catalog.pg_namespace sn on sn.nspname = w.s
    join pg_catalog.pg_class c on c.relnamespace = sn.oid and c.relname = w.t))";

// $3: whether lanes are replicas. tgtype: 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
constexpr const char* kTables = R"(
select w.n, pg_catalog.has_schema_privilege(w.schema_oid, 'USAGE'),
       pg_catalog.has_table_privilege(w.oid, 'SELECT'),
       pg_catalog.has_table_privilege(w.oid, 'INSERT'),
       pg_catalog.has_table_privilege(w.oid, 'UPDATE'),
       pg_catalog.has_table_privilege(w.oid, 'DELETE'),
       pg_catalog.has_table_privilege(w.oid, 'TRUNCATE'),
       pg_catalog.row_security_active(w.oid), r.is_replica,
       (select pg_catalog.string_agg(t.tgname, ', ' order by t.tgname)
          from pg_catalog.pg_trigger t
         where t.tgrelid = w.oid and not t.tgisinternal
           and t.tgenabled = any (case when r.is_replica then array['R', 'A']
                                       else array['O', 'A'] end::"char"[])),
       (select pg_catalog.string_agg(pg_catalog.format('%I on %s', f.conname,
                 f.conrelid::pg_catalog.regclass), ', ' order by f.conname)
          from pg_catalog.pg_constraint f
         where f.confrelid = w.oid and f.contype = 'f' and f.conparentid = 0
           and not r.is_replica),
       pg_catalog.quote_ident(current_user), w.reltype,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'),
       pg_catalog.quote_ident(pg_catalog.current_database())
  from wanted w
 cross join lateral (
    select $3::boolean and not exists (
             select from pg_catalog.pg_constraint k
              where k.conrelid = w.oid and k.contype in ('p', 'u', 'x') and k.condeferrable)
             as is_replica) r)";

constexpr const char* kColumnsOf = R"(
, base (oid, base_oid, modifier, not_null) as (
  select t.oid, t.oid, -1, false from pg_catalog.pg_type t where t.typtype <> 'd'
  union all
  select d.oid, b.base_oid, case when d.typtypmod <> -1 then d.typtypmod else b.modifier end,
         d.typnotnull or b.not_null
    from pg_catalog.pg_type d join base b on d.typbasetype = b.oid where d.typtype = 'd')
select w.n, a.attname, t.oid, t.typname, t.typtype,
       case when b.oid <> b.base_oid then b.modifier else a.atttypmod end,
       pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid,
       pg_catalog.format('%I.%I', tn.nspname, t.typname), a.attnotnull or b.not_null,
       a.attgenerated <> '', a.attidentity = 'a', t.typcategory = 'A' or t.typarray = 0 or t.typtype = 'c',
       case when exists (select from pg_catalog.pg_operator o
                          where o.oprname = '=' and o.oprleft = t.oid and o.oprright = t.oid
                            and o.oprnamespace = t.typnamespace and tn.nspname <> 'pg_catalog')
            then pg_catalog.format('operator(%I.=)', tn.nspname) else '=' end,
       coalesce((select l.collisdeterministic from pg_catalog.pg_collation l
                  where l.oid = a.attcollation), true), t.typreceive = 0
  from wanted w
  join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped
  join base b on b.oid = a.atttypid
  join pg_catalog.pg_type t on t.oid = b.base_oid
  join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
 order by w.n, a.attnum)";

// NULLS NOT DISTINCT came with 15, so it is asked for by name.
constexpr const char* kKeysOf = R"(
select w.n, x.indexrelid, x.indisprimary,
       x.indisunique and x.indimmediate and x.indpred is null and x.indexprs is null
         and coalesce(pg_catalog.to_jsonb(x)->>'indnullsnotdistinct', 'false') = 'false',
       a.attname
  from wanted w
  join pg_catalog.pg_index x on x.indrelid = w.oid
  cross join lateral unnest(x.indkey::int2[]) with ordinality as k (attnum, place)
  left join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum = k.attnum
       and a.attnum > 0
 where (x.indisunique or x.indisexclusion) and x.indisvalid and k.place <= x.indnkeyatts
 order by w.n, not x.indisprimary, x.indexrelid, k.place)";

constexpr const char* kApplyForeignKeys = R"(
select w.n, f.oid, pn.nspname, p.relname, a.attname, pa.attname, f.conname
  from wanted w
  join pg_catalog.pg_constraint f on f.conrelid = w.oid and f.contype = 'f'
  join pg_catalog.pg_class p on p.oid = f.confrelid
  join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
  cross join lateral unnest(f.conkey, f.confkey) with ordinality as k (here, there, place)
  join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum = k.here
  join pg_catalog.pg_attribute pa on pa.attrelid = p.oid and pa.attnum = k.there
 order by w.n, f.oid, k.place)";

Error describe_error(const char* code, std::string message, std::string hint) {
  return make_error(ErrorKind::kSchema, code, std::move(message), std::move(hint));
}

wire::EncodeStatus put_verbatim(wire::ColumnEncoder&, const Cell& cell, wire::CopyBuffer& out) {
  if (cell.size_bytes > wire::kMaxValueBytes) return wire::EncodeStatus::kTooLarge;
  out.put_field(cell.bytes());
  return wire::EncodeStatus::kOk;
}

std::optional<std::size_t> find_target(const schema::TablePlan& plan, std::string_view name) {
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (plan.columns[i].target_name == name) return i;
  }
  return std::nullopt;
}

bool is_comparable(NativeKind kind) {
  return kind != NativeKind::kOther && kind != NativeKind::kJson && kind != NativeKind::kXml;
}

/// Whether equal values are the same bytes on their way. Oracle's numbers have one form only; those
/// of PostgreSQL keep the zeros at their end where the type does not say how many.
bool has_one_form(const ApplyColumn& column, bool is_deterministic, bool is_native) {
  constexpr std::uint32_t kFirstOwnOid = 16384;
  switch (column.type.kind) {
    case NativeKind::kNumeric:
      return column.type.precision != 0 || !is_native;
    case NativeKind::kText:
      return is_deterministic && column.oid < kFirstOwnOid;  // citext has another
    case NativeKind::kBpchar:
      return is_deterministic && column.type.max_chars != 0;
    case NativeKind::kFloat4:
    case NativeKind::kFloat8:
    case NativeKind::kJson:
    case NativeKind::kJsonb:
    case NativeKind::kXml:
    case NativeKind::kInterval:
    case NativeKind::kOther:
      return false;
    default:
      return true;
  }
}

/// One table while it is put together.
struct Draft {
  ApplyTable out;
  std::shared_ptr<NativeApplyTable> native = std::make_shared<NativeApplyTable>();
  std::size_t column_count = 0;
  std::set<std::size_t> many_forms;  ///< columns whose equal values may differ in their form
  std::vector<bool> is_found;

  void refuse(Error error) {
    if (!out.refused) out.refused = std::move(error).with("table", to_text(out.plan->target));
  }
};

class Describer {
 public:
  Describer(OpContext& context, Connection& connection, bool as_replica, bool refuses_zeros)
      : context_(context),
        connection_(connection),
        as_replica_(as_replica),
        refuses_zeros_(refuses_zeros) {}

  Result<std::vector<ApplyTable>> run(const std::vector<schema::TablePlanPtr>& plans) {
    WHERRY_TRY(fit(plans));
    std::vector<std::string> schemas;
    std::vector<std::string> names;
    for (const Draft& draft : drafts_) {
      schemas.push_back(draft.out.plan->target.schema);
      names.push_back(draft.out.plan->target.name);
    }
    parameters_ = {array_literal(schemas), array_literal(names)};
    WHERRY_TRY(read_tables());
    WHERRY_TRY(read_columns());
    WHERRY_TRY(read_keys());
    WHERRY_TRY(read_foreign_keys());
    std::vector<ApplyTable> out;
    for (Draft& draft : drafts_) {
      if (!draft.out.refused) {
        choose_identity(draft);
        draft.out.is_identity_plain =
            std::none_of(draft.out.identity.begin(), draft.out.identity.end(),
                         [&](auto i) { return draft.many_forms.contains(i); });
        for (ApplyKey& key : draft.out.keys) {
          key.is_plain =
              key.is_plain && std::none_of(key.columns.begin(), key.columns.end(),
                                           [&](auto i) { return draft.many_forms.contains(i); });
        }
      }
      draft.native->plan = draft.out.plan;
      draft.native->identity = draft.out.identity;
      draft.out.native = std::move(draft.native);
      out.push_back(std::move(draft.out));
    }
    return out;
  }

 private:
  Result<void> fit(const std::vector<schema::TablePlanPtr>& plans) {
    WHERRY_ASSIGN(auto matches, match_tables(context_, connection_, plans,
                                             connect::ExistingTable::kKeep, /*as_replica=*/true));
    for (connect::TargetMatch& match : matches) {
      Draft draft;
      draft.out.plan = match.plan;
      if (match.refused) {
        draft.refuse(std::move(*match.refused));
      } else if (!match.exists) {
        draft.refuse(describe_error("apply.unknown_table", "the table does not exist on the target",
                                    "Create it, or load the table first"));
      }
      draft.is_found.assign(match.plan->columns.size(), false);
      draft.native->columns.resize(match.plan->columns.size());
      drafts_.push_back(std::move(draft));
    }
    return {};
  }

  Result<Rows> ask(const char* sql, std::span<const std::string> parameters) {
    return connection_.query(context_, kDescribing, std::string(kWanted) + sql, parameters);
  }
  Draft& draft_of(const Rows& rows, int r) {
    return drafts_[static_cast<std::size_t>(rows.integer(r, 0))];
  }

  Result<void> read_tables() {
    std::vector<std::string> parameters = parameters_;
    parameters.emplace_back(as_replica_ ? "true" : "false");
    WHERRY_ASSIGN(const Rows rows, ask(kTables, parameters));
    for (int r = 0; r < rows.count(); ++r) {
      Draft& draft = draft_of(rows, r);
      WHERRY_ASSIGN(draft.native->name, schema::quote_table(draft.out.plan->target));
      check_privileges_of(draft, rows, r);
      draft.native->as_replica = rows.boolean(r, 8);
      draft.native->row_oid = static_cast<std::uint32_t>(rows.integer(r, 12));
      draft.out.has_triggers = !rows.is_null(r, 9);
      draft.native->is_watched = !rows.is_null(r, 9) || !rows.is_null(r, 10);
      if (draft.out.has_triggers) {
        draft.out.warnings.push_back("triggers of the target fire for the changes: " +
                                     std::string(rows.text(r, 9)));
      }
      if (!rows.is_null(r, 10)) {
        draft.out.warnings.push_back("foreign keys of other tables act when rows go: " +
                                     std::string(rows.text(r, 10)));
      }
    }
    return {};
  }

  static void check_privileges_of(Draft& draft, const Rows& rows, int r) {
    const std::string user(rows.text(r, 11));
    std::string missing;
    constexpr std::array kNames = {"select", "insert", "update", "delete"};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (rows.boolean(r, static_cast<int>(i) + 2)) continue;
      missing += (missing.empty() ? "" : ", ") + std::string(kNames[i]);
    }
    std::string grant;
    if (!rows.boolean(r, 1)) {
      const auto name = schema::quote_identifier(draft.out.plan->target.schema);
      grant = "grant usage on schema " + (name ? *name : std::string()) + " to " + user;
    }
    if (!rows.boolean(r, 13)) {
      grant += (grant.empty() ? "" : "; ") + std::string("grant temporary on database ") +
               std::string(rows.text(r, 14)) + " to " + user;
    }
    if (!missing.empty()) {
      grant += (grant.empty() ? "" : "; ") + ("grant " + missing) + " on table " +
               draft.native->name + " to " + user;
    }
    if (!grant.empty()) {
      Error error = describe_error("postgres.privilege_missing",
                                   "the user may not change the table on the target",
                                   "Let an administrator run: " + grant);
      error.kind = ErrorKind::kPermission;
      draft.refuse(std::move(error));
    }
    if (rows.boolean(r, 7)) {
      Error error = describe_error(
          "apply.row_security", "row level security hides rows of the table from the user",
          "Let the table's owner apply the changes, or grant the user BYPASSRLS");
      error.kind = ErrorKind::kPermission;
      draft.refuse(std::move(error));
    }
    if (!rows.boolean(r, 6)) {
      draft.out.warnings.push_back("the table cannot be truncated: grant truncate on table " +
                                   draft.native->name + " to " + user);
    }
  }

  Result<void> read_columns() {
    WHERRY_ASSIGN(const Rows rows, ask(kColumnsOf, parameters_));
    for (int r = 0; r < rows.count(); ++r) {
      Draft& draft = draft_of(rows, r);
      const std::size_t place = draft.column_count++;
      draft.native->row_types.push_back(static_cast<std::uint32_t>(rows.integer(r, 7)));
      if (rows.boolean(r, 10)) continue;
      WHERRY_ASSIGN(std::string quoted, schema::quote_identifier(rows.text(r, 1)));
      draft.native->all_columns.push_back(quoted);
      const auto index = find_target(*draft.out.plan, rows.text(r, 1));
      if (!index) {
        draft.native->rest.push_back(std::move(quoted));
        continue;
      }
      draft.is_found[*index] = true;
      ApplyColumn& column = draft.native->columns[*index];
      column.name = std::move(quoted);
      column.place = place;
      fill(draft, *index, column, rows, r);
    }
    for (Draft& draft : drafts_) check_found(draft);
    return {};
  }

  void fill(Draft& draft, std::size_t index, ApplyColumn& column, const Rows& rows, int r) const {
    const schema::ColumnPlan& planned = draft.out.plan->columns[index];
    TypeRow type;
    type.oid = column.oid = static_cast<std::uint32_t>(rows.integer(r, 2));
    type.type_name = rows.text(r, 3);
    type.type_class = rows.text(r, 4).empty() ? 'b' : rows.text(r, 4).front();
    type.modifier = static_cast<std::int32_t>(rows.integer(r, 5));
    type.display_name = rows.text(r, 6);
    column.full_type = rows.text(r, 6);
    column.type = native_type_of(type);
    column.own_oid = static_cast<std::uint32_t>(rows.integer(r, 7));
    column.sql_type = rows.text(r, 8);
    column.is_not_null = rows.boolean(r, 9);
    column.is_always_identity = rows.boolean(r, 11);
    column.has_no_array = rows.boolean(r, 12);
    draft.native->has_text_type = draft.native->has_text_type || rows.boolean(r, 15);
    column.equals = rows.text(r, 13);
    column.is_comparable = is_comparable(column.type.kind);
    if (!has_one_form(column, rows.boolean(r, 14), draft.out.plan->is_native)) {
      draft.many_forms.insert(index);
    }
    column.is_verbatim =
        draft.out.plan->is_native || planned.type.kind == schema::TypeKind::kNative;
    if (column.is_verbatim) {
      column.encoder.encode = put_verbatim;
      return;
    }
    auto encoder = wire::choose_encoder(planned.type, column.type, planned.trim_blanks);
    if (encoder) {
      column.encoder = std::move(*encoder);
      column.encoder.refuses_zeros = refuses_zeros_;
      return;
    }
    draft.refuse(describe_error("postgres.no_conversion",
                                "values of type " + describe(planned.type) +
                                    " have no form in a column of type " + column.full_type,
                                "Change the column's type on the target, or leave the column out "
                                "with the table mappings")
                     .with("column", planned.target_name));
  }

  static void check_found(Draft& draft) {
    if (draft.out.refused) return;
    for (std::size_t i = 0; i < draft.is_found.size(); ++i) {
      if (draft.is_found[i]) continue;
      draft.refuse(describe_error("postgres.unknown_column",
                                  "the table on the target lacks a column",
                                  "Add the column, or leave it out with the table mappings")
                       .with("column", draft.out.plan->columns[i].target_name));
      return;
    }
  }

  Result<void> read_keys() {
    WHERRY_ASSIGN(const Rows rows, ask(kKeysOf, parameters_));
    std::string last;
    for (int r = 0; r < rows.count(); ++r) {
      Draft& draft = draft_of(rows, r);
      std::string id = std::string(rows.text(r, 0)) + ":" + std::string(rows.text(r, 1));
      if (id != last) {
        draft.out.keys.push_back({{}, rows.boolean(r, 2), rows.boolean(r, 3)});
        last = std::move(id);
      }
      ApplyKey& key = draft.out.keys.back();
      const auto index =
          rows.is_null(r, 4) ? std::nullopt : find_target(*draft.out.plan, rows.text(r, 4));
      if (index) {
        key.columns.push_back(*index);
      } else {
        key.is_plain = false;
      }
    }
    return {};
  }

  Result<void> read_foreign_keys() {
    WHERRY_ASSIGN(const Rows rows, ask(kApplyForeignKeys, parameters_));
    std::set<TableRef> own;
    for (const Draft& draft : drafts_) own.insert(draft.out.plan->target);
    std::string last;
    std::map<Draft*, std::string> names;
    for (int r = 0; r < rows.count(); ++r) {
      Draft& draft = draft_of(rows, r);
      if (draft.native->as_replica) continue;
      const TableRef parent{std::string(rows.text(r, 2)), std::string(rows.text(r, 3))};
      std::string id = std::string(rows.text(r, 0)) + ":" + std::string(rows.text(r, 1));
      const bool is_new = id != last;
      last = std::move(id);
      if (is_new) {
        std::string& list = names[&draft];
        list += (list.empty() ? "" : ", ") + std::string(rows.text(r, 6));
      }
      const auto parent_draft = std::find_if(drafts_.begin(), drafts_.end(), [&](const Draft& d) {
        return d.out.plan->target == parent;
      });
      if (parent_draft == drafts_.end()) continue;
      if (is_new) draft.out.foreign_keys.push_back({{}, parent, {}});
      ApplyTable::ForeignKey& key = draft.out.foreign_keys.back();
      const auto here = find_target(*draft.out.plan, rows.text(r, 4));
      const auto there = find_target(*parent_draft->out.plan, rows.text(r, 5));
      // A key over columns that do not travel orders nothing that could be known here.
      if (here && there) {
        key.columns.push_back(*here);
        key.parent_columns.push_back(*there);
      }
    }
    for (auto& [draft, list] : names) {
      draft->out.warnings.push_back("foreign keys of the target are checked for each change: " +
                                    list);
    }
    return {};
  }

  /// The columns that say which row a change means.
  static void choose_identity(Draft& draft) {
    const schema::TablePlan& plan = *draft.out.plan;
    const auto is_usable = [&](const ApplyKey& key) {
      return key.is_plain && std::all_of(key.columns.begin(), key.columns.end(), [&](auto i) {
               return draft.native->columns[i].is_not_null;
             });
    };
    const std::set<std::size_t> wanted(plan.key.begin(), plan.key.end());
    const ApplyKey* found = nullptr;
    for (const ApplyKey& key : draft.out.keys) {
      const std::set<std::size_t> columns(key.columns.begin(), key.columns.end());
      if (!key.is_plain) continue;
      if (!wanted.empty() && columns == wanted) {
        draft.out.identity = key.columns;
        draft.native->has_identity_index = true;
        return;
      }
      // Without a key at the source every row comes whole, and any key of the target will do; a
      // part of the source's key that is unique here will do too.
      const bool is_known = wanted.empty() || std::includes(wanted.begin(), wanted.end(),
                                                            columns.begin(), columns.end());
      if (found == nullptr && is_known && is_usable(key)) found = &key;
    }
    if (found != nullptr) {
      draft.out.identity = found->columns;
      draft.native->has_identity_index = true;
      return;
    }
    draft.out.identity = plan.key;
    if (plan.key.empty()) {
      draft.out.warnings.emplace_back(
          "the table has no key: each update and delete compares all columns of all rows");
      return;
    }
    std::string names;
    for (const std::size_t i : plan.key) {
      names += (names.empty() ? "" : ", ") + draft.native->columns[i].name;
    }
    draft.out.warnings.push_back("the target has no unique index on the key of the source: " +
                                 ("create unique index on " + draft.native->name) + " (" + names +
                                 ")");
  }

  OpContext& context_;
  Connection& connection_;
  const bool as_replica_;
  const bool refuses_zeros_;
  std::vector<std::string> parameters_;
  std::vector<Draft> drafts_;
};

}  // namespace

const NativeApplyTable& native_of(const connect::ApplyTable& table) {
  WHERRY_ASSERT(table.native != nullptr, "the table was described by TargetApply::describe()");
  return *static_cast<const NativeApplyTable*>(table.native.get());
}

NativeTablePtr with_identity(const connect::ApplyTable& table,
                             const std::vector<std::size_t>& identity) {
  auto out = std::make_shared<NativeApplyTable>(native_of(table));
  out->identity = identity;
  out->has_identity_index =
      std::any_of(table.keys.begin(), table.keys.end(), [&](const ApplyKey& key) {
        return key.is_plain && std::is_permutation(key.columns.begin(), key.columns.end(),
                                                   identity.begin(), identity.end());
      });
  return out;
}

Result<std::vector<connect::ApplyTable>> describe_apply_tables(
    OpContext& context, Connection& connection, const std::vector<schema::TablePlanPtr>& plans,
    bool as_replica, bool refuses_null_characters) {
  return Describer(context, connection, as_replica, refuses_null_characters).run(plans);
}

}  // namespace wherry::postgres
