// CharacterSetSettings on their way through: text of the columns that have rules, never of LOBs.
#pragma once

#include "core/row_batch.h"
#include "schema/table_plan.h"

namespace wherry::engine {

/// Of one text. A text that is too large …, as below.
void replace_characters(Cell& cell, const schema::CharacterRules& rules, Arena& arena);
/// A text that is too large to be in memory becomes kUnreadable: none is, but for what a declared
/// length does not bound.
void replace_characters(RowBatch& batch, const schema::TablePlan& plan);

}  // namespace wherry::engine
