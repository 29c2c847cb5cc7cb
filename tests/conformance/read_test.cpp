// Duties of a source: chunks, order, batches, one view, every type, odd names.
#include <algorithm>

#include "tests/conformance/fixture.h"

namespace wherry::conformance {

TEST_P(Read, ChunksCoverATableExactlyOnceAndReadTwiceAreEqual) {
  for (const int row_count : {0, 1, 7, 3000}) {
    for (const bool has_key : {true, false}) {
      const std::string name = "CHUNKS_" + std::to_string(row_count) + (has_key ? "_K" : "_N");
      const SourceTable table = simple_table(name, row_count, has_key);
      fixture_->create(table);
      const auto source = snapshot();
      ASSERT_TRUE(source);
      for (const std::uint32_t max_chunks : {1U, 4U, 64U}) {
        auto chunks =
            source->plan(context_, table.definition,
                         {.max_chunks = max_chunks, .wanted_chunks = 64, .least_bytes = 1});
        WHERRY_ASSERT_OK(chunks);
        ASSERT_FALSE(chunks->empty());
        ASSERT_LE(chunks->size(), max_chunks);
        std::vector<Row> all;
        for (const connect::Chunk& chunk : *chunks) {
          const auto first = read(*source, plan_of(table.definition), chunk);
          WHERRY_ASSERT_OK(first);
          const auto second = read(*source, plan_of(table.definition), chunk);
          WHERRY_ASSERT_OK(second);
          EXPECT_EQ(sorted_texts(*first), sorted_texts(*second));
          all.insert(all.end(), first->begin(), first->end());
        }
        EXPECT_EQ(sorted_texts(all), sorted_texts(table.rows)) << name;
      }
    }
  }
}

TEST_P(Read, BatchesKeepTheirBudget) {
  const SourceTable table = simple_table("BUDGET", 2000);
  fixture_->create(table);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  for (const std::size_t budget : {1U, 1000U, 100'000U}) {
    auto reader = source->open(context_, plan_of(table.definition), {}, connect::RowOrder::kAny);
    WHERRY_ASSERT_OK(reader);
    RowBatch batch(budget);
    std::size_t rows = 0;
    for (;;) {
      const auto state = (*reader)->read(context_, batch);
      WHERRY_ASSERT_OK(state);
      rows += batch.row_count();
      // A row that does not fit any more may still come in; none above 200 bytes exists here.
      EXPECT_LE(batch.used_bytes(), budget + 200);
      if (*state == connect::ReadState::kEnd) break;
    }
    EXPECT_EQ(rows, 2000U);
  }
}

TEST_P(Read, KeyOrderIsByCodePointAndComposite) {
  SourceTable table = simple_table("ORDERED", 0);
  table.definition.columns[1].nullable = false;
  table.definition.keys = {{"ORDERED_PK", {"NAME", "ID"}, true}};
  std::vector<std::string> names = {"A", "B", "a", "aB", "a b",    "aa",         "ab", "b",
                                    "z", "ä", "é", "ﬀ",  "\uFFFD", "\U0001F600", "-a", "_a"};
  const CellKind id_kind = schema::cell_kind_of(table.definition.columns[0].type);
  for (const std::string& name : names) {
    for (const int id : {-10, 9, 10, 200}) {
      table.rows.push_back(
          {id_kind == CellKind::kDecimal ? Value::decimal(std::to_string(id)) : Value::integer(id),
           Value::text(name)});
    }
  }
  fixture_->create(table);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  const auto rows = read(*source, plan_of(table.definition), {}, connect::RowOrder::kByKey, 500);
  WHERRY_ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), table.rows.size());
  for (std::size_t i = 1; i < rows->size(); ++i) {
    const Row& a = (*rows)[i - 1];
    const Row& b = (*rows)[i];
    const int c = memory::compare(a[1], b[1], CellKind::kText);
    EXPECT_TRUE(c < 0 || (c == 0 && memory::compare(a[0], b[0], id_kind) < 0))
        << a[1].bytes << " before " << b[1].bytes;
  }
}

TEST_P(Read, EveryTypeComesBackAtItsLimits) {
  const SourceTable table = typed_table("TYPES", fixture_->types());
  fixture_->create(table);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  const auto rows = read(*source, plan_of(table.definition), {}, connect::RowOrder::kByKey);
  WHERRY_ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), table.rows.size());
  for (std::size_t r = 0; r < rows->size(); ++r) {
    for (std::size_t c = 0; c < table.definition.columns.size(); ++c) {
      EXPECT_EQ(sorted_texts({{(*rows)[r][c]}}), sorted_texts({{table.rows[r][c]}}))
          << table.definition.columns[c].name << " row " << r;
    }
  }
}

TEST_P(Read, OddNamesAreNames) {
  int number = 0;
  for (const std::string& name : fixture_->odd_names()) {
    SourceTable table = simple_table(name, 3);
    table.definition.columns[1].name = name;
    table.definition.keys[0].name = "ODD_PK_" + std::to_string(++number);
    fixture_->create(table);
    const auto source = snapshot();
    ASSERT_TRUE(source);
    const auto rows = read(*source, plan_of(table.definition), {}, connect::RowOrder::kByKey);
    WHERRY_ASSERT_OK(rows);
    EXPECT_EQ(sorted_texts(*rows), sorted_texts(table.rows)) << name;
    auto catalog = fixture_->connector().open_catalog(context_, fixture_->settings());
    WHERRY_ASSERT_OK(catalog);
    const auto tables = (*catalog)->describe_tables(context_, {{fixture_->schema()}});
    WHERRY_ASSERT_OK(tables);
    EXPECT_EQ(std::count_if(tables->begin(), tables->end(),
                            [&](const auto& each) { return each.table == table.definition.table; }),
              1)
        << name;
  }
}

TEST_P(Read, TheCatalogueTellsColumnsNullabilityAndKeys) {
  fixture_->create(simple_table("WITH_KEY", 1));
  fixture_->create(simple_table("WITHOUT_KEY", 1, false));
  auto catalog = fixture_->connector().open_catalog(context_, fixture_->settings());
  WHERRY_ASSERT_OK(catalog);
  const auto tables = (*catalog)->describe_tables(context_, {{fixture_->schema()}});
  WHERRY_ASSERT_OK(tables);
  ASSERT_EQ(tables->size(), 2U);
  for (const schema::TableDef& table : *tables) {
    ASSERT_EQ(table.columns.size(), 2U);
    EXPECT_EQ(table.columns[0].name, "ID");
    EXPECT_EQ(table.columns[1].name, "NAME");
    EXPECT_FALSE(table.columns[0].native_type.empty());
    const bool has_key = table.table.name == "WITH_KEY";
    EXPECT_EQ(table.columns[0].nullable, !has_key);
    ASSERT_EQ(table.row_identity() != nullptr, has_key);
    if (has_key) {
      EXPECT_EQ(table.row_identity()->columns, std::vector<std::string>{"ID"});
    }
  }
  const auto none = (*catalog)->describe_tables(context_, {{"NO_SUCH_SCHEMA"}});
  WHERRY_ASSERT_OK(none);
  EXPECT_TRUE(none->empty());
}

TEST_P(Read, ASnapshotIsOneViewForAllItsReaders) {
  const SourceTable table = simple_table("VIEWED", 10);
  fixture_->create(table);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  ASSERT_FALSE(source->position().empty());
  SourceTable more = simple_table("VIEWED", 25);
  more.rows.erase(more.rows.begin(), more.rows.begin() + 10);
  fixture_->append(more);
  for (int i = 0; i < 2; ++i) {
    const auto rows = read(*source, plan_of(table.definition));
    WHERRY_ASSERT_OK(rows);
    EXPECT_EQ(rows->size(), 10U);
  }
  const auto again = snapshot(source->position());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->position(), source->position());
  EXPECT_EQ(read(*again, plan_of(table.definition))->size(), 10U);
  EXPECT_EQ(read(*snapshot(), plan_of(table.definition))->size(), 25U);
}

TEST_P(Read, APositionOfAnotherKindIsRefused) {
  const auto opened =
      fixture_->connector().open_snapshot(context_, fixture_->settings(), Position{"nonsense"});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, ErrorKind::kConfig);
}

TEST_P(Read, WhatDoesNotExistIsASchemaErrorThatNamesTheTable) {
  const SourceTable table = simple_table("GONE", 1);
  const auto source = snapshot();
  ASSERT_TRUE(source);
  const auto rows = read(*source, plan_of(table.definition));
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, ErrorKind::kSchema);
  EXPECT_NE(rows.error().to_paragraph().find("GONE"), std::string::npos);
  EXPECT_FALSE(rows.error().hint.empty());
}

}  // namespace wherry::conformance
