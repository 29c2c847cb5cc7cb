// LOB, JSON and VECTOR values in rows, and the data of locator operations.
// Facts: reference oracle-wire-types 6.11 to 6.16.
#pragma once

#include <string>
#include <string_view>

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// The value of a row. Whether a size and prefetched data come with the locator depends on what
/// the client asked for; it is told from the bytes, as the locator's length is known.
/// The data's text when it is whole, else "locator <hex>".
Json read_lob_value(Reader& in, const Session& session, OracleType type, std::uint8_t form);

/// Data of a locator operation: text for character LOBs, lower-case hex for the others.
std::string lob_data_text(const Session& session, std::string_view locator, std::string_view data);

}  // namespace wherry::oracle::trace
