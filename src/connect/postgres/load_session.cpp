#include "connect/postgres/load_session.h"

#include <charconv>

#include "connect/postgres/wire/encoder.h"
#include "connect/postgres/wire/utf8.h"
#include "core/spill_file.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using wire::ColumnEncoder;
using wire::EncodeStatus;

constexpr std::size_t kSendBytes = 64 * 1024;

std::string_view code_of(EncodeStatus status) {
  switch (status) {
    case EncodeStatus::kBadText:
      return "postgres.bad_text";
    case EncodeStatus::kOutOfRange:
      return "postgres.value_out_of_range";
    case EncodeStatus::kWouldRound:
      return "postgres.value_would_be_cut";
    case EncodeStatus::kTooLong:
      return "postgres.value_too_long";
    case EncodeStatus::kTooLarge:
      return "postgres.value_too_large";
    default:
      return "postgres.wrong_form";
  }
}

std::string_view hint_of(EncodeStatus status) {
  switch (status) {
    case EncodeStatus::kBadText:
      return "Correct the text in the source row";
    case EncodeStatus::kTooLarge:
      return "Leave the column out with the table mappings, or shorten the value";
    case EncodeStatus::kWrongForm:
      return "Give the column on the target a type that fits the source's";
    default:
      return "Widen the column on the target, or let Wherry create the table (DROP_AND_CREATE)";
  }
}

/// A key value for a message: text forms, hex for bytes.
std::string text_of_cell(const schema::LogicalType& type, const Cell& cell) {
  if (cell.state != CellState::kSet) return cell.is_null() ? "NULL" : "(large)";
  wire::CopyBuffer out;
  if (cell.kind == CellKind::kBytes) {
    std::string hex;
    for (const char c : cell.bytes()) {
      constexpr char kDigits[] = "0123456789abcdef";
      hex += kDigits[static_cast<unsigned char>(c) >> 4];
      hex += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return hex;
  }
  NativeType text;
  text.kind = NativeKind::kText;
  schema::LogicalType shown = type;
  shown.fraction_digits = 9;
  auto encoder = wire::choose_encoder(shown, text, false);
  if (!encoder || encoder->encode(*encoder, cell, out) != EncodeStatus::kOk) return "?";
  return std::string(out.view().substr(4));
}

std::string text_of_key(const schema::TablePlan& plan, const Cell* row) {
  std::string out;
  for (const std::size_t i : plan.key) {
    if (!out.empty()) out += ", ";
    out += plan.columns[i].target_name + "=" + text_of_cell(plan.columns[i].type, row[i]);
  }
  return out;
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

class CopySession : public connect::LoadSession {
 public:
  CopySession(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection,
              const CopyTarget& target, std::vector<ColumnEncoder> encoders)
      : pool_(std::move(pool)),
        connection_(std::move(connection)),
        plan_(target.plan),
        ledger_(target.ledger),
        load_id_(target.segment.load_id),
        encoders_(std::move(encoders)) {
    buffer_.append(wire::kCopyHeader);
  }

  Result<void> write(OpContext& context, const RowBatch& batch) override {
    WHERRY_ASSERT(batch.column_count() == encoders_.size() || batch.empty(),
                  "the batch has the plan's columns");
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      WHERRY_TRY(write_row(context, batch, r));
      ++rows_;
      if (buffer_.size() >= kSendBytes) WHERRY_TRY(send(context, &batch, rows_ - r - 1));
    }
    return {};
  }

  Result<connect::LoadReport> finish(OpContext& context,
                                     std::span<const connect::DoneChunk> chunks) override {
    buffer_.append(wire::kCopyTrailer);
    WHERRY_TRY(send(context, nullptr, 0));
    auto loaded = connection_->end_copy_in(context);
    if (!loaded) return server_error(std::move(loaded).error(), nullptr, 0);
    if (*loaded != rows_) return rows_dropped(*loaded);
    WHERRY_TRY(ledger_.record(context, *connection_, load_id_, chunks));
    // A message of its own: what was not asked to commit before the line broke never will.
    auto committed = connection_->execute(context, "cannot commit the rows", "commit");
    if (!committed) return std::move(committed).error().with("table", to_text(plan_->target));
    warn_of_zeros(context);
    pool_->give_back(std::move(connection_));
    return connect::LoadReport{rows_, bytes_};
  }

 private:
  Result<void> write_row(OpContext& context, const RowBatch& batch, std::size_t r) {
    const Cell* row = batch.row(r);
    wire::store_u16(buffer_.claim(2), static_cast<std::uint16_t>(encoders_.size()));
    for (std::size_t c = 0; c < encoders_.size(); ++c) {
      const EncodeStatus status = wire::encode_cell(encoders_[c], row[c], buffer_);
      if (status == EncodeStatus::kOk) continue;
      if (status != EncodeStatus::kSpilled) return value_error(status, c, row);
      WHERRY_TRY(stream(context, c, row, batch, rows_ - r));
    }
    return {};
  }

  /// A spilled value, piece by piece, so that it is never in memory whole.
  Result<void> stream(OpContext& context, std::size_t c, const Cell* row, const RowBatch& batch,
                      std::uint64_t rows_before_batch) {
    const auto& value = *reinterpret_cast<const SpilledValue*>(row[c].payload.ptr);
    ColumnEncoder& encoder = encoders_[c];
    const std::uint64_t prefix = encoder.is_jsonb ? 1 : 0;
    if (value.size_bytes + prefix > wire::kMaxValueBytes) {
      return value_error(EncodeStatus::kTooLarge, c, row);
    }
    wire::store_u32(buffer_.claim(4), static_cast<std::uint32_t>(value.size_bytes + prefix));
    if (prefix != 0) *buffer_.claim(1) = 1;
    for (std::uint64_t done = 0; done < value.size_bytes;) {
      const std::uint64_t left = value.size_bytes - done;
      piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kSendBytes)));
      WHERRY_ASSIGN(const std::size_t got, value.file->read(value.offset_bytes + done, piece_));
      WHERRY_ASSERT(got == piece_.size(), "a spill file holds what was written to it");
      const std::string_view piece(reinterpret_cast<const char*>(piece_.data()), got);
      if (encoder.is_text) {
        const std::size_t start = buffer_.size();
        const wire::Utf8Copy copy = wire::copy_utf8(piece, buffer_.claim(got), left > got);
        if (!copy.is_valid) return value_error(EncodeStatus::kBadText, c, row);
        buffer_.cut(start + copy.copied);
        encoder.zeros_replaced += copy.zeros;
        done += copy.copied;
      } else {
        buffer_.append(piece);
        done += got;
      }
      WHERRY_TRY(send(context, &batch, rows_before_batch));
    }
    return {};
  }

  Result<void> send(OpContext& context, const RowBatch* batch, std::uint64_t rows_before_batch) {
    auto sent = connection_->send_copy(context, buffer_.view());
    if (!sent) return server_error(std::move(sent).error(), batch, rows_before_batch);
    bytes_ += buffer_.size();
    buffer_.clear();
    return {};
  }

  Error value_error(EncodeStatus status, std::size_t c, const Cell* row) const {
    const schema::ColumnPlan& column = plan_->columns[c];
    Error error = make_error(ErrorKind::kData, code_of(status), std::string(text_of(status)),
                             std::string(hint_of(status)));
    error.with("table", to_text(plan_->target)).with("column", column.target_name);
    if (!column.target_type.empty()) error.with("column type", column.target_type);
    if (!column.source_type.empty()) error.with("source type", column.source_type);
    error.with("row", std::to_string(rows_ + 1));
    if (!plan_->key.empty()) error.with_row_data("key", text_of_key(*plan_, row));
    return error;
  }

  Error rows_dropped(std::uint64_t kept) const {
    return make_error(ErrorKind::kData, "postgres.rows_dropped",
                      "the table on the target kept fewer rows than were sent",
                      "A trigger of the table drops them: disable it during the load")
        .with("table", to_text(plan_->target))
        .with("sent", std::to_string(rows_))
        .with("kept", std::to_string(kept));
  }

  Error server_error(Error error, const RowBatch* batch, std::uint64_t rows_before_batch) const {
    error.with("table", to_text(plan_->target));
    const std::uint64_t line = find_line(error.native_detail);
    if (line == 0) return error;
    error.with("row", std::to_string(line));
    const bool is_here = batch != nullptr && line > rows_before_batch &&
                         line - rows_before_batch <= batch->row_count();
    if (is_here && !plan_->key.empty()) {
      error.with_row_data("key", text_of_key(*plan_, batch->row(line - rows_before_batch - 1)));
    }
    return error;
  }

  void warn_of_zeros(const OpContext& context) const {
    for (std::size_t c = 0; c < encoders_.size(); ++c) {
      if (encoders_[c].zeros_replaced == 0) continue;
      context.log.as(Component::kTargetLoad)
          .warn("characters U+0000 were replaced by spaces: PostgreSQL text cannot hold them",
                {{"table", to_text(plan_->target)},
                 {"column", plan_->columns[c].target_name},
                 {"count", std::to_string(encoders_[c].zeros_replaced)}});
    }
  }

  std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Connection> connection_;
  const schema::TablePlanPtr plan_;
  const Ledger ledger_;
  const std::string load_id_;
  std::vector<ColumnEncoder> encoders_;
  wire::CopyBuffer buffer_;
  std::vector<std::byte> piece_;
  std::uint64_t rows_ = 0;
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
    encoders.push_back(encoder);
    WHERRY_ASSIGN(const std::string name, schema::quote_identifier(column.target_name));
    names += (names.empty() ? "" : ", ") + name;
  }
  WHERRY_ASSIGN(const std::string name, schema::quote_table(target.plan->target));
  WHERRY_TRY(Ledger::begin(context, *connection, target.segment));
  std::string sql = target.freeze ? "truncate table " + name + "; " : "";
  sql += "copy " + name + " (" + names + ") from stdin (format binary" +
         (target.freeze ? ", freeze true)" : ")");
  auto started = connection->begin_copy_in(context, sql);
  if (!started) return std::move(started).error().with("table", to_text(target.plan->target));
  return std::unique_ptr<connect::LoadSession>(std::make_unique<CopySession>(
      std::move(pool), std::move(connection), target, std::move(encoders)));
}

}  // namespace wherry::postgres
