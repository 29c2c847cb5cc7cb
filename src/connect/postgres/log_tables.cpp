#include "connect/postgres/log_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/postgres/change_tables.h"
#include "connect/postgres/column_numbers.h"
#include "connect/postgres/source_artefacts.h"
#include "connect/postgres/wire/text_form.h"

namespace wherry::postgres {
namespace {

using connect::RowShape;
using connect::RowShapePtr;

std::string signature_of(const wire::Message& relation) {
  std::string out =
      fmt::format("{}\n{}\n{}", relation.name_space, relation.name, relation.identity);
  for (const wire::RelationColumn& column : relation.columns) {
    out +=
        fmt::format("\n{} {} {} {}", column.name, column.type, column.modifier, column.is_identity);
  }
  return out;
}

/// Names and types are the log's; the rest is the catalogue's, which may be newer.
void set_catalog_facts(RowShape& shape, const CatalogTable& known) {
  std::map<std::uint32_t, std::string> names;
  for (schema::ColumnDef& column : shape.definition.columns) {
    const CatalogColumn* found =
        column.number != 0 ? known.find(column.number) : known.find(column.name);
    connect::ColumnFill& fill = shape.fills.emplace_back();
    if (found == nullptr) {
      // Of a transaction that has not committed, or gone since.
      fill.kind = connect::ColumnFill::Kind::kByRow;
      continue;
    }
    column.nullable = !found->is_not_null;
    column.is_identity = found->is_identity;
    column.is_generated = found->is_generated;
    fill = found->fill;
    names[found->number] = column.name;
  }
  for (schema::KeyDef key : known.keys) {
    bool is_whole = true;
    for (std::string& name : key.columns) {
      const CatalogColumn* found = known.find(name);
      const auto here = found == nullptr ? names.end() : names.find(found->number);
      is_whole = is_whole && here != names.end();
      if (is_whole) name = here->second;
    }
    if (is_whole) shape.definition.keys.push_back(std::move(key));
  }
}

/// What is known of the table's columns before: of the last shape, or of the task's plan.
KnownNumbers known_numbers(const RowShape* shape, const schema::TablePlan* plan) {
  KnownNumbers out;
  if (plan != nullptr) {
    for (const schema::ColumnPlan& column : plan->columns) {
      if (column.source_number != 0) out[column.source_name] = column.source_number;
    }
  }
  if (shape == nullptr) return out;
  for (const schema::ColumnDef& column : shape->definition.columns) {
    if (column.number != 0) out[column.name] = column.number;
  }
  return out;
}

void set_numbers(schema::TableDef& definition, const wire::Message& relation,
                 const CatalogTable& now, const KnownNumbers& known) {
  std::vector<ColumnThen> columns;
  for (const wire::RelationColumn& column : relation.columns) {
    columns.push_back({column.name, column.type});
  }
  std::vector<AttributeNow> attributes;
  for (const CatalogColumn& column : now.columns) {
    attributes.push_back({column.number, column.name, column.type.first, column.is_dropped});
  }
  const auto numbers = number_columns(columns, attributes, known);
  for (std::size_t i = 0; i < definition.columns.size(); ++i) {
    schema::ColumnDef& column = definition.columns[i];
    if (!numbers.empty()) {
      column.number = numbers[i];
    } else if (const auto before = known.find(column.name); before != known.end()) {
      column.number = before->second;
    }
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

/// A filter compares the text of values that PostgreSQL alone knows.
bool asks_for_text(const schema::TablePlan* plan) {
  return plan != nullptr && plan->filter != nullptr &&
         std::any_of(plan->filter->begin(), plan->filter->end(), [](const auto& filter) {
           return filter.type.kind == schema::TypeKind::kNative;
         });
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
                     std::map<std::uint32_t, schema::TableRef> published, bool takes_all)
    : request_(std::move(request)),
      ddl_schema_(std::move(ddl_schema)),
      published_(std::move(published)),
      takes_all_(takes_all) {}

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
  return learn(context, catalog, relation, xid, nullptr);
}

Result<bool> LogTables::learn(OpContext& context, Connection& catalog, std::uint32_t oid,
                              const CatalogTable& table, std::uint32_t xid) {
  return learn(context, catalog, relation_of(table, oid), xid, &table);
}

Result<bool> LogTables::learn(OpContext& context, Connection& catalog,
                              const wire::Message& relation, std::uint32_t xid,
                              const CatalogTable* exact) {
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
    table.is_wanted = !table.is_audit && (takes_all_ || plan_of(table.source) != nullptr);
  }
  WHERRY_ASSIGN(RowShapePtr shape, make_shape(context, catalog, relation, exact, table));
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
                                          const wire::Message& relation, const CatalogTable* exact,
                                          LogTable& table) {
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
  table.is_portable = !asks_for_text(plan.get());
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
  CatalogTable now;
  if (exact == nullptr) {
    WHERRY_ASSIGN(now, read_catalog_table(context, catalog, relation.relation));
  }
  const CatalogTable& known = exact != nullptr ? *exact : now;
  set_numbers(shape->definition, relation, known, known_numbers(table.shape.get(), plan.get()));
  set_catalog_facts(*shape, known);
  return RowShapePtr(std::move(shape));
}

Result<RowShapePtr> LogTables::describe(OpContext& context, Connection& catalog, std::uint32_t oid,
                                        bool shows_leaves) {
  WHERRY_ASSIGN(const CatalogTable known, read_catalog_table(context, catalog, oid));
  const bool is_other = shows_leaves ? known.is_partitioned : known.is_partition;
  if (known.columns.empty() || is_other) return RowShapePtr();
  std::vector<TypeKey> types;
  for (const CatalogColumn& column : known.columns) types.push_back(column.type);
  WHERRY_TRY(types_.learn(context, catalog, types));
  auto shape = std::make_shared<RowShape>();
  shape->id = connect::new_shape_id();
  shape->source = shape->definition.table = known.table;
  shape->table_id = oid;
  for (const CatalogColumn& column : known.columns) {
    if (column.is_dropped) continue;
    shape->definition.columns.push_back(column_of(column.name, types_.at(column.type)));
    shape->definition.columns.back().number = column.number;
  }
  set_catalog_facts(*shape, known);
  return RowShapePtr(std::move(shape));
}

RowShapePtr LogTables::last_shape(std::uint32_t oid, const schema::TableRef& table) {
  const LogTable* known = find(oid);
  if (known != nullptr && known->shape != nullptr) return known->shape;
  auto shape = std::make_shared<RowShape>();
  shape->id = connect::new_shape_id();
  const auto published = published_.find(oid);
  shape->source = published == published_.end() ? table : published->second;
  shape->definition.table = table;
  shape->table_id = oid;
  return shape;
}

Result<bool> LogTables::can_be_binary(OpContext& context, Connection& catalog) {
  const std::vector<schema::TableRef> tables = sources_of(request_.tables);
  WHERRY_ASSIGN(const auto found, find_source_tables(context, catalog, tables));
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (asks_for_text(request_.tables[i].get())) return false;
    WHERRY_ASSIGN(const CatalogTable known, read_catalog_table(context, catalog, found[i].oid));
    std::vector<TypeKey> types;
    for (const CatalogColumn& column : known.columns) types.push_back(column.type);
    WHERRY_TRY(types_.learn(context, catalog, types));
    for (const CatalogColumn& column : known.columns) {
      if (!column.is_in_log()) continue;
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
