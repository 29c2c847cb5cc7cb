// Values: NUMBER, dates, intervals, character sets, rowids, zones.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/rowid.h"
#include "connect/oracle/wire/utf16.h"
#include "connect/oracle/wire/zone_rules.h"
#include "core/civil_time.h"

namespace wherry::oracle::wire {
namespace {

Bytes hex(std::string_view text) {
  return *from_hex(text);
}

std::string decoded(std::string_view image_hex) {
  Arena arena;
  const DecimalView* decimal = nullptr;
  const ValueStatus status = decode_number(hex(image_hex), arena, decimal);
  return status == ValueStatus::kOk ? to_text(*decimal) : std::string(describe(status));
}

struct NumberCase {
  const char* text;
  const char* image;
};
constexpr NumberCase kNumbers[] = {
    {"0", "80"},
    {"1", "C102"},
    {"-1", "3E6466"},
    {"10", "C10B"},
    {"100", "C202"},
    {"123", "C20218"},
    {"-123", "3D644E66"},
    {"0.01", "C002"},
    {"0.1", "C00B"},
    {"-0.5", "3F3366"},
    {"1234567.89", "C402182E445A"},
    {"9999", "C26464"},
    {"10000", "C302"},
    {"12345678901234567890123456789012345678", "D30D23394F5B0D23394F5B0D23394F5B0D23394F"},
    {"-12345678901234567890123456789012345678", "2C59432D170B59432D170B59432D170B59432D1766"},
};

TEST(Number, DecodesAndEncodesTheKnownImages) {
  for (const NumberCase& one : kNumbers) {
    EXPECT_EQ(decoded(one.image), one.text);
    const auto image = encode_number(one.text);
    ASSERT_TRUE(image) << one.text;
    EXPECT_EQ(to_hex_upper(bytes_of(*image)), one.image) << one.text;
  }
  EXPECT_EQ(decoded("FF0B"), "1" + std::string(125, '0'));
  EXPECT_EQ(to_hex_upper(bytes_of(*encode_number("1E125"))), "FF0B");
}

TEST(Number, KeepsInfinitiesApart) {
  EXPECT_EQ(decoded("FF65"), "Infinity");
  EXPECT_EQ(decoded("00"), "-Infinity");
}

TEST(Number, RefusesGarbage) {
  for (const char* image : {"", "C1", "C100", "C165", "3E01", "3E67", "66",
                            "C1020202020202020202020202020202020202020202020202"}) {
    EXPECT_EQ(decoded(image), "is not a NUMBER") << image;
  }
  for (const char* text : {"", "-", ".", "1e", "1e999", "abc", "1.2.3", "0x10", "1e126"}) {
    EXPECT_FALSE(encode_number(text)) << text;
  }
}

TEST(Number, GivesIntegersDirectly) {
  const auto integer = [](std::string_view text) {
    std::int64_t value = -77;
    const ValueStatus status = decode_integer(bytes_of(*encode_number(text)), value);
    return status == ValueStatus::kOk ? std::optional(value) : std::nullopt;
  };
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{100}, std::int64_t{-99},
        std::int64_t{1'000'000'007}, INT64_MAX, INT64_MIN, INT64_MAX - 1}) {
    EXPECT_EQ(integer(std::to_string(value)), value);
  }
  EXPECT_EQ(integer("0.5"), std::nullopt);
  EXPECT_EQ(integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(integer("-9223372036854775809"), std::nullopt);
  EXPECT_EQ(integer("1e30"), std::nullopt);
  std::int64_t value = 0;
  EXPECT_EQ(decode_integer(hex("FF65"), value), ValueStatus::kNotInteger);
}

/// Places of the shared vectors; empty when they are not on this machine.
std::filesystem::path vectors_directory() {
  const char* given = std::getenv("WHERRY_SHARED");
  std::filesystem::path base = given != nullptr ? given : "";
  if (base.empty()) {
    for (auto at = std::filesystem::current_path(); at.has_relative_path(); at = at.parent_path()) {
      if (std::filesystem::exists(at / "shared" / "vectors")) base = at / "shared";
    }
  }
  const auto directory = base / "vectors" / "oracle-wire";
  return std::filesystem::exists(directory) ? directory : std::filesystem::path();
}

/// Decimal text without exponent; "?" when it is no number.
std::string plain(std::string_view oracle_text) {
  Arena arena;
  const DecimalView* decimal = parse_decimal(oracle_text, arena);
  return decimal != nullptr ? to_text(*decimal) : "?";
}

TEST(Number, AgreesWithImagesOfRealServers) {
  const auto directory = vectors_directory();
  if (directory.empty()) GTEST_SKIP() << "set WHERRY_SHARED to run this test";
  std::ifstream file(directory / "number-vectors.json");
  const auto document = nlohmann::json::parse(file);
  std::size_t compared = 0;
  for (const auto& vector : document.at("vectors")) {
    if (vector.at("sql").is_null()) continue;  // NULL has no image
    const std::string sql = vector.at("sql"), image = vector.at("hex");
    if (plain(sql) != "?") {
      EXPECT_EQ(decoded(image), plain(sql)) << sql;
    } else {
      // TO_CHAR shows 40 characters of what an expression gave.
      const std::string shown = plain(vector.at("oracle_text").get<std::string>());
      if (shown == "?") continue;
      EXPECT_EQ(decoded(image).substr(0, shown.size()), shown) << sql;
    }
    ++compared;
  }
  EXPECT_GT(compared, 100U);
}

std::string date_text(std::string_view image) {
  Instant instant;
  const ValueStatus status = decode_datetime(hex(image), instant);
  if (status != ValueStatus::kOk) return std::string(describe(status));
  return timestamp_text(instant.micros, instant.nanos, 9);
}

TEST(DateTime, DecodesKnownImages) {
  EXPECT_EQ(date_text("787E08090D0E0F"), "2026-08-09 12:13:14.000000000");
  EXPECT_EQ(date_text("787E08090D0E0F075BCD15"), "2026-08-09 12:13:14.123456789");
  EXPECT_EQ(date_text("35580101010101"), "4712-01-01 00:00:00.000000000 BC");
  EXPECT_EQ(date_text("646501010101"
                      "01"),
            "0001-01-01 00:00:00.000000000");
  EXPECT_EQ(date_text("C7C70C1F183C3C"), "9999-12-31 23:59:59.000000000");
  EXPECT_EQ(date_text("7864021D010101"), "2000-02-29 00:00:00.000000000");
}

TEST(DateTime, RefusesDaysThatDoNotExist) {
  for (const char* image : {
           "7364021D010101",          // 1500-02-29
           "7864021E010101",          // 2000-02-30
           "64640101010101",          // year 0
           "00000000000000",          // garbage
           "787E0D090D0E0F",          // month 13
           "787E08001A0E0F",          // day 0
           "787E08091A0E0F",          // hour 25
           "787E08090D3E0F",          // minute 61
           "787E08090D0E3E",          // second 61
           "787E08090D",              // too short
           "787E08090D0E0FFFFFFFFF",  // nanoseconds
       }) {
    EXPECT_EQ(date_text(image), "is not a date of the proleptic Gregorian calendar") << image;
  }
}

TEST(DateTime, EncodesWhatItDecodes) {
  EXPECT_EQ(to_hex_upper(bytes_of(
                encode_timestamp(micros_from_civil({2026, 8, 9, 12, 13, 14, 123456}), 789))),
            "787E08090D0E0F075BCD15");
  EXPECT_EQ(to_hex_upper(bytes_of(encode_timestamp(0, 0))), "77AA0101010101");
  EXPECT_EQ(to_hex_upper(bytes_of(encode_timestamp_tz(
                micros_from_civil({2026, 8, 9, 12, 13, 14, 123456}), 789, 150))),
            "787E08090D0E0F075BCD15165A");
  for (std::int64_t year = -4711; year <= 9999; year += 37) {
    const std::int64_t micros = micros_from_civil({year, 3, 1, 23, 59, 58, 999999});
    Instant instant;
    ASSERT_EQ(decode_datetime(bytes_of(encode_timestamp(micros, 321)), instant), ValueStatus::kOk);
    EXPECT_EQ(instant.micros, micros) << year;
    EXPECT_EQ(instant.nanos, 321);
  }
}

TEST(DateTime, ReadsZones) {
  EXPECT_EQ(decode_zone(0x16, 0x5A).offset_minutes, 150);
  EXPECT_EQ(decode_zone(0x11, 0x1E).offset_minutes, -210);
  EXPECT_EQ(decode_zone(0x14, 0x3C).offset_minutes, 0);
  EXPECT_EQ(decode_zone(0, 0).offset_minutes, 0);
  EXPECT_FALSE(decode_zone(0x16, 0x5A).is_local);
  EXPECT_TRUE(decode_zone(0x56, 0x5A).is_local);
  const ZoneField berlin = decode_zone(0x80 | 383 >> 6, (383 & 63) << 2);
  EXPECT_EQ(berlin.kind, ZoneField::Kind::kRegion);
  EXPECT_EQ(berlin.region_id, 383);
}

TEST(Interval, DecodesAndEncodes) {
  std::int64_t months = 0, seconds = 0;
  std::int32_t nanos = 0;
  EXPECT_EQ(decode_interval_ym(hex("7FFFFFFF3A"), months), ValueStatus::kOk);
  EXPECT_EQ(months, -14);
  EXPECT_EQ(to_hex_upper(bytes_of(encode_interval_ym(-14))), "7FFFFFFF3A");
  EXPECT_EQ(decode_interval_ds(hex("800000034041429DCD6500"), seconds, nanos), ValueStatus::kOk);
  EXPECT_EQ(seconds, 3 * 86400 + 4 * 3600 + 5 * 60 + 6);
  EXPECT_EQ(nanos, 500'000'000);
  EXPECT_EQ(to_hex_upper(bytes_of(encode_interval_ds(seconds, nanos))), "800000034041429DCD6500");
  EXPECT_EQ(decode_interval_ds(bytes_of(encode_interval_ds(-seconds, -nanos)), seconds, nanos),
            ValueStatus::kOk);
  EXPECT_EQ(seconds, -(3 * 86400 + 4 * 3600 + 5 * 60 + 6));
  EXPECT_EQ(nanos, -500'000'000);
  // One day less, an hour and five nanoseconds more: parts of both signs.
  EXPECT_EQ(decode_interval_ds(hex("7FFFFFFF3D3C3C80000005"), seconds, nanos), ValueStatus::kOk);
  EXPECT_EQ(seconds, -(23 * 3600 - 1));
  EXPECT_EQ(nanos, 5 - 1'000'000'000);
  EXPECT_EQ(decode_interval_ym(hex("7FFF"), months), ValueStatus::kBadInterval);
}

// Oracle counts by the Julian calendar up to 1582-10-04; the next day is 1582-10-15.
TEST(OldDates, AreMovedByOraclesCalendar) {
  struct Case {
    CivilTime from;
    int by_minutes;
    CivilTime to;
  };
  const Case cases[] = {
      {{1582, 10, 15, 11, 59}, -720, {1582, 10, 4, 23, 59}},
      {{1582, 10, 4, 12, 30}, 720, {1582, 10, 15, 0, 30}},
      {{1582, 10, 15, 12, 0}, -720, {1582, 10, 15, 0, 0}},
      {{1500, 2, 28, 23, 0}, 2 * 60, {1500, 2, 29, 1, 0}},
      {{1500, 3, 1, 1, 0}, -60, {1500, 3, 1, 0, 0}},
      {{1500, 3, 1, 1, 0}, -26 * 60 + 60, {1500, 2, 29, 0, 0}},
      {{1, 1, 1, 1, 0}, -120, {0, 12, 31, 23, 0}},
      {{-4711, 1, 1, 0, 0}, 840, {-4711, 1, 1, 14, 0}},
      {{-4708, 2, 29, 12, 0}, 840, {-4708, 3, 1, 2, 0}},
      {{1582, 12, 31, 23, 0}, 60, {1583, 1, 1, 0, 0}},
  };
  for (const Case& c : cases) {
    Instant moved;
    const ValueStatus status = decode_datetime_moved(
        bytes_of(encode_date(micros_from_civil(c.from))), c.by_minutes * 60'000'000LL, moved);
    if (c.to.month == 2 && c.to.day == 29 && c.to.year == 1500) {
      EXPECT_EQ(status, ValueStatus::kBadDate);
      continue;
    }
    ASSERT_EQ(status, ValueStatus::kOk);
    EXPECT_EQ(timestamp_text(moved.micros, 0, 0), timestamp_text(micros_from_civil(c.to), 0, 0));
  }
  // The 29th of February that only the Julian calendar has, as the other day of a known one.
  Instant moved;
  EXPECT_EQ(decode_datetime_moved(hex("7364021D180101"), 2 * 3'600'000'000LL, moved),
            ValueStatus::kOk);
  EXPECT_EQ(timestamp_text(moved.micros, 0, 0), "1500-03-01 01:00:00");
  EXPECT_EQ(decode_datetime_moved(hex("7365021D180101"), 0, moved), ValueStatus::kBadDate);
}

TEST(OldDates, ComeBackAsTheyWereSent) {
  for (std::int64_t day = -2'440'000; day < -140'000; day += 97) {
    const std::int64_t utc = day * kMicrosPerDay + 1'234'567;
    for (const int offset : {-720, -1, 0, 60, 840}) {
      const std::string image = encode_timestamp_tz(utc, 0, offset);
      Instant moved;
      const ValueStatus status =
          decode_datetime_moved(bytes_of(image).first(11), offset * 60'000'000LL, moved);
      ASSERT_EQ(status, ValueStatus::kOk) << day;
      ASSERT_EQ(moved.micros - offset * 60'000'000LL, utc) << day << " " << offset;
    }
  }
}

TEST(Utf16, ConvertsEveryPlane) {
  const std::string text = "né \xE2\x82\xAC \xF0\x9F\x8E\x89 \xF4\x8F\xBF\xBF";
  const std::string utf16 = utf8_to_utf16(text);
  std::string out(max_utf8_bytes(utf16.size()), '\0');
  std::size_t size = 0;
  ASSERT_EQ(utf16_to_utf8(bytes_of(utf16), out.data(), size), ValueStatus::kOk);
  EXPECT_EQ(out.substr(0, size), text);
  for (std::size_t step = 1; step < 5; ++step) {
    Utf16Stream stream;
    std::string pieces;
    for (std::size_t at = 0; at < utf16.size(); at += step) {
      ASSERT_EQ(stream.feed(bytes_of(std::string_view(utf16).substr(at, step)), pieces),
                ValueStatus::kOk);
    }
    EXPECT_EQ(stream.finish(), ValueStatus::kOk);
    EXPECT_EQ(pieces, text);
  }
}

// Runs of ASCII are converted many at a time: what surrounds one must not matter.
TEST(Utf16, ConvertsRunsOfAsciiAtAnyPlace) {
  const std::string plain = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ\x7F!";
  for (const std::string between : {"", "é", "€", "\xF0\x9F\x8E\x89", "\xC2\x80"}) {
    for (std::size_t length = 0; length <= plain.size(); ++length) {
      const std::string text = between + plain.substr(0, length) + between + plain + between;
      std::string utf16 = utf8_to_utf16(text);
      std::string out(max_utf8_bytes(utf16.size()), '\0');
      std::size_t size = 0;
      ASSERT_EQ(utf16_to_utf8(bytes_of(utf16), out.data(), size), ValueStatus::kOk);
      ASSERT_EQ(out.substr(0, size), text);
      for (const ByteOrder order : {ByteOrder::kBig, ByteOrder::kLittle}) {
        Utf16Stream stream(order);
        std::string pieces;
        const std::string_view whole = utf16;
        ASSERT_EQ(stream.feed(bytes_of(whole.substr(0, length)), pieces), ValueStatus::kOk);
        ASSERT_EQ(stream.feed(bytes_of(whole.substr(length)), pieces), ValueStatus::kOk);
        ASSERT_EQ(stream.finish(), ValueStatus::kOk);
        ASSERT_EQ(pieces, text);
        for (std::size_t i = 0; i < utf16.size(); i += 2) std::swap(utf16[i], utf16[i + 1]);
      }
    }
  }
}

TEST(Utf16, RefusesASurrogateBeforeARunOfAscii) {
  const std::string run = utf8_to_utf16("abcdefghijklmnopqrstuvwxyz0123456789");
  Utf16Stream stream;
  std::string out;
  EXPECT_EQ(stream.feed(hex("D83C"), out), ValueStatus::kOk);
  EXPECT_EQ(stream.feed(bytes_of(run), out), ValueStatus::kBadUtf16);
}

TEST(Utf16, RefusesLoneSurrogates) {
  for (const char* image : {"D83C", "DF89", "D83C0041", "00", "D83CD83CDF89"}) {
    const Bytes bytes = hex(image);
    char out[64];
    std::size_t size = 0;
    EXPECT_EQ(utf16_to_utf8(bytes, out, size), ValueStatus::kBadUtf16) << image;
    Utf16Stream stream;
    std::string text;
    const bool bad =
        stream.feed(bytes, text) != ValueStatus::kOk || stream.finish() != ValueStatus::kOk;
    EXPECT_TRUE(bad) << image;
  }
}

TEST(Utf16, JoinsTheSurrogatesOfOraclesUtf8) {
  const Bytes cesu = hex("41EDA0BCEDBE89C3A9");
  char out[32];
  std::size_t size = 0;
  ASSERT_EQ(cesu8_to_utf8(cesu, out, size), ValueStatus::kOk);
  EXPECT_EQ(std::string(out, size), "A\xF0\x9F\x8E\x89\xC3\xA9");
  EXPECT_EQ(cesu8_to_utf8(hex("EDA0BC41"), out, size), ValueStatus::kBadUtf16);
}

TEST(Rowid, PrintsPhysicalAndLogical) {
  EXPECT_EQ(rowid_text({73196, 4, 171, 5}), "AAAR3sAAEAAAACrAAF");
  std::string text;
  EXPECT_EQ(urowid_text(hex("0100011DEC0004000000AB0005"), text), ValueStatus::kOk);
  EXPECT_EQ(text, "AAAR3sAAEAAAACrAAF");
  EXPECT_EQ(urowid_text(hex("02C102FE"), text), ValueStatus::kOk);
  EXPECT_EQ(text, "*wQL+");
  EXPECT_EQ(urowid_text(hex("0100"), text), ValueStatus::kMalformed);
}

std::int64_t seconds_of(std::int64_t year, unsigned month, unsigned day, unsigned hour) {
  return micros_from_civil({year, month, day, hour, 0, 0, 0}) / 1'000'000;
}

TEST(ZoneRules, KnowsOffsetsOfRegions) {
  if (!std::filesystem::exists("/usr/share/zoneinfo/Europe/Berlin")) {
    GTEST_SKIP() << "tzdata is not installed";
  }
  EXPECT_EQ(region_name(383), "Europe/Berlin");
  EXPECT_EQ(region_name(8000), "");
  RegionTable table;
  EXPECT_EQ(table.find(8000), nullptr);
  const ZoneRules* berlin = table.find(383);
  ASSERT_NE(berlin, nullptr);
  for (const std::int64_t year : {2026, 2090, 2500}) {
    EXPECT_EQ(berlin->offset_at(seconds_of(year, 1, 15, 12)), 3600) << year;
    EXPECT_EQ(berlin->offset_at(seconds_of(year, 7, 15, 12)), 7200) << year;
  }
  EXPECT_EQ(berlin->offset_at(seconds_of(2026, 3, 29, 0)), 3600);
  EXPECT_EQ(berlin->offset_at(seconds_of(2026, 3, 29, 1)), 7200);
  EXPECT_EQ(berlin->offset_at_local(seconds_of(2026, 7, 15, 12), false), 7200);
  // 02:30 comes twice on the night of 25 October.
  const std::int64_t twice = seconds_of(2026, 10, 25, 2) + 1800;
  EXPECT_EQ(berlin->offset_at_local(twice, true), 7200);
  EXPECT_EQ(berlin->offset_at_local(twice, false), 3600);
  const ZoneRules* sydney = table.find(352);
  ASSERT_NE(sydney, nullptr);
  EXPECT_EQ(sydney->offset_at(seconds_of(2300, 1, 15, 0)), 11 * 3600);
  EXPECT_EQ(sydney->offset_at(seconds_of(2300, 7, 15, 0)), 10 * 3600);
}

TEST(ZoneRules, RefusesOtherFiles) {
  EXPECT_FALSE(ZoneRules::parse(bytes_of("")));
  EXPECT_FALSE(ZoneRules::parse(bytes_of("TZif1")));
  EXPECT_FALSE(ZoneRules::parse(bytes_of(std::string("TZif2") + std::string(200, '\x7F'))));
}

}  // namespace
}  // namespace wherry::oracle::wire
