// Transactions from rows: order, rollback, LOBs, pieces, what is known already.
#include "connect/oracle/logminer/redo_assembler.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect/oracle/logminer/lob_content.h"

namespace wherry::oracle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kRow = "AAAR5FAAYAAAAANAAB";
constexpr const char* kOtherRow = "AAAR5FAAYAAAAANAAC";
constexpr const char* kNoRow = "AAAAAAAAAAAAAAAAAA";
constexpr int kInsert = 1, kDelete = 2, kUpdate = 3, kStart = 6, kCommit = 7, kLocator = 9;
constexpr int kLobWrite = 10, kLobTrim = 11, kRollback = 36;
constexpr TransactionKey kOne{3, 5, 1, 614}, kTwo{3, 6, 9, 702};

std::string text_of(const RedoImage& image) {
  std::string out;
  for (const OwnedRedoField& field : image) {
    out += (out.empty() ? "" : ",") + field.column + "=" +
           (field.value.form == RedoForm::kNull ? "null" : field.value.text);
  }
  return out;
}

/// "5.1.614: insert T A=1; update T A=2 / A=1 unknown B"
std::string text_of(const RedoTransaction& transaction) {
  constexpr const char* kKinds[] = {"insert ", "update ", "delete "};
  std::string out = to_text(transaction.key) + ":";
  for (const RedoChange& change : transaction.changes) {
    out += std::string(out.ends_with(':') ? " " : "; ") +
           (change.is_hidden ? "hidden " : kKinds[static_cast<int>(change.kind)]) + change.table;
    if (!change.after.empty()) out += " " + text_of(change.after);
    if (!change.before.empty()) out += " / " + text_of(change.before);
    for (const std::string& column : change.unknown) out += " unknown " + column;
  }
  return out;
}

class RedoAssembly : public ::testing::Test {
 protected:
  /// A row at the next address.
  MinedRow row(const TransactionKey& key, int code, std::string_view sql = "",
               std::string_view row_id = kNoRow) {
    MinedRow out;
    out.scn = ++scn_;
    out.thread = 1;
    out.address = {90, ++block_, 16};
    out.transaction = key;
    out.operation_code = code;
    out.owner = "S";
    out.table = "T";
    out.row_id = row_id;
    out.sql_redo = sql;
    return out;
  }
  void take(const MinedRow& one) { take(assembler_, one); }
  void take(RedoAssembler& assembler, const MinedRow& one) {
    auto taken = assembler.take(one);
    ASSERT_TRUE(taken.ok()) << taken.error().to_paragraph();
    if (!*taken) return;
    out_.push_back(text_of(**taken));
    users_.push_back((*taken)->user);
  }
  void take(const TransactionKey& key, int code, std::string_view sql = "",
            std::string_view row_id = kNoRow) {
    take(row(key, code, sql, row_id));
  }
  void undo(const TransactionKey& key, int code, std::string_view row_id) {
    MinedRow one = row(key, code, R"(delete from "S"."T" where ROWID = 'x')", row_id);
    one.is_undo = true;
    take(one);
  }
  void insert(const TransactionKey& key, const std::string& id, std::string_view row_id = kRow) {
    take(key, kInsert, "insert into \"S\".\"T\"(\"A\") values ('" + id + "')", row_id);
  }

  RedoAssembler assembler_;
  std::vector<std::string> out_, users_;
  std::uint64_t scn_ = 100;
  std::uint32_t block_ = 0;
};

TEST_F(RedoAssembly, DeliversTransactionsAsTheyCommit) {
  take(kOne, kStart);
  insert(kOne, "1");
  take(kTwo, kStart);
  insert(kTwo, "2");
  take(kTwo, kCommit);
  ASSERT_EQ(assembler_.open().size(), 1U);
  EXPECT_EQ(to_text(assembler_.open()[0].first_address), " 0x00005a.00000001.0010 ");
  insert(kOne, "3");
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("6.9.702: insert T A=2", "5.1.614: insert T A=1; insert T A=3"));
  EXPECT_THAT(assembler_.open(), IsEmpty());
}

/// The row that begins it may be older than what is mined, and not know.
TEST_F(RedoAssembly, KnowsWhoseATransactionIs) {
  MinedRow begin = row(kOne, kStart);
  begin.user = "HR";
  take(begin);
  insert(kOne, "1");
  take(kOne, kCommit);
  take(kTwo, kStart);
  MinedRow change = row(kTwo, kInsert, R"(insert into "S"."T"("A") values ('2'))", kRow);
  change.user = "SCOTT";
  take(change);
  take(kTwo, kCommit);
  insert(kOne, "3");
  take(kOne, kCommit);
  EXPECT_THAT(users_, ElementsAre("HR", "SCOTT", ""));
}

TEST_F(RedoAssembly, KnowsTransactionsByTheirContainer) {
  TransactionKey other = kOne;
  other.container = 4;
  insert(kOne, "1");
  insert(other, "2");
  take(kOne, kRollback);
  take(other, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=2"));
}

TEST_F(RedoAssembly, TakesBackTheNewestChangeOfARow) {
  insert(kOne, "1");
  take(kOne, kUpdate, R"(update "S"."T" set "A" = '2' where "A" = '1')", kRow);
  insert(kOne, "3", kOtherRow);
  undo(kOne, kDelete, kOtherRow);
  undo(kOne, kUpdate, kRow);
  undo(kOne, kInsert, "AAAR5FAAYAAAAANAAZ");  // of a table's row that was not captured
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=1"));
}

TEST_F(RedoAssembly, FindsTheTransactionOfAPartialNumber) {
  TransactionKey partial = kOne;
  partial.sequence = 0xFFFFFFFF;
  insert(kTwo, "9");
  insert(kOne, "1");
  undo(partial, kDelete, kRow);
  take(partial, kRollback);
  take(kOne, kCommit);
  undo(partial, kDelete, kRow);  // nothing is open there any more
  take(kTwo, kCommit);
  EXPECT_THAT(out_, ElementsAre("6.9.702: insert T A=9"));
}

TEST_F(RedoAssembly, ASecondStartBeginsAnew) {
  take(kOne, kStart);
  insert(kOne, "1");
  take(kOne, kStart);
  insert(kOne, "2");
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=2"));
}

TEST_F(RedoAssembly, JoinsPiecesAcrossSteps) {
  MinedRow first = row(kOne, kInsert, R"(insert into "S"."T"("A") values ('it')", kRow);
  first.goes_on = true;
  MinedRow last = first;
  last.goes_on = false;
  last.sql_redo = "'s')";
  take(first);
  assembler_.end_step();
  take(first);  // the statement comes again from its beginning
  take(last);
  MinedRow second = row(kOne, kInsert, R"-(insert into "S"."T"("A"))-", kOtherRow);
  second.goes_on = true;
  take(second);
  assembler_.end_step();
  second.goes_on = false;
  second.sql_redo = " values ('2')";
  take(second);
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=it's; insert T A=2"));
}

TEST_F(RedoAssembly, LeavesOutWhatItKnowsByAddressAlone) {
  const MinedRow begun = row(kOne, kInsert, R"(insert into "S"."T"("A") values ('1'))", kRow);
  take(begun);
  const MinedRow deleted = row(kOne, kDelete, R"(delete from "S"."T" where "A" = '7')", kOtherRow);
  take(deleted);
  take(deleted);  // an array's rows have one address
  assembler_.end_step();
  take(begun);
  MinedRow late = row(kTwo, kInsert, R"(insert into "S"."T"("A") values ('2'))", kOtherRow);
  late.scn = 5;
  take(late);
  take(kOne, kCommit);
  take(kTwo, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=1; delete T / A=7; delete T / A=7",
                                "6.9.702: insert T A=2"));
}

TEST_F(RedoAssembly, GoesOnWhereAStepBrokeOff) {
  const MinedRow begun = row(kOne, kInsert, R"(insert into "S"."T"("A") values ('1'))", kRow);
  const MinedRow one = row(kOne, kDelete, R"(delete from "S"."T" where "A" = '7')", kOtherRow);
  MinedRow first = one;  // of the second row of the array, in two pieces
  first.sql_redo = R"(delete from "S"."T" where)";
  first.goes_on = true;
  MinedRow last = one;
  last.sql_redo = R"( "A" = '8')";
  take(begun);
  take(one);
  take(first);
  assembler_.break_step();
  for (int step = 0; step < 2; ++step) {
    take(begun);
    take(one);
    take(first);
    take(last);
    if (step == 0) take(one);
    assembler_.break_step();
  }
  take(begun);
  take(one);
  take(first);
  take(last);
  take(one);
  take(one);
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=1; delete T / A=7; delete T / A=8; delete T / "
                                "A=7; delete T / A=7"));
}

TEST_F(RedoAssembly, ARestartReadsFromTheOldestOpenChange) {
  insert(kTwo, "1");
  take(kTwo, kCommit);
  std::vector<MinedRow> rows;
  rows.push_back(row(kOne, kStart));
  rows.push_back(row(kOne, kInsert, R"(insert into "S"."T"("A") values ('2'))", kRow));
  rows.push_back(row(kTwo, kInsert, R"(insert into "S"."T"("A") values ('3'))", kRow));
  rows.push_back(row(kTwo, kCommit));
  rows.push_back(row(kOne, kCommit));
  EXPECT_EQ(assembler_.floors().at(1), (RedoAddress{90, 2, 16}));  // the last row: a commit
  for (const MinedRow& each : rows) take(each);
  EXPECT_EQ(assembler_.floors().at(1), rows.back().address);

  RedoAssembler before;  // as it was after the commit of the second
  for (std::size_t i = 0; i < 4; ++i) ASSERT_TRUE(before.take(rows[i]).ok());
  const auto floors = before.floors();
  EXPECT_EQ(floors.at(1), rows[0].address);
  RedoAssembler after;
  after.begin_at(1, floors.at(1));
  out_.clear();
  MinedRow earlier = rows[0];
  earlier.address = {90, 1, 16};
  earlier.operation_code = kInsert;
  earlier.sql_redo = R"(insert into "S"."T"("A") values ('gone'))";
  take(after, earlier);
  for (const MinedRow& each : rows) take(after, each);
  EXPECT_THAT(out_, ElementsAre("6.9.702: insert T A=3", "5.1.614: insert T A=2"));
}

constexpr const char* kInsertLob = R"(insert into "S"."T"("A","B") values ('1',EMPTY_CLOB()))";

std::string lob_block(std::string_view call) {
  return "DECLARE \n loc_c CLOB; \nBEGIN\n select \"B\" into loc_c from \"S\".\"T\" where \"A\" = "
         "'1' for update;\n" +
         std::string(call) + "\nEND;";
}
std::string lob_write(std::string_view data, int amount, int offset) {
  return lob_block(" buf_c := '" + std::string(data) + "'; \n dbms_lob.write(loc_c, " +
                   std::to_string(amount) + ", " + std::to_string(offset) + ", buf_c);");
}

TEST_F(RedoAssembly, ABeginWithoutChangesHoldsNoFloor) {
  take(kOne, kStart);
  insert(kTwo, "1");
  take(kTwo, kCommit);
  EXPECT_EQ(assembler_.floors().at(1), (RedoAddress{90, 3, 16}));
  EXPECT_THAT(assembler_.open(), IsEmpty());
  insert(kOne, "2");
  EXPECT_EQ(assembler_.floors().at(1), (RedoAddress{90, 1, 16}));
  const auto open = assembler_.open();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].key, kOne);
  EXPECT_EQ(open[0].change_count, 1U);
}

TEST_F(RedoAssembly, FoldsSmallLobsIntoTheirInsert) {
  take(kOne, kInsert, kInsertLob);
  take(kOne, kUpdate, R"(update "S"."T" set "B" = 'x' where "A" = '1')", kRow);
  take(kOne, kUpdate, R"(update "S"."T" set "B" = 'y' where "A" = '1')", kRow);
  undo(kOne, kUpdate, kRow);
  take(kOne, kCommit);
  take(kTwo, kInsert, kInsertLob);
  take(kTwo, kUpdate, R"(update "S"."T" set "B" = NULL where "A" = '1')", kRow);
  undo(kTwo, kDelete, kRow);
  insert(kTwo, "2");
  take(kTwo, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=1,B=x", "6.9.702: insert T A=2"));
}

TEST_F(RedoAssembly, PutsLargeLobsTogether) {
  take(kOne, kInsert, kInsertLob);
  take(kOne, kLocator);
  take(kOne, kLobWrite, lob_write("de", 2, 4));
  take(kOne, kLobWrite, lob_write("äbc", 3, 1));
  take(kOne, kLocator);
  take(kOne, kLobWrite, lob_write("!!", 1, 6), kRow);
  take(kOne, kCommit);
  // Of a row that was there: complete when a trim says where it ends.
  take(kTwo, kLocator);
  take(kTwo, kLobWrite, lob_write("abcdef", 6, 1));
  take(kTwo, kLobTrim, lob_block(" dbms_lob.trim(loc_c, 4);"));
  take(kTwo, kCommit);
  take(kTwo, kLocator);
  take(kTwo, kLobWrite, lob_write("more", 4, 7), kRow);
  take(kTwo, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=1,B=äbcde!", "6.9.702: update T B=abcd / A=1",
                                "6.9.702: update T / A=1 unknown B"));
}

TEST_F(RedoAssembly, TakesBackAnInsertWithALargeLob) {
  insert(kOne, "0", kOtherRow);
  take(kOne, kInsert, kInsertLob);
  take(kOne, kLocator);
  take(kOne, kLobWrite, lob_write("abc", 3, 1));
  undo(kOne, kDelete, kRow);  // names the row that the change does not know
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=0"));
}

TEST_F(RedoAssembly, PutsDocumentsAndLongStringsTogether) {
  take(kOne, kInsert, R"(insert into "S"."T"("A") values ('1'))", kRow);
  take(kOne, 68, R"(XML DOC BEGIN:  select "X" from "S"."T" where "A" = '1')", kRow);
  take(kOne, 70, "XML_REDO := HEXTORAW('3c612f'):3", kRow);
  take(kOne, 70, "XML_REDO := HEXTORAW('3e'):1", kRow);
  take(kOne, 71, "", kRow);
  take(kOne, 91,
       R"(DECLARE Stmt CLOB; BEGIN Stmt := 'update "S"."T" a set a."V" = :V where )"
       R"(a."A" = ''2'';';)",
       kOtherRow);
  take(kOne, 92, " buf_c := 'it''s ';\n DBMS_LOB.WriteAppend(TempLob, LENGTH(buf_c), buf_c);");
  take(kOne, 92, " buf_c := 'long';\n DBMS_LOB.WriteAppend(TempLob, LENGTH(buf_c), buf_c);");
  take(kOne, 93);
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: insert T A=1,X=<a/>; update T V=it's long / A=2"));
}

/// Chunks in memory, which count how many there are.
class CountedStore final : public RedoStore {
 public:
  Result<std::shared_ptr<const StoredChunk>> put(std::string_view bytes) override {
    if (is_full) return make_error(ErrorKind::kResource, "spill.disk_full", "no room");
    return std::shared_ptr<const StoredChunk>(std::make_shared<Chunk>(std::string(bytes), count));
  }
  bool is_full = false;
  int count = 0;

 private:
  class Chunk final : public StoredChunk {
   public:
    Chunk(std::string bytes, int& count) : bytes_(std::move(bytes)), count_(count) { ++count_; }
    ~Chunk() override { --count_; }
    [[nodiscard]] Result<std::string> read() const override { return bytes_; }

   private:
    const std::string bytes_;
    int& count_;
  };
};

TEST_F(RedoAssembly, ALargeTransactionLeavesTheMemoryAndCanBeTakenBackFromThere) {
  CountedStore store;
  RedoAssembler small(store, 100'000);
  const auto row_id = [](int i) { return fmt::format("AAAR5FAAYAAAAA{:04}", i); };
  const auto insert_row = [&](int i) {
    const std::string text =
        fmt::format(R"(insert into "S"."T"("A","B") values ('{}','{}'))", i, std::string(500, 'x'));
    const std::string id = row_id(i);
    return small.take(row(kOne, kInsert, text, id));
  };
  for (int i = 0; i < 4000; ++i) ASSERT_TRUE(insert_row(i).ok());
  EXPECT_GT(store.count, 2);
  // A savepoint's rollback goes from the newest back, through what is in memory and beyond.
  for (int i = 3999; i >= 1000; --i) {
    const std::string id = row_id(i);
    MinedRow one = row(kOne, kDelete, R"(delete from "S"."T" where ROWID = 'x')", id);
    one.is_undo = true;
    ASSERT_TRUE(small.take(one).ok());
  }
  for (int i = 5000; i < 5010; ++i) ASSERT_TRUE(insert_row(i).ok());
  auto taken = small.take(row(kOne, kCommit));
  ASSERT_TRUE(taken.ok() && *taken);
  std::vector<std::string> ids;
  const auto note = [&](const std::vector<RedoChange>& changes) {
    for (const RedoChange& change : changes) ids.push_back(find_value(change.after, "A")->text);
  };
  for (const SpilledChanges& spilled : (*taken)->spilled) {
    const auto changes = load(spilled);
    ASSERT_TRUE(changes.ok());
    note(*changes);
  }
  note((*taken)->changes);
  ASSERT_EQ(ids.size(), 1010U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ids[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(ids[1000], "5000");
  EXPECT_EQ(ids[1009], "5009");
  *taken = std::nullopt;
  EXPECT_EQ(store.count, 0);
}

TEST_F(RedoAssembly, AFullDiskLosesNothing) {
  CountedStore store;
  store.is_full = true;
  RedoAssembler small(store, 1000);
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string text =
        fmt::format(R"(insert into "S"."T"("A","B") values ('{}','{}'))", i, std::string(500, 'x'));
    const auto taken = small.take(row(kOne, kInsert, text, kRow));
    if (taken.ok()) continue;
    EXPECT_EQ(taken.error().code, "spill.disk_full");
    ++refused;
    store.is_full = i < 400;
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(store.count, 0);
  const auto taken = small.take(row(kOne, kCommit));
  ASSERT_TRUE(taken.ok() && *taken);
  std::size_t count = (*taken)->changes.size();
  for (const SpilledChanges& spilled : (*taken)->spilled) count += spilled.left;
  EXPECT_EQ(count, 500U);
}

TEST_F(RedoAssembly, NamesTablesThatTheLogDoesNotTell) {
  take(kOne, 255, "Unsupported", kRow);
  take(kOne, kCommit);
  EXPECT_THAT(out_, ElementsAre("5.1.614: hidden T"));
  ASSERT_EQ(assembler_.problems().size(), 1U);
  EXPECT_EQ(assembler_.problems()[0].table, "T");
  const auto gap = assembler_.take(row(kOne, 34));
  ASSERT_FALSE(gap.ok());
  EXPECT_EQ(gap.error().code, "oracle.redo_gap");
}

TEST(LobContent, FillsGapsAndCuts) {
  LobContent text(LobContent::Unit::kCharacter, "ab");
  text.write(1, 5, "é!");
  EXPECT_EQ(text.content(), "ab  é");
  text.erase(2, 2);
  EXPECT_EQ(text.content(), "a   é");
  text.trim(1);
  EXPECT_EQ(text.content(), "a");
  LobContent bytes(LobContent::Unit::kByte);
  bytes.write(2, 2, "xy");
  bytes.trim(3);
  EXPECT_FALSE(bytes.is_known());
  bytes.write(1, 1, std::string_view("\0", 1));
  EXPECT_TRUE(bytes.is_known());
  EXPECT_EQ(bytes.content(), std::string("\0xy", 3));
}

TEST(LobContent, DoesNotKeepWhatIsTooLarge) {
  LobContent text(LobContent::Unit::kCharacter, "ab");
  text.write(1, std::uint64_t{1} << 62, "x");
  EXPECT_FALSE(text.is_known());
  text.trim(1);
  EXPECT_FALSE(text.is_known());
  LobContent far(LobContent::Unit::kByte);
  far.write(5, ~std::uint64_t{0}, "abcde");
  EXPECT_FALSE(far.is_known());
  LobContent other(LobContent::Unit::kByte);
  other.erase(~std::uint64_t{0}, ~std::uint64_t{0});
  EXPECT_FALSE(other.is_known());
}

}  // namespace
}  // namespace wherry::oracle
