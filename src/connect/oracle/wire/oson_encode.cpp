// JSON text to OSON.
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/oson_layout.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {
namespace {

using namespace oson;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kMaxShortName = 255;
constexpr std::size_t kMaxLongName = 65535;

struct JsonNode {
  enum class Kind : std::uint8_t { kNull, kTrue, kFalse, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string content;  ///< text of a string, image of a number
  std::vector<std::string> names;
  std::vector<std::unique_ptr<JsonNode>> children;
};

/// Builds the tree from parser events; numbers come as they are written, so none is rounded.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  [[nodiscard]] const JsonNode& root() const { return *root_; }
  std::string problem;

  bool null() override { return put(JsonNode::Kind::kNull); }
  bool boolean(bool value) override {
    return put(value ? JsonNode::Kind::kTrue : JsonNode::Kind::kFalse);
  }
  bool number_integer(number_integer_t value) override { return put_number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return put_number(std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override { return put_number(text); }
  bool string(string_t& text) override { return put(JsonNode::Kind::kString, std::move(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(JsonNode::Kind::kObject); }
  bool key(string_t& name) override {
    if (name.size() > kMaxLongName) {
      problem = "a field name is longer than 65535 bytes";
      return false;
    }
    open_.back()->names.push_back(std::move(name));
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(JsonNode::Kind::kArray); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    problem = "the JSON text is wrong at byte " + std::to_string(position);
    return false;
  }

 private:
  JsonNode* add(JsonNode::Kind kind, std::string content) {
    auto node = std::make_unique<JsonNode>();
    node->kind = kind;
    node->content = std::move(content);
    JsonNode* const added = node.get();
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back()->children.push_back(std::move(node));
    }
    return added;
  }
  bool put(JsonNode::Kind kind, std::string content = {}) {
    add(kind, std::move(content));
    return true;
  }
  bool put_number(const std::string& text) {
    auto image = encode_number(text);
    if (!image) {
      problem = "the number " + text + " is out of the range of Oracle's NUMBER";
      return false;
    }
    return put(JsonNode::Kind::kNumber, *std::move(image));
  }
  bool open(JsonNode::Kind kind) {
    constexpr std::size_t kMaxLevels = 1024;
    if (open_.size() >= kMaxLevels) {
      problem = "the JSON text is nested deeper than 1024 levels";
      return false;
    }
    open_.push_back(add(kind, {}));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::unique_ptr<JsonNode> root_;
  std::vector<JsonNode*> open_;
};

std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 0x811C9DC5;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

void put_fixed(Writer& out, std::size_t value, int bytes) {
  if (bytes == 4) {
    out.u32(static_cast<std::uint32_t>(value));
  } else if (bytes == 2) {
    out.u16(static_cast<std::uint16_t>(value));
  } else {
    out.u8(static_cast<std::uint8_t>(value));
  }
}

/// Field names of one length class, in the order of their ids.
class NameSegment {
 public:
  NameSegment(std::uint32_t hash_mask, int length_bytes)
      : hash_mask_(hash_mask), length_bytes_(length_bytes) {}

  void add(const std::string& name) { ids_.emplace(Key{hash_of(name) & hash_mask_, name}, 0); }
  /// Servers look fields up by hash, so names lie in the order of theirs: of its low byte, also
  /// where two are stored.
  void number_from(std::uint32_t first) {
    for (auto& [key, id] : ids_) {
      id = first++;
      offsets_.push_back(segment_.size());
      put_fixed(segment_, key.name.size(), length_bytes_);
      segment_.raw(key.name);
    }
  }
  [[nodiscard]] std::uint32_t id_of(const std::string& name) const {
    return ids_.at(Key{hash_of(name) & hash_mask_, name});
  }
  [[nodiscard]] std::size_t count() const { return ids_.size(); }
  [[nodiscard]] std::size_t segment_bytes() const { return segment_.size(); }

  void write(Writer& out, int hash_bytes, int offset_bytes) const {
    for (const auto& [key, id] : ids_) put_fixed(out, key.hash, hash_bytes);
    for (const std::size_t offset : offsets_) put_fixed(out, offset, offset_bytes);
    out.raw(segment_.bytes());
  }

 private:
  struct Key {
    std::uint32_t hash;
    std::string name;
    bool operator<(const Key& other) const {
      const std::uint32_t a = hash & 0xFF, b = other.hash & 0xFF;
      if (a != b) return a < b;
      if (name.size() != other.name.size()) return name.size() < other.name.size();
      return name < other.name;
    }
  };
  std::uint32_t hash_mask_;
  int length_bytes_;
  std::map<Key, std::uint32_t> ids_;
  std::vector<std::size_t> offsets_;
  Writer segment_;
};

class Encoder {
 public:
  std::string encode(const JsonNode& root) {
    const bool is_scalar =
        root.kind != JsonNode::Kind::kArray && root.kind != JsonNode::Kind::kObject;
    collect(root);
    short_names_.number_from(1);
    long_names_.number_from(static_cast<std::uint32_t>(short_names_.count()) + 1);
    const std::size_t name_count = short_names_.count() + long_names_.count();
    id_bytes_ = name_count > 0xFFFF ? 4 : name_count > 0xFF ? 2 : 1;
    put_node(root);
    write_header(is_scalar);
    out_.raw(tree_);
    return std::string(text_of(out_.bytes()));
  }

 private:
  void collect(const JsonNode& node) {
    for (const std::string& name : node.names) {
      (name.size() > kMaxShortName ? long_names_ : short_names_).add(name);
    }
    for (const auto& child : node.children) collect(*child);
  }

  void write_header(bool is_scalar) {
    constexpr std::size_t kNarrow = 0xFFFF;
    const bool has_long = long_names_.count() != 0;
    const bool wide_names = short_names_.segment_bytes() > kNarrow;
    const bool wide_tree = tree_.size() > kNarrow;
    unsigned flags = kInlineLeaf;
    if (is_scalar) {
      flags |= kIsScalar;
    } else {
      flags |= kHashOneByte | kTinyNodeStatistics;
      if (id_bytes_ == 4) flags |= kWideFieldCount;
      if (id_bytes_ == 2) flags |= kMiddleFieldCount;
      if (wide_names) flags |= kWideNames;
    }
    if (wide_tree) flags |= kWideTree;
    out_.raw(ByteView(kMagic));
    out_.u8(has_long ? kVersionLongNames : kVersionShortNames);
    out_.u16(static_cast<std::uint16_t>(flags));
    if (is_scalar) return put_fixed(out_, tree_.size(), wide_tree ? 4 : 2);
    const int name_offset = wide_names ? 4 : 2;
    put_fixed(out_, short_names_.count(), id_bytes_);
    put_fixed(out_, short_names_.segment_bytes(), name_offset);
    const bool narrow_long = long_names_.segment_bytes() <= kNarrow;
    if (has_long) {
      out_.u16(narrow_long ? kNarrowLongNames : 0);
      out_.u32(static_cast<std::uint32_t>(long_names_.count()));
      out_.u32(static_cast<std::uint32_t>(long_names_.segment_bytes()));
    }
    put_fixed(out_, tree_.size(), wide_tree ? 4 : 2);
    out_.u16(0);  // tiny nodes
    short_names_.write(out_, 1, name_offset);
    if (has_long) long_names_.write(out_, 2, narrow_long ? 2 : 4);
  }

  void put_node(const JsonNode& node) {
    switch (node.kind) {
      case JsonNode::Kind::kNull:
        return put_type(Node::kNull);
      case JsonNode::Kind::kTrue:
        return put_type(Node::kTrue);
      case JsonNode::Kind::kFalse:
        return put_type(Node::kFalse);
      case JsonNode::Kind::kNumber:
        put_type(Node::kNumber);
        put(node.content.size(), 1);
        return put_bytes(node.content);
      case JsonNode::Kind::kString:
        return put_string(node.content);
      default:
        return put_container(node);
    }
  }

  void put_string(const std::string& text) {
    const int width = text.size() > 0xFFFF ? 4 : text.size() > 0xFF ? 2 : 1;
    put_type(width == 4 ? Node::kString32 : width == 2 ? Node::kString16 : Node::kString8);
    put(text.size(), width);
    put_bytes(text);
  }

  /// Children lie behind their container, which holds their places in the tree.
  void put_container(const JsonNode& node) {
    const bool is_object = node.kind == JsonNode::Kind::kObject;
    const std::size_t count = node.children.size();
    const int count_bytes = count > 0xFFFF ? 4 : count > 0xFF ? 2 : 1;
    unsigned type = (is_object ? kObjectNode : kArrayNode) | kWideOffsets;
    type |= count_bytes == 4 ? kCountU32 : count_bytes == 2 ? kCountU16 : kCountU8;
    tree_.push_back(static_cast<std::uint8_t>(type));
    put(count, count_bytes);
    for (const std::string& name : node.names) {
      const NameSegment& segment = name.size() > kMaxShortName ? long_names_ : short_names_;
      put(segment.id_of(name), id_bytes_);
    }
    std::size_t place = tree_.size();
    tree_.resize(tree_.size() + 4 * count);
    for (const auto& child : node.children) {
      const std::size_t offset = tree_.size();
      for (int shift = 24; shift >= 0; shift -= 8) {
        tree_[place++] = static_cast<std::uint8_t>(offset >> shift);
      }
      put_node(*child);
    }
  }

  void put_type(Node type) { tree_.push_back(static_cast<std::uint8_t>(type)); }
  void put(std::size_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      tree_.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  }
  void put_bytes(std::string_view bytes) { tree_.insert(tree_.end(), bytes.begin(), bytes.end()); }

  NameSegment short_names_{0xFF, 1};
  NameSegment long_names_{0xFFFF, 2};
  int id_bytes_ = 1;
  Bytes tree_;
  Writer out_;
};

}  // namespace

std::optional<std::string> json_to_oson(std::string_view json, std::string& problem) {
  TreeBuilder tree;
  if (!nlohmann::json::sax_parse(json, &tree)) {
    problem = tree.problem.empty() ? "the JSON text is wrong" : tree.problem;
    return std::nullopt;
  }
  return Encoder().encode(tree.root());
}

}  // namespace wherry::oracle::wire
