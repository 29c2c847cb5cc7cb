// The client against orasim: log-in in every dialect, statements, binds, LOBs, errors,
// cancellation.
#include "connect/oracle/client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <stop_token>
#include <thread>

#include "connect/oracle/value_text.h"
#include "core/spill_file.h"
#include "tests/support/certificate.h"
#include "tests/support/orasim.h"

namespace wherry::oracle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::Orasim;

#define ASSERT_DONE(expr)                                                         \
  do {                                                                            \
    const auto& wherry_done = (expr);                                             \
    ASSERT_TRUE(wherry_done.ok()) << wherry_done.error().to_paragraph() << #expr; \
  } while (false)

ConnectOptions options_for(const Orasim& server) {
  ConnectOptions options;
  options.connect_string = server.easy_connect();
  options.user = std::string(Orasim::kUser);
  options.password = Secret(std::string(Orasim::kPassword));
  return options;
}

std::unique_ptr<Session> connect(const Orasim& server) {
  OpContext context;
  auto session = Session::connect(context, options_for(server));
  EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
  return session.ok() ? std::move(*session) : nullptr;
}

/// The one value of a query.
std::string value_of(Session& session, std::string_view sql, std::span<const Bind> binds = {}) {
  OpContext context;
  const auto rows = session.rows(context, sql, binds);
  EXPECT_TRUE(rows.ok()) << rows.error().to_paragraph() << " in " << sql;
  if (!rows.ok() || rows->size() != 1 || rows->front().empty()) return "no value";
  return rows->front()[0].value_or("NULL");
}

Error error_of(Session& session, std::string_view sql) {
  OpContext context;
  const auto done = session.execute(context, sql);
  EXPECT_FALSE(done.ok()) << sql;
  return done.ok() ? Error{} : done.error();
}

/// Generation, verifier, and what the network and the server do.
class Dialects : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Dialects, RunAWholeSession) {
  const Orasim server(GetParam());
  const auto session = connect(server);
  ASSERT_NE(session, nullptr);
  OpContext context;
  EXPECT_EQ(session->server().service_name, Orasim::kService);
  ASSERT_DONE(
      session->execute(context, "create table t (id number(9) primary key, v varchar2(50))"));
  std::vector<BindRow> rows;
  for (int i = 0; i < 1200; ++i) {
    rows.push_back({Bind::number(std::int64_t{i}), Bind::text("row " + std::to_string(i / 7))});
  }
  const auto inserted = session->execute_array(context, "insert into t values (:1, :2)", rows);
  ASSERT_DONE(inserted);
  EXPECT_EQ(inserted->row_count, rows.size());
  EXPECT_TRUE(session->transaction_open());
  ASSERT_DONE(session->commit(context));
  EXPECT_FALSE(session->transaction_open());

  const auto read = session->rows(context, "select id, v from t order by id");
  ASSERT_DONE(read);
  ASSERT_EQ(read->size(), rows.size());
  for (std::size_t i = 0; i < read->size(); ++i) {
    EXPECT_EQ((*read)[i][0], std::to_string(i));
    EXPECT_EQ((*read)[i][1], "row " + std::to_string(i / 7));
  }
  const Error error = error_of(*session, "delete from nothing_here");
  EXPECT_EQ(error.native_code, "ORA-00942");
  ASSERT_DONE(session->execute(context, "delete from t where id < 100"));
  ASSERT_DONE(session->rollback(context));
  EXPECT_EQ(value_of(*session, "select count(*) from t"), "1200");
  ASSERT_DONE(session->ping(context));
  ASSERT_DONE(session->close(context));
}

INSTANTIATE_TEST_SUITE_P(
    Orasim, Dialects,
    ::testing::Values(std::vector<std::string>{"--emulate", "12.2"},
                      std::vector<std::string>{"--emulate", "19"},
                      std::vector<std::string>{"--emulate", "23"},
                      std::vector<std::string>{"--emulate", "12.2", "--verifier", "11g"},
                      std::vector<std::string>{"--emulate", "12.2", "--verifier", "11g-plain"},
                      std::vector<std::string>{"--emulate", "19", "--marker-errors"},
                      std::vector<std::string>{"--emulate", "23", "--sdu", "512"},
                      std::vector<std::string>{"--emulate", "19", "--packet-payload", "7"},
                      std::vector<std::string>{"--resend"},
                      std::vector<std::string>{"--redirect"}));

/// One server for all tests that need no other than the usual one.
class Client : public ::testing::Test {
 protected:
  static Orasim& server() {
    static Orasim shared({"--user", "system/Manager-1"});
    return shared;
  }
  void SetUp() override {
    session_ = connect(server());
    ASSERT_NE(session_, nullptr);
  }
  void run(std::string_view sql, std::span<const Bind> binds = {}) {
    ASSERT_DONE(session_->execute(context_, sql, binds));
  }

  OpContext context_;
  std::unique_ptr<Session> session_;
};

TEST_F(Client, BindsEveryTypeAndReadsItBack) {
  run("create table typed (n number, f float, bf binary_float, bd binary_double, v varchar2(100), "
      "nv nvarchar2(100), c char(5), d date, ts timestamp(9), tz timestamp(9) with time zone, "
      "ym interval year(9) to month, ds interval day(9) to second(9), r raw(100))");
  constexpr std::int64_t kMicros = 1786277594123456;  // 2026-08-09 12:13:14.123456
  const Bind binds[] = {Bind::number("-1234567890123456789012345678901234567.8"),
                        Bind::number("1e-130"),
                        Bind::binary_float(1.5F),
                        Bind::binary_double(-0.1),
                        Bind::text("n\xC3\xA9 \xF0\x9F\x8E\x89"),
                        Bind::national_text("\xD0\xAF \xF0\x9F\x8E\x89"),
                        Bind::text("ab"),
                        Bind::date(kMicros),
                        Bind::timestamp(kMicros, 789),
                        Bind::timestamp_tz(kMicros, 789, 150),
                        Bind::interval_ym(-14),
                        Bind::interval_ds(-273906, -500000000),
                        Bind::bytes(std::string_view("\x00\xFF", 2))};
  run("insert into typed values (:1,:2,:3,:4,:5,:6,:7,:8,:9,:10,:11,:12,:13)", binds);
  const auto rows = session_->rows(context_, "select * from typed");
  ASSERT_DONE(rows);
  ASSERT_EQ(rows->size(), 1U);
  const TextRow wanted = {"-1234567890123456789012345678901234567.8",
                          "0." + std::string(129, '0') + "1",
                          "1.5",
                          "-0.1",
                          "n\xC3\xA9 \xF0\x9F\x8E\x89",
                          "\xD0\xAF \xF0\x9F\x8E\x89",
                          "ab   ",
                          "2026-08-09 12:13:14",
                          "2026-08-09 12:13:14.123456789",
                          "2026-08-09 14:43:14.123456789 +02:30",
                          "-1-02",
                          "-3 04:05:06.5",
                          "00ff"};
  EXPECT_EQ(rows->front(), wanted);
}

TEST_F(Client, ReadsScalarsAtTheirLimits) {
  const std::pair<const char*, std::string> limits[] = {
      {"99999999999999999999999999999999999999", std::string(38, '9')},
      {"9.99e125", "999" + std::string(123, '0')},
      {"date '9999-12-31'", "9999-12-31 00:00:00"},
      {"date '-4712-01-01'", "4712-01-01 00:00:00 BC"},
      {"timestamp '9999-12-31 23:59:59.999999999'", "9999-12-31 23:59:59.999999999"},
      {"interval '-999999999' year(9)", "-999999999-00"},
      {"to_binary_double('INF')", "Infinity"},
      {"to_binary_float('NAN')", "NaN"},
      {"cast(null as number)", "NULL"},
      {"''", "NULL"}};
  for (const auto& [expression, text] : limits) {
    EXPECT_EQ(value_of(*session_, std::string("select ") + expression + " from dual"), text);
  }
  const Bind wide[] = {Bind::text(std::string(4000, 'w'))};
  EXPECT_EQ(value_of(*session_, "select length(:1) from dual", wide), "4000");
}

TEST_F(Client, FetchesInAnyStepAndPrefetchesWhatIsAsked) {
  for (const std::uint32_t array_rows : {1U, 7U, 100U, 10000U}) {
    for (const std::uint32_t prefetch_rows : {0U, 1U, 50U, 1000U}) {
      FetchOptions options;
      options.array_rows = array_rows;
      options.prefetch_rows = prefetch_rows;
      auto query =
          session_->query(context_, "select level from dual connect by level <= 50", {}, options);
      ASSERT_DONE(query);
      const CellKind kinds[] = {CellKind::kDecimal};
      RowBatch batch;
      FetchState state = FetchState::kMore;
      std::int64_t next = 1;
      while (state == FetchState::kMore) {
        const auto fetched = (*query)->fetch(context_, kinds, batch);
        ASSERT_DONE(fetched);
        state = *fetched;
        for (std::size_t r = 0; r < batch.row_count(); ++r) {
          EXPECT_EQ(value_text(batch.at(r, 0)), std::to_string(next++));
        }
      }
      EXPECT_EQ(next, 51);
      EXPECT_EQ((*query)->row_count(), 50U);
    }
  }
}

TEST_F(Client, RunsBlocksWithOutBinds) {
  const Bind binds[] = {Bind::out(OracleType::kNumber), Bind::number(std::int64_t{41}),
                        Bind::out(OracleType::kVarchar, 100), Bind::text("a").in_out(100)};
  for (int round = 0; round < 2; ++round) {
    const auto done = session_->execute(
        context_, "begin :1 := :2 + 1; :3 := 'text ' || :2; :4 := :4 || 'b'; end;", binds);
    ASSERT_DONE(done);
    ASSERT_EQ(done->out.size(), 4U);
    EXPECT_EQ(done->out[0], "42");
    EXPECT_EQ(done->out[2], "text 41");
    EXPECT_EQ(done->out[3], "ab");
  }
}

using Texts = std::vector<std::optional<std::string>>;

TEST_F(Client, RunsABlockForEveryRowOfAnArray) {
  const std::string sql = "begin :o := 100 / :i; end;";
  const auto rows = [](std::initializer_list<std::int64_t> numbers) {
    std::vector<BindRow> list;
    for (const std::int64_t n : numbers) {
      list.push_back({Bind::out(OracleType::kNumber), Bind::number(n)});
    }
    return list;
  };
  for (int round = 0; round < 2; ++round) {
    const auto done = session_->execute_array(context_, sql, rows({1, 4, 5, 50}));
    ASSERT_DONE(done);
    EXPECT_EQ(done->row_count, 4U);
    ASSERT_EQ(done->out_rows.size(), 4U);
    EXPECT_EQ(done->out_rows[1][0], "25");
    EXPECT_EQ(done->out_rows[3][0], "2");
  }
  const auto failed = session_->execute_array(context_, sql, rows({1, 2, 0, 4}));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().native_code, "ORA-01476");
  EXPECT_NE(failed.error().to_paragraph().find("(row 3)"), std::string::npos)
      << failed.error().to_paragraph();
  const std::vector<BindRow> words = {{Bind::text("a").in_out(100)}, {Bind::text("b").in_out(100)}};
  const auto both = session_->execute_array(context_, "begin :io := :io || '!'; end;", words);
  ASSERT_DONE(both);
  EXPECT_EQ(both->out_rows, (std::vector<Texts>{{"a!"}, {"b!"}}));
}

TEST_F(Client, PassesIndexByTablesInOutAndBoth) {
  std::vector<Bind> words;
  for (int i = 1; i <= 300; ++i) words.push_back(Bind::text("word " + std::to_string(i)));
  words[1] = Bind::null(OracleType::kVarchar);
  // In the order in which the names come first.
  const Bind binds[] = {Bind::array(OracleType::kVarchar, words),
                        Bind::array(OracleType::kVarchar, std::span(words).first(2), 3).in_out(),
                        Bind::out_array(OracleType::kNumber, 300),
                        Bind::out_array(OracleType::kDate, 1)};
  const std::string sql =
      "declare type texts is table of varchar2(20) index by pls_integer; "
      "type numbers is table of number index by binary_integer; "
      "w texts := :given; n numbers; b texts := :both; d dbms_sql.date_table; begin "
      "for i in 1 .. w.count loop n(i) := nvl(length(w(i)), 0); end loop; "
      "b(3) := b(1) || w(w.last); :lengths := n; :both := b; :none := d; end;";
  for (int round = 0; round < 2; ++round) {
    const auto done = session_->execute(context_, sql, binds);
    ASSERT_DONE(done);
    ASSERT_EQ(done->arrays.size(), 4U);
    EXPECT_TRUE(done->arrays[0].empty());
    EXPECT_EQ(done->arrays[1], (Texts{"word 1", std::nullopt, "word 1word 300"}));
    ASSERT_EQ(done->arrays[2].size(), 300U);
    EXPECT_EQ(done->arrays[2][0], "6");
    EXPECT_EQ(done->arrays[2][1], "0");
    EXPECT_EQ(done->arrays[2][299], "8");
    EXPECT_TRUE(done->arrays[3].empty());
  }
  const Bind small[] = {Bind::out_array(OracleType::kNumber, 2)};
  const auto full = session_->execute(
      context_, "declare n dbms_sql.number_table; begin n(3) := 1; :1 := n; end;", small);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().native_code, "ORA-06513");
  const auto in_sql =
      session_->rows(context_, "select 1 from dual where dummy = :1", std::span(binds).first(1));
  ASSERT_FALSE(in_sql.ok());
  EXPECT_EQ(in_sql.error().native_code, "ORA-01484");
}

TEST_F(Client, ReadsWhatBlocksPrint) {
  run("begin dbms_output.enable; end;");
  run("begin for i in 1 .. 5 loop dbms_output.put_line('line ' || i); end loop; end;");
  const Bind binds[] = {Bind::out_array(OracleType::kVarchar, 4, 32767),
                        Bind::number(std::int64_t{4}).in_out()};
  const std::string sql = "begin dbms_output.get_lines(:lines, :count); end;";
  auto done = session_->execute(context_, sql, binds);
  ASSERT_DONE(done);
  EXPECT_EQ(done->arrays[0], (Texts{"line 1", "line 2", "line 3", "line 4"}));
  EXPECT_EQ(done->out[1], "4");
  done = session_->execute(context_, sql, binds);
  ASSERT_DONE(done);
  EXPECT_EQ(done->arrays[0], Texts{"line 5"});
  EXPECT_EQ(done->out[1], "1");
}

TEST_F(Client, ReturnsValuesAndListsBadRowsOfAnArray) {
  run("create table arr (id number primary key, v varchar2(10))");
  const Bind binds[] = {Bind::number(std::int64_t{1}), Bind::text("x"),
                        Bind::out(OracleType::kNumber)};
  const auto done =
      session_->execute(context_, "insert into arr values (:1, :2) returning id into :3", binds);
  ASSERT_DONE(done);
  ASSERT_EQ(done->returned.size(), 3U);
  EXPECT_EQ(done->returned[2], (std::vector<std::optional<std::string>>{"1"}));
  const std::vector<BindRow> rows = {{Bind::number(std::int64_t{2}), Bind::text("a")},
                                     {Bind::number(std::int64_t{1}), Bind::text("dup")},
                                     {Bind::number(std::int64_t{3}), Bind::text("b")}};
  ExecuteOptions options;
  options.batch_errors = true;
  options.commit = true;
  const auto array =
      session_->execute_array(context_, "insert into arr values (:1, :2)", rows, options);
  ASSERT_DONE(array);
  EXPECT_EQ(array->row_count, 2U);
  ASSERT_EQ(array->batch_errors.size(), 1U);
  EXPECT_EQ(array->batch_errors[0].row, 1U);
  EXPECT_EQ(array->batch_errors[0].code, 1U);
}

TEST_F(Client, ReadsLargeObjectsByLocatorAndInline) {
  run("create table lobs (id number, c clob, b blob)");
  const std::string text = "\xC3\xA9" + std::string(20000, 'c');
  const std::string bytes(30000, '\xAB');
  const Bind full[] = {Bind::number(std::int64_t{1}), Bind::text(text), Bind::bytes(bytes)};
  run("insert into lobs values (:1, :2, :3)", full);
  run("insert into lobs values (2, null, null)");
  for (const LobMode mode : {LobMode::kLocator, LobMode::kInline, LobMode::kPrefetch}) {
    FetchOptions options;
    options.lob_mode = mode;
    options.lob_prefetch = 25'000;  // the CLOB whole, of the BLOB a part
    auto query = session_->query(context_, "select c, b from lobs order by id", {}, options);
    ASSERT_DONE(query);
    const CellKind kinds[] = {CellKind::kText, CellKind::kBytes};
    RowBatch batch;
    std::vector<std::optional<std::string>> values;
    FetchState state = FetchState::kMore;
    while (state == FetchState::kMore) {
      const auto fetched = (*query)->fetch(context_, kinds, batch);
      ASSERT_DONE(fetched);
      state = *fetched;
      for (std::size_t r = 0; r < batch.row_count(); ++r) {
        for (std::size_t c = 0; c < 2; ++c) {
          const Cell& cell = batch.at(r, c);
          values.push_back(cell.is_null() ? std::nullopt
                                          : std::optional(std::string(cell.bytes())));
        }
      }
    }
    ASSERT_EQ(values.size(), 4U);
    EXPECT_TRUE(values[0] == text);
    EXPECT_TRUE(values[1] == bytes);
    EXPECT_EQ(values[2], std::nullopt);
    EXPECT_EQ(values[3], std::nullopt);
  }
}

TEST_F(Client, WholeAndPartedLargeObjectsMayBeMixed) {
  run("create table mixed_lobs (id number, c clob, n nclob, b blob)");
  std::vector<std::string> texts = {"",
                                    "a",
                                    "\xC3\xA9\xF0\x9F\x98\x80",
                                    std::string(900, 'x'),
                                    std::string(1001, 'y'),
                                    std::string(5000, 'z')};
  texts[4] += "\xE2\x82\xAC";
  std::vector<std::string> expected;
  for (int id = 0; id < 400; ++id) {
    // Runs of whole ones, of parted ones, and of both by turns; equal neighbours in each.
    const std::size_t which = static_cast<std::size_t>(id < 150   ? id / 40
                                                       : id < 300 ? 3 + id / 7 % 3
                                                                  : id / 3 % 6);
    const std::string& text = texts[which];
    const Bind row[] = {Bind::number(std::int64_t{id}), Bind::text(text), Bind::national_text(text),
                        Bind::bytes(text)};
    run("insert into mixed_lobs values (:1, :2, :3, :4)", row);
    expected.push_back(text);
  }
  const CellKind kinds[] = {CellKind::kText, CellKind::kText, CellKind::kBytes};
  for (const std::size_t budget : {std::size_t{3000}, RowBatch::kDefaultBudgetBytes}) {
    FetchOptions options;
    options.lob_mode = LobMode::kPrefetch;
    options.lob_prefetch = 1000;
    auto query =
        session_->query(context_, "select c, n, b from mixed_lobs order by id", {}, options);
    ASSERT_DONE(query);
    RowBatch batch(budget);
    std::size_t row = 0;
    for (auto state = FetchState::kMore; state == FetchState::kMore;) {
      const auto fetched = (*query)->fetch(context_, kinds, batch);
      ASSERT_DONE(fetched);
      state = *fetched;
      EXPECT_TRUE(state == FetchState::kEnd || !batch.empty());
      for (std::size_t r = 0; r < batch.row_count(); ++r, ++row) {
        for (std::size_t c = 0; c < 3; ++c) {
          const Cell& cell = batch.at(r, c);
          EXPECT_EQ(cell.is_null() ? "" : cell.bytes(), expected.at(row)) << row << " column " << c;
        }
      }
    }
    EXPECT_EQ(row, expected.size());
  }
}

TEST_F(Client, ReadsOfALimitedLargeObjectItsBeginningOnly) {
  run("create table long_lobs (id number, c clob, n nclob, b blob)");
  std::string text;
  for (int i = 0; i < 50'000; ++i)
    text += "x\xE2\x82\xAC\xF0\x9F\x98\x80";  // x, euro, a pair: 4 units
  const std::string bytes(300'000, '\xAB');
  const Bind full[] = {Bind::number(std::int64_t{1}), Bind::text(text), Bind::national_text(text),
                       Bind::bytes(bytes)};
  run("insert into long_lobs values (:1, :2, :3, :4)", full);
  const CellKind kinds[] = {CellKind::kText, CellKind::kText, CellKind::kBytes};
  for (const std::uint32_t prefetch : {0U, 10U, 8192U, 100'000U}) {
    for (const std::uint64_t limit : {1U, 1000U, 70'001U}) {
      FetchOptions options;
      options.lob_mode = prefetch == 0 ? LobMode::kLocator : LobMode::kPrefetch;
      options.lob_prefetch = prefetch;
      options.lob_limits = {limit, limit, limit};
      options.lob_piece = 30'000;
      auto query = session_->query(context_, "select c, n, b from long_lobs", {}, options);
      ASSERT_DONE(query);
      RowBatch batch;
      ASSERT_DONE((*query)->fetch(context_, kinds, batch));
      ASSERT_EQ(batch.row_count(), 1U);
      for (std::size_t c = 0; c < 3; ++c) {
        const std::string_view value = batch.at(0, c).bytes();
        const std::string& whole = c == 2 ? bytes : text;
        EXPECT_GT(value.size(), limit);
        // A unit has three bytes at most, and what came with the row is there already.
        EXPECT_LE(value.size(), 3 * std::max<std::uint64_t>(limit + 1, prefetch));
        EXPECT_EQ(value, std::string_view(whole).substr(0, value.size()));
        const ValueLength* length = batch.length_of(0, c);
        ASSERT_NE(length, nullptr) << "column " << c << " limit " << limit;
        EXPECT_EQ(length->length, c == 2 ? 300'000U : 200'000U);
        EXPECT_EQ(length->in_characters, c != 2);
      }
    }
  }
  // A limit that nothing reaches changes nothing.
  FetchOptions options;
  options.lob_mode = LobMode::kPrefetch;
  options.lob_limits = {400'000, 1'000'000, 0};
  auto query = session_->query(context_, "select c, n, b from long_lobs", {}, options);
  ASSERT_DONE(query);
  RowBatch batch;
  ASSERT_DONE((*query)->fetch(context_, kinds, batch));
  EXPECT_TRUE(batch.at(0, 0).bytes() == text && batch.at(0, 1).bytes() == text);
  EXPECT_TRUE(batch.at(0, 2).bytes() == bytes);
  EXPECT_EQ(batch.length_of(0, 0), nullptr);
}

TEST_F(Client, DoesNotReadWhatIsTooLargeAnyway) {
  run("create table huge_lobs (id number, c clob, b blob)");
  const Bind full[] = {Bind::text(std::string(60'000, 'c')), Bind::bytes(std::string(60'001, 'b'))};
  run("insert into huge_lobs values (1, :1, :2)", full);
  FetchOptions options;
  options.lob_mode = LobMode::kPrefetch;
  options.lob_prefetch = 100;
  options.lob_refused_above = 60'000;
  auto query = session_->query(context_, "select c, b from huge_lobs", {}, options);
  ASSERT_DONE(query);
  const CellKind kinds[] = {CellKind::kText, CellKind::kBytes};
  RowBatch batch;
  ASSERT_DONE((*query)->fetch(context_, kinds, batch));
  EXPECT_EQ(batch.at(0, 0).state, CellState::kSet);
  ASSERT_EQ(batch.at(0, 1).state, CellState::kSpilled);
  const auto& value = *reinterpret_cast<const SpilledValue*>(batch.at(0, 1).payload.ptr);
  EXPECT_EQ(value.file, nullptr);
  EXPECT_EQ(value.size_bytes, 60'001U);
}

/// Everything of a LOB, in pieces of `step`.
std::string content_of(Lob& lob, std::uint64_t step) {
  OpContext context;
  std::string content;
  std::uint64_t offset = 0;
  while (true) {
    const auto read = lob.read(context, offset, step, [&](std::string_view piece) -> Result<void> {
      content += piece;
      return {};
    });
    EXPECT_TRUE(read.ok()) << read.error().to_paragraph();
    if (!read.ok() || *read == 0) return content;
    offset += *read;
  }
}

TEST_F(Client, WritesAndReadsTemporaryLobsInPieces) {
  run("create table kept (id number, c clob, n nclob, b blob)");
  // Characters of one to four bytes, so that pieces end inside some of them.
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\x89";
  const std::string bytes(300'000, '\xFE');
  {
    auto clob = session_->create_temporary_lob(context_, OracleType::kClob);
    ASSERT_DONE(clob);
    auto nclob =
        session_->create_temporary_lob(context_, OracleType::kClob, CharsetForm::kNational);
    ASSERT_DONE(nclob);
    auto blob = session_->create_temporary_lob(context_, OracleType::kBlob);
    ASSERT_DONE(blob);
    EXPECT_TRUE((*blob)->is_temporary());
    std::uint64_t written = 0;
    for (std::size_t at = 0; at < text.size(); at += 10 * 700) {
      const auto wrote = (*clob)->write(context_, written, text.substr(at, 10 * 700));
      ASSERT_DONE(wrote);
      written += *wrote;
    }
    EXPECT_EQ(written, 15'000U);  // UTF-16 units
    ASSERT_DONE((*nclob)->write(context_, 0, text));
    ASSERT_DONE((*blob)->write(context_, 0, bytes));
    const auto size = (*clob)->size(context_);
    ASSERT_DONE(size);
    EXPECT_EQ(*size, 15'000U);
    for (const std::uint64_t step : {999U, 4096U, 10'000'000U}) {
      EXPECT_TRUE(content_of(**clob, step) == text);
      EXPECT_TRUE(content_of(**blob, step) == bytes);
    }
    const auto half = (*clob)->write(context_, 0, text.substr(0, 2));
    ASSERT_FALSE(half.ok());
    EXPECT_EQ(half.error().code, "oracle.lob_text");
    const Bind binds[] = {Bind::number(std::int64_t{1}), Bind::lob(**clob), Bind::lob(**nclob),
                          Bind::lob(**blob)};
    run("insert into kept values (:1, :2, :3, :4)", binds);
    ASSERT_DONE((*clob)->trim(context_, 5));
    EXPECT_EQ(content_of(**clob, 100), text.substr(0, 10));
  }
  run("insert into kept values (2, null, null, empty_blob())");
  FetchOptions options;
  options.lob_mode = LobMode::kHandle;
  auto query = session_->query(context_, "select c, n, b from kept order by id", {}, options);
  ASSERT_DONE(query);
  const std::vector<ColumnDescription> columns((*query)->columns().begin(),
                                               (*query)->columns().end());
  const CellKind kinds[] = {CellKind::kBytes, CellKind::kBytes, CellKind::kBytes};
  RowBatch batch;
  const auto state = (*query)->fetch(context_, kinds, batch);
  ASSERT_DONE(state);
  ASSERT_EQ(batch.row_count(), 2U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto lob = session_->open_lob(columns[i], batch.at(0, i).bytes());
    EXPECT_FALSE(lob->is_temporary());
    EXPECT_TRUE(content_of(*lob, 4001) == (i == 2 ? bytes : text)) << i;
  }
  EXPECT_TRUE(batch.at(1, 0).is_null());
  ASSERT_FALSE(batch.at(1, 2).is_null());  // empty is not NULL
  EXPECT_EQ(content_of(*session_->open_lob(columns[2], batch.at(1, 2).bytes()), 10), "");
}

TEST_F(Client, GivesBlocksValuesOfAnySize) {
  const std::string text = std::string(70'000, 't') + "\xC3\xA9";
  const Bind binds[] = {Bind::out(OracleType::kNumber), Bind::text(text),
                        Bind::text(std::string(32'767, 's'))};
  const auto done =
      session_->execute(context_, "begin :1 := dbms_lob.getlength(:2) + length(:3); end;", binds);
  ASSERT_DONE(done);
  EXPECT_EQ(done->out[0], std::to_string(70'001 + 32'767));
}

TEST_F(Client, ReusesParsedStatementsWhenTablesChange) {
  run("create table changing (id number)");
  run("insert into changing values (1)");
  EXPECT_EQ(value_of(*session_, "select * from changing"), "1");
  EXPECT_EQ(value_of(*session_, "select * from changing"), "1");
  run("alter table changing add (v varchar2(10) default 'new')");
  const auto rows = session_->rows(context_, "select * from changing");
  ASSERT_DONE(rows);
  EXPECT_EQ(rows->front(), (TextRow{"1", "new"}));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(value_of(*session_, "select " + std::to_string(i) + " from dual"), std::to_string(i));
    const Bind bind[] = {i % 2 == 0 ? Bind::text(std::string(static_cast<std::size_t>(i), 'x'))
                                    : Bind::number(std::int64_t{i})};
    run("update changing set v = substr(:1, 1, 10)", bind);
  }
}

TEST_F(Client, IsUsableAfterAFetchThatWasLeftOrStoppedInTheMiddle) {
  const char* const kMany = "select level, rpad('x', 200, 'x') from dual connect by level <= 50000";
  const CellKind kinds[] = {CellKind::kInt64, CellKind::kText};
  for (int round = 0; round < 6; ++round) {
    std::stop_source stop;
    OpContext stoppable;
    stoppable.stop = stop.get_token();
    auto query = session_->query(stoppable, kMany);
    ASSERT_DONE(query);
    RowBatch batch(16 * 1024);
    for (int i = 0; i < round; ++i) ASSERT_DONE((*query)->fetch(stoppable, kinds, batch));
    if (round % 2 == 0) {
      stop.request_stop();
      Result<FetchState> state = FetchState::kMore;
      while (state.ok() && *state == FetchState::kMore) {
        state = (*query)->fetch(stoppable, kinds, batch);
      }
      ASSERT_FALSE(state.ok());
      EXPECT_EQ(state.error().kind, ErrorKind::kCancelled);
    }
    query = cancelled_error();
    EXPECT_EQ(value_of(*session_, "select 'usable' from dual"), "usable");
    EXPECT_FALSE(session_->is_broken());
  }
}

TEST_F(Client, CountsTheRowsOfEveryExecutionAndReturnsAllOfThem) {
  run("create table many (id number, v varchar2(10))");
  std::vector<BindRow> rows;
  for (int i = 0; i < 6; ++i) {
    rows.push_back({Bind::number(std::int64_t{i / 2}), Bind::text("v" + std::to_string(i))});
  }
  ASSERT_DONE(session_->execute_array(context_, "insert into many values (:1, :2)", rows));
  ExecuteOptions options;
  options.array_row_counts = true;
  const std::vector<BindRow> ids = {{Bind::number(std::int64_t{0})},
                                    {Bind::number(std::int64_t{9})},
                                    {Bind::number(std::int64_t{2})}};
  const auto counted =
      session_->execute_array(context_, "update many set v = 'n' where id = :1", ids, options);
  ASSERT_DONE(counted);
  EXPECT_EQ(counted->row_counts, (std::vector<std::uint64_t>{2, 0, 2}));
  const Bind returning[] = {Bind::out(OracleType::kNumber), Bind::out(OracleType::kVarchar, 10)};
  const auto returned = session_->execute(
      context_, "delete from many where id > 0 returning id, v into :1, :2", returning);
  ASSERT_DONE(returned);
  EXPECT_EQ(returned->returned[0], (std::vector<std::optional<std::string>>{"1", "1", "2", "2"}));
  EXPECT_EQ(returned->returned[1], (std::vector<std::optional<std::string>>{"v2", "v3", "n", "n"}));
}

/// The only column of a cursor's rows.
std::vector<std::string> column_of(Query& cursor) {
  OpContext context;
  std::vector<std::string> values;
  const CellKind kinds[] = {*natural_kind(cursor.columns()[0])};
  RowBatch batch;
  FetchState state = FetchState::kMore;
  while (state == FetchState::kMore) {
    const auto fetched = cursor.fetch(context, kinds, batch);
    EXPECT_TRUE(fetched.ok()) << fetched.error().to_paragraph();
    if (!fetched.ok()) return values;
    state = *fetched;
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      values.push_back(value_text(batch.at(r, 0)).value_or("NULL"));
    }
  }
  return values;
}

TEST_F(Client, ReadsCursorsOfBlocksAndColumns) {
  const Bind binds[] = {Bind::out(OracleType::kCursor)};
  const auto opened = session_->execute(
      context_, "begin open :1 for select level from dual connect by level <= 300; end;", binds);
  ASSERT_DONE(opened);
  ASSERT_NE(opened->cursors.at(0), nullptr);
  EXPECT_EQ(column_of(*opened->cursors[0]).size(), 300U);
  const auto returned =
      session_->execute(context_,
                        "declare c sys_refcursor; begin open c for select 'implicit' from dual; "
                        "dbms_sql.return_result(c); end;");
  ASSERT_DONE(returned);
  ASSERT_EQ(returned->implicit_results.size(), 1U);
  EXPECT_EQ(column_of(*returned->implicit_results[0]), std::vector<std::string>{"implicit"});
  run("create table parents (id number)");
  run("insert into parents values (7)");
  auto query =
      session_->query(context_, "select id, cursor(select p.id * 2 from dual) from parents p");
  ASSERT_DONE(query);
  const CellKind kinds[] = {CellKind::kInt64, CellKind::kInt64};
  RowBatch batch;
  ASSERT_DONE((*query)->fetch(context_, kinds, batch));
  ASSERT_EQ(batch.row_count(), 1U);
  const auto nested = (*query)->nested(batch.at(0, 1));
  ASSERT_DONE(nested);
  EXPECT_EQ(column_of(**nested), std::vector<std::string>{"14"});
}

TEST_F(Client, BindsMomentsByRegion) {
  ASSERT_TRUE(Bind::is_region("Europe/Vienna"));
  EXPECT_FALSE(Bind::is_region("Europe/Atlantis"));
  const Bind binds[] = {Bind::timestamp_tz(1786277594000000, 0, "Europe/Vienna")};
  run("create table zoned (tz timestamp with time zone)");
  run("insert into zoned values (:1)", binds);
  EXPECT_EQ(value_of(*session_, "select tz from zoned"), "2026-08-09 14:13:14 +02:00");
}

TEST_F(Client, TellsNumberTextAndPlaceOfAnError) {
  const auto failed = session_->rows(context_, "select * from no_such_table");
  ASSERT_FALSE(failed.ok());
  const Error& error = failed.error();
  EXPECT_EQ(error.kind, ErrorKind::kSchema);
  EXPECT_EQ(error.code, "oracle.unknown_table");
  EXPECT_EQ(error.native_code, "ORA-00942");
  EXPECT_NE(error.native_text.find("does not exist"), std::string::npos);
  EXPECT_NE(error.to_paragraph().find("14"), std::string::npos) << error.to_paragraph();
  EXPECT_EQ(
      error_of(*session_, "begin raise_application_error(-20001, 'measured'); end;").native_code,
      "ORA-20001");
  EXPECT_EQ(value_of(*session_, "select 'usable' from dual"), "usable");
}

/// Holds a row lock that another session's update waits for.
class RowLock {
 public:
  explicit RowLock(const Orasim& server) : holder_(connect(server)) {
    OpContext context;
    (void)holder_->execute(context, "drop table locked");
    EXPECT_TRUE(holder_->execute(context, "create table locked (id number)").ok());
    EXPECT_TRUE(holder_->execute(context, "insert into locked values (1)").ok());
    EXPECT_TRUE(holder_->commit(context).ok());
    EXPECT_TRUE(holder_->execute(context, "update locked set id = 2").ok());
  }

 private:
  std::unique_ptr<Session> holder_;
};

constexpr const char* kBlockedUpdate = "update locked set id = 3";

TEST_F(Client, AStopBreaksACallOffAndLeavesTheSessionUsable) {
  const RowLock lock(server());
  std::stop_source stop;
  OpContext context;
  context.stop = stop.get_token();
  auto running =
      std::async(std::launch::async, [&] { return session_->execute(context, kBlockedUpdate); });
  // It waits for the lock and does not end by itself.
  EXPECT_EQ(running.wait_for(milliseconds(200)), std::future_status::timeout);
  const auto asked = steady_clock::now();
  stop.request_stop();
  const auto done = running.get();
  EXPECT_LT(steady_clock::now() - asked, seconds(1));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().kind, ErrorKind::kCancelled);
  EXPECT_FALSE(session_->is_broken());
  EXPECT_EQ(value_of(*session_, "select 'usable' from dual"), "usable");
}

TEST_F(Client, ACallTimeOutLeavesTheSessionUsable) {
  const RowLock lock(server());
  ConnectOptions options = options_for(server());
  options.call_timeout = milliseconds(300);
  auto session = Session::connect(context_, options);
  ASSERT_DONE(session);
  const auto done = (*session)->execute(context_, kBlockedUpdate);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().kind, ErrorKind::kTransient) << done.error().to_paragraph();
  EXPECT_FALSE((*session)->is_broken());
  EXPECT_EQ(value_of(**session, "select 'usable' from dual"), "usable");
}

TEST_F(Client, TellsTheReasonsOfARefusedLogInApart) {
  const auto system = [&] {
    ConnectOptions options = options_for(server());
    options.user = "system";
    options.password = Secret("Manager-1");
    return Session::connect(context_, options);
  }();
  ASSERT_DONE(system);
  for (const char* sql : {"create user shut identified by \"Pass-1\" account lock",
                          "create user late identified by \"Pass-1\" password expire",
                          "grant create session to late"}) {
    ASSERT_DONE((*system)->execute(context_, sql));
  }
  const auto refusal = [&](auto&& change) {
    ConnectOptions options = options_for(server());
    change(options);
    const auto session = Session::connect(context_, options);
    EXPECT_FALSE(session.ok());
    return session.ok() ? std::string() : session.error().code;
  };
  const auto as = [&](const char* user, const char* password) {
    return refusal([&](ConnectOptions& options) {
      options.user = user;
      options.password = Secret(password);
    });
  };
  EXPECT_EQ(as("hr", "wrong"), "oracle.wrong_password");
  EXPECT_EQ(as("nobody", "Pass-1"), "oracle.wrong_password");
  EXPECT_EQ(as("shut", "Pass-1"), "oracle.account_locked");
  EXPECT_EQ(as("late", "Pass-1"), "oracle.password_expired");
  EXPECT_EQ(refusal([&](ConnectOptions& options) {
              options.connect_string = server().easy_connect("NOWHERE");
            }),
            "oracle.unknown_service");
  Orasim gone;
  const std::string nobody_listens = gone.easy_connect();
  gone.kill();
  EXPECT_EQ(refusal([&](ConnectOptions& options) { options.connect_string = nobody_listens; }),
            "oracle.no_listener");
}

TEST(LostServer, IsToldWhenItDies) {
  Orasim server;
  const auto session = connect(server);
  ASSERT_NE(session, nullptr);
  server.kill();
  OpContext context;
  const auto done = session->ping(context);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().kind, ErrorKind::kTransient);
  EXPECT_TRUE(session->is_broken());
}

TEST(LostServer, IsFoundInBoundedTimeWhenItIsSilent) {
  Orasim server;
  OpContext context;
  ConnectOptions options = options_for(server);
  options.call_timeout = milliseconds(300);
  auto session = Session::connect(context, options);
  ASSERT_DONE(session);
  server.freeze();
  const auto start = steady_clock::now();
  const auto done = (*session)->ping(context);
  EXPECT_LT(steady_clock::now() - start, seconds(5));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().kind, ErrorKind::kTransient);
  EXPECT_TRUE((*session)->is_broken());
  server.thaw();
}

class SecureClient : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Session>> connect_with(const Orasim& server, const std::string& parameters,
                                                bool trusts = true) {
    ConnectOptions options = options_for(server);
    options.connect_string = "tcps://" + server.easy_connect() + parameters;
    if (trusts) options.wallet_location = identity_.file("trust.pem");
    OpContext context;
    return Session::connect(context, options);
  }
  std::vector<std::string> serving() const {
    return {"--tls-cert", identity_.file("trust.pem"), "--tls-key", identity_.file("key.pem")};
  }

  test::Certificate identity_{"db.test", "DNS:127.0.0.1"};
};

TEST_F(SecureClient, ChecksChainNameAndSubject) {
  const Orasim server(serving());
  const auto by_name = connect_with(server, "");
  ASSERT_DONE(by_name);
  EXPECT_TRUE((*by_name)->server().is_encrypted);
  EXPECT_EQ(value_of(**by_name, "select 'safe' from dual"), "safe");
  ASSERT_DONE(connect_with(server, "?ssl_server_cert_dn=\"CN=db.test,O=Wherry Test\""));
  const auto other = connect_with(server, "?ssl_server_cert_dn=\"CN=other,O=Wherry Test\"");
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().to_paragraph().find("db.test"), std::string::npos);
  EXPECT_FALSE(connect_with(server, "", false).ok());
}

TEST_F(SecureClient, ShakesHandsAgainWhenTheListenerHandsOver) {
  std::vector<std::string> arguments = serving();
  arguments.push_back("--resend");
  const Orasim server(arguments);
  const auto session = connect_with(server, "");
  ASSERT_DONE(session);
  EXPECT_EQ(value_of(**session, "select 1 from dual"), "1");
}

TEST_F(SecureClient, ShowsTheCertificateOfItsWallet) {
  std::vector<std::string> arguments = serving();
  arguments.insert(arguments.end(),
                   {"--tls-client-trust", identity_.file("trust.pem"), "--resend"});
  const Orasim server(arguments);
  EXPECT_FALSE(connect_with(server, "").ok()) << "it has nothing to show";
  const std::filesystem::path wallet = identity_.file("wallet");
  std::filesystem::create_directory(wallet);
  std::filesystem::copy_file(identity_.file("wallet.pem"), wallet / "ewallet.pem");
  ConnectOptions options = options_for(server);
  options.connect_string =
      "tcps://" + server.easy_connect() + "?wallet_location=\"" + wallet.string() + "\"";
  OpContext context;
  const auto locked = Session::connect(context, options);
  ASSERT_FALSE(locked.ok());
  EXPECT_EQ(locked.error().code, "net.tls_files") << "the key's password is missing";
  options.wallet_password = Secret("secret");
  const auto session = Session::connect(context, options);
  ASSERT_DONE(session);
  EXPECT_EQ(value_of(**session, "select 1 from dual"), "1");
}

TEST_F(SecureClient, RefusesAServerOfAnotherName) {
  const test::Certificate foreign("elsewhere", "DNS:elsewhere.test");
  const Orasim server(
      {"--tls-cert", foreign.file("trust.pem"), "--tls-key", foreign.file("key.pem")});
  ConnectOptions options = options_for(server);
  options.wallet_location = foreign.file("trust.pem");
  options.connect_string = "tcps://" + server.easy_connect();
  OpContext context;
  const auto refused = Session::connect(context, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().to_paragraph().find("elsewhere"), std::string::npos);
  options.connect_string += "?ssl_server_dn_match=off";
  ASSERT_DONE(Session::connect(context, options));
}

}  // namespace
}  // namespace wherry::oracle
