#include "connect/postgres/match.h"

#include <algorithm>
#include <map>
#include <set>

#include "connect/postgres/describe.h"
#include "connect/postgres/hindrances.h"
#include "connect/postgres/native_plan.h"
#include "connect/postgres/tablespaces.h"
#include "connect/postgres/wire/encoder.h"

namespace wherry::postgres {
namespace {

using connect::ExistingTable;
using connect::TargetMatch;
using schema::ColumnPlan;
using schema::TablePlan;
using schema::TableRef;

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

TableRef folded(const TableRef& table) {
  return {folded(table.schema), folded(table.name)};
}

Error match_error(const char* code, std::string message, std::string hint) {
  return make_error(ErrorKind::kSchema, code, std::move(message), std::move(hint));
}

void list_append(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += item;
}

/// The tables of some schemas by name.
class TableIndex {
 public:
  explicit TableIndex(std::vector<NativeTable> tables) : tables_(std::move(tables)) {
    for (const NativeTable& table : tables_) {
      exact_.emplace(table.table, &table);
      alike_.emplace(folded(table.table), &table);
    }
  }

  [[nodiscard]] const NativeTable* find_exact(const TableRef& name) const {
    const auto found = exact_.find(name);
    return found == exact_.end() ? nullptr : found->second;
  }
  /// nullptr when there is none; an error when it is not clear which.
  [[nodiscard]] Result<const NativeTable*> find(const TableRef& name) const {
    if (const NativeTable* table = find_exact(name)) return table;
    std::vector<const NativeTable*> candidates;
    const auto [first, last] = alike_.equal_range(folded(name));
    for (auto it = first; it != last; ++it) candidates.push_back(it->second);
    if (candidates.size() > 1) {
      // Those in the very schema come before all others.
      const auto elsewhere = [&](const NativeTable* t) { return t->table.schema != name.schema; };
      if (!std::all_of(candidates.begin(), candidates.end(), elsewhere)) {
        std::erase_if(candidates, elsewhere);
      }
    }
    if (candidates.empty()) return static_cast<const NativeTable*>(nullptr);
    if (candidates.size() == 1) return candidates.front();
    std::string names;
    for (const NativeTable* table : candidates) list_append(names, to_text(table->table));
    return match_error(
        "postgres.ambiguous_name",
        "several tables of the target differ from the wanted name in case only: " + names,
        "Name the one that is meant with a transformation rule in the table "
        "mappings");
  }

 private:
  std::vector<NativeTable> tables_;
  std::map<TableRef, const NativeTable*> exact_;
  std::multimap<TableRef, const NativeTable*> alike_;
};

/// One plan fitted to the table that exists.
class TableFit {
 public:
  TableFit(const TablePlan& plan, const NativeTable& table) : plan_(plan), table_(table) {
    for (const NativeColumn& column : table.columns) {
      alike_.emplace(folded(column.name), &column);
    }
  }

  Result<TablePlan> make() {
    if (table_.kind != 'r' && table_.kind != 'p') {
      return match_error("postgres.name_taken",
                         "what bears the table's name on the target is a view or a foreign table",
                         "Drop it, or rename the table with a transformation rule");
    }
    out_ = plan_;
    out_.columns.clear();
    out_.key.clear();
    out_.target = table_.table;
    if (plan_.target != table_.table) {
      warn("plan.table_differs_in_case", schema::WarningRank::kNote,
           "the target has no table " + to_text(plan_.target) + ": " + to_text(table_.table) +
               " is loaded, which differs in case");
    }
    for (std::size_t i = 0; i < plan_.columns.size(); ++i) WHERRY_TRY(add(i));
    if (!missing_.empty()) {
      return match_error("postgres.unknown_column", "the existing table lacks columns: " + missing_,
                         "Add them, leave them out with the table mappings, or use "
                         "DROP_AND_CREATE");
    }
    WHERRY_TRY(check_required());
    if (!renamed_.empty()) {
      warn("plan.columns_differ_in_case", schema::WarningRank::kNote,
           "columns that differ in case on the target: " + renamed_);
    }
    if (out_.columns.empty()) {
      return match_error("postgres.no_columns", "every column of the table is generated",
                         "Exclude the table from the task");
    }
    set_key();
    return std::move(out_);
  }

 private:
  void warn(const char* code, schema::WarningRank rank, std::string text) {
    out_.warnings.push_back({code, rank, std::move(text)});
  }

  Result<const NativeColumn*> find(const std::string& name) const {
    if (const NativeColumn* column = table_.find(name)) return column;
    const auto [first, last] = alike_.equal_range(folded(name));
    if (first == last) return static_cast<const NativeColumn*>(nullptr);
    if (std::next(first) == last) return first->second;
    std::string names;
    for (auto it = first; it != last; ++it) list_append(names, it->second->name);
    return match_error(
               "postgres.ambiguous_name",
               "several columns of the target differ from the wanted name in case only: " + names,
               "Name the one that is meant with a transformation rule in the table "
               "mappings")
        .with("column", name);
  }

  Result<void> add(std::size_t index) {
    ColumnPlan column = plan_.columns[index];
    WHERRY_ASSIGN(const NativeColumn* native, find(column.target_name));
    if (native == nullptr) {
      list_append(missing_, column.target_name);
      return {};
    }
    const auto [other, is_new] = taken_.emplace(native->name, column.source_name);
    if (!is_new) {
      return match_error("postgres.ambiguous_name",
                         "two source columns would both be loaded into one: " + other->second +
                             " and " + column.source_name,
                         "Rename one of them with a transformation rule in the table mappings")
          .with("column", native->name);
    }
    if (native->name != column.target_name) {
      list_append(renamed_, column.target_name + " -> " + native->name);
    }
    if (native->is_generated) {
      warn("plan.generated_on_target", schema::WarningRank::kNote,
           "column " + native->name + " is generated on the target and not loaded");
      return {};
    }
    if (column.is_native && column.target_type != native->type.name) {
      column.is_native = false;
      column.trim_blanks = column.type.blank_padded;
      // PostgreSQL prints it as text, which the column may take.
      if (column.type.kind == schema::TypeKind::kNative) column.type = {schema::TypeKind::kClob};
    }
    if (!wire::choose_encoder(column.type, native->type, column.trim_blanks)) {
      return no_conversion(column, *native);
    }
    column.target_name = native->name;
    column.target_type = native->type.name;
    column.type_reason = "the target's own table has it";
    column.not_null = native->is_not_null;
    column.likeness = wire::likeness_of(column.type, native->type, column.trim_blanks);
    places_.emplace(index, out_.columns.size());
    out_.columns.push_back(std::move(column));
    return {};
  }

  static Error no_conversion(const ColumnPlan& column, const NativeColumn& native) {
    const std::string source =
        column.source_type.empty() ? describe(column.type) : column.source_type;
    return match_error(
               "postgres.no_conversion",
               "values of type " + source + " have no form in a column of type " + native.type.name,
               "Change the column's type on the target (" + column.target_type +
                   " takes every value), leave the column out with the table mappings, or "
                   "use DROP_AND_CREATE")
        .with("column", native.name)
        .with("source type", source)
        .with("column type", native.type.name);
  }

  Result<void> check_required() {
    std::string required;
    for (const NativeColumn& column : table_.columns) {
      const bool is_needed = column.is_not_null && !column.has_default && !column.is_generated;
      if (is_needed && !taken_.contains(column.name)) list_append(required, column.name);
    }
    if (required.empty()) return {};
    return match_error("postgres.required_column",
                       "the existing table has columns that are NOT NULL, have no default and get "
                       "no value: " +
                           required,
                       "Give them a default on the target, or drop their NOT NULL for the load");
  }

  /// The key counts only when all of it is loaded.
  void set_key() {
    for (const std::size_t index : plan_.key) {
      const auto place = places_.find(index);
      if (place == places_.end()) {
        out_.key.clear();
        warn("plan.key_generated_on_target", schema::WarningRank::kRisk,
             "a column of the key is generated on the target, so rows are "
             "compared without a key");
        return;
      }
      out_.key.push_back(place->second);
    }
  }

  const TablePlan& plan_;
  const NativeTable& table_;
  std::multimap<std::string, const NativeColumn*> alike_;
  std::map<std::string, std::string> taken_;  ///< column of the target -> of the source
  std::map<std::size_t, std::size_t> places_;
  std::string missing_;
  std::string renamed_;
  TablePlan out_;
};

/// The schemas that bear one of the wanted names or differ in case only.
Result<std::vector<std::string>> schemas_of(OpContext& context, Connection& connection,
                                            const std::vector<schema::TablePlanPtr>& plans) {
  std::set<std::string> wanted;
  for (const auto& plan : plans) wanted.insert(folded(plan->target.schema));
  WHERRY_ASSIGN(const Rows rows, connection.query(context, "cannot read the schemas",
                                                  "select nspname from pg_catalog.pg_namespace"));
  std::vector<std::string> out;
  for (int r = 0; r < rows.count(); ++r) {
    if (wanted.contains(folded(rows.text(r, 0)))) out.emplace_back(rows.text(r, 0));
  }
  return out;
}

constexpr const char* kScripts =
    "`wherry scripts` writes the SQL that takes them away and brings "
    "them back exactly";

/// Warns of what will work on the rows; refuses what forbids to truncate.
Result<void> check_hindrances(const Hindrances& found, ExistingTable existing, TablePlan& plan) {
  if (existing == ExistingTable::kTruncate && !found.references.empty()) {
    return match_error("postgres.foreign_keys",
                       "foreign keys of other tables point at the table, so it cannot be "
                       "truncated: " +
                           found.references,
                       std::string("Drop them for the load: ") + kScripts);
  }
  if (!found.foreign_keys.empty()) {
    plan.warnings.push_back({"plan.foreign_keys", schema::WarningRank::kRisk,
                             "foreign keys of the target are checked during the load, in which "
                             "tables come in no order: " +
                                 found.foreign_keys + "; " + kScripts});
  }
  if (!found.triggers.empty()) {
    plan.warnings.push_back(
        {"plan.triggers", schema::WarningRank::kRisk,
         "triggers of the target fire for the loaded rows: " + found.triggers + "; " + kScripts});
  }
  return {};
}

using HindrancesByTable = std::map<TableRef, Hindrances>;

TargetMatch match_one(const schema::TablePlanPtr& plan, const TableIndex& index,
                      const HindrancesByTable& hindrances, ExistingTable existing,
                      std::map<TableRef, const TablePlan*>& taken) {
  TargetMatch match{plan, false, std::nullopt};
  const auto fitted = [&]() -> Result<void> {
    WHERRY_ASSIGN(const NativeTable* table, index.find(plan->target));
    if (table == nullptr) return {};
    match.exists = true;
    const auto [other, is_new] = taken.emplace(table->table, plan.get());
    const bool is_meant = !is_new && plan->shares_target && other->second->shares_target;
    if (!is_new && !is_meant && other->second != plan.get()) {
      return match_error("postgres.ambiguous_name",
                         "two source tables would both be loaded into " + to_text(table->table) +
                             ": " + to_text(other->second->source) + " and " +
                             to_text(plan->source),
                         "Rename one of them with a transformation rule in the table mappings");
    }
    WHERRY_ASSIGN(TablePlan made, TableFit(*plan, *table).make());
    const auto hindering = hindrances.find(table->table);
    if (hindering != hindrances.end()) {
      WHERRY_TRY(check_hindrances(hindering->second, existing, made));
    }
    match.plan = std::make_shared<const TablePlan>(std::move(made));
    return {};
  }();
  if (!fitted.ok()) match.refused = Error(fitted.error()).with("table", to_text(plan->target));
  return match;
}

}  // namespace

Result<std::vector<TargetMatch>> match_tables(OpContext& context, Connection& connection,
                                              const std::vector<schema::TablePlanPtr>& plans,
                                              ExistingTable existing, bool as_replica) {
  std::vector<TargetMatch> out;
  std::vector<NativeTable> tables;
  HindrancesByTable hindrances;
  if (existing != ExistingTable::kDrop && !plans.empty()) {
    WHERRY_ASSIGN(const std::vector<std::string> schemas, schemas_of(context, connection, plans));
    // An empty list would mean every schema.
    if (!schemas.empty()) {
      WHERRY_ASSIGN(tables, describe_schemas(context, connection, schemas, true));
      WHERRY_ASSIGN(hindrances, read_hindrances(context, connection, schemas, as_replica));
    }
  }
  const TableIndex index(std::move(tables));
  std::map<TableRef, const TablePlan*> taken;
  // Who names a table exactly has it before those whose name is only alike.
  for (const auto& plan : plans) {
    if (index.find_exact(plan->target) != nullptr) taken.emplace(plan->target, plan.get());
  }
  for (const auto& plan : plans) {
    out.push_back(match_one(plan, index, hindrances, existing, taken));
  }
  WHERRY_TRY(settle_native_plans(context, connection, out));
  WHERRY_TRY(settle_tablespaces(context, connection, out));
  return out;
}

}  // namespace wherry::postgres
