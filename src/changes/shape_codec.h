// Row shapes as bytes, for the change file. Pure.
#pragma once

#include <string>
#include <string_view>

#include "connect/api/changes.h"

namespace wherry::changes {

/// Everything of the shape.
std::string encode_shape(const connect::RowShape& shape);
/// nullptr when the bytes are no shape.
connect::RowShapePtr decode_shape(std::string_view bytes);

}  // namespace wherry::changes
