#include <gmock/gmock.h>

#include "store/store_test_support.h"

namespace orasim {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the tests' own helpers
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreRows : public ::testing::Test {
 protected:
  std::unique_ptr<Store> store_ = Store::open("");
};

TEST_F(StoreRows, OtherSessionsSeeRowsOnlyAfterCommit) {
  create(*store_, simple_table("T"));
  const auto tx = store_->begin(1, nullptr);
  tx->insert(*table(*store_, "T"), row(1, "one"));
  EXPECT_THAT(rows_of(*store_, "T"), IsEmpty());
  EXPECT_THAT(rows_of(*store_, "T", {}, tx.get()), ElementsAre("1|one"));
  tx->commit();
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|one"));
}

TEST_F(StoreRows, AScanKeepsSeeingItsScnWhileOthersCommit) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one"), row(2, "two"), row(3, "three")});
  const auto scan = store_->scan(*table(*store_, "T"), store_->current_scn(), nullptr, nullptr);
  RowId id;
  Row r;
  ASSERT_TRUE(scan->next(id, r));
  const auto tx = store_->begin(1, nullptr);
  const auto def = table(*store_, "T");
  EXPECT_TRUE(tx->update(*def, find_row(*store_, "T", 2), row(2, "TWO"), store_->current_scn()));
  EXPECT_TRUE(tx->remove(*def, find_row(*store_, "T", 3), store_->current_scn()));
  tx->insert(*def, row(4, "four"));
  tx->commit();
  EXPECT_THAT(drain(*scan), ElementsAre("2|two", "3|three"));
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|one", "2|TWO", "4|four"));
}

TEST_F(StoreRows, EveryCommittedStateStaysReadable) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "v0")});
  std::vector<Scn> scns{store_->current_scn()};
  for (int i = 1; i < 20; ++i) {
    const auto tx = store_->begin(1, nullptr);
    const RowId id = find_row(*store_, "T", 1);
    ASSERT_TRUE(tx->update(*table(*store_, "T"), id, row(1, "v" + std::to_string(i)),
                           store_->current_scn()));
    scns.push_back(tx->commit());
  }
  for (std::size_t i = 0; i < scns.size(); ++i) {
    EXPECT_THAT(rows_of(*store_, "T", scns[i]), ElementsAre("1|v" + std::to_string(i)));
  }
}

TEST_F(StoreRows, AStatementDoesNotSeeWhatItChangesWhileItScans) {
  create(*store_, simple_table("T", false));
  const auto tx = store_->begin(1, nullptr);
  const auto def = table(*store_, "T");
  tx->insert(*def, row(1, "a"));
  tx->insert(*def, row(2, "b"));
  const auto scan = store_->scan(*def, store_->current_scn(), tx.get(), nullptr);
  RowId id;
  Row r;
  int rows = 0;
  while (scan->next(id, r)) {
    ++rows;
    ASSERT_LT(rows, 10);
    EXPECT_TRUE(tx->update(*def, id, row(9, "changed"), store_->current_scn()));
    tx->insert(*def, r);
  }
  EXPECT_EQ(rows, 2);
  EXPECT_EQ(rows_of(*store_, "T", {}, tx.get()).size(), 4U);
}

TEST_F(StoreRows, RollbackToAMarkUndoesOnlyWhatCameAfter) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  const auto tx = store_->begin(1, nullptr);
  const auto def = table(*store_, "T");
  tx->insert(*def, row(2, "two"));
  const std::uint64_t mark = tx->mark();
  tx->insert(*def, row(3, "three"));
  EXPECT_TRUE(
      tx->update(*def, find_row(*store_, "T", 2, tx.get()), row(2, "TWO"), store_->current_scn()));
  EXPECT_TRUE(tx->remove(*def, find_row(*store_, "T", 1), store_->current_scn()));
  tx->rollback_to(mark);
  EXPECT_THAT(rows_of(*store_, "T", {}, tx.get()), ElementsAre("1|one", "2|two"));
  tx->insert(*def, row(3, "again"));  // the key is free again
  tx->commit();
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|one", "2|two", "3|again"));
}

TEST_F(StoreRows, DestroyingATransactionRollsBack) {
  create(*store_, simple_table("T"));
  {
    const auto tx = store_->begin(1, nullptr);
    tx->insert(*table(*store_, "T"), row(1, "one"));
    EXPECT_EQ(store_->open_transactions().size(), 1U);
  }
  EXPECT_THAT(rows_of(*store_, "T"), IsEmpty());
  EXPECT_THAT(store_->open_transactions(), IsEmpty());
}

TEST_F(StoreRows, ATransactionIsOpenFromItsFirstChangeToItsEnd) {
  create(*store_, simple_table("T"));
  const auto tx = store_->begin(42, nullptr);
  EXPECT_FALSE(tx->is_open());
  EXPECT_EQ(tx->xid(), "");
  const Scn before = store_->current_scn();
  tx->insert(*table(*store_, "T"), row(1, "one"));
  EXPECT_TRUE(tx->is_open());
  const auto open = store_->open_transactions();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].xid, tx->xid());
  EXPECT_EQ(open[0].session_id, 42U);
  EXPECT_EQ(open[0].start_scn, before);
  const std::string first = tx->xid();
  tx->commit();
  EXPECT_FALSE(tx->is_open());
  tx->insert(*table(*store_, "T"), row(2, "two"));
  EXPECT_NE(tx->xid(), first);
}

TEST_F(StoreRows, UpdateRefusesARowThatChangedAfterTheStatementBegan) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  const auto def = table(*store_, "T");
  const Scn read = store_->current_scn();
  const RowId id = find_row(*store_, "T", 1);
  const auto other = store_->begin(2, nullptr);
  EXPECT_TRUE(other->update(*def, id, row(1, "other"), read));
  other->commit();
  const auto tx = store_->begin(1, nullptr);
  EXPECT_FALSE(tx->update(*def, id, row(1, "mine"), read));
  EXPECT_FALSE(tx->remove(*def, id, read));
  EXPECT_FALSE(tx->lock_row(*def, id, read, std::nullopt));
  EXPECT_TRUE(tx->update(*def, id, row(1, "mine"), store_->current_scn()));
}

TEST_F(StoreRows, RowIdsRiseLookRealAndFindTheirRows) {
  const auto def = create(*store_, simple_table("T"));
  const auto tx = store_->begin(1, nullptr);
  std::vector<RowId> ids;
  const std::string long_name(900, 'x');
  for (int i = 0; i < 500; ++i) ids.push_back(tx->insert(*def, row(i, long_name)));
  tx->commit();
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(ids[0].object, def->data_object_id);
  EXPECT_LE(ids.back().slot, 8);  // rows of 900 bytes: about eight to a block
  EXPECT_GT(ids.back().block, ids.front().block + 50);
  Row r;
  for (int i = 0; i < 500; i += 7) {
    ASSERT_TRUE(
        store_->fetch(*def, ids[static_cast<std::size_t>(i)], store_->current_scn(), nullptr, r));
    EXPECT_EQ(r[0].number(), Number::from_int(i));
  }
  RowId wrong = ids[0];
  wrong.slot = 4000;
  EXPECT_FALSE(store_->fetch(*def, wrong, store_->current_scn(), nullptr, r));
  // Every row lies in an extent of its table.
  const auto extents = store_->extents(*def);
  for (const RowId& id : ids) {
    EXPECT_TRUE(std::any_of(extents.begin(), extents.end(), [&](const ExtentInfo& e) {
      return id.block >= e.first_block && id.block < e.first_block + e.block_count;
    }));
  }
}

TEST_F(StoreRows, EveryScalarTypeSurvivesStorage) {
  ddl::CreateTable spec;
  spec.owner = "HR";
  spec.name = "ALL_TYPES";
  const std::vector<Value> values = {
      make_text("grüße\U0001F600"),
      Value{Type::kChar, false, std::string("ab  ")},
      Value{Type::kVarchar2, true, std::string("Ω")},
      make_number(*Number::parse("-12345678901234567890.0123456789")),
      Value{Type::kRaw, false, std::string("\x00\xFF\x10", 3)},
      Value{Type::kDate, false, DateTime{-4712, 1, 1, 23, 59, 58, 0, 0, 0}},
      Value{Type::kTimestamp, false, DateTime{9999, 12, 31, 1, 2, 3, 999999999, 0, 0}},
      Value{Type::kTimestampTz, false, DateTime{2024, 2, 29, 4, 5, 6, 7, -210, 0}},
      Value{Type::kTimestampLtz, false, DateTime{2024, 2, 29, 4, 5, 6, 7, 60, 123}},
      Value{Type::kIntervalYm, false, IntervalYm{-14}},
      Value{Type::kIntervalDs, false, IntervalDs{-86401, -5}},
      Value{Type::kBinaryFloat, false, -1.5F},
      Value{Type::kBinaryDouble, false, 1e300},
      Value{Type::kBoolean, false, true},
      Value{Type::kRowid, false, RowId{70000, 7, 300, 12}},
      Value{Type::kClob, false, std::make_shared<const LobData>(LobData{std::string(70000, 'c')})},
      Value{Type::kBlob, false, std::make_shared<const LobData>(LobData{""})},
      Value{Type::kLong, false, std::string(300, 'l')},
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    ddl::ColumnSpec column;
    column.column.name = "C" + std::to_string(i);
    column.column.type.type = values[i].type;
    column.column.type.national = values[i].national;
    spec.columns.push_back(column);
  }
  const auto def = create(*store_, spec);
  const auto tx = store_->begin(1, nullptr);
  const RowId full = tx->insert(*def, values);
  Row nulls;
  for (const Value& v : values) nulls.push_back(make_null(v.type));
  const RowId empty = tx->insert(*def, nulls);
  tx->commit();
  Row r;
  ASSERT_TRUE(store_->fetch(*def, full, store_->current_scn(), nullptr, r));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(r[i].type, values[i].type);
    EXPECT_EQ(r[i].national, values[i].national);
    EXPECT_TRUE(r[i].data == values[i].data) << "column " << i;
  }
  ASSERT_TRUE(store_->fetch(*def, empty, store_->current_scn(), nullptr, r));
  for (const Value& v : r) EXPECT_TRUE(v.is_null());
}

TEST_F(StoreRows, AddedDroppedAndRenamedColumnsReadAsTheyShould) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  ddl::ColumnSpec added = text_column("CITY");
  added.column.default_sql = "'Rome'";
  added.column.value_when_absent = make_text("Rome");
  store_->change_catalog([&](Catalog& c) {
    ddl::add_columns(c, "HR", "T", {added, number_column("N")}, {});
  });
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|one|Rome|-"));
  const auto tx = store_->begin(1, nullptr);
  tx->insert(*table(*store_, "T"),
             {make_int(2), make_text("two"), make_null(Type::kVarchar2), make_int(5)});
  tx->insert(*table(*store_, "T"),
             {make_int(3), make_text(""), make_null(Type::kVarchar2), make_null(Type::kNumber)});
  tx->commit();
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|one|Rome|-", "2|two|-|5", "3|-|-|-"));
  store_->change_catalog([](Catalog& c) { ddl::drop_columns(c, "HR", "T", {"NAME"}, false); });
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|Rome|-", "2|-|5", "3|-|-"));
  store_->change_catalog([](Catalog& c) { ddl::rename_column(c, "HR", "T", "N", "M"); });
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|Rome|-", "2|-|5", "3|-|-"));
  EXPECT_EQ(table(*store_, "T")->find_column("M"), 2);
}

TEST_F(StoreRows, ReadingBeforeAColumnWasDroppedIsRefused) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  const Scn before = store_->current_scn();
  store_->change_catalog([](Catalog& c) { ddl::drop_columns(c, "HR", "T", {"NAME"}, false); });
  EXPECT_EQ(error_of([&] { rows_of(*store_, "T", before); }),
            "ORA-01466: unable to read data - table definition has changed");
}

TEST_F(StoreRows, TruncateEmptiesTheTableAndChangesItsDataObject) {
  const auto before = create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  store_->truncate(*before);
  EXPECT_THAT(rows_of(*store_, "T"), IsEmpty());
  const auto after = table(*store_, "T");
  EXPECT_EQ(after->object_id, before->object_id);
  EXPECT_NE(after->data_object_id, before->data_object_id);
  put(*store_, "T", {row(1, "again")});
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|again"));
}

TEST_F(StoreRows, DiscardedUndoFailsOldReadsAndRunningScans) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one"), row(2, "two")});
  const Scn old = store_->current_scn();
  const auto running = store_->scan(*table(*store_, "T"), old, nullptr, nullptr);
  RowId id;
  Row r;
  ASSERT_TRUE(running->next(id, r));
  const auto tx = store_->begin(1, nullptr);
  EXPECT_TRUE(tx->update(*table(*store_, "T"), find_row(*store_, "T", 2), row(2, "TWO"), old));
  const Scn newer = tx->commit();
  store_->discard_undo_before(newer);
  EXPECT_EQ(store_->oldest_readable_scn(), newer);
  EXPECT_THAT(error_of([&] { rows_of(*store_, "T", old); }), ::testing::StartsWith("ORA-01555"));
  EXPECT_THAT(error_of([&] { running->next(id, r); }), ::testing::StartsWith("ORA-01555"));
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|one", "2|TWO"));
}

TEST_F(StoreRows, AnScnOfTheFutureIsRefused) {
  create(*store_, simple_table("T"));
  EXPECT_EQ(error_of([&] { rows_of(*store_, "T", store_->current_scn() + 10); }),
            "ORA-08181: specified number is not a valid system change number");
}

TEST_F(StoreRows, LookupFindsRowsThroughAnIndexAsOfTheScn) {
  ddl::CreateTable spec = simple_table("T");
  create(*store_, spec);
  put(*store_, "T", {row(1, "a"), row(2, "b"), row(3, "b")});
  const auto by_name = [&](const std::string& name, Scn scn, const Transaction* own = nullptr) {
    const auto scan =
        store_->lookup(*table(*store_, "T"), {"NAME"}, {make_text(name)}, scn, own, nullptr);
    return scan == nullptr ? std::vector<std::string>{"no index"} : drain(*scan);
  };
  EXPECT_THAT(by_name("b", store_->current_scn()), ElementsAre("no index"));
  store_->change_catalog([](Catalog& c) {
    IndexDef index;
    index.name = "T_NAME_I";
    index.columns = {"NAME", "ID"};
    ddl::create_index(c, "HR", "T", index);
  });
  const Scn before = store_->current_scn();
  EXPECT_THAT(by_name("b", before), ElementsAre("2|b", "3|b"));
  const auto tx = store_->begin(1, nullptr);
  EXPECT_TRUE(tx->update(*table(*store_, "T"), find_row(*store_, "T", 2), row(2, "c"), before));
  EXPECT_THAT(by_name("b", store_->current_scn(), tx.get()), ElementsAre("3|b"));
  EXPECT_THAT(by_name("c", store_->current_scn(), tx.get()), ElementsAre("2|c"));
  EXPECT_THAT(by_name("c", store_->current_scn()), IsEmpty());
  tx->commit();
  EXPECT_THAT(by_name("b", before), ElementsAre("2|b", "3|b"));
  EXPECT_THAT(by_name("b", store_->current_scn()), ElementsAre("3|b"));
  const auto both =
      store_->lookup(*table(*store_, "T"), {"ID", "NAME"}, {make_int(3), make_text("b")},
                     store_->current_scn(), nullptr, nullptr);
  ASSERT_NE(both, nullptr);
  EXPECT_THAT(drain(*both), ElementsAre("3|b"));
}

TEST_F(StoreRows, ScansObeyTheCancelFlag) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  const std::atomic<bool> cancel{true};
  const auto scan = store_->scan(*table(*store_, "T"), store_->current_scn(), nullptr, &cancel);
  RowId id;
  Row r;
  EXPECT_EQ(error_of([&] { scan->next(id, r); }),
            "ORA-01013: user requested cancel of current operation");
}

TEST(StoreClock, MapsTimesToScnsAndBack) {
  std::int64_t now = 1'700'000'000;
  const auto store = StoreImpl::open({"", [&] { return now * 1'000'000; }});
  create(*store, simple_table("T"));
  now += 10;
  put(*store, "T", {row(1, "one")});
  const Scn first = store->current_scn();
  now += 10;
  put(*store, "T", {row(2, "two")});
  const Scn second = store->current_scn();
  now += 10;
  EXPECT_EQ(store->scn_at(1'700'000'010), first);
  EXPECT_EQ(store->scn_at(1'700'000'019), first);
  EXPECT_EQ(store->scn_at(1'700'000'020), second);
  EXPECT_EQ(store->scn_at(1'700'000'030), second);
  EXPECT_EQ(store->scn_at(1'699'999'999), std::nullopt);
  EXPECT_EQ(store->scn_at(1'700'000'031), std::nullopt);
  EXPECT_EQ(store->time_of(first), 1'700'000'010);
  EXPECT_EQ(store->time_of(second), 1'700'000'020);
  EXPECT_EQ(store->time_of(second + 1), std::nullopt);
  EXPECT_GT(store->advance_scn(), second);
}

}  // namespace
}  // namespace orasim
