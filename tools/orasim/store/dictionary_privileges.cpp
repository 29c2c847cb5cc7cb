// Views of grants: TAB_PRIVS, COL_PRIVS, SYS_PRIVS, ROLE_PRIVS, ROLES and those of the session.
#include <algorithm>

#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;

struct Given {
  std::string grantee;
  ObjectGrant grant;
};

struct Named {
  std::string grantee, name;
  bool with_admin = false;
};

/// What kind of object the views say was granted.
std::string type_of(const Given& g, const Context& c) {
  const std::string& owner = g.grant.owner;
  const std::string& name = g.grant.object;
  if (c.catalog.find_table(owner, name)) return "TABLE";
  if (c.catalog.find_sequence(owner, name)) return "SEQUENCE";
  for (const char* kind :
       {"VIEW", "MATERIALIZED VIEW", "PROCEDURE", "FUNCTION", "PACKAGE", "TYPE", "DIRECTORY"}) {
    if (c.catalog.find_code(owner, name, kind)) return kind;
  }
  return find_dictionary_view(name) != nullptr ? "VIEW" : "UNKNOWN";
}

using Visit = std::function<bool(const Given&)>;
using Chosen = std::function<bool(const Given&, const Access&)>;

Items<Given> object_grants(bool on_columns, const Chosen& chosen) {
  return [on_columns, chosen](const Context& c, const Visit& visit) {
    const Access access(c.catalog, c.user);
    for (const auto& [name, principal] : c.catalog.principals) {
      for (const ObjectGrant& grant : principal->objects) {
        const Given given{name, grant};
        if (grant.column.empty() == on_columns || !chosen(given, access)) continue;
        if (!visit(given)) return;
      }
    }
  };
}

bool concerns(const Given& g, const std::string& user) {
  return g.grantee == user || g.grant.owner == user || g.grant.grantor == user;
}
bool is_own(const Given& g, const Access& a) {
  return concerns(g, a.user());
}
bool is_enabled(const Given& g, const Access& a) {
  return concerns(g, a.user()) || g.grantee == "PUBLIC" || a.roles().contains(g.grantee);
}
bool is_any(const Given&, const Access&) {
  return true;
}

Column<Given> given(const char* name, std::string ObjectGrant::*field) {
  return text_of<Given>(name, [field](const Given& g) { return g.grant.*field; });
}

/// Columns in Oracle's order; ALL_ views name and order the first ones differently.
std::vector<Column<Given>> grant_columns(bool on_columns, bool all_form) {
  const auto grantee = text_of<Given>("GRANTEE", [](const Given& g) { return g.grantee; });
  const auto grantor = given("GRANTOR", &ObjectGrant::grantor);
  std::vector<Column<Given>> list;
  if (all_form) list = {grantor, grantee, given("TABLE_SCHEMA", &ObjectGrant::owner)};
  if (!all_form) list = {grantee, given("OWNER", &ObjectGrant::owner)};
  list.push_back(given("TABLE_NAME", &ObjectGrant::object));
  if (on_columns) list.push_back(given("COLUMN_NAME", &ObjectGrant::column));
  if (!all_form) list.push_back(grantor);
  list.push_back(given("PRIVILEGE", &ObjectGrant::privilege));
  list.push_back(
      text_of<Given>("GRANTABLE", [](const Given& g) { return g.grant.grantable ? "YES" : "NO"; }));
  if (!on_columns) list.push_back(fixed<Given>("HIERARCHY", "NO"));
  list.push_back(fixed<Given>("COMMON", "NO"));
  if (!on_columns) {
    list.push_back({"TYPE", Kind::kText,
                    [](const Given& g, const Context& c) { return text(type_of(g, c)); }});
  }
  list.push_back(fixed<Given>("INHERITED", "NO"));
  return list;
}

void add_object_grants(Registry& r) {
  for (const bool on_columns : {false, true}) {
    const std::string name = on_columns ? "COL_PRIVS" : "TAB_PRIVS";
    const auto plain = grant_columns(on_columns, false);
    r.add<Given>("DBA_" + name, object_grants(on_columns, is_any), plain);
    r.add<Given>("USER_" + name, object_grants(on_columns, is_own), plain);
    r.add<Given>("ALL_" + name, object_grants(on_columns, is_enabled),
                 grant_columns(on_columns, true));
    const Chosen received = [](const Given& g, const Access& a) { return g.grantee == a.user(); };
    const Chosen made = [](const Given& g, const Access& a) { return g.grant.owner == a.user(); };
    r.add<Given>("USER_" + name + "_RECD", object_grants(on_columns, received), plain);
    r.add<Given>("USER_" + name + "_MADE", object_grants(on_columns, made), plain);
  }
  const Chosen of_role = [](const Given& g, const Access& a) {
    return a.roles().contains(g.grantee);
  };
  r.add<Given>(
      "ROLE_TAB_PRIVS", object_grants(false, of_role),
      {text_of<Given>("ROLE", [](const Given& g) { return g.grantee; }),
       given("OWNER", &ObjectGrant::owner), given("TABLE_NAME", &ObjectGrant::object),
       given("COLUMN_NAME", &ObjectGrant::column), given("PRIVILEGE", &ObjectGrant::privilege),
       text_of<Given>("GRANTABLE", [](const Given& g) { return g.grant.grantable ? "YES" : "NO"; }),
       fixed<Given>("COMMON", "NO"), fixed<Given>("INHERITED", "NO")});
}

using NamedChosen = std::function<bool(const std::string& grantee, const Access&)>;

/// System privileges or roles as they were granted; those of predefined roles are the roles' own.
Items<Named> named_grants(bool roles, const NamedChosen& chosen) {
  return [roles, chosen](const Context& c, const std::function<bool(const Named&)>& visit) {
    const Access access(c.catalog, c.user);
    for (const std::string& role : privileges::predefined_roles()) {
      if (!chosen(role, access)) continue;
      const auto names =
          roles ? privileges::roles_of_role(role) : *privileges::privileges_of_role(role);
      for (const std::string& name : names) {
        if (!visit({role, name, false})) return;
      }
    }
    for (const auto& [grantee, principal] : c.catalog.principals) {
      if (!chosen(grantee, access)) continue;
      for (const NamedGrant& g : roles ? principal->roles : principal->system) {
        if (!visit({grantee, g.name, g.with_admin})) return;
      }
    }
  };
}

Column<Named> grantee_as(const char* name) {
  return text_of<Named>(name, [](const Named& g) { return g.grantee; });
}
Column<Named> name_as(const char* name) {
  return text_of<Named>(name, [](const Named& g) { return g.name; });
}
Column<Named> admin_option() {
  return text_of<Named>("ADMIN_OPTION", [](const Named& g) { return g.with_admin ? "YES" : "NO"; });
}

std::vector<Column<Named>> system_columns(const char* who) {
  return {grantee_as(who), name_as("PRIVILEGE"), admin_option(), fixed<Named>("COMMON", "NO"),
          fixed<Named>("INHERITED", "NO")};
}

std::vector<Column<Named>> role_columns(const char* who) {
  return {grantee_as(who),
          name_as("GRANTED_ROLE"),
          admin_option(),
          fixed<Named>("DELEGATE_OPTION", "NO"),
          fixed<Named>("DEFAULT_ROLE", "YES"),
          fixed<Named>("COMMON", "NO"),
          fixed<Named>("INHERITED", "NO")};
}

void add_named_grants(Registry& r) {
  const NamedChosen any = [](const std::string&, const Access&) { return true; };
  const NamedChosen own = [](const std::string& grantee, const Access& a) {
    return grantee == a.user() || grantee == "PUBLIC";
  };
  const NamedChosen enabled = [](const std::string& grantee, const Access& a) {
    return a.roles().contains(grantee);
  };
  r.add<Named>("DBA_SYS_PRIVS", named_grants(false, any), system_columns("GRANTEE"));
  r.add<Named>("USER_SYS_PRIVS", named_grants(false, own), system_columns("USERNAME"));
  r.add<Named>("ROLE_SYS_PRIVS", named_grants(false, enabled), system_columns("ROLE"));
  r.add<Named>("DBA_ROLE_PRIVS", named_grants(true, any), role_columns("GRANTEE"));
  r.add<Named>("USER_ROLE_PRIVS", named_grants(true, own), role_columns("USERNAME"));
  r.add<Named>("ROLE_ROLE_PRIVS", named_grants(true, enabled),
               {grantee_as("ROLE"), name_as("GRANTED_ROLE"), admin_option(),
                fixed<Named>("COMMON", "NO"), fixed<Named>("INHERITED", "NO")});
}

Items<std::string> of_session(const std::set<std::string>& (Access::*list)() const) {
  return [list](const Context& c, const std::function<bool(const std::string&)>& visit) {
    const Access access(c.catalog, c.user);
    for (const std::string& name : (access.*list)()) {
      if (!visit(name)) return;
    }
  };
}

void visit_roles(const Context& c, const std::function<bool(const std::string&)>& visit) {
  for (const std::string& role : privileges::predefined_roles()) {
    if (!visit(role)) return;
  }
  for (const auto& [name, principal] : c.catalog.principals) {
    if (principal->is_role && privileges::privileges_of_role(name) == nullptr && !visit(name))
      return;
  }
}

void add_session(Registry& r) {
  const auto self = [](const char* name) {
    return text_of<std::string>(name, [](const std::string& s) { return s; });
  };
  r.add<std::string>("SESSION_PRIVS", of_session(&Access::system), {self("PRIVILEGE")});
  r.add<std::string>("SESSION_ROLES", of_session(&Access::roles), {self("ROLE")});
  r.add<std::string>("DBA_ROLES", visit_roles,
                     {self("ROLE"),
                      empty<std::string>("ROLE_ID", Kind::kNumber),
                      fixed<std::string>("PASSWORD_REQUIRED", "NO"),
                      fixed<std::string>("AUTHENTICATION_TYPE", "NONE"),
                      fixed<std::string>("COMMON", "NO"),
                      {"ORACLE_MAINTAINED", Kind::kText,
                       [](const std::string& s, const Context&) {
                         return y_n(privileges::privileges_of_role(s) != nullptr);
                       }},
                      fixed<std::string>("INHERITED", "NO"),
                      fixed<std::string>("IMPLICIT", "NO")});
  r.add<std::string>("SYSTEM_PRIVILEGE_MAP",
                     [](const Context&, const std::function<bool(const std::string&)>& visit) {
                       for (const std::string& name : privileges::system_privileges()) {
                         if (!visit(name)) return;
                       }
                     },
                     {empty<std::string>("PRIVILEGE", Kind::kNumber), self("NAME"),
                      fixed_number<std::string>("PROPERTY", 0)});
}

}  // namespace

void add_privilege_views(Registry& r) {
  add_object_grants(r);
  add_named_grants(r);
  add_session(r);
}

}  // namespace orasim::dictionary
