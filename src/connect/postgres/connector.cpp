#include "connect/postgres/connector.h"

#include <fmt/format.h>

#include "connect/postgres/apply.h"
#include "connect/postgres/catalog.h"
#include "connect/postgres/change_source.h"
#include "connect/postgres/connection_pool.h"
#include "connect/postgres/load.h"
#include "connect/postgres/preflight.h"
#include "connect/postgres/snapshot.h"

namespace wherry::postgres {
namespace {

/// Generated columns in the catalogue came with 12.
constexpr int kOldestVersion = 120000;

// One row: may create schemas, server encoding, is a standby, default is read only, database.
constexpr const char* kProbe = R"(
select pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
       pg_catalog.current_setting('server_encoding'),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('default_transaction_read_only') = 'on',
       pg_catalog.current_database(), current_user)";

Result<void> check_version(const Connection& connection) {
  if (connection.server_version() >= kOldestVersion) return {};
  return make_error(ErrorKind::kUnsupported, "postgres.old_version",
                    "PostgreSQL " + connection.parameter("server_version") + " is too old",
                    "Use PostgreSQL 12 or later");
}

Result<void> check_target(const Rows& row, connect::ProbeReport& report) {
  if (row.boolean(0, 2) || row.boolean(0, 3)) {
    return make_error(ErrorKind::kConfig, "postgres.read_only", "the target database is read only",
                      "Name the primary server, not a standby, and check "
                      "default_transaction_read_only")
        .with("database", row.text(0, 4));
  }
  if (!row.boolean(0, 0)) {
    report.warnings.push_back(
        fmt::format("{1} may not create schemas in database {0}: make the target schemas first, or "
                    "grant create "
                    "on database \"{0}\" to \"{1}\"",
                    row.text(0, 4), row.text(0, 5)));
  }
  if (row.text(0, 1) != "UTF8") {
    report.warnings.push_back(
        fmt::format("database {} has encoding {}: characters outside it cannot be loaded; use a "
                    "database with encoding UTF8",
                    row.text(0, 4), row.text(0, 1)));
  }
  return {};
}

class PostgresConnector : public connect::Connector {
 public:
  [[nodiscard]] const connect::ConnectorInfo& info() const override { return info_; }

  Result<connect::ProbeReport> probe(OpContext& context, const connect::Settings& settings,
                                     connect::Role role) override {
    WHERRY_ASSIGN(const ConnectionSettings own, read_settings(settings));
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(context, own));
    WHERRY_TRY(check_version(*connection));
    connect::ProbeReport report;
    report.server_version = "PostgreSQL " + connection->parameter("server_version");
    WHERRY_ASSIGN(const Rows row, connection->query(context, "cannot probe the server", kProbe));
    if (role == connect::kTarget) WHERRY_TRY(check_target(row, report));
    lot_->leave(own, std::move(connection));
    return report;
  }

  Result<std::unique_ptr<connect::Catalog>> open_catalog(
      OpContext& context, const connect::Settings& settings) override {
    WHERRY_ASSIGN(ConnectionSettings own, read_settings(settings));
    const bool shows_leaves = own.changes.shows_leaves;
    auto pool = std::make_unique<ConnectionPool>(std::move(own), lot_);
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool->acquire(context));
    WHERRY_TRY(check_version(*connection));
    pool->give_back(std::move(connection));
    return make_catalog(std::move(pool), shows_leaves);
  }

  Result<std::unique_ptr<connect::SnapshotSource>> open_snapshot(OpContext& context,
                                                                 const connect::Settings& settings,
                                                                 const Position& at) override {
    WHERRY_ASSIGN(ConnectionSettings own, read_settings(settings));
    return postgres::open_snapshot(context, std::move(own), at, lot_);
  }

  Result<std::unique_ptr<connect::TargetLoader>> open_loader(
      OpContext&, const connect::Settings& settings) override {
    WHERRY_ASSIGN(ConnectionSettings own, read_settings(settings));
    return make_loader(std::move(own), lot_);
  }

  Result<std::unique_ptr<connect::ChangeSource>> open_change_source(
      OpContext&, const connect::Settings& settings) override {
    WHERRY_ASSIGN(ConnectionSettings own, read_settings(settings));
    return make_change_source(std::move(own));
  }

  Result<std::unique_ptr<connect::TargetApply>> open_apply(
      OpContext&, const connect::Settings& settings, const connect::ApplySettings& apply) override {
    WHERRY_ASSIGN(ConnectionSettings own, read_settings(settings));
    return make_apply(std::move(own), apply);
  }

  Result<std::unique_ptr<connect::Preflight>> open_preflight(
      OpContext&, const connect::Settings& settings) override {
    WHERRY_ASSIGN(ConnectionSettings own, read_settings(settings));
    return make_preflight(std::move(own));
  }

 private:
  const connect::ConnectorInfo info_{
      "postgres",
      {"postgresql", "postgres"},
      connect::kSource | connect::kTarget | connect::kChangeSource | connect::kChangeTarget};
  const std::shared_ptr<SessionLot> lot_ = std::make_shared<SessionLot>();
};

}  // namespace

std::unique_ptr<connect::Connector> make_connector() {
  return std::make_unique<PostgresConnector>();
}

}  // namespace wherry::postgres
