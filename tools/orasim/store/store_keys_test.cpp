// Constraints within one session.
#include <gmock/gmock.h>

#include "store/store_test_support.h"

namespace orasim {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): the tests' own helpers
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreKeys : public ::testing::Test {
 protected:
  /// DEPT (ID, NAME) and EMP (ID, NAME, DEPT_ID, BOSS_ID) with foreign keys to DEPT and EMP.
  void make_dept_and_emp(const std::string& rule = "NO ACTION") {
    create(*store_, simple_table("DEPT"));
    ddl::CreateTable emp = simple_table("EMP");
    emp.columns.push_back(number_column("DEPT_ID"));
    emp.columns.push_back(number_column("BOSS_ID"));
    emp.constraints.push_back(foreign_key("EMP_DEPT_FK", {"DEPT_ID"}, "DEPT", rule));
    emp.constraints.push_back(foreign_key("EMP_BOSS_FK", {"BOSS_ID"}, "EMP"));
    create(*store_, emp);
  }
  static Row emp(int id, int dept, int boss) {
    const auto number = [](int n) { return n == 0 ? make_null(Type::kNumber) : make_int(n); };
    return {make_int(id), make_text("e"), number(dept), number(boss)};
  }
  std::string insert_error(const std::string& name, const Row& r) {
    return error_of([&] {
      const auto tx = store_->begin(1, nullptr);
      tx->insert(*table(*store_, name), r);
      tx->end_statement();
    });
  }
  /// Runs one statement over all rows of a table in one transaction and commits it.
  template <class Change>
  std::string for_all(const std::string& name, Change change) {
    return error_of([&] {
      const auto tx = store_->begin(1, nullptr);
      const auto def = table(*store_, name);
      const auto scan = store_->scan(*def, store_->current_scn(), tx.get(), nullptr);
      RowId id;
      Row r;
      while (scan->next(id, r)) change(*tx, *def, id, r);
      tx->end_statement();
      tx->commit();
    });
  }
  std::string delete_all(const std::string& name) {
    return for_all(name, [&](Transaction& tx, const TableDef& def, const RowId& id, Row&) {
      tx.remove(def, id, store_->current_scn());
    });
  }
  std::unique_ptr<Store> store_ = Store::open("");
};

TEST_F(StoreKeys, NullInAMandatoryColumnIsRefused) {
  ddl::CreateTable spec = simple_table("T");
  spec.constraints.push_back(not_null("NAME"));
  create(*store_, spec);
  EXPECT_EQ(insert_error("T", row(1, "")),
            "ORA-01400: cannot insert NULL into (\"HR\".\"T\".\"NAME\")");
  EXPECT_EQ(insert_error("T", {make_null(Type::kNumber), make_text("x")}),
            "ORA-01400: cannot insert NULL into (\"HR\".\"T\".\"ID\")");
  put(*store_, "T", {row(1, "one")});
  EXPECT_EQ(for_all("T", [&](Transaction& tx, const TableDef& def, const RowId& id,
                             Row&) { tx.update(def, id, row(1, ""), store_->current_scn()); }),
            "ORA-01407: cannot update (\"HR\".\"T\".\"NAME\") to NULL");
}

TEST_F(StoreKeys, DuplicateKeysAreRefusedByNameOfConstraintOrIndex) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  EXPECT_EQ(insert_error("T", row(1, "x")), "ORA-00001: unique constraint (HR.T_PK) violated");
  store_->change_catalog([](Catalog& c) {
    IndexDef index;
    index.name = "T_NAME_U";
    index.unique = true;
    index.columns = {"NAME"};
    ddl::create_index(c, "HR", "T", index);
  });
  EXPECT_EQ(insert_error("T", row(2, "one")),
            "ORA-00001: unique constraint (HR.T_NAME_U) violated");
  put(*store_, "T", {row(2, ""), row(3, "")});  // NULL keys never collide
}

TEST_F(StoreKeys, AKeyIsFreeAgainAfterDeleteAndAfterRollback) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "one")});
  EXPECT_EQ(delete_all("T"), "no error");
  put(*store_, "T", {row(1, "two")});
  const auto tx = store_->begin(1, nullptr);
  tx->insert(*table(*store_, "T"), row(2, "x"));
  tx->rollback();
  put(*store_, "T", {row(2, "y")});
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|two", "2|y"));
}

TEST_F(StoreKeys, AnUpdateMayHandKeysOnFromRowToRow) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "a"), row(2, "b"), row(3, "c")});
  const auto shift = [&](Transaction& tx, const TableDef& def, const RowId& id, Row& r) {
    r[0] = make_number(*Number::add(r[0].number(), Number::from_int(1)));
    tx.update(def, id, r, store_->current_scn());
  };
  EXPECT_EQ(for_all("T", shift), "no error");
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("2|a", "3|b", "4|c"));
  const auto same = [&](Transaction& tx, const TableDef& def, const RowId& id, Row& r) {
    r[0] = make_int(7);
    tx.update(def, id, r, store_->current_scn());
  };
  EXPECT_EQ(for_all("T", same), "ORA-00001: unique constraint (HR.T_PK) violated");
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("2|a", "3|b", "4|c"));
}

TEST_F(StoreKeys, ForgottenChecksFailAtCommitAndRollBack) {
  create(*store_, simple_table("T"));
  put(*store_, "T", {row(1, "a"), row(2, "b")});
  const auto tx = store_->begin(1, nullptr);
  tx->update(*table(*store_, "T"), find_row(*store_, "T", 1), row(2, "a"), store_->current_scn());
  EXPECT_EQ(error_of([&] { tx->commit(); }),
            "ORA-02091: transaction rolled back\nORA-00001: unique constraint (HR.T_PK) violated");
  EXPECT_FALSE(tx->is_open());
  EXPECT_THAT(rows_of(*store_, "T"), ElementsAre("1|a", "2|b"));
}

TEST_F(StoreKeys, CharKeysIgnoreTrailingBlanks) {
  ddl::CreateTable spec;
  spec.owner = "HR";
  spec.name = "T";
  spec.columns = {text_column("C", 5)};
  spec.columns[0].column.type.type = Type::kChar;
  spec.constraints = {key(ConstraintKind::kPrimaryKey, "T_PK", {"C"})};
  create(*store_, spec);
  put(*store_, "T", {{Value{Type::kChar, false, std::string("ab   ")}}});
  const auto found = store_->lookup(*table(*store_, "T"), {"C"}, {make_text("ab")},
                                    store_->current_scn(), nullptr, nullptr);
  ASSERT_NE(found, nullptr);
  EXPECT_THAT(drain(*found), ElementsAre("ab   "));
}

TEST_F(StoreKeys, MissingParentsAndExistingChildrenAreNamed) {
  make_dept_and_emp();
  EXPECT_EQ(insert_error("EMP", emp(1, 10, 0)),
            "ORA-02291: integrity constraint (HR.EMP_DEPT_FK) violated - parent key not found");
  put(*store_, "DEPT", {row(10, "sales")});
  put(*store_, "EMP", {emp(1, 10, 0)});
  EXPECT_EQ(delete_all("DEPT"),
            "ORA-02292: integrity constraint (HR.EMP_DEPT_FK) violated - child record found");
  EXPECT_EQ(
      for_all("DEPT", [&](Transaction& tx, const TableDef& def, const RowId& id,
                          Row&) { tx.update(def, id, row(11, "sales"), store_->current_scn()); }),
      "ORA-02292: integrity constraint (HR.EMP_DEPT_FK) violated - child record found");
  EXPECT_EQ(
      for_all("DEPT", [&](Transaction& tx, const TableDef& def, const RowId& id,
                          Row&) { tx.update(def, id, row(10, "SALES"), store_->current_scn()); }),
      "no error");
  EXPECT_EQ(delete_all("EMP"), "no error");
  EXPECT_EQ(delete_all("DEPT"), "no error");
}

TEST_F(StoreKeys, RowsOfOneStatementMayReferToEachOther) {
  make_dept_and_emp();
  put(*store_, "EMP", {emp(1, 0, 2), emp(2, 0, 3), emp(3, 0, 3)});  // parents come later
  EXPECT_EQ(insert_error("EMP", emp(4, 0, 99)),
            "ORA-02291: integrity constraint (HR.EMP_BOSS_FK) violated - parent key not found");
  EXPECT_EQ(for_all("EMP",
                    [&](Transaction& tx, const TableDef& def, const RowId& id, Row& r) {
                      if (r[0].number() == Number::from_int(3)) {
                        tx.remove(def, id, store_->current_scn());
                      }
                    }),
            "ORA-02292: integrity constraint (HR.EMP_BOSS_FK) violated - child record found");
  EXPECT_EQ(delete_all("EMP"), "no error");
}

TEST_F(StoreKeys, DeleteCascadesThroughSeveralTablesAndRollsBackWhole) {
  make_dept_and_emp("CASCADE");
  ddl::CreateTable badge = simple_table("BADGE");
  badge.columns.push_back(number_column("EMP_ID"));
  badge.constraints.push_back(foreign_key("BADGE_EMP_FK", {"EMP_ID"}, "EMP", "CASCADE"));
  create(*store_, badge);
  put(*store_, "DEPT", {row(10, "a"), row(20, "b")});
  put(*store_, "EMP", {emp(1, 10, 0), emp(2, 10, 0), emp(3, 20, 0)});
  put(*store_, "BADGE",
      {{make_int(1), make_text("x"), make_int(1)}, {make_int(2), make_text("y"), make_int(3)}});
  const auto tx = store_->begin(1, nullptr);
  EXPECT_TRUE(
      tx->remove(*table(*store_, "DEPT"), find_row(*store_, "DEPT", 10), store_->current_scn()));
  EXPECT_EQ(rows_of(*store_, "EMP", {}, tx.get()).size(), 1U);
  EXPECT_THAT(rows_of(*store_, "BADGE", {}, tx.get()), ElementsAre("2|y|3"));
  tx->rollback();
  EXPECT_EQ(rows_of(*store_, "EMP").size(), 3U);
  EXPECT_EQ(rows_of(*store_, "BADGE").size(), 2U);
}

TEST_F(StoreKeys, DeleteSetsNullWhereToldTo) {
  make_dept_and_emp("SET NULL");
  put(*store_, "DEPT", {row(10, "a")});
  put(*store_, "EMP", {emp(1, 10, 0), emp(2, 0, 1)});
  EXPECT_EQ(delete_all("DEPT"), "no error");
  EXPECT_THAT(rows_of(*store_, "EMP"), ElementsAre("1|e|-|-", "2|e|-|1"));
}

TEST_F(StoreKeys, DisabledConstraintsAreNotCheckedAndEnablingLooksAtTheRows) {
  make_dept_and_emp();
  const auto set = [&](const std::string& table_name, const std::string& constraint, bool enabled) {
    return error_of([&] {
      store_->change_catalog([&](Catalog& c) {
        ddl::set_constraint_state(c, "HR", table_name, {constraint, false, {}}, enabled, true,
                                  true);
      });
    });
  };
  EXPECT_EQ(set("EMP", "EMP_DEPT_FK", false), "no error");
  EXPECT_EQ(set("EMP", "EMP_PK", false), "no error");
  put(*store_, "EMP", {emp(1, 77, 0), emp(1, 0, 0)});
  EXPECT_EQ(set("EMP", "EMP_DEPT_FK", true),
            "ORA-02298: cannot validate (HR.EMP_DEPT_FK) - parent keys not found");
  EXPECT_EQ(set("EMP", "EMP_PK", true),
            "ORA-02437: cannot validate (HR.EMP_PK) - primary key violated");
  EXPECT_EQ(delete_all("EMP"), "no error");
  EXPECT_EQ(set("EMP", "EMP_PK", true), "no error");
  EXPECT_EQ(set("EMP", "EMP_DEPT_FK", true), "no error");
  EXPECT_THAT(insert_error("EMP", emp(1, 77, 0)), ::testing::HasSubstr("ORA-02291"));
}

TEST_F(StoreKeys, NewConstraintsAndColumnsAreCheckedAgainstTheRows) {
  create(*store_, simple_table("T", false));
  put(*store_, "T", {row(1, "same"), row(2, "same"), {make_null(Type::kNumber), make_text("x")}});
  const auto change = [&](auto edit) { return error_of([&] { store_->change_catalog(edit); }); };
  EXPECT_EQ(change([](Catalog& c) {
              ddl::add_constraints(c, "HR", "T", {key(ConstraintKind::kUnique, "T_U", {"NAME"})});
            }),
            "ORA-02299: cannot validate (HR.T_U) - duplicate keys found");
  EXPECT_EQ(change([](Catalog& c) {
              IndexDef index;
              index.name = "T_I";
              index.unique = true;
              index.columns = {"NAME"};
              ddl::create_index(c, "HR", "T", index);
            }),
            "ORA-01452: cannot CREATE UNIQUE INDEX; duplicate keys found");
  EXPECT_EQ(change([](Catalog& c) { ddl::add_constraints(c, "HR", "T", {not_null("ID")}); }),
            "ORA-02296: cannot enable (HR.) - null values found");
  EXPECT_EQ(change([](Catalog& c) {
              ddl::add_constraints(c, "HR", "T",
                                   {key(ConstraintKind::kPrimaryKey, "T_PK", {"ID"})});
            }),
            "ORA-01449: column contains NULL values; cannot alter to NOT NULL");
  EXPECT_EQ(change([](Catalog& c) {
              ddl::add_columns(c, "HR", "T", {number_column("N")}, {not_null("N")});
            }),
            "ORA-01758: table must be empty to add mandatory (NOT NULL) column");
  const auto modify = [&](const std::string& column, Type type, std::uint32_t size) {
    return change([&](Catalog& c) {
      ddl::ModifyColumn m;
      m.name = column;
      m.type = DataType{};
      m.type->type = type;
      m.type->size_bytes = m.type->size_chars = size;
      ddl::modify_column(c, "HR", "T", m);
    });
  };
  EXPECT_EQ(modify("NAME", Type::kNumber, 22),
            "ORA-01439: column to be modified must be empty to change datatype");
  EXPECT_EQ(modify("NAME", Type::kVarchar2, 3),
            "ORA-01441: cannot decrease column length because some value is too big");
  EXPECT_EQ(modify("NAME", Type::kVarchar2, 4), "no error");
  EXPECT_EQ(rows_of(*store_, "T").size(), 3U);
}

TEST_F(StoreKeys, CatalogChangesThatThrowLeaveNothingBehind) {
  create(*store_, simple_table("T"));
  const auto before = store_->catalog();
  EXPECT_THAT(error_of([&] {
                store_->change_catalog([](Catalog& c) {
                  ddl::create_table(c, simple_table("T2"));
                  ddl::create_table(c, simple_table("T"));
                });
              }),
              ::testing::StartsWith("ORA-00955"));
  EXPECT_EQ(store_->catalog(), before);
  EXPECT_EQ(table(*store_, "T2"), nullptr);
}

TEST_F(StoreKeys, SequencesCountCycleAndEnd) {
  ddl::SequenceOptions options;
  options.start_with = Number::from_int(3);
  options.increment_by = Number::from_int(2);
  options.max_value = Number::from_int(6);
  options.cache_size = 0;
  store_->change_catalog([&](Catalog& c) { ddl::create_sequence(c, "HR", "S", options); });
  const auto def = store_->catalog()->find_sequence("HR", "S");
  EXPECT_EQ(store_->sequence_last_number(*def).to_string(), "3");
  EXPECT_EQ(store_->next_sequence_value("HR", "S").to_string(), "3");
  EXPECT_EQ(store_->next_sequence_value("HR", "S").to_string(), "5");
  EXPECT_EQ(error_of([&] { store_->next_sequence_value("HR", "S"); }),
            "ORA-08004: sequence S.NEXTVAL exceeds MAXVALUE and cannot be instantiated");
  EXPECT_EQ(store_->sequence_last_number(*def).to_string(), "7");
  ddl::SequenceOptions cycle;
  cycle.cycle = true;
  store_->change_catalog([&](Catalog& c) { ddl::alter_sequence(c, "HR", "S", cycle); });
  EXPECT_EQ(store_->next_sequence_value("HR", "S").to_string(), "1");
  ddl::SequenceOptions restart;
  restart.restart = true;
  restart.start_with = Number::from_int(5);
  store_->change_catalog([&](Catalog& c) { ddl::alter_sequence(c, "HR", "S", restart); });
  EXPECT_EQ(store_->next_sequence_value("HR", "S").to_string(), "5");
  EXPECT_EQ(error_of([&] { store_->next_sequence_value("HR", "NOPE"); }),
            "ORA-02289: sequence does not exist");
}

}  // namespace
}  // namespace orasim
