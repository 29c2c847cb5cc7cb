#include "connect/oracle/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/oracle/chunk_planner.h"
#include "connect/oracle/errors.h"
#include "connect/oracle/filter_sql.h"
#include "connect/oracle/session_pool.h"
#include "connect/oracle/type_map.h"

namespace wherry::oracle {
namespace {

constexpr std::string_view kPositionPrefix = "scn:";

/// Names come from the dictionary; one with a quotation mark cannot exist in Oracle (ORA-03001).
std::string quote_name(std::string_view name) {
  return fmt::format("\"{}\"", name);
}

/// The account whose rights count: behind a proxy it stands in brackets.
std::string account_of(const ConnectOptions& options) {
  const std::size_t open = options.user.find('[');
  const std::size_t close = options.user.rfind(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return options.user;
  return options.user.substr(open + 1, close - open - 1);
}

/// Names the GRANT when the server does not let the account read the table. Reading AS OF needs
/// FLASHBACK beside SELECT; the server's error is the same for both.
Error with_grant(Error error, const schema::TablePlan& plan, const std::string& account) {
  if (error.native_code != ora_code(1031) && error.native_code != ora_code(942)) return error;
  error.hint = fmt::format(
      "{}grant select, flashback on {}.{} to {}",
      error.native_code == ora_code(942) ? "Check that the table is still there; if it is: " : "",
      quote_name(plan.source.schema), quote_name(plan.source.name), account);
  return error;
}

Result<std::string> current_scn(OpContext& context, Session& session, const std::string& account) {
  auto rows = session.rows(context, "select to_char(current_scn) from v$database");
  if (!rows.ok()) {
    // V$DATABASE needs a grant that a plain account has not; the package says the same.
    rows =
        session.rows(context, "select to_char(dbms_flashback.get_system_change_number) from dual");
  }
  if (!rows.ok()) {
    Error error = std::move(rows).error();
    error.hint = fmt::format(
        "So that all tables can be read at one moment: grant select on sys.v_$database to {0}, or "
        "grant execute on sys.dbms_flashback to {0}",
        account);
    return error;
  }
  if (rows->size() != 1 || !(*rows)[0][0]) {
    return make_error(ErrorKind::kInternal, "oracle.no_scn", "the server gave no SCN",
                      "Check that the database is open");
  }
  return *(*rows)[0][0];
}

Result<std::string> scn_of(const Position& position) {
  const std::string& text = position.text;
  const std::string digits =
      text.compare(0, kPositionPrefix.size(), kPositionPrefix) == 0 ? text.substr(4) : "";
  if (digits.empty() || digits.size() > 20 ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return make_error(ErrorKind::kConfig, "oracle.position",
                      fmt::format("'{}' is not a position of an Oracle database", text),
                      "Write scn:NUMBER, as in the task's state");
  }
  return digits;
}

/// With their locators empty LOBs are told from NULL for certain; those of a few kB still come with
/// their rows.
FetchOptions exact_fetch(FetchOptions options) {
  options.lob_mode = LobMode::kPrefetch;
  options.keep_bad_values = true;
  return options;
}

/// As the plan's LOBs are to be read.
FetchOptions fetch_options(FetchOptions options, const schema::TablePlan& plan) {
  constexpr std::uint64_t kSmallLob = 8 * 1024;
  // Several rows with all their LOBs wait in memory; what is larger comes by its locator.
  constexpr std::uint64_t kMostInline = 128 * 1024;
  // A response is read into memory piece by piece, but a character takes four bytes there.
  constexpr std::uint64_t kMostPiece = 8 * 1024 * 1024;
  std::uint64_t longest = 0;
  bool has_whole = false;
  for (const schema::ColumnPlan& column : plan.columns) {
    options.lob_limits.push_back(column.max_lob_bytes);
    longest = std::max(longest, column.max_lob_bytes);
    has_whole = has_whole || (schema::is_lob(column.type) && column.max_lob_bytes == 0);
  }
  std::uint64_t with_rows =
      plan.lob_inline_bytes == 0 ? kSmallLob : std::min(plan.lob_inline_bytes, kMostInline);
  // No more than what is kept: one unit beyond the limit tells that there is more.
  if (!has_whole && longest != 0) with_rows = std::min(with_rows, longest + 1);
  options.lob_prefetch = static_cast<std::uint32_t>(with_rows);
  if (plan.lob_piece_bytes != 0) options.lob_piece = std::min(plan.lob_piece_bytes, kMostPiece);
  options.lob_refused_above = plan.max_value_bytes;
  return options;
}

/// In the order of select_text()'s bounds.
std::vector<Bind> binds_of(const ChunkText& part) {
  std::vector<Bind> binds;
  for (const std::string* bound : {&part.from, &part.to}) {
    if (!bound->empty()) binds.push_back(Bind::text(*bound));
  }
  return binds;
}

std::string order_term(const schema::ColumnPlan& column) {
  const std::string name = quote_name(column.source_name);
  return column.trim_blanks ? "rtrim(" + name + ")" : name;
}

class OracleReader final : public connect::ChunkReader {
 public:
  OracleReader(schema::TablePlanPtr plan, std::shared_ptr<SessionPool> pool,
               std::unique_ptr<Session> session, std::string account)
      : plan_(std::move(plan)),
        pool_(std::move(pool)),
        session_(std::move(session)),
        account_(std::move(account)) {
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
      wanted_.push_back(schema::cell_kind_of(plan_->columns[i].type));
      if (plan_->columns[i].trim_blanks) trimmed_.push_back(i);
    }
  }

  Result<void> start(OpContext& context, const std::string& sql, const std::vector<Bind>& binds,
                     const FetchOptions& options) {
    auto query = session_->query(context, sql, binds, options);
    if (!query.ok()) return with_grant(std::move(query).error(), *plan_, account_);
    query_ = *std::move(query);
    return {};
  }

  Result<connect::ReadState> read(OpContext& context, RowBatch& out) override {
    auto state = query_->fetch(context, wanted_, out);
    if (!state.ok()) {
      return with_grant(std::move(state).error(), *plan_, account_)
          .with("table", schema::to_text(plan_->source));
    }
    for (std::size_t row = 0; row < out.row_count() && !trimmed_.empty(); ++row) trim(out.row(row));
    if (*state == FetchState::kMore) return connect::ReadState::kMore;
    query_.reset();
    pool_->give_back(std::move(session_));
    return connect::ReadState::kEnd;
  }

 private:
  void trim(Cell* row) const {
    for (const std::size_t column : trimmed_) {
      Cell& cell = row[column];
      if (cell.state != CellState::kSet) continue;
      const std::string_view text = cell.bytes();
      cell.size_bytes = static_cast<std::uint32_t>(text.find_last_not_of(' ') + 1);
    }
  }

  schema::TablePlanPtr plan_;
  std::shared_ptr<SessionPool> pool_;
  std::unique_ptr<Session> session_;
  const std::string account_;
  std::unique_ptr<Query> query_;  // after session_: it must go first
  std::vector<CellKind> wanted_;
  std::vector<std::size_t> trimmed_;
};

class OracleSnapshot final : public connect::SnapshotSource {
 public:
  OracleSnapshot(const EndpointOptions& options, std::shared_ptr<SessionPool> pool, std::string scn)
      : fetch_(exact_fetch(options.fetch)),
        account_(account_of(options.connect)),
        pool_(std::move(pool)),
        scn_(std::move(scn)),
        position_{std::string(kPositionPrefix) + scn_} {}

  [[nodiscard]] const Position& position() const override { return position_; }

  Result<std::vector<connect::Chunk>> plan(OpContext& context, const schema::TableDef& table,
                                           const connect::ChunkHints& hints) override {
    WHERRY_ASSIGN(auto session, pool_->acquire(context));
    WHERRY_ASSIGN(auto chunks, plan_chunks(context, *session, table, hints));
    pool_->give_back(std::move(session));
    return chunks;
  }

  Result<std::unique_ptr<connect::ChunkReader>> open(OpContext& context, schema::TablePlanPtr plan,
                                                     const connect::Chunk& chunk,
                                                     connect::RowOrder order) override {
    WHERRY_ASSIGN(const ChunkText part, ChunkText::decode(chunk.predicate));
    WHERRY_ASSIGN(auto session, pool_->acquire(context));
    WHERRY_TRY(
        check_source_filter(schema::source_filter(*plan), session->server().database_charset));
    const std::string sql = select_text(*plan, part, order, scn_);
    const std::string table = schema::to_text(plan->source);
    const FetchOptions fetch = fetch_options(fetch_, *plan);
    auto reader =
        std::make_unique<OracleReader>(std::move(plan), pool_, std::move(session), account_);
    if (auto started = reader->start(context, sql, binds_of(part), fetch); !started.ok()) {
      return std::move(started).error().with("table", table).with("scn", scn_);
    }
    return std::unique_ptr<connect::ChunkReader>(std::move(reader));
  }

 private:
  const FetchOptions fetch_;
  const std::string account_;
  const std::shared_ptr<SessionPool> pool_;
  std::string scn_;
  Position position_;
};

}  // namespace

namespace {

/// Several partitions as one source of rows, whose columns bear their own names.
std::string union_of_partitions(const schema::TablePlan& plan, const std::string& partitions,
                                const std::string& scn) {
  std::string columns;
  for (const schema::ColumnPlan& column : plan.columns) {
    const std::string name = quote_name(column.source_name);
    const std::string expression = select_expression(column.type, name);
    columns += (columns.empty() ? "" : ", ") + expression;
    if (expression != name) columns += " " + name;
  }
  std::string sql;
  for (std::size_t at = 0; at <= partitions.size();) {
    const std::size_t end = std::min(partitions.find(kNextPartition, at), partitions.size());
    sql += fmt::format("{}select {} from {}.{} {} as of scn {}", sql.empty() ? "" : " union all ",
                       columns, quote_name(plan.source.schema), quote_name(plan.source.name),
                       partitions.substr(at, end - at), scn);
    if (const auto filter = schema::source_filter(plan); !filter.empty()) {
      sql += " where " + filter_condition(filter);
    }
    at = end + 1;
  }
  return "(" + sql + ")";
}

}  // namespace

std::string select_text(const schema::TablePlan& plan, const ChunkText& part,
                        connect::RowOrder order, const std::string& scn) {
  const bool is_union = part.partition.find(kNextPartition) != std::string::npos;
  std::string columns;
  for (const schema::ColumnPlan& column : plan.columns) {
    if (!columns.empty()) columns += ", ";
    const std::string name = quote_name(column.source_name);
    columns += is_union ? name : select_expression(column.type, name);
  }
  std::string sql = "select " + columns + " from ";
  if (is_union) {
    sql += union_of_partitions(plan, part.partition, scn);
  } else {
    sql += quote_name(plan.source.schema) + "." + quote_name(plan.source.name);
    if (!part.partition.empty()) sql += " " + part.partition;
    sql += " as of scn " + scn;
  }
  std::string where = part.condition;
  if (const auto filter = schema::source_filter(plan); !filter.empty() && !is_union) {
    where = (where.empty() ? "" : "(" + where + ") and ") + filter_condition(filter);
  }
  int bind = 0;
  for (const auto& [bound, op] : {std::pair{&part.from, ">="}, std::pair{&part.to, "<"}}) {
    if (bound->empty()) continue;
    where += fmt::format("{}rowid {} chartorowid(:{})", where.empty() ? "" : " and ", op, ++bind);
  }
  if (!where.empty()) sql += " where " + where;
  if (order == connect::RowOrder::kByKey && !plan.key.empty()) {
    std::string terms;
    for (const std::size_t index : plan.key) {
      if (!terms.empty()) terms += ", ";
      terms += order_term(plan.columns[index]);
    }
    sql += " order by " + terms;
  }
  return sql;
}

Result<std::unique_ptr<connect::SnapshotSource>> make_snapshot(OpContext& context,
                                                               const EndpointOptions& options,
                                                               const Position& at) {
  auto pool = std::make_shared<SessionPool>(options.connect);
  std::string scn;
  if (at.empty()) {
    WHERRY_ASSIGN(auto session, pool->acquire(context));
    WHERRY_ASSIGN(scn, current_scn(context, *session, account_of(options.connect)));
    pool->give_back(std::move(session));
  } else {
    WHERRY_ASSIGN(scn, scn_of(at));
  }
  return std::unique_ptr<connect::SnapshotSource>(
      std::make_unique<OracleSnapshot>(options, std::move(pool), std::move(scn)));
}

}  // namespace wherry::oracle
