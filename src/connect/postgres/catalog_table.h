// What the catalogue says about one table, with the numbers that the log leaves out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/log_types.h"
#include "connect/postgres/wire/pgoutput.h"

namespace wherry::postgres {

struct CatalogColumn {
  std::string name;
  std::uint32_t number = 0;  ///< pg_attribute.attnum
  TypeKey type;
  bool is_dropped = false;  ///< its place stays; name and type are gone
  bool is_not_null = false;
  bool is_identity = false;
  bool is_generated = false;
  bool is_in_key = false;    ///< of the replica identity
  connect::ColumnFill fill;  ///< what a row that has not changed since has in it

  [[nodiscard]] bool is_in_log() const { return !is_dropped && !is_generated; }
};

struct CatalogTable {
  schema::TableRef table;
  char identity = 'd';  ///< pg_class.relreplident
  bool is_partition = false;
  bool is_partitioned = false;
  std::vector<CatalogColumn> columns;  ///< by number
  std::vector<schema::KeyDef> keys;

  /// nullptr: there is none of that number, or it was dropped.
  [[nodiscard]] const CatalogColumn* find(std::uint32_t number) const;
  [[nodiscard]] const CatalogColumn* find(std::string_view name) const;
};

/// Without columns: there is no such table any more. May be newer than the log.
Result<CatalogTable> read_catalog_table(OpContext& context, Connection& catalog, std::uint32_t oid);

/// The keys of `now`, under the names that columns had `then`; those whose columns it did not have
/// are left out.
std::vector<schema::KeyDef> keys_as_then(const CatalogTable& now, const CatalogTable& then);

/// The relation message that the server would send of it. Its names lie in `table`.
wire::Message relation_of(const CatalogTable& table, std::uint32_t oid);

}  // namespace wherry::postgres
