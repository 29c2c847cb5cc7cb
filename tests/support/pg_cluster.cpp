#include "tests/support/pg_cluster.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace wherry::test {
namespace {

constexpr std::string_view kUser = "wherry";

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "cannot run a private PostgreSQL cluster: %s\n", why.c_str());
  std::abort();
}

/// Standard output of a command that must succeed.
std::string run(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) give_up("cannot run " + command);
  std::string out;
  std::array<char, 512> buffer;
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) {
    out += buffer.data();
  }
  if (::pclose(pipe) != 0) give_up(command + " failed");
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::string script() {
  return std::string(WHERRY_SOURCE_DIR) + "/scripts/pg_cluster.sh";
}

std::string make_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "wherry-pg-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) give_up("no temporary directory");
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  return path;
}

}  // namespace

PgCluster& PgCluster::shared() {
  static PgCluster cluster;
  return cluster;
}

PgCluster::PgCluster() : directory_(make_directory()) {
  start();
}

PgCluster::~PgCluster() {
  run("'" + script() + "' stop '" + directory_ + "'");
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void PgCluster::start() {
  const std::string url =
      run("'" + script() + "' start '" + directory_ + "' " + std::to_string(::getpid()));
  // postgresql://USER:PASSWORD@127.0.0.1:PORT/postgres
  const std::size_t scheme = url.find("://");
  const std::size_t at = url.rfind('@');
  const std::size_t colon = url.rfind(':');
  const std::size_t secret = url.find(':', scheme + 3);
  if (scheme == std::string::npos || at == std::string::npos || colon < at || secret > at) {
    give_up("the script printed no URL");
  }
  password_ = url.substr(secret + 1, at - secret - 1);
  port_ = std::atoi(url.c_str() + colon + 1);
}

std::string PgCluster::url(std::string_view database) const {
  return "postgresql://" + std::string(kUser) + "@127.0.0.1:" + std::to_string(port_) + "/" +
         std::string(database);
}

std::string PgCluster::make_database() {
  static std::atomic<int> next{0};
  const std::string name = "wherry_test_" + std::to_string(++next);
  const std::string info = "host=127.0.0.1 port=" + std::to_string(port_) +
                           " dbname=postgres user=" + std::string(kUser) + " password=" + password_;
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(info.c_str()), PQfinish);
  const std::string statement = "create database " + name;
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(connection.get(), statement.c_str()), PQclear);
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) give_up(PQerrorMessage(connection.get()));
  return name;
}

void PgCluster::stop() {
  // The script's stop removes the data; a fast end of the postmaster alone keeps them.
  std::ifstream file(directory_ + "/pgdata/postmaster.pid");
  pid_t pid = 0;
  if (!(file >> pid) || ::kill(pid, SIGQUIT) != 0) give_up("no postmaster to stop");
  while (::kill(pid, 0) == 0) ::usleep(1000);
}

}  // namespace wherry::test
