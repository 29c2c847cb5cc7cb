#include "connect/oracle/row_decoder.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "connect/oracle/wire/object_value.h"
#include "core/decimal.h"

namespace wherry::oracle {

using wire::ByteCursor;
using wire::ByteView;
using wire::ValueStatus;

namespace {

constexpr std::uint32_t kTruncated = 1406;
/// Long values up to here are taken at once when they are there.
constexpr std::size_t kShortWay = 64 * 1024;

ValueStatus incomplete(const wire::Reader& reader) {
  return reader.state() == wire::ParseState::kNeedMore ? ValueStatus::kNeedMore
                                                       : ValueStatus::kMalformed;
}

Error kind_error(const ColumnDescription& column, CellKind kind) {
  Error error =
      make_error(ErrorKind::kUnsupported, "oracle.column_kind",
                 "Column " + column.name + " of type " + type_text(column) + " cannot be read as " +
                     std::string(name_of(kind)),
                 "The table was changed, or this is a bug in Wherry: describe the table again");
  return std::move(error).with("column", column.name);
}

Error type_error(const ColumnDescription& column) {
  Error error = make_error(
      ErrorKind::kUnsupported, "oracle.column_type",
      "Column " + column.name + " has the type " + type_text(column) + ", which Wherry cannot read",
      "Leave the column out, or select an expression that makes a readable type of it "
      "(XMLSERIALIZE, JSON_SERIALIZE, TO_CLOB, single attributes of an object)");
  return std::move(error).with("column", column.name);
}

/// What to do about a value that came whole and cannot be read. The server can make text of most.
std::string_view remedy_for(OracleType type) {
  switch (type) {
    case OracleType::kObject:
      return "Select XMLSERIALIZE(CONTENT column AS CLOB), or column.getClobVal(), in its place: "
             "then the server makes text of it";
    case OracleType::kJson:
      return "Select JSON_SERIALIZE(column RETURNING CLOB) in its place";
    case OracleType::kVector:
      return "Select FROM_VECTOR(column RETURNING CLOB) in its place";
    default:
      return "Correct the value at the source, or leave the row or column out of the migration";
  }
}

}  // namespace

RowDecoder::RowDecoder(const wire::Dialect& dialect, const Options& options)
    : regions_(std::make_unique<wire::RegionTable>()),
      dialect_(dialect),
      inline_max_bytes_(options.inline_max_bytes),
      previous_(std::make_unique<RowBatch>()),
      stream_(dialect.chunks),
      large_(options.inline_max_bytes),
      spill_(options.spill_directory) {
  context_.regions = regions_.get();
  context_.chunks = dialect.chunks;
  context_.database_zone = options.database_zone;
  context_.database_charset = dialect.database_charset;
  context_.keeps_bad_values = options.keep_bad_values;
}

Result<RowDecoder::Column> RowDecoder::plan_column(const ColumnDescription& described,
                                                   CellKind kind, const wire::Dialect& dialect,
                                                   const Options& options) const {
  Column column;
  column.name = described.name;
  column.kind = kind;
  column.type = described.type;
  const std::optional<CellKind> natural = natural_kind(described);
  if (!natural && !options.skip_unreadable) return type_error(described);
  if (!natural && !wire::is_absent(described)) {
    column.mode = Mode::kSkip;
    return column;
  }
  if (described.type == OracleType::kCursor && !wire::is_absent(described)) {
    column.mode = Mode::kCursor;
    return kind == CellKind::kInt64 ? Result<Column>(std::move(column))
                                    : kind_error(described, kind);
  }
  const bool is_handle =
      wire::is_lob(described.type) && options.lobs_as_handles && kind == CellKind::kBytes;
  plan_decoder(described, is_handle ? *natural : kind, dialect, options, column);
  if (column.decode == nullptr) return kind_error(described, kind);
  return column;
}

void RowDecoder::plan_decoder(const ColumnDescription& described, CellKind kind,
                              const wire::Dialect& dialect, const Options& options,
                              Column& column) const {
  const bool is_inline_lob = wire::is_lob(described.type) && options.lobs_inline;
  if (wire::is_absent(described)) {
    column.decode = wire::find_decoder(described, kind, dialect, options.lob_form);
  } else if (wire::is_long(described.type) || is_inline_lob) {
    // A LOB that comes as LONG or LONG RAW is decoded as such.
    ColumnDescription as_long = described;
    if (is_inline_lob) {
      as_long.type = described.type == OracleType::kClob ? OracleType::kLong : OracleType::kLongRaw;
    }
    // National data of any length is UTF-16, whatever the national character set is.
    wire::Dialect long_dialect = dialect;
    long_dialect.national_charset = wire::kCharsetAl16Utf16;
    column.decode = wire::find_decoder(as_long, kind, long_dialect, options.lob_form);
    column.mode = Mode::kStream;
    // The form of what is no text may be anything.
    column.is_utf16 = as_long.type == OracleType::kLong && described.form == CharsetForm::kNational;
  } else {
    column.decode = wire::find_decoder(described, kind, dialect, options.lob_form);
    if (wire::comes_as_lob(described.type, kind)) column.mode = Mode::kLob;
  }
}

Result<RowDecoder> RowDecoder::make(std::span<const ColumnDescription> columns,
                                    std::span<const CellKind> wanted, const wire::Dialect& dialect,
                                    const Options& options) {
  WHERRY_ASSERT(columns.size() == wanted.size(), "one kind for each column");
  RowDecoder decoder(dialect, options);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    WHERRY_ASSIGN(Column column, decoder.plan_column(columns[i], wanted[i], dialect, options));
    decoder.has_special_ |= column.mode != Mode::kPlain && column.mode != Mode::kLob;
    decoder.columns_.push_back(std::move(column));
  }
  return decoder;
}

RowStep RowDecoder::decode(ByteView bytes, std::size_t& consumed, RowBatch& out) {
  ByteCursor in{bytes.data(), bytes.data() + bytes.size()};
  Cell* row = nullptr;
  if (in_row_) {
    row = out.row(out.row_count() - 1);
  } else {
    if (out.empty()) spill_.start_batch();
    row = out.append_row();
    in_row_ = true;
    next_column_ = 0;
  }
  context_.arena = &out.arena();
  const std::size_t count = columns_.size();
  const Column* const columns = columns_.data();
  const bool is_plain = !has_special_ && bits_.empty();
  std::size_t i = next_column_;
  ValueStatus status = ValueStatus::kOk;
  if (is_plain) {
    for (; i < count; ++i) {
      status = columns[i].decode(in, context_, row[i]);
      if (status != ValueStatus::kOk) [[unlikely]]
        break;
    }
  } else {
    for (; i < count; ++i) {
      if (is_repeated(i)) {
        status = repeat(i, out, row[i]);
      } else {
        status = decode_special(in, columns_[i], out, row[i]);
      }
      if (status != ValueStatus::kOk) break;
    }
  }
  consumed = static_cast<std::size_t>(in.at - bytes.data());
  next_column_ = i;
  if (i < count) return stop(status, i);
  in_row_ = false;
  ++row_count_;
  bits_.clear();
  return RowStep::kRow;
}

RowStep RowDecoder::stop(ValueStatus status, std::size_t column) {
  if (status == ValueStatus::kNeedMore) return RowStep::kNeedMore;
  if (!error_) error_ = value_error(column, describe(status));
  return RowStep::kError;
}

Error RowDecoder::value_error(std::size_t column, std::string_view what) const {
  const std::string row = std::to_string(row_count_ + (in_row_ ? 1 : 0));
  Error error = make_error(ErrorKind::kData, "oracle.value",
                           "The value of column " + columns_[column].name + " in row " + row +
                               " of the query " + std::string(what),
                           std::string(remedy_for(columns_[column].type)));
  return std::move(error).with("column", columns_[column].name).with("row", row);
}

ValueStatus RowDecoder::repeat(std::size_t column, RowBatch& out, Cell& cell) {
  const std::size_t rows = out.row_count();
  if (rows >= 2) {
    // Same batch: both cells may point to the same bytes.
    cell = out.row(rows - 2)[column];
    return ValueStatus::kOk;
  }
  if (previous_->empty()) return ValueStatus::kMalformed;
  copy_cell(columns_[column], previous_->row(0)[column], cell, out);
  if (cell.state == CellState::kSpilled) out.keep(previous_spill_);
  return ValueStatus::kOk;
}

void RowDecoder::hand_over(const RowBatch& out) {
  const std::size_t rows = out.row_count() - (in_row_ ? 1 : 0);
  if (rows == 0) return;
  previous_->reset(columns_.size());
  copy_row(out.row(rows - 1), previous_->append_row(), *previous_);
  if (spill_.current() != nullptr) previous_spill_ = spill_.current();
}

void RowDecoder::copy_row(const Cell* from, Cell* to, RowBatch& batch, LobCells lobs) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (lobs == LobCells::kShare && is_lob(i) && from[i].state == CellState::kSet) {
      to[i] = from[i];
    } else {
      copy_cell(columns_[i], from[i], to[i], batch);
    }
  }
}

void RowDecoder::copy_cell(const Column& column, const Cell& from, Cell& to,
                           RowBatch& batch) const {
  to = from;
  // What is said of unreadable values lies in no batch.
  if (from.state == CellState::kNull || from.state == CellState::kUnreadable) return;
  std::size_t size = 0;
  if (from.state == CellState::kSpilled) {
    size = sizeof(SpilledValue);
  } else if (column.mode == Mode::kLob) {
    size = wire::lob_of(from).total_bytes();
  } else if (from.kind == CellKind::kText || from.kind == CellKind::kBytes) {
    size = from.size_bytes;
  } else if (from.kind == CellKind::kDecimal) {
    size = sizeof(DecimalView) + decimal_of(from).digit_count * sizeof(std::uint16_t);
  } else {
    return;
  }
  to.payload.ptr = batch.arena().copy(from.payload.ptr, size);
}

ValueStatus RowDecoder::decode_special(ByteCursor& in, Column& column, RowBatch& out, Cell& cell) {
  switch (column.mode) {
    case Mode::kStream:
      if (!in_stream_ && decode_whole(in, column, cell)) return ValueStatus::kOk;
      return decode_stream(in, column, out, cell);
    case Mode::kCursor:
      return decode_cursor(in, cell);
    case Mode::kSkip:
      return skip_value(in, column, cell);
    default:
      return column.decode(in, context_, cell);
  }
}

/// The short way for values that are there whole with their trailer and not large.
bool RowDecoder::decode_whole(ByteCursor& in, const Column& column, Cell& cell) {
  constexpr std::uint8_t kNoError[] = {0, 0};
  // UTF-16 may grow by half.
  const std::uint64_t limit = column.is_utf16 ? inline_max_bytes_ / 3 * 2 : inline_max_bytes_;
  const std::size_t window = static_cast<std::size_t>(std::min<std::uint64_t>(limit, kShortWay));
  ByteCursor value{in.at, in.end};
  if (value.remaining() > window) value.end = value.at + window;
  if (column.decode(value, context_, cell) != ValueStatus::kOk) return false;
  if (value.remaining() < sizeof kNoError || cell.state != CellState::kSet ||
      std::memcmp(value.at, kNoError, sizeof kNoError) != 0) {
    return false;
  }
  in.at = value.at + sizeof kNoError;
  return true;
}

ValueStatus RowDecoder::decode_cursor(ByteCursor& in, Cell& cell) {
  constexpr std::uint8_t kNull = 0xFF;
  wire::Reader reader(ByteView(in.at, in.end), context_.chunks);
  const std::uint8_t length = reader.u8();
  cell.kind = CellKind::kInt64;
  cell.state = length == 0 || length == kNull ? CellState::kNull : CellState::kSet;
  wire::ImplicitResult cursor;
  if (cell.state == CellState::kSet) {
    cursor.description = decode_describe_body(reader, dialect_);
    cursor.cursor_id = reader.ub2();
  }
  if (!reader.ok()) return incomplete(reader);
  in.at += reader.position();
  if (cell.state == CellState::kSet) {
    cell.payload.i64 = static_cast<std::int64_t>(first_cursor_ + cursors_.size());
    cursors_.emplace_back(std::move(cursor));
  }
  return ValueStatus::kOk;
}

std::optional<wire::ImplicitResult> RowDecoder::take_cursor(std::size_t number) {
  if (number < first_cursor_ || number - first_cursor_ >= cursors_.size()) return std::nullopt;
  return std::exchange(cursors_[number - first_cursor_], std::nullopt);
}

void RowDecoder::drop_cursors() {
  first_cursor_ += cursors_.size();
  cursors_.clear();
}

/// A value nobody can read keeps its place in the row: its end is known all the same.
ValueStatus RowDecoder::skip_value(ByteCursor& in, const Column& column, Cell& cell) const {
  wire::Reader reader(ByteView(in.at, in.end), context_.chunks);
  if (column.type == OracleType::kObject) {
    if (read_object_head(reader)) reader.skip_clr();
  } else {
    reader.skip_clr();
  }
  if (!reader.ok()) return incomplete(reader);
  in.at += reader.position();
  cell.kind = column.kind;
  cell.state = CellState::kNull;
  return ValueStatus::kOk;
}

ValueStatus RowDecoder::decode_stream(ByteCursor& in, Column& column, RowBatch& out, Cell& cell) {
  using Step = wire::ClrStream::Step;
  in_stream_ = true;
  while (!stream_done_) {
    ByteView piece;
    switch (stream_.next(in, piece)) {
      case Step::kPiece:
        if (const ValueStatus status = append_piece(piece, column, out);
            status != ValueStatus::kOk) {
          return status;
        }
        break;
      case Step::kNull:
        stream_done_ = true;
        break;
      case Step::kEnd:
        stream_done_ = true;
        break;
      case Step::kNeedMore:
        return ValueStatus::kNeedMore;
      case Step::kMalformed:
        return ValueStatus::kMalformed;
    }
  }
  return finish_stream(in, column, out, cell);
}

ValueStatus RowDecoder::append_piece(ByteView piece, Column& column, RowBatch& out) {
  std::string_view text = wire::text_of(piece);
  if (column.is_utf16) {
    converted_.clear();
    const ValueStatus status = utf16_.feed(piece, converted_);
    if (status != ValueStatus::kOk) return status;
    text = converted_;
  }
  auto appended = large_.append(text, out, spill_);
  if (appended.ok()) return ValueStatus::kOk;
  error_ = std::move(appended).error();
  error_->with("column", column.name);
  return ValueStatus::kMalformed;
}

ValueStatus RowDecoder::finish_stream(ByteCursor& in, Column& column, RowBatch& out, Cell& cell) {
  // Null indicator and return code follow the value.
  wire::Reader trailer(ByteView(in.at, in.end));
  const std::int32_t null_indicator = trailer.sb4();
  const std::uint32_t return_code = trailer.ub4();
  if (!trailer.ok()) return incomplete(trailer);
  in.at += trailer.position();
  stream_done_ = false;
  in_stream_ = false;
  cell.kind = column.kind;
  // Of a LOB that comes as LONG the indicator tells an empty value from NULL.
  const bool may_be_empty = wire::is_lob(column.type) && null_indicator == 0;
  const bool is_null = large_.empty() && !may_be_empty;
  if (return_code == kTruncated) {
    error_ = value_error(next_column_, "was cut off by the server (ORA-01406)");
    return ValueStatus::kMalformed;
  }
  if (column.is_utf16) {
    const ValueStatus status = utf16_.finish();
    if (status != ValueStatus::kOk) return status;
    utf16_ = wire::Utf16Stream();
  }
  if (is_null) {
    large_.clear();
    cell.state = CellState::kNull;
  } else {
    large_.finish(out, cell);
  }
  return ValueStatus::kOk;
}

}  // namespace wherry::oracle
