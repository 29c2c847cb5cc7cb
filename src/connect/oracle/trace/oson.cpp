// JSON in Oracle's binary form, printed as JSON text.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/documents.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::trace {
namespace {

using wire::ByteView;
using wire::Reader;

// Header flags.
constexpr unsigned kRelativeOffsets = 0x0001;
constexpr unsigned kWideFieldCount = 0x0008;
constexpr unsigned kIsScalar = 0x0010;
constexpr unsigned kMiddleFieldCount = 0x0400;
constexpr unsigned kWideNames = 0x0800;
constexpr unsigned kWideTree = 0x1000;
constexpr unsigned kNarrowLongOffsets = 0x0100;  ///< second flags

// Container nodes.
constexpr unsigned kIsContainer = 0x80;
constexpr unsigned kIsArray = 0x40;
constexpr unsigned kWideOffsets = 0x20;
constexpr unsigned kCountMask = 0x18;
constexpr unsigned kSharedFields = 0x18;

constexpr int kMaxDepth = 200;
/// Nodes may be shared, so a small image could print without end; real ones do not come near this.
std::size_t max_text_bytes(std::size_t image_bytes) {
  return 1024 * 1024 + 32 * image_bytes;
}

std::string json_quoted(std::string_view bytes) {
  return nlohmann::json(std::string(bytes))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class OsonPrinter {
 public:
  explicit OsonPrinter(std::string_view image) : image_(wire::bytes_of(image)), in_(image_) {}

  std::optional<std::string> print() {
    if (in_.u8() != 0xFF || in_.u8() != 0x4A || in_.u8() != 0x5A) return std::nullopt;
    version_ = in_.u8();
    flags_ = in_.u16();
    if (has(kIsScalar)) {
      has(kWideTree) ? in_.u32() : in_.u16();
    } else {
      read_names();
    }
    if (!in_.ok()) return std::nullopt;
    tree_ = in_.rest();
    print_node(0, 0);
    if (failed_) return std::nullopt;
    return text_;
  }

 private:
  [[nodiscard]] bool has(unsigned flag) const { return (flags_ & flag) != 0; }

  void read_names() {
    id_bytes_ = has(kWideFieldCount) ? 4 : has(kMiddleFieldCount) ? 2 : 1;
    const std::uint32_t short_count = unsigned_of(in_, id_bytes_);
    const std::uint32_t short_bytes = has(kWideNames) ? in_.u32() : in_.u16();
    std::uint32_t long_count = 0, long_bytes = 0;
    bool narrow_long_offsets = false;
    if (version_ == 3) {
      narrow_long_offsets = (in_.u16() & kNarrowLongOffsets) != 0;
      long_count = in_.u32();
      long_bytes = in_.u32();
    }
    has(kWideTree) ? in_.u32() : in_.u16();
    in_.u16();
    read_segment(short_count, 1, has(kWideNames) ? 4 : 2, short_bytes, 1);
    read_segment(long_count, 2, narrow_long_offsets ? 2 : 4, long_bytes, 2);
  }

  void read_segment(std::uint32_t count, std::size_t hash_bytes, int offset_bytes,
                    std::uint32_t segment_bytes, int length_bytes) {
    in_.skip(std::size_t{count} * hash_bytes);
    const ByteView offsets = in_.raw(std::size_t{count} * static_cast<std::size_t>(offset_bytes));
    const ByteView segment = in_.raw(segment_bytes);
    Reader offset_reader(offsets);
    for (std::uint32_t i = 0; i < count && in_.ok() && !failed_; ++i) {
      Reader name(segment);
      name.skip(unsigned_of(offset_reader, offset_bytes));
      const ByteView bytes = name.raw(unsigned_of(name, length_bytes));
      failed_ = !name.ok();
      names_.emplace_back(wire::text_of(bytes));
    }
  }

  static std::uint32_t unsigned_of(Reader& in, int bytes) {
    return bytes == 4 ? in.u32() : bytes == 2 ? in.u16() : in.u8();
  }

  void fail() { failed_ = true; }

  void print_node(std::size_t offset, int depth) {
    if (failed_ || depth > kMaxDepth || offset >= tree_.size() ||
        text_.size() > max_text_bytes(image_.size())) {
      return fail();
    }
    Reader in(tree_.subspan(offset));
    const unsigned type = in.u8();
    if ((type & kIsContainer) != 0) {
      print_container(in, type, offset, depth);
    } else {
      print_scalar(in, type);
    }
    if (!in.ok()) fail();
  }

  /// Number of children of a container whose fields are its own.
  static std::uint32_t child_count(Reader& in, unsigned type) {
    switch (type & kCountMask) {
      case 0x00:
        return in.u8();
      case 0x08:
        return in.u16();
      default:
        return in.u32();
    }
  }

  void print_container(Reader& in, unsigned type, std::size_t offset, int depth) {
    const bool is_array = (type & kIsArray) != 0;
    const int offset_bytes = (type & kWideOffsets) != 0 ? 4 : 2;
    std::uint32_t count = 0;
    Reader ids(ByteView{});
    if ((type & kCountMask) == kSharedFields && !is_array) {
      const std::uint32_t donor = unsigned_of(in, offset_bytes);
      if (donor >= tree_.size()) return fail();
      ids = Reader(tree_.subspan(donor));
      const unsigned donor_type = ids.u8();
      count = child_count(ids, donor_type);
    } else {
      count = child_count(in, type);
      if (!is_array) ids = Reader(in.raw(std::size_t{count} * static_cast<std::size_t>(id_bytes_)));
    }
    text_ += is_array ? '[' : '{';
    for (std::uint32_t i = 0; i < count && in.ok() && !failed_; ++i) {
      if (i != 0) text_ += ',';
      if (!is_array) print_name(ids);
      const std::size_t child = unsigned_of(in, offset_bytes);
      if (in.ok()) print_node(has(kRelativeOffsets) ? offset + child : child, depth + 1);
    }
    text_ += is_array ? ']' : '}';
  }

  void print_name(Reader& ids) {
    const std::uint32_t id = unsigned_of(ids, id_bytes_);
    if (!ids.ok() || id == 0 || id > names_.size()) return fail();
    text_ += json_quoted(names_[id - 1]);
    text_ += ':';
  }

  void print_string(ByteView bytes) { text_ += json_quoted(wire::text_of(bytes)); }
  void print_hex(ByteView bytes) { text_ += '"' + hex_text(wire::text_of(bytes)) + '"'; }
  void print_plain(OracleType type, ByteView bytes) {
    text_ += printer_.print(type, wire::text_of(bytes));
  }
  void print_interval(OracleType type, ByteView bytes) {
    text_ += json_quoted(printer_.print(type, wire::text_of(bytes)));
  }
  void print_number(ByteView bytes) { print_plain(OracleType::kNumber, bytes); }

  /// ISO 8601, as JSON has it: a T between date and time, no blank before the zone.
  void print_time(OracleType type, ByteView bytes) {
    std::string time = printer_.print(type, wire::text_of(bytes));
    if (time.size() > 10 && time[10] == ' ') time[10] = 'T';
    const std::size_t blank = time.find(' ');
    if (blank != std::string::npos && time.rfind("invalid", 0) != 0) time.erase(blank, 1);
    text_ += json_quoted(time);
  }

  void print_scalar(Reader& in, unsigned type) {
    if (type <= 0x1F) return print_string(in.raw(type));
    const unsigned high = type & 0xF0;
    if (high == 0x20 || high == 0x60) return print_number(in.raw((type & 15) + 1));
    if (high == 0x40 || high == 0x50) return print_number(in.raw(type & 15));
    print_marked_scalar(in, type);
  }

  void print_marked_scalar(Reader& in, unsigned type) {
    switch (type) {
      case 0x30:
        text_ += "null";
        return;
      case 0x31:
        text_ += "true";
        return;
      case 0x32:
        text_ += "false";
        return;
      case 0x33:
        return print_string(in.raw(in.u8()));
      case 0x37:
        return print_string(in.raw(in.u16()));
      case 0x38:
        return print_string(in.raw(in.u32()));
      case 0x34:
        return print_number(in.raw(in.u8()));
      case 0x36:
        return print_plain(OracleType::kBinaryDouble, in.raw(8));
      case 0x7F:
        return print_plain(OracleType::kBinaryFloat, in.raw(4));
      case 0x39:
        return print_time(OracleType::kTimestamp, in.raw(11));
      case 0x3C:
      case 0x7D:
        return print_time(OracleType::kTimestamp, in.raw(7));
      case 0x7C:
        return print_time(OracleType::kTimestampTz, in.raw(13));
      case 0x3A:
        return print_hex(in.raw(in.u16()));
      case 0x3B:
        return print_hex(in.raw(in.u32()));
      case 0x3D:
        return print_interval(OracleType::kIntervalYm, in.raw(5));
      case 0x3E:
        return print_interval(OracleType::kIntervalDs, in.raw(11));
      case 0x7E:
        return print_hex(in.raw(in.u8()));
      case 0x7B:
        return print_extended(in);
      default:
        fail();
    }
  }

  void print_extended(Reader& in) {
    if (in.u8() != 1) return fail();
    text_ += vector_text(wire::text_of(in.raw(in.u32())));
  }

  ScalarPrinter printer_;
  ByteView image_;
  Reader in_;
  ByteView tree_;
  std::vector<std::string> names_;
  std::string text_;
  unsigned flags_ = 0;
  int id_bytes_ = 1;
  std::uint8_t version_ = 0;
  bool failed_ = false;
};

}  // namespace

std::string oson_text(std::string_view image) {
  return OsonPrinter(image).print().value_or("invalid " + hex_text(image));
}

}  // namespace wherry::oracle::trace
