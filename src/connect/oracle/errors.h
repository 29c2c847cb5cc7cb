// Native failures -> Error: kind, stable code and remedy by ORA- number.
// Facts: reference oracle-wire 1.7, oracle-wire-session 3.10, oracle-wire-ttc 4.5.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace wherry::oracle {

/// "ORA-00942" for 942.
std::string ora_code(std::uint32_t code);

/// What the server said a call failed with. `position`: 0-based byte in the SQL text, if > 0.
Error server_error(std::uint32_t code, std::string_view text, int position = 0);
/// The listener's REFUSE, by the number in its text.
Error refuse_error(std::string_view text);
/// An in-band notification that ended the session.
Error notification_error(std::uint32_t code, std::string_view text);
/// Bytes that do not follow the protocol.
Error protocol_error(std::string_view what);
Error server_closed_error();
/// Errors after which the connection cannot be used any more.
bool is_fatal(std::uint32_t code);

}  // namespace wherry::oracle
