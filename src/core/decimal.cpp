#include "core/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace wherry {
namespace {

constexpr std::array<std::uint16_t, 4> kPowers = {1, 10, 100, 1000};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

DecimalView* make_view(Arena& arena, std::size_t digit_count) {
  auto* view = reinterpret_cast<DecimalView*>(
      arena.allocate(sizeof(DecimalView) + digit_count * sizeof(std::uint16_t)));
  *view = DecimalView{};
  view->digit_count = static_cast<std::uint16_t>(digit_count);
  return view;
}

const DecimalView* special(DecimalSign sign, Arena& arena) {
  DecimalView* view = make_view(arena, 0);
  view->sign = sign;
  return view;
}

/// Pieces of a decimal literal: digits without the point, and where the point stands.
struct Literal {
  bool negative = false;
  std::string digits;
  std::int64_t point = 0;  ///< digits before the point, exponent included
};

std::optional<Literal> scan(std::string_view text) {
  Literal literal;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) literal.negative = text[i++] == '-';
  bool seen_point = false;
  bool seen_digit = false;
  std::int64_t before = 0;
  for (; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      seen_digit = true;
      literal.digits += text[i];
      if (!seen_point) ++before;
    } else if (text[i] == '.' && !seen_point) {
      seen_point = true;
    } else {
      break;
    }
  }
  std::int64_t exponent = 0;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && text[i] == '+') ++i;
    const auto [end, status] =
        std::from_chars(text.data() + i, text.data() + text.size(), exponent);
    if (status != std::errc{}) return std::nullopt;
    i = static_cast<std::size_t>(end - text.data());
  }
  if (!seen_digit || i != text.size() || exponent > 100000 || exponent < -100000) {
    return std::nullopt;
  }
  literal.point = before + exponent;
  return literal;
}

void strip_zeros(Literal& literal) {
  const std::size_t first = literal.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    literal.digits.clear();
    return;
  }
  literal.digits.erase(0, first);
  literal.point -= static_cast<std::int64_t>(first);
  literal.digits.erase(literal.digits.find_last_not_of('0') + 1);
}

/// Digit `i` (from the most significant) of the magnitude, at base-10000 position `position`.
std::uint32_t digit_at(const DecimalView& d, int position) {
  const int index = d.weight - position;
  return index < 0 || index >= d.digit_count ? 0U : d.digits()[index];
}

int compare_magnitude(const DecimalView& a, const DecimalView& b) {
  if (a.digit_count == 0 || b.digit_count == 0) {
    return static_cast<int>(a.digit_count != 0) - static_cast<int>(b.digit_count != 0);
  }
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  const int lowest = std::min(a.weight - a.digit_count, b.weight - b.digit_count);
  for (int position = a.weight; position > lowest; --position) {
    const std::uint32_t x = digit_at(a, position);
    const std::uint32_t y = digit_at(b, position);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

/// Rank of the class of a value in sort order.
int rank(const DecimalView& d) {
  switch (d.sign) {
    case DecimalSign::kMinusInfinity:
      return 0;
    case DecimalSign::kNegative:
      return d.digit_count == 0 ? 2 : 1;
    case DecimalSign::kPositive:
      return d.digit_count == 0 ? 2 : 3;
    case DecimalSign::kInfinity:
      return 4;
    case DecimalSign::kNan:
      return 5;
  }
  return 5;
}

}  // namespace

std::string to_text(const DecimalView& d) {
  if (d.sign == DecimalSign::kNan) return "NaN";
  if (d.sign == DecimalSign::kInfinity) return "Infinity";
  if (d.sign == DecimalSign::kMinusInfinity) return "-Infinity";
  if (d.digit_count == 0) return "0";
  std::string out = d.sign == DecimalSign::kNegative ? "-" : "";
  const auto append_group = [&out](std::uint32_t digit, bool padded) {
    std::array<char, 8> buffer;
    const auto [end, status] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), digit);
    const auto length = static_cast<std::size_t>(end - buffer.data());
    if (padded) out.append(4 - length, '0');
    out.append(buffer.data(), length);
    (void)status;
  };
  if (d.weight < 0) out += '0';
  for (int position = d.weight; position >= 0; --position) {
    append_group(digit_at(d, position), position != d.weight);
  }
  const int lowest = d.weight - d.digit_count + 1;
  if (lowest < 0) {
    out += '.';
    for (int position = -1; position >= lowest; --position)
      append_group(digit_at(d, position), true);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out;
}

const DecimalView* parse_decimal(std::string_view text, Arena& arena) {
  if (text == "NaN") return special(DecimalSign::kNan, arena);
  if (text == "Infinity") return special(DecimalSign::kInfinity, arena);
  if (text == "-Infinity") return special(DecimalSign::kMinusInfinity, arena);
  std::optional<Literal> literal = scan(text);
  if (!literal) return nullptr;
  strip_zeros(*literal);
  if (literal->digits.empty()) return special(DecimalSign::kPositive, arena);
  // Group boundaries lie at multiples of four digits from the point.
  std::int64_t lead = literal->point % 4;
  if (lead < 0) lead += 4;
  const std::size_t front = lead == 0 ? 0 : static_cast<std::size_t>(4 - lead);
  const std::int64_t weight = (literal->point + static_cast<std::int64_t>(front)) / 4 - 1;
  if (weight > std::numeric_limits<std::int16_t>::max() ||
      weight < std::numeric_limits<std::int16_t>::min()) {
    return nullptr;
  }
  const std::size_t count = (front + literal->digits.size() + 3) / 4;
  if (count > 16384) return nullptr;
  DecimalView* view = make_view(arena, count);
  view->sign = literal->negative ? DecimalSign::kNegative : DecimalSign::kPositive;
  view->weight = static_cast<std::int16_t>(weight);
  view->scale = static_cast<std::uint16_t>(std::max<std::int64_t>(
      0, static_cast<std::int64_t>(literal->digits.size()) - literal->point));
  std::fill_n(view->digits(), count, std::uint16_t{0});
  for (std::size_t i = 0; i < literal->digits.size(); ++i) {
    const std::size_t at = front + i;
    view->digits()[at / 4] = static_cast<std::uint16_t>(
        view->digits()[at / 4] + (literal->digits[i] - '0') * kPowers[3 - at % 4]);
  }
  return view;
}

const DecimalView* decimal_from_int(std::int64_t value, Arena& arena) {
  std::array<std::uint16_t, 5> groups{};
  std::size_t count = 0;
  std::uint64_t rest =
      value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
  int trailing_zero_groups = 0;
  while (rest != 0) {
    const auto group = static_cast<std::uint16_t>(rest % 10000);
    rest /= 10000;
    if (count == 0 && group == 0) {
      ++trailing_zero_groups;
    } else {
      groups[count++] = group;
    }
  }
  DecimalView* view = make_view(arena, count);
  if (count != 0) {
    view->sign = value < 0 ? DecimalSign::kNegative : DecimalSign::kPositive;
    view->weight = static_cast<std::int16_t>(static_cast<int>(count) + trailing_zero_groups - 1);
    std::reverse_copy(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(count),
                      view->digits());
  }
  return view;
}

std::optional<std::int64_t> to_int64(const DecimalView& d) {
  if (d.sign != DecimalSign::kPositive && d.sign != DecimalSign::kNegative) return std::nullopt;
  if (d.digit_count == 0) return 0;
  if (d.weight > 4 || d.weight - d.digit_count + 1 < 0) return std::nullopt;
  // Negative accumulation: the most negative value has no positive twin.
  std::int64_t value = 0;
  for (int position = d.weight; position >= 0; --position) {
    if (__builtin_mul_overflow(value, std::int64_t{10000}, &value) ||
        __builtin_sub_overflow(value, static_cast<std::int64_t>(digit_at(d, position)), &value)) {
      return std::nullopt;
    }
  }
  if (d.sign == DecimalSign::kNegative) return value;
  if (value == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return -value;
}

int compare(const DecimalView& a, const DecimalView& b) {
  const int x = rank(a);
  const int y = rank(b);
  if (x != y) return x < y ? -1 : 1;
  if (x == 3) return compare_magnitude(a, b);
  if (x == 1) return compare_magnitude(b, a);
  return 0;
}

}  // namespace wherry
