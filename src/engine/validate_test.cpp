#include <map>
#include <set>
#include <thread>

#include "core/civil_time.h"
#include "engine/test_support.h"

namespace wherry::engine {
namespace {

/// Loads, then lets the test change the target's rows of table T, then compares.
class Comparison {
 public:
  explicit Comparison(schema::TableDef def, std::vector<Row> rows) {
    world.source.put(std::move(def), std::move(rows));
    EXPECT_TRUE(world.load().ok());
  }
  void change(const std::function<void(std::vector<Row>&)>& edit) {
    EXPECT_TRUE(world.target
                    .change({"S", "T"},
                            [&](memory::Table& table) -> Result<void> {
                              edit(table.rows);
                              return {};
                            })
                    .ok());
  }
  std::vector<std::string> run() {
    const auto result = world.validate();
    EXPECT_TRUE(result.ok()) << result.error().to_paragraph();
    std::vector<std::string> out;
    for (const Difference& d : world.differences.all) {
      out.push_back(
          std::string(name_of(d.kind)) + " " + d.key +
          (d.column.empty() ? "" : " " + d.column + " " + d.source_value + " / " + d.target_value));
    }
    return out;
  }
  const TableValidation& table() const { return world.validation->tables()[0]; }
  World world;
};

using Lines = std::vector<std::string>;

TEST(Validate, EqualTablesAreEqual) {
  for (const int count : {0, 1, 1000}) {
    for (const bool has_key : {true, false}) {
      Comparison comparison(table_def("T", has_key), sample_rows(count));
      EXPECT_EQ(comparison.run(), Lines());
      EXPECT_EQ(comparison.table().source_rows, static_cast<std::uint64_t>(count));
      EXPECT_EQ(comparison.table().target_rows, static_cast<std::uint64_t>(count));
      EXPECT_EQ(comparison.table().state, ValidationState::kValidated);
    }
  }
}

TEST(Validate, NamesEachDifferenceWithKeyColumnAndValues) {
  Comparison comparison(table_def("T"), sample_rows(9));
  comparison.change([](std::vector<Row>& rows) {
    rows[1][1] = Value::text("other");
    rows[2][2] = Value::null();
    rows[6][1] = Value::text("");
    rows.erase(rows.begin() + 8);
    rows.erase(rows.begin());
    rows.push_back(sample_row(100));
  });
  EXPECT_EQ(comparison.run(),
            (Lines{"MISSING_TARGET ID=1", "RECORD_DIFF ID=2 NAME 'name 2' / 'other'",
                   "RECORD_DIFF ID=3 AMOUNT 93.25 / NULL", "RECORD_DIFF ID=7 NAME NULL / ''",
                   "MISSING_TARGET ID=9", "MISSING_SOURCE ID=100"}));
}

TEST(Validate, OneSideMayBeEmpty) {
  Comparison comparison(table_def("T"), sample_rows(3));
  comparison.change([](std::vector<Row>& rows) { rows.clear(); });
  EXPECT_EQ(comparison.run(),
            (Lines{"MISSING_TARGET ID=1", "MISSING_TARGET ID=2", "MISSING_TARGET ID=3"}));
}

TEST(Validate, ATwiceLoadedRowIsSeenWithAndWithoutKey) {
  for (const bool has_key : {true, false}) {
    Comparison comparison(table_def("T", has_key), sample_rows(3));
    comparison.change([](std::vector<Row>& rows) { rows.push_back(rows[1]); });
    const Lines lines = comparison.run();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].substr(0, 19), "MISSING_SOURCE ID=2");
  }
}

TEST(Validate, KeylessTablesAreMultisets) {
  const Row twin = sample_row(5);
  Comparison comparison(table_def("T", false), {twin, sample_row(1), twin, sample_row(9), twin});
  EXPECT_EQ(comparison.run(), Lines());
  comparison.change([](std::vector<Row>& rows) { std::reverse(rows.begin(), rows.end()); });
  EXPECT_EQ(comparison.run(), Lines());
  comparison.change([&](std::vector<Row>& rows) { rows[1] = twin; });
  EXPECT_EQ(comparison.run().size(), 2U);
}

schema::TableDef lob_table(bool has_key);

TEST(Validate, WithoutAKeyAValueOutsideTheOrderIsShownToo) {
  Comparison comparison(lob_table(false),
                        {{Value::integer(1), Value::text("ab"), Value::text("x")},
                         {Value::integer(2), Value::text("cd"), Value::text("x")},
                         {Value::integer(2), Value::text("ef"), Value::text("y")}});
  comparison.change([](std::vector<Row>& rows) { rows[0][1] = Value::text("AB"); });
  EXPECT_EQ(comparison.run(), (Lines{"RECORD_DIFF ID=1 DOC 'ab' / 'AB'"}));
  comparison.change([](std::vector<Row>& rows) {
    rows[0][1] = Value::text("ab");
    std::swap(rows[1][2], rows[2][2]);
  });
  EXPECT_EQ(comparison.run(), (Lines{"RECORD_DIFF ID=2"}));
}

schema::TableDef lob_table(bool has_key) {
  schema::TableDef def = table_def("T", has_key);
  def.columns[1] = column("DOC", TypeKind::kClob);
  def.columns[2] = column("PICTURE", TypeKind::kBlob);
  return def;
}

TEST(Validate, LargeValuesAreComparedWholeOnWhateverSideTheyAreSpilled) {
  const std::string text(100'000, 'x');
  const std::string bytes(70'001, '\xF7');
  for (const bool has_key : {true, false}) {
    for (const char* limit : {"1000", "90000", "1000000"}) {
      Comparison comparison(lob_table(has_key),
                            {{Value::integer(1), Value::text(text), Value::text(bytes)},
                             {Value::integer(2), Value::text(""), Value::null()}});
      comparison.world.source_options["inline_limit_bytes"] = limit;
      EXPECT_EQ(comparison.run(), Lines());
      comparison.change([](std::vector<Row>& rows) { rows[0][1].bytes[99'998] = 'y'; });
      EXPECT_EQ(comparison.run().size(), 1U) << limit;
      comparison.change([&](std::vector<Row>& rows) {
        rows[0][1].bytes = text;
        rows[0][2].bytes.pop_back();
      });
      EXPECT_EQ(comparison.run().size(), 1U) << limit;
    }
  }
}

TEST(Validate, RowsOutOfOrderAreAnErrorAndNoVerdict) {
  for (const bool at_source : {true, false}) {
    for (const char* batch_rows : {"1", "1000"}) {
      Comparison comparison(table_def("T"), sample_rows(10));
      auto& options = at_source ? comparison.world.source_options : comparison.world.target_options;
      options["order"] = "wrong";
      options["batch_rows"] = batch_rows;
      ASSERT_TRUE(comparison.world.validate().ok());
      const TableValidation& table = comparison.table();
      ASSERT_TRUE(table.error);
      EXPECT_EQ(table.error->code, "validate.order");
      EXPECT_EQ(table.state, ValidationState::kTableError);
      EXPECT_NE(table.error->message.find(at_source ? "source" : "target"), std::string::npos);
    }
  }
}

TEST(Validate, WhatTheLoadChangesOnPurposeIsEqual) {
  schema::TableDef def = table_def("T");
  def.columns[1].type.blank_padded = true;
  Comparison comparison(def,
                        {{Value::integer(1), Value::text("ab  "), Value::decimal("1.500")},
                         {Value::integer(2), Value::text(std::string("a\0b", 3)), Value::null()},
                         {Value::integer(3), Value::text("   "), Value::decimal("-0")}});
  EXPECT_EQ(comparison.world.target_rows("T")[0][1].bytes, "ab");
  comparison.change([](std::vector<Row>& rows) {
    rows[0][2] = Value::decimal("1.5");
    rows[1][1] = Value::text("a b");
    rows[2][2] = Value::decimal("0.000");
  });
  EXPECT_EQ(comparison.run(), Lines());
  comparison.change([](std::vector<Row>& rows) { rows[0][1] = Value::text("a b"); });
  EXPECT_EQ(comparison.run().size(), 1U);
}

/// One column of each kind, and a value of it that is next to the loaded one.
TEST(Validate, SeesTheLeastDifferenceOfEveryKind) {
  struct Case {
    TypeKind kind;
    Value value, neighbour;
  };
  const Value noon = Value::timestamp(0, 1);
  const std::vector<Case> cases = {
      {TypeKind::kBoolean, Value::integer(0), Value::integer(1)},
      {TypeKind::kInt64, Value::integer(INT64_MAX), Value::integer(INT64_MAX - 1)},
      {TypeKind::kFloat32, Value::real(0.5F), Value::real(0.50000006F)},
      {TypeKind::kFloat64, Value::real(0.1), Value::real(0.1000000000000000194)},
      {TypeKind::kFloat64, Value::real(NAN), Value::real(0)},
      {TypeKind::kDecimal, Value::decimal("1e125"),
       Value::decimal("9.9999999999999999999999999999999999999e124")},
      {TypeKind::kText, Value::text("é"), Value::text("e\u0301")},
      {TypeKind::kText, Value::text(""), Value::null()},
      {TypeKind::kBytes, Value::text(std::string("\0", 1)), Value::text(" ")},
      {TypeKind::kTimestamp, noon, Value::timestamp(0, 2)},
      {TypeKind::kTimestampTz, Value::timestamp_tz(0, 60), Value::timestamp_tz(0, 120)},
      {TypeKind::kTimestampTz, Value::timestamp_tz(0, 60), Value::timestamp_tz(1, 60)},
      {TypeKind::kIntervalYm, Value::integer(-13), Value::integer(13)},
      {TypeKind::kIntervalDs, Value::interval_ds(1, 1), Value::interval_ds(1, 2)},
  };
  for (const bool has_key : {true, false}) {
    for (const Case& c : cases) {
      schema::TableDef def = table_def("T", has_key);
      def.columns[1] = column("V", c.kind);
      Comparison comparison(def, {{Value::integer(1), c.value, Value::null()}});
      EXPECT_EQ(comparison.run(), Lines()) << schema::name_of(c.kind);
      comparison.change([&](std::vector<Row>& rows) { rows[0][1] = c.neighbour; });
      EXPECT_FALSE(comparison.run().empty()) << schema::name_of(c.kind);
    }
  }
}

TEST(Validate, ReportsUpToALimitAndCountsAll) {
  Comparison comparison(table_def("T"), sample_rows(100));
  comparison.world.validate_options.max_reported = 7;
  comparison.change([](std::vector<Row>& rows) { rows.clear(); });
  EXPECT_EQ(comparison.run().size(), 7U);
  EXPECT_EQ(comparison.table().differences, 100U);
}

TEST(Validate, LongValuesAreCutBetweenCharacters) {
  std::string longer;
  for (int i = 0; i < 200; ++i) longer += "ä";
  Comparison comparison(table_def("T"),
                        {{Value::integer(1), Value::text("x" + longer), Value::null()}});
  comparison.change([](std::vector<Row>& rows) { rows[0][1] = Value::null(); });
  const Lines lines = comparison.run();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_LT(lines[0].size(), 200U);
  EXPECT_EQ(lines[0].find("\xC3'"), std::string::npos) << "half a character";
}

/// Random changes, found again one by one: by a model that knows what it did.
TEST(Validate, FindsExactlyTheRandomChanges) {
  std::mt19937 random(20260101);
  for (int round = 0; round < 60; ++round) {
    const bool tiny = round % 2 == 0;
    Comparison comparison(table_def("T"), sample_rows(200));
    comparison.world.validate_options.batch_bytes = tiny ? 1 : 4096;
    std::set<std::string> expected;
    comparison.change([&](std::vector<Row>& rows) {
      std::map<std::int64_t, Row> by_id;
      for (Row& row : rows) by_id[row[0].i64] = row;
      for (std::uint32_t i = random() % 6; i > 0; --i) {
        const std::int64_t id = 1 + random() % 220;
        const std::string key = "ID=" + std::to_string(id);
        if (id > 200) {
          by_id[id] = sample_row(id);
          expected.insert("MISSING_SOURCE " + key);
        } else if (random() % 2 == 0 && by_id.contains(id) &&
                   !expected.contains("RECORD_DIFF " + key)) {
          by_id.erase(id);
          expected.insert("MISSING_TARGET " + key);
        } else if (by_id.contains(id)) {
          by_id[id][2] = Value::decimal("-1");
          expected.insert("RECORD_DIFF " + key);
        }
      }
      rows.clear();
      for (auto& [id, row] : by_id) rows.push_back(row);
      std::shuffle(rows.begin(), rows.end(), random);
    });
    comparison.run();
    std::set<std::string> found;
    for (const Difference& d : comparison.world.differences.all) {
      found.insert(std::string(name_of(d.kind)) + " " + d.key);
    }
    EXPECT_EQ(found, expected) << "round " << round;
  }
}

TEST(Validate, CompositeKeysWithTextAreInCodePointOrder) {
  schema::TableDef def = table_def("T");
  def.columns[1].nullable = false;
  def.keys = {{"PK", {"NAME", "ID"}, true}};
  std::vector<Row> rows;
  for (const char* name :
       {"a", "B", "b", "A", "é", "z", "Z", "\U0001F600", "\uFFFD", " ", "a b", "aa"}) {
    for (const std::int64_t id : {3, -1, 2})
      rows.push_back({Value::integer(id), Value::text(name), Value::null()});
  }
  Comparison comparison(def, rows);
  EXPECT_EQ(comparison.run(), Lines());
  comparison.change([](std::vector<Row>& all) { all.erase(all.begin() + 4); });
  EXPECT_EQ(comparison.run(), (Lines{"MISSING_TARGET NAME='B', ID=-1"}));
}

TEST(Validate, AFailingTableDoesNotStopTheOthers) {
  World world;
  for (const char* name : {"A", "BAD", "C"}) world.source.put(table_def(name), sample_rows(10));
  ASSERT_TRUE(world.load().ok());
  world.target.faults().add(
      {Point::kRead, "BAD", 5, 1, make_error(ErrorKind::kData, "test.data", "broken")});
  ASSERT_TRUE(world.validate().ok());
  for (const TableValidation& table : world.validation->tables()) {
    const bool is_bad = table.plan->source.name == "BAD";
    EXPECT_EQ(table.state, is_bad ? ValidationState::kTableError : ValidationState::kValidated);
    EXPECT_EQ(table.error.has_value(), is_bad);
  }
}

TEST(Validate, ALostConnectionEndsItWithAnError) {
  World world;
  for (const char* name : {"A", "B"}) world.source.put(table_def(name), sample_rows(10));
  ASSERT_TRUE(world.load().ok());
  world.source.faults().add({Point::kRead, "A", 5, 1, memory::cut_error()});
  const auto result = world.validate();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kTransient);
}

TEST(Validate, StopsWithinASecondWhileASideIsSilent) {
  World world;
  world.source.put(table_def("T"), sample_rows(10));
  ASSERT_TRUE(world.load().ok());
  world.target.faults().add({Point::kRead, "T", 3, 1, std::nullopt});
  std::optional<Result<void>> result;
  std::thread comparison([&] { result = world.validate(); });
  ASSERT_TRUE(world.target.faults().wait_held(1, kDeadline));
  const auto asked = std::chrono::steady_clock::now();
  world.stop.request_stop();
  comparison.join();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(1));
  EXPECT_EQ(result->error().kind, ErrorKind::kCancelled);
  EXPECT_NE(world.validation->tables()[0].state, ValidationState::kValidated);
}

}  // namespace
}  // namespace wherry::engine
