// Native network encryption and integrity of a new connection: settles with the server whether and
// how packets are protected, and makes the channel do it.
// Facts: reference oracle-wire-encryption.
#pragma once

#include <string>

#include "connect/oracle/channel.h"
#include "connect/oracle/wire/native_services.h"

namespace wherry::oracle {

struct AgreedSecurity {
  std::string encryption;  ///< "AES256"; empty: off
  std::string integrity;   ///< "SHA256"; empty: off
};

/// REQUIRES: ACCEPT has come and asks for the negotiation. kConfig "oracle.native_encryption"
/// (ORA-12650, ORA-12660) when the two sides' wishes cannot be met together; "oracle.protocol".
Result<AgreedSecurity> negotiate_security(Channel& channel, const wire::NetworkSecurity& offer,
                                          const net::Wait& wait);

/// ORA-12660: one side requires what the other does not do.
Error security_mismatch_error();

}  // namespace wherry::oracle
