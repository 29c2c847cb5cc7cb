#include "store/privileges.h"

#include <algorithm>
#include <array>

#include "engine/error.h"
#include "store/store.h"

namespace orasim {
namespace {

/// ANY privileges that give an object privilege on everybody's objects, but for those of SYS.
std::vector<std::string_view> any_privileges(ObjectKind kind, std::string_view privilege) {
  if (kind == ObjectKind::kSequence) {
    if (privilege == "SELECT") return {"SELECT ANY SEQUENCE"};
    if (privilege == "ALTER") return {"ALTER ANY SEQUENCE"};
    return {};
  }
  if (kind == ObjectKind::kCode) return {"EXECUTE ANY PROCEDURE", "EXECUTE ANY TYPE"};
  if (kind == ObjectKind::kDirectory) return {};
  if (privilege == "READ") return {"READ ANY TABLE", "SELECT ANY TABLE"};
  if (privilege == "SELECT") return {"SELECT ANY TABLE"};
  if (privilege == "INSERT") return {"INSERT ANY TABLE"};
  if (privilege == "UPDATE") return {"UPDATE ANY TABLE"};
  if (privilege == "DELETE") return {"DELETE ANY TABLE"};
  if (privilege == "FLASHBACK") return {"FLASHBACK ANY TABLE"};
  if (privilege == "ALTER") return {"ALTER ANY TABLE"};
  if (privilege == "INDEX") return {"CREATE ANY INDEX"};
  return {};
}

/// Any of these makes everybody's tables and views visible.
constexpr std::array kSeeingAll = {"SELECT ANY TABLE", "READ ANY TABLE",   "INSERT ANY TABLE",
                                   "UPDATE ANY TABLE", "DELETE ANY TABLE", "ALTER ANY TABLE",
                                   "DROP ANY TABLE",   "LOCK ANY TABLE",   "COMMENT ANY TABLE"};

}  // namespace

Access::Access(const Catalog& catalog, std::string_view user, bool with_roles)
    : user_(user), is_sys_(user == "SYS") {
  std::vector<std::string> open;
  const auto take = [&](const std::string& name) {
    const auto at = catalog.principals.find(name);
    if (at == catalog.principals.end()) return;
    add(*at->second);
    for (const NamedGrant& role : at->second->roles) open.push_back(role.name);
  };
  take(user_);
  take("PUBLIC");
  // Quotas are a user's own and need no role.
  if (user_ == "SYSTEM") open.emplace_back("DBA");
  while (with_roles && !open.empty()) {
    const std::string role = std::move(open.back());
    open.pop_back();
    if (!roles_.insert(role).second) continue;
    if (const auto* built_in = privileges::privileges_of_role(role))
      system_.insert(built_in->begin(), built_in->end());
    for (std::string& inner : privileges::roles_of_role(role)) open.push_back(std::move(inner));
    take(role);
  }
  // An administrator fills any tablespace: Oracle gives SYSTEM and DBA users the privilege itself.
  if (has_system("UNLIMITED TABLESPACE")) has_quota_ = true;
}

void Access::add(const PrincipalDef& principal) {
  for (const NamedGrant& grant : principal.system) system_.insert(grant.name);
  for (const ObjectGrant& grant : principal.objects)
    objects_[{grant.owner, grant.object}].push_back(&grant);
  if (!principal.quotas.empty()) has_quota_ = true;
}

bool Access::has_system(std::string_view privilege) const {
  return is_sys_ || system_.contains(std::string(privilege));
}

bool Access::reads_dictionary() const {
  return has_system("SELECT ANY DICTIONARY") || roles_.contains("SELECT_CATALOG_ROLE");
}

bool Access::granted(const std::string& owner, const std::string& object,
                     std::string_view privilege) const {
  const auto at = objects_.find({owner, object});
  if (at == objects_.end()) return false;
  return std::any_of(at->second.begin(), at->second.end(), [&](const ObjectGrant* g) {
    if (!g->column.empty()) return false;
    return g->privilege == privilege || (privilege == "READ" && g->privilege == "SELECT");
  });
}

bool Access::may(ObjectKind kind, const std::string& owner, const std::string& object,
                 std::string_view privilege) const {
  if (is_sys_ || owner == user_ || granted(owner, object, privilege)) return true;
  if (owner == "SYS") return false;
  const auto any = any_privileges(kind, privilege);
  return std::any_of(any.begin(), any.end(), [&](auto name) { return has_system(name); });
}

bool Access::may_columns(const std::string& owner, const std::string& object,
                         std::string_view privilege,
                         const std::vector<std::string>& columns) const {
  if (may(ObjectKind::kTable, owner, object, privilege)) return true;
  const auto at = objects_.find({owner, object});
  if (at == objects_.end() || columns.empty()) return false;
  return std::all_of(columns.begin(), columns.end(), [&](const std::string& column) {
    return std::any_of(at->second.begin(), at->second.end(), [&](const ObjectGrant* g) {
      return g->privilege == privilege && g->column == column;
    });
  });
}

bool Access::sees(const std::string& owner, const std::string& object) const {
  if (is_sys_ || owner == user_ || owner == "PUBLIC" || objects_.contains({owner, object}))
    return true;
  if (owner == "SYS") return reads_dictionary();
  return std::any_of(kSeeingAll.begin(), kSeeingAll.end(),
                     [&](const char* name) { return has_system(name); });
}

bool Access::may_grant(const std::string& owner, const std::string& object,
                       std::string_view privilege) const {
  if (is_sys_ || owner == user_) return true;
  const auto at = objects_.find({owner, object});
  if (at == objects_.end()) return false;
  return std::any_of(at->second.begin(), at->second.end(), [&](const ObjectGrant* g) {
    return g->grantable && g->column.empty() && g->privilege == privilege;
  });
}

namespace privileges {

PrincipalDef& edit(Catalog& catalog, const std::string& name) {
  auto& slot = catalog.principals[name];
  auto copy = slot ? std::make_shared<PrincipalDef>(*slot) : std::make_shared<PrincipalDef>();
  copy->name = name;
  slot = copy;
  return *copy;
}

void grant_object(Catalog& catalog, const std::string& grantee, const ObjectGrant& grant) {
  PrincipalDef& p = edit(catalog, grantee);
  for (ObjectGrant& old : p.objects) {
    const bool same = old.owner == grant.owner && old.object == grant.object &&
                      old.privilege == grant.privilege && old.column == grant.column &&
                      old.grantor == grant.grantor;
    if (!same) continue;
    old.grantable = old.grantable || grant.grantable;
    return;
  }
  p.objects.push_back(grant);
}

bool revoke_object(Catalog& catalog, const std::string& grantee, const ObjectGrant& grant) {
  const auto at = catalog.principals.find(grantee);
  if (at == catalog.principals.end()) return false;
  PrincipalDef& p = edit(catalog, grantee);
  const auto removed = std::erase_if(p.objects, [&](const ObjectGrant& g) {
    return g.owner == grant.owner && g.object == grant.object && g.privilege == grant.privilege &&
           g.grantor == grant.grantor;
  });
  if (removed == 0) return false;
  const bool passes_on = std::any_of(p.objects.begin(), p.objects.end(), [&](const auto& g) {
    return g.owner == grant.owner && g.object == grant.object && g.privilege == grant.privilege &&
           g.grantable;
  });
  if (passes_on) return true;
  // What the grantee had passed on goes with it.
  std::vector<std::string> names;
  for (const auto& [name, principal] : catalog.principals) names.push_back(name);
  ObjectGrant passed = grant;
  passed.grantor = grantee;
  for (const std::string& name : names) {
    const auto& objects = catalog.principals.at(name)->objects;
    const bool holds = std::any_of(objects.begin(), objects.end(),
                                   [&](const auto& g) { return g.grantor == grantee; });
    if (holds) revoke_object(catalog, name, passed);
  }
  return true;
}

namespace {

void add_named(std::vector<NamedGrant>& list, const NamedGrant& grant) {
  for (NamedGrant& old : list) {
    if (old.name != grant.name) continue;
    old.with_admin = old.with_admin || grant.with_admin;
    return;
  }
  list.push_back(grant);
}

bool remove_named(std::vector<NamedGrant>& list, const std::string& name) {
  return std::erase_if(list, [&](const NamedGrant& g) { return g.name == name; }) != 0;
}

}  // namespace

void grant_system(Catalog& catalog, const std::string& grantee, const NamedGrant& grant) {
  add_named(edit(catalog, grantee).system, grant);
}

bool revoke_system(Catalog& catalog, const std::string& grantee, const std::string& privilege) {
  return remove_named(edit(catalog, grantee).system, privilege);
}

void grant_role(Catalog& catalog, const std::string& grantee, const NamedGrant& grant) {
  add_named(edit(catalog, grantee).roles, grant);
}

bool revoke_role(Catalog& catalog, const std::string& grantee, const std::string& role) {
  return remove_named(edit(catalog, grantee).roles, role);
}

bool is_role(const Catalog& catalog, const std::string& name) {
  if (privileges_of_role(name) != nullptr) return true;
  const auto at = catalog.principals.find(name);
  return at != catalog.principals.end() && at->second->is_role;
}

void create_role(Catalog& catalog, const std::string& name) {
  if (is_role(catalog, name) || catalog.users.contains(name)) {
    throw OraError(1921, "role name '" + name + "' conflicts with another user or role name");
  }
  edit(catalog, name).is_role = true;
}

void drop_role(Catalog& catalog, const std::string& name) {
  if (!is_role(catalog, name)) throw OraError(1919, "role '" + name + "' does not exist");
  catalog.principals.erase(name);
  std::vector<std::string> holders;
  for (const auto& [holder, principal] : catalog.principals) holders.push_back(holder);
  for (const std::string& holder : holders) {
    if (std::any_of(catalog.principals[holder]->roles.begin(),
                    catalog.principals[holder]->roles.end(),
                    [&](const NamedGrant& g) { return g.name == name; }))
      revoke_role(catalog, holder, name);
  }
}

namespace {

/// Changes the object grants of all that hold one which `concerns` says yes to.
template <class Concerns, class Change>
void change_grants(Catalog& catalog, Concerns concerns, Change change) {
  std::vector<std::string> holders;
  for (const auto& [name, principal] : catalog.principals) {
    if (std::any_of(principal->objects.begin(), principal->objects.end(), concerns))
      holders.push_back(name);
  }
  for (const std::string& name : holders) change(edit(catalog, name).objects);
}

}  // namespace

void forget_object(Catalog& catalog, const std::string& owner, const std::string& object) {
  const auto concerns = [&](const ObjectGrant& g) {
    return g.owner == owner && g.object == object;
  };
  change_grants(catalog, concerns, [&](auto& objects) { std::erase_if(objects, concerns); });
}

void rename_object(Catalog& catalog, const std::string& owner, const std::string& from,
                   const std::string& to) {
  const auto concerns = [&](const ObjectGrant& g) { return g.owner == owner && g.object == from; };
  change_grants(catalog, concerns, [&](auto& objects) {
    for (ObjectGrant& g : objects) {
      if (concerns(g)) g.object = to;
    }
  });
}

void forget_user(Catalog& catalog, const std::string& name) {
  catalog.principals.erase(name);
  const auto concerns = [&](const ObjectGrant& g) { return g.owner == name || g.grantor == name; };
  change_grants(catalog, concerns, [&](auto& objects) { std::erase_if(objects, concerns); });
}

}  // namespace privileges
}  // namespace orasim
