// Oracle's calendar: Julian up to 4 October 1582, Gregorian from the 15th on, no year 0. Everything
// is counted in Julian days, so differences and sums cross the reform as Oracle's do.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/value.h"

namespace orasim {

/// Julian day number of the date part; 1721424 is 1 January of year 1 (TO_CHAR(d,'J')).
std::int64_t julian_day(const DateTime&);
/// Date part from a Julian day number; the time of day is midnight.
DateTime from_julian_day(std::int64_t day);
int days_in_month(int year, int month);
/// True when the date and time fields are in range and the day exists (also not 5…14 Oct 1582).
bool is_valid(const DateTime&);
/// 1 Sunday … 7 Saturday, as TO_CHAR(d,'D') says in America.
int weekday(const DateTime&);

/// Seconds since Julian day 0; nanoseconds apart.
std::int64_t total_seconds(const DateTime&);
/// Throws ORA-01841 outside -4712…9999. Keeps offset and region of `like`.
DateTime from_total_seconds(std::int64_t seconds, std::uint32_t nanoseconds, const DateTime& like);

/// DATE ± number of days, rounded to whole seconds.
DateTime add_days(const DateTime&, const Number& days);
DateTime add_interval(const DateTime&, const IntervalDs&);
/// timestamp ± INTERVAL YEAR TO MONTH: the day must exist (ORA-01839).
DateTime add_interval(const DateTime&, const IntervalYm&);
/// DATE - DATE in days.
Number days_between(const DateTime& a, const DateTime& b);
/// TIMESTAMP - TIMESTAMP.
IntervalDs interval_between(const DateTime& a, const DateTime& b);

/// ADD_MONTHS: the last day of a month stays the last day.
DateTime add_months(const DateTime&, std::int64_t months);
Number months_between(const DateTime& a, const DateTime& b);
DateTime last_day(const DateTime&);
/// `name` is a weekday or its abbreviation; ORA-01846.
DateTime next_day(const DateTime&, std::string_view name);
/// TRUNC and ROUND with a date format model ("DD", "MM", "YYYY", "Q", "IW", "HH24", …); ORA-01898.
DateTime truncated(const DateTime&, std::string_view model);
DateTime rounded(const DateTime&, std::string_view model);

/// Moves a UTC instant to the wall clock of its zone; a region's offset is looked up anew.
DateTime to_local(const DateTime& utc);
/// And back, by the offset.
DateTime to_utc(const DateTime& local);
/// Both parts with one sign.
IntervalDs normalized(IntervalDs);

}  // namespace orasim
