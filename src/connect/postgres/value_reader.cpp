#include "connect/postgres/value_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/postgres/changes.h"
#include "connect/postgres/log_tables.h"
#include "connect/postgres/replication.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::ValuesRequest;

constexpr std::string_view kReadingValues = "cannot read the values of a new column";
/// Rows of a FETCH: a few at first, then as many as make about kWantedBytes.
constexpr std::size_t kFirstRows = 100;
constexpr std::size_t kMostRows = 10'000;
constexpr std::size_t kWantedBytes = 1024 * 1024;

Error key_changed(const schema::TableRef& table) {
  return make_error(ErrorKind::kSchema, "postgres.key_changed",
                    "the source's table has another key by now, so the values of a column that "
                    "was added cannot be read by it",
                    "Load the table again")
      .with("table", to_text(table));
}

class ServerValues final : public connect::ValueReader {
 public:
  ServerValues(std::unique_ptr<Connection> connection, const ValuesRequest& request)
      : connection_(std::move(connection)),
        request_(request),
        tables_(stream_of(request), {},
                {{static_cast<std::uint32_t>(request.table_id), request.source}},
                /*takes_all=*/false) {
    tables_.expect_form(/*is_binary=*/false);
  }

  /// False: there is nothing to read.
  Result<bool> open(OpContext& context) {
    WHERRY_TRY(connection_->execute(context, kReadingValues,
                                    "begin isolation level repeatable read, read only"));
    // The query's snapshot is that of all that follow, and is taken before its function is called.
    WHERRY_ASSIGN(const Rows rows,
                  connection_->query(context, kReadingValues,
                                     "select pg_catalog.pg_current_wal_insert_lsn()"));
    order_ = order_before(parse_lsn(rows.text(0, 0)).value_or(0));
    const auto oid = static_cast<std::uint32_t>(request_.table_id);
    WHERRY_ASSIGN(const CatalogTable now, read_catalog_table(context, *connection_, oid));
    if (now.columns.empty()) return false;
    WHERRY_TRY(tables_.learn(context, *connection_, oid, now));
    table_ = tables_.find(oid);
    std::string condition;
    for (const ValuesRequest::Column& column : request_.columns) {
      WHERRY_ASSIGN(const std::string name, choose(now, column));
      if (name.empty()) continue;
      condition += (condition.empty() ? "" : " or ") + name + " is not null";
    }
    if (condition.empty()) return false;
    for (const ValuesRequest::Column& column : request_.key) {
      WHERRY_ASSIGN(const std::string name, choose(now, column));
      if (name.empty()) return key_changed(request_.source);
    }
    WHERRY_ASSIGN(const std::string from, schema::quote_table(now.table));
    WHERRY_TRY(connection_->execute(
        context, kReadingValues,
        fmt::format("declare wherry_values no scroll cursor for select {} from {}{} where {}",
                    names_, now.is_partitioned ? "" : "only ", from, condition)));
    return true;
  }

  [[nodiscard]] connect::CommitOrder order() const override { return order_; }

  Result<void> read(OpContext& context, connect::ChangeBatch& out) override {
    while (table_ != nullptr && !out.is_full()) {
      WHERRY_ASSIGN(const Rows rows,
                    connection_->command(context, kReadingValues,
                                         fmt::format("fetch {} from wherry_values", fetch_)));
      const std::size_t before = out.used_bytes();
      for (int row = 0; row < rows.count(); ++row) WHERRY_TRY(add(rows, row, out));
      if (rows.count() == 0) table_ = nullptr;
      const std::size_t count = std::max<std::size_t>(out.changes().size(), 1);
      const std::size_t row_bytes = std::max<std::size_t>((out.used_bytes() - before) / count, 1);
      fetch_ = std::clamp<std::size_t>(kWantedBytes / row_bytes, 1, kMostRows);
    }
    if (out.empty()) connection_.reset();
    return {};
  }

 private:
  static connect::StreamRequest stream_of(const ValuesRequest& request) {
    auto plan = std::make_shared<schema::TablePlan>(*request.plan);
    plan->source = request.source;
    connect::StreamRequest out;
    out.is_native = plan->is_native;
    out.tables.push_back(std::move(plan));
    return out;
  }

  /// The column as the table has it now, quoted, which is selected from here on; empty: it has it
  /// no more.
  Result<std::string> choose(const CatalogTable& now, const ValuesRequest::Column& wanted) {
    const CatalogColumn* column =
        wanted.number != 0 ? now.find(wanted.number) : now.find(wanted.name);
    if (column == nullptr || column->is_generated) return std::string();
    const int place = table_->shape->definition.find_column(column->name);
    if (place < 0) return std::string();
    places_.push_back(static_cast<std::size_t>(place));
    WHERRY_ASSIGN(std::string name, schema::quote_identifier(column->name));
    names_ += (names_.empty() ? "" : ", ") + name;
    return name;
  }

  Result<void> add(const Rows& rows, int row, connect::ChangeBatch& out) {
    const std::size_t count = table_->shape->definition.columns.size();
    fields_.assign(count, {wire::FieldKind::kUnchanged, {}});
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const int column = static_cast<int>(i);
      wire::Field& field = fields_[places_[i]];
      field.kind = rows.is_null(row, column) ? wire::FieldKind::kNull : wire::FieldKind::kText;
      field.bytes = rows.text(row, column);
    }
    Cell* cells = out.allocate_cells(count);
    const auto bad =
        tables_.fill(*table_, fields_, RowForm::kAfter, {}, nullptr, out.arena(), cells);
    if (bad) {
      const schema::ColumnDef& column = table_->shape->definition.columns[*bad];
      return make_error(ErrorKind::kData, "postgres.unreadable_value",
                        "a value is no " + column.native_type + " that is known here",
                        "Please report the column's type and the server's version")
          .with("table", to_text(request_.source))
          .with("column", column.name);
    }
    out.keep(table_->shape);
    connect::Change& change = out.add(connect::ChangeKind::kUpdate);
    change.shape = table_->shape.get();
    change.after = cells;
    return {};
  }

  std::unique_ptr<Connection> connection_;
  const ValuesRequest request_;
  LogTables tables_;
  LogTable* table_ = nullptr;  ///< nullptr: all is read
  std::string names_;
  std::vector<std::size_t> places_;  ///< of what is selected, in the shape
  std::vector<wire::Field> fields_;
  std::size_t fetch_ = kFirstRows;
  connect::CommitOrder order_ = 0;
};

/// Of a table that is gone, or columns that are.
class NoValues final : public connect::ValueReader {
 public:
  [[nodiscard]] connect::CommitOrder order() const override { return 0; }
  Result<void> read(OpContext&, connect::ChangeBatch&) override { return {}; }
};

}  // namespace

Result<std::unique_ptr<connect::ValueReader>> open_value_reader(
    OpContext& context, std::unique_ptr<Connection> connection, const ValuesRequest& request) {
  auto reader = std::make_unique<ServerValues>(std::move(connection), request);
  WHERRY_ASSIGN(const bool has_values, reader->open(context));
  if (!has_values) return std::unique_ptr<connect::ValueReader>(std::make_unique<NoValues>());
  return std::unique_ptr<connect::ValueReader>(std::move(reader));
}

}  // namespace wherry::postgres
