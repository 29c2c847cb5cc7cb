#include "wire/rows.h"

#include <gtest/gtest.h>

#include "engine/error.h"
#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

class NoLobs : public LobRegistrar {
 public:
  ByteView locator_for(const Value&) override {
    ++made;
    return bytes;
  }
  void put_cursor(Writer& out, const Value&) override { out.u8(0xCC); }
  Bytes bytes = Bytes(40, 0xAB);
  int made = 0;
};

std::vector<RowColumn> texts(std::size_t n) {
  return std::vector<RowColumn>(n);
}

Row row_of(std::initializer_list<const char*> values) {
  Row row;
  for (const char* value : values) row.push_back(make_text(value));
  return row;
}

std::string encoded(RowEncoder& encoder, const Row& row, LobRegistrar& lobs) {
  Writer out;
  encoder.encode(out, row, lobs);
  return hex_of(out);
}

TEST(RowEncoder, LeavesOutWhatRepeatsAndKeepsAVectorInForce) {
  NoLobs lobs;
  RowEncoder encoder(texts(2), true);
  encoder.begin_response();
  EXPECT_EQ(encoded(encoder, row_of({"a", "repeated"}), lobs),
            "07"
            "0161"
            "087265706561746564");
  EXPECT_EQ(encoded(encoder, row_of({"b", "repeated"}), lobs),
            "15"
            "0101"
            "01"
            "07"
            "0162");
  // Nothing repeats, but the client would still apply the vector before.
  EXPECT_EQ(encoded(encoder, row_of({"c", "new"}), lobs),
            "15"
            "0102"
            "03"
            "07"
            "0163"
            "036E6577");
}

TEST(RowEncoder, ComparesWithTheLastRowOfTheFetchBefore) {
  NoLobs lobs;
  RowEncoder encoder(texts(2), true);
  encoder.begin_response();
  encoded(encoder, row_of({"a", "repeated"}), lobs);
  encoder.begin_response();
  EXPECT_EQ(encoded(encoder, row_of({"b", "repeated"}), lobs),
            "15"
            "0101"
            "01"
            "07"
            "0162");
  encoder.begin_response();
  EXPECT_EQ(encoded(encoder, row_of({"c", "other one"}), lobs),
            "07"
            "0163"
            "096F74686572206F6E65");
}

TEST(RowEncoder, SendsWholeRowsWhenCompressionIsOff) {
  NoLobs lobs;
  RowEncoder encoder(texts(1), false);
  encoder.begin_response();
  encoded(encoder, row_of({"the same text"}), lobs);
  EXPECT_EQ(encoded(encoder, row_of({"the same text"}), lobs).substr(0, 2), "07");
}

TEST(RowEncoder, VectorBitsCountFromTheLowEndOverSeveralBytes) {
  NoLobs lobs;
  RowEncoder encoder(texts(10), true);
  encoder.begin_response();
  Row row = row_of({"11111", "22222", "3", "4", "5", "6", "7", "8", "9", "a"});
  encoded(encoder, row, lobs);
  row[2] = make_text("x");
  row[9] = make_text("y");
  EXPECT_EQ(encoded(encoder, row, lobs),
            "15"
            "0102"
            "0402"
            "07"
            "0178"
            "0179");
}

TEST(RowEncoder, LobsAreNeverLeftOut) {
  NoLobs lobs;
  RowColumn lob;
  lob.codec = Codec::kLocator;
  RowEncoder encoder({lob, RowColumn{}}, true);
  encoder.begin_response();
  const Row row{Value{Type::kClob, false, std::make_shared<const LobData>(LobData{"x"})},
                make_text("repeated text")};
  encoded(encoder, row, lobs);
  EXPECT_EQ(encoded(encoder, row, lobs).substr(0, 12), "150101010701");
  EXPECT_EQ(lobs.made, 2);
}

TEST(RowEncoder, LobsWithSizesAndAsLong) {
  NoLobs lobs;
  ColumnShape clob;
  clob.type = 112;
  clob.charset_form = 1;
  clob.max_bytes = 4000;
  TypeSpec define;
  define.type = 112;
  define.continuation = 0x2000000;
  const Row row{Value{Type::kClob, false, std::make_shared<const LobData>(LobData{"né🎉"})}};
  RowEncoder sized({row_column(clob, &define)}, true);
  sized.begin_response();
  EXPECT_EQ(encoded(sized, row, lobs).substr(0, 20),
            "07"
            "0128"
            "0104"
            "021F7C"
            "28AB");
  define.type = 8;
  define.charset_form = 1;
  RowEncoder as_long({row_column(clob, &define)}, true);
  as_long.begin_response();
  EXPECT_EQ(encoded(as_long, row, lobs),
            "07"
            "076EC3A9F09F8E89"
            "0000");
  EXPECT_EQ(encoded(as_long, {make_null(Type::kClob)}, lobs),
            "07"
            "00"
            "8101"
            "02057D");
}

TEST(RowEncoder, ColumnsOfLengthZeroTakeNoBytes) {
  NoLobs lobs;
  ColumnShape nothing;
  RowEncoder encoder({row_column(nothing, nullptr), RowColumn{}}, true);
  encoder.begin_response();
  EXPECT_EQ(encoded(encoder, {make_null(Type::kVarchar2), make_text("a")}, lobs),
            "07"
            "0161");
}

TEST(RowEncoder, RowsOfAnotherWidthAreAnInternalError) {
  NoLobs lobs;
  RowEncoder encoder(texts(2), true);
  Writer out;
  EXPECT_THROW(encoder.encode(out, row_of({"a"}), lobs), OraError);
}

TEST(Describe, ScaleFollowsTheClientsFormOfType27) {
  ColumnInfo column;
  column.name = "N";
  column.type.type = Type::kNumber;
  Dialect dialect;
  const auto describe = [&] {
    Writer out;
    encode_describe(out, dialect, {describe_column(column, dialect)});
    return hex_of(out);
  };
  EXPECT_NE(describe().find("02000081"
                            "0116"),
            std::string::npos);
  dialect.scale_is_sb2 = true;
  EXPECT_NE(describe().find("020000817F"
                            "0116"),
            std::string::npos);
}

TEST(Describe, NumbersWithPartsOfTheirDeclaration) {
  const auto shape = [](bool precision, bool scale, int p, int s, bool is_float) {
    ColumnInfo column;
    column.type.type = Type::kNumber;
    column.type.has_precision = precision;
    column.type.has_scale = scale;
    column.type.precision = static_cast<std::int16_t>(p);
    column.type.scale = static_cast<std::int16_t>(s);
    column.type.is_float = is_float;
    const ColumnShape out = describe_column(column, Dialect{});
    return std::pair<int, int>(out.precision, out.scale);
  };
  EXPECT_EQ(shape(false, false, 0, 0, false), std::pair(0, -127));
  EXPECT_EQ(shape(true, true, 10, 2, false), std::pair(10, 2));
  EXPECT_EQ(shape(false, true, 0, 0, false), std::pair(38, 0));
  EXPECT_EQ(shape(true, false, 53, 0, true), std::pair(53, -127));
}

TEST(Status, ShortestSuccessHasTheKnownLength) {
  Dialect dialect;
  Writer out;
  encode_status(out, dialect, {});
  EXPECT_EQ(out.size(), 32U);
  out.clear();
  dialect.field_version = 24;
  encode_status(out, dialect, {});
  EXPECT_EQ(out.size(), 34U);
}

}  // namespace
}  // namespace orasim::wire
