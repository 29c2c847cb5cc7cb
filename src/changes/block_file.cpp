#include "changes/block_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace wherry::changes {
namespace {

constexpr int kLevel = 1;
constexpr std::size_t kLeastToSqueeze = 256;
constexpr std::uint8_t kIsSqueezed = 1;
constexpr std::uint8_t kIsBorder = 2;

struct BlockHead {
  std::uint32_t checksum = 0;  ///< of the rest of the head and the stored bytes
  std::uint32_t stored_bytes = 0;
  std::uint32_t raw_bytes = 0;
  std::uint8_t kind = 0;
  std::uint8_t flags = 0;
  std::uint16_t zero = 0;
};
static_assert(sizeof(BlockHead) == kBlockHeadBytes);

std::uint32_t checksum_of(const BlockHead& head, std::string_view stored) {
  constexpr std::size_t kSkip = sizeof head.checksum;
  uLong sum = ::crc32(0, reinterpret_cast<const Bytef*>(&head) + kSkip, sizeof head - kSkip);
  sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(stored.data()), stored.size());
  return static_cast<std::uint32_t>(sum);
}

bool is_full(int number) {
  return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

/// Of a whole file or of one that ends early.
Result<std::size_t> read_at(int fd, const std::filesystem::path& path, std::uint64_t offset,
                            char* out, std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t n = ::pread(fd, out + done, count - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(path, errno, "read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

Error file_error(const std::filesystem::path& path, int number, std::string_view action) {
  Error error = make_error(
      ErrorKind::kResource, is_full(number) ? "spill.disk_full" : "spill.io",
      "cannot " + std::string(action) + " a file of changes that wait",
      is_full(number) ? "Free space there; the task goes on when there is some"
                      : "Check the disk and the permissions of the state directory (--state)");
  error.native_text = std::strerror(number);
  return std::move(error).with("file", path.string());
}

struct Compressor::State {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string out;
  ~State() { ZSTD_freeCCtx(context); }
};

Compressor::Compressor() : state_(std::make_unique<State>()) {}
Compressor::~Compressor() = default;

std::string_view Compressor::compress(std::string_view raw) {
  if (raw.size() < kLeastToSqueeze || state_->context == nullptr) return {};
  state_->out.resize(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compressCCtx(state_->context, state_->out.data(),
                                             state_->out.size(), raw.data(), raw.size(), kLevel);
  if (ZSTD_isError(size) != 0 || size >= raw.size()) return {};
  return std::string_view(state_->out).substr(0, size);
}

BlockWriter::BlockWriter(int fd, std::filesystem::path path, Compressor& compressor,
                         std::uint64_t size_bytes)
    : fd_(fd), path_(std::move(path)), compressor_(&compressor), size_bytes_(size_bytes) {}

BlockWriter::BlockWriter(BlockWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      compressor_(other.compressor_),
      size_bytes_(other.size_bytes_) {}

BlockWriter::~BlockWriter() {
  if (fd_ >= 0) ::close(fd_);
}

Result<BlockWriter> BlockWriter::create(const std::filesystem::path& path, Compressor& compressor) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return file_error(path, errno, "create");
  BlockWriter writer(fd, path, compressor, 0);
  if (auto headed = writer.put(kFileHead); !headed.ok()) {
    ::unlink(path.c_str());
    return std::move(headed).error();
  }
  return writer;
}

Result<BlockWriter> BlockWriter::reopen(const std::filesystem::path& path, std::uint64_t size_bytes,
                                        Compressor& compressor) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return file_error(path, errno, "open");
  BlockWriter writer(fd, path, compressor, size_bytes);
  WHERRY_TRY(writer.cut(size_bytes));
  return writer;
}

Result<void> BlockWriter::put(std::string_view bytes) {
  const std::uint64_t before = size_bytes_;
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_bytes_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int number = errno;
      WHERRY_TRY(cut(before));
      return file_error(path_, number, "write to");
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
    size_bytes_ += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> BlockWriter::write(BlockKind kind, bool is_border, std::string_view raw) {
  if (raw.size() > kMostBlockBytes) {
    return make_error(ErrorKind::kUnsupported, "change_file.too_large",
                      "one change has more than 1.5 GB of values",
                      "Leave the column out of the task, or load the table without replication");
  }
  std::string_view stored = compressor_->compress(raw);
  BlockHead head;
  head.raw_bytes = static_cast<std::uint32_t>(raw.size());
  head.kind = static_cast<std::uint8_t>(kind);
  head.flags =
      static_cast<std::uint8_t>((stored.empty() ? 0 : kIsSqueezed) | (is_border ? kIsBorder : 0));
  if (stored.empty()) stored = raw;
  head.stored_bytes = static_cast<std::uint32_t>(stored.size());
  head.checksum = checksum_of(head, stored);
  const std::uint64_t before = size_bytes_;
  WHERRY_TRY(put({reinterpret_cast<const char*>(&head), sizeof head}));
  auto written = put(stored);
  if (!written.ok()) WHERRY_TRY(cut(before));
  return written;
}

Result<void> BlockWriter::cut(std::uint64_t size_bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(size_bytes)) != 0) {
    return file_error(path_, errno, "cut");
  }
  size_bytes_ = size_bytes;
  return {};
}

Result<void> BlockWriter::sync() {
  if (::fdatasync(fd_) == 0) return {};
  // What the kernel could not write is lost with this answer: nobody may try again.
  Error error = file_error(path_, errno, "sync");
  error.code = "spill.io";
  return error;
}

struct BlockReader::State {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  std::string stored, raw;
  ~State() { ZSTD_freeDCtx(context); }
};

BlockReader::BlockReader(int fd, std::filesystem::path path)
    : fd_(fd),
      path_(std::move(path)),
      offset_bytes_(kFileHead.size()),
      state_(std::make_unique<State>()) {}

BlockReader::BlockReader(BlockReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      offset_bytes_(other.offset_bytes_),
      state_(std::move(other.state_)) {}

BlockReader::~BlockReader() {
  if (fd_ >= 0) ::close(fd_);
}

Result<BlockReader> BlockReader::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return file_error(path, errno, "open");
  BlockReader reader(fd, path);
  std::string head(kFileHead.size(), '\0');
  WHERRY_ASSIGN(const std::size_t got, read_at(fd, path, 0, head.data(), head.size()));
  if (got == head.size() && (head == kFileHead || head == kFileHead1)) return reader;
  return make_error(ErrorKind::kData, "change_file.unknown_format",
                    "a file of changes is none, or of another version of Wherry",
                    "Use the version that wrote it, or another --state directory")
      .with("file", path.string());
}

Result<bool> BlockReader::has_block_behind() {
  BlockHead head;
  WHERRY_ASSIGN(const std::size_t got,
                read_at(fd_, path_, offset_bytes_, reinterpret_cast<char*>(&head), sizeof head));
  if (got != sizeof head) return false;
  const std::uint64_t before = offset_bytes_;
  offset_bytes_ += sizeof head + head.stored_bytes;
  Block block;
  auto state = next(UINT64_MAX, block);
  offset_bytes_ = before;
  if (!state.ok()) return std::move(state).error();
  return *state == BlockState::kBlock;
}

Result<BlockState> BlockReader::next(std::uint64_t limit_bytes, Block& out) {
  const std::uint64_t left = limit_bytes > offset_bytes_ ? limit_bytes - offset_bytes_ : 0;
  if (left == 0) return BlockState::kEnd;
  BlockHead head;
  WHERRY_ASSIGN(const std::size_t head_got,
                read_at(fd_, path_, offset_bytes_, reinterpret_cast<char*>(&head), sizeof head));
  if (head_got == 0) return BlockState::kEnd;
  const bool is_sound = head_got == sizeof head && left >= sizeof head &&
                        head.stored_bytes <= left - sizeof head &&
                        head.raw_bytes <= kMostBlockBytes && head.stored_bytes <= head.raw_bytes &&
                        head.kind >= static_cast<std::uint8_t>(BlockKind::kAbout) &&
                        head.kind <= static_cast<std::uint8_t>(BlockKind::kValue);
  if (!is_sound) return BlockState::kCut;
  // A length out of nowhere must not cost memory: the file has so much, or it is cut.
  const off_t size = ::lseek(fd_, 0, SEEK_END);
  if (size < 0) return file_error(path_, errno, "read");
  if (offset_bytes_ + sizeof head + head.stored_bytes > static_cast<std::uint64_t>(size)) {
    return BlockState::kCut;
  }
  state_->stored.resize(head.stored_bytes);
  WHERRY_ASSIGN(const std::size_t got, read_at(fd_, path_, offset_bytes_ + sizeof head,
                                               state_->stored.data(), state_->stored.size()));
  if (got != state_->stored.size() || checksum_of(head, state_->stored) != head.checksum) {
    return BlockState::kCut;
  }
  out.raw = state_->stored;
  if ((head.flags & kIsSqueezed) != 0) {
    state_->raw.resize(head.raw_bytes);
    const std::size_t size_raw =
        ZSTD_decompressDCtx(state_->context, state_->raw.data(), state_->raw.size(),
                            state_->stored.data(), state_->stored.size());
    if (ZSTD_isError(size_raw) != 0 || size_raw != head.raw_bytes) return BlockState::kCut;
    out.raw = state_->raw;
  } else if (head.stored_bytes != head.raw_bytes) {
    return BlockState::kCut;
  }
  out.kind = static_cast<BlockKind>(head.kind);
  out.is_border = (head.flags & kIsBorder) != 0;
  offset_bytes_ += sizeof head + head.stored_bytes;
  return BlockState::kBlock;
}

}  // namespace wherry::changes
