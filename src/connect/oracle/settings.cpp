#include "connect/oracle/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

#include "connect/api/url.h"

namespace wherry::oracle {
namespace {

constexpr int kDefaultPort = 1521;

/// Passed on in the connect string (Oracle Net Services, "Easy Connect Plus" parameters).
constexpr std::array<std::string_view, 22> kNetworkParameters = {"connect_timeout",
                                                                 "crypto_checksum_client",
                                                                 "crypto_checksum_types_client",
                                                                 "enable",
                                                                 "encryption_client",
                                                                 "encryption_types_client",
                                                                 "expire_time",
                                                                 "failover",
                                                                 "https_proxy",
                                                                 "https_proxy_port",
                                                                 "load_balance",
                                                                 "recv_buf_size",
                                                                 "retry_count",
                                                                 "retry_delay",
                                                                 "sdu",
                                                                 "send_buf_size",
                                                                 "source_route",
                                                                 "ssl_server_cert_dn",
                                                                 "ssl_server_dn_match",
                                                                 "transport_connect_timeout",
                                                                 "use_sni",
                                                                 "wallet_location"};

constexpr std::array<std::string_view, 10> kOwnParameters = {
    "array_rows",        "call_timeout_ms", "connect_string", "edition",   "lob_inline_max_kb",
    "new_password_file", "protocol",        "role",           "tns_admin", "wallet_password_file"};

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

Error bad_value(std::string_view name, std::string_view value, std::string_view allowed) {
  return make_error(ErrorKind::kConfig, "oracle.setting",
                    fmt::format("the Oracle setting {} cannot be '{}'", name, value),
                    fmt::format("Allowed: {}", allowed));
}

Result<void> read_number(const connect::Settings& settings, const char* name, std::uint64_t low,
                         std::uint64_t high, std::uint64_t& out) {
  const auto found = settings.options.find(name);
  if (found == settings.options.end()) return {};
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    return bad_value(name, text, fmt::format("{} to {}", low, high));
  }
  out = value;
  return {};
}

constexpr std::string_view kPluggableDatabase = "pluggabledatabase";

/// But for the case of letters; `lower` has small ones.
bool is_alike(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

/// DMS writes the name in several ways, and takes all of them.
bool is_number_scale(std::string_view name) {
  return is_alike(name, "numberdatatypescale");
}

Result<std::optional<int>> number_scale(const connect::Settings& settings) {
  for (const auto& [name, text] : settings.options) {
    if (!is_number_scale(name)) continue;
    int scale = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), scale);
    if (status != std::errc{} || end != text.data() + text.size() || scale < -2 || scale > 38) {
      return bad_value(name, text, "-2 (text), -1 (floating point), 0 to 38 (decimals)");
    }
    return std::optional<int>(scale);
  }
  return std::optional<int>{};
}

/// PluggableDatabase, in any letters.
std::string pluggable_database(const connect::Settings& settings) {
  for (const auto& [name, text] : settings.options) {
    if (is_alike(name, kPluggableDatabase)) return text;
  }
  return {};
}

constexpr std::string_view kAddSupplementalLogging = "addsupplementallogging";
constexpr std::string_view kExposeViews = "exposeviews";

/// Named in any letters: DMS writes addSupplementalLogging too. `lower` has small ones.
Result<bool> truth_of(const connect::Settings& settings, std::string_view lower) {
  for (const auto& [name, text] : settings.options) {
    if (!is_alike(name, lower)) continue;
    if (is_alike(text, "true") || is_alike(text, "y")) return true;
    if (is_alike(text, "false") || is_alike(text, "n")) return false;
    return bad_value(name, text, "true, false");
  }
  return false;
}

Result<void> check_names(const connect::Settings& settings) {
  for (const auto& [name, value] : settings.options) {
    // DMS endpoint attributes are spelt in capitals; those without a meaning here are not errors.
    if (name.empty() || (name[0] >= 'A' && name[0] <= 'Z')) continue;
    if (contains(kNetworkParameters, name) || contains(kOwnParameters, name)) continue;
    if (is_number_scale(name) || is_alike(name, kAddSupplementalLogging)) continue;
    if (is_alike(name, kPluggableDatabase) || is_alike(name, kExposeViews)) continue;
    return make_error(ErrorKind::kConfig, "oracle.unknown_setting",
                      fmt::format("the Oracle endpoint has no setting named '{}'", name),
                      fmt::format("Known settings: {}, {}", fmt::join(kOwnParameters, ", "),
                                  fmt::join(kNetworkParameters, ", ")));
  }
  return {};
}

std::string option(const connect::Settings& settings, const char* name) {
  const auto found = settings.options.find(name);
  return found == settings.options.end() ? std::string() : found->second;
}

/// The first line of a file that holds a password.
Result<Secret> secret_in(const connect::Settings& settings, const char* name) {
  const std::string path = option(settings, name);
  if (path.empty()) return Secret();
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line.empty()) {
    return make_error(
        ErrorKind::kConfig, "oracle.secret_file",
        fmt::format("the file of the setting {} cannot be read or is empty: {}", name, path),
        "Give a file whose first line is the password");
  }
  return Secret(std::move(line));
}

/// A parameter's value as it stands in an Easy Connect string.
Result<std::string> easy_connect_value(std::string_view name, const std::string& value) {
  if (value.find_first_of("&\" ") == std::string::npos) return value;
  if (value.find('"') != std::string::npos) return bad_value(name, value, "no quotes inside");
  return "\"" + value + "\"";
}

/// A whole connect string says all of it; what stands beside it must not be lost unseen.
Result<std::string> given_connect_string(const connect::Settings& settings, std::string given) {
  for (const auto& [name, value] : settings.options) {
    if (!contains(kNetworkParameters, name) && name != "protocol") continue;
    return make_error(ErrorKind::kConfig, "oracle.setting",
                      fmt::format("the Oracle setting {} does not go with connect_string", name),
                      "Write it inside the connect string");
  }
  return given;
}

Result<std::string> connect_string(const connect::Settings& settings) {
  if (std::string given = option(settings, "connect_string"); !given.empty()) {
    return given_connect_string(settings, std::move(given));
  }
  WHERRY_ASSIGN(const connect::Url url, connect::parse_url(settings.url));
  const std::string protocol = option(settings, "protocol");
  if (!protocol.empty() && protocol != "tcp" && protocol != "tcps") {
    return bad_value("protocol", protocol, "tcp, tcps");
  }
  if (url.host.empty() || url.path.empty()) {
    return make_error(ErrorKind::kConfig, "oracle.url",
                      "the Oracle URL needs a host and a service name",
                      "Write oracle://user@host:1521/service");
  }
  // An IPv6 address needs its brackets back.
  const std::string host =
      url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  std::string text = fmt::format("{}://{}:{}/{}", protocol.empty() ? "tcp" : protocol, host,
                                 url.port == 0 ? kDefaultPort : url.port, url.path);
  char separator = '?';
  for (const auto& [name, value] : settings.options) {
    if (!contains(kNetworkParameters, name)) continue;
    WHERRY_ASSIGN(const std::string written, easy_connect_value(name, value));
    text += fmt::format("{}{}={}", separator, name, written);
    separator = '&';
  }
  return text;
}

Result<LoginRole> role_of(const std::string& text) {
  struct Named {
    std::string_view name;
    LoginRole role;
  };
  static constexpr std::array<Named, 7> kRoles = {{{"", LoginRole::kNormal},
                                                   {"normal", LoginRole::kNormal},
                                                   {"sysdba", LoginRole::kSysdba},
                                                   {"sysoper", LoginRole::kSysoper},
                                                   {"sysbackup", LoginRole::kSysbackup},
                                                   {"sysdg", LoginRole::kSysdg},
                                                   {"syskm", LoginRole::kSyskm}}};
  for (const Named& named : kRoles) {
    if (named.name == text) return named.role;
  }
  return bad_value("role", text, "normal, sysdba, sysoper, sysbackup, sysdg, syskm");
}

}  // namespace

Result<EndpointOptions> endpoint_options(const connect::Settings& settings) {
  WHERRY_TRY(check_names(settings));
  EndpointOptions options;
  WHERRY_ASSIGN(options.connect.connect_string, connect_string(settings));
  WHERRY_ASSIGN(options.connect.role, role_of(option(settings, "role")));
  WHERRY_ASSIGN(options.connect.new_password, secret_in(settings, "new_password_file"));
  options.connect.new_password_on_expiry = true;
  WHERRY_ASSIGN(options.connect.wallet_password, secret_in(settings, "wallet_password_file"));
  options.connect.edition = option(settings, "edition");
  options.connect.pluggable_database = pluggable_database(settings);
  options.connect.tns_admin = option(settings, "tns_admin");
  options.connect.user = settings.user;
  options.connect.password = settings.password;
  std::uint64_t call_timeout_ms = 0;
  std::uint64_t array_rows = 0;
  std::uint64_t lob_inline_max_kb = options.fetch.lob_inline_max_bytes / 1024;
  WHERRY_TRY(read_number(settings, "call_timeout_ms", 0, 86'400'000, call_timeout_ms));
  WHERRY_TRY(read_number(settings, "array_rows", 0, 65'535, array_rows));
  WHERRY_TRY(read_number(settings, "lob_inline_max_kb", 1, 65'536, lob_inline_max_kb));
  WHERRY_ASSIGN(options.number_scale, number_scale(settings));
  WHERRY_ASSIGN(options.adds_supplemental_logging, truth_of(settings, kAddSupplementalLogging));
  WHERRY_ASSIGN(options.exposes_views, truth_of(settings, kExposeViews));
  options.connect.call_timeout = std::chrono::milliseconds(call_timeout_ms);
  options.fetch.array_rows = static_cast<std::uint32_t>(array_rows);
  options.fetch.lob_inline_max_bytes = lob_inline_max_kb * 1024;
  if (!settings.spill_directory.empty()) options.fetch.spill_directory = settings.spill_directory;
  return options;
}

}  // namespace wherry::oracle
