#include <algorithm>
#include <charconv>
#include <numeric>

#include "connect/memory/roles.h"

namespace wherry::memory {
namespace {

constexpr std::string_view kPrefix = "memory:";
/// Rows have no size of their own here.
constexpr std::size_t kAssumedRowBytes = 64;

Error no_such(const char* what, const schema::TablePlan& plan) {
  return make_error(ErrorKind::kSchema, std::string("memory.unknown_") + what,
                    std::string("the ") + what + " to read does not exist",
                    "Compare the table with the plan of the task")
      .with("table", schema::to_text(plan.source));
}

/// Rows [begin, end) in the order they were stored.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

Result<Range> range_of(const std::string& predicate, std::size_t row_count) {
  Range range{0, row_count};
  if (predicate.empty()) return range;
  const char* const last = predicate.data() + predicate.size();
  const auto [middle, first_status] = std::from_chars(predicate.data(), last, range.begin);
  const bool has_dash = first_status == std::errc{} && middle != last && *middle == '-';
  if (has_dash) {
    const auto [end, status] = std::from_chars(middle + 1, last, range.end);
    if (status == std::errc{} && end == last && range.begin <= range.end &&
        range.end <= row_count) {
      return range;
    }
  }
  return make_error(ErrorKind::kConfig, "memory.bad_chunk",
                    "the chunk is none of this table: " + predicate, "Plan the table again");
}

class MemoryReader final : public connect::ChunkReader {
 public:
  MemoryReader(Database& database, TablePtr table, schema::TablePlanPtr plan, ReadOptions options)
      : database_(database),
        table_(std::move(table)),
        plan_(std::move(plan)),
        options_(std::move(options)) {}

  Result<void> start(const connect::Chunk& chunk, connect::RowOrder order) {
    for (const schema::ColumnPlan& column : plan_->columns) {
      const int index = table_->definition.find_column(column.source_name);
      if (index < 0) return no_such("column", *plan_).with("column", column.source_name);
      columns_.push_back(static_cast<std::size_t>(index));
      kinds_.push_back(schema::cell_kind_of(column.type));
      if (kinds_.back() != schema::cell_kind_of(table_->definition.columns[columns_.back()].type)) {
        return make_error(ErrorKind::kSchema, "memory.no_conversion",
                          "a column holds values of another kind than the plan reads",
                          "Change the column's type")
            .with("table", schema::to_text(plan_->source))
            .with("column", column.source_name);
      }
    }
    WHERRY_ASSIGN(const Range range, range_of(chunk.predicate, table_->rows.size()));
    rows_.resize(range.end - range.begin);
    std::iota(rows_.begin(), rows_.end(), range.begin);
    if (const auto filter = schema::source_filter(*plan_); !filter.empty()) filter_rows(filter);
    if (order == connect::RowOrder::kByKey) sort();
    return {};
  }

  Result<connect::ReadState> read(OpContext& context, RowBatch& out) override {
    out.reset(columns_.size());
    std::shared_ptr<SpillFile> spill;
    WHERRY_TRY(pass(context));
    while (next_ < rows_.size() && !out.is_full() && out.row_count() < options_.batch_rows) {
      if (!out.empty()) WHERRY_TRY(pass(context));
      const Row& row = table_->rows[rows_[next_]];
      Cell* cells = out.append_row();
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        WHERRY_ASSIGN(cells[i], make_cell(row[columns_[i]], i, out, spill));
      }
      ++next_;
    }
    return next_ == rows_.size() ? connect::ReadState::kEnd : connect::ReadState::kMore;
  }

 private:
  Result<void> pass(OpContext& context) {
    return database_.faults().pass(context, Point::kRead, plan_->source.name, next_);
  }

  void filter_rows(const schema::RowFilter& filter) {
    const std::vector<schema::ColumnDef>& columns = table_->definition.columns;
    const schema::RowFilterTest test(filter, columns);
    Arena arena;
    std::erase_if(rows_, [&](std::size_t row) {
      arena.reset();
      std::vector<Cell> cells;
      for (const auto& column : test.columns()) {
        cells.push_back(to_cell(table_->rows[row][*column],
                                schema::cell_kind_of(columns[*column].type), arena));
      }
      std::vector<const Cell*> places;
      for (const Cell& cell : cells) places.push_back(&cell);
      return test.of(places) != schema::RowFilterTest::Verdict::kPasses;
    });
  }

  void sort() {
    std::stable_sort(rows_.begin(), rows_.end(), [this](std::size_t a, std::size_t b) {
      const int c = compare_rows(table_->rows[a], table_->rows[b]);
      return options_.is_order_wrong ? c > 0 : c < 0;
    });
  }

  [[nodiscard]] int compare_rows(const Row& a, const Row& b) const {
    for (const std::size_t i : plan_->key) {
      const int c = compare(a[columns_[i]], b[columns_[i]], kinds_[i]);
      if (c != 0) return c;
    }
    return 0;
  }

  Result<Cell> make_cell(const Value& value, std::size_t column, RowBatch& out,
                         std::shared_ptr<SpillFile>& spill) const {
    const CellKind kind = kinds_[column];
    const bool can_spill = kind == CellKind::kText || kind == CellKind::kBytes;
    if (can_spill && value.bytes.size() > options_.inline_limit_bytes) {
      return spilled_cell(value, kind, options_, out, spill);
    }
    Cell cell = to_cell(value, kind, out.arena());
    if (plan_->columns[column].trim_blanks && cell.state == CellState::kSet) {
      cell.size_bytes = static_cast<std::uint32_t>(cell.bytes().find_last_not_of(' ') + 1);
    }
    return cell;
  }

  Database& database_;
  TablePtr table_;
  schema::TablePlanPtr plan_;
  ReadOptions options_;
  std::vector<std::size_t> columns_;  ///< plan column -> table column
  std::vector<CellKind> kinds_;
  std::vector<std::size_t> rows_;  ///< indexes in reading order
  std::size_t next_ = 0;
};

class MemorySnapshot final : public connect::SnapshotSource {
 public:
  MemorySnapshot(Database& database, ReadOptions options, std::uint64_t version,
                 std::shared_ptr<const Tables> tables)
      : database_(database),
        options_(std::move(options)),
        position_(position_of(version)),
        tables_(std::move(tables)) {}

  [[nodiscard]] const Position& position() const override { return position_; }

  Result<std::vector<connect::Chunk>> plan(OpContext& context, const schema::TableDef& definition,
                                           const connect::ChunkHints& hints) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kPlan, definition.table.name));
    const auto found = tables_->find(definition.table);
    const std::size_t row_count = found == tables_->end() ? 0 : found->second->rows.size();
    const std::size_t count = connect::chunk_count(hints, row_count * kAssumedRowBytes);
    std::vector<connect::Chunk> chunks(count);
    if (count == 1) {
      chunks[0].estimated_rows = row_count;
      chunks[0].estimated_bytes = row_count * kAssumedRowBytes;
      return chunks;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t begin = row_count * i / count;
      const std::size_t end = row_count * (i + 1) / count;
      chunks[i] = {static_cast<std::uint32_t>(i), std::to_string(begin) + "-" + std::to_string(end),
                   end - begin, (end - begin) * kAssumedRowBytes};
    }
    return chunks;
  }

  Result<std::unique_ptr<connect::ChunkReader>> open(OpContext& context, schema::TablePlanPtr plan,
                                                     const connect::Chunk& chunk,
                                                     connect::RowOrder order) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kOpenReader, plan->source.name));
    const auto found = tables_->find(plan->source);
    if (found == tables_->end()) return no_such("table", *plan);
    auto reader =
        std::make_unique<MemoryReader>(database_, found->second, std::move(plan), options_);
    WHERRY_TRY(reader->start(chunk, order));
    return std::unique_ptr<connect::ChunkReader>(std::move(reader));
  }

 private:
  Database& database_;
  const ReadOptions options_;
  const Position position_;
  const std::shared_ptr<const Tables> tables_;
};

}  // namespace

Position position_of(std::uint64_t version) {
  return {std::string(kPrefix) + std::to_string(version)};
}

Result<std::uint64_t> version_of(const Position& at) {
  std::uint64_t version = 0;
  const std::string& text = at.text;
  const char* const last = text.data() + text.size();
  if (text.starts_with(kPrefix)) {
    const auto [end, status] = std::from_chars(text.data() + kPrefix.size(), last, version);
    if (status == std::errc{} && end == last) return version;
  }
  return make_error(ErrorKind::kConfig, "memory.bad_position",
                    "the position is none of this database: " + text,
                    "Use a position that this connector made");
}

Result<std::unique_ptr<connect::SnapshotSource>> make_snapshot(Database& database,
                                                               ReadOptions options,
                                                               const Position& at) {
  std::uint64_t version = database.version();
  if (!at.empty()) {
    WHERRY_ASSIGN(version, version_of(at));
  }
  auto tables = database.as_of(version);
  if (!tables) {
    return make_error(ErrorKind::kPositionLost, "memory.position_lost",
                      "the database no longer knows its state at " + at.text,
                      "Load again at a newer position");
  }
  return std::unique_ptr<connect::SnapshotSource>(
      std::make_unique<MemorySnapshot>(database, std::move(options), version, std::move(tables)));
}

}  // namespace wherry::memory
