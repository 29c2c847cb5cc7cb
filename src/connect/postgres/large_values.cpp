#include "connect/postgres/large_values.h"

#include <fmt/format.h>

#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres {
namespace {

/// Characters or bytes. The server looks for the beginning of a piece from the value's beginning,
/// so that small ones would take long.
constexpr std::uint64_t kPieceLength = 4 * 1024 * 1024;
/// The header of the data, the row's count of fields, the field's length.
constexpr std::size_t kBeforeField = 19 + 2 + 4;

Error changed() {
  return make_error(ErrorKind::kInternal, "postgres.malformed_copy",
                    "a large value came back with another length than its row says",
                    "Please report it with the server's version");
}

}  // namespace

Result<std::uint64_t> LargeValueReader::read_piece(OpContext& context, const std::string& sql,
                                                   SpillFile& out) {
  WHERRY_TRY(connection_->begin_copy_out(context, sql));
  std::uint64_t bytes = 0;
  bool is_first = true;
  for (;;) {
    WHERRY_ASSIGN(const auto received, connection_->receive_copy(context));
    if (!received) return bytes;
    if (!is_first) continue;  // the trailer
    is_first = false;
    if (received->size() < kBeforeField) return changed();
    const std::string_view piece = received->substr(kBeforeField);
    WHERRY_TRY(out.append(piece));
    bytes = piece.size();
  }
}

Result<void> LargeValueReader::read(OpContext& context, const std::string& column,
                                    const RowAddress& row, std::uint64_t size_bytes,
                                    SpillFile& out) {
  if (connection_ == nullptr) {
    WHERRY_ASSIGN(connection_, open_(context));
  }
  std::uint64_t done = 0;
  for (std::uint64_t start = 1; done < size_bytes; start += kPieceLength) {
    const std::string sql = fmt::format(
        "copy (select pg_catalog.substring(t.{}, {}, {}) from {} t where t.tableoid = {} "
        "and t.ctid = '({},{})') to stdout (format binary)",
        column, start, kPieceLength, table_, row.table_oid, row.block, row.item);
    WHERRY_ASSIGN(const std::uint64_t bytes, read_piece(context, sql, out));
    if (bytes == 0) return changed();
    done += bytes;
  }
  if (done != size_bytes) return changed();
  return {};
}

}  // namespace wherry::postgres
