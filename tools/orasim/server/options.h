// How one orasim process listens and behaves on the wire.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "server/generation.h"
#include "wire/ano.h"

namespace orasim::server {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  std::string service;
  std::string root_service;  ///< of the container database that the service is plugged into
  const Generation* generation = find_generation("19c");
  std::optional<wire::Verifier> verifier;  ///< none: the generation's own
  std::uint32_t max_sdu = 2097152;
  std::string tls_certificate, tls_key;  ///< both or neither
  std::string tls_client_trust;          ///< clients must show a certificate of these

  wire::AnoPolicy ano;  ///< native network encryption and integrity; never under TLS

  /// Proxy user and the user it may connect as, both in upper case: GRANT CONNECT THROUGH.
  std::set<std::pair<std::string, std::string>> proxies;

  // Peculiarities of real servers and networks, for testing clients.
  bool resend = false;           ///< one RESEND before ACCEPT; under TLS with a second handshake
  bool redirect = false;         ///< every new connection is sent to a second port
  bool marker_errors = false;    ///< errors come through break and reset markers
  bool local_zones = false;      ///< zoned timestamps go in their own clock, not in UTC
  bool separate_refuse = false;  ///< REFUSE text in a packet of its own
  [[nodiscard]] wire::Verifier effective_verifier() const {
    return verifier.value_or(generation->verifier);
  }
  std::uint32_t packet_payload = 0;  ///< cuts DATA packets to so many bytes; 0: at the SDU
};

}  // namespace orasim::server
