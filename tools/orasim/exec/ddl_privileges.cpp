// Who may run which DDL, and GRANT and REVOKE.
#include <algorithm>

#include "exec/access.h"
#include "exec/ddl_parser.h"
#include "exec/logminer_view.h"
#include "store/dictionary.h"

namespace orasim {

void DdlParser::need(std::string_view system) const {
  if (!env_.access->has_system(system)) raise(1031);
}

void DdlParser::need_create(const std::string& owner, const std::string& what) const {
  const bool own = owner == env_.access->user() && env_.access->has_system("CREATE " + what);
  if (!own) need("CREATE ANY " + what);
}

void DdlParser::need_on(const ObjectName& object, ObjectKind kind, std::string_view privilege,
                        const std::string& any, int missing) const {
  const Access& access = *env_.access;
  if (access.user() == object.owner || access.has_system(any)) return;
  if (!privilege.empty() && access.may(kind, object.owner, object.name, privilege)) return;
  raise(access.sees(object.owner, object.name) ? 1031 : missing, object.pos);
}

/// A foreign key shows which keys exist, so it needs a right of its own, and not through a role.
void DdlParser::need_references(const ObjectName& parent,
                                const std::vector<std::string>& columns) const {
  const Access direct(*env_.store->catalog(), env_.access->user(), false);
  require_columns(direct, parent.owner, parent.name, "REFERENCES", columns, parent.pos);
}

std::string DdlParser::right_for(const std::string& kind) {
  if (kind == "FUNCTION" || kind == "PACKAGE" || kind == "PACKAGE BODY" || kind == "JAVA SOURCE")
    return "PROCEDURE";
  return kind == "TYPE BODY" ? "TYPE" : kind;
}

/// One privilege or role of a GRANT, with its columns.
struct GrantItem {
  std::string name;
  std::vector<std::string> columns;
  int pos = 0;
};

namespace {

/// Where a GRANT … ON leads: through synonyms to an object of somebody.
struct GrantObject {
  ObjectKind kind = ObjectKind::kTable;
  std::string owner, name;
};

constexpr const char* kCodeNames[] = {"PROCEDURE", "FUNCTION", "PACKAGE", "TYPE", "LIBRARY"};

std::optional<GrantObject> find_object(const Catalog& c, const std::string& owner,
                                       const std::string& name) {
  if (c.find_table(owner, name)) return GrantObject{ObjectKind::kTable, owner, name};
  if (c.find_sequence(owner, name)) return GrantObject{ObjectKind::kSequence, owner, name};
  for (const char* kind : {"VIEW", "MATERIALIZED VIEW"}) {
    if (c.find_code(owner, name, kind)) return GrantObject{ObjectKind::kView, owner, name};
  }
  for (const char* kind : kCodeNames) {
    if (c.find_code(owner, name, kind)) return GrantObject{ObjectKind::kCode, owner, name};
  }
  return std::nullopt;
}

/// What SYS owns: dictionary views and packages. V$ names are synonyms of the views V_$.
std::optional<GrantObject> find_system_object(const std::string& name, bool by_owner, int pos) {
  if (name.starts_with("DBMS_") || name.starts_with("UTL_"))
    return GrantObject{ObjectKind::kCode, "SYS", name};
  const DictionaryView* view = find_dictionary_view(name);
  const logminer::SessionView* own = logminer::find_session_view(name);
  if (view == nullptr && own == nullptr) return std::nullopt;
  std::string stored = view == nullptr ? own->name : view->name;
  if (stored.starts_with("V$") || stored.starts_with("GV$")) {
    // The synonym leads to a view; SYS.V$X is the fixed table itself.
    if (by_owner && name == stored) raise(2030, pos);
    stored.insert(stored.find('$'), "_");
  }
  return GrantObject{ObjectKind::kView, "SYS", stored};
}

std::optional<GrantObject> resolve_object(const Catalog& c, std::string owner, std::string name,
                                          bool is_qualified, int pos) {
  for (int hop = 0; hop < 5; ++hop) {
    if (auto found = find_object(c, owner, name)) return found;
    auto synonym = c.find_code(owner, name, "SYNONYM");
    if (!synonym && !is_qualified) synonym = c.find_code("PUBLIC", name, "SYNONYM");
    if (!synonym) break;
    owner = synonym->table_owner;
    name = synonym->table_name;
  }
  if (is_qualified && owner != "SYS") return std::nullopt;
  return find_system_object(name, is_qualified, pos);
}

/// Privileges that fit the object; ORA-00990 and its like otherwise.
std::vector<GrantItem> expand(const std::vector<GrantItem>& items, ObjectKind kind) {
  const auto& allowed = privileges::object_privileges(kind);
  std::vector<GrantItem> out;
  for (const GrantItem& item : items) {
    if (item.name == "ALL" || item.name == "ALL PRIVILEGES") {
      for (const std::string& name : allowed) out.push_back({name, {}, item.pos});
      continue;
    }
    if (std::find(allowed.begin(), allowed.end(), item.name) != allowed.end()) {
      out.push_back(item);
      continue;
    }
    if (!privileges::is_object_privilege(item.name)) raise(990, item.pos);
    switch (kind) {
      case ObjectKind::kTable:
        raise(2224, item.pos);
      case ObjectKind::kView:
        raise(2204, item.pos);
      case ObjectKind::kSequence:
        raise(2205, item.pos);
      default:
        raise(2225, item.pos);
    }
  }
  return out;
}

bool may_pass_on(const std::vector<NamedGrant>& held, const std::string& name) {
  return std::any_of(held.begin(), held.end(),
                     [&](const NamedGrant& g) { return g.with_admin && g.name == name; });
}

std::vector<GrantItem> grant_items(Parser& p, bool revoke) {
  std::vector<GrantItem> items;
  const auto ends = [&] {
    return p.at_end() || p.is_symbol(",") || p.is_symbol("(") || p.is_word("ON") ||
           p.is_word(revoke ? "FROM" : "TO");
  };
  do {
    GrantItem item;
    item.pos = p.peek().begin;
    if (p.accept_words({"ON", "COMMIT", "REFRESH"})) {
      item.name = "ON COMMIT REFRESH";
    } else {
      while (!ends()) item.name += (item.name.empty() ? "" : " ") + p.take().text;
    }
    if (item.name.empty()) raise(990, item.pos);
    if (p.is_symbol("(")) {
      for (const ast::Ident& column : p.identifier_list()) item.columns.push_back(column.text);
    }
    items.push_back(std::move(item));
  } while (p.accept_symbol(","));
  return items;
}

std::vector<std::string> grantees(Parser& p, const Catalog& c, const std::string& user) {
  std::vector<std::string> names;
  do {
    const int pos = p.peek().begin;
    const std::string name = p.accept("PUBLIC") ? "PUBLIC" : p.identifier().text;
    const bool is_known = name == "PUBLIC" || name == "SYSTEM" || c.users.contains(name) ||
                          privileges::is_role(c, name);
    if (!is_known) raise_text(1917, "user or role '" + name + "' does not exist", pos);
    if (name == user) raise(1749, pos);
    names.push_back(name);
  } while (p.accept_symbol(","));
  return names;
}

}  // namespace

void DdlParser::grant(bool revoke) {
  const std::vector<GrantItem> items = grant_items(p_, revoke);
  if (p_.accept("ON")) {
    object_grant(items, revoke);
  } else {
    system_grant(items, revoke);
  }
}

void DdlParser::object_grant(const std::vector<GrantItem>& items, bool revoke) {
  const auto catalog = env_.store->catalog();
  const Access& access = *env_.access;
  std::optional<GrantObject> object;
  const bool is_directory = p_.accept("DIRECTORY");
  const int pos = p_.peek().begin;
  const ast::Name name = p_.qualified_name();
  const std::string owner = name.size() > 1 ? name[0].text : env_.current_schema;
  if (is_directory) {
    for (const auto& [key, code] : catalog->code) {
      if (code->kind == "DIRECTORY" && code->name == name.back().text)
        object = GrantObject{ObjectKind::kDirectory, code->owner, code->name};
    }
  } else {
    object = resolve_object(*catalog, owner, name.back().text, name.size() > 1, pos);
  }
  if (!object) raise(items[0].name == "EXECUTE" ? 4042 : 942, pos);
  const std::vector<GrantItem> all = expand(items, object->kind);
  const bool by_any_right = access.has_system("GRANT ANY OBJECT PRIVILEGE");
  p_.expect(revoke ? "FROM" : "TO", revoke ? 905 : 946);
  const std::vector<std::string> names = grantees(p_, *catalog, access.user());
  const bool grantable = p_.accept_words({"WITH", "GRANT", "OPTION"});
  skip_to_end();
  const auto grant_of = [&](const GrantItem& item) {
    ObjectGrant g{object->owner, object->name, item.name, {}, access.user(), grantable};
    const bool own = access.may_grant(object->owner, object->name, item.name);
    if (!own && !by_any_right && !revoke)
      raise(access.sees(object->owner, object->name) ? 1031 : 942, pos);
    // A grant by an ANY right counts as the owner's, and so does its revocation.
    if (!own && by_any_right) g.grantor = object->owner;
    if (access.user() == "SYS") g.grantor = object->owner;
    return g;
  };
  edit([&](Catalog& c) {
    for (const std::string& grantee : names) {
      bool any_revoked = false;
      for (const GrantItem& item : all) {
        ObjectGrant g = grant_of(item);
        if (revoke) {
          any_revoked = privileges::revoke_object(c, grantee, g) || any_revoked;
          continue;
        }
        if (item.columns.empty()) privileges::grant_object(c, grantee, g);
        for (const std::string& column : item.columns) {
          g.column = column;
          privileges::grant_object(c, grantee, g);
        }
      }
      if (revoke && !any_revoked) raise(1927);
    }
  });
}

void DdlParser::system_grant(const std::vector<GrantItem>& items, bool revoke) {
  const auto catalog = env_.store->catalog();
  const Access& access = *env_.access;
  const auto self = catalog->principals.find(access.user());
  const PrincipalDef none;
  const PrincipalDef& own = self == catalog->principals.end() ? none : *self->second;
  std::vector<std::string> system, roles;
  for (const GrantItem& item : items) {
    if (privileges::is_role(*catalog, item.name)) {
      if (!access.has_system("GRANT ANY ROLE") && !may_pass_on(own.roles, item.name)) raise(1932);
      roles.push_back(item.name);
      continue;
    }
    const bool is_all = item.name == "ALL PRIVILEGES";
    if (!is_all && !privileges::is_system_privilege(item.name)) {
      if (item.name.find(' ') != std::string::npos || privileges::is_object_privilege(item.name))
        raise(990, item.pos);
      raise_text(1919, "role '" + item.name + "' does not exist", item.pos);
    }
    if (!access.has_system("GRANT ANY PRIVILEGE") && !may_pass_on(own.system, item.name))
      raise(1031);
    if (is_all) {
      system = *privileges::privileges_of_role("DBA");
    } else {
      system.push_back(item.name);
    }
  }
  p_.expect(revoke ? "FROM" : "TO", revoke ? 905 : 946);
  const std::vector<std::string> names = grantees(p_, *catalog, {});
  const bool with_admin = p_.accept_words({"WITH", "ADMIN", "OPTION"});
  skip_to_end();
  edit([&](Catalog& c) {
    for (const std::string& grantee : names) {
      for (const std::string& privilege : system) {
        if (!revoke) privileges::grant_system(c, grantee, {privilege, with_admin});
        if (revoke && !privileges::revoke_system(c, grantee, privilege) && system.size() == 1)
          raise_text(1952, "system privileges not granted to '" + grantee + "'");
      }
      for (const std::string& role : roles) {
        if (grantee == role || (privileges::is_role(c, grantee) && holds_role(c, role, grantee)))
          raise(1934);
        if (!revoke) privileges::grant_role(c, grantee, {role, with_admin});
        if (revoke && !privileges::revoke_role(c, grantee, role))
          raise_text(1951, "ROLE '" + role + "' not granted to '" + grantee + "'");
      }
    }
  });
}

bool DdlParser::holds_role(const Catalog& catalog, const std::string& holder,
                           const std::string& role) {
  return Access(catalog, holder).roles().contains(role);
}

void DdlParser::create_role() {
  need("CREATE ROLE");
  const std::string name = p_.identifier().text;
  skip_to_end();
  edit([&](Catalog& c) {
    privileges::create_role(c, name);
    privileges::grant_role(c, env_.access->user(), {name, true});
  });
}

void DdlParser::drop_role() {
  const std::string name = p_.identifier().text;
  const auto catalog = env_.store->catalog();
  const auto self = catalog->principals.find(env_.access->user());
  const bool is_own = self != catalog->principals.end() && may_pass_on(self->second->roles, name);
  if (!is_own) need("DROP ANY ROLE");
  edit([&](Catalog& c) { privileges::drop_role(c, name); });
}

}  // namespace orasim
