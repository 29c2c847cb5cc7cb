#include "connect/oracle/statement.h"

#include <gtest/gtest.h>

#include "connect/oracle/errors.h"

namespace wherry::oracle {
namespace {

TEST(Statement, KindIsToldByTheFirstWord) {
  EXPECT_EQ(kind_of_statement("select 1 from dual"), StatementKind::kQuery);
  EXPECT_EQ(kind_of_statement(" -- a comment\n /* begin */ ((SELECT 1"), StatementKind::kQuery);
  EXPECT_EQ(kind_of_statement("With x as (select 1 from dual) select * from x"),
            StatementKind::kQuery);
  EXPECT_EQ(kind_of_statement("begin null; end;"), StatementKind::kPlsql);
  EXPECT_EQ(kind_of_statement("Declare x number; begin null; end;"), StatementKind::kPlsql);
  EXPECT_EQ(kind_of_statement("merge into t"), StatementKind::kDml);
  EXPECT_EQ(kind_of_statement("create table t (a number)"), StatementKind::kDdl);
  EXPECT_EQ(kind_of_statement("set transaction read only"), StatementKind::kOther);
  EXPECT_EQ(kind_of_statement(""), StatementKind::kOther);
  EXPECT_EQ(kind_of_statement("/* never ends"), StatementKind::kOther);
}

TEST(Errors, ClassifyByNumber) {
  struct Case {
    std::uint32_t number;
    ErrorKind kind;
    const char* code;
  };
  for (const Case& one : {Case{1017, ErrorKind::kAuth, "oracle.wrong_password"},
                          Case{28000, ErrorKind::kAuth, "oracle.account_locked"},
                          Case{28001, ErrorKind::kAuth, "oracle.password_expired"},
                          Case{1045, ErrorKind::kPermission, "oracle.no_create_session"},
                          Case{12514, ErrorKind::kConfig, "oracle.unknown_service"},
                          Case{1034, ErrorKind::kTransient, "oracle.not_open"},
                          Case{942, ErrorKind::kSchema, "oracle.unknown_table"},
                          Case{1031, ErrorKind::kPermission, "oracle.missing_privilege"},
                          Case{1555, ErrorKind::kPositionLost, "oracle.snapshot_too_old"},
                          Case{3113, ErrorKind::kTransient, "oracle.connection_lost"},
                          Case{603, ErrorKind::kTransient, "oracle.connection_lost"},
                          Case{99999, ErrorKind::kUnsupported, "oracle.server"}}) {
    const Error error = server_error(one.number, "ORA-x: text\n", 7);
    EXPECT_EQ(error.kind, one.kind) << one.number;
    EXPECT_EQ(error.code, one.code) << one.number;
    EXPECT_EQ(error.native_code, ora_code(one.number));
    EXPECT_EQ(error.native_text, "ORA-x: text");
    ASSERT_EQ(error.fields.size(), 1U);
    EXPECT_EQ(error.fields[0].value, "7");
    EXPECT_FALSE(error.hint.empty()) << one.number;
  }
}

TEST(Errors, EveryKnownNumberIsFound) {
  // The table must be sorted, or look-ups miss.
  for (const std::uint32_t number :
       {1U, 54U, 904U, 1005U, 1092U, 1466U, 2391U, 4031U, 8180U, 12154U, 12660U, 22924U, 28040U}) {
    EXPECT_NE(server_error(number, "").code, "oracle.server") << number;
  }
}

}  // namespace
}  // namespace wherry::oracle
