// From a fresh socket to a logged-in session: TNS connect, TTC set-up, authentication.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/session.h"
#include "server/channel.h"
#include "server/options.h"
#include "wire/auth.h"
#include "wire/dialect.h"
#include "wire/o5logon.h"
#include "wire/setup.h"

namespace orasim::server {

/// What every connection of one server shares.
struct Shared {
  const ServerOptions& options;
  Database& database;
  const TlsContext* tls = nullptr;
};

struct ConnectOutcome {
  std::uint16_t version = 0;
  std::uint32_t sdu = 0;
  bool native_services = false;  ///< the client negotiates encryption first
  bool at_root = false;          ///< it asked for the root's service
};
/// Runs the listener's part. `redirect_to` names the port to send the client to, 0: none. False
/// when the connection was refused or redirected and must be closed.
bool accept_connect(Channel&, const Shared&, std::uint16_t redirect_to, ConnectOutcome&);

struct Login {
  std::unique_ptr<Session> session;
  std::string user;
  wire::Dialect dialect;
  wire::Bytes key;  ///< combined key, kept for password changes
};
/// Answers set-up and authentication until a session exists. Throws Closed when the client gives
/// up, wire::BadMessage when it is out of step.
Login log_in(Channel&, const Shared&, const ConnectOutcome&, std::uint32_t session_id);

/// "19.22.0.0.0" as AUTH_VERSION_NO; the packing changed with field version 11 (18c).
std::uint32_t version_number(std::string_view text, std::uint8_t field_version);

/// Pairs of a successful phase two reply: who the session is, and the proof by `key`.
std::vector<wire::KeyValue> session_pairs(const Shared&, const wire::Dialect&, const Session&,
                                          const wire::Bytes& key);

}  // namespace orasim::server
