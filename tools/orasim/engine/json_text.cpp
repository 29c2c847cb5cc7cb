// JSON text, both directions.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <unordered_map>

#include "engine/calendar.h"
#include "engine/error.h"
#include "engine/json.h"

namespace orasim {
namespace {

constexpr int kMaxTextDepth = 1024;  // as Oracle's

[[noreturn]] void not_json() {
  throw OraError(40441, "JSON syntax error");
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

class JsonParser {
 public:
  JsonParser(std::string_view text, JsonSyntax syntax)
      : text_(text), lax_(syntax == JsonSyntax::kLax) {}

  Json document() {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    Json out = value(0);
    skip_blanks();
    if (!text_.empty()) not_json();
    return out;
  }

 private:
  void skip_blanks() {
    const std::size_t n = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(n == std::string_view::npos ? text_.size() : n);
  }

  [[nodiscard]] char next() const { return text_.empty() ? '\0' : text_.front(); }

  bool accept(char c) {
    skip_blanks();
    if (next() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  Json value(int depth) {
    if (depth > kMaxTextDepth) not_json();
    skip_blanks();
    switch (next()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
      case '\'':
        return scalar(quoted());
      default:
        return std::isalpha(static_cast<unsigned char>(next())) != 0 ? word() : number();
    }
  }

  static Json scalar(Json::Scalar content) {
    Json out;
    out.scalar = std::move(content);
    return out;
  }

  /// The end of a container; in lax syntax also behind a comma.
  bool ends(char closing, bool is_first) {
    if (accept(closing)) {
      if (!is_first && !lax_) not_json();
      return true;
    }
    return false;
  }

  Json object(int depth) {
    accept('{');
    Json out;
    out.shape = Json::Shape::kObject;
    std::unordered_map<std::string, std::size_t> places;
    for (bool is_first = true; !ends('}', is_first); is_first = false) {
      std::string name = member_name();
      if (!accept(':')) not_json();
      Json item = value(depth + 1);
      const auto [known, is_new] = places.emplace(name, out.items.size());
      if (!is_new) {
        out.items[known->second] = std::move(item);
      } else {
        out.names.push_back(std::move(name));
        out.items.push_back(std::move(item));
      }
      if (accept(',')) continue;
      if (!accept('}')) not_json();
      break;
    }
    return out;
  }

  Json array(int depth) {
    accept('[');
    Json out;
    out.shape = Json::Shape::kArray;
    for (bool is_first = true; !ends(']', is_first); is_first = false) {
      out.items.push_back(value(depth + 1));
      if (accept(',')) continue;
      if (!accept(']')) not_json();
      break;
    }
    return out;
  }

  std::string member_name() {
    skip_blanks();
    if (next() == '"' || next() == '\'') return quoted();
    const auto is_name = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
    };
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_name);
    const auto size = static_cast<std::size_t>(end - text_.begin());
    if (!lax_ || size == 0) not_json();
    std::string name(text_.substr(0, size));
    text_.remove_prefix(size);
    return name;
  }

  Json word() {
    const auto end = std::find_if_not(text_.begin(), text_.end(), [](char c) {
      return std::isalpha(static_cast<unsigned char>(c)) != 0;
    });
    std::string name(text_.begin(), end);
    text_.remove_prefix(name.size());
    if (lax_) {
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    }
    if (name == "null") return {};
    if (name == "true") return scalar(true);
    if (name == "false") return scalar(false);
    not_json();
  }

  /// Digits from `at` on; at least one.
  void digits(std::size_t& at) const {
    const std::size_t from = at;
    while (at < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at])) != 0) ++at;
    if (at == from) not_json();
  }

  Json number() {
    std::size_t at = next() == '-' ? 1 : 0;
    const std::size_t first = at;
    digits(at);
    if (text_[first] == '0' && at > first + 1 && !lax_) not_json();
    if (at < text_.size() && text_[at] == '.') digits(++at);
    if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
      ++at;
      if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
      digits(at);
    }
    const auto parsed = Number::parse(text_.substr(0, at));
    if (!parsed) throw OraError(1426, "numeric overflow");
    text_.remove_prefix(at);
    return scalar(*parsed);
  }

  std::uint32_t hex4() {
    std::uint32_t code = 0;
    if (text_.size() < 4) not_json();
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + 4, code, 16);
    if (error != std::errc() || end != text_.data() + 4) not_json();
    text_.remove_prefix(4);
    return code;
  }

  void escape(std::string& out) {
    const char c = next();
    if (c == '\0') not_json();
    text_.remove_prefix(1);
    constexpr std::string_view kLetters = "\"\\/bfnrt'";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t'";
    if (c == 'u') {
      std::uint32_t code = hex4();
      if (code >= 0xD800 && code < 0xDC00) {
        if (!text_.starts_with("\\u")) not_json();
        text_.remove_prefix(2);
        const std::uint32_t low = hex4();
        if (low < 0xDC00 || low > 0xDFFF) not_json();
        code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
      } else if (code >= 0xDC00 && code <= 0xDFFF) {
        not_json();
      }
      return append_utf8(out, code);
    }
    const std::size_t at = kLetters.find(c);
    if (at == std::string_view::npos || (c == '\'' && !lax_)) not_json();
    out.push_back(kMeant[at]);
  }

  std::string quoted() {
    const char quote = next();
    if (quote == '\'' && !lax_) not_json();
    text_.remove_prefix(1);
    std::string out;
    for (;;) {
      if (text_.empty()) not_json();
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == quote) return out;
      if (c == '\\') {
        escape(out);
      } else {
        if (static_cast<unsigned char>(c) < 0x20 && !lax_) not_json();
        out.push_back(c);
      }
    }
  }

  std::string_view text_;
  bool lax_;
};

// ---- printing -----------------------------------------------------------------------------------

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    const std::size_t at = kSpecial.find(c);
    if (at != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kLetters[at]);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> buffer;
      std::snprintf(buffer.data(), buffer.size(), "\\u%04x", static_cast<unsigned char>(c));
      out += buffer.data();
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

/// JSON wants a digit before the point.
std::string number_text(const Number& number) {
  std::string text = number.to_string();
  const std::size_t point = text.find('.');
  if (point == 0 || (point == 1 && text[0] == '-')) text.insert(point, 1, '0');
  return text;
}

template <class Float>
std::string float_text(Float value) {
  // JSON has no word for them.
  if (std::isnan(value)) return "\"Nan\"";
  if (std::isinf(value)) return value < 0 ? "\"-Inf\"" : "\"Inf\"";
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

/// ISO 8601.
std::string moment_text(const JsonMoment& moment) {
  const bool zoned = moment.type == Type::kTimestampTz;
  const DateTime t = zoned ? to_local(moment.value) : moment.value;
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%s%04d-%02d-%02dT%02d:%02d:%02d",
                t.year < 0 ? "-" : "", std::abs(t.year), t.month, t.day, t.hour, t.minute,
                t.second);
  std::string out = buffer.data();
  if (t.nanosecond != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%09u", t.nanosecond);
    std::string fraction = buffer.data();
    // Microseconds unless there is more.
    if (fraction.ends_with("000")) fraction.resize(fraction.size() - 3);
    out += fraction;
  }
  if (!zoned) return out;
  if (t.offset_minutes == 0) return out + "Z";
  const int minutes = std::abs(t.offset_minutes);
  std::snprintf(buffer.data(), buffer.size(), "%c%02d:%02d", t.offset_minutes < 0 ? '-' : '+',
                minutes / 60, minutes % 60);
  return out + buffer.data();
}

/// ISO 8601 durations.
std::string duration_text(const IntervalYm& interval) {
  const std::int64_t months = std::abs(interval.months);
  return std::string(interval.months < 0 ? "-P" : "P") + std::to_string(months / 12) + "Y" +
         std::to_string(months % 12) + "M";
}

std::string duration_text(const IntervalDs& interval) {
  const bool negative = interval.seconds < 0 || interval.nanoseconds < 0;
  const std::int64_t seconds = std::abs(interval.seconds);
  std::array<char, 96> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%sP%lldDT%lldH%lldM%lld", negative ? "-" : "",
                static_cast<long long>(seconds / 86400),
                static_cast<long long>(seconds / 3600 % 24),
                static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  std::string out = buffer.data();
  if (interval.nanoseconds != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%09d", std::abs(interval.nanoseconds));
    out += buffer.data();
  }
  return out + "S";
}

class Printer {
 public:
  explicit Printer(bool pretty) : pretty_(pretty) {}

  std::string print(const Json& document) {
    append(document, 0);
    return std::move(out_);
  }

 private:
  void append(const Json& j, int depth) {
    if (j.shape == Json::Shape::kScalar) {
      const bool bare = std::holds_alternative<std::monostate>(j.scalar) ||
                        std::holds_alternative<bool>(j.scalar) ||
                        std::holds_alternative<Number>(j.scalar);
      if (bare) {
        out_ += json_scalar_text(j);
      } else if (const auto* wide = std::get_if<double>(&j.scalar)) {
        out_ += float_text(*wide);
      } else if (const auto* narrow = std::get_if<float>(&j.scalar)) {
        out_ += float_text(*narrow);
      } else {
        append_quoted(out_, json_scalar_text(j));
      }
      return;
    }
    const bool object = j.shape == Json::Shape::kObject;
    out_.push_back(object ? '{' : '[');
    for (std::size_t i = 0; i < j.items.size(); ++i) {
      if (i > 0) out_.push_back(',');
      new_line(depth + 1);
      if (object) {
        append_quoted(out_, j.names[i]);
        out_ += pretty_ ? " : " : ":";
      }
      append(j.items[i], depth + 1);
    }
    if (!j.items.empty()) new_line(depth);
    out_.push_back(object ? '}' : ']');
  }

  void new_line(int depth) {
    if (!pretty_) return;
    out_.push_back('\n');
    out_.append(static_cast<std::size_t>(depth) * 2, ' ');
  }

  bool pretty_;
  std::string out_;
};

struct ScalarText {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool b) const { return b ? "true" : "false"; }
  std::string operator()(const Number& n) const { return number_text(n); }
  std::string operator()(const std::string& s) const { return s; }
  std::string operator()(double d) const { return float_text(d); }
  std::string operator()(float f) const { return float_text(f); }
  std::string operator()(const JsonBinary& b) const { return hex(b.bytes); }
  std::string operator()(const JsonMoment& m) const { return moment_text(m); }
  std::string operator()(const IntervalYm& i) const { return duration_text(i); }
  std::string operator()(const IntervalDs& i) const { return duration_text(i); }
};

}  // namespace

const Json* Json::member(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

Json parse_json(std::string_view text, JsonSyntax syntax) {
  return JsonParser(text, syntax).document();
}

std::string json_text(const Json& document, bool pretty) {
  return Printer(pretty).print(document);
}

std::string json_scalar_text(const Json& scalar) {
  return std::visit(ScalarText{}, scalar.scalar);
}

}  // namespace orasim
