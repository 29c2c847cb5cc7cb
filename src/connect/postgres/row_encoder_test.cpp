#include "connect/postgres/row_encoder.h"

#include <gtest/gtest.h>

#include "core/arena.h"
#include "schema/logical_type.h"

namespace wherry::postgres {
namespace {

using wire::EncodeStatus;

constexpr std::uint64_t kMegabyte = 1024 * 1024;

std::vector<wire::ColumnEncoder> bytea_columns(std::size_t count) {
  NativeType bytea;
  bytea.kind = NativeKind::kBytea;
  return {count, *wire::choose_encoder({schema::TypeKind::kBlob}, bytea, false)};
}

/// What check() says of a row of such values, which nobody reads.
std::optional<RowProblem> problem_of(const std::vector<std::uint64_t>& sizes) {
  Arena arena;
  std::vector<Cell> row(sizes.size());
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    const SpilledValue value{nullptr, 0, sizes[c]};
    row[c].kind = CellKind::kBytes;
    row[c].state = CellState::kSpilled;
    row[c].payload.ptr = arena.copy(&value, sizeof value);
  }
  RowEncoder encoder(bytea_columns(sizes.size()));
  auto problem = encoder.check(row.data());
  EXPECT_TRUE(problem.ok());
  return problem.ok() ? *problem : std::nullopt;
}

TEST(RowEncoder, TheLimitIsThatOfOneValueAndThatOfARow) {
  EXPECT_FALSE(problem_of({wire::kMaxValueBytes}));
  const auto value = problem_of({1, wire::kMaxValueBytes + 1});
  ASSERT_TRUE(value);
  EXPECT_EQ(value->status, EncodeStatus::kTooLarge);
  EXPECT_EQ(value->column, 1U);
  EXPECT_FALSE(problem_of({500 * kMegabyte, 500 * kMegabyte}));
  const auto row = problem_of({500 * kMegabyte, 500 * kMegabyte, 100 * kMegabyte, 1});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->status, EncodeStatus::kRowTooLarge);
  EXPECT_EQ(row->column, 2U);
  EXPECT_EQ(code_of(row->status), "postgres.row_too_large");
}

}  // namespace
}  // namespace wherry::postgres
