// Changes of a live server: what the log says of each kind of change, and what goes wrong. The
// server is the oracle for values: they are put into a second table and compared there.
#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "connect/api/changes.h"
#include "connect/postgres/log_position.h"
#include "connect/postgres/pg_test_support.h"
#include "connect/postgres/replication.h"
#include "connect/postgres/slot.h"
#include "core/time_text.h"
#include "schema/postgres_ddl.h"
#include "tests/support/certificate.h"

namespace wherry::postgres::test {
namespace {

using connect::Change;
using connect::ChangeBatch;
using connect::ChangeKind;
using connect::StreamState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::seconds kPatience{30};

std::string cell_text(const Cell& cell) {
  if (cell.state == CellState::kNull) return "NULL";
  if (cell.state == CellState::kUnchanged) return "-";
  switch (cell.kind) {
    case CellKind::kText:
    case CellKind::kBytes:
      return std::string(cell.bytes());
    case CellKind::kDecimal:
      return to_text(decimal_of(cell));
    case CellKind::kFloat64:
      return std::to_string(cell.payload.f64);
    case CellKind::kBool:
      return cell.payload.i64 != 0 ? "true" : "false";
    case CellKind::kTimestamp: {
      char text[kTimeTextBytes];
      return {text, format_timestamp(text, cell.payload.i64, cell.nanos, 6)};
    }
    default:
      return std::to_string(cell.payload.i64);
  }
}

std::string row_text(const Change& change, const Cell* row) {
  if (row == nullptr) return "";
  std::string out = " (";
  for (std::size_t i = 0; i < change.shape->definition.columns.size(); ++i) {
    out += (i == 0 ? "" : ",") + cell_text(row[i]);
  }
  return out + ")";
}

/// "update t (1,-) -> (2,b)"
std::string change_text(const Change& change) {
  const std::string table =
      change.shape == nullptr ? "" : " " + change.shape->definition.table.name;
  switch (change.kind) {
    case ChangeKind::kBegin:
      return "begin";
    case ChangeKind::kCommit:
      return "commit";
    case ChangeKind::kInsert:
      return "insert" + table + row_text(change, change.after);
    case ChangeKind::kUpdate:
      return "update" + table + row_text(change, change.before) + " ->" +
             row_text(change, change.after);
    case ChangeKind::kDelete:
      return "delete" + table + row_text(change, change.before);
    case ChangeKind::kTruncate:
      return "truncate" + table + (change.cascades ? " cascade" : "") +
             (change.restarts_identity ? " restart" : "");
    case ChangeKind::kShape: {
      std::string out = "shape of " + change.shape->source.name + ":" + table;
      for (const auto& column : change.shape->definition.columns) {
        out += " " + column.name + " " + column.native_type;
      }
      return out;
    }
    case ChangeKind::kDdl:
      return "ddl" + table + ": " + std::string(change.text);
    case ChangeKind::kHeartbeat:
      return "heartbeat";
  }
  return "?";
}

class Changes : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    run("create schema app");
    settings_.options["CaptureDdls"] = "false";
    task_ = database_;
  }
  void TearDown() override {
    stream_.reset();
    start_.keeper.reset();
    if (source_ != nullptr) WHERRY_EXPECT_OK(source()->forget(context_, task_));
  }

  connect::ChangeSource* source() {
    if (source_ == nullptr) {
      auto made = connector_->open_change_source(context_, settings_);
      EXPECT_TRUE(made.ok()) << made.error().to_paragraph();
      source_ = std::move(*made);
    }
    return source_.get();
  }

  connect::StreamRequest request(const std::vector<std::string>& tables, bool is_native = false) {
    connect::StreamRequest out;
    out.task_name = task_;
    out.is_native = is_native;
    auto catalog = connector_->open_catalog(context_, settings_);
    EXPECT_TRUE(catalog.ok());
    auto found = (*catalog)->describe_tables(context_, {{"app"}});
    EXPECT_TRUE(found.ok());
    for (const std::string& name : tables) {
      auto plan = std::make_shared<schema::TablePlan>();
      plan->source = plan->target = {"app", name};
      std::string& shape = shapes_[name] = "shape of " + name + ": " + name;
      for (const schema::TableDef& table : *found) {
        if (table.table.name != name) continue;
        for (const schema::ColumnDef& column : table.columns) {
          schema::ColumnPlan to;
          to.source_name = to.target_name = column.name;
          to.type = column.type;
          to.source_type = to.target_type = column.native_type;
          plan->columns.push_back(to);
          shape += " " + column.name + " " + column.native_type;
        }
      }
      out.tables.push_back(plan);
    }
    return out;
  }

  /// Makes slot and publication and starts a stream there.
  void begin(const std::vector<std::string>& tables, bool is_native = false) {
    stream_.reset();
    request_ = request(tables, is_native);
    auto made = source()->prepare(context_, request_);
    WHERRY_EXPECT_OK(made);
    start_ = std::move(*made);
    open(start_.position);
    ASSERT_NE(stream_, nullptr);
  }
  void open(const Position& from) {
    stream_.reset();
    auto opened = source()->open(context_, request_);
    WHERRY_EXPECT_OK(opened);
    auto started = (*opened)->start(context_, from);
    WHERRY_EXPECT_OK(started);
    stream_ = std::move(*opened);
  }

  /// Not a shape that says what the request, or the last one of the table, says.
  bool is_news(const Change& change) {
    if (change.kind != ChangeKind::kShape) return true;
    ++shape_count_;
    std::string text = change_text(change);
    std::string& last = shapes_[change.shape->source.name];
    const bool is_same = last == text;
    last = std::move(text);
    return !is_same;
  }

  /// Reads until `is_enough` is true of a change, and keeps the last position.
  std::vector<std::string> read_until(const std::function<bool(const Change&)>& is_enough) {
    std::vector<std::string> out;
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (stream_ != nullptr && std::chrono::steady_clock::now() < give_up) {
      OpContext context = context_;
      context.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
      batch_->reset();
      auto state = stream_->read(context, *batch_);
      EXPECT_TRUE(state.ok()) << state.error().to_paragraph();
      if (!state.ok()) return out;
      bool is_done = false;
      for (const Change& change : batch_->changes()) {
        if (change.kind == ChangeKind::kCommit || change.kind == ChangeKind::kHeartbeat) {
          position_ = batch_->commit(change).position;
          last_order_ = batch_->commit(change).order;
        }
        if (change.kind != ChangeKind::kHeartbeat && is_news(change)) {
          out.push_back(change_text(change));
        }
        if (is_enough(change)) is_done = true;
      }
      if (is_done) return out;
    }
    ADD_FAILURE() << "the change did not come";
    return out;
  }
  std::vector<std::string> read_commits(int count) {
    return read_until([&count](const Change& change) {
      return change.kind == ChangeKind::kCommit && --count <= 0;
    });
  }
  /// The first error that reading gives.
  Error read_error() {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (stream_ != nullptr && std::chrono::steady_clock::now() < give_up) {
      OpContext context = context_;
      context.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
      batch_->reset();
      auto state = stream_->read(context, *batch_);
      if (!state.ok()) return state.error();
    }
    ADD_FAILURE() << "no error came";
    return {};
  }
  /// Waits until a query gives a value.
  void await(const std::string& sql, const std::string& wanted) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    std::string got;
    while (std::chrono::steady_clock::now() < give_up) {
      got = value(sql);
      if (got == wanted) return;
    }
    ADD_FAILURE() << sql << " gives " << got << ", not " << wanted;
  }
  [[nodiscard]] std::string slot() const { return slot_name_for(task_); }
  Error start_error(const Position& from) {
    stream_.reset();
    auto opened = source()->open(context_, request_);
    EXPECT_TRUE(opened.ok()) << opened.error().to_paragraph();
    if (!opened.ok()) return {};
    auto started = (*opened)->start(context_, from);
    EXPECT_FALSE(started.ok());
    return started.ok() ? Error{} : started.error();
  }

  std::string task_;
  std::unique_ptr<connect::ChangeSource> source_;
  connect::StreamRequest request_;
  connect::StreamStart start_;
  std::unique_ptr<connect::ChangeStream> stream_;
  std::map<std::string, std::string> shapes_;  ///< by table, as last told, or as requested
  int shape_count_ = 0;
  std::unique_ptr<ChangeBatch> batch_ = std::make_unique<ChangeBatch>();
  Position position_;
  connect::CommitOrder last_order_ = 0;
};

TEST_F(Changes, DeliversEveryKindOfChangeInOrder) {
  run("create table app.t (id int primary key, v text)");
  run("insert into app.t values (0, 'before')");
  begin({"t"});
  run("insert into app.t values (1, 'a'), (2, null)");
  run("update app.t set v = 'b' where id = 1");
  run("update app.t set id = 3 where id = 2");
  run("delete from app.t where id = 3");
  run("truncate app.t restart identity cascade");
  EXPECT_THAT(read_commits(5),
              ElementsAre("begin", "insert t (1,a)", "insert t (2,NULL)", "commit",  //
                          "begin", "update t -> (1,b)", "commit",                    //
                          "begin", "update t (2,-) -> (3,NULL)", "commit",           //
                          "begin", "delete t (3,-)", "commit",                       //
                          "begin", "truncate t cascade restart", "commit"));
}

TEST_F(Changes, WhereItBeginsIsNotConfirmedByThat) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("insert into app.t values (1)");
  read_commits(1);
  open(position_);
  run("insert into app.t values (2)");
  EXPECT_THAT(read_commits(1), Contains("insert t (2)"));
  // What was read before may never have come to the target.
  open(start_.position);
  EXPECT_THAT(read_commits(2), ElementsAre("begin", "insert t (1)", "commit",  //
                                           "begin", "insert t (2)", "commit"));
}

TEST_F(Changes, TellsOfADefinitionAgainWhereverItBeginsAgain) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("alter table app.t add v text");
  run("insert into app.t values (1, 'a')");
  const std::vector<std::string> told = read_commits(1);
  EXPECT_THAT(told,
              ElementsAre("begin", "shape of t: t id integer v text", "insert t (1,a)", "commit"));
  // What was told may not have come to the target: by the same stream, and by another.
  shapes_.clear();
  WHERRY_EXPECT_OK(stream_->start(context_, start_.position));
  EXPECT_EQ(read_commits(1), told);
  request_ = request({"t"});
  shapes_.clear();
  open(start_.position);
  EXPECT_EQ(read_commits(1), told);
}

TEST_F(Changes, BeginsExactlyWhereTheSnapshotEnds) {
  run("create table app.t (id int primary key)");
  run("insert into app.t values (1)");
  request_ = request({"t"});
  auto made = source()->prepare(context_, request_);
  WHERRY_EXPECT_OK(made);
  start_ = std::move(*made);
  run("insert into app.t values (2)");
  auto snapshot = connector_->open_snapshot(context_, settings_, start_.snapshot);
  WHERRY_EXPECT_OK(snapshot);
  auto reader = (*snapshot)->open(context_, request_.tables[0], {}, connect::RowOrder::kByKey);
  WHERRY_EXPECT_OK(reader);
  RowBatch rows;
  WHERRY_EXPECT_OK((*reader)->read(context_, rows));
  EXPECT_EQ(rows.row_count(), 1U);
  open(start_.position);
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert t (2)", "commit"));
  EXPECT_GT(last_order_, start_.order);
  // The positions stand in one order with the commits.
  EXPECT_EQ(*source()->order_of(start_.position), start_.order);
  EXPECT_GE(*source()->order_of(position_), last_order_);
}

TEST_F(Changes, GoesOnAfterAnyCommitWithoutLosingOrRepeatingOne) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  for (int i = 1; i <= 5; ++i) run("insert into app.t values (" + std::to_string(i) + ")");
  batch_ = std::make_unique<ChangeBatch>(1);  // a record a batch
  for (int i = 1; i <= 5; ++i) {
    EXPECT_THAT(read_commits(1),
                ElementsAre("begin", "insert t (" + std::to_string(i) + ")", "commit"));
    open(position_);
  }
  WHERRY_EXPECT_OK(stream_->confirm(context_, position_));
  const auto place = read_position(position_);
  WHERRY_EXPECT_OK(place);
  await("select confirmed_flush_lsn >= '" + lsn_text(place->lsn) +
            "' from pg_replication_slots where slot_name = '" + slot() + "'",
        "t");
}

TEST_F(Changes, LeavesUnchangedLargeValuesAlone) {
  run("create table app.t (id int primary key, n int, big text)");
  run("alter table app.t alter big set storage external");
  begin({"t"});
  run("insert into app.t values (1, 1, repeat('x', 10000))");
  run("update app.t set n = 2");
  const auto records = read_commits(2);
  EXPECT_EQ(records.at(1).size(), std::string("insert t (1,1,)").size() + 10000);
  EXPECT_EQ(records.at(4), "update t -> (1,2,-)");
}

TEST_F(Changes, HasWholeRowsWithFullIdentity) {
  run("create table app.t (id int, v text)");
  run("alter table app.t replica identity full");
  begin({"t"});
  run("insert into app.t values (1, 'a'), (1, null)");
  run("update app.t set v = 'b' where v = 'a'");
  run("delete from app.t where v is null");
  const auto records = read_commits(3);
  EXPECT_EQ(records.at(5), "update t (1,a) -> (1,b)");
  EXPECT_EQ(records.at(8), "delete t (1,NULL)");
}

TEST_F(Changes, IdentifiesRowsByTheIndexThatIsNamed) {
  run("create table app.t (id int primary key, k text not null unique, v text)");
  run("alter table app.t replica identity using index t_k_key");
  begin({"t"});
  run("insert into app.t values (1, 'k', 'a')");
  run("update app.t set id = 2");
  run("update app.t set k = 'l'");
  run("delete from app.t");
  const auto records = read_commits(4);
  EXPECT_EQ(records.at(4), "update t -> (2,k,a)");
  EXPECT_EQ(records.at(7), "update t (-,k,-) -> (2,l,a)");
  EXPECT_EQ(records.at(10), "delete t (-,l,-)");
}

TEST_F(Changes, TellsOfAChangedDefinitionBeforeItsRows) {
  run("create table app.t (id int primary key, v varchar(10))");
  begin({"t"});
  run("insert into app.t values (1, 'a')");
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert t (1,a)", "commit"));
  run("alter table app.t add w numeric(10,2) default 1.5");
  run("insert into app.t values (2, 'b')");
  run("alter table app.t drop v");
  run("alter table app.t rename to u");
  run("alter table app.u alter w type text, alter w drop default");
  run("insert into app.u values (3, 'c')");
  EXPECT_THAT(
      read_commits(2),
      ElementsAre("begin", "shape of t: t id integer v character varying(10) w numeric(10,2)",
                  "insert t (2,b,1.5)", "commit",  //
                  "begin", "shape of t: u id integer w text", "insert u (3,c)", "commit"));
  // What was told stays told.
  open(position_);
  run("insert into app.u values (4, 'd')");
  EXPECT_THAT(read_commits(1), Contains("insert u (4,d)"));
}

TEST_F(Changes, ReadsPartitionedTablesAsOneOrByPartition) {
  run("create table app.p (id int primary key, v text) partition by range (id)");
  run("create table app.p1 partition of app.p for values from (0) to (10)");
  run("create table app.p2 partition of app.p for values from (10) to (20)");
  if (major_version() < 13) {
    auto advice = source()->examine(context_, request({"p"}));
    WHERRY_EXPECT_OK(advice);
    EXPECT_EQ(advice->tables[0].refused->code, "postgres.partitioned_table");
    begin({"p2"});
    run("insert into app.p values (2, 'c'), (13, 'd')");
    EXPECT_THAT(read_commits(1), Contains("insert p2 (13,d)"));
    return;
  }
  begin({"p"});
  run("insert into app.p values (1, 'a'), (11, 'b')");
  run("update app.p set id = 12 where id = 1");
  EXPECT_THAT(read_commits(2),
              ElementsAre("begin", "insert p (1,a)", "insert p (11,b)", "commit",  //
                          "begin", "delete p (1,-)", "insert p (12,a)", "commit"));
  auto both = source()->examine(context_, request({"p", "p1"}));
  WHERRY_EXPECT_OK(both);
  EXPECT_FALSE(both->tables[0].refused.has_value());
  EXPECT_EQ(both->tables[1].refused->code, "postgres.partition_twice");
  begin({"p2"});
  run("insert into app.p values (2, 'c'), (13, 'd')");
  EXPECT_THAT(read_commits(1), Contains("insert p2 (13,d)"));
}

TEST_F(Changes, SaysNothingOfTransactionsWithoutOurTables) {
  run("create table app.t (id int primary key)");
  run("create table app.other (id int)");
  begin({"t"});
  run("insert into app.other values (1)");
  const std::string end = value("select pg_current_wal_lsn()");
  const auto records = read_until([&](const Change& change) {
    return change.kind == ChangeKind::kHeartbeat &&
           read_position(batch_->commit(change).position)->lsn >= *parse_lsn(end);
  });
  EXPECT_THAT(records, IsEmpty());
  // What is confirmed while idle lets the slot go.
  WHERRY_EXPECT_OK(stream_->confirm(context_, position_));
  await("select confirmed_flush_lsn >= '" + end +
            "' from pg_replication_slots where slot_name = '" + slot() + "'",
        "t");
}

TEST_F(Changes, AfterTheLastCommitItSaysThatNothingMoreComes) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  for (int i = 0; i < 3; ++i) {
    run("insert into app.t values (" + std::to_string(i) + ")");
    const auto since = std::chrono::steady_clock::now();
    const auto end = stream_->head(context_);
    WHERRY_EXPECT_OK(end);
    read_until([&](const Change& change) {
      return change.kind == ChangeKind::kHeartbeat && batch_->commit(change).order >= end->order;
    });
    // The server itself writes something every 15 seconds at most.
    EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds(4));
  }
}

TEST_F(Changes, TellsWhereTheSourceIs) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  auto head = stream_->head(context_);
  WHERRY_EXPECT_OK(head);
  run("insert into app.t select generate_series(1, 1000)");
  auto later = stream_->head(context_);
  WHERRY_EXPECT_OK(later);
  EXPECT_GT(later->order, head->order);
  EXPECT_GT(later->kept_bytes.value_or(0), head->kept_bytes.value_or(0));
  EXPECT_FALSE(later->bytes_until_lost.has_value());  // no limit is set
  read_until([&](const Change& change) {
    return change.kind == ChangeKind::kHeartbeat && batch_->commit(change).order >= later->order;
  });
}

TEST_F(Changes, ReadsABacklogWithSqlAndGoesOnBehindIt) {
  settings_.options["CatchUpMegabytes"] = "1";
  run("create table app.t (id int primary key, v text)");
  begin({"t"});
  run("create procedure app.fill(a int, b int) language plpgsql as $$ begin "
      "for i in a .. b loop insert into app.t values (i, repeat('x', 1000)); commit; end loop; "
      "end $$");
  run("call app.fill(1, 3000)");
  open(start_.position);
  batch_ = std::make_unique<ChangeBatch>(20'000);
  std::vector<std::string> records = read_commits(1000);
  const Position half = position_;
  const auto known = std::count(records.begin(), records.end(), "commit");
  const auto more = read_commits(3000 - static_cast<int>(known));
  records.insert(records.end(), more.begin(), more.end());
  ASSERT_EQ(records.size(), 9000U);
  for (std::size_t i = 0; i < 3000; ++i) {
    ASSERT_TRUE(records[i * 3 + 1].starts_with("insert t (" + std::to_string(i + 1) + ","));
  }
  // The slot has not moved, so SQL shows what was delivered before, which is left out.
  open(half);
  run("alter table app.t drop v");
  run("insert into app.t values (3001)");
  const auto rest = read_until([](const Change& change) {
    return change.kind == ChangeKind::kInsert && change.shape->definition.columns.size() == 1;
  });
  EXPECT_TRUE(rest.at(1).starts_with("insert t (" + std::to_string(known + 1) + ","));
  EXPECT_THAT(rest, Contains("insert t (3001)"));
  // By now the walsender sends.
  run("insert into app.t values (3002)");
  EXPECT_THAT(read_until([&](const Change& change) {
                return change.kind == ChangeKind::kInsert && cell_text(change.after[0]) == "3002";
              }),
              Contains("insert t (3002)"));
  await(
      "select active and active_pid in (select pid from pg_stat_replication) "
      "from pg_replication_slots where slot_name = '" +
          slot() + "'",
      "t");
}

class BacklogOfChanges : public Changes {
 protected:
  /// A backlog of several parts.
  void fill(int rows = 8000) {
    settings_.options["CatchUpMegabytes"] = "1";
    run("create table app.t (id int primary key, v text)");
    begin({"t"});
    run("create procedure app.fill(a int, b int) language plpgsql as $$ begin "
        "for i in a .. b loop insert into app.t values (i, repeat('x', 1000)); commit; end loop; "
        "end $$");
    slot_lsn_ = value("select confirmed_flush_lsn from pg_replication_slots where slot_name = '" +
                      slot() + "'");
    run("call app.fill(1, " + std::to_string(rows) + ")");
  }
  /// The rows come once each and in their order, and then the walsender sends.
  void expect_all(const std::string& copies) {
    open(start_.position);
    batch_ = std::make_unique<ChangeBatch>(20'000);
    std::vector<std::string> records = read_commits(10);
    await("select count(*) from pg_replication_slots where temporary", copies);
    const auto known = std::count(records.begin(), records.end(), "commit");
    const auto more = read_commits(8000 - static_cast<int>(known));
    records.insert(records.end(), more.begin(), more.end());
    ASSERT_EQ(records.size(), 24'000U);
    for (std::size_t i = 0; i < 8000; ++i) {
      ASSERT_TRUE(records[i * 3 + 1].starts_with("insert t (" + std::to_string(i + 1) + ","));
    }
    WHERRY_EXPECT_OK(stream_->confirm(context_, position_));
    run("insert into app.t values (8001)");
    EXPECT_THAT(read_commits(1), Contains("insert t (8001,NULL)"));
    await(
        "select active and active_pid in (select pid from pg_stat_replication) "
        "from pg_replication_slots where slot_name = '" +
            slot() + "'",
        "t");
    await("select count(*) from pg_replication_slots where temporary", "0");
  }

  std::string slot_lsn_;  ///< where the slot was before the backlog
};

TEST_F(BacklogOfChanges, ComesInPartsFromCopiesOfTheSlot) {
  fill();
  expect_all("1");
}

TEST_F(BacklogOfChanges, TheSlotFollowsTheTargetBetweenTwoParts) {
  fill(30'000);
  open(start_.position);
  batch_ = std::make_unique<ChangeBatch>(20'000);
  int known = 0;
  const auto read = [&](int commits) {
    const auto records = read_commits(commits);
    known += static_cast<int>(std::count(records.begin(), records.end(), "commit"));
  };
  read(10);
  WHERRY_EXPECT_OK(stream_->confirm(context_, position_));
  read(29'000 - known);
  // The walsender, which would move it too, begins only behind the backlog.
  EXPECT_EQ(value("select confirmed_flush_lsn > '" + slot_lsn_ +
                  "' and not active "
                  "from pg_replication_slots where slot_name = '" +
                  slot() + "'"),
            "t");
}

TEST_F(BacklogOfChanges, ComesInPartsWhereTheServerHasNoRoomForACopy) {
  fill();
  const int room =
      std::stoi(value("select current_setting('max_replication_slots')::int - "
                      "count(*) from pg_replication_slots"));
  for (int i = 0; i < room; ++i) {
    run("select pg_create_physical_replication_slot('full_" + std::to_string(i) + "')");
  }
  expect_all("0");
  run("select pg_drop_replication_slot(slot_name) from pg_replication_slots "
      "where slot_name like 'full\\_%'");
}

// --- values ---

class ChangedValues : public Changes {
 protected:
  /// Puts what the stream says of the rows of app.t into app.copy, in the form it came in.
  void copy_native(int rows) {
    std::unique_ptr<PGconn, void (*)(PGconn*)> target(
        PQconnectdb((cluster().url(database_) + "?password=" + cluster().password()).c_str()),
        PQfinish);
    int commits = 0;
    while (commits < rows) {
      batch_->reset();
      OpContext context = context_;
      context.deadline = std::chrono::steady_clock::now() + kPatience;
      auto state = stream_->read(context, *batch_);
      WHERRY_EXPECT_OK(state);
      ASSERT_FALSE(batch_->empty()) << "nothing came";
      for (const Change& change : batch_->changes()) {
        if (change.kind == ChangeKind::kCommit) ++commits;
        if (change.kind == ChangeKind::kInsert) insert(target.get(), change);
      }
    }
  }
  void insert(PGconn* target, const Change& change) {
    std::string sql = "insert into app.copy values (";
    std::vector<std::string> texts;
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
    const std::size_t count = change.shape->definition.columns.size();
    texts.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      sql += (i == 0 ? "$" : ", $") + std::to_string(i + 1);
      const Cell& cell = change.after[i];
      forms_ += cell.is_null() ? 'n' : cell.kind == CellKind::kBytes ? 'b' : 't';
      texts.emplace_back(cell.is_null() ? "" : cell.bytes());
      values.push_back(cell.is_null() ? nullptr : texts.back().c_str());
      lengths.push_back(static_cast<int>(texts.back().size()));
      formats.push_back(cell.kind == CellKind::kBytes ? 1 : 0);
    }
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexecParams(target, (sql + ")").c_str(), static_cast<int>(count), nullptr, values.data(),
                     lengths.data(), formats.data(), 0),
        PQclear);
    ASSERT_EQ(PQresultStatus(result.get()), PGRES_COMMAND_OK) << PQerrorMessage(target);
  }
  std::string forms_;
};

/// A built-in type that a table may have a column of, since which version, and values at its
/// limits.
struct BuiltInType {
  const char* name;
  int since;
  std::vector<const char*> values;
};
const std::vector<BuiltInType>& built_in_types() {
  static const std::vector<BuiltInType> types = {
      {"bool", 12, {"true", "false"}},
      {"int2", 12, {"-32768", "32767"}},
      {"int4", 12, {"-2147483648", "2147483647"}},
      {"int8", 12, {"-9223372036854775808", "9223372036854775807"}},
      {"float4", 12, {"-Infinity", "1.1754944e-38"}},
      {"float8", 12, {"NaN", "1.7976931348623157e308"}},
      {"numeric", 12, {"NaN", "123456789012345678901234567890.000000000000000001"}},
      {"numeric(20,4)", 12, {"-0.0001", "9999999999999999.9999"}},
      {"numeric(1000,900)", 12, {"1e-900", "-1e99"}},
      {"money", 12, {"-92233720368547758.08", "0"}},
      {"text", 12, {"tab\t quote '' back\\ é𝄞", ""}},
      {"varchar(20)", 12, {"", "v"}},
      {"char(8)", 12, {"ab", ""}},
      {"name", 12, {"name", ""}},
      {"\"char\"", 12, {"z", ""}},
      {"bytea", 12, {"\\x00ff00", ""}},
      {"date", 12, {"4713-01-01 BC", "infinity"}},
      {"time", 12, {"24:00", "00:00"}},
      {"timetz", 12, {"23:59:59.999999-12", "00:00+14"}},
      {"timestamp", 12, {"-infinity", "0044-03-15 12:00:00 BC"}},
      {"timestamptz", 12, {"294276-12-31 23:59:59.999999+00", "epoch"}},
      {"interval", 12, {"-178000000 years 5 days -00:00:00.000001", "1 mon"}},
      {"uuid", 12, {"ffffffff-ffff-ffff-ffff-ffffffffffff"}},
      {"json", 12, {"{\"a\" : [1, null]}", "null"}},
      {"jsonb", 12, {"{\"a\": [1e10, null]}", "[]"}},
      {"xml", 12, {"<a>é</a>", "text only"}},
      {"jsonpath", 12, {"$.a[*] ? (@ > 1)", "$"}},
      {"inet", 12, {"::1/128", "192.168.0.1"}},
      {"cidr", 12, {"10.0.0.0/8", "::/0"}},
      {"macaddr", 12, {"08:00:2b:01:02:03"}},
      {"macaddr8", 12, {"08:00:2b:01:02:03:04:05"}},
      {"bit(5)", 12, {"10101", "00000"}},
      {"varbit", 12, {"1", ""}},
      {"point", 12, {"(1e300,-1)", "(0,0)"}},
      {"line", 12, {"{1,2,3}", "{0,-1,0}"}},
      {"lseg", 12, {"[(0,0),(1,1)]"}},
      {"box", 12, {"(1,1),(0,0)"}},
      {"path", 12, {"[(0,0),(1,1)]", "((0,0))"}},
      {"polygon", 12, {"((0,0),(1,1),(2,0))"}},
      {"circle", 12, {"<(0,0),1>"}},
      {"tsvector", 12, {"a:1A b:2", ""}},
      {"oid", 12, {"4294967295", "0"}},
      {"xid", 12, {"4294967295"}},
      {"tid", 12, {"(4294967295,65535)", "(0,1)"}},
      {"pg_lsn", 12, {"FFFFFFFF/FFFFFFFF", "0/0"}},
      {"txid_snapshot", 12, {"10:20:10,14,15"}},
      {"xid8", 13, {"18446744073709551615"}},
      {"pg_snapshot", 13, {"1:1:"}},
      {"int4[]", 12, {"{{1,NULL},{3,4}}", "{}"}},
      {"text[]", 12, {"{\"a b\",\"q\\\"\",NULL,\"\"}"}},
      {"numeric[]", 12, {"{1.5,NaN}"}},
      {"timestamptz[]", 12, {"{infinity,\"2000-01-01 00:00:00+00\"}"}},
      {"bytea[]", 12, {"{\"\\\\x00\"}"}},
      {"jsonb[]", 12, {"{\"{\\\"k\\\": 1}\"}"}},
      {"int4range", 12, {"empty", "[1,)"}},
      {"int8range", 12, {"(,)"}},
      {"numrange", 12, {"(1.5,2.5]"}},
      {"tsrange", 12, {"(,)"}},
      {"tstzrange", 12, {"[\"2000-01-01 00:00:00+00\",)"}},
      {"daterange", 12, {"[2000-01-01,2001-01-01)"}},
      {"int4range[]", 12, {"{\"[1,2)\",empty}"}},
      {"int4multirange", 14, {"{[1,3),[5,7)}", "{}"}},
      {"tstzmultirange", 14, {"{}"}},
  };
  return types;
}

TEST_F(ChangedValues, CarriesEveryBuiltInType) {
  std::string columns = "id int primary key";
  std::string first = "1";
  std::string last = "2";
  std::string none = "3";
  for (const BuiltInType& type : built_in_types()) {
    if (type.since > major_version()) continue;
    columns += ", c" + std::to_string(columns.size()) + " " + type.name;
    first += ", " + schema::quote_literal(type.values.front()) + "::" + type.name;
    last += ", " + schema::quote_literal(type.values.back()) + "::" + type.name;
    none += ", null";
  }
  run("create table app.t (" + columns + ")");
  run("create table app.copy (like app.t)");
  begin({"t"}, true);
  for (const std::string& row : {first, last, none}) run("insert into app.t values (" + row + ")");
  copy_native(3);
  // Before 14 the server has text only.
  EXPECT_THAT(forms_, Not(HasSubstr(major_version() >= 14 ? "t" : "b")));
  EXPECT_EQ(value("select count(*) from app.copy"), "3");
  EXPECT_EQ(value("select count(*) from (select whole::text from app.t whole except "
                  "select whole::text from app.copy whole) d"),
            "0");
}

TEST_F(ChangedValues, CarriesTypesOfUsersAndExtensionsInTextForm) {
  run("create extension hstore with schema app; create extension citext with schema app;"
      "create extension ltree with schema app");
  run("create type app.mood as enum ('sad', 'ok'); create type app.pair as (a int, b text);"
      "create domain app.small as int check (value < 100); create domain app.moody as app.mood;"
      "create type app.span as range (subtype = float8)");
  run("create table app.t (id int primary key, e app.mood, ea app.mood[], c app.pair, "
      "ca app.pair[], d app.small, da app.small[], de app.moody, s app.span, h app.hstore, "
      "ha app.hstore[], ct app.citext, lt app.ltree, r regclass, rt regtype, tq tsquery)");
  run("create table app.copy (like app.t)");
  begin({"t"}, true);
  run("insert into app.t values (1, 'sad', '{sad,NULL}', '(1,\"a,b\")', '{\"(1,x)\",NULL}', 5, "
      "'{1,2}', 'ok', '[1.5,2)', 'a=>1, \"b c\"=>NULL', '{\"a=>1\"}', 'CaSe', 'a.b', 'app.t', "
      "'int4', '')");
  run("insert into app.t (id, tq) values (2, 'a & !b')");
  copy_native(2);
  EXPECT_THAT(forms_, Not(HasSubstr("b")));
  EXPECT_EQ(value("select count(*) from (select whole::text from app.t whole except "
                  "select whole::text from app.copy whole) d"),
            "0");
}

TEST_F(ChangedValues, CarriesOwnTypesInBinaryFormWhereItMeansTheSame) {
  if (major_version() < 14) return;  // text only
  run("create extension hstore with schema app");
  run("create type app.mood as enum ('sad', 'ok'); create domain app.small as int;"
      "create type app.span as range (subtype = float8)");
  run("create table app.t (id int primary key, e app.mood, d app.small, s app.span, h app.hstore)");
  run("create table app.copy (like app.t)");
  begin({"t"}, true);
  run("insert into app.t values (1, 'ok', 5, '[1.5,2)', 'a=>1')");
  copy_native(1);
  EXPECT_EQ(forms_, "bbbbb");
  EXPECT_EQ(value("select count(*) from (select whole::text from app.t whole except "
                  "select whole::text from app.copy whole) d"),
            "0");
  // A column that cannot come so has the stream go over to text.
  run("alter table app.t add a app.mood[] default '{sad}'");
  run("insert into app.t (id) values (2)");
  const Error error = read_error();
  EXPECT_EQ(error.code, "postgres.text_needed");
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  WHERRY_EXPECT_OK(stream_->start(context_, start_.position));
  EXPECT_THAT(read_commits(2),
              ElementsAre("begin", "insert t (1,ok,5,[1.5,2),\"a\"=>\"1\")", "commit", "begin",
                          ::testing::StartsWith("shape of t: t id integer"),
                          "insert t (2,NULL,NULL,NULL,NULL,{sad})", "commit"));
}

TEST_F(ChangedValues, BecomeTheSameCellsInBothForms) {
  const std::string columns =
      "id int primary key, b bool, i2 int2, i8 int8, f8 float8, n numeric, t text, c char(5), "
      "ba bytea, d date, ts timestamp, tsz timestamptz, u uuid, jb jsonb, j json";
  const std::vector<std::string> rows = {
      "(1, true, -5, 9223372036854775807, 1.5, 123.4500, 'x', 'ab', '\\x00ff', '2024-02-29', "
      "'2024-02-29 12:00:00.5', '2024-02-29 12:00:00+02', "
      "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": 1}', '[1]')",
      "(2, false, 0, 0, 'NaN', 'NaN', '', '', '', '0044-03-15 BC', '0044-03-15 12:00:00 BC', "
      "'infinity', null, 'null', null)",
      "(3, null, null, null, 1e300, -1e-20, 'é', null, null, 'infinity', '-infinity', "
      "'99999-01-01 00:00:00+00', null, null, null)"};
  run("create table app.t (" + columns + ")");
  run("create type app.mood as enum ('sad')");
  run("create table app.v (" + columns + ", forces_text app.mood[])");
  begin({"t"});
  for (const std::string& row : rows) run("insert into app.t values " + row);
  std::vector<std::string> binary = read_commits(3);
  WHERRY_EXPECT_OK(source()->forget(context_, "none"));
  stream_.reset();
  begin({"v"});
  for (const std::string& row : rows) run("insert into app.v values " + row);
  std::vector<std::string> text = read_commits(3);
  ASSERT_EQ(binary.size(), text.size());
  for (std::size_t i = 0; i < binary.size(); ++i) {
    std::string& record = text[i];
    if (!record.starts_with("insert v")) continue;
    record.replace(7, 1, "t");
    record.replace(record.size() - 6, 6, ")");  // ",NULL)"
  }
  EXPECT_EQ(binary, text);
}

// --- what must be there ---

TEST_F(Changes, ExaminesServerUserAndTables) {
  run("create table app.good (id int primary key)");
  run("create table app.keyless (id int, v text)");
  run("create table app.keyed (id int not null unique, v text)");
  run("create unlogged table app.unlogged (id int primary key)");
  run("create view app.v as select 1 as one");
  run("create table app.deferred (id int primary key deferrable)");
  run("create table app.nothing (id int primary key)");
  run("alter table app.nothing replica identity nothing");
  run("create table app.made (id int primary key, twice int generated always as (id * 2) stored)");
  auto advice = source()->examine(context_, request({"good", "keyless", "keyed", "unlogged", "v",
                                                     "missing", "deferred", "made", "nothing"}));
  WHERRY_EXPECT_OK(advice);
  const auto refusal = [&](std::size_t i) {
    const auto& refused = advice->tables[i].refused;
    return refused ? refused->code + ": " + refused->hint : std::string("none");
  };
  EXPECT_EQ(refusal(0), "none");
  EXPECT_THAT(refusal(1), HasSubstr("postgres.no_replica_identity: alter table \"app\".\"keyless\" "
                                    "replica identity full"));
  EXPECT_THAT(refusal(2), HasSubstr("replica identity using index keyed_id_key"));
  EXPECT_THAT(refusal(3), HasSubstr("alter table \"app\".\"unlogged\" set logged"));
  EXPECT_THAT(refusal(4), HasSubstr("postgres.not_logged"));
  EXPECT_THAT(refusal(5), HasSubstr("postgres.unknown_table"));
  EXPECT_THAT(refusal(6), HasSubstr("postgres.no_replica_identity"));
  EXPECT_EQ(refusal(7), "none");
  EXPECT_THAT(advice->tables[7].warnings, ElementsAre(HasSubstr("twice")));
  EXPECT_THAT(refusal(8), HasSubstr("replica identity using index nothing_pkey"));
  // What the hints say mends it.
  run("alter table app.nothing replica identity using index nothing_pkey");
  run("alter table app.keyless replica identity full");
  run("alter table app.keyed replica identity using index keyed_id_key");
  advice = source()->examine(context_, request({"keyless", "keyed", "nothing"}));
  WHERRY_EXPECT_OK(advice);
  EXPECT_EQ(refusal(0) + refusal(1) + refusal(2), "nonenonenone");
  // A table without an identity is never published: its application's updates would fail.
  auto prepared = source()->prepare(context_, request({"deferred"}));
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, "postgres.no_replica_identity");
}

TEST_F(Changes, NamesMissingPrivileges) {
  run("create table app.t (id int primary key)");
  const std::string role = database_ + "_reader";
  run("create role " + role + " login password 'x'; grant usage on schema app to " + role);
  connect::Settings settings = settings_;
  settings.user = role;
  settings.password = Secret("x");
  auto source = connector_->open_change_source(context_, settings);
  WHERRY_EXPECT_OK(source);
  const connect::StreamRequest wanted = request({"t"});
  auto advice = (*source)->examine(context_, wanted);
  ASSERT_FALSE(advice.ok());
  EXPECT_EQ(advice.error().code, "postgres.no_replication_privilege");
  run("alter role " + role + " replication");
  advice = (*source)->examine(context_, wanted);
  ASSERT_FALSE(advice.ok());
  EXPECT_THAT(advice.error().hint, HasSubstr("grant create on database"));
  run("grant create on database " + database_ + " to " + role);
  advice = (*source)->examine(context_, wanted);
  WHERRY_EXPECT_OK(advice);
  EXPECT_THAT(advice->tables[0].refused->hint, HasSubstr("grant select on table"));
  run("grant select on app.t to " + role);
  advice = (*source)->examine(context_, wanted);
  EXPECT_EQ(advice->tables[0].refused->code, "postgres.not_owner");
  run("alter table app.t owner to " + role);
  advice = (*source)->examine(context_, wanted);
  EXPECT_FALSE(advice->tables[0].refused.has_value());
  // That is all it takes.
  auto start = (*source)->prepare(context_, wanted);
  WHERRY_EXPECT_OK(start);
  WHERRY_EXPECT_OK((*source)->forget(context_, task_));
  run("alter table app.t owner to wherry; drop owned by " + role + "; drop role " + role);
}

TEST_F(Changes, MakesAnewWhatAnUnfinishedStartHasLeft) {
  run("create table app.t (id int primary key)");
  request_ = request({"t"});
  { WHERRY_EXPECT_OK(source()->prepare(context_, request_)); }
  run("create table app.u (id int primary key)");
  begin({"t", "u"});
  EXPECT_EQ(value("select count(*) from pg_replication_slots where slot_name = '" + slot() + "'"),
            "1");
  run("insert into app.u values (1)");
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert u (1)", "commit"));
}

TEST_F(Changes, PublishesTablesThatCameLater) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("insert into app.t values (1)");
  read_commits(1);
  run("create table app.u (id int primary key)");
  request_ = request({"t", "u"});
  open(position_);
  run("insert into app.u values (1)");
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert u (1)", "commit"));
}

TEST_F(Changes, TakesTablesIntoAStreamThatIsOpen) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("create table app.\"a \"\"b\" (id int primary key); create table app.keyless (id int)");
  run("insert into app.\"a \"\"b\" values (1)");
  connect::StreamRequest more = request({"a \"b", "keyless", "gone"});
  for (int i = 0; i < 2; ++i) {  // once more does no harm
    const auto advice = source()->include(context_, more);
    WHERRY_EXPECT_OK(advice);
    ASSERT_EQ(advice->tables.size(), 3U);
    EXPECT_FALSE(advice->tables[0].refused);
    EXPECT_EQ(advice->tables[1].refused->code, "postgres.no_replica_identity");
    EXPECT_FALSE(advice->tables[1].is_gone);
    EXPECT_TRUE(advice->tables[2].is_gone);
  }
  run("insert into app.\"a \"\"b\" values (2)");
  run("insert into app.keyless values (2)");
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert a \"b (2)", "commit"));
  // By its number, whatever its name has become, in another stream too.
  run("alter table app.\"a \"\"b\" rename to c");
  open(position_);
  run("insert into app.c values (3)");
  read_until([](const Change& change) {
    if (change.kind != ChangeKind::kInsert) return false;
    EXPECT_EQ(change.shape->source.name, "a \"b");
    return true;
  });
}

TEST_F(Changes, ForgetsAllThatItMade) {
  run("create table app.t (id int primary key)");
  settings_.options["CaptureDdls"] = "true";
  settings_.options["HeartbeatEnable"] = "true";
  begin({"t"});
  EXPECT_EQ(value("select count(*) from pg_event_trigger"), "2");
  stream_.reset();
  start_.keeper.reset();
  WHERRY_EXPECT_OK(source()->forget(context_, task_));
  EXPECT_EQ(value("select count(*) from pg_replication_slots where slot_name = '" + slot() + "'"),
            "0");
  EXPECT_EQ(value("select count(*) from pg_publication"), "0");
  EXPECT_EQ(value("select count(*) from pg_event_trigger"), "0");
  EXPECT_EQ(value("select count(*) from pg_class where relname like 'awsdms%'"), "0");
  EXPECT_EQ(value("select count(*) from pg_proc where proname like 'awsdms%'"), "0");
  WHERRY_EXPECT_OK(source()->forget(context_, task_));
}

// --- DDL and heartbeat ---

TEST_F(Changes, TellsOfTablesThatAreMadeAndDropped) {
  settings_.options["CaptureDdls"] = "true";
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("create table app.made (id serial primary key, v text)");
  run("alter table app.t add v text");
  run("drop table app.made");
  run("insert into app.t values (1, 'a')");
  EXPECT_EQ(value("select count(*) from public.awsdms_ddl_audit"), "0");
  const auto records = read_commits(4);
  EXPECT_THAT(records,
              ElementsAre("begin", "ddl: create table app.made (id serial primary key, v text)",
                          "commit",  // it is gone by now, so nothing is known of it
                          "begin", "shape of t: t id integer v text", "commit",  //
                          "begin", "ddl made: drop table app.made", "commit",    //
                          "begin", "insert t (1,a)", "commit"));
  run("create table app.stays (id int primary key, v varchar(5) not null)");
  read_until([](const Change& change) {
    if (change.kind != ChangeKind::kDdl) return false;
    EXPECT_EQ(change.ddl, connect::DdlKind::kNewTable);
    EXPECT_EQ(change.shape->definition.table.name, "stays");
    EXPECT_EQ(change.shape->definition.columns.at(1).native_type, "character varying(5)");
    EXPECT_EQ(change.shape->definition.keys.at(0).columns.at(0), "id");
    return true;
  });
}

TEST_F(Changes, TellsOfEachDefinitionAsItWasThen) {
  settings_.options["CaptureDdls"] = "true";
  run("create table app.t (id int primary key, a int, b text)");
  begin({"t"});
  run("begin; alter table app.t rename a to c; insert into app.t values (1, 1, 'x');"
      "alter table app.t add a int not null default 7, add d text default '*/ it''s'; commit");
  run("alter table app.t alter a set default 8");
  run("alter table app.t drop c");
  run("alter table app.t rename b to c");
  run("alter table app.t rename to u");
  run("vacuum full app.u");
  std::vector<connect::RowShape> shapes;
  const auto records = read_until([&](const Change& change) {
    if (change.kind == ChangeKind::kShape) shapes.push_back(*change.shape);
    return change.kind == ChangeKind::kShape && change.shape->definition.table.name == "u";
  });
  EXPECT_THAT(records,
              ElementsAre("begin", "shape of t: t id integer c integer b text", "insert t (1,1,x)",
                          "shape of t: t id integer c integer b text a integer d text", "commit",
                          "begin", "ddl t: alter table app.t alter a set default 8", "commit",
                          "begin", "shape of t: t id integer b text a integer d text", "commit",
                          "begin", "shape of t: t id integer c text a integer d text", "commit",
                          "begin", "shape of t: u id integer c text a integer d text", "commit"));
  ASSERT_EQ(shapes.size(), 5U);
  std::vector<std::uint32_t> numbers;
  for (const auto& column : shapes[3].definition.columns) numbers.push_back(column.number);
  EXPECT_THAT(numbers, ElementsAre(1U, 3U, 4U, 5U));
  ASSERT_EQ(shapes[1].fills.size(), 5U);
  EXPECT_EQ(shapes[1].fills[3].kind, connect::ColumnFill::Kind::kValue);
  EXPECT_EQ(shapes[1].fills[3].value, "7");
  EXPECT_EQ(shapes[1].fills[4].value, "*/ it's");
  EXPECT_EQ(shapes[1].definition.keys.at(0).columns.at(0), "id");
}

TEST_F(Changes, ReadsValuesByKeyAsTheyAreNow) {
  run("create table app.t (id int primary key, \"a b\" numeric(8,2), c text)");
  run("insert into app.t select i, i * 1.5, 'c' || i from generate_series(1, 1000) i");
  for (const bool is_native : {false, true}) {
    request_ = request({"t"}, is_native);
    connect::ValuesRequest wanted;
    auto plan = std::make_shared<schema::TablePlan>(*request_.tables[0]);
    plan->is_native = is_native;
    wanted.plan = plan;
    wanted.source = {"app", "t"};
    wanted.table_id = std::stoul(value("select 'app.t'::regclass::oid"));
    wanted.key = {{"another name", 1}};
    wanted.columns = {{"a b", 2}, {"gone", 9}};
    run("update app.t set \"a b\" = null where id = 1000");
    auto reader = source()->read_values(context_, wanted);
    WHERRY_EXPECT_OK(reader);
    std::size_t rows = 0;
    std::string first;
    for (;;) {
      ChangeBatch batch(4 * 1024);
      WHERRY_EXPECT_OK((*reader)->read(context_, batch));
      if (batch.empty()) break;
      if (rows == 0) first = change_text(batch.changes().front());
      rows += batch.changes().size();
    }
    EXPECT_EQ(rows, 999U);
    EXPECT_EQ(first, is_native ? "update t -> (1,1.50,-)" : "update t -> (1,1.5,-)");
    wanted.key = {{"gone", 9}};
    reader = source()->read_values(context_, wanted);
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().code, "postgres.key_changed");
    wanted.columns = {{"gone", 9}};
    reader = source()->read_values(context_, wanted);
    WHERRY_EXPECT_OK(reader);
    ChangeBatch batch;
    WHERRY_EXPECT_OK((*reader)->read(context_, batch));
    EXPECT_TRUE(batch.empty());
  }
}

TEST_F(Changes, BeatsWhenAskedTo) {
  settings_.options["HeartbeatEnable"] = "true";
  settings_.options["HeartbeatSchema"] = "beats";
  run("create table app.t (id int primary key)");
  begin({"t"});
  await("select count(*) from beats.awsdms_heartbeat where hb_key = '" + slot() + "'", "1");
}

// --- what goes wrong ---

TEST_F(Changes, ComesBackAfterItsWalsenderWasKilled) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("insert into app.t values (1)");
  read_commits(1);
  run("select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '" +
      slot() + "'");
  const Error error = read_error();
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  run("insert into app.t values (2)");
  WHERRY_EXPECT_OK(stream_->start(context_, position_));
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert t (2)", "commit"));
}

TEST_F(Changes, NamesTheSessionThatUsesItsSlot) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  auto second = source()->open(context_, request_);
  WHERRY_EXPECT_OK(second);
  OpContext context = context_;
  auto started = (*second)->start(context, start_.position);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, "postgres.slot_in_use");
  EXPECT_THAT(started.error().hint, HasSubstr("pg_terminate_backend("));
}

TEST_F(Changes, SaysThatItsSlotIsGone) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  stream_.reset();
  const Position from = start_.position;
  await("select active from pg_replication_slots where slot_name = '" + slot() + "'", "f");
  run("select pg_drop_replication_slot('" + slot() + "')");
  Error error = start_error(from);
  EXPECT_EQ(error.kind, ErrorKind::kPositionLost);
  EXPECT_EQ(error.code, "postgres.slot_missing");
  // One of the same name that was made later begins too late.
  run("select pg_create_logical_replication_slot('" + slot() + "', 'pgoutput')");
  error = start_error(from);
  EXPECT_EQ(error.kind, ErrorKind::kPositionLost);
  EXPECT_EQ(error.code, "postgres.position_passed");
}

TEST_F(Changes, SaysThatItsPublicationWasMissingForAWhile) {
  run("create table app.t (id int primary key)");
  for (const char* catch_up : {"0", "1"}) {
    settings_.options["CatchUpMegabytes"] = catch_up;
    source_.reset();
    begin({"t"});
    stream_.reset();
    const std::string publication = "publication " + slot();
    run("drop " + publication);
    EXPECT_EQ(start_error(start_.position).code, "postgres.publication_missing");
    run("insert into app.t values (" + std::string(catch_up) + ")");
    run("create table app.fill_" + std::string(catch_up) +
        " as select repeat('x', 1000) from generate_series(1, 4000)");
    run("create " + publication + " for table app.t");
    run("insert into app.t values (1" + std::string(catch_up) + ")");
    open(start_.position);
    const Error error = read_error();
    EXPECT_EQ(error.code, "postgres.publication_missing");
    EXPECT_EQ(error.kind, ErrorKind::kPositionLost);
  }
}

TEST_F(Changes, RefusesPositionsOfOtherSystems) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  auto place = read_position(start_.position);
  WHERRY_EXPECT_OK(place);
  LogPosition other = *place;
  other.system = "1";
  EXPECT_EQ(start_error(to_position(other)).code, "postgres.other_system");
  other = *place;
  other.lsn += 1ULL << 40;
  EXPECT_EQ(start_error(to_position(other)).code, "postgres.position_ahead");
}

TEST_F(Changes, BeginsAtATimeThatAnOldSlotHas) {
  run("create table app.t (id int primary key); create publication old_" + database_ +
      " for table app.t");
  run("select pg_create_logical_replication_slot('old_" + database_ + "', 'pgoutput')");
  settings_.options["SlotName"] = settings_.options["PublicationName"] = "old_" + database_;
  const auto parse = [&](const std::string& time) {
    source_.reset();
    return source()->parse_position(context_, time);
  };
  const std::string before = value("select clock_timestamp()");
  run("insert into app.t values (1)");
  EXPECT_THAT(parse(before).error().to_paragraph(), HasSubstr("whose first commit is of 20"));
  const std::string time = value("select clock_timestamp()");
  auto end = parse(time);
  WHERRY_EXPECT_OK(end);
  run("insert into app.t values (2)");
  run("insert into app.t values (3)");
  auto from = parse(time);
  WHERRY_EXPECT_OK(from);
  for (const Position& start : {*end, *from}) {
    request_ = request({"t"});
    open(start);
    const auto records = read_commits(2);
    EXPECT_THAT(records, Contains("insert t (2)"));
    EXPECT_THAT(records, Contains("insert t (3)"));
    EXPECT_THAT(records, ::testing::Not(Contains("insert t (1)")));
    stream_.reset();
  }
  EXPECT_EQ(parse("2999-01-01").error().code, "postgres.bad_position");
  EXPECT_EQ(parse("tomorrow morning").error().code, "postgres.bad_position");
  run("select pg_drop_replication_slot('old_" + database_ + "')");
}

TEST_F(Changes, ReadsPositionsAsUsersWriteThem) {
  auto lsn = source()->parse_position(context_, "16/B374D848");
  WHERRY_EXPECT_OK(lsn);
  EXPECT_EQ(*source()->order_of(*lsn), 0x16B374D847U);
  auto checkpoint =
      source()->parse_position(context_, "checkpoint:V1#1#00000016/B374D848#0#0#*#0#0");
  WHERRY_EXPECT_OK(checkpoint);
  EXPECT_EQ(*checkpoint, *lsn);
  EXPECT_EQ(*source()->parse_position(context_, lsn->text), *lsn);
  for (const char* wrong : {"", "16", "2026-01-01T00:00:00", "16/", "x/1", "1/1/1",
                            "checkpoint:V1#1", "lsn:v1:16/1", "lsn:v1:16/1:a:1"}) {
    auto position = source()->parse_position(context_, wrong);
    ASSERT_FALSE(position.ok()) << wrong;
    EXPECT_EQ(position.error().kind, ErrorKind::kConfig);
  }
}

TEST_F(Changes, UsesASlotAndAPublicationOfOthers) {
  run("create table app.t (id int primary key)");
  run("create table app.u (id int primary key)");
  run("create publication others for all tables");
  run("select pg_create_logical_replication_slot('" + database_ + "_own', 'pgoutput')");
  run("insert into app.t values (1); insert into app.u values (1)");
  settings_.options["slotName"] = database_ + "_own";
  settings_.options["publicationName"] = "others";
  begin({"t"});
  EXPECT_TRUE(start_.snapshot.empty());
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert t (1)", "commit"));
  stream_.reset();
  WHERRY_EXPECT_OK(source()->forget(context_, task_));
  EXPECT_EQ(value("select count(*) from pg_publication where pubname = 'others'"), "1");
  run("select pg_drop_replication_slot('" + database_ + "_own')");
}

TEST_F(Changes, NamesWhatAPublicationOfOthersLacks) {
  run("create table app.t (id int primary key, v text)");
  run("create table app.u (id int primary key)");
  run("select pg_create_logical_replication_slot('" + database_ + "_own', 'pgoutput')");
  settings_.options["slotName"] = database_ + "_own";
  settings_.options["publicationName"] = "others";
  auto advice = source()->examine(context_, request({"t", "u"}));
  ASSERT_FALSE(advice.ok());
  EXPECT_EQ(advice.error().code, "postgres.no_publication");
  run("create publication others for table app.u with (publish = 'insert, truncate')");
  advice = source()->examine(context_, request({"t", "u"}));
  WHERRY_EXPECT_OK(advice);
  EXPECT_EQ(advice->tables[0].refused->code, "postgres.not_published");
  EXPECT_THAT(advice->tables[0].refused->hint,
              HasSubstr("alter publication \"others\" add table \"app\".\"t\""));
  EXPECT_FALSE(advice->tables[1].refused.has_value());
  EXPECT_THAT(advice->warnings, Contains(HasSubstr("does not publish: update, delete")));
  if (major_version() >= 15) {
    run("alter publication others set table app.t (id), app.u where (id > 5)");
    advice = source()->examine(context_, request({"t", "u"}));
    WHERRY_EXPECT_OK(advice);
    EXPECT_THAT(advice->tables[0].refused->message, HasSubstr("leaves columns out: v"));
    EXPECT_THAT(advice->tables[1].warnings, ElementsAre(HasSubstr("(id > 5)")));
  }
  run("select pg_drop_replication_slot('" + database_ + "_own')");
}

TEST_F(Changes, LeavesOutGeneratedColumnsThatAPublicationHas) {
  if (major_version() < 18) return;  // they are in no log
  run("create table app.t (id int primary key, twice int generated always as (id * 2) stored, "
      "v text)");
  run("create publication others for table app.t with (publish_generated_columns = stored)");
  run("select pg_create_logical_replication_slot('" + database_ + "_own', 'pgoutput')");
  settings_.options["slotName"] = database_ + "_own";
  settings_.options["publicationName"] = "others";
  request_ = request({"t"});
  auto plan = std::make_shared<schema::TablePlan>(*request_.tables[0]);
  plan->columns.erase(plan->columns.begin() + 1);  // as a task plans it
  request_.tables[0] = plan;
  auto made = source()->prepare(context_, request_);
  WHERRY_EXPECT_OK(made);
  open(made->position);
  run("insert into app.t values (1, default, 'a')");
  EXPECT_THAT(read_commits(1), Contains("insert t (1,2,a)"));
  EXPECT_TRUE(batch_->changes()[1].shape->definition.columns[1].is_generated);
  stream_.reset();
  await("select active from pg_replication_slots where slot_name = '" + database_ + "_own'", "f");
  run("select pg_drop_replication_slot('" + database_ + "_own')");
}

TEST_F(Changes, RefusesASlotForTwoPhaseCommit) {
  if (major_version() < 14) return;
  run("create table app.t (id int primary key)");
  begin({"t"});
  stream_.reset();
  await("select active from pg_replication_slots where slot_name = '" + slot() + "'", "f");
  run("select pg_drop_replication_slot('" + slot() + "')");
  run("select pg_create_logical_replication_slot('" + slot() + "', 'pgoutput', false, true)");
  const Error error = start_error(start_.position);
  EXPECT_EQ(error.code, "postgres.slot_unusable");
  EXPECT_THAT(error.message, HasSubstr("two-phase"));
}

TEST_F(Changes, ObeysAStopWhileItWaits) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  std::stop_source stop;
  OpContext context = context_;
  context.stop = stop.get_token();
  std::jthread stopper([&] { stop.request_stop(); });
  const auto began = std::chrono::steady_clock::now();
  Result<StreamState> state = StreamState::kIdle;
  while (state.ok()) {
    batch_->reset();
    state = stream_->read(context, *batch_);
  }
  EXPECT_EQ(state.error().kind, ErrorKind::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

TEST_F(Changes, StaysConnectedWhileNobodyReads) {
  run("create table app.t (id int primary key)");
  run("alter system set wal_sender_timeout = '300ms'");
  run("select pg_reload_conf()");
  await("select setting from pg_settings where name = 'wal_sender_timeout'", "300");
  begin({"t"});
  // More than sockets and buffers hold, so that the walsender has to wait for us.
  run("insert into app.t select generate_series(1, 300000)");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  const std::string pid =
      value("select active_pid from pg_replication_slots where slot_name = '" + slot() + "'");
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_EQ(
        value("select active_pid from pg_replication_slots where slot_name = '" + slot() + "'"),
        pid);
  }
  EXPECT_EQ(read_commits(1).size(), 300002U);
  run("alter system reset wal_sender_timeout");
  run("select pg_reload_conf()");
}

// --- servers that stop ---

class ChangesOfOwnServer : public Changes {
 protected:
  PgCluster& cluster() override {
    if (own_ == nullptr) own_ = std::make_unique<PgCluster>();
    return *own_;
  }
  void TearDown() override {
    stream_.reset();
    start_.keeper.reset();
    admin_.reset();
  }
  void restart() {
    cluster().start();
    settings_.url = cluster().url(database_);
    admin_ = connect_as(settings_);
    source_.reset();
  }
  std::unique_ptr<PgCluster> own_;
};

TEST_F(ChangesOfOwnServer, GoesOnAfterARestart) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("insert into app.t values (1)");
  read_commits(1);
  run("insert into app.t values (2)");
  run("checkpoint");
  cluster().stop();
  EXPECT_EQ(read_error().kind, ErrorKind::kTransient);
  restart();
  run("insert into app.t values (3)");
  open(position_);
  EXPECT_THAT(read_commits(2),
              ElementsAre("begin", "insert t (2)", "commit", "begin", "insert t (3)", "commit"));
}

TEST_F(ChangesOfOwnServer, DeliversPreparedTransactionsWhenTheyCommit) {
  run("alter system set max_prepared_transactions = 5");
  run("create table app.t (id int primary key)");
  cluster().stop();
  restart();
  begin({"t"});
  run("begin; insert into app.t values (1); prepare transaction 'kept'");
  run("begin; insert into app.t values (2); prepare transaction 'dropped'");
  run("insert into app.t values (3)");
  run("rollback prepared 'dropped'");
  run("commit prepared 'kept'");
  EXPECT_THAT(read_commits(2),
              ElementsAre("begin", "insert t (3)", "commit", "begin", "insert t (1)", "commit"));
}

TEST_F(ChangesOfOwnServer, FollowsAPromotionAsFarAsTheLogWasShared) {
  run("create table app.t (id int primary key)");
  begin({"t"});
  run("insert into app.t values (1)");
  read_commits(1);
  run("checkpoint");
  cluster().stop();
  std::ofstream(cluster().directory() + "/pgdata/standby.signal").close();
  restart();
  run("select pg_promote()");
  run("insert into app.t values (2)");
  open(position_);
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert t (2)", "commit"));
  // What the old primary wrote after they parted is in no log of the new one.
  auto ahead = read_position(position_);
  WHERRY_EXPECT_OK(ahead);
  EXPECT_EQ(ahead->timeline, 2U);
  ahead->timeline = 1;
  const Error error = start_error(to_position(*ahead));
  EXPECT_EQ(error.kind, ErrorKind::kPositionLost);
  EXPECT_EQ(error.code, "postgres.other_timeline");
}

TEST_F(ChangesOfOwnServer, ForeseesTheLossOfItsLogAndNamesIt) {
  if (major_version() < 13) return;  // such a server never throws it away
  run("alter system set max_slot_wal_keep_size = '32MB'");
  run("alter system set max_wal_size = '64MB'");
  run("alter system set min_wal_size = '32MB'");
  run("select pg_reload_conf()");
  run("create table app.t (id int primary key)");
  begin({"t"});
  auto head = stream_->head(context_);
  WHERRY_EXPECT_OK(head);
  ASSERT_TRUE(head->bytes_until_lost.has_value());
  const std::uint64_t first = *head->bytes_until_lost;
  EXPECT_GT(first, 0U);
  stream_.reset();
  run("create table app.filler (t text)");
  run("insert into app.filler select repeat('x', 1000) from generate_series(1, 8000)");
  open(start_.position);
  head = stream_->head(context_);
  WHERRY_EXPECT_OK(head);
  EXPECT_LT(head->bytes_until_lost.value_or(first), first);
  stream_.reset();
  await("select active from pg_replication_slots where slot_name = '" + slot() + "'", "f");
  for (int i = 0; i < 10; ++i) {
    run("insert into app.filler select repeat('x', 1000) from generate_series(1, 10000)");
    run("select pg_switch_wal()");
    run("checkpoint");
  }
  await("select wal_status from pg_replication_slots where slot_name = '" + slot() + "'", "lost");
  const Error error = start_error(start_.position);
  EXPECT_EQ(error.kind, ErrorKind::kPositionLost);
  EXPECT_EQ(error.code, "postgres.log_lost");
  EXPECT_THAT(error.hint, HasSubstr("max_slot_wal_keep_size"));
  if (major_version() >= 17) {
    EXPECT_THAT(error.message, HasSubstr("invalidation_reason: wal_removed"));
  }
  auto advice = source()->examine(context_, request_);
  WHERRY_EXPECT_OK(advice);
  EXPECT_THAT(advice->warnings, Contains(HasSubstr("max_slot_wal_keep_size")));
}

TEST_F(ChangesOfOwnServer, SaysThatItsSlotWasGivenUpWhileTheTaskWasStopped) {
  if (major_version() < 18) return;  // idle_replication_slot_timeout
  run("create table app.t (id int primary key)");
  begin({"t"});
  stream_.reset();
  await("select active from pg_replication_slots where slot_name = '" + slot() + "'", "f");
  run("alter system set idle_replication_slot_timeout = '1s'");
  run("select pg_reload_conf()");
  await(
      "select count(*) from pg_settings where name = 'idle_replication_slot_timeout' and "
      "setting = '1'",
      "1");
  auto advice = source()->examine(context_, request_);
  WHERRY_EXPECT_OK(advice);
  EXPECT_THAT(advice->warnings, Contains(HasSubstr("idle_replication_slot_timeout")));
  // A checkpoint after that second does it.
  await(
      "select inactive_since < clock_timestamp() - interval '2 s' from pg_replication_slots "
      "where slot_name = '" +
          slot() + "'",
      "t");
  run("checkpoint");
  await("select wal_status from pg_replication_slots where slot_name = '" + slot() + "'", "lost");
  const Error error = start_error(start_.position);
  EXPECT_EQ(error.kind, ErrorKind::kPositionLost);
  EXPECT_EQ(error.code, "postgres.log_lost");
  EXPECT_THAT(error.message, HasSubstr("invalidation_reason: idle_timeout"));
  EXPECT_THAT(error.hint, HasSubstr("idle_replication_slot_timeout"));
}

TEST_F(ChangesOfOwnServer, ReadsTransactionsBeforeTheyEndAndDeliversThoseThatCommit) {
  if (major_version() < 14) return;  // such a server keeps them itself
  run("alter system set logical_decoding_work_mem = '64kB'");
  run("select pg_reload_conf()");
  settings_.options["CatchUpMegabytes"] = "0";
  run("create table app.t (id int primary key, v text)");
  request_ = request({"t"});
  request_.memory_bytes = 200'000;
  auto made = source()->prepare(context_, request_);
  WHERRY_EXPECT_OK(made);
  start_ = std::move(*made);
  open(start_.position);
  const auto other = connect_as(settings_);
  const auto fill = [](int from, int to) {
    return "insert into app.t select i, repeat('x', 100) from generate_series(" +
           std::to_string(from) + ", " + std::to_string(to) + ") i";
  };
  run("begin");
  run(fill(1, 3000));
  // Another one commits, and a third is rolled back, while the first one is open.
  WHERRY_EXPECT_OK(other->execute(context_, "test", "insert into app.t values (100000, 'small')"));
  WHERRY_EXPECT_OK(other->execute(context_, "test", "begin"));
  WHERRY_EXPECT_OK(other->execute(context_, "test", fill(200001, 203000)));
  EXPECT_THAT(read_commits(1), ElementsAre("begin", "insert t (100000,small)", "commit"));
  run("savepoint a");
  run(fill(3001, 6000));
  WHERRY_EXPECT_OK(other->execute(context_, "test", "rollback"));
  run("rollback to a");
  run(fill(6001, 9000));
  run("savepoint b");
  run("update app.t set v = 'new' where id = 5");
  run("release b");
  run("commit");
  const auto records = read_commits(1);
  ASSERT_EQ(records.size(), 6003U);
  EXPECT_EQ(records.front(), "begin");
  for (int i = 1; i <= 6000; ++i) {
    const int id = i <= 3000 ? i : i + 3000;
    ASSERT_TRUE(records.at(static_cast<std::size_t>(i))
                    .starts_with("insert t (" + std::to_string(id) + ","));
  }
  EXPECT_EQ(records.at(6001), "update t -> (5,new)");
  await("select stream_txns > 0 from pg_stat_replication_slots", "t");
  // A definition that changes within such a transaction counts from there on.
  const Position before = position_;
  run("begin");
  run("alter table app.t add w int default 1");
  run(fill(9001, 12000));
  run("commit");
  run("insert into app.t values (12001, 'a', 2)");
  const auto changed = read_commits(2);
  EXPECT_EQ(changed.at(1), "shape of t: t id integer v text w integer");
  EXPECT_EQ(changed.at(changed.size() - 2), "insert t (12001,a,2)");
  // Started again, it comes once more, whole.
  shapes_.clear();
  open(before);
  EXPECT_EQ(read_commits(2).size(), changed.size());
}

TEST_F(ChangesOfOwnServer, TellsOfATableThatIsMadeInATransactionThatIsReadBeforeItEnds) {
  if (major_version() < 14) return;
  run("alter system set logical_decoding_work_mem = '64kB'");
  run("select pg_reload_conf()");
  settings_.options["CatchUpMegabytes"] = "0";
  settings_.options["CaptureDdls"] = "true";
  run("create table app.t (id int primary key, v text)");
  begin({"t"});
  run("begin");
  const auto fill = [&] {
    run("insert into app.t select (select coalesce(max(id), 0) from app.t) + i, repeat('x', 100) "
        "from generate_series(1, 3000) i");
    // A change of someone else comes behind what was read of the open transaction.
    const auto other = connect_as(settings_);
    WHERRY_EXPECT_OK(other->execute(context_, "test", "create table app.other()"));
    WHERRY_EXPECT_OK(other->execute(context_, "test", "drop table app.other"));
    read_commits(2);
  };
  fill();
  run("create table app.made (id int primary key, v varchar(5) not null)");
  run("create table app.gone (id int primary key)");
  run("savepoint a");
  run("create table app.back (id int primary key)");
  fill();
  run("rollback to a");
  run("alter table app.made add w int");
  run("alter table app.t add w int default 7");  // without a row behind it
  run("drop table app.gone");
  run("commit");
  std::vector<connect::RowShape> made;
  const auto records = read_until([&](const Change& change) {
    const bool is_new =
        change.kind == ChangeKind::kDdl && change.ddl == connect::DdlKind::kNewTable;
    if (is_new) made.push_back(*change.shape);
    return change.kind == ChangeKind::kCommit;
  });
  EXPECT_EQ(records.size(), 3007U);  // without what was rolled back
  EXPECT_THAT(records, ::testing::Contains("shape of t: t id integer v text w integer"));
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].definition.table.name, "made");
  EXPECT_EQ(made[0].definition.columns.size(), 3U);
  EXPECT_EQ(made[0].definition.keys.at(0).columns.at(0), "id");
  await("select stream_txns > 0 from pg_stat_replication_slots", "t");
}

TEST_F(ChangesOfOwnServer, ATransactionThatStaysOpenWaitsOnDisk) {
  if (major_version() < 14) return;  // such a server keeps it itself
  run("alter system set logical_decoding_work_mem = '64kB'");
  run("select pg_reload_conf()");
  const std::filesystem::path spill = cluster().directory() + "/spill";
  std::filesystem::create_directory(spill);
  settings_.spill_directory = spill.string();
  settings_.options["CatchUpMegabytes"] = "0";
  run("create table app.t (id int primary key, v text)");
  request_ = request({"t"});
  request_.memory_keep = std::chrono::milliseconds(0);
  auto made = source()->prepare(context_, request_);
  WHERRY_EXPECT_OK(made);
  start_ = std::move(*made);
  open(start_.position);
  const auto spilled = [&] {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(spill)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return bytes;
  };
  run("begin");
  run("insert into app.t select i, repeat('x', 100) from generate_series(1, 3000) i");
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (spilled() < 1'000 && std::chrono::steady_clock::now() < give_up) {
    OpContext context = context_;
    context.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    batch_->reset();
    WHERRY_EXPECT_OK(stream_->read(context, *batch_));
  }
  EXPECT_GE(spilled(), 1'000U);
  run("commit");
  EXPECT_EQ(read_commits(1).size(), 3002U);
}

TEST_F(ChangesOfOwnServer, ReadsThroughTls) {
  const std::string data = cluster().directory() + "/pgdata";
  const wherry::test::Certificate files;
  const std::string certificate = data + "/own.pem";
  const std::string key = data + "/own.key";
  std::filesystem::copy_file(files.file("trust.pem"), certificate);
  std::filesystem::copy_file(files.file("key.pem"), key);
  struct stat owner {};
  ASSERT_EQ(::stat(data.c_str(), &owner), 0);
  for (const std::string& file : {certificate, key}) {
    ASSERT_EQ(::chown(file.c_str(), owner.st_uid, owner.st_gid), 0);
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  }
  run("alter system set ssl_cert_file = '" + certificate + "'");
  run("alter system set ssl_key_file = '" + key + "'");
  run("alter system set ssl = on");
  run("select pg_reload_conf()");
  settings_.options["sslmode"] = "require";
  settings_.options["CatchUpMegabytes"] = "0";
  run("create table app.t (id int primary key, v text)");
  begin({"t"});
  run("insert into app.t select i, repeat('x', i % 300) from generate_series(1, 100000) i");
  EXPECT_EQ(
      value("select s.ssl from pg_stat_ssl s join pg_replication_slots r on r.active_pid = s.pid"),
      "t");
  const auto records = read_commits(1);
  ASSERT_EQ(records.size(), 100002U);
  EXPECT_EQ(records.at(299), "insert t (299," + std::string(299, 'x') + ")");
  WHERRY_EXPECT_OK(stream_->confirm(context_, position_));
  await("select confirmed_flush_lsn >= '" + lsn_text(read_position(position_)->lsn) +
            "' from pg_replication_slots where slot_name = '" + slot() + "'",
        "t");
}

TEST_F(ChangesOfOwnServer, NeedsALogicalLog) {
  run("alter system set wal_level = replica");
  cluster().stop();
  restart();
  run("create table app.t (id int primary key)");
  auto advice = source()->examine(context_, request({"t"}));
  ASSERT_FALSE(advice.ok());
  EXPECT_EQ(advice.error().code, "postgres.wal_level");
  EXPECT_THAT(advice.error().hint, HasSubstr("wal_level = logical"));
}

}  // namespace
}  // namespace wherry::postgres::test
