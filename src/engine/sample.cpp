#include "engine/sample.h"

#include <algorithm>

#include "core/decimal.h"
#include "core/spill_file.h"
#include "engine/cell_compare.h"
#include "engine/character_pass.h"
#include "engine/lob_limit.h"
#include "engine/made_rows.h"
#include "engine/row_sieve.h"

namespace wherry::engine {
namespace {

constexpr std::uint32_t kPlaces = 16;
constexpr std::size_t kShownKeys = 3;
constexpr std::size_t kShownKeyBytes = 120;
constexpr int kDigitsOfGroup = 4;

std::uint64_t characters_of(std::string_view text) {
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

int digits_of(std::uint64_t number) {
  int out = 0;
  for (; number != 0; number /= 10) ++out;
  return out;
}

int whole_digits(const DecimalView& decimal) {
  if (decimal.digit_count == 0 || decimal.weight < 0) return 0;
  return decimal.weight * kDigitsOfGroup + digits_of(decimal.digits()[0]);
}

class ColumnSampler {
 public:
  explicit ColumnSampler(ColumnSample& out) : out_(out) {}

  void take(const Cell& cell) {
    if (cell.is_null()) {
      ++out_.nulls;
      return;
    }
    ++out_.values;
    if (cell.state == CellState::kSpilled) {
      return size(reinterpret_cast<const SpilledValue*>(cell.payload.ptr)->size_bytes);
    }
    if (cell.state != CellState::kSet) return;
    switch (cell.kind) {
      case CellKind::kInt64: {
        const auto value = cell.payload.i64;
        digits(digits_of(value < 0 ? 0 - static_cast<std::uint64_t>(value)
                                   : static_cast<std::uint64_t>(value)),
               0);
        return;
      }
      case CellKind::kDecimal:
        return digits(whole_digits(decimal_of(cell)), decimal_of(cell).scale);
      case CellKind::kText:
        out_.most_characters = std::max(out_.most_characters, characters_of(cell.bytes()));
        return size(cell.size_bytes);
      case CellKind::kBytes:
        return size(cell.size_bytes);
      default:
        return;
    }
  }

 private:
  void digits(int whole, int scale) {
    out_.most_digits = std::max(out_.most_digits, whole);
    out_.most_scale = std::max(out_.most_scale, scale);
  }
  void size(std::uint64_t bytes) {
    if (bytes == 0) ++out_.empty;
    out_.most_bytes = std::max(out_.most_bytes, bytes);
    const auto found = std::lower_bound(kSizeClasses.begin(), kSizeClasses.end(), bytes);
    ++out_.sizes[static_cast<std::size_t>(found - kSizeClasses.begin())];
  }

  ColumnSample& out_;
};

std::string key_text(const schema::TablePlan& plan, const Cell* row) {
  std::string out;
  for (const std::size_t i : plan.key) {
    out += (out.empty() ? "" : ", ") + plan.columns[i].target_name + "=" +
           cell_text(row[i], kShownKeyBytes);
  }
  return out;
}

class TableSampler {
 public:
  TableSampler(const TableTask& task, connect::TargetLoader& target, std::uint64_t most_rows)
      : plan_(decoded(task.plan)),
        read_(schema::read_plan(plan_)),
        sieve_(RowSieve::make(*read_, RowSieve::Unreadable::kRefused)),
        check_(target.value_check(*plan_)),
        most_rows_(most_rows) {
    out_.columns.resize(plan_->columns.size());
  }

  Result<TableSample> run(OpContext& context, connect::SnapshotSource& source,
                          const TableTask& task) {
    if (read_ != plan_) {
      WHERRY_ASSIGN(maker_, RowMaker::make(*plan_, *read_));
    }
    connect::ChunkHints hints;
    hints.max_chunks = kPlaces;
    hints.wanted_chunks = kPlaces;
    hints.rule = task.parallel_load;
    WHERRY_ASSIGN(const auto chunks, source.plan(context, task.definition, hints));
    out_.is_whole = true;
    for (std::size_t i = 0; i < chunks.size() && out_.rows < most_rows_; ++i) {
      const std::uint64_t share = (most_rows_ - out_.rows) / (chunks.size() - i);
      WHERRY_TRY(read(context, source, chunks[i], std::max<std::uint64_t>(share, 1)));
    }
    return std::move(out_);
  }

 private:
  /// Values are looked at, so they must not come in a form that only the engine knows.
  static schema::TablePlanPtr decoded(const schema::TablePlanPtr& plan) {
    if (!plan->is_native) return plan;
    auto out = std::make_shared<schema::TablePlan>(*plan);
    out->is_native = out->is_native_text = false;
    return out;
  }

  Result<void> read(OpContext& context, connect::SnapshotSource& source,
                    const connect::Chunk& chunk, std::uint64_t most) {
    WHERRY_ASSIGN(auto reader, source.open(context, read_, chunk, connect::RowOrder::kAny));
    const std::uint64_t end = out_.rows + most;
    RowBatch batch;
    for (;;) {
      batch.reset(read_->columns.size());
      WHERRY_ASSIGN(const connect::ReadState state, reader->read(context, batch));
      if (sieve_) sieve_->filter(batch);
      WHERRY_TRY(limit_lobs(batch, *read_));
      replace_characters(batch, *read_);
      if (maker_) maker_->make_rows(batch);
      for (std::size_t r = 0; r < batch.row_count(); ++r) {
        if (out_.rows == end) {
          out_.is_whole = false;
          return {};
        }
        take(batch.row(r));
      }
      if (state == connect::ReadState::kEnd) return {};
    }
  }

  void take(const Cell* row) {
    ++out_.rows;
    for (std::size_t c = 0; c < out_.columns.size(); ++c) {
      ColumnSampler(out_.columns[c]).take(row[c]);
      std::string why = refusal_of(c, row[c]);
      if (why.empty()) continue;
      RefusedValues& refused = out_.columns[c].refused[std::move(why)];
      if (++refused.count <= kShownKeys) refused.keys.push_back(key_text(*plan_, row));
    }
  }

  /// Why the target would not take the value; empty: it would.
  std::string refusal_of(std::size_t column, const Cell& cell) {
    if (cell.is_null()) {
      return plan_->columns[column].not_null ? "NULL in a column that is NOT NULL" : std::string();
    }
    return check_ == nullptr ? std::string() : check_->check(column, cell);
  }

  const schema::TablePlanPtr plan_, read_;
  const std::unique_ptr<RowSieve> sieve_;
  const std::unique_ptr<connect::ValueCheck> check_;
  const std::uint64_t most_rows_;
  std::unique_ptr<RowMaker> maker_;
  TableSample out_;
};

}  // namespace

Result<TableSample> sample_table(OpContext& context, connect::SnapshotSource& source,
                                 connect::TargetLoader& target, const TableTask& task,
                                 std::uint64_t most_rows) {
  return TableSampler(task, target, most_rows).run(context, source, task);
}

}  // namespace wherry::engine
