// What was probably meant by a name that nobody knows.
#pragma once

#include <span>
#include <string_view>

namespace wherry::mapping {

/// Of `known` the one that differs least; empty: none is near enough. Letters put in, left out,
/// changed, or of the other case count.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace wherry::mapping
