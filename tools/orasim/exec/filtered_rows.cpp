#include "exec/filtered_rows.h"

#include <algorithm>

#include "exec/errors.h"

namespace orasim {

TreeWalk::TreeWalk(const HierarchyPlan& plan, std::vector<KeptRow> rows, ExecContext& context,
                   const Frame* outer)
    : plan_(plan), rows_(std::move(rows)), context_(context), outer_(outer) {
  index_children();
  std::vector<std::size_t> roots;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!plan_.start_with || is_true(plan_.start_with(frame(i, 1, nullptr)))) roots.push_back(i);
  }
  order_siblings(roots);
  for (auto it = roots.rbegin(); it != roots.rend(); ++it) stack_.push_back({*it, {}});
}

Frame TreeWalk::frame(std::size_t row, std::int64_t level, const Row* prior) const {
  Frame f = frame_of(rows_[row], outer_, context_);
  f.level = level;
  f.prior = prior;
  return f;
}

void TreeWalk::index_children() {
  if (plan_.keys.empty()) return;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    std::string key;
    for (const auto& [parent, child] : plan_.keys) key += value_key(child(frame(i, 0, nullptr)));
    by_key_[key].push_back(i);
  }
}

/// Rows that may be children: those with the parent's key, or all.
std::vector<std::size_t> TreeWalk::candidates(const Frame& parent) const {
  std::vector<std::size_t> out;
  if (plan_.keys.empty()) {
    for (std::size_t i = 0; i < rows_.size(); ++i) out.push_back(i);
    return out;
  }
  Frame f = parent;
  f.prior = parent.row;
  std::string key;
  for (const auto& [eval, child] : plan_.keys) key += value_key(eval(f));
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? out : found->second;
}

std::vector<std::size_t> TreeWalk::children(const Node& node, bool& is_cycle) const {
  std::vector<std::size_t> out;
  const auto level = static_cast<std::int64_t>(node.ancestors.size()) + 2;
  const Row* parent = &rows_[node.row].row;
  for (const std::size_t i : candidates(frame(node.row, level - 1, nullptr))) {
    if (!is_true(plan_.connect_by(frame(i, level, parent)))) continue;
    const bool loops = plan_.checks_loops &&
                       (i == node.row || std::find(node.ancestors.begin(), node.ancestors.end(),
                                                   i) != node.ancestors.end());
    if (!loops) {
      out.push_back(i);
    } else if (plan_.nocycle) {
      is_cycle = true;
    } else {
      raise(1436);
    }
  }
  order_siblings(out);
  return out;
}

void TreeWalk::order_siblings(std::vector<std::size_t>& rows) const {
  if (plan_.siblings.empty()) return;
  std::vector<std::pair<Row, std::size_t>> keyed;
  for (const std::size_t i : rows)
    keyed.emplace_back(key_values(plan_.siblings, frame(i, 1, nullptr)), i);
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return compare_keys(plan_.siblings, a.first, b.first, context_.convert()) < 0;
  });
  std::transform(keyed.begin(), keyed.end(), rows.begin(), [](const auto& k) { return k.second; });
}

/// CONNECT BY LEVEL <= n over one row: a generator of rows, however many.
bool TreeWalk::next_level(Frame& f) {
  if (level_ < 0) return false;
  f = frame(0, ++level_, nullptr);
  if (level_ == 1 ? stack_.empty() : !is_true(plan_.connect_by(f))) {
    level_ = -1;
    return false;
  }
  place_.path.assign(1, f.row);
  f.tree = &place_;
  return true;
}

bool TreeWalk::next(Frame& f) {
  context_.check_cancel();
  if (!plan_.has_prior && rows_.size() == 1) return next_level(f);
  if (stack_.empty()) return false;
  Node node = std::move(stack_.back());
  stack_.pop_back();
  place_ = {};
  const std::vector<std::size_t> below = children(node, place_.is_cycle);
  place_.is_leaf = below.empty();
  for (const std::size_t i : node.ancestors) place_.path.push_back(&rows_[i].row);
  place_.path.push_back(&rows_[node.row].row);
  const auto level = static_cast<std::int64_t>(place_.path.size());
  f = frame(node.row, level, level > 1 ? place_.path[place_.path.size() - 2] : nullptr);
  f.tree = &place_;
  node.ancestors.push_back(node.row);
  for (auto it = below.rbegin(); it != below.rend(); ++it) stack_.push_back({*it, node.ancestors});
  return true;
}

FilteredRows::FilteredRows(const BlockPlan& plan, ExecContext& context, const Frame* outer)
    : plan_(plan),
      context_(context),
      outer_(outer),
      rows_(open_from(*plan.from, plan.from_width, context, outer)) {
  if (!plan.hierarchy) return;
  std::vector<KeptRow> kept;
  while (rows_->next(row_)) kept.push_back({row_, 0, 0, nullptr, nullptr});
  tree_ = std::make_unique<TreeWalk>(*plan.hierarchy, std::move(kept), context, outer);
}

bool FilteredRows::next(Frame& f) {
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

bool FilteredRows::passes(const Frame& f) {
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

bool FilteredRows::next_candidate(Frame& f) {
  if (tree_) return tree_->next(f);
  if (!rows_->next(row_)) return false;
  f = Frame{};
  f.row = &row_;
  f.outer = outer_;
  f.context = &context_;
  return true;
}

}  // namespace orasim
