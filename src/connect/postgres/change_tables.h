// The tables of a task as the source has them, with what their changes need: one query for all.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

struct SourceTable {
  schema::TableRef table;
  std::uint32_t oid = 0;   ///< 0: there is none of that name
  char kind = 'r';         ///< pg_class.relkind
  char persistence = 'p';  ///< u: unlogged, t: temporary
  char identity = 'd';     ///< pg_class.relreplident
  bool has_identity = false;
  bool may_select = false;
  bool is_owned = false;                   ///< by the user or a role of theirs
  std::set<std::string> identity_columns;  ///< of the key or index that identifies rows in the log
  std::set<std::string> large_columns;  ///< whose values an update that leaves them may not bring
  std::string key_index;                ///< a unique index that could be its identity
  std::string leaves;     ///< of a partitioned table: those without an identity, quoted
  std::string generated;  ///< columns, for people
  std::string root;       ///< of a partition: the table whose rows it has
  std::string root_schema;
};

/// In the order of `tables`.
Result<std::vector<SourceTable>> find_source_tables(OpContext& context, Connection& connection,
                                                    std::span<const schema::TableRef> tables);
std::vector<schema::TableRef> sources_of(const std::vector<schema::TablePlanPtr>& plans);

/// What keeps the changes of a table from being had, and how it is mended; what a user should know.
/// `plan`: what is to be done with it. `is_publisher`: Wherry makes the publication, which needs
/// the table's owner.
connect::StreamAdvice::Table advise_on(const SourceTable& table, const schema::TablePlan& plan,
                                       std::span<const schema::TableRef> all, int server_version,
                                       bool is_publisher);

}  // namespace wherry::postgres
