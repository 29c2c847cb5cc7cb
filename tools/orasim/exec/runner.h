// What an anonymous block needs of the session to run the statements inside it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/session.h"
#include "engine/value.h"
#include "exec/ast.h"
#include "exec/dbms_output.h"

namespace orasim {

class StatementRunner {
 public:
  virtual ~StatementRunner() = default;
  /// Rows touched. Names that are no columns are looked up in variables().
  virtual std::uint64_t run(const ast::Insert&) = 0;
  virtual std::uint64_t run(const ast::Update&) = 0;
  virtual std::uint64_t run(const ast::Delete&) = 0;
  virtual std::uint64_t run(const ast::Merge&) = 0;
  /// At most `limit` rows.
  virtual std::vector<Row> select(const ast::Query&, std::size_t limit) = 0;
  virtual Value evaluate(const ast::Expr&) = 0;
  /// OPEN … FOR: the cursor reads at this moment, with the variables and binds of this moment, and
  /// lives on after the block.
  virtual CursorRef open_cursor(const ast::Query&) = 0;
  /// The same of a text; ORA-06539 when it is no query.
  virtual CursorRef open_cursor(const std::string& sql, const Row& using_values) = 0;
  /// DBMS_SQL.RETURN_RESULT.
  virtual void return_result(CursorRef cursor) = 0;
  /// ORA-01013 when the session was told to cancel.
  virtual void check_cancel() = 0;
  virtual void commit() = 0;
  virtual void rollback() = 0;
  virtual void savepoint(const std::string& name) = 0;
  virtual void rollback_to(const std::string& name) = 0;
  /// Any statement by its text (EXECUTE IMMEDIATE); `using_values` are its binds.
  virtual void execute(const std::string& sql, const Row& using_values) = 0;
  /// Marks for the rollback of a failed statement or block.
  virtual std::uint64_t mark() = 0;
  virtual void rollback_to_mark(std::uint64_t mark) = 0;
  /// PL/SQL variables by upper-case name, and the block's binds in wire order.
  virtual std::map<std::string, Value>& variables() = 0;
  virtual Row& binds() = 0;
  virtual DbmsOutput& output() = 0;
  /// A procedure of DBMS_LOGMNR; NULL for arguments not given.
  virtual void call_logminer(const std::string& procedure, const std::vector<Value>& arguments) = 0;
  /// Without an owner one of the current schema. nullptr: no such type.
  virtual std::shared_ptr<const ObjectType> find_type(const std::string& owner,
                                                      const std::string& name) = 0;
  /// Converts for an assignment: to the declared type of a variable.
  virtual Value convert_value(const Value& value, const DataType& type) = 0;
};

}  // namespace orasim
