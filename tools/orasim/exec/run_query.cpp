// Running bound queries: blocks and set operations, ordered and cut.
#include <algorithm>
#include <unordered_set>

#include "exec/errors.h"
#include "exec/query_plan.h"

namespace orasim {
namespace {

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

/// Rows of one side of a set operation, in the types of the result.
class Converted final : public RowStream {
 public:
  Converted(const QueryPlan& plan, const BoundQuery& side, ExecContext& context, const Frame* outer)
      : plan_(plan), context_(context), rows_(side.open(context, outer)) {}
  bool next(Row& row) override {
    if (!rows_->next(row)) return false;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const DataType& type = plan_.columns[i].type;
      const bool alike = row[i].type == type.type || (is_text(row[i].type) && is_text(type.type));
      if (!alike) row[i] = convert(row[i], type.type, context_.convert());
      if (row[i].type == Type::kChar && type.type == Type::kVarchar2) row[i].type = Type::kVarchar2;
    }
    return true;
  }

 private:
  const QueryPlan& plan_;
  ExecContext& context_;
  std::unique_ptr<RowStream> rows_;
};

/// UNION, MINUS and INTERSECT: rows of the left side, then (UNION) of the right, each once.
class SetStream final : public RowStream {
 public:
  SetStream(const QueryPlan& plan, ExecContext& context, const Frame* outer)
      : plan_(plan), left_(plan, *plan.left, context, outer) {
    if (!plan.right) return;
    right_ = std::make_unique<Converted>(plan, *plan.right, context, outer);
    const bool needs_right =
        plan.op == ast::SetOperator::kMinus || plan.op == ast::SetOperator::kIntersect;
    if (!needs_right) return;
    Row row;
    while (right_->next(row)) right_keys_.insert(row_key(row));
  }

  bool next(Row& row) override {
    using ast::SetOperator;
    while (!left_done_) {
      if (!left_.next(row)) {
        left_done_ = true;
        break;
      }
      if (!right_ || plan_.op == SetOperator::kUnionAll) return true;
      std::string key = row_key(row);
      if (plan_.op != SetOperator::kUnion &&
          right_keys_.contains(key) != (plan_.op == SetOperator::kIntersect))
        continue;
      if (given_.insert(std::move(key)).second) return true;
    }
    const bool adds = plan_.op == SetOperator::kUnion || plan_.op == SetOperator::kUnionAll;
    while (right_ && adds && right_->next(row)) {
      if (plan_.op == SetOperator::kUnionAll || given_.insert(row_key(row)).second) return true;
    }
    return false;
  }

 private:
  const QueryPlan& plan_;
  Converted left_;
  std::unique_ptr<Converted> right_;
  std::unordered_set<std::string> right_keys_, given_;
  bool left_done_ = false;
};

/// The whole query.
class QueryStream final : public RowStream {
 public:
  QueryStream(std::shared_ptr<QueryPlan> plan, ExecContext& context, const Frame* outer)
      : plan_(std::move(plan)), context_(context), outer_(outer) {
    limits();
    open_rows();
    const bool streams = order().empty() && plan_->lock == RowLock::kNone && !plan_->fetch_percent;
    if (!streams) collect();
    Row skipped;
    for (std::int64_t i = 0; i < offset_ && next_row(skipped); ++i) {
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
  void open_rows() {
    if (plan_->block) {
      block_ = open_block(*plan_->block, context_, outer_, plan_->lock);
    } else {
      set_ = std::make_unique<SetStream>(*plan_, context_, outer_);
    }
  }

  [[nodiscard]] const std::vector<OrderKey>& order() const {
    return plan_->block ? plan_->block->order : plan_->order;
  }

  bool next_row(Row& row) {
    if (!collected_) return block_ ? block_->next(row, nullptr) : set_->next(row);
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

  bool next_keyed(Keyed& keyed) {
    if (block_) return block_->next(keyed.row, &keyed.keys);
    if (!set_->next(keyed.row)) return false;
    Frame f;
    f.row = &keyed.row;
    f.outer = outer_;
    f.context = &context_;
    keyed.keys.clear();
    for (const OrderKey& key : order()) {
      keyed.keys.push_back(key.position >= 0 ? keyed.row[static_cast<std::size_t>(key.position)]
                                             : key.eval(f));
    }
    return true;
  }

  /// Rows that are locked are read again at a newer point when one of them has changed.
  void read_all() {
    for (;;) {
      try {
        Keyed keyed;
        while (next_keyed(keyed)) rows_.push_back(keyed);
        return;
      } catch (const RowChanged&) {
        context_.check_cancel();
        rows_.clear();
        context_.scn = context_.store->current_scn();
        ++context_.execution_id;
        open_rows();
      }
    }
  }

  void collect() {
    collected_ = true;
    read_all();
    const ConvertContext& c = context_.convert();
    std::stable_sort(rows_.begin(), rows_.end(), [&](const Keyed& a, const Keyed& b) {
      return before(order(), a.keys, b.keys, c);
    });
    if (plan_->fetch_percent && limit_ >= 0) {
      limit_ = (static_cast<std::int64_t>(rows_.size()) * limit_ + 99) / 100;
    }
    if (plan_->with_ties && limit_ > 0) include_ties();
  }

  void include_ties() {
    auto last = static_cast<std::size_t>(offset_ + limit_);
    while (last < rows_.size() &&
           !before(order(), rows_[last - 1].keys, rows_[last].keys, context_.convert()))
      ++last;
    limit_ = static_cast<std::int64_t>(last) - offset_;
  }

  std::shared_ptr<QueryPlan> plan_;
  ExecContext& context_;
  const Frame* outer_;
  std::unique_ptr<BlockStream> block_;
  std::unique_ptr<SetStream> set_;
  std::vector<Keyed> rows_;
  bool collected_ = false;
  std::size_t at_ = 0;
  std::int64_t offset_ = 0, limit_ = -1, given_ = 0;
};

}  // namespace

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
