// UPDATE and DELETE, of a table or of rows that a view stands for.
#include <set>

#include "exec/dml_table.h"

namespace orasim {
namespace {

/// A row found for UPDATE or DELETE.
struct Found {
  RowId id;
  Row row;   ///< of the table, without the ROWID slot
  Row seen;  ///< what SET reads
};

/// The table to change and the rows of it that WHERE chooses.
class Finder {
 public:
  virtual ~Finder() = default;
  [[nodiscard]] virtual const DmlTable& table() const = 0;
  [[nodiscard]] virtual const Scope& scope() const = 0;
  [[nodiscard]] virtual std::size_t column_of(const ast::Ident& name) const = 0;
  /// All rows first: a statement does not see its own changes.
  virtual std::vector<Found> find(ExecContext& context) const = 0;
};

/// WHERE over the rows of a stream whose last slot is the ROWID of the row to change.
template <class Take>
void filter(RowStream& stream, const Eval& where, ExecContext& context, Take take) {
  Row row;
  std::int64_t rownum = 1;
  while (stream.next(row)) {
    Frame f;
    f.context = &context;
    f.row = &row;
    f.rownum = rownum;
    if (where && !is_true(where(f))) continue;
    ++rownum;
    take(row);
  }
}

class TableFinder final : public Finder {
 public:
  TableFinder(const ast::Name& name, const std::string& alias, int pos, const ast::Expr* where,
              const BindEnvironment& environment, const ViewRights& rights)
      : table_(name, alias, pos, environment),
        rows_(table_.shared(), where, environment, table_.scope()) {
    const TableDef& def = table_.def();
    require_columns(*environment.access, def.owner, def.name, rights.privilege, rights.columns,
                    pos);
    // SQL92_SECURITY, on since 12.2: what WHERE tells of the rows is read.
    if (rights.reads)
      require(*environment.access, ObjectKind::kTable, def.owner, def.name, "SELECT", pos);
    if (where != nullptr) where_ = Binder(environment, table_.scope()).condition(*where);
  }
  [[nodiscard]] const DmlTable& table() const override { return table_; }
  [[nodiscard]] const Scope& scope() const override { return table_.scope(); }
  [[nodiscard]] std::size_t column_of(const ast::Ident& name) const override {
    return table_.column(name);
  }
  std::vector<Found> find(ExecContext& context) const override {
    std::vector<Found> found;
    auto stream = rows_.open(context, nullptr, context.scn, context.transaction);
    filter(*stream, where_, context, [&](const Row& row) {
      found.push_back({std::get<RowId>(row.back().data), {row.begin(), row.end() - 1}, row});
    });
    return found;
  }

 private:
  DmlTable table_;
  TableRows rows_;
  Eval where_;
};

class ViewFinder final : public Finder {
 public:
  /// `table`: the FROM item to change.
  ViewFinder(std::unique_ptr<UpdatableView> view, int table, const ast::Expr* where,
             const BindEnvironment& environment, const ViewRights& rights)
      : view_(std::move(view)), table_(view_->choose(table), {}, environment) {
    require(view_->access(), ObjectKind::kTable, table_.def().owner, table_.def().name,
            rights.privilege, rights.pos);
    if (where != nullptr) where_ = Binder(environment, view_->scope()).condition(*where);
  }
  [[nodiscard]] const DmlTable& table() const override { return table_; }
  [[nodiscard]] const Scope& scope() const override { return view_->scope(); }
  [[nodiscard]] std::size_t column_of(const ast::Ident& name) const override {
    return table_.column({view_->origin(name).second, true, name.pos});
  }
  std::vector<Found> find(ExecContext& context) const override {
    std::vector<Found> found;
    std::set<RowId> known;
    auto stream = view_->open(context);
    filter(*stream, where_, context, [&](const Row& row) {
      const auto id = std::get<RowId>(row.back().data);
      Found one{id, {}, row};
      if (known.insert(id).second &&
          context.store->fetch(table_.def(), id, context.scn, context.transaction, one.row))
        found.push_back(std::move(one));
    });
    return found;
  }

 private:
  std::unique_ptr<UpdatableView> view_;
  DmlTable table_;
  Eval where_;
};

std::unique_ptr<Finder> finder_of(const ast::Update& update, const BindEnvironment& environment) {
  ViewRights rights{"UPDATE", {}, update.where != nullptr, update.pos};
  for (const ast::Assignment& a : update.set) {
    for (const ast::Ident& name : a.columns) rights.columns.push_back(name.text);
  }
  auto view = find_view(update.table, update.view, update.alias.text, environment, rights);
  if (!view) {
    return std::make_unique<TableFinder>(update.table, update.alias.text, update.pos,
                                         update.where.get(), environment, rights);
  }
  std::set<int> tables;
  for (const ast::Assignment& a : update.set) {
    for (const ast::Ident& name : a.columns) tables.insert(view->origin(name).first);
  }
  if (tables.size() > 1) raise(1776, update.pos);
  return std::make_unique<ViewFinder>(std::move(view), *tables.begin(), update.where.get(),
                                      environment, rights);
}

std::unique_ptr<Finder> finder_of(const ast::Delete& remove, const BindEnvironment& environment) {
  const ViewRights rights{"DELETE", {}, remove.where != nullptr, remove.pos};
  auto view = find_view(remove.table, remove.view, remove.alias.text, environment, rights);
  if (!view) {
    return std::make_unique<TableFinder>(remove.table, remove.alias.text, remove.pos,
                                         remove.where.get(), environment, rights);
  }
  const int table = view->first_table();
  return std::make_unique<ViewFinder>(std::move(view), table, remove.where.get(), environment,
                                      rights);
}

class UpdateRows final : public BoundDml {
 public:
  UpdateRows(const ast::Update& update, const BindEnvironment& environment)
      : finder_(finder_of(update, environment)),
        set_(update.set, finder_->table(), environment, finder_->scope(),
             [this](const ast::Ident& name) { return finder_->column_of(name); }),
        returning_(update.returning, finder_->table(), environment) {}

  DmlResult run(ExecContext& context) override {
    return with_restarts(context, [&] {
      DmlResult result;
      const DmlTable& table = finder_->table();
      std::vector<Found> rows = finder_->find(context);
      // All values first: the subqueries of SET do not see the statement's own changes either.
      for (Found& found : rows) {
        Frame f;
        f.context = &context;
        f.row = &found.seen;
        context.row_sequence_values.clear();
        set_.apply(found.row, f, table);
        table.complete(found.row, context);
      }
      for (const Found& found : rows) {
        if (!context.transaction->update(table.def(), found.id, found.row, context.scn))
          throw Restart{};
        ++result.row_count;
        returning_.add(found.row, found.id, context, result);
      }
      return result;
    });
  }

 private:
  std::unique_ptr<Finder> finder_;
  SetClauses set_;
  DmlReturning returning_;
};

class DeleteRows final : public BoundDml {
 public:
  DeleteRows(const ast::Delete& remove, const BindEnvironment& environment)
      : finder_(finder_of(remove, environment)),
        returning_(remove.returning, finder_->table(), environment) {}

  DmlResult run(ExecContext& context) override {
    return with_restarts(context, [&] {
      DmlResult result;
      const DmlTable& table = finder_->table();
      for (const Found& found : finder_->find(context)) {
        if (!context.transaction->remove(table.def(), found.id, context.scn)) throw Restart{};
        ++result.row_count;
        returning_.add(found.row, found.id, context, result);
      }
      return result;
    });
  }

 private:
  std::unique_ptr<Finder> finder_;
  DmlReturning returning_;
};

}  // namespace

std::unique_ptr<BoundDml> bind_update(const ast::Update& update,
                                      const BindEnvironment& environment) {
  return std::make_unique<UpdateRows>(update, environment);
}

std::unique_ptr<BoundDml> bind_delete(const ast::Delete& remove,
                                      const BindEnvironment& environment) {
  return std::make_unique<DeleteRows>(remove, environment);
}

}  // namespace orasim
