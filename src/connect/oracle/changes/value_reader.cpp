#include "connect/oracle/changes/value_reader.h"

#include <fmt/format.h>

#include <charconv>

#include "connect/oracle/catalog.h"
#include "connect/oracle/session_pool.h"
#include "connect/oracle/type_map.h"

namespace wherry::oracle {
namespace {

using connect::ChangeBatch;

class OracleValues final : public connect::ValueReader {
 public:
  OracleValues(connect::RowShapePtr shape, std::vector<std::size_t> columns, std::uint64_t scn)
      : shape_(std::move(shape)), columns_(std::move(columns)), scn_(scn) {
    for (const std::size_t index : columns_) {
      wanted_.push_back(schema::cell_kind_of(shape_->definition.columns[index].type));
    }
  }
  /// `condition`: empty: there is nothing to read.
  Result<void> start(OpContext& context, std::unique_ptr<Session> session,
                     const std::string& condition, FetchOptions fetch) {
    if (condition.empty()) return {};
    session_ = std::move(session);
    std::string list;
    for (const std::size_t index : columns_) {
      const schema::ColumnDef& column = shape_->definition.columns[index];
      list +=
          (list.empty() ? "" : ", ") + select_expression(column.type, "\"" + column.name + "\"");
    }
    const schema::TableRef& table = shape_->definition.table;
    fetch.lob_mode = LobMode::kPrefetch;
    fetch.keep_bad_values = true;
    WHERRY_ASSIGN(query_,
                  session_->query(context,
                                  fmt::format("select {} from \"{}\".\"{}\" as of scn {} "
                                              "where {}",
                                              list, table.schema, table.name, scn_, condition),
                                  {}, fetch));
    return {};
  }

  [[nodiscard]] connect::CommitOrder order() const override { return scn_; }

  Result<void> read(OpContext& context, ChangeBatch& out) override {
    if (query_ == nullptr) return {};
    auto rows = std::make_shared<RowBatch>();
    WHERRY_ASSIGN(const FetchState state, query_->fetch(context, wanted_, *rows));
    out.keep(rows);
    out.keep(shape_);
    for (std::size_t row = 0; row < rows->row_count(); ++row) add(rows->row(row), out);
    if (state == FetchState::kEnd) query_.reset();
    return {};
  }

 private:
  void add(const Cell* row, ChangeBatch& out) const {
    const auto& columns = shape_->definition.columns;
    Cell* const cells = out.allocate_cells(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      cells[i] = {};
      cells[i].kind = schema::cell_kind_of(columns[i].type);
      cells[i].state = CellState::kUnchanged;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) cells[columns_[i]] = row[i];
    connect::Change& change = out.add(connect::ChangeKind::kUpdate);
    change.shape = shape_.get();
    change.after = cells;
  }

  const connect::RowShapePtr shape_;
  const std::vector<std::size_t> columns_;
  const std::uint64_t scn_;
  std::vector<CellKind> wanted_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Query> query_;  // after session_: it must go first
};

Result<std::uint64_t> current_scn(OpContext& context, Session& session) {
  WHERRY_ASSIGN(const auto rows,
                session.rows(context, "select to_char(current_scn) from v$database"));
  std::uint64_t out = 0;
  const std::string text = rows.at(0).at(0).value_or("");
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

Result<std::unique_ptr<connect::ValueReader>> open_value_reader(
    OpContext& context, const EndpointOptions& options, const connect::ValuesRequest& request) {
  WHERRY_ASSIGN(auto looker, open_session(context, options.connect));
  const auto catalog = make_catalog(std::move(looker), options.number_scale);
  connect::TableFilter filter;
  filter.schemas = {request.source.schema};
  WHERRY_ASSIGN(auto tables, catalog->describe_tables(context, filter));
  WHERRY_ASSIGN(auto session, open_session(context, options.connect));
  WHERRY_ASSIGN(const std::uint64_t scn, current_scn(context, *session));
  auto shape = std::make_shared<connect::RowShape>();
  shape->id = connect::new_shape_id();
  shape->source = request.source;
  for (schema::TableDef& table : tables) {
    if (table.table == request.source) shape->definition = std::move(table);
  }
  std::vector<std::size_t> columns;
  std::string condition;
  for (const auto& column : request.key) {
    const int place = shape->definition.find_column(column.name);
    if (place < 0 && !shape->definition.columns.empty()) {
      return make_error(ErrorKind::kSchema, "oracle.key_changed",
                        "the table has another key by now", "Load the table again")
          .with("table", schema::to_text(request.source));
    }
    if (place >= 0) columns.push_back(static_cast<std::size_t>(place));
  }
  for (const auto& column : request.columns) {
    const int place = shape->definition.find_column(column.name);
    if (place < 0) continue;
    columns.push_back(static_cast<std::size_t>(place));
    condition += fmt::format("{}\"{}\" is not null", condition.empty() ? "" : " or ", column.name);
  }
  auto out = std::make_unique<OracleValues>(std::move(shape), std::move(columns), scn);
  WHERRY_TRY(out->start(context, std::move(session), condition, options.fetch));
  return std::unique_ptr<connect::ValueReader>(std::move(out));
}

}  // namespace wherry::oracle
