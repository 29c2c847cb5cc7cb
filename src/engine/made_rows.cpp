#include "engine/made_rows.h"

#include <algorithm>
#include <chrono>

#include "transform/masking.h"
#include "transform/sqlite_values.h"

namespace wherry::engine {
namespace {

/// Of a batch with what expressions make of it, which its budget does not know.
constexpr std::size_t kMostMadeBytes = 64 * 1024 * 1024;
constexpr const char* kTooMuch =
    "the expressions make more than 64 MB of the rows that are read together";

std::int64_t now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

bool is_masked(const schema::ColumnPlan& column) {
  return column.masking.kind != schema::MaskingKind::kNone;
}

}  // namespace

Cell trimmed_cell(const Cell& cell, const schema::ColumnPlan& column) {
  Cell out = cell;
  const bool is_padded =
      column.trim_blanks && cell.state == CellState::kSet && cell.kind == CellKind::kText;
  if (!is_padded) return out;
  const std::size_t last = cell.bytes().find_last_not_of(' ');
  out.size_bytes = last == std::string_view::npos ? 0 : static_cast<std::uint32_t>(last + 1);
  return out;
}

Result<AddedValues> AddedValues::make(const schema::TablePlan& plan,
                                      std::vector<schema::ColumnPlan> columns) {
  AddedValues out;
  std::vector<transform::Expressions::Item> items;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const schema::ColumnPlan& column = plan.columns[i];
    if (column.expression.empty()) continue;
    out.places_.push_back(i);
    items.push_back({column.expression, column.type});
  }
  if (items.empty()) return out;
  out.column_count_ = columns.size();
  std::vector<transform::Expressions::Column> named;
  for (const schema::ColumnPlan& column : columns) {
    named.push_back({column.source_name, column.type});
  }
  for (const schema::ColumnPlan& column : columns) {
    named.push_back({std::string(kBeforePrefix) + column.source_name, column.type});
  }
  WHERRY_ASSIGN(
      out.expressions_,
      transform::Expressions::make({plan.source.schema, plan.source.name, {}, {}}, items, named));
  for (const std::size_t column : out.expressions_->used()) {
    out.used_columns_.push_back(columns[column % columns.size()]);
  }
  out.made_.resize(items.size());
  out.trimmed_.resize(out.used_columns_.size());
  out.cells_.resize(out.used_columns_.size());
  return out;
}

const std::vector<std::size_t>& AddedValues::used() const {
  static const std::vector<std::size_t> none;
  return expressions_ == nullptr ? none : expressions_->used();
}

std::span<const Cell> AddedValues::evaluate(std::span<const Cell* const> cells,
                                            const transform::RowHeader& header, Arena& arena) {
  if (expressions_ == nullptr) return {};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells_[i] = nullptr;
    if (cells[i] == nullptr) continue;
    trimmed_[i] = trimmed_cell(*cells[i], used_columns_[i]);
    cells_[i] = &trimmed_[i];
  }
  expressions_->evaluate(cells_, header, made_.data(), arena);
  return made_;
}

RowMaker::RowMaker(const schema::TablePlan& plan, AddedValues added)
    : plan_(plan), added_(std::move(added)) {
  std::int32_t next = 0;
  for (const schema::ColumnPlan& column : plan.columns) {
    origins_.push_back(column.origin == schema::ColumnOrigin::kSource ? next++ : -1);
  }
}

Result<std::unique_ptr<RowMaker>> RowMaker::make(const schema::TablePlan& plan,
                                                 const schema::TablePlan& read) {
  WHERRY_ASSIGN(AddedValues added, AddedValues::make(plan, read.columns));
  return std::unique_ptr<RowMaker>(new RowMaker(plan, std::move(added)));
}

void RowMaker::make_rows(RowBatch& batch) {
  const auto& places = added_.places();
  const auto& used = added_.used();
  transform::RowHeader header;
  header.time_us = header.commit_time_us = now_us();
  values_.clear();
  std::vector<const Cell*> cells(used.size());
  Cell none_before{};
  none_before.state = CellState::kNull;
  for (std::size_t r = 0; r < batch.row_count() && !places.empty(); ++r) {
    for (std::size_t i = 0; i < used.size(); ++i) {
      cells[i] = used[i] < added_.column_count() ? &batch.at(r, used[i]) : &none_before;
    }
    if (batch.arena().used_bytes() > kMostMadeBytes) {
      const Cell none = transform::unreadable_cell(kTooMuch, batch.arena());
      values_.insert(values_.end(), places.size(), none);
      continue;
    }
    const auto made = added_.evaluate(cells, header, batch.arena());
    values_.insert(values_.end(), made.begin(), made.end());
  }
  batch.reshape(origins_);
  for (std::size_t r = 0; r < batch.row_count(); ++r) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      batch.row(r)[places[i]] = values_[r * places.size() + i];
    }
  }
  for (std::size_t c = 0; c < plan_.columns.size(); ++c) {
    const schema::ColumnPlan& column = plan_.columns[c];
    if (!is_masked(column)) continue;
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      Cell& cell = batch.row(r)[c];
      cell = trimmed_cell(cell, column);
      transform::mask_cell(cell, column.masking, batch.arena());
    }
  }
}

}  // namespace wherry::engine
