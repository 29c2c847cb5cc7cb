#include "exec/dml.h"

#include <map>

#include "exec/dml_table.h"
#include "exec/parser.h"

namespace orasim {
namespace {

/// How often a statement starts again because rows changed under it, before it gives up.
constexpr int kMaxRestarts = 1000;

/// A row changed after the statement's read point: everything is done again at a newer one.
struct Restart {};

template <class Body>
DmlResult with_restarts(ExecContext& context, Body body) {
  const std::uint64_t mark = context.transaction->mark();
  for (int i = 0;; ++i) {
    try {
      return body();
    } catch (const Restart&) {
      if (i == kMaxRestarts) raise(8177);
      context.transaction->rollback_to(mark);
      context.scn = context.store->current_scn();
      ++context.execution_id;
    }
  }
}

/// One target of an INSERT: columns and what goes into them.
struct Target {
  Target(const ast::InsertTarget& ast, const BindEnvironment& environment)
      : table(ast.table, ast.alias.text, ast.pos, environment) {
    if (ast.columns.empty()) {
      for (std::size_t i = 0; i < table.def().columns.size(); ++i) {
        const ColumnDef& column = table.def().columns[i];
        if (!column.is_virtual && !column.is_hidden) columns.push_back(i);
      }
    }
    for (const ast::Ident& name : ast.columns) columns.push_back(table.column(name));
    for (const std::size_t i : columns) {
      if (table.def().columns[i].is_virtual) raise(54013);
    }
  }

  /// A new row from values for `columns`; an empty optional is DEFAULT.
  Row make_row(std::vector<std::optional<Value>> values, ExecContext& context) const {
    Row row(table.def().columns.size());
    std::vector<bool> given(row.size(), false);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!values[i]) continue;
      const ColumnDef& column = table.def().columns[columns[i]];
      const bool defaulted = values[i]->is_null() && column.default_on_null;
      if (defaulted) continue;
      row[columns[i]] = table.converted(*values[i], columns[i], context);
      given[columns[i]] = true;
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!given[i] && !table.def().columns[i].is_virtual) row[i] = table.default_value(i, context);
    }
    table.complete(row, context);
    return row;
  }

  DmlTable table;
  std::vector<std::size_t> columns;
};

class InsertValues final : public BoundDml {
 public:
  InsertValues(const ast::Insert& insert, const BindEnvironment& environment)
      : target_(insert.targets[0], environment),
        returning_(insert.returning, target_.table, environment) {
    const auto& values = insert.targets[0].values;
    if (values.size() < target_.columns.size()) raise(947, insert.targets[0].pos);
    if (values.size() > target_.columns.size()) raise(913, insert.targets[0].pos);
    const Scope empty;
    for (const auto& e : values) {
      values_.push_back(
          e->kind == ast::ExprKind::kDefault ? Eval() : Binder(environment, empty).condition(*e));
    }
  }

  DmlResult run(ExecContext& context) override {
    Frame f;
    f.context = &context;
    context.row_sequence_values.clear();
    std::vector<std::optional<Value>> values;
    for (const Eval& eval : values_) {
      values.push_back(eval ? std::optional<Value>(eval(f)) : std::nullopt);
    }
    const Row row = target_.make_row(std::move(values), context);
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
      ScopeColumn c;
      c.name = info.name;
      c.type = info.type;
      output.columns.push_back(std::move(c));
    }
    for (const ast::InsertTarget& ast : insert.targets) {
      Branch branch{Target(ast, environment), {}, {}, ast.is_else};
      if (ast.when) branch.when = Binder(environment, output).condition(*ast.when);
      for (const auto& e : ast.values) {
        branch.values.push_back(e->kind == ast::ExprKind::kDefault
                                    ? Eval()
                                    : Binder(environment, output).condition(*e));
      }
      const std::size_t have = branch.values.empty() ? output.columns.size() : branch.values.size();
      if (have != branch.target.columns.size())
        raise(have < branch.target.columns.size() ? 947 : 913, ast.pos);
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
      for (Branch& branch : branches_) {
        if (branch.is_else ? taken : (branch.when && !is_true(branch.when(f)))) continue;
        taken = true;
        insert(branch, row, f, context, result);
        if (first_) break;
      }
    }
    return result;
  }

 private:
  struct Branch {
    Target target;
    Eval when;
    std::vector<Eval> values;
    bool is_else;
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
        branch.target.table.def(), branch.target.make_row(std::move(values), context));
    ++result.row_count;
  }

  std::shared_ptr<BoundQuery> query_;
  bool first_;
  std::vector<Branch> branches_;
};

/// SET clauses over a scope that begins with the table's columns.
class SetClauses {
 public:
  SetClauses(const std::vector<ast::Assignment>& assignments, const DmlTable& table,
             const BindEnvironment& environment, const Scope& scope) {
    for (const ast::Assignment& a : assignments) {
      Clause clause;
      for (const ast::Ident& name : a.columns) {
        clause.columns.push_back(table.column(name));
        if (table.def().columns[clause.columns.back()].is_virtual) raise(54017, name.pos);
      }
      if (a.columns.size() > 1) {
        if (a.value->kind != ast::ExprKind::kSubquery) raise(1767, a.value->begin);
        clause.query = bind_query(*a.value->query, environment, &scope);
        if (clause.query->columns().size() != a.columns.size()) raise(947, a.value->begin);
      } else if (a.value->kind != ast::ExprKind::kDefault) {
        clause.eval = Binder(environment, scope).condition(*a.value);
      }
      clauses_.push_back(std::move(clause));
    }
  }

  void apply(Row& row, const Frame& f, const DmlTable& table) const {
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

 private:
  struct Clause {
    std::vector<std::size_t> columns;
    Eval eval;
    std::shared_ptr<BoundQuery> query;
  };

  static void apply_query(const Clause& clause, Row& row, const Frame& f, const DmlTable& table) {
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

  std::vector<Clause> clauses_;
};

/// A row found for UPDATE or DELETE.
struct Found {
  RowId id;
  Row row;  ///< without the ROWID slot
};

/// WHERE of UPDATE and DELETE.
class Finder {
 public:
  Finder(const DmlTable& table, const ast::Expr* where, const BindEnvironment& environment)
      : rows_(table.shared(), where, environment, table.scope()) {
    if (where != nullptr) where_ = Binder(environment, table.scope()).condition(*where);
  }

  /// All rows first: a statement does not see its own changes.
  std::vector<Found> find(ExecContext& context) const {
    std::vector<Found> found;
    auto stream = rows_.open(context, nullptr, context.scn);
    Row row;
    std::int64_t rownum = 1;
    while (stream->next(row)) {
      Frame f;
      f.context = &context;
      f.row = &row;
      f.rownum = rownum;
      if (where_ && !is_true(where_(f))) continue;
      ++rownum;
      Found one;
      one.id = std::get<RowId>(row.back().data);
      one.row.assign(row.begin(), row.end() - 1);
      found.push_back(std::move(one));
    }
    return found;
  }

 private:
  TableRows rows_;
  Eval where_;
};

class UpdateRows final : public BoundDml {
 public:
  UpdateRows(const ast::Update& update, const BindEnvironment& environment)
      : table_(update.table, update.alias.text, update.pos, environment),
        finder_(table_, update.where.get(), environment),
        set_(update.set, table_, environment, table_.scope()),
        returning_(update.returning, table_, environment) {}

  DmlResult run(ExecContext& context) override {
    return with_restarts(context, [&] {
      DmlResult result;
      for (Found& found : finder_.find(context)) {
        Row with_id = found.row;
        with_id.push_back(Value{Type::kRowid, false, found.id});
        Frame f;
        f.context = &context;
        f.row = &with_id;
        context.row_sequence_values.clear();
        Row changed = found.row;
        set_.apply(changed, f, table_);
        table_.complete(changed, context);
        if (!context.transaction->update(table_.def(), found.id, changed, context.scn))
          throw Restart{};
        ++result.row_count;
        returning_.add(changed, found.id, context, result);
      }
      return result;
    });
  }

 private:
  DmlTable table_;
  Finder finder_;
  SetClauses set_;
  DmlReturning returning_;
};

class DeleteRows final : public BoundDml {
 public:
  DeleteRows(const ast::Delete& remove, const BindEnvironment& environment)
      : table_(remove.table, remove.alias.text, remove.pos, environment),
        finder_(table_, remove.where.get(), environment),
        returning_(remove.returning, table_, environment) {}

  DmlResult run(ExecContext& context) override {
    return with_restarts(context, [&] {
      DmlResult result;
      for (const Found& found : finder_.find(context)) {
        if (!context.transaction->remove(table_.def(), found.id, context.scn)) throw Restart{};
        ++result.row_count;
        returning_.add(found.row, found.id, context, result);
      }
      return result;
    });
  }

 private:
  DmlTable table_;
  Finder finder_;
  DmlReturning returning_;
};

/// MERGE: the source is read whole; each of its rows looks for its target rows.
class MergeRows final : public BoundDml {
 public:
  MergeRows(const ast::Merge& merge, const BindEnvironment& environment)
      : table_(merge.table, merge.alias.text, merge.pos, environment),
        has_update_(merge.has_update),
        has_insert_(merge.has_insert) {
    bind_source(merge, environment);
    Binder binder(environment, joined_);
    on_ = binder.condition(*merge.on);
    if (merge.has_update) {
      set_ = std::make_unique<SetClauses>(merge.set, table_, environment, joined_);
      if (merge.update_where)
        update_where_ = Binder(environment, joined_).condition(*merge.update_where);
      if (merge.delete_where)
        delete_where_ = Binder(environment, joined_).condition(*merge.delete_where);
    }
    if (merge.has_insert) bind_insert_part(merge, environment);
  }

  DmlResult run(ExecContext& context) override {
    return with_restarts(context, [&] { return merge(context); });
  }

 private:
  void bind_source(const ast::Merge& merge, const BindEnvironment& environment) {
    joined_ = table_.scope();
    const ast::TableRef& ref = *merge.source;
    std::string alias = ref.alias.text;
    if (ref.kind == ast::TableRef::Kind::kQuery) {
      source_ = bind_query(*ref.query, environment);
    } else {
      // A table: all of its columns.
      std::string text = "SELECT * FROM ";
      for (std::size_t i = 0; i < ref.name.size(); ++i) {
        text += (i == 0 ? "\"" : ".\"") + ref.name[i].text + "\"";
      }
      if (alias.empty()) alias = ref.name.back().text;
      source_ = bind_text(text, environment);
    }
    for (const ColumnInfo& info : source_->columns()) {
      ScopeColumn c;
      c.qualifier = alias;
      c.name = info.name;
      c.type = info.type;
      c.nullable = info.nullable;
      c.table = 1;
      joined_.columns.push_back(std::move(c));
    }
  }

  static std::shared_ptr<BoundQuery> bind_text(const std::string& text,
                                               const BindEnvironment& environment);

  void bind_insert_part(const ast::Merge& merge, const BindEnvironment& environment) {
    ast::InsertTarget target;
    target.table = merge.table;
    target.columns = merge.insert_columns;
    target.pos = merge.pos;
    insert_ = std::make_unique<Target>(target, environment);
    if (merge.insert_values.size() != insert_->columns.size()) {
      raise(merge.insert_values.size() < insert_->columns.size() ? 947 : 913, merge.pos);
    }
    for (const auto& e : merge.insert_values) {
      insert_values_.push_back(
          e->kind == ast::ExprKind::kDefault ? Eval() : Binder(environment, joined_).condition(*e));
    }
    if (merge.insert_where)
      insert_where_ = Binder(environment, joined_).condition(*merge.insert_where);
  }

  std::vector<Found> target_rows(ExecContext& context) const {
    std::vector<Found> rows;
    auto scan = context.store->scan(table_.def(), context.scn, context.transaction, context.cancel);
    Found one;
    while (scan->next(one.id, one.row)) rows.push_back(one);
    return rows;
  }

  DmlResult merge(ExecContext& context) {
    DmlResult result;
    const std::vector<Found> targets = target_rows(context);
    std::map<RowId, bool> touched;
    auto stream = source_->open(context);
    Row source;
    std::vector<Row> sources;
    while (stream->next(source)) sources.push_back(source);
    for (const Row& row : sources) {
      bool matched = false;
      for (const Found& target : targets) {
        Row wide = target.row;
        wide.push_back(Value{Type::kRowid, false, target.id});
        wide.insert(wide.end(), row.begin(), row.end());
        Frame f;
        f.context = &context;
        f.row = &wide;
        if (!is_true(on_(f))) continue;
        matched = true;
        if (has_update_) update_one(target, f, touched, context, result);
      }
      if (!matched && has_insert_) insert_one(row, context, result);
    }
    return result;
  }

  void update_one(const Found& target, const Frame& f, std::map<RowId, bool>& touched,
                  ExecContext& context, DmlResult& result) {
    if (update_where_ && !is_true(update_where_(f))) return;
    if (!touched.emplace(target.id, true).second) raise(30926);
    Row changed = target.row;
    set_->apply(changed, f, table_);
    table_.complete(changed, context);
    if (!context.transaction->update(table_.def(), target.id, changed, context.scn))
      throw Restart{};
    ++result.row_count;
    result.last_row_id = target.id;
    if (!delete_where_) return;
    Row wide = *f.row;
    std::copy(changed.begin(), changed.end(), wide.begin());
    Frame after = f;
    after.row = &wide;
    if (is_true(delete_where_(after)) &&
        !context.transaction->remove(table_.def(), target.id, context.store->current_scn())) {
      throw Restart{};
    }
  }

  void insert_one(const Row& source, ExecContext& context, DmlResult& result) {
    Row wide(table_.scope().columns.size());
    wide.insert(wide.end(), source.begin(), source.end());
    Frame f;
    f.context = &context;
    f.row = &wide;
    context.row_sequence_values.clear();
    if (insert_where_ && !is_true(insert_where_(f))) return;
    std::vector<std::optional<Value>> values;
    for (const Eval& eval : insert_values_) {
      values.push_back(eval ? std::optional<Value>(eval(f)) : std::nullopt);
    }
    result.last_row_id =
        context.transaction->insert(table_.def(), insert_->make_row(std::move(values), context));
    ++result.row_count;
  }

  DmlTable table_;
  bool has_update_, has_insert_;
  Scope joined_;
  std::shared_ptr<BoundQuery> source_;
  Eval on_, update_where_, delete_where_, insert_where_;
  std::unique_ptr<SetClauses> set_;
  std::unique_ptr<Target> insert_;
  std::vector<Eval> insert_values_;
};

std::shared_ptr<BoundQuery> MergeRows::bind_text(const std::string& text,
                                                 const BindEnvironment& environment) {
  Parser parser(text);
  const ast::QueryPtr query = parser.query();
  BindEnvironment inner = environment;
  inner.sql = text;
  return bind_query(*query, inner);
}

}  // namespace

std::unique_ptr<BoundDml> bind_insert(const ast::Insert& insert,
                                      const BindEnvironment& environment) {
  if (insert.query) return std::make_unique<InsertSelect>(insert, environment);
  return std::make_unique<InsertValues>(insert, environment);
}
std::unique_ptr<BoundDml> bind_update(const ast::Update& update,
                                      const BindEnvironment& environment) {
  if (update.view) raise(1732, update.pos);
  return std::make_unique<UpdateRows>(update, environment);
}
std::unique_ptr<BoundDml> bind_delete(const ast::Delete& remove,
                                      const BindEnvironment& environment) {
  return std::make_unique<DeleteRows>(remove, environment);
}
std::unique_ptr<BoundDml> bind_merge(const ast::Merge& merge, const BindEnvironment& environment) {
  return std::make_unique<MergeRows>(merge, environment);
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
