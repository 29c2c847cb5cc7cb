#include "engine/lob_limit.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>

#include "core/spill_file.h"
#include "engine/cell_compare.h"

namespace wherry::engine {
namespace {

constexpr std::uint64_t kMostLoggedLobs = 1000;
constexpr std::size_t kShownKeyBytes = 120;

bool continues_character(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

/// Whole characters of valid text within `limit` bytes. `before` are its bytes from limit - 3 on,
/// the first one behind the limit included.
std::uint64_t whole_characters(std::uint64_t limit, std::string_view before) {
  std::size_t back = before.size() - 1;
  std::uint64_t at = limit;
  while (back > 0 && continues_character(static_cast<unsigned char>(before[back]))) {
    --back;
    --at;
  }
  return at;
}

Result<std::uint64_t> cut_at(const SpilledValue& value, std::uint64_t limit, bool is_text) {
  if (!is_text) return limit;
  std::array<std::byte, 4> bytes{};
  const std::uint64_t first = limit >= 3 ? limit - 3 : 0;
  const std::span<std::byte> wanted(bytes.data(), static_cast<std::size_t>(limit - first + 1));
  WHERRY_ASSIGN(const std::size_t got, value.file->read(value.offset_bytes + first, wanted));
  WHERRY_ASSERT(got == wanted.size(), "a spill file holds what was written to it");
  return whole_characters(limit, {reinterpret_cast<const char*>(bytes.data()), got});
}

using OnCut = std::function<void(const ValueLength& length)>;

Result<std::uint64_t> limit_all(RowBatch& batch, const schema::TablePlan& plan,
                                const OnCut& on_cut) {
  std::uint64_t count = 0;
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    const std::uint64_t limit = plan.columns[c].max_lob_bytes;
    if (limit == 0) continue;
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      WHERRY_ASSIGN(const auto had, limit_cell(batch.row(r)[c], limit, batch.arena()));
      if (!had) continue;
      ++count;
      const ValueLength* whole = batch.length_of(r, c);
      on_cut(whole != nullptr ? *whole : ValueLength{r, c, *had, false});
    }
  }
  return count;
}

std::string text_of_key(const schema::TablePlan& plan, const Cell* row) {
  std::string out;
  for (const std::size_t i : plan.key) {
    out += (out.empty() ? "" : ", ") + plan.columns[i].source_name + "=" +
           cell_text(row[i], kShownKeyBytes);
  }
  return out.empty() ? "(none)" : out;
}

}  // namespace

Result<std::optional<std::uint64_t>> limit_cell(Cell& cell, std::uint64_t limit, Arena& arena) {
  const bool is_text = cell.kind == CellKind::kText;
  std::optional<std::uint64_t> had;
  if (cell.state == CellState::kSpilled) {
    SpilledValue value = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
    if (value.size_bytes <= limit) return had;
    had = value.size_bytes;
    WHERRY_ASSIGN(value.size_bytes, cut_at(value, limit, is_text));
    cell.payload.ptr = arena.copy(&value, sizeof value);
    return had;
  }
  if (cell.state != CellState::kSet || cell.size_bytes <= limit) return had;
  had = cell.size_bytes;
  const std::string_view value = cell.bytes();
  const auto first = static_cast<std::size_t>(limit >= 3 ? limit - 3 : 0);
  const std::string_view before = value.substr(first, static_cast<std::size_t>(limit) - first + 1);
  cell.size_bytes = static_cast<std::uint32_t>(is_text ? whole_characters(limit, before) : limit);
  return had;
}

Result<std::uint64_t> limit_lobs(RowBatch& batch, const schema::TablePlan& plan) {
  return limit_all(batch, plan, [](const ValueLength&) {});
}

Result<std::uint64_t> limit_lobs(RowBatch& batch, const schema::TablePlan& plan,
                                 TableProgress& table, const Logger& log) {
  const OnCut tell = [&](const ValueLength& had) {
    if (++table.truncated_values > kMostLoggedLobs) return;
    const schema::ColumnPlan& column = plan.columns[had.column];
    log.warn("The value of column '" + column.source_name + "' in table '" +
                 schema::to_text(plan.source) + "' was truncated to length " +
                 std::to_string(column.max_lob_bytes),
             {{"key", text_of_key(plan, batch.row(had.row))},
              {had.in_characters ? "characters" : "bytes", std::to_string(had.length)}});
  };
  return limit_all(batch, plan, tell);
}

}  // namespace wherry::engine
