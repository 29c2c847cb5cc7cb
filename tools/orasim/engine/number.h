// Oracle NUMBER, exact: up to 40 decimal digits (20 base-100 digits), exponent -130…125.
// Kept in Oracle's own stored form, so that what is stored is what is sent and what is compared.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace orasim {

class Number {
 public:
  Number();  ///< zero
  static Number from_int(std::int64_t);
  static Number from_double(double);  ///< shortest decimal that reads back equal; NaN is a bug
  /// Decimal text: sign, digits, point, exponent. nullopt: not a number or out of range.
  static std::optional<Number> parse(std::string_view);
  /// Stored form without a length byte. nullopt: not a valid stored form.
  static std::optional<Number> from_bytes(std::span<const std::uint8_t>);

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }
  /// As TO_CHAR(n) / implicit conversion prints it: at most 40 significant digits, ".5" for one
  /// half, exponent form only where Oracle uses it.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] double to_double() const;
  /// nullopt when it has a fraction or does not fit.
  [[nodiscard]] std::optional<std::int64_t> to_int() const;
  [[nodiscard]] bool is_zero() const { return size_ == 1 && bytes_[0] == 0x80; }
  [[nodiscard]] bool is_negative() const { return bytes_[0] < 0x80; }

  /// Stored form is order-preserving byte by byte; this compares so.
  std::strong_ordering operator<=>(const Number& other) const;
  bool operator==(const Number& other) const { return (*this <=> other) == 0; }

  /// nullopt: overflow (ORA-01426). Division by zero is the caller's check (ORA-01476).
  static std::optional<Number> add(const Number&, const Number&);
  static std::optional<Number> subtract(const Number&, const Number&);
  static std::optional<Number> multiply(const Number&, const Number&);
  static std::optional<Number> divide(const Number&, const Number&);
  static Number modulo(const Number&, const Number&);  ///< Oracle MOD: sign of the dividend
  [[nodiscard]] Number negated() const;
  /// Half away from zero; digits may be negative (NUMBER(p,-s), ROUND(x,-2)).
  [[nodiscard]] Number rounded(int digits) const;
  [[nodiscard]] Number truncated(int digits) const;
  [[nodiscard]] Number floor() const;
  [[nodiscard]] Number ceil() const;
  /// Significant decimal digits before the point (0 for |x| < 1); for precision checks.
  [[nodiscard]] int integer_digits() const;

 private:
  std::array<std::uint8_t, 22> bytes_{};
  std::uint8_t size_ = 0;
};

}  // namespace orasim
