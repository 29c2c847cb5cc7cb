#include "connect/oracle/easy_connect.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace wherry::oracle {
namespace {

Error bad(const std::string& what) {
  return make_error(ErrorKind::kConfig, "oracle.connect_string",
                    "The connect string is malformed: " + what,
                    "Write host:port/service, or tcps://host:port/service for TLS");
}

NvNode nv_leaf(std::string name, std::string value) {
  return {std::move(name), std::move(value), {}};
}

/// Parameters of Easy Connect Plus and where their descriptor twins live.
struct Parameter {
  const char* name;
  const char* keyword;
  enum Place { kDescription, kAddress, kSecurity, kConnectData } place;
};
constexpr Parameter kParameters[] = {
    {"expire_time", "EXPIRE_TIME", Parameter::kDescription},
    {"failover", "FAILOVER", Parameter::kDescription},
    {"load_balance", "LOAD_BALANCE", Parameter::kDescription},
    {"source_route", "SOURCE_ROUTE", Parameter::kDescription},
    {"retry_count", "RETRY_COUNT", Parameter::kDescription},
    {"retry_delay", "RETRY_DELAY", Parameter::kDescription},
    {"sdu", "SDU", Parameter::kDescription},
    {"transport_connect_timeout", "TRANSPORT_CONNECT_TIMEOUT", Parameter::kDescription},
    {"connect_timeout", "CONNECT_TIMEOUT", Parameter::kDescription},
    {"recv_buf_size", "RECV_BUF_SIZE", Parameter::kDescription},
    {"send_buf_size", "SEND_BUF_SIZE", Parameter::kDescription},
    {"use_sni", "USE_SNI", Parameter::kDescription},
    {"https_proxy", "HTTPS_PROXY", Parameter::kAddress},
    {"https_proxy_port", "HTTPS_PROXY_PORT", Parameter::kAddress},
    {"ssl_server_cert_dn", "SSL_SERVER_CERT_DN", Parameter::kSecurity},
    {"ssl_server_dn_match", "SSL_SERVER_DN_MATCH", Parameter::kSecurity},
    {"ssl_version", "SSL_VERSION", Parameter::kSecurity},
    {"wallet_location", "MY_WALLET_DIRECTORY", Parameter::kSecurity},
    {"encryption_client", "ENCRYPTION_CLIENT", Parameter::kSecurity},
    {"encryption_types_client", "ENCRYPTION_TYPES_CLIENT", Parameter::kSecurity},
    {"crypto_checksum_client", "CRYPTO_CHECKSUM_CLIENT", Parameter::kSecurity},
    {"crypto_checksum_types_client", "CRYPTO_CHECKSUM_TYPES_CLIENT", Parameter::kSecurity},
    {"pool_boundary", "POOL_BOUNDARY", Parameter::kConnectData},
    {"pool_name", "POOL_NAME", Parameter::kConnectData},
    {"pool_connection_class", "POOL_CONNECTION_CLASS", Parameter::kConnectData},
    {"pool_purity", "POOL_PURITY", Parameter::kConnectData},
};

std::string lower_word(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

class EasyConnect {
 public:
  explicit EasyConnect(std::string_view text) : text_(text) {}

  Result<NvNode> parse() {
    WHERRY_TRY(parameters());
    WHERRY_TRY(protocol());
    const std::size_t slash = text_.find('/');
    if (slash == text_.npos) return bad("a slash and the service name are missing");
    WHERRY_TRY(hosts(text_.substr(0, slash)));
    WHERRY_TRY(service(text_.substr(slash + 1)));
    NvNode root{"DESCRIPTION", "", std::move(description_)};
    root.children.push_back({"CONNECT_DATA", "", std::move(connect_data_)});
    if (!security_.empty()) root.children.push_back({"SECURITY", "", std::move(security_)});
    return root;
  }

 private:
  Result<void> protocol() {
    const std::size_t slashes = text_.find("//");
    if (slashes == text_.npos) return {};
    std::string_view name = text_.substr(0, slashes);
    if (!name.empty()) {
      if (name.back() != ':') return {};  // "host//instance": an empty service
      name.remove_suffix(1);
      protocol_ = lower_word(name);
      if (protocol_ != "tcp" && protocol_ != "tcps") {
        return bad("protocol " + protocol_ + " is not supported, only tcp and tcps are");
      }
    }
    text_.remove_prefix(slashes + 2);
    return {};
  }

  Result<void> hosts(std::string_view text) {
    while (true) {
      const std::size_t semicolon = text.find(';');
      WHERRY_ASSIGN(NvNode list, address_list(text.substr(0, semicolon)));
      description_.push_back(std::move(list));
      if (semicolon == text.npos) return {};
      text.remove_prefix(semicolon + 1);
    }
  }

  Result<NvNode> address_list(std::string_view text) {
    NvNode list{"ADDRESS_LIST", "", {}};
    std::vector<std::string> waiting;  // hosts that take the next port
    const auto flush = [&](const std::string& port) {
      for (std::string& host : waiting) {
        list.children.push_back({"ADDRESS",
                                 "",
                                 {nv_leaf("PROTOCOL", protocol_), nv_leaf("HOST", std::move(host)),
                                  nv_leaf("PORT", port)}});
        std::vector<NvNode>& parts = list.children.back().children;
        parts.insert(parts.end(), address_.begin(), address_.end());
      }
      waiting.clear();
    };
    while (!text.empty()) {
      WHERRY_ASSIGN(std::string host, this->host(text));
      waiting.push_back(std::move(host));
      if (!text.empty() && text[0] == ':') {
        const std::size_t end = std::min(text.find(',', 1), text.size());
        const std::string port(text.substr(1, end - 1));
        if (port.empty() || port.find_first_not_of("0123456789") != port.npos) {
          return bad("\"" + port + "\" is not a port");
        }
        flush(port);
        text.remove_prefix(end);
      }
      if (text.empty()) break;
      if (text[0] != ',') return bad("unexpected text after a host: " + std::string(text));
      text.remove_prefix(1);
    }
    flush("1521");
    if (list.children.empty()) return bad("it has no host");
    return list;
  }

  static Result<std::string> host(std::string_view& text) {
    if (!text.empty() && text[0] == '[') {
      const std::size_t end = text.find(']');
      if (end == text.npos) return bad("an IPv6 address has no closing bracket");
      std::string result(text.substr(1, end - 1));
      text.remove_prefix(end + 1);
      return result;
    }
    const auto is_host = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    };
    std::size_t n = 0;
    while (n < text.size() && is_host(text[n])) ++n;
    if (n == 0) return bad("a host name is missing");
    std::string result(text.substr(0, n));
    text.remove_prefix(n);
    return result;
  }

  Result<void> service(std::string_view text) {
    const std::size_t slash = text.find('/');
    std::string_view name = text.substr(0, slash);
    const std::size_t colon = name.find(':');
    const std::string_view server =
        colon == name.npos ? std::string_view() : name.substr(colon + 1);
    name = name.substr(0, colon);
    if (!name.empty()) connect_data_.push_back(nv_leaf("SERVICE_NAME", std::string(name)));
    if (!server.empty()) {
      const std::string type = lower_word(server);
      if (type != "dedicated" && type != "shared" && type != "pooled") {
        return bad("server type " + type + " is none of dedicated, shared, pooled");
      }
      connect_data_.push_back(nv_leaf("SERVER", type));
    }
    if (slash != text.npos && slash + 1 < text.size()) {
      connect_data_.push_back(nv_leaf("INSTANCE_NAME", std::string(text.substr(slash + 1))));
    }
    return {};
  }

  Result<void> parameters() {
    const std::size_t question = text_.find('?');
    if (question == text_.npos) return {};
    std::string_view rest = text_.substr(question + 1);
    text_ = text_.substr(0, question);
    while (!rest.empty()) {
      const std::size_t equals = rest.find('=');
      if (equals == rest.npos) return bad("a parameter has no value: " + std::string(rest));
      const std::string name = lower_word(rest.substr(0, equals));
      rest.remove_prefix(equals + 1);
      std::string value;
      if (!rest.empty() && rest[0] == '"') {
        const std::size_t end = rest.find('"', 1);
        if (end == rest.npos) return bad("a closing quote is missing");
        value = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
      } else {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        value = rest.substr(0, end);
        rest.remove_prefix(end);
      }
      if (!rest.empty() && rest[0] == '&') rest.remove_prefix(1);
      place(name, std::move(value));
    }
    return {};
  }

  /// Unknown names are ignored, as Oracle's clients do.
  void place(const std::string& name, std::string value) {
    const auto* found = std::find_if(std::begin(kParameters), std::end(kParameters),
                                     [&](const Parameter& p) { return name == p.name; });
    if (found == std::end(kParameters)) return;
    NvNode node = nv_leaf(found->keyword, std::move(value));
    switch (found->place) {
      case Parameter::kDescription:
        return description_.push_back(std::move(node));
      case Parameter::kAddress:
        return address_.push_back(std::move(node));
      case Parameter::kSecurity:
        return security_.push_back(std::move(node));
      case Parameter::kConnectData:
        return connect_data_.push_back(std::move(node));
    }
  }

  std::string_view text_;
  std::string protocol_ = "tcp";
  std::vector<NvNode> description_, address_, connect_data_, security_;
};

}  // namespace

Result<NvNode> parse_easy_connect(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return EasyConnect(text).parse();
}

}  // namespace wherry::oracle
