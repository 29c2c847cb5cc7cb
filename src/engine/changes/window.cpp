#include "engine/changes/window.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "engine/changes/key_hash.h"

namespace wherry::engine {
namespace {

using connect::ApplyRow;
using connect::ChangeKind;
using connect::StepKind;

StepKind step_kind(NetKind kind) {
  switch (kind) {
    case NetKind::kInsert:
      return StepKind::kInsert;
    case NetKind::kRekey:
      return StepKind::kRekey;
    case NetKind::kDelete:
      return StepKind::kDelete;
    case NetKind::kReplace:
      return StepKind::kReplace;
    default:
      return StepKind::kUpdate;
  }
}

NetKind kind_in(StepForm form, const TableRoute& table, NetKind kind) {
  const bool is_promoted =
      form == StepForm::kPromoted && table.has_other_keys && kind == NetKind::kUpdate;
  return is_promoted ? NetKind::kRekey : kind;
}

/// All rows of one kind of one table.
void add_step(StepForm form, const TableFold& fold, NetKind wanted, StepPlan& out) {
  const std::size_t first = out.rows.size();
  for (const NetChange& net : fold.entries()) {
    if (net.kind == NetKind::kNone || kind_in(form, *fold.table(), net.kind) != wanted) continue;
    out.add_row({wanted == NetKind::kInsert || wanted == NetKind::kReplace ? nullptr : net.before,
                 wanted == NetKind::kDelete ? nullptr : net.after},
                {net.first, net.count});
  }
  out.end_step(step_kind(wanted), *fold.table(), first);
}

/// Right for any number of unique keys: first all rows go that leave a value, then the new ones
/// come.
void add_promoted(const TableFold& fold, StepPlan& out) {
  const TableRoute& table = *fold.table();
  const auto add = [&](StepKind kind, NetKind one, NetKind other) {
    const std::size_t first = out.rows.size();
    for (const NetChange& net : fold.entries()) {
      if (net.kind != one && net.kind != other) continue;
      out.add_row({kind == StepKind::kInsert ? nullptr : net.before,
                   kind == StepKind::kDelete ? nullptr : net.after},
                  {net.first, net.count});
    }
    out.end_step(kind, table, first);
  };
  add(StepKind::kDelete, NetKind::kDelete, NetKind::kReplace);
  add(StepKind::kRekey, NetKind::kRekey, NetKind::kUpdate);
  add(StepKind::kInsert, NetKind::kInsert, NetKind::kReplace);
}

bool has_kind(const TableFold& fold, NetKind kind) {
  return std::any_of(fold.entries().begin(), fold.entries().end(),
                     [&](const NetChange& net) { return net.kind == kind; });
}

/// A new row has the identity of one that leaves it.
bool has_successor(const TableFold& fold) {
  return std::any_of(fold.entries().begin(), fold.entries().end(), [](const NetChange& net) {
    return net.is_detached && net.kind == NetKind::kInsert;
  });
}

/// Joins neighbours of one table and kind into a step, as long as no row comes twice.
class OrderedSteps {
 public:
  explicit OrderedSteps(StepPlan& out) : out_(out) {}

  void add(const WindowChange& change, std::uint32_t number) {
    const TableRoute& table = *change.table;
    const StepKind kind = kind_of(change);
    const Cell* where = change.kind == ChangeKind::kInsert
                            ? nullptr
                            : located_or_any(table, change.before, change.after);
    // What moves in one statement moves together; another transaction is another statement.
    const bool is_other = kind == StepKind::kRekey && change.transaction != transaction_;
    transaction_ = change.transaction;
    if (&table != table_ || kind != kind_ || is_other || clashes(table, kind, where, change)) {
      end();
      table_ = &table;
      kind_ = kind;
      first_ = out_.rows.size();
    }
    remember(table, kind, where, change);
    out_.add_row({where, change.kind == ChangeKind::kDelete ? nullptr : change.after}, {number, 1});
  }
  void end() {
    if (table_ != nullptr) out_.end_step(kind_, *table_, first_, true);
    table_ = nullptr;
    seen_.clear();
  }

 private:
  static StepKind kind_of(const WindowChange& change) {
    if (change.kind == ChangeKind::kInsert) return StepKind::kInsert;
    if (change.kind == ChangeKind::kDelete) return StepKind::kDelete;
    return changes_identity(*change.table, change.before, change.after) ? StepKind::kRekey
                                                                        : StepKind::kUpdate;
  }
  const Cell* located_or_any(const TableRoute& table, const Cell* before, const Cell* after) const {
    if (table.identity().empty()) return before != nullptr ? before : after;
    const Cell* where = located_by(table, before, after);
    if (where != nullptr) return where;
    out_.unlocatable = &table;
    return before != nullptr ? before : after;
  }
  static std::uint64_t hash_row(const TableRoute& table, const Cell* cells) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < table.plan().columns.size(); ++i) {
      hash = hash_key_cell(hash, cells[i]);
    }
    return hash;
  }

  /// Whether the change must see what the step has done before.
  [[nodiscard]] bool clashes(const TableRoute& table, StepKind kind, const Cell* where,
                             const WindowChange& change) const {
    if (table.identity().empty()) {
      return kind == StepKind::kUpdate && seen_.contains(hash_row(table, where));
    }
    // Two identities that look different may be one for the target.
    if (!table.has_plain_identity) return kind != StepKind::kInsert && out_.rows.size() > first_;
    const Cell* cells = kind == StepKind::kInsert ? change.after : where;
    return seen_.contains(hash_key(cells, table.identity()));
  }
  void remember(const TableRoute& table, StepKind kind, const Cell* where,
                const WindowChange& change) {
    if (table.identity().empty()) {
      if (kind == StepKind::kUpdate) seen_.insert(hash_row(table, change.after));
      return;
    }
    seen_.insert(hash_key(kind == StepKind::kInsert ? change.after : where, table.identity()));
  }

  StepPlan& out_;
  const TableRoute* table_ = nullptr;
  StepKind kind_ = StepKind::kInsert;
  std::size_t first_ = 0;
  std::uint32_t transaction_ = 0;
  std::unordered_set<std::uint64_t> seen_;
};

std::size_t bytes_of(const KeptBatch& batch) {
  return batch.batch->used_bytes() + (batch.mapped ? batch.mapped->used_bytes() : 0);
}

}  // namespace

void StepPlan::clear() {
  steps.clear();
  rows.clear();
  origins.clear();
  firsts.clear();
  is_logged.clear();
  unlocatable = nullptr;
}

void StepPlan::end_step(StepKind kind, const TableRoute& table, std::size_t first,
                        bool is_logged_step) {
  if (first == rows.size()) return;
  connect::ApplyStep& step = steps.emplace_back();
  step.kind = kind;
  step.table = &table.table;
  firsts.push_back(first);
  is_logged.push_back(is_logged_step);
}

void StepPlan::finish() {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t end = i + 1 < steps.size() ? firsts[i + 1] : rows.size();
    steps[i].rows = std::span<const ApplyRow>(rows).subspan(firsts[i], end - firsts[i]);
  }
}

void Window::reset() {
  batches_.clear();
  batch_bytes_ = 0;
  arena_.reset();
  changes_.clear();
  transactions_.clear();
  barrier_.clear();
  barrier_tables_.clear();
  for (std::size_t i = 0; i < used_folds_; ++i) fold_by_table_[folds_[i]->table()->index] = 0;
  used_folds_ = 0;
  is_last = true;
  first_point = {};
}

TableFold& Window::fold_of(const TableRoute& table) {
  if (table.index >= fold_by_table_.size()) fold_by_table_.resize(table.index + 1);
  std::uint32_t& place = fold_by_table_[table.index];
  if (place == 0) {
    if (used_folds_ == folds_.size()) folds_.push_back(std::make_unique<TableFold>());
    folds_[used_folds_]->reset(table);
    place = static_cast<std::uint32_t>(++used_folds_);
  }
  return *folds_[place - 1];
}

void Window::add(const WindowChange& change) {
  WHERRY_ASSERT(barrier_.empty(), "a barrier has no rows");
  const auto number = static_cast<std::uint32_t>(changes_.size());
  changes_.push_back(change);
  changes_.back().transaction = static_cast<std::uint32_t>(transactions_.size());
  fold(fold_of(*change.table), number);
}

void Window::fold(TableFold& fold, std::uint32_t number) {
  const WindowChange& change = changes_[number];
  switch (change.kind) {
    case ChangeKind::kInsert:
      return fold.insert(change.after, number);
    case ChangeKind::kUpdate:
      return fold.update(change.before, change.after, number, arena_);
    default:
      return fold.remove(change.before, number);
  }
}

void Window::add_barrier(connect::ApplyStep step, const TableRoute* table) {
  WHERRY_ASSERT(changes_.empty(), "a barrier has no rows");
  barrier_.push_back(std::move(step));
  barrier_tables_.push_back(table);
}

void Window::keep(const KeptBatch& batch) {
  if (!batches_.empty() && batches_.back().batch == batch.batch) return;
  batch_bytes_ += bytes_of(batch);
  batches_.push_back(batch);
}

void Window::end_transaction(StreamTransaction transaction) {
  transactions_.push_back(std::move(transaction));
}

std::size_t Window::used_bytes() const {
  return batch_bytes_ + arena_.used_bytes() +
         changes_.size() * (sizeof(WindowChange) + sizeof(NetChange) + 16);
}

std::size_t Window::own_bytes() const {
  std::size_t shared = batches_.empty() ? 0 : bytes_of(batches_.front());
  if (batches_.size() > 1) shared += bytes_of(batches_.back());
  return used_bytes() - std::min(shared, used_bytes());
}

std::vector<std::uint32_t> Window::families() const {
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < used_folds_; ++i) {
    const std::uint32_t family = folds_[i]->table()->family;
    if (std::find(out.begin(), out.end(), family) == out.end()) out.push_back(family);
  }
  return out;
}

std::vector<std::uint32_t> Window::changes_of(std::uint32_t family) const {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < changes_.size(); ++i) {
    if (changes_[i].table->family == family) out.push_back(i);
  }
  return out;
}

std::vector<const TableRoute*> Window::ambiguous() const {
  std::vector<const TableRoute*> out;
  for (std::size_t i = 0; i < used_folds_; ++i) {
    if (folds_[i]->is_ambiguous()) out.push_back(folds_[i]->table());
  }
  return out;
}

/// The deletion of every row that changes its identity: what is missing is not there. To be taken
/// back.
void Window::plan_question(const TableRoute& table, StepPlan& out) const {
  out.clear();
  std::unordered_set<std::uint64_t> seen;
  for (std::uint32_t i = 0; i < changes_.size(); ++i) {
    const WindowChange& change = changes_[i];
    if (change.table != &table || change.kind != ChangeKind::kUpdate ||
        !changes_identity(table, change.before, change.after)) {
      continue;
    }
    if (!seen.insert(hash_key(change.before, table.identity())).second) continue;
    out.add_row({change.before, nullptr}, {i, 1});
  }
  out.end_step(StepKind::kDelete, table, 0);
  out.finish();
}

void Window::resolve(const TableRoute& table, const std::unordered_set<std::uint64_t>& absent) {
  TableFold& again = fold_of(table);
  again.reset(table, &absent);
  for (std::uint32_t i = 0; i < changes_.size(); ++i) {
    if (changes_[i].table == &table) fold(again, i);
  }
}

void Window::plan(StepForm form, std::optional<std::uint32_t> family, StepPlan& out) const {
  out.clear();
  std::vector<TableFold*> folds;
  for (const std::uint32_t each : families()) {
    if (family && *family != each) continue;
    folds.clear();
    for (std::size_t i = 0; i < used_folds_; ++i) {
      if (folds_[i]->table()->family == each) folds.push_back(folds_[i].get());
    }
    plan_family(form, folds, out);
  }
  out.finish();
}

void Window::plan_family(StepForm form, std::span<TableFold* const> folds, StepPlan& out) const {
  const bool has_keys = std::any_of(folds.begin(), folds.end(), [](const TableFold* fold) {
    return fold->table()->is_child || fold->table()->is_parent;
  });
  const bool is_ordered = std::any_of(folds.begin(), folds.end(), [&](const TableFold* fold) {
    if (fold->is_ordered()) return true;
    // A parent that is taken out for a moment is missed by its children.
    return fold->table()->is_in_cycle ||
           (fold->table()->is_parent &&
            (has_kind(*fold, NetKind::kReplace) || has_kind(*fold, NetKind::kRekey) ||
             has_successor(*fold) ||
             (form == StepForm::kPromoted && fold->table()->has_other_keys)));
  });
  if (is_ordered) {
    OrderedSteps steps(out);
    const std::uint32_t family = folds.front()->table()->family;
    for (std::uint32_t i = 0; i < changes_.size(); ++i) {
      if (changes_[i].table->family == family) steps.add(changes_[i], i);
    }
    return steps.end();
  }
  if (!has_keys && form == StepForm::kPromoted && folds.front()->table()->has_other_keys) {
    return add_promoted(*folds.front(), out);
  }
  if (!has_keys) {
    // What leaves a unique key goes before what takes it.
    for (const NetKind kind : {NetKind::kDelete, NetKind::kRekey, NetKind::kUpdate,
                               NetKind::kReplace, NetKind::kInsert}) {
      add_step(form, *folds.front(), kind, out);
    }
    return;
  }
  // Parents come before their children, and go after them; who is no parent may go first.
  std::vector<TableFold*> by_depth(folds.begin(), folds.end());
  std::stable_sort(by_depth.begin(), by_depth.end(), [](const TableFold* a, const TableFold* b) {
    return a->table()->depth < b->table()->depth;
  });
  for (const TableFold* fold : by_depth) {
    if (!fold->table()->is_parent) add_step(form, *fold, NetKind::kDelete, out);
  }
  for (const TableFold* fold : by_depth) {
    static constexpr std::array kOfParents = {NetKind::kInsert, NetKind::kRekey, NetKind::kUpdate,
                                              NetKind::kReplace};
    static constexpr std::array kOfOthers = {NetKind::kRekey, NetKind::kUpdate, NetKind::kReplace,
                                             NetKind::kInsert};
    for (const NetKind kind : fold->table()->is_parent ? kOfParents : kOfOthers) {
      add_step(form, *fold, kind, out);
    }
  }
  for (auto fold = by_depth.rbegin(); fold != by_depth.rend(); ++fold) {
    if ((*fold)->table()->is_parent) add_step(form, **fold, NetKind::kDelete, out);
  }
}

void Window::plan_ordered(std::span<const std::uint32_t> changes, StepPlan& out) const {
  out.clear();
  OrderedSteps steps(out);
  for (const std::uint32_t number : changes) steps.add(changes_[number], number);
  steps.end();
  out.finish();
}

}  // namespace wherry::engine
