// Bind values between the wire and the engine.
#include <algorithm>

#include "engine/error.h"
#include "engine/object_image.h"
#include "server/calls.h"
#include "wire/text.h"
#include "wire/values.h"

namespace orasim::server {

using wire::Codec;
using wire::TypeSpec;

Value Calls::engine_value(const TypeSpec& spec, const wire::BindValue& bind) {
  const Type type = wire::bind_type(spec);
  if (type == Type::kCursor) return make_null(type);
  const bool is_locator = type == Type::kClob || type == Type::kBlob || type == Type::kBfile;
  if (!is_locator) return wire::decode_value(spec, bind);
  if (bind.is_null) return Value{type, spec.is_national(), {}};
  if (type == Type::kBfile) return BfileTable::value_of(bind.content);
  return lobs_.find(bind.content).value();
}

// The elements of an index-by table, numbered from 1.
Value Calls::engine_table(const TypeSpec& spec, const wire::BindValue& bind) {
  auto table = std::make_shared<IndexTable>();
  table->element.type = wire::bind_type(spec);
  table->element.national = spec.is_national();
  std::int64_t index = 0;
  for (const wire::BindValue& element : bind.elements) {
    table->elements[++index] = engine_value(spec, element);
  }
  return Value{Type::kIndexTable, false, std::move(table)};
}

namespace {

// A repeated bind's value came with the first bind of its name.
std::size_t first_of_name(const Cursor& cursor, std::size_t index) {
  const std::vector<BindInfo>& names = cursor.statement->binds();
  const auto same = [&](const BindInfo& bind) { return bind.name == names[index].name; };
  const auto found = std::find_if(names.begin(), names.end(), same);
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

// RETURNING binds carry no value and the engine expects none.
std::vector<Row> Calls::engine_rows(const Cursor& cursor, const Run& run) {
  const std::vector<TypeSpec>& binds = cursor.shape.binds;
  if (binds.size() < cursor.statement->binds().size()) {
    throw OraError(1008, "not all variables bound");
  }
  if (binds.size() > cursor.statement->binds().size()) {
    throw OraError(1036, "illegal variable name/number");
  }
  if (binds.empty()) {
    return run.executions > 1 ? std::vector<Row>(run.executions) : std::vector<Row>();
  }
  std::vector<Row> rows;
  rows.reserve(run.binds.size());
  for (const wire::BindRow& from : run.binds) {
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < binds.size(); ++i) {
      const bool returning = i < cursor.shape.returning.size() && cursor.shape.returning[i];
      if (returning) continue;
      const std::size_t sent = binds[i].is_repeated() ? first_of_name(cursor, i) : i;
      const TypeSpec& spec = binds[sent];
      if (spec.is_array() && !cursor.shape.is_plsql) {
        throw OraError(1484, "arrays can only be bound to PL/SQL statements");
      }
      row.push_back(spec.is_array() ? engine_table(spec, from.at(sent))
                                    : engine_value(spec, from.at(sent)));
    }
  }
  return rows;
}

namespace {

Value as_lob(const Value& value) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) return value;
  const bool binary = value.type == Type::kRaw || value.type == Type::kLongRaw;
  return Value{binary ? Type::kBlob : Type::kClob, value.national,
               std::make_shared<const LobData>(LobData{*text})};
}

// Bytes a character or RAW value takes on the wire; 0 for other values.
std::size_t text_bytes(const Value& value, Codec codec) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) return 0;
  return codec == Codec::kNationalText ? wire::utf16_units(*text) * 2 : text->size();
}

}  // namespace

// What there is from element 1 to the last one. Where one is missing between them a null is sent;
// what a real server does then is not known.
void Calls::write_out_array(const TypeSpec& spec, const Value& value) {
  wire::Writer& out = channel_.out();
  const auto* table = std::get_if<IndexTableRef>(&value.data);
  if (table == nullptr || (*table)->elements.empty()) return out.ub(0);
  const auto& elements = (*table)->elements;
  const std::int64_t last = elements.rbegin()->first;
  if (elements.begin()->first < 1 || last > spec.max_elements) {
    throw OraError(6513, "PL/SQL: index for PL/SQL table out of range for host language array");
  }
  out.ub(static_cast<std::uint64_t>(last));
  for (std::int64_t i = 1; i <= last; ++i) {
    const auto found = elements.find(i);
    write_out_value(spec,
                    found == elements.end() ? make_null(wire::bind_type(spec)) : found->second);
  }
}

// One out or RETURNING value and its trailing length.
void Calls::write_out_value(const TypeSpec& spec, const Value& value) {
  if (value.type == Type::kIndexTable) return write_out_array(spec, value);
  wire::Writer& out = channel_.out();
  Codec codec = wire::bind_codec(spec);
  if (codec == Codec::kLocator) {
    wire::RowColumn column;
    column.codec = spec.wants_lob_sizes() ? Codec::kLocatorAndSize : Codec::kLocator;
    column.is_blob = wire::bind_type(spec) == Type::kBlob;
    column.national = spec.is_national();
    wire::encode_lob(out, column, as_lob(value), registrar_);
    out.sb(0);
    return;
  }
  if (codec == Codec::kDocument) {
    wire::encode_document(out, value);
    out.sb(0);
    return;
  }
  if (codec == Codec::kObject) {
    const bool is_xml = value.type == Type::kXml;
    if (!value.is_null() && !is_xml &&
        (value.type != Type::kObject || object_oid(value) != spec.type_oid)) {
      throw OraError(6550, "line 1, column 1:\nPLS-00382: expression is of wrong type");
    }
    wire::encode_object(out, is_xml ? xml_object_type().oid : spec.type_oid, value, registrar_);
    out.sb(value.is_null() ? -1 : 0);
    return;
  }
  if (codec == Codec::kCursor) {
    registrar_.parent = nullptr;
    registrar_.put_cursor(out, value);
    out.sb(0);
    return;
  }
  // The buffer the client declared is a promise to its own code, so nothing longer may come.
  if (text_bytes(value, codec) > spec.buffer_bytes) {
    throw OraError(6502, "PL/SQL: numeric or value error: character string buffer too small");
  }
  wire::encode_value(out, codec, value);
  out.sb(codec == Codec::kBoolean && value.is_null() ? -1 : 0);
}

}  // namespace orasim::server
