// Reads a backlog of PostgreSQL's log and throws it away: wall and CPU seconds of the reader and of
// its walsender. TPC-B's transactions (3 updates, 1 insert) with hot rows, or large ones.
// usage: log_bench [--transactions N] [--rows N] [--rounds N] [--socket] [--walsender]
//   --rows N: transactions of N inserted rows instead; --socket: a unix socket instead of TCP;
//   --walsender: no catching up with SQL
// One JSON object a round on stdout. Starts a cluster of its own; bench/run.py does not run it.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "connect/api/changes.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/connector.h"
#include "tests/support/pg_cluster.h"

namespace {

using namespace wherry;
using Clock = std::chrono::steady_clock;

struct Options {
  long transactions = 200'000;
  long rows = 0;
  long rounds = 3;
  bool is_socket = false;
  bool is_walsender = false;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "log_bench: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) fail(result.error().to_paragraph());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

constexpr const char* kTables = R"(
create schema app;
create table app.branches (bid int primary key, bbalance int, filler char(88));
create table app.tellers (tid int primary key, bid int, tbalance int, filler char(84));
create table app.accounts (aid int primary key, bid int, abalance int, filler char(84));
create table app.history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
alter table app.history replica identity full;
insert into app.branches select i, 0, '' from generate_series(1, 10) i;
insert into app.tellers select i, i % 10 + 1, 0, '' from generate_series(1, 100) i;
insert into app.accounts select i, i % 10 + 1, 0, '' from generate_series(1, 100000) i;
create procedure app.work(transactions int) language plpgsql as $$
declare
  b int; t int; a int; d int;
begin
  for i in 1 .. transactions loop
    a := 1 + floor(random() * 100000); t := 1 + floor(random() * 100);
    b := 1 + floor(random() * 10); d := floor(random() * 10000) - 5000;
    update app.accounts set abalance = abalance + d where aid = a;
    update app.tellers set tbalance = tbalance + d where tid = t;
    update app.branches set bbalance = bbalance + d where bid = b;
    insert into app.history values (t, b, a, d, localtimestamp, null);
    commit;
  end loop;
end $$;
create procedure app.work_large(transactions int, n int) language plpgsql as $$
begin
  for i in 1 .. transactions loop
    insert into app.history select k % 100, k % 10, k, i, localtimestamp, null
      from generate_series(1, n) k;
    commit;
  end loop;
end $$)";

double self_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// User and system seconds of the cluster's processes, those that have ended too.
double cluster_cpu(const std::string& postmaster) {
  double ticks = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name = text.rfind(')');
    if (name == std::string::npos) continue;
    std::istringstream fields(text.substr(name + 2));
    std::string state;
    std::string parent;
    fields >> state >> parent;
    const bool is_postmaster = pid == postmaster;
    if (!is_postmaster && parent != postmaster) continue;
    std::string skipped;
    for (int i = 0; i < 9; ++i) fields >> skipped;
    double user = 0, system = 0, user_of_ended = 0, system_of_ended = 0;
    fields >> user >> system >> user_of_ended >> system_of_ended;
    ticks += user + system + (is_postmaster ? user_of_ended + system_of_ended : 0);
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

connect::StreamRequest request_for(OpContext& context, connect::Connector& connector,
                                   const connect::Settings& settings) {
  connect::StreamRequest out;
  out.task_name = "bench";
  out.is_native = true;
  auto catalog = must(connector.open_catalog(context, settings));
  for (const schema::TableDef& table : must(catalog->describe_tables(context, {{"app"}}))) {
    auto plan = std::make_shared<schema::TablePlan>();
    plan->source = plan->target = table.table;
    for (const schema::ColumnDef& column : table.columns) {
      schema::ColumnPlan to;
      to.source_name = to.target_name = column.name;
      to.type = column.type;
      to.source_type = column.native_type;
      plan->columns.push_back(to);
    }
    out.tables.push_back(plan);
  }
  return out;
}

struct Figures {
  long rows = 0, commits = 0, batches = 0, idle = 0;
};

/// Up to the source's head.
Figures drain(OpContext& context, connect::ChangeStream& stream, connect::CommitOrder end) {
  Figures out;
  connect::ChangeBatch batch;
  for (bool is_done = false; !is_done;) {
    batch.reset();
    out.idle += must(stream.read(context, batch)) == connect::StreamState::kIdle ? 1 : 0;
    ++out.batches;
    for (const connect::Change& change : batch.changes()) {
      if (change.kind == connect::ChangeKind::kCommit) ++out.commits;
      if (change.after != nullptr) ++out.rows;
      if (change.kind != connect::ChangeKind::kCommit &&
          change.kind != connect::ChangeKind::kHeartbeat) {
        continue;
      }
      is_done = is_done || batch.commit(change).order >= end;
    }
  }
  return out;
}

Options read_options(int argc, char** argv) {
  Options out;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--socket") {
      out.is_socket = true;
      continue;
    }
    if (name == "--walsender") {
      out.is_walsender = true;
      continue;
    }
    if (i + 1 == argc) fail("a number is missing after " + name);
    const long number = std::atol(argv[++i]);
    if (name == "--transactions")
      out.transactions = number;
    else if (name == "--rows")
      out.rows = number;
    else if (name == "--rounds")
      out.rounds = number;
    else
      fail("unknown option " + name);
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  test::PgCluster& cluster = test::PgCluster::shared();
  connect::Settings settings;
  const std::string database = cluster.make_database();
  settings.url = cluster.url(database);
  settings.password = Secret(cluster.password());
  if (options.is_socket) {
    settings.url = "postgresql:///" + database;
    settings.user = "wherry";
    settings.options["host"] = cluster.directory();
    settings.options["port"] = std::to_string(cluster.port());
  }
  settings.options["CaptureDdls"] = "false";
  settings.options["CatchUpMegabytes"] = options.is_walsender ? "0" : "1";
  OpContext context;
  const auto connector = postgres::make_connector();
  const auto own = must(postgres::read_settings(settings));
  const auto admin = must(postgres::Connection::open(context, own));
  must(admin->execute(context, "bench", kTables));
  const auto source = must(connector->open_change_source(context, settings));
  const connect::StreamRequest request = request_for(context, *connector, settings);
  connect::StreamStart start = must(source->prepare(context, request));
  start.keeper.reset();
  must(admin->execute(context, "bench",
                      options.rows == 0
                          ? "call app.work(" + std::to_string(options.transactions) + ")"
                          : "call app.work_large(" + std::to_string(options.transactions) + ", " +
                                std::to_string(options.rows) + ")"));
  must(admin->execute(context, "bench", "checkpoint"));
  std::string postmaster;
  std::ifstream(cluster.directory() + "/pgdata/postmaster.pid") >> postmaster;
  for (long round = 0; round < options.rounds; ++round) {
    const auto stream = must(source->open(context, request));
    const double cpu = self_cpu();
    const double server_cpu = cluster_cpu(postmaster);
    const auto began = Clock::now();
    must(stream->start(context, start.position));
    const auto end = must(stream->head(context)).order;
    const Figures figures = drain(context, *stream, end);
    const double wall = std::chrono::duration<double>(Clock::now() - began).count();
    std::printf(
        "{\"transactions\": %ld, \"rows\": %ld, \"batches\": %ld, \"idle\": %ld, "
        "\"wall_secs\": %.2f, \"reader_cpu_secs\": %.2f, \"server_cpu_secs\": %.2f}\n",
        figures.commits, figures.rows, figures.batches, figures.idle, wall, self_cpu() - cpu,
        cluster_cpu(postmaster) - server_cpu);
    std::fflush(stdout);
  }
  return 0;
}
