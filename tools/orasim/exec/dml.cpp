// What the kinds of DML share.
#include "exec/dml.h"

#include <algorithm>

#include "exec/dml_table.h"
#include "exec/parser.h"
#include "exec/query_plan.h"

namespace orasim {

DmlResult with_restarts(ExecContext& context, const std::function<DmlResult()>& body) {
  constexpr int kMaxRestarts = 1000;
  const std::uint64_t mark = context.transaction->mark();
  for (int i = 0;; ++i) {
    try {
      return body();
    } catch (const Restart&) {
      if (i == kMaxRestarts || context.is_serializable) raise(8177);
      context.transaction->rollback_to(mark);
      context.scn = context.store->current_scn();
      ++context.execution_id;
    }
  }
}

RowMaker::RowMaker(const DmlTable& table, const std::vector<ast::Ident>& names,
                   const std::vector<bool>& given)
    : table_(table) {
  const std::vector<ColumnDef>& all = table.def().columns;
  if (names.empty()) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].is_virtual && !all[i].is_hidden) columns_.push_back(i);
    }
  }
  for (const ast::Ident& name : names) {
    const std::size_t column = table.column(name);
    if (std::find(columns_.begin(), columns_.end(), column) != columns_.end()) raise(957, name.pos);
    columns_.push_back(column);
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const ColumnDef& column = all[columns_[i]];
    const bool is_given = i >= given.size() || given[i];
    if (column.is_virtual && is_given) raise(54013);
    if (column.is_identity && column.identity_always && is_given) raise(32795);
  }
}

Row RowMaker::make(std::vector<std::optional<Value>> values, ExecContext& context) const {
  const std::vector<ColumnDef>& all = table_.def().columns;
  Row row(all.size());
  std::vector<bool> given(row.size(), false);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::size_t column = columns_[i];
    if (!values[i] || (values[i]->is_null() && all[column].default_on_null)) continue;
    row[column] = table_.converted(*values[i], column, context);
    given[column] = true;
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!given[i] && !all[i].is_virtual) row[i] = table_.default_value(i, context);
  }
  table_.complete(row, context);
  return row;
}

SetClauses::SetClauses(const std::vector<ast::Assignment>& assignments, const DmlTable& table,
                       const BindEnvironment& environment, const Scope& scope,
                       const std::function<std::size_t(const ast::Ident&)>& column_of) {
  for (const ast::Assignment& a : assignments) {
    Clause clause;
    const bool is_default = a.value->kind == ast::ExprKind::kDefault;
    for (const ast::Ident& name : a.columns) {
      clause.columns.push_back(column_of(name));
      const ColumnDef& column = table.def().columns[clause.columns.back()];
      if (column.is_virtual) raise(54017, name.pos);
      if (column.is_identity && column.identity_always && !is_default) raise(32796, name.pos);
    }
    if (a.columns.size() > 1) {
      if (a.value->kind != ast::ExprKind::kSubquery) raise(1767, a.value->begin);
      clause.query = bind_query(*a.value->query, environment, &scope);
      if (clause.query->columns().size() != a.columns.size()) raise(947, a.value->begin);
    } else if (!is_default) {
      clause.eval = Binder(environment, scope).condition(*a.value);
    }
    clauses_.push_back(std::move(clause));
  }
}

std::vector<std::size_t> SetClauses::columns() const {
  std::vector<std::size_t> all;
  for (const Clause& clause : clauses_)
    all.insert(all.end(), clause.columns.begin(), clause.columns.end());
  return all;
}

void SetClauses::apply(Row& row, const Frame& f, const DmlTable& table) const {
  ExecContext& context = *f.context;
  for (const Clause& clause : clauses_) {
    if (clause.query) {
      apply_query(clause, row, f, table);
      continue;
    }
    const std::size_t column = clause.columns[0];
    row[column] = clause.eval ? table.converted(clause.eval(f), column, context)
                              : table.default_value(column, context);
  }
}

void SetClauses::apply_query(const Clause& clause, Row& row, const Frame& f,
                             const DmlTable& table) {
  auto stream = clause.query->open(*f.context, &f);
  Row values;
  const bool found = stream->next(values);
  Row extra;
  if (found && stream->next(extra)) raise(1427);
  for (std::size_t i = 0; i < clause.columns.size(); ++i) {
    const std::size_t column = clause.columns[i];
    const Value v = found ? values[i] : make_null(table.def().columns[column].type.type);
    row[column] = table.converted(v, column, *f.context);
  }
}

namespace {

const FromNode* leaf_of(const FromNode& node, int table) {
  if (!node.left) return node.table_index == table ? &node : nullptr;
  const FromNode* found = leaf_of(*node.left, table);
  return found != nullptr ? found : leaf_of(*node.right, table);
}

}  // namespace

UpdatableView::UpdatableView(const ast::Query& query, const std::string& alias,
                             const std::vector<std::string>& names,
                             const BindEnvironment& environment)
    : query_(bind_query(query, environment)), access_(environment.access) {
  const BlockPlan* block = query_->plan()->block.get();
  if (block == nullptr || block->group || block->distinct || !block->analytics.empty())
    raise(1732, query.begin);
  for (std::size_t i = 0; i < query_->columns().size(); ++i) {
    const ColumnInfo& info = query_->columns()[i];
    ScopeColumn c;
    c.qualifier = alias;
    c.name = i < names.size() ? names[i] : info.name;
    c.type = info.type;
    c.nullable = info.nullable;
    scope_.columns.push_back(std::move(c));
  }
}

std::pair<int, std::string> UpdatableView::origin(const ast::Ident& name) const {
  const BlockPlan& block = *query_->plan()->block;
  for (std::size_t i = 0; i < scope_.columns.size(); ++i) {
    if (scope_.columns[i].name != name.text) continue;
    const int slot = block.output[i].slot;
    if (slot < 0) raise(1733, name.pos);
    const ScopeColumn& base = block.scope.columns[static_cast<std::size_t>(slot)];
    return {base.table, base.name};
  }
  raise_invalid_identifier("\"" + name.text + "\"", name.pos);
}

int UpdatableView::first_table() const {
  const FromNode* node = query_->plan()->block->from.get();
  while (node->left) node = node->left.get();
  return node->table_index;
}

std::shared_ptr<const TableDef> UpdatableView::choose(int table) {
  BlockPlan& block = *query_->plan()->block;
  const FromNode* leaf = leaf_of(*block.from, table);
  if (leaf == nullptr || !leaf->table) raise(1732);
  OutputColumn id;
  id.slot = static_cast<int>(leaf->end) - 1;
  block.output.push_back(std::move(id));
  return leaf->table;
}

std::unique_ptr<UpdatableView> find_view(const ast::Name& name, const ast::QueryPtr& query,
                                         const std::string& alias,
                                         const BindEnvironment& environment,
                                         const ViewRights& rights) {
  if (query) {
    return std::make_unique<UpdatableView>(*query, alias, std::vector<std::string>{}, environment);
  }
  if (resolve_table(environment, name)) return nullptr;
  const auto view = resolve_code(environment, name, {"VIEW"});
  if (!view) return nullptr;
  if (rights.reads)
    require(*environment.access, ObjectKind::kView, view->owner, view->name, "SELECT", rights.pos);
  require_columns(*environment.access, view->owner, view->name, rights.privilege, rights.columns,
                  rights.pos);
  Parser parser(view->text);
  const ast::QueryPtr text = parser.query();
  BindEnvironment inner = environment;
  inner.current_schema = view->owner;
  inner.sql = view->text;
  inner.variables = nullptr;
  inner.access = access_in(*view, environment.catalog, environment.access);
  return std::make_unique<UpdatableView>(*text, alias.empty() ? name.back().text : alias,
                                         view->view_columns, inner);
}

void check_all_rows(const TableDef& table, const ConstraintDef& check,
                    const BindEnvironment& environment, ExecContext& context) {
  Parser parser(check.check_sql);
  const ast::ExprPtr e = parser.condition();
  const Scope scope = table_scope(table, {});
  BindEnvironment inner = environment;
  inner.sql = check.check_sql;
  const Eval condition = Binder(inner, scope).condition(*e);
  auto scan = context.store->scan(table, context.scn, context.transaction, context.cancel);
  RowId id;
  Row row;
  while (scan->next(id, row)) {
    Row wide = row;
    wide.push_back(Value{Type::kRowid, false, id});
    Frame f;
    f.context = &context;
    f.row = &wide;
    const Value v = condition(f);
    if (!v.is_null() && !std::get<bool>(v.data)) {
      raise_text(2293, "cannot validate (" + table.owner + "." + check.name +
                           ") - check constraint violated");
    }
  }
}

}  // namespace orasim
