// Values too large to come with their row: COPY hands out whole rows, so libpq would need two to
// three times the largest of them. Such a value comes piece by piece over a second session of the
// same snapshot, found by its row's address.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "connect/postgres/connection.h"
#include "core/spill_file.h"

namespace wherry::postgres {

/// A value above this is not sent with its row.
inline constexpr std::int32_t kMostBytesInRow = 1024 * 1024;

/// A row's place within a snapshot.
struct RowAddress {
  std::uint32_t table_oid = 0;
  std::uint32_t block = 0;
  std::uint16_t item = 0;
};

/// Used by one thread at a time.
class LargeValueReader {
 public:
  using Open = std::function<Result<std::unique_ptr<Connection>>(OpContext&)>;

  /// `open` makes a session of the snapshot; it is called when the first value is read. `table` is
  /// the quoted name.
  LargeValueReader(Open open, std::string table)
      : open_(std::move(open)), table_(std::move(table)) {}

  /// Appends the value of the quoted `column` (text or bytea), which has `size_bytes`.
  Result<void> read(OpContext& context, const std::string& column, const RowAddress& row,
                    std::uint64_t size_bytes, SpillFile& out);

 private:
  /// Runs a COPY of one field; its length in bytes.
  Result<std::uint64_t> read_piece(OpContext& context, const std::string& sql, SpillFile& out);

  Open open_;
  std::string table_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace wherry::postgres
