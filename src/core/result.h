// Result<T>: a value or an Error, across every function that can fail for a reason outside the
// program. Bugs are assertions (core/assert.h), not errors.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "core/assert.h"
#include "core/error.h"

namespace wherry {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {
  }  // NOLINT(google-explicit-constructor): `return value;`
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {
  }  // NOLINT(google-explicit-constructor): `return error;`

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// REQUIRES: ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// REQUIRES: !ok().
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error)
      : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor): `return error;`

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  /// REQUIRES: !ok().
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

/// Returns the error of `expr` from the enclosing function.
#define WHERRY_TRY(expr)                                          \
  do {                                                            \
    if (auto wherry_try_result = (expr); !wherry_try_result.ok()) \
      return std::move(wherry_try_result).error();                \
  } while (false)

#define WHERRY_CONCAT_(a, b) a##b
#define WHERRY_CONCAT(a, b) WHERRY_CONCAT_(a, b)
/// WHERRY_ASSIGN(auto x, expr): x gets the value, or the enclosing function returns the error.
#define WHERRY_ASSIGN(decl, expr) \
  WHERRY_ASSIGN_(decl, expr, WHERRY_CONCAT(wherry_result_, __LINE__))
#define WHERRY_ASSIGN_(decl, expr, temp)          \
  auto temp = (expr);                             \
  if (!temp.ok()) return std::move(temp).error(); \
  decl = std::move(temp).value()

}  // namespace wherry
