// Duties of a target: atomic loads, what happens to tables that exist, keys, bad rows.
#include <algorithm>

#include "tests/conformance/fixture.h"

namespace wherry::conformance {
using connect::ExistingTable;

void Load::SetUp() {
  Conformance::SetUp();
  if (!fixture_->is_target()) GTEST_SKIP() << "declares no target role";
  auto opened = fixture_->connector().open_loader(context_, fixture_->settings());
  WHERRY_ASSERT_OK(opened);
  loader_ = *std::move(opened);
}

std::size_t Load::row_count(const SourceTable& table) {
  const auto rows = read(*snapshot(), plan_of(table.definition));
  EXPECT_TRUE(rows.ok()) << rows.error().to_paragraph();
  return rows.ok() ? rows->size() : 0;
}

TEST_P(Load, NothingIsVisibleBeforeFinish) {
  const SourceTable table = simple_table("HIDDEN", 50);
  const auto plan = plan_of(table.definition);
  auto session = begin_load(*loader_, plan, table.rows);
  WHERRY_ASSERT_OK(session);
  // A reader finds no row, or has to wait.
  const auto unlimited = context_.deadline;
  context_.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  const auto early = read(*snapshot(), plan);
  context_.deadline = unlimited;
  if (early.ok()) {
    EXPECT_TRUE(early->empty());
  } else {
    EXPECT_EQ(early.error().kind, ErrorKind::kTransient) << early.error().to_paragraph();
  }
  const auto report = (*session)->finish(context_);
  WHERRY_ASSERT_OK(report);
  EXPECT_EQ(report->rows, 50U);
  EXPECT_EQ(row_count(table), 50U);
}

TEST_P(Load, AnAbortedLoadLeavesNothing) {
  const SourceTable table = simple_table("ABORTED", 50);
  const auto plan = plan_of(table.definition);
  {
    auto session = begin_load(*loader_, plan, table.rows);
    WHERRY_ASSERT_OK(session);
  }
  EXPECT_EQ(row_count(table), 0U);
  // And the table is free for the next try.
  WHERRY_ASSERT_OK(load(table, ExistingTable::kKeep));
  EXPECT_EQ(row_count(table), 50U);
}

TEST_P(Load, WhatExistsIsDroppedEmptiedOrKept) {
  const SourceTable table = simple_table("EXISTING", 5, false);
  for (const auto existing :
       {ExistingTable::kDrop, ExistingTable::kTruncate, ExistingTable::kKeep}) {
    WHERRY_ASSERT_OK(load(table, ExistingTable::kDrop));
    WHERRY_ASSERT_OK(load(table, existing));
    EXPECT_EQ(row_count(table), existing == ExistingTable::kKeep ? 10U : 5U);
  }
}

TEST_P(Load, AMissingTableIsCreatedInEveryMode) {
  int number = 0;
  for (const auto existing :
       {ExistingTable::kDrop, ExistingTable::kTruncate, ExistingTable::kKeep}) {
    const SourceTable table = simple_table("MISSING_" + std::to_string(++number), 5);
    WHERRY_ASSERT_OK(load(table, existing));
    EXPECT_EQ(row_count(table), 5U);
  }
}

TEST_P(Load, TheKeyIsThereAfterComplete) {
  const SourceTable table = simple_table("KEYED", 5);
  WHERRY_ASSERT_OK(load(table));
  auto catalog = fixture_->connector().open_catalog(context_, fixture_->settings());
  WHERRY_ASSERT_OK(catalog);
  const auto tables = (*catalog)->describe_tables(context_, {{fixture_->schema()}});
  WHERRY_ASSERT_OK(tables);
  ASSERT_EQ(tables->size(), 1U);
  ASSERT_NE((*tables)[0].primary_key(), nullptr);
  EXPECT_EQ((*tables)[0].primary_key()->columns, std::vector<std::string>{"ID"});
  // Done twice it changes nothing: a resumed task may ask again.
  WHERRY_ASSERT_OK(loader_->complete(context_, *plan_of(table.definition)));
}

TEST_P(Load, DuplicateKeysAreADataErrorThatNamesTheTable) {
  SourceTable table = simple_table("TWINS", 5);
  table.rows.push_back(table.rows[2]);
  const auto result = load(table);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kData);
  EXPECT_NE(result.error().to_paragraph().find("TWINS"), std::string::npos);
}

TEST_P(Load, ANullWhereNoneMayBeIsADataErrorAndLeavesNothing) {
  SourceTable table = simple_table("NOT_NULL", 5);
  table.rows[3][0] = Value::null();
  const auto result = load(table);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kData);
  EXPECT_NE(result.error().to_paragraph().find("NOT_NULL"), std::string::npos);
  EXPECT_EQ(row_count(table), 0U);
}

TEST_P(Load, TypesThatNobodyCarriesAreUnsupported) {
  schema::ColumnDef column;
  column.name = "SHAPE";
  column.native_type = "SDO_GEOMETRY";
  const auto type = loader_->column_type(column);
  ASSERT_FALSE(type.ok());
  EXPECT_EQ(type.error().kind, ErrorKind::kUnsupported);
}

TEST_P(Load, ManySmallBatchesAreOneLoad) {
  const SourceTable table = simple_table("PIECES", 500);
  const auto plan = plan_of(table.definition);
  WHERRY_ASSERT_OK(loader_->prepare(context_, *plan, ExistingTable::kDrop));
  auto session = loader_->begin(context_, plan, {});
  WHERRY_ASSERT_OK(session);
  RowBatch batch;
  for (const Row& row : table.rows) {
    fill(batch, {row}, *plan);
    WHERRY_ASSERT_OK((*session)->write(context_, batch));
  }
  fill(batch, {}, *plan);
  WHERRY_ASSERT_OK((*session)->write(context_, batch));
  WHERRY_ASSERT_OK((*session)->finish(context_));
  EXPECT_EQ(sorted_texts(*read(*snapshot(), plan)), sorted_texts(table.rows));
}

TEST_P(Load, TwoSessionsLoadBesideEachOther) {
  const SourceTable a = simple_table("BESIDE_A", 20);
  const SourceTable b = simple_table("BESIDE_B", 30);
  auto first = begin_load(*loader_, plan_of(a.definition), a.rows);
  WHERRY_ASSERT_OK(first);
  auto second = begin_load(*loader_, plan_of(b.definition), b.rows);
  WHERRY_ASSERT_OK(second);
  WHERRY_ASSERT_OK((*second)->finish(context_));
  WHERRY_ASSERT_OK((*first)->finish(context_));
  EXPECT_EQ(row_count(a), 20U);
  EXPECT_EQ(row_count(b), 30U);
}

TEST_P(Load, TheLedgerHasWhatIsDurableAndNothingElse) {
  const SourceTable table = simple_table("SEGMENTS", 10);
  const auto plan = plan_of(table.definition);
  WHERRY_ASSERT_OK(loader_->prepare(context_, *plan, ExistingTable::kDrop));
  const auto known = loader_->done_chunks(context_, "load 'one'", std::nullopt);
  WHERRY_ASSERT_OK(known);
  EXPECT_TRUE(known->empty());
  connect::Segment segment{"load 'one'", 2, 0, false};
  const std::vector<connect::DoneChunk> chunks = {{plan->source, 2, 0, 4, 40},
                                                  {plan->source, 2, 7, 6, 60}};
  RowBatch batch;
  fill(batch, table.rows, *plan);
  const auto load_once = [&]() -> Result<connect::LoadReport> {
    WHERRY_ASSIGN(auto session, loader_->begin(context_, plan, segment));
    WHERRY_TRY(session->write(context_, batch));
    return session->finish(context_, chunks);
  };
  {  // Given up: nothing is there.
    auto session = loader_->begin(context_, plan, segment);
    WHERRY_ASSERT_OK(session);
    WHERRY_ASSERT_OK((*session)->write(context_, batch));
  }
  WHERRY_ASSERT_OK(load_once());
  segment.worker = 1;
  const auto twice = load_once();
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, "load.chunk_twice");
  EXPECT_EQ(row_count(table), 10U);
  // For all workers and for one of them, in this load and no other.
  for (const std::optional<std::uint32_t> worker : {std::optional<std::uint32_t>(), {1U}}) {
    auto done = loader_->done_chunks(context_, "load 'one'", worker);
    WHERRY_ASSERT_OK(done);
    ASSERT_EQ(done->size(), 2U);
    std::sort(done->begin(), done->end(),
              [](const auto& a, const auto& b) { return a.chunk < b.chunk; });
    EXPECT_EQ((*done)[1].table, plan->source);
    EXPECT_EQ((*done)[1].attempt, 2U);
    EXPECT_EQ((*done)[1].chunk, 7U);
    EXPECT_EQ((*done)[1].rows, 6U);
    EXPECT_EQ((*done)[1].bytes, 60U);
  }
  EXPECT_TRUE(loader_->done_chunks(context_, "another", std::nullopt)->empty());
  WHERRY_ASSERT_OK(loader_->forget(context_, "load 'one'"));
  EXPECT_TRUE(loader_->done_chunks(context_, "load 'one'", std::nullopt)->empty());
}

TEST_P(Load, PreparingTellsWhetherThereAreRows) {
  const SourceTable table = simple_table("ROWS", 3);
  const auto plan = plan_of(table.definition);
  for (const auto existing : {ExistingTable::kDrop, ExistingTable::kKeep}) {
    const auto report = loader_->prepare(context_, *plan, existing);
    WHERRY_ASSERT_OK(report);
    EXPECT_TRUE(report->is_empty);
  }
  WHERRY_ASSERT_OK(load(table, ExistingTable::kKeep));
  EXPECT_FALSE(loader_->prepare(context_, *plan, ExistingTable::kKeep)->is_empty);
  EXPECT_TRUE(loader_->prepare(context_, *plan, ExistingTable::kTruncate)->is_empty);
}

}  // namespace wherry::conformance
