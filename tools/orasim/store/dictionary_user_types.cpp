// TYPES, TYPE_ATTRS, COLL_TYPES, DIRECTORIES.
#include "engine/object_image.h"
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
using Code = CodeDef;

struct AttributeItem {
  const Code* code = nullptr;
  const ObjectType::Attribute* attribute = nullptr;
  std::int64_t number = 0;
};

/// What every database has of SYS.
const Code& xml_type() {
  static const Code kXmlType = [] {
    Code code;
    code.owner = "SYS";
    code.name = "XMLTYPE";
    code.kind = "TYPE";
    code.type = std::make_shared<const ObjectType>(xml_object_type());
    return code;
  }();
  return kXmlType;
}

void visit_types(const Context& c, const std::function<bool(const Code&)>& visit) {
  if (!visit(xml_type())) return;
  for (const auto& [key, code] : c.catalog.code) {
    if (code->kind == "TYPE" && !visit(*code)) return;
  }
}

bool is_collection(const Code& code) {
  return code.type && code.type->kind != ObjectType::Kind::kObject;
}

void visit_attributes(const Context& c, bool of_collections,
                      const std::function<bool(const AttributeItem&)>& visit) {
  for (const auto& [key, code] : c.catalog.code) {
    if (code->kind != "TYPE" || !code->type || is_collection(*code) != of_collections) continue;
    std::int64_t number = 0;
    for (const ObjectType::Attribute& a : code->type->attributes) {
      if (!visit({code.get(), &a, ++number})) return;
    }
  }
}

std::int64_t attribute_count(const Code& code) {
  return code.type && !is_collection(code) ? static_cast<std::int64_t>(code.type->attributes.size())
                                           : 0;
}

const DataType& type_of(const AttributeItem& i) {
  return i.attribute->type;
}

bool has_characters(const DataType& t) {
  return t.type == Type::kVarchar2 || t.type == Type::kChar;
}

Value length_of(const DataType& t) {
  const bool sized = has_characters(t) || t.type == Type::kRaw;
  return number_or_null(sized, data_length(t));
}

Value precision_of(const DataType& t) {
  return number_or_null(t.type == Type::kNumber && (t.has_precision || t.is_float), t.precision);
}

Value scale_of(const DataType& t) {
  const bool scaled = (t.type == Type::kNumber && t.has_scale && !t.is_float) ||
                      t.type == Type::kTimestamp || t.type == Type::kTimestampTz ||
                      t.type == Type::kTimestampLtz || t.type == Type::kIntervalDs;
  return number_or_null(scaled, t.scale);
}

Value owner_text(const DataType& t) {
  return t.object ? text(t.object->owner) : null();
}

Value character_set(const DataType& t) {
  if (!has_characters(t) && t.type != Type::kClob) return null();
  return text(t.national ? "NCHAR_CS" : "CHAR_CS");
}

template <class Get>
Column<AttributeItem> of_type(const char* name, Kind kind, Get get) {
  return {name, kind, [get](const AttributeItem& i, const Context&) { return get(type_of(i)); }};
}

std::string owner_of(const AttributeItem& i) {
  return i.code->owner;
}

ObjectName about(const AttributeItem& i) {
  return {i.code->owner, i.code->name};
}

void add_types(Registry& r) {
  r.add_family<Code>(
      "TYPES", visit_types,
      {text_of<Code>("OWNER", [](const Code& c) { return c.owner; }),
       text_of<Code>("TYPE_NAME", [](const Code& c) { return c.name; }),
       {"TYPE_OID", Kind::kRaw,
        [](const Code& c, const Context&) {
          return c.type ? make_text(c.type->oid, Type::kRaw) : make_null(Type::kRaw);
        }},
       text_of<Code>("TYPECODE",
                     [](const Code& c) { return is_collection(c) ? "COLLECTION" : "OBJECT"; }),
       number_of<Code>("ATTRIBUTES", attribute_count),
       fixed_number<Code>("METHODS", 0),
       fixed<Code>("PREDEFINED", "NO"),
       text_of<Code>("INCOMPLETE", [](const Code& c) { return c.type ? "NO" : "YES"; }),
       fixed<Code>("FINAL", "YES"),
       fixed<Code>("INSTANTIABLE", "YES"),
       fixed<Code>("PERSISTABLE", "YES"),
       empty<Code>("SUPERTYPE_OWNER", Kind::kText),
       empty<Code>("SUPERTYPE_NAME", Kind::kText),
       empty<Code>("LOCAL_ATTRIBUTES", Kind::kNumber),
       empty<Code>("LOCAL_METHODS", Kind::kNumber)},
      [](const Code& c) { return c.owner; }, {"OWNER"},
      [](const Code& c) {
        // Types of SYS are everybody's.
        return ObjectName{c.owner == "SYS" ? "PUBLIC" : c.owner, c.name};
      });
}

void add_attributes(Registry& r) {
  using I = AttributeItem;
  r.add_family<I>(
      "TYPE_ATTRS",
      [](const Context& c, const std::function<bool(const I&)>& visit) {
        visit_attributes(c, false, visit);
      },
      {text_of<I>("OWNER", owner_of),
       text_of<I>("TYPE_NAME", [](const I& i) { return i.code->name; }),
       text_of<I>("ATTR_NAME", [](const I& i) { return i.attribute->name; }),
       empty<I>("ATTR_TYPE_MOD", Kind::kText), of_type("ATTR_TYPE_OWNER", Kind::kText, owner_text),
       of_type("ATTR_TYPE_NAME", Kind::kText,
               [](const DataType& t) { return text(data_type_text(t)); }),
       of_type("LENGTH", Kind::kNumber, length_of),
       of_type("PRECISION", Kind::kNumber, precision_of), of_type("SCALE", Kind::kNumber, scale_of),
       of_type("CHARACTER_SET_NAME", Kind::kText, character_set),
       number_of<I>("ATTR_NO", [](const I& i) { return i.number; }), fixed<I>("INHERITED", "NO"),
       of_type("CHAR_USED", Kind::kText,
               [](const DataType& t) {
                 if (!has_characters(t)) return null();
                 return text(t.char_semantics || t.national ? "C" : "B");
               })},
      owner_of, {"OWNER"}, about);
}

void add_collections(Registry& r) {
  using I = AttributeItem;
  r.add_family<I>(
      "COLL_TYPES",
      [](const Context& c, const std::function<bool(const I&)>& visit) {
        visit_attributes(c, true, visit);
      },
      {text_of<I>("OWNER", owner_of),
       text_of<I>("TYPE_NAME", [](const I& i) { return i.code->name; }),
       text_of<I>("COLL_TYPE",
                  [](const I& i) {
                    const bool varray = i.code->type->kind == ObjectType::Kind::kVarray;
                    return varray ? "VARYING ARRAY" : "TABLE";
                  }),
       {"UPPER_BOUND", Kind::kNumber,
        [](const I& i, const Context&) {
          return number_or_null(i.code->type->kind == ObjectType::Kind::kVarray,
                                i.code->type->limit);
        }},
       empty<I>("ELEM_TYPE_MOD", Kind::kText),
       of_type("ELEM_TYPE_OWNER", Kind::kText, owner_text),
       of_type("ELEM_TYPE_NAME", Kind::kText,
               [](const DataType& t) { return text(data_type_text(t)); }),
       of_type("LENGTH", Kind::kNumber, length_of),
       of_type("PRECISION", Kind::kNumber, precision_of),
       of_type("SCALE", Kind::kNumber, scale_of),
       of_type("CHARACTER_SET_NAME", Kind::kText, character_set),
       fixed<I>("ELEM_STORAGE", ""),
       fixed<I>("NULLS_STORED", "YES")},
      owner_of, {"OWNER"}, about);
}

void add_directories(Registry& r) {
  r.add_family<Code>(
      "DIRECTORIES",
      [](const Context& c, const std::function<bool(const Code&)>& visit) {
        for (const auto& [key, code] : c.catalog.code) {
          if (code->kind == "DIRECTORY" && !visit(*code)) return;
        }
      },
      {text_of<Code>("OWNER", [](const Code& c) { return c.owner; }),
       text_of<Code>("DIRECTORY_NAME", [](const Code& c) { return c.name; }),
       text_of<Code>("DIRECTORY_PATH", [](const Code& c) { return c.text; }),
       fixed_number<Code>("ORIGIN_CON_ID", 0)},
      [](const Code& c) { return c.owner; }, {"OWNER"},
      [](const Code& c) {
        return ObjectName{c.owner, c.name};
      });
}

}  // namespace

void add_user_type_views(Registry& r) {
  add_types(r);
  add_attributes(r);
  add_collections(r);
  add_directories(r);
}

}  // namespace orasim::dictionary
