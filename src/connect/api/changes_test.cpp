#include "connect/api/changes.h"

#include <gtest/gtest.h>

namespace wherry::connect {
namespace {

void fill(ChangeBatch& batch, std::size_t bytes) {
  batch.add(ChangeKind::kInsert);
  batch.arena().allocate(bytes);
}

TEST(ChangeBatch, IsFullWhenItsBudgetIsUsed) {
  ChangeBatch batch(10'000);
  batch.add(ChangeKind::kBegin, {});
  fill(batch, 6'000);
  EXPECT_FALSE(batch.is_full());
  fill(batch, 6'000);
  EXPECT_TRUE(batch.is_full());
}

TEST(ChangeBatch, EndsWithATransactionFromHalfOfItsBudgetOn) {
  ChangeBatch batch(10'000);
  batch.add(ChangeKind::kBegin, {});
  fill(batch, 1'000);
  batch.add(ChangeKind::kCommit, {});
  EXPECT_FALSE(batch.is_full());
  batch.add(ChangeKind::kBegin, {});
  fill(batch, 5'000);
  EXPECT_FALSE(batch.is_full());
  batch.add(ChangeKind::kCommit, {});
  EXPECT_TRUE(batch.is_full());
}

TEST(ChangeBatch, EndsWithTheTransactionThatHadBegunBefore) {
  ChangeBatch batch(10'000);
  EXPECT_FALSE(batch.is_full());
  fill(batch, 100);
  EXPECT_FALSE(batch.is_full());
  batch.add(ChangeKind::kCommit, {});
  EXPECT_TRUE(batch.is_full());
  batch.reset();
  batch.add(ChangeKind::kHeartbeat, {});
  batch.add(ChangeKind::kBegin, {});
  batch.add(ChangeKind::kCommit, {});
  EXPECT_FALSE(batch.is_full());
}

}  // namespace
}  // namespace wherry::connect
