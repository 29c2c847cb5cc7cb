#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "engine/calendar.h"
#include "engine/error.h"
#include "engine/format_model.h"

namespace orasim {
namespace {

constexpr std::int32_t kNanosPerUnit = 1'000'000'000;

/// A number model taken apart.
struct NumberModel {
  std::string integer;   ///< 9, 0, G and , of the integer part
  std::string fraction;  ///< 9 and 0 after the point
  bool has_point = false;
  bool fill_mode = false;
  bool sign_front = false, sign_back = false, minus_back = false, angle = false;
  bool currency = false, blank_zero = false, scientific = false, hexadecimal = false;
  bool hex_lower = false, text_minimum = false;
};

[[noreturn]] void invalid_model() {
  throw OraError(1481, "invalid number format model");
}

NumberModel scan_model(std::string_view model) {
  NumberModel m;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const char c = static_cast<char>(std::toupper(static_cast<unsigned char>(model[i])));
    const char next =
        i + 1 < model.size()
            ? static_cast<char>(std::toupper(static_cast<unsigned char>(model[i + 1])))
            : '\0';
    if (c == 'F' && next == 'M') {
      m.fill_mode = true;
      ++i;
    } else if (c == '9' || c == '0') {
      (m.has_point ? m.fraction : m.integer) += c;
    } else if (c == ',' || c == 'G') {
      if (m.has_point) invalid_model();
      m.integer += ',';
    } else if (c == '.' || c == 'D') {
      if (m.has_point) invalid_model();
      m.has_point = true;
    } else if (c == 'S') {
      (i == 0 || (m.integer.empty() && !m.has_point) ? m.sign_front : m.sign_back) = true;
    } else if (c == 'M' && next == 'I') {
      m.minus_back = true;
      ++i;
    } else if (c == 'P' && next == 'R') {
      m.angle = true;
      ++i;
    } else if (c == '$' || c == 'L' || c == 'C' || c == 'U') {
      m.currency = true;
    } else if (c == 'B') {
      m.blank_zero = true;
    } else if (c == 'E' && model.substr(i) == "EEEE") {
      m.scientific = true;
      i += 3;
    } else if (c == 'X') {
      m.hexadecimal = true;
      m.hex_lower = model[i] == 'x';
      m.integer += 'X';
    } else if (c == 'T' && next == 'M') {
      m.text_minimum = true;
      break;
    } else {
      invalid_model();
    }
  }
  return m;
}

/// Plain digits of |n|: integer part without leading zeros, fraction without trailing zeros.
void split_digits(const Number& n, std::string& integer, std::string& fraction) {
  const auto bytes = n.bytes();
  integer.clear();
  fraction.clear();
  if (n.is_zero()) return;
  const bool negative = n.is_negative();
  const int exponent = negative ? 0x3F - bytes[0] : bytes[0] - 0xC0;
  int position = 0;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    if (negative && bytes[i] == 0x66) break;
    const int pair = negative ? 101 - bytes[i] : bytes[i] - 1;
    if (position == 0 && exponent < 0)
      fraction.append(static_cast<std::size_t>(-2 * exponent), '0');
    std::string& part = position < exponent ? integer : fraction;
    part += static_cast<char>('0' + pair / 10);
    part += static_cast<char>('0' + pair % 10);
    ++position;
  }
  for (; position < exponent; ++position) integer += "00";
  integer.erase(0, std::min(integer.find_first_not_of('0'), integer.size()));
  fraction.erase(fraction.find_last_not_of('0') + 1);
}

std::string hexadecimal(const Number& n, const NumberModel& m) {
  const auto value = n.rounded(0).to_int();
  if (!value || *value < 0) return std::string(m.integer.size() + 1, '#');
  std::array<char, 32> buffer;
  std::snprintf(buffer.data(), buffer.size(), m.hex_lower ? "%llx" : "%llX",
                static_cast<unsigned long long>(*value));
  std::string digits = buffer.data();
  if (digits.size() > m.integer.size()) return std::string(m.integer.size() + 1, '#');
  const bool zeros = m.integer.find('0') != std::string::npos;
  if (zeros) digits.insert(0, m.integer.size() - digits.size(), '0');
  if (m.fill_mode) return digits;
  return std::string(m.integer.size() + 1 - digits.size(), ' ') + digits;
}

std::string scientific(const Number& n, const NumberModel& m) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.*E", static_cast<int>(m.fraction.size()),
                n.to_double());
  std::string text = buffer.data();
  if (!n.is_negative() && !m.fill_mode) text.insert(0, 1, ' ');
  return text;
}

/// Integer digits laid into the model from the right; false when they do not fit.
bool lay_integer(const std::string& digits, const NumberModel& m, const Nls& nls,
                 std::string& out) {
  const auto places = static_cast<std::size_t>(
      std::count_if(m.integer.begin(), m.integer.end(), [](char c) { return c != ','; }));
  if (digits.size() > places) return false;
  const std::size_t first_zero = m.integer.find('0');
  std::size_t place = places;
  std::string reversed;
  for (std::size_t i = m.integer.size(); i-- > 0;) {
    const bool forced = first_zero != std::string::npos && i >= first_zero;
    if (m.integer[i] == ',') {
      const bool shown =
          place != 0 && (places - place >= digits.size() ? forced && i > first_zero : true);
      reversed += shown ? nls.numeric_characters[1] : (m.fill_mode ? '\0' : ' ');
      continue;
    }
    const std::size_t from_right = places - place;
    --place;
    if (from_right < digits.size()) {
      reversed += digits[digits.size() - 1 - from_right];
    } else {
      reversed += forced ? '0' : (m.fill_mode ? '\0' : ' ');
    }
  }
  for (std::size_t i = reversed.size(); i-- > 0;) {
    if (reversed[i] != '\0') out += reversed[i];
  }
  return true;
}

std::string with_sign(std::string body, bool negative, const NumberModel& m) {
  const std::size_t lead = std::min(body.find_first_not_of(' '), body.size());
  const auto put_front = [&](const char* sign) { body.insert(lead, sign); };
  if (m.currency) put_front("$");
  if (m.sign_back) return body + (negative ? "-" : "+");
  if (m.minus_back) return body + (negative ? "-" : (m.fill_mode ? "" : " "));
  if (m.angle) {
    put_front(negative ? "<" : (m.fill_mode ? "" : " "));
    return body + (negative ? ">" : (m.fill_mode ? "" : " "));
  }
  if (m.sign_front) {
    put_front(negative ? "-" : "+");
  } else {
    put_front(negative ? "-" : (m.fill_mode ? "" : " "));
  }
  return body;
}

int two_digits(std::string_view text, std::size_t& at, int max, int code, const char* message) {
  int value = 0;
  std::size_t n = 0;
  while (at < text.size() && n < 2 && std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
    value = value * 10 + (text[at++] - '0');
    ++n;
  }
  if (n == 0) throw OraError(1867, "the interval is invalid");
  if (value > max) throw OraError(code, message);
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Sign and leading number of an interval literal.
std::int64_t leading(std::string_view& text, bool& negative) {
  text = trimmed(text);
  negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  text = trimmed(text);
  std::int64_t value = 0;
  std::size_t n = 0;
  while (n < text.size() && n < 10 && std::isdigit(static_cast<unsigned char>(text[n])) != 0) {
    value = value * 10 + (text[n++] - '0');
  }
  if (n == 0 || value > 999'999'999) throw OraError(1867, "the interval is invalid");
  text.remove_prefix(n);
  return value;
}

}  // namespace

std::string format_number(const Number& n, std::string_view model, const Nls& nls) {
  const NumberModel m = scan_model(model);
  if (m.text_minimum) return n.to_string();
  if (m.hexadecimal) return hexadecimal(n, m);
  if (m.scientific) return scientific(n, m);
  const Number rounded = n.rounded(static_cast<int>(m.fraction.size()));
  std::string integer;
  std::string fraction;
  split_digits(rounded, integer, fraction);
  const bool negative = rounded.is_negative();
  if (m.blank_zero && integer.empty()) {
    return m.fill_mode ? std::string() : std::string(model.size() + 1, ' ');
  }
  // A model without fraction shows zero as 0, not as nothing.
  const bool show_zero =
      integer.empty() && (m.fraction.empty() || (m.fill_mode && fraction.empty()));
  std::string body;
  if (!lay_integer(show_zero ? "0" : integer, m, nls, body)) {
    return std::string(model.size() + 1 - (m.fill_mode ? 2 : 0), '#');
  }
  if (m.has_point) {
    if (!m.fill_mode) fraction.append(m.fraction.size() - fraction.size(), '0');
    const std::size_t forced = m.fraction.find_last_of('0');
    if (m.fill_mode && forced != std::string::npos && fraction.size() <= forced) {
      fraction.append(forced + 1 - fraction.size(), '0');
    }
    body += nls.numeric_characters[0];
    body += fraction;
  }
  return with_sign(std::move(body), negative, m);
}

Number parse_number(std::string_view text, std::string_view model, const Nls& nls) {
  const NumberModel m = scan_model(model);
  std::string plain;
  bool negative = false;
  for (const char c : trimmed(text)) {
    if (c == nls.numeric_characters[1] || c == '$' || c == '>' || c == ' ') continue;
    if (c == '-' || c == '<') {
      negative = true;
    } else if (c == nls.numeric_characters[0]) {
      plain += '.';
    } else if (c != '+') {
      plain += c;
    }
  }
  if (m.hexadecimal) {
    std::int64_t value = 0;
    for (const char c : plain) {
      const int lower = std::tolower(static_cast<unsigned char>(c));
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0 || value > (INT64_MAX >> 5)) {
        throw OraError(1722, "invalid number");
      }
      value = value * 16 + (lower >= 'a' ? lower - 'a' + 10 : lower - '0');
    }
    return Number::from_int(value);
  }
  const auto value = Number::parse(plain);
  if (!value || plain.empty()) throw OraError(1722, "invalid number");
  return negative ? value->negated() : *value;
}

namespace {

std::string padded(std::int64_t value, int width) {
  std::string digits = std::to_string(value);
  const auto wanted = static_cast<std::size_t>(std::clamp(width, 1, 9));
  if (digits.size() < wanted) digits.insert(0, wanted - digits.size(), '0');
  return digits;
}

}  // namespace

std::string interval_text(const IntervalYm& interval, int precision) {
  const std::int64_t months = std::abs(static_cast<std::int64_t>(interval.months));
  return (interval.months < 0 ? "-" : "+") + padded(months / 12, precision) + "-" +
         padded(months % 12, 2);
}

std::string interval_text(const IntervalDs& given, int precision, int fraction_digits) {
  const IntervalDs interval = normalized(given);
  const bool negative = interval.seconds < 0 || interval.nanoseconds < 0;
  const std::int64_t s = std::abs(interval.seconds);
  std::string out = (negative ? "-" : "+") + padded(s / 86400, precision) + " " +
                    padded(s / 3600 % 24, 2) + ":" + padded(s / 60 % 60, 2) + ":" +
                    padded(s % 60, 2);
  if (fraction_digits > 0) {
    out += "." + padded(std::abs(interval.nanoseconds), 9)
                     .substr(0, static_cast<std::size_t>(fraction_digits));
  }
  return out;
}

IntervalYm parse_interval_ym(std::string_view text) {
  bool negative = false;
  const std::int64_t years = leading(text, negative);
  std::size_t at = 0;
  if (text.empty() || text[at++] != '-') throw OraError(1867, "the interval is invalid");
  const int months = two_digits(text, at, 11, 1843, "not a valid month");
  if (at != text.size()) throw OraError(1867, "the interval is invalid");
  const std::int64_t total = years * 12 + months;
  return {negative ? -total : total};
}

IntervalDs parse_interval_ds(std::string_view text) {
  bool negative = false;
  const std::int64_t days = leading(text, negative);
  std::size_t at = 0;
  while (at < text.size() && text[at] == ' ') ++at;
  std::int64_t seconds = days * 86400;
  std::int64_t nanos = 0;
  if (at < text.size()) {
    seconds += two_digits(text, at, 23, 1850, "hour must be between 0 and 23") * 3600;
    if (at >= text.size() || text[at++] != ':') throw OraError(1867, "the interval is invalid");
    seconds += two_digits(text, at, 59, 1851, "minutes must be between 0 and 59") * 60;
    if (at < text.size() && text[at] == ':') {
      seconds += two_digits(text, ++at, 59, 1852, "seconds must be between 0 and 59");
    }
    if (at < text.size() && text[at] == '.') {
      ++at;
      std::int64_t scale = kNanosPerUnit / 10;
      while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
        nanos += (text[at++] - '0') * scale;
        scale /= 10;
      }
    }
  }
  if (at != text.size()) throw OraError(1867, "the interval is invalid");
  if (negative) {
    seconds = -seconds;
    nanos = -nanos;
  }
  return {seconds, static_cast<std::int32_t>(nanos)};
}

}  // namespace orasim
