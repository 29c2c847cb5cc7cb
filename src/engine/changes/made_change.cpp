#include "engine/changes/made_change.h"

#include <algorithm>

#include "engine/character_pass.h"
#include "transform/masking.h"

namespace wherry::engine {
namespace {

using connect::Change;
using connect::ChangeKind;

bool has_value(const Cell* cells, std::size_t column) {
  return cells != nullptr && cells[column].state != CellState::kUnchanged;
}

Cell cell_in(CellState state) {
  Cell cell{};
  cell.state = state;
  return cell;
}

const Cell kNoValue = cell_in(CellState::kNull);

/// The shape's columns as expressions see them: as the plan reads them, by name; others have the
/// types that the shape says.
std::vector<schema::ColumnPlan> columns_of(const schema::TablePlan& plan,
                                           const connect::RowShape& shape) {
  const auto planned = [&](const schema::ColumnDef& column) -> const schema::ColumnPlan* {
    for (const auto* list : {&plan.columns, &plan.side_columns}) {
      for (const schema::ColumnPlan& each : *list) {
        if (each.origin != schema::ColumnOrigin::kSource) continue;
        const bool has_numbers = column.number != 0 && each.source_number != 0;
        if (has_numbers ? column.number == each.source_number : column.name == each.source_name) {
          return &each;
        }
      }
    }
    return nullptr;
  };
  std::vector<schema::ColumnPlan> out;
  for (const schema::ColumnDef& column : shape.definition.columns) {
    schema::ColumnPlan& made = out.emplace_back();
    if (const auto* found = planned(column)) {
      made = *found;
    } else {
      made.source_name = column.name;
      made.type = column.type;
    }
  }
  return out;
}

}  // namespace

ChangeMaker::ChangeMaker(schema::TablePlanPtr plan, const connect::RowShape& shape,
                         AddedValues added)
    : plan_(std::move(plan)), shape_identity_(shape.identity), added_(std::move(added)) {
  cells_.resize(added_.used().size());
  for (const schema::ColumnPlan& column : plan_->columns) {
    const int at = column.origin == schema::ColumnOrigin::kBefore
                       ? shape.definition.find_column(column.source_name)
                       : -1;
    before_images_.push_back(at);
  }
}

Result<std::shared_ptr<ChangeMaker>> ChangeMaker::make(schema::TablePlanPtr plan,
                                                       const std::vector<std::size_t>& identity,
                                                       const connect::RowShape& shape) {
  if (!schema::makes_rows(*plan)) return std::shared_ptr<ChangeMaker>();
  WHERRY_ASSIGN(AddedValues added, AddedValues::make(*plan, columns_of(*plan, shape)));
  auto out =
      std::shared_ptr<ChangeMaker>(new ChangeMaker(std::move(plan), shape, std::move(added)));
  for (const std::size_t place : out->added_.places()) {
    out->is_key_.push_back(std::find(identity.begin(), identity.end(), place) != identity.end());
  }
  return out;
}

void ChangeMaker::make_cells(const Change& change, const transform::RowHeader& header, Cell* before,
                             Cell* after, Arena& arena) {
  if (after != nullptr) {
    add_values(change, header, after, false, arena);
    add_before_images(change, after);
    mask(after, arena);
  }
  if (before == nullptr) return;
  const bool has_made_key = std::find(is_key_.begin(), is_key_.end(), true) != is_key_.end();
  if (has_made_key) add_values(change, header, before, true, arena);
  mask(before, arena);
  for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
    // No row is found by digits that were random.
    const bool is_random = plan_->columns[i].masking.kind == schema::MaskingKind::kRandomDigits;
    if (is_random) before[i] = cell_in(CellState::kUnchanged);
  }
}

void ChangeMaker::add_values(const Change& change, const transform::RowHeader& header, Cell* into,
                             bool is_before, Arena& arena) {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const std::size_t column = added_.used()[i];
    if (column >= added_.column_count()) {
      const bool has_before = !is_before && change.kind != ChangeKind::kInsert;
      cells_[i] = has_before ? value_before(change, column - added_.column_count()) : &kNoValue;
      continue;
    }
    const Cell* const first = is_before ? change.before : change.after;
    const Cell* const second = is_before ? change.after : change.before;
    cells_[i] = has_value(first, column)    ? first + column
                : has_value(second, column) ? second + column
                                            : nullptr;
  }
  const auto made = added_.evaluate(cells_, header, arena);
  const bool is_deleted = change.kind == ChangeKind::kDelete;
  for (std::size_t i = 0; i < made.size(); ++i) {
    // A row before its change is sought by its identity, and by nothing that rules make of it
    // besides. What cannot be computed of a deleted row stays as it was.
    const bool is_wanted =
        is_before ? is_key_[i] : !(is_deleted && made[i].state == CellState::kUnreadable);
    into[added_.places()[i]] = is_wanted ? made[i] : cell_in(CellState::kUnchanged);
  }
  // Added columns without an expression are NULL in new rows, and nobody's afterwards.
  if (is_before || change.kind != ChangeKind::kInsert) return;
  for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
    const schema::ColumnPlan& column = plan_->columns[i];
    const bool is_empty =
        column.origin == schema::ColumnOrigin::kAdded && column.expression.empty();
    if (is_empty) into[i] = cell_in(CellState::kNull);
  }
}

/// Nothing: the log does not have it. An identity that is not told before is as it is after.
const Cell* ChangeMaker::value_before(const Change& change, std::size_t column) const {
  if (has_value(change.before, column)) return change.before + column;
  const bool is_identity =
      std::find(shape_identity_.begin(), shape_identity_.end(), column) != shape_identity_.end();
  return change.before == nullptr && is_identity && has_value(change.after, column)
             ? change.after + column
             : nullptr;
}

void ChangeMaker::add_before_images(const Change& change, Cell* after) const {
  for (std::size_t i = 0; i < before_images_.size(); ++i) {
    if (plan_->columns[i].origin != schema::ColumnOrigin::kBefore) continue;
    after[i] = cell_in(CellState::kNull);
    const bool has_before = change.kind != ChangeKind::kInsert && before_images_[i] >= 0 &&
                            !schema::is_lob(plan_->columns[i].type);
    if (!has_before) continue;
    const Cell* const value = value_before(change, static_cast<std::size_t>(before_images_[i]));
    if (value != nullptr) after[i] = *value;
  }
}

void ChangeMaker::mask(Cell* cells, Arena& arena) const {
  for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
    const schema::ColumnPlan& column = plan_->columns[i];
    const bool is_before = column.origin == schema::ColumnOrigin::kBefore;
    if (is_before && column.character_rules != nullptr) {
      replace_characters(cells[i], *column.character_rules, arena);
    }
    if (column.masking.kind == schema::MaskingKind::kNone) continue;
    cells[i] = trimmed_cell(cells[i], column);
    transform::mask_cell(cells[i], column.masking, arena);
  }
}

}  // namespace wherry::engine
