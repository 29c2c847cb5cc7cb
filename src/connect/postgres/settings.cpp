#include "connect/postgres/settings.h"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <set>

#include "connect/api/url.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kAnalyze = "analyze";
constexpr std::string_view kToastCompression = "toast_compression";
constexpr std::string_view kConnectTimeout = "connect_timeout";
constexpr std::string_view kKeyMemory = "key_memory_mb";
constexpr std::string_view kLockTimeout = "lock_timeout";
constexpr std::string_view kNullCharacters = "null_characters";
constexpr std::string_view kColumnTypes = "column_types";
constexpr std::string_view kSynchronousCommit = "synchronous_commit";
constexpr std::string_view kReplicationRole = "session_replication_role";

std::set<std::string> libpq_keywords() {
  std::set<std::string> out;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconndefaults(),
                                                                               PQconninfoFree);
  for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o) {
    out.insert(o->keyword);
  }
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

Error unknown_option(std::string_view key, std::set<std::string> known) {
  known.emplace(kAnalyze);
  known.emplace(kToastCompression);
  known.emplace(kKeyMemory);
  known.emplace(kLockTimeout);
  known.emplace(kNullCharacters);
  known.emplace(kColumnTypes);
  known.emplace(kSynchronousCommit);
  known.emplace(kReplicationRole);
  known.insert(change_option_names().begin(), change_option_names().end());
  const auto nearest = std::min_element(
      known.begin(), known.end(),
      [&](const auto& a, const auto& b) { return edit_distance(key, a) < edit_distance(key, b); });
  return make_error(ErrorKind::kConfig, "postgres.unknown_option",
                    "the PostgreSQL connection has no option '" + std::string(key) + "'",
                    "Did you mean '" + *nearest + "'?");
}

bool read_number(const std::string& value, int most, int& out) {
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), out);
  return status == std::errc{} && end == value.data() + value.size() && out >= 0 && out <= most;
}

Result<void> read_seconds(std::string_view key, const std::string& value, int& out) {
  constexpr int kMost = 2'000'000;  // PostgreSQL counts milliseconds in 31 bits
  if (read_number(value, kMost, out)) return {};
  return make_error(ErrorKind::kConfig, "postgres.bad_option",
                    "the option " + std::string(key) + " is not a whole number of seconds",
                    "Use 30, say, or 0 for no limit");
}

Result<void> apply_option(ConnectionSettings& out, const std::set<std::string>& keywords,
                          const std::string& key, const std::string& value) {
  if (key == kToastCompression) {
    if (value != "lz4" && value != "pglz" && value != "default") {
      return make_error(ErrorKind::kConfig, "postgres.bad_option",
                        "the option toast_compression has no value '" + value + "'",
                        "Use lz4, pglz or default");
    }
    out.toast_compression = value;
    return {};
  }
  if (key == kAnalyze) {
    if (value != "true" && value != "false") {
      return make_error(ErrorKind::kConfig, "postgres.bad_option",
                        "the option analyze has no value '" + value + "'", "Use true or false");
    }
    out.gathers_statistics = value == "true";
    return {};
  }
  if (key == kKeyMemory) {
    constexpr int kMost = 1024 * 1024;
    if (read_number(value, kMost, out.key_memory_mb)) return {};
    return make_error(ErrorKind::kConfig, "postgres.bad_option",
                      "the option key_memory_mb is not a whole number of megabytes up to 1048576",
                      "Use 256, say, or 0 for the server's maintenance_work_mem");
  }
  if (key == kReplicationRole) {
    if (value != "replica" && value != "origin") {
      return make_error(ErrorKind::kConfig, "postgres.bad_option",
                        "the option session_replication_role has no value '" + value + "'",
                        "Use replica or origin");
    }
    out.loads_as_replica = value == "replica";
    return {};
  }
  if (key == kColumnTypes) {
    if (value != "lossless" && value != "dms") {
      return make_error(ErrorKind::kConfig, "postgres.bad_option",
                        "the option column_types has no value '" + value + "'",
                        "Use lossless or dms");
    }
    out.column_types = value == "dms" ? schema::TypeStyle::kDms : schema::TypeStyle::kLossless;
    return {};
  }
  if (key == kNullCharacters) {
    if (value != "space" && value != "error") {
      return make_error(ErrorKind::kConfig, "postgres.bad_option",
                        "the option null_characters has no value '" + value + "'",
                        "Use space or error");
    }
    out.refuses_null_characters = value == "error";
    return {};
  }
  if (key == kSynchronousCommit) {
    constexpr std::string_view kValues[] = {"off",          "local",        "on",
                                            "remote_write", "remote_apply", "default"};
    if (std::find(std::begin(kValues), std::end(kValues), value) == std::end(kValues)) {
      return make_error(ErrorKind::kConfig, "postgres.bad_option",
                        "the option synchronous_commit has no value '" + value + "'",
                        "Use off, local, on, remote_write, remote_apply or default");
    }
    out.synchronous_commit = value;
    return {};
  }
  if (key == kConnectTimeout) return read_seconds(key, value, out.connect_timeout_secs);
  if (key == kLockTimeout) return read_seconds(key, value, out.lock_timeout_secs);
  WHERRY_ASSIGN(const bool is_known, apply_change_option(out.changes, key, value));
  if (is_known) return {};
  if (!keywords.contains(key)) return unknown_option(key, keywords);
  out.parameters.emplace_back(key, value);
  return {};
}

/// A list of hosts ("a:1,b:2") becomes libpq's two parallel lists.
void add_hosts(ConnectionSettings& out, const connect::Url& url) {
  if (url.host.empty()) return;
  if (url.host.find(',') == std::string::npos) {
    out.parameters.emplace_back("host", url.host);
    if (url.port != 0) out.parameters.emplace_back("port", std::to_string(url.port));
    return;
  }
  std::string hosts;
  std::string ports;
  for (std::string_view rest = url.host; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const std::size_t colon = item.rfind(':');
    const std::string separator = hosts.empty() ? "" : ",";
    hosts += separator + std::string(item.substr(0, colon));
    ports +=
        separator + (colon == std::string_view::npos ? "" : std::string(item.substr(colon + 1)));
  }
  out.parameters.emplace_back("host", hosts);
  out.parameters.emplace_back("port", ports);
}

}  // namespace

Result<ConnectionSettings> read_settings(const connect::Settings& settings) {
  WHERRY_ASSIGN(const connect::Url url, connect::parse_url(settings.url));
  ConnectionSettings out;
  if (!settings.control_schema.empty()) out.control_schema = settings.control_schema;
  out.spill_directory = settings.spill_directory.empty()
                            ? std::filesystem::temp_directory_path().string()
                            : settings.spill_directory;
  out.password = settings.password.empty() ? url.password : settings.password;
  add_hosts(out, url);
  if (!url.path.empty()) out.parameters.emplace_back("dbname", url.path);
  const std::string& user = settings.user.empty() ? url.user : settings.user;
  if (!user.empty()) out.parameters.emplace_back("user", user);

  const std::set<std::string> keywords = libpq_keywords();
  std::map<std::string, std::string> options = url.parameters;
  for (const auto& [key, value] : settings.options) options[key] = value;
  for (const auto& [key, value] : options) WHERRY_TRY(apply_option(out, keywords, key, value));
  return out;
}

}  // namespace wherry::postgres
