// Oracle's format models: TO_CHAR, TO_DATE, TO_TIMESTAMP[_TZ] and TO_NUMBER, and the text forms of
// intervals. Source: Oracle Database SQL Language Reference, "Format Models".
#pragma once

#include <string>
#include <string_view>

#include "engine/nls.h"
#include "engine/value.h"

namespace orasim {

/// `t` is wall-clock time (zoned values already shifted to their offset). ORA-01821 for a model
/// element that is not known.
std::string format_date(const DateTime& t, std::string_view model, const Nls& nls);

/// Wall-clock fields; offset_minutes is what TZH/TZM/TZR gave, else the session's. Missing parts
/// come from `now` as Oracle fills them (year and month of today, day 1, midnight). ORA-018xx.
DateTime parse_date(std::string_view text, std::string_view model, const DateTime& now,
                    const Nls& nls);

/// TO_CHAR(number, model); '#' characters when the number does not fit.
std::string format_number(const Number& n, std::string_view model, const Nls& nls);
/// TO_NUMBER(text, model); ORA-01722.
Number parse_number(std::string_view text, std::string_view model, const Nls& nls);

/// "+01-02"; `precision` is the digits of the year.
std::string interval_text(const IntervalYm& interval, int precision);
/// "+03 04:05:06.500000"
std::string interval_text(const IntervalDs& interval, int precision, int fraction_digits);
/// "1-2", "-1-02"; ORA-01867.
IntervalYm parse_interval_ym(std::string_view text);
/// "3 04:05:06.5", "-3 4:5:6"; ORA-01867.
IntervalDs parse_interval_ds(std::string_view text);

/// "+02:30", "-03:30", "UTC"; false when it is neither an offset nor a name that is known to be
/// UTC.
bool parse_offset(std::string_view text, int& minutes);
std::string offset_text(int minutes);

}  // namespace orasim
