// Constraints that the target checks at the end of a transaction.
#include "engine/changes/test_support.h"

namespace wherry::engine::changes_test {
namespace {

Row linked(std::int64_t id, std::int64_t parent) {
  return {Value::integer(id), Value::integer(parent)};
}

/// CHILD.P refers to PARENT.ID, checked at the end of a transaction.
class DeferredWorld : public ApplyWorld {
 public:
  explicit DeferredWorld(std::vector<Row> parents = {}, std::vector<Row> children = {}) {
    add(definition("PARENT"), std::move(parents));
    add(definition("CHILD"), std::move(children));
    target.add_foreign_key({{"S", "CHILD"}, {"P"}, {"S", "PARENT"}, {"ID"}, true});
  }
  LoggedChange insert_parent(std::int64_t id) { return inserted(parent_, linked(id, 0)); }
  LoggedChange insert_child(std::int64_t id, std::int64_t of) {
    return inserted(child_, linked(id, of));
  }
  LoggedChange update_child(std::int64_t id, std::int64_t of) {
    return updated(child_, {}, image(linked(id, of)));
  }
  LoggedChange delete_parent(std::int64_t id) {
    return deleted(parent_, {Value::integer(id), std::nullopt});
  }

 private:
  static TableDef definition(const std::string& name) {
    return table(name, {column("ID", TypeKind::kInt64, false), column("P")},
                 {{"PK", {"ID"}, true}});
  }
  const connect::RowShapePtr parent_ = log.shape(definition("PARENT"));
  const connect::RowShapePtr child_ = log.shape(definition("CHILD"));
};

TEST(RefusedCommit, OnlyTheChangeAtFaultIsLeftOut) {
  for (const std::uint32_t lanes : {1U, 3U}) {
    DeferredWorld world;
    world.options.lanes = lanes;
    for (std::int64_t id = 1; id <= 20; ++id) {
      auto& changes = world.log.begin().changes;
      if (id != 13) changes = {world.insert_child(id, id), world.insert_parent(id)};
      if (id == 13) changes = {world.insert_parent(13), world.insert_child(13, 999)};
    }
    const auto done = world.run();
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
    EXPECT_EQ(world.rows("PARENT").size(), 20U);
    EXPECT_EQ(world.rows("CHILD").size(), 19U);
    ASSERT_EQ(world.events.exceptions.size(), 1U);
    EXPECT_EQ(world.events.exceptions[0].statement,
              R"(INSERT INTO "S"."CHILD" ("ID", "P") VALUES (13, 999))");
    EXPECT_EQ(world.table_progress("CHILD").data_errors, 1U);
    EXPECT_EQ(world.table_progress("CHILD").applied.inserts, 19U);
    EXPECT_EQ(world.progress->pending_changes(), 0U);
    EXPECT_EQ(world.progress->restarts(), 0U);
  }
}

TEST(RefusedCommit, WhatIsMendedLaterInTheTransactionIsKept) {
  DeferredWorld world;
  world.log.begin().changes = {world.insert_child(1, 9), world.insert_child(2, 77),
                               world.insert_child(3, 9), world.insert_parent(9)};
  world.log.begin().changes = {world.insert_child(4, 9)};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("CHILD"), (std::vector<Row>{linked(1, 9), linked(3, 9), linked(4, 9)}));
  EXPECT_EQ(world.events.exceptions.size(), 1U);
}

TEST(RefusedCommit, SeveralFaultsOfOneTransactionAreFound) {
  DeferredWorld world({linked(1, 0)}, {linked(50, 1)});
  world.log.begin().changes = {world.insert_parent(2),      world.insert_child(1, 70),
                               world.insert_child(2, 2),    world.update_child(2, 71),
                               world.insert_child(3, 1000), world.delete_parent(1)};
  ASSERT_TRUE(world.run().ok());
  EXPECT_EQ(world.rows("PARENT"), (std::vector<Row>{linked(1, 0), linked(2, 0)}));
  EXPECT_EQ(world.rows("CHILD"), (std::vector<Row>{linked(2, 2), linked(50, 1)}));
  EXPECT_EQ(world.events.exceptions.size(), 4U);
}

TEST(RefusedCommit, ThePolicyMayStopTheTask) {
  DeferredWorld world;
  world.options.errors.base.data = ErrorAction::kStopTask;
  world.log.begin().changes = {world.insert_parent(1)};
  world.log.begin().changes = {world.insert_child(1, 70)};
  world.log.begin().changes = {world.insert_parent(2)};
  const auto done = world.run();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, "apply.stopped_by_policy");
  EXPECT_EQ(world.rows("PARENT"), std::vector<Row>{linked(1, 0)});
  EXPECT_TRUE(world.rows("CHILD").empty());
}

TEST(RefusedCommit, ATransactionThatIsNotKeptInMemoryStopsTheTask) {
  DeferredWorld world;
  world.options.memory_bytes = 64 * 1024;
  auto& changes = world.log.begin().changes;
  for (std::int64_t id = 1; id <= 3000; ++id) changes.push_back(world.insert_child(id, 70));
  const auto done = world.run();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, "apply.commit_refused");
  EXPECT_TRUE(world.rows("CHILD").empty());
}

TEST(RefusedCommit, ConnectionsThatBreakInTheSearchLoseNothing) {
  for (const Point point : {Point::kBegin, Point::kApply, Point::kApplyCommit, Point::kApplied}) {
    for (std::uint64_t after = 0; after < 6; ++after) {
      DeferredWorld world;
      world.log.begin().changes = {world.insert_parent(1), world.insert_child(1, 1)};
      world.log.begin().changes = {world.insert_child(2, 70), world.insert_child(3, 1)};
      world.log.begin().changes = {world.insert_child(4, 1)};
      LogFeed feed(world.log);
      std::uint64_t calls = 0;
      feed.on_next = [&] {
        if (calls++ == after) world.target.faults().add({point, "", 0, 2, memory::cut_error()});
      };
      const auto done = world.run(feed, world.log.end());
      ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
      EXPECT_EQ(world.rows("CHILD"), (std::vector<Row>{linked(1, 1), linked(3, 1), linked(4, 1)}));
      EXPECT_EQ(world.target.apply_state()->exceptions.size(), 1U);
    }
  }
}

}  // namespace
}  // namespace wherry::engine::changes_test
