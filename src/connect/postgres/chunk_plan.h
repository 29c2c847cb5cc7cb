// How a table of PostgreSQL's is cut into chunks: by ranges of row addresses, by partitions, or as
// the user's parallel-load rule says. All but plan_chunks() is pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// What a chunk's `predicate` says.
struct ChunkText {
  std::string table = {};      ///< quoted: a partition; empty: the table itself
  std::string condition = {};  ///< SQL

  [[nodiscard]] std::string encode() const;
  static ChunkText decode(const std::string& text);
};

/// A table or partition with rows of its own.
struct Leaf {
  std::string table = {};       ///< as in ChunkText
  std::int64_t blocks = 0;      ///< in which rows have their addresses
  std::int64_t size_bytes = 0;  ///< with what is stored out of line
};

/// Every leaf whole or, where `has_ranges`, in ranges of about the same size that leave no address
/// out. One chunk where that is enough.
std::vector<connect::Chunk> cut_leaves(const std::vector<Leaf>& leaves,
                                       const connect::ChunkHints& hints, bool has_ranges);
/// One chunk for each range of the rule (AWS DMS User Guide, "Table and collection settings rules":
/// boundaries are exclusive upper bounds in lexicographic order), and one more for rows that a NULL
/// keeps out of every range, which DMS loses, where a column `may_be_null`. kSchema for a column
/// whose name cannot be.
Result<std::vector<connect::Chunk>> cut_ranges(const schema::ParallelLoad& rule, bool may_be_null);

/// Reads sizes and partitions over `session`. The chunks cover the table once; with a
/// "partitions-list" rule what it lists.
Result<std::vector<connect::Chunk>> plan_chunks(OpContext& context, Connection& session,
                                                const schema::TableDef& table,
                                                const connect::ChunkHints& hints);

}  // namespace wherry::postgres
