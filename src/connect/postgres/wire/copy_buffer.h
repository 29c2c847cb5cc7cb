// The bytes of a binary COPY on their way to the server: one growing buffer that is reused, so that
// encoding allocates only until the largest row has passed. PostgreSQL 15, "COPY", binary format:
// everything is big-endian; a field is its length (-1: NULL) and its bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace wherry::postgres::wire {

inline void store_u16(char* to, std::uint16_t value) {
  value = __builtin_bswap16(value);
  std::memcpy(to, &value, sizeof value);
}
inline void store_u32(char* to, std::uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(to, &value, sizeof value);
}
inline void store_u64(char* to, std::uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
}
inline std::uint16_t load_u16(const char* from) {
  std::uint16_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return __builtin_bswap16(value);
}
inline std::uint32_t load_u32(const char* from) {
  std::uint32_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return __builtin_bswap32(value);
}
inline std::uint64_t load_u64(const char* from) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return __builtin_bswap64(value);
}
static_assert(std::endian::native == std::endian::little, "the byte swaps above assume it");

/// Before the first row: signature, no flags, no extension.
inline constexpr std::string_view kCopyHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
/// After the last row: a field count of -1.
inline constexpr std::string_view kCopyTrailer{"\377\377", 2};
inline constexpr std::uint32_t kNullLength = 0xFFFFFFFF;

class CopyBuffer {
 public:
  /// Room for `size` bytes at the end, to be filled by the caller at once.
  char* claim(std::size_t size) {
    if (size > capacity_ - size_) grow(size);
    char* at = data_.get() + size_;
    size_ += size;
    return at;
  }
  void append(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(claim(bytes.size()), bytes.data(), bytes.size());
  }
  void put_null() { store_u32(claim(4), kNullLength); }
  /// The length of a field and room for its bytes.
  char* claim_field(std::size_t size) {
    char* at = claim(4 + size);
    store_u32(at, static_cast<std::uint32_t>(size));
    return at + 4;
  }
  void put_field(std::string_view bytes) {
    char* at = claim_field(bytes.size());
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  }
  /// Sets the length of the field whose length is at `start`.
  void set_length(std::size_t start, std::size_t size) {
    store_u32(data_.get() + start, static_cast<std::uint32_t>(size));
  }
  /// Forgets what came after `size`.
  void cut(std::size_t size) { size_ = size; }
  void clear() { size_ = 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {data_.get(), size_}; }

 private:
  void grow(std::size_t size) {
    std::size_t capacity = capacity_ == 0 ? 128 * 1024 : capacity_;
    while (capacity - size_ < size) capacity *= 2;
    std::unique_ptr<char[]> data(new char[capacity]);
    if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace wherry::postgres::wire
