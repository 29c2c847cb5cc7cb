#include <charconv>

#include "connect/api/changes.h"

namespace wherry::connect {
namespace {

Error bad_points(std::string_view text) {
  return make_error(ErrorKind::kPositionLost, "apply.bad_checkpoint",
                    "the checkpoint of the target does not say which transactions it holds: \"" +
                        std::string(text.substr(0, 80)) + "\"",
                    "Reload the task's tables");
}

/// A whole number at the beginning of `text`, which it is cut from.
template <class Number>
bool take_number(std::string_view& text, Number& out) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (status != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

// "1050 3 0:1 7": orders 1050, 1053, 1053 (the second transaction of that order) and 1060.
std::string to_text(const std::vector<CommitPoint>& points) {
  std::string out;
  CommitOrder last = 0;
  for (const CommitPoint& point : points) {
    WHERRY_ASSERT(point.order >= last, "commit points must ascend");
    if (!out.empty()) out += ' ';
    out += std::to_string(point.order - last);
    if (point.ordinal != 0) out += ':' + std::to_string(point.ordinal);
    last = point.order;
  }
  return out;
}

Result<std::vector<CommitPoint>> parse_commit_points(std::string_view text) {
  std::vector<CommitPoint> out;
  std::string_view rest = text;
  CommitPoint point;
  while (!rest.empty()) {
    if (!out.empty()) {
      if (rest.front() != ' ') return bad_points(text);
      rest.remove_prefix(1);
    }
    CommitOrder step = 0;
    if (!take_number(rest, step)) return bad_points(text);
    point.order += step;
    point.ordinal = 0;
    if (rest.starts_with(':')) {
      rest.remove_prefix(1);
      if (!take_number(rest, point.ordinal)) return bad_points(text);
    }
    if (!out.empty() && point <= out.back()) return bad_points(text);
    out.push_back(point);
  }
  return out;
}

}  // namespace wherry::connect
