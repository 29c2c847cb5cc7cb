// From a connect string to an accepted connection: addresses in order, TLS, CONNECT, and whatever
// the listener answers (redirects, resends, refusals).
// Facts: reference oracle-wire, 1.4 to 1.9, 1.16, 1.17.
#pragma once

#include <memory>

#include "connect/oracle/channel.h"
#include "connect/oracle/client.h"
#include "connect/oracle/connect_string.h"
#include "connect/oracle/network_security.h"
#include "connect/oracle/wire/tns.h"

namespace wherry::oracle {

struct Connection {
  std::unique_ptr<Channel> channel;
  wire::Accept accept;
  AgreedSecurity security;
  Address address;            ///< the one that answered
  std::string listener_text;  ///< connect data that was accepted
  net::Wait wait;             ///< for the log-in: the description's connect timeout
  std::chrono::milliseconds receive_timeout{0};  ///< of sqlnet.ora; 0: none
};

/// The error of the last address that was tried, with all that were tried in its fields.
Result<Connection> open_connection(const OpContext& context, const ConnectOptions& options,
                                   const ClientId& id);

}  // namespace wherry::oracle
