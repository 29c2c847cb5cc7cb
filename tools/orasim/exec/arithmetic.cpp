// + - * / over numbers, dates and intervals.
#include <algorithm>
#include <cmath>

#include "engine/calendar.h"
#include "exec/binder.h"

namespace orasim {
namespace {

bool is_interval(Type t) {
  return t == Type::kIntervalDs || t == Type::kIntervalYm;
}
bool is_binary(Type t) {
  return t == Type::kBinaryFloat || t == Type::kBinaryDouble;
}

Value binary_arithmetic(char op, const Value& a, const Value& b, const ConvertContext& c) {
  const double x = std::get<double>(to_binary(a, Type::kBinaryDouble, c).data);
  const double y = std::get<double>(to_binary(b, Type::kBinaryDouble, c).data);
  const double result = op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : x / y;
  const bool is_float = a.type != Type::kBinaryDouble && b.type != Type::kBinaryDouble &&
                        (a.type == Type::kBinaryFloat && b.type == Type::kBinaryFloat);
  if (is_float) return Value{Type::kBinaryFloat, false, static_cast<float>(result)};
  return Value{Type::kBinaryDouble, false, result == 0 ? 0.0 : result};
}

Value number_arithmetic(char op, const Value& a, const Value& b, const ConvertContext& c) {
  const Value left = to_number(a, c);
  const Value right = to_number(b, c);
  const Number& x = left.number();
  const Number& y = right.number();
  if (op == '/' && y.is_zero()) raise(1476);
  const auto result = op == '+'   ? Number::add(x, y)
                      : op == '-' ? Number::subtract(x, y)
                      : op == '*' ? Number::multiply(x, y)
                                  : Number::divide(x, y);
  if (!result) raise(1426);
  return make_number(*result);
}

IntervalDs negated(IntervalDs i) {
  return {-i.seconds, -i.nanoseconds};
}

Value interval_sum(const Value& a, const Value& b) {
  if (a.type != b.type) raise_inconsistent(type_word(a.type), type_word(b.type));
  if (a.type == Type::kIntervalYm) {
    return Value{
        a.type, false,
        IntervalYm{std::get<IntervalYm>(a.data).months + std::get<IntervalYm>(b.data).months}};
  }
  const auto& x = std::get<IntervalDs>(a.data);
  const auto& y = std::get<IntervalDs>(b.data);
  std::int64_t nanos = static_cast<std::int64_t>(x.nanoseconds) + y.nanoseconds;
  std::int64_t seconds = x.seconds + y.seconds + nanos / 1'000'000'000;
  nanos %= 1'000'000'000;
  if (seconds > 0 && nanos < 0) {
    --seconds;
    nanos += 1'000'000'000;
  } else if (seconds < 0 && nanos > 0) {
    ++seconds;
    nanos -= 1'000'000'000;
  }
  return Value{a.type, false, IntervalDs{seconds, static_cast<std::int32_t>(nanos)}};
}

Value negated_interval(const Value& v) {
  if (v.type == Type::kIntervalYm)
    return Value{v.type, false, IntervalYm{-std::get<IntervalYm>(v.data).months}};
  return Value{v.type, false, negated(std::get<IntervalDs>(v.data))};
}

Value scaled_interval(const Value& interval, const Number& factor) {
  if (interval.type == Type::kIntervalYm) {
    const auto months =
        Number::multiply(Number::from_int(std::get<IntervalYm>(interval.data).months), factor);
    const auto whole = months ? months->truncated(0).to_int() : std::nullopt;
    if (!whole) raise(1873);
    return Value{interval.type, false, IntervalYm{*whole}};
  }
  const auto& ds = std::get<IntervalDs>(interval.data);
  const Number billion = Number::from_int(1'000'000'000);
  const auto nanos =
      Number::add(Number::multiply(Number::from_int(ds.seconds), billion).value_or(Number()),
                  Number::from_int(ds.nanoseconds));
  const auto product = nanos ? Number::multiply(*nanos, factor) : std::nullopt;
  const auto seconds = product ? Number::divide(*product, billion) : std::nullopt;
  const auto whole = seconds ? seconds->truncated(0).to_int() : std::nullopt;
  if (!whole) raise(1873);
  const Number rest =
      Number::subtract(product->truncated(0),
                       Number::multiply(Number::from_int(*whole), billion).value_or(Number()))
          .value_or(Number());
  return Value{interval.type, false,
               IntervalDs{*whole, static_cast<std::int32_t>(rest.to_int().value_or(0))}};
}

Value datetime_plus_interval(const Value& t, const Value& interval) {
  Value out = t;
  auto& d = std::get<DateTime>(out.data);
  if (interval.type == Type::kIntervalYm) {
    d = add_interval(d, std::get<IntervalYm>(interval.data));
  } else {
    const auto& ds = std::get<IntervalDs>(interval.data);
    d = add_interval(d, t.type == Type::kDate ? IntervalDs{ds.seconds, 0} : ds);
  }
  return out;
}

Value datetime_arithmetic(char op, const Value& a, const Value& b, const ConvertContext& c) {
  if (op == '-' && is_datetime(a.type) && is_datetime(b.type)) {
    if (a.type == Type::kDate && b.type == Type::kDate) {
      return make_number(days_between(a.date_time(), b.date_time()));
    }
    const bool zoned = a.type == Type::kTimestampTz || b.type == Type::kTimestampTz ||
                       a.type == Type::kTimestampLtz || b.type == Type::kTimestampLtz;
    const Type common = zoned ? Type::kTimestampTz : Type::kTimestamp;
    return Value{Type::kIntervalDs, false,
                 interval_between(to_datetime(a, common, c).date_time(),
                                  to_datetime(b, common, c).date_time())};
  }
  const bool date_first = is_datetime(a.type);
  const Value& date = date_first ? a : b;
  const Value& other = date_first ? b : a;
  if (op != '+' && !(op == '-' && date_first)) raise_inconsistent("NUMBER", type_word(date.type));
  if (is_datetime(other.type)) raise(975);
  if (is_interval(other.type)) {
    return datetime_plus_interval(date, op == '-' ? negated_interval(other) : other);
  }
  const Number days = to_number(other, c).number();
  const Value as_date = to_datetime(date, Type::kDate, c);
  return Value{Type::kDate, false,
               add_days(as_date.date_time(), op == '-' ? days.negated() : days)};
}

}  // namespace

Value arithmetic(char op, const Value& a, const Value& b, const ConvertContext& c) {
  if (a.is_null() || b.is_null()) {
    if (is_datetime(a.type) != is_datetime(b.type)) return make_null(Type::kDate);
    return make_null(Type::kNumber);
  }
  if (a.type == Type::kNumber && b.type == Type::kNumber) return number_arithmetic(op, a, b, c);
  if (is_datetime(a.type) || is_datetime(b.type)) return datetime_arithmetic(op, a, b, c);
  if (is_interval(a.type) || is_interval(b.type)) {
    if (op == '+') return interval_sum(a, b);
    if (op == '-') return interval_sum(a, negated_interval(b));
    const bool first = is_interval(a.type);
    Number factor = to_number(first ? b : a, c).number();
    if (op == '/') {
      if (factor.is_zero()) raise(1476);
      factor = Number::divide(Number::from_int(1), factor).value_or(Number());
    }
    return scaled_interval(first ? a : b, factor);
  }
  if (is_binary(a.type) || is_binary(b.type)) return binary_arithmetic(op, a, b, c);
  return number_arithmetic(op, a, b, c);
}

DataType arithmetic_type(char op, const DataType& a, const DataType& b) {
  const bool date_a = is_datetime(a.type);
  const bool date_b = is_datetime(b.type);
  if (date_a && date_b) {
    if (a.type == Type::kDate && b.type == Type::kDate) return plain_number();
    DataType t = simple_type(Type::kIntervalDs);
    t.precision = t.scale = 9;
    return t;
  }
  if (date_a || date_b) {
    const DataType& date = date_a ? a : b;
    const DataType& other = date_a ? b : a;
    return is_interval(other.type) ? date : simple_type(Type::kDate);
  }
  if (is_interval(a.type)) return a;
  if (is_interval(b.type)) return b;
  if (is_binary(a.type) || is_binary(b.type)) {
    return simple_type(a.type == Type::kBinaryFloat && b.type == Type::kBinaryFloat
                           ? Type::kBinaryFloat
                           : Type::kBinaryDouble);
  }
  static_cast<void>(op);
  return plain_number();
}

DataType common_type(const DataType& a, const DataType& b) {
  if (is_text(a.type) && is_text(b.type)) {
    DataType out = a;
    if (b.type == Type::kVarchar2 || a.size_bytes != b.size_bytes) out.type = Type::kVarchar2;
    out.size_bytes = std::max(a.size_bytes, b.size_bytes);
    out.size_chars = std::max(a.size_chars, b.size_chars);
    out.national = a.national || b.national;
    return out;
  }
  if (is_numeric(a.type) && is_numeric(b.type)) {
    if (is_binary(a.type) || is_binary(b.type)) return simple_type(Type::kBinaryDouble);
    const bool same =
        a.precision == b.precision && a.scale == b.scale && a.has_precision == b.has_precision;
    return same ? a : plain_number();
  }
  if (b.type == Type::kClob) return b;
  if (is_datetime(a.type) && is_datetime(b.type)) return a.size_bytes >= b.size_bytes ? a : b;
  return a;
}

}  // namespace orasim
