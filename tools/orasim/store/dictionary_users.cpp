// USERS.
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
using User = UserDef;

void visit_users(const Context& c, const std::function<bool(const User&)>& visit) {
  for (const auto& [name, id] : {std::pair{"SYS", 0U}, std::pair{"SYSTEM", 9U}}) {
    if (c.catalog.users.contains(name)) continue;
    User user;
    user.name = name;
    user.user_id = id;
    user.locked = true;
    if (!visit(user)) return;
  }
  for (const auto& [name, user] : c.catalog.users) {
    if (!visit(*user)) return;
  }
}

std::string account_status(const User& u) {
  if (u.locked) return u.expired ? "EXPIRED & LOCKED" : "LOCKED";
  return u.expired ? "EXPIRED" : "OPEN";
}

bool is_system(const User& u) {
  return u.name == "SYS" || u.name == "SYSTEM";
}

Column<User> created() {
  return {"CREATED", Kind::kDate,
          [](const User& u, const Context&) { return date(u.created_unix); }};
}

std::vector<Column<User>> full_columns() {
  return {
      text_of<User>("USERNAME", [](const User& u) { return u.name; }),
      number_of<User>("USER_ID", [](const User& u) { return u.user_id; }),
      text_of<User>("ACCOUNT_STATUS", account_status),
      empty<User>("LOCK_DATE", Kind::kDate),
      empty<User>("EXPIRY_DATE", Kind::kDate),
      fixed<User>("DEFAULT_TABLESPACE", "USERS"),
      fixed<User>("TEMPORARY_TABLESPACE", "TEMP"),
      fixed<User>("LOCAL_TEMP_TABLESPACE", "TEMP"),
      created(),
      fixed<User>("PROFILE", "DEFAULT"),
      empty<User>("EXTERNAL_NAME", Kind::kText),
      fixed<User>("AUTHENTICATION_TYPE", "PASSWORD"),
      text_of<User>("ORACLE_MAINTAINED", [](const User& u) { return is_system(u) ? "Y" : "N"; }),
      fixed<User>("COMMON", "NO"),
      fixed<User>("DEFAULT_COLLATION", "USING_NLS_COMP")};
}

/// What profile DEFAULT sets no limit to.
void visit_limits(const Context&, const std::function<bool(const std::string&)>& visit) {
  for (const char* resource :
       {"COMPOSITE_LIMIT", "SESSIONS_PER_USER", "CPU_PER_SESSION", "CPU_PER_CALL",
        "LOGICAL_READS_PER_SESSION", "LOGICAL_READS_PER_CALL", "IDLE_TIME", "CONNECT_TIME",
        "PRIVATE_SGA"}) {
    if (!visit(resource)) return;
  }
}

}  // namespace

void add_user_views(Registry& r) {
  r.add<User>(
      "ALL_USERS", visit_users,
      {text_of<User>("USERNAME", [](const User& u) { return u.name; }),
       number_of<User>("USER_ID", [](const User& u) { return u.user_id; }), created(),
       fixed<User>("COMMON", "NO"),
       text_of<User>("ORACLE_MAINTAINED", [](const User& u) { return is_system(u) ? "Y" : "N"; }),
       fixed<User>("INHERITED", "NO"), fixed<User>("DEFAULT_COLLATION", "USING_NLS_COMP"),
       fixed<User>("IMPLICIT", "NO"), fixed<User>("ALL_SHARD", "NO")});
  r.add<User>("DBA_USERS", visit_users, full_columns());
  const Items<User> own = [](const Context& c, const std::function<bool(const User&)>& visit) {
    visit_users(c, [&](const User& u) { return u.name != c.user || visit(u); });
  };
  r.add<User>("USER_USERS", own, full_columns());
  r.add<std::string>(
      "USER_RESOURCE_LIMITS", visit_limits,
      {text_of<std::string>("RESOURCE_NAME", [](const std::string& name) { return name; }),
       fixed<std::string>("LIMIT", "UNLIMITED")});
}

}  // namespace orasim::dictionary
