// What survives: restart, a log cut anywhere, a killed process, a full disk.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "store/store_test_support.h"

namespace orasim {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the tests' own helpers
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void spill(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class StoreRecovery : public ::testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Store> open() const { return Store::open(dir_.path()); }
  [[nodiscard]] std::string log_path() const { return dir_.path() + "/orasim.log"; }
  TempDir dir_;
};

TEST_F(StoreRecovery, EverythingCommittedIsThereAfterARestart) {
  Scn middle = 0, last = 0;
  DatabaseIdentity identity;
  RowId id;
  {
    const auto store = open();
    identity = store->identity();
    ddl::CreateTable spec = simple_table("T");
    spec.columns.push_back(text_column("BODY"));
    spec.columns[2].column.type.type = Type::kClob;
    create(*store, spec);
    store->change_catalog([](Catalog& c) {
      ddl::comment_on_column(c, "HR", "T", "ID", "the key");
      ddl::create_user(c, UserDef{"HR", "secret", false, false, 0, 0});
    });
    const auto lob = std::make_shared<const LobData>(LobData{std::string(100000, 'b')});
    const auto tx = store->begin(1, nullptr);
    id =
        tx->insert(*table(*store, "T"), {make_int(1), make_text("one"), {Type::kClob, false, lob}});
    middle = tx->commit();
    tx->update(*table(*store, "T"), id, {make_int(1), make_text("ONE"), {Type::kClob, false, lob}},
               middle);
    last = tx->commit();
    tx->insert(*table(*store, "T"), {make_int(2), make_text("lost"), make_null(Type::kClob)});
  }
  const auto store = open();
  EXPECT_EQ(store->identity().database_id, identity.database_id);
  EXPECT_EQ(store->current_scn(), last);
  const std::string body(100000, 'b');
  EXPECT_THAT(rows_of(*store, "T"), ElementsAre("1|ONE|" + body));
  EXPECT_THAT(rows_of(*store, "T", middle), ElementsAre("1|one|" + body));
  EXPECT_EQ(find_row(*store, "T", 1), id);
  EXPECT_EQ(table(*store, "T")->columns[0].comment, "the key");
  EXPECT_EQ(store->catalog()->users.at("HR")->password, "secret");
  EXPECT_EQ(store->stats(*table(*store, "T")).row_count, 1U);
  EXPECT_EQ(error_of([&] {
              put(*store, "T", {{make_int(1), make_text("x"), make_null(Type::kClob)}});
            }),
            "ORA-00001: unique constraint (HR.T_PK) violated");
}

TEST_F(StoreRecovery, RowsDdlTruncateAndDropsReplayInOrder) {
  {
    const auto store = open();
    create(*store, simple_table("T"));
    create(*store, simple_table("GONE"));
    put(*store, "GONE", {row(1, "x")});
    put(*store, "T", {row(1, "a"), row(2, "b"), row(3, "c")});
    const auto tx = store->begin(1, nullptr);
    tx->remove(*table(*store, "T"), find_row(*store, "T", 2), store->current_scn());
    tx->commit();
    ddl::ColumnSpec added = text_column("CITY");
    added.column.value_when_absent = make_text("Rome");
    store->change_catalog([&](Catalog& c) {
      ddl::add_columns(c, "HR", "T", {added}, {});
      ddl::drop_table(c, "HR", "GONE", false);
      ddl::rename_table(c, "HR", "T", "T2");
    });
    create(*store, simple_table("E"));
    put(*store, "E", {row(1, "gone")});
    store->truncate(*table(*store, "E"));
    put(*store, "E", {row(2, "kept")});
  }
  const auto store = open();
  EXPECT_THAT(rows_of(*store, "T2"), ElementsAre("1|a|Rome", "3|c|Rome"));
  EXPECT_THAT(rows_of(*store, "E"), ElementsAre("2|kept"));
  EXPECT_EQ(table(*store, "GONE"), nullptr);
  EXPECT_EQ(table(*store, "T"), nullptr);
}

TEST_F(StoreRecovery, RolledBackRowsLeaveNoTraceAndNewRowsGetNewRowIds) {
  std::vector<RowId> ids;
  {
    const auto store = open();
    const auto def = create(*store, simple_table("T"));
    const auto early = store->begin(1, nullptr);
    const auto late = store->begin(2, nullptr);
    for (int i = 0; i < 300; ++i) {
      (i % 3 == 0 ? early : late)->insert(*def, row(i, std::string(200, 'x')));
    }
    early->rollback();
    late->commit();
  }
  const auto store = open();
  EXPECT_EQ(rows_of(*store, "T").size(), 200U);
  const RowId before = find_row(*store, "T", 299);
  put(*store, "T", {row(1000, "new")});
  EXPECT_GT(find_row(*store, "T", 1000), before);
  EXPECT_EQ(find_row(*store, "T", 299), before);
}

TEST_F(StoreRecovery, SequenceNumbersAndScnsAreNeverRepeated) {
  Scn handed_out = 0;
  {
    const auto store = open();
    store->change_catalog([](Catalog& c) {
      ddl::SequenceOptions none;
      none.cache_size = 0;
      ddl::create_sequence(c, "HR", "CACHED", {});
      ddl::create_sequence(c, "HR", "NOCACHED", none);
    });
    for (int i = 1; i <= 25; ++i) {
      EXPECT_EQ(store->next_sequence_value("HR", "CACHED"), Number::from_int(i));
      EXPECT_EQ(store->next_sequence_value("HR", "NOCACHED"), Number::from_int(i));
    }
    for (int i = 0; i < 10000; ++i) handed_out = store->advance_scn();
  }
  const auto store = open();
  EXPECT_EQ(store->next_sequence_value("HR", "CACHED"), Number::from_int(41));
  EXPECT_EQ(store->next_sequence_value("HR", "NOCACHED"), Number::from_int(26));
  EXPECT_GE(store->current_scn(), handed_out);
}

TEST_F(StoreRecovery, ALogCutAtAnyByteKeepsExactlyTheCommitsBeforeTheCut) {
  std::vector<std::size_t> ends;  // log size after each commit
  {
    const auto store = open();
    create(*store, simple_table("T"));
    ends.push_back(std::filesystem::file_size(log_path()));
    for (int i = 1; i <= 4; ++i) {
      put(*store, "T", {row(i, "a"), row(i + 100, "b")});
      ends.push_back(std::filesystem::file_size(log_path()));
    }
  }
  const std::string whole = slurp(log_path());
  for (std::size_t cut = ends[0]; cut <= ends.back(); ++cut) {
    spill(log_path(), std::string_view(whole).substr(0, cut));
    const auto complete =
        static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin()) -
        1;
    {
      const auto store = open();
      ASSERT_EQ(rows_of(*store, "T").size(), complete * 2) << "cut at " << cut;
      put(*store, "T", {row(500, "after")});  // the log goes on behind the cut
    }
    ASSERT_EQ(rows_of(*open(), "T").size(), complete * 2 + 1) << "cut at " << cut;
  }
}

TEST_F(StoreRecovery, AFlippedByteEndsTheLogThereAndNeverCrashes) {
  {
    const auto store = open();
    create(*store, simple_table("T"));
    put(*store, "T", {row(1, "one")});
  }
  const std::string whole = slurp(log_path());
  for (std::size_t at = 8; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x55);
    spill(log_path(), broken);
    const auto store = open();
    const auto def = table(*store, "T");
    if (def != nullptr) {
      EXPECT_LE(rows_of(*store, "T").size(), 1U);
    }
  }
  spill(log_path(), "not a log of ours");
  EXPECT_THROW(static_cast<void>(open()), std::runtime_error);
}

TEST_F(StoreRecovery, OneDirectoryServesOneProcess) {
  const auto store = open();
  try {
    static_cast<void>(open());
    ADD_FAILURE() << "opened twice";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("in use by another process"));
  }
}

/// Commits rows 1, 2, 3 … and tells each over `pipe` once it is committed.
[[noreturn]] void commit_until_killed(const std::string& dir, int pipe) {
  const auto store = Store::open(dir);
  const auto def = store->catalog()->find_table("HR", "T");
  for (std::int64_t i = 1;; ++i) {
    const auto tx = store->begin(1, nullptr);
    tx->insert(*def, row(2 * i, "even"));
    tx->insert(*def, row(2 * i + 1, "odd"));
    tx->commit();
    if (::write(pipe, &i, sizeof i) != sizeof i) ::_exit(1);
  }
}

TEST_F(StoreRecovery, AKilledProcessLosesNoCommitAndKeepsTransactionsWhole) {
  for (const int wait_for : {1, 7, 60}) {
    TempDir dir;
    create(*Store::open(dir.path()), simple_table("T"));
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) commit_until_killed(dir.path(), ends[1]);
    ::close(ends[1]);
    std::int64_t told = 0;
    while (told < wait_for && ::read(ends[0], &told, sizeof told) == sizeof told) {
    }
    ::kill(child, SIGKILL);
    for (std::int64_t more = 0; ::read(ends[0], &more, sizeof more) == sizeof more;) told = more;
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto store = Store::open(dir.path());
    const std::size_t rows = rows_of(*store, "T").size();
    EXPECT_EQ(rows % 2, 0U);
    EXPECT_GE(rows, static_cast<std::size_t>(told) * 2);
    EXPECT_LE(rows, static_cast<std::size_t>(told) * 2 + 2);
  }
}

TEST_F(StoreRecovery, AFullDiskFailsTheCommitAndLeavesTheStoreUsable) {
  const auto store = open();
  create(*store, simple_table("T"));
  put(*store, "T", {row(1, "one")});
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = std::filesystem::file_size(log_path()) + 100;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = error_of([&] { put(*store, "T", {row(2, std::string(4000, 'x'))}); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(error, HasSubstr("ORA-00345: redo log write error"));
  EXPECT_THAT(rows_of(*store, "T"), ElementsAre("1|one"));
  put(*store, "T", {row(2, "two")});
  EXPECT_THAT(rows_of(*store, "T"), ElementsAre("1|one", "2|two"));
}

}  // namespace
}  // namespace orasim
