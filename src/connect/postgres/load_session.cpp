#include "connect/postgres/load_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "connect/postgres/copy_lines.h"
#include "connect/postgres/row_encoder.h"
#include "connect/postgres/row_text.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::RowRefusal;
using wire::ColumnEncoder;
using wire::EncodeStatus;

constexpr std::size_t kSendBytes = 64 * 1024;
/// Exceptions wait in memory until the COPY is interrupted for them.
constexpr std::size_t kMostExceptionBytes = 1024 * 1024;

bool is_truncation(EncodeStatus status) {
  return status == EncodeStatus::kTooLong || status == EncodeStatus::kWouldRound;
}

/// N of "COPY orders, line N" in the server's words; 0 when it is not there.
std::uint64_t find_line(std::string_view text) {
  const std::size_t copy = text.find("COPY ");
  const std::size_t line = copy == std::string_view::npos ? copy : text.find(", line ", copy);
  if (line == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + line + 7, text.data() + text.size(), number);
  return number;
}

/// The server does not like a row, rather than the statement or the weather.
bool is_about_a_row(const Error& error) {
  return error.kind == ErrorKind::kData && !error.native_code.empty();
}

std::string without_line_breaks(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

class CopySession : public connect::LoadSession {
 public:
  CopySession(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection,
              const CopyTarget& target, std::vector<ColumnEncoder> encoders, std::string copy,
              std::string careful_copy)
      : pool_(std::move(pool)),
        connection_(std::move(connection)),
        plan_(target.plan),
        ledger_(target.ledger),
        load_id_(target.segment.load_id),
        encoder_(std::move(encoders)),
        copy_(std::move(copy)),
        careful_copy_(std::move(careful_copy)),
        exceptions_table_(target.exceptions) {
    if (!is_text()) encoder_.buffer().append(wire::kCopyHeader);
  }

  Result<void> tolerate(OpContext& context, connect::RowRefusalSink& sink,
                        bool is_careful) override {
    WHERRY_ASSERT(rows_ == 0, "nothing was written yet");
    sink_ = &sink;
    is_careful_ = is_careful;
    if (!is_careful) return {};
    WHERRY_TRY(end_copy(context, nullptr, 0));
    // Otherwise the commit would refuse rows that nobody could name any more.
    return connection_->execute(context, "cannot check constraints at once",
                                "set constraints all immediate");
  }
  [[nodiscard]] bool may_isolate() const override { return was_row_refused_; }

  Result<void> write(OpContext& context, const RowBatch& batch) override {
    WHERRY_ASSERT(batch.column_count() == encoder_.columns().size() || batch.empty(),
                  "the batch has the plan's columns");
    WHERRY_ASSERT(batch.is_opaque() == plan_->is_native || batch.empty(),
                  "reader and writer know the plan's form of rows");
    if (plan_->is_native) {
      return is_careful_ ? write_lines_carefully(context, batch) : write_opaque(context, batch);
    }
    return is_careful_ ? write_carefully(context, batch) : write_fast(context, batch);
  }

  Result<connect::LoadReport> finish(OpContext& context,
                                     std::span<const connect::DoneChunk> chunks) override {
    if (!is_careful_) WHERRY_TRY(end_copy(context, nullptr, 0));
    WHERRY_TRY(record_exceptions(context));
    WHERRY_TRY(ledger_.record(context, *connection_, load_id_, chunks));
    // A message of its own: what was not asked to commit before the line broke never will.
    auto committed = connection_->execute(context, "cannot commit the rows", "commit");
    if (!committed) return noted(std::move(committed).error()).with("table", table_text());
    warn_of_zeros(context);
    pool_->give_back(std::move(connection_));
    return connect::LoadReport{rows_, bytes_, refused_};
  }

 private:
  [[nodiscard]] std::string table_text() const { return to_text(plan_->target); }

  [[nodiscard]] bool is_text() const { return plan_->is_native && plan_->is_native_text; }

  // --- one COPY for all rows ---

  /// Rows as the source's server has sent them.
  Result<void> write_opaque(OpContext& context, const RowBatch& batch) {
    if (encoder_.buffer().size() != 0) WHERRY_TRY(send_buffer(context, nullptr, 0, 0));
    auto sent = connection_->send_copy(context, batch.opaque_rows());
    if (!sent) return server_error(std::move(sent).error(), nullptr, 0, 0);
    bytes_ += batch.opaque_rows().size();
    rows_ += batch.row_count();
    rows_in_copy_ += batch.row_count();
    return {};
  }

  Result<void> write_fast(OpContext& context, const RowBatch& batch) {
    std::size_t r = 0;
    std::uint64_t rows_before = 0;
    const RowEncoder::Send send = [&] { return send_buffer(context, &batch, r, rows_before); };
    for (; r < batch.row_count(); ++r) {
      rows_before = rows_in_copy_;
      WHERRY_ASSIGN(const auto problem, encoder_.put(batch.row(r), send));
      if (problem) {
        WHERRY_TRY(refuse(*problem, batch.row(r)));
        if (exceptions_bytes_ >= kMostExceptionBytes) WHERRY_TRY(interrupt(context));
        continue;
      }
      ++rows_;
      ++rows_in_copy_;
      if (encoder_.buffer().size() >= kSendBytes) WHERRY_TRY(send());
    }
    return {};
  }

  /// Ends the COPY, writes the exceptions down, and goes on with another.
  Result<void> interrupt(OpContext& context) {
    WHERRY_TRY(end_copy(context, nullptr, 0));
    WHERRY_TRY(record_exceptions(context));
    return begin_copy(context, copy_);
  }

  Result<void> begin_copy(OpContext& context, const std::string& sql) {
    auto started = connection_->begin_copy_in(context, sql);
    if (!started) return std::move(started).error().with("table", table_text());
    encoder_.buffer().clear();
    if (!is_text()) encoder_.buffer().append(wire::kCopyHeader);
    rows_in_copy_ = 0;
    return {};
  }

  Result<void> end_copy(OpContext& context, const RowBatch* batch, std::size_t r) {
    if (!is_text()) encoder_.buffer().append(wire::kCopyTrailer);
    WHERRY_TRY(send_buffer(context, batch, r, rows_in_copy_));
    auto loaded = connection_->end_copy_in(context);
    if (!loaded) return server_error(std::move(loaded).error(), batch, r, rows_in_copy_);
    if (*loaded != rows_in_copy_) return rows_dropped(*loaded);
    return {};
  }

  /// `r`: the row of `batch` that comes next after `rows_before` rows of the COPY.
  Result<void> send_buffer(OpContext& context, const RowBatch* batch, std::size_t r,
                           std::uint64_t rows_before) {
    wire::CopyBuffer& buffer = encoder_.buffer();
    auto sent = connection_->send_copy(context, buffer.view());
    if (!sent) return server_error(std::move(sent).error(), batch, r, rows_before);
    bytes_ += buffer.size();
    buffer.clear();
    return {};
  }

  // --- careful: a savepoint and a COPY for each batch, halves of it where the server refuses ---

  Result<void> write_carefully(OpContext& context, const RowBatch& batch) {
    good_.clear();
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      WHERRY_ASSIGN(const auto problem, encoder_.check(batch.row(r)));
      if (problem) {
        WHERRY_TRY(refuse(*problem, batch.row(r)));
      } else {
        good_.push_back(r);
      }
    }
    WHERRY_TRY(load_range(context, batch, 0, good_.size()));
    return exceptions_bytes_ >= kMostExceptionBytes ? record_exceptions(context) : Result<void>();
  }

  /// As write_carefully(), of rows in COPY's text form: a line each.
  Result<void> write_lines_carefully(OpContext& context, const RowBatch& batch) {
    lines_ = split_copy_lines(batch.opaque_rows());
    WHERRY_ASSERT(lines_.size() == batch.row_count(), "a row is a line");
    good_.resize(lines_.size());
    std::iota(good_.begin(), good_.end(), std::size_t{0});
    WHERRY_TRY(load_range(context, batch, 0, good_.size()));
    return exceptions_bytes_ >= kMostExceptionBytes ? record_exceptions(context) : Result<void>();
  }

  Result<void> load_range(OpContext& context, const RowBatch& batch, std::size_t first,
                          std::size_t last) {
    if (first == last) return {};
    constexpr const char* kAction = "cannot set a savepoint";
    WHERRY_TRY(connection_->execute(context, kAction, "savepoint wherry_rows"));
    auto copied = copy_range(context, batch, first, last);
    if (copied) {
      rows_ += last - first;
      return connection_->execute(context, kAction, "release savepoint wherry_rows");
    }
    const Error error = std::move(copied).error();
    if (!is_about_a_row(error)) return error;
    WHERRY_TRY(connection_->execute(context, kAction,
                                    "rollback to savepoint wherry_rows; "
                                    "release savepoint wherry_rows"));
    if (last - first == 1) return refuse(error, text_of_row(batch, good_[first]));
    const std::uint64_t line = find_line(error.native_detail);
    if (line >= 1 && line <= last - first) {
      const std::size_t bad = first + static_cast<std::size_t>(line) - 1;
      WHERRY_TRY(load_range(context, batch, first, bad));
      WHERRY_TRY(load_range(context, batch, bad, bad + 1));
      return load_range(context, batch, bad + 1, last);
    }
    const std::size_t middle = first + (last - first) / 2;
    WHERRY_TRY(load_range(context, batch, first, middle));
    return load_range(context, batch, middle, last);
  }

  Result<void> copy_range(OpContext& context, const RowBatch& batch, std::size_t first,
                          std::size_t last) {
    WHERRY_TRY(begin_copy(context, careful_copy_));
    const RowEncoder::Send send = [&] { return send_buffer(context, nullptr, 0, 0); };
    for (std::size_t i = first; i < last; ++i) {
      if (plan_->is_native) {
        encoder_.buffer().append(lines_[good_[i]]);
      } else {
        WHERRY_ASSIGN(const auto problem, encoder_.put(batch.row(good_[i]), send));
        WHERRY_ASSERT(!problem, "the row was looked at before");
      }
      ++rows_in_copy_;
      if (encoder_.buffer().size() >= kSendBytes) WHERRY_TRY(send());
    }
    return end_copy(context, nullptr, 0);
  }

  // --- rows that cannot be taken ---

  struct RowText {
    std::string key;
    std::string statement;  ///< empty when nobody wants it
  };

  [[nodiscard]] RowText text_of_row(const Cell* row) const {
    const bool is_wanted = !exceptions_table_.table.empty();
    return {text_of_key(*plan_, row), is_wanted ? insert_statement(*plan_, row) : std::string()};
  }

  [[nodiscard]] RowText text_of_row(const RowBatch& batch, std::size_t r) const {
    if (!plan_->is_native) return text_of_row(batch.row(r));
    return {text_of_key(*plan_, lines_[r]), insert_statement(*plan_, lines_[r])};
  }

  Result<void> refuse(const RowProblem& problem, const Cell* row) {
    RowText text = text_of_row(row);
    RowRefusal refusal{is_truncation(problem.status), text.key, value_error(problem, row)};
    return refuse(std::move(refusal), std::move(text));
  }

  Result<void> refuse(const Error& error, RowText text) {
    RowRefusal refusal{false, text.key, error};
    refusal.error.with("table", table_text());
    refusal.error.with_row_data("key", refusal.key);
    return refuse(std::move(refusal), std::move(text));
  }

  Result<void> refuse(RowRefusal refusal, RowText text) {
    if (sink_ == nullptr) return std::move(refusal.error);
    WHERRY_TRY(sink_->on_row_refused(refusal));
    ++refused_;
    if (!exceptions_table_.table.empty()) {
      exceptions_.push_back({std::move(text.statement), refusal.error.to_paragraph()});
      exceptions_bytes_ += exceptions_.back().statement.size() + exceptions_.back().error.size();
    }
    return {};
  }

  struct RowException {
    std::string statement;
    std::string error;
  };

  Result<void> record_exceptions(OpContext& context) {
    if (exceptions_.empty()) return {};
    std::vector<std::string> statements;
    std::vector<std::string> errors;
    for (RowException& exception : exceptions_) {
      statements.push_back(printable(exception.statement));
      errors.push_back(without_line_breaks(printable(exception.error)));
    }
    const std::array parameters = {exceptions_table_.task_name, plan_->target.schema,
                                   plan_->target.name, array_literal(statements),
                                   array_literal(errors)};
    auto written = connection_->query(
        context, "cannot record the rows that were left out",
        "insert into " + exceptions_table_.table +
            " select $1, $2, $3, pg_catalog.timezone('UTC', pg_catalog.clock_timestamp()), "
            "s, e from unnest($4::text[], $5::text[]) x(s, e)",
        parameters);
    if (!written) return std::move(written).error().with("table", exceptions_table_.table);
    exceptions_.clear();
    exceptions_bytes_ = 0;
    return {};
  }

  Error value_error(const RowProblem& problem, const Cell* row) const {
    const schema::ColumnPlan& column = plan_->columns[problem.column];
    std::string message = message_of(problem.status, column, row[problem.column]);
    Error error = make_error(ErrorKind::kData, code_of(problem.status), std::move(message),
                             std::string(hint_of(problem.status)));
    error.with("table", table_text()).with("column", column.target_name);
    if (!column.target_type.empty()) error.with("column type", column.target_type);
    if (!column.source_type.empty()) error.with("source type", column.source_type);
    error.with("row", std::to_string(rows_ + refused_ + 1));
    if (!plan_->key.empty()) error.with_row_data("key", text_of_key(*plan_, row));
    return error;
  }

  Error rows_dropped(std::uint64_t kept) const {
    return make_error(ErrorKind::kSchema, "postgres.rows_dropped",
                      "the table on the target kept fewer rows than were sent",
                      "A trigger of the table drops them: disable it during the load")
        .with("table", table_text())
        .with("sent", std::to_string(rows_in_copy_))
        .with("kept", std::to_string(kept));
  }

  Error noted(Error error) {
    was_row_refused_ = is_about_a_row(error);
    return error;
  }

  Error server_error(Error error, const RowBatch* batch, std::size_t r, std::uint64_t rows_before) {
    error = noted(std::move(error));
    error.with("table", table_text());
    const std::uint64_t line = find_line(error.native_detail);
    if (line == 0) return error;
    if (!is_careful_) error.with("row", std::to_string(line));
    // Rows of the batch that were left out make it uncertain which one the line is.
    const bool is_here = batch != nullptr && refused_ == 0 && line + r > rows_before &&
                         line + r - rows_before <= batch->row_count();
    if (is_here && !plan_->key.empty()) {
      const auto row = static_cast<std::size_t>(line + r - rows_before - 1);
      error.with_row_data("key", text_of_key(*plan_, batch->row(row)));
    }
    return error;
  }

  void warn_of_zeros(const OpContext& context) const {
    for (std::size_t c = 0; c < encoder_.columns().size(); ++c) {
      const std::uint64_t count = encoder_.columns()[c].zeros_replaced;
      if (count == 0) continue;
      context.log.as(Component::kTargetLoad)
          .warn("characters U+0000 were replaced by spaces: PostgreSQL text cannot hold them",
                {{"table", table_text()},
                 {"column", plan_->columns[c].target_name},
                 {"count", std::to_string(count)}});
    }
  }

  std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Connection> connection_;
  const schema::TablePlanPtr plan_;
  const Ledger ledger_;
  const std::string load_id_;
  RowEncoder encoder_;
  const std::string copy_;          ///< the statement, to go on after an interruption
  const std::string careful_copy_;  ///< without FREEZE, which no savepoint allows
  const ExceptionsTable exceptions_table_;
  connect::RowRefusalSink* sink_ = nullptr;
  bool is_careful_ = false;
  bool was_row_refused_ = false;
  std::vector<std::size_t> good_;        ///< careful: rows of the batch that can be encoded
  std::vector<std::string_view> lines_;  ///< careful: rows of the batch in text form
  std::vector<RowException> exceptions_;
  std::size_t exceptions_bytes_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t rows_in_copy_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t bytes_ = 0;
};

Error column_error(const schema::TablePlan& plan, const schema::ColumnPlan& column,
                   std::string_view code, std::string message, std::string hint) {
  return make_error(ErrorKind::kSchema, code, std::move(message), std::move(hint))
      .with("table", to_text(plan.target))
      .with("column", column.target_name);
}

Result<ColumnEncoder> encoder_for(const schema::TablePlan& plan, const schema::ColumnPlan& column,
                                  const NativeTable& table) {
  const NativeColumn* native = table.find(column.target_name);
  if (native == nullptr) {
    return column_error(plan, column, "postgres.unknown_column",
                        "the table on the target lacks a column",
                        "Add the column, or use DROP_AND_CREATE");
  }
  if (native->is_generated) {
    return column_error(plan, column, "postgres.generated_column",
                        "a generated column of the target cannot be loaded",
                        "Leave the column out with the table mappings");
  }
  auto encoder = wire::choose_encoder(column.type, native->type, column.trim_blanks);
  if (!encoder) {
    return column_error(plan, column, "postgres.no_conversion",
                        "values of type " + describe(column.type) +
                            " have no form in a column of type " + native->type.name,
                        "Change the column's type on the target, or let Wherry create the table "
                        "(DROP_AND_CREATE)");
  }
  return *encoder;
}

}  // namespace

Result<std::unique_ptr<connect::LoadSession>> start_load(OpContext& context,
                                                         std::shared_ptr<ConnectionPool> pool,
                                                         std::unique_ptr<Connection> connection,
                                                         CopyTarget target) {
  std::vector<ColumnEncoder> encoders;
  std::string names;
  for (const schema::ColumnPlan& column : target.plan->columns) {
    WHERRY_ASSIGN(ColumnEncoder encoder, encoder_for(*target.plan, column, target.table));
    encoder.refuses_zeros = pool->settings().refuses_null_characters;
    if (!target.plan->is_native) encoders.push_back(encoder);
    WHERRY_ASSIGN(const std::string name, schema::quote_identifier(column.target_name));
    names += (names.empty() ? "" : ", ") + name;
  }
  WHERRY_ASSIGN(const std::string name, schema::quote_table(target.plan->target));
  const bool is_text = target.plan->is_native && target.plan->is_native_text;
  const std::string copy =
      "copy " + name + " (" + names + ") from stdin (format " + (is_text ? "text" : "binary");
  const std::string frozen_copy = copy + (target.freeze ? ", freeze true)" : ")");
  WHERRY_TRY(Ledger::begin(context, *connection, target.segment));
  std::string sql;
  if (target.as_replica) sql += "set local session_replication_role = replica; ";
  if (target.freeze) sql += "truncate table " + name + "; ";
  auto started = connection->begin_copy_in(context, sql + frozen_copy);
  if (!started) return std::move(started).error().with("table", to_text(target.plan->target));
  return std::unique_ptr<connect::LoadSession>(
      std::make_unique<CopySession>(std::move(pool), std::move(connection), target,
                                    std::move(encoders), frozen_copy, copy + ")"));
}

}  // namespace wherry::postgres
