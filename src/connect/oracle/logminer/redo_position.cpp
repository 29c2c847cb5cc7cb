#include "connect/oracle/logminer/redo_position.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace wherry::oracle {
namespace {

constexpr std::string_view kPrefix = "redo:v1:";

std::string address_text(const RedoAddress& address) {
  return fmt::format("{}.{}.{}", address.sequence, address.block, address.offset);
}

/// Reads what was written, piece by piece; the first piece that is none ends it.
class PositionReader {
 public:
  explicit PositionReader(std::string_view text) : rest_(text) {}

  template <class Number>
  Number number() {
    Number out = 0;
    const char* const end = rest_.data() + rest_.size();
    const auto [stop, status] = std::from_chars(rest_.data(), end, out);
    if (status != std::errc{}) is_good_ = false;
    if (is_good_) rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return out;
  }
  /// False: something else is there, and stays.
  bool skip(char c) {
    const bool is_there = is_good_ && rest_.starts_with(c);
    if (is_there) rest_.remove_prefix(1);
    return is_there;
  }
  void expect(char c) {
    if (!skip(c)) is_good_ = false;
  }
  template <class Number>
  Number number_before(char c) {
    const Number out = number<Number>();
    expect(c);
    return out;
  }
  RedoAddress address() {
    RedoAddress out;
    out.sequence = number_before<std::uint32_t>('.');
    out.block = number_before<std::uint32_t>('.');
    out.offset = number<std::uint32_t>();
    return out;
  }
  [[nodiscard]] bool is_at_end() const { return is_good_ && rest_.empty(); }
  [[nodiscard]] bool is_next(char c) const { return rest_.starts_with(c); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

void read_threads(PositionReader& in, RedoPosition& out) {
  if (in.is_next(':')) return;
  do {
    const auto number = in.number_before<std::uint32_t>('=');
    RedoPosition::Thread& thread = out.threads[number];
    thread.floor = in.address();
    in.expect('/');
    thread.commit = in.address();
  } while (in.skip(','));
}

void read_open(PositionReader& in, RedoPosition& out) {
  if (in.is_at_end()) return;
  do {
    RedoPosition::OpenTransaction& each = out.open.emplace_back();
    each.key.container = in.number_before<std::uint32_t>('.');
    each.key.segment = in.number_before<std::uint32_t>('.');
    each.key.slot = in.number_before<std::uint32_t>('.');
    each.key.sequence = in.number_before<std::uint32_t>('@');
    each.start_scn = in.number<std::uint64_t>();
  } while (in.skip(','));
}

}  // namespace

Position to_position(const RedoPosition& position) {
  std::string out =
      fmt::format("{}{}:{}:{}:{}:{}:", kPrefix, position.database_id, position.resetlogs_scn,
                  position.commit_scn, position.load_scn, position.floor_scn);
  const char* between = "";
  for (const auto& [number, thread] : position.threads) {
    out += fmt::format("{}{}={}/{}", between, number, address_text(thread.floor),
                       address_text(thread.commit));
    between = ",";
  }
  out += ':';
  between = "";
  for (const RedoPosition::OpenTransaction& each : position.open) {
    out +=
        fmt::format("{}{}.{}@{}", between, each.key.container, to_text(each.key), each.start_scn);
    between = ",";
  }
  return {std::move(out)};
}

Result<RedoPosition> read_position(const Position& position) {
  const std::string_view text = position.text;
  if (text.starts_with(kPrefix)) {
    PositionReader in(text.substr(kPrefix.size()));
    RedoPosition out;
    out.database_id = in.number_before<std::uint64_t>(':');
    out.resetlogs_scn = in.number_before<std::uint64_t>(':');
    out.commit_scn = in.number_before<std::uint64_t>(':');
    out.load_scn = in.number_before<std::uint64_t>(':');
    out.floor_scn = in.number_before<std::uint64_t>(':');
    read_threads(in, out);
    in.expect(':');
    read_open(in, out);
    if (in.is_at_end()) return out;
  }
  return make_error(ErrorKind::kConfig, "oracle.bad_position",
                    "the position is none of Oracle's redo: " + position.text,
                    "Use a position that this connector made, or an SCN");
}

}  // namespace wherry::oracle
