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

TEST(CutRanges, FollowsTheGuidesOwnSql) {
  schema::ParallelLoad rule;
  rule.columns = {"A", "B"};
  rule.boundaries = {{"3", "O'Hara"}, {"7", "x"}};
  const auto chunks = cut_ranges(rule);
  ASSERT_EQ(chunks.size(), 3U);
  const std::string first = R"((("A" < '3') or ("A" = '3' and "B" < 'O''Hara')))";
  const std::string second = R"((("A" < '7') or ("A" = '7' and "B" < 'x')))";
  EXPECT_EQ(ChunkText::decode(chunks[0].predicate)->condition, first);
  EXPECT_EQ(ChunkText::decode(chunks[1].predicate)->condition, "not " + first + " and " + second);
  EXPECT_EQ(ChunkText::decode(chunks[2].predicate)->condition, "not " + second);
}

}  // namespace
}  // namespace wherry::oracle
