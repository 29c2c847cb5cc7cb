#include "connect/oracle/changes/change_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "connect/oracle/catalog.h"
#include "connect/oracle/changes/change_stream.h"
#include "connect/oracle/changes/open_transactions.h"
#include "connect/oracle/changes/rest.h"
#include "connect/oracle/changes/supplemental_logging.h"
#include "connect/oracle/changes/value_reader.h"
#include "connect/oracle/errors.h"
#include "connect/oracle/logminer/mining_session.h"
#include "connect/oracle/logminer/redo_position.h"
#include "connect/oracle/session_pool.h"

namespace wherry::oracle {
namespace {

using connect::StreamAdvice;
using connect::StreamRequest;
using connect::StreamStart;

/// DBMS_LOGMNR leaves out rows of tables and columns with longer names.
constexpr std::size_t kMostNameBytes = 30;

/// The definitions of a request's tables, in its order; nullopt: there is none.
using Definitions = std::vector<std::optional<schema::TableDef>>;

std::set<std::string> owners_of(const StreamRequest& request) {
  std::set<std::string> out;
  for (const schema::TablePlanPtr& plan : request.tables) out.insert(plan->source.schema);
  return out;
}

std::optional<Error> refuse_name(const schema::TableDef& table) {
  const auto is_long = [](const std::string& name) { return name.size() > kMostNameBytes; };
  std::string name;
  if (is_long(table.table.schema)) name = table.table.schema;
  if (is_long(table.table.name)) name = table.table.name;
  for (const schema::ColumnDef& column : table.columns) {
    if (is_long(column.name)) name = column.name;
  }
  if (name.empty()) return std::nullopt;
  return make_error(ErrorKind::kUnsupported, "oracle.long_name",
                    fmt::format("LogMiner does not tell changes of tables with a name of more than "
                                "{} bytes: {}",
                                kMostNameBytes, name),
                    "Take the table out of the table mappings and load it at the end "
                    "(--migration-type full-load), or rename it")
      .with("table", schema::to_text(table.table));
}

NeededLogging needed_logging(const schema::TablePlan& plan) {
  return schema::needs_whole_rows(plan) ? NeededLogging::kWholeRow : NeededLogging::kIdentity;
}

Error not_logged(const schema::TableDef& table, NeededLogging needed) {
  const bool is_whole = needed == NeededLogging::kWholeRow;
  return make_error(
             ErrorKind::kConfig, "oracle.supplemental_logging",
             is_whole ? "the redo would not have rows whole before an update, which a rule of the "
                        "table needs (a filter, an expression, or another key than the source's)"
                      : "the redo would not say which row an update means",
             logging_statement(table, needed) +
                 "; or set the endpoint's AddSupplementalLogging to true")
      .with("table", schema::to_text(table.table));
}

/// Supplemental logging has no large objects: an update that leaves one does not show it (Oracle
/// Database Utilities, "Supplemental Logging").
std::optional<Error> refuse_unlogged(const schema::TableDef& table, const schema::TablePlan& plan) {
  const auto refusal = [&](const std::string& column, const char* who) {
    return make_error(ErrorKind::kSchema, "oracle.not_in_redo",
                      fmt::format("{} asks for a large object, and the redo of a row that is "
                                  "changed does not have those that the change leaves",
                                  who),
                      "Ask for another column, or use --migration-type full-load")
        .with("table", schema::to_text(table.table))
        .with("column", column);
  };
  for (const schema::ColumnPlan& column : plan.columns) {
    const bool is_missing = column.asked != schema::Asked::kNot && schema::is_lob(column.type);
    if (is_missing) return refusal(column.source_name, "an expression");
  }
  if (plan.filter == nullptr) return std::nullopt;
  for (const schema::ColumnFilter& filter : *plan.filter) {
    if (schema::is_lob(filter.type)) return refusal(filter.column, "a filter");
  }
  return std::nullopt;
}

Error gone(const schema::TableRef& table) {
  return make_error(ErrorKind::kSchema, "oracle.no_table", "the source has no such table",
                    "Check the table mappings, and that the user may read the table")
      .with("table", schema::to_text(table));
}

/// That a log is needed for the oldest open transaction, and is not there.
Error lost_transaction(const MissingLog& log, const OpenTransaction* oldest) {
  Error error = missing_log_error(log);
  error.kind = ErrorKind::kConfig;
  error.code = "oracle.transaction_too_old";
  if (oldest != nullptr) {
    error.message = fmt::format("{} began at SCN {}, and {}", to_text(*oldest), oldest->start_scn,
                                error.message);
    error.hint = "End that transaction, or bring the log back, then start the task again";
  }
  return error;
}

class OracleChangeSource final : public connect::ChangeSource {
 public:
  explicit OracleChangeSource(EndpointOptions options) : options_(std::move(options)) {}

  Result<StreamAdvice> examine(OpContext& context, const StreamRequest& request) override {
    WHERRY_ASSIGN(const auto session, open_session(context, options_.connect));
    WHERRY_ASSIGN(const DatabaseLogging database, read_database_logging(context, *session));
    WHERRY_TRY(check_database(database));
    WHERRY_TRY(check_miner(context));
    WHERRY_ASSIGN(StreamAdvice out, advise(context, *session, request, database));
    if (!database.is_forced) {
      out.warnings.emplace_back(
          "direct-path loads of tables that are NOLOGGING go unseen; to be safe: alter database "
          "force logging");
    }
    return out;
  }

  Result<StreamStart> prepare(OpContext& context, const StreamRequest& request) override {
    WHERRY_ASSIGN(const auto session, open_session(context, options_.connect));
    WHERRY_TRY(add_logging(context, *session, request));
    return hand_over(context, *session, request.consistency_timeout);
  }

  Result<StreamStart> anchor(OpContext& context, const StreamRequest&) override {
    WHERRY_ASSIGN(const auto miner, MiningSession::open(context, options_.connect));
    WHERRY_ASSIGN(const RedoView view, miner->view(context, UINT64_MAX / 2));
    return start_at(view, view.current_scn, view.current_scn, {});
  }

  Result<StreamAdvice> include(OpContext& context, const StreamRequest& request) override {
    WHERRY_ASSIGN(const auto session, open_session(context, options_.connect));
    if (adds_logging()) WHERRY_TRY(add_logging(context, *session, request));
    WHERRY_ASSIGN(const DatabaseLogging database, read_database_logging(context, *session));
    WHERRY_ASSIGN(StreamAdvice advice, advise(context, *session, request, database));
    for (std::size_t i = 0; i < request.tables.size(); ++i) {
      if (!advice.tables[i].refused) included_->add(request.task_name, request.tables[i]);
    }
    return advice;
  }

  Result<std::unique_ptr<connect::ChangeStream>> open(OpContext&,
                                                      const StreamRequest& request) override {
    return make_change_stream(options_, request, included_);
  }

  Result<std::unique_ptr<connect::ValueReader>> read_values(
      OpContext& context, const connect::ValuesRequest& request) override {
    return open_value_reader(context, options_, request);
  }

  Result<Position> parse_position(OpContext& context, std::string_view text) override {
    constexpr std::string_view kCheckpoint = "checkpoint:V1#", kScn = "scn:";
    if (text.starts_with(kCheckpoint)) text.remove_prefix(kCheckpoint.size());
    const Position as_is{std::string(text)};
    if (read_position(as_is)) return as_is;
    if (text.starts_with(kScn)) text.remove_prefix(kScn.size());
    WHERRY_ASSIGN(const std::uint64_t scn, scn_of(context, std::string(text)));
    WHERRY_ASSIGN(const auto miner, MiningSession::open(context, options_.connect));
    WHERRY_ASSIGN(const RedoView view, miner->view(context, scn));
    if (scn > view.current_scn) {
      return make_error(
          ErrorKind::kConfig, "oracle.bad_position",
          fmt::format("SCN {} lies in the future: the database is at {}", scn, view.current_scn),
          "Use an earlier one");
    }
    const FirstLogs first = first_logs(view, scn);
    if (first.missing) return missing_log_error(*first.missing);
    WHERRY_TRY(check_threads(context, *miner, first.start));
    WHERRY_ASSIGN(const StreamStart start, start_at(view, scn, scn, {}));
    return start.position;
  }

  Result<connect::CommitOrder> order_of(const Position& position) override {
    WHERRY_ASSIGN(const RedoPosition place, read_position(position));
    return place.commit_scn;
  }

  /// Supplemental logging stays: others may need it by now.
  Result<void> forget(OpContext&, const std::string&) override { return {}; }

 private:
  static Result<void> check_database(const DatabaseLogging& database) {
    if (!database.is_archiving) {
      return make_error(ErrorKind::kConfig, "oracle.no_archiving",
                        "the database does not keep its redo logs (LOG_MODE is NOARCHIVELOG)",
                        "Have it opened in ARCHIVELOG mode (RDS: set a backup retention period)");
    }
    return {};
  }

  /// The user may mine, and the views can be read.
  Result<void> check_miner(OpContext& context) {
    auto miner = MiningSession::open(context, options_.connect);
    auto view =
        miner.ok() ? (*miner)->view(context, UINT64_MAX / 2) : Result<RedoView>(miner.error());
    if (view.ok()) return {};
    Error error = std::move(view).error();
    if (error.native_code == ora_code(942) || error.native_code == ora_code(1031)) {
      error.kind = ErrorKind::kPermission;
      error.hint =
          "grant logmining, select any transaction, select_catalog_role, execute_catalog_role to "
          "the user (docs/guide/oracle-changes.md)";
    }
    return error;
  }

  Result<Definitions> define(OpContext& context, const StreamRequest& request) {
    WHERRY_ASSIGN(auto session, open_session(context, options_.connect));
    const auto catalog = make_catalog(std::move(session), options_.number_scale);
    connect::TableFilter filter;
    const auto owners = owners_of(request);
    filter.schemas.assign(owners.begin(), owners.end());
    std::vector<schema::TableDef> found;
    if (!owners.empty()) {
      WHERRY_ASSIGN(found, catalog->describe_tables(context, filter));
    }
    Definitions out;
    for (const schema::TablePlanPtr& plan : request.tables) {
      const auto place =
          std::find_if(found.begin(), found.end(),
                       [&](const schema::TableDef& each) { return each.table == plan->source; });
      out.push_back(place == found.end() ? std::nullopt : std::optional(*place));
    }
    return out;
  }

  Result<StreamAdvice> advise(OpContext& context, Session& session, const StreamRequest& request,
                              const DatabaseLogging& database) {
    WHERRY_ASSIGN(const Definitions tables, define(context, request));
    WHERRY_ASSIGN(const auto logging, read_table_logging(context, session, owners_of(request)));
    StreamAdvice out;
    if (!database.has_minimal && !adds_logging()) {
      return make_error(
          ErrorKind::kConfig, "oracle.supplemental_logging",
          "the database has no supplemental logging, without which its redo is of no "
          "use",
          minimal_logging_statement() + "; or set the endpoint's AddSupplementalLogging to true");
    }
    for (std::size_t i = 0; i < tables.size(); ++i) {
      StreamAdvice::Table& each = out.tables.emplace_back();
      if (!tables[i]) {
        each.refused = gone(request.tables[i]->source);
        each.is_gone = true;
        continue;
      }
      each.refused = refuse_name(*tables[i]);
      if (!each.refused) each.refused = refuse_unlogged(*tables[i], *request.tables[i]);
      const auto found = logging.find(tables[i]->table);
      const TableLogging own = found == logging.end() ? TableLogging() : found->second;
      const NeededLogging needed = needed_logging(*request.tables[i]);
      if (each.refused || is_enough(*tables[i], own, database, needed)) continue;
      if (adds_logging()) {
        each.warnings.push_back("will be executed at the source: " +
                                logging_statement(*tables[i], needed));
      } else {
        each.refused = not_logged(*tables[i], needed);
      }
    }
    return out;
  }

  [[nodiscard]] bool adds_logging() const { return options_.adds_supplemental_logging; }

  /// What the redo says is complete only of transactions that begin after it.
  Result<void> add_logging(OpContext& context, Session& session, const StreamRequest& request) {
    WHERRY_ASSIGN(const DatabaseLogging database, read_database_logging(context, session));
    WHERRY_TRY(check_database(database));
    WHERRY_ASSIGN(const StreamAdvice advice, advise(context, session, request, database));
    for (const StreamAdvice::Table& table : advice.tables) {
      if (table.refused && !table.is_gone) return *table.refused;
    }
    if (!adds_logging()) return {};
    WHERRY_ASSIGN(const Definitions tables, define(context, request));
    WHERRY_ASSIGN(const auto logging, read_table_logging(context, session, owners_of(request)));
    std::vector<std::string> statements;
    if (!database.has_minimal) statements.push_back(minimal_logging_statement());
    for (std::size_t i = 0; i < tables.size(); ++i) {
      if (!tables[i]) continue;
      const auto found = logging.find(tables[i]->table);
      const TableLogging own = found == logging.end() ? TableLogging() : found->second;
      const NeededLogging needed = needed_logging(*request.tables[i]);
      if (is_enough(*tables[i], own, database, needed)) continue;
      statements.push_back(logging_statement(*tables[i], needed));
    }
    if (statements.empty()) return {};
    // The statement for a table takes a lock on it for a moment.
    WHERRY_TRY(session.execute(context, "alter session set ddl_lock_timeout = 60"));
    for (const std::string& statement : statements) {
      context.log.info("adding supplemental logging at the source", {{"statement", statement}});
      auto done = session.execute(context, statement);
      if (!done) return std::move(done).error().with("statement", statement);
    }
    WHERRY_ASSIGN(const auto open, list_open_transactions(context, session));
    return await_end(context, session, open, request.consistency_timeout);
  }

  /// Where mining must begin so that no transaction is missed that commits after the load's SCN.
  Result<StreamStart> hand_over(OpContext& context, Session& session,
                                std::chrono::seconds patience) {
    WHERRY_ASSIGN(const auto miner, MiningSession::open(context, options_.connect));
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      WHERRY_ASSIGN(const RedoView before, miner->view(context, UINT64_MAX / 2));
      WHERRY_ASSIGN(const auto open, list_until(context, session, end));
      const auto left = std::chrono::duration_cast<std::chrono::seconds>(
          std::max(end - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration(0)));
      std::vector<OpenTransaction> unknown = open;
      std::erase_if(unknown, [](const OpenTransaction& each) { return each.start_scn != 0; });
      if (!unknown.empty()) {
        // Where they began is not known, so they must end first.
        WHERRY_TRY(await_end(context, session, unknown, left));
        continue;
      }
      const OpenTransaction* oldest = nullptr;
      std::uint64_t floor = before.current_scn;
      for (const OpenTransaction& each : open) {
        if (each.start_scn >= floor) continue;
        floor = each.start_scn;
        oldest = &each;
      }
      WHERRY_ASSIGN(const RedoView view, miner->view(context, floor));
      const FirstLogs first = first_logs(view, floor);
      if (first.missing) return lost_transaction(*first.missing, oldest);
      WHERRY_TRY(check_threads(context, *miner, first.start));
      return start_at(view, view.current_scn, floor, open);
    }
  }

  /// A log of one thread may have begun long before those of the others, which are needed from
  /// there on.
  static Result<void> check_threads(OpContext& context, MiningSession& miner,
                                    const MiningStart& start) {
    WHERRY_ASSIGN(const RedoView view, miner.view(context, start.others_scn));
    const MiningPlan plan = plan_mining(view, start, 1);
    if (!plan.missing || !plan.logs.empty()) return {};
    Error error = missing_log_error(*plan.missing);
    error.kind = ErrorKind::kConfig;
    error.hint =
        "Switch the logs of all threads (alter system archive log current), then start the "
        "task again";
    return error;
  }

  /// A user that may not see them may be given the right meanwhile.
  Result<std::vector<OpenTransaction>> list_until(OpContext& context, Session& session,
                                                  std::chrono::steady_clock::time_point end) {
    constexpr std::chrono::milliseconds kLook{1000};
    for (;;) {
      auto open = list_open_transactions(context, session);
      if (open.ok() || open.error().code != "oracle.transactions_hidden") return open;
      if (context.stop.stop_requested()) return cancelled_error();
      if (std::chrono::steady_clock::now() + kLook > end) return open;
      context.log.warn("open transactions cannot be seen; trying again",
                       {{"cause", open.error().to_log_text()}});
      rest(context, std::chrono::steady_clock::now() + kLook);
    }
  }

  static Result<StreamStart> start_at(const RedoView& view, std::uint64_t scn, std::uint64_t floor,
                                      const std::vector<OpenTransaction>& open) {
    RedoPosition position;
    position.database_id = view.database_id;
    position.resetlogs_scn = view.resetlogs_scn;
    position.commit_scn = position.load_scn = scn;
    const MiningStart start = first_logs(view, floor).start;
    position.floor_scn = start.others_scn;
    for (const auto& [number, thread] : start.threads) {
      position.threads[number].floor = {thread.sequence, 0, 0};
    }
    for (const OpenTransaction& each : open) position.open.push_back({each.key, each.start_scn});
    StreamStart out;
    out.position = to_position(position);
    out.order = scn;
    out.snapshot.text = "scn:" + std::to_string(scn);
    return out;
  }

  Result<std::uint64_t> scn_of(OpContext& context, const std::string& text) {
    std::uint64_t scn = 0;
    const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), scn);
    if (status == std::errc{} && stop == text.data() + text.size()) return scn;
    WHERRY_ASSIGN(const auto session, open_session(context, options_.connect));
    const std::array binds = {Bind::text(text)};
    // Times are those of UTC, as everywhere in DMS.
    auto rows = session->rows(context,
                              "select to_char(timestamp_to_scn(from_tz(to_timestamp(:1, "
                              "'YYYY-MM-DD\"T\"HH24:MI:SS'), 'UTC') at local)) from dual",
                              binds);
    if (rows && rows->at(0).at(0)) {
      const std::string& found = *rows->at(0).at(0);
      std::from_chars(found.data(), found.data() + found.size(), scn);
      return scn;
    }
    Error error = make_error(ErrorKind::kConfig, "oracle.bad_position",
                             "'" + text + "' is no place in Oracle's redo",
                             "Use an SCN, or a time of the last days as 2026-11-30T12:00:00 (UTC)");
    return rows ? error : std::move(error).with("cause", rows.error().to_log_text());
  }

  const EndpointOptions options_;
  const std::shared_ptr<IncludedTables> included_ = std::make_shared<IncludedTables>();
};

}  // namespace

std::unique_ptr<connect::ChangeSource> make_change_source(EndpointOptions options) {
  return std::make_unique<OracleChangeSource>(std::move(options));
}

}  // namespace wherry::oracle
