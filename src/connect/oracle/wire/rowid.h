// ROWID and UROWID as text. Facts: reference oracle-wire-types, 6.8.
#pragma once

#include <optional>
#include <string>

#include "connect/oracle/wire/messages.h"
#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/value_status.h"

namespace wherry::oracle::wire {

inline constexpr std::size_t kRowidChars = 18;

/// The fields as the status message and rows have them.
RowidParts read_rowid(Reader& in);
/// A ROWID column of a row; nullopt: NULL.
std::optional<RowidParts> read_rowid_column(Reader& in);

/// 18 characters OOOOOOFFFBBBBBBRRR.
void write_rowid(const RowidParts& rowid, char* out);
std::string rowid_text(const RowidParts& rowid);
/// Content of a UROWID: physical as above, logical as '*' and base-64.
ValueStatus urowid_text(ByteView image, std::string& out);

}  // namespace wherry::oracle::wire
