// CONSTRAINTS, CONS_COLUMNS.
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;

struct Item {
  const TableDef* table = nullptr;
  const ConstraintDef* constraint = nullptr;
  std::size_t position = 0;
};

void visit_constraints(const Context& c, const std::function<bool(const Item&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    for (const ConstraintDef& k : table->constraints) {
      if (!visit({table.get(), &k, 0})) return;
    }
  }
}

void visit_columns(const Context& c, const std::function<bool(const Item&)>& visit) {
  visit_constraints(c, [&](Item item) {
    for (item.position = 0; item.position < item.constraint->columns.size(); ++item.position) {
      if (!visit(item)) return false;
    }
    return true;
  });
}

const ConstraintDef& def(const Item& i) {
  return *i.constraint;
}
bool is_foreign(const Item& i) {
  return def(i).kind == ConstraintKind::kForeignKey;
}
bool is_check(const Item& i) {
  return def(i).kind == ConstraintKind::kCheck;
}
std::string owner_of(const Item& i) {
  return i.table->owner;
}

ObjectName about(const Item& i) {
  return {i.table->owner, i.table->name};
}
std::string index_owner(const Item& i) {
  if (def(i).index_name.empty()) return {};
  return def(i).index_owner.empty() ? i.table->owner : def(i).index_owner;
}

std::vector<Column<Item>> constraint_columns() {
  return {
      text_of<Item>("OWNER", owner_of),
      text_of<Item>("CONSTRAINT_NAME", [](const Item& i) { return def(i).name; }),
      text_of<Item>("CONSTRAINT_TYPE",
                    [](const Item& i) { return std::string(1, static_cast<char>(def(i).kind)); }),
      text_of<Item>("TABLE_NAME", [](const Item& i) { return i.table->name; }),
      {"SEARCH_CONDITION", Kind::kLong,
       [](const Item& i, const Context&) { return long_text(def(i).check_sql); }},
      text_of<Item>("SEARCH_CONDITION_VC", [](const Item& i) { return def(i).check_sql; }),
      text_of<Item>("R_OWNER", [](const Item& i) { return is_foreign(i) ? def(i).ref_owner : ""; }),
      text_of<Item>("R_CONSTRAINT_NAME", [](const Item& i) { return def(i).ref_constraint; }),
      text_of<Item>("DELETE_RULE",
                    [](const Item& i) { return is_foreign(i) ? def(i).delete_rule : ""; }),
      text_of<Item>("STATUS",
                    [](const Item& i) { return def(i).enabled ? "ENABLED" : "DISABLED"; }),
      text_of<Item>(
          "DEFERRABLE",
          [](const Item& i) { return def(i).deferrable ? "DEFERRABLE" : "NOT DEFERRABLE"; }),
      text_of<Item>(
          "DEFERRED",
          [](const Item& i) { return def(i).initially_deferred ? "DEFERRED" : "IMMEDIATE"; }),
      text_of<Item>("VALIDATED",
                    [](const Item& i) { return def(i).validated ? "VALIDATED" : "NOT VALIDATED"; }),
      text_of<Item>(
          "GENERATED",
          [](const Item& i) { return def(i).generated_name ? "GENERATED NAME" : "USER NAME"; }),
      empty<Item>("BAD", Kind::kText),
      empty<Item>("RELY", Kind::kText),
      {"LAST_CHANGE", Kind::kDate,
       [](const Item& i, const Context&) { return date(def(i).changed_unix); }},
      text_of<Item>("INDEX_OWNER", index_owner),
      text_of<Item>("INDEX_NAME", [](const Item& i) { return def(i).index_name; }),
      empty<Item>("INVALID", Kind::kText),
      empty<Item>("VIEW_RELATED", Kind::kText),
      fixed_number<Item>("ORIGIN_CON_ID", 0),
  };
}

}  // namespace

void add_constraint_views(Registry& r) {
  r.add_family<Item>("CONSTRAINTS", visit_constraints, constraint_columns(), owner_of, {}, about);
  r.add_family<Item>(
      "CONS_COLUMNS", visit_columns,
      {text_of<Item>("OWNER", owner_of),
       text_of<Item>("CONSTRAINT_NAME", [](const Item& i) { return def(i).name; }),
       text_of<Item>("TABLE_NAME", [](const Item& i) { return i.table->name; }),
       text_of<Item>("COLUMN_NAME", [](const Item& i) { return def(i).columns[i.position]; }),
       {"POSITION", Kind::kNumber,
        [](const Item& i, const Context&) {
          return number_or_null(!is_check(i), static_cast<std::int64_t>(i.position) + 1);
        }}},
      owner_of, {}, about);
}

}  // namespace orasim::dictionary
