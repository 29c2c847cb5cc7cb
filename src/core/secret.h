// A password or key. It has no formatter and no comparison to text, so it cannot reach a log by
// accident; its memory is wiped on destruction.
#pragma once

#include <string>
#include <string_view>

namespace wherry {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(other.value_) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  [[nodiscard]] bool empty() const { return value_.empty(); }
  /// The clear text; for the one call that sends or hashes it.
  [[nodiscard]] std::string_view reveal() const { return value_; }

 private:
  void wipe();
  std::string value_;
};

}  // namespace wherry
