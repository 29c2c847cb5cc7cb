// What the server's catalogue says about tables, for the connector's own use: the target's real
// column types decide how values are encoded and decoded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/postgres/connection.h"
#include "connect/postgres/native_type.h"
#include "schema/table_def.h"

namespace wherry::postgres {

struct NativeColumn {
  std::string name;
  std::uint32_t number = 0;  ///< pg_attribute.attnum
  std::string type_name;     ///< pg_type.typname of the base type
  NativeType type;
  bool is_not_null = false;  ///< by the column or by its domain
  bool has_default = false;  ///< of the column or of its domain; also identity
  bool is_generated = false;
  bool is_identity = false;
};

struct NativeTable {
  schema::TableRef table;
  char kind = 'r';  ///< pg_class.relkind: r table, p partitioned, v view, m materialized, f foreign
  /// A deferrable key is checked by triggers, which do not fire under session_replication_role =
  /// replica: such a table must be loaded as ever.
  bool has_deferrable_keys = false;
  std::uint64_t estimated_rows = 0;
  std::uint64_t estimated_bytes = 0;
  std::vector<NativeColumn> columns;

  [[nodiscard]] const NativeColumn* find(std::string_view name) const;
};

/// All tables and views of `schemas` (empty: all that are not the system's), in one query.
/// Partitions are left out unless asked for: their parent has their rows.
Result<std::vector<NativeTable>> describe_schemas(OpContext& context, Connection& connection,
                                                  const std::vector<std::string>& schemas,
                                                  bool with_partitions = false);
/// One table or view, a partition too; nullopt when there is none.
Result<std::optional<NativeTable>> describe_table(OpContext& context, Connection& connection,
                                                  const schema::TableRef& table);

struct NativeKey {
  schema::TableRef table;
  schema::KeyDef key;
};
/// Unique indexes over plain columns without a condition, the primary key of a table first; of
/// `schemas`, or of one table when `table` is not empty.
Result<std::vector<NativeKey>> describe_keys(OpContext& context, Connection& connection,
                                             const std::vector<std::string>& schemas,
                                             const std::string& table = {});

/// `{"a","b"}`: a text[] parameter.
std::string array_literal(const std::vector<std::string>& items);

}  // namespace wherry::postgres
