// The names that a plan gives on the target: those that are too long, what they would be cut to,
// and keys whose names are taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "engine/planner.h"
#include "schema/table_plan.h"

namespace wherry::engine {

/// What a server makes of a name of more bytes than it takes: what fits, in whole characters.
std::string cut_name(std::string_view name, std::size_t max_bytes);

/// The name PostgreSQL would give a table's key: "t_pkey", "t_pkey1", within `max_bytes`.
std::string key_name_for(std::string_view table, bool is_primary, int number,
                         std::size_t max_bytes);

/// Something of the target that has a name which does not fit.
struct LongName {
  enum class Kind : std::uint8_t { kSchema, kTable, kColumn, kKey };
  Kind kind = Kind::kTable;
  std::string source;  ///< as people know it: "SHOP", "SHOP.ORDERS", "NAME"
  std::string name;    ///< on the target
};

/// A table that cannot be moved, because of its names.
struct MisnamedTable {
  schema::TablePlan plan;
  std::vector<LongName> names;
};

/// Why each of `misnamed` is refused, all of its names at once: kSchema "plan.bad_name", or
/// "plan.cut_names_collide" where a name would be cut to that of something else of the plan.
/// `fitting`: the plans of all other tables.
std::vector<RefusedTable> refuse_misnamed(const std::vector<MisnamedTable>& misnamed,
                                          const std::vector<schema::TablePlanPtr>& fitting,
                                          std::size_t max_bytes);

/// The keys' names, which are names of the schema as those of tables are: what no rule has named
/// gets another name where it is taken, with a note. kSchema "plan.key_name_taken" for each of
/// those that rules have named alike or after a table. `plans` are changed in place.
struct NamedKey {
  schema::TablePlanPtr* plan = nullptr;
  bool is_named_by_rule = false;
};
std::vector<RefusedTable> settle_key_names(const std::vector<NamedKey>& plans,
                                           std::size_t max_bytes);

}  // namespace wherry::engine
