#include "engine/number.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

namespace orasim {
namespace {

Number num(std::string_view s) {
  const auto n = Number::parse(s);
  EXPECT_TRUE(n.has_value()) << s;
  return n.value_or(Number());
}

std::string hex(const Number& n) {
  static const char* digits = "0123456789abcdef";
  std::string out;
  for (const auto b : n.bytes()) {
    out.push_back(digits[b >> 4]);
    out.push_back(digits[b & 15]);
  }
  return out;
}

std::filesystem::path shared_dir() {
  if (const char* env = std::getenv("WHERRY_SHARED")) return env;
  return std::filesystem::path(__FILE__).parent_path() / "../../../../shared";
}

/// The value of `"key": "…"` on a line, or nothing.
std::optional<std::string> field(const std::string& line, const std::string& key) {
  const std::string lead = "\"" + key + "\": \"";
  const auto at = line.find(lead);
  if (at == std::string::npos) return std::nullopt;
  const auto from = at + lead.size();
  return line.substr(from, line.find('"', from) - from);
}

TEST(Number, StoresAndPrintsAsARealServerDid) {
  const auto path = shared_dir() / "vectors/oracle-wire/number-vectors.json";
  std::ifstream in(path);
  if (!in) GTEST_SKIP() << "NOT CHECKED: no vectors at " << path << "; set WHERRY_SHARED";
  std::string line, sql, text;
  int checked = 0;
  while (std::getline(in, line)) {
    if (auto v = field(line, "sql")) sql = *v;
    if (auto v = field(line, "oracle_text")) text = *v;
    const auto bytes = field(line, "hex");
    if (!bytes || !Number::parse(text)) continue;
    EXPECT_EQ(hex(num(text)).substr(0, 36), bytes->substr(0, 36)) << sql;
    std::vector<std::uint8_t> raw;
    for (std::size_t i = 0; i + 1 < bytes->size(); i += 2) {
      raw.push_back(static_cast<std::uint8_t>(std::stoi(bytes->substr(i, 2), nullptr, 16)));
    }
    const auto stored = Number::from_bytes(raw);
    ASSERT_TRUE(stored.has_value()) << sql;
    // Part of the vectors come from a client's own formatting ("0.1"), not from TO_CHAR.
    if (text.find("0.") != 0 && text.find("-0.") != 0 && text.size() <= 40) {
      EXPECT_EQ(stored->to_string(), text) << sql;
    }
    ++checked;
  }
  EXPECT_GT(checked, 90);
}

TEST(Number, RefusesWhatIsNoNumber) {
  for (const char* s : {"", "-", ".", "1e", "1x", "1e126", "0x10", "1.2.3", " 1"}) {
    EXPECT_FALSE(Number::parse(s)) << s;
  }
  EXPECT_TRUE(num("1e-131").is_zero());
  for (const auto& raw : std::vector<std::vector<std::uint8_t>>{{},
                                                                {0xc1},
                                                                {0xc1, 0},
                                                                {0xc1, 1},
                                                                {0xc1, 2, 1},
                                                                {0x3e, 100},
                                                                {0x3e, 101, 0x66},
                                                                {0xc1, 102},
                                                                {0xff, 0x65, 0},
                                                                std::vector<std::uint8_t>(40, 2)}) {
    EXPECT_FALSE(Number::from_bytes(raw)) << raw.size();
  }
}

TEST(Number, CalculatesAsOracleDoes) {
  const auto one = Number::from_int(1);
  EXPECT_EQ(Number::divide(one, num("3"))->to_string(), "." + std::string(39, '3'));
  EXPECT_EQ(hex(*Number::divide(one, num("3"))), "c0" + std::string(40, '2'));
  EXPECT_EQ(Number::divide(num("2"), num("3"))->to_string(), "." + std::string(38, '6') + "7");
  EXPECT_EQ(Number::multiply(num("1e125"), num("10")), std::nullopt);
  EXPECT_EQ(Number::multiply(num("99999999999999999999"), num("99999999999999999999"))->to_string(),
            "9999999999999999999800000000000000000001");
  EXPECT_EQ(Number::subtract(one, num("1e-39"))->to_string(), "." + std::string(39, '9'));
  EXPECT_EQ(Number::add(num(".1"), num(".2"))->to_string(), ".3");
  EXPECT_EQ(Number::add(num("-5"), num("5"))->to_string(), "0");
  EXPECT_EQ(Number::modulo(num("-7.5"), num("2")).to_string(), "-1.5");
  EXPECT_EQ(Number::modulo(num("123456789012345678901234567890"), num("97")).to_string(), "52");
  EXPECT_EQ(Number::modulo(num("5"), num("0")).to_string(), "5");
}

TEST(Number, RoundsHalfAwayFromZero) {
  EXPECT_EQ(num("2.5").rounded(0).to_string(), "3");
  EXPECT_EQ(num("-2.5").rounded(0).to_string(), "-3");
  EXPECT_EQ(num("1234.5678").rounded(2).to_string(), "1234.57");
  EXPECT_EQ(num("1234.5678").rounded(-2).to_string(), "1200");
  EXPECT_EQ(num("1250").rounded(-2).to_string(), "1300");
  EXPECT_EQ(num("99.99").rounded(1).to_string(), "100");
  EXPECT_EQ(num("5").rounded(-1).to_string(), "10");
  EXPECT_EQ(num("4").rounded(-1).to_string(), "0");
  EXPECT_EQ(num(".05").rounded(1).to_string(), ".1");
  EXPECT_EQ(num("-1.99").truncated(1).to_string(), "-1.9");
  EXPECT_EQ(num("1999").truncated(-3).to_string(), "1000");
  EXPECT_EQ(num("-1.5").floor().to_string(), "-2");
  EXPECT_EQ(num("-1.5").ceil().to_string(), "-1");
  EXPECT_EQ(num("1.5").ceil().to_string(), "2");
}

TEST(Number, PrintsWithinFortyCharacters) {
  EXPECT_EQ(num("1e40").to_string(), "1.0000000000000000000000000000000000E+40");
  EXPECT_EQ(num("1e39").to_string(), "1" + std::string(39, '0'));
  EXPECT_EQ(num("-1e39").to_string(), "-1.000000000000000000000000000000000E+39");
  EXPECT_EQ(num("1e-39").to_string(), "." + std::string(38, '0') + "1");
  EXPECT_EQ(num("-.5").to_string(), "-.5");
  EXPECT_EQ(num("1.5e-60").to_string(), "1.5000000000000000000000000000000000E-60");
}

TEST(Number, AgreesWithIntegerArithmetic) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto a = static_cast<std::int64_t>(random()) >> (random() % 60);
    const auto b = static_cast<std::int64_t>(random()) >> (random() % 60);
    const Number x = Number::from_int(a), y = Number::from_int(b);
    ASSERT_EQ(x.to_int(), a);
    ASSERT_EQ(x.to_string(), std::to_string(a));
    ASSERT_EQ(num(std::to_string(a)), x);
    ASSERT_EQ(x < y, a < b) << a << " " << b;
    ASSERT_EQ(Number::from_bytes(x.bytes()), x);
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) {
      ASSERT_EQ(Number::add(x, y)->to_int(), sum);
    }
    if (!__builtin_sub_overflow(a, b, &sum)) {
      ASSERT_EQ(Number::subtract(x, y)->to_int(), sum);
    }
    if (!__builtin_mul_overflow(a, b, &sum)) {
      ASSERT_EQ(Number::multiply(x, y)->to_int(), sum);
    }
    if (b != 0 && b != -1) {
      ASSERT_EQ(Number::modulo(x, y).to_int(), a % b) << a << " % " << b;
      ASSERT_EQ(Number::divide(x, y)->truncated(0).to_int(), a / b) << a << " / " << b;
    }
  }
}

TEST(Number, DoublesComeBackUnchanged) {
  for (const double d : {0.1, -1.5, 1e100, 1e-100, 123456789.123, 5e-100}) {
    EXPECT_EQ(Number::from_double(d).to_double(), d);
  }
}

}  // namespace
}  // namespace orasim
