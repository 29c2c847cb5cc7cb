#include "engine/format_model.h"

#include <gtest/gtest.h>

#include "engine/calendar.h"
#include "engine/error.h"

namespace orasim {
namespace {

const Nls kNls;
const DateTime kNow = {2026, 11, 24, 10, 0, 0, 0, 0, 0};

std::string date(const DateTime& t, const char* model) {
  return format_date(t, model, kNls);
}
std::string reread(const char* text, const char* model) {
  return date(parse_date(text, model, kNow, kNls), "SYYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM");
}
int error_of(const char* text, const char* model) {
  try {
    parse_date(text, model, kNow, kNls);
  } catch (const OraError& e) {
    return e.code();
  }
  return 0;
}
std::string number(const char* n, const char* model) {
  return format_number(*Number::parse(n), model, kNls);
}

TEST(DateFormat, PrintsElements) {
  const DateTime t = {2026, 8, 9, 14, 5, 6, 123456789, 150, 0};
  EXPECT_EQ(date(t, "YYYY-MM-DD HH24:MI:SS.FF3"), "2026-08-09 14:05:06.123");
  EXPECT_EQ(date(t, "DD-MON-RR HH.MI.SSXFF AM TZR"), "09-AUG-26 02.05.06.123456789 PM +02:30");
  EXPECT_EQ(date(t, "Month|MONTH|FMMonth|fmDD"), "August   |AUGUST   |August|09");
  EXPECT_EQ(date(t, "FMMonth DD, YYYY"), "August 9, 2026");
  EXPECT_EQ(date(t, "DAY DY D DDD J Q WW IW W"), "SUNDAY    SUN 1 221 2461262 3 32 32 2");
  EXPECT_EQ(date(t, "\"year\" YYYY AD CC"), "year 2026 AD 21");
  EXPECT_THROW(date(t, "YYYY-ZZ"), OraError);
}

TEST(DateFormat, ReadsText) {
  EXPECT_EQ(reread("28-09-2015", "dd-MM-yyyy"), " 2015-09-28 00:00:00.000000000 +00:00");
  EXPECT_EQ(reread("2015/9/8 3:4", "YYYY-MM-DD HH24:MI"), " 2015-09-08 03:04:00.000000000 +00:00");
  EXPECT_EQ(reread("17-JUN-87", "DD-MON-RR"), " 1987-06-17 00:00:00.000000000 +00:00");
  EXPECT_EQ(reread("17-june-03", "DD-MON-RR"), " 2003-06-17 00:00:00.000000000 +00:00");
  EXPECT_EQ(reread("12:30 am", "HH:MI AM"), " 2026-11-01 00:30:00.000000000 +00:00");
  EXPECT_EQ(reread("2026-01-02 03:04:05.25 -03:30", "YYYY-MM-DD HH24:MI:SS.FF TZH:TZM"),
            " 2026-01-02 03:04:05.250000000 -03:30");
  EXPECT_EQ(reread("-4712-01-01", "SYYYY-MM-DD"), "-4712-01-01 00:00:00.000000000 +00:00");
  EXPECT_EQ(reread("20260809121314", "YYYYMMDDHH24MISS"), " 2026-08-09 12:13:14.000000000 +00:00");
}

TEST(DateFormat, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("2015-13-01", "YYYY-MM-DD"), 1843);
  EXPECT_EQ(error_of("2015-02-30", "YYYY-MM-DD"), 1839);
  EXPECT_EQ(error_of("2015-02-10 x", "YYYY-MM-DD"), 1830);
  EXPECT_EQ(error_of("abc", "YYYY-MM-DD"), 1858);
  EXPECT_EQ(error_of("2015", "YYYY-MM-DD"), 1840);
  EXPECT_EQ(error_of("25", "HH24"), 1850);
}

TEST(NumberFormat, FollowsTheModel) {
  EXPECT_EQ(number("1234.5", "9,999.99"), " 1,234.50");
  EXPECT_EQ(number("-1234.5", "FM9,999.99"), "-1,234.5");
  EXPECT_EQ(number("5", "0000"), " 0005");
  EXPECT_EQ(number("0", "990.00"), "   0.00");
  EXPECT_EQ(number("12345", "999"), "####");
  EXPECT_EQ(number("255", "XXXX"), "   FF");
  EXPECT_EQ(number("-5", "999MI"), "  5-");
  EXPECT_EQ(number("0.5", "FM999"), "1");
  EXPECT_EQ(number("7", "FM00"), "07");
  EXPECT_EQ(parse_number("1,234.50-", "9,999.99MI", kNls).to_string(), "-1234.5");
}

TEST(Intervals, GoThereAndBack) {
  EXPECT_EQ(interval_text(parse_interval_ym("-1-2"), 2), "-01-02");
  EXPECT_EQ(interval_text(parse_interval_ds("3 04:05:06.5"), 2, 6), "+03 04:05:06.500000");
  EXPECT_EQ(interval_text(parse_interval_ds("-0 00:00:00.000000001"), 2, 9),
            "-00 00:00:00.000000001");
  EXPECT_THROW(parse_interval_ds("3 25:00:00"), OraError);
}

TEST(Calendar, CrossesTheReformAsOracleDoes) {
  const DateTime after = {1582, 10, 15, 0, 0, 0, 0, 0, 0};
  const DateTime before = add_days(after, Number::from_int(-1));
  EXPECT_EQ(before.day, 4);
  EXPECT_EQ(days_between(after, before).to_string(), "1");
  EXPECT_FALSE(is_valid({1582, 10, 10, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(is_valid({1500, 2, 29, 0, 0, 0, 0, 0, 0}));
  for (std::int64_t day = 1; day < 5'373'484; day += 97) {
    EXPECT_EQ(julian_day(from_julian_day(day)), day);
  }
}

TEST(Calendar, MonthArithmeticKeepsTheLastDay) {
  const DateTime end = {2024, 2, 29, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(add_months(end, 1).day, 31);
  EXPECT_EQ(add_months({2024, 1, 31, 0, 0, 0, 0, 0, 0}, 1).day, 29);
  EXPECT_EQ(months_between({2024, 3, 31, 0, 0, 0, 0, 0, 0}, end).to_string(), "1");
  EXPECT_THROW(add_interval(end, IntervalYm{12}), OraError);
}

}  // namespace
}  // namespace orasim
