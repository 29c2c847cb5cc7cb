// Rights as sessions meet them: ORA-00942 for what a user has no right on, ORA-01031 for what it
// sees but may not do.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/session.h"

namespace orasim {
namespace {

constexpr int kFine = 0;

class Privileges : public ::testing::Test {
 protected:
  void SetUp() override {
    open({});
    for (const char* sql :
         {"create table t (id number primary key, s varchar2(20))", "insert into t values (1, 'a')",
          "create sequence q", "create view v as select id from t",
          "create user low identified by \"Low-Secret-1\" quota unlimited on users",
          "create user other identified by \"Low-Secret-2\"", "grant create session to low"}) {
      ASSERT_EQ(run("APP", sql), kFine) << sql;
    }
  }

  void open(const std::string& data_dir) {
    sessions_.clear();
    database_.reset();
    DatabaseOptions options;
    options.data_dir = data_dir;
    database_ = Database::open(options);
    database_->ensure_user("APP", "App-Secret-1");
  }

  Session& session(const std::string& user) {
    auto& slot = sessions_[user];
    if (!slot) {
      SessionIdentity identity;
      identity.user = user;
      slot = database_->connect(identity);
    }
    return *slot;
  }

  /// The ORA- number of a statement, all its rows read; 0 when it succeeded.
  int run(const std::string& user, const std::string& sql) {
    try {
      auto statement = session(user).prepare(sql);
      auto result = statement->execute({}, {});
      rows_.clear();
      Row row;
      while (result.rows && result.rows->next(row)) rows_.push_back(row);
      if (!result.rows) session(user).commit();
      return kFine;
    } catch (const OraError& error) {
      return error.code();
    }
  }

  /// First column of all rows.
  std::vector<std::string> texts(const std::string& user, const std::string& sql) {
    EXPECT_EQ(run(user, sql), kFine) << sql;
    std::vector<std::string> out;
    for (const Row& row : rows_) out.push_back(row[0].is_null() ? "" : row[0].text());
    return out;
  }

  std::unique_ptr<Database> database_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  std::vector<Row> rows_;
};

using Texts = std::vector<std::string>;

TEST_F(Privileges, AnObjectWithoutAnyRightDoesNotExist) {
  EXPECT_EQ(run("LOW", "select * from app.t"), 942);
  EXPECT_EQ(run("LOW", "insert into app.t values (2, 'b')"), 942);
  EXPECT_EQ(run("LOW", "update app.t set s = 'b'"), 942);
  EXPECT_EQ(run("LOW", "delete from app.t"), 942);
  EXPECT_EQ(run("LOW", "select app.q.nextval from dual"), 2289);
  EXPECT_EQ(run("LOW", "drop table app.t"), 942);
  EXPECT_EQ(run("LOW", "lock table app.t in exclusive mode"), 942);
  EXPECT_EQ(run("LOW", "grant select on app.t to other"), 942);
  EXPECT_EQ(texts("LOW", "select table_name from all_tables where owner = 'APP'"), Texts{});
}

TEST_F(Privileges, WhatIsSeenButNotAllowedLacksAPrivilege) {
  ASSERT_EQ(run("APP", "grant select on t to low"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t for update"), kFine);
  session("LOW").rollback();
  EXPECT_EQ(run("LOW", "insert into app.t values (2, 'b')"), 1031);
  EXPECT_EQ(run("LOW", "update app.t set s = 'b'"), 1031);
  EXPECT_EQ(run("LOW", "delete from app.t"), 1031);
  EXPECT_EQ(run("LOW", "drop table app.t"), 1031);
  EXPECT_EQ(run("LOW", "alter table app.t add x number"), 1031);
  EXPECT_EQ(run("LOW", "create index i on app.t (s)"), 1031);
  EXPECT_EQ(run("LOW", "grant select on app.t to other"), 1031);
  EXPECT_EQ(texts("LOW", "select table_name from all_tables where owner = 'APP'"), Texts{"T"});
  ASSERT_EQ(run("APP", "revoke select on t from low"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t"), 942);
}

TEST_F(Privileges, ReadingAtAnEarlierMomentAndLockingRowsAreRightsOfTheirOwn) {
  ASSERT_EQ(run("APP", "grant read on t to low"), kFine);
  const std::string as_of =
      "select * from app.t as of scn " + std::to_string(database_->current_scn());
  EXPECT_EQ(run("LOW", "select * from app.t"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t for update"), 1031);
  EXPECT_EQ(run("LOW", as_of), 1031);
  ASSERT_EQ(run("APP", "grant flashback on t to low"), kFine);
  EXPECT_EQ(run("LOW", as_of), kFine);
  ASSERT_EQ(run("APP", "revoke flashback on t from low"), kFine);
  ASSERT_EQ(run("APP", "grant flashback any table to low"), kFine);
  EXPECT_EQ(run("LOW", as_of), kFine);
}

TEST_F(Privileges, ChangingRowsThatWhereChoosesNeedsSelectToo) {
  ASSERT_EQ(run("APP", "grant update, delete on t to low"), kFine);
  EXPECT_EQ(run("LOW", "update app.t set s = 'b'"), kFine);
  EXPECT_EQ(run("LOW", "update app.t set s = 'b' where id = 1"), 1031);
  EXPECT_EQ(run("LOW", "delete from app.t where id = 1"), 1031);
  ASSERT_EQ(run("APP", "grant select on t to low"), kFine);
  EXPECT_EQ(run("LOW", "delete from app.t where id = 1"), kFine);
}

TEST_F(Privileges, GrantsOnColumnsAreForThoseColumns) {
  ASSERT_EQ(run("APP", "grant insert (id), update (s) on t to low"), kFine);
  EXPECT_EQ(run("LOW", "insert into app.t (id) values (2)"), kFine);
  EXPECT_EQ(run("LOW", "insert into app.t (id, s) values (3, 'c')"), 1031);
  EXPECT_EQ(run("LOW", "insert into app.t values (3, 'c')"), 1031);
  EXPECT_EQ(run("LOW", "update app.t set s = 'x'"), kFine);
  EXPECT_EQ(run("LOW", "update app.t set id = 9"), 1031);
  EXPECT_EQ(texts("LOW", "select column_name from user_col_privs order by 1"), (Texts{"ID", "S"}));
}

TEST_F(Privileges, GrantOptionPassesOnAndIsTakenBackWithItsGrants) {
  ASSERT_EQ(run("APP", "grant select on t to low with grant option"), kFine);
  EXPECT_EQ(run("LOW", "grant select on app.t to other"), kFine);
  EXPECT_EQ(run("LOW", "grant insert on app.t to other"), 1031);
  EXPECT_EQ(run("OTHER", "select * from app.t"), kFine);
  EXPECT_EQ(run("LOW", "revoke insert on app.t from other"), 1927);
  ASSERT_EQ(run("APP", "revoke select on t from low"), kFine);
  EXPECT_EQ(run("OTHER", "select * from app.t"), 942);
}

TEST_F(Privileges, RolesHoldRightsAndRoles) {
  for (const char* sql : {"create role reader", "create role clerk", "grant select on t to reader",
                          "grant reader to clerk", "grant clerk to low"}) {
    ASSERT_EQ(run("APP", sql), kFine) << sql;
  }
  EXPECT_EQ(run("LOW", "select * from app.t"), kFine);
  EXPECT_EQ(texts("LOW", "select role from session_roles order by 1"), (Texts{"CLERK", "READER"}));
  EXPECT_EQ(run("APP", "grant clerk to reader"), 1934);
  EXPECT_EQ(run("APP", "create role low"), 1921);
  EXPECT_EQ(run("APP", "grant nothing_known to low"), 1919);
  EXPECT_EQ(run("APP", "grant select on t to nobody"), 1917);
  EXPECT_EQ(run("APP", "revoke reader from low"), 1951);
  ASSERT_EQ(run("APP", "drop role clerk"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t"), 942);
}

TEST_F(Privileges, AViewIsReadWithItsOwnersRights) {
  ASSERT_EQ(run("APP", "grant select on v to low"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.v"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t"), 942);
  // Through a role the owner of a view has no rights in it.
  for (const char* sql : {"create role reader", "grant select on t to reader",
                          "grant reader, create view to other"}) {
    ASSERT_EQ(run("APP", sql), kFine) << sql;
  }
  ASSERT_EQ(run("OTHER", "create view w as select * from app.t"), kFine);
  ASSERT_EQ(run("OTHER", "grant select on w to low"), kFine);
  EXPECT_EQ(run("LOW", "select * from other.w"), 4063);
  ASSERT_EQ(run("APP", "grant select on t to other"), kFine);
  EXPECT_EQ(run("LOW", "select * from other.w"), kFine);
}

TEST_F(Privileges, SystemPrivilegesAllowDdl) {
  EXPECT_EQ(run("LOW", "create table mine (a number)"), 1031);
  EXPECT_EQ(run("LOW", "create user u identified by u"), 1031);
  EXPECT_EQ(run("LOW", "create sequence s"), 1031);
  EXPECT_EQ(run("LOW", "create view x as select 1 a from dual"), 1031);
  EXPECT_EQ(run("LOW", "alter system set undo_retention = 0"), 1031);
  EXPECT_EQ(run("LOW", "create role r"), 1031);
  EXPECT_EQ(run("LOW", "grant create table to low"), 1031);
  ASSERT_EQ(run("APP", "grant create table to low"), kFine);
  EXPECT_EQ(run("LOW", "create table mine (a number)"), kFine);
  EXPECT_EQ(run("LOW", "create table app.theirs (a number)"), 1031);
  EXPECT_EQ(run("LOW", "create table child (a number references app.t (id))"), 942);
  ASSERT_EQ(run("APP", "grant references on t to low"), kFine);
  EXPECT_EQ(run("LOW", "create table child (a number references app.t (id))"), kFine);
  EXPECT_EQ(run("LOW", "alter user low identified by \"New-Secret-1\""), kFine);
  EXPECT_EQ(run("LOW", "alter user app identified by \"New-Secret-1\""), 1031);
}

TEST_F(Privileges, RowsNeedAQuotaForTheirTablesOwner) {
  ASSERT_EQ(run("APP", "grant create table to other"), kFine);
  ASSERT_EQ(run("OTHER", "create table mine (a number)"), kFine);
  EXPECT_EQ(run("OTHER", "insert into mine values (1)"), 1950);
  ASSERT_EQ(run("APP", "alter user other quota 10M on users"), kFine);
  EXPECT_EQ(run("OTHER", "insert into mine values (1)"), kFine);
}

TEST_F(Privileges, DictionaryViewsOfTheDatabaseAreForThoseWhoMayReadThem) {
  EXPECT_EQ(run("LOW", "select * from dba_tables"), 942);
  EXPECT_EQ(run("LOW", "select current_scn from v$database"), 942);
  EXPECT_EQ(run("LOW", "select banner from v$version"), kFine);
  EXPECT_EQ(run("LOW", "select dbms_flashback.get_system_change_number from dual"), 904);
  ASSERT_EQ(run("APP", "grant select on v_$database to low"), kFine);
  EXPECT_EQ(run("APP", "grant select on sys.v$database to low"), 2030);
  ASSERT_EQ(run("APP", "grant execute on dbms_flashback to low"), kFine);
  EXPECT_EQ(run("LOW", "select current_scn from v$database"), kFine);
  EXPECT_EQ(run("LOW", "select dbms_flashback.get_system_change_number from dual"), kFine);
  EXPECT_EQ(run("LOW", "select * from v$session"), 942);
  ASSERT_EQ(run("APP", "grant select_catalog_role to low"), kFine);
  EXPECT_EQ(run("LOW", "select * from dba_tables"), kFine);
  EXPECT_EQ(run("LOW", "select * from v$session"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t"), 942);
}

TEST_F(Privileges, GrantsShowInTheDictionary) {
  ASSERT_EQ(run("APP", "grant select, insert on t to low"), kFine);
  EXPECT_EQ(texts("LOW", "select privilege from user_tab_privs where owner = 'APP' order by 1"),
            (Texts{"INSERT", "SELECT"}));
  EXPECT_EQ(texts("LOW", "select privilege from session_privs"), Texts{"CREATE SESSION"});
  EXPECT_EQ(texts("LOW", "select username from user_sys_privs"), Texts{"LOW"});
  EXPECT_EQ(texts("APP", "select granted_role from user_role_privs"), Texts{"DBA"});
  ASSERT_EQ(run("APP", "alter table t rename to t2"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t2"), kFine);
  ASSERT_EQ(run("APP", "drop table t2"), kFine);
  ASSERT_EQ(run("APP", "create table t2 (id number)"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t2"), 942);
}

TEST_F(Privileges, PublicIsEverybody) {
  ASSERT_EQ(run("APP", "grant select on t to public"), kFine);
  EXPECT_EQ(run("LOW", "select * from app.t"), kFine);
  EXPECT_EQ(run("OTHER", "select * from app.t"), kFine);
  EXPECT_EQ(run("APP", "grant execute on t to public"), 2224);
  EXPECT_EQ(run("APP", "grant select on t to app"), 1749);
}

TEST_F(Privileges, LastBeyondARestart) {
  const auto dir =
      std::filesystem::temp_directory_path() / ("orasim-privileges-" + std::to_string(::getpid()));
  std::filesystem::create_directory(dir);
  open(dir.string());
  for (const char* sql :
       {"create table t (id number)", "create role reader",
        "create user low identified by \"Low-Secret-1\"", "grant create session to low",
        "grant select on t to reader", "grant reader to low"}) {
    ASSERT_EQ(run("APP", sql), kFine) << sql;
  }
  EXPECT_FALSE(database_->find_user("NOBODY").has_value());
  open(dir.string());
  EXPECT_TRUE(database_->find_user("LOW")->can_create_session);
  EXPECT_EQ(run("LOW", "select * from app.t"), kFine);
  EXPECT_EQ(run("LOW", "insert into app.t values (1)"), 1031);
  sessions_.clear();
  database_.reset();
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace orasim
