// The tree of an anonymous block: parsed once, then run, so that loops do not read text again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/error.h"
#include "engine/session.h"
#include "exec/ast.h"

namespace orasim::plsql {

enum class Kind : std::uint8_t {
  kSql,
  kSelectInto,
  kCommit,
  kRollback,
  kSavepoint,
  kRollbackTo,
  kNull,
  kBlock,
  kAssign,
  kIf,
  kFor,
  kForRows,  ///< over a query in `sql`, or the cursor variable in `targets`
  kWhile,
  kLoop,
  kExit,
  kContinue,
  kReturn,
  kRaise,
  kRaiseApplicationError,
  kExecute,
  kOpen,            ///< OPEN cursor FOR: a query in `sql`, or text and USING in `exprs`; or neither
  kFetch,           ///< FETCH the cursor `name` into `targets`; LIMIT of BULK COLLECT in `exprs`
  kClose,           ///< CLOSE cursor
  kReturnResult,    ///< DBMS_SQL.RETURN_RESULT
  kDeleteElements,  ///< v.DELETE, v.DELETE(i)
  kLogMiner,        ///< DBMS_LOGMNR: the procedure in `name`, arguments in `exprs`, null: not given
  kOutput,     ///< DBMS_OUTPUT: the procedure in `name`, IN values in `exprs`, OUT in `targets`
  kTypeShape,  ///< x := DBMS_PICKLER.GET_TYPE_SHAPE (name, eight out parameters)
};

struct Block;
struct Node;
using Body = std::vector<std::unique_ptr<Node>>;

/// An exception by its number, or by its name when it is a user-defined one without a number.
struct ExceptionName {
  std::string name;
  int code = 0;
};

struct Branch {
  ast::ExprPtr condition;  ///< null: ELSE
  Body body;
};

/// Where a value goes: a bind, or the variable `name` when `bind` is -1, or an element of it.
struct Target {
  std::string name;
  int bind = -1;
  int pos = 0;
  ast::ExprPtr index = nullptr;
};

struct Node {
  Kind kind = Kind::kNull;
  int pos = 0;
  std::string label;  ///< of a loop; of the loop that EXIT and CONTINUE name
  std::string name;   ///< savepoint or loop variable
  std::variant<std::monostate, ast::Insert, ast::Update, ast::Delete, ast::Merge, ast::QueryPtr>
      sql;
  std::vector<Target> targets;      ///< assignment, SELECT INTO, out binds of RETURNING
  std::vector<ast::ExprPtr> exprs;  ///< condition, bounds, arguments; EXECUTE: text, then USING
  std::vector<Branch> branches;
  Body body;
  std::unique_ptr<Block> block;
  ExceptionName exception;  ///< of RAISE; without a name: the one being handled
  bool reverse = false;
  bool is_bulk = false;  ///< SELECT … BULK COLLECT INTO
};

struct Declaration {
  std::string name;
  int pos = 0;
  DataType type;
  bool is_typed = true;           ///< false for table.column%TYPE: keeps what is assigned
  std::string type_of;            ///< variable%TYPE
  bool is_table = false;          ///< an index-by table of `type`
  ast::QueryPtr query = nullptr;  ///< CURSOR name IS
  bool is_constant = false, is_not_null = false;
  ast::ExprPtr initial;
};

struct Handler {
  bool others = false;
  std::vector<ExceptionName> exceptions;
  Body body;
};

struct Block {
  std::vector<Declaration> declarations;
  Body body;
  std::vector<Handler> handlers;
};

struct Program {
  Block block;
  std::vector<BindInfo> binds;
};

/// ORA-06550. Oracle finds these before a block runs, so no handler may catch them.
class CompileError : public OraError {
 public:
  using OraError::OraError;
};

/// Throws CompileError: `text` after the line and column of `pos`.
[[noreturn]] void fail_compile(std::string_view sql, int pos, const std::string& text);
/// 1-based line of a byte offset.
int line_of(std::string_view sql, int pos);
/// Errors that Oracle reports when it compiles the statement, not when it runs.
[[nodiscard]] inline bool is_compile_code(int code) {
  return (code >= 900 && code <= 999) || code == 2289;
}

/// Throws CompileError, or the lexer's own error.
Program parse_block(std::string_view sql);

}  // namespace orasim::plsql
