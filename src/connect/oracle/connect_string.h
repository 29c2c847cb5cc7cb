// Connect strings: Easy Connect Plus and full descriptors, to one model; the order in which its
// addresses are tried; the text sent to the listener. Pure.
// Facts: reference oracle-wire, 1.16.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/nv_tree.h"
#include "connect/oracle/wire/native_services.h"
#include "core/result.h"

namespace wherry::oracle {

enum class Protocol : std::uint8_t { kTcp, kTcps };

struct Address {
  Protocol protocol = Protocol::kTcp;
  std::string host;
  std::uint16_t port = 1521;
  std::string proxy_host;  ///< an HTTP proxy on the way; empty: none
  std::uint16_t proxy_port = 80;
};

/// How the children of a level are tried.
struct Order {
  bool failover = true;
  bool load_balance = false;
  bool source_route = false;
};

struct AddressList {
  Order order;
  std::vector<Address> addresses;
};

struct Security {
  bool dn_match = true;
  std::string certificate_dn;
  std::string wallet_location;  ///< "SYSTEM": the system's trust store
  std::string ssl_version;      ///< "TLSv1.2", "TLSv1.3", or empty
  // Native network encryption and integrity; nullopt: not said.
  std::optional<wire::SecurityLevel> encryption, integrity;
  std::optional<std::vector<wire::Cipher>> ciphers;
  std::optional<std::vector<wire::Checksum>> checksums;

  /// What is said here, and `otherwise` for the rest.
  [[nodiscard]] wire::NetworkSecurity over(wire::NetworkSecurity otherwise) const;
};

struct Description {
  Order order;
  std::vector<AddressList> lists;
  std::uint32_t retry_count = 0;  ///< at most 10,000
  std::chrono::milliseconds retry_delay{1000};
  std::chrono::milliseconds transport_connect_timeout{20'000};
  std::chrono::milliseconds connect_timeout{0};  ///< for connect and log-in together; 0: none
  std::uint32_t receive_buffer_bytes = 0, send_buffer_bytes = 0;  ///< of the socket; 0: its own
  std::chrono::minutes expire_time{0};
  std::optional<std::uint32_t> sdu_bytes;
  bool use_sni = false;
  NvNode connect_data;  ///< as given: SERVICE_NAME, SID, SERVER, …
  Security security;
};

struct ConnectTarget {
  Order order;
  std::vector<Description> descriptions;
};

/// An Easy Connect string, a DESCRIPTION, several of them, or a DESCRIPTION_LIST. `defaults` is a
/// DESCRIPTION whose keywords, those of its SECURITY too, hold where a description has none.
/// kConfig "oracle.connect_string" for what is malformed. Names of tnsnames.ora: see tnsnames.h.
Result<ConnectTarget> parse_connect_string(std::string_view text, const NvNode& defaults = {});

/// One try. `delay` is waited before it.
struct Attempt {
  const Description* description = nullptr;
  Address address;
  std::chrono::milliseconds delay{0};
};
/// `pick(n)` gives a number below n; used for load balancing only.
std::vector<Attempt> order_attempts(const ConnectTarget& target,
                                    const std::function<std::size_t(std::size_t)>& pick);

/// What the client says of itself to the listener.
struct ClientId {
  std::string program, machine, os_user;
  std::string connection_id;
};
std::string connect_data_text(const Description& description, const Address& address,
                              const ClientId& id);
/// Server name for TLS with USE_SNI, "S4.test.V3.319"; "" when there is none to send.
std::string sni_name(const Description& description);
/// Address of a redirect: "(ADDRESS=(PROTOCOL=tcp)(HOST=…)(PORT=…))", bare or inside a DESCRIPTION.
/// The protocol stays the original one.
Result<Address> parse_redirect_address(std::string_view text, Protocol protocol);

/// "90", "90 sec", "500ms", "2min".
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace wherry::oracle
