#include "tests/conformance/fixture.h"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::conformance {
namespace {

schema::ColumnDef column(const std::string& name, const schema::LogicalType& type,
                         const std::string& native_type, bool nullable) {
  schema::ColumnDef out;
  out.name = name;
  out.type = type;
  out.native_type = native_type;
  out.nullable = nullable;
  return out;
}

const TypeSample& sample_of(const std::vector<TypeSample>& samples, const std::string& name) {
  const auto found = std::find_if(samples.begin(), samples.end(),
                                  [&](const TypeSample& sample) { return sample.name == name; });
  WHERRY_ASSERT(found != samples.end(), "every connector has a sample of that name");
  return *found;
}

/// Identifiers of whole numbers travel as what the connector's ID type is.
Value number(const schema::LogicalType& type, std::int64_t value) {
  return schema::cell_kind_of(type) == CellKind::kDecimal ? Value::decimal(std::to_string(value))
                                                          : Value::integer(value);
}

std::string text_of(const Value& value) {
  if (value.is_null) return "NULL";
  return fmt::format("{}|{}|{}|{}|{}", value.i64, value.f64, value.nanos, value.extra, value.bytes);
}

}  // namespace

SourceTable Conformance::simple_table(const std::string& name, int row_count, bool has_key) {
  const auto samples = fixture_->types();
  const TypeSample& id = sample_of(samples, "id");
  const TypeSample& text = sample_of(samples, "text");
  SourceTable table;
  table.definition.table = {fixture_->schema(), name};
  table.definition.columns = {column("ID", id.type, id.native_type, !has_key),
                              column("NAME", text.type, text.native_type, true)};
  if (has_key) table.definition.keys = {{name + "_PK", {"ID"}, true}};
  for (int i = 0; i < row_count; ++i) {
    table.rows.push_back({number(id.type, i), Value::text("row " + std::to_string(i * 7919))});
  }
  table.definition.estimated_rows = static_cast<std::uint64_t>(row_count);
  return table;
}

SourceTable Conformance::typed_table(const std::string& name,
                                     const std::vector<TypeSample>& samples) {
  SourceTable table = simple_table(name, 0);
  table.definition.columns.pop_back();
  std::size_t row_count = 0;
  for (const TypeSample& sample : samples) {
    table.definition.columns.push_back(
        column("C_" + sample.name, sample.type, sample.native_type, true));
    row_count = std::max(row_count, sample.values.size());
  }
  for (std::size_t i = 0; i <= row_count; ++i) {
    Row row = {number(table.definition.columns[0].type, static_cast<std::int64_t>(i))};
    for (const TypeSample& sample : samples) {
      row.push_back(i == row_count ? Value::null() : sample.values[i % sample.values.size()]);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

schema::TablePlanPtr identity_plan(const schema::TableDef& definition,
                                   connect::TargetLoader* loader) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = definition.table;
  plan->estimated_rows = definition.estimated_rows;
  for (const schema::ColumnDef& each : definition.columns) {
    schema::ColumnPlan planned;
    planned.source_name = planned.target_name = each.name;
    planned.type = each.type;
    planned.source_type = each.native_type;
    planned.not_null = !each.nullable;
    planned.trim_blanks = each.type.blank_padded;
    if (loader != nullptr) {
      auto type = loader->column_type(each);
      EXPECT_TRUE(type.ok()) << type.error().to_paragraph();
      if (type.ok()) planned.target_type = *type;
    }
    plan->columns.push_back(std::move(planned));
  }
  if (const schema::KeyDef* key = definition.row_identity()) {
    for (const std::string& name : key->columns) {
      plan->key.push_back(static_cast<std::size_t>(definition.find_column(name)));
    }
    plan->key_is_primary = key->is_primary;
    plan->key_name = key->name;
  }
  return plan;
}

schema::TablePlanPtr Conformance::plan_of(const schema::TableDef& definition) {
  std::unique_ptr<connect::TargetLoader> loader;
  if (fixture_->is_target()) {
    auto opened = fixture_->connector().open_loader(context_, fixture_->settings());
    EXPECT_TRUE(opened.ok()) << opened.error().to_paragraph();
    if (opened.ok()) loader = *std::move(opened);
  }
  return identity_plan(definition, loader.get());
}

void fill(RowBatch& batch, const std::vector<Row>& rows, const schema::TablePlan& plan) {
  batch.reset(plan.columns.size());
  for (const Row& row : rows) {
    Cell* cells = batch.append_row();
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells[i] = memory::to_cell(row[i], schema::cell_kind_of(plan.columns[i].type), batch.arena());
    }
  }
}

Result<void> load_table(OpContext& context, connect::TargetLoader& loader, const SourceTable& table,
                        connect::ExistingTable existing) {
  const schema::TablePlanPtr plan = identity_plan(table.definition, &loader);
  WHERRY_TRY(loader.prepare(context, *plan, existing));
  WHERRY_ASSIGN(auto session, loader.begin(context, plan, {}));
  RowBatch batch;
  fill(batch, table.rows, *plan);
  WHERRY_TRY(session->write(context, batch));
  WHERRY_ASSIGN(const connect::LoadReport report, session->finish(context));
  EXPECT_EQ(report.rows, table.rows.size());
  return loader.complete(context, *plan);
}

std::unique_ptr<connect::SnapshotSource> Conformance::snapshot(const Position& at) {
  auto opened = fixture_->connector().open_snapshot(context_, fixture_->settings(), at);
  EXPECT_TRUE(opened.ok()) << opened.error().to_paragraph();
  return opened.ok() ? *std::move(opened) : nullptr;
}

Result<std::vector<Row>> Conformance::read(connect::SnapshotSource& source,
                                           const schema::TablePlanPtr& plan,
                                           const connect::Chunk& chunk, connect::RowOrder order,
                                           std::size_t batch_bytes) {
  WHERRY_ASSIGN(auto reader, source.open(context_, plan, chunk, order));
  RowBatch batch(batch_bytes);
  std::vector<Row> rows;
  for (;;) {
    WHERRY_ASSIGN(const connect::ReadState state, reader->read(context_, batch));
    EXPECT_EQ(batch.column_count(), plan->columns.size());
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      Row row;
      for (std::size_t c = 0; c < plan->columns.size(); ++c) {
        EXPECT_EQ(batch.at(r, c).kind, schema::cell_kind_of(plan->columns[c].type));
        WHERRY_ASSIGN(Value value, memory::from_cell(batch.at(r, c)));
        row.push_back(std::move(value));
      }
      rows.push_back(std::move(row));
    }
    if (state == connect::ReadState::kEnd) return rows;
    EXPECT_FALSE(batch.empty()) << "kMore without rows";
  }
}

Result<std::unique_ptr<connect::LoadSession>> Conformance::begin_load(
    connect::TargetLoader& loader, const schema::TablePlanPtr& plan, const std::vector<Row>& rows) {
  WHERRY_TRY(loader.prepare(context_, *plan, connect::ExistingTable::kDrop));
  WHERRY_ASSIGN(auto session, loader.begin(context_, plan, {}));
  RowBatch batch;
  fill(batch, rows, *plan);
  WHERRY_TRY(session->write(context_, batch));
  return session;
}

Result<void> Conformance::load(const SourceTable& table, connect::ExistingTable existing) {
  WHERRY_ASSIGN(auto loader, fixture_->connector().open_loader(context_, fixture_->settings()));
  return load_table(context_, *loader, table, existing);
}

std::vector<std::string> sorted_texts(const std::vector<Row>& rows) {
  std::vector<std::string> out;
  for (const Row& row : rows) {
    std::string text;
    for (const Value& value : row) text += text_of(value) + "\x1f";
    out.push_back(std::move(text));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace wherry::conformance
