// How a table of Oracle's is cut into chunks: by ranges of row addresses over its extents, by
// partitions, or as the user's parallel-load rule says. Pure, so that it is tested without a
// server; chunk_planner.h reads what it needs from the dictionary.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/connector.h"

namespace wherry::oracle {

/// What a chunk's `predicate` says, piece by piece.
struct ChunkText {
  /// After the table's name: `partition ("P1")`, `subpartition ("S1")`; several of them one after
  /// the other, separated by kNextPartition, are read together.
  std::string partition = {};
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

/// A block as the first 15 characters of the ROWIDs in it say.
struct BlockAddress {
  std::uint32_t data_object = 0;
  std::uint32_t file = 0;
  std::uint64_t block = 0;
  friend auto operator<=>(const BlockAddress&, const BlockAddress&) = default;
};
/// nullopt for what is none.
std::optional<BlockAddress> block_of_rowid(std::string_view rowid);

/// How much of a table is looked at to learn where its blocks are, from round to round: so many
/// percent that about `kBlocksPerChunk` blocks a chunk are found, whatever is known of its size.
class BlockSampling {
 public:
  static constexpr std::uint64_t kBlocksPerChunk = 8;
  static constexpr std::uint64_t kAssumedBlockBytes = 8192;
  /// `known_bytes`: 0: nobody knows.
  BlockSampling(const connect::ChunkHints& hints, std::uint64_t known_bytes);

  [[nodiscard]] double percent() const { return percent_; }
  /// A round has found so many blocks. True: it is enough; else there is a new percent().
  bool is_enough(std::uint64_t found);
  /// What each block that was found in the last round stands for.
  [[nodiscard]] std::uint64_t bytes_per_block() const;

 private:
  void aim_at(double blocks);
  [[nodiscard]] double wanted(double blocks) const;

  const connect::ChunkHints hints_;
  double percent_ = 0;
  int rounds_ = 0;
};

/// Every leaf whole or in ranges of about the same size that leave no address out.
std::vector<connect::Chunk> cut_leaves(const std::vector<Leaf>& leaves,
                                       const connect::ChunkHints& hints,
                                       std::uint64_t estimated_rows);
/// One chunk for each range of the rule (AWS DMS User Guide, "Table and collection settings rules":
/// boundaries are exclusive upper bounds in lexicographic order), and one more for rows that a NULL
/// keeps out of every range, which DMS loses, where a column `may_be_null`.
std::vector<connect::Chunk> cut_ranges(const schema::ParallelLoad& rule, bool may_be_null);

inline constexpr char kNextPartition =
    '\x1e';  // record separator: in no name that anybody has given

/// `partition ("P")`.
std::string partition_clause(const char* kind, const std::string& name);

}  // namespace wherry::oracle
