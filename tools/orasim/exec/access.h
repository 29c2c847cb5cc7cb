// Rights, checked where a statement names an object. An object on which the user has no right at
// all does not exist for it (ORA-00942, 02289); one it sees but may not use so gives ORA-01031.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace orasim {

struct CodeDef;

/// Rights as of a catalog, which they keep alive.
std::shared_ptr<const Access> access_of(std::shared_ptr<const Catalog> catalog,
                                        std::string_view user, bool with_roles = true);
/// Rights that count inside a view: those of its owner, without roles. In one's own views they are
/// the session's, roles included (Oracle refuses to create a view that would need those).
std::shared_ptr<const Access> access_in(const CodeDef& view,
                                        const std::shared_ptr<const Catalog>& catalog,
                                        const std::shared_ptr<const Access>& caller);

/// Throws when `access` lacks the privilege on the table or view.
void require(const Access& access, ObjectKind kind, const std::string& owner,
             const std::string& name, std::string_view privilege, int pos);
/// The same where a grant on each of the columns will do; no columns: all of the table.
void require_columns(const Access& access, const std::string& owner, const std::string& name,
                     std::string_view privilege, const std::vector<std::string>& columns, int pos);
/// ORA-01950 when the owner of a table may not fill its tablespace.
void require_quota(const std::shared_ptr<const Catalog>& catalog, const TableDef& table);

}  // namespace orasim
