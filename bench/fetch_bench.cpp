// Reads one table through the Oracle connector, drops the rows, and prints what that cost as JSON.
// usage: WHERRY_SOURCE_PASSWORD=… fetch_bench oracle://user@host:port/service SCHEMA TABLE
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "connect/api/connector.h"
#include "connect/api/url.h"
#include "connect/oracle/connector.h"

namespace {

using namespace wherry;

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Result<connect::Settings> settings_of(const std::string& text) {
  WHERRY_ASSIGN(connect::Url url, connect::parse_url(text));
  connect::Settings settings;
  settings.url = url.text;
  settings.user = url.user;
  const char* password = std::getenv("WHERRY_SOURCE_PASSWORD");
  settings.password = Secret(password == nullptr ? "" : password);
  settings.spill_directory = "/tmp";
  return settings;
}

/// Every column as it is, under its own name.
schema::TablePlanPtr plain_plan(const schema::TableDef& table) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = table.table;
  plan->target = table.table;
  for (const schema::ColumnDef& column : table.columns) {
    schema::ColumnPlan planned;
    planned.source_name = column.name;
    planned.target_name = column.name;
    planned.type = column.type;
    planned.source_type = column.native_type;
    planned.trim_blanks = column.type.blank_padded;
    plan->columns.push_back(planned);
  }
  return plan;
}

struct Read {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

Result<Read> read_table(connect::Connector& oracle, const connect::Settings& settings,
                        const schema::TableRef& wanted) {
  OpContext context;
  WHERRY_ASSIGN(auto catalog, oracle.open_catalog(context, settings));
  WHERRY_ASSIGN(auto tables, catalog->describe_tables(context, {{wanted.schema}}));
  for (const schema::TableDef& table : tables) {
    if (!(table.table == wanted)) continue;
    WHERRY_ASSIGN(auto snapshot, oracle.open_snapshot(context, settings, Position{}));
    WHERRY_ASSIGN(auto chunks, snapshot->plan(context, table, connect::ChunkHints{}));
    Read read;
    RowBatch batch;
    for (const connect::Chunk& chunk : chunks) {
      WHERRY_ASSIGN(auto reader,
                    snapshot->open(context, plain_plan(table), chunk, connect::RowOrder::kAny));
      for (auto state = connect::ReadState::kMore; state == connect::ReadState::kMore;) {
        WHERRY_ASSIGN(state, reader->read(context, batch));
        read.rows += batch.row_count();
        read.bytes += batch.used_bytes();
      }
    }
    return read;
  }
  return make_error(ErrorKind::kSchema, "bench.no_table", "no such table: " + to_text(wanted),
                    "create it first");
}

Result<Read> run(const std::string& url, const schema::TableRef& table) {
  WHERRY_ASSIGN(const connect::Settings settings, settings_of(url));
  const auto oracle = oracle::make_connector();
  return read_table(*oracle, settings, table);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: fetch_bench oracle://user@host:port/service SCHEMA TABLE\n", stderr);
    return 2;
  }
  const auto started = std::chrono::steady_clock::now();
  const auto read = run(argv[1], {argv[2], argv[3]});
  if (!read.ok()) {
    std::fprintf(stderr, "%s\n", read.error().to_paragraph().c_str());
    return 1;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"rows\":%llu,\"bytes\":%llu,\"cpu_seconds\":%.3f,\"wall_seconds\":%.3f,"
      "\"peak_rss_mib\":%.1f}\n",
      static_cast<unsigned long long>(read->rows), static_cast<unsigned long long>(read->bytes),
      cpu_seconds(usage), wall.count(), static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}
