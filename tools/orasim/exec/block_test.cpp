// Control flow, variables, exceptions and binds of anonymous blocks, against a runner that knows
// literals, names, + and comparisons, and tables only as lists of inserted values.
#include "exec/block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "exec/errors.h"

namespace orasim {
namespace {

class RecordingRunner : public StatementRunner {
 public:
  std::vector<std::string> log;
  std::vector<Row> answer;   ///< what every SELECT gives
  int fail_insert_with = 0;  ///< ORA- number of the next INSERT

  void call_logminer(const std::string& procedure, const std::vector<Value>& arguments) override {
    std::string text = "logminer " + procedure;
    for (const Value& v : arguments) text += " " + (v.is_null() ? std::string("-") : show(v));
    log.push_back(text);
  }
  std::uint64_t run(const ast::Insert& s) override {
    const int code = std::exchange(fail_insert_with, 0);
    if (code != 0) raise(code, s.targets[0].pos);
    std::string text = "insert " + s.targets[0].table.back().text;
    for (const auto& v : s.targets[0].values) text += " " + show(evaluate(*v));
    log.push_back(text);
    return 1;
  }
  std::uint64_t run(const ast::Update&) override { return log.emplace_back("update"), 2; }
  std::uint64_t run(const ast::Delete&) override { return log.emplace_back("delete"), 0; }
  std::uint64_t run(const ast::Merge&) override { return log.emplace_back("merge"), 1; }
  std::vector<Row> select(const ast::Query&, std::size_t limit) override {
    return {answer.begin(),
            answer.begin() + static_cast<std::ptrdiff_t>(std::min(limit, answer.size()))};
  }
  Value evaluate(const ast::Expr& e) override {
    using ast::ExprKind;
    switch (e.kind) {
      case ExprKind::kLiteral:
        return e.value;
      case ExprKind::kBind:
        return binds_.at(static_cast<std::size_t>(e.bind));
      case ExprKind::kName: {
        const auto found = variables_.find(e.name.back().text);
        if (found == variables_.end()) raise_invalid_identifier(e.name.back().text, e.begin);
        return found->second;
      }
      case ExprKind::kBinary: {
        const Number a = evaluate(*e.args[0]).number();
        const Number b = evaluate(*e.args[1]).number();
        return make_number(*(e.op == "+" ? Number::add(a, b) : Number::subtract(a, b)));
      }
      case ExprKind::kUnary:
        return make_number(evaluate(*e.args[0]).number().negated());
      case ExprKind::kCompare: {
        const auto order = evaluate(*e.args[0]).number() <=> evaluate(*e.args[1]).number();
        const bool yes = e.op == "=" ? order == 0 : e.op == ">" ? order > 0 : order < 0;
        return Value{Type::kBoolean, false, yes};
      }
      default:
        raise(936, e.begin);
    }
  }
  void check_cancel() override {}
  CursorRef open_cursor(const ast::Query&) override {
    log.emplace_back("open");
    return an_open_cursor();
  }
  CursorRef open_cursor(const std::string& sql, const Row& values) override {
    log.push_back("open " + sql + " using " + std::to_string(values.size()));
    return an_open_cursor();
  }
  void return_result(CursorRef cursor) override {
    log.push_back(cursor->rows ? "result" : "closed result");
  }
  void commit() override {
    log.emplace_back("commit");
    committed_ = log.size();
  }
  void rollback() override { log.emplace_back("rollback"); }
  void savepoint(const std::string& name) override { log.push_back("savepoint " + name); }
  void rollback_to(const std::string& name) override { log.push_back("rollback to " + name); }
  void execute(const std::string& sql, const Row& values) override {
    log.push_back(sql + " using " + std::to_string(values.size()));
  }
  // Marks count within a transaction, so they start again after a commit.
  std::uint64_t mark() override { return log.size() - committed_; }
  void rollback_to_mark(std::uint64_t mark) override { log.resize(committed_ + mark); }
  std::map<std::string, Value>& variables() override { return variables_; }
  Row& binds() override { return binds_; }
  DbmsOutput& output() override { return output_; }
  std::shared_ptr<const ObjectType> find_type(const std::string&, const std::string&) override {
    return nullptr;
  }
  Value convert_value(const Value& v, const DataType& type) override {
    if (v.is_null()) return make_null(type.type);
    if (type.type == Type::kVarchar2) return make_text(show(v));
    return v;
  }
  static std::string show(const Value& v) {
    return v.is_null() ? "null" : v.type == Type::kNumber ? v.number().to_string() : v.text();
  }

 private:
  struct NoRows : RowStream {
    bool next(Row&) override { return false; }
  };
  static CursorRef an_open_cursor() {
    auto cursor = std::make_shared<OpenCursor>();
    cursor->rows = std::make_unique<NoRows>();
    return cursor;
  }

  std::size_t committed_ = 0;
  std::map<std::string, Value> variables_;
  Row binds_;
  DbmsOutput output_;
};

using Lines = std::vector<std::string>;

Lines run(RecordingRunner& runner, std::string_view sql) {
  run_block(sql, runner);
  return runner.log;
}
Lines run(std::string_view sql) {
  RecordingRunner runner;
  return run(runner, sql);
}
std::string error_of(RecordingRunner& runner, std::string_view sql) {
  try {
    run(runner, sql);
  } catch (const OraError& e) {
    return e.what();
  }
  return "no error";
}
std::string error_of(std::string_view sql) {
  RecordingRunner runner;
  return error_of(runner, sql);
}

TEST(Block, RunsStatementsInOrder) {
  EXPECT_EQ(run("BEGIN\n  INSERT INTO t VALUES (1);\n  -- ;\n  UPDATE t SET a = 1;\n"
                "  COMMIT;\n  NULL;\nEND;"),
            (Lines{"insert T 1", "update", "commit"}));
}

TEST(Block, KeepsVariablesOfNestedBlocksApart) {
  EXPECT_EQ(run("DECLARE x NUMBER := 1; s VARCHAR2(10); BEGIN s := 'a';"
                " DECLARE x NUMBER := 5; BEGIN x := x + 1; INSERT INTO t VALUES (x, s); END;"
                " INSERT INTO t VALUES (x, s); END;"),
            (Lines{"insert T 6 a", "insert T 1 a"}));
}

TEST(Block, LoopsAndBranches) {
  EXPECT_EQ(run("BEGIN FOR i IN 1..4 LOOP CONTINUE WHEN i = 2; EXIT WHEN i = 4;"
                " INSERT INTO t VALUES (i); END LOOP; END;"),
            (Lines{"insert T 1", "insert T 3"}));
  EXPECT_EQ(run("BEGIN FOR i IN REVERSE 1..2 LOOP INSERT INTO t VALUES (i); END LOOP; END;"),
            (Lines{"insert T 2", "insert T 1"}));
  EXPECT_EQ(run("DECLARE n NUMBER := 0; BEGIN WHILE n < 2 LOOP n := n + 1; END LOOP;"
                " IF n = 1 THEN NULL; ELSIF n = 2 THEN INSERT INTO t VALUES (n);"
                " ELSE NULL; END IF; END;"),
            (Lines{"insert T 2"}));
}

TEST(Block, CountsRowsOfTheLastStatement) {
  EXPECT_EQ(run("BEGIN UPDATE t SET a = 1; IF SQL%ROWCOUNT = 2 THEN INSERT INTO t VALUES (9);"
                " END IF; END;"),
            (Lines{"update", "insert T 9"}));
}

TEST(Block, AssignsBindsAndSaysWhichAreOut) {
  const std::string sql = "BEGIN :a := :b + 1; IF :b = 4 THEN :c := 1; END IF; END;";
  const auto binds = block_binds(sql);
  ASSERT_EQ(binds.size(), 3u);
  EXPECT_EQ(binds[1].name, "B");
  RecordingRunner runner;
  runner.binds() = {make_null(Type::kNumber), make_int(4), make_null(Type::kNumber)};
  run_block(sql, runner);
  EXPECT_TRUE(binds[0].is_written && !binds[0].is_read);
  EXPECT_TRUE(binds[1].is_read && !binds[1].is_written);
  EXPECT_TRUE(binds[2].is_written && !binds[2].is_read);
  EXPECT_EQ(runner.binds()[0].number().to_string(), "5");
  EXPECT_EQ(runner.binds()[2].number().to_string(), "1");
}

TEST(Block, BindsAreReadOrWrittenAsTheTextSays) {
  const auto binds = block_binds(
      "BEGIN IF 1 = 0 THEN :never := 1; END IF; :both := :both + 1; "
      "SELECT 1 INTO :chosen FROM dual; OPEN :c FOR SELECT :inner FROM dual; END;");
  ASSERT_EQ(binds.size(), 5u);
  const auto is = [&](std::size_t i, bool read, bool written) {
    return binds[i].is_read == read && binds[i].is_written == written;
  };
  EXPECT_TRUE(is(0, false, true)) << binds[0].name;
  EXPECT_TRUE(is(1, true, true)) << binds[1].name;
  EXPECT_TRUE(is(2, false, true)) << binds[2].name;
  EXPECT_TRUE(is(3, false, true)) << binds[3].name;
  EXPECT_TRUE(is(4, true, false)) << binds[4].name;
}

TEST(Block, OpensReturnsAndClosesCursors) {
  EXPECT_EQ(
      run("DECLARE c SYS_REFCURSOR; BEGIN OPEN c FOR SELECT 1 FROM dual; "
          "DBMS_SQL.RETURN_RESULT(c); CLOSE c; OPEN c FOR 'select :1 from dual' USING 7; END;"),
      (Lines{"open", "result", "open select :1 from dual using 1"}));
  RecordingRunner runner;
  const std::string error = error_of(runner, "DECLARE c SYS_REFCURSOR; BEGIN CLOSE c; END;");
  EXPECT_NE(error.find("ORA-01001"), std::string::npos) << error;
}

TEST(Block, SelectIntoWantsExactlyOneRow) {
  const std::string sql =
      "DECLARE x NUMBER; BEGIN SELECT a INTO x FROM t; INSERT INTO u VALUES (x);"
      " EXCEPTION WHEN NO_DATA_FOUND THEN INSERT INTO u VALUES ('none'); END;";
  RecordingRunner runner;
  EXPECT_EQ(run(runner, sql), (Lines{"insert U none"}));
  runner.answer = {{make_int(3)}};
  EXPECT_EQ(run(runner, sql).back(), "insert U 3");
  runner.answer.push_back({make_int(4)});
  EXPECT_EQ(error_of(runner, sql),
            "ORA-01422: exact fetch returns more than requested number of rows\n"
            "ORA-06512: at line 1");
}

TEST(Block, AFailedBlockLeavesNothingBehind) {
  RecordingRunner runner;
  runner.log = {"before"};  // of the same transaction, ahead of the block
  EXPECT_EQ(error_of(runner,
                     "BEGIN\n INSERT INTO t VALUES (1);\n"
                     " RAISE_APPLICATION_ERROR(-20001, 'no');\nEND;"),
            "ORA-20001: no\nORA-06512: at line 3");
  EXPECT_EQ(runner.log, (Lines{"before"}));
  EXPECT_EQ(error_of(runner,
                     "BEGIN INSERT INTO t VALUES (1); COMMIT;"
                     " INSERT INTO t VALUES (2); RAISE NO_DATA_FOUND; END;"),
            "ORA-01403: no data found\nORA-06512: at line 1");
  EXPECT_EQ(runner.log, (Lines{"before", "insert T 1", "commit"}));
}

TEST(Block, HandlersCatchByNameAndByNumber) {
  RecordingRunner runner;
  runner.fail_insert_with = 1438;
  EXPECT_EQ(run(runner,
                "DECLARE e EXCEPTION; PRAGMA EXCEPTION_INIT(e, -1438); BEGIN"
                " INSERT INTO t VALUES (1); EXCEPTION WHEN ZERO_DIVIDE THEN NULL;"
                " WHEN e THEN INSERT INTO t VALUES (SQLCODE); END;"),
            (Lines{"insert T -1438"}));
  EXPECT_EQ(run("DECLARE mine EXCEPTION; BEGIN BEGIN RAISE mine; EXCEPTION WHEN ZERO_DIVIDE THEN"
                " NULL; END; EXCEPTION WHEN mine THEN INSERT INTO t VALUES (1); END;"),
            (Lines{"insert T 1"}));
  EXPECT_EQ(error_of("DECLARE mine EXCEPTION; BEGIN RAISE mine; END;"),
            "ORA-06510: PL/SQL: unhandled user-defined exception\nORA-06512: at line 1");
  EXPECT_EQ(error_of("BEGIN\nRAISE ZERO_DIVIDE;\nEXCEPTION WHEN OTHERS THEN\nRAISE; END;"),
            "ORA-01476: divisor is equal to zero\nORA-06512: at line 4\nORA-06512: at line 2");
}

TEST(Block, MistakesInNamesAreFoundBeforeHandlersCanCatchThem) {
  EXPECT_EQ(
      error_of("BEGIN\n  INSERT INTO t VALUES (nope);\nEXCEPTION WHEN OTHERS THEN NULL;\nEND;"),
      "ORA-06550: line 2, column 25:\nPL/SQL: ORA-00904: NOPE: invalid identifier");
  EXPECT_EQ(error_of("BEGIN\n nothing.here(1);\nEXCEPTION WHEN OTHERS THEN NULL; END;"),
            "ORA-06550: line 2, column 2:\nPLS-00201: identifier 'NOTHING.HERE' must be declared");
  RecordingRunner runner;
  runner.fail_insert_with = 942;
  EXPECT_EQ(error_of(runner, "BEGIN\n INSERT INTO missing VALUES (1);\nEND;"),
            "ORA-06550: line 2, column 14:\nPL/SQL: ORA-00942: table or view does not exist");
}

TEST(Block, SyntaxErrorsNameLineAndColumn) {
  EXPECT_EQ(
      error_of("BEGIN\n  x := 1\nEND;")
          .rfind("ORA-06550: line 3, column 1:\nPLS-00103: Encountered the symbol \"END\"", 0),
      0u);
  for (const char* sql :
       {"BEGIN", "BEGIN END;", "DECLARE", "BEGIN NULL; END; x", "BEGIN ;END;",
        "BEGIN IF 1 = 1 THEN NULL; END; END;", "BEGIN INSERT INTO t VALUES (1 END;",
        "BEGIN SELECT 1 FROM dual; END;", "DECLARE x NOTYPE; BEGIN NULL; END;", "BEGIN :a; END;"}) {
    EXPECT_EQ(error_of(sql).substr(0, 9), "ORA-06550") << sql;
  }
}

TEST(Block, SuppliedPackagesAndDynamicStatements) {
  EXPECT_EQ(run("BEGIN dbms_output.put_line('x'); dbms_stats.gather_schema_stats('SH',"
                " granularity => 'ALL', cascade => TRUE, estimate_percent => NULL);"
                " EXECUTE IMMEDIATE 'drop table t' USING 1, 2; SAVEPOINT a; ROLLBACK TO a; END;"),
            (Lines{"drop table t using 2", "savepoint A", "rollback to A"}));
}

}  // namespace
}  // namespace orasim
