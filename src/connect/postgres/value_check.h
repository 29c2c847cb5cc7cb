// Which values a target's columns would refuse, found without a server.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/postgres/native_type.h"

namespace wherry::postgres {

/// The type that format_type() or schema::postgres_type() writes so; kOther: one that is not known
/// here.
NativeType native_type_named(std::string_view name);

/// Columns of types that are not known here are not judged.
std::unique_ptr<connect::ValueCheck> make_value_check(const schema::TablePlan& plan);

}  // namespace wherry::postgres
