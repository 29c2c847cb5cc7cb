#include "connect/support/transaction_buffer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "changes/test_support.h"

namespace wherry::connect {
namespace {

using namespace changes::testing;  // NOLINT(google-build-using-namespace): tests only

class TransactionBufferTest : public ::testing::Test {
 protected:
  void open(std::uint64_t memory_bytes) {
    buffer_.reset();
    auto opened = TransactionBuffer::open({directory_.path() / "open", memory_bytes});
    ASSERT_TRUE(opened.ok()) << opened.error().to_paragraph();
    buffer_ = std::move(*opened);
  }
  Result<void> add(TransactionBuffer::Id id, std::int64_t value, TransactionBuffer::Id part = 0) {
    batch_.reset();
    add_insert(batch_, shape_, value);
    return buffer_->add(id, part, batch_, batch_.changes()[0]);
  }
  std::vector<std::int64_t> commit(TransactionBuffer::Id id) {
    std::vector<std::int64_t> out;
    const auto playback = buffer_->commit(id);
    if (!playback) return out;
    ChangeBatch batch(4096);
    for (bool more = true; more;) {
      batch.reset();
      auto next = playback->next(batch);
      EXPECT_TRUE(next.ok());
      if (!next.ok()) return out;
      more = *next;
      EXPECT_LT(batch.used_bytes(), 8192U);
      for (const Change& change : batch.changes()) out.push_back(change.after[0].payload.i64);
    }
    return out;
  }
  std::size_t file_count() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "open")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  TempDirectory directory_;
  RowShapePtr shape_ = shape_of(1, "T", 1);
  std::unique_ptr<TransactionBuffer> buffer_;
  ChangeBatch batch_;
};

using Values = std::vector<std::int64_t>;

TEST_F(TransactionBufferTest, PlaysBackEachTransactionInItsOrder) {
  open(1 << 20);
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(add(static_cast<unsigned>(i % 3), i).ok());
  EXPECT_EQ(buffer_->open_count(), 3U);
  EXPECT_EQ(commit(1), (Values{1, 4, 7}));
  EXPECT_EQ(commit(0), (Values{0, 3, 6}));
  buffer_->rollback(2);
  EXPECT_EQ(buffer_->commit(2), nullptr);
  EXPECT_EQ(buffer_->memory_bytes(), 0U);
  EXPECT_EQ(buffer_->disk_bytes(), 0U);
}

TEST_F(TransactionBufferTest, RolledBackPartsAreNotPlayedBack) {
  for (const std::uint64_t memory : {1U, 1U << 20}) {  // on disk, and in memory
    open(memory);
    ASSERT_TRUE(add(1, 10, 1).ok());
    ASSERT_TRUE(add(1, 20, 2).ok());
    ASSERT_TRUE(add(1, 21, 2).ok());
    ASSERT_TRUE(add(1, 30, 3).ok());
    buffer_->rollback_part(1, 2);
    ASSERT_TRUE(add(1, 11, 1).ok());
    ASSERT_TRUE(add(1, 22, 2).ok());  // the number is used again
    EXPECT_EQ(commit(1), (Values{10, 30, 11, 22}));
  }
}

TEST_F(TransactionBufferTest, RollsBackToSavepoints) {
  for (const std::uint64_t memory : {1U, 1U << 20}) {
    open(memory);
    ASSERT_TRUE(add(1, 1).ok());
    const auto first = buffer_->mark(1);
    ASSERT_TRUE(add(1, 2).ok());
    const auto second = buffer_->mark(1);
    ASSERT_TRUE(add(1, 3).ok());
    buffer_->rollback_to(1, second);
    ASSERT_TRUE(add(1, 4).ok());
    const auto third = buffer_->mark(1);
    ASSERT_TRUE(add(1, 5).ok());
    buffer_->rollback_to(1, third);
    buffer_->rollback_to(1, third);
    ASSERT_TRUE(add(1, 6).ok());
    const auto before = first;
    ASSERT_TRUE(add(2, 1).ok());
    EXPECT_EQ(commit(1), (Values{1, 2, 4, 6}));
    ASSERT_TRUE(add(2, 2).ok());
    buffer_->rollback_to(2, before);
    EXPECT_EQ(commit(2), (Values{1}));
  }
}

TEST_F(TransactionBufferTest, AnythingIsPlayedBackAsItCame) {
  for (const std::uint64_t memory : {1U, 20'000U, 1U << 24}) {
    open(memory);
    std::mt19937 random(11);
    std::map<TransactionBuffer::Id, std::vector<std::string>> expected;
    for (unsigned i = 0; i < 60; ++i) {
      ChangeBatch batch;
      add_any_changes(batch, random, directory_.path(), i, 5'000);
      const auto texts = texts_of(batch);
      for (std::size_t c = 0; c < batch.changes().size(); ++c) {
        if (batch.changes()[c].has_commit()) continue;
        const TransactionBuffer::Id id = random() % 7;
        const auto added = buffer_->add(id, 0, batch, batch.changes()[c]);
        ASSERT_TRUE(added.ok()) << added.error().to_paragraph();
        expected[id].push_back(texts[c]);
      }
    }
    for (const auto& [id, texts] : expected) {
      const auto playback = buffer_->commit(id);
      ChangeBatch out(1 << 26);
      EXPECT_FALSE(playback->next(out).value());
      EXPECT_EQ(texts_of(out), texts);
    }
    EXPECT_EQ(buffer_->memory_bytes(), 0U);
    EXPECT_EQ(buffer_->disk_bytes(), 0U);
    EXPECT_EQ(file_count(), 0U);
  }
}

TEST_F(TransactionBufferTest, TenThousandTransactionsStayWithinMemory) {
  constexpr std::uint64_t kMemory = 7 << 20;
  constexpr unsigned kOpen = 10'000;
  open(kMemory);
  std::uint64_t most = 0;
  for (std::int64_t row = 0; row < 18; ++row) {
    for (unsigned id = 0; id < kOpen; ++id) {
      ASSERT_TRUE(add(id, row * kOpen + id).ok());
      most = std::max(most, buffer_->memory_bytes());
    }
  }
  EXPECT_EQ(buffer_->open_count(), kOpen);
  EXPECT_LE(most, kMemory + (64 << 10));
  for (const unsigned id : {0U, 1U, kOpen - 1}) {
    const Values values = commit(id);
    ASSERT_EQ(values.size(), 18U);
    EXPECT_EQ(values[17], 17 * std::int64_t{kOpen} + id);
  }
}

TEST_F(TransactionBufferTest, OneLargeTransactionStaysWithinMemory) {
  constexpr std::uint64_t kMemory = 1 << 20;
  constexpr std::int64_t kRows = 300'000;
  open(kMemory);
  std::uint64_t most = 0;
  for (std::int64_t row = 0; row < kRows; ++row) {
    ASSERT_TRUE(add(1, row).ok());
    most = std::max(most, buffer_->memory_bytes());
  }
  EXPECT_LE(most, kMemory + (128 << 10));
  EXPECT_GT(buffer_->disk_bytes(), 0U);
  const auto playback = buffer_->commit(1);
  ChangeBatch batch;
  std::int64_t next = 0;
  for (bool more = true; more;) {
    batch.reset();
    more = playback->next(batch).value();
    for (const Change& change : batch.changes()) {
      ASSERT_EQ(change.after[0].payload.i64, next);
      ++next;
    }
  }
  EXPECT_EQ(next, kRows);
}

TEST_F(TransactionBufferTest, OldTransactionsGoToDisk) {
  open(1 << 20);
  ASSERT_TRUE(add(1, 1).ok());
  ASSERT_TRUE(buffer_->spill_older(std::chrono::steady_clock::time_point::min()).ok());
  EXPECT_EQ(buffer_->disk_bytes(), 0U);
  ASSERT_TRUE(buffer_->spill_older(std::chrono::steady_clock::time_point::max()).ok());
  EXPECT_GT(buffer_->disk_bytes(), 0U);
  ASSERT_TRUE(add(1, 2).ok());
  EXPECT_EQ(commit(1), (Values{1, 2}));
}

TEST_F(TransactionBufferTest, AFullDiskLosesNothing) {
  open(4096);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  unsigned refused = 0;
  Values expected;
  rlim_t room = 8;
  for (std::int64_t row = 0; row < 20'000; ++row) {
    for (;;) {
      rlimit limit = before;
      limit.rlim_cur = room;
      ::setrlimit(RLIMIT_FSIZE, &limit);
      const auto added = add(1, row * 7'919'317);
      ::setrlimit(RLIMIT_FSIZE, &before);
      if (added.ok()) break;
      ASSERT_EQ(added.error().code, "spill.disk_full");
      ++refused;
      room += 1000;
    }
    expected.push_back(row * 7'919'317);
  }
  EXPECT_GT(refused, 10U);
  EXPECT_EQ(commit(1), expected);
}

}  // namespace
}  // namespace wherry::connect
