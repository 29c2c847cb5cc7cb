#include "engine/changes/stream_feed.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "connect/memory/connector.h"

namespace wherry::engine {
namespace {

using connect::ChangeKind;
using memory::Value;

const schema::TableRef kTable{"APP", "T"};
constexpr std::chrono::seconds kPatience{60};

class StreamFeedTest : public ::testing::Test {
 protected:
  StreamFeedTest() : database_(connector_.create("one")) {
    std::string path = (std::filesystem::temp_directory_path() / "wherry-test-XXXXXX").string();
    directory_ = ::mkdtemp(path.data());
    put(kTable);
    auto plan = std::make_shared<schema::TablePlan>();
    plan->source = kTable;
    options_.request.task_name = "t";
    options_.request.tables = {plan};
    options_.cache.directory = directory_ / "cache";
    options_.cache.spill_directory = directory_;
    options_.cache.segment_bytes = 20'000;
    options_.retry.wait = std::chrono::milliseconds(1);
    options_.retry.most_wait = std::chrono::milliseconds(5);
    options_.retry.stops_at_most_wait = false;
    options_.full_disk_wait = std::chrono::milliseconds(5);
    source_ =
        connector_.open_change_source(context_, memory::MemoryConnector::settings("one")).value();
    context_.deadline = std::chrono::steady_clock::now() + kPatience;
    const auto start = source_->prepare(context_, options_.request).value();
    from_ = {start.position, start.order};
  }
  ~StreamFeedTest() override {
    feed_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void put(const schema::TableRef& table) {
    schema::TableDef definition;
    definition.table = table;
    for (const char* name : {"ID", "NOTE"}) {
      schema::ColumnDef column;
      column.name = name;
      column.type.kind =
          name == std::string("ID") ? schema::TypeKind::kInt64 : schema::TypeKind::kText;
      definition.columns.push_back(column);
    }
    definition.keys.push_back({"PK", {"ID"}, true});
    database_.put(definition);
  }
  void open(const changes::Place& from) {
    feed_.reset();
    auto opened = StreamFeed::open(context_, *source_, from.position, options_, progress_);
    ASSERT_TRUE(opened.ok()) << opened.error().to_paragraph();
    feed_ = std::move(*opened);
  }
  /// Commits transactions of one row each (`rows` of them), whose numbers are consecutive.
  void commit(int transactions, int rows = 1, std::size_t note_bytes = 10) {
    for (; transactions > 0; --transactions) {
      const auto done = database_.transact([&](memory::Transaction& transaction) -> Result<void> {
        for (int i = 0; i < rows; ++i) {
          WHERRY_TRY(transaction.insert(
              kTable, {Value::integer(++written_), Value::text(std::string(note_bytes, 'x'))}));
        }
        return {};
      });
      ASSERT_TRUE(done.ok());
    }
  }
  /// Reads a batch; checks that each row comes once, in order.
  void take_one() {
    context_.deadline = std::chrono::steady_clock::now() + kPatience;
    auto next = feed_->next(context_);
    ASSERT_TRUE(next.ok()) << next.error().to_paragraph();
    ASSERT_NE(*next, nullptr) << "nothing came after row " << seen_;
    for (const connect::Change& change : (*next)->changes()) {
      if (change.kind == ChangeKind::kInsert) {
        ASSERT_EQ(change.after[0].payload.i64, ++seen_);
      }
      if (!change.has_commit()) continue;
      const connect::CommitInfo& info = (*next)->commit(change);
      last_ = {info.position, info.order};
    }
  }
  /// Reads until the last row that was written.
  void read_all() {
    while (seen_ < written_ && !HasFatalFailure()) take_one();
  }
  void release(const changes::Place& place) {
    connect::Checkpoint checkpoint;
    checkpoint.position = place.position;
    checkpoint.point.order = place.order;
    ASSERT_TRUE(feed_->release(context_, checkpoint).ok());
  }
  template <class Claim>
  bool wait_until(const Claim& claim) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!claim()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  memory::MemoryConnector connector_;
  memory::Database& database_;
  std::filesystem::path directory_;
  OpContext context_;
  std::unique_ptr<connect::ChangeSource> source_;
  StreamFeed::Options options_;
  ApplyProgress progress_;
  changes::Place from_, last_;
  std::unique_ptr<StreamFeed> feed_;
  std::int64_t written_ = 0, seen_ = 0;
};

TEST_F(StreamFeedTest, BeforeTheApplyChangesWaitOnDiskAndThenComeInOrder) {
  open(from_);
  commit(200, 3);
  ASSERT_TRUE(wait_until([&] { return feed_->status().read_to.order == database_.version(); }));
  EXPECT_GT(feed_->status().disk_bytes, 0U);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  read_all();
  // Caught up: nothing more goes to disk.
  commit(1);
  read_all();
  const std::uint64_t disk = feed_->status().disk_bytes;
  commit(50);
  read_all();
  EXPECT_FALSE(feed_->status().is_reading_disk);
  EXPECT_EQ(feed_->status().disk_bytes, disk);
  EXPECT_TRUE(feed_->is_empty());
}

TEST_F(StreamFeedTest, TheSourceIsToldWhatIsDurable) {
  open(from_);
  commit(20);
  // In the cache, on disk: the source may forget it although nothing was applied.
  ASSERT_TRUE(wait_until([&] { return database_.confirmed() == database_.version(); }));
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  read_all();
  commit(1);
  read_all();
  const std::uint64_t confirmed = database_.confirmed();
  commit(5);
  read_all();
  // In memory only.
  EXPECT_EQ(feed_->wait_for_head(context_).value().order, database_.version());
  EXPECT_LE(database_.confirmed(), confirmed + 1);
  release(last_);
  EXPECT_TRUE(wait_until([&] { return database_.confirmed() == last_.order; }));
}

TEST_F(StreamFeedTest, ASlowApplySendsChangesToDiskAndBack) {
  options_.memory_bytes = 20'000;
  options_.batch_bytes = 2'000;
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  for (int round = 0; round < 3; ++round) {
    commit(1);
    read_all();
    commit(300, 2, 100);
    ASSERT_TRUE(wait_until([&] { return feed_->status().read_to.order == database_.version(); }));
    EXPECT_TRUE(feed_->status().is_reading_disk);
    EXPECT_LE(feed_->status().memory_bytes, options_.memory_bytes);
    read_all();
    release(last_);
    commit(1);
    read_all();
    EXPECT_FALSE(feed_->status().is_reading_disk);
  }
}

TEST_F(StreamFeedTest, ABacklogIsReadAsTheApplyTakesIt) {
  options_.read_ahead_bytes = 100'000;
  options_.batch_bytes = 10'000;
  options_.taking_pause = kPatience;
  // All of them are there before the first is read: else it is no backlog.
  database_.faults().add({memory::Point::kReadChanges, {}, 0, 1, std::nullopt});
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  ASSERT_TRUE(database_.faults().wait_held(1, kPatience));
  commit(1000, 1, 1000);
  database_.faults().release();
  ASSERT_TRUE(wait_until([&] { return feed_->status().memory_bytes > 100'000; }));
  std::uint64_t most = 0;
  while (seen_ < written_ && !HasFatalFailure()) {
    most = std::max(most, feed_->status().memory_bytes);
    take_one();
  }
  EXPECT_LT(most, 150'000U);
  EXPECT_FALSE(feed_->status().is_reading_disk);
}

TEST_F(StreamFeedTest, ABacklogIsReadOnWhenTheApplyTakesNothing) {
  options_.read_ahead_bytes = 100'000;
  options_.taking_pause = std::chrono::milliseconds(1);
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  commit(1000, 1, 1000);
  ASSERT_TRUE(wait_until([&] { return feed_->status().memory_bytes > 900'000; }));
  read_all();
}

TEST_F(StreamFeedTest, WhatComesAfterWhatHasWaitedForLongWaitsOnDisk) {
  options_.memory_keep = std::chrono::milliseconds(20);
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  commit(1);
  read_all();
  commit(1);  // nobody takes it
  ASSERT_TRUE(wait_until([&] { return feed_->status().read_to.order == database_.version(); }));
  const auto since = std::chrono::steady_clock::now();
  EXPECT_FALSE(feed_->status().is_reading_disk);
  ASSERT_TRUE(
      wait_until([&] { return std::chrono::steady_clock::now() - since > options_.memory_keep; }));
  commit(3);
  ASSERT_TRUE(wait_until([&] { return feed_->status().read_to.order == database_.version(); }));
  EXPECT_TRUE(feed_->status().is_reading_disk);
  read_all();
  commit(1);
  read_all();
  EXPECT_FALSE(feed_->status().is_reading_disk);
}

TEST_F(StreamFeedTest, ThePlaceWhereItGoesOnMustComeByInTime) {
  options_.recovery_limit = std::chrono::milliseconds(30);
  options_.retry.most_tries = -1;
  // The source is there, and has not come to that place.
  database_.faults().add({memory::Point::kReadChanges, {}, 0, 1, std::nullopt});
  open(from_);
  commit(1);
  ASSERT_TRUE(database_.faults().wait_held(1, kPatience));
  EXPECT_TRUE(wait_until([&] { return feed_->failure().has_value(); }));
  EXPECT_EQ(feed_->failure()->code, "feed.recovery_timeout");
  // It cannot be reached.
  database_.faults().shut_down();
  open(from_);
  EXPECT_TRUE(wait_until([&] { return feed_->failure().has_value(); }));
  EXPECT_EQ(feed_->failure()->code, "feed.recovery_timeout");
  // What has come in time is not asked for again.
  database_.faults().start_up();
  options_.recovery_limit = std::chrono::seconds(2);
  const auto since = std::chrono::steady_clock::now();
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  read_all();
  database_.faults().shut_down();
  const std::uint64_t restarts = feed_->status().restarts;
  ASSERT_TRUE(wait_until([&] {
    return std::chrono::steady_clock::now() - since > *options_.recovery_limit &&
           feed_->status().restarts > restarts + 1;
  }));
  EXPECT_FALSE(feed_->failure());
}

TEST_F(StreamFeedTest, WithoutAConnectionTheSourcesLatencyGrows) {
  open(from_);
  commit(1);
  const auto soon = [] { return std::chrono::system_clock::now() + std::chrono::minutes(1); };
  ASSERT_TRUE(wait_until([&] { return feed_->status().read_to.order == database_.version(); }));
  ASSERT_TRUE(wait_until([&] { return progress_.source_latency(soon()).count() == 0; }));
  EXPECT_GT(progress_.times().of(ApplyStage::kDecode).count(), 0);
  database_.faults().shut_down();
  EXPECT_TRUE(
      wait_until([&] { return progress_.source_latency(soon()) >= std::chrono::seconds(59); }));
  database_.faults().start_up();
  EXPECT_TRUE(wait_until([&] { return progress_.source_latency(soon()).count() == 0; }));
}

TEST_F(StreamFeedTest, ATransactionLargerThanTheMemoryComesWhole) {
  options_.memory_bytes = 10'000;
  options_.batch_bytes = 2'000;
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  commit(1);
  read_all();
  commit(1, 2'000, 20);
  read_all();
  commit(1);
  read_all();
}

TEST_F(StreamFeedTest, ALaterRunGoesOnWithWhatIsOnDisk) {
  open(from_);
  commit(100);
  ASSERT_TRUE(wait_until([&] { return database_.confirmed() == database_.version(); }));
  ASSERT_TRUE(feed_->stop().ok());
  commit(10);
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  read_all();
  const changes::Place middle{last_.position, last_.order - 30};
  const Position position{"memory:" + std::to_string(middle.order)};
  // The target's connection broke: the apply wants the last ones again.
  ASSERT_TRUE(feed_->start(context_, position).ok());
  seen_ = written_ - 30;
  read_all();
}

TEST_F(StreamFeedTest, ACheckpointAtAHeartbeatUsesWhatIsOnDisk) {
  const schema::TableRef other{"APP", "OTHER"};
  put(other);
  const auto commit_elsewhere = [&](std::int64_t id) {
    const auto done = database_.transact([&](memory::Transaction& transaction) {
      return transaction.insert(other, {Value::integer(id), Value::text("none of ours")});
    });
    ASSERT_TRUE(done.ok());
    ASSERT_TRUE(wait_until([&] { return feed_->status().read_to.order == database_.version(); }));
  };
  open(from_);
  commit_elsewhere(1);
  const changes::Place heartbeat = feed_->status().read_to;
  commit_elsewhere(2);
  ASSERT_TRUE(wait_until([&] { return database_.confirmed() == database_.version(); }));
  ASSERT_TRUE(feed_->stop().ok());
  // The source was told that the second one is on disk.
  database_.forget_log(database_.version());
  open(heartbeat);
  commit(1);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  // A checkpoint's order stays that of its last transaction.
  release({heartbeat.position, from_.order});
  read_all();
}

TEST_F(StreamFeedTest, TheApplyMayGoBackToWhatWasOnlyInMemory) {
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  commit(1);
  read_all();
  commit(30);
  read_all();
  const changes::Place before = last_;
  release(before);
  commit(20);
  read_all();
  ASSERT_TRUE(feed_->start(context_, before.position).ok());
  seen_ = written_ - 20;
  read_all();
  commit(5);
  read_all();
}

TEST_F(StreamFeedTest, WhatTheSourceHasForgottenStaysUntilTheTargetHasIt) {
  options_.memory_bytes = 5'000;
  options_.batch_bytes = 500;
  open(from_);
  commit(20);
  ASSERT_TRUE(wait_until([&] { return database_.confirmed() == database_.version(); }));
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  read_all();
  const changes::Place cached = last_;
  commit(1);
  read_all();
  commit(300);  // more than waits in memory
  ASSERT_TRUE(wait_until([&] { return feed_->status().memory_bytes > options_.memory_bytes / 2; }));
  // The target's connection broke, and it had nothing yet.
  ASSERT_TRUE(feed_->start(context_, from_.position).ok());
  seen_ = 0;
  read_all();
  // A later run finds it too.
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  seen_ = 0;
  read_all();
  release(cached);
  commit(300);
  read_all();
}

TEST_F(StreamFeedTest, AStreamThatBreaksIsReadOn) {
  options_.batch_bytes = 500;
  for (std::uint64_t at = 20; at < 320; at += 20) {
    database_.faults().add(
        {memory::Point::kReadChanges, {}, from_.order + at, 2, memory::cut_error()});
  }
  open(from_);
  commit(100, 7);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  commit(250, 7);
  read_all();
  EXPECT_GT(feed_->status().restarts, 5U);
}

TEST_F(StreamFeedTest, ALostLogEndsTheFeedInWords) {
  options_.retry.most_tries = 3;
  open(from_);
  commit(5);
  ASSERT_TRUE(wait_until([&] { return feed_->status().read_to.order == database_.version(); }));
  database_.faults().shut_down();
  ASSERT_TRUE(feed_->stop().ok());
  commit(5);
  database_.forget_log(database_.version());
  database_.faults().start_up();
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  ASSERT_TRUE(wait_until([&] { return feed_->failure().has_value(); }));
  const auto next = feed_->next(context_);
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().kind, ErrorKind::kPositionLost);
}

/// Of the files that this process writes.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() { lift(); }
  void lift() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(StreamFeedTest, AFullDiskPausesTheReadingAndLosesNothing) {
  FileLimit limit(3'000);
  options_.cache.segment_bytes = 1'000'000;
  open(from_);
  commit(400, 2, 50);
  const bool has_paused = wait_until([&] { return feed_->status().is_paused; });
  limit.lift();
  EXPECT_TRUE(has_paused);
  ASSERT_TRUE(wait_until([&] { return !feed_->status().is_paused; }));
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  read_all();
}

// The limit is for a file, so that a new one has room.
TEST_F(StreamFeedTest, AFullDiskGetsBackTheFileThatTheTargetHas) {
  FileLimit limit(4'000);
  options_.cache.segment_bytes = 1'000'000;
  options_.memory_bytes = 10'000;
  options_.batch_bytes = 2'000;
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  commit(1'000, 2, 100);
  ASSERT_TRUE(wait_until([&] { return feed_->status().is_paused; }));
  EXPECT_TRUE(wait_until([&] {
    while (!feed_->is_empty() && !HasFatalFailure()) take_one();
    release(last_);
    return seen_ == written_ || HasFatalFailure();
  }));
  EXPECT_FALSE(feed_->failure());
}

TEST_F(StreamFeedTest, ASourceThatBreaksWhileTheDiskIsFullIsReadOnOnce) {
  options_.cache.segment_bytes = 1'000'000;
  options_.head_interval = std::chrono::milliseconds(1);
  for (const bool has_room_first : {false, true}) {
    SCOPED_TRACE(has_room_first);
    if (feed_) from_ = last_;
    FileLimit limit(6'000);
    open(from_);
    // Of a batch that has no room some transactions are on disk already.
    commit(300, 20, 100);
    ASSERT_TRUE(wait_until([&] { return feed_->status().is_paused; }));
    EXPECT_GT(feed_->status().disk_bytes, 0U);
    database_.faults().shut_down();
    if (has_room_first) limit.lift();
    ASSERT_TRUE(wait_until([&] { return feed_->status().restarts > 0; }));
    database_.faults().start_up();
    limit.lift();
    ASSERT_TRUE(feed_->start(context_, {}).ok());
    read_all();
    EXPECT_FALSE(feed_->failure());
  }
}

TEST_F(StreamFeedTest, AFullDiskForOpenTransactionsPausesTheReadingToo) {
  const Error full = make_error(ErrorKind::kResource, "spill.disk_full", "no room");
  options_.batch_bytes = 500;
  database_.faults().add({memory::Point::kReadChanges, {}, from_.order + 3, 20, full});
  database_.faults().add({memory::Point::kStartStream, {}, 0, 2, full});
  open(from_);
  commit(10, 7);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  EXPECT_TRUE(wait_until([&] { return feed_->status().is_paused; }));
  read_all();
  EXPECT_TRUE(wait_until([&] { return !feed_->status().is_paused; }));
  EXPECT_FALSE(feed_->failure());
}

TEST_F(StreamFeedTest, AFullDiskGetsBackWhatTheTargetHas) {
  const Error full = make_error(ErrorKind::kResource, "spill.disk_full", "no room");
  options_.cache.segment_bytes = 100'000'000;
  open(from_);
  commit(200, 20, 100);  // nobody takes them yet, so they wait on disk
  ASSERT_TRUE(wait_until([&] { return feed_->status().disk_bytes > 10'000; }));
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  read_all();
  release(last_);
  EXPECT_GT(feed_->status().disk_bytes, 10'000U) << "the file is not large enough to be closed";
  database_.faults().add({memory::Point::kReadChanges, {}, last_.order + 1, 20, full});
  commit(10, 7);
  EXPECT_TRUE(wait_until([&] { return feed_->status().disk_bytes == 0; }));
  read_all();
  EXPECT_FALSE(feed_->failure());
}

TEST_F(StreamFeedTest, WhatIsReadAtOnceDoesNotTouchTheDisk) {
  open(from_);
  ASSERT_TRUE(feed_->start(context_, {}).ok());
  commit(1);
  read_all();
  const std::uint64_t disk = feed_->status().disk_bytes;
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i < 200; ++i) {
    const auto began = std::chrono::steady_clock::now();
    commit(1);
    read_all();
    times.push_back(std::chrono::steady_clock::now() - began);
  }
  std::sort(times.begin(), times.end());
  const auto median = std::chrono::duration_cast<std::chrono::microseconds>(times[100]);
  RecordProperty("median_us", static_cast<int>(median.count()));
  std::printf("commit to next(): median %lld us\n", static_cast<long long>(median.count()));
  EXPECT_EQ(feed_->status().disk_bytes, disk);
}

}  // namespace
}  // namespace wherry::engine
