#include "engine/row_sieve.h"

#include "core/assert.h"

namespace wherry::engine {
namespace {

constexpr std::string_view kUnreadable =
    "the value that a filter asks for cannot be read, so nobody knows whether the row belongs to "
    "the task";

void make_unreadable(Cell& cell) {
  if (cell.state == CellState::kUnreadable) return;
  cell.state = CellState::kUnreadable;
  cell.payload.ptr = reinterpret_cast<const std::byte*>(kUnreadable.data());
  cell.size_bytes = static_cast<std::uint32_t>(kUnreadable.size());
}

}  // namespace

RowSieve::RowSieve(const schema::TablePlan& read, const schema::RowFilter& filter,
                   Unreadable unreadable)
    : test_(filter, schema::places_of(filter, read)), unreadable_(unreadable) {
  for (const auto& place : test_.columns()) {
    WHERRY_ASSERT(place.has_value(), "a plan reads what its filter needs");
    places_.push_back(*place);
  }
  cells_.resize(places_.size());
}

std::unique_ptr<RowSieve> RowSieve::make(const schema::TablePlan& read, Unreadable unreadable) {
  const schema::RowFilter filter = schema::engine_filter(read);
  if (filter.empty()) return nullptr;
  return std::unique_ptr<RowSieve>(new RowSieve(read, filter, unreadable));
}

std::uint64_t RowSieve::filter(RowBatch& batch) {
  return batch.retain_rows([&](std::size_t row) { return takes(batch, row); });
}

bool RowSieve::takes(RowBatch& batch, std::size_t row) {
  for (std::size_t i = 0; i < places_.size(); ++i) cells_[i] = &batch.at(row, places_[i]);
  const auto verdict = test_.of(cells_);
  if (verdict != schema::RowFilterTest::Verdict::kUnknown) {
    return verdict == schema::RowFilterTest::Verdict::kPasses;
  }
  if (unreadable_ == Unreadable::kRefused) make_unreadable(batch.row(row)[0]);
  return unreadable_ == Unreadable::kRefused;
}

}  // namespace wherry::engine
