// Several sessions at once. Threads wait for events, never for time.
#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "store/store_test_support.h"

namespace orasim {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the tests' own helpers
using ::testing::ElementsAre;
using namespace std::chrono_literals;

constexpr auto kDeadline = 20s;

class StoreConcurrency : public ::testing::Test {
 protected:
  void SetUp() override {
    create(*store_, simple_table("T"));
    put(*store_, "T", {row(1, "one"), row(2, "two")});
    def_ = table(*store_, "T");
    first_ = find_row(*store_, "T", 1);
    second_ = find_row(*store_, "T", 2);
  }
  bool set(Transaction& tx, const RowId& id, int key, const std::string& name) {
    return tx.update(*def_, id, row(key, name), store_->current_scn());
  }
  /// Runs in a thread of its own; the text of the error it ends with.
  template <class Run>
  std::future<std::string> in_thread(Run run) {
    return std::async(std::launch::async, [run] { return error_of(run); });
  }
  /// A thread that does not end by itself shows that it waits; this gives it the chance to be
  /// wrong.
  static void expect_waiting(std::future<std::string>& f) {
    EXPECT_EQ(f.wait_for(60ms), std::future_status::timeout);
  }
  static std::string result(std::future<std::string>& f) {
    if (f.wait_for(kDeadline) != std::future_status::ready) return "still waiting";
    return f.get();
  }
  std::unique_ptr<Store> store_ = Store::open("");
  std::shared_ptr<const TableDef> def_;
  RowId first_, second_;
};

TEST_F(StoreConcurrency, AWriterWaitsForTheRowsHolderAndThenMustRestart) {
  const auto holder = store_->begin(1, nullptr);
  ASSERT_TRUE(set(*holder, first_, 1, "held"));
  const auto waiter = store_->begin(2, nullptr);
  const Scn read = store_->current_scn();
  bool changed = true;
  auto done = in_thread([&] { changed = waiter->update(*def_, first_, row(1, "late"), read); });
  expect_waiting(done);
  holder->commit();
  EXPECT_EQ(result(done), "no error");
  EXPECT_FALSE(changed);
  EXPECT_TRUE(set(*waiter, first_, 1, "late"));
}

TEST_F(StoreConcurrency, ARollbackLetsTheWaiterChangeTheRow) {
  const auto holder = store_->begin(1, nullptr);
  ASSERT_TRUE(set(*holder, first_, 1, "held"));
  const auto waiter = store_->begin(2, nullptr);
  bool changed = false;
  auto done = in_thread([&] { changed = set(*waiter, first_, 1, "mine"); });
  expect_waiting(done);
  holder->rollback();
  EXPECT_EQ(result(done), "no error");
  EXPECT_TRUE(changed);
}

TEST_F(StoreConcurrency, RollingBackToASavepointWakesWaitersToo) {
  const auto holder = store_->begin(1, nullptr);
  ASSERT_TRUE(set(*holder, second_, 2, "kept"));
  const std::uint64_t mark = holder->mark();
  ASSERT_TRUE(set(*holder, first_, 1, "held"));
  const auto waiter = store_->begin(2, nullptr);
  auto done = in_thread([&] { set(*waiter, first_, 1, "mine"); });
  expect_waiting(done);
  holder->rollback_to(mark);
  EXPECT_EQ(result(done), "no error");
  EXPECT_TRUE(holder->is_open());
}

TEST_F(StoreConcurrency, ADeadlockIsBrokenInExactlyOneSession) {
  const auto a = store_->begin(1, nullptr);
  const auto b = store_->begin(2, nullptr);
  ASSERT_TRUE(set(*a, first_, 1, "a"));
  ASSERT_TRUE(set(*b, second_, 2, "b"));
  auto a_waits = in_thread([&] { set(*a, second_, 2, "a"); });
  expect_waiting(a_waits);
  EXPECT_EQ(error_of([&] { set(*b, first_, 1, "b"); }),
            "ORA-00060: deadlock detected while waiting for resource");
  b->rollback();
  EXPECT_EQ(result(a_waits), "no error");
  a->commit();
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|a", "2|a"));
}

TEST_F(StoreConcurrency, CancelEndsAWait) {
  const auto holder = store_->begin(1, nullptr);
  ASSERT_TRUE(set(*holder, first_, 1, "held"));
  std::atomic<bool> cancel{false};
  const auto waiter = store_->begin(2, &cancel);
  auto done = in_thread([&] { set(*waiter, first_, 1, "late"); });
  expect_waiting(done);
  cancel = true;
  EXPECT_EQ(result(done), "ORA-01013: user requested cancel of current operation");
}

TEST_F(StoreConcurrency, LockingARowWithoutWaitingFailsAtOnce) {
  const auto holder = store_->begin(1, nullptr);
  constexpr std::chrono::seconds kNoWait{0};
  ASSERT_TRUE(holder->lock_row(*def_, first_, store_->current_scn(), std::nullopt));
  EXPECT_TRUE(holder->is_open());
  const auto other = store_->begin(2, nullptr);
  EXPECT_EQ(error_of([&] { other->lock_row(*def_, first_, store_->current_scn(), kNoWait); }),
            "ORA-00054: resource busy and acquire with NOWAIT specified or timeout expired");
  EXPECT_TRUE(other->lock_row(*def_, second_, store_->current_scn(), kNoWait));
  auto done = in_thread([&] { set(*other, first_, 1, "mine"); });
  expect_waiting(done);
  const Scn before = store_->current_scn();
  holder->commit();
  EXPECT_EQ(result(done), "no error");  // a lock is no change: nothing has to restart
  EXPECT_EQ(store_->current_scn(), before);
}

TEST_F(StoreConcurrency, AnInsertWaitsForTheUncommittedOwnerOfItsKey) {
  for (const bool commit : {true, false}) {
    const int key = commit ? 10 : 11;
    const auto owner = store_->begin(1, nullptr);
    owner->insert(*def_, row(key, "owner"));
    const auto second = store_->begin(2, nullptr);
    auto done = in_thread([&] { second->insert(*def_, row(key, "second")); });
    expect_waiting(done);
    if (commit) {
      owner->commit();
    } else {
      owner->rollback();
    }
    EXPECT_EQ(result(done),
              commit ? "ORA-00001: unique constraint (HR.T_PK) violated" : "no error");
    second->rollback();
  }
}

TEST_F(StoreConcurrency, AnInsertWaitsForTheUncommittedDeleteOfItsKey) {
  const auto deleter = store_->begin(1, nullptr);
  ASSERT_TRUE(deleter->remove(*def_, first_, store_->current_scn()));
  const auto second = store_->begin(2, nullptr);
  auto done = in_thread([&] { second->insert(*def_, row(1, "again")); });
  expect_waiting(done);
  deleter->commit();
  EXPECT_EQ(result(done), "no error");
}

TEST_F(StoreConcurrency, ParentsAndChildrenOfOtherSessionsAreWaitedFor) {
  ddl::CreateTable child = simple_table("C");
  child.columns.push_back(number_column("T_ID"));
  child.constraints.push_back(foreign_key("C_T_FK", {"T_ID"}, "T"));
  const auto child_def = create(*store_, child);
  const Row of_new{make_int(1), make_text("x"), make_int(50)};
  const auto parent = store_->begin(1, nullptr);
  parent->insert(*def_, row(50, "new"));
  const auto tx = store_->begin(2, nullptr);
  auto inserted = in_thread([&] { tx->insert(*child_def, of_new); });
  expect_waiting(inserted);
  parent->commit();
  EXPECT_EQ(result(inserted), "no error");
  const RowId parent_row = find_row(*store_, "T", 50);
  auto removed = in_thread([&] { parent->remove(*def_, parent_row, store_->current_scn()); });
  expect_waiting(removed);
  tx->commit();
  EXPECT_EQ(result(removed),
            "ORA-02292: integrity constraint (HR.C_T_FK) violated - child record found");
}

TEST_F(StoreConcurrency, DdlIsRefusedWhileAnotherSessionHasChangedRows) {
  const auto tx = store_->begin(1, nullptr);
  ASSERT_TRUE(set(*tx, first_, 1, "held"));
  EXPECT_EQ(error_of([&] { store_->truncate(*def_); }),
            "ORA-00054: resource busy and acquire with NOWAIT specified or timeout expired");
  store_->change_catalog(
      [](Catalog& c) { ddl::comment_on_table(c, "HR", "T", "comments need no lock"); });
  tx->commit();
  store_->change_catalog(
      [](Catalog& c) { ddl::add_columns(c, "HR", "T", {number_column("N")}, {}); });
  // A statement prepared before must not write rows of the old shape.
  EXPECT_EQ(error_of([&] { store_->begin(1, nullptr)->insert(*def_, row(9, "x")); }),
            "ORA-08103: object no longer exists");
}

TEST_F(StoreConcurrency, TransfersBetweenAccountsKeepTheirSumInEverySnapshot) {
  ddl::CreateTable spec;
  spec.owner = "HR";
  spec.name = "ACCOUNT";
  spec.columns = {number_column("ID"), number_column("MONEY")};
  spec.constraints = {key(ConstraintKind::kPrimaryKey, "ACCOUNT_PK", {"ID"})};
  const auto accounts = create(*store_, spec);
  constexpr int kAccounts = 8;
  std::vector<RowId> ids;
  const auto setup = store_->begin(1, nullptr);
  for (int i = 0; i < kAccounts; ++i) {
    ids.push_back(setup->insert(*accounts, {make_int(i), make_int(100)}));
  }
  setup->commit();
  std::atomic<bool> stop{false};
  std::atomic<int> committed{0};
  const auto move = [&](unsigned seed) {
    unsigned state = seed;
    const auto next = [&] { return (state = state * 1664525U + 1013904223U) >> 16; };
    while (!stop) {
      const std::size_t from = next() % kAccounts,
                        to = (from + 1 + next() % (kAccounts - 1)) % kAccounts;
      const auto tx = store_->begin(seed, nullptr);
      const Scn scn = store_->current_scn();
      try {
        Row a, b;
        ASSERT_TRUE(store_->fetch(*accounts, ids[from], scn, nullptr, a));
        ASSERT_TRUE(store_->fetch(*accounts, ids[to], scn, nullptr, b));
        a[1] = make_int(*a[1].number().to_int() - 1);
        b[1] = make_int(*b[1].number().to_int() + 1);
        if (!tx->update(*accounts, ids[from], a, scn) || !tx->update(*accounts, ids[to], b, scn)) {
          continue;
        }
        tx->end_statement();
        tx->commit();
        ++committed;
      } catch (const OraError& e) {
        ASSERT_EQ(e.code(), 60) << e.what();
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i <= 3; ++i) threads.emplace_back(move, i);
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  int snapshots = 0;
  while ((committed < 2000 || snapshots < 200) && std::chrono::steady_clock::now() < end) {
    const auto scan = store_->scan(*accounts, store_->current_scn(), nullptr, nullptr);
    RowId id;
    Row r;
    std::int64_t sum = 0;
    while (scan->next(id, r)) sum += *r[1].number().to_int();
    EXPECT_EQ(sum, 100 * kAccounts);
    ++snapshots;
  }
  stop = true;
  for (std::thread& t : threads) t.join();
  EXPECT_GE(committed, 2000);
}

TEST_F(StoreConcurrency, ManySessionsInsertingTheSameKeysStoreEachOnce) {
  constexpr int kKeys = 200;
  std::vector<std::thread> threads;
  std::atomic<int> stored{0};
  for (unsigned session = 0; session < 4; ++session) {
    threads.emplace_back([&, session] {
      for (int i = 0; i < kKeys; ++i) {
        const auto tx = store_->begin(session, nullptr);
        try {
          tx->insert(*def_, row(1000 + i, "s"));
          tx->commit();
          ++stored;
        } catch (const OraError& e) {
          ASSERT_EQ(e.code(), 1);
        }
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(stored, kKeys);
  EXPECT_EQ(rows_of(*store_, "T").size(), kKeys + 2U);
}

}  // namespace
}  // namespace orasim
