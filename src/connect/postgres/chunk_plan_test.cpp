#include "connect/postgres/chunk_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::postgres {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kMegabyte = 1024 * 1024;

std::vector<std::string> conditions_of(const std::vector<connect::Chunk>& chunks) {
  std::vector<std::string> out;
  for (const connect::Chunk& chunk : chunks) {
    EXPECT_EQ(chunk.index, out.size());
    const ChunkText text = ChunkText::decode(chunk.predicate);
    out.push_back(text.table.empty() ? text.condition : text.table + ": " + text.condition);
  }
  return out;
}

connect::ChunkHints hints(std::uint64_t chunk_bytes) {
  connect::ChunkHints out;
  out.max_chunks = 1000;
  out.chunk_bytes = chunk_bytes;
  out.least_bytes = chunk_bytes;
  return out;
}

Leaf leaf(const std::string& table, std::int64_t blocks) {
  return {table, blocks, blocks * 8192};
}

TEST(PostgresChunkPlan, RangesOfATableLeaveNoAddressOut) {
  const auto chunks = cut_leaves({leaf("", 384)}, hints(kMegabyte), true);
  EXPECT_THAT(conditions_of(chunks),
              ElementsAre("ctid >= '(0,0)' and ctid < '(128,0)'",
                          "ctid >= '(128,0)' and ctid < '(256,0)'", "ctid >= '(256,0)'"));
}

TEST(PostgresChunkPlan, PartitionsAreCutByTheirSizes) {
  const auto chunks = cut_leaves(
      {leaf("app.large", 256), leaf("app.small", 1), leaf("app.none", 0)}, hints(kMegabyte), true);
  EXPECT_THAT(conditions_of(chunks),
              ElementsAre("app.large: ctid >= '(0,0)' and ctid < '(128,0)'",
                          "app.large: ctid >= '(128,0)'", "app.small: ", "app.none: "));
}

TEST(PostgresChunkPlan, AServerWithoutRangesReadsPartitionsWhole) {
  const auto chunks = cut_leaves({leaf("app.a", 256), leaf("app.b", 256)}, hints(kMegabyte), false);
  EXPECT_THAT(conditions_of(chunks), ElementsAre("app.a: ", "app.b: "));
}

TEST(PostgresChunkPlan, ATableUpToTheWishedSizeIsOnePiece) {
  connect::ChunkHints wish = hints(kMegabyte);
  wish.whole_bytes = 3 * kMegabyte;
  EXPECT_THAT(conditions_of(cut_leaves({leaf("", 384)}, wish, true)), ElementsAre(""));
  EXPECT_THAT(conditions_of(cut_leaves({leaf("app.a", 192), leaf("app.b", 192)}, wish, true)),
              ElementsAre(""));
  EXPECT_EQ(cut_leaves({leaf("", 512)}, wish, true).size(), 4U);
}

TEST(PostgresChunkPlan, ValuesOutOfLineMakeATableLarge) {
  // Four rows' blocks, ten megabytes beside them.
  const auto chunks = cut_leaves({{"", 4, 10 * 1024 * 1024}}, hints(kMegabyte), true);
  EXPECT_THAT(
      conditions_of(chunks),
      ElementsAre("ctid >= '(0,0)' and ctid < '(1,0)'", "ctid >= '(1,0)' and ctid < '(2,0)'",
                  "ctid >= '(2,0)' and ctid < '(3,0)'", "ctid >= '(3,0)'"));
}

TEST(PostgresChunkPlan, RangesOfColumnsAreHalfOpenAndNullsHaveTheirOwn) {
  schema::ParallelLoad rule;
  rule.type = schema::ParallelLoadType::kRanges;
  rule.columns = {"a", "B"};
  rule.boundaries = {{"1", "it's"}, {"5", "x"}};
  auto chunks = cut_ranges(rule, true);
  ASSERT_TRUE(chunks.ok());
  EXPECT_THAT(
      conditions_of(*chunks),
      ElementsAre(R"(("a", "B") < ('1', 'it''s'))",
                  R"(("a", "B") >= ('1', 'it''s') and ("a", "B") < ('5', 'x'))",
                  R"(("a", "B") >= ('5', 'x'))",
                  R"((("a", "B") < ('1', 'it''s')) is null or (("a", "B") < ('5', 'x')) is null)"));
  chunks = cut_ranges(rule, false);
  ASSERT_TRUE(chunks.ok());
  EXPECT_EQ(chunks->size(), 3U);
}

}  // namespace
}  // namespace wherry::postgres
