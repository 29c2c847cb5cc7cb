#include "changes/change_cache.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "changes/test_support.h"

namespace wherry::changes {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): tests only

Place place(std::uint64_t order) {
  return {{"at:" + std::to_string(order)}, order};
}

class ChangeCacheTest : public ::testing::Test {
 protected:
  Result<void> open(std::uint64_t segment_bytes = 2'000) {
    cache_.reset();
    WHERRY_ASSIGN(
        cache_, ChangeCache::open({directory_.path() / "cache", directory_.path(), segment_bytes}));
    return {};
  }
  /// A transaction of `rows` rows whose ids tell the order.
  static void add_transaction(ChangeBatch& batch, std::uint64_t order, unsigned rows,
                              bool commits = true) {
    static const auto shape = shape_of(1, "T", 1);
    batch.add(ChangeKind::kBegin);
    for (unsigned i = 0; i < rows; ++i) {
      add_insert(batch, shape, static_cast<std::int64_t>(order * 1000 + i));
    }
    if (commits) batch.add(ChangeKind::kCommit, commit_info(order));
  }
  Result<void> append(std::uint64_t order, unsigned rows, bool commits = true) {
    ChangeBatch batch;
    add_transaction(batch, order, rows, commits);
    std::size_t next = 0;
    return cache_->append(batch, next);
  }
  /// The orders of the commits that are there, from where the reader is; checks whole transactions.
  std::vector<std::uint64_t> read() {
    std::vector<std::uint64_t> out;
    ChangeBatch batch(1000);
    std::int64_t next = -1;
    for (;;) {
      batch.reset();
      const auto more = cache_->read(batch);
      EXPECT_TRUE(more.ok()) << more.error().to_paragraph();
      if (!more.ok() || !*more) return out;
      for (const Change& change : batch.changes()) {
        if (change.kind == ChangeKind::kBegin) next = 0;
        if (change.kind == ChangeKind::kInsert) {
          EXPECT_EQ(change.after[0].payload.i64 % 1000, next++);
        }
        if (change.kind != ChangeKind::kCommit) continue;
        EXPECT_NE(next, -1) << "a transaction without its beginning";
        out.push_back(batch.commit(change).order);
        next = -1;
      }
    }
  }
  static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> out;
    for (; from <= to; ++from) out.push_back(from);
    return out;
  }
  std::size_t file_count() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "cache")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  TempDirectory directory_;
  std::unique_ptr<ChangeCache> cache_;
};

TEST_F(ChangeCacheTest, GivesWhatComesAfterAnyPlace) {
  ASSERT_TRUE(open().ok());
  EXPECT_TRUE(cache_->is_empty());
  ASSERT_TRUE(cache_->restart(place(10)).ok());
  for (std::uint64_t order = 11; order <= 60; ++order) {
    // Orders have gaps, as log positions have.
    if (order % 5 == 0) continue;
    ASSERT_TRUE(append(order, static_cast<unsigned>(order % 70)).ok());
  }
  for (int again = 0; again < 2; ++again) {
    EXPECT_FALSE(cache_->covers(place(9)));
    EXPECT_FALSE(cache_->covers(place(61)));
    for (std::uint64_t order = 10; order <= 59; ++order) {
      ASSERT_TRUE(cache_->covers(place(order))) << order;
      ASSERT_TRUE(cache_->seek(place(order)).ok());
      auto expected = range(order + 1, 60);
      std::erase_if(expected, [](std::uint64_t o) { return o % 5 == 0; });
      EXPECT_EQ(read(), expected) << order;
      EXPECT_TRUE(cache_->is_drained());
    }
    ASSERT_TRUE(cache_->sync().ok());
    EXPECT_GT(file_count(), 3U);
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(cache_->durable_end().position, place(59).position);
  }
}

TEST_F(ChangeCacheTest, TransactionsOfOneOrderStayApart) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(cache_->restart(place(1)).ok());
  ChangeBatch batch;
  for (int i = 0; i < 4; ++i) {
    batch.add(ChangeKind::kBegin);
    connect::CommitInfo commit = commit_info(7);
    commit.position.text = "at:7/" + std::to_string(i);
    batch.add(ChangeKind::kCommit, commit);
  }
  std::size_t next = 0;
  ASSERT_TRUE(cache_->append(batch, next).ok());
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(cache_->seek({{"at:7/" + std::to_string(i)}, 7}).ok());
    EXPECT_EQ(read().size(), 3 - i);
  }
}

TEST_F(ChangeCacheTest, WhatIsReleasedLeavesTheDisk) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(cache_->restart(place(0)).ok());
  for (std::uint64_t order = 1; order <= 30; ++order) ASSERT_TRUE(append(order, 400).ok());
  const std::size_t files = file_count();
  const std::uint64_t bytes = cache_->disk_bytes();
  ASSERT_TRUE(cache_->seek(place(0)).ok());
  ASSERT_TRUE(cache_->release(place(15)).ok());
  EXPECT_EQ(file_count(), files) << "still to be read";
  EXPECT_EQ(read(), range(1, 30));
  ASSERT_TRUE(cache_->release(place(15)).ok());
  EXPECT_LT(file_count(), files);
  EXPECT_LT(cache_->disk_bytes(), bytes);
  EXPECT_TRUE(cache_->covers(place(15)));
  EXPECT_FALSE(cache_->covers(place(1)));
  ASSERT_TRUE(cache_->seek(place(15)).ok());
  EXPECT_EQ(read(), range(16, 30));
  ASSERT_TRUE(cache_->release(place(30)).ok());
  EXPECT_EQ(file_count(), 1U);
}

TEST_F(ChangeCacheTest, AnUnfinishedTransactionIsNotRead) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(cache_->restart(place(0)).ok());
  ASSERT_TRUE(append(1, 3).ok());
  ASSERT_TRUE(append(2, 20'000, false).ok());
  ASSERT_TRUE(cache_->seek(place(0)).ok());
  EXPECT_EQ(read(), range(1, 1));
  EXPECT_FALSE(cache_->is_at_border());
  ASSERT_TRUE(cache_->drop_unfinished().ok());
  EXPECT_TRUE(cache_->is_at_border());
  ASSERT_TRUE(append(2, 5).ok());
  EXPECT_EQ(read(), range(2, 2));
}

TEST_F(ChangeCacheTest, OneThreadAppendsWhileOneReads) {
  constexpr std::uint64_t kLast = 400;
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(cache_->restart(place(0)).ok());
  ASSERT_TRUE(cache_->seek(place(0)).ok());
  std::jthread writer([&] {
    for (std::uint64_t order = 1; order <= kLast; ++order) {
      ASSERT_TRUE(append(order, static_cast<unsigned>(order % 97)).ok());
      if (order % 50 != 0) continue;
      ASSERT_TRUE(cache_->sync().ok());
    }
  });
  std::vector<std::uint64_t> seen;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (seen.size() < kLast && std::chrono::steady_clock::now() < deadline) {
    for (const std::uint64_t order : read()) seen.push_back(order);
    ASSERT_TRUE(cache_->release(place(seen.empty() ? 0 : seen.back())).ok());
  }
  EXPECT_EQ(seen, range(1, kLast));
  writer.join();
  EXPECT_EQ(file_count(), 1U);
}

TEST_F(ChangeCacheTest, WhatWasSyncedSurvivesSigkill) {
  for (unsigned round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      if (!open().ok()) ::_exit(1);
      if (cache_->is_empty() && !cache_->restart(place(0)).ok()) ::_exit(1);
      for (std::uint64_t order = cache_->end().order + 1;; ++order) {
        if (!append(order, static_cast<unsigned>(order % 200)).ok()) ::_exit(1);
        if (!append(order + 1, 10, false).ok() || !cache_->sync().ok()) ::_exit(1);
        const std::uint64_t durable = cache_->durable_end().order;
        if (::write(pipe_ends[1], &durable, sizeof durable) < 0) ::_exit(1);
        if (!cache_->drop_unfinished().ok()) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    std::uint64_t durable = 0;
    for (unsigned i = 0; i < 5 + round * 7; ++i) {
      ASSERT_EQ(::read(pipe_ends[0], &durable, sizeof durable),
                static_cast<ssize_t>(sizeof durable));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(pipe_ends[0]);
    const auto opened = open();
    ASSERT_TRUE(opened.ok()) << opened.error().to_paragraph();
    EXPECT_GE(cache_->end().order, durable);
    ASSERT_TRUE(cache_->seek(place(0)).ok());
    EXPECT_EQ(read(), range(1, cache_->end().order));
  }
}

TEST_F(ChangeCacheTest, AFullDiskPausesAndLosesNothing) {
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(cache_->restart(place(0)).ok());
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  unsigned refused = 0;
  for (std::uint64_t order = 1; order <= 40; ++order) {
    ChangeBatch batch;
    add_transaction(batch, order, 300);
    std::size_t next = 0;
    for (rlim_t room = 4;; room += 400) {
      rlimit limit = before;
      limit.rlim_cur = room;
      ::setrlimit(RLIMIT_FSIZE, &limit);
      const auto appended = cache_->append(batch, next);
      ::setrlimit(RLIMIT_FSIZE, &before);
      if (appended.ok()) break;
      ASSERT_EQ(appended.error().code, "spill.disk_full") << appended.error().to_paragraph();
      ++refused;
    }
  }
  EXPECT_GT(refused, 40U);
  ASSERT_TRUE(cache_->sync().ok());
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(cache_->seek(place(0)).ok());
  EXPECT_EQ(read(), range(1, 40));
}

}  // namespace
}  // namespace wherry::changes
