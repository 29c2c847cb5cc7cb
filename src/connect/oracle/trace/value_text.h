// Values of Oracle's types, from their wire form to the one text form that docs/reference/
// decode-oracle.md describes. Bytes that are not a valid value of the type come out as
// "invalid <hex>"; nothing fails.
// Facts: reference oracle-wire-types 6.2 to 6.11.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/messages.h"
#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::trace {

/// Lower-case hex.
std::string hex_text(std::string_view bytes);

std::string number_text(std::string_view bytes);
/// DATE and all timestamps, by their length (7, 11 or 13 bytes).
std::string datetime_text(std::string_view bytes);
std::string interval_ym_text(std::string_view bytes);
std::string interval_ds_text(std::string_view bytes);
std::string binary_float_text(std::string_view bytes);
std::string binary_double_text(std::string_view bytes);
/// 18 characters: object 6, file 3, block 6, slot 3.
std::string rowid_text(const wire::RowidParts& rowid);
/// UROWID: the text of a physical one, "*" and base-64 digits of a logical one.
std::string urowid_text(std::string_view bytes);

/// Any scalar type. `charset` is that of the text types.
std::string scalar_text(std::uint8_t type, std::uint16_t charset, std::string_view bytes);

}  // namespace wherry::oracle::trace
