// Duty of a source: a condition of a filter that it says it evaluates, its query evaluates as the
// engine does, whose word counts for changes.
#include <fmt/format.h>

#include <array>

#include "core/time_text.h"
#include "tests/conformance/fixture.h"

namespace wherry::conformance {
namespace {

using schema::FilterOperator;
using Verdict = schema::RowFilterTest::Verdict;

std::string hexadecimal(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// As a rule would write it.
std::string rule_text(const Value& value, CellKind kind) {
  std::array<char, kTimeTextBytes> room{};
  switch (kind) {
    case CellKind::kBool:
      return value.i64 != 0 ? "true" : "false";
    case CellKind::kInt64:
      return std::to_string(value.i64);
    case CellKind::kFloat32:
    case CellKind::kFloat64:
      return fmt::format("{}", value.f64);
    case CellKind::kDecimal:
    case CellKind::kText:
      return value.bytes;
    case CellKind::kBytes:
      return hexadecimal(value.bytes);
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
      return {room.data(), format_timestamp(room.data(), value.i64, value.nanos, 9)};
    case CellKind::kIntervalYm:
      return {room.data(), format_interval_ym(room.data(), value.i64)};
    case CellKind::kIntervalDs:
      return {room.data(), format_interval_ds(room.data(), value.i64, value.extra, 9)};
  }
  return {};
}

/// IDs of the rows that the engine takes.
std::vector<std::string> taken(const SourceTable& table, std::size_t column,
                               const schema::RowFilter& filter, CellKind kind) {
  const schema::RowFilterTest test(filter, schema::RowFilterTest::Places{std::size_t{0}});
  std::vector<Row> out;
  for (const Row& row : table.rows) {
    Arena arena;
    const Cell cell = memory::to_cell(row[column], kind, arena);
    const Cell* const cells[] = {&cell};
    if (test.of(cells) == Verdict::kPasses) out.push_back({row[0]});
  }
  return sorted_texts(out);
}

}  // namespace

TEST_P(Read, AFilterThatTheSourceEvaluatesIsTheEngines) {
  const SourceTable table = typed_table("FILTERED", fixture_->types());
  fixture_->create(table);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  auto catalog = fixture_->connector().open_catalog(context_, fixture_->settings());
  WHERRY_ASSERT_OK(catalog);
  const auto tables = (*catalog)->describe_tables(context_, {{fixture_->schema()}});
  WHERRY_ASSERT_OK(tables);
  const auto known = std::find_if(tables->begin(), tables->end(), [&](const auto& each) {
    return each.table == table.definition.table;
  });
  ASSERT_NE(known, tables->end());
  const auto judge = (*catalog)->filter_judge(context_);
  WHERRY_ASSERT_OK(judge);
  schema::TablePlan plan = *plan_of(table.definition);
  plan.columns.resize(1);
  plan.key.clear();
  std::size_t pushed = 0;
  for (std::size_t c = 1; c < table.definition.columns.size(); ++c) {
    const schema::ColumnDef& column = known->columns[c];
    const bool is_read = column.type.kind != schema::TypeKind::kUnsupported;
    const CellKind kind = schema::cell_kind_of(table.definition.columns[c].type);
    if (!is_read || schema::cell_kind_of(column.type) != kind) continue;
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      const Value& value = table.rows[r][c];
      const std::string text = value.is_null ? "" : rule_text(value, kind);
      for (const auto op : {FilterOperator::kEqual, FilterOperator::kAtMost,
                            FilterOperator::kNotBetween, FilterOperator::kNull}) {
        if (value.is_null && op != FilterOperator::kNull) continue;
        schema::ColumnFilter filter{column.name, column.type, {{op, text, text}}};
        if (!schema::check_filter(filter).ok()) continue;
        const auto side = (*judge)(filter, filter.conditions[0]);
        if (!side.ok() || *side != schema::FilterSide::kSource) continue;
        plan.filter = std::make_shared<const schema::RowFilter>(schema::RowFilter{filter});
        const auto rows = read(*source, std::make_shared<const schema::TablePlan>(plan));
        ASSERT_TRUE(rows.ok()) << column.name << " '" << text << "' "
                               << rows.error().to_paragraph();
        ASSERT_EQ(sorted_texts(*rows), taken(table, c, *plan.filter, kind))
            << column.name << " by operator " << static_cast<int>(op) << " and '" << text << "'";
        ++pushed;
      }
    }
  }
  EXPECT_GT(pushed, table.rows.size()) << "a source evaluates something";
}

}  // namespace wherry::conformance
