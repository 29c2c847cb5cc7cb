// Encoders and decoders against each other and against bytes written by hand; no server.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "connect/postgres/wire/decoder.h"
#include "connect/postgres/wire/encoder.h"
#include "connect/postgres/wire/numeric.h"
#include "connect/postgres/wire/utf8.h"
#include "core/civil_time.h"
#include "core/decimal.h"
#include "core/time_text.h"

namespace wherry::postgres::wire {
namespace {

using schema::LogicalType;
using schema::TypeKind;

LogicalType logical(TypeKind kind, int fraction_digits = 0) {
  LogicalType type;
  type.kind = kind;
  type.fraction_digits = static_cast<std::uint8_t>(fraction_digits);
  return type;
}

NativeType native(NativeKind kind) {
  NativeType type;
  type.kind = kind;
  return type;
}

NativeType numeric(int precision, int scale) {
  NativeType type = native(NativeKind::kNumeric);
  type.precision = precision;
  type.scale = scale;
  return type;
}

NativeType varchar(std::uint32_t chars) {
  NativeType type = native(NativeKind::kText);
  type.max_chars = chars;
  return type;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

/// Cells for one test, and what they point to.
struct Cells {
  Arena arena;
  static Cell make(CellKind kind) {
    Cell cell{};
    cell.kind = kind;
    cell.state = CellState::kSet;
    return cell;
  }
  Cell decimal(std::string_view text) {
    Cell cell = make(CellKind::kDecimal);
    cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(text, arena));
    return cell;
  }
  Cell text(std::string_view value, CellKind kind = CellKind::kText) {
    Cell cell = make(kind);
    cell.payload.ptr = arena.copy(value.data(), value.size());
    cell.size_bytes = static_cast<std::uint32_t>(value.size());
    return cell;
  }
  static Cell integer(std::int64_t value, CellKind kind = CellKind::kInt64) {
    Cell cell = make(kind);
    cell.payload.i64 = value;
    return cell;
  }
  static Cell timestamp(std::int64_t micros, unsigned nanos = 0) {
    Cell cell = integer(micros, CellKind::kTimestamp);
    cell.nanos = static_cast<std::uint16_t>(nanos);
    return cell;
  }
  static Cell timestamp_tz(std::int64_t micros, unsigned nanos, int offset) {
    Cell cell = timestamp(micros, nanos);
    cell.kind = CellKind::kTimestampTz;
    cell.extra = offset;
    return cell;
  }
};

struct Encoded {
  EncodeStatus status = EncodeStatus::kOk;
  std::string field;  ///< without its length
};

Encoded encode(const LogicalType& type, const NativeType& to, const Cell& cell) {
  auto encoder = choose_encoder(type, to, false);
  EXPECT_TRUE(encoder.has_value());
  CopyBuffer out;
  Encoded result;
  result.status = encode_cell(*encoder, cell, out);
  if (result.status == EncodeStatus::kOk) {
    EXPECT_EQ(load_u32(out.view().data()), out.size() - 4);
    result.field = out.view().substr(4);
  }
  return result;
}

EncodeStatus status_of(const LogicalType& type, const NativeType& to, const Cell& cell) {
  return encode(type, to, cell).status;
}

const LogicalType kDecimal = logical(TypeKind::kDecimal);
const LogicalType kInteger = logical(TypeKind::kInt64);
const LogicalType kText = logical(TypeKind::kText);

TEST(Encode, IntegersAreBigEndianOfTheColumnsWidth) {
  EXPECT_EQ(hex(encode(kInteger, native(NativeKind::kInt2), Cells::integer(-2)).field), "fffe");
  EXPECT_EQ(hex(encode(kInteger, native(NativeKind::kInt4), Cells::integer(66051)).field),
            "00010203");
  EXPECT_EQ(hex(encode(kInteger, native(NativeKind::kInt8), Cells::integer(1)).field),
            "0000000000000001");
}

TEST(Encode, IntegersOutsideTheColumnAreRefused) {
  EXPECT_EQ(status_of(kInteger, native(NativeKind::kInt2), Cells::integer(32767)),
            EncodeStatus::kOk);
  EXPECT_EQ(status_of(kInteger, native(NativeKind::kInt2), Cells::integer(32768)),
            EncodeStatus::kOutOfRange);
  EXPECT_EQ(status_of(kInteger, native(NativeKind::kInt4), Cells::integer(-2147483649)),
            EncodeStatus::kOutOfRange);
  EXPECT_EQ(status_of(kInteger, native(NativeKind::kBool), Cells::integer(2)),
            EncodeStatus::kWrongForm);
}

TEST(Encode, NumericHasPostgresShape) {
  Cells cells;
  const NativeType any = native(NativeKind::kNumeric);
  EXPECT_EQ(hex(encode(kDecimal, any, cells.decimal("12345.678")).field),
            "0003"
            "0001"
            "0000"
            "0003"
            "0001"
            "0929"
            "1a7c");
  EXPECT_EQ(hex(encode(kDecimal, any, cells.decimal("-0.0001")).field),
            "0001"
            "ffff"
            "4000"
            "0004"
            "0001");
  EXPECT_EQ(hex(encode(kDecimal, any, cells.decimal("0")).field), "0000000000000000");
  EXPECT_EQ(hex(encode(kDecimal, any, cells.decimal("NaN")).field), "00000000c0000000");
  EXPECT_EQ(hex(encode(kDecimal, any, cells.decimal("Infinity")).field), "00000000d0000000");
  EXPECT_EQ(hex(encode(kInteger, any, Cells::integer(-100'010'000)).field),
            "0002"
            "0002"
            "4000"
            "0000"
            "0001"
            "0001");
}

TEST(Encode, DecimalsThatTheColumnWouldRoundAreRefused) {
  Cells cells;
  const auto status = [&](const char* value, const NativeType& to) {
    return status_of(kDecimal, to, cells.decimal(value));
  };
  EXPECT_EQ(status("99999999.99", numeric(10, 2)), EncodeStatus::kOk);
  EXPECT_EQ(status("100000000", numeric(10, 2)), EncodeStatus::kOutOfRange);
  EXPECT_EQ(status("0.001", numeric(10, 2)), EncodeStatus::kWouldRound);
  EXPECT_EQ(status("0.00999", numeric(3, 5)), EncodeStatus::kOk);
  EXPECT_EQ(status("0.01", numeric(3, 5)), EncodeStatus::kOutOfRange);
  EXPECT_EQ(status("1200", numeric(3, -2)), EncodeStatus::kOk);
  EXPECT_EQ(status("1210", numeric(3, -2)), EncodeStatus::kWouldRound);
  EXPECT_EQ(status("Infinity", numeric(10, 2)), EncodeStatus::kOutOfRange);
  EXPECT_EQ(status("NaN", numeric(10, 2)), EncodeStatus::kOk);
  EXPECT_EQ(status("1.5", native(NativeKind::kInt4)), EncodeStatus::kWouldRound);
  EXPECT_EQ(status("3000000000", native(NativeKind::kInt4)), EncodeStatus::kOutOfRange);
  EXPECT_EQ(status("1e400", native(NativeKind::kFloat8)), EncodeStatus::kOutOfRange);
  EXPECT_EQ(status("1e39", native(NativeKind::kFloat4)), EncodeStatus::kOutOfRange);
}

TEST(Encode, DecimalsBecomeTheNearestDouble) {
  Arena arena;
  const auto value = [&](const char* text) { return to_double(*parse_decimal(text, arena)); };
  EXPECT_EQ(value("0.1"), 0.1);
  EXPECT_EQ(value("-123456789.123456789"), -123456789.123456789);
  EXPECT_EQ(value("1e308"), 1e308);
  EXPECT_EQ(value("1e-320"), 1e-320);
  EXPECT_EQ(value("1e-400"), 0.0);
  EXPECT_EQ(value("0"), 0.0);
  EXPECT_TRUE(std::isnan(value("NaN")));
  EXPECT_EQ(value(("1" + std::string(200, '0') + ".5").c_str()), 1e200);
}

TEST(Encode, TextIsCheckedAndCounted) {
  Cells cells;
  EXPECT_EQ(encode(kText, varchar(4), cells.text("größ")).field, "größ");
  EXPECT_EQ(status_of(kText, varchar(3), cells.text("größ")), EncodeStatus::kTooLong);
  EXPECT_EQ(status_of(kText, varchar(0), cells.text("\xC3")), EncodeStatus::kBadText);
  EXPECT_EQ(encode(kText, varchar(0), cells.text("")).field, "");
  EXPECT_EQ(hex(encode(kText, native(NativeKind::kJsonb), cells.text("{}")).field), "017b7d");
}

TEST(Encode, ZerosInTextBecomeSpacesAndAreCounted) {
  Cells cells;
  auto encoder = choose_encoder(kText, varchar(0), false);
  CopyBuffer out;
  const std::string_view text("a\0b\0", 4);
  ASSERT_EQ(encode_cell(*encoder, cells.text(text), out), EncodeStatus::kOk);
  EXPECT_EQ(out.view().substr(4), "a b ");
  EXPECT_EQ(encoder->zeros_replaced, 2U);
}

TEST(Encode, PaddingGoesWhenThePlanSaysSo) {
  Cells cells;
  auto encoder = choose_encoder(kText, varchar(2), true);
  CopyBuffer out;
  ASSERT_EQ(encode_cell(*encoder, cells.text("ab   "), out), EncodeStatus::kOk);
  EXPECT_EQ(out.view().substr(4), "ab");
  out.clear();
  ASSERT_EQ(encode_cell(*encoder, cells.text("     "), out), EncodeStatus::kOk);
  EXPECT_EQ(out.view().substr(4), "");
}

TEST(Encode, UuidsComeFromTextAndBytes) {
  Cells cells;
  const NativeType uuid = native(NativeKind::kUuid);
  const char* text = "00112233-4455-6677-8899-aabbccddeeff";
  EXPECT_EQ(hex(encode(kText, uuid, cells.text(text)).field), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(status_of(kText, uuid, cells.text("00112233")), EncodeStatus::kWrongForm);
  EXPECT_EQ(status_of(kText, uuid, cells.text(std::string(36, '-'))), EncodeStatus::kWrongForm);
  EXPECT_EQ(status_of(logical(TypeKind::kBytes), uuid, cells.text("short", CellKind::kBytes)),
            EncodeStatus::kWrongForm);
}

TEST(Encode, TimesAreNeverCut) {
  const LogicalType nine = logical(TypeKind::kTimestamp, 9);
  NativeType milliseconds = native(NativeKind::kTimestamp);
  milliseconds.fraction_digits = 3;
  EXPECT_EQ(status_of(nine, native(NativeKind::kTimestamp), Cells::timestamp(5, 1)),
            EncodeStatus::kWouldRound);
  EXPECT_EQ(status_of(nine, milliseconds, Cells::timestamp(5'000)), EncodeStatus::kOk);
  EXPECT_EQ(status_of(nine, milliseconds, Cells::timestamp(5'001)), EncodeStatus::kWouldRound);
  EXPECT_EQ(status_of(nine, native(NativeKind::kDate), Cells::timestamp(-86'400'000'000)),
            EncodeStatus::kOk);
  EXPECT_EQ(status_of(nine, native(NativeKind::kDate), Cells::timestamp(1)),
            EncodeStatus::kWouldRound);
  EXPECT_EQ(status_of(logical(TypeKind::kTimestamp, 6), varchar(37), Cells::timestamp(0, 1)),
            EncodeStatus::kWouldRound);
  EXPECT_EQ(status_of(nine, varchar(20), Cells::timestamp(0)), EncodeStatus::kTooLong);
  EXPECT_EQ(status_of(nine, native(NativeKind::kTimestamp), Cells::timestamp(INT64_MIN)),
            EncodeStatus::kOutOfRange);
  EXPECT_EQ(status_of(logical(TypeKind::kTimestampTz, 9), varchar(44),
                      Cells::timestamp_tz(0, 0, INT32_MIN)),
            EncodeStatus::kOutOfRange);
  EXPECT_EQ(hex(encode(nine, native(NativeKind::kTimestamp), Cells::timestamp(946'684'800'000'001))
                    .field),
            "0000000000000001");
}

TEST(Encode, HasNoFormForEveryPair) {
  EXPECT_FALSE(choose_encoder(kText, native(NativeKind::kBytea), false));
  EXPECT_FALSE(choose_encoder(kText, native(NativeKind::kOther), false));
  EXPECT_FALSE(choose_encoder(logical(TypeKind::kBytes), native(NativeKind::kInt4), false));
  EXPECT_FALSE(choose_encoder(logical(TypeKind::kBlob), varchar(0), false));
  EXPECT_FALSE(choose_encoder(logical(TypeKind::kClob), native(NativeKind::kInt4), false));
  EXPECT_FALSE(choose_encoder(logical(TypeKind::kUnsupported), varchar(0), false));
}

TEST(TextForms, LookAsDocumented) {
  char out[kTimeTextBytes];
  const auto text = [&](std::size_t size) { return std::string(out, size); };
  const std::int64_t micros = micros_from_civil({2026, 8, 9, 12, 13, 14, 123456});
  EXPECT_EQ(text(format_timestamp(out, micros, 789, 9)), "2026-08-09 12:13:14.123456789");
  EXPECT_EQ(text(format_timestamp(out, micros, 789, 0)), "2026-08-09 12:13:14");
  EXPECT_EQ(text(format_timestamp_tz(out, micros, 0, 150, 6)), "2026-08-09 14:43:14.123456 +02:30");
  EXPECT_EQ(text(format_timestamp_tz(out, micros, 0, -570, 3)), "2026-08-09 02:43:14.123 -09:30");
  const std::int64_t ides = micros_from_civil({-43, 3, 15, 1, 2, 3, 0});
  EXPECT_EQ(text(format_timestamp_tz(out, ides, 0, 60, 0)), "0044-03-15 02:02:03 +01:00 BC");
  EXPECT_EQ(text(format_interval_ym(out, 14)), "+01-02");
  EXPECT_EQ(text(format_interval_ym(out, -1)), "-00-01");
  EXPECT_EQ(text(format_interval_ds(out, 273906, 0, 6)), "+03 04:05:06.000000");
  EXPECT_EQ(text(format_interval_ds(out, 0, -500'000'000, 1)), "-00 00:00:00.5");
  EXPECT_EQ(text(format_interval_ds(out, -86'400'000, 0, 0)), "-1000 00:00:00");
}

TEST(TextForms, ReadBackWhatTheyWrote) {
  std::mt19937_64 random(7);
  const std::int64_t first = micros_from_civil({-4711, 1, 1, 0, 0, 0, 0});
  const std::int64_t last = micros_from_civil({9999, 12, 31, 23, 59, 59, 999999});
  std::uniform_int_distribution<std::int64_t> times(first, last);
  std::uniform_int_distribution<int> nanos(0, 999);
  std::uniform_int_distribution<int> offsets(-839, 840);
  std::uniform_int_distribution<std::int64_t> seconds(-86'400'000'000, 86'400'000'000);
  char out[kTimeTextBytes];
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t micros = times(random);
    const auto n = static_cast<unsigned>(nanos(random));
    const int offset = offsets(random);
    const std::string_view plain(out, format_timestamp(out, micros, n, 9));
    ASSERT_EQ(plain, timestamp_text(micros, n, 9));
    auto parsed = parse_timestamp(plain);
    ASSERT_TRUE(parsed && parsed->micros == micros && parsed->nanos == n) << plain;
    ASSERT_FALSE(parsed->offset_minutes);
    const std::string_view zoned(out, format_timestamp_tz(out, micros, n, offset, 9));
    parsed = parse_timestamp(zoned);
    ASSERT_TRUE(parsed && parsed->micros == micros && parsed->offset_minutes == offset) << zoned;
    const std::int64_t s = seconds(random);
    const int sign = s < 0 ? -1 : 1;
    const std::string_view span(out, format_interval_ds(out, s, sign * nanos(random), 9));
    const auto interval = parse_interval_ds(span);
    ASSERT_TRUE(interval && interval->seconds == s) << span;
    ASSERT_EQ(parse_interval_ym({out, format_interval_ym(out, s)}), s);
  }
}

TEST(TextForms, RefuseWhatIsNone) {
  for (const char* text :
       {"", "2026", "2026-02-30 00:00:00", "2026-13-01 00:00:00", "2026-01-01",
        "2026-01-01 24:00:00", "2026-01-01 00:00:00.", "2026-01-01 00:00:00.1234567890",
        "2026-01-01 00:00:00 +2", "2026-01-01 00:00:00 x", "2026-01-01 00:00:00 BC ",
        "0000-01-01 00:00:00 BC", "-2026-01-01 "}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
  for (const char* text : {"", "01-02", "+01", "+01-12", "+-1", "+01-2"}) {
    EXPECT_FALSE(parse_interval_ym(text)) << text;
  }
  for (const char* text : {"", "+1", "03 04:05:06", "+03 25:00:00", "+03 04:05:06.", "+03 04:05"}) {
    EXPECT_FALSE(parse_interval_ds(text)) << text;
  }
}

/// The definition, code point by code point.
bool is_valid_utf8(const std::string& text) {
  std::size_t i = 0;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  while (i < text.size()) {
    const unsigned lead = byte(i);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if ((lead >= 0x80 && lead < 0xC0) || lead >= 0xF8 || i + length > text.size()) return false;
    std::uint32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
      point = point << 6 | (byte(i + k) & 0x3FU);
    }
    constexpr std::uint32_t kFirst[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kFirst[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
      return false;
    }
    i += length;
  }
  return true;
}

TEST(Utf8, AgreesWithTheDefinition) {
  std::mt19937_64 random(11);
  constexpr unsigned char kInteresting[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                            0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
                                            0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF};
  std::uniform_int_distribution<std::size_t> pick(0, std::size(kInteresting) - 1);
  std::uniform_int_distribution<int> length(0, 20);
  int valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(static_cast<std::size_t>(length(random) / (i % 2 == 0 ? 1 : 5)), ' ');
    for (char& c : text) c = static_cast<char>(kInteresting[pick(random)]);
    std::string copy(text.size(), '?');
    const Utf8Copy result = copy_utf8(text, copy.data());
    ASSERT_EQ(result.is_valid, is_valid_utf8(text)) << hex(text);
    if (!result.is_valid) continue;
    ++valid;
    for (char& c : text) c = c == '\0' ? ' ' : c;
    ASSERT_EQ(copy, text);
  }
  EXPECT_GT(valid, 1000);
}

TEST(Utf8, MayBeCutAtAnyByte) {
  const std::string text = "aé€𝄞z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string copy(text.size(), '?');
    const Utf8Copy first = copy_utf8(std::string_view(text).substr(0, cut), copy.data(), true);
    ASSERT_TRUE(first.is_valid);
    ASSERT_GE(first.copied + 3, cut);
    const Utf8Copy rest =
        copy_utf8(std::string_view(text).substr(first.copied), copy.data() + first.copied);
    ASSERT_TRUE(rest.is_valid);
    ASSERT_EQ(copy, text);
  }
  char out[4];
  EXPECT_FALSE(copy_utf8("\xE0\x80", out, true).is_valid);
}

TEST(Decode, NeverReadsPastAField) {
  const NativeKind kinds[] = {NativeKind::kBool,      NativeKind::kInt2,        NativeKind::kInt4,
                              NativeKind::kInt8,      NativeKind::kFloat4,      NativeKind::kFloat8,
                              NativeKind::kNumeric,   NativeKind::kText,        NativeKind::kBpchar,
                              NativeKind::kJsonb,     NativeKind::kBytea,       NativeKind::kUuid,
                              NativeKind::kTimestamp, NativeKind::kTimestampTz, NativeKind::kDate,
                              NativeKind::kInterval,  NativeKind::kOther};
  std::mt19937_64 random(3);
  std::uniform_int_distribution<int> byte(0, 255);
  Arena arena;
  for (int type = 0; type < static_cast<int>(TypeKind::kUnsupported); ++type) {
    for (const NativeKind kind : kinds) {
      const auto decoder =
          choose_decoder(logical(static_cast<TypeKind>(type)), native(kind), false);
      if (!decoder) continue;
      for (std::size_t size = 0; size < 40; ++size) {
        // A heap block of that very size, so that a sanitizer sees one byte too many.
        std::unique_ptr<char[]> bytes(new char[size]);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(byte(random));
        Cell cell{};
        decoder->decode(*decoder, {bytes.get(), size}, arena, cell);
      }
      arena.reset();
    }
  }
}

TEST(Decode, NumericIsBrokenInManyWays) {
  Arena arena;
  const auto read = [&](std::string_view bytes) { return read_numeric(bytes, arena); };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(read("\0\1\0\0\0\0\0\0"sv), nullptr);
  EXPECT_EQ(read("\0\1\0\0\0\0\0\0\x27\x10"sv), nullptr);  // a digit of 10000
  EXPECT_EQ(read("\0\0\0\0\x12\0\0\0"sv), nullptr);        // no such sign
  EXPECT_EQ(read("\0\0\0\0\0\0\0\0\0"sv), nullptr);
  const DecimalView* padded = read("\0\3\0\1\x40\0\0\2\0\0\0\7\0\0"sv);
  ASSERT_NE(padded, nullptr);
  EXPECT_EQ(to_text(*padded), "-7");
  EXPECT_EQ(padded->digit_count, 1);
}

}  // namespace
}  // namespace wherry::postgres::wire
