// Row images: how the store keeps a row in memory and in the log.
//
// An image is the fields of a row by stored slot (ColumnDef::stored_slot), trailing NULLs left out.
// A field is one length byte (0 = NULL, 1…249 = that many bytes), or a marker and more:
//   250  a LOB in memory: 8 bytes, address of a Lob that the segment keeps alive
//   251  u32 length and the bytes (little-endian)
//   252  a LOB in the log: u32 length and the bytes
// Payloads are big-endian and biased so that they compare like their values, byte by byte: an
// index key is made of payloads without decoding them.
// In-memory images are trusted; log images come through import_image, which checks every bound.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace orasim {

/// Keeps the LOBs that images of one segment point to; addresses are stable.
using LobKeeper = std::deque<Lob>;

/// Where the columns of a table lie in its images; made once a scan or statement.
class RowLayout {
 public:
  explicit RowLayout(const TableDef&);
  struct Column {
    Type type = Type::kVarchar2;
    bool national = false;
    bool stored = true;  ///< false: virtual, always NULL here
    std::uint16_t slot = 0;
    Value when_absent;
  };
  std::vector<Column> columns;
  std::vector<int> column_of_slot;  ///< index into columns, or -1 (dropped column)
};

/// Throws ORA-00600 when a value is not of its column's type: the caller forgot to convert.
void encode_row(const RowLayout&, const Row&, LobKeeper&, std::string& image);
/// Reuses the strings of `row`.
void decode_row(const RowLayout&, std::string_view image, Row& row);

/// Payload of one non-NULL scalar as it lies in an image. False: not of this type, or a LOB.
bool encode_payload(Type, const Value&, std::string& out);

/// The payload of one field; null: NULL or not stored.
struct Field {
  const char* data = nullptr;
  std::size_t size = 0;
  [[nodiscard]] bool is_null() const { return data == nullptr; }
};
/// Fields of the first fields.size() slots. Returns how many the image holds.
std::size_t split_image(std::string_view image, std::vector<Field>& fields);

/// In-memory image -> self-contained image for the log, and back (throws CorruptBytes).
void export_image(std::string_view image, std::string& out);
void import_image(std::string_view portable, LobKeeper&, std::string& image);

}  // namespace orasim
