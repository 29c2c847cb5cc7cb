// Reads an anonymous block into its tree.
#include <algorithm>
#include <map>
#include <optional>

#include "exec/block_tree.h"
#include "exec/errors.h"
#include "exec/logminer_calls.h"
#include "exec/parser.h"
#include "exec/types.h"

namespace orasim::plsql {
namespace {

using NodePtr = std::unique_ptr<Node>;

/// The token at `pos` as PLS-00103 shows it.
std::string symbol_at(std::string_view sql, int pos) {
  const std::string_view rest = sql.substr(std::min(static_cast<std::size_t>(pos), sql.size()));
  const Token first = tokenize(rest.substr(0, 200)).front();
  if (first.kind == TokenKind::kError) return std::string(rest.substr(0, 1));
  return first.kind == TokenKind::kEnd ? "end-of-file" : first.text;
}

[[noreturn]] void fail_symbol(std::string_view sql, int pos) {
  fail_compile(sql, pos,
               "PLS-00103: Encountered the symbol \"" + symbol_at(sql, pos) +
                   "\" when expecting one of the following:\n\n   := . ( @ % ;\n");
}

bool is_supplied_package(const std::string& name) {
  static constexpr std::string_view kPackages[] = {"DBMS_SESSION", "DBMS_STATS", "DBMS_LOCK",
                                                   "DBMS_UTILITY", "DBMS_APPLICATION_INFO"};
  return std::find(std::begin(kPackages), std::end(kPackages), name) != std::end(kPackages);
}

/// Types of supplied packages that are index-by tables, by their elements.
std::optional<DataType> supplied_table(const std::string& full_name) {
  const auto text = [](std::uint32_t bytes) {
    return text_type(Type::kVarchar2, bytes, false, false);
  };
  if (full_name == "DBMS_OUTPUT.CHARARR" || full_name == "DBMS_SQL.VARCHAR2A") return text(32767);
  if (full_name == "DBMS_SQL.VARCHAR2_TABLE") return text(4000);
  if (full_name == "DBMS_SQL.NUMBER_TABLE") return plain_number();
  if (full_name == "DBMS_SQL.DATE_TABLE") return simple_type(Type::kDate);
  return std::nullopt;
}

enum class Passing : std::uint8_t { kIn, kOut, kInOut };
struct Parameter {
  std::string_view name;
  Passing passing = Passing::kIn;
};
struct Procedure {
  std::string_view name;
  std::vector<Parameter> parameters;
  std::size_t optional = 0;  ///< of them, the last ones
};

const Procedure* output_procedure(const std::string& name) {
  static const Procedure kProcedures[] = {
      {"ENABLE", {{"BUFFER_SIZE"}}, 1},
      {"DISABLE", {}},
      {"PUT", {{"A"}}},
      {"PUT_LINE", {{"A"}}},
      {"NEW_LINE", {}},
      {"GET_LINE", {{"LINE", Passing::kOut}, {"STATUS", Passing::kOut}}},
      {"GET_LINES", {{"LINES", Passing::kOut}, {"NUMLINES", Passing::kInOut}}},
  };
  const auto* found = std::find_if(std::begin(kProcedures), std::end(kProcedures),
                                   [&](const Procedure& p) { return p.name == name; });
  return found == std::end(kProcedures) ? nullptr : found;
}

class BlockParser {
 public:
  explicit BlockParser(std::string_view sql) : sql_(sql), p_(sql, true) {}

  Program program() {
    Program out;
    optional_label();
    out.block = block();
    if (!p_.at_end()) fail();
    out.binds = p_.take_binds();
    return out;
  }

 private:
  [[noreturn]] void fail() const { fail_symbol(sql_, p_.peek().begin); }
  void expect(std::string_view word) {
    if (!p_.accept(word)) fail();
  }
  void expect_symbol(std::string_view symbol) {
    if (!p_.accept_symbol(symbol)) fail();
  }

  /// Runs a piece of the SQL parser; outside of SQL its errors are those of PL/SQL's own grammar.
  template <typename F>
  auto plsql_part(F&& read) {
    try {
      return read();
    } catch (const OraError& e) {
      if (is_compile_code(e.code())) fail_symbol(sql_, e.position());
      throw;
    }
  }

  /// Reads SQL, whose errors say so.
  template <typename F>
  auto sql_part(F&& read) {
    try {
      return read();
    } catch (const OraError& e) {
      if (!is_compile_code(e.code())) throw;
      fail_compile(sql_, e.position(), std::string("PL/SQL: ") + e.what());
    }
  }

  ast::ExprPtr expression() {
    ast::ExprPtr e = plsql_part([&] { return p_.condition(); });
    replace_cursor_attributes(*e);
    return e;
  }

  /// SQL%ROWCOUNT is the variable SQL; SQL%FOUND and SQL%NOTFOUND compare it with zero. Those of
  /// other cursors are variables: "C%FOUND".
  void replace_cursor_attributes(ast::Expr& e) {
    for (auto& arg : e.args) {
      if (arg) replace_cursor_attributes(*arg);
    }
    if (e.kind != ast::ExprKind::kName || e.op.empty()) return;
    if (e.name.size() == 1 && e.name.front().text != "SQL") {
      e.name.front().text += "%" + e.op;
      e.op.clear();
    }
    if (e.op != "FOUND" && e.op != "NOTFOUND") return;
    auto count = std::make_unique<ast::Expr>();
    count->kind = ast::ExprKind::kName;
    count->name = std::move(e.name);
    auto zero = std::make_unique<ast::Expr>();
    zero->value = make_int(0);
    e.kind = ast::ExprKind::kCompare;
    e.op = e.op == "FOUND" ? ">" : "=";
    e.args.push_back(std::move(count));
    e.args.push_back(std::move(zero));
  }

  std::string name() {
    return plsql_part([&] { return p_.identifier(); }).text;
  }

  std::string optional_label() {
    std::string label;
    while (p_.accept_symbol("<<")) {
      label = name();
      expect_symbol(">>");
    }
    return label;
  }

  void optional_name() {
    if (!p_.is_symbol(";")) name();
  }

  // --- blocks ---------------------------------------------------------------------------------

  Block block() {
    Block b;
    if (p_.accept("DECLARE")) {
      while (!p_.is_word("BEGIN")) declaration(b);
    }
    expect("BEGIN");
    b.body = body();
    if (p_.accept("EXCEPTION")) {
      do {
        b.handlers.push_back(handler());
      } while (p_.is_word("WHEN"));
    }
    expect("END");
    optional_name();
    expect_symbol(";");
    return b;
  }

  void declaration(Block& b) {
    if (p_.accept("PRAGMA")) return pragma();
    if (p_.is_word("CURSOR") && p_.is_word("IS", 2)) return cursor(b);
    if (p_.is_word("TYPE") && p_.is_word("IS", 2)) return table_type();
    Declaration d;
    d.pos = p_.peek().begin;
    d.name = name();
    if (p_.accept("EXCEPTION")) {
      exceptions_[d.name] = 0;
      return expect_symbol(";");
    }
    d.is_constant = p_.accept("CONSTANT");
    declared_type(d);
    d.is_not_null = p_.accept_words({"NOT", "NULL"});
    if (p_.accept_symbol(":=") || p_.accept("DEFAULT")) d.initial = expression();
    expect_symbol(";");
    b.declarations.push_back(std::move(d));
  }

  /// PRAGMA EXCEPTION_INIT(name, -n); other pragmas say nothing here.
  void pragma() {
    if (!p_.accept("EXCEPTION_INIT")) {
      while (!p_.is_symbol(";") && !p_.at_end()) p_.take();
      return expect_symbol(";");
    }
    expect_symbol("(");
    const std::string exception = name();
    expect_symbol(",");
    const std::int64_t code = plsql_part([&] { return p_.integer(936); });
    exceptions_[exception] = static_cast<int>(code < 0 ? -code : code);
    expect_symbol(")");
    expect_symbol(";");
  }

  /// CURSOR name IS query.
  void cursor(Block& b) {
    Declaration d;
    p_.take();
    d.pos = here();
    d.name = name();
    d.type = simple_type(Type::kCursor);
    expect("IS");
    d.query = sql_part([&] { return p_.query(); });
    expect_symbol(";");
    b.declarations.push_back(std::move(d));
  }

  /// TYPE name IS TABLE OF type INDEX BY a whole number.
  void table_type() {
    p_.take();
    const std::string type = name();
    expect("IS");
    if (!p_.accept_words({"TABLE", "OF"})) raise_text(3001, "unimplemented feature", here());
    DataType element = plsql_part([&] { return p_.data_type(); });
    p_.accept_words({"NOT", "NULL"});
    const bool is_by_number = p_.accept_words({"INDEX", "BY"}) &&
                              (p_.accept("PLS_INTEGER") || p_.accept("BINARY_INTEGER") ||
                               p_.accept("NATURAL") || p_.accept("POSITIVE"));
    if (!is_by_number) raise_text(3001, "unimplemented feature", here());
    expect_symbol(";");
    table_types_[type] = std::move(element);
  }

  [[nodiscard]] int here() const { return p_.peek().begin; }

  /// A type declared above, or one of a supplied package.
  bool declared_table(Declaration& d) {
    std::optional<DataType> element;
    std::size_t words = 1;
    if (const auto own = table_types_.find(p_.peek().text); own != table_types_.end()) {
      element = own->second;
    } else if (p_.is_symbol(".", 1) && !is_type_of()) {
      words = 3;
      element = supplied_table(p_.peek().text + "." + p_.peek(2).text);
    }
    if (!element) return false;
    for (std::size_t i = 0; i < words; ++i) p_.take();
    d.type = *std::move(element);
    d.is_table = true;
    return true;
  }

  void declared_type(Declaration& d) {
    if (declared_table(d)) return;
    if (!is_type_of()) {
      d.type = plsql_part([&] { return p_.data_type(); });
      return;
    }
    const ast::Name source = plsql_part([&] { return p_.qualified_name(); });
    expect_symbol("%");
    expect("TYPE");
    d.is_typed = false;
    if (source.size() == 1) d.type_of = source.front().text;
  }

  [[nodiscard]] bool is_type_of() const {
    std::size_t k = 1;
    while (p_.is_symbol(".", k)) k += 2;
    return p_.is_symbol("%", k);
  }

  Handler handler() {
    Handler h;
    expect("WHEN");
    if (p_.accept("OTHERS")) {
      h.others = true;
    } else {
      do {
        h.exceptions.push_back(exception_name());
      } while (p_.accept("OR"));
    }
    expect("THEN");
    h.body = body();
    return h;
  }

  ExceptionName exception_name() {
    static const std::map<std::string_view, int> kPredefined = {
        {"NO_DATA_FOUND", 1403},    {"TOO_MANY_ROWS", 1422}, {"DUP_VAL_ON_INDEX", 1},
        {"ZERO_DIVIDE", 1476},      {"VALUE_ERROR", 6502},   {"INVALID_NUMBER", 1722},
        {"INVALID_CURSOR", 1001},   {"PROGRAM_ERROR", 6501}, {"STORAGE_ERROR", 6500},
        {"TIMEOUT_ON_RESOURCE", 51}};
    const int pos = p_.peek().begin;
    const std::string exception = name();
    if (const auto own = exceptions_.find(exception); own != exceptions_.end()) {
      return {exception, own->second};
    }
    if (const auto known = kPredefined.find(exception); known != kPredefined.end()) {
      return {exception, known->second};
    }
    fail_undeclared(exception, pos);
  }

  [[noreturn]] void fail_undeclared(const std::string& identifier, int pos) const {
    fail_compile(sql_, pos, "PLS-00201: identifier '" + identifier + "' must be declared");
  }

  [[nodiscard]] bool body_ends() const {
    static constexpr std::string_view kEnds[] = {"END", "EXCEPTION", "ELSIF", "ELSE", "WHEN"};
    return p_.at_end() || std::any_of(std::begin(kEnds), std::end(kEnds),
                                      [&](std::string_view w) { return p_.is_word(w); });
  }

  Body body() {
    Body out;
    do {
      if (body_ends()) fail();
      out.push_back(statement());
    } while (!body_ends());
    return out;
  }

  // --- statements -----------------------------------------------------------------------------

  NodePtr statement() {
    std::string label = optional_label();
    auto n = std::make_unique<Node>();
    n->pos = p_.peek().begin;
    n->label = std::move(label);
    if (p_.is_word("DECLARE") || p_.is_word("BEGIN")) {
      n->kind = Kind::kBlock;
      n->block = std::make_unique<Block>(block());
      return n;
    }
    if (!sql_statement(*n) && !control_statement(*n) && !transaction_statement(*n)) {
      assignment_or_call(*n);
    }
    expect_symbol(";");
    return n;
  }

  bool sql_statement(Node& n) {
    return sql_part([&] {
      if (!read_sql(n)) return false;
      if (!p_.is_symbol(";")) p_.fail(933);
      return true;
    });
  }

  bool read_sql(Node& n) {
    n.kind = Kind::kSql;
    if (p_.is_word("INSERT")) {
      keep_sql(n, p_.insert());
    } else if (p_.is_word("UPDATE")) {
      keep_sql(n, p_.update());
    } else if (p_.is_word("DELETE")) {
      keep_sql(n, p_.remove());
    } else if (p_.is_word("MERGE")) {
      n.sql = p_.merge();
    } else if (p_.is_word("SELECT") || p_.is_word("WITH")) {
      select_into(n);
    } else if (p_.is_word("OPEN") && !p_.is_symbol(":=", 1)) {
      open_cursor(n);
    } else {
      return false;
    }
    return true;
  }

  template <typename Dml>
  static void keep_sql(Node& n, Dml dml) {
    for (const int bind : dml.returning.binds) {
      if (bind >= 0) n.targets.push_back({"", bind, n.pos});
    }
    n.sql = std::move(dml);
  }

  void open_cursor(Node& n) {
    p_.take();
    n.kind = Kind::kOpen;
    n.targets.push_back(cursor_target());
    if (p_.is_symbol(";")) return;  // of a declared cursor
    expect("FOR");
    if (p_.is_word("SELECT") || p_.is_word("WITH")) {
      n.sql = p_.query();
      return;
    }
    n.exprs.push_back(expression());
    if (!p_.accept("USING")) return;
    do {
      p_.accept("IN");
      n.exprs.push_back(expression());
    } while (p_.accept_symbol(","));
  }

  Target cursor_target() {
    const int pos = p_.peek().begin;
    if (p_.peek().kind == TokenKind::kBind) return {"", p_.add_target_bind(p_.take()), pos};
    return {name(), -1, pos};
  }

  /// FETCH cursor [BULK COLLECT] INTO targets [LIMIT n].
  void fetch(Node& n) {
    n.kind = Kind::kFetch;
    n.name = name();
    n.is_bulk = p_.accept_words({"BULK", "COLLECT"});
    expect("INTO");
    do {
      n.targets.push_back(any_target());
    } while (p_.accept_symbol(","));
    if (n.is_bulk && p_.accept("LIMIT")) n.exprs.push_back(expression());
  }

  /// A bind, a variable or an element.
  Target any_target() {
    if (p_.peek().kind == TokenKind::kBind) return cursor_target();
    return target_of(*expression());
  }

  /// What was read as an expression and is to be assigned to: a bind, a variable or an element.
  Target target_of(ast::Expr& e) {
    if (e.kind == ast::ExprKind::kBind) {
      p_.make_target(e.bind);
      return {"", e.bind, e.begin};
    }
    const bool is_element = e.kind == ast::ExprKind::kCall && e.args.size() == 1;
    if ((e.kind != ast::ExprKind::kName && !is_element) || e.name.size() != 1) {
      fail_compile(sql_, e.begin, "PLS-00363: expression cannot be used as an assignment target");
    }
    Target target{e.name.front().text, -1, e.begin};
    if (is_element) target.index = std::move(e.args.front());
    return target;
  }

  void select_into(Node& n) {
    n.kind = Kind::kSelectInto;
    ast::QueryPtr query = p_.query();
    const ast::Query* first = query.get();
    while (!first->block) first = first->left.get();
    const ast::QueryBlock& b = *first->block;
    n.is_bulk = b.is_bulk;
    for (std::size_t i = 0; i < b.into_binds.size(); ++i) {
      const std::string variable = b.into_binds[i] < 0 ? b.into[i].back().text : std::string();
      const int pos = b.into_binds[i] < 0 ? b.into[i].back().pos : n.pos;
      n.targets.push_back({variable, b.into_binds[i], pos});
    }
    if (n.targets.empty()) {
      fail_compile(sql_, n.pos, "PLS-00428: an INTO clause is expected in this SELECT statement");
    }
    n.sql = std::move(query);
  }

  bool control_statement(Node& n) {
    if (p_.accept("NULL")) {
      n.kind = Kind::kNull;
    } else if (p_.accept("IF")) {
      if_statement(n);
    } else if (p_.accept("FOR")) {
      for_loop(n);
    } else if (p_.accept("WHILE")) {
      n.kind = Kind::kWhile;
      n.exprs.push_back(expression());
      loop_body(n);
    } else if (p_.is_word("LOOP")) {
      n.kind = Kind::kLoop;
      loop_body(n);
    } else if (p_.is_word("EXIT") || p_.is_word("CONTINUE")) {
      leave_statement(n);
    } else if (p_.accept("RETURN")) {
      n.kind = Kind::kReturn;
    } else if (p_.accept("RAISE")) {
      n.kind = Kind::kRaise;
      if (!p_.is_symbol(";")) n.exception = exception_name();
    } else if (p_.accept_words({"EXECUTE", "IMMEDIATE"})) {
      execute_immediate(n);
    } else if (p_.is_word("FETCH") && !p_.is_symbol(":=", 1)) {
      p_.take();
      fetch(n);
    } else if (p_.is_word("CLOSE") && !p_.is_symbol(":=", 1)) {
      p_.take();
      n.kind = Kind::kClose;
      if (p_.peek().kind == TokenKind::kWord) n.name = p_.peek().text;
      n.exprs.push_back(expression());
    } else {
      return false;
    }
    return true;
  }

  void if_statement(Node& n) {
    n.kind = Kind::kIf;
    do {
      ast::ExprPtr condition = expression();
      expect("THEN");
      n.branches.push_back({std::move(condition), body()});
    } while (p_.accept("ELSIF"));
    if (p_.accept("ELSE")) n.branches.push_back({nullptr, body()});
    expect("END");
    expect("IF");
  }

  void for_loop(Node& n) {
    n.kind = Kind::kFor;
    n.name = name();
    expect("IN");
    n.reverse = p_.accept("REVERSE");
    if (p_.is_symbol("(") && (p_.is_word("SELECT", 1) || p_.is_word("WITH", 1))) {
      n.kind = Kind::kForRows;
      p_.take();
      n.sql = sql_part([&] { return p_.query(); });
      expect_symbol(")");
      return loop_body(n);
    }
    ast::ExprPtr first = expression();
    if (!n.reverse && first->kind == ast::ExprKind::kName && p_.is_word("LOOP")) {
      n.kind = Kind::kForRows;
      n.targets.push_back(target_of(*first));
      return loop_body(n);
    }
    n.exprs.push_back(std::move(first));
    expect_symbol("..");
    n.exprs.push_back(expression());
    loop_body(n);
  }

  void loop_body(Node& n) {
    expect("LOOP");
    n.body = body();
    expect("END");
    expect("LOOP");
    optional_name();
  }

  void leave_statement(Node& n) {
    n.kind = p_.take().text == "EXIT" ? Kind::kExit : Kind::kContinue;
    n.label.clear();
    if (!p_.is_word("WHEN") && !p_.is_symbol(";")) n.label = name();
    if (p_.accept("WHEN")) n.exprs.push_back(expression());
  }

  void execute_immediate(Node& n) {
    n.kind = Kind::kExecute;
    n.exprs.push_back(expression());
    if (p_.is_word("INTO") || p_.is_word("BULK") || p_.is_word("RETURNING")) {
      raise_text(3001, "unimplemented feature", p_.peek().begin);
    }
    if (!p_.accept("USING")) return;
    do {
      p_.accept("IN");
      n.exprs.push_back(expression());
    } while (p_.accept_symbol(","));
  }

  bool transaction_statement(Node& n) {
    if (p_.accept("COMMIT")) {
      n.kind = Kind::kCommit;
      skip_to_semicolon();
    } else if (p_.accept("ROLLBACK")) {
      p_.accept("WORK");
      n.kind = p_.accept("TO") ? Kind::kRollbackTo : Kind::kRollback;
      if (n.kind == Kind::kRollbackTo) {
        p_.accept("SAVEPOINT");
        n.name = name();
      }
    } else if (p_.accept("SAVEPOINT")) {
      n.kind = Kind::kSavepoint;
      n.name = name();
    } else if (p_.accept_words({"SET", "TRANSACTION"}) || p_.accept_words({"LOCK", "TABLE"})) {
      n.kind = Kind::kNull;
      skip_to_semicolon();
    } else {
      return false;
    }
    return true;
  }

  void skip_to_semicolon() {
    while (!p_.is_symbol(";") && !p_.at_end()) p_.take();
  }

  void assignment_or_call(Node& n) {
    const bool bind = p_.peek().kind == TokenKind::kBind;
    if (!bind && !p_.is_symbol(":=", 1)) return call(n);
    n.kind = Kind::kAssign;
    if (bind) {
      n.targets.push_back({"", p_.add_target_bind(p_.take()), n.pos});
    } else {
      n.targets.push_back({name(), -1, n.pos});
    }
    expect_symbol(":=");
    if (p_.is_word("DBMS_PICKLER") && p_.is_word("GET_TYPE_SHAPE", 2)) return type_shape(n);
    n.exprs.push_back(expression());
  }

  /// The one supplied function with out parameters; drivers describe types by it.
  void type_shape(Node& n) {
    n.kind = Kind::kTypeShape;
    for (int i = 0; i < 3; ++i) p_.take();
    expect_symbol("(");
    n.exprs.push_back(expression());
    while (p_.accept_symbol(",")) n.targets.push_back(cursor_target());
    expect_symbol(")");
    constexpr std::size_t kTargets = 9;  // what it returns, and eight parameters
    if (n.targets.size() != kTargets) {
      fail_compile(sql_, n.pos,
                   "PLS-00306: wrong number or types of arguments in call to 'GET_TYPE_SHAPE'");
    }
  }

  [[noreturn]] void fail_arguments(std::string_view procedure, int pos) const {
    fail_compile(sql_, pos,
                 "PLS-00306: wrong number or types of arguments in call to '" +
                     std::string(procedure) + "'");
  }

  /// DBMS_OUTPUT.procedure (arguments), by position or name.
  void output_call(Node& n) {
    n.kind = Kind::kOutput;
    while (p_.take().text != "DBMS_OUTPUT") expect_symbol(".");
    expect_symbol(".");
    const int pos = here();
    n.name = p_.take().text;
    const Procedure* procedure = output_procedure(n.name);
    if (procedure == nullptr) {
      fail_compile(sql_, pos, "PLS-00302: component '" + n.name + "' must be declared");
    }
    const std::size_t count = procedure->parameters.size();
    std::vector<ast::ExprPtr> values(count);
    std::vector<std::optional<Target>> targets(count);
    std::size_t given = 0;
    if (p_.accept_symbol("(") && !p_.accept_symbol(")")) {
      do {
        const std::size_t at = parameter_at(*procedure, given++, pos);
        argument(procedure->parameters[at].passing, values[at], targets[at]);
      } while (p_.accept_symbol(","));
      expect_symbol(")");
    }
    if (given + procedure->optional < count) fail_arguments(n.name, pos);
    for (auto& value : values) {
      if (value) n.exprs.push_back(std::move(value));
    }
    for (auto& target : targets) {
      if (target) n.targets.push_back(*std::move(target));
    }
  }

  /// DBMS_LOGMNR.procedure (arguments), by position or name.
  void logminer_call(Node& n) {
    n.kind = Kind::kLogMiner;
    while (p_.take().text != "DBMS_LOGMNR") expect_symbol(".");
    expect_symbol(".");
    const int pos = here();
    n.name = p_.take().text;
    const auto* names = logminer::parameters_of(n.name);
    if (names == nullptr) {
      fail_compile(sql_, pos, "PLS-00302: component '" + n.name + "' must be declared");
    }
    Procedure procedure{n.name, {}};
    for (const std::string_view name : *names) procedure.parameters.push_back({name});
    n.exprs.resize(names->size());
    if (!p_.accept_symbol("(") || p_.accept_symbol(")")) return;
    std::size_t given = 0;
    do {
      const std::size_t at = parameter_at(procedure, given++, pos);  // takes the name
      n.exprs[at] = expression();
    } while (p_.accept_symbol(","));
    expect_symbol(")");
  }

  std::size_t parameter_at(const Procedure& procedure, std::size_t position, int pos) {
    const auto& parameters = procedure.parameters;
    if (p_.is_symbol("=>", 1)) {
      const std::string word = p_.take().text;
      p_.take();
      position = static_cast<std::size_t>(
          std::find_if(parameters.begin(), parameters.end(),
                       [&](const Parameter& one) { return one.name == word; }) -
          parameters.begin());
    }
    if (position >= parameters.size()) fail_arguments(procedure.name, pos);
    return position;
  }

  void argument(Passing passing, ast::ExprPtr& value, std::optional<Target>& target) {
    if (passing == Passing::kOut && p_.peek().kind == TokenKind::kBind) {
      target = cursor_target();
      return;
    }
    ast::ExprPtr e = expression();
    if (passing == Passing::kIn) {
      value = std::move(e);
      return;
    }
    target = target_of(*e);
    if (passing != Passing::kInOut) return;
    if (target->index) fail_compile(sql_, e->begin, "PLS-00363: pass a variable or a bind here");
    value = std::move(e);
  }

  void delete_elements(Node& n, ast::Expr& call) {
    n.kind = Kind::kDeleteElements;
    n.targets.push_back({call.name.front().text, -1, call.begin});
    n.exprs = std::move(call.args);
  }

  /// A call reads like an expression; what it calls decides whether it exists. So does the element
  /// that is assigned to.
  void call(Node& n) {
    const bool is_output =
        p_.is_word("DBMS_OUTPUT") || (p_.is_word("SYS") && p_.is_word("DBMS_OUTPUT", 2));
    if (is_output) return output_call(n);
    if (p_.is_word("DBMS_LOGMNR") || (p_.is_word("SYS") && p_.is_word("DBMS_LOGMNR", 2))) {
      return logminer_call(n);
    }
    ast::ExprPtr e = expression();
    if (p_.accept_symbol(":=")) {
      n.kind = Kind::kAssign;
      n.targets.push_back(target_of(*e));
      n.exprs.push_back(expression());
      return;
    }
    if (e->kind != ast::ExprKind::kCall && e->kind != ast::ExprKind::kName) {
      fail_symbol(sql_, n.pos);
    }
    if (e->name.front().text == "SYS" && e->name.size() > 1) e->name.erase(e->name.begin());
    const std::string& first = e->name.front().text;
    if (first == "RAISE_APPLICATION_ERROR" && e->name.size() == 1) {
      n.kind = Kind::kRaiseApplicationError;
      if (e->args.size() < 2) {
        fail_compile(sql_, n.pos,
                     "PLS-00306: wrong number or types of arguments in call to '" + first + "'");
      }
    } else if (first == "DBMS_SQL" && e->name.size() == 2 && e->name[1].text == "RETURN_RESULT" &&
               !e->args.empty()) {
      n.kind = Kind::kReturnResult;
    } else if (e->name.size() == 2 && e->name[1].text == "DELETE" && e->args.size() < 2) {
      return delete_elements(n, *e);
    } else if (e->name.size() == 2 && is_supplied_package(first)) {
      // Nothing to do; the arguments name constants of their packages.
      n.kind = Kind::kNull;
      return;
    } else {
      std::string full;
      for (const auto& part : e->name) full += (full.empty() ? "" : ".") + part.text;
      fail_undeclared(full, n.pos);
    }
    n.exprs = std::move(e->args);
  }

  std::string_view sql_;
  Parser p_;
  std::map<std::string, DataType> table_types_;  ///< declared, by their elements
  std::map<std::string, int> exceptions_;        ///< user-defined; 0 without EXCEPTION_INIT
};

}  // namespace

int line_of(std::string_view sql, int pos) {
  const std::string_view before = sql.substr(0, static_cast<std::size_t>(std::max(pos, 0)));
  return 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
}

void fail_compile(std::string_view sql, int pos, const std::string& text) {
  const std::string_view before = sql.substr(0, static_cast<std::size_t>(std::max(pos, 0)));
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1);
  throw CompileError(6550,
                     "line " + std::to_string(line_of(sql, pos)) + ", column " +
                         std::to_string(column + 1) + ":\n" + text,
                     pos);
}

Program parse_block(std::string_view sql) {
  return BlockParser(sql).program();
}

}  // namespace orasim::plsql
