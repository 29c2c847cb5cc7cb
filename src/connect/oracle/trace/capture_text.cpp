#include "connect/oracle/trace/capture_text.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>

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

bool is_text(std::string_view content) {
  const std::string_view head = content.substr(0, 4096);
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

class CaptureReader {
 public:
  std::vector<Block> read(std::string_view content) {
    while (!content.empty()) {
      const std::size_t end = std::min(content.find('\n'), content.size());
      line(trimmed(content.substr(0, end)));
      content.remove_prefix(std::min(end + 1, content.size()));
    }
    close();
    return std::move(blocks_);
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
    current_.number = blocks_.size() + 1;
    current_.is_alone = true;
    is_open_ = true;
  }

  void close() {
    const bool has_content = !current_.bytes.empty() || !current_.problem.empty();
    if (is_open_ && has_content) blocks_.push_back(std::move(current_));
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

  std::vector<Block> blocks_;
  Block current_;
  std::size_t mac_bytes_ = 0;
  bool is_open_ = false;
};

}  // namespace

std::vector<Block> read_capture(std::istream& in) {
  std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (content.empty()) return {};
  if (is_text(content)) return CaptureReader().read(content);
  Block block;
  block.number = 1;
  block.is_alone = true;
  block.bytes = std::move(content);
  return {std::move(block)};
}

}  // namespace wherry::oracle::trace
