#include "exec/access.h"

#include <algorithm>
#include <array>

#include "exec/errors.h"

namespace orasim {

std::shared_ptr<const Access> access_of(std::shared_ptr<const Catalog> catalog,
                                        std::string_view user, bool with_roles) {
  struct Held {
    std::shared_ptr<const Catalog> catalog;
    Access access;
  };
  auto held = std::make_shared<const Held>(Held{catalog, Access(*catalog, user, with_roles)});
  return {held, &held->access};
}

std::shared_ptr<const Access> access_in(const CodeDef& view,
                                        const std::shared_ptr<const Catalog>& catalog,
                                        const std::shared_ptr<const Access>& caller) {
  return view.owner == caller->user() ? caller : access_of(catalog, view.owner, false);
}

void require(const Access& access, ObjectKind kind, const std::string& owner,
             const std::string& name, std::string_view privilege, int pos) {
  if (access.may(kind, owner, name, privilege)) return;
  if (access.sees(owner, name)) raise(1031, pos);
  raise(kind == ObjectKind::kSequence ? 2289 : 942, pos);
}

void require_columns(const Access& access, const std::string& owner, const std::string& name,
                     std::string_view privilege, const std::vector<std::string>& columns, int pos) {
  if (access.may_columns(owner, name, privilege, columns)) return;
  raise(access.sees(owner, name) ? 1031 : 942, pos);
}

void require_quota(const std::shared_ptr<const Catalog>& catalog, const TableDef& table) {
  if (table.temporary || !catalog->users.contains(table.owner)) return;
  if (!Access(*catalog, table.owner).has_quota())
    raise_text(1950, "no privileges on tablespace 'USERS'");
}

}  // namespace orasim
