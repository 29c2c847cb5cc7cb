#include "exec/type_shape.h"

#include <algorithm>
#include <utility>

#include "engine/images.h"
#include "exec/errors.h"
#include "exec/types.h"

namespace orasim {
namespace {

enum class Code : std::uint8_t {
  kChar = 1,
  kDate = 2,
  kFloat = 5,
  kNumber = 6,
  kVarchar = 7,
  kBoolean = 8,
  kRaw = 19,
  kTimestamp = 21,
  kTimestampTz = 23,
  kObject = 27,
  kCollection = 28,
  kClob = 29,
  kBlob = 30,
  kTimestampLtz = 33,
  kBinaryFloat = 37,
  kStartEmbedded = 39,
  kEndEmbedded = 40,
  kBinaryDouble = 45,
};

constexpr std::size_t kHeadBytes = 18;

void put(std::string& out, Code code) {
  append_be(out, static_cast<std::uint8_t>(code), 1);
}

void put_text(std::string& out, const DataType& t) {
  constexpr std::uint16_t kUtf8 = 873, kUtf16 = 2000;
  put(out, t.type == Type::kChar ? Code::kChar : Code::kVarchar);
  append_be(out, std::min<std::uint32_t>(t.size_bytes, 0xFFFF), 2);
  append_be(out, t.national ? 2 : 1, 1);
  append_be(out, t.national ? kUtf16 : kUtf8, 2);
}

void put_attributes(std::string& out, const ObjectType& type);

void put_type(std::string& out, const DataType& t) {
  switch (t.type) {
    case Type::kVarchar2:
    case Type::kChar:
      return put_text(out, t);
    case Type::kNumber:
      put(out, t.is_float ? Code::kFloat : Code::kNumber);
      append_be(out, static_cast<std::uint8_t>(t.precision), 1);
      if (!t.is_float) {
        constexpr std::int16_t kNoScale = -127;
        append_be(out, static_cast<std::uint8_t>(t.has_scale ? t.scale : kNoScale), 1);
      }
      return;
    case Type::kRaw:
      put(out, Code::kRaw);
      return append_be(out, t.size_bytes, 2);
    case Type::kDate:
      return put(out, Code::kDate);
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
      put(out, t.type == Type::kTimestamp     ? Code::kTimestamp
               : t.type == Type::kTimestampTz ? Code::kTimestampTz
                                              : Code::kTimestampLtz);
      return append_be(out, static_cast<std::uint8_t>(t.scale), 1);
    case Type::kBinaryFloat:
      return put(out, Code::kBinaryFloat);
    case Type::kBinaryDouble:
      return put(out, Code::kBinaryDouble);
    case Type::kBoolean:
      return put(out, Code::kBoolean);
    case Type::kClob:
      return put(out, Code::kClob);
    case Type::kBlob:
      return put(out, Code::kBlob);
    case Type::kObject:
      if (t.object->kind == ObjectType::Kind::kObject) {
        put(out, Code::kStartEmbedded);
        put_attributes(out, *t.object);
        return put(out, Code::kEndEmbedded);
      }
      put(out, Code::kObject);
      out.append(5, '\0');  // where its own segment would be
      return;
    default:
      raise_text(3001, "unimplemented feature");
  }
}

void put_attributes(std::string& out, const ObjectType& type) {
  for (const ObjectType::Attribute& a : type.attributes) put_type(out, a.type);
}

void put_collection(std::string& out, const ObjectType& type) {
  constexpr std::uint8_t kNestedTable = 2, kVarray = 3;
  constexpr std::size_t kDescription = 10;  // code, where the element is, limit, kind
  const bool varray = type.kind == ObjectType::Kind::kVarray;
  put(out, Code::kCollection);
  append_be(out, kHeadBytes + kDescription, 4);
  append_be(out, varray ? type.limit : 0, 4);
  append_be(out, varray ? kVarray : kNestedTable, 1);
  put_type(out, type.attributes.front().type);
}

/// As the dictionary views of types name it.
std::string type_name(const DataType& t) {
  switch (t.type) {
    case Type::kVarchar2:
      return t.national ? "NVARCHAR2" : "VARCHAR2";
    case Type::kChar:
      return t.national ? "NCHAR" : "CHAR";
    case Type::kNumber:
      return t.is_float ? "FLOAT" : "NUMBER";
    case Type::kRaw:
      return "RAW";
    case Type::kTimestampTz:
      return "TIMESTAMP WITH TZ";
    case Type::kTimestampLtz:
      return "TIMESTAMP WITH LOCAL TZ";
    case Type::kObject:
      return t.object->name;
    default:
      return type_word(t.type, t.national);
  }
}

class ShapeRows final : public RowStream {
 public:
  explicit ShapeRows(const ObjectType& type) {
    if (type.kind != ObjectType::Kind::kObject) return;
    std::int64_t number = 0;
    for (const ObjectType::Attribute& a : type.attributes) {
      const ObjectType* of = a.type.object.get();
      rows_.push_back({make_int(1), make_text(a.name), make_int(++number),
                       make_text(type_name(a.type)), make_text(of == nullptr ? "" : of->owner),
                       make_null(Type::kVarchar2),
                       make_text(of == nullptr ? "" : of->oid, Type::kRaw), make_text("YES"),
                       make_null(Type::kVarchar2), make_null(Type::kVarchar2)});
    }
  }
  bool next(Row& row) override {
    if (at_ == rows_.size()) return false;
    row = rows_[at_++];
    return true;
  }

 private:
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

}  // namespace

std::string type_segment(const ObjectType& type) {
  const bool collection = type.kind != ObjectType::Kind::kObject;
  std::string body;
  if (collection) {
    put_collection(body, type);
  } else {
    put_attributes(body, type);
  }
  // python-oracledb 1.x looks for a first attribute also where there is none.
  constexpr std::uint8_t kMarker = 43;
  if (body.empty()) append_be(body, kMarker, 1);
  std::string out;
  append_be(out, kHeadBytes + body.size(), 4);
  append_be(out, 0x2601, 2);  // version
  append_be(out, 0, 2);
  append_be(out, collection ? 1 : type.attributes.size(), 2);
  append_be(out, 0, 1);
  append_be(out, 0x29, 1);  // the type begins
  append_be(out, 0, 2);
  append_be(out, kHeadBytes + body.size(), 4);  // no index behind it
  return out + body;
}

CursorRef attribute_cursor(const ObjectType& type) {
  const auto column = [](const char* name, DataType t) { return ColumnInfo{name, t, true}; };
  const DataType text = text_type(Type::kVarchar2, 128, false, false);
  DataType raw = simple_type(Type::kRaw);
  raw.size_bytes = 16;
  auto cursor = std::make_shared<OpenCursor>();
  cursor->columns = {column("CURSOR_VERSION", plain_number()),
                     column("ATTR_NAME", text),
                     column("ATTR_NUM", plain_number()),
                     column("ATTR_TYPE_NAME", text),
                     column("ATTR_TYPE_OWNER", text),
                     column("ATTR_TYPE_PACKAGE", text),
                     column("ATTR_TYPE_OID", raw),
                     column("ATTR_INSTANTIABLE", text),
                     column("ATTR_SUPER_TYPE_OWNER", text),
                     column("ATTR_SUPER_TYPE_NAME", text)};
  cursor->rows = std::make_unique<ShapeRows>(type);
  return cursor;
}

}  // namespace orasim
