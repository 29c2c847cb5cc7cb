#include "exec/dml_table.h"

#include "exec/locked_lobs.h"
#include "exec/parser.h"

namespace orasim {

DmlTable::DmlTable(const ast::Name& name, const std::string& alias, int pos,
                   const BindEnvironment& environment)
    : DmlTable(
          [&] {
            auto table = resolve_table(environment, name);
            if (!table) raise(942, pos);
            return table;
          }(),
          alias, environment) {}

DmlTable::DmlTable(std::shared_ptr<const TableDef> table, const std::string& alias,
                   const BindEnvironment& environment)
    : table_(std::move(table)) {
  scope_ = table_scope(*table_, alias);
  for (const ColumnDef& column : table_->columns) {
    column_texts_.push_back("\"" + table_->owner + "\".\"" + table_->name + "\".\"" + column.name +
                            "\"");
  }
  bind_texts(environment);
  virtuals_ = virtual_columns(*table_, environment);
  if (!table_->partitions.empty()) partitions_.emplace(*table_, environment);
}

/// Defaults and checks are kept as text in the catalog.
void DmlTable::bind_texts(const BindEnvironment& environment) {
  BindEnvironment inner = environment;
  inner.current_schema = table_->owner;
  inner.variables = nullptr;
  // A default's sequence belongs to the table's owner; whoever may insert may use it.
  if (environment.access->user() != table_->owner)
    inner.access = access_of(environment.catalog, table_->owner);
  const Scope plain = table_scope(*table_, {});
  const Scope empty;
  const auto eval_of = [&](const std::string& text, bool is_condition, const Scope& scope) {
    Parser parser(text);
    const ast::ExprPtr e = is_condition ? parser.condition() : parser.expression();
    inner.sql = text;
    return Binder(inner, scope).condition(*e);
  };
  defaults_.resize(table_->columns.size());
  for (std::size_t i = 0; i < table_->columns.size(); ++i) {
    const ColumnDef& column = table_->columns[i];
    if (!column.default_sql.empty()) defaults_[i] = eval_of(column.default_sql, false, empty);
  }
  for (const ConstraintDef& c : table_->constraints) {
    if (c.kind != ConstraintKind::kCheck || c.is_not_null || !c.enabled) continue;
    checks_.push_back({c.name, eval_of(c.check_sql, true, plain)});
  }
}

std::size_t DmlTable::column(const ast::Ident& name) const {
  const int index = table_->find_column(name.text);
  if (index < 0) raise_invalid_identifier("\"" + name.text + "\"", name.pos);
  return static_cast<std::size_t>(index);
}

Value DmlTable::converted(const Value& value, std::size_t column, ExecContext& context) const {
  return convert_to(value, table_->columns[column].type, column_texts_[column], context.convert());
}

Value DmlTable::default_value(std::size_t column, ExecContext& context) const {
  const ColumnDef& def = table_->columns[column];
  if (def.is_identity) {
    return converted(
        make_number(context.store->next_sequence_value(table_->owner, def.identity_sequence)),
        column, context);
  }
  if (!defaults_[column]) return Value{def.type.type, def.type.national, {}};
  Frame f;
  f.context = &context;
  return converted(defaults_[column](f), column, context);
}

void DmlTable::complete(Row& row, ExecContext& context) const {
  Frame f;
  f.context = &context;
  f.row = &row;
  for (const auto& [column, eval] : virtuals_) row[column] = converted(eval(f), column, context);
  if (partitions_ && partitions_->of_row(row, 0, context) < 0) raise(14400);
  if (table_->temporary && !table_->preserves_rows && context.touched_temporary != nullptr)
    context.touched_temporary->emplace(table_->owner, table_->name);
  for (const Check& check : checks_) {
    const Value v = check.condition(f);
    if (v.is_null() || truth(v)) continue;  // unknown is no violation
    raise_text(2290, "check constraint (" + table_->owner + "." + check.name + ") violated");
  }
}

DmlReturning::DmlReturning(const ast::Returning& returning, const DmlTable& table,
                           const BindEnvironment& environment)
    : table_(table.shared()) {
  for (const auto& e : returning.exprs)
    evals_.push_back(Binder(environment, table.scope()).condition(*e));
}

void DmlReturning::add(const Row& row, const RowId& id, ExecContext& context,
                       DmlResult& result) const {
  result.last_row_id = id;
  if (evals_.empty()) return;
  Row with_id = row;
  with_id.push_back(Value{Type::kRowid, false, id});
  if (context.locked_lobs != nullptr) context.locked_lobs->keep(table_, id, with_id, 0);
  Frame f;
  f.context = &context;
  f.row = &with_id;
  result.returning.resize(evals_.size());
  for (std::size_t i = 0; i < evals_.size(); ++i) result.returning[i].push_back(evals_[i](f));
}

}  // namespace orasim
