#include "connect/oracle/trace/line_output.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace wherry::oracle::trace {
namespace {

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::kClient:
      return "client";
    case Direction::kServer:
      return "server";
    default:
      return "unknown";
  }
}

}  // namespace

void LineOutput::add(std::uint64_t place, std::uint64_t number, const Json& flow,
                     Direction direction, const Json& fields) {
  Json line{{"n", number}, {"flow", flow}, {"direction", name_of(direction)}};
  line.update(fields);
  lines_.push_back({place, line.dump(-1, ' ', false, Json::error_handler_t::replace)});
  waiting_bytes_ += lines_.back().text.size() + sizeof(Line);
  ++line_count_;
}

void LineOutput::write_before(std::uint64_t place) {
  std::stable_sort(lines_.begin(), lines_.end(),
                   [](const Line& a, const Line& b) { return a.place < b.place; });
  const auto end = std::find_if(lines_.begin(), lines_.end(),
                                [&](const Line& line) { return line.place >= place; });
  for (auto line = lines_.begin(); line != end; ++line) {
    out_ << line->text << '\n';
    waiting_bytes_ -= line->text.size() + sizeof(Line);
  }
  lines_.erase(lines_.begin(), end);
}

}  // namespace wherry::oracle::trace
