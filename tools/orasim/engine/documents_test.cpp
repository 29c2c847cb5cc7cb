// JSON, OSON, VECTOR, XML and object images: what goes in comes out, and damaged bytes are errors.
#include <gtest/gtest.h>

#include <functional>

#include "engine/error.h"
#include "engine/json.h"
#include "engine/json_path.h"
#include "engine/object_image.h"
#include "engine/vector.h"
#include "engine/xml.h"

namespace orasim {
namespace {

int code_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const OraError& error) {
    return error.code();
  }
  return 0;
}

std::string through_oson(const std::string& text) {
  return json_text(decode_oson(encode_oson(parse_json(text))));
}

TEST(Vectors, HaveNoNegativeZero) {
  const Vector vector = parse_vector("[-0, 1]");
  EXPECT_EQ(vector_text(vector), vector_text(decode_vector(encode_vector(vector))));
}

TEST(Oson, RefusesIntervalsThatNoIntervalHas) {
  // The interval of "days, hours, …, nanoseconds" as the only node of an image.
  const auto image = [](const std::string& parts) {
    return std::string("\xFF\x4A\x5A\x01\x00\x12\x00\x0C\x3E", 9) + parts;
  };
  const std::string good("\x80\x00\x00\x01\x3D\x3C\x3C\x80\x00\x00\x00", 11);
  EXPECT_EQ(json_text(decode_oson(image(good))), "\"P1DT1H0M0S\"");
  for (const std::size_t part : {0, 4, 5, 6, 7}) {
    std::string odd = good;
    odd[part] = '\xFF';
    EXPECT_EQ(code_of([&] { decode_oson(image(odd)); }), 40596) << part;
  }
}

TEST(JsonText, KeepsWhatItReads) {
  for (const std::string text :
       {"{}", "[]", "null", "true", "0.5", "-17", "12345678901234567890123456789012345678", "\"\"",
        R"({"a":[1,2,{"b":null}],"c":"\"\\\u0001\n"})", "[[[[1]]],[]]"}) {
    EXPECT_EQ(json_text(parse_json(text)), text);
    EXPECT_EQ(through_oson(text), text);
  }
  EXPECT_EQ(json_text(parse_json(R"(["\ud83c\udf89\u00e9"])")), "[\"\xF0\x9F\x8E\x89\xC3\xA9\"]");
  EXPECT_EQ(json_text(parse_json("{\"a\":1,\"a\":2}")), "{\"a\":2}");
  EXPECT_EQ(json_text(parse_json("[1]"), true), "[\n  1\n]");
}

TEST(JsonText, LaxSyntaxIsWider) {
  EXPECT_EQ(json_text(parse_json("{a:'x', b:TRUE,}")), "{\"a\":\"x\",\"b\":true}");
  for (const char* text : {"{a:1}", "['x']", "[1,]", "TRUE", "01"}) {
    EXPECT_EQ(code_of([&] { parse_json(text, JsonSyntax::kStrict); }), 40441) << text;
  }
  for (const char* text :
       {"", "{", "[1 2]", "{\"a\" 1}", "nul", "\"x", "[1]]", "\"\\ud800\"", "-"}) {
    EXPECT_EQ(code_of([&] { parse_json(text); }), 40441) << text;
  }
  EXPECT_EQ(code_of([&] { parse_json(std::string(5000, '[')); }), 40441);
}

TEST(Oson, CarriesTheTypesOfSql) {
  DateTime t{2026, 8, 9, 12, 13, 14, 500'000'000, 150, 0};
  const Json::Scalar scalars[] = {1.5,
                                  -0.25F,
                                  JsonBinary{std::string("\x00\xFF", 2), false},
                                  JsonBinary{std::string(12, '\x7E'), true},
                                  JsonMoment{Type::kTimestamp, t},
                                  JsonMoment{Type::kTimestampTz, t},
                                  IntervalYm{-14},
                                  IntervalDs{-90061, -500'000'000},
                                  std::string(70'000, 's')};
  const char* const texts[] = {"1.5",
                               "-0.25",
                               "00FF",
                               "7E7E7E7E7E7E7E7E7E7E7E7E",
                               "2026-08-09T12:13:14.500000",
                               "2026-08-09T14:43:14.500000+02:30",
                               "-P1Y2M",
                               "-P1DT1H1M1.500000000S",
                               nullptr};
  for (std::size_t i = 0; i < std::size(scalars); ++i) {
    Json document;
    document.scalar = scalars[i];
    const Json back = decode_oson(encode_oson(document));
    EXPECT_EQ(back.scalar.index(), scalars[i].index());
    const std::string text = json_scalar_text(back);
    EXPECT_TRUE(texts[i] == nullptr ? text.size() == 70'000 : text == texts[i]) << text;
  }
}

TEST(Oson, GrowsItsSizes) {
  std::string many = "{";
  for (int i = 0; i < 70'000; ++i)
    many += "\"n" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  many.back() = '}';
  const Json wide = decode_oson(encode_oson(parse_json(many)));
  ASSERT_EQ(wide.items.size(), 70'000U);
  EXPECT_EQ(json_text(*wide.member("n69999")), "69999");
  const std::string long_name(1000, 'k');
  EXPECT_EQ(through_oson("{\"" + long_name + "\":[1]}"), "{\"" + long_name + "\":[1]}");
  // Objects of one shape share their list of names.
  const std::string rows = R"([{"a":1,"b":2},{"a":3,"b":4},{"a":5,"b":6}])";
  const std::string alone = R"([{"a":1,"b":2}])";
  EXPECT_LT(encode_oson(parse_json(rows)).size(), encode_oson(parse_json(alone)).size() + 31);
  EXPECT_EQ(json_text(*json_at(decode_oson(encode_oson(parse_json(rows))), "$[2].b")), "6");
}

/// As 21c writes it: flags 0x2106, nodes of containers 0x84 and 0xC4.
TEST(Oson, HasTheFormOfAServersImages) {
  const std::string image = encode_oson(parse_json(R"({"s":["x"]})"));
  const std::string head("\xFF\x4A\x5A\x01\x21\x06\x01\x00\x02", 9);
  EXPECT_EQ(image.substr(0, head.size()), head);
  EXPECT_NE(image.find("\x84\x01\x01"), std::string::npos);
  EXPECT_NE(image.find("\xC4\x01"), std::string::npos);
}

/// The list of an object is as wide as the ids in it: there are readers that know one width.
TEST(Oson, CountsAndIdsOfAnObjectAreOfOneWidth) {
  std::string many = R"({"few":{"one":1},)";
  for (int i = 0; i < 300; ++i) many += "\"n" + std::to_string(i) + "\":0,";
  many.back() = '}';
  const std::string image = encode_oson(parse_json(many));
  EXPECT_NE(image.find(std::string("\x8C\x00\x01", 3)), std::string::npos);
  EXPECT_EQ(json_text(*json_at(decode_oson(image), "$.few.one")), "1");
}

/// A donor of field ids is told by its place in the tree, whatever the places of values count from.
TEST(Oson, DonorsAreAbsoluteAmongRelativeOffsets) {
  const std::string head("\xFF\x4A\x5A\x01\x21\x07\x01\x00\x02\x00\x14\x00\x00", 13);
  const std::string names(
      "\x2C\x00\x00\x01"
      "a",
      5);
  const std::string array("\xC4\x02\x00\x06\x00\x0E", 6);
  const std::string donor("\x84\x01\x01\x00\x05\x42\xC1\x02", 8);
  const std::string other("\x9C\x00\x06\x00\x05\x31", 6);
  EXPECT_EQ(json_text(decode_oson(head + names + array + donor + other)),
            R"([{"a":1},{"a":true}])");
}

TEST(Oson, DamagedImagesAreErrors) {
  const std::string image = encode_oson(parse_json(R"({"a":[1,"xyz",{"b":null}],"c":1.5})"));
  for (std::size_t size = 0; size < image.size(); ++size) {
    EXPECT_EQ(code_of([&] { decode_oson(image.substr(0, size)); }), 40596) << size;
  }
  for (std::size_t at = 0; at < image.size(); ++at) {
    for (const int bits : {0x01, 0x80, 0xFF}) {
      std::string damaged = image;
      damaged[at] = static_cast<char>(damaged[at] ^ bits);
      const int code = code_of([&] { decode_oson(damaged); });
      EXPECT_TRUE(code == 0 || code == 40596) << at;
    }
  }
}

TEST(JsonPath, NamesOneValue) {
  const Json document = parse_json(R"({"a":{"b c":[10,20]},"s":"x"})");
  EXPECT_EQ(json_text(*json_at(document, "$.a.\"b c\"[1]")), "20");
  EXPECT_EQ(json_text(*json_at(document, "$.s[0]")), "\"x\"");
  EXPECT_EQ(json_at(document, "$.a.nothing.more"), nullptr);
  EXPECT_EQ(code_of([&] { json_at(document, "a.b"); }), 40442);
  EXPECT_EQ(code_of([&] { json_at(document, "$.a["); }), 40442);
}

TEST(Vectors, TextAndImageOfEveryFormat) {
  const auto round = [](const std::string& text, VectorFormat format) {
    return vector_text(decode_vector(encode_vector(parse_vector(text, format))));
  };
  EXPECT_EQ(round("[1, -0.5,2e3]", VectorFormat::kFloat32), "[1.0E+000,-5.0E-001,2.0E+003]");
  EXPECT_EQ(round("[0.1]", VectorFormat::kFloat64), "[1.0E-001]");
  EXPECT_EQ(round("[-128,127]", VectorFormat::kInt8), "[-128,127]");
  EXPECT_EQ(round("[255,0]", VectorFormat::kBinary), "[255,0]");
  EXPECT_EQ(round("[9,[2,9],[1,-1]]", VectorFormat::kInt8), "[9,[2,9],[1,-1]]");
  EXPECT_EQ(vector_text(dense_form(parse_vector("[3,[2],[5]]", VectorFormat::kInt8))), "[0,5,0]");
  EXPECT_EQ(vector_text(sparse_form(parse_vector("[0,5,0]", VectorFormat::kInt8))), "[3,[2],[5]]");
  for (const char* text :
       {"", "[]", "[1", "[1]x", "[a]", "[1,]", "[2,[3],[1]]", "[2,[1,1],[1,2]]"}) {
    EXPECT_EQ(code_of([&] { parse_vector(text); }), 51805) << text;
  }
  EXPECT_EQ(code_of([&] { parse_vector("[200]", VectorFormat::kInt8); }), 51806);
  const std::string image = encode_vector(parse_vector("[9,[2,9],[1,-1]]"));
  for (std::size_t size = 0; size < image.size(); ++size) {
    EXPECT_EQ(code_of([&] { decode_vector(image.substr(0, size)); }), 51808) << size;
  }
}

TEST(Xml, OneWellFormedElement) {
  for (const char* text :
       {"<a/>", "<?xml version=\"1.0\"?><a><b c='1'>&lt;</b><!-- x > y --></a>\n",
        "<x:a xmlns:x=\"u\"><![CDATA[<&]]></x:a>", "<é>n</é>"}) {
    EXPECT_NO_THROW(check_xml(text)) << text;
  }
  for (const char* text : {"", "x", "<a>", "<a></b>", "<a/><b/>", "<a b></a>", "<a b=1/>",
                           "<a>&</a>", "<1/>", "<a", "</a>"}) {
    EXPECT_EQ(code_of([&] { check_xml(text); }), 31011) << text;
  }
}

TEST(ObjectImages, NestAndHoldNulls) {
  auto point = std::make_shared<ObjectType>();
  point->oid = std::string(kOidBytes, '\1');
  DataType number, text, moment, inner, list;
  number.type = Type::kNumber;
  text.national = true;
  moment.type = Type::kTimestampTz;
  point->attributes = {{"X", number}, {"Y", number}};
  auto names = std::make_shared<ObjectType>();
  names->oid = std::string(kOidBytes, '\2');
  names->kind = ObjectType::Kind::kVarray;
  names->attributes = {{"", text}};
  inner.type = list.type = Type::kObject;
  inner.object = point;
  list.object = names;
  ObjectType place;
  place.oid = std::string(kOidBytes, '\3');
  place.attributes = {{"AT", inner}, {"NAMES", list}, {"WHEN", moment}, {"NONE", inner}};
  const Row two = {make_int(1), make_null(Type::kNumber)};
  const Row some = {make_text("\xD0\xAF \xF0\x9F\x8E\x89", Type::kVarchar2, true),
                    Value{Type::kVarchar2, true, {}}};
  const Value object = make_object(
      place, {make_object(*point, two), make_object(*names, some),
              Value{Type::kTimestampTz, false, DateTime{2026, 1, 2}}, make_null(Type::kObject)});
  EXPECT_EQ(object_oid(object), place.oid);
  const Row parts = object_parts(place, object);
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(object_parts(*point, parts[0])[0].number(), Number::from_int(1));
  EXPECT_TRUE(object_parts(*point, parts[0])[1].is_null());
  EXPECT_EQ(object_parts(*names, parts[1])[0].text(), some[0].text());
  EXPECT_TRUE(object_parts(*names, parts[1])[1].is_null());
  EXPECT_EQ(parts[2].date_time().year, 2026);
  EXPECT_TRUE(parts[3].is_null());
}

}  // namespace
}  // namespace orasim
