// Packets and messages, with the bytes of a traced session.
#include "connect/oracle/wire/messages.h"

#include <gtest/gtest.h>

#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/request.h"
#include "connect/oracle/wire/tns.h"

namespace wherry::oracle::wire {
namespace {

/// Hex with blanks anywhere.
Bytes hex(std::string_view text) {
  std::string dense;
  for (const char c : text) {
    if (c != ' ') dense.push_back(c);
  }
  return *from_hex(dense);
}

Dialect dialect_of(std::uint8_t field_version) {
  Dialect dialect;
  dialect.field_version = field_version;
  return dialect;
}

TEST(Packets, EncodesConnectsAsTraced) {
  ConnectRequest request;
  request.service_options = 1;
  request.sdu_bytes = 8192;
  request.protocol_characteristics = 0x130E;
  request.native_service_flags = 8;
  request.connect_data = std::string(176, 'd');
  const Bytes packet = encode_connect(request);
  EXPECT_EQ(to_hex_upper(ByteView(packet).first(74)),
            to_hex_upper(hex("00fa000001000000 013f012c00012000ffff130e00000001 00b0004a00000000"
                             "0808 00000000000000000000000000000000 0000000000000000 00002000"
                             "00200000 00000000 00000000")));
  EXPECT_EQ(packet.size(), 250U);
}

TEST(Packets, LongConnectDataOverflowsIntoAPacketOfItsOwn) {
  ConnectRequest request;
  request.connect_data = std::string(231, 'd');
  const Bytes packets = encode_connect(request);
  EXPECT_EQ(packets.size(), 74U + 10U + 231U);
  Reader in(packets);
  const PacketHeader header = decode_header(in, false, kMaxPacketBytes);
  EXPECT_EQ(header.length, 74U);
  Reader body(in.raw(header.length - kHeaderBytes));
  const DecodedConnect decoded = decode_connect(body, header);
  EXPECT_TRUE(body.ok());
  EXPECT_EQ(decoded.overflow_bytes, 231U);
  const PacketHeader data = decode_header(in, false, kMaxPacketBytes);
  EXPECT_EQ(data.type, PacketType::kData);
  EXPECT_EQ(data.length, 241U);
}

TEST(Packets, DecodesAccepts) {
  const Bytes packet =
      hex("002d0000 02000000 013e 0801 2000 ffff 0100 0000 002d 45 49"
          "0000 0000 0000 0000 00002000 00200000 00 00000000");
  Reader in(packet);
  const PacketHeader header = decode_header(in, false, kMaxPacketBytes);
  EXPECT_EQ(header.type, PacketType::kAccept);
  Accept accept = decode_accept(in);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(accept.version, 318);
  EXPECT_EQ(accept.sdu_bytes, 8192U);
  EXPECT_TRUE(accept.has_large_header());
  EXPECT_FALSE(accept.has_end_of_response());
  EXPECT_FALSE(accept.requires_native_services());
  accept.flags2 = 0x12000000;
  EXPECT_TRUE(accept.has_fast_auth());
  EXPECT_FALSE(accept.has_end_of_response()) << "needs version 319";
}

TEST(Packets, RefusesImpossibleHeaders) {
  for (const char* header : {"0007000001000000", "0008000000000000", "00080000FF000000"}) {
    const Bytes bytes = hex(header);
    Reader in(bytes);
    decode_header(in, false, kMaxPacketBytes);
    EXPECT_EQ(in.state(), ParseState::kMalformed) << header;
  }
  const Bytes large = hex("7FFFFFFF06000000");
  Reader in(large);
  decode_header(in, true, kMaxPacketBytes);
  EXPECT_EQ(in.state(), ParseState::kMalformed);
}

TEST(Packets, FindsTheNumberOfARefusal) {
  EXPECT_EQ(refuse_code("(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=12514)(ERROR_STACK=(ERROR="
                        "(CODE=1)(EMFI=4))))"),
            12514U);
  EXPECT_EQ(refuse_code("(DESCRIPTION=(ERR = 12505))"), 12505U);
  EXPECT_EQ(refuse_code("(ERROR_STACK=(ERROR=(CODE=12516)))"), 12516U);
  EXPECT_EQ(refuse_code(""), 12564U);
  EXPECT_EQ(refuse_code("(ERR=99999999999999999999)"), 999999999U);
}

TEST(Packets, SplitsRedirects) {
  const std::string data("(ADDRESS=(HOST=x))\0(DESCRIPTION=y)", 34);
  EXPECT_EQ(parse_redirect(data, kFlagRedirectHasData).connect_data, "(DESCRIPTION=y)");
  EXPECT_EQ(parse_redirect(data, kFlagRedirectHasData).address, "(ADDRESS=(HOST=x))");
  EXPECT_EQ(parse_redirect("(ADDRESS=(HOST=x))", 0).connect_data, std::nullopt);
}

TEST(Messages, DecodesSuccessOfEveryLayout) {
  const auto zeros_taken = [](std::uint8_t version) {
    const Bytes zeros(40, 0);
    Reader in(zeros);
    decode_call_result(in, dialect_of(version));
    EXPECT_TRUE(in.ok());
    return in.position() + 1;  // and the type byte
  };
  EXPECT_EQ(zeros_taken(6), 29U);
  EXPECT_EQ(zeros_taken(7), 31U);
  EXPECT_EQ(zeros_taken(13), 31U);
  EXPECT_EQ(zeros_taken(14), 33U);
}

TEST(Messages, DecodesTheEndOfRowsAsTraced) {
  const Bytes bytes =
      hex("00 00 00 02 057b 00 00 01 02 00 03 00 00 00 00 00  00 00 00 00 00  00 00 00 00 00 00"
          "00 00 00 02 057b 01 05 19 4f52412d30313430333a206e6f206461746120666f756e640a");
  Reader in(bytes);
  const CallResult result = decode_call_result(in, dialect_of(12));
  ASSERT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(result.code, kNoDataFound);
  EXPECT_EQ(result.text, "ORA-01403: no data found");
  EXPECT_EQ(result.cursor_id, 2);
  EXPECT_EQ(result.row_count, 5U);
  EXPECT_EQ(result.sql_type, 3);
}

/// Servers of field version 14 and above leave statement type and checksum out for some clients.
TEST(Messages, TellsAStatusWithoutChecksumApart) {
  const std::string head =
      "01 01 00 00 02 057b 00 00 01 02 00 03 00 00 00 00 00  00 00 00 00 00  00 00 00 00 00 00"
      "00 00 00";
  const std::string text = "19 4f52412d30313430333a206e6f206461746120666f756e640a";
  for (const char* fields : {"", "01 03 00", "01 03 04 12345678", "00 00"}) {
    const Bytes failed = hex(head + "02 057b 01 05" + fields + text);
    Reader in(failed);
    const CallResult result = decode_call_result(in, dialect_of(24));
    ASSERT_TRUE(in.ok()) << fields;
    EXPECT_EQ(in.remaining(), 0U) << fields;
    EXPECT_EQ(result.text, "ORA-01403: no data found") << fields;
    const Bytes good = hex(head + "00 01 05" + fields + "1d");
    Reader end(good);
    decode_call_result(end, dialect_of(24));
    ASSERT_TRUE(end.ok()) << fields;
    EXPECT_EQ(end.remaining(), 1U) << fields;
  }
}

TEST(Messages, EveryShorterPieceOfAMessageNeedsMore) {
  const Bytes bytes =
      hex("00 00 00 02 057b 00 00 01 02 00 03 00 00 00 00 00  00 00 00 00 00  00 00 00 00 00 00"
          "00 00 00 02 057b 01 05 03 4f5241");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Reader in(ByteView(bytes).first(size));
    decode_call_result(in, dialect_of(12));
    EXPECT_EQ(in.state(), ParseState::kNeedMore) << size;
  }
}

TEST(Messages, DecodesArrayErrorsPlainAndChunked) {
  for (const bool chunked : {false, true}) {
    Writer out;
    out.zeros(8);
    out.zeros(6 + 5 + 6);
    const auto list = [&](std::initializer_list<std::uint32_t> items) {
      out.u8(chunked ? 0xFE : 0x01);
      for (const std::uint32_t item : items) {
        if (chunked) out.ub4(2);
        out.ub4(item);
      }
      if (chunked) out.u8(0);
    };
    out.ub2(2);
    list({1400, 1});
    out.ub4(2);
    list({3, 300});
    out.ub2(2);
    out.u8(0);
    for (const char* text : {"ORA-01400: no\n", "ORA-00001: twice\n"}) {
      out.ub2(14);
      out.clr(std::string_view(text));
      out.zeros(2);
    }
    out.ub4(24381);
    out.ub8(8);
    out.clr(std::string_view("ORA-24381: errors\n"));
    Reader in(out.bytes());
    const CallResult result = decode_call_result(in, dialect_of(12));
    ASSERT_TRUE(in.ok());
    EXPECT_EQ(in.remaining(), 0U);
    EXPECT_EQ(result.code, 24381U);
    EXPECT_EQ(result.row_count, 8U);
    ASSERT_EQ(result.array_errors.size(), 2U);
    EXPECT_EQ(result.array_errors[1].row, 300U);
    EXPECT_EQ(result.array_errors[1].code, 1U);
    EXPECT_EQ(result.array_errors[0].text, "ORA-01400: no");
  }
}

TEST(Messages, DecodesADescriptionAsTraced) {
  const Bytes bytes =
      hex("04 01020304 01 64 01 02 00"
          "02 00 00 81 01 16 00 00 00 00 00 00 00 00 01 02 01 02 02 4944 00 00 00 00"
          "01 00 00 00 01 64 00 00 00 00 02 0369 01 01 64 00 01 04 01 04 04 4e414d45 00 00 01 01 00"
          "01 07 07 787e0101010101 00 00 00 00 00");
  Reader in(bytes);
  const Description description = decode_describe(in, dialect_of(12));
  ASSERT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
  ASSERT_EQ(description.columns.size(), 2U);
  EXPECT_EQ(description.columns[0].name, "ID");
  EXPECT_EQ(description.columns[0].type, OracleType::kNumber);
  EXPECT_EQ(description.columns[0].scale, -127);
  EXPECT_EQ(description.columns[0].max_bytes, 22U);
  EXPECT_EQ(description.columns[1].name, "NAME");
  EXPECT_EQ(description.columns[1].form, CharsetForm::kDatabase);
  EXPECT_EQ(description.columns[1].max_characters, 100U);
}

TEST(Messages, ReadsWideScalesOfOtherClients) {
  Dialect dialect = dialect_of(12);
  dialect.wide_scale = true;
  const Bytes bytes =
      hex("00 01 64 01 01 00"
          "02 00 00 817F 01 16 00 00 00 00 00 00 00 00 01 02 01 02 02 4944 00 00 00 00"
          "00 00 00 00 00 00");
  Reader in(bytes);
  const Description description = decode_describe(in, dialect);
  ASSERT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(description.columns.at(0).scale, -127);
}

TEST(Messages, HostileCountsEndWithTheBytes) {
  const Bytes many = hex("00 04FFFFFFFF 04FFFFFFFF 00 02 00");
  Reader describe_in(many);
  const Description description = decode_describe(describe_in, dialect_of(24));
  EXPECT_EQ(describe_in.state(), ParseState::kNeedMore);
  EXPECT_LT(description.columns.size(), 10U);
  const Bytes vector = hex("00 02FFFF 04FFFFFFFF 00 00 00 00 20");
  Reader io_in(vector);
  EXPECT_LT(decode_io_vector(io_in).size(), 10U);
  EXPECT_EQ(io_in.state(), ParseState::kNeedMore);
}

TEST(Messages, AnUnknownStateMessageIsMalformed) {
  const Bytes bytes = hex("63 00");
  Reader in(bytes);
  decode_server_piggyback(in);
  EXPECT_EQ(in.state(), ParseState::kMalformed);
}

TEST(Messages, BitVectorsCountFromTheLowEnd) {
  const std::string bits = {'\x05', '\x01'};
  EXPECT_TRUE(has_bit(bits, 0));
  EXPECT_FALSE(has_bit(bits, 1));
  EXPECT_TRUE(has_bit(bits, 2));
  EXPECT_TRUE(has_bit(bits, 8));
  EXPECT_TRUE(has_bit("", 3)) << "no vector: every column is sent";
}

TEST(Requests, BuildsAQueryAsTraced) {
  RequestBuilder builder(dialect_of(12));
  builder.continue_after(4);
  builder.begin();
  const std::uint32_t ids[] = {1};
  builder.close_cursors(ids);
  ExecuteRequest request;
  request.options = kParse | kExecuteOption | kFetchOption | kNotPlsql;
  request.sql = "select * from t";
  request.is_query = true;
  request.prefetch_rows = 2;
  request.iterations = 0;
  builder.execute(request);
  EXPECT_EQ(to_hex_upper(builder.bytes()),
            to_hex_upper(hex("11 69 05 01 01 01 01 01"
                             "03 5e 06 02 8061 00 01 01 0f 01 01 0d 00 00 00 01 02 04 7fffffff"
                             "00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00"
                             "00 00 00 00 00 00 00 0f 73656c656374202a2066726f6d2074"
                             "01 01 00 00 00 00 00 00 01 01 00 02 8000 00 00 00")));
}

TEST(Requests, BuildsFetchCommitAndLobReadAsTraced) {
  RequestBuilder builder(dialect_of(12));
  builder.continue_after(6);
  builder.begin();
  builder.fetch(2, 2);
  EXPECT_EQ(to_hex_upper(builder.bytes()), "03050701020102");
  builder.continue_after(13);
  builder.begin();
  const Bytes locator(40, 0x26);
  LobRequest read;
  read.operation = LobOperation::kRead;
  read.locator = locator;
  read.offset = 1;
  read.amount = 39;
  builder.lob(read);
  EXPECT_EQ(to_hex_upper(builder.bytes()),
            to_hex_upper(hex("03 60 0e 01 01 28 00 00 00 00 00 00 00 01 02 00 00 01 01 00"
                             "01 000000000000")) +
                to_hex_upper(locator) + "0127");
  builder.begin();
  builder.simple(Function::kCommit);
  EXPECT_EQ(to_hex_upper(builder.bytes()), "030E0F");
  builder.set_dialect(dialect_of(24));
  builder.begin();
  builder.simple(Function::kCommit);
  EXPECT_EQ(to_hex_upper(builder.bytes()), "030E1000");
}

TEST(Requests, SequenceNumbersSkipZero) {
  RequestBuilder builder(dialect_of(12));
  builder.continue_after(255);
  builder.begin();
  builder.simple(Function::kPing);
  EXPECT_EQ(to_hex_upper(builder.bytes()), "039301");
}

TEST(Requests, LongBindsComeLast) {
  RequestBuilder builder(dialect_of(12));
  builder.begin();
  ExecuteRequest request;
  request.options = kParse | kExecuteOption | kBind | kNotPlsql;
  request.sql = "x";
  const std::vector<ValueFormat> formats(2);
  const std::vector<BindValue> values = {{OracleType::kVarchar, false, "L"},
                                         {OracleType::kBoolean, true, ""}};
  const std::vector<std::vector<BindValue>> rows = {values};
  const std::uint8_t is_long[] = {1, 0};
  request.binds = formats;
  request.rows = rows;
  request.is_long_bind = is_long;
  builder.execute(request);
  const Bytes& bytes = builder.bytes();
  EXPECT_EQ(to_hex_upper(ByteView(bytes).last(5)), "07FD01014C");
}

TEST(Requests, IndexByTablesAreACountAndTheElements) {
  RequestBuilder builder(dialect_of(12));
  builder.begin();
  ExecuteRequest request;
  request.options = kParse | kExecuteOption | kBind | kPlsqlBind;
  request.sql = "x";
  std::vector<ValueFormat> formats(2);
  formats[0].form = CharsetForm::kDatabase;
  formats[0].max_bytes = 4000;
  formats[0].max_elements = 5;
  const std::vector<std::optional<std::string>> elements = {"a", std::nullopt};
  std::vector<BindValue> values(2);
  values[0].is_array = true;
  values[0].elements = elements;
  values[1].is_null = false;
  values[1].bytes = "b";
  const std::vector<std::vector<BindValue>> rows = {values};
  request.binds = formats;
  request.rows = rows;
  builder.execute(request);
  const std::string bytes = to_hex_upper(builder.bytes());
  // Type, flags with the one for arrays, precision and scale, bytes, elements.
  EXPECT_NE(bytes.find("01410000020FA00105"), std::string::npos) << bytes;
  EXPECT_EQ(bytes.substr(bytes.size() - 16), "0701020161000162");
}

}  // namespace
}  // namespace wherry::oracle::wire
