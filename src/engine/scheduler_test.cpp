#include "engine/scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace wherry::engine {
namespace {

constexpr std::uint64_t kMb = 1024 * 1024;

std::vector<connect::Chunk> chunks_of(std::uint32_t count, std::uint64_t bytes) {
  std::vector<connect::Chunk> out(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    out[i].index = i;
    out[i].estimated_bytes = bytes;
  }
  return out;
}

/// A scheduler of two workers that are asked one after the other, and what it last said.
class Schedule : public ::testing::Test {
 protected:
  Job next(std::optional<std::size_t> last = std::nullopt) {
    const auto job = scheduler_.next(last, {});
    EXPECT_TRUE(job);
    return job.value_or(Job{});
  }
  void open(std::size_t table, std::uint32_t chunks, std::uint64_t bytes) {
    const Job job = next();
    EXPECT_EQ(job.kind, JobKind::kOpen);
    EXPECT_EQ(job.table, table);
    scheduler_.set_chunks(table, chunks_of(chunks, bytes), {});
    EXPECT_FALSE(scheduler_.end(job, JobEnd::kDone));
  }
  /// Loads everything that is left of a segment.
  std::vector<connect::DoneChunk> run(const Job& job) {
    std::vector<connect::DoneChunk> done;
    std::uint64_t bytes = 0;
    while (const connect::Chunk* chunk = scheduler_.take(job, bytes)) {
      done.push_back({{}, 1, chunk->index, 1, chunk->estimated_bytes});
      bytes += chunk->estimated_bytes;
    }
    scheduler_.mark_done(job.table, done);
    return done;
  }
  Scheduler scheduler_{3, {2, 64 * kMb}};
};

TEST_F(Schedule, AWorkerStaysWithItsTableAndIdleOnesHelp) {
  open(0, 10, 32 * kMb);
  const Job first = next(0);
  EXPECT_EQ(first.kind, JobKind::kLoad);
  EXPECT_EQ(first.table, 0U);
  EXPECT_FALSE(first.is_whole);
  open(1, 1, kMb);  // the other worker begins the next table
  const Job small = next(1);
  EXPECT_TRUE(small.is_whole);
  EXPECT_EQ(run(small).size(), 1U);
  EXPECT_FALSE(scheduler_.end(small, JobEnd::kDone));
  const Job key = next(1);
  EXPECT_EQ(key.kind, JobKind::kComplete);
  EXPECT_TRUE(scheduler_.end(key, JobEnd::kDone));
  open(2, 1, kMb);
  const Job last = next(2);
  run(last);
  scheduler_.end(last, JobEnd::kDone);
  EXPECT_TRUE(scheduler_.end(next(2), JobEnd::kDone));
  // No table is left to begin.
  const Job help = next(2);
  EXPECT_EQ(help.kind, JobKind::kLoad);
  EXPECT_EQ(help.table, 0U);
  EXPECT_EQ(run(help).size(), 2U) << "a segment ends when it is long enough";
  EXPECT_EQ(run(first).size(), 2U);
}

TEST_F(Schedule, AMediumTableIsForOneWhileOthersWait) {
  open(0, 3, 16 * kMb);
  EXPECT_TRUE(next(0).is_whole);
  // One worker has it, and nobody else gets a part of it.
  open(1, 3, 16 * kMb);
  const Job job = next(1);
  EXPECT_EQ(job.table, 1U);
  EXPECT_FALSE(job.is_whole) << "too few tables are left for two workers";
}

TEST_F(Schedule, WhatWasGivenBackIsTakenAgain) {
  open(0, 5, 32 * kMb);
  const Job job = next(0);
  EXPECT_EQ(scheduler_.take(job, 0)->index, 0U);
  EXPECT_EQ(scheduler_.take(job, 0)->index, 1U);
  scheduler_.give_back(0, {0, 1});
  EXPECT_EQ(scheduler_.take(job, 0)->index, 0U);
}

TEST_F(Schedule, WhatIsDurableIsNotHandedOut) {
  const Job opening = next();
  scheduler_.set_chunks(0, chunks_of(4, 8 * kMb), {{{}, 1, 0, 1, 1}, {{}, 1, 2, 1, 1}});
  scheduler_.end(opening, JobEnd::kDone);
  const Job job = next(0);
  EXPECT_FALSE(job.is_whole);
  const auto done = run(job);
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].chunk, 1U);
  EXPECT_EQ(done[1].chunk, 3U);
}

TEST_F(Schedule, ATableThatFailedIsOverWhenItsLastWorkerLeaves) {
  open(0, 9, 32 * kMb);
  const Job first = next(0);
  EXPECT_NE(scheduler_.take(first, 0), nullptr);
  const Job second = next(0);
  EXPECT_FALSE(scheduler_.end(first, JobEnd::kFailed));
  EXPECT_EQ(scheduler_.take(second, 0), nullptr);
  // The stop that the failure caused does not begin it anew.
  EXPECT_TRUE(scheduler_.end(second, JobEnd::kAgain));
  EXPECT_EQ(next(0).table, 1U);
}

TEST_F(Schedule, ATableThatBeginsAnewIsOpenedAgainFirst) {
  open(0, 9, 32 * kMb);
  const Job first = next(0);
  const Job second = next(0);
  EXPECT_FALSE(scheduler_.end(first, JobEnd::kAgain));
  EXPECT_FALSE(scheduler_.end(second, JobEnd::kAgain));
  const Job again = next(0);
  EXPECT_EQ(again.kind, JobKind::kOpen);
  EXPECT_EQ(again.table, 0U);
}

TEST_F(Schedule, AWaitingWorkerWakesWhenAllIsDone) {
  for (std::size_t table = 0; table < 3; ++table) {
    const Job opening = next();
    scheduler_.set_chunks(table, chunks_of(1, kMb), {});
    scheduler_.end(opening, JobEnd::kDone);
    const Job job = next(table);
    run(job);
    scheduler_.end(job, JobEnd::kDone);
    const Job key = next(table);
    if (table < 2) {
      scheduler_.end(key, JobEnd::kDone);
      continue;
    }
    std::optional<Job> waited = Job{};
    std::thread waiter([&] { waited = scheduler_.next(std::nullopt, {}); });
    scheduler_.end(key, JobEnd::kDone);
    waiter.join();
    EXPECT_FALSE(waited);
  }
}

/// One table of ten chunks that is loaded by one worker; the clock is the test's.
class Splitting : public ::testing::Test {
 protected:
  void open(bool splits_at_once) {
    const auto job = scheduler_.next(std::nullopt, {});
    scheduler_.set_chunks(0, chunks_of(10, 32 * kMb), {}, splits_at_once);
    scheduler_.end(*job, JobEnd::kDone);
    first_ = *scheduler_.next(0, {});
    take();
  }
  void take() { ASSERT_NE(scheduler_.take(first_, 0), nullptr); }
  /// A worker without a table comes.
  void ask() {
    looks_ = 0;
    asking_ = std::thread([this] {
      scheduler_.next(std::nullopt, {});
      has_job_ = true;
    });
  }
  /// Whether it was told to wait and has looked again.
  bool waits() {
    const int before = looks_;
    while (looks_ < before + 2 && !has_job_) std::this_thread::yield();
    return !has_job_;
  }
  void TearDown() override {
    if (asking_.joinable()) asking_.join();
  }

  std::atomic<int> looks_{0}, seconds_{0};
  std::atomic<bool> has_job_{false};
  std::thread asking_;
  Job first_;
  Scheduler scheduler_{1,
                       {.workers = 3,
                        .segment_bytes = 64 * kMb,
                        .split_after = std::chrono::seconds(2),
                        .now = [this] {
                          ++looks_;
                          return Scheduler::Clock::time_point(std::chrono::seconds(seconds_));
                        }}};
};

TEST_F(Splitting, HelpComesWhenATableHasTakenLongAndWillTakeAsLongAgain) {
  open(false);
  ask();
  EXPECT_TRUE(waits());
  seconds_ = 1;
  EXPECT_TRUE(waits());
  seconds_ = 2;  // one chunk of ten was taken
  asking_.join();
  EXPECT_TRUE(has_job_);
}

TEST_F(Splitting, ATableThatIsSoonOverIsLeftToItsWorker) {
  open(false);
  for (int i = 0; i < 6; ++i) take();
  seconds_ = 3;  // seven chunks of ten: the rest takes less than two seconds
  ask();
  EXPECT_TRUE(waits());
  seconds_ = 5;  // slower than that
  asking_.join();
  EXPECT_TRUE(has_job_);
}

TEST_F(Splitting, ARuleSplitsAtOnce) {
  open(true);
  ask();
  asking_.join();
  EXPECT_TRUE(has_job_);
}

/// Rows are counted in 64 bits, and a table of any size is handed out chunk by chunk.
TEST(LargeTables, BillionsOfRowsGoThroughTheSameCode) {
  constexpr std::uint32_t kChunks = 20'000;
  constexpr std::uint64_t kRowsEach = 500'000'000;
  Scheduler scheduler(1, {1, 64 * kMb});
  const auto opening = scheduler.next(std::nullopt, {});
  scheduler.set_chunks(0, chunks_of(kChunks, 8ULL << 40), {});
  scheduler.end(*opening, JobEnd::kDone);
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (auto job = scheduler.next(0, {}); job->kind == JobKind::kLoad; job = scheduler.next(0, {})) {
    const connect::Chunk* chunk = scheduler.take(*job, 0);
    scheduler.mark_done(0, {{{}, 1, chunk->index, kRowsEach, chunk->estimated_bytes}});
    rows += kRowsEach;
    bytes += chunk->estimated_bytes;
    scheduler.end(*job, JobEnd::kDone);
  }
  EXPECT_EQ(rows, 10'000'000'000'000U);
  EXPECT_EQ(bytes, kChunks * (8ULL << 40));
}

}  // namespace
}  // namespace wherry::engine
