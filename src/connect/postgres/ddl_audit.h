// Rows of awsdms_ddl_audit, which event triggers write: what was done, and, where the trigger is
// Wherry's (source_artefacts.cpp), what the table was after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/catalog_table.h"
#include "connect/postgres/wire/pgoutput.h"

namespace wherry::postgres {

struct DdlRecord {
  std::string_view tag;        ///< "ALTER TABLE"
  std::string_view statement;  ///< lies in the fields
  schema::TableRef table;
  std::uint32_t oid = 0;
  /// What the table was after the statement, without its keys; nullopt: it is not told.
  std::optional<CatalogTable> definition;
};

/// nullopt: the row has another number of fields than its table has columns.
std::optional<DdlRecord> read_ddl_record(const connect::RowShape& audit,
                                         const std::vector<wire::Field>& fields);

}  // namespace wherry::postgres
