// JSON, XML and VECTOR: constructors, serializers and what looks into them. A clause that changes
// the type of a result (RETURNING …) is a function of its own here, with a blank in its name; the
// parser picks it.
#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/json.h"
#include "engine/json_path.h"
#include "engine/vector.h"
#include "engine/xml.h"
#include "exec/function_table.h"

namespace orasim::functions {
namespace {

constexpr std::size_t kMaxVarchar = 4000;

/// A JSON argument, whatever it is kept in. nullopt: it is no JSON.
std::optional<Json> document_of(const Value& v, const FunctionContext& c) {
  if (v.type == Type::kJson) return decode_oson(v.lob()->data);
  try {
    const Value json = convert(v, Type::kJson, c.convert);
    return decode_oson(json.lob()->data);
  } catch (const OraError& error) {
    if (error.code() != 40441) throw;
    return std::nullopt;
  }
}

Value json_value_of(const Json& document) {
  return make_lob(encode_oson(document), Type::kJson);
}

// ---- JSON ---------------------------------------------------------------------------------------

Value json(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kJson);
  return convert(a[0], Type::kJson, c.convert);
}

Json::Scalar scalar_of(const Value& v) {
  switch (v.type) {
    case Type::kNumber:
      return v.number();
    case Type::kBinaryFloat:
      return std::get<float>(v.data);
    case Type::kBinaryDouble:
      return std::get<double>(v.data);
    case Type::kBoolean:
      return std::get<bool>(v.data);
    case Type::kDate:
    case Type::kTimestamp:
    case Type::kTimestampTz:
      return JsonMoment{v.type, v.date_time()};
    case Type::kTimestampLtz:
      return JsonMoment{Type::kTimestampTz, v.date_time()};
    case Type::kIntervalYm:
      return std::get<IntervalYm>(v.data);
    case Type::kIntervalDs:
      return std::get<IntervalDs>(v.data);
    case Type::kRaw:
    case Type::kLongRaw:
      return JsonBinary{v.text(), false};
    case Type::kBlob:
      return JsonBinary{v.lob()->data, false};
    default:
      if (!is_text(v.type) && v.type != Type::kClob) raise_inconsistent("JSON", type_word(v.type));
      return std::string(text_of(v));
  }
}

Value json_scalar(const Args& a, const FunctionContext&) {
  if (a[0].is_null() || a[0].type == Type::kJson)
    return a[0].is_null() ? make_null(Type::kJson) : a[0];
  Json out;
  out.scalar = scalar_of(a[0]);
  return json_value_of(out);
}

/// The text of a JSON argument; the second argument, if any, asks for lines and indentation.
std::optional<std::string> serialized(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return std::nullopt;
  const bool pretty = a.size() > 1 && !a[1].is_null();
  // A text that is JSON already stays as it is written.
  if (a[0].type != Type::kJson && !pretty) {
    if (!document_of(a[0], c)) throw OraError(40441, "JSON syntax error");
    return std::string(text_of(a[0]));
  }
  const auto document = document_of(a[0], c);
  if (!document) throw OraError(40441, "JSON syntax error");
  return json_text(*document, pretty);
}

Value json_serialize(const Args& a, const FunctionContext& c) {
  auto text = serialized(a, c);
  if (!text) return make_null(Type::kVarchar2);
  if (text->size() > kMaxVarchar) raise_text(40478, "output value too large (maximum: 4000)");
  return make_text(*std::move(text));
}
Value json_serialize_clob(const Args& a, const FunctionContext& c) {
  auto text = serialized(a, c);
  return text ? make_lob(*std::move(text)) : make_null(Type::kClob);
}
Value json_serialize_blob(const Args& a, const FunctionContext& c) {
  auto text = serialized(a, c);
  return text ? make_lob(*std::move(text), Type::kBlob) : make_null(Type::kBlob);
}

/// What JSON_VALUE and its like find; the default is NULL ON ERROR.
const Json* found(const Args& a, const FunctionContext& c, std::optional<Json>& document) {
  if (a[0].is_null() || a[1].is_null()) return nullptr;
  document = document_of(a[0], c);
  return document ? json_at(*document, as_text(a[1], c)) : nullptr;
}

Value json_value(const Args& a, const FunctionContext& c) {
  std::optional<Json> document;
  const Json* at = found(a, c, document);
  const bool is_value = at != nullptr && at->shape == Json::Shape::kScalar &&
                        !std::holds_alternative<std::monostate>(at->scalar);
  if (!is_value) return make_null(Type::kVarchar2);
  std::string text = json_scalar_text(*at);
  return text.size() > kMaxVarchar ? make_null(Type::kVarchar2) : make_text(std::move(text));
}
Value json_value_strict(const Args& a, const FunctionContext& c) {
  std::optional<Json> document;
  const Json* at = found(a, c, document);
  if (a[0].is_null() || a[1].is_null()) return make_null(Type::kVarchar2);
  if (!document) throw OraError(40441, "JSON syntax error");
  if (at == nullptr)
    raise_text(40462, "JSON path '" + as_text(a[1], c) + "' evaluated to no value.");
  if (at->shape != Json::Shape::kScalar) {
    raise_text(40456, "JSON path '" + as_text(a[1], c) + "' evaluated to non-scalar value.");
  }
  return json_value(a, c);
}

Value json_query(const Args& a, const FunctionContext& c) {
  std::optional<Json> document;
  const Json* at = found(a, c, document);
  if (at == nullptr || at->shape == Json::Shape::kScalar) return make_null(Type::kVarchar2);
  std::string text = json_text(*at);
  return text.size() > kMaxVarchar ? make_null(Type::kVarchar2) : make_text(std::move(text));
}
Value json_query_json(const Args& a, const FunctionContext& c) {
  std::optional<Json> document;
  const Json* at = found(a, c, document);
  return at == nullptr ? make_null(Type::kJson) : json_value_of(*at);
}

Value json_exists(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kBoolean);
  std::optional<Json> document;
  return Value{Type::kBoolean, false, found(a, c, document) != nullptr};
}

/// JSON_OBJECT and JSON_ARRAY; their first argument is not NULL when NULLs are left out.
Json generated(const Args& a, bool object, const FunctionContext& c) {
  Json out;
  out.shape = object ? Json::Shape::kObject : Json::Shape::kArray;
  const std::size_t step = object ? 2 : 1;
  for (std::size_t i = 1; i + step <= a.size(); i += step) {
    const Value& v = a[i + step - 1];
    if (v.is_null() && !a[0].is_null()) continue;
    if (object && a[i].is_null()) {
      raise_text(40480, "input to JSON generation function has a NULL key");
    }
    if (object) out.names.push_back(as_text(a[i], c));
    Json item;
    if (v.type == Type::kJson && !v.is_null()) {
      item = decode_oson(v.lob()->data);
    } else if (!v.is_null()) {
      item.scalar = scalar_of(v);
    }
    out.items.push_back(std::move(item));
  }
  return out;
}
template <bool kObject>
Value json_generated(const Args& a, const FunctionContext& c) {
  std::string text = json_text(generated(a, kObject, c));
  if (text.size() > kMaxVarchar) raise_text(40478, "output value too large (maximum: 4000)");
  return make_text(std::move(text));
}
template <bool kObject>
Value json_generated_clob(const Args& a, const FunctionContext& c) {
  return make_lob(json_text(generated(a, kObject, c)));
}
template <bool kObject>
Value json_generated_json(const Args& a, const FunctionContext& c) {
  return json_value_of(generated(a, kObject, c));
}

Value to_boolean_of(const Args& a, const FunctionContext& c) {
  return convert(a[0], Type::kBoolean, c.convert);
}

// ---- XML ----------------------------------------------------------------------------------------

Value xmltype(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kXml);
  return convert(a[0], Type::kXml, c.convert);
}
const Value& need_xml(const Value& v) {
  if (v.type != Type::kXml) raise_inconsistent("SYS.XMLTYPE", type_word(v.type));
  return v;
}
Value xml_clob(const Args& a, const FunctionContext& c) {
  return to_lob(need_xml(a[0]), Type::kClob, c.convert);
}
Value xml_blob(const Args& a, const FunctionContext&) {
  if (need_xml(a[0]).is_null()) return make_null(Type::kBlob);
  return make_lob(a[0].lob()->data, Type::kBlob);
}
Value xml_string(const Args& a, const FunctionContext&) {
  if (need_xml(a[0]).is_null()) return make_null(Type::kVarchar2);
  if (a[0].lob()->data.size() > kMaxVarchar) {
    raise_text(19011, "Character string buffer too small");
  }
  return make_text(a[0].lob()->data);
}

// ---- VECTOR -------------------------------------------------------------------------------------

VectorFormat format_of(const std::string& name) {
  if (name == "FLOAT64") return VectorFormat::kFloat64;
  if (name == "INT8") return VectorFormat::kInt8;
  if (name == "BINARY") return VectorFormat::kBinary;
  return VectorFormat::kFloat32;
}

/// (text, dimensions, format, storage); what is left out or * is NULL.
Value to_vector(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kVector);
  const auto given = [&](std::size_t i) { return a.size() > i && !a[i].is_null(); };
  Vector v;
  if (a[0].type == Type::kVector) {
    v = decode_vector(a[0].lob()->data);
    if (given(2)) v = vector_as(std::move(v), format_of(as_text(a[2], c)));
  } else {
    v = parse_vector(lob_or_text(a[0], c),
                     given(2) ? format_of(as_text(a[2], c)) : VectorFormat::kFloat32);
  }
  if (given(1) && as_int(a[1], c) != static_cast<std::int64_t>(v.dimensions)) {
    raise_text(51803,
               "Vector dimension count must match the dimension count specified in the "
               "column definition (expected " +
                   as_text(a[1], c) + " dimensions, specified " + std::to_string(v.dimensions) +
                   " dimensions).");
  }
  if (given(3)) {
    const bool sparse = as_text(a[3], c) == "SPARSE";
    v = sparse ? sparse_form(std::move(v)) : dense_form(std::move(v));
  }
  return make_lob(encode_vector(v), Type::kVector);
}

Vector vector_of(const Value& v, const FunctionContext& c) {
  return decode_vector(convert(v, Type::kVector, c.convert).lob()->data);
}
Value vector_serialize(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kVarchar2);
  std::string text = vector_text(vector_of(a[0], c));
  if (text.size() > kMaxVarchar) raise_text(51805, "Vector is too long for VARCHAR2");
  return make_text(std::move(text));
}
Value vector_serialize_clob(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kClob);
  return make_lob(vector_text(vector_of(a[0], c)));
}
Value vector_dims(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kNumber);
  return make_int(vector_of(a[0], c).dimensions);
}
Value vector_format_name(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kVarchar2);
  static constexpr const char* kNames[] = {"FLOAT32", "FLOAT64", "INT8", "BINARY"};
  return make_text(kNames[static_cast<std::size_t>(vector_of(a[0], c).format) - 2]);
}
Value vector_norm(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kBinaryDouble);
  double sum = 0;
  for (const double x : vector_of(a[0], c).values) sum += x * x;
  return Value{Type::kBinaryDouble, false, std::sqrt(sum)};
}

/// COSINE unless told otherwise; of vectors of one size.
Value vector_distance(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return make_null(Type::kBinaryDouble);
  const std::vector<double> x = dense_form(vector_of(a[0], c)).values;
  const std::vector<double> y = dense_form(vector_of(a[1], c)).values;
  if (x.size() != y.size()) raise_text(51808, "vectors are of different dimension counts");
  const std::string metric = a.size() > 2 ? as_text(a[2], c) : "COSINE";
  double dot = 0, squares = 0, absolute = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    dot += x[i] * y[i];
    squares += (x[i] - y[i]) * (x[i] - y[i]);
    absolute += std::abs(x[i] - y[i]);
    xx += x[i] * x[i];
    yy += y[i] * y[i];
  }
  const double result = metric == "DOT"                 ? -dot
                        : metric == "MANHATTAN"         ? absolute
                        : metric == "EUCLIDEAN_SQUARED" ? squares
                        : metric == "EUCLIDEAN"         ? std::sqrt(squares)
                                                        : 1 - dot / std::sqrt(xx * yy);
  return Value{Type::kBinaryDouble, false, result};
}

// ---- files --------------------------------------------------------------------------------------

Value bfilename(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kBfile);
  std::string data;
  for (const Value& part : a) {
    const std::string name = as_text(part, c);
    if (name.size() > 255) raise(972);
    data.push_back('\0');
    data.push_back(static_cast<char>(name.size()));
    data += name;
  }
  return Value{Type::kBfile, false, std::move(data)};
}

template <Type kType>
DataType type_is(const std::vector<DataType>&) {
  return plain_type(kType);
}

constexpr ScalarFunction kDocumentFunctions[] = {
    {"JSON", 1, 1, json, type_is<Type::kJson>},
    {"JSON_SCALAR", 1, 1, json_scalar, type_is<Type::kJson>},
    {"JSON_SERIALIZE", 1, 2, json_serialize, long_text_type},
    {"JSON_SERIALIZE CLOB", 1, 2, json_serialize_clob, clob_type},
    {"JSON_SERIALIZE BLOB", 1, 2, json_serialize_blob, blob_type},
    {"JSON_VALUE", 2, 2, json_value, long_text_type},
    {"JSON_VALUE ERROR", 2, 2, json_value_strict, long_text_type},
    {"JSON_QUERY", 2, 2, json_query, long_text_type},
    {"JSON_QUERY JSON", 2, 2, json_query_json, type_is<Type::kJson>},
    {"JSON PARSED", 1, 1, json, type_is<Type::kJson>},
    {"JSON_OBJECT", 1, -1, json_generated<true>, long_text_type},
    {"JSON_OBJECT CLOB", 1, -1, json_generated_clob<true>, clob_type},
    {"JSON_OBJECT JSON", 1, -1, json_generated_json<true>, type_is<Type::kJson>},
    {"JSON_ARRAY", 1, -1, json_generated<false>, long_text_type},
    {"JSON_ARRAY CLOB", 1, -1, json_generated_clob<false>, clob_type},
    {"JSON_ARRAY JSON", 1, -1, json_generated_json<false>, type_is<Type::kJson>},
    {"TO_BOOLEAN", 1, 1, to_boolean_of, type_is<Type::kBoolean>},
    {"VECTOR_DISTANCE", 2, 3, vector_distance, type_is<Type::kBinaryDouble>},
    {"JSON_EXISTS", 2, 2, json_exists, type_is<Type::kBoolean>},
    {"XMLTYPE", 1, 4, xmltype, type_is<Type::kXml>},
    {"XMLTYPE.CREATEXML", 1, 4, xmltype, type_is<Type::kXml>},
    {"XMLTYPE GETCLOBVAL", 1, 1, xml_clob, clob_type},
    {"XMLTYPE GETBLOBVAL", 1, 2, xml_blob, blob_type},
    {"XMLTYPE GETSTRINGVAL", 1, 1, xml_string, long_text_type},
    {"TO_VECTOR", 1, 4, to_vector, type_is<Type::kVector>},
    {"FROM_VECTOR", 1, 1, vector_serialize, long_text_type},
    {"FROM_VECTOR CLOB", 1, 1, vector_serialize_clob, clob_type},
    {"VECTOR_DIMENSION_COUNT", 1, 1, vector_dims, number_type},
    {"VECTOR_DIMS", 1, 1, vector_dims, number_type},
    {"VECTOR_DIMENSION_FORMAT", 1, 1, vector_format_name, long_text_type},
    {"VECTOR_NORM", 1, 1, vector_norm, type_is<Type::kBinaryDouble>},
    {"BFILENAME", 2, 2, bfilename, type_is<Type::kBfile>},
};

}  // namespace

std::span<const ScalarFunction> document_functions() {
  return kDocumentFunctions;
}

}  // namespace orasim::functions
