#include "store/dictionary.h"

#include <gmock/gmock.h>

#include <set>

#include "store/store_test_support.h"

namespace orasim {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the tests' own helpers
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Dictionary : public ::testing::Test {
 protected:
  /// The named columns of all rows of a view, as HR sees it.
  std::vector<std::string> query(const std::string& view_name,
                                 const std::vector<std::string>& columns) {
    const auto catalog = store_->catalog();
    DictionaryContext context{*catalog, *store_, "HR"};
    const DictionaryView* view = find_dictionary_view(view_name);
    if (view == nullptr) return {"no such view"};
    std::vector<std::string> rows;
    view->produce(context, [&](const Row& r) {
      std::string line;
      for (const std::string& name : columns) {
        const auto at = std::find_if(view->columns.begin(), view->columns.end(),
                                     [&](const ColumnDef& c) { return c.name == name; });
        EXPECT_NE(at, view->columns.end()) << name;
        const Value& v = r[static_cast<std::size_t>(at - view->columns.begin())];
        EXPECT_EQ(v.type, at->type.type) << name;
        line += (line.empty() ? "" : "|") +
                (std::holds_alternative<DateTime>(v.data) ? "date" : text_of(v));
      }
      rows.push_back(line);
      return true;
    });
    return rows;
  }
  void add_typed(const std::string& name, Type type, auto set) {
    ddl::ColumnSpec c;
    c.column.name = name;
    c.column.type.type = type;
    set(c.column.type);
    types_.columns.push_back(c);
  }
  ddl::CreateTable types_;
  std::unique_ptr<Store> store_ = Store::open("");
};

TEST_F(Dictionary, ColumnTypesAndLengthsReadAsOracleShowsThem) {
  types_.owner = "HR";
  types_.name = "T";
  const auto none = [](DataType&) {};
  add_typed("A", Type::kNumber, none);
  add_typed("B", Type::kNumber, [](DataType& t) {
    t.has_precision = t.has_scale = true;
    t.precision = 8;
    t.scale = 2;
  });
  add_typed("C", Type::kNumber, [](DataType& t) { t.has_scale = true; });
  add_typed("D", Type::kNumber, [](DataType& t) {
    t.is_float = t.has_precision = true;
    t.precision = 126;
  });
  add_typed("E", Type::kVarchar2, [](DataType& t) {
    t.size_bytes = 40;
    t.size_chars = 10;
    t.char_semantics = true;
  });
  add_typed("F", Type::kVarchar2, [](DataType& t) {
    t.national = true;
    t.size_bytes = 20;
    t.size_chars = 10;
  });
  add_typed("G", Type::kDate, none);
  add_typed("H", Type::kTimestampTz, [](DataType& t) { t.scale = 6; });
  add_typed("I", Type::kIntervalDs, [](DataType& t) {
    t.precision = 2;
    t.scale = 6;
  });
  add_typed("J", Type::kIntervalYm, [](DataType& t) { t.precision = 2; });
  add_typed("K", Type::kClob, [](DataType& t) { t.national = true; });
  add_typed("L", Type::kTimestamp, [](DataType& t) { t.scale = 0; });
  create(*store_, types_);
  EXPECT_THAT(
      query("ALL_TAB_COLUMNS", {"COLUMN_NAME", "DATA_TYPE", "DATA_LENGTH", "DATA_PRECISION",
                                "DATA_SCALE", "CHAR_LENGTH", "CHAR_USED"}),
      ElementsAre("A|NUMBER|22|-|-|0|-", "B|NUMBER|22|8|2|0|-", "C|NUMBER|22|-|0|0|-",
                  "D|FLOAT|22|126|-|0|-", "E|VARCHAR2|40|-|-|10|C", "F|NVARCHAR2|20|-|-|10|C",
                  "G|DATE|7|-|-|0|-", "H|TIMESTAMP(6) WITH TIME ZONE|13|-|6|0|-",
                  "I|INTERVAL DAY(2) TO SECOND(6)|11|2|6|0|-",
                  "J|INTERVAL YEAR(2) TO MONTH|5|2|0|0|-", "K|NCLOB|4000|-|-|0|-",
                  "L|TIMESTAMP(0)|7|-|0|0|-"));
  EXPECT_THAT(query("USER_LOBS", {"COLUMN_NAME"}), ElementsAre("K"));
}

TEST_F(Dictionary, UserViewsShowOwnObjectsWithoutTheOwner) {
  create(*store_, simple_table("MINE"));
  ddl::CreateTable other = simple_table("THEIRS");
  other.owner = "OE";
  create(*store_, other);
  EXPECT_THAT(query("USER_TABLES", {"TABLE_NAME", "STATUS"}), ElementsAre("MINE|VALID"));
  EXPECT_THAT(query("ALL_TABLES", {"OWNER", "TABLE_NAME"}), ElementsAre("HR|MINE"));
  EXPECT_THAT(query("DBA_TABLES", {"OWNER", "TABLE_NAME"}), ElementsAre("HR|MINE", "OE|THEIRS"));
  store_->change_catalog([](Catalog& c) {
    privileges::grant_object(c, "HR", {"OE", "THEIRS", "SELECT", {}, "OE", false});
  });
  EXPECT_THAT(query("ALL_TABLES", {"OWNER", "TABLE_NAME"}), ElementsAre("HR|MINE", "OE|THEIRS"));
  for (const ColumnDef& c : find_dictionary_view("USER_TABLES")->columns) {
    EXPECT_NE(c.name, "OWNER");
  }
}

TEST_F(Dictionary, ConstraintsAndTheirColumnsAreListed) {
  create(*store_, simple_table("P"));
  ddl::CreateTable child = simple_table("C");
  child.columns.push_back(number_column("P_ID"));
  child.constraints.push_back(foreign_key("C_P_FK", {"P_ID"}, "P", "CASCADE"));
  child.constraints.push_back(not_null("NAME"));
  create(*store_, child);
  EXPECT_THAT(
      query("ALL_CONSTRAINTS", {"CONSTRAINT_NAME", "CONSTRAINT_TYPE", "R_CONSTRAINT_NAME",
                                "DELETE_RULE", "SEARCH_CONDITION", "GENERATED"}),
      ElementsAre("C_PK|P|-|-|-|USER NAME", "SYS_C007500|C|-|-|\"NAME\" IS NOT NULL|GENERATED NAME",
                  "C_P_FK|R|P_PK|CASCADE|-|USER NAME", "P_PK|P|-|-|-|USER NAME"));
  EXPECT_THAT(query("USER_CONS_COLUMNS", {"CONSTRAINT_NAME", "COLUMN_NAME", "POSITION"}),
              ElementsAre("C_PK|ID|1", "SYS_C007500|NAME|-", "C_P_FK|P_ID|1", "P_PK|ID|1"));
  EXPECT_THAT(query("USER_IND_COLUMNS", {"INDEX_NAME", "COLUMN_NAME", "DESCEND"}),
              ElementsAre("C_PK|ID|ASC", "P_PK|ID|ASC"));
}

TEST_F(Dictionary, SegmentsAndExtentsAppearWithTheFirstRow) {
  create(*store_, simple_table("T"));
  EXPECT_THAT(query("DBA_SEGMENTS", {"SEGMENT_NAME"}), IsEmpty());
  put(*store_, "T", {row(1, "one")});
  EXPECT_THAT(query("USER_SEGMENTS", {"SEGMENT_NAME", "BYTES", "BLOCKS", "EXTENTS"}),
              ElementsAre("T|65536|8|1"));
  EXPECT_THAT(query("DBA_EXTENTS", {"EXTENT_ID", "FILE_ID", "BLOCKS"}), ElementsAre("0|7|8"));
  EXPECT_THAT(query("DBA_DATA_FILES", {"FILE_ID", "BYTES", "BLOCKS"}), ElementsAre("7|65536|8"));
  EXPECT_THAT(query("USER_TABLES", {"NUM_ROWS"}), ElementsAre("1"));
}

TEST_F(Dictionary, SequencesCodeAndSourceAreListed) {
  store_->change_catalog([](Catalog& c) {
    ddl::create_sequence(c, "HR", "S", {});
    CodeDef code;
    code.owner = "HR";
    code.name = "P";
    code.kind = "PROCEDURE";
    code.text = "CREATE OR REPLACE PROCEDURE p\nIS\nBEGIN NULL; END;";
    ddl::create_code(c, code, true);
  });
  store_->next_sequence_value("HR", "S");
  EXPECT_THAT(query("USER_SEQUENCES", {"SEQUENCE_NAME", "CACHE_SIZE", "LAST_NUMBER", "MAX_VALUE"}),
              ElementsAre("S|20|21|9999999999999999999999999999"));
  EXPECT_THAT(query("USER_SOURCE", {"LINE", "TEXT"}),
              ElementsAre("1|PROCEDURE p\n", "2|IS\n", "3|BEGIN NULL; END;"));
  EXPECT_THAT(query("USER_OBJECTS", {"OBJECT_NAME", "OBJECT_TYPE", "STATUS"}),
              ElementsAre("S|SEQUENCE|VALID", "P|PROCEDURE|VALID"));
}

TEST_F(Dictionary, OpenTransactionsAppearUntilTheyEnd) {
  create(*store_, simple_table("T"));
  EXPECT_THAT(query("V$TRANSACTION", {"STATUS"}), IsEmpty());
  const auto tx = store_->begin(5, nullptr);
  tx->insert(*table(*store_, "T"), row(1, "one"));
  EXPECT_THAT(query("V$TRANSACTION", {"STATUS", "START_SCN", "START_DATE"}),
              ElementsAre("ACTIVE|" + std::to_string(tx->start_scn()) + "|date"));
  EXPECT_THAT(query("GV$TRANSACTION", {"INST_ID"}), ElementsAre("1"));
  tx->commit();
  EXPECT_THAT(query("V$TRANSACTION", {"STATUS"}), IsEmpty());
}

TEST_F(Dictionary, DatabaseViewsGiveTheScnAndTheVersion) {
  create(*store_, simple_table("T"));
  EXPECT_THAT(query("V$DATABASE", {"NAME", "CURRENT_SCN", "LOG_MODE"}),
              ElementsAre("SIM|" + std::to_string(store_->current_scn()) + "|ARCHIVELOG"));
  EXPECT_THAT(
      query("V_$VERSION", {"BANNER"}),
      ElementsAre("Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production"));
  EXPECT_EQ(query("NLS_DATABASE_PARAMETERS", {"PARAMETER"}).size(), 20U);
}

TEST_F(Dictionary, EveryViewProducesRowsOfItsOwnColumns) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  const auto catalog = store_->catalog();
  const DictionaryContext context{*catalog, *store_, "HR"};
  EXPECT_GT(dictionary_views().size(), 80U);
  for (const DictionaryView* view : dictionary_views()) {
    std::set<std::string> names;
    for (const ColumnDef& c : view->columns) {
      EXPECT_TRUE(names.insert(c.name).second) << view->name << "." << c.name;
    }
    view->produce(context, [&](const Row& r) {
      EXPECT_EQ(r.size(), view->columns.size()) << view->name;
      for (std::size_t i = 0; i < r.size(); ++i) {
        EXPECT_EQ(r[i].type, view->columns[i].type.type) << view->name << view->columns[i].name;
        const bool is_number = std::holds_alternative<Number>(r[i].data);
        EXPECT_TRUE(r[i].is_null() || is_number == (r[i].type == Type::kNumber))
            << view->name << "." << view->columns[i].name;
      }
      return true;
    });
  }
}

}  // namespace
}  // namespace orasim
