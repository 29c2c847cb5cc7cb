// The client's half of the session set-up, bytes to the structs it can be built from again.
// Facts: reference oracle-wire-session 3.2, 3.3, 3.6, 3.8.
#pragma once

#include "connect/oracle/trace/session.h"
#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/handshake.h"

namespace wherry::oracle::trace {

/// Each starts behind its type byte.
wire::ProtocolRequest decode_protocol_request(Reader& in);
/// `server_capabilities` tell whether the list has one byte or two for an item; empty: not known.
wire::DataTypesRequest decode_data_types_request(Reader& in, ByteView server_capabilities);
/// What a client remembers of a server from an earlier session: it stands for the server's half of
/// the negotiation. Seen of node-oracledb 6 and JDBC thin 23 with 23ai.
struct ConnectionCookie {
  std::uint16_t charset = 0, national_charset = 0;
  std::string banner;
  wire::Bytes compile_capabilities, runtime_capabilities;
};
ConnectionCookie decode_cookie(Reader& in);
/// Behind the function header. `text_is_clr`: encoding flag 0x02.
wire::AuthMessage decode_auth_request(Reader& in, wire::AuthPhase phase, bool text_is_clr);

}  // namespace wherry::oracle::trace
