// A load of more rows than any table in memory: made up at the source, counted at the target.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "engine/full_load.h"

namespace wherry::engine {
namespace {

/// 4.5 billion, more than 32 bits count, with WHERRY_LONG=1.
std::uint64_t rows_to_make() {
  const char* setting = std::getenv("WHERRY_LONG");
  return setting != nullptr && std::string_view(setting) == "1" ? 4'500'000'000 : 3'000'000;
}

constexpr std::uint32_t kGeneratedChunks = 300;

class GeneratedRows final : public connect::ChunkReader {
 public:
  explicit GeneratedRows(std::uint64_t rows) : left_(rows) {}
  Result<connect::ReadState> read(OpContext&, RowBatch& out) override {
    out.reset(1);
    for (; left_ > 0 && !out.is_full(); --left_) {
      Cell* cell = out.append_row();
      *cell = Cell{};
      cell->payload.i64 = static_cast<std::int64_t>(left_);
    }
    return left_ == 0 ? connect::ReadState::kEnd : connect::ReadState::kMore;
  }

 private:
  std::uint64_t left_;
};

class GeneratedSource final : public connect::SnapshotSource {
 public:
  [[nodiscard]] const Position& position() const override { return position_; }
  Result<std::vector<connect::Chunk>> plan(OpContext&, const schema::TableDef&,
                                           const connect::ChunkHints&) override {
    std::vector<connect::Chunk> chunks(kGeneratedChunks);
    for (std::uint32_t i = 0; i < kGeneratedChunks; ++i) {
      chunks[i].index = i;
      chunks[i].estimated_bytes = rows_to_make() / kGeneratedChunks * sizeof(Cell);
    }
    return chunks;
  }
  Result<std::unique_ptr<connect::ChunkReader>> open(OpContext&, schema::TablePlanPtr,
                                                     const connect::Chunk&,
                                                     connect::RowOrder) override {
    return std::unique_ptr<connect::ChunkReader>(
        std::make_unique<GeneratedRows>(rows_to_make() / kGeneratedChunks));
  }

 private:
  const Position position_{"generated:1"};
};

/// Keeps nothing but counts.
class CountingLoader final : public connect::TargetLoader {
 public:
  class Session final : public connect::LoadSession {
   public:
    explicit Session(CountingLoader& loader) : loader_(loader) {}
    Result<void> write(OpContext&, const RowBatch& batch) override {
      rows_ += batch.row_count();
      return {};
    }
    Result<connect::LoadReport> finish(OpContext&,
                                       std::span<const connect::DoneChunk> chunks) override {
      loader_.rows += rows_;
      loader_.segments += 1;
      for (const connect::DoneChunk& chunk : chunks) loader_.recorded_rows += chunk.rows;
      return connect::LoadReport{rows_, 0};
    }

   private:
    CountingLoader& loader_;
    std::uint64_t rows_ = 0;
  };

  Result<std::string> column_type(const schema::ColumnDef&) override { return std::string("int"); }
  [[nodiscard]] std::size_t max_name_bytes() const override { return 63; }
  Result<void> check_privileges(OpContext&, const std::vector<schema::TablePlanPtr>&,
                                connect::ExistingTable) override {
    return {};
  }
  Result<connect::PrepareReport> prepare(OpContext&, const schema::TablePlan&,
                                         connect::ExistingTable) override {
    return connect::PrepareReport{};
  }
  Result<std::vector<connect::DoneChunk>> done_chunks(OpContext&, const std::string&,
                                                      std::optional<std::uint32_t>) override {
    return std::vector<connect::DoneChunk>();
  }
  Result<void> forget(OpContext&, const std::string&) override { return {}; }
  Result<std::unique_ptr<connect::LoadSession>> begin(OpContext&, schema::TablePlanPtr,
                                                      const connect::Segment&) override {
    return std::unique_ptr<connect::LoadSession>(std::make_unique<Session>(*this));
  }
  Result<void> complete(OpContext&, const schema::TablePlan&, bool) override { return {}; }

  std::atomic<std::uint64_t> rows{0}, recorded_rows{0}, segments{0};
};

struct SilentJournal final : LoadJournal {
  Result<void> on_start(const TableTask&) override { return {}; }
  Result<void> on_prepared(const TableTask&) override { return {}; }
  Result<void> on_commit(const TableTask&) override { return {}; }
  Result<void> on_loaded(const TableTask&, const RowCounts&) override { return {}; }
  Result<void> on_complete(const TableTask&, const RowCounts&) override { return {}; }
};

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(GeneratedLoad, MemoryDoesNotDependOnTheNumberOfRows) {
  TableTask task;
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = {"S", "HUGE"};
  task.plan = plan;
  LoadProgress progress;
  progress.add(plan);
  SourceViews views(
      [](OpContext&, const Position&) -> Result<std::unique_ptr<connect::SnapshotSource>> {
        return std::unique_ptr<connect::SnapshotSource>(std::make_unique<GeneratedSource>());
      });
  LoadOptions options;
  options.max_subtasks = 4;
  options.batch_bytes = 256 * 1024;
  options.load_id = "generated";
  options.segment_bytes = 4 * 1024 * 1024;
  CountingLoader target;
  SilentJournal journal;
  OpContext context;
  const std::uint64_t before = resident_bytes();
  ASSERT_TRUE(run_full_load(context, views, target, {task}, options, progress, journal).ok());
  const std::uint64_t after = resident_bytes();
  EXPECT_EQ(target.rows, rows_to_make());
  EXPECT_EQ(target.recorded_rows, rows_to_make());
  EXPECT_EQ(progress.tables()[0].rows, rows_to_make());
  EXPECT_EQ(progress.tables()[0].chunks_done, kGeneratedChunks);
  EXPECT_GT(target.segments, 4U);
  // 16 batches of 256 KiB, their slack, and four pairs of threads.
  constexpr std::uint64_t kMostGrowth = 64 * 1024 * 1024;
  EXPECT_LT(std::max(after, before) - before, kMostGrowth);
}

}  // namespace
}  // namespace wherry::engine
