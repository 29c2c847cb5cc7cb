// Numbers and names as people read them on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::app {

/// "12,345", "3.4 MB", "1m05s".
std::string count_text(std::uint64_t value);
std::string bytes_text(std::uint64_t bytes);
std::string duration_text(double seconds);
/// Without characters that speak to the terminal or break the line: a name may hold anything.
std::string printable(std::string_view text);
/// Terminal columns that a printable UTF-8 text takes.
std::size_t columns_of(std::string_view text);
/// Printable, padded or cut to exactly that many terminal columns.
std::string fitted(std::string_view text, std::size_t columns);
/// Printable and no wider than that.
std::string cut_to(std::string_view text, std::size_t columns);

}  // namespace wherry::app
