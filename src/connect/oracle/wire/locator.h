// What the bytes of a LOB locator tell. Opaque for the rest: its length is whatever the server
// sent. Facts: reference oracle-wire-types, 6.11.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::wire {

class Locator {
 public:
  explicit Locator(ByteView bytes) : bytes_(bytes) {}
  explicit Locator(std::string_view bytes) : bytes_(bytes_of(bytes)) {}

  /// CLOB or NCLOB, and of those NCLOB.
  [[nodiscard]] bool is_character() const { return (flags(kKind) & (kClob | kNclob)) != 0; }
  [[nodiscard]] bool is_national() const { return (flags(kKind) & kNclob) != 0; }
  /// Temporary LOBs pile up at the server until they are freed.
  [[nodiscard]] bool is_temporary() const {
    return (flags(kKind) & kAbstract) != 0 || (flags(kOrder) & kTemporary) != 0;
  }
  /// The data is UTF-16; else it comes in the client's character set.
  [[nodiscard]] bool is_utf16() const { return (flags(kCharset) & kVariableWidth) != 0; }
  [[nodiscard]] bool is_little_endian() const { return (flags(kOrder) & kLittleEndian) != 0; }

  struct File {
    std::string_view directory;  ///< the directory object
    std::string_view name;
  };
  /// Of a BFILE; nullopt when the names do not fit into the locator.
  [[nodiscard]] std::optional<File> file() const;

 private:
  static constexpr std::size_t kKind = 4, kCharset = 6, kOrder = 7;
  static constexpr unsigned kClob = 0x02, kNclob = 0x04, kAbstract = 0x40;
  static constexpr unsigned kVariableWidth = 0x80;
  static constexpr unsigned kTemporary = 0x01, kLittleEndian = 0x40;

  [[nodiscard]] unsigned flags(std::size_t at) const {
    return at < bytes_.size() ? bytes_[at] : 0U;
  }

  ByteView bytes_;
};

}  // namespace wherry::oracle::wire
