// A way to the server through an HTTP proxy that speaks CONNECT.
// Facts: reference oracle-wire, 1.17.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "net/stream.h"

namespace wherry::oracle {

/// Asks the proxy at the other end of `stream` for `host`:`port`; afterwards the stream leads
/// there. kTransient "oracle.https_proxy" with the proxy's words when it refuses.
Result<void> open_tunnel(net::Stream& stream, const std::string& host, std::uint16_t port,
                         const net::Wait& wait);

}  // namespace wherry::oracle
