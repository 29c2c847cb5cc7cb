#include "engine/object_image.h"

#include "engine/error.h"
#include "engine/images.h"

namespace orasim {
namespace {

constexpr std::uint8_t kVersion81 = 0x80, kCollection = 0x08, kNoPrefix = 0x04;
constexpr std::uint8_t kImageVersion = 1;
constexpr std::uint8_t kLongLength = 254, kNullObject = 0xFD, kNullAtom = 0xFF;
constexpr std::size_t kMaxShort = 245;

bool is_collection(const ObjectType& t) {
  return t.kind != ObjectType::Kind::kObject;
}

void append_length(std::string& out, std::size_t size) {
  if (size <= kMaxShort) return append_be(out, size, 1);
  append_be(out, kLongLength, 1);
  append_be(out, size, 4);
}

std::size_t read_length(ImageReader& in) {
  const std::uint8_t first = in.u8();
  return first == kLongLength ? in.u32() : first;
}

/// UTF-8 to UTF-16BE and back, for the national types.
std::string wide(std::string_view utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    std::uint32_t code = more == 0 ? lead : lead & (0x3FU >> more);
    for (int k = 0; k < more && i + 1 < utf8.size(); ++k) {
      code = code << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3FU);
    }
    ++i;
    if (code >= 0x10000) {
      append_be(out, 0xD800 + ((code - 0x10000) >> 10), 2);
      code = 0xDC00 + ((code - 0x10000) & 0x3FF);
    }
    append_be(out, code, 2);
  }
  return out;
}

std::string content_of(const Value& v) {
  std::string out;
  switch (v.type) {
    case Type::kNumber: {
      const auto bytes = v.number().bytes();
      return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    case Type::kDate:
    case Type::kTimestamp:
    case Type::kTimestampTz:
      append_moment(out, v.type, v.date_time());
      return out;
    case Type::kTimestampLtz:
      append_moment(out, Type::kTimestamp, v.date_time());
      return out;
    case Type::kIntervalYm:
      append_interval(out, std::get<IntervalYm>(v.data));
      return out;
    case Type::kIntervalDs:
      append_interval(out, std::get<IntervalDs>(v.data));
      return out;
    case Type::kBinaryFloat:
      append_float(out, std::get<float>(v.data));
      return out;
    case Type::kBinaryDouble:
      append_double(out, std::get<double>(v.data));
      return out;
    case Type::kBoolean:
      append_be(out, std::get<bool>(v.data) ? 1 : 0, 4);
      return out;
    default:
      break;
  }
  if (is_lob_payload(v.type)) return v.lob()->data;
  if (const auto* text = std::get_if<std::string>(&v.data)) return v.national ? wide(*text) : *text;
  throw OraError(932, "inconsistent datatypes: a value of this type cannot be part of an object");
}

Value from_content(const DataType& t, std::string_view content) {
  switch (t.type) {
    case Type::kNumber: {
      const auto n = Number::from_bytes(
          {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
      if (!n) throw ImageReader::Short{};
      return make_number(*n);
    }
    case Type::kDate:
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
      return Value{t.type, false, moment_of(content)};
    case Type::kIntervalYm:
      return Value{t.type, false, interval_ym_of(content)};
    case Type::kIntervalDs:
      return Value{t.type, false, interval_ds_of(content)};
    case Type::kBinaryFloat:
      return Value{t.type, false, float_of(content)};
    case Type::kBinaryDouble:
      return Value{t.type, false, double_of(content)};
    case Type::kBoolean:
      return Value{t.type, false, ImageReader(content).be(4) != 0};
    default:
      break;
  }
  if (is_lob_payload(t.type)) return make_lob(std::string(content), t.type, t.national);
  if (!t.national) return make_text(std::string(content), t.type);
  std::string utf8;
  ImageReader in(content);
  while (in.left() >= 2) {
    std::uint32_t code = in.u16();
    if (code >= 0xD800 && code < 0xDC00 && in.left() >= 2) {
      code = 0x10000 + ((code - 0xD800) << 10) + (in.u16() - 0xDC00U);
    }
    if (code < 0x80) {
      utf8.push_back(static_cast<char>(code));
      continue;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr unsigned kLeads[] = {0, 0xC0, 0xE0, 0xF0};
    utf8.push_back(static_cast<char>(kLeads[more] | code >> (6 * more)));
    for (int k = more - 1; k >= 0; --k) {
      utf8.push_back(static_cast<char>(0x80 | (code >> (6 * k) & 0x3F)));
    }
  }
  return make_text(std::move(utf8), t.type, true);
}

void append_body(std::string& out, const ObjectType& type, const Row& parts);

std::string image_of(const ObjectType& type, const Row& parts) {
  const bool collection = is_collection(type);
  std::string body;
  append_body(body, type, parts);
  std::string out;
  append_be(out, kVersion81 | (collection ? kCollection : kNoPrefix), 1);
  append_be(out, kImageVersion, 1);
  const std::size_t head = collection ? 9 : 7;
  append_be(out, kLongLength, 1);
  append_be(out, head + body.size(), 4);
  if (collection) {
    append_be(out, 1, 1);  // prefix segment: its length and what it holds
    append_be(out, 1, 1);
  }
  return out + body;
}

/// Objects among attributes have no head of their own; collections have, and so have elements.
bool is_embedded(const DataType& t, bool is_element) {
  return t.type == Type::kObject && !is_element && !is_collection(*t.object);
}

void append_part(std::string& out, const DataType& t, const Value& v, bool is_element) {
  const bool object = t.type == Type::kObject;
  const bool embedded = is_embedded(t, is_element);
  if (v.is_null()) return append_be(out, embedded ? kNullObject : kNullAtom, 1);
  if (embedded) return append_body(out, *t.object, object_parts(*t.object, v));
  const std::string content = object ? std::string(object_image(v)) : content_of(v);
  append_length(out, content.size());
  out += content;
}

void append_body(std::string& out, const ObjectType& type, const Row& parts) {
  if (is_collection(type)) {
    append_be(out, 0, 1);
    append_length(out, parts.size());
    for (const Value& v : parts) append_part(out, type.attributes.front().type, v, true);
    return;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    append_part(out, type.attributes[i].type, parts[i], false);
  }
}

Value read_part(ImageReader& in, std::string_view image, const DataType& t, bool is_element) {
  ImageReader ahead(image, in.position());
  const std::uint8_t first = ahead.u8();
  const bool embedded = is_embedded(t, is_element);
  if (first == (embedded ? kNullObject : kNullAtom)) {
    in.u8();
    return Value{t.type, t.national, {}};
  }
  if (t.type != Type::kObject) return from_content(t, in.take(read_length(in)));
  if (!embedded) {
    const std::string_view content = in.take(read_length(in));
    return make_lob(t.object->oid + std::string(content), Type::kObject);
  }
  Row parts;
  for (const ObjectType::Attribute& a : t.object->attributes) {
    parts.push_back(read_part(in, image, a.type, false));
  }
  return make_object(*t.object, parts);
}

Row read_image(std::string_view image, const ObjectType& type) {
  ImageReader in(image);
  const std::uint8_t flags = in.u8();
  in.u8();
  read_length(in);
  if ((flags & kNoPrefix) == 0) in.take(read_length(in));
  Row parts;
  if (is_collection(type)) {
    in.u8();
    const std::size_t count = read_length(in);
    if (count > in.left()) throw ImageReader::Short{};
    for (std::size_t i = 0; i < count; ++i) {
      parts.push_back(read_part(in, image, type.attributes.front().type, true));
    }
    return parts;
  }
  for (const ObjectType::Attribute& a : type.attributes) {
    parts.push_back(read_part(in, image, a.type, false));
  }
  return parts;
}

}  // namespace

const ObjectType& xml_object_type() {
  static const ObjectType kXmlType = [] {
    ObjectType t;
    t.owner = "SYS";
    t.name = "XMLTYPE";
    t.oid = std::string(kOidBytes - 2, '\0') + "\x02\x01";
    return t;
  }();
  return kXmlType;
}

Value make_object(const ObjectType& type, const Row& parts) {
  return make_lob(type.oid + image_of(type, parts), Type::kObject);
}

Row object_parts(const ObjectType& type, const Value& object) {
  try {
    return read_image(object_image(object), type);
  } catch (const ImageReader::Short&) {
    throw OraError(22814, "attribute or element value is larger than specified in type");
  }
}

std::string_view object_oid(const Value& object) {
  return std::string_view(object.lob()->data).substr(0, kOidBytes);
}

std::string_view object_image(const Value& object) {
  return std::string_view(object.lob()->data).substr(kOidBytes);
}

}  // namespace orasim
