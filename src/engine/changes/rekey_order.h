// The order in which rows that only change their keys can be changed one by one.
#pragma once

#include <span>
#include <vector>

#include "engine/changes/window.h"

namespace wherry::engine {

/// `changes` of the window in groups: first those whose new key nobody has. What runs in a circle
/// is one group. REQUIRES: updates of one table that change its identity.
std::vector<std::vector<std::uint32_t>> rekey_groups(const Window& window,
                                                     std::span<const std::uint32_t> changes);

}  // namespace wherry::engine
