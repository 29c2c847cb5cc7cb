// The whole way of a change from memory to PostgreSQL: TPC-B's transactions (three updates, two of
// them of hot rows, and one insert), made before the clock starts, through run_apply() into tables
// of pgbench's shape; or transactions of many inserted rows. What has arrived is compared with what
// was sent. Starts a cluster of its own. One JSON object a round on stdout.
// usage: apply_run_bench [--transactions N] [--rows N] [--lanes N] [--batch N] [--rounds N]
//                        [--accounts N] [--memory MEGABYTES] [--sync on|off]
//   --rows N: transactions of N inserted rows; --batch N: batch apply, at most N changes at once
//   (0: as many as go well); without it transactional apply, --lanes with as many lanes
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/connector.h"
#include "connect/postgres/settings.h"
#include "engine/changes/apply.h"
#include "tests/support/pg_cluster.h"

namespace {

using namespace wherry;
using connect::ChangeKind;
using Clock = std::chrono::steady_clock;

struct Options {
  long transactions = 200'000, rows = 0, lanes = 1, batch = -1, rounds = 3, accounts = 100'000;
  long memory_megabytes = 64;
  std::string sync = "off";
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "apply_run_bench: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) fail(result.error().to_paragraph());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

constexpr const char* kTables = R"(
drop schema if exists app cascade;
create schema app;
create table app.branches (bid int primary key, bbalance int, filler char(88));
create table app.tellers (tid int primary key, bid int, tbalance int, filler char(84));
create table app.accounts (aid int primary key, bid int, abalance int, filler char(84));
create table app.history (hid int primary key, tid int, bid int, aid int, delta int, filler char(22));
insert into app.branches select i, 0, '' from generate_series(1, 10) i;
insert into app.tellers select i, i % 10 + 1, 0, '' from generate_series(1, 100) i;
)";

schema::TableDef table_of(const char* name, std::vector<std::pair<const char*, bool>> columns) {
  schema::TableDef out;
  out.table = {"app", name};
  for (const auto& [column, is_text] : columns) {
    schema::ColumnDef made;
    made.name = column;
    made.type.kind = is_text ? schema::TypeKind::kText : schema::TypeKind::kInt32;
    made.native_type = is_text ? "text" : "integer";
    out.columns.push_back(made);
  }
  out.keys.push_back({"pk", {columns[0].first}, true});
  return out;
}

schema::TablePlanPtr plan_of(const schema::TableDef& table) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = table.table;
  for (const schema::ColumnDef& column : table.columns) {
    schema::ColumnPlan made;
    made.source_name = made.target_name = column.name;
    made.type = column.type;
    made.source_type = made.target_type = column.native_type;
    plan->columns.push_back(made);
  }
  plan->key = {0};
  return plan;
}

/// Everything that will be applied, in batches as a stream makes them.
class MadeFeed final : public engine::ChangeFeed {
 public:
  explicit MadeFeed(const Options& options) : options_(options), random_(1) {
    const auto shape = [&](schema::TableDef definition) {
      auto out = std::make_shared<connect::RowShape>();
      out->id = static_cast<std::uint32_t>(shapes_.size()) + 1;
      out->source = definition.table;
      out->definition = std::move(definition);
      out->identity = {0};
      shapes_.push_back(std::move(out));
    };
    shape(table_of("branches", {{"bid", false}, {"bbalance", false}, {"filler", true}}));
    shape(table_of("tellers",
                   {{"tid", false}, {"bid", false}, {"tbalance", false}, {"filler", true}}));
    shape(table_of("accounts",
                   {{"aid", false}, {"bid", false}, {"abalance", false}, {"filler", true}}));
    shape(table_of("history", {{"hid", false},
                               {"tid", false},
                               {"bid", false},
                               {"aid", false},
                               {"delta", false},
                               {"filler", true}}));
    balances_[0].resize(11);
    balances_[1].resize(101);
    balances_[2].resize(static_cast<std::size_t>(options.accounts) + 1);
    batch_ = std::make_shared<connect::ChangeBatch>();
    for (long i = 0; i < options.transactions; ++i) add_transaction();
    batches_.push_back(std::move(batch_));
  }

  Result<void> start(OpContext&, const Position& from) override {
    if (!from.empty()) fail("the apply has started anew");
    at_ = 0;
    return {};
  }
  Result<engine::ChangeBatchPtr> next(OpContext&) override {
    if (at_ == batches_.size()) return engine::ChangeBatchPtr();
    return engine::ChangeBatchPtr(batches_[at_++]);
  }
  [[nodiscard]] bool is_empty() const override { return at_ == batches_.size(); }
  Result<void> release(OpContext&, const connect::Checkpoint&) override { return {}; }

  [[nodiscard]] const std::vector<connect::RowShapePtr>& shapes() const { return shapes_; }
  [[nodiscard]] connect::CommitOrder end() const { return order_; }
  [[nodiscard]] long changes() const { return changes_; }
  [[nodiscard]] long sum_of_balances() const { return sum_; }

 private:
  void add_transaction() {
    if (batch_->is_full()) {
      batches_.push_back(std::move(batch_));
      batch_ = std::make_shared<connect::ChangeBatch>();
    }
    connect::CommitInfo commit;
    commit.order = ++order_;
    batch_->add(ChangeKind::kBegin, commit);
    if (options_.rows == 0) {
      add_tpcb();
    } else {
      for (long i = 0; i < options_.rows; ++i) add_history(1, 1, 1, 0);
    }
    commit.position.text = std::to_string(order_);
    commit.time = std::chrono::system_clock::now();
    batch_->add(ChangeKind::kCommit, std::move(commit));
  }

  void add_tpcb() {
    const auto below = [&](long most) {
      return std::uniform_int_distribution<long>(1, most)(random_);
    };
    const long ids[3] = {below(10), below(100), below(options_.accounts)};
    const long delta = below(10'000) - 5'000;
    for (const std::size_t t : {2U, 1U, 0U}) {
      long& balance = balances_[t][static_cast<std::size_t>(ids[t])];
      balance += delta;
      Cell* after = batch_->allocate_cells(t == 0 ? 3 : 4);
      std::size_t column = 0;
      set(after[column++], ids[t]);
      if (t != 0) set(after[column++], 1);
      set(after[column++], balance);
      set_filler(after[column]);
      add(ChangeKind::kUpdate, t, after);
    }
    sum_ += delta;
    add_history(ids[1], ids[0], ids[2], delta);
  }

  void add_history(long teller, long branch, long account, long delta) {
    Cell* after = batch_->allocate_cells(6);
    set(after[0], ++history_);
    set(after[1], teller);
    set(after[2], branch);
    set(after[3], account);
    set(after[4], delta);
    set_filler(after[5]);
    add(ChangeKind::kInsert, 3, after);
  }
  void add(ChangeKind kind, std::size_t table, const Cell* after) {
    connect::Change& change = batch_->add(kind);
    change.shape = shapes_[table].get();
    change.after = after;
    ++changes_;
  }
  static void set(Cell& cell, long value) {
    std::memset(&cell, 0, sizeof cell);
    cell.kind = CellKind::kInt64;
    cell.state = CellState::kSet;
    cell.payload.i64 = value;
  }
  void set_filler(Cell& cell) {
    static constexpr std::string_view kFiller = "twenty bytes of text";
    std::memset(&cell, 0, sizeof cell);
    cell.kind = CellKind::kText;
    cell.state = CellState::kSet;
    cell.size_bytes = kFiller.size();
    cell.payload.ptr = batch_->arena().copy(kFiller.data(), kFiller.size());
  }

  const Options options_;
  std::mt19937 random_;
  std::vector<connect::RowShapePtr> shapes_;
  std::vector<long> balances_[3];
  std::vector<std::shared_ptr<connect::ChangeBatch>> batches_;
  std::shared_ptr<connect::ChangeBatch> batch_;
  std::size_t at_ = 0;
  connect::CommitOrder order_ = 0;
  long changes_ = 0, history_ = 0, sum_ = 0;
};

double self_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Options read_options(int argc, char** argv) {
  Options out;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::pair<const char*, long*> kNumbers[] = {{"--transactions", &out.transactions},
                                                      {"--rows", &out.rows},
                                                      {"--lanes", &out.lanes},
                                                      {"--batch", &out.batch},
                                                      {"--rounds", &out.rounds},
                                                      {"--accounts", &out.accounts},
                                                      {"--memory", &out.memory_megabytes}};
    bool is_known = name == "--sync";
    if (is_known) out.sync = argv[i + 1];
    for (const auto& [known, number] : kNumbers) {
      if (name != known) continue;
      *number = std::atol(argv[i + 1]);
      is_known = true;
    }
    if (!is_known) fail("unknown option " + name);
  }
  return out;
}

void expect(OpContext& context, postgres::Connection& admin, const std::string& sql, long wanted) {
  const auto rows = must(admin.query(context, "bench", sql));
  if (std::to_string(wanted) != rows.text(0, 0)) {
    fail(sql + ": " + std::string(rows.text(0, 0)) + ", not " + std::to_string(wanted));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  test::PgCluster& cluster = test::PgCluster::shared();
  connect::Settings settings;
  settings.url = cluster.url(cluster.make_database());
  settings.password = Secret(cluster.password());
  settings.options["synchronous_commit"] = options.sync;
  OpContext context;
  const auto connector = postgres::make_connector();
  const auto own = must(postgres::read_settings(settings));
  const auto admin = must(postgres::Connection::open(context, own));
  MadeFeed feed(options);
  for (long round = 0; round < options.rounds; ++round) {
    must(admin->execute(context, "bench", kTables));
    must(admin->execute(context, "bench",
                        "insert into app.accounts select i, i % 10 + 1, 0, '' from "
                        "generate_series(1, " +
                            std::to_string(options.accounts) + ") i"));
    must(admin->execute(context, "bench", "vacuum analyze"));
    must(admin->execute(context, "bench", "checkpoint"));
    connect::ApplySettings apply_settings;
    apply_settings.task_name = "bench";
    const auto target = must(connector->open_apply(context, settings, apply_settings));
    must(target->forget(context, "bench"));
    engine::ApplyProgress progress;
    engine::ApplyEvents events;
    engine::ApplyLimit limit;
    limit.stop_after(feed.end());
    engine::ApplyJob job{feed, *target, {}, {}, 0, nullptr, events, limit, progress};
    for (const auto& shape : feed.shapes()) {
      job.tables.push_back({plan_of(shape->definition), {}, 0, false});
    }
    engine::ApplyOptions apply;
    apply.task_name = "bench";
    apply.lanes = static_cast<std::uint32_t>(options.lanes);
    apply.memory_bytes = static_cast<std::uint64_t>(options.memory_megabytes) << 20;
    apply.is_batch = options.batch >= 0;
    apply.batch_changes = static_cast<std::uint32_t>(std::max(options.batch, 0L));
    const double cpu = self_cpu();
    const auto began = Clock::now();
    must(engine::run_apply(context, job, apply));
    const double wall = std::chrono::duration<double>(Clock::now() - began).count();
    const double own_cpu = self_cpu() - cpu;
    if (options.rows == 0) {
      for (const char* sum : {"sum(bbalance) from app.branches", "sum(tbalance) from app.tellers",
                              "sum(abalance) from app.accounts", "sum(delta) from app.history"}) {
        expect(context, *admin, std::string("select ") + sum, feed.sum_of_balances());
      }
    }
    expect(context, *admin, "select count(*) from app.history",
           options.transactions * std::max(options.rows, 1L));
    const auto times = progress.times();
    std::printf(
        "{\"changes\": %ld, \"wall_secs\": %.2f, \"own_cpu_secs\": %.2f, "
        "\"changes_per_second\": %.0f, \"commits\": %llu, \"rows_sent\": %llu",
        feed.changes(), wall, own_cpu, static_cast<double>(feed.changes()) / wall,
        static_cast<unsigned long long>(progress.commits()),
        static_cast<unsigned long long>(progress.folded_rows()));
    for (std::size_t i = 0; i < engine::kApplyStageCount; ++i) {
      const auto stage = static_cast<engine::ApplyStage>(i);
      std::printf(", \"%s_secs\": %.2f", std::string(engine::name_of(stage)).c_str(),
                  std::chrono::duration<double>(times.of(stage)).count());
    }
    std::printf("}\n");
    std::fflush(stdout);
  }
  return 0;
}
