#include "connect/oracle/connect_string.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <numeric>

#include "connect/oracle/easy_connect.h"
#include "connect/oracle/wire/tns.h"

namespace wherry::oracle {
namespace {

/// Days, with the usual delay; keeps the list of attempts small.
constexpr std::uint32_t kMaxRetries = 10'000;

/// What 0 stands for; the system gives up long before.
constexpr std::chrono::hours kNoTransportLimit{24};

constexpr const char* kSyntaxHint =
    "Write host:port/service, or (DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=…)(PORT=…))"
    "(CONNECT_DATA=(SERVICE_NAME=…)))";

Error syntax_error(const std::string& what) {
  return make_error(ErrorKind::kConfig, "oracle.connect_string",
                    "The connect string cannot be used: " + what, kSyntaxHint);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool parse_switch(std::string_view text, bool otherwise) {
  const std::string word = lower(text);
  if (word == "on" || word == "yes" || word == "true") return true;
  if (word == "off" || word == "no" || word == "false") return false;
  return otherwise;
}

Order order_of(const NvNode& node) {
  Order order;
  order.failover = parse_switch(node.value_of("FAILOVER"), true);
  order.load_balance = parse_switch(node.value_of("LOAD_BALANCE"), false);
  order.source_route = parse_switch(node.value_of("SOURCE_ROUTE"), false);
  return order;
}

template <class Number>
Result<Number> number_in(const NvNode& node, std::string_view key, Number otherwise) {
  const std::string_view text = node.value_of(key);
  if (text.empty()) return otherwise;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return syntax_error(std::string(key) + " is not a number: " + std::string(text));
  }
  return value;
}

Result<std::chrono::milliseconds> duration_in(const NvNode& node, std::string_view key,
                                              std::chrono::milliseconds otherwise) {
  const std::string_view text = node.value_of(key);
  if (text.empty()) return otherwise;
  const auto duration = parse_duration(text);
  if (!duration) {
    return syntax_error(std::string(key) + " is not a duration: " + std::string(text));
  }
  return *duration;
}

Result<Protocol> protocol_of(std::string_view text) {
  const std::string word = lower(text);
  if (word.empty() || word == "tcp") return Protocol::kTcp;
  if (word == "tcps") return Protocol::kTcps;
  return syntax_error("protocol " + word + " is not supported, only tcp and tcps are");
}

Result<Address> address_of(const NvNode& node) {
  Address address;
  WHERRY_ASSIGN(address.protocol, protocol_of(node.value_of("PROTOCOL")));
  address.host = node.value_of("HOST");
  if (address.host.empty()) return syntax_error("an ADDRESS has no HOST");
  address.proxy_host = node.value_of("HTTPS_PROXY");
  if (!address.proxy_host.empty() && address.protocol != Protocol::kTcps) {
    return syntax_error("HTTPS_PROXY goes with the protocol tcps only");
  }
  WHERRY_ASSIGN(address.proxy_port, number_in<std::uint16_t>(node, "HTTPS_PROXY_PORT", 80));
  WHERRY_ASSIGN(address.port, number_in<std::uint16_t>(node, "PORT", 1521));
  return address;
}

constexpr const char* kLevels = "rejected, accepted, requested, required";

/// nullopt: the key is not there. `allowed` lists the words.
template <class Value>
Result<std::optional<Value>> parsed_in(const NvNode& node, std::string_view key,
                                       std::optional<Value> (*parse)(std::string_view),
                                       const char* allowed) {
  const NvNode* found = node.find(key);
  if (found == nullptr) return std::optional<Value>();
  std::optional<Value> value = parse(found->value);
  if (!value) {
    return syntax_error(lower(key) + " cannot be " + found->value + "; allowed: " + allowed);
  }
  return value;
}

Result<Security> security_of(const NvNode& description) {
  Security security;
  const NvNode* node = description.find("SECURITY");
  if (node == nullptr) return security;
  security.dn_match = parse_switch(node->value_of("SSL_SERVER_DN_MATCH"), true);
  security.certificate_dn = node->value_of("SSL_SERVER_CERT_DN");
  security.wallet_location = node->value_of("MY_WALLET_DIRECTORY");
  if (security.wallet_location.empty()) {
    security.wallet_location = node->value_of("WALLET_LOCATION");
  }
  security.ssl_version = node->value_of("SSL_VERSION");
  WHERRY_ASSIGN(security.encryption,
                parsed_in(*node, "ENCRYPTION_CLIENT", wire::parse_security_level, kLevels));
  WHERRY_ASSIGN(security.integrity,
                parsed_in(*node, "CRYPTO_CHECKSUM_CLIENT", wire::parse_security_level, kLevels));
  WHERRY_ASSIGN(security.ciphers, parsed_in(*node, "ENCRYPTION_TYPES_CLIENT", wire::parse_ciphers,
                                            "AES256, AES192, AES128"));
  WHERRY_ASSIGN(security.checksums,
                parsed_in(*node, "CRYPTO_CHECKSUM_TYPES_CLIENT", wire::parse_checksums,
                          "SHA256, SHA512, SHA384, SHA1"));
  return security;
}

Result<void> read_addresses(const NvNode& node, Description& description) {
  AddressList direct;
  for (const NvNode& child : node.children) {
    if (child.name == "ADDRESS") {
      WHERRY_ASSIGN(Address address, address_of(child));
      direct.addresses.push_back(std::move(address));
    } else if (child.name == "ADDRESS_LIST") {
      AddressList list;
      list.order = order_of(child);
      for (const NvNode& entry : child.children) {
        if (entry.name != "ADDRESS") continue;
        WHERRY_ASSIGN(Address address, address_of(entry));
        list.addresses.push_back(std::move(address));
      }
      if (!list.addresses.empty()) description.lists.push_back(std::move(list));
    }
  }
  if (!direct.addresses.empty()) {
    // Addresses without a list follow the description's own order.
    direct.order = description.order;
    description.lists.push_back(std::move(direct));
  }
  if (description.lists.empty()) return syntax_error("a DESCRIPTION has no ADDRESS");
  return {};
}

Result<Description> description_of(const NvNode& node) {
  using std::chrono::milliseconds;
  Description description;
  description.order = order_of(node);
  WHERRY_TRY(read_addresses(node, description));
  WHERRY_ASSIGN(description.retry_count, number_in<std::uint32_t>(node, "RETRY_COUNT", 0));
  description.retry_count = std::min(description.retry_count, kMaxRetries);
  WHERRY_ASSIGN(description.retry_delay, duration_in(node, "RETRY_DELAY", milliseconds(1000)));
  WHERRY_ASSIGN(description.transport_connect_timeout,
                duration_in(node, "TRANSPORT_CONNECT_TIMEOUT", milliseconds(20'000)));
  if (description.transport_connect_timeout.count() == 0) {
    description.transport_connect_timeout = kNoTransportLimit;
  }
  WHERRY_ASSIGN(description.connect_timeout, duration_in(node, "CONNECT_TIMEOUT", milliseconds(0)));
  WHERRY_ASSIGN(description.receive_buffer_bytes,
                number_in<std::uint32_t>(node, "RECV_BUF_SIZE", 0));
  WHERRY_ASSIGN(description.send_buffer_bytes, number_in<std::uint32_t>(node, "SEND_BUF_SIZE", 0));
  WHERRY_ASSIGN(const auto minutes, number_in<std::uint16_t>(node, "EXPIRE_TIME", 0));
  description.expire_time = std::chrono::minutes(minutes);
  if (!node.value_of("SDU").empty()) {
    WHERRY_ASSIGN(const auto sdu, number_in<std::uint32_t>(node, "SDU", 0));
    description.sdu_bytes = std::clamp(sdu, wire::kMinSduBytes, wire::kMaxSduBytes);
  }
  description.use_sni = parse_switch(node.value_of("USE_SNI"), false);
  WHERRY_ASSIGN(description.security, security_of(node));
  if (const NvNode* data = node.find("CONNECT_DATA")) description.connect_data = *data;
  description.connect_data.name = "CONNECT_DATA";
  return description;
}

/// Adds what `node` does not say itself.
void add_missing(NvNode& node, const NvNode& defaults) {
  for (const NvNode& child : defaults.children) {
    const auto own = std::find_if(node.children.begin(), node.children.end(),
                                  [&](const NvNode& c) { return c.name == child.name; });
    if (own == node.children.end()) {
      node.children.push_back(child);
    } else if (!child.children.empty()) {
      add_missing(*own, child);
    }
  }
}

Result<ConnectTarget> target_of_list(NvNode list, const NvNode& defaults) {
  ConnectTarget target;
  target.order = order_of(list);
  for (NvNode& child : list.children) {
    if (child.name != "DESCRIPTION") continue;
    add_missing(child, defaults);
    WHERRY_ASSIGN(Description description, description_of(child));
    target.descriptions.push_back(std::move(description));
  }
  if (target.descriptions.empty()) return syntax_error("the DESCRIPTION_LIST is empty");
  return target;
}

/// Several DESCRIPTIONs in a row stand for a list of them.
Result<ConnectTarget> target_of(std::vector<NvNode> roots, const NvNode& defaults) {
  if (roots.size() == 1 && roots[0].name == "DESCRIPTION_LIST") {
    return target_of_list(std::move(roots[0]), defaults);
  }
  for (const NvNode& root : roots) {
    if (root.name != "DESCRIPTION") {
      return syntax_error("it holds " + root.name + " in place of DESCRIPTION");
    }
  }
  return target_of_list({"DESCRIPTION_LIST", "", std::move(roots)}, defaults);
}

/// Indexes of `count` children in the order they are tried.
std::vector<std::size_t> tried(const Order& order, std::size_t count,
                               const std::function<std::size_t(std::size_t)>& pick) {
  std::vector<std::size_t> indexes(count);
  std::iota(indexes.begin(), indexes.end(), std::size_t{0});
  if (count <= 1) return indexes;
  if (order.source_route) return {0};
  if (order.load_balance) {
    for (std::size_t i = count; i > 1; --i) std::swap(indexes[i - 1], indexes[pick(i)]);
  }
  if (!order.failover) indexes.resize(1);
  return indexes;
}

std::string network_safe(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    const bool safe = c > ' ' && c < 0x7F && c != '(' && c != ')' && c != '=' && c != '\'' &&
                      c != '"' && c != '\\';
    if (!safe) c = '?';
  }
  return result;
}

NvNode leaf(std::string name, std::string value) {
  return {std::move(name), std::move(value), {}};
}

}  // namespace

wire::NetworkSecurity Security::over(wire::NetworkSecurity otherwise) const {
  otherwise.encryption = encryption.value_or(otherwise.encryption);
  otherwise.integrity = integrity.value_or(otherwise.integrity);
  otherwise.ciphers = ciphers.value_or(otherwise.ciphers);
  otherwise.checksums = checksums.value_or(otherwise.checksums);
  return otherwise;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  std::string unit = lower(std::string_view(end, text.data() + text.size()));
  unit.erase(0,
             unit.find_first_not_of(' ') == unit.npos ? unit.size() : unit.find_first_not_of(' '));
  if (unit == "ms") return std::chrono::milliseconds(value);
  if (unit.empty() || unit == "sec") return std::chrono::seconds(value);
  if (unit == "min") return std::chrono::minutes(value);
  return std::nullopt;
}

Result<ConnectTarget> parse_connect_string(std::string_view text, const NvNode& defaults) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return syntax_error("it is empty");
  if (text[first] == '(') {
    WHERRY_ASSIGN(std::vector<NvNode> roots, parse_nv_list(text));
    return target_of(std::move(roots), defaults);
  }
  WHERRY_ASSIGN(NvNode root, parse_easy_connect(text.substr(first)));
  return target_of({std::move(root)}, defaults);
}

std::vector<Attempt> order_attempts(const ConnectTarget& target,
                                    const std::function<std::size_t(std::size_t)>& pick) {
  std::vector<Attempt> attempts;
  for (const std::size_t d : tried(target.order, target.descriptions.size(), pick)) {
    const Description& description = target.descriptions[d];
    for (std::uint32_t pass = 0; pass <= description.retry_count; ++pass) {
      std::chrono::milliseconds delay =
          pass == 0 ? std::chrono::milliseconds(0) : description.retry_delay;
      for (const std::size_t l : tried(description.order, description.lists.size(), pick)) {
        const AddressList& list = description.lists[l];
        for (const std::size_t a : tried(list.order, list.addresses.size(), pick)) {
          attempts.push_back({&description, list.addresses[a], delay});
          delay = std::chrono::milliseconds(0);
        }
      }
    }
  }
  return attempts;
}

std::string connect_data_text(const Description& description, const Address& address,
                              const ClientId& id) {
  NvNode connect_data = description.connect_data;
  connect_data.children.push_back(
      {"CID",
       "",
       {leaf("PROGRAM", network_safe(id.program)), leaf("HOST", network_safe(id.machine)),
        leaf("USER", network_safe(id.os_user))}});
  // Base-64, so its equals signs need no quotes; listeners want none.
  const std::string connection_id = "(CONNECTION_ID=" + id.connection_id + ")";
  std::string data_text = to_text(connect_data);
  data_text.insert(data_text.size() - 1, connection_id);
  const NvNode address_node = {
      "ADDRESS",
      "",
      {leaf("PROTOCOL", address.protocol == Protocol::kTcps ? "tcps" : "tcp"),
       leaf("HOST", address.host), leaf("PORT", std::to_string(address.port))}};
  return "(DESCRIPTION=" + to_text(address_node) + data_text + ")";
}

std::string sni_name(const Description& description) {
  constexpr std::size_t kMaxBytes = 256;
  const std::string_view service = description.connect_data.value_of("SERVICE_NAME");
  if (!description.use_sni || description.order.source_route || service.empty()) return {};
  std::string name = "S" + std::to_string(service.size()) + "." + std::string(service);
  const std::string_view instance = description.connect_data.value_of("INSTANCE_NAME");
  if (!instance.empty()) {
    name += ".I" + std::to_string(instance.size()) + "." + std::string(instance);
  }
  const std::string server = lower(description.connect_data.value_of("SERVER"));
  if (!server.empty()) name += ".T1." + server.substr(0, 1);
  name += ".V3.319";
  const bool is_sendable = std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  });
  return is_sendable && name.size() <= kMaxBytes ? name : std::string();
}

Result<Address> parse_redirect_address(std::string_view text, Protocol protocol) {
  WHERRY_ASSIGN(const NvNode root, parse_nv(text));
  const NvNode* node = &root;
  while (node != nullptr && node->name != "ADDRESS") {
    const NvNode* list = node->find("ADDRESS_LIST");
    node = list != nullptr ? list : node->find("ADDRESS");
  }
  if (node == nullptr) return syntax_error("a redirect has no ADDRESS");
  Address address;
  address.protocol = protocol;
  address.host = node->value_of("HOST");
  WHERRY_ASSIGN(address.port, number_in<std::uint16_t>(*node, "PORT", 1521));
  if (address.host.empty()) return syntax_error("a redirect has no HOST");
  return address;
}

}  // namespace wherry::oracle
