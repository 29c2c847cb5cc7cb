// OSON, the binary form of JSON columns, to JSON text and back. Pure: bytes in, bytes out.
// Facts: reference oracle-wire-types, 6.15.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/value_status.h"

namespace wherry::oracle::wire {

/// Appends the document as compact JSON to `out`. Numbers keep all their digits; dates are ISO 8601
/// strings, intervals ISO 8601 durations, binary values and ids upper-case hex, vectors arrays;
/// binary floats that JSON cannot hold are "NaN", "Infinity", "-Infinity". Object members come in
/// the order the image has them. On failure `out` holds rubbish.
/// kMalformed: not OSON, or out of its own bounds; kBadUtf8: text that is no UTF-8; kTooLarge: an
/// image whose shared nodes would print without measure.
ValueStatus oson_to_json(ByteView image, std::string& out);

/// The image of a JSON text; numbers are kept as Oracle NUMBERs. nullopt with `problem` when the
/// text is no JSON, or a number has no NUMBER.
std::optional<std::string> json_to_oson(std::string_view json, std::string& problem);

}  // namespace wherry::oracle::wire
