// Values of SQL_REDO as cells. Facts: reference oracle-cdc, 8.3; the session's formats are those of
// 4.1, and a value in others is refused, because the server has already cut what it does not show.
#pragma once

#include <cstdint>
#include <string_view>

#include "connect/oracle/logminer/redo_column.h"
#include "connect/oracle/logminer/redo_statement.h"
#include "core/arena.h"
#include "core/cell.h"

namespace wherry::oracle {

enum class RedoValueStatus : std::uint8_t {
  kGiven,
  kNotGiven,     ///< there is a value that the log does not show, or that comes in other rows
  kOtherFormat,  ///< of a session with other NLS settings
  kUnreadable,   ///< none of the column's type
};

struct RedoValueContext {
  Arena* arena = nullptr;  ///< takes what cells point to
  /// The mining session's TIME_ZONE, in which values WITH LOCAL TIME ZONE are printed.
  int session_offset_minutes = 0;
};

/// Cells are of the column's natural kind (wire/types.h); LOBs are kText or kBytes. Text and bytes
/// that need no conversion stay where `value` has them.
RedoValueStatus redo_cell(const RedoValue& value, const RedoColumn& column,
                          const RedoValueContext& context, Cell& out);

/// What is wrong, for people; static.
std::string_view describe(RedoValueStatus status);

}  // namespace wherry::oracle
