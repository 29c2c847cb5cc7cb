#include "connect/oracle/row_decoder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "connect/oracle/scripted_server.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/utf16.h"
#include "connect/oracle/wire/vector_image.h"

namespace wherry::oracle {
namespace {

using scripted::column;
using wire::Writer;

std::string number(std::string_view text) {
  return *wire::encode_number(text);
}

RowDecoder make(const std::vector<ColumnDescription>& columns, const std::vector<CellKind>& kinds,
                RowDecoder::Options options = {}) {
  auto decoder = RowDecoder::make(columns, kinds, wire::Dialect(), options);
  EXPECT_TRUE(decoder.ok()) << decoder.error().to_paragraph();
  return std::move(decoder).value();
}

/// Decodes one row that arrives in pieces of `step` bytes.
RowStep feed(RowDecoder& decoder, wire::ByteView bytes, std::size_t step, RowBatch& out) {
  std::size_t at = 0, end = 0;
  while (true) {
    end = std::min(bytes.size(), end + step);
    std::size_t consumed = 0;
    const RowStep result = decoder.decode(bytes.subspan(at, end - at), consumed, out);
    at += consumed;
    if (result != RowStep::kNeedMore) {
      EXPECT_TRUE(result == RowStep::kError || at == bytes.size());
      return result;
    }
    if (end == bytes.size()) return result;
  }
}

std::string text_at(const RowBatch& batch, std::size_t row, std::size_t column_index) {
  return value_text(batch.at(row, column_index)).value_or("NULL");
}

std::vector<ColumnDescription> all_columns() {
  std::vector<ColumnDescription> columns = {
      column("N", OracleType::kNumber, 22),         column("I", OracleType::kNumber, 22),
      column("V", OracleType::kVarchar, 4000),      column("NV", OracleType::kVarchar, 200),
      column("R", OracleType::kRaw, 2000),          column("D", OracleType::kDate, 7),
      column("TS", OracleType::kTimestamp, 11),     column("TZ", OracleType::kTimestampTz, 13),
      column("LTZ", OracleType::kTimestampLtz, 11), column("BF", OracleType::kBinaryFloat, 4),
      column("BD", OracleType::kBinaryDouble, 8),   column("YM", OracleType::kIntervalYm, 5),
      column("DS", OracleType::kIntervalDs, 11),    column("B", OracleType::kBoolean, 4),
      column("RID", OracleType::kRowid, 18),        column("U", OracleType::kUrowid, 0),
      column("NOTHING", OracleType::kVarchar, 0)};
  columns[3].form = CharsetForm::kNational;
  return columns;
}

std::vector<CellKind> natural_kinds(const std::vector<ColumnDescription>& columns) {
  std::vector<CellKind> kinds;
  for (const ColumnDescription& one : columns) kinds.push_back(*natural_kind(one));
  return kinds;
}

wire::Bytes full_row() {
  Writer out;
  out.clr(number("-1234567.89"));
  out.clr(number("42"));
  out.clr(std::string(700, 'v') + "é");
  out.clr(wire::utf8_to_utf16("né \xF0\x9F\x8E\x89"));
  out.clr(std::string_view("\xDE\xAD\x00\xBE", 4));
  out.clr(*wire::from_hex("787E08090D0E0F"));
  out.clr(*wire::from_hex("787E08090D0E0F075BCD15"));
  out.clr(*wire::from_hex("787E08090D0E0F075BCD15165A"));
  out.clr(*wire::from_hex("787E08090D0E0F"));
  out.clr(*wire::from_hex("BFC00000"));
  out.clr(*wire::from_hex("400FFFFFFFFFFFFF"));
  out.clr(*wire::from_hex("7FFFFFFF3A"));
  out.clr(*wire::from_hex("800000034041429DCD6500"));
  out.clr(std::string_view("\x01\x01", 2));
  out.u8(1);
  out.ub4(73196);
  out.ub2(4);
  out.u8(0);
  out.ub4(171);
  out.ub2(5);
  out.ub4(13);
  out.clr(*wire::from_hex("0100011DEC0004000000AB0005"));
  return out.take();
}

TEST(RowDecoder, DecodesEveryScalarTypeCutAtEveryByte) {
  const auto columns = all_columns();
  auto kinds = natural_kinds(columns);
  kinds[1] = CellKind::kInt64;
  RowDecoder::Options options;
  options.database_zone.offset_minutes = 120;
  const wire::Bytes row = full_row();
  const std::vector<std::string> expected = {"-1234567.89",
                                             "42",
                                             std::string(700, 'v') + "é",
                                             "né \xF0\x9F\x8E\x89",
                                             "dead00be",
                                             "2026-08-09 12:13:14",
                                             "2026-08-09 12:13:14.123456789",
                                             "2026-08-09 14:43:14.123456789 +02:30",
                                             "2026-08-09 10:13:14 +00:00",
                                             "1.5",
                                             "-1",
                                             "-1-02",
                                             "+3 04:05:06.5",
                                             "true",
                                             "AAAR3sAAEAAAACrAAF",
                                             "AAAR3sAAEAAAACrAAF",
                                             "NULL"};
  RowDecoder decoder = make(columns, kinds, options);
  RowBatch batch(64 * 1024 * 1024);
  batch.reset(columns.size());
  for (std::size_t step = 1; step <= row.size(); step += step < 40 ? 1 : 97) {
    ASSERT_EQ(feed(decoder, row, step, batch), RowStep::kRow) << step;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(text_at(batch, batch.row_count() - 1, i), expected[i]) << columns[i].name;
    }
  }
  EXPECT_EQ(decoder.row_count(), batch.row_count());
}

TEST(RowDecoder, TakesBothFormsOfNull) {
  const auto columns = all_columns();
  RowDecoder decoder = make(columns, natural_kinds(columns));
  RowBatch batch;
  batch.reset(columns.size());
  wire::Bytes zeros(columns.size() - 1, 0), ones(columns.size() - 1, 0xFF);
  ones[15] = 0;  // a UROWID begins with an integer
  EXPECT_EQ(feed(decoder, zeros, 1, batch), RowStep::kRow);
  EXPECT_EQ(feed(decoder, ones, 1, batch), RowStep::kRow);
  for (std::size_t r = 0; r < 2; ++r) {
    for (std::size_t i = 0; i < columns.size(); ++i) EXPECT_EQ(text_at(batch, r, i), "NULL");
  }
}

TEST(RowDecoder, RepeatsValuesWithinAndAcrossBatches) {
  const std::vector<ColumnDescription> columns = {column("A", OracleType::kNumber, 22),
                                                  column("B", OracleType::kVarchar, 40),
                                                  column("C", OracleType::kNumber, 22)};
  RowDecoder decoder = make(columns, natural_kinds(columns));
  RowBatch batch;
  batch.reset(3);
  Writer whole;
  whole.clr(number("1"));
  whole.clr("text");
  whole.clr(number("12345678901234567890"));
  ASSERT_EQ(feed(decoder, whole.bytes(), 1, batch), RowStep::kRow);
  Writer first_only;
  first_only.clr(number("2"));
  const std::string first_bit(1, '\x01');
  decoder.set_bit_vector(first_bit);
  ASSERT_EQ(feed(decoder, first_only.bytes(), 1, batch), RowStep::kRow);
  EXPECT_EQ(text_at(batch, 1, 0), "2");
  EXPECT_EQ(text_at(batch, 1, 1), "text");
  decoder.hand_over(batch);
  batch.reset(3);
  decoder.set_bit_vector(std::string(1, '\0'));
  std::size_t consumed = 9;
  ASSERT_EQ(decoder.decode({}, consumed, batch), RowStep::kRow) << "nothing is sent";
  EXPECT_EQ(text_at(batch, 0, 0), "2");
  EXPECT_EQ(text_at(batch, 0, 1), "text");
  EXPECT_EQ(text_at(batch, 0, 2), "12345678901234567890");
  ASSERT_EQ(feed(decoder, whole.bytes(), 1, batch), RowStep::kRow) << "the vector is used up";
}

TEST(RowDecoder, RefusesARepetitionOfNothing) {
  RowDecoder decoder = make({column("A", OracleType::kNumber, 22)}, {CellKind::kDecimal});
  RowBatch batch;
  batch.reset(1);
  decoder.set_bit_vector(std::string(1, '\0'));
  std::size_t consumed = 0;
  EXPECT_EQ(decoder.decode({}, consumed, batch), RowStep::kError);
}

void put_long(Writer& out, std::string_view value) {
  out.clr(value);
  out.sb4(0);
  out.ub4(0);
}

TEST(RowDecoder, StreamsLongValuesAndSpillsTheLargeOnes) {
  std::vector<ColumnDescription> columns = {
      column("ID", OracleType::kNumber, 22), column("C", OracleType::kClob, 4000),
      column("B", OracleType::kBlob, 4000), column("NC", OracleType::kClob, 4000)};
  columns[3].form = CharsetForm::kNational;
  RowDecoder::Options options;
  options.lobs_inline = true;
  options.inline_max_bytes = 1000;
  options.spill_directory = std::filesystem::temp_directory_path();
  const std::string large(5000, 'L');
  Writer row;
  row.clr(number("1"));
  put_long(row, large);
  put_long(row, "small");
  put_long(row, wire::utf8_to_utf16("n\xC3\xA9\xF0\x9F\x8E\x89"));
  for (const std::size_t step : {1U, 7U, 300U, 100'000U}) {
    RowDecoder decoder = make(columns, natural_kinds(columns), options);
    RowBatch batch;
    batch.reset(4);
    ASSERT_EQ(feed(decoder, row.bytes(), step, batch), RowStep::kRow);
    const Cell& clob = batch.at(0, 1);
    ASSERT_EQ(clob.state, CellState::kSpilled);
    const auto& spilled = *reinterpret_cast<const SpilledValue*>(clob.payload.ptr);
    ASSERT_EQ(spilled.size_bytes, large.size());
    std::string back(large.size(), '\0');
    auto read = spilled.file->read(spilled.offset_bytes, std::as_writable_bytes(std::span(back)));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(back, large);
    EXPECT_EQ(batch.at(0, 2).bytes(), "small");
    EXPECT_EQ(batch.at(0, 3).bytes(), "n\xC3\xA9\xF0\x9F\x8E\x89");

    // The next batch repeats all of it.
    decoder.hand_over(batch);
    RowBatch next;
    next.reset(4);
    decoder.set_bit_vector(std::string(1, '\0'));
    std::size_t consumed = 0;
    ASSERT_EQ(decoder.decode({}, consumed, next), RowStep::kRow);
    batch.reset(4);
    const auto& again = *reinterpret_cast<const SpilledValue*>(next.at(0, 1).payload.ptr);
    ASSERT_EQ(next.at(0, 1).state, CellState::kSpilled);
    read = again.file->read(again.offset_bytes, std::as_writable_bytes(std::span(back)));
    EXPECT_TRUE(read.ok());
    EXPECT_EQ(back, large);
  }
}

TEST(RowDecoder, TellsATruncatedLong) {
  RowDecoder decoder = make({column("L", OracleType::kLong, 0)}, {CellKind::kText});
  RowBatch batch;
  batch.reset(1);
  Writer row;
  row.clr("cut");
  row.sb4(100);
  row.ub4(1406);
  ASSERT_EQ(feed(decoder, row.bytes(), 1, batch), RowStep::kError);
  EXPECT_EQ(decoder.take_error().kind, ErrorKind::kData);
}

TEST(RowDecoder, NamesColumnAndRowOfABadValue) {
  struct Case {
    OracleType type;
    CellKind kind;
    std::string image;
  };
  const Case cases[] = {{OracleType::kNumber, CellKind::kInt64, number("1.5")},
                        {OracleType::kNumber, CellKind::kDecimal, "\xC1\x02\xFF\x02"},
                        {OracleType::kDate, CellKind::kTimestamp, std::string(7, '\x01')},
                        {OracleType::kTimestampTz, CellKind::kTimestampTz, "xx"},
                        {OracleType::kIntervalYm, CellKind::kIntervalYm, "x"},
                        {OracleType::kBinaryFloat, CellKind::kFloat32, "abc"},
                        {OracleType::kBinaryDouble, CellKind::kFloat64, "abc"},
                        {OracleType::kBoolean, CellKind::kBool, "abc"}};
  for (const Case& one : cases) {
    RowDecoder decoder = make({column("BAD", one.type, 22)}, {one.kind});
    RowBatch batch;
    batch.reset(1);
    ASSERT_EQ(feed(decoder, wire::Bytes{0}, 1, batch), RowStep::kRow);
    Writer row;
    row.clr(one.image);
    ASSERT_EQ(feed(decoder, row.bytes(), 100, batch), RowStep::kError) << name_of(one.type);
    const Error error = decoder.take_error();
    EXPECT_EQ(error.kind, ErrorKind::kData);
    EXPECT_NE(error.message.find("BAD in row 2"), std::string::npos) << error.message;
  }
}

TEST(RowDecoder, RefusesKindsAndTypesItCannotGive) {
  const auto code_of = [](OracleType type, CellKind kind) {
    const ColumnDescription columns[] = {column("X", type, 22)};
    const CellKind kinds[] = {kind};
    auto decoder = RowDecoder::make(columns, kinds, wire::Dialect(), {});
    return decoder.ok() ? "ok" : decoder.error().code;
  };
  EXPECT_EQ(code_of(OracleType::kNumber, CellKind::kText), "oracle.column_kind");
  EXPECT_EQ(code_of(OracleType::kDate, CellKind::kTimestampTz), "oracle.column_kind");
  EXPECT_EQ(code_of(OracleType::kBfile, CellKind::kBytes), "ok");
  EXPECT_EQ(code_of(OracleType::kRef, CellKind::kText), "oracle.column_type");
  EXPECT_EQ(code_of(OracleType::kObject, CellKind::kText), "oracle.column_type");
  EXPECT_EQ(code_of(OracleType::kBinaryFloat, CellKind::kFloat64), "ok");
}

void put_document(Writer& out, std::string_view image) {
  out.ub4(40);
  out.ub8(image.size());
  out.ub4(0);
  out.clr(image);
  out.clr(std::string(40, 'l'));
}

void put_object(Writer& out, std::string_view image) {
  out.dlc(std::string(16, 't'));
  out.dlc(std::string_view());
  out.dlc(std::string_view());
  out.ub2(1);
  out.ub4(static_cast<std::uint32_t>(image.size()));
  out.ub2(0);
  if (!image.empty()) out.clr(image);
}

std::string xml_image(std::string_view text) {
  Writer image;
  image.u8(0x84);
  image.u8(1);
  image.u8(0xFE);
  image.u32(static_cast<std::uint32_t>(text.size() + 12));
  image.u8(1);
  image.u32(0x04);
  image.raw(text);
  return std::string(wire::text_of(image.bytes()));
}

ColumnDescription xml_column() {
  ColumnDescription xml = column("X", OracleType::kObject, 2000);
  xml.type_schema = "SYS";
  xml.type_name = "XMLTYPE";
  return xml;
}

TEST(RowDecoder, ReadsDocumentsVectorsAndFileNames) {
  const auto columns = std::vector<ColumnDescription>{
      column("J", OracleType::kJson, 4000), column("V", OracleType::kVector, 4000),
      column("F", OracleType::kBfile, 530), column("J2", OracleType::kJson, 4000)};
  std::string problem;
  const float elements[] = {1.5F, -2.0F};
  Writer locator;
  locator.zeros(16);
  locator.u16(3);
  locator.raw(std::string_view("DIR"));
  locator.u16(5);
  locator.raw(std::string_view("a.txt"));
  Writer row;
  put_document(row, *wire::json_to_oson(R"({"a":[1,null]})", problem));
  put_document(row, wire::vector_image(std::span<const float>(elements)));
  row.ub4(static_cast<std::uint32_t>(locator.size()));
  row.clr(locator.bytes());
  row.ub4(0);
  for (const std::size_t step : {1U, 7U, 1000U}) {
    RowDecoder decoder = make(columns, natural_kinds(columns));
    RowBatch batch;
    batch.reset(columns.size());
    ASSERT_EQ(feed(decoder, row.bytes(), step, batch), RowStep::kRow);
    EXPECT_EQ(text_at(batch, 0, 0), R"({"a":[1,null]})");
    EXPECT_EQ(text_at(batch, 0, 1), "[1.5, -2]");
    EXPECT_EQ(text_at(batch, 0, 2), "DIR/a.txt");
    EXPECT_EQ(text_at(batch, 0, 3), "NULL");
  }
}

TEST(RowDecoder, ReadsXmlInTheDatabaseCharacterSet) {
  const std::vector<ColumnDescription> columns = {xml_column()};
  const CellKind kinds[] = {CellKind::kText};
  wire::Dialect dialect;
  dialect.database_charset = 46;  // WE8ISO8859P15
  auto decoder = RowDecoder::make(columns, kinds, dialect, {});
  ASSERT_TRUE(decoder.ok());
  RowBatch batch;
  batch.reset(1);
  Writer row;
  put_object(row, xml_image("<p>\xA4</p>"));
  ASSERT_EQ(feed(*decoder, row.bytes(), 3, batch), RowStep::kRow);
  const wire::LobValue& value = wire::lob_of(batch.at(0, 0));
  EXPECT_TRUE(value.is_complete);
  EXPECT_EQ(wire::text_of(value.data()), "<p>\xE2\x82\xAC</p>");
}

/// Servers say anything of the character set form of columns that hold no text.
TEST(RowDecoder, IgnoresTheFormOfBinaryColumns) {
  std::vector<ColumnDescription> columns = {column("L", OracleType::kLongRaw, 0),
                                            column("B", OracleType::kBlob, 4000)};
  for (ColumnDescription& each : columns) each.form = CharsetForm::kNational;
  RowDecoder::Options options;
  options.lobs_inline = true;
  Writer row;
  for (int i = 0; i < 2; ++i) {
    row.clr(std::string("\xD8\x00\x01", 3));  // half a surrogate pair, and half a unit
    row.u8(0);
    row.u8(0);
  }
  for (const std::size_t step : {1U, 1000U}) {
    RowDecoder decoder = make(columns, {CellKind::kBytes, CellKind::kBytes}, options);
    RowBatch batch;
    batch.reset(columns.size());
    ASSERT_EQ(feed(decoder, row.bytes(), step, batch), RowStep::kRow);
    EXPECT_EQ(text_at(batch, 0, 0), "d80001");
    EXPECT_EQ(text_at(batch, 0, 1), "d80001");
  }
}

TEST(RowDecoder, RefusesXmlOfAnotherFormWithARemedy) {
  const std::vector<ColumnDescription> columns = {xml_column()};
  for (const std::uint32_t flags : {0x01000001U, 0x00000002U}) {
    Writer image, row;
    image.raw(std::string_view("\x84\x01\x10\x01", 4));
    image.u32(flags);
    image.raw(std::string_view("locator"));
    put_object(row, wire::text_of(image.bytes()));
    RowDecoder decoder = make(columns, {CellKind::kText});
    RowBatch batch;
    batch.reset(1);
    ASSERT_EQ(feed(decoder, row.bytes(), 1000, batch), RowStep::kError);
    const Error error = decoder.take_error();
    EXPECT_EQ(error.code, "oracle.value");
    EXPECT_NE(error.hint.find("XMLSERIALIZE"), std::string::npos) << error.hint;
  }
}

/// Images of objects as servers build them: a header, then attributes with lengths of their own.
std::string object_image(std::uint8_t flags, const std::string& content) {
  Writer image;
  image.u8(flags);
  image.u8(1);
  image.u8(0xFE);
  image.u32(static_cast<std::uint32_t>(content.size() + 7));
  image.raw(content);
  return std::string(wire::text_of(image.bytes()));
}

/// A collection of `count` objects, every third of them null, with a text of 300 bytes each.
std::string collection_image(std::uint32_t count) {
  Writer content;
  content.raw(std::string_view("\x01\x01\x00", 3));  // prefix segment, flags of the collection
  content.u8(0xFE);
  content.u32(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i % 3 == 0) {
      content.u8(0xFD);
      continue;
    }
    content.raw(std::string_view("\x02\xC1\x02\xFF", 4));  // a number, a null attribute
    content.u8(0xFE);
    content.u32(300);
    content.raw(std::string(300, 'n'));
  }
  return object_image(0x88, std::string(wire::text_of(content.bytes())));
}

TEST(RowDecoder, SkipsObjectsAndCollectionsWhole) {
  std::vector<ColumnDescription> columns = {
      column("A", OracleType::kNumber, 22), column("O", OracleType::kObject, 2000),
      column("C", OracleType::kObject, 2000), column("Z", OracleType::kVarchar, 20)};
  columns[1].type_name = "ADDRESS";
  columns[2].type_name = "ADDRESSES";
  const std::vector<CellKind> kinds = {CellKind::kInt64, CellKind::kText, CellKind::kText,
                                       CellKind::kText};
  const std::string nested = object_image(0x84, "\x02\xC1\x05" + collection_image(2));
  const std::vector<std::string> images = {
      "",     object_image(0x84, "\xFF"), object_image(0x84, "\xFD"),
      nested, collection_image(0),        collection_image(60)};
  RowDecoder::Options options;
  options.skip_unreadable = true;
  for (const wire::ChunkLength chunks : {wire::ChunkLength::kUb4, wire::ChunkLength::kUb1}) {
    Writer rows(chunks);
    for (const std::string& image : images) {
      rows.clr(number("7"));
      put_object(rows, image);
      put_object(rows, images[images.size() - 1 - rows.size() % 2]);
      rows.clr("end");
    }
    wire::Dialect dialect;
    dialect.chunks = chunks;
    for (const std::size_t step : {1U, 251U, 1000000U}) {
      auto decoder = RowDecoder::make(columns, kinds, dialect, options);
      ASSERT_TRUE(decoder.ok());
      RowBatch batch;
      batch.reset(columns.size());
      std::size_t at = 0, end = 0;
      while (at < rows.size()) {
        end = std::min(rows.size(), end + step);
        std::size_t consumed = 0;
        ASSERT_NE(
            decoder->decode(wire::ByteView(rows.bytes()).subspan(at, end - at), consumed, batch),
            RowStep::kError);
        at += consumed;
      }
      ASSERT_EQ(batch.row_count(), images.size());
      for (std::size_t r = 0; r < images.size(); ++r) {
        EXPECT_EQ(batch.at(r, 0).payload.i64, 7);
        EXPECT_TRUE(batch.at(r, 1).is_null());
        EXPECT_EQ(batch.at(r, 3).bytes(), "end");
      }
    }
  }
}

TEST(RowDecoder, KeepsInStepOverValuesItCannotRead) {
  std::vector<ColumnDescription> columns = {
      column("A", OracleType::kNumber, 22), column("O", OracleType::kObject, 2000),
      column("R", OracleType::kRef, 50), column("Z", OracleType::kVarchar, 20)};
  columns[1].type_schema = "MDSYS";
  columns[1].type_name = "SDO_GEOMETRY";
  const CellKind kinds[] = {CellKind::kInt64, CellKind::kText, CellKind::kText, CellKind::kText};
  auto refused = RowDecoder::make(columns, kinds, wire::Dialect(), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("Column O"), std::string::npos);
  EXPECT_NE(refused.error().message.find("MDSYS.SDO_GEOMETRY"), std::string::npos);
  RowDecoder::Options options;
  options.skip_unreadable = true;
  Writer rows;
  for (const std::size_t size : {0U, 10U, 70'000U}) {
    rows.clr(number("7"));
    put_object(rows, std::string(size, 'o'));
    rows.clr(std::string(36, 'r'));
    rows.clr("end");
  }
  for (const std::size_t step : {1U, 1000U}) {
    RowDecoder decoder = make(columns, {std::begin(kinds), std::end(kinds)}, options);
    RowBatch batch;
    batch.reset(columns.size());
    std::size_t at = 0, end = 0;
    while (batch.row_count() < 3 || decoder.in_row()) {
      std::size_t consumed = 0;
      ASSERT_NE(decoder.decode(wire::ByteView(rows.bytes()).subspan(at, end - at), consumed, batch),
                RowStep::kError);
      at += consumed;
      end = std::min(rows.size(), end + step);
    }
    EXPECT_EQ(at, rows.size());
    for (std::size_t r = 0; r < 3; ++r) {
      EXPECT_EQ(batch.at(r, 0).payload.i64, 7);
      EXPECT_TRUE(batch.at(r, 1).is_null());
      EXPECT_TRUE(batch.at(r, 2).is_null());
      EXPECT_EQ(batch.at(r, 3).bytes(), "end");
    }
  }
}

TEST(RowDecoder, SurvivesAnyBytes) {
  const auto columns = all_columns();
  const wire::Bytes row = full_row();
  std::uint32_t state = 12345;
  const auto random = [&state](std::uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 20'000; ++round) {
    wire::Bytes bytes = row;
    for (int k = 0; k < 3; ++k) {
      bytes[random(static_cast<std::uint32_t>(bytes.size()))] =
          static_cast<std::uint8_t>(random(256));
    }
    bytes.resize(1 + random(static_cast<std::uint32_t>(bytes.size())));
    RowDecoder decoder = make(columns, natural_kinds(columns));
    RowBatch batch;
    batch.reset(columns.size());
    std::size_t consumed = 0;
    decoder.decode(bytes, consumed, batch);
    ASSERT_LE(consumed, bytes.size());
  }
}

TEST(RowDecoder, BadValuesStayInTheirCellsWhenAskedFor) {
  const std::vector<ColumnDescription> columns = {column("N", OracleType::kNumber, 22),
                                                  column("D", OracleType::kDate, 7),
                                                  column("V", OracleType::kVarchar, 10)};
  Writer rows;
  for (const char* date : {"\x73\x64\x02\x1D\x01\x01\x01", "\x73\x64\x02\x1C\x01\x01\x01"}) {
    rows.clr(number("7"));
    rows.clr(std::string(date, 7));  // 29 and 28 February 1500
    rows.clr("end");
  }
  RowDecoder::Options options;
  options.keep_bad_values = true;
  for (const std::size_t step : {1U, 100U}) {
    RowDecoder decoder = make(columns, natural_kinds(columns), options);
    RowBatch batch;
    batch.reset(columns.size());
    std::size_t at = 0, end = 0;
    while (batch.row_count() < 2 || decoder.in_row()) {
      std::size_t consumed = 0;
      ASSERT_NE(decoder.decode(wire::ByteView(rows.bytes()).subspan(at, end - at), consumed, batch),
                RowStep::kError);
      at += consumed;
      end = std::min(rows.size(), end + step);
    }
    ASSERT_EQ(batch.at(0, 1).state, CellState::kUnreadable);
    EXPECT_EQ(batch.at(0, 1).bytes(), "is not a date of the proleptic Gregorian calendar");
    EXPECT_EQ(text_at(batch, 0, 2), "end");
    EXPECT_EQ(batch.at(1, 1).state, CellState::kSet);
  }
}

}  // namespace
}  // namespace wherry::oracle
