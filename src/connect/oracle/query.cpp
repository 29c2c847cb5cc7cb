#include "connect/oracle/query.h"

#include <algorithm>

#include "connect/oracle/lob_reader.h"

namespace wherry::oracle {

using wire::ByteView;
using wire::Message;
using wire::Reader;

namespace {

constexpr std::uint32_t kMinArrayRows = 50;
constexpr std::uint32_t kMaxArrayRows = 10'000;
/// Rows whose LOBs are read one by one wait in memory meanwhile.
constexpr std::uint32_t kMaxStagedRows = 200;
constexpr std::uint32_t kLocatorBytes = 64;
constexpr std::uint32_t kLongGuessBytes = 4000;

/// What a value is likely to take on the wire. Declared lengths of strings are mostly generous.
std::uint32_t likely_bytes(const ColumnDescription& column) {
  if (wire::is_lob(column.type)) return kLocatorBytes;
  if (wire::is_long(column.type)) return kLongGuessBytes;
  constexpr std::uint32_t kShort = 40;
  return column.max_bytes <= kShort ? column.max_bytes + 1
                                    : kShort + (column.max_bytes - kShort) / 4;
}

bool needs_define(const ColumnDescription& column) {
  return wire::is_lob(column.type) || column.type == OracleType::kJson ||
         column.type == OracleType::kVector;
}

wire::ValueFormat define_format(const ColumnDescription& column, LobMode mode) {
  wire::ValueFormat format;
  format.type = column.type;
  format.form = column.form;
  format.max_bytes = column.max_bytes;
  const bool has_text = natural_kind(column) == CellKind::kText &&
                        column.type != OracleType::kRowid && column.type != OracleType::kUrowid;
  if (!has_text) format.form = CharsetForm::kNone;
  if (!wire::is_lob(column.type)) return format;
  if (mode == LobMode::kLocator) {
    format.continuation_flags = wire::kLobPrefetchFlag;
    return format;
  }
  format.type = column.type == OracleType::kClob ? OracleType::kLong : OracleType::kLongRaw;
  format.max_bytes = wire::kMaxLongBytes;
  return format;
}

}  // namespace

BindSet BindSet::of(std::span<const std::span<const Bind>> rows, bool is_plsql,
                    const wire::Dialect& dialect) {
  constexpr std::uint32_t kLongStrings = 32767, kShortStrings = 4000;
  const std::uint32_t limit = dialect.long_strings ? kLongStrings : kShortStrings;
  BindSet set;
  for (const std::span<const Bind> row : rows) {
    std::vector<wire::BindValue>& values = set.rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Bind& bind = row[i];
      if (set.formats.size() <= i) {
        set.formats.push_back({bind.type(), bind.form(), 0, 0});
        set.is_long.push_back(0);
      }
      wire::ValueFormat& format = set.formats[i];
      format.max_bytes = std::max(format.max_bytes, bind.max_bytes());
      if (!is_plsql && format.max_bytes > limit) {
        set.is_long[i] = 1;
        if (format.max_bytes > kLongStrings && format.type == OracleType::kVarchar) {
          format.type = OracleType::kLong;
        }
        if (format.max_bytes > kLongStrings && format.type == OracleType::kRaw) {
          format.type = OracleType::kLongRaw;
        }
      }
      // Values of returning binds are not sent; in PL/SQL an OUT bind sends a null.
      if (!is_plsql && !bind.is_in()) continue;
      wire::BindValue value;
      value.type = bind.type();
      value.is_null = !bind.wire().has_value();
      if (bind.wire()) value.bytes = *bind.wire();
      values.push_back(value);
    }
  }
  return set;
}

QueryImpl::QueryImpl(std::shared_ptr<Caller> caller, const FetchOptions& options,
                     std::optional<wire::ZoneField> database_zone)
    : caller_(std::move(caller)),
      options_(options),
      database_zone_(database_zone),
      large_(options.lob_inline_max_bytes),
      spill_(options.spill_directory) {}

QueryImpl::~QueryImpl() {
  caller_->close_cursor_later(cursor_id_);
}

bool QueryImpl::has_lobs() const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [](const ColumnDescription& c) { return needs_define(c); });
}

std::uint32_t QueryImpl::choose_array_rows() const {
  std::uint32_t row_bytes = 1;
  for (const ColumnDescription& column : columns_) row_bytes += likely_bytes(column);
  const bool staged = has_lobs() && options_.lob_mode == LobMode::kLocator;
  if (options_.array_rows != 0) return options_.array_rows;
  const std::uint32_t rows =
      std::clamp(options_.round_trip_bytes / row_bytes, kMinArrayRows, kMaxArrayRows);
  return staged ? std::min(rows, kMaxStagedRows) : rows;
}

Result<void> QueryImpl::execute(const OpContext& context, std::string_view sql,
                                std::span<const Bind> binds) {
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_->begin(context));
  const BindSet set = BindSet::of(std::span(&binds, 1), false, caller_->dialect());
  wire::ExecuteRequest request;
  request.options = wire::kParse | wire::kExecuteOption | wire::kNotPlsql;
  if (!binds.empty()) request.options |= wire::kBind;
  if (options_.prefetch_rows != 0) request.options |= wire::kFetchOption;
  request.sql = sql;
  request.is_query = true;
  request.prefetch_rows = options_.prefetch_rows;
  request.iterations = 0;
  request.binds = set.formats;
  request.rows = set.rows;
  request.is_long_bind = set.is_long;
  builder->execute(request);
  WHERRY_TRY(caller_->send(context));
  WHERRY_TRY(read_description(context));
  array_rows_ = choose_array_rows();
  if (has_lobs() && !caller_->response_pending() && !exhausted_) WHERRY_TRY(define(context));
  call_number_ = caller_->call_number();
  return {};
}

Result<void> QueryImpl::read_description(const OpContext& context) {
  while (true) {
    WHERRY_ASSIGN(const auto message, caller_->next(context));
    if (!message) {
      end_response();
      return {};
    }
    switch (*message) {
      case Message::kDescribe: {
        WHERRY_ASSIGN(auto description, caller_->take(context, [this](Reader& in) {
          return decode_describe(in, caller_->dialect());
        }));
        if (description) columns_ = std::move(description->columns);
        break;
      }
      case Message::kRowHeader:
      case Message::kRowData:
      case Message::kBitVector:
        pending_message_ = *message;
        return {};
      default: {
        RowBatch unused(0);
        WHERRY_TRY(take_message(context, *message, unused));
      }
    }
  }
}

void QueryImpl::end_response() {
  const wire::CallResult& result = caller_->result();
  if (result.cursor_id != 0) cursor_id_ = result.cursor_id;
  if (result.code == wire::kNoDataFound) exhausted_ = true;
}

Result<void> QueryImpl::define(const OpContext& context) {
  std::vector<wire::ValueFormat> formats;
  for (const ColumnDescription& column : columns_) {
    formats.push_back(define_format(column, options_.lob_mode));
  }
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_->begin(context));
  wire::ExecuteRequest request;
  request.options = wire::kDefine | wire::kNotPlsql;
  request.cursor_id = cursor_id_;
  request.is_query = true;
  request.prefetch_rows = array_rows_;
  request.iterations = array_rows_;
  request.defines = formats;
  builder->execute(request);
  WHERRY_TRY(caller_->send(context));
  // Servers answer with a status alone, but rows may come at once.
  return read_description(context);
}

Result<void> QueryImpl::prepare(std::span<const CellKind> wanted) {
  if (decoder_) return {};
  const bool has_local_times = std::any_of(
      columns_.begin(), columns_.end(),
      [](const ColumnDescription& column) { return column.type == OracleType::kTimestampLtz; });
  if (has_local_times && !database_zone_) {
    return make_error(ErrorKind::kUnsupported, "oracle.database_time_zone",
                      "The server did not tell its time zone (DBTIMEZONE), so TIMESTAMP WITH LOCAL "
                      "TIME ZONE columns cannot be read",
                      "Select SYS_EXTRACT_UTC of those columns");
  }
  RowDecoder::Options options;
  options.lobs_inline = options_.lob_mode == LobMode::kInline;
  options.inline_max_bytes = options_.lob_inline_max_bytes;
  options.spill_directory = options_.spill_directory;
  options.database_zone = database_zone_.value_or(wire::ZoneField());
  WHERRY_ASSIGN(decoder_, RowDecoder::make(columns_, wanted, caller_->dialect(), options));
  return {};
}

Result<void> QueryImpl::request_rows(const OpContext& context) {
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_->begin(context));
  builder->fetch(cursor_id_, array_rows_);
  WHERRY_TRY(caller_->send(context));
  call_number_ = caller_->call_number();
  return {};
}

Result<FetchState> QueryImpl::fetch(OpContext& context, std::span<const CellKind> wanted,
                                    RowBatch& out) {
  WHERRY_ASSERT(wanted.size() == columns_.size(), "one kind for each column of the query");
  WHERRY_TRY(prepare(wanted));
  out.reset(columns_.size());
  if (caller_->response_pending() && caller_->call_number() != call_number_) {
    return make_error(ErrorKind::kInternal, "oracle.session_in_use",
                      "The session was used for something else while a query was running",
                      "Please report this as a bug");
  }
  const bool staged = has_lobs() && options_.lob_mode == LobMode::kLocator;
  auto state = staged ? fetch_with_lobs(context, out) : fetch_rows(context, out);
  if (!state.ok()) exhausted_ = true;
  row_count_ += out.row_count();
  return state;
}

Result<FetchState> QueryImpl::fetch_rows(const OpContext& context, RowBatch& out) {
  while (true) {
    if (!caller_->response_pending() && !pending_message_) {
      if (exhausted_) return FetchState::kEnd;
      WHERRY_TRY(request_rows(context));
    }
    WHERRY_ASSIGN(const Progress progress, read_rows(context, out, false));
    // The server prepares the next rows while these are on their way to the target.
    if (progress == Progress::kResponseEnd && !exhausted_) WHERRY_TRY(request_rows(context));
    if (out.is_full()) {
      decoder_->hand_over(out);
      return FetchState::kMore;
    }
    if (exhausted_) return FetchState::kEnd;
  }
}

Result<QueryImpl::Progress> QueryImpl::read_rows(const OpContext& context, RowBatch& out,
                                                 bool whole_response) {
  if (pending_message_) {
    const Message message = *pending_message_;
    pending_message_.reset();
    WHERRY_TRY(take_message(context, message, out));
  }
  while (true) {
    WHERRY_ASSIGN(const bool full, decode_window(out, whole_response));
    if (full) return Progress::kFull;
    if (decoder_->in_row()) {
      WHERRY_ASSIGN(const Received received, caller_->receive(context));
      if (received == Received::kData) continue;
    }
    WHERRY_ASSIGN(const auto message, caller_->next(context));
    if (!message) {
      end_response();
      return Progress::kResponseEnd;
    }
    WHERRY_TRY(take_message(context, *message, out));
  }
}

Result<bool> QueryImpl::decode_window(RowBatch& out, bool whole_response) {
  constexpr auto kRowData = static_cast<std::uint8_t>(Message::kRowData);
  const ByteView window = caller_->window();
  RowDecoder& decoder = *decoder_;
  std::size_t at = 0;
  RowStep step = RowStep::kRow;
  bool full = false;
  while (at < window.size()) {
    if (!decoder.in_row()) {
      if (!whole_response && out.is_full()) {
        full = true;
        break;
      }
      if (window[at] != kRowData) break;
      ++at;
    }
    std::size_t consumed = 0;
    step = decoder.decode(window.subspan(at), consumed, out);
    at += consumed;
    if (step != RowStep::kRow) break;
  }
  caller_->consume(at);
  if (step == RowStep::kError) return decoder.take_error();
  return full;
}

Result<void> QueryImpl::take_message(const OpContext& context, Message message, RowBatch& out) {
  const wire::Dialect& dialect = caller_->dialect();
  switch (message) {
    case Message::kRowHeader: {
      WHERRY_ASSIGN(const auto header,
                    caller_->take(context, [](Reader& in) { return decode_row_header(in); }));
      if (header && decoder_) decoder_->set_bit_vector(header->bit_vector);
      return {};
    }
    case Message::kBitVector: {
      WHERRY_ASSIGN(const auto vector, caller_->take(context, [this](Reader& in) {
        return decode_bit_vector(in, columns_.size());
      }));
      if (vector && decoder_) decoder_->set_bit_vector(vector->bits);
      return {};
    }
    case Message::kRowData: {
      // The type byte was taken alone: begin the row with whatever is there.
      std::size_t consumed = 0;
      const RowStep step = decoder_->decode(caller_->window(), consumed, out);
      caller_->consume(consumed);
      if (step == RowStep::kError) return decoder_->take_error();
      return {};
    }
    case Message::kParameters:
      WHERRY_TRY(caller_->take(
          context, [&](Reader& in) { return decode_return_parameters(in, dialect, false); }));
      return {};
    case Message::kImplicitResults:
      WHERRY_TRY(
          caller_->take(context, [&](Reader& in) { return decode_implicit_results(in, dialect); }));
      return {};
    case Message::kDescribe:
      return server_error(1007, "the columns of the query changed while it was running");
    default:
      caller_->set_broken();
      return protocol_error("message " + std::to_string(static_cast<int>(message)) +
                            " came as the answer to a query");
  }
}

Result<FetchState> QueryImpl::fetch_with_lobs(const OpContext& context, RowBatch& out) {
  spill_.start_batch();
  while (!out.is_full()) {
    if (staged_next_ < staged_.row_count()) {
      WHERRY_TRY(move_staged_row(context, out));
      continue;
    }
    if (exhausted_ && !pending_message_) return FetchState::kEnd;
    decoder_->hand_over(staged_);
    staged_.reset(columns_.size());
    staged_next_ = 0;
    if (!caller_->response_pending() && !pending_message_) WHERRY_TRY(request_rows(context));
    WHERRY_TRY(read_rows(context, staged_, true));
  }
  return FetchState::kMore;
}

Result<void> QueryImpl::move_staged_row(const OpContext& context, RowBatch& out) {
  Cell* const row = out.append_row();
  decoder_->copy_row(staged_.row(staged_next_), row, out);
  ++staged_next_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (row[i].state == CellState::kSpilled) out.keep(decoder_->spill_file());
    if (!wire::is_lob(columns_[i].type) || row[i].state != CellState::kSet) continue;
    WHERRY_TRY(resolve_lob(context, i, row[i], out));
  }
  return {};
}

Result<void> QueryImpl::resolve_lob(const OpContext& context, std::size_t column, Cell& cell,
                                    RowBatch& out) {
  const wire::LobValue& lob = wire::lob_of(cell);
  const LobEncoding encoding =
      encoding_of(lob.locator(), columns_[column].type, columns_[column].form);
  if (is_temporary(lob.locator())) {
    caller_->free_lob_later(std::string(wire::text_of(lob.locator())));
  }
  auto read = LobReader(*caller_).read(context, lob, encoding, [&](std::string_view piece) {
    return large_.append(piece, out, spill_);
  });
  if (!read.ok()) {
    large_.clear();
    return std::move(read).error().with("column", columns_[column].name);
  }
  large_.finish(out, cell);
  return {};
}

}  // namespace wherry::oracle
