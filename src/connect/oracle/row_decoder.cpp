#include "connect/oracle/row_decoder.h"

#include <new>

#include "core/decimal.h"

namespace wherry::oracle {

using wire::ByteCursor;
using wire::ByteView;
using wire::ValueStatus;

namespace {

constexpr std::uint32_t kTruncated = 1406;

Error kind_error(const ColumnDescription& column, CellKind kind) {
  Error error =
      make_error(ErrorKind::kUnsupported, "oracle.column_kind",
                 "Column " + column.name + " of type " + name_of(column.type) +
                     " cannot be read as " + std::string(name_of(kind)),
                 "The table was changed, or this is a bug in Wherry: describe the table again");
  return std::move(error).with("column", column.name);
}

Error type_error(const ColumnDescription& column) {
  Error error =
      make_error(ErrorKind::kUnsupported, "oracle.column_type",
                 "Column " + column.name + " has the type " + name_of(column.type) +
                     ", which Wherry cannot read",
                 "Leave the column out, or select an expression that makes a readable type of it "
                 "(XMLSERIALIZE, JSON_SERIALIZE, TO_CLOB, single attributes of an object)");
  return std::move(error).with("column", column.name);
}

}  // namespace

RowDecoder::RowDecoder(const wire::Dialect& dialect, const Options& options)
    : regions_(std::make_unique<wire::RegionTable>()),
      previous_(std::make_unique<RowBatch>()),
      stream_(dialect.chunks),
      large_(options.inline_max_bytes),
      spill_(options.spill_directory) {
  context_.regions = regions_.get();
  context_.chunks = dialect.chunks;
  context_.database_zone = options.database_zone;
}

Result<RowDecoder::Column> RowDecoder::plan_column(const ColumnDescription& described,
                                                   CellKind kind, const wire::Dialect& dialect,
                                                   const Options& options) const {
  Column column;
  column.name = described.name;
  column.kind = kind;
  const std::optional<CellKind> natural = natural_kind(described);
  if (!natural) return type_error(described);
  const bool lob = wire::is_lob(described.type);
  column.decode = wire::find_decoder(described, kind, dialect, options.lob_form);
  if (column.decode == nullptr) return kind_error(described, kind);
  if (wire::is_absent(described)) return column;
  if (wire::is_long(described.type) || (lob && options.lobs_inline)) {
    column.mode = Mode::kStream;
    column.is_utf16 = described.form == CharsetForm::kNational;
  } else if (lob) {
    column.mode = Mode::kLob;
  }
  return column;
}

Result<RowDecoder> RowDecoder::make(std::span<const ColumnDescription> columns,
                                    std::span<const CellKind> wanted, const wire::Dialect& dialect,
                                    const Options& options) {
  WHERRY_ASSERT(columns.size() == wanted.size(), "one kind for each column");
  RowDecoder decoder(dialect, options);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    WHERRY_ASSIGN(Column column, decoder.plan_column(columns[i], wanted[i], dialect, options));
    decoder.has_streams_ |= column.mode == Mode::kStream;
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
  const bool is_plain = !has_streams_ && bits_.empty();
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
      } else if (columns[i].mode == Mode::kStream) {
        status = decode_stream(in, columns_[i], out, row[i]);
      } else {
        status = columns[i].decode(in, context_, row[i]);
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
  Error error = make_error(
      ErrorKind::kData, "oracle.value",
      "The value of column " + columns_[column].name + " in row " + row + " of the query " +
          std::string(what),
      "Correct the value at the source, or leave the row or column out of the migration");
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

void RowDecoder::copy_row(const Cell* from, Cell* to, RowBatch& batch) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) copy_cell(columns_[i], from[i], to[i], batch);
}

void RowDecoder::copy_cell(const Column& column, const Cell& from, Cell& to,
                           RowBatch& batch) const {
  to = from;
  if (from.state == CellState::kNull) return;
  std::size_t size = 0;
  if (from.state == CellState::kSpilled) {
    size = sizeof(SpilledValue);
  } else if (column.mode == Mode::kLob) {
    size = sizeof(wire::LobValue) + wire::lob_of(from).locator_bytes;
  } else if (from.kind == CellKind::kText || from.kind == CellKind::kBytes) {
    size = from.size_bytes;
  } else if (from.kind == CellKind::kDecimal) {
    size = sizeof(DecimalView) + decimal_of(from).digit_count * sizeof(std::uint16_t);
  } else {
    return;
  }
  to.payload.ptr = batch.arena().copy(from.payload.ptr, size);
}

ValueStatus RowDecoder::decode_stream(ByteCursor& in, Column& column, RowBatch& out, Cell& cell) {
  using Step = wire::ClrStream::Step;
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
        stream_null_ = true;
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
  trailer.sb4();
  const std::uint32_t return_code = trailer.ub4();
  if (!trailer.ok()) {
    return trailer.state() == wire::ParseState::kNeedMore ? ValueStatus::kNeedMore
                                                          : ValueStatus::kMalformed;
  }
  in.at += trailer.position();
  stream_done_ = false;
  cell.kind = column.kind;
  const bool is_null = stream_null_ || large_.empty();
  stream_null_ = false;
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
