// From an accepted connection to a session: protocol, data types, password.
// Facts: reference oracle-wire-session.
#pragma once

#include <memory>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/dialer.h"
#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/handshake.h"

namespace wherry::oracle {

struct LoggedIn {
  std::unique_ptr<Caller> caller;
  ServerInfo server;
  /// DBTIMEZONE, when the server told it.
  std::optional<wire::ZoneField> database_zone;
};

/// What another client said that it can do, for answers that a server gave to that one.
struct Announcement {
  wire::DataTypesRequest types;
  bool has_checksum = true;  ///< of wire::Dialect
};

/// What this process says of itself: machine, OS user, process id, driver.
wire::ClientIdentity local_identity(const ConnectOptions& options);

/// kAuth, kPermission, kTransient; kUnsupported for servers before 12.1 and accounts with a 10g
/// verifier only. The connection is gone after an error. `announced`: nullptr for what Wherry
/// can do.
Result<LoggedIn> log_in(const OpContext& context, Connection connection,
                        const ConnectOptions& options, const wire::ClientIdentity& identity,
                        const wire::LoginRandom& random, const Announcement* announced = nullptr);

/// "19.22.0.0.0" from AUTH_VERSION_NO.
std::string version_text(std::uint32_t number, std::uint8_t field_version);

/// Zone of a DATA TYPES reply, or "+02:00" / "Europe/Berlin" as DBTIMEZONE prints it; nullopt when
/// it is neither.
wire::ZoneField zone_of_image(const wire::ZoneImage& image);
std::optional<wire::ZoneField> zone_of_text(std::string_view text);

}  // namespace wherry::oracle
