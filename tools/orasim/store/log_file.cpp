#include "store/log_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>

#include "engine/error.h"

namespace orasim {
namespace {

constexpr std::string_view kMagic = "ORASIML5";
constexpr std::size_t kFrameHead = 8;

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_tables() {
  CrcTables t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? c >> 1 ^ 0xEDB88320U : c >> 1;
    t[0][i] = c;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t i = 0; i < 256; ++i) t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 0xFF];
  }
  return t;
}
constexpr CrcTables kCrc = make_tables();

std::uint32_t load32(const char* p) {
  std::uint32_t v = 0;
  for (int i = 3; i >= 0; --i) v = v << 8 | static_cast<std::uint8_t>(p[i]);
  return v;
}

void store32(std::string& out, std::uint32_t v) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(v >> (8 * i)));
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": " + what + ": " + std::strerror(errno));
}

/// Reads a file front to back in large pieces.
class Source {
 public:
  explicit Source(int fd) : fd_(fd) {}
  /// The next `n` bytes; empty when the file ends before. Valid until the next call.
  std::string_view next(std::size_t n) {
    while (buffer_.size() - at_ < n) {
      buffer_.erase(0, at_);
      at_ = 0;
      const std::size_t had = buffer_.size();
      buffer_.resize(std::max(n, had + kPiece));
      const ssize_t got = ::read(fd_, buffer_.data() + had, buffer_.size() - had);
      buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (got <= 0) {
        if (got < 0 && errno == EINTR) continue;
        failed_ = got < 0;
        if (buffer_.size() < n) return {};
      }
    }
    at_ += n;
    return std::string_view(buffer_).substr(at_ - n, n);
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  static constexpr std::size_t kPiece = std::size_t{1} << 20;
  int fd_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t c = 0xFFFFFFFFU;
  const char* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const std::uint32_t a = load32(p) ^ c;
    const std::uint32_t b = load32(p + 4);
    c = kCrc[7][a & 0xFF] ^ kCrc[6][a >> 8 & 0xFF] ^ kCrc[5][a >> 16 & 0xFF] ^ kCrc[4][a >> 24] ^
        kCrc[3][b & 0xFF] ^ kCrc[2][b >> 8 & 0xFF] ^ kCrc[1][b >> 16 & 0xFF] ^ kCrc[0][b >> 24];
  }
  for (; n > 0; --n, ++p) c = c >> 8 ^ kCrc[0][(c ^ static_cast<std::uint8_t>(*p)) & 0xFF];
  return c ^ 0xFFFFFFFFU;
}

std::string frame(std::string_view payload) {
  if (payload.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw OraError(1691, "unable to extend lob segment: a row of more than 4 GB");
  }
  std::string out;
  out.reserve(payload.size() + kFrameHead);
  store32(out, static_cast<std::uint32_t>(payload.size()));
  store32(out, crc32(payload));
  out.append(payload);
  return out;
}

std::unique_ptr<LogFile> LogFile::open(const std::string& data_dir,
                                       const std::function<void(std::string_view)>& replay) {
  std::error_code error;
  std::filesystem::create_directories(data_dir, error);
  if (error) throw std::runtime_error(data_dir + ": cannot create: " + error.message());
  const std::string path = data_dir + "/orasim.log";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) fail(path, "cannot open");
  std::unique_ptr<LogFile> log(new LogFile(fd, path));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    throw std::runtime_error(path +
                             ": in use by another process; stop it or use another directory");
  }
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail(path, "cannot stat");
  // A crash while the file was made leaves less than the magic.
  if (static_cast<std::size_t>(info.st_size) < kMagic.size()) {
    log->start_new(data_dir);
  } else {
    log->load(replay);
  }
  return log;
}

LogFile::~LogFile() {
  ::close(fd_);
}

void LogFile::start_new(const std::string& data_dir) {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) fail(path_, "cannot truncate");
  append(kMagic);
  if (!sync()) fail(path_, "cannot flush");
  const int dir = ::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
}

void LogFile::load(const std::function<void(std::string_view)>& replay) {
  Source source(fd_);
  if (source.next(kMagic.size()) != kMagic) {
    throw std::runtime_error(path_ + ": not a log of this program (format 4)");
  }
  struct stat info {};
  if (::fstat(fd_, &info) != 0) fail(path_, "cannot stat");
  const auto file_size = static_cast<std::uint64_t>(info.st_size);
  size_ = kMagic.size();
  while (true) {
    const std::string_view head = source.next(kFrameHead);
    if (head.empty()) break;
    const std::uint32_t length = load32(head.data());
    const std::uint32_t crc = load32(head.data() + 4);
    if (length == 0 || length > file_size - size_ - kFrameHead) break;
    const std::string_view payload = source.next(length);
    if (payload.size() != length || crc32(payload) != crc) break;
    replay(payload);
    size_ += kFrameHead + length;
  }
  if (source.failed()) fail(path_, "cannot read");
  if (!cut(size_)) fail(path_, "cannot cut a torn tail");
}

bool LogFile::cut(std::uint64_t size) {
  const auto end = static_cast<off_t>(size);
  if (::ftruncate(fd_, end) != 0 || ::lseek(fd_, end, SEEK_SET) != end) return false;
  size_ = size;
  return true;
}

void LogFile::append(std::string_view frames) {
  const std::uint64_t before = size_;
  while (!frames.empty()) {
    const ssize_t n = ::write(fd_, frames.data(), frames.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const std::string reason = std::strerror(errno);
      const bool undone = cut(before);
      throw OraError(345, "redo log write error: " + path_ + ": " + reason +
                              (undone ? "" : "; the log could not be cut back, restart"));
    }
    size_ += static_cast<std::uint64_t>(n);
    frames.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool LogFile::sync() {
  return ::fdatasync(fd_) == 0;
}

}  // namespace orasim
