// Does a server's certificate belong to the server? Oracle's own rules, which differ from those of
// the web. Facts: reference oracle-wire, 1.17.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "net/tls.h"

namespace wherry::oracle {

/// The subject equals `expected_dn` as a set of name=value pairs, whatever order and spaces.
bool has_subject(const net::PeerCertificate& peer, std::string_view expected_dn);
/// A dNSName, or else a common name, matches one of `hosts`. The first label may be or hold one
/// '*'; the rest must be equal.
bool has_host_name(const net::PeerCertificate& peer, std::span<const std::string> hosts);

}  // namespace wherry::oracle
