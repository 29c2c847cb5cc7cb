// A private PostgreSQL cluster for tests, made by scripts/pg_cluster.sh: starts within seconds,
// listens on a free port of 127.0.0.1 with password logins, and is gone when the test program ends,
// however it ends. Thread-safe but for stop() and start().
#pragma once

#include <string>
#include <string_view>

namespace wherry::test {

class PgCluster {
 public:
  /// The program's own cluster, started at the first call. Aborts with the server's words when no
  /// server can be started: a test that needs one must not be skipped.
  static PgCluster& shared();

  PgCluster();
  ~PgCluster();
  PgCluster(const PgCluster&) = delete;
  PgCluster& operator=(const PgCluster&) = delete;

  /// "postgresql://wherry@127.0.0.1:PORT/DATABASE": the superuser, without the password.
  [[nodiscard]] std::string url(std::string_view database = "postgres") const;
  [[nodiscard]] const std::string& password() const { return password_; }
  [[nodiscard]] int port() const { return port_; }
  /// The cluster's own directory.
  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// A new empty database; returns its name, unlike any made before by this program.
  std::string make_database();

  void stop();   ///< immediate shutdown; the data stay
  void start();  ///< after stop(); the port changes

 private:
  std::string directory_;
  std::string password_;
  int port_ = 0;
};

}  // namespace wherry::test
