#include <gtest/gtest.h>

#include "connect/api/changes.h"

namespace wherry::connect {
namespace {

TEST(Checkpoint, CommitPointsComeBackFromTheirText) {
  const std::vector<std::vector<CommitPoint>> samples = {
      {},
      {{0, 0}},
      {{0, 3}},
      {{1050, 0}, {1053, 0}, {1053, 1}, {1060, 0}},
      {{1, 0}, {~CommitOrder{0}, 7}},
  };
  for (const auto& points : samples) {
    const auto back = parse_commit_points(to_text(points));
    ASSERT_TRUE(back.ok()) << to_text(points);
    EXPECT_EQ(*back, points);
  }
  EXPECT_EQ(to_text(samples[3]), "1050 3 0:1 7");
}

TEST(Checkpoint, ADamagedTextIsRefused) {
  for (const char* text : {"x", "1 ", " 1", "1,2", "1:", "1:x", "5 0", "5:1 0:1", "-1",
                           "99999999999999999999", "1:99999999999"}) {
    const auto back = parse_commit_points(text);
    ASSERT_FALSE(back.ok()) << text;
    EXPECT_EQ(back.error().kind, ErrorKind::kPositionLost);
  }
}

}  // namespace
}  // namespace wherry::connect
