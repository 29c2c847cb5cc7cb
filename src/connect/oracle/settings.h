// From an endpoint's settings to what the client needs to connect.
#pragma once

#include <optional>

#include "connect/api/connector.h"
#include "connect/oracle/client.h"

namespace wherry::oracle {

struct EndpointOptions {
  ConnectOptions connect;
  FetchOptions fetch;
  /// NumberDatatypeScale (DMS endpoint setting, -2…38), when it was sent.
  std::optional<int> number_scale;
  /// AddSupplementalLogging (DMS): what tables lack for their changes is added at the source.
  bool adds_supplemental_logging = false;
  /// ExposeViews (DMS): rules may select views.
  bool exposes_views = false;
};

/// URL parameters are those of Easy Connect Plus (sdu, wallet_location, ssl_server_dn_match,
/// transport_connect_timeout, …) and Wherry's own (docs/reference/oracle-connect.md): `protocol`
/// tcp|tcps, `role`, `call_timeout_ms`, `array_rows`, … kConfig names an unknown parameter or a
/// value out of range. A whole connect string may stand in option `connect_string`, alone.
Result<EndpointOptions> endpoint_options(const connect::Settings& settings);

}  // namespace wherry::oracle
