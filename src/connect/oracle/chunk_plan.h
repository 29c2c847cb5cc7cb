// How a table of Oracle's is cut into chunks: by ranges of row addresses over its extents, by
// partitions, or as the user's parallel-load rule says. Pure, so that it is tested without a
// server; chunk_planner.h reads what it needs from the dictionary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connect/api/connector.h"

namespace wherry::oracle {

/// What a chunk's `predicate` says, piece by piece.
struct ChunkText {
  std::string partition =
      {};  ///< after the table's name: `partition ("P1")`, `subpartition ("S1")`
  std::string from = {}, to = {};  ///< ROWIDs; from is included, to is not; empty: open
  std::string condition = {};      ///< SQL

  [[nodiscard]] std::string encode() const;
  /// An empty text is the whole table. kConfig "oracle.bad_chunk" for what encode() never made.
  static Result<ChunkText> decode(const std::string& text);
};

/// Consecutive blocks of one data file (DBA_EXTENTS).
struct Extent {
  std::uint32_t file = 0;  ///< RELATIVE_FNO
  std::uint64_t block = 0;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
};

/// A table, partition or subpartition with a segment of its own.
struct Leaf {
  std::string partition = {};                               ///< as in ChunkText
  std::optional<std::uint32_t> data_object = std::nullopt;  ///< unknown: not cut any further
  std::vector<Extent> extents = {};                         ///< in the order of addresses
  [[nodiscard]] std::uint64_t bytes() const;
};

/// The address of the first row that a block can have. In a bigfile tablespace RELATIVE_FNO is 1024
/// and the block number takes its bits (Oracle Database Concepts, "Rowid data types").
std::string rowid_of_block(std::uint32_t data_object, std::uint32_t file, std::uint64_t block);

/// Every leaf whole or in ranges of about the same size that leave no address out.
std::vector<connect::Chunk> cut_leaves(const std::vector<Leaf>& leaves,
                                       const connect::ChunkHints& hints,
                                       std::uint64_t estimated_rows);
/// One chunk for each range of the rule (AWS DMS User Guide, "Table and collection settings rules":
/// boundaries are exclusive upper bounds in lexicographic order; a NULL lies in no range).
std::vector<connect::Chunk> cut_ranges(const schema::ParallelLoad& rule);

/// `partition ("P")`.
std::string partition_clause(const char* kind, const std::string& name);

}  // namespace wherry::oracle
