// An ordered index: (key bytes, row ordinal) pairs in sorted leaves.
//
// An entry says only that some version of the row has, or had, the key: rows keep their entries
// when they change, so that older readers find them. Whoever looks up checks the version he sees.
// Keys are made of field payloads: 0x01, the payload with 00 written as 00 FF, then 00 01; a NULL
// is the one byte 0xFF. So keys compare like the values, NULLs last, and a key of the first columns
// is a prefix of the whole key. Threads: none of its own; the store's write lock guards it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/row_codec.h"

namespace orasim {

/// Appends one key part; trailing blanks of CHAR do not count.
void append_key_part(Type, const Field&, std::string& key);

class OrderedIndex {
 public:
  void add(std::string_view key, std::uint64_t row);  ///< does nothing when it is there
  void remove(std::string_view key, std::uint64_t row);
  /// Entries whose key starts with `prefix`, in order, until `visit` returns false.
  void visit_prefix(std::string_view prefix,
                    const std::function<bool(std::uint64_t row)>& visit) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  struct Entry {
    std::string key;
    std::uint64_t row = 0;
  };
  using Leaf = std::vector<Entry>;
  struct Place {
    std::size_t leaf = 0, at = 0;
  };
  [[nodiscard]] Place lower_bound(std::string_view key, std::uint64_t row) const;
  void split(std::size_t leaf);

  std::vector<std::unique_ptr<Leaf>> leaves_;
  std::uint64_t size_ = 0;
};

/// Makes keys over stored slots of one table.
class KeyExtractor {
 public:
  struct Part {
    std::uint16_t slot = 0;
    Type type = Type::kVarchar2;
    std::string when_absent;  ///< payload that rows written before the column read as
    bool has_when_absent = false;
  };
  explicit KeyExtractor(std::vector<Part> parts);

  /// Key of an image. Returns false when every part is NULL (such rows have no entry).
  bool key_of(std::string_view image, std::string& key);
  /// Whether any part of the key that key_of() made last was NULL.
  [[nodiscard]] bool last_key_has_null() const { return last_has_null_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

 private:
  std::vector<Part> parts_;
  std::vector<Field> fields_;  ///< scratch
  bool last_has_null_ = false;
};

struct KeyIndex : KeyExtractor {
  using KeyExtractor::KeyExtractor;
  OrderedIndex entries;
};

}  // namespace orasim
