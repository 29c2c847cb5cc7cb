#include "connect/postgres/log_position.h"

#include <fmt/format.h>

#include <charconv>

#include "connect/postgres/replication.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kPositionPrefix = "lsn:v1:";
constexpr std::string_view kDmsCheckpoint = "checkpoint:V1#";

/// Up to `end`, which is cut off too; everything when it is not there.
std::string_view cut_at(std::string_view& text, char end) {
  const std::size_t place = text.find(end);
  const std::string_view piece = text.substr(0, place);
  text.remove_prefix(place == std::string_view::npos ? text.size() : place + 1);
  return piece;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Position to_position(const LogPosition& position) {
  return {fmt::format("{}{}:{}:{}", kPositionPrefix, lsn_text(position.lsn), position.system,
                      position.timeline)};
}

Result<LogPosition> read_position(const Position& position) {
  std::string_view rest = position.text;
  if (rest.starts_with(kPositionPrefix)) {
    rest.remove_prefix(kPositionPrefix.size());
    LogPosition out;
    const auto lsn = parse_lsn(cut_at(rest, ':'));
    out.system = cut_at(rest, ':');
    const auto [end, status] =
        std::from_chars(rest.data(), rest.data() + rest.size(), out.timeline);
    if (lsn && is_number(out.system) && status == std::errc{} && end == rest.data() + rest.size()) {
      out.lsn = *lsn;
      return out;
    }
  }
  return make_error(ErrorKind::kConfig, "postgres.bad_position",
                    "the position is none of PostgreSQL's log: " + position.text,
                    "Use a position that this connector made, or an LSN such as 16/B374D848");
}

std::optional<wire::Lsn> find_lsn(std::string_view text) {
  if (text.starts_with(kDmsCheckpoint)) {
    text.remove_prefix(kDmsCheckpoint.size());
    cut_at(text, '#');
    return parse_lsn(cut_at(text, '#'));
  }
  return parse_lsn(text);
}

std::optional<wire::Lsn> end_of_timeline(std::string_view history, std::uint32_t timeline) {
  while (!history.empty()) {
    std::string_view line = cut_at(history, '\n');
    const std::string_view number = cut_at(line, '\t');
    if (number == std::to_string(timeline)) return parse_lsn(cut_at(line, '\t'));
  }
  return std::nullopt;
}

}  // namespace wherry::postgres
