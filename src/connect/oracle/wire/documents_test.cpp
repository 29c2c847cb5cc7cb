// JSON, VECTOR and XMLTYPE images.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "connect/oracle/wire/charset.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/object_value.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/sortable.h"
#include "connect/oracle/wire/vector_image.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {
namespace {

std::string json_of(std::string_view image) {
  std::string text;
  const ValueStatus status = oson_to_json(bytes_of(image), text);
  return status == ValueStatus::kOk ? text : "bad: " + std::string(describe(status));
}

std::string oson_of(std::string_view json) {
  std::string problem;
  auto image = json_to_oson(json, problem);
  EXPECT_TRUE(image.has_value()) << problem << " in " << json.substr(0, 80);
  return image.value_or(std::string());
}

/// An image that is one scalar node.
std::string scalar(const Bytes& node) {
  Writer out;
  out.raw(ByteView(node));
  Writer image;
  image.raw(std::string_view("\xFF\x4A\x5A\x01", 4));
  image.u16(0x0012);
  image.u16(static_cast<std::uint16_t>(node.size()));
  image.raw(out.bytes());
  return std::string(text_of(image.bytes()));
}

Bytes node_of(std::uint8_t type, std::string_view content) {
  Writer out;
  out.u8(type);
  out.raw(content);
  return out.take();
}

TEST(Oson, GivesBackWhatWasEncoded) {
  std::string many = "{", deep, long_name = "{\"" + std::string(300, 'n') + "\":1,\"s\":2}";
  for (int i = 0; i < 70'000; ++i) {
    many += (i == 0 ? "\"" : ",\"") + ("field" + std::to_string(i)) + "\":" + std::to_string(i);
  }
  many += "}";
  for (int i = 0; i < 900; ++i) deep += "[";
  deep += "7";
  for (int i = 0; i < 900; ++i) deep += "]";
  const std::string documents[] = {"null",
                                   "true",
                                   "false",
                                   "0",
                                   "-12.5",
                                   "\"\"",
                                   "\"text\"",
                                   "[]",
                                   "{}",
                                   "[1,[2,[]],{\"a\":{}}]",
                                   R"({"b":1,"a":[true,false,null],"c":{"b":"x","a":""}})",
                                   R"(["\"\\\n\r\t\u0001 é 🎉"])",
                                   "123456789012345678901234567890123456789",
                                   "[\"" + std::string(31, 's') + "\",\"" + std::string(32, 's') +
                                       "\",\"" + std::string(255, 's') + "\",\"" +
                                       std::string(256, 's') + "\",\"" + std::string(70'000, 's') +
                                       "\"]",
                                   long_name,
                                   deep,
                                   many};
  for (const std::string& document : documents) {
    EXPECT_TRUE(json_of(oson_of(document)) == document) << document.substr(0, 200);
  }
  EXPECT_EQ(json_of(oson_of(" [ 1e2 , 1.50 ] ")), "[100,1.5]");
}

TEST(Oson, RefusesTextThatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\"}", "nul", "1e200", "\"\xFF\""}) {
    std::string problem;
    EXPECT_FALSE(json_to_oson(text, problem).has_value()) << text;
    EXPECT_FALSE(problem.empty());
  }
}

TEST(Oson, PrintsEveryScalar) {
  const std::string date = encode_date(1786277594000000);
  const std::string moment = encode_timestamp(1786277594123456, 0);
  std::string number = *encode_number("-123.5"), sorted_double, sorted_float;
  append_sortable(2.5, sorted_double);
  append_sortable(-0.5F, sorted_float);
  const auto head = [](std::size_t size) { return std::string(1, static_cast<char>(size)); };
  const std::pair<Bytes, std::string> cases[] = {
      {node_of(0x00, ""), "\"\""},
      {node_of(0x02, "ab"), "\"ab\""},
      {node_of(static_cast<std::uint8_t>(0x20 + number.size() - 1), number), "-123.5"},
      {node_of(static_cast<std::uint8_t>(0x60 + number.size() - 1), number), "-123.5"},
      {node_of(static_cast<std::uint8_t>(0x40 + number.size()), number), "-123.5"},
      {node_of(0x34, head(number.size()) + number), "-123.5"},
      {node_of(0x36, sorted_double), "2.5"},
      {node_of(0x7F, sorted_float), "-0.5"},
      {node_of(0x3C, date), "\"2026-08-09T12:13:14\""},
      {node_of(0x7D, date), "\"2026-08-09T12:13:14\""},
      {node_of(0x39, moment), "\"2026-08-09T12:13:14.123456\""},
      {node_of(0x7C, encode_timestamp_tz(1786277594123456, 0, 150)),
       "\"2026-08-09T14:43:14.123456+02:30\""},
      {node_of(0x7C, encode_timestamp_tz(1786277594000000, 0, 0)), "\"2026-08-09T12:13:14Z\""},
      {node_of(0x3D, encode_interval_ym(-14)), "\"-P1Y2M\""},
      {node_of(0x3E, encode_interval_ds(273906, 500000000)), "\"P3DT4H5M6.5S\""},
      {node_of(0x3A, std::string("\0\2\xAB\xCD", 4)), "\"ABCD\""},
      {node_of(0x7E, "\x02\xAB\xCD"), "\"ABCD\""},
  };
  for (const auto& [node, text] : cases) EXPECT_EQ(json_of(scalar(node)), text);
}

/// [{"a":1},{"a":2}], the second object with the fields of the first; places of the two numbers.
std::string shared_fields(std::uint8_t flags, std::uint8_t first, std::uint8_t second) {
  const Bytes tree = {0xC0, 2,    0, 6, 0,      16,  // 0: array, two children
                      0x84, 1,    1, 0, first,       // 6: object, one field
                      0x21, 0xC1, 2, 0, 0,           // 11: 1
                      0x9C, 0,    6, 0, second,      // 16: object with the fields of the one at 6
                      0x21, 0xC1, 3};                // 21: 2
  Writer image;
  image.raw(std::string_view("\xFF\x4A\x5A\x01\x01", 5));
  image.u8(flags);
  image.u8(1);
  image.u16(2);
  image.u16(static_cast<std::uint16_t>(tree.size()));
  image.u16(0);
  image.u8(0x2C);
  image.u16(0);
  image.raw(
      std::string_view("\x01"
                       "a",
                       2));
  image.raw(ByteView(tree));
  return std::string(text_of(image.bytes()));
}

TEST(Oson, FollowsSharedFieldsAndRelativeOffsets) {
  EXPECT_EQ(json_of(shared_fields(0x02, 11, 21)), R"([{"a":1},{"a":2}])");
  EXPECT_EQ(json_of(shared_fields(0x03, 11 - 6, 21 - 16)), R"([{"a":1},{"a":2}])");
}

TEST(Oson, NeverFailsOnDamagedImages) {
  const std::string image = oson_of(
      R"({"name":"x","list":[1,2.5,"three",null,true,{"deep":[[],{}]}],"other":{"name":-7}})");
  std::uint32_t state = 99;
  const auto random = [&state](std::size_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = image.substr(0, 1 + random(image.size()));
    damaged[random(damaged.size())] = static_cast<char>(random(256));
    std::string text;
    (void)oson_to_json(bytes_of(damaged), text);
    EXPECT_LT(text.size(), 3U * 1024 * 1024);
  }
}

TEST(Vector, PrintsDenseSparseAndBinary) {
  const float floats[] = {1.5F, -2.0F, 0.1F};
  const double doubles[] = {0.1};
  const std::int8_t bytes[] = {-128, 127};
  std::string text;
  EXPECT_EQ(vector_to_text(bytes_of(vector_image(std::span<const float>(floats))), text),
            ValueStatus::kOk);
  EXPECT_EQ(text, "[1.5, -2, 0.1]");
  text.clear();
  vector_to_text(bytes_of(vector_image(std::span<const double>(doubles))), text);
  EXPECT_EQ(text, "[0.1]");
  text.clear();
  vector_to_text(bytes_of(vector_image(std::span<const std::int8_t>(bytes))), text);
  EXPECT_EQ(text, "[-128, 127]");
  text.clear();
  Writer sparse;
  sparse.raw(std::string_view("\xDB\x02\x00\x20\x04\x00\x00\x00\x09\x00\x02", 11));
  sparse.u32(0);
  sparse.u32(8);
  sparse.raw(std::string_view("\x05\xFB", 2));
  EXPECT_EQ(vector_to_text(sparse.bytes(), text), ValueStatus::kOk);
  EXPECT_EQ(text, "[9, [1, 9], [5, -5]]");
  text.clear();
  EXPECT_NE(vector_to_text(ByteView(sparse.bytes()).first(15), text), ValueStatus::kOk);
}

TEST(Xml, FindsTextAndLocators) {
  Writer text;
  text.raw(std::string_view("\x84\x01\x10\x01\x00\x10\x00\x04\x00\x00\x00\x00<a/>", 16));
  const auto content = parse_xml_image(text.bytes());
  ASSERT_TRUE(content.has_value());
  EXPECT_FALSE(content->is_locator);
  EXPECT_EQ(text_of(content->bytes), "<a/>");
  Writer with_prefix;
  with_prefix.raw(std::string_view("\x80\x01\x10\x03pre\x01\x00\x00\x00\x01LOB", 15));
  const auto lob = parse_xml_image(with_prefix.bytes());
  ASSERT_TRUE(lob.has_value());
  EXPECT_TRUE(lob->is_locator);
  EXPECT_EQ(text_of(lob->bytes), "LOB");
  EXPECT_FALSE(parse_xml_image(bytes_of(std::string_view("\x84\x01\x10\x01\0\0\0\x02", 8))));
  EXPECT_FALSE(parse_xml_image(bytes_of(std::string_view("\x84", 1))));
  // 11g's columns of CLOB storage: no locator that can be read.
  EXPECT_FALSE(parse_xml_image(bytes_of(std::string_view("\x84\x01\x10\x01\x01\0\0\x01LOB", 11))));
}

TEST(Charset, ConvertsOrRefuses) {
  std::string text;
  EXPECT_TRUE(to_utf8("\xA4", 46, text));
  EXPECT_EQ(text, "\xE2\x82\xAC");
  EXPECT_TRUE(to_utf8("\x82\xA0", 832, text));
  EXPECT_EQ(text, "\xE3\x81\x82");
  EXPECT_TRUE(to_utf8("n\xC3\xA9", 873, text));
  EXPECT_EQ(text, "n\xC3\xA9");
  EXPECT_FALSE(to_utf8("\x81", 832, text));
  EXPECT_FALSE(to_utf8("x", 9999, text));
}

/// Names of more than 255 bytes have hashes of two bytes, and still lie in the order of the low
/// one.
TEST(Oson, LongNamesLieInTheOrderOfTheLowByteOfTheirHash) {
  const auto low_byte = [](const std::string& name) {
    std::uint32_t hash = 0x811C9DC5;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash & 0xFF;
  };
  std::string json = "{";
  std::vector<std::string> names;
  for (int i = 10; i < 60; ++i) {
    names.push_back(std::string(256, 'k') + std::to_string(i));
    json += "\"" + names.back() + "\":1,";
  }
  json.back() = '}';
  std::string problem;
  const auto image = json_to_oson(json, problem);
  ASSERT_TRUE(image.has_value()) << problem;
  std::sort(names.begin(), names.end(),
            [&](const auto& a, const auto& b) { return image->find(a) < image->find(b); });
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return low_byte(a) < low_byte(b);
  }));
}

}  // namespace
}  // namespace wherry::oracle::wire
