// Rows of a plan as the rows of a binary COPY. A row goes into the buffer whole or not at all, also
// when one of its values is too large to be in memory.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "connect/postgres/wire/encoder.h"
#include "core/result.h"
#include "core/row_batch.h"
#include "core/spill_file.h"

namespace wherry::postgres {

/// Why a row cannot be sent.
struct RowProblem {
  wire::EncodeStatus status = wire::EncodeStatus::kOk;
  std::size_t column = 0;
};

/// The code and the remedy of a kData error about such a value.
std::string_view code_of(wire::EncodeStatus status);
std::string_view hint_of(wire::EncodeStatus status);
/// What is wrong with the value; `cell` is the one that cannot be sent.
std::string message_of(wire::EncodeStatus status, const schema::ColumnPlan& column,
                       const Cell& cell);

class RowEncoder {
 public:
  /// Sends the buffer and clears it.
  using Send = std::function<Result<void>()>;

  explicit RowEncoder(std::vector<wire::ColumnEncoder> encoders) : encoders_(std::move(encoders)) {}

  /// Appends the row; the buffer is as before when there is a problem. `send` is called in the
  /// middle of a row only when that row has no problem.
  Result<std::optional<RowProblem>> put(const Cell* row, const Send& send);
  /// Looks only.
  Result<std::optional<RowProblem>> check(const Cell* row);

  [[nodiscard]] wire::CopyBuffer& buffer() { return buffer_; }
  [[nodiscard]] const std::vector<wire::ColumnEncoder>& columns() const { return encoders_; }

 private:
  /// Whether a row whose values have so many bytes is one that the server can put together.
  [[nodiscard]] bool fits_row(std::uint64_t value_bytes) const {
    return value_bytes + encoders_.size() * wire::kRowBytesOfColumn <= wire::kMaxRowBytes;
  }
  /// Whether a spilled value can be sent.
  Result<wire::EncodeStatus> check_spilled(const wire::ColumnEncoder& encoder,
                                           const SpilledValue& value);
  Result<void> stream(wire::ColumnEncoder& encoder, const SpilledValue& value, const Send& send);
  /// Reads the next piece of a value into piece_.
  Result<std::string_view> read_piece(const SpilledValue& value, std::uint64_t done);
  /// Bytes at the beginning that are not sent.
  Result<std::uint64_t> skipped_bytes(const wire::ColumnEncoder& encoder,
                                      const SpilledValue& value);

  std::vector<wire::ColumnEncoder> encoders_;
  wire::CopyBuffer buffer_;
  std::vector<std::byte> piece_;
};

}  // namespace wherry::postgres
