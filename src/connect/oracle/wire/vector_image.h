// VECTOR values to text and back. Facts: reference oracle-wire-types, 6.16.
#pragma once

#include <span>
#include <string>

#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/value_status.h"

namespace wherry::oracle::wire {

/// Appends "[1.5, -2]"; a sparse vector as "[4, [1, 3], [0.5, 2]]": dimensions, 1-based indices,
/// values. Elements of binary vectors are bytes of eight dimensions each.
ValueStatus vector_to_text(ByteView image, std::string& out);

/// Images of dense vectors.
std::string vector_image(std::span<const float> elements);
std::string vector_image(std::span<const double> elements);
std::string vector_image(std::span<const std::int8_t> elements);

}  // namespace wherry::oracle::wire
