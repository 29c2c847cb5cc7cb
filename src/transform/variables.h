// What an expression can ask for beside columns: $AR_H_… of the change and $AR_M_… of the object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transform/expression.h"

namespace wherry::transform {

enum class Variable : std::uint8_t {
  kStreamPosition,
  kTime,
  kCommitTime,
  kOperation,
  kUser,
  kChangeSequence,
  kSchema,
  kTable,
  kColumn,
  kDataType,
};
constexpr bool is_of_header(Variable variable) {
  return variable < Variable::kSchema;
}

/// `name` is without its $.
std::optional<Variable> find_variable(std::string_view name);
std::string value_of(Variable variable, const ExpressionSubject& subject, const RowHeader& header);

}  // namespace wherry::transform
