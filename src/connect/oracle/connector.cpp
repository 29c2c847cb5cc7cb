#include "connect/oracle/connector.h"

#include <fmt/format.h>

#include "connect/oracle/catalog.h"
#include "connect/oracle/changes/change_source.h"
#include "connect/oracle/preflight/preflight.h"
#include "connect/oracle/session_pool.h"
#include "connect/oracle/settings.h"
#include "connect/oracle/snapshot.h"

namespace wherry::oracle {
namespace {

/// The root of a container database has no tables to migrate.
Result<void> refuse_root(OpContext& context, Session& session) {
  if (!session.server().has_containers()) return {};
  WHERRY_ASSIGN(const auto rows,
                session.rows(context, "select sys_context('USERENV', 'CON_NAME') from dual"));
  if (rows.at(0).at(0) != "CDB$ROOT") return {};
  return make_error(ErrorKind::kConfig, "oracle.no_pdb",
                    "the endpoint's service is the root of a container database",
                    "Name the pluggable database that has the tables (PluggableDatabase=…), or use "
                    "its service");
}

class OracleConnector final : public connect::Connector {
 public:
  OracleConnector() {
    info_.name = "oracle";
    info_.schemes = {"oracle"};
    info_.roles = connect::kSource | connect::kChangeSource;
    info_.reads_lobs_apart = info_.awaits_transactions = true;
  }

  [[nodiscard]] const connect::ConnectorInfo& info() const override { return info_; }

  Result<connect::ProbeReport> probe(OpContext& context, const connect::Settings& settings,
                                     connect::Role) override {
    WHERRY_ASSIGN(const EndpointOptions options, endpoint_options(settings));
    WHERRY_ASSIGN(auto session, open_session(context, options.connect));
    connect::ProbeReport report;
    report.server_version = "Oracle Database " + session->server().version;
    report.warnings = session->server().warnings;
    static_cast<void>(session->close(context));  // nothing is lost when log-off fails
    return report;
  }

  Result<std::unique_ptr<connect::Catalog>> open_catalog(
      OpContext& context, const connect::Settings& settings) override {
    WHERRY_ASSIGN(const EndpointOptions options, endpoint_options(settings));
    WHERRY_ASSIGN(auto session, open_session(context, options.connect));
    WHERRY_TRY(refuse_root(context, *session));
    return make_catalog(std::move(session), options.number_scale, options.exposes_views);
  }

  Result<std::unique_ptr<connect::SnapshotSource>> open_snapshot(OpContext& context,
                                                                 const connect::Settings& settings,
                                                                 const Position& at) override {
    WHERRY_ASSIGN(const EndpointOptions options, endpoint_options(settings));
    return make_snapshot(context, options, at);
  }

  Result<std::unique_ptr<connect::TargetLoader>> open_loader(OpContext&,
                                                             const connect::Settings&) override {
    return make_error(ErrorKind::kUnsupported, "oracle.no_target",
                      "Oracle cannot be the target of a task yet",
                      "Use Oracle as the source and PostgreSQL as the target");
  }

  Result<std::unique_ptr<connect::ChangeSource>> open_change_source(
      OpContext&, const connect::Settings& settings) override {
    WHERRY_ASSIGN(EndpointOptions options, endpoint_options(settings));
    return make_change_source(std::move(options));
  }

  Result<std::unique_ptr<connect::Preflight>> open_preflight(
      OpContext&, const connect::Settings& settings) override {
    WHERRY_ASSIGN(EndpointOptions options, endpoint_options(settings));
    return make_preflight(std::move(options), settings.user);
  }

 private:
  connect::ConnectorInfo info_;
};

}  // namespace

std::unique_ptr<connect::Connector> make_connector() {
  return std::make_unique<OracleConnector>();
}

}  // namespace wherry::oracle
