// Typed reading of a document that has been checked against the catalogue.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "control/settings_document.h"

namespace wherry::control {

/// Each takes the path of a key, and sets what it is given: to the value sent, or the default.
class SettingsValues {
 public:
  explicit SettingsValues(const SettingsDocument& document) : document_(document) {}

  [[nodiscard]] bool truth(std::string_view path) const { return document_.value(path) == true; }
  template <class Number>
  void number(std::string_view path, Number& out) const {
    out = document_.value(path).get<Number>();
  }
  void seconds(std::string_view path, std::chrono::milliseconds& out) const {
    out = std::chrono::seconds(document_.value(path).get<std::int64_t>());
  }
  void megabytes(std::string_view path, std::uint64_t& out) const {
    out = document_.value(path).get<std::uint64_t>() * 1024 * 1024;
  }
  [[nodiscard]] std::string text(std::string_view path) const {
    const auto value = document_.value(path);
    return value.is_string() ? value.get<std::string>() : std::string();
  }
  /// `names` has every choice of the key.
  template <class Names, class Value>
  void choice(std::string_view path, const Names& names, Value& out) const {
    const std::string given = text(path);
    for (const auto& [name, value] : names) {
      if (name == given) out = value;
    }
  }
  [[nodiscard]] bool was_sent(std::string_view path) const {
    return document_.sent(path) != nullptr;
  }
  [[nodiscard]] const SettingsDocument& document() const { return document_; }

 private:
  const SettingsDocument& document_;
};

}  // namespace wherry::control
