#include "engine/xml.h"

#include <cctype>
#include <string>
#include <vector>

#include "engine/error.h"

namespace orasim {
namespace {

[[noreturn]] void bad_xml(const std::string& why) {
  throw OraError(31011, "XML parsing failed\nORA-19202: Error occurred in XML processing\n" + why);
}

class XmlChecker {
 public:
  explicit XmlChecker(std::string_view text) : text_(text) {}

  void document() {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    bool seen = false;
    while (skip_text(open_.empty())) {
      if (skip_aside()) continue;
      if (text_.starts_with("</")) {
        close_tag();
      } else {
        if (open_.empty() && seen) bad_xml("LPX-00245: extra data after end of document");
        open_tag();
        seen = true;
      }
    }
    if (!open_.empty()) bad_xml("LPX-00007: unexpected end-of-file encountered");
    if (!seen) bad_xml("LPX-00229: input source is empty");
  }

 private:
  /// Text up to the next markup; false at the end. Outside the element only blanks may stand.
  bool skip_text(bool only_blanks) {
    while (!text_.empty() && text_[0] != '<') {
      if (only_blanks && std::isspace(static_cast<unsigned char>(text_[0])) == 0) {
        bad_xml("LPX-00210: expected '<' instead of '" + std::string(1, text_[0]) + "'");
      }
      text_[0] == '&' ? reference() : text_.remove_prefix(1);
    }
    return !text_.empty();
  }

  void reference() {
    const std::size_t end = text_.find(';');
    if (end == std::string_view::npos || end < 2 || end > 64) {
      bad_xml("LPX-00242: invalid use of ampersand ('&') character (use &amp;)");
    }
    text_.remove_prefix(end + 1);
  }

  /// Comments, CDATA, processing instructions, the document type.
  bool skip_aside() {
    struct Aside {
      std::string_view begin, end;
    };
    static constexpr Aside kAsides[] = {
        {"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!DOCTYPE", ">"}};
    for (const Aside& a : kAsides) {
      if (!text_.starts_with(a.begin)) continue;
      const std::size_t at = text_.find(a.end, a.begin.size());
      if (at == std::string_view::npos) bad_xml("LPX-00007: unexpected end-of-file encountered");
      text_.remove_prefix(at + a.end.size());
      return true;
    }
    return false;
  }

  std::string_view name() {
    std::size_t n = 0;
    while (n < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[n])) != 0 ||
            static_cast<unsigned char>(text_[n]) >= 0x80 ||
            std::string_view("_:-.").find(text_[n]) != std::string_view::npos)) {
      ++n;
    }
    if (n == 0 || std::isdigit(static_cast<unsigned char>(text_[0])) != 0 || text_[0] == '-') {
      bad_xml("LPX-00231: invalid character in a Name or Nmtoken");
    }
    const std::string_view out = text_.substr(0, n);
    text_.remove_prefix(n);
    return out;
  }

  void skip_blanks() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_[0])) != 0) {
      text_.remove_prefix(1);
    }
  }

  bool accept(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  void attribute() {
    name();
    skip_blanks();
    if (!accept("=")) bad_xml("LPX-00104: missing '=' in attribute");
    skip_blanks();
    if (text_.empty() || (text_[0] != '"' && text_[0] != '\'')) {
      bad_xml("LPX-00244: attribute value is not quoted");
    }
    const std::size_t end = text_.find(text_[0], 1);
    if (end == std::string_view::npos || text_.substr(0, end).find('<') != std::string_view::npos) {
      bad_xml("LPX-00235: invalid attribute value");
    }
    text_.remove_prefix(end + 1);
  }

  void open_tag() {
    accept("<");
    const std::string_view tag = name();
    for (;;) {
      skip_blanks();
      if (accept("/>")) return;
      if (accept(">")) {
        open_.push_back(tag);
        return;
      }
      attribute();
    }
  }

  void close_tag() {
    accept("</");
    const std::string_view tag = name();
    skip_blanks();
    if (!accept(">") || open_.empty() || open_.back() != tag) {
      bad_xml("LPX-00225: end-element tag \"" + std::string(tag) +
              "\" does not match start-element tag");
    }
    open_.pop_back();
  }

  std::string_view text_;
  std::vector<std::string_view> open_;
};

}  // namespace

void check_xml(std::string_view text) {
  XmlChecker(text).document();
}

}  // namespace orasim
