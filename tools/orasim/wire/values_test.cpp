#include "wire/values.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/error.h"
#include "wire/test_hex.h"
#include "wire/text.h"

namespace orasim::wire {
namespace {

std::string encoded(Codec codec, const Value& value) {
  Writer out;
  encode_value(out, codec, value);
  return hex_of(out);
}

TypeSpec spec_of(std::uint8_t type, std::uint8_t form = 0) {
  TypeSpec spec;
  spec.type = type;
  spec.charset_form = form;
  return spec;
}

Value decoded(std::uint8_t type, std::string_view content_hex, std::uint8_t form = 0) {
  const Bytes bytes = hex(content_hex);
  return decode_value(spec_of(type, form), BindValue{false, std::string(as_text(bytes))});
}

const DateTime kMoment{2026, 8, 9, 12, 13, 14, 123456789, 0, 0};

Value moment(Type type, DateTime t) {
  return Value{type, false, t};
}

TEST(EncodeValue, WritesTheDocumentedBytes) {
  DateTime whole = kMoment;
  whole.nanosecond = 0;
  DateTime east = kMoment, west = kMoment, named = kMoment, old = kMoment;
  east.offset_minutes = 150;
  west.offset_minutes = -210;
  named.region_id = 100;
  old.year = -4712;
  old.nanosecond = 0;
  const std::tuple<Codec, Value, const char*> cases[] = {
      {Codec::kText, make_text("né"), "036EC3A9"},
      {Codec::kNationalText, make_text("né"), "04006E00E9"},
      {Codec::kNationalText, make_text("🎉"), "04D83CDF89"},
      {Codec::kNumber, make_int(123), "03C20218"},
      {Codec::kNumber, make_number(*Number::parse("-0.5")), "033F3366"},
      {Codec::kDate, moment(Type::kDate, kMoment), "07787E08090D0E0F"},
      {Codec::kDate, moment(Type::kDate, old), "07355808090D0E0F"},
      {Codec::kTimestamp, moment(Type::kTimestamp, kMoment), "0B787E08090D0E0F075BCD15"},
      {Codec::kTimestamp, moment(Type::kTimestamp, whole), "07787E08090D0E0F"},
      {Codec::kTimestampTz, moment(Type::kTimestampTz, east), "0D787E08090D0E0F075BCD15165A"},
      {Codec::kTimestampTz, moment(Type::kTimestampTz, west), "0D787E08090D0E0F075BCD15111E"},
      {Codec::kTimestampTz, moment(Type::kTimestampTz, named), "0D787E08090D0E0F075BCD158190"},
      {Codec::kRaw, make_text(std::string("\0\xFF", 2), Type::kRaw), "0200FF"},
      {Codec::kBinaryFloat, Value{Type::kBinaryFloat, false, -1.0F}, "04407FFFFF"},
      {Codec::kBinaryDouble, Value{Type::kBinaryDouble, false, 1.5}, "08BFF8000000000000"},
      {Codec::kBinaryDouble, Value{Type::kBinaryDouble, false, -0.0}, "088000000000000000"},
      {Codec::kIntervalYm, Value{Type::kIntervalYm, false, IntervalYm{-14}}, "057FFFFFFF3A"},
      {Codec::kIntervalDs,
       Value{Type::kIntervalDs, false, IntervalDs{3 * 86400 + 4 * 3600 + 5 * 60 + 6, 500000000}},
       "0B800000034041429DCD6500"},
      {Codec::kRowid, Value{Type::kRowid, false, RowId{73196, 4, 171, 5}},
       "0D0400011DEC01040001AB0105"},
      {Codec::kUrowid, Value{Type::kUrowid, false, RowId{73196, 4, 171, 5}},
       "010D0D0100011DEC0004000000AB0005"},
      {Codec::kBoolean, Value{Type::kBoolean, false, true}, "020101"},
      {Codec::kBoolean, Value{Type::kBoolean, false, false}, "0100"},
      {Codec::kNumber, make_null(Type::kNumber), "00"},
      {Codec::kNothing, make_null(Type::kVarchar2), ""},
  };
  for (const auto& [codec, value, expected] : cases) {
    EXPECT_EQ(encoded(codec, value), expected);
  }
}

TEST(EncodeValue, RefusesAValueOfAnotherType) {
  EXPECT_THROW(encoded(Codec::kDate, make_int(1)), OraError);
  EXPECT_THROW(encoded(Codec::kNothing, make_int(1)), OraError);
}

TEST(DecodeValue, ReadsWhatEncodeWrote) {
  const float floats[] = {0.0F, 1.5F, -1.0F, std::numeric_limits<float>::infinity()};
  for (const float v : floats) {
    const std::string bytes = encoded(Codec::kBinaryFloat, Value{Type::kBinaryFloat, false, v});
    EXPECT_EQ(std::get<float>(decoded(100, bytes.substr(2)).data), v);
  }
  for (const std::int64_t months :
       {0LL, 14LL, -14LL, 119988LL, 11'999'999'999LL, -11'999'999'999LL}) {
    const std::string bytes =
        encoded(Codec::kIntervalYm, Value{Type::kIntervalYm, false, IntervalYm{months}});
    EXPECT_EQ(std::get<IntervalYm>(decoded(182, bytes.substr(2)).data).months, months);
  }
  for (const std::int64_t seconds : {0, 90061, -90061, 86399999}) {
    const IntervalDs interval{seconds, seconds < 0 ? -5 : 5};
    const std::string bytes =
        encoded(Codec::kIntervalDs, Value{Type::kIntervalDs, false, interval});
    EXPECT_EQ(std::get<IntervalDs>(decoded(183, bytes.substr(2)).data), interval);
  }
}

TEST(DecodeValue, TimesWithZoneBecomeUtc) {
  EXPECT_EQ(decoded(181, "787E08090D0E0F075BCD15165A").date_time().offset_minutes, 150);
  // Flag 0x40: the fields are local time; 00:30 at +02:30 is 22:00 of the day before.
  const DateTime local = decoded(181, "787E0101011F0100000000565A").date_time();
  EXPECT_EQ(local.year, 2025);
  EXPECT_EQ(local.month, 12);
  EXPECT_EQ(local.day, 31);
  EXPECT_EQ(local.hour, 22);
  EXPECT_EQ(decoded(181, "787E08090D0E0F075BCD158190").date_time().region_id, 100);
}

TEST(DecodeValue, TextFollowsItsCharsetForm) {
  EXPECT_EQ(decoded(1, "6EC3A9", 1).text(), "né");
  EXPECT_EQ(decoded(96, "006E00E9", 2).text(), "né");
  EXPECT_TRUE(decode_value(spec_of(1, 1), BindValue{}).is_null());
}

TEST(DecodeValue, ImpossibleContentIsAnOracleError) {
  const std::pair<std::uint8_t, const char*> cases[] = {{12, "787E08"},
                                                        {12, "787E0D010101 01"},
                                                        {12, "787E021E010101"},
                                                        {12, "6464010101 0101"},
                                                        {12, "787E0101FF0101"},
                                                        {2, "C1"},
                                                        {100, "00"},
                                                        {101, "0000"},
                                                        {182, "00"},
                                                        {183, "00"},
                                                        {180, "787E0101010101FFFFFFFF"}};
  for (const auto& [type, content] : cases) {
    EXPECT_THROW(decoded(type, content), OraError) << static_cast<int>(type) << " " << content;
  }
  EXPECT_THROW(decoded(109, "00"), OraError);
}

TEST(Utf16Cursor, CountsAndSplitsSurrogatePairs) {
  const std::string text = "a🎉b";
  EXPECT_EQ(utf16_units(text), 4U);
  Utf16Cursor cursor(text);
  std::string out;
  EXPECT_EQ(cursor.read(2, &out), 2U);
  EXPECT_EQ(to_hex(as_bytes(out)), "0061D83C");
  EXPECT_EQ(cursor.read(9, &out), 2U);
  EXPECT_EQ(to_hex(as_bytes(out)), "0061D83CDF890062");
  EXPECT_EQ(cursor.read(9, &out), 0U);
}

// Runs of ASCII are written many at a time: where one begins and ends must not matter.
TEST(Utf16Cursor, GivesRunsOfAsciiFromAnyPlace) {
  const std::string plain = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const std::string text = "é" + plain + "🎉" + plain + "€";
  const std::string whole = utf8_to_utf16be(text);
  ASSERT_EQ(whole.size(), 2 * utf16_units(text));
  EXPECT_EQ(utf16be_to_utf8(whole), text);
  for (std::size_t cut = 0; cut <= utf16_units(text); ++cut) {
    Utf16Cursor cursor(text);
    std::string out;
    ASSERT_EQ(cursor.read(cut, &out), cut);
    ASSERT_EQ(cursor.mark().units, cut);
    ASSERT_EQ(cursor.read(whole.size(), &out), utf16_units(text) - cut);
    ASSERT_EQ(out, whole);
  }
}

TEST(Text, IllFormedInputBecomesReplacementCharacters) {
  EXPECT_EQ(utf16be_to_utf8(std::string("\xD8\x00\x00\x61\x00", 5)),
            "\xEF\xBF\xBD"
            "a");
  for (const std::string bad : {"\xFF", "\xC3", "\xE2\x82", "\xED\xA0\x80", "\xF8"}) {
    EXPECT_EQ(utf8_to_utf16be(bad).size(), utf16_units(bad) * 2);
  }
}

}  // namespace
}  // namespace orasim::wire
