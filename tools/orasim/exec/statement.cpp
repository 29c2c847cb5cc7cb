// Statements of every kind, over one session's state.
#include <algorithm>
#include <array>

#include "engine/object_image.h"
#include "exec/block.h"
#include "exec/database.h"
#include "exec/ddl_statement.h"
#include "exec/dml.h"
#include "exec/errors.h"
#include "exec/logminer_calls.h"
#include "exec/parser.h"
#include "exec/session_state.h"

namespace orasim {
namespace {

/// First word of a statement, behind comments and parentheses; upper case.
std::string first_word(std::string_view sql) {
  std::size_t i = 0;
  while (i < sql.size()) {
    if (sql.substr(i, 2) == "--") {
      i = std::min(sql.find('\n', i), sql.size());
    } else if (sql.substr(i, 2) == "/*") {
      const std::size_t end = sql.find("*/", i + 2);
      i = end == std::string_view::npos ? sql.size() : end + 2;
    } else if (std::isspace(static_cast<unsigned char>(sql[i])) != 0 || sql[i] == '(') {
      ++i;
    } else if (sql.substr(i, 2) == "<<") {
      const std::size_t end = sql.find(">>", i);
      i = end == std::string_view::npos ? sql.size() : end + 2;
    } else {
      break;
    }
  }
  std::string word;
  for (; i < sql.size() && (std::isalpha(static_cast<unsigned char>(sql[i])) != 0); ++i) {
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(sql[i])));
  }
  return word;
}

template <std::size_t N>
bool one_of(const std::string& word, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::array<std::string_view, 4> kDmlWords = {"INSERT", "UPDATE", "DELETE", "MERGE"};
constexpr std::array<std::string_view, 13> kDdlWords = {
    "CREATE",  "ALTER",   "DROP",     "GRANT",  "REVOKE", "ANALYZE",  "AUDIT",
    "NOAUDIT", "COMMENT", "TRUNCATE", "RENAME", "PURGE",  "FLASHBACK"};

StatementKind kind_of(const std::string& sql, const std::string& word) {
  if (word == "SELECT" || word == "WITH") return StatementKind::kQuery;
  if (word == "BEGIN" || word == "DECLARE" || word == "CALL") return StatementKind::kPlsql;
  if (one_of(word, kDmlWords)) return StatementKind::kDml;
  if (word == "ALTER") {
    Parser p(sql);
    p.take();
    if (p.is_word("SESSION")) return StatementKind::kOther;
  }
  if (one_of(word, kDdlWords)) return StatementKind::kDdl;
  return StatementKind::kOther;
}

using Variables = std::map<std::string, Value>;

/// A query's rows with all that they need to live.
class HeldRows final : public RowStream {
 public:
  HeldRows(std::shared_ptr<BoundQuery> query, std::unique_ptr<ExecContext> context,
           std::shared_ptr<Transaction> transaction, std::unique_ptr<Row> binds,
           std::shared_ptr<const Variables> variables = nullptr)
      : variables_(std::move(variables)),
        query_(std::move(query)),
        binds_(std::move(binds)),
        transaction_(std::move(transaction)),
        context_(std::move(context)),
        rows_(query_->open(*context_)) {}
  bool next(Row& row) override { return rows_->next(row); }

 private:
  std::shared_ptr<const Variables> variables_;  ///< PL/SQL variables that the query reads
  std::shared_ptr<BoundQuery> query_;
  std::unique_ptr<Row> binds_;
  std::shared_ptr<Transaction> transaction_;
  std::unique_ptr<ExecContext> context_;
  std::unique_ptr<RowStream> rows_;
};

class BaseStatement : public Statement {
 public:
  BaseStatement(std::string sql, StatementKind kind, SessionState& state)
      : sql_(std::move(sql)), kind_(kind), state_(state) {}
  [[nodiscard]] StatementKind kind() const override { return kind_; }
  [[nodiscard]] const std::string& sql() const override { return sql_; }
  [[nodiscard]] const std::vector<BindInfo>& binds() const override { return binds_; }
  [[nodiscard]] const std::vector<ColumnInfo>& columns() const override { return columns_; }
  [[nodiscard]] bool is_stale() const override { return false; }

 protected:
  static const Row& bind_row(const std::vector<Row>& rows, std::size_t i) {
    static const Row kNone;
    return i < rows.size() ? rows[i] : kNone;
  }

  std::string sql_;
  StatementKind kind_;
  SessionState& state_;
  std::vector<BindInfo> binds_;
  std::vector<ColumnInfo> columns_;
};

/// The types of binds, which a statement is bound for.
class BindTypes {
 public:
  /// False when `row` has the types that are known already.
  bool take(const Row& row) {
    const bool same = std::equal(row.begin(), row.end(), types_.begin(), types_.end(),
                                 [](const Value& a, const Value& b) {
                                   return a.type == b.type && a.national == b.national;
                                 });
    if (same) return false;
    types_.clear();
    for (const Value& v : row) types_.push_back({v.type, v.national, {}});
    return true;
  }
  [[nodiscard]] const Row* samples() const { return &types_; }

 private:
  Row types_;  ///< nulls
};

class QueryStatement final : public BaseStatement {
 public:
  QueryStatement(std::string sql, SessionState& state)
      : BaseStatement(std::move(sql), StatementKind::kQuery, state) {
    try {
      bind();
      columns_ = query_->columns();
    } catch (const OraError& error) {
      // Types may fit once those of the binds are known: execute() says otherwise.
      const bool is_of_types = error.code() == 1790 || error.code() == 932;
      if (!is_of_types || binds_.empty()) throw;
    }
  }

  void use_bind_types(const Row& row) override {
    if (!types_.take(row)) return;
    bind();
    columns_ = query_->columns();
  }

  [[nodiscard]] bool is_stale() const override {
    const auto catalog = state_.store->catalog();
    if (catalog->version == version_) return false;
    Parser parser(sql_);
    const ast::QueryPtr query = parser.query();
    BindEnvironment environment = state_.environment(sql_);
    environment.bind_samples = types_.samples();
    const auto now = bind_query(*query, environment);
    return !std::equal(columns_.begin(), columns_.end(), now->columns().begin(),
                       now->columns().end(), [](const ColumnInfo& a, const ColumnInfo& b) {
                         return a.name == b.name && a.type.type == b.type.type &&
                                a.type.size_bytes == b.type.size_bytes &&
                                a.type.precision == b.type.precision &&
                                a.type.scale == b.type.scale;
                       });
  }

  ExecuteResult execute(const std::vector<Row>& bind_rows, const ExecuteOptions& options) override {
    if (!query_ || state_.store->catalog()->version != version_) bind();
    auto binds = std::make_unique<Row>(bind_row(bind_rows, 0));
    std::optional<Scn> scn;
    if (options.as_of_scn) scn = *options.as_of_scn;
    auto context = state_.context(binds.get(), scn);
    ExecuteResult result;
    result.rows = std::make_unique<HeldRows>(query_, std::move(context), state_.transaction,
                                             std::move(binds));
    return result;
  }

 private:
  void bind() {
    Parser parser(sql_);
    const ast::QueryPtr query = parser.query();
    parser.expect_end();
    binds_ = parser.take_binds();
    BindEnvironment environment = state_.environment(sql_);
    environment.bind_samples = types_.samples();
    query_ = bind_query(*query, environment);
    version_ = environment.catalog->version;
  }

  BindTypes types_;
  std::shared_ptr<BoundQuery> query_;
  std::uint64_t version_ = 0;
};

std::unique_ptr<BoundDml> parse_dml(const std::string& sql, const std::string& word,
                                    const BindEnvironment& environment,
                                    std::vector<BindInfo>* binds) {
  Parser p(sql);
  std::unique_ptr<BoundDml> out;
  if (word == "INSERT") {
    const ast::Insert insert = p.insert();
    p.expect_end();
    out = bind_insert(insert, environment);
  } else if (word == "UPDATE") {
    const ast::Update update = p.update();
    p.expect_end();
    out = bind_update(update, environment);
  } else if (word == "DELETE") {
    const ast::Delete remove = p.remove();
    p.expect_end();
    out = bind_delete(remove, environment);
  } else {
    const ast::Merge merge = p.merge();
    p.expect_end();
    out = bind_merge(merge, environment);
  }
  if (binds != nullptr) *binds = p.take_binds();
  return out;
}

class DmlStatement final : public BaseStatement {
 public:
  DmlStatement(std::string sql, std::string word, SessionState& state)
      : BaseStatement(std::move(sql), StatementKind::kDml, state), word_(std::move(word)) {
    bind();
  }

  ExecuteResult execute(const std::vector<Row>& bind_rows, const ExecuteOptions& options) override {
    if (state_.is_read_only) raise(1456);
    const bool other_types = types_.take(bind_row(bind_rows, 0));
    if (other_types || state_.store->catalog()->version != version_) bind();
    ExecuteResult result;
    const std::size_t count = std::max<std::size_t>(1, bind_rows.size());
    for (std::size_t i = 0; i < count; ++i) one(bind_row(bind_rows, i), i, options, result);
    if (options.commit_on_success) state_.commit();
    return result;
  }

 private:
  void bind() {
    BindEnvironment environment = state_.environment(sql_);
    environment.bind_samples = types_.samples();
    dml_ = parse_dml(sql_, word_, environment, &binds_);
    version_ = environment.catalog->version;
  }

  void one(const Row& binds, std::size_t index, const ExecuteOptions& options,
           ExecuteResult& result) {
    const std::uint64_t mark = state_.transaction->mark();
    try {
      auto context = state_.context(&binds, std::nullopt);
      DmlResult done = dml_->run(*context);
      state_.end_statement();
      result.row_count += done.row_count;
      result.row_counts.push_back(done.row_count);
      if (done.row_count != 0) result.last_row_id = done.last_row_id;
      const auto returns = static_cast<std::size_t>(std::count_if(
          binds_.begin(), binds_.end(), [](const BindInfo& b) { return b.is_returning; }));
      done.returning.resize(returns);
      if (returns != 0) result.returning.push_back(std::move(done.returning));
    } catch (const OraError& error) {
      state_.transaction->rollback_to(mark);
      if (!options.batch_errors) throw;
      result.row_counts.push_back(0);
      result.batch_errors.push_back(
          {static_cast<std::uint32_t>(index), error.code(), error.what()});
      const auto returns = std::count_if(binds_.begin(), binds_.end(),
                                         [](const BindInfo& b) { return b.is_returning; });
      if (returns != 0) result.returning.emplace_back(static_cast<std::size_t>(returns));
    }
  }

  std::string word_;
  BindTypes types_;
  std::unique_ptr<BoundDml> dml_;
  std::uint64_t version_ = 0;
};

DdlEnvironment ddl_environment(SessionState& state) {
  DdlEnvironment env;
  env.store = state.store;
  env.current_schema = state.current_schema;
  env.release = state.environment({}).release;
  env.access = state.environment({}).access;
  env.describe = [&state](const std::string& text, const std::string& schema) {
    Parser parser(text);
    const ast::QueryPtr query = parser.query();
    BindEnvironment inner = state.environment(text);
    inner.current_schema = schema;
    return bind_query(*query, inner)->columns();
  };
  env.type_of = [&state](const TableDef& table, const std::string& expression) {
    Parser parser(expression);
    const ast::ExprPtr e = parser.expression();
    return bind_expression(*e, state.environment(expression), table_scope(table, {})).type;
  };
  env.evaluate = [&state](const std::string& expression, const DataType& type) {
    Parser parser(expression);
    const ast::ExprPtr e = parser.expression();
    const Scope empty;
    const BoundExpr bound = bind_expression(*e, state.environment(expression), empty);
    auto context = state.context(nullptr, std::nullopt);
    Frame f;
    f.context = context.get();
    return convert_to(bound.eval(f), type, {}, context->convert());
  };
  env.run = [&state](const std::string& dml) {
    execute_text(dml, state, {});
    state.commit();
  };
  env.check_rows = [&state](const TableDef& table, const ConstraintDef& check) {
    auto context = state.context(nullptr, std::nullopt);
    check_all_rows(table, check, state.environment(check.check_sql), *context);
  };
  return env;
}

class DdlStatement final : public BaseStatement {
 public:
  DdlStatement(std::string sql, SessionState& state)
      : BaseStatement(std::move(sql), StatementKind::kDdl, state) {}
  ExecuteResult execute(const std::vector<Row>&, const ExecuteOptions&) override {
    // System control is no DDL (SQL Language Reference, "Types of SQL Statements").
    if (!Parser(sql_).accept_words({"ALTER", "SYSTEM"})) state_.commit();
    DdlEnvironment env = ddl_environment(state_);
    env.text = {sql_, state_.identity.user, state_.identity.session_id};
    execute_ddl(sql_, env);
    return {};
  }
};

/// COMMIT, ROLLBACK, SAVEPOINT, SET TRANSACTION, ALTER SESSION, LOCK TABLE, EXPLAIN PLAN, SET ROLE.
class OtherStatement final : public BaseStatement {
 public:
  OtherStatement(std::string sql, std::string word, SessionState& state)
      : BaseStatement(std::move(sql), StatementKind::kOther, state), word_(std::move(word)) {
    if (word_ != "COMMIT" && word_ != "ROLLBACK" && word_ != "SAVEPOINT" && word_ != "SET" &&
        word_ != "ALTER" && word_ != "LOCK" && word_ != "EXPLAIN") {
      raise(900);
    }
  }

  ExecuteResult execute(const std::vector<Row>&, const ExecuteOptions&) override {
    if (word_ == "ALTER") {
      alter_session(sql_, state_);
      return {};
    }
    Parser p(sql_);
    p.take();
    if (word_ == "COMMIT") state_.commit();
    if (word_ == "ROLLBACK") rollback(p);
    if (word_ == "SAVEPOINT") state_.savepoints[p.identifier().text] = state_.transaction->mark();
    if (word_ == "SET") set(p);
    if (word_ == "LOCK") lock_table(p);
    return {};
  }

 private:
  void rollback(Parser& p) {
    p.accept("WORK");
    if (!p.accept("TO")) return state_.rollback();
    p.accept("SAVEPOINT");
    const std::string name = p.identifier().text;
    const auto found = state_.savepoints.find(name);
    if (found == state_.savepoints.end()) {
      raise_text(1086, "savepoint '" + name + "' never established in this session or is invalid");
    }
    const std::uint64_t mark = found->second;
    state_.transaction->rollback_to(mark);
    std::erase_if(state_.savepoints, [mark](const auto& s) { return s.second > mark; });
  }

  /// Any right to change or read for update, or LOCK ANY TABLE; READ is not enough.
  static void need_lock(const Access& access, const std::string& owner, const std::string& name,
                        int pos) {
    if (access.has_system("LOCK ANY TABLE")) return;
    for (const char* privilege : {"SELECT", "INSERT", "UPDATE", "DELETE"}) {
      if (access.may(ObjectKind::kTable, owner, name, privilege)) return;
    }
    raise(access.sees(owner, name) ? 1031 : 942, pos);
  }

  /// Rows are locked when they are written; a table lock keeps nobody out here.
  void lock_table(Parser& p) {
    p.expect("TABLE");
    do {
      const int pos = p.peek().begin;
      const ast::Name name = p.qualified_name();
      const BindEnvironment env = state_.environment(sql_);
      const auto table = resolve_table(env, name);
      const auto view = table ? nullptr : resolve_code(env, name, {"VIEW"});
      if (!table && !view) raise(942, pos);
      need_lock(*env.access, table ? table->owner : view->owner, table ? table->name : view->name,
                pos);
    } while (p.accept_symbol(","));
  }

  /// Of constraints by name, IMMEDIATE checks all that was put off.
  void set_constraints(Parser& p) {
    while (!p.at_end() && !p.is_word("IMMEDIATE") && !p.is_word("DEFERRED")) p.take();
    const bool immediate = p.accept("IMMEDIATE");
    if (immediate) state_.transaction->check_deferred();
    state_.checks_deferred = immediate;
  }

  void set(Parser& p) {
    if (p.accept("CONSTRAINT") || p.accept("CONSTRAINTS")) return set_constraints(p);
    if (!p.accept("TRANSACTION")) return;
    if (state_.transaction->is_open()) raise(1453);
    if (p.accept("READ")) {
      if (!p.accept("ONLY")) return;
      state_.is_read_only = true;
      state_.fixed_scn = state_.store->current_scn();
    } else if (p.accept_words({"ISOLATION", "LEVEL", "SERIALIZABLE"})) {
      state_.fixed_scn = state_.store->current_scn();
      state_.is_serializable = true;
    }
  }

  std::string word_;
};

/// Lets a block run statements in the session.
class SessionRunner final : public StatementRunner {
 public:
  SessionRunner(SessionState& state, Row binds) : state_(state), binds_(std::move(binds)) {}

  std::uint64_t run(const ast::Insert& s) override {
    return run_dml(*bind_insert(s, environment()), &s.returning);
  }
  std::uint64_t run(const ast::Update& s) override {
    return run_dml(*bind_update(s, environment()), &s.returning);
  }
  std::uint64_t run(const ast::Delete& s) override {
    return run_dml(*bind_delete(s, environment()), &s.returning);
  }
  std::uint64_t run(const ast::Merge& s) override { return run_dml(*bind_merge(s, environment())); }

  std::vector<Row> select(const ast::Query& query, std::size_t limit) override {
    const auto bound = bind_query(query, environment());
    auto context = state_.context(&binds_, std::nullopt);
    auto stream = bound->open(*context);
    std::vector<Row> rows;
    Row row;
    while (rows.size() < limit && stream->next(row)) rows.push_back(row);
    return rows;
  }

  Value evaluate(const ast::Expr& e) override {
    const Scope empty;
    const BindEnvironment env = environment();
    const BoundExpr bound = bind_expression(e, env, empty);
    auto context = state_.context(&binds_, std::nullopt);
    Frame f;
    f.context = context.get();
    return bound.eval(f);
  }

  CursorRef open_cursor(const ast::Query& query) override {
    const auto variables = std::make_shared<const Variables>(variables_);
    BindEnvironment env = environment();
    env.variables = variables.get();
    const auto bound = bind_query(query, env);
    auto binds = std::make_unique<Row>(binds_);
    auto context = state_.context(binds.get(), std::nullopt);
    auto cursor = std::make_shared<OpenCursor>();
    cursor->columns = bound->columns();
    cursor->rows = std::make_unique<HeldRows>(bound, std::move(context), state_.transaction,
                                              std::move(binds), variables);
    return cursor;
  }

  CursorRef open_cursor(const std::string& sql, const Row& values) override {
    auto statement = make_statement(sql, state_);
    if (statement->kind() != StatementKind::kQuery) {
      raise_text(6539, "target of OPEN must be a query");
    }
    if (statement->binds().size() != values.size()) raise(1008);
    auto result = statement->execute({values}, {});
    auto cursor = std::make_shared<OpenCursor>();
    statement->use_bind_types(values);
    cursor->columns = statement->columns();
    cursor->rows = std::move(result.rows);
    return cursor;
  }

  void return_result(CursorRef cursor) override { results_.push_back(std::move(cursor)); }
  std::vector<CursorRef> take_results() { return std::move(results_); }

  void check_cancel() override {
    if (state_.cancelled) raise(1013);
  }
  void commit() override { state_.commit(); }
  void rollback() override { state_.rollback(); }
  void savepoint(const std::string& name) override {
    state_.savepoints[name] = state_.transaction->mark();
  }
  void rollback_to(const std::string& name) override {
    execute_text("ROLLBACK TO SAVEPOINT \"" + name + "\"", state_, {});
  }
  void execute(const std::string& sql, const Row& values) override {
    execute_text(sql, state_, values);
  }
  std::uint64_t mark() override { return state_.transaction->mark(); }
  void rollback_to_mark(std::uint64_t mark) override { state_.transaction->rollback_to(mark); }
  Variables& variables() override { return variables_; }
  Row& binds() override { return binds_; }
  DbmsOutput& output() override { return state_.output; }
  void call_logminer(const std::string& procedure, const std::vector<Value>& arguments) override {
    const BindEnvironment env = environment();
    const bool may = env.access->roles().contains("EXECUTE_CATALOG_ROLE") ||
                     env.access->has_system("LOGMINING") ||
                     env.access->may(ObjectKind::kCode, "SYS", "DBMS_LOGMNR", "EXECUTE");
    if (!may) raise(1031);
    auto context = state_.context(&binds_, std::nullopt);
    logminer::call_procedure(state_.logminer, *state_.store, procedure, arguments,
                             context->convert(),
                             {state_.database->options().version, state_.container});
  }
  std::shared_ptr<const ObjectType> find_type(const std::string& owner,
                                              const std::string& name) override {
    if (owner == "SYS" && name == "XMLTYPE") {
      return std::make_shared<const ObjectType>(xml_object_type());
    }
    const std::string& schema = owner.empty() ? state_.current_schema : owner;
    const auto code = state_.store->catalog()->find_code(schema, name, "TYPE");
    return code == nullptr ? nullptr : code->type;
  }
  Value convert_value(const Value& value, const DataType& type) override {
    auto context = state_.context(&binds_, std::nullopt);
    return convert_to(value, type, {}, context->convert());
  }

 private:
  BindEnvironment environment() const {
    BindEnvironment env = state_.environment({});
    env.variables = &variables_;
    env.bind_samples = &binds_;
    return env;
  }
  /// RETURNING … INTO: one row, or NULLs when nothing was changed.
  void take_returned(const ast::Returning& returning, const DmlResult& done) {
    for (std::size_t i = 0; i < returning.exprs.size(); ++i) {
      const bool any = i < done.returning.size() && !done.returning[i].empty();
      if (any && done.returning[i].size() > 1) raise(1422);
      const Value value = any ? done.returning[i].front() : make_null(Type::kVarchar2);
      if (returning.binds[i] >= 0) {
        binds_.at(static_cast<std::size_t>(returning.binds[i])) = value;
      } else {
        variables_[returning.variables[i].back().text] = value;
      }
    }
  }

  std::uint64_t run_dml(BoundDml& dml, const ast::Returning* returning = nullptr) {
    const std::uint64_t mark = state_.transaction->mark();
    try {
      auto context = state_.context(&binds_, std::nullopt);
      const DmlResult done = dml.run(*context);
      state_.end_statement();
      if (returning != nullptr) take_returned(*returning, done);
      return done.row_count;
    } catch (const OraError&) {
      state_.transaction->rollback_to(mark);
      throw;
    }
  }

  SessionState& state_;
  Row binds_;
  Variables variables_;
  std::vector<CursorRef> results_;
};

class BlockStatement final : public BaseStatement {
 public:
  BlockStatement(std::string sql, SessionState& state)
      : BaseStatement(std::move(sql), StatementKind::kPlsql, state) {
    binds_ = block_binds(sql_);
  }
  ExecuteResult execute(const std::vector<Row>& bind_rows, const ExecuteOptions& options) override {
    ExecuteResult result;
    const std::size_t count = std::max<std::size_t>(1, bind_rows.size());
    for (std::size_t i = 0; i < count; ++i) {
      SessionRunner runner(state_, bind_row(bind_rows, i));
      prepare_binds(runner.binds());
      run_block(sql_, runner);
      result.out_binds = runner.binds();
      auto results = runner.take_results();
      std::move(results.begin(), results.end(), std::back_inserter(result.implicit_results));
    }
    for (const BindInfo& bind : binds_) result.is_out.push_back(bind.is_written);
    result.row_count = count;
    if (options.commit_on_success) state_.commit();
    return result;
  }

 private:
  /// What a block only writes starts as NULL, whatever the client has sent.
  void prepare_binds(Row& binds) const {
    binds.resize(binds_.size());
    for (std::size_t i = 0; i < binds_.size(); ++i) {
      if (binds_[i].is_written && !binds_[i].is_read) binds[i].data = std::monostate{};
    }
  }
};

}  // namespace

std::unique_ptr<Statement> make_statement(std::string sql, SessionState& state) {
  const std::string word = first_word(sql);
  switch (kind_of(sql, word)) {
    case StatementKind::kQuery:
      return std::make_unique<QueryStatement>(std::move(sql), state);
    case StatementKind::kDml:
      return std::make_unique<DmlStatement>(std::move(sql), word, state);
    case StatementKind::kDdl:
      return std::make_unique<DdlStatement>(std::move(sql), state);
    case StatementKind::kPlsql:
      return std::make_unique<BlockStatement>(std::move(sql), state);
    case StatementKind::kOther:
      return std::make_unique<OtherStatement>(std::move(sql), word, state);
  }
  raise(900);
}

void execute_text(const std::string& sql, SessionState& state, const Row& binds) {
  auto statement = make_statement(sql, state);
  auto result =
      statement->execute(binds.empty() ? std::vector<Row>{} : std::vector<Row>{binds}, {});
  Row row;
  while (result.rows && result.rows->next(row)) {
  }
}

}  // namespace orasim
