#include "engine/changes/log_guard.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wherry::engine {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kMegabyte = 1'000'000;

class LogGuardTest : public ::testing::Test {
 protected:
  LogGuardTest() {
    Logger::Options options;
    options.print = [this](const std::string& line) { lines_.push_back(line); };
    guard_.emplace(*Logger::open(options));
  }
  void note(std::int64_t at_secs, std::optional<std::uint64_t> left, std::uint64_t kept = 0) {
    connect::SourceHead head;
    head.bytes_until_lost = left;
    head.kept_bytes = kept;
    guard_->note(LogGuard::Time(seconds(at_secs)), head);
  }

  std::vector<std::string> lines_;
  std::optional<LogGuard> guard_;
};

TEST_F(LogGuardTest, ForeseesWhenTheLogIsLost) {
  note(0, 1'000 * kMegabyte);
  EXPECT_FALSE(guard_->until_lost());
  note(10, 900 * kMegabyte, 100 * kMegabyte);
  EXPECT_EQ(guard_->until_lost(), seconds(90));
  note(20, 700 * kMegabyte, 300 * kMegabyte);
  EXPECT_EQ(guard_->until_lost(), seconds(46));
  // The task gets on as fast as the source writes.
  for (int i = 21; i < 400; ++i) note(i, 700 * kMegabyte, 300 * kMegabyte);
  EXPECT_FALSE(guard_->until_lost());
  note(400, 0, 1'000 * kMegabyte);
  EXPECT_EQ(guard_->until_lost(), seconds(0));
  note(401, std::nullopt);
  EXPECT_FALSE(guard_->until_lost());
}

TEST_F(LogGuardTest, WarnsOnceAndWhenItGetsWorseAndTellsWhenItIsOver) {
  note(0, 1'000 * kMegabyte);
  note(10, 999 * kMegabyte);
  EXPECT_TRUE(lines_.empty());  // hours are left
  for (int i = 0; i < 10; ++i) note(20 + i, (900 - static_cast<unsigned>(i)) * kMegabyte);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find("about to throw away log"), std::string::npos) << lines_[0];
  EXPECT_NE(lines_[0].find("bytes_until_lost: 900000000"), std::string::npos) << lines_[0];
  note(30, 400 * kMegabyte);
  EXPECT_EQ(lines_.size(), 2U);
  note(31, 1'000 * kMegabyte);
  ASSERT_EQ(lines_.size(), 3U);
  EXPECT_NE(lines_[2].find("no longer"), std::string::npos) << lines_[2];
  // Little is left, although it does not shrink.
  for (int i = 400; i < 410; ++i) note(i, 10 * kMegabyte, 990 * kMegabyte);
  EXPECT_EQ(lines_.size(), 4U);
}

}  // namespace
}  // namespace wherry::engine
