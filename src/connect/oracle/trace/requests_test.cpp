// What a client sends, built by the client's own builder and read by the decoder of captures.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "connect/oracle/trace/execute_request.h"
#include "connect/oracle/trace/request.h"
#include "connect/oracle/trace/row_values.h"
#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/capabilities.h"
#include "connect/oracle/wire/handshake.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/request.h"

namespace wherry::oracle::trace {
namespace {

using wire::BindValue;
using wire::ValueFormat;

Session session_of(std::uint8_t field_version) {
  Session session;
  session.is_negotiated = true;
  session.dialect.field_version = field_version;
  return session;
}

/// The messages of a request that has to be read to its end.
std::vector<Json> read(Session& session, const wire::Bytes& bytes) {
  const Decoded decoded = decode_request(session, bytes);
  EXPECT_EQ(decoded.ending, Ending::kComplete) << decoded.problem;
  EXPECT_EQ(decoded.used_bytes, bytes.size());
  std::vector<Json> messages;
  for (const DecodedMessage& message : decoded.messages) messages.push_back(message.fields);
  return messages;
}

ValueFormat text_format(std::uint32_t bytes) {
  return {OracleType::kVarchar, CharsetForm::kDatabase, bytes, 0};
}
ValueFormat number_format() {
  return {OracleType::kNumber, CharsetForm::kNone, 22, 0};
}

TEST(TracedRequests, HoldSqlAndBindsInEveryFieldVersion) {
  const std::string number = *wire::encode_number("-12.5");
  const std::vector<ValueFormat> formats = {number_format(), text_format(32), text_format(32)};
  const std::vector<std::vector<BindValue>> rows = {{{OracleType::kNumber, false, number},
                                                     {OracleType::kVarchar, false, "h\xC3\xA9"},
                                                     {OracleType::kVarchar, true, {}}}};
  for (const std::uint8_t version : {7, 8, 9, 12, 17, 18, 24}) {
    for (const bool text_is_clr : {true, false}) {
      SCOPED_TRACE(int{version});
      Session session = session_of(version);
      session.dialect.text_is_clr = text_is_clr;
      wire::RequestBuilder builder(session.dialect);
      const std::vector<std::uint32_t> closed = {3, 700};
      builder.close_cursors(closed);
      wire::ExecuteRequest request;
      request.options = 0x8069;
      request.sql = "select :1, :2, :3 from dual";
      request.is_query = true;
      request.prefetch_rows = 7;
      request.binds = formats;
      request.rows = rows;
      builder.execute(request);
      const auto messages = read(session, builder.bytes());
      ASSERT_EQ(messages.size(), 2U);
      EXPECT_EQ(messages[0]["message"], "piggyback close cursors");
      EXPECT_EQ(messages[0]["cursors"], Json::array({3, 700}));
      EXPECT_EQ(messages[1]["message"], "execute");
      EXPECT_EQ(messages[1]["sql"], "select :1, :2, :3 from dual");
      EXPECT_EQ(messages[1]["binds"], Json::array({"-12.5", "h\xC3\xA9", nullptr}));
      EXPECT_EQ(messages[1]["options"], Json::array({"parse", "bind", "execute", "fetch"}));
      EXPECT_EQ(messages[1]["prefetch_rows"], 7);
    }
  }
}

/// node-oracledb 6 and JDBC thin 23 save a round trip at servers they know.
TEST(TracedRequests, ReadALogInWithAConnectionCookie) {
  wire::Writer out;
  wire::ProtocolRequest protocol;
  protocol.driver_name = "jdbc";
  wire::encode_protocol(out, protocol);
  out.u8(static_cast<std::uint8_t>(wire::Message::kCookie));
  out.u8(1);
  out.u8(6);
  out.u16_le(873);
  out.u8(1);
  out.u16_le(2000);
  out.clr("x86_64/Linux 2.4.xx");
  out.clr(wire::client_compile_capabilities(20, true));
  out.clr(wire::client_runtime_capabilities());
  wire::DataTypesRequest types;
  types.compile_capabilities = wire::client_compile_capabilities(24, true);
  types.runtime_capabilities = wire::client_runtime_capabilities();
  types.time_zone = wire::kUtcImage;
  types.types = wire::modern_types();
  wire::encode_data_types(out, types);
  wire::AuthMessage auth;
  auth.user = "scott";
  wire::Dialect dialect;
  dialect.field_version = 20;
  out.raw(wire::encode_auth(auth, dialect));
  Session session;
  const auto messages = read(session, out.bytes());
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(messages[1]["message"], "connection cookie");
  EXPECT_EQ(messages[1]["field_version"], 20);
  EXPECT_EQ(messages[3]["message"], "auth phase one");
  EXPECT_EQ(messages[3]["user"], "scott");
  EXPECT_TRUE(session.is_negotiated);
  EXPECT_EQ(session.dialect.field_version, 20);
  EXPECT_EQ(session.dialect.database_charset, 873);
}

TEST(TracedRequests, HoldAllRowsOfArrayDml) {
  const std::vector<ValueFormat> formats = {text_format(8)};
  std::vector<std::vector<BindValue>> rows;
  for (const char* text : {"a", "b", "c"}) rows.push_back({{OracleType::kVarchar, false, text}});
  Session session = session_of(24);
  wire::RequestBuilder builder(session.dialect);
  wire::ExecuteRequest request;
  request.options = 0x88029;
  request.sql = "insert into t values (:1)";
  request.iterations = 3;
  request.binds = formats;
  request.rows = rows;
  builder.execute(request);
  const auto messages = read(session, builder.bytes());
  EXPECT_EQ(messages[0]["binds"], Json::parse(R"([["a"],["b"],["c"]])"));
  EXPECT_EQ(messages[0]["iterations"], 3);
  EXPECT_EQ(session.calls.front().executions, 3U);
}

TEST(TracedRequests, PutLongBindsBackIntoTheirPlace) {
  const std::vector<ValueFormat> formats = {text_format(40000), text_format(10)};
  const std::string value(40000, 'x');
  const std::vector<std::vector<BindValue>> rows = {
      {{OracleType::kVarchar, false, value}, {OracleType::kVarchar, false, "short"}}};
  const std::vector<std::uint8_t> is_long = {1, 0};
  Session session = session_of(12);
  wire::RequestBuilder builder(session.dialect);
  wire::ExecuteRequest request;
  request.options = 0x8029;
  request.sql = "insert into t values (:1, :2)";
  request.binds = formats;
  request.rows = rows;
  request.is_long_bind = is_long;
  builder.execute(request);
  const auto messages = read(session, builder.bytes());
  EXPECT_EQ(messages[0]["binds"], Json::array({value, "short"}));
}

/// JDBC thin binds a ROWID as rows have it, others as its text.
TEST(TracedRequests, ReadRowidBindsOfBothForms) {
  Variable bind;
  bind.type = static_cast<std::uint8_t>(OracleType::kRowid);
  const Session session = session_of(12);
  wire::Writer out;
  out.u8(14);
  out.ub4(73196);
  out.ub2(4);
  out.u8(0);
  out.ub4(171);
  out.ub2(5);
  out.clr("AAAR3sAAEAAAACrAAF");
  out.u8(0);
  Reader in(out.bytes());
  EXPECT_EQ(read_bind_value(in, session, bind), "AAAR3sAAEAAAACrAAF");
  EXPECT_EQ(read_bind_value(in, session, bind), "AAAR3sAAEAAAACrAAF");
  EXPECT_EQ(read_bind_value(in, session, bind), nullptr);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
}

/// As JDBC thin sends them, also to 11.2.
TEST(TracedRequests, ReadPiggybacksOfOtherClients) {
  const auto with_logoff = [](const std::vector<std::uint8_t>& piggyback) {
    wire::Bytes bytes(piggyback.begin(), piggyback.end());
    for (const std::uint8_t byte : {3, 9, 7}) bytes.push_back(byte);
    return bytes;
  };
  Session session = session_of(12);
  session.dialect.text_is_clr = false;
  auto messages = read(session, with_logoff({0x11, 0xBF, 0x53, 1, 1, 9, 0, '5', '1', '2', ',', '0',
                                             ',', '0', ',', '0'}));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0]["text"], "512,0,0,0");
  EXPECT_EQ(messages[1]["message"], "logoff");
  session = session_of(6);
  session.dialect.text_is_clr = false;
  messages = read(session, with_logoff({0x11, 0x87, 4, 0, 0, 1, 0x58, 0, 0, 1, 1, 1,   1,  1,
                                        1,    0,    0, 0, 0, 0, 0,    0, 0, 0, 0, 'm', 'a'}));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0]["module"], "m");
  EXPECT_EQ(messages[0]["action"], "a");
}

TEST(TracedRequests, LeaveOutBindsThatReturnValues) {
  const std::vector<ValueFormat> formats = {text_format(10), number_format()};
  const std::vector<std::vector<BindValue>> rows = {{{OracleType::kVarchar, false, "v"}}};
  Session session = session_of(24);
  wire::RequestBuilder builder(session.dialect);
  wire::ExecuteRequest request;
  request.options = 0x8029;
  request.sql = "insert into t values (:1) returning id into :2";
  request.binds = formats;
  request.rows = rows;
  builder.execute(request);
  EXPECT_EQ(read(session, builder.bytes())[0]["binds"], Json::array({"v", nullptr}));
}

TEST(TracedRequests, ReadASecondExecutionWithTheFirstOnesBinds) {
  Session session = session_of(24);
  Cursor& cursor = session.cursors[9];
  cursor.sql = "update t set a = :1";
  Variable bind;
  bind.type = 1;
  bind.form = 1;
  bind.buffer_bytes = 10;
  cursor.binds = {bind};
  wire::Writer out;
  out.raw(ByteView(std::vector<std::uint8_t>{3, 4, 5, 0}));
  for (const std::uint32_t value : {9U, 1U, 1U, 0U}) out.ub4(value);
  out.u8(7);
  out.clr("again");
  const auto messages = read(session, out.bytes());
  EXPECT_EQ(messages[0]["message"], "reexecute");
  EXPECT_EQ(messages[0]["cursor"], 9);
  EXPECT_EQ(messages[0]["binds"], Json::array({"again"}));
}

/// Execute as some drivers write it: options and metadata free, one row of plain values behind it.
struct PlainExecute {
  std::uint32_t options;
  std::string sql;
  std::vector<Variable> binds;
  std::vector<std::string> values;
};

wire::Bytes bytes_of(const PlainExecute& execute) {
  wire::Writer out;
  out.raw(ByteView(std::vector<std::uint8_t>{3, 94, 1}));
  out.ub4(execute.options);
  out.ub4(0);
  out.u8(1);
  out.ub4(static_cast<std::uint32_t>(execute.sql.size()));
  out.u8(1);
  out.ub4(13);
  out.zeros(4);
  out.ub4(wire::kMaxLongBytes);
  out.u8(1);
  out.ub4(static_cast<std::uint32_t>(execute.binds.size()));
  out.zeros(5 + 2 + 3 + 5 + 3 + 5 + 2);
  out.clr(execute.sql);
  out.zeros(13);
  for (const Variable& bind : execute.binds) {
    out.u8(bind.type);
    out.u8(bind.flags);
    out.zeros(2);
    out.ub4(bind.buffer_bytes);
    out.zeros(5);
    out.u8(bind.form);
    out.zeros(2);
  }
  out.u8(7);
  for (const std::string& value : execute.values) out.clr(value);
  return out.take();
}

Variable text_bind(std::uint8_t flags = 3) {
  Variable bind;
  bind.type = 1;
  bind.flags = flags;
  bind.form = 1;
  bind.buffer_bytes = 10;
  return bind;
}

TEST(TracedRequests, ReadPlaceHoldersOfBindsThatReturnValues) {
  const std::string sql = "insert into t values (:1) returning id, vc into :2, :3";
  const std::vector<Variable> binds = {text_bind(), text_bind(), text_bind()};
  for (const std::uint32_t options : {0x40429U, 0x8029U}) {
    Session session = session_of(12);
    const auto messages = read(session, bytes_of({options, sql, binds, {"v", "", ""}}));
    EXPECT_EQ(messages[0]["binds"], Json::array({"v", nullptr, nullptr})) << options;
  }
  Session session = session_of(12);
  const auto messages = read(session, bytes_of({0x40429, sql, binds, {"v"}}));
  EXPECT_EQ(messages[0]["binds"], Json::array({"v", nullptr, nullptr}));
}

TEST(TracedRequests, GiveEveryOccurrenceOfAPlaceholderItsValue) {
  Session session = session_of(12);
  const std::vector<Variable> binds = {text_bind(), text_bind(), text_bind(0x83)};
  const auto messages = read(
      session, bytes_of({0x8029, "select :a, :\"b\" from dual where :A = 1", binds, {"x", "y"}}));
  EXPECT_EQ(messages[0]["binds"], Json::array({"x", "y", "x"}));
}

TEST(TracedRequests, PutValuesOfLongTypesBackIntoTheirPlace) {
  Session session = session_of(12);
  Variable long_text = text_bind();
  long_text.type = 94;
  const auto messages = read(
      session,
      bytes_of(
          {0x8029, "insert into t values (:1, :2)", {long_text, text_bind()}, {"short", "long"}}));
  EXPECT_EQ(messages[0]["binds"], Json::array({"long", "short"}));
}

TEST(TracedRequests, TellTheStatementThatRunsAgain) {
  Session session = session_of(12);
  session.cursors[9].sql = "commit work";
  wire::Writer out;
  out.raw(ByteView(std::vector<std::uint8_t>{3, 4, 5}));
  for (const std::uint32_t value : {9U, 1U, 0U, 0U}) out.ub4(value);
  EXPECT_EQ(read(session, out.bytes())[0]["sql"], "commit work");
}

TEST(TracedRequests, ReadTextWithoutALengthOfItsOwn) {
  Session session = session_of(12);
  session.dialect.text_is_clr = false;
  wire::Writer out;
  out.raw(ByteView(std::vector<std::uint8_t>{17, 152, 1, 1}));
  out.ub4(2);
  out.raw("hr");
  out.raw(ByteView(std::vector<std::uint8_t>{17, 135, 2, 0, 0}));
  out.ub4(0x18);
  out.zeros(2);
  for (const std::uint32_t bytes : {3U, 1U}) {
    out.u8(1);
    out.ub4(bytes);
  }
  out.zeros(12);
  out.raw("moda");
  const auto messages = read(session, out.bytes());
  EXPECT_EQ(messages[0]["schema"], "hr");
  EXPECT_EQ(messages[1]["module"], "mod");
  EXPECT_EQ(messages[1]["action"], "a");
}

/// Operation, place and charset as one driver sends them; the amount comes before the data.
void write_lob_request(wire::Writer& out, std::uint32_t operation, std::string_view locator,
                       bool has_amount) {
  out.raw(ByteView(std::vector<std::uint8_t>{3, 96, 1, 1}));
  out.ub4(static_cast<std::uint32_t>(locator.size()));
  out.zeros(4);
  out.raw(ByteView(std::vector<std::uint8_t>{1, 0, 0}));
  out.ub4(operation);
  out.u8(1);
  out.ub4(1);
  out.ub8(1);
  out.ub8(0);
  out.u8(has_amount ? 1 : 0);
  out.zeros(6);
  out.raw(locator);
  out.ub2(873);
  out.ub4(0);
  if (has_amount) out.ub8(10);
}

TEST(TracedRequests, ReadLobWritesWithCharsetAndSnapshot) {
  std::string locator(40, '\x01');
  locator[4] = 2;
  locator[6] = 0;
  for (const bool has_amount : {false, true}) {
    Session session = session_of(11);
    wire::Writer out;
    write_lob_request(out, 0x40, locator, has_amount);
    out.u8(14);
    out.clr("n\xC3\xA9");
    const auto messages = read(session, out.bytes());
    EXPECT_EQ(messages[0]["operation"], "write");
    EXPECT_EQ(messages[0]["charset"], 873);
    EXPECT_EQ(messages[0]["data"], "n\xC3\xA9");
    EXPECT_EQ(messages[0].contains("amount"), has_amount);
    EXPECT_TRUE(session.calls.front().lob.has_charset);
  }
}

TEST(TracedRequests, ReadLobOperations) {
  Session session = session_of(24);
  wire::RequestBuilder builder(session.dialect);
  const std::vector<std::string> freed = {std::string(40, '\x02'), std::string(40, '\x03')};
  builder.free_lobs(freed);
  const std::string locator(40, '\x01');
  wire::LobRequest lob_read;
  lob_read.operation = wire::LobOperation::kRead;
  lob_read.locator = wire::bytes_of(locator);
  lob_read.offset = 5;
  lob_read.amount = 1000;
  builder.lob(lob_read);
  const auto messages = read(session, builder.bytes());
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0]["message"], "piggyback lob operation");
  EXPECT_EQ(messages[1]["operation"], "read");
  EXPECT_EQ(messages[1]["offset"], 5);
  EXPECT_EQ(messages[1]["amount"], 1000);
  EXPECT_TRUE(session.calls.front().lob.has_amount);
}

TEST(TracedRequests, NameFunctionsWhoseBodyIsNotKnown) {
  Session session = session_of(12);
  const auto messages = read(session, {3, 222, 1, 0xAB, 0xCD});
  EXPECT_EQ(messages[0]["message"], "function 222");
  EXPECT_EQ(messages[0]["hex"], "abcd");
}

TEST(TracedRequests, AskForMoreBytesAtEveryCut) {
  const std::vector<ValueFormat> formats = {text_format(10)};
  const std::vector<std::vector<BindValue>> rows = {{{OracleType::kVarchar, false, "value"}}};
  Session session = session_of(24);
  wire::RequestBuilder builder(session.dialect);
  wire::ExecuteRequest request;
  request.options = 0x8029;
  request.sql = "insert into t values (:1)";
  request.binds = formats;
  request.rows = rows;
  builder.execute(request);
  const wire::Bytes whole = builder.bytes();
  const std::size_t row_bytes = 1 + 1 + 5;
  for (std::size_t cut = 1; cut < whole.size() - row_bytes; ++cut) {
    Session fresh = session_of(24);
    const Decoded decoded = decode_request(fresh, ByteView(whole).first(cut));
    EXPECT_EQ(decoded.ending, Ending::kPartial) << cut;
    EXPECT_TRUE(decoded.messages.empty());
  }
}

TEST(StatementShape, TellsKindAndReturningBinds) {
  EXPECT_TRUE(shape_of("  /* c */ -- x\n (select 1 from dual)").is_query);
  EXPECT_TRUE(shape_of("with a as (select 1 from dual) select * from a").is_query);
  EXPECT_TRUE(shape_of("begin null; end;").is_plsql);
  EXPECT_EQ(shape_of("update t set a = :1 where b = :2 returning a, b into :3, :4").returning, 2U);
  EXPECT_EQ(shape_of("delete t where a = ':x' returning a into :o").returning, 1U);
  EXPECT_EQ(shape_of("insert into t values (q'[returning x into :a]', :1)").returning, 0U);
  EXPECT_EQ(shape_of("insert into returning_log values (:1)").returning, 0U);
  EXPECT_EQ(shape_of("select 'returning into' from t where a = :1").returning, 0U);
}

}  // namespace
}  // namespace wherry::oracle::trace
