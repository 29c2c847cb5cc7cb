#include "core/row_batch.h"

#include <gtest/gtest.h>

#include <vector>

namespace wherry {
namespace {

void append(RowBatch& batch, std::int64_t first) {
  Cell* const row = batch.append_row();
  for (std::size_t c = 0; c < batch.column_count(); ++c) {
    row[c].payload.i64 = first + static_cast<std::int64_t>(c);
  }
}

TEST(RowBatch, RetainsRowsInTheirOrderWithWhatIsKnownOfThem) {
  RowBatch batch;
  for (int round = 0; round < 2; ++round) {
    batch.reset(2);
    for (std::int64_t i = 0; i < 6; ++i) append(batch, 10 * i);
    batch.note_length({1, 0, 111, false});
    batch.note_length({3, 0, 333, false});
    batch.note_length({3, 1, 334, true});
    batch.note_length({4, 1, 444, false});
    EXPECT_EQ(batch.retain_rows([](std::size_t row) { return row == 0 || row == 3 || row == 4; }),
              3U);
    ASSERT_EQ(batch.row_count(), 3U);
    EXPECT_EQ(batch.at(0, 0).payload.i64, 0);
    EXPECT_EQ(batch.at(1, 1).payload.i64, 31);
    EXPECT_EQ(batch.at(2, 0).payload.i64, 40);
    EXPECT_EQ(batch.length_of(0, 0), nullptr);
    ASSERT_NE(batch.length_of(1, 1), nullptr);
    EXPECT_EQ(batch.length_of(1, 0)->length, 333U);
    EXPECT_TRUE(batch.length_of(1, 1)->in_characters);
    EXPECT_EQ(batch.length_of(2, 1)->length, 444U);
    EXPECT_EQ(batch.length_of(2, 0), nullptr);
  }
  EXPECT_EQ(batch.retain_rows([](std::size_t) { return false; }), 3U);
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.length_of(0, 0), nullptr);
}

}  // namespace
}  // namespace wherry
