#include "connect/postgres/copy_reader.h"

#include "connect/postgres/wire/copy_buffer.h"
#include "core/spill_file.h"

namespace wherry::postgres {
namespace {

constexpr std::size_t kSignatureBytes = 11;
constexpr std::size_t kHeaderBytes = 19;

class CopyReader : public connect::ChunkReader {
 public:
  CopyReader(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection,
             schema::TablePlanPtr plan, CopyShape shape, LargeValueReader large_values)
      : pool_(std::move(pool)),
        connection_(std::move(connection)),
        plan_(std::move(plan)),
        decoders_(std::move(shape.decoders)),
        large_(std::move(shape.large)),
        large_values_(std::move(large_values)) {}

  Result<connect::ReadState> read(OpContext& context, RowBatch& out) override {
    out.reset(decoders_.size());
    spill_.reset();
    while (!out.is_full()) {
      if (rest_.empty()) {
        auto received = connection_->receive_copy(context);
        if (!received) return std::move(received).error().with("table", to_text(plan_->source));
        if (!*received) {
          pool_->give_back_reader(context, std::move(connection_));
          return connect::ReadState::kEnd;
        }
        rest_ = **received;
        continue;
      }
      if (!seen_header_) {
        WHERRY_TRY(take_header());
        continue;
      }
      WHERRY_TRY(take_row(context, out));
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
  Result<void> take_row(OpContext& context, RowBatch& out) {
    if (rest_.size() < 2) return malformed("a row is cut");
    const auto fields = static_cast<std::int16_t>(wire::load_u16(rest_.data()));
    rest_.remove_prefix(2);
    if (fields == -1) return {};
    const std::size_t expected = decoders_.size() + (large_.empty() ? 0 : large_.size() + 2);
    if (fields < 0 || static_cast<std::size_t>(fields) != expected) {
      return malformed("a row has another number of fields");
    }
    Cell* row = out.append_row();
    ++rows_;
    for (std::size_t c = 0; c < decoders_.size(); ++c) WHERRY_TRY(take_field(c, row[c], out));
    return large_.empty() ? Result<void>() : take_large(context, row, out);
  }

  /// The next field; nullopt for NULL.
  Result<std::optional<std::string_view>> next_field() {
    if (rest_.size() < 4) return malformed("a field is cut");
    const std::uint32_t size = wire::load_u32(rest_.data());
    rest_.remove_prefix(4);
    if (size == wire::kNullLength) return std::optional<std::string_view>{};
    if (size > rest_.size()) return malformed("a field is cut");
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return std::optional(field);
  }

  Result<std::string_view> next_field_of(std::size_t size) {
    WHERRY_ASSIGN(const auto field, next_field());
    if (!field || field->size() != size) return malformed("a row's address or length is none");
    return *field;
  }

  /// Reads what was too large to come with the row.
  Result<void> take_large(OpContext& context, Cell* row, RowBatch& out) {
    std::vector<std::uint64_t> sizes;  // 0: it came with the row
    for (std::size_t i = 0; i < large_.size(); ++i) {
      WHERRY_ASSIGN(const auto field, next_field());
      if (field && field->size() != 4) return malformed("a length is none");
      sizes.push_back(field ? wire::load_u32(field->data()) : 0);
    }
    WHERRY_ASSIGN(const std::string_view oid, next_field_of(4));
    WHERRY_ASSIGN(const std::string_view place, next_field_of(6));
    const RowAddress address = {wire::load_u32(oid.data()), wire::load_u32(place.data()),
                                wire::load_u16(place.data() + 4)};
    for (std::size_t i = 0; i < large_.size(); ++i) {
      if (sizes[i] == 0) continue;
      Cell& cell = row[large_[i].index];
      WHERRY_TRY(open_spill(out));
      mark_spilled(cell, sizes[i], out);
      auto done = large_values_.read(context, large_[i].name, address, sizes[i], *spill_);
      if (!done) return std::move(done).error().with("table", to_text(plan_->source));
    }
    return {};
  }

  Result<void> take_field(std::size_t c, Cell& cell, RowBatch& out) {
    const wire::ColumnDecoder& decoder = decoders_[c];
    cell = Cell{};
    cell.kind = decoder.kind;
    cell.state = CellState::kNull;
    WHERRY_ASSIGN(const auto found, next_field());
    if (!found) return {};
    const std::string_view field = *found;
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
    WHERRY_TRY(open_spill(out));
    mark_spilled(cell, value.size(), out);
    return spill_->append(value);
  }

  Result<void> open_spill(RowBatch& out) {
    if (spill_ != nullptr) return {};
    WHERRY_ASSIGN(spill_, SpillFile::create(pool_->settings().spill_directory));
    out.keep(spill_);
    return {};
  }

  /// The value's bytes are appended next.
  void mark_spilled(Cell& cell, std::uint64_t size_bytes, RowBatch& out) {
    const SpilledValue place{spill_.get(), spill_->size_bytes(), size_bytes};
    cell.payload.ptr = out.arena().copy(&place, sizeof place);
    cell.state = CellState::kSpilled;
  }

  const std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Connection> connection_;  ///< nullptr after the end
  const schema::TablePlanPtr plan_;
  const std::vector<wire::ColumnDecoder> decoders_;
  const std::vector<LargeColumn> large_;
  LargeValueReader large_values_;
  std::string_view rest_;  ///< of the message received last
  std::shared_ptr<SpillFile> spill_;
  std::uint64_t rows_ = 0;
  bool seen_header_ = false;
};

}  // namespace

std::unique_ptr<connect::ChunkReader> make_copy_reader(std::shared_ptr<ConnectionPool> pool,
                                                       std::unique_ptr<Connection> connection,
                                                       schema::TablePlanPtr plan, CopyShape shape,
                                                       LargeValueReader large_values) {
  return std::make_unique<CopyReader>(std::move(pool), std::move(connection), std::move(plan),
                                      std::move(shape), std::move(large_values));
}

}  // namespace wherry::postgres
