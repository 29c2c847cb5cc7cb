#include "connect/postgres/tablespaces.h"

#include <algorithm>
#include <map>

#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::TargetMatch;

constexpr std::string_view kReadingTablespaces = "cannot read the tablespaces";

/// Which of its tablespaces a server lets the user use.
using UsableTablespaces = std::map<std::string, bool, std::less<>>;

bool has_tablespace(const TargetMatch& match) {
  return !match.plan->tablespace.empty() || !match.plan->key_tablespace.empty();
}

Error not_granted(const std::string& name, const std::string& user) {
  const auto quoted = schema::quote_identifier(name);
  return make_error(ErrorKind::kPermission, "postgres.privilege_missing",
                    "the user may not make tables in tablespace " + name,
                    "Let an administrator run: grant create on tablespace " +
                        (quoted.ok() ? *quoted : name) + " to " + user);
}

void settle(TargetMatch& match, const UsableTablespaces& usable, const std::string& user) {
  auto plan = std::make_shared<schema::TablePlan>(*match.plan);
  for (std::string* name : {&plan->tablespace, &plan->key_tablespace}) {
    // What is there stays where it is.
    if (match.exists) name->clear();
    if (name->empty()) continue;
    const auto found = usable.find(*name);
    if (found == usable.end()) {
      plan->warnings.push_back(
          {"plan.no_tablespace", schema::WarningRank::kRisk,
           "the target has no tablespace " + *name + ", which a rule names: its default is used"});
      name->clear();
    } else if (!found->second && !match.refused) {
      match.refused = not_granted(*name, user).with("table", schema::to_text(plan->target));
    }
  }
  match.plan = std::move(plan);
}

}  // namespace

Result<void> read_tablespaces(OpContext& context, Connection& connection,
                              std::vector<schema::TableDef>& tables) {
  std::map<schema::TableRef, schema::TableDef*> places;
  for (schema::TableDef& table : tables) places.emplace(table.table, &table);
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, kReadingTablespaces,
                                 "select n.nspname, c.relname, null, s.spcname "
                                 "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                                 "join pg_tablespace s on s.oid = c.reltablespace "
                                 "where c.relkind in ('r', 'p', 'm') union all "
                                 "select n.nspname, c.relname, i.relname, s.spcname "
                                 "from pg_index x join pg_class i on i.oid = x.indexrelid "
                                 "join pg_class c on c.oid = x.indrelid "
                                 "join pg_namespace n on n.oid = c.relnamespace "
                                 "join pg_tablespace s on s.oid = i.reltablespace "
                                 "where x.indisunique"));
  for (int r = 0; r < rows.count(); ++r) {
    const auto found = places.find({std::string(rows.text(r, 0)), std::string(rows.text(r, 1))});
    if (found == places.end()) continue;
    if (rows.is_null(r, 2)) found->second->tablespace = rows.text(r, 3);
    for (schema::KeyDef& key : found->second->keys) {
      if (key.name == rows.text(r, 2)) key.tablespace = rows.text(r, 3);
    }
  }
  return {};
}

Result<void> settle_tablespaces(OpContext& context, Connection& connection,
                                std::vector<TargetMatch>& matches) {
  if (std::none_of(matches.begin(), matches.end(), has_tablespace)) return {};
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, kReadingTablespaces,
                                 "select spcname, has_tablespace_privilege(oid, 'CREATE'), "
                                 "quote_ident(current_user) from pg_tablespace"));
  UsableTablespaces usable;
  for (int r = 0; r < rows.count(); ++r) usable.emplace(rows.text(r, 0), rows.boolean(r, 1));
  const std::string user(rows.text(0, 2));
  for (TargetMatch& match : matches) {
    if (has_tablespace(match)) settle(match, usable, user);
  }
  return {};
}

}  // namespace wherry::postgres
