#include "core/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace wherry {
namespace {

Error spill_error(const std::filesystem::path& directory, int number, std::string_view action) {
  const bool full = number == ENOSPC || number == EDQUOT;
  Error error =
      make_error(ErrorKind::kResource, full ? "spill.disk_full" : "spill.io",
                 "cannot " + std::string(action) + " a temporary file for large values",
                 full ? "Free space there, or name a state directory on a larger disk with --state"
                      : "Name a writable state directory with --state");
  error.native_text = std::strerror(number);
  return std::move(error).with("directory", directory.string());
}

}  // namespace

Result<std::shared_ptr<SpillFile>> SpillFile::create(const std::filesystem::path& directory) {
  std::string path = (directory / "wherry-spill-XXXXXX").string();
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return spill_error(directory, errno, "create");
  ::unlink(path.c_str());
  return std::shared_ptr<SpillFile>(new SpillFile(fd, directory));
}

SpillFile::SpillFile(int fd, std::filesystem::path directory)
    : fd_(fd), directory_(std::move(directory)) {}

SpillFile::~SpillFile() {
  ::close(fd_);
}

Result<void> SpillFile::append(std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd_, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return spill_error(directory_, errno, "write to");
    data.remove_prefix(static_cast<std::size_t>(n));
    size_bytes_ += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::size_t> SpillFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return spill_error(directory_, errno, "read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace wherry
