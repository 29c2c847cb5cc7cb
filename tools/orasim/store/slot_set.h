// A set of stored slots of a table, as bits: which columns a redo record holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orasim {

class SlotSet {
 public:
  SlotSet() = default;
  explicit SlotSet(std::string_view bytes) : bits_(bytes) {}
  void add(std::size_t slot) {
    if (bits_.size() <= slot / 8) bits_.resize(slot / 8 + 1, '\0');
    bits_[slot / 8] = static_cast<char>(bits_[slot / 8] | (1 << (slot % 8)));
  }
  void add(const SlotSet& other) {
    if (bits_.size() < other.bits_.size()) bits_.resize(other.bits_.size(), '\0');
    for (std::size_t i = 0; i < other.bits_.size(); ++i) {
      bits_[i] = static_cast<char>(bits_[i] | other.bits_[i]);
    }
  }
  [[nodiscard]] bool has(std::size_t slot) const {
    return slot / 8 < bits_.size() && ((bits_[slot / 8] >> (slot % 8)) & 1) != 0;
  }
  [[nodiscard]] bool meets(const SlotSet& other) const {
    for (std::size_t i = 0; i < bits_.size() && i < other.bits_.size(); ++i) {
      if ((bits_[i] & other.bits_[i]) != 0) return true;
    }
    return false;
  }
  /// Only what `other` has too.
  [[nodiscard]] SlotSet within(const SlotSet& other) const {
    SlotSet both;
    for (std::size_t i = 0; i < bits_.size() && i < other.bits_.size(); ++i) {
      both.bits_.push_back(static_cast<char>(bits_[i] & other.bits_[i]));
    }
    return both;
  }
  [[nodiscard]] bool empty() const { return bits_.find_first_not_of('\0') == std::string::npos; }
  [[nodiscard]] const std::string& bytes() const { return bits_; }

 private:
  std::string bits_;
};

}  // namespace orasim
