// The limit that loads from PostgreSQL to PostgreSQL are measured against: one process that passes
// a table's binary COPY from one libpq connection to another, with FREEZE, and builds the key
// after; and gathers statistics, where that is asked for.
//
// usage: copy_relay SOURCE-URL TARGET-URL TABLE KEY-COLUMN [analyze]
// TABLE exists on the target, empty and without its key.
#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

using Connection = std::unique_ptr<PGconn, void (*)(PGconn*)>;

[[noreturn]] void fail(const char* what, PGconn* connection) {
  std::fprintf(stderr, "copy_relay: %s: %s\n", what, PQerrorMessage(connection));
  std::exit(1);
}

Connection connect_to(const char* url) {
  Connection connection(PQconnectdb(url), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) fail("cannot connect", connection.get());
  return connection;
}

void run(PGconn* connection, const std::string& sql, ExecStatusType expected) {
  PGresult* result = PQexec(connection, sql.c_str());
  const bool is_good = PQresultStatus(result) == expected;
  PQclear(result);
  if (!is_good) fail(sql.c_str(), connection);
}

void finish(PGconn* connection) {
  while (PGresult* result = PQgetResult(connection)) {
    const bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!is_good) fail("COPY", connection);
  }
}

void pass_rows(PGconn* source, PGconn* target) {
  constexpr std::size_t kSendBytes = 64 * 1024;
  std::string buffer;
  char* row = nullptr;
  for (int size = 0; (size = PQgetCopyData(source, &row, 0)) > 0; PQfreemem(row)) {
    buffer.append(row, static_cast<std::size_t>(size));
    if (buffer.size() < kSendBytes) continue;
    if (PQputCopyData(target, buffer.data(), static_cast<int>(buffer.size())) != 1) {
      fail("cannot send", target);
    }
    buffer.clear();
  }
  if (PQputCopyData(target, buffer.data(), static_cast<int>(buffer.size())) != 1 ||
      PQputCopyEnd(target, nullptr) != 1) {
    fail("cannot send", target);
  }
  finish(source);
  finish(target);
}

}  // namespace

int main(int argc, char** argv) {
  const bool gathers_statistics = argc == 6 && std::string(argv[5]) == "analyze";
  if (argc != 5 && !gathers_statistics) {
    std::fprintf(stderr, "usage: copy_relay SOURCE-URL TARGET-URL TABLE KEY-COLUMN [analyze]\n");
    return 2;
  }
  const std::string table = argv[3];
  const Connection source = connect_to(argv[1]);
  const Connection target = connect_to(argv[2]);
  run(target.get(), "begin", PGRES_COMMAND_OK);
  run(target.get(), "truncate " + table, PGRES_COMMAND_OK);
  run(target.get(), "copy " + table + " from stdin (format binary, freeze true)", PGRES_COPY_IN);
  run(source.get(), "copy " + table + " to stdout (format binary)", PGRES_COPY_OUT);
  pass_rows(source.get(), target.get());
  run(target.get(), "commit", PGRES_COMMAND_OK);
  run(target.get(), "alter table " + table + " add primary key (" + argv[4] + ")",
      PGRES_COMMAND_OK);
  if (gathers_statistics) run(target.get(), "analyze " + table, PGRES_COMMAND_OK);
  return 0;
}
