// OSON to JSON text.
#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <vector>

#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/oson_layout.h"
#include "connect/oracle/wire/sortable.h"
#include "connect/oracle/wire/vector_image.h"
#include "core/civil_time.h"

namespace wherry::oracle::wire {
namespace {

using namespace oson;  // NOLINT(google-build-using-namespace)

/// Deeper than Oracle lets documents be (1024), and still little of the stack.
constexpr int kMaxDepth = 1100;
constexpr std::int64_t kMicrosAMinute = 60'000'000;
/// Nodes may be shared, so that a small image could print without end; real ones are far below.
std::size_t max_text_bytes(std::size_t image_bytes) {
  return 1024 * 1024 + 32 * image_bytes;
}

std::uint32_t fixed(Reader& in, int bytes) {
  return bytes == 4 ? in.u32() : bytes == 2 ? in.u16() : in.u8();
}

/// Length of the UTF-8 character at the start of `text`; 0: it is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned head = byte(0);
  if (head < 0x80) return 1;
  const std::size_t size = head >= 0xF0 ? 4 : head >= 0xE0 ? 3 : 2;
  if (head < 0xC2 || head > 0xF4) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  if (head == 0xE0 && second < 0xA0) return 0;
  if (head == 0xED && second > 0x9F) return 0;  // surrogates
  if (head == 0xF0 && second < 0x90) return 0;
  if (head == 0xF4 && second > 0x8F) return 0;
  return size;
}

bool append_quoted(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t size = character_bytes(text);
    if (size == 0) return false;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  out += '"';
  return true;
}

class Printer {
 public:
  Printer(ByteView image, std::string& out) : image_(image), in_(image), out_(out) {}

  ValueStatus print() {
    if (in_.u8() != kMagic[0] || in_.u8() != kMagic[1] || in_.u8() != kMagic[2]) {
      return ValueStatus::kMalformed;
    }
    version_ = in_.u8();
    if (version_ != kVersionShortNames && version_ != kVersionLongNames) {
      return ValueStatus::kMalformed;
    }
    flags_ = in_.u16();
    if (has(kIsScalar)) {
      fixed(in_, has(kWideTree) ? 4 : 2);
    } else {
      read_names();
    }
    if (!in_.ok()) return ValueStatus::kMalformed;
    tree_ = in_.rest();
    node(0, 0);
    return status_;
  }

 private:
  [[nodiscard]] bool has(unsigned flag) const { return (flags_ & flag) != 0; }
  void fail(ValueStatus status) {
    if (status_ == ValueStatus::kOk) status_ = status;
  }
  [[nodiscard]] bool failed() const { return status_ != ValueStatus::kOk; }

  void read_names() {
    id_bytes_ = has(kWideFieldCount) ? 4 : has(kMiddleFieldCount) ? 2 : 1;
    const int segment_size = has(kWideNames) ? 4 : 2;
    const std::uint32_t short_count = fixed(in_, id_bytes_);
    const std::uint32_t short_bytes = fixed(in_, segment_size);
    std::uint32_t long_count = 0, long_bytes = 0;
    int long_offset = 4;
    if (version_ == kVersionLongNames) {
      if ((in_.u16() & kNarrowLongNames) != 0) long_offset = 2;
      long_count = in_.u32();
      long_bytes = in_.u32();
    }
    fixed(in_, has(kWideTree) ? 4 : 2);
    in_.u16();
    read_segment(short_count, 1, segment_size, short_bytes, 1);
    read_segment(long_count, 2, long_offset, long_bytes, 2);
  }

  void read_segment(std::uint32_t count, std::size_t hash_bytes, int offset_bytes,
                    std::uint32_t segment_bytes, int length_bytes) {
    in_.skip(std::size_t{count} * hash_bytes);
    Reader offsets(in_.raw(std::size_t{count} * static_cast<std::size_t>(offset_bytes)));
    const ByteView segment = in_.raw(segment_bytes);
    for (std::uint32_t i = 0; i < count && in_.ok() && !failed(); ++i) {
      Reader name(segment);
      name.skip(fixed(offsets, offset_bytes));
      names_.push_back(text_of(name.raw(fixed(name, length_bytes))));
      if (!name.ok()) fail(ValueStatus::kMalformed);
    }
  }

  void node(std::size_t offset, int depth) {
    if (failed()) return;
    if (depth > kMaxDepth || offset >= tree_.size()) return fail(ValueStatus::kMalformed);
    if (out_.size() > max_text_bytes(image_.size())) return fail(ValueStatus::kTooLarge);
    Reader in(tree_.subspan(offset));
    const unsigned type = in.u8();
    if ((type & kContainer) != 0) {
      container(in, type, offset, depth);
    } else {
      scalar(in, type);
    }
    if (!in.ok()) fail(ValueStatus::kMalformed);
  }

  static std::uint32_t child_count(Reader& in, unsigned type) {
    const unsigned width = type & kCountMask;
    return fixed(in, width == kCountU8 ? 1 : width == kCountU16 ? 2 : 4);
  }

  void container(Reader& in, unsigned type, std::size_t offset, int depth) {
    const bool is_array = (type & kArrayBit) != 0;
    const int offset_bytes = (type & kWideOffsets) != 0 ? 4 : 2;
    std::uint32_t count = 0;
    Reader ids(ByteView{});
    if (!is_array && (type & kCountMask) == kSharedFields) {
      const std::uint32_t donor = fixed(in, offset_bytes);
      if (donor >= tree_.size()) return fail(ValueStatus::kMalformed);
      ids = Reader(tree_.subspan(donor));
      const unsigned donor_type = ids.u8();
      count = child_count(ids, donor_type);
    } else {
      count = child_count(in, type);
      if (!is_array) ids = Reader(in.raw(std::size_t{count} * static_cast<std::size_t>(id_bytes_)));
    }
    out_ += is_array ? '[' : '{';
    for (std::uint32_t i = 0; i < count && in.ok() && !failed(); ++i) {
      if (i != 0) out_ += ',';
      if (!is_array) name(ids);
      const std::size_t child = fixed(in, offset_bytes);
      if (in.ok()) node(has(kRelativeOffsets) ? offset + child : child, depth + 1);
    }
    out_ += is_array ? ']' : '}';
  }

  void name(Reader& ids) {
    const std::uint32_t id = fixed(ids, id_bytes_);
    if (!ids.ok() || id == 0 || id > names_.size()) return fail(ValueStatus::kMalformed);
    quoted(names_[id - 1]);
    out_ += ':';
  }

  void quoted(std::string_view text) {
    if (!append_quoted(text, out_)) fail(ValueStatus::kBadUtf8);
  }

  void scalar(Reader& in, unsigned type) {
    if (type <= kMaxShortString) return quoted(text_of(in.raw(type)));
    const unsigned high = type & 0xF0;
    if (high == 0x20 || high == 0x60) return number(in.raw((type & 15) + 1));
    if (high == 0x40 || high == 0x50) return number(in.raw(type & 15));
    switch (static_cast<Node>(type)) {
      case Node::kNull:
        out_ += "null";
        return;
      case Node::kTrue:
        out_ += "true";
        return;
      case Node::kFalse:
        out_ += "false";
        return;
      case Node::kString8:
        return quoted(text_of(in.raw(in.u8())));
      case Node::kString16:
        return quoted(text_of(in.raw(in.u16())));
      case Node::kString32:
        return quoted(text_of(in.raw(in.u32())));
      case Node::kNumber:
        return number(in.raw(in.u8()));
      case Node::kDouble:
        return binary_float<double>(in.raw(8));
      case Node::kFloat:
        return binary_float<float>(in.raw(4));
      case Node::kBinary16:
        return hex(in.raw(in.u16()));
      case Node::kBinary32:
        return hex(in.raw(in.u32()));
      case Node::kId:
        return hex(in.raw(in.u8()));
      case Node::kTimestamp:
        return moment(in.raw(11), false);
      case Node::kDate:
      case Node::kTimestamp7:
        return moment(in.raw(7), false);
      case Node::kTimestampTz:
        return moment(in.raw(13), true);
      case Node::kIntervalYm:
        return months(in.raw(5));
      case Node::kIntervalDs:
        return seconds(in.raw(11));
      case Node::kExtended:
        return extended(in);
    }
    fail(ValueStatus::kMalformed);
  }

  void number(ByteView image) {
    arena_.reset();
    const DecimalView* decimal = nullptr;
    const ValueStatus status = decode_number(image, arena_, decimal);
    if (status != ValueStatus::kOk) return fail(status);
    const bool is_finite =
        decimal->sign == DecimalSign::kPositive || decimal->sign == DecimalSign::kNegative;
    const std::string text = to_text(*decimal);
    out_ += is_finite ? text : '"' + text + '"';
  }

  template <class Float>
  void binary_float(ByteView image) {
    Float value{};
    if (!from_sortable(image, value)) return;  // cut off: the reader tells
    if (std::isnan(value)) {
      out_ += "\"NaN\"";
    } else if (std::isinf(value)) {
      out_ += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
    } else {
      fmt::format_to(std::back_inserter(out_), "{}", value);
    }
  }

  void hex(ByteView bytes) {
    out_ += '"';
    for (const std::uint8_t byte : bytes) {
      fmt::format_to(std::back_inserter(out_), "{:02X}", unsigned{byte});
    }
    out_ += '"';
  }

  void moment(ByteView image, bool is_zoned) {
    if (image.empty()) return;
    Instant instant;
    const ValueStatus status = decode_datetime(image, instant);
    if (status != ValueStatus::kOk) return fail(status);
    int offset_minutes = 0;
    if (is_zoned) {
      const ZoneField zone = decode_zone(image[11], image[12]);
      // A region has no place in ISO 8601; the moment itself is in UTC.
      if (zone.kind == ZoneField::Kind::kOffset) offset_minutes = zone.offset_minutes;
      if (!zone.is_local) instant.micros += offset_minutes * kMicrosAMinute;
    }
    const bool has_fraction = instant.micros % 1'000'000 != 0 || instant.nanos != 0;
    std::string text = timestamp_text(instant.micros, instant.nanos, has_fraction ? 9 : 0);
    if (const std::size_t blank = text.find(' '); blank != text.npos) text[blank] = 'T';
    if (has_fraction && text.find("BC") == text.npos) text.erase(text.find_last_not_of('0') + 1);
    if (is_zoned) text += offset_minutes == 0 ? "Z" : offset_text(offset_minutes);
    quoted(text);
  }

  void months(ByteView image) {
    std::int64_t count = 0;
    const ValueStatus status = decode_interval_ym(image, count);
    if (status != ValueStatus::kOk) return fail(status);
    const std::int64_t magnitude = count < 0 ? -count : count;
    fmt::format_to(std::back_inserter(out_), "\"{}P{}Y{}M\"", count < 0 ? "-" : "", magnitude / 12,
                   magnitude % 12);
  }

  void seconds(ByteView image) {
    std::int64_t count = 0;
    std::int32_t nanos = 0;
    const ValueStatus status = decode_interval_ds(image, count, nanos);
    if (status != ValueStatus::kOk) return fail(status);
    const bool is_negative = count < 0 || nanos < 0;
    const std::int64_t s = is_negative ? -count : count;
    std::string fraction = nanos == 0 ? "" : fmt::format(".{:09}", is_negative ? -nanos : nanos);
    if (nanos != 0) fraction.erase(fraction.find_last_not_of('0') + 1);
    fmt::format_to(std::back_inserter(out_), "\"{}P{}DT{}H{}M{}{}S\"", is_negative ? "-" : "",
                   s / 86400, s / 3600 % 24, s / 60 % 60, s % 60, fraction);
  }

  void extended(Reader& in) {
    constexpr std::uint8_t kVector = 1;
    if (in.u8() != kVector) return fail(ValueStatus::kMalformed);
    const ValueStatus status = vector_to_text(in.raw(in.u32()), out_);
    if (status != ValueStatus::kOk) fail(status);
  }

  ByteView image_;
  Reader in_;
  std::string& out_;
  ByteView tree_;
  std::vector<std::string_view> names_;
  Arena arena_;
  unsigned flags_ = 0;
  int id_bytes_ = 1;
  std::uint8_t version_ = 0;
  ValueStatus status_ = ValueStatus::kOk;
};

}  // namespace

ValueStatus oson_to_json(ByteView image, std::string& out) {
  return Printer(image, out).print();
}

}  // namespace wherry::oracle::wire
