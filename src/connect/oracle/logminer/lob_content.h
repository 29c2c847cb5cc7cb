// The content of a LOB as the writes of a transaction make it. Facts: reference oracle-cdc, 7.4:
// offsets and amounts count characters of a CLOB (code points) and bytes of a BLOB; a gap before a
// write is filled with blanks or zero bytes, and so is what is erased.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::oracle {

class LobContent {
 public:
  /// What has more units is not kept, and so not known: it is read from the source.
  static constexpr std::uint64_t kMostUnits = std::uint64_t{16} << 20;
  enum class Unit : std::uint8_t { kCharacter, kByte };
  /// What it was before is not known.
  explicit LobContent(Unit unit) : unit_(unit) {}
  /// It was this before.
  LobContent(Unit unit, std::string_view content);

  [[nodiscard]] Unit unit() const { return unit_; }
  /// `offset` from 1; data beyond `amount` units is left out.
  void write(std::uint64_t amount, std::uint64_t offset, std::string_view data);
  void erase(std::uint64_t amount, std::uint64_t offset);
  void trim(std::uint64_t length);

  /// Whether all of it is known: its beginning was, or writes cover it and a trim says where it
  /// ends.
  [[nodiscard]] bool is_known() const;
  /// UTF-8, or bytes. REQUIRES: is_known().
  [[nodiscard]] std::string content() const;

 private:
  /// True, and nothing is kept any more, when `units` are too many.
  bool give_up(std::uint64_t units);
  void put(std::size_t from, std::size_t size, std::u32string_view units);
  [[nodiscard]] std::u32string units_of(std::string_view data) const;

  Unit unit_;
  bool is_too_large_ = false;
  bool has_end_ = false;  ///< nothing lies beyond units_
  std::u32string units_;
  std::vector<bool> is_written_;  ///< of each unit
};

}  // namespace wherry::oracle
