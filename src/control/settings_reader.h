// What the sections of a task-settings document are read with: values of a kind, and the mistakes
// that are told all at once.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace wherry::control {

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

class SettingsReader {
 public:
  using Json = nlohmann::json;
  std::string mistakes;

  void mistake(const std::string& path, const std::string& what) {
    mistakes +=
        fmt::format("{}{}: {}", mistakes.empty() ? "" : "; ", path.empty() ? "/" : path, what);
  }

  bool is_object(const Json& value, const std::string& path) {
    if (value.is_object()) return true;
    mistake(path, fmt::format("must be an object, not {}", value.type_name()));
    return false;
  }

  void truth(const Json& value, const std::string& path, bool& out) {
    if (value.is_boolean()) {
      out = value.get<bool>();
    } else {
      mistake(path, fmt::format("{} is not true or false", value.dump()));
    }
  }

  template <class Number>
  void number(const Json& value, const std::string& path, std::int64_t low, std::int64_t high,
              Number& out) {
    if (value.is_number_integer() && value.get<std::int64_t>() >= low &&
        value.get<std::int64_t>() <= high) {
      out = value.get<Number>();
    } else {
      mistake(path, fmt::format("{} is not a whole number from {} to {}", value.dump(), low, high));
    }
  }

  void seconds(const Json& value, const std::string& path, std::chrono::milliseconds& out) {
    std::int64_t count = out.count() / 1000;
    number(value, path, 0, 1'000'000, count);
    out = std::chrono::seconds(count);
  }
};

}  // namespace wherry::control
