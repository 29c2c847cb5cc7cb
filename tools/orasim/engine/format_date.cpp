#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "engine/calendar.h"
#include "engine/error.h"
#include "engine/format_model.h"

namespace orasim {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kRoman = {"I",   "II",   "III", "IV", "V",  "VI",
                                                     "VII", "VIII", "IX",  "X",  "XI", "XII"};

// Longest first: the scanner takes the first that fits.
constexpr std::array<std::string_view, 47> kElements = {
    "SYYYY", "SYEAR", "MONTH", "SSSSS", "Y,YYY", "YYYY", "IYYY", "RRRR", "YEAR", "HH24",
    "HH12",  "A.D.",  "B.C.",  "A.M.",  "P.M.",  "YYY",  "IYY",  "MON",  "DAY",  "DDD",
    "SCC",   "TZH",   "TZM",   "TZR",   "TZD",   "FF1",  "FF2",  "FF3",  "FF4",  "FF5",
    "FF6",   "FF7",   "FF8",   "FF9",   "YY",    "RR",   "IY",   "CC",   "MM",   "RM",
    "WW",    "IW",    "DD",    "DY",    "HH",    "MI",   "SS"};
constexpr std::array<std::string_view, 13> kShort = {"FF", "FM", "FX", "AD", "BC", "AM", "PM",
                                                     "Y",  "I",  "Q",  "W",  "D",  "J"};

char upper_char(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

bool starts_with_any_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (upper_char(text[i]) != upper_char(prefix[i])) return false;
  }
  return true;
}

/// One piece of a model: an element in upper case, or literal text.
struct Piece {
  std::string element;  ///< empty: literal
  std::string literal;
  bool upper_case = false;  ///< of a name: MONTH
  bool title_case = false;  ///< Month
};

std::string_view find_element(std::string_view model) {
  for (const std::string_view e : kElements) {
    if (starts_with_any_case(model, e)) return e;
  }
  for (const std::string_view e : kShort) {
    if (starts_with_any_case(model, e)) return e;
  }
  // X is the decimal character of the session.
  if (!model.empty() && upper_char(model[0]) == 'X') return "X";
  return {};
}

std::vector<Piece> scan(std::string_view model) {
  std::vector<Piece> pieces;
  while (!model.empty()) {
    Piece piece;
    if (model[0] == '"') {
      const std::size_t end = model.find('"', 1);
      if (end == std::string_view::npos)
        throw OraError(1861, "literal does not match format string");
      piece.literal = std::string(model.substr(1, end - 1));
      model.remove_prefix(end + 1);
      pieces.push_back(std::move(piece));
      continue;
    }
    const std::string_view element = find_element(model);
    if (!element.empty()) {
      piece.element = std::string(element);
      const bool first = std::isupper(static_cast<unsigned char>(model[0])) != 0;
      const bool second =
          model.size() > 1 && std::isupper(static_cast<unsigned char>(model[1])) != 0;
      piece.upper_case = first && second;
      piece.title_case = first && !second;
      model.remove_prefix(element.size());
    } else if (std::isalnum(static_cast<unsigned char>(model[0])) != 0) {
      throw OraError(1821, "date format not recognized");
    } else {
      piece.literal = std::string(1, model[0]);
      model.remove_prefix(1);
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::string cased(std::string_view name, const Piece& piece) {
  std::string out(name);
  if (piece.upper_case) {
    std::transform(out.begin(), out.end(), out.begin(), upper_char);
  } else if (!piece.title_case) {
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  return out;
}

std::string padded(std::int64_t value, int width, bool fill_mode) {
  std::string digits = std::to_string(value);
  const auto wanted = static_cast<std::size_t>(width);
  if (!fill_mode && digits.size() < wanted) digits.insert(0, wanted - digits.size(), '0');
  return digits;
}

std::string blank_padded(std::string name, std::size_t width, bool fill_mode) {
  if (!fill_mode && name.size() < width) name.append(width - name.size(), ' ');
  return name;
}

std::int64_t day_of_year(const DateTime& t) {
  DateTime start = t;
  start.month = start.day = 1;
  return julian_day(t) - julian_day(start) + 1;
}

std::int64_t iso_year(const DateTime& t) {
  return from_julian_day(julian_day(truncated(t, "IW")) + 3).year;
}

std::string fraction_text(std::uint32_t nanos, std::size_t digits) {
  std::array<char, 16> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%09u", nanos);
  return std::string(buffer.data(), digits);
}

std::string era(const DateTime& t, const Piece& piece) {
  const bool dots = piece.element.find('.') != std::string::npos;
  std::string text = t.year < 0 ? (dots ? "B.C." : "BC") : (dots ? "A.D." : "AD");
  return piece.upper_case || piece.title_case ? text : cased(text, piece);
}

std::string half_of_day(const DateTime& t, const Piece& piece) {
  const bool dots = piece.element.find('.') != std::string::npos;
  std::string text = t.hour < 12 ? (dots ? "A.M." : "AM") : (dots ? "P.M." : "PM");
  return piece.upper_case || piece.title_case ? text : cased(text, piece);
}

std::string year_element(const DateTime& t, const std::string& e, bool fm) {
  const std::int64_t year = std::abs(static_cast<int>(t.year));
  if (e == "SYYYY") return (t.year < 0 ? "-" : (fm ? "" : " ")) + padded(year, 4, fm);
  if (e == "YYYY" || e == "RRRR") return padded(year, 4, fm);
  if (e == "Y,YYY") return padded(year / 1000, 1, fm) + "," + padded(year % 1000, 3, false);
  if (e == "YYY") return padded(year % 1000, 3, fm);
  if (e == "YY" || e == "RR") return padded(year % 100, 2, fm);
  if (e == "Y") return padded(year % 10, 1, fm);
  if (e == "IYYY") return padded(iso_year(t), 4, fm);
  if (e == "IYY") return padded(iso_year(t) % 1000, 3, fm);
  if (e == "IY") return padded(iso_year(t) % 100, 2, fm);
  if (e == "I") return padded(iso_year(t) % 10, 1, fm);
  const std::int64_t century = (year + 99) / 100;
  if (e == "SCC") return (t.year < 0 ? "-" : (fm ? "" : " ")) + padded(century, 2, fm);
  if (e == "CC") return padded(century, 2, fm);
  throw OraError(1821, "date format not recognized");  // YEAR in words
}

std::string day_element(const DateTime& t, const Piece& p, bool fm) {
  const std::string& e = p.element;
  const auto day_name = kDays[static_cast<std::size_t>(weekday(t) - 1)];
  if (e == "DAY") return blank_padded(cased(day_name, p), 9, fm);
  if (e == "DY") return cased(day_name.substr(0, 3), p);
  if (e == "DDD") return padded(day_of_year(t), 3, fm);
  if (e == "DD") return padded(t.day, 2, fm);
  if (e == "D") return padded(weekday(t), 1, fm);
  if (e == "J") return padded(julian_day(t), 7, fm);
  if (e == "WW") return padded((day_of_year(t) - 1) / 7 + 1, 2, fm);
  if (e == "W") return padded((t.day - 1) / 7 + 1, 1, fm);
  const std::int64_t weeks =
      (julian_day(truncated(t, "IW")) - julian_day(truncated(t, "IYYY"))) / 7 + 1;
  return padded(weeks, 2, fm);  // IW
}

std::string zone_element(const DateTime& t, const std::string& e, bool fm) {
  const int magnitude = std::abs(static_cast<int>(t.offset_minutes));
  if (e == "TZH") return (t.offset_minutes < 0 ? "-" : "+") + padded(magnitude / 60, 2, fm);
  if (e == "TZM") return padded(magnitude % 60, 2, fm);
  if (e == "TZR") return zone_text(t);
  return daylight_text(to_utc(t));
}

std::string element_text(const DateTime& t, const Piece& p, bool fm, const Nls& nls) {
  const std::string& e = p.element;
  const auto month_name = kMonths[static_cast<std::size_t>(t.month - 1)];
  if (e == "MONTH") return blank_padded(cased(month_name, p), 9, fm);
  if (e == "MON") return cased(month_name.substr(0, 3), p);
  if (e == "MM") return padded(t.month, 2, fm);
  if (e == "RM") return blank_padded(cased(kRoman[t.month - 1U], p), 4, fm);
  if (e == "Q") return padded((t.month + 2) / 3, 1, fm);
  if (e == "HH24") return padded(t.hour, 2, fm);
  if (e == "HH" || e == "HH12") return padded(t.hour % 12 == 0 ? 12 : t.hour % 12, 2, fm);
  if (e == "MI") return padded(t.minute, 2, fm);
  if (e == "SS") return padded(t.second, 2, fm);
  if (e == "SSSSS") return padded(t.hour * 3600 + t.minute * 60 + t.second, 5, fm);
  if (e == "X") return nls.numeric_characters.substr(0, 1);
  if (e == "FF") return fraction_text(t.nanosecond, t.nanosecond % 1000 == 0 ? 6 : 9);
  if (e.substr(0, 2) == "FF")
    return fraction_text(t.nanosecond, static_cast<std::size_t>(e[2] - '0'));
  if (e[0] == 'T') return zone_element(t, e, fm);
  if (e == "AD" || e == "BC" || e == "A.D." || e == "B.C.") return era(t, p);
  if (e == "AM" || e == "PM" || e == "A.M." || e == "P.M.") return half_of_day(t, p);
  if (e[0] == 'D' || e == "J" || e == "WW" || e == "W" || e == "IW") return day_element(t, p, fm);
  return year_element(t, e, fm);
}

/// Reads input text under a model.
class DateParser {
 public:
  DateParser(std::string_view text, const DateTime& now, const Nls& nls) : text_(text), now_(now) {
    zone_ = nls.session_zone;
  }

  DateTime parse(const std::vector<Piece>& pieces) {
    for (const Piece& piece : pieces) {
      if (piece.element == "FM") continue;
      if (piece.element == "FX") {
        exact_ = true;
        continue;
      }
      if (piece.element.empty()) {
        literal(piece.literal);
      } else {
        skip_blanks();
        // The time part may be left out at the end.
        if (text_.empty() && is_time(piece.element)) continue;
        element(piece.element);
      }
    }
    skip_blanks();
    if (!text_.empty()) {
      throw OraError(1830, "date format picture ends before converting entire input string");
    }
    return finish();
  }

 private:
  static bool is_time(const std::string& e) {
    return e[0] == 'H' || e == "MI" || e[0] == 'S' || e == "X" || e[0] == 'F' || e[0] == 'T' ||
           e == "AM" || e == "PM" || e == "A.M." || e == "P.M.";
  }

  void skip_blanks() {
    if (exact_) return;
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\t' || text_[0] == '\n')) {
      text_.remove_prefix(1);
    }
  }

  void literal(const std::string& expected) {
    for (const char c : expected) {
      if (c == ' ') {
        skip_blanks();
        continue;
      }
      skip_blanks();
      if (text_.empty()) continue;
      const bool punctuation = std::isalnum(static_cast<unsigned char>(c)) == 0;
      if (text_[0] == c) {
        text_.remove_prefix(1);
      } else if (punctuation && std::isalnum(static_cast<unsigned char>(text_[0])) == 0 &&
                 static_cast<unsigned char>(text_[0]) < 0x80) {
        text_.remove_prefix(1);  // any punctuation stands for any other
      } else if (!punctuation || exact_) {
        throw OraError(1861, "literal does not match format string");
      }
    }
  }

  std::int64_t digits(std::size_t max, int code) {
    std::size_t n = 0;
    std::int64_t value = 0;
    while (n < max && n < text_.size() && std::isdigit(static_cast<unsigned char>(text_[n])) != 0) {
      value = value * 10 + (text_[n] - '0');
      ++n;
    }
    if (n == 0) {
      if (text_.empty()) throw OraError(1840, "input value not long enough for date format");
      if (code == 1843) throw OraError(1843, "not a valid month");
      throw OraError(1858, "a non-numeric character was found where a numeric was expected");
    }
    digits_read_ = n;
    text_.remove_prefix(n);
    return value;
  }

  int in_range(std::int64_t value, int low, int high, int code, const char* text) {
    if (value < low || value > high) throw OraError(code, text);
    return static_cast<int>(value);
  }

  bool take_sign() {
    if (!text_.empty() && (text_[0] == '-' || text_[0] == '+')) {
      const bool negative = text_[0] == '-';
      text_.remove_prefix(1);
      return negative;
    }
    return false;
  }

  template <class Names>
  int name(const Names& names, int code, const char* error_text) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (starts_with_any_case(text_, names[i])) {
        text_.remove_prefix(names[i].size());
        return static_cast<int>(i) + 1;
      }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (starts_with_any_case(text_, names[i].substr(0, 3))) {
        text_.remove_prefix(3);
        return static_cast<int>(i) + 1;
      }
    }
    throw OraError(code, error_text);
  }

  void two_digit_year(std::size_t max, bool rounded) {
    std::int64_t value = digits(max, 1841);
    if (digits_read_ <= 2) {
      const std::int64_t century = now_.year / 100;
      std::int64_t base = century;
      if (rounded) {
        const bool now_late = now_.year % 100 >= 50;
        if (value < 50 && now_late) base = century + 1;
        if (value >= 50 && !now_late) base = century - 1;
      }
      value += base * 100;
    }
    year_ = value;
  }

  void month_element(const std::string& e) {
    if (e == "MM") {
      // A month name is accepted where a number is expected.
      if (!text_.empty() && std::isalpha(static_cast<unsigned char>(text_[0])) != 0) {
        month_ = name(kMonths, 1843, "not a valid month");
      } else {
        month_ = in_range(digits(2, 1843), 1, 12, 1843, "not a valid month");
      }
      return;
    }
    if (e == "RM") {
      for (std::size_t i = kRoman.size(); i-- > 0;) {
        if (!starts_with_any_case(text_, kRoman[i])) continue;
        text_.remove_prefix(kRoman[i].size());
        month_ = static_cast<int>(i) + 1;
        return;
      }
      throw OraError(1843, "not a valid month");
    }
    if (!text_.empty() && std::isdigit(static_cast<unsigned char>(text_[0])) != 0) {
      month_ = in_range(digits(2, 1843), 1, 12, 1843, "not a valid month");
      return;
    }
    month_ = name(kMonths, 1843, "not a valid month");
  }

  void zone(const std::string& e) {
    if (e == "TZH") {
      const bool negative = take_sign();
      const int hours =
          in_range(digits(2, 1858), 0, 14, 1874, "time zone hour must be between -15 and 15");
      zone_sign_ = negative ? -1 : 1;
      zone_ = Zone{static_cast<std::int16_t>(zone_sign_ * hours * 60), 0};
    } else if (e == "TZM") {
      const int minutes =
          in_range(digits(2, 1858), 0, 59, 1875, "time zone minute must be between -59 and 59");
      zone_.offset_minutes = static_cast<std::int16_t>(zone_.offset_minutes + zone_sign_ * minutes);
    } else if (e == "TZR") {
      const auto zone = parse_zone(zone_word());
      if (!zone) throw OraError(1882, "timezone region not found");
      zone_ = *zone;
    } else {
      daylight_name_ = zone_word();
    }
  }

  std::string_view zone_word() {
    const std::string_view word = text_.substr(0, text_.find(' '));
    text_.remove_prefix(word.size());
    return word;
  }

  void fraction(const std::string& e) {
    if (!has_point_) return;
    const std::size_t max = e.size() > 2 ? static_cast<std::size_t>(e[2] - '0') : 9;
    std::int64_t value = digits(max, 1858);
    for (std::size_t i = digits_read_; i < 9; ++i) value *= 10;
    nanos_ = static_cast<std::uint32_t>(value);
  }

  void element(const std::string& e) {
    if (e == "SYYYY") {
      negative_year_ = take_sign();
      year_ = digits(4, 1841);
    } else if (e == "YYYY" || e == "IYYY") {
      year_ = digits(4, 1841);
    } else if (e == "YYY" || e == "Y") {
      const std::size_t width = e.size();
      const std::int64_t scale = width == 3 ? 1000 : 10;
      year_ = now_.year / scale * scale + digits(width, 1841);
    } else if (e == "Y,YYY") {
      std::int64_t thousands = digits(1, 1841);
      literal(",");
      year_ = thousands * 1000 + digits(3, 1841);
    } else if (e == "YY") {
      two_digit_year(2, false);
    } else if (e == "RR") {
      two_digit_year(4, true);
    } else if (e == "RRRR") {
      two_digit_year(4, true);
    } else if (e == "MM" || e == "MON" || e == "MONTH" || e == "RM") {
      month_element(e);
    } else if (e == "DD") {
      day_ = in_range(digits(2, 1847), 1, 31, 1847,
                      "day of month must be between 1 and last day of month");
    } else if (e == "DDD") {
      day_of_year_ = in_range(digits(3, 1848), 1, 366, 1848,
                              "day of year must be between 1 and 365 (366 for leap year)");
    } else if (e == "J") {
      julian_ = digits(7, 1854);
    } else if (e == "DAY" || e == "DY") {
      name(kDays, 1846, "not a valid day of the week");
    } else if (e == "D") {
      in_range(digits(1, 1858), 1, 7, 1846, "not a valid day of the week");
    } else if (e == "HH24") {
      hour_ = in_range(digits(2, 1850), 0, 23, 1850, "hour must be between 0 and 23");
    } else if (e == "HH" || e == "HH12") {
      hour_ = in_range(digits(2, 1849), 1, 12, 1849, "hour must be between 1 and 12");
      twelve_hours_ = true;
    } else if (e == "MI") {
      minute_ = in_range(digits(2, 1851), 0, 59, 1851, "minutes must be between 0 and 59");
    } else if (e == "SS") {
      second_ = in_range(digits(2, 1852), 0, 59, 1852, "seconds must be between 0 and 59");
    } else if (e == "SSSSS") {
      const int s =
          in_range(digits(5, 1853), 0, 86399, 1853, "seconds in day must be between 0 and 86399");
      hour_ = s / 3600;
      minute_ = s / 60 % 60;
      second_ = s % 60;
    } else if (e == "X") {
      // A text without the point has no fraction either.
      has_point_ = !text_.empty() && (text_[0] == '.' || text_[0] == ',');
      if (has_point_) text_.remove_prefix(1);
    } else if (e.substr(0, 2) == "FF") {
      fraction(e);
    } else if (e[0] == 'T') {
      zone(e);
    } else if (e == "AM" || e == "PM" || e == "A.M." || e == "P.M.") {
      half(e);
    } else if (e == "AD" || e == "BC" || e == "A.D." || e == "B.C.") {
      read_era(e);
    } else {
      throw OraError(1820, "format code cannot appear in date input format");
    }
  }

  void half(const std::string& e) {
    const std::size_t width = e.size();
    if (text_.size() < width) throw OraError(1855, "AM/A.M. or PM/P.M. required");
    const char c = upper_char(text_[0]);
    if (c != 'A' && c != 'P') throw OraError(1855, "AM/A.M. or PM/P.M. required");
    afternoon_ = c == 'P';
    text_.remove_prefix(text_.size() > 1 && text_[1] == '.' ? std::min<std::size_t>(4, text_.size())
                                                            : 2);
  }

  void read_era(const std::string& e) {
    const std::size_t width = e.size();
    if (text_.size() < width) throw OraError(1856, "BC/B.C. or AD/A.D. required");
    negative_year_ = upper_char(text_[0]) == 'B';
    text_.remove_prefix(width);
  }

  DateTime finish() {
    DateTime t;
    if (julian_ != 0) {
      t = from_julian_day(julian_);
    } else {
      std::int64_t year = year_ == kUnset ? now_.year : year_;
      if (negative_year_) year = -year;
      if (year == 0 || year < -4712 || year > 9999) {
        throw OraError(1841, "(full) year must be between -4713 and +9999, and not be 0");
      }
      t.year = static_cast<std::int16_t>(year);
      t.month =
          static_cast<std::uint8_t>(month_ == 0 ? (day_of_year_ != 0 ? 1 : now_.month) : month_);
      t.day = static_cast<std::uint8_t>(day_ == 0 ? 1 : day_);
      if (day_of_year_ != 0) t = from_julian_day(julian_day(t) + day_of_year_ - 1);
      if (!is_valid(t)) throw OraError(1839, "date not valid for month specified");
    }
    if (twelve_hours_) hour_ = hour_ % 12 + (afternoon_ ? 12 : 0);
    t.hour = static_cast<std::uint8_t>(hour_);
    t.minute = static_cast<std::uint8_t>(minute_);
    t.second = static_cast<std::uint8_t>(second_);
    t.nanosecond = nanos_;
    zone_.put_into_wall(t);
    // A reading of the clock that comes twice: TZD tells which of the two it is.
    if (!daylight_name_.empty() && daylight_text(to_utc(t)) != daylight_name_) {
      resolve_wall_zone(t, true);
    }
    return t;
  }

  static constexpr std::int64_t kUnset = INT64_MIN;
  std::string_view text_;
  DateTime now_;
  bool exact_ = false;
  std::size_t digits_read_ = 0;
  std::int64_t year_ = kUnset;
  std::int64_t julian_ = 0;
  bool negative_year_ = false;
  int month_ = 0, day_ = 0, day_of_year_ = 0;
  int hour_ = 0, minute_ = 0, second_ = 0;
  bool twelve_hours_ = false, afternoon_ = false;
  bool has_point_ = true;  ///< false: X has met none
  std::uint32_t nanos_ = 0;
  Zone zone_;
  std::string_view daylight_name_;
  int zone_sign_ = 1;
};

}  // namespace

std::string format_date(const DateTime& t, std::string_view model, const Nls& nls) {
  std::string out;
  bool fill_mode = false;
  for (const Piece& piece : scan(model)) {
    if (piece.element == "FM") {
      fill_mode = !fill_mode;
    } else if (piece.element.empty()) {
      out += piece.literal;
    } else if (piece.element != "FX") {
      out += element_text(t, piece, fill_mode, nls);
    }
  }
  return out;
}

DateTime parse_date(std::string_view text, std::string_view model, const DateTime& now,
                    const Nls& nls) {
  return DateParser(text, now, nls).parse(scan(model));
}

bool parse_offset(std::string_view text, int& minutes) {
  if (starts_with_any_case(text, "UTC") || starts_with_any_case(text, "GMT") || text == "Z" ||
      text == "Etc/UTC") {
    minutes = 0;
    return true;
  }
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2) return false;
  int parts[2] = {0, 0};
  const std::string_view fields[2] = {text.substr(0, colon), text.substr(colon + 1)};
  for (int i = 0; i < 2; ++i) {
    if (fields[i].empty() || fields[i].size() > 2) return false;
    for (const char c : fields[i]) {
      if (std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
      parts[i] = parts[i] * 10 + (c - '0');
    }
  }
  if (parts[0] > 15 || parts[1] > 59) return false;
  minutes = (parts[0] * 60 + parts[1]) * (negative ? -1 : 1);
  return true;
}

std::string offset_text(int minutes) {
  std::array<char, 16> buffer;
  const int magnitude = std::abs(minutes);
  std::snprintf(buffer.data(), buffer.size(), "%c%02d:%02d", minutes < 0 ? '-' : '+',
                magnitude / 60, magnitude % 60);
  return buffer.data();
}

}  // namespace orasim
