#include <cmath>
#include <limits>

#include "exec/function_table.h"

namespace orasim::functions {
namespace {

bool is_binary(const Value& v) {
  return v.type == Type::kBinaryFloat || v.type == Type::kBinaryDouble;
}

double as_double(const Value& v, const FunctionContext& c) {
  return std::get<double>(to_binary(v, Type::kBinaryDouble, c.convert).data);
}

Value from_double(double d, const Value& like) {
  if (like.type == Type::kBinaryFloat)
    return Value{Type::kBinaryFloat, false, static_cast<float>(d)};
  if (like.type == Type::kBinaryDouble) return Value{Type::kBinaryDouble, false, d};
  if (!std::isfinite(d)) raise(1426);
  return make_number(Number::from_double(d));
}

template <double (*kBinary)(double), Number (*kExact)(const Number&)>
Value one_number(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  if (is_binary(a[0])) return from_double(kBinary(as_double(a[0], c)), a[0]);
  return make_number(kExact(as_number(a[0], c)));
}

Number exact_abs(const Number& n) {
  return n.is_negative() ? n.negated() : n;
}
Number exact_floor(const Number& n) {
  return n.floor();
}
Number exact_ceil(const Number& n) {
  return n.ceil();
}
double binary_abs(double d) {
  return std::fabs(d);
}
double binary_floor(double d) {
  return std::floor(d);
}
double binary_ceil(double d) {
  return std::ceil(d);
}

template <double (*kFunction)(double)>
Value real_function(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const double d = kFunction(as_double(a[0], c));
  if (std::isnan(d) && !is_binary(a[0])) raise(1428);
  return from_double(d, a[0]);
}
double real_exp(double d) {
  return std::exp(d);
}
double real_ln(double d) {
  return d <= 0 ? std::numeric_limits<double>::quiet_NaN() : std::log(d);
}
double real_sin(double d) {
  return std::sin(d);
}
double real_cos(double d) {
  return std::cos(d);
}
double real_tan(double d) {
  return std::tan(d);
}
double real_asin(double d) {
  return std::asin(d);
}
double real_acos(double d) {
  return std::acos(d);
}
double real_atan(double d) {
  return std::atan(d);
}

Value sqrt_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  if (is_binary(a[0])) return from_double(std::sqrt(as_double(a[0], c)), a[0]);
  const Number n = as_number(a[0], c);
  if (n.is_negative()) raise(1428);
  if (n.is_zero()) return make_number(n);
  // Newton's steps from the double's root double the digits each time.
  Number x = Number::from_double(std::sqrt(n.to_double()));
  const Number half = *Number::parse("0.5");
  for (int i = 0; i < 2; ++i) {
    const auto q = Number::divide(n, x);
    const auto sum = q ? Number::add(x, *q) : std::nullopt;
    if (sum) x = Number::multiply(*sum, half).value_or(x);
  }
  return make_number(x.rounded(38 - x.integer_digits()));
}

Value power(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  if (is_binary(a[0]) || is_binary(a[1])) {
    const Value& like = is_binary(a[0]) ? a[0] : a[1];
    return from_double(std::pow(as_double(a[0], c), as_double(a[1], c)), like);
  }
  const Number base = as_number(a[0], c);
  const auto exponent = as_number(a[1], c).to_int();
  if (!exponent || *exponent > 2000 || *exponent < -2000) {
    const double d = std::pow(as_double(a[0], c), as_double(a[1], c));
    if (std::isnan(d)) raise(1428);
    return from_double(d, a[0]);
  }
  Number result = Number::from_int(1);
  for (std::int64_t i = 0; i < std::abs(*exponent); ++i) {
    const auto next = Number::multiply(result, base);
    if (!next) raise(1426);
    result = *next;
  }
  if (*exponent >= 0) return make_number(result);
  if (result.is_zero()) raise(1426);
  return make_number(Number::divide(Number::from_int(1), result).value_or(Number()));
}

Value mod(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  if (is_binary(a[0]) || is_binary(a[1])) {
    return from_double(std::fmod(as_double(a[0], c), as_double(a[1], c)),
                       is_binary(a[0]) ? a[0] : a[1]);
  }
  const Number divisor = as_number(a[1], c);
  if (divisor.is_zero()) return to_number(a[0], c.convert);
  return make_number(Number::modulo(as_number(a[0], c), divisor));
}

Value remainder_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const Number x = as_number(a[0], c);
  const Number y = as_number(a[1], c);
  if (y.is_zero()) raise(1428);
  const auto quotient = Number::divide(x, y);
  const auto product = quotient ? Number::multiply(quotient->rounded(0), y) : std::nullopt;
  if (!product) raise(1426);
  return make_number(Number::subtract(x, *product).value_or(Number()));
}

Value sign(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  if (is_binary(a[0])) {
    const double d = as_double(a[0], c);
    return make_int(d < 0 ? -1 : d > 0 || std::isnan(d) ? 1 : 0);
  }
  const Number n = as_number(a[0], c);
  return make_int(n.is_zero() ? 0 : n.is_negative() ? -1 : 1);
}

/// ROUND and TRUNC serve numbers and dates.
template <bool kRound>
Value round_or_trunc(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(is_datetime(a[0].type) ? Type::kDate : Type::kNumber);
  if (is_datetime(a[0].type)) {
    const Value date = to_datetime(a[0], Type::kDate, c.convert);
    const std::string model = a.size() > 1 ? as_text(a[1], c) : "DD";
    const DateTime& t = date.date_time();
    return Value{Type::kDate, false, kRound ? rounded(t, model) : truncated(t, model)};
  }
  const std::int64_t digits = a.size() > 1 ? as_int(a[1], c) : 0;
  const int clamped =
      static_cast<int>(std::max<std::int64_t>(-130, std::min<std::int64_t>(digits, 130)));
  if (is_binary(a[0])) {
    const double d = as_double(a[0], c);
    return from_double(kRound ? std::nearbyint(d) : std::trunc(d), a[0]);
  }
  const Number n = as_number(a[0], c);
  return make_number(kRound ? n.rounded(clamped) : n.truncated(clamped));
}
DataType round_type(const std::vector<DataType>& a) {
  if (is_datetime(a[0].type)) return plain_type(Type::kDate);
  return plain_type(is_numeric(a[0].type) ? a[0].type : Type::kNumber);
}
DataType numeric_like_first(const std::vector<DataType>& a) {
  return plain_type(is_numeric(a[0].type) ? a[0].type : Type::kNumber);
}

Value log_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const double d = std::log(as_double(a[1], c)) / std::log(as_double(a[0], c));
  if (!std::isfinite(d)) raise(1428);
  return from_double(d, make_null(Type::kNumber));
}
Value atan2_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  return from_double(std::atan2(as_double(a[0], c), as_double(a[1], c)), a[0]);
}
Value bitand_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  return make_int(as_int(a[0], c) & as_int(a[1], c));
}
Value nanvl(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  return is_binary(a[0]) && std::isnan(as_double(a[0], c)) ? a[1] : a[0];
}

Value float_nan(const Args&, const FunctionContext&) {
  return Value{Type::kBinaryFloat, false, std::numeric_limits<float>::quiet_NaN()};
}
Value float_infinity(const Args&, const FunctionContext&) {
  return Value{Type::kBinaryFloat, false, std::numeric_limits<float>::infinity()};
}
Value double_nan(const Args&, const FunctionContext&) {
  return Value{Type::kBinaryDouble, false, std::numeric_limits<double>::quiet_NaN()};
}
Value double_infinity(const Args&, const FunctionContext&) {
  return Value{Type::kBinaryDouble, false, std::numeric_limits<double>::infinity()};
}
DataType float_type(const std::vector<DataType>&) {
  return plain_type(Type::kBinaryFloat);
}
DataType double_type(const std::vector<DataType>&) {
  return plain_type(Type::kBinaryDouble);
}

/// WIDTH_BUCKET (x, low, high, n): 0 below, n + 1 at and above the high end.
Value width_bucket(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const double x = as_number(a[0], c).to_double();
  const double low = as_number(a[1], c).to_double();
  const double high = as_number(a[2], c).to_double();
  const std::int64_t buckets = as_int(a[3], c);
  if (buckets < 1 || low == high) raise(1428);
  const double share = (x - low) / (high - low);
  if (share < 0) return make_int(0);
  if (share >= 1) return make_int(buckets + 1);
  return make_int(static_cast<std::int64_t>(share * static_cast<double>(buckets)) + 1);
}

constexpr ScalarFunction kNumberFunctions[] = {
    {"BINARY_FLOAT_NAN", 0, 0, float_nan, float_type},
    {"BINARY_FLOAT_INFINITY", 0, 0, float_infinity, float_type},
    {"BINARY_DOUBLE_NAN", 0, 0, double_nan, double_type},
    {"BINARY_DOUBLE_INFINITY", 0, 0, double_infinity, double_type},
    {"ABS", 1, 1, one_number<binary_abs, exact_abs>, numeric_like_first},
    {"FLOOR", 1, 1, one_number<binary_floor, exact_floor>, numeric_like_first},
    {"CEIL", 1, 1, one_number<binary_ceil, exact_ceil>, numeric_like_first},
    {"CEILING", 1, 1, one_number<binary_ceil, exact_ceil>, numeric_like_first},
    {"SQRT", 1, 1, sqrt_of, numeric_like_first},
    {"EXP", 1, 1, real_function<real_exp>, numeric_like_first},
    {"LN", 1, 1, real_function<real_ln>, numeric_like_first},
    {"LOG", 2, 2, log_of, number_type},
    {"SIN", 1, 1, real_function<real_sin>, numeric_like_first},
    {"COS", 1, 1, real_function<real_cos>, numeric_like_first},
    {"TAN", 1, 1, real_function<real_tan>, numeric_like_first},
    {"ASIN", 1, 1, real_function<real_asin>, numeric_like_first},
    {"ACOS", 1, 1, real_function<real_acos>, numeric_like_first},
    {"ATAN", 1, 1, real_function<real_atan>, numeric_like_first},
    {"ATAN2", 2, 2, atan2_of, numeric_like_first},
    {"POWER", 2, 2, power, numeric_like_first},
    {"MOD", 2, 2, mod, numeric_like_first},
    {"REMAINDER", 2, 2, remainder_of, number_type},
    {"SIGN", 1, 1, sign, number_type},
    {"ROUND", 1, 2, round_or_trunc<true>, round_type},
    {"TRUNC", 1, 2, round_or_trunc<false>, round_type},
    {"BITAND", 2, 2, bitand_of, number_type},
    {"NANVL", 2, 2, nanvl, numeric_like_first},
    {"WIDTH_BUCKET", 4, 4, width_bucket, number_type},
};

}  // namespace

std::span<const ScalarFunction> number_functions() {
  return kNumberFunctions;
}

}  // namespace orasim::functions
