// What decoding one value came to. Hot loops return this; the words are made once, at the edge.
#pragma once

#include <cstdint>
#include <string_view>

namespace wherry::oracle::wire {

enum class ValueStatus : std::uint8_t {
  kOk,
  kNeedMore,   ///< the bytes end inside the value
  kMalformed,  ///< length or layout no server would send
  kBadNumber,
  kNotInteger,  ///< a fraction, infinity or too large a number in an integer column
  kBadDate,     ///< no such day in the proleptic Gregorian calendar, or garbage fields
  kBadInterval,
  kBadUtf16,  ///< a lone surrogate or half a code unit
  kBadBoolean,
  kBadUtf8,      ///< text that is not valid in the character set it is said to have
  kUnknownForm,  ///< a value of a form that is not known, binary XML for one
  kTooLarge,
};

/// "is not a date of the proleptic Gregorian calendar": to follow "the value".
std::string_view describe(ValueStatus status);

}  // namespace wherry::oracle::wire
