// The client against databases of several character sets: the server converts, and counts in its
// own bytes.
#include <gtest/gtest.h>

#include "connect/oracle/client.h"
#include "connect/oracle/value_text.h"
#include "tests/support/orasim.h"

namespace wherry::oracle {
namespace {

using test::Orasim;

const std::string kEuro = "\xE2\x82\xAC";
const std::string kParty = "\xF0\x9F\x8E\x89";  ///< in no single-byte set

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

class Database {
 public:
  explicit Database(const std::string& charset) : server_({"--character-set", charset}) {
    ConnectOptions options;
    options.connect_string = server_.easy_connect();
    options.user = std::string(Orasim::kUser);
    options.password = Secret(std::string(Orasim::kPassword));
    auto session = Session::connect(context_, options);
    EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
    if (session.ok()) session_ = std::move(*session);
  }

  Session& session() { return *session_; }
  OpContext& context() { return context_; }
  /// "" when it went well, else Oracle's text.
  std::string run(std::string_view sql, std::span<const Bind> binds = {}) {
    const auto done = session_->execute(context_, sql, binds);
    return done.ok() ? "" : done.error().native_text + done.error().message;
  }
  std::vector<std::string> row(std::string_view sql, const FetchOptions& options = {}) {
    auto query = session_->query(context_, sql, {}, options);
    EXPECT_TRUE(query.ok()) << query.error().to_paragraph();
    std::vector<CellKind> kinds;
    for (const ColumnDescription& column : (*query)->columns()) {
      kinds.push_back(natural_kind(column).value_or(CellKind::kText));
    }
    RowBatch batch;
    const auto state = (*query)->fetch(context_, kinds, batch);
    EXPECT_TRUE(state.ok()) << state.error().to_paragraph();
    if (!state.ok() || batch.row_count() != 1) return {};
    std::vector<std::string> values;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      values.push_back(value_text(batch.at(0, i)).value_or("NULL"));
    }
    return values;
  }

 private:
  Orasim server_;
  OpContext context_;
  std::unique_ptr<Session> session_;
};

TEST(Charsets, ASingleByteServerCountsItsOwnBytes) {
  Database database("WE8ISO8859P15");
  EXPECT_EQ(database.session().server().database_charset, 46);
  EXPECT_EQ(database.row("select value from v$nls_parameters where parameter = "
                         "'NLS_CHARACTERSET'"),
            std::vector<std::string>{"WE8ISO8859P15"});
  ASSERT_EQ(database.run("create table t (v varchar2(10), f char(10 char), n nvarchar2(10), "
                         "w varchar2(4000), c clob, m nclob)"),
            "");
  const std::string ten = repeated(kEuro, 10);
  // More bytes than the column has, and than a server may take in one string: it converts first.
  const std::string wide = repeated("\xC3\xA9" + kEuro, 2000);
  const std::string large = repeated("\xC3\xA9 " + kEuro, 30'000);
  const Bind binds[] = {Bind::text(ten),  Bind::text(ten),   Bind::national_text(kParty),
                        Bind::text(wide), Bind::text(large), Bind::national_text(kParty + ten)};
  ASSERT_EQ(database.run("insert into t values (:1, :2, :3, :4, :5, :6)", binds), "");
  const Bind eleven[] = {Bind::text(ten + "x")};
  EXPECT_NE(database.run("insert into t (v) values (:1)", eleven).find("actual: 11, maximum: 10"),
            std::string::npos);

  const std::vector<std::string> wanted = {ten, ten, kParty, wide, large, kParty + ten};
  for (const LobMode mode : {LobMode::kInline, LobMode::kLocator, LobMode::kPrefetch}) {
    FetchOptions options;
    options.lob_mode = mode;
    EXPECT_EQ(database.row("select v, f, n, w, c, m from t", options), wanted);
  }
  // Without LOBs no column is defined.
  EXPECT_EQ(database.row("select v, n, w from t"), (std::vector<std::string>{ten, kParty, wide}));
}

TEST(Charsets, ASingleByteServerReplacesWhatItDoesNotHave) {
  Database database("WE8ISO8859P15");
  ASSERT_EQ(database.run("create table t (v varchar2(20), n nvarchar2(20))"), "");
  const Bind binds[] = {Bind::text("a" + kParty + "b"), Bind::national_text("a" + kParty + "b")};
  ASSERT_EQ(database.run("insert into t values (:1, :2)", binds), "");
  EXPECT_EQ(database.row("select v, n, '" + kParty + kEuro + "' from t"),
            (std::vector<std::string>{"a\xC2\xBF"
                                      "b",
                                      "a" + kParty + "b", "\xC2\xBF" + kEuro}));
}

TEST(Charsets, LobsOfASingleByteServerComeInTheClientsCharacterSet) {
  Database database("WE8ISO8859P15");
  Session& session = database.session();
  const std::string text = repeated("\xC3\xA9" + kEuro + "x", 100'000);
  auto clob = session.create_temporary_lob(database.context(), OracleType::kClob);
  ASSERT_TRUE(clob.ok()) << clob.error().to_paragraph();
  const auto written = (*clob)->write(database.context(), 0, text);
  ASSERT_TRUE(written.ok()) << written.error().to_paragraph();
  EXPECT_EQ(*written, 300'000U);
  std::string content;
  const auto read = (*clob)->read(database.context(), 1, 400'000, [&](std::string_view piece) {
    content += piece;
    return Result<void>();
  });
  ASSERT_TRUE(read.ok()) << read.error().to_paragraph();
  EXPECT_EQ(*read, 299'999U);
  EXPECT_TRUE(content == text.substr(2));
}

TEST(Charsets, MultiByteServersCountTheirOwnBytesToo) {
  for (const auto& [name, id, party_bytes] :
       {std::tuple{"AL32UTF8", 873, 4}, std::tuple{"UTF8", 871, 6}}) {
    Database database(name);
    EXPECT_EQ(database.session().server().database_charset, id);
    ASSERT_EQ(database.run("create table t (v varchar2(12), c clob)"), "");
    const Bind fits[] = {Bind::text(repeated(kParty, 12 / party_bytes)),
                         Bind::text(repeated(kParty, 5000))};
    ASSERT_EQ(database.run("insert into t values (:1, :2)", fits), "") << name;
    const Bind too_long[] = {Bind::text(repeated(kParty, 12 / party_bytes) + "x")};
    EXPECT_NE(database.run("insert into t (v) values (:1)", too_long).find("actual: 13"),
              std::string::npos)
        << name;
    EXPECT_EQ(
        database.row("select v, c from t"),
        (std::vector<std::string>{repeated(kParty, 12 / party_bytes), repeated(kParty, 5000)}));
  }
}

}  // namespace
}  // namespace wherry::oracle
