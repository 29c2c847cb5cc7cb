// JSON by its meaning: what two documents share that PostgreSQL's jsonb takes for one value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wherry::engine {

/// The value without blanks, members sorted by name with the last of equal names kept, numbers
/// plain and without zeros at their ends. nullopt when the text is no JSON.
std::optional<std::string> plain_json(std::string_view text);

}  // namespace wherry::engine
