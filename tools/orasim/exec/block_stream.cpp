// Running one SELECT block: projecting, grouping, analytic calls.
#include <unordered_map>
#include <unordered_set>

#include "exec/errors.h"
#include "exec/filtered_rows.h"
#include "exec/locked_lobs.h"

namespace orasim {
namespace {

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

/// False when the row is locked by another transaction and the query skips such rows.
bool lock_row(const TableDef& table, const RowId& id, RowLock how, const BlockPlan& plan,
              ExecContext& c) {
  const auto wait = how == RowLock::kWait ? plan.lock_wait : std::chrono::seconds(0);
  try {
    if (c.transaction->lock_row(table, id, c.scn, wait)) return true;
    if (c.is_serializable) raise(8177);
    throw RowChanged{};
  } catch (const OraError& error) {
    if (error.code() != 54 || how != RowLock::kSkipLocked) throw;
    return false;
  }
}

bool lock_rows_of(const FromNode& node, const Frame& f, RowLock how, const BlockPlan& plan) {
  if (node.left)
    return lock_rows_of(*node.left, f, how, plan) && lock_rows_of(*node.right, f, how, plan);
  if (!node.table || f.context->transaction == nullptr) return true;
  const Value& id = (*f.row)[node.end - 1];
  return id.is_null() || lock_row(*node.table, std::get<RowId>(id.data), how, plan, *f.context);
}

/// What a client may write to: the LOBs of the row just locked.
void keep_lobs_of(const FromNode& node, Row& row, ExecContext& c) {
  if (node.left) {
    keep_lobs_of(*node.left, row, c);
    return keep_lobs_of(*node.right, row, c);
  }
  if (!node.table || row[node.end - 1].is_null()) return;
  c.locked_lobs->keep(node.table, std::get<RowId>(row[node.end - 1].data), row, node.begin);
}

class PlainBlock final : public BlockStream {
 public:
  PlainBlock(const BlockPlan& plan, ExecContext& context, const Frame* outer, RowLock lock)
      : plan_(plan), rows_(plan, context, outer), lock_(lock) {}
  bool next(Row& out, Row* keys) override {
    Frame f;
    while (rows_.next(f)) {
      if (lock_ != RowLock::kNone) {
        if (!lock_rows_of(*plan_.from, f, lock_, plan_)) continue;
        if (f.context->transaction != nullptr && f.context->locked_lobs != nullptr) {
          locked_ = *f.row;
          keep_lobs_of(*plan_.from, locked_, *f.context);
          f.row = &locked_;
        }
      }
      project(plan_, f, out, keys);
      if (plan_.distinct && !seen_.insert(row_key(out)).second) continue;
      return true;
    }
    return false;
  }

 private:
  const BlockPlan& plan_;
  FilteredRows rows_;
  RowLock lock_;
  Row locked_;
  std::unordered_set<std::string> seen_;
};

/// GROUP BY: one row and one accumulator a call for each group of each grouping set.
class Grouping {
 public:
  Grouping(const BlockPlan& plan, ExecContext& context, const Frame* outer)
      : plan_(plan), group_(*plan.group), context_(context), outer_(outer) {}

  std::vector<KeptRow> rows() {
    FilteredRows source(plan_, context_, outer_);
    Frame f;
    while (source.next(f)) add(f);
    for (std::size_t set = 0; set < group_.sets.size(); ++set) {
      // Over everything there is one group, also of no rows.
      const bool always = group_.sets[set].empty() && (!group_.has_group_by || !groups_.empty());
      if (always) find(set, Row(group_.keys.size()), Row(plan_.from_width));
    }
    std::vector<KeptRow> out;
    for (Group& g : groups_) out.push_back({finished(g), 0, 0, nullptr, nullptr});
    return out;
  }

 private:
  struct Group {
    Row row;
    std::vector<std::unique_ptr<Accumulator>> results;
  };

  void add(const Frame& f) {
    context_.check_cancel();
    Row keys;
    for (const Eval& eval : group_.keys) keys.push_back(eval(f));
    for (std::size_t set = 0; set < group_.sets.size(); ++set) {
      Group& g = find(set, keys, *f.row);
      for (auto& accumulator : g.results) accumulator->add(f);
    }
  }

  Group& find(std::size_t set, const Row& keys, const Row& row) {
    std::string id = std::to_string(set);
    for (const int k : group_.sets[set]) id += value_key(keys[static_cast<std::size_t>(k)]);
    const auto [it, is_new] = index_.emplace(std::move(id), groups_.size());
    if (is_new) groups_.push_back(make_group(set, keys, row));
    return groups_[it->second];
  }

  Group make_group(std::size_t set, const Row& keys, const Row& row) const {
    Group g;
    g.row.assign(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(plan_.from_width));
    g.row.insert(g.row.end(), keys.begin(), keys.end());
    std::int64_t left_out = (std::int64_t{1} << keys.size()) - 1;
    for (const int k : group_.sets[set]) left_out &= ~(std::int64_t{1} << k);
    for (std::size_t k = 0; k < keys.size(); ++k) {
      if ((left_out >> k & 1) == 0) continue;
      g.row[plan_.from_width + k].data = std::monostate{};
      if (group_.key_slots[k] >= 0)
        g.row[static_cast<std::size_t>(group_.key_slots[k])].data = std::monostate{};
    }
    g.row.push_back(make_int(left_out));
    for (const Aggregate& call : group_.aggregates) g.results.push_back(make_accumulator(call));
    return g;
  }

  Row finished(Group& g) const {
    for (const auto& accumulator : g.results)
      g.row.push_back(accumulator->result(context_.convert()));
    return std::move(g.row);
  }

  const BlockPlan& plan_;
  const GroupPlan& group_;
  ExecContext& context_;
  const Frame* outer_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Group> groups_;
};

/// A block whose rows depend on each other: grouped, or with analytic calls.
class CollectedBlock final : public BlockStream {
 public:
  CollectedBlock(const BlockPlan& plan, ExecContext& context, const Frame* outer)
      : plan_(plan), context_(context), outer_(outer) {
    if (plan.group) {
      rows_ = Grouping(plan, context, outer).rows();
      std::erase_if(rows_, [&](const KeptRow& kept) { return !passes_having(kept); });
      if (!plan.group->outer_aggregates.empty()) aggregate_again();
    } else {
      source_ = std::make_unique<FilteredRows>(plan, context, outer);
      Frame f;
      while (source_->next(f)) keep(f);
    }
    if (plan.analytics.empty()) return;
    for (KeptRow& kept : rows_) kept.row.resize(*plan.analytic_base + plan.analytics.size());
    compute_analytics(plan.analytics, *plan.analytic_base, rows_, outer, context);
  }

  bool next(Row& out, Row* keys) override {
    while (at_ < rows_.size()) {
      KeptRow& kept = rows_[at_++];
      project(plan_, frame_of(kept, outer_, context_), out, keys);
      kept.row.clear();
      if (plan_.distinct && !seen_.insert(row_key(out)).second) continue;
      return true;
    }
    return false;
  }

 private:
  void keep(const Frame& f) {
    KeptRow kept{*f.row, f.rownum, f.level, f.prior, nullptr};
    if (f.tree != nullptr) kept.tree = std::make_shared<TreePlace>(*f.tree);
    rows_.push_back(std::move(kept));
  }

  bool passes_having(const KeptRow& kept) const {
    return !plan_.having || is_true(plan_.having(frame_of(kept, outer_, context_)));
  }

  /// MAX (SUM (x)): the groups are the rows of a second aggregation.
  void aggregate_again() {
    Row result;
    for (const Aggregate& call : plan_.group->outer_aggregates) {
      const auto accumulator = make_accumulator(call);
      for (const KeptRow& kept : rows_) accumulator->add(frame_of(kept, outer_, context_));
      result.push_back(accumulator->result(context_.convert()));
    }
    rows_.assign(1, {std::move(result), 0, 0, nullptr, nullptr});
  }

  const BlockPlan& plan_;
  ExecContext& context_;
  const Frame* outer_;
  std::unique_ptr<FilteredRows> source_;  ///< owns the rows that places in a tree point to
  std::vector<KeptRow> rows_;
  std::size_t at_ = 0;
  std::unordered_set<std::string> seen_;
};

}  // namespace

std::unique_ptr<BlockStream> open_block(const BlockPlan& plan, ExecContext& context,
                                        const Frame* outer, RowLock lock) {
  if (plan.group || !plan.analytics.empty())
    return std::make_unique<CollectedBlock>(plan, context, outer);
  return std::make_unique<PlainBlock>(plan, context, outer, lock);
}

}  // namespace orasim
