#include "connect/postgres/copy_reader.h"

#include "connect/postgres/wire/copy_buffer.h"
#include "core/spill_file.h"

namespace wherry::postgres {
namespace {

constexpr std::size_t kSignatureBytes = 11;
constexpr std::size_t kHeaderBytes = 19;

class CopyReader : public connect::ChunkReader {
 public:
  CopyReader(std::unique_ptr<Connection> connection, schema::TablePlanPtr plan,
             std::vector<wire::ColumnDecoder> decoders, std::string spill_directory)
      : connection_(std::move(connection)),
        plan_(std::move(plan)),
        decoders_(std::move(decoders)),
        spill_directory_(std::move(spill_directory)) {}

  Result<connect::ReadState> read(OpContext& context, RowBatch& out) override {
    out.reset(decoders_.size());
    spill_.reset();
    while (!out.is_full()) {
      if (rest_.empty()) {
        auto received = connection_->receive_copy(context);
        if (!received) return std::move(received).error().with("table", to_text(plan_->source));
        if (!*received) return connect::ReadState::kEnd;
        rest_ = **received;
        continue;
      }
      if (!seen_header_) {
        WHERRY_TRY(take_header());
        continue;
      }
      WHERRY_TRY(take_row(out));
    }
    return connect::ReadState::kMore;
  }

 private:
  Error malformed(std::string_view what) const {
    return make_error(ErrorKind::kInternal, "postgres.malformed_copy",
                      "the server's COPY data is malformed: " + std::string(what),
                      "Please report it with the server's version")
        .with("table", to_text(plan_->source));
  }

  /// The header comes with the first row; its extension is empty in all versions so far.
  Result<void> take_header() {
    if (rest_.size() < kHeaderBytes ||
        rest_.substr(0, kSignatureBytes) != wire::kCopyHeader.substr(0, kSignatureBytes)) {
      return malformed("no header");
    }
    const std::size_t extension = wire::load_u32(rest_.data() + kHeaderBytes - 4);
    if (extension > rest_.size() - kHeaderBytes) return malformed("the header's extension is cut");
    rest_.remove_prefix(kHeaderBytes + extension);
    seen_header_ = true;
    return {};
  }

  /// A row lies whole in one message; a field count of -1 is the end.
  Result<void> take_row(RowBatch& out) {
    if (rest_.size() < 2) return malformed("a row is cut");
    const auto fields = static_cast<std::int16_t>(wire::load_u16(rest_.data()));
    rest_.remove_prefix(2);
    if (fields == -1) return {};
    if (fields < 0 || static_cast<std::size_t>(fields) != decoders_.size()) {
      return malformed("a row has another number of fields");
    }
    Cell* row = out.append_row();
    ++rows_;
    for (std::size_t c = 0; c < decoders_.size(); ++c) WHERRY_TRY(take_field(c, row[c], out));
    return {};
  }

  Result<void> take_field(std::size_t c, Cell& cell, RowBatch& out) {
    const wire::ColumnDecoder& decoder = decoders_[c];
    cell = Cell{};
    cell.kind = decoder.kind;
    cell.state = CellState::kNull;
    if (rest_.size() < 4) return malformed("a field is cut");
    const std::uint32_t size = wire::load_u32(rest_.data());
    rest_.remove_prefix(4);
    if (size == wire::kNullLength) return {};
    if (size > rest_.size()) return malformed("a field is cut");
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    cell.state = CellState::kSet;
    if (decoder.may_spill && field.size() > kInlineBytes) {
      return spill(field.substr(decoder.skip_bytes), cell, out);
    }
    if (decoder.decode(decoder, field, out.arena(), cell)) return {};
    const schema::ColumnPlan& column = plan_->columns[c];
    return make_error(ErrorKind::kData, "postgres.unreadable_value",
                      "a value of the target is no " + describe(column.type),
                      "Somebody else wrote it, or the column's type was changed: compare the row")
        .with("table", to_text(plan_->source))
        .with("column", column.source_name)
        .with("row", std::to_string(rows_));
  }

  Result<void> spill(std::string_view value, Cell& cell, RowBatch& out) {
    if (spill_ == nullptr) {
      WHERRY_ASSIGN(spill_, SpillFile::create(spill_directory_));
      out.keep(spill_);
    }
    const SpilledValue place{spill_.get(), spill_->size_bytes(), value.size()};
    WHERRY_TRY(spill_->append(value));
    cell.payload.ptr = out.arena().copy(&place, sizeof place);
    cell.state = CellState::kSpilled;
    return {};
  }

  std::unique_ptr<Connection> connection_;
  const schema::TablePlanPtr plan_;
  const std::vector<wire::ColumnDecoder> decoders_;
  const std::string spill_directory_;
  std::string_view rest_;  ///< of the message received last
  std::shared_ptr<SpillFile> spill_;
  std::uint64_t rows_ = 0;
  bool seen_header_ = false;
};

}  // namespace

std::unique_ptr<connect::ChunkReader> make_copy_reader(std::unique_ptr<Connection> connection,
                                                       schema::TablePlanPtr plan,
                                                       std::vector<wire::ColumnDecoder> decoders,
                                                       std::string spill_directory) {
  return std::make_unique<CopyReader>(std::move(connection), std::move(plan), std::move(decoders),
                                      std::move(spill_directory));
}

}  // namespace wherry::postgres
