#include "connect/oracle/sqlnet.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "connect/oracle/connect_string.h"
#include "connect/oracle/ora_file.h"

namespace wherry::oracle {
namespace {

/// Parameters that stand for a keyword of a DESCRIPTION, or of its SECURITY.
struct Twin {
  const char* parameter;
  const char* keyword;
  bool is_security;
};
constexpr Twin kTwins[] = {
    {"TCP.CONNECT_TIMEOUT", "TRANSPORT_CONNECT_TIMEOUT", false},
    {"SQLNET.OUTBOUND_CONNECT_TIMEOUT", "CONNECT_TIMEOUT", false},
    {"DEFAULT_SDU_SIZE", "SDU", false},
    {"RECV_BUF_SIZE", "RECV_BUF_SIZE", false},
    {"SEND_BUF_SIZE", "SEND_BUF_SIZE", false},
    {"SQLNET.ENCRYPTION_CLIENT", "ENCRYPTION_CLIENT", true},
    {"SQLNET.ENCRYPTION_TYPES_CLIENT", "ENCRYPTION_TYPES_CLIENT", true},
    {"SQLNET.CRYPTO_CHECKSUM_CLIENT", "CRYPTO_CHECKSUM_CLIENT", true},
    {"SQLNET.CRYPTO_CHECKSUM_TYPES_CLIENT", "CRYPTO_CHECKSUM_TYPES_CLIENT", true},
    {"SSL_SERVER_DN_MATCH", "SSL_SERVER_DN_MATCH", true},
    {"SSL_VERSION", "SSL_VERSION", true},
};

Error bad_entry(const OraEntry& entry, const std::string& what) {
  return make_error(ErrorKind::kConfig, "oracle.sqlnet",
                    entry.place + ": " + entry.name + " cannot be " + entry.value + ": " + what,
                    "Correct the file, remove the line, or give the parameter in the connect "
                    "string, which wins");
}

/// "(A, B)", "A, B" or "A".
std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : std::string(list) + ",") {
    if (is_name_char(c)) {
      word.push_back(c);
    } else if (!word.empty()) {
      words.push_back(upper_name(std::exchange(word, {})));
    }
  }
  return words;
}

std::string unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return std::string(value);
}

/// A '?' at the front stands for the Oracle home; without one, in files of downloaded wallets, for
/// the place of the file.
std::string wallet_path(std::string path, const std::string& directory) {
  if (path.empty() || path.front() != '?') return path;
  if (const char* home = std::getenv("ORACLE_HOME"); home != nullptr && *home != '\0') {
    return home + path.substr(1);
  }
  return directory;
}

/// "(SOURCE=(METHOD=FILE)(METHOD_DATA=(DIRECTORY=/path)))", or the directory alone.
Result<std::string> wallet_directory(const OraEntry& entry, const std::string& directory) {
  if (entry.value.front() != '(') return wallet_path(unquoted(entry.value), directory);
  const auto root = parse_nv(entry.value);
  if (!root.ok()) return bad_entry(entry, root.error().message);
  const NvNode* const source = root->name == "SOURCE" ? &*root : root->find("SOURCE");
  const NvNode* const data = source != nullptr ? source->find("METHOD_DATA") : nullptr;
  const std::string method =
      source != nullptr ? upper_name(source->value_of("METHOD")) : std::string();
  if (method == "SYSTEM") return std::string("SYSTEM");
  if (method != "FILE" || data == nullptr || data->value_of("DIRECTORY").empty()) {
    return bad_entry(entry, "only wallets in a directory are read");
  }
  return wallet_path(std::string(data->value_of("DIRECTORY")), directory);
}

class SqlnetReader {
 public:
  explicit SqlnetReader(const std::string& directory) : directory_(directory) {
    result_.description.name = "DESCRIPTION";
    security_.name = "SECURITY";
  }

  Result<SqlnetOra> read(const std::string& path) {
    WHERRY_ASSIGN(const OraFile file, read_ora_file(path));
    for (const OraEntry& entry : file.entries) WHERRY_TRY(take(entry));
    if (!security_.children.empty()) result_.description.children.push_back(std::move(security_));
    return std::move(result_);
  }

 private:
  Result<void> take(const OraEntry& entry) {
    if (entry.name == "NAMES.DEFAULT_DOMAIN") {
      result_.default_domain = unquoted(entry.value);
    } else if (entry.name == "NAMES.DIRECTORY_PATH") {
      result_.directory_path = words_of(entry.value);
    } else if (entry.name == "SQLNET.RECV_TIMEOUT") {
      result_.receive_timeout = parse_duration(entry.value);
      if (!result_.receive_timeout) return bad_entry(entry, "it is not a duration");
    } else if (entry.name == "WALLET_LOCATION") {
      WHERRY_ASSIGN(std::string wallet, wallet_directory(entry, directory_));
      set(security_, "MY_WALLET_DIRECTORY", std::move(wallet));
    } else {
      return take_twin(entry);
    }
    return {};
  }

  Result<void> take_twin(const OraEntry& entry) {
    const auto* const twin =
        std::find_if(std::begin(kTwins), std::end(kTwins),
                     [&](const Twin& one) { return entry.name == one.parameter; });
    if (twin == std::end(kTwins)) return {};
    NvNode& node = twin->is_security ? security_ : result_.description;
    set(node, twin->keyword, usable(*twin, entry.value));
    return check(entry);
  }

  /// Of lists of algorithms those that are offered: such files often name RC4 or DES beside them.
  static std::string usable(const Twin& twin, const std::string& value) {
    const std::string_view keyword = twin.keyword;
    const bool is_cipher = keyword == "ENCRYPTION_TYPES_CLIENT";
    if (!is_cipher && keyword != "CRYPTO_CHECKSUM_TYPES_CLIENT") return unquoted(value);
    std::string list;
    for (const std::string& word : words_of(value)) {
      const bool is_known = is_cipher ? wire::parse_ciphers(word).has_value()
                                      : wire::parse_checksums(word).has_value();
      if (is_known) list += (list.empty() ? "" : ",") + word;
    }
    return list.empty() ? value : list;
  }

  /// A later entry replaces an earlier one.
  static void set(NvNode& node, const std::string& keyword, std::string value) {
    for (NvNode& child : node.children) {
      if (child.name == keyword) {
        child.value = std::move(value);
        return;
      }
    }
    node.children.push_back({keyword, std::move(value), {}});
  }

  /// What no connect string could use is told with its line.
  Result<void> check(const OraEntry& entry) const {
    NvNode probe = result_.description;
    if (!security_.children.empty()) probe.children.push_back(security_);
    const auto parsed = parse_connect_string("(DESCRIPTION=(ADDRESS=(HOST=h)))", probe);
    if (parsed.ok()) return {};
    return bad_entry(entry, parsed.error().message);
  }

  const std::string& directory_;
  SqlnetOra result_;
  NvNode security_;
};

}  // namespace

bool SqlnetOra::looks_up(std::string_view method, bool otherwise) const {
  if (directory_path.empty()) return otherwise;
  return std::find(directory_path.begin(), directory_path.end(), method) != directory_path.end();
}

Result<SqlnetOra> read_sqlnet(const std::string& directory) {
  if (directory.empty()) return SqlnetOra();
  const std::filesystem::path path = std::filesystem::path(directory) / "sqlnet.ora";
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return SqlnetOra();
  return SqlnetReader(directory).read(path.string());
}

}  // namespace wherry::oracle
