// What a server sends: rows with bit vectors, out binds, LOBs and documents, read in the state that
// the requests before them left.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "connect/oracle/trace/documents.h"
#include "connect/oracle/trace/lob_values.h"
#include "connect/oracle/trace/response.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::trace {
namespace {

using wire::Writer;

constexpr std::uint8_t kFieldVersion = 12;

ColumnDescription column_of(OracleType type, CharsetForm form = CharsetForm::kNone) {
  ColumnDescription column;
  column.type = type;
  column.form = form;
  column.max_bytes = 100;
  return column;
}

/// A session that waits for the rows of a query over these columns.
Session session_with(std::vector<ColumnDescription> columns) {
  Session session;
  session.is_negotiated = true;
  session.dialect.field_version = kFieldVersion;
  Call call;
  call.function = 94;
  call.cursor.sql = "select * from t";
  call.cursor.columns = std::move(columns);
  session.calls.push_back(std::move(call));
  return session;
}

void write_number(Writer& out, const char* text) {
  out.clr(*wire::encode_number(text));
}

/// A good end, or an error with its text; `cursor` and `rows` as the server tells them.
void write_end(Writer& out, std::uint16_t cursor, std::uint64_t rows) {
  out.u8(4);
  out.zeros(6);
  out.ub2(cursor);
  out.zeros(7 + 5 + 6 + 3);
  out.ub4(0);
  out.ub8(rows);
}

Json rows_of(const Decoded& decoded) {
  Json rows = Json::array();
  for (const DecodedMessage& message : decoded.messages) {
    if (!message.fields.contains("rows")) continue;
    for (const Json& row : message.fields["rows"]) rows.push_back(row);
  }
  return rows;
}

TEST(TracedRows, RepeatColumnsThatABitVectorLeavesOut) {
  Session session = session_with(
      {column_of(OracleType::kNumber), column_of(OracleType::kVarchar, CharsetForm::kDatabase)});
  Writer out;
  out.u8(7);
  write_number(out, "1");
  out.clr("same");
  out.u8(21);
  out.ub2(1);
  out.u8(1);
  out.u8(7);
  write_number(out, "2");
  write_end(out, 5, 2);
  const Decoded first = decode_response(session, out.bytes());
  EXPECT_EQ(first.ending, Ending::kComplete) << first.problem;
  EXPECT_EQ(rows_of(first), Json::parse(R"([["1","same"],["2","same"]])"));

  // The next fetch starts with a row that repeats the last one of this response.
  Call fetch;
  fetch.function = 5;
  fetch.cursor_id = 5;
  fetch.cursor = session.cursors.at(5);
  session.calls.push_back(std::move(fetch));
  Writer more;
  more.raw(ByteView(std::vector<std::uint8_t>{6, 2, 0, 0, 0, 0, 1, 1, 1, 1, 0}));
  more.u8(7);
  write_number(more, "3");
  write_end(more, 5, 3);
  const Decoded second = decode_response(session, more.bytes());
  EXPECT_EQ(second.ending, Ending::kComplete) << second.problem;
  EXPECT_EQ(rows_of(second), Json::parse(R"([["3","same"]])"));
}

TEST(TracedRows, ConvertTextFromTheSessionsCharsets) {
  Session session = session_with({column_of(OracleType::kVarchar, CharsetForm::kDatabase),
                                  column_of(OracleType::kVarchar, CharsetForm::kNational)});
  session.client_charset = 46;
  Writer out;
  out.u8(7);
  out.clr("\xA4 n\xE9");
  out.clr(std::string_view("\0n\0\xE9", 4));
  const Decoded decoded = decode_response(session, out.bytes());
  EXPECT_EQ(rows_of(decoded), Json::parse("[[\"\xE2\x82\xAC n\xC3\xA9\",\"n\xC3\xA9\"]]"));
}

TEST(TracedRows, TakeNoBytesForColumnsWithoutLength) {
  ColumnDescription absent = column_of(OracleType::kVarchar);
  absent.max_bytes = 0;
  Session session = session_with({absent, column_of(OracleType::kRaw)});
  Writer out;
  out.u8(7);
  out.clr("\xDE\xAD");
  EXPECT_EQ(rows_of(decode_response(session, out.bytes())), Json::parse(R"([[null,"dead"]])"));
}

std::string locator_of(std::uint8_t kind, std::uint8_t charset) {
  std::string locator(40, '\0');
  locator[1] = 38;
  locator[3] = 1;
  locator[4] = static_cast<char>(kind);
  locator[5] = 8;
  locator[6] = static_cast<char>(charset);
  return locator;
}

TEST(TracedLobs, AreToldApartByTheirBytes) {
  const std::string clob = locator_of(2, 0x80);
  const std::string blob = locator_of(1, 0);
  const std::string image("\0n\0\xE9", 4);
  Session session = session_with(
      {column_of(OracleType::kClob, CharsetForm::kDatabase), column_of(OracleType::kBlob)});
  Writer out;
  out.u8(7);  // bare locators
  for (const std::string& locator : {clob, blob}) {
    out.ub4(40);
    out.clr(locator);
  }
  out.u8(7);  // size and chunk size
  for (const std::string& locator : {clob, blob}) {
    out.ub4(40);
    out.ub8(2);
    out.ub4(8060);
    out.clr(locator);
  }
  out.u8(7);  // and the data
  out.ub4(40);
  out.ub8(2);
  out.ub4(8060);
  out.u8(1);
  out.ub2(2000);
  out.u8(1);
  out.clr(image);
  out.clr(clob);
  out.ub4(40);
  out.ub8(2);
  out.ub4(8060);
  out.clr("\xCA\xFE");
  out.clr(blob);
  out.u8(7);
  out.ub4(0);
  out.ub4(0);
  const Decoded decoded = decode_response(session, out.bytes());
  EXPECT_EQ(decoded.ending, Ending::kComplete) << decoded.problem;
  const Json rows = rows_of(decoded);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0][0].get<std::string>().rfind("locator 0026", 0), 0U);
  EXPECT_EQ(rows[1], rows[0]);
  EXPECT_EQ(rows[2], Json::array({"n\xC3\xA9", "cafe"}));
  EXPECT_EQ(rows[3], Json::array({nullptr, nullptr}));
  EXPECT_EQ(lob_data_text(session, clob, image), "n\xC3\xA9");
  EXPECT_EQ(lob_data_text(session, blob, image), "006e00e9");
}

std::vector<Json> fields_of(const Decoded& decoded) {
  EXPECT_EQ(decoded.ending, Ending::kComplete) << decoded.problem;
  std::vector<Json> list;
  for (const DecodedMessage& message : decoded.messages) list.push_back(message.fields);
  return list;
}

TEST(TracedLobs, AnswerWithWhatTheClientAskedFor) {
  const std::string locator = locator_of(2, 0x80);
  for (const int parts : {0, 1, 2, 3, 4, 5, 6, 7}) {
    Session session = session_with({});
    Call& call = session.calls.front();
    call.function = 96;
    call.lob = {0x110, locator, (parts & 1) != 0, (parts & 2) != 0, (parts & 4) != 0};
    Writer out;
    out.u8(8);
    out.raw(locator);
    if (call.lob.has_charset) out.ub2(873);
    if (call.lob.has_amount) out.ub8(10);
    if (call.lob.has_flag) out.u8(1);
    write_end(out, 0, 0);
    const auto messages = fields_of(decode_response(session, out.bytes()));
    ASSERT_EQ(messages.size(), 2U) << parts;
    EXPECT_EQ(messages[0]["message"], "lob parameters");
    EXPECT_EQ(messages[0].contains("amount"), call.lob.has_amount);
    EXPECT_EQ(messages[0].value("flag", false), call.lob.has_flag);
  }
}

TEST(TracedLobs, AnswerCallsThatWereNotSeen) {
  const std::string locator = locator_of(2, 0x80);
  for (const bool has_amount : {true, false}) {
    Session session;
    session.is_negotiated = true;
    session.dialect.field_version = kFieldVersion;
    Writer out;
    out.u8(8);
    out.raw(locator);
    if (has_amount) out.ub8(7);
    write_end(out, 0, 0);
    const auto messages = fields_of(decode_response(session, out.bytes()));
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[0]["locator"], hex_text(locator));
  }
}

TEST(TracedLobs, MayBeDefinedAsLongTypesOfEitherKind) {
  for (const auto& [text_type, bytes_type] : {std::pair{8, 24}, std::pair{94, 95}}) {
    Session session = session_with(
        {column_of(OracleType::kClob, CharsetForm::kDatabase), column_of(OracleType::kBlob)});
    std::vector<Variable>& defines = session.calls.front().cursor.defines;
    defines.resize(2);
    defines[0].type = static_cast<std::uint8_t>(text_type);
    defines[0].form = 1;
    defines[1].type = static_cast<std::uint8_t>(bytes_type);
    Writer out;
    out.u8(7);
    for (const char* value : {"text", "\xCA\xFE"}) {
      out.clr(value);
      out.zeros(2);
    }
    out.u8(7);
    for (int i = 0; i < 2; ++i) {
      out.clr("");
      out.sb4(-1);
      out.ub4(1405);
    }
    EXPECT_EQ(rows_of(decode_response(session, out.bytes())),
              Json::parse(R"([["text","cafe"],[null,null]])"));
  }
}

TEST(TracedVersion, IsReadWithAndWithoutALengthOfItsOwn) {
  for (const bool negotiated : {true, false}) {
    for (const bool sent : {true, false}) {
      Session session = session_with({});
      session.calls.front().function = 59;
      session.dialect.text_is_clr = negotiated;
      Writer out;
      out.u8(8);
      out.ub2(9);
      if (sent) out.u8(9);
      out.raw("Oracle 19");
      out.ub4(0x13160000);
      out.raw(ByteView(std::vector<std::uint8_t>{9, 0, 0}));
      const auto messages = fields_of(decode_response(session, out.bytes()));
      ASSERT_EQ(messages.size(), 2U);
      EXPECT_EQ(messages[0]["banner"], "Oracle 19");
    }
  }
}

TEST(TracedTransactions, TellContextAndState) {
  Session session = session_with({});
  session.calls.front().function = 103;
  Writer out;
  out.u8(8);
  out.ub4(5);
  out.ub2(2);
  out.raw("\xAB\xCD");
  write_end(out, 0, 0);
  EXPECT_EQ(fields_of(decode_response(session, out.bytes()))[0]["context"], "abcd");
}

Variable variable_of(OracleType type) {
  Variable variable;
  variable.type = static_cast<std::uint8_t>(type);
  variable.form = 1;
  variable.buffer_bytes = 100;
  return variable;
}

TEST(TracedOutBinds, FollowTheDirectionsTheServerTells) {
  Session session = session_with({});
  session.calls.front().cursor.sql = "begin p(:1, :2, :3); end;";
  session.calls.front().cursor.binds = {variable_of(OracleType::kNumber),
                                        variable_of(OracleType::kVarchar),
                                        variable_of(OracleType::kBoolean)};
  Writer out;
  out.u8(11);
  out.u8(0);
  out.ub2(3);
  out.zeros(5);
  for (const int direction : {32, 16, 48}) out.u8(static_cast<std::uint8_t>(direction));
  out.u8(7);
  out.clr("out");
  out.sb4(0);
  out.u8(0);
  out.sb4(-1);
  write_end(out, 4, 1);
  const Decoded decoded = decode_response(session, out.bytes());
  ASSERT_EQ(decoded.ending, Ending::kComplete) << decoded.problem;
  EXPECT_EQ(decoded.messages[0].fields["directions"], Json::array({"in", "out", "in out"}));
  EXPECT_EQ(decoded.messages[1].fields["out_binds"], Json::array({"out", nullptr}));
  EXPECT_EQ(session.cursors.at(4).directions.size(), 3U);
}

TEST(TracedOutBinds, OfReturningAreLists) {
  Session session = session_with({});
  session.calls.front().cursor.sql = "delete from t where a = :1 returning b into :2";
  session.calls.front().cursor.binds = {variable_of(OracleType::kNumber),
                                        variable_of(OracleType::kVarchar)};
  Writer out;
  out.u8(7);
  out.ub4(2);
  for (const char* text : {"x", "y"}) {
    out.clr(text);
    out.sb4(0);
  }
  write_end(out, 4, 2);
  const Decoded decoded = decode_response(session, out.bytes());
  ASSERT_EQ(decoded.ending, Ending::kComplete) << decoded.problem;
  EXPECT_EQ(decoded.messages[0].fields["out_binds"], Json::parse(R"([["x","y"]])"));
}

TEST(TracedStatus, IsReadWithAndWithoutStatementChecksum) {
  for (const bool has_checksum : {true, false}) {
    Session session = session_with({});
    session.dialect.field_version = 24;
    Writer out;
    write_end(out, 6, 3);
    if (has_checksum) out.zeros(2);
    const Decoded decoded = decode_response(session, out.bytes());
    EXPECT_EQ(decoded.ending, Ending::kComplete) << decoded.problem;
    EXPECT_EQ(decoded.messages[0].fields["row_count"], 3);
    EXPECT_EQ(session.dialect.has_checksum, has_checksum);
  }
}

void write_column(Writer& out, const char* name, int tail_bytes) {
  out.u8(1);
  out.zeros(3);
  out.ub4(10);
  out.zeros(2 + 1 + 1 + 1);
  out.u8(1);
  out.ub4(10);
  out.ub4(0);
  out.u8(1);
  out.u8(1);
  out.dlc(name);
  out.zeros(2 + 1);
  out.zeros(static_cast<std::size_t>(tail_bytes));
}

TEST(TracedDescribe, FindsTheTailOfColumnsOfNewerServers) {
  for (const int tail : {0, 1, 7, 9, 12}) {
    Session session = session_with({});
    session.dialect.field_version = 27;
    Writer out;
    out.u8(16);
    out.clr("id");
    out.ub4(20);
    out.ub4(2);
    out.u8(1);
    write_column(out, "FIRST", tail);
    write_column(out, "SECOND", tail);
    out.zeros(6);
    out.u8(7);
    out.clr("a");
    out.clr("b");
    Writer with_header;
    with_header.raw(ByteView(out.bytes()).first(out.size() - 5));
    with_header.raw(ByteView(std::vector<std::uint8_t>{6, 2, 0, 0, 0, 0, 0, 0}));
    with_header.raw(ByteView(out.bytes()).last(5));
    const Decoded decoded = decode_response(session, with_header.bytes());
    EXPECT_EQ(decoded.ending, Ending::kComplete) << tail << decoded.problem;
    EXPECT_EQ(rows_of(decoded), Json::parse(R"([["a","b"]])")) << tail;
  }
}

TEST(TracedStatus, SkipsFieldsOfNewerServers) {
  Session session = session_with({});
  session.dialect.field_version = 27;
  Writer out;
  write_end(out, 6, 3);
  out.zeros(5);
  const Decoded decoded = decode_response(session, out.bytes());
  EXPECT_EQ(decoded.ending, Ending::kComplete) << decoded.problem;
  EXPECT_EQ(decoded.messages[0].fields["row_count"], 3);
}

std::string bytes(std::initializer_list<int> list) {
  std::string text;
  for (const int byte : list) text.push_back(static_cast<char>(byte));
  return text;
}

TEST(TracedDocuments, PrintJson) {
  // {"a":[1,"x",true,null]}: one short name, tree with an object and an array.
  const std::string image = bytes(
      {0xFF, 0x4A, 0x5A, 1,  0x00, 0x00, 1, 0,  2, 0,  24,   0,    0,  // counts and sizes
       0x2C, 0,    0,    1,  'a',                                      // hash, offset, name
       0x80, 1,    1,    0,  5,  // object: field 1 at offset 5
       0xC0, 4,    0,    15, 0,    18,   0, 20, 0, 21, 0x21, 0xC1, 0x02, 0x01, 'x', 0x31, 0x30});
  EXPECT_EQ(oson_text(image), R"({"a":[1,"x",true,null]})");
  EXPECT_EQ(oson_text("nonsense").rfind("invalid ", 0), 0U);
  for (std::size_t cut = 0; cut < image.size(); ++cut) {
    EXPECT_EQ(oson_text(image.substr(0, cut)).rfind("invalid ", 0), 0U) << cut;
  }
}

TEST(TracedDocuments, GiveUpOnJsonThatContainsItself) {
  const std::string image = bytes({0xFF, 0x4A, 0x5A, 1, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0xC0, 1, 0, 0});
  EXPECT_EQ(oson_text(image).rfind("invalid ", 0), 0U);
}

TEST(TracedDocuments, PrintVectors) {
  EXPECT_EQ(vector_text(bytes({0xDB, 0, 0, 0, 4, 0, 0, 0, 2, 1, 0xFF})), "[1, -1]");
  EXPECT_EQ(
      vector_text(bytes({0xDB, 0, 0, 2, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xBF, 0xC0, 0, 0})),
      "[1.5]");
  EXPECT_EQ(vector_text(bytes({0xDB, 2, 0, 0x20, 4, 0, 0, 0, 9, 0, 1, 0, 0, 0, 3, 7})),
            "[9, [4], [7]]");
}

}  // namespace
}  // namespace wherry::oracle::trace
