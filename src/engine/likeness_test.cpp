#include "engine/likeness.h"

#include <gtest/gtest.h>

#include "core/decimal.h"
#include "core/spill_file.h"
#include "engine/cell_compare.h"
#include "engine/json_value.h"
#include "engine/lob_limit.h"

namespace wherry::engine {
namespace {

using schema::Likeness;

Cell text_cell(std::string_view text, Arena& arena) {
  Cell cell{};
  cell.kind = CellKind::kText;
  cell.state = CellState::kSet;
  cell.payload.ptr = arena.copy(text.data(), text.size());
  cell.size_bytes = static_cast<std::uint32_t>(text.size());
  return cell;
}

bool alike(std::string_view a, std::string_view b, Likeness likeness) {
  Arena arena;
  Cell x = text_cell(a, arena);
  Cell y = text_cell(b, arena);
  EXPECT_TRUE(make_alike(x, likeness, arena).ok());
  EXPECT_TRUE(make_alike(y, likeness, arena).ok());
  return *equal_cells(x, y);
}

TEST(Likeness, ComparesWhatATextMeans) {
  EXPECT_TRUE(alike(" 042", "42", Likeness::kNumber));
  EXPECT_TRUE(alike("1e3", "1000.00", Likeness::kNumber));
  EXPECT_FALSE(alike("42", "42.01", Likeness::kNumber));
  EXPECT_TRUE(alike("0.1234567890123456789", "0.12345678901234568", Likeness::kFloat64));
  EXPECT_FALSE(alike("0.1", "0.100001", Likeness::kFloat64));
  EXPECT_TRUE(alike("16777217", "16777216", Likeness::kFloat32));
  EXPECT_TRUE(alike("Y", "true", Likeness::kTruth));
  EXPECT_FALSE(alike("N", "true", Likeness::kTruth));
  EXPECT_TRUE(alike("abc  ", "abc", Likeness::kPadded));
  EXPECT_FALSE(alike("  abc", "abc", Likeness::kPadded));
  EXPECT_TRUE(alike("2024-02-29", "2024-02-29 00:00:00", Likeness::kMoment));
  EXPECT_TRUE(alike("2024-02-29T12:13:14+02:30", "2024-02-29 09:43:14", Likeness::kMoment));
  EXPECT_FALSE(alike("2024-02-29", "2024-03-01 00:00:00", Likeness::kMoment));
  EXPECT_TRUE(alike("12:13:14.50", "12:13:14.5", Likeness::kClock));
  EXPECT_TRUE(alike("+00-00", "+00 00:00:00", Likeness::kInterval));
  EXPECT_FALSE(alike("+01-00", "+01 00:00:00", Likeness::kInterval));
  EXPECT_TRUE(alike("6BA7B8109DAD11D180B400C04FD430C8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                    Likeness::kUuid));
  EXPECT_TRUE(alike("<?xml version=\"1.0\"?><a/>", "<a/>", Likeness::kXml));
  EXPECT_FALSE(alike("<?xmlx?><a/>", "<a/>", Likeness::kXml));
  EXPECT_TRUE(
      alike("{\"b\": 1.50, \"a\": [1e2], \"b\": 2}", "{\"a\":[100],\"b\":2.0}", Likeness::kJson));
  EXPECT_FALSE(alike("{\"a\":\"1\"}", "{\"a\":1}", Likeness::kJson));
  // What is none of the family stays as it is.
  EXPECT_FALSE(alike("042x", "42x", Likeness::kNumber));
  EXPECT_TRUE(alike("2024-02-30", "2024-02-30", Likeness::kMoment));
}

TEST(Likeness, DecimalsAreComparedThroughTheFloatThatHoldsThem) {
  Arena arena;
  const auto cell_of = [&](std::string_view text) {
    Cell cell{};
    cell.kind = CellKind::kDecimal;
    cell.state = CellState::kSet;
    cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(text, arena));
    return cell;
  };
  Cell a = cell_of("0.12345678901234567890123");
  Cell b = cell_of("0.12345678901234568");
  EXPECT_FALSE(*equal_cells(a, b));
  EXPECT_TRUE(make_alike(a, Likeness::kFloat64, arena).ok());
  EXPECT_TRUE(make_alike(b, Likeness::kFloat64, arena).ok());
  EXPECT_TRUE(*equal_cells(a, b));
}

TEST(JsonValue, IsWhatJsonbKeeps) {
  EXPECT_EQ(plain_json(" [1, 2.50 ,null,true, \"x\\u00e9\"] "), "[1,2.5,null,true,\"xé\"]");
  EXPECT_EQ(plain_json("{\"b\":{},\"a\":[]}"), "{\"a\":[],\"b\":{}}");
  EXPECT_EQ(plain_json("123456789012345678901234567890.10"), "123456789012345678901234567890.1");
  EXPECT_EQ(plain_json("{"), std::nullopt);
  EXPECT_EQ(plain_json(""), std::nullopt);
}

TEST(LobLimit, CutsBetweenCharacters) {
  schema::TablePlan plan;
  plan.columns.resize(2);
  plan.columns[1].max_lob_bytes = 5;
  RowBatch batch;
  auto file = SpillFile::create(::testing::TempDir());
  ASSERT_TRUE(file.ok());
  batch.reset(2);
  batch.keep(*file);
  const std::pair<std::string, std::string> cases[] = {
      {"12345", "12345"}, {"123456", "12345"}, {"1234é", "1234"}, {"123é5", "123é"},
      {"12€€", "12€"},    {"1€€", "1€"},       {"😀😀", "😀"},       {"ab😀", "ab"}};
  for (const bool is_spilled : {false, true}) {
    for (const auto& [text, cut] : cases) {
      Cell* row = batch.append_row();
      row[0] = text_cell("not limited at all", batch.arena());
      row[1] = text_cell(text, batch.arena());
      if (!is_spilled) continue;
      const SpilledValue place{file->get(), (*file)->size_bytes(), text.size()};
      ASSERT_TRUE((*file)->append(text).ok());
      row[1].payload.ptr = batch.arena().copy(&place, sizeof place);
      row[1].state = CellState::kSpilled;
    }
  }
  const auto count = limit_lobs(batch, plan);
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(*count, 2 * (std::size(cases) - 1));
  for (std::size_t r = 0; r < batch.row_count(); ++r) {
    const std::string& wanted = cases[r % std::size(cases)].second;
    Cell expected = text_cell(wanted, batch.arena());
    EXPECT_TRUE(*equal_cells(batch.row(r)[1], expected)) << wanted << " row " << r;
    EXPECT_EQ(batch.row(r)[0].size_bytes, 18U);
  }
}

}  // namespace
}  // namespace wherry::engine
