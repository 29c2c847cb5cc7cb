#include "mapping/json_places.h"

#include <gtest/gtest.h>

namespace wherry::mapping {
namespace {

std::string at(const JsonPlaces& places, std::string_view path) {
  const TextPlace place = places.find(path);
  return std::to_string(place.line) + ":" + std::to_string(place.column);
}

TEST(JsonPlaces, NamesKeysAndElements) {
  const JsonPlaces places(
      "{\n"
      "  \"rules\": [\n"
      "    {\"rule-id\": \"1\", \"n\": -1.5e3 , \"t\":true},\n"
      "    7, [null,8 ,\"x\\\"y\"],\n"
      "    {\"é\": {}, \"b\": []}\n"
      "  ]\n"
      "}");
  EXPECT_EQ(at(places, ""), "1:1");
  EXPECT_EQ(at(places, "/rules"), "2:3");
  EXPECT_EQ(at(places, "/rules/0"), "3:5");
  EXPECT_EQ(at(places, "/rules/0/rule-id"), "3:6");
  EXPECT_EQ(at(places, "/rules/0/n"), "3:22");
  EXPECT_EQ(at(places, "/rules/0/t"), "3:36");
  EXPECT_EQ(at(places, "/rules/1"), "4:5");
  EXPECT_EQ(at(places, "/rules/2"), "4:8");
  EXPECT_EQ(at(places, "/rules/2/0"), "4:9");
  EXPECT_EQ(at(places, "/rules/2/1"), "4:14");
  EXPECT_EQ(at(places, "/rules/2/2"), "4:17");
  EXPECT_EQ(at(places, "/rules/3/é"), "5:6");
  EXPECT_EQ(at(places, "/rules/3/b"), "5:15") << "columns are characters";
  EXPECT_TRUE(places.repeated().empty());
}

TEST(JsonPlaces, WhatIsMissingHasThePlaceOfWhatWouldHoldIt) {
  const JsonPlaces places("{\"rules\": [\n {\"a\": 1}]}");
  EXPECT_EQ(at(places, "/rules/0/rule-id"), "2:2");
  EXPECT_EQ(at(places, "/rules/9/rule-id"), "1:2");
  EXPECT_EQ(at(places, "/x/y"), "1:1");
}

TEST(JsonPlaces, TellsRepeatedKeys) {
  const JsonPlaces places(R"({"a": {"b": 1, "c": 2, "b": 3}, "a": 4})");
  EXPECT_EQ(places.repeated(), (std::vector<std::string>{"/a/b", "/a"}));
}

TEST(JsonPlaces, TakesAnyText) {
  EXPECT_EQ(at(JsonPlaces(""), "/a"), "1:1");
  EXPECT_EQ(at(JsonPlaces("{\"a\": [1, "), "/a/0"), "1:8");
  EXPECT_EQ(at(JsonPlaces("nonsense"), "/a"), "1:1");
  EXPECT_EQ(at(JsonPlaces("5"), ""), "1:1");
}

}  // namespace
}  // namespace wherry::mapping
