// A terminal with a block of lines at its end that is drawn again and again, and lines above it
// that stay. Bars, differences and the log share it, so that none writes into another. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace wherry::app {

class Screen {
 public:
  /// Prints `text` (whole lines) to `fd` above the block, which vanishes until the next draw().
  void print(int fd, const std::string& text);
  /// Replaces the block. Lines are cut to the terminal's width, and their number to its height.
  void draw(const std::vector<std::string>& lines);
  /// Takes the block away.
  void clear();
  /// Columns that a line of the block may have.
  [[nodiscard]] std::size_t width() const;

 private:
  [[nodiscard]] std::string erased() const;

  std::mutex mutex_;
  std::vector<std::size_t> drawn_;  ///< columns of each line of the block
};

/// Writes all of `text`; a reader that has gone away is not our failure.
void write_all(int fd, const std::string& text);

}  // namespace wherry::app
