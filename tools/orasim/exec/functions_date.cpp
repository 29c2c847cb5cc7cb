#include <cmath>

#include "exec/function_table.h"

namespace orasim::functions {
namespace {

constexpr std::int64_t kUnixEpochDay = 2440588;  // Julian day of 1970-01-01

DateTime session_now(const FunctionContext& c) {
  DateTime t = c.now_utc;
  c.nls->session_zone.put_into(t);
  return to_local(t);
}

DateTime as_date(const Value& v, const FunctionContext& c) {
  return to_datetime(v, Type::kDate, c.convert).date_time();
}

Value date_value(DateTime t) {
  t.nanosecond = 0;
  t.offset_minutes = 0;
  t.region_id = 0;
  return Value{Type::kDate, false, t};
}

/// The database runs in UTC.
Value sysdate(const Args&, const FunctionContext& c) {
  return date_value(c.now_utc);
}
Value systimestamp(const Args&, const FunctionContext& c) {
  DateTime t = c.now_utc;
  t.nanosecond = t.nanosecond / 1000 * 1000;
  return Value{Type::kTimestampTz, false, t};
}
Value current_date(const Args&, const FunctionContext& c) {
  return date_value(session_now(c));
}
Value current_timestamp(const Args&, const FunctionContext& c) {
  DateTime t = c.now_utc;
  t.nanosecond = t.nanosecond / 1000 * 1000;
  c.nls->session_zone.put_into(t);
  return Value{Type::kTimestampTz, false, t};
}
Value localtimestamp(const Args&, const FunctionContext& c) {
  DateTime t = session_now(c);
  t.nanosecond = t.nanosecond / 1000 * 1000;
  t.offset_minutes = 0;
  t.region_id = 0;
  return Value{Type::kTimestamp, false, t};
}
Value dbtimezone(const Args&, const FunctionContext&) {
  return make_text("+00:00");
}
Value sessiontimezone(const Args&, const FunctionContext& c) {
  return make_text(zone_text(c.nls->session_zone));
}

Value add_months_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kDate);
  return date_value(add_months(as_date(a[0], c), as_int(a[1], c)));
}
Value months_between_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  return make_number(months_between(as_date(a[0], c), as_date(a[1], c)));
}
Value last_day_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kDate);
  return date_value(last_day(as_date(a[0], c)));
}
Value next_day_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kDate);
  return date_value(next_day(as_date(a[0], c), as_text(a[1], c)));
}

DateTime fields_of(const Value& v, const FunctionContext& c) {
  if (v.type == Type::kTimestampTz) return to_local(v.date_time());
  if (v.type == Type::kTimestampLtz) {
    return to_datetime(v, Type::kTimestamp, c.convert).date_time();
  }
  return v.date_time();
}

Value to_char(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || (a.size() > 1 && a[1].is_null())) return make_null(Type::kVarchar2);
  if (a.size() == 1) {
    Value text = to_varchar(a[0], c.convert);
    if (text.type == Type::kChar) text.type = Type::kVarchar2;
    return text;
  }
  const std::string model = as_text(a[1], c);
  if (is_datetime(a[0].type)) return make_text(format_date(fields_of(a[0], c), model, *c.nls));
  if (a[0].type == Type::kIntervalYm || a[0].type == Type::kIntervalDs)
    return to_varchar(a[0], c.convert);
  return make_text(format_number(as_number(a[0], c), model, *c.nls));
}

Value parsed(const Args& a, const FunctionContext& c, Type wanted) {
  if (any_null(a)) return make_null(wanted);
  if (a.size() == 1 || is_datetime(a[0].type)) return to_datetime(a[0], wanted, c.convert);
  DateTime t = parse_date(as_text(a[0], c), as_text(a[1], c), session_now(c), *c.nls);
  if (wanted == Type::kTimestampTz) return Value{wanted, false, to_utc(t)};
  t.offset_minutes = 0;
  t.region_id = 0;
  if (wanted == Type::kDate) t.nanosecond = 0;
  return Value{wanted, false, t};
}
Value to_date(const Args& a, const FunctionContext& c) {
  return parsed(a, c, Type::kDate);
}
Value to_timestamp(const Args& a, const FunctionContext& c) {
  return parsed(a, c, Type::kTimestamp);
}
Value to_timestamp_tz(const Args& a, const FunctionContext& c) {
  return parsed(a, c, Type::kTimestampTz);
}

Value to_dsinterval(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kIntervalDs);
  return convert(to_varchar(a[0], c.convert), Type::kIntervalDs, c.convert);
}
Value to_yminterval(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kIntervalYm);
  return convert(to_varchar(a[0], c.convert), Type::kIntervalYm, c.convert);
}

std::string upper_trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  for (char& ch : text) ch = static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
  return text;
}

Value numtodsinterval(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kIntervalDs);
  const std::string unit = upper_trimmed(as_text(a[1], c));
  const std::int64_t unit_seconds = unit == "DAY"      ? 86400
                                    : unit == "HOUR"   ? 3600
                                    : unit == "MINUTE" ? 60
                                    : unit == "SECOND" ? 1
                                                       : 0;
  if (unit_seconds == 0) raise(1760);
  const auto total = Number::multiply(as_number(a[0], c), Number::from_int(unit_seconds));
  if (!total) raise(1873);
  const Number whole = total->truncated(0);
  const auto fraction = Number::subtract(*total, whole);
  const auto nanos = Number::multiply(fraction.value_or(Number()), Number::from_int(1'000'000'000));
  const auto seconds = whole.to_int();
  const auto nano_count = nanos.value_or(Number()).truncated(0).to_int();
  if (!seconds || !nano_count) raise(1873);
  return Value{Type::kIntervalDs, false,
               IntervalDs{*seconds, static_cast<std::int32_t>(*nano_count)}};
}

Value numtoyminterval(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kIntervalYm);
  const std::string unit = upper_trimmed(as_text(a[1], c));
  if (unit != "YEAR" && unit != "MONTH") raise(1760);
  const auto months =
      Number::multiply(as_number(a[0], c), Number::from_int(unit == "YEAR" ? 12 : 1));
  const auto count = months ? months->rounded(0).to_int() : std::nullopt;
  if (!count || std::abs(*count) > 12'000'000'000) raise(1873);
  return Value{Type::kIntervalYm, false, IntervalYm{*count}};
}

Value from_tz(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kTimestampTz);
  DateTime t = to_datetime(a[0], Type::kTimestamp, c.convert).date_time();
  const auto zone = parse_zone(as_text(a[1], c));
  if (!zone) raise(1882);
  zone->put_into_wall(t);
  return Value{Type::kTimestampTz, false, to_utc(t)};
}

Value sys_extract_utc(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kTimestamp);
  DateTime t = to_datetime(a[0], Type::kTimestampTz, c.convert).date_time();
  t.offset_minutes = 0;
  t.region_id = 0;
  return Value{Type::kTimestamp, false, t};
}

Value tz_offset(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const auto zone = parse_zone(as_text(a[0], c));
  if (!zone) raise(1882);
  DateTime now = c.now_utc;
  zone->put_into(now);
  return make_text(offset_text(now.offset_minutes));
}

Value scn_to_timestamp(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kTimestamp);
  const std::int64_t scn = as_int(a[0], c);
  if (scn < 0 || static_cast<std::uint64_t>(scn) > c.current_scn || !c.time_of_scn) raise(8181);
  const std::int64_t unix_seconds = c.time_of_scn(static_cast<std::uint64_t>(scn));
  const DateTime t = from_total_seconds(kUnixEpochDay * 86400 + unix_seconds, 0, DateTime{});
  return Value{Type::kTimestamp, false, t};
}

Value timestamp_to_scn(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const DateTime t = sys_extract_utc(a, c).date_time();
  if (!c.scn_at) raise(8180);
  return make_int(static_cast<std::int64_t>(c.scn_at(total_seconds(t) - kUnixEpochDay * 86400)));
}

DataType timestamp6(const std::vector<DataType>&) {
  return timestamp_type_of(Type::kTimestamp, 6);
}
DataType timestamp9(const std::vector<DataType>&) {
  return timestamp_type_of(Type::kTimestamp, 9);
}
DataType timestamp_tz6(const std::vector<DataType>&) {
  return timestamp_type_of(Type::kTimestampTz, 6);
}
DataType timestamp_tz9(const std::vector<DataType>&) {
  return timestamp_type_of(Type::kTimestampTz, 9);
}
DataType interval_ds(const std::vector<DataType>&) {
  DataType t = plain_type(Type::kIntervalDs);
  t.precision = t.scale = 9;
  return t;
}
DataType interval_ym(const std::vector<DataType>&) {
  DataType t = plain_type(Type::kIntervalYm);
  t.precision = 9;
  return t;
}
DataType zone_name(const std::vector<DataType>&) {
  return varchar_type(75);
}
DataType to_char_type(const std::vector<DataType>& a) {
  if (!a.empty() && is_text(a[0].type)) return same_text_type(a);
  return varchar_type(75);
}

constexpr ScalarFunction kDateFunctions[] = {
    {"SYSDATE", 0, 0, sysdate, date_type},
    {"SYSTIMESTAMP", 0, 1, systimestamp, timestamp_tz6},
    {"CURRENT_DATE", 0, 0, current_date, date_type},
    {"CURRENT_TIMESTAMP", 0, 1, current_timestamp, timestamp_tz6},
    {"LOCALTIMESTAMP", 0, 1, localtimestamp, timestamp6},
    {"DBTIMEZONE", 0, 0, dbtimezone, zone_name},
    {"SESSIONTIMEZONE", 0, 0, sessiontimezone, zone_name},
    {"ADD_MONTHS", 2, 2, add_months_of, date_type},
    {"MONTHS_BETWEEN", 2, 2, months_between_of, number_type},
    {"LAST_DAY", 1, 1, last_day_of, date_type},
    {"NEXT_DAY", 2, 2, next_day_of, date_type},
    {"TO_CHAR", 1, 3, to_char, to_char_type},
    {"TO_DATE", 1, 3, to_date, date_type},
    {"TO_TIMESTAMP", 1, 3, to_timestamp, timestamp9},
    {"TO_TIMESTAMP_TZ", 1, 3, to_timestamp_tz, timestamp_tz9},
    {"TO_DSINTERVAL", 1, 1, to_dsinterval, interval_ds},
    {"TO_YMINTERVAL", 1, 1, to_yminterval, interval_ym},
    {"NUMTODSINTERVAL", 2, 2, numtodsinterval, interval_ds},
    {"NUMTOYMINTERVAL", 2, 2, numtoyminterval, interval_ym},
    {"FROM_TZ", 2, 2, from_tz, timestamp_tz9},
    {"SYS_EXTRACT_UTC", 1, 1, sys_extract_utc, timestamp9},
    {"TZ_OFFSET", 1, 1, tz_offset, zone_name},
    {"SCN_TO_TIMESTAMP", 1, 1, scn_to_timestamp, timestamp9},
    {"TIMESTAMP_TO_SCN", 1, 1, timestamp_to_scn, number_type},
};

}  // namespace

std::span<const ScalarFunction> date_functions() {
  return kDateFunctions;
}

}  // namespace orasim::functions
