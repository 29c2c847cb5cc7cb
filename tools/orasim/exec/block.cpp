// Runs anonymous blocks: walks the tree, keeps the variables and finds the exception handlers.
#include "exec/block.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "exec/block_tree.h"
#include "exec/convert.h"
#include "exec/errors.h"
#include "exec/lexer.h"
#include "exec/type_shape.h"

namespace orasim {
namespace plsql {
namespace {

/// What a handler can catch: ORA-`code` with its text; `trace` are the ORA-06512 lines.
struct Raised {
  int code = 0;
  std::string text;
  std::string trace;
  std::string name;  ///< of a user-defined exception without a number
  int pos = 0;
};

enum class Flow { kNext, kExit, kContinue, kReturn };

struct Variable {
  DataType type;  ///< of a table: of its elements
  bool is_typed = false, is_constant = false, is_not_null = false;
  bool is_table = false;
  const ast::Query* query = nullptr;  ///< of a declared cursor
};

constexpr int kUserDefined = 6510;
constexpr int kCancelled = 1013;

/// "ORA-00942: table …" without the number.
std::string text_after_number(const OraError& e) {
  const std::string full = e.what();
  return full.substr(full.find(": ") + 2);
}

/// The name in ORA-00904's `"T"."C": invalid identifier`, as PLS-00201 shows it.
std::string identifier_of(const OraError& e) {
  std::string text = text_after_number(e);
  text.resize(std::min(text.size(), text.find(": ")));
  std::erase(text, '"');
  return text;
}

class Machine {
 public:
  Machine(std::string_view sql, StatementRunner& runner) : sql_(sql), runner_(runner) {}

  void run_program(const Block& block) {
    mark_ = runner_.mark();
    try {
      Scope scope(*this);
      declare_builtins(scope);
      run(block);
    } catch (const Raised& r) {
      runner_.rollback_to_mark(mark_);
      throw OraError(r.code, r.text + r.trace, r.pos);
    } catch (const OraError& e) {
      runner_.rollback_to_mark(mark_);
      throw OraError(e);  // a plain one: the block around may catch it
    }
  }

 private:
  /// Names declared in a block; gives back what they hid.
  class Scope {
   public:
    explicit Scope(Machine& machine) : machine_(machine) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      for (auto it = hidden_.rbegin(); it != hidden_.rend(); ++it) restore(*it);
    }

    void declare(const std::string& name, const Variable& variable, Value value) {
      auto& values = machine_.runner_.variables();
      Hidden hidden{name, {}, {}};
      if (const auto v = values.find(name); v != values.end()) hidden.value = v->second;
      if (const auto v = machine_.variables_.find(name); v != machine_.variables_.end()) {
        hidden.variable = v->second;
      }
      hidden_.push_back(std::move(hidden));
      values[name] = std::move(value);
      machine_.variables_[name] = variable;
    }

   private:
    struct Hidden {
      std::string name;
      std::optional<Value> value;
      std::optional<Variable> variable;
    };

    void restore(const Hidden& h) {
      if (h.value) {
        machine_.runner_.variables()[h.name] = *h.value;
      } else {
        machine_.runner_.variables().erase(h.name);
      }
      if (h.variable) {
        machine_.variables_[h.name] = *h.variable;
      } else {
        machine_.variables_.erase(h.name);
      }
    }

    Machine& machine_;
    std::vector<Hidden> hidden_;
  };

  static Variable constant() {
    Variable v;
    v.is_constant = true;
    return v;
  }

  static void declare_builtins(Scope& scope) {
    scope.declare("TRUE", constant(), Value{Type::kBoolean, false, true});
    scope.declare("FALSE", constant(), Value{Type::kBoolean, false, false});
    scope.declare("SQL", constant(), make_null(Type::kNumber));
    scope.declare("SQLCODE", constant(), make_int(0));
    scope.declare("SQLERRM", constant(), make_text("ORA-0000: normal, successful completion"));
  }

  /// Turns an error of the engine into an exception with the line it came from.
  template <typename F>
  auto traced(int pos, F&& f) {
    try {
      return f();
    } catch (const CompileError&) {
      throw;
    } catch (const OraError& e) {
      throw Raised{e.code(), text_after_number(e), trace_line(pos), "", e.position()};
    }
  }

  // --- blocks and exceptions ------------------------------------------------------------------

  Flow run(const Block& b) {
    Scope scope(*this);
    for (const Declaration& d : b.declarations) declare(d, scope);
    std::optional<Raised> raised;
    try {
      return run(b.body);
    } catch (Raised& r) {
      raised = std::move(r);
    }
    const Handler* handler = find_handler(b, *raised);
    if (handler == nullptr) throw *std::move(raised);
    return handle(*handler, *raised);
  }

  static const Handler* find_handler(const Block& b, const Raised& r) {
    if (r.code == kCancelled) return nullptr;
    for (const Handler& h : b.handlers) {
      if (h.others) return &h;
      for (const ExceptionName& e : h.exceptions) {
        if (e.code == 0 ? e.name == r.name : e.code == r.code) return &h;
      }
    }
    return nullptr;
  }

  Flow handle(const Handler& handler, const Raised& r) {
    Scope scope(*this);
    const bool user_defined = !r.name.empty();
    const int code = user_defined ? 1 : r.code == 1403 ? 100 : -r.code;
    const std::string text =
        user_defined ? "User-Defined Exception" : OraError(r.code, r.text).what();
    scope.declare("SQLCODE", constant(), make_int(code));
    scope.declare("SQLERRM", constant(), make_text(text));
    const Raised* const outer = std::exchange(handled_, &r);
    try {
      const Flow flow = run(handler.body);
      handled_ = outer;
      return flow;
    } catch (...) {
      handled_ = outer;
      throw;
    }
  }

  void declare(const Declaration& d, Scope& scope) {
    Variable v{d.type, d.is_typed, false, false, d.is_table, d.query.get()};
    if (!d.type_of.empty()) {
      const auto source = variables_.find(d.type_of);
      if (source == variables_.end()) fail_undeclared(d.type_of, d.pos);
      v.type = source->second.type;
      v.is_typed = source->second.is_typed;
      v.is_table = source->second.is_table;
    }
    const Value null = v.is_table ? empty_table(v.type) : make_null(v.type.type);
    const Value initial = d.initial ? traced(d.pos, [&] { return evaluate(*d.initial); }) : null;
    scope.declare(d.name, v, null);
    if (v.type.type == Type::kCursor) declare_attributes(d.name, scope);
    if (d.initial || d.is_not_null) {
      variables_[d.name].is_not_null = d.is_not_null;
      traced(d.pos, [&] { assign({d.name, -1, d.pos}, initial); });
    }
    variables_[d.name].is_constant = d.is_constant;
  }

  [[nodiscard]] std::string trace_line(int pos) const {
    return "\nORA-06512: at line " + std::to_string(line_of(sql_, pos));
  }

  [[noreturn]] void fail_undeclared(const std::string& name, int pos) const {
    fail_compile(sql_, pos, "PLS-00201: identifier '" + name + "' must be declared");
  }

  // --- statements -----------------------------------------------------------------------------

  Flow run(const Body& body) {
    for (const auto& node : body) {
      runner_.check_cancel();
      const Flow flow = traced(node->pos, [&] { return run(*node); });
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Flow run(const Node& n) {
    switch (n.kind) {
      case Kind::kBlock:
        return run(*n.block);
      case Kind::kIf:
        return run_if(n);
      case Kind::kFor:
        return run_for(n);
      case Kind::kForRows:
        return run_for_rows(n);
      case Kind::kWhile:
      case Kind::kLoop:
        return run_loop(n);
      case Kind::kExit:
        return leave(n, Flow::kExit);
      case Kind::kContinue:
        return leave(n, Flow::kContinue);
      case Kind::kReturn:
        return Flow::kReturn;
      default:
        run_simple(n);
        return Flow::kNext;
    }
  }

  void run_simple(const Node& n) {
    switch (n.kind) {
      case Kind::kSql:
        return run_sql(n);
      case Kind::kSelectInto:
        return select_into(n);
      case Kind::kAssign:
        return assign(n.targets.front(), evaluate(*n.exprs.front()));
      case Kind::kRaise:
        return raise_exception(n);
      case Kind::kRaiseApplicationError:
        return raise_application_error(n);
      case Kind::kExecute:
        return execute_immediate(n);
      case Kind::kDeleteElements:
        return delete_elements(n);
      case Kind::kOutput:
        return dbms_output(n);
      case Kind::kLogMiner:
        return dbms_logmnr(n);
      case Kind::kOpen:
        return open_cursor(n);
      case Kind::kFetch:
        return n.is_bulk ? fetch_bulk(n) : fetch_row(n);
      case Kind::kClose:
        cursor_of(evaluate(*n.exprs.front()))->rows.reset();
        return set_attributes(n.name, {});
      case Kind::kTypeShape:
        return type_shape(n);
      case Kind::kReturnResult:
        return runner_.return_result(cursor_of(evaluate(*n.exprs.front())));
      default:
        return run_transaction(n);
    }
  }

  void run_transaction(const Node& n) {
    switch (n.kind) {
      case Kind::kCommit:
        runner_.commit();
        break;
      case Kind::kRollback:
        runner_.rollback();
        break;
      case Kind::kRollbackTo:
        runner_.rollback_to(n.name);
        break;
      case Kind::kSavepoint:
        runner_.savepoint(n.name);
        break;
      default:
        break;
    }
    lower_mark();
  }

  /// After a commit or rollback the block's own changes start where the transaction now stands.
  void lower_mark() { mark_ = std::min(mark_, runner_.mark()); }

  /// Runs SQL as one atomic statement; what Oracle finds when compiling is no run-time error.
  template <typename F>
  auto sql_part(int pos, F&& f) {
    const std::uint64_t mark = runner_.mark();
    try {
      return f();
    } catch (const OraError& e) {
      runner_.rollback_to_mark(mark);
      if (!is_compile_code(e.code())) throw;
      fail_compile(sql_, std::max(pos, e.position()), std::string("PL/SQL: ") + e.what());
    }
  }

  void run_sql(const Node& n) {
    const std::uint64_t rows = sql_part(n.pos, [&] {
      if (const auto* insert = std::get_if<ast::Insert>(&n.sql)) return runner_.run(*insert);
      if (const auto* update = std::get_if<ast::Update>(&n.sql)) return runner_.run(*update);
      if (const auto* remove = std::get_if<ast::Delete>(&n.sql)) return runner_.run(*remove);
      return runner_.run(std::get<ast::Merge>(n.sql));
    });
    set_row_count(rows);
  }

  void set_row_count(std::uint64_t rows) {
    runner_.variables()["SQL"] = make_int(static_cast<std::int64_t>(rows));
  }

  /// BULK COLLECT INTO: the columns as tables, empty ones of no rows.
  void collect_into(const Node& n, const std::vector<Row>& rows) {
    set_row_count(rows.size());
    for (std::size_t i = 0; i < n.targets.size(); ++i) {
      std::vector<Value> values;
      for (const Row& row : rows) {
        if (row.size() != n.targets.size()) {
          fail_compile(sql_, n.pos, "PL/SQL: ORA-00947: not enough values");
        }
        values.push_back(row[i]);
      }
      assign(n.targets[i], table_of(std::move(values)));
    }
  }

  void select_into(const Node& n) {
    const auto& query = *std::get<ast::QueryPtr>(n.sql);
    if (n.is_bulk) {
      return collect_into(n, sql_part(n.pos, [&] { return runner_.select(query, SIZE_MAX); }));
    }
    const std::vector<Row> rows = sql_part(n.pos, [&] { return runner_.select(query, 2); });
    set_row_count(std::min<std::size_t>(rows.size(), 1));
    if (rows.empty()) raise(1403);
    if (rows.size() > 1) raise(1422);
    const Row& row = rows.front();
    if (row.size() < n.targets.size()) {
      fail_compile(sql_, n.pos, "PL/SQL: ORA-00947: not enough values");
    }
    if (row.size() > n.targets.size()) {
      fail_compile(sql_, n.pos, "PL/SQL: ORA-00913: too many values");
    }
    for (std::size_t i = 0; i < row.size(); ++i) assign(n.targets[i], row[i]);
  }

  void execute_immediate(const Node& n) {
    const Value text = evaluate(*n.exprs.front());
    if (text.is_null()) {
      raise_text(6535, "statement string in EXECUTE IMMEDIATE is NULL or 0 length");
    }
    Row values;
    for (std::size_t i = 1; i < n.exprs.size(); ++i) values.push_back(evaluate(*n.exprs[i]));
    runner_.execute(std::string(text_of(text)), values);
    lower_mark();
  }

  // --- cursors --------------------------------------------------------------------------------

  /// ORA-01001 for a cursor variable that is not open.
  static CursorRef cursor_of(const Value& v) {
    const auto* cursor = std::get_if<CursorRef>(&v.data);
    if (cursor == nullptr || !(*cursor)->rows) raise(1001);
    return *cursor;
  }

  void open_cursor(const Node& n) {
    CursorRef cursor;
    if (const auto* query = std::get_if<ast::QueryPtr>(&n.sql)) {
      cursor = sql_part(n.pos, [&] { return runner_.open_cursor(**query); });
    } else if (n.exprs.empty()) {
      cursor = open_declared(n.targets.front());
    } else {
      const Value text = evaluate(*n.exprs.front());
      if (text.is_null()) raise_text(6535, "statement string in OPEN is NULL or 0 length");
      Row values;
      for (std::size_t i = 1; i < n.exprs.size(); ++i) values.push_back(evaluate(*n.exprs[i]));
      cursor = runner_.open_cursor(std::string(text_of(text)), values);
    }
    assign(n.targets.front(), Value{Type::kCursor, false, std::move(cursor)});
    set_attributes(n.targets.front().name, CursorState{});
  }

  CursorRef open_declared(const Target& target) {
    const auto found = variables_.find(target.name);
    if (found == variables_.end()) fail_undeclared(target.name, target.pos);
    if (found->second.query == nullptr) {
      fail_compile(sql_, target.pos, "PLS-00382: expression is of wrong type");
    }
    const auto* open = std::get_if<CursorRef>(&runner_.variables()[target.name].data);
    if (open != nullptr && (*open)->rows) raise_text(6511, "PL/SQL: cursor already open");
    return sql_part(target.pos, [&] { return runner_.open_cursor(*found->second.query); });
  }

  /// What the attributes of an open cursor say.
  struct CursorState {
    std::optional<bool> found;
    std::int64_t rows = 0;
  };

  static void declare_attributes(const std::string& cursor, Scope& scope) {
    for (const char* attribute : {"%FOUND", "%NOTFOUND", "%ISOPEN"}) {
      scope.declare(cursor + attribute, constant(), make_null(Type::kBoolean));
    }
    scope.declare(cursor + "%ROWCOUNT", constant(), make_null(Type::kNumber));
  }

  /// nullopt: closed.
  void set_attributes(const std::string& cursor, std::optional<CursorState> state) {
    auto& values = runner_.variables();
    if (!values.contains(cursor + "%ISOPEN")) return;  // a bind, or no cursor
    const auto truth = [](std::optional<bool> value) {
      return value ? Value{Type::kBoolean, false, *value} : make_null(Type::kBoolean);
    };
    const std::optional<bool> found = state ? state->found : std::nullopt;
    values[cursor + "%FOUND"] = truth(found);
    values[cursor + "%NOTFOUND"] = truth(found ? std::optional(!*found) : std::nullopt);
    values[cursor + "%ISOPEN"] = truth(state.has_value());
    values[cursor + "%ROWCOUNT"] = state ? make_int(state->rows) : make_null(Type::kNumber);
  }

  CursorRef cursor_named(const std::string& name, int pos) {
    const auto found = variables_.find(name);
    if (found == variables_.end()) fail_undeclared(name, pos);
    return cursor_of(runner_.variables()[name]);
  }

  [[nodiscard]] std::int64_t rows_fetched(const std::string& cursor) {
    const Value& count = runner_.variables()[cursor + "%ROWCOUNT"];
    return count.is_null() ? 0 : count.number().to_int().value_or(0);
  }

  void check_count(const Node& n, std::size_t columns) const {
    if (n.targets.size() == columns) return;
    fail_compile(sql_, n.pos,
                 "PLS-00394: wrong number of values in the INTO list of a FETCH statement");
  }

  void fetch_row(const Node& n) {
    const CursorRef cursor = cursor_named(n.name, n.pos);
    check_count(n, cursor->columns.size());
    Row row;
    const bool found = cursor->rows->next(row);
    for (std::size_t i = 0; found && i < row.size(); ++i) assign(n.targets[i], row[i]);
    set_attributes(n.name, CursorState{found, rows_fetched(n.name) + (found ? 1 : 0)});
  }

  void fetch_bulk(const Node& n) {
    const CursorRef cursor = cursor_named(n.name, n.pos);
    check_count(n, cursor->columns.size());
    const std::int64_t limit = n.exprs.empty() ? INT64_MAX : integer(*n.exprs.front());
    std::vector<std::vector<Value>> columns(n.targets.size());
    std::int64_t count = 0;
    Row row;
    for (; count < limit && cursor->rows->next(row); ++count) {
      for (std::size_t i = 0; i < row.size(); ++i) columns[i].push_back(std::move(row[i]));
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      assign(n.targets[i], table_of(std::move(columns[i])));
    }
    const bool found = n.exprs.empty() ? count != 0 : count == limit;
    set_attributes(n.name, CursorState{found, rows_fetched(n.name) + count});
  }

  /// FOR row IN (query) or a declared cursor: the row's columns are variables "ROW.COLUMN".
  Flow run_for_rows(const Node& n) {
    const auto* query = std::get_if<ast::QueryPtr>(&n.sql);
    const CursorRef cursor = query != nullptr
                                 ? sql_part(n.pos, [&] { return runner_.open_cursor(**query); })
                                 : open_declared(n.targets.front());
    Row row;
    while (cursor->rows->next(row)) {
      runner_.check_cancel();
      Scope scope(*this);
      for (std::size_t i = 0; i < row.size(); ++i) {
        scope.declare(n.name + "." + cursor->columns[i].name, constant(), std::move(row[i]));
      }
      Flow flow = run(n.body);
      if (ends_loop(n, flow)) return flow;
    }
    return Flow::kNext;
  }

  /// [owner.]name, quoted or not; anything else is no type.
  std::shared_ptr<const ObjectType> type_of(const Value& full_name) {
    if (full_name.is_null()) return nullptr;
    std::vector<Token> tokens = tokenize(text_of(full_name));
    std::erase_if(tokens, [](const Token& t) { return t.kind == TokenKind::kEnd; });
    const auto is_name = [](const Token& t) {
      return t.kind == TokenKind::kWord || t.kind == TokenKind::kQuoted;
    };
    if (tokens.size() == 1 && is_name(tokens[0])) return runner_.find_type("", tokens[0].text);
    const bool has_owner =
        tokens.size() == 3 && is_name(tokens[0]) && tokens[1].text == "." && is_name(tokens[2]);
    return has_owner ? runner_.find_type(tokens[0].text, tokens[2].text) : nullptr;
  }

  void type_shape(const Node& n) {
    constexpr std::int64_t kNoSuchType = 100;
    const auto type = type_of(evaluate(*n.exprs.front()));
    const Value null = make_null(Type::kVarchar2);
    Row out(n.targets.size(), null);
    out[0] = make_int(type ? 0 : kNoSuchType);
    if (type) {
      out[1] = make_text(type->oid, Type::kRaw);
      out[2] = make_int(type->version);
      out[3] = make_text(type_segment(*type), Type::kRaw);
      out[4] = make_text("YES");
      out[7] = Value{Type::kCursor, false, attribute_cursor(*type)};
    }
    // Cursors that stay closed keep what they were.
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i < 7 || !out[i].is_null()) assign(n.targets[i], out[i]);
    }
  }

  void raise_exception(const Node& n) {
    const std::string line = trace_line(n.pos);
    const ExceptionName& e = n.exception;
    if (e.name.empty()) {
      if (handled_ == nullptr) {
        fail_compile(sql_, n.pos,
                     "PLS-00367: a RAISE statement with no exception name must be inside an "
                     "exception handler");
      }
      Raised again = *handled_;
      again.trace = line + again.trace;
      throw again;
    }
    if (e.code == 0) {
      throw Raised{kUserDefined, "PL/SQL: unhandled user-defined exception", line, e.name, n.pos};
    }
    if (e.code >= 20000 && e.code <= 20999) raise_text(e.code, "", n.pos);
    raise(e.code, n.pos);
  }

  void raise_application_error(const Node& n) {
    const std::int64_t code = integer(*n.exprs[0]);
    const Value text = evaluate(*n.exprs[1]);
    if (code > -20000 || code < -20999) {
      raise_text(21000, "error number argument to raise_application_error of " +
                            std::to_string(code) + " is out of range");
    }
    raise_text(static_cast<int>(-code), text.is_null() ? "" : to_text_value(text).text(), n.pos);
  }

  // --- index-by tables ------------------------------------------------------------------------

  static Value empty_table(const DataType& element) {
    auto table = std::make_shared<IndexTable>();
    table->element = element;
    return Value{Type::kIndexTable, false, std::move(table)};
  }

  static Value table_of(std::vector<Value> values) {
    auto table = std::make_shared<IndexTable>();
    std::int64_t index = 0;
    for (Value& value : values) table->elements[++index] = std::move(value);
    return Value{Type::kIndexTable, false, std::move(table)};
  }

  /// What the target names, as a table of its own.
  IndexTable& table_at(const Target& target) {
    const auto found = variables_.find(target.name);
    if (found == variables_.end()) fail_undeclared(target.name, target.pos);
    if (!found->second.is_table) {
      fail_compile(sql_, target.pos, "PLS-00308: '" + target.name + "' is no table");
    }
    auto& table = std::get<IndexTableRef>(runner_.variables()[target.name].data);
    if (table.use_count() > 1) table = std::make_shared<IndexTable>(*table);
    return *table;
  }

  void assign_element(const Target& target, const Value& value) {
    const std::int64_t index = integer(*target.index);
    IndexTable& table = table_at(target);
    table.elements[index] = converted_to(value, table.element);
  }

  void assign_table(const Target& target, const Value& value) {
    if (value.type != Type::kIndexTable) {
      fail_compile(sql_, target.pos, "PLS-00382: expression is of wrong type");
    }
    Value copy = empty_table(variables_[target.name].type);
    if (const auto* from = std::get_if<IndexTableRef>(&value.data)) {
      IndexTable& to = *std::get<IndexTableRef>(copy.data);
      for (const auto& [index, element] : (*from)->elements) {
        to.elements[index] = converted_to(element, to.element);
      }
    }
    runner_.variables()[target.name] = std::move(copy);
  }

  void delete_elements(const Node& n) {
    IndexTable& table = table_at(n.targets.front());
    if (n.exprs.empty()) {
      table.elements.clear();
    } else {
      table.elements.erase(integer(*n.exprs.front()));
    }
  }

  // --- supplied packages ----------------------------------------------------------------------

  void dbms_output(const Node& n) {
    DbmsOutput& output = runner_.output();
    if (n.name == "ENABLE") {
      constexpr std::int64_t kDefaultBytes = 20000;
      const bool is_unlimited = !n.exprs.empty() && evaluate(*n.exprs[0]).is_null();
      if (is_unlimited) return output.enable(std::nullopt);
      return output.enable(n.exprs.empty() ? kDefaultBytes : integer(*n.exprs[0]));
    }
    if (n.name == "DISABLE") return output.disable();
    if (n.name == "GET_LINE") {
      const std::optional<std::string> line = output.get_line();
      assign(n.targets[0], make_text(line.value_or("")));
      return assign(n.targets[1], make_int(line ? 0 : 1));
    }
    if (n.name == "GET_LINES") {
      std::vector<Value> lines;
      for (std::string& line : output.get_lines(integer(*n.exprs[0]))) {
        lines.push_back(make_text(std::move(line)));
      }
      const auto count = static_cast<std::int64_t>(lines.size());
      assign(n.targets[0], table_of(std::move(lines)));
      return assign(n.targets[1], make_int(count));
    }
    if (!n.exprs.empty()) {
      const Value text = to_text_value(evaluate(*n.exprs[0]));
      output.put(text.is_null() ? std::string_view() : text_of(text));
    }
    if (n.name != "PUT") output.new_line();
  }

  void dbms_logmnr(const Node& n) {
    std::vector<Value> arguments;
    for (const ast::ExprPtr& e : n.exprs) {
      arguments.push_back(e ? evaluate(*e) : make_null(Type::kVarchar2));
    }
    runner_.call_logminer(n.name, arguments);
  }

  // --- loops and conditions -------------------------------------------------------------------

  Flow run_if(const Node& n) {
    for (const Branch& b : n.branches) {
      if (!b.condition || holds(*b.condition)) return run(b.body);
    }
    return Flow::kNext;
  }

  /// True when the loop ends; `flow` is then what its own statement gives.
  bool ends_loop(const Node& loop, Flow& flow) {
    if (flow == Flow::kNext) return false;
    if (flow == Flow::kReturn) return true;
    if (!leave_label_.empty() && leave_label_ != loop.label) return true;
    const bool ends = flow == Flow::kExit;
    leave_label_.clear();
    flow = Flow::kNext;
    return ends;
  }

  Flow run_loop(const Node& n) {
    while (n.kind == Kind::kLoop || holds(*n.exprs.front())) {
      Flow flow = run(n.body);
      if (ends_loop(n, flow)) return flow;
    }
    return Flow::kNext;
  }

  Flow run_for(const Node& n) {
    const std::int64_t low = integer(*n.exprs[0]);
    const std::int64_t high = integer(*n.exprs[1]);
    Scope scope(*this);
    scope.declare(n.name, constant(), make_null(Type::kNumber));
    for (std::int64_t k = low; k <= high; ++k) {
      runner_.variables()[n.name] = make_int(n.reverse ? high - (k - low) : k);
      Flow flow = run(n.body);
      if (ends_loop(n, flow)) return flow;
    }
    return Flow::kNext;
  }

  Flow leave(const Node& n, Flow flow) {
    if (!n.exprs.empty() && !holds(*n.exprs.front())) return Flow::kNext;
    leave_label_ = n.label;
    return flow;
  }

  // --- values ---------------------------------------------------------------------------------

  Value evaluate(const ast::Expr& e) {
    try {
      return runner_.evaluate(e);
    } catch (const OraError& error) {
      if (!is_compile_code(error.code())) throw;
      const int pos = std::max(e.begin, error.position());
      if (error.code() == 904) fail_undeclared(identifier_of(error), pos);
      fail_compile(sql_, pos, std::string("PL/SQL: ") + error.what());
    }
  }

  bool holds(const ast::Expr& e) {
    const Value v = evaluate(e);
    if (v.is_null()) return false;
    if (v.type == Type::kBoolean) return std::get<bool>(v.data);
    fail_compile(sql_, e.begin, "PLS-00382: expression is of wrong type");
  }

  std::int64_t integer(const ast::Expr& e) {
    const Value v = runner_.convert_value(evaluate(e), plain_number());
    if (v.is_null()) raise(6502);
    const auto whole = v.number().rounded(0).to_int();
    if (!whole) raise(1426);
    return *whole;
  }

  Value to_text_value(const Value& v) {
    return runner_.convert_value(v, text_type(Type::kVarchar2, 32767, false, false));
  }

  void assign(const Target& target, const Value& value) {
    if (target.bind >= 0) {
      const auto i = static_cast<std::size_t>(target.bind);
      Row& binds = runner_.binds();
      if (binds.size() <= i) binds.resize(i + 1);
      const bool is_table = value.type == Type::kIndexTable;
      if (is_table != (binds[i].type == Type::kIndexTable)) {
        fail_compile(sql_, target.pos, "PLS-00382: expression is of wrong type");
      }
      binds[i] = value;
      return;
    }
    const auto found = variables_.find(target.name);
    if (found == variables_.end()) fail_undeclared(target.name, target.pos);
    const Variable& v = found->second;
    if (v.is_constant) {
      fail_compile(
          sql_, target.pos,
          "PLS-00363: expression '" + target.name + "' cannot be used as an assignment target");
    }
    if (target.index) return assign_element(target, value);
    if (v.is_table) return assign_table(target, value);
    if (value.type == Type::kIndexTable) {
      fail_compile(sql_, target.pos, "PLS-00382: expression is of wrong type");
    }
    Value converted = v.is_typed ? converted_to(value, v.type) : value;
    if (v.is_not_null && converted.is_null()) raise(6502);
    runner_.variables()[target.name] = std::move(converted);
  }

  /// PL/SQL reports what does not fit as ORA-06502, whatever SQL calls it.
  Value converted_to(const Value& value, const DataType& type) {
    const std::string prefix = "PL/SQL: numeric or value error: ";
    try {
      return runner_.convert_value(value, type);
    } catch (const OraError& e) {
      if (e.code() == 12899) raise_text(6502, prefix + "character string buffer too small");
      if (e.code() == 1438) raise_text(6502, prefix + "number precision too large");
      if (e.code() == 1722) raise_text(6502, prefix + "character to number conversion error");
      throw;
    }
  }

  std::string_view sql_;
  StatementRunner& runner_;
  std::map<std::string, Variable> variables_;
  std::string leave_label_;          ///< the loop that EXIT or CONTINUE names
  const Raised* handled_ = nullptr;  ///< what RAISE without a name raises again
  std::uint64_t mark_ = 0;           ///< where the rollback of the whole block goes
};

}  // namespace
}  // namespace plsql

namespace {

/// The block may be one that another block executes and whose errors that one catches.
plsql::Program parse_program(std::string_view sql) {
  try {
    return plsql::parse_block(sql);
  } catch (const plsql::CompileError& e) {
    throw OraError(e);
  }
}

}  // namespace

std::vector<BindInfo> block_binds(std::string_view sql) {
  return parse_program(sql).binds;
}

void run_block(std::string_view sql, StatementRunner& runner) {
  const plsql::Program program = parse_program(sql);
  plsql::Machine(sql, runner).run_program(program.block);
}

}  // namespace orasim
