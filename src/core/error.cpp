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

namespace {

void add_field(std::vector<ErrorField>& fields, ErrorField field) {
  const bool known = std::any_of(fields.begin(), fields.end(),
                                 [&](const ErrorField& f) { return f.key == field.key; });
  if (!known) fields.push_back(std::move(field));
}

/// A sentence of the server's; its text often ends with a newline and has one inside.
std::string sentence(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.empty() || text.back() != '.') text += ".";
  return text;
}

std::string fields_text(const std::vector<ErrorField>& fields, bool with_row_data) {
  std::string out;
  for (const ErrorField& field : fields) {
    if (field.is_row_data && !with_row_data) continue;
    out += (out.empty() ? " (" : ", ") + field.key + " " + field.value;
  }
  return out.empty() ? out : out + ")";
}

std::string text_of(const Error& error, bool with_row_data) {
  std::string out = error.message + fields_text(error.fields, with_row_data) + ".";
  // What a server says about bad data quotes it.
  const bool quotes = with_row_data || error.kind != ErrorKind::kData;
  if (!error.native_text.empty() && quotes) {
    out += " The server said: ";
    const bool has_code = error.native_text.find(error.native_code) != std::string::npos;
    if (!has_code) out += error.native_code + ": ";
    out += sentence(error.native_text);
    if (with_row_data && !error.native_detail.empty()) out += " " + sentence(error.native_detail);
  } else if (!error.native_code.empty()) {
    out += " The server's code: " + error.native_code + ".";
  }
  if (!error.hint.empty()) out += " " + sentence(error.hint);
  return out + " [" + error.code + "]";
}

}  // namespace

Error& Error::with(std::string_view key, std::string_view value) & {
  add_field(fields, {std::string(key), std::string(value)});
  return *this;
}

Error&& Error::with(std::string_view key, std::string_view value) && {
  with(key, value);
  return std::move(*this);
}

Error& Error::with_row_data(std::string_view key, std::string_view value) & {
  add_field(fields, {std::string(key), std::string(value), true});
  return *this;
}

std::string Error::to_paragraph() const {
  return text_of(*this, true);
}

std::string Error::to_log_text() const {
  return text_of(*this, false);
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
