// SQL that sorts a column as its cells sort: text by code point, times and intervals that are
// stored as text by what they mean.
#pragma once

#include <string>

#include "connect/postgres/native_type.h"
#include "schema/logical_type.h"

namespace wherry::postgres {

/// The expressions after ORDER BY for the quoted column, NULLs last.
std::string order_by(const std::string& column, const schema::LogicalType& type,
                     const NativeType& native);

}  // namespace wherry::postgres
