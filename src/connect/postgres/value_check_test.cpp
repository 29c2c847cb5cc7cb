#include "connect/postgres/value_check.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/decimal.h"
#include "schema/postgres_types.h"

namespace wherry::postgres {
namespace {

using schema::TypeKind;

TEST(ValueCheck, KnowsTheNamesOfTypes) {
  const auto kind = [](const char* name) { return native_type_named(name).kind; };
  EXPECT_EQ(kind("numeric(10,2)"), NativeKind::kNumeric);
  EXPECT_EQ(native_type_named("numeric(10,2)").precision, 10);
  EXPECT_EQ(native_type_named("numeric(10,2)").scale, 2);
  EXPECT_EQ(native_type_named("numeric").precision, 0);
  EXPECT_EQ(native_type_named("character varying(40)").max_chars, 40U);
  EXPECT_EQ(kind("character(3)"), NativeKind::kBpchar);
  EXPECT_EQ(kind("timestamp(3) without time zone"), NativeKind::kTimestamp);
  EXPECT_EQ(native_type_named("timestamp(3) without time zone").fraction_digits, 3);
  EXPECT_EQ(kind("timestamp with time zone"), NativeKind::kTimestampTz);
  EXPECT_EQ(native_type_named("timestamp").fraction_digits, 6);
  for (const char* unknown : {"", "(", ")", "text[]", "app.mood", "numeric)10(", "varchar(10)[]"}) {
    EXPECT_EQ(kind(unknown), NativeKind::kOther) << unknown;
  }
}

/// What a table is made with is what the check takes it for.
TEST(ValueCheck, KnowsEveryTypeThatIsCreated) {
  for (int i = 0; i <= schema::kLastTypeKind; ++i) {
    schema::LogicalType type;
    type.kind = static_cast<TypeKind>(i);
    type.length_chars = 12;
    type.precision = 9;
    type.scale = 2;
    type.fraction_digits = 3;
    const auto name = schema::postgres_type(type);
    if (!name.ok()) continue;
    const NativeType found = native_type_named(*name);
    EXPECT_NE(found.kind, NativeKind::kOther) << *name;
    const bool is_own_text = type.kind == TypeKind::kTimestampTz || found.kind == NativeKind::kText;
    if (is_own_text || type.kind == TypeKind::kTimestampLtz) continue;
    const NativeType made = native_type_of(type, *name);
    EXPECT_EQ(found.kind, made.kind) << *name;
    EXPECT_EQ(found.precision, made.precision) << *name;
    EXPECT_EQ(found.scale, made.scale) << *name;
  }
}

TEST(ValueCheck, SaysWhyAValueIsRefused) {
  schema::TablePlan plan;
  plan.columns.resize(3);
  plan.columns[0].type = {TypeKind::kDecimal};
  plan.columns[0].target_type = "numeric(4,2)";
  plan.columns[1].type = {TypeKind::kText};
  plan.columns[1].target_type = "varchar(3)";
  plan.columns[2].type = {TypeKind::kNative};
  plan.columns[2].target_type = "inet";
  const auto check = make_value_check(plan);
  Arena arena;
  const auto decimal = [&](const char* text) {
    Cell cell{};
    cell.kind = CellKind::kDecimal;
    cell.state = CellState::kSet;
    cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(text, arena));
    return cell;
  };
  const auto text = [&](const char* value, CellKind kind = CellKind::kText) {
    Cell cell{};
    cell.kind = kind;
    cell.state = CellState::kSet;
    cell.payload.ptr = arena.copy(value, std::strlen(value));
    cell.size_bytes = static_cast<std::uint32_t>(std::strlen(value));
    return cell;
  };
  EXPECT_EQ(check->check(0, decimal("99.99")), "");
  EXPECT_EQ(check->check(0, decimal("100")), "the value is out of the range of its column");
  EXPECT_NE(check->check(0, decimal("1.001")), "");
  EXPECT_EQ(check->check(1, text("äöü")), "");
  EXPECT_EQ(check->check(1, text("abcd")), "the text is longer than its column");
  EXPECT_EQ(check->check(1, text("\xFF")), "the text is not valid UTF-8");
  EXPECT_EQ(check->check(2, text("anything", CellKind::kBytes)), "") << "its own engine's";
}

}  // namespace
}  // namespace wherry::postgres
