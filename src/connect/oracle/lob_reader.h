// Reads LOB values by locator, piece by piece, so that memory does not depend on their size.
// Facts: reference oracle-wire-types, 6.11 and 6.13.
#pragma once

#include <cstdint>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/wire/column_decoder.h"

namespace wherry::oracle {

/// How the data of LOB operations is encoded.
enum class LobEncoding : std::uint8_t { kBytes, kUtf8, kUtf16Be, kUtf16Le };
LobEncoding encoding_of(wire::ByteView locator, OracleType type, CharsetForm form);
/// Temporary LOBs pile up at the server until they are freed.
bool is_temporary(wire::ByteView locator);

class LobReader {
 public:
  explicit LobReader(Caller& caller) : caller_(caller) {}
  /// The whole value to `sink`, text as UTF-8. REQUIRES: no response is pending.
  /// A text that is not valid UTF-16 is kData "oracle.value".
  Result<void> read(const OpContext& context, const wire::LobValue& lob, LobEncoding encoding,
                    const ByteSink& sink);

 private:
  struct Piece {
    std::uint64_t amount = 0;  ///< characters or bytes that were read
  };
  Result<Piece> read_piece(const OpContext& context, wire::ByteView locator, std::uint64_t offset,
                           std::uint64_t amount, const ByteSink& sink);
  Result<void> take_data(const OpContext& context, const ByteSink& sink);

  Caller& caller_;
};

}  // namespace wherry::oracle
