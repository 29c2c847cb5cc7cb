#include "core/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wherry {

Error file_error(const std::filesystem::path& path, int number, const char* action) {
  // A full or broken disk is the machine's; all else comes of the directory that was named.
  const bool is_machine = number == ENOSPC || number == EDQUOT || number == EIO || number == EMFILE;
  Error error = make_error(is_machine ? ErrorKind::kResource : ErrorKind::kConfig, "state.io",
                           std::string("cannot ") + action + " the task's state",
                           "Check the permissions and the free space of the --state directory");
  error.native_text = std::strerror(number);
  return std::move(error).with("file", path.string());
}

Result<void> write_and_flush(int fd, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(path, errno, "write");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fdatasync(fd) != 0) return file_error(path, errno, "flush");
  return {};
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path temporary = path.string() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return file_error(temporary, errno, "write");
  auto written = write_and_flush(fd, text, temporary);
  ::close(fd);
  if (!written.ok()) return written;
  if (::rename(temporary.c_str(), path.c_str()) != 0) return file_error(path, errno, "replace");
  // The new name is durable only with the directory.
  const int directory = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return file_error(path, errno, "flush");
  const bool flushed = ::fsync(directory) == 0;
  const int number = errno;
  ::close(directory);
  if (!flushed) return file_error(path, number, "flush");
  return {};
}

}  // namespace wherry
