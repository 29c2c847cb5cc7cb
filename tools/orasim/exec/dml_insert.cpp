// INSERT: of values, of a query, into several tables.
#include "exec/dml_table.h"

namespace orasim {
namespace {

/// The table and columns that INTO names; a view stands for its base table.
struct Target {
  Target(const ast::InsertTarget& ast, const BindEnvironment& environment)
      : Target(resolve(ast, environment), given_values(ast), environment) {}
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  DmlTable table;
  RowMaker maker;

 private:
  struct Resolved {
    std::shared_ptr<const TableDef> table;
    std::vector<ast::Ident> columns;
  };
  Target(const Resolved& resolved, const std::vector<bool>& given,
         const BindEnvironment& environment)
      : table(resolved.table, {}, environment), maker(table, resolved.columns, given) {}

  static Resolved resolve(const ast::InsertTarget& ast, const BindEnvironment& environment) {
    Resolved out;
    out.columns = ast.columns;
    ViewRights rights{"INSERT", {}, false, ast.pos};
    for (const ast::Ident& name : ast.columns) rights.columns.push_back(name.text);
    auto view = find_view(ast.table, ast.view, {}, environment, rights);
    if (!view) {
      out.table = resolve_table(environment, ast.table);
      if (!out.table) raise(942, ast.pos);
      require_columns(*environment.access, out.table->owner, out.table->name, "INSERT",
                      rights.columns, ast.pos);
      require_quota(environment.catalog, *out.table);
      return out;
    }
    if (out.columns.empty()) {
      for (const ScopeColumn& c : view->scope().columns) out.columns.push_back({c.name, true, 0});
    }
    int table = -1;
    for (ast::Ident& name : out.columns) {
      const auto [from, column] = view->origin(name);
      if (table >= 0 && table != from) raise(1776, name.pos);
      table = from;
      name.text = column;
    }
    out.table = view->choose(table);
    require(view->access(), ObjectKind::kTable, out.table->owner, out.table->name, "INSERT",
            ast.pos);
    require_quota(environment.catalog, *out.table);
    return out;
  }

  static std::vector<bool> given_values(const ast::InsertTarget& ast) {
    std::vector<bool> given;
    for (const auto& e : ast.values) given.push_back(e->kind != ast::ExprKind::kDefault);
    return given;
  }
};

std::vector<Eval> bind_values(const ast::InsertTarget& target, const BindEnvironment& environment,
                              const Scope& scope) {
  std::vector<Eval> values;
  for (const auto& e : target.values) {
    values.push_back(e->kind == ast::ExprKind::kDefault ? Eval()
                                                        : Binder(environment, scope).condition(*e));
  }
  return values;
}

void check_count(std::size_t values, const Target& target, int pos) {
  if (values < target.maker.width()) raise(947, pos);
  if (values > target.maker.width()) raise(913, pos);
}

class InsertValues final : public BoundDml {
 public:
  InsertValues(const ast::Insert& insert, const BindEnvironment& environment)
      : target_(insert.targets[0], environment),
        values_(bind_values(insert.targets[0], environment, Scope{})),
        returning_(insert.returning, target_.table, environment) {
    check_count(values_.size(), target_, insert.targets[0].pos);
  }

  DmlResult run(ExecContext& context) override {
    Frame f;
    f.context = &context;
    context.row_sequence_values.clear();
    std::vector<std::optional<Value>> values;
    for (const Eval& eval : values_) {
      values.push_back(eval ? std::optional<Value>(eval(f)) : std::nullopt);
    }
    const Row row = target_.maker.make(std::move(values), context);
    DmlResult result;
    const RowId id = context.transaction->insert(target_.table.def(), row);
    result.row_count = 1;
    returning_.add(row, id, context, result);
    return result;
  }

 private:
  Target target_;
  std::vector<Eval> values_;
  DmlReturning returning_;
};

/// INSERT … SELECT, INSERT ALL and INSERT FIRST.
class InsertSelect final : public BoundDml {
 public:
  InsertSelect(const ast::Insert& insert, const BindEnvironment& environment)
      : query_(bind_query(*insert.query, environment)), first_(insert.first) {
    Scope output;
    for (const ColumnInfo& info : query_->columns()) {
      if (is_long(info.type.type)) raise(997, insert.query->begin);
      ScopeColumn c;
      c.name = info.name;
      c.type = info.type;
      output.columns.push_back(std::move(c));
    }
    for (const ast::InsertTarget& ast : insert.targets) {
      auto branch = std::make_unique<Branch>(ast, environment);
      branch->is_else = ast.is_else;
      if (ast.when) branch->when = Binder(environment, output).condition(*ast.when);
      branch->values = bind_values(ast, environment, output);
      check_count(branch->values.empty() ? output.columns.size() : branch->values.size(),
                  branch->target, ast.pos);
      branches_.push_back(std::move(branch));
    }
  }

  DmlResult run(ExecContext& context) override {
    DmlResult result;
    auto stream = query_->open(context);
    Row row;
    while (stream->next(row)) {
      Frame f;
      f.context = &context;
      f.row = &row;
      bool taken = false;
      for (const auto& branch : branches_) {
        if (branch->is_else ? taken : (branch->when && !is_true(branch->when(f)))) continue;
        taken = true;
        insert(*branch, row, f, context, result);
        if (first_) break;
      }
    }
    return result;
  }

 private:
  struct Branch {
    Branch(const ast::InsertTarget& ast, const BindEnvironment& environment)
        : target(ast, environment) {}
    Target target;
    Eval when;
    std::vector<Eval> values;
    bool is_else = false;
  };

  static void insert(const Branch& branch, const Row& row, const Frame& f, ExecContext& context,
                     DmlResult& result) {
    std::vector<std::optional<Value>> values;
    if (branch.values.empty()) {
      for (const Value& v : row) values.emplace_back(v);
    }
    for (const Eval& eval : branch.values) {
      values.push_back(eval ? std::optional<Value>(eval(f)) : std::nullopt);
    }
    result.last_row_id = context.transaction->insert(
        branch.target.table.def(), branch.target.maker.make(std::move(values), context));
    ++result.row_count;
  }

  std::shared_ptr<BoundQuery> query_;
  bool first_;
  std::vector<std::unique_ptr<Branch>> branches_;
};

}  // namespace

std::unique_ptr<BoundDml> bind_insert(const ast::Insert& insert,
                                      const BindEnvironment& environment) {
  if (insert.query) return std::make_unique<InsertSelect>(insert, environment);
  return std::make_unique<InsertValues>(insert, environment);
}

}  // namespace orasim
