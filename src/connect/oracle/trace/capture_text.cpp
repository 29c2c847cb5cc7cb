#include "connect/oracle/trace/capture_text.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <utility>

namespace wherry::oracle::trace {
namespace {

constexpr std::string_view kSpaces = " \t\r\n\v\f";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::uint64_t number_of(std::string_view text, std::uint64_t fallback) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? value : fallback;
}

/// Appends a line's hex, spaces allowed, to the block.
void append_hex(std::string_view line, Block& block) {
  int high = -1;
  for (const char c : line) {
    if (kSpaces.find(c) != kSpaces.npos) continue;
    const int digit = digit_value(c);
    if (digit < 0) {
      block.problem = "a character that is no hex digit";
      return;
    }
    if (high < 0) {
      high = digit;
      continue;
    }
    block.bytes.push_back(static_cast<char>(high << 4 | digit));
    high = -1;
  }
  if (high >= 0) block.problem = "an odd number of hex digits";
}

/// A raw file is one packet; what is behind the largest possible one is not.
constexpr std::size_t kMaxRawBytes = std::size_t{4} << 20;
constexpr std::size_t kReadBytes = 65536;

bool is_text(std::string_view content) {
  const std::string_view head = content.substr(0, 4096);
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

class CaptureReader {
 public:
  explicit CaptureReader(const std::function<void(Block)>& sink) : sink_(sink) {}

  /// The next bytes; a line is read when its end has come.
  void read(std::string_view content) {
    for (std::size_t end = content.find('\n'); end != content.npos; end = content.find('\n')) {
      begun_ += content.substr(0, end);
      line(trimmed(begun_));
      begun_.clear();
      content.remove_prefix(end + 1);
    }
    begun_ += content;
  }
  void finish() {
    line(trimmed(begun_));
    close();
  }

 private:
  void line(std::string_view text) {
    if (text.empty()) {
      close();
    } else if (text.front() == '#') {
      comment(text);
    } else if (text.rfind("integrity=", 0) == 0) {
      set_mac(text.substr(10));
    } else if (text.rfind("packet ", 0) == 0) {
      decrypted(text);
    } else if (text.find('=') == text.npos || is_open_) {
      if (!is_open_) open();
      if (current_.problem.empty()) append_hex(text, current_);
    }
  }

  void open() {
    current_ = {};
    current_.number = block_count_ + 1;
    current_.is_alone = true;
    is_open_ = true;
  }

  void close() {
    const bool has_content = !current_.bytes.empty() || !current_.problem.empty();
    if (is_open_ && has_content) {
      ++block_count_;
      sink_(std::move(current_));
    }
    is_open_ = false;
  }

  /// Comments without a direction are remarks.
  void comment(std::string_view text) {
    if (text.find("direction=") == text.npos) return;
    close();
    open();
    for (text.remove_prefix(1); !trimmed(text).empty();) {
      text = trimmed(text);
      const std::size_t end = std::min(text.find_first_of(kSpaces), text.size());
      if (!word(text.substr(0, end))) break;
      text.remove_prefix(end);
    }
  }

  /// False behind the fields, where free text may follow.
  bool word(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view key = text.substr(0, equals);
    const std::string_view value = equals == text.npos ? "" : text.substr(equals + 1);
    if (key == "direction") {
      current_.direction = value.rfind("client", 0) == 0   ? Direction::kClient
                           : value.rfind("server", 0) == 0 ? Direction::kServer
                                                           : Direction::kUnknown;
    } else if (key == "flow") {
      current_.flow = number_of(value, 0);
      current_.is_alone = false;
    } else if (key == "n") {
      current_.number = number_of(value, current_.number);
    } else if (key == "payload") {
      current_.is_payload = true;
    } else if (key == "test" || key == "note") {
      return false;
    }
    return true;
  }

  void set_mac(std::string_view id) {
    constexpr std::size_t kMacBytes[] = {0, 16, 0, 20, 64, 32, 48};
    const std::uint64_t number = number_of(id, 0);
    mac_bytes_ = number < std::size(kMacBytes) ? kMacBytes[number] : 0;
  }

  /// What one side received in a protected session, after decryption.
  void decrypted(std::string_view text) {
    const std::size_t data = text.find("data=");
    if (data == text.npos) return;
    close();
    open();
    current_.direction = Direction::kServer;
    current_.is_payload = true;
    current_.is_alone = false;
    append_hex(text.substr(data + 5), current_);
    current_.bytes.resize(current_.bytes.size() - std::min(mac_bytes_, current_.bytes.size()));
    close();
  }

  const std::function<void(Block)>& sink_;
  std::string begun_;  ///< a line whose end is still to come
  std::size_t block_count_ = 0;
  Block current_;
  std::size_t mac_bytes_ = 0;
  bool is_open_ = false;
};

}  // namespace

void read_capture(std::string head, std::istream& in, const std::function<void(Block)>& sink) {
  const auto read_more = [&](std::size_t count) {
    std::string more(count, '\0');
    in.read(more.data(), static_cast<std::streamsize>(count));
    more.resize(static_cast<std::size_t>(in.gcount()));
    return more;
  };
  head += read_more(kReadBytes);
  if (head.empty()) return;
  if (!is_text(head)) {
    Block block;
    block.number = 1;
    block.is_alone = true;
    block.bytes = std::move(head);
    block.bytes += read_more(kMaxRawBytes);
    return sink(std::move(block));
  }
  CaptureReader reader(sink);
  for (std::string piece = std::move(head); !piece.empty(); piece = read_more(kReadBytes)) {
    reader.read(piece);
  }
  reader.finish();
}

}  // namespace wherry::oracle::trace
