#include <algorithm>
#include <set>

#include "connect/memory/roles.h"

namespace wherry::memory {
namespace {

using connect::ExistingTable;

Error about(ErrorKind kind, const char* code, std::string message, const schema::TableRef& table) {
  return make_error(kind, code, std::move(message), "Compare the data with the target's table")
      .with("table", schema::to_text(table));
}

/// Index of each column in the table; an empty list when one is missing.
std::vector<std::size_t> indexes_of(const schema::TableDef& table,
                                    const std::vector<std::string>& names) {
  std::vector<std::size_t> out;
  for (const std::string& name : names) {
    const int index = table.find_column(name);
    if (index < 0) return {};
    out.push_back(static_cast<std::size_t>(index));
  }
  return out;
}

/// kData when two rows have equal values without NULL in all columns of the key.
Result<void> check_unique(const Table& table, const schema::KeyDef& key) {
  const std::vector<std::size_t> columns = indexes_of(table.definition, key.columns);
  const auto less = [&](const Row* a, const Row* b) {
    for (const std::size_t i : columns) {
      const CellKind kind = schema::cell_kind_of(table.definition.columns[i].type);
      if (const int c = compare((*a)[i], (*b)[i], kind); c != 0) return c < 0;
    }
    return false;
  };
  std::set<const Row*, decltype(less)> seen(less);
  for (const Row& row : table.rows) {
    const bool has_null =
        std::any_of(columns.begin(), columns.end(), [&](std::size_t i) { return row[i].is_null; });
    if (has_null && key.is_primary) {
      return about(ErrorKind::kData, "memory.null_in_key", "a primary key column is NULL",
                   table.definition.table);
    }
    if (!has_null && !seen.insert(&row).second) {
      return about(ErrorKind::kData, "memory.duplicate_key", "two rows have one key " + key.name,
                   table.definition.table);
    }
  }
  return {};
}

schema::KeyDef key_of(const schema::TablePlan& plan) {
  schema::KeyDef key{plan.key_name, {}, plan.key_is_primary};
  for (const std::size_t i : plan.key) key.columns.push_back(plan.columns[i].target_name);
  return key;
}

schema::TableDef definition_of(const schema::TablePlan& plan) {
  schema::TableDef definition;
  definition.table = plan.target;
  for (const schema::ColumnPlan& column : plan.columns) {
    schema::ColumnDef made;
    made.name = column.target_name;
    made.type = column.type;
    made.native_type = column.target_type;
    made.nullable = !column.not_null;
    definition.columns.push_back(std::move(made));
  }
  if (plan.key_comes_first && !plan.key.empty()) definition.keys.push_back(key_of(plan));
  return definition;
}

class MemorySession final : public connect::LoadSession {
 public:
  MemorySession(Database& database, schema::TablePlanPtr plan, TablePtr table, std::string load_id)
      : database_(database),
        plan_(std::move(plan)),
        table_(std::move(table)),
        load_id_(std::move(load_id)) {
    for (const schema::ColumnPlan& column : plan_->columns) {
      columns_.push_back(
          static_cast<std::size_t>(table_->definition.find_column(column.target_name)));
    }
  }

  Result<void> write(OpContext& context, const RowBatch& batch) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kWrite, plan_->target.name,
                                       rows_.size() + batch.row_count()));
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      Row row(table_->definition.columns.size());
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        WHERRY_ASSIGN(row[columns_[i]], from_cell(batch.at(r, i)));
        if (plan_->columns[i].trim_blanks) trim(row[columns_[i]].bytes);
      }
      if (auto checked = check_not_null(row); !checked.ok()) {
        if (sink_ == nullptr) return checked;
        WHERRY_TRY(
            sink_->on_row_refused({false, "row " + std::to_string(rows_.size() + refused_ + 1),
                                   std::move(checked).error()}));
        ++refused_;
        continue;
      }
      rows_.push_back(std::move(row));
    }
    bytes_ += batch.used_bytes();
    return {};
  }

  Result<void> tolerate(OpContext&, connect::RowRefusalSink& sink, bool) override {
    sink_ = &sink;
    return {};
  }

  Result<connect::LoadReport> finish(OpContext& context,
                                     std::span<const connect::DoneChunk> chunks) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kFinish, plan_->target.name));
    const connect::LoadReport report{rows_.size(), bytes_, refused_};
    auto committed = database_.change(plan_->target, [&](Table& table) -> Result<void> {
      WHERRY_TRY(append(table));
      if (load_id_.empty() || database_.record(load_id_, chunks)) return {};
      return about(ErrorKind::kInternal, "load.chunk_twice",
                   "a part of the table that is loaded already was loaded again", plan_->target);
    });
    if (!committed.ok()) return std::move(committed).error();
    WHERRY_TRY(database_.faults().pass(context, Point::kCommitted, plan_->target.name));
    return report;
  }

 private:
  Result<void> append(Table& table) {
    std::move(rows_.begin(), rows_.end(), std::back_inserter(table.rows));
    for (const schema::KeyDef& key : table.definition.keys) WHERRY_TRY(check_unique(table, key));
    return {};
  }

  static void trim(std::string& text) { text.erase(text.find_last_not_of(' ') + 1); }

  Result<void> check_not_null(const Row& row) const {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const schema::ColumnDef& column = table_->definition.columns[i];
      if (!row[i].is_null || column.nullable) continue;
      return about(ErrorKind::kData, "memory.not_null", "a NULL does not fit", plan_->target)
          .with("column", column.name);
    }
    return {};
  }

  Database& database_;
  schema::TablePlanPtr plan_;
  TablePtr table_;
  const std::string load_id_;
  std::vector<std::size_t> columns_;  ///< plan column -> table column
  std::vector<Row> rows_;
  std::uint64_t bytes_ = 0;
  std::uint64_t refused_ = 0;
  connect::RowRefusalSink* sink_ = nullptr;
};

class MemoryLoader final : public connect::TargetLoader {
 public:
  explicit MemoryLoader(Database& database) : database_(database) {}

  Result<std::string> column_type(const schema::ColumnDef& column) override {
    if (column.type.kind != schema::TypeKind::kUnsupported) return schema::describe(column.type);
    return make_error(ErrorKind::kUnsupported, "memory.no_type",
                      "no type holds values of " + column.native_type, "Leave the column out");
  }

  Result<ConvertedType> convert(const schema::ColumnDef& column,
                                const schema::LogicalType& wanted) override {
    if (schema::cell_kind_of(column.type) == schema::cell_kind_of(wanted)) {
      return ConvertedType{schema::describe(wanted)};
    }
    return make_error(ErrorKind::kUnsupported, "memory.no_conversion",
                      "values stay of their kind here", "Leave the rule out");
  }

  [[nodiscard]] std::size_t max_name_bytes() const override { return 128; }

  Result<void> check_privileges(OpContext&, const std::vector<schema::TablePlanPtr>&,
                                ExistingTable) override {
    return {};  // nobody is anybody here
  }

  Result<connect::PrepareReport> prepare(OpContext& context, const schema::TablePlan& plan,
                                         ExistingTable existing) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kPrepare, plan.target.name));
    const TablePtr table = database_.find(plan.target);
    if (!table || existing == ExistingTable::kDrop) {
      database_.put(definition_of(plan));
      return connect::PrepareReport{};
    }
    WHERRY_TRY(check_columns(plan, *table));
    if (existing == ExistingTable::kKeep) return connect::PrepareReport{table->rows.empty()};
    WHERRY_TRY(database_.change(plan.target, [](Table& edited) -> Result<void> {
      edited.rows.clear();
      return {};
    }));
    return connect::PrepareReport{};
  }

  Result<std::vector<connect::DoneChunk>> done_chunks(OpContext& context,
                                                      const std::string& load_id,
                                                      std::optional<std::uint32_t>) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kLedger));
    return database_.recorded(load_id);
  }

  Result<void> forget(OpContext& context, const std::string& load_id) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kLedger));
    database_.forget_records(load_id);
    return {};
  }

  Result<std::unique_ptr<connect::LoadSession>> begin(OpContext& context, schema::TablePlanPtr plan,
                                                      const connect::Segment& segment) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kBegin, plan->target.name));
    const TablePtr table = database_.find(plan->target);
    if (!table) {
      return about(ErrorKind::kSchema, "memory.unknown_table", "the target table does not exist",
                   plan->target);
    }
    WHERRY_TRY(check_columns(*plan, *table));
    return std::unique_ptr<connect::LoadSession>(
        std::make_unique<MemorySession>(database_, std::move(plan), table, segment.load_id));
  }

  Result<void> complete(OpContext& context, const schema::TablePlan& plan, bool is_own) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kComplete, plan.target.name));
    if (plan.key.empty() || !is_own) return {};
    const schema::KeyDef key = key_of(plan);
    return database_.change(plan.target, [&](Table& table) -> Result<void> {
      auto& keys = table.definition.keys;
      const bool exists = std::any_of(keys.begin(), keys.end(), [&](const schema::KeyDef& other) {
        return other.columns == key.columns;
      });
      if (exists) return {};
      WHERRY_TRY(check_unique(table, key));
      keys.push_back(key);
      return {};
    });
  }

 private:
  static Result<void> check_columns(const schema::TablePlan& plan, const Table& table) {
    for (const schema::ColumnPlan& column : plan.columns) {
      if (table.definition.find_column(column.target_name) >= 0) continue;
      return about(ErrorKind::kSchema, "memory.unknown_column", "the existing table lacks a column",
                   plan.target)
          .with("column", column.target_name);
    }
    return {};
  }

  Database& database_;
};

}  // namespace

std::unique_ptr<connect::TargetLoader> make_loader(Database& database) {
  return std::make_unique<MemoryLoader>(database);
}

}  // namespace wherry::memory
