// Definitions across restarts: which counts where, and what is kept of it.
#include "connect/oracle/changes/definition_history.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace wherry::oracle {
namespace {

const schema::TableRef kTable{"APP", "T"};

DefinitionVersion version(std::uint64_t scn, const std::string& column) {
  DefinitionVersion out;
  if (scn != 0) out.since = {scn, 1, {5, static_cast<std::uint32_t>(scn), 16}};
  out.read_scn = scn + 5;
  out.definition.table = kTable;
  schema::ColumnDef& each = out.definition.columns.emplace_back();
  each.name = column;
  each.native_type = "NUMBER(10,2)";
  each.type.kind = schema::TypeKind::kDecimal;
  each.type.precision = 10;
  each.type.scale = 2;
  each.number_scale = -1;
  out.definition.keys.push_back({"PK", {column}, true});
  return out;
}

class DefinitionHistoryTest : public ::testing::Test {
 protected:
  DefinitionHistoryTest()
      : file_(std::filesystem::temp_directory_path() /
              ("wherry-definitions-" + std::to_string(::getpid()))) {
    std::filesystem::remove(file_);
  }
  ~DefinitionHistoryTest() override { std::filesystem::remove(file_); }

  DefinitionHistory loaded(std::uint64_t load_scn = 100) {
    DefinitionHistory out(file_);
    EXPECT_TRUE(out.load(7, load_scn).ok());
    return out;
  }
  /// The column of the version in force when all up to the SCN is delivered.
  static std::string column_at(DefinitionHistory& history, std::uint64_t scn) {
    const DefinitionVersion* const found = history.resume(
        kTable, [&](const DefinitionVersion::Place& place) { return place.scn <= scn; });
    return found == nullptr ? "" : found->definition.columns.at(0).name;
  }

  const std::filesystem::path file_;
};

TEST_F(DefinitionHistoryTest, TheVersionThatWasDeliveredLastCounts) {
  DefinitionHistory history = loaded();
  history.add(kTable, version(0, "A"));
  history.add(kTable, version(120, "B"));
  history.add(kTable, version(140, "C"));
  ASSERT_TRUE(history.save().ok());
  DefinitionHistory again = loaded();
  EXPECT_EQ(column_at(again, 150), "C");
  EXPECT_EQ(column_at(again, 130), "B");
  EXPECT_EQ(column_at(again, 110), "A");
  EXPECT_EQ(column_at(again, 150), "A");  // the statements come again
}

TEST_F(DefinitionHistoryTest, AllOfADefinitionIsKept) {
  DefinitionHistory history = loaded();
  history.add(kTable, version(120, "B"));
  ASSERT_TRUE(history.save().ok());
  DefinitionHistory again = loaded();
  const DefinitionVersion* const found =
      again.resume(kTable, [](const DefinitionVersion::Place&) { return true; });
  ASSERT_NE(found, nullptr);
  const DefinitionVersion wanted = version(120, "B");
  EXPECT_EQ(found->read_scn, wanted.read_scn);
  EXPECT_EQ(found->since.address, wanted.since.address);
  EXPECT_EQ(found->definition.table, kTable);
  EXPECT_EQ(found->definition.columns[0].type, wanted.definition.columns[0].type);
  EXPECT_EQ(found->definition.columns[0].native_type, "NUMBER(10,2)");
  EXPECT_EQ(found->definition.columns[0].number_scale, -1);
  ASSERT_NE(found->definition.primary_key(), nullptr);
  EXPECT_EQ(found->definition.primary_key()->columns, std::vector<std::string>{"B"});
}

TEST_F(DefinitionHistoryTest, ThatOfAnotherLoadAndDamagedFilesDoNotCount) {
  DefinitionHistory history = loaded();
  history.add(kTable, version(0, "A"));
  ASSERT_TRUE(history.save().ok());
  DefinitionHistory other = loaded(200);
  EXPECT_EQ(column_at(other, 300), "");
  std::ofstream(file_) << R"({"format": 1, "database_id": 7, "load_scn": 100, "versions": [{}]})";
  DefinitionHistory damaged = loaded();
  EXPECT_EQ(column_at(damaged, 300), "");
}

}  // namespace
}  // namespace wherry::oracle
