// The LOB locators one session has handed out. A locator is 40 bytes with an id of this table; it
// keeps the content it was made for alive (the snapshot a real locator stands for).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "engine/charset.h"
#include "engine/value.h"
#include "wire/bytes.h"
#include "wire/rows.h"
#include "wire/text.h"

namespace orasim::server {

/// Content behind one locator. Offsets and lengths are UTF-16 units for CLOBs, bytes for BLOBs.
class LobEntry {
 public:
  LobEntry(bool is_blob, bool national, Lob data)
      : is_blob_(is_blob), national_(national), data_(std::move(data)) {}

  [[nodiscard]] bool is_blob() const { return is_blob_; }
  [[nodiscard]] Value value() const;
  [[nodiscard]] const Lob& content() const { return data_; }
  void replace(Lob content);
  std::uint64_t length();
  /// Content from the 0-based offset as it goes over the wire; empty past the end.
  struct Piece {
    std::string bytes;
    std::uint64_t amount = 0;
  };
  Piece read(std::uint64_t offset, std::uint64_t amount);
  /// Character data travels as UTF-16, else in the client's character set.
  [[nodiscard]] bool is_utf16() const {
    return national_ || database_charset().is_variable_width();
  }
  /// Overwrites or appends wire-form content; a gap is filled with blanks or zero bytes.
  void write(std::uint64_t offset, std::string_view content);
  void trim(std::uint64_t length);  ///< ORA-22926 when it is longer than the LOB

  bool is_open = false;

 private:
  std::string& mutable_data();

  bool is_blob_;
  bool national_;
  Lob data_;
  std::shared_ptr<LobData> own_;      // the same object as data_ when this entry made it
  std::uint64_t units_ = UINT64_MAX;  // cached length of a CLOB
  wire::Utf16Cursor::Mark mark_;      // where the last read ended: reads go forward
};

class LobTable {
 public:
  static constexpr std::size_t kLocatorBytes = 40;
  /// How many locators of table LOBs stay readable; the oldest are forgotten (ORA-22922).
  static constexpr std::size_t kKept = 1u << 20;

  /// The 40 bytes of a locator; the view holds until the next call.
  wire::ByteView locator_for(const Value& lob);
  /// A new, empty temporary LOB; returns its locator.
  wire::ByteView create_temporary(bool is_blob, bool national);
  /// Throws OraError(22922) for a locator this session does not know.
  LobEntry& find(std::string_view locator);
  [[nodiscard]] static bool is_temporary(std::string_view locator);
  void free_temporary(std::string_view locator);

 private:
  wire::ByteView make_locator(std::uint64_t id, const LobEntry& entry, bool temporary);

  std::deque<LobEntry> persistent_;
  std::uint64_t first_persistent_ = 1;
  std::unordered_map<std::uint64_t, LobEntry> temporary_;
  std::uint64_t next_temporary_ = 1;
  wire::Writer locator_;
};

}  // namespace orasim::server
