#include "exec/recursive_with.h"

#include <algorithm>
#include <unordered_set>

#include "exec/binder.h"

namespace orasim {
namespace {

bool names_table(const ast::Query& query, const std::string& name);

bool names_table(const ast::TableRef& ref, const std::string& name) {
  switch (ref.kind) {
    case ast::TableRef::Kind::kJoin:
      return names_table(*ref.left, name) || names_table(*ref.right, name);
    case ast::TableRef::Kind::kQuery:
      return names_table(*ref.query, name);
    default:
      return ref.name.size() == 1 && ref.name[0].text == name;
  }
}

bool names_table(const ast::Query& query, const std::string& name) {
  if (query.left && names_table(*query.left, name)) return true;
  if (query.right && names_table(*query.right, name)) return true;
  return query.block && std::any_of(query.block->from.begin(), query.block->from.end(),
                                    [&](const auto& ref) { return names_table(*ref, name); });
}

class WorkingStream final : public RowStream {
 public:
  explicit WorkingStream(const WorkingTable& table) : table_(table) {}
  bool next(Row& row) override {
    if (at_ == table_.rows.size()) return false;
    row = table_.rows[at_++];
    return true;
  }

 private:
  const WorkingTable& table_;
  std::size_t at_ = 0;
};

class WorkingSource final : public RowSource {
 public:
  explicit WorkingSource(std::shared_ptr<const WorkingTable> table) : table_(std::move(table)) {}
  std::unique_ptr<RowStream> open(ExecContext&, const Frame*) const override {
    return std::make_unique<WorkingStream>(*table_);
  }

 private:
  std::shared_ptr<const WorkingTable> table_;
};

/// Level by level: the anchor's rows, then what the step makes of the level before.
class RecursiveStream final : public RowStream {
 public:
  RecursiveStream(const BoundQuery& anchor, const BoundQuery& step,
                  std::shared_ptr<WorkingTable> table, ExecContext& context, const Frame* outer)
      : step_(step), table_(std::move(table)), context_(context), outer_(outer) {
    take(anchor);
  }

  bool next(Row& row) override {
    while (at_ == level_.size()) {
      if (level_.empty()) return false;
      table_->rows = std::move(level_);
      level_.clear();
      at_ = 0;
      ++context_.execution_id;  // subqueries over the working table read it anew
      take(step_);
    }
    row = level_[at_++];
    return true;
  }

 private:
  void take(const BoundQuery& query) {
    auto stream = query.open(context_, outer_);
    Row row;
    while (stream->next(row)) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        const DataType& type = table_->columns[i].type;
        if (row[i].type != type.type && !is_text(type.type))
          row[i] = convert(row[i], type.type, context_.convert());
      }
      // A row that comes up twice would come up for ever.
      if (!seen_.insert(row_key(row)).second) raise(32044);
      level_.push_back(row);
    }
  }

  const BoundQuery& step_;
  std::shared_ptr<WorkingTable> table_;
  ExecContext& context_;
  const Frame* outer_;
  std::vector<Row> level_;
  std::size_t at_ = 0;
  std::unordered_set<std::string> seen_;
};

class RecursiveSource final : public RowSource {
 public:
  RecursiveSource(std::shared_ptr<BoundQuery> anchor, std::shared_ptr<BoundQuery> step,
                  std::shared_ptr<WorkingTable> table)
      : anchor_(std::move(anchor)), step_(std::move(step)), table_(std::move(table)) {}
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer) const override {
    return std::make_unique<RecursiveStream>(*anchor_, *step_, table_, context, outer);
  }

 private:
  std::shared_ptr<BoundQuery> anchor_, step_;
  std::shared_ptr<WorkingTable> table_;
};

}  // namespace

bool is_recursive(const ast::Cte& cte) {
  return cte.query->right && names_table(*cte.query->right, cte.name.text);
}

RecursiveWith bind_recursive(const ast::Cte& cte, const BindEnvironment& environment,
                             const Scope* outer) {
  if (cte.columns.empty()) raise(32039, cte.name.pos);
  if (cte.query->op != ast::SetOperator::kUnionAll) raise(32040, cte.name.pos);
  auto anchor = bind_query(*cte.query->left, environment, outer);
  auto table = std::make_shared<WorkingTable>();
  table->columns = anchor->columns();
  if (table->columns.size() != cte.columns.size()) raise(32038, cte.name.pos);
  for (std::size_t i = 0; i < cte.columns.size(); ++i) {
    ColumnInfo& column = table->columns[i];
    column.name = cte.columns[i].text;
    if (column.type.type == Type::kChar) column.type.type = Type::kVarchar2;
    if (column.type.type == Type::kVarchar2) column.type.size_bytes = 4000;
  }
  BindEnvironment inner = environment;
  inner.recursive.emplace_back(cte.name.text, table);
  auto step = bind_query(*cte.query->right, inner, outer);
  if (step->columns().size() != cte.columns.size()) raise(1789, cte.query->begin);
  RecursiveWith out;
  out.columns = table->columns;
  out.is_correlated = anchor->is_correlated() || step->is_correlated();
  out.source = std::make_unique<RecursiveSource>(std::move(anchor), std::move(step), table);
  return out;
}

std::unique_ptr<RowSource> working_source(std::shared_ptr<const WorkingTable> table) {
  return std::make_unique<WorkingSource>(std::move(table));
}

}  // namespace orasim
