#include <thread>

#include "engine/test_support.h"

namespace wherry::engine {
namespace {

Error data_error() {
  return make_error(ErrorKind::kData, "test.data", "a value does not fit");
}
Error disk_error() {
  return make_error(ErrorKind::kResource, "test.disk", "the disk is full");
}

/// The worlds that every load must survive unchanged.
struct Variation {
  const char* name;
  std::uint32_t max_subtasks;
  std::size_t batch_bytes;
  std::size_t batches;
  const char* batch_rows;
};

class EveryWorld : public ::testing::TestWithParam<Variation> {};

TEST_P(EveryWorld, LoadsAllRowsOfAllTables) {
  World world;
  world.options.max_subtasks = GetParam().max_subtasks;
  world.options.batch_bytes = GetParam().batch_bytes;
  world.options.batches_per_segment = GetParam().batches;
  world.source_options["batch_rows"] = GetParam().batch_rows;
  for (int i = 0; i < 20; ++i) {
    world.source.put(table_def("T" + std::to_string(i), i % 3 != 0), sample_rows(i * 37));
  }
  ASSERT_TRUE(world.load().ok());
  for (int i = 0; i < 20; ++i) {
    const std::string name = "T" + std::to_string(i);
    EXPECT_TRUE(World::same_rows(world.target_rows(name), sample_rows(i * 37))) << name;
    EXPECT_EQ(world.table(name).rows, static_cast<std::uint64_t>(i * 37));
    EXPECT_EQ(world.table(name).state, TableState::kTableCompleted);
    EXPECT_EQ(world.target.find({"S", name})->definition.keys.size(), i % 3 != 0 ? 1U : 0U);
  }
  EXPECT_EQ(world.journal.count("complete"), 20U);
  ASSERT_TRUE(world.validate().ok());
  EXPECT_TRUE(world.differences.all.empty());
}

INSTANTIATE_TEST_SUITE_P(Worlds, EveryWorld,
                         ::testing::Values(Variation{"Usual", 8, 512 * 1024, 4, "1000000"},
                                           Variation{"OneRowBatches", 8, 512 * 1024, 4, "1"},
                                           Variation{"TinyMemory", 3, 1, 1, "1000000"},
                                           Variation{"OneSubtask", 1, 4096, 2, "5"},
                                           Variation{"SixteenSubtasks", 16, 4096, 2, "5"},
                                           Variation{"MoreSubtasksThanTables", 49, 65536, 4,
                                                     "100"}),
                         [](const auto& variation) { return std::string(variation.param.name); });

TEST(FullLoad, NothingToLoadIsFine) {
  World world;
  EXPECT_TRUE(world.load().ok());
}

TEST(FullLoad, ATableInErrorDoesNotStopTheOthers) {
  for (const Point point : {Point::kPlan, Point::kOpenReader, Point::kRead, Point::kPrepare,
                            Point::kBegin, Point::kWrite, Point::kFinish, Point::kComplete}) {
    World world;
    for (const char* name : {"A", "BAD", "C", "D"})
      world.source.put(table_def(name), sample_rows(50));
    auto& faults = point <= Point::kRead ? world.source.faults() : world.target.faults();
    faults.add({point, "BAD", 0, 1, data_error()});
    ASSERT_TRUE(world.load().ok()) << static_cast<int>(point);
    EXPECT_EQ(world.table("BAD").state, TableState::kTableError);
    ASSERT_TRUE(world.table("BAD").error);
    EXPECT_EQ(world.table("BAD").error->code, "test.data");
    EXPECT_NE(world.table("BAD").error->to_paragraph().find("S.BAD"), std::string::npos);
    if (point != Point::kComplete) {
      EXPECT_TRUE(world.target_rows("BAD").empty());
    }
    for (const char* name : {"A", "C", "D"}) {
      EXPECT_EQ(world.table(name).state, TableState::kTableCompleted);
      EXPECT_EQ(world.target_rows(name).size(), 50U);
    }
    EXPECT_EQ(world.journal.count("complete"), 3U);
  }
}

TEST(FullLoad, AFailureAtAnyRowLeavesNoRowOfItsTable) {
  for (std::uint64_t row = 0; row < 40; row += 3) {
    for (const Point point : {Point::kRead, Point::kWrite}) {
      World world;
      world.source_options["batch_rows"] = "4";
      world.source.put(table_def("T"), sample_rows(40));
      auto& faults = point == Point::kRead ? world.source.faults() : world.target.faults();
      faults.add({point, "T", row, 1, data_error()});
      ASSERT_TRUE(world.load().ok());
      EXPECT_EQ(world.table("T").state, TableState::kTableError) << row;
      EXPECT_TRUE(world.target_rows("T").empty()) << row;
    }
  }
}

TEST(FullLoad, AnErrorThatNoTableSurvivesEndsTheLoad) {
  World world;
  world.options.max_subtasks = 1;
  for (const char* name : {"A", "B", "C"}) world.source.put(table_def(name), sample_rows(10));
  world.target.faults().add({Point::kFinish, "B", 0, 1, disk_error()});
  const auto result = world.load();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "test.disk");
  EXPECT_NE(result.error().to_paragraph().find("S.B"), std::string::npos);
  EXPECT_EQ(world.target_rows("A").size(), 10U);
  EXPECT_TRUE(world.target_rows("B").empty());
  EXPECT_EQ(world.table("C").state, TableState::kBeforeLoad);
}

TEST(FullLoad, ACutConnectionIsTriedAgainAndNothingIsDoubled) {
  for (const Point point : {Point::kOpenReader, Point::kRead, Point::kBegin, Point::kWrite,
                            Point::kFinish, Point::kComplete, Point::kPrepare}) {
    World world;
    world.source_options["batch_rows"] = "7";
    world.source.put(table_def("T"), sample_rows(60));
    auto& faults = point <= Point::kRead ? world.source.faults() : world.target.faults();
    faults.add({point, "T", 0, 2, memory::cut_error()});
    const auto result = world.load();
    ASSERT_TRUE(result.ok()) << static_cast<int>(point) << result.error().to_paragraph();
    EXPECT_TRUE(World::same_rows(world.target_rows("T"), sample_rows(60)))
        << static_cast<int>(point);
    EXPECT_EQ(world.table("T").rows, 60U);
  }
}

TEST(FullLoad, AConnectionThatStaysCutEndsTheLoad) {
  World world;
  world.source.put(table_def("T"), sample_rows(60));
  world.source.faults().add({Point::kRead, "T", 30, 1000, memory::cut_error()});
  const auto result = world.load();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kTransient);
  EXPECT_TRUE(world.target_rows("T").empty());
}

/// A retry must not append to what an earlier try has made durable.
TEST(FullLoad, ARetryAfterDurableRowsOnlyAddsTheKey) {
  for (const bool existed : {false, true}) {
    World world;
    world.options.existing = connect::ExistingTable::kKeep;
    world.source.put(table_def("T"), sample_rows(25));
    if (existed) world.target.put(table_def("T", false));
    world.target.faults().add({Point::kComplete, "T", 0, 1, memory::cut_error()});
    ASSERT_TRUE(world.load().ok());
    EXPECT_TRUE(World::same_rows(world.target_rows("T"), sample_rows(25)));
    // Another one's table keeps the keys it has.
    EXPECT_EQ(world.target.find({"S", "T"})->definition.keys.size(), existed ? 0U : 1U);
    EXPECT_EQ(
        world.journal.all,
        existed ? (std::vector<std::string>{"T: start", "T: prepared", "T: loaded", "T: complete"})
                : (std::vector<std::string>{"T: start", "T: loaded", "T: complete"}));
  }
}

/// The commit may have arrived although its answer did not: the ledger knows.
TEST(FullLoad, ABrokenCommitIsLookedUpAndNeverDoubled) {
  for (const bool existed : {false, true}) {
    for (const Point point : {Point::kFinish, Point::kCommitted}) {
      World world;
      world.options.existing = connect::ExistingTable::kKeep;
      world.source.put(table_def("T"), sample_rows(25));
      if (existed) world.target.put(table_def("T", false), {sample_row(1000)});
      world.target.faults().add({point, "T", 0, 1, memory::cut_error()});
      world.target.faults().add({Point::kLedger, {}, 0, 1, memory::cut_error()});
      const auto result = world.load();
      ASSERT_TRUE(result.ok()) << result.error().to_paragraph();
      auto expected = sample_rows(25);
      if (existed) expected.push_back(sample_row(1000));
      EXPECT_TRUE(World::same_rows(world.target_rows("T"), expected));
      EXPECT_EQ(world.table("T").rows, 25U);
    }
  }
}

/// A user who may not make the ledger still gets each row once, a table at a time.
TEST(FullLoad, WithoutALedgerATableIsLoadedInOneTransaction) {
  for (const Point point : {Point::kFinish, Point::kCommitted}) {
    World world;
    world.options.load_id.clear();
    world.options.least_chunk_bytes = world.options.chunk_bytes = 64;
    world.source.put(table_def("T"), sample_rows(25));
    world.target.faults().add({point, "T", 0, 1, memory::cut_error()});
    ASSERT_TRUE(world.load().ok());
    EXPECT_TRUE(World::same_rows(world.target_rows("T"), sample_rows(25)));
    EXPECT_EQ(world.table("T").chunks, 1U);
  }
  World world;
  world.options.load_id.clear();
  world.options.existing = connect::ExistingTable::kKeep;
  world.source.put(table_def("T"), sample_rows(25));
  world.target.put(table_def("T", false), {sample_row(1000)});
  world.target.faults().add({Point::kFinish, "T", 0, 1, memory::cut_error()});
  ASSERT_TRUE(world.load().ok());
  EXPECT_EQ(world.table("T").error->code, "load.unknown_outcome");
  EXPECT_EQ(world.journal.all.back(), "T: commit");
  EXPECT_EQ(world.target_rows("T").size(), 1U);
}

/// Chunks of eight rows, segments of one chunk.
void cut_small(World& world) {
  world.options.chunk_bytes = world.options.least_chunk_bytes = 8 * 64;
  world.options.segment_bytes = 1;
}

TEST(FullLoad, ALargeTableIsLoadedByAllSubtasksInSegments) {
  World world;
  cut_small(world);
  world.options.max_subtasks = 4;
  world.source.put(table_def("BIG"), sample_rows(800));
  world.source.put(table_def("SMALL"), sample_rows(5));
  world.source.faults().add({Point::kRead, "BIG", 0, 4, std::nullopt});
  std::thread load([&] { EXPECT_TRUE(world.load().ok()); });
  // Nobody has nothing to do while one table is left.
  ASSERT_TRUE(world.source.faults().wait_held(4, kDeadline));
  world.source.faults().release();
  load.join();
  EXPECT_TRUE(World::same_rows(world.target_rows("BIG"), sample_rows(800)));
  EXPECT_EQ(world.table("BIG").chunks, 100U);
  EXPECT_EQ(world.table("BIG").chunks_done, 100U);
  EXPECT_EQ(world.target.recorded("load").size(), 101U);
  EXPECT_EQ(world.target.faults().calls(Point::kPrepare), 2U);
}

TEST(FullLoad, ConnectionsThatBreakAllTheTimeLoseAndDoubleNothing) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    World world;
    cut_small(world);
    world.options.retry.most_tries = -1;
    world.options.retry.stops_at_most_wait = false;
    world.options.retry.wait = world.options.retry.most_wait = std::chrono::milliseconds(0);
    world.source_options["batch_rows"] = "3";
    for (const char* name : {"A", "B", "C"}) world.source.put(table_def(name), sample_rows(200));
    std::mt19937 random(seed);
    for (int i = 0; i < 20; ++i) {
      for (const Point point : {Point::kOpenReader, Point::kRead}) {
        world.source.faults().add({point, {}, random() % 8, 1, memory::cut_error()});
      }
      for (const Point point :
           {Point::kBegin, Point::kWrite, Point::kFinish, Point::kCommitted, Point::kLedger}) {
        world.target.faults().add({point, {}, random() % 8, 1, memory::cut_error()});
      }
    }
    const auto result = world.load();
    ASSERT_TRUE(result.ok()) << seed << result.error().to_paragraph();
    for (const char* name : {"A", "B", "C"}) {
      EXPECT_TRUE(World::same_rows(world.target_rows(name), sample_rows(200))) << seed;
      EXPECT_EQ(world.table(name).rows, 200U) << seed;
    }
    EXPECT_TRUE(world.progress->interruptions().empty());
  }
}

Error lost_error() {
  return make_error(ErrorKind::kPositionLost, "test.lost", "snapshot too old");
}

/// 400 rows in segments of eight; each 4th row does not fit (the target's NAME is NOT NULL), each
/// 2nd STORY is too long.
void make_faulty_rows(World& world) {
  cut_small(world);
  world.options.max_subtasks = 1;
  world.options.existing = connect::ExistingTable::kTruncate;
  schema::TableDef def = table_def("T");
  def.columns[2] = column("STORY", TypeKind::kClob);
  std::vector<Row> rows;
  for (std::int64_t id = 1; id <= 400; ++id) {
    rows.push_back({Value::integer(id), id % 4 == 0 ? Value::null() : Value::text("name"),
                    Value::text(id % 2 == 0 ? "much too long" : "short")});
  }
  world.source.put(def, rows);
  def.columns[1].nullable = false;
  world.target.put(def);
  world.change_plan = [](schema::TablePlan& plan) { plan.columns[2].max_lob_bytes = 8; };
}

void expect_faulty_rows_counted(const World& world) {
  const TableProgress& table = world.table("T");
  EXPECT_EQ(table.state, TableState::kTableCompleted);
  EXPECT_EQ(world.target_rows("T").size(), 300U);
  EXPECT_EQ(table.rows, 300U);
  EXPECT_EQ(table.refused_rows, 100U);
  EXPECT_EQ(table.truncated_values, 200U);
}

TEST(FullLoad, CountsAreTrueAfterAResume) {
  World world;
  make_faulty_rows(world);
  world.target.faults().add({Point::kFinish, "T", 0, 1, std::nullopt});
  std::thread load([&] { EXPECT_FALSE(world.load().ok()); });
  ASSERT_TRUE(world.target.faults().wait_held(1, kDeadline));
  world.target.faults().add({Point::kBegin, "T", 0, 1, disk_error()});
  world.target.faults().release();
  load.join();
  EXPECT_EQ(world.table("T").rows, 6U);
  const auto done = world.target.recorded("load");
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].rows, 8U);
  EXPECT_EQ(done[0].refused_rows, 2U);
  EXPECT_EQ(done[0].truncated_values, 4U);
  ASSERT_TRUE(world.resume().ok());
  expect_faulty_rows_counted(world);
  EXPECT_EQ(world.table("T").rows_before, 6U);
}

TEST(FullLoad, CountsAreTrueAfterBrokenConnections) {
  World world;
  make_faulty_rows(world);
  for (const Point point : {Point::kWrite, Point::kFinish, Point::kCommitted}) {
    world.target.faults().add({point, "T", 0, 2, memory::cut_error()});
  }
  ASSERT_TRUE(world.load().ok());
  expect_faulty_rows_counted(world);
}

TEST(FullLoad, ATableThatLosesItsViewIsReadAgainAtANewerOne) {
  World world;
  cut_small(world);
  // A second worker would lose the view, and open the next, before the source has changed.
  world.options.max_subtasks = 1;
  world.source.put(table_def("T"), sample_rows(100));
  world.source.put(table_def("U"), sample_rows(20));
  world.source.faults().add({Point::kRead, "T", 3, 1, std::nullopt});
  world.source.faults().add({Point::kRead, "T", 4, 1, lost_error()});
  std::thread load([&] { EXPECT_TRUE(world.load().ok()); });
  ASSERT_TRUE(world.source.faults().wait_held(1, kDeadline));
  world.source.put(table_def("T"), sample_rows(150));
  world.source.put(table_def("U"), sample_rows(150));
  world.source.faults().release();
  load.join();
  EXPECT_TRUE(World::same_rows(world.target_rows("T"), sample_rows(150)));
  EXPECT_TRUE(World::same_rows(world.target_rows("U"), sample_rows(20)));
  EXPECT_EQ(world.table("T").rows, 150U);
  EXPECT_EQ(world.table("T").state, TableState::kTableCompleted);
  EXPECT_FALSE(world.table("T").error);
  // Both beginnings of T were written down, the second at a position of its own.
  EXPECT_EQ(world.journal.count("start"), 3U);
  EXPECT_EQ(world.journal.positions["T"].size(), 2U);
  EXPECT_NE(world.journal.positions["T"][1], "");
}

TEST(FullLoad, CountsBeginAnewWithANewView) {
  World world;
  make_faulty_rows(world);
  world.source_options["batch_rows"] = "1";
  world.source.faults().add({Point::kRead, "T", 5, 1, lost_error()});
  ASSERT_TRUE(world.load().ok());
  EXPECT_EQ(world.journal.positions["T"].size(), 2U);
  expect_faulty_rows_counted(world);
}

TEST(FullLoad, RowsAmongThoseOfOthersAreNotReadAgain) {
  World world;
  cut_small(world);
  world.options.max_subtasks = 1;
  world.options.existing = connect::ExistingTable::kKeep;
  world.source.put(table_def("T"), sample_rows(100));
  world.target.put(table_def("T", false), {sample_row(1000)});
  // The first chunk is loaded then.
  world.target.faults().add({Point::kCommitted, "T", 0, 1, std::nullopt});
  std::thread load([&] { EXPECT_TRUE(world.load().ok()); });
  ASSERT_TRUE(world.target.faults().wait_held(1, kDeadline));
  world.source.faults().add({Point::kRead, "T", 0, 1, lost_error()});
  world.target.faults().release();
  load.join();
  ASSERT_TRUE(world.table("T").error);
  EXPECT_EQ(world.table("T").error->code, "load.mixed_rows");
}

TEST(FullLoad, ATableThatLosesEveryViewIsGivenUp) {
  World world;
  world.source.put(table_def("T"), sample_rows(100));
  world.source.faults().add({Point::kRead, "T", 0, 1000, lost_error()});
  ASSERT_TRUE(world.load().ok());
  EXPECT_EQ(world.table("T").error->code, "load.position_lost_again");
}

TEST(FullLoad, AMilestoneThatCannotBeRecordedEndsTheLoad) {
  for (const char* milestone : {"start", "loaded", "complete"}) {
    World world;
    world.source.put(table_def("T"), sample_rows(25));
    world.journal.fails_at = milestone;
    const auto result = world.load();
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, "test.journal");
    EXPECT_EQ(world.target_rows("T").empty(), std::string_view(milestone) == "start");
  }
}

TEST(FullLoad, StopsWithinASecondWhereverItIsHeld) {
  for (const Point point : {Point::kPlan, Point::kOpenReader, Point::kRead, Point::kPrepare,
                            Point::kBegin, Point::kWrite, Point::kFinish, Point::kComplete}) {
    World world;
    world.source_options["batch_rows"] = "3";
    for (const char* name : {"A", "B", "C"}) world.source.put(table_def(name), sample_rows(100));
    auto& faults = point <= Point::kRead ? world.source.faults() : world.target.faults();
    faults.add({point, "B", 0, 1, std::nullopt});
    std::optional<Result<void>> result;
    std::thread load([&] { result = world.load(); });
    ASSERT_TRUE(faults.wait_held(1, kDeadline)) << static_cast<int>(point);
    const auto asked = std::chrono::steady_clock::now();
    world.stop.request_stop();
    load.join();
    EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(1));
    ASSERT_FALSE(result->ok());
    EXPECT_EQ(result->error().kind, ErrorKind::kCancelled);
    EXPECT_EQ(world.table("B").state, TableState::kTableCancelled);
    if (point != Point::kComplete) {
      EXPECT_TRUE(world.target_rows("B").empty());
    }
  }
}

TEST(FullLoad, ASlowTargetHoldsTheSourceBack) {
  World world;
  world.source_options["batch_rows"] = "1";
  world.options.batches_per_segment = 4;
  world.source.put(table_def("T"), sample_rows(1000));
  world.target.faults().add({Point::kWrite, "T", 0, 1, std::nullopt});
  std::thread load([&] { EXPECT_TRUE(world.load().ok()); });
  ASSERT_TRUE(world.target.faults().wait_held(1, kDeadline));
  // One batch at the held writer, at most four in all.
  EXPECT_LE(world.source.faults().calls(Point::kRead), 5U);
  world.target.faults().release();
  load.join();
  EXPECT_EQ(world.target_rows("T").size(), 1000U);
  EXPECT_GT(world.table("T").wait_output_ns, 0);
}

TEST(FullLoad, NoBufferHoldsMoreRowsThanTheCommitRate) {
  World world;
  world.options.batch_rows = 10;
  world.options.batches_per_segment = 4;
  world.source.put(table_def("T"), sample_rows(1000));
  world.target.faults().add({Point::kWrite, "T", 0, 1, std::nullopt});
  std::thread load([&] { EXPECT_TRUE(world.load().ok()); });
  ASSERT_TRUE(world.target.faults().wait_held(1, kDeadline));
  // Four buffers of ten rows are all there is while the writer is held.
  EXPECT_LE(world.source.faults().calls(Point::kRead), 41U);
  world.target.faults().release();
  load.join();
  EXPECT_EQ(world.target_rows("T").size(), 1000U);
}

TEST(FullLoad, NeverRunsMoreSubtasksThanAllowed) {
  World world;
  world.options.max_subtasks = 3;
  for (int i = 0; i < 10; ++i) world.source.put(table_def("T" + std::to_string(i)), sample_rows(5));
  world.source.faults().add({Point::kRead, {}, 0, 1000, std::nullopt});
  std::thread load([&] { EXPECT_TRUE(world.load().ok()); });
  ASSERT_TRUE(world.source.faults().wait_held(3, kDeadline));
  std::size_t running = 0;
  for (const TableProgress& table : world.progress->tables()) {
    running += table.state == TableState::kFullLoad ? 1 : 0;
  }
  EXPECT_EQ(running, 3U);
  world.source.faults().release();
  load.join();
  EXPECT_EQ(world.journal.count("complete"), 10U);
}

TEST(FullLoad, KeepsWhatExistsOnlyWhenAskedTo) {
  for (const auto existing : {connect::ExistingTable::kDrop, connect::ExistingTable::kTruncate,
                              connect::ExistingTable::kKeep}) {
    World world;
    world.options.existing = existing;
    world.source.put(table_def("T", false), sample_rows(3));
    schema::TableDef old = table_def("T", false);
    old.columns.push_back(column("EXTRA", TypeKind::kText));
    Row kept = sample_row(99);
    kept.push_back(Value::text("extra"));
    world.target.put(old, {kept});
    ASSERT_TRUE(world.load().ok());
    EXPECT_EQ(world.target_rows("T").size(), existing == connect::ExistingTable::kKeep ? 4U : 3U);
    EXPECT_EQ(world.target.find({"S", "T"})->definition.columns.size(),
              existing == connect::ExistingTable::kDrop ? 3U : 4U);
  }
}

TEST(FullLoad, AllTablesAreReadAtOnePoint) {
  World world;
  world.options.max_subtasks = 1;
  world.source.put(table_def("A"), sample_rows(5));
  world.source.put(table_def("B"), sample_rows(5));
  world.source.faults().add({Point::kOpenReader, "B", 0, 1, std::nullopt});
  std::thread load([&] { EXPECT_TRUE(world.load().ok()); });
  ASSERT_TRUE(world.source.faults().wait_held(1, kDeadline));
  world.source.put(table_def("B"), sample_rows(500));
  world.source.faults().release();
  load.join();
  EXPECT_EQ(world.target_rows("B").size(), 5U);
  ASSERT_TRUE(world.validate().ok());
  EXPECT_TRUE(world.differences.all.empty());
}

}  // namespace
}  // namespace wherry::engine
