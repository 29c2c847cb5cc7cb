#include "exec/literals.h"

#include "engine/calendar.h"
#include "engine/format_model.h"
#include "exec/errors.h"

namespace orasim {
namespace {

/// An error of the text is an error at the literal's place.
template <class Parse>
Value at_position(int pos, Parse parse) {
  try {
    return parse();
  } catch (OraError& error) {
    error.set_position(pos);
    throw;
  }
}

Number number_of(const std::string& text) {
  const auto n = Number::parse(text);
  if (!n) raise(1867);
  return *n;
}

Value year_month(const std::string& text, const std::string& field) {
  if (field == "YEAR" && text.find('-', 1) != std::string::npos)
    return Value{Type::kIntervalYm, false, parse_interval_ym(text)};
  const auto n = number_of(text).truncated(0).to_int();
  if (!n) raise(1867);
  return Value{Type::kIntervalYm, false, IntervalYm{field == "YEAR" ? *n * 12 : *n}};
}

/// Brings "4:05" HOUR TO MINUTE and its like to the full day form.
std::string full_day_text(const std::string& text, const std::string& field,
                          const std::string& last) {
  std::string sign;
  std::string rest = text;
  while (!rest.empty() && rest[0] == ' ') rest.erase(0, 1);
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    sign = rest.substr(0, 1);
    rest.erase(0, 1);
  }
  if (field == "DAY" && last == "HOUR") return sign + rest + ":00";
  if (field == "DAY") return sign + rest;
  if (field == "HOUR") return sign + "0 " + rest;
  return sign + "0 0:" + rest;  // MINUTE TO SECOND
}

Value day_second(const std::string& text, const std::string& field, const std::string& last) {
  // A precision behind the last field hides its name from the parser.
  if (text.find_first_of(": ", 1) != std::string::npos) {
    return Value{Type::kIntervalDs, false, parse_interval_ds(full_day_text(text, field, last))};
  }
  const std::int64_t unit = field == "DAY"      ? 86400
                            : field == "HOUR"   ? 3600
                            : field == "MINUTE" ? 60
                                                : 1;
  const auto total = Number::multiply(number_of(text), Number::from_int(unit));
  const Number whole = total.value_or(Number()).truncated(0);
  const Number fraction = Number::subtract(total.value_or(Number()), whole).value_or(Number());
  const auto nanos = Number::multiply(fraction, Number::from_int(1'000'000'000))
                         .value_or(Number())
                         .truncated(0)
                         .to_int();
  const auto seconds = whole.to_int();
  if (!seconds || !nanos) raise(1867);
  return Value{Type::kIntervalDs, false, IntervalDs{*seconds, static_cast<std::int32_t>(*nanos)}};
}

}  // namespace

Value parse_date_literal(const std::string& text, int pos) {
  return at_position(pos, [&] {
    return Value{Type::kDate, false, parse_date(text, "SYYYY-MM-DD", DateTime{}, Nls{})};
  });
}

Value parse_timestamp_literal(const std::string& text, int pos) {
  return at_position(pos, [&] {
    std::string plain = text;
    while (!plain.empty() && plain.back() == ' ') plain.pop_back();
    // A zone stands behind a blank, or is a sign behind the time.
    const std::size_t time = plain.find(':');
    const std::size_t zone =
        time == std::string::npos ? std::string::npos : plain.find_first_of("+- ", time);
    const bool fraction =
        plain.find('.', time == std::string::npos ? 0 : time) != std::string::npos;
    std::string model = fraction ? "SYYYY-MM-DD HH24:MI:SS.FF" : "SYYYY-MM-DD HH24:MI:SS";
    const bool zoned = zone != std::string::npos;
    if (zoned) {
      model += " TZR";
      if (plain[zone] != ' ') plain.insert(zone, 1, ' ');
      const std::size_t name = plain.find_first_not_of(' ', zone);
      if (plain.find(' ', name) != std::string::npos) model += " TZD";
    }
    const DateTime t = parse_date(plain, model, DateTime{}, Nls{});
    if (zoned) return Value{Type::kTimestampTz, false, to_utc(t)};
    return Value{Type::kTimestamp, false, t};
  });
}

Value parse_interval_literal(const std::string& text, const std::string& field,
                             const std::string& last, const DataType& type, int pos) {
  return at_position(pos, [&] {
    return type.type == Type::kIntervalYm ? year_month(text, field) : day_second(text, field, last);
  });
}

}  // namespace orasim
