// Reads the values of query rows, bind rows and out binds from the message stream, as JSON: text
// in the form of scalar_text.h, or null. A value that does not fit makes the reader fail.
// Facts: reference oracle-wire-ttc 5.4 to 5.6, oracle-wire-types 6.
#pragma once

#include <string>
#include <vector>

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Character set of text with that form in this session.
std::uint16_t charset_of(const Session& session, std::uint8_t form);

/// One value of a query row. `define` overrides the described type; nullptr: none was sent.
/// Nested cursors are added to the session.
Json read_column_value(Reader& in, Session& session, const ColumnDescription& column,
                       const Variable* define);
/// One value a client sends.
Json read_bind_value(Reader& in, const Session& session, const Variable& bind);
/// One OUT value, without the actual length behind it.
Json read_out_value(Reader& in, Session& session, const Variable& bind);

/// The rest of one query row behind its type byte. Columns that `bit_vector` leaves out repeat
/// those of the cursor's last row.
std::vector<Json> read_row(Reader& in, Session& session, const Cursor& cursor,
                           const std::string& bit_vector);

}  // namespace wherry::oracle::trace
