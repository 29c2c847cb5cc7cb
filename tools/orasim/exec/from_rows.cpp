// Running the FROM tree.
#include <algorithm>
#include <unordered_map>

#include "exec/from_plan.h"

namespace orasim {
namespace {

bool all_true(const std::vector<Eval>& conditions, const Frame& f) {
  for (const Eval& c : conditions) {
    if (!is_true(c(f))) return false;
  }
  return true;
}

Frame frame_of(const Row& row, const Frame* outer, ExecContext& context) {
  Frame f;
  f.row = &row;
  f.outer = outer;
  f.context = &context;
  return f;
}

class LeafStream final : public RowStream {
 public:
  LeafStream(const FromNode& node, std::size_t width, ExecContext& context, const Frame* outer)
      : node_(node),
        width_(width),
        context_(context),
        outer_(outer),
        stream_(node.source->open(context, outer)),
        is_whole_(node.begin == 0 && node.end == width) {}

  bool next(Row& row) override {
    for (;;) {
      if (is_whole_) {
        if (!stream_->next(row)) return false;
      } else {
        if (!stream_->next(part_)) return false;
        row.resize(width_);
        for (std::size_t i = 0; i < part_.size(); ++i) row[node_.begin + i] = part_[i];
      }
      if (node_.conditions.empty() || all_true(node_.conditions, frame_of(row, outer_, context_))) {
        return true;
      }
    }
  }

 private:
  const FromNode& node_;
  std::size_t width_;
  ExecContext& context_;
  const Frame* outer_;
  std::unique_ptr<RowStream> stream_;
  bool is_whole_;
  Row part_;
};

/// A guess of how many rows a subtree gives: what matters is small against large.
std::uint64_t rows_expected(const FromNode& node, const ExecContext& context) {
  constexpr std::uint64_t kOfQuery = 1000;
  if (node.left)
    return std::max(rows_expected(*node.left, context), rows_expected(*node.right, context));
  return node.table ? context.store->stats(*node.table).row_count : kOfQuery;
}

/// Makes the slots of a subtree NULL, each of its column's type.
void clear_slots(const FromNode& node, Row& row) {
  if (node.left) {
    clear_slots(*node.left, row);
    clear_slots(*node.right, row);
    return;
  }
  for (std::size_t i = 0; i < node.types.size(); ++i)
    row[node.begin + i] = make_null(node.types[i]);
}

/// A right side that depends on the row of the left side: LATERAL, CROSS APPLY and OUTER APPLY.
class LateralStream final : public RowStream {
 public:
  LateralStream(const FromNode& node, std::size_t width, ExecContext& context, const Frame* outer)
      : node_(node),
        width_(width),
        context_(context),
        outer_(outer),
        left_(open_from(*node.left, width, context, outer)) {}

  bool next(Row& row) override {
    for (;;) {
      if (!right_) {
        if (!left_->next(current_)) return false;
        current_.resize(width_);
        frame_ = frame_of(current_, outer_, context_);
        right_ = node_.right->source->open(context_, &frame_);
        matched_ = false;
      }
      while (right_->next(part_)) {
        row = current_;
        std::copy(part_.begin(), part_.end(),
                  row.begin() + static_cast<std::ptrdiff_t>(node_.right->begin));
        const Frame f = frame_of(row, outer_, context_);
        if (!all_true(node_.right->conditions, f) || !all_true(node_.conditions, f)) continue;
        matched_ = true;
        return true;
      }
      right_.reset();
      if (matched_ || node_.kind != ast::JoinKind::kLeft) continue;
      row = current_;
      clear_slots(*node_.right, row);
      return true;
    }
  }

 private:
  const FromNode& node_;
  std::size_t width_;
  ExecContext& context_;
  const Frame* outer_;
  std::unique_ptr<RowStream> left_, right_;
  Row current_, part_;
  Frame frame_;
  bool matched_ = false;
};

/// Nested loops over a kept right side, or a hash of it when there are equalities.
class JoinStream final : public RowStream {
 public:
  JoinStream(const FromNode& node, std::size_t width, ExecContext& context, const Frame* outer)
      : node_(node), width_(width), context_(context), outer_(outer) {
    // A right join is a left join with the sides exchanged; of an inner join the smaller side is
    // kept.
    const bool swap = node.kind == ast::JoinKind::kRight ||
                      (node.kind == ast::JoinKind::kInner && !node.hash_keys.empty() &&
                       rows_expected(*node.left, context) < rows_expected(*node.right, context));
    outer_side_ = swap ? node.right.get() : node.left.get();
    inner_side_ = swap ? node.left.get() : node.right.get();
    swapped_ = swap;
    left_ = open_from(*outer_side_, width, context, outer);
    keep_inner();
  }

  bool next(Row& row) override {
    for (;;) {
      if (!has_left_) {
        if (!left_->next(current_)) return unmatched(row);
        current_.resize(width_);
        has_left_ = true;
        matched_ = false;
        start_candidates();
      }
      while (candidate_ < candidate_count()) {
        const std::size_t index = candidate_index(candidate_++);
        place(index);
        if (!all_true(node_.conditions, frame_of(current_, outer_, context_))) continue;
        matched_ = true;
        if (!seen_.empty()) seen_[index] = true;
        row = current_;
        return true;
      }
      has_left_ = false;
      const bool keeps = node_.kind == ast::JoinKind::kLeft ||
                         node_.kind == ast::JoinKind::kRight || node_.kind == ast::JoinKind::kFull;
      if (!matched_ && keeps) {
        clear_slots(*inner_side_, current_);
        row = current_;
        return true;
      }
      context_.check_cancel();
    }
  }

 private:
  static void collect_slots(const FromNode& node, std::vector<std::size_t>& slots) {
    if (node.left) {
      collect_slots(*node.left, slots);
      collect_slots(*node.right, slots);
      return;
    }
    for (std::size_t i = node.begin; i < node.end; ++i) slots.push_back(i);
  }

  void keep_inner() {
    collect_slots(*inner_side_, inner_slots_);
    auto stream = open_from(*inner_side_, width_, context_, outer_);
    Row row;
    while (stream->next(row)) {
      if (!node_.hash_keys.empty()) {
        std::string key;
        if (!key_of(row, false, key)) {
          if (node_.kind != ast::JoinKind::kFull) continue;  // a NULL key joins nothing
        } else {
          hash_[key].push_back(kept_.size());
        }
      }
      Row part;
      for (const std::size_t slot : inner_slots_) part.push_back(row[slot]);
      kept_.push_back(std::move(part));
    }
    if (node_.kind == ast::JoinKind::kFull) seen_.assign(kept_.size() + 1, false);
  }

  bool key_of(const Row& row, bool outer_row, std::string& key) {
    const Frame f = frame_of(row, outer_, context_);
    for (const auto& [left, right] : node_.hash_keys) {
      const Value v = (outer_row != swapped_ ? left : right)(f);
      if (v.is_null()) return false;
      key += value_key(v);
    }
    return true;
  }

  void start_candidates() {
    candidate_ = 0;
    found_ = nullptr;
    if (node_.hash_keys.empty()) return;
    static const std::vector<std::size_t> kNone;
    found_ = &kNone;
    std::string key;
    if (!key_of(current_, true, key)) return;
    const auto it = hash_.find(key);
    if (it != hash_.end()) found_ = &it->second;
  }
  std::size_t candidate_count() const { return found_ != nullptr ? found_->size() : kept_.size(); }
  std::size_t candidate_index(std::size_t i) const { return found_ != nullptr ? (*found_)[i] : i; }

  void place(std::size_t index) {
    for (std::size_t i = 0; i < inner_slots_.size(); ++i)
      current_[inner_slots_[i]] = kept_[index][i];
  }

  /// FULL JOIN: rows of the inner side that nothing matched.
  bool unmatched(Row& row) {
    if (node_.kind != ast::JoinKind::kFull) return false;
    while (unmatched_ < kept_.size()) {
      const std::size_t index = unmatched_++;
      if (seen_[index]) continue;
      current_.assign(width_, Value{});
      clear_slots(*outer_side_, current_);
      place(index);
      row = current_;
      return true;
    }
    return false;
  }

  const FromNode& node_;
  std::size_t width_;
  ExecContext& context_;
  const Frame* outer_;
  const FromNode* outer_side_ = nullptr;
  const FromNode* inner_side_ = nullptr;
  bool swapped_ = false;
  std::unique_ptr<RowStream> left_;
  std::vector<std::size_t> inner_slots_;
  std::vector<Row> kept_;
  std::unordered_map<std::string, std::vector<std::size_t>> hash_;
  const std::vector<std::size_t>* found_ = nullptr;
  std::vector<bool> seen_;
  Row current_;
  bool has_left_ = false, matched_ = false;
  std::size_t candidate_ = 0, unmatched_ = 0;
};

}  // namespace

std::unique_ptr<RowStream> open_from(const FromNode& node, std::size_t width, ExecContext& context,
                                     const Frame* outer) {
  if (node.source) return std::make_unique<LeafStream>(node, width, context, outer);
  if (node.right->is_lateral) return std::make_unique<LateralStream>(node, width, context, outer);
  return std::make_unique<JoinStream>(node, width, context, outer);
}

}  // namespace orasim
