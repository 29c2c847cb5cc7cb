// LOB operations by locator, and whole values read piece by piece, so that memory does not depend
// on their size. Facts: reference oracle-wire-types, 6.11 and 6.13.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/wire/column_decoder.h"
#include "connect/oracle/wire/locator.h"
#include "connect/oracle/wire/utf16.h"
#include "core/arena.h"

namespace wherry::oracle {

/// How the data of LOB operations is encoded.
enum class LobEncoding : std::uint8_t { kBytes, kUtf8, kUtf16Be, kUtf16Le };
LobEncoding encoding_of(wire::Locator locator, OracleType type, CharsetForm form);

/// Turns LOB data as servers send it into UTF-8 or bytes, and counts it as they do.
class LobText {
 public:
  explicit LobText(LobEncoding encoding);
  /// kData "oracle.value" when the data is not text.
  Result<void> feed(std::string_view data, const ByteSink& sink);
  /// The value is complete.
  Result<void> finish() const;

 private:
  bool is_utf16_;
  wire::Utf16Stream utf16_;
  std::string converted_;
};
/// Bytes or UTF-16 code units that `data` of that encoding is.
std::uint64_t lob_units(LobEncoding encoding, std::string_view data);
/// Whether the row holds all of the value, so that no call is needed to read it.
bool is_whole(const wire::LobValue& lob, LobEncoding encoding);
/// A value that its row holds whole, as bytes or UTF-8 in `arena`: the short way past LobReader and
/// LargeValue. nullopt: it is not whole, may have more than `most_bytes`, or is no text.
std::optional<std::string_view> whole_value(const wire::LobValue& lob, LobEncoding encoding,
                                            std::uint64_t most_bytes, Arena& arena);

class LobReader {
 public:
  explicit LobReader(Caller& caller) : caller_(caller) {}
  /// How much of a value, and how.
  struct Extent {
    std::uint64_t limit_bytes = 0;      ///< a value of more is read a little beyond this; 0: whole
    std::uint64_t piece = 1024 * 1024;  ///< characters or bytes a call
  };
  /// The value to `sink`, text as UTF-8; begins with what the row held of it. A BFILE is opened and
  /// closed. False when only its beginning was read. REQUIRES: no response is pending.
  Result<bool> read(const OpContext& context, const wire::LobValue& lob, OracleType type,
                    LobEncoding encoding, const Extent& extent, const ByteSink& sink);

  struct Reply {
    std::uint64_t amount = 0;  ///< as the operation has it: characters or bytes
    bool flag = false;
    std::string locator;  ///< as it is to be used from now on
  };
  /// One operation; data that comes goes to `sink` as it is.
  Result<Reply> call(const OpContext& context, const wire::LobRequest& request,
                     const ByteSink& sink);

 private:
  /// Bytes handed to a sink, and whether there are enough of them.
  struct Taken {
    Extent extent;
    std::uint64_t bytes = 0;
    [[nodiscard]] bool is_enough() const {
      return extent.limit_bytes != 0 && bytes > extent.limit_bytes;
    }
    /// For the next call. A character is a byte at least.
    [[nodiscard]] std::uint64_t amount() const {
      if (extent.limit_bytes == 0) return extent.piece;
      return std::min(extent.piece, extent.limit_bytes - bytes + 1);
    }
  };
  Result<void> read_file(const OpContext& context, const wire::LobValue& file, const Taken& taken,
                         const ByteSink& sink);
  Result<void> read_rest(const OpContext& context, const wire::LobValue& lob,
                         wire::ByteView locator, std::uint64_t offset, const Taken& taken,
                         const ByteSink& sink);
  Result<void> take_data(const OpContext& context, const ByteSink& sink);

  Caller& caller_;
};

/// Receives nothing: for operations without data.
Result<void> no_data(std::string_view piece);

}  // namespace wherry::oracle
