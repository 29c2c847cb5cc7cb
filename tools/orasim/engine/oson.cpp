// OSON images. The encoder writes what fits smallest: short sizes where they do, field names once,
// and the name list of an object once for all objects that have the same.
#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "engine/error.h"
#include "engine/images.h"
#include "engine/json.h"

namespace orasim {
namespace {

constexpr std::string_view kMagic("\xFF\x4A\x5A", 3);
constexpr std::uint8_t kShortNames = 1, kLongNames = 3;

constexpr std::uint16_t kRelativeOffsets = 0x0001;
constexpr std::uint16_t kInlineLeaf = 0x0002;
constexpr std::uint16_t kLengthInNode = 0x0004;  // of a server's images, not of clients'
constexpr std::uint16_t kFieldCountU32 = 0x0008;
constexpr std::uint16_t kScalarDocument = 0x0010;
constexpr std::uint16_t kHashU8 = 0x0100;
constexpr std::uint16_t kFieldCountU16 = 0x0400;
constexpr std::uint16_t kNamesU32 = 0x0800;
constexpr std::uint16_t kTreeU32 = 0x1000;
constexpr std::uint16_t kTinyNodes = 0x2000;
constexpr std::uint16_t kLongOffsetsU16 = 0x0100;  // in the second flags

constexpr int kContainer = 0x80, kArray = 0x40, kOffsetsU32 = 0x20, kCounts = 0x18;
constexpr int kServerNode = 0x04;
constexpr int kCountU16 = 0x08, kCountU32 = 0x10, kShared = 0x18;

constexpr std::size_t kMaxShortName = 255, kMaxName = 65535;

/// FNV-1a, whose low bytes order the names.
std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 0x811C9DC5;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

/// The field names of a document: short ones, then long ones, each by hash.
class Names {
 public:
  void collect(const Json& j) {
    for (const std::string& name : j.names) {
      if (name.size() > kMaxName) throw OraError(40478, "output value too large");
      ids_.emplace(name, 0);
    }
    for (const Json& item : j.items) collect(item);
  }

  void number() {
    for (const auto& [name, id] : ids_)
      (name.size() > kMaxShortName ? long_ : short_).push_back(name);
    const auto key_of = [](std::string_view name) {
      return std::tuple(hash_of(name) & 0xFF, name.size(), name);
    };
    for (auto* list : {&short_, &long_}) {
      std::sort(list->begin(), list->end(),
                [&](std::string_view a, std::string_view b) { return key_of(a) < key_of(b); });
    }
    std::uint32_t next = 1;
    for (const auto* list : {&short_, &long_}) {
      for (const std::string_view name : *list) ids_.find(name)->second = next++;
    }
  }

  [[nodiscard]] std::uint32_t id(const std::string& name) const { return ids_.find(name)->second; }
  [[nodiscard]] std::size_t count() const { return ids_.size(); }
  [[nodiscard]] const std::vector<std::string_view>& short_names() const { return short_; }
  [[nodiscard]] const std::vector<std::string_view>& long_names() const { return long_; }

 private:
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  std::vector<std::string_view> short_, long_;
};

/// One group of names: hashes, offsets, and the segment they point into.
struct NameSegment {
  std::string hashes, offsets, names;

  NameSegment(const std::vector<std::string_view>& list, int bytes, bool wide) {
    for (const std::string_view name : list) {
      append_be(hashes, hash_of(name), bytes);
      append_be(offsets, names.size(), wide ? 4 : 2);
      append_be(names, name.size(), bytes);
      names += name;
    }
  }
  static bool is_wide(const std::vector<std::string_view>& list, int bytes) {
    std::size_t size = 0;
    for (const std::string_view name : list) size += name.size() + static_cast<std::size_t>(bytes);
    return size > 0xFFFF;
  }
};

class TreeWriter {
 public:
  TreeWriter(const Names& names, int id_bytes, bool wide)
      : names_(names), id_bytes_(id_bytes), offset_bytes_(wide ? 4 : 2) {}

  /// False: the offsets are too small for it.
  bool write(const Json& document) {
    node(document);
    return offset_bytes_ == 4 || tree.size() <= 0xFFFF;
  }

  std::string tree;

 private:
  void node(const Json& j) {
    if (j.shape == Json::Shape::kScalar) {
      std::visit([this](const auto& v) { scalar(v); }, j.scalar);
    } else {
      container(j);
    }
  }

  [[nodiscard]] int count_bytes(std::size_t n) const { return n > 0xFFFF ? 4 : n > 0xFF ? 2 : 1; }

  void container(const Json& j) {
    const bool object = j.shape == Json::Shape::kObject;
    const std::size_t n = j.items.size();
    // As wide as the field ids, which some readers take to have the width of the count.
    const int bytes = object ? std::max(count_bytes(n), id_bytes_) : count_bytes(n);
    const std::size_t start = tree.size();
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = i;
    std::string ids;
    if (object) {
      std::vector<std::uint32_t> id_of(n);
      for (std::size_t i = 0; i < n; ++i) id_of[i] = names_.id(j.names[i]);
      std::sort(order.begin(), order.end(),
                [&](std::size_t a, std::size_t b) { return id_of[a] < id_of[b]; });
      for (const std::size_t i : order) append_be(ids, id_of[i], id_bytes_);
    }
    int head =
        kContainer | kServerNode | (object ? 0 : kArray) | (offset_bytes_ == 4 ? kOffsetsU32 : 0);
    const auto known = n == 0 ? shared_.end() : shared_.find(ids);
    if (object && known != shared_.end()) {
      tree.push_back(static_cast<char>(head | kShared));
      append_be(tree, known->second, offset_bytes_);
    } else {
      head |= bytes == 4 ? kCountU32 : bytes == 2 ? kCountU16 : 0;
      tree.push_back(static_cast<char>(head));
      append_be(tree, n, bytes);
      tree += ids;
      if (object && n > 0) shared_.emplace(std::move(ids), start);
    }
    std::size_t slot = tree.size();
    tree.append(n * static_cast<std::size_t>(offset_bytes_), '\0');
    for (const std::size_t i : order) {
      std::string offset;
      append_be(offset, tree.size(), offset_bytes_);
      tree.replace(slot, offset.size(), offset);
      slot += offset.size();
      node(j.items[i]);
    }
  }

  void tagged(int tag, std::string_view bytes) {
    tree.push_back(static_cast<char>(tag));
    tree += bytes;
  }
  void sized(int tag, int length_bytes, std::string_view bytes) {
    tree.push_back(static_cast<char>(tag));
    append_be(tree, bytes.size(), length_bytes);
    tree += bytes;
  }

  void scalar(std::monostate) { tagged(0x30, {}); }
  void scalar(bool b) { tagged(b ? 0x31 : 0x32, {}); }
  void scalar(const std::string& s) {
    if (s.size() <= 0x1F) return tagged(static_cast<int>(s.size()), s);
    if (s.size() <= 0xFF) return sized(0x33, 1, s);
    s.size() <= 0xFFFF ? sized(0x37, 2, s) : sized(0x38, 4, s);
  }
  void scalar(const Number& n) {
    const auto image = n.bytes();
    const std::string_view bytes(reinterpret_cast<const char*>(image.data()), image.size());
    const auto size = static_cast<int>(bytes.size());
    if (n.to_int() && size < 16) return tagged(0x40 | size, bytes);
    size <= 16 ? tagged(0x20 | (size - 1), bytes) : sized(0x34, 1, bytes);
  }
  void scalar(double d) {
    tree.push_back(0x36);
    append_double(tree, d);
  }
  void scalar(float f) {
    tree.push_back(0x7F);
    append_float(tree, f);
  }
  void scalar(const JsonBinary& b) {
    if (b.is_id && b.bytes.size() <= 0xFF) return sized(0x7E, 1, b.bytes);
    b.bytes.size() <= 0xFFFF ? sized(0x3A, 2, b.bytes) : sized(0x3B, 4, b.bytes);
  }
  void scalar(const JsonMoment& m) {
    const bool short_form = m.type == Type::kTimestamp && m.value.nanosecond == 0;
    const int tag = m.type == Type::kDate          ? 0x3C
                    : m.type == Type::kTimestampTz ? 0x7C
                    : short_form                   ? 0x7D
                                                   : 0x39;
    tree.push_back(static_cast<char>(tag));
    append_moment(tree, short_form ? Type::kDate : m.type, m.value);
  }
  void scalar(const IntervalYm& i) {
    tree.push_back(0x3D);
    append_interval(tree, i);
  }
  void scalar(const IntervalDs& i) {
    tree.push_back(0x3E);
    append_interval(tree, i);
  }

  const Names& names_;
  int id_bytes_, offset_bytes_;
  std::unordered_map<std::string, std::size_t> shared_;  // field ids to the object that has them
};

std::string encode_scalar(const Json& document) {
  const Names none;
  TreeWriter writer(none, 1, true);
  writer.write(document);
  const bool wide = writer.tree.size() > 0xFFFF;
  std::string out(kMagic);
  append_be(out, kShortNames, 1);
  append_be(out, kInlineLeaf | kScalarDocument | (wide ? kTreeU32 : 0U), 2);
  append_be(out, writer.tree.size(), wide ? 4 : 2);
  return out + writer.tree;
}

// ---- reading ------------------------------------------------------------------------------------

constexpr int kMaxDepth = 1024;

class OsonReader {
 public:
  explicit OsonReader(std::string_view image) : in_(image), image_(image) {}

  Json document() {
    if (in_.take(3) != kMagic) throw ImageReader::Short{};
    const std::uint8_t version = in_.u8();
    if (version != kShortNames && version != kLongNames) throw ImageReader::Short{};
    flags_ = in_.u16();
    if ((flags_ & kScalarDocument) != 0) {
      in_.be(has(kTreeU32) ? 4 : 2);
      tree_ = image_.substr(in_.position());
      return node(0, 0);
    }
    id_bytes_ = has(kFieldCountU32) ? 4 : has(kFieldCountU16) ? 2 : 1;
    Group short_names{in_.be(id_bytes_), in_.be(has(kNamesU32) ? 4 : 2), 1, has(kNamesU32) ? 4 : 2};
    Group long_names;
    if (version == kLongNames) {
      const bool narrow = (in_.u16() & kLongOffsetsU16) != 0;
      long_names.count = in_.u32();
      long_names.bytes = in_.u32();
      long_names.length_bytes = 2;
      long_names.offset_bytes = narrow ? 2 : 4;
    }
    in_.be(has(kTreeU32) ? 4 : 2);
    in_.u16();
    read(short_names);
    read(long_names);
    tree_ = image_.substr(in_.position());
    return node(0, 0);
  }

 private:
  struct Group {
    std::uint64_t count = 0, bytes = 0;
    int length_bytes = 1, offset_bytes = 2;
  };

  [[nodiscard]] bool has(std::uint16_t flag) const { return (flags_ & flag) != 0; }

  void read(const Group& group) {
    in_.take(group.count * static_cast<std::size_t>(group.length_bytes));  // hashes
    const std::string_view offsets =
        in_.take(group.count * static_cast<std::size_t>(group.offset_bytes));
    const std::string_view names = in_.take(group.bytes);
    ImageReader at(offsets);
    for (std::uint64_t i = 0; i < group.count; ++i) {
      ImageReader name(names, at.be(group.offset_bytes));
      names_.emplace_back(name.take(name.be(group.length_bytes)));
    }
  }

  Json node(std::size_t at, int depth) {
    // Nodes of a tree take a byte each at least: more of them are a circle or shared branches.
    if (depth > kMaxDepth || ++nodes_ > image_.size()) throw ImageReader::Short{};
    ImageReader in(tree_, at);
    const int tag = in.u8();
    if ((tag & kContainer) != 0) return container(in, tag, at, depth);
    Json out;
    out.scalar = scalar(in, tag);
    return out;
  }

  Json container(ImageReader& in, int tag, std::size_t start, int depth) {
    Json out;
    const bool object = (tag & kArray) == 0;
    out.shape = object ? Json::Shape::kObject : Json::Shape::kArray;
    const int offset_bytes = (tag & kOffsetsU32) != 0 ? 4 : 2;
    std::uint64_t n = 0;
    if ((tag & kCounts) == kShared) {
      ImageReader other(tree_, in.be(offset_bytes));
      const int other_tag = other.u8();
      if (!object || (other_tag & kCounts) == kShared) throw ImageReader::Short{};
      n = fields(other, other_tag, out.names);
    } else if (object) {
      n = fields(in, tag, out.names);
    } else {
      n = count(in, tag);
    }
    if (n > in.left()) throw ImageReader::Short{};
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t where = in.be(offset_bytes) + (has(kRelativeOffsets) ? start : 0);
      out.items.push_back(node(where, depth + 1));
    }
    return out;
  }

  static std::uint64_t count(ImageReader& in, int tag) {
    const int bits = tag & kCounts;
    return in.be(bits == kCountU32 ? 4 : bits == kCountU16 ? 2 : 1);
  }

  std::uint64_t fields(ImageReader& in, int tag, std::vector<std::string>& names) const {
    const std::uint64_t n = count(in, tag);
    if (n > in.left()) throw ImageReader::Short{};
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t id = in.be(id_bytes_);
      if (id == 0 || id > names_.size()) throw ImageReader::Short{};
      names.push_back(names_[id - 1]);
    }
    return n;
  }

  static Json::Scalar number(std::string_view image) {
    const auto n =
        Number::from_bytes({reinterpret_cast<const std::uint8_t*>(image.data()), image.size()});
    if (!n) throw ImageReader::Short{};
    return *n;
  }

  static Json::Scalar scalar(ImageReader& in, int tag) {
    if (tag <= 0x1F) return std::string(in.take(static_cast<std::size_t>(tag)));
    const int family = tag & 0xF0;
    const auto low = static_cast<std::size_t>(tag & 0x0F);
    if (family == 0x20 || family == 0x60) return number(in.take(low + 1));
    if (family == 0x40 || family == 0x50) return number(in.take(low));
    switch (tag) {
      case 0x30:
        return std::monostate{};
      case 0x31:
        return true;
      case 0x32:
        return false;
      case 0x33:
        return std::string(in.take(in.u8()));
      case 0x34:
        return number(in.take(in.u8()));
      case 0x36:
        return double_of(in.take(8));
      case 0x37:
        return std::string(in.take(in.u16()));
      case 0x38:
        return std::string(in.take(in.u32()));
      case 0x39:
        return JsonMoment{Type::kTimestamp, moment_of(in.take(11))};
      case 0x3A:
        return JsonBinary{std::string(in.take(in.u16())), false};
      case 0x3B:
        return JsonBinary{std::string(in.take(in.u32())), false};
      case 0x3C:
        return JsonMoment{Type::kDate, moment_of(in.take(7))};
      case 0x3D:
        return interval_ym_of(in.take(5));
      case 0x3E:
        return interval_ds_of(in.take(11));
      case 0x7C:
        return JsonMoment{Type::kTimestampTz, moment_of(in.take(13))};
      case 0x7D:
        return JsonMoment{Type::kTimestamp, moment_of(in.take(7))};
      case 0x7E:
        return JsonBinary{std::string(in.take(in.u8())), true};
      case 0x7F:
        return float_of(in.take(4));
      default:
        throw ImageReader::Short{};
    }
  }

  ImageReader in_;
  std::string_view image_, tree_;
  std::uint16_t flags_ = 0;
  int id_bytes_ = 1;
  std::size_t nodes_ = 0;
  std::vector<std::string> names_;
};

}  // namespace

std::string encode_oson(const Json& document) {
  if (document.shape == Json::Shape::kScalar) return encode_scalar(document);
  Names names;
  names.collect(document);
  names.number();
  const bool long_names = !names.long_names().empty();
  const int id_bytes = names.count() > 0xFFFF ? 4 : names.count() > 0xFF ? 2 : 1;
  TreeWriter narrow(names, id_bytes, false), wide(names, id_bytes, true);
  const bool fits = narrow.write(document);
  if (!fits) wide.write(document);
  const std::string& tree = fits ? narrow.tree : wide.tree;

  const bool wide_names = NameSegment::is_wide(names.short_names(), 1);
  const NameSegment short_segment(names.short_names(), 1, wide_names);
  const bool wide_long = NameSegment::is_wide(names.long_names(), 2);
  const NameSegment long_segment(names.long_names(), 2, wide_long);
  const unsigned flags = kInlineLeaf | kLengthInNode | kHashU8 | kTinyNodes |
                         (id_bytes == 4   ? kFieldCountU32
                          : id_bytes == 2 ? kFieldCountU16
                                          : 0U) |
                         (wide_names ? kNamesU32 : 0U) | (fits ? 0U : kTreeU32);
  std::string out(kMagic);
  append_be(out, long_names ? kLongNames : kShortNames, 1);
  append_be(out, flags, 2);
  append_be(out, names.short_names().size(), id_bytes);
  append_be(out, short_segment.names.size(), wide_names ? 4 : 2);
  if (long_names) {
    append_be(out, wide_long ? 0U : kLongOffsetsU16, 2);
    append_be(out, names.long_names().size(), 4);
    append_be(out, long_segment.names.size(), 4);
  }
  append_be(out, tree.size(), fits ? 2 : 4);
  append_be(out, 0, 2);
  for (const NameSegment* segment : {&short_segment, &long_segment}) {
    out += segment->hashes + segment->offsets + segment->names;
  }
  return out + tree;
}

Json decode_oson(std::string_view image) {
  try {
    return OsonReader(image).document();
  } catch (const ImageReader::Short&) {
    throw OraError(40596, "error occurred in JSON processing jznEngine");
  }
}

bool is_oson(std::string_view bytes) {
  return bytes.starts_with(kMagic);
}

}  // namespace orasim
