// Bump allocator of one batch: allocation is a pointer step, everything is freed at once by
// reset(), which keeps the blocks for the next fill. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace wherry {

class Arena {
 public:
  static constexpr std::size_t kBlockBytes = 64 * 1024;

  /// `size` bytes aligned to 8; never null. A size above the block size gets a block of its own,
  /// which reset() gives back.
  std::byte* allocate(std::size_t size) {
    size = (size + 7) & ~std::size_t{7};
    if (size > static_cast<std::size_t>(end_ - next_)) return allocate_slow(size);
    std::byte* result = next_;
    next_ += size;
    used_bytes_ += size;
    return result;
  }
  /// Gives back what the last allocation, of `size` bytes at `place`, has beyond `used`. One that
  /// got a block of its own keeps it.
  void shrink(const std::byte* place, std::size_t size, std::size_t used) {
    size = (size + 7) & ~std::size_t{7};
    used = (used + 7) & ~std::size_t{7};
    if (place + size != next_) return;
    next_ -= size - used;
    used_bytes_ -= size - used;
  }
  /// Copies `size` bytes.
  const std::byte* copy(const void* data, std::size_t size) {
    std::byte* p = allocate(size);
    if (size != 0) std::memcpy(p, data, size);
    return p;
  }
  /// Bytes handed out since the last reset.
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }
  /// Bytes held, used or not.
  [[nodiscard]] std::size_t reserved_bytes() const { return reserved_bytes_; }
  void reset();

 private:
  std::byte* allocate_slow(std::size_t size);

  struct Block {
    std::unique_ptr<std::byte[]> data;
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;
  std::vector<Block> large_;
  std::size_t current_ = 0;
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
  std::size_t used_bytes_ = 0;
  std::size_t reserved_bytes_ = 0;
};

}  // namespace wherry
