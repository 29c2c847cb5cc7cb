#include "connect/api/url.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace wherry::connect {
namespace {

Error malformed(std::string what) {
  return make_error(ErrorKind::kConfig, "url.malformed", "the URL is malformed: " + std::move(what),
                    "Write scheme://user@host:port/name, with special characters of a part as %XX");
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode(std::string_view text, std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return malformed(fmt::format("'%' in the {} is not followed by two hex digits", part));
    }
    if (high == 0 && low == 0) return malformed(fmt::format("the {} contains %00", part));
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// Splits at the first `mark`; the second part is empty and `found` false when there is none.
struct Split {
  std::string_view before, after;
  bool found = false;
};
Split split_at(std::string_view text, std::size_t position) {
  if (position == std::string_view::npos) return {text, {}, false};
  return {text.substr(0, position), text.substr(position + 1), true};
}

bool is_scheme(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!allowed) return false;
  }
  return true;
}

Result<int> parse_port(std::string_view text) {
  if (text.empty()) return 0;
  int port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (status != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535) {
    return malformed("the port is not a number from 1 to 65535");
  }
  return port;
}

/// host, host:port, [v6]:port, or a list of hosts with commas, which only libpq understands and
/// which stays in `url.text`.
Result<void> parse_host(std::string_view text, Url& url) {
  std::string_view host = text;
  std::string_view port;
  if (text.find(',') != std::string_view::npos) {
    WHERRY_ASSIGN(url.host, decode(text, "host"));
    return {};
  }
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return malformed("'[' of the host is not closed");
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return malformed("the host is followed by no port");
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    const Split parts = split_at(text, text.rfind(':'));
    host = parts.before;
    port = parts.after;
    if (host.find(':') != std::string_view::npos) {
      return malformed("an IPv6 address needs brackets");
    }
  }
  WHERRY_ASSIGN(url.host, decode(host, "host"));
  WHERRY_ASSIGN(url.port, parse_port(port));
  return {};
}

/// Fills `url.parameters`; returns the query without its password.
Result<std::string> parse_query(std::string_view query, Url& url) {
  std::string kept;
  while (!query.empty()) {
    const Split item = split_at(query, query.find('&'));
    query = item.after;
    if (item.before.empty()) continue;
    const Split pair = split_at(item.before, item.before.find('='));
    WHERRY_ASSIGN(std::string key, decode(pair.before, "parameters"));
    WHERRY_ASSIGN(std::string value, decode(pair.after, "parameter " + key));
    if (key.empty() || !pair.found) return malformed("a parameter is not key=value");
    if (key == "password") {
      url.has_password = true;
      url.password = Secret(std::move(value));
      continue;
    }
    if (!url.parameters.emplace(key, std::move(value)).second) {
      return malformed("the parameter " + key + " is given twice");
    }
    kept += (kept.empty() ? "?" : "&") + std::string(item.before);
  }
  return kept;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) {
    return malformed("it does not begin with scheme://");
  }
  url.scheme = std::string(text.substr(0, colon));
  for (char& c : url.scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;

  // '/', '?' and '#' in a password must be escaped: unescaped they end the authority.
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t authority_end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, authority_end);
  std::string_view tail =
      authority_end == std::string_view::npos ? std::string_view{} : rest.substr(authority_end);
  if (tail.find('#') != std::string_view::npos) return malformed("'#' has no meaning in it");

  const Split login = split_at(authority, authority.rfind('@'));
  std::string_view user_text;
  if (login.found) {
    const Split credentials = split_at(login.before, login.before.find(':'));
    user_text = credentials.before;
    WHERRY_ASSIGN(url.user, decode(user_text, "user name"));
    if (credentials.found) {
      WHERRY_ASSIGN(std::string password, decode(credentials.after, "password"));
      url.has_password = true;
      url.password = Secret(std::move(password));
    }
  }
  const std::string_view host_text = login.found ? login.after : authority;
  WHERRY_TRY(parse_host(host_text, url));

  const Split path = split_at(tail, tail.find('?'));
  if (!login.found && path.before.find('@') != std::string_view::npos) {
    return malformed("'/' in a user name or password must be written %2F, '@' in a path %40");
  }
  const std::string_view path_text = path.before.empty() ? path.before : path.before.substr(1);
  WHERRY_ASSIGN(url.path, decode(path_text, "path"));
  WHERRY_ASSIGN(const std::string query, parse_query(path.after, url));

  url.text = url.scheme + "://" + std::string(user_text) + (login.found ? "@" : "") +
             std::string(host_text) + std::string(path.before) + query;
  return url;
}

}  // namespace wherry::connect
