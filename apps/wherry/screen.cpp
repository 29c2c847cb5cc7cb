#include "screen.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "text.h"

namespace wherry::app {
namespace {

struct Size {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Asked for each drawing: the user may have changed it since. Bars that were asked for may go
/// through a pipe to a terminal, which the other ends know.
Size terminal_size() {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO}) {
    winsize found{};
    if (::ioctl(fd, TIOCGWINSZ, &found) != 0 || found.ws_col == 0) continue;
    return {found.ws_col, std::max<std::size_t>(found.ws_row, 2)};
  }
  return {};
}

}  // namespace

void write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

std::size_t Screen::width() const {
  // A line that fills the last column may wrap.
  return terminal_size().columns - 1;
}

/// Up to the block's first line, and nothing below. A terminal that has become narrower since shows
/// a line of the block as several.
std::string Screen::erased() const {
  const std::size_t columns = terminal_size().columns;
  std::size_t rows = 0;
  for (const std::size_t length : drawn_) {
    rows += std::max<std::size_t>(1, (length + columns - 1) / columns);
  }
  return rows == 0 ? "" : fmt::format("\r\x1b[{}A\x1b[J", rows);
}

void Screen::print(int fd, const std::string& text) {
  std::lock_guard lock(mutex_);
  if (!drawn_.empty()) write_all(STDOUT_FILENO, erased());
  drawn_.clear();
  write_all(fd, text);
}

void Screen::draw(const std::vector<std::string>& lines) {
  std::lock_guard lock(mutex_);
  std::string out = erased();
  drawn_.clear();
  // The last line is the total, and the cursor needs one below it.
  const std::size_t most = terminal_size().rows - 1;
  const std::size_t first = lines.size() > most ? lines.size() - most : 0;
  for (std::size_t i = first; i < lines.size(); ++i) {
    const std::string line = cut_to(lines[i], width());
    drawn_.push_back(columns_of(line));
    out += line + "\n";
  }
  write_all(STDOUT_FILENO, out);
}

void Screen::clear() {
  std::lock_guard lock(mutex_);
  write_all(STDOUT_FILENO, erased());
  drawn_.clear();
}

}  // namespace wherry::app
