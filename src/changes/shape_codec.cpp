#include "changes/shape_codec.h"

#include <utility>

#include "changes/byte_io.h"

namespace wherry::changes {
namespace {

using FillKind = connect::ColumnFill::Kind;

enum ColumnFlag : std::uint8_t {
  kNullable = 1,
  kGenerated = 2,
  kIdentity = 4,
  kHasScale = 8,
  kBlankPadded = 16,
  kNational = 32,
};

void put(ByteWriter& out, const schema::ColumnDef& column) {
  const schema::LogicalType& type = column.type;
  out.byte(static_cast<std::uint8_t>(
      (column.nullable ? kNullable : 0) | (column.is_generated ? kGenerated : 0) |
      (column.is_identity ? kIdentity : 0) | (column.number_scale ? kHasScale : 0) |
      (type.blank_padded ? kBlankPadded : 0) | (type.national ? kNational : 0)));
  out.text(column.name);
  out.text(column.native_type);
  out.byte(static_cast<std::uint8_t>(type.kind));
  out.number(type.length_chars);
  out.number(type.length_bytes);
  out.signed_number(type.precision);
  out.signed_number(type.scale);
  out.byte(type.fraction_digits);
  if (column.number_scale) out.signed_number(*column.number_scale);
}

template <class Number>
Number narrow(ByteReader& in, std::int64_t value) {
  if (!std::in_range<Number>(value)) in.fail();
  return static_cast<Number>(value);
}

schema::ColumnDef get_column(ByteReader& in) {
  schema::ColumnDef column;
  const std::uint8_t flags = in.byte();
  column.nullable = (flags & kNullable) != 0;
  column.is_generated = (flags & kGenerated) != 0;
  column.is_identity = (flags & kIdentity) != 0;
  column.name = in.text();
  column.native_type = in.text();
  schema::LogicalType& type = column.type;
  const std::uint8_t kind = in.byte();
  if (kind > schema::kLastTypeKind) in.fail();
  type.kind = static_cast<schema::TypeKind>(kind);
  type.length_chars = static_cast<std::uint32_t>(in.number(UINT32_MAX));
  type.length_bytes = static_cast<std::uint32_t>(in.number(UINT32_MAX));
  type.precision = narrow<std::int16_t>(in, in.signed_number());
  type.scale = narrow<std::int16_t>(in, in.signed_number());
  type.fraction_digits = in.byte();
  type.blank_padded = (flags & kBlankPadded) != 0;
  type.national = (flags & kNational) != 0;
  if ((flags & kHasScale) != 0) column.number_scale = narrow<int>(in, in.signed_number());
  return column;
}

void put(ByteWriter& out, const schema::KeyDef& key) {
  out.byte(key.is_primary ? 1 : 0);
  out.text(key.name);
  out.number(key.columns.size());
  for (const std::string& column : key.columns) out.text(column);
}

schema::KeyDef get_key(ByteReader& in) {
  schema::KeyDef key;
  key.is_primary = in.byte() != 0;
  key.name = in.text();
  for (std::size_t left = in.count(); left > 0 && !in.has_failed(); --left) {
    key.columns.emplace_back(in.text());
  }
  return key;
}

/// False when they are not those of the shape's columns.
bool get_fills(ByteReader& in, connect::RowShape& shape) {
  const std::size_t count = in.count();
  if (count != 0 && count != shape.definition.columns.size()) return false;
  for (std::size_t i = 0; i < count && !in.has_failed(); ++i) {
    const std::uint8_t kind = in.byte();
    if (kind > static_cast<std::uint8_t>(FillKind::kByRow)) return false;
    connect::ColumnFill& fill = shape.fills.emplace_back();
    fill.kind = static_cast<FillKind>(kind);
    if (fill.kind == FillKind::kValue) fill.value = in.text();
  }
  return true;
}

}  // namespace

std::string encode_shape(const connect::RowShape& shape) {
  std::string bytes;
  ByteWriter out(bytes);
  const schema::TableDef& table = shape.definition;
  out.number(shape.id);
  out.text(shape.source.schema);
  out.text(shape.source.name);
  out.text(table.table.schema);
  out.text(table.table.name);
  out.byte(static_cast<std::uint8_t>((schema::is_view(table.kind) ? 1 : 0) |
                                     (shape.has_whole_before ? 2 : 0)));
  out.number(table.estimated_rows);
  out.number(table.estimated_bytes);
  out.number(table.columns.size());
  for (const schema::ColumnDef& column : table.columns) put(out, column);
  out.number(table.keys.size());
  for (const schema::KeyDef& key : table.keys) put(out, key);
  out.number(shape.identity.size());
  for (const std::size_t column : shape.identity) out.number(column);
  out.number(shape.table_id);
  out.number(table.columns.size());
  for (const schema::ColumnDef& column : table.columns) out.number(column.number);
  out.number(shape.fills.size());
  for (const connect::ColumnFill& fill : shape.fills) {
    out.byte(static_cast<std::uint8_t>(fill.kind));
    if (fill.kind == FillKind::kValue) out.text(fill.value);
  }
  return bytes;
}

connect::RowShapePtr decode_shape(std::string_view bytes) {
  ByteReader in(bytes);
  auto shape = std::make_shared<connect::RowShape>();
  schema::TableDef& table = shape->definition;
  in.number(UINT32_MAX);  // names it in its file only
  shape->id = connect::new_shape_id();
  shape->source.schema = in.text();
  shape->source.name = in.text();
  table.table.schema = in.text();
  table.table.name = in.text();
  const std::uint8_t flags = in.byte();
  if ((flags & 1) != 0) table.kind = schema::TableKind::kView;
  shape->has_whole_before = (flags & 2) != 0;
  table.estimated_rows = in.number();
  table.estimated_bytes = in.number();
  for (std::size_t left = in.count(); left > 0 && !in.has_failed(); --left) {
    table.columns.push_back(get_column(in));
  }
  for (std::size_t left = in.count(); left > 0 && !in.has_failed(); --left) {
    table.keys.push_back(get_key(in));
  }
  for (std::size_t left = in.count(); left > 0 && !in.has_failed(); --left) {
    const std::uint64_t column = in.number();
    if (column >= table.columns.size()) return nullptr;
    shape->identity.push_back(static_cast<std::size_t>(column));
  }
  shape->table_id = in.number();
  const std::size_t numbers = in.count();
  if (numbers != 0 && numbers != table.columns.size()) return nullptr;
  for (std::size_t i = 0; i < numbers && !in.has_failed(); ++i) {
    table.columns[i].number = static_cast<std::uint32_t>(in.number(UINT32_MAX));
  }
  if (!get_fills(in, *shape) || in.has_failed() || !in.empty()) return nullptr;
  return shape;
}

}  // namespace wherry::changes
