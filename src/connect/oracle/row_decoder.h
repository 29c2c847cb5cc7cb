// Rows of a query from wire bytes into a RowBatch. Works on whatever bytes are there and goes on
// where it stopped, column by column (LONG values piece by piece), so rows may be cut anywhere and
// be of any size. Knows no sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/large_value.h"
#include "connect/oracle/wire/column_decoder.h"
#include "connect/oracle/wire/messages.h"
#include "connect/oracle/wire/utf16.h"
#include "core/cell.h"
#include "core/result.h"
#include "core/row_batch.h"

namespace wherry::oracle {

enum class RowStep : std::uint8_t {
  kRow,       ///< one more row is complete
  kNeedMore,  ///< call again with more bytes
  kError,     ///< take_error() says what
};

class RowDecoder {
 public:
  struct Options {
    wire::LobForm lob_form = wire::LobForm::kSizedLocator;
    /// LOB columns were defined as LONG and LONG RAW.
    bool lobs_inline = false;
    /// LOB cells may be wanted as kBytes: the caller puts locators there.
    bool lobs_as_handles = false;
    /// Columns of types there is no reading are NULL instead of an error.
    bool skip_unreadable = false;
    /// A value that is none of its column's type becomes a kUnreadable cell instead of an error.
    bool keep_bad_values = false;
    std::uint64_t inline_max_bytes = 1024 * 1024;
    std::string spill_directory = "/tmp";
    wire::ZoneField database_zone;
  };
  /// kUnsupported "oracle.column_kind" or "oracle.column_type" names the column. Cells of columns
  /// with is_lob() are to be read with wire::lob_of() and replaced by the caller.
  static Result<RowDecoder> make(std::span<const ColumnDescription> columns,
                                 std::span<const CellKind> wanted, const wire::Dialect& dialect,
                                 const Options& options);

  /// Bit vector for the next row only; empty: every column is sent.
  void set_bit_vector(std::string_view bits) { bits_ = bits; }
  /// Decodes the body of one row data message (behind the type byte). `consumed` is set to the
  /// bytes taken. `out` must stay the same until the row is complete; a row that is not is the last
  /// one of `out`.
  RowStep decode(wire::ByteView bytes, std::size_t& consumed, RowBatch& out);
  /// A row has been begun and is not complete.
  [[nodiscard]] bool in_row() const { return in_row_; }
  [[nodiscard]] std::uint64_t row_count() const { return row_count_; }
  Error take_error() { return *std::move(error_); }
  [[nodiscard]] bool is_lob(std::size_t column) const {
    return columns_[column].mode == Mode::kLob;
  }

  /// Cursors that came in rows; a cursor cell's integer is the number of one. Each is given once.
  std::optional<wire::ImplicitResult> take_cursor(std::size_t number);
  [[nodiscard]] bool has_cursors() const { return !cursors_.empty(); }
  void drop_cursors();

  /// Call before the batch is given away: keeps the last row, which the next one may repeat.
  void hand_over(const RowBatch& out);
  enum class LobCells : std::uint8_t { kCopy, kShare };
  /// Copies a row cell by cell into another batch. Shared cells of columns with is_lob() still
  /// point into the batch of `from`.
  void copy_row(const Cell* from, Cell* to, RowBatch& batch, LobCells lobs = LobCells::kCopy) const;
  /// Holds the spilled values of the batch filled last; nullptr when there are none.
  [[nodiscard]] const std::shared_ptr<SpillFile>& spill_file() const { return spill_.current(); }
  /// Error about the value of a column in the row decoded last or being decoded.
  [[nodiscard]] Error value_error(std::size_t column, std::string_view what) const;

 private:
  enum class Mode : std::uint8_t { kPlain, kStream, kLob, kCursor, kSkip };
  struct Column {
    wire::DecodeValue decode = nullptr;
    CellKind kind = CellKind::kText;
    Mode mode = Mode::kPlain;
    OracleType type = OracleType::kVarchar;
    bool is_utf16 = false;  ///< kStream: national text
    std::string name;
  };

  RowDecoder(const wire::Dialect& dialect, const Options& options);
  Result<Column> plan_column(const ColumnDescription& column, CellKind kind,
                             const wire::Dialect& dialect, const Options& options) const;
  void plan_decoder(const ColumnDescription& column, CellKind kind, const wire::Dialect& dialect,
                    const Options& options, Column& planned) const;
  bool is_repeated(std::size_t column) const {
    return !bits_.empty() && column / 8 < bits_.size() &&
           (static_cast<std::uint8_t>(bits_[column / 8]) >> (column % 8) & 1) == 0;
  }
  wire::ValueStatus repeat(std::size_t column, RowBatch& out, Cell& cell);
  wire::ValueStatus decode_special(wire::ByteCursor& in, Column& column, RowBatch& out, Cell& cell);
  wire::ValueStatus decode_cursor(wire::ByteCursor& in, Cell& cell);
  wire::ValueStatus skip_value(wire::ByteCursor& in, const Column& column, Cell& cell) const;
  bool decode_whole(wire::ByteCursor& in, const Column& column, Cell& cell);
  wire::ValueStatus decode_stream(wire::ByteCursor& in, Column& column, RowBatch& out, Cell& cell);
  wire::ValueStatus append_piece(wire::ByteView piece, Column& column, RowBatch& out);
  wire::ValueStatus finish_stream(wire::ByteCursor& in, Column& column, RowBatch& out, Cell& cell);
  void copy_cell(const Column& column, const Cell& from, Cell& to, RowBatch& batch) const;
  RowStep stop(wire::ValueStatus status, std::size_t column);

  std::vector<Column> columns_;
  wire::DecodeContext context_;
  std::unique_ptr<wire::RegionTable> regions_;
  std::string bits_;
  bool has_special_ = false;  ///< columns with another mode than kPlain and kLob
  wire::Dialect dialect_;
  std::uint64_t inline_max_bytes_;
  bool in_row_ = false;
  std::size_t next_column_ = 0;
  std::uint64_t row_count_ = 0;
  std::optional<Error> error_;

  std::unique_ptr<RowBatch> previous_;  ///< the last row of the batch before
  std::shared_ptr<SpillFile> previous_spill_;

  wire::ClrStream stream_;
  wire::Utf16Stream utf16_;
  bool in_stream_ = false;    ///< a part of the value was taken
  bool stream_done_ = false;  ///< the value is complete, its trailer is not
  std::string converted_;
  LargeValue large_;
  BatchSpill spill_;

  std::vector<std::optional<wire::ImplicitResult>> cursors_;
  std::size_t first_cursor_ = 0;  ///< number of the first of them
};

}  // namespace wherry::oracle
