#include "engine/time_zone.h"

#include <gtest/gtest.h>

#include "engine/calendar.h"
#include "engine/error.h"
#include "engine/format_model.h"

namespace orasim {
namespace {

std::string local_text(const char* zone, DateTime utc) {
  parse_zone(zone)->put_into(utc);
  return format_date(to_local(utc), "YYYY-MM-DD HH24:MI TZH:TZM TZD", Nls{});
}

TEST(TimeZones, OffsetsAndNamesAreRead) {
  EXPECT_EQ(parse_zone("+02:30")->offset_minutes, 150);
  EXPECT_EQ(parse_zone("-3:15")->offset_minutes, -195);
  EXPECT_EQ(parse_zone("europe/BERLIN")->region_id, 383);
  EXPECT_EQ(zone_text(*parse_zone("europe/BERLIN")), "Europe/Berlin");
  EXPECT_EQ(zone_text(*parse_zone("-3:15")), "-03:15");
  EXPECT_FALSE(parse_zone("No/Where"));
  EXPECT_EQ(region_name(65000), "");
}

TEST(TimeZones, RegionsFollowTheirRules) {
  EXPECT_EQ(local_text("Europe/Berlin", {2024, 7, 1, 10}), "2024-07-01 12:00 +02:00 CEST");
  EXPECT_EQ(local_text("Europe/Berlin", {2024, 1, 1, 10}), "2024-01-01 11:00 +01:00 CET");
  // The changes of 2024, and one long behind the last that the file spells out.
  EXPECT_EQ(local_text("Europe/Berlin", {2024, 3, 31, 0, 59}), "2024-03-31 01:59 +01:00 CET");
  EXPECT_EQ(local_text("Europe/Berlin", {2024, 3, 31, 1}), "2024-03-31 03:00 +02:00 CEST");
  EXPECT_EQ(local_text("Europe/Berlin", {2990, 7, 1, 10}), "2990-07-01 12:00 +02:00 CEST");
  EXPECT_EQ(local_text("Australia/Lord_Howe", {2050, 1, 1, 0}), "2050-01-01 11:00 +11:00 +11");
  EXPECT_EQ(local_text("America/New_York", {1970, 1, 1, 0}), "1969-12-31 19:00 -05:00 EST");
  EXPECT_EQ(local_text("Asia/Kathmandu", {2024, 1, 1, 0}), "2024-01-01 05:45 +05:45 +0545");
}

TEST(TimeZones, WallClocksThatComeTwiceOrNever) {
  DateTime twice{2024, 10, 27, 2, 30};
  parse_zone("Europe/Berlin")->put_into_wall(twice);
  EXPECT_EQ(twice.offset_minutes, 60);
  resolve_wall_zone(twice, true);
  EXPECT_EQ(twice.offset_minutes, 120);
  DateTime never{2024, 3, 31, 2, 30};
  try {
    parse_zone("Europe/Berlin")->put_into_wall(never);
    FAIL();
  } catch (const OraError& error) {
    EXPECT_EQ(error.code(), 1878);
  }
}

TEST(TimeZones, TextTellsWhichOfTwoReadings) {
  const char* const model = "YYYY-MM-DD HH24:MI TZR TZD";
  const auto offset = [&](const char* text) {
    return parse_date(text, model, DateTime{}, Nls{}).offset_minutes;
  };
  EXPECT_EQ(offset("2024-10-27 02:30 Europe/Berlin CET"), 60);
  EXPECT_EQ(offset("2024-10-27 02:30 Europe/Berlin CEST"), 120);
}

TEST(Intervals, PartsOfBothSignsAreOneValue) {
  EXPECT_EQ(interval_text(IntervalDs{-1, 500'000'000}, 2, 6), "-00 00:00:00.500000");
  EXPECT_EQ(interval_text(IntervalDs{90061, -1}, 2, 9), "+01 01:01:00.999999999");
  EXPECT_EQ(interval_text(normalized(IntervalDs{0, -1'500'000'000}), 2, 3), "-00 00:00:01.500");
}

}  // namespace
}  // namespace orasim
