#include "connect/oracle/query.h"

#include <algorithm>
#include <utility>

#include "connect/oracle/lob_reader.h"

namespace wherry::oracle {

using wire::ByteView;
using wire::Message;
using wire::Reader;

namespace {

constexpr std::uint32_t kMinArrayRows = 50;
constexpr std::uint32_t kMaxArrayRows = 10'000;
/// Rows whose LOBs are read one by one wait in memory meanwhile.
constexpr std::uint32_t kMaxStagedRows = 500;
constexpr std::uint32_t kLocatorBytes = 64;
constexpr std::uint32_t kLongGuessBytes = 4000;
/// Most LOBs are small; large ones stream, so that many in a response cost no memory.
constexpr std::uint32_t kInlineLobGuessBytes = 1000;

/// What a value is likely to take on the wire. Declared lengths of strings are mostly generous.
std::uint32_t likely_bytes(const ColumnDescription& column, const FetchOptions& options) {
  if (wire::is_lob(column.type)) {
    if (options.lob_mode == LobMode::kInline) return kInlineLobGuessBytes;
    return options.lob_mode == LobMode::kPrefetch
               ? kLocatorBytes + std::min(options.lob_prefetch, kInlineLobGuessBytes)
               : kLocatorBytes;
  }
  if (wire::is_long(column.type)) return kLongGuessBytes;
  constexpr std::uint32_t kShort = 40;
  return column.max_bytes <= kShort ? column.max_bytes + 1
                                    : kShort + (column.max_bytes - kShort) / 4;
}

/// Rows whose prefetched LOB data may wait in memory together.
std::uint32_t prefetched_rows(std::span<const ColumnDescription> columns,
                              const FetchOptions& options) {
  constexpr std::uint64_t kStagedBytes = 8 * 1024 * 1024;
  constexpr std::uint64_t kFewestRows = 10;
  const auto lobs = std::count_if(columns.begin(), columns.end(),
                                  [](const ColumnDescription& c) { return wire::is_lob(c.type); });
  if (options.lob_mode != LobMode::kPrefetch || lobs == 0 || options.lob_prefetch == 0) {
    return kMaxStagedRows;
  }
  // Characters take two bytes.
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(lobs) * 2 * options.lob_prefetch;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(kMaxStagedRows, std::max(kFewestRows, kStagedBytes / row_bytes)));
}

bool needs_define(const ColumnDescription& column) {
  return wire::is_lob(column.type) || column.type == OracleType::kJson ||
         column.type == OracleType::kVector;
}

bool is_character(OracleType type) {
  switch (type) {
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kLong:
    case OracleType::kClob:
      return true;
    default:
      return false;
  }
}

/// A column that was a string or RAW when the statement was parsed and is a LOB now: the server
/// goes on sending what was defined, as LONG or LONG RAW.
void keep_as_long(const ColumnDescription& before, ColumnDescription& now) {
  if (!wire::is_lob(now.type) || wire::is_lob(before.type)) return;
  if (now.type == OracleType::kClob && is_character(before.type)) now.type = OracleType::kLong;
  if (now.type == OracleType::kBlob && !is_character(before.type)) now.type = OracleType::kLongRaw;
}

bool same_kinds(std::span<const ColumnDescription> a, std::span<const ColumnDescription> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ColumnDescription& x, const ColumnDescription& y) {
                      return natural_kind(x) == natural_kind(y) && x.name == y.name;
                    });
}

/// Room for a text as it is sent: the server counts in its own character set, and converts. As
/// official clients do, four bytes a character where the sets differ.
std::uint32_t text_buffer_bytes(const ColumnDescription& column) {
  constexpr std::uint32_t kMaxUtf8Bytes = 4;
  const bool is_short = column.type == OracleType::kVarchar || column.type == OracleType::kChar;
  const bool is_converted =
      column.form == CharsetForm::kDatabase && column.charset != wire::kCharsetAl32Utf8;
  if (!is_short || !is_converted) return column.max_bytes;
  return std::max(column.max_bytes, column.max_characters * kMaxUtf8Bytes);
}

wire::ValueFormat define_format(const ColumnDescription& column, const FetchOptions& options) {
  wire::ValueFormat format;
  format.type = column.type;
  format.form = column.form;
  format.max_bytes = column.max_bytes;
  if (is_character(column.type)) {
    format.max_bytes = text_buffer_bytes(column);
  } else {
    format.form = CharsetForm::kNone;
  }
  if (column.type == OracleType::kJson || column.type == OracleType::kVector) {
    format.continuation_flags = wire::kLobPrefetchFlag;
    format.prefetch_length =
        column.type == OracleType::kJson ? wire::kMaxJsonBytes : wire::kMaxVectorBytes;
    return format;
  }
  if (!wire::is_lob(column.type)) return format;
  if (options.lob_mode != LobMode::kInline) {
    format.continuation_flags = wire::kLobPrefetchFlag;
    if (options.lob_mode == LobMode::kPrefetch) format.prefetch_length = options.lob_prefetch;
    return format;
  }
  format.type = column.type == OracleType::kClob ? OracleType::kLong : OracleType::kLongRaw;
  format.max_bytes = wire::kMaxLongBytes;
  return format;
}

}  // namespace

namespace {

wire::ValueFormat bind_format(const Bind& bind) {
  wire::ValueFormat format;
  format.type = bind.type();
  format.form = bind.form();
  if (wire::is_lob(bind.type())) format.continuation_flags = wire::kLobPrefetchFlag;
  if (bind.type() == OracleType::kJson || bind.type() == OracleType::kVector) {
    format.continuation_flags = wire::kLobPrefetchFlag;
    format.prefetch_length = bind.max_bytes();
  }
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
        set.formats.push_back(bind_format(bind));
        set.is_long.push_back(0);
      }
      wire::ValueFormat& format = set.formats[i];
      format.max_bytes = std::max(format.max_bytes, bind.max_bytes());
      format.max_elements = std::max(format.max_elements, bind.max_elements());
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
      value.is_array = bind.is_array();
      value.elements = bind.elements();
      values.push_back(value);
    }
  }
  return set;
}

QueryImpl::QueryImpl(SessionParts parts, const FetchOptions& options)
    : parts_(std::move(parts)),
      caller_(parts_.caller),
      options_(options),
      large_(options.lob_inline_max_bytes),
      spill_(options.spill_directory) {}

QueryImpl::~QueryImpl() {
  // A response still on its way is given up by the next call; its cursor is not worth keeping.
  give_cursor_back(false);
}

void QueryImpl::give_cursor_back(bool is_good) {
  const std::uint32_t id = std::exchange(cursor_id_, 0);
  if (id == 0 || owner_ == CursorOwner::kQuery) return;
  if (!is_good || origin_ == Origin::kAdopted) return caller_->close_cursor_later(id);
  CachedStatement statement;
  statement.sql = sql_;
  statement.cursor_id = id;
  statement.columns = columns_;
  parts_.cache->put(std::move(statement));
}

bool QueryImpl::needs_defines() const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [](const ColumnDescription& c) { return needs_define(c); });
}

bool QueryImpl::is_staged() const {
  const bool by_locator = options_.lob_mode != LobMode::kInline;
  return origin_ == Origin::kAdopted ||
         std::any_of(columns_.begin(), columns_.end(), [&](const ColumnDescription& c) {
           return (wire::is_lob(c.type) && by_locator) || c.type == OracleType::kBfile ||
                  c.type == OracleType::kObject || c.type == OracleType::kCursor;
         });
}

bool QueryImpl::may_read_ahead() const {
  return options_.lob_mode == LobMode::kPrefetch && origin_ != Origin::kAdopted &&
         std::none_of(columns_.begin(), columns_.end(),
                      [](const ColumnDescription& c) { return c.type == OracleType::kCursor; });
}

std::uint32_t QueryImpl::choose_array_rows() const {
  if (options_.array_rows != 0) return options_.array_rows;
  std::uint32_t row_bytes = 1;
  for (const ColumnDescription& column : columns_) {
    row_bytes += likely_bytes(column, options_);
  }
  const std::uint32_t rows =
      std::clamp(options_.round_trip_bytes / row_bytes, kMinArrayRows, kMaxArrayRows);
  return is_staged() ? std::min({rows, kMaxStagedRows, prefetched_rows(columns_, options_)}) : rows;
}

void QueryImpl::adopt(wire::ImplicitResult cursor, CursorOwner owner) {
  origin_ = Origin::kAdopted;
  owner_ = owner;
  cursor_id_ = cursor.cursor_id;
  columns_ = std::move(cursor.description.columns);
  array_rows_ = choose_array_rows();
}

Result<void> QueryImpl::execute(const OpContext& context, std::string_view sql,
                                std::span<const Bind> binds) {
  sql_ = sql;
  binds_.assign(binds.begin(), binds.end());
  if (auto cached = parts_.cache->take(sql)) {
    origin_ = Origin::kCached;
    cursor_id_ = cached->cursor_id;
    columns_ = std::move(cached->columns);
    auto done = execute_once(context, {});
    if (done.ok() || !wants_new_parse(done.error())) return done;
    return parse_again(context);
  }
  return execute_once(context, sql_);
}

/// The table is not what it was when the statement was parsed.
Result<void> QueryImpl::parse_again(const OpContext& context) {
  give_cursor_back(false);
  origin_ = Origin::kParsed;
  columns_.clear();
  pending_message_.reset();
  exhausted_ = false;
  return execute_once(context, sql_);
}

/// `sql` empty: the cursor's own.
Result<void> QueryImpl::execute_once(const OpContext& context, std::string_view sql) {
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_->begin(context));
  const std::span<const Bind> binds(binds_);
  const BindSet set = BindSet::of(std::span(&binds, 1), false, caller_->dialect());
  // Rows of LOB columns that are not defined yet do not come with the execution.
  const std::uint32_t prefetch_rows = needs_defines() ? 0 : options_.prefetch_rows;
  wire::ExecuteRequest request;
  request.options = wire::kExecuteOption | wire::kNotPlsql;
  if (!sql.empty()) request.options |= wire::kParse;
  if (!binds.empty()) request.options |= wire::kBind;
  if (prefetch_rows != 0) request.options |= wire::kFetchOption;
  request.cursor_id = cursor_id_;
  request.sql = sql;
  request.is_query = true;
  request.prefetch_rows = prefetch_rows;
  request.iterations = sql.empty() ? prefetch_rows : 0;
  request.binds = set.formats;
  if (!binds.empty()) request.rows = set.rows;
  request.is_long_bind = set.is_long;
  builder->execute(request);
  WHERRY_TRY(caller_->send(context));
  WHERRY_TRY(read_description(context));
  array_rows_ = choose_array_rows();
  if (needs_defines() && !caller_->response_pending() && !exhausted_) WHERRY_TRY(define(context));
  call_number_ = caller_->call_number();
  return {};
}

void QueryImpl::take_description(std::vector<ColumnDescription> columns) {
  for (std::size_t i = 0; i < columns.size() && i < columns_.size(); ++i) {
    keep_as_long(columns_[i], columns[i]);
  }
  columns_ = std::move(columns);
}

Result<void> QueryImpl::read_description(const OpContext& context) {
  while (true) {
    auto next = caller_->next(context);
    if (!next.ok()) {
      // The server opened a cursor for a statement that fails all the same.
      if (cursor_id_ == 0 && !caller_->is_broken()) cursor_id_ = caller_->result().cursor_id;
      return std::move(next).error();
    }
    const auto message = *next;
    if (!message) {
      end_response();
      return {};
    }
    switch (*message) {
      case Message::kDescribe: {
        WHERRY_ASSIGN(auto description, caller_->take(context, [this](Reader& in) {
          return decode_describe(in, caller_->dialect());
        }));
        if (description) take_description(std::move(description->columns));
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
  if (result.cursor_id != 0 && origin_ != Origin::kAdopted) cursor_id_ = result.cursor_id;
  if (result.code == wire::kNoDataFound) exhausted_ = true;
}

Result<void> QueryImpl::define(const OpContext& context) {
  std::vector<wire::ValueFormat> formats;
  for (const ColumnDescription& column : columns_) {
    formats.push_back(define_format(column, options_));
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
  if (has_local_times && !parts_.database_zone) {
    return make_error(ErrorKind::kUnsupported, "oracle.database_time_zone",
                      "The server did not tell its time zone (DBTIMEZONE), so TIMESTAMP WITH LOCAL "
                      "TIME ZONE columns cannot be read",
                      "Select SYS_EXTRACT_UTC of those columns");
  }
  RowDecoder::Options options;
  options.lobs_inline = options_.lob_mode == LobMode::kInline;
  if (options_.lob_mode == LobMode::kPrefetch && options_.lob_prefetch != 0) {
    options.lob_form = wire::LobForm::kPrefetched;
  }
  options.lobs_as_handles = options_.lob_mode == LobMode::kHandle;
  options.skip_unreadable = options_.unreadable == UnreadableColumns::kSkip;
  options.keep_bad_values = options_.keep_bad_values;
  options.inline_max_bytes = options_.lob_inline_max_bytes;
  options.spill_directory = options_.spill_directory;
  options.database_zone = parts_.database_zone.value_or(wire::ZoneField());
  WHERRY_ASSIGN(decoder_, RowDecoder::make(columns_, wanted, caller_->dialect(), options));
  wanted_.assign(wanted.begin(), wanted.end());
  return {};
}

std::vector<std::string> QueryImpl::unreadable_columns() const {
  std::vector<std::string> names;
  for (const ColumnDescription& column : columns_) {
    if (natural_kind(column)) continue;
    names.push_back(column.name + " (" + type_text(column) + ")");
  }
  return names;
}

Result<std::unique_ptr<Query>> QueryImpl::nested(const Cell& cell) {
  WHERRY_ASSERT(cell.kind == CellKind::kInt64 && cell.state == CellState::kSet,
                "the cell of a cursor column");
  auto cursor = decoder_->take_cursor(static_cast<std::size_t>(cell.payload.i64));
  if (!cursor) {
    return make_error(ErrorKind::kInternal, "oracle.nested_cursor",
                      "The rows of a nested cursor can be asked for once, before the next fetch",
                      "Read it right after its row");
  }
  auto query = std::make_unique<QueryImpl>(parts_, options_);
  query->adopt(*std::move(cursor), CursorOwner::kQuery);
  return std::unique_ptr<Query>(std::move(query));
}

Result<void> QueryImpl::request_rows(const OpContext& context) {
  if (origin_ == Origin::kAdopted && row_count_ == 0 && staged_.empty() && needs_defines() &&
      !defined_) {
    defined_ = true;
    WHERRY_TRY(define(context));
    call_number_ = caller_->call_number();
    if (pending_message_ || exhausted_) return {};
  }
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_->begin(context));
  if (origin_ == Origin::kAdopted) {
    wire::ExecuteRequest request;
    request.options = wire::kFetchOption | wire::kNotPlsql;
    request.cursor_id = cursor_id_;
    request.is_query = true;
    request.prefetch_rows = array_rows_;
    request.iterations = array_rows_;
    builder->execute(request);
  } else {
    builder->fetch(cursor_id_, array_rows_);
  }
  WHERRY_TRY(caller_->send(context));
  call_number_ = caller_->call_number();
  return {};
}

Result<FetchState> QueryImpl::fetch(OpContext& context, std::span<const CellKind> wanted,
                                    RowBatch& out) {
  WHERRY_ASSERT(wanted.size() == columns_.size(), "one kind for each column of the query");
  WHERRY_TRY(prepare(wanted));
  if (caller_->response_pending() && caller_->call_number() != call_number_) {
    return make_error(ErrorKind::kInternal, "oracle.session_in_use",
                      "The session was used for something else while a query was running",
                      "Please report this as a bug");
  }
  auto state = fetch_once(context, out);
  if (!state.ok() && origin_ == Origin::kCached && row_count_ == 0 &&
      wants_new_parse(state.error())) {
    const std::vector<ColumnDescription> before = columns_;
    WHERRY_TRY(parse_again(context));
    if (!same_kinds(before, columns_)) return std::move(state).error();
    decoder_.reset();
    WHERRY_TRY(prepare(wanted));
    state = fetch_once(context, out);
  }
  if (!state.ok()) {
    exhausted_ = true;
    give_cursor_back(false);
    return state;
  }
  row_count_ += out.row_count();
  if (*state == FetchState::kEnd) give_cursor_back(true);
  return state;
}

Result<FetchState> QueryImpl::fetch_once(const OpContext& context, RowBatch& out) {
  out.reset(columns_.size());
  return is_staged() ? fetch_staged(context, out) : fetch_rows(context, out);
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
  if (needs_staging_) return true;
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
    full = needs_staging_ = direct_ && !is_whole_row(out.row(out.row_count() - 1));
    if (full) break;
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
      needs_staging_ =
          direct_ && step == RowStep::kRow && !is_whole_row(out.row(out.row_count() - 1));
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
      return take_changed_description(context, out);
    default:
      caller_->set_broken();
      return protocol_error("message " + std::to_string(static_cast<int>(message)) +
                            " came as the answer to a query");
  }
}

/// The server found the table changed and describes it anew; rows go on in that form.
Result<void> QueryImpl::take_changed_description(const OpContext& context, const RowBatch& out) {
  WHERRY_ASSIGN(auto description, caller_->take(context, [this](Reader& in) {
    return decode_describe(in, caller_->dialect());
  }));
  if (!description) return {};
  const std::size_t count = columns_.size();
  take_description(std::move(description->columns));
  if (!decoder_) return {};
  const bool has_rows = row_count_ != 0 || !out.empty();
  if (has_rows || columns_.size() != count) {
    return server_error(1007, "the columns of the query changed while it was running");
  }
  decoder_.reset();
  const std::vector<CellKind> wanted = wanted_;
  return prepare(wanted);
}

/// Rows whose LOBs came whole go straight to `out`; from the first other one on, those of a
/// response wait until it has been read, and the session is free to read LOBs.
Result<FetchState> QueryImpl::fetch_staged(const OpContext& context, RowBatch& out) {
  spill_.start_batch();
  std::size_t direct_rows = 0;
  bool may_be_direct = may_read_ahead();
  auto state = FetchState::kMore;
  while (!out.is_full()) {
    if (staged_next_ < staged_.row_count()) {
      WHERRY_TRY(move_staged_row(context, out));
      may_be_direct = false;  // a row that repeats this one must find its LOBs as they came
      continue;
    }
    if (exhausted_ && !pending_message_ && !caller_->response_pending()) {
      state = FetchState::kEnd;
      break;
    }
    // Cursors in rows that were handed out are to be read before the next rows come.
    if (decoder_->has_cursors() && !out.empty()) break;
    decoder_->hand_over(staged_);
    decoder_->drop_cursors();
    staged_.reset(columns_.size());
    staged_next_ = 0;
    if (!caller_->response_pending() && !pending_message_) WHERRY_TRY(request_rows(context));
    if (may_be_direct) {
      WHERRY_ASSIGN(const bool is_read, read_direct(context, out));
      direct_rows = out.row_count();
      if (is_read) continue;
    }
    WHERRY_TRY(read_rows(context, staged_, true));
    // The server prepares the next rows while these are on their way to the target.
    if (!exhausted_ && staged_needs_no_call()) WHERRY_TRY(request_rows(context));
  }
  if (direct_rows != 0 && direct_rows == out.row_count()) decoder_->hand_over(out);
  for (std::size_t row = 0; row < direct_rows; ++row) settle_lobs(out.row(row));
  return state;
}

/// False: the last row has LOBs to be read. It waits in `staged_`, and the rest of the response is
/// still to come.
Result<bool> QueryImpl::read_direct(const OpContext& context, RowBatch& out) {
  direct_ = true;
  auto progress = read_rows(context, out, false);
  direct_ = false;
  if (!progress.ok()) return std::move(progress).error();
  if (std::exchange(needs_staging_, false)) {
    decoder_->copy_row(out.row(out.row_count() - 1), staged_.append_row(), staged_);
    out.drop_last_row();
    if (out.empty()) out.reset(columns_.size());  // what the row took might fill the batch
    return false;
  }
  if (*progress == Progress::kResponseEnd && !exhausted_) WHERRY_TRY(request_rows(context));
  return true;
}

bool QueryImpl::is_whole_row(const Cell* row) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!decoder_->is_lob(i) || row[i].state != CellState::kSet) continue;
    const wire::LobValue& lob = wire::lob_of(row[i]);
    const std::uint64_t limit = i < options_.lob_limits.size() ? options_.lob_limits[i] : 0;
    if (limit != 0 && lob.data_bytes > limit) return false;
    if (lob.data_bytes > options_.lob_inline_max_bytes) return false;
    if (lob.is_complete) continue;
    const LobEncoding encoding = encoding_of_column(i, lob);
    const bool is_final = encoding == LobEncoding::kBytes || encoding == LobEncoding::kUtf8;
    if (!is_final || wire::Locator(lob.locator()).is_temporary() || !is_whole(lob, encoding)) {
      return false;
    }
  }
  return true;
}

/// REQUIRES: is_whole_row(row).
void QueryImpl::settle_lobs(Cell* row) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!decoder_->is_lob(i) || row[i].state != CellState::kSet) continue;
    const ByteView data = wire::lob_of(row[i]).data();
    row[i].size_bytes = static_cast<std::uint32_t>(data.size());
    row[i].payload.ptr = reinterpret_cast<const std::byte*>(data.data());
  }
}

/// Whether the session is free while the rows that wait are handed out.
bool QueryImpl::staged_needs_no_call() const {
  if (!may_read_ahead()) return false;
  for (std::size_t row = 0; row < staged_.row_count(); ++row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell& cell = staged_.row(row)[i];
      if (!decoder_->is_lob(i) || cell.state != CellState::kSet) continue;
      if (!is_whole(wire::lob_of(cell), encoding_of_column(i, wire::lob_of(cell)))) return false;
    }
  }
  return true;
}

LobEncoding QueryImpl::encoding_of_column(std::size_t column, const wire::LobValue& lob) const {
  return encoding_of(wire::Locator(lob.locator()), columns_[column].type, columns_[column].form);
}

Result<void> QueryImpl::move_staged_row(const OpContext& context, RowBatch& out) {
  Cell* const row = out.append_row();
  decoder_->copy_row(staged_.row(staged_next_), row, out, RowDecoder::LobCells::kShare);
  ++staged_next_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (row[i].state == CellState::kSpilled) out.keep(decoder_->spill_file());
    if (!decoder_->is_lob(i) || row[i].state != CellState::kSet) continue;
    WHERRY_TRY(resolve_lob(context, i, row[i], out));
  }
  return {};
}

Result<void> QueryImpl::resolve_lob(const OpContext& context, std::size_t column, Cell& cell,
                                    RowBatch& out) {
  const wire::LobValue& lob = wire::lob_of(cell);
  if (options_.lob_mode == LobMode::kHandle && wire::is_lob(columns_[column].type)) {
    const ByteView locator = lob.locator();
    cell.kind = CellKind::kBytes;
    cell.size_bytes = static_cast<std::uint32_t>(locator.size());
    cell.payload.ptr = out.arena().copy(locator.data(), locator.size());
    return {};
  }
  const LobEncoding encoding = encoding_of_column(column, lob);
  if (wire::Locator(lob.locator()).is_temporary()) {
    caller_->free_lob_later(std::string(wire::text_of(lob.locator())));
  }
  const std::uint64_t limit =
      column < options_.lob_limits.size() ? options_.lob_limits[column] : std::uint64_t{0};
  const bool may_refuse = limit == 0 && options_.lob_refused_above != 0 && lob.has_size;
  if (may_refuse && lob.size > options_.lob_refused_above) {
    const SpilledValue unread{nullptr, 0, lob.size};
    cell.state = CellState::kSpilled;
    cell.payload.ptr = out.arena().copy(&unread, sizeof unread);
    return {};
  }
  const std::uint64_t most =
      limit == 0 ? options_.lob_inline_max_bytes : std::min(limit, options_.lob_inline_max_bytes);
  if (const auto value = whole_value(lob, encoding, most, out.arena())) {
    cell.size_bytes = static_cast<std::uint32_t>(value->size());
    cell.payload.ptr = reinterpret_cast<const std::byte*>(value->data());
    return {};
  }
  auto read = LobReader(*caller_).read(
      context, lob, columns_[column].type, encoding, {limit, options_.lob_piece},
      [&](std::string_view piece) { return large_.append(piece, out, spill_); });
  if (!read.ok()) {
    large_.clear();
    return std::move(read).error().with("column", columns_[column].name);
  }
  if (!*read && lob.has_size) {
    out.note_length({out.row_count() - 1, column, lob.size, encoding != LobEncoding::kBytes});
  }
  large_.finish(out, cell);
  return {};
}

}  // namespace wherry::oracle
