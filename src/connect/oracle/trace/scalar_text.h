// Values of Oracle's scalar types as text: the wire images go through the client's own decoders and
// come out in the form of connect/oracle/value_text.h, which docs/reference/decode-oracle.md
// describes. An image that is no value of its type comes out as "invalid <hex>"; nothing fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connect/oracle/wire/types.h"
#include "connect/oracle/wire/zone_rules.h"
#include "core/arena.h"

namespace wherry::oracle::trace {

/// The type whose image a type of that number has: some numbers only binds and defines use.
OracleType image_type(std::uint8_t type);
/// Lower-case hex.
std::string hex_text(std::string_view bytes);

/// Keeps the memory and the time zone files that printing needs. Used by one thread at a time.
class ScalarPrinter {
 public:
  /// `charset` is that of the text types. A number a client binds may have another type number than
  /// the columns have; those are known too.
  std::string print(std::uint8_t type, std::uint16_t charset, std::string_view image);
  std::string print(OracleType type, std::string_view image) {
    return print(static_cast<std::uint8_t>(type), 0, image);
  }

 private:
  std::string print_decoded(OracleType type, std::string_view image);

  Arena arena_;
  wire::RegionTable regions_;
};

}  // namespace wherry::oracle::trace
