// Who may do what: grants as the catalog keeps them, and the sum of them for one user.
//
// Facts: Oracle Database Security Guide ("Configuring Privilege and Role Authorization") and SQL
// Language Reference (GRANT, REVOKE). Roles count for what a user does directly; a view or another
// stored object has its owner's direct grants only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orasim {

struct Catalog;

/// One privilege on one object.
struct ObjectGrant {
  std::string owner, object, privilege;
  std::string column;  ///< INSERT, UPDATE, REFERENCES on single columns; empty: the whole object
  std::string grantor;
  bool grantable = false;
};

/// A system privilege or role, and whether the holder may pass it on.
struct NamedGrant {
  std::string name;
  bool with_admin = false;
};

/// A user, a role or PUBLIC as a holder of grants.
struct PrincipalDef {
  std::string name;
  bool is_role = false;
  std::vector<ObjectGrant> objects;
  std::vector<NamedGrant> system, roles;
  std::vector<std::string> quotas;  ///< tablespaces the user may fill
};

/// What kind of object a privilege is wanted for: it decides which ANY privilege does as well.
enum class ObjectKind : std::uint8_t { kTable, kView, kSequence, kCode, kDirectory };

/// What one user may do, as of one catalog; the catalog must outlive it. Immutable.
class Access {
 public:
  /// `with_roles` false: as the owner of a view or of stored code.
  Access(const Catalog& catalog, std::string_view user, bool with_roles = true);

  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] bool has_system(std::string_view privilege) const;
  /// Roles in force, granted to roles included.
  [[nodiscard]] const std::set<std::string>& roles() const { return roles_; }
  [[nodiscard]] const std::set<std::string>& system() const { return system_; }
  /// `privilege` on the object: as its owner, by a grant, or by an ANY privilege.
  [[nodiscard]] bool may(ObjectKind kind, const std::string& owner, const std::string& object,
                         std::string_view privilege) const;
  /// The same for certain columns only.
  [[nodiscard]] bool may_columns(const std::string& owner, const std::string& object,
                                 std::string_view privilege,
                                 const std::vector<std::string>& columns) const;
  /// Any right at all: the object exists for the user.
  [[nodiscard]] bool sees(const std::string& owner, const std::string& object) const;
  /// SYS and whoever may read the whole dictionary.
  [[nodiscard]] bool reads_dictionary() const;
  /// May fill a tablespace: all there are hold the same here.
  [[nodiscard]] bool has_quota() const { return has_quota_; }
  /// May pass on an object privilege of somebody else's object.
  [[nodiscard]] bool may_grant(const std::string& owner, const std::string& object,
                               std::string_view privilege) const;

 private:
  using ObjectKey = std::pair<std::string, std::string>;
  void add(const PrincipalDef& principal);
  [[nodiscard]] bool granted(const std::string& owner, const std::string& object,
                             std::string_view privilege) const;

  std::string user_;
  bool is_sys_ = false;
  bool has_quota_ = false;
  std::set<std::string> roles_, system_;
  std::map<ObjectKey, std::vector<const ObjectGrant*>> objects_;
};

namespace privileges {

/// Names as GRANT takes them.
bool is_system_privilege(std::string_view name);
const std::vector<std::string>& system_privileges();
bool is_object_privilege(std::string_view name);
/// What ALL means for an object, and what may be granted on it at all.
const std::vector<std::string>& object_privileges(ObjectKind kind);
/// Roles every database has, and the system privileges of one; nullptr: no such role.
const std::vector<std::string>& predefined_roles();
const std::vector<std::string>* privileges_of_role(std::string_view role);
/// Roles that a predefined role includes.
std::vector<std::string> roles_of_role(std::string_view role);
bool is_role(const Catalog& catalog, const std::string& name);

// Catalog edits. The caller has checked who may make them.

/// A principal's own copy to change; made when it is not there yet.
PrincipalDef& edit(Catalog& catalog, const std::string& name);
void grant_object(Catalog& catalog, const std::string& grantee, const ObjectGrant& grant);
/// With all that the grantee passed on; false: there was no such grant.
bool revoke_object(Catalog& catalog, const std::string& grantee, const ObjectGrant& grant);
void grant_system(Catalog& catalog, const std::string& grantee, const NamedGrant& grant);
bool revoke_system(Catalog& catalog, const std::string& grantee, const std::string& privilege);
void grant_role(Catalog& catalog, const std::string& grantee, const NamedGrant& grant);
bool revoke_role(Catalog& catalog, const std::string& grantee, const std::string& role);
/// ORA-01921 when the name is taken, ORA-01919 when there is none.
void create_role(Catalog& catalog, const std::string& name);
void drop_role(Catalog& catalog, const std::string& name);
void forget_object(Catalog& catalog, const std::string& owner, const std::string& object);
void rename_object(Catalog& catalog, const std::string& owner, const std::string& from,
                   const std::string& to);
/// A user goes: with what was granted to it and by it.
void forget_user(Catalog& catalog, const std::string& name);

}  // namespace privileges
}  // namespace orasim
