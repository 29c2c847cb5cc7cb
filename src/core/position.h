// A point in a source's history: an opaque, ordered, versioned text made by the source
// ("scn:1234"). The engine stores and hands it back; only the source reads it.
#pragma once

#include <string>

namespace wherry {

struct Position {
  std::string text;  ///< empty: none
  [[nodiscard]] bool empty() const { return text.empty(); }
  friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace wherry
