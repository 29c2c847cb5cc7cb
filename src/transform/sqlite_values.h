// Values between cells and SQLite.
#pragma once

#include <sqlite3.h>

#include <string_view>

#include "core/arena.h"
#include "core/cell.h"
#include "schema/logical_type.h"

namespace wherry::transform {

/// Binds a cell that is kNull or kSet; what it points to must live until the statement is reset.
/// The result is SQLite's.
int bind_cell(sqlite3_stmt& statement, int parameter, const Cell& cell,
              const schema::LogicalType& type);
/// The first column of the statement's row as a cell of `type`; kUnreadable when it has no form in
/// it.
Cell cell_of_result(sqlite3_stmt& statement, const schema::LogicalType& type, Arena& arena);
/// A cell that says why there is no value.
Cell unreadable_cell(std::string_view why, Arena& arena);

}  // namespace wherry::transform
