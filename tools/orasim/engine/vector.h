// Values of VECTOR: text, and the image that columns store and clients exchange.
// Facts: oracle-wire-types 6.16; the text form of Oracle's TO_VECTOR and FROM_VECTOR.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/value.h"

namespace orasim {

enum class VectorFormat : std::uint8_t { kFloat32 = 2, kFloat64 = 3, kInt8 = 4, kBinary = 5 };

struct Vector {
  VectorFormat format = VectorFormat::kFloat32;
  std::uint32_t dimensions = 0;
  bool is_sparse = false;
  std::vector<std::uint32_t> indices;  ///< sparse: ascending, from 0
  /// Sparse: those of the indices. kBinary: eight dimensions each, 0…255.
  std::vector<double> values;
};

/// "[1, 2.5]", or sparse "[5, [1, 3], [1.5, 2.5]]" with indices from 1. ORA-51805 and its like.
Vector parse_vector(std::string_view text, VectorFormat format = VectorFormat::kFloat32);
std::string vector_text(const Vector& vector);
/// The values in another format; ORA-51806 when they do not fit.
Vector vector_as(Vector vector, VectorFormat format);
Vector dense_form(Vector vector);
Vector sparse_form(Vector vector);

std::string encode_vector(const Vector& vector);
/// ORA-51808 for an image that is damaged.
Vector decode_vector(std::string_view image);

}  // namespace orasim
