#include "exec/dbms_output.h"

#include <algorithm>
#include <utility>

#include "exec/errors.h"

namespace orasim {
namespace {

constexpr std::int64_t kSmallestBuffer = 2000, kLargestBuffer = 1'000'000;
constexpr std::size_t kLongestLine = 32767;

}  // namespace

void DbmsOutput::enable(std::optional<std::int64_t> buffer_bytes) {
  is_enabled_ = true;
  limit_.reset();
  if (buffer_bytes) {
    limit_ = static_cast<std::uint64_t>(std::clamp(*buffer_bytes, kSmallestBuffer, kLargestBuffer));
  }
}

void DbmsOutput::disable() {
  *this = DbmsOutput();
}

void DbmsOutput::drop_read() {
  if (!std::exchange(was_read_, false)) return;
  lines_.clear();
  bytes_ = line_.size();
}

void DbmsOutput::put(std::string_view text) {
  if (!is_enabled_) return;
  drop_read();
  if (line_.size() + text.size() > kLongestLine) {
    raise_text(20000, "ORU-10028: line length overflow, limit of " + std::to_string(kLongestLine) +
                          " bytes per line");
  }
  if (limit_ && bytes_ + text.size() > *limit_) {
    raise_text(20000, "ORU-10027: buffer overflow, limit of " + std::to_string(*limit_) + " bytes");
  }
  bytes_ += text.size();
  line_ += text;
}

void DbmsOutput::new_line() {
  if (!is_enabled_) return;
  drop_read();
  lines_.push_back(std::exchange(line_, {}));
}

std::optional<std::string> DbmsOutput::get_line() {
  was_read_ = true;
  if (lines_.empty()) return std::nullopt;
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  bytes_ -= line.size();
  return line;
}

std::vector<std::string> DbmsOutput::get_lines(std::int64_t at_most) {
  std::vector<std::string> lines;
  was_read_ = true;
  while (static_cast<std::int64_t>(lines.size()) < at_most && !lines_.empty()) {
    lines.push_back(*get_line());
  }
  return lines;
}

}  // namespace orasim
