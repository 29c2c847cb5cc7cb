#include "core/arena.h"

namespace wherry {

std::byte* Arena::allocate_slow(std::size_t size) {
  used_bytes_ += size;
  if (size > kBlockBytes) {
    large_.push_back({std::unique_ptr<std::byte[]>(new std::byte[size]), size});
    reserved_bytes_ += size;
    return large_.back().data.get();
  }
  if (next_ != nullptr) ++current_;
  if (current_ == blocks_.size()) {
    blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[kBlockBytes]), kBlockBytes});
    reserved_bytes_ += kBlockBytes;
  }
  std::byte* result = blocks_[current_].data.get();
  next_ = result + size;
  end_ = result + kBlockBytes;
  return result;
}

void Arena::reset() {
  for (const Block& block : large_) reserved_bytes_ -= block.size;
  large_.clear();
  current_ = 0;
  used_bytes_ = 0;
  if (blocks_.empty()) {
    next_ = end_ = nullptr;
  } else {
    next_ = blocks_[0].data.get();
    end_ = next_ + kBlockBytes;
  }
}

}  // namespace wherry
