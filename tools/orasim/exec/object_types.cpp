#include "exec/object_types.h"

#include <algorithm>

#include "exec/errors.h"
#include "exec/parser.h"

namespace orasim {
namespace {

/// Release that brought a type to tables; 0: always there.
int first_release(Type type) {
  switch (type) {
    case Type::kJson:
      return 21;
    case Type::kBoolean:
    case Type::kVector:
      return 23;
    default:
      return 0;
  }
}

/// Longer than MAX_STRING_SIZE = STANDARD allows.
bool is_extended(const DataType& t) {
  constexpr std::uint32_t kStandardText = 4000, kStandardRaw = 2000;
  if (t.type == Type::kRaw) return t.size_bytes > kStandardRaw;
  return t.type == Type::kVarchar2 && std::max(t.size_bytes, t.size_chars) > kStandardText;
}

/// Member functions and their like, which have no place in an image.
bool starts_method(const Parser& p) {
  for (const char* word : {"MEMBER", "STATIC", "CONSTRUCTOR", "MAP", "ORDER", "FINAL", "NOT",
                           "OVERRIDING", "INSTANTIABLE", "PRAGMA"}) {
    if (p.is_word(word) && p.peek(1).kind == TokenKind::kWord) return true;
  }
  return false;
}

void skip_element(Parser& p) {
  while (!p.at_end() && !p.is_symbol(",") && !p.is_symbol(")")) {
    if (p.is_symbol("(")) {
      p.skip_parentheses();
    } else {
      p.take();
    }
  }
}

}  // namespace

void resolve_type(DataType& type, const Catalog& catalog, const std::string& current_schema,
                  const Release& release, int position) {
  if (first_release(type.type) > release.major) raise(902, position);
  if (is_extended(type) && !release.extended_strings) raise(910, position);
  if (type.type != Type::kObject || !type.object || !type.object->oid.empty()) return;
  ast::Name name;
  if (!type.object->owner.empty()) name.push_back({type.object->owner, true, position});
  name.push_back({type.object->name, true, position});
  type.object = find_object_type(catalog, current_schema, name);
  if (!type.object) raise(902, position);
}

std::shared_ptr<const ObjectType> find_object_type(const Catalog& catalog,
                                                   const std::string& current_schema,
                                                   const ast::Name& name) {
  std::string owner = name.size() > 1 ? name[name.size() - 2].text : current_schema;
  std::string wanted = name.back().text;
  for (const std::string& schema : {owner, std::string("PUBLIC")}) {
    if (const auto code = catalog.find_code(schema, wanted, "TYPE")) return code->type;
    const auto synonym = catalog.find_code(schema, wanted, "SYNONYM");
    if (synonym == nullptr) continue;
    const auto code = catalog.find_code(synonym->table_owner, synonym->table_name, "TYPE");
    if (code != nullptr) return code->type;
  }
  return nullptr;
}

std::shared_ptr<const ObjectType> parse_type_definition(Parser& p, const Catalog& catalog,
                                                        const std::string& owner,
                                                        const std::string& name,
                                                        const Release& release) {
  ObjectType type;
  type.owner = owner;
  type.name = name;
  const auto declared = [&] {
    const int position = p.peek().begin;
    DataType t = p.column_type();
    resolve_type(t, catalog, owner, release, position);
    // They would be locators in the image, which this server does not make.
    if ((is_lob_payload(t.type) && t.type != Type::kObject) || t.type == Type::kBfile) {
      raise_text(3001, "unimplemented feature", position);
    }
    return t;
  };
  p.accept("FORCE");
  if (p.accept("OID")) p.take();
  if (!p.accept("AS") && !p.accept("IS")) return nullptr;
  if (p.accept("OBJECT")) {
    if (!p.accept_symbol("(")) return nullptr;
    do {
      if (starts_method(p)) {
        skip_element(p);
        continue;
      }
      const std::string attribute = p.identifier().text;
      type.attributes.push_back({attribute, declared()});
      if (p.accept_words({"NOT", "NULL"})) continue;
    } while (p.accept_symbol(","));
    p.expect_symbol(")", 907);
  } else if (p.accept("TABLE")) {
    type.kind = ObjectType::Kind::kTable;
    p.expect("OF");
    type.attributes.push_back({{}, declared()});
  } else {
    if (!p.accept("VARRAY") && !p.accept_words({"VARYING", "ARRAY"})) return nullptr;
    type.kind = ObjectType::Kind::kVarray;
    p.expect_symbol("(", 906);
    type.limit = static_cast<std::uint32_t>(p.integer(2211));
    p.expect_symbol(")", 907);
    p.expect("OF");
    type.attributes.push_back({{}, declared()});
  }
  return std::make_shared<const ObjectType>(std::move(type));
}

}  // namespace orasim
