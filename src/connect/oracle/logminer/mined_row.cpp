#include "connect/oracle/logminer/mined_row.h"

#include <fmt/format.h>

#include <charconv>

namespace wherry::oracle {

std::optional<RedoAddress> parse_redo_address(std::string_view rs_id) {
  while (rs_id.starts_with(' ')) rs_id.remove_prefix(1);
  while (rs_id.ends_with(' ')) rs_id.remove_suffix(1);
  if (!rs_id.starts_with("0x")) return std::nullopt;
  rs_id.remove_prefix(2);
  RedoAddress out;
  std::uint32_t* const parts[] = {&out.sequence, &out.block, &out.offset};
  for (std::uint32_t* const part : parts) {
    const char* const end = rs_id.data() + rs_id.size();
    const auto [stop, status] = std::from_chars(rs_id.data(), end, *part, 16);
    if (status != std::errc{}) return std::nullopt;
    rs_id.remove_prefix(static_cast<std::size_t>(stop - rs_id.data()));
    const bool is_last = part == &out.offset;
    if (is_last ? !rs_id.empty() : !rs_id.starts_with('.')) return std::nullopt;
    if (!is_last) rs_id.remove_prefix(1);
  }
  return out;
}

std::string to_text(const RedoAddress& address) {
  return fmt::format(" 0x{:06x}.{:08x}.{:04x} ", address.sequence, address.block, address.offset);
}

std::string to_text(const TransactionKey& key) {
  return fmt::format("{}.{}.{}", key.segment, key.slot, key.sequence);
}

bool is_placeholder(std::string_view row_id) {
  return row_id.find_first_not_of('A') == std::string_view::npos;
}

}  // namespace wherry::oracle
