// The reference of a target of changes. A lane remembers what it has executed and does it again on
// the newest tables when it commits; what then has another outcome than before is a conflict of
// lanes that the engine should have kept apart, and is said so.
#include <algorithm>
#include <atomic>
#include <charconv>

#include "connect/memory/roles.h"

namespace wherry::memory {
namespace {

using connect::ApplyStep;
using connect::StepKind;
using connect::StepReport;
using connect::TableAlteration;

/// nullopt: unchanged.
using Image = std::vector<std::optional<Value>>;

struct Operation {
  StepKind kind = StepKind::kInsert;
  schema::TablePlanPtr plan;
  std::vector<std::size_t> identity;
  std::vector<std::pair<Image, Image>> rows;  ///< before, after
  std::string statement;
  StepReport report;
};

/// Tables that are being changed; the others are as they were committed.
struct View {
  const Tables* base = nullptr;
  std::map<schema::TableRef, std::shared_ptr<Table>> changed;
  std::vector<schema::TableRef> dropped;

  [[nodiscard]] const Table* find(const schema::TableRef& name) const {
    if (const auto found = changed.find(name); found != changed.end()) return found->second.get();
    if (std::find(dropped.begin(), dropped.end(), name) != dropped.end()) return nullptr;
    const auto found = base->find(name);
    return found == base->end() ? nullptr : found->second.get();
  }
  Table* edit(const schema::TableRef& name) {
    const Table* table = find(name);
    if (table == nullptr) return nullptr;
    auto& copy = changed[name];
    if (!copy) copy = std::make_shared<Table>(*table);
    return copy.get();
  }
  void drop(const schema::TableRef& name) {
    changed.erase(name);
    dropped.push_back(name);
  }
};

Error step_error(ErrorKind kind, const char* code, std::string message,
                 const schema::TableRef& table) {
  return make_error(kind, code, std::move(message), "Compare the data with the target's table")
      .with("table", schema::to_text(table));
}

/// What alter() has promised to do, by the statement that stands for it.
class Statements {
 public:
  std::string add(TableAlteration alteration) {
    std::lock_guard lock(mutex_);
    const auto& plan = alteration.to ? *alteration.to : *alteration.from;
    std::string name = "alter " + std::to_string(known_.size()) + ' ' + to_text(plan.target);
    known_[name] = std::move(alteration);
    return name;
  }
  [[nodiscard]] std::optional<TableAlteration> find(const std::string& name) const {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(name);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, TableAlteration> known_;
};

schema::ColumnDef column_of(const schema::ColumnPlan& plan) {
  schema::ColumnDef made;
  made.name = plan.target_name;
  made.type = plan.type;
  made.native_type = plan.target_type;
  made.nullable = !plan.not_null;
  return made;
}

Result<void> create(View& view, const schema::TablePlan& to) {
  if (view.find(to.target) != nullptr) {
    return step_error(ErrorKind::kSchema, "memory.table_exists", "the table exists", to.target);
  }
  auto made = std::make_shared<Table>();
  made->definition.table = to.target;
  for (const schema::ColumnPlan& column : to.columns) {
    made->definition.columns.push_back(column_of(column));
  }
  if (!to.key.empty()) {
    schema::KeyDef key{to.key_name, {}, to.key_is_primary};
    for (const std::size_t i : to.key) key.columns.push_back(to.columns[i].target_name);
    made->definition.keys.push_back(std::move(key));
  }
  view.changed[to.target] = std::move(made);
  return {};
}

/// What rows that are there get in a new column.
Result<Value> value_of(const std::string& text, const schema::ColumnPlan& column,
                       const schema::TableRef& table) {
  const CellKind kind = schema::cell_kind_of(column.type);
  if (kind == CellKind::kText) return Value::text(text);
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (kind == CellKind::kInt64 && status == std::errc{} && end == text.data() + text.size()) {
    return Value::integer(number);
  }
  return step_error(ErrorKind::kData, "memory.no_value", "a new column's value is of another type",
                    table);
}

/// The columns of the plan as the alteration says; those that the plan never had stay.
Result<void> alter_columns(Table& table, const TableAlteration& change) {
  const Table old = table;
  std::vector<int> from;  // by the new columns: their place in the old table
  Row added;
  table.definition.columns.clear();
  const auto add = [&](schema::ColumnDef definition, int place) {
    table.definition.columns.push_back(std::move(definition));
    from.push_back(place);
    added.push_back(Value::null());
  };
  for (std::size_t i = 0; i < change.to->columns.size(); ++i) {
    const auto origin = change.origins[i];
    const int place =
        origin ? old.definition.find_column(change.from->columns[*origin].target_name) : -1;
    if (origin && place < 0) {
      return step_error(ErrorKind::kSchema, "memory.unknown_column", "the table lacks a column",
                        change.from->target);
    }
    add(column_of(change.to->columns[i]), place);
    if (!origin && i < change.values.size() && change.values[i]) {
      WHERRY_ASSIGN(added.back(),
                    value_of(*change.values[i], change.to->columns[i], change.from->target));
    }
    if (!origin) continue;
    for (schema::KeyDef& key : table.definition.keys) {
      std::replace(key.columns.begin(), key.columns.end(),
                   change.from->columns[*origin].target_name, change.to->columns[i].target_name);
    }
  }
  for (std::size_t i = 0; i < old.definition.columns.size(); ++i) {
    const bool is_planned =
        std::any_of(change.from->columns.begin(), change.from->columns.end(),
                    [&](const auto& c) { return c.target_name == old.definition.columns[i].name; });
    if (!is_planned) add(old.definition.columns[i], static_cast<int>(i));
  }
  for (Row& row : table.rows) {
    Row made;
    for (std::size_t i = 0; i < from.size(); ++i) {
      made.push_back(from[i] < 0 ? added[i] : row[static_cast<std::size_t>(from[i])]);
    }
    row = std::move(made);
  }
  std::erase_if(table.definition.keys, [&](const schema::KeyDef& key) {
    return std::any_of(key.columns.begin(), key.columns.end(), [&](const std::string& name) {
      return table.definition.find_column(name) < 0;
    });
  });
  return {};
}

Result<void> alter(View& view, const TableAlteration& change) {
  if (change.kind == TableAlteration::Kind::kCreate) return create(view, *change.to);
  Table* table = view.edit(change.from->target);
  if (table == nullptr) {
    return step_error(ErrorKind::kSchema, "memory.unknown_table", "the table does not exist",
                      change.from->target);
  }
  if (change.kind == TableAlteration::Kind::kDrop) {
    view.drop(change.from->target);
    return {};
  }
  WHERRY_TRY(alter_columns(*table, change));
  if (change.to->target == change.from->target) return {};
  auto moved = view.changed.at(change.from->target);
  view.drop(change.from->target);
  moved->definition.table = change.to->target;
  view.changed[change.to->target] = std::move(moved);
  return {};
}

/// Changes the rows of one table as one operation says.
class RowChanger {
 public:
  RowChanger(const Operation& operation, Table& table) : operation_(operation), table_(table) {
    for (const schema::ColumnPlan& column : operation.plan->columns) {
      columns_.push_back(table.definition.find_column(column.target_name));
    }
    for (const schema::KeyDef& key : table.definition.keys) {
      auto& places = keys_.emplace_back();
      for (const std::string& name : key.columns) {
        places.push_back(static_cast<std::size_t>(table.definition.find_column(name)));
      }
    }
  }

  Result<StepReport> run() {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i] >= 0) continue;
      return step_error(ErrorKind::kSchema, "memory.unknown_column", "the table lacks a column",
                        operation_.plan->target)
          .with("column", operation_.plan->columns[i].target_name);
    }
    switch (operation_.kind) {
      case StepKind::kInsert:
      case StepKind::kReplace:
        WHERRY_TRY(insert());
        break;
      case StepKind::kUpdate:
        WHERRY_TRY(update());
        break;
      case StepKind::kDelete:
        remove();
        break;
      case StepKind::kRekey:
        WHERRY_TRY(rekey());
        break;
      case StepKind::kTruncate:
        report_.affected_rows = table_.rows.size();
        table_.rows.clear();
        break;
      case StepKind::kDdl:
        break;
    }
    return std::move(report_);
  }

 private:
  Result<void> insert() {
    for (const auto& [before, after] : operation_.rows) {
      if (operation_.kind == StepKind::kReplace) {
        if (const auto at = find(after); at != table_.rows.end()) table_.rows.erase(at);
      }
      Row row(table_.definition.columns.size());
      set(row, after);
      WHERRY_TRY(add(std::move(row)));
      ++report_.affected_rows;
    }
    return {};
  }

  Result<void> update() {
    for (std::size_t i = 0; i < operation_.rows.size(); ++i) {
      const auto& [before, after] = operation_.rows[i];
      const auto at = find(before);
      if (at == table_.rows.end()) {
        report_.missing.push_back(i);
        continue;
      }
      Row row = *at;
      const auto place = at - table_.rows.begin();
      table_.rows.erase(at);
      set(row, after);
      WHERRY_TRY(check(row));
      table_.rows.insert(table_.rows.begin() + place, std::move(row));
      ++report_.affected_rows;
    }
    return {};
  }

  void remove() {
    for (std::size_t i = 0; i < operation_.rows.size(); ++i) {
      const auto at = find(operation_.rows[i].first);
      if (at == table_.rows.end()) {
        report_.missing.push_back(i);
      } else {
        table_.rows.erase(at);
        ++report_.affected_rows;
      }
    }
  }

  Result<void> rekey() {
    std::vector<Row> taken;
    for (std::size_t i = 0; i < operation_.rows.size(); ++i) {
      const auto at = find(operation_.rows[i].first);
      if (at == table_.rows.end()) {
        report_.missing.push_back(i);
        continue;
      }
      Row row = std::move(*at);
      table_.rows.erase(at);
      set(row, operation_.rows[i].second);
      taken.push_back(std::move(row));
    }
    report_.affected_rows = taken.size();
    for (Row& row : taken) WHERRY_TRY(add(std::move(row)));
    return {};
  }

  void set(Row& row, const Image& image) const {
    for (std::size_t i = 0; i < image.size(); ++i) {
      if (image[i]) row[static_cast<std::size_t>(columns_[i])] = *image[i];
    }
  }

  /// The first row that the image means.
  std::vector<Row>::iterator find(const Image& image) {
    return std::find_if(table_.rows.begin(), table_.rows.end(), [&](const Row& row) {
      if (operation_.identity.empty()) {
        for (std::size_t i = 0; i < image.size(); ++i) {
          if (image[i] && row[static_cast<std::size_t>(columns_[i])] != *image[i]) return false;
        }
        return true;
      }
      return std::all_of(
          operation_.identity.begin(), operation_.identity.end(), [&](std::size_t i) {
            return image[i] && row[static_cast<std::size_t>(columns_[i])] == *image[i];
          });
    });
  }

  Result<void> add(Row row) {
    WHERRY_TRY(check(row));
    table_.rows.push_back(std::move(row));
    return {};
  }

  Result<void> check(const Row& row) const {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i].is_null || table_.definition.columns[i].nullable) continue;
      return step_error(ErrorKind::kData, "memory.not_null", "a NULL does not fit",
                        operation_.plan->target)
          .with("column", table_.definition.columns[i].name);
    }
    for (const auto& places : keys_) {
      const bool has_null =
          std::any_of(places.begin(), places.end(), [&](std::size_t i) { return row[i].is_null; });
      if (has_null) continue;
      for (const Row& other : table_.rows) {
        if (std::all_of(places.begin(), places.end(),
                        [&](std::size_t i) { return row[i] == other[i]; })) {
          return step_error(ErrorKind::kData, connect::kDuplicateKey,
                            "another row has the same key", operation_.plan->target);
        }
      }
    }
    return {};
  }

  const Operation& operation_;
  Table& table_;
  std::vector<int> columns_;  ///< by the plan's: place in the table
  std::vector<std::vector<std::size_t>> keys_;
  StepReport report_;
};

std::vector<std::size_t> places_of(const Table& table, const std::vector<std::string>& names) {
  std::vector<std::size_t> out;
  for (const std::string& name : names) {
    const int place = table.definition.find_column(name);
    WHERRY_ASSERT(place >= 0, "a foreign key has a column that is not there");
    out.push_back(static_cast<std::size_t>(place));
  }
  return out;
}

Result<void> check_foreign_key(const View& view, const ForeignKey& key) {
  const Table* child = view.find(key.child);
  const Table* parent = view.find(key.parent);
  if (child == nullptr || parent == nullptr) return {};
  const auto here = places_of(*child, key.columns);
  const auto there = places_of(*parent, key.parent_columns);
  for (const Row& row : child->rows) {
    const bool has_null =
        std::any_of(here.begin(), here.end(), [&](std::size_t i) { return row[i].is_null; });
    if (has_null) continue;
    const bool is_found =
        std::any_of(parent->rows.begin(), parent->rows.end(), [&](const Row& other) {
          for (std::size_t i = 0; i < here.size(); ++i) {
            if (row[here[i]] != other[there[i]]) return false;
          }
          return true;
        });
    if (!is_found) {
      return step_error(ErrorKind::kData, "memory.foreign_key", "a row has no parent", key.child);
    }
  }
  return {};
}

Result<StepReport> perform(const Operation& operation, View& view, const Statements& statements,
                           const std::vector<ForeignKey>& foreign_keys) {
  if (operation.kind == StepKind::kDdl) {
    const auto change = statements.find(operation.statement);
    if (!change) {
      return make_error(ErrorKind::kSchema, "memory.no_statement",
                        "the in-memory database does not know the statement",
                        "Execute what alter() has returned");
    }
    WHERRY_TRY(alter(view, *change));
    return StepReport{};
  }
  Table* table = view.edit(operation.plan->target);
  if (table == nullptr) {
    return step_error(ErrorKind::kSchema, "memory.unknown_table", "the table does not exist",
                      operation.plan->target);
  }
  WHERRY_ASSIGN(StepReport report, RowChanger(operation, *table).run());
  for (const ForeignKey& key : foreign_keys) {
    if (key.is_deferred) continue;
    if (key.child == operation.plan->target || key.parent == operation.plan->target) {
      WHERRY_TRY(check_foreign_key(view, key));
    }
  }
  return report;
}

/// What is checked at the end of a transaction.
Result<void> check_deferred(const View& view, const std::vector<ForeignKey>& foreign_keys) {
  for (const ForeignKey& key : foreign_keys) {
    if (key.is_deferred) WHERRY_TRY(check_foreign_key(view, key));
  }
  return {};
}

Result<Image> image_of(const Cell* cells, std::size_t count) {
  Image out;
  if (cells == nullptr) return out;
  for (std::size_t i = 0; i < count; ++i) {
    if (cells[i].state == CellState::kUnchanged) {
      out.emplace_back();
      continue;
    }
    if (cells[i].state == CellState::kUnreadable) {
      return make_error(ErrorKind::kData, "memory.unreadable", std::string(cells[i].bytes()),
                        "Correct the value at the source");
    }
    WHERRY_ASSIGN(Value value, from_cell(cells[i]));
    out.emplace_back(std::move(value));
  }
  return out;
}

Result<Operation> operation_of(const ApplyStep& step) {
  Operation out;
  out.kind = step.kind;
  out.statement = step.statement;
  if (step.table != nullptr) {
    out.plan = step.table->plan;
    out.identity = step.table->identity;
  }
  for (const connect::ApplyRow& row : step.rows) {
    WHERRY_ASSIGN(Image before, image_of(row.before, out.plan->columns.size()));
    WHERRY_ASSIGN(Image after, image_of(row.after, out.plan->columns.size()));
    out.rows.emplace_back(std::move(before), std::move(after));
  }
  return out;
}

/// Shared by the lanes of a target; what an earlier recover() has cut off may not commit.
struct Shared {
  Statements statements;
  std::atomic<std::uint64_t> run{0};
};

class MemoryApplier final : public connect::TargetApplier {
 public:
  MemoryApplier(Database& database, std::shared_ptr<Shared> shared, std::string task,
                std::uint32_t lane)
      : database_(database),
        shared_(std::move(shared)),
        task_(std::move(task)),
        lane_(lane),
        run_(shared_->run),
        foreign_keys_(database.foreign_keys()) {}

  Result<void> begin(OpContext& context) override {
    WHERRY_ASSERT(!is_open_, "the lane's last transaction is still open");
    WHERRY_TRY(database_.faults().pass(context, Point::kBegin));
    is_open_ = true;
    return {};
  }

  Result<std::vector<StepReport>> execute(OpContext& context,
                                          std::span<const ApplyStep> steps) override {
    WHERRY_ASSERT(is_open_, "no transaction is open");
    std::vector<StepReport> reports;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      auto report = execute(context, steps[i]);
      if (!report.ok()) {
        take_back(report.error());
        return std::move(report).error().with("step", std::to_string(i));
      }
      reports.push_back(std::move(report).value());
    }
    return reports;
  }

  Result<void> mark(OpContext& context) override {
    WHERRY_ASSERT(is_open_, "no transaction is open");
    if (auto passed = database_.faults().pass(context, Point::kMark); !passed.ok()) {
      close();
      return passed;
    }
    mark_ = operations_.size();
    return {};
  }

  Result<void> take_back(OpContext& context) override {
    WHERRY_ASSERT(is_open_ && mark_, "there is no mark");
    if (auto passed = database_.faults().pass(context, Point::kMark); !passed.ok()) {
      close();
      return passed;
    }
    operations_.resize(*mark_);
    tables_ = nullptr;
    return {};
  }

  Result<void> check(OpContext&) override {
    WHERRY_ASSERT(is_open_, "no transaction is open");
    WHERRY_TRY(refresh());
    return check_deferred(view_, foreign_keys_);
  }

  Result<void> commit(OpContext& context, const connect::Checkpoint& checkpoint,
                      std::span<const connect::ApplyException> exceptions) override {
    WHERRY_ASSERT(is_open_, "no transaction is open");
    auto done = database_.faults().pass(context, Point::kApplyCommit);
    if (done.ok()) done = commit(checkpoint, exceptions);
    close();
    WHERRY_TRY(std::move(done));
    return database_.faults().pass(context, Point::kApplied);
  }

  Result<void> rollback(OpContext&) override {
    close();
    return {};
  }

 private:
  Result<StepReport> execute(OpContext& context, const ApplyStep& step) {
    const std::string table = step.table == nullptr ? "" : step.table->plan->target.name;
    WHERRY_TRY(database_.faults().pass(context, Point::kApply, table, step.rows.size()));
    WHERRY_ASSIGN(Operation operation, operation_of(step));
    WHERRY_TRY(refresh());
    WHERRY_ASSIGN(operation.report, perform(operation, view_, shared_->statements, foreign_keys_));
    operations_.push_back(std::move(operation));
    return operations_.back().report;
  }

  /// The view of the newest tables with what this transaction has done.
  Result<void> refresh() {
    const std::uint64_t newest = database_.version();
    if (tables_ && newest == version_) return {};
    version_ = newest;
    tables_ = database_.as_of(newest);
    if (!tables_) return cut_error();
    return redo(*tables_, view_);
  }

  Result<void> redo(const Tables& base, View& view) const {
    view = View{&base, {}, {}};
    for (const Operation& operation : operations_) {
      auto report = perform(operation, view, shared_->statements, foreign_keys_);
      if (report.ok() && report->missing == operation.report.missing) continue;
      return make_error(ErrorKind::kInternal, "memory.lanes_conflict",
                        "another lane has changed what this one stands on",
                        "The engine must keep such transactions in order");
    }
    return {};
  }

  void take_back(const Error& cause) {
    const bool goes_on =
        cause.kind != ErrorKind::kTransient && cause.kind != ErrorKind::kCancelled && mark_;
    if (!goes_on) return close();
    operations_.resize(*mark_);
    tables_ = nullptr;
  }

  void close() {
    operations_.clear();
    mark_ = std::nullopt;
    tables_ = nullptr;
    is_open_ = false;
  }

  Result<void> commit(const connect::Checkpoint& checkpoint,
                      std::span<const connect::ApplyException> exceptions) {
    return database_.apply([&](Tables& tables, ApplyState& state) -> Result<void> {
      if (run_ != shared_->run) return cut_error();
      View view;
      const Tables base = tables;
      WHERRY_TRY(redo(base, view));
      WHERRY_TRY(check_deferred(view, foreign_keys_));
      for (const schema::TableRef& name : view.dropped) tables.erase(name);
      for (auto& [name, table] : view.changed) tables[name] = std::move(table);
      state.checkpoints[task_][lane_] = checkpoint;
      state.exceptions.insert(state.exceptions.end(), exceptions.begin(), exceptions.end());
      return {};
    });
  }

  Database& database_;
  const std::shared_ptr<Shared> shared_;
  const std::string task_;
  const std::uint32_t lane_;
  const std::uint64_t run_;
  const std::vector<ForeignKey> foreign_keys_;
  bool is_open_ = false;
  std::vector<Operation> operations_;
  std::optional<std::size_t> mark_;
  std::uint64_t version_ = 0;
  std::shared_ptr<const Tables> tables_;  ///< nullptr: view_ is not up to date
  View view_;
};

class MemoryApply final : public connect::TargetApply {
 public:
  explicit MemoryApply(Database& database) : database_(database) {}

  Result<std::vector<connect::ApplyTable>> describe(
      OpContext& context, const std::vector<schema::TablePlanPtr>& plans) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kCatalog));
    std::vector<connect::ApplyTable> out;
    for (const schema::TablePlanPtr& plan : plans) out.push_back(describe(plan));
    for (const ForeignKey& key : database_.foreign_keys()) add(key, out);
    return out;
  }

  Result<std::map<std::uint32_t, connect::Checkpoint>> recover(OpContext& context,
                                                               const std::string& task) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kRecover));
    ++shared_->run;
    // A commit that had passed its check of the run is over once this has been let in.
    WHERRY_TRY(database_.apply([](Tables&, ApplyState&) -> Result<void> { return {}; }));
    const auto state = database_.apply_state();
    const auto found = state->checkpoints.find(task);
    return found == state->checkpoints.end() ? std::map<std::uint32_t, connect::Checkpoint>()
                                             : found->second;
  }

  Result<std::unique_ptr<connect::TargetApplier>> open_lane(OpContext& context,
                                                            const std::string& task,
                                                            std::uint32_t lane) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kOpenLoader));
    return std::unique_ptr<connect::TargetApplier>(
        std::make_unique<MemoryApplier>(database_, shared_, task, lane));
  }

  Result<std::vector<std::string>> alter(const TableAlteration& alteration) override {
    return std::vector<std::string>{shared_->statements.add(alteration)};
  }

  Result<void> flush(OpContext& context, const std::string& task,
                     const connect::Checkpoint& stored) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kFlush));
    if (stored.sequence == 0) return {};
    const auto state = database_.apply_state();
    const auto found = state->checkpoints.find(task);
    if (found != state->checkpoints.end()) {
      for (const auto& [lane, checkpoint] : found->second) {
        if (checkpoint.sequence >= stored.sequence) return {};
      }
    }
    return make_error(ErrorKind::kTransient, "apply.checkpoint_lost",
                      "the target has lost what it had confirmed", "It is applied again");
  }

  Result<void> forget(OpContext& context, const std::string& task) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kRecover));
    return database_.apply([&](Tables&, ApplyState& state) -> Result<void> {
      state.checkpoints.erase(task);
      return {};
    });
  }

 private:
  [[nodiscard]] connect::ApplyTable describe(const schema::TablePlanPtr& plan) const {
    connect::ApplyTable out;
    out.plan = plan;
    const TablePtr table = database_.find(plan->target);
    if (!table) {
      out.refused = step_error(ErrorKind::kSchema, "apply.unknown_table",
                               "the target table does not exist", plan->target);
      return out;
    }
    const schema::KeyDef* identity = table->definition.row_identity();
    for (const schema::KeyDef& key : table->definition.keys) {
      connect::ApplyKey made{{}, key.is_primary, true};
      for (const std::string& name : key.columns) {
        const auto at = column(*plan, name);
        if (at) made.columns.push_back(*at);
        made.is_plain = made.is_plain && at.has_value();
      }
      if (&key == identity && made.is_plain) out.identity = made.columns;
      out.keys.push_back(std::move(made));
    }
    return out;
  }

  static std::optional<std::size_t> column(const schema::TablePlan& plan, const std::string& name) {
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
      if (plan.columns[i].target_name == name) return i;
    }
    return std::nullopt;
  }

  static void add(const ForeignKey& key, std::vector<connect::ApplyTable>& tables) {
    const auto find = [&](const schema::TableRef& name) {
      return std::find_if(tables.begin(), tables.end(),
                          [&](const auto& table) { return table.plan->target == name; });
    };
    const auto child = find(key.child);
    const auto parent = find(key.parent);
    if (child == tables.end() || parent == tables.end()) return;
    connect::ApplyTable::ForeignKey made;
    made.parent = key.parent;
    for (const std::string& name : key.columns) made.columns.push_back(*column(*child->plan, name));
    for (const std::string& name : key.parent_columns) {
      made.parent_columns.push_back(*column(*parent->plan, name));
    }
    child->foreign_keys.push_back(std::move(made));
  }

  Database& database_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace

std::unique_ptr<connect::TargetApply> make_apply(Database& database) {
  return std::make_unique<MemoryApply>(database);
}

}  // namespace wherry::memory
