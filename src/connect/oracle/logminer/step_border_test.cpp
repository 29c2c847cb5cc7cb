// Which rows wait for the next step.
#include "connect/oracle/logminer/step_border.h"

#include <gtest/gtest.h>

namespace wherry::oracle {
namespace {

MinedRow row_at(std::uint32_t thread, std::uint32_t sequence, std::uint32_t block) {
  MinedRow out;
  out.thread = thread;
  out.address = {sequence, block, 16};
  return out;
}

StepBorder::Starts starts(std::uint32_t first, std::uint32_t second) {
  return {{1, {first, 0}}, {2, {second, 0}}};
}

TEST(StepBorder, RowsThatTheStepBeforeHasNotSeenWait) {
  StepBorder border;
  border.begin_step(starts(5, 9), starts(5, 9), 100, 100);
  EXPECT_TRUE(border.defers(row_at(1, 5, 2)));
  static_cast<void>(border.end_step());
  EXPECT_TRUE(border.has_deferred());
  border.begin_step(starts(5, 9), starts(5, 9), 100, 100);
  EXPECT_FALSE(border.defers(row_at(1, 5, 2)));
  EXPECT_TRUE(border.defers(row_at(1, 5, 3)));
  static_cast<void>(border.end_step());
  border.begin_step(starts(5, 9), starts(5, 9), 100, 100);
  EXPECT_FALSE(border.defers(row_at(1, 5, 3)));
  static_cast<void>(border.end_step());
  EXPECT_FALSE(border.has_deferred());
}

TEST(StepBorder, ALogThatWasReadToItsEndIsComplete) {
  StepBorder border;
  border.begin_step(starts(5, 9), starts(6, 9), 100, 100);
  EXPECT_FALSE(border.defers(row_at(1, 5, 2)));
  EXPECT_TRUE(border.defers(row_at(1, 6, 2)));
  EXPECT_EQ(border.end_step().at(1).sequence, 6U);
}

TEST(StepBorder, NoThreadOvertakesAnother) {
  StepBorder border;
  border.begin_step(starts(5, 9), starts(5, 9), 100, 100);
  EXPECT_TRUE(border.defers(row_at(2, 9, 2)));
  static_cast<void>(border.end_step());
  // Log 9 of the second thread has ended since.
  border.begin_step(starts(5, 9), starts(5, 10), 100, 100);
  EXPECT_FALSE(border.defers(row_at(2, 9, 2)));
  EXPECT_TRUE(border.defers(row_at(1, 5, 4)));
  EXPECT_TRUE(border.defers(row_at(2, 9, 3)));
  MinedRow rollback;
  rollback.thread = 2;
  EXPECT_TRUE(border.defers(rollback));
  EXPECT_EQ(border.end_step().at(2).sequence, 9U);
  border.begin_step(starts(5, 9), starts(5, 10), 100, 100);
  EXPECT_FALSE(border.defers(row_at(1, 5, 4)));
  EXPECT_FALSE(border.defers(row_at(2, 9, 3)));
}

TEST(StepBorder, LogsFromBeforeTheStepAreDoneWith) {
  StepBorder border;
  border.begin_step(starts(5, 9), starts(6, 9), 100, 100);
  EXPECT_TRUE(border.defers(row_at(2, 9, 2)));
  // The range begins with the other thread's log, and so it has older rows.
  EXPECT_TRUE(border.defers(row_at(1, 3, 2)));
  EXPECT_EQ(border.end_step().at(1).sequence, 5U);
}

TEST(StepBorder, NoRowIsPassedThatARangeMayLeaveOut) {
  StepBorder border;
  // The range ends where the slowest instance has written; the database is further.
  border.begin_step(starts(5, 9), starts(5, 9), 120, 100);
  EXPECT_TRUE(border.defers(row_at(1, 5, 4)));
  static_cast<void>(border.end_step());
  border.begin_step(starts(5, 9), starts(5, 9), 130, 110);
  EXPECT_TRUE(border.defers(row_at(1, 5, 4)));  // one before it may have SCN 115
  static_cast<void>(border.end_step());
  EXPECT_FALSE(border.takes_all_seen());
  border.begin_step(starts(5, 9), starts(5, 9), 140, 120);  // what was seen at first: nothing
  EXPECT_TRUE(border.defers(row_at(1, 5, 4)));
  static_cast<void>(border.end_step());
  border.begin_step(starts(5, 9), starts(5, 9), 150, 140);
  EXPECT_FALSE(border.defers(row_at(1, 5, 4)));
}

TEST(StepBorder, WhatAStepThatBrokeOffHasSeenIsSeen) {
  StepBorder border;
  border.begin_step(starts(5, 9), starts(5, 9), 100, 100);
  EXPECT_TRUE(border.defers(row_at(1, 5, 2)));
  border.begin_step(starts(5, 9), starts(5, 9), 100, 100);
  EXPECT_FALSE(border.defers(row_at(1, 5, 2)));
}

}  // namespace
}  // namespace wherry::oracle
