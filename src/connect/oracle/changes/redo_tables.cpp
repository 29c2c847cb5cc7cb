#include "connect/oracle/changes/redo_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>

#include "connect/oracle/changes/column_ddl.h"
#include "connect/oracle/changes/supplemental_logging.h"
#include "connect/oracle/logminer/mined_row.h"
#include "core/decimal.h"

namespace wherry::oracle {
namespace {

using connect::Change;
using connect::ChangeBatch;
using connect::ChangeKind;

constexpr std::string_view kNoRow =
    "the log does not say which row was changed (supplemental logging was missing)";
constexpr std::string_view kHiddenWithoutKey =
    "LogMiner does not tell a change of it, and it has no key by which the row could be replaced";
constexpr std::string_view kHiddenAndGone =
    "LogMiner does not tell a change of a row that was gone when the transaction ended";
constexpr std::string_view kOtherDefinition =
    "the log shows a row without its columns' names, of a definition that was changed before the "
    "task read it";
constexpr std::string_view kNoRowId =
    "the log does not show a value of a new row, and not where the row is";

void set_unreadable(std::string_view what, Cell& cell) {
  cell.state = CellState::kUnreadable;
  cell.payload.ptr = reinterpret_cast<const std::byte*>(what.data());
  cell.size_bytes = static_cast<std::uint32_t>(what.size());
}

/// From the kind that the redo's text has into that of the column.
void convert(CellKind wanted, Cell& cell) {
  if (cell.state != CellState::kSet || cell.kind == wanted) return;
  if (wanted == CellKind::kInt64 && cell.kind == CellKind::kDecimal) {
    if (const auto whole = to_int64(decimal_of(cell))) {
      cell.kind = wanted;
      cell.payload.i64 = *whole;
      return;
    }
  }
  set_unreadable("the value is none of the column's type", cell);
}

bool is_within(const Cell& cell, std::string_view text) {
  if (cell.kind != CellKind::kText && cell.kind != CellKind::kBytes) return false;
  const auto* const at = reinterpret_cast<const char*>(cell.payload.ptr);
  const std::less_equal<const char*> is_before;
  return cell.state == CellState::kSet && is_before(text.data(), at) &&
         is_before(at, text.data() + text.size());
}

/// What the cell points to goes into `arena`, where it counts as memory of the batch.
void move_into(Arena& arena, Cell& cell) {
  if (cell.state != CellState::kSet) return;
  if (cell.kind == CellKind::kText || cell.kind == CellKind::kBytes) {
    cell.payload.ptr = arena.copy(cell.payload.ptr, cell.size_bytes);
  } else if (cell.kind == CellKind::kDecimal) {
    const DecimalView& decimal = decimal_of(cell);
    const std::size_t bytes = sizeof decimal + decimal.digit_count * sizeof(std::uint16_t);
    cell.payload.ptr = arena.copy(&decimal, bytes);
  }
}

/// Cells of a row that was read from the table; the batch keeps it only for values on disk.
void take_cells(const std::shared_ptr<RowBatch>& rows, ChangeBatch& out,
                std::span<Cell* const> cells) {
  bool is_kept = false;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    *cells[i] = rows->row(0)[i];
    move_into(out.arena(), *cells[i]);
    is_kept = is_kept || cells[i]->state == CellState::kSpilled ||
              cells[i]->state == CellState::kUnreadable;
  }
  if (is_kept) out.keep(rows);
}

void trim(Cell& cell) {
  if (cell.state != CellState::kSet) return;
  cell.size_bytes = static_cast<std::uint32_t>(cell.bytes().find_last_not_of(' ') + 1);
}

/// The table has the columns that the task has planned and no others: it was not altered since.
bool is_as_planned(const schema::TableDef& table, const schema::TablePlan& plan) {
  return std::equal(
      table.columns.begin(), table.columns.end(), plan.columns.begin(), plan.columns.end(),
      [](const schema::ColumnDef& column, const schema::ColumnPlan& planned) {
        return column.name == planned.source_name && column.native_type == planned.source_type;
      });
}

bool is_same_value(const OwnedRedoValue& a, const OwnedRedoValue& b) {
  return a.form == b.form && a.text == b.text && a.function == b.function;
}

/// A NUMBER is printed as TO_CHAR does it: what needs more room loses digits. Seen with the
/// simulator; Oracle Database SQL Language Reference, "TO_CHAR (number)".
bool may_be_rounded(const RedoValue& value, const RedoColumn& column) {
  constexpr std::size_t kMostCharacters = 40;
  return column.type == OracleType::kNumber && value.form != RedoForm::kCall &&
         value.text.size() >= kMostCharacters;
}

/// The key is another after the change.
bool moves(const RedoTable& table, const RedoChange& change) {
  const auto stored_name = [&](std::size_t index) {
    const auto place = std::find(table.stored_columns.begin(), table.stored_columns.end(), index);
    return fmt::format("COL {}", place - table.stored_columns.begin() + 1);
  };
  const bool is_stored = !change.before.empty() && positional_column(change.before[0].column);
  return std::any_of(
      table.shape->identity.begin(), table.shape->identity.end(), [&](std::size_t index) {
        const std::string& name =
            is_stored ? stored_name(index) : table.shape->definition.columns[index].name;
        const OwnedRedoValue* const before = find_value(change.before, name);
        const OwnedRedoValue* const after = find_value(change.after, name);
        return before != nullptr && after != nullptr && !is_same_value(*before, *after);
      });
}

/// nullopt: there is no such table.
Result<std::optional<schema::TableDef>> define(OpContext& context, connect::Catalog& catalog,
                                               const schema::TableRef& table) {
  connect::TableFilter filter;
  filter.schemas = {table.schema};
  WHERRY_ASSIGN(auto definitions, catalog.describe_tables(context, filter));
  for (schema::TableDef& each : definitions) {
    if (each.table == table) return std::optional(std::move(each));
  }
  return std::optional<schema::TableDef>();
}

}  // namespace

/// Cells of a row before or after its change; those that are not given are kUnchanged.
struct RedoTables::Row {
  Row(const RedoTable& table, ChangeBatch& out)
      : cells(out.allocate_cells(table.columns.size())), arena(out.arena()) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      cells[i] = {};
      cells[i].kind = table.columns[i].kind;
      cells[i].state = CellState::kUnchanged;
    }
  }
  Cell* cells;
  Arena& arena;
  std::vector<std::size_t> unknown;  ///< columns whose value is not shown
};

RedoTables::RedoTables(const connect::StreamRequest& request, RowImages& images,
                       StoredValueContext stored, DefinitionHistory& history)
    : images_(images), stored_(stored), history_(history) {
  for (const schema::TablePlanPtr& plan : request.tables) tables_[plan->source].plan = plan;
}

Result<void> RedoTables::describe(
    OpContext& context, const Dictionary& dictionary,
    const std::function<bool(const DefinitionVersion::Place&)>& is_delivered) {
  std::set<std::string> schemas;
  for (const auto& [name, table] : tables_) schemas.insert(name.schema);
  if (schemas.empty()) return {};
  connect::TableFilter filter;
  filter.schemas.assign(schemas.begin(), schemas.end());
  WHERRY_ASSIGN(auto definitions, dictionary.catalog.describe_tables(context, filter));
  for (schema::TableDef& definition : definitions) {
    const auto found = tables_.find(definition.table);
    if (found == tables_.end()) continue;
    if (history_.resume(definition.table, is_delivered) != nullptr) continue;
    const bool is_unaltered = is_as_planned(definition, *found->second.plan);
    history_.add(found->first, {{}, is_unaltered ? 0 : dictionary.scn, std::move(definition)});
  }
  for (auto& [name, table] : tables_) {
    const DefinitionVersion* const version = history_.resume(name, is_delivered);
    const bool is_there = version != nullptr && !version->definition.columns.empty();
    if (is_there) set_shape(table, version->definition, version->read_scn);
  }
  return history_.save();
}

Result<void> RedoTables::include(OpContext& context, const Dictionary& dictionary,
                                 const schema::TablePlanPtr& plan) {
  RedoTable& table = tables_[plan->source];
  table = {};
  table.plan = plan;
  WHERRY_ASSIGN(auto definition, define(context, dictionary.catalog, plan->source));
  if (!definition) return {};
  history_.add(plan->source, {{}, dictionary.scn, *definition});
  set_shape(table, std::move(*definition), dictionary.scn);
  return history_.save();
}

Result<void> RedoTables::tell_new(OpContext& context, connect::Catalog& catalog,
                                  const schema::TableRef& table, ChangeBatch& out) {
  const RedoTable* const known = find(table.schema, table.name);
  if (known != nullptr && known->shape != nullptr) return {};
  WHERRY_ASSIGN(auto definition, define(context, catalog, table));
  if (!definition) return {};
  auto shape = std::make_shared<connect::RowShape>();
  shape->id = connect::new_shape_id();
  shape->source = table;
  shape->definition = std::move(*definition);
  out.keep(shape);
  Change& change = out.add(ChangeKind::kDdl);
  change.ddl = connect::DdlKind::kNewTable;
  change.shape = shape.get();
  return {};
}

void RedoTables::set_shape(RedoTable& table, schema::TableDef definition,
                           std::uint64_t known_since) {
  table.known_since = known_since;
  auto shape = std::make_shared<connect::RowShape>();
  shape->id = connect::new_shape_id();
  shape->source = table.plan->source;
  for (const std::string& name : logged_identity(definition)) {
    shape->identity.push_back(static_cast<std::size_t>(definition.find_column(name)));
  }
  shape->has_whole_before = shape->identity.empty() || schema::needs_whole_rows(*table.plan);
  table.columns.clear();
  table.stored_columns.clear();
  for (const schema::ColumnDef& column : definition.columns) {
    if (!column.is_generated) table.stored_columns.push_back(table.columns.size());
    RedoTable::Column& each = table.columns.emplace_back();
    each.is_carried = column.type.kind != schema::TypeKind::kUnsupported;
    if (!each.is_carried) continue;
    each.redo = redo_column_of(column.native_type);
    each.kind = schema::cell_kind_of(column.type);
    for (const schema::ColumnPlan& planned : table.plan->columns) {
      if (planned.source_name == column.name) each.is_trimmed = planned.trim_blanks;
    }
  }
  for (const std::size_t index : shape->identity) table.columns[index].is_identity = true;
  table.filter.reset();
  if (const auto& filter = table.plan->filter; filter != nullptr) {
    table.filter = std::make_shared<const schema::RowFilterTest>(*filter, definition.columns);
  }
  shape->definition = std::move(definition);
  table.shape = std::move(shape);
}

std::vector<std::string> RedoTables::owners() const {
  std::set<std::string> out;
  for (const auto& [name, table] : tables_) out.insert(name.schema);
  return {out.begin(), out.end()};
}

bool RedoTables::need_users() const {
  return std::any_of(tables_.begin(), tables_.end(),
                     [](const auto& each) { return each.second.plan->needs_user; });
}

RedoTable* RedoTables::find(std::string_view owner, std::string_view name) {
  const auto found = tables_.find(schema::TableRef{std::string(owner), std::string(name)});
  return found == tables_.end() ? nullptr : &found->second;
}

/// `hint`: where it would be when fields are in the table's order. nullopt: hidden, or gone.
std::optional<std::size_t> RedoTables::column_of(const RedoTable& table, const std::string& name,
                                                 std::size_t hint) {
  const auto& columns = table.shape->definition.columns;
  if (hint < columns.size() && columns[hint].name == name) return hint;
  if (const auto place = positional_column(name)) {
    if (*place > table.stored_columns.size()) return std::nullopt;
    return table.stored_columns[*place - 1];
  }
  const int place = table.shape->definition.find_column(name);
  return place < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(place));
}

/// The reason when the row cannot be told.
std::optional<std::string> RedoTables::fill(const RedoTable& table, const RedoImage& image,
                                            std::uint64_t commit_scn, Row& row) const {
  StoredValueContext stored = stored_;
  stored.arena = &row.arena;
  std::size_t next = 0;
  for (const OwnedRedoField& field : image) {
    const std::optional<std::size_t> place = column_of(table, field.column, next);
    const bool is_stored = positional_column(field.column).has_value();
    // The dictionary was read after it, and may have been another by then.
    const bool is_unsure = commit_scn < table.known_since;
    if (is_stored && (!place || is_unsure)) {
      return std::string(kOtherDefinition);
    }
    if (!place) continue;
    const std::size_t index = *place;
    next = index + 1;
    const RedoTable::Column& column = table.columns[index];
    if (!column.is_carried) continue;
    Cell& cell = row.cells[index];
    const RedoValue value = field.value.view();
    if (!column.redo || may_be_rounded(value, *column.redo)) {
      row.unknown.push_back(index);
      continue;
    }
    const RedoValueStatus status = is_stored
                                       ? stored_cell(value, *column.redo, stored, cell)
                                       : redo_cell(value, *column.redo, {&row.arena, 0}, cell);
    if (status == RedoValueStatus::kNotGiven) {
      cell.state = CellState::kUnchanged;
      row.unknown.push_back(index);
    } else if (status != RedoValueStatus::kGiven) {
      if (column.is_identity) {
        return "column " + field.column + " of its key: " + std::string(oracle::describe(status));
      }
      set_unreadable(oracle::describe(status), cell);
    } else {
      convert(column.kind, cell);
      if (column.is_trimmed) trim(cell);
      if (is_within(cell, value.text)) move_into(row.arena, cell);
    }
  }
  return std::nullopt;
}

/// An update brings the row into the filter, so that the target needs all of it.
bool RedoTables::comes_in(const RedoTable& table, const RedoChange& change, const Cell* before,
                          const Cell* after) {
  if (table.filter == nullptr || change.kind != RedoKind::kUpdate) return false;
  const auto verdict_of = [&](const Cell* cells) {
    judged_.clear();
    for (const auto& place : table.filter->columns()) {
      judged_.push_back(place ? cells + *place : nullptr);
    }
    return table.filter->of(judged_);
  };
  return verdict_of(after) == schema::RowFilterTest::Verdict::kPasses &&
         verdict_of(before) == schema::RowFilterTest::Verdict::kFails;
}

/// The redo has no large objects that a change leaves as they are.
void RedoTables::add_unchanged(const RedoTable& table, Row& row) {
  for (const std::size_t i : table.stored_columns) {
    const bool is_missing =
        table.columns[i].is_carried && row.cells[i].state == CellState::kUnchanged;
    if (is_missing) row.unknown.push_back(i);
  }
}

/// What the redo does not show. The reason when it cannot be had.
Result<std::optional<std::string>> RedoTables::complete(OpContext& context, const RedoTable& table,
                                                        const Place& place, Row& before, Row& after,
                                                        ChangeBatch& out) {
  using Reason = std::optional<std::string>;
  const RedoChange& change = place.change();
  const auto& columns = table.shape->definition.columns;
  for (const std::string& name : change.unknown) {
    const int column = table.shape->definition.find_column(name);
    if (column < 0 || !table.columns[static_cast<std::size_t>(column)].is_carried) continue;
    after.unknown.push_back(static_cast<std::size_t>(column));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Cell& cell = after.cells[i];
    if (!table.columns[i].is_carried) continue;
    if (change.kind == RedoKind::kInsert) {
      const bool is_missing = cell.state == CellState::kUnchanged && !columns[i].is_generated;
      if (is_missing) after.unknown.push_back(i);
    } else if (table.columns[i].is_identity || table.shape->has_whole_before) {
      const bool is_there = before.cells[i].state != CellState::kUnchanged;
      if (table.columns[i].is_identity && !is_there) return Reason(kNoRow);
      if (cell.state == CellState::kUnchanged) cell = before.cells[i];
    }
  }
  const bool is_new = comes_in(table, change, before.cells, after.cells);
  if (is_new) add_unchanged(table, after);
  std::sort(after.unknown.begin(), after.unknown.end());
  after.unknown.erase(std::unique(after.unknown.begin(), after.unknown.end()), after.unknown.end());
  if (after.unknown.empty()) return Reason();
  if (is_placeholder(change.row_id)) return Reason(kNoRowId);
  auto rows = images_.read(context, table.shape->definition, after.unknown, change.row_id,
                           place.commit_scn);
  if (!rows) {
    if (rows.error().kind != ErrorKind::kData) return std::move(rows).error();
    return Reason(rows.error().message);
  }
  // No row: the transaction itself has taken it away later, so its values do not matter.
  std::vector<Cell*> cells;
  for (const std::size_t column : after.unknown) cells.push_back(&after.cells[column]);
  if ((*rows)->row_count() != 0) {
    take_cells(*rows, out, cells);
    for (const std::size_t column : after.unknown) {
      if (table.columns[column].is_trimmed) trim(after.cells[column]);
    }
  } else if (change.kind == RedoKind::kInsert || is_new) {
    for (Cell* cell : cells) cell->state = CellState::kNull;
  }
  return Reason();
}

/// The row as the commit has left it takes the place of what the target has of it: a delete, which
/// may find nothing, and an insert. The reason when that cannot be.
Result<std::optional<std::string>> RedoTables::add_hidden(OpContext& context,
                                                          const RedoTable& table,
                                                          const Place& place, ChangeBatch& out) {
  using Reason = std::optional<std::string>;
  const RedoChange& change = place.change();
  const auto next = place.changes->begin() + static_cast<std::ptrdiff_t>(place.index) + 1;
  const bool is_deleted_later = std::any_of(next, place.changes->end(), [&](const auto& each) {
    return each.kind == RedoKind::kDelete && !each.is_hidden && each.row_id == change.row_id &&
           each.table == change.table;
  });
  if (is_deleted_later) return Reason();
  if (table.shape->identity.empty()) return Reason(kHiddenWithoutKey);
  std::vector<std::size_t> stored = table.stored_columns;
  std::erase_if(stored, [&](std::size_t column) { return !table.columns[column].is_carried; });
  auto rows =
      images_.read(context, table.shape->definition, stored, change.row_id, place.commit_scn);
  if (!rows) {
    if (rows.error().kind != ErrorKind::kData) return std::move(rows).error();
    return Reason(rows.error().message);
  }
  if ((*rows)->row_count() == 0) return Reason(kHiddenAndGone);
  Row before(table, out), after(table, out);
  std::vector<Cell*> cells;
  for (const std::size_t column : stored) cells.push_back(&after.cells[column]);
  take_cells(*rows, out, cells);
  for (const std::size_t column : stored) {
    Cell& cell = after.cells[column];
    if (table.columns[column].is_trimmed) trim(cell);
    if (table.columns[column].is_identity) before.cells[column] = cell;
  }
  out.keep(table.shape);
  Change& removed = out.add(ChangeKind::kDelete);
  removed.shape = table.shape.get();
  removed.before = before.cells;
  Change& added = out.add(ChangeKind::kInsert);
  added.shape = table.shape.get();
  added.after = after.cells;
  return Reason();
}

Result<void> RedoTables::add(OpContext& context, const Place& place, ChangeBatch& out) {
  const RedoChange& change = place.change();
  RedoTable* const table = find(change.owner, change.table);
  if (table == nullptr || table->shape == nullptr) return {};
  if (change.is_hidden) {
    WHERRY_ASSIGN(const auto why, add_hidden(context, *table, place, out));
    if (why) give_up(*table, *why, out);
    return {};
  }
  Row before(*table, out), after(*table, out);
  std::optional<std::string> reason = fill(*table, change.before, place.commit_scn, before);
  if (!reason) reason = fill(*table, change.after, place.commit_scn, after);
  if (!reason && change.kind == RedoKind::kDelete) {
    for (const std::size_t index : table->shape->identity) {
      if (before.cells[index].state == CellState::kUnchanged) reason = kNoRow;
    }
  } else if (!reason) {
    WHERRY_ASSIGN(reason, complete(context, *table, place, before, after, out));
  }
  if (reason) {
    give_up(*table, *reason, out);
    return {};
  }
  out.keep(table->shape);
  Change& told = out.add(change.kind == RedoKind::kInsert   ? ChangeKind::kInsert
                         : change.kind == RedoKind::kUpdate ? ChangeKind::kUpdate
                                                            : ChangeKind::kDelete);
  told.shape = table->shape.get();
  const bool tells_before = change.kind == RedoKind::kDelete || table->shape->has_whole_before ||
                            (change.kind == RedoKind::kUpdate && moves(*table, change));
  if (tells_before && change.kind != RedoKind::kInsert) told.before = before.cells;
  if (change.kind != RedoKind::kDelete) told.after = after.cells;
  return {};
}

void RedoTables::give_up(const RedoTable& table, std::string_view reason, ChangeBatch& out) {
  if (table.shape == nullptr) return;
  out.keep(table.shape);
  Change& change = out.add(ChangeKind::kDdl);
  change.ddl = connect::DdlKind::kRowsUnknown;
  change.shape = table.shape.get();
  const std::byte* const copy = out.arena().copy(reason.data(), reason.size());
  change.text = {reinterpret_cast<const char*>(copy), reason.size()};
}

Result<void> RedoTables::redescribe(OpContext& context, const Dictionary& dictionary,
                                    RedoTable& table, std::string_view sql,
                                    const DefinitionVersion::Place& since, ChangeBatch& out) {
  if (table.shape == nullptr) return {};
  WHERRY_ASSIGN(auto found, define(context, dictionary.catalog, table.plan->source));
  if (!found) {
    schema::TableDef gone;
    gone.table = table.plan->source;
    history_.add(table.plan->source, {since, dictionary.scn, std::move(gone)});
    WHERRY_TRY(history_.save());
    out.keep(table.shape);
    Change& change = out.add(ChangeKind::kDdl);
    change.ddl = connect::DdlKind::kDropTable;
    change.shape = table.shape.get();
    table.shape = nullptr;
    return {};
  }
  const auto changes =
      since.scn >= table.known_since ? column_changes(sql) : std::optional<ColumnChanges>();
  auto known = changes ? altered(table.shape->definition, *changes, *found)
                       : std::optional<schema::TableDef>();
  const std::uint64_t known_since = known ? 0 : dictionary.scn;
  if (!known) known = std::move(found);
  history_.add(table.plan->source, {since, known_since, *known});
  WHERRY_TRY(history_.save());
  set_shape(table, std::move(*known), known_since);
  auto shape = std::make_shared<connect::RowShape>(*table.shape);
  // Of those that are new to the target. The dictionary does not tell which of them have a default
  // for rows that were there.
  shape->fills.assign(shape->definition.columns.size(), {connect::ColumnFill::Kind::kByRow, {}});
  table.shape = shape;
  out.keep(shape);
  out.add(ChangeKind::kShape).shape = shape.get();
  return {};
}

}  // namespace wherry::oracle
