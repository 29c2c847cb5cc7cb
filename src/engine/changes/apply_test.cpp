#include "engine/changes/test_support.h"

namespace wherry::engine::changes_test {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): literals

Value integer(std::int64_t number) {
  return Value::integer(number);
}
Row numbers(std::initializer_list<std::int64_t> values) {
  Row out;
  for (const std::int64_t value : values) out.push_back(integer(value));
  return out;
}
Image key_only(std::int64_t id, std::size_t columns) {
  Image out(columns);
  out[0] = integer(id);
  return out;
}

/// ID (key), A, B.
TableDef keyed(const std::string& name = "T") {
  return table(name, {column("ID", TypeKind::kInt64, false), column("A"), column("B")},
               {{"PK", {"ID"}, true}});
}

TEST(Apply, InsertsUpdatesAndDeletesArriveOnce) {
  ApplyWorld world;
  world.add(keyed(), {numbers({1, 10, 100}), numbers({2, 20, 200})});
  const auto shape = world.log.shape(keyed());
  world.log.begin().changes = {inserted(shape, numbers({3, 30, 300})),
                               updated(shape, {}, image(numbers({1, 11, 100})))};
  world.log.begin().changes = {deleted(shape, key_only(2, 3)),
                               updated(shape, {}, image(numbers({3, 31, 301})))};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), (std::vector<Row>{numbers({1, 11, 100}), numbers({3, 31, 301})}));
  const auto& table = world.table_progress("T");
  EXPECT_EQ(table.applied.inserts, 1U);
  EXPECT_EQ(table.applied.updates, 2U);
  EXPECT_EQ(table.applied.deletes, 1U);
  EXPECT_EQ(table.captured.updates, 2U);
  EXPECT_EQ(world.progress->pending_changes(), 0U);
  ASSERT_TRUE(world.progress->checkpoint());
  EXPECT_EQ(world.progress->checkpoint()->position.text, "p2");
  // Again: nothing is left to do.
  LogFeed feed(world.log);
  ASSERT_TRUE(world.run(feed, world.log.end()).ok());
  EXPECT_EQ(feed.starts, std::vector<std::string>{"p2"});
  EXPECT_EQ(world.progress->commits(), 0U);
}

TEST(Apply, ManyChangesOfARowBecomeOne) {
  ApplyWorld world;
  world.options.is_batch = true;
  world.options.batch_shortest = std::chrono::milliseconds(0);
  world.add(keyed(), {numbers({1, 0, 0})});
  const auto shape = world.log.shape(keyed());
  for (std::int64_t i = 1; i <= 200; ++i) {
    world.log.begin().changes = {updated(shape, {}, {integer(1), integer(i), std::nullopt})};
  }
  LogFeed feed(world.log);
  feed.batch_changes = [] { return std::size_t{100'000}; };
  ASSERT_TRUE(world.run(feed, world.log.end()).ok());
  EXPECT_EQ(world.rows("T"), std::vector<Row>{numbers({1, 200, 0})});
  EXPECT_EQ(world.progress->folded_changes(), 200U);
  EXPECT_EQ(world.progress->folded_rows(), 1U);
  EXPECT_EQ(world.table_progress("T").applied.updates, 200U);
}

TEST(Apply, UnchangedColumnsKeepWhatTheyHave) {
  ApplyWorld world;
  world.add(keyed(), {numbers({1, 10, 100})});
  const auto shape = world.log.shape(keyed());
  world.log.begin().changes = {updated(shape, {}, {integer(1), std::nullopt, integer(101)}),
                               updated(shape, {}, {integer(1), integer(11), std::nullopt})};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), std::vector<Row>{numbers({1, 11, 101})});
}

TEST(Apply, ChangesBeforeATablesOwnPointAreOnItAlready) {
  ApplyWorld world;
  world.add(keyed("T"), {numbers({1, 0, 0})}, 10);
  world.add(keyed("U"));
  const auto t = world.log.shape(keyed("T"));
  const auto u = world.log.shape(keyed("U"));
  for (std::int64_t i = 1; i <= 2; ++i) {
    world.log.begin().changes = {inserted(t, numbers({i, 0, 0})), inserted(u, numbers({i, 0, 0}))};
  }
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T").size(), 2U);
  EXPECT_EQ(world.rows("U").size(), 2U);
  EXPECT_TRUE(world.events.exceptions.empty());
}

TEST(Apply, TablesThatAreNotOfTheTaskAreLeftAlone) {
  ApplyWorld world;
  world.add(keyed("T"));
  const auto other = world.log.shape(keyed("OTHER"));
  world.log.begin().changes = {inserted(other, numbers({1, 0, 0}))};
  world.log.heartbeat();
  ASSERT_TRUE(world.run().ok());
  // The checkpoint moves all the same, so that the source may forget.
  EXPECT_EQ(world.progress->checkpoint()->position.text, "p2");
  EXPECT_EQ(world.progress->applied_order(), 11U);
}

// A statement of Oracle's, checked at its end: UPDATE t SET id = id + 1.
TEST(Apply, KeysThatAllMoveUpMove) {
  for (const bool is_batch : {false, true}) {
    ApplyWorld world;
    world.options.is_batch = is_batch;
    world.add(keyed(), {numbers({1, 10, 0}), numbers({2, 20, 0}), numbers({3, 30, 0})});
    const auto shape = world.log.shape(keyed());
    auto& changes = world.log.begin().changes;
    for (std::int64_t id = 1; id <= 3; ++id) {
      changes.push_back(updated(shape, key_only(id, 3), {integer(id + 1), {}, {}}));
    }
    ASSERT_TRUE(world.run().ok());
    EXPECT_EQ(world.rows("T"),
              (std::vector<Row>{numbers({2, 10, 0}), numbers({3, 20, 0}), numbers({4, 30, 0})}));
    EXPECT_TRUE(world.events.exceptions.empty());
  }
}

// The same log, but of one row.
TEST(Apply, OneRowWhoseKeyMovesAndMovesEndsWhereItShould) {
  ApplyWorld world;
  world.add(keyed(), {numbers({1, 10, 0})});
  const auto shape = world.log.shape(keyed());
  for (std::int64_t id = 1; id <= 3; ++id) {
    world.log.begin().changes = {
        updated(shape, key_only(id, 3), {integer(id + 1), integer(id), std::nullopt})};
  }
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), std::vector<Row>{numbers({4, 3, 0})});
  EXPECT_TRUE(world.events.exceptions.empty());
}

TEST(Apply, ARowThatMadeRoomIsNotTakenForTheOneThatCame) {
  ApplyWorld world;
  world.add(keyed(), {numbers({23, 1, 0}), numbers({24, 2, 0})});
  const auto shape = world.log.shape(keyed());
  const auto move = [&](std::int64_t from, std::int64_t to, std::int64_t a) {
    return updated(shape, key_only(from, 3), image(numbers({to, a, 0})));
  };
  world.log.begin().changes = {move(23, 24, 1), move(24, 25, 2)};
  world.log.begin().changes = {move(25, 6, 2)};
  world.log.begin().changes = {move(24, 25, 1)};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), (std::vector<Row>{numbers({6, 2, 0}), numbers({25, 1, 0})}));
  EXPECT_TRUE(world.events.exceptions.empty());
}

TEST(Apply, WhatComesAfterARowThatMovedTwiceSeesItThere) {
  ApplyWorld world;
  world.add(keyed("CHILD"), {numbers({4, 1, 0})});
  world.add(keyed("PARENT"), {numbers({1, 0, 0}), numbers({2, 0, 0})});
  world.target.add_foreign_key({{"S", "CHILD"}, {"A"}, {"S", "PARENT"}, {"ID"}});
  const auto child = world.log.shape(keyed("CHILD"));
  const auto parent = world.log.shape(keyed("PARENT"));
  // The parent that moves has the family done in the order of the log.
  world.log.begin().changes = {updated(child, key_only(4, 3), image(numbers({17, 1, 0}))),
                               updated(child, key_only(17, 3), image(numbers({13, 1, 0})))};
  world.log.begin().changes = {updated(child, {}, image(numbers({13, 1, 5})))};
  world.log.begin().changes = {updated(parent, key_only(2, 3), image(numbers({3, 0, 0})))};
  LogFeed feed(world.log);
  ASSERT_TRUE(world.run(feed, world.log.end()).ok());
  EXPECT_EQ(world.rows("CHILD"), std::vector<Row>{numbers({13, 1, 5})});
  EXPECT_TRUE(world.events.exceptions.empty());
}

TEST(Apply, KeysAreSwapped) {
  // At once, as a statement may, and by way of a third key.
  const std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>> ways = {
      {{1, 2}, {2, 1}}, {{1, -1}, {2, 1}, {-1, 2}}};
  for (const auto& way : ways) {
    ApplyWorld world;
    world.add(keyed(), {numbers({1, 10, 0}), numbers({2, 20, 0})});
    const auto shape = world.log.shape(keyed());
    auto& changes = world.log.begin().changes;
    for (const auto& [from, to] : way) {
      changes.push_back(updated(shape, key_only(from, 3), {integer(to), {}, {}}));
    }
    ASSERT_TRUE(world.run().ok());
    EXPECT_EQ(world.rows("T"), (std::vector<Row>{numbers({1, 20, 0}), numbers({2, 10, 0})}));
    EXPECT_TRUE(world.events.exceptions.empty());
  }
}

TEST(Apply, AnotherUniqueKeyIsSwapped) {
  TableDef definition = keyed();
  definition.keys.push_back({"U", {"A"}, false});
  ApplyWorld world;
  world.add(definition, {numbers({1, 10, 0}), numbers({2, 20, 0})});
  const auto shape = world.log.shape(definition);
  world.log.begin().changes = {updated(shape, {}, image(numbers({1, 20, 0}))),
                               updated(shape, {}, image(numbers({2, 10, 0})))};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), (std::vector<Row>{numbers({1, 20, 0}), numbers({2, 10, 0})}));
  EXPECT_TRUE(world.events.exceptions.empty());
}

TEST(Apply, ADeleteWithoutAKeyTakesOneRow) {
  const TableDef definition = table("T", {column("A"), column("B")});
  ApplyWorld world;
  world.add(definition, {numbers({1, 1}), numbers({1, 1}), numbers({1, 1})});
  const auto shape = world.log.shape(definition, true);
  world.log.begin().changes = {deleted(shape, image(numbers({1, 1}))),
                               updated(shape, image(numbers({1, 1})), image(numbers({2, 2}))),
                               updated(shape, image(numbers({2, 2})), image(numbers({3, 3}))),
                               inserted(shape, numbers({4, 4})),
                               deleted(shape, image(numbers({4, 4})))};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), (std::vector<Row>{numbers({1, 1}), numbers({3, 3})}));
  EXPECT_TRUE(world.events.exceptions.empty());
}

TEST(Apply, OneBadRowOfAThousandCostsOnlyItself) {
  for (const std::uint32_t lanes : {1U, 4U}) {
    ApplyWorld world;
    world.options.lanes = lanes;
    TableDef definition = keyed();
    definition.columns[1].nullable = false;
    world.add(definition);
    const auto shape = world.log.shape(definition);
    for (std::int64_t id = 1; id <= 1000; ++id) {
      Row row = numbers({id, id, id});
      if (id == 617) row[1] = Value::null();
      world.log.begin().changes = {inserted(shape, row)};
    }
    LogFeed feed(world.log);
    feed.batch_changes = [] { return std::size_t{100'000}; };
    ASSERT_TRUE(world.run(feed, world.log.end()).ok());
    EXPECT_EQ(world.rows("T").size(), 999U);
    const auto exceptions = world.target.apply_state()->exceptions;
    ASSERT_EQ(exceptions.size(), 1U);
    EXPECT_EQ(exceptions[0].statement,
              R"(INSERT INTO "S"."T" ("ID", "A", "B") VALUES (617, NULL, 617))");
    EXPECT_EQ(world.table_progress("T").applied.inserts, 999U);
    EXPECT_EQ(world.table_progress("T").data_errors, 1U);
    EXPECT_EQ(world.progress->restarts(), 0U);
    EXPECT_LT(world.target.faults().calls(Point::kMark), 60U * lanes);
  }
}

TEST(Apply, ABadRowOfATransactionLargerThanMemoryCostsOnlyItself) {
  ApplyWorld world;
  world.options.memory_bytes = 64 * 1024;
  TableDef definition = keyed();
  definition.columns[1].nullable = false;
  world.add(definition);
  const auto shape = world.log.shape(definition);
  auto& changes = world.log.begin().changes;
  for (std::int64_t id = 1; id <= 1500; ++id) {
    Row row = numbers({id, id, id});
    if (id == 1200) row[1] = Value::null();
    changes.push_back(inserted(shape, row));
  }
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T").size(), 1499U);
  EXPECT_EQ(world.events.exceptions.size(), 1U);
  EXPECT_EQ(world.progress->commits(), 1U);   // one transaction there, one here
  EXPECT_EQ(world.progress->restarts(), 1U);  // for the pieces that were gone
}

/// One change that conflicts, among others, under each action.
struct ConflictCase {
  ConflictAction action;
  std::vector<Row> rows;
  std::size_t exceptions;
  bool suspends, stops;
};

TEST(Apply, AnInsertOfARowThatIsThereIsDecidedByItsPolicy) {
  const std::vector<Row> kept = {numbers({1, 10, 0}), numbers({2, 20, 0})};
  const std::vector<Row> written = {numbers({1, 99, 0}), numbers({2, 20, 0})};
  for (const ConflictCase& each : std::vector<ConflictCase>{
           {ConflictAction::kIgnoreRecord, kept, 0, false, false},
           {ConflictAction::kLogError, kept, 1, false, false},
           {ConflictAction::kWriteRecord, written, 0, false, false},
           {ConflictAction::kSuspendTable, {numbers({1, 10, 0})}, 1, true, false},
           {ConflictAction::kStopTask, {numbers({1, 10, 0})}, 0, false, true}}) {
    ApplyWorld world;
    world.options.errors.insert = each.action;
    world.add(keyed(), {numbers({1, 10, 0})});
    const auto shape = world.log.shape(keyed());
    world.log.begin().changes = {inserted(shape, numbers({1, 99, 0})),
                                 inserted(shape, numbers({2, 20, 0}))};
    const auto result = world.run();
    EXPECT_EQ(result.ok(), !each.stops);
    if (each.stops) {
      EXPECT_EQ(result.error().code, "apply.stopped_by_policy");
    }
    EXPECT_EQ(world.rows("T"), each.rows) << static_cast<int>(each.action);
    EXPECT_EQ(world.events.exceptions.size(), each.exceptions);
    EXPECT_EQ(world.events.suspended.size(), each.suspends ? 1U : 0U);
    EXPECT_EQ(world.table_progress("T").is_suspended, each.suspends);
  }
}

TEST(Apply, AnUpdateOfARowThatIsMissingIsDecidedByItsPolicy) {
  for (const ConflictCase& each : std::vector<ConflictCase>{
           {ConflictAction::kIgnoreRecord, {numbers({2, 20, 0})}, 0, false, false},
           {ConflictAction::kLogError, {numbers({2, 20, 0})}, 1, false, false},
           {ConflictAction::kWriteRecord,
            {numbers({1, 11, 0}), numbers({2, 20, 0})},
            0,
            false,
            false},
           {ConflictAction::kStopTask, {numbers({2, 10, 0})}, 0, false, true}}) {
    ApplyWorld world;
    world.options.errors.update = each.action;
    world.add(keyed(), {numbers({2, 10, 0})});
    const auto shape = world.log.shape(keyed());
    world.log.begin().changes = {updated(shape, {}, image(numbers({1, 11, 0}))),
                                 updated(shape, {}, image(numbers({2, 20, 0})))};
    EXPECT_EQ(world.run().ok(), !each.stops);
    EXPECT_EQ(world.rows("T"), each.rows) << static_cast<int>(each.action);
    EXPECT_EQ(world.events.exceptions.size(), each.exceptions);
  }
}

TEST(Apply, ADeleteOfARowThatIsMissingIsIgnoredUnlessThePolicySaysOtherwise) {
  for (const ConflictAction action : {ConflictAction::kIgnoreRecord, ConflictAction::kLogError}) {
    ApplyWorld world;
    world.options.errors.remove = action;
    world.add(keyed());
    world.log.begin().changes = {deleted(world.log.shape(keyed()), key_only(1, 3))};
    ASSERT_TRUE(world.run().ok());
    EXPECT_EQ(world.events.exceptions.size(), action == ConflictAction::kLogError ? 1U : 0U);
    EXPECT_EQ(world.table_progress("T").conflicts, 1U);
    EXPECT_EQ(world.table_progress("T").applied.deletes, 0U);
  }
}

TEST(Apply, ConflictsEscalate) {
  ApplyWorld world;
  world.options.errors.escalation = ConflictAction::kSuspendTable;
  world.options.errors.escalation_count = 3;
  world.add(keyed());
  const auto shape = world.log.shape(keyed());
  for (std::int64_t id = 1; id <= 5; ++id) {
    world.log.begin().changes = {updated(shape, {}, image(numbers({id, 0, 0})))};
  }
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.events.exceptions.size(), 3U);
  ASSERT_EQ(world.events.suspended.size(), 1U);
  EXPECT_TRUE(world.table_progress("T").is_suspended);
}

TEST(Apply, ConflictsOfCachedChangesAreIgnored) {
  ApplyWorld world;
  world.options.errors.ignores_conflicts_until = 10;
  world.add(keyed(), {numbers({1, 10, 0})});
  const auto shape = world.log.shape(keyed());
  for (int i = 0; i < 2; ++i) {
    world.log.begin().changes = {inserted(shape, numbers({1, 99, 0})),
                                 updated(shape, {}, image(numbers({7, 70, 0}))),
                                 deleted(shape, key_only(8, 3))};
  }
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), std::vector<Row>{numbers({1, 10, 0})});
  EXPECT_EQ(world.events.exceptions.size(), 2U);  // of the second transaction
}

TEST(Apply, ASuspendedTableDoesNotStopTheOthers) {
  ApplyWorld world;
  world.add(keyed("GOOD"));
  world.add(keyed("GONE"));
  world.target.drop({"S", "GONE"});
  const auto good = world.log.shape(keyed("GOOD"));
  const auto gone = world.log.shape(keyed("GONE"));
  world.log.begin().changes = {inserted(gone, numbers({1, 0, 0})),
                               inserted(good, numbers({1, 0, 0}))};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("GOOD").size(), 1U);
  ASSERT_EQ(world.events.suspended.size(), 1U);
  EXPECT_EQ(world.events.suspended[0].first, "GONE");
}

TEST(Apply, ForeignKeysHoldWhateverIsFolded) {
  for (const std::uint32_t lanes : {1U, 3U}) {
    ApplyWorld world;
    world.options.lanes = lanes;
    world.add(keyed("CHILD"), {numbers({1, 1, 0})});
    world.add(keyed("PARENT"), {numbers({1, 0, 0})});
    world.target.add_foreign_key({{"S", "CHILD"}, {"A"}, {"S", "PARENT"}, {"ID"}});
    const auto child = world.log.shape(keyed("CHILD"));
    const auto parent = world.log.shape(keyed("PARENT"));
    world.log.begin().changes = {
        inserted(parent, numbers({2, 0, 0})), inserted(child, numbers({2, 2, 0})),
        updated(child, {}, image(numbers({1, 2, 0}))), deleted(parent, key_only(1, 3))};
    world.log.begin().changes = {deleted(child, key_only(1, 3))};
    world.log.begin().changes = {deleted(child, key_only(2, 3))};
    world.log.begin().changes = {deleted(parent, key_only(2, 3)),
                                 inserted(parent, numbers({2, 5, 0})),
                                 inserted(child, numbers({9, 2, 0}))};
    ASSERT_TRUE(world.run().ok());
    EXPECT_EQ(world.rows("PARENT"), std::vector<Row>{numbers({2, 5, 0})});
    EXPECT_EQ(world.rows("CHILD"), std::vector<Row>{numbers({9, 2, 0})});
    EXPECT_TRUE(world.events.exceptions.empty());
  }
}

TEST(Apply, TruncateIsABarrier) {
  for (const std::uint32_t lanes : {1U, 3U}) {
    ApplyWorld world;
    world.options.lanes = lanes;
    world.add(keyed(), {numbers({1, 0, 0})});
    const auto shape = world.log.shape(keyed());
    world.log.begin().changes = {inserted(shape, numbers({2, 0, 0})),
                                 {ChangeKind::kTruncate, shape, {}, {}, {}},
                                 inserted(shape, numbers({3, 0, 0}))};
    world.log.begin().changes = {inserted(shape, numbers({4, 0, 0}))};
    ASSERT_TRUE(world.run().ok());
    EXPECT_EQ(world.rows("T"), (std::vector<Row>{numbers({3, 0, 0}), numbers({4, 0, 0})}));
    EXPECT_EQ(world.table_progress("T").applied.ddls, 1U);
    EXPECT_EQ(world.progress->pending_changes(), 0U);
  }
}

TEST(Apply, ATruncationMayBeLeftOutOrStopTheTask) {
  for (const bool fails : {false, true}) {
    ApplyWorld world;
    world.options.ddl.truncates = false;
    world.options.errors.fails_on_truncate = fails;
    world.add(keyed(), {numbers({1, 0, 0})});
    world.log.begin().changes = {{ChangeKind::kTruncate, world.log.shape(keyed()), {}, {}, {}}};
    EXPECT_EQ(world.run().ok(), !fails);
    EXPECT_EQ(world.rows("T").size(), 1U);
  }
}

TEST(Apply, ACutConnectionIsMadeAgainWhereverItBreaks) {
  for (const Point point : {Point::kBegin, Point::kApply, Point::kApplyCommit, Point::kApplied,
                            Point::kRecover, Point::kFlush}) {
    for (const std::uint32_t lanes : {1U, 3U}) {
      ApplyWorld world;
      world.options.lanes = lanes;
      world.add(keyed());
      const auto shape = world.log.shape(keyed());
      for (std::int64_t id = 1; id <= 20; ++id) {
        world.log.begin().changes = {inserted(shape, numbers({id, 0, 0}))};
      }
      world.target.faults().add({point, "", 0, 2, memory::cut_error()});
      ASSERT_TRUE(world.run().ok()) << static_cast<int>(point);
      EXPECT_EQ(world.rows("T").size(), 20U);
      EXPECT_TRUE(world.events.exceptions.empty());
      EXPECT_GE(world.progress->restarts(), 1U);
      // A commit that was not answered is not counted: it is cut, or another lane was at it when
      // the flush was.
      if (point == Point::kApplied || (point == Point::kFlush && lanes > 1)) continue;
      const TableApplyProgress& table = world.table_progress("T");
      EXPECT_EQ(table.captured.inserts, 20U) << static_cast<int>(point);
      EXPECT_EQ(table.applied.inserts, 20U) << static_cast<int>(point);
      EXPECT_EQ(table.counts().captured, table.captured.now());
    }
  }
}

TEST(Apply, WhatIsLeftOutIsCapturedForGood) {
  ApplyWorld world;
  world.options.ddl.truncates = false;
  world.add(keyed(), {numbers({1, 0, 0})});
  const auto shape = world.log.shape(keyed());
  world.log.begin().changes = {inserted(shape, numbers({1, 5, 5})),  // it is there already
                               inserted(shape, numbers({2, 0, 0})),
                               {ChangeKind::kTruncate, shape, {}, {}, {}}};
  ASSERT_TRUE(world.run().ok());
  const TableApplyCounts counts = world.table_progress("T").counts();
  EXPECT_EQ(counts.captured, (ChangeNumbers{2, 0, 0, 1}));
  EXPECT_EQ(counts.applied, (ChangeNumbers{1, 0, 0, 0}));
  EXPECT_EQ(counts.conflicts, 1U);
}

TEST(Apply, TheTargetsLatencyIsThatOfTheOldestTransactionOnItsWay) {
  ApplyWorld world;
  world.add(keyed());
  const auto shape = world.log.shape(keyed());
  world.log.begin(10).changes = {inserted(shape, numbers({1, 0, 0}))};
  world.log.begin(30).changes = {inserted(shape, numbers({2, 0, 0}))};
  world.target.faults().add({Point::kApply, "", 0, 1, std::nullopt});
  const std::chrono::system_clock::time_point later(110s);
  LogFeed feed(world.log);
  feed.batch_changes = [] { return std::size_t{3}; };  // a transaction
  world.options.least_changes = 1;
  std::chrono::milliseconds latency{0};
  int looks = 0;
  feed.on_next = [&] {
    if (++looks != 2) return;
    EXPECT_TRUE(world.target.faults().wait_held(1, 10s));
    latency = world.progress->target_latency(later);
    world.target.faults().release();
  };
  ASSERT_TRUE(world.run(feed, world.log.end()).ok());
  EXPECT_EQ(latency, 100s);
  EXPECT_EQ(world.progress->target_latency(later), 0s);  // nothing waits, nothing is being read
}

TEST(Apply, TheTimeByStageIsMeasured) {
  ApplyWorld world;
  world.add(keyed());
  const auto shape = world.log.shape(keyed());
  for (std::int64_t id = 1; id <= 3; ++id) {
    world.log.begin().changes = {inserted(shape, numbers({id, 0, 0}))};
  }
  world.target.faults().add({Point::kApply, "T", 0, 1'000, std::nullopt, 60ms});
  ASSERT_TRUE(world.run().ok());
  const StageTimes times = world.progress->times();
  EXPECT_GE(times.of(ApplyStage::kApply), 50ms);
  EXPECT_GE(times.of(ApplyStage::kLane), 40ms);  // the assembling thread waits for it at the end
  EXPECT_GT(times.of(ApplyStage::kAssemble), 0ns);
  EXPECT_EQ(ApplyProgress::limiting_stage(times), ApplyStage::kApply);
}

TEST(Apply, TriesAreLimited) {
  ApplyWorld world;
  world.options.retry.most_tries = 2;
  world.add(keyed());
  world.log.begin().changes = {inserted(world.log.shape(keyed()), numbers({1, 0, 0}))};
  world.target.faults().add({Point::kApplyCommit, "", 0, 100, memory::cut_error()});
  const auto result = world.run();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "memory.cut");
  EXPECT_TRUE(world.rows("T").empty());
}

TEST(Apply, StopEndsItAndTheNextRunGoesOn) {
  ApplyWorld world;
  world.add(keyed());
  const auto shape = world.log.shape(keyed());
  for (std::int64_t id = 1; id <= 50; ++id) {
    world.log.begin().changes = {inserted(shape, numbers({id, 0, 0}))};
  }
  LogFeed feed(world.log);
  int calls = 0;
  feed.batch_changes = [] { return std::size_t{10}; };
  feed.on_next = [&] {
    if (++calls == 5) world.stop.request_stop();
  };
  ASSERT_TRUE(world.run(feed, world.log.end()).ok());
  EXPECT_LT(world.rows("T").size(), 50U);
  world.stop = std::stop_source();
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T").size(), 50U);
  EXPECT_TRUE(world.events.exceptions.empty());
}

TEST(Apply, TheLimitIsKept) {
  ApplyWorld world;
  world.add(keyed());
  const auto shape = world.log.shape(keyed());
  for (std::int64_t id = 1; id <= 30; ++id) {
    world.log.begin().changes = {inserted(shape, numbers({id, 0, 0}))};
  }
  ASSERT_TRUE(world.run(155).ok());
  EXPECT_EQ(world.rows("T").size(), 15U);
  ASSERT_TRUE(world.run(200).ok());
  EXPECT_EQ(world.rows("T").size(), 20U);
}

TEST(Apply, AStreamOutOfOrderIsRefused) {
  ApplyWorld world;
  world.add(keyed());
  world.log.begin(20);
  world.log.begin(10);
  const auto result = world.run(1000);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "apply.broken_stream");
}

TEST(Apply, TransactionsOfOneOrderAreAllApplied) {
  for (const std::uint32_t lanes : {1U, 4U}) {
    ApplyWorld world;
    world.options.lanes = lanes;
    world.add(keyed());
    const auto shape = world.log.shape(keyed());
    for (std::int64_t id = 1; id <= 30; ++id) {
      world.log.begin(static_cast<CommitOrder>(10 + id / 10)).changes = {
          inserted(shape, numbers({id, 0, 0}))};
    }
    world.target.faults().add({Point::kApplied, "", 0, 3, memory::cut_error()});
    ASSERT_TRUE(world.run().ok());
    EXPECT_EQ(world.rows("T").size(), 30U);
    EXPECT_TRUE(world.events.exceptions.empty());
  }
}

/// Plans every table as it is; tables named OUT… are not selected.
struct PlainPlanner final : TablePlanner {
  Result<schema::TablePlanPtr> plan(OpContext&, const TableDef& definition) override {
    if (definition.table.name.starts_with("OUT")) return schema::TablePlanPtr();
    return plain_plan(definition);
  }
};

TableDef with_numbers(TableDef definition, const std::vector<std::uint32_t>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) definition.columns.at(i).number = numbers[i];
  return definition;
}

connect::RowShapePtr numbered(Log& log, const TableDef& definition, const TableRef& source,
                              const std::vector<std::uint32_t>& numbers) {
  auto out = std::make_shared<connect::RowShape>(*log.shape(definition));
  out->source = source;
  out->definition = with_numbers(out->definition, numbers);
  out->table_id = 7;
  return out;
}

TEST(Apply, ColumnsAreAddedDroppedRenamedAndChanged) {
  for (const std::uint32_t lanes : {1U, 3U}) {
    ApplyWorld world;
    PlainPlanner planner;
    world.planner = &planner;
    world.options.lanes = lanes;
    world.add(with_numbers(keyed(), {1, 2, 3}), {numbers({1, 10, 100})});
    const auto first = numbered(world.log, keyed(), {"S", "T"}, {1, 2, 3});
    // A is renamed, B dropped, C new.
    const TableDef next = table(
        "T", {column("ID", TypeKind::kInt64, false), column("A2"), column("C", TypeKind::kText)},
        {{"PK", {"ID"}, true}});
    const auto second = numbered(world.log, next, {"S", "T"}, {1, 2, 4});
    world.log.begin().changes = {inserted(first, numbers({2, 20, 200}))};
    world.log.begin().changes = {inserted(first, numbers({3, 30, 300})),
                                 {ChangeKind::kShape, second, {}, {}, {}},
                                 inserted(second, {integer(4), integer(40), Value::text("c")})};
    world.log.begin().changes = {updated(second, {}, {integer(1), integer(11), Value::text("x")})};
    ASSERT_TRUE(world.run().ok());
    ASSERT_TRUE(world.events.suspended.empty());
    const auto found = world.target.find({"S", "T"});
    ASSERT_EQ(found->definition.columns.size(), 3U);
    EXPECT_EQ(found->definition.columns[1].name, "A2");
    EXPECT_EQ(found->definition.columns[2].name, "C");
    EXPECT_EQ(world.rows("T"), (std::vector<Row>{{integer(1), integer(11), Value::text("x")},
                                                 {integer(2), integer(20), Value::null()},
                                                 {integer(3), integer(30), Value::null()},
                                                 {integer(4), integer(40), Value::text("c")}}));
    ASSERT_EQ(world.events.plans.size(), 1U);
    EXPECT_EQ(world.events.plans[0].second.since.order, 20U);
    EXPECT_EQ(world.table_progress("T").applied.ddls, 1U);
  }
}

/// The rows of a database, and the positions of a log.
struct LogSource final : connect::ChangeSource {
  explicit LogSource(std::unique_ptr<connect::ChangeSource> rows) : rows_(std::move(rows)) {}
  Result<connect::StreamAdvice> examine(OpContext& c, const connect::StreamRequest& r) override {
    return rows_->examine(c, r);
  }
  Result<connect::StreamStart> prepare(OpContext& c, const connect::StreamRequest& r) override {
    return rows_->prepare(c, r);
  }
  Result<connect::StreamStart> anchor(OpContext& c, const connect::StreamRequest& r) override {
    return rows_->anchor(c, r);
  }
  Result<std::unique_ptr<connect::ChangeStream>> open(OpContext& c,
                                                      const connect::StreamRequest& r) override {
    return rows_->open(c, r);
  }
  Result<std::unique_ptr<connect::ValueReader>> read_values(
      OpContext& c, const connect::ValuesRequest& r) override {
    return rows_->read_values(c, r);
  }
  Result<Position> parse_position(OpContext&, std::string_view text) override {
    return Position{std::string(text)};
  }
  Result<CommitOrder> order_of(const Position& position) override {
    return CommitOrder{std::stoul(position.text.substr(1))};
  }
  Result<void> forget(OpContext& c, const std::string& name) override {
    return rows_->forget(c, name);
  }

 private:
  const std::unique_ptr<connect::ChangeSource> rows_;
};

/// S.T with a column C that has 7 in all rows, and a column D that has another value in each.
struct FilledWorld : ApplyWorld {
  explicit FilledWorld(bool has_key = true) {
    TableDef before = has_key ? keyed() : table("T", {column("ID"), column("A"), column("B")}, {});
    TableDef after = before;
    after.columns.push_back(column("C"));
    after.columns.push_back(column("D"));
    add(before, {numbers({1, 10, 100}), numbers({2, 20, 200}), numbers({3, 30, 300})});
    // By now row 2 is changed, row 3 gone and row 4 there.
    rows_now.put(after, {numbers({1, 10, 100, 7, 71}),
                         numbers({2, 20, 200, 7, 72}),
                         numbers({4, 40, 400, 5, 74}),
                         {integer(5), integer(0), integer(0), integer(7), Value::null()}});
    auto opened =
        connector.open_change_source(context, memory::MemoryConnector::settings("source"));
    EXPECT_TRUE(opened.ok());
    values = std::make_unique<LogSource>(std::move(*opened));
    source = values.get();
    planner = &plain;
    const auto first = log.shape(before);
    auto next = std::make_shared<connect::RowShape>(*log.shape(after));
    next->fills.resize(5);
    next->fills[3] = {connect::ColumnFill::Kind::kValue, "7"};
    next->fills[4].kind = connect::ColumnFill::Kind::kByRow;
    log.begin().changes = {{ChangeKind::kShape, next, {}, {}, {}},
                           updated(next, {}, image(numbers({2, 20, 200, 8, 72})))};
    log.begin().changes = {deleted(next, image(numbers({3, 30, 300, 7, 73}))),
                           inserted(next, numbers({4, 40, 400, 5, 74}))};
    shape = next;
  }
  connect::RowShapePtr shape;  ///< with C and D
  Database& rows_now{connector.create("source")};
  OpContext context;
  PlainPlanner plain;
  std::unique_ptr<connect::ChangeSource> values;
};
const std::vector<Row> kFilledRows = {numbers({1, 10, 100, 7, 71}), numbers({2, 20, 200, 8, 72}),
                                      numbers({4, 40, 400, 5, 74})};

TEST(Apply, AddedColumnsHaveTheSourcesValuesInRowsThatAreThere) {
  for (const std::uint32_t lanes : {1U, 3U}) {
    for (const bool is_batch : {false, true}) {
      FilledWorld world;
      world.options.lanes = lanes;
      world.options.is_batch = is_batch;
      ASSERT_TRUE(world.run().ok());
      EXPECT_EQ(world.rows("T"), kFilledRows);
      EXPECT_EQ(world.table_progress("T").applied.ddls, 1U);
      EXPECT_TRUE(world.events.exceptions.empty());
      EXPECT_TRUE(world.events.reloads.empty());
    }
  }
}

TEST(Apply, AddedColumnsAreFilledOnceWhereverAConnectionBreaks) {
  for (const Point point : {Point::kApply, Point::kApplyCommit, Point::kApplied}) {
    for (std::uint32_t times = 1; times <= 4; ++times) {
      FilledWorld world;
      world.target.faults().add({point, "", 0, times, memory::cut_error()});
      ASSERT_TRUE(world.run().ok());
      EXPECT_EQ(world.rows("T"), kFilledRows);
    }
  }
  FilledWorld world;
  world.rows_now.faults().add({Point::kReadChanges, "", 0, 2, memory::cut_error()});
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"), kFilledRows);
}

/// Row 1 gets the key 9; its value of D, which was read under one of the two, is not in the log.
struct MovedWorld : FilledWorld {
  explicit MovedWorld(bool is_read_late) {
    Image after = image(numbers({9, 10, 100, 7, 0}));
    after[4].reset();
    log.begin().changes = {updated(shape, key_only(1, 5), after)};
    log.begin().changes = {updated(shape, key_only(2, 5), image(numbers({8, 20, 200, 8, 72})))};
    rows_now.put(table("X", {column("ID")}, {}));
    while (is_read_late && rows_now.version() < 1000) {
      EXPECT_TRUE(rows_now
                      .transact([](memory::Transaction& transaction) {
                        return transaction.insert({"S", "X"}, {integer(1)});
                      })
                      .ok());
    }
  }
};

TEST(Apply, ARowThatMovesWithAValueThatWasReadAheadHasItsTableLoadedAgain) {
  for (const std::uint32_t lanes : {1U, 3U}) {
    MovedWorld world(/*is_read_late=*/true);
    world.options.lanes = lanes;
    ASSERT_TRUE(world.run().ok());
    EXPECT_EQ(world.events.reloads, (std::vector<std::string>{"T"}));
    // It was read before the row moved, so the target has it.
    MovedWorld early(/*is_read_late=*/false);
    early.options.lanes = lanes;
    ASSERT_TRUE(early.run().ok());
    EXPECT_TRUE(early.events.reloads.empty());
  }
  for (std::uint32_t times = 1; times <= 6; ++times) {
    MovedWorld world(/*is_read_late=*/true);
    world.target.faults().add({Point::kApplied, "", 0, times, memory::cut_error()});
    ASSERT_TRUE(world.run().ok());
    EXPECT_FALSE(world.events.reloads.empty()) << times;
  }
}

TEST(Apply, ATableWithoutAKeyIsLoadedAgainForTheValuesOfAColumn) {
  FilledWorld world(/*has_key=*/false);
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.events.reloads, (std::vector<std::string>{"T"}));
}

TEST(Apply, AChangedDefinitionThatIsNotFollowedLosesItsNewColumnsOnly) {
  ApplyWorld world;
  PlainPlanner planner;
  world.planner = &planner;
  world.options.ddl.alters = false;
  world.add(with_numbers(keyed(), {1, 2, 3}));
  const auto first = numbered(world.log, keyed(), {"S", "T"}, {1, 2, 3});
  const TableDef next =
      table("T", {column("ID", TypeKind::kInt64, false), column("A2"), column("C")},
            {{"PK", {"ID"}, true}});
  const auto second = numbered(world.log, next, {"S", "T"}, {1, 2, 4});
  world.log.begin().changes = {inserted(first, numbers({1, 10, 100})),
                               {ChangeKind::kShape, second, {}, {}, {}},
                               inserted(second, numbers({2, 20, 200}))};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("T"),
            (std::vector<Row>{numbers({1, 10, 100}), {integer(2), integer(20), Value::null()}}));
}

TEST(Apply, TablesAreCreatedRenamedAndDropped) {
  ApplyWorld world;
  PlainPlanner planner;
  world.planner = &planner;
  const auto made = numbered(world.log, keyed("NEW"), {"S", "NEW"}, {1, 2, 3});
  const auto renamed = numbered(world.log, keyed("NEWER"), {"S", "NEW"}, {1, 2, 3});
  const auto out = numbered(world.log, keyed("OUTSIDE"), {"S", "OUTSIDE"}, {1, 2, 3});
  world.log.begin().changes = {{ChangeKind::kDdl, made, {}, {}, connect::DdlKind::kCreateTable},
                               {ChangeKind::kDdl, out, {}, {}, connect::DdlKind::kCreateTable},
                               inserted(made, numbers({1, 0, 0})),
                               inserted(out, numbers({1, 0, 0}))};
  world.log.begin().changes = {{ChangeKind::kShape, renamed, {}, {}, {}},
                               inserted(renamed, numbers({2, 0, 0}))};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("NEWER").size(), 2U);
  EXPECT_EQ(world.target.find({"S", "NEW"}), nullptr);
  EXPECT_EQ(world.target.find({"S", "OUTSIDE"}), nullptr);

  // A later run knows from on_plan() what the table is now.
  ApplyTableTask task;
  for (const auto& [source, later] : world.events.plans) task.later.push_back(later);
  world.tables = {task};
  world.log.begin().changes = {inserted(renamed, numbers({3, 0, 0})),
                               {ChangeKind::kDdl, renamed, {}, {}, connect::DdlKind::kDropTable}};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.target.find({"S", "NEWER"}), nullptr);
  EXPECT_TRUE(world.events.suspended.empty());
}

TEST(Apply, NewTablesAreToldOfUntilTheyAreGone) {
  using connect::DdlKind;
  ApplyWorld world;
  PlainPlanner planner;
  world.planner = &planner;
  const auto made = numbered(world.log, keyed("NEW"), {"S", "NEW"}, {1, 2, 3});
  const auto renamed = numbered(world.log, keyed("NEWER"), {"S", "NEW"}, {1, 2, 3});
  const auto newer = numbered(world.log, keyed("NEWER"), {"S", "NEWER"}, {1, 2, 3});
  const auto out = numbered(world.log, keyed("OUTSIDE"), {"S", "OUTSIDE"}, {1, 2, 3});
  world.log.begin().changes = {{ChangeKind::kDdl, made, {}, {}, DdlKind::kNewTable},
                               {ChangeKind::kDdl, out, {}, {}, DdlKind::kNewTable}};
  world.log.begin().changes = {inserted(made, numbers({1, 0, 0}))};  // it will be loaded
  world.log.begin().changes = {{ChangeKind::kShape, renamed, {}, {}, {}}};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.target.find({"S", "NEW"}), nullptr);
  ASSERT_EQ(world.events.plans.size(), 3U);
  EXPECT_TRUE(world.events.plans[0].second.is_new);
  EXPECT_EQ(world.events.plans[1].first.name, "NEW");
  EXPECT_EQ(world.events.plans[1].second.plan, nullptr);
  EXPECT_EQ(world.events.plans[2].first.name, "NEWER");
  EXPECT_TRUE(world.events.plans[2].second.is_new);

  // A later run knows of it, and its rows are nobody's until it was loaded.
  ApplyTableTask task;
  task.later = {world.events.plans[2].second};
  world.tables = {task};
  world.log.begin().changes = {inserted(newer, numbers({2, 0, 0})),
                               {ChangeKind::kDdl, newer, {}, {}, DdlKind::kDropTable}};
  ASSERT_TRUE(world.run().ok());
  ASSERT_EQ(world.events.plans.size(), 4U);
  EXPECT_EQ(world.events.plans[3].first.name, "NEWER");
  EXPECT_EQ(world.events.plans[3].second.plan, nullptr);
  EXPECT_TRUE(world.events.suspended.empty());
}

TEST(Apply, ADdlIsDoneOnceWhereverTheConnectionBreaks) {
  for (const Point point : {Point::kApply, Point::kApplyCommit, Point::kApplied}) {
    for (std::uint32_t times = 1; times <= 4; ++times) {
      ApplyWorld world;
      PlainPlanner planner;
      world.planner = &planner;
      world.add(with_numbers(keyed(), {1, 2, 3}));
      const auto first = numbered(world.log, keyed(), {"S", "T"}, {1, 2, 3});
      TableDef next = keyed();
      next.columns.push_back(column("C"));
      const auto second = numbered(world.log, next, {"S", "T"}, {1, 2, 3, 4});
      world.log.begin().changes = {inserted(first, numbers({1, 0, 0}))};
      world.log.begin().changes = {{ChangeKind::kShape, second, {}, {}, {}},
                                   inserted(second, numbers({2, 0, 0, 5}))};
      world.log.begin().changes = {inserted(second, numbers({3, 0, 0, 5}))};
      world.target.faults().add({point, "", 0, times, memory::cut_error()});
      LogFeed feed(world.log);
      feed.batch_changes = [] { return std::size_t{1}; };
      ASSERT_TRUE(world.run(feed, world.log.end()).ok());
      EXPECT_EQ(world.target.find({"S", "T"})->definition.columns.size(), 4U);
      EXPECT_EQ(world.rows("T").size(), 3U);
      EXPECT_TRUE(world.events.suspended.empty());
      if (point != Point::kApplied) {
        EXPECT_EQ(world.table_progress("T").counts().captured, (ChangeNumbers{3, 0, 0, 1}));
      }
    }
  }
}

}  // namespace
}  // namespace wherry::engine::changes_test
