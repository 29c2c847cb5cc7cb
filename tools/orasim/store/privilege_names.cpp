// The privileges and roles there are. Facts: Oracle Database SQL Language Reference 19c, GRANT,
// tables "System Privileges" and "Object Privileges"; Security Guide, "Predefined Roles".
#include <algorithm>

#include "store/privileges.h"
#include "store/store.h"

namespace orasim::privileges {
namespace {

/// `ANY` families: one word a right, one a kind of object.
struct AnyFamily {
  const char* object;
  std::vector<const char*> rights;
};

const std::vector<AnyFamily>& any_families() {
  static const std::vector<AnyFamily> list = {
      {"TABLE",
       {"CREATE", "ALTER", "DROP", "SELECT", "READ", "INSERT", "UPDATE", "DELETE", "LOCK",
        "COMMENT", "BACKUP", "FLASHBACK", "UNDER"}},
      {"VIEW", {"CREATE", "DROP", "UNDER", "MERGE"}},
      {"INDEX", {"CREATE", "ALTER", "DROP"}},
      {"SEQUENCE", {"CREATE", "ALTER", "DROP", "SELECT"}},
      {"SYNONYM", {"CREATE", "DROP"}},
      {"PROCEDURE", {"CREATE", "ALTER", "DROP", "EXECUTE", "DEBUG"}},
      {"TRIGGER", {"CREATE", "ALTER", "DROP"}},
      {"TYPE", {"CREATE", "ALTER", "DROP", "EXECUTE", "UNDER"}},
      {"MATERIALIZED VIEW", {"CREATE", "ALTER", "DROP"}},
      {"DIRECTORY", {"CREATE", "DROP"}},
      {"CLUSTER", {"CREATE", "ALTER", "DROP"}},
      {"CONTEXT", {"CREATE", "DROP"}},
      {"DIMENSION", {"CREATE", "ALTER", "DROP"}},
      {"LIBRARY", {"CREATE", "ALTER", "DROP", "EXECUTE"}},
      {"INDEXTYPE", {"CREATE", "ALTER", "DROP", "EXECUTE"}},
      {"OPERATOR", {"CREATE", "ALTER", "DROP", "EXECUTE"}},
      {"EDITION", {"CREATE", "ALTER", "DROP"}},
      {"JOB", {"CREATE"}},
      {"ROLE", {"ALTER", "DROP", "GRANT"}},
      {"OBJECT PRIVILEGE", {"GRANT"}},
      {"PRIVILEGE", {"GRANT"}},
      {"DICTIONARY", {"SELECT", "ANALYZE"}},
      {"TRANSACTION", {"SELECT", "FORCE"}},
  };
  return list;
}

std::vector<std::string> all_system_privileges() {
  std::vector<std::string> list = {"CREATE SESSION",
                                   "ALTER SESSION",
                                   "RESTRICTED SESSION",
                                   "SET CONTAINER",
                                   "CREATE TABLE",
                                   "CREATE VIEW",
                                   "CREATE MATERIALIZED VIEW",
                                   "CREATE SEQUENCE",
                                   "CREATE SYNONYM",
                                   "CREATE PUBLIC SYNONYM",
                                   "DROP PUBLIC SYNONYM",
                                   "CREATE PROCEDURE",
                                   "CREATE TRIGGER",
                                   "CREATE TYPE",
                                   "CREATE CLUSTER",
                                   "CREATE DIMENSION",
                                   "CREATE INDEXTYPE",
                                   "CREATE OPERATOR",
                                   "CREATE LIBRARY",
                                   "CREATE JOB",
                                   "CREATE EXTERNAL JOB",
                                   "CREATE DATABASE LINK",
                                   "CREATE PUBLIC DATABASE LINK",
                                   "DROP PUBLIC DATABASE LINK",
                                   "CREATE ROLE",
                                   "CREATE USER",
                                   "ALTER USER",
                                   "DROP USER",
                                   "BECOME USER",
                                   "CREATE PROFILE",
                                   "ALTER PROFILE",
                                   "DROP PROFILE",
                                   "CREATE TABLESPACE",
                                   "ALTER TABLESPACE",
                                   "DROP TABLESPACE",
                                   "MANAGE TABLESPACE",
                                   "UNLIMITED TABLESPACE",
                                   "CREATE ROLLBACK SEGMENT",
                                   "ALTER ROLLBACK SEGMENT",
                                   "DROP ROLLBACK SEGMENT",
                                   "ALTER DATABASE",
                                   "ALTER SYSTEM",
                                   "AUDIT SYSTEM",
                                   "AUDIT ANY",
                                   "ANALYZE ANY",
                                   "FORCE TRANSACTION",
                                   "QUERY REWRITE",
                                   "GLOBAL QUERY REWRITE",
                                   "ON COMMIT REFRESH",
                                   "RESUMABLE",
                                   "DEBUG CONNECT SESSION",
                                   "ADMINISTER DATABASE TRIGGER",
                                   "EXEMPT ACCESS POLICY",
                                   "EXEMPT REDACTION POLICY",
                                   "FLASHBACK ARCHIVE ADMINISTER",
                                   "CHANGE NOTIFICATION",
                                   "INHERIT ANY PRIVILEGES",
                                   "LOGMINING",
                                   "CREATE PLUGGABLE DATABASE",
                                   "SYSDBA",
                                   "SYSOPER",
                                   "SYSBACKUP",
                                   "SYSDG",
                                   "SYSKM"};
  for (const AnyFamily& family : any_families()) {
    for (const char* right : family.rights)
      list.push_back(std::string(right) + " ANY " + family.object);
  }
  std::sort(list.begin(), list.end());
  return list;
}

/// DBA has them all, but for those of the special administrators.
std::vector<std::string> dba_privileges() {
  std::vector<std::string> list = system_privileges();
  std::erase_if(list, [](const std::string& name) {
    return name.starts_with("SYS") || name.starts_with("EXEMPT ") ||
           name == "INHERIT ANY PRIVILEGES";
  });
  return list;
}

struct Role {
  std::string name;
  std::vector<std::string> privileges;
  std::vector<std::string> roles;
};

const std::vector<Role>& roles() {
  static const std::vector<Role> list = {
      {"CONNECT", {"CREATE SESSION", "SET CONTAINER"}, {}},
      {"RESOURCE",
       {"CREATE CLUSTER", "CREATE INDEXTYPE", "CREATE OPERATOR", "CREATE PROCEDURE",
        "CREATE SEQUENCE", "CREATE TABLE", "CREATE TRIGGER", "CREATE TYPE"},
       {}},
      {"DBA",
       dba_privileges(),
       {"SELECT_CATALOG_ROLE", "EXECUTE_CATALOG_ROLE", "EXP_FULL_DATABASE", "IMP_FULL_DATABASE"}},
      {"SELECT_CATALOG_ROLE", {}, {}},
      {"EXECUTE_CATALOG_ROLE", {}, {}},
      {"EXP_FULL_DATABASE",
       {"BACKUP ANY TABLE", "CREATE SESSION", "CREATE TABLE", "EXECUTE ANY PROCEDURE",
        "EXECUTE ANY TYPE", "FLASHBACK ANY TABLE", "READ ANY TABLE", "RESUMABLE",
        "SELECT ANY SEQUENCE", "SELECT ANY TABLE"},
       {"SELECT_CATALOG_ROLE", "EXECUTE_CATALOG_ROLE"}},
      {"IMP_FULL_DATABASE",
       {"ALTER ANY TABLE", "COMMENT ANY TABLE", "CREATE ANY INDEX", "CREATE ANY PROCEDURE",
        "CREATE ANY SEQUENCE", "CREATE ANY SYNONYM", "CREATE ANY TABLE", "CREATE ANY TRIGGER",
        "CREATE ANY VIEW", "CREATE USER", "DELETE ANY TABLE", "DROP ANY TABLE", "INSERT ANY TABLE",
        "SELECT ANY TABLE", "UPDATE ANY TABLE"},
       {"SELECT_CATALOG_ROLE", "EXECUTE_CATALOG_ROLE"}},
  };
  return list;
}

const Role* find_role(std::string_view name) {
  const auto at =
      std::find_if(roles().begin(), roles().end(), [&](const Role& r) { return r.name == name; });
  return at == roles().end() ? nullptr : &*at;
}

const std::vector<std::string> kTablePrivileges = {
    "ALTER",         "DELETE",     "INDEX", "INSERT", "SELECT",
    "UPDATE",        "REFERENCES", "READ",  "DEBUG",  "ON COMMIT REFRESH",
    "QUERY REWRITE", "FLASHBACK"};
const std::vector<std::string> kViewPrivileges = {
    "DELETE",        "INSERT",    "SELECT",     "UPDATE",
    "REFERENCES",    "READ",      "DEBUG",      "ON COMMIT REFRESH",
    "QUERY REWRITE", "FLASHBACK", "MERGE VIEW", "UNDER"};
const std::vector<std::string> kSequencePrivileges = {"ALTER", "SELECT"};
const std::vector<std::string> kCodePrivileges = {"EXECUTE", "DEBUG", "UNDER"};
const std::vector<std::string> kDirectoryPrivileges = {"READ", "WRITE", "EXECUTE"};

}  // namespace

const std::vector<std::string>& system_privileges() {
  static const std::vector<std::string> list = all_system_privileges();
  return list;
}

bool is_system_privilege(std::string_view name) {
  return std::binary_search(system_privileges().begin(), system_privileges().end(), name);
}

const std::vector<std::string>& object_privileges(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kTable:
      return kTablePrivileges;
    case ObjectKind::kView:
      return kViewPrivileges;
    case ObjectKind::kSequence:
      return kSequencePrivileges;
    case ObjectKind::kCode:
      return kCodePrivileges;
    case ObjectKind::kDirectory:
      return kDirectoryPrivileges;
  }
  return kTablePrivileges;
}

bool is_object_privilege(std::string_view name) {
  for (const ObjectKind kind :
       {ObjectKind::kTable, ObjectKind::kView, ObjectKind::kCode, ObjectKind::kDirectory}) {
    const auto& list = object_privileges(kind);
    if (std::find(list.begin(), list.end(), name) != list.end()) return true;
  }
  return false;
}

const std::vector<std::string>& predefined_roles() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Role& role : roles()) list.push_back(role.name);
    return list;
  }();
  return names;
}

const std::vector<std::string>* privileges_of_role(std::string_view name) {
  const Role* role = find_role(name);
  return role == nullptr ? nullptr : &role->privileges;
}

std::vector<std::string> roles_of_role(std::string_view name) {
  const Role* role = find_role(name);
  return role == nullptr ? std::vector<std::string>() : role->roles;
}

}  // namespace orasim::privileges
