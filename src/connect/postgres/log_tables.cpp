#include "connect/postgres/log_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connect/postgres/change_tables.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/source_artefacts.h"
#include "connect/postgres/wire/text_form.h"

namespace wherry::postgres {
namespace {

using connect::RowShape;
using connect::RowShapePtr;

constexpr std::string_view kReadingTable = "cannot read the catalogue";

/// The catalogue's words about a table, which may be newer than the log's.
struct CatalogTable {
  schema::TableRef table;
  struct Column {
    std::string name;
    std::uint32_t number = 0;
    TypeKey type;
    bool is_not_null = false;
    bool is_identity = false;
    bool is_generated = false;
  };
  std::vector<Column> columns;
  std::vector<schema::KeyDef> keys;

  [[nodiscard]] const Column* find(std::string_view name) const {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const Column& column) { return column.name == name; });
    return found == columns.end() ? nullptr : &*found;
  }
};

Result<CatalogTable> read_catalog_table(OpContext& context, Connection& catalog,
                                        std::uint32_t oid) {
  const std::array parameters = {std::to_string(oid)};
  WHERRY_ASSIGN(const Rows rows,
                catalog.query(context, kReadingTable,
                              "select n.nspname, c.relname, a.attname, a.attnum, a.attnotnull, "
                              "a.attidentity <> '', a.attgenerated <> '', a.atttypid, a.atttypmod "
                              "from pg_catalog.pg_class c "
                              "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
                              "join pg_catalog.pg_attribute a on a.attrelid = c.oid "
                              "where c.oid = $1::oid and a.attnum > 0 and not a.attisdropped "
                              "order by a.attnum",
                              parameters));
  CatalogTable out;
  for (int i = 0; i < rows.count(); ++i) {
    out.table = {std::string(rows.text(i, 0)), std::string(rows.text(i, 1))};
    out.columns.push_back({std::string(rows.text(i, 2)),
                           static_cast<std::uint32_t>(rows.integer(i, 3)),
                           {static_cast<std::uint32_t>(rows.integer(i, 7)),
                            static_cast<std::int32_t>(rows.integer(i, 8))},
                           rows.boolean(i, 4),
                           rows.boolean(i, 5),
                           rows.boolean(i, 6)});
  }
  if (out.columns.empty()) return out;
  WHERRY_ASSIGN(std::vector<NativeKey> keys,
                describe_keys(context, catalog, {out.table.schema}, out.table.name));
  for (NativeKey& key : keys) out.keys.push_back(std::move(key.key));
  return out;
}

std::string signature_of(const wire::Message& relation) {
  std::string out =
      fmt::format("{}\n{}\n{}", relation.name_space, relation.name, relation.identity);
  for (const wire::RelationColumn& column : relation.columns) {
    out +=
        fmt::format("\n{} {} {} {}", column.name, column.type, column.modifier, column.is_identity);
  }
  return out;
}

/// Numbers of the shape's columns; none when the catalogue is newer and does not know some name.
std::vector<std::uint32_t> column_numbers(const schema::TableDef& definition,
                                          const CatalogTable& known) {
  std::vector<std::uint32_t> out;
  for (const schema::ColumnDef& column : definition.columns) {
    const CatalogTable::Column* found = known.find(column.name);
    if (found == nullptr) return {};
    out.push_back(found->number);
  }
  return out;
}

void set_catalog_facts(schema::TableDef& definition, const CatalogTable& known) {
  for (schema::ColumnDef& column : definition.columns) {
    const CatalogTable::Column* found = known.find(column.name);
    if (found == nullptr) continue;
    column.nullable = !found->is_not_null;
    column.is_identity = found->is_identity;
    column.is_generated = found->is_generated;
  }
  for (const schema::KeyDef& key : known.keys) {
    const bool is_whole =
        std::all_of(key.columns.begin(), key.columns.end(),
                    [&](const std::string& name) { return definition.find_column(name) >= 0; });
    if (is_whole) definition.keys.push_back(key);
  }
}

schema::ColumnDef column_of(std::string_view name, const LogType& type) {
  schema::ColumnDef out;
  out.name = name;
  out.type = logical_type_of(type.type, type.type_name);
  out.native_type = type.type.name;
  return out;
}

const schema::ColumnPlan* find_column(const schema::TablePlan& plan, std::string_view name) {
  for (const schema::ColumnPlan& column : plan.columns) {
    if (column.source_name == name) return &column;
  }
  return nullptr;
}

/// How the values of a column become cells of its plan's type; of its own when it has no plan, or
/// has become another since.
wire::ColumnDecoder decoder_of(const schema::TablePlan* plan, std::string_view name,
                               const LogType& type) {
  const schema::ColumnPlan* column = plan == nullptr ? nullptr : find_column(*plan, name);
  if (column != nullptr) {
    const auto planned = wire::choose_decoder(column->type, type.type, column->trim_blanks);
    if (planned) return *planned;
  }
  const auto own =
      wire::choose_decoder(logical_type_of(type.type, type.type_name), type.type, false);
  return own.value_or(wire::ColumnDecoder{});
}

/// Whether the column's values are known to PostgreSQL only.
bool is_native_type(const schema::TablePlan* plan, std::string_view name, const LogType& type) {
  const schema::ColumnPlan* column = plan == nullptr ? nullptr : find_column(*plan, name);
  const schema::LogicalType logical =
      column != nullptr ? column->type : logical_type_of(type.type, type.type_name);
  return logical.kind == schema::TypeKind::kNative;
}

}  // namespace

LogTables::LogTables(connect::StreamRequest request, std::string ddl_schema,
                     std::map<std::uint32_t, schema::TableRef> published)
    : request_(std::move(request)),
      ddl_schema_(std::move(ddl_schema)),
      published_(std::move(published)) {}

LogTable* LogTables::find(std::uint32_t oid, std::uint32_t xid) {
  if (last_ != nullptr && last_->oid == oid && last_xid_ == xid) return last_;
  TableMap& tables = xid == 0 ? tables_ : open_[xid];
  const auto found = tables.find(oid);
  if (found == tables.end()) return nullptr;
  last_ = &found->second;
  last_xid_ = xid;
  return last_;
}

void LogTables::end_transaction(std::uint32_t xid, bool has_committed) {
  last_ = nullptr;
  const auto found = open_.find(xid);
  if (found == open_.end()) return;
  if (has_committed) {
    // The server does not tell of them again.
    for (auto& [oid, table] : found->second) tables_[oid] = std::move(table);
  }
  open_.erase(found);
}

schema::TablePlanPtr LogTables::plan_of(const schema::TableRef& source) const {
  for (const schema::TablePlanPtr& plan : request_.tables) {
    if (plan->source == source) return plan;
  }
  return nullptr;
}

void LogTables::tell_again(std::uint32_t xid) {
  for (auto& [oid, table] : xid == 0 ? tables_ : open_[xid]) table.is_news = table.is_wanted;
}

Result<bool> LogTables::learn(OpContext& context, Connection& catalog,
                              const wire::Message& relation, std::uint32_t xid) {
  std::string signature = signature_of(relation);
  TableMap& tables = xid == 0 ? tables_ : open_[xid];
  if (xid != 0 && !tables.contains(relation.relation)) {
    const auto known = tables_.find(relation.relation);
    if (known != tables_.end()) tables.emplace(relation.relation, known->second);
  }
  LogTable& table = tables[relation.relation];
  if (table.signature == signature) return false;
  const bool is_first = table.signature.empty();
  const schema::TableRef name{std::string(relation.name_space), std::string(relation.name)};
  table.oid = relation.relation;
  if (is_first) {
    table.is_audit = name == schema::TableRef{ddl_schema_, std::string(kDdlAuditTable)};
    const auto published = published_.find(relation.relation);
    table.source = published == published_.end() ? name : published->second;
    table.is_wanted = !table.is_audit && plan_of(table.source) != nullptr;
  }
  WHERRY_ASSIGN(RowShapePtr shape, make_shape(context, catalog, relation, table));
  // A column that changed but for its name and type, its identity say, is no news for the target.
  // The first one always is: the target may be where the table was another.
  const bool is_same =
      !is_first && table.shape->definition.table == shape->definition.table &&
      std::equal(shape->definition.columns.begin(), shape->definition.columns.end(),
                 table.shape->definition.columns.begin(), table.shape->definition.columns.end(),
                 [](const schema::ColumnDef& a, const schema::ColumnDef& b) {
                   return a.name == b.name && a.native_type == b.native_type;
                 });
  table.shape = std::move(shape);
  table.signature = std::move(signature);
  return table.is_wanted && !is_same;
}

Result<RowShapePtr> LogTables::make_shape(OpContext& context, Connection& catalog,
                                          const wire::Message& relation, LogTable& table) {
  std::vector<TypeKey> types;
  for (const wire::RelationColumn& column : relation.columns) {
    types.emplace_back(column.type, column.modifier);
  }
  WHERRY_TRY(types_.learn(context, catalog, types));
  auto shape = std::make_shared<RowShape>();
  shape->id = connect::new_shape_id();
  shape->definition.table = {std::string(relation.name_space), std::string(relation.name)};
  shape->source = table.source;
  shape->table_id = relation.relation;
  shape->has_whole_before = relation.identity == 'f';
  const schema::TablePlanPtr plan = plan_of(shape->source);
  table.decoders.clear();
  table.kinds.clear();
  table.is_passed_on.clear();
  table.is_portable = true;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const LogType& type = types_.at(types[i]);
    shape->definition.columns.push_back(column_of(relation.columns[i].name, type));
    // With REPLICA IDENTITY FULL every column is marked.
    if (relation.columns[i].is_identity && !shape->has_whole_before) shape->identity.push_back(i);
    const wire::ColumnDecoder decoder = decoder_of(plan.get(), relation.columns[i].name, type);
    table.is_portable = table.is_portable && type.is_portable &&
                        (request_.is_native || (decoder.decode != nullptr && !decoder.as_text));
    table.decoders.push_back(decoder);
    table.kinds.push_back(type.type.kind);
    table.is_passed_on.push_back(request_.is_native ||
                                 is_native_type(plan.get(), relation.columns[i].name, type));
  }
  WHERRY_ASSIGN(const CatalogTable known, read_catalog_table(context, catalog, relation.relation));
  set_catalog_facts(shape->definition, known);
  shape->column_ids = column_numbers(shape->definition, known);
  return RowShapePtr(std::move(shape));
}

Result<RowShapePtr> LogTables::describe(OpContext& context, Connection& catalog, std::uint32_t oid,
                                        const schema::TableRef& table) {
  WHERRY_ASSIGN(const CatalogTable known, read_catalog_table(context, catalog, oid));
  if (known.columns.empty()) return RowShapePtr();
  std::vector<TypeKey> types;
  for (const CatalogTable::Column& column : known.columns) types.push_back(column.type);
  WHERRY_TRY(types_.learn(context, catalog, types));
  auto shape = std::make_shared<RowShape>();
  shape->id = connect::new_shape_id();
  shape->source = table;
  shape->definition.table = table;
  shape->table_id = oid;
  for (const CatalogTable::Column& column : known.columns) {
    shape->definition.columns.push_back(column_of(column.name, types_.at(column.type)));
    shape->column_ids.push_back(column.number);
  }
  set_catalog_facts(shape->definition, known);
  return RowShapePtr(std::move(shape));
}

RowShapePtr LogTables::last_shape(std::uint32_t oid, const schema::TableRef& table) {
  const LogTable* known = find(oid);
  if (known != nullptr && known->shape != nullptr) return known->shape;
  auto shape = std::make_shared<RowShape>();
  shape->id = connect::new_shape_id();
  shape->source = table;
  shape->definition.table = table;
  shape->table_id = oid;
  return shape;
}

Result<bool> LogTables::can_be_binary(OpContext& context, Connection& catalog) {
  const std::vector<schema::TableRef> tables = sources_of(request_.tables);
  WHERRY_ASSIGN(const auto found, find_source_tables(context, catalog, tables));
  for (std::size_t i = 0; i < found.size(); ++i) {
    WHERRY_ASSIGN(const CatalogTable known, read_catalog_table(context, catalog, found[i].oid));
    std::vector<TypeKey> types;
    for (const CatalogTable::Column& column : known.columns) types.push_back(column.type);
    WHERRY_TRY(types_.learn(context, catalog, types));
    for (const CatalogTable::Column& column : known.columns) {
      const LogType& type = types_.at(column.type);
      if (!type.is_portable) return false;
      if (request_.is_native) continue;
      const auto decoder = decoder_of(request_.tables[i].get(), column.name, type);
      if (decoder.decode == nullptr || decoder.as_text) return false;
    }
  }
  return true;
}

std::optional<std::size_t> LogTables::fill(const LogTable& table,
                                           const std::vector<wire::Field>& fields, RowForm form,
                                           std::string_view message, const std::byte* copy,
                                           Arena& arena, Cell* out) {
  const std::size_t count = table.shape->definition.columns.size();
  if (fields.size() != count) return 0;
  for (std::size_t i = 0; i < count; ++i) {
    const wire::Field& field = fields[i];
    Cell& cell = out[i];
    cell = Cell{};
    cell.kind = table.is_passed_on[i] != 0 ? passed_kind_ : table.decoders[i].kind;
    cell.state = CellState::kSet;
    switch (field.kind) {
      case wire::FieldKind::kNull:
        cell.state = CellState::kNull;
        continue;
      case wire::FieldKind::kUnchanged:
        cell.state = CellState::kUnchanged;
        continue;
      default:
        break;
    }
    if (table.is_passed_on[i] != 0) {
      cell.kind = field.kind == wire::FieldKind::kBinary ? CellKind::kBytes : CellKind::kText;
      cell.payload.ptr = copy != nullptr ? copy + (field.bytes.data() - message.data())
                                         : arena.copy(field.bytes.data(), field.bytes.size());
      cell.size_bytes = static_cast<std::uint32_t>(field.bytes.size());
      continue;
    }
    std::string_view bytes = field.bytes;
    if (field.kind == wire::FieldKind::kText && !table.decoders[i].as_text) {
      if (!wire::binary_form(table.kinds[i], bytes, binary_)) return i;
      bytes = binary_;
    }
    const wire::ColumnDecoder& decoder = table.decoders[i];
    if (decoder.decode == nullptr || !decoder.decode(decoder, bytes, arena, cell)) return i;
  }
  if (form != RowForm::kKey) return std::nullopt;
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_key = next < table.shape->identity.size() && table.shape->identity[next] == i;
    if (is_key) {
      ++next;
    } else {
      out[i].state = CellState::kUnchanged;
    }
  }
  return std::nullopt;
}

}  // namespace wherry::postgres
