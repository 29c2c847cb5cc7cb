#include "transform/functions.h"

#include <openssl/evp.h>

#include <array>
#include <optional>
#include <vector>

namespace wherry::transform {
namespace {

std::optional<std::string_view> text_of(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_NULL) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return std::nullopt;
  return std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

void return_text(sqlite3_context* context, const std::string& text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void replace_chars(sqlite3_context* context, int, sqlite3_value** values) {
  const auto text = text_of(values[0]), from = text_of(values[1]), to = text_of(values[2]);
  if (!text || !from || !to) return sqlite3_result_null(context);
  return_text(context, replace_characters(*text, *from, *to));
}

void hash_sha256(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return sqlite3_result_null(context);
  // Bytes are hashed as they are, everything else as its text.
  if (sqlite3_value_type(values[0]) == SQLITE_BLOB) {
    const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[0]));
    return return_text(
        context, sha256_hex({bytes, static_cast<std::size_t>(sqlite3_value_bytes(values[0]))}));
  }
  const auto text = text_of(values[0]);
  if (!text) return sqlite3_result_error_nomem(context);
  return_text(context, sha256_hex(*text));
}

/// (deleted, updated, inserted)
void operation_indicator(sqlite3_context* context, int, sqlite3_value** values) {
  switch (*static_cast<const Operation*>(sqlite3_user_data(context))) {
    case Operation::kDelete:
      return sqlite3_result_value(context, values[0]);
    case Operation::kUpdate:
      return sqlite3_result_value(context, values[1]);
    case Operation::kInsert:
      return sqlite3_result_value(context, values[2]);
  }
}

std::size_t character_bytes(std::string_view text) {
  std::size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
  return bytes;
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    out.push_back(text.substr(0, character_bytes(text)));
    text.remove_prefix(out.back().size());
  }
  return out;
}

}  // namespace

std::string replace_characters(std::string_view text, std::string_view from, std::string_view to) {
  const std::vector<std::string_view> old = characters_of(from), now = characters_of(to);
  std::string out;
  for (; !text.empty(); text.remove_prefix(character_bytes(text))) {
    std::string_view character = text.substr(0, character_bytes(text));
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (old[i] != character) continue;
      out += now.empty() ? std::string_view() : i < now.size() ? now[i] : now.front();
      character = {};
      break;
    }
    out += character;
  }
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::array<unsigned char, 32> hash{};
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  std::string out;
  for (const unsigned char byte : hash) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

int add_functions(sqlite3& database, const Operation& operation) {
  constexpr int kPure = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  auto* const asked = const_cast<Operation*>(&operation);
  const auto add = [&](const char* name, int count, int flags, auto* function, void* data) {
    return sqlite3_create_function_v2(&database, name, count, flags, data, function, nullptr,
                                      nullptr, nullptr);
  };
  int status = add("replaceChars", 3, kPure, replace_chars, nullptr);
  if (status == SQLITE_OK) status = add("hash_sha256", 1, kPure, hash_sha256, nullptr);
  if (status == SQLITE_OK) {
    status = add("operation_indicator", 3, SQLITE_UTF8, operation_indicator, asked);
  }
  return status;
}

}  // namespace wherry::transform
