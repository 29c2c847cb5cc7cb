// How the rules of a table are made from the catalog.
#include <algorithm>

#include "store/store_impl.h"

namespace orasim {
namespace {

std::vector<KeyExtractor::Part> in_order(const std::vector<KeyExtractor::Part>& parts,
                                         const std::vector<std::size_t>& order) {
  std::vector<KeyExtractor::Part> result;
  for (const std::size_t i : order) result.push_back(parts[i]);
  return result;
}

bool is_key(const ConstraintDef& c) {
  return c.kind == ConstraintKind::kPrimaryKey || c.kind == ConstraintKind::kUnique;
}

bool same_columns(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

void add_unique(TableRules& rules, const std::string& name, const std::vector<std::string>& columns,
                bool deferred) {
  const Segment::Match match = rules.segment->index_for(columns);
  if (match.index == nullptr) return;
  const auto parts = key_parts(rules.segment->table(), columns);
  rules.unique.push_back({name, deferred, match.index, KeyExtractor(in_order(parts, match.order))});
}

DeleteRule delete_rule(const std::string& text) {
  if (text == "CASCADE") return DeleteRule::kCascade;
  return text == "SET NULL" ? DeleteRule::kSetNull : DeleteRule::kNoAction;
}

}  // namespace

TableRules& StoreImpl::rules_for(const TableDef& def) {
  const SegmentPtr segment = find_segment(def.data_object_id);
  if (segment == nullptr || segment->table().layout_version != def.layout_version) {
    throw OraError(8103, "object no longer exists");
  }
  return rules_for_segment(segment);
}

TableRules& StoreImpl::rules_for_segment(const SegmentPtr& segment) {
  const std::uint32_t id = segment->table().data_object_id;
  if (find_segment(id) != segment) throw OraError(8103, "object no longer exists");
  std::unique_ptr<TableRules>& rules = rules_[id];
  if (rules == nullptr) {
    auto made = std::make_unique<TableRules>();
    made->segment = segment;
    build_rules(*made);
    rules = std::move(made);
  }
  return *rules;
}

void StoreImpl::build_rules(TableRules& rules) {
  const std::shared_ptr<const Catalog> catalog = this->catalog();
  const TableDef& table = rules.segment->table();
  for (const ConstraintDef& c : table.constraints) {
    if (!c.enabled) continue;
    if (is_key(c)) add_unique(rules, c.name, c.columns, c.initially_deferred);
    if (c.kind != ConstraintKind::kForeignKey) continue;
    const auto parent = catalog->find_table(c.ref_owner, c.ref_table);
    const SegmentPtr parent_rows = parent ? find_segment(parent->data_object_id) : nullptr;
    if (parent_rows == nullptr) continue;
    const Segment::Match match = parent_rows->index_for(c.ref_columns);
    const auto parts = key_parts(table, c.columns);
    if (match.index == nullptr || parts.size() != match.order.size()) continue;
    rules.parents.push_back({c.name, c.initially_deferred, parent_rows == rules.segment,
                             parent_rows, match.index, KeyExtractor(in_order(parts, match.order))});
  }
  for (const IndexDef& index : table.indexes) {
    const bool behind_key =
        std::any_of(table.constraints.begin(), table.constraints.end(), [&](const auto& c) {
          return c.enabled && is_key(c) && same_columns(c.columns, index.columns);
        });
    if (index.unique && !index.function_based && !behind_key) {
      add_unique(rules, index.name, index.columns, false);
    }
  }
  add_child_rules(rules, *catalog);
}

void StoreImpl::add_child_rules(TableRules& rules, const Catalog& catalog) {
  const TableDef& table = rules.segment->table();
  for (const auto& [name, child] : catalog.tables) {
    for (const ConstraintDef& c : child->constraints) {
      if (c.kind != ConstraintKind::kForeignKey || !c.enabled || c.ref_table != table.name ||
          c.ref_owner != table.owner) {
        continue;
      }
      const SegmentPtr rows = find_segment(child->data_object_id);
      const auto parts = key_parts(table, c.ref_columns);
      if (rows == nullptr || parts.empty()) continue;
      rules.children.push_back({child->owner + "." + c.name, c.initially_deferred,
                                rows == rules.segment, delete_rule(c.delete_rule), rows, c.columns,
                                nullptr, c.ref_columns, KeyExtractor(parts), std::nullopt});
    }
  }
}

}  // namespace orasim
