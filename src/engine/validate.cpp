#include "engine/validate.h"

#include <algorithm>
#include <array>
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
    case TypeKind::kUnsupported:
      return false;
    case TypeKind::kTimestamp:
      return type.fraction_digits <= 6;
    default:
      return true;
  }
}

/// What to order by: the key, or all columns both sides sort alike.
std::vector<std::size_t> order_of(const schema::TablePlan& plan) {
  if (!plan.key.empty()) return plan.key;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (sorts_alike(plan.columns[i].type)) order.push_back(i);
  }
  return order;
}

/// Rows of one key on one side of a table without a unique key.
struct Group {
  std::uint64_t rows = 0;
  std::uint64_t hash_sum = 0;
};

class TableComparison {
 public:
  TableComparison(OpContext& context, const ValidateOptions& options, TableValidation& table,
                  DifferenceSink& sink, std::mutex& sink_mutex)
      : context_(context), options_(options), table_(table), sink_(sink), sink_mutex_(sink_mutex) {}

  Result<void> run(connect::SnapshotSource& source, connect::SnapshotSource& target) {
    auto source_plan = std::make_shared<schema::TablePlan>(*table_.plan);
    source_plan->key = order_of(*table_.plan);
    plan_ = source_plan;
    auto target_plan = std::make_shared<schema::TablePlan>(target_side(*source_plan));
    WHERRY_ASSIGN(auto left, source.open(context_, source_plan, {}, connect::RowOrder::kByKey));
    WHERRY_ASSIGN(auto right, target.open(context_, target_plan, {}, connect::RowOrder::kByKey));
    OrderedRows source_rows(std::move(left), source_plan, options_.batch_bytes, "source",
                            table_.source_rows);
    OrderedRows target_rows(std::move(right), target_plan, options_.batch_bytes, "target",
                            table_.target_rows);
    WHERRY_TRY(source_rows.advance(context_));
    WHERRY_TRY(target_rows.advance(context_));
    return table_.plan->key.empty() ? compare_groups(source_rows, target_rows)
                                    : compare_rows(source_rows, target_rows);
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
      Group left;
      Group right;
      if (c <= 0) WHERRY_TRY(take_group(source, key, left));
      if (c >= 0) WHERRY_TRY(take_group(target, key, right));
      report_group(shown, left, right);
    }
    return {};
  }

  Result<void> take_group(OrderedRows& rows, const KeyCopy& key, Group& group) {
    while (rows.row() != nullptr && key.compare_with(rows.row(), plan_->key) == 0) {
      std::uint64_t hash = 0;
      for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
        WHERRY_ASSIGN(hash, hash_cell(rows.row()[i], hash));
      }
      ++group.rows;
      group.hash_sum += hash;
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
    if (source.rows == target.rows && source.hash_sum != target.hash_sum) {
      report_key(DifferenceKind::kRecordDiff, key, "one of the columns outside the order",
                 "(not shown)", "(not shown)");
    }
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
};

}  // namespace

std::string_view name_of(DifferenceKind kind) {
  static constexpr std::array<std::string_view, 3> kNames = {"RECORD_DIFF", "MISSING_TARGET",
                                                             "MISSING_SOURCE"};
  return kNames[static_cast<std::size_t>(kind)];
}

schema::TablePlan target_side(const schema::TablePlan& plan) {
  schema::TablePlan side = plan;
  side.source = plan.target;
  for (schema::ColumnPlan& column : side.columns) {
    column.source_name = column.target_name;
    column.source_type = column.target_type;
    column.trim_blanks = false;  // the load has trimmed what was padding
  }
  return side;
}

Result<void> run_validation(OpContext& context, connect::SnapshotSource& source,
                            connect::SnapshotSource& target, const ValidateOptions& options,
                            std::deque<TableValidation>& tables, DifferenceSink& sink) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::mutex sink_mutex;
  std::optional<Error> fatal;
  std::stop_source stop;
  std::stop_callback forward(context.stop, [&] { stop.request_stop(); });
  const auto work = [&] {
    OpContext own{stop.get_token(), context.deadline, context.log.as(Component::kValidator)};
    for (std::size_t i = next++; i < tables.size() && !own.stop.stop_requested(); i = next++) {
      auto result = guarded([&] {
        return TableComparison(own, options, tables[i], sink, sink_mutex).run(source, target);
      });
      if (!result.ok()) {
        Error error = std::move(result).error();
        error.with("table", schema::to_text(tables[i].plan->source));
        if (!is_table_error(error)) {
          std::lock_guard lock(mutex);
          if (!fatal) fatal = error;
          stop.request_stop();
        }
        tables[i].error = std::move(error);
      }
      tables[i].is_done = true;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min<std::size_t>(options.threads, tables.size()); ++i) {
    threads.emplace_back(work);
  }
  for (std::thread& thread : threads) thread.join();
  if (fatal) return *std::move(fatal);
  if (context.stop.stop_requested()) return cancelled_error();
  return {};
}

}  // namespace wherry::engine
