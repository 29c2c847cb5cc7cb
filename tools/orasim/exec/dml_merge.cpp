// MERGE: the source outer-joined to the target, so that the join's own ways (hashing) apply.
#include <algorithm>
#include <set>

#include "exec/dml_table.h"
#include "exec/from_plan.h"

namespace orasim {
namespace {

class MergeRows final : public BoundDml {
 public:
  MergeRows(const ast::Merge& merge, const BindEnvironment& environment)
      : table_(merge.table, merge.alias.text, merge.pos, environment) {
    check_rights(merge, *environment.access);
    std::vector<Conjunct> rest;
    rows_ = bind_from(merge.rows, environment, {}, joined_, false, rest);
    target_begin_ = joined_.columns.size() - table_.scope().columns.size();
    if (merge.has_update) bind_update_part(merge, environment);
    if (merge.has_insert) bind_insert_part(merge, environment);
  }

  DmlResult run(ExecContext& context) override {
    return with_restarts(context, [&] { return merge(context); });
  }

 private:
  void check_rights(const ast::Merge& merge, const Access& access) const {
    const TableDef& def = table_.def();
    std::vector<std::string> set, inserted;
    for (const ast::Assignment& a : merge.set) {
      for (const ast::Ident& name : a.columns) set.push_back(name.text);
    }
    for (const ast::Ident& name : merge.insert_columns) inserted.push_back(name.text);
    if (merge.has_update) require_columns(access, def.owner, def.name, "UPDATE", set, merge.pos);
    if (merge.delete_where)
      require(access, ObjectKind::kTable, def.owner, def.name, "DELETE", merge.pos);
    if (merge.has_insert)
      require_columns(access, def.owner, def.name, "INSERT", inserted, merge.pos);
  }

  void bind_update_part(const ast::Merge& merge, const BindEnvironment& environment) {
    set_ =
        std::make_unique<SetClauses>(merge.set, table_, environment, joined_,
                                     [&](const ast::Ident& name) { return table_.column(name); });
    const std::vector<std::size_t> changed = set_->columns();
    const ast::Expr& on = *merge.rows.from[0]->on;
    for (const std::size_t column : on_columns(on)) {
      if (std::find(changed.begin(), changed.end(), column) != changed.end())
        raise(38104, merge.pos);
    }
    update_where_ = condition(merge.update_where, environment);
    delete_where_ = condition(merge.delete_where, environment);
  }

  void bind_insert_part(const ast::Merge& merge, const BindEnvironment& environment) {
    std::vector<bool> given;
    for (const auto& e : merge.insert_values) {
      given.push_back(e->kind != ast::ExprKind::kDefault);
      values_.push_back(given.back() ? condition(e, environment) : Eval());
    }
    maker_ = std::make_unique<RowMaker>(table_, merge.insert_columns, given);
    if (values_.size() != maker_->width())
      raise(values_.size() < maker_->width() ? 947 : 913, merge.pos);
    insert_where_ = condition(merge.insert_where, environment);
  }

  Eval condition(const ast::ExprPtr& e, const BindEnvironment& environment) const {
    return e ? Binder(environment, joined_).condition(*e) : Eval();
  }

  /// Columns of the target that ON reads.
  std::set<std::size_t> on_columns(const ast::Expr& e) const {
    std::set<std::size_t> out;
    if (e.kind == ast::ExprKind::kName) {
      const int slot = find_column(joined_, e);
      if (slot >= static_cast<int>(target_begin_))
        out.insert(static_cast<std::size_t>(slot) - target_begin_);
    }
    for (const auto& arg : e.args) {
      if (arg) out.merge(on_columns(*arg));
    }
    return out;
  }

  DmlResult merge(ExecContext& context) {
    DmlResult result;
    std::set<RowId> touched;
    auto stream = open_from(*rows_, joined_.columns.size(), context, nullptr);
    Row row;
    while (stream->next(row)) {
      Frame f;
      f.context = &context;
      f.row = &row;
      context.row_sequence_values.clear();
      if (row.back().is_null()) {
        if (maker_) insert_one(f, context, result);
      } else if (set_) {
        update_one(row, f, touched, context, result);
      }
    }
    return result;
  }

  void update_one(Row& row, const Frame& f, std::set<RowId>& touched, ExecContext& context,
                  DmlResult& result) {
    if (update_where_ && !is_true(update_where_(f))) return;
    const auto id = std::get<RowId>(row.back().data);
    if (!touched.insert(id).second) raise(30926);
    const auto begin = row.begin() + static_cast<std::ptrdiff_t>(target_begin_);
    Row changed(begin, row.end() - 1);
    set_->apply(changed, f, table_);
    table_.complete(changed, context);
    if (!context.transaction->update(table_.def(), id, changed, context.scn)) throw Restart{};
    ++result.row_count;
    result.last_row_id = id;
    if (!delete_where_) return;
    std::copy(changed.begin(), changed.end(), begin);
    if (is_true(delete_where_(f)) &&
        !context.transaction->remove(table_.def(), id, context.store->current_scn())) {
      throw Restart{};
    }
  }

  void insert_one(const Frame& f, ExecContext& context, DmlResult& result) {
    if (insert_where_ && !is_true(insert_where_(f))) return;
    std::vector<std::optional<Value>> values;
    for (const Eval& eval : values_) {
      values.push_back(eval ? std::optional<Value>(eval(f)) : std::nullopt);
    }
    result.last_row_id =
        context.transaction->insert(table_.def(), maker_->make(std::move(values), context));
    ++result.row_count;
  }

  DmlTable table_;
  Scope joined_;  ///< the source, then the target with its ROWID
  std::size_t target_begin_ = 0;
  std::unique_ptr<FromNode> rows_;
  std::unique_ptr<SetClauses> set_;
  Eval update_where_, delete_where_, insert_where_;
  std::unique_ptr<RowMaker> maker_;
  std::vector<Eval> values_;
};

}  // namespace

std::unique_ptr<BoundDml> bind_merge(const ast::Merge& merge, const BindEnvironment& environment) {
  return std::make_unique<MergeRows>(merge, environment);
}

}  // namespace orasim
