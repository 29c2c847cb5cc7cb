#include "connect/postgres/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "connect/postgres/change_source.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/control_tables.h"
#include "connect/postgres/grants.h"
#include "connect/postgres/hindrances.h"
#include "connect/postgres/privileges.h"
#include "connect/postgres/probes.h"

namespace wherry::postgres {
namespace {

using connect::Assessment;
using connect::AssessmentFinding;
using connect::Assessments;
using connect::PreflightRequest;
using connect::Role;
using connect::Verdict;

void append(Assessments& to, Assessments from) {
  for (Assessment& each : from) to.push_back(std::move(each));
}

connect::AskProbe asker(OpContext& context, Connection& connection) {
  return [&](std::string_view sql) -> Result<std::vector<connect::ProbeRow>> {
    WHERRY_ASSIGN(const Rows rows,
                  connection.query(context, "cannot look at the server", std::string(sql)));
    std::vector<connect::ProbeRow> out;
    for (int r = 0; r < rows.count(); ++r) {
      const auto text = [&](int column) { return std::string(rows.text(r, column)); };
      out.push_back({text(0), text(1), text(2), text(3), text(4)});
    }
    return out;
  };
}

/// Sessions that the task holds at once, and what is left of the server's.
Result<Assessment> assess_connections(OpContext& context, Connection& connection, Role role,
                                      const PreflightRequest& request) {
  constexpr std::string_view kName = "wherry-check-connections";
  constexpr std::string_view kText = "the server has room for the task's sessions";
  constexpr std::uint32_t kBeside = 4;  // catalogue, control tables, the log, its position
  std::uint32_t needed = kBeside;
  if (request.has_load) needed += request.subtasks;
  if (request.has_changes && role == connect::kTarget) needed += request.lanes;
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, "cannot count the sessions",
                                 "select current_setting('max_connections')::int - "
                                 "current_setting('superuser_reserved_connections')::int, "
                                 "(select count(*) from pg_stat_activity "
                                 "where backend_type = 'client backend') - 1"));
  const std::int64_t most = rows.integer(0, 0), used = rows.integer(0, 1);
  std::vector<AssessmentFinding> findings;
  if (used + needed > most) {
    findings.push_back(
        {{},
         fmt::format("{} of {} are in use, and the task may want {}", used, most, needed),
         fmt::format("alter system set max_connections = {}; then restart the server; or lower "
                     "MaxFullLoadSubTasks and ParallelApplyThreads",
                     used + needed + 10)});
  }
  return connect::assessment_of(kName, kText, Verdict::kFailed, std::move(findings));
}

/// What the probes of the server and of its tables say already.
bool is_said(const Error& error) {
  constexpr std::array kSaid = {"postgres.wal_level",          "postgres.standby",
                                "postgres.no_free_slot",       "postgres.no_free_sender",
                                "postgres.not_logged",         "postgres.no_replication_privilege",
                                "postgres.no_replica_identity"};
  return std::find(kSaid.begin(), kSaid.end(), error.code) != kSaid.end();
}

class PostgresPreflight final : public connect::Preflight {
 public:
  explicit PostgresPreflight(ConnectionSettings settings) : settings_(std::move(settings)) {}

  Result<Assessments> assess(OpContext& context, Role role,
                             const PreflightRequest& request) override {
    WHERRY_ASSIGN(const auto connection, Connection::open(context, settings_));
    const bool is_source = role == connect::kSource;
    WHERRY_ASSIGN(Assessments out,
                  connect::run_probes(is_source ? source_probes() : target_probes(), role, request,
                                      connection->server_version(), asker(context, *connection)));
    WHERRY_ASSIGN(Assessment room, assess_connections(context, *connection, role, request));
    out.push_back(std::move(room));
    if (!is_source) WHERRY_TRY(assess_loading(context, *connection, request, out));
    if (is_source && request.has_changes) WHERRY_TRY(assess_changes(context, request, out));
    append(out, connect::skipped(is_source ? needless_source_assessments()
                                           : needless_target_assessments()));
    return out;
  }

  Result<std::vector<std::string>> grants(OpContext& context, Role role,
                                          const PreflightRequest& request) override {
    WHERRY_ASSIGN(const auto connection, Connection::open(context, settings_));
    std::string grantee = request.grantee;
    if (grantee.empty()) {
      WHERRY_ASSIGN(const Rows rows, connection->query(context, "cannot read the user's name",
                                                       "select current_user"));
      grantee = rows.text(0, 0);
    }
    if (role == connect::kTarget) return target_grants(context, *connection, request, grantee);
    return source_grants(context, *connection, request, grantee,
                         settings_.changes.publication_name.empty());
  }

 private:
  /// What the source of changes itself finds missing.
  Result<void> assess_changes(OpContext& context, const PreflightRequest& request,
                              Assessments& out) {
    connect::StreamRequest wanted;
    wanted.task_name = request.task_name;
    for (const schema::TablePlanPtr& plan : request.tables) {
      wanted.tables.push_back(schema::read_plan(plan));
    }
    std::vector<AssessmentFinding> findings;
    Verdict verdict = Verdict::kWarning;
    const auto refuse = [&](const std::string& object, const Error& error) {
      if (is_said(error)) return;
      verdict = Verdict::kFailed;
      findings.push_back({object, error.message, error.hint});
    };
    const auto advice = make_change_source(settings_)->examine(context, wanted);
    if (!advice.ok()) {
      const ErrorKind kind = advice.error().kind;
      if (kind == ErrorKind::kTransient || kind == ErrorKind::kCancelled) return advice.error();
      refuse({}, advice.error());
    } else {
      for (std::size_t i = 0; i < wanted.tables.size(); ++i) {
        const std::string name = schema::to_text(wanted.tables[i]->source);
        const connect::StreamAdvice::Table& table = advice->tables.at(i);
        if (table.refused) refuse(name, *table.refused);
        for (const std::string& warning : table.warnings) findings.push_back({name, warning});
      }
    }
    out.push_back(connect::assessment_of("wherry-check-changes",
                                         "the changes of every table can be published and read",
                                         verdict, std::move(findings)));
    return {};
  }

  /// What the target does to rows on their way in, and whether the user may bring them.
  Result<void> assess_loading(OpContext& context, Connection& connection,
                              const PreflightRequest& request, Assessments& out) {
    WHERRY_ASSIGN(const bool may_be_replica, may_load_as_replica(context, connection));
    const bool is_replica = may_be_replica && settings_.loads_as_replica;
    assess_role(connection, may_be_replica, out);
    WHERRY_TRY(assess_hindrances(context, connection, request, is_replica, out));
    WHERRY_TRY(assess_control_schema(context, connection, request, out));
    const auto may = check_privileges(context, connection, request.tables, request.existing);
    std::vector<AssessmentFinding> findings;
    if (!may.ok()) {
      if (may.error().kind != ErrorKind::kPermission) return may.error();
      findings.push_back({{}, may.error().message, may.error().hint});
    }
    out.push_back(connect::assessment_of("postgres-check-target-privileges",
                                         "the user may make and fill the target tables",
                                         Verdict::kFailed, std::move(findings)));
    return {};
  }

  static Result<void> assess_control_schema(OpContext& context, Connection& connection,
                                            const PreflightRequest& request, Assessments& out) {
    const std::string schema =
        request.control.schema.empty() ? kDefaultControlSchema : request.control.schema;
    WHERRY_ASSIGN(
        const Rows rows,
        connection.query(
            context, "cannot look at the control schema",
            "select case when exists (select from pg_namespace where nspname = $1) "
            "then has_schema_privilege($1, 'CREATE') and has_schema_privilege($1, 'USAGE') "
            "else has_database_privilege(current_database(), 'CREATE') end, "
            "case when exists (select from pg_namespace where nspname = $1) "
            "then format('grant usage, create on schema %I to %I', $1, current_user) "
            "else format('create schema %I authorization %I', $1, current_user) end",
            std::array{schema}));
    std::vector<AssessmentFinding> findings;
    if (!rows.boolean(0, 0)) {
      findings.push_back(
          {schema, "the user may not make tables there", std::string(rows.text(0, 1))});
    }
    out.push_back(connect::assessment_of(
        "wherry-check-control-schema",
        "the user may make the task's own tables on the target (ControlSchema)", Verdict::kFailed,
        std::move(findings)));
    return {};
  }

  void assess_role(const Connection& connection, bool may_be_replica, Assessments& out) const {
    constexpr int kHasParameterGrants = 150000;
    std::vector<AssessmentFinding> findings;
    if (!may_be_replica) {
      findings.push_back(
          {{},
           "the user may not set it: foreign keys and triggers of the target work on the rows",
           connection.server_version() >= kHasParameterGrants
               ? "grant set on parameter session_replication_role to the user"
               : "let a superuser load, or use the scripts of `wherry scripts`"});
    }
    out.push_back(connect::assessment_of("postgres-check-session-replication-role",
                                         "the user may set session_replication_role = replica",
                                         Verdict::kWarning, std::move(findings)));
  }

  static Result<void> assess_hindrances(OpContext& context, Connection& connection,
                                        const PreflightRequest& request, bool is_replica,
                                        Assessments& out) {
    constexpr std::string_view kRemedy =
        "run disable.sql of `wherry scripts` before the load, and enable.sql after it";
    std::set<std::string> schemas;
    std::set<schema::TableRef> tables;
    for (const schema::TablePlanPtr& plan : request.tables) {
      schemas.insert(plan->target.schema);
      tables.insert(plan->target);
    }
    const bool truncates = request.existing == connect::ExistingTable::kTruncate;
    std::vector<AssessmentFinding> keys, triggers, references;
    if (request.existing != connect::ExistingTable::kDrop) {
      WHERRY_ASSIGN(
          const auto found,
          read_hindrances(context, connection, {schemas.begin(), schemas.end()}, is_replica));
      for (const auto& [table, each] : found) {
        if (!tables.contains(table)) continue;
        const std::string name = schema::to_text(table);
        if (!each.foreign_keys.empty()) {
          keys.push_back({name, each.foreign_keys, std::string(kRemedy)});
        }
        if (!each.triggers.empty()) {
          triggers.push_back({name, each.triggers, std::string(kRemedy)});
        }
        if (truncates && !each.references.empty()) {
          references.push_back({name, each.references, std::string(kRemedy)});
        }
      }
    }
    out.push_back(connect::assessment_of(
        "wherry-check-target-foreign-keys",
        "no foreign key of a table that is there is checked while rows come in any order",
        Verdict::kWarning, std::move(keys)));
    out.push_back(connect::assessment_of(
        "wherry-check-target-triggers",
        "no trigger of a table that is there fires for rows that the source's have fired for",
        Verdict::kWarning, std::move(triggers)));
    out.push_back(connect::assessment_of(
        "wherry-check-target-truncate",
        "no foreign key of another table forbids to truncate one (TRUNCATE_BEFORE_LOAD)",
        Verdict::kFailed, std::move(references)));
    return {};
  }

  const ConnectionSettings settings_;
};

}  // namespace

std::unique_ptr<connect::Preflight> make_preflight(ConnectionSettings settings) {
  return std::make_unique<PostgresPreflight>(std::move(settings));
}

}  // namespace wherry::postgres
