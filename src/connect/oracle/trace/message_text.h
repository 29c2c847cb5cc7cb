// Small pieces of messages as JSON, shared by both directions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/trace/session.h"
#include "connect/oracle/wire/auth.h"

namespace wherry::oracle::trace {

/// Valid UTF-8 whatever the bytes are.
std::string to_json_text(std::string_view bytes);
/// "pairs": an object, keys without the NUL some have at their end; "pair_flags": those not 0.
void add_pairs(const std::vector<wire::KeyValue>& pairs, Json& out);
/// User, mode and pairs of a log-in request.
void add_auth_fields(const wire::AuthMessage& message, Json& out);
/// "hex" holds the beginning of the bytes, "bytes" their number.
Json undecoded(std::string_view reason, ByteView bytes);

}  // namespace wherry::oracle::trace
