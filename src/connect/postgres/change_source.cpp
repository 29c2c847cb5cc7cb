#include "connect/postgres/change_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <random>
#include <set>

#include "connect/postgres/change_tables.h"
#include "connect/postgres/changes.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/log_position.h"
#include "connect/postgres/publication.h"
#include "connect/postgres/replication.h"
#include "connect/postgres/slot.h"
#include "connect/postgres/snapshot.h"
#include "connect/postgres/source_artefacts.h"
#include "connect/postgres/start_time.h"
#include "connect/postgres/value_reader.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::StreamAdvice;
using connect::StreamRequest;
using connect::StreamStart;

constexpr std::string_view kPublishing = "cannot publish the tables";
constexpr int kOldestSource = 120000;

// One row of what the server is set to and what the user may do.
constexpr const char* kServerState = R"(
select pg_catalog.current_setting('wal_level'),
       pg_catalog.current_setting('max_replication_slots')::int -
         (select pg_catalog.count(*) from pg_catalog.pg_replication_slots),
       pg_catalog.current_setting('max_wal_senders')::int -
         (select pg_catalog.count(*) from pg_catalog.pg_stat_replication),
       (select setting::bigint from pg_catalog.pg_settings where name = 'wal_sender_timeout'),
       r.rolsuper or r.rolreplication or exists (select from pg_catalog.pg_roles g
         where g.rolname = 'rds_replication' and pg_catalog.pg_has_role(g.oid, 'USAGE')),
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
       pg_catalog.pg_is_in_recovery(), r.rolname, pg_catalog.current_database(),
       coalesce((select setting::bigint from pg_catalog.pg_settings
                  where name = 'max_slot_wal_keep_size'), -1),
       (select pg_catalog.current_setting(name) from pg_catalog.pg_settings
         where name = 'idle_replication_slot_timeout' and setting <> '0')
  from pg_catalog.pg_roles r where r.rolname = current_user)";

struct ServerState {
  std::string wal_level, user, database, idle_slot_timeout;
  std::int64_t free_slots = 0, free_senders = 0, sender_timeout_ms = 0, slot_keep_mb = -1;
  bool may_replicate = false, may_create = false, is_standby = false;
};

Result<ServerState> read_server_state(OpContext& context, Connection& connection) {
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, "cannot look at the source", kServerState));
  ServerState out;
  out.wal_level = rows.text(0, 0);
  out.free_slots = rows.integer(0, 1);
  out.free_senders = rows.integer(0, 2);
  out.sender_timeout_ms = rows.integer(0, 3);
  out.may_replicate = rows.boolean(0, 4);
  out.may_create = rows.boolean(0, 5);
  out.is_standby = rows.boolean(0, 6);
  out.user = rows.text(0, 7);
  out.database = rows.text(0, 8);
  out.slot_keep_mb = rows.integer(0, 9);
  out.idle_slot_timeout = rows.text(0, 10);
  return out;
}

/// What no table's changes can be had without.
Result<void> check_server(const ServerState& server, bool has_slot, bool is_publisher) {
  if (server.wal_level != "logical") {
    return make_error(ErrorKind::kConfig, "postgres.wal_level",
                      "the source's log has no logical changes: wal_level is " + server.wal_level,
                      "alter system set wal_level = logical, then restart the server (RDS: "
                      "rds.logical_replication = 1)");
  }
  if (server.is_standby) {
    return make_error(ErrorKind::kConfig, "postgres.standby",
                      "the source is a standby, where nothing can be published",
                      "Name the primary server");
  }
  if (!server.may_replicate) {
    return make_error(ErrorKind::kPermission, "postgres.no_replication_privilege",
                      server.user + " may not read the source's log",
                      fmt::format("alter role \"{0}\" replication (RDS: grant rds_replication to "
                                  "\"{0}\")",
                                  server.user));
  }
  if (!server.may_create && is_publisher) {
    return make_error(
        ErrorKind::kPermission, "postgres.privilege_missing",
        server.user + " may not make a publication in database " + server.database,
        fmt::format("grant create on database \"{}\" to \"{}\"", server.database, server.user));
  }
  if (server.free_slots <= 0 && !has_slot) {
    return make_error(ErrorKind::kConfig, "postgres.no_free_slot",
                      "the source has no free replication slot",
                      "Raise max_replication_slots and restart the server, or drop slots that "
                      "nobody uses");
  }
  if (server.free_senders <= 0) {
    return make_error(ErrorKind::kConfig, "postgres.no_free_sender",
                      "the source has no free walsender",
                      "Raise max_wal_senders and restart the server");
  }
  return {};
}

void warn_of_server(const ServerState& server, std::vector<std::string>& warnings) {
  constexpr std::int64_t kShortTimeout = 10'000;
  if (server.sender_timeout_ms > 0 && server.sender_timeout_ms < kShortTimeout) {
    warnings.push_back(
        fmt::format("the source ends connections that are silent for {} ms: set "
                    "wal_sender_timeout to 10 s or more",
                    server.sender_timeout_ms));
  }
  if (server.slot_keep_mb >= 0) {
    warnings.push_back(
        fmt::format("the source throws its log away once a task is {} MB behind "
                    "(max_slot_wal_keep_size); all tables must then be loaded again",
                    server.slot_keep_mb));
  }
  if (!server.idle_slot_timeout.empty()) {
    warnings.push_back(
        fmt::format("the source gives up the slot of a task that is stopped for {} "
                    "(idle_replication_slot_timeout); all tables must then be loaded again",
                    server.idle_slot_timeout));
  }
}

/// `"schema"."table"`, as quote_table() writes it.
std::optional<schema::TableRef> read_quoted_table(std::string_view text) {
  std::array<std::string, 2> names;
  for (std::string& name : names) {
    if (&name != names.data()) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
    if (!text.starts_with('"')) return std::nullopt;
    text.remove_prefix(1);
    for (;;) {
      const std::size_t quote = text.find('"');
      if (quote == std::string_view::npos) return std::nullopt;
      name += text.substr(0, quote);
      text.remove_prefix(quote + 1);
      if (!text.starts_with('"')) break;
      name += '"';
      text.remove_prefix(1);
    }
  }
  if (!text.empty()) return std::nullopt;
  return schema::TableRef{names[0], names[1]};
}

class PostgresChangeSource : public connect::ChangeSource {
 public:
  explicit PostgresChangeSource(ConnectionSettings settings) : settings_(std::move(settings)) {}

  Result<StreamAdvice> examine(OpContext& context, const StreamRequest& request) override {
    WHERRY_ASSIGN(const auto connection, log_in(context));
    return advise(context, *connection, request);
  }

  Result<StreamStart> prepare(OpContext& context, const StreamRequest& request) override {
    WHERRY_ASSIGN(const auto connection, log_in(context));
    WHERRY_ASSIGN(const StreamAdvice advice, advise(context, *connection, request));
    for (const StreamAdvice::Table& table : advice.tables) {
      if (table.refused) return *table.refused;
    }
    if (!settings_.changes.slot_name.empty()) return use_named_slot(context, *connection);
    const std::string name = slot_name_for(request.task_name);
    WHERRY_TRY(drop_slot(context, *connection, name));
    if (is_publisher()) WHERRY_TRY(drop_publication(context, *connection, name));
    bool tells_ddl = false;
    if (settings_.changes.captures_ddl && is_publisher()) {
      WHERRY_ASSIGN(tells_ddl, make_ddl_artefacts(context, *connection, settings_.changes));
    }
    if (settings_.changes.has_heartbeat) {
      WHERRY_TRY(make_heartbeat_table(context, *connection, settings_.changes));
    }
    if (is_publisher()) WHERRY_TRY(publish(context, *connection, name, request, tells_ddl));
    return make_slot(context, name);
  }

  /// A slot that goes with its session, for the snapshot that comes with it.
  Result<StreamStart> anchor(OpContext& context, const StreamRequest& request) override {
    std::random_device random;
    const std::string name =
        slot_name_for(fmt::format("{} anchor {:08x}", request.task_name, random()));
    return make_slot(context, name, /*is_temporary=*/true);
  }

  Result<StreamAdvice> include(OpContext& context, const StreamRequest& request) override {
    WHERRY_ASSIGN(const auto connection, log_in(context));
    const std::vector<schema::TableRef> tables = sources_of(request.tables);
    WHERRY_ASSIGN(const auto found, find_source_tables(context, *connection, tables));
    StreamAdvice out;
    for (std::size_t i = 0; i < found.size(); ++i) {
      out.tables.push_back(advise_on(found[i], *request.tables[i], tables,
                                     connection->server_version(), is_publisher()));
      out.tables.back().is_gone = found[i].oid == 0;
    }
    if (!is_publisher()) {
      WHERRY_TRY(check_publication(context, *connection, settings_.changes.publication_name,
                                   request.tables, out));
      return out;
    }
    std::vector<SourceTable> wanted;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!out.tables[i].refused) wanted.push_back(found[i]);
    }
    WHERRY_TRY(add_to_publication(context, *connection, slot_name_for(request.task_name), wanted));
    return out;
  }

  Result<std::unique_ptr<connect::ChangeStream>> open(OpContext& context,
                                                      const StreamRequest& request) override {
    const std::string own = slot_name_for(request.task_name);
    StreamNames names;
    if (is_publisher()) {
      WHERRY_ASSIGN(const auto connection, log_in(context));
      WHERRY_TRY(correct_publication(context, *connection, own, request));
      WHERRY_ASSIGN(names.tables, read_note(context, *connection, own));
      names.is_own = true;
    }
    names.slot = settings_.changes.slot_name.empty() ? own : settings_.changes.slot_name;
    names.publication = is_publisher() ? own : settings_.changes.publication_name;
    return make_change_stream(settings_, request, std::move(names));
  }

  Result<std::unique_ptr<connect::ValueReader>> read_values(
      OpContext& context, const connect::ValuesRequest& request) override {
    WHERRY_ASSIGN(auto connection, Connection::open(context, settings_));
    return open_value_reader(context, std::move(connection), request);
  }

  Result<Position> parse_position(OpContext& context, std::string_view text) override {
    const Position as_is{std::string(text)};
    if (read_position(as_is)) return as_is;
    std::optional<wire::Lsn> lsn = find_lsn(text);
    if (!lsn) {
      WHERRY_ASSIGN(lsn, find_time(context, std::string(text)));
    }
    WHERRY_ASSIGN(const auto link, ReplicationLink::open(context, settings_));
    WHERRY_ASSIGN(LogPosition position, identify_system(context, link->session()));
    position.lsn = *lsn;
    return to_position(position);
  }

  Result<connect::CommitOrder> order_of(const Position& position) override {
    WHERRY_ASSIGN(const LogPosition place, read_position(position));
    return order_before(place.lsn);
  }

  [[nodiscard]] std::string order_text(connect::CommitOrder order) const override {
    return lsn_text(order);
  }

  Result<void> forget(OpContext& context, const std::string& task_name) override {
    const std::string name = slot_name_for(task_name);
    auto done = remove(context, name);
    if (done.ok()) return done;
    Error error = std::move(done).error();
    error.hint += (error.hint.empty() ? "" : "; or ") +
                  fmt::format(
                      "remove by hand, in the source database: select "
                      "pg_drop_replication_slot('{0}'); drop publication \"{0}\"",
                      name);
    return error;
  }

 private:
  Result<void> remove(OpContext& context, const std::string& name) {
    WHERRY_ASSIGN(const auto connection, log_in(context));
    WHERRY_TRY(drop_slot(context, *connection, name));
    WHERRY_TRY(drop_publication(context, *connection, name));
    return remove_artefacts(context, *connection, settings_.changes);
  }

  Result<wire::Lsn> find_time(OpContext& context, const std::string& time) {
    const ChangeSettings& own = settings_.changes;
    if (own.slot_name.empty() || own.publication_name.empty()) {
      return make_error(ErrorKind::kConfig, "postgres.bad_position",
                        "'" + time + "' is no place in PostgreSQL's log",
                        "Use an LSN such as 16/B374D848 together with the endpoint's SlotName; a "
                        "time takes a SlotName and a PublicationName, both older than it");
    }
    WHERRY_ASSIGN(const auto connection, log_in(context));
    return find_start_time(context, *connection, {own.slot_name, own.publication_name}, time);
  }

  [[nodiscard]] bool is_publisher() const { return settings_.changes.publication_name.empty(); }

  Result<std::unique_ptr<Connection>> log_in(OpContext& context) {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(context, settings_));
    if (connection->server_version() < kOldestSource) {
      return make_error(ErrorKind::kUnsupported, "postgres.old_version",
                        "PostgreSQL " + connection->parameter("server_version") + " is too old",
                        "Use PostgreSQL 12 or later");
    }
    return connection;
  }

  Result<StreamAdvice> advise(OpContext& context, Connection& connection,
                              const StreamRequest& request) {
    WHERRY_ASSIGN(const ServerState server, read_server_state(context, connection));
    const ChangeSettings& own = settings_.changes;
    const std::string slot =
        own.slot_name.empty() ? slot_name_for(request.task_name) : own.slot_name;
    WHERRY_ASSIGN(const auto state, find_slot(context, connection, slot));
    WHERRY_TRY(check_server(server, state.has_value(), is_publisher()));
    if (!own.slot_name.empty()) WHERRY_TRY(check_slot(state, slot, server.database));
    StreamAdvice out;
    warn_of_server(server, out.warnings);
    const std::vector<schema::TableRef> tables = sources_of(request.tables);
    WHERRY_ASSIGN(const auto found, find_source_tables(context, connection, tables));
    for (std::size_t i = 0; i < found.size(); ++i) {
      out.tables.push_back(advise_on(found[i], *request.tables[i], tables,
                                     connection.server_version(), is_publisher()));
    }
    if (!is_publisher()) {
      WHERRY_TRY(check_publication(context, connection, own.publication_name, request.tables, out));
    } else if (own.captures_ddl) {
      WHERRY_TRY(warn_of_ddl(context, connection, out));
    }
    return out;
  }

  Result<void> warn_of_ddl(OpContext& context, Connection& connection, StreamAdvice& out) {
    WHERRY_ASSIGN(const bool is_there, has_ddl_artefacts(context, connection, settings_.changes));
    if (is_there) return {};
    WHERRY_ASSIGN(const Rows rows,
                  connection.query(context, "cannot look at the source",
                                   "select rolsuper or exists (select from pg_catalog.pg_roles g "
                                   "where g.rolname = 'rds_superuser' and "
                                   "pg_catalog.pg_has_role(g.oid, 'USAGE')) "
                                   "from pg_catalog.pg_roles where rolname = current_user"));
    if (rows.boolean(0, 0)) return {};
    out.warnings.emplace_back(
        "tables that are made or dropped at the source go unseen: only a superuser can make the "
        "event trigger that tells of them (CaptureDdls)");
    return {};
  }

  static Result<void> check_slot(const std::optional<SlotState>& state, const std::string& slot,
                                 const std::string& database) {
    if (!state) {
      return make_error(ErrorKind::kPositionLost, "postgres.slot_missing",
                        "the source has no replication slot " + slot,
                        "Check SlotName; when the slot was dropped, load the tables again");
    }
    if (!state->is_logical || state->plugin != "pgoutput" || state->database != database) {
      return make_error(ErrorKind::kConfig, "postgres.slot_unusable",
                        fmt::format("the replication slot {} is not for changes of database {} "
                                    "through pgoutput",
                                    slot, database),
                        fmt::format("select pg_create_logical_replication_slot('{}', 'pgoutput') "
                                    "in that database, under a name that is free",
                                    slot));
    }
    return {};
  }

  /// A named slot has no snapshot: what a load would read does not fit its position.
  Result<StreamStart> use_named_slot(OpContext& context, Connection& connection) {
    const std::string& slot = settings_.changes.slot_name;
    WHERRY_ASSIGN(const auto state, find_slot(context, connection, slot));
    WHERRY_ASSIGN(const auto link, ReplicationLink::open(context, settings_));
    WHERRY_ASSIGN(LogPosition position, identify_system(context, link->session()));
    position.lsn = state->confirmed_lsn;
    StreamStart out;
    out.position = to_position(position);
    out.order = order_before(position.lsn);
    return out;
  }

  static Result<void> drop_publication(OpContext& context, Connection& connection,
                                       const std::string& name) {
    return connection.execute(context, "cannot drop the publication",
                              "drop publication if exists " + *schema::quote_identifier(name));
  }

  Result<std::string> quoted_list(const StreamRequest& request, bool tells_ddl) {
    std::string out;
    const auto add = [&out](const std::string& name) {
      out += (out.empty() ? "only " : ", only ") + name;
    };
    for (const schema::TablePlanPtr& plan : request.tables) {
      WHERRY_ASSIGN(const std::string name, schema::quote_table(plan->source));
      add(name);
    }
    if (tells_ddl) {
      WHERRY_ASSIGN(const std::string name, schema::quote_table({settings_.changes.ddl_schema,
                                                                 std::string(kDdlAuditTable)}));
      add(name);
    }
    return out;
  }

  Result<void> publish(OpContext& context, Connection& connection, const std::string& name,
                       const StreamRequest& request, bool tells_ddl) {
    WHERRY_ASSIGN(const std::string tables, quoted_list(request, tells_ddl));
    std::string sql = "create publication " + *schema::quote_identifier(name);
    if (!tables.empty()) sql += " for table " + tables;
    sql += " with (publish = 'insert, update, delete, truncate'";
    if (connection.server_version() >= 130000) sql += ", publish_via_partition_root = true";
    WHERRY_TRY(connection.execute(context, kPublishing, sql + ")"));
    const std::vector<schema::TableRef> all = sources_of(request.tables);
    WHERRY_ASSIGN(const auto found, find_source_tables(context, connection, all));
    return add_note(context, connection, name, found);
  }

  /// The publication's comment has the tables by OID, a line each: tables may be renamed.
  static Result<std::string> note_of(OpContext& context, Connection& connection,
                                     const std::string& name) {
    const std::array parameters = {name};
    WHERRY_ASSIGN(const Rows rows,
                  connection.query(context, kPublishing,
                                   "select pg_catalog.obj_description(oid, 'pg_publication') "
                                   "from pg_catalog.pg_publication where pubname = $1",
                                   parameters));
    return std::string(rows.count() == 0 ? "" : rows.text(0, 0));
  }

  static Result<void> add_note(OpContext& context, Connection& connection, const std::string& name,
                               const std::vector<SourceTable>& tables) {
    WHERRY_ASSIGN(std::string note, note_of(context, connection, name));
    for (const SourceTable& table : tables) {
      WHERRY_ASSIGN(const std::string quoted, schema::quote_table(table.table));
      note += fmt::format("{} {}\n", table.oid, quoted);
    }
    return connection.execute(context, kPublishing,
                              "comment on publication " + *schema::quote_identifier(name) + " is " +
                                  schema::quote_literal(note));
  }

  static Result<std::map<std::uint32_t, schema::TableRef>> read_note(OpContext& context,
                                                                     Connection& connection,
                                                                     const std::string& name) {
    WHERRY_ASSIGN(const std::string note, note_of(context, connection, name));
    std::map<std::uint32_t, schema::TableRef> out;
    for (std::string_view rest = note; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      std::uint32_t oid = 0;
      const auto [end, status] = std::from_chars(line.data(), line.data() + line.size(), oid);
      if (status != std::errc{} || end == line.data() + line.size()) continue;
      const auto table =
          read_quoted_table(line.substr(static_cast<std::size_t>(end - line.data()) + 1));
      if (table) out[oid] = *table;
    }
    return out;
  }

  /// A task may have tables that came after its publication was made; what it has no more is left
  /// out by the stream.
  Result<void> correct_publication(OpContext& context, Connection& connection,
                                   const std::string& name, const StreamRequest& request) {
    const std::array parameters = {name};
    WHERRY_ASSIGN(const Rows rows,
                  connection.query(context, kPublishing,
                                   "select r.prrelid from pg_catalog.pg_publication p "
                                   "left join pg_catalog.pg_publication_rel r on r.prpubid = p.oid "
                                   "where p.pubname = $1",
                                   parameters));
    if (rows.count() == 0) return {};  // start() says what that means
    std::set<std::int64_t> published;
    for (int i = 0; i < rows.count(); ++i) published.insert(rows.integer(i, 0));
    const std::vector<schema::TableRef> tables = sources_of(request.tables);
    WHERRY_ASSIGN(const auto found, find_source_tables(context, connection, tables));
    std::vector<SourceTable> missing;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i].oid == 0 || published.contains(found[i].oid)) continue;
      auto advice =
          advise_on(found[i], *request.tables[i], tables, connection.server_version(), true);
      if (advice.refused) return std::move(*advice.refused);
      missing.push_back(found[i]);
    }
    return add_to_publication(context, connection, name, missing);
  }

  /// Those that it has already stay as they are.
  static Result<void> add_to_publication(OpContext& context, Connection& connection,
                                         const std::string& name,
                                         const std::vector<SourceTable>& tables) {
    WHERRY_ASSIGN(const auto known, read_note(context, connection, name));
    std::vector<SourceTable> added;
    for (const SourceTable& table : tables) {
      WHERRY_ASSIGN(const std::string quoted, schema::quote_table(table.table));
      auto done = connection.execute(
          context, kPublishing,
          "alter publication " + *schema::quote_identifier(name) + " add table only " + quoted);
      constexpr std::string_view kDuplicateObject = "42710";
      if (!done.ok() && done.error().native_code != kDuplicateObject) return done;
      if (!known.contains(table.oid)) added.push_back(table);
    }
    return added.empty() ? Result<void>() : add_note(context, connection, name, added);
  }

  /// The session that makes the slot keeps its snapshot for as long as it stays as it is.
  Result<StreamStart> make_slot(OpContext& context, const std::string& name,
                                bool is_temporary = false) {
    WHERRY_ASSIGN(std::unique_ptr<ReplicationLink> link, ReplicationLink::open(context, settings_));
    Connection& session = link->session();
    WHERRY_ASSIGN(LogPosition position, identify_system(context, session));
    const int version = session.server_version();
    // FAILOVER: on 17 and later a standby that synchronizes slots takes it over.
    const std::string sql =
        "CREATE_REPLICATION_SLOT " + *schema::quote_identifier(name) +
        (is_temporary ? " TEMPORARY" : "") + " LOGICAL pgoutput " +
        (version >= 170000 && !is_temporary ? "(SNAPSHOT 'export', FAILOVER true)"
         : version >= 150000                ? "(SNAPSHOT 'export')"
                                            : "EXPORT_SNAPSHOT");
    WHERRY_ASSIGN(const Rows rows,
                  session.command(context, "cannot make the replication slot", sql));
    const std::optional<wire::Lsn> lsn = parse_lsn(rows.text(0, 1));
    if (!lsn || rows.is_null(0, 2)) {
      return make_error(ErrorKind::kInternal, "postgres.no_snapshot",
                        "the server made a slot without a snapshot", "Please report its version");
    }
    position.lsn = *lsn;
    StreamStart out;
    out.position = to_position(position);
    out.order = order_before(*lsn);
    out.snapshot.text = std::string(kSnapshotPrefix) + std::string(rows.text(0, 2));
    out.keeper = std::shared_ptr<ReplicationLink>(std::move(link));
    return out;
  }

  const ConnectionSettings settings_;
};

}  // namespace

std::unique_ptr<connect::ChangeSource> make_change_source(ConnectionSettings settings) {
  return std::make_unique<PostgresChangeSource>(std::move(settings));
}

}  // namespace wherry::postgres
