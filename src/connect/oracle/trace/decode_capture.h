// Decodes captured Oracle Net sessions into one JSON object a line. Three kinds of input, told
// apart by their first bytes:
// - pcap and pcapng files: TCP streams are put together, those that speak Oracle Net are decoded;
// - text: blocks "# direction=client|server flow=F n=N ...", then hex, blocks apart by a blank
// line;
//   one TNS packet (or, with the word "payload" in the comment, one TTC payload) a block;
// - any other file is taken as one raw packet.
// Output: docs/reference/decode-oracle.md.
#pragma once

#include <cstddef>
#include <istream>
#include <ostream>
#include <string>

#include "core/result.h"

namespace wherry::oracle {

struct DecodeOptions {
  /// Roughly what may wait in memory, whatever the size of the file: segments for earlier ones,
  /// packets for the end of their message, lines for their turn. Beyond it connections are given
  /// up as incomplete, and lines may come out of order.
  std::size_t memory_bytes = std::size_t{256} << 20;
  /// One line for each TCP connection of a pcap file, with its addresses.
  bool lists_connections = false;
};

/// Reads `in` to its end and writes every decoded message to `out`. Bytes that cannot be decoded
/// give an object with "message":"undecoded", bytes that were not captured one with
/// "message":"missing"; neither is an error. Fails only when reading or writing fails, or when the
/// file holds nothing of Oracle's. `name` is the file's name for messages.
Result<void> decode_capture(std::istream& in, std::ostream& out, const std::string& name,
                            const DecodeOptions& options = {});

}  // namespace wherry::oracle
