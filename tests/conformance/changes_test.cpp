// The duties of a source of changes: snapshot and stream fit without gap or overlap, commits come
// in order, whole, from any place, and what was not confirmed can be had again.
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "connect/api/changes.h"
#include "tests/conformance/fixture.h"

namespace wherry::conformance {

using connect::Change;
using connect::ChangeBatch;
using connect::ChangeKind;

namespace {
constexpr std::chrono::seconds kPatience{60};

/// Of a key, whatever the source's type for it.
std::int64_t number_of(const Value& value) {
  return value.bytes.empty() ? value.i64 : std::stoll(value.bytes);
}
}  // namespace

// Not every connector has changes.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Changes);

void Changes::SetUp() {
  Conformance::SetUp();
  if ((fixture_->connector().info().roles & connect::kChangeSource) == 0) {
    GTEST_SKIP() << "declares no change role";
  }
  open_source();
  context_.deadline = std::chrono::steady_clock::now() + kPatience;
}

void Changes::open_source() {
  auto opened = fixture_->connector().open_change_source(context_, fixture_->settings());
  WHERRY_ASSERT_OK(opened);
  source_ = std::move(*opened);
}

void Changes::TearDown() {
  if (!source_) return;
  context_.deadline = std::chrono::steady_clock::now() + kPatience;
  EXPECT_TRUE(source_->forget(context_, request_.task_name).ok());
}

void Changes::create(const std::string& name, int rows) {
  table_ = simple_table(name, rows);
  fixture_->create(table_);
  request_.task_name = "conformance";
  request_.tables = {plan_of(table_.definition)};
}

Row Changes::row(std::int64_t id, const std::string& name) {
  return {Value::integer(id), Value::text(name)};
}

std::unique_ptr<connect::ChangeStream> Changes::stream(const Position& from) {
  last_ = {};
  is_open_ = false;
  auto opened = source_->open(context_, request_);
  EXPECT_TRUE(opened.ok()) << opened.error().to_paragraph();
  if (!opened.ok()) return nullptr;
  const auto started = (*opened)->start(context_, from);
  EXPECT_TRUE(started.ok()) << started.error().to_paragraph();
  return std::move(*opened);
}

/// Applies changes to `rows_` as they come; anything that does not fit is a failure.
void Changes::apply(const ChangeBatch& batch) {
  for (const Change& change : batch.changes()) {
    switch (change.kind) {
      case ChangeKind::kBegin:
        EXPECT_FALSE(is_open_) << "a transaction within another";
        is_open_ = true;
        EXPECT_TRUE(change.has_commit()) << "a beginning without its order";
        begun_ = change.has_commit() ? batch.commit(change).order : 0;
        break;
      case ChangeKind::kCommit: {
        EXPECT_TRUE(is_open_) << "a commit without a beginning";
        is_open_ = false;
        const connect::CommitInfo& commit = batch.commit(change);
        EXPECT_GE(commit.order, last_.order) << "commits out of order";
        EXPECT_EQ(commit.order, begun_) << "a transaction with two orders";
        last_ = commit;
        ++commits_;
        break;
      }
      case ChangeKind::kInsert:
      case ChangeKind::kUpdate:
      case ChangeKind::kDelete:
        EXPECT_TRUE(is_open_) << "a row outside of a transaction";
        apply_row(change);
        break;
      default:
        break;
    }
  }
}

void Changes::apply_row(const Change& change) {
  const int id_at = change.shape->definition.find_column("ID");
  const int name_at = change.shape->definition.find_column("NAME");
  ASSERT_GE(id_at, 0);
  const auto id_of = [&](const Cell* cells) { return number_of(*memory::from_cell(cells[id_at])); };
  if (change.kind != ChangeKind::kInsert) {
    const std::int64_t id = id_of(change.before != nullptr ? change.before : change.after);
    EXPECT_EQ(rows_.erase(id), 1U) << "row " << id << " is not there";
  }
  if (change.kind == ChangeKind::kDelete) return;
  const std::int64_t id = id_of(change.after);
  ASSERT_NE(change.after[name_at].state, CellState::kUnchanged);
  const bool is_new = rows_.emplace(id, memory::from_cell(change.after[name_at])->bytes).second;
  EXPECT_TRUE(is_new) << "row " << id << " is there already";
}

void Changes::read_until(connect::ChangeStream& from, std::int64_t marker) {
  ChangeBatch batch(2'000);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!rows_.contains(marker) || is_open_) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the last row does not come";
    batch.reset();
    context_.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    const auto read = from.read(context_, batch);
    WHERRY_ASSERT_OK(read);
    apply(batch);
  }
  context_.deadline = std::chrono::steady_clock::now() + kPatience;
}

void Changes::write(std::vector<RowWrite> writes) {
  fixture_->transact(table_.definition, writes);
}

TEST_P(Changes, SnapshotAndStreamHaveNoGapAndNoOverlap) {
  create("FIT", 50);
  fit([this] { return source_->prepare(context_, request_); });
}

TEST_P(Changes, AnAnchorFitsTheStreamThatIsThereAlready) {
  create("ANCHOR", 50);
  WHERRY_ASSERT_OK(source_->prepare(context_, request_));
  fit([this] { return source_->anchor(context_, request_); });
}

/// What is read at a start, and the stream after it, are the table as it is in the end.
void Changes::fit(const std::function<Result<connect::StreamStart>()>& begin) {
  std::atomic<bool> is_over{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    std::mt19937 random(1);
    std::map<std::int64_t, int> ids;
    for (std::int64_t next = 1000; !is_over; ++next) {
      std::vector<RowWrite> writes{{{}, row(next, "new")}};
      if (random() % 2 == 0) writes.push_back({{Value::integer(next)}, row(next, "changed")});
      if (random() % 3 == 0) {
        writes.push_back({{Value::integer(next)}, row(next + 1'000'000, "moved")});
      } else if (random() % 3 == 0) {
        writes.push_back({{Value::integer(next)}, {}});
      }
      write(std::move(writes));
      ++written;
    }
  });
  while (written < 20) std::this_thread::yield();
  auto start = begin();
  const int at_start = written;
  while (written < at_start + 20) std::this_thread::yield();
  std::vector<Row> loaded;
  if (start.ok()) {
    const auto view = snapshot(start->snapshot);
    EXPECT_TRUE(view);
    auto rows =
        view ? read(*view, request_.tables[0]) : Result<std::vector<Row>>(cancelled_error());
    EXPECT_TRUE(rows.ok());
    if (rows.ok()) loaded = std::move(*rows);
  }
  while (written < at_start + 60) std::this_thread::yield();
  is_over = true;
  writer.join();
  WHERRY_ASSERT_OK(start);
  for (const Row& one : loaded) rows_[number_of(one[0])] = one[1].bytes;
  write({{{}, row(77'777'777, "last")}});
  const auto changes = stream(start->position);
  ASSERT_TRUE(changes);
  read_until(*changes, 77'777'777);
  const auto now = read(*snapshot(), request_.tables[0]);
  WHERRY_ASSERT_OK(now);
  std::map<std::int64_t, std::string> expected;
  for (const Row& one : *now) expected[number_of(one[0])] = one[1].bytes;
  EXPECT_EQ(rows_, expected);
}

TEST_P(Changes, AStreamBegunAtAnyCommitGivesTheRest) {
  create("RESTART", 0);
  const auto start = source_->prepare(context_, request_);
  WHERRY_ASSERT_OK(start);
  for (std::int64_t id = 1; id <= 20; ++id) {
    write({{{}, row(id, "one")}, {{Value::integer(id)}, row(id, "two")}, {{}, row(-id, "three")}});
  }
  std::vector<std::pair<Position, std::map<std::int64_t, std::string>>> places;
  {
    const auto changes = stream(start->position);
    ASSERT_TRUE(changes);
    places.emplace_back(start->position, rows_);
    ChangeBatch batch(1);  // every record is an edge
    while (commits_ < 20) {
      batch.reset();
      context_.deadline = std::chrono::steady_clock::now() + kPatience;
      WHERRY_ASSERT_OK(changes->read(context_, batch));
      const int before = commits_;
      apply(batch);
      if (commits_ != before) places.emplace_back(last_.position, rows_);
    }
  }
  const auto all = rows_;
  ASSERT_EQ(all.size(), 40U);
  for (const auto& [position, rows] : places) {
    rows_ = rows;
    const auto changes = stream(position);
    ASSERT_TRUE(changes);
    if (rows_ != all) read_until(*changes, -20);
    EXPECT_EQ(rows_, all) << position.text;
  }
}

TEST_P(Changes, WhatWasNotConfirmedCanBeHadAgain) {
  create("CONFIRM", 0);
  const auto start = source_->prepare(context_, request_);
  WHERRY_ASSERT_OK(start);
  Position middle;
  std::map<std::int64_t, std::string> rows_there;
  {
    const auto changes = stream(start->position);
    ASSERT_TRUE(changes);
    write({{{}, row(1, "a")}});
    read_until(*changes, 1);
    middle = last_.position;
    rows_there = rows_;
    write({{{}, row(2, "b")}});
    read_until(*changes, 2);
    WHERRY_ASSERT_OK(changes->confirm(context_, middle));
    write({{{}, row(3, "c")}});
    read_until(*changes, 3);
  }
  const auto all = rows_;
  rows_ = rows_there;
  const auto changes = stream(middle);
  ASSERT_TRUE(changes);
  read_until(*changes, 3);
  EXPECT_EQ(rows_, all);
}

TEST_P(Changes, AStopEndsAWaitingRead) {
  create("WAIT", 0);
  const auto start = source_->prepare(context_, request_);
  WHERRY_ASSERT_OK(start);
  const auto changes = stream(start->position);
  ASSERT_TRUE(changes);
  std::stop_source stop;
  OpContext context;
  context.stop = stop.get_token();
  std::jthread stopper([&] { stop.request_stop(); });
  const auto began = std::chrono::steady_clock::now();
  ChangeBatch batch;
  for (;;) {
    batch.reset();
    const auto read = changes->read(context, batch);
    if (read.ok()) continue;
    EXPECT_EQ(read.error().kind, ErrorKind::kCancelled);
    break;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_P(Changes, ADeadSourceIsTransientAndComesBack) {
  create("DEAD", 0);
  const auto start = source_->prepare(context_, request_);
  WHERRY_ASSERT_OK(start);
  auto changes = stream(start->position);
  ASSERT_TRUE(changes);
  write({{{}, row(1, "a")}});
  fixture_->shut_down();
  ChangeBatch batch;
  Result<connect::StreamState> read = connect::StreamState::kIdle;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (read.ok() && std::chrono::steady_clock::now() < deadline) {
    batch.reset();
    context_.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    read = changes->read(context_, batch);
  }
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ErrorKind::kTransient) << read.error().to_paragraph();
  fixture_->start_up();
  context_.deadline = std::chrono::steady_clock::now() + kPatience;
  open_source();  // the server's address may be another
  changes = stream(start->position);
  ASSERT_TRUE(changes);
  read_until(*changes, 1);
}

}  // namespace wherry::conformance
