// Builds TTC and TNS messages in one growing buffer. Facts: reference oracle-wire-ttc, 4.1, 4.2.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::wire {

using Bytes = std::vector<std::uint8_t>;

class Writer {
 public:
  explicit Writer(ChunkLength chunks = ChunkLength::kUb4) : chunks_(chunks) {}

  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u16(std::uint16_t value) { big_endian(value, 2); }
  void u32(std::uint32_t value) { big_endian(value, 4); }
  void u64(std::uint64_t value) { big_endian(value, 8); }
  void u16_le(std::uint16_t value);
  void zeros(std::size_t count) { bytes_.insert(bytes_.end(), count, 0); }
  void raw(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void raw(std::string_view text) { raw(bytes_of(text)); }

  /// Variable-length integers; magnitudes of 1, 2, 4 or 8 bytes, as Oracle's own clients write.
  void ub2(std::uint16_t value) { variable(value); }
  void ub4(std::uint32_t value) { variable(value); }
  void ub8(std::uint64_t value) { variable(value); }
  void sb4(std::int32_t value);

  /// Byte string with its own length; chunked above 252 bytes. Empty is written as null.
  void clr(ByteView bytes);
  void clr(std::string_view text) { clr(bytes_of(text)); }
  /// ub4 length, then a CLR unless empty.
  void dlc(ByteView bytes);
  void dlc(std::string_view text) { dlc(bytes_of(text)); }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] Bytes take() { return std::move(bytes_); }

 private:
  void big_endian(std::uint64_t value, int count);
  void variable(std::uint64_t magnitude);

  Bytes bytes_;
  ChunkLength chunks_;
};

}  // namespace wherry::oracle::wire
