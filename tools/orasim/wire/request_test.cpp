#include "wire/request.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "wire/auth.h"
#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

class Shapes : public CursorShapes {
 public:
  [[nodiscard]] const CursorShape* shape_of(std::uint32_t id) const override {
    const auto found = known.find(id);
    return found == known.end() ? nullptr : &found->second;
  }
  std::map<std::uint32_t, CursorShape> known;
};

/// An execute request as clients lay it out for field version 12.
struct ExecuteText {
  std::uint32_t options = 0x8029;
  std::uint32_t cursor = 0;
  std::string sql;
  std::uint32_t iterations = 1;
  std::vector<std::pair<std::uint8_t, std::uint32_t>> binds;  // type, buffer bytes
  std::vector<std::vector<std::string>> rows;
  bool text_is_clr = true;

  [[nodiscard]] Bytes bytes() const {
    Writer out;
    out.ub(options);
    out.ub(cursor);
    out.u8(sql.empty() ? 0 : 1);
    out.ub(sql.size());
    out.u8(1);
    out.ub(13);
    out.zeros(3);
    out.ub(1);
    out.ub(0x7FFFFFFF);
    out.u8(binds.empty() ? 0 : 1);
    out.ub(binds.size());
    out.zeros(5 + 2 + 1);  // pointers, no defines, registration
    out.u8(0);
    out.u8(1);
    out.zeros(2 + 2 + 1);
    out.zeros(3 + 5 + 2);
    if (text_is_clr && !sql.empty()) {
      out.clr(sql);
    } else {
      out.raw(std::string_view(sql));
    }
    out.ub(1);
    out.ub(iterations);
    out.zeros(5);
    out.ub(0);
    out.ub(0);
    out.ub(0x8000);
    out.zeros(3);
    for (const auto& [type, size] : binds) {
      out.u8(type);
      out.u8(1);
      out.zeros(2);
      out.ub(size);
      out.zeros(4);
      out.ub(873);
      out.u8(1);
      out.zeros(2);
    }
    for (const auto& row : rows) {
      out.u8(7);
      for (const std::string& value : row) out.clr(value);
    }
    return Bytes(out.data(), out.data() + out.size());
  }
};

ExecuteText insert_of(std::size_t rows) {
  ExecuteText text;
  text.sql = "insert into t values (:1, :2)";
  text.binds = {{1, 100}, {1, 40000}};
  text.iterations = static_cast<std::uint32_t>(rows);
  // The second bind is long: it comes last in its row, which with two binds is its place anyway.
  for (std::size_t i = 0; i < rows; ++i) text.rows.push_back({"a" + std::to_string(i), "long"});
  return text;
}

TEST(Execute, ReadsSqlBindsAndRows) {
  const Bytes bytes = insert_of(3).bytes();
  Reader in{ByteView(bytes)};
  const ExecuteRequest request = decode_execute(in, Dialect{}, Shapes());
  EXPECT_EQ(in.buffered(), 0U);
  EXPECT_EQ(request.sql, "insert into t values (:1, :2)");
  ASSERT_EQ(request.rows.size(), 3U);
  EXPECT_EQ(request.rows[2][0].content, "a2");
  EXPECT_EQ(request.rows[2][1].content, "long");
}

TEST(Execute, LongBindsOfSqlComeAfterTheOthersButNotInPlsql) {
  ExecuteText text = insert_of(0);
  text.binds = {{1, 40000}, {1, 100}};
  text.rows = {{"first on the wire", "second on the wire"}};
  Bytes bytes = text.bytes();
  Reader sql{ByteView(bytes)};
  EXPECT_EQ(decode_execute(sql, Dialect{}, Shapes()).rows[0][1].content, "first on the wire");
  text.sql = "begin p(:1, :2); end;";
  bytes = text.bytes();
  Reader block{ByteView(bytes)};
  EXPECT_EQ(decode_execute(block, Dialect{}, Shapes()).rows[0][0].content, "first on the wire");
}

TEST(Execute, RawSqlTextOfOldClients) {
  ExecuteText text = insert_of(1);
  text.text_is_clr = false;
  text.sql.append(300, ' ');
  Dialect dialect;
  dialect.text_is_clr = false;
  const Bytes bytes = text.bytes();
  Reader in{ByteView(bytes)};
  EXPECT_EQ(decode_execute(in, dialect, Shapes()).sql, text.sql);
  EXPECT_EQ(in.buffered(), 0U);
}

TEST(Execute, ReturningBindsCarryNoValue) {
  ExecuteText text;
  text.sql = "insert into t values (:1) returning id into :2";
  text.binds = {{1, 10}, {2, 22}};
  text.rows = {{"x"}};
  const Bytes bytes = text.bytes();
  Reader in{ByteView(bytes)};
  const ExecuteRequest request = decode_execute(in, Dialect{}, Shapes());
  EXPECT_EQ(in.buffered(), 0U);
  EXPECT_TRUE(request.rows[0][1].is_null);
}

TEST(Execute, EveryCutIsShortAndNothingElse) {
  const Bytes bytes = insert_of(2).bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Reader in(ByteView(bytes).first(size));
    EXPECT_THROW(decode_execute(in, Dialect{}, Shapes()), ShortRead) << size;
  }
}

TEST(Execute, ArrivesInPiecesOfAnySize) {
  const Bytes bytes = insert_of(2).bytes();
  for (std::size_t step = 1; step < bytes.size(); ++step) {
    DripSource source(bytes, step);
    Bytes buffer;
    Reader in(buffer, source);
    EXPECT_EQ(decode_execute(in, Dialect{}, Shapes()).rows.size(), 2U);
  }
}

TEST(Reexecute, UsesTheCursorsMetadataAndSkipsOutBinds) {
  Shapes shapes;
  CursorShape& shape = shapes.known[7];
  shape.is_plsql = true;
  shape.binds.resize(3);
  for (TypeSpec& spec : shape.binds) spec.type = 1;
  shape.out_only = {false, true, false};
  const Bytes bytes = hex("0107 0101 00 0101 07 0161 0163");
  Reader in{ByteView(bytes)};
  const ReexecuteRequest request = decode_reexecute(in, Dialect{}, shapes);
  EXPECT_EQ(in.buffered(), 0U);
  EXPECT_TRUE(request.commit);
  ASSERT_EQ(request.rows.size(), 1U);
  EXPECT_EQ(request.rows[0][0].content, "a");
  EXPECT_TRUE(request.rows[0][1].is_null);
  EXPECT_EQ(request.rows[0][2].content, "c");
}

TEST(Piggyback, CloseCursorsAndSchema) {
  const Bytes close = hex("01 0102 0101 010A");
  Reader in{ByteView(close)};
  EXPECT_EQ(decode_piggyback(in, Function::kCloseCursors, Dialect{}).cursors,
            (std::vector<std::uint32_t>{1, 10}));
  const Bytes schema = hex("01 0102 02 4852");
  Reader modern{ByteView(schema)};
  EXPECT_EQ(decode_piggyback(modern, Function::kSetSchema, Dialect{}).schema, "HR");
  Dialect old;
  old.text_is_clr = false;
  const Bytes raw = hex("01 0102 4852");
  Reader in_old{ByteView(raw)};
  EXPECT_EQ(decode_piggyback(in_old, Function::kSetSchema, old).schema, "HR");
}

TEST(Piggyback, UnknownOnesAndEndlessListsAreRefused) {
  const Bytes bytes = hex("01 04FFFFFFFF 0101");
  Reader list{ByteView(bytes)};
  EXPECT_THROW(decode_piggyback(list, Function::kCloseCursors, Dialect{}), BadMessage);
  Reader unknown{ByteView(bytes)};
  EXPECT_THROW(decode_piggyback(unknown, static_cast<Function>(200), Dialect{}), BadMessage);
}

// Damaged requests must end in one of the two protocol errors or decode to something; never crash,
// never take memory by an announced length.
TEST(Damage, NoDecoderFallsOverFlippedBytes) {
  std::mt19937 random(20240517);
  const Bytes whole = insert_of(2).bytes();
  Shapes shapes;
  shapes.known[1].binds.resize(2);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes = whole;
    for (int flips = 0; flips < 3; ++flips) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    const auto attempt = [&](auto&& decode) {
      Reader in{ByteView(bytes)};
      try {
        decode(in);
      } catch (const ShortRead&) {
      } catch (const BadMessage&) {
      }
    };
    attempt([&](Reader& in) { decode_execute(in, Dialect{}, shapes); });
    attempt([&](Reader& in) { decode_reexecute(in, Dialect{}, shapes); });
    attempt([](Reader& in) { decode_lob_request(in); });
    attempt([](Reader& in) { decode_auth(in, Dialect{}); });
    attempt([](Reader& in) { decode_data_types(in); });
    attempt([](Reader& in) { decode_fast_auth(in); });
    attempt([](Reader& in) { decode_piggyback(in, Function::kEndToEnd, Dialect{}); });
    attempt([](Reader& in) { decode_piggyback(in, Function::kLobOperation, Dialect{}); });
  }
}

}  // namespace
}  // namespace orasim::wire
