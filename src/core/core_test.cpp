#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "core/arena.h"
#include "core/batch_pool.h"
#include "core/bounded_queue.h"
#include "core/civil_time.h"
#include "core/decimal.h"
#include "core/error.h"
#include "core/result.h"
#include "core/spill_file.h"

namespace wherry {
namespace {

std::string round_trip(std::string_view text) {
  Arena arena;
  const DecimalView* d = parse_decimal(text, arena);
  return d == nullptr ? "rejected" : to_text(*d);
}

TEST(Decimal, PrintsWhatItParsed) {
  for (const char* text : {"0", "1", "-1", "10000", "12345678", "0.5", "-0.0001", "0.00001",
                           "99999999.99999999", "-123456789012345678901234567890.12345678901",
                           "NaN", "Infinity", "-Infinity", "100000000"}) {
    EXPECT_EQ(round_trip(text), text);
  }
}

TEST(Decimal, AcceptsExponentsAndPadding) {
  EXPECT_EQ(round_trip("1e3"), "1000");
  EXPECT_EQ(round_trip("1.25E-3"), "0.00125");
  EXPECT_EQ(round_trip("+0012.3400"), "12.34");
  EXPECT_EQ(round_trip("-0.0"), "0");
  EXPECT_EQ(round_trip("1E125"), "1" + std::string(125, '0'));
  EXPECT_EQ(round_trip("1E-130"), "0." + std::string(129, '0') + "1");
}

TEST(Decimal, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", ".", "1.2.3", "e5", "1e", "1e999999", "abc", "1 "}) {
    EXPECT_EQ(round_trip(text), "rejected") << text;
  }
}

TEST(Decimal, RecordsTheScaleAValueNeeds) {
  Arena arena;
  EXPECT_EQ(parse_decimal("12.3400", arena)->scale, 2);
  EXPECT_EQ(parse_decimal("1200", arena)->scale, 0);
  EXPECT_EQ(parse_decimal("0.00001", arena)->scale, 5);
}

TEST(Decimal, ConvertsToIntegersExactlyOrNotAtAll) {
  Arena arena;
  const auto as_int = [&](std::string_view text) { return to_int64(*parse_decimal(text, arena)); };
  EXPECT_EQ(as_int("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(as_int("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(as_int("9223372036854775808"), std::nullopt);
  EXPECT_EQ(as_int("20000"), 20000);
  EXPECT_EQ(as_int("0.5"), std::nullopt);
  EXPECT_EQ(as_int("1e40"), std::nullopt);
  EXPECT_EQ(as_int("0"), 0);
  EXPECT_EQ(as_int("NaN"), std::nullopt);
}

TEST(Decimal, IntegersAndTextAgreeOverTheWholeRange) {
  std::mt19937_64 random(7);
  Arena arena;
  for (int i = 0; i < 2000; ++i) {
    const auto value = static_cast<std::int64_t>(random()) >> (random() % 64);
    const DecimalView* d = decimal_from_int(value, arena);
    EXPECT_EQ(to_text(*d), std::to_string(value));
    EXPECT_EQ(to_int64(*d), value);
    EXPECT_EQ(compare(*d, *parse_decimal(std::to_string(value), arena)), 0);
  }
}

TEST(Decimal, OrdersAsNumbers) {
  Arena arena;
  const std::vector<const char*> ascending = {
      "-Infinity", "-1e30",  "-10000", "-2",   "-1.5",  "-0.1",    "0",    "0.0001",   "0.1",
      "1",         "1.0001", "2",      "9999", "10000", "10000.5", "1e30", "Infinity", "NaN"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const int c =
          compare(*parse_decimal(ascending[i], arena), *parse_decimal(ascending[j], arena));
      EXPECT_EQ(c < 0, i < j) << ascending[i] << " " << ascending[j];
      EXPECT_EQ(c == 0, i == j);
    }
  }
}

TEST(CivilTime, KnowsWellKnownDays) {
  EXPECT_EQ(days_from_civil(1970, 1, 1), 0);
  EXPECT_EQ(days_from_civil(2000, 3, 1), 11017);
  EXPECT_EQ(days_from_civil(1969, 12, 31), -1);
  EXPECT_EQ(days_from_civil(-4713, 11, 24), -2440588);  // day 0 of the Julian day count
}

TEST(CivilTime, EveryDayGoesThereAndBack) {
  for (std::int64_t day = days_from_civil(-4712, 1, 1); day < days_from_civil(10000, 1, 1);
       day += 13) {
    const std::int64_t micros = day * 86'400'000'000 + 12'345'678'901;
    const CivilTime t = civil_from_micros(micros);
    EXPECT_EQ(micros_from_civil(t), micros);
    EXPECT_EQ(days_from_civil(t.year, t.month, t.day), day);
  }
}

TEST(CivilTime, PrintsYearsBeforeChristAndFractions) {
  EXPECT_EQ(timestamp_text(micros_from_civil({-4711, 1, 1, 0, 0, 0, 0}), 0, 0),
            "4712-01-01 00:00:00 BC");
  EXPECT_EQ(timestamp_text(micros_from_civil({2026, 8, 9, 12, 13, 14, 123456}), 789, 9),
            "2026-08-09 12:13:14.123456789");
  EXPECT_EQ(timestamp_text(-1, 0, 6), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(offset_text(-210), "-03:30");
}

TEST(Arena, KeepsBlocksAndFreesLargeValues) {
  Arena arena;
  arena.allocate(10);
  arena.allocate(Arena::kBlockBytes * 4);
  EXPECT_GE(arena.reserved_bytes(), Arena::kBlockBytes * 5);
  arena.reset();
  EXPECT_EQ(arena.reserved_bytes(), Arena::kBlockBytes);
  EXPECT_EQ(arena.used_bytes(), 0U);
  for (int i = 0; i < 10000; ++i) {
    std::byte* p = arena.allocate(100);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 8, 0U);
    std::memset(p, 1, 100);
  }
  EXPECT_EQ(arena.used_bytes(), 10000U * 104U);
}

TEST(BatchPool, BlocksUntilABatchComesBackAndWhenStopped) {
  BatchPool pool(1, 1024);
  BatchHandle held = pool.acquire({});
  ASSERT_TRUE(held);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(pool.acquire(stop.get_token()));
  stopper.join();
  std::jthread returner([batch = std::move(held)]() mutable { batch.reset(); });
  EXPECT_TRUE(pool.acquire({}));
}

TEST(BoundedQueue, DrainsAfterClose) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, StopWakesBothSides) {
  BoundedQueue<int> queue(1);
  std::stop_source stop;
  std::jthread consumer([&] { EXPECT_EQ(queue.pop(stop.get_token()), std::nullopt); });
  stop.request_stop();
  consumer.join();
  EXPECT_TRUE(queue.push(1));
  EXPECT_FALSE(queue.push(2, stop.get_token()));
}

TEST(SpillFile, ReadsBackWhatWasAppended) {
  auto file = SpillFile::create(std::filesystem::temp_directory_path());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->append("hello ").ok());
  ASSERT_TRUE((*file)->append("world").ok());
  std::string out(20, 'x');
  auto read = (*file)->read(6, std::as_writable_bytes(std::span(out)));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, 5U);
  EXPECT_EQ(out.substr(0, 5), "world");
}

TEST(SpillFile, NamesTheDirectoryItCannotUse) {
  auto file = SpillFile::create("/nonexistent-directory");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, "spill.io");
  EXPECT_NE(file.error().to_paragraph().find("/nonexistent-directory"), std::string::npos);
}

TEST(Error, ReadsAsOneParagraph) {
  Error error =
      make_error(ErrorKind::kSchema, "oracle.no_table", "cannot read the table", "Check the name");
  error.native_code = "ORA-00942";
  error.native_text = "ORA-00942: table or view does not exist\n";
  error.with("table", "HR.X").with("table", "ignored");
  EXPECT_EQ(
      error.to_paragraph(),
      "cannot read the table (table HR.X). The server said: ORA-00942: table or view does not "
      "exist. Check the name. [oracle.no_table]");
}

TEST(Error, TheLogGetsNothingThatComesOutOfARow) {
  Error error =
      make_error(ErrorKind::kData, "postgres.duplicate_key", "two rows have the same key");
  error.native_code = "23505";
  error.native_text = "invalid value \"secret one\"";
  error.native_detail = "Key (id)=(secret two) already exists";
  error.with("table", "HR.X").with_row_data("key", "secret three");
  EXPECT_EQ(error.to_log_text(),
            "two rows have the same key (table HR.X). The server's code: 23505. "
            "[postgres.duplicate_key]");
  for (const char* shown : {"secret one", "secret two", "secret three"}) {
    EXPECT_NE(error.to_paragraph().find(shown), std::string::npos) << shown;
  }
  error.kind = ErrorKind::kSchema;
  EXPECT_NE(error.to_log_text().find("secret one"), std::string::npos);
  EXPECT_EQ(error.to_log_text().find("secret two"), std::string::npos);
}

Result<int> fails() {
  return make_error(ErrorKind::kData, "x.y", "no");
}
Result<int> passes_on() {
  WHERRY_ASSIGN(const int value, fails());
  return value + 1;
}

TEST(Result, ErrorsTravelUp) {
  const Result<int> result = passes_on();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "x.y");
}

}  // namespace
}  // namespace wherry
