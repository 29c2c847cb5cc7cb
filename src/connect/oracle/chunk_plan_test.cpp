#include "connect/oracle/chunk_plan.h"

#include <gtest/gtest.h>

namespace wherry::oracle {
namespace {

constexpr std::uint64_t kMb = 1024 * 1024;

TEST(ChunkText, IsReadAsItWasWritten) {
  EXPECT_EQ(ChunkText{}.encode(), "");
  const ChunkText text{"partition (\"P 1\")", "AAAR3sAAEAAAACXAAA", "", "\"A\" < 'x\ny'"};
  const auto again = ChunkText::decode(text.encode());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->partition, text.partition);
  EXPECT_EQ(again->from, text.from);
  EXPECT_EQ(again->to, "");
  EXPECT_EQ(again->condition, text.condition);
  EXPECT_EQ(ChunkText::decode("rowid > 5").error().code, "oracle.bad_chunk");
}

TEST(RowidOfBlock, CountsABigfilesBlocksOnIntoTheFilesBits) {
  // Oracle's own example (Concepts, "Rowid format"): AAAPecAAFAAAABSAAA is file 5, block 82.
  EXPECT_EQ(rowid_of_block(63388, 5, 82), "AAAPecAAFAAAABSAAA");
  EXPECT_EQ(rowid_of_block(63388, 1024, 82), "AAAPecAAAAAAABSAAA");
  EXPECT_EQ(rowid_of_block(63388, 1024, (1U << 22) + 82), "AAAPecAABAAAABSAAA");
}

/// Every chunk begins where the one before it ends, and both ends are open.
void expect_seamless(const std::vector<connect::Chunk>& chunks) {
  std::string last;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_EQ(chunks[i].index, i);
    const auto text = ChunkText::decode(chunks[i].predicate);
    ASSERT_TRUE(text.ok());
    EXPECT_EQ(text->from, last);
    EXPECT_EQ(text->to.empty(), i + 1 == chunks.size());
    last = text->to;
  }
}

TEST(CutLeaves, CoversEveryAddressInPiecesOfAboutOneSize) {
  Leaf leaf;
  leaf.data_object = 63388;
  // Small extents, then one that is larger than a chunk.
  for (std::uint64_t i = 0; i < 16; ++i) leaf.extents.push_back({4, 128 + i * 8, 8, 65536});
  leaf.extents.push_back({4, 1024, 128, kMb});
  leaf.extents.push_back({5, 128, 32768, 256 * kMb});
  connect::ChunkHints hints;
  hints.max_chunks = 1000;
  hints.chunk_bytes = 16 * kMb;
  const auto chunks = cut_leaves({leaf}, hints, 1'000'000);
  EXPECT_EQ(chunks.size(), 16U);
  expect_seamless(chunks);
  EXPECT_EQ(chunks[0].estimated_bytes, leaf.bytes() / 16);
  EXPECT_NEAR(static_cast<double>(chunks[0].estimated_rows), 62'500.0, 100.0);

  hints.max_chunks = 3;
  EXPECT_EQ(cut_leaves({leaf}, hints, 0).size(), 3U);
  hints.max_chunks = 1000;
  hints.chunk_bytes = 1024 * kMb;
  EXPECT_EQ(cut_leaves({leaf}, hints, 0).size(), 1U);
  hints.wanted_chunks = 32;
  EXPECT_EQ(cut_leaves({leaf}, hints, 0).size(), 32U);
  // Without the object's number there are no addresses.
  leaf.data_object.reset();
  EXPECT_EQ(cut_leaves({leaf}, hints, 0).size(), 1U);
}

TEST(CutLeaves, EveryPartitionHasAChunkOfItsOwn) {
  Leaf large{"partition (\"A\")", 7, {{1, 8, 8192, 64 * kMb}}};
  const Leaf empty{"partition (\"B\")", {}, {}};
  connect::ChunkHints hints;
  hints.max_chunks = 100;
  hints.chunk_bytes = 16 * kMb;
  const auto chunks = cut_leaves({large, empty}, hints, 10);
  ASSERT_EQ(chunks.size(), 5U);
  EXPECT_EQ(ChunkText::decode(chunks[3].predicate)->partition, large.partition);
  EXPECT_EQ(ChunkText::decode(chunks[4].predicate)->partition, empty.partition);
  EXPECT_EQ(ChunkText::decode(chunks[4].predicate)->to, "");
  // A single partition is no whole table.
  EXPECT_NE(cut_leaves({empty}, {}, 10)[0].predicate, "");
}

TEST(BlockAddress, IsReadFromARowid) {
  for (const auto& [file, block] :
       {std::pair<std::uint32_t, std::uint64_t>{1, 0}, {7, 131}, {1023, 4'194'303}}) {
    const auto address = block_of_rowid(rowid_of_block(81'234, file, block));
    ASSERT_TRUE(address);
    EXPECT_EQ(address->data_object, 81'234U);
    EXPECT_EQ(rowid_of_block(address->data_object, address->file, address->block),
              rowid_of_block(81'234, file, block));
  }
  EXPECT_LT(*block_of_rowid("AAAAAAAAHAAAAAz"), *block_of_rowid("AAAAAAAAHAAAAA0"));
  for (const char* wrong : {"", "AAA", "AAAAAAAAHAAAA*A", "*BAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(block_of_rowid(wrong)) << wrong;
  }
}

TEST(BlockSampling, FindsEnoughBlocksOfTablesOfEverySize) {
  connect::ChunkHints hints;
  hints.max_chunks = 20'000;
  hints.wanted_chunks = 32;
  for (const std::uint64_t blocks :
       {0ULL, 1ULL, 1000ULL, 100'000ULL, 10'000'000ULL, 3'000'000'000ULL}) {
    for (const double told : {0.0, 0.001, 1.0, 1000.0}) {
      const auto known = static_cast<std::uint64_t>(told * static_cast<double>(blocks) * 8192);
      BlockSampling sampling(hints, known);
      std::uint64_t found = 0;
      std::uint64_t read = 0;
      int rounds = 0;
      do {
        ASSERT_GE(sampling.percent(), 0.000001);
        ASSERT_LT(sampling.percent(), 100);
        found = static_cast<std::uint64_t>(static_cast<double>(blocks) * sampling.percent() / 100);
        read += found;
        ++rounds;
      } while (!sampling.is_enough(found));
      EXPECT_LE(rounds, 4);
      const std::uint64_t chunks = connect::chunk_count(hints, blocks * 8192);
      // Of a table that is worth cutting each chunk has a block, and nobody reads all of it.
      if (chunks > 4) {
        EXPECT_GE(found, chunks) << blocks << " told " << told;
      }
      if (blocks > 100'000) {
        EXPECT_LE(read, blocks / 5) << blocks << " told " << told;
      }
    }
  }
}

TEST(CutRanges, FollowsTheGuidesOwnSql) {
  schema::ParallelLoad rule;
  rule.columns = {"A", "B"};
  rule.boundaries = {{"3", "O'Hara"}, {"7", "x"}};
  const auto chunks = cut_ranges(rule, true);
  ASSERT_EQ(chunks.size(), 4U);
  EXPECT_EQ(cut_ranges(rule, false).size(), 3U);
  const std::string first = R"((("A" < '3') or ("A" = '3' and "B" < 'O''Hara')))";
  const std::string second = R"((("A" < '7') or ("A" = '7' and "B" < 'x')))";
  EXPECT_EQ(ChunkText::decode(chunks[0].predicate)->condition, first);
  EXPECT_EQ(ChunkText::decode(chunks[1].predicate)->condition, "not " + first + " and " + second);
  EXPECT_EQ(ChunkText::decode(chunks[2].predicate)->condition, "not " + second);
  EXPECT_EQ(ChunkText::decode(chunks[3].predicate)->condition,
            R"((("A" is null) or ("A" = '3' and "B" is null) or ("A" = '7' and "B" is null)))");
}

}  // namespace
}  // namespace wherry::oracle
