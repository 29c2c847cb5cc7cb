// Native services negotiation (magic DEADBEEF): what is offered, what the server chose.
// Facts: reference oracle-wire-encryption 2.2 to 2.4.
#pragma once

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

inline constexpr std::uint32_t kNativeServicesMagic = 0xDEADBEEF;

bool is_native_services(ByteView payload);

struct NativeServices {
  Json fields;  ///< the message
  bool is_readable = true;
  /// What the server switched on; empty: nothing, or a client's offer.
  std::string encryption, integrity;
};
NativeServices decode_native_services(ByteView payload, bool is_server);

}  // namespace wherry::oracle::trace
