#include "connect/oracle/catalog_rows.h"

#include <gtest/gtest.h>

namespace wherry::oracle {
namespace {

TextRow column(const char* table, const char* name, const char* type, const char* nullable = "Y") {
  return {"HR",         table,    name, type,         std::nullopt, "22", std::nullopt,
          std::nullopt, nullable, "0",  std::nullopt, "NO",         "NO"};
}

TEST(OracleCatalog, AssemblesColumnsAndKeysInOrder) {
  const std::vector<TextRow> tables = {{"HR", "JOBS", "19", "33", "5"},
                                       {"HR", "NEW", std::nullopt, std::nullopt, "4"}};
  const std::vector<TextRow> columns = {column("A_VIEW", "X", "NUMBER"),
                                        column("JOBS", "ID", "NUMBER", "N"),
                                        column("JOBS", "AT", "DATE"), column("NEW", "N", "NUMBER")};
  const std::vector<TextRow> keys = {{"HR", "JOBS", "JOBS_PK", "P", "ID"},
                                     {"HR", "JOBS", "JOBS_UK", "U", "AT"},
                                     {"HR", "JOBS", "JOBS_UK", "U", "ID"}};
  const auto result = assemble_tables(tables, columns, keys);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->size(), 2U);
  const schema::TableDef& jobs = (*result)[0];
  EXPECT_EQ(jobs.estimated_rows, 19U);
  EXPECT_EQ(jobs.estimated_bytes, 19U * 33U);
  ASSERT_EQ(jobs.columns.size(), 2U);
  EXPECT_FALSE(jobs.columns[0].nullable);
  EXPECT_TRUE(jobs.columns[1].nullable);
  ASSERT_EQ(jobs.keys.size(), 2U);
  EXPECT_TRUE(jobs.keys[0].is_primary);
  EXPECT_EQ(jobs.keys[1].columns, (std::vector<std::string>{"AT", "ID"}));
  EXPECT_EQ((*result)[1].estimated_bytes, 4U * 8192U);
}

TEST(OracleCatalog, SetsTablespacesOfTablesAndKeys) {
  auto tables =
      assemble_tables({{"HR", "JOBS", "1", "1", "1"}}, {},
                      {{"HR", "JOBS", "JOBS_PK", "P", "ID"}, {"HR", "JOBS", "JOBS_UK", "U", "AT"}});
  ASSERT_TRUE(tables.ok());
  set_tablespaces(*tables, {{"HR", "JOBS", std::nullopt, "DATA"},
                            {"HR", "JOBS", "JOBS_UK", "INDEXES"},
                            {"HR", "GONE", std::nullopt, "DATA"}});
  EXPECT_EQ(tables->at(0).tablespace, "DATA");
  EXPECT_EQ(tables->at(0).keys.at(0).tablespace, "");
  EXPECT_EQ(tables->at(0).keys.at(1).tablespace, "INDEXES");
}

TEST(OracleCatalog, NamesTheObjectWhoseRowIsDamaged) {
  const auto result = assemble_tables({{"HR", "JOBS", "many", "1", "1"}}, {}, {});
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().to_paragraph().find("HR.JOBS"), std::string::npos);
}

}  // namespace
}  // namespace wherry::oracle
