// From rows of Oracle's dictionary views to TableDefs; pure, so that it is tested without a server.
#pragma once

#include <vector>

#include "connect/oracle/client.h"
#include "core/result.h"
#include "schema/table_def.h"

namespace wherry::oracle {

/// SELECT texts, each with `{owners}` where the owner predicate goes. Column orders are what
/// assemble_tables() expects. Views: ALL_TABLES, ALL_VIEWS, ALL_TAB_COLS, ALL_CONSTRAINTS,
/// ALL_CONS_COLUMNS (Oracle Database Reference); they show what the user may read and need no grant
/// of their own.
extern const char* const kTablesSql;   ///< owner, table, rows, average row length, blocks
extern const char* const kViewsSql;    ///< the same of views
extern const char* const kColumnsSql;  ///< see catalog_rows.cpp
extern const char* const kKeysSql;     ///< owner, table, constraint, type, column
/// owner, table, bytes of all its segments; for accounts that may read DBA_SEGMENTS, whose numbers
/// are true where statistics are old.
extern const char* const kSizesSql;
// Owner, table, constraint (NULL: of the table), tablespace; of a partitioned table that of new
// partitions.
extern const char* const kTablespacesSql;
extern const char* const kPartitionTablespacesSql;
extern const char* const kKeyTablespacesSql;

/// Rows must be sorted as the statements sort them: by owner, table, then column position.
/// A number that does not parse is kInternal "oracle.dictionary_row".
Result<std::vector<schema::TableDef>> assemble_tables(const std::vector<TextRow>& tables,
                                                      const std::vector<TextRow>& columns,
                                                      const std::vector<TextRow>& keys);
/// Replaces estimates by the sizes of segments.
Result<void> set_sizes(std::vector<schema::TableDef>& tables, const std::vector<TextRow>& sizes);
/// From rows of the statements for tablespaces.
void set_tablespaces(std::vector<schema::TableDef>& tables, const std::vector<TextRow>& rows);

}  // namespace wherry::oracle
