#include "engine/changes/filtered_change.h"

#include <algorithm>
#include <vector>

namespace wherry::engine {
namespace {

using connect::Change;
using connect::ChangeKind;
using RowVerdict = schema::RowFilterTest::Verdict;

bool has_cell(const Cell* cells, std::size_t column) {
  return cells != nullptr && cells[column].state != CellState::kUnchanged;
}

class ChangeFilter {
 public:
  ChangeFilter(const schema::RowFilterTest& test, std::span<const std::int32_t> needed,
               const Change& change)
      : test_(test), needed_(needed), change_(change) {}

  FilteredChange run(Arena& arena) const {
    switch (change_.kind) {
      case ChangeKind::kInsert:
        return of_one(verdict_of(change_.after));
      case ChangeKind::kDelete:
        return of_one(verdict_of(change_.before));
      default:
        return of_update(arena);
    }
  }

 private:
  [[nodiscard]] FilteredChange of_one(RowVerdict verdict) const {
    using Out = FilteredChange::Verdict;
    return {verdict == RowVerdict::kPasses  ? Out::kTaken
            : verdict == RowVerdict::kFails ? Out::kLeftOut
                                            : Out::kUnknown,
            change_};
  }

  [[nodiscard]] FilteredChange of_update(Arena& arena) const {
    using Out = FilteredChange::Verdict;
    const RowVerdict before = verdict_before(), after = verdict_after();
    if (before == RowVerdict::kUnknown || after == RowVerdict::kUnknown)
      return {Out::kUnknown, change_};
    FilteredChange out{Out::kTaken, change_};
    if (before == RowVerdict::kFails && after == RowVerdict::kFails) {
      out.verdict = Out::kLeftOut;
    } else if (before == RowVerdict::kFails) {
      out.change.kind = ChangeKind::kInsert;
      out.change.before = nullptr;
      out.change.after = whole_row(arena);
      if (out.change.after == nullptr) out.verdict = Out::kUnknown;
    } else if (after == RowVerdict::kFails) {
      out.change.kind = ChangeKind::kDelete;
      // Without a row before, the identity is as it was.
      if (change_.before == nullptr) out.change.before = change_.after;
      out.change.after = nullptr;
    }
    return out;
  }

  [[nodiscard]] RowVerdict verdict_of(const Cell* cells) const {
    return verdict([&](std::size_t column) { return cells == nullptr ? nullptr : cells + column; });
  }

  /// What an update leaves is as it was.
  [[nodiscard]] RowVerdict verdict_after() const {
    return verdict([&](std::size_t column) {
      return has_cell(change_.after, column) || change_.before == nullptr ? change_.after + column
                                                                          : change_.before + column;
    });
  }

  /// Without a row before, what identifies it is as it is after.
  [[nodiscard]] RowVerdict verdict_before() const {
    const std::vector<std::size_t>& identity = change_.shape->identity;
    return verdict([&](std::size_t column) -> const Cell* {
      if (has_cell(change_.before, column)) return change_.before + column;
      const bool is_identity =
          std::find(identity.begin(), identity.end(), column) != identity.end();
      return change_.before == nullptr && is_identity ? change_.after + column : nullptr;
    });
  }

  template <class CellOf>
  [[nodiscard]] RowVerdict verdict(const CellOf& cell_of) const {
    std::vector<const Cell*> cells;
    for (const auto& column : test_.columns()) {
      cells.push_back(column ? cell_of(*column) : nullptr);
    }
    return test_.of(cells);
  }

  /// The row after the update; nullptr: the log does not have all of it.
  [[nodiscard]] const Cell* whole_row(Arena& arena) const {
    for (const std::int32_t column : needed_) {
      const auto at = static_cast<std::size_t>(column);
      if (column >= 0 && !has_cell(change_.after, at) && !has_cell(change_.before, at)) {
        return nullptr;
      }
    }
    const std::size_t count = change_.shape->definition.columns.size();
    auto* const row = reinterpret_cast<Cell*>(arena.allocate(count * sizeof(Cell)));
    for (std::size_t i = 0; i < count; ++i) {
      row[i] = has_cell(change_.after, i) || change_.before == nullptr ? change_.after[i]
                                                                       : change_.before[i];
    }
    return row;
  }

  const schema::RowFilterTest& test_;
  const std::span<const std::int32_t> needed_;
  const Change& change_;
};

}  // namespace

FilteredChange filter_change(const schema::RowFilterTest& test,
                             std::span<const std::int32_t> needed, const Change& change,
                             Arena& arena) {
  return ChangeFilter(test, needed, change).run(arena);
}

}  // namespace wherry::engine
