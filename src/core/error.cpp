#include "core/error.h"

#include <algorithm>
#include <array>

namespace wherry {

std::string_view name_of(ErrorKind kind) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "transient",   "config",   "auth",          "permission", "schema",  "data",
      "unsupported", "resource", "position_lost", "cancelled",  "internal"};
  return kNames[static_cast<std::size_t>(kind)];
}

Error& Error::with(std::string_view key, std::string_view value) & {
  const bool known =
      std::any_of(fields.begin(), fields.end(), [&](const ErrorField& f) { return f.key == key; });
  if (!known) fields.push_back({std::string(key), std::string(value)});
  return *this;
}

Error&& Error::with(std::string_view key, std::string_view value) && {
  with(key, value);
  return std::move(*this);
}

std::string Error::to_paragraph() const {
  std::string out = message;
  if (!fields.empty()) {
    out += " (";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i != 0) out += ", ";
      out += fields[i].key + " " + fields[i].value;
    }
    out += ")";
  }
  out += ".";
  if (!native_text.empty()) {
    // The server's text often begins with its code and ends with a newline.
    std::string text = native_text;
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    out += " The server said: ";
    if (!native_code.empty() && text.find(native_code) == std::string::npos) {
      out += native_code + ": ";
    }
    out += text;
    if (text.empty() || text.back() != '.') out += ".";
  } else if (!native_code.empty()) {
    out += " The server's code: " + native_code + ".";
  }
  if (!hint.empty()) {
    out += " " + hint;
    if (hint.back() != '.') out += ".";
  }
  out += " [" + code + "]";
  return out;
}

Error make_error(ErrorKind kind, std::string_view code, std::string message, std::string hint) {
  Error error;
  error.kind = kind;
  error.code = code;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

}  // namespace wherry
