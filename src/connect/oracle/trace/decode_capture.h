// Decodes captured Oracle Net sessions in text form into one JSON object a line.
// Input: blocks "# direction=client|server flow=F n=N ...", then hex, blocks apart by a blank line;
// one TNS packet (or, with the word "payload" in the comment, one TTC payload) a block. A file that
// is no text at all is taken as one raw packet.
// Output: docs/reference/decode-oracle.md.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "core/result.h"

namespace wherry::oracle {

/// Reads `in` to its end and writes every decoded message to `out`. Bytes that cannot be decoded
/// give an object with "message":"undecoded"; they are not an error. Fails only when reading or
/// writing fails, or when there is no packet at all. `name` is the file's name for messages.
Result<void> decode_capture(std::istream& in, std::ostream& out, const std::string& name);

}  // namespace wherry::oracle
