// USERS and privileges. Every user of the simulator may do everything, and the views say so.
#include <array>

#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
using User = UserDef;

constexpr std::array kPrivileges = {"CREATE SESSION",
                                    "ALTER SESSION",
                                    "CREATE TABLE",
                                    "CREATE ANY TABLE",
                                    "CREATE VIEW",
                                    "CREATE SEQUENCE",
                                    "CREATE PROCEDURE",
                                    "CREATE TRIGGER",
                                    "CREATE SYNONYM",
                                    "CREATE USER",
                                    "UNLIMITED TABLESPACE",
                                    "SELECT ANY TABLE",
                                    "INSERT ANY TABLE",
                                    "UPDATE ANY TABLE",
                                    "DELETE ANY TABLE",
                                    "SELECT ANY DICTIONARY",
                                    "FLASHBACK ANY TABLE",
                                    "SELECT ANY TRANSACTION",
                                    "LOGMINING"};

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

struct Grant {
  std::string grantee, privilege;
};

/// One row a user and privilege.
Items<Grant> grants(bool only_session_user, std::vector<std::string> privileges) {
  return [only_session_user, privileges = std::move(privileges)](
             const Context& c, const std::function<bool(const Grant&)>& visit) {
    visit_users(c, [&](const User& u) {
      if (only_session_user && u.name != c.user) return true;
      for (const std::string& privilege : privileges) {
        if (!visit({u.name, privilege})) return false;
      }
      return true;
    });
  };
}

void add_privileges(Registry& r) {
  const std::vector<std::string> all(kPrivileges.begin(), kPrivileges.end());
  const std::vector<std::string> roles = {"CONNECT", "RESOURCE", "DBA"};
  const auto privilege = [](const char* name) {
    return text_of<Grant>(name, [](const Grant& g) { return g.privilege; });
  };
  const auto grantee = [](const char* name) {
    return text_of<Grant>(name, [](const Grant& g) { return g.grantee; });
  };
  r.add<Grant>("SESSION_PRIVS", grants(true, all), {privilege("PRIVILEGE")});
  r.add<Grant>("SESSION_ROLES", grants(true, roles), {privilege("ROLE")});
  const auto system = [&](const char* who) {
    return std::vector<Column<Grant>>{
        grantee(who), privilege("PRIVILEGE"), fixed<Grant>("ADMIN_OPTION", "NO"),
        fixed<Grant>("COMMON", "NO"), fixed<Grant>("INHERITED", "NO")};
  };
  r.add<Grant>("USER_SYS_PRIVS", grants(true, all), system("USERNAME"));
  r.add<Grant>("DBA_SYS_PRIVS", grants(false, all), system("GRANTEE"));
  const auto role = [&](const char* who) {
    return std::vector<Column<Grant>>{grantee(who),
                                      privilege("GRANTED_ROLE"),
                                      fixed<Grant>("ADMIN_OPTION", "NO"),
                                      fixed<Grant>("DELEGATE_OPTION", "NO"),
                                      fixed<Grant>("DEFAULT_ROLE", "YES"),
                                      fixed<Grant>("COMMON", "NO"),
                                      fixed<Grant>("INHERITED", "NO")};
  };
  r.add<Grant>("USER_ROLE_PRIVS", grants(true, roles), role("USERNAME"));
  r.add<Grant>("DBA_ROLE_PRIVS", grants(false, roles), role("GRANTEE"));
  // Object grants are not kept: there are no rows.
  for (const char* name : {"USER_TAB_PRIVS", "DBA_TAB_PRIVS"}) {
    r.add<Grant>(name, grants(true, {}),
                 {grantee("GRANTEE"), empty<Grant>("OWNER", Kind::kText),
                  empty<Grant>("TABLE_NAME", Kind::kText), empty<Grant>("GRANTOR", Kind::kText),
                  privilege("PRIVILEGE"), fixed<Grant>("GRANTABLE", "NO"),
                  fixed<Grant>("HIERARCHY", "NO"), fixed<Grant>("COMMON", "NO"),
                  fixed<Grant>("TYPE", "TABLE"), fixed<Grant>("INHERITED", "NO")});
  }
  r.add<Grant>("ALL_TAB_PRIVS", grants(true, {}),
               {empty<Grant>("GRANTOR", Kind::kText), grantee("GRANTEE"),
                empty<Grant>("TABLE_SCHEMA", Kind::kText), empty<Grant>("TABLE_NAME", Kind::kText),
                privilege("PRIVILEGE"), fixed<Grant>("GRANTABLE", "NO"),
                fixed<Grant>("HIERARCHY", "NO"), fixed<Grant>("COMMON", "NO"),
                fixed<Grant>("TYPE", "TABLE"), fixed<Grant>("INHERITED", "NO")});
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
  add_privileges(r);
}

}  // namespace orasim::dictionary
