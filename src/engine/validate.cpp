#include "engine/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <thread>

#include "engine/cell_compare.h"
#include "engine/full_load.h"
#include "engine/guarded.h"
#include "engine/ordered_rows.h"

namespace wherry::engine {
namespace {

constexpr std::size_t kShownBytes = 120;

/// True when both sides sort values of the type alike; zoned times and intervals may be text on
/// one.
bool sorts_alike(const schema::LogicalType& type) {
  using schema::TypeKind;
  switch (type.kind) {
    case TypeKind::kClob:
    case TypeKind::kBlob:
    case TypeKind::kXml:
    case TypeKind::kJson:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalYm:
    case TypeKind::kIntervalDs:
    case TypeKind::kTimeOfDay:
    case TypeKind::kUnsupported:
      return false;
    case TypeKind::kTimestamp:
      return type.fraction_digits <= 6;
    default:
      return true;
  }
}

Error nothing_to_compare(const schema::TableRef& table) {
  return make_error(ErrorKind::kUnsupported, "validate.no_columns",
                    "no column of the table comes from the source as it is",
                    "Compare this table by other means")
      .with("table", schema::to_text(table));
}

/// Replaced characters sort otherwise than those that the source has.
bool is_exact(const schema::ColumnPlan& column) {
  return column.likeness == schema::Likeness::kExact && column.character_rules == nullptr;
}

/// Whether rows can be paired by the key: not when the target keeps it as values that sort
/// otherwise.
bool has_usable_key(const schema::TablePlan& plan) {
  return !plan.key.empty() && std::all_of(plan.key.begin(), plan.key.end(),
                                          [&](std::size_t i) { return is_exact(plan.columns[i]); });
}

/// What to order by: the key, or all columns both sides sort alike.
std::vector<std::size_t> order_of(const schema::TablePlan& plan) {
  if (has_usable_key(plan)) return plan.key;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const schema::ColumnPlan& column = plan.columns[i];
    if (sorts_alike(column.type) && is_exact(column)) order.push_back(i);
  }
  return order;
}

/// The columns that an order leaves open.
std::vector<std::size_t> outside_of(const std::vector<std::size_t>& order, std::size_t columns) {
  std::vector<std::size_t> outside;
  for (std::size_t i = 0; i < columns; ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end()) outside.push_back(i);
  }
  return outside;
}

/// Rows of one key on one side of a table without a unique key.
struct Group {
  explicit Group(std::size_t columns) : hash_sums(columns), first_texts(columns) {}
  std::uint64_t rows = 0;
  std::uint64_t row_hash_sum = 0;        ///< of all columns outside the order together
  std::vector<std::uint64_t> hash_sums;  ///< of each column outside the order
  std::vector<std::string> first_texts;  ///< what the first row holds there, for people
};

class TableComparison {
 public:
  TableComparison(OpContext& context, const ValidateOptions& options, TableValidation& table,
                  DifferenceSink& sink, std::mutex& sink_mutex)
      : context_(context), options_(options), table_(table), sink_(sink), sink_mutex_(sink_mutex) {}

  Result<void> run(connect::SnapshotSource& source, connect::SnapshotSource& target) {
    auto source_plan = std::make_shared<schema::TablePlan>(*table_.plan);
    source_plan->key = order_of(*table_.plan);
    if (source_plan->columns.empty()) return nothing_to_compare(table_.plan->source);
    plan_ = source_plan;
    outside_ = outside_of(plan_->key, plan_->columns.size());
    auto target_plan = std::make_shared<schema::TablePlan>(target_side(*source_plan));
    const schema::TablePlanPtr read = schema::read_plan(plan_);
    WHERRY_ASSIGN(auto left, source.open(context_, read, table_.part, connect::RowOrder::kByKey));
    WHERRY_ASSIGN(auto right, target.open(context_, target_plan, {}, connect::RowOrder::kByKey));
    OrderedRows source_rows(std::move(left), read, options_.batch_bytes, "source",
                            table_.source_rows);
    OrderedRows target_rows(std::move(right), target_plan, options_.batch_bytes, "target",
                            table_.target_rows);
    WHERRY_TRY(source_rows.advance(context_));
    WHERRY_TRY(target_rows.advance(context_));
    return has_usable_key(*table_.plan) ? compare_rows(source_rows, target_rows)
                                        : compare_groups(source_rows, target_rows);
  }

 private:
  static int order(const OrderedRows& a, const OrderedRows& b,
                   const std::vector<std::size_t>& key) {
    if (a.row() == nullptr) return 1;
    if (b.row() == nullptr) return -1;
    return compare_keys(a.row(), b.row(), key);
  }

  Result<void> compare_rows(OrderedRows& source, OrderedRows& target) {
    while (source.row() != nullptr || target.row() != nullptr) {
      const int c = order(source, target, plan_->key);
      if (c < 0) report(DifferenceKind::kMissingTarget, source.row(), {}, {}, {});
      if (c > 0) report(DifferenceKind::kMissingSource, target.row(), {}, {}, {});
      if (c == 0) WHERRY_TRY(compare_values(source.row(), target.row()));
      if (c <= 0) WHERRY_TRY(source.advance(context_));
      if (c >= 0) WHERRY_TRY(target.advance(context_));
    }
    return {};
  }

  Result<void> compare_values(const Cell* source, const Cell* target) {
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
      WHERRY_ASSIGN(const bool equal, equal_cells(source[i], target[i]));
      if (equal) continue;
      report(DifferenceKind::kRecordDiff, source, plan_->columns[i].source_name,
             cell_text(source[i], kShownBytes), cell_text(target[i], kShownBytes));
    }
    return {};
  }

  Result<void> compare_groups(OrderedRows& source, OrderedRows& target) {
    while (source.row() != nullptr || target.row() != nullptr) {
      const int c = order(source, target, plan_->key);
      KeyCopy key;
      const Cell* first = c <= 0 ? source.row() : target.row();
      key.assign(first, plan_->key);
      const std::string shown = key_text(first);
      Group left(outside_.size());
      Group right(outside_.size());
      if (c <= 0) WHERRY_TRY(take_group(source, key, left));
      if (c >= 0) WHERRY_TRY(take_group(target, key, right));
      report_group(shown, left, right);
    }
    return {};
  }

  Result<void> take_group(OrderedRows& rows, const KeyCopy& key, Group& group) {
    while (rows.row() != nullptr && key.compare_with(rows.row(), plan_->key) == 0) {
      std::uint64_t row_hash = 0;
      for (std::size_t i = 0; i < outside_.size(); ++i) {
        const Cell& cell = rows.row()[outside_[i]];
        WHERRY_ASSIGN(const std::uint64_t hash, hash_cell(cell, 0));
        group.hash_sums[i] += hash;
        row_hash = (row_hash ^ hash) * 0x9e3779b97f4a7c15ULL;
        if (group.rows == 0) group.first_texts[i] = cell_text(cell, kShownBytes);
      }
      group.row_hash_sum += row_hash;
      ++group.rows;
      WHERRY_TRY(rows.advance(context_));
    }
    return {};
  }

  void report_group(const std::string& key, const Group& source, const Group& target) {
    for (std::uint64_t i = target.rows; i < source.rows; ++i) {
      report_key(DifferenceKind::kMissingTarget, key, {}, {}, {});
    }
    for (std::uint64_t i = source.rows; i < target.rows; ++i) {
      report_key(DifferenceKind::kMissingSource, key, {}, {}, {});
    }
    if (source.rows != target.rows || source.row_hash_sum == target.row_hash_sum) return;
    bool is_told = false;
    for (std::size_t i = 0; i < outside_.size(); ++i) {
      if (source.hash_sums[i] == target.hash_sums[i]) continue;
      is_told = true;
      report_key(DifferenceKind::kRecordDiff, key, plan_->columns[outside_[i]].source_name,
                 text_of_group(source, i), text_of_group(target, i));
    }
    // The same values in each column, but otherwise combined.
    if (!is_told) report_key(DifferenceKind::kRecordDiff, key, {}, {}, {});
  }

  static std::string text_of_group(const Group& group, std::size_t i) {
    if (group.rows == 1) return group.first_texts[i];
    return fmt::format("{} and those of {} rows more", group.first_texts[i], group.rows - 1);
  }

  std::string key_text(const Cell* row) const {
    std::string text;
    for (const std::size_t column : plan_->key) {
      if (!text.empty()) text += ", ";
      text += plan_->columns[column].source_name + "=" + cell_text(row[column], kShownBytes);
    }
    return text;
  }

  void report(DifferenceKind kind, const Cell* row, std::string column, std::string source_value,
              std::string target_value) {
    // The key's text costs; it is made only for what is shown.
    std::string key = table_.differences < options_.max_reported ? key_text(row) : std::string();
    report_key(kind, std::move(key), std::move(column), std::move(source_value),
               std::move(target_value));
  }

  void report_key(DifferenceKind kind, std::string key, std::string column,
                  std::string source_value, std::string target_value) {
    if (table_.differences++ >= options_.max_reported) return;
    std::lock_guard lock(sink_mutex_);
    sink_.on_difference({kind, table_.plan->source, std::move(key), std::move(column),
                         std::move(source_value), std::move(target_value)});
  }

  OpContext& context_;
  const ValidateOptions& options_;
  TableValidation& table_;
  DifferenceSink& sink_;
  std::mutex& sink_mutex_;
  schema::TablePlanPtr plan_;
  std::vector<std::size_t> outside_;
};

/// Compares the tables of `progress`, each by one of a few threads.
class Validation {
 public:
  Validation(OpContext& context, connect::SnapshotSource& source, connect::SnapshotSource& target,
             const ValidateOptions& options, ValidationProgress& progress, DifferenceSink& sink)
      : source_(source),
        target_(target),
        options_(options),
        progress_(progress),
        sink_(sink),
        forward_(context.stop, [this] { stop_.request_stop(); }),
        context_{stop_.get_token(), context.deadline, context.log.as(Component::kValidator)} {}

  Result<void> run() {
    const std::size_t count = std::min<std::size_t>(options_.threads, progress_.tables().size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    if (fatal_) return *std::move(fatal_);
    if (context_.stop.stop_requested()) return cancelled_error();
    return {};
  }

 private:
  void work() {
    for (;;) {
      const std::size_t index = next_.fetch_add(1);
      if (index >= progress_.tables().size() || context_.stop.stop_requested()) return;
      compare(progress_.tables()[index]);
    }
  }

  void compare(TableValidation& table) {
    auto result = guarded([&] {
      connect::SnapshotSource& source = table.view ? *table.view : source_;
      return TableComparison(context_, options_, table, sink_, sink_mutex_).run(source, target_);
    });
    const std::string name = schema::to_text(table.plan->source);
    if (result.ok()) {
      const bool is_equal = table.differences == 0;
      progress_.set_state(table,
                          is_equal ? ValidationState::kValidated : ValidationState::kMismatched);
      context_.log.info("table compared", {{"table", name},
                                           {"source rows", std::to_string(table.source_rows)},
                                           {"differences", std::to_string(table.differences)}});
      return;
    }
    Error error = std::move(result).error();
    error.with("table", name);
    if (!is_table_error(error)) set_fatal(error);
    if (error.kind != ErrorKind::kCancelled) context_.log.error(error);
    table.error = std::move(error);
    progress_.set_state(table, ValidationState::kTableError);
  }

  void set_fatal(const Error& error) {
    std::lock_guard lock(fatal_mutex_);
    // The stop that a fatal error causes must not hide its cause.
    if (!fatal_) fatal_ = error;
    stop_.request_stop();
  }

  connect::SnapshotSource& source_;
  connect::SnapshotSource& target_;
  const ValidateOptions& options_;
  ValidationProgress& progress_;
  DifferenceSink& sink_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  OpContext context_;
  std::atomic<std::size_t> next_{0};
  std::mutex sink_mutex_;
  std::mutex fatal_mutex_;
  std::optional<Error> fatal_;
};

}  // namespace

std::string_view name_of(DifferenceKind kind) {
  static constexpr std::array<std::string_view, 3> kNames = {"RECORD_DIFF", "MISSING_TARGET",
                                                             "MISSING_SOURCE"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name_of(ValidationState state) {
  static constexpr std::array<std::string_view, 4> kNames = {"Pending records", "Validated",
                                                             "Mismatched records", "Table error"};
  return kNames[static_cast<std::size_t>(state)];
}

schema::TablePlan target_side(const schema::TablePlan& plan) {
  schema::TablePlan side = plan;
  side.source = plan.target;
  side.filter = nullptr;  // all rows there belong to the task
  side.side_columns.clear();
  for (schema::ColumnPlan& column : side.columns) {
    column.source_name = column.target_name;
    column.source_type = column.target_type;
    column.trim_blanks = false;      // the load has trimmed what was padding
    column.character_rules.reset();  // … and replaced what was to be
  }
  return side;
}

Result<void> run_validation(OpContext& context, connect::SnapshotSource& source,
                            connect::SnapshotSource& target, const ValidateOptions& options,
                            ValidationProgress& progress, DifferenceSink& sink) {
  return Validation(context, source, target, options, progress, sink).run();
}

}  // namespace wherry::engine
