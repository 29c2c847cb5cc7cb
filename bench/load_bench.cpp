// Loads made-up rows into PostgreSQL through the engine, with the source costing next to nothing,
// and prints what that took as JSON. The table bench.SHAPE gets its key after the load. usage:
// WHERRY_TARGET_PASSWORD=… load_bench postgresql://user@host:port/db narrow|wide ROWS SUBTASKS
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "connect/api/url.h"
#include "connect/postgres/connector.h"
#include "core/decimal.h"
#include "engine/full_load.h"

namespace {

using namespace wherry;

constexpr std::uint64_t kChunkBytes = 64ULL * 1024 * 1024;

struct Shape {
  const char* name;
  std::vector<schema::TypeKind> kinds;
  std::uint64_t row_bytes;
};

const Shape kNarrow = {"narrow",
                       {schema::TypeKind::kInt64, schema::TypeKind::kInt32,
                        schema::TypeKind::kInt32, schema::TypeKind::kText},
                       110};
const Shape kWide = {
    "wide",
    {schema::TypeKind::kInt64, schema::TypeKind::kInt32, schema::TypeKind::kDecimal,
     schema::TypeKind::kDecimal, schema::TypeKind::kFloat64, schema::TypeKind::kBoolean,
     schema::TypeKind::kTimestamp, schema::TypeKind::kTimestamp, schema::TypeKind::kTimestampTz,
     schema::TypeKind::kText, schema::TypeKind::kText, schema::TypeKind::kBytes,
     schema::TypeKind::kText},
    900};

std::size_t text_bytes(const Shape& shape, std::size_t column) {
  if (&shape == &kNarrow) return 84;
  return column == 9 ? 32 : column == 10 ? 480 : column == 11 ? 100 : 150;
}

schema::TableDef definition_of(const Shape& shape) {
  schema::TableDef table;
  table.table = {"bench", shape.name};
  for (std::size_t i = 0; i < shape.kinds.size(); ++i) {
    schema::ColumnDef column;
    column.name = "c" + std::to_string(i);
    column.type.kind = shape.kinds[i];
    column.type.fraction_digits = 6;
    column.nullable = i != 0;
    table.columns.push_back(column);
  }
  return table;
}

/// Text lies in one place for all rows, and longer than any batch.
const std::string& filler() {
  static const std::string text = [] {
    std::string made(1024, ' ');
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<char>('a' + i % 26);
    return made;
  }();
  return text;
}

/// Only numbers and times change.
class MadeRows final : public connect::ChunkReader {
 public:
  MadeRows(const Shape& shape, std::int64_t next, std::int64_t end)
      : shape_(shape), next_(next), end_(end) {}

  Result<connect::ReadState> read(OpContext&, RowBatch& out) override {
    out.reset(shape_.kinds.size());
    while (next_ < end_ && !out.is_full()) {
      Cell* cells = out.append_row();
      for (std::size_t i = 0; i < shape_.kinds.size(); ++i) fill(cells[i], i, out);
      ++next_;
    }
    return next_ == end_ ? connect::ReadState::kEnd : connect::ReadState::kMore;
  }

 private:
  void fill(Cell& cell, std::size_t column, RowBatch& out) {
    cell = Cell{};
    cell.state = CellState::kSet;
    schema::LogicalType type;
    type.kind = shape_.kinds[column];
    cell.kind = kinds_[column] ? *kinds_[column] : *(kinds_[column] = schema::cell_kind_of(type));
    switch (cell.kind) {
      case CellKind::kInt64:
        cell.payload.i64 = column == 0 ? next_ : next_ % 1'000'000;
        break;
      case CellKind::kBool:
        cell.payload.i64 = next_ & 1;
        break;
      case CellKind::kFloat64:
        cell.payload.f64 = static_cast<double>(next_) / 7;
        break;
      case CellKind::kDecimal:
        cell.payload.ptr =
            reinterpret_cast<const std::byte*>(decimal_from_int(next_ * 37, out.arena()));
        break;
      case CellKind::kTimestamp:
      case CellKind::kTimestampTz:
        cell.payload.i64 = 1'600'000'000'000'000 + next_ * 1'000'003;
        break;
      default:
        cell.payload.ptr = reinterpret_cast<const std::byte*>(filler().data() + next_ % 26);
        cell.size_bytes = static_cast<std::uint32_t>(text_bytes(shape_, column));
    }
  }

  const Shape& shape_;
  std::int64_t next_, end_;
  std::array<std::optional<CellKind>, 16> kinds_;
};

class MadeSource final : public connect::SnapshotSource {
 public:
  MadeSource(const Shape& shape, std::int64_t rows) : shape_(shape), rows_(rows) {}
  [[nodiscard]] const Position& position() const override { return position_; }

  Result<std::vector<connect::Chunk>> plan(OpContext&, const schema::TableDef&,
                                           const connect::ChunkHints& hints) override {
    const auto bytes = static_cast<std::uint64_t>(rows_) * shape_.row_bytes;
    std::vector<connect::Chunk> chunks(connect::chunk_count(hints, bytes));
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      chunks[i].index = static_cast<std::uint32_t>(i);
      chunks[i].predicate = std::to_string(chunks.size());
      chunks[i].estimated_bytes = bytes / chunks.size();
    }
    return chunks;
  }
  Result<std::unique_ptr<connect::ChunkReader>> open(OpContext&, schema::TablePlanPtr,
                                                     const connect::Chunk& chunk,
                                                     connect::RowOrder) override {
    const auto count = static_cast<std::int64_t>(std::stoul(chunk.predicate));
    return std::unique_ptr<connect::ChunkReader>(std::make_unique<MadeRows>(
        shape_, rows_ * chunk.index / count, rows_ * (chunk.index + 1) / count));
  }

 private:
  const Shape& shape_;
  const std::int64_t rows_;
  const Position position_{"made:1"};
};

struct NoJournal final : engine::LoadJournal {
  Result<void> on_start(const engine::TableTask&) override { return {}; }
  Result<void> on_prepared(const engine::TableTask&) override { return {}; }
  Result<void> on_commit(const engine::TableTask&) override { return {}; }
  Result<void> on_loaded(const engine::TableTask&, const engine::RowCounts&) override { return {}; }
  Result<void> on_complete(const engine::TableTask&, const engine::RowCounts&) override {
    return {};
  }
};

Result<schema::TablePlanPtr> plan_of(const schema::TableDef& table, connect::TargetLoader& loader) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = table.table;
  for (const schema::ColumnDef& column : table.columns) {
    schema::ColumnPlan planned;
    planned.source_name = planned.target_name = column.name;
    planned.type = column.type;
    planned.not_null = !column.nullable;
    WHERRY_ASSIGN(planned.target_type, loader.column_type(column));
    plan->columns.push_back(planned);
  }
  plan->key = {0};
  plan->key_is_primary = true;
  plan->key_name = table.table.name + "_pkey";
  return schema::TablePlanPtr(plan);
}

Result<std::uint64_t> run(const std::string& target, const Shape& shape, std::int64_t rows,
                          std::uint32_t subtasks) {
  WHERRY_ASSIGN(connect::Url url, connect::parse_url(target));
  connect::Settings settings;
  settings.url = url.text;
  settings.user = url.user;
  const char* password = std::getenv("WHERRY_TARGET_PASSWORD");
  settings.password = Secret(password == nullptr ? "" : password);
  settings.spill_directory = "/tmp";
  OpContext context;
  const auto postgres = postgres::make_connector();
  WHERRY_ASSIGN(auto loader, postgres->open_loader(context, settings));
  engine::TableTask task;
  task.definition = definition_of(shape);
  WHERRY_ASSIGN(task.plan, plan_of(task.definition, *loader));
  engine::LoadProgress progress;
  progress.add(task.plan);
  engine::SourceViews views(
      [&](OpContext&, const Position&) -> Result<std::unique_ptr<connect::SnapshotSource>> {
        return std::unique_ptr<connect::SnapshotSource>(std::make_unique<MadeSource>(shape, rows));
      });
  engine::LoadOptions options;
  options.max_subtasks = subtasks;
  options.segment_bytes = options.chunk_bytes = kChunkBytes;
  options.split_after = std::chrono::seconds(2);
  options.load_id = "bench";
  WHERRY_TRY(loader->done_chunks(context, options.load_id, std::nullopt));
  NoJournal journal;
  WHERRY_TRY(engine::run_full_load(context, views, *loader, {task}, options, progress, journal));
  WHERRY_TRY(loader->forget(context, options.load_id));
  const engine::TableProgress& table = progress.tables().front();
  if (table.error) return *table.error;
  if (table.rows.load() != static_cast<std::uint64_t>(rows)) {
    return make_error(ErrorKind::kInternal, "bench.rows", "rows were left out",
                      std::to_string(table.rows.load()));
  }
  return table.rows.load();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: load_bench postgresql://user@host:port/db narrow|wide ROWS SUBTASKS\n",
               stderr);
    return 2;
  }
  const Shape& shape = std::strcmp(argv[2], "wide") == 0 ? kWide : kNarrow;
  const auto rows =
      run(argv[1], shape, std::atoll(argv[3]), static_cast<std::uint32_t>(std::atoi(argv[4])));
  if (!rows.ok()) {
    std::fprintf(stderr, "%s\n", rows.error().to_paragraph().c_str());
    return 1;
  }
  std::printf("{\"rows\":%llu}\n", static_cast<unsigned long long>(*rows));
  return 0;
}
