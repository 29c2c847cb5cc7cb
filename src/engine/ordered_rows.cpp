#include "engine/ordered_rows.h"

#include "core/decimal.h"
#include "engine/cell_compare.h"
#include "engine/character_pass.h"
#include "engine/likeness.h"
#include "engine/lob_limit.h"

namespace wherry::engine {
namespace {

/// Copies what the cell points to into `arena`.
Cell deep_copy(const Cell& cell, Arena& arena) {
  Cell copy = cell;
  if (cell.state != CellState::kSet) return copy;
  if (cell.kind == CellKind::kText || cell.kind == CellKind::kBytes) {
    copy.payload.ptr = arena.copy(cell.payload.ptr, cell.size_bytes);
  } else if (cell.kind == CellKind::kDecimal) {
    const DecimalView& d = decimal_of(cell);
    copy.payload.ptr = arena.copy(&d, sizeof(DecimalView) + d.digit_count * sizeof(std::uint16_t));
  }
  return copy;
}

}  // namespace

void KeyCopy::assign(const Cell* row, const std::vector<std::size_t>& key) {
  arena_.reset();
  cells_.clear();
  for (const std::size_t column : key) cells_.push_back(deep_copy(row[column], arena_));
}

int KeyCopy::compare_with(const Cell* row, const std::vector<std::size_t>& key) const {
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (const int c = compare_cells(cells_[i], row[key[i]]); c != 0) return c;
  }
  return 0;
}

int compare_keys(const Cell* a, const Cell* b, const std::vector<std::size_t>& key) {
  for (const std::size_t column : key) {
    if (const int c = compare_cells(a[column], b[column]); c != 0) return c;
  }
  return 0;
}

Result<void> OrderedRows::advance(OpContext& context) {
  const Cell* previous = row_;
  if (next_ == batch_.row_count()) {
    if (previous != nullptr) last_of_batch_.assign(previous, plan_->key);
    previous = nullptr;
    WHERRY_TRY(refill(context));
  }
  if (next_ == batch_.row_count()) {
    row_ = nullptr;
    return {};
  }
  row_ = batch_.row(next_++);
  ++counter_;
  return check_order(previous);
}

Result<void> OrderedRows::refill(OpContext& context) {
  next_ = 0;
  batch_.reset(plan_->columns.size());
  while (!at_end_ && batch_.empty()) {
    WHERRY_ASSIGN(const connect::ReadState state, reader_->read(context, batch_));
    at_end_ = state == connect::ReadState::kEnd;
    if (sieve_) sieve_->filter(batch_);
  }
  WHERRY_TRY(limit_lobs(batch_, *plan_));
  replace_characters(batch_, *plan_);
  for (std::size_t c = 0; c < plan_->columns.size(); ++c) {
    const schema::Likeness likeness = plan_->columns[c].likeness;
    if (likeness == schema::Likeness::kExact) continue;
    for (std::size_t r = 0; r < batch_.row_count(); ++r) {
      auto done = make_alike(batch_.row(r)[c], likeness, batch_.arena());
      if (!done.ok()) {
        return std::move(done)
            .error()
            .with("table", schema::to_text(plan_->source))
            .with("column", plan_->columns[c].source_name);
      }
    }
  }
  return {};
}

Result<void> OrderedRows::check_order(const Cell* previous) {
  for (const std::size_t column : plan_->key) {
    if (row_[column].state != CellState::kSpilled) continue;
    return make_error(ErrorKind::kUnsupported, "validate.key_too_large",
                      "a value that rows are ordered by is too large to be compared",
                      "Compare this table by other means")
        .with("table", schema::to_text(plan_->source))
        .with("column", plan_->columns[column].source_name);
  }
  int c = 0;
  if (previous != nullptr) {
    c = compare_keys(previous, row_, plan_->key);
  } else if (!last_of_batch_.empty()) {
    c = last_of_batch_.compare_with(row_, plan_->key);
  }
  if (c <= 0) return {};
  return make_error(ErrorKind::kData, "validate.order",
                    "the " + side_ +
                        " does not return rows in the order of the key, so they cannot "
                        "be paired",
                    "Compare this table by other means; the key's type sorts differently there")
      .with("table", schema::to_text(plan_->source));
}

}  // namespace wherry::engine
