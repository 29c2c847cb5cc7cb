// Running bound queries.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "exec/query_plan.h"

namespace orasim {
namespace {

Frame frame_of(const Row& row, const Frame* outer, ExecContext& context) {
  Frame f;
  f.row = &row;
  f.outer = outer;
  f.context = &context;
  return f;
}

void project(const BlockPlan& plan, const Frame& f, Row& out, Row* keys) {
  out.resize(plan.output.size());
  for (std::size_t i = 0; i < plan.output.size(); ++i) {
    const OutputColumn& column = plan.output[i];
    if (column.slot >= 0) {
      out[i] = (*f.row)[static_cast<std::size_t>(column.slot)];
    } else {
      out[i] = column.eval(f);
    }
  }
  if (keys == nullptr) return;
  keys->clear();
  for (const OrderKey& key : plan.order) {
    keys->push_back(key.position >= 0 ? out[static_cast<std::size_t>(key.position)] : key.eval(f));
  }
}

/// Rows of FROM after WHERE, with ROWNUM and LEVEL.
class FilteredRows {
 public:
  FilteredRows(const BlockPlan& plan, ExecContext& context, const Frame* outer)
      : plan_(plan),
        context_(context),
        outer_(outer),
        base_width_(plan.width - plan.analytics.size()),
        rows_(open_from(*plan.from, base_width_, context, outer)) {
    if (plan.has_connect_by) prepare_hierarchy();
  }

  /// The row lives in the given frame until the next call.
  bool next(Frame& f) {
    for (;;) {
      if (ended_ || !next_candidate(f)) return false;
      f.rownum = count_ + 1;
      context_.row_sequence_values.clear();
      if (passes(f)) {
        ++count_;
        return true;
      }
    }
  }

 private:
  bool passes(const Frame& f) {
    for (const Eval& filter : plan_.filters) {
      if (!is_true(filter(f))) return false;
    }
    for (std::size_t i = 0; i < plan_.rownum_filters.size(); ++i) {
      if (is_true(plan_.rownum_filters[i](f))) continue;
      ended_ = plan_.rownum_ends[i];
      return false;
    }
    return true;
  }

  bool next_candidate(Frame& f) {
    if (!plan_.has_connect_by) {
      if (!rows_->next(row_)) return false;
      f = frame_of(row_, outer_, context_);
      if (plan_.analytics.size() != 0) row_.resize(base_width_);
      return true;
    }
    return plan_.connects_priors ? next_of_tree(f) : next_of_levels(f);
  }

  void prepare_hierarchy() {
    Row row;
    while (rows_->next(row)) kept_.push_back(row);
    if (plan_.connects_priors) {
      for (std::size_t i = kept_.size(); i-- > 0;) {
        Frame f = frame_of(kept_[i], outer_, context_);
        f.level = 1;
        if (!plan_.start_with || is_true(plan_.start_with(f))) stack_.push_back({i, 1, SIZE_MAX});
      }
    }
  }

  /// CONNECT BY LEVEL <= n without PRIOR: every row leads to every row, level by level.
  bool next_of_levels(Frame& f) {
    while (!kept_.empty()) {
      context_.check_cancel();
      if (level_row_ == kept_.size()) {
        if (!any_in_level_) return false;
        ++level_;
        level_row_ = 0;
        any_in_level_ = false;
      }
      f = frame_of(kept_[level_row_++], outer_, context_);
      f.level = level_;
      if (level_ > 1 && !is_true(plan_.connect_by(f))) continue;
      any_in_level_ = true;
      return true;
    }
    return false;
  }

  struct Node {
    std::size_t row;
    std::int64_t level;
    std::size_t parent;
  };

  bool next_of_tree(Frame& f) {
    if (stack_.empty()) return false;
    context_.check_cancel();
    const Node node = stack_.back();
    stack_.pop_back();
    if (node.level > static_cast<std::int64_t>(kept_.size())) raise(1436);
    for (std::size_t i = kept_.size(); i-- > 0;) {
      Frame child = frame_of(kept_[i], outer_, context_);
      child.level = node.level + 1;
      child.prior = &kept_[node.row];
      if (is_true(plan_.connect_by(child))) stack_.push_back({i, node.level + 1, node.row});
    }
    f = frame_of(kept_[node.row], outer_, context_);
    f.level = node.level;
    f.prior = node.parent == SIZE_MAX ? nullptr : &kept_[node.parent];
    return true;
  }

  const BlockPlan& plan_;
  ExecContext& context_;
  const Frame* outer_;
  std::size_t base_width_;
  std::unique_ptr<RowStream> rows_;
  Row row_;
  std::int64_t count_ = 0;
  bool ended_ = false;
  std::vector<Row> kept_;
  std::vector<Node> stack_;
  std::int64_t level_ = 1;
  std::size_t level_row_ = 0;
  bool any_in_level_ = false;
};

void lock_rows_of(const BlockPlan& plan, const Frame& f, bool nowait) {
  ExecContext& c = *f.context;
  std::vector<const FromNode*> todo = {plan.from.get()};
  while (!todo.empty()) {
    const FromNode* node = todo.back();
    todo.pop_back();
    if (node->left) {
      todo.push_back(node->left.get());
      todo.push_back(node->right.get());
    } else if (node->table) {
      const Value& id = (*f.row)[node->end - 1];
      if (id.is_null() || c.transaction == nullptr) continue;
      // Another transaction may have changed the row meanwhile: what is locked is its newest
      // version.
      while (!c.transaction->lock_row(*node->table, std::get<RowId>(id.data),
                                      c.store->current_scn(), nowait)) {
        c.check_cancel();
      }
    }
  }
}

class PlainBlock final : public BlockStream {
 public:
  PlainBlock(const BlockPlan& plan, ExecContext& context, const Frame* outer, bool lock,
             bool nowait)
      : plan_(plan), rows_(plan, context, outer), lock_(lock), nowait_(nowait) {}
  bool next(Row& out, Row* keys) override {
    Frame f;
    while (rows_.next(f)) {
      if (lock_) lock_rows_of(plan_, f, nowait_);
      project(plan_, f, out, keys);
      if (plan_.distinct && !seen_.insert(row_key(out)).second) continue;
      return true;
    }
    return false;
  }

 private:
  const BlockPlan& plan_;
  FilteredRows rows_;
  bool lock_, nowait_;
  std::unordered_set<std::string> seen_;
};

class AnalyticBlock final : public BlockStream {
 public:
  AnalyticBlock(const BlockPlan& plan, ExecContext& context, const Frame* outer)
      : plan_(plan), context_(context), outer_(outer) {
    FilteredRows source(plan, context, outer);
    Frame f;
    while (source.next(f)) {
      rows_.push_back(*f.row);
      rows_.back().resize(plan.width);
      rownums_.push_back(f.rownum);
    }
    compute_analytics(plan, rows_, frame_of(empty_, outer, context));
  }
  bool next(Row& out, Row* keys) override {
    while (at_ < rows_.size()) {
      Frame f = frame_of(rows_[at_], outer_, context_);
      f.rownum = rownums_[at_++];
      project(plan_, f, out, keys);
      if (plan_.distinct && !seen_.insert(row_key(out)).second) continue;
      return true;
    }
    return false;
  }

 private:
  const BlockPlan& plan_;
  ExecContext& context_;
  const Frame* outer_;
  Row empty_;
  std::vector<Row> rows_;
  std::vector<std::int64_t> rownums_;
  std::size_t at_ = 0;
  std::unordered_set<std::string> seen_;
};

class GroupedBlock final : public BlockStream {
 public:
  GroupedBlock(const BlockPlan& plan, ExecContext& context, const Frame* outer)
      : plan_(plan), context_(context), outer_(outer) {
    FilteredRows source(plan, context, outer);
    if (counts_only()) {
      count(source);
      return;
    }
    std::unordered_map<std::string, std::size_t> index;
    Frame f;
    while (source.next(f)) {
      std::string key;
      for (const Eval& eval : plan.group_by) key += value_key(eval(f));
      const auto [it, is_new] = index.emplace(std::move(key), groups_.size());
      if (is_new) groups_.emplace_back();
      groups_[it->second].push_back(*f.row);
    }
    // An aggregate without GROUP BY has one group, also of no rows.
    if (groups_.empty() && plan.group_by.empty()) groups_.emplace_back();
  }

  bool next(Row& out, Row* keys) override {
    while (at_ < groups_.size()) {
      std::vector<Row>& group = groups_[at_++];
      Row empty(plan_.width);
      Frame f = frame_of(group.empty() ? empty : group[0], outer_, context_);
      std::vector<Value> aggregates;
      if (counted_) {
        aggregates.assign(plan_.aggregates.size(), make_int(count_));
      } else {
        std::vector<const Row*> rows;
        for (const Row& row : group) rows.push_back(&row);
        aggregates = aggregate_rows(plan_, rows, f);
      }
      f.aggregates = &aggregates;
      if (plan_.having && !is_true(plan_.having(f))) continue;
      project(plan_, f, out, keys);
      if (plan_.distinct && !seen_.insert(row_key(out)).second) continue;
      group.clear();
      return true;
    }
    return false;
  }

 private:
  /// COUNT(*) over everything needs no rows kept.
  bool counts_only() const {
    return plan_.group_by.empty() && !plan_.aggregates.empty() &&
           std::all_of(plan_.aggregates.begin(), plan_.aggregates.end(),
                       [](const Aggregate& a) { return a.star; });
  }
  void count(FilteredRows& source) {
    Frame f;
    while (source.next(f)) ++count_;
    counted_ = true;
    groups_.emplace_back();
  }

  const BlockPlan& plan_;
  ExecContext& context_;
  const Frame* outer_;
  std::vector<std::vector<Row>> groups_;
  std::size_t at_ = 0;
  bool counted_ = false;
  std::int64_t count_ = 0;
  std::unordered_set<std::string> seen_;
};

struct Keyed {
  Row row, keys;
};

bool before(const std::vector<OrderKey>& order, const Row& a, const Row& b,
            const ConvertContext& c) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (a[i].is_null() || b[i].is_null()) {
      if (a[i].is_null() == b[i].is_null()) continue;
      return a[i].is_null() == order[i].nulls_first;
    }
    const auto o = compare(a[i], b[i], c);
    if (o != 0) return (o < 0) != order[i].descending;
  }
  return false;
}

/// The whole query: a block or a set operation, ordered, cut.
class QueryStream final : public RowStream {
 public:
  QueryStream(std::shared_ptr<QueryPlan> plan, ExecContext& context, const Frame* outer)
      : plan_(std::move(plan)), context_(context), outer_(outer) {
    limits();
    if (plan_->block && plan_->block->order.empty() && !plan_->for_update) {
      block_ = open_block(*plan_->block, context, outer, false, false);
    } else {
      collect();
    }
    for (std::int64_t i = 0; i < offset_; ++i) {
      Row skipped;
      if (!next_row(skipped)) break;
    }
  }

  bool next(Row& row) override {
    if (limit_ >= 0 && given_ >= limit_) return false;
    context_.check_cancel();
    if (!next_row(row)) return false;
    ++given_;
    return true;
  }

 private:
  bool next_row(Row& row) {
    if (block_) return block_->next(row, nullptr);
    if (at_ == rows_.size()) return false;
    row = std::move(rows_[at_++].row);
    return true;
  }

  void limits() {
    Frame f;
    f.outer = outer_;
    f.context = &context_;
    const auto number = [&](const Eval& eval) {
      const Value v = eval(f);
      if (v.is_null()) return std::int64_t{0};
      return std::max<std::int64_t>(
          0, to_number(v, context_.convert()).number().truncated(0).to_int().value_or(0));
    };
    if (plan_->offset) offset_ = number(plan_->offset);
    if (plan_->fetch) limit_ = number(plan_->fetch);
  }

  void collect() {
    const std::vector<OrderKey>* order = &plan_->order;
    if (plan_->block) {
      order = &plan_->block->order;
      auto block = open_block(*plan_->block, context_, outer_, plan_->for_update, plan_->nowait);
      Keyed keyed;
      while (block->next(keyed.row, &keyed.keys)) rows_.push_back(keyed);
    } else {
      combine();
      for (Keyed& keyed : rows_) {
        const Frame f = frame_of(keyed.row, outer_, context_);
        for (const OrderKey& key : *order) {
          keyed.keys.push_back(key.position >= 0 ? keyed.row[static_cast<std::size_t>(key.position)]
                                                 : key.eval(f));
        }
      }
    }
    if (order->empty()) return;
    const ConvertContext& c = context_.convert();
    std::stable_sort(rows_.begin(), rows_.end(), [&](const Keyed& a, const Keyed& b) {
      return before(*order, a.keys, b.keys, c);
    });
    if (plan_->fetch_percent && limit_ >= 0) {
      limit_ = (static_cast<std::int64_t>(rows_.size()) * limit_ + 99) / 100;
    }
    if (plan_->with_ties && limit_ > 0) {
      auto last = static_cast<std::size_t>(offset_ + limit_);
      while (last < rows_.size() && !before(*order, rows_[last - 1].keys, rows_[last].keys, c))
        ++last;
      limit_ = static_cast<std::int64_t>(last) - offset_;
    }
  }

  std::vector<Row> rows_of(const BoundQuery& query) {
    std::vector<Row> out;
    auto stream = query.open(context_, outer_);
    Row row;
    while (stream->next(row)) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        const DataType& type = plan_->columns[i].type;
        const bool alike = row[i].type == type.type || (is_text(row[i].type) && is_text(type.type));
        if (!alike) row[i] = convert(row[i], type.type, context_.convert());
        if (row[i].type == Type::kChar && type.type == Type::kVarchar2)
          row[i].type = Type::kVarchar2;
      }
      out.push_back(row);
    }
    return out;
  }

  void keep(Row row) { rows_.push_back({std::move(row), {}}); }

  void combine() {
    std::vector<Row> left = rows_of(*plan_->left);
    if (!plan_->right) {
      for (Row& row : left) keep(std::move(row));
      return;
    }
    std::vector<Row> right = rows_of(*plan_->right);
    using ast::SetOperator;
    if (plan_->op == SetOperator::kUnionAll) {
      for (Row& row : left) keep(std::move(row));
      for (Row& row : right) keep(std::move(row));
      return;
    }
    std::unordered_set<std::string> keys;
    for (const Row& row : right) keys.insert(row_key(row));
    std::unordered_set<std::string> given;
    const auto take = [&](Row& row) {
      if (given.insert(row_key(row)).second) keep(std::move(row));
    };
    for (Row& row : left) {
      const bool shared = keys.count(row_key(row)) != 0;
      if (plan_->op == SetOperator::kMinus && shared) continue;
      if (plan_->op == SetOperator::kIntersect && !shared) continue;
      take(row);
    }
    if (plan_->op == SetOperator::kUnion) {
      for (Row& row : right) take(row);
    }
  }

  std::shared_ptr<QueryPlan> plan_;
  ExecContext& context_;
  const Frame* outer_;
  std::unique_ptr<BlockStream> block_;
  std::vector<Keyed> rows_;
  std::size_t at_ = 0;
  std::int64_t offset_ = 0, limit_ = -1, given_ = 0;
};

}  // namespace

std::unique_ptr<BlockStream> open_block(const BlockPlan& plan, ExecContext& context,
                                        const Frame* outer, bool lock_rows, bool nowait) {
  if (plan.is_grouped) return std::make_unique<GroupedBlock>(plan, context, outer);
  if (!plan.analytics.empty()) return std::make_unique<AnalyticBlock>(plan, context, outer);
  return std::make_unique<PlainBlock>(plan, context, outer, lock_rows, nowait);
}

BoundQuery::BoundQuery(std::shared_ptr<QueryPlan> plan) : plan_(std::move(plan)) {}
BoundQuery::~BoundQuery() = default;
const std::vector<ColumnInfo>& BoundQuery::columns() const {
  return plan_->columns;
}
bool BoundQuery::is_correlated() const {
  return plan_->is_correlated;
}
std::unique_ptr<RowStream> BoundQuery::open(ExecContext& context, const Frame* outer) const {
  return std::make_unique<QueryStream>(plan_, context, outer);
}

}  // namespace orasim
